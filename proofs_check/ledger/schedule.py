"""Units of work that wait for others, in this process or in worker processes, the longest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from numerics.runs.store import Store
from numerics.runs.sweep import worker_pool

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and of how many."""


@dataclass(frozen=True)
class Unit:
    """Something to do.

    Attributes:
        content: what it is, as it travels to a worker.
        key: unique.
        label: what it is called in the progress.
        cost: a rough estimate in seconds.
        waits: keys of the units that should be done before; keys that never come up hold nothing back.
        vital: whether the run ends when it fails; what others only wait for is left to those, which say what is wrong.
        counts: for how much of what it counts in the progress; for one of its label, if empty.
    """

    content: Any
    key: str
    label: str
    cost: float = 1.0
    waits: frozenset[str] = frozenset()
    vital: bool = True
    counts: Mapping[str, int] = field(default_factory=dict)

    def counted(self) -> Mapping[str, int]:
        """For how much of what it counts in the progress."""
        return self.counts or {self.label: 1}


class _Count:
    """Tells of the progress, label by label; totals that are not known beforehand grow."""

    def __init__(self, totals: Mapping[str, int], tell: Progress | None) -> None:
        self.totals, self.tell = dict(totals), tell
        self.fixed = set(totals)
        self.done = dict.fromkeys(totals, 0)
        for label, total in totals.items():
            if tell and total:
                tell(label, 0, total)

    def seen(self, unit: Unit) -> None:
        for label, size in unit.counted().items():
            if label not in self.fixed:
                self.totals[label] = self.totals.get(label, 0) + size

    def finished(self, unit: Unit) -> None:
        for label, size in unit.counted().items():
            self.done[label] = self.done.get(label, 0) + size
            if self.tell:
                self.tell(label, self.done[label], self.totals[label])


def here(
    source: Iterable[Unit], perform: Callable[[str, Any], Any], totals: Mapping[str, int], tell: Progress | None
) -> None:
    """Does the units in this process, in their order; a unit that others wait for comes before them.

    Raises:
        Exception: what a vital unit raised.
    """
    count = _Count(totals, tell)
    for unit in source:
        count.seen(unit)
        try:
            perform(unit.key, unit.content)
        except Exception:
            if unit.vital:
                raise
        count.finished(unit)


def elsewhere(
    source: Iterable[Unit],
    perform: Callable[[str, Any], Any],
    totals: Mapping[str, int],
    tell: Progress | None,
    jobs: int,
    store: Store,
    shared: Sequence[str] = (),
) -> None:
    """Does the units in worker processes: of those that wait for nothing, the one of the greatest cost first.

    The source is read while the workers are at work.  ``store`` is held open meanwhile.  ``shared`` are modules that the
    workers will import: imported before they are forked, that is done once.

    Raises:
        RuntimeError: a worker process died; what was finished is in the store.
        Exception: what a vital unit raised.
    """
    with worker_pool(jobs, shared) as executor:
        executor.submit(int).result()  # the workers are there before anything else is opened or started
        with store.held_open():
            _Run(executor, perform, _Count(totals, tell), 2 * jobs).through(source)


class _Run:
    """The units of one run: waiting, ready, in flight."""

    def __init__(self, executor: Any, perform: Callable[[str, Any], Any], count: _Count, most: int) -> None:
        self.executor, self.perform, self.count, self.most = executor, perform, count, most
        self.ready: list[tuple[float, int, Unit]] = []
        self.flying: dict[Future[Any], Unit] = {}
        self.left: dict[str, int] = {}  # how many keys a waiting unit still waits for
        self.waiting: dict[str, list[Unit]] = {}  # units that wait for a key
        self.coming: set[str] = set()  # keys of units that are ready or in flight
        self.number = 0

    def through(self, source: Iterable[Unit]) -> None:
        try:
            for unit in source:
                self.count.seen(unit)
                self.add(unit)
                self.submit()
                self.collect(wait(self.flying, timeout=0).done)
            while self.flying:
                self.collect(wait(self.flying, return_when=FIRST_COMPLETED).done)
                self.submit()
        except BrokenExecutor:
            raise RuntimeError(
                "a worker process died (killed, or out of memory); what is done is kept: run again with --resume"
            ) from None

    def add(self, unit: Unit) -> None:
        open_ = unit.waits & self.coming
        if not open_:
            self.begin(unit)
            return
        self.left[unit.key] = len(open_)
        self.coming.add(unit.key)
        for key in open_:
            self.waiting.setdefault(key, []).append(unit)

    def begin(self, unit: Unit) -> None:
        self.coming.add(unit.key)
        heappush(self.ready, (-unit.cost, self.number, unit))
        self.number += 1

    def submit(self) -> None:
        while self.ready and len(self.flying) < self.most:
            _, _, unit = heappop(self.ready)
            self.flying[self.executor.submit(self.perform, unit.key, unit.content)] = unit

    def collect(self, done: Iterable[Future[Any]]) -> None:
        for future in done:
            unit = self.flying.pop(future)
            error = future.exception()
            if error is not None and (isinstance(error, BrokenExecutor) or unit.vital):
                raise error
            self.coming.discard(unit.key)
            self.count.finished(unit)
            for other in self.waiting.pop(unit.key, ()):
                self.left[other.key] -= 1
                if not self.left[other.key]:
                    self.begin(other)
