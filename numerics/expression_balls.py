"""Exact rationals and expressions of SymPy in ball arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import flint

if TYPE_CHECKING:  # heavy at start-up
    import sympy

_FUNCTIONS = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "coth", "exp", "log", "erf", "atan", "asin")


def ball(value: Fraction) -> flint.arb:
    """A ball around an exact rational, at the precision in force."""
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def enclose(expression: sympy.Expr, values: Mapping[Any, flint.acb]) -> flint.acb:
    """An expression in ball arithmetic, at the precision in force: rationals, π, i, powers, elementary functions.

    Raises:
        TypeError: a node of another kind.
    """
    import sympy

    if expression.is_Rational:
        return flint.acb(flint.arb(flint.fmpq(int(expression.p), int(expression.q))))
    if expression.is_Symbol:
        return values[expression]
    if expression is sympy.pi:
        return flint.acb(flint.arb.pi())
    if expression is sympy.E:
        return flint.acb(1).exp()
    if expression is sympy.I:
        return flint.acb(0, 1)
    inner = [enclose(argument, values) for argument in expression.args]
    if expression.is_Add:
        return sum(inner[1:], inner[0])
    if expression.is_Mul:
        product = inner[0]
        for factor in inner[1:]:
            product = product * factor
        return product
    if expression.is_Pow:
        if expression.exp.is_Integer:
            return inner[0] ** int(expression.exp)
        return inner[1].exp() if expression.base is sympy.E else inner[0].pow(inner[1])
    name = type(expression).__name__
    if name in _FUNCTIONS and len(inner) == 1:
        return getattr(inner[0], name)()
    raise TypeError(f"{name} has no enclosure here")
