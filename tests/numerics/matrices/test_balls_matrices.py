"""Ball matrices: they contain the multiprecision entries, they are narrow, and their two routes agree."""

from __future__ import annotations

from fractions import Fraction

import flint
import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.arithmetic.balls import from_ball
from numerics.matrices.assemble import multiprecision_entries, shape
from numerics.matrices.balls import WAVES, ball_entries, generic_entries
from numerics.problem.problem import Boundary, Method, Problem
from proofs_check.search.strategies import problems
from theory.features.activations import activation
from theory.features.laws import law
from theory.operators.operator import StencilChoice

METHODS: tuple[Method, ...] = ("ad", "fd")


def fraction(value: mpmath.mpf) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_
    return Fraction(int(-mantissa if sign else mantissa)) * Fraction(2) ** int(exponent)


def check(problem: Problem, method: Method, bits: int) -> None:
    before = flint.ctx.prec
    balls = ball_entries(problem, method)(bits)
    assert flint.ctx.prec == before
    assert (balls.nrows(), balls.ncols()) == shape(problem)
    digits = bits // 3 + 40
    exact = multiprecision_entries(problem, method)(digits)
    scale = max([Fraction(1), *(abs(fraction(v)) for v in exact)])
    for i in range(balls.nrows()):
        for j in range(balls.ncols()):
            found, value = from_ball(balls[i, j]), fraction(exact[i, j])
            slack = scale / Fraction(10) ** digits  # of mpmath
            assert found.lower - slack <= value <= found.upper + slack
            assert found.width <= scale / Fraction(2) ** (bits - 12)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(problem=problems(), bits=st.sampled_from([60, 150, 400]))
def test_entries_are_contained_and_narrow(method: Method, problem: Problem, bits: int) -> None:
    check(problem, method, bits)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(problem=problems(activation=st.sampled_from([activation(name) for name in WAVES])))
def test_addition_theorems_agree_with_evaluation(method: Method, problem: Problem) -> None:
    check(problem, method, 120)
    one, other = ball_entries(problem, method)(120), generic_entries(problem, method, 60)(120)
    assert one.overlaps(other)


@pytest.mark.parametrize("name", WAVES)
@pytest.mark.parametrize("method", METHODS)
def test_grids_and_boundaries_in_two_dimensions(name: str, method: Method) -> None:
    problem = Problem(
        operator_text="u_xx + x*u_yy - u_x/3",
        domain=((Fraction(-1), Fraction(1)), (Fraction(0), Fraction(2))),
        solution="x*y",
        activation_name=name,
        weights=law("uniform(-6, 6)"),
        count=5,
        interior=(4, 5),
        boundary=(Boundary(count=6, weight=Fraction(3)), Boundary("x-", 2, "u_x")),
        stencil=StencilChoice("central", 4),
        step=(Fraction(1, 1000), Fraction(1, 100)),
    )
    check(problem, method, 200)


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu3", "z*exp(-z**2)"])
def test_small_steps_do_not_cost_digits(name: str) -> None:
    problem = Problem(operator_text="u_xxxx", activation_name=name, count=3, interior=(4,), step=(Fraction(1, 10**20),))
    check(problem, "fd", 100)


@pytest.mark.parametrize("activation", ["relu", "relu2", "step"])
@pytest.mark.parametrize("method", ["ad", "fd"])
def test_a_kink_that_is_met_exactly_is_decided(activation: str, method: Method) -> None:
    """w x + b = 0 at x = -1/2 for w = 2/3, b = 1/3, which no ball decides."""
    problem = Problem(
        operator_text="exp(x)*u_x - u/3", activation_name=activation, count=2, interior=(3,), boundary=(Boundary(),),
        weights=((Fraction(2, 3),), (Fraction(-1),)), biases=(Fraction(1, 3), Fraction(0)),
    )  # fmt: skip
    entries = ball_entries(problem, method)(100)
    assert all(float(x.rad()) < 1e-25 for x in entries.entries())
    with mpmath.workdps(30):
        wanted = multiprecision_entries(problem, method)(30)
        for x, value in zip(entries.entries(), wanted, strict=True):
            assert abs(mpmath.mpf(str(x.mid().str(25, radius=False))) - value) < mpmath.mpf(10) ** -18
