"""Expectations of products of features by product rules, from the values of σ and its derivatives alone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from typing import Any

import sympy as sp
from mpmath import mp

from theory.activations import Activation, z
from theory.kernels.lattice import Feature, to_fixed
from theory.kernels.programs import Program
from theory.quadrature import Rule, real

Number = Any
GUARD_BITS = 64
"""Of fixed-point numbers, for the growth of powers of w and of the activation."""


def derivative_table(
    activation: Activation, needed: Collection[int] | None = None
) -> Callable[[Number, int], list[Number]]:
    """(u, n) ↦ σ(u), …, σ⁽ⁿ⁾(u) in multiprecision; with 0 in place of the orders that are not ``needed``."""
    programs: dict[int, Program] = {}

    def table(u: Number, n: int) -> list[Number]:
        if n not in programs:
            orders = range(n + 1)
            wanted = [activation.derivative(k) if needed is None or k in needed else sp.S.Zero for k in orders]
            programs[n] = Program(wanted, [z])
        return programs[n](u)

    return table


def evaluation_cost(activation: Activation, top: int) -> float:
    """Seconds for σ, σ′, …, σ⁽ᵗᵒᵖ⁾ at a number of about 40 digits."""
    operations = sum(int(sp.count_ops(activation.derivative(k))) for k in range(top + 1))
    return 4e-5 + 2e-6 * operations + (3e-5 if activation.derivative(0).has(sp.erf) else 0)


def feature_means(
    derivatives: Callable[[Number, int], Sequence[Number]],
    first: Rule,
    second: Rule,
    products: Sequence[tuple[Feature, Feature]],
) -> list[Number]:
    """E left(w, b) right(w, b) for each pair of features by a product rule, in the current precision.

    The activation is evaluated in floating point and all the rest in integers, with enough guard bits for the powers
    of w that multiply it; pairs of nodes whose weight vanishes then are left out.
    """
    bits = int(mp.prec) + GUARD_BITS
    features = list(dict.fromkeys(f for pair in products for f in pair))
    chosen = [(features.index(left), features.index(right)) for left, right in products]
    points = sorted({p for f in features for _, p, _ in f.terms})
    top = [max(order for f in features for order, q, _ in f.terms if q == p) for p in points]
    places = {p: i for i, p in enumerate(points)}
    numbers = [real(p) for p in points]
    inner_rule = [(b, to_fixed(c, bits)) for b, c in zip(second.nodes, second.weights, strict=True)]
    tiny = mp.ldexp(1, -mp.prec - 4) * max(first.weights) * max(second.weights)
    totals = [0] * len(products)
    for w, c in zip(first.nodes, first.weights, strict=True):
        outer = to_fixed(c, bits)
        if not outer:
            continue
        least = to_fixed(tiny / c, bits)
        terms = [[(order, places[p], to_fixed(real(e) * w**order, bits)) for order, p, e in f.terms] for f in features]
        shifts = [w * x for x in numbers]
        inner = [0] * len(products)
        for b, e in inner_rule:
            if e <= least:
                continue
            table = [[to_fixed(v, bits) for v in derivatives(u + b, n)] for u, n in zip(shifts, top, strict=True)]
            values = [sum(a * table[k][order] for order, k, a in f) >> bits for f in terms]
            for i, (left, right) in enumerate(chosen):
                inner[i] += (values[left] * values[right] >> bits) * e
        for i, v in enumerate(inner):
            totals[i] += (v >> bits) * outer
    return [mp.ldexp(mp.mpf(t), -2 * bits) for t in totals]


def kept_pairs(first: Rule, second: Rule) -> int:
    """How many pairs of nodes :func:`feature_means` visits."""
    logs = sorted(math.log(float(c) or 5e-324) for c in second.weights)
    least = -float(mp.prec + 4) * math.log(2) + float(mp.log(max(first.weights) * max(second.weights)))
    return sum(len(logs) - bisect_right(logs, least - math.log(float(c) or 5e-324)) for c in first.weights)
