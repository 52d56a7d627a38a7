"""Entropy conventions: how a spectrum becomes one number (ours). Imports the standard library alone.

A convention is a cut-off rule with its threshold τ, a power q of the singular values and whether the entropy
is divided by ``log r``; :mod:`theory.entropy.entropy` evaluates it. No two conventions give comparable numbers, so
every report names its own by :attr:`Convention.label`.

Effective cut-off numbers of a spectrum, exact for floats, proven for balls. Imports the standard library alone.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import lt
from typing import Any, Literal, get_args

from theory.base.errors import InputError, PrecisionCapError
from theory.base.exact import rational, spell

Rule = Literal["relative", "absolute", "energy", "fixed"]
"""The four cut-off rules, :attr:`Convention.rule`."""
Power = Literal[1, 2]
"""Probabilities from singular values (1) or from their squares (2)."""

RULES: tuple[Rule, ...] = get_args(Rule)
_DEFAULT_TAU = Fraction(1, 10**12)
_KEYS = ("rule", "tau", "power", "normalised", "rank")


@dataclass(frozen=True)
class Convention:
    """How a spectrum becomes one number (ours).

    Attributes:
        rule: ``relative`` keeps ``σ_k >= τ σ_1``; ``absolute`` keeps ``σ_k >= τ``; ``energy`` keeps the least
            r with ``Σ_{k<=r} σ_k^q >= (1 - τ) Σ_k σ_k^q``; ``fixed`` keeps the ``rank`` largest positive
            ones.
        tau: the threshold τ, exact: in (0, 1] for ``relative``, positive for ``absolute``, in [0, 1) for
            ``energy``; for ``fixed`` it plays no part and is stored as 0.
        power: q, 1 or 2; it also enters the energy rule.
        normalised: divide by ``log r``.
        rank: r >= 1 for ``fixed``; otherwise ``None``.

    Raises:
        InputError: a value outside these ranges.

    >>> Convention().label, Convention("fixed", rank=8, power=2, normalised=True).label
    ('relative τ=1e-12, power 1', 'fixed r=8, power 2, normalised')
    """

    rule: Rule = "relative"
    tau: Fraction = _DEFAULT_TAU
    power: Power = 1
    normalised: bool = False
    rank: int | None = None

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise InputError(f"rule: {self.rule!r} is not a cut-off rule; allowed: {', '.join(RULES)}")
        if isinstance(self.power, bool) or self.power not in (1, 2):
            raise InputError(f"power: {self.power!r} is not a power of the singular values; allowed: 1, 2")
        if not isinstance(self.normalised, bool):
            raise InputError(f"normalised: {self.normalised!r} is not a truth value; allowed: true, false")
        tau = rational(self.tau, "tau")
        if self.rule == "fixed":
            if isinstance(self.rank, bool) or not isinstance(self.rank, int) or self.rank < 1:
                raise InputError(f"rank: {self.rank!r} with rule 'fixed'; allowed: an integer of at least 1")
            if tau not in (0, _DEFAULT_TAU):
                raise InputError(f"tau: {spell(tau)} with rule 'fixed', which has no τ; give rank alone")
            tau = Fraction(0)
        elif self.rank is not None:
            raise InputError(f"rank: {self.rank!r} with rule {self.rule!r}; allowed with rule 'fixed' only")
        elif self.rule == "relative" and not 0 < tau <= 1:
            raise InputError(f"tau: {spell(tau)} with rule 'relative'; allowed: 0 < τ <= 1")
        elif self.rule == "absolute" and not tau > 0:
            raise InputError(f"tau: {spell(tau)} with rule 'absolute'; allowed: τ > 0")
        elif self.rule == "energy" and not 0 <= tau < 1:
            raise InputError(f"tau: {spell(tau)} with rule 'energy'; allowed: 0 <= τ < 1")
        object.__setattr__(self, "tau", tau)

    @property
    def label(self) -> str:
        """A short name for tables, different for different conventions."""
        threshold = f"r={self.rank}" if self.rule == "fixed" else f"τ={_spell_threshold(self.tau)}"
        return f"{self.rule} {threshold}, power {self.power}" + (", normalised" if self.normalised else "")

    def to_dict(self) -> dict[str, str | int | bool]:
        """The convention in JSON types, τ as an exact string; :meth:`from_dict` reads it back."""
        threshold: dict[str, str | int | bool]
        threshold = {"tau": _spell_threshold(self.tau)} if self.rank is None else {"rank": self.rank}
        return {"rule": self.rule, **threshold, "power": self.power, "normalised": self.normalised}

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Convention:
        """The convention of a ``[entropy]`` table or of :meth:`to_dict`; absent keys take their defaults.

        Raises:
            InputError: an unknown key, or a value that is not allowed.
        """
        for key in data:
            if key not in _KEYS:
                raise InputError(f"{key}: unknown key of an entropy convention; allowed: {', '.join(_KEYS)}")
        values: dict[str, Any] = dict(data)
        if "tau" in values:
            values["tau"] = rational(values["tau"], "tau")
        return cls(**values)


def _spell_threshold(tau: Fraction) -> str:
    """A power of ten as ``1e-12``, any other rational as :func:`theory.base.exact.spell` writes it."""
    digits = str(tau.denominator)
    if tau.numerator == 1 and len(digits) > 1 and digits.strip("0") == "1":
        return f"1e-{len(digits) - 1}"
    return spell(tau)


def standard_conventions(rank: int = 16) -> tuple[Convention, ...]:
    """Every rule, power and normalisation, 16 conventions; the first is the default :class:`Convention`.

    τ is 1e-12 (relative), 1e-10 (absolute) and 1e-6 (energy): the first is a habitual cut-off of
    pseudo-inverses in double precision, the others are of the same spirit; ``rank`` is that of the fixed
    rule.
    """
    bases: tuple[dict[str, Any], ...] = (
        {"rule": "relative", "tau": _DEFAULT_TAU},
        {"rule": "absolute", "tau": Fraction(1, 10**10)},
        {"rule": "energy", "tau": Fraction(1, 10**6)},
        {"rule": "fixed", "rank": rank},
    )
    powers: tuple[Power, ...] = (1, 2)
    return tuple(
        Convention(**base, power=power, normalised=normalised)
        for base in bases
        for power in powers
        for normalised in (False, True)
    )


Number = Any
"""A real number of a type named in :mod:`theory.entropy.entropy`; the functions here never mix two of them."""


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
