"""A_AD and A_FD of a problem in float32, float64 and multiprecision, the right-hand side, and A_FD expanded in the step.

Rows are the interior points (L φ_j or L_h φ_j), then the boundary points (√λ B φ_j, the same in both).  In floating
point each matrix is made as a training run would make it: inputs rounded to the dtype, shifted points formed in the
dtype, the activation evaluated on them, the weighted sum divided by h^m.  In multiprecision the inputs are the exact
rationals of the problem.

What truncation alone does to the matrix is expanded twice: the leading terms in float64 (:func:`truncation_terms`), and in
balls with a proven remainder (:func:`step_expansion`), from derivatives of the features alone.  All steps are scaled by one factor t in [0, 1]. With ``mu_k = w_j . s_k`` (``s_k`` the shifts of a difference of
degree m at t = 1, ``c_k`` its weights over ``h^m``), Taylor's theorem with Lagrange's remainder gives, an entry,

    L_{th} phi - L phi = sum_{m < n < m+P} t^(n-m) M_n sigma^(n)(theta)
                         + t^P sum_k c_k mu_k^(m+P)/(m+P)! sigma^(m+P)(theta + [0, t] mu_k),
    M_n = sum_k c_k mu_k^n / n!      (exact rationals; M_n = 0 for n < m by consistency).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import mpmath
import numpy as np
import sympy as sp
from flint import arb, arb_mat
from jaxtyping import Float

from numerics.arithmetic.backends import BallBackend, FloatBackend, MultiprecisionBackend, to_floats
from numerics.arithmetic.balls import ball
from numerics.problem.drawn import arguments, boundary_rows, features, interior_points
from numerics.problem.problem import Method, Problem, Vector
from theory.base.errors import InputError, NonexistenceError
from theory.base.expressions import Backend, evaluate
from theory.features.activations import MAX_DERIVATIVE, z
from theory.operators.operator import DifferenceTerm, LinearOperator

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


Matrix = Float[np.ndarray, "rows M"]


def truncation_terms(problem: Problem, terms: int = 1) -> dict[int, Matrix]:
    """The power q of the step to the terms of that power, ``Σ c(x_i) e_β h^β ∂^β φ_j(x_i)``; ascending powers.

    Args:
        problem: its own stencils at its own step, which is included in the terms.
        terms: how many terms of each difference.

    Returns:
        matrices (N + N_b, M), zero in the boundary rows; empty for differences that are exact.

    Raises:
        NonexistenceError: the activation lacks a derivative that they need.
        InputError: a term that is not finite in float64.
    """
    rows, columns = shape(problem)
    (X, W, argument), backend = arguments(problem), FloatBackend(np.float64)
    at = {symbol: X[:, axis : axis + 1] for axis, symbol in enumerate(problem.operator.symbols)}
    steps = [float(h) for h in problem.steps]
    found: dict[int, Matrix] = {}
    for term in problem.difference.terms:
        if term.stencil is None or term.stencil.is_exact:
            continue
        coefficient = evaluate(term.coefficient, at, backend) + 0 * X[:, :1]
        for part in term.stencil.truncation(terms):
            if problem.activation.smoothness < part.derivative:
                raise NonexistenceError(
                    f"features.activation: {problem.activation.name} has {problem.activation.smoothness} bounded "
                    f"derivatives; the truncation error needs {part.derivative}"
                )
            with np.errstate(all="ignore"):  # what overflows is refused below
                sigma = evaluate(problem.activation.derivative(part.derivative), {z: argument}, backend)
                for beta, e in part.coefficients:
                    factor = float(e) * math.prod(h**k for h, k in zip(steps, beta, strict=True)) / float(term.scale)
                    monomial = np.prod([W[:, axis] ** times for axis, times in enumerate(beta)], axis=0)
                    total = found.setdefault(part.power, np.zeros((rows, columns)))
                    total[: len(X)] += factor * coefficient * monomial * sigma
    if not all(np.isfinite(part).all() for part in found.values()):
        raise InputError("features: a derivative that the truncation error needs is not finite in float64")
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class StepExpansion:
    """``A_FD(t h) - A_AD = sum_q t^q C_q + t^P R`` for every ``0 <= t <= 1``.

    Attributes:
        order: the least power q.
        coefficients: the balls ``C_q`` (rows x M), by q; powers that vanish are left out.
        power: P.
        remainder: balls that contain R, whatever t is.
    """

    order: int
    coefficients: dict[int, arb_mat]
    power: int
    remainder: arb_mat


def step_expansion(problem: Problem, terms: int = 4, bits: int = 120) -> StepExpansion:
    """The expansion with all powers below ``order + terms``.

    Args:
        problem: the problem; its own step is t = 1.
        terms: powers of h to resolve before the remainder, the leading one included.
        bits: precision of the balls.

    Raises:
        NonexistenceError: the activation is not smooth enough.
        InputError: ``terms`` below 1, or beyond the derivatives that the activation gives.
    """
    if terms < 1:
        raise InputError(f"terms: {terms} is not allowed; at least 1")
    power = max(1, problem.difference.order) + terms
    degrees = [term.stencil.degree for term in problem.difference.terms if term.stencil is not None]
    highest = max(degrees, default=0) + power
    if highest > MAX_DERIVATIVE:
        raise InputError(f"terms: {terms} needs derivative {highest} of the activation; at most {MAX_DERIVATIVE}")
    if bool(problem.activation.smoothness < highest):
        raise NonexistenceError(
            f"features.activation: {problem.activation.name} has {problem.activation.smoothness} bounded derivatives; "
            f"the expansion in h needs {highest}"
        )
    rows, columns = shape(problem)
    inner = len(interior_points(problem))
    with flint.ctx.workprec(bits):
        tables = [np.full((inner, columns), arb(0), dtype=object) for _ in range(power + 1)]
        for term in problem.difference.terms:
            if term.stencil is not None:
                _add_term(problem, term, power, tables)
        blank = [arb(0)] * ((rows - inner) * columns)  # boundary rows are the same in both
        matrices = [arb_mat(rows, columns, list(table.ravel()) + blank) for table in tables]
    kept = {q: matrices[q] for q in range(1, power) if not all(x == 0 for x in matrices[q].entries())}
    return StepExpansion(min(kept, default=power), kept, power, matrices[power])


def _add_term(problem: Problem, term: DifferenceTerm, power: int, tables: list[np.ndarray]) -> None:
    """Adds one difference's share to ``tables[q]``, q = 1 … P (``tables[P]`` the remainder)."""
    assert term.stencil is not None
    m = term.stencil.degree
    drawn, points = features(problem), interior_points(problem)
    moves = [[_dot(w, shift) for shift in term.shifts] for w in drawn.weights]
    theta = np.array(
        [[ball(_dot(w, x) + b) for w, b in zip(drawn.weights, drawn.biases, strict=True)] for x in points],
        dtype=object,
    ).reshape(len(points), len(drawn.biases))
    factor = np.array([[_coefficient_ball(problem, term, x)] for x in points], dtype=object).reshape(len(points), 1)
    weights = [c / term.scale for c in term.weights]
    for n in range(m + 1, m + power):
        moment = [sum((c * mu**n for c, mu in zip(weights, mus, strict=True)), Fraction(0)) for mus in moves]
        if any(moment):
            row = np.array([ball(v / math.factorial(n)) for v in moment], dtype=object)
            tables[n - m] = tables[n - m] + factor * row * _derivative(problem, n, theta)
    top = m + power
    for k, c in enumerate(weights):
        mus = [column[k] for column in moves]
        if c and any(mus):
            reach = np.array([arb(0).union(ball(mu)) for mu in mus], dtype=object)
            row = np.array([ball(c * mu**top / math.factorial(top)) for mu in mus], dtype=object)
            tables[power] = tables[power] + factor * row * _derivative(problem, top, theta + reach)


def _derivative(problem: Problem, n: int, at: np.ndarray) -> np.ndarray:
    return np.asarray(evaluate(problem.activation.derivative(n), {z: at}, BallBackend()) + 0 * at)


def _coefficient_ball(problem: Problem, term: DifferenceTerm, x: tuple[Fraction, ...]) -> arb:
    at = {symbol: ball(v) for symbol, v in zip(problem.operator.symbols, x, strict=True)}
    return arb(1) * evaluate(term.coefficient, at, BallBackend())


def _dot(a: tuple[Fraction, ...], b: tuple[Fraction, ...]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
