"""The rounding error of stored matrices: the error itself, bounds of singular values from it, and the order that they prove."""

from __future__ import annotations

import json
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.arithmetic.balls import from_ball
from numerics.matrices.assemble import float_matrix, multiprecision_entries
from numerics.problem.problem import Boundary, Problem
from numerics.spectra.spectrum import certified_float_spectrum
from numerics.spectra.stored import rounding_errors, stored_bounds, stored_order
from proofs_check.cli import spectrum as command
from theory.base.errors import InputError
from theory.features.laws import law

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
    assert "rounding_error" not in command._by_engine(CASE, "fd", 12, True, "exact")
    assert "rounding_error" not in command._by_engine(CASE, "fd", 12, False, "float32")
    orders = command._order_of_values(CASE, "float32")
    assert orders is not None
    assert not set(orders["fd<ad"]) & set(orders["fd>ad"])
    json.dumps(content)
    monkeypatch.setattr(command, "LARGEST_STORED", 5)
    assert command._by_engine(CASE, "fd", 12, True, "float32")["rounding_error"] is None
