"""Spaces in which counterexamples are sought: what a claim quantifies over, small and simple things first.

The search for the smallest counterexample to a claim, bounded in time and the same for the same seed.

Rounds of Hypothesis over the claim's own space (:mod:`proofs_check.search.refute`), each with more features, points and
larger denominators than the one before, so that what is found first is small; then Hypothesis shrinks it.  Cells in
exact arithmetic come first, because their counterexamples are certified.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, cycle, islice
from math import ceil
from random import Random
from types import FrameType
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException, NoSuchExample
from hypothesis.strategies import DrawFn, SearchStrategy

from numerics.problem.drawn import features, interior_points
from numerics.problem.problem import Problem, Vector
from proofs_check.claims.claim import Claim, Scope
from proofs_check.claims.verdicts import Outcome
from proofs_check.ledger.judging import evaluate, meets
from proofs_check.search.strategies import STEPS, rationals, spectra

T = TypeVar("T")

SAMPLE = 400
"""How many instances of a cell are looked at to learn what it is about."""
LEAST_BOUND = 4
"""Weights and biases are drawn from at least [−4, 4]."""
FIXED_STEP = ("step", "regime")
"""Coordinates of a cell that fix the step."""


@dataclass(frozen=True)
class Size:
    """The most features and points of the problems that are drawn, and the largest denominator of their numbers."""

    features: int = 4
    points: int = 4
    denominator: int = 12


@st.composite
def like(
    draw: DrawFn,
    template: Problem,
    *,
    size: Size = Size(),
    least: int = 1,
    bound: int = LEAST_BOUND,
    steps: Sequence[Fraction] = STEPS,
    frequencies: bool = False,
) -> Problem:
    """Problems with the operator, activation, boundary rows and stencil of ``template``, and features, points and step
    of their own: distinct explicit rationals, no weight zero.  They shrink to few features and points, small rationals.

    Args:
        template: what is kept.
        size: the most features and points, and the largest denominator.
        least: the least number of features and of points.
        bound: of weights and biases, in absolute value.
        steps: the steps h, simplest first.
        frequencies: whether the weights of any two features differ in more than sign.
    """
    number = rationals(-bound, bound, size.denominator)
    weight: SearchStrategy[Vector] = st.tuples(*(number for _ in template.domain)).filter(any)
    point: SearchStrategy[Vector] = st.tuples(*(_between(low, high, size.denominator) for low, high in template.domain))
    different = (lambda f: max(f[0], tuple(-c for c in f[0]))) if frequencies else (lambda f: f)
    drawn = draw(st.lists(st.tuples(weight, number), min_size=least, max_size=size.features, unique_by=different))
    placed = draw(st.lists(point, min_size=least, max_size=size.points, unique=True))
    return template.with_(
        weights=tuple(w for w, _ in drawn),
        biases=tuple(b for _, b in drawn),
        count=len(drawn),
        seed=0,
        interior=tuple(placed),
        layout="grid",
        points_seed=0,
        step=(draw(st.sampled_from(tuple(steps))),),
    )


def _between(low: Fraction, high: Fraction, denominator: int) -> SearchStrategy[Fraction]:
    """Simple rationals of an interval, or simple fractions of it where it holds too few of them."""
    if high - low >= 1:
        return rationals(low, high, denominator)
    return rationals(0, 1, denominator).map(lambda t: low + (high - low) * t)


def explicit(problem: Problem) -> Problem:
    """The same problem with its features and interior points written out, exactly."""
    drawn = features(problem)
    return problem.with_(
        weights=drawn.weights,
        biases=drawn.biases,
        seed=0,
        interior=interior_points(problem),
        layout="grid",
        points_seed=0,
    )


def seeded(problem: Callable[[int], Problem]) -> SearchStrategy[Problem]:
    """Random draws by their seed, features written out: for statements about large random problems."""
    return st.integers(0, 2**31).map(lambda seed: explicit(problem(seed)))


def pairs(make: Callable[[tuple[Fraction, ...], tuple[Fraction, ...]], T], least: int = 2) -> SearchStrategy[T]:
    """Two spectra of the same length, positive and descending, handed to ``make``."""

    def both(n: int) -> SearchStrategy[T]:
        one = spectra(min_size=n, max_size=n, zeros=False)
        return st.builds(make, one, one)

    return st.integers(least, 6).flatmap(both)


def lifted(make: Callable[[tuple[Fraction, ...], tuple[Fraction, ...]], T]) -> SearchStrategy[T]:
    """Pairs of spectra, half of them with monotone ratios; the second keeps the indices of the first."""

    def scaled(pair: tuple[tuple[Fraction, ...], tuple[Fraction, ...]], rising: bool) -> T:
        first, factors = pair
        return make(first, tuple(f * v for f, v in zip(sorted(factors, reverse=not rising), first, strict=True)))

    return st.builds(scaled, pairs(lambda a, b: (a, b)), st.booleans()) | pairs(make)


def space_of(claim: Claim, scope: Scope, size: Size = Size()) -> SearchStrategy[Any]:
    """The space of one cell: the claim's own, or one made from the cell's instances.

    Problems of a statement about all of them keep what the cell's instances have in common (operator, activation,
    boundary, stencil; the step where the cell fixes it) and get features and points of their own.  Of anything else the
    instances themselves are searched: what else they have in common, only the claim knows.
    """
    if claim.search is not None:
        return claim.search(scope)
    patterns = _patterns(claim, scope)
    if patterns:
        return around(claim, scope, patterns, size)
    return st.sampled_from(list(islice(claim.instances(scope, "full"), SAMPLE)))


def is_list(claim: Claim, scope: Scope) -> bool:
    """Whether the space of a cell is the list of its instances, so that a search can come to its end."""
    if claim.search is not None:
        return False
    return not _patterns(claim, scope)


def _patterns(claim: Claim, scope: Scope) -> list[Problem]:
    """The instances of a cell where they are problems and the claim is about all such."""
    if claim.quantifier.kind != "all":
        return []
    found = list(islice(claim.instances(scope, "quick"), SAMPLE))
    return found if all(isinstance(instance, Problem) for instance in found) else []


def around(claim: Claim, scope: Scope, patterns: Sequence[Problem], size: Size = Size()) -> SearchStrategy[Problem]:
    """Small problems like these, in what :func:`like` keeps."""
    return st.one_of([_around(scope, group, size) for group in _groups(claim, patterns)])


def _groups(claim: Claim, instances: Sequence[Problem]) -> list[list[Problem]]:
    """The instances grouped by what :func:`like` keeps; groups that miss an assumption in every instance are left out
    where others are there."""
    found: dict[str, list[Problem]] = {}
    for instance in instances:
        bare = instance.with_(
            weights=((Fraction(1),) * instance.dimension,),
            biases=(Fraction(0),),
            count=1,
            seed=0,
            interior=((Fraction(0),) * instance.dimension,),
            layout="grid",
            points_seed=0,
            step=(Fraction(1),),
        )
        found.setdefault(bare.key, []).append(instance)
    meeting = [
        group
        for group in found.values()
        if any(all(a.reads_spectra or a.holds(i) for a in claim.assumptions) for i in group)
    ]
    return meeting or list(found.values())


def _around(scope: Scope, group: list[Problem], size: Size) -> SearchStrategy[Problem]:
    drawn = [features(instance) for instance in group[:8]]
    largest = max((abs(c) for f in drawn for w in f.weights for c in w), default=Fraction(0))
    own = sorted({instance.h for instance in group}, key=lambda h: (h.denominator, h))
    fixed = any(key in scope for key in FIXED_STEP)
    steps = own if fixed else sorted({*STEPS, *own}, key=lambda h: (h.denominator, h))
    return like(group[0], size=size, bound=max(LEAST_BOUND, ceil(largest)), steps=steps)


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
