"""Finite-difference stencils in any dimension: exact weights, order and truncation expansion.

``D_h u(x) = h^-m sum_k c_k u(x + h s_k)`` with rational nodes ``s_k`` approximates a homogeneous operator
``sum_b t_b d^b u(x)`` of degree ``m``; the weights solve the moment equations exactly. Taylor's theorem gives
``D_h u = sum_b t_b d^b u + sum_{q >= p} h^q sum_{|b| = m+q} e_b d^b u`` with
``e_b = sum_k c_k s_k^b / b!``: exact rationals, and ``p`` is the order.
Standard library alone: importing this module costs milliseconds.

LaTeX of a stencil: the difference quotient and the leading terms of its error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, lcm, prod

from theory.base.errors import InputError, NonexistenceError
from theory.base.exact import rational, spell
from theory.stencils.moments import (
    MultiIndex,
    Point,
    common_denominator,
    multi_factorial,
    multi_indices,
    weights_1d,
    weights_nd,
)

MAX_NODES = 64
"""Most nodes of a stencil given by its offsets (products may have ``MAX_PRODUCT_NODES``)."""
MAX_LINE_NODES = 128
"""Most nodes of a stencil made from others in one variable."""
MAX_PRODUCT_NODES = 4096
"""Most nodes of a stencil made from others in several variables."""
MAX_NODE_BITS = 64
"""Longest numerator or denominator of a node, in bits."""
MAX_COMMON_BITS = 128
"""Longest common denominator of the nodes of one stencil, in bits."""
MAX_ND_BITS = 1024
"""Most bits (nodes times the longest coordinate over the common denominator) in several variables."""
MAX_TERMS = 64
"""Most terms of a truncation expansion."""
MAX_DIMENSION = 8
MAX_EXPANSION = 20000
"""Most multi-indices visited in one expansion in several variables."""


@dataclass(frozen=True)
class TruncationTerm:
    """One term ``h^power sum_b e_b d^b u`` of a truncation expansion; only non-zero ``e_b`` are listed."""

    power: int
    coefficients: tuple[tuple[MultiIndex, Fraction], ...]

    @property
    def value(self) -> Fraction:
        """The coefficient, in one variable.

        Raises:
            InputError: in several variables.
        """
        if len(self.coefficients[0][0]) != 1:
            raise InputError("truncation: `value` is for one variable; use `coefficients` in several")
        return self.coefficients[0][1]

    @property
    def derivative(self) -> int:
        """The order ``m + power`` of the derivatives in this term."""
        return sum(self.coefficients[0][0])


@dataclass(frozen=True)
class Stencil:
    """A finite-difference stencil; on construction the weights are checked to be consistent, exactly.

    Attributes:
        target: pairs (multi-index, coefficient), sorted, of the homogeneous operator approximated.
        nodes: the points ``s_k`` in units of ``h``, distinct.
        weights: the weights ``c_k``; the difference divides their sum by ``h^degree``.

    Raises:
        InputError: repeated nodes, unequal lengths, or weights that are not consistent with the target.
    """

    target: tuple[tuple[MultiIndex, Fraction], ...]
    nodes: tuple[Point, ...]
    weights: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if not self.target or not self.nodes or len(self.nodes) != len(self.weights):
            raise InputError("stencil: a target, nodes, and as many weights as nodes are needed")
        if len({sum(index) for index, _ in self.target}) != 1:
            raise InputError("stencil: the derivatives of the target must all have one order")
        if len({len(point) for point in self.nodes} | {len(index) for index, _ in self.target}) != 1:
            raise InputError("stencil: nodes and target must have one dimension")
        if len(set(self.nodes)) != len(self.nodes):
            raise InputError("stencil: nodes must be distinct")
        wanted = dict(self.target)
        if list(self.target) != sorted(wanted.items(), reverse=True) or not all(wanted.values()):
            raise InputError("stencil: target must be sorted, without repetitions and without zeros")
        for level in range(self.degree + 1):
            for index in multi_indices(self.dimension, level):
                if self.taylor(index) != wanted.get(index, 0):
                    raise InputError(f"stencil: the weights are not consistent at the derivative {index}")

    @property
    def dimension(self) -> int:
        """Number of variables."""
        return len(self.nodes[0])

    @property
    def degree(self) -> int:
        """Order ``m`` of the derivatives approximated, the power of ``1/h``."""
        return sum(self.target[0][0])

    @property
    def derivative(self) -> int:
        """``m``, for a stencil in one variable of ``d^m``."""
        self.require_one_variable("derivative")
        return self.degree

    @property
    def offsets(self) -> tuple[Fraction, ...]:
        """The nodes as numbers, in one variable."""
        self.require_one_variable("offsets")
        return tuple(point[0] for point in self.nodes)

    @property
    def norm1(self) -> Fraction:
        """``sum_k |c_k|``, the factor of the worst-case round-off."""
        return sum((abs(c) for c in self.weights), Fraction(0))

    @property
    def norm2_squared(self) -> Fraction:
        """``sum_k c_k^2``, the factor of the typical round-off, squared."""
        return sum((c * c for c in self.weights), Fraction(0))

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether ``c(-s) = (-1)^m c(s)``: exactly then the Fourier symbol is real."""
        sign = (-1) ** self.degree
        weight = dict(zip(self.nodes, self.weights, strict=True))
        return all(weight.get(tuple(-x for x in s), Fraction(0)) == sign * c for s, c in weight.items())

    @cached_property
    def is_exact(self) -> bool:
        """Whether ``D_h`` equals its target on every function (only a multiple of ``u`` itself can)."""
        return all(not c or not any(s) for s, c in zip(self.nodes, self.weights, strict=True))

    @cached_property
    def order(self) -> int:
        """The order ``p``: the first power of ``h`` in the truncation expansion.

        Raises:
            NonexistenceError: the stencil is exact, such as the identity.
        """
        if self.is_exact:
            raise NonexistenceError("stencil: it is exact on every function, so it has no finite order")
        return self.truncation(1)[0].power

    def taylor(self, index: MultiIndex) -> Fraction:
        """``sum_k c_k s_k^b / b!``, the coefficient of ``h^(|b|-m) d^b u`` in ``D_h u``; exact."""
        nodes, q, weights, w = self._integers
        if len(index) == 1:
            power = index[0]
            total = sum(c * s[0] ** power for s, c in zip(nodes, weights, strict=True))
        else:
            total = sum(
                c * prod(x**i for x, i in zip(s, index, strict=True)) for s, c in zip(nodes, weights, strict=True)
            )
        return Fraction(total, w * q ** sum(index) * multi_factorial(index))

    def truncation(self, terms: int = 3) -> tuple[TruncationTerm, ...]:
        """The first ``terms`` non-zero terms of ``D_h u - (target) u`` in powers of ``h``; exact.

        Empty for an exact stencil. In several variables the leading term is the one of power ``order``.

        Raises:
            InputError: ``terms`` out of range, or an expansion above ``MAX_EXPANSION`` multi-indices.

        >>> [(t.power, t.derivative, t.value) for t in stencil(2, [-1, 0, 1]).truncation(2)]
        [(2, 4, Fraction(1, 12)), (4, 6, Fraction(1, 360))]
        """
        checked_integer(terms, "terms", 1, MAX_TERMS)
        if self.is_exact:
            return ()
        found: list[TruncationTerm] = []
        degree, dimension, visited = self.degree, self.dimension, 0
        power = 0
        # with n nodes, n consecutive levels cannot all vanish (the moments obey a recurrence of order n)
        while len(found) < terms:
            power += 1
            visited += comb(degree + power + dimension - 1, dimension - 1)
            if visited > MAX_EXPANSION:
                raise InputError(f"terms: more than {MAX_EXPANSION} coefficients; ask for fewer than {terms}")
            level = ((b, self.taylor(b)) for b in multi_indices(dimension, degree + power))
            coefficients = tuple((b, e) for b, e in level if e)
            if coefficients:
                found.append(TruncationTerm(power, coefficients))
        return tuple(found)

    @cached_property
    def _integers(self) -> tuple[tuple[tuple[int, ...], ...], int, tuple[int, ...], int]:
        """Integer nodes with their denominator, integer weights with theirs."""
        d = self.dimension
        flat, q = common_denominator([x for point in self.nodes for x in point])
        weights, w = common_denominator(self.weights)
        return tuple(flat[k * d : (k + 1) * d] for k in range(len(self.nodes))), q, weights, w

    def require_one_variable(self, what: str) -> None:
        """Refuse a stencil in several variables; ``what`` is named in the message."""
        if self.dimension != 1:
            raise InputError(f"stencil: `{what}` is for one variable; this one has {self.dimension}")

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {latex(self)}$"


def checked_integer(value: object, what: str, low: int, high: int) -> int:
    """``value`` if it is an integer from ``low`` to ``high``; else InputError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{what}: {value!r} is not allowed; an integer from {low} to {high}")
    return value


def _node(value: object, what: str) -> Fraction:
    x = rational(value, what)
    if max(x.numerator.bit_length(), x.denominator.bit_length()) > MAX_NODE_BITS:
        raise InputError(f"{what}: numerator and denominator may have at most {MAX_NODE_BITS} bits")
    return x


def _check_common_denominator(values: Iterable[Fraction], what: str) -> None:
    bits = lcm(*{x.denominator for x in values}).bit_length()
    if bits > MAX_COMMON_BITS:
        raise InputError(f"{what}: their common denominator has {bits} bits; at most {MAX_COMMON_BITS} are allowed")


def stencil(derivative: int, offsets: Iterable[object]) -> Stencil:
    """The stencil of ``d^m`` in one variable on the offsets given, in the order given.

    The weights make it exact for polynomials of degree below the number of offsets; with symmetric
    offsets the order may be one higher than that says.

    Raises:
        InputError: repeated offsets, too few of them, more than ``MAX_NODES``, or not rationals.

    >>> s = stencil(1, [0, 1, 2])
    >>> s.weights, s.order
    ((Fraction(-3, 2), Fraction(2, 1), Fraction(-1, 2)), 2)
    """
    values = list(offsets)
    if not 1 <= len(values) <= MAX_NODES:
        raise InputError(f"offsets: {len(values)} of them; from 1 to {MAX_NODES} are allowed")
    s = tuple(_node(v, f"offsets[{i}]") for i, v in enumerate(values))
    repeated = next((x for i, x in enumerate(s) if x in s[:i]), None)
    if repeated is not None:
        raise InputError(f"offsets: {spell(repeated)} is repeated; offsets must be distinct")
    _check_common_denominator(s, "offsets")
    if isinstance(derivative, bool) or not isinstance(derivative, int) or derivative < 0:
        raise InputError(f"derivative: {derivative!r} is not allowed; an integer from 0 on")
    if derivative >= len(s):
        raise InputError(
            f"derivative: {derivative} needs at least {derivative + 1} offsets, {len(s)} given"
            if derivative < MAX_NODES
            else f"derivative: {derivative} is above the limit {MAX_NODES - 1}"
        )
    return Stencil((((derivative,), Fraction(1)),), tuple((x,) for x in s), weights_1d(derivative, s))


def stencil_nd(
    target: Mapping[MultiIndex, object], nodes: Iterable[Sequence[object]], order: int | None = None
) -> Stencil:
    """The least-norm stencil of a homogeneous operator on given nodes in several variables.

    Args:
        target: multi-index to rational coefficient; one total order throughout.
        nodes: distinct points with rational coordinates, in units of ``h``.
        order: the order to reach at least; None takes the highest that the nodes allow.

    Raises:
        InputError: inhomogeneous target, repeated nodes, sizes above the limits, or moment equations
            without a solution.

    >>> five = stencil_nd({(2, 0): 1, (0, 2): 1}, [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
    >>> five.weights == (-4, 1, 1, 1, 1), five.order
    (True, 2)
    """
    points = [tuple(_node(x, f"nodes[{i}]") for x in point) for i, point in enumerate(nodes)]
    if not 1 <= len(points) <= MAX_NODES:
        raise InputError(f"nodes: {len(points)} of them; from 1 to {MAX_NODES} are allowed")
    dimension = len(points[0])
    checked_integer(dimension, "dimension", 1, MAX_DIMENSION)
    for i, point in enumerate(points):
        if len(point) != dimension:
            raise InputError(f"nodes[{i}]: {len(point)} coordinates, but nodes[0] has {dimension}")
        if point in points[:i]:
            raise InputError(f"nodes[{i}]: ({', '.join(map(spell, point))}) is repeated; nodes must be distinct")
    flat = [x for point in points for x in point]
    _check_common_denominator(flat, "nodes")
    integers, q = common_denominator(flat)
    bits = max(q, *map(abs, integers)).bit_length()
    if bits * len(points) > MAX_ND_BITS:
        raise InputError(
            f"nodes: {len(points)} nodes with coordinates of {bits} bits; at most {MAX_ND_BITS} bits in all are allowed"
        )
    coefficients = _target(target, dimension)
    if order is not None:
        checked_integer(order, "order", 1, MAX_NODES)
    return Stencil(tuple(coefficients.items()), tuple(points), weights_nd(coefficients, points, order))


def _target(target: Mapping[MultiIndex, object], dimension: int) -> dict[MultiIndex, Fraction]:
    found: dict[MultiIndex, Fraction] = {}
    for index, value in target.items():
        if len(index) != dimension or not all(type(i) is int and 0 <= i < MAX_NODES for i in index):
            raise InputError(f"target: {index!r} is not a multi-index of {dimension} integers from 0 on")
        t = rational(value, f"target{index}")
        if t:
            found[tuple(index)] = t
    if not found:
        raise InputError("target: the operator is zero; at least one derivative is needed")
    if len({sum(index) for index in found}) != 1:
        raise InputError("target: derivatives of several orders; take one stencil for each order")
    return dict(sorted(found.items(), reverse=True))


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
