"""Parts of the certified engine, each against an independent route."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest
from flint import arb, arb_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from known_matrices import balls, with_values

from numerics.spectra.engine.basis import (
    NO_BITS,
    begin,
    exponent,
    extend,
    fixed_point,
    frobenius_upper,
    from_floats,
    identity_defect,
    middle_exponent,
    norm_upper,
    power_of_two,
    rest_upper,
    row_sums_upper,
)
from numerics.spectra.engine.driver import _projected
from numerics.spectra.engine.refine import float_triangles, triangles
from numerics.spectra.engine.vectors import (
    Bounds,
    FloatVectors,
    Residual,
    _lapack,
    _split_jacobi,
    enclosures,
    graded_vectors,
)


def graded(rows: int, columns: int, drop: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows and exponents of a matrix whose rows fall by ``drop`` bits each."""
    source = np.random.default_rng(seed)
    unit = source.standard_normal((rows, columns))
    unit /= np.linalg.norm(unit, axis=1)[:, None]
    return unit, -np.floor(drop * np.arange(rows)).astype(np.int64)


def defect(unit: np.ndarray, rows: np.ndarray, found: FloatVectors) -> tuple[float, float]:
    """How far the columns of ``R^T V``, scaled, and of ``V`` are from orthonormal; in balls, so for any range."""
    r = len(rows)
    with flint.ctx.workprec(4000):
        table = from_floats(unit).tolist()
        scaled = arb_mat(
            r, unit.shape[1], [x * power_of_two(int(e)) for row, e in zip(table, rows, strict=True) for x in row]
        )
        v = []
        for i in range(r):
            for j in range(r):
                lift = int(rows[i]) - int(found.columns[j])
                x = arb(float(found.table[i, j]))
                v.append(x * power_of_two(-lift) if lift >= 0 else x)
        vectors = arb_mat(r, r, v)
        images = scaled.transpose() * vectors
        gram = (images.transpose() * images).tolist()
        norms = [gram[j][j].sqrt() for j in range(r)]
        normal = arb_mat(r, r, [gram[i][j] / norms[i] / norms[j] for i in range(r) for j in range(r)])
        return float(identity_defect(normal)), float(identity_defect(vectors.transpose() * vectors))


@pytest.mark.parametrize("drop", [0.0, 0.5, 3.0, 11.0])
@pytest.mark.parametrize("route", [_lapack, _split_jacobi])
def test_both_jacobi_routes_are_accurate_at_every_scale(drop: float, route: object) -> None:
    unit, rows = graded(24, 30, drop, 3)
    found = route(unit, rows)  # type: ignore[operator]
    images, own = defect(unit, rows, found)
    assert images < 1e-11
    assert own < 1e-12
    assert list(found.columns) == sorted(found.columns, reverse=True)


@pytest.mark.parametrize("drop", [60.0, 500.0])
def test_ranges_beyond_float64(drop: float) -> None:
    unit, rows = graded(20, 20, drop, 5)
    images, own = defect(unit, rows, graded_vectors(unit, rows))
    # the error of the scaled problem: round-off times the condition number of the unit rows, and the size
    assert max(images, own) < 20 * 2.0**-52 * np.linalg.cond(unit)


def test_ranges_beyond_everything() -> None:
    unit, rows = graded(12, 20, 20000.0, 5)
    assert np.isfinite(graded_vectors(unit, rows).table).all()


def test_rows_that_float64_cannot_tell_apart_have_no_guess() -> None:
    for rows in ([0, -2000], [0, -1]):
        found = graded_vectors(np.array([[0.6, 0.8], [0.6, 0.8]]), np.array(rows))
        assert np.isfinite(found.table).all()


def test_one_row_and_equal_rows() -> None:
    single = graded_vectors(np.array([[0.6, 0.8]]), np.array([7]))
    assert abs(single.table[0, 0]) in (1.0, 2.0, 0.5)
    unit = np.eye(5)[:4]
    images, own = defect(unit, np.zeros(4, dtype=np.int64), _split_jacobi(unit, np.zeros(4, dtype=np.int64)))
    assert max(images, own) < 1e-15


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(0, 3), st.integers(0, 2**32), st.sampled_from([45, 60, 150, 500]))
def test_triangles_make_the_columns_orthonormal(columns: int, more: int, seed: int, bits: int) -> None:
    source = np.random.default_rng(seed)
    left = from_floats(np.tril(source.uniform(-1, 1, (columns + more, columns)), -1) + np.eye(columns + more, columns))
    guess = float_triangles(left)
    assert guess is not None
    found = triangles(left, guess, bits - 15, bits)
    assert found is not None
    assert found.delta < power_of_two(15 - bits)
    for table in (found.forward, found.inverse):
        assert all(x == 0 for i, row in enumerate(table.tolist()) for x in row[:i])
    with flint.ctx.workprec(3 * bits):  # by another route: the columns themselves, with T inverted in balls
        q = left * found.forward.inv()
        assert identity_defect(q.transpose() * q) < 1.01 * found.delta + power_of_two(-2 * bits)


def test_dependent_columns_have_no_triangles() -> None:
    assert float_triangles(arb_mat(3, 2)) is None
    left = from_floats(np.eye(4, 2))
    assert triangles(left, (arb_mat(2, 2), arb_mat(2, 2)), 40, 60) is None


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.fractions(min_value=Fraction(1, 10**30), max_value=10, max_denominator=10**30), min_size=1, max_size=6)
)
def test_the_factorisation_is_an_identity(values: list[Fraction]) -> None:
    n = len(values)
    exact = with_values(values, n + 1, [1 + i for i in range(n)], [2 - i for i in range(n + 1)])
    basis = begin(balls(exact)(400), 400)
    extend(basis, 80)
    assert basis.rank == n
    left, right = basis.left(), arb_mat(basis.right())
    assert all(x.is_exact() for x in (*left.entries(), *right.entries()))
    assert np.linalg.cond(np.array(left.tolist(), dtype=float)) < 100
    with flint.ctx.workprec(2000):
        table = arb_mat([[arb(flint.fmpq(v.numerator, v.denominator)) for v in row] for row in exact])
        error = table - left * right
        assert frobenius_upper(error.entries()) <= rest_upper(basis)
    assert rest_upper(basis) < 1e-100
    for size, row in zip(basis.sizes(), right.tolist(), strict=True):
        assert abs(size - exponent(max(map(abs, row)))) < 8


def test_a_factorisation_that_stops_early_is_an_identity() -> None:
    exact = with_values([Fraction(10) ** (-5 * k) for k in range(6)], 7, [1, -1, 2, 3, 1, 2], [2, 1, 1, -1, 3, 1, 2])
    matrix = balls(exact)(400)
    basis = begin(matrix, 400)
    extend(basis, 80, lambda found: found.level < -40)
    assert 0 < basis.rank < 6
    with flint.ctx.workprec(400):
        error = matrix - basis.left() * arb_mat(basis.right())
        outside = error - basis.residual()
        assert basis.residual().overlaps(error)
        assert frobenius_upper(outside.entries()) < 1e-100
        assert frobenius_upper(error.entries()) <= rest_upper(basis)


@given(st.integers(-(2**70), 2**70), st.integers(-500, 500))
def test_exponents(mantissa: int, power: int) -> None:
    found = exponent(arb((mantissa, power)))
    if mantissa == 0:
        assert found == NO_BITS
    else:
        size = abs(Fraction(mantissa) * Fraction(2) ** power)
        assert Fraction(2) ** (found - 1) <= size < Fraction(2) ** found


@given(st.lists(st.floats(-4, 4, allow_subnormal=False), min_size=1, max_size=9), st.integers(20, 120))
def test_fixed_point_contains_and_is_absolute(values: list[float], bits: int) -> None:
    matrix = arb_mat(1, len(values), values)
    found = fixed_point(matrix, bits, 2)
    with flint.ctx.workprec(500):
        for x, y in zip(found.entries(), values, strict=True):
            assert x.contains(arb(y))
            assert x.rad() <= power_of_two(4 - bits)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32))
def test_matrix_norms_are_bounded_from_above_and_closely(rows: int, columns: int, seed: int) -> None:
    table = np.random.default_rng(seed).standard_normal((rows, columns))
    sums = float(np.abs(table).sum(axis=1).max())
    found = float(row_sums_upper(from_floats(table)))
    assert sums * (1 - 1e-15) <= found <= sums * (1 + 1e-7)
    assert np.linalg.norm(table, 2) <= float(norm_upper(from_floats(table))) <= np.linalg.norm(table) * 3


@pytest.mark.parametrize("bad", [arb.nan(), arb.pos_inf(), arb(0, float("inf")), arb(float("nan"), 1)])
@pytest.mark.parametrize("place", range(4))
def test_norms_of_what_is_not_finite_prove_nothing(bad: arb, place: int) -> None:
    entries = [arb(1), arb(0), arb(0), arb(1)]
    entries[place] = bad
    matrix = arb_mat(2, 2, entries)
    for bound in (row_sums_upper(matrix), norm_upper(matrix), identity_defect(matrix), frobenius_upper(entries)):
        assert not bound < 1e300


def test_norms() -> None:
    assert norm_upper(arb_mat(0, 3)) == 0
    assert frobenius_upper([arb(0, 2)]) >= 2
    assert frobenius_upper([arb(3), arb(-4)]) >= 5
    assert frobenius_upper([arb(3), arb(-4)]) < 5.0001
    assert identity_defect(arb_mat(2, 2, [1, 0, 0, 1])) == 0
    assert middle_exponent(arb_mat(1, 2, [0.75, -3])) == 2


def test_what_is_left_over_moves_every_value() -> None:
    """Weyl for the part in the range of L, Pythagoras for the part outside; nothing but rho bounds the others."""
    proven = Bounds((arb(4), arb(2)), (arb(5), arb(3)), arb(0))
    found = enclosures(proven, Residual(arb(1), arb(3)), 3, 64)
    assert [(v.lower, v.upper) for v in found[2:]] == [(0, 3)]
    for value, low, high in zip(found, (3, 1), (36 + 9, 16 + 9), strict=False):
        assert value.lower == low
        assert high <= value.upper**2 <= high * Fraction(1000001, 1000000)
    none = enclosures(proven, Residual(arb(9), arb(0)), 3, 64)
    assert [v.lower for v in none] == [0, 0, 0]


def test_the_projected_residual_has_a_part_in_the_range() -> None:
    """What elimination leaves is projected in rounded arithmetic: its part in the range of L is small, never 0."""
    with flint.ctx.workprec(400):
        matrix = from_floats(np.random.default_rng(3).standard_normal((6, 8)) * 2.0 ** (-60 * np.arange(6))[:, None])
        basis = begin(matrix, 400)
        extend(basis, 60, lambda found: found.rank >= 1)
        assert 0 < basis.rank < 6
        left, right = basis.left(), basis.right()
        guess = float_triangles(left)
        assert guess is not None
        turned = triangles(left, guess, 50, 80)
        assert turned is not None
        rows, rest = _projected(basis, left, right, turned, 80)
        moved = left * arb_mat(len(rows), 8, [x for row in rows for x in row])
        inside = (left * turned.inverse).transpose() * (matrix - moved)
        size = frobenius_upper(inside.entries())
        assert 0 < float(rest.alpha) < 1e-15
        assert float(max(x.abs_lower() for x in inside.entries())) <= float(rest.alpha)
        assert float(size) < 1e-10
