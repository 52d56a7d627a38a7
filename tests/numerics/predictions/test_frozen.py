"""The law of the frozen kernel and its bound: in exact arithmetic, against the sums it refines, and where it ends."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.networks import activations as jets
from numerics.networks import ntk
from numerics.networks.networks import Difference, Rows, System, Term, TwoLayer, initialise
from numerics.networks.two_layer import TwoLayerResidual
from numerics.predictions.frozen import Law, _Reach, band, follow, joined, order, prediction
from numerics.training import rfm
from numerics.training.loop import GradientDescent, minimise

F64 = torch.float64


def exact(values: Any) -> list[Fraction]:
    return [Fraction(v) for v in values.tolist()]


@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.integers(1, 6),
    st.floats(0.01, 3),
    st.sampled_from([0.0, 1e-15, 1e-6, 1.0]),
    st.sampled_from([0.0, 0.0, 1e-8, 1e-2]),
)
def test_the_bound_holds_in_exact_arithmetic_for_any_sequence(
    seed: int, n: int, length: int, scale: float, noise: float, skew: float
) -> None:
    """Residuals that follow the law but for noise, rounded; the deviation is taken between rationals.

    The eigendecomposition is a guess: with a skewed one the bound is wider, and holds.
    """
    generator = torch.Generator().manual_seed(seed)
    B = torch.randn(n, n + 1, dtype=F64, generator=generator) * torch.logspace(0, -3, n, dtype=F64)[:, None]
    G, r = B @ B.T, torch.randn(n, dtype=F64, generator=generator)
    step = scale / float(torch.linalg.eigvalsh(G)[-1])
    values, vectors = torch.linalg.eigh(G[None])
    shaken = vectors + skew * torch.randn(1, n, n, dtype=F64, generator=generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.linalg, "eigh", lambda matrix: (values * (1 - skew), shaken))
        laws = Law.start(G[None], torch.tensor([step], dtype=F64), r[None])
    (g,) = laws.kernel
    rows, eta, true = [exact(row) for row in g], Fraction(step), exact(r)
    for _ in range(length):
        r = r - step * (G @ r) + noise * torch.randn(n, dtype=F64, generator=generator)
        laws.advance(r[None])
        true = [
            v - eta * sum((a * b for a, b in zip(row, true, strict=True)), Fraction(0))
            for v, row in zip(true, rows, strict=True)
        ]
        gap = sum(((a - b) ** 2 for a, b in zip(exact(r), true, strict=True)), Fraction(0))
        bound = float(laws.bound[0])
        assert gap <= Fraction(bound) ** 2
        # Not wide either: the sum of the noise, mode by mode at most.
        if scale <= 2 and not skew:
            assert bound <= 20 * noise * math.sqrt(n) * length + 1e-12 * (1 + length)
        computed = sum(((a - b) ** 2 for a, b in zip(exact(laws.law[0]), true, strict=True)), Fraction(0))
        assert float(computed) <= (1e-12 * length * max(1.0, abs(1 - scale)) ** length * n * 10) ** 2


def test_wrong_eigenvalues_are_paid_for() -> None:
    """G = 1 with η = 1/5 is taken for 2: an error falls by 4/5 a step, not by 3/5."""
    one = torch.ones(1, 1, dtype=F64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.linalg, "eigh", lambda matrix: (2 * one, one[None]))
        laws = Law.start(one[None], torch.tensor([0.2], dtype=F64), one)
    residual, law = 0.8 * one + 0.1, 0.8
    for _ in range(6):
        laws.advance(residual)
        assert abs(float(residual) - law) <= float(laws.bound)
        assert float(laws.bound) <= 1.1 * abs(float(residual) - law) + 1e-12
        residual, law = 0.8 * residual, 0.8 * law


def system(h: float | None, points: int = 5) -> System:
    x = torch.linspace(-1, 1, points + 2, dtype=F64)[:, None]
    parts: Any = (Term((2,)),)
    if h is not None:
        parts = (Difference(torch.tensor([[-h], [0.0], [h]], dtype=F64), (1.0, -2.0, 1.0), h * h),)
    edge = Rows(x[[0, -1]], torch.zeros(2, dtype=F64), (Term((0,)),), 1.5)
    return System((Rows(x[1:-1], torch.sin(torch.pi * x[1:-1, 0]), parts), edge))


@pytest.mark.parametrize("h", [None, 0.1])
@pytest.mark.parametrize("start", ["normal", "bounded"])
def test_drift_and_curvature_add_up_to_more(h: float | None, start: Any) -> None:
    """``Σ η‖(G_s − G_0) r_s‖ + ‖q_s‖``, by Jacobians along the run, is the weaker bound, and both hold."""
    model = TwoLayerResidual(TwoLayer(32, 1, jets.activation("tanh")), system(h))
    flat = initialise(model.network, range(4), start)
    G0 = ntk.kernel(model, flat)
    steps = 0.5 * ntk.stable_steps(G0)
    found = follow(model, lambda p: ntk.kernel(model, p), flat, steps, 30, 1, share=math.inf)
    total, point = torch.zeros(4, dtype=F64), flat.clone()
    for t in range(30):
        r, G = model.residual(point), ntk.kernel(model, point)
        Gr, G0r = (torch.bmm(K, r[:, :, None])[:, :, 0] for K in (G, G0))
        point = point - steps[:, None] * model(point)[1]
        q = model.residual(point) - r + steps[:, None] * Gr
        total += torch.linalg.vector_norm(steps[:, None] * (Gr - G0r), dim=1) + torch.linalg.vector_norm(q, dim=1)
        assert (found.deviation[t + 1] <= found.bound[t + 1]).all()
        assert (found.bound[t + 1] <= total * (1 + 1e-9)).all()
    assert found.valid_until == (None,) * 4
    assert (found.bound[-1] > 0).all()
    # The bound is that of the drift, not some large number.
    assert (found.bound[-1] <= 10 * found.deviation[-1]).all()


def test_a_law_is_restarted_where_its_bound_is_a_tenth_of_the_residual() -> None:
    model = TwoLayerResidual(TwoLayer(16, 1, jets.activation("tanh")), system(None))
    flat = initialise(model.network, range(3))

    def kernels(point: Any) -> Any:
        return ntk.kernel(model, point)

    steps = ntk.stable_steps(kernels(flat))
    one = follow(model, kernels, flat, steps, 60, 1, share=math.inf, tolerances=(0.3,))
    found = follow(model, kernels, flat, steps, 60, 1, tolerances=(0.3,))
    assert torch.equal(found.loss, one.loss)
    for k in range(3):
        over = one.bound[:, k] > 0.1 * (2 * one.loss[:, k]).sqrt()
        first = int(over.nonzero()[0, 0])
        assert found.valid_until[k] == found.restarts[k][0] == first
        assert torch.equal(found.predicted[: first + 1, k], one.predicted[: first + 1, k])
        assert found.predicted[first + 1, k] != one.predicted[first + 1, k]
        # What the new law says after one step is one step with the kernel there.
        moved = minimise(model, flat, GradientDescent(steps), first).parameters[k : k + 1]
        r = model.residual(moved)
        step = r[0] - steps[k] * (kernels(moved)[0] @ r[0])
        assert float(found.predicted[first + 1, k]) == pytest.approx(float(step.square().sum() / 2), rel=1e-9)
        size = (2 * found.predicted[:, k]).sqrt()
        assert ((size - (2 * found.loss[:, k]).sqrt()).abs() <= found.bound[:, k]).all()
        reached = int((found.loss[:, k] <= 0.3 * found.loss[0, k]).nonzero()[0, 0])
        for law in (found, one):
            early, late = law.reach[0][k]
            assert early is not None
            assert early <= reached
            assert late is None or reached <= late
    none = follow(model, kernels, flat, steps, 60, 1, restarts=2, tolerances=(1e-9,))
    assert all(len(at) == 2 for at in none.restarts)
    assert torch.isnan(none.predicted[-1]).all()
    assert torch.isnan(none.bound[-1]).all()
    report = prediction(none, 0)
    assert report["predicted"][-1] is None
    assert report["bound"][-1] is None
    assert report["predicted_iterations_to"]["latest"] is None
    assert report["predicted_iterations_to"]["earliest"] is not None  # with no law the loss may be anything
    both = joined([found, none])
    assert both.valid_until == found.valid_until + none.valid_until
    assert len(both.reach[0]) == 6


def test_an_overflow_ends_the_law() -> None:
    model = TwoLayerResidual(TwoLayer(8, 1, jets.activation("tanh")), system(None))
    flat = initialise(model.network, [0, 1])
    found = follow(model, lambda p: ntk.kernel(model, p), flat, 1e9, 40, 1)
    assert not torch.isfinite(found.loss[-1]).any()
    assert torch.isnan(found.predicted[-1]).all()
    assert torch.isfinite(found.predicted[0]).all()


@given(
    st.integers(0, 10**6),
    st.integers(1, 6),
    st.integers(1, 8),
    st.sampled_from(["float32", "float64"]),
    st.floats(0.01, 1.99),
)
def test_random_features_are_bounded_by_round_off(
    device: str, seed: int, n: int, m: int, dtype: str, scale: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    A, f = torch.randn(n, m, dtype=F64, generator=generator), torch.randn(n, dtype=F64, generator=generator)
    A = A.to(torch.float32).double() if dtype == "float32" else A
    step = scale * rfm.stable_step(A)
    found = rfm.followed(A, f, step, 50, 1, dtype=dtype, device=device)
    law = rfm.predict(A.to(getattr(torch, dtype)), f.to(getattr(torch, dtype)), step, 50, 1)
    unit = 2.0**-24 if dtype == "float32" else 2.0**-53
    size = float(f.norm())
    assert (found.deviation <= found.bound).all()
    assert float(found.bound.max()) <= 1000 * (n + m) * unit * size
    for ours, theirs in zip(found.predicted[:, 0].tolist(), law.loss, strict=True):
        if found.valid_until[0] is None:
            assert math.sqrt(2 * ours) == pytest.approx(math.sqrt(2 * theirs), abs=1e3 * unit * size)
    run = rfm.gradient_descent(A, f, step, 50, 1, dtype=dtype, device=device)
    for k, loss in enumerate(run.loss):
        ends = band(float(found.predicted[k, 0]), float(found.bound[k, 0]))
        assert loss is not None
        assert ends is not None
        assert ends[0] * (1 - 8 * unit * n) <= loss <= ends[1] * (1 + 8 * unit * n)


def test_an_optimiser_with_another_step_is_seen() -> None:
    """The bound reads the run: a run that is not the one predicted is far from its law, and the bound says so."""

    class Longer(GradientDescent):
        def advance(self, objective: Any, parameters: Any, loss: Any, gradient: Any, state: Any) -> Any:
            return super().advance(objective, parameters, loss, 1.5 * gradient, state)

    model = TwoLayerResidual(TwoLayer(512, 1, jets.activation("tanh")), system(None))
    flat = initialise(model.network, [0], "bounded")

    def bound(optimiser: Any) -> float:
        kernels: Any = lambda p: ntk.kernel(model, p)  # noqa: E731
        found = follow(model, kernels, flat, 1e-3, 5, 1, share=math.inf, optimiser=optimiser)
        assert (found.deviation <= found.bound).all()
        return float(found.bound[-1, 0])

    assert bound(Longer) > 20 * bound(GradientDescent)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(-1, 1))
def test_a_band_holds_every_loss_within_the_bound(predicted: float, bound: float, share: float) -> None:
    ends = band(predicted, bound)
    assert ends is not None
    size = math.sqrt(2 * predicted)
    assert ends[0] - 1e-9 <= (size + share * bound) ** 2 / 2 <= ends[1] + 1e-9 or size + share * bound < 0
    assert ends[0] == 0 if bound >= size else ends[0] > 0 or bound > size * (1 - 1e-6)


def test_when_a_tolerance_may_and_must_be_reached() -> None:
    """A quarter of the loss is half of the size; the size lies within the bound of the law."""
    reach = _Reach((0.25,), torch.tensor([4.0, 4.0], dtype=F64))
    for t, (law, bound) in enumerate([(4.0, 0.0), (3.0, 0.5), (2.5, 0.6), (2.4, 0.6), (1.8, 0.3), (1.8, 0.1)]):
        reach.see(t, *(torch.tensor([v, v], dtype=F64) for v in (law, bound)), torch.tensor([True, t < 1]))
    assert reach.intervals() == (((2, 5), (1, None)),)


@pytest.mark.parametrize(
    ("ad", "fd", "expected"),
    [
        ((3, 5), (6, 9), "AD first"), ((6, 9), (3, 5), "FD first"), ((3, 6), (6, 9), "not separated"),
        ((3, None), (6, None), "not separated"), ((3, 5), (None, None), "AD first"), ((None, None), (None, None), "not separated"),
        ((None, None), (2, 2), "FD first"),
    ],
)  # fmt: skip
def test_the_order_needs_disjoint_intervals(ad: Any, fd: Any, expected: str) -> None:
    assert order(ad, fd) == expected
