"""The three arithmetics against each other and against closed values; balls contain, and are narrow."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from numerics.arithmetic.backends import (
    MAX_MULTIPRECISION_EXPONENT,
    BallBackend,
    FloatBackend,
    MultiprecisionBackend,
    ball_moment,
    to_float,
)
from numerics.arithmetic.balls import Enclosure, from_ball
from proofs_check.search.strategies import rationals
from theory.base.errors import InputError

FUNCTIONS = ("sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "atan", "asinh", "erf")
DTYPES = (np.float32, np.float64)
fractions = st.fractions(-20, 20, max_denominator=1000)


def fraction(value: mpmath.mpf) -> Fraction:
    """An mpmath number, exactly."""
    sign, mantissa, exponent, _ = value._mpf_
    whole = Fraction(int(-mantissa if sign else mantissa))
    return whole * Fraction(2) ** int(exponent)


def enclosed(ball: flint.arb, exact: mpmath.mpf, error: Fraction) -> bool:
    """Whether the ball meets ``exact`` ± ``error``."""
    middle = fraction(exact)
    return from_ball(ball).overlaps(Enclosure(middle - error, middle + error))


@given(st.fractions())
def test_constants(value: Fraction) -> None:
    with mpmath.workprec(200):
        near = MultiprecisionBackend().constant(value)
        assert abs(fraction(near) - value) <= abs(value) * Fraction(1, 2**198)
    with flint.ctx.workprec(200):
        ball = from_ball(BallBackend().constant(value))
        assert value in ball
        assert ball.width <= abs(value) * Fraction(1, 2**197)
    for dtype in DTYPES:
        kept = FloatBackend(dtype).constant(value)
        assert isinstance(kept, dtype)


@given(st.fractions(-(10**6), 10**6))
def test_floats_are_rounded_through_float64(value: Fraction) -> None:
    assert to_float(value, np.float64) == float(value)  # the nearest double
    assert to_float(value, np.float32) == np.float32(float(value))


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_beyond_the_range_are_infinite(dtype: Any) -> None:
    for exponent in (39, 400, 4000) if dtype is np.float32 else (400, 4000):
        assert to_float(Fraction(10) ** exponent, dtype) == np.inf
        assert to_float(-(Fraction(10) ** exponent), dtype) == -np.inf
        assert to_float(Fraction(1, 10**exponent), dtype) < 1e-38
    assert to_float(Fraction(1, 10**4000), dtype) == 0


@given(st.sampled_from(FUNCTIONS), fractions)
def test_balls_contain_the_multiprecision_value(name: str, at: Fraction) -> None:
    if name == "log":
        at = abs(at) + Fraction(1, 1000)
    with mpmath.workdps(80):
        exact = MultiprecisionBackend().function(name, MultiprecisionBackend().constant(at))
    with flint.ctx.workprec(200):
        ball = BallBackend().function(name, BallBackend().constant(at))
        assert ball.is_finite()
        condition = 1 + abs(at) + 1000 * (name in {"tan", "log"})
        assert enclosed(ball, exact, Fraction(1, 10**70) * (1 + abs(fraction(exact))) * condition**2)
        assert float(ball.rad()) <= 2.0**-180 * float((1 + abs(fraction(exact))) ** 2 * condition)


@given(st.sampled_from(FUNCTIONS), fractions, st.sampled_from(DTYPES))
def test_floats_are_close_to_the_multiprecision_value(name: str, at: Fraction, dtype: Any) -> None:
    """numpy and scipy keep within a few units in the last place of the value at the rounded argument."""
    if name == "log":
        at = abs(at) + Fraction(1, 1000)
    here = FloatBackend(dtype).constant(at)
    found = FloatBackend(dtype).function(name, here)
    assert found.dtype == dtype
    with mpmath.workdps(60):
        exact = getattr(mpmath, name)(mpmath.mpf(float(here)))
        unit = float(np.finfo(dtype).eps)
        assert abs(mpmath.mpf(float(found)) - exact) <= 8 * unit * abs(exact) + float(np.finfo(dtype).tiny)


@given(
    rationals(),
    st.sampled_from(
        [Fraction(p) for p in (-3, -2, -1, 1, 2, 3, 4, 7)]
        + [Fraction(1, 2), Fraction(-1, 2), Fraction(2, 3), Fraction(-5, 16)]
    ),
)
def test_powers(at: Fraction, exponent: Fraction) -> None:
    if exponent < 0 and at == 0:
        at = Fraction(1)
    if exponent.denominator != 1:
        at = abs(at)
    with mpmath.workdps(60):
        found = MultiprecisionBackend().power(MultiprecisionBackend().constant(at), exponent)
        root = mpmath.mpf(at.numerator) / at.denominator
        if exponent.denominator != 1:
            root = mpmath.root(root, exponent.denominator)
        exact = root**exponent.numerator
        assert abs(found - exact) <= mpmath.mpf(10) ** -55 * (1 + abs(exact))
    with flint.ctx.workprec(200):
        ball = BallBackend().power(BallBackend().constant(at), exponent)
        if at or exponent.denominator == 1:
            assert enclosed(ball, exact, Fraction(1, 10**55) * (1 + abs(fraction(exact))))
            assert float(ball.rad()) <= 2.0**-185 * float(1 + abs(fraction(exact)))
    double = FloatBackend(np.float64).power(np.float64(float(at)), exponent)
    assert abs(float(double) - float(exact)) <= 1e-14 * float(abs(exact))


def test_squares_of_balls_around_zero() -> None:
    """``arb(0, 1)**2`` is not finite; here it is, and contains every square."""
    ball = BallBackend().power(flint.arb(0, 1), Fraction(2))
    assert ball.is_finite()
    assert ball.contains(flint.arb(1))
    assert ball.contains(flint.arb(0))
    assert BallBackend().power(flint.arb(0, 1), Fraction(5)).is_finite()


def test_a_negative_power_of_a_ball_around_zero_is_not_finite() -> None:
    assert not BallBackend().power(flint.arb(0, 1), Fraction(-1)).is_finite()


@pytest.mark.parametrize("value", [-2, 0, 3])
def test_step(value: int) -> None:
    one = 1 if value > 0 else 0
    assert FloatBackend(np.float64).function("step", np.float64(value)) == one
    assert MultiprecisionBackend().function("step", mpmath.mpf(value)) == one
    assert BallBackend().function("step", flint.arb(value)) == one


def test_step_of_an_undecided_ball_is_the_unit_interval() -> None:
    found = BallBackend().function("step", flint.arb(0, "1e-30"))
    assert found.contains(flint.arb(0))
    assert found.contains(flint.arb(1))
    assert float(found.rad()) <= 0.5 + 1e-9


@pytest.mark.parametrize("backend", [FloatBackend(np.float64), MultiprecisionBackend(), BallBackend()])
def test_unknown_functions(backend: Any) -> None:
    with pytest.raises(InputError, match="cannot evaluate the function gamma"):
        backend.function("gamma", backend.constant(Fraction(1)))


@pytest.mark.parametrize(
    ("name", "value"),
    [("log", -1), ("exp", MAX_MULTIPRECISION_EXPONENT + 1), ("sin", -MAX_MULTIPRECISION_EXPONENT - 1)],
)
def test_multiprecision_refuses_what_is_not_real_or_beyond_reason(name: str, value: int) -> None:
    with pytest.raises(InputError, match=r"not real|beyond"):
        MultiprecisionBackend().function(name, mpmath.mpf(value))


def test_functions_that_grow_slowly_take_large_arguments() -> None:
    """log(1 + exp(z)), a softplus, at z = 40."""
    backend, large = MultiprecisionBackend(), mpmath.mpf(10) ** 400
    assert abs(backend.function("log", large) - 400 * mpmath.log(10)) < 1e-10
    assert abs(backend.function("asinh", large) - mpmath.log(2) - 400 * mpmath.log(10)) < 1e-10
    assert abs(backend.function("atan", -large) + mpmath.pi / 2) < 1e-15


@pytest.mark.parametrize(
    ("base", "exponent"), [(-1, Fraction(1, 2)), (-1, Fraction(1, 3)), (0, Fraction(-1)), (0, Fraction(-1, 2))]
)
def test_multiprecision_refuses_roots_of_negative_numbers(base: int, exponent: Fraction) -> None:
    with pytest.raises(InputError, match="not real and finite"):
        MultiprecisionBackend().power(mpmath.mpf(base), exponent)


def test_floats_overflow_silently_as_in_training() -> None:
    backend = FloatBackend(np.float32)
    assert backend.function("exp", np.float32(100)) == np.inf
    assert np.isnan(backend.function("log", np.float32(-1)))
    assert backend.power(np.float32(0), Fraction(-1)) == np.inf
    assert np.isnan(backend.power(np.float32(-1), Fraction(1, 2)))
    assert backend.power(np.float32(1e30), Fraction(2)) == np.inf


@pytest.mark.parametrize("name", FUNCTIONS)
def test_object_arrays_go_entry_by_entry(name: str) -> None:
    for backend in (MultiprecisionBackend(), BallBackend()):
        entries = [backend.constant(Fraction(k, 3)) for k in range(1, 7)]
        grid = np.array(entries, dtype=object).reshape(2, 3)
        found = backend.function(name, grid)
        assert found.shape == (2, 3)
        for k, entry in enumerate(entries):
            single, together = backend.function(name, entry), found[k // 3, k % 3]
            same = together.mid() == single.mid() if isinstance(single, flint.arb) else together == single
            assert same


@pytest.mark.parametrize("bits", [53, 200, 1000])
def test_the_precision_in_force_is_used(bits: int) -> None:
    with mpmath.workprec(bits), flint.ctx.workprec(bits):
        pi = MultiprecisionBackend().named("pi")
        assert enclosed(BallBackend().named("pi"), pi, abs(fraction(pi)) / 2 ** (bits - 1))
        assert 0 < float(BallBackend().named("pi").rad()) < 2.0 ** (4 - bits)
        assert 0 < float(BallBackend().named("E").rad()) < 2.0 ** (4 - bits)
        assert BallBackend().named("E").overlaps(flint.arb(1).exp())
        assert abs(mpmath.log(MultiprecisionBackend().named("E")) - 1) < mpmath.mpf(2) ** (2 - bits)


def test_named_constants_in_floats() -> None:
    assert FloatBackend(np.float32).named("pi") == np.float32(np.pi)
    assert FloatBackend(np.float64).named("E") == np.e
    assert FloatBackend(np.float32).function("erf", np.float32(0.5)) == np.float32(scipy.special.erf(np.float32(0.5)))


@pytest.mark.parametrize("k", [0, 1, 2, 5, 8])
def test_moments_of_a_cosine_on_an_interval(k: int) -> None:
    """∫₀¹ s^k cos(ts) ds, sin for odd k, against quadrature; wide balls contain narrow ones; a bound on the argument."""
    wave = mpmath.sin if k % 2 else mpmath.cos
    for t in (Fraction(0), Fraction(1, 1000), Fraction(-3), Fraction(51, 2), Fraction(-181, 2)):
        with mpmath.workdps(50), flint.ctx.workprec(140):
            found = ball_moment(k, flint.arb(flint.fmpq(t.numerator, t.denominator)))
            x = mpmath.mpf(t.numerator) / t.denominator
            exact = mpmath.quad(lambda s, x=x: s**k * wave(x * s), mpmath.linspace(0, 1, 17))
            assert enclosed(found, exact, Fraction(1, 10**36))
            assert from_ball(found).width < Fraction(1, 10**36)
            around = ball_moment(k, flint.arb(float(t), 0.01))
            assert around.contains(ball_moment(k, flint.arb(float(t)))) or t.denominator > 1
            if abs(t) < 30:
                other = mpmath.sinh if k % 2 else mpmath.cosh
                exact = mpmath.quad(lambda s, x=x, other=other: s**k * other(x * s), mpmath.linspace(0, 1, 17))
                assert enclosed(
                    ball_moment(k, flint.arb(flint.fmpq(t.numerator, t.denominator)), 1), exact, Fraction(1, 10**24)
                )
    assert from_ball(ball_moment(k, flint.arb(0, 0.01))).width < Fraction(1, 40)
    with pytest.raises(InputError, match="SincMoment"):
        ball_moment(k, flint.arb(5000))
