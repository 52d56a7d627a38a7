"""The schedule: everything once, nothing before what it waits for, the longest first, and what fails."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.runs.store import Store
from proofs_check.ledger import ledger, runner, schedule
from proofs_check.ledger.schedule import Unit


class Later:
    """An executor whose futures come to an end in an order of its own, one each time it is asked."""

    def __init__(self, choose: Callable[[int], int]) -> None:
        self.choose = choose
        self.flying: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self.order: list[str] = []
        self.most = 0

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        self.flying.append((future, function, arguments))
        self.most = max(self.most, len(self.flying))
        if len(self.flying) == 4:  # as if a worker had finished meanwhile
            self.finish()
        return future

    def finish(self) -> None:
        future, function, arguments = self.flying.pop(self.choose(len(self.flying)))
        self.order.append(arguments[0])
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)


@st.composite
def units(draw: st.DrawFn) -> list[Unit]:
    """Units that wait for earlier ones, and for keys that never come up."""
    made: list[Unit] = []
    for k in range(draw(st.integers(0, 12))):
        waits = draw(st.lists(st.sampled_from(["absent", *(u.key for u in made)]), max_size=3))
        label = draw(st.sampled_from(["cells", "spectra"]))
        cost = draw(st.floats(0, 10))
        made.append(Unit(k, f"u{k}", label, cost, frozenset(waits), vital=label == "cells"))
    return made


Told = list[tuple[str, int, int]]


def _through(work: list[Unit], perform: Callable[[str, Any], Any], choose: Callable[[int], int]) -> tuple[Later, Told]:
    """Runs the units with an executor of ours in place of worker processes."""
    told: Told = []
    totals = {"cells": sum(u.label == "cells" for u in work)}
    executor = Later(choose)

    def wait(flying: dict[Future[Any], Unit], timeout: float | None = None, return_when: str = "") -> Any:
        while timeout is None and not any(f.done() for f in flying):
            executor.finish()
        return type("Waited", (), {"done": [f for f in flying if f.done()]})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "wait", wait)
        count = schedule._Count(totals, lambda *what: told.append(what))
        schedule._Run(executor, perform, count, 4).through(iter(work))
    return executor, told


@given(units(), st.randoms(use_true_random=False))
def test_everything_once_and_after_what_it_waits_for(work: list[Unit], random: Any) -> None:
    seen: list[str] = []
    executor, told = _through(work, lambda key, content: seen.append(key), lambda n: random.randrange(n))
    assert sorted(seen) == sorted(u.key for u in work)
    for unit in work:
        assert all(seen.index(key) < seen.index(unit.key) for key in unit.waits if key != "absent")
    for label in {u.label for u in work}:
        counts = [(done, total) for what, done, total in told if what == label and done]
        assert [done for done, _ in counts] == list(range(1, len(counts) + 1))
        assert counts[-1][0] == counts[-1][1] == sum(u.label == label for u in work)
    assert executor.most <= 4


def test_the_longest_of_what_is_ready_goes_first() -> None:
    work = [Unit(0, "gate", "spectra", 0.5), *(Unit(k, f"u{k}", "cells", k, frozenset({"gate"})) for k in (1, 3, 2, 9))]
    executor, _ = _through(work, lambda key, content: None, lambda n: 0)
    assert executor.order == ["gate", "u9", "u3", "u2", "u1"]


@given(units(), st.integers(0, 11), st.randoms(use_true_random=False))
def test_a_vital_unit_that_fails_ends_the_run_and_others_do_not(work: list[Unit], bad: int, random: Any) -> None:
    seen: list[str] = []

    def perform(key: str, content: int) -> None:
        seen.append(key)
        if content == bad:
            raise ValueError(key)

    if bad < len(work) and work[bad].vital:
        with pytest.raises(ValueError, match=f"u{bad}"):
            _through(work, perform, lambda n: random.randrange(n))
        with pytest.raises(ValueError, match=f"u{bad}"):
            schedule.here(work, perform, {"cells": 0}, None)
    else:
        _through(work, perform, lambda n: random.randrange(n))
        schedule.here(work, perform, {"cells": 0}, None)
        assert sorted(seen) == sorted(2 * [u.key for u in work])


def _die(key: str, content: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_worker_that_dies_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="run again with --resume"):
        schedule.elsewhere([Unit(0, "a", "cells"), Unit(1, "b", "cells")], _die, {"cells": 2}, None, 2,
                           Store(tmp_path / "store.sqlite"))  # fmt: skip


def test_asking_for_spectra_that_fails_is_an_error_of_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim whose instances cannot be made comes to ERROR, and takes no other with it."""
    (task, other, *_) = runner.tasks(ledger.select(["stencils.truncation", "stencils.peano"]), "quick")[6:8]
    honest = runner.resolve

    def broken(asked: runner.Task) -> Any:
        claim = honest(asked)
        if asked.claim != task.claim:
            return claim

        def instances(scope: Any, profile: Any) -> Any:
            raise ValueError("no instances today")

        return claim.with_(instances=instances, requests=lambda instance, scope: ())

    monkeypatch.setattr(runner, "resolve", broken)
    first, second = runner.run([task, other])
    assert first["verdict"] == "ERROR"
    assert "no instances today" in first["evidence"]["summary"]
    assert second["verdict"] == "CERTIFIED"


def _results(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
            return dict(connection.execute("SELECT key, value FROM result"))
    except sqlite3.Error:
        return {}


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """``kill -9`` of the whole run: what was finished is there, unchanged, and is not computed again."""
    out = tmp_path / "out"
    program = "from proofs_check.cli.main import main; main()"
    options = ["verify", "stencils", "symbols", "--jobs", "2", "--out", str(out)]
    command = [sys.executable, "-c", program, *options]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(_results(out / "store.sqlite")) < 8 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    kept = _results(out / "store.sqlite")
    assert len(kept) >= 8
    work = runner.tasks(ledger.select(["stencils", "symbols"]), "quick")
    assert len(kept) < len(work)  # it was killed before its end
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    after = _results(out / "store.sqlite")
    assert all(after[key] == value for key, value in kept.items())  # the times taken among them: not computed again
    assert len(after) == len(work)


def test_cells_that_read_the_same_spectra_are_judged_together() -> None:
    """Every task in one unit, those of a batch alike in what they read, exact spectra before the cells that read them."""
    chosen = ledger.select(["S2", "stencils.peano"])
    work = [*runner.tasks(chosen, "quick", {"activation": "sin"}), *runner.tasks(chosen[-1:], "quick")]
    work += runner.mutant_tasks(chosen, "quick")
    units = list(runner._units(work, [], Store(None)))
    batches = [unit for unit in units if isinstance(unit.content, tuple) and isinstance(unit.content[0], tuple)]
    judged = [pair for unit in batches for pair in unit.content]
    assert sorted(key for key, _ in judged) == sorted(task.key for task in work)
    assert all(key == task.key for key, task in judged)
    assert any(len(unit.content) > 1 for unit in batches)
    spectra = [unit.key for unit in units if unit.label == "spectra"]
    assert len(set(spectra)) == len(spectra) > 0
    for unit in batches:
        mutants = sum(task.mutant is not None for _, task in unit.content)
        assert unit.counts.get("mutants", 0) == mutants
        assert unit.counts.get("cells", 0) == len(unit.content) - mutants
        read = {frozenset(runner.requested(task)) for _, task in unit.content}
        assert len(read) == 1
        if not next(iter(read)):
            assert {runner.ledger_homes()[task.claim] for _, task in unit.content} == {
                "proofs_check.families.differences.remainders"
            }
            assert not unit.waits
            continue
        assert len(unit.content) <= runner.BATCH
        place = units.index(unit)
        assert {u.key for u in units[:place] if u.label == "spectra"} >= unit.waits
        assert bool(unit.waits) == any(
            not isinstance(request, tuple) or request[2] == "exact" for request in read.pop()
        )  # samples of spectra are prepared once, as exact ones are


def test_parts_of_figures_are_made_with_the_cells_once_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proofs_check.report import data

    made: list[str] = []

    def make(name: str) -> dict[str, Any]:
        made.append(name)
        return {"name": name}

    work = [("spectra", lambda: make("a")), ("entropy", lambda: make("b")), ("spectra", lambda: make("c"))]
    monkeypatch.setattr(data, "figure_work", lambda profile: work)
    store = tmp_path / "store.sqlite"
    parts = runner.figure_parts("quick")
    told: list[tuple[str, int, int]] = []
    runner.run(_quick_tasks(), store_path=store, parts=parts, progress=lambda *what: told.append(what))
    assert made == ["a", "b", "c"]
    assert [t for t in told if t[0] == "figures"] == [("figures", k, 3) for k in range(4)]
    runner.run(_quick_tasks(), store_path=store, parts=parts)  # resumed: nothing is made again
    found = runner.figures("quick", store)
    assert made == ["a", "b", "c"]
    assert found["spectra"] == [{"name": "a"}, {"name": "c"}]
    assert found["entropy"] == [{"name": "b"}]
    assert runner.figures("quick", tmp_path / "other.sqlite")["entropy"] == [{"name": "b"}]  # made where absent
    assert len(made) == 6


def _quick_tasks() -> list[runner.Task]:
    return runner.tasks(ledger.select(["stencils.truncation"]), "quick", {"stencil": "central m=2 p=2"})
