"""LaTeX of a stencil: the difference quotient and the leading terms of its error."""

from __future__ import annotations

from fractions import Fraction

from theory.moments import MultiIndex
from theory.stencil_core import Stencil

MAX_SHOWN = 13
"""Stencils with more nodes are written as a sum with their number of nodes."""


def rational_latex(value: Fraction) -> str:
    """``-\\frac{1}{12}``, or the integer."""
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def derivative_latex(index: MultiIndex) -> str:
    """``u^{(4)}`` in one variable, ``\\partial_1^{2}\\partial_2^{2}u`` in several."""
    if len(index) == 1:
        return "u" + ("'" * index[0] if index[0] <= 3 else f"^{{({index[0]})}}")
    powers = ((i + 1, n) for i, n in enumerate(index) if n)
    return "".join(f"\\partial_{{{i}}}" + (f"^{{{n}}}" if n > 1 else "") for i, n in powers) + "u"


def _signed(terms: list[tuple[Fraction, str]]) -> str:
    text = ""
    for value, factor in terms:
        size = "" if abs(value) == 1 and factor else rational_latex(abs(value))
        text += ("-" if value < 0 else "+" if text else "") + size + ("\\," if size and factor else "") + factor
    return text or "0"


def _shift(x: Fraction, name: str) -> str:
    if x == 0:
        return name
    size = "" if abs(x) == 1 else rational_latex(abs(x))
    return f"{name}{'-' if x < 0 else '+'}{size}h"


def latex(s: Stencil, terms: int = 2) -> str:
    """The difference quotient, its target and the first ``terms`` terms of its error, without dollars."""
    names = ["x"] if s.dimension == 1 else [f"x_{{{i + 1}}}" for i in range(s.dimension)]
    shown = [
        (c, "u(" + ",".join(_shift(x, n) for x, n in zip(node, names, strict=True)) + ")")
        for node, c in zip(s.nodes, s.weights, strict=True)
        if c
    ]
    power = "" if s.degree == 0 else "h" if s.degree == 1 else f"h^{{{s.degree}}}"
    many = f"\\sum_{{k=1}}^{{{len(shown)}}}c_k\\,u(x+h s_k)"
    sum_ = _signed(shown) if len(shown) <= MAX_SHOWN else many
    quotient = f"\\frac{{{sum_}}}{{{power}}}" if power else sum_
    text = f"D_h u = {quotient} = " + _signed([(t, derivative_latex(b)) for b, t in s.target])
    expansion = s.truncation(terms + 1)
    for term in expansion[:-1]:
        step = "h" if term.power == 1 else f"h^{{{term.power}}}"
        if len(term.coefficients) == 1:
            index, value = term.coefficients[0]
            text += _signed([(Fraction(1), ""), (value, f"{step}{derivative_latex(index)}")])[1:]
        else:
            inner = _signed([(e, derivative_latex(b)) for b, e in term.coefficients])
            text += f"+{step}\\left({inner}\\right)"
    return text + (f"+O(h^{{{expansion[-1].power}}})" if expansion else "")
