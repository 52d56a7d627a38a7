"""Prints kernel expressions as array code: what depends on one point alone is computed on vectors, not on matrices."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp
from mpmath import mp

from theory.base.errors import InputError
from theory.features.activations import step
from theory.kernels.forms.gaussian_moments import TiltedMean
from theory.kernels.forms.integrals import (
    CauchyMoment,
    ErfcX,
    LaplaceMoment,
    LogCosh,
    SincMoment,
    SinhMoment,
    TanhMean,
    UniformMoment,
    addition_table,
    tanh_derivative,
)
from theory.kernels.routes.pieces import TruncatedMoment

ELEMENTARY = {
    "sin": "sin", "cos": "cos", "tan": "tan", "exp": "exp", "log": "log", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "atan": "atan", "asin": "asin", "acos": "acos", "asinh": "asinh", "erf": "erf", "sign": "sign",
    "Abs": "absolute",
}  # fmt: skip
"""SymPy's name to the name bound in the generated module."""


class ArrayPrinter:
    """Expressions as text; remembers which library functions and helpers the text needs.

    Args:
        left, right: the symbols of the first and of the second point.
        separate_angle: write atan2(C, √D) with D > 0 as atan(C/√D), which is faster.
    """

    def __init__(self, left: Sequence[sp.Symbol], right: Sequence[sp.Symbol], separate_angle: bool) -> None:
        self.sides: dict[sp.Symbol, int] = {**dict.fromkeys(left, 1), **dict.fromkeys(right, 2)}
        self.separate_angle = separate_angle
        self.functions: set[str] = set()
        self.helpers: set[str] = set()
        self.named: dict[sp.Expr, str] = {}
        self.powers: dict[tuple[str, int], str] = {}
        self.pending: list[str] = []
        self.pending_names: list[str] = []

    def side(self, node: sp.Basic) -> int:
        """0 for a constant, 1 or 2 for one point, 3 for both."""
        out = 0
        for symbol in node.free_symbols:
            out |= self.sides[symbol]
        return out

    def define(self, symbol: sp.Symbol, value: sp.Expr) -> None:
        """Records on which points a temporary depends."""
        self.sides[symbol] = self.side(value)

    def call(self, name: str, *arguments: str) -> str:
        self.functions.add(name)
        return f"{name}({', '.join(arguments)})"

    def text(self, node: sp.Basic) -> str:
        """The expression as Python source."""
        if node.is_number:
            return literal(node)
        if node.is_Symbol:
            return str(node.name)
        if node.is_Add:
            return self._sum(node)
        if node.is_Mul:
            return self._product(node)
        if isinstance(node, sp.exp):
            return self.call("exp", self.text(node.args[0]))
        if node.is_Pow:
            return self._power(node.base, node.exp)
        if isinstance(node, sp.atan2):
            return self._angle(*node.args)
        if isinstance(node, sp.sinc):
            return self.call("sinc", f"{self.text(node.args[0])} * {literal(1 / sp.pi)}")
        if isinstance(node, sp.Piecewise):
            return self._piecewise(node)
        if isinstance(node, step):
            return f"({self.text(node.args[0])} > 0.0) * 1.0"
        if isinstance(node, sp.besselk):
            order, argument = node.args
            return self.call("kv", literal(order), self.text(argument))
        special = self._special(node)
        if special is not None:
            return special
        name = node.func.__name__
        if name in ELEMENTARY:
            return self.call(ELEMENTARY[name], *(self.text(a) for a in node.args))
        raise InputError(f"code: {name} has no array form")

    def _grouped(self, parts: Sequence[sp.Expr]) -> list[list[sp.Expr]]:
        """By side: constants and first point together, second point, both."""
        groups: list[list[sp.Expr]] = [[], [], []]
        for part in parts:
            groups[{0: 0, 1: 0, 2: 1, 3: 2}[self.side(part)]].append(part)
        if groups[1] and not any(self.side(p) for p in groups[0]):
            groups[1] = groups[0] + groups[1]  # a lone constant belongs with a vector
            groups[0] = []
        return [g for g in groups if g]

    def _sum(self, node: sp.Expr) -> str:
        text = ""
        for group in self._grouped(node.args):
            inner = ""
            for part in sorted(group, key=lambda p: bool(p.as_coeff_Mul()[0].is_negative)):
                c, rest = part.as_coeff_Mul()
                if inner and c.is_negative:
                    inner += f" - {self._operand(-c * rest)}"
                else:
                    inner += f" + {self.text(part)}" if inner else self.text(part)
            c, rest = group[0].as_coeff_Mul()
            if text and len(group) == 1 and c.is_negative:
                text += f" - {self._operand(-c * rest)}"
            else:
                inner = inner if len(group) == 1 else f"({inner})"
                text += f" + {inner}" if text else inner
        return f"({text})"

    def _operand(self, node: sp.Expr) -> str:
        """What may follow a minus sign."""
        text = self.text(node)
        return f"({text})" if node.is_Add and not text.startswith("(") else text

    def _product(self, node: sp.Expr) -> str:
        numerator: list[sp.Expr] = []
        denominator: list[sp.Expr] = []
        for factor in node.args:
            base, exponent = factor.as_base_exp()
            if exponent.is_Rational and exponent.is_negative and not isinstance(factor, sp.exp) and not base.is_number:
                denominator.append(sp.Pow(base, -exponent))
            else:
                numerator.append(factor)
        # vectors come last to a matrix, constants go into the first vector; one division for what is a matrix
        parts = self._factors(numerator)
        over = {side: [d for d in denominator if self.side(d) == side] for side in (1, 2, 3)}
        for side in (1, 2):
            if over[side]:
                parts.append(f"(1.0 / {' / '.join(self.text(d) for d in over[side])})")
        text = " * ".join(parts) if parts else "1.0"
        if over[3]:
            inner = self._factors(over[3])
            text = f"{text} / {inner[0]}" if len(inner) == 1 else f"{text} / ({' * '.join(inner)})"
        return f"({text})"

    def _factors(self, parts: Sequence[sp.Expr]) -> list[str]:
        constant = sp.Mul(*(p for p in parts if p.is_number))
        rest = [p for p in parts if not p.is_number]
        if constant != 1 or not rest:
            rest = [constant, *rest]
        out = []
        for group in self._grouped(rest):
            inner = " * ".join(self.text(p) for p in group)
            out.append(f"({inner})" if len(group) > 1 else inner)
        return out

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> str:
        if not exponent.is_Rational:
            raise InputError(f"code: a power with exponent {exponent} has no array form")
        if exponent.is_negative:
            return f"(1.0 / {self._power(base, -exponent)})"
        atom = self._atom(base)
        if exponent.q == 2:
            root = self.call("sqrt", atom)
            whole = int((exponent.p - 1) // 2)
            return root if whole == 0 else f"({self._integer(atom, whole)} * {root})"
        if exponent.is_Integer:
            return self._integer(atom, int(exponent))
        return f"({atom} ** {literal(exponent)})"

    def _atom(self, base: sp.Expr) -> str:
        """A name for the base of a power: the same base is computed once."""
        if base not in self.named:
            text = self.text(base)
            self.named[base] = text if text.isidentifier() else self._assign(text)
        return self.named[base]

    def _assign(self, text: str) -> str:
        name = f"p{len(self.pending_names)}"
        self.pending_names.append(name)
        self.pending.append(f"{name} = {text}")
        return name

    def _integer(self, atom: str, n: int) -> str:
        """By products: libraries call a slow pow otherwise."""
        if n == 1:
            return atom
        if n == 2:
            return f"({atom} * {atom})"
        key = (atom, n)
        if key not in self.powers:
            half = self._integer(atom, n // 2)
            name = half if half.isidentifier() else self._assign(half)
            square = f"{name} * {name}"
            self.powers[key] = (
                self._assign(f"{square} * {atom}" if n % 2 else square) if n > 3 else (f"({atom} * {atom} * {atom})")
            )
        return self.powers[key]

    def statements(self) -> list[str]:
        """The assignments that the last texts need, to be written before them."""
        out, self.pending = self.pending, []
        return out

    def _angle(self, first: sp.Expr, second: sp.Expr) -> str:
        if self.separate_angle:
            return self.call("atan", f"{self.text(first)} / {self.text(second)}")
        return self.call("atan2", self.text(first), self.text(second))

    def _piecewise(self, node: sp.Piecewise) -> str:
        value, condition = node.args[-1]
        if condition not in (True, sp.true):
            raise InputError("code: a piecewise form without a default has no array form")
        text = self.text(value)
        for value, condition in reversed(node.args[:-1]):
            text = self.call("where", self._condition(condition), self.text(value), text)
        return text

    def _condition(self, condition: sp.Basic) -> str:
        operator = {sp.Eq: "==", sp.Ne: "!=", sp.StrictLessThan: "<", sp.LessThan: "<=",
                    sp.StrictGreaterThan: ">", sp.GreaterThan: ">="}[condition.func]  # fmt: skip
        return f"{self.text(condition.lhs)} {operator} {self.text(condition.rhs)}"

    def _special(self, node: sp.Basic) -> str | None:
        """A helper of the preamble."""
        if isinstance(node, LogCosh):
            return self._help("_log_cosh", self.text(node.args[0]))
        if isinstance(node, ErfcX):
            return self.call("erfcx", self.text(node.args[0]))
        if isinstance(node, SincMoment | SinhMoment):
            name = "_sinc_moment" if isinstance(node, SincMoment) else "_sinh_moment"
            return self._help(name, str(int(node.args[0])), self._full(node.args[1]))
        if isinstance(node, TanhMean):
            i, j = (int(a) for a in node.args[:2])
            tables = [
                str({n: {k: float(c) for k, c in row.items()} for n, row in t.items()}) for t in addition_table(i, j)
            ]
            polynomials = [str([float(c) for c in reversed(tanh_derivative(n).all_coeffs())]) for n in (i, j)]
            points = [self._full(a) for a in node.args[2:4]]
            ends = [literal(a) for a in node.args[4:]]
            return self._help("_tanh_mean", str(i), str(j), *points, *ends, *polynomials, *tables)
        if isinstance(node, TiltedMean):
            return self._tilted(node)
        names: dict[type, tuple[str, int, int]] = {
            UniformMoment: ("_uniform_moment", 1, 3), LaplaceMoment: ("_laplace_moment", 1, 3),
            CauchyMoment: ("_cauchy_moment", 1, 2), TruncatedMoment: ("_truncated_moment", 2, 4),
        }  # fmt: skip
        if type(node) in names:
            name, integers, arrays = names[type(node)]
            head = [str(int(a)) for a in node.args[:integers]]
            body = [self._full(a) for a in node.args[integers : integers + arrays]]
            tail = [literal(a) for a in node.args[integers + arrays :]]
            return self._help(name, *head, *body, *tail)
        return None

    def _tilted(self, node: sp.Basic) -> str:
        a, b, x, y, weights, bias, raw = TiltedMean.parse(node.args)
        points = [f"[{', '.join(self._full(s) for s in point)}]" for point in (x, y)]
        laws = [f"({literal(m)}, {literal(v)})" for m, v in (*weights, bias)]
        complex_ = any(im != 0 or any(i != 0 for _, i in p) for _, _, im, p in raw)

        def number(re: sp.Expr, im: sp.Expr) -> str:
            return f"({literal(re)} + 1j * {literal(im)})" if im != 0 else literal(re)

        groups = [
            f"({literal(q)}, {number(re, im)}, [{', '.join(number(r, i) for r, i in p)}])" for q, re, im, p in raw
        ]
        real = "_real_part" if complex_ else "_same"
        return self._help(
            "_tilted_mean", "exp", "sqrt", real, str(a), str(b), *points, f"[{', '.join(laws[:-1])}]", laws[-1],
            f"[{', '.join(groups)}]",
        )  # fmt: skip

    def _help(self, name: str, *arguments: str) -> str:
        self.helpers.add(name)
        return f"{name}({', '.join(arguments)})"

    def _full(self, node: sp.Expr) -> str:
        """An argument that the helper needs as an array of the result's shape."""
        return f"({self.text(node)} + zero)"


def literal(node: sp.Basic) -> str:
    """A number as a float literal, correctly rounded from 30 digits; small integers keep a short form."""
    with mp.workdps(30):
        value = float(mp.mpf(str(sp.N(node, 30))))
    text = repr(value)
    return f"({text})" if value < 0 else text
