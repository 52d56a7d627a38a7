"""The trapezoidal rule for normal laws on a rational lattice, in fixed-point integers.

With rational points and parameters, w·x + b takes values in a lattice when (w, b) does, so that the activation is
evaluated once per lattice value and everything else is integer arithmetic: two orders of magnitude faster than
multiprecision floating point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, lcm
from typing import Any

from mpmath import libmp, mp

from theory.base.quadrature import real
from theory.features.laws import Law
from theory.kernels.forms.coordinates import spread

Number = Any
MAX_EXPONENT = 1 << 16
"""Largest binary exponent of an activation's value on the nodes of a rule."""


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


def cost(
    weight: Law, bias: Law, products: Sequence[tuple[Feature, Feature]], level: int, evaluation: float,
    *, symmetric: bool = False, loss: int = 0,
) -> float:  # fmt: skip
    """Seconds that :func:`means` takes, from the numbers of nodes, values and operations alone: the same everywhere.

    Args:
        weight, bias, products, level, symmetric, loss: as for :func:`means`.
        evaluation: seconds for the activation with its derivatives at one number of 150 bits.
    """
    bits = int(mp.prec) + 20
    features = {f for pair in products for f in pair}
    points = {point for f in features for _, point, _ in f.terms}
    pairs = float(pair_count(level, bits - int(loss * math.log2(10))))
    if spread(weight)[1] == 0 or spread(bias)[1] == 0:
        pairs **= 0.5
    operations = 3 + len(points) + sum(len(f.terms) for f in features) + len(products)
    values = min(len(points) * pairs, value_count(weight, bias, points, level, bits))
    share = 0.5 if symmetric and weight.centre == bias.centre == 0 else 1.0
    return share * (pairs * operations * 1e-6 + values * evaluation * (bits / 150) ** 2)


def value_count(weight: Law, bias: Law, points: Iterable[Fraction], level: int, bits: int) -> int:
    """At most so many values of w·point + b, over all points, occur on the straight lattice."""
    scale, second = _root(spread(weight)[1]), _root(spread(bias)[1])
    firsts = [point * scale for point in points]
    common = lcm(second.denominator, *(f.denominator for f in firsts))
    reach = math.sqrt(2 * 0.6931 * bits) / float(spacing(level))
    longest = max(math.hypot(int(f * common), int(second * common)) for f in firsts)
    return int(2 * reach * longest) + 1


def means(
    derivatives: Callable[[Number, int], Sequence[Number]],
    weight: Law,
    bias: Law,
    products: Sequence[tuple[Feature, Feature]],
    level: int,
    *,
    symmetric: bool = False,
    loss: int = 0,
) -> list[Number]:
    """E left(w, b) right(w, b) for each pair of features, w and b normal or constant, in the current precision.

    Args:
        derivatives: (u, n) ↦ σ(u), σ′(u), …, σ⁽ⁿ⁾(u) at an mpmath number.
        weight, bias: the laws.
        products: pairs of features.
        level: the step is :func:`spacing` of it.
        symmetric: σ is even or odd: every product is then even in (w, b), and with centred laws half of the nodes do.
        loss: decimal digits of the precision that cancel inside the features; the range need not reach so far.
    """
    bits = int(mp.prec) + 20
    h = spacing(level)
    (mw, vw), (mb, vb) = spread(weight), spread(bias)
    sw, sb = _root(vw), _root(vb)
    features = list(dict.fromkeys(f for pair in products for f in pair))
    chosen = [(features.index(left), features.index(right)) for left, right in products]
    points = sorted({point for f in features for _, point, _ in f.terms})
    place = {p: k for k, p in enumerate(points)}
    orders = [sorted({order for f in features for order, q, _ in f.terms if q == p}) for p in points]
    lines = [(p * mw + mb, h * p * sw, h * sb) for p in points]
    common = lcm(*(term.denominator for line in lines for term in line))
    whole = [[int(term * common) for term in line] for line in lines]
    # the values at one point recur at others: a table for each order, not for each point
    tables = {used[-1]: _Table(derivatives, used[-1], common, bits) for used in orders}
    w0, wp = _fixed(mw, bits), _fixed(h * sw, bits)
    coefficients = [[(order, place[p], _fixed(e, bits)) for order, p, e in f.terms] for f in features]
    radius2 = int(2 * (bits - loss * math.log2(10)) * mp.ln2 / real(h) ** 2) + 1
    reach = isqrt(radius2)
    unit = real(h) / mp.sqrt(2 * mp.pi)
    half = [int(mp.ldexp(mp.exp(-((k * real(h)) ** 2) / 2) * unit, bits)) for k in range(reach + 1)]
    gauss = half[:0:-1] + half
    mirrored = symmetric and mw == mb == 0
    totals = [0] * len(products)
    last = reach if sw else 0  # a constant law has one node
    for p in range(0 if mirrored else -last, last + 1):
        span = isqrt(radius2 - p * p) if sb else 0
        columns = [
            tables[used[-1]].columns(start + first * p, second, span, used)
            for (start, first, second), used in zip(whole, orders, strict=True)
        ]
        rows = [_combined(terms, columns, w0 + p * wp, bits) for terms in coefficients]
        weights = gauss[reach - span : reach + span + 1] if sb else [1 << bits]
        share = (half[abs(p)] if sw else 1 << bits) * (2 if mirrored and p else 1)
        for i, (left, right) in enumerate(chosen):
            inner = sum([(f * g >> bits) * e for f, g, e in zip(rows[left], rows[right], weights, strict=True)])
            totals[i] += (inner >> bits) * share
    return [mp.ldexp(mp.mpf(t), -2 * bits) for t in totals]


Columns = list[dict[int, list[int]]]
"""By point and order: the values of a derivative along a row of the lattice."""


def _combined(terms: Sequence[tuple[int, int, int]], columns: Columns, w: int, bits: int) -> list[int]:
    """Σ coefficient · w^order · σ⁽ᵒʳᵈᵉʳ⁾ along a row on which w is constant, in fixed point."""
    total: list[int] = []
    for order, point, coefficient in terms:
        for _ in range(order):
            coefficient = coefficient * w >> bits
        column = columns[point][order]
        total = [t + coefficient * v for t, v in zip(total, column, strict=True)] if total else [coefficient * v for v in column]  # fmt: skip
    return [t >> bits for t in total]


def to_fixed(value: Number, bits: int) -> int:
    """value · 2^bits, rounded towards 0: what is multiplied by a large power of w must not become −1.

    Raises:
        OverflowError: a value too large for any expectation under the laws at hand to be finite in practice.
        ZeroDivisionError: a complex number, or none.
    """
    if not isinstance(value, mp.mpf):
        raise ZeroDivisionError
    sign, mantissa, exponent, size = value._mpf_
    if not mantissa and exponent:
        raise ZeroDivisionError  # infinite, or not a number
    if exponent + size > MAX_EXPONENT:
        raise OverflowError
    fixed = int(libmp.to_fixed((0, mantissa, exponent, size), bits))
    return -fixed if sign else fixed


def _root(value: Fraction) -> Fraction:
    """The exact square root of a squared standard deviation."""
    return Fraction(isqrt(value.numerator), isqrt(value.denominator))


def _fixed(value: Fraction, bits: int) -> int:
    return (value.numerator << bits) // value.denominator


class _Table:
    """σ and its derivatives at the multiples of 1/denominator, memoised."""

    def __init__(
        self, derivatives: Callable[[Number, int], Sequence[Number]], order: int, denominator: int, bits: int
    ) -> None:
        self.derivatives, self.order, self.denominator, self.bits = derivatives, order, denominator, bits
        self.memo: dict[int, list[int]] = {}

    def columns(self, start: int, stride: int, span: int, orders: Sequence[int]) -> dict[int, list[int]]:
        """By order: the values at start + stride·q, |q| ≤ span."""
        memo, row = self.memo, []
        for q in range(-span, span + 1):
            found = memo.get(start + stride * q)
            row.append(self.at(start + stride * q) if found is None else found)
        return {order: [values[order] for values in row] for order in orders}

    def at(self, index: int) -> list[int]:
        """The values at index/denominator, in fixed point."""
        u = real(Fraction(index, self.denominator))
        found = self.memo[index] = [to_fixed(v, self.bits) for v in self.derivatives(u, self.order)]
        return found
