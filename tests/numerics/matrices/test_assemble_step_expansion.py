"""The expansion of A_FD in the step: it contains A_FD for every step, and is narrow."""

from __future__ import annotations

from fractions import Fraction

import flint
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numerics.matrices.assemble import step_expansion
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import Boundary, Problem
from proofs_check.search.strategies import problems
from theory.base.errors import InputError, NonexistenceError
from theory.features.laws import law


def scaled(problem: Problem, t: Fraction) -> Problem:
    return problem.with_(step=tuple(h * t for h in problem.step))


@settings(max_examples=20, deadline=None)
@given(
    problem=problems(max_order=2, steps=(Fraction(1, 8), Fraction(1, 50))),
    t=st.fractions(min_value=Fraction(1, 1000), max_value=1, max_denominator=1000),
    terms=st.integers(1, 4),
)
def test_it_contains_the_difference_at_every_step(problem: Problem, t: Fraction, terms: int) -> None:
    assume(problem.difference.order + terms + problem.operator.order <= 16)
    found = step_expansion(problem, terms)
    with flint.ctx.workprec(500):
        exact = ball_entries(scaled(problem, t), "fd")(500) - ball_entries(problem, "ad")(500)
        ratio = flint.arb(flint.fmpq(t.numerator, t.denominator))
        total = found.remainder * ratio**found.power
        for q, matrix in found.coefficients.items():
            total = total + matrix * ratio**q
    # contained, not only met, but for the width of the exact entries' own balls
    for x, y in zip(total.entries(), exact.entries(), strict=True):
        assert y.rad() < 1e-120
        assert (x + flint.arb(0, 1e-120)).contains(y)


def test_the_remainder_is_of_its_order_and_not_far_too_wide() -> None:
    problem = Problem(
        count=4, interior=(5,), weights=law("uniform(-2, 2)"), boundary=(Boundary(),), step=(Fraction(1, 10),)
    )
    found = step_expansion(problem, 4)
    assert (found.order, found.power) == (2, 6)
    assert sorted(found.coefficients) == [2, 4]
    sizes = [max(float(x.abs_upper()) for x in m.entries()) for m in (*found.coefficients.values(), found.remainder)]
    assert sizes[0] > 30 * sizes[1] > 100 * sizes[2]
    assert all(x == 0 for row in found.remainder.tolist()[5:] for x in row)  # boundary rows


def test_kinks_and_too_many_terms_are_refused() -> None:
    with pytest.raises(NonexistenceError, match="bounded derivatives"):
        step_expansion(Problem(count=2, interior=(2,), activation_name="relu3"))
    with pytest.raises(InputError, match="terms"):
        step_expansion(Problem(count=2, interior=(2,)), terms=20)
    with pytest.raises(InputError, match="terms"):
        step_expansion(Problem(count=2, interior=(2,)), terms=0)


def test_exact_differences_have_no_terms() -> None:
    found = step_expansion(Problem(count=2, interior=(2,), activation_name="z**3"), 4)
    assert found.coefficients == {}
    assert all(x.contains(0) and x.rad() < 1e-30 for x in found.remainder.entries())
