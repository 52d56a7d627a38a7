"""From a :class:`numerics.problem.problem.Problem` to what this package trains, and ``adfd train`` for networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
import torch
from jaxtyping import Float
from torch import Tensor

from numerics.arithmetic.devices import resolve_device, resolve_dtype
from numerics.networks import ntk
from numerics.networks.fields import FieldResidual
from numerics.networks.networks import Difference, Perceptron, Rows, System, Term, TwoLayer
from numerics.networks.ntk import entropies, moments
from numerics.networks.perceptrons import PerceptronResidual, flatten
from numerics.networks.symbolic import torch_activation
from numerics.networks.two_layer import TwoLayerResidual
from numerics.predictions.frozen import Followed, distances, follow, joined, orders, prediction
from numerics.predictions.persistence import lasting
from numerics.problem.drawn import boundary_rows, features, interior_points
from numerics.problem.problem import METHODS, Method, Problem
from numerics.training import equations
from numerics.training.ensembles import EnsembleRun, Model, on, train_ensemble
from numerics.training.loop import GradientDescent, Optimiser, finite, optimiser
from numerics.training.points import error_grid, tensor, values_at
from numerics.training.statistics import compare
from theory.base.errors import InputError
from theory.operators.operator import LinearOperator

CHUNK = 64
"""Members that are followed at once."""
Progress = Callable[[str, int, int], None]
"""What is counted, how many are done, how many there are."""


def solution_error(problem: Problem, values: Float[Tensor, "b n"], points: Float[Tensor, "n d"]) -> list[float | None]:
    """``‖u − u*‖/‖u*‖`` over the points for every member; ``None`` without a known solution.

    Raises:
        InputError: a solution that vanishes at all the points.
    """
    if problem.solution_expression is None:
        return [None] * len(values)
    exact = values_at(problem.solution_expression, problem, points)
    size = float(torch.linalg.vector_norm(exact))
    if size == 0:
        raise InputError("problem.solution: is zero at every test point")
    gaps = torch.linalg.vector_norm(values.double().cpu() - exact, dim=1)
    return list(finite((gaps / size).tolist()))


def _coefficient(expr: sp.Expr, problem: Problem, points: Float[Tensor, "n d"]) -> float | Tensor:
    values = values_at(expr, problem, points)
    return values if expr.free_symbols else float(values[0])


def _terms(operator: LinearOperator, problem: Problem, points: Float[Tensor, "n d"]) -> tuple[Term, ...]:
    return tuple(Term(alpha, _coefficient(c, problem, points)) for alpha, c in operator.terms)


def system(problem: Problem, method: Method) -> System:
    """The residual rows of a problem in float64: interior rows by ``method``, boundary rows exact in both.

    Raises:
        InputError: no points, or data that are not finite at a point.
    """
    rows = []
    if inner := interior_points(problem):
        points = tensor(inner)
        parts: Any = _terms(problem.operator, problem, points)
        if method == "fd":
            parts = tuple(
                Difference(
                    tensor(term.shifts),
                    tuple(float(weight) for weight in term.weights),
                    float(term.scale),
                    _coefficient(term.coefficient, problem, points),
                )
                for term in problem.difference.terms
            )
        rows.append(Rows(points, values_at(problem.rhs_expression, problem, points), parts))
    for edge in boundary_rows(problem):
        if edge.points:
            points = tensor(edge.points)
            target = values_at(problem.boundary_value(edge.rows), problem, points)
            root = float(edge.rows.weight) ** 0.5
            rows.append(Rows(points, target, _terms(edge.operator, problem, points), root))
    if not rows:
        raise InputError("points: there are neither interior nor boundary points")
    return System(tuple(rows))


def model(problem: Problem, method: Method, *, cast_after_forward: bool = False) -> Model:
    """The residuals of the network that ``problem.training`` describes: two-layer, or deeper."""
    if problem.equations:
        return equations.residual(problem, method, cast_after_forward=cast_after_forward)
    training = problem.training
    rows = system(problem, method)
    activation = torch_activation(problem.activation)
    if training.depth == 2:
        network = TwoLayer(problem.count, problem.dimension, activation, training.scaling)
        return TwoLayerResidual(network, rows, cast_after_forward)
    return PerceptronResidual(
        training.depth, problem.count, problem.dimension, activation, rows, training.scaling, cast_after_forward
    )


def start(problem: Problem, seeds: Sequence[int]) -> Float[Tensor, "b p"]:
    """Initial parameters, one row a seed: ``w, b`` as the problem's features (or as given), ``a`` standard normal.

    ``a`` comes from a third stream beside those of the features; ``"standard"`` scaling divides it by √M. Networks
    deeper than two layers have their own start (see :class:`numerics.networks.networks.Perceptron`).
    """
    if problem.equations:
        return equations.start(problem, seeds)
    training = problem.training
    members = []
    for seed in seeds:
        if training.depth > 2:
            net = Perceptron(training.depth, problem.count, problem.dimension, "tanh", training.scaling, seed=seed)
            members.append(flatten(net))
            continue
        drawn = features(problem.with_(seed=seed))
        stream = np.random.SeedSequence(entropy=seed, spawn_key=(2,))
        a = torch.from_numpy(np.random.Generator(np.random.PCG64(stream)).standard_normal(problem.count))
        if training.scaling == "standard":
            a = a / problem.count**0.5
        w = tensor(drawn.weights)
        b = torch.tensor([float(v) for v in drawn.biases], dtype=torch.float64)
        members.append(torch.cat([a, b, w.T.flatten()]))
    return torch.stack(members)


@dataclass(frozen=True)
class Trained:
    """All seeds of one method under one step rule.

    Attributes:
        method: ``"ad"`` or ``"fd"``.
        rule: ``"own"``: 1/λ_max of the method's kernel; ``"common"``: the smaller of the two; ``"given"``; None
            for optimisers other than gradient descent.
        run: the ensemble.
        law: the law of the frozen kernel beside the run, for gradient descent, where it was asked for.
    """

    method: Method
    rule: str | None
    run: EnsembleRun
    law: Followed | None


NO_LAW = (
    "no law or bound of training is claimed for networks trained on equations: predictions are of one linear equation"
)
MOST_RESIDUALS = 4096
"""Residuals whose kernel is decomposed; of more, its eigenvalues alone take minutes to hours."""


def _residuals(models: Mapping[Method, Model]) -> int:
    """How many there are: as many for each method."""
    return next(iter(models.values())).system.count


def _plans(
    problem: Problem, models: dict[Method, Model], first: Tensor, dtype: torch.dtype, device: torch.device
) -> list[tuple[str | None, Method, Optimiser]]:
    """Which step each method is trained with."""
    training = problem.training
    if training.optimizer != "gd":
        step = None if training.step is None else float(training.step)
        return [(None, method, optimiser(training.optimizer, step)) for method in models]
    if training.step is not None:
        return [("given", method, GradientDescent(float(training.step))) for method in models]
    if (count := _residuals(models)) > MOST_RESIDUALS:
        raise InputError(
            f"training.step: the stable step of gradient descent needs the largest eigenvalue of a kernel of {count} "
            f"residuals, which is computed up to {MOST_RESIDUALS}; give training.step (--step), or fewer points"
        )
    own = {
        method: ntk.stable_steps(ntk.kernel(on(m, device, dtype), first.to(device, dtype))).cpu()
        for method, m in models.items()
    }
    plans: list[tuple[str | None, Method, Optimiser]] = [
        ("own", method, GradientDescent(own[method])) for method in models
    ]
    if len(models) > 1:
        common = torch.stack(list(own.values())).min(0).values
        plans += [("common", method, GradientDescent(common)) for method in models]
    return plans


def train_methods(
    problem: Problem,
    methods: Sequence[Method],
    *,
    device: str = "auto",
    tolerances: Sequence[float] = (),
    snapshots: Sequence[int] = (),
    progress: Progress | None = None,
    cast_after_forward: bool = False,
    checkpoint: Path | None = None,
    resume: bool = False,
    law: bool = False,
) -> list[Trained]:
    """Train the network of ``problem.training`` with the residuals of each method, all seeds at once.

    Args:
        law: also follow gradient descent with the law of the frozen kernel and its bound
            (:mod:`numerics.predictions.frozen`), which costs a second training and a little more; left out above
            ``MOST_RESIDUALS``.
        cast_after_forward: difference in float64 what was evaluated in the arithmetic of the run.
        checkpoint: a folder for the state of each run; with ``resume`` they go on from there.

    Raises:
        InputError: the folder cannot be made, or holds other runs; more than ``MOST_RESIDUALS`` for gradient descent
            whose step is not given.
    """
    training = problem.training
    place, kind = resolve_device(device), resolve_dtype(problem.dtype)
    seeds = [problem.seed + k for k in range(training.seeds)]
    first = start(problem, seeds)
    models = {method: model(problem, method, cast_after_forward=cast_after_forward) for method in methods}
    plans = _plans(problem, models, first, kind, place)
    if checkpoint is not None:
        try:
            checkpoint.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"checkpoint: {checkpoint} is not a folder ({error})") from None
    out = []
    for number, (rule, method, chosen) in enumerate(plans):

        def note(done: int, total: int, number: int = number) -> None:
            if progress is not None:
                progress("network-iterations", number * total + done, len(plans) * total)

        file = None if checkpoint is None else checkpoint / f"{method}{'' if rule is None else '-' + rule}.pt"
        run = train_ensemble(
            models[method], first, chosen, training.iterations, seeds=seeds, tolerances=tolerances,
            snapshots=snapshots, dtype=kind, device=device, progress=note, checkpoint=file, resume=resume,
        )  # fmt: skip
        followed = None
        if law and isinstance(chosen, GradientDescent) and _residuals(models) <= MOST_RESIDUALS:
            followed = _follow(on(models[method], place, kind), first.to(place, kind), chosen, run)
        out.append(Trained(method, rule, run, followed))
    return out


def _follow(moved: Model, first: Tensor, chosen: GradientDescent, run: EnsembleRun) -> Followed:
    """The law beside the runs of an ensemble; its bound is on the residuals whose losses the ensemble recorded."""
    steps = torch.as_tensor(chosen.step, dtype=torch.float64).expand(len(first))

    def kernels(flat: Tensor) -> Tensor:
        return ntk.kernel(moved, flat)

    parts = [
        follow(
            moved, kernels, piece, step.to(piece.device), run.iterations[-1], run.iterations, tolerances=run.tolerances
        )
        for piece, step in zip(first.split(CHUNK), steps.split(CHUNK), strict=True)
    ]
    whole = joined(parts)
    # The ensemble ran by itself: another order of summation may part the two by rounding, which is measured.
    apart = ((2 * run.loss).sqrt() - (2 * whole.loss).sqrt()).abs()
    return replace(whole, bound=whole.bound + apart)


def train_two_layer(
    problem: Problem,
    methods: Sequence[str],
    *,
    device: str = "auto",
    progress: Progress | None = None,
    cast_after_forward: bool = False,
    checkpoint: Path | None = None,
    resume: bool = False,
    tolerance: float | None = None,
    entropy: bool = False,
    law: bool = True,
) -> dict[str, Any]:
    """What ``adfd train --model two-layer`` reports: the runs of every seed and method, and their comparison.

    Gradient descent is run at each method's own step ``1/λ_max`` and, with two methods, at the smaller of the two as
    well, each with the prediction of the frozen tangent kernel: ``predicted`` losses, a ``bound`` on the distance of the
    residual vectors from it, ``valid_until``, the first iteration at which the bound of the kernel at the start exceeds
    a tenth of ``‖r‖``, and ``restarts``, where a later kernel takes over. At the last parameters ``equation_loss`` is the loss
    with the residual of the differential equation itself (by autodiff, in float64), whatever residual was trained.

    Args:
        tolerance: also report ``iterations_to``, the first iteration with at most this fraction of the first loss.
        entropy: also report ``entropies`` of the residual Jacobian along training, by the problem's convention, and with
            two methods ``entropy_orders``: the order at the start (``fd<ad``, ``fd>ad`` or null) and ``valid_until``, the first
            of those iterations at which it is not known to persist (null: it is at all of them), whatever the optimiser
            did in between them: by bounds on the change of entropies (:mod:`numerics.predictions.persistence`).
        law: False leaves out the predictions, and the time they take.
    """
    trained = train_methods(
        problem, methods, device=device, progress=progress,  # type: ignore[arg-type]
        tolerances=() if tolerance is None else (tolerance,),
        snapshots=moments(problem.training.iterations) if entropy else (),
        cast_after_forward=cast_after_forward, checkpoint=checkpoint, resume=resume, law=law and not problem.equations,
    )  # fmt: skip
    exact = model(problem, "ad")
    runs = []
    for one in trained:
        judged: dict[str, Sequence[Any]] = dict(judge(problem, exact, one.run.parameters))
        if tolerance is not None:
            judged["iterations_to"] = [None if t < 0 else t for t in one.run.reached[0].tolist()]
        if entropy:
            judged["entropies"] = entropies(model(problem, one.method), one.run.snapshots, problem.convention)
        for k, seed in enumerate(one.run.seeds):
            curve = one.run.curve(k)
            runs.append(
                {
                    "method": one.method,
                    "seed": seed,
                    "step_rule": one.rule,
                    "step": curve.step,
                    "iterations": list(curve.iterations),
                    "loss": list(curve.loss),
                    **prediction(one.law, k),
                    **{name: column[k] for name, column in judged.items()},
                    "status": curve.status,
                    "device": curve.device,
                    "dtype": curve.dtype,
                }
            )
    comparison = _comparison(trained, tolerance)
    if problem.equations:
        return {"runs": runs, "comparison": comparison, "note": NO_LAW}
    if entropy and len(methods) == 2:
        for rule, members in _entropy_orders(problem, trained).items():
            comparison.setdefault(rule, {})["entropy_orders"] = members
    return {"runs": runs, "comparison": comparison}


def _entropy_orders(problem: Problem, trained: Sequence[Trained]) -> dict[str, list[dict[str, Any]]]:
    """For each step rule and seed the order of entropies at the start, and until when it is known to persist."""
    models = {method: model(problem, method) for method in METHODS}
    found = {}
    for rule in dict.fromkeys(one.rule for one in trained):
        runs = {one.method: one.run for one in trained if one.rule == rule}
        snapshots = {method: run.snapshots for method, run in runs.items()}
        members = zip(runs["ad"].seeds, lasting(models, snapshots, problem.convention), strict=True)
        found[rule or "all"] = [
            {"seed": seed, "order": order, "valid_until": horizon} for seed, (order, horizon) in members
        ]
    return found


def judge(problem: Problem, exact: Model, parameters: Float[Tensor, "b p"]) -> dict[str, tuple[Any, ...]]:
    """What parameters are worth, in float64: the loss of the differential equation itself, and the solution error.

    Args:
        exact: the residuals by autodiff in float64.
    """
    if isinstance(exact, FieldResidual):
        return equations.judge(problem, exact, parameters)
    flat, points = parameters.double(), error_grid(problem)
    with torch.no_grad():
        residual = exact.residual(flat)
        network: Any = exact.network if isinstance(exact, TwoLayerResidual) else exact
        errors = solution_error(problem, network.values(flat, points), points)
    return {"equation_loss": finite((0.5 * residual.square().sum(1)).tolist()), "solution_error": tuple(errors)}


def _comparison(trained: Sequence[Trained], tolerance: float | None) -> dict[str, Any]:
    """AD against FD by the last loss, paired by seed, for each step rule; and the distance from the frozen law."""
    report: dict[str, Any] = {}
    for rule in dict.fromkeys(one.rule for one in trained):
        last = {one.method: finite(one.run.loss[-1].tolist()) for one in trained if one.rule == rule}
        if len(last) == 2 and any(a and b for a, b in zip(last["ad"], last["fd"], strict=True)):
            found = compare(last["ad"], last["fd"], logarithmic=True)
            report[rule or "all"] = {
                "seeds": found.pairs,
                "dropped": found.dropped,
                "ad_lower": found.smaller,
                "log_ad_over_fd": {
                    "mean": found.mean.estimate,
                    "lower": found.mean.lower,
                    "upper": found.mean.upper,
                    "confidence": found.mean.confidence,
                },
                "effect_size": found.effect if np.isfinite(found.effect) else None,
                "p_value": found.p_value,
            }
        laws = {one.method: one.law for one in trained if one.rule == rule}
        if tolerance is not None and len(laws) == 2 and (ad := laws["ad"]) and (fd := laws["fd"]):
            report.setdefault(rule or "all", {})["order"] = {"tolerance": tolerance, **orders(ad.reach[0], fd.reach[0])}
    gaps = [gap for one in trained if one.law is not None for gap in distances(one.law)]
    if any(one.law is not None for one in trained):
        report["largest_distance_from_frozen_law"] = max(gaps, default=None)
    return report


def with_training(problem: Problem, **changes: Any) -> Problem:
    """The problem with some fields of its ``training`` changed."""
    return problem.with_(training=replace(problem.training, **changes))
