"""Safe expressions: text from a file or a command line becomes a SymPy expression, or one clear error.

User text is parsed with :mod:`ast` and rebuilt from a fixed list of names and operators; nothing is ever passed
to ``eval``, ``exec`` or ``sympify``.  Length, tree size, exponents and numbers are bounded *before* SymPy sees
them, so that ``9**9**9`` costs nothing.  Evaluation walks the tree itself on a backend of the caller's choice
(numpy, mpmath, flint, torch), each shared subexpression once.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Any, Protocol

import sympy as sp

from theory.base.errors import InputError, nearest
from theory.base.exact import MAX_DIGITS, rational

MAX_LENGTH = 1000
"""Longest expression accepted, in characters."""
MAX_NODES = 300
"""Largest syntax tree accepted."""
MAX_DEPTH = 40
"""Deepest syntax tree accepted."""
MAX_POWER = 64
"""Largest integer exponent accepted, in absolute value."""
MAX_DEGREE = 256
"""Largest product of nested exponents."""
MAX_TERMS = 2000
"""Largest number of terms into which an expression may be expanded."""
MAX_BITS = 2048
"""Largest numerator or denominator that constant folding may produce, in bits."""
MAX_CONSTANT_ARGUMENT = 1000
"""Largest constant argument of sin, exp, …: SymPy evaluates constants, and exp(exp(exp(30))) has 10^13 digits."""

FUNCTIONS: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "sin": sp.sin, "cos": sp.cos, "tan": sp.tan, "exp": sp.exp, "log": sp.log, "sqrt": sp.sqrt,
    "sinh": sp.sinh, "cosh": sp.cosh, "tanh": sp.tanh, "atan": sp.atan, "asinh": sp.asinh,
    "erf": sp.erf, "erfc": lambda u: 1 - sp.erf(u),
    "sech": lambda u: 1 / sp.cosh(u),
    "sigmoid": lambda u: (1 + sp.tanh(u / 2)) / 2,
    "gaussian": lambda u: sp.exp(-(u**2) / 2),
}  # fmt: skip
"""Functions that an expression may call, all smooth where they are defined."""

CONSTANTS: dict[str, sp.Expr] = {"pi": sp.pi, "e": sp.E}
"""Names that stand for numbers."""


class _Builder:
    """Rebuilds a checked syntax tree as a SymPy expression."""

    def __init__(self, text: str, what: str, symbols: Mapping[str, sp.Expr]) -> None:
        self.text, self.what, self.symbols = text, what, symbols

    def fail(self, reason: str) -> InputError:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return InputError(f"{self.what}: {shown!r}: {reason}")

    def number(self, node: ast.Constant) -> sp.Expr:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self.fail(f"{ast.get_source_segment(self.text, node)!r} is not a number")
        spelled = ast.get_source_segment(self.text, node) or ""
        value = rational(spelled.replace("_", ""), self.what)
        return sp.Rational(value.numerator, value.denominator)

    def small(self, value: sp.Expr) -> sp.Expr:
        if value.is_Rational and max(abs(int(value.p)).bit_length(), int(value.q).bit_length()) > MAX_BITS:
            raise self.fail(f"a number of more than {MAX_BITS} bits")
        if value.has(sp.zoo, sp.nan, sp.oo, -sp.oo):
            raise self.fail("divides by zero or is not finite")
        if value.has(sp.I) or (not value.free_symbols and value.is_real is False):
            raise self.fail("is not real")
        if value.has(sp.Abs):
            raise self.fail("is not smooth: an even power under a root is an absolute value")
        return value

    def call(self, name: str, argument: sp.Expr) -> sp.Expr:
        # Every constant argument below this one is bounded already, so that evaluating it is cheap.
        slow = name in {"sqrt", "log", "atan", "asinh"}
        if not (slow or argument.free_symbols or abs(sp.N(argument, 15)) <= MAX_CONSTANT_ARGUMENT):
            raise self.fail(f"{name} of a constant beyond ±{MAX_CONSTANT_ARGUMENT}")
        return self.small(FUNCTIONS[name](argument))

    def power(self, base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
        if not exponent.is_Rational:
            if base == sp.E:
                return self.call("exp", exponent)
            raise self.fail("an exponent must be a number (write exp(...) for a variable exponent)")
        if abs(exponent) > MAX_POWER or exponent.q > 16:
            raise self.fail(f"an exponent beyond ±{MAX_POWER}, or with a denominator over 16")
        if base.is_Rational:
            bits = max(abs(int(base.p)).bit_length(), int(base.q).bit_length())
            if bits * abs(exponent) > MAX_BITS:
                raise self.fail(f"a number of more than {MAX_BITS} bits")
        if degree_bound(base) * abs(exponent) > MAX_DEGREE:
            raise self.fail(f"nested exponents multiply to more than {MAX_DEGREE}")
        return base**exponent

    def build(self, node: ast.expr, depth: int = 0) -> sp.Expr:
        if depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH}")
        match node:
            case ast.Constant():
                return self.small(self.number(node))
            case ast.Name(id=name):
                if name in self.symbols:
                    return self.symbols[name]
                if name in CONSTANTS:
                    return CONSTANTS[name]
                if name in FUNCTIONS:
                    raise self.fail(f"{name} needs an argument in parentheses")
                names = [*self.symbols, *CONSTANTS]
                hint = nearest(name, [*names, *FUNCTIONS])
                raise self.fail(f"unknown name {name!r}; {hint}allowed: {', '.join(sorted(names))} and functions")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.build(operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.build(operand, depth + 1)
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self.build(left, depth + 1), self.build(right, depth + 1)
                match op:
                    case ast.Add():
                        return self.small(a + b)
                    case ast.Sub():
                        return self.small(a - b)
                    case ast.Mult():
                        return self.small(a * b)
                    case ast.Div():
                        if b.is_zero:
                            raise self.fail("divides by zero")
                        return self.small(a / b)
                    case ast.Pow():
                        return self.small(self.power(a, b))
                    case _:
                        raise self.fail("allowed operators: + - * / **")
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return self.call(name, self.build(argument, depth + 1))
            case ast.Call(func=ast.Name(id=name)):
                if name in FUNCTIONS:
                    raise self.fail(f"{name} takes one argument")
                hint = nearest(name, FUNCTIONS)
                raise self.fail(f"unknown function {name!r}; {hint}allowed: {', '.join(sorted(FUNCTIONS))}")
            case _:
                raise self.fail("allowed: numbers, names, + - * / **, parentheses and functions of one argument")


def degree_bound(expr: sp.Expr) -> sp.Rational:
    """The largest product of nested exponents in ``expr``, at least 1: a bound on the cost of expanding it."""
    inner = max((degree_bound(argument) for argument in expr.args), default=sp.Integer(1))
    if expr.is_Pow and expr.exp.is_Rational:
        return max(inner * abs(expr.exp), sp.Integer(1))
    return inner


def term_bound(expr: sp.Expr) -> int:
    """A bound on the number of terms of ``expr`` expanded (logarithms apart); at most ``MAX_TERMS + 1``."""
    counts = [term_bound(argument) for argument in expr.args]
    total = max(counts, default=1)
    if expr.is_Add:
        total = sum(counts)
    elif expr.is_Mul:
        total = math.prod(counts)
    elif expr.is_Pow and expr.exp.is_Integer:
        total = math.comb(counts[0] + abs(int(expr.exp)) - 1, counts[0] - 1)
    return min(total, MAX_TERMS + 1)


def parse(text: str, symbols: Mapping[str, sp.Expr], what: str = "expression") -> sp.Expr:
    """The SymPy expression that ``text`` spells in the given symbols.

    Args:
        text: such as ``"sin(pi*x) + x**2/3"``; decimals are exact (``0.1`` is 1/10).
        symbols: the names allowed besides :data:`CONSTANTS` and :data:`FUNCTIONS`, with what they stand for.
        what: the name of the quantity, for the error message.

    Raises:
        InputError: anything but an expression within the limits of this module; one line.

    >>> z = sp.Symbol("z", real=True)
    >>> parse("z**2/3 + 0.5*sin(z)", {"z": z})
    z**2/3 + sin(z)/2
    """
    if not isinstance(text, str):
        raise InputError(f"{what}: {text!r} must be a string")
    stripped = text.strip()
    if not stripped:
        raise InputError(f"{what}: is empty")
    if len(stripped) > MAX_LENGTH:
        raise InputError(f"{what}: {len(stripped)} characters; at most {MAX_LENGTH} are allowed")
    builder = _Builder(stripped, what, symbols)
    if "^" in stripped:
        raise builder.fail("write powers as **")
    if any(len(run) > MAX_DIGITS for run in stripped.split()):
        raise builder.fail("a run of characters that is too long; put spaces between terms")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as SyntaxWarning for "1if"; the tree is checked below
            tree = ast.parse(stripped, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise builder.fail(f"is not an expression ({getattr(error, 'msg', None) or 'cannot be read'})") from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise builder.fail(f"more than {MAX_NODES} nodes")
    try:
        return builder.build(tree.body)
    except (RecursionError, OverflowError, ZeroDivisionError, TypeError):
        raise builder.fail("cannot be evaluated") from None


class Backend(Protocol):
    """What :func:`evaluate` needs of an arithmetic."""

    def constant(self, value: Fraction) -> Any:
        """An exact rational in this arithmetic."""

    def named(self, name: str) -> Any:
        """π (``"pi"``) or e (``"E"``) in this arithmetic."""

    def function(self, name: str, argument: Any) -> Any:
        """A function of :data:`FUNCTIONS` by SymPy's name, applied."""

    def power(self, base: Any, exponent: Fraction) -> Any:
        """``base`` to a rational power."""


def evaluate(expr: sp.Expr, values: Mapping[sp.Symbol, Any], backend: Backend) -> Any:
    """The value of ``expr`` on ``backend``: post-order, each shared subexpression once.

    Args:
        expr: an expression made of :data:`FUNCTIONS`, rational constants, π and e.
        values: what each free symbol stands for (scalars or arrays, all of one arithmetic).
        backend: the arithmetic.

    Raises:
        InputError: a symbol without a value, or a node that no backend knows.
    """
    found: list[Any] = []
    for operation, payload, arguments in _steps(expr, frozenset(values)):
        parts = [found[k] for k in arguments]
        match operation:
            case "value":
                result = values[payload]
            case "constant":
                result = backend.constant(payload)
            case "sum":
                result = reduce(operator.add, parts)
            case "product":
                result = reduce(operator.mul, parts)
            case "power":
                result = backend.power(parts[0], payload)
            case "function":
                result = backend.function(payload, parts[0])
            case _:
                result = backend.named(payload)
        found.append(result)
    return found[-1]


Step = tuple[str, Any, tuple[int, ...]]
"""An operation, what it needs besides, and the steps whose results it takes."""


@lru_cache(maxsize=4096)
def _steps(expr: sp.Expr, known: frozenset[sp.Expr]) -> tuple[Step, ...]:
    """``expr`` in post-order, each shared subexpression once; what is ``known`` is not taken apart.

    Raises:
        InputError: a symbol that is not known, or a node that no backend knows.
    """
    steps: list[Step] = []
    place: dict[sp.Expr, int] = {}

    def visit(node: sp.Expr) -> int:
        if node not in place:
            steps.append(step(node))
            place[node] = len(steps) - 1
        return place[node]

    def step(node: sp.Expr) -> Step:
        if node in known:
            return "value", node, ()
        if node.is_Rational:
            return "constant", Fraction(int(node.p), int(node.q)), ()
        if node is sp.pi or node is sp.E:
            return "named", str(node), ()
        if node.is_Add or node.is_Mul:
            return "sum" if node.is_Add else "product", None, tuple(visit(argument) for argument in node.args)
        if isinstance(node, sp.exp):
            return "function", "exp", (visit(node.args[0]),)
        if node.is_Pow and node.exp.is_Rational:
            return "power", Fraction(int(node.exp.p), int(node.exp.q)), (visit(node.base),)
        if node.is_Function and len(node.args) == 1:
            return "function", type(node).__name__, (visit(node.args[0]),)
        if node.is_Function and len(node.args) == 2 and node.args[0].is_Integer:  # a function of an order
            return "function", f"{type(node).__name__} {node.args[0]}", (visit(node.args[1]),)
        raise InputError(f"cannot evaluate {node}{'' if node.is_Pow else ': no value for it'}")

    visit(expr)
    return tuple(steps)
