"""Entropy conventions: how a spectrum becomes one number (ours). Imports the standard library alone.

A convention is a cut-off rule with its threshold τ, a power q of the singular values and whether the entropy
is divided by ``log r``; :mod:`theory.entropy` evaluates it. No two conventions give comparable numbers, so
every report names its own by :attr:`Convention.label`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

from theory.errors import InputError
from theory.exact import rational, spell

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
    """A power of ten as ``1e-12``, any other rational as :func:`theory.exact.spell` writes it."""
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
