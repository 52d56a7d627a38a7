"""``adfd train``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numerics.problem import file as problem_file
from numerics.problem.problem import METHODS, Method, Problem, Training
from proofs_check.cli.output import emit, progress, say, table
from theory.base.errors import InputError
from theory.base.exact import rational

if TYPE_CHECKING:
    from numerics.training.rfm import FeatureRun


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
    cast: bool = False,
    checkpoint: Path | None = None,
    resume: bool = False,
    tolerance: float | None = None,
    entropy: bool = False,
    as_json: bool = False,
) -> int:
    """Trains with AD and FD residuals; options override the file."""
    problem = problem_file.load_problem(path)
    given = {"model": model, "optimizer": optimizer, "seeds": seeds, "iterations": iterations}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if step is not None:
        changes["step"] = rational(step, "--step")
        if changes["step"] <= 0:
            raise InputError(f"--step: {step} must be positive")
    if problem.equations and model == "rfm":
        raise InputError("--model: rfm solves one linear equation; equations are trained with two-layer")
    training: Training = replace(problem.training, **changes)
    problem = problem.with_(training=training, **({"dtype": dtype} if dtype else {}))
    methods: list[Method] = [method] if method else [*METHODS]  # type: ignore[list-item]
    networks = {"--cast-after-forward": cast, "--checkpoint": checkpoint is not None, "--entropy": entropy,
                "--tolerance": tolerance is not None}  # fmt: skip
    if training.model == "rfm" and any(networks.values()):
        option = next(name for name, asked in networks.items() if asked)
        raise InputError(f"{option}: for --model two-layer; see 'adfd entropy' for the matrix of random features")
    if tolerance is not None and not 0 < tolerance <= 1:
        raise InputError(f"--tolerance: {tolerance}; allowed: 0 < T ≤ 1")
    if resume and checkpoint is None:
        raise InputError("--resume: needs --checkpoint DIR, the folder of the run to go on with")
    with progress() as shown:
        if training.model == "rfm":
            content = _rfm(problem, methods, device, shown)
        else:
            from numerics.training.from_problem import train_two_layer

            content = train_two_layer(
                problem, methods, device=device, progress=shown, cast_after_forward=cast, checkpoint=checkpoint,
                resume=resume, tolerance=tolerance, entropy=entropy,
            )  # fmt: skip
    if as_json:
        emit(content)
    else:
        _print(content, training, problem.dtype)
    return 0


def _print(content: dict[str, Any], training: Training, dtype: str) -> None:
    """The runs as a table, and what their comparison says in words."""
    descent = training.optimizer == "gd"
    rows = []
    for run in content["runs"]:
        law = [run["step_rule"]] if descent else []
        numbers = [run["loss"][0], run["loss"][-1], run["equation_loss"], run["solution_error"]]
        extra = [_steps(run["iterations_to"])] if "iterations_to" in run else []
        cells = [_number(value) for value in numbers]
        cells[1] = cells[1] or "diverged"
        rows.append([run["method"], str(run["seed"]), *law, *cells, *extra])
    first = content["runs"][0]
    title = f"Losses: {training.model}, {training.optimizer}, {dtype} on {first['device']}"
    last = f"at {first['iterations'][-1]}"
    columns = ["method", "seed", *(["step"] if descent else []), "at 0", last, "of the PDE", "error"]
    table(title, columns + (["reached at"] if "iterations_to" in first else []), rows)
    say(f"of the PDE: residual by AD in float64 {last}; error: of the solution, relative")
    if errors := first.get("solution_errors"):
        worst = {name: [run["solution_errors"][name] for run in content["runs"]] for name in errors}
        if len(errors) > 1:
            shares = (
                f"{name} {_number(min(found))} – {_number(max(found))}"
                for name, found in worst.items()
                if None not in found
            )
            say(f"error of each unknown over the runs: {', '.join(shares)}")
    if "note" in content:
        say(content["note"])
    elif descent and first["predicted"] is None:
        from numerics.training.from_problem import MOST_RESIDUALS

        say(f"no law of the kernel: more than {MOST_RESIDUALS} residuals")
    elif descent:
        _print_laws(content["runs"], last)
    words = {"own": "each at its own step", "common": "at the same step", "given": "at the step given"}
    for key, value in content["comparison"].items():
        if value is None:
            say("the law of the kernel at the start is valid at the start alone, in every run")
            continue
        if not isinstance(value, dict):
            say(f"{key.replace('_', ' ')} while it is valid: {value:.2e} of the first loss")
            continue
        if (order := value.get("order")) is not None:
            counts = ", ".join(f"{name} in {n}" for name, n in order.items() if name != "tolerance")
            say(
                f"by the law, first to {order['tolerance']:g} of the loss, {words.get(key, 'paired by seed')}: {counts}"
            )
        if "ad_lower" not in value:
            continue
        says = f"last loss of AD over FD, {words.get(key, 'paired by seed')}: "
        if (ratio := value.get("log_ad_over_fd")) is not None:
            low, high = (math.exp(ratio[end]) for end in ("lower", "upper"))
            says += f"{math.exp(ratio['mean']):.4g} [{low:.4g}, {high:.4g}] (95 %), p = {value['p_value']:.2g}, "
        elif value["median_fd_over_ad"]:
            says += f"median {1 / value['median_fd_over_ad']:.4g}, "
        share = value["ad_lower"]
        lower = share if isinstance(share, int) else f"{share:.0%}"
        say(f"{says}AD lower in {lower} of {value['seeds']} seeds")

    if "entropies" in first:
        shown = [
            [run["method"], str(run["seed"]), *(_number(point["entropy"]) for point in run["entropies"])]
            for run in content["runs"]
        ]
        times = [str(point["iteration"]) for point in first["entropies"]]
        table("Truncated entropy of the residual Jacobian, by iteration", ["method", "seed", *times], shown)
        _print_orders(content["comparison"], times)


def _print_orders(comparison: dict[str, Any], times: list[str]) -> None:
    """Which method has more entropy at the start of each run, and until when it is known to."""
    rows = []
    for rule, value in comparison.items():
        for one in value.get("entropy_orders", ()) if isinstance(value, dict) else ():
            order = {"fd<ad": "FD below AD", "fd>ad": "FD above AD", None: "not separated"}[one["order"]]
            until = "the end" if one["valid_until"] is None else str(one["valid_until"])
            rows.append([str(one["seed"]), *([] if rule == "all" else [rule]), order, until if one["order"] else ""])
    if rows:
        step = [] if len(rows[0]) == 3 else ["step"]
        table("Order of these entropies", ["seed", *step, "at 0", "valid until"], rows)
        say(
            f"valid until: the first of the iterations {', '.join(times)} at which the distance of the Jacobians from those at\n"
            "the start no longer implies the order; it may hold on"
        )


def _print_laws(runs: list[dict[str, Any]], last: str) -> None:
    """What the law of the frozen kernel says of each run: never a number without its bound."""
    from numerics.predictions.frozen import SHARE, band

    rows = []
    for run in runs:
        found = band(run["predicted"][-1], run["bound"][-1])
        ends = "no law left" if found is None else " – ".join(dict.fromkeys(map(_number, found)))
        until = "the end" if run["valid_until"] is None else str(run["valid_until"])
        reached = [_reach(run["predicted_iterations_to"])] if "predicted_iterations_to" in run else []
        rows.append(
            [run["method"], str(run["seed"]), run["step_rule"], ends, until, str(len(run["restarts"])), *reached]
        )
    columns = ["method", "seed", "step", f"loss {last}", "valid until", "restarts"]
    table("Law of the frozen kernel", columns + (["reached at"] if "predicted_iterations_to" in runs[0] else []), rows)
    say(
        f"loss: within this interval; valid until: from there on the bound of the kernel at the start exceeds {SHARE:g} of\n"
        "the residual, and the law is restarted from the kernel then, as often as it takes"
    )


def _reach(interval: dict[str, int | None]) -> str:
    """An interval of iterations."""
    early, late = interval["earliest"], interval["latest"]
    if early is None:
        return "never"
    return str(early) if early == late else f"{early} – {'?' if late is None else late}"


def _steps(value: int | None) -> str:
    return "never" if value is None else str(value)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _rfm(problem: Problem, methods: list[Method], device: str, shown: Any) -> dict[str, Any]:
    """Each seed and method, at its own step 1/σ₁² and, with two methods, at the smaller of the two as well."""
    from numerics.training import rfm

    explicit = isinstance(problem.weights, tuple) and isinstance(problem.biases, tuple)
    draws = 1 if explicit else problem.training.seeds
    runs: list[dict[str, Any]] = []
    for index, group in enumerate(rfm.train_features(problem, methods, device=device)):
        judged = _judge(group[0].problem)
        runs += [_one(trained, device, judged) for trained in group]
        shown("runs", index + 1, draws)
    return {"runs": runs, "comparison": _compare(runs)}


Judge = Callable[[Any], dict[str, float | None]]
"""From output weights to ``equation_loss`` and ``solution_error``."""


def _judge(drawn: Problem) -> Judge:
    """The loss of the equation itself, by autodiff in float64, and the solution error."""
    from numerics.training import from_problem

    plain = drawn.with_(training=replace(drawn.training, model="two-layer", scaling="standard", depth=2))
    exact = from_problem.model(plain, "ad")
    flat = from_problem.start(plain, [drawn.seed])

    def judge(a: Any) -> dict[str, float | None]:
        flat[0, : drawn.count] = a.double().cpu()
        return {name: column[0] for name, column in from_problem.judge(plain, exact, flat).items()}

    return judge


def _one(trained: FeatureRun, device: str, judge: Judge) -> dict[str, Any]:
    from numerics.predictions.frozen import prediction
    from numerics.training import rfm

    curve, law = trained.curve, None
    if trained.problem.training.optimizer == "gd":
        law = rfm.followed(
            trained.A, trained.f, trained.step, curve.iterations[-1], dtype=trained.problem.dtype, device=device
        )
    return {
        "method": trained.method,
        "seed": trained.problem.seed,
        "step_rule": trained.rule,
        "step": curve.step,
        "iterations": list(curve.iterations),
        "loss": list(curve.loss),
        **prediction(law, 0),
        **judge(curve.parameters),
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
        for t, a, b in zip(run["iterations"], run["loss"], run["predicted"], strict=True)
        if a is not None and b is not None and (run["valid_until"] is None or t < run["valid_until"])
    ]
    if gaps:
        comparison["largest_distance_from_law"] = max(gaps)
    return comparison


def _pairs(runs: list[dict[str, Any]]) -> list[tuple[float, float]]:
    last = {(run["seed"], run["method"]): run["loss"][-1] for run in runs}
    seeds = sorted({seed for seed, _ in last})
    pairs = [(last.get((seed, "ad")), last.get((seed, "fd"))) for seed in seeds]
    return [(ad, fd) for ad, fd in pairs if ad is not None and fd is not None]
