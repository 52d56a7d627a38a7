from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import flint
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp

from theory.base.errors import InputError
from theory.entropy.bounds import (
    entropy_gap_bound,
    factor_distance,
    factor_gap_bound,
    fannes_audenaert,
    mirsky_distance,
    mirsky_distance_squares,
    ratio_range,
    total_variation,
    upper_sqrt,
)
from theory.entropy.entropy import natural_log, probabilities, shannon_entropy

positive = st.fractions(min_value=Fraction(1, 10**4), max_value=10**3, max_denominator=10**4)
lists = st.lists(positive, min_size=1, max_size=9)
spectra = lists.map(lambda x: sorted(x, reverse=True))
powers = st.sampled_from([1, 2])


def ball(x: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(x.numerator, x.denominator))


def log(x: Fraction) -> flint.arb:
    return ball(x).log()


def holds(smaller: flint.arb, larger: flint.arb) -> bool:
    """``smaller <= larger`` up to the radius of the two balls: equality cannot be decided by balls."""
    difference = larger - smaller
    return bool(not difference < 0)


@given(lists, lists)
@settings(max_examples=25)
def test_fannes_audenaert_bounds_the_entropy_gap(x: list[Fraction], y: list[Fraction]) -> None:
    p, q = [a / sum(x) for a in x], [a / sum(y) for a in y]
    distance = total_variation(p, q)
    r = max(len(p), len(q))
    gap = abs(shannon_entropy(p, log) - shannon_entropy(q, log))
    exact = fannes_audenaert(distance, r, log, exact=True)
    loose = fannes_audenaert(distance, r, log)
    assert holds(gap, exact)
    assert holds(exact, loose)
    assert holds(loose, log(Fraction(r)))


@given(st.integers(2, 9), st.fractions(0, 1, max_denominator=60))
@settings(max_examples=25)
def test_fannes_audenaert_is_attained(r: int, distance: Fraction) -> None:
    """By p = (1, 0, …) and p' = (1 - T, T/(r-1), …), for every T in [0, 1]."""
    p = [Fraction(1)]
    q = [1 - distance] + [distance / (r - 1)] * (r - 1)
    assert total_variation(p, q) == distance
    difference = shannon_entropy(q, log) - fannes_audenaert(distance, r, log, exact=True)
    assert difference.contains(0) if isinstance(difference, flint.arb) else difference == 0
    assert difference == 0 or difference.rad() < 1e-13


@given(st.integers(1, 9), st.fractions(0, 3, max_denominator=60), st.fractions(0, 3, max_denominator=60))
@settings(max_examples=25)
def test_as_a_bound_it_is_monotone_and_capped(r: int, first: Fraction, second: Fraction) -> None:
    low, high = sorted((first, second))
    smaller, larger = (fannes_audenaert(t, r, log) for t in (low, high))
    assert holds(smaller, larger)
    assert holds(larger, log(Fraction(r)))
    if low >= 1 - Fraction(1, r) and r > 1:
        assert (smaller - log(Fraction(r))).contains(0)


def test_the_formula_alone_is_no_bound_beyond_its_domain() -> None:
    """Dropping the restriction T <= 1 - 1/r: a bound of 1 on a distance of 1/2 would claim equal entropies."""
    p, q = [Fraction(1)], [Fraction(1, 2)] * 2
    gap = shannon_entropy(q)
    assert fannes_audenaert(Fraction(1), 2, exact=True) == 0 < gap
    assert fannes_audenaert(Fraction(1), 2) == pytest.approx(gap)
    assert total_variation(p, q) == Fraction(1, 2)


@pytest.mark.parametrize(("distance", "r", "exact"), [(-0.1, 3, False), (0.1, 0, False), (1.5, 3, True)])
def test_fannes_audenaert_refuses(distance: float, r: int, exact: bool) -> None:
    with pytest.raises(InputError, match="allowed"):
        fannes_audenaert(distance, r, exact=exact)


@given(spectra, spectra, powers)
@settings(max_examples=25)
def test_mirsky_distances_bound_the_variation_with_unequal_cutoffs(
    sigma: list[Fraction], other: list[Fraction], power: int
) -> None:
    n = min(len(sigma), len(other))
    sigma, other = sigma[:n], other[:n]
    for r in range(1, n + 1):
        for s in range(r, n + 1):
            distance = total_variation(probabilities(sigma, r, power), probabilities(other, s, power))
            dropped = sum((x**power for x in sigma[r:s]), Fraction(0))
            if power == 1:
                nuclear = sum(abs(a - b) for a, b in zip(sigma[:s], other[:s], strict=True))
                assert distance <= mirsky_distance(nuclear, sum(sigma[:r]), sum(other[:s]), dropped)
            else:
                frobenius = upper_sqrt(sum((a - b) ** 2 for a, b in zip(sigma[:s], other[:s], strict=True)))
                norms = [upper_sqrt(sum(x * x for x in values[:s])) for values in (sigma, other)]
                bound = mirsky_distance_squares(frobenius, norms[0], norms[1], dropped)
                assert distance <= bound + Fraction(1, 10**40)  # the norms are rounded at 60 digits


def test_the_squares_that_are_dropped_leave_the_denominator() -> None:
    """(1 · (3 + 2) + 4) / max(9 - 4, 4); and equal matrices (2, 1) cut at 1 and at 2 attain 1/5."""
    assert mirsky_distance_squares(Fraction(1), Fraction(3), Fraction(2), Fraction(4)) == Fraction(9, 5)
    root = upper_sqrt(Fraction(5))
    sigma = [Fraction(2), Fraction(1)]
    distance = total_variation(probabilities(sigma, 1, 2), probabilities(sigma, 2, 2))
    assert abs(mirsky_distance_squares(Fraction(0), root, root, Fraction(1)) - distance) < Fraction(1, 10**50)


def test_the_dropped_part_is_needed() -> None:
    """Equal matrices, unequal cut-offs: ‖A - A'‖ = 0, and yet the entropies differ."""
    sigma = [Fraction(1)] * 4
    distance = total_variation(probabilities(sigma, 2), probabilities(sigma, 4))
    assert distance == Fraction(1, 2)
    assert mirsky_distance(Fraction(0), Fraction(2), Fraction(4)) == 0
    assert mirsky_distance(Fraction(0), Fraction(2), Fraction(4), Fraction(2)) == distance


@pytest.mark.parametrize("seed", range(5))
def test_mirsky_on_matrices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((7, 9))
    b = a + 10.0 ** rng.uniform(-4, 0) * rng.standard_normal((7, 9))
    s, t = (np.linalg.svd(x, compute_uv=False) for x in (a, b))
    distance = total_variation(probabilities(s, 7), probabilities(t, 7))
    bound = mirsky_distance(float(np.linalg.norm(a - b, "nuc")), float(s.sum()), float(t.sum()))
    assert distance < bound
    squares = total_variation(probabilities(s, 7, 2), probabilities(t, 7, 2))
    norms = [float(np.linalg.norm(x)) for x in (a, b)]
    assert squares < mirsky_distance_squares(float(np.linalg.norm(a - b)), norms[0], norms[1])


def factored(sigma: list[Fraction], factors: list[Fraction], power: int) -> tuple[list[Fraction], list[Fraction]]:
    weights = [(x**power, (x * d) ** power) for x, d in zip(sigma, factors, strict=True)]
    totals = [sum(w[i] for w in weights) for i in (0, 1)]
    return [w[0] / totals[0] for w in weights], [w[1] / totals[1] for w in weights]


@given(st.data(), powers)
@settings(max_examples=25)
def test_factor_bounds_hold(data: st.DataObject, power: int) -> None:
    sigma = data.draw(spectra)
    factor = st.fractions(min_value=Fraction(1, 10), max_value=2, max_denominator=50)
    factors = data.draw(st.lists(factor, min_size=len(sigma), max_size=len(sigma)))
    d_min, d_max = min(factors), max(factors)
    p, q = factored(sigma, factors, power)
    rho = ratio_range(d_min, d_max, power)
    assert all(1 / rho <= b / a <= rho for a, b in zip(p, q, strict=True))
    h, other = (shannon_entropy(x, log) for x in (p, q))
    distance = factor_distance(d_min, d_max, power)
    assert total_variation(p, q) <= distance
    gap, r = abs(h - other), len(sigma)
    assert holds(gap, fannes_audenaert(distance, r, log))
    assert holds(gap, factor_gap_bound(r, d_min, d_max, power, log))
    least = entropy_gap_bound(h, r, d_min, d_max, power, log)
    assert holds(gap, least)
    assert holds(least, ball(rho - 1) * h)  # no worse than (ρ - 1) H


@given(st.fractions(min_value=1, max_value=10))
@settings(max_examples=25)
def test_the_distance_under_factors_is_attained(root: Fraction) -> None:
    """Mass 1/(1 + √ρ) with the factor ρ and the rest with 1 reaches tanh(¼ log ρ) exactly."""
    assume(root > 1)
    rho = root * root
    share = 1 / (1 + root)
    p = [share, 1 - share]
    total = share * rho + 1 - share
    q = [share * rho / total, (1 - share) / total]
    assert total_variation(p, q) == factor_distance(Fraction(1), root, 2)
    assert abs(factor_distance(Fraction(1), rho, 1) - factor_distance(Fraction(1), root, 2)) < Fraction(1, 10**50)
    value = mp.tanh(mp.log(mp.mpf(rho.numerator) / rho.denominator) / 4)
    assert float(factor_distance(Fraction(1), root, 2)) == pytest.approx(float(value), rel=1e-12)


@pytest.mark.parametrize("r", [2, 3, 10, 100, 10**4])
def test_variance_of_information_bound(r: int) -> None:
    """The cited lemma, at its extreme distributions (1 - λ, λ/(r-1), …) on a fine grid, and at random ones."""
    cap = 0.25 * math.log(r - 1) ** 2 + 1
    worst = 0.0
    for k in range(1, 4000):
        x = k / 4000
        worst = max(worst, x * (1 - x) * (math.log((1 - x) * (r - 1) / x)) ** 2)
    assert worst < cap
    assert worst > cap - 0.65  # sharp up to a constant
    rng = np.random.default_rng(r)
    for concentration in (0.01, 0.1, 1.0):
        p = rng.dirichlet([concentration] * r)
        p = p[p > 0]
        mean = float(np.sum(p * np.log(p)))
        assert float(np.sum(p * (np.log(p) - mean) ** 2)) < cap


def test_the_linear_bound_is_linear_and_the_others_are_not() -> None:
    """As ρ → 1 the gap bound falls with slope 1 in log ρ; the continuity bound alone falls more slowly."""
    widths = [1e-3, 1e-4, 1e-5]
    linear = [factor_gap_bound(50, 1.0, 1.0 + w) for w in widths]
    continuity = [fannes_audenaert(factor_distance(1.0, 1.0 + w), 50) for w in widths]
    assert [math.log10(a / b) for a, b in pairwise(linear)] == pytest.approx([1, 1], abs=1e-3)
    assert all(a > b for a, b in zip(continuity, linear, strict=True))


def test_factor_bounds_refuse_factors_that_reach_zero() -> None:
    for d_min, d_max in ((0.0, 1.0), (-1.0, 1.0), (2.0, 1.0), (flint.arb("0 +/- 1"), flint.arb(1))):
        with pytest.raises(InputError, match="0 < d_min <= d_max"):
            ratio_range(d_min, d_max)
    with pytest.raises(InputError, match="power"):
        ratio_range(0.5, 1.0, 3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="r: 0"):
        factor_gap_bound(0, 0.5, 1.0)
    with pytest.raises(InputError, match="totals"):
        mirsky_distance(1.0, 0.0, 0.0)
    with pytest.raises(InputError, match="empty"):
        total_variation([], [1.0])


@given(st.fractions(min_value=0, max_value=10**6))
@settings(max_examples=25)
def test_upper_sqrt_is_above_and_close(x: Fraction) -> None:
    root = upper_sqrt(x)
    assert x <= root * root
    assert x == 0 or (root * (1 - Fraction(1, 10**50))) ** 2 < x


def test_bounds_in_floats_and_balls_agree() -> None:
    h = natural_log(5.0)
    exact = entropy_gap_bound(log(Fraction(5)), 8, Fraction(9, 10), Fraction(1), 1, log)
    assert float(exact.mid()) == pytest.approx(entropy_gap_bound(h, 8, 0.9, 1.0), rel=1e-13)
    in_balls = entropy_gap_bound(log(Fraction(5)), 8, ball(Fraction(9, 10)), flint.arb(1), 1)
    assert in_balls.overlaps(exact)
    assert in_balls.rad() < 1e-12
