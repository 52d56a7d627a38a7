"""Comparisons of A_AD and A_FD with proof: the sign of the entropy gap, orderings index by index, continuity bounds.

Everything is decided from enclosures of the exact matrices' singular values; what the enclosures leave open is
refined by asking for more digits, and reported as undecided where that does not help. Decided means: true if
FLINT's ball arithmetic is right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import flint
from flint import arb, arb_mat

from numerics.ball_matrices import ball_entries
from numerics.enclosure import Enclosure, from_ball, to_ball
from numerics.engine import BallEntries, CertifiedSpectrum, certified_singular_values
from numerics.engine.balls import frobenius_upper
from numerics.entropies import EntropyEnclosure, difference, entropy_enclosure
from numerics.matrices import shape
from numerics.problem import Method, Problem
from theory.entropy import Convention
from theory.entropy_bounds import fannes_audenaert, mirsky_distance, mirsky_distance_squares
from theory.errors import PrecisionCapError

CAP_DIGITS = 50
"""Most digits asked of singular values before a comparison is given up as undecided."""
_BITS = 200


@lru_cache(maxsize=256)
def certified_spectrum(problem: Problem, method: Method, digits: int, floor: Fraction | None) -> CertifiedSpectrum:
    """The enclosures of the exact matrix's singular values; kept for the process."""
    return certified_singular_values(ball_entries(problem, method), digits, floor)


@dataclass(frozen=True)
class EntropyComparison:
    """The two entropies and what is proven of their order.

    Attributes:
        convention: the convention of both.
        ad: entropy of A_AD.
        fd: entropy of A_FD.
        gap: ``H_FD - H_AD``; ``None`` where one of them is undefined or may be.
        sign: -1, 0, 1, or ``None`` for undecided.
        digits: of the singular values used.
    """

    convention: Convention
    ad: EntropyEnclosure
    fd: EntropyEnclosure
    gap: Enclosure | None
    sign: int | None
    digits: int


def compare_entropies(
    problem: Problem, convention: Convention | None = None, digits: int = 12, cap_digits: int = CAP_DIGITS
) -> EntropyComparison:
    """Encloses both entropies and refines until the sign of ``H_FD - H_AD`` is proven or the cap is met.

    Args:
        problem: the problem; its exact matrices are meant.
        convention: the problem's own by default.
        digits: first digits asked of the singular values; doubled while the sign is open.
        cap_digits: last digits asked.
    """
    chosen = convention or problem.convention
    while True:
        ad, fd = (entropy_enclosure(values_for(problem, method, chosen, digits), chosen) for method in ("ad", "fd"))
        gap = difference(ad, fd)
        sign = None if gap is None else gap.sign()
        if sign is not None or (gap is None and _settled(ad) and _settled(fd)) or digits >= cap_digits:
            return EntropyComparison(chosen, ad, fd, gap, sign, digits)
        digits = min(2 * digits, cap_digits)


def _settled(entropy: EntropyEnclosure) -> bool:
    """Whether more digits cannot change that the entropy is (un)defined: the cut-off number is decided."""
    return entropy.cutoff[0] == entropy.cutoff[1]


def values_for(problem: Problem, method: Method, convention: Convention, digits: int) -> tuple[Enclosure, ...]:
    """Enclosures that resolve what the convention looks at; the values under that are only bounded."""
    if convention.rule == "fixed":
        rank = min(convention.rank or 0, *shape(problem))
        for depth in (16, 40, 100, 250):
            found = certified_spectrum(problem, method, digits, Fraction(1, 10**depth))
            if found.rank >= rank:
                return found.values
        return certified_spectrum(problem, method, digits, None).values
    return certified_spectrum(problem, method, digits, floor_of(problem, method, convention, digits)).values


def floor_of(problem: Problem, method: Method, convention: Convention, digits: int) -> Fraction | None:
    """A floor relative to ``sigma_1`` under which values play no part."""
    tau = convention.tau
    if convention.rule == "energy":
        # all that is left out weighs less than tau 10^(-digits) of the whole
        share = tau / (Fraction(10) ** digits * min(shape(problem)))
        tau = share if convention.power == 1 else Fraction(math.isqrt(int(share * 10**120)), 10**60)
    elif convention.rule == "absolute":
        size = from_ball(frobenius_upper(ball_entries(problem, method)(64).entries())).upper
        tau = tau / (2 * size) if size else Fraction(0)
    return tau if 0 < tau < 1 else None


@dataclass(frozen=True)
class IndexwiseOrder:
    """The sign of ``sigma_k(FD) - sigma_k(AD)``, index by index.

    Attributes:
        signs: -1, 0, 1, or ``None`` where undecided; ``k = 1`` first.
        digits: of the singular values used.
    """

    signs: tuple[int | None, ...]
    digits: int

    @property
    def tail(self) -> range:
        """The positions with ``k > n/2``."""
        return range(len(self.signs) // 2, len(self.signs))

    def every(self, allowed: Iterable[int], positions: Iterable[int] | None = None) -> bool | None:
        """Whether every index has a sign in ``allowed``: proven, refuted, or ``None``."""
        wanted = frozenset(allowed)
        signs = [self.signs[k] for k in (range(len(self.signs)) if positions is None else positions)]
        if any(sign is not None and sign not in wanted for sign in signs):
            return False
        return None if any(sign is None for sign in signs) else True

    def some(self, allowed: Iterable[int], positions: Iterable[int] | None = None) -> bool | None:
        """Whether some index has a sign in ``allowed``: proven, refuted, or ``None``."""
        none = self.every({-1, 0, 1} - frozenset(allowed), positions)
        return None if none is None else not none


def compare_singular_values(problem: Problem, digits: int = 12, cap_digits: int = CAP_DIGITS) -> IndexwiseOrder:
    """Orders every pair ``sigma_k(AD), sigma_k(FD)``, refining until all are decided or the cap is met.

    The source's statement S2 ("small singular values of A_FD are larger") in exact arithmetic is
    ``order.every({1}, order.tail)`` or ``order.some({1}, order.tail)``, according to its reading.
    """
    while True:
        ad, fd = (certified_spectrum(problem, method, digits, None).values for method in ("ad", "fd"))
        signs = tuple(Enclosure(b.lower - a.upper, b.upper - a.lower).sign() for a, b in zip(ad, fd, strict=True))
        if None not in signs or digits >= cap_digits:
            return IndexwiseOrder(signs, digits)
        digits = min(2 * digits, cap_digits)


@dataclass(frozen=True)
class ContinuityBound:
    """What the distance of the two matrices implies for the entropies, against what is true.

    Attributes:
        norm: upper bound of ``||A_AD - A_FD||_*`` (power 1) or ``||A_AD - A_FD||_F`` (power 2).
        distance: upper bound of the total variation T of the two probability vectors (Mirsky).
        bound: ``|H_FD - H_AD|`` is at most this (Fannes and Audenaert), not normalised.
        gap: the enclosure of ``H_FD - H_AD`` itself.
        cutoff: the cut-off numbers of AD and FD.
    """

    norm: Fraction
    distance: Fraction
    bound: Fraction
    gap: Enclosure
    cutoff: tuple[int, int]

    @property
    def tightness(self) -> float | None:
        """Bound over true gap, at least 1; ``None`` where the gap may be 0."""
        least = min(abs(self.gap.lower), abs(self.gap.upper))
        return float(self.bound / least) if self.gap.sign() in (-1, 1) and least else None


def continuity_bound(problem: Problem, convention: Convention | None = None, digits: int = 12) -> ContinuityBound:
    """Fannes and Audenaert's bound with Mirsky's distance, in balls (see :mod:`theory.entropy_bounds`).

    Raises:
        PrecisionCapError: the cut-off numbers are not decided, or no entropy is defined.
    """
    chosen = convention or problem.convention
    plain = Convention(chosen.rule, chosen.tau, chosen.power, False, chosen.rank)
    ad, fd = (values_for(problem, method, plain, digits) for method in ("ad", "fd"))
    first, second = entropy_enclosure(ad, plain), entropy_enclosure(fd, plain)
    gap = difference(first, second)
    if gap is None or not (_settled(first) and _settled(second)):
        raise PrecisionCapError(f"continuity bound: {first.reason or second.reason or 'an undecided cut-off number'}")
    r, s = first.cutoff[0], second.cutoff[0]
    distance_matrix = _difference_entries(problem)
    with flint.ctx.workprec(_BITS):
        a, f = ([to_ball(v, _BITS) for v in values] for values in (ad, fd))
        if s < r:  # `dropped` belongs to the spectrum that stops first
            a, f, r, s = f, a, s, r
        longest = range(s)
        if chosen.power == 1:
            found = certified_singular_values(distance_matrix, 6, Fraction(1, 10**8)).values
            norm = _total([to_ball(v, _BITS).upper() for v in found])
            distance = mirsky_distance(norm, _total(a[:r]), _total(f[:s]), _total(a[k] for k in range(r, s)))
        else:
            norm = frobenius_upper(distance_matrix(_BITS).entries())
            distance = mirsky_distance_squares(
                norm,
                _total(a[k] * a[k] for k in longest).sqrt(),
                _total(f[k] * f[k] for k in longest).sqrt(),
                _total(a[k] * a[k] for k in range(r, s)),
            )
        top = arb(distance.upper())
        bound = fannes_audenaert(top, s)
        return ContinuityBound(
            from_ball(arb(norm)).upper,
            from_ball(top).upper,
            from_ball(bound).upper,
            gap,
            (first.cutoff[0], second.cutoff[0]),
        )


def _total(values: Iterable[arb]) -> arb:
    total = arb(0)
    for value in values:
        total = total + value
    return total


def _difference_entries(problem: Problem) -> BallEntries:
    ad, fd = ball_entries(problem, "ad"), ball_entries(problem, "fd")
    order = max(1, problem.difference.order)
    # the difference is about h^p times the matrices
    lost = 32 + order * max(1, math.ceil(-math.log2(min(problem.steps))) if min(problem.steps) < 1 else 1)

    def entries(bits: int) -> arb_mat:
        with flint.ctx.workprec(bits + lost):
            return fd(bits + lost) - ad(bits + lost)

    return entries
