"""Running sweeps: the same rows however they are computed, kept through kills, nothing computed twice."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from forked_sweeps import troubled

from numerics.matrices.batches import Workbench
from numerics.runs import sweep
from numerics.runs.cells import Outcome, entropy
from numerics.runs.rows import Record, SweepStore, export, read_rows
from numerics.runs.store import Store
from theory.base.errors import InputError


def grid(seeds: int = 6, **sweep_table: Any) -> sweep.Sweep:
    """Small cells: six features, six rows."""
    return sweep.sweep_from_table(
        {
            "problem": {"operator": "u_xx", "solution": "sin(pi*x)"},
            "features": {"activation": "tanh", "count": 6},
            "points": {"interior": 4, "boundary": 2},
            "sweep": {"features.seed": {"range": [0, seeds]}, "difference.step": ["1/10", "1/100"]} | sweep_table,
        }
    )


def logged(bench: Workbench, positions: Sequence[int]) -> list[Outcome]:
    """Entropies; every cell computed leaves a line in the file that LOG names."""
    with open(os.environ["LOG"], "a") as log:
        log.writelines(f"{p}\n" for p in positions)
    return entropy(bench, positions)


def test_one_process_two_processes_and_any_executor_give_the_same_rows(tmp_path: Path) -> None:
    of = grid(arithmetic=["float64", "float32"])
    one, two, threads = (tmp_path / name for name in ("one", "two", "threads"))
    assert sweep.run_sweep(of, one, jobs=1) == sweep.Summary(24, 24, 0, 0)
    assert sweep.run_sweep(of, two, jobs=2) == sweep.Summary(24, 24, 0, 0)
    with ThreadPoolExecutor(3) as pool:
        assert sweep.run_sweep(of, threads, jobs=3, executor=pool) == sweep.Summary(24, 24, 0, 0)
    expected = sweep.sweep_rows(of, one)
    assert [row["features.seed"] for row in expected[:4]] == [0, 0, 0, 0]
    assert len({row["entropy_fd"] for row in expected}) == 24
    assert sweep.sweep_rows(of, two) == expected == sweep.sweep_rows(of, threads)


def test_nothing_is_computed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("LOG", str(log))
    store = tmp_path / "store"
    assert sweep.run_sweep(grid(3), store, compute=logged) == sweep.Summary(6, 6, 0, 0)
    with pytest.raises(InputError, match="--resume"):
        sweep.run_sweep(grid(3), store, compute=logged)
    assert len(log.read_text().split()) == 6
    assert sweep.run_sweep(grid(3), store, compute=logged, resume=True) == sweep.Summary(6, 0, 6, 0)
    assert sweep.run_sweep(grid(5), store, compute=logged, resume=True, jobs=2) == sweep.Summary(10, 4, 6, 0)
    assert len(log.read_text().split()) == 10


@pytest.mark.parametrize("jobs", [1, 2])
def test_failures_have_their_reason_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setenv("TRAP", str(tmp_path / "absent"))
    of, store = grid(6, **{"difference.step": ["1/10"]}), tmp_path / "store"
    reasons = ("seed 2 is not allowed", "ZeroDivisionError: one over nothing")
    assert sweep.run_sweep(of, store, compute=troubled, jobs=jobs) == sweep.Summary(6, 4, 0, 2, reasons)
    found = sweep.sweep_rows(of, store)
    assert [row["status"] for row in found] == ["done", "done", "failed", "crashed", "done", "done"]
    assert [row["reason"] for row in found if row["reason"]] == list(reasons)
    assert [row.get("value") for row in found] == [0, 1, None, None, 4, 5]
    # What is bad input stays so; what crashed is tried again.
    assert sweep.run_sweep(of, store, compute=troubled, resume=True) == sweep.Summary(6, 0, 4, 2, reasons)
    assert sweep.run_sweep(of, store, compute=entropy, resume=True) == sweep.Summary(6, 1, 4, 1, reasons[:1])


class Broken(Executor):
    """An executor whose workers are gone after the first batch."""

    def __init__(self) -> None:
        self.calls = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += 1
        future: Future[Any] = Future()
        if self.calls == 1:
            future.set_result(fn(*args, **kwargs))
        else:
            future.set_exception(BrokenExecutor("the cluster is gone"))
        return future


def test_an_executor_that_breaks_leaves_crashed_cells(tmp_path: Path) -> None:
    found = sweep.run_sweep(grid(), tmp_path / "store", executor=Broken())
    assert (found.total, found.computed, found.failed) == (12, 1, 11)
    assert "the cluster is gone" in found.reasons[0]
    assert sweep.run_sweep(grid(), tmp_path / "store", resume=True) == sweep.Summary(12, 11, 1, 0)


class Fragile(Executor):
    """A pool that breaks on the cell of seed 4 and, once it has taken some batches, refuses the next."""

    def __init__(self, takes: int, log: list[int]) -> None:
        self.takes, self.log, self.broken = takes, log, False

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.broken or not self.takes:
            raise BrokenExecutor("a worker has died")
        self.takes -= 1
        future: Future[Any] = Future()
        if 4 in args[2]:
            self.broken = True
            future.set_exception(BrokenExecutor("a worker has died"))
        else:
            self.log += args[2]
            future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("takes", [1, 2, 3, 7, 100])
def test_a_batch_that_a_broken_pool_refuses_goes_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, takes: int
) -> None:
    log: list[int] = []
    monkeypatch.setattr(sweep, "worker_pool", lambda jobs: nullcontext(Fragile(takes, log)))
    of, store = grid(12, **{"difference.step": ["1/10"]}), tmp_path / "store"
    found = sweep.run_sweep(of, store, jobs=2)
    assert (found.computed, found.failed) == (11, 1)
    assert "worker process died" in found.reasons[0]
    assert [row["status"] for row in sweep.sweep_rows(of, store)] == ["done"] * 4 + ["crashed"] + ["done"] * 7
    assert sorted(log) == [*range(4), *range(5, 12)]  # each once


def test_an_executor_that_refuses_leaves_crashed_cells(tmp_path: Path) -> None:
    log: list[int] = []
    found = sweep.run_sweep(grid(), tmp_path / "store", executor=Fragile(3, log))
    assert (found.computed, found.failed) == (len(log), 12 - len(log))
    assert log


def test_an_interrupt_ends_the_workers_and_keeps_what_was_done(tmp_path: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if done >= 3:
            raise KeyboardInterrupt

    before = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        sweep.run_sweep(grid(30), tmp_path / "store", jobs=2, progress=interrupt)
    deadline = time.monotonic() + 20
    while set(multiprocessing.active_children()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not set(multiprocessing.active_children()) - before
    kept = len(SweepStore(tmp_path / "store"))
    assert 3 <= kept < 60
    assert sweep.run_sweep(grid(30), tmp_path / "store", resume=True) == sweep.Summary(60, 60 - kept, kept, 0)


@pytest.mark.parametrize("compute", ["spectrum", "train"])
def test_other_computations_are_flat_rows(tmp_path: Path, compute: str) -> None:
    of = grid(2, compute=compute, **{"training.iterations": [5], "training.seeds": [2]})
    assert sweep.run_sweep(of, tmp_path / "store").computed == 4
    rows = sweep.sweep_rows(of, tmp_path / "store")
    assert all(isinstance(v, str | int | float | None) for row in rows for v in row.values())
    if compute == "spectrum":
        assert [rows[0][f"sigma_ad_{k}"] for k in range(1, 7)] == sorted(
            (rows[0][f"sigma_ad_{k}"] for k in range(1, 7)), reverse=True
        )
    else:
        for row in rows:
            assert row["loss_ad_own"] == pytest.approx(row["predicted_ad_own"], rel=1e-11)
            assert row["loss_fd_common"] == pytest.approx(row["predicted_fd_common"], rel=1e-11)
            assert row["runs"] == 2


def test_two_layer_networks_in_a_sweep(tmp_path: Path) -> None:
    axes = {"training.iterations": [3], "training.seeds": [2], "training.model": ["two-layer"]}
    of = grid(1, compute="train", **axes)
    sweep.run_sweep(of, tmp_path / "store")
    (row, _) = sweep.sweep_rows(of, tmp_path / "store")
    assert row["status"] == "done"
    assert row["loss_ad_own"] > 0
    assert row["diverged_ad_own"] == 0


def test_exact_cells_have_proven_signs(tmp_path: Path) -> None:
    of = grid(1, arithmetic=["exact", "float64"])
    sweep.run_sweep(of, tmp_path / "store")
    rows = sweep.sweep_rows(of, tmp_path / "store")
    exact = [row for row in rows if row["arithmetic"] == "exact"]
    assert [row["sign"] for row in exact] == ["fd<ad" if row["entropy_gap"] < 0 else "fd>ad" for row in exact]
    assert all(row["sign"] is None for row in rows if row["arithmetic"] == "float64")
    for a, b in zip(exact, (row for row in rows if row["arithmetic"] == "float64"), strict=True):
        assert a["entropy_ad"] == pytest.approx(b["entropy_ad"], rel=1e-9)


def test_undefined_entropies_have_a_reason(tmp_path: Path) -> None:
    of = grid(1, **{"entropy.tau": ["1"], "entropy.normalised": [True]})
    assert sweep.run_sweep(of, tmp_path / "store").computed == 2
    for row in sweep.sweep_rows(of, tmp_path / "store"):
        assert (row["entropy_ad"], row["cutoff_ad"], row["status"]) == (None, 1, "done")
        assert "0/0" in row["reason"]


def test_exports_agree(tmp_path: Path) -> None:
    of = grid(2, **{"difference.offsets": [[-1, 0, 1], [0, 1, 2]]})
    sweep.run_sweep(of, tmp_path / "store")
    rows = sweep.sweep_rows(of, tmp_path / "store")
    export(rows, tmp_path / "rows.json")
    export(rows, tmp_path / "rows.csv")
    assert json.loads((tmp_path / "rows.json").read_text()) == rows
    with open(tmp_path / "rows.csv", newline="") as file:
        for line, row in zip(csv.DictReader(file), rows, strict=True):
            assert {k: v or None for k, v in line.items()} == {k: None if v is None else str(v) for k, v in row.items()}
    assert rows[0]["difference.offsets"] == "[-1,0,1]"
    assert {p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"} == set()
    for name, words in (("rows.txt", "ends in"), ("absent/rows.csv", "no such folder")):
        with pytest.raises(InputError, match=words):
            export(rows, tmp_path / name)


def test_the_store_keeps_what_is_done_and_replaces_what_is_not(tmp_path: Path) -> None:
    store = SweepStore(tmp_path / "s")
    store.put([Record("a", "crashed", "{}", "gone", 0.0), Record("b", "done", '{"x":1}', None, 0.0)])
    store.put([Record("a", "done", '{"x":2}', None, 0.0), Record("b", "failed", "{}", "no", 0.0)])
    assert [r.row() for r in store.records(["b", "absent", "a"])] == [
        {"x": 1, "status": "done", "reason": None},
        {"x": 2, "status": "done", "reason": None},
    ]
    assert store.statuses(["a", "absent"]) == {"a": "done"}
    store.close()
    assert len(SweepStore(tmp_path / "s")) == 2
    Store(tmp_path / "s").put("result:1", 5)  # the results of other commands live beside the cells
    assert len(SweepStore(tmp_path / "s")) == 2
    assert [row["x"] for row in read_rows(tmp_path / "s")] == [2, 1]


def test_what_is_no_store_is_left_as_it_is(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("not a database, but long enough to be looked at\n" * 40)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    newer = tmp_path / "newer"
    SweepStore(newer)
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    before = text.read_bytes(), other.read_bytes()
    for path in (text, other, newer, tmp_path):
        with pytest.raises(InputError) as caught:
            sweep.run_sweep(grid(), path)
        assert "\n" not in str(caught.value)
    assert (text.read_bytes(), other.read_bytes()) == before
    with sqlite3.connect(newer) as connection:
        assert connection.execute("PRAGMA user_version").fetchall() == [(99,)]
        assert connection.execute("SELECT COUNT(*) FROM cell").fetchone() == (0,)
    connection.close()
    with pytest.raises(InputError, match="no such file"):
        read_rows(tmp_path / "absent")


def in_one_thread(folder: Path, kills: int, seeds: int, *checks: str) -> dict[str, Any]:
    """The checks of :mod:`forked_sweeps`, in a process of their own: this one may have threads, and a fork of it not."""
    script = Path(__file__).with_name("forked_sweeps.py")
    arguments = [sys.executable, str(script), str(folder), str(kills), str(seeds), *checks]
    environment = os.environ | {"PYTHONPATH": str(script.parents[3])}
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=290, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return in_one_thread(tmp_path_factory.mktemp("forked"), 4, 150, "kills", "fatal", "orphans", "writers")


def test_sweeps_killed_and_resumed_give_the_same_rows(forked: dict[str, Any]) -> None:
    found = forked["kills"]
    assert "error" not in found, found["error"]
    assert found["kills"] == 4
    assert found["partial"] >= 1


@pytest.mark.slow
def test_fifty_kills(tmp_path: Path) -> None:
    found = in_one_thread(tmp_path, 50, 1500, "kills")["kills"]
    assert "error" not in found, found["error"]
    print(found)
    assert found["kills"] == 50
    assert found["partial"] >= 20


def test_a_cell_that_kills_its_worker_takes_no_other_with_it(forked: dict[str, Any]) -> None:
    found = forked["fatal"]
    assert "error" not in found, found["error"]
    assert found["first"] == [9, 3]
    assert "worker process died" in found["reason"]
    assert found["again"] == [1, 9, 2]


def test_workers_do_not_outlive_a_killed_sweep(forked: dict[str, Any]) -> None:
    found = forked["orphans"]
    assert "error" not in found, found["error"]
    assert found["seconds"] < 10


def test_two_processes_write_one_store_while_a_third_reads(forked: dict[str, Any]) -> None:
    found = forked["writers"]
    assert "error" not in found, found["error"]
    assert found["rows"] is True
    assert found["reads"] >= 1


def test_two_sweeps_share_one_store(tmp_path: Path) -> None:
    """What one has computed the other takes; what both compute is the same row."""
    path = tmp_path / "store"
    assert sweep.run_sweep(grid(4), path).computed == 8
    assert sweep.run_sweep(grid(6), path, resume=True) == sweep.Summary(12, 4, 8, 0)
    assert sweep.sweep_rows(grid(4), path) == sweep.sweep_rows(grid(6), path)[:8]
