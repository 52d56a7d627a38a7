"""Sweeps under kills, in a process of one thread, where workers are forked in milliseconds.

    python tests/numerics/runs/forked_sweeps.py FOLDER KILLS SEEDS CHECK…

Prints a JSON object: for each check (``kills``, ``fatal``, ``orphans``, ``writers``) what was seen, or ``error``.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import json
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numerics.matrices.batches import Workbench
from numerics.runs import sweep
from numerics.runs.cells import Outcome, cell_by_cell
from numerics.runs.grid import Cell
from numerics.runs.rows import Record, SweepStore, read_rows
from theory.base.errors import InputError


def grid(seeds: int, steps: Sequence[str] = ("1/10", "1/100")) -> sweep.Sweep:
    """Small cells: six features, six rows."""
    return sweep.sweep_from_table(
        {
            "problem": {"operator": "u_xx", "solution": "sin(pi*x)"},
            "features": {"activation": "tanh", "count": 6},
            "points": {"interior": 4, "boundary": 2},
            "sweep": {"features.seed": {"range": [0, seeds]}, "difference.step": list(steps)},
        }
    )


def forked(action: Callable[[], Any]) -> int:
    """The process that does it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def ended(child: int) -> int:
    """Its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kills(folder: Path, wanted: int, seeds: int) -> dict[str, Any]:
    """Kills at random moments, by the clock and by how far the sweep has come in turn; each resumed."""
    path, whole = folder / "killed", folder / "whole"
    sweep.BATCH_SECONDS = 0.02
    of, draw = grid(seeds), random.Random(7)
    start = time.perf_counter()
    assert ended(forked(lambda: sweep.run_sweep(of, whole, jobs=2))) == 0
    length = time.perf_counter() - start
    expected = sweep.sweep_rows(of, whole)
    assert len(expected) == of.total
    assert all(row["status"] == "done" for row in expected)
    known = {json.dumps(row) for row in expected}
    counts: list[int] = []
    partial = finished = reached = 0
    while len(counts) < wanted:
        child = forked(lambda: sweep.run_sweep(of, path, jobs=2, resume=True))
        if len(counts) % 2:
            time.sleep(draw.uniform(0, 0.5) * length)
        else:
            goal = reached + draw.uniform(0, 0.2) * (of.total - reached)
            while os.waitpid(child, os.WNOHANG)[0] == 0 and (not path.exists() or len(SweepStore(path)) <= goal):
                time.sleep(0.002)
        try:
            os.kill(child, signal.SIGKILL)
            gone = ended(child) == 0
        except (ProcessLookupError, ChildProcessError):
            gone = True
        if gone:  # it finished first: once more from the start
            assert sweep.sweep_rows(of, path) == expected
            finished, reached = finished + 1, 0
            for name in folder.glob("killed*"):
                name.unlink()
            continue
        rows = sweep.sweep_rows(of, path) if path.exists() else []
        reached = len(rows)
        counts.append(reached)
        assert all(json.dumps(row) in known for row in rows), "a row that is not the sweep's"
        partial += 0 < reached < of.total
    summary = sweep.run_sweep(of, path, jobs=2, resume=True)
    assert summary.reused == reached, summary
    assert summary.failed == 0, summary
    assert sweep.sweep_rows(of, path) == expected
    return {"kills": len(counts), "partial": partial, "finished": finished, "counts": counts}


def fatal(folder: Path, *_: int) -> dict[str, Any]:
    """One cell kills its worker while the trap is there."""
    trap = folder / "trap"
    trap.touch()

    of, store = grid(12, ["1/10"]), folder / "fatal"
    os.environ["TRAP"] = str(trap)
    first = sweep.run_sweep(of, store, compute=troubled, jobs=2)
    trap.unlink()
    again = sweep.run_sweep(of, store, compute=troubled, jobs=2, resume=True)
    return {
        "first": [first.computed, first.failed],
        "reason": first.reasons[2],
        "again": [again.computed, again.reused, again.failed],
    }


def troubled(bench: Workbench, positions: Sequence[int]) -> list[Outcome]:
    """Seed 2 is bad input, seed 3 an unexpected error; seed 4 kills its process while the file TRAP exists."""

    def row(cell: Cell) -> dict[str, Any]:
        seed = cell.problem.seed
        if seed == 2:
            raise InputError("seed 2 is not allowed")
        if seed == 3:
            raise ZeroDivisionError("one over\nnothing")
        if seed == 4 and os.path.exists(os.environ["TRAP"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return {"value": seed}

    return cell_by_cell(row, bench, positions)


def sleepy(bench: Workbench, positions: Sequence[int]) -> list[Outcome]:
    """Cells that take a minute each."""
    time.sleep(60)
    return []


def children(parent: int) -> list[int]:
    """Processes that it has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(status.parent.name))
        except OSError:
            continue
    return found


def orphans(folder: Path, *_: int) -> dict[str, Any]:
    """How long two workers outlive a sweep that is killed while they compute."""
    sweep.WATCH_SECONDS = 0.1
    parent = forked(lambda: sweep.run_sweep(grid(6), folder / "orphans", compute=sleepy, jobs=2))
    end = time.monotonic() + 30
    while len(workers := children(parent)) < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(parent, signal.SIGKILL)
    ended(parent)
    start = time.monotonic()
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < end, "a worker is still there"
        time.sleep(0.02)
    return {"seconds": time.monotonic() - start}


def writers(folder: Path, *_: int) -> dict[str, Any]:
    """Two processes write one store, half of the rows the same, while this one reads."""
    path = folder / "shared"
    SweepStore(path)

    def write(first: int) -> None:
        store = SweepStore(path)
        for k in range(first, first + 200):
            store.put([Record(str(k), "done", json.dumps({"k": k, "pad": "x" * 500}), None, 0.0)])

    running = [forked(lambda first=first: write(first)) for first in (0, 100)]  # type: ignore[misc]
    seen = reads = 0
    while len(running) == 2 and os.waitpid(running[0], os.WNOHANG)[0] == 0:
        rows = read_rows(path)
        assert all(row["pad"] == "x" * 500 for row in rows)
        assert len(rows) >= seen
        seen, reads = len(rows), reads + 1
    assert ended(running[1]) == 0
    return {"reads": reads, "rows": sorted(row["k"] for row in read_rows(path)) == list(range(300))}


CHECKS: dict[str, Callable[..., dict[str, Any]]] = {
    "kills": kills,
    "fatal": fatal,
    "orphans": orphans,
    "writers": writers,
}


def main(folder: str, wanted: str, seeds: str, *names: str) -> None:
    """Runs the checks and prints what they saw."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = CHECKS[name](Path(folder), int(wanted), int(seeds))
        except Exception:
            found[name] = {"error": traceback.format_exc()}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
