"""FLINT's balls: to and from enclosures, of expressions of SymPy, and compared as three-valued decisions.

What can be compared: ``int``, ``Fraction``, FLINT's integers, rationals and real balls, enclosures, and exact real
numbers of SymPy.  A float is no bound on anything: neither it nor a number of numpy or torch, a ``Decimal`` or an mpmath number is accepted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import flint

from theory.base.enclosure import Decimals, Decision, Enclosure, decimal_above, decimal_below, every, from_comparison
from theory.base.errors import InputError

__all__ = ["Decimals", "Enclosure", "decimal_above", "decimal_below", "dyadic", "from_ball", "to_ball"]


def from_ball(value: flint.arb) -> Enclosure:
    """The ball's two end points, exactly (no rounding, whatever the precision in force).

    Raises:
        InputError: the ball is not finite.
    """
    if not value.is_finite():
        raise InputError(f"enclosure: the ball {value} is not finite")
    if value.is_exact():
        return Enclosure.exact(dyadic(value))
    middle, radius = dyadic(value.mid()), dyadic(value.rad())
    return Enclosure(middle - radius, middle + radius)


def to_ball(value: Enclosure, prec: int) -> flint.arb:
    """A ball that contains the enclosure, rounded outward at ``prec`` bits."""
    with flint.ctx.workprec(prec):
        lower = ball(value.lower)
        return lower if value.is_exact else lower.union(ball(value.upper))


def dyadic(exact: flint.arb) -> Fraction:
    """The value of an exact finite ball (a midpoint, a radius or an end point).

    Raises:
        ValueError: the ball is not exact.
    """
    mantissa, exponent = exact.man_exp()
    shift = int(exponent)
    return Fraction(int(mantissa) << shift) if shift >= 0 else Fraction(int(mantissa), 1 << -shift)


if TYPE_CHECKING:  # heavy at start-up
    import sympy

_FUNCTIONS = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "coth", "exp", "log", "erf", "atan", "asin")


def ball(value: Fraction) -> flint.arb:
    """A ball around an exact rational, at the precision in force."""
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def enclose(expression: sympy.Expr, values: Mapping[Any, flint.acb]) -> flint.acb:
    """An expression in ball arithmetic, at the precision in force: rationals, π, i, powers, elementary functions.

    Raises:
        TypeError: a node of another kind.
    """
    import sympy

    if expression.is_Rational:
        return flint.acb(flint.arb(flint.fmpq(int(expression.p), int(expression.q))))
    if expression.is_Symbol:
        return values[expression]
    if expression is sympy.pi:
        return flint.acb(flint.arb.pi())
    if expression is sympy.E:
        return flint.acb(1).exp()
    if expression is sympy.I:
        return flint.acb(0, 1)
    inner = [enclose(argument, values) for argument in expression.args]
    if expression.is_Add:
        return sum(inner[1:], inner[0])
    if expression.is_Mul:
        product = inner[0]
        for factor in inner[1:]:
            product = product * factor
        return product
    if expression.is_Pow:
        if expression.exp.is_Integer:
            return inner[0] ** int(expression.exp)
        return inner[1].exp() if expression.base is sympy.E else inner[0].pow(inner[1])
    name = type(expression).__name__
    if name in _FUNCTIONS and len(inner) == 1:
        return getattr(inner[0], name)()
    raise TypeError(f"{name} has no enclosure here")


PRECISION = 256
"""Least precision, in bits, at which a rational is compared with a ball."""
SIZE = 20_000
"""Balls with exponents up to this are compared by their exact ends too, where balls do not decide."""
ALLOWED = "int, Fraction, flint's fmpz, fmpq and arb, an Enclosure, or an exact real number of SymPy"

Ends = tuple[Fraction, Fraction]


def below(a: Any, b: Any) -> Decision:
    """Whether a ≤ b: YES or NO where the bounds decide it, else UNDECIDED.

    Raises:
        InputError: a float, or another thing that is neither exact nor an enclosure.

    >>> below(1, Fraction(3, 2)), below(flint.arb(2).sqrt() ** 2, 2), ~below(3, 2)
    (YES, UNDECIDED, YES)
    """
    one, other = _read(a), _read(b)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return from_comparison(_ordered(one, other))
    with flint.ctx.workprec(max(flint.ctx.prec, PRECISION)):
        x, y = _hull(one), _hull(other)
        if x <= y:
            return from_comparison(True)
        if x > y:
            return from_comparison(False)
    ends = _ends(one), _ends(other)
    return from_comparison(None if ends[0] is None or ends[1] is None else _ordered(ends[0], ends[1]))


def less(a: Any, b: Any) -> Decision:
    """Whether a < b, as :func:`below`."""
    return ~below(b, a)


def same(a: Any, b: Any) -> Decision:
    """Whether a = b; of tuples and lists, entry by entry.

    Two balls that overlap are UNDECIDED, unless both are exact.

    Raises:
        InputError: as :func:`below`.

    >>> same((1, 2), [Fraction(2, 2), 2]), same(flint.arb(2).sqrt() ** 2, 2), same(1, 2)
    (YES, UNDECIDED, NO)
    """
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return every((from_comparison(len(a) == len(b)), *(same(x, y) for x, y in zip(a, b, strict=False))))
    return below(a, b) & below(b, a)


def _ordered(one: Ends, other: Ends) -> bool | None:
    return True if one[1] <= other[0] else False if one[0] > other[1] else None


def _read(value: Any) -> Ends | flint.arb:
    """Exact ends where they are at hand, else a ball."""
    kind = type(value)
    if kind is int or kind is Fraction:
        return Fraction(value), Fraction(value)
    if kind is flint.arb:
        return value
    if kind is flint.fmpz or kind is flint.fmpq:
        exact = flint.fmpq(value)
        found = Fraction(int(exact.p), int(exact.q))
        return found, found
    if kind is Enclosure:
        ends = value.lower, value.upper
        if all(type(end) in (int, Fraction) for end in ends):
            return Fraction(ends[0]), Fraction(ends[1])
    sympy = sys.modules.get("sympy")
    if sympy is not None and _is_sympys(value, sympy) and value.is_number and not value.has(sympy.Float):
        if value.is_Rational:
            return (Fraction(int(value.p), int(value.q)),) * 2
        if value.is_real and value.is_finite:
            with flint.ctx.workprec(max(flint.ctx.prec, PRECISION)):
                return enclose(value, {}).real
    raise InputError(f"a comparison with {value!r:.60} ({kind.__name__}): is not exact; allowed: {ALLOWED}")


def _is_sympys(value: Any, sympy: Any) -> bool:
    """Whether an expression is made of SymPy's own classes alone: others may say anything of their values."""
    return isinstance(value, sympy.Expr) and all(
        type(node).__module__.startswith("sympy.") for node in sympy.preorder_traversal(value)
    )


def _hull(value: Ends | flint.arb) -> flint.arb:
    if not isinstance(value, tuple):
        return value
    low, high = map(ball, value)
    return low.union(high)


def _ends(value: Ends | flint.arb) -> Ends | None:
    """The exact ends; None for a ball that is not finite, or whose ends are too long to write out."""
    if isinstance(value, tuple):
        return value
    if not value.is_finite():
        return None
    for part in (value.mid(), value.rad()):
        if part != 0 and abs(int(part.man_exp()[1])) > SIZE:
            return None
    found = from_ball(value)
    return found.lower, found.upper
