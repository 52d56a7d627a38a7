"""Rational matrices with exactly known singular values, as balls; shared by the tests of the certified engine."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import flint
from flint import arb, arb_mat
from hypothesis import strategies as st

Matrix = list[list[Fraction]]


def reflection(v: list[int]) -> Matrix:
    """The rational orthogonal matrix ``I - 2 v v^T / v^T v``."""
    square = sum(x * x for x in v)
    return [[Fraction(int(i == j)) - Fraction(2 * a * b, square) for j, b in enumerate(v)] for i, a in enumerate(v)]


def product(a: Matrix, b: Matrix) -> Matrix:
    columns = list(zip(*b, strict=True))
    return [[sum((x * y for x, y in zip(row, c, strict=True)), Fraction(0)) for c in columns] for row in a]


def with_values(values: list[Fraction], columns: int, u: list[int], v: list[int]) -> Matrix:
    """An ``len(values) x columns`` rational matrix that has exactly these singular values."""
    rows = len(values)
    diagonal = [[values[i] if i == j else Fraction(0) for j in range(columns)] for i in range(rows)]
    return product(product(reflection(u), diagonal), reflection(v))


def balls(matrix: Matrix) -> Callable[[int], arb_mat]:
    def entries(bits: int) -> arb_mat:
        with flint.ctx.workprec(bits):
            flat = [arb(flint.fmpq(x.numerator, x.denominator)) for row in matrix for x in row]
            return arb_mat(len(matrix), len(matrix[0]), flat)

    return entries


vector = lambda n: st.lists(st.integers(-9, 9), min_size=n, max_size=n).filter(any)  # noqa: E731
sizes = st.one_of(
    st.integers(1, 9).map(Fraction),  # clusters and repetitions are likely
    st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=1000),
    st.integers(1, 400).map(lambda k: Fraction(1, 10**k)),
    st.just(Fraction(0)),
)
