"""How many random features are enough: when does the kernel of M features have the entropy of its limit? (ours)

With ``V = M E‖G − K‖²_F`` (:mod:`numerics.spectra.fourth_moments`) Chebyshev's inequality gives ``‖G − K‖_F < ε`` with
probability at least ``1 − V/(M ε²)``.  Eigenvalues move by at most that (Weyl), in squares summed (A. Hoffman and H.
Wielandt, Duke Math. J. 20 (1953) 37).  So while ε is at most the distance of the cut from the eigenvalues of K, the cut-off
number is that of K, and the entropies differ by the bound of Fannes and Audenaert.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isqrt

import flint

from numerics.arithmetic.balls import Enclosure, ball, from_ball, to_ball
from numerics.problem.problem import Method, Problem
from numerics.spectra.fourth_moments import entry_variances
from numerics.spectra.kernels import kernel_spectrum
from theory.base.errors import PrecisionCapError
from theory.entropy.bounds import fannes_audenaert, mirsky_distance
from theory.entropy.conventions import Convention
from theory.entropy.entropy import cutoff_range

BITS = 160
"""Of the balls."""


@dataclass(frozen=True)
class Sampling:
    """The limit kernel of a problem, and the variance of the kernels of M features about it.

    Attributes:
        values: enclosures of the eigenvalues of K, descending.
        variance: encloses V.
        convention: of the entropies of ``σ_k = √λ_k``.
        cutoff: r of K, proven.
        distance: a positive lower bound on the distance δ of the cut from the spectrum: ``‖G − K‖_F < δ`` leaves r as it is.
    """

    values: tuple[Enclosure, ...]
    variance: Enclosure
    convention: Convention
    cutoff: int
    distance: Fraction

    def enough(self, doubt: Fraction) -> int:
        """M₀: for every M >= M₀ the cut-off number is r with probability at least 1 − ``doubt``."""
        return ceil(self.variance.upper / (doubt * self.distance**2))

    def reach(self, count: int, doubt: Fraction) -> Fraction:
        """ε with ``‖G − K‖_F < ε`` with probability at least 1 − ``doubt`` for M = ``count`` features."""
        square = self.variance.upper / (count * doubt)
        return Fraction(isqrt(-(-square.numerator << 128) // square.denominator) + 1, 1 << 64)

    def entropy_bound(self, reach: Fraction) -> Fraction:
        """An upper bound on ``|H(G) − H(K)|`` where ``‖G − K‖_F < reach <= δ``; 0 for r = 1."""
        if self.cutoff == 1:
            return Fraction(0)
        with flint.ctx.workprec(BITS):
            kept = [to_ball(v, BITS) for v in self.values[: self.cutoff]]
            if self.convention.power == 2:  # Σ |λ̂ − λ| <= √r ε
                moved, total = flint.arb(self.cutoff).sqrt(), sum(kept, flint.arb(0))
            else:  # |σ̂ − σ| <= |λ̂ − λ|/σ
                moved = sum((1 / v for v in kept), flint.arb(0)).sqrt()
                total = sum((v.sqrt() for v in kept), flint.arb(0))
            nearer = mirsky_distance(moved * ball(reach), total, total)
            bound = fannes_audenaert(nearer, self.cutoff, log=lambda x: x.log())
            if self.convention.normalised:
                bound = bound / flint.arb(self.cutoff).log()
        return from_ball(bound).upper


def sampling(problem: Problem, method: Method, convention: Convention, digits: int = 20) -> Sampling:
    """The kernel of a problem with laws, in one dimension, and how its samples spread about it.

    Raises:
        InputError: no closed form of the kernel or of its variance is known.
        PrecisionCapError: the cut-off number of K is not decided (a cut at an eigenvalue).
    """
    values = kernel_spectrum(problem, method, "limit", digits).values
    spread = entry_variances(problem, method)(BITS)
    with flint.ctx.workprec(BITS):
        variance = from_ball(sum(spread.entries(), flint.arb(0)))
        roots = [to_ball(Enclosure.exact(v.lower), BITS).sqrt().union(to_ball(Enclosure.exact(v.upper), BITS).sqrt())
                 for v in values]  # fmt: skip
        low, high = cutoff_range(roots, convention)
        if low != high or low == 0:
            raise PrecisionCapError(
                f"the cut-off ({convention.label}) of the limit kernel lies between {low} and {high}"
            )
        distance = _distance([to_ball(v, BITS) for v in values], low, convention)
    if not distance > 0:
        raise PrecisionCapError(f"the distance of the cut ({convention.label}) from the spectrum is not decided")
    return Sampling(tuple(values), variance, convention, low, distance)


def _distance(values: list[flint.arb], r: int, convention: Convention) -> Fraction:
    """A lower bound on δ: how far, in the Frobenius norm, a kernel must be to have another cut-off number."""
    n, tau = len(values), ball(convention.tau)
    if convention.rule == "fixed":  # r positive eigenvalues
        return from_ball(values[r - 1]).lower
    rooms = []
    if convention.rule == "energy":
        # f_r = Σ_{k>r} w − τ Σ w <= 0 < f_{r−1}; the weights λ or √λ move by at most √n ε or n^{3/4} √ε together
        weights = values if convention.power == 2 else [v.sqrt() for v in values]
        total = tau * sum(weights, flint.arb(0))
        rooms = [total - sum(weights[r:], flint.arb(0)), sum(weights[r - 1 :], flint.arb(0)) - total]
        if convention.power == 2:
            rooms = [room / flint.arb(n).sqrt() for room in rooms]
        else:
            rooms = [room * room / flint.arb(n) ** flint.arb("1.5") if room > 0 else room for room in rooms]
    else:
        relative = convention.rule == "relative"
        level = tau * tau * (values[0] if relative else 1)
        share = 1 + tau * tau if relative else flint.arb(1)  # the threshold moves as well
        if r > 1 or not relative:
            rooms.append((values[r - 1] - level) / share)
        if r < n:
            rooms.append((level - values[r]) / share)
    return min((from_ball(room).lower for room in rooms), default=from_ball(values[0]).lower)
