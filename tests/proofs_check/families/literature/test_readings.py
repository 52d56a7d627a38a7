"""The literature's claims against other routes: SymPy, numpy, gradient descent run step by step."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.problem.problem import Method
from proofs_check.families.differences.steps import Draw
from proofs_check.families.literature import costs, matched, sparse, trained
from proofs_check.families.literature.conditioning import FEATURES, Layer, condition
from proofs_check.families.literature.decay import COUNT, Case, H
from proofs_check.families.literature.derivatives import _taylor, closed, independent
from proofs_check.families.literature.ranks import ITERATIONS, Scaled, rank_and_residual
from proofs_check.families.literature.rules import Rule, errors, exponent
from theory.operators.roundoff import leading_constant
from theory.stencils import central


def test_derivatives_of_tanh_by_two_routes() -> None:
    x = sp.Symbol("x")
    for n in (1, 4, 7):
        value = sp.diff(sp.tanh(x), x, n).subs(x, sp.Rational(1, 3)).evalf(30)
        assert abs(float(_taylor(n, Fraction(1, 3))) - float(value)) <= 1e-9 * abs(float(value))


def test_dependent_functions_are_not_shown_independent() -> None:
    assert not independent("sin", 3)
    assert not independent("exp", 2)
    assert independent("sin", 2)
    assert closed("cos")
    assert not closed("tanh")


def test_decay_by_numpy() -> None:
    n = np.arange(1, 401)
    p = (19 / 20.0) ** n
    for applied, factor in (
        ("nothing", 1 + 0 * n),
        ("ad", n**4.0),
        ("fd", (2 * np.sin(n * float(H) / 2) / float(H)) ** 4),
    ):
        found = [float(v) for v in Case("circle (p_n = q^n with q = 19/20)", applied).eigenvalues(applied)]
        expected = np.sort(p / p.sum() * factor / 4)[::-1][:COUNT]
        assert np.allclose(np.array(found) / found[0], expected / expected[0], rtol=1e-9)


@pytest.mark.parametrize("activation", ["tanh", "relu3"])
def test_condition_numbers_hold_that_of_lapack(activation: str) -> None:
    layer = Layer(4, 1)
    found = condition(layer, activation, "u_xx")
    assert found is not None
    direct = np.linalg.cond(float_matrix(layer.problem(activation, "u_xx"), "ad", "float64"))
    assert math.isclose(float(found), direct, rel_tol=1e-8)
    assert found.width / found.lower < Fraction(1, 10**9)
    kinks = {
        -b / w[0] for w, b in zip(layer.problem("tanh", "u").weights, layer.problem("tanh", "u").biases, strict=True)
    }
    assert len(kinks) == FEATURES
    assert all(abs(k) < 1 for k in kinks)


def test_the_law_of_gradient_descent_is_what_its_steps_give() -> None:
    draw = Scaled("tanh", 2, "AD")
    A, f = matched.drawn_matrix(draw.at(4), "ad", 2), float_rhs(draw.at(4), "float64")
    s = np.linalg.svd(A, compute_uv=False)
    a = np.zeros(A.shape[1])
    for _ in range(ITERATIONS):
        a += A.T @ (f - A @ a) / s[0] ** 2
    rank, left = rank_and_residual(draw, 4)
    assert math.isclose(left, float(np.linalg.norm(A @ a - f) / np.linalg.norm(f)), rel_tol=1e-8)
    p = s**2 / (s**2).sum()
    assert math.isclose(rank, math.exp(-(p * np.log(p)).sum()), rel_tol=1e-6)


@pytest.mark.parametrize(("m", "p"), [(1, 2), (2, 4), (4, 2)])
def test_the_exponent_is_one_over_p_plus_m(m: int, p: int) -> None:
    assert exponent(Rule(m, p)) == Fraction(1, p + m)


def test_errors_of_a_difference_by_hand() -> None:
    draw = Draw("sin", 3)
    x, w, b = draw.values()
    h = 1e-3
    exact = -w * w * np.sin(w * x + b)
    found = (np.sin(w * (x + h) + b) - 2 * np.sin(w * x + b) + np.sin(w * (x - h) + b)) / h**2
    expected = math.sqrt(((found - exact) ** 2).mean() / (exact**2).mean())
    assert math.isclose(errors(draw, 2, "float64", (h,))[0], expected, rel_tol=1e-3)


@pytest.mark.parametrize("layers", [1, 2])
def test_all_modes_agree_in_value_and_counts_by_hand(layers: int) -> None:
    for order in range(1, 5):
        reverse, series, fd = (mode(order, layers)[0] for mode in costs.MODES.values())
        assert math.isclose(reverse, series, rel_tol=1e-9)
        leading = float(leading_constant(central(order))) * 0.02**2 * costs.taylor(order + 2, layers)[0]
        assert math.isclose(fd - reverse, leading, rel_tol=0.1)
    for dimension in (1, 3):
        reverse, forward, fd = (mode(dimension, layers)[0] for mode in costs.LAPLACIANS.values())
        assert math.isclose(reverse, forward, rel_tol=1e-9)
        assert math.isclose(reverse, fd, rel_tol=1e-2, abs_tol=1e-2)
    tape = costs.Tape()
    costs.network(tape, [tape.constant(0.3)], layers)
    # each neuron: a product and a sum an input, and the activation; the last layer has no bias
    w = costs.WIDTH
    assert tape.operations == (2 * w + w) + (layers - 1) * (2 * w * w + w) + (2 * w - 1)


def test_the_gradient_of_a_step_by_torch() -> None:
    """All modes have torch's gradient in each parameter; differences theirs, of the difference; the grid's values are shared."""
    import torch

    n, w = costs.GRID, costs.WIDTH
    x, h = torch.linspace(-1, 1, n + 2, dtype=torch.float64), 2 / (n + 1)
    layer = [
        [costs._parameter(0, j, 0) for j in range(w)],
        [costs._parameter(0, j) for j in range(w)],
        [costs._parameter(1, j) for j in range(w)],
    ]
    weights, biases, outer = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in layer)

    def u(at: torch.Tensor) -> torch.Tensor:
        return torch.tanh(at[:, None] * weights + biases) @ outer

    t = torch.tanh(x[1:-1, None] * weights + biases)
    second = {
        "Taylor": (-2 * t * (1 - t * t) * weights**2) @ outer,
        "differences": (u(x[2:]) - 2 * u(x[1:-1]) + u(x[:-2])) / h**2,
    }
    for mode in ("Taylor", "nested reverse", "differences"):
        loss = (second.get(mode, second["Taylor"]) ** 2).sum()
        by_torch = torch.autograd.grad(loss, (weights, biases, outer), retain_graph=True)
        values = [v for one in layer for v in one]
        expected = [
            float(g) for _, g in sorted(zip(values, torch.cat(by_torch), strict=True), key=lambda pair: pair[0])
        ]
        found, _ = costs.training_step(mode, 2, 1)
        assert len(found) == 3 * w
        assert np.allclose(found, expected, rtol=1e-9)
    forward = 2 * w + w + 2 * w - 1
    backward = n * (5 + 2 * (n + 2))  # an upper bound on what is neither the network nor its gradient
    operations = costs.training_step("differences", 2, 1)[1]
    assert (n + 2) * forward < operations < (n + 2) * (forward + 8 * w) + backward + 3 * w


def test_the_coupled_scheme_is_of_order_four() -> None:
    """On a smooth function: 2 δ² u − (u'(x+h) − u'(x−h))/2h = u'' + O(h⁴)."""
    errors = []
    for h in (0.1, 0.05):
        second = (math.sin(1 + h) - 2 * math.sin(1) + math.sin(1 - h)) / h**2
        errors.append(abs(2 * second - (math.cos(1 + h) - math.cos(1 - h)) / (2 * h) + math.sin(1)))
    assert 3.8 < math.log2(errors[0] / errors[1]) < 4.2


@pytest.mark.parametrize("scheme", ["AD", "differences", "coupled"])
def test_a_least_norm_solution_by_hand(scheme: str) -> None:
    draw = sparse.Sparse("tanh", 3, 4)
    w, b = (np.array(v, dtype=float) for v in (_features(draw)))
    x = np.linspace(-1, 1, 6)
    t = np.tanh(np.outer(x, w) + b)
    h, slopes = 0.4, (1 - t * t) * w
    second = (t[2:] - 2 * t[1:-1] + t[:-2]) / h**2
    inner = {"AD": (-2 * t * (1 - t * t) * w**2)[1:-1], "differences": second,
             "coupled": 2 * second - (slopes[2:] - slopes[:-2]) / (2 * h)}[scheme]  # fmt: skip
    A = np.vstack([inner, t[[0, -1]]])
    f = np.concatenate([-(np.pi**2) * np.sin(np.pi * x[1:-1]), [0, 0]])
    a = np.linalg.pinv(A, rcond=sparse.CUTOFF) @ f
    fine = np.linspace(-1, 1, sparse.FINE)
    gap = np.tanh(np.outer(fine, w) + b) @ a - np.sin(np.pi * fine)
    expected = math.sqrt((gap**2).mean() / (np.sin(np.pi * fine) ** 2).mean())
    assert math.isclose(sparse.error(draw, scheme), expected, rel_tol=1e-6)


def _features(draw: sparse.Sparse) -> tuple[list[float], list[float]]:
    from numerics.problem.drawn import features
    from theory.features.laws import Normal

    posed = (
        Layer(1, 0)
        .problem(draw.activation, "u")
        .with_(
            weights=Normal(Fraction(0), Fraction(3)),
            biases=Normal(Fraction(0), Fraction(1)),
            count=(draw.seed + 1) * sparse.FEATURES,
            seed=0,
        )
    )
    drawn = features(posed)
    own = slice(draw.seed * sparse.FEATURES, None)
    return [float(w[0]) for w in drawn.weights[own]], [float(b) for b in drawn.biases[own]]


def test_where_a_run_stops() -> None:
    run = trained.Run((1.0, 0.5, 0.5 - 1e-10, 0.1), 0.0)
    assert run.stop(1e-9) == 2
    assert run.stop(1e-12) == 3
    assert trained.Run((1.0, 1.0), 0.0).stop(1e-9) == 1


def test_the_interval_of_a_median_covers_it() -> None:
    """Of 1000 samples of 32 at least 95 in 100 cover it; with 96.5 in 100 the count is normal with deviation 5.8."""
    draws = np.random.default_rng(0).standard_normal((1000, 32))
    ends = [matched.median_interval(list(row)) for row in draws]
    assert 940 <= sum(low <= 0 <= high for low, high in ends) <= 990
    assert matched.median_interval([3.0, 1.0, 2.0]) == (1.0, 3.0)


def test_draws_of_one_block_are_those_of_one_long_draw() -> None:
    posed = Scaled("sin", 0, "FD").at(4)
    long = float_matrix(posed.with_(seed=0, count=3 * posed.count), "fd", "float64")
    assert np.array_equal(matched.drawn_matrix(posed, "fd", 2), long[:, 2 * posed.count :])
    assert not np.array_equal(
        matched.drawn_matrix(posed, "fd", 2), matched.drawn_matrix(posed, "fd", 2 + matched.BLOCK)
    )


@pytest.mark.parametrize(("activation", "method"), [("relu", "fd"), ("tanh", "ad")])
def test_a_start_trained_alone_ends_where_it_ends_in_its_sample(activation: str, method: Method) -> None:
    """Torch's autograd on a network written out, from the same start: the loss at the start and its gradient's first step."""
    import torch

    from numerics.training.from_problem import start

    setting = trained.Setting(activation, 8, 1, "L-BFGS 1")
    posed = setting.problem
    a, b, w = start(posed, [5])[0].reshape(3, trained.WIDTH)
    x, h = torch.linspace(-1, 1, 10, dtype=torch.float64), 2 / 9
    sigma = {"relu": torch.relu, "tanh": torch.tanh}[activation]

    def u(at: torch.Tensor) -> torch.Tensor:
        return sigma(at[:, None] * w + b) @ a / trained.WIDTH**0.5

    inner = x[1:-1]
    if method == "fd":
        second = (u(inner + h) - 2 * u(inner) + u(inner - h)) / h**2
    else:
        t = torch.tanh(inner[:, None] * w + b)
        second = (-2 * t * (1 - t * t) * w**2) @ a / trained.WIDTH**0.5
    r = second + math.pi**2 * torch.sin(math.pi * inner)
    loss = 0.5 * float((r**2).sum() + 100 * (u(x[[0, -1]]) ** 2).sum())
    (one, *_) = [run.losses for run in trained.runs(posed, method, "L-BFGS", 1)][5:6]
    assert math.isclose(one[0], loss, rel_tol=1e-9)
    assert one[1] < one[0]


def test_relu_networks_of_ad_see_the_ends_alone() -> None:
    """Where AD sees no second derivative, its loss is that of f and the end rows: training cannot lower the former."""
    setting = trained.Setting("relu", 8, 1, "L-BFGS 30")
    x = np.linspace(-1, 1, 10)[1:-1]
    floor = 0.5 * float((math.pi**4 * np.sin(math.pi * x) ** 2).sum())
    losses = [run.losses for run in trained.runs(setting.problem, "ad", "L-BFGS", 30)]
    assert all(math.isclose(one[-1], floor, rel_tol=1e-6) for one in losses)


@pytest.mark.parametrize(
    ("ad", "fd", "spread", "finding", "ahead"),
    [
        (0.01, 0.011, 0.1, "holds", "neither"), (0.01, 0.1, 0.1, "reversed", "AD"), (0.1, 0.01, 0.1, "reversed", "FD"),
        (0.01, 0.018, 1.0, "open", "neither"), (0.8, 0.8, 0.1, "open", "neither"),
    ],
)  # fmt: skip
def test_on_a_par_is_decided_by_the_interval(
    monkeypatch: pytest.MonkeyPatch, ad: float, fd: float, spread: float, finding: str, ahead: str
) -> None:
    noise = np.exp(spread * np.random.default_rng(1).standard_normal(trained.MEMBERS))
    monkeypatch.setattr(trained.Setting, "errors", lambda self, m: tuple(ad + 0 * noise if m == "ad" else fd * noise))
    found = trained.on_a_par.test(trained.Setting("tanh", 8, 1, "L-BFGS 30"), {})
    assert (found.data["finding"], found.data["ahead"]) == (finding, ahead)
    assert found.holds is {"holds": True, "reversed": False, "open": None}[finding]


@pytest.mark.parametrize(
    ("ad", "fd", "holds"), [(0.5, 0.05, True), (0.09, 0.05, False), (0.5, 0.2, False), (0.1, 0.05, True)]
)
def test_fd_trains_where_ad_fails(monkeypatch: pytest.MonkeyPatch, ad: float, fd: float, holds: bool) -> None:
    monkeypatch.setattr(trained.Setting, "errors", lambda self, m: (ad if m == "ad" else fd,))
    start = trained.Start(trained.Setting("tanh", 8, 1, "L-BFGS 30"), 0)
    assert trained.trains_where_ad_fails.test(start, {}).holds is holds
