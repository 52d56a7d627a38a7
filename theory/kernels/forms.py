"""Linear operators acting on the two points of a kernel: exact, discretised, and their expansion in the step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from theory.discretisation import DifferenceOperator, StencilChoice, discretise
from theory.errors import InputError
from theory.exact import rational
from theory.kernels.coordinates import Coordinates, fraction
from theory.operators import LinearOperator, MultiIndex
from theory.stencils import multi_indices

MAX_STEP = 10**6
MIN_STEP = Fraction(1, 10**30)


@dataclass(frozen=True)
class Side:
    """L and L_h at one of the two points, in its coordinates.

    Attributes:
        ad: (α, c_α) of L.
        fd: (shift, coefficient) of L_h, u ↦ Σ coefficient · u(point + shift); None without a step.
    """

    ad: tuple[tuple[MultiIndex, sp.Expr], ...]
    fd: tuple[tuple[tuple[Fraction, ...], sp.Expr], ...] | None


def read_steps(step: object, dimension: int) -> tuple[Fraction, ...]:
    """One positive step per axis from a number, its spelling, or a sequence of them.

    Raises:
        InputError: not positive, or out of range.
    """
    parts = list(step) if isinstance(step, tuple | list) else [step] * dimension
    if len(parts) != dimension:
        raise InputError(f"step: {len(parts)} values for {dimension} dimensions")
    steps = tuple(rational(p, "step") for p in parts)
    for h in steps:
        if not MIN_STEP <= h <= MAX_STEP:
            raise InputError(f"step: {h} is not allowed; allowed: 1e-30 to 1e6")
    return steps


def difference_operator(
    operator: LinearOperator, stencil: StencilChoice | DifferenceOperator | None, step: object
) -> DifferenceOperator:
    """L_h from a choice of stencils (central of order 2 by default) and a step."""
    if isinstance(stencil, DifferenceOperator):
        return stencil
    return discretise(operator, stencil or StencilChoice(), read_steps(step, operator.dimension))


def side(operator: LinearOperator, difference: DifferenceOperator | None, point: tuple[sp.Symbol, ...]) -> Side:
    """The two operators written in the symbols of one point."""
    names = dict(zip(operator.symbols, point, strict=True))
    ad = tuple((alpha, sp.sympify(c).xreplace(names)) for alpha, c in operator.terms)
    if difference is None:
        return Side(ad, None)
    gathered: defaultdict[tuple[Fraction, ...], sp.Expr] = defaultdict(lambda: sp.Integer(0))
    for term in difference.terms:
        coefficient = sp.sympify(term.coefficient).xreplace(names)
        for shift, weight in zip(term.shifts, term.weights, strict=True):
            gathered[shift] += coefficient * fraction(weight / term.scale)
    return Side(ad, tuple((s, c) for s, c in sorted(gathered.items()) if c != 0))


def truncation(
    difference: DifferenceOperator, point: tuple[sp.Symbol, ...], power: int
) -> list[tuple[MultiIndex, sp.Expr]]:
    """T_q: the operator multiplying h^q in L_h = L + Σ h^q T_q, as (multi-index, coefficient); T_0 = L.

    Raises:
        InputError: steps that differ between axes.
    """
    if len(set(difference.steps)) != 1:
        raise InputError("step: the expansion in h needs the same step on every axis")
    names = dict(zip(difference.operator.symbols, point, strict=True))
    out: defaultdict[MultiIndex, sp.Expr] = defaultdict(lambda: sp.Integer(0))
    for term in difference.terms:
        coefficient = sp.sympify(term.coefficient).xreplace(names)
        if term.stencil is None:
            if power == 0:
                out[(0,) * difference.operator.dimension] += coefficient
            continue
        stencil = term.stencil
        for index in multi_indices(stencil.dimension, stencil.degree + power):
            value = stencil.taylor(index)
            if value:
                out[index] += coefficient * fraction(value)
    return [(alpha, c) for alpha, c in sorted(out.items()) if c != 0]


def scale_of(difference: DifferenceOperator) -> Fraction:
    """Σ |weights| / h^m: how much L_h can magnify relative errors."""
    return max(
        (sum((abs(w) for w in term.weights), Fraction(0)) / term.scale for term in difference.terms),
        default=Fraction(1),
    )


def pairs(left: Side, right: Side) -> Iterator[tuple[MultiIndex, MultiIndex, sp.Expr]]:
    """(α, β, c_α(x) c_β(y)) of L_x L_y."""
    for alpha, c in left.ad:
        for beta, e in right.ad:
            yield alpha, beta, c * e


def points_of(coordinates: Coordinates) -> tuple[tuple[sp.Symbol, ...], tuple[sp.Symbol, ...]]:
    """The symbols of the two points."""
    return coordinates.x, coordinates.y
