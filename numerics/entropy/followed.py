r"""The entropy gap of all steps at once, from singular values that are followed along the step.

*Near 0*: ``(H_FD(h) - H_AD) / h^p`` is the derivative of H, somewhere between A_AD and ``A_FD(h)``, along
``(A_FD(h) - A_AD) / h^p = C_p + h C_{p+1} + ... + h^(P-p) R``, whose enclosure stays bounded as h tends to 0: the leading
coefficient of the gap and h times a remainder (:meth:`numerics.entropy.gap.EntropyNeighbourhood.slope`). Where it
excludes 0, the sign is proven for every step in ``(0, h_0]``.

*Beyond*: A_FD without the remainder R is a polynomial in the step, and its singular values are known as functions of
it, to ten digits and more (:mod:`numerics.spectra.branches`); R moves them by ``h^P ||R||`` at most (Weyl). What is
left to cut into pieces are those functions, not matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

import flint
import numpy as np
from flint import arb, arb_mat
from jaxtyping import Float

from numerics.arithmetic.balls import Enclosure, from_ball, to_ball
from numerics.entropy.compare import entropy_enclosure
from numerics.entropy.gap import EntropyNeighbourhood
from numerics.matrices.assemble import StepExpansion
from numerics.spectra.branches import Branches, branches
from numerics.spectra.engine.basis import frobenius_upper
from theory.entropy.conventions import Convention, cutoff, cutoff_range

_BITS = 120
_HALVINGS = 40
"""Of the largest step, until a sign near 0 is given up."""
_MORE = 6
"""Singular values followed beyond the last that the entropy sees, at most: for the largest gap behind them."""


@dataclass(frozen=True)
class SmallSteps:
    """All steps near 0.

    Attributes:
        high: the sign is proven for every h in ``(0, high]``.
        power: p.
        quotient: encloses ``(H_FD(h) - H_AD) / h^p`` for all of them; not 0.
    """

    high: Fraction
    power: int
    quotient: Enclosure


def small_steps(
    matrix: arb_mat, expansion: StepExpansion, low: Fraction, top: Fraction, convention: Convention
) -> SmallSteps | None:
    """The largest of ``top, top/2, top/4, …`` above ``low`` below which the sign of the gap is proven, and its bound over ``h^p``.

    Args:
        matrix: A_AD in balls.
        expansion: of A_FD, in h / top.
        low: the least step of interest.
        top: the step of the expansion.
        convention: of both entropies.
    """
    p = expansion.order
    blocks = {**expansion.coefficients, expansion.power: expansion.remainder}
    near = EntropyNeighbourhood(matrix, blocks, convention)
    for t in takewhile(lambda t: t * top > low, (Fraction(1, 2**k) for k in range(_HALVINGS))):
        with flint.ctx.workprec(_BITS):
            factors = {q: to_ball(Enclosure(Fraction(0), t**q), _BITS) for q in blocks}
            rates = {q: to_ball(Enclosure(Fraction(q == p), t ** (q - p)), _BITS) for q in blocks}
        found = near.slope(factors, rates)
        if found is not None and found.sign() in (-1, 1):
            return SmallSteps(top * t, p, found.scaled(1 / top**p))
    return None


@dataclass(frozen=True)
class FollowedEntropy:
    """The entropy gap on an interval of steps, ready to be evaluated on its parts. Does not pickle."""

    convention: Convention
    reference: Enclosure
    values: Branches
    top: Fraction
    unit: int
    power: int
    remainder: Fraction
    count: int

    def gap(self, low: Fraction, high: Fraction) -> Enclosure | None:
        """Encloses ``H_FD(h) - H_AD`` for every h in ``[low, high]``; ``None`` where H_FD may be undefined.

        By the values of the whole piece, or by those at its middle and the derivative of H on the piece.
        """
        ends = ((low / self.top) ** self.unit, (high / self.top) ** self.unit)
        moved = (high / self.top) ** self.power * self.remainder
        values, entropy = self._entropy(*ends, moved)
        if entropy is None:
            return None
        gap = entropy - self.reference
        if gap.sign() is None and low < high:
            middle = (ends[0] + ends[1]) / 2
            _, there = self._entropy(middle, middle, moved)
            with flint.ctx.workprec(_BITS):
                slope = self._slope(values, entropy)
                if there is not None and slope is not None and slope.is_finite():
                    half = arb(1).union(arb(-1)) * to_ball(Enclosure.exact((ends[1] - ends[0]) / 2), _BITS)
                    other = there + from_ball(slope * half) - self.reference
                    gap = min(gap, other, key=lambda found: found.width)
        return gap

    def _entropy(self, low: Fraction, high: Fraction, moved: Fraction) -> tuple[_Values, Enclosure | None]:
        """The values on a part of the interval, moved by the remainder, and their entropy."""
        with flint.ctx.workprec(_BITS):
            shift = to_ball(Enclosure(-moved, moved), _BITS)
            pairs = [(v + shift, d) for v, d in self.values.on(low, high)]
            ends = [from_ball(v) for v, _ in pairs]
            rest = from_ball(self.values.rest).upper + moved
        lower, upper = (sorted(side, reverse=True) for side in ([v.lower for v in ends], [v.upper for v in ends]))
        spectrum = [Enclosure(max(a, Fraction(0)), b).rounded() for a, b in zip(lower, upper, strict=True)]
        spectrum += [Enclosure(Fraction(0), rest).rounded()] * (self.count - len(spectrum))
        return _Values(pairs, spectrum), entropy_enclosure(spectrum, self.convention).value

    def _slope(self, values: _Values, entropy: Enclosure) -> arb | None:
        """Encloses the derivative of H in x, the remainder's part and the ratios ``sigma_k / d_k`` held fixed.

        ``-q sum p_k (log p_k + H) d_k' / d_k`` over the values that are kept: known to be the same ones, on the whole piece.
        """
        q, balls = self.convention.power, [to_ball(v, _BITS) for v in values.spectrum]
        least, most = cutoff_range(balls, self.convention)
        if self.convention.normalised and (least != most or least < 2):
            return None
        kept = min(most, len(values.pairs))
        if least != most and (self.convention.rule != "fixed" or least < kept):
            return None
        if kept < len(balls) and not values.spectrum[kept - 1].lower > values.spectrum[kept].upper:
            return None
        bound = values.spectrum[kept - 1].lower
        chosen = [(v, d) for v, d in values.pairs if from_ball(v).lower >= bound]
        total = sum((v**q for v, _ in chosen), arb(0))
        for other in balls[kept:most]:
            total = total + other**q
        factor = arb(most).log() if self.convention.normalised else arb(1)
        H, slope = to_ball(entropy, _BITS) * factor, arb(0)
        for v, d in chosen:
            p = v**q / total
            slope = slope - q * p * (p.log() + H) * d / v
        return slope / factor


@dataclass(frozen=True)
class _Values:
    """Followed values with their derivatives, in some order, and the whole spectrum, descending."""

    pairs: list[tuple[arb, arb]]
    spectrum: list[Enclosure]


def followed(
    matrix: arb_mat,
    expansion: StepExpansion,
    low: Fraction,
    top: Fraction,
    convention: Convention,
    reference: Enclosure,
    faint: float,
) -> FollowedEntropy | None:
    """Follows what the entropy sees from the step ``low`` to ``top``, the step of the expansion.

    Args:
        matrix: A_AD in balls.
        expansion: of A_FD, in h / top.
        low, top: ends of the interval.
        convention: of both entropies.
        reference: encloses the entropy of A_AD.
        faint: values below this, relative to the largest, are only bounded (not where H is divided by log r).

    Returns:
        ``None`` where the values cannot be followed, or the remainder hides the least of them.
    """
    unit = math.gcd(*expansion.coefficients) or 1
    degree = max(expansion.coefficients, default=0) // unit
    blank = arb_mat(matrix.nrows(), matrix.ncols())
    powers = [expansion.coefficients.get(unit * k, blank) for k in range(1, degree + 1)]
    moved = sum(powers, matrix)
    ends = [_floats(m) for m in (matrix, moved)]
    count = _count([np.linalg.svd(m, compute_uv=False) for m in ends], convention, faint)
    with flint.ctx.workprec(_BITS):
        remainder = from_ball(frobenius_upper(expansion.remainder.entries())).upper
        found = branches([matrix, *powers], (low / top) ** unit, Fraction(1), count)
    if found is None:
        return None
    least = min(from_ball(value).upper for value, _ in found.on((low / top) ** unit, Fraction(1)))
    if not remainder * 1000 < least:
        return None
    size = min(matrix.nrows(), matrix.ncols())
    return FollowedEntropy(convention, reference, found, top, unit, expansion.power, remainder, size)


def _floats(matrix: arb_mat) -> Float[np.ndarray, "n m"]:
    return np.array([float(v) for v in matrix.mid().entries()]).reshape(matrix.nrows(), matrix.ncols())


def _count(spectra: list[Float[np.ndarray, " n"]], convention: Convention, faint: float) -> int:
    """How many values to follow: those that the entropies see, and a few more if a larger gap comes behind them."""
    n = len(spectra[0])
    seen = max(1, *(cutoff(s.tolist(), convention) for s in spectra))
    if convention.rule == "energy":  # what is left out must not blur the rule
        seen = max(seen, *(int(np.sum(s > 1e-4 * float(convention.tau) * s[0])) for s in spectra))
    if not convention.normalised:  # an entropy that is not divided by log r hardly sees them
        seen = min(seen, max(int(np.sum(s > faint * s[0])) for s in spectra))
    if n <= seen + 2:
        return n
    ratios = {k: max(float(s[k] / s[k - 1]) for s in spectra) for k in range(seen, min(seen + _MORE, n - 1) + 1)}
    return next((k for k, ratio in ratios.items() if ratio < 0.5), min(ratios, key=ratios.__getitem__))
