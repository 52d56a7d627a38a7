"""Stencils known by a name: central, one-sided, and the classical ones of the plane."""

from __future__ import annotations

from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache

from theory.errors import InputError
from theory.stencil_algebra import add, compose, embed, identity, multiply
from theory.stencil_core import MAX_DIMENSION, MAX_NODES, Stencil, checked_integer, stencil


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
