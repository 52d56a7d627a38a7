"""A real number between two rationals: the result of a proof, exact or not."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from theory.errors import InputError


@dataclass(frozen=True)
class Enclosure:
    """The closed interval ``[lower, upper]`` with rational ends, known to contain the number meant.

    Raises:
        InputError: ``lower > upper``.
    """

    lower: Fraction
    upper: Fraction

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise InputError(f"enclosure: {float(self.lower)} is above {float(self.upper)}")

    @classmethod
    def exactly(cls, value: Fraction | int) -> Enclosure:
        """The enclosure of a rational known exactly."""
        return cls(Fraction(value), Fraction(value))

    @property
    def is_exact(self) -> bool:
        """Whether the two ends agree."""
        return self.lower == self.upper

    @property
    def width(self) -> Fraction:
        """``upper - lower``."""
        return self.upper - self.lower

    @property
    def midpoint(self) -> Fraction:
        """The mean of the two ends."""
        return (self.lower + self.upper) / 2

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Fraction | int) and self.lower <= value <= self.upper

    def __add__(self, other: Enclosure) -> Enclosure:
        return Enclosure(self.lower + other.lower, self.upper + other.upper)

    def __sub__(self, other: Enclosure) -> Enclosure:
        return Enclosure(self.lower - other.upper, self.upper - other.lower)

    def __float__(self) -> float:
        return float(self.midpoint)

    @property
    def sign(self) -> Literal[-1, 0, 1] | None:
        """The sign where it is proven, else ``None``."""
        if self.lower > 0:
            return 1
        if self.upper < 0:
            return -1
        return 0 if self.lower == self.upper else None

    def scaled(self, factor: Fraction | int) -> Enclosure:
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

    def decimals(self, digits: int = 17) -> tuple[str, str]:
        """The two ends as decimal strings of ``digits`` significant digits, rounded outward.

        >>> Enclosure.exactly(Fraction(1, 3)).decimals(3)
        ('0.333', '0.334')
        """
        return _decimal(self.lower, digits, up=False), _decimal(self.upper, digits, up=True)


def _decimal(x: Fraction, digits: int, up: bool) -> str:
    from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

    # both operands are exact integers and only the division rounds
    context = Context(prec=digits, rounding=ROUND_CEILING if up else ROUND_FLOOR, Emax=10**9, Emin=-(10**9))
    value = context.divide(Decimal(x.numerator), Decimal(x.denominator))
    return str(value)
