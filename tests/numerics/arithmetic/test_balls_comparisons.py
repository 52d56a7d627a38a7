"""Comparisons: decided only where the bounds decide, the same by balls and by rationals; floats are refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure, below, from_ball, less, same
from theory.base.errors import InputError

rationals = st.fractions(-4, 4, max_denominator=16)
enclosures = st.tuples(rationals, rationals).map(lambda pair: Enclosure(min(pair), max(pair)))
dyadics = st.integers(-64, 64).map(lambda n: Fraction(n, 16))


@given(enclosures, enclosures)
def test_every_pair_of_points_decides_alike(a: Enclosure, b: Enclosure) -> None:
    """Three-valued order = the set of answers at the corners (exact: ≤ is monotone in both)."""
    corners = {x <= y for x in (a.lower, a.upper) for y in (b.lower, b.upper)}
    assert below(a, b).holds is (corners.pop() if len(corners) == 1 else None)
    corners = {x < y for x in (a.lower, a.upper) for y in (b.lower, b.upper)}
    assert less(a, b).holds is (corners.pop() if len(corners) == 1 else None)
    overlap = max(a.lower, b.lower) <= min(a.upper, b.upper)
    point = a.lower == a.upper == b.lower == b.upper
    assert same(a, b).holds is (True if point else None if overlap else False)


@given(dyadics, dyadics, st.integers(0, 8), st.integers(0, 8))
def test_balls_and_enclosures_agree(a: Fraction, b: Fraction, r: int, s: int) -> None:
    """A ball with dyadic middle and radius is an enclosure with these ends."""
    balls = [flint.arb(flint.fmpq(x.numerator, x.denominator), flint.arb(k) / 16) for x, k in ((a, r), (b, s))]
    one, other = (from_ball(ball) for ball in balls)
    for compare in (below, less, same):
        expected = compare(one, other)
        assert compare(*balls) == expected
        assert compare(balls[0], other) == expected
        assert compare(one, balls[1]) == expected


def test_kinds_of_exact_numbers() -> None:
    half = [Fraction(1, 2), flint.fmpq(1, 2), sympy.Rational(1, 2), flint.arb(1) / 2, Enclosure.exact(Fraction(1, 2))]
    for one in half:
        for other in half:
            assert same(one, other).holds is True
        assert less(one, 1).holds is True
        assert below(flint.fmpz(1), one).holds is False
    assert less(sympy.sqrt(2), Fraction(3, 2)).holds is True
    assert less(sympy.pi, 3).holds is False
    assert below(sympy.sqrt(2) * sympy.sqrt(3), sympy.sqrt(2) + sympy.sqrt(3)).holds is True


def test_what_stays_undecided() -> None:
    root = flint.arb(2).sqrt()
    assert same(root * root, 2).holds is None
    assert below(root * root, 2).holds is None
    for ball in (flint.arb("nan"), flint.arb("inf"), flint.arb(0, 1) ** -1):
        assert same(ball, 0).holds is not True
        assert below(flint.arb("nan"), ball).holds is None
    assert below(flint.arb(1) * flint.arb(2) ** (10**9), flint.arb(2) ** (10**9)).holds is True  # not written out
    assert below(flint.arb(3) ** (10**7), flint.arb(2) ** 10).holds is False


def test_tuples_are_compared_entry_by_entry() -> None:
    assert same((1, (2, 3)), [1, [2, Fraction(6, 2)]]).holds is True
    assert same((1, 2), (1, 2, 3)).holds is False
    assert same((), ()).holds is True
    assert same((1, flint.arb(2).sqrt()), (2, flint.arb(2).sqrt())).holds is False


class Liar:
    lower = 0.1
    upper = 0.3


@pytest.mark.parametrize(
    "value",
    [0.1, True, np.float64(0.1), np.int64(1), np.array([1]), torch.tensor(1), Decimal("0.1"), mpmath.mpf(1), 1j, "1", None,
     sympy.Float(0.1), sympy.Float(0.1) + sympy.pi, sympy.Symbol("x"), sympy.I, sympy.nan, sympy.oo, Liar(),
     Enclosure(0.1, 0.3), float("nan"), flint.acb(1)],
)  # fmt: skip
def test_what_is_not_exact_is_refused(value: Any) -> None:
    for compare in (below, less, same):
        for pair in ((value, 1), (1, value)):
            with pytest.raises(InputError, match="is not exact; allowed: int, Fraction"):
                compare(*pair)
