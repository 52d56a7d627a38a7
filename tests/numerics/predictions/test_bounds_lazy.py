"""What is known before a step: the inequalities of the proof one by one, and steps at which the loss falls."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.networks import activations as jets
from numerics.networks import ntk
from numerics.networks.networks import Rows, System, Term, TwoLayer
from numerics.networks.two_layer import TwoLayerResidual
from numerics.predictions.bounds import Lazy, _lipschitz, curvatures, descent_step, lazy

F64 = torch.float64


def network(width: int, target: float, name: str = "tanh", derivative: int = 1) -> TwoLayerResidual:
    points = torch.tensor([[-0.5], [0.7]], dtype=F64)
    rows = Rows(points, torch.full((2,), target, dtype=F64), (Term((derivative,)),))
    return TwoLayerResidual(TwoLayer(width, 1, jets.activation(name)), System((rows,)))


def start(width: int, seed: int = 0) -> torch.Tensor:
    """Opposite pairs: the network is 0, so that the residual is the target."""
    flat = 2 * torch.rand(1, 3, width, dtype=F64, generator=torch.Generator().manual_seed(seed)) - 1
    flat[:, 0] = torch.where(flat[:, 0] < 0, -1.0, 1.0)
    flat[:, :, width // 2 :] = flat[:, :, : width // 2]
    flat[:, 0, width // 2 :] *= -1
    return flat.reshape(1, -1)


@given(st.floats(0.01, 1.9), st.floats(0.01, 3), st.floats(0.001, 2), st.integers(0, 30))
def test_rate_and_deviation_are_the_sums_of_the_proof(x: float, least: float, defect: float, t: int) -> None:
    """``‖e_{t+1}‖ ≤ (1 − ηλ)‖e_t‖ + ηp ‖r_t‖`` with ``‖r_t‖ = (1 − ηλ/2)^t ‖r_0‖``, step by step."""
    x = min(x, 0.95)
    step, size = x / least, 1.7
    numbers: Any = [torch.tensor([v], dtype=F64) for v in (1.0, 1.0, 4.0, least, defect, step, size)]
    known = Lazy(torch.tensor([True]), *numbers)
    error, residual = 0.0, size
    for _ in range(t):
        error, residual = (1 - x) * error + step * defect * residual, (1 - x / 2) * residual
    assert residual <= float(known.rate(t)) <= residual * (1 + 1e-4)
    assert error * (1 - 1e-9) <= float(known.deviation(t)) <= error * (1 + 1e-4) + 1e-12


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.sampled_from([16, 512]), st.sampled_from([1e-4, 1e-2, 0.3]), st.floats(0.3, 2.5))
def test_the_hypotheses_are_those_of_the_theorem(seed: int, width: int, target: float, rate: float) -> None:
    model, flat = network(width, target), start(width, seed)
    J = ntk.jacobian(model, flat)[0].numpy()
    values = torch.linalg.svdvals(torch.from_numpy(J)).tolist()
    top, least = values[0], values[-1] ** 2
    size = float(torch.linalg.vector_norm(model.residual(flat)))
    for step in (rate / values[0] ** 2, 2.001 / (values[0] ** 2 + least), 1.999 / (values[0] ** 2 + least)):
        found = lazy(model, flat, torch.tensor([step], dtype=F64))
        radius, lipschitz = float(found.radius), float(found.lipschitz)
        assert float(found.largest) == pytest.approx(top**2, rel=1e-9)
        assert float(found.least) == pytest.approx(least, rel=1e-6)
        assert lipschitz >= float(_lipschitz(model, flat, found.radius, None)) * (1 - 1e-12)
        delta = lipschitz * radius
        p = 2 * top * delta + delta**2
        assert p <= float(found.defect) <= p * (1 + 1e-4)
        inside = 2 * (top + delta) * size <= least * radius * (1 + 1e-9)
        if bool(found.applies):
            assert p <= least / 2
            assert inside
            assert step <= 2 / (top**2 + least)
        elif inside and step < 1.9995 / (top**2 + least):
            assert p > least / 2 * (1 - 1e-4)


def test_each_hypothesis_decides_somewhere() -> None:
    """As the target grows the ball grows, and p with it: from λ/2 on the theorem says nothing."""
    flat = start(16)
    least = float(torch.linalg.svdvals(ntk.jacobian(network(16, 1.0, derivative=0), flat)[0])[-1] ** 2)
    low, high = 1e-3, 1.0
    for _ in range(24):
        middle = (low * high) ** 0.5
        found = lazy(network(16, middle, derivative=0), flat, torch.tensor([1e-6], dtype=F64))
        low, high = (middle, high) if bool(found.applies) else (low, middle)
    found = lazy(network(16, low, derivative=0), flat, torch.tensor([1e-6], dtype=F64))
    assert bool(found.applies)
    assert 0.49 < float(found.defect) / least <= 0.5
    small, flat = network(512, 1e-4), start(512)
    least = float(torch.linalg.svdvals(ntk.jacobian(small, flat)[0])[-1] ** 2)
    top = float(torch.linalg.svdvals(ntk.jacobian(small, flat)[0])[0] ** 2)
    for factor, expected in ((0.999, True), (1.001, False)):
        step = torch.tensor([factor * 2 / (top + least)], dtype=F64)
        assert bool(lazy(small, flat, step).applies) == expected


def test_the_neuron_that_bends_most_decides() -> None:
    width = 16
    model, flat = network(width, 0.0), 0.01 * torch.ones(1, 3 * width, dtype=F64)
    flat[0, [3, width + 3, 2 * width + 3]] = torch.tensor([5.0, 0.1, 2.0], dtype=F64)
    bound = float(_lipschitz(model, flat, torch.zeros(1, dtype=F64), None))
    norms = curvatures(model, flat, 0.0)[0].norm(dim=0)
    assert bound == pytest.approx(float(norms.max()), rel=1e-5)
    assert bound >= float(norms.max()) > 5 * float(norms.mean())
    step = torch.zeros_like(flat)
    step[0, [3, width + 3, 2 * width + 3]] = torch.tensor([1e-4, 2e-4, -1e-4], dtype=F64)
    moved = torch.linalg.matrix_norm(ntk.jacobian(model, flat + step) - ntk.jacobian(model, flat), 2)
    assert float(moved) <= float(_lipschitz(model, flat, step.norm()[None], None)) * float(step.norm())


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 30.0]), st.sampled_from([1, 4]), st.sampled_from([0.3, 3.0]))
def test_the_step_is_below_the_bound_of_the_hessian(seed: int, target: float, width: int, scale: float) -> None:
    """``η ((s + Lρ)² + L (‖r‖ + (s + Lρ) ρ)) ≤ 1``, and twice the step is too long or ``1/s²``; the loss falls."""
    model = network(width, target, "sin")
    flat = scale * torch.randn(1, 3 * width, dtype=F64, generator=torch.Generator().manual_seed(seed))
    step, fall = descent_step(model, flat)
    loss, gradient = model(flat)
    s, size, length = (
        float(torch.linalg.svdvals(ntk.jacobian(model, flat)[0])[0]),
        float(torch.linalg.vector_norm(model.residual(flat))),
        float(gradient.norm()),
    )

    def product(eta: float) -> float:
        bend = float(_lipschitz(model, flat, torch.tensor([eta * length], dtype=F64), None))
        slope = s + bend * eta * length
        return eta * (slope**2 + bend * (size + slope * eta * length))

    eta = float(step)
    assert product(eta) <= 1 + 1e-5
    assert product(2 * eta) >= 1 or eta == pytest.approx(s**-2, rel=1e-5)
    assert float(fall) == pytest.approx(eta * length**2 / 2)
    assert float(model(flat - eta * gradient)[0]) <= float(loss - fall * (1 - 1e-6)) + 1e-12 * float(loss)
