"""Statistics against direct definitions, scipy, and their own coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.training.statistics import (
    bootstrap,
    compare,
    holm,
    loglog_slope,
    signed_rank,
    spearman,
)
from theory.base.errors import InputError

numbers = st.floats(-100, 100, allow_nan=False).map(lambda v: round(v, 3))


@settings(max_examples=12)
@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=20))
def test_paired_comparison_is_antisymmetric(pairs: list[tuple[float, float]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    one, other = compare(first, second), compare(second, first)
    assert one.mean.estimate == pytest.approx(-other.mean.estimate, abs=1e-12)
    assert one.mean.lower == pytest.approx(-other.mean.upper, abs=1e-9)
    assert one.smaller == pytest.approx(1 - other.smaller)
    assert one.p_value == pytest.approx(other.p_value, rel=1e-9)
    assert one.mean.lower <= one.mean.estimate <= one.mean.upper
    difference = np.array(first) - np.array(second)
    if difference.std(ddof=1) > 1e-9:
        assert one.effect == pytest.approx(difference.mean() / difference.std(ddof=1))


def test_a_paired_difference_that_two_samples_hide() -> None:
    """Seeds vary by orders of magnitude, the treatment by ten per cent: pairing finds it."""
    generator = np.random.default_rng(0)
    base = np.exp(3 * generator.standard_normal(24))
    treated = base * np.exp(-0.1 + 0.02 * generator.standard_normal(24))
    found = compare(list(treated), list(base), logarithmic=True)
    assert found.pairs == 24
    assert found.mean.upper < 0
    assert -0.1 in found.mean
    assert found.smaller == 1.0
    assert found.p_value < 1e-6
    assert found.effect < -3
    assert scipy.stats.ttest_ind(np.log(treated), np.log(base)).pvalue > 0.5


def test_missing_and_diverged_runs_are_dropped_in_pairs() -> None:
    found = compare([1.0, None, 3.0, float("inf")], [2.0, 5.0, None, 1.0])
    assert (found.pairs, found.dropped) == (1, 3)
    assert found.mean.estimate == -1.0
    assert math.isinf(found.effect)
    assert compare([0.0, 1.0], [1.0, 1.0], logarithmic=True).dropped == 1
    equal = compare([1.0, 2.0], [1.0, 2.0])
    assert (equal.effect, equal.smaller, equal.p_value) == (0.0, 0.5, 1.0)
    with pytest.raises(InputError, match="no pair"):
        compare([None], [1.0])
    with pytest.raises(InputError, match="pairs"):
        compare([1.0], [1.0, 2.0])


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 90), st.sampled_from([0.5, 1e-6]))
def test_the_signed_rank_test_is_that_of_its_definition(seed: int, n: int, grain: float) -> None:
    """With ties and zeros (coarse grain) and without; on both sides of the change from counting to the normal law."""
    values = np.round(np.random.default_rng(seed).normal(0.3, 1, n) / grain) * grain
    kept = values[values != 0]
    if not len(kept):
        assert signed_rank(values) == 1
        return
    ranks = scipy.stats.rankdata(np.abs(kept))
    m, positive = len(kept), float(ranks[kept > 0].sum())
    if n <= 50 and m == n and len(np.unique(ranks)) == n:
        ways = np.ones(1)  # ways[s]: subsets of 1..n with the sum s
        for k in range(1, n + 1):
            ways = np.concatenate([ways, np.zeros(k)]) + np.concatenate([np.zeros(k), ways])
        expected = min(1.0, 2 * float(ways[: int(min(positive, n * (n + 1) / 2 - positive)) + 1].sum()) / 2.0**n)
    else:
        ties = np.unique(ranks, return_counts=True)[1]
        variance = m * (m + 1) * (2 * m + 1) / 24 - float((ties**3 - ties).sum()) / 48
        expected = min(1.0, 2 * scipy.stats.norm.sf(abs(positive - m * (m + 1) / 4) / np.sqrt(variance)))
    assert signed_rank(values) == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_bootstrap_interval_covers_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    covered = sum(0.0 in bootstrap(generator.standard_normal(30), 0.9, seed, 400) for seed in range(200))
    # 180 expected; a percentile interval with n = 30 covers a little less. Six standard deviations below.
    assert 150 <= covered <= 196
    with pytest.raises(InputError):
        bootstrap(np.array([]))
    with pytest.raises(InputError, match="confidence"):
        bootstrap(np.ones(3), 1.0)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_by_its_definition(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    n = len(p_values)
    for k, p in enumerate(p_values):
        # The largest of (n − rank) p over the p-values that are no larger, in order.
        ordered = sorted(p_values)
        steps = [min(1.0, (n - i) * q) for i, q in enumerate(ordered) if q <= p]
        assert adjusted[k] == pytest.approx(max(steps))
        assert p <= adjusted[k] <= 1
        assert adjusted[k] <= min(1.0, n * p) + 1e-12


def test_holm_controls_false_rejections() -> None:
    generator = np.random.default_rng(2)
    uniform = generator.random((2000, 5))
    wrong = np.mean([min(holm(list(row))) <= 0.05 for row in uniform])
    unadjusted = np.mean(uniform.min(1) <= 0.05)
    assert wrong < 0.07
    assert unadjusted > 0.15
    with pytest.raises(InputError):
        holm([1.5])


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(5, 20))
def test_spearman_agrees_with_scipy(seed: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.integers(0, 6, n).astype(float)  # with ties
    y = x + generator.standard_normal(n)
    if np.ptp(x) == 0:
        return
    assert float(spearman(x, y)) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)
    assert np.isnan(spearman(np.stack([0 * x, y]), np.stack([y, 0 * x]))).all()


@settings(max_examples=30)
@given(st.floats(-3, 3), st.floats(0.1, 10), st.integers(0, 100))
def test_slopes_of_powers(power: float, factor: float, seed: int) -> None:
    sizes = [4, 8, 16, 32]
    noise = np.exp(0.1 * np.random.default_rng(seed).standard_normal((4, 12)))
    values = factor * np.array(sizes, dtype=float)[:, None] ** power
    exact = loglog_slope(sizes, np.repeat(values, 3, axis=1))
    assert exact.estimate == pytest.approx(power, abs=1e-12)
    assert exact.upper - exact.lower < 1e-9
    noisy = loglog_slope(sizes, values * noise)
    assert noisy.estimate == pytest.approx(power, abs=0.15)
    assert 0 < noisy.upper - noisy.lower < 0.3


def test_bad_slopes_are_refused() -> None:
    for sizes, values in (([1], np.ones((1, 3))), ([1, 2], np.ones((3, 3))), ([1, 2], np.zeros((2, 3)))):
        with pytest.raises(InputError, match="slope"):
            loglog_slope(sizes, values)
