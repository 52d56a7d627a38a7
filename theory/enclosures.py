"""A real number between two rationals: what a proof or a certified computation returns, and what files hold.

Balls and intervals of libraries do not pickle and carry a precision of the process; an :class:`Enclosure` does neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Literal, TypedDict

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
    def hull(parts: Iterable[Enclosure]) -> Enclosure:
        """The smallest enclosure that contains all of ``parts`` (at least one)."""
        listed = tuple(parts)
        return Enclosure(min(part.lower for part in listed), max(part.upper for part in listed))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Fraction | int) and self.lower <= value <= self.upper

    def __neg__(self) -> Enclosure:
        return Enclosure(-self.upper, -self.lower)

    def __add__(self, other: Enclosure) -> Enclosure:
        return Enclosure(self.lower + other.lower, self.upper + other.upper)

    def __sub__(self, other: Enclosure) -> Enclosure:
        return Enclosure(self.lower - other.upper, self.upper - other.lower)

    def __float__(self) -> float:
        return float(self.middle)

    @property
    def is_exact(self) -> bool:
        """Whether the two ends agree."""
        return self.lower == self.upper

    @property
    def middle(self) -> Fraction:
        """The mean of the two ends."""
        return (self.lower + self.upper) / 2

    @property
    def width(self) -> Fraction:
        """``upper - lower``."""
        return self.upper - self.lower

    @property
    def relative_width(self) -> Fraction | None:
        """Width over the least absolute value inside; ``None`` where that is 0 and the width is not."""
        if self.is_exact:
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

    def sign(self) -> Literal[-1, 0, 1] | None:
        """-1, 0 or 1 where that is proven, ``None`` where it is undecided."""
        if self.lower > 0:
            return 1
        if self.upper < 0:
            return -1
        return 0 if self.is_exact else None

    def scaled(self, factor: Rational) -> Enclosure:
        """The enclosure of ``factor`` times the number."""
        ends = sorted((self.lower * factor, self.upper * factor))
        return Enclosure(Fraction(ends[0]), Fraction(ends[1]))

    def rounded(self, bits: int = 128) -> Enclosure:
        """An enclosure with short ends, rounded outward to multiples of a power of two; exact ones stay."""
        if self.is_exact:
            return self
        size = max(abs(self.lower), abs(self.upper))
        shift = bits - (size.numerator.bit_length() - size.denominator.bit_length())
        unit = Fraction(2) ** -shift
        return Enclosure((self.lower // unit) * unit, -(-self.upper // unit) * unit)

    def decimals(self, digits: int = 15) -> Decimals:
        """Outward-rounded decimal strings of ``digits`` significant digits each."""
        return {"lower": decimal_below(self.lower, digits), "upper": decimal_above(self.upper, digits)}


def decimal_below(value: Fraction, digits: int) -> str:
    """The largest decimal of ``digits`` significant digits that is not above ``value``.

    >>> decimal_below(Fraction(2, 3), 3), decimal_below(Fraction(-2, 3), 3)
    ('0.666', '-0.667')
    """
    return _decimal(value, digits, ROUND_FLOOR)


def decimal_above(value: Fraction, digits: int) -> str:
    """The smallest decimal of ``digits`` significant digits that is not below ``value``."""
    return _decimal(value, digits, ROUND_CEILING)


def _decimal(value: Fraction, digits: int, rounding: str) -> str:
    if digits < 1:
        raise InputError(f"digits: {digits} is not allowed; at least 1")
    context = Context(digits, rounding, MIN_EMIN, MAX_EMAX)
    # both operands are exact integers: only the division rounds
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize(context)
    fixed = -5 <= quotient.adjusted() < max(digits, 16)
    return f"{quotient:{'f' if fixed else 'e'}}"
