"""Advice on equations: the common step and its price, against differences that are formed here."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch

from numerics.differences.steps import NEAR
from numerics.differences.systems import SystemAdvice, study_system
from numerics.problem.problem import Boundary, Problem
from numerics.training import equations, short
from proofs_check.advice.system_words import of_system, to_dict

BURGERS: dict[str, Any] = {
    "equations": ["u_t + u*u_x = 0.01*u_xx"], "domain": ((Fraction(-1), Fraction(1)), (Fraction(0), Fraction(1))),
    "interior": (5, 4), "solution": "exp(-t)*sin(pi*x)", "boundary": (Boundary("all", 6),), "count": 6,
    "step": (Fraction(1, 10),), "outside": True,
}  # fmt: skip


def by_hand(problem: Problem, h: float, kind: torch.dtype) -> float:
    """The error of central differences of the residual, in one arithmetic."""
    flat = equations.start(problem, [problem.seed])[0]
    u = equations.modules(problem, flat.to(kind).double())["u"].to(kind)
    exact = equations.modules(problem, flat.to(kind).double())["u"]
    x = torch.tensor([[float(c) for c in p] for p in equations.interior_points(problem)], dtype=torch.float64)
    e = torch.eye(2, dtype=torch.float64)

    def differences() -> torch.Tensor:
        at = [u((x + s * h * e[k]).to(kind)) for k, s in ((0, 1), (0, -1), (1, 1), (1, -1))]
        value = u(x.to(kind))
        return (at[2] - at[3]) / (2 * h) + value * (at[0] - at[1]) / (2 * h) - 0.01 * (at[0] - 2 * value + at[1]) / h**2

    x.requires_grad_(True)
    value = exact(x)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (curved,) = torch.autograd.grad(slope[:, 0].sum(), x)
    truth = slope[:, 1] + value * slope[:, 0] - 0.01 * curved[:, 0]
    return float((differences().double() - truth).detach().square().mean().sqrt())


@pytest.fixture(scope="module")
def found() -> SystemAdvice:
    return study_system(Problem(**BURGERS))


def test_the_common_step_is_within_a_factor_of_the_best(found: SystemAdvice) -> None:
    problem = found.problem
    for one in found.common:
        kind = getattr(torch, one.arithmetic)
        least = min(by_hand(problem, one.step * 2.0 ** (k / 4), kind) for k in range(-12, 13))
        assert one.error <= NEAR * least
        # Half of it is round-off there, which depends on the order of operations.
        assert 1 / 4 < by_hand(problem, one.step, kind) / one.error < 4
        assert by_hand(problem, 0.1, kind) == pytest.approx(one.here, rel=1e-3)
        assert {name for name, _ in one.prices} == {"u_t", "u_x", "u_xx"}
        assert not one.edge
        assert all(price >= 1 for _, price in one.prices)
    single, double = found.common
    assert single.step > double.step
    assert dict(double.prices)["u_t"] > 2  # the second derivative dictates a step that is too large for the first


def test_words(found: SystemAdvice) -> None:
    told = list(of_system(found))
    assert told[0].startswith("Recommended as one step for all derivatives with central order 2 in float64: h = ")
    assert any(line.startswith("The price of the common step") for line in told)
    assert any("at the start of training" in line for line in told)
    content = to_dict(found)
    assert set(content["common"]) == {"float32", "float64"}
    assert set(content["unknowns"]) == {"u"}
    assert content["common"]["float64"]["error"] == found.common[1].error


KINKED: dict[str, Any] = {
    "equations": ["u_xx + u = 0*x"], "domain": ((Fraction(-1), Fraction(1)),), "interior": (19,), "solution": "1 - x**2",
    "boundary": (Boundary("all", 2),), "count": 24, "activation_name": "relu", "step": (Fraction(1, 20),), "dtype": "float64",
}  # fmt: skip


def test_a_short_training_judges_networks_with_kinks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short, "ITERATIONS", 40)
    problem = Problem(**KINKED)
    found = short.short_training(problem, seconds=60.0)
    assert found is not None
    assert (found.iterations, found.networks, found.cut) == (40, short.SEEDS, False)
    assert [h for h, _ in found.steps] == [2.0**-k for k in range(1, 1 + short.STEPS)]
    assert found.best[1] == min(e for _, e in found.steps)
    # AD by hand: the same start, Adam on ½‖r‖² with u_xx = 0, so r = u + the source's −(1 − x² − 2) inside.
    flats = equations.start(problem, [problem.seed + k for k in range(short.SEEDS)])
    exact = equations.residual(problem, "ad")
    made = flats.clone().requires_grad_(True)
    adam = torch.optim.Adam([made], lr=short.RATE)
    for _ in range(40):
        adam.zero_grad()
        (0.5 * exact.residual(made).square().sum()).backward()
        adam.step()
    x = (torch.arange(256, dtype=torch.float64) + 0.5) / 128 - 1
    with torch.no_grad():
        gaps = [equations.modules(problem, one)["u"](x[:, None]) - (1 - x * x) for one in made.detach()]
    errors = [float(gap.square().sum().sqrt() / (1 - x * x).square().sum().sqrt()) for gap in gaps]
    assert found.ad == pytest.approx(sum(errors) / len(errors), rel=1e-6)
    assert found.ad > 2 * found.best[1]


def test_a_training_that_is_cut_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = short.short_training(Problem(**KINKED), seconds=0.0)
    assert found is not None
    assert found.cut
    assert found.iterations == 0
    assert {e for _, e in found.steps} == {found.ad}
    assert short.short_training(Problem(**{**KINKED, "solution": None, "rhs": "1"})) is None


def test_words_for_kinks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = short.ShortTraining(2.4, ((0.5, 0.3), (0.25, 0.02), (0.125, 0.4)), 150, 2, True)
    monkeypatch.setattr("numerics.differences.systems.short_training", lambda problem: made)
    found = study_system(Problem(**KINKED))
    told = list(of_system(found))
    assert told[0].startswith(
        "Recommended with central order 2 in float64: h = 1/4, by the solution after a short training"
    )
    assert "wrong by 2 %, after the same training by AD by 240 %." in told[0]
    assert "AD is not the truth for u_xx: relu has kinks" in told[1]
    assert "The time ran out there" in told[1]
    assert not any("times the least" in line or "best common step" in line for line in told)
    assert to_dict(found)["trained"]["ad"] == 2.4
