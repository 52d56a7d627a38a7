"""Values of exact expressions in multiprecision: to a stated number of digits, or at many points.

To digits: the working precision is raised until two precisions agree.  Where an expression is singular in form only (0/0 on
the diagonal), its limit is taken along two displacements that must agree.  At many points: a :class:`Program`, a list of
Python callables over numbered registers (no source text is generated or executed), with the error function in integers, ten
times as fast as a series for each.  Process-global state of mpmath is restored; the module is not for several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import mpmath
import sympy as sp
from mpmath import libmp, mp

from theory.base.errors import InputError, PrecisionCapError
from theory.features.activations import step

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


GUARD_BITS = 40
LOST_BITS = 16
"""Nearer to 0 than 2^−16 the number of significant bits of a fixed-point result would not do."""
PER_UNIT = 8
"""Centres of expansion: the multiples of 1/8."""


def erf(u: Number) -> Number:
    """erf(u) in the current precision, by Taylor's series about the nearest multiple of 1/8.

    Args:
        u: a number of mpmath; near 0, far out and off the real line mpmath's own function is used.

    >>> from mpmath import mp
    >>> with mp.workdps(30):
    ...     print(mp.nstr(erf(mp.mpf(1) / 3), 25))
    0.3626481117660629334081786
    """
    bits = int(mp.prec) + GUARD_BITS
    if not isinstance(u, mp.mpf) or not 2**-LOST_BITS <= abs(u) <= bits**0.5:
        return mp.erf(u)
    fixed = int(libmp.to_fixed(u._mpf_, bits))
    nearest = (PER_UNIT * fixed + (1 << (bits - 1))) >> bits
    offset = fixed - (nearest << bits) // PER_UNIT
    total = 0
    for coefficient in _taylor(nearest, bits):
        total = (total * offset >> bits) + coefficient
    return mp.ldexp(mp.mpf(total), -bits)


@lru_cache(maxsize=4096)
def _taylor(nearest: int, bits: int) -> tuple[int, ...]:
    """Taylor's coefficients of erf about nearest/8 in fixed point, the last first, up to those below 2^−bits.

    Those of f = 2 exp(−u²)/√π satisfy (k+1) a_{k+1} = −2 c a_k − 2 a_{k−1}, since f′ = −2uf.
    """
    with mp.workprec(bits + GUARD_BITS):
        c = mp.mpf(nearest) / PER_UNIT
        found = [mp.erf(c)]
        last, current, k = mp.mpf(0), 2 * mp.exp(-c * c) / mp.sqrt(mp.pi), 0
        radius = mp.mpf(1) / (2 * PER_UNIT)
        while max(abs(last), abs(current)) * radius**k >= mp.ldexp(1, -bits - 4):
            found.append(current / (k + 1))
            last, current = current, (-2 * c * current - 2 * last) / (k + 1)
            k += 1
        return tuple(int(mp.ldexp(a, bits)) for a in reversed(found))


class Program:
    """``program(*values)`` gives the values of the expressions; common subexpressions are computed once."""

    def __init__(self, expressions: Sequence[sp.Expr], symbols: Sequence[sp.Symbol]) -> None:
        self.inputs = len(symbols)
        self.registers: dict[sp.Basic, int] = {s: i for i, s in enumerate(symbols)}
        self.operations: list[tuple[int, Callable[..., Number], tuple[int, ...]]] = []
        self.constants: list[tuple[int, sp.Basic]] = []
        self.size = len(symbols)
        self.outputs = [self._place(sp.sympify(e)) for e in expressions]
        self._prepared: tuple[int, list[Number]] | None = None

    def _new(self, node: sp.Basic) -> int:
        self.registers[node] = self.size
        self.size += 1
        return self.size - 1

    def _place(self, node: sp.Basic) -> int:
        if node in self.registers:
            return self.registers[node]
        if node.is_number:
            index = self._new(node)
            self.constants.append((index, node))
            return index
        arguments = tuple(self._place(a) for a in node.args if not _is_exponent(node, a))
        function = _operation(node)
        index = self._new(node)
        self.operations.append((index, function, arguments))
        return index

    def _start(self) -> list[Number]:
        """Registers with the constants filled in for the current precision."""
        prec = int(mp.prec)
        if self._prepared is None or self._prepared[0] != prec:
            registers: list[Number] = [None] * self.size
            for index, node in self.constants:
                registers[index] = evaluate(node, {})
            self._prepared = (prec, registers)
        return list(self._prepared[1])

    def __call__(self, *values: Number) -> list[Number]:
        registers = self._start()
        registers[: self.inputs] = values
        for index, function, arguments in self.operations:
            registers[index] = function(*(registers[a] for a in arguments))
        return [registers[i] for i in self.outputs]


def _is_exponent(node: sp.Basic, argument: sp.Basic) -> bool:
    return bool(node.is_Pow and argument is node.exp and node.exp.is_Rational)


def _operation(node: sp.Basic) -> Callable[..., Number]:
    if node.is_Add:
        return _add
    if node.is_Mul:
        return _multiply
    if isinstance(node, sp.exp):
        exponential: Callable[..., Number] = mp.exp
        return exponential
    if isinstance(node, sp.erf):  # at many points; single values, those of closed forms among them, are mpmath's
        return erf
    if node.is_Pow:
        exponent = node.exp
        if exponent == 2:
            return _square
        if exponent.is_Integer:
            return partial(_whole_power, int(exponent))
        if exponent.is_Rational:
            return partial(_root_power, int(exponent.p), int(exponent.q))
        raise InputError(f"cannot evaluate {node}")
    if isinstance(node, step):
        return lambda a: mp.mpf(int(a > 0))
    if hasattr(node.func, "mp_value"):
        method: Callable[..., Number] = node.func.mp_value
        return lambda *a: method(mp, *a)
    name = node.func.__name__
    if name in FUNCTIONS:
        function: Callable[..., Number] = FUNCTIONS[name]
        return function
    raise InputError(f"cannot evaluate {node}: {name} is not known")


def _whole_power(n: int, base: Number) -> Number:
    return base**n


def _root_power(p: int, q: int, base: Number) -> Number:
    return (mp.sqrt(base) if q == 2 else mp.root(base, q)) ** p


def _add(*parts: Number) -> Number:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _multiply(*parts: Number) -> Number:
    total = parts[0]
    for part in parts[1:]:
        total = total * part
    return total


def _square(base: Number) -> Number:
    return base * base
