"""Linear operators acting on the two points of a kernel: exact, discretised, and their expansion in the step.

When E w^(i+j) σ⁽ⁱ⁾(wx + b) σ⁽ʲ⁾(wy + b) is finite: moments of the weights, growth and decay of the activation.

For bounded σ⁽ⁱ⁾ finite moments suffice; for sinusoids they are also necessary.  A derivative that decays confines
b to −wx, and the density of the bias there supplies the decay in w that a heavy-tailed weight lacks (ours).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from theory.base.errors import InputError, NonexistenceError
from theory.base.exact import rational
from theory.features.laws import Law
from theory.kernels.forms.activation_forms import ErfSum, GaussianSum, ReluPower, Shape, TanhAffine
from theory.kernels.forms.coordinates import Weights, fraction
from theory.operators.operator import DifferenceOperator, LinearOperator, MultiIndex, StencilChoice, discretise
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


@dataclass(frozen=True)
class Behaviour:
    """σ⁽ⁿ⁾ at infinity: polynomial growth of this degree, decay faster than any power, or zero almost everywhere."""

    growth: int = 0
    decays: bool = False
    vanishes: bool = False


_NAMED = {"softplus": 1, "silu": 1, "sech": -1}
"""Degree of growth of named activations whose derivatives beyond it decay; −1 when σ itself decays."""


def behaviour(shape: Shape | None, name: str, n: int) -> Behaviour | None:
    """The behaviour of σ⁽ⁿ⁾; None when it is not known, or exponential growth."""
    match shape:
        case GaussianSum():
            if shape.decays:
                return Behaviour(decays=True)
            if any(g.q == 0 and g.tilt.as_real_imag()[0] != 0 for g in shape.groups):
                return None
            degree = max(g.degree for g in shape.groups if g.q == 0)
            if shape.is_polynomial:
                return Behaviour(max(degree - n, 0), vanishes=n > degree)
            return Behaviour(degree)
        case ErfSum():
            degree = max(len(shape.p), len(shape.q)) - 1
            return Behaviour(max(degree - n, 0), decays=n > degree)
        case ReluPower():
            return Behaviour(max(shape.n - n, 0), vanishes=n > shape.n)
        case TanhAffine():
            return Behaviour(decays=n > 0)
    if name in _NAMED:
        degree = _NAMED[name]
        return Behaviour(max(degree - n, 0), decays=n > degree)
    return None


def require(
    shape: Shape | None,
    name: str,
    weights: Weights,
    biases: Law,
    a: Sequence[int],
    b: Sequence[int],
    x: Sequence[Fraction] | None = None,
    y: Sequence[Fraction] | None = None,
) -> None:
    """Checks that E w^(a+b) σ^(|a|)(w·x+b) σ^(|b|)(w·y+b) is finite.

    Args:
        shape, name: of the activation.
        weights, biases: the laws.
        a, b: multi-indices of differentiation at the two points.
        x, y: the points; None asks at a generic point of the diagonal.

    Raises:
        NonexistenceError: it is infinite, or cannot be shown to be finite; one line that says why.
    """
    heavy = [law for law in (*weights, biases) if law.moment_bound is not None]
    if not heavy:
        return
    if isinstance(shape, GaussianSum) and any(g.q == 0 and g.tilt.as_real_imag()[0] != 0 for g in shape.groups):
        raise NonexistenceError(f"kernel: an exponential of heavy tails has no mean: {heavy[0]}")
    i, j = sum(a), sum(b)
    left, right = behaviour(shape, name, i), behaviour(shape, name, j)
    if left is None or right is None:
        raise NonexistenceError(
            f"kernel: with heavy tails ({heavy[0]}) existence is not decided for this activation's derivatives"
        )
    if left.vanishes or right.vanishes:
        return
    orders = tuple(p + q for p, q in zip(a, b, strict=True))
    if len(weights) == 1:
        _one_dimension(left, right, weights[0], biases, orders[0], x[0] if x else None, y[0] if y else None)
        return
    growth = (0 if left.decays else left.growth) + (0 if right.decays else right.growth)
    for law, n in zip(weights, orders, strict=True):
        if not law.moment_exists(n + growth):
            raise NonexistenceError(f"kernel: needs E|w|^{n + growth}, which is infinite for {law}")
    if not biases.moment_exists(growth):
        raise NonexistenceError(f"kernel: needs E|b|^{growth}, which is infinite for {biases}")


def _one_dimension(
    left: Behaviour, right: Behaviour, law: Law, biases: Law, n: int, x: Fraction | None, y: Fraction | None
) -> None:
    generic = x is None or y is None
    pinned = [
        other for here, other, point in ((left, right, x), (right, left, y)) if here.decays and (generic or point != 0)
    ]
    if not pinned:
        growth = (0 if left.decays else left.growth) + (0 if right.decays else right.growth)
        if not law.moment_exists(n + growth):
            where = "" if generic else f" at x = {x}, y = {y}"
            raise NonexistenceError(f"kernel: needs E|w|^{n + growth}, which is infinite for {law}{where}")
        if not biases.moment_exists(growth):
            raise NonexistenceError(f"kernel: needs E|b|^{growth}, which is infinite for {biases}")
        return
    if len(pinned) == 2 and not generic and x != y:
        return  # b cannot follow −wx and −wy at once: the mean over b decays faster than any power of w
    growth = min(0 if other.decays else other.growth for other in pinned)
    if law.moment_bound is None or biases.moment_bound is None or not biases.has_density:
        if law.moment_bound is None and not biases.moment_exists(growth):
            raise NonexistenceError(f"kernel: needs E|b|^{growth}, which is infinite for {biases}")
        return
    # ∫ w^{n+growth} w^{−ν_w−1} w^{−ν_b−1} dw
    if not n + growth < law.moment_bound + biases.moment_bound + 1:
        raise NonexistenceError(
            f"kernel: E w^{n} σ σ diverges: {n + growth} is not under {law.moment_bound} + {biases.moment_bound} + 1,"
            f" the tails of {law} and {biases}"
        )
