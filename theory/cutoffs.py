"""Effective cut-off numbers of a spectrum, exact for floats, proven for balls. Imports the standard library alone."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import accumulate
from operator import lt
from typing import Any

from theory.conventions import Convention
from theory.errors import InputError, PrecisionCapError

Number = Any
"""A real number of a type named in :mod:`theory.entropy`; the functions here never mix two of them."""


def spectrum_list(values: Iterable[Number]) -> list[Number]:
    """The spectrum as a list, numpy floats as Python floats (exactly).

    Raises:
        InputError: a value that is provably negative, infinite or not a number, or a provable increase.
    """
    tolist = getattr(values, "tolist", None)
    result = list(values) if tolist is None else tolist()
    if _ordered_floats(result):  # the usual case, and the one that has to be quick
        return result
    for k, value in enumerate(result):
        if not isinstance(value, float | Fraction) and hasattr(value, "dtype"):
            result[k] = value = float(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"values[{k}]: {value}; allowed: finite singular values")
        if value < 0:
            raise InputError(f"values[{k}]: {value} is negative; allowed: singular values in descending order")
        if k and result[k - 1] < value:
            raise InputError(f"values[{k}]: {value} exceeds the value before; allowed: descending order")
    return result


def _ordered_floats(values: list[Number]) -> bool:
    return (
        set(map(type, values)) == {float}
        and not any(map(lt, values, values[1:]))
        and all(map(math.isfinite, values))
        and values[-1] >= 0
    )


def _count(n: int, holds: Callable[[int], bool]) -> int:
    """The number of leading indices below n with ``holds``, which is false from its first failure on."""
    return bisect_left(range(n), True, key=lambda k: not holds(k))


def _at_least(x: Number, tau: Fraction, y: Number) -> bool:
    """Whether ``x >= tau * y`` is certain; exact for floats and rationals."""
    if isinstance(x, float) and isinstance(y, float):
        return Fraction(x) >= tau * Fraction(y)
    return bool(x * tau.denominator >= y * tau.numerator)


def _below(x: Number, tau: Fraction, y: Number) -> bool:
    """Whether ``x < tau * y`` is certain; exact for floats and rationals."""
    if isinstance(x, float) and isinstance(y, float):
        return Fraction(x) < tau * Fraction(y)
    return bool(x * tau.denominator < y * tau.numerator)


def spectral_weights(values: list[Number], power: int) -> list[Number]:
    """``σ_k^q``, floats divided by the largest first so that no square overflows."""
    if values and isinstance(values[0], float) and values[0] > 0:
        top = values[0]
        values = [value / top for value in values]
    return values if power == 1 else [value * value for value in values]


def cutoff_range(values: Iterable[Number], convention: Convention) -> tuple[int, int]:
    """The least and the greatest effective cut-off number that the comparisons allow.

    Args:
        values: the n singular values in descending order; balls or intervals for proven bounds.
        convention: the cut-off rule (and the power, which the energy rule uses).

    Returns:
        ``(lower, upper)``; equal unless balls or intervals leave a comparison undecided.
    """
    return _cutoff_range(spectrum_list(values), convention)


def _cutoff_range(sigma: list[Number], convention: Convention) -> tuple[int, int]:
    n, tau = len(sigma), convention.tau
    if not sigma:
        return 0, 0
    if type(sigma[0]) is float and type(sigma[-1]) is float:
        return (_float_cutoff(sigma, convention),) * 2
    zero = sigma[0] * 0
    positive = sum(1 for value in sigma if value > 0)
    possible = n - sum(1 for value in sigma if value <= 0)
    if convention.rule == "fixed":
        rank = convention.rank or 0
        return min(rank, positive), min(rank, possible)
    if convention.rule == "relative":
        # A zero spectrum has no cut-off: τσ_1 = 0 would keep every zero.
        lower = sum(1 for value in sigma if value > 0 and _at_least(value, tau, sigma[0]))
        upper = sum(1 for value in sigma if not (value <= 0 or _below(value, tau, sigma[0])))
        return max(lower, min(positive, 1)), upper  # σ_1 itself passes, whatever its ball
    if convention.rule == "absolute":
        one = 1.0 if isinstance(sigma[0], float) else zero + 1
        return (
            sum(1 for value in sigma if _at_least(value, tau, one)),
            n - sum(1 for value in sigma if _below(value, tau, one)),
        )
    # Energy, by the tail: Σ_{k>r} w_k <= τ Σ w_k. Summed from the small end it has no cancellation in floats.
    weights = spectral_weights(sigma, convention.power)
    tails = [zero] * (n + 1)
    for k in range(n - 1, -1, -1):
        tails[k] = tails[k + 1] + weights[k]
    total = tails[0]
    if not total > 0:
        return 0, possible if not total <= 0 else 0
    # The least r with tail_r <= τ total: it is above every r that certainly fails, and at most the first that
    # certainly succeeds.
    lower = sum(1 for r in range(n) if _below(total, 1 / tau, tails[r])) if tau > 0 else positive
    upper = next((r for r in range(n) if tau > 0 and _at_least(total, 1 / tau, tails[r])), possible)
    return min(lower, upper), upper


def _float_cutoff(sigma: list[float], convention: Convention) -> int:
    """As :func:`_cutoff_range`, by bisection: comparisons of floats with τ are exact, and so monotone."""
    n, tau = len(sigma), convention.tau
    positive = _count(n, lambda k: sigma[k] > 0)
    if convention.rule == "fixed":
        return min(convention.rank or 0, positive)
    if convention.rule != "energy":
        unit = sigma[0] if convention.rule == "relative" else 1.0
        return _count(positive, lambda k: _at_least(sigma[k], tau, unit))
    weights = spectral_weights(sigma[:positive], convention.power)
    tails = list(accumulate(reversed(weights), initial=0.0))[::-1]
    if tau == 0:
        return positive
    return _count(positive, lambda r: _below(tails[0], 1 / tau, tails[r]))


def cutoff(values: Iterable[Number], convention: Convention) -> int:
    """The effective cut-off number r of a spectrum.

    Args:
        values: the n singular values in descending order.
        convention: the cut-off rule.

    Raises:
        InputError: values that are negative, increasing or not finite.
        PrecisionCapError: balls or intervals too wide to decide; :func:`cutoff_range` gives the bounds.

    >>> cutoff([4.0, 2.0, 1e-13, 0.0], Convention()), cutoff([4.0, 2.0, 1.0], Convention("fixed", rank=2))
    (2, 2)
    """
    return decided_cutoff(spectrum_list(values), convention)


def decided_cutoff(sigma: list[Number], convention: Convention) -> int:
    """As :func:`cutoff`, of a list from :func:`spectrum_list`."""
    lower, upper = _cutoff_range(sigma, convention)
    if lower != upper:
        raise PrecisionCapError(
            f"the cut-off ({convention.label}) is only known to lie between {lower} and {upper}; "
            "tighter enclosures of the singular values are needed"
        )
    return lower
