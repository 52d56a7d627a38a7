r"""A priori bounds of rounding errors: each number with what floating-point arithmetic may make of it, to the standard model.

N. J. Higham, *Accuracy and Stability of Numerical Algorithms* (2002), chapters 2 and 3: ``fl(x op y) = (x op y)(1 + d) + e`` for
``+ - * /``, ``|d| <= u`` and ``|e|`` at most half the least subnormal number (0 for sums). From the values of the operands and the bounds of their errors follow
those of the result, operation by operation (his *running error analysis*, here of the exact values: nothing that was
computed in floating point enters). For the elementary functions there is no theorem, only a hypothesis (:data:`HYPOTHESIS`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from numerics.arithmetic.backends import BallBackend
from numerics.arithmetic.balls import ball

ULPS = 4
HYPOTHESIS = (
    f"every value of an elementary function or of a power above the second that the arithmetic computes is within {ULPS} units in the last place "
    "of the exact one at the same argument"
)
"""What the bounds assume of sin, tanh, exp, … as numpy and scipy compute them; never checked but where errors are enclosed a posteriori."""

_LEAST = {"float32": Fraction(1, 2**150), "float64": Fraction(1, 2**1075)}
_UNIT = {"float32": Fraction(1, 2**24), "float64": Fraction(1, 2**53)}


@dataclass(frozen=True)
class Rounded:
    """A ball around the exact value, and an exact upper bound of the error of the stored one."""

    value: arb
    error: arb
    unit: arb
    least: arb

    def _stored(self, value: arb, before: arb, least: bool = True) -> Rounded:
        """The result of one operation whose operands' errors make ``before``."""
        error = before + self.unit * (abs(value) + before)
        return Rounded(value, arb((error + self.least if least else error).upper()), self.unit, self.least)

    def _other(self, other: Any) -> Rounded:
        return other if isinstance(other, Rounded) else Rounded(arb(other), arb(0), self.unit, self.least)

    def __add__(self, other: Any) -> Rounded:
        if isinstance(other, np.ndarray):
            return NotImplemented
        other = self._other(other)
        return self._stored(self.value + other.value, self.error + other.error, least=False)

    def __mul__(self, other: Any) -> Rounded:
        if isinstance(other, np.ndarray):
            return NotImplemented
        other = self._other(other)
        before = abs(self.value) * other.error + abs(other.value) * self.error + self.error * other.error
        return self._stored(self.value * other.value, before)

    def __truediv__(self, other: Any) -> Rounded:
        if isinstance(other, np.ndarray):
            return NotImplemented
        other = self._other(other)
        room = abs(other.value) - other.error  # x/y - a/b = (x - a)/y + a (b - y)/(b y)
        room = room if room > 0 else arb(0)
        before = self.error / room + abs(self.value) * other.error / (abs(other.value) * room)
        return self._stored(self.value / other.value, before)

    def __rtruediv__(self, other: Any) -> Rounded:
        return self._other(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def applied(self, function: Any) -> Rounded:
        """An elementary function, under the hypothesis: units in the last place are at most 2 u relative."""
        value = function(self.value)
        moved = abs(function(self.value + arb(0).union(self.error).union(-self.error)) - value)
        error = moved + 2 * ULPS * self.unit * (abs(value) + moved) + 2 * ULPS * self.least
        return Rounded(value, arb(error.upper()), self.unit, self.least)


class RoundedBackend:
    """Numbers with their bounds, alone or in object arrays; at the precision in force."""

    def __init__(self, arithmetic: str) -> None:
        self.unit, self.least = ball(_UNIT[arithmetic]), ball(_LEAST[arithmetic])
        self._balls = BallBackend()

    def constant(self, value: Fraction) -> Rounded:
        """A rational, rounded to float64 and then to the arithmetic."""
        exact = ball(value)
        double = ball(_UNIT["float64"]) * abs(exact) + ball(_LEAST["float64"])
        error = double + self.unit * (abs(exact) + double) + self.least
        return Rounded(exact, arb(0) if self._is_short(value) else arb(error.upper()), self.unit, self.least)

    def _is_short(self, value: Fraction) -> bool:
        """Whether it is stored as it is: an integer of few bits, or half of one, and so on."""
        return abs(value) < 2**20 and value.denominator <= 8 and value.denominator & (value.denominator - 1) == 0

    def named(self, name: str) -> Rounded:
        """π or e, correctly rounded."""
        value = self._balls.named(name)
        return Rounded(value, arb((2 * self.unit * value).upper()), self.unit, self.least)

    def function(self, name: str, argument: Any) -> Any:
        """A function by its name."""
        return self._each(lambda u: u.applied(lambda x: self._balls.function(name, x)), argument)

    def power(self, base: Any, exponent: Fraction) -> Any:
        """Squares by multiplication, other powers by the library."""
        if exponent == 2:
            return base * base
        times = -exponent if exponent < 0 and exponent.denominator == 1 else exponent
        found = self._each(lambda u: u.applied(lambda x: self._balls.power(x, times)), base)
        return found if times == exponent else 1 / found

    def inputs(self, values: Any) -> np.ndarray:
        """Exact rationals, one or two deep, as an array."""
        rows = [[self.constant(v) for v in row] if isinstance(row, tuple) else self.constant(row) for row in values]
        return np.array(rows, dtype=object)

    @staticmethod
    def _each(function: Any, argument: Any) -> Any:
        return np.frompyfunc(function, 1, 1)(argument) if isinstance(argument, np.ndarray) else function(argument)
