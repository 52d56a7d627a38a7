"""The trapezoidal rule for normal laws on a rational lattice, in fixed-point integers.

With rational points and parameters, w·x + b takes values in a lattice when (w, b) does, so that the activation is
evaluated once per lattice value and everything else is integer arithmetic: two orders of magnitude faster than
multiprecision floating point.  The lattice may be rotated by a rational angle, which gives an independent rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, lcm
from typing import Any

from mpmath import mp

from theory.kernels.coordinates import spread
from theory.laws import Law
from theory.quadrature import real

Number = Any
Angle = tuple[Fraction, Fraction]
STRAIGHT: Angle = (Fraction(1), Fraction(0))
ROTATED: Angle = (Fraction(4, 5), Fraction(3, 5))


@dataclass(frozen=True)
class Feature:
    """Σ coefficient · w^order · σ⁽ᵒʳᵈᵉʳ⁾(w·(point) + b), such as Lφ or L_hφ at one point.

    Attributes:
        terms: (order, point, coefficient), all exact.
    """

    terms: tuple[tuple[int, Fraction, Fraction], ...]


def spacing(level: int) -> Fraction:
    """The step of a level, in standard deviations: 1/3, 1/4, 1/6, 1/8, 1/11, … for 3, 4, 5, …"""
    return Fraction(1, max(1, isqrt(2**level + isqrt(2**level))))


def pair_count(level: int, bits: int) -> int:
    """How many pairs of nodes :func:`means` visits."""
    reach2 = 2 * 0.6931 * bits / float(spacing(level)) ** 2
    return int(3.1416 * reach2)


def value_count(weight: Law, bias: Law, point: Fraction, level: int, bits: int) -> int:
    """At most so many values of w·point + b occur on the straight lattice."""
    first, second = point * _root(spread(weight)[1]), _root(spread(bias)[1])
    common = lcm(first.denominator, second.denominator)
    reach = math.sqrt(2 * 0.6931 * bits) / float(spacing(level))
    return int(2 * reach * math.hypot(int(first * common), int(second * common))) + 1


def means(
    derivatives: Callable[[Number, int], Sequence[Number]],
    weight: Law,
    bias: Law,
    products: Sequence[tuple[Feature, Feature]],
    level: int,
    angle: Angle = STRAIGHT,
) -> list[Number]:
    """E left(w, b) right(w, b) for each pair of features, w and b normal or constant, in the current precision.

    Args:
        derivatives: (u, n) ↦ σ(u), σ′(u), …, σ⁽ⁿ⁾(u) at an mpmath number.
        weight, bias: the laws.
        products: pairs of features.
        level: the step is :func:`spacing` of it.
        angle: rational (cos, sin) by which the lattice is turned.
    """
    bits = int(mp.prec) + 20
    h = spacing(level)
    (mw, vw), (mb, vb) = spread(weight), spread(bias)
    sw, sb = _root(vw), _root(vb)
    c, s = angle
    features = list(dict.fromkeys(f for pair in products for f in pair))
    chosen = [(features.index(left), features.index(right)) for left, right in products]
    points = sorted({point for f in features for _, point, _ in f.terms})
    top = {p: max(order for f in features for order, q, _ in f.terms if q == p) for p in points}
    tables = {p: _Table(derivatives, top[p], p * mw + mb, h * (p * sw * c + sb * s), h * (sb * c - p * sw * s), bits)
              for p in points}  # fmt: skip
    # w = mw + h sw (c p − s q): on a straight lattice it is constant in the inner loop
    w0, wp, wq = (_fixed(v, bits) for v in (mw, h * sw * c, -h * sw * s))
    radius2 = int(2 * bits * mp.ln2 / real(h) ** 2) + 1
    reach = isqrt(radius2)
    unit = real(h) / mp.sqrt(2 * mp.pi)
    gauss = [int(mp.ldexp(mp.exp(-((k * real(h)) ** 2) / 2) * unit, bits)) for k in range(reach + 1)]
    totals = [0] * len(products)
    for p in range(-reach, reach + 1):
        span = isqrt(radius2 - p * p)
        fixed = _with_powers(features, w0 + p * wp, bits) if not wq else None
        starts = {point: table.first * p for point, table in tables.items()}
        inner = [0] * len(products)
        for q in range(-span, span + 1):
            table_at = {point: table.at(starts[point] + table.second * q) for point, table in tables.items()}
            terms = fixed or _with_powers(features, w0 + p * wp + q * wq, bits)
            values = [sum(e * table_at[point][order] for order, point, e in f) >> bits for f in terms]
            g = gauss[abs(q)]
            for i, (left, right) in enumerate(chosen):
                inner[i] += (values[left] * values[right] >> bits) * g
        g = gauss[abs(p)]
        for i, v in enumerate(inner):
            totals[i] += (v >> bits) * g
    return [mp.ldexp(mp.mpf(t), -2 * bits) for t in totals]


def _with_powers(features: Sequence[Feature], w: int, bits: int) -> list[list[tuple[int, Fraction, int]]]:
    """The features' coefficients times the power of w that goes with each, in fixed point."""
    out = []
    for f in features:
        terms = []
        for order, point, coefficient in f.terms:
            value = _fixed(coefficient, bits)
            for _ in range(order):
                value = value * w >> bits
            terms.append((order, point, value))
        out.append(terms)
    return out


def _root(value: Fraction) -> Fraction:
    """The exact square root of a squared standard deviation."""
    return Fraction(isqrt(value.numerator), isqrt(value.denominator))


def _fixed(value: Fraction, bits: int) -> int:
    return (value.numerator << bits) // value.denominator


class _Table:
    """σ and its derivatives at offset + first·p + second·q, memoised on the integer lattice coordinate."""

    def __init__(
        self, derivatives: Callable[[Number, int], Sequence[Number]], order: int, offset: Fraction, first: Fraction,
        second: Fraction, bits: int,
    ) -> None:  # fmt: skip
        self.derivatives, self.order, self.offset, self.bits = derivatives, order, offset, bits
        self.denominator = lcm(first.denominator, second.denominator)
        self.first, self.second = int(first * self.denominator), int(second * self.denominator)
        self.memo: dict[int, list[int]] = {}

    def at(self, index: int) -> list[int]:
        """The values at a lattice coordinate, in fixed point."""
        found = self.memo.get(index)
        if found is None:
            u = real(self.offset + Fraction(index, self.denominator))
            found = [int(mp.ldexp(v, self.bits)) for v in self.derivatives(u, self.order)]
            self.memo[index] = found
        return found
