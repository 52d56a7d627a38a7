"""A real number between two rationals: what a proof or a certified computation returns, and what files hold.

Balls and intervals of libraries do not pickle and carry a precision of the process; an :class:`Enclosure` does neither.

Three-valued decisions: what a comparison of numbers that are known within bounds comes to.

In ball arithmetic an undecided comparison is ``False``, which is no refutation.  A :class:`Decision` is YES, NO or
UNDECIDED, combines by the strong logic of Kleene (Introduction to Metamathematics, 1952, §64), and refuses to be taken
for a truth value.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import ClassVar, Literal, NoReturn, TypedDict

from theory.base.errors import InputError
from theory.base.exact import Rational


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

    def __str__(self) -> str:
        """The two ends to 12 digits, rounded outward.

        >>> str(Enclosure(Fraction(1, 3), Fraction(2, 3)))
        '[0.333333333333, 0.666666666667]'
        """
        return "[{lower}, {upper}]".format(**self.decimals(12))

    def _repr_latex_(self) -> str:
        low, high = (_POWER.sub(r" \\times 10^{\1}", end) for end in (f"{e}" for e in self.decimals(12).values()))
        return f"$[{low}, {high}]$"


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


_POWER = re.compile(r"e\+?(-?\d+)")
_ROOT = __file__.removesuffix("theory/base/enclosure.py")
ROOMS = tuple(f"{_ROOT}{room}/" for room in ("theory", "numerics", "proofs_check"))
"""Where this project's own files are."""
REMEDY = "a Decision is three-valued: combine with &, |, ~, every(…) or some(…); ask for decision.holds (True, False or None)"
"""What to write where a truth value was asked for."""

OTHER = "{} is a class of its own, which may answer anything, and no plain Decision"


class Decision:
    """YES, NO or UNDECIDED, and on how many exact comparisons that rests.

    ``&``, ``|`` and ``~`` combine; ``bool()`` raises, for ``if``, ``and``, ``or`` and ``not`` know two values.  Equality
    is that of the values.

    Attributes:
        holds: True, False, or None where it is undecided.
        compared: the comparisons of exact numbers or enclosures behind it; 0 for one that was told (a constant,
            :meth:`of` a bool, ``every`` of nothing) or that is combined with such a one, which certifies nothing.

    >>> Decision.YES & Decision.UNDECIDED, Decision.NO & Decision.UNDECIDED, ~Decision.UNDECIDED
    (UNDECIDED, NO, UNDECIDED)
    """

    __slots__ = ("_compared", "_holds")
    YES: ClassVar[Decision]
    NO: ClassVar[Decision]
    UNDECIDED: ClassVar[Decision]
    _holds: bool | None
    _compared: int

    def __init__(self) -> None:
        raise TypeError("a Decision is made by a comparison, or told: Decision.of(True), Decision.YES")

    @property
    def holds(self) -> bool | None:
        """True, False, or None where it is undecided."""
        return self._holds

    @property
    def compared(self) -> int:
        """How many exact comparisons it rests on; 0 for one that was told."""
        return self._compared

    @staticmethod
    def of(told: bool | None) -> Decision:
        """The decision that someone says it is; it rests on no comparison.

        Raises:
            TypeError: neither a bool nor None.
        """
        if told is not None and type(told) is not bool:
            raise TypeError(f"Decision.of: {told!r:.40} is not True, False or None")
        return _made(told, 0)

    def __and__(self, other: Decision) -> Decision:
        if type(other) is not Decision:  # another class may answer anything
            return NotImplemented
        return _all(self, other)

    def __or__(self, other: Decision) -> Decision:
        if type(other) is not Decision:  # another class may answer anything
            return NotImplemented
        return ~_all(~self, ~other)

    def __invert__(self) -> Decision:
        if type(self) is not Decision:
            raise TypeError(OTHER.format(type(self).__name__))
        return _made(None if self._holds is None else not self._holds, self._compared)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            raise TypeError(f"{REMEDY}; it equals no {type(other).__name__}")
        return self._holds is other._holds

    def __hash__(self) -> int:
        return hash(self._holds)

    def __bool__(self) -> NoReturn:
        raise TypeError(REMEDY)

    def __repr__(self) -> Literal["YES", "NO", "UNDECIDED"]:
        return "UNDECIDED" if self._holds is None else "YES" if self._holds else "NO"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Decision cannot be changed: {name}")

    def __reduce__(self) -> tuple[object, tuple[bool | None, int]]:
        return _made, (self._holds, self._compared)


def _made(holds: bool | None, compared: int) -> Decision:
    made = object.__new__(Decision)
    object.__setattr__(made, "_holds", holds)
    object.__setattr__(made, "_compared", compared)
    return made


def _all(*parts: Decision) -> Decision:
    for part in parts:
        if type(part) is not Decision:
            raise TypeError(OTHER.format(type(part).__name__))
    holds = False if any(p.holds is False for p in parts) else None if any(p.holds is None for p in parts) else True
    told = any(p.compared == 0 for p in parts)
    return _made(holds, 0 if told else sum(p.compared for p in parts))


Decision.YES = Decision.of(True)
Decision.NO = Decision.of(False)
Decision.UNDECIDED = Decision.of(None)


def from_comparison(holds: bool | None) -> Decision:
    """The decision of one comparison of exact numbers or enclosures; for the functions of this project that make one.

    Called from elsewhere, it is told and no more.
    """
    return _made(holds, int(sys._getframe(1).f_code.co_filename.startswith(ROOMS)))


def _decisions(decisions: Iterable[Decision], what: str) -> tuple[Decision, ...]:
    """These decisions, once each is seen to be one."""
    parts = tuple(decisions)
    for part in parts:
        if type(part) is not Decision:
            raise InputError(f"{what}: {part!r:.40} is not a Decision; compare with below(a, b), same(a, b), …")
    return parts


def every(decisions: Iterable[Decision]) -> Decision:
    """Whether all hold; of none it is a YES that rests on nothing.

    Raises:
        InputError: something else than decisions among them.
    """
    return _all(*_decisions(decisions, "every"))


def some(decisions: Iterable[Decision]) -> Decision:
    """Whether one holds; of none it is a NO that rests on nothing.

    Raises:
        InputError: something else than decisions among them.
    """
    return ~_all(*(~part for part in _decisions(decisions, "some")))
