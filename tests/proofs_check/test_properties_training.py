"""Trained networks against what predicts them: Hypothesis draws the problems and looks for one that disobeys.

Every ratio is of something measured to its bound, and ``hypothesis.target`` is told of it. A network that
fails is written to ``.hypothesis/witnesses``: ``python -m numerics.predictions.drawn FILE`` trains it again by itself.
The same tests run on a GPU; there the arithmetic and order of summation are others, the bounds are the same.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings, target
from hypothesis import strategies as st

from numerics.entropy.compare import entropy_enclosures
from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.networks import ntk
from numerics.predictions import drawn as drawing
from numerics.predictions.bounds import BOUNDED, Rounding, descent_step
from numerics.predictions.drawn import RATIOS, TrainingProblem, examine, run, steps
from numerics.predictions.entropy_order import along, predict
from numerics.predictions.entropy_order import order as entropy_order
from numerics.predictions.frozen import follow, order
from numerics.predictions.persistence import enclosed
from numerics.problem.problem import METHODS, Method, Problem, Training
from numerics.training import rfm
from numerics.training.loop import minimise, optimiser
from proofs_check import properties
from proofs_check.search.strategies import lazy_problems, training_problems
from theory.entropy.conventions import standard_conventions
from theory.stencils.symbol import symbol

WITNESSES = Path(".hypothesis") / "witnesses"
CONVENTIONS = standard_conventions(4)


def few() -> bool:
    """Whether this is the default suite, which must be cheap."""
    return settings.default is None or settings.default.max_examples == 20


def examples(count: int) -> Any:
    """So many in the default suite, as many as the profile says elsewhere."""
    chosen = count if few() or settings.default is None else settings.default.max_examples
    return settings(max_examples=chosen, suppress_health_check=list(HealthCheck))


def obeys(problem: TrainingProblem, method: Method) -> drawing.Examined:
    """Every ratio at most 1; a witness is written where one is not."""
    found = examine(problem, method)
    for name in RATIOS:
        worst = found.largest(name)
        if name != "law":  # a bound that is one defect is met with equality
            target(math.log(max(worst, 1e-12)), label=f"{method} {name} on {problem.device}")
        if worst > 1:
            file = drawing.save_witness(problem, method, WITNESSES)
            pytest.fail(f"{name}: {worst:.4g} of its bound, {method}, {problem!r}; witness {file}")
    return found


def test_networks_obey_their_bounds(device: str) -> None:
    """Law, single steps, curvature, evaluation and truncation, over all that is drawn."""

    @examples(25)
    @given(training_problems(device=device, members=3, iterations=12) if few() else training_problems(device=device))
    def check(problem: TrainingProblem) -> None:
        for method in METHODS:
            obeys(problem, method)

    check()


def test_wide_bounded_networks_are_predicted_closely(device: str) -> None:
    """The median of bound over deviation is under 10 where the width is 256 or more and laws are bounded."""
    ratios: list[float] = []

    @examples(8)
    @given(training_problems(device=device, widths=st.sampled_from((256, 512, 1024)), bounded=True))
    def check(problem: TrainingProblem) -> None:
        for method in METHODS:
            ratios.extend(v for v in obeys(problem, method).looseness.tolist() if math.isfinite(v))

    check()
    assert len(ratios) >= 20
    assert np.median(ratios) <= 10


@examples(15)
@given(training_problems(dtypes=("float64",), iterations=1, widths=st.integers(1, 64)))
def test_residuals_and_kernels_are_those_of_the_matrices(device: str, problem: TrainingProblem) -> None:
    """``r = c A a − f`` with A and f made by other code, and its columns are the Jacobian in the output weights."""
    assume(problem.amplitudes != "opposite")
    problem = replace(problem, device=device)
    for method in METHODS:
        model, flat = problem.model(method), problem.start.to(device)
        rounding = Rounding.of(model, flat)
        m = problem.problem.count
        for k in range(len(flat)):
            drawn = problem.problem.with_(seed=problem.problem.seed + k)
            A, f = (
                torch.from_numpy(v).to(device)
                for v in (float_matrix(drawn, method, "float64"), float_rhs(drawn, "float64"))
            )
            residual = model.network.factor * (A @ flat[k, :m]) - f
            error = 2.0**-50 * rounding.residual[k]
            assert ((model.residual(flat)[k] - residual).abs() <= error).all()
            J = ntk.jacobian(model, flat)[k, :, :m]
            assert (
                (J - model.network.factor * A).abs() <= 2.0**-50 * rounding.jacobian[k, :, :m] + error[:, None] * 1e-3
            ).all()


@examples(25)
@given(training_problems(iterations=24, widths=st.integers(1, 48)))
def test_random_features_obey_their_law_and_rates(device: str, problem: TrainingProblem) -> None:
    """Within round-off of the law; the slope of every mode is ``|1 − ησ²|``, σ from the singular values of A."""
    drawn, dtype = problem.problem, problem.problem.dtype
    unit = problem.unit
    for method in METHODS:
        A, f = (torch.from_numpy(v) for v in (float_matrix(drawn, method, dtype), float_rhs(drawn, dtype)))
        assume(float(A.abs().max()) > 0)
        step = float(problem.rate) * rfm.stable_step(A)
        t = drawn.training.iterations
        found = rfm.followed(A, f, step, t, 1, dtype=dtype, device=device)
        size = float(f.double().norm())
        assert (found.deviation <= found.bound).all()
        n, m = A.shape
        assert float(found.bound[-1]) <= 40 * t * (n + m) * unit * size * (1 + float(problem.rate) * math.sqrt(n))
        left, values, _ = np.linalg.svd(A.double().numpy(), full_matrices=False)
        end = rfm.gradient_descent(A, f, step, t, t, dtype=dtype, device=device, keep_residuals=True).residuals
        assert end is not None
        first, last = (left.T @ end[k].double().cpu().numpy() for k in (0, -1))
        noise = 60 * t * (n + m) * unit * size * (1 + float(problem.rate) * math.sqrt(n))
        for k, factor in enumerate(np.abs(1 - step * values**2)):
            expected = factor**t * abs(first[k])
            if expected > 4 * noise:
                slope, share = math.log(abs(last[k] / first[k])) / t, noise / expected
                assert math.log1p(-share) / t <= slope - math.log(factor) <= math.log1p(share) / t


@examples(12)
@given(training_problems(bounded=True, widths=st.sampled_from((16, 128))))
def test_modes_of_networks_decay_at_their_rates_within_the_bound(device: str, problem: TrainingProblem) -> None:
    """``|⟨v_k, r_t⟩|`` lies within the bound of ``|1 − ηλ_k|^t |⟨v_k, r_0⟩|``, eigenvectors by numpy."""
    problem = replace(problem, device=device)
    for method in METHODS:
        model = problem.model(method)
        flat = problem.start.to(device, problem.dtype)
        G = ntk.kernel(model, flat).double()
        eta = steps(problem, model, flat)
        t = problem.problem.training.iterations
        found = follow(model, lambda p, m=model: ntk.kernel(m, p), flat, eta, t, 1, share=math.inf)
        moved = minimise(model, flat, optimiser_with(eta.to(flat)), t, t).parameters
        first, last = (model.residual(point).double().cpu() for point in (flat, moved))
        for k in range(len(flat)):
            if not bool(torch.isfinite(found.bound[-1, k])) or not bool(torch.isfinite(last[k]).all()):
                continue
            values, vectors = np.linalg.eigh(G[k].cpu().numpy())
            expected = np.abs(1 - float(eta[k]) * values) ** t * np.abs(vectors.T @ first[k].numpy())
            gap = np.abs(np.abs(vectors.T @ last[k].numpy()) - expected)
            growth = max(1.0, float(np.abs(1 - float(eta[k]) * values).max())) ** t
            tiny = 1e-12 * t * growth * float(first[k].norm()) * (1 + len(values))
            assert gap.max() <= float(found.bound[-1, k]) + tiny


def optimiser_with(step: Any) -> Any:
    from numerics.training.loop import GradientDescent

    return GradientDescent(step)


@examples(15)
@given(training_problems(dtypes=("float64",), iterations=1))
def test_the_loss_falls_below_the_step_of_the_hessian(device: str, problem: TrainingProblem) -> None:
    """For every network; and below ``2/λ_max`` for random features, where the kernel does not move."""
    problem = replace(problem, device=device)
    for method in METHODS:
        model, flat = problem.model(method), problem.start.to(device)
        eta, fall = descent_step(model, flat, None if method == "ad" else problem.averages)
        loss, gradient = model(flat)
        after = model(flat - eta[:, None] * gradient)[0]
        noise = 2.0**-52 * (Rounding.of(model, flat).residual * (2 * loss[:, None]).sqrt()).sum(1) * 4
        assert ((loss - model.residual(flat).square().sum(1) / 2).abs() <= noise).all()
        assert (loss - after >= fall * (1 - 1e-6) - noise).all()
        A, f = (
            torch.from_numpy(v)
            for v in (float_matrix(problem.problem, method, "float64"), float_rhs(problem.problem, "float64"))
        )
        assume(float(A.abs().max()) > 0)
        losses = rfm.gradient_descent(A, f, 1.99 * rfm.stable_step(A), 20, 1, device=device).loss
        assert all(b is not None and a is not None and b <= a * (1 + 1e-13) for a, b in itertools.pairwise(losses))


def test_below_two_over_the_largest_eigenvalue_a_networks_loss_can_grow() -> None:
    """Why the statement above needs the Hessian: the standing example, at half that step."""
    problem = TrainingProblem(Problem(interior=(16,), training=Training("two-layer", "gd", 12, None, 4)), "normal")
    loss = run(problem, "ad").loss
    assert (loss[1:] > loss[:-1]).any()


def test_lazy_networks_stay_within_what_is_known_at_the_start(device: str) -> None:
    """Rate and deviation for every t, wherever the hypotheses hold, as they do in a quarter of these networks at least."""
    held: list[bool] = []

    @examples(10)
    @given(lazy_problems(device=device, members=4))
    def check(problem: TrainingProblem) -> None:
        for method in METHODS:
            held.extend((~torch.isnan(obeys(problem, method).known)).tolist())

    check()
    assert sum(held) >= len(held) / 4


def test_some_networks_are_lazy_and_narrow_ones_are_not() -> None:
    base = Problem(
        operator_text="u_x", solution="x**2/100", interior=(2,), activation_name="tanh", count=1024,
        training=Training("two-layer", "gd", 10, None, 4), **bounded_laws(),
    )  # fmt: skip
    for method in METHODS:
        found = {}
        for width in (4, 1024):
            problem = TrainingProblem(base.with_(count=width), "opposite")
            found[width] = drawing.known_at_the_start(problem, method)
        assert found[1024].applies.all()
        assert not found[4].applies.any()
        ratio = found[4].lipschitz.mean() / found[1024].lipschitz.mean()
        assert 4 <= float(ratio) <= 100  # M^{-1/2}, and smaller balls


def bounded_laws() -> dict[str, Any]:
    from theory.features.laws import law

    return {"weights": law("uniform(-2, 2)"), "biases": law("uniform(-2, 2)")}


@examples(20)
@given(
    training_problems(activations=("sin", "cos"), dtypes=("float64",), boundary=False, iterations=1, widths=st.integers(1, 5),
                      operators=(("u_x", 1), ("u_xx", 1), ("u_xxxx", 1)), steps=(Fraction(1, 4), Fraction(1, 10))),
    st.sampled_from((2, 4)),
)  # fmt: skip
def test_gauss_newton_residuals_agree_for_sine_features(device: str, problem: TrainingProblem, accuracy: int) -> None:
    """``A_FD = A_AD diag(m)`` to round-off, so that the projections on their ranges differ by ``‖E‖/σ_min`` at most."""
    from theory.operators.operator import StencilChoice

    drawn = problem.problem.with_(stencil=StencilChoice("central", accuracy), interior=(12,))
    problem = replace(problem, problem=drawn, amplitudes="normal", device=device)
    flat = problem.start.to(device)
    models = [problem.model(m) for m in METHODS]
    A, B = (ntk.feature_matrix(m, flat[:1])[0].cpu().numpy() / m.network.factor for m in models)
    f = float_rhs(drawn, "float64")
    (term,) = drawn.difference.terms
    s = drawing.along_axis(term)
    assert s is not None
    w = flat[0, 2 * drawn.count :].cpu().numpy()
    factors = np.array([multiplier(s, float(v) * float(drawn.h)) for v in w])
    E = B - A * factors
    rounding = Rounding.of(models[1], flat).jacobian[0, :, : drawn.count].cpu().numpy() / models[1].network.factor
    assert (np.abs(E) <= 2.0**-50 * rounding).all()
    least = np.linalg.svd(A * factors, compute_uv=False)[-1]
    bound = np.linalg.norm(2.0**-50 * rounding) / least if least > 0 else math.inf
    assume(bound < 0.1)
    ends = [f - C @ np.linalg.lstsq(C, f, rcond=None)[0] for C in (A, B)]
    assert np.linalg.norm(ends[0] - ends[1]) <= 2 * bound * np.linalg.norm(f)


def multiplier(s: Any, theta: float) -> float:
    """``m(θ) = Σ c_k e^{i s_k θ}/(iθ)^m``, which is real for these stencils."""
    value = (
        sum(float(c) * np.exp(1j * float(node[0]) * theta) for c, node in zip(s.weights, s.nodes, strict=True))
        / (1j * theta) ** s.degree
    )
    assert symbol(s) is not None
    assert abs(value.imag) < 1e-6 * (1 + abs(value.real)) + 1e-12 / abs(theta) ** s.degree
    return float(value.real)


@examples(12)
@given(
    training_problems(
        iterations=40, optimizers=("gd",), rates=(Fraction(1),), widths=st.sampled_from((16, 256)), members=4
    ),
    st.sampled_from((0.5, 0.1, 0.9)),
)
def test_the_predicted_order_of_ad_and_fd_is_the_measured_one(
    device: str, problem: TrainingProblem, tolerance: float
) -> None:
    problem = replace(problem, device=device)
    reached, limits = {}, {}
    for method in METHODS:
        model = problem.model(method)
        flat = problem.start.to(device, problem.dtype)
        found = follow(model, lambda p, m=model: ntk.kernel(m, p), flat, steps(problem, model, flat),
                       problem.problem.training.iterations, 1, tolerances=(tolerance,))  # fmt: skip
        limits[method] = found.reach[0]
        live = torch.isfinite(found.bound)
        assert (found.deviation <= found.bound)[live].all()  # of restarted laws too
        below = found.loss <= tolerance * found.loss[0]
        reached[method] = [int(column.nonzero()[0, 0]) if bool(column.any()) else None for column in below.T]
    for k in range(len(flat)):
        for method in METHODS:
            early, late = limits[method][k]
            at = reached[method][k]
            assert (early is not None and early <= at) if at is not None else late is None
            assert late is None or (at is not None and at <= late)
        says = order(limits["ad"][k], limits["fd"][k])
        if says != "not separated":
            a, b = (reached[m][k] for m in (("ad", "fd") if says == "AD first" else ("fd", "ad")))
            assert a is not None
            assert b is None or a < b


@examples(20)
@given(training_problems(optimizers=("gd", "adam", "lbfgs"), iterations=8, widths=st.integers(1, 64)))
def test_signs_of_neurons_do_not_matter_to_any_optimiser(device: str, problem: TrainingProblem) -> None:
    """σ odd: ``(a, b, w) → −(a, b, w)``; even: ``(b, w) → −(b, w)``. Exact in floating point, so equal to the last bit."""
    # (tanh by differences is torch's own, which is odd.)
    odd = {"tanh": -1, "sin": -1, "erf": -1, "gaussian": 1, "cos": 1}
    name, training = problem.problem.activation_name, problem.problem.training
    assume(name in odd)
    m, problem = problem.problem.count, replace(problem, device=device)
    for method in METHODS:
        if name == "tanh" and method == "ad":
            continue  # by the exponential, which is odd up to rounding only
        model, flat = problem.model(method), problem.start.to(device, problem.dtype)
        other = -flat
        if odd[name] == 1:
            other[:, :m] = flat[:, :m]
        step = optimiser(training.optimizer, None if training.optimizer != "gd" else 1e-4)
        ends = [minimise(model, start, step, training.iterations, 1).loss for start in (flat, other)]
        assert torch.equal(torch.nan_to_num(ends[0]), torch.nan_to_num(ends[1]))


@pytest.mark.parametrize("optimizer", ["gd", "adam", "lbfgs"])
def test_the_order_of_neurons_does_not_matter_to_any_optimiser(optimizer: str, device: str) -> None:
    """A permutation of the neurons, ``(a, b, w)`` together, permutes the run: losses agree up to summation in another order."""

    @examples(12)
    @given(
        training_problems(bounded=False, steps=(Fraction(1, 4), Fraction(1, 10)), optimizers=(optimizer,), iterations=4, widths=st.integers(2, 32), dtypes=("float64",), device=device),
        st.integers(0, 10**6),
    )  # fmt: skip
    def check(problem: TrainingProblem, seed: int) -> None:
        t, m = problem.problem.training.iterations, problem.problem.count
        mixed = torch.from_numpy(np.random.default_rng(seed).permutation(m))
        for method in METHODS:
            model, flat = problem.model(method), problem.start.to(device)
            other = flat.view(len(flat), -1, m)[:, :, mixed].reshape(flat.shape)
            kernels = [ntk.kernel(model, p) for p in (flat, other)]
            size = torch.linalg.matrix_norm(kernels[0])
            assert (torch.linalg.matrix_norm(kernels[0] - kernels[1]) <= 1e-9 * size + 1e-300).all()
            step = optimiser_with(0.5 / size) if optimizer == "gd" else optimiser(optimizer)
            losses = [minimise(model, start, step, t, 1).loss for start in (flat, other)]
            moderate = losses[0] <= 1e3 * losses[0][:1]
            gap = (losses[0] - losses[1]).abs() / (losses[0][:1] + 1e-12)
            assert (gap[moderate] <= 1e-5).all()

    check()


@examples(12)
@given(
    training_problems(dtypes=("float64",), iterations=12, widths=st.integers(1, 24), boundary=False, activations=("sin", "cos"),
                      operators=(("u_x", 1), ("u_xx", 1), ("u_xxxx", 1))),
    st.sampled_from(("gd", "adam", "lbfgs")),
)  # fmt: skip
def test_no_optimiser_comes_below_the_residual_of_least_squares(
    device: str, problem: TrainingProblem, optimizer: str
) -> None:
    """So a method whose residual there is above a tolerance never comes to it, whoever trains: an order known at the start."""
    drawn, t = problem.problem, problem.problem.training.iterations
    for method in METHODS:
        A, f = (torch.from_numpy(v) for v in (float_matrix(drawn, method, "float64"), float_rhs(drawn, "float64")))
        assume(float(A.abs().max()) > 1e-6)
        left, values, _ = np.linalg.svd(A.numpy(), full_matrices=False)
        kept = left[:, values > 1e-14 * values[0]]
        least = float(np.linalg.norm(f.numpy() - kept @ (kept.T @ f.numpy())) ** 2 / 2)
        model = rfm.LeastSquares(A.to(device), f.to(device))
        step = optimiser(optimizer, rfm.stable_step(A) if optimizer == "gd" else None)
        losses = minimise(model, torch.zeros(1, A.shape[1], dtype=torch.float64, device=device), step, t, 1).loss
        assert float(losses.min()) >= least * (1 - 1e-9) - 1e-20 * float(f.square().sum())


def test_entropy_orders_predicted_from_ad_are_those_measured(device: str) -> None:
    """At the start and after training, for every convention; and in half of the draws there is a prediction."""
    said: list[bool] = []

    @examples(12)
    @given(
        training_problems(
            dtypes=("float64",), members=2, iterations=8, widths=st.sampled_from((1, 4, 16, 64, 256)), device=device
        )
    )
    def check(problem: TrainingProblem) -> None:
        flat, worst = problem.start.to(device), 1e-12
        t, model = problem.problem.training.iterations, problem.model("fd")
        end = minimise(model, flat, optimiser_with(steps(problem, model, flat)), t, t).parameters
        moderate = end[(end.abs() < 1e6).all(1)]
        for point in (flat, moderate) if len(moderate) else (flat,):
            for found, J in zip(predict(problem, point), ntk.jacobian(model, point), strict=True):
                gap = float(torch.linalg.matrix_norm(J - found.fd))
                worst = max(worst, gap / found.remainder)
                assert gap <= found.remainder
                pairs = found.entropies(CONVENTIONS)
                actual = entropy_enclosures(enclosed(J, 0.0), CONVENTIONS)
                orders = [entropy_order(*pair) for pair in pairs]
                if point is flat:
                    said.append(any(orders))
                for says, (ad, _), fd in zip(orders, pairs, actual, strict=True):
                    assert says in (None, entropy_order(ad, fd))
        target(math.log(worst), label="remainder")

    check()
    assert sum(said) >= len(said) / 2


@pytest.mark.parametrize("optimizer", ["gd", "adam", "lbfgs"])
def test_entropy_orders_persist_while_the_drift_is_small(optimizer: str, device: str) -> None:
    """What the start and the drifts imply is what is measured; wide networks with small targets keep some orders to the end."""
    lasted: list[int] = []

    @examples(10)
    @given(
        training_problems(
            dtypes=("float64",), members=2, iterations=6, widths=st.sampled_from((16, 64, 512)), optimizers=(optimizer,),
            rates=(Fraction(1, 10), Fraction(1)), steps=(Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)), device=device,
        ), st.sampled_from((None, "exp(x)/1000")),
    )  # fmt: skip
    def check(problem: TrainingProblem, small: str | None) -> None:
        if small and problem.amplitudes != "normal":
            changed = problem.problem.with_(solution=small, interior=(3,) * problem.problem.dimension, boundary=())
            problem = replace(problem, amplitudes="opposite", problem=changed)
        t = problem.problem.training.iterations
        for found in along(problem, sorted({0, 1, t}), CONVENTIONS):
            for kept, measured in zip(found.kept, found.measured, strict=True):
                assert all(says in (None, is_) for says, is_ in zip(kept, measured, strict=True))
            lasted.append(sum(says is not None for says in found.kept[-1]))

    check()
    assert any(lasted)


@pytest.mark.gpu
@examples(12)
@given(training_problems())
def test_cuda_agrees_with_the_cpu(problem: TrainingProblem) -> None:
    """Residuals and kernels at the start within round-off of each other, and both runs within the bounds of their laws."""
    there = replace(problem, device="cuda")
    for method in METHODS:
        flat = problem.start.to(problem.dtype)
        rounding = (
            Rounding.of(problem.model(method, "float64"), flat.double())
            if problem.problem.activation_name in BOUNDED
            else None
        )
        if rounding is not None:
            gap = (problem.model(method).residual(flat) - there.model(method).residual(flat.cuda()).cpu()).abs()
            assert (gap <= 2.1 * problem.unit * rounding.residual).all()
        for place in (problem, there):
            obeys(place, method)


@examples(25)
@given(training_problems())
def test_a_problem_describes_itself(problem: TrainingProblem) -> None:
    again = TrainingProblem.from_dict(json.loads(json.dumps(problem.to_dict())))
    assert again == problem
    assert torch.equal(again.start, problem.start)


def test_a_witness_trains_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = TrainingProblem(
        Problem(count=8, interior=(4,), training=Training("two-layer", "gd", 5, None, 2)), "normal"
    )
    file = drawing.save_witness(problem, "fd", tmp_path)
    assert drawing.main([str(file)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["method"] == "fd"
    assert found["law"] == pytest.approx(float(examine(problem, "fd").law.max()))
    assert all(found[name] is None or found[name] <= 1 for name in RATIOS)


def test_a_network_that_fails_is_saved_and_fails_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the step is taken for another: the witness is the network, and by itself it fails by as much."""
    problem = TrainingProblem(Problem(count=8, interior=(4,), training=Training("two-layer", "gd", 5, None, 2)))
    faulty = partial(examine, believed=1.001)
    monkeypatch.setattr(drawing, "examine", faulty)
    for name, value in {"WITNESSES": tmp_path, "examine": faulty, "target": lambda *_, **__: None}.items():
        monkeypatch.setitem(globals(), name, value)
    with pytest.raises(pytest.fail.Exception, match="step: ") as failed:
        obeys(problem, "fd")
    (file,) = tmp_path.glob("*.json")
    assert str(file) in str(failed.value)
    assert drawing.main([str(file)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["step"] == pytest.approx(faulty(problem, "fd").largest("step"))
    assert found["step"] > 1


def test_draws_shrink_to_what_a_person_would_write() -> None:
    from hypothesis import Phase, find

    phases = (Phase.generate, Phase.shrink)  # whatever the profile leaves out
    quiet = settings(database=None, derandomize=True, deadline=None, phases=phases)
    found = find(training_problems(), lambda p: p.problem.count >= 3, settings=quiet)
    assert (found.problem.count, found.problem.interior, found.problem.operator_text) == (3, (2,), "u_x")
    assert found.problem.training.iterations == found.problem.training.seeds == 1
    found = find(training_problems(), lambda p: p.problem.h < Fraction(1, 10), settings=quiet)
    assert found.problem.h == Fraction(1, 100)
    assert found.problem.count == 1


def test_statistics_of_a_run_and_its_worst_cases_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = properties.run(10, tmp_path, seconds=20)
    assert first.networks >= 1
    assert not first.broken
    assert first.orders["wrong"] == 0
    assert any("bound/deviation" in line for line in first.lines())
    kept = json.loads((tmp_path / "worst.json").read_text())
    assert kept
    again = properties.run(0, tmp_path)
    assert again.examples == 0
    # What is replayed has the ratio that it was kept for.
    assert max(again.ratios["curvature"]) == pytest.approx(max(first.ratios["curvature"]))
    assert properties.main(["--networks", "1", "--folder", str(tmp_path / "new"), "--seconds", "5"]) == 0
    assert "networks (AD and FD counted)" in capsys.readouterr().out
