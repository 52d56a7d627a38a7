"""Sweeps: every combination of a grid computed once, in worker processes, each row kept the moment it is there.

The process that runs a sweep hands out batches of neighbouring cells, sized so that one takes about a quarter of a
second, and alone writes the store: after ``kill -9`` at most the batches in flight are computed again.  Any
:class:`concurrent.futures.Executor` may stand for the processes of this machine.  Each row carries its recipe: how it was computed, as far as the result
depends on it.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

from numerics.matrices.batches import Workbench
from numerics.runs.cells import COMPUTATIONS, Computation, Outcome, failure
from numerics.runs.grid import Plan, Sweep, load_sweep, sweep_from_table
from numerics.runs.rows import Record, SweepStore
from numerics.runs.store import Store
from theory.base.errors import InputError

RECIPES = {"entropy": 1, "spectrum": 1, "train": 1, "advise": 2}
"""Raised, for each kind of value, when the same cell comes out differently; a test holds golden values to them."""
LIBRARIES = {
    "entropy": ("numpy", "scipy", "python-flint"),
    "spectrum": ("numpy", "scipy", "python-flint"),
    "train": ("torch",),
    "advise": ("numpy", "scipy"),
}
"""Whose release (to the second number) the last digits depend on; cells are trained on the CPU."""


def recipe(kind: str) -> str:
    """The recipe of now.

    >>> recipe("train").startswith("train 1; torch ")
    True
    """
    parts = [f"{kind} {RECIPES.get(kind, 1)}"]
    for name in LIBRARIES.get(kind, ()):
        try:
            parts.append(f"{name} {'.'.join(version(name).split('.')[:2])}")
        except PackageNotFoundError:
            parts.append(f"{name} absent")
    return "; ".join(parts)


def is_current(stored: str, kind: str) -> bool:
    """Whether a row with this recipe is what would be computed now.

    A row of a version that recorded none is of the first; libraries that it does not name are not held against it.

    >>> is_current("", "entropy"), is_current("train 0; torch 2.5", "train"), is_current("train 1", "train")
    (True, False, True)
    """
    wanted = recipe(kind).split("; ")
    found = stored.split("; ") if stored else [f"{kind} 1"]
    libraries = dict(part.split(" ", 1) for part in wanted[1:])
    named = [part.split(" ", 1) for part in found[1:] if " " in part]
    return found[0] == wanted[0] and all(libraries.get(name, release) == release for name, release in named)


__all__ = ["Summary", "Sweep", "load_sweep", "recorded_sweeps", "run_sweep", "sweep_from_table", "sweep_rows", "work"]

BATCH_SECONDS = 0.25
"""About how long a batch takes."""
MAX_BATCH = 4096
RECORDED = 200_000
"""Largest sweep whose axes are written into its store."""
WATCH_SECONDS = 0.5
"""How often a worker looks whether the process that started it still lives."""

Progress = Callable[[str, int, int], None]
"""Called with what is done, how many are done, and of how many."""


@dataclass(frozen=True)
class Summary:
    """What a run did; ``total = computed + reused + failed``.

    Attributes:
        total: cells of the sweep.
        computed: cells computed now.
        reused: cells that the store had already.
        failed: cells without result, now or from before.
        reasons: of up to five failed cells, in the order of the grid.
        outdated: cells that were there by an older recipe, or with other libraries, and were computed again.
        refused: damaged rows that were taken out of the store.
        damage: what was wrong with the store, in a line; empty when nothing was.
    """

    total: int
    computed: int
    reused: int
    failed: int
    reasons: tuple[str, ...] = ()
    outdated: int = 0
    refused: int = 0
    damage: str = ""


_BENCHES: dict[str, Workbench] = {}


def _bench(sweep: Sweep) -> Workbench:
    """The workbench of a sweep in this process and thread; one at a time is kept."""
    key = f"{sweep.digest}:{threading.get_ident()}"
    if key not in _BENCHES:
        for old in [k for k in _BENCHES if k.endswith(f":{threading.get_ident()}")]:
            del _BENCHES[old]
        _BENCHES[key] = Workbench(Plan(sweep))
    return _BENCHES[key]


def work(sweep: Sweep, compute: Computation, positions: Sequence[int]) -> list[Outcome]:
    """Computes some cells in the process at hand."""
    return compute(_bench(sweep), positions)


def run_sweep(
    sweep: Sweep,
    path: Path | str,
    *,
    compute: Computation | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
    resume: bool = False,
    refresh: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Computes the cells of a sweep that its store lacks, or has by an older recipe.

    Args:
        sweep: the grid.
        path: the store, one SQLite file; made when absent.
        compute: what each cell computes, by default what ``sweep.compute`` names.  It must be picklable.
        jobs: worker processes; 1 computes in this process, 0 takes one for each core.  With an executor: how many
            batches it works on at a time.
        executor: where to compute instead; it is not shut down.  Threads are safe for floating-point arithmetics only:
            the precision of exact ones is a setting of the process.
        resume: go on with a store that has results; cells that are there are not computed again, except those whose
            computation crashed, and those that are damaged or of an older recipe.
        refresh: compute all cells of the sweep again.
        progress: told of every batch.

    Raises:
        InputError: the store cannot be used, has results although ``resume`` is false, or no cell poses a problem.
    """
    if compute is None:
        if sweep.compute not in COMPUTATIONS:
            raise InputError(f"sweep.compute: {sweep.compute!r} is not computed here; pass compute")
        compute = COMPUTATIONS[sweep.compute]
    store = SweepStore(path)
    damage = store.inspect()
    if not (resume or refresh) and len(store):
        raise InputError(f"{path}: has results of a sweep; continue it with --resume, or name another store")
    Plan(sweep).check()
    record_sweep(sweep, path)  # whose digest is computed once, and carried to the workers
    keys = list(sweep.keys())
    stored = {} if refresh else {record.key: record for record in store.records(keys)}
    kept = {key for key, record in stored.items() if record.status != "crashed"}
    outdated = {key for key in kept if not is_current(stored[key].recipe, sweep.compute)}
    kept -= outdated
    made_by = recipe(sweep.compute)
    todo = [position for position in sweep.computing_order() if keys[position] not in kept]
    jobs = jobs or cores()
    done = len(keys) - len(todo)
    if progress:
        progress("cells", done, len(keys))
    with closing(store), closing(_outcomes(sweep, compute, todo, jobs, executor)) as batches:
        for outcomes in batches:
            rows = (Record(keys[o.position], o.status, o.content, o.reason, o.seconds, made_by) for o in outcomes)
            store.put(rows, replace=refresh)
            done += len(outcomes)
            if progress:
                progress("cells", done, len(keys))
    found = _summary(store, keys, kept)
    return replace(found, outdated=len(outdated), refused=len(damage.refused), damage=damage.text())


def record_sweep(sweep: Sweep, path: Path | str) -> None:
    """Keeps what a sweep is beside its cells, so that the store explains itself."""
    axes = {axis.key: list(axis.values) for axis in sweep.axes} if sweep.total <= RECORDED else None
    Store(path).put(f"sweep:{sweep.digest}", {"table": dict(sweep.table), "axes": axes, "compute": sweep.compute})


def recorded_sweeps(path: Path | str) -> list[Sweep]:
    """The sweeps that were run into a store, in no order; those of more than RECORDED cells are left out.

    Raises:
        InputError: not a store.
    """
    found = []
    for content in Store(path).values("sweep:"):
        try:
            axes = {k.removeprefix("sweep."): v for k, v in content["axes"].items()}
            found.append(sweep_from_table(content["table"] | {"sweep": axes | {"compute": content["compute"]}}))
        except (InputError, AttributeError, KeyError, TypeError):
            continue  # written by another version, or by hand
    return found


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _summary(store: SweepStore, keys: list[str], kept: set[str]) -> Summary:
    statuses = store.statuses()
    bad = [key for key in keys if statuses.get(key) != "done"]
    reused = sum(1 for key in kept if statuses.get(key) == "done")
    reasons = tuple(r.reason or "" for r in store.records(bad[:5]))
    return Summary(len(keys), len(keys) - len(bad) - reused, reused, len(bad), reasons=reasons)


def sweep_rows(sweep: Sweep, path: Path | str) -> list[dict[str, Any]]:
    """The rows of a sweep in its store, in the order of the grid; cells that are not there yet are left out.

    Each is flat: the cell's dotted keys, its results, ``status`` and ``reason``.
    """
    return [record.row() for record in SweepStore(path).records(list(sweep.keys()))]


def _outcomes(
    sweep: Sweep, compute: Computation, todo: Sequence[int], jobs: int, executor: Executor | None
) -> Generator[list[Outcome], None, None]:
    """Batches of outcomes, as they come."""
    if not todo:
        return
    if executor is not None:
        yield from _Dispatch(sweep, compute, todo, max(1, jobs), None).run(executor)
    elif jobs == 1 or len(todo) == 1:
        batches = _Sizes(1)
        done = 0
        while batch := todo[done : done + batches.size(len(todo) - done)]:
            done += len(batch)
            start = time.perf_counter()
            yield work(sweep, compute, batch)
            batches.took(len(batch), time.perf_counter() - start)
    else:
        jobs = min(jobs, len(todo))
        dispatch = _Dispatch(sweep, compute, todo, jobs, lambda: worker_pool(jobs))
        yield from dispatch.run_own()


class _Sizes:
    """How many cells the next batch has: from how long those before took, and what is left for the workers."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.rate: float | None = None

    def size(self, left: int) -> int:
        """The next batch's size, when so many cells are left; at least 1."""
        wanted = 1 if self.rate is None else int(BATCH_SECONDS / max(self.rate, 1e-9))
        share = -(-left // (3 * self.jobs)) if self.jobs > 1 else left
        return max(1, min(wanted, share, MAX_BATCH))

    def took(self, cells: int, seconds: float) -> None:
        """Learns from a batch; the first ones read the problem's text and are slower."""
        rate = seconds / max(1, cells)
        self.rate = rate if self.rate is None else min(rate, (self.rate + rate) / 2)


def _is_broken(future: Future[Any]) -> bool:
    return not future.cancelled() and isinstance(future.exception(), BrokenExecutor)


def _timed(sweep: Sweep, compute: Computation, positions: Sequence[int]) -> tuple[list[Outcome], float]:
    start = time.perf_counter()
    return work(sweep, compute, positions), time.perf_counter() - start


class _Dispatch:
    """Hands batches to an executor and gathers what comes back; a batch that kills its worker is taken apart."""

    def __init__(
        self, sweep: Sweep, compute: Computation, todo: Sequence[int], jobs: int, pool: Callable[[], Any] | None
    ) -> None:
        self.sweep, self.compute, self.pool, self.jobs = sweep, compute, pool, jobs
        self.left: deque[int] = deque(todo)
        self.sizes = _Sizes(jobs)
        self.suspects: deque[int] = deque()

    def run_own(self) -> Iterator[list[Outcome]]:
        """With pools of our own: a broken one is replaced, and what was in flight is tried cell by cell."""
        assert self.pool is not None
        while self.left or self.suspects:
            with self.pool() as executor:
                yield from self.run(executor)

    def _submit(self, executor: Executor, flying: dict[Future[Any], list[int]]) -> None:
        # Suspects go one at a time: the one that kills its worker is then known.
        waiting, most = (self.suspects, 1) if self.suspects else (self.left, 2 * self.jobs)
        while waiting and len(flying) < most:
            size = 1 if waiting is self.suspects else self.sizes.size(len(waiting))
            batch = list(islice(waiting, size))
            flying[executor.submit(_timed, self.sweep, self.compute, batch)] = batch
            for _ in batch:  # only now: a pool that breaks before it takes a batch leaves it to the next one
                waiting.popleft()

    def run(self, executor: Executor) -> Iterator[list[Outcome]]:
        """Until nothing is left, or the executor is broken and can be replaced."""
        flying: dict[Future[Any], list[int]] = {}
        while True:
            refused = None
            try:
                self._submit(executor, flying)
            except BrokenExecutor as error:  # what is in flight still ends, one way or the other
                refused = error
            if not flying:
                if refused:
                    yield from self._broken(refused, [], alone=False)
                return
            finished, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in sorted(finished, key=_is_broken):  # what was computed before the breakdown is kept
                batch = flying.pop(future)
                try:
                    outcomes, seconds = future.result()
                except BrokenExecutor as error:
                    yield from self._broken(error, [batch, *flying.values()], len(batch) == 1 and not flying)
                    return
                except Exception as error:  # a batch that cannot travel, or a worker lost elsewhere
                    outcomes, seconds = self._failed(batch, error), 0.0
                self.sizes.took(len(batch), seconds)
                yield outcomes

    def _failed(self, batch: Sequence[int], error: BaseException) -> list[Outcome]:
        bench = _bench(self.sweep)
        return [failure(bench, position, error) for position in batch]

    def _broken(self, error: BaseException, batches: Sequence[Sequence[int]], alone: bool) -> Iterator[list[Outcome]]:
        lost = [position for batch in batches for position in batch]
        if self.pool is None:  # the caller's executor: nothing can be computed there any more
            rest = [*lost, *self.suspects, *self.left]
            self.suspects.clear()
            self.left.clear()
            yield self._failed(rest, error)
        elif alone:
            yield self._failed(lost, RuntimeError("its worker process died (killed, or out of memory)"))
        else:
            self.suspects.extend(lost)


def _start_worker(parent: int) -> None:
    """In a worker: leave Ctrl-C to the parent, and do not outlive it (after ``kill -9`` nobody ends the workers)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # what was there before the fork is not looked through again, nor copied for that

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _may_fork() -> bool:
    """Whether this process has one thread only, and keeps to one, so that a forked copy of it is sound.

    The kernel may list a thread for a moment after it has ended: those of a pool just closed are waited for.
    """
    if os.environ.get("OMP_NUM_THREADS") != "1":
        return False
    try:
        for _ in range(20):
            alone = sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
            if alone or threading.active_count() > 1:
                return alone
            time.sleep(0.005)
    except OSError:
        pass
    return False


@contextmanager
def forked_pool(jobs: int) -> Iterator[Executor | None]:
    """As :func:`worker_pool` where that takes milliseconds, else None: for work of a few seconds."""
    if _may_fork():
        with worker_pool(jobs) as executor:
            yield executor
    else:
        yield None


@contextmanager
def worker_pool(jobs: int, shared: Sequence[str] = ()) -> Iterator[Executor]:
    """Worker processes of this machine, each with one thread for linear algebra.

    Forked from this process where that is sound, which takes milliseconds; else started anew by joblib's loky.  Forked
    ones find the modules ``shared`` imported.
    """
    executor: Any
    if shared and _may_fork():
        for module in shared:
            importlib.import_module(module)
    if _may_fork():  # what was imported may have started threads
        context = multiprocessing.get_context("fork")
        executor = ProcessPoolExecutor(jobs, context, initializer=_start_worker, initargs=(os.getpid(),))
    else:
        from joblib.externals.loky import ProcessPoolExecutor as Loky

        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        executor = Loky(jobs, initializer=_start_worker, initargs=(os.getpid(),), env=limits)
    try:
        yield executor
        executor.shutdown(wait=True)
    except BaseException:  # interrupted: what is in flight is given up
        # Both kinds take their workers' deaths for a breakdown and give up; loky's own way to kill them loses a race
        # against results that are on their way.
        for process in list((getattr(executor, "_processes", None) or {}).values()):
            with suppress(OSError):
                os.kill(process.pid, signal.SIGKILL)
        if isinstance(executor, ProcessPoolExecutor):
            executor.shutdown(wait=True, cancel_futures=True)
        else:
            executor.shutdown(wait=True)
        raise
