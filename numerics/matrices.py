"""A_AD and A_FD of a problem, in float32, float64 and multiprecision; and the right-hand side.

Rows are the interior points (L φ_j or L_h φ_j), then the boundary points (√λ B φ_j, the same in both).  In floating
point each matrix is made as a training run would make it: inputs rounded to the dtype, shifted points formed in the
dtype, the activation evaluated on them, the weighted sum divided by h^m.  In multiprecision the inputs are the exact
rationals of the problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from jaxtyping import Float

from numerics.backends import FloatBackend, MultiprecisionBackend, to_floats
from numerics.features import boundary_rows, features, interior_points
from numerics.problem import Method, Problem, Vector
from theory.activations import z
from theory.errors import InputError
from theory.expressions import Backend, evaluate
from theory.operators import LinearOperator

Array = Any
"""A numpy array of the dtype at work (floats, mpmath numbers or balls)."""

DTYPES: dict[str, type[np.floating[Any]]] = {"float32": np.float32, "float64": np.float64}


def shape(problem: Problem) -> tuple[int, int]:
    """(N + N_b, M): rows and columns of A."""
    rows = len(interior_points(problem)) + sum(len(b.points) for b in boundary_rows(problem))
    return rows, problem.count


def float_matrix(problem: Problem, method: Method, dtype: str) -> Float[np.ndarray, "rows M"]:
    """A as a training run in ``dtype`` (``"float32"`` or ``"float64"``) would make it.

    Raises:
        InputError: an entry that is not finite in this arithmetic.
    """
    kind = DTYPES[dtype]
    with np.errstate(all="ignore"):  # what overflows is refused below
        matrix = assemble(problem, method, FloatBackend(kind), lambda values: _round(values, kind))
    if not np.isfinite(matrix).all():
        raise InputError(f"features: an entry of A is not finite in {dtype}")
    return np.asarray(matrix, dtype=kind)


def multiprecision_entries(problem: Problem, method: Method) -> Callable[[int], mpmath.matrix]:
    """A as a function of the number of decimal digits to which its entries are correct (relative to their size)."""

    def entries(digits: int) -> mpmath.matrix:
        with mpmath.workdps(digits + cancellation_digits(problem, method) + 10):
            return mpmath.matrix(assemble(problem, method, MultiprecisionBackend(), _exact).tolist())

    return entries


def cancellation_digits(problem: Problem, method: Method) -> int:
    """Decimal digits lost by the differences of L_h: about m log10(1/h)."""
    if method == "ad":
        return 0
    worst = max((1 / term.scale for term in problem.difference.terms), default=Fraction(1))
    # log10 of the integer: the rational itself may be beyond the range of a float
    return math.ceil(math.log10(math.ceil(worst))) + 6 if worst > 1 else 6


Exact = Sequence[Vector | Fraction]
"""Exact rationals on their way into an arithmetic: vectors or numbers."""


def _round(values: Exact, kind: type[np.floating[Any]]) -> Array:
    if values and isinstance(values[0], tuple):
        return to_floats(values, kind)  # type: ignore[arg-type]
    return to_floats([values], kind)[0]  # type: ignore[list-item]


def _exact(values: Exact) -> Array:
    constant = MultiprecisionBackend().constant
    rows = [[constant(v) for v in row] if isinstance(row, tuple) else constant(row) for row in values]
    return np.array(rows, dtype=object)


def assemble(problem: Problem, method: Method, backend: Backend, inputs: Callable[[Any], Array]) -> Array:
    """A on any backend; ``inputs`` turns exact rationals into an array of its numbers."""
    drawn = features(problem)
    W, b = inputs(drawn.weights), inputs(drawn.biases)
    parts = []
    points = interior_points(problem)
    if points:
        X = inputs(points)
        if method == "ad":
            parts.append(apply_operator(problem.operator, problem, W, b, X, backend))
        else:
            parts.append(apply_difference(problem, W, b, X, backend, inputs))
    for boundary in boundary_rows(problem):
        if boundary.points:
            X = inputs(boundary.points)
            rows = apply_operator(boundary.operator, problem, W, b, X, backend)
            root = backend.power(backend.constant(boundary.rows.weight), Fraction(1, 2))
            parts.append(rows * root)
    if not parts:
        raise InputError("points: there are neither interior nor boundary points")
    return np.concatenate(parts, axis=0)


def _preactivation(X: Array, W: Array, b: Array) -> Array:
    """w_j·x_i + b_j, as the sum of d products and the bias."""
    total = X[:, :1] * W[:, 0]
    for axis in range(1, X.shape[1]):
        total = total + X[:, axis : axis + 1] * W[:, axis]
    return total + b


def _coefficient(expr: sp.Expr, problem: Problem, X: Array, backend: Backend) -> Array:
    """c(x_i) as a column (or a scalar for a constant)."""
    columns = {symbol: X[:, axis : axis + 1] for axis, symbol in enumerate(problem.operator.symbols)}
    return evaluate(expr, columns, backend)


def apply_operator(operator: LinearOperator, problem: Problem, W: Array, b: Array, X: Array, backend: Backend) -> Array:
    """(L φ_j)(x_i) = Σ c_α(x_i) w_j^α σ^(|α|)(w_j·x_i + b_j)."""
    argument = _preactivation(X, W, b)
    total = None
    for alpha, coefficient in operator.terms:
        term = evaluate(problem.activation.derivative(sum(alpha)), {z: argument}, backend)
        for axis, times in enumerate(alpha):
            for _ in range(times):
                term = term * W[:, axis]
        term = _broadcast(term, argument)
        if coefficient != 1:
            term = term * _coefficient(coefficient, problem, X, backend)
        total = term if total is None else total + term
    return total


def _broadcast(term: Array, like: Array) -> Array:
    """A derivative that is constant in z (a polynomial activation's) still fills the matrix."""
    return term if np.shape(term) == like.shape else term + 0 * like


def apply_difference(
    problem: Problem, W: Array, b: Array, X: Array, backend: Backend, inputs: Callable[[Any], Array]
) -> Array:
    """(L_h φ_j)(x_i): the weighted sum of φ_j at the shifted points, divided by h^m."""
    sigma = problem.activation.derivative(0)
    seen: dict[Vector, Array] = {}

    def shifted(shift: Vector) -> Array:
        if shift not in seen:
            moved = X if not any(shift) else X + inputs((shift,))
            argument = _preactivation(moved, W, b)
            seen[shift] = _broadcast(evaluate(sigma, {z: argument}, backend), argument)
        return seen[shift]

    total = None
    for term in problem.difference.terms:
        part = None
        for weight, shift in zip(term.weights, term.shifts, strict=True):
            if weight:
                value = shifted(shift) * backend.constant(weight) if weight != 1 else shifted(shift)
                part = value if part is None else part + value
        if term.scale != 1:
            part = part / backend.constant(term.scale)
        if term.coefficient != 1:
            part = part * _coefficient(term.coefficient, problem, X, backend)
        total = part if total is None else total + part
    return total


def float_rhs(problem: Problem, dtype: str) -> Float[np.ndarray, " rows"]:
    """f at the interior points, then √λ g at the boundary points.

    Raises:
        InputError: a value that is not finite in this arithmetic.
    """
    kind = DTYPES[dtype]
    with np.errstate(all="ignore"):  # what overflows is refused below
        values = np.asarray(_rhs(problem, FloatBackend(kind), lambda values: _round(values, kind)), dtype=kind)
    if not np.isfinite(values).all():
        raise InputError(f"problem.solution: the right-hand side is not finite at every point in {dtype}")
    return values


def multiprecision_rhs(problem: Problem, digits: int) -> mpmath.matrix:
    """The same as :func:`float_rhs` to the given number of decimal digits, as a column."""
    with mpmath.workdps(digits + 10):
        return mpmath.matrix(list(_rhs(problem, MultiprecisionBackend(), _exact)))


def _rhs(problem: Problem, backend: Backend, inputs: Callable[[Any], Array]) -> Array:
    parts = []
    points = interior_points(problem)
    if points:
        parts.append(_column(problem.rhs_expression, problem, inputs(points), backend))
    for boundary in boundary_rows(problem):
        if boundary.points:
            root = backend.power(backend.constant(boundary.rows.weight), Fraction(1, 2))
            values = _column(problem.boundary_value(boundary.rows), problem, inputs(boundary.points), backend)
            parts.append(values * root)
    return np.concatenate(parts)


def _column(expr: sp.Expr, problem: Problem, X: Array, backend: Backend) -> Array:
    value = _coefficient(expr, problem, X, backend)
    return (value + 0 * X[:, :1])[:, 0]
