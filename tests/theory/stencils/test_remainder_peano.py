from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import factorial

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from proofs_check.search.strategies import offsets, rationals, stencils
from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, NonexistenceError
from theory.base.polynomials import PiecewisePolynomial, evaluate
from theory.stencils import Stencil, backward, central, compose, five_point, forward, identity, multiply, stencil
from theory.stencils.remainder import average_norm, error_constant, is_average, one_sided_sum, peano_kernel


def errors_of(s: Stencil, power: int) -> Fraction:
    """``D_1 t^power`` at 0 less the derivative, straight from the definition."""
    total = sum((c * x**power for x, c in zip(s.offsets, s.weights, strict=True)), Fraction(0))
    return total - (factorial(power) * s.target[0][1] if power == s.degree else 0)


def spread_functional(s: Stencil, order: int, sign: PiecewisePolynomial, signs: list[tuple[Fraction, int]]) -> Fraction:
    """The error on the function whose derivative of order ``N = m + order`` is ±1, switching at the points given.

    ``u(t) = Σ jumps (t - a)_+^N / N!`` from the left end of the hull on, evaluated without any kernel.
    """
    n = s.degree + order

    def u(t: Fraction) -> Fraction:
        total, before = Fraction(0), 0
        for a, value in signs:
            if t > a:
                total += (value - before) * (t - a) ** n
            before = value
        return total / factorial(n)

    def derivative_at_zero() -> Fraction:
        total, before = Fraction(0), 0
        for a, value in signs:
            if a < 0:
                total += (value - before) * (-a) ** (n - s.degree)
            before = value
        return total / factorial(n - s.degree)

    total = sum((c * u(x) for x, c in zip(s.offsets, s.weights, strict=True)), Fraction(0))
    return total - (s.target[0][1] * derivative_at_zero() if order else 0)


@given(stencils(), st.integers(0, 6))
def test_the_kernel_reproduces_the_difference_of_every_power(s: Stencil, extra: int) -> None:
    n = s.degree + extra
    kernel = peano_kernel(s)
    total = sum((c * x**n for x, c in zip(s.offsets, s.weights, strict=True)), Fraction(0))
    assert kernel.moment(extra) * Fraction(factorial(n), factorial(extra)) == total
    assert kernel.integral == 1
    assert set(kernel.breakpoints) <= set(s.offsets)


@given(stencils(), st.data())
def test_the_error_kernels_reproduce_the_error_of_every_power(s: Stencil, data: st.DataObject) -> None:
    q = data.draw(st.integers(1, s.order))
    kernel = peano_kernel(s, q)
    for extra in range(5):
        n = s.degree + q + extra
        assert kernel.moment(extra) * Fraction(factorial(n), factorial(extra)) == errors_of(s, n)
    if q == s.order:
        assert kernel.integral == s.truncation(1)[0].value
    else:
        assert kernel.integral == 0


@settings(max_examples=10)
@given(stencils(extra=2), rationals(), rationals(Fraction(1, 12), 1))
def test_the_kernels_against_quadrature_for_a_transcendental_function(s: Stencil, x: Fraction, h: Fraction) -> None:
    """u = exp: D_h u and its error by mpmath's Gauss–Legendre quadrature on each piece, to 30 digits."""
    m, p = s.degree, s.order
    with mpmath.workdps(50):
        a, step = mpmath.mpf(x.numerator) / x.denominator, mpmath.mpf(h.numerator) / h.denominator

        def real(value: Fraction) -> mpmath.mpf:
            return mpmath.mpf(value.numerator) / value.denominator

        difference = mpmath.fsum(
            real(c) * mpmath.exp(a + step * real(t)) for t, c in zip(s.offsets, s.weights, strict=True)
        )
        difference /= step**m
        for q, expected in ((0, difference), (p, (difference - mpmath.exp(a)) / step**p)):
            kernel = peano_kernel(s, q)
            total = mpmath.mpf(0)
            for (lo, hi), piece in zip(pairwise(kernel.breakpoints), kernel.pieces, strict=True):
                coefficients = [real(c) for c in reversed(piece)]
                total += mpmath.quad(
                    lambda t, c=coefficients: mpmath.polyval(c, t) * mpmath.exp(a + step * t), [real(lo), real(hi)]
                )
            scale = real(s.norm1) * mpmath.exp(abs(a) + 20 * step) / step ** (m + q)
            assert abs(total - expected) < mpmath.mpf(10) ** -30 * scale


@settings(max_examples=30)
@given(stencils(), st.booleans())
def test_absolute_integrals_against_numpy_roots(s: Stencil, error: bool) -> None:
    """∫|K| piece by piece between the float roots of numpy: an independent route to about 1e-8."""
    kernel = peano_kernel(s, s.order if error else 0)
    enclosure = kernel.absolute_integral()
    total = 0.0
    for (lo, hi), piece in zip(pairwise(kernel.breakpoints), kernel.pieces, strict=True):
        # shifted to the piece, where float coefficients lose less
        middle = (lo + hi) / 2
        local = Polynomial([float(c) for c in shifted(piece, middle)])
        half = float(hi - lo) / 2
        roots = [r.real for r in np.atleast_1d(local.roots()) if abs(r.imag) < 1e-7 and abs(r.real) < half]
        q = local.integ()
        ends = [-half, *sorted(roots), half]
        total += sum(abs(float(q(b) - q(a))) for a, b in pairwise(ends))
    assert total == pytest.approx(float(enclosure.middle), rel=1e-6, abs=1e-12)
    assert enclosure.width <= enclosure.upper * Fraction(1, 10**40)


def shifted(p: tuple[Fraction, ...], a: Fraction) -> list[Fraction]:
    """Coefficients of ``p(a + t)``."""
    result = [Fraction(0)]
    for c in reversed(p):
        longer = [Fraction(0), *result]
        for i, r in enumerate(result):
            longer[i] += a * r
        longer[0] += c
        result = longer
    return result


@settings(max_examples=30)
@given(stencils(), st.data())
def test_the_error_constant_is_attained(s: Stencil, data: st.DataObject) -> None:
    """On the function whose highest derivative is the sign of the kernel the error equals ∫|K|: the bound is sharp."""
    q = data.draw(st.integers(0, s.order))
    kernel = peano_kernel(s, q)
    changes = kernel.sign_changes()
    points = sorted({*kernel.breakpoints[:-1], *((lo + hi) / 2 for lo, hi in changes)})
    signs = []
    for a, b in pairwise([*points, kernel.breakpoints[-1]]):
        value = kernel((a + b) / 2)
        signs.append((a, (value > 0) - (value < 0)))
    attained = spread_functional(s, q, kernel, signs)
    constant = kernel.absolute_integral()
    if all(lo == hi for lo, hi in changes):
        assert constant.is_exact
        assert attained == constant.lower
    else:
        # the switching points are off by 2^-96, which costs the square of that
        assert constant.lower - Fraction(1, 2**150) * (1 + constant.upper) <= attained <= constant.upper
    if q:
        assert error_constant(s, q) == constant
        assert constant.upper >= abs(peano_kernel(s, q).integral)


def test_facts_about_the_norms() -> None:
    assert average_norm(central(2, 4)) == Enclosure.exact(Fraction(53, 45))
    assert average_norm(forward(1, 2)) == Enclosure.exact(2)
    assert average_norm(backward(1, 2)) == Enclosure.exact(2)
    assert average_norm(forward(2, 2)) == Enclosure.exact(Fraction(7, 3))
    hat = peano_kernel(central(2))
    assert [hat(Fraction(t, 4)) for t in range(-5, 6)] == [
        max(Fraction(0), 1 - abs(Fraction(t, 4))) for t in range(-5, 6)
    ]


def test_irrational_changes_of_sign_are_enclosed() -> None:
    kernel = peano_kernel(central(3, 4))
    assert not all(lo == hi for lo, hi in kernel.sign_changes())
    norm = kernel.absolute_integral()
    assert not norm.is_exact
    assert 0 < norm.width < Fraction(1, 10**50)
    with mpmath.workdps(40):
        total = mpmath.mpf(0)
        for (lo, hi), piece in zip(pairwise(kernel.breakpoints), kernel.pieces, strict=True):
            roots = [r for change in kernel.sign_changes() for r in change if lo < r < hi]
            ends = [mpmath.mpf(x.numerator) / x.denominator for x in (lo, *sorted(roots), hi)]
            coefficients = [mpmath.mpf(c.numerator) / c.denominator for c in reversed(piece)]
            total += mpmath.quad(lambda t, c=coefficients: abs(mpmath.polyval(c, t)), ends)
        assert abs(total - mpmath.mpf(norm.lower.numerator) / norm.lower.denominator) < mpmath.mpf(10) ** -25


# positivity


@given(st.integers(1, 5).flatmap(lambda m: st.tuples(st.just(m), offsets(m, extra=0))))
def test_minimal_stencils_are_averages(case: tuple[int, tuple[Fraction, ...]]) -> None:
    """With m + 1 nodes K is a B-spline of mass 1 (Curry and Schoenberg, 1966)."""
    s = stencil(*case)
    kernel = peano_kernel(s)
    assert kernel.sign == 1
    assert is_average(s)
    assert kernel.absolute_integral() == Enclosure.exact(1)
    assert kernel.breakpoints == tuple(sorted(s.offsets))


@given(st.integers(1, 5).flatmap(lambda m: st.tuples(st.just(m), offsets(m, extra=1))))
def test_one_node_more_is_an_average_iff_zero_lies_between_two_means(case: tuple[int, tuple[Fraction, ...]]) -> None:
    m, nodes = case
    assume(len(nodes) == m + 2)
    first, last = sum(nodes[:-1], Fraction(0)) / (m + 1), sum(nodes[1:], Fraction(0)) / (m + 1)
    assert is_average(stencil(m, nodes)) == (first <= 0 <= last)


def test_an_average_of_order_two_on_three_uneven_nodes() -> None:
    assert is_average(stencil(1, [-1, 0, "1/2"]))
    assert not is_average(stencil(1, [0, "1/2", 1]))


@given(stencils())
def test_average_iff_the_norm_is_one_and_never_from_order_three_on(s: Stencil) -> None:
    norm = average_norm(s)
    assert is_average(s) == (norm == Enclosure.exact(1))
    if not is_average(s):
        assert norm.lower > 1
    if s.order >= 3:
        assert not is_average(s)
        assert peano_kernel(s).moment(2) == 0
    samples = {peano_kernel(s)(x) >= 0 for a, b in pairwise(sorted(s.offsets)) for x in ((2 * a + b) / 3, (a + b) / 2)}
    if is_average(s):
        assert samples == {True}


@given(stencils())
def test_constants_of_one_sign_are_the_leading_coefficient(s: Stencil) -> None:
    kernel, leading = peano_kernel(s, s.order), abs(s.truncation(1)[0].value)
    constant = error_constant(s)
    if kernel.sign is None:
        assert constant.upper > leading
    else:
        assert constant == Enclosure.exact(leading)


def test_scaling_and_composition_of_kernels() -> None:
    s = multiply(-3, forward(1, 2))
    assert peano_kernel(s).integral == -3
    assert average_norm(s) == Enclosure.exact(6)
    assert error_constant(s) == Enclosure.exact(3 * Fraction(1, 3))
    assert peano_kernel(multiply(-1, central(2))).sign == -1
    # the kernel of a composition is the convolution, so its norm is at most the product
    twice = compose(forward(1, 2), forward(1, 2))
    assert average_norm(twice).upper <= 4


def test_wide_stencils_are_quick() -> None:
    for s in (forward(10, 20), central(2, 20), forward(1, 20)):
        assert error_constant(s).width <= error_constant(s).upper / 10**40


# failures


def test_bad_input() -> None:
    with pytest.raises(InputError, match="`derivative` is for one variable"):
        peano_kernel(five_point())
    with pytest.raises(InputError, match="order: 3"):
        peano_kernel(central(2), 3)
    with pytest.raises(InputError, match="order: -1"):
        peano_kernel(central(2), -1)
    with pytest.raises(InputError, match="order: 0"):
        error_constant(central(2), 0)
    with pytest.raises(InputError, match="no averaging kernel"):
        peano_kernel(stencil(0, [-1, 1]))
    with pytest.raises(NonexistenceError):
        error_constant(identity())
    with pytest.raises(ArithmeticError, match="compact support"):
        one_sided_sum([(Fraction(0), 1, Fraction(1)), (Fraction(1), 1, Fraction(1))])
    with pytest.raises(InputError, match="ascending"):
        PiecewisePolynomial((Fraction(1), Fraction(0)), ((Fraction(1),),))
    with pytest.raises(InputError, match="n pieces"):
        PiecewisePolynomial((Fraction(0), Fraction(1)), ())


def test_interpolation_has_error_kernels() -> None:
    mean = stencil(0, [-1, 1])  # (u(-1) + u(1)) / 2 - u(0) = ∫ (1 - |t|)/2 u''
    kernel = peano_kernel(mean, 2)
    assert kernel(0) == Fraction(1, 2)
    assert error_constant(mean) == Enclosure.exact(Fraction(1, 2))


@given(stencils(), rationals())
def test_values_are_those_of_the_pieces(s: Stencil, t: Fraction) -> None:
    kernel = peano_kernel(s)
    inside = [p for (a, b), p in zip(pairwise(kernel.breakpoints), kernel.pieces, strict=True) if a < t <= b]
    assert kernel(t) == (evaluate(inside[0], t) if inside else 0)
    direct = sum(
        (c * (x - t) ** (s.degree - 1) for x, c in zip(s.offsets, s.weights, strict=True) if x >= t), Fraction(0)
    )
    assume(t not in s.offsets)
    assert kernel(t) == direct / factorial(s.degree - 1)


def test_the_negative_of_an_average_is_none() -> None:
    """``-D_h u`` has weights of sum 1 only of the target ``-u''``, and its kernel is negative throughout."""
    assert is_average(central(2))
    assert not is_average(multiply(-1, central(2)))
