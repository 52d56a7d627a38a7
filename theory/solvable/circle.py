r"""Sine features on the circle: every eigenvalue in closed form (ours).

Features ``sin(n x + b)`` with b uniform on a period, integer frequencies ``n >= 1`` with weights ``p_n``,
measure ``dx/2π``. Then ``K(x, y) = ½ Σ p_n cos n(x - y)`` has the eigenvalues ``p_n/4``, each twice (cos nx,
sin nx). For ``∂^m``, AD multiplies them by ``n^{2m}`` and a stencil by ``|Σ_k c_k e^{i s_k n h}|² /
h^{2m}``, symmetric or not, as b is uniform; for the central second difference that is ``(2 sin(nh/2)/h)^4``.

Sign of the entropy gap, for the central differences of even order m on their m + 1 nodes (factor
``sinc^{2m}(nh/2)``, decreasing in n while ``nh <= 2π``), R the largest frequency, ``h <= 2π/R``, for both
powers and for every rank: if ``n^{2m} p_n`` is non-increasing on the support, the ratios FD/AD fall in the
order of both spectra and FD ≻ AD, so ``H_FD <= H_AD`` for *all* such h. If it is non-decreasing *and the FD
eigenvalues still are*, the ratios rise and ``H_FD >= H_AD``; the second condition holds up to a largest
step, since ``t cot t`` decreases on (0, π) and with it every ratio ``sin(n'h/2)/sin(nh/2)``, n' > n.
(Marshall, Olkin and Arnold 2011, 5.B.1.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.entropy.bounds import majorisation_order, ratio_order
from theory.entropy.conventions import Power
from theory.solvable.model import (
    GUARD,
    MAX_TERMS,
    GapSign,
    Interval,
    Listed,
    Method,
    Sign,
    SolvableSpectrum,
    Tail,
    bounds,
    checked_step,
    digits_lost,
    has_sinc_symbol,
    interval_context,
    lift,
)
from theory.stencils import Stencil, central


@dataclass(frozen=True)
class Frequencies:
    """Weights ``p_n`` of the integer frequencies, finitely many or geometric; they need not add up to 1.

    Attributes:
        finite: pairs (n, p_n) with n >= 1 increasing and p_n > 0; empty for the geometric law.
        ratio: q in (0, 1) for ``p_n = q^n``, n >= 1; ``None`` for finitely many.

    Raises:
        InputError: neither or both, or values outside these ranges.
    """

    finite: tuple[tuple[int, Fraction], ...] = ()
    ratio: Fraction | None = None

    def __post_init__(self) -> None:
        if bool(self.finite) == (self.ratio is not None):
            raise InputError("frequencies: give finitely many weights or a ratio; allowed: exactly one of them")
        if self.ratio is not None and not 0 < self.ratio < 1:
            raise InputError(f"ratio: {self.ratio}; allowed: 0 < q < 1")
        for n, p in self.finite:
            if n < 1 or not p > 0:
                raise InputError(f"weights[{n}]: {p}; allowed: frequencies of at least 1, positive weights")
        if any(a[0] >= b[0] for a, b in pairwise(self.finite)):
            raise InputError("weights: the frequencies are not increasing; allowed: distinct, increasing")

    @property
    def largest(self) -> int | None:
        """R, or ``None`` where there is no largest frequency."""
        return self.finite[-1][0] if self.finite else None


def geometric_frequencies(ratio: Fraction) -> Frequencies:
    """``p_n = q^n`` for n >= 1, not normalised."""
    return Frequencies(ratio=Fraction(ratio))


def uniform_frequencies(largest: int) -> Frequencies:
    """``p_n = 1/R`` for n = 1 … R."""
    if largest < 1:
        raise InputError(f"largest: {largest}; allowed: at least 1")
    return Frequencies(tuple((n, Fraction(1, largest)) for n in range(1, largest + 1)))


def frequencies(weights: Mapping[int, Fraction]) -> Frequencies:
    """Finitely many weights by frequency."""
    return Frequencies(tuple((n, Fraction(p)) for n, p in sorted(weights.items())))


@dataclass(frozen=True)
class StepRange:
    """The sign of ``H_FD - H_AD`` is ``sign`` for every h in (0, ``largest``], every rank and both powers."""

    sign: Sign
    largest: Fraction
    reason: str


@dataclass(frozen=True)
class Circle(SolvableSpectrum):
    """The model of this module.

    Attributes:
        law: the weights of the frequencies.
        stencil: in one variable; its derivative is m (default: the central second difference).
    """

    law: Frequencies
    stencil: Stencil = field(default_factory=lambda: central(2))

    @property
    def derivative(self) -> int:
        """m."""
        return self.stencil.derivative

    def ad_mode(self, n: int) -> Fraction:
        """The AD eigenvalue ``n^{2m} p_n / 4`` of cos nx and of sin nx, exact.

        >>> Circle(geometric_frequencies(Fraction(1, 2))).ad_mode(2)
        Fraction(1, 1)
        """
        return self._weight(n) * Fraction(n ** (2 * self.derivative), 4)

    def fd_mode(self, n: int, h: Fraction, digits: int = 30) -> Enclosure:
        """The FD eigenvalue ``p_n |Σ_k c_k e^{i s_k n h}|² / (4 h^{2m})`` of the same two functions."""
        step = checked_step(h, "fd")
        context = interval_context(digits + self._loss(step))
        return bounds(self._fd(context, n, step, lift(context, self._weight(n))))

    def _weight(self, n: int) -> Fraction:
        if self.law.ratio is not None:
            return self.law.ratio**n if n >= 1 else Fraction(0)
        return dict(self.law.finite).get(n, Fraction(0))

    def _loss(self, h: Fraction) -> int:
        """Digits that the sum of cosines loses at nh << 1, and the guard."""
        return GUARD + digits_lost(self.stencil, h)

    def _fd(self, context: Any, n: int, h: Fraction, weight: Interval) -> Interval:
        total = context.mpf(0)
        for delta, c in self._squares.items():
            total += lift(context, c) * context.cos(lift(context, delta * n * h))
        value = total * weight / lift(context, 4 * h ** (2 * self.derivative))
        return context.mpf([max(value.a, context.mpf(0)), value.b])  # a squared modulus is not negative

    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        """Modes in the order of n, doubled; geometric laws stop where the tail is small.

        Raises:
            InputError: an unknown method, or ``fd`` without a positive step.
            PrecisionCapError: more than ``MAX_TERMS`` modes would be needed.
        """
        step = checked_step(h, method)
        if self.law.ratio is not None:
            return self._geometric_listed(method, step, count, digits)
        if method == "ad":
            exact = (self.ad_mode(n) for n, _ in self.law.finite)
            return Listed(tuple(Enclosure(x, x) for x in exact), None, 2)
        context = interval_context(digits + self._loss(step))
        return Listed(tuple(bounds(self._fd(context, n, step, lift(context, p))) for n, p in self.law.finite), None, 2)

    def _geometric_listed(self, method: Method, h: Fraction, count: int, digits: int) -> Listed:
        """In intervals: the exact powers of q would have as many digits as there are modes."""
        last, tail = self._geometric_end(method, h, -(-count // 2), digits)
        context = interval_context(digits + GUARD + (self._loss(h) if method == "fd" else 0))
        q, weight, values = lift(context, self.law.ratio or 0), context.mpf(1), []
        for n in range(1, last + 1):
            weight *= q
            if method == "ad":
                values.append(bounds(weight * n ** (2 * self.derivative) / 4))
            else:
                values.append(bounds(self._fd(context, n, h, weight)))
        return Listed(tuple(values), tail, 2)

    def _geometric_end(self, method: Method, h: Fraction, least: int, digits: int) -> tuple[int, Tail]:
        """N >= ``least`` and the tail beyond it: below ``10**-digits`` of an eigenvalue, term by term geometric."""
        q = self.law.ratio
        assert q is not None
        m2 = 2 * self.derivative
        context = interval_context(15)
        log_q = context.log(lift(context, q))
        peak = max(1, int(bounds(m2 / -log_q).middle))  # near the largest of n^{2m} q^n
        largest = bounds(context.mpf(peak) ** m2 * context.exp(log_q * peak) / 4).lower
        constant = Fraction(1, 4)
        if method == "fd":
            constant = self.stencil.norm1**2 / h**m2 / 4  # |Σ c_k e^{i s_k θ}| <= ‖c‖_1
            precise = interval_context(15 + self._loss(h))
            candidates = {1, 2, 3, min(peak, 1 + int(1 / h))}
            weight = {n: precise.exp(precise.log(lift(precise, q)) * n) for n in candidates}
            largest = max(bounds(self._fd(precise, n, h, weight[n])).lower for n in candidates)
            if not largest > 0:
                raise PrecisionCapError("no finite-difference eigenvalue among the first was certainly positive")
        goal = lift(context, largest) / context.mpf(10) ** digits
        n = max(least, 1)
        while n <= MAX_TERMS:
            ratio = q * Fraction(n + 2, n + 1) ** m2 if method == "ad" else q
            if ratio < 1:
                growth = lift(context, n + 1) ** m2 if method == "ad" else context.mpf(1)
                first = growth * context.exp(log_q * (n + 1)) * lift(context, constant)
                if first / (1 - lift(context, ratio)) < goal:
                    return n, Tail(bounds(first).upper, ratio)
            n += max(1, n // 20)
        raise PrecisionCapError(
            f"more than {MAX_TERMS} modes are needed for {digits} digits at q = {q}; ask for fewer digits"
        )

    def ad_trace(self) -> Fraction:
        """``½ Σ n^{2m} p_n``, exact; ``½ Li_{-2m}(q)`` for the geometric law."""
        if self.law.ratio is None:
            return 2 * sum((self.ad_mode(n) for n, _ in self.law.finite), Fraction(0))
        return polylogarithm(2 * self.derivative, self.law.ratio) / 2

    def fd_trace(self, h: Fraction, digits: int = 30) -> Enclosure:
        """``½ Σ_δ C_δ G(δh) / h^{2m}`` with ``G(t) = Σ_{n>=0} q^n cos nt`` in closed form; a sum for finite laws.

        For the central second difference: ``½ [6/(1-q) - 8 G(h) + 2 G(2h)] / h^4``.
        """
        step = checked_step(h, "fd")
        context = interval_context(digits + self._loss(step))
        if self.law.ratio is None:
            values = [self._fd(context, n, step, lift(context, p)) for n, p in self.law.finite]
            return bounds(2 * sum(values, context.mpf(0)))
        q = lift(context, self.law.ratio)
        total = context.mpf(0)
        for delta, c in self._squares.items():  # the terms n = 0 cancel: Σ_δ C_δ = 0 for m >= 1
            cosine = context.cos(lift(context, delta * step))
            total += lift(context, c) * (1 - q * cosine) / (1 - 2 * q * cosine + q * q)
        if self.derivative == 0:
            total -= lift(context, sum(self._squares.values(), Fraction(0)))
        return bounds(total / lift(context, 2 * step ** (2 * self.derivative)))

    def step_range(self, digits: int = 20) -> StepRange:
        """The steps for which ratio majorisation alone decides the sign of the gap, for finitely many frequencies.

        Raises:
            NonexistenceError: infinitely many frequencies, a symbol that is not ``sinc^m`` with m even, or
                ``n^{2m} p_n`` neither non-increasing nor non-decreasing on the support.
        """
        modes = [(n, self.ad_mode(n)) for n, _ in self.law.finite]
        if not modes or not has_sinc_symbol(self.stencil):
            raise NonexistenceError(
                "step range: allowed: finitely many frequencies and a central stencil with the symbol sinc^m, m even"
            )
        context = interval_context(digits + GUARD)
        turn = bounds(2 * context.pi / modes[-1][0]).lower
        if len(modes) == 1:
            return StepRange(0, turn, "one frequency: two equal eigenvalues, before and after")
        if all(a[1] >= b[1] for a, b in pairwise(modes)):
            return StepRange(-1, turn, "n^{2m} p_n is non-increasing: FD majorises AD for every h <= 2π/R")
        if not all(a[1] <= b[1] for a, b in pairwise(modes)):
            raise NonexistenceError("step range: n^{2m} p_n is neither non-increasing nor non-decreasing in n")
        low, high = Fraction(0), turn
        if self._fd_rises(context, turn):
            low = turn
        while high - low > turn / 10**digits and low < turn:
            middle = (low + high) / 2
            if self._fd_rises(context, middle):
                low = middle
            else:
                high = middle
        reason = "n^{2m} p_n and the FD eigenvalues are non-decreasing in n: AD majorises FD up to this step"
        return StepRange(1, low, reason)

    @cached_property
    def _decided_steps(self) -> StepRange:
        return self.step_range()

    def _fd_rises(self, context: Any, h: Fraction) -> bool:
        """Whether the FD eigenvalues are certainly non-decreasing in n: ``p_n sin^{2m}(nh/2)``."""
        values = []
        for n, p in self.law.finite:
            s = context.sin(lift(context, n * h / 2))
            values.append(lift(context, p) * s ** (2 * self.derivative))
        return all(b >= a for a, b in pairwise(values))

    def gap_sign(self, h: Fraction, *, power: Power = 1, rank: int | None = None, digits: int = 60) -> GapSign:
        """The sign of the gap: equal spectra, then ratio majorisation, majorisation, enclosures.

        Raises:
            InputError: as :meth:`entropy`.
        """
        step = checked_step(h, "fd")
        if rank is not None and 1 <= rank <= 2:
            return GapSign(0, "equal spectra", "the largest eigenvalue is double: log r for both")
        if self.law.ratio is None:
            known = self._by_majorisation(step, rank)
            if known is not None:
                return known
        return super().gap_sign(step, power=power, rank=rank, digits=digits)

    def _by_majorisation(self, h: Fraction, rank: int | None) -> GapSign | None:
        if len(self.law.finite) == 1:
            return GapSign(0, "equal spectra", "one frequency: two equal eigenvalues, before and after")
        try:
            known = self._decided_steps
        except NonexistenceError:
            known = None
        if known is not None and h <= known.largest:
            return GapSign(known.sign, "ratio majorisation", known.reason)
        context = interval_context(30 + self._loss(h))
        order = sorted(self.law.finite, key=lambda mode: self.ad_mode(mode[0]), reverse=True)
        ad = [lift(context, self.ad_mode(n)) for n, _ in order]
        fd = [self._fd(context, n, h, lift(context, p)) for n, p in order]
        if all(a >= b for a, b in pairwise(fd)):  # both descend in the same order of frequencies
            sign = ratio_order(ad, fd).entropy_sign
            if sign is not None:
                return GapSign(_sign(sign), "ratio majorisation", "the ratios FD/AD are monotone in the common order")
        if rank is None:
            spectrum = Listed(tuple(bounds(x) for x in fd)).largest(len(fd))
            sign = majorisation_order(ad, [lift(context, x) for x in spectrum]).entropy_sign
            # Majorisation of eigenvalues orders the entropy of power 2 only: squares are not powers of them.
            if sign is not None:
                return self._checked_power(sign, ad, spectrum, context)
        return None

    def _checked_power(self, sign: int, ad: list[Interval], fd: list[Enclosure], context: Any) -> GapSign | None:
        """Majorisation of the singular values too, so that the sign holds for both powers."""
        roots = [context.sqrt(x) for x in ad], [context.sqrt(lift(context, x)) for x in fd]
        if majorisation_order(*roots).entropy_sign != sign:
            return None
        reason = "the normalised eigenvalues and singular values majorise one another"
        return GapSign(_sign(sign), "majorisation", reason)


def _sign(value: int) -> Sign:
    return 1 if value > 0 else -1 if value < 0 else 0


def polylogarithm(order: int, q: Fraction) -> Fraction:
    """``Li_{-s}(q) = Σ_{n>=1} n^s q^n`` for an integer s >= 0, exact: Eulerian numbers over ``(1-q)^{s+1}``.

    Raises:
        InputError: s < 0 or ``|q| >= 1``.

    >>> polylogarithm(1, Fraction(1, 2)), polylogarithm(4, Fraction(1, 2))
    (Fraction(2, 1), Fraction(150, 1))
    """
    if order < 0 or not abs(q) < 1:
        raise InputError(f"order, q: {order}, {q}; allowed: order >= 0 and |q| < 1")
    if order == 0:
        return q / (1 - q)
    row = [1]
    for s in range(2, order + 1):
        row = [(k + 1) * (row[k] if k < len(row) else 0) + (s - k) * (row[k - 1] if k else 0) for k in range(s)]
    return q * sum((a * q**k for k, a in enumerate(row)), Fraction(0)) / (1 - q) ** (order + 1)
