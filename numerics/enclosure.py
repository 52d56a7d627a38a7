"""FLINT's balls as enclosures, and enclosures as balls."""

from __future__ import annotations

from fractions import Fraction

import flint

from numerics.expression_balls import ball
from theory.enclosures import Decimals, Enclosure, decimal_above, decimal_below
from theory.errors import InputError

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
