from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from proofs_check.search.strategies import rationals
from theory.base.polynomials import (
    Polynomial,
    differentiate,
    divide,
    greatest_common_divisor,
    integer_polynomial,
    isolate,
    odd_part,
    primitive,
    refine,
    sharpen,
    sign_at,
    sign_on,
    simplest_between,
    square_free,
)

X = sp.Symbol("x")
polynomials = st.lists(st.integers(-9, 9), min_size=1, max_size=8).map(primitive).filter(bool)


def expression(p: Polynomial) -> sp.Poly:
    return sp.Poly(list(reversed(p)), X, domain="ZZ")


def multiply(*factors: Polynomial) -> Polynomial:
    product = sp.Poly(1, X, domain="ZZ")
    for p in factors:
        product *= expression(p)
    return tuple(int(c) for c in reversed(product.all_coeffs()))


def radical(p: Polynomial) -> Polynomial:
    result: Polynomial = (1,)
    for factor, _ in square_free(p):
        result = multiply(result, factor)
    return result


@given(polynomials, polynomials, polynomials)
def test_gcd_agrees_with_sympy(a: Polynomial, b: Polynomial, common: Polynomial) -> None:
    p, q = multiply(a, common), multiply(b, common)
    ours = expression(greatest_common_divisor(p, q))
    oracle = sp.gcd(expression(p), expression(q)).primitive()[1]
    assert ours in (oracle, -oracle)


@given(polynomials, polynomials)
def test_square_free_factorisation_agrees_with_sympy(a: Polynomial, b: Polynomial) -> None:
    p = multiply(a, a, b)
    ours = {k: expression(f) for f, k in square_free(p)}
    oracle = {k: f for f, k in sp.sqf_list(expression(p))[1] if f.degree() > 0}
    assert ours.keys() == oracle.keys()
    assert all(ours[k] in (oracle[k], -oracle[k]) for k in ours)


@given(polynomials, rationals(-3, 3), rationals(Fraction(1, 12), 4))
def test_isolation_agrees_with_sympy(p: Polynomial, a: Fraction, width: Fraction) -> None:
    p, b = radical(p), a + width
    assume(len(p) > 1)
    roots = isolate(p, a, b)
    poly = expression(p)
    ends = [sp.Rational(x.numerator, x.denominator) for x in (a, b)]
    inside = poly.count_roots(*ends) - sum(poly.eval(x) == 0 for x in ends)
    assert len(roots) == inside
    for lo, hi in roots:
        assert a <= lo <= hi <= b
        if lo == hi:
            assert sign_at(p, lo) == 0
        else:
            low, high = (sp.Rational(x.numerator, x.denominator) for x in (lo, hi))
            assert poly.count_roots(low, high) - sum(poly.eval(x) == 0 for x in (low, high)) == 1
    assert all(left[1] <= right[0] for left, right in pairwise(roots))


@given(st.lists(rationals(-2, 2), min_size=1, max_size=5, unique=True), polynomials)
def test_rational_roots_are_found_exactly(roots: list[Fraction], other: Polynomial) -> None:
    linear = [(-r.numerator, r.denominator) for r in roots]
    p = radical(multiply(*linear, other))
    found = [sharpen(p, bracket) for bracket in isolate(p, Fraction(-3), Fraction(3))]
    assert set(roots) <= {lo for lo, hi in found if lo == hi}
    for lo, hi in found:
        assert hi - lo <= Fraction(6, 2**90)


def test_an_irrational_root_is_bracketed() -> None:
    p = (-2, 0, 1)
    (bracket,) = isolate(p, Fraction(0), Fraction(2))
    lo, hi = refine(p, bracket, Fraction(1, 10**30))
    assert 0 < hi - lo <= Fraction(1, 10**30)
    assert lo**2 < 2 < hi**2


def test_a_root_at_the_end_of_a_bracket_is_not_confused_with_the_one_inside() -> None:
    p = multiply((0, 1), (-1, 3))  # roots 0 and 1/3
    (bracket,) = isolate(p, Fraction(0), Fraction(1))
    assert sharpen(p, bracket) == (Fraction(1, 3), Fraction(1, 3))


@given(polynomials, rationals(-3, 3), rationals(Fraction(1, 12), 4))
def test_signs_agree_with_the_definition(p: Polynomial, a: Fraction, width: Fraction) -> None:
    b = a + width
    for q in (p, multiply(p, p), tuple(-c for c in multiply(p, p))):
        sign = sign_on(q, a, b)
        samples = {sign_at(q, a + width * Fraction(i, 97)) for i in range(1, 97)} - {0}
        if sign is None:
            # the odd part changes sign at a root inside, and there alone
            crossings = [sharpen(odd_part(q), r) for r in isolate(odd_part(q), a, b)]
            assert crossings
            lo, hi = crossings[0]
            eps = Fraction(1, 10**12)
            assume(lo - eps > a and hi + eps < b and all(r[0] > hi + eps for r in crossings[1:]))
            assert sign_at(q, lo - eps) * sign_at(q, hi + eps) == -1
        else:
            assert samples <= {sign}
    assert sign_on(multiply(p, p), a, b) == 1


@given(rationals(-5, 5, 50), rationals(0, 1, 50))
def test_the_simplest_rational(lo: Fraction, width: Fraction) -> None:
    hi = lo + width
    x = simplest_between(lo, hi)
    assert lo <= x <= hi
    assert all((lo * n).__ceil__() > (hi * n).__floor__() for n in range(1, x.denominator))


def test_small_cases() -> None:
    assert integer_polynomial([Fraction(1, 2), Fraction(1, 3), Fraction(0)]) == (3, 2)
    assert integer_polynomial([]) == ()
    assert differentiate((5, 0, 3)) == (0, 1)
    assert divide((-1, 0, 1), (1, 1)) == (-1, 1)
    with pytest.raises(ArithmeticError, match="not exact"):
        divide((1, 0, 1), (1, 1))
    assert square_free((7,)) == []
    assert sign_on((), Fraction(0), Fraction(1)) == 0
