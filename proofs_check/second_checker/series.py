"""Taylor series with interval coefficients, of one length, and expressions evaluated on them.

Every coefficient k encloses ``f^(k)(u) / k!`` for all u in the constant term's interval.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from proofs_check.second_checker import intervals
from proofs_check.second_checker.intervals import ONE, TWO, ZERO, Interval, UndecidedError

Series = list[Interval]


def constant(value: Interval, length: int) -> Series:
    """A series without derivatives."""
    return [value] + [ZERO] * (length - 1)


def add(u: Series, v: Series) -> Series:
    """The sum."""
    return [a + b for a, b in zip(u, v, strict=True)]


def times(u: Series, v: Series) -> Series:
    """The product."""
    return [total(u[j] * v[k - j] for j in range(k + 1)) for k in range(len(u))]


def total(parts: Any) -> Interval:
    """The sum of intervals."""
    result = ZERO
    for part in parts:
        result = result + part
    return result


def scaled(u: Series, factor: Interval) -> Series:
    """Every coefficient times a number."""
    return [a * factor for a in u]


def inverse(u: Series) -> Series:
    """``1 / u``: ``v_k = -v_0 sum_{j>0} u_j v_{k-j}``."""
    v = [u[0].inverse()]
    for k in range(1, len(u)):
        v.append(-(v[0] * total(u[j] * v[k - j] for j in range(1, k + 1))))
    return v


def exponential(u: Series) -> Series:
    """``k v_k = sum_j j u_j v_{k-j}``."""
    v = [intervals.exp(u[0])]
    for k in range(1, len(u)):
        v.append(total(u[j] * v[k - j] * Interval.of(Fraction(j, k)) for j in range(1, k + 1)))
    return v


def sine_cosine(u: Series) -> tuple[Series, Series]:
    """``s' = c u'``, ``c' = -s u'``."""
    s, c = ([part] for part in intervals.sine_cosine(u[0]))
    for k in range(1, len(u)):
        rate = [u[j] * Interval.of(Fraction(j, k)) for j in range(k + 1)]
        s.append(total(rate[j] * c[k - j] for j in range(1, k + 1)))
        c.append(-total(rate[j] * s[k - j] for j in range(1, k + 1)))
    return s, c


def integral(first: Interval, rate: Series, u: Series) -> Series:
    """The v with ``v_0 = first`` and ``v' = rate u'``."""
    v = [first]
    for k in range(1, len(u)):
        v.append(total(u[j] * rate[k - j] * Interval.of(Fraction(j, k)) for j in range(1, k + 1)))
    return v


def logarithm(u: Series) -> Series:
    """``v' = u' / u``."""
    return integral(intervals.log(u[0]), inverse(u), u)


def root(u: Series, exponent: Fraction) -> Series:
    """``u^(p/q)``, q > 1: ``k u_0 v_k = sum_j (j p/q - k + j) u_j v_{k-j}``."""
    if u[0].is_zero() and len(u) == 1 and exponent > 0:
        return [ZERO]
    if not u[0].low > 0:
        raise UndecidedError("expression: a root of what is not proven positive")
    v = [intervals.exp(_near([intervals.log(u[0]) * Interval.of(exponent)])[0])] if exponent.denominator > 2 else []
    if exponent.denominator == 2:
        v = power([u[0].root()], exponent.numerator)
    first = u[0].inverse()
    for k in range(1, len(u)):
        parts = (u[j] * v[k - j] * Interval.of((j * exponent - k + j) / k) for j in range(1, k + 1))
        v.append(first * total(parts))
    return v


def power(u: Series, n: int) -> Series:
    """An integer power, n not 0, from the highest binary digit down."""
    result = u
    for digit in bin(abs(n))[3:]:
        result = times(result, result)
        result = times(result, u) if digit == "1" else result
    return result if n > 0 else inverse(result)


def _one(u: Series) -> Series:
    return constant(ONE, len(u))


def _tan(u: Series) -> Series:
    s, c = sine_cosine(u)
    return times(s, inverse(c))


def _atan(u: Series) -> Series:
    return integral(intervals.atan(u[0]), inverse(add(_one(u), times(u, u))), u)


def _erf(u: Series) -> Series:
    bell = exponential([-a for a in times(u, u)])
    return integral(intervals.erf(u[0]), scaled(bell, TWO * intervals.pi().root().inverse()), u)


def _asinh(u: Series) -> Series:
    return integral(intervals.asinh(u[0]), inverse(root(add(_one(u), times(u, u)), Fraction(1, 2))), u)


def _hyperbolic(sign: int) -> Callable[[Series], Series]:
    def function(u: Series) -> Series:
        plus, minus = exponential(u), exponential([-a for a in u])
        half = Interval.point(1, -1)
        return [(a + (b if sign > 0 else -b)) * half for a, b in zip(plus, minus, strict=True)]

    return function


def _tanh(u: Series) -> Series:
    share = inverse(add(_one(u), exponential(scaled(u, TWO))))
    return add(_one(u), [-(a * TWO) for a in share])


def _step(u: Series) -> Series:
    if u[0].low > 0:
        return _one(u)
    if u[0].high <= 0:
        return constant(ZERO, len(u))
    raise UndecidedError("activation: the side of a step is not decided")


def _near(u: Series) -> Series:
    """An argument that a function is evaluated at, refused beyond 2^31."""
    if not u[0].size().below(Interval.point(1, 31)):
        raise UndecidedError("expression: an argument beyond 2^31")
    return u


FAR = ("log", "atan", "asinh", "step")
"""Functions that take any argument."""
FUNCTIONS: dict[str, Callable[[Series], Series]] = {
    "sin": lambda u: sine_cosine(u)[0],
    "cos": lambda u: sine_cosine(u)[1],
    "tan": _tan,
    "exp": exponential,
    "log": logarithm,
    "atan": _atan,
    "erf": _erf,
    "sinh": _hyperbolic(-1),
    "cosh": _hyperbolic(1),
    "tanh": _tanh,
    "asinh": _asinh,
    "step": _step,
}


def evaluate(tree: list[Any], at: dict[str, Series], length: int) -> Series:
    """An expression that has been read, on series of this length."""
    name, *parts = tree
    if name == "number":
        return constant(Interval.of(Fraction(parts[0])), length)
    if name == "variable":
        return at[parts[0]]
    if name == "pi":
        return constant(intervals.pi(), length)
    if name == "power":
        exponent = Fraction(parts[1])
        base = evaluate(parts[0], at, length)
        return power(base, exponent.numerator) if exponent.denominator == 1 else root(base, exponent)
    found = [evaluate(part, at, length) for part in parts]
    if name not in ("sum", "product"):
        return FUNCTIONS[name](found[0] if name in FAR else _near(found[0]))
    result = found[0]
    for one in found[1:]:
        result = add(result, one) if name == "sum" else times(result, one)
    return result
