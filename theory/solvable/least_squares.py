"""Exact laws of training for linear least squares, on rational matrices: gradient descent and integrals of the loss.

The problem is ``min ½‖A a − f‖²`` with ``r = A a − f`` and ``K = A Aᵀ``; nothing needs singular values or roots. The same
laws hold for a network in the regime of its frozen tangent kernel ``K`` (Jacot, Gabriel & Hongler, 2018; for residuals
of differential equations Wang, Yu & Perdikaris, 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from theory.base.errors import InputError, NonexistenceError

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]


def _shape(A: Matrix, f: Vector) -> None:
    if not A or not A[0] or len(A) != len(f) or any(len(row) != len(A[0]) for row in A):
        raise InputError(
            f"system: {len(A)} rows and {len(f)} right-hand sides; allowed: a rectangle and one for each row"
        )


def _dot(u: Sequence[Fraction], v: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0))


def _apply(A: Matrix, v: Sequence[Fraction]) -> Vector:
    return tuple(_dot(row, v) for row in A)


def _transpose(A: Matrix) -> Matrix:
    return tuple(zip(*A, strict=True))


def gram(A: Matrix) -> Matrix:
    """``K = A Aᵀ``, exactly."""
    return tuple(tuple(_dot(u, v) for v in A) for u in A)


def residual_law(K: Matrix, residual: Vector, step: Fraction, iterations: int) -> Vector:
    """``(I − step · K)^iterations r(0)`` for a symmetric K, by repeated squaring, exactly."""
    _shape(K, residual)
    n = len(K)
    base: Matrix = tuple(tuple((i == j) - step * K[i][j] for j in range(n)) for i in range(n))
    result = residual
    while iterations:
        if iterations & 1:
            result = _apply(base, result)
        iterations >>= 1
        if iterations:
            columns = _transpose(base)
            base = tuple(tuple(_dot(row, column) for column in columns) for row in base)
    return result


def solve(K: Matrix, right: Vector) -> Vector:
    """One solution of ``K x = right`` by Gauss–Jordan elimination, exactly (free unknowns are 0).

    Raises:
        NonexistenceError: there is none.
    """
    _shape(K, right)
    rows = [[*row, value] for row, value in zip(K, right, strict=True)]
    width = len(K[0])
    pivots: list[int] = []
    for column in range(width):
        level = len(pivots)
        found = next((i for i in range(level, len(rows)) if rows[i][column] != 0), None)
        if found is None:
            continue
        rows[level], rows[found] = rows[found], rows[level]
        pivot = rows[level][column]
        rows[level] = [value / pivot for value in rows[level]]
        for i, row in enumerate(rows):
            if i != level and row[column] != 0:
                factor = row[column]
                rows[i] = [a - factor * b for a, b in zip(row, rows[level], strict=True)]
        pivots.append(column)
    if any(row[-1] != 0 for row in rows[len(pivots) :]):
        raise NonexistenceError("system: the right-hand side lies outside the range")
    x = [Fraction(0)] * width
    for row, column in zip(rows, pivots, strict=False):
        x[column] = row[-1]
    return tuple(x)


def kernel_loss_integral(K: Matrix, residual: Vector) -> Fraction:
    """``¼ r₀ᵀ K⁻¹ r₀``, the loss of the gradient flow integrated over all time, exactly.

    Antitone in K: ``0 ≤ K' ≤ K`` (Loewner) with both invertible gives a smaller integral for K, whatever ``r₀``.

    Raises:
        NonexistenceError: ``r₀`` outside the range of K (the integral is infinite).
    """
    return _dot(residual, solve(K, residual)) / 4


def loewner_descent_witness() -> tuple[Matrix, Matrix, Vector]:
    """``(K', K, r₀)`` with ``0 ≤ K' ≤ K ≤ I`` whose loss after one step of size 1 is *smaller* for the smaller K'.

    ``½ ‖(I − K) r₀‖²`` is 1/9 for K and 1/18 for K': squaring is not operator monotone (ours; the classical
    2 × 2 example is in Bhatia, Matrix Analysis, 1997, section V.1).
    """
    third = Fraction(1, 3)
    small = ((third, -third), (-third, 2 * third))
    large = ((2 * third, -third), (-third, 2 * third))
    return small, large, (Fraction(1), Fraction(-2))


def loewner_ridge_witness() -> tuple[Matrix, Matrix, Vector, Fraction]:
    """``(K', K, r₀, λ)`` with ``0 ≤ K' ≤ K`` whose ridge residual ``‖λ (K + λ)⁻¹ r₀‖`` is smaller for K' (ours).

    The ridge *objective* ``½ λ r₀ᵀ (K + λ)⁻¹ r₀``, antitone in K, is ordered the other way.
    """
    penalty = Fraction(1, 4)

    def kernel(inverse: Matrix) -> Matrix:
        (a, b), (c, d) = inverse
        determinant = a * d - b * c
        return (
            (d / determinant - penalty, -b / determinant),
            (-c / determinant, a / determinant - penalty),
        )

    x: Matrix = ((Fraction(5, 4), Fraction(1)), (Fraction(1), Fraction(5, 4)))
    y: Matrix = ((Fraction(9, 4), Fraction(1)), (Fraction(1), Fraction(5, 4)))
    return kernel(y), kernel(x), (Fraction(1), Fraction(-4)), penalty
