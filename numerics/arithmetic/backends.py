"""Arithmetics for :func:`theory.base.expressions.evaluate`: numpy floats, mpmath numbers, FLINT balls.

Multiprecision numbers and balls travel in numpy object arrays, so that one walk over an expression evaluates a whole
matrix.  The precision is the one in force in the library (``mpmath.workdps``, ``flint.ctx.workprec``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import flint
import mpmath
import numpy as np
from jaxtyping import Float

from numerics.arithmetic.balls import ball
from theory.base.errors import InputError

MAX_MULTIPRECISION_EXPONENT = 10**9
"""mpmath's exp of a larger argument would need as many bits; refused instead."""


def to_float(value: Fraction, dtype: type[np.floating[Any]]) -> Any:
    """``value`` rounded to float64 and then to ``dtype``; beyond the range, ±inf."""
    if dtype is np.float64:
        return dtype(_nearest(value))
    with np.errstate(over="ignore"):
        return dtype(_nearest(value))


def to_floats(rows: Sequence[Sequence[Fraction]], dtype: type[np.floating[Any]]) -> Float[np.ndarray, "n m"]:
    """:func:`to_float` of a table."""
    with np.errstate(over="ignore"):
        return np.array([[_nearest(value) for value in row] for row in rows], dtype=np.float64).astype(dtype)


def _nearest(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


class FloatBackend:
    """numpy arrays of one floating-point dtype."""

    def __init__(self, dtype: type[np.floating[Any]]) -> None:
        self.dtype = dtype

    def constant(self, value: Fraction) -> Any:
        """The rational rounded to float64 and then to the dtype, as a training run does; beyond the range, ±inf."""
        return to_float(value, self.dtype)

    def named(self, name: str) -> Any:
        """π or e, rounded to the dtype."""
        return self.dtype({"pi": np.pi, "E": np.e}[name])

    def function(self, name: str, argument: Any) -> Any:
        """The function by numpy or scipy, in the dtype; out-of-range results are inf or nan, as in training."""
        with np.errstate(all="ignore"):
            match name:
                case "step":
                    return (np.asarray(argument) > 0).astype(self.dtype)
                case "erf":
                    import scipy.special

                    return scipy.special.erf(argument)
                case "atan":
                    return np.arctan(argument)
                case "asinh":
                    return np.arcsinh(argument)
                case "sin" | "cos" | "tan" | "exp" | "log" | "sinh" | "cosh" | "tanh":
                    return getattr(np, name)(argument)
                case _:
                    raise InputError(f"cannot evaluate the function {name}")

    def power(self, base: Any, exponent: Fraction) -> Any:
        """``base`` to a rational power; small integer powers by multiplication."""
        with np.errstate(all="ignore"):
            if exponent == 2:
                return base * base
            if exponent.denominator == 1:
                return np.power(base, int(exponent)) if exponent > 0 else 1 / np.power(base, -int(exponent))
            return np.sqrt(base) if exponent == Fraction(1, 2) else np.power(base, self.dtype(float(exponent)))


def _elementwise(function: Callable[[Any], Any], argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return np.frompyfunc(function, 1, 1)(argument)
    return function(argument)


class MultiprecisionBackend:
    """mpmath numbers at the precision in force, alone or in object arrays."""

    def constant(self, value: Fraction) -> Any:
        """The rational, rounded at the precision in force."""
        return mpmath.mpf(value.numerator) / value.denominator

    def named(self, name: str) -> Any:
        """π or e at the precision in force."""
        return +mpmath.pi if name == "pi" else +mpmath.e

    def function(self, name: str, argument: Any) -> Any:
        """The function by mpmath.

        Raises:
            InputError: an exponential of an argument beyond all reason.
        """
        if name == "step":
            return _elementwise(lambda u: mpmath.mpf(1) if u > 0 else mpmath.mpf(0), argument)
        known = {"sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "atan", "asinh", "erf"}
        if name not in known:
            raise InputError(f"cannot evaluate the function {name}")
        function = getattr(mpmath, name)

        def bounded(u: Any) -> Any:
            if name not in {"log", "atan", "asinh"} and abs(u) > MAX_MULTIPRECISION_EXPONENT:
                raise InputError(f"{name} of an argument beyond ±{MAX_MULTIPRECISION_EXPONENT}")
            value = function(u)
            if isinstance(value, mpmath.mpc):
                raise InputError(f"{name} of {mpmath.nstr(u, 8)} is not real")
            return value

        return _elementwise(bounded, argument)

    def power(self, base: Any, exponent: Fraction) -> Any:
        """``base`` to a rational power.

        Raises:
            InputError: a root of a negative number, or a negative power of zero.
        """
        if exponent.denominator == 1 and exponent > 0:
            return base ** int(exponent)

        def single(u: Any) -> Any:
            if (u < 0 and exponent.denominator != 1) or (u == 0 and exponent < 0):
                raise InputError(f"{mpmath.nstr(u, 8)} to the power {exponent} is not real and finite")
            return u ** (mpmath.mpf(exponent.numerator) / exponent.denominator)

        return _elementwise(single, base)


class BallBackend:
    """FLINT balls at the precision in force, alone or in object arrays; results enclose the true values."""

    def constant(self, value: Fraction) -> Any:
        """A ball around the exact rational."""
        return ball(value)

    def named(self, name: str) -> Any:
        """A ball around π or e."""
        return flint.arb.pi() if name == "pi" else flint.arb(1).exp()

    def function(self, name: str, argument: Any) -> Any:
        """The function by FLINT; a ball that is not finite is the caller's to refuse."""
        if name == "step":
            return _elementwise(_ball_step, argument)
        if name == "Abs":
            return _elementwise(abs, argument)
        kind, _, order = name.partition(" ")
        if kind in ("sinc", "SincMoment", "SinhMoment"):
            sign = 1 if kind == "SinhMoment" else -1
            return _elementwise(lambda u: ball_moment(int(order or 0), _as_ball(u), sign), argument)
        known = {"sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "atan", "asinh", "erf"}
        if name not in known:
            raise InputError(f"cannot evaluate the function {name}")
        function = getattr(flint.arb, name)
        return _elementwise(lambda u: function(_as_ball(u)), argument)

    def power(self, base: Any, exponent: Fraction) -> Any:
        """``base`` to a rational power; squares by multiplication (``arb(0, 1)**2`` is nan)."""
        if exponent.denominator == 1:
            positive = _ball_power(base, abs(int(exponent)))
            return positive if exponent > 0 else 1 / positive
        power = ball(exponent)
        return _elementwise(lambda u: _as_ball(u).sqrt() if exponent == Fraction(1, 2) else _as_ball(u) ** power, base)


def _as_ball(u: Any) -> flint.arb:
    """A ball as it is, an exact rational (``fmpq``) as a ball."""
    return u if isinstance(u, flint.arb) else flint.arb(u)


def _ball_step(u: Any) -> flint.arb:
    if u > 0:
        return flint.arb(1)
    return flint.arb(0) if u <= 0 else flint.arb("0.5", "0.5")


MAX_SINC = 4096
"""Largest argument of the series of :func:`ball_moment`, which cancels by e^|t|."""


def ball_moment(k: int, t: flint.arb, sign: int = -1) -> flint.arb:
    """``∫₀¹ s^k cos(ts) ds`` for even k, ``∫₀¹ s^k sin(ts) ds`` for odd k, by the power series and a bound on its rest.

    With ``sign`` 1 of cosh and sinh.

    Raises:
        InputError: |t| beyond :data:`MAX_SINC`.
    """
    size = float(abs(t).upper())
    if not size <= MAX_SINC:
        raise InputError(f"SincMoment of {t}; balls go to ±{MAX_SINC}")
    goal = flint.arb(2) ** -(flint.ctx.prec + 8)
    with flint.ctx.workprec(flint.ctx.prec + math.ceil(1.45 * size) + 20):
        n = k % 2
        total, term, square = flint.arb(0), t if n else flint.arb(1), t * t
        while not (2 * size * size <= (n + 1) * (n + 2) and abs(term) < goal):
            total += term / (k + n + 1)
            term = sign * term * square / ((n + 1) * (n + 2))
            n += 2
        return total + flint.arb(0, 2 * abs(term).upper())  # from here on terms at least halve


def _ball_power(u: Any, n: int) -> Any:
    """u^n by repeated squaring, for a ball or an array of balls."""
    result = None
    while n:
        if n & 1:
            result = u if result is None else result * u
        n >>= 1
        if n:
            u = u * u
    return flint.arb(1) if result is None else result
