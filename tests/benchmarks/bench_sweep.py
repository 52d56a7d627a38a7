"""A sweep of 10 000 cells (n = 64, float64) against bare LAPACK on the same cores, and the rate of the store.

A cell compares A_AD with A_FD, so it calls for two singular value decompositions: ``bare`` is the time of 2 × cells
calls of ``dgesdd`` (values only) on the sweep's own matrices, handed to as many processes as the sweep has and doing
nothing else, not even making the matrices.  ``sweep`` is the whole run: problems, matrices, spectra, entropies, rows in
the store.  Two shapes are measured: seeds × steps, where the cells of one seed share A_AD, and seeds alone, where
nothing is shared.  Rounds are interleaved, so that a busy machine slows both; the medians of the rounds are reported.

    python tests/benchmarks/bench_sweep.py [--cells 10000] [--jobs 2] [--rounds 3] [--activation tanh]
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg

from numerics.matrices.assemble import float_matrix
from numerics.runs import sweep
from numerics.runs.grid import Plan
from numerics.runs.rows import Record, SweepStore

BAR = 0.8
"""What the sweep over seeds and steps must reach: bare time over sweep time."""
STORE_BAR = 1000
"""Rows a second."""


def grid(cells: int, steps: int, activation: str) -> sweep.Sweep:
    """Seeds × steps on the standing example: 64 points, 64 features, central second difference."""
    return sweep.sweep_from_table(
        {
            "problem": {"operator": "u_xx", "solution": "sin(pi*x)"},
            "features": {"activation": activation, "weights": "normal(0, 1)", "biases": "normal(0, 1)", "count": 64},
            "points": {"interior": 62, "boundary": 2},
            "sweep": {
                "features.seed": {"range": [0, cells // steps]},
                "difference.step": [f"1/{10 + k}" for k in range(steps)],
            },
        }
    )


def matrices(of: sweep.Sweep, pairs: int = 100) -> list[Any]:
    """Some of the sweep's matrices, as many of AD as of FD, in the order LAPACK likes."""
    plan = Plan(of)
    chosen = [plan.cell(int(p)).problem for p in np.linspace(0, of.total - 1, pairs)]
    return [np.asfortranarray(float_matrix(p, method, "float64")) for p in chosen for method in ("ad", "fd")]


def decompose(given: list[Any], calls: int) -> None:
    """So many calls of dgesdd."""
    work = int(scipy.linalg.lapack.dgesdd_lwork(*given[0].shape, compute_uv=0)[0])
    for k in range(calls):
        scipy.linalg.lapack.dgesdd(given[k % len(given)], compute_uv=0, lwork=work)


def bare(given: list[Any], calls: int, jobs: int) -> float:
    """Seconds for the calls, shared among ``jobs`` processes."""
    context = multiprocessing.get_context("fork")
    start = time.perf_counter()
    workers = [context.Process(target=decompose, args=(given, calls // jobs)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start


def swept(of: sweep.Sweep, jobs: int, folder: Path) -> float:
    """Seconds for the whole sweep into a new store."""
    path = folder / f"{time.perf_counter_ns()}.sqlite"
    start = time.perf_counter()
    found = sweep.run_sweep(of, path, jobs=jobs)
    seconds = time.perf_counter() - start
    assert found.computed == of.total, found
    return seconds


def store_rate(folder: Path, rows: int = 20_000, batch: int = 1) -> float:
    """Rows a second of a store that is written ``batch`` rows at a time, as a sweep of slow cells does."""
    store = SweepStore(folder / f"rate{batch}.sqlite")
    content = json.dumps({f"column {k}": 1 / (k + 1) for k in range(14)})
    start = time.perf_counter()
    for first in range(0, rows, batch):
        store.put(Record(f"{k:032x}", "done", content, None, 0.0) for k in range(first, first + batch))
    return rows / (time.perf_counter() - start)


def main() -> int:
    """Prints one JSON object; exit status 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--activation", default="tanh")
    given = parser.parse_args()
    result: dict[str, Any] = {"cells": given.cells, "jobs": given.jobs, "activation": given.activation}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, steps in (("seeds x steps", 100), ("seeds", 1)):
            of = grid(given.cells, steps, given.activation)
            some = matrices(of)
            rounds = []
            for _ in range(given.rounds):
                before = bare(some, of.total, given.jobs)
                took = swept(of, given.jobs, folder)
                rounds.append((before + bare(some, of.total, given.jobs), took))
            ratios = [base / took for base, took in rounds]
            result[label] = {
                "bare_seconds": round(statistics.median(b for b, _ in rounds), 3),
                "sweep_seconds": round(statistics.median(t for _, t in rounds), 3),
                "bare_over_sweep": round(statistics.median(ratios), 3),
                "rounds": [round(r, 3) for r in ratios],
            }
        result["store_rows_per_second"] = {f"batches of {b}": round(store_rate(folder, 2000 * b, b)) for b in (1, 100)}
    missed = [f"seeds x steps under {BAR}"] if result["seeds x steps"]["bare_over_sweep"] < BAR else []
    if min(result["store_rows_per_second"].values()) < STORE_BAR:
        missed.append(f"store under {STORE_BAR} rows a second")
    print(json.dumps(result | {"missed": missed}, indent=2))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
