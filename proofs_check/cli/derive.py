"""``adfd derive operator``: what a discretised operator does to a smooth function, in any dimension.

``adfd derive spectrum``: exactly solvable models.

``adfd derive``: formulas, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from numerics.spectra.kernels import InfiniteHermite
from proofs_check.cli.output import console, emit, say, table
from proofs_check.cli.spectrum import convention_from
from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError, nearest
from theory.base.exact import rational, rationals, spell
from theory.entropy.conventions import Convention
from theory.operators.operator import DifferenceOperator, LinearOperator, MultiIndex, StencilChoice, discretise
from theory.operators.operator import operator as parse_operator
from theory.solvable import (
    Circle,
    HermiteDiagonal,
    Mehler,
    Prolate,
    SolvableSpectrum,
    geometric_frequencies,
    truncated_gap,
    uniform_frequencies,
)
from theory.stencils import Stencil, stencil

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
        console.print(f"order {content['order']}; ‖c‖₁ = {', '.join(content['norm1'])}")
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


SIGNS = {-1: "fd<ad", 1: "fd>ad", 0: "equal", None: "undecided"}


@dataclass(frozen=True)
class Model:
    """A model of the command: its parameters with their defaults, what it is, and how it is made."""

    about: str
    defaults: dict[str, str]
    make: Callable[[dict[str, Fraction]], SolvableSpectrum]


def _circle(p: dict[str, Fraction]) -> SolvableSpectrum:
    if p["R"]:
        if p["R"].denominator != 1 or p["R"] < 1:
            raise InputError(f"--parameter: R={p['R']}; allowed: a positive integer")
        return Circle(uniform_frequencies(int(p["R"])))
    return Circle(geometric_frequencies(p["q"]))


def _hermite(p: dict[str, Fraction]) -> SolvableSpectrum:
    if p["N"].denominator != 1 or p["N"] < 0:
        raise InputError(f"--parameter: N={p['N']}; allowed: a number of features, or 0 for all of them")
    return HermiteDiagonal(p["rho"], int(p["N"])) if p["N"] else InfiniteHermite(p["rho"])


MODELS: dict[str, Model] = {
    "circle": Model("points uniform on the circle, integer frequencies with weights q^n, or uniform up to R",
                    {"q": "19/20", "R": "0"}, _circle),
    "mehler": Model("Gaussian kernel of weight variance s2 under a normal law of variance sigma2",
                    {"s2": "1", "sigma2": "1"}, lambda p: Mehler(p["s2"], p["sigma2"])),
    "hermite": Model("diagonal in Hermite functions with ratio rho, all features or the first N",
                     {"rho": "3/5", "N": "0"}, _hermite),
    "prolate": Model("frequencies uniform on [-R, R], points uniform on [-X, X]",
                     {"R": "4", "X": "1"}, lambda p: Prolate(p["R"], p["X"])),
}  # fmt: skip


def _parameters(model: Model, given: list[str]) -> dict[str, Fraction]:
    values = {key: rational(text) for key, text in model.defaults.items()}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or key not in values:
            listed = ", ".join(f"{k}={v}" for k, v in model.defaults.items())
            raise InputError(f"--parameter: {text!r}; allowed (with defaults): {listed}")
        values[key] = rational(value, f"--parameter {key}")
    return values


def solvable(
    *,
    model: str,
    parameters: list[str] | None,
    step: str,
    count: int,
    power: int,
    rule: str | None,
    tau: str | None,
    rank: int | None,
    normalised: bool | None,
    digits: int,
    as_json: bool,
) -> int:
    """Prints eigenvalues, entropies (of all values, or truncated by a rule) and the sign of the gap."""
    if model not in MODELS:
        raise InputError(f"model {model!r}: unknown; {nearest(model, MODELS)}allowed: {', '.join(MODELS)}")
    values = _parameters(MODELS[model], parameters or [])
    h = rational(step, "--step")
    if h <= 0:
        raise InputError(f"--step: {step} must be positive")
    spectrum = MODELS[model].make(values)
    ad = spectrum.ad_eigenvalues(count, digits)
    fd = spectrum.fd_eigenvalues(count, h, digits)
    content: dict[str, Any] = {
        "model": model,
        "about": MODELS[model].about,
        "parameters": {key: str(value) for key, value in values.items()},
        "step": str(h),
        "power": power,
        "ad": [_shown(v, digits) for v in ad],
        "fd": [_shown(v, digits) for v in fd],
    }
    if rule is None and tau is None and rank is None and normalised is None:
        for method in ("ad", "fd"):
            content[f"entropy_{method}"] = _entropy(spectrum, method, h, power, digits)
        sign = spectrum.gap_sign(h, power=power)  # type: ignore[arg-type]
    else:
        convention = convention_from(Convention(), rule or ("fixed" if rank else None), tau, rank, power, normalised)
        gap = truncated_gap(spectrum, h, convention, digits)
        for method, found in (("ad", gap.ad), ("fd", gap.fd)):
            content[f"entropy_{method}"] = None if found.value is None else _shown(found.value, digits)
        content |= {"convention": convention.to_dict(), "cutoff": {"ad": gap.ad.cutoff, "fd": gap.fd.cutoff},
                    "difference": None if gap.difference is None else _shown(gap.difference, digits)}  # fmt: skip
        sign = gap.sign
    content |= {"sign": SIGNS[sign.sign], "route": sign.route, "reason": sign.reason}
    if as_json:
        emit(content)
        return 0
    rows = [[str(k), _text(a), _text(f)] for k, (a, f) in enumerate(zip(content["ad"], content["fd"], strict=True), 1)]
    table(f"{model}: kernel eigenvalues at h = {h}", ["k", "AD", "FD"], rows)
    for method in ("ad", "fd"):
        kept = f", r = {content['cutoff'][method]}" if "cutoff" in content else ""
        console.print(f"H of {method.upper()} (power {power}{kept}): {_text(content[f'entropy_{method}'])}")
    console.print(f"sign: {content['sign']} ({content['route']}: {content['reason']})")
    return 0


def _entropy(spectrum: SolvableSpectrum, method: Any, h: Fraction, power: int, digits: int) -> Any:
    try:
        return _shown(spectrum.entropy(method, h, power=power, digits=digits), digits)  # type: ignore[arg-type]
    except PrecisionCapError:
        return None


def _shown(value: Enclosure, digits: int) -> dict[str, str]:
    return dict(value.decimals(digits))  # type: ignore[arg-type]


def _text(value: dict[str, str] | None) -> str:
    return "not found" if value is None else f"[{value['lower']}, {value['upper']}]"


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
    from theory.stencils import remainder as peano

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
        "absolute_integral": _constant_json(norm),
        "error_constant": _constant_json(constant),
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
    console.print(f"∫K = {content['integral']}; {sign}; ∫|K| = {_constant_text(content['absolute_integral'])}")
    p = content["order"]
    console.print(
        f"|D_h u − u^({s.derivative})| ≤ {_constant_text(content['error_constant'])} · h^{p} · max|u^({s.derivative + p})|",
    )
    return 0


def symbol(*, derivative: int, offsets: str, terms: int, latex: bool, as_json: bool) -> int:
    """Fourier symbol, its supremum, and whether it stays at or below 1."""
    import sympy as sp

    from theory.stencils import symbol as symbols

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
        "supremum": _constant_json(supremum),
        "bounded_by_one": supremum.upper <= 1,
        "real": s.is_symmetric,
    }
    if as_json:
        emit(content)
    elif latex:
        say(f"$m(\\theta) = {content['latex']}$")
    else:
        _weights(s)
        console.print(f"m(θ) = {content['symbol']}")
        series = " + ".join(f"({t['value']}) θ^{t['power']}" for t in content["expansion"])
        console.print(f"m(θ) = 1 + {series} + …")
        verdict = "|m| ≤ 1 on the whole line" if content["bounded_by_one"] else "|m| exceeds 1"
        console.print(f"sup |m| = {_constant_text(content['supremum'])}: {verdict}")
    return 0


def _constant_json(enclosure: Any) -> str | dict[str, str]:
    """An exact rational, or outward-rounded decimals."""
    return spell(enclosure.lower) if enclosure.is_exact else dict(enclosure.decimals(20))


def _constant_text(value: str | dict[str, str]) -> str:
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
