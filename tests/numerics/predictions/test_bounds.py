"""Bounds from the derivatives of the activation: exact where every term has one sign, and never below what they bound."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.networks import activations as jets
from numerics.networks.networks import Difference, Rows, System, Term, TwoLayer
from numerics.networks.two_layer import TwoLayerResidual
from numerics.predictions import bounds as derivative_bounds
from numerics.predictions.bounds import (
    BOUNDED,
    Averages,
    Rounding,
    curvatures,
    magnitude,
    step_rounding,
    supremum,
)
from theory.base.errors import InputError
from theory.features.activations import activation, z

F64 = torch.float64


@given(st.sampled_from(BOUNDED), st.integers(0, 9), st.floats(-8, 8))
def test_derivatives_are_below_their_bounds(name: str, k: int, at: float) -> None:
    """Against the symbolic derivative; the bound is attained within two parts in a hundred."""
    value = abs(float(activation(name).derivative(k).subs(z, at)))
    assert value <= supremum(name, k) * (1 + 1e-12) <= magnitude(name, k) * (1 + 1e-2)


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("k", range(10))
def test_suprema_are_attained(name: str, k: int) -> None:
    grid = torch.linspace(-9, 9, 40001, dtype=F64)
    top = float(jets.activation(name).derivatives(grid, k)[k].abs().max())
    assert 0.98 * supremum(name, k) <= top <= supremum(name, k)


def model(alpha: tuple[int, ...], points: torch.Tensor, width: int = 1, coefficient: float = 1.0) -> TwoLayerResidual:
    rows = Rows(points, torch.zeros(len(points), dtype=F64), (Term(alpha, coefficient),), 1.5)
    return TwoLayerResidual(TwoLayer(width, len(alpha), jets.activation("tanh")), System((rows,)))


def hessian(alpha: tuple[int, ...], a: float, w: list[float], x: list[float]) -> float:
    """The Frobenius norm of the second derivative of ``a w^α e^{w·x + b}`` in (a, b, w) where the exponential is 1."""

    def value(p: torch.Tensor) -> torch.Tensor:
        monomial = torch.prod(p[2:] ** torch.tensor(alpha))
        at = p[1] + (p[2:] * torch.tensor(x, dtype=F64)).sum()
        return p[0] * monomial * at.exp()

    bias = -sum(u * v for u, v in zip(w, x, strict=True))
    found = torch.autograd.functional.hessian(value, torch.tensor([a, bias, *w], dtype=F64))
    return float(torch.linalg.matrix_norm(found))


@pytest.mark.parametrize("alpha", [(0,), (1,), (2,), (4,), (0, 0), (1, 0), (1, 1), (2, 0), (2, 2), (3, 1)])
@pytest.mark.parametrize("radius", [0.0, 0.25])
def test_curvatures_are_exact_where_all_terms_are_positive(
    alpha: tuple[int, ...], radius: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All derivatives 1, as at the zero of an exponential: then the bound is the Hessian's norm, grown by the radius."""
    monkeypatch.setattr(derivative_bounds, "supremum", lambda name, k: 1.0)
    d = len(alpha)
    a, w, x = 0.7, [1.3, 0.4][:d], [0.6, 0.9][:d]
    network = model(alpha, torch.tensor([x], dtype=F64), coefficient=2.0)
    flat = torch.tensor([[-a, 5.0, *(-v for v in w)]], dtype=F64)  # bounds do not see signs, nor the bias
    expected = 1.5 * 2 * network.network.factor * hessian(alpha, a + radius, [v + radius for v in w], x)
    found = curvatures(network, flat, radius)
    assert found.shape == (1, 1, 1)
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_differences_are_bounded_over_the_hull_of_their_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derivative_bounds, "supremum", lambda name, k: 1.0)
    x = torch.tensor([[0.6]], dtype=F64)
    exact = model((2,), x)
    difference = Difference(torch.tensor([[-0.3], [0.0], [0.3]], dtype=F64), (1.0, -2.0, 1.0), 0.09)
    rows = Rows(x, torch.zeros(1, dtype=F64), (difference,), 1.5)
    network = TwoLayerResidual(exact.network, System((rows,)))
    flat = torch.tensor([[0.7, 0.0, 1.3]], dtype=F64)
    averages = Averages((((Term((2,)), 1.25, 0.3),),))
    expected = 1.5 * 1.25 * exact.network.factor * hessian((2,), 0.7, [1.3], [0.9])
    assert float(curvatures(network, flat, 0.0, averages)) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(InputError, match="differences need"):
        curvatures(network, flat, 0.0)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(BOUNDED), st.sampled_from([(1,), (2,), (3,)]), st.floats(0.01, 0.5))
def test_second_derivatives_are_below_their_bounds(seed: int, name: str, alpha: tuple[int, ...], length: float) -> None:
    """``r(θ + Δ) − 2 r(θ) + r(θ − Δ)`` is at most ``Σ_j h_ij ‖Δ_j‖²``, h over the ball of the step."""
    generator = torch.Generator().manual_seed(seed)
    points = 2 * torch.rand(3, 1, dtype=F64, generator=generator) - 1
    rows = Rows(points, torch.zeros(3, dtype=F64), (Term(alpha, points[:, 0].clone()),))
    network = TwoLayerResidual(TwoLayer(2, 1, jets.activation(name)), System((rows,)))
    flat, step = (torch.randn(1, 6, dtype=F64, generator=generator) for _ in range(2))
    step = length * step / step.norm()
    bend = network.residual(flat + step) - 2 * network.residual(flat) + network.residual(flat - step)
    blocks = step.view(1, 3, 2).square().sum(1)
    allowed = (curvatures(network, flat, length) * blocks[:, None]).sum(2)
    assert (bend.abs() <= allowed * (1 + 1e-9) + 1e-12).all()


def test_rounding_of_a_step_has_all_its_parts() -> None:
    """The residual's error goes through the Jacobian even where the residual is 0; and the parameters are rounded."""
    one, nothing = torch.ones(1, 1, dtype=F64), torch.zeros(1, 1, dtype=F64)
    unit = 2.0**-24
    rounding = Rounding(1000 * one, 60 * one[:, None])  # an error of 1000 u; a Jacobian of 1

    def allowed(residual: Any, at: Any, step: float = 0.5) -> float:
        return float(step_rounding(rounding, residual, at, at, step * one[0], unit))

    assert 500 * unit <= allowed(nothing, nothing) <= 2500 * unit
    assert 500 * unit + 30 * unit <= allowed(one, nothing)
    assert allowed(nothing, one) - allowed(nothing, nothing) >= 2 * unit
    assert allowed(nothing, one, 0.0) >= 2 * unit
    assert allowed(nothing, nothing, 1.0) == pytest.approx(2 * allowed(nothing, nothing))


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(BOUNDED), st.sampled_from([(0,), (1,), (2,)]))
def test_float32_stays_within_its_rounding(seed: int, name: str, alpha: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = (2 * torch.rand(3, 1, dtype=F64, generator=generator) - 1).float().double()
    flat = torch.randn(2, 24, dtype=F64, generator=generator).float().double()
    rows = Rows(points, points[:, 0].clone(), (Term(alpha),))
    network = TwoLayerResidual(TwoLayer(8, 1, jets.activation(name)), System((rows,)))
    single = TwoLayerResidual(network.network, network.system.to(torch.device("cpu"), torch.float32))
    rounding = Rounding.of(network, flat)
    gap = (single.residual(flat.float()).double() - network.residual(flat)).abs()
    assert (gap <= 1.01 * 2.0**-24 * rounding.residual).all()
    assert math.isfinite(float(rounding.jacobian.max()))
