"""Training runs as one row: the last losses of AD and FD, at each method's own step and at a common one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from numerics.matrices import float_matrix, float_rhs
from numerics.problem import METHODS, Problem
from numerics.training import rfm
from numerics.training.devices import threads
from numerics.training.from_problem import train_two_layer
from numerics.training.optimisers import LBFGS, Adam


def losses(problem: Problem) -> dict[str, Any]:
    """Trains what ``problem.training`` describes, on one CPU thread.

    Returns:
        For each method and step rule (``own``: 1/σ_1² of the method; ``common``: the smaller of the two; ``given``;
        none for Adam and L-BFGS) the medians over the seeds ``loss_<method>[_<rule>]`` of the last loss and
        ``predicted_…`` of its exact law (random features alone), and ``diverged_…``, how many runs overflowed.  A median that is not finite
        is None.
    """
    with threads(1):
        runs = (
            _rfm(problem)
            if problem.training.model == "rfm"
            else train_two_layer(problem, METHODS, device="cpu", law=False)["runs"]
        )
    row: dict[str, Any] = {
        "model": problem.training.model,
        "optimizer": problem.training.optimizer,
        "iterations": problem.training.iterations,
        "runs": len({run["seed"] for run in runs}),
    }
    for method, rule in dict.fromkeys((run["method"], run["step_rule"]) for run in runs):
        group = [run for run in runs if (run["method"], run["step_rule"]) == (method, rule)]
        name = method if rule is None else f"{method}_{rule}"
        row[f"loss_{name}"] = _median([run["loss"][-1] for run in group])
        row[f"predicted_{name}"] = _median([run["predicted"][-1] if run["predicted"] else None for run in group])
        row[f"diverged_{name}"] = sum(run["status"] == "diverged" for run in group)
    return row


def _median(values: list[float | None]) -> float | None:
    """The median, with None above every number."""
    ranked = sorted(values, key=lambda v: float("inf") if v is None else v)
    middle = ranked[(len(ranked) - 1) // 2 : len(ranked) // 2 + 1]
    return None if None in middle else statistics.mean(v for v in middle if v is not None)


def _rfm(problem: Problem) -> list[dict[str, Any]]:
    settings = problem.training
    explicit = isinstance(problem.weights, tuple) and isinstance(problem.biases, tuple)
    runs = []
    for index in range(1 if explicit else settings.seeds):
        drawn = problem.with_(seed=problem.seed + index)
        f: Any = float_rhs(drawn, problem.dtype)
        systems: dict[str, Any] = {m: float_matrix(drawn, m, problem.dtype) for m in METHODS}
        for rule, method, step in _plans(problem, systems):
            runs.append(
                {"seed": drawn.seed, "method": method, "step_rule": rule} | _run(problem, systems[method], f, step)
            )
    return runs


def _plans(problem: Problem, systems: dict[str, Any]) -> Sequence[tuple[str | None, str, float]]:
    settings = problem.training
    if settings.optimizer != "gd":
        return [(None, m, float(settings.step) if settings.step else 1e-3) for m in systems]
    if settings.step is not None:
        return [("given", m, float(settings.step)) for m in systems]
    own = {m: rfm.stable_step(A) for m, A in systems.items()}
    return [("own", m, own[m]) for m in systems] + [("common", m, min(own.values())) for m in systems]


def _run(problem: Problem, A: Any, f: Any, step: float) -> dict[str, Any]:
    settings, predicted = problem.training, None
    record = max(1, settings.iterations)
    if settings.optimizer == "gd":
        curve = rfm.gradient_descent(A, f, step, settings.iterations, record, dtype=problem.dtype, device="cpu")
        predicted = rfm.predicted_loss(A, f, step, settings.iterations, record).loss
    else:
        optimiser = Adam(step) if settings.optimizer == "adam" else LBFGS()
        curve = rfm.train(A, f, optimiser, settings.iterations, record, dtype=problem.dtype, device="cpu")
    return {"loss": curve.loss, "predicted": predicted, "status": curve.status}
