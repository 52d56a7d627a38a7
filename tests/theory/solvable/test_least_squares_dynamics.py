"""The laws of training against exact iteration on rational matrices, and against each other."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from theory.base.errors import InputError, NonexistenceError
from theory.solvable import least_squares as dynamics
from theory.solvable.least_squares import Matrix, Vector

small = st.fractions(min_value=-2, max_value=2, max_denominator=4)
sizes = st.integers(1, 3)


@st.composite
def systems(draw: st.DrawFn) -> tuple[Matrix, Vector]:
    n, m = draw(sizes), draw(sizes)
    A = tuple(tuple(draw(small) for _ in range(m)) for _ in range(n))
    return A, tuple(draw(small) for _ in range(n))


def squared(v: Vector) -> Fraction:
    return sum((x * x for x in v), Fraction(0))


def ridge(K: Matrix, residual: Vector, penalty: Fraction) -> tuple[Fraction, Fraction]:
    """``½ λ r₀ᵀ (K + λ)⁻¹ r₀``, the least ``½‖A a − f‖² + ½ λ ‖a‖²``, and ``‖A a − f‖²`` there."""
    shifted = tuple(tuple(v + penalty * (i == j) for j, v in enumerate(row)) for i, row in enumerate(K))
    x = dynamics.solve(shifted, residual)
    return penalty * sum((u * v for u, v in zip(residual, x, strict=True)), Fraction(0)) / 2, penalty**2 * squared(x)


@given(systems(), st.fractions(0, 1, max_denominator=8), st.integers(0, 6))
def test_iterates_obey_the_power_of_the_kernel(system: tuple[Matrix, Vector], step: Fraction, t: int) -> None:
    A, f = system
    start = tuple(-value for value in f)
    a = sp.zeros(len(A[0]), 1)
    M, right = sp.Matrix(A), sp.Matrix(f)
    for _ in range(t):
        a -= step * M.T * (M * a - right)
    assert tuple(M * a - right) == dynamics.residual_law(dynamics.gram(A), start, step, t)


def test_loewner_order_does_not_order_the_loss_at_a_time() -> None:
    smaller, larger, residual = dynamics.loewner_descent_witness()
    difference = sp.Matrix(larger) - sp.Matrix(smaller)
    assert difference.is_positive_semidefinite
    assert sp.Matrix(smaller).is_positive_definite
    assert (sp.eye(2) - sp.Matrix(larger)).is_positive_semidefinite
    losses = [squared(dynamics.residual_law(K, residual, Fraction(1), 1)) / 2 for K in (smaller, larger)]
    assert losses == [Fraction(1, 18), Fraction(1, 9)]
    # … while the integrals are ordered as the theorem says.
    assert dynamics.kernel_loss_integral(larger, residual) <= dynamics.kernel_loss_integral(smaller, residual)


def test_loewner_order_does_not_order_the_ridge_residual() -> None:
    smaller, larger, residual, penalty = dynamics.loewner_ridge_witness()
    assert (sp.Matrix(larger) - sp.Matrix(smaller)).is_positive_semidefinite
    assert sp.Matrix(smaller).is_positive_semidefinite
    value_small, residual_small = ridge(smaller, residual, penalty)
    value_large, residual_large = ridge(larger, residual, penalty)
    assert residual_small < residual_large
    assert value_large <= value_small


@st.composite
def loewner_pairs(draw: st.DrawFn) -> tuple[Matrix, Matrix, Vector]:
    """``B Bᵀ + I/8`` and the same plus ``C Cᵀ``."""
    n = draw(st.integers(1, 3))
    B = [[draw(small) for _ in range(n)] for _ in range(n)]
    C = [[draw(small)] for _ in range(n)]
    base = sp.Matrix(B) * sp.Matrix(B).T + sp.eye(n) / 8
    more = base + sp.Matrix(C) * sp.Matrix(C).T

    def rational(M: sp.Matrix) -> Matrix:
        return tuple(tuple(Fraction(int(M[i, j].p), int(M[i, j].q)) for j in range(n)) for i in range(n))

    return rational(base), rational(more), tuple(draw(small) for _ in range(n))


@given(loewner_pairs(), st.fractions("1/8", 2, max_denominator=8))
def test_loewner_order_orders_integral_and_ridge_objective(
    pair: tuple[Matrix, Matrix, Vector], penalty: Fraction
) -> None:
    smaller, larger, residual = pair
    assert dynamics.kernel_loss_integral(larger, residual) <= dynamics.kernel_loss_integral(smaller, residual)
    value_small, _ = ridge(smaller, residual, penalty)
    value_large, _ = ridge(larger, residual, penalty)
    assert value_large <= value_small


@given(loewner_pairs(), st.integers(0, 4))
def test_loewner_order_orders_the_average_loss(pair: tuple[Matrix, Matrix, Vector], t: int) -> None:
    """The trace of (I − ηK)^{2t}, by matrix powers; η under 1/σ_1² of the larger kernel."""
    smaller, larger, _ = pair
    n = len(smaller)
    step = 1 / sum((larger[i][i] for i in range(n)), Fraction(0))

    def average(K: Matrix) -> Fraction:
        units = [tuple(Fraction(int(i == j)) for j in range(n)) for i in range(n)]
        return sum((squared(dynamics.residual_law(K, e, step, t)) for e in units), Fraction(0)) / 2

    assert average(larger) <= average(smaller)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="a rectangle"):
        dynamics.residual_law(((Fraction(1),),), (), Fraction(1), 1)


def test_loss_integral_is_that_of_the_flow() -> None:
    """``∫ ½‖e^{-Kt} r₀‖² dt`` for a K with the eigenvalues 1 and 3, which mix."""
    K: Matrix = ((Fraction(2), Fraction(1)), (Fraction(1), Fraction(2)))
    t = sp.Symbol("t", positive=True)
    r = (-sp.Matrix(K) * t).exp() * sp.Matrix([1, -3])
    loss = sp.expand(r.dot(r) / 2)
    assert sp.integrate(loss, (t, 0, sp.oo)) == dynamics.kernel_loss_integral(K, (Fraction(1), Fraction(-3)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: dynamics.solve(((Fraction(1),), (Fraction(1),)), (Fraction(1), Fraction(2))),
        lambda: dynamics.kernel_loss_integral(((Fraction(0),),), (Fraction(1),)),
    ],
)
def test_what_does_not_exist_is_said_not_to(call: object) -> None:
    with pytest.raises(NonexistenceError):
        call()  # type: ignore[operator]
