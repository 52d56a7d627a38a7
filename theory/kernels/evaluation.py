"""Evaluation of exact expressions to a stated number of digits, in multiprecision.

The working precision is raised until two precisions agree to the digits asked for.  Where an expression is
singular in form only (0/0 on the diagonal), its limit is taken along two displacements that must agree.
Process-global state of mpmath is restored; the module is not for several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp
from mpmath import mp

from theory.activations import step
from theory.errors import InputError, PrecisionCapError

MAX_DIGITS = 2000
"""Most digits that can be asked for."""
MAX_WORKING_DIGITS = 20_000
"""Cap of the working precision."""

Number = Any
"""An mpmath real number."""


def mpf(value: Fraction | int) -> Number:
    """A rational in the current precision, correctly rounded."""
    value = Fraction(value)
    return mp.mpf(value.numerator) / value.denominator


FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "exp": mp.exp, "log": mp.log, "sinh": mp.sinh, "cosh": mp.cosh,
    "tanh": mp.tanh, "atan": mp.atan, "asin": mp.asin, "acos": mp.acos, "asinh": mp.asinh, "atan2": mp.atan2,
    "erf": mp.erf, "erfc": mp.erfc, "gamma": mp.gamma, "besselk": mp.besselk, "sinc": mp.sinc, "Abs": abs,
    "sign": mp.sign, "factorial": mp.factorial,
}  # fmt: skip


def evaluate(expr: sp.Expr, values: Mapping[sp.Symbol, Number | Fraction]) -> Number:
    """The value of ``expr`` in the current precision of mpmath; each shared subexpression once.

    Rational arithmetic stays exact as long as it can: with exact values of the symbols, a difference that vanishes is
    recognised as zero and not as noise, which no comparison of two precisions would tell from a small number.

    Raises:
        ZeroDivisionError: a singular form such as 0/0; see :func:`to_digits`.
        InputError: a function or symbol that is not known here.
    """
    memo: dict[sp.Basic, Any] = dict(values)

    def visit(node: sp.Basic) -> Any:
        if node in memo:
            return memo[node]
        memo[node] = result = compute(node)
        return result

    def number(node: sp.Basic) -> Number:
        value = visit(node)
        return mpf(value) if isinstance(value, Fraction) else value

    def compute(node: sp.Basic) -> Any:
        if node.is_Rational:
            return Fraction(int(node.p), int(node.q))
        if node is sp.pi:
            return +mp.pi
        if node is sp.E:
            return +mp.e
        if node.is_Add or node.is_Mul:
            return _combine(node.is_Add, [visit(a) for a in node.args])
        if isinstance(node, sp.exp):
            return mp.exp(number(node.args[0]))
        if node.is_Pow:
            return _power(visit(node.base), node.exp, number)
        if isinstance(node, sp.Piecewise):
            for value, condition in node.args:
                if _holds(condition, visit):
                    return visit(value)
            raise InputError(f"cannot evaluate {node}: no branch applies")
        if isinstance(node, step):
            return Fraction(int(visit(node.args[0]) > 0))
        if isinstance(node, sp.Max | sp.Min):
            parts = [number(a) for a in node.args]
            return max(parts) if isinstance(node, sp.Max) else min(parts)
        if isinstance(node, sp.Abs):
            return abs(visit(node.args[0]))
        function = getattr(node.func, "mp_value", None)
        if function is not None:
            return function(mp, *(number(a) for a in node.args))
        name = node.func.__name__
        if name in FUNCTIONS:
            return FUNCTIONS[name](*(number(a) for a in node.args))
        raise InputError(f"cannot evaluate {node}: {name} is not known")

    return number(expr)


def _combine(is_sum: bool, parts: list[Any]) -> Any:
    """The sum or product of Fractions and mpmath numbers; an exact zero factor wins."""
    exact = [v for v in parts if isinstance(v, Fraction)]
    rest = [v for v in parts if not isinstance(v, Fraction)]
    if is_sum:
        total = sum(exact, Fraction(0))
        return mp.fsum([mpf(total), *rest]) if rest else total
    factor = Fraction(1)
    for v in exact:
        factor *= v
    if not rest or (factor == 0 and all(mp.isfinite(v) for v in rest)):
        return factor
    return mp.fprod([mpf(factor), *rest])


def _power(base: Any, exponent: sp.Expr, number: Callable[[sp.Basic], Number]) -> Any:
    if exponent.is_Integer:
        if base == 0 and exponent.is_negative:
            raise ZeroDivisionError
        return base ** int(exponent)
    value = mpf(base) if isinstance(base, Fraction) else base
    if exponent.is_Rational and exponent.q == 2:
        return mp.sqrt(value) ** int(exponent.p)
    return mp.power(value, number(exponent))


def _holds(condition: Any, visit: Callable[[sp.Basic], Any]) -> bool:
    if condition in (True, sp.true):
        return True
    if condition in (False, sp.false):
        return False
    left, right = visit(condition.lhs), visit(condition.rhs)
    match condition.func:
        case sp.Eq:
            return bool(left == right)
        case sp.Ne:
            return bool(left != right)
        case sp.StrictLessThan:
            return bool(left < right)
        case sp.LessThan:
            return bool(left <= right)
        case sp.StrictGreaterThan:
            return bool(left > right)
        case sp.GreaterThan:
            return bool(left >= right)
    raise InputError(f"cannot decide {condition}")


def converged(compute: Callable[[], Number], digits: int, extra: int = 15) -> Number:
    """The value of ``compute()`` to ``digits`` significant digits, by comparing two working precisions.

    Args:
        compute: evaluates in the current precision.
        digits: significant digits wanted, 1 to :data:`MAX_DIGITS`.
        extra: guard digits of the first attempt.

    Returns:
        An mpmath number; exactly 0 when the value is under 10^(−3 digits − 120) at every precision tried.

    Raises:
        InputError: ``digits`` out of range.
        PrecisionCapError: no agreement under :data:`MAX_WORKING_DIGITS`.
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= MAX_DIGITS:
        raise InputError(f"digits: {digits!r}; allowed: an integer from 1 to {MAX_DIGITS}")
    working = digits + extra
    previous: Number | None = None
    while working <= MAX_WORKING_DIGITS:
        with mp.workdps(working):
            value = compute()
            if not mp.isfinite(value):
                raise ZeroDivisionError
            if previous is not None:
                if value == 0 == previous:
                    return value
                if abs(value - previous) <= abs(value) * mp.mpf(10) ** (-digits - 2):
                    return value
                if working > 3 * digits + 200 and abs(value) < mp.mpf(10) ** (-3 * digits - 120):
                    return mp.mpf(0)
            previous = value
        working += max(15, working // 2) if previous is not None and working > digits + extra else 12
    raise PrecisionCapError(
        f"digits: {digits} digits were not reached with {MAX_WORKING_DIGITS} working digits; ask for fewer"
    )


def to_digits(
    expr: sp.Expr,
    values: Mapping[sp.Symbol, Fraction],
    digits: int,
    extra: int = 15,
) -> Number:
    """The value of an expression at exact rational values of its symbols, to ``digits`` significant digits.

    A form that is 0/0 at the point is replaced by its limit: the values at two displacements, 10^−(digits+20) and
    its square, must agree to the digits asked for.

    Raises:
        PrecisionCapError: not reached, or no limit.
        InputError: ``digits`` out of range.
    """

    def at(shift: int) -> Number:
        exact = {
            s: v + (Fraction(i + 1, 10**shift) if shift else 0)
            for i, (s, v) in enumerate(sorted(values.items(), key=lambda item: item[0].name))
        }
        return evaluate(expr, exact)

    try:
        return converged(lambda: at(0), digits, extra)
    except ZeroDivisionError:
        pass
    shift = digits + 20
    try:
        near = converged(lambda: at(shift), digits, extra + 2 * shift)
        nearer = converged(lambda: at(2 * shift), digits, extra + 4 * shift)
    except ZeroDivisionError:
        raise PrecisionCapError("evaluation: the expression is singular at this point and near it") from None
    if not mp.almosteq(near, nearer, rel_eps=mp.mpf(10) ** (1 - digits), abs_eps=mp.mpf(10) ** (-digits - 10)):
        raise PrecisionCapError("evaluation: the expression is singular at this point, without a limit")
    return nearer


def decimal(value: Number, digits: int) -> str:
    """A decimal string of ``digits`` significant digits."""
    with mp.workdps(digits + 10):
        return str(mpmath.nstr(value, digits, strip_zeros=False, min_fixed=-4, max_fixed=8))
