"""A_AD and A_FD in balls; for sin, cos and exp features by addition theorems: a handful of products an entry.

With ``theta = w_j . x_i + b_j`` every derivative and every difference of ``sin theta`` is a combination
``p_j sin theta + r_j cos theta`` whose coefficients do not depend on the point; and ``theta`` is a sum over axes, so
that ``sin`` and ``cos`` are needed once a feature and distinct coordinate, on an equispaced axis of n points about
``2 sqrt(n)`` times a feature.

A_AD and A_FD as matrices of FLINT balls, from the exact rationals of a problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import flint
import numpy as np
import sympy as sp
from flint import arb, arb_mat, fmpq

from numerics.arithmetic.backends import BallBackend
from numerics.arithmetic.balls import ball
from numerics.matrices.assemble import Exact, assemble, cancellation_digits
from numerics.problem.drawn import boundary_rows, features, interior_points
from numerics.problem.problem import Method, Problem, Vector
from theory.base.expressions import evaluate
from theory.operators.operator import DifferenceTerm, MultiIndex

WAVES = ("sin", "cos", "exp")
"""Names of the activations that this route serves."""

Pair = tuple[arb, arb]
"""``(sin, cos)`` of an angle; ``(exp, 0)`` for exponential features."""
Term = tuple[sp.Expr, list[Pair]]
"""A coefficient ``c(x)`` and, a feature, the factors of ``sin theta`` and ``cos theta``."""


def wave_entries(problem: Problem, method: Method, extra: int) -> Callable[[int], arb_mat]:
    """A as balls; ``extra`` bits are spent on the differences' cancellation.

    Only for problems whose activation is one of :data:`WAVES`.
    """
    drawn = features(problem)
    blocks = [(interior_points(problem), method, problem.operator.terms, Fraction(1))]
    blocks += [(rows.points, "ad", rows.operator.terms, rows.rows.weight) for rows in boundary_rows(problem)]

    def entries(bits: int) -> arb_mat:
        flat: list[arb] = []
        rows = 0
        for points, way, derivatives, weight in blocks:
            if not points:
                continue
            rows += len(points)
            work = bits + 24 + _size(drawn.weights, drawn.biases, points)
            with flint.ctx.workprec(work + (extra if way == "fd" else 0)):
                if way == "ad":
                    terms = [(c, [_derivative(problem, a, w) for w in drawn.weights]) for a, c in derivatives]
                else:
                    terms = [(t.coefficient, _difference(problem, t)) for t in problem.difference.terms]
            with flint.ctx.workprec(work):
                root = ball(weight).sqrt()
                angles = _angles(problem, points, drawn.weights, drawn.biases)
                for i, x in enumerate(points):
                    flat += _row(problem, terms, x, [column[i] for column in angles], root)
        return arb_mat(rows, problem.count, flat)

    return entries


def _row(problem: Problem, terms: Sequence[Term], x: Vector, waves: list[Pair], root: arb) -> list[arb]:
    result: list[arb] | None = None
    for coefficient, factors in terms:
        part = [p * s + r * c if r is not _ZERO else p * s for (p, r), (s, c) in zip(factors, waves, strict=True)]
        if coefficient != 1 or root != 1:
            at = {symbol: ball(v) for symbol, v in zip(problem.operator.symbols, x, strict=True)}
            times = root if coefficient == 1 else root * evaluate(coefficient, at, BallBackend())
            part = [times * v for v in part]
        result = part if result is None else [a + b for a, b in zip(result, part, strict=True)]
    return result if result is not None else [arb(0)] * len(waves)


_ZERO = arb(0)


def _derivative(problem: Problem, alpha: MultiIndex, w: Vector) -> Pair:
    """``w^alpha sigma^(|alpha|)`` as factors of sin and cos (of exp and nothing)."""
    monomial = Fraction(1)
    for value, m in zip(w, alpha, strict=True):
        monomial *= value**m
    size = ball(monomial)
    if problem.activation.name == "exp":
        return size, _ZERO
    quarter = (sum(alpha) + (problem.activation.name == "cos")) % 4  # sigma^(k) = sin(theta + k pi/2)
    return ((size, _ZERO), (_ZERO, size), (-size, _ZERO), (_ZERO, -size))[quarter]


def _difference(problem: Problem, term: DifferenceTerm) -> list[Pair]:
    """The weighted sums of ``sigma(theta + w . shift)``, divided by the scale."""
    scaled = [ball(weight / term.scale) for weight in term.weights]
    shifts = [[_quotient(v) for v in shift] for shift in term.shifts]
    pairs: list[Pair] = []
    for drawn in features(problem).weights:
        w = [_quotient(v) for v in drawn]
        moves = [arb(sum((a * b for a, b in zip(w, shift, strict=True)), fmpq(0))) for shift in shifts]
        if problem.activation.name == "exp":
            pairs.append((_sum(c * move.exp() for c, move in zip(scaled, moves, strict=True)), _ZERO))
            continue
        turned = [move.sin_cos() for move in moves]
        sines = _sum(c * s for c, (s, _) in zip(scaled, turned, strict=True))
        cosines = _sum(c * k for c, (_, k) in zip(scaled, turned, strict=True))
        # sin(theta + d) = cos d sin theta + sin d cos theta; cos(theta + d) = -sin d sin theta + cos d cos theta
        pairs.append((cosines, sines) if problem.activation.name == "sin" else (-sines, cosines))
    return pairs


def _angles(
    problem: Problem, points: Sequence[Vector], weights: Sequence[Vector], biases: Sequence[Fraction]
) -> list[list[Pair]]:
    """``(sin, cos)`` of ``w_j . x_i + b_j``, one list over the points a feature."""
    exponential = problem.activation.name == "exp"
    axes = [sorted({x[axis] for x in points}) for axis in range(problem.dimension)]
    places = [{v: k for k, v in enumerate(axis)} for axis in axes]
    where = [[place[v] for place, v in zip(places, x, strict=True)] for x in points]
    even = [_equispaced(axis) for axis in axes]
    exact = [[_quotient(v) for v in axis] for axis in axes]
    result = []
    for w, b in zip(weights, biases, strict=True):
        column: list[Pair] = []
        for k, (value, axis) in enumerate(zip(w, exact, strict=True)):
            table = _axis(_quotient(value), axis, even[k], _quotient(b) if k == 0 else fmpq(0), exponential)
            if k == 0:
                column = [table[index[0]] for index in where]
            else:
                column = [_add(pair, table[index[k]], exponential) for pair, index in zip(column, where, strict=True)]
        result.append(column)
    return result


def _equispaced(axis: Sequence[Fraction]) -> bool:
    return len(axis) > 2 and len({later - earlier for earlier, later in pairwise(axis)}) == 1


def _axis(w: fmpq, axis: Sequence[fmpq], even: bool, b: fmpq, exponential: bool) -> list[Pair]:
    """The wave at ``w x + b`` for every coordinate of one axis."""
    if not even:
        return [_wave(w * x + b, exponential) for x in axis]
    # giant and baby steps: one addition an entry. A recurrence would widen the balls by |sin| + |cos| every step
    stride, gap = math.isqrt(len(axis) - 1) + 1, axis[1] - axis[0]
    baby = [_wave(w * gap * k, exponential) for k in range(stride)]
    giant = [_wave(w * x + b, exponential) for x in axis[::stride]]
    return [_add(giant[k // stride], baby[k % stride], exponential) for k in range(len(axis))]


def _wave(angle: fmpq, exponential: bool) -> Pair:
    if exponential:
        return arb(angle).exp(), _ZERO
    s, c = arb(angle).sin_cos()
    return s, c


def _add(one: Pair, other: Pair, exponential: bool) -> Pair:
    """The wave at the sum of two angles."""
    (s, c), (t, d) = one, other
    return (s * t, _ZERO) if exponential else (s * d + c * t, c * d - s * t)


def _size(weights: Sequence[Vector], biases: Sequence[Fraction], points: Sequence[Vector]) -> int:
    """Bits of the integer part of the largest angle, or a few more."""
    reach = _bits(v for x in points for v in x) + _bits(v for w in weights for v in w)
    return max(0, reach + len(points[0]).bit_length(), _bits(biases)) + 1


def _bits(values: Iterable[Fraction]) -> int:
    """An ``e`` with ``|v| < 2^e`` for all values."""
    return max(v.numerator.bit_length() - v.denominator.bit_length() + 1 for v in values)


def _sum(values: Iterable[arb]) -> arb:
    total = arb(0)
    for value in values:
        total = total + value
    return total


def _quotient(value: Fraction) -> fmpq:
    """The same rational in FLINT, whose arithmetic is many times as fast."""
    return fmpq(value.numerator, value.denominator)


def ball_entries(problem: Problem, method: Method) -> Callable[[int], flint.arb_mat]:
    """A (rows x M) as a function of the working precision in bits.

    The differences of ``L_h`` are made with as many more bits as they lose. Every activation, operator, stencil
    and dimension; sin, cos and exp by addition theorems (:mod:`numerics.matrices.balls`).
    """
    extra = math.ceil(cancellation_digits(problem, method) * math.log2(10)) + 20
    if problem.activation.name in WAVES:
        return wave_entries(problem, method, extra)
    return generic_entries(problem, method, extra)


def generic_entries(problem: Problem, method: Method, extra: int) -> Callable[[int], flint.arb_mat]:
    """A by evaluating the activation at every entry, for any activation.

    Arguments of an activation with a kink stay exact rationals: a ball around the kink decides on no side of it.
    """
    inputs = _balls if problem.activation.smoothness == sp.oo else _rationals

    def entries(precision: int) -> flint.arb_mat:
        with flint.ctx.workprec(precision + extra):
            return flint.arb_mat(assemble(problem, method, BallBackend(), inputs).tolist())

    return entries


def _balls(values: Exact) -> np.ndarray:
    return _array(values, ball)


def _rationals(values: Exact) -> np.ndarray:
    return _array(values, lambda value: flint.fmpq(value.numerator, value.denominator))


def _array(values: Exact, constant: Callable[[Fraction], Any]) -> np.ndarray:
    rows = [[constant(v) for v in row] if isinstance(row, tuple) else constant(row) for row in values]
    return np.array(rows, dtype=object)
