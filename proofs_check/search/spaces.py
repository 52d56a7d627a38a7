"""Spaces in which counterexamples are sought: what a claim quantifies over, small and simple things first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import ceil
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from numerics.problem.drawn import features, interior_points
from numerics.problem.problem import Problem, Vector
from proofs_check.claims.claim import Claim, Scope
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
