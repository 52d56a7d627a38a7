"""Exact solution of the moment equations of finite differences, in integers.

One variable: the weights are Lagrange's (the derivative of the interpolating polynomial), O(n^2) exact
operations; compare Fornberg, *Generation of finite difference formulas on arbitrarily spaced grids*
(1988). Several variables: the least-norm solution of the moment equations of highest attainable order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import comb, factorial, gcd, lcm, prod

from theory.base.errors import InputError

MultiIndex = tuple[int, ...]
Point = tuple[Fraction, ...]

MAX_EQUATIONS = 4000
"""Most moment equations written down for one stencil in several variables."""


def multi_indices(dimension: int, degree: int) -> Iterator[MultiIndex]:
    """All multi-indices of the degree given, in descending lexicographic order.

    >>> list(multi_indices(2, 2))
    [(2, 0), (1, 1), (0, 2)]
    """
    if dimension == 1:
        yield (degree,)
        return
    for first in range(degree, -1, -1):
        for rest in multi_indices(dimension - 1, degree - first):
            yield (first, *rest)


def multi_factorial(index: MultiIndex) -> int:
    """The product of the factorials of the entries."""
    return prod(factorial(i) for i in index)


def common_denominator(values: Sequence[Fraction]) -> tuple[tuple[int, ...], int]:
    """Integers ``a`` and the least ``q >= 1`` with ``values[k] == a[k] / q``."""
    q = lcm(*(v.denominator for v in values))
    return tuple(v.numerator * (q // v.denominator) for v in values), q


def weights_1d(derivative: int, offsets: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Weights exact for polynomials of degree below ``n``, from distinct offsets, ``derivative < n``.

    >>> weights_1d(2, [Fraction(-1), Fraction(0), Fraction(1)])
    (Fraction(1, 1), Fraction(-2, 1), Fraction(1, 1))
    """
    nodes, q = common_denominator(offsets)
    n = len(nodes)
    full = [1]  # ascending coefficients of the product of all (t - a_j)
    for a in nodes:
        full = [high - a * low for low, high in zip([*full, 0], [0, *full], strict=True)]
    scale = factorial(derivative) * q**derivative
    weights = []
    for a in nodes:
        top = 1  # synthetic division by (t - a), stopped at the coefficient needed
        for j in range(n - 1, derivative, -1):
            top = full[j] + a * top
        weights.append(Fraction(scale * top, prod(a - b for b in nodes if b != a)))
    return tuple(weights)


class _System:
    """Integer equations, the right-hand side last: the independent ones, and their echelon form."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.equations: list[list[int]] = []
        self._echelon: dict[int, list[int]] = {}

    def copy(self) -> _System:
        """A copy whose rows are shared, which is safe since rows are never changed."""
        other = _System(self.columns)
        other.equations, other._echelon = list(self.equations), dict(self._echelon)
        return other

    def add(self, equation: list[int]) -> bool:
        """Insert the equation if it is independent; False if it contradicts those before."""
        g = gcd(*equation) or 1
        row = equation = [x // g for x in equation]
        for pivot in sorted(self._echelon):
            if row[pivot]:
                other = self._echelon[pivot]
                g = gcd(row[pivot], other[pivot])
                a, b = other[pivot] // g, row[pivot] // g
                row = [a * x - b * y for x, y in zip(row, other, strict=True)]
        lead = next((j for j in range(self.columns) if row[j]), None)
        if lead is None:
            return row[self.columns] == 0
        g = gcd(*row)
        self._echelon[lead] = [x // g for x in row]
        self.equations.append(equation)
        return True

    def least_norm(self) -> tuple[Fraction, ...]:
        """The solution of least Euclidean norm: ``M^T y`` with ``M M^T y = b``.

        The equations as given are shorter than the echelon form, so the Gram matrix is made from them.
        """
        rows = [e[:-1] for e in self.equations]
        gram = [[sum(x * y for x, y in zip(r, s, strict=True)) for s in rows] for r in rows]
        y = solve(gram, [e[-1] for e in self.equations])
        return tuple(
            sum((v * row[j] for v, row in zip(y, rows, strict=True)), Fraction(0)) for j in range(self.columns)
        )


def solve(matrix: Sequence[Sequence[int]], right: Sequence[int]) -> list[Fraction]:
    """Solution of a positive definite integer system by fraction-free elimination (Bareiss, 1968)."""
    n = len(matrix)
    a = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    previous = 1
    for k in range(n):
        # leading minors of a positive definite matrix are positive, so no pivoting is needed
        for i in range(k + 1, n):
            for j in range(k + 1, n + 1):
                a[i][j] = (a[k][k] * a[i][j] - a[i][k] * a[k][j]) // previous
            a[i][k] = 0
        previous = a[k][k]
    x = [Fraction(0)] * n
    for i in range(n - 1, -1, -1):
        rest = sum((a[i][j] * x[j] for j in range(i + 1, n)), Fraction(0))
        x[i] = (a[i][n] - rest) / a[i][i]
    return x


def weights_nd(
    target: Mapping[MultiIndex, Fraction], nodes: Sequence[Point], order: int | None = None
) -> tuple[Fraction, ...]:
    """Least-norm weights with ``sum_k c_k s_k^b = b! t_b`` for every ``|b| < m + order``.

    Args:
        target: coefficients of the homogeneous operator ``sum t_b d^b`` of degree ``m``.
        nodes: distinct nodes.
        order: the order asked for; None takes the highest order for which the equations have a solution.

    Raises:
        InputError: the moment equations have no solution, or there are more than ``MAX_EQUATIONS``.
    """
    dimension, degree = len(nodes[0]), sum(next(iter(target)))
    flat, q = common_denominator([x for node in nodes for x in node])
    points = [flat[k * dimension : (k + 1) * dimension] for k in range(len(nodes))]
    system, equations = _System(len(nodes)), 0
    last = degree + (len(nodes) if order is None else order - 1)
    for level in range(last + 1):
        equations += comb(level + dimension - 1, dimension - 1)
        if equations > MAX_EQUATIONS:
            raise InputError(f"nodes: {len(nodes)} in {dimension} dimensions need more than {MAX_EQUATIONS} equations")
        attempt = system.copy()
        solvable = True
        for index in multi_indices(dimension, level):
            value = target.get(index, Fraction(0)) * multi_factorial(index) * q**level
            row = [prod(x**i for x, i in zip(p, index, strict=True)) * value.denominator for p in points]
            if not attempt.add([*row, value.numerator]):
                solvable = False
                break
        if not solvable:
            if level <= degree or order is not None:
                wanted = "consistency" if level <= degree else f"order {order}"
                raise InputError(
                    f"nodes: no weights on these {len(nodes)} nodes reach {wanted} "
                    f"(the moment equations of degree {level} have no solution)"
                )
            break
        system = attempt
    return system.least_norm()
