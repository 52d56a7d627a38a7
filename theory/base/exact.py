"""Exact rationals: reading what a user wrote, writing what others can read back.

A decimal means the decimal as spelled: ``0.1`` is 1/10, never the nearest double.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from theory.base.errors import InputError

MAX_DIGITS = 400
"""Longest number accepted from a user, in characters."""
MAX_EXPONENT = 400
"""Largest decimal exponent accepted from a user, in absolute value."""

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE]([+-]?\d{1,6}))?")
_RATIO = re.compile(r"([+-]?\d+)\s*/\s*(\d+)")

Rational = Fraction | int
"""An exact number in Python's own types."""


def rational(value: object, what: str = "number") -> Fraction:
    """The exact rational that ``value`` spells.

    Args:
        value: ``"p/q"``, a decimal such as ``"-1.5e-3"``, an ``int`` or a ``Fraction``; a float is refused,
            since its decimal spelling is not what it stores.
        what: the name of the quantity, for the error message.

    Raises:
        InputError: not such a number, a zero denominator, or beyond the size limits.

    >>> rational("1/3"), rational("0.1"), rational("2e-3")
    (Fraction(1, 3), Fraction(1, 10), Fraction(1, 500))
    """
    if isinstance(value, bool):
        raise InputError(f"{what}: {value} is not a number")
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return _readable(Fraction(value), what)
    if not isinstance(value, str):
        raise InputError(f"{what}: {value!r} is not exact; write it as a string such as '1/10' or '0.1'")
    text = value.strip()
    if len(text) > MAX_DIGITS:
        raise InputError(f"{what}: a number of {len(text)} characters; at most {MAX_DIGITS} are allowed")
    if match := _RATIO.fullmatch(text):
        if int(match[2]) == 0:
            raise InputError(f"{what}: {text!r} divides by zero")
        return _readable(Fraction(int(match[1]), int(match[2])), what)
    match = _DECIMAL.fullmatch(text)
    if not match:
        raise InputError(f"{what}: {text[:60]!r} is not a number; allowed: 3, -1/7, 0.25, 1e-3")
    if match[3] and abs(int(match[3])) > MAX_EXPONENT:
        raise InputError(f"{what}: the exponent of {text!r} is beyond ±{MAX_EXPONENT}")
    return _readable(Fraction(text), what)


def _readable(value: Fraction, what: str) -> Fraction:
    """``value``, if its spelling can be read back."""
    if max(abs(value.numerator), value.denominator).bit_length() > 4 * MAX_DIGITS or len(spell(value)) > MAX_DIGITS:
        raise InputError(f"{what}: a number whose p/q has more than {MAX_DIGITS} characters")
    return value


def rationals(values: Iterable[object], what: str = "numbers") -> tuple[Fraction, ...]:
    """Each of ``values`` read by :func:`rational`; the message of an error names the entry's position."""
    return tuple(rational(value, f"{what}[{i}]") for i, value in enumerate(values))


def spell(value: Rational) -> str:
    """``"p/q"``, or ``"p"`` for an integer; :func:`rational` reads it back.

    >>> spell(Fraction(1, 12)), spell(Fraction(-3))
    ('1/12', '-3')
    """
    return str(Fraction(value))
