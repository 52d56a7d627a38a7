"""``adfd train``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from numerics import problem_file
from numerics.problem import METHODS, Problem, Training
from proofs_check.commands.output import emit, progress, table
from theory.errors import InputError
from theory.exact import rational


def train(
    *,
    path: str,
    model: str | None,
    method: str | None,
    optimizer: str | None,
    seeds: int | None,
    iterations: int | None,
    step: str | None,
    dtype: str | None,
    device: str,
    as_json: bool,
) -> int:
    """Trains with AD and FD residuals; options override the file."""
    problem = problem_file.load(path)
    given = {"model": model, "optimizer": optimizer, "seeds": seeds, "iterations": iterations}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if step is not None:
        changes["step"] = rational(step, "--step")
        if changes["step"] <= 0:
            raise InputError(f"--step: {step} must be positive")
    training: Training = replace(problem.training, **changes)
    problem = problem.with_(training=training, **({"dtype": dtype} if dtype else {}))
    methods: list[str] = [method] if method else [*METHODS]
    with progress() as shown:
        content = _run(problem, methods, device, shown)
    if as_json:
        emit(content)
        return 0
    rows = []
    for run in content["runs"]:
        first, last = run["loss"][0], run["loss"][-1]
        predicted = run["predicted"][-1] if run["predicted"] else None
        rows.append(
            [
                run["method"],
                str(run["seed"]),
                run.get("step_rule") or "",
                str(run["iterations"][-1]),
                _number(first),
                _number(last),
                _number(predicted),
            ]
        )
    title = f"{training.model}, {training.optimizer}, {problem.dtype} on {content['runs'][0]['device']}"
    table(title, ["method", "seed", "step", "iterations", "first loss", "last loss", "predicted"], rows)
    for key, value in content["comparison"].items():
        print(f"{key}: {value}")
    return 0


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6e}"


def _run(problem: Problem, methods: list[str], device: str, shown: Any) -> dict[str, Any]:
    if problem.training.model == "rfm":
        return _rfm(problem, methods, device, shown)
    from numerics.training.from_problem import train_two_layer

    return dict(train_two_layer(problem, methods, device=device, progress=shown))


def _rfm(problem: Problem, methods: list[str], device: str, shown: Any) -> dict[str, Any]:
    """Each seed and method, at its own step 1/σ₁² and, with two methods, at the smaller of the two as well."""
    import torch

    from numerics.matrices import float_matrix, float_rhs
    from numerics.training import rfm

    settings, dtype = problem.training, problem.dtype
    explicit = isinstance(problem.weights, tuple) and isinstance(problem.biases, tuple)
    draws = 1 if explicit else settings.seeds
    runs: list[dict[str, Any]] = []
    for index in range(draws):
        drawn = problem if explicit else problem.with_(seed=problem.seed + index)
        f = torch.from_numpy(float_rhs(drawn, dtype))
        systems = {m: torch.from_numpy(float_matrix(drawn, m, dtype)) for m in methods}  # type: ignore[arg-type]
        own = {m: rfm.stable_step(A) for m, A in systems.items()}
        if settings.step is not None:
            plans = [("given", m, float(settings.step)) for m in methods]
        elif settings.optimizer != "gd":
            plans = [("own", m, own[m]) for m in methods]
        else:
            plans = [("own", m, own[m]) for m in methods]
            if len(methods) > 1:
                plans += [("common", m, min(own.values())) for m in methods]
        for rule, m, step in plans:
            runs.append(_one(drawn, systems[m], f, m, rule, step, device, dtype))
        shown("runs", index + 1, draws)
    return {"runs": runs, "comparison": _compare(runs)}


def _one(
    drawn: Problem, A: Any, f: Any, method: str, rule: str, step: float, device: str, dtype: str
) -> dict[str, Any]:
    from numerics.training import rfm
    from numerics.training.optimisers import LBFGS, Adam

    settings = drawn.training
    predicted = None
    if settings.optimizer == "gd":
        curve = rfm.gradient_descent(A, f, step, settings.iterations, dtype=dtype, device=device)
        predicted = list(rfm.predicted_loss(A, f, step, settings.iterations).loss)
    else:
        rate = float(settings.step) if settings.step is not None else 1e-3
        optimiser = Adam(rate) if settings.optimizer == "adam" else LBFGS()
        curve = rfm.train(A, f, optimiser, settings.iterations, dtype=dtype, device=device)
    return {
        "method": method,
        "seed": drawn.seed,
        "step_rule": rule if settings.optimizer == "gd" else None,
        "step": curve.step,
        "iterations": list(curve.iterations),
        "loss": list(curve.loss),
        "predicted": predicted,
        "status": curve.status,
        "device": curve.device,
        "dtype": curve.dtype,
    }


def _compare(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Last losses of AD and FD, paired by seed and step rule, and the largest distance from the law."""
    comparison: dict[str, Any] = {}
    for rule in dict.fromkeys(run["step_rule"] for run in runs):
        pairs = _pairs([run for run in runs if run["step_rule"] == rule])
        if pairs:
            lower = sum(1 for ad, fd in pairs if ad < fd)
            ratios = sorted(fd / ad for ad, fd in pairs if ad > 0)
            comparison[rule or "all"] = {
                "seeds": len(pairs),
                "ad_lower": lower,
                "median_fd_over_ad": ratios[len(ratios) // 2] if ratios else None,
            }
    gaps = [
        abs(a - b) / run["loss"][0]
        for run in runs
        if run["predicted"] and run["loss"][0]
        for a, b in zip(run["loss"], run["predicted"], strict=True)
        if a is not None and b is not None
    ]
    if gaps:
        comparison["largest_distance_from_law"] = max(gaps)
    return comparison


def _pairs(runs: list[dict[str, Any]]) -> list[tuple[float, float]]:
    last = {(run["seed"], run["method"]): run["loss"][-1] for run in runs}
    seeds = sorted({seed for seed, _ in last})
    pairs = [(last.get((seed, "ad")), last.get((seed, "fd"))) for seed in seeds]
    return [(ad, fd) for ad, fd in pairs if ad is not None and fd is not None]
