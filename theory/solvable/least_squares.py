"""Exact laws of training for linear least squares: gradient descent, truncation, ridge, and integrals of the loss.

The problem is ``min ½‖A a − f‖²`` with ``r = A a − f``. With the singular values σ_k of ``A`` and the projections
``c_k = ⟨u_k, r(0)⟩`` every law is a sum over modes; those functions are generic in their numbers (``Fraction``,
``mpmath.mpf``, SymPy expressions). Square roots are avoided: norms come squared, and the part of ``r(0)``
outside the range of ``A`` comes as its squared norm. The functions on rational matrices need no singular values
at all, so that they are exact; they are the oracles for everything else.

The same laws hold for a network in the regime of its frozen tangent kernel ``G``, with ``σ_k²`` the eigenvalues of
``G`` (Jacot, Gabriel & Hongler, 2018; for residuals of differential equations Wang, Yu & Perdikaris, 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from theory.base.errors import InputError, NonexistenceError

Number = TypeVar("Number")
"""``Fraction``, ``mpmath.mpf``, or a SymPy expression; one kind in a call."""

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]


def _pairs(values: Sequence[Any], projections: Sequence[Any]) -> list[tuple[Any, Any]]:
    if len(values) != len(projections):
        raise InputError(f"modes: {len(values)} singular values but {len(projections)} projections; one for each")
    return list(zip(values, projections, strict=True))


def decay(value: Number, step: Number, iterations: int) -> Number:
    """``(1 − step · value²)^iterations``: what gradient descent leaves of one mode.

    >>> decay(Fraction(1), Fraction(1, 2), 3)
    Fraction(1, 8)
    """
    if iterations < 0:
        raise InputError(f"iterations: {iterations}; at least 0")
    v: Any = value
    result: Number = (1 - step * v * v) ** iterations
    return result


def _weighted(values: Sequence[Any], projections: Sequence[Any], orthogonal: Any, weight: Callable[[Any], Any]) -> Any:
    total = orthogonal
    for value, projection in _pairs(values, projections):
        total = total + weight(value) * projection * projection
    return total


def descent_loss(
    values: Sequence[Number], projections: Sequence[Number], orthogonal: Number, step: Number, iterations: int
) -> Number:
    """``½‖r(t)‖²`` of gradient descent: ``½ (Σ (1 − η σ_k²)^{2t} c_k² + ‖r_⊥‖²)``.

    Args:
        values: singular values of ``A``;  projections: ``c_k``;  orthogonal: ``‖r_⊥‖²``.
        step: η;  iterations: t ≥ 0.

    >>> descent_loss([Fraction(1)], [Fraction(2)], Fraction(0), Fraction(1, 2), 1)
    Fraction(1, 2)
    """
    loss: Number = _weighted(values, projections, orthogonal, lambda v: decay(v, step, 2 * iterations)) / 2
    return loss


def average_loss(values: Sequence[Number], rows: int, step: Number, iterations: int) -> Number:
    """The mean of ``½‖r(t)‖²`` over right-hand sides of covariance I, from ``a(0) = 0``.

    ``½ (Σ_k (1 − η σ_k²)^{2t} + rows − #modes)``. For ``0 ≤ K' ≤ K`` (Loewner) and ``η ≤ 1/σ_1²`` it favours K at
    every t, since the eigenvalues are ordered one by one; the loss for a single right-hand side is not.
    """
    if rows < len(values):
        raise InputError(f"rows: {rows}; at least the number of modes, {len(values)}")
    total: Any = rows - len(values)
    for value in values:
        total = total + decay(value, step, 2 * iterations)
    result: Any = Fraction(total, 2) if isinstance(total, int) else total / 2
    mean: Number = result
    return mean


def truncated_residual(projections: Sequence[Number], orthogonal: Number, kept: int) -> Number:
    """``‖(I − U_r U_rᵀ) f‖²`` of the truncated-SVD solution with ``kept = r`` modes; ``c_k = ⟨u_k, f⟩``."""
    if not 0 <= kept <= len(projections):
        raise InputError(f"cut-off: {kept}; allowed: 0 to {len(projections)}")
    total: Any = orthogonal
    for projection in projections[kept:]:
        total = total + projection * projection  # type: ignore[operator]
    result: Number = total
    return result


def ridge_residual(
    values: Sequence[Number], projections: Sequence[Number], orthogonal: Number, penalty: Number
) -> Number:
    """``‖A a − f‖²`` at the minimiser of ``‖A a − f‖² + penalty ‖a‖²``: weights ``(λ/(σ_k² + λ))²``."""

    def weight(value: Any) -> Any:
        factor = penalty / (value * value + penalty)
        return factor * factor

    result: Number = _weighted(values, projections, orthogonal, weight)
    return result


def flow_loss_integral(values: Sequence[Number], projections: Sequence[Number], orthogonal: Number) -> Number:
    """``∫₀^∞ ½‖r(t)‖² dt`` of the gradient flow ``r' = −AAᵀ r``: ``¼ Σ c_k²/σ_k²`` (``= ¼ r₀ᵀ K⁻¹ r₀``).

    Raises:
        NonexistenceError: a part of ``r(0)`` that never decays makes the integral infinite.
    """
    result: Number = _integral(values, projections, orthogonal, lambda square: 4 * square)
    return result


def descent_loss_sum(
    values: Sequence[Number], projections: Sequence[Number], orthogonal: Number, step: Number
) -> Number:
    """``Σ_{t≥0} ½‖r(t)‖²`` of gradient descent: ``½ Σ c_k² / (x_k (2 − x_k))`` with ``x_k = η σ_k²``.

    Raises:
        NonexistenceError: a part of ``r(0)`` that never decays, or one that grows (``x_k ≥ 2``).
    """

    def denominator(square: Any) -> Any:
        x = step * square
        if not x < 2:
            raise NonexistenceError(f"loss sum: step times the squared singular value is {x}, not under 2")
        return 2 * x * (2 - x)

    result: Number = _integral(values, projections, orthogonal, denominator)
    return result


def _integral(
    values: Sequence[Any], projections: Sequence[Any], orthogonal: Any, denominator: Callable[[Any], Any]
) -> Any:
    if orthogonal != 0:
        raise NonexistenceError("loss integral: a part of the residual lies outside the range, so it is infinite")
    total: Any = orthogonal
    for value, projection in _pairs(values, projections):
        if projection == 0:
            continue
        if value == 0:
            raise NonexistenceError("loss integral: a mode with singular value 0 is present, so it is infinite")
        total = total + projection * projection / denominator(value * value)
    return total


def iterations_to(
    values: Sequence[Number],
    projections: Sequence[Number],
    orthogonal: Number,
    step: Number,
    tolerance: Number,
    limit: int = 10**6,
) -> int | None:
    """The least t with ``loss(t) ≤ tolerance · loss(0)``; ``None`` if it exceeds ``limit``.

    The loss never increases when ``η σ_k² ≤ 2`` for every mode, so doubling and bisection find it.

    Raises:
        InputError: a mode that grows.
    """
    start: Any = descent_loss(values, projections, orthogonal, step, 0)
    target = tolerance * start
    for value, projection in _pairs(values, projections):
        if projection != 0 and not step * value * value <= 2:
            raise InputError(f"step: {step}; at most 2/σ² = {2 / (value * value)} is allowed")

    def met(iterations: int) -> bool:
        return bool(descent_loss(values, projections, orthogonal, step, iterations) <= target)

    if met(0):
        return 0
    low, high = 0, 1
    while not met(high):
        if high >= limit:
            return None
        low, high = high, min(2 * high, limit)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if met(middle) else (middle, high)
    return high


# Rational matrices: the same laws without singular values.


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


def descend(A: Matrix, f: Vector, step: Fraction, iterations: int) -> Vector:
    """The residual ``A a − f`` after so many iterations of gradient descent from ``a = 0``, iterated exactly."""
    _shape(A, f)
    transposed = _transpose(A)
    a: Vector = tuple(Fraction(0) for _ in A[0])
    for _ in range(iterations):
        residual = tuple(u - v for u, v in zip(_apply(A, a), f, strict=True))
        a = tuple(p - step * g for p, g in zip(a, _apply(transposed, residual), strict=True))
    return tuple(u - v for u, v in zip(_apply(A, a), f, strict=True))


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


def least_squares_residual(A: Matrix, f: Vector) -> Vector:
    """``A A⁺ f − f``: minus the part of ``f`` outside the range of ``A``, exactly (Gram–Schmidt without roots).

    It depends on the range of ``A`` alone, so ``A D`` with an invertible D has the same one.
    """
    _shape(A, f)
    basis: list[Vector] = []
    for column in _transpose(A):
        rest = _reject(column, basis)
        if any(rest):
            basis.append(rest)
    return tuple(-value for value in _reject(f, basis))


def _reject(v: Vector, basis: Sequence[Vector]) -> Vector:
    for u in basis:
        factor = _dot(u, v) / _dot(u, u)
        v = tuple(a - factor * b for a, b in zip(v, u, strict=True))
    return v


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


def ridge_quadratic(K: Matrix, residual: Vector, penalty: Fraction) -> tuple[Fraction, Fraction]:
    """For ``min ½‖A a − f‖² + ½ penalty ‖a‖²``, ``K = A Aᵀ``: its least value, and ``‖A a − f‖²`` there, exactly.

    ``a`` leaves ``r = λ (K + λ)⁻¹ r₀``; the least value is ``½ λ r₀ᵀ (K + λ)⁻¹ r₀``, antitone in K. The residual
    alone, ``λ² ‖(K + λ)⁻¹ r₀‖²``, is not: the square of an inverse is not operator antitone.
    """
    if penalty <= 0:
        raise InputError(f"penalty: {penalty}; a positive number is allowed")
    _shape(K, residual)
    shifted: Matrix = tuple(
        tuple(value + (penalty if i == j else 0) for j, value in enumerate(row)) for i, row in enumerate(K)
    )
    x = solve(shifted, residual)
    return penalty * _dot(residual, x) / 2, penalty**2 * _dot(x, x)


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

    The ridge *objective* is ordered the other way, as :func:`ridge_quadratic` says.
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
