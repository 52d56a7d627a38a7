"""What the exactly solvable models share: enclosures, tails, entropies of infinite spectra, the sign of the gap.

A model lists enclosures of some eigenvalues of its kernel and bounds all the others by a geometric tail;
that is enough for two-sided bounds on the entropy of the whole, infinite spectrum. Interval arithmetic is
``mpmath.iv`` in a context of its own, so that no process-global precision is read or set; its elementary
functions are evaluated with the guard digits of :data:`GUARD` and rounded outward.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import comb
from typing import Any, ClassVar, Literal

from mpmath.ctx_iv import MPIntervalContext

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Power
from theory.stencils import Stencil

Method = Literal["ad", "fd"]
"""Automatic or finite differentiation."""
Sign = Literal[-1, 0, 1]
Interval = Any
"""A number of an ``mpmath`` interval context."""
GUARD = 12
"""Digits carried beyond those asked for."""
MAX_TERMS = 20000
"""Most eigenvalues listed one by one."""


@dataclass(frozen=True)
class GapSign:
    """The sign of ``H_FD - H_AD``, with the reason.

    Attributes:
        sign: -1, 0, 1, or ``None`` where undecided.
        route: ``"ratio majorisation"``, ``"majorisation"``, ``"enclosures"``, ``"equal spectra"`` or
            ``"undecided"``.
        reason: one line.
    """

    sign: Sign | None
    route: str
    reason: str


@dataclass(frozen=True)
class Tail:
    """The j-th largest of the eigenvalues not listed (j from 0) is at most ``first * ratio**j``.

    Raises:
        InputError: a negative first value, or a ratio outside [0, 1).
    """

    first: Fraction
    ratio: Fraction

    def __post_init__(self) -> None:
        if self.first < 0 or not 0 <= self.ratio < 1:
            raise InputError(f"tail: first {self.first}, ratio {self.ratio}; allowed: first >= 0, 0 <= ratio < 1")


@dataclass(frozen=True)
class Listed:
    """Some eigenvalues of a positive operator and a bound on all the others.

    Attributes:
        values: enclosures, in any order.
        tail: bounds the rest; ``None`` when there is none.
        multiplicity: every eigenvalue, listed or not, stands for so many.
    """

    values: tuple[Enclosure, ...]
    tail: Tail | None = None
    multiplicity: int = 1

    def largest(self, count: int) -> list[Enclosure]:
        """Enclosures of the ``count`` largest eigenvalues with their multiplicities, descending.

        The k-th largest is monotone in every eigenvalue, so the sorted lower and the sorted upper ends
        enclose it.

        Raises:
            InputError: fewer eigenvalues exist.
            PrecisionCapError: an eigenvalue of the tail might be among them.
        """
        single = -(-count // self.multiplicity)
        if single > len(self.values):
            if self.tail is None:
                limit = len(self.values) * self.multiplicity
                raise InputError(f"count: {count}; allowed: at most {limit}, the number of eigenvalues")
            raise PrecisionCapError(f"{count} eigenvalues are asked for and {len(self.values)} were enclosed")
        lowers = sorted((value.lower for value in self.values), reverse=True)[:single]
        uppers = sorted((value.upper for value in self.values), reverse=True)[:single]
        if self.tail is not None and single and self.tail.first > lowers[-1]:
            raise PrecisionCapError(f"the tail is not below the {count} largest eigenvalues; ask for more digits")
        pairs = [Enclosure(a, b) for a, b in zip(lowers, uppers, strict=True)]
        return [pair for pair in pairs for _ in range(self.multiplicity)][:count]


@lru_cache(maxsize=64)
def interval_context(digits: int) -> Any:
    """The ``mpmath`` interval context with ``digits`` decimal digits: shared, since making one takes milliseconds."""
    context = MPIntervalContext()
    context.dps = digits
    return context


def lift(context: Any, value: Enclosure | Fraction | int) -> Interval:
    """The exact number or enclosure, rounded outward into the context."""
    if isinstance(value, Enclosure):
        lower, upper = lift(context, value.lower), lift(context, value.upper)
        return context.mpf([lower.a, upper.b])
    fraction = Fraction(value)
    return context.mpf(fraction.numerator) / fraction.denominator


def bounds(interval: Interval) -> Enclosure:
    """The two ends of an interval, exactly."""
    lower, upper = (_rational(end) for end in interval._mpi_)
    return Enclosure(lower, upper)


def _rational(raw: tuple[int, int, int, int]) -> Fraction:
    sign, mantissa, exponent, _ = raw
    if not mantissa and exponent:
        raise PrecisionCapError("an interval is unbounded; more digits are needed")
    value = Fraction(int(mantissa)) * Fraction(2) ** exponent
    return -value if sign else value


def entropy_term(context: Any, x: Interval) -> Interval:
    """``-x log x`` on an interval in [0, ∞), by monotonicity on either side of 1/e (0 at 0)."""

    def at(point: Interval) -> Interval:
        return -point * context.log(point) if point > 0 else context.mpf(0)

    low, high = at(x.a), at(x.b)
    top = context.exp(context.mpf(-1))
    if x.b <= top or x.a >= top:
        return context.mpf([min(low.a, high.a), max(low.b, high.b)])
    return context.mpf([min(low.a, high.a), top.b])


def listed_entropy(listed: Listed, power: Power, rank: int | None, digits: int) -> Enclosure:
    """Two-sided bounds on the entropy of a spectrum given by enclosures and a tail.

    Eigenvalues are squares of singular values: ``p ∝ λ^(q/2)``.

    Args:
        listed: the eigenvalues.
        power: q.
        rank: the ``rank`` largest eigenvalues alone; ``None`` for all of them.
        digits: working digits.

    Raises:
        InputError: a rank below 1 or above the number of eigenvalues, or no positive eigenvalue.
        PrecisionCapError: the tail is not small enough for the number of eigenvalues listed.
    """
    context = interval_context(digits + GUARD)
    tail, multiplicity = listed.tail, listed.multiplicity
    values = list(listed.values)
    if rank is not None:
        if rank < 1:
            raise InputError(f"rank: {rank}; allowed: at least 1")
        values, tail, multiplicity = listed.largest(rank), None, 1
    scale = max(value.upper for value in values)
    if not any(value.lower > 0 for value in values):
        raise InputError("spectrum: no eigenvalue is certainly positive; no entropy exists")
    weights = []
    for value in values:
        x = lift(context, Enclosure(max(value.lower, Fraction(0)) / scale, max(value.upper, Fraction(0)) / scale))
        weights.append(context.sqrt(x) if power == 1 else x)
    total = sum(weights, context.mpf(0))
    terms = sum((entropy_term(context, x) for x in weights), context.mpf(0))
    if tail is not None and tail.first:
        first, ratio = lift(context, tail.first / scale), lift(context, tail.ratio)
        if power == 1:
            first, ratio = context.sqrt(first), context.sqrt(ratio)
        if not first < context.exp(context.mpf(-1)) or not ratio < 1:
            raise PrecisionCapError("the tail of the spectrum is not small; ask for more digits")
        # Σ_j x_j and Σ_j -x_j log x_j for x_j = first * ratio^j; -x log x increases below 1/e.
        mass = first / (1 - ratio)
        logs = context.log(first) + (context.log(ratio) * ratio / (1 - ratio) if ratio > 0 else 0)
        total += context.mpf([0, mass.b])
        terms += context.mpf([0, (-mass * logs).b])
    return bounds(context.log(total * multiplicity) + terms / total)


def squared_symbol(stencil: Stencil) -> dict[Fraction, Fraction]:
    """``{δ: C_δ}`` with ``|Σ_k c_k e^{i s_k θ}|² = Σ_δ C_δ cos(δθ)``, δ >= 0; one variable, exact.

    >>> from theory.stencils import central
    >>> squared_symbol(central(2))
    {Fraction(0, 1): Fraction(6, 1), Fraction(1, 1): Fraction(-8, 1), Fraction(2, 1): Fraction(2, 1)}
    """
    result: dict[Fraction, Fraction] = {}
    pairs = list(zip(stencil.offsets, stencil.weights, strict=True))
    for s, c in pairs:
        for t, d in pairs:
            result[abs(s - t)] = result.get(abs(s - t), Fraction(0)) + c * d
    return {delta: value for delta, value in sorted(result.items()) if value}


def digits_lost(stencil: Stencil, h: Fraction) -> int:
    """Decimal digits that cancel in a squared symbol over ``h^{2m}``, at nh << 1."""
    return 2 * stencil.derivative * max(0, len(str(h.denominator)) - len(str(h.numerator)) + 1)


def has_sinc_symbol(stencil: Stencil) -> bool:
    """Whether the symbol is ``sinc^m(θ/2)``, m even and positive: m + 1 nodes, central, unit spacing."""
    m = stencil.derivative
    if m % 2 or m == 0:
        return False
    wanted = {Fraction(k - m // 2): Fraction((-1) ** k * comb(m, k)) for k in range(m + 1)}
    return dict(zip(stencil.offsets, stencil.weights, strict=True)) == wanted


def checked_step(h: Fraction | None, method: Method) -> Fraction:
    """The step, which ``fd`` needs and ``ad`` ignores (0 then).

    Raises:
        InputError: an unknown method, or ``fd`` without a positive step.
    """
    if method not in ("ad", "fd"):
        raise InputError(f"method: {method!r}; allowed: ad, fd")
    if method == "ad":
        return Fraction(0)
    if h is None or not h > 0:
        raise InputError(f"h: {h}; allowed: a positive rational")
    return Fraction(h)


class SolvableSpectrum(ABC):
    """A kernel whose AD and FD eigenvalues are known exactly or enclosed to any number of digits.

    A model implements :meth:`listed`; everything else follows. Eigenvalues are those of the kernels ``K_AD``
    and ``K_FD`` (squares of singular values).
    """

    first_digits: ClassVar[int] = 3
    """Of the enclosures that :meth:`gap_sign` tries first; doubled until they decide."""

    stencil: Stencil
    """In one variable; its derivative is m."""

    @cached_property
    def _squares(self) -> dict[Fraction, Fraction]:
        """The squared symbol of the stencil."""
        return squared_symbol(self.stencil)

    @abstractmethod
    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        """Enclosures of at least ``count`` eigenvalues (of all, if there are fewer) and a tail.

        The tail's sum is below ``10**-digits`` of the largest eigenvalue.
        """

    def ad_eigenvalues(self, count: int, digits: int = 30) -> list[Enclosure]:
        """The ``count`` largest eigenvalues of ``K_AD``, descending."""
        return self._largest("ad", None, count, digits)

    def fd_eigenvalues(self, count: int, h: Fraction, digits: int = 30) -> list[Enclosure]:
        """The ``count`` largest eigenvalues of ``K_FD``, descending."""
        return self._largest("fd", h, count, digits)

    def _largest(self, method: Method, h: Fraction | None, count: int, digits: int) -> list[Enclosure]:
        if count < 1 or digits < 1:
            raise InputError(f"count, digits: {count}, {digits}; allowed: at least 1")
        for more in (0, digits, 3 * digits):
            try:
                return self.listed(method, h, count, digits + more).largest(count)
            except PrecisionCapError:
                continue
        return self.listed(method, h, count, 8 * digits).largest(count)

    def entropy(
        self,
        method: Method,
        h: Fraction | None = None,
        *,
        power: Power = 1,
        rank: int | None = None,
        digits: int = 20,
    ) -> Enclosure:
        """Enclosure on the entropy of the whole spectrum, or of its ``rank`` largest singular values.

        Args:
            method: ``"ad"`` or ``"fd"``.
            h: the step, for ``fd``.
            power: q; the probabilities are ``λ^(q/2)`` normalised.
            rank: a cut-off number, or ``None`` for the whole spectrum.
            digits: the width is about ``10**-digits``, a few digits more or less.

        Raises:
            InputError: arguments that are not allowed.
            PrecisionCapError: more eigenvalues or digits would be needed than the cap.
        """
        if power not in (1, 2):
            raise InputError(f"power: {power!r}; allowed: 1, 2")
        needed = digits if power == 2 else 2 * digits  # square roots halve the digits of a tail
        listed = self.listed(method, h, rank or 1, needed)
        return listed_entropy(listed, power, rank, needed)

    def gap(self, h: Fraction, *, power: Power = 1, rank: int | None = None, digits: int = 20) -> Enclosure:
        """Enclosure on ``H_FD - H_AD``; see :meth:`entropy`."""
        fd = self.entropy("fd", h, power=power, rank=rank, digits=digits)
        return fd - self.entropy("ad", power=power, rank=rank, digits=digits)

    def gap_sign(self, h: Fraction, *, power: Power = 1, rank: int | None = None, digits: int = 60) -> GapSign:
        """The sign of ``H_FD - H_AD``, proven or ``None``; ``digits`` caps the enclosures."""
        used = self.first_digits
        while True:
            used = min(used, digits)
            difference = self.gap(h, power=power, rank=rank, digits=used)
            if difference.sign() is not None:
                reason = f"H_FD - H_AD lies in [{float(difference.lower):.6g}, {float(difference.upper):.6g}]"
                return GapSign(difference.sign(), "enclosures", reason)
            if used == digits:
                reason = f"the enclosures of the entropies overlap at {digits} digits"
                return GapSign(None, "undecided", reason)
            used *= 2
