"""Optimisers against torch's own, their equivariances, and independence of the members of a batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from numerics.training.loop import LBFGS, Adam, GradientDescent, Objective, Optimiser, optimiser
from theory.base.errors import InputError

F64 = torch.float64


def rosenbrock(x: Tensor) -> tuple[Tensor, Tensor]:
    """A curved valley in 4 variables, for a batch; minimum 0 at (1, 1, 1, 1)."""
    point = x.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        loss = (100 * (point[:, 1:] - point[:, :-1] ** 2) ** 2 + (1 - point[:, :-1]) ** 2).sum(1)
        (gradient,) = torch.autograd.grad(loss.sum(), point)
    return loss.detach(), gradient


def quadratic(A: Tensor, f: Tensor) -> Objective:
    def objective(x: Tensor) -> tuple[Tensor, Tensor]:
        r = x @ A.T - f
        return 0.5 * (r * r).sum(1), r @ A

    return objective


def run(objective: Objective, start: Tensor, method: Optimiser, iterations: int) -> tuple[Tensor, Tensor]:
    x = start.clone()
    state = method.start(x)
    loss, gradient = objective(x)
    for _ in range(iterations):
        loss, gradient = method.advance(objective, x, loss, gradient, state)
    return x, loss


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


METHODS: dict[str, Optimiser] = {"gd": GradientDescent(0.01), "adam": Adam(0.05), "lbfgs": LBFGS()}


@settings(max_examples=20)
@given(st.integers(0, 100), st.sampled_from(["gd", "lbfgs"]))
def test_descent_and_lbfgs_commute_with_rotations(seed: int, name: str) -> None:
    """``L(Q y)`` from ``Qᵀ x₀`` follows ``Qᵀ`` of the path of ``L`` from ``x₀``."""
    A, f, start = random(6, 4, seed=seed), random(6, seed=seed + 1), random(1, 4, seed=seed + 2)
    Q, _ = torch.linalg.qr(random(4, 4, seed=seed + 3))
    # Few steps: L-BFGS reaches the minimum soon, and there rounding decides.
    plain, _ = run(quadratic(A, f), start, METHODS[name], 4)
    turned, _ = run(quadratic(A @ Q, f), start @ Q, METHODS[name], 4)
    assert float((turned @ Q.T - plain).norm()) <= 1e-7 * float(1 + plain.norm())


@settings(max_examples=20)
@given(st.integers(0, 100))
def test_adam_commutes_with_signed_permutations_only(seed: int) -> None:
    A, f, start = random(6, 4, seed=seed), random(6, seed=seed + 1), random(1, 4, seed=seed + 2)
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=F64)
    P = torch.diag(signs)[torch.tensor([2, 0, 3, 1])]
    plain, _ = run(quadratic(A, f), start, METHODS["adam"], 10)
    permuted, _ = run(quadratic(A @ P, f), start @ P, METHODS["adam"], 10)
    assert float((permuted @ P.T - plain).norm()) <= 1e-10
    Q, _ = torch.linalg.qr(random(4, 4, seed=seed + 3))
    turned, _ = run(quadratic(A @ Q, f), start @ Q, METHODS["adam"], 10)
    assert float((turned @ Q.T - plain).norm()) > 1e-4


def test_adam_is_that_of_torch_on_a_curved_loss() -> None:
    start = random(3, 4, seed=0)
    ours, loss = run(rosenbrock, start, Adam(0.02), 200)
    theirs = start.clone().requires_grad_(True)
    reference = torch.optim.Adam([theirs], lr=0.02)
    for _ in range(200):
        theirs.grad = rosenbrock(theirs)[1]
        reference.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(loss, rosenbrock(theirs)[0], rtol=1e-8, atol=1e-10)


def test_lbfgs_solves_a_curved_valley_in_every_member() -> None:
    start = 2 * random(8, 4, seed=3)
    x, loss = run(rosenbrock, start, LBFGS(), 150)
    # The other stationary point of this function in 4 variables is a minimum too, near (−0.776, …), value 3.70.
    other = (loss - 3.70142).abs() < 1e-4
    assert bool(((loss < 1e-12) | other).all())
    assert int((loss < 1e-12).sum()) >= 4
    assert float((x[loss < 1e-12] - 1).abs().max()) < 1e-5


def test_lbfgs_on_a_quadratic_in_few_iterations() -> None:
    """With full history it needs about as many iterations as there are variables (conjugate gradients)."""
    A = torch.linalg.qr(random(12, 12, seed=1))[0] * torch.linspace(1, 30, 12, dtype=F64)
    f = random(12, seed=2)
    _, loss = run(quadratic(A, f), torch.zeros(1, 12, dtype=F64), LBFGS(history=50), 40)
    _, slow = run(quadratic(A, f), torch.zeros(1, 12, dtype=F64), GradientDescent(1 / 900), 40)
    assert float(loss[0]) < 1e-16
    assert float(slow[0]) > 1e-3


@pytest.mark.parametrize("name", METHODS)
def test_members_do_not_disturb_each_other(name: str) -> None:
    """Bit for bit the same in any company, one member starting at the minimum and one that overflows among them."""
    start = torch.cat([random(6, 4, seed=5), torch.ones(1, 4, dtype=F64), 1e200 * torch.ones(1, 4, dtype=F64)])
    together, losses = run(rosenbrock, start, METHODS[name], 60)
    for some in ([0, 1], [2, 6], [5, 7, 3]):
        apart, loss = run(rosenbrock, start[some], METHODS[name], 60)
        assert torch.equal(apart.nan_to_num(), together[some].nan_to_num())
        assert torch.equal(loss.nan_to_num(), losses[some].nan_to_num())
    if name == "lbfgs":
        assert float(losses[6]) == 0.0
        assert bool((losses[:6] < rosenbrock(start[:6])[0]).all())


def test_lbfgs_never_increases_the_loss() -> None:
    x = 2 * random(8, 4, seed=9)
    method = LBFGS(history=5)
    state = method.start(x)
    loss, gradient = rosenbrock(x)
    for _ in range(80):
        before = loss.clone()
        loss, gradient = method.advance(rosenbrock, x, loss, gradient, state)
        assert bool((loss <= before).all())
        torch.testing.assert_close(loss, rosenbrock(x)[0], rtol=0, atol=0)


def test_steps_may_differ_from_member_to_member() -> None:
    start = random(3, 4, seed=1)
    steps = torch.tensor([1e-3, 1e-4, 5e-4], dtype=F64)
    together, _ = run(rosenbrock, start, GradientDescent(steps), 20)
    for k in range(3):
        alone, _ = run(rosenbrock, start[[k]], GradientDescent(float(steps[k])), 20)
        torch.testing.assert_close(alone[0], together[k], rtol=1e-14, atol=1e-14)


def test_bad_names_and_steps_are_refused() -> None:
    for name, step in [("sgd", 0.1), ("gd", None), ("adam", -1.0), ("gd", float("inf"))]:
        with pytest.raises(InputError):
            optimiser(name, step)
    assert optimiser("lbfgs").name == "lbfgs"
    assert optimiser("adam").name == "adam"
