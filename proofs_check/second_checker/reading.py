"""A certificate's JSON, read as ``docs/certificates.md`` specifies it; everything else is refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, NoReturn

from proofs_check.second_checker.intervals import UndecidedError, spend
from proofs_check.second_checker.series import FUNCTIONS

FORMAT = "adfd certificate, version 2"
Point = tuple[Fraction, ...]
Bounds = tuple[Fraction, Fraction]
_LARGEST = 400_000_000, 4_000_000


def refuse(reason: str) -> NoReturn:
    """Ends the check."""
    raise UndecidedError(reason)


def load(content: bytes) -> Any:
    """The JSON of a file's bytes."""
    if len(content) > _LARGEST[0] or sum(content.count(c) for c in b",[{") > _LARGEST[1]:
        refuse("too large a file")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) < len(items):
            refuse("an object with one key twice")
        return dict(items)

    def whole(digits: str) -> int:
        if not re.fullmatch("0|-?[1-9][0-9]{0,10}", digits):
            refuse("an integer spelled otherwise")
        return int(digits)

    def never(text: str) -> Any:
        refuse(f"{text[:20]} where only integers and texts may be")

    return json.loads(
        content.decode("utf-8"), object_pairs_hook=pairs, parse_int=whole, parse_float=never, parse_constant=never
    )


def record(data: Any, keys: str, what: str) -> list[Any]:
    """The values of an object that has exactly these keys, in their order."""
    names = keys.split()
    if not isinstance(data, dict) or sorted(data) != sorted(names):
        refuse(f"{what} is not an object with {keys}")
    return [data[name] for name in names]


def sequence(data: Any, what: str, least: int = 0) -> list[Any]:
    """A list of at least so many."""
    if not isinstance(data, list) or len(data) < least:
        refuse(f"{what} is not a list of {least} or more")
    return data


def whole(data: Any, low: int, high: int, what: str) -> int:
    """An integer (no truth value) in a range."""
    if isinstance(data, bool) or not isinstance(data, int) or not low <= data <= high:
        refuse(f"{what} is not an integer from {low} to {high}")
    return data


_RATIONAL = re.compile("(0|-?[1-9][0-9]*)(?:/([1-9][0-9]*))?")


def rational(data: Any, what: str) -> Fraction:
    """A rational in its one spelling."""
    match = _RATIONAL.fullmatch(data) if isinstance(data, str) and len(data) <= 4000 else None
    if match is None:
        refuse(f"{what} is not a rational in lowest terms")
    if match[2] is None:
        return Fraction(int(match[1]))
    p, q = int(match[1]), int(match[2])
    if q == 1 or math.gcd(p, q) > 1:
        refuse(f"{what} is not a rational in lowest terms")
    return Fraction(p, q)


def bound(data: Any, what: str) -> Fraction:
    """``["p", e]``."""
    pair = sequence(data, what)
    if len(pair) != 2 or not isinstance(pair[0], str) or not re.fullmatch("0|-?[1-9][0-9]{0,3999}", pair[0]):
        refuse(f"{what} is no bound")
    e = whole(pair[1], -50_000, 50_000, what)
    if pair[0].endswith("0") and (pair[0] != "0" or e):
        refuse(f"{what} has zeros that belong into its exponent")
    return Fraction(int(pair[0]) * 10**e) if e >= 0 else Fraction(int(pair[0]), 10**-e)


def claim(data: Any, what: str) -> Bounds:
    """A lower and an upper bound."""
    low, high = record(data, "lower upper", what)
    return bound(low, what), bound(high, what)


def point(data: Any, d: int, what: str) -> Point:
    """d rationals."""
    if len(sequence(data, what)) != d:
        refuse(f"{what} has not {d} coordinates")
    return tuple(rational(v, what) for v in data)


def points(data: Any, d: int, what: str, least: int = 0) -> list[Point]:
    """A list of them."""
    return [point(x, d, what) for x in sequence(data, what, least)]


def expression(tree: Any, names: list[str], what: str) -> list[Any]:
    """The tree, if it is one."""
    parts = 0

    def visit(node: Any, depth: int) -> None:
        nonlocal parts
        if depth > 100 or not isinstance(node, list) or not node or not isinstance(node[0], str):
            refuse(f"{what}: no expression, or nested too deep")
        name, *arguments = node
        parts += max(1, len(arguments) - 1)
        if name in FUNCTIONS or name == "power":
            parts += 4 if name == "erf" else 1
        if parts > 2000:
            refuse(f"{what}: too long")
        if name == "number" and len(arguments) == 1:
            rational(arguments[0], what)
        elif name == "variable" and len(arguments) == 1:
            if arguments[0] not in names:
                refuse(f"{what}: an unknown variable")
        elif name == "power" and len(arguments) == 2:
            exponent = rational(arguments[1], what)
            if exponent == 0 or abs(exponent) > 1024 or exponent.denominator > 16:
                refuse(f"{what}: an exponent that is not allowed")
            visit(arguments[0], depth + 1)
        elif (name in ("sum", "product") and len(arguments) >= 2) or (name in FUNCTIONS and len(arguments) == 1):
            for argument in arguments:
                visit(argument, depth + 1)
        elif name != "pi" or arguments:
            refuse(f"{what}: no such expression")

    visit(tree, 0)
    return list(tree)


@dataclass(frozen=True)
class Term:
    """A coefficient and the factors of derivatives, by multi-index."""

    coefficient: list[Any]
    factors: dict[tuple[int, ...], Fraction]

    @property
    def order(self) -> int:
        """The highest."""
        return max(sum(a) for a in self.factors)


def operator(data: Any, names: list[str]) -> list[Term]:
    """A list of terms."""
    found = []
    for term in sequence(data, "operator", 1):
        coefficient, derivatives = record(term, "coefficient derivatives", "term")
        factors: dict[tuple[int, ...], Fraction] = {}
        for derivative in sequence(derivatives, "derivatives", 1):
            orders, factor = record(derivative, "orders factor", "derivative")
            a = tuple(whole(m, 0, 16, "orders") for m in sequence(orders, "orders"))
            f = rational(factor, "factor")
            if len(a) != len(names) or sum(a) > 16 or a in factors or f == 0:
                refuse("derivatives: a wrong length or order, a derivative twice, or a factor 0")
            factors[a] = f
        found.append(Term(expression(coefficient, names, "coefficient"), factors))
    return found


@dataclass(frozen=True)
class Problem:
    """What the matrix is made from."""

    names: list[str]
    activation: list[Any]
    features: list[tuple[Point, Fraction]]
    operator: list[Term]
    points: list[Point]
    boundary: list[tuple[list[Point], Fraction, list[Term]]]


def problem(data: Any) -> Problem:
    """The object ``problem``."""
    keys = "variables activation weights biases operator points boundary"
    variables, activation, weights, biases, terms, interior, faces = record(data, keys, "problem")
    names = sequence(variables, "variables", 1)
    if any(name not in ("x", "y", "z", "t") for name in names) or len(set(names)) < len(names):
        refuse("variables are some of x, y, z, t")
    d = len(names)
    w = points(weights, d, "weights", 1)
    b = [rational(v, "biases") for v in sequence(biases, "biases")]
    if len(b) != len(w):
        refuse("biases are not as many as weights")
    inner = points(interior, d, "points")
    boundary = []
    for face in sequence(faces, "boundary"):
        xs, weight, terms_of_face = record(face, "points weight operator", "boundary")
        size = rational(weight, "weight")
        if size < 0:
            refuse("a negative weight")
        boundary.append((points(xs, d, "boundary points", 1), size, operator(terms_of_face, names)))
    if not inner and not boundary:
        refuse("no points")
    s = expression(activation, ["z"], "activation")
    return Problem(names, s, list(zip(w, b, strict=True)), operator(terms, names), inner, boundary)


Difference = list[tuple[list[Point], list[Fraction]]]


def difference(data: Any, of: Problem) -> Difference | None:
    """Shifts and weights a term, which must discretise it; ``None`` for automatic differentiation."""
    if data is None:
        return None
    if len(sequence(data, "difference")) != len(of.operator):
        refuse("difference: not one for each term")
    found = []
    for one, term in zip(data, of.operator, strict=True):
        first, second = record(one, "shifts weights", "difference")
        shifts = points(first, len(of.names), "shifts", 1)
        weights = [rational(v, "weights") for v in sequence(second, "weights")]
        if len(weights) != len(shifts) or len(set(shifts)) < len(shifts):
            refuse("difference: a shift twice, or not as many weights as shifts")
        for a in _indices(len(of.names), term.order):
            moment = sum((c * _power(s, a) for c, s in zip(weights, shifts, strict=True)), Fraction(0))
            if moment != math.prod(math.factorial(m) for m in a) * term.factors.get(a, Fraction(0)):
                refuse("difference: it does not discretise its term")
        found.append((shifts, weights))
    return found


def _indices(d: int, order: int) -> Iterator[tuple[int, ...]]:
    return (a for a in product(range(order + 1), repeat=d) if sum(a) <= order)


def _power(x: Point, a: tuple[int, ...]) -> Fraction:
    size = max(max(v.numerator.bit_length(), v.denominator.bit_length()) for v in x)
    spend(10 + (size * (1 + sum(a)) / 300) ** 1.6)
    return math.prod((v**m for v, m in zip(x, a, strict=True)), start=Fraction(1))


def columns(data: Any, rows: int) -> list[list[tuple[int, int]]]:
    """The vectors: each a list of dyadic numbers (mantissa, exponent)."""
    found = []
    if len(sequence(data, "vectors")) > rows:
        refuse("more vectors than rows")
    for column in data:
        exponent, mantissas = record(column, "exponent mantissas", "vector")
        e = whole(exponent, -262_144, 262_144, "exponent")
        if len(sequence(mantissas, "mantissas")) != rows:
            refuse("a vector of another length")
        for m in mantissas:
            if not isinstance(m, str) or not re.fullmatch("0|-?[1-9a-f][0-9a-f]{0,39999}", m):
                refuse("a mantissa that is not hexadecimal")
        found.append([(int(m, 16), e) for m in mantissas])
    return found
