"""Real roots of univariate polynomials with rational coefficients, exactly: integers only.

Polynomials are tuples of coefficients in ascending order. Roots are isolated by bisection with Descartes' rule
of signs (Vincent, Collins and Akritas; Collins and Akritas, *Polynomial real root isolation using Descartes'
rule of signs*, 1976); multiplicities come from Yun's square-free factorisation (1976).

Piecewise polynomials with rational breakpoints: exact integrals, signs and integrals of absolute values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError

Polynomial = tuple[int, ...]
"""Integer coefficients, ascending, without leading zeros; the zero polynomial is ``()``."""
Interval = tuple[Fraction, Fraction]
"""An open interval with one root in it, or a point ``(r, r)`` that is a root."""

_PRIME = (1 << 61) - 1
_EXACT_BITS = 96
"""A root is refined to this many bits (relative to its bracket) before it is tested for being rational."""


def integer_polynomial(coefficients: Sequence[Fraction | int]) -> Polynomial:
    """The primitive integer polynomial that is a positive multiple of the one given.

    >>> integer_polynomial([Fraction(1, 2), Fraction(-1, 3), 0])
    (3, -2)
    """
    q = lcm(*(Fraction(c).denominator for c in coefficients)) if coefficients else 1
    return primitive([int(c * q) for c in coefficients])


def primitive(p: Sequence[int]) -> Polynomial:
    """``p`` without leading zeros, divided by the (positive) content."""
    n = len(p)
    while n and p[n - 1] == 0:
        n -= 1
    g = gcd(*p[:n])
    return tuple(c // g for c in p[:n])


def differentiate(p: Sequence[int]) -> Polynomial:
    """The derivative, made primitive by a positive factor."""
    return primitive([i * c for i, c in enumerate(p)][1:])


def sign_at(p: Sequence[int], x: Fraction) -> int:
    """The sign of ``p(x)``: -1, 0 or 1."""
    total, power = 0, 1
    for c in reversed(p):
        total = total * x.numerator + c * power
        power *= x.denominator
    return (total > 0) - (total < 0)


def _remainder(p: Sequence[int], q: Sequence[int]) -> Polynomial:
    """A positive multiple of the remainder of ``p`` by ``q``, primitive."""
    r, lead, n = list(p), q[-1], len(q)
    while len(r) >= n:
        top = r.pop()
        if top:
            g = gcd(top, lead)
            a, b = abs(lead) // g, top // g * (1 if lead > 0 else -1)
            shift = len(r) - n + 1
            r = [a * c for c in r]
            for i in range(n - 1):
                r[shift + i] -= b * q[i]
    return primitive(r)


def _coprime_modulo(p: Sequence[int], q: Sequence[int]) -> bool:
    """A sufficient test of coprimality: Euclid modulo a prime that divides neither leading coefficient."""
    a, b = [c % _PRIME for c in p], [c % _PRIME for c in q]
    if not a[-1] or not b[-1]:
        return False
    while b:
        inverse = pow(b[-1], -1, _PRIME)
        while len(a) >= len(b):
            factor = a.pop() * inverse % _PRIME
            if factor:
                shift = len(a) - len(b) + 1
                for i in range(len(b) - 1):
                    a[shift + i] = (a[shift + i] - factor * b[i]) % _PRIME
        while a and not a[-1]:
            a.pop()
        a, b = b, a
    return len(a) == 1


def greatest_common_divisor(p: Sequence[int], q: Sequence[int]) -> Polynomial:
    """The primitive gcd with a positive leading coefficient (primitive remainder sequence)."""
    a, b = primitive(p), primitive(q)
    if a and b and _coprime_modulo(a, b):
        return (1,)
    while b:
        a, b = b, _remainder(a, b)
    return tuple(-c for c in a) if a and a[-1] < 0 else a


def divide(p: Sequence[int], q: Sequence[int]) -> Polynomial:
    """The primitive quotient of ``p`` by its exact divisor ``q``, up to a positive factor if ``q`` leads so."""
    r, n = [Fraction(c) for c in p], len(q)
    quotient: list[Fraction] = []
    while len(r) >= n:
        factor = r.pop() / q[-1]
        quotient.append(factor)
        shift = len(r) - n + 1
        for i in range(n - 1):
            r[shift + i] -= factor * q[i]
    if any(r):
        raise ArithmeticError("the division is not exact")
    return integer_polynomial(quotient[::-1])


def square_free(p: Sequence[int]) -> list[tuple[Polynomial, int]]:
    """Yun's factorisation of a non-zero ``p``: pairs (square-free factor, multiplicity), pairwise coprime.

    >>> square_free((0, 0, -1, 1))  # x^2 (x - 1)
    [((-1, 1), 1), ((0, 1), 2)]
    """
    p = primitive(p)
    if len(p) < 2:
        return []
    common = greatest_common_divisor(p, differentiate(p))
    rest = divide(p, common)
    factors, multiplicity = [], 1
    while len(rest) > 1:
        # what `rest` and `common` share are the roots of higher multiplicity
        shared = greatest_common_divisor(rest, common)
        factor = divide(rest, shared)
        if len(factor) > 1:
            factors.append((factor, multiplicity))
        rest, common = shared, divide(common, shared)
        multiplicity += 1
    return factors


def odd_part(p: Sequence[int]) -> Polynomial:
    """The square-free polynomial whose roots are the roots of odd multiplicity of a non-zero ``p``."""
    product: Polynomial = (1,)
    for factor, multiplicity in square_free(p):
        if multiplicity % 2:
            product = _multiply(product, factor)
    return product


def _multiply(p: Sequence[int], q: Sequence[int]) -> Polynomial:
    product = [0] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            product[i + j] += a * b
    return tuple(product)


def _shift_by_one(p: Sequence[int]) -> list[int]:
    """Coefficients of ``p(x + 1)``."""
    r = list(p)
    for i in range(len(r) - 1):
        for j in range(len(r) - 2, i - 1, -1):
            r[j] += r[j + 1]
    return r


def _variations(p: Sequence[int]) -> int:
    signs = [c > 0 for c in p if c]
    return sum(a != b for a, b in pairwise(signs))


def to_unit_interval(p: Sequence[int], a: Fraction, b: Fraction) -> Polynomial:
    """A positive multiple of ``p(a + (b - a) x)``."""
    result: list[Fraction] = []
    for c in reversed(p):  # Horner with the linear polynomial a + (b - a) x
        shifted = [Fraction(0), *(r * (b - a) for r in result)]
        for i, r in enumerate(result):
            shifted[i] += r * a
        shifted[0] += c
        result = shifted
    return integer_polynomial(result)


def isolate(p: Sequence[int], a: Fraction, b: Fraction) -> list[Interval]:
    """The roots of a square-free ``p`` in the open interval ``(a, b)``, ascending, one an interval.

    Points ``(r, r)`` are exact; open intervals are disjoint and lie within ``(a, b)``.

    >>> isolate((-2, 0, 1), Fraction(0), Fraction(2))
    [(Fraction(0, 1), Fraction(2, 1))]
    """
    found: list[Interval] = []
    # (polynomial on the unit interval, its left end and width in (0, 1))
    stack = [(to_unit_interval(p, a, b), Fraction(0), Fraction(1))]
    while stack:
        q, left, width = stack.pop()
        if q and q[0] == 0:  # a root at the left end belongs to another interval, or is outside
            q = q[1:]
        if len(q) < 2:
            continue
        variations = _variations(_shift_by_one(q[::-1]))
        if variations == 0:
            continue
        if variations == 1:
            found.append((left, left + width))
            continue
        n, half = len(q) - 1, width / 2
        lower = tuple(c << (n - i) for i, c in enumerate(q))  # 2^n q(x / 2)
        upper = tuple(_shift_by_one(lower))
        if upper[0] == 0:
            found.append((left + half, left + half))
        stack += [(lower, left, half), (upper, left + half, half)]
    return [(a + (b - a) * lo, a + (b - a) * hi) for lo, hi in sorted(found)]


def refine(p: Sequence[int], bracket: Interval, width: Fraction) -> Interval:
    """The bracket of a root of a square-free ``p``, bisected until no wider than ``width``."""
    lo, hi = bracket
    if lo == hi:
        return bracket
    left = sign_at(p, lo) or sign_at(differentiate(p), lo)  # the sign just after lo
    while hi - lo > width:
        middle = (lo + hi) / 2
        sign = sign_at(p, middle)
        if sign == 0:
            return middle, middle
        lo, hi = (middle, hi) if sign == left else (lo, middle)
    return lo, hi


def simplest_between(lo: Fraction, hi: Fraction) -> Fraction:
    """The rational of least denominator in the closed interval (Stern and Brocot).

    >>> simplest_between(Fraction(31, 100), Fraction(35, 100))
    Fraction(1, 3)
    """
    floor = lo.numerator // lo.denominator
    if floor == lo:
        return lo
    if floor + 1 <= hi:
        return Fraction(floor + 1)
    return floor + 1 / simplest_between(1 / (hi - floor), 1 / (lo - floor))


def sharpen(p: Sequence[int], bracket: Interval) -> Interval:
    """The bracket refined, and the exact point when the root is a rational of moderate height."""
    lo, hi = refine(p, bracket, (bracket[1] - bracket[0]) / 2**_EXACT_BITS)
    candidate = simplest_between(lo, hi)
    return (candidate, candidate) if sign_at(p, candidate) == 0 else (lo, hi)


def sign_on(p: Sequence[int], a: Fraction, b: Fraction) -> int | None:
    """The sign that ``p`` keeps on ``(a, b)`` (zeros allowed; 0 for the zero polynomial), None if it changes."""
    p = primitive(p)
    if not p:
        return 0
    if isolate(odd_part(p), a, b):
        return None
    # p is of one sign with finitely many zeros, so one of deg p + 1 interior points shows the sign
    n = len(p) + 1
    return next(s for i in range(1, n + 1) if (s := sign_at(p, a + (b - a) * Fraction(i, n + 1))))


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
