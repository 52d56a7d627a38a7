"""Advice on equations: the common step and its price, against differences that are formed here."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch

from numerics.differences.steps import NEAR
from numerics.differences.systems import SystemAdvice, study_system
from numerics.problem.problem import Boundary, Problem
from numerics.training import equations
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
