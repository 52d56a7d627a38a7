"""Eigenvalues of kernels: known spectra, the circle's closed form, and matrices that are not kernels."""

from __future__ import annotations

from fractions import Fraction

import flint
import mpmath
import pytest
from flint import arb, arb_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from known_matrices import balls, product, reflection, sizes, vector

from numerics.arithmetic.balls import to_ball
from numerics.spectra.engine import certified_eigenvalues_psd
from theory.base.errors import InputError, PrecisionCapError


def symmetric(values: list[Fraction], v: list[int]) -> list[list[Fraction]]:
    n = len(values)
    diagonal = [[values[i] if i == j else Fraction(0) for j in range(n)] for i in range(n)]
    return product(product(reflection(v), diagonal), reflection(v))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_known_eigenvalues(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 7))
    values = data.draw(st.lists(sizes, min_size=n, max_size=n))
    digits = data.draw(st.sampled_from([6, 12, 30]))
    floor = data.draw(st.sampled_from([None, Fraction(1, 10**9)]))
    found = certified_eigenvalues_psd(balls(symmetric(values, data.draw(vector(n)))), digits, floor)
    for k, (exact, enclosure) in enumerate(zip(sorted(values, reverse=True), found.values, strict=True)):
        assert exact in enclosure
        if k < found.rank:
            width = enclosure.relative_width
            assert width is not None
            assert width <= Fraction(10) ** (1 - digits)


def gaussian_kernel(points: list[Fraction], width: Fraction, bits: int) -> arb_mat:
    with flint.ctx.workprec(bits):
        square = [[((x - y) / width) ** 2 / 2 for y in points] for x in points]
        flat = [(-arb(flint.fmpq(v.numerator, v.denominator))).exp() for row in square for v in row]
        return arb_mat(len(points), len(points), flat)


def test_gaussian_kernel_against_its_determinant() -> None:
    # equispaced points: det = prod_k (1 - q^k)^(n-k) with q = e^(-(d/s)^2), a q-Vandermonde determinant
    n, width = 14, Fraction(2)
    points = [Fraction(i, 4) for i in range(n)]
    found = certified_eigenvalues_psd(lambda bits: gaussian_kernel(points, width, bits), 20)
    assert found.rank == n
    assert found.values[-1].upper < Fraction(1, 10**20)
    with flint.ctx.workprec(400):
        got = arb(1)
        for value in found.values:
            got = got * to_ball(value, 400)
        q = (-arb(flint.fmpq(1, 64))).exp()
        det, power = arb(1), arb(1)
        for k in range(1, n):
            power = power * q
            for _ in range(n - k):
                det = det * (1 - power)
        assert got.overlaps(det)
        assert got.rad() < got.mid() / 10**17


def test_against_mpmath() -> None:
    points = [Fraction(i * i, 50) for i in range(9)]
    found = certified_eigenvalues_psd(lambda bits: gaussian_kernel(points, Fraction(1), bits), 15)
    with mpmath.workdps(60):
        exact = gaussian_kernel(points, Fraction(1), 200)
        table = mpmath.matrix([[mpmath.mpf(x.mid().str(58, radius=False)) for x in row] for row in exact.tolist()])
        values = sorted(mpmath.eigsy(table, eigvals_only=True), reverse=True)
        for enclosure, value in zip(found.values, values, strict=True):
            middle = mpmath.mpf(enclosure.middle.numerator) / enclosure.middle.denominator
            assert abs(middle / value - 1) < mpmath.mpf(10) ** -14


@pytest.mark.parametrize("values", [[3, -1], [-1], [5, 4, 3, -2], [1, 0, -1]])
def test_indefinite_matrices_are_refused(values: list[int]) -> None:
    n = len(values)
    with pytest.raises((InputError, PrecisionCapError), match=r"negative|signs|rest"):
        certified_eigenvalues_psd(balls(symmetric([Fraction(v) for v in values], [1 + i for i in range(n)])))


def test_not_square_or_not_symmetric() -> None:
    with pytest.raises(InputError, match="not square"):
        certified_eigenvalues_psd(lambda _: arb_mat(1, 2, [1, 2]))
    with pytest.raises(InputError, match="not symmetric"):
        certified_eigenvalues_psd(lambda _: arb_mat(2, 2, [1, 2, 3, 40]))
