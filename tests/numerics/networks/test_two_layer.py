"""Hand-written residuals, gradients and fill-in forms against nested autodiff of the same network as a module."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.networks import activations as jets
from numerics.networks.networks import (
    Difference,
    Rows,
    Scaling,
    System,
    Term,
    TwoLayer,
    derivative_by_autograd,
    derivative_by_jvp,
    initialise,
    residual,
)
from numerics.networks.two_layer import TwoLayerResidual
from theory.base.errors import InputError

F64 = torch.float64
SMOOTH = [name for name in jets.names() if not name.startswith(("relu", "step"))]


def cloud(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return 2 * torch.rand(n, d, dtype=F64, generator=torch.Generator().manual_seed(seed)) - 1


def central(h: float) -> Difference:
    return Difference(torch.tensor([[-h], [0.0], [h]], dtype=F64), (1.0, -2.0, 1.0), h * h)


def systems() -> dict[str, System]:
    """Operators of several orders and dimensions, with variable coefficients, boundary rows and differences."""
    x, y = cloud(17, 1), cloud(15, 2)
    edge = torch.tensor([[-1.0], [1.0]], dtype=F64)
    boundary = Rows(edge, torch.tensor([0.3, -0.2], dtype=F64), (Term((0,)),), root=3.0)
    slope = Rows(edge, torch.zeros(2, dtype=F64), (Term((1,)),), root=0.5)
    f, g = torch.cos(3 * x[:, 0]), torch.sin(y[:, 0] + y[:, 1])
    h = 0.05
    five = torch.tensor([[0, 0], [h, 0], [-h, 0], [0, h], [0, -h]], dtype=F64)
    return {
        "poisson": System((Rows(x, f, (Term((2,)),)), boundary)),
        "biharmonic": System((Rows(x, f, (Term((4,)),)), boundary, slope)),
        "helmholtz": System((Rows(x, f, (Term((2,)), Term((0,), 25.0))), boundary)),
        "advection": System((Rows(x, f, (Term((1,)), Term((2,), -0.1))), boundary)),
        "variable": System((Rows(x, f, (Term((2,), 1 + x[:, 0] ** 2), Term((1,), x[:, 0]), Term((0,), -1.0))),)),
        "poisson 2-D": System((Rows(y, g, (Term((2, 0)), Term((0, 2)))),)),
        "biharmonic 2-D": System((Rows(y, g, (Term((4, 0)), Term((2, 2), 2.0), Term((0, 4)))),)),
        "heat": System((Rows(y, g, (Term((0, 1)), Term((2, 0), -0.3))),)),
        "value": System((boundary,)),
        "difference": System((Rows(x, f, (central(h),)), boundary)),
        "differences": System(
            (Rows(x, f, (central(h), Difference(torch.zeros(1, 1, dtype=F64), (1.0,), 1.0, x[:, 0]))), boundary)
        ),
        "five points": System((Rows(y, g, (Difference(five, (-4.0, 1.0, 1.0, 1.0, 1.0), h * h),)),)),
    }


def by_module(network: TwoLayer, flat: torch.Tensor, system: System) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and gradient of one member through ``torch.nn.Module`` and nested ``autograd.grad``."""
    module = network.module(flat)
    rows = residual(module, system)
    loss = 0.5 * (rows * rows).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    grads = [module.a.grad, module.b.grad, module.w.grad]
    return loss.detach(), torch.cat([g.flatten() for g in grads if g is not None])


@pytest.mark.parametrize("name", systems())
@pytest.mark.parametrize("activation", ["tanh", "sin", "gelu"])
def test_loss_and_gradient_agree_with_autograd(name: str, activation: str) -> None:
    system = systems()[name]
    network = TwoLayer(11, system.dimension, jets.activation(activation))
    flat = initialise(network, [1, 2, 3])
    loss, gradient = TwoLayerResidual(network, system)(flat)
    # Differences magnify the rounding of σ by ‖c‖₁/h² in both computations alike.
    rounding = 1e-12 if "ifference" not in name and "five" not in name else 1e-12 * 4 / 0.05**2
    for k in range(3):
        expected, slope = by_module(network, flat[k], system)
        assert float(abs(loss[k] - expected)) <= rounding * float(expected)
        assert float((gradient[k] - slope).norm()) <= rounding * float(slope.norm())


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
def test_every_activation_and_order(activation: str, order: int) -> None:
    """The in-place forms, with every set of neighbouring orders."""
    x = cloud(13, 1)
    system = System((Rows(x, torch.sin(x[:, 0]), (Term((order,)), Term((0,), 0.5))),))
    network = TwoLayer(7, 1, jets.activation(activation), "standard")
    flat = initialise(network, [4, 5])
    loss, gradient = TwoLayerResidual(network, system)(flat)
    expected, slope = by_module(network, flat[1], system)
    assert float(abs(loss[1] - expected)) <= 1e-12 * float(expected)
    assert float((gradient[1] - slope).norm()) <= 1e-12 * float(slope.norm())


@settings(max_examples=30)
@given(
    st.sampled_from([name for name in SMOOTH if jets.activation(name).fill is not None]),
    st.sets(st.integers(0, 8), min_size=1),
    st.integers(0, 1000),
)
def test_in_place_forms_agree_with_the_towers(name: str, orders: set[int], seed: int) -> None:
    z = 3 * torch.randn(5, 6, dtype=F64, generator=torch.Generator().manual_seed(seed))
    activation = jets.activation(name)
    jet = activation.derivatives(z, max(orders))
    buffers: dict[int, torch.Tensor] = {}
    got = activation.selected(
        activation.gain * z, tuple(sorted(orders)), lambda k: buffers.setdefault(k, torch.empty_like(z)), False
    )
    assert set(got) == orders
    for n in orders:
        tensor, scale = got[n]
        bound = 1e-14 * (n + 1) * (1 + float(jet[n].abs().max()) + math.factorial(n))
        assert float((scale * tensor - jet[n]).abs().max()) <= bound


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "sin", "gaussian", "relu2"])
def test_exact_forms_are_what_a_users_network_computes(name: str) -> None:
    """On the difference path σ must be torch's own, bit for bit."""
    z = 4 * torch.randn(5, 6, dtype=F64, generator=torch.Generator().manual_seed(0))
    buffers: dict[int, torch.Tensor] = {}
    activation = jets.activation(name)
    for orders in ((0,), (0, 1)):
        got = activation.selected(z.clone(), orders, lambda k: buffers.setdefault(k, torch.empty_like(z)), True)
        tensor, scale = got[0]
        assert torch.equal(scale * tensor, activation.value(z))


def test_forward_and_reverse_derivatives_agree() -> None:
    network = TwoLayer(9, 2, jets.activation("tanh"))
    module = network.module(initialise(network, [0])[0])
    points = cloud(6, 2)
    for alpha in [(0, 0), (1, 0), (0, 2), (1, 1), (2, 2), (0, 3)]:
        reverse = derivative_by_autograd(module, points, alpha).detach()
        forward = derivative_by_jvp(module, points, alpha).detach()
        torch.testing.assert_close(forward, reverse, rtol=1e-12, atol=1e-12)


def test_differences_converge_to_derivatives_at_their_order() -> None:
    """The fitted slope of the residuals' difference in h is 2 for the central second difference."""
    x = cloud(20, 1)
    network = TwoLayer(10, 1, jets.activation("tanh"))
    flat = initialise(network, [0, 1])
    f = torch.zeros(20, dtype=F64)
    exact = TwoLayerResidual(network, System((Rows(x, f, (Term((2,)),)),))).residual(flat)
    steps = [0.1, 0.05, 0.025, 0.0125]
    errors = [
        float((TwoLayerResidual(network, System((Rows(x, f, (central(h),)),))).residual(flat) - exact).norm())
        for h in steps
    ]
    slope = (math.log(errors[0]) - math.log(errors[-1])) / (math.log(steps[0]) - math.log(steps[-1]))
    assert slope == pytest.approx(2.0, abs=0.05)


def test_casting_after_the_forward_pass_does_not_cure_the_floor() -> None:
    """At h = 1e-3 in float32 the round-off of u'' is that of the forward pass, cast or not; float64 is 10⁶ better."""
    x = cloud(200, 1)
    h = 2.0**-10
    network = TwoLayer(64, 1, jets.activation("tanh"))
    flat = initialise(network, [0, 1, 2, 3])
    system = System((Rows(x, torch.zeros(200, dtype=F64), (central(h),)),))
    truth = TwoLayerResidual(network, System((Rows(x, torch.zeros(200, dtype=F64), (Term((2,)),)),))).residual(flat)
    errors = {}
    for name, dtype, cast in [
        ("float32", torch.float32, False),
        ("cast", torch.float32, True),
        ("float64", F64, False),
    ]:
        model = TwoLayerResidual(network, system.to(torch.device("cpu"), dtype), cast_after_forward=cast)
        got = model.residual(flat.to(dtype))
        assert got.dtype == (F64 if cast else dtype)
        errors[name] = float((got.double() - truth).norm() / truth.norm())
    assert errors["float32"] > 0.02
    assert errors["cast"] > 0.5 * errors["float32"]
    assert errors["float64"] < 1e-4 * errors["float32"]


def test_cast_gradient_is_that_of_the_cast_loss() -> None:
    x = cloud(30, 1)
    network = TwoLayer(8, 1, jets.activation("tanh"))
    flat = initialise(network, [0, 1])
    system = System((Rows(x, torch.cos(x[:, 0]), (central(0.1),)),))
    model = TwoLayerResidual(network, system, cast_after_forward=True)
    plain = TwoLayerResidual(network, system)
    torch.testing.assert_close(model(flat)[1], plain(flat)[1], rtol=1e-13, atol=1e-13)
    module = network.module(flat[0]).float()
    rows = residual(module, system.to(torch.device("cpu"), torch.float32), cast_after_forward=True)
    assert rows.dtype == F64
    ours = TwoLayerResidual(network, system.to(torch.device("cpu"), torch.float32), cast_after_forward=True)
    torch.testing.assert_close(ours.residual(flat.float())[0], rows.detach(), rtol=0, atol=1e-3)


@settings(max_examples=15)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["ntk", "standard"]))
def test_gradient_by_directional_differences(width: int, seed: int, scaling: Scaling) -> None:
    """A third route: the loss along a line, by a fourth-order difference."""
    system = systems()["variable"]
    network = TwoLayer(width, 1, jets.activation("tanh"), scaling)
    flat = initialise(network, [seed, seed + 1])
    model = TwoLayerResidual(network, system)
    direction = torch.randn(flat.shape, dtype=F64, generator=torch.Generator().manual_seed(seed))
    h = 1e-3

    def loss(t: float) -> torch.Tensor:
        return model(flat + t * direction)[0].clone()

    slope = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
    expected = (model(flat)[1] * direction).sum(1)
    scale = model(flat)[1].norm(dim=1) * direction.norm(dim=1) + loss(0.0)
    assert bool(((slope - expected).abs() <= 1e-6 * scale).all())


@pytest.mark.parametrize("name", ["poisson", "biharmonic 2-D", "differences"])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_a_member_does_not_depend_on_its_batch(name: str, dtype: torch.dtype) -> None:
    """Bit for bit, whatever the batch and the block."""
    system = systems()[name].to(torch.device("cpu"), dtype)
    network = TwoLayer(33, system.dimension, jets.activation("tanh"))
    flat = initialise(network, range(37)).to(dtype)
    whole = TwoLayerResidual(network, system, block=64)(flat)
    for block in (2, 3, 8, 36):
        loss, gradient = TwoLayerResidual(network, system, block=block)(flat)
        assert torch.equal(loss, whole[0])
        assert torch.equal(gradient, whole[1])
    for members in ([5], [5, 6], [0, 5, 9], list(range(19))):
        loss, gradient = TwoLayerResidual(network, system)(flat[members])
        assert torch.equal(loss, whole[0][members])
        assert torch.equal(gradient, whole[1][members])


def test_bad_rows_are_refused() -> None:
    x, f = cloud(4, 1), torch.zeros(4, dtype=F64)
    with pytest.raises(InputError, match="rows"):
        Rows(x, torch.zeros(3, dtype=F64), (Term((2,)),))
    with pytest.raises(InputError, match="at least one"):
        Rows(x, f, ())
    with pytest.raises(InputError, match="dimensions"):
        Rows(x, f, (Term((2, 0)),))
    with pytest.raises(InputError, match="coefficients"):
        Rows(x, f, (Term((2,), torch.zeros(3)),))
    with pytest.raises(InputError, match="weights"):
        Rows(x, f, (Difference(torch.zeros(2, 1), (1.0,), 1.0),))
    with pytest.raises(InputError, match="one kind"):
        Rows(x, f, (Term((2,)), central(0.1)))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one dimension"):
        System((Rows(x, f, (Term((2,)),)), Rows(cloud(3, 2), torch.zeros(3, dtype=F64), (Term((0, 0)),))))
    with pytest.raises(InputError, match="scaling"):
        TwoLayer(3, 1, jets.activation("sin"), "other")  # type: ignore[arg-type]
    network = TwoLayer(3, 1, jets.activation("sin"))
    with pytest.raises(InputError, match="parameters"):
        network.split(torch.zeros(1, 4))
    with pytest.raises(InputError, match="start"):
        initialise(network, [0], "other")  # type: ignore[arg-type]


def test_memory_is_bounded_by_the_block() -> None:
    """A few arrays [block, n, M] for each set of rows, however many networks there are."""
    network = TwoLayer(16, 1, jets.activation("tanh"))
    model = TwoLayerResidual(network, systems()["poisson"], block=8)
    assert model.workspace == 0
    model(initialise(network, range(16)))
    held = model.workspace
    assert 0 < held <= 4 * 8 * (17 + 2) * 16 * 8
    model(initialise(network, range(64)))
    assert model.workspace == held
