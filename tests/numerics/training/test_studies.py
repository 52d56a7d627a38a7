"""Observations: their numbers against direct computation, and what they must show in known cases."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from numerics.matrices import float_matrix, float_rhs
from numerics.problem import Boundary, Problem, Training
from numerics.training.studies import (
    Observation,
    error_grid,
    judge,
    network_observations,
    over_seeds,
    paired,
    predictors,
    rfm_observation,
    solution_error,
)
from theory.conventions import Convention
from theory.errors import InputError
from theory.laws import law

PROBLEM = Problem(
    count=20, interior=(18,), boundary=(Boundary(),), weights=law("normal(0, 3)"), step=(Fraction(1, 50),)
)


def test_predictors_of_a_known_spectrum() -> None:
    found = predictors([1.0, 1.0, 0.5, 1e-14], rank=2, threshold=1e-12)
    assert found[Convention().label] == pytest.approx(-(2 * 0.4 * math.log(0.4) + 0.2 * math.log(0.2)), rel=1e-12)
    assert found["condition number"] == pytest.approx(1e14)
    assert found["least kept value"] == 0.5
    assert found["epsilon rank"] == 3.0
    assert found["effective rank"] == pytest.approx(math.exp(0.8 * -math.log(0.4) - 0.2 * math.log(0.2)), rel=1e-9)
    assert found[Convention("fixed", rank=2, normalised=True).label] == pytest.approx(1.0)
    assert len(found) == 16 + 4
    assert predictors([1.0, 0.0])["condition number"] is None
    with pytest.raises(InputError):
        predictors([])


@pytest.mark.parametrize("method", ["ad", "fd"])
def test_random_feature_outcomes_by_numpy(method: str) -> None:
    found = rfm_observation(PROBLEM, method, threshold=1e-8, tolerance=0.5, iterations=50)  # type: ignore[arg-type]
    A = float_matrix(PROBLEM, method, "float64")  # type: ignore[arg-type]
    f = float_rhs(PROBLEM, "float64")
    a = np.linalg.pinv(A, rcond=1e-8) @ f
    size = np.linalg.norm(f)
    exact = float_matrix(PROBLEM, "ad", "float64")
    assert found.outcomes["residual"] == pytest.approx(np.linalg.norm(A @ a - f) / size, rel=1e-4, abs=1e-9)
    assert found.outcomes["equation residual"] == pytest.approx(
        np.linalg.norm(exact @ a - f) / size, rel=1e-4, abs=1e-9
    )
    step = 1 / np.linalg.norm(A, 2) ** 2
    r = -f
    losses = []
    for _ in range(200):
        losses.append(r @ r / (f @ f))
        r = r - step * (A @ (A.T @ r))
    assert found.outcomes["descent loss"] == pytest.approx(losses[50], rel=1e-9)
    expected = next((t for t, loss in enumerate(losses) if loss <= 0.5), None)
    assert expected is not None
    assert found.outcomes["iterations"] == expected


def test_the_solution_error_falls_when_the_features_suffice() -> None:
    """Enough sine features with autodiff solve the equation to many digits; differences stop at their truncation."""
    problem = PROBLEM.with_(activation_name="sin", count=40, interior=(30,))
    ad, fd = (rfm_observation(problem, m).outcomes["solution error"] for m in ("ad", "fd"))
    assert ad is not None
    assert fd is not None
    assert ad < 1e-6
    # h²/12 π² relative, for the solution sin(πx).
    assert fd == pytest.approx((1 / 50) ** 2 * math.pi**2 / 12, rel=0.3)


def test_solution_errors() -> None:
    points = error_grid(PROBLEM, 64)
    assert points.shape == (64, 1)
    assert float(points.abs().max()) < 1
    exact = torch.sin(torch.pi * points[:, 0])
    found = solution_error(PROBLEM, torch.stack([exact, 1.1 * exact, torch.full_like(exact, torch.nan)]), points)
    assert found[0] == pytest.approx(0, abs=1e-14)
    assert found[1] == pytest.approx(0.1)
    assert found[2] is None
    unknown = PROBLEM.with_(solution=None, rhs="1")
    assert solution_error(unknown, exact[None], points) == [None]
    with pytest.raises(InputError, match="zero"):
        solution_error(PROBLEM.with_(solution="0*x"), exact[None], points)


def test_networks_are_observed_and_compared() -> None:
    for depth in (2, 3):
        problem = PROBLEM.with_(training=Training("two-layer", "adam", 40, Fraction(1, 50), 4, "standard", depth))
        observations = network_observations(problem, tolerance=0.9, device="cpu", rank=4)
        assert [(o.method, o.seed) for o in observations] == [(m, s) for m in ("ad", "fd") for s in range(4)]
        for o in observations:
            assert o.outcomes["loss"] is not None
            assert o.outcomes["loss"] < 1
            assert o.outcomes["iterations"] is not None
            assert 0 < o.outcomes["iterations"] <= 40
            assert o.outcomes["solution error"] is not None
        found = paired(observations, "loss")
        assert found.pairs == 4
        assert len(observations[0].predictors) == 20
    ranked = judge([o for o in observations if o.method == "ad"], "loss")
    assert len(ranked) == 20
    assert all(r.adjusted >= r.p_value for r in ranked)


def test_judging_finds_the_predictor_that_decides() -> None:
    generator = np.random.default_rng(0)
    table = [
        Observation(s, "ad", {"good": float(s), "noise": float(generator.random())}, {"loss": math.exp(-s)})
        for s in range(12)
    ]
    ranked = judge(table, "loss")
    assert ranked[0].name == "good"
    assert ranked[0].rho.estimate == pytest.approx(-1.0)
    assert ranked[0].adjusted < 0.01
    assert ranked[1].adjusted > 0.05
    with pytest.raises(InputError, match="outcome"):
        judge(table, "speed")
    with pytest.raises(InputError, match="outcome"):
        judge([], "loss")


def test_seeds_follow_each_other() -> None:
    assert [p.seed for p in over_seeds(PROBLEM.with_(seed=3), 3)] == [3, 4, 5]
