"""The size from which S2 holds, predicted from A_AD: each part of the model against sampled noise, the whole against LAPACK."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
from scipy.stats import binom

from numerics.differences import floor as module
from numerics.differences.floor import (
    SPREAD,
    Onset,
    SmallValues,
    _despite_zero_columns,
    _noise,
    _predict,
    predicted_onset,
    size_grid,
    small_values,
    zero_columns,
)
from numerics.matrices.assemble import float_matrix, truncation_terms
from numerics.problem.problem import Boundary, Problem
from theory.base.errors import InputError, NonexistenceError
from theory.features.laws import Normal, Uniform


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


@pytest.mark.parametrize(("size", "shift"), [(20.0, 0.0), (60.0, 0.0), (20.0, -1.5), (20.0, 0.7)])
def test_one_value_above_the_noise_is_shifted_lifted_and_scattered(size: float, shift: float) -> None:
    """A column (σ, 0, …, 0) of 40 entries: ``σ' > σ`` as often as among 40 000 draws of the errors."""
    tau, rows = 1e-3, 40
    exact = np.zeros((rows, 1))
    exact[0] = size * tau
    moved = np.zeros_like(exact)
    moved[0] = shift * tau
    sigma = np.array([size * tau])
    found = _predict(exact, sigma, sigma, np.full_like(exact, tau), moved)
    assert found.knee == 1
    noise = tau * np.random.default_rng(1).standard_normal((40_000, rows))
    share = np.mean(np.linalg.norm(exact[:, 0] + moved[:, 0] + noise, axis=1) > size * tau)
    assert abs(found.probability - share) < 0.02  # six standard deviations are 0.015


def test_the_knee_is_where_noise_of_the_remaining_matrix_begins() -> None:
    """``σ_k`` against ``τ ((N − k)(M − k))^(1/4)``: 4τ and less for 16 × 16."""
    for values, knee in (([9, 5, 4.2, 3], 3), ([9, 3.8, 3.7], 1), ([3.9], 0)):
        sigma = np.array([*values, *([1e-3] * (16 - len(values)))])
        assert _predict(np.diag(sigma), sigma, sigma, np.ones((16, 16)), np.zeros((16, 16))).knee == knee


def test_the_least_value_of_square_noise_follows_edelmans_law() -> None:
    least = np.linalg.svd(np.random.default_rng(3).standard_normal((20_000, 5, 5)), compute_uv=False)[:, -1]
    for t in (0.1, 0.5, 1.5):
        own = np.array([5.0, 4.0, 3.0, 2.0, t / np.sqrt(5)])
        for tau in (1.0, 1e-6):
            factors, _ = _noise(own * tau, tau, 5, 5, 0)
            assert abs(np.exp(factors[-1]) - np.mean(least > own[-1])) < 0.02


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.0, 0.0, 0.5, 1.0, 1.0], 2),  # 10 of 20 draws hold with probability 0.588
        ([0.0, 0.0, 0.49, 1.0, 1.0], 2), ([0.0, 0.0, 0.4, 1.0, 1.0], 3),
        ([0.0, 0.5, 0.5, 1.0, 1.0], 2),  # 0.588² < 1/2: at one of two such sizes it is likely to fail
        ([0.0, 0.6, 0.6, 0.6, 1.0], 1), ([0.0, 0.55, 0.55, 0.55, 0.55], 3), ([1.0, 1.0, 1.0, 1.0, 0.2], None),
        ([0.0, 1.0, 0.0, 1.0, 1.0], 3), ([1.0, 1.0, 1.0, 1.0, 1.0], 0),
    ],
)  # fmt: skip
def test_an_onset_holds_from_there_on(
    shares: list[float], expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By binomial tails from scipy, multiplied from the largest size down."""
    product, wanted = 1.0, None
    for k in range(4, -1, -1):
        product *= float(binom.sf(9, 20, shares[k]))
        if product < 0.5:
            break
        wanted = k
    assert wanted == expected
    found = {10 + k: SmallValues(np.array([share, share]), 0, 1, 9.0) for k, share in enumerate(shares)}
    monkeypatch.setattr(module, "small_values", lambda size, arithmetic: found[size])
    onset = predicted_onset(lambda n: [n], "float64", list(found))  # type: ignore[list-item]
    assert onset == Onset(None if expected is None else 10 + expected, True)


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


# --- columns of zeros


def saturated(activation: str, operator: str, seed: int, **more: object) -> Problem:
    wide = Normal(Fraction(0), Fraction(4 if activation == "erf" else 8))
    return drawn(48, seed, activation, operator_text=operator, **more).with_(biases=wide)


@pytest.mark.parametrize("operator", ["u_x", "u_xx", "u_xxx"])
@pytest.mark.parametrize("activation", ["erf", "tanh"])
def test_columns_that_are_surely_zero_are_and_others_are_not(activation: str, operator: str) -> None:
    sure = 0
    for seed in range(8):
        made = saturated(activation, operator, seed)
        zero = zero_columns(made, "float32")
        really = ~float_matrix(made, "fd", "float32").any(axis=0)
        assert really[zero > 0.99].all()
        assert not really[zero < 0.01].any()
        sure += int((zero > 0.99).sum())
    assert sure > 8


def test_the_number_of_zero_columns_is_the_sum_of_their_probabilities() -> None:
    made = [saturated("erf", "u_xx", seed) for seed in range(40)]
    zero = np.concatenate([zero_columns(one, "float32") for one in made])
    really = sum(int((~float_matrix(one, "fd", "float32").any(axis=0)).sum()) for one in made)
    assert zero.sum() > 100
    assert abs(really - zero.sum()) < 0.05 * zero.sum()


def test_a_term_without_derivative_leaves_no_column_zero_and_sine_none() -> None:
    assert not zero_columns(saturated("erf", "u_xx + u", 0), "float32").any()
    assert not zero_columns(saturated("sin", "u_xx", 0), "float32").any()


def test_zero_columns_end_the_statement_where_they_can_be_told_and_are_not_spare() -> None:
    told = np.array([1.0, 1e-3, 1e-6])
    assert _despite_zero_columns(np.zeros(3), told) == 1
    assert _despite_zero_columns(np.array([0.0, 1.0, 0.0]), told) == 0
    assert _despite_zero_columns(np.array([0.25, 0.0, 0.0]), told) == 0.75
    assert _despite_zero_columns(np.array([1.0, 0.0, 0.0, 0.0]), told) == 1  # one to spare
    assert _despite_zero_columns(np.array([0.5, 0.5, 0.0, 0.0]), told) == 0.75
    assert _despite_zero_columns(np.array([0.0, 1.0, 0.0]), np.array([1.0, 1e-3, 1e-17])) == 0.5  # LAPACK's rounding
    assert _despite_zero_columns(np.array([0.0, 1.0, 1.0]), np.array([1.0, 1e-3, 1e-17])) == 0


@pytest.mark.parametrize("n", [32, 64])
def test_the_share_of_draws_that_saturation_spares(n: int) -> None:
    """Binomial: a misprediction beyond 4 standard deviations, plus 5 % for the model."""
    made = [drawn(n, seed, "erf").with_(biases=Normal(Fraction(0), Fraction(2))) for seed in range(60)]
    predicted = np.array([small_values(one, "float32").probability for one in made])
    held = 0
    for one in made:
        ad, fd = (scipy.linalg.svdvals(float_matrix(one, m, "float32").astype(float))[n // 2 :] for m in ("ad", "fd"))
        held += bool((fd > ad).all())
    assert abs(held - predicted.sum()) < 4 * np.sqrt((predicted * (1 - predicted)).sum()) + 3
    assert 0 < held < 60


def test_features_below_the_rounding_of_lapack_predict_nothing() -> None:
    """Gaussian features far out: columns of 1e-30 in both matrices, which LAPACK cannot tell from zero."""
    made = drawn(48, 1, "gaussian").with_(biases=Normal(Fraction(0), Fraction(9)))
    assert (np.linalg.norm(float_matrix(made, "ad", "float64"), axis=0) < 1e-30).any()
    assert 0.1 < small_values(made, "float64").probability < 0.9
