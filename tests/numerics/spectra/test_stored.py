"""The rounding error of stored matrices: the error itself, bounds of singular values from it, and the order that they prove."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure, from_ball
from numerics.arithmetic.prior import HYPOTHESIS, Rounded, RoundedBackend
from numerics.matrices.assemble import float_matrix, multiprecision_entries
from numerics.problem.problem import Boundary, Problem
from numerics.spectra.spectrum import certified_float_spectrum
from numerics.spectra.stored import (
    prior_bounds,
    prior_errors,
    rounding_errors,
    stored_bounds,
    stored_order,
    weyl_bounds,
)
from proofs_check.cli import spectrum as command
from theory.base.errors import InputError
from theory.features.laws import law
from theory.operators.roundoff import UNIT_ROUNDOFF

CASE = Problem(
    count=10, interior=(9,), weights=law("normal(0, 1)"), boundary=(Boundary("all", 2),), step=(Fraction(1, 200),)
)


@settings(max_examples=10, deadline=None)
@given(
    name=st.sampled_from(["sin", "tanh", "erf"]),
    seed=st.integers(0, 500),
    method=st.sampled_from(["ad", "fd"]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_the_error_is_enclosed_and_bounds_the_values(name: str, seed: int, method: str, dtype: str) -> None:
    problem = CASE.with_(activation_name=name, seed=seed)
    errors = rounding_errors(problem, method, dtype)(80)  # type: ignore[arg-type]
    stored = float_matrix(problem, method, dtype)  # type: ignore[arg-type]
    with mpmath.workdps(50):  # the exact matrix by another arithmetic
        exact = multiprecision_entries(problem, method)(50)  # type: ignore[arg-type]
        truth = [[mpmath.mpf(float(stored[i, j])) - exact[i, j] for j in range(10)] for i in range(11)]
        for i in range(11):
            for j in range(10):
                ball, slack = from_ball(errors[i, j]), mpmath.mpf(10) ** -35
                assert mpmath.mpf(ball.lower.numerator) / ball.lower.denominator - slack <= truth[i][j]
                assert truth[i][j] <= mpmath.mpf(ball.upper.numerator) / ball.upper.denominator + slack
                assert ball.width < Fraction(1, 10**18)
    found = stored_bounds(problem, method, dtype)  # type: ignore[arg-type]
    norm = np.linalg.norm(np.array([[float(v) for v in row] for row in truth]), 2)
    assert float(found.errors[0]) == pytest.approx(norm, rel=1e-9)
    certified = certified_float_spectrum(problem, method, dtype, 20).values  # type: ignore[arg-type]
    for bounds, value, exact_value in zip(found.values, certified, found.exact, strict=True):
        assert bounds.encloses(value)
        assert bounds.width <= 2 * found.errors[0].upper + 2 * exact_value.width


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(["sin", "tanh", "erf", "gaussian", "softplus", "z**3", "exp"]),
    seed=st.integers(0, 500),
    method=st.sampled_from(["ad", "fd"]),
    dtype=st.sampled_from(["float32", "float64"]),
    operator=st.sampled_from(["u_xx", "u_xxx - x*u/3", "u_x"]),
)
def test_errors_lie_within_their_a_priori_bounds(name: str, seed: int, method: str, dtype: str, operator: str) -> None:
    """And these are not idle: a hundredth of them is too little for some entry."""
    problem = CASE.with_(activation_name=name, seed=seed, operator_text=operator, solution="x")
    errors = rounding_errors(problem, method, dtype)(120).entries()  # type: ignore[arg-type]
    bounds = prior_errors(problem, method, dtype).entries()  # type: ignore[arg-type]
    assert all(abs(e) <= b for e, b in zip(errors, bounds, strict=True))
    assert any(abs(e) * 100 > b for e, b in zip(errors, bounds, strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_priori_bounds_are_those_of_the_operations(dtype: str) -> None:
    """One operation at a time, by hand: u = unit round-off, numbers with errors of their own."""
    backend = RoundedBackend(dtype)
    u = float(UNIT_ROUNDOFF[dtype])
    e = 4 * u
    with flint.ctx.workprec(100):
        x, y = (Rounded(arb(v), arb(e), backend.unit, backend.least) for v in (3, -5))
        found = {
            "sum": (x + y, 2 * e + u * (2 + 2 * e)),
            "product": (x * y, (r := 8 * e + e * e) + u * (15 + r)),
            "quotient": (x / y, (q := e / (5 - e) + 3 * e / (5 * (5 - e))) + u * (0.6 + q)),
            "square": (backend.power(x, Fraction(2)), (s := 6 * e + e * e) + u * (9 + s)),
            "cube": (backend.power(x, Fraction(3)), (c := 27 * e + 9 * e * e) + 8 * u * (27 + c)),
            "exp": (backend.function("exp", x), (m := math.exp(3) * math.expm1(e)) + 8 * u * (math.exp(3) + m)),
            "constant": (backend.constant(Fraction(1, 3)), (u + 2.0**-53) / 3),
            "integer": (backend.constant(Fraction(7)), 0.0),
            "times an integer": (2 * x, 2 * e + u * (6 + 2 * e)),
        }
    for name, (number, expected) in found.items():
        assert float(number.error) == pytest.approx(expected, rel=1e-4, abs=1e-40), name
        assert float(number.error) >= expected * (1 - 1e-6), name
        if name != "cube":
            assert number.value.rad() < 1e-25, name
    with flint.ctx.workprec(100):  # half the least subnormal number
        tiny = Rounded(arb(0, 0), arb(0), backend.unit, backend.least)
        assert (tiny * tiny).error == backend.least == arb((1, -150 if dtype == "float32" else -1075))
        assert (tiny + tiny).error == 0
        zero = backend.constant(Fraction(1)) / Rounded(arb(1), arb(2), backend.unit, backend.least)
        assert not zero.error.is_finite()


def test_a_priori_bounds_hold_the_certified_values_and_decide_less() -> None:
    problem = CASE.with_(count=12, interior=(12,), boundary=(), step=(Fraction(1, 100),))
    for method in ("ad", "fd"):
        found, after = (bounds(problem, method, "float64") for bounds in (prior_bounds, stored_bounds))  # type: ignore[arg-type]
        assert after.errors[0].upper < found.errors[0].upper < 1000 * after.errors[0].upper
        for bounds, value in zip(
            found.values, certified_float_spectrum(problem, method, "float64", 20).values, strict=True
        ):  # type: ignore[arg-type]
            assert bounds.encloses(value)
    before, later = (stored_order(problem, "float64", bounds=bounds) for bounds in (prior_bounds, stored_bounds))
    assert 0 < sum(s is not None for s in before) <= sum(s is not None for s in later)
    assert all(a in (None, b) for a, b in zip(before, later, strict=True))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from(["any", "opposite", "same"]))
def test_weyls_bounds_hold_and_are_attained(seed: int, n: int, kind: str) -> None:
    generator = np.random.default_rng(seed)
    A = np.diag(np.sort(generator.integers(0, 5, n))[::-1].astype(float))
    E = {"any": generator.integers(-3, 4, (n, n)).astype(float), "opposite": -A, "same": A}[kind]
    exact, errors, both = (
        [Enclosure.exact(Fraction(float(v))) for v in np.linalg.svd(m, compute_uv=False)] for m in (A, E, A + E)
    )
    found = weyl_bounds(exact, errors)
    for bounds, value in zip(found, both, strict=True):
        assert bounds.lower - Fraction(1, 10**9) <= value.lower <= bounds.upper + Fraction(1, 10**9)
    if kind == "same":  # 2 sigma_k: from above at j = 0 for the first value alone
        assert found[0].upper == pytest.approx(2 * exact[0].upper)
    if kind == "opposite":
        assert all(bounds.lower == 0 for bounds in found)


def test_the_lower_bound_is_the_errors_tail() -> None:
    """``sigma_{k+j}(E) - sigma_{j+1}(A)`` at its best: one large value of A, a flat E."""
    exact, errors = ([Enclosure.exact(v) for v in side] for side in ((9, 0, 0, 0), (2, 2, 2, 2)))
    assert [(v.lower, v.upper) for v in weyl_bounds(exact, errors)] == [(7, 11), (2, 2), (2, 2), (0, 2)]


def test_what_has_no_a_priori_bound_is_refused() -> None:
    with pytest.raises(InputError, match="float32, float64"):
        prior_errors(CASE, "ad", "exact")


def test_what_is_stored_exactly_has_no_error() -> None:
    """Weights, biases and points that are dyadic, and a polynomial feature."""
    problem = CASE.with_(
        count=1,
        weights=((Fraction(1),),),
        biases=(Fraction(1, 2),),
        interior=(1,),
        boundary=(),
        activation_name="z**2",
        step=(Fraction(1, 8),),
    )
    for method in ("ad", "fd"):
        found = stored_bounds(problem, method, "float64")  # type: ignore[arg-type]
        assert found.errors[0].upper < Fraction(1, 10**30)
        assert found.values[0].width < Fraction(1, 10**15)


def test_the_order_is_that_of_the_certified_values() -> None:
    problem = CASE.with_(count=16, interior=(16,), boundary=(), activation_name="sin", step=(Fraction(1, 1000),))
    order = stored_order(problem, "float32")
    ad, fd = (certified_float_spectrum(problem, method, "float32", 20).values for method in ("ad", "fd"))  # type: ignore[arg-type]
    assert order.count(1) >= 4
    for sign, a, b in zip(order, ad, fd, strict=True):
        assert sign in (None, (b - a).sign())


def test_exact_arithmetic_stores_nothing() -> None:
    with pytest.raises(InputError, match="float32, float64"):
        rounding_errors(CASE, "ad", "exact")


def test_the_command_states_the_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    content = command._by_engine(CASE, "fd", 12, True, "float32")
    said = content["rounding_error"]
    assert len(said["singular_values"]) == len(content["singular_values"]) == 10
    for bounds, value in zip(said["singular_values"], content["singular_values"], strict=True):
        assert Fraction(bounds["lower"]) <= Fraction(value["lower"])
        assert Fraction(value["upper"]) <= Fraction(bounds["upper"])
    assert said["a_priori"]["hypothesis"] == HYPOTHESIS
    assert Fraction(said["a_priori"]["norm"]) > Fraction(said["norm"]["upper"])
    assert "rounding_error" not in command._by_engine(CASE, "fd", 12, True, "exact")
    assert "rounding_error" not in command._by_engine(CASE, "fd", 12, False, "float32")
    orders = command._order_of_values(CASE, "float32")
    assert orders is not None
    assert not set(orders["fd<ad"]) & set(orders["fd>ad"])
    assert set(orders["a_priori"]) == {"fd<ad", "fd>ad", "hypothesis"}
    json.dumps([content, orders])
    monkeypatch.setattr(command, "LARGEST_STORED", 5)
    assert command._by_engine(CASE, "fd", 12, True, "float32")["rounding_error"] is None
