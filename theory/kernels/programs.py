"""Expressions compiled to straight-line programs of multiprecision operations, for evaluation at many points.

No source text is generated or executed: a program is a list of Python callables over numbered registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import sympy as sp
from mpmath import mp

from theory.activations import step
from theory.errors import InputError
from theory.kernels import error_function

Number = Any


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
            from theory.kernels.evaluation import evaluate

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
        return error_function.erf
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
    from theory.kernels.evaluation import FUNCTIONS

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
