from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import prod

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from theory.base.errors import InputError
from theory.entropy.bounds import (
    Monotone,
    Order,
    majorisation_order,
    majorises,
    ratio_monotone,
    ratio_order,
)
from theory.entropy.entropy import shannon_entropy

positive = st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=100)
spectra = st.lists(positive, min_size=1, max_size=7).map(lambda x: sorted(x, reverse=True))


def log(x: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(x.numerator, x.denominator)).log()


def normalised(x: list[Fraction]) -> list[Fraction]:
    return [a / sum(x) for a in x]


@given(st.lists(positive, min_size=1, max_size=5), st.data())
@settings(max_examples=25)
def test_doubly_stochastic_images_are_majorised(x: list[Fraction], data: st.DataObject) -> None:
    """Hardy, Littlewood and Pólya: y ≺ x exactly when y = D x with D doubly stochastic (here: a Birkhoff mean)."""
    chosen = data.draw(st.lists(st.permutations(range(len(x))), min_size=1, max_size=4))
    weights = normalised(data.draw(st.lists(positive, min_size=len(chosen), max_size=len(chosen))))
    y = [sum(w * x[p[i]] for w, p in zip(weights, chosen, strict=True)) for i in range(len(x))]
    assert majorises(x, y) is True
    assert majorises(y, x) is (sorted(x) == sorted(y))
    assert majorises([*x, Fraction(1)], y) is False  # unequal sums


@given(st.lists(positive, min_size=1, max_size=5), st.lists(positive, min_size=1, max_size=5))
@settings(max_examples=25)
def test_majorisation_is_the_order_of_all_positive_parts(x: list[Fraction], y: list[Fraction]) -> None:
    """The other characterisation: equal sums and Σ (x_i - t)_+ >= Σ (y_i - t)_+ for every t (1.A / 4.B.1)."""
    p, q = normalised(x), normalised(y)
    n = max(len(p), len(q))
    p, q = p + [Fraction(0)] * (n - len(p)), q + [Fraction(0)] * (n - len(q))
    expected = all(sum(max(a - t, 0) for a in p) >= sum(max(a - t, 0) for a in q) for t in p + q)
    assert majorises(p, q) is expected
    order = majorisation_order(sorted(x, reverse=True), sorted(y, reverse=True))
    both = (majorises(p, q), majorises(q, p))
    assert (
        order
        is {
            (True, True): Order.EQUAL,
            (True, False): Order.FIRST_MAJORISES,
            (False, True): Order.SECOND_MAJORISES,
            (False, False): Order.INCOMPARABLE,
        }[both]
    )


@given(spectra, spectra)
@settings(max_examples=25)
def test_majorisation_orders_every_entropy(x: list[Fraction], y: list[Fraction]) -> None:
    order = majorisation_order(x, y)
    sign = order.entropy_sign
    if sign is None:
        return
    p, q = normalised(x), normalised(y)
    for power in (1, 2, 3):  # Shannon's entropy and Rényi's
        values = (
            [shannon_entropy(v, log) for v in (p, q)]
            if power == 1
            else [log(sum(x**power for x in v)) / (1 - power) for v in (p, q)]
        )
        difference = values[1] - values[0]
        assert difference.contains(0) or (difference > 0) == (sign > 0)


@given(spectra, st.data(), st.booleans())
@settings(max_examples=25)
def test_monotone_ratios_order_entropies_for_both_powers(x: list[Fraction], data: st.DataObject, rising: bool) -> None:
    factors = sorted(data.draw(st.lists(positive, min_size=len(x), max_size=len(x))), reverse=not rising)
    y = [a * f for a, f in zip(x, factors, strict=True)]
    expected = Order.FIRST_MAJORISES if rising else Order.SECOND_MAJORISES
    if factors[0] == factors[-1]:
        expected = Order.EQUAL
    if any(a < b for a, b in pairwise(y)):
        with pytest.raises(InputError, match="descending"):
            ratio_order(x, y)
        return
    assert ratio_order(x, y) is expected
    for power in (1, 2):
        p, q = [a**power for a in x], [a**power for a in y]
        assert majorisation_order(p, q) in (expected, Order.EQUAL)
        if expected is not Order.EQUAL:
            assert majorisation_order(p, q) is expected
    for r in range(1, len(x)):
        assert ratio_order(x[:r], y[:r]) in (expected, Order.EQUAL)


def test_the_order_of_the_second_spectrum_is_a_hypothesis() -> None:
    """A last ratio so large that the order is upset reverses the conclusion."""
    x, y = [Fraction(1), Fraction(1, 10)], [Fraction(1), Fraction(10**4)]
    assert ratio_monotone(x, y) is Monotone.NON_DECREASING
    assert majorisation_order(x, sorted(y, reverse=True)) is Order.SECOND_MAJORISES
    with pytest.raises(InputError, match="descending"):
        ratio_order(x, y)


def test_monotone_labels() -> None:
    assert ratio_monotone([2, 2, 2], [1, 2, 3]) is Monotone.NON_DECREASING
    assert ratio_monotone([2, 2, 2], [3, 2, 1]) is Monotone.NON_INCREASING
    assert ratio_monotone([2, 1], [4, 2]) is Monotone.CONSTANT
    assert ratio_monotone([2, 2, 2], [1, 3, 1]) is Monotone.NEITHER
    assert ratio_order([3, 2, 1], [9, 8, 1]) is Order.UNDECIDED
    assert ratio_order([3, 2, 1], [9, 8, 0]) is Order.UNDECIDED


def test_balls_are_never_guessed() -> None:
    def near(x: str) -> flint.arb:
        return flint.arb(x)

    blurred = [near("2 +/- 0.5"), near("1 +/- 0.1")]
    sharp = [near("2"), near("1")]
    assert majorisation_order(blurred, sharp) is Order.UNDECIDED
    assert majorisation_order([near("4 +/- 0.1"), near("1 +/- 0.1")], sharp) is Order.FIRST_MAJORISES
    assert ratio_monotone(blurred, sharp) is Monotone.UNDECIDED
    assert majorises([near("3 +/- 1"), near("1 +/- 1e-5")], [near("2"), near("2")]) is None
    with pytest.raises(InputError, match="overlap"):
        majorises([near("1 +/- 1"), near("1.5 +/- 1")], [near("1"), near("1")])


def test_log_majorisation_does_not_order_entropies() -> None:
    first = [Fraction(8), Fraction(1), Fraction(1, 8)]
    for second, sign in (
        ([Fraction(2), Fraction(1), Fraction(1, 2)], 1),
        ([Fraction(7), Fraction(8, 7), Fraction(1, 8)], 1),
    ):
        assert prod(first[:1]) >= prod(second[:1])
        assert prod(first[:2]) >= prod(second[:2])
        assert prod(first) == prod(second)
        gap = shannon_entropy(normalised(second), log) - shannon_entropy(normalised(first), log)
        assert (gap > 0) == (sign > 0)
    # Lifting the two largest against the smallest: still log-majorising, and now the entropy rises with it.
    x, y = [Fraction(2), Fraction(2), Fraction(1, 4)], [Fraction(2), Fraction(1), Fraction(1, 2)]
    small, large = [Fraction(100), Fraction(100), Fraction(1, 100)], [Fraction(100), Fraction(1), Fraction(1)]
    assert [prod(small[:k]) >= prod(large[:k]) for k in (1, 2, 3)] == [True] * 3
    assert shannon_entropy(normalised(small), log) > shannon_entropy(normalised(large), log)
    assert majorisation_order(x, y) is Order.INCOMPARABLE


@pytest.mark.parametrize("seed", range(4))
def test_weyl_singular_values_log_majorise_triangular_diagonals(seed: int) -> None:
    with mp.workdps(30):
        rng = np.random.default_rng(seed)
        a = mp.matrix(np.triu(rng.standard_normal((5, 5))).tolist())
        sigma = list(mp.svd_r(a, compute_uv=False))
        diagonal = sorted((abs(a[i, i]) for i in range(5)), reverse=True)
        for k in range(1, 5):
            assert mp.fprod(sigma[:k]) > mp.fprod(diagonal[:k])
        product = mp.fprod(sigma) - mp.fprod(diagonal)
        assert abs(product) < mp.mpf(10) ** -25


def test_refusals() -> None:
    assert majorises([], []) is True
    for call in (
        lambda: majorisation_order([0.0], [1.0]),
        lambda: majorisation_order([], []),
        lambda: majorisation_order([1.0, 2.0], [1.0, 1.0]),
        lambda: ratio_monotone([1.0], [1.0, 1.0]),
        lambda: ratio_monotone([0.0], [1.0]),
        lambda: majorises([float("nan")], [1.0]),
    ):
        with pytest.raises(InputError):
            call()


def test_floats_are_compared_exactly() -> None:
    thirds = [1 / 3] * 3
    assert majorises(thirds, thirds) is True
    assert majorises([1.0], [0.1] * 10) is False  # ten times the double 0.1 is not 1
    assert majorisation_order([1.0], [0.1] * 10) is Order.FIRST_MAJORISES
    assert majorisation_order(np.array([2.0, 1.0]), np.array([1.0, 1.0], dtype=np.float32)) is Order.FIRST_MAJORISES
