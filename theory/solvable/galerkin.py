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
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from operator import mul

from mpmath.ctx_mp import MPContext

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.solvable.model import (
    GUARD,
    Interval,
    Listed,
    Method,
    SolvableSpectrum,
    Tail,
    bounds,
    checked_step,
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
