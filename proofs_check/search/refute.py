"""The search for the smallest counterexample to a claim, bounded in time and the same for the same seed.

Rounds of Hypothesis over the claim's own space (:mod:`proofs_check.search.spaces`), each with more features, points and
larger denominators than the one before, so that what is found first is small; then Hypothesis shrinks it.  Cells in
exact arithmetic come first, because their counterexamples are certified.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, cycle
from random import Random
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException, NoSuchExample

from numerics.problem.problem import Problem
from proofs_check.claims.claim import Claim, Scope
from proofs_check.claims.verdicts import Outcome
from proofs_check.ledger.judging import evaluate, meets
from proofs_check.search.spaces import Size, is_list, space_of

ROUNDS = (Size(1, 1, 2), Size(1, 2, 4), Size(2, 2, 3), Size(2, 3, 6), Size(3, 3, 4), Size(4, 4, 12), Size(6, 6, 12))
"""How large the problems of each round may be; the last ones repeat, with other seeds."""
LAST = 3
"""How many of the rounds repeat."""
EXAMPLES = 40
"""How many instances a round draws, for each feature and point."""
PATIENCE = 25
"""A round of small problems ends early when so many of them have been judged and not one was decided."""
GRACE = 1.0
"""Seconds that a check under way has to end by itself when the time is up."""


@dataclass(frozen=True)
class Counterexample:
    """An instance that meets the assumptions of a cell and at which the predicate fails."""

    scope: Scope
    instance: Any
    outcome: Outcome


@dataclass
class Effort:
    """What a search did.

    Attributes:
        tried: instances whose predicate was evaluated.
        rejected: instances that miss an assumption.
        undecided: instances at which the predicate could not be decided.
        failed: instances at which the check itself failed; no counterexamples.
        failure: the first such failure.
        failing: instances at which the predicate fails, those of the shrinking among them.
        rounds: rounds begun.
        complete: whether it ended by itself: a counterexample shrunk to the end, or the whole space searched.
        seconds: wall time.
    """

    tried: int = 0
    rejected: int = 0
    undecided: int = 0
    failed: int = 0
    failure: str | None = None
    failing: int = 0
    rounds: int = 0
    complete: bool = False
    seconds: float = 0.0
    best: Counterexample | None = field(default=None, repr=False)


class _TimeUp(BaseException):
    """Ends a search; not an Exception, so that no check takes it for its own failure."""


class _Barren(BaseException):
    """Ends a round whose instances are too small to decide anything."""


def search(claim: Claim, scopes: Sequence[Scope], seconds: float, seed: int = 0) -> Effort:
    """Searches the cells for a counterexample, for at most so many seconds; ``best`` is the smallest one found.

    The same seed gives the same search; a search that is cut off by the clock may stop earlier or later in it.
    """
    effort = Effort()
    start = time.monotonic()
    generator = Random(seed)
    try:
        with _bounded(seconds + GRACE):
            for cells, size in _rounds(scopes):
                if effort.complete:
                    break
                _round(claim, cells, len(scopes), size, generator, effort, start + seconds)
                effort.rounds += 1
    except _TimeUp:
        pass
    effort.seconds = time.monotonic() - start
    return effort


def _rounds(scopes: Sequence[Scope]) -> Iterator[tuple[Sequence[Scope], Size]]:
    """All sizes in turn, then the last ones without end; each in the cells of exact arithmetic, then in all."""
    certain = [scope for scope in scopes if scope.get("arithmetic", "exact") == "exact"]
    groups = [group for group in (certain, scopes) if group]
    if len(certain) == len(scopes):
        groups.pop()
    for size in chain(ROUNDS, cycle(ROUNDS[-LAST:])):
        for group in groups:
            yield group, size


def _round(
    claim: Claim, scopes: Sequence[Scope], cells: int, size: Size, generator: Random, effort: Effort, deadline: float
) -> None:
    """One round: generation, and shrinking when something is found.  Sets ``complete`` when there is no more to do."""
    spaces: dict[int, st.SearchStrategy[Any]] = {}

    def inside(index: int) -> st.SearchStrategy[tuple[int, Any]]:
        if index not in spaces:
            spaces[index] = space_of(claim, scopes[index], size)
        return st.tuples(st.just(index), spaces[index])

    def fails(drawn: tuple[int, Any]) -> bool:
        if time.monotonic() > deadline:
            raise _TimeUp
        undecided = effort.tried - effort.undecided == decided
        if undecided and effort.tried + effort.failed - judged >= PATIENCE and size not in ROUNDS[-LAST:]:
            raise _Barren
        scope, instance = scopes[drawn[0]], drawn[1]
        outcome = _evaluate(claim, instance, scope, effort)
        if outcome is None or outcome.holds is not False:
            return False
        effort.failing += 1
        found = Counterexample(scope, instance, outcome)
        if effort.best is None or magnitude(instance) <= magnitude(effort.best.instance):
            effort.best = found
        return True

    asked = EXAMPLES * (size.features + size.points)
    options = settings(
        max_examples=asked,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    judged, decided = effort.tried + effort.failed, effort.tried - effort.undecided
    before = judged + effort.rejected
    try:
        index, instance = find(
            st.integers(0, len(scopes) - 1).flatmap(inside), fails, settings=options, random=Random(generator.random())
        )
    except _Barren:
        return
    except NoSuchExample:
        # Fewer draws than asked for: Hypothesis has seen the whole space, which is that of every round if it is a list.
        seen = effort.tried + effort.rejected + effort.failed - before
        effort.complete = seen < asked and len(scopes) == cells and all(is_list(claim, s) for s in scopes)
        return
    except HypothesisException as error:  # such as a check whose answer changes from one time to the next
        if time.monotonic() > deadline:
            raise _TimeUp from None  # the alarm rang while Hypothesis was drawing
        effort.failed += 1
        effort.failure = effort.failure or f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        if effort.best is not None and not _stands(claim, effort.best, effort):
            effort.best = None
        return
    outcome = _evaluate(claim, instance, scopes[index], effort)
    if outcome is not None and outcome.holds is False:
        effort.best = Counterexample(scopes[index], instance, outcome)
    effort.complete = True


def _stands(claim: Claim, found: Counterexample, effort: Effort) -> bool:
    """Whether a counterexample is still one when it is evaluated again."""
    outcome = _evaluate(claim, found.instance, found.scope, effort)
    return outcome is not None and outcome.holds is False


def _evaluate(claim: Claim, instance: Any, scope: Scope, effort: Effort) -> Outcome | None:
    """The outcome at an instance; None where it does not count: an assumption is missed, or the check fails to run."""
    try:
        if not meets(claim, instance):
            effort.rejected += 1
            return None
        outcome = evaluate(claim, instance, scope)
    except Exception as error:  # a degenerate instance, a precision cap: not a counterexample, but not hidden either
        effort.failed += 1
        effort.failure = effort.failure or f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return None
    effort.tried += 1
    effort.undecided += outcome.holds is None
    return outcome


def magnitude(instance: Any) -> tuple[int, int, int]:
    """How large an instance is: features, points, then the digits of its numbers (of others, of its text)."""
    if isinstance(instance, Problem):
        rows = len(instance.interior) if instance.interior and isinstance(instance.interior[0], tuple) else 0
        return instance.count, rows, len(str(instance.to_dict()))
    return 0, 0, len(repr(instance))


def _unsafe(frame: FrameType | None) -> bool:
    """Whether an exception must not be raised now: it would be swallowed, or leave a module half imported."""
    if frame is not None and frame.f_code.co_name in {"gc_callback", "__del__"}:
        return True
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raises :class:`_TimeUp` after so many seconds also inside a long check, where the platform has an alarm."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        if _unsafe(frame):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
        else:
            raise _TimeUp

    begun = time.monotonic()
    previous = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if left:  # another alarm was set, such as a test's time limit
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - begun), 0.001), interval)
