"""Stencils made from stencils: tensor products, sums, compositions, changes of step; all exact.

Stencils known by a name: central, one-sided, and the classical ones of the plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fractions import Fraction
from functools import cache, lru_cache
from math import prod

from theory.base.errors import InputError
from theory.base.exact import rational
from theory.stencils.moments import MultiIndex, Point
from theory.stencils.stencil import (
    MAX_DIMENSION,
    MAX_LINE_NODES,
    MAX_NODES,
    MAX_PRODUCT_NODES,
    Stencil,
    checked_integer,
    stencil,
)


def identity() -> Stencil:
    """The stencil of ``u`` itself in one variable, the neutral factor of a tensor product."""
    return stencil(0, [0])


def collect(target: Iterable[tuple[MultiIndex, Fraction]], pairs: Iterable[tuple[Point, Fraction]]) -> Stencil:
    """The stencil of the sums of equal entries, nodes sorted; those whose weights cancel are left out."""
    operator: dict[MultiIndex, Fraction] = {}
    for index, t in target:
        operator[index] = operator.get(index, Fraction(0)) + t
    operator = {index: t for index, t in operator.items() if t}
    weights: dict[Point, Fraction] = {}
    for point, c in pairs:
        weights[point] = weights.get(point, Fraction(0)) + c
    weights = {point: c for point, c in weights.items() if c}
    if not operator:
        raise InputError("stencil: the operator made is zero")
    limit = MAX_LINE_NODES if len(next(iter(operator))) == 1 else MAX_PRODUCT_NODES
    if len(weights) > limit:
        raise InputError(f"stencil: {len(weights)} nodes; at most {limit} are allowed")
    points = tuple(sorted(weights))
    return Stencil(tuple(sorted(operator.items(), reverse=True)), points, tuple(weights[point] for point in points))


def tensor(*stencils: Stencil) -> Stencil:
    """The tensor product: a stencil in all the variables of its factors, of the product operator.

    >>> first = stencil(1, [-1, 1])
    >>> tensor(first, first).weights  # the mixed derivative
    (Fraction(1, 4), Fraction(-1, 4), Fraction(-1, 4), Fraction(1, 4))
    """
    if not stencils:
        raise InputError("tensor: at least one stencil is needed")
    count, dimension = prod(len(s.nodes) for s in stencils), sum(s.dimension for s in stencils)
    if count > MAX_PRODUCT_NODES or dimension > MAX_DIMENSION:
        raise InputError(
            f"tensor: {count} nodes in {dimension} dimensions; at most {MAX_PRODUCT_NODES} in {MAX_DIMENSION}"
        )
    target: list[tuple[MultiIndex, Fraction]] = [((), Fraction(1))]
    pairs: list[tuple[Point, Fraction]] = [((), Fraction(1))]
    for s in stencils:
        target = [(a + b, t * r) for a, t in target for b, r in s.target]
        pairs = [(a + b, c * e) for a, c in pairs for b, e in zip(s.nodes, s.weights, strict=True)]
    return collect(target, pairs)


def embed(s: Stencil, axis: int, dimension: int) -> Stencil:
    """The one-variable stencil ``s`` acting along one axis (from 0) of several."""
    checked_integer(dimension, "dimension", 1, MAX_DIMENSION)
    checked_integer(axis, "axis", 0, dimension - 1)
    s.require_one_variable("embed")
    return tensor(*(s if i == axis else identity() for i in range(dimension)))


def add(*stencils: Stencil) -> Stencil:
    """The sum of stencils of one degree and dimension, equal nodes collected."""
    if len({(s.dimension, s.degree) for s in stencils}) != 1:
        raise InputError("add: the stencils must have one dimension and one degree")
    return collect(
        (t for s in stencils for t in s.target),
        (pair for s in stencils for pair in zip(s.nodes, s.weights, strict=True)),
    )


def multiply(factor: object, s: Stencil) -> Stencil:
    """The stencil of a non-zero rational multiple of the operator."""
    r = rational(factor, "factor")
    return collect(((b, r * t) for b, t in s.target), zip(s.nodes, (r * c for c in s.weights), strict=True))


def compose(first: Stencil, second: Stencil) -> Stencil:
    """One difference applied to the other: the weights are convolved, the symbols multiply.

    >>> second = stencil(2, [-1, 0, 1])
    >>> compose(second, second).weights == (1, -4, 6, -4, 1)
    True
    """
    if first.dimension != second.dimension:
        raise InputError(f"compose: dimensions {first.dimension} and {second.dimension} differ")
    if len(first.nodes) * len(second.nodes) > MAX_PRODUCT_NODES * 16:
        raise InputError(f"compose: {len(first.nodes)} by {len(second.nodes)} nodes are too many")

    def total(a: tuple[int, ...], b: tuple[int, ...]) -> MultiIndex:
        return tuple(i + j for i, j in zip(a, b, strict=True))

    return collect(
        ((total(a, b), t * r) for a, t in first.target for b, r in second.target),
        (
            (tuple(x + y for x, y in zip(a, b, strict=True)), c * e)
            for a, c in zip(first.nodes, first.weights, strict=True)
            for b, e in zip(second.nodes, second.weights, strict=True)
        ),
    )


def rescale(s: Stencil, ratios: Sequence[object]) -> Stencil:
    """The stencil whose axis ``i`` has the step ``ratios[i] * h``, for an operator of one derivative.

    An operator of several derivatives (a Laplacian) is rescaled term by term, before :func:`add`.
    """
    r = [rational(x, f"ratios[{i}]") for i, x in enumerate(ratios)]
    if len(r) != s.dimension or not all(x > 0 for x in r):
        raise InputError(f"ratios: {s.dimension} positive numbers are needed")
    powers = {prod((x**i for x, i in zip(r, b, strict=True)), start=Fraction(1)) for b, _ in s.target}
    if len(powers) != 1:
        raise InputError("ratios: derivatives that scale differently; rescale each term, then add")
    factor = powers.pop()
    return Stencil(
        s.target,
        tuple(tuple(x * y for x, y in zip(point, r, strict=True)) for point in s.nodes),
        tuple(c / factor for c in s.weights),
    )


@lru_cache(maxsize=256)
def central(derivative: int, order: int = 2) -> Stencil:
    """The standard central difference on the fewest integer nodes; nodes of weight zero are left out.

    ``central(0)`` is the identity.

    Raises:
        InputError: a negative derivative, an odd order, or more than ``MAX_NODES`` nodes.

    >>> central(4).weights
    (Fraction(1, 1), Fraction(-4, 1), Fraction(6, 1), Fraction(-4, 1), Fraction(1, 1))
    """
    checked_integer(derivative, "derivative", 0, MAX_NODES - 1)
    checked_integer(order, "order", 1, MAX_NODES)
    if order % 2:
        raise InputError(f"order: {order} is not allowed; central differences have even orders")
    if derivative == 0:
        return identity()
    half = (derivative + 1) // 2 + order // 2 - 1
    full = stencil(derivative, range(-half, half + 1))
    kept = [(s, c) for s, c in zip(full.nodes, full.weights, strict=True) if c]
    return Stencil(full.target, tuple(s for s, _ in kept), tuple(c for _, c in kept))


def forward(derivative: int, order: int = 1) -> Stencil:
    """The one-sided difference on the nodes ``0, 1, ..., derivative + order - 1``.

    >>> forward(2, 2).weights
    (Fraction(2, 1), Fraction(-5, 1), Fraction(4, 1), Fraction(-1, 1))
    """
    checked_integer(derivative, "derivative", 0, MAX_NODES - 1)
    checked_integer(order, "order", 1, MAX_NODES)
    return stencil(derivative, range(derivative + order)) if derivative else identity()


def backward(derivative: int, order: int = 1) -> Stencil:
    """The mirror image of :func:`forward`, on the nodes ``-(derivative + order - 1), ..., 0``."""
    ahead = forward(derivative, order)
    return stencil(derivative, [-s for s in reversed(ahead.offsets)])


def inside(s: Stencil, low: int, high: int) -> Stencil:
    """``s`` where its nodes lie in [low, high]; else the run of consecutive nodes nearest to it that does, of at least its order.

    Raises:
        InputError: there is no such run.

    >>> inside(central(2), -1, 5).offsets == central(2).offsets, [str(c) for c in inside(central(2), 0, 5).weights]
    (True, ['2', '-5', '4', '-1'])
    """
    s.require_one_variable("inside")
    if all(low <= node <= high for node in s.offsets):
        return s
    count = s.derivative + s.order
    if high - low + 1 < count:
        raise InputError(
            f"difference.step: derivative {s.derivative} to order {s.order} takes {count} nodes inside the domain, of which there are"
            f" {high - low + 1}; take a smaller step or allow points outside it (difference.outside)"
        )
    start = min(max(-(count // 2), low), high - count + 1)
    return _run(s.derivative, start, count)


@cache
def _run(derivative: int, start: int, count: int) -> Stencil:
    return stencil(derivative, range(start, start + count))


def laplacian(dimension: int, order: int = 2) -> Stencil:
    """The sum of central second differences along the axes."""
    checked_integer(dimension, "dimension", 1, MAX_DIMENSION)
    return add(*(embed(central(2, order), axis, dimension) for axis in range(dimension)))


def five_point() -> Stencil:
    """The five-point Laplacian; leading term ``h^2 (d_1^4 + d_2^4) / 12``."""
    return laplacian(2)


def nine_point() -> Stencil:
    """The compact nine-point Laplacian; leading term ``h^2 (d_1^2 + d_2^2)^2 / 12``.

    Two thirds of the five-point Laplacian and one third of the one on the diagonals.
    """
    return add(multiply(Fraction(2, 3), five_point()), multiply(Fraction(1, 3), skewed_five_point()))


def skewed_five_point() -> Stencil:
    """The five-point Laplacian on the diagonals, ``(u(+-1, +-1) - 4 u) / 2``."""
    corners = tuple((Fraction(i), Fraction(j)) for i in (-1, 1) for j in (-1, 1))
    centre = (Fraction(0), Fraction(0))
    nodes = (*corners[:2], centre, *corners[2:])
    half = Fraction(1, 2)
    return Stencil(five_point().target, nodes, (half, half, Fraction(-2), half, half))


def thirteen_point() -> Stencil:
    """The five-point Laplacian twice: biharmonic; leading term ``h^2 (d_1^2 + d_2^2)(d_1^4 + d_2^4) / 6``."""
    return compose(five_point(), five_point())


_NAMED = {
    "three-point": lambda: central(2),
    "five-point": five_point,
    "seven-point": lambda: laplacian(3),
    "nine-point": nine_point,
    "skewed-five-point": skewed_five_point,
    "thirteen-point": thirteen_point,
}
NAMES = tuple(_NAMED)
"""The names that :func:`named` knows."""


def named(name: str) -> Stencil:
    """The stencil of a name in :data:`NAMES`.

    Raises:
        InputError: an unknown name; the message suggests the nearest.

    >>> named("five-point").norm1
    Fraction(8, 1)
    """
    if name not in _NAMED:
        near = get_close_matches(str(name), NAMES, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(f"stencil: {str(name)[:40]!r} is unknown; {hint}known: {', '.join(NAMES)}")
    return _NAMED[name]()
