"""The laws of training against exact iteration on rational matrices, and against each other."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath as mp
import pytest
import sympy as sp
from hypothesis import assume, given
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


def rotate(v: Vector, c: Fraction, s: Fraction) -> Vector:
    """A rational rotation of the first two coordinates."""
    return (c * v[0] - s * v[1], s * v[0] + c * v[1], *v[2:])


def pythagorean(k: int) -> tuple[Fraction, Fraction]:
    d = 1 + k * k
    return Fraction(1 - k * k, d), Fraction(2 * k, d)


def with_modes(values: list[Fraction], projections: list[Fraction], rest: Fraction, k: int) -> tuple[Matrix, Vector]:
    """A 3 × 2 rational system with these singular values, projections of r(0) and remainder, turned by a rotation."""
    c, s = pythagorean(k)
    columns = [rotate((values[0], Fraction(0), Fraction(0)), c, s), rotate((Fraction(0), values[1], Fraction(0)), c, s)]
    A = tuple(zip(*columns, strict=True))
    f = rotate((-projections[0], -projections[1], -rest), c, s)
    return A, f


@given(systems(), st.fractions(0, 1, max_denominator=8), st.integers(0, 6))
def test_iterates_obey_the_power_of_the_kernel(system: tuple[Matrix, Vector], step: Fraction, t: int) -> None:
    A, f = system
    start = tuple(-value for value in f)
    assert dynamics.descend(A, f, step, t) == dynamics.residual_law(dynamics.gram(A), start, step, t)


modes = st.lists(small, min_size=2, max_size=2)


@given(modes, modes, small, st.integers(-5, 5), st.fractions(0, 1, max_denominator=8), st.integers(0, 6))
def test_modal_laws_equal_exact_iteration(
    values: list[Fraction], projections: list[Fraction], rest: Fraction, k: int, step: Fraction, t: int
) -> None:
    A, f = with_modes(values, projections, rest, k)
    loss = dynamics.descent_loss(values, projections, rest * rest, step, t)
    assert loss == squared(dynamics.descend(A, f, step, t)) / 2


@given(modes, modes, small, st.integers(-5, 5), st.fractions("1/8", 2, max_denominator=8))
def test_ridge_law_equals_the_rational_solve(
    values: list[Fraction], projections: list[Fraction], rest: Fraction, k: int, penalty: Fraction
) -> None:
    A, f = with_modes(values, projections, rest, k)
    objective, residual = dynamics.ridge_quadratic(dynamics.gram(A), f, penalty)
    assert residual == dynamics.ridge_residual(values, projections, rest * rest, penalty)
    # The least value, from the normal equations (AᵀA + λ) a = Aᵀ f.
    transposed = tuple(zip(*A, strict=True))
    normal = tuple(
        tuple(x + (penalty if i == j else 0) for j, x in enumerate(row))
        for i, row in enumerate(dynamics.gram(transposed))
    )
    right = tuple(sum((a * b for a, b in zip(row, f, strict=True)), Fraction(0)) for row in transposed)
    a = dynamics.solve(normal, right)
    r = tuple(sum((x * y for x, y in zip(row, a, strict=True)), Fraction(0)) - v for row, v in zip(A, f, strict=True))
    assert squared(r) == residual
    assert objective == squared(r) / 2 + penalty * squared(a) / 2


@given(modes, modes, st.integers(-5, 5))
def test_loss_integral_by_modes_and_by_solving(values: list[Fraction], projections: list[Fraction], k: int) -> None:
    assume(all(values))
    c, s = pythagorean(k)
    K = tuple(
        tuple(values[0] ** 2 * (c, s)[i] * (c, s)[j] + values[1] ** 2 * (-s, c)[i] * (-s, c)[j] for j in range(2))
        for i in range(2)
    )
    residual = rotate((projections[0], projections[1]), c, s)
    expected = dynamics.flow_loss_integral(values, projections, Fraction(0))
    assert dynamics.kernel_loss_integral(K, residual) == expected


def test_loss_integral_is_the_integral() -> None:
    values, projections = [mp.mpf(2), mp.mpf("0.7")], [mp.mpf(1), mp.mpf("-1.5")]

    def loss(t: mp.mpf) -> mp.mpf:
        return sum((c * mp.exp(-(v**2) * t)) ** 2 for v, c in zip(values, projections, strict=True)) / 2

    integral = mp.quad(loss, [0, 1, 4, 16, mp.inf])
    assert abs(integral - dynamics.flow_loss_integral(values, projections, mp.mpf(0))) < mp.mpf(10) ** -12


@given(modes, modes, st.fractions("1/16", "1/4", max_denominator=16))
def test_loss_sum_telescopes(values: list[Fraction], projections: list[Fraction], step: Fraction) -> None:
    """Sum to t plus the sum from t on, which is the sum for the residual at t, is the whole."""
    assume(all(values))
    whole = dynamics.descent_loss_sum(values, projections, Fraction(0), step)
    head = sum((dynamics.descent_loss(values, projections, Fraction(0), step, t) for t in range(4)), Fraction(0))
    later = [c * dynamics.decay(v, step, 4) for v, c in zip(values, projections, strict=True)]
    assert whole == head + dynamics.descent_loss_sum(values, later, Fraction(0), step)


@given(systems())
def test_least_squares_residual_is_the_limit_and_is_invariant(system: tuple[Matrix, Vector]) -> None:
    A, f = system
    rest = dynamics.least_squares_residual(A, f)
    # Orthogonal to the range, and f + rest lies in it.
    for column in zip(*A, strict=True):
        assert sum((a * b for a, b in zip(column, rest, strict=True)), Fraction(0)) == 0
    dynamics.solve(A, tuple(a + b for a, b in zip(f, rest, strict=True)))
    scaled = tuple(tuple(value * Fraction(j + 2, 3) for j, value in enumerate(row)) for row in A)
    assert dynamics.least_squares_residual(scaled, f) == rest


@given(st.lists(small, min_size=1, max_size=4), small)
def test_truncation_residual_falls_to_the_remainder(projections: list[Fraction], rest: Fraction) -> None:
    losses = [dynamics.truncated_residual(projections, rest * rest, r) for r in range(len(projections) + 1)]
    assert all(later <= earlier for earlier, later in pairwise(losses))
    assert losses[-1] == rest * rest
    assert losses[0] == squared((*projections, rest))


@given(modes, modes, st.fractions("1/50", "1/2", max_denominator=50))
def test_iterations_to_is_the_least(values: list[Fraction], projections: list[Fraction], tolerance: Fraction) -> None:
    assume(all(abs(v) >= Fraction(1, 2) for v in values))
    step = Fraction(1, 4)

    def loss(t: int) -> Fraction:
        return dynamics.descent_loss(values, projections, Fraction(0), step, t)

    found = dynamics.iterations_to(values, projections, Fraction(0), step, tolerance, limit=200)
    assert found is not None
    assert loss(found) <= tolerance * loss(0)
    assert found == 0 or loss(found - 1) > tolerance * loss(0)


def test_iterations_to_reports_what_never_happens() -> None:
    one = Fraction(1)
    assert dynamics.iterations_to([one], [one], one, Fraction(1, 2), Fraction(1, 3), limit=64) is None
    with pytest.raises(InputError, match="at most 2/σ²"):
        dynamics.iterations_to([Fraction(3)], [one], Fraction(0), one, Fraction(1, 2))


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
    value_small, residual_small = dynamics.ridge_quadratic(smaller, residual, penalty)
    value_large, residual_large = dynamics.ridge_quadratic(larger, residual, penalty)
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
    value_small, _ = dynamics.ridge_quadratic(smaller, residual, penalty)
    value_large, _ = dynamics.ridge_quadratic(larger, residual, penalty)
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


def test_average_loss_is_the_mean_over_unit_right_hand_sides() -> None:
    values = [Fraction(1), Fraction(1, 2)]
    step, t = Fraction(1, 2), 3
    by_unit = [
        dynamics.descent_loss(values, [Fraction(1), Fraction(0)], Fraction(0), step, t),
        dynamics.descent_loss(values, [Fraction(0), Fraction(1)], Fraction(0), step, t),
        dynamics.descent_loss(values, [Fraction(0), Fraction(0)], Fraction(1), step, t),
    ]
    assert dynamics.average_loss(values, 3, step, t) == sum(by_unit, Fraction(0))


def test_laws_are_generic_in_their_numbers() -> None:
    x = sp.Symbol("x", positive=True)
    law = dynamics.descent_loss([x], [sp.Integer(1)], sp.Integer(0), sp.Rational(1, 2), 2)
    assert sp.expand(law - (1 - x**2 / 2) ** 4 / 2) == 0
    assert dynamics.descent_loss([mp.mpf(1)], [mp.mpf(2)], mp.mpf(0), mp.mpf("0.5"), 1) == mp.mpf("0.5")


@pytest.mark.parametrize(
    "call",
    [
        lambda: dynamics.decay(Fraction(1), Fraction(1), -1),
        lambda: dynamics.descent_loss([Fraction(1)], [], Fraction(0), Fraction(1), 1),
        lambda: dynamics.truncated_residual([Fraction(1)], Fraction(0), 2),
        lambda: dynamics.average_loss([Fraction(1)], 0, Fraction(1), 1),
        lambda: dynamics.descend(((Fraction(1),),), (), Fraction(1), 1),
        lambda: dynamics.ridge_quadratic(((Fraction(1),),), (Fraction(1),), Fraction(0)),
    ],
)
def test_bad_input_is_refused(call: object) -> None:
    with pytest.raises(InputError):
        call()  # type: ignore[operator]


@pytest.mark.parametrize(
    "call",
    [
        lambda: dynamics.flow_loss_integral([Fraction(1)], [Fraction(1)], Fraction(1)),
        lambda: dynamics.flow_loss_integral([Fraction(0)], [Fraction(1)], Fraction(0)),
        lambda: dynamics.descent_loss_sum([Fraction(2)], [Fraction(1)], Fraction(0), Fraction(1, 2)),
        lambda: dynamics.solve(((Fraction(1),), (Fraction(1),)), (Fraction(1), Fraction(2))),
        lambda: dynamics.kernel_loss_integral(((Fraction(0),),), (Fraction(1),)),
    ],
)
def test_what_does_not_exist_is_said_not_to(call: object) -> None:
    with pytest.raises(NonexistenceError):
        call()  # type: ignore[operator]
