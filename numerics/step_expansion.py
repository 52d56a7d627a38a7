"""A_FD as a function of the step, from derivatives of the features alone: Taylor polynomial and proven remainder.

All steps are scaled by one factor t in [0, 1]. With ``mu_k = w_j . s_k`` (``s_k`` the shifts of a difference of
degree m at t = 1, ``c_k`` its weights over ``h^m``), Taylor's theorem with Lagrange's remainder gives, an entry,

    L_{th} phi - L phi = sum_{m < n < m+P} t^(n-m) M_n sigma^(n)(theta)
                         + t^P sum_k c_k mu_k^(m+P)/(m+P)! sigma^(m+P)(theta + [0, t] mu_k),
    M_n = sum_k c_k mu_k^n / n!      (exact rationals; M_n = 0 for n < m by consistency).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from flint import arb, arb_mat

from numerics.backends import BallBackend
from numerics.expression_balls import ball
from numerics.features import features, interior_points
from numerics.matrices import shape
from numerics.problem import Problem
from theory.activations import MAX_DERIVATIVE, z
from theory.discretisation import DifferenceTerm
from theory.errors import InputError, NonexistenceError
from theory.expressions import evaluate


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
    factor = np.array([[_coefficient(problem, term, x)] for x in points], dtype=object).reshape(len(points), 1)
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


def _coefficient(problem: Problem, term: DifferenceTerm, x: tuple[Fraction, ...]) -> arb:
    at = {symbol: ball(v) for symbol, v in zip(problem.operator.symbols, x, strict=True)}
    return arb(1) * evaluate(term.coefficient, at, BallBackend())


def _dot(a: tuple[Fraction, ...], b: tuple[Fraction, ...]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
