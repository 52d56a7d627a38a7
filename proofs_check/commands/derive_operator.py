"""``adfd derive operator``: what a discretised operator does to a smooth function, in any dimension."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp

from proofs_check.commands.output import console, emit, say, table
from theory.discretisation import DifferenceOperator, StencilChoice, discretise
from theory.exact import rationals, spell
from theory.operators import LinearOperator, MultiIndex
from theory.operators import operator as parse_operator

DIMENSION = {"five-point": 2, "nine-point": 2, "thirteen-point": 2}
"""Stencils that fix the dimension of an operator given by name."""


def expansion(difference: DifferenceOperator, terms: int) -> list[tuple[int, dict[MultiIndex, sp.Expr]]]:
    """The first ``terms`` powers of h in L_h u − L u: (power, {derivative: coefficient}), h the same on every axis."""
    gathered: dict[int, dict[MultiIndex, sp.Expr]] = {}
    for term in difference.terms:
        if term.stencil is None:
            continue
        for part in term.stencil.truncation(terms + 2):
            row = gathered.setdefault(part.power, {})
            for derivative, value in part.coefficients:
                added = term.coefficient * sp.Rational(value.numerator, value.denominator)
                row[derivative] = sp.expand(row.get(derivative, sp.Integer(0)) + added)
    cleaned = [(q, {d: c for d, c in row.items() if c != 0}) for q, row in sorted(gathered.items())]
    return [(q, row) for q, row in cleaned if row][:terms]


def name(derivative: MultiIndex, variables: tuple[str, ...]) -> str:
    """``u_xxyy`` for (2, 2)."""
    letters = "".join(v * times for v, times in zip(variables, derivative, strict=True))
    return f"u_{letters}" if letters else "u"


def operator(
    *, expression: str, stencil: str, order: int, offsets: str | None, terms: int, latex: bool, as_json: bool
) -> int:
    """Prints the leading truncation terms."""
    chosen = StencilChoice(stencil, order, None if offsets is None else rationals(offsets.split(","), "--offsets"))
    parsed = parse_operator(expression, DIMENSION.get(stencil) if offsets is None else None)
    difference = discretise(parsed, chosen, (Fraction(1),) * parsed.dimension)
    found = expansion(difference, terms)
    content: dict[str, Any] = {
        "operator": expression,
        "variables": list(parsed.variables),
        "stencil": chosen.to_dict(),
        "order": found[0][0] if found else None,
        "norm1": [spell(term.stencil.norm1) for term in difference.terms if term.stencil is not None],
        "terms": [
            {
                "power": q,
                "derivatives": [
                    {"derivative": list(d), "name": name(d, parsed.variables), "value": str(c)}
                    for d, c in sorted(row.items(), reverse=True)
                ],
            }
            for q, row in found
        ],
        "latex": _latex(parsed, found),
    }
    if as_json:
        emit(content)
    elif latex:
        say(f"${content['latex']}$")
    else:
        rows = [
            [f"h^{t['power']}", " + ".join(f"({d['value']}) {d['name']}" for d in t["derivatives"])]
            for t in content["terms"]
        ]
        table(f"L_h u − L u for L u = {expression}", ["power", "terms"], rows)
        console.print(f"order {content['order']}; ‖c‖₁ = {', '.join(content['norm1'])}", markup=False)
    return 0


def _latex(parsed: LinearOperator, found: list[tuple[int, dict[MultiIndex, sp.Expr]]]) -> str:
    u = sp.Function("u")(*parsed.symbols)
    parts = [r"L_h u = L u"]
    for q, row in found:
        total = sp.Add(
            *(
                c * sp.Derivative(u, *[(s, k) for s, k in zip(parsed.symbols, d, strict=True) if k])
                for d, c in row.items()
            )
        )
        parts.append(rf"h^{{{q}}}\left({sp.latex(total)}\right)")
    return " + ".join(parts) + r" + \cdots"
