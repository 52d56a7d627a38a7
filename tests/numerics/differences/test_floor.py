"""Typical rounding errors of the entries of A_FD against sampled errors of the operations that make them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from numerics.differences.floor import entry_errors
from numerics.problem.drawn import features, interior_points
from numerics.problem.problem import Problem
from theory.features.laws import law
from theory.operators.operator import StencilChoice
from theory.operators.roundoff import TYPICAL_FACTOR, UNIT_ROUNDOFF


@pytest.mark.parametrize(("operator", "order"), [("u_xx", 2), ("u_x", 2), ("u_xx", 4), ("(2 + x)*u_xx", 2)])
def test_errors_of_x_w_z_and_the_value_add_in_squares(operator: str, order: int) -> None:
    """20 000 draws of independent relative errors at every node; the standard deviation of an entry within 4 %."""
    problem = Problem(
        operator_text=operator, activation_name="tanh", count=2, interior=(2,), step=(Fraction(1, 1000),),
        weights=law("uniform(2, 4)"), biases=law("uniform(-3, -1)"), stencil=StencilChoice("central", order),
    )  # fmt: skip
    predicted = entry_errors(problem, "float64") / (TYPICAL_FACTOR * UNIT_ROUNDOFF["float64"])
    drawn, draws, size = features(problem), np.random.default_rng(2), 1e-6
    (term,) = problem.difference.terms
    for i, (x,) in enumerate(map(tuple, interior_points(problem))):
        for j, ((w,), b) in enumerate(zip(drawn.weights, drawn.biases, strict=True)):
            total = np.zeros(20_000)
            for shift, weight in zip(term.shifts, term.weights, strict=True):
                at = float(x + shift[0])
                e = 1 + size * draws.standard_normal((4, 20_000))
                value = np.tanh((float(w) * e[0] * at * e[1] + float(b)) * e[2]) * e[3]
                total += float(weight) * (value - math.tanh(float(w) * at + float(b)))
            factor = 2 + float(x) if operator.startswith("(") else 1.0
            measured = factor * total.std() / float(term.scale) / size
            assert measured == pytest.approx(predicted[i, j], rel=0.04)
