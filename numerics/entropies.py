"""Truncated entropies of spectra given by enclosures: the hull over everything the enclosures leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint

from numerics.enclosure import Enclosure, from_ball, to_ball
from numerics.problem import Arithmetic, Problem
from numerics.spectra import Spectrum, spectrum
from theory.entropy import Convention, cutoff_range, truncated_entropy

PRECISION = 200
"""Bits of the ball arithmetic with which entropies are computed."""


@dataclass(frozen=True)
class EntropyEnclosure:
    """A truncated entropy between two rationals.

    Attributes:
        value: the enclosure; None when the entropy is undefined for a cut-off that is possible.
        cutoff: the least and the greatest possible effective cut-off number.
        reason: one line when ``value`` is None.
    """

    value: Enclosure | None
    cutoff: tuple[int, int]
    reason: str | None = None

    def middle(self) -> float | None:
        """The middle, as a float."""
        return None if self.value is None else float(self.value.middle)


def entropy_enclosure(values: Sequence[Enclosure], convention: Convention) -> EntropyEnclosure:
    """The hull of the truncated entropies of all spectra inside the enclosures (descending)."""
    return entropy_enclosures(values, [convention])[0]


def entropy_enclosures(values: Sequence[Enclosure], conventions: Sequence[Convention]) -> list[EntropyEnclosure]:
    """:func:`entropy_enclosure` under each of several conventions: the balls are made once."""
    with flint.ctx.workprec(PRECISION):
        balls = [to_ball(v, PRECISION) for v in values]
        # Quotients of wide balls reach 0 and have no logarithm: from the first wide one on, values count as anything
        # in [0, c].
        narrow = next((k for k, v in enumerate(values) if 4 * v.upper > 5 * v.lower), len(balls))
        rules = {_rule(convention): convention for convention in conventions}
        ranges = {rule: cutoff_range(balls, convention) for rule, convention in rules.items()}
        known: dict[tuple[int, int, bool], Enclosure | str] = {}
        return [
            _enclosure(balls, values, narrow, ranges[_rule(convention)], convention, known)
            for convention in conventions
        ]


def _rule(convention: Convention) -> tuple[object, ...]:
    """What the cut-off depends on."""
    return convention.rule, convention.tau, convention.power, convention.rank


def _enclosure(
    balls: list[flint.arb],
    values: Sequence[Enclosure],
    narrow: int,
    cutoffs: tuple[int, int],
    convention: Convention,
    known: dict[tuple[int, int, bool], Enclosure | str],
) -> EntropyEnclosure:
    """The hull over the cut-offs; ``known`` keeps what rules share, which differ in the cut-off alone."""
    lowest, highest = cutoffs
    parts: list[Enclosure] = []
    for r in range(lowest, highest + 1):
        key = (r, int(convention.power), convention.normalised)
        part = known.get(key) if r > 1 else None
        if part is None:
            part = known[key] = _at(balls[:r], values[:r], min(narrow, r), convention)
        if isinstance(part, str):
            return EntropyEnclosure(None, (lowest, highest), part)
        parts.append(part)
    return EntropyEnclosure(Enclosure.hull(parts), (lowest, highest))


def _at(balls: list[flint.arb], values: Sequence[Enclosure], narrow: int, convention: Convention) -> Enclosure | str:
    """The entropy of the first r values; from ``narrow`` on they may only be known to lie in [0, c].

    Raising σ_k raises H while p_k < exp(−H) (the threshold of :mod:`theory.entropy`); since H ≤ log r, p_k < 1/r is
    enough.  Then the extremes are at 0 and at c; otherwise nothing better than [0, log r] is claimed.
    """
    r = len(balls)
    if r and not values[0].lower > 0:
        return "no singular value is proven positive"
    if r == 1:
        balls, narrow = [flint.arb(1)], 1  # its entropy does not depend on σ_1
    if narrow == r:
        found = truncated_entropy(balls, convention, r=r)
        return found.reason or "undefined" if found.value is None else _clip(found.value, convention, r)
    upper_ends = balls[:narrow] + [to_ball(Enclosure.exact(v.upper), PRECISION) for v in values[narrow:]]
    total = sum((b**convention.power for b in balls[:narrow]), flint.arb(0))
    if not upper_ends[narrow] ** convention.power * r < total:
        return _clip(flint.arb(0).union(flint.arb(1) if convention.normalised else flint.arb(r).log()), convention, r)
    plain = Convention("fixed", rank=r, power=convention.power)
    low: Any = truncated_entropy(balls[:narrow], plain, r=narrow).value
    value = low.union(truncated_entropy(upper_ends, plain, r=r).value)
    return _clip(value / flint.arb(r).log() if convention.normalised else value, convention, r)


def _clip(ball: Any, convention: Convention, r: int) -> Enclosure:
    """The enclosure, with 0 ≤ H ≤ log r (≤ 1 when normalised) used on wide balls."""
    found = from_ball(ball)
    ceiling = from_ball(flint.arb(max(r, 1)).log()).upper if not convention.normalised else 1
    low, high = max(found.lower, Fraction(0)), min(found.upper, Fraction(ceiling))
    return Enclosure(low, high) if low <= high else found


def entropies(
    problem: Problem, arithmetic: Arithmetic, convention: Convention | None = None
) -> tuple[EntropyEnclosure, EntropyEnclosure]:
    """The entropies of A_AD and A_FD under the convention (the problem's own by default)."""
    chosen = convention or problem.convention
    ad, fd = (spectrum(problem, method, arithmetic) for method in ("ad", "fd"))
    return entropy_enclosure(ad.values, chosen), entropy_enclosure(fd.values, chosen)


def entropy_of(found: Spectrum, convention: Convention) -> EntropyEnclosure:
    """The entropy of a spectrum under a convention."""
    return entropy_enclosure(found.values, convention)


def difference(ad: EntropyEnclosure, fd: EntropyEnclosure) -> Enclosure | None:
    """H_FD − H_AD, where both are defined."""
    if ad.value is None or fd.value is None:
        return None
    return Enclosure(fd.value.lower - ad.value.upper, fd.value.upper - ad.value.lower)
