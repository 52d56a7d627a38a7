"""Truncated entropies of spectra: of many in float64 at once, of enclosures, and AD against FD with proof.

Of enclosures an entropy is the hull over everything that they leave open.

Everything is decided from enclosures of the exact matrices' singular values; what the enclosures leave open is
refined by asking for more digits, and reported as undecided where that does not help. Decided means: true if
FLINT's ball arithmetic is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
import numpy as np
from jaxtyping import Float, Int

from numerics.arithmetic.balls import Enclosure, from_ball, to_ball
from numerics.matrices.assemble import shape
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import Arithmetic, Method, Problem
from numerics.spectra.engine import CertifiedSpectrum, certified_singular_values
from numerics.spectra.engine.basis import frobenius_upper
from numerics.spectra.spectrum import Spectrum, spectrum
from theory.entropy.conventions import Convention, Power, cutoff
from theory.entropy.entropy import cutoff_range, truncated_entropy


def truncated_entropies(
    values: Float[np.ndarray, "k n"], convention: Convention
) -> tuple[Float[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """:func:`theory.entropy.entropy.truncated_entropy` of k spectra at once, in float64: entropies (nan: undefined), cut-offs.

    Cut-off numbers are exact: where rounding leaves a comparison with τ open, it is repeated in rationals.
    """
    r = cutoffs(values, convention)
    top = np.where(values[:, :1] > 0, values[:, :1], 1)
    kept = np.arange(values.shape[1]) < r[:, None]
    weights = np.where(kept, (values / top) ** convention.power, 0)
    p = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
    H = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=1)
    H = np.where(r > 1, H, 0.0)
    if convention.normalised:
        H = np.where(r > 1, H / np.log(np.maximum(r, 2)), np.nan)
    return np.where(r > 0, H, np.nan), r


def cutoffs(values: Float[np.ndarray, "k n"], convention: Convention) -> Int[np.ndarray, " k"]:
    """:func:`theory.entropy.conventions.cutoff` of k spectra at once, exactly."""
    tau = float(convention.tau)
    if convention.rule == "fixed":
        return np.asarray(np.minimum((values > 0).sum(axis=1), convention.rank or 0))
    if convention.rule == "energy":
        tails = _tails(values, convention.power)
        threshold, slack = tau * tails[:, :1], 1e-12  # of the roundings of a sum and a product
        surely = (tails[:, :-1] > threshold * (1 + slack)).sum(axis=1)
        open_ones = (tails[:, :-1] > threshold * (1 - slack)).sum(axis=1) != surely
    else:
        unit = values[:, :1] if convention.rule == "relative" else np.ones_like(values[:, :1])
        threshold = tau * unit
        # Within two roundings of the exact threshold: values further away are on the side where they seem to be.
        surely = (values >= threshold * (1 + 1e-15)).sum(axis=1)
        open_ones = (values >= threshold * (1 - 1e-15)).sum(axis=1) != surely
    open_ones |= ~((threshold[:, 0] > 1e-290) & (threshold[:, 0] < 1e290))
    for k in np.flatnonzero(open_ones):
        surely[k] = cutoff(values[k], convention)
    return np.asarray(surely)


def _tails(values: Float[np.ndarray, "k n"], power: Power) -> Float[np.ndarray, "k n+1"]:
    """``Σ_{k>r} (σ_k/σ_1)^q`` for r = 0 … n, summed from the small end."""
    top = np.where(values[:, :1] > 0, values[:, :1], 1)
    weights = (values / top) ** power
    sums = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([sums, np.zeros((len(values), 1))], axis=1)


def cutoff_curve(
    values: Float[np.ndarray, "k n"], rule: str, power: Power, taus: Float[np.ndarray, " t"]
) -> Int[np.ndarray, "k t"]:
    """Cut-off numbers for many tolerances at once, in float64: for curves, which a tie at τ does not move.

    ``rule`` is ``energy``, ``relative`` or ``absolute``; ``fixed`` takes τ as a share of n, of which r is the floor, at
    least 1.
    """
    n = values.shape[1]
    if rule == "fixed":
        fixed = np.maximum(1, np.floor(taus * n + 1e-9)).astype(np.int64)
        return np.asarray(np.minimum(fixed[None, :], (values > 0).sum(axis=1)[:, None]))
    if rule == "energy":
        tails = _tails(values, power)
        return np.asarray((tails[:, None, :-1] > (taus * tails[:, :1])[:, :, None]).sum(axis=2))
    unit = values[:, :1] if rule == "relative" else np.ones_like(values[:, :1])
    return np.asarray((values[:, None, :] >= (taus * unit)[:, :, None]).sum(axis=2))


def entropies_at_every_cutoff(values: Float[np.ndarray, "k n"], power: Power) -> Float[np.ndarray, "k n"]:
    """H of the leading r values in column r − 1, not normalised; nan where σ_r = 0.

    ``H = log S − (Σ w log w)/S`` with ``w = (σ_k/σ_1)^q`` and ``S = Σ w``, both summed up to r.
    """
    top = np.where(values[:, :1] > 0, values[:, :1], 1)
    weights = (values / top) ** power
    logs = np.log(np.where(weights > 0, weights, 1))
    total = np.cumsum(weights, axis=1)
    safe = np.where(total > 0, total, 1)
    H = np.log(safe) - np.cumsum(weights * logs, axis=1) / safe
    return np.where(values > 0, H, np.nan)


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

    def _repr_latex_(self) -> str:
        if self.value is None:
            return rf"$\text{{{self.reason}}}$"
        low, high = self.cutoff
        rank = f"{low}" if low == high else rf"{low} \ldots {high}"
        return rf"$H \in {self.value._repr_latex_()[1:-1]},\ r = {rank}$"


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

    Raising σ_k raises H while p_k < exp(−H) (the threshold of :mod:`theory.entropy.entropy`); since H ≤ log r, p_k < 1/r is
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
