"""The mpmath oracle against closed forms, and its ways of failing; LAPACK in its own dtype."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from numerics.spectra.spectrum import floating_singular_values, reference_singular_values
from theory.base.errors import InputError, PrecisionCapError


def hilbert(n: int, m: int) -> Callable[[int], mpmath.matrix]:
    def entries(_digits: int) -> mpmath.matrix:
        return mpmath.matrix([[mpmath.mpf(1) / (i + j + 1) for j in range(m)] for i in range(n)])

    return entries


@pytest.mark.parametrize(("n", "digits"), [(8, 10), (14, 25), (20, 5)])
def test_product_of_hilbert_values_is_its_determinant(n: int, digits: int) -> None:
    spectrum = reference_singular_values(hilbert(n, n), digits)
    with mpmath.workdps(digits + 20):
        superfactorial = lambda k: mpmath.fprod(mpmath.factorial(i) for i in range(1, k))  # noqa: E731
        determinant = superfactorial(n) ** 4 / superfactorial(2 * n)
        assert abs(mpmath.fprod(spectrum.values) / determinant - 1) < n * mpmath.mpf(10) ** (-digits)
    assert spectrum.unresolved == 0
    assert list(spectrum.values) == sorted(spectrum.values, reverse=True)


def test_wide_is_tall() -> None:
    wide, tall = reference_singular_values(hilbert(3, 6), 20), reference_singular_values(hilbert(6, 3), 20)
    assert len(wide.values) == 3
    assert all(abs(a / b - 1) < 1e-19 for a, b in zip(wide.values, tall.values, strict=True))


def test_rank_deficiency_is_reported_as_zero() -> None:
    def entries(_digits: int) -> mpmath.matrix:
        return mpmath.matrix([[mpmath.sqrt(i + 1) * mpmath.sqrt(j + 2) for j in range(4)] for i in range(5)])

    spectrum = reference_singular_values(entries, 15)
    assert spectrum.unresolved == 3
    assert spectrum.values[1:] == (0, 0, 0)
    assert abs(spectrum.values[0] - mpmath.sqrt(15 * 14)) < 1e-12


def test_zero_matrix_and_one_entry() -> None:
    assert reference_singular_values(lambda _: mpmath.zeros(2, 3), 10).values == (0, 0)
    assert reference_singular_values(lambda _: mpmath.matrix([[-3]]), 10).values == (3,)


def test_cap_and_bad_input() -> None:
    with pytest.raises(PrecisionCapError, match="raise the cap"):
        reference_singular_values(hilbert(20, 20), 30, cap_digits=40)
    with pytest.raises(InputError, match="digits"):
        reference_singular_values(hilbert(2, 2), 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_values_are_those_of_the_stored_matrix_to_float64(dtype: type) -> None:
    matrix = np.array([[1 / (i + j + 1) for j in range(12)] for i in range(9)], dtype=dtype)
    values = floating_singular_values(matrix)
    assert values.dtype == np.float64
    exact = reference_singular_values(lambda _: mpmath.matrix(matrix.astype(float).tolist()), 20).values
    unit = float(np.finfo(np.float64).eps)
    assert max(abs(float(a) - float(b)) for a, b in zip(values, exact, strict=True)) <= 10 * unit * values[0]


@pytest.mark.parametrize("matrix", [np.ones(3), np.ones((2, 2), dtype=int), np.full((2, 2), np.nan), np.empty((0, 2))])
def test_floating_refuses(matrix: np.ndarray) -> None:
    with pytest.raises(InputError, match="matrix"):
        floating_singular_values(matrix)
