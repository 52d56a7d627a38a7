"""Advice for a torch module: steps against brute force, branches of error curves, what is refused."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.differences.network import MAX_POINTS, advise_module
from numerics.differences.terms import branches
from numerics.networks.networks import derivative_by_autograd
from numerics.networks.perceptrons import field
from proofs_check.advice.module_words import of_network
from theory.base.errors import InputError
from theory.operators.operator import StencilChoice


def network(inputs: int, activation: Any = torch.nn.Tanh, width: int = 24, seed: int = 0) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(inputs, width), activation(), torch.nn.Linear(width, width), activation()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))


def points(n: int, d: int) -> torch.Tensor:
    return torch.rand(n, d, generator=torch.Generator().manual_seed(1)) * 2 - 1


def second_difference_error(net: torch.nn.Module, x: torch.Tensor, h: float, kind: torch.dtype) -> float:
    """The central second difference in the arithmetic against nested autograd in float64, written out."""
    rounded = copy.deepcopy(net).to(kind)
    x = x.to(kind)
    exact = derivative_by_autograd(field(copy.deepcopy(rounded).double()), x.double(), (2,)).detach()
    with torch.no_grad():
        u = rounded
        found = (u(x + h) - 2 * u(x) + u(x - h))[:, 0] / h**2
    return float(((found.double() - exact) ** 2).mean().sqrt())


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("arithmetic", ["float32", "float64"])
def test_the_advised_step_is_within_a_factor_2_of_the_best(seed: int, arithmetic: str) -> None:
    net, x = network(1, seed=seed), points(64, 1)
    found = advise_module(net, "u_xx", x).of("u_xx", arithmetic)
    assert found.basis == "model"
    kind = getattr(torch, arithmetic)
    errors = {h: second_difference_error(net, x, h, kind) for h in np.geomspace(found.step / 32, found.step * 32, 81)}
    best = min(errors, key=lambda h: errors[h])
    assert 1 / 2 <= found.step / best <= 2
    assert second_difference_error(net, x, found.step, kind) <= 2 * errors[best]
    low, high = found.good
    assert low < found.step < high


def test_each_derivative_of_a_nonlinear_equation() -> None:
    net = network(2)
    before = copy.deepcopy(net.state_dict())
    net.train()
    found = advise_module(net, "u_t + u*u_x - 0.01*u_xx", points(100, 2))
    assert {t.derivative for t in found.terms} == {"u_t", "u_x", "u_xx"}
    assert all(t.basis == "model" for t in found.terms)
    assert net.training
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    for arithmetic in ("float32", "float64"):
        assert found.of("u_xx", arithmetic).step > 3 * found.of("u_x", arithmetic).step
        fine, coarse = found.of("u_x", arithmetic), found.of("u_x", arithmetic, "central order 4")
        assert coarse.step > fine.step
        assert coarse.error < fine.error
    assert found.of("u_x", "float32").step > 100 * found.of("u_x", "float64").step
    whole = found.of("u_t + u*u_x - 0.01*u_xx", "float64")
    assert whole.basis == "search"
    assert found.of("u_x", "float64").step < whole.step < found.of("u_xx", "float64").step
    sentences = of_network(found)
    assert any(line.startswith("u_xx in float32 with central order 2: keep h between") for line in sentences)
    with pytest.raises(InputError, match="derivatives: "):
        found.of("u_y", "float32")


def test_constants_of_the_branches_are_those_of_theory() -> None:
    """u = sin(w x + b): truncation w⁴/12 rms(sin), by hand."""

    class Wave(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor([2.0]))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sin(self.w * x[:, 0] + 0.5)

    x = points(200, 1)
    found = advise_module(Wave(), "u_xx + 3*u", x).of("u_xx", "float64")
    rms = float((torch.sin(2 * x.double() + 0.5) ** 2).mean().sqrt())
    assert found.size == pytest.approx(4 * rms, rel=1e-6)
    assert found.truncation == pytest.approx(16 / 12 * rms, rel=0.02)
    # Three values of size up to 1 with weights 1, -2, 1: a few units in the last place.
    assert found.rho is not None
    assert 2.0**-54 < found.rho < 2.0**-50


@given(st.integers(1, 6), st.integers(1, 4), st.floats(-3, 3), st.floats(-16, -6), st.randoms(use_true_random=False))
def test_branches_of_a_curve_are_recovered(p: int, m: int, c: float, r: float, noise: Any) -> None:
    C, rho = 10.0**c, 10.0**r
    steps = [2.0 ** (-k / 2) for k in range(-4, 100)]
    curve = [(h, C * h**p + rho / h**m * noise.uniform(0.9, 1.1)) for h in steps]
    best = (m * rho / (p * C)) ** (1 / (p + m))
    found = branches(curve, p, m)
    if 1e-10 < best < 0.1:
        assert found[0] == pytest.approx(C, rel=0.3)
        assert found[1] == pytest.approx(rho, rel=0.3)


def test_no_branch_is_invented() -> None:
    flat = [(2.0**-k, 1.0) for k in range(40)]
    assert branches(flat, 2, 2) == (None, None)
    assert branches(flat[:2], 2, 2) == (None, None)
    assert branches([(2.0**-k, 4.0**-k) for k in range(40)], 2, 2)[1] is None
    assert branches([(2.0**-k, math.inf) for k in range(40)], 2, 2) == (None, None)


def test_networks_with_kinks_are_searched() -> None:
    found = advise_module(network(1, torch.nn.ReLU), "u_x", points(64, 1))
    central = found.of("u_x", "float32")
    assert central.error == min(e for _, e in central.curve)
    assert central.step in [h for h, _ in central.curve] or central.basis == "model"
    assert central.truncation is None


def test_many_points_are_thinned_out_and_stencils_can_be_chosen() -> None:
    found = advise_module(network(1), "u_x", points(3 * MAX_POINTS, 1), choices=[StencilChoice("central", 6)])
    assert {t.stencil for t in found.terms} == {"central order 6"}


@pytest.mark.parametrize(
    ("operator", "d", "words"),
    [
        ("u", 1, "no derivative"),
        ("u**2 + x", 1, "no derivative"),
        ("u_xx", 2, None),
        ("u_xx + u_yy", 1, "have 1 column"),
        ("u_xxxxxxx", 1, "up to order 6"),
        ("u_q", 1, "coordinates"),
        ("__import__('os')*u_x", 1, "operator"),
        (5, 1, "string"),
    ],
)
def test_refusals(operator: Any, d: int, words: str | None) -> None:
    if words is None:
        assert advise_module(network(d), operator, points(8, d)).terms
        return
    with pytest.raises(InputError, match=words) as caught:
        advise_module(network(d), operator, points(8, d))
    assert "\n" not in str(caught.value)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="points: shape"):
        advise_module(network(1), "u_x", torch.zeros(3))
    with pytest.raises(InputError, match="module: returns"):
        advise_module(torch.nn.Linear(1, 2), "u_x", points(4, 1))
