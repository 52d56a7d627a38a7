r"""Geometric singular values ``σ_k = c θ^k``, k = 0, 1, …: every entropy in closed form (elementary; form ours).

With ``x = θ^q`` and rank r: ``H_r = log((1-x^r)/(1-x)) - log x · [x/(1-x) - r x^r/(1-x^r)]``; r = ∞:
``-log(1-x) - x log x/(1-x)``. Between two geometric spectra the ratios are monotone, so the larger θ has the
larger entropy at every rank and both powers (Marshall, Olkin and Arnold 2011, 5.B.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from theory.enclosures import Enclosure
from theory.entropy import Convention, EntropyValue, Number, Power, natural_log, times
from theory.errors import InputError, PrecisionCapError
from theory.solvable.common import GUARD, GapSign, bounds, interval_context, lift


def geometric_entropy(x: Number, rank: int | None, log: Callable[[Number], Number] = natural_log) -> Number:
    """The entropy of ``p_k ∝ x^k``, k < ``rank`` (all k for ``None``), generic in the number type.

    Args:
        x: the ratio of consecutive probabilities, in (0, 1); the formula cancels as x nears 1.
        rank: r >= 1, or ``None`` for infinitely many.
        log: the logarithm.

    Raises:
        InputError: x certainly outside (0, 1), or a rank below 1.

    >>> geometric_entropy(0.5, None), geometric_entropy(0.5, 1)
    (1.3862943611198906, 0.0)
    """
    if x <= 0 or x >= 1:
        raise InputError(f"x: {x}; allowed: 0 < x < 1")
    if rank is not None and rank < 1:
        raise InputError(f"rank: {rank}; allowed: at least 1")
    if rank is None:
        return -log(1 - x) - times(x / (1 - x), log(x))
    power = x**rank
    return log((1 - power) / (1 - x)) - times(x / (1 - x) - rank * power / (1 - power), log(x))


@dataclass(frozen=True)
class Geometric:
    """Singular values ``θ^k`` times anything, k = 0 … n-1 (n = ∞ for ``None``).

    Attributes:
        ratio: θ in (0, 1).
        size: n >= 1, or ``None``.

    Raises:
        InputError: values outside these ranges.
    """

    ratio: Fraction
    size: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.ratio < 1:
            raise InputError(f"ratio: {self.ratio}; allowed: 0 < θ < 1")
        if self.size is not None and self.size < 1:
            raise InputError(f"size: {self.size}; allowed: at least 1, or none for infinitely many")

    def cutoff(self, convention: Convention, scale: Fraction = Fraction(1)) -> int:
        """The effective cut-off number, exact, from the closed form of the sums.

        Args:
            convention: the rule.
            scale: ``σ_1``, which the absolute rule needs.

        Raises:
            InputError: energy with τ = 0 and infinitely many values: every one of them counts.
        """
        tau, x = convention.tau, self.ratio**convention.power
        if convention.rule == "fixed":
            rank = convention.rank or 0
            return rank if self.size is None else min(rank, self.size)
        if convention.rule == "energy":  # Σ_{k>=r} x^k <= τ Σ x^k: x^r <= τ + (1 - τ) x^n
            if tau == 0 and self.size is None:
                raise InputError("tau: 0 with rule 'energy' and infinitely many values; allowed: 0 < τ < 1")
            if tau == 0:
                return self.size or 0
            found = _least_exponent(x, tau, self.size)
        else:  # θ^r < τ
            found = _least_exponent(self.ratio, tau if convention.rule == "relative" else tau / scale)
        return found if self.size is None else min(found, self.size)

    def entropy(self, *, power: Power = 1, rank: int | None = None, digits: int = 30) -> Enclosure:
        """The closed form, enclosed; ``rank`` values at most, or all."""
        context = interval_context(digits + GUARD)
        x = lift(context, self.ratio**power)
        r = self.size if rank is None else rank if self.size is None else min(rank, self.size)
        return bounds(geometric_entropy(x, r))

    def truncated_entropy(self, convention: Convention, digits: int = 30) -> EntropyValue:
        """As :func:`theory.entropy.truncated_entropy`, with :class:`Enclosure` as the value."""
        r = self.cutoff(convention)
        if r == 0 or (r == 1 and convention.normalised):
            reason = "no singular value passes the cut-off" if r == 0 else "H / log r is 0/0 at r = 1"
            return EntropyValue(None, r, f"{reason} ({convention.label})")
        context = interval_context(digits + GUARD)
        value = geometric_entropy(lift(context, self.ratio**convention.power), r)
        if convention.normalised:
            value = value / context.log(context.mpf(r))
        return EntropyValue(bounds(value), r)

    def gap_sign(self, other: Geometric, rank: int | None = None) -> GapSign:
        """The sign of ``H(other) - H(self)`` at one rank, for both powers.

        Raises:
            InputError: different effective ranks, where ratios are not comparable.
        """
        sizes = [s if rank is None else rank if s is None else min(s, rank) for s in (self.size, other.size)]
        if sizes[0] != sizes[1]:
            raise InputError(f"size: {sizes[0]} and {sizes[1]}; allowed: equal, or a rank below both")
        if self.ratio == other.ratio or sizes[0] == 1:
            return GapSign(0, "equal spectra", "equal probabilities")
        rises = other.ratio > self.ratio
        reason = f"the ratios (θ'/θ)^k are {'increasing' if rises else 'decreasing'}"
        return GapSign(1 if rises else -1, "ratio majorisation", reason)


def _least_exponent(x: Fraction, tau: Fraction, size: int | None = -1) -> int:
    """The least r >= 0 with ``x^r < τ``; with a size n (or ``None``, infinite) ``x^r <= τ + (1 - τ) x^n``.

    Logarithms in interval arithmetic; an integer that they cannot exclude is decided by exact powers.
    """
    strict = size == -1
    if (strict and tau > 1) or (not strict and tau >= 1):
        return 0
    for digits in (30, 120, 480):
        context = interval_context(digits)
        level, step = lift(context, tau), context.log(lift(context, x))
        if size is not None and not strict:
            level = level + (1 - level) * context.exp(step * size)
        quotient = bounds(context.log(level) / step)
        low, high = ceil(quotient.lower), ceil(quotient.upper)
        if low == high and quotient.upper < high:
            return low
        candidate = floor(quotient.upper)
        if candidate * max(x.denominator.bit_length(), 1) < 10**6:
            if strict:
                return candidate + (x**candidate >= tau)
            end = Fraction(0) if size is None else x**size
            return candidate + (x**candidate > tau + (1 - tau) * end)
    raise PrecisionCapError("the cut-off number of the geometric spectrum was not decided with 480 digits")
