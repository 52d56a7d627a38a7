"""The matrix of a certificate and its singular values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from proofs_check.second_checker import intervals, reading
from proofs_check.second_checker.intervals import ONE, ZERO, Interval, spend, working
from proofs_check.second_checker.reading import Bounds, Difference, Point, Problem, Term, record, refuse, sequence
from proofs_check.second_checker.series import Series, constant, evaluate, total

Rows = list[list[Interval]]


def proven_values(of: Problem, data: Any, more: str = "") -> list[Bounds]:
    """The claims of a spectrum, if they are proven."""
    keys = "difference precision vectors values " + more
    finite, precision, vectors, values = record(data, keys, "spectrum")[:4]
    bits = reading.whole(precision, 32, 65_536, "precision")
    claims = [reading.claim(value, "values") for value in sequence(values, "values")]
    with working(bits + 16):
        A = matrix(of, reading.difference(finite, of))
        A = A if len(A) <= len(A[0]) else transposed(A)
        if len(claims) != len(A):
            refuse("values: not as many as the matrix has")
        X = [[Interval.point(*m) for m in column] for column in reading.columns(vectors, len(A))]
        bounds, rest = singular_bounds(A, X)
        for k, (low, high) in enumerate(claims):
            least, most = bounds[k] if k < len(bounds) else (ZERO, rest)
            if not (at_most(low, least) and at_least(high, most)):
                refuse(f"value {k + 1} is not proven")
    return claims


def at_most(value: Fraction, x: Interval) -> bool:
    """Whether a rational is a lower bound of the numbers of x."""
    return Interval.of(value).below(x) or (usual(x) and value <= x.fractions()[0])


def at_least(value: Fraction, x: Interval) -> bool:
    """Whether it is an upper bound."""
    return x.below(Interval.of(value)) or (usual(x) and value >= x.fractions()[1])


def usual(x: Interval) -> bool:
    """Whether its ends are not so far out that writing them down is work."""
    return abs(x.e) < 500_000


def singular_bounds(A: Rows, X: Rows) -> tuple[list[tuple[Interval, Interval]], Interval]:
    """For each of the r columns X of vectors a lower and an upper bound; and an upper bound of all other values."""
    n, r = len(A), len(X)
    if r == 0:
        return [], norm(a for row in A for a in row)
    image, g, eta, delta = defects(A, X)
    rho = ZERO
    if r < n:
        inverse = _inverse([[total(map(_times, u, v)).middle() for v in X] for u in X])
        Z = [_combined(row, [[x.middle() for x in u] for u in image]) for row in inverse]
        rho = norm(A[i][k] - total(X[j][i] * Z[j][k] for j in range(r)) for i in range(n) for k in range(len(A[0])))
    low = ((ONE - eta) * (ONE + delta).inverse()).root()
    high = (ONE + eta) * (ONE - delta).inverse()
    lower = [x.inverse() * low for x in g]
    upper = [((x * x).inverse() * high + rho * rho).root() for x in g]

    def compared(i: int, j: int) -> int:
        return int(g[j].below(g[i])) - int(g[i].below(g[j]))

    order = sorted(range(r), key=cmp_to_key(compared))
    return [(lower[j], upper[j]) for j in order], rho


def defects(A: Rows, X: Rows) -> tuple[Rows, list[Interval], Interval, Interval]:
    """The columns of ``W = A^T X``, the g with ``D = diag(1 / g)``, eta and delta, both below 1."""
    r = len(X)
    image = [_dots(transposed(A), x) for x in X]
    gram = [[total(map(_times, u, v)) for v in image] for u in image]
    own = [[total(map(_times, u, v)) for v in X] for u in X]
    if not all(gram[j][j].low > 0 for j in range(r)):
        refuse("a vector without image")
    g = [gram[j][j].middle().root().middle().inverse().middle() for j in range(r)]  # D = diag(1 / g_j), exactly
    eta = norm(gram[i][j] * g[i] * g[j] - (ONE if i == j else ZERO) for i in range(r) for j in range(r))
    delta = norm(own[i][j] - (ONE if i == j else ZERO) for i in range(r) for j in range(r))
    if not (less(eta, ONE) and less(delta, ONE)):
        refuse("vectors: eta or delta is not proven below 1")
    return image, g, eta, delta


def less(x: Interval, y: Interval) -> bool:
    """Whether every number of x is less than every number of y."""
    return x.below(y) and not y.below(x)


def _times(a: Interval, b: Interval) -> Interval:
    return a * b


def transposed(A: Rows) -> Rows:
    """The transpose."""
    return [list(column) for column in zip(*A, strict=True)]


def _dots(rows: Rows, x: list[Interval]) -> list[Interval]:
    return [total(map(_times, row, x)) for row in rows]


def _combined(factors: list[Interval], rows: Rows) -> list[Interval]:
    """An approximate linear combination, in exact numbers."""
    return [total(map(_times, factors, column)).middle() for column in zip(*rows, strict=True)]


def norm(entries: Iterable[Interval]) -> Interval:
    """An upper bound of the Frobenius norm, as an exact number."""
    return total(x.size() * x.size() for x in entries).root().size()


def _inverse(G: Rows) -> Rows:
    """About the inverse of a matrix near I, in exact numbers: ``Y <- Y (2 I - G Y)``. Nothing is claimed of it."""
    r = len(G)
    Y = [[ONE if i == j else ZERO for j in range(r)] for i in range(r)]
    previous = None
    for _ in range(24):
        defect = [_combined(row, Y) for row in G]
        change = [[(ONE if i == j else ZERO) - defect[i][j] for j in range(r)] for i in range(r)]
        size = norm(x for row in change for x in row)
        if size.is_zero() or (previous is not None and not less(size, previous)):
            break
        previous = size
        move = [_combined(row, change) for row in Y]
        Y = [[(a + b).middle() for a, b in zip(u, v, strict=True)] for u, v in zip(Y, move, strict=True)]
    return Y


# ---- the matrix


def matrix(of: Problem, finite: Difference | None) -> Rows:
    """A, from its definition."""
    if finite is None:
        rows = [derivatives(of, of.operator, x) for x in of.points]
    else:
        largest = max(abs(c) for _, weights in finite for c in weights)
        lost = max(0, math.ceil(largest).bit_length())
        with working(intervals.bits_in_force() + lost):
            rows = [quotients(of, finite, x) for x in of.points]
    for xs, weight, operator in of.boundary:
        root = Interval.of(weight).root()
        rows += [[a * root for a in derivatives(of, operator, x)] for x in xs]
    return rows


def argument(w: Point, x: Iterable[Fraction], b: Fraction) -> Fraction:
    """``w . x + b``, exactly."""
    value = sum((a * c for a, c in zip(w, x, strict=True)), b)
    spend(8 + ((value.numerator.bit_length() + value.denominator.bit_length()) / 300) ** 1.6)
    return value


def taylor(of: Problem, u: Interval, order: int) -> Series:
    """``s^(k)(u) / k!``, k = 0 … order."""
    z = constant(u, order + 1)
    if order:
        z[1] = ONE
    return evaluate(of.activation, {"z": z}, order + 1)


def coefficients(of: Problem, operator: list[Term], x: Point) -> list[Interval]:
    """``c_g(x)``."""
    at = {name: [Interval.of(v)] for name, v in zip(of.names, x, strict=True)}
    return [evaluate(term.coefficient, at, 1)[0] for term in operator]


def derivatives(of: Problem, operator: list[Term], x: Point) -> list[Interval]:
    """One row of automatic differentiation."""
    c = coefficients(of, operator, x)
    row = []
    for w, b in of.features:
        t = taylor(of, Interval.of(argument(w, x, b)), max(term.order for term in operator))
        entry = ZERO
        for factor, term in zip(c, operator, strict=True):
            for a, f in term.factors.items():
                scale = math.prod((v**m for v, m in zip(w, a, strict=True)), start=f * math.factorial(sum(a)))
                entry = entry + factor * t[sum(a)] * Interval.of(scale)
        row.append(entry)
    return row


def quotients(of: Problem, finite: Difference, x: Point) -> list[Interval]:
    """One row of finite differences."""
    c = coefficients(of, of.operator, x)
    row = []
    for w, b in of.features:
        entry = ZERO
        for factor, (shifts, weights) in zip(c, finite, strict=True):
            part = ZERO
            for shift, weight in zip(shifts, weights, strict=True):
                moved = argument(w, (v + s for v, s in zip(x, shift, strict=True)), b)
                part = part + Interval.of(weight) * taylor(of, Interval.of(moved), 0)[0]
            entry = entry + factor * part
        row.append(entry)
    return row
