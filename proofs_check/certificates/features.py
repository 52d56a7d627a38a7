"""The entries of a certificate's matrix as sums of rational multiples of derivatives of its activation at rational points.

That is what ``theory/rocq/FeatureChecker.v`` encloses in the kernel: ``sum_t c_t s^(m_t)(z_t)`` for s = sin, cos, exp or
tanh. Where the operator's coefficients or the root of a boundary weight are not rational, there is no such table.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from proofs_check.checker import Difference, Problem, Term, dot, monomial

ACTIVATIONS = {"sin": "Sin", "cos": "Cos", "exp": "Exp", "tanh": "Tanh"}
MOST = 2500
"""Values of an activation that the kernel is asked for: about a hundredth of a second each."""

Summand = tuple[Fraction, int, Fraction]
"""``(c, m, z)``: c times the m-th derivative at z."""
Table = list[list[list[Summand]]]
"""Column by column, entry by entry."""


def activation(problem: Problem) -> str | None:
    """The activation's constructor in Rocq, if it is one of the four at z itself."""
    match problem.activation.tree:
        case [str() as name, ["variable", "z"]] if name in ACTIVATIONS:
            return ACTIVATIONS[name]
    return None


def table(problem: Problem, difference: Difference | None, transposed: bool) -> Table | None:
    """The summands of every entry; ``None`` where an entry has none, or there are too many."""
    rows: list[list[list[Summand]]] = []
    for x in problem.points:
        c = _coefficients(problem.operator, problem.names, x)
        if c is None or activation(problem) is None:
            return None
        if difference is None:
            rows.append([_derivatives(problem.operator, c, w, dot(w, x, b)) for w, b in problem.features])
        else:
            rows.append([_differences(difference, c, w, dot(w, x, b)) for w, b in problem.features])
    for face in problem.boundary:
        root = _root(face.weight)
        for x in face.points:
            c = _coefficients(face.operator, problem.names, x)
            if c is None or root is None or activation(problem) is None:
                return None
            scaled = [root * v for v in c]
            rows.append([_derivatives(face.operator, scaled, w, dot(w, x, b)) for w, b in problem.features])
    if sum(len(entry) for row in rows for entry in row) > MOST:
        return None
    return rows if transposed else [list(column) for column in zip(*rows, strict=True)]


def _derivatives(operator: list[Term], c: list[Fraction], w: list[Fraction], z: Fraction) -> list[Summand]:
    """``sum_g c_g sum_a f_ga w^a s^(|a|)(z)``, one summand an order."""
    orders: dict[int, Fraction] = {}
    for value, term in zip(c, operator, strict=True):
        for a, f in term.parts.items():
            orders[sum(a)] = orders.get(sum(a), Fraction(0)) + value * f * monomial(w, a)
    return [(v, m, z) for m, v in sorted(orders.items()) if v]


def _differences(difference: Difference, c: list[Fraction], w: list[Fraction], z: Fraction) -> list[Summand]:
    """``sum_g c_g sum_k weight_gk s(z + w . shift_gk)``, one summand a point."""
    points: dict[Fraction, Fraction] = {}
    for value, (shifts, weights) in zip(c, difference, strict=True):
        for shift, weight in zip(shifts, weights, strict=True):
            at = dot(w, shift, z)
            points[at] = points.get(at, Fraction(0)) + value * weight
    return [(v, 0, at) for at, v in points.items() if v]


def _coefficients(operator: list[Term], names: list[str], x: list[Fraction]) -> list[Fraction] | None:
    found = [_rational(term.coefficient.tree, dict(zip(names, x, strict=True))) for term in operator]
    return None if None in found else [v for v in found if v is not None]


def _rational(tree: list[Any], at: dict[str, Fraction]) -> Fraction | None:
    """The value of an expression that is a rational function with integer powers."""
    match tree:
        case ["number", value]:
            return Fraction(value)
        case ["variable", name]:
            return at[name]
        case ["sum" | "product" as kind, *parts]:
            values = [v for v in (_rational(part, at) for part in parts) if v is not None]
            if len(values) < len(parts):
                return None
            return sum(values, Fraction(0)) if kind == "sum" else math.prod(values, start=Fraction(1))
        case ["power", base, value]:
            inner, n = _rational(base, at), Fraction(value)
            return None if inner is None or n.denominator > 1 or (n < 0 and inner == 0) else inner ** int(n)
    return None


def _root(weight: Fraction) -> Fraction | None:
    root = Fraction(math.isqrt(weight.numerator), math.isqrt(weight.denominator))
    return root if root * root == weight else None


def bits(found: Table, places: int) -> int:
    """The precision with which the kernel evaluates: the places, and what large summands cost."""
    largest = max(
        (abs(c) * math.factorial(m + 1) + 1 for col in found for entry in col for c, m, _ in entry), default=1
    )
    spread = max((abs(z) for column in found for entry in column for _, _, z in entry), default=Fraction(0))
    return places + math.ceil(largest).bit_length() + 2 * math.ceil(spread) + 40
