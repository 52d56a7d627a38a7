"""Random features trained in torch against the exact law of gradient descent."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.training import rfm
from numerics.training.loop import LBFGS, Adam
from theory.base.errors import InputError
from theory.solvable import least_squares as dynamics

F64 = torch.float64


def features(activation: str, points: int, width: int, seed: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    """u'' of a random feature model on a grid, with a smooth right-hand side."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.linspace(-1, 1, points + 2, dtype=F64)[1:-1, None]
    w = scale * torch.randn(1, width, dtype=F64, generator=generator)
    b = torch.randn(1, width, dtype=F64, generator=generator)
    z = x * w + b
    A = -(w**2) * torch.sin(z) if activation == "sin" else -2 * w**2 * torch.tanh(z) / torch.cosh(z) ** 2
    return A, 10 * torch.sin(torch.pi * x[:, 0])


@pytest.mark.parametrize("activation", ["sin", "tanh"])
@pytest.mark.parametrize(("points", "width"), [(64, 64), (50, 20), (20, 50)])
def test_gradient_descent_obeys_its_law(activation: str, points: int, width: int) -> None:
    """Residual vectors and losses over 1000 steps, to 1e-11 of their size at the start."""
    A, f = features(activation, points, width, 1, 4.0)
    run = rfm.gradient_descent(A, f, None, 1000, keep_residuals=True)
    law = rfm.predict(A, f, rfm.stable_step(A), 1000, keep_residuals=True)
    assert run.iterations == law.iterations
    assert run.iterations[0] == 0
    assert run.iterations[-1] == 1000
    assert run.residuals is not None
    assert law.residuals is not None
    error = torch.linalg.vector_norm(run.residuals - law.residuals, dim=1).max()
    assert float(error) <= 1e-11 * float(f.norm())
    for a, b in zip(run.loss, law.loss, strict=True):
        assert a is not None
        assert b is not None
        assert abs(a - b) <= 1e-11 * 0.5 * float(f @ f)
    assert run.loss[-1] is not None
    assert run.loss[-1] < 0.1 * 0.5 * float(f @ f)  # it has moved, so the comparison means something


rationals = st.fractions(-2, 2, max_denominator=8)


@settings(max_examples=30)
@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.integers(0, 12))
def test_law_and_iteration_against_exact_rationals(data: st.DataObject, n: int, m: int, t: int) -> None:
    A = tuple(tuple(data.draw(rationals) for _ in range(m)) for _ in range(n))
    f = tuple(data.draw(rationals) for _ in range(n))
    step = Fraction(1, 16)
    exact = dynamics.residual_law(dynamics.gram(A), tuple(-v for v in f), step, t)
    dense = torch.tensor([[float(v) for v in row] for row in A], dtype=F64)
    right = torch.tensor([float(v) for v in f], dtype=F64)
    expected = torch.tensor([float(v) for v in exact], dtype=F64)
    # η σ² can reach 4 here, where modes grow: the tolerance grows with them.
    scale = 1 + float(expected.norm()) + float(right.norm())
    law = rfm.predict(dense, right, 1 / 16, t, keep_residuals=True)
    run = rfm.gradient_descent(dense, right, 1 / 16, t, keep_residuals=True)
    for curve in (law, run):
        assert curve.residuals is not None
        assert float((curve.residuals[-1] - expected).norm()) <= 1e-12 * scale


def test_float32_follows_the_law_of_the_stored_matrix() -> None:
    """The float32 run drifts from the law of the *float32* matrix by its rounding, not by its steps."""
    A, f = features("tanh", 40, 40, 3, 2.0)
    A32, f32 = A.float(), f.float()
    run = rfm.gradient_descent(A32, f32, 1e-5, 500, dtype="float32")
    law = rfm.predict(A32, f32, 1e-5, 500)
    assert run.dtype == "float32"
    for a, b in zip(run.loss, law.loss, strict=True):
        assert a is not None
        assert b is not None
        assert a == pytest.approx(b, rel=1e-5)


def test_divergence_is_reported_without_nan() -> None:
    A, f = features("sin", 20, 20, 0, 4.0)
    step = 2.5 * rfm.stable_step(A)
    run = rfm.gradient_descent(A, f, step, 5000, 50)
    assert run.status == "diverged"
    assert run.iterations[-1] == 5000
    assert run.loss[-1] is None
    assert run.loss[0] == pytest.approx(0.5 * float(f @ f), rel=1e-12)
    assert all(value is None or np.isfinite(value) for value in run.loss)
    law = rfm.predict(A, f, step, 5000, 50)
    assert law.status == "diverged"
    # Up to half the overflow threshold the two agree on when it happens.
    assert abs(run.loss.index(None) - law.loss.index(None)) <= 1


def test_step_just_under_the_stability_limit_does_not_diverge() -> None:
    A, f = features("sin", 20, 20, 0, 4.0)
    losses = []
    for factor in (1.99, 2.01):
        run = rfm.gradient_descent(A, f, factor * rfm.stable_step(A), 2000, 500)
        assert run.status == "finished"
        assert run.loss[0] is not None
        assert run.loss[-1] is not None
        losses.append(run.loss[-1] / run.loss[0])
    assert losses[0] < 1 < 1e6 < losses[1]


def test_decay_factors_keep_their_digits() -> None:
    """(1 − x)^t against exact rationals, from x far under the unit round-off to x = 2."""
    rates = [Fraction(1, 2**70), Fraction(1, 2**30), Fraction(1, 3), Fraction(1, 2), Fraction(3, 2), Fraction(2)]
    times = [0, 1, 7, 1000]
    got = rfm.power_factors(torch.tensor([float(x) for x in rates], dtype=F64), torch.tensor(times))
    for i, t in enumerate(times):
        for j, x in enumerate(rates):
            exact = float((1 - Fraction(float(x))) ** t)
            assert float(got[i, j]) == pytest.approx(exact, rel=1e-12, abs=1e-300)
    huge = rfm.power_factors(torch.tensor([2.0**-60], dtype=F64), torch.tensor([2**58]))
    assert float(huge[0, 0]) == pytest.approx(np.exp(-0.25), rel=1e-14)


def test_truncated_svd_residuals_by_two_routes() -> None:
    A, f = features("tanh", 40, 30, 2, 1.0)
    truncation = rfm.truncated_svd(A, f)
    assert truncation.solutions.shape == (30, 31)
    assert truncation.residuals.shape == (31,)
    computed = truncation.computed_residuals(A, f)
    good = truncation.values[:-1] > 1e-6 * truncation.values[0]
    upto = int(good.sum())
    assert upto > 8
    torch.testing.assert_close(truncation.residuals[:upto], computed[:upto], rtol=1e-8, atol=1e-8)
    left = np.linalg.svd(A.numpy())[0]
    for r in range(upto):
        direct = np.linalg.norm(left[:, r:].T @ f.numpy())
        assert float(truncation.residuals[r]) == pytest.approx(direct, rel=1e-6)
    assert bool((truncation.residuals[1:] <= truncation.residuals[:-1]).all())


def test_residual_of_the_equation_is_not_that_of_its_discretisation() -> None:
    """Solutions of a finite-difference system: its own residual falls to rounding, that of the equation does not."""
    generator = torch.Generator().manual_seed(0)
    x = torch.linspace(-1, 1, 32, dtype=F64)[:, None]
    w = 4 * torch.randn(1, 32, dtype=F64, generator=generator)
    b = torch.randn(1, 32, dtype=F64, generator=generator)
    h = 0.1
    exact = -(w**2) * torch.sin(x * w + b)
    difference = exact * torch.sinc(w * h / (2 * torch.pi)) ** 2
    truncation = rfm.truncated_svd(difference, torch.cos(3 * x[:, 0]))
    r = 20
    own = truncation.computed_residuals(difference, torch.cos(3 * x[:, 0]))[r]
    equation = truncation.computed_residuals(exact, torch.cos(3 * x[:, 0]))[r]
    assert float(own) < 1e-3 * float(equation)
    # Its size is that of the leading error term, h²/12 u'''' with u'' = f.
    expected = h**2 / 12 * 9 * float(torch.cos(3 * x[:, 0]).norm())
    assert float(equation) == pytest.approx(expected, rel=0.1)


def test_lbfgs_reaches_the_least_squares_residual() -> None:
    A, f = features("tanh", 30, 10, 4, 1.0)
    run = rfm.train(A, f, LBFGS(), 400)
    least = 0.5 * float(rfm.truncated_svd(A, f).residuals[-1]) ** 2
    assert run.optimiser == "lbfgs"
    assert run.loss[-1] is not None
    # The residual itself carries the rounding of the products that cancel in it.
    assert run.parameters is not None
    rounding = 2.0**-50 * float(torch.linalg.matrix_norm(A, 2) * run.parameters.norm()) / (2 * least) ** 0.5
    assert rounding < 1e-8
    assert least * (1 - rounding) <= run.loss[-1] <= least * (1 + 1e-6)


def test_adam_is_that_of_torch() -> None:
    A, f = features("sin", 30, 20, 4, 2.0)
    run = rfm.train(A, f, Adam(1e-2), 300, 100)
    a = torch.zeros(20, dtype=F64, requires_grad=True)
    reference = torch.optim.Adam([a], lr=1e-2)
    losses = []
    for t in range(301):
        loss = 0.5 * ((A @ a - f) ** 2).sum()
        if t % 100 == 0:
            losses.append(float(loss.detach()))
        reference.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if t < 300:
            reference.step()
    np.testing.assert_allclose(np.array(run.loss, dtype=float), losses, rtol=1e-10)
    assert run.parameters is not None
    torch.testing.assert_close(run.parameters, a.detach(), rtol=1e-9, atol=1e-12)


def test_runs_on_the_device(device: str) -> None:
    A, f = features("sin", 20, 20, 0, 2.0)
    run = rfm.gradient_descent(A, f, None, 1000, device=device, keep_residuals=True)
    law = rfm.predict(A, f, rfm.stable_step(A), 1000, keep_residuals=True)
    assert run.device == device
    assert run.residuals is not None
    assert law.residuals is not None
    error = torch.linalg.vector_norm(run.residuals.cpu() - law.residuals, dim=1).max()
    assert float(error) <= 1e-11 * float(f.norm())


def test_bad_input_is_refused() -> None:
    A, f = torch.eye(2, dtype=F64), torch.ones(2, dtype=F64)
    with pytest.raises(InputError, match="step"):
        rfm.gradient_descent(A, f, -1.0, 5)
    with pytest.raises(InputError, match="step"):
        rfm.stable_step(torch.zeros(2, 2))
    with pytest.raises(InputError, match="system"):
        rfm.gradient_descent(A, torch.ones(3, dtype=F64), 0.1, 5)
    with pytest.raises(InputError, match="finite"):
        rfm.gradient_descent(A, torch.tensor([1.0, float("nan")], dtype=F64), 0.1, 5)
    with pytest.raises(InputError, match="iterations"):
        rfm.gradient_descent(A, f, 0.1, -5)
    with pytest.raises(InputError, match="record"):
        rfm.gradient_descent(A, f, 0.1, 5, [6])
    with pytest.raises(InputError, match="dtype"):
        rfm.gradient_descent(A, f, 0.1, 5, dtype="float16")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="CUDA"):
            rfm.gradient_descent(A, f, 0.1, 5, device="cuda")


def test_many_systems_descend_as_each_does() -> None:
    """Of several shapes and in both arithmetics, against the law of one; a value far below the others does not move."""
    generator = torch.Generator().manual_seed(5)
    for kind, shape in ((torch.float64, (3, 6, 4)), (torch.float32, (2, 4, 7))):
        A, f = torch.randn(shape, generator=generator).to(kind), torch.randn(shape[1], generator=generator).to(kind)
        A[0, :, -1] *= 1e-6
        for iterations in (0, 1, 200):
            found = rfm.descended(A, f, iterations)
            for k, one in enumerate(A):
                curve = rfm.predict(one, f, rfm.stable_step(one), iterations, [])
                assert float(found.left[k]) == pytest.approx(curve.loss[-1] / curve.loss[0], rel=1e-9)
                squares = torch.linalg.svdvals(one.double()).square()
                assert torch.allclose(found.eigenvalues[k, : len(squares)], squares, rtol=1e-9, atol=1e-12)
                assert found.eigenvalues[k].min() >= 0
    for A, f in ((torch.zeros(1, 2, 2), torch.ones(2)), (torch.ones(1, 2, 2), torch.zeros(2))):
        with pytest.raises(InputError, match="zero"):
            rfm.descended(A, f, 1)
