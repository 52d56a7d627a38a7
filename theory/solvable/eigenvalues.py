"""Proven eigenvalues of a real symmetric matrix in fixed-point integer arithmetic (standard library and mpmath).

The eigenvectors come from ``mpmath`` and need not be right: with V their rounding to integers, everything
after is exact. ``δ = ‖VᵀV - I‖_F < 1`` makes V invertible, ``λ_k(VᵀMV) = θ_k λ_k(M)`` with ``|θ_k - 1| <=
δ`` (A. M. Ostrowski, PNAS 45 (1959) 740), and the diagonal of ``VᵀMV`` is within the Frobenius norm of the
rest of its eigenvalues (Weyl). Repeated eigenvalues need no care.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt
from operator import mul

from mpmath.ctx_mp import MPContext

from theory.enclosures import Enclosure
from theory.errors import InputError, PrecisionCapError

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
