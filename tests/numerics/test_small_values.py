"""The size from which S2 holds, predicted from A_AD: each part of the model against sampled noise, the whole against LAPACK."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg

from numerics.matrices import float_matrix
from numerics.problem import Boundary, Problem
from numerics.small_values import SPREAD, Onset, predicted_onset, size_grid, small_values
from numerics.truncation import truncation_terms
from theory.errors import InputError, NonexistenceError
from theory.laws import Normal, Uniform


def drawn(n: int, seed: int, activation: str = "tanh", scale: int = 1, step: str = "1/100", **more: object) -> Problem:
    return Problem(
        activation_name=activation,
        weights=Normal(Fraction(0), Fraction(scale)),
        biases=Normal(Fraction(0), Fraction(1)),
        count=n,
        seed=seed,
        interior=(n,),
        step=(Fraction(step),),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("operator", ["u_x", "u_xx", "u_xxxx", "u_x + x*u_xx", "u_xx + u"])
def test_truncation_terms_leave_an_error_of_the_following_power(operator: str) -> None:
    errors = []
    for step in (Fraction(1, 10), Fraction(1, 20)):
        made = drawn(7, 3, operator_text=operator).with_(step=(step,))
        difference = float_matrix(made, "fd", "float64") - float_matrix(made, "ad", "float64")
        terms = truncation_terms(made, 2)
        assert list(terms) == [2, 4]
        errors.append([np.abs(difference - terms[2]).max(), np.abs(difference - terms[2] - terms[4]).max()])
    slopes = np.log2(np.array(errors[0]) / np.array(errors[1]))
    assert slopes == pytest.approx([4, 6], abs=0.25)


def test_truncation_terms_need_derivatives_and_vanish_for_exact_differences() -> None:
    with pytest.raises(NonexistenceError):
        truncation_terms(drawn(5, 0, "relu2"))
    assert truncation_terms(drawn(5, 0, operator_text="u")) == {}


def test_scatter_at_the_hard_edge_is_that_of_square_gaussian_matrices() -> None:
    """SPREAD / (j − 1/2) is the standard deviation of log of the j-th smallest value, within 15 %, j = 2 … 12."""
    generator = np.random.default_rng(5)
    values = np.linalg.svd(generator.standard_normal((600, 40, 40)), compute_uv=False)[:, ::-1]
    measured = np.std(np.log(values[:, 1:12]), axis=0) * (np.arange(2, 13) - 0.5)
    assert np.all(np.abs(measured / SPREAD - 1) < 0.15)


def test_shares_are_predicted() -> None:
    """At sizes below, at and above the onset: 24 draws; 0.3 is three standard deviations of a share of 1/2."""
    for n in (24, 40, 64):
        problems = [drawn(n, seed) for seed in range(24)]
        held = []
        for made in problems:
            ad, fd = (scipy.linalg.svd(float_matrix(made, m, "float64"), compute_uv=False) for m in ("ad", "fd"))
            held.append(bool((fd[n // 2 :] > ad[n // 2 :]).all()))
        predicted = np.mean([small_values(made, "float64").probability for made in problems[:8]])
        assert abs(np.mean(held) - predicted) < 0.3


def test_the_onset_is_that_of_the_shares() -> None:
    found = predicted_onset(lambda n: [drawn(n, s, step="1/10") for s in range(4)], "float32", size_grid(8, 40))
    assert found.separated
    assert found.size is not None
    assert 8 <= found.size <= 24
    assert predicted_onset(lambda n: [drawn(n, 0, scale=5)], "float64", [24, 25, 26]) == Onset(None, True)


def test_steps_as_large_as_the_features_bring_the_floors_together() -> None:
    """|w| h of 2 and of 0.02: where differences cancel nothing, A_AD's own round-off is nearly as high as A_FD's."""
    made = drawn(60, 0, "sin", 20, "1/10")
    coarse, fine = (small_values(made.with_(step=(Fraction(1, k),)), "float64") for k in (10, 1000))
    assert coarse.separation < 10
    assert fine.separation > 100 * coarse.separation
    assert coarse.probability < 0.5


def test_more_values_are_less_probable_and_no_value_is_certain() -> None:
    found = small_values(drawn(40, 2), "float64")
    assert np.all(np.diff(found.behind) >= 0)
    assert found.behind[-1] == 1
    assert found.probability == found.behind[20]


def test_a_grid_of_sizes_is_fine() -> None:
    sizes = size_grid(8, 400)
    assert sizes[0] == 8
    assert all(b - a <= max(1, 0.05 * a) for a, b in pairwise(sizes))
    assert sizes[-1] * 1.06 > 400


def test_boundary_rows_are_refused() -> None:
    with pytest.raises(InputError, match="boundary"):
        small_values(drawn(8, 0, boundary=(Boundary("all", 2),)), "float64")


def test_rectangular_matrices_have_a_prediction_too() -> None:
    made = drawn(30, 1).with_(interior=(60,), weights=Uniform(Fraction(-1), Fraction(1)))
    assert 0 <= small_values(made, "float32").probability <= 1
