"""The entropy gap ``H_FD - H_AD`` from the AD side: bounds, to first order with a proven remainder, and its predicted sign.

*Bounds (ours).*

Write ``F(B) = sum_{k<=s} phi(sigma_k(B))``. Let ``B_0 = X_o diag(d) Y_o^T`` (exact singular values d, close to a matrix
known in balls), ``B = B_0 + E``, ``e_2 >= ||E||_2``, ``e_F >= ||E||_F``, and ``d_s - d_{s+1} > 2 e_2`` (for s = n:
``d_n > e_2``). Along the segment F is differentiable with gradient ``sum_{k<=s} phi'(sigma_k) u_k v_k^T``, and the
derivative of that is at most (V. Noferini, SIAM J. Matrix Anal. Appl. 38 (2017) 434: divided differences)

    L = max( max |phi''|,  max_{k<=s} |phi'(sigma_k)| / (sigma_k - sigma_{s+1}) )      (sigma_{n+1} = 0),

the maxima over all singular values on the segment, known by Weyl. So

    F(B) = F(B_0) + sum_{k<=s} phi'(d_k) x_k^T E y_k + rho,     |rho| <= L e_F^2 / 2.

With q the power, S and T the sums of ``phi_S(x) = x^q`` and ``phi_T(x) = x^q log x^q`` at ``B_0``, and
``phi_H = ((1 + T/S) phi_S - phi_T) / S`` (so that ``phi_H'(d_k) = -q d_k^(q-1) (log p_k + H) / S``), ``a = dS/S`` and
``b = dT/S`` satisfy ``H(B) - H(B_0) = dF_H + [log(1 + a) - a] + (a b - (T/S) a^2) / (1 + a)`` exactly.

Values with ``s < k <= r`` are enclosed by Weyl alone. For the gap, ``B_0`` is near A_AD and E comes from
:mod:`numerics.matrices.assemble`: a bound in terms of h from the AD side alone. Singular vectors need no more than
float64; the rest is in balls.

*The sign predicted from A_AD alone, under any convention (ours).*
``A_FD = A_AD + T + E``: T the leading two truncation terms, E independent errors of the sizes of
:func:`numerics.differences.floor.entry_errors` (0 in exact arithmetic). To first order and at one cut-off number this is the
covariance law of :func:`theory.entropy.entropy.entropy_gap_coefficient`; as a spectrum it also holds what the law leaves out:
the values that noise lifts past the cut-off and the factor ``1/log r``. E is sampled, at three sizes each half as large
again as the one before, since its size is known within a factor of about 2; the last variant, and in exact arithmetic the
second, has one truncation term. The prediction is the range of the gap over the variants, widened by their standard deviation; a
range that contains 0 predicts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import flint
import numpy as np
from flint import arb, arb_mat
from jaxtyping import Float

from numerics.arithmetic.balls import Enclosure, from_ball, to_ball
from numerics.differences.floor import entry_errors
from numerics.entropy.compare import entropy_enclosure, values_for
from numerics.matrices.assemble import float_matrix, step_expansion, truncation_terms
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import Arithmetic, Method, Problem
from numerics.spectra.engine.basis import frobenius_upper, from_floats, identity_defect, middle_exponent, power_of_two
from numerics.spectra.spectrum import floating_singular_values
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Convention, cutoff_range
from theory.entropy.entropy import truncated_entropy

_BITS = 120
"""Of all balls here; the widths come from h, not from rounding."""


@dataclass(frozen=True)
class GapBound:
    """A two-sided bound of an entropy difference, such as the gap at one step or for all steps of an interval.

    Attributes:
        gap: encloses the difference.
        linear: encloses the first direction's first-order term over the top ``top`` values, for the expansion in h
            the leading ``c t^p`` (0 where there is none).
        top: s, how many singular values are expanded; those between s and r are bounded by Weyl's inequality.
        cutoff: the cut-off numbers that are possible.
    """

    gap: Enclosure
    linear: Enclosure
    top: int
    cutoff: tuple[int, int]


@dataclass(frozen=True)
class _Segment:
    """``B_0 + [0, 1] E``: per direction its factor and its diagonal in ``B_0``'s singular vectors, norms of E, values."""

    blocks: list[tuple[arb, list[arb]]]
    e_two: arb
    e_f: arb
    moved: list[arb]


class EntropyNeighbourhood:
    """A matrix, a convention and directions: encloses the entropy of the matrix plus multiples of the directions.

    Does not pickle.
    """

    def __init__(self, matrix: arb_mat, directions: Mapping[int, arb_mat], convention: Convention) -> None:
        """One SVD in float64, and norms in balls.

        Args:
            matrix: balls, rows x M.
            directions: balls of the same shape, by a key of the caller's.
            convention: of the entropy.
        """
        self.convention = convention
        with flint.ctx.workprec(_BITS):
            self._prepare(matrix, directions)

    def _prepare(self, matrix: arb_mat, directions: Mapping[int, arb_mat]) -> None:
        rows, columns = matrix.nrows(), matrix.ncols()
        unit = power_of_two(-max(-(10**6), middle_exponent(matrix)))  # the entropy does not see a common factor
        matrix = matrix * unit
        self._unit = unit
        floats = np.array([float(x) for x in matrix.mid().entries()]).reshape(rows, columns)
        u, values, vt = np.linalg.svd(floats, full_matrices=False)
        n = len(values)
        x, y = from_floats(u), from_floats(vt.T.copy())
        self._d = [arb(float(v)) for v in values]
        diagonal = arb_mat(n, n, [self._d[i] if i == j else 0 for i in range(n) for j in range(n)])
        dx, dy = identity_defect(x.transpose() * x), identity_defect(y.transpose() * y)
        if not (dx < 1 and dy < 1):
            raise PrecisionCapError("entropy: float64 singular vectors are not orthonormal enough")
        # X is within dx of its polar factor X_o, Y within dy of Y_o; B_0 = X_o diag(d) Y_o^T
        self._tilt = (dx + dy + dx * dy).upper()
        left = frobenius_upper((matrix - x * diagonal * y.transpose()).entries())
        self._kappa = (left + self._tilt * frobenius_upper(self._d)).upper()  # >= ||matrix - B_0||_F
        self._blocks: dict[int, tuple[list[arb], arb, arb]] = {}
        for key, block in directions.items():
            scaled = block * unit
            inner = x.transpose() * scaled * y
            size = frobenius_upper(scaled.entries())
            self._blocks[key] = ([inner[k, k] for k in range(n)], size, _spectral_upper(scaled, size))
        self._reference = max(1, self._cutoffs(self._moved(self._kappa))[0])

    def difference(self, factors: Mapping[int, arb], reference: Enclosure) -> GapBound | None:
        """Encloses ``H(matrix + sum factor direction) - reference``; the narrowest over all splits s.

        Args:
            factors: a ball for each direction.
            reference: the entropy to compare with, under the same convention.

        Returns:
            ``None`` where nothing can be said.
        """
        with flint.ctx.workprec(_BITS):
            segment = self._segment(factors)
            cutoffs = self._cutoffs(segment.moved)
            best: GapBound | None = None
            for s in range(min(cutoffs[0], self._reference) + 1):
                if s and not segment.moved[s - 1] > (segment.moved[s] if s < len(segment.moved) else 0):
                    continue
                found = self._bound(segment, s, cutoffs, reference)
                if found is not None and (best is None or found.gap.width < best.gap.width):
                    best = found
            return best

    def slope(self, factors: Mapping[int, arb], rates: Mapping[int, arb]) -> Enclosure | None:
        """Encloses the derivative of H along ``G = sum rate direction``, at every ``matrix + t sum factor direction``, t in [0, 1].

        ``dH(M)[G] = ((1 + T/S) dS - dT) / S`` with ``dS = <Phi_S(M), G>`` and ``Phi_S(M) = sum_{k<=r} phi_S'(sigma_k) u_k v_k^T``,
        which is within ``L ||M - B_0||_F`` of ``Phi_S(B_0)``; so for T and for ``phi_H``.

        Args:
            factors: a ball for each direction.
            rates: likewise.

        Returns:
            ``None`` where nothing can be said: the cut-off number r may change on the way, or ``sigma_r = sigma_{r+1}``.
        """
        with flint.ctx.workprec(_BITS):
            segment = self._segment(factors)
            cutoffs, moved, q = self._cutoffs(segment.moved), segment.moved, self.convention.power
            r = self._reference
            if cutoffs != (r, r) or not moved[r - 1] > (moved[r] if r < len(moved) else 0):
                return None
            if self.convention.normalised and r < 2:
                return None
            S, T = self._sums()
            lipschitz = {name: self._lipschitz(name, moved, r, S, T) for name in "STH"}
            size, norm, along = arb(0), arb(0), [arb(0)] * r
            for key, (diagonal, frobenius, two) in self._blocks.items():
                rate = rates[key]
                size, norm = size + abs(rate) * frobenius, norm + abs(rate) * two
                along = [v + rate * diagonal[k] for k, v in enumerate(along)]
            along = [v + _ball(self._tilt * norm) for v in along]
            change: dict[str, arb] = {}
            for name, slopes in self._slopes(r, S, T).items():
                bound = lipschitz[name]
                if bound is None:
                    return None
                change[name] = sum(
                    (a * v for a, v in zip(slopes, along, strict=True)), _ball(bound * segment.e_f * size)
                )
            here = sum((_power(v, q) for v in moved[:r]), arb(0))
            ratio = sum((_xlogx(_power(v, q)) for v in moved[:r]), arb(0)) / here
            value = (S * change["H"] + (ratio - T / S) * change["S"]) / here
            if self.convention.normalised:
                value = value / arb(r).log()
            return from_ball(value) if value.is_finite() else None

    def _segment(self, factors: Mapping[int, arb]) -> _Segment:
        """From ``B_0`` to the matrix plus multiples of the directions."""
        blocks = [(factors[key], *block) for key, block in self._blocks.items()]
        e_two, e_f = self._kappa, self._kappa
        for factor, _, size, norm in blocks:
            e_two, e_f = e_two + abs(factor) * norm, e_f + abs(factor) * size
        e_two, e_f = arb(e_two.upper()), arb(e_f.upper())
        return _Segment([(factor, diagonal) for factor, diagonal, _, _ in blocks], e_two, e_f, self._moved(e_two))

    def _moved(self, e_two: arb) -> list[arb]:
        """Balls that contain every singular value on the segment (not negative where that is what they touch)."""
        balls = []
        for v in self._d:
            low = v - e_two
            balls.append((v + e_two).union(low if low > 0 else arb(0)))
        return balls

    def _cutoffs(self, moved: list[arb]) -> tuple[int, int]:
        """The cut-off numbers of all spectra within the balls, in the matrix's own unit."""
        return cutoff_range([v / self._unit for v in moved], self.convention)

    def _bound(self, segment: _Segment, s: int, cutoffs: tuple[int, int], reference: Enclosure) -> GapBound | None:
        S, T = self._sums()
        found = self._changes(segment, s, S, T)
        if found is None:
            return None
        change, leading = found
        tails = (segment.moved[s:cut] for cut in range(cutoffs[0], cutoffs[1] + 1))
        values = [self._value(change, tail, S, T, s, s + len(tail), reference) for tail in tails]
        if any(value is None or not value.is_finite() for value in values):
            return None
        gap = Enclosure.hull(from_ball(value) for value in values if value is not None)
        return GapBound(gap, from_ball(leading), s, cutoffs)

    def _sums(self) -> tuple[arb, arb]:
        """S and T at ``B_0``."""
        q, d = self.convention.power, self._d[: self._reference]
        return sum((_power(v, q) for v in d), arb(0)), sum((_xlogx(_power(v, q)) for v in d), arb(0))

    def _changes(self, segment: _Segment, s: int, S: arb, T: arb) -> tuple[dict[str, arb], arb] | None:
        """Encloses what the top s values add to the sums of ``phi_S``, ``phi_T`` and ``phi_H`` along the segment.

        The second number is the first direction's share of the last, to first order.
        """
        spread = _ball(self._kappa + self._tilt * segment.e_two)
        parts = [[factor * diagonal[k] for factor, diagonal in segment.blocks] for k in range(s)]
        slopes, change = self._slopes(s, S, T), {}
        for name, slope in slopes.items():
            lipschitz = self._lipschitz(name, segment.moved, s, S, T)
            if lipschitz is None:
                return None
            first = sum((a * (sum(part, arb(0)) + spread) for a, part in zip(slope, parts, strict=True)), arb(0))
            change[name] = first + _ball(lipschitz * segment.e_f * segment.e_f / 2)
        return change, sum((a * part[0] for a, part in zip(slopes["H"], parts, strict=True) if part), arb(0))

    def _slopes(self, s: int, S: arb, T: arb) -> dict[str, list[arb]]:
        """``phi_S'``, ``phi_T'`` and ``phi_H'`` at the top s values of ``B_0``."""
        q, d = self.convention.power, self._d
        slopes = {
            "S": [q * _power(v, q - 1) for v in d[:s]],
            "T": [q * _power(v, q - 1) * (_power(v, q).log() + 1) for v in d[:s]],
        }
        slopes["H"] = [((1 + T / S) * a - b) / S for a, b in zip(slopes["S"], slopes["T"], strict=True)]
        return slopes

    def _lipschitz(self, name: str, moved: list[arb], s: int, S: arb, T: arb) -> arb | None:
        """L for ``phi_S``, ``phi_T`` or ``phi_H`` on the top s values of the segment, an exact upper bound."""
        if s == 0:
            return arb(0)
        q = self.convention.power
        after = moved[s] if s < len(moved) else arb(0)
        result = arb(0)
        for at in moved[:s]:
            # phi'' is monotone: its largest size on the segment is at the least or the largest of these values
            log = _power(at, q).log()
            first = {"S": q * _power(at, q - 1), "T": q * _power(at, q - 1) * (log + 1)}
            second = {"S": arb(q * (q - 1)), "T": 1 / at if q == 1 else 2 * log + 6}
            a, b = (
                ((1 + T / S) * kind["S"] - kind["T"]) / S if name == "H" else kind[name] for kind in (first, second)
            )
            for value in (abs(b), abs(a) / (at - after)):
                if not value.is_finite():
                    return None
                result = result.max(arb(value.upper()))
        return arb(result.upper())

    def _value(
        self, change: dict[str, arb], tail: list[arb], S: arb, T: arb, s: int, cut: int, reference: Enclosure
    ) -> arb | None:
        """``H - reference`` for one cut-off number."""
        q = self.convention.power
        before = [_power(v, q) for v in self._d[s : self._reference]]
        after = [_power(v, q) for v in tail]
        a = (change["S"] + sum(after, arb(0)) - sum(before, arb(0))) / S
        b = (change["T"] + sum(map(_xlogx, after), arb(0)) - sum(map(_xlogx, before), arb(0))) / S
        first = (
            change["H"]
            + sum((_tangent(w, S, T) for w in after), arb(0))
            - sum((_tangent(w, S, T) for w in before), arb(0))
        )
        if cut == 0 or not 1 + a > 0 or (self.convention.normalised and cut < 2):
            return None
        value = S.log() - T / S + first + (1 + a).log() - a + (a * b - T / S * a * a) / (1 + a)
        return (value / arb(cut).log() if self.convention.normalised else value) - to_ball(reference, _BITS)


class GapExpansion:
    """The AD side of a problem, ready to bound the gap at any fraction of its step. Does not pickle.

    Attributes:
        order: p, the leading power of the step.
        ad: the certified entropy of A_AD.
    """

    def __init__(self, problem: Problem, convention: Convention | None = None, terms: int = 4) -> None:
        """Computes matrices of derivatives, one SVD in float64 and the certified AD spectrum.

        Raises:
            NonexistenceError: the activation is not smooth enough.
            PrecisionCapError: the AD entropy is undefined.
        """
        chosen = convention or problem.convention
        expansion = step_expansion(problem, terms, _BITS)
        self.order = expansion.order
        self.ad = certified_entropy(problem, "ad", chosen, 15)
        blocks = {**expansion.coefficients, expansion.power: expansion.remainder}
        self._powers = tuple(blocks)
        self._near = EntropyNeighbourhood(ball_entries(problem, "ad")(_BITS), blocks, chosen)

    def at(self, low: Fraction | int = 1, high: Fraction | int | None = None) -> GapBound:
        """The bound for every step ``t h`` with ``low <= t <= high`` (``high = low`` by default).

        Raises:
            InputError: t outside (0, 1].
            PrecisionCapError: the step is too large for any bound.
        """
        top = low if high is None else high
        if not 0 < low <= top <= 1:
            raise InputError(f"step: the fraction {low} to {top} of the problem's own; allowed: within (0, 1]")
        t = to_ball(Enclosure(Fraction(low), Fraction(top)), _BITS)
        with flint.ctx.workprec(_BITS):
            found = self._near.difference({power: t**power for power in self._powers}, self.ad)
        if found is None:
            raise PrecisionCapError("gap expansion: no bound; the step is too large for the spectrum")
        return found


def certified_entropy(problem: Problem, method: Method, convention: Convention, digits: int) -> Enclosure:
    """The certified entropy of A_AD or A_FD.

    Raises:
        PrecisionCapError: it is undefined, or may be.
    """
    found = entropy_enclosure(values_for(problem, method, convention, digits), convention)
    if found.value is None:
        raise PrecisionCapError(f"entropy of A_{method.upper()}: {found.reason}")
    return found.value


def _tangent(weight: arb, S: arb, T: arb) -> arb:
    """``phi_H`` as a function of ``x^q``."""
    return ((1 + T / S) * weight - _xlogx(weight)) / S


def _power(x: arb, q: int) -> arb:
    if q == 0:
        return arb(1)
    return x if q == 1 else x * x


def _xlogx(x: arb) -> arb:
    """``x log x`` (0 at 0) on the part of the ball that is not negative: the hull of its ends and its minimum."""
    low, high = arb(x.lower()), arb(x.upper())
    if low > 0 and x.rad() * 1000 < x.mid():
        return x * x.log()
    low = low if low > 0 else arb(0)
    if not high > 0:
        return arb(0)
    ends = [v * v.log() if v > 0 else arb(0) for v in (low, high)]
    result = ends[0].union(ends[1])
    bottom = (-arb(1)).exp()  # the minimum -1/e is at 1/e
    return result if high < bottom or low > bottom else result.union(-bottom)


def _ball(radius: arb) -> arb:
    """``[-radius, radius]``."""
    size = arb(radius.upper())
    return size.union(-size)


def _spectral_upper(matrix: arb_mat, frobenius: arb) -> arb:
    """``min(||.||_F, sqrt(||.||_1 ||.||_inf))``, an upper bound of the spectral norm."""
    table = [[x.abs_upper() for x in row] for row in matrix.tolist()]
    rows = [sum(row, arb(0)) for row in table]
    columns = [sum(column, arb(0)) for column in zip(*table, strict=True)]
    other = arb(0)
    for v in rows:
        other = other.max(v)
    most = arb(0)
    for v in columns:
        most = most.max(v)
    return arb(frobenius.min((other * most).sqrt()).upper())


SIZES_OF_NOISE = (1.0, 2 / 3, 3 / 2) * 2
"""Factors of the predicted size of the errors, one for each sample of them."""
_NOISE_SEED = 271828

Larger = Literal["ad", "fd", "undecided"]


@dataclass(frozen=True)
class PredictedSpectra:
    """Spectra from which every convention is predicted.

    Attributes:
        ad: singular values (n,) of A_AD as the arithmetic computes them (float64 for exact arithmetic), descending.
        fd: variants (v, n) of those of A_FD, descending; the first is the middle one.
    """

    ad: Float[np.ndarray, " n"]
    fd: Float[np.ndarray, "v n"]


@dataclass(frozen=True)
class PredictedGap:
    """The predicted H_FD − H_AD under one convention.

    Attributes:
        gap: of the middle variant; None where an entropy is undefined.
        low, high: the widened range over the variants.
        cutoff: the cut-off numbers of A_AD and of A_FD (middle variant).
        larger: ``"ad"`` where the range lies below 0, ``"fd"`` where it lies above, else ``"undecided"``.
    """

    gap: float | None
    low: float
    high: float
    cutoff: tuple[int, int]
    larger: Larger


def predicted_spectra(problem: Problem, arithmetic: Arithmetic) -> PredictedSpectra:
    """The spectrum of A_AD and the predicted ones of A_FD; A_FD itself is not formed.

    Raises:
        NonexistenceError: the activation lacks the derivatives of the truncation error.
        InputError: an entry that is not finite.
    """
    exact = float_matrix(problem, "ad", "float64")
    terms = list(truncation_terms(problem, 2).values())
    moved = [exact + sum(terms[:k], np.zeros_like(exact)) for k in (2, 1)]
    if arithmetic == "exact":
        return PredictedSpectra(floating_singular_values(exact), np.stack([*map(floating_singular_values, moved)]))
    stored = exact if arithmetic == "float64" else float_matrix(problem, "ad", arithmetic)
    own = floating_singular_values(stored)
    errors = np.zeros_like(exact)
    inner = entry_errors(problem, arithmetic)
    errors[: len(inner)] = inner
    generator = np.random.Generator(np.random.PCG64(_NOISE_SEED))
    variants = []
    for k, factor in enumerate(SIZES_OF_NOISE):
        base = moved[0] if k < len(SIZES_OF_NOISE) - 1 else moved[1]
        values = floating_singular_values(base + factor * errors * generator.standard_normal(exact.shape))
        # where the entries' errors are less, the errors of the SVD itself remain, which A_AD's values show
        tail = values < 2 * own.max() * len(own) * np.finfo(np.float64).eps
        variants.append(-np.sort(-np.where(tail, np.hypot(values, own), values)))
    return PredictedSpectra(own, np.stack(variants))


def predicted_gap(spectra: PredictedSpectra, convention: Convention) -> PredictedGap:
    """The gap under a convention, with the range that its prediction leaves."""
    ad = truncated_entropy(spectra.ad, convention)
    fd = [truncated_entropy(values, convention) for values in spectra.fd]
    middle = fd[0]
    values = [float(one.value) for one in fd if one.value is not None]
    if ad.value is None or len(values) < len(fd):
        return PredictedGap(None, -np.inf, np.inf, (ad.cutoff, middle.cutoff), "undecided")
    gaps = np.array(values) - float(ad.value)
    # the two entropies are sums of about n terms in float64
    margin = float(np.std(gaps)) + 4 * len(spectra.ad) * np.finfo(np.float64).eps * max(1.0, abs(float(ad.value)))
    low, high = float(gaps.min()) - margin, float(gaps.max()) + margin
    larger: Larger = "ad" if high < 0 else "fd" if low > 0 else "undecided"
    return PredictedGap(float(gaps[0]), low, high, (ad.cutoff, middle.cutoff), larger)
