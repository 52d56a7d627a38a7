"""A real number known to lie between two exact rationals.

FLINT's balls do not pickle and carry a process-global precision; an :class:`Enclosure` does neither. It is
what certified computations return and what files hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypedDict

import flint

from theory.errors import InputError
from theory.exact import Rational


class Decimals(TypedDict):
    """An enclosure as two outward-rounded decimal strings."""

    lower: str
    upper: str


@dataclass(frozen=True, slots=True)
class Enclosure:
    """The closed interval ``[lower, upper]`` of exact rationals that contains the number meant.

    Raises:
        InputError: ``lower > upper``.

    >>> third = Enclosure(Fraction(333, 1000), Fraction(334, 1000))
    >>> Fraction(1, 3) in third, third.decimals(2)
    (True, {'lower': '0.33', 'upper': '0.34'})
    """

    lower: Fraction
    upper: Fraction

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise InputError(f"enclosure: the lower end {self.lower} is above the upper end {self.upper}")

    @staticmethod
    def exact(value: Rational) -> Enclosure:
        """The enclosure of width 0."""
        return Enclosure(Fraction(value), Fraction(value))

    @staticmethod
    def from_arb(ball: flint.arb) -> Enclosure:
        """The ball's two end points, exactly (no rounding, whatever the precision in force).

        Raises:
            InputError: the ball is not finite.
        """
        if not ball.is_finite():
            raise InputError(f"enclosure: the ball {ball} is not finite")
        if ball.is_exact():
            return Enclosure.exact(dyadic(ball))
        middle, radius = dyadic(ball.mid()), dyadic(ball.rad())
        return Enclosure(middle - radius, middle + radius)

    @staticmethod
    def hull(parts: Iterable[Enclosure]) -> Enclosure:
        """The smallest enclosure that contains all of ``parts`` (at least one)."""
        listed = tuple(parts)
        return Enclosure(min(part.lower for part in listed), max(part.upper for part in listed))

    def arb(self, prec: int) -> flint.arb:
        """A ball that contains the enclosure, rounded outward at ``prec`` bits."""
        with flint.ctx.workprec(prec):
            lower = _ball(self.lower)
            return lower if self.lower == self.upper else lower.union(_ball(self.upper))

    def __contains__(self, value: Rational) -> bool:
        return self.lower <= value <= self.upper

    def __neg__(self) -> Enclosure:
        return Enclosure(-self.upper, -self.lower)

    @property
    def middle(self) -> Fraction:
        """The midpoint."""
        return (self.lower + self.upper) / 2

    @property
    def width(self) -> Fraction:
        """``upper - lower``."""
        return self.upper - self.lower

    @property
    def relative_width(self) -> Fraction | None:
        """Width over the least absolute value inside; ``None`` where that is 0 and the width is not."""
        if self.lower == self.upper:
            return Fraction(0)
        if self.lower <= 0 <= self.upper:
            return None
        return self.width / min(abs(self.lower), abs(self.upper))

    def overlaps(self, other: Enclosure) -> bool:
        """Whether the two have a point in common."""
        return self.lower <= other.upper and other.lower <= self.upper

    def encloses(self, other: Enclosure) -> bool:
        """Whether ``other`` lies inside."""
        return self.lower <= other.lower and other.upper <= self.upper

    def sign(self) -> int | None:
        """-1, 0 or 1 where that is proven, ``None`` where it is undecided."""
        if self.lower > 0:
            return 1
        if self.upper < 0:
            return -1
        return 0 if self.lower == self.upper else None

    def decimals(self, digits: int = 15) -> Decimals:
        """Outward-rounded decimal strings of ``digits`` significant digits each."""
        return {"lower": decimal_below(self.lower, digits), "upper": decimal_above(self.upper, digits)}


def decimal_below(value: Fraction, digits: int) -> str:
    """The largest decimal of ``digits`` significant digits that is not above ``value``.

    >>> decimal_below(Fraction(2, 3), 3), decimal_below(Fraction(-2, 3), 3)
    ('0.666', '-0.667')
    """
    return _decimal(value, digits, up=False)


def decimal_above(value: Fraction, digits: int) -> str:
    """The smallest decimal of ``digits`` significant digits that is not below ``value``."""
    return _decimal(value, digits, up=True)


def _decimal(value: Fraction, digits: int, up: bool) -> str:
    if digits < 1:
        raise InputError(f"digits: {digits} is not allowed; at least 1")
    if value == 0:
        return "0"
    size = abs(value)
    exponent = _floor_log10(size)
    shift = digits - 1 - exponent
    scaled = size * 10**shift if shift >= 0 else size / 10**-shift
    mantissa = scaled.numerator // scaled.denominator
    if scaled.denominator != 1 and up == (value > 0):  # away from zero
        mantissa += 1
    if mantissa == 10**digits:
        mantissa, exponent = mantissa // 10, exponent + 1
    text = str(mantissa).rstrip("0")
    if -5 <= exponent < max(digits, 16):
        if exponent < 0:
            text = "0." + "0" * (-exponent - 1) + text
        elif len(text) <= exponent + 1:
            text = text.ljust(exponent + 1, "0")
        else:
            text = text[: exponent + 1] + "." + text[exponent + 1 :]
    else:
        text = text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{exponent:+d}"
    return ("-" if value < 0 else "") + text


def _floor_log10(size: Fraction) -> int:
    """``floor(log10(size))`` for a positive rational, exactly, without long decimal strings."""
    bits = size.numerator.bit_length() - size.denominator.bit_length()
    guess = bits * 30103 // 100000 - 1
    while _power_of_ten(guess + 1) <= size:
        guess += 1
    while _power_of_ten(guess) > size:
        guess -= 1
    return guess


def _power_of_ten(exponent: int) -> Fraction:
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def dyadic(exact: flint.arb) -> Fraction:
    """The value of an exact finite ball (a midpoint, a radius or an end point).

    Raises:
        ValueError: the ball is not exact.
    """
    mantissa, exponent = exact.man_exp()
    shift = int(exponent)
    return Fraction(int(mantissa) << shift) if shift >= 0 else Fraction(int(mantissa), 1 << -shift)


def _ball(value: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(value.numerator, value.denominator))
