"""``adfd derive``: formulas, exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.commands.output import console, emit, say, table
from theory.errors import InputError
from theory.exact import rationals, spell
from theory.stencils import Stencil, stencil

MAX_OFFSETS = 41


def _stencil(derivative: int, offsets: str) -> Stencil:
    parts = offsets.split(",")
    if len(parts) > MAX_OFFSETS:
        raise InputError(f"--offsets: {len(parts)} offsets; at most {MAX_OFFSETS} are allowed")
    return stencil(derivative, rationals(parts, "--offsets"))


def _head(s: Stencil) -> dict[str, Any]:
    return {
        "derivative": s.derivative,
        "offsets": [spell(v) for v in s.offsets],
        "weights": [spell(v) for v in s.weights],
        "order": None if s.is_exact else s.order,
    }


def _weights(s: Stencil) -> None:
    rows = [[spell(o), spell(w)] for o, w in zip(s.offsets, s.weights, strict=True)]
    table(f"D_h u = h^-{s.derivative} Σ c_k u(x + s_k h)", ["s_k", "c_k"], rows)


def truncation(*, derivative: int, offsets: str, terms: int, latex: bool, as_json: bool) -> int:
    """Weights and truncation expansion."""
    s = _stencil(derivative, offsets)
    expansion = s.truncation(terms)
    content = _head(s) | {
        "coefficients": [{"power": t.power, "derivative": t.derivative, "value": spell(t.value)} for t in expansion]
    }
    if as_json:
        emit(content)
    elif latex:
        say(s._repr_latex_())
    else:
        _weights(s)
        rows = [[f"h^{t.power} u^({t.derivative})", spell(t.value)] for t in expansion]
        table(f"D_h u − u^({s.derivative}), order {content['order']}", ["term", "coefficient"], rows)
    return 0


def remainder(*, derivative: int, offsets: str, terms: int, latex: bool, as_json: bool) -> int:
    """Peano kernel, its sign, and the error constant."""
    from theory import peano

    s = _stencil(derivative, offsets)
    if s.derivative < 1:
        raise InputError(f"--derivative: {derivative}; the Peano kernel needs a derivative of at least 1")
    kernel = peano.peano_kernel(s)
    norm, constant = peano.average_norm(s), peano.error_constant(s)
    content = _head(s) | {
        "kernel": [
            {"from": spell(a), "to": spell(b), "coefficients": [spell(c) for c in piece]}
            for a, b, piece in zip(kernel.breakpoints, kernel.breakpoints[1:], kernel.pieces, strict=False)
        ],
        "integral": spell(kernel.integral),
        "nonnegative": peano.is_average(s),
        "absolute_integral": _shown(norm),
        "error_constant": _shown(constant),
    }
    if as_json:
        emit(content)
        return 0
    if latex:
        say(_kernel_latex(content["kernel"]))
        return 0
    _weights(s)
    rows = [[f"[{p['from']}, {p['to']}]", _polynomial(p["coefficients"], "t")] for p in content["kernel"]]
    table("D_h u(x) = ∫ K(t) u^(m)(x + h t) dt", ["t in", "K(t)"], rows)
    sign = "K ≥ 0: the difference is a local average" if content["nonnegative"] else "K takes both signs"
    console.print(f"∫K = {content['integral']}; {sign}; ∫|K| = {_text(content['absolute_integral'])}", markup=False)
    p = content["order"]
    console.print(
        f"|D_h u − u^({s.derivative})| ≤ {_text(content['error_constant'])} · h^{p} · max|u^({s.derivative + p})|",
        markup=False,
    )
    return 0


def symbol(*, derivative: int, offsets: str, terms: int, latex: bool, as_json: bool) -> int:
    """Fourier symbol, its supremum, and whether it stays at or below 1."""
    import sympy as sp

    from theory import symbols

    s = _stencil(derivative, offsets)
    if s.derivative < 1:
        raise InputError(f"--derivative: {derivative}; the symbol needs a derivative of at least 1")
    expression = symbols.symbol(s).expression
    supremum = symbols.supremum(s)
    expansion = symbols.expansion(s, terms)
    content = _head(s) | {
        "symbol": str(expression),
        "latex": sp.latex(expression),
        "expansion": [{"power": power, "value": str(value)} for power, value in expansion],
        "supremum": _shown(supremum),
        "bounded_by_one": supremum.upper <= 1,
        "real": s.is_symmetric,
    }
    if as_json:
        emit(content)
    elif latex:
        say(f"$m(\\theta) = {content['latex']}$")
    else:
        _weights(s)
        console.print(f"m(θ) = {content['symbol']}", markup=False)
        series = " + ".join(f"({t['value']}) θ^{t['power']}" for t in content["expansion"])
        console.print(f"m(θ) = 1 + {series} + …", markup=False)
        verdict = "|m| ≤ 1 on the whole line" if content["bounded_by_one"] else "|m| exceeds 1"
        console.print(f"sup |m| = {_text(content['supremum'])}: {verdict}", markup=False)
    return 0


def _shown(enclosure: Any) -> str | dict[str, str]:
    """An exact rational, or outward-rounded decimals."""
    return spell(enclosure.lower) if enclosure.is_exact else dict(enclosure.decimals(20))


def _text(value: str | dict[str, str]) -> str:
    return value if isinstance(value, str) else f"[{value['lower']}, {value['upper']}]"


def _polynomial(coefficients: list[str], variable: str) -> str:
    terms = []
    for power, text in enumerate(coefficients):
        if Fraction(text):
            terms.append({0: text, 1: f"({text}) {variable}"}.get(power, f"({text}) {variable}^{power}"))
    return " + ".join(terms) or "0"


def _kernel_latex(pieces: list[dict[str, Any]]) -> str:
    import sympy as sp

    t = sp.Symbol("t")
    rows = []
    for piece in pieces:
        polynomial = sum((sp.Rational(c) * t**k for k, c in enumerate(piece["coefficients"])), sp.Integer(0))
        rows.append(rf"{sp.latex(polynomial)} & {piece['from']} < t \le {piece['to']}")
    return "$K(t) = \\begin{cases}" + r" \\ ".join(rows) + "\\end{cases}$"
