"""Piecewise polynomials with rational breakpoints: exact integrals, signs and integrals of absolute values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from theory.enclosures import Enclosure
from theory.errors import InputError
from theory.realroots import Interval, integer_polynomial, isolate, odd_part, sharpen, sign_on

Coefficients = tuple[Fraction, ...]
"""Ascending coefficients of a polynomial in ``t``."""


def evaluate(p: Coefficients, t: Fraction) -> Fraction:
    """``p(t)`` by Horner's rule."""
    total = Fraction(0)
    for c in reversed(p):
        total = total * t + c
    return total


def antiderivative(p: Coefficients) -> Coefficients:
    """The antiderivative that vanishes at 0."""
    return (Fraction(0), *(c / (i + 1) for i, c in enumerate(p)))


@dataclass(frozen=True)
class PiecewisePolynomial:
    """A function that is ``pieces[i]`` between ``breakpoints[i]`` and ``breakpoints[i+1]``, and 0 outside.

    Attributes:
        breakpoints: ``n + 1`` ascending rationals.
        pieces: ``n`` polynomials in ``t`` (not in ``t`` less a breakpoint), ascending coefficients.
    """

    breakpoints: tuple[Fraction, ...]
    pieces: tuple[Coefficients, ...]

    def __post_init__(self) -> None:
        if len(self.breakpoints) != len(self.pieces) + 1 or list(self.breakpoints) != sorted(set(self.breakpoints)):
            raise InputError("piecewise: n pieces need n + 1 ascending breakpoints")

    def __call__(self, t: Fraction | int) -> Fraction:
        """The value at ``t``; at a breakpoint, that of the piece on its left (0 at the first)."""
        for (a, b), p in zip(pairwise(self.breakpoints), self.pieces, strict=True):
            if a < t <= b:
                return evaluate(p, Fraction(t))
        return Fraction(0)

    def moment(self, power: int = 0) -> Fraction:
        """``∫ t^power K(t) dt``, exact."""
        total = Fraction(0)
        for a, b, p in self._spans():
            q = antiderivative((Fraction(0),) * power + p)
            total += evaluate(q, b) - evaluate(q, a)
        return total

    @property
    def integral(self) -> Fraction:
        """``∫ K``, exact."""
        return self.moment(0)

    @property
    def sign(self) -> int | None:
        """1 if ``K >= 0`` throughout, -1 if ``K <= 0``, 0 if it vanishes, None if it takes both signs; exact."""
        signs = {sign_on(integer_polynomial(p), a, b) for a, b, p in self._spans()} - {0}
        if not signs:
            return 0
        return signs.pop() if len(signs) == 1 else None

    def sign_changes(self) -> tuple[Interval, ...]:
        """Brackets of the zeros inside pieces at which the sign changes; ``(r, r)`` where ``r`` is exact.

        Changes of sign across a breakpoint are not listed.
        """
        return tuple(root for a, b, p in self._spans() for root in _changes(p, a, b))

    def absolute_integral(self) -> Enclosure:
        """``∫ |K|``: exact when every change of sign is at a rational of moderate height, else enclosed.

        The brackets of the changes have a relative width of 2^-96, so the enclosure about 2^-190.
        """
        total = Enclosure.exact(0)
        for a, b, p in self._spans():
            q = antiderivative(p)
            left = a
            for lo, hi in _changes(p, a, b):
                total += Enclosure.exact(abs(evaluate(q, lo) - evaluate(q, left)))
                if lo != hi:
                    # p vanishes in the bracket, so there |p| <= width * max|p'|
                    total += Enclosure(Fraction(0), (hi - lo) ** 2 * _derivative_bound(p, lo, hi))
                left = hi
            total += Enclosure.exact(abs(evaluate(q, b) - evaluate(q, left)))
        return total.rounded(192)

    def _spans(self) -> Iterator[tuple[Fraction, Fraction, Coefficients]]:
        for (a, b), p in zip(pairwise(self.breakpoints), self.pieces, strict=True):
            yield a, b, p


def _changes(p: Coefficients, a: Fraction, b: Fraction) -> list[Interval]:
    q = integer_polynomial(p)
    if len(q) < 2:
        return []
    odd = odd_part(q)
    return [sharpen(odd, root) for root in isolate(odd, a, b)]


def _derivative_bound(p: Coefficients, lo: Fraction, hi: Fraction) -> Fraction:
    size = max(abs(lo), abs(hi))
    return sum((abs(i * c) * size ** (i - 1) for i, c in enumerate(p) if i), Fraction(0))
