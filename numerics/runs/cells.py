"""What a sweep computes in its cells: entropies, spectra, training runs.  Each row is flat, and a cell's own alone.

A computation takes a :class:`numerics.matrices.batches.Workbench` and the positions of some cells and returns one
:class:`Outcome` for each; a cell without result has its reason, and the others go on.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from numerics.entropy.compare import difference, entropy_enclosure, truncated_entropies
from numerics.matrices.batches import FloatSpectra, Workbench
from numerics.problem.problem import METHODS, Problem
from numerics.runs.grid import Cell
from numerics.runs.rows import Status
from numerics.spectra.spectrum import spectrum
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.entropy.conventions import Convention
from theory.entropy.entropy import truncated_entropy

if TYPE_CHECKING:
    from numerics.training.rfm import FeatureRun


def losses(problem: Problem) -> dict[str, Any]:
    """Trains what ``problem.training`` describes, on one CPU thread.

    Returns:
        For each method and step rule (``own``: 1/σ_1² of the method; ``common``: the smaller of the two; ``given``;
        none for Adam and L-BFGS) the medians over the seeds ``loss_<method>[_<rule>]`` of the last loss and
        ``predicted_…`` of its exact law (random features alone), and ``diverged_…``, how many runs overflowed.  A median that is not finite
        is None.
    """
    from numerics.arithmetic.devices import threads  # torch, only where something trains
    from numerics.training import rfm
    from numerics.training.from_problem import train_two_layer

    with threads(1):
        if problem.training.model == "rfm":
            last = max(1, problem.training.iterations)
            runs = [_told(one) for group in rfm.train_features(problem, METHODS, last, device="cpu") for one in group]
        else:
            runs = train_two_layer(problem, METHODS, device="cpu", law=False)["runs"]
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


def _told(one: FeatureRun) -> dict[str, Any]:
    """A run of random features as those of networks are told; its last loss is predicted by the exact law."""
    from numerics.training.rfm import predicted_loss

    predicted = None
    if one.rule is not None:
        predicted = predicted_loss(one.A, one.f, one.step, one.curve.iterations[-1], one.curve.iterations).loss
    return {
        "seed": one.problem.seed,
        "method": one.method,
        "step_rule": one.rule,
        "loss": one.curve.loss,
        "predicted": predicted,
        "status": one.curve.status,
    }


Row = dict[str, Any]
"""Column to number, text, truth value or None."""
EXPECTED = (InputError, NonexistenceError, PrecisionCapError)
"""Errors that say why a cell has no result; it would have none the next time either."""


class Outcome(NamedTuple):
    """What became of one cell: its flat row as JSON text, and the reason where it has no result."""

    position: int
    status: Status
    content: str
    reason: str | None
    seconds: float


_encode = msgspec.json.Encoder().encode

Computation = Callable[[Workbench, Sequence[int]], list[Outcome]]


def content(bench: Workbench, position: int, row: Row) -> str:
    """The stored text of a row: the cell's keys with their values, then the results."""
    keys = bench.plan.sweep.flat_text(position)
    results = _encode(row).decode()
    return f"{{{keys},{results[1:]}" if row else f"{{{keys}}}"


def failure(bench: Workbench, position: int, error: BaseException, seconds: float = 0.0) -> Outcome:
    """The outcome of a cell whose computation raised ``error``."""
    text = " ".join(str(error).split())[:400]
    if isinstance(error, EXPECTED):
        return Outcome(position, "failed", content(bench, position, {}), text, seconds)
    name = type(error).__name__
    return Outcome(position, "crashed", content(bench, position, {}), f"{name}: {text}" if text else name, seconds)


def cell_by_cell(compute: Callable[[Cell], Row], bench: Workbench, positions: Sequence[int]) -> list[Outcome]:
    """The outcomes of a computation that takes one cell at a time."""
    outcomes = []
    for position in positions:
        start = time.perf_counter()
        try:
            text = content(bench, position, compute(bench.plan.cell(position)))
            outcomes.append(Outcome(position, "done", text, None, time.perf_counter() - start))
        except Exception as error:  # one cell's error must not take the others with it
            outcomes.append(failure(bench, position, error, time.perf_counter() - start))
    return outcomes


def entropy(bench: Workbench, positions: Sequence[int]) -> list[Outcome]:
    """Truncated entropies of A_AD and A_FD, cut-off numbers, extreme singular values, floor and knee.

    In floating point the entropies are those of LAPACK's values and nothing is proven (``sign`` is None); of exact
    matrices they are the middles of proven enclosures, and ``sign`` is the proven sign of H_FD − H_AD.  ``floor`` is
    τ(√N + √M) and ``knee`` the number of AD singular values at or above it.
    """
    plan = bench.plan
    outcomes: dict[int, Outcome] = {}
    found: dict[Hashable, list[tuple[int, FloatSpectra]]] = defaultdict(list)  # alike but for the values
    start = time.perf_counter()
    for position in positions:
        try:
            if plan.arithmetic(position) == "exact":
                (outcomes[position],) = cell_by_cell(_exact_entropy, bench, [position])
                continue
            spectra = bench.float_spectra(position)
            plan.convention(position)
            token = plan.token(position, "entropy", "arithmetic"), len(spectra.ad)
            found[token].append((position, spectra))
        except Exception as error:
            outcomes[position] = failure(bench, position, error)
    for cells in found.values():
        convention, arithmetic = plan.convention(cells[0][0]), plan.arithmetic(cells[0][0])
        rows = _float_entropies([spectra for _, spectra in cells], convention, arithmetic)
        for (position, spectra), row in zip(cells, rows, strict=True):
            reason = None if row["entropy_gap"] is not None else _undefined(spectra, convention)
            outcomes[position] = Outcome(position, "done", content(bench, position, row), reason, 0.0)
    mean = (time.perf_counter() - start) / max(1, len(positions))
    return [_timed(outcomes[p], mean) for p in positions]


def _undefined(spectra: FloatSpectra, convention: Convention) -> str | None:
    """Why there is no entropy."""
    return next((why for v in (spectra.ad, spectra.fd) if (why := truncated_entropy(v, convention).reason)), None)


def _timed(outcome: Outcome, seconds: float) -> Outcome:
    if outcome.seconds:
        return outcome
    return Outcome(outcome.position, outcome.status, outcome.content, outcome.reason, seconds)


def _float_entropies(spectra: Sequence[FloatSpectra], convention: Convention, arithmetic: str) -> list[Row]:
    ad, fd = np.stack([s.ad for s in spectra]), np.stack([s.fd for s in spectra])
    H_ad, r_ad = truncated_entropies(ad, convention)
    H_fd, r_fd = truncated_entropies(fd, convention)
    tau = np.array([s.entry_error for s in spectra])
    floor = np.array([s.entry_error * s.spread for s in spectra])
    columns: dict[str, Any] = {
        "arithmetic": [arithmetic] * len(spectra),
        "entropy_ad": H_ad,
        "entropy_fd": H_fd,
        "entropy_gap": H_fd - H_ad,
        "cutoff_ad": r_ad,
        "cutoff_fd": r_fd,
        "sigma_max_ad": ad[:, 0],
        "sigma_max_fd": fd[:, 0],
        "sigma_min_ad": ad[:, -1],
        "sigma_min_fd": fd[:, -1],
        "entry_error": tau,
        "floor": floor,
        "knee": (ad >= floor[:, None]).sum(axis=1),
    }
    lists = [c if isinstance(c, list) else [_finite(v) for v in c.tolist()] for c in columns.values()]
    names = [*columns, "sign"]
    return [dict(zip(names, (*values, None), strict=True)) for values in zip(*lists, strict=True)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _exact_entropy(cell: Cell) -> Row:
    problem = cell.problem
    spectra = {m: spectrum(problem, m, "exact", problem.digits) for m in METHODS}
    found = {m: entropy_enclosure(s.values, problem.convention) for m, s in spectra.items()}
    gap = difference(found["ad"], found["fd"])
    signs = {-1: "fd<ad", 1: "fd>ad"}
    return {
        "arithmetic": "exact",
        **{f"entropy_{m}": e.middle() for m, e in found.items()},
        "entropy_gap": None if gap is None else float(gap.middle),
        **{f"cutoff_{m}": e.cutoff[0] if e.cutoff[0] == e.cutoff[1] else None for m, e in found.items()},
        **{f"sigma_max_{m}": s.floats()[0] for m, s in spectra.items()},
        **{f"sigma_min_{m}": s.floats()[-1] for m, s in spectra.items()},
        **dict.fromkeys(("entry_error", "floor", "knee")),
        "sign": "undecided" if gap is None else signs.get(gap.sign() or 0, "undecided"),
    }


def spectra(bench: Workbench, positions: Sequence[int]) -> list[Outcome]:
    """All singular values of A_AD and A_FD, descending: ``sigma_ad_1``, …; 0 beyond the proven rank of exact ones."""

    def row(cell: Cell) -> Row:
        if cell.arithmetic == "exact":
            found = [spectrum(cell.problem, m, "exact", cell.problem.digits).floats() for m in METHODS]
        else:
            both = bench.float_spectra(cell.position)
            found = [tuple(both.ad.tolist()), tuple(both.fd.tolist())]
        values = {f"sigma_{m}_{k}": v for m, vs in zip(METHODS, found, strict=True) for k, v in enumerate(vs, 1)}
        return {"arithmetic": cell.arithmetic} | values

    return cell_by_cell(row, bench, positions)


def training(bench: Workbench, positions: Sequence[int]) -> list[Outcome]:
    """Last losses of training with AD and FD residuals: see :func:`numerics.runs.cells.losses`."""
    return cell_by_cell(lambda cell: losses(cell.problem), bench, positions)


COMPUTATIONS: dict[str, Computation] = {"entropy": entropy, "spectrum": spectra, "train": training}
"""By the name that ``sweep.compute`` gives them; ``advise`` is the caller's to add."""
