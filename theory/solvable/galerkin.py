"""Proven eigenvalues of a real symmetric matrix in fixed-point integer arithmetic (standard library and mpmath).

The eigenvectors come from ``mpmath`` and need not be right: with V their rounding to integers, everything
after is exact. ``δ = ‖VᵀV - I‖_F < 1`` makes V invertible, ``λ_k(VᵀMV) = θ_k λ_k(M)`` with ``|θ_k - 1| <=
δ`` (A. M. Ostrowski, PNAS 45 (1959) 740), and the diagonal of ``VᵀMV`` is within the Frobenius norm of the
rest of its eigenvalues (Weyl). Repeated eigenvalues need no care.

Two-sided bounds on the eigenvalues of a positive trace-class operator from its matrix in an orthonormal basis.

With ``K`` the matrix, ``K_11`` its leading N × N block and ``t_M = Σ_{i>=M} K_ii`` the remainders of its
trace: ``λ_k(K_11) <= λ_k(K) <= λ_k(K_11) + t_N`` for k <= N (Cauchy; N. Aronszajn, *Rayleigh–Ritz and A.
Weinstein methods*, PNAS 34 (1948) 474), and ``λ_{M+1}(K) <= t_M``. The last inequality for the trailing
block gives a tail to the entropy of the whole spectrum. Where the basis splits into uncoupled parts, each
has its own leading block.

Geometric singular values ``σ_k = c θ^k``, k = 0, 1, …: every entropy in closed form (elementary; form ours).

With ``x = θ^q`` and rank r: ``H_r = log((1-x^r)/(1-x)) - log x · [x/(1-x) - r x^r/(1-x^r)]``; r = ∞:
``-log(1-x) - x log x/(1-x)``. Between two geometric spectra the ratios are monotone, so the larger θ has the
larger entropy at every rank and both powers (Marshall, Olkin and Arnold 2011, 5.B.1).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, isqrt
from operator import mul

from mpmath.ctx_mp import MPContext

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Convention, Power
from theory.entropy.entropy import EntropyValue, Number, natural_log, times
from theory.solvable.model import (
    GUARD,
    GapSign,
    Interval,
    Listed,
    Method,
    SolvableSpectrum,
    Tail,
    bounds,
    checked_step,
    interval_context,
    lift,
)

MAX_SIZE = 160
"""Largest matrix taken."""


def symmetric_eigenvalues(matrix: Sequence[Sequence[int]], bits: int, error: Fraction) -> list[Enclosure]:
    """Enclosures of all eigenvalues, the k-th largest at place k.

    Args:
        matrix: symmetric, integers that stand for themselves times ``2**-bits``.
        bits: the binary places, which are also those of the eigenvectors.
        error: a bound on the spectral norm of the difference between the matrix meant and the one given.

    Raises:
        InputError: not square and symmetric, or above :data:`MAX_SIZE`.
        PrecisionCapError: the approximate eigenvectors are not near orthonormal.

    >>> [float(x) for x in symmetric_eigenvalues([[2 << 60, 1 << 60], [1 << 60, 2 << 60]], 60, Fraction(0))]
    [3.0, 1.0]
    """
    n = len(matrix)
    if n > MAX_SIZE:
        raise InputError(f"matrix: size {n}; allowed: at most {MAX_SIZE}")
    if any(len(row) != n for row in matrix) or any(matrix[i][j] != matrix[j][i] for i in range(n) for j in range(i)):
        raise InputError("matrix: not square and symmetric")
    if n == 0:
        return []
    if n == 1:
        value = Fraction(matrix[0][0], 1 << bits)
        return [Enclosure(value - error, value + error)]
    vectors = _approximate_vectors(matrix, bits)  # rows are eigenvectors
    gram = [[_dot(u, v) for v in vectors[: i + 1]] for i, u in enumerate(vectors)]
    one = 1 << (2 * bits)
    defect = _upper_norm(gram, one, 2 * bits)
    if not defect < 1:
        raise PrecisionCapError("the approximate eigenvectors are far from orthonormal; more digits are needed")
    images = [[_dot(row, v) for row in matrix] for v in vectors]
    transformed = [[_dot(u, image) for image in images[: i + 1]] for i, u in enumerate(vectors)]
    diagonal = sorted((Fraction(transformed[i][i], 1 << (3 * bits)) for i in range(n)), reverse=True)
    for i in range(n):
        transformed[i][i] = 0
    spread = _upper_norm(transformed, 0, 3 * bits)
    result = []
    for value in diagonal:
        low, high = value - spread, value + spread
        low = low / (1 + defect) if low > 0 else low / (1 - defect)
        high = high / (1 - defect) if high > 0 else high / (1 + defect)
        result.append(Enclosure(low - error, high + error))
    return result


def _dot(x: Sequence[int], y: Sequence[int]) -> int:
    return sum(map(mul, x, y))


def _upper_norm(lower_triangle: list[list[int]], diagonal: int, bits: int) -> Fraction:
    """An upper bound on the Frobenius norm of a symmetric integer matrix minus ``diagonal`` times 1."""
    total = 0
    for i, row in enumerate(lower_triangle):
        total += 2 * sum(x * x for x in row[:i]) + (row[i] - diagonal) ** 2
    return Fraction(isqrt(total) + 1, 1 << bits)


def _approximate_vectors(matrix: Sequence[Sequence[int]], bits: int) -> list[list[int]]:
    context = MPContext()
    context.prec = bits + 32
    n = len(matrix)
    a = context.matrix(n, n)
    for i in range(n):
        for j in range(n):
            a[i, j] = context.ldexp(context.mpf(matrix[i][j]), -bits)
    _, v = context.eigsy(a)
    return [[int(context.nint(context.ldexp(v[i, k], bits))) for i in range(n)] for k in range(n)]


Block = tuple[list[list[int]], Fraction]
"""A symmetric matrix in units of ``2**-bits``, and a bound on the spectral norm of its error."""


class GalerkinSpectrum(SolvableSpectrum):
    """An operator whose matrix in the basis ``e_0, e_1, …`` couples equal parities only."""

    @abstractmethod
    def blocks(self, method: Method, h: Fraction, size: int, bits: int) -> tuple[Block, Block]:
        """The leading blocks of e_0, e_2, … and of e_1, e_3, …, with ``size`` basis functions together.

        Entries are off by about ``2**-bits``.
        """

    @abstractmethod
    def trace_tail(self, method: Method, h: Fraction, size: int) -> Tail | None:
        """``t_{size+j} <= first * ratio**j`` for j >= 0; ``None`` where ``size`` is too small for such a bound."""

    @abstractmethod
    def trace(self, method: Method, h: Fraction | None = None, digits: int = 30) -> Enclosure:
        """The sum of all eigenvalues, in closed form."""

    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        """See :meth:`SolvableSpectrum.listed`.

        Raises:
            InputError: an unknown method, or ``fd`` without a positive step.
            PrecisionCapError: a matrix of more than ``2 * MAX_SIZE`` rows would be needed.
        """
        return _listed(self, method, checked_step(h, method), count, digits)


@lru_cache(maxsize=64)
def _listed(model: GalerkinSpectrum, method: Method, h: Fraction, count: int, digits: int) -> Listed:
    scale = _scale(model, method, h)
    goal = scale / 10**digits
    size = max(count, 4)
    while True:
        if size > 2 * MAX_SIZE:
            raise PrecisionCapError(
                f"more than {2 * MAX_SIZE} basis functions are needed for {digits} digits; ask for fewer digits"
            )
        tail = model.trace_tail(method, h, size)
        if tail is not None and tail.first / (1 - tail.ratio) < goal:
            break
        size += max(1, size // 10)
    bits = int((digits + GUARD) * 3.33) + 2 * size.bit_length() + _exponent(1 / scale)
    values = []
    for matrix, error in model.blocks(method, h, size, bits):
        for value in symmetric_eigenvalues(matrix, bits, error):
            values.append(Enclosure(max(value.lower, Fraction(0)), max(value.upper, Fraction(0)) + tail.first))
    return Listed(tuple(values), tail)


def _scale(model: GalerkinSpectrum, method: Method, h: Fraction) -> Fraction:
    """A positive lower bound on the largest eigenvalue: a diagonal entry."""
    for bits in (64, 256, 1024):
        parts = model.blocks(method, h, 6, bits)
        best = max(Fraction(m[i][i], 1 << bits) - error for m, error in parts for i in range(len(m)))
        if best > 0:
            return best
    raise PrecisionCapError("no diagonal entry of the matrix is certainly positive")


def _exponent(x: Fraction) -> int:
    return max(0, x.numerator.bit_length() - x.denominator.bit_length() + 1)


def fixed_point(entries: list[list[Interval]], bits: int) -> Block:
    """A symmetric matrix of intervals in units of ``2**-bits``, with the bound on its error."""
    n, worst = len(entries), Fraction(0)
    matrix = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            enclosure = bounds(entries[i][j])
            value = round(enclosure.middle * (1 << bits))
            matrix[i][j] = matrix[j][i] = value
            centre = Fraction(value, 1 << bits)
            worst = max(worst, enclosure.upper - centre, centre - enclosure.lower)
    return matrix, n * worst


def geometric_entropy(x: Number, rank: int | None, log: Callable[[Number], Number] = natural_log) -> Number:
    """The entropy of ``p_k ∝ x^k``, k < ``rank`` (all k for ``None``), generic in the number type.

    Args:
        x: the ratio of consecutive probabilities, in (0, 1); the formula cancels as x nears 1.
        rank: r >= 1, or ``None`` for infinitely many.
        log: the logarithm.

    Raises:
        InputError: x certainly outside (0, 1), or a rank below 1.

    >>> geometric_entropy(0.5, None), geometric_entropy(0.5, 1)
    (1.3862943611198906, 0.0)
    """
    if x <= 0 or x >= 1:
        raise InputError(f"x: {x}; allowed: 0 < x < 1")
    if rank is not None and rank < 1:
        raise InputError(f"rank: {rank}; allowed: at least 1")
    if rank is None:
        return -log(1 - x) - times(x / (1 - x), log(x))
    power = x**rank
    return log((1 - power) / (1 - x)) - times(x / (1 - x) - rank * power / (1 - power), log(x))


@dataclass(frozen=True)
class Geometric:
    """Singular values ``θ^k`` times anything, k = 0 … n-1 (n = ∞ for ``None``).

    Attributes:
        ratio: θ in (0, 1).
        size: n >= 1, or ``None``.

    Raises:
        InputError: values outside these ranges.
    """

    ratio: Fraction
    size: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.ratio < 1:
            raise InputError(f"ratio: {self.ratio}; allowed: 0 < θ < 1")
        if self.size is not None and self.size < 1:
            raise InputError(f"size: {self.size}; allowed: at least 1, or none for infinitely many")

    def cutoff(self, convention: Convention, scale: Fraction = Fraction(1)) -> int:
        """The effective cut-off number, exact, from the closed form of the sums.

        Args:
            convention: the rule.
            scale: ``σ_1``, which the absolute rule needs.

        Raises:
            InputError: energy with τ = 0 and infinitely many values: every one of them counts.
        """
        tau, x = convention.tau, self.ratio**convention.power
        if convention.rule == "fixed":
            rank = convention.rank or 0
            return rank if self.size is None else min(rank, self.size)
        if convention.rule == "energy":  # Σ_{k>=r} x^k <= τ Σ x^k: x^r <= τ + (1 - τ) x^n
            if tau == 0 and self.size is None:
                raise InputError("tau: 0 with rule 'energy' and infinitely many values; allowed: 0 < τ < 1")
            if tau == 0:
                return self.size or 0
            found = _least_exponent(x, tau, self.size)
        else:  # θ^r < τ
            found = _least_exponent(self.ratio, tau if convention.rule == "relative" else tau / scale)
        return found if self.size is None else min(found, self.size)

    def entropy(self, *, power: Power = 1, rank: int | None = None, digits: int = 30) -> Enclosure:
        """The closed form, enclosed; ``rank`` values at most, or all."""
        context = interval_context(digits + GUARD)
        x = lift(context, self.ratio**power)
        r = self.size if rank is None else rank if self.size is None else min(rank, self.size)
        return bounds(geometric_entropy(x, r))

    def truncated_entropy(self, convention: Convention, digits: int = 30) -> EntropyValue:
        """As :func:`theory.entropy.entropy.truncated_entropy`, with :class:`Enclosure` as the value."""
        r = self.cutoff(convention)
        if r == 0 or (r == 1 and convention.normalised):
            reason = "no singular value passes the cut-off" if r == 0 else "H / log r is 0/0 at r = 1"
            return EntropyValue(None, r, f"{reason} ({convention.label})")
        context = interval_context(digits + GUARD)
        value = geometric_entropy(lift(context, self.ratio**convention.power), r)
        if convention.normalised:
            value = value / context.log(context.mpf(r))
        return EntropyValue(bounds(value), r)

    def gap_sign(self, other: Geometric, rank: int | None = None) -> GapSign:
        """The sign of ``H(other) - H(self)`` at one rank, for both powers.

        Raises:
            InputError: different effective ranks, where ratios are not comparable.
        """
        sizes = [s if rank is None else rank if s is None else min(s, rank) for s in (self.size, other.size)]
        if sizes[0] != sizes[1]:
            raise InputError(f"size: {sizes[0]} and {sizes[1]}; allowed: equal, or a rank below both")
        if self.ratio == other.ratio or sizes[0] == 1:
            return GapSign(0, "equal spectra", "equal probabilities")
        rises = other.ratio > self.ratio
        reason = f"the ratios (θ'/θ)^k are {'increasing' if rises else 'decreasing'}"
        return GapSign(1 if rises else -1, "ratio majorisation", reason)


def _least_exponent(x: Fraction, tau: Fraction, size: int | None = -1) -> int:
    """The least r >= 0 with ``x^r < τ``; with a size n (or ``None``, infinite) ``x^r <= τ + (1 - τ) x^n``.

    Logarithms in interval arithmetic; an integer that they cannot exclude is decided by exact powers.
    """
    strict = size == -1
    if (strict and tau > 1) or (not strict and tau >= 1):
        return 0
    for digits in (30, 120, 480):
        context = interval_context(digits)
        level, step = lift(context, tau), context.log(lift(context, x))
        if size is not None and not strict:
            level = level + (1 - level) * context.exp(step * size)
        quotient = bounds(context.log(level) / step)
        low, high = ceil(quotient.lower), ceil(quotient.upper)
        if low == high and quotient.upper < high:
            return low
        candidate = floor(quotient.upper)
        if candidate * max(x.denominator.bit_length(), 1) < 10**6:
            if strict:
                return candidate + (x**candidate >= tau)
            end = Fraction(0) if size is None else x**size
            return candidate + (x**candidate > tau + (1 - tau) * end)
    raise PrecisionCapError("the cut-off number of the geometric spectrum was not decided with 480 digits")
