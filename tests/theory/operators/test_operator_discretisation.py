"""L_h: exact on polynomials, right leading terms, the orders by fitted slopes, every refusal."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.search.strategies import operators, stencil_choices
from theory.base.errors import InputError
from theory.operators.operator import SCHEMES, DifferenceOperator, LinearOperator, StencilChoice, discretise, operator

STEPS = (Fraction(1, 2), Fraction(1, 3))


def apply(difference: DifferenceOperator, u: sp.Expr, at: tuple[Fraction, ...]) -> sp.Expr:
    """L_h u at a point, by substitution: the definition, in exact arithmetic."""
    symbols = difference.operator.symbols
    here = {s: sp.Rational(v.numerator, v.denominator) for s, v in zip(symbols, at, strict=True)}
    total = sp.Integer(0)
    for term in difference.terms:
        part = sp.Integer(0)
        for weight, shift in zip(term.weights, term.shifts, strict=True):
            moved = {
                s: v + sp.Rational(d.numerator, d.denominator) for (s, v), d in zip(here.items(), shift, strict=True)
            }
            part += sp.Rational(weight.numerator, weight.denominator) * u.subs(moved)
        scale = sp.Rational(term.scale.numerator, term.scale.denominator)
        total += term.coefficient.subs(here) * part / scale
    return total


targets = st.integers(1, 2).flatmap(lambda d: operators(d, max_order=4 if d == 1 else 3))
pairs = targets.flatmap(lambda L: st.tuples(st.just(L), stencil_choices(L)))


@given(pairs)
def test_exact_on_polynomials_of_low_degree(pair: tuple[LinearOperator, StencilChoice]) -> None:
    """Order p at derivative m means exact in each variable up to degree m + p − 1; x^m y^m is always within."""
    L, choice = pair
    difference = discretise(L, choice, STEPS[: L.dimension])
    at = (Fraction(1, 5), Fraction(-2, 7))[: L.dimension]
    here = {s: sp.Rational(v.numerator, v.denominator) for s, v in zip(L.symbols, at, strict=True)}
    order = difference.order if any(any(alpha) for alpha, _ in L.terms) else 1
    degree = min(sum(alpha) for alpha, _ in L.terms if any(alpha)) + order - 1
    for k in range(degree + 1):
        u = sp.Add(*((s + 1) ** k for s in L.symbols)) + 1
        assert apply(difference, u, at) == L.apply(u).subs(here)


@given(operators(1, constant=True, homogeneous=True), st.data())
def test_the_leading_error_is_the_truncation_coefficient(L: LinearOperator, data: st.DataObject) -> None:
    """On x^(m+p) the error is exactly e_p h^p (m+p)! times the coefficient, at every x."""
    choice = data.draw(stencil_choices(L))
    h = Fraction(1, 7)
    difference = discretise(L, choice, (h,))
    ((alpha, c),) = L.terms
    m, p = alpha[0], difference.order
    (term,) = difference.terms
    assert term.stencil is not None
    leading = term.stencil.truncation(1)[0]
    assert leading.power == p
    u = L.symbols[0] ** (m + p)
    at = Fraction(3, 5)
    error = apply(difference, u, (at,)) - L.apply(u).subs(L.symbols[0], sp.Rational(3, 5))
    expected = leading.value * h**p * int(sp.factorial(m + p))
    assert error == c * sp.Rational(expected.numerator, expected.denominator)


CASES: list[tuple[str, int, StencilChoice, int]] = [
    ("u_xx", 1, StencilChoice(), 2),
    ("u_xx", 1, StencilChoice("central", 4), 4),
    ("u_xx", 1, StencilChoice("forward", 1), 1),
    ("u_x", 1, StencilChoice("backward", 2), 2),
    ("u_xxxx", 1, StencilChoice(), 2),
    ("u_xx + x*u_x - u", 1, StencilChoice("central", 6), 6),
    ("u_xx + u_yy", 2, StencilChoice(), 2),
    ("u_xx + u_yy", 2, StencilChoice("five-point"), 2),
    ("3*u_xx + 3*u_yy - x*u", 2, StencilChoice("nine-point"), 2),
    ("biharmonic", 2, StencilChoice("thirteen-point"), 2),
    ("u_xy", 2, StencilChoice(), 2),
    ("u_xxy + u_y", 2, StencilChoice("central", 4), 4),
    ("heat", 2, StencilChoice("forward", 1), 1),
    ("u_xx", 1, StencilChoice(offsets=(Fraction(-1), Fraction(0), Fraction(1, 2))), 1),
    ("u_x + u_xx", 1, StencilChoice(offsets=(Fraction(0), Fraction(1), Fraction(2))), 1),  # 2 and 1
]


@pytest.mark.parametrize(("text", "dimension", "choice", "order"), CASES, ids=lambda v: str(v)[:24])
def test_the_order_is_the_fitted_slope(text: str, dimension: int, choice: StencilChoice, order: int) -> None:
    L = operator(text, dimension)
    u = sp.exp(sp.Add(*(s * sp.Rational(3 + k, 4) for k, s in enumerate(L.symbols)))) * sp.cos(L.symbols[0] - 1)
    at = tuple(Fraction(k + 1, 3) for k in range(dimension))
    here = {s: sp.Rational(v.numerator, v.denominator) for s, v in zip(L.symbols, at, strict=True)}
    with mpmath.workdps(60):
        exact = sp.N(L.apply(u).subs(here), 60)
        errors = []
        for k in range(4, 8):
            difference = discretise(L, choice, (Fraction(1, 2**k),) * dimension)
            errors.append(abs(sp.N(apply(difference, u, at), 60) - exact))
        assert difference.order == order
        slopes = [float(sp.log(a / b, 2)) for a, b in itertools.pairwise(errors)]
    assert abs(slopes[-1] - order) < 0.1
    assert abs(slopes[-1] - order) < abs(slopes[0] - order) + 0.01


def test_named_stencils_stand_for_the_operator_times_its_coefficient() -> None:
    for text, name in (("2*u_xx + 2*u_yy", "five-point"), ("x*u_xx + x*u_yy + u_x", "nine-point")):
        L = operator(text, 2)
        difference = discretise(L, StencilChoice(name), (Fraction(1, 10), Fraction(1, 10)))
        u = L.symbols[0] ** 2 * L.symbols[1] + L.symbols[1] ** 2
        here = {L.symbols[0]: sp.Rational(1, 3), L.symbols[1]: sp.Rational(2, 3)}
        assert apply(difference, u, (Fraction(1, 3), Fraction(2, 3))) == L.apply(u).subs(here)


@pytest.mark.parametrize(
    ("text", "dimension", "steps", "choice", "fragment"),
    [
        ("u_xx", 1, 1, StencilChoice("five-point"), "two dimensions"),
        ("u_xx + u_yy + u_zz", 3, 1, StencilChoice("nine-point"), "two dimensions"),
        ("u_xx + u_yy", 2, 2, StencilChoice("five-point"), "one step"),
        ("u_xx + 2*u_yy", 2, 1, StencilChoice("five-point"), "another operator"),
        ("u_xx + x*u_yy", 2, 1, StencilChoice("nine-point"), "another operator"),
        ("u_xx", 2, 1, StencilChoice("five-point"), "another operator"),
        ("u_xx + u_yy + u_xy", 2, 1, StencilChoice("five-point"), "another operator"),
        ("u_x", 2, 1, StencilChoice("five-point"), "another operator"),
        ("u_xx + u_yy", 2, 1, StencilChoice("thirteen-point"), "another operator"),
        ("biharmonic", 2, 1, StencilChoice("five-point"), "another operator"),
        ("u_xx", 1, 1, StencilChoice(offsets=(Fraction(0), Fraction(1))), "at least 3"),
        ("u_xx", 1, 1, StencilChoice(offsets=(Fraction(0), Fraction(0), Fraction(1))), "distinct"),
        ("u_xx", 1, 1, StencilChoice("central", 3), "even"),
    ],
)
def test_refusals(text: str, dimension: int, steps: int, choice: StencilChoice, fragment: str) -> None:
    h = tuple(Fraction(1, 10 + (k if steps > 1 else 0)) for k in range(dimension))
    with pytest.raises(InputError, match=fragment) as caught:
        discretise(operator(text, dimension), choice, h)
    assert str(caught.value).startswith("difference.")


def test_unknown_stencil() -> None:
    with pytest.raises(InputError, match="central, forward"):
        StencilChoice("centrl")
    assert StencilChoice("anything", offsets=(Fraction(0), Fraction(1))).offsets is not None


@given(pairs)
def test_symmetry_is_that_of_every_stencil(pair: tuple[LinearOperator, StencilChoice]) -> None:
    """Independently: D_h of an even function of x − x0 is even or odd about x0 as the derivative is."""
    L, choice = pair
    difference = discretise(L, choice, STEPS[: L.dimension])
    for term in difference.terms:
        weights = dict(zip(term.shifts, term.weights, strict=True))
        sign = (-1) ** sum(term.derivative or ())
        mirrored = all(weights.get(tuple(-x for x in s), 0) == sign * w for s, w in weights.items())
        if not mirrored:
            assert not difference.is_symmetric
            return
    assert difference.is_symmetric


@pytest.mark.parametrize("name", SCHEMES)
def test_the_choice_reads_back(name: str) -> None:
    choice = StencilChoice(name, 4)
    assert choice.to_dict() == {"stencil": name, "order": 4}
    offsets: Any = StencilChoice(offsets=(Fraction(-1, 2), Fraction(3)))
    assert offsets.to_dict() == {"offsets": ["-1/2", "3"]}


def test_no_derivative_no_difference() -> None:
    difference = discretise(operator("x*u"), StencilChoice(), (Fraction(1, 10),))
    assert difference.order == 0
    assert [(term.weights, term.shifts, term.scale) for term in difference.terms] == [((1,), ((0,),), 1)]
