"""Integrals of piecewise smooth integrands, z₊ⁿ of w x + b and of w y + b, on panels between the kinks.

Inside a panel the integrand is a polynomial times densities, so that Gauss–Legendre and double-exponential rules converge
exponentially there, as no rule does across a kink.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mpmath import mp

from theory.kernels.integrand import Kink, number
from theory.kernels.lattice import Feature
from theory.laws import Constant, Discrete, Laplace, Law, Normal, Uniform
from theory.quadrature import density, gauss_legendre, real, tanh_sinh

Number = Any
Products = Sequence[tuple[Feature, Feature]]


def applies(weight: Law, bias: Law) -> bool:
    """Whether both laws live on an interval, up to a tail under the precision."""
    return all(isinstance(law, Normal | Laplace | Uniform | Constant | Discrete) for law in (weight, bias))


def panels(
    form: Kink, weight: Law, bias: Law, products: Products, level: int, *, bias_outside: bool = False
) -> list[Number]:
    """E left(w, b) right(w, b) for each pair of features, at a level of the rules, in the current precision.

    Outer panels in w, cut where a kink meets an end of the law of b; inner panels in b between the kinks −w p.
    ``bias_outside`` exchanges the two: outer panels in b, inner ones in w between the kinks −b/p, other nodes throughout.
    """
    scale, n = number(form.scale), form.n
    points = sorted({p for pair in products for f in pair for _, p, _ in f.terms})
    exact = [real(p) for p in points]
    first, second = (bias, weight) if bias_outside else (weight, bias)
    outer: set[Number] = {*_cuts(first), mp.mpf(0)}
    for p in exact:
        if bias_outside:
            outer |= {-t * p for t in _kinks(second)}
        elif p:
            outer |= {-t / p for t in _kinks(second)}
    ends = set(_cuts(second))
    features = list(dict.fromkeys(f for pair in products for f in pair))
    chosen = [(features.index(left), features.index(right)) for left, right in products]
    terms = [[(i, points.index(p), real(a)) for i, p, a in f.terms if i <= n] for f in features]
    orders = sorted({i for own in terms for i, _, _ in own})
    totals = [mp.mpf(0)] * len(products)
    # what the inner integral leaves is a polynomial between kinks where the inner law's density is one
    rational = isinstance(second, Uniform | Discrete | Constant)
    for s, c in _panel_nodes(first, outer, level, 6 * n + 12 if rational else None):
        inner = ends | ({-s / p for p in exact if p} if bias_outside else {-s * p for p in exact})
        for t, e in _panel_nodes(second, inner, level, 2 * n):
            w, b = (t, s) if bias_outside else (s, t)
            positive = [w * p + b for p in exact]
            table = {i: [u ** (n - i) if u > 0 else None for u in positive] for i in orders}
            powers = {i: scale * math.perm(n, i) * w**i for i in orders}
            values = [
                mp.fsum(a * powers[i] * value for i, k, a in own if (value := table[i][k]) is not None) for own in terms
            ]
            for k, (left, right) in enumerate(chosen):
                if values[left] and values[right]:
                    totals[k] += c * e * values[left] * values[right]
    return totals


def _kinks(law: Law) -> list[Number]:
    """Where the density or the law itself is not smooth."""
    if isinstance(law, Uniform):
        return [real(law.low), real(law.high)]
    if isinstance(law, Laplace):
        return [real(law.location)]
    if isinstance(law, Discrete | Constant):
        return [real(v) for v in law.parameters]
    return []


def _cuts(law: Law) -> list[Number]:
    """The kinks with the ends of the range of integration."""
    if isinstance(law, Normal):
        reach = real(law.std) * mp.sqrt(2 * mp.prec * mp.ln2)
        return [real(law.mean) - reach, real(law.mean), real(law.mean) + reach]
    if isinstance(law, Laplace):
        reach = real(law.scale) * mp.prec * mp.ln2
        return [real(law.location) - reach, real(law.location), real(law.location) + reach]
    return _kinks(law)


def _panel_nodes(law: Law, cuts: set[Number], level: int, degree: int | None) -> list[tuple[Number, Number]]:
    """Nodes and weights of E f(w) with f smooth between the cuts, and a polynomial of a degree there unless it is None."""
    if isinstance(law, Discrete | Constant):
        values = law.parameters
        return [(real(v), mp.mpf(1) / len(values)) for v in values]
    limits = _cuts(law)
    low, high = min(limits), max(limits)
    f = density(law)
    out: list[tuple[Number, Number]] = []
    inside = sorted({low, high, *(c for c in cuts if low < c < high)})
    for a, b in pairwise(inside):
        if isinstance(law, Uniform) and degree is not None:
            nodes, weights = gauss_legendre(degree // 2 + 1)  # polynomial between kinks
            half, middle = (b - a) / 2, (a + b) / 2
            out += [(middle + half * s, half * c * f(middle)) for s, c in zip(nodes, weights, strict=True)]
        else:
            nodes, weights = tanh_sinh(a, b, level)
            out += [(s, c * f(s)) for s, c in zip(nodes, weights, strict=True)]
    return out
