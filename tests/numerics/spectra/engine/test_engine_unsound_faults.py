"""Bounds that a small change of the source would make wrong: each test has a case that the full bound alone contains."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from types import SimpleNamespace

import flint
import mpmath
import pytest

from numerics.arithmetic.balls import Enclosure, from_ball
from numerics.entropy.gap import EntropyNeighbourhood
from numerics.entropy.interval import _moves
from numerics.matrices.assemble import step_expansion
from numerics.problem.problem import Problem
from numerics.spectra.engine import driver as symmetric
from theory.base.errors import NonexistenceError, PrecisionCapError
from theory.entropy.conventions import Convention
from theory.entropy.entropy import truncated_entropy
from theory.features.activations import activation
from theory.features.laws import law
from theory.kernels import existence
from theory.kernels.forms.activation_forms import shape
from theory.solvable import galerkin as eigenvalues


def test_eigenvalues_of_a_matrix_whose_vectors_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zero diagonal, ones beside it: eigenvalues 2, −1, −1, the rest of norm √6; counted once it would be √3 < 2."""
    bits = 40
    identity = [[(1 << bits) if i == j else 0 for j in range(3)] for i in range(3)]
    monkeypatch.setattr(eigenvalues, "_approximate_vectors", lambda matrix, bits: identity)
    matrix = [[0 if i == j else 1 << bits for j in range(3)] for i in range(3)]
    found = eigenvalues.symmetric_eigenvalues(matrix, bits, Fraction(0))
    for value, true in zip(found, (2, -1, -1), strict=True):
        assert value.lower <= true <= value.upper
        assert value.width < 5  # 2 √6
    assert eigenvalues._upper_norm([[0], [1, 0], [1, 1, 0]], 0, 0) == isqrt(6) + 1
    assert eigenvalues._upper_norm([[5], [3, 5]], 5, 0) == isqrt(18) + 1


@pytest.mark.parametrize("power", [1, 2])
def test_the_remainder_sees_the_gap_behind_the_cut_off(power: int) -> None:
    """diag(2, 1, 9/10) + t swap(2, 3), r = 2: σ_2 moves by t²/gap, ten times what φ'' allows."""
    with flint.ctx.workprec(120):
        base = flint.arb_mat([[2, 0, 0], [0, 1, 0], [0, 0, flint.fmpq(9, 10)]])
        swap = flint.arb_mat([[0, 0, 0], [0, 0, 1], [0, 1, 0]])
    convention = Convention("fixed", rank=2, power=power)  # type: ignore[arg-type]
    with mpmath.workdps(40):
        moved = mpmath.matrix([[2, 0, 0], [0, 1, mpmath.mpf(1) / 50], [0, mpmath.mpf(1) / 50, mpmath.mpf(9) / 10]])
        values = sorted(mpmath.svd_r(moved, compute_uv=False), reverse=True)
        gap = (truncated_entropy(values, convention, r=2).value
               - truncated_entropy([mpmath.mpf(2), mpmath.mpf(1)], convention, r=2).value)  # fmt: skip
        exact = mpmath.mpf(gap)
    with flint.ctx.workprec(120):
        two = [flint.arb(2), flint.arb(1)]
        reference = from_ball(truncated_entropy(two, convention, r=2).value)
        bound = EntropyNeighbourhood(base, {1: swap}, convention).difference(
            {1: flint.arb(flint.fmpq(1, 50))}, reference
        )
    assert bound is not None
    assert bound.gap.lower <= Fraction(*map(int, mpmath.libmp.to_rational(exact._mpf_))) <= bound.gap.upper


def test_two_remainders_differ_by_at_most_their_sum() -> None:
    """t^P R(t) − c^P R(c) for any two values in the same ball: the factor reaches b^P + c^P on both sides."""
    problem = Problem(activation_name="tanh", count=3, interior=(3,), step=(Fraction(1, 20),))
    expansion = step_expansion(problem, 4, 120)
    a, middle, b = Fraction(1, 40), Fraction(3, 80), Fraction(1, 20)
    factors = _moves(expansion, a, middle, b)
    with flint.ctx.workprec(120):
        reach = from_ball(factors[expansion.power])
        share = (middle / b) ** expansion.power
        assert reach.lower <= -(1 + share)
        assert 1 + share <= reach.upper <= (1 + share) * (1 + Fraction(1, 10**6))
        for q in expansion.coefficients:
            moves = from_ball(factors[q])
            for t in (a / b, Fraction(1), Fraction(4, 5)):
                assert moves.lower <= t**q - (middle / b) ** q <= moves.upper


def test_existence_needs_the_strict_inequality() -> None:
    """Bump, Cauchy w and b: the tail of E w^n σ⁽ⁱ⁾ σ⁽ʲ⁾ is ∫ w^{n−4} dw, so that n = 2 exists and n = 3 does not."""
    bump, cauchy = shape(activation("gaussian").derivative(0)), law("cauchy(0, 1)")

    def exists(i: int, j: int, weights: str = "cauchy(0, 1)", biases: str = "cauchy(0, 1)") -> bool:
        try:
            existence.require(bump, "gaussian", (law(weights),), law(biases), (i,), (j,))
        except NonexistenceError:
            return False
        return True

    assert cauchy.moment_bound == 1
    assert exists(1, 1)
    assert not exists(2, 1)
    assert not exists(2, 2)
    # ν_w + ν_b + 1 = 5, 6, 7 for n = 4, 5, 6
    for weights, biases, n in (("student(3, 1)", "cauchy(0, 1)", 5), ("student(3, 1)", "student(3, 1)", 7)):
        assert exists(n // 2, n - 1 - n // 2, weights, biases)
        assert not exists(n // 2, n - n // 2, weights, biases)
    # without a pinned bias a moment of the order of the tail is infinite
    for name in ("student(3, 1)", "student(5, 1/2)"):
        heavy = law(name)
        assert heavy.moment_bound is not None
        assert heavy.moment_exists(int(heavy.moment_bound) - 1)
        assert not heavy.moment_exists(int(heavy.moment_bound))
    sine = shape(activation("sin").derivative(0))
    with pytest.raises(NonexistenceError, match="infinite"):
        existence.require(sine, "sin", (law("student(5, 1)"),), law("normal(0, 1)"), (2,), (3,))
    existence.require(sine, "sin", (law("student(5, 1)"),), law("normal(0, 1)"), (2,), (2,))


def test_signs_are_not_proven_from_half_of_the_off_diagonal_entries() -> None:
    """Ones with −11/20 beside them: the least eigenvalue is −1/10. One triangle has norm 0.95 < 1, both have 1.35."""
    with flint.ctx.workprec(200):
        off = flint.fmpq(-11, 20)
        found = SimpleNamespace(
            factors=SimpleNamespace(
                vectors=SimpleNamespace(columns=[0, 0, 0]),
                left_vectors=lambda bits: flint.arb_mat([[int(i == j) for j in range(3)] for i in range(3)]),
            ),
            matrix=flint.arb_mat([[1, off, off], [off, 1, off], [off, off, 1]]),
            accuracy=60,
            bits=120,
            rank=3,
            values=[],
        )
    with pytest.raises(PrecisionCapError, match="signs are not decided"):
        symmetric._prove_signs(found)  # type: ignore[arg-type]
    with flint.ctx.workprec(200):
        near = flint.fmpq(1, 100)
        found.matrix = flint.arb_mat([[1, near, near], [near, 1, near], [near, near, 1]])
    symmetric._prove_signs(found)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rest", "proven"), [(Fraction(1, 2), True), (Fraction(99, 100), True), (Fraction(6, 5), False)]
)
def test_signs_are_not_proven_by_vectors_that_are_too_long(rest: Fraction, proven: bool) -> None:
    """K = I and the vector 6/5 e_1: its quadratic form is 36/25, the eigenvalue 1, and the rest lies below 1 or above."""
    with flint.ctx.workprec(200):
        found = SimpleNamespace(
            factors=SimpleNamespace(
                vectors=SimpleNamespace(columns=[0]),
                left_vectors=lambda bits: flint.arb_mat(2, 1, [flint.fmpq(6, 5), 0]),
            ),
            matrix=flint.arb_mat([[1, 0], [0, 1]]),
            accuracy=60,
            bits=120,
            rank=1,
            values=[Enclosure.exact(1), Enclosure(Fraction(0), rest)],
        )
    if proven:
        symmetric._prove_signs(found)  # type: ignore[arg-type]
    else:
        with pytest.raises(PrecisionCapError, match="not separated"):
            symmetric._prove_signs(found)  # type: ignore[arg-type]
