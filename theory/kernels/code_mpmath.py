"""Kernels as mpmath code: scalars in the current precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy as sp

from theory.errors import InputError
from theory.kernels.coordinates import fraction
from theory.kernels.evaluation import FUNCTIONS
from theory.kernels.piecewise import TruncatedMoment
from theory.kernels.special import ErfcX, LogCosh, SincMoment, SinhMoment

if TYPE_CHECKING:
    from theory.kernels.derive import KernelDerivation, Kind

_LOCAL = {LogCosh: "special.LogCosh", ErfcX: "special.ErfcX", SincMoment: "special.SincMoment",
          SinhMoment: "special.SinhMoment", TruncatedMoment: "piecewise.TruncatedMoment"}  # fmt: skip


class _Printer:
    """Expressions as text over ``mp``; rationals stay exact until the precision is known."""

    def __init__(self) -> None:
        self.modules: set[str] = set()

    def text(self, node: sp.Basic) -> str:
        if node.is_Integer:
            return f"mp.mpf({int(node)})"
        if node.is_Rational:
            return f"(mp.mpf({int(node.p)}) / {int(node.q)})"
        if node is sp.pi:
            return "mp.pi"
        if node is sp.E:
            return "mp.e"
        if node.is_Symbol:
            return str(node.name)
        if node.is_Add or node.is_Mul:
            joint = " + " if node.is_Add else " * "
            return f"({joint.join(self.text(a) for a in node.args)})"
        if isinstance(node, sp.exp):
            return f"mp.exp({self.text(node.args[0])})"
        if node.is_Pow:
            base, exponent = self.text(node.base), node.exp
            if exponent.is_Integer:
                return f"{base} ** {int(exponent)}" if node.base.is_Symbol else f"({base}) ** ({int(exponent)})"
            if exponent.is_Rational and exponent.q == 2:
                return f"mp.sqrt({base}) ** ({int(exponent.p)})"
            return f"mp.power({base}, {self.text(exponent)})"
        if isinstance(node, sp.Piecewise):
            return self._piecewise(node)
        if type(node) in _LOCAL:
            name = _LOCAL[type(node)]
            self.modules.add(name.split(".")[0])
            return f"{name}.mp_value(mp, {', '.join(self.text(a) for a in node.args)})"
        name = node.func.__name__
        if name == "Abs":
            return f"abs({self.text(node.args[0])})"
        if name in FUNCTIONS:
            return f"mp.{name}({', '.join(self.text(a) for a in node.args)})"
        raise InputError(f"code: {name} has no mpmath form")

    def _piecewise(self, node: sp.Piecewise) -> str:
        operators = {sp.Eq: "==", sp.Ne: "!=", sp.StrictLessThan: "<", sp.LessThan: "<=", sp.StrictGreaterThan: ">",
                     sp.GreaterThan: ">="}  # fmt: skip
        *branches, (last, _) = node.args
        text = self.text(last)
        for value, condition in reversed(branches):
            test = f"{self.text(condition.lhs)} {operators[condition.func]} {self.text(condition.rhs)}"
            text = f"({self.text(value)} if {test} else {text})"
        return text


def mpmath_module(kernel: KernelDerivation, kind: Kind) -> str:
    """A module that defines ``kernel(x, y)`` for two points (sequences in several dimensions)."""
    printer = _Printer()
    names = [s.name for s in kernel.symbols]
    lines = [f"def _values({', '.join(names)}):"]
    expr = kernel.K_AD if kind == "K_AD" else kernel.K
    replacements, (final,) = (
        sp.cse(expr, symbols=sp.numbered_symbols("t"), order="none") if not expr.has(sp.Piecewise) else ([], [expr])
    )  # a branch that is not taken must not be evaluated
    lines += [f"    {symbol} = {printer.text(value)}" for symbol, value in replacements]
    lines.append(f"    return {printer.text(final)}")
    d = kernel.coordinates.dimension
    points = ["x", "y"] if d == 1 else [f"{p}[{i}]" for p in "xy" for i in range(d)]
    lines += ["", "", "def kernel(x, y):", f'    """{kind} at two points, in the current precision of mpmath."""']
    if kind == "K_FD":
        lines.append("    total = mp.mpf(0)")
        left, right = (s.fd or () for s in kernel.sides)
        bound = [f"    {name} = {p}" for name, p in zip(names, points, strict=True) if name != p]
        lines += bound
        for s, c in left:
            for t, e in right:
                moved = [
                    f"{name} + {printer.text(fraction(h))}" if h else name
                    for name, h in zip(names, (*s, *t), strict=True)
                ]
                lines.append(f"    total += {printer.text(c * e)} * _values({', '.join(moved)})")
        lines.append("    return total")
    else:
        lines.append(f"    return _values({', '.join(points)})")
    head = [f'"""{kind}, sigma(z) = {kernel.activation.name}, w ~ {kernel.weights}, b ~ {kernel.biases}."""', ""]
    head.append("from mpmath import mp")
    if printer.modules:
        head += ["", f"from theory.kernels import {', '.join(sorted(printer.modules))}"]
    return "\n".join([*head, "", "", *lines]) + "\n"
