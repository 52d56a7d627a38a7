"""Tangent kernels in closed form against autograd, and the frozen-kernel law against training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.networks import activations as jets
from numerics.networks import ntk
from numerics.networks.networks import Difference, Rows, System, Term, TwoLayer, initialise
from numerics.networks.perceptrons import ModuleResidual, PerceptronResidual, flatten
from numerics.networks.two_layer import TwoLayerResidual
from numerics.training.loop import GradientDescent, minimise
from numerics.training.statistics import loglog_slope
from theory.base.errors import InputError

F64 = torch.float64


def central(h: float) -> Difference:
    return Difference(torch.tensor([[-h], [0.0], [h]], dtype=F64), (1.0, -2.0, 1.0), h * h)


def poisson(h: float | None = None, points: int = 8, amplitude: float = 1.0) -> System:
    x = torch.linspace(-1, 1, points + 2, dtype=F64)[:, None]
    f = amplitude * torch.sin(torch.pi * x[1:-1, 0])
    rows = Rows(x[1:-1], f, (Term((2,)),)) if h is None else Rows(x[1:-1], f, (central(h),))
    return System((rows, Rows(x[[0, -1]], torch.zeros(2, dtype=F64), (Term((0,)),), 1.5)))


def plane() -> System:
    y = 2 * torch.rand(6, 2, dtype=F64, generator=torch.Generator().manual_seed(1)) - 1
    parts = (Term((2, 0), 1 + y[:, 0] ** 2), Term((1, 1), 0.5), Term((0, 0), -2.0))
    return System((Rows(y, torch.zeros(6, dtype=F64), parts),))


@pytest.mark.parametrize("activation", ["tanh", "sin", "gelu"])
@pytest.mark.parametrize("system", [poisson(), poisson(0.1), plane()], ids=["ad", "fd", "plane"])
def test_closed_jacobians_agree_with_autograd(activation: str, system: System) -> None:
    network = TwoLayer(7, system.dimension, jets.activation(activation))
    flat = initialise(network, [0, 1])
    J = ntk.jacobian(TwoLayerResidual(network, system), flat)
    generic = ModuleResidual(network.module(flat[0]), system, "reverse")
    torch.testing.assert_close(J, ntk.jacobian(generic, flat), rtol=1e-10, atol=1e-10)
    # The gradient of the loss is Jᵀ r.
    model = TwoLayerResidual(network, system)
    gradient = (J * model.residual(flat)[:, :, None]).sum(1)
    torch.testing.assert_close(gradient, model(flat)[1], rtol=1e-10, atol=1e-10)


@settings(max_examples=25)
@given(st.integers(0, 200), st.integers(1, 5), st.integers(0, 30), st.floats(0.01, 1.9))
def test_frozen_law_is_the_power_of_the_matrix(seed: int, n: int, t: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    B = torch.randn(n, n + 1, dtype=F64, generator=generator)
    r = torch.randn(n, dtype=F64, generator=generator)
    G = B @ B.T
    step = scale / float(torch.linalg.eigvalsh(G)[-1])
    law = ntk.frozen_law(G, r, step, t, 1)
    direct = torch.linalg.matrix_power(torch.eye(n, dtype=F64) - step * G, t) @ r
    torch.testing.assert_close(law.residuals[-1], direct, rtol=1e-10, atol=1e-12)
    assert float(law.loss[-1]) == pytest.approx(0.5 * float(direct @ direct), rel=1e-9, abs=1e-14)
    assert law.iterations == tuple(range(t + 1))


@pytest.mark.parametrize("h", [None, 0.2])
def test_limit_kernel_is_the_mean_of_random_kernels(h: float | None) -> None:
    """Quadrature against a sample of 64 wide networks, within its own standard error; and nodes do not matter."""
    network = TwoLayer(1024, 1, jets.activation("tanh"))
    model = TwoLayerResidual(network, poisson(h, 5))
    limit = ntk.limit_kernel(model)
    torch.testing.assert_close(limit, ntk.limit_kernel(model, nodes=70), rtol=1e-9, atol=1e-10)
    kernels = ntk.kernel(model, initialise(network, range(64), "bounded"))
    error = kernels.std(0) / 8
    assert float(((kernels.mean(0) - limit).abs() / error).max()) < 5
    assert float((error / limit.abs().max()).max()) < 0.02  # a test with any power


def test_limit_kernel_in_two_dimensions_is_symmetric_under_exchange() -> None:
    y = torch.tensor([[0.3, -0.6], [-0.6, 0.3], [0.5, 0.5]], dtype=F64)
    system = System((Rows(y, torch.zeros(3, dtype=F64), (Term((2, 0)), Term((0, 2)))),))
    model = TwoLayerResidual(TwoLayer(4, 2, jets.activation("tanh")), system)
    limit = ntk.limit_kernel(model, nodes=20)
    assert float(limit[0, 0]) == pytest.approx(float(limit[1, 1]), rel=1e-12)
    assert float(limit[0, 2]) == pytest.approx(float(limit[1, 2]), rel=1e-12)
    deep = TwoLayerResidual(
        TwoLayer(4, 3, jets.activation("tanh")),
        System((Rows(torch.zeros(1, 3, dtype=F64), torch.zeros(1, dtype=F64), (Term((2, 0, 0)),)),)),
    )
    with pytest.raises(InputError, match="dimensions"):
        ntk.limit_kernel(deep)


def test_kernels_predict_the_difference_of_speed() -> None:
    """``log(loss_FD/loss_AD)`` after 200 common steps, measured and predicted, seed by seed; better with the width."""
    errors = {}
    for width in (64, 512):
        network = TwoLayer(width, 1, jets.activation("tanh"))
        flat = initialise(network, range(8), "bounded")
        models = [TwoLayerResidual(network, poisson(h, amplitude=0.1)) for h in (None, 0.5)]
        kernels = [ntk.kernel(model, flat) for model in models]
        step = min(float(ntk.stable_steps(G).min()) for G in kernels)
        measured, predicted = [], []
        for model, G in zip(models, kernels, strict=True):
            run = minimise(model, flat, GradientDescent(step), 200, 100)
            first = model.residual(flat)
            laws = [ntk.frozen_law(G[k], first[k], step, 200, 100).loss for k in range(8)]
            measured.append(torch.log(run.loss[-1]))
            predicted.append(torch.stack([torch.log(law[-1]) for law in laws]))
        gap, law = measured[1] - measured[0], predicted[1] - predicted[0]
        assert float(gap.std()) > 0.5  # the seeds differ by much more than the law's error
        errors[width] = float((gap - law).abs().median())
    assert errors[512] < 0.1
    assert errors[512] < 0.3 * errors[64]


def test_spectra_along_training() -> None:
    network = TwoLayer(12, 1, jets.activation("tanh"))
    model = TwoLayerResidual(network, poisson())
    flat = initialise(network, [0, 1])
    run = minimise(model, flat, GradientDescent(1e-3), 20, 10, snapshots=(0, 20))
    values = ntk.spectra(model, [run.snapshots[0], run.snapshots[20]])
    assert values.shape == (2, 2, 10)
    expected = np.linalg.svd(ntk.jacobian(model, flat)[1].numpy(), compute_uv=False)
    np.testing.assert_allclose(values[0, 1].numpy(), expected, rtol=1e-9, atol=1e-12)
    assert not torch.equal(values[0], values[1])


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("system", [poisson(), poisson(0.1), plane()], ids=["ad", "fd", "plane"])
def test_perceptrons_agree_with_their_module(activation: str, depth: int, system: System) -> None:
    """Taylor mode against nested reverse mode: residuals, gradients, Jacobians."""
    model = PerceptronResidual(depth, 6, system.dimension, jets.activation(activation), system)
    flat = torch.stack([flatten(model.module(seed)) for seed in range(2)])
    generic = ModuleResidual(model.module(), system, "reverse")
    loss, gradient = model(flat)
    expected, slope = generic(flat)
    torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(gradient, slope, rtol=1e-9, atol=1e-9)
    J = ntk.jacobian(model, flat)
    torch.testing.assert_close(torch.einsum("brp,br->bp", J, model.residual(flat)), gradient, rtol=1e-9, atol=1e-9)


def test_perceptrons_of_fourth_order_in_two_dimensions() -> None:
    y = 2 * torch.rand(4, 2, dtype=F64, generator=torch.Generator().manual_seed(2)) - 1
    parts = (Term((4, 0)), Term((2, 2), 2.0), Term((0, 4)))
    system = System((Rows(y, torch.zeros(4, dtype=F64), parts),))
    model = PerceptronResidual(3, 5, 2, jets.activation("tanh"), system, "standard")
    flat = flatten(model.module(1))[None]
    expected = ModuleResidual(model.module(), system, "reverse").residual(flat)
    # "standard" starts with zero biases; move them.
    torch.testing.assert_close(model.residual(flat), expected, rtol=1e-10, atol=1e-12)
    moved = flat + 0.3 * torch.randn(flat.shape, dtype=F64, generator=torch.Generator().manual_seed(3))
    expected = ModuleResidual(model.module(), system, "reverse").residual(moved)
    torch.testing.assert_close(model.residual(moved), expected, rtol=1e-10, atol=1e-12)
    with pytest.raises(InputError, match="parameters"):
        model.residual(flat[:, 1:])
    with pytest.raises(InputError, match="dimension"):
        PerceptronResidual(3, 5, 1, jets.activation("tanh"), system)


def test_a_law_needs_a_step() -> None:
    with pytest.raises(InputError, match="step"):
        ntk.frozen_law(torch.eye(2, dtype=F64), torch.ones(2, dtype=F64), 0.0, 5)


@pytest.mark.parametrize(
    ("h", "widths", "seeds", "reach"),
    [
        (None, (32, 256), 16, 0.5),
        *(pytest.param(h, (256, 512, 1024, 2048), 48, 0.1, marks=pytest.mark.slow) for h in (None, 0.1)),
    ],
)
def test_the_kernel_drifts_as_one_over_the_width(
    h: float | None, widths: tuple[int, ...], seeds: int, reach: float
) -> None:
    """Bounded laws, small target: ``‖dG/dt‖/‖G‖`` at the start, by a tiny step of gradient descent."""
    time, table = 1e-7, []
    for width in widths:
        network = TwoLayer(width, 1, jets.activation("tanh"))
        model = TwoLayerResidual(network, poisson(h, 5 if seeds == 16 else 10, 0.1))
        flat = initialise(network, range(seeds), "bounded")
        before, after = ntk.kernel(model, flat), ntk.kernel(model, flat - time * model(flat)[1])
        table.append((torch.linalg.matrix_norm(after - before) / torch.linalg.matrix_norm(before) / time).numpy())
    slope = loglog_slope(widths, np.array(table))
    assert slope.estimate == pytest.approx(-1.0, abs=reach)
    assert slope.upper - slope.lower < 4 * reach
