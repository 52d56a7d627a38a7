"""Minimisers by ranks against least squares in floating point; ranks that are not there are not shown."""

from __future__ import annotations

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.families.literature.minimisers import POINTS, Posed, differences, factored, rank_shown


def numbers(matrix: flint.arb_mat | flint.fmpq_mat) -> np.ndarray:
    return np.array([[float(flint.arb(matrix[i, j])) for j in range(matrix.ncols())] for i in range(matrix.nrows())])


@pytest.mark.parametrize("activation", ["tanh", "sin"])
def test_the_least_squares_solution_solves_the_difference_equation(activation: str) -> None:
    posed = Posed(activation, 2 * POINTS, 0)
    phi, D = numbers(posed.values), numbers(differences(posed.step))
    f = np.array([float(v) for v in posed.f])
    a = np.linalg.lstsq(numbers(posed.matrix("fd")), f, rcond=None)[0]
    assert np.allclose(phi @ a, np.linalg.solve(D, f), atol=1e-6)
    x = np.linspace(-1, 1, POINTS)[1:-1]
    assert np.allclose(phi @ a, [*np.sin(np.pi * x), 0, 0], atol=0.1)  # D⁻¹f itself solves u'' = f to second order


def test_two_minimisers_of_ad_differ_at_the_points() -> None:
    posed = Posed("tanh", 2 * POINTS, 1)
    A, phi = numbers(posed.matrix("ad")), numbers(posed.values)
    kernel = np.linalg.svd(A)[2][POINTS:]
    assert np.abs(A @ kernel.T).max() < 1e-10
    assert np.abs(phi @ kernel.T).max() > 1e-3
    fd = np.linalg.svd(numbers(posed.matrix("fd")))[2][POINTS:]
    assert np.abs(phi @ fd.T).max() < 1e-8


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 6), st.integers(0, 1000))
def test_a_rank_that_is_not_there_is_not_shown(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    integers = rng.integers(-9, 9, (n, n))
    rank = int(np.linalg.matrix_rank(integers))
    deficient = integers.copy()
    deficient[-1] = 2 * deficient[0]
    assert not rank_shown(flint.arb_mat(deficient.tolist()), n)
    assert rank_shown(flint.arb_mat(integers.tolist()), n) == (rank == n)
    assert not rank_shown(flint.arb_mat(integers.tolist()), n + 1)


def test_a_factorisation_that_is_wrong_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    posed = Posed("sin", POINTS, 3)
    assert factored(posed) is True
    monkeypatch.setattr("proofs_check.families.literature.minimisers.differences", lambda h: differences(h) * 2)
    assert factored(posed) is False
