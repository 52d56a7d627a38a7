"""Enclosures: containment, width, exactness of end points, outward decimals, pickling."""

from __future__ import annotations

import pickle
from decimal import Decimal
from fractions import Fraction

import flint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure, decimal_above, decimal_below, from_ball, to_ball
from theory.base.errors import InputError

rationals = st.fractions(max_denominator=10**12) | st.builds(
    lambda m, e: Fraction(m) * Fraction(2) ** e, st.integers(-(10**20), 10**20), st.integers(-3000, 3000)
)


@given(rationals, st.integers(1, 40))
def test_decimals_are_outward_and_one_unit_wide(value: Fraction, digits: int) -> None:
    below, above = decimal_below(value, digits), decimal_above(value, digits)
    lower, upper = Fraction(below), Fraction(above)
    assert lower <= value <= upper
    # one unit in the last of the significant digits, no more
    assert upper - lower <= abs(value) * Fraction(1, 10 ** (digits - 1))
    for text in (below, above):
        assert len(Decimal(text).normalize().as_tuple().digits) <= digits
    if lower == value or upper == value:
        assert lower == upper


@given(rationals, rationals, st.integers(20, 400))
def test_ball_and_back_contains(a: Fraction, b: Fraction, prec: int) -> None:
    there = Enclosure(min(a, b), max(a, b))
    before = flint.ctx.prec
    back = from_ball(to_ball(there, prec))
    assert flint.ctx.prec == before
    assert back.encloses(there)
    size = max(abs(a), abs(b))
    assert back.width - there.width <= there.width * Fraction(1, 2**20) + size * Fraction(8, 2**prec)


@given(rationals, st.integers(10, 300))
def test_end_points_of_a_ball_are_exact(value: Fraction, prec: int) -> None:
    with flint.ctx.workprec(prec):
        ball = flint.arb(flint.fmpq(value.numerator, value.denominator))
    with flint.ctx.workprec(3):  # the precision in force must not matter
        low = from_ball(ball)
    assert value in low
    with flint.ctx.workprec(7000):
        assert low.lower == _exact(ball.mid()) - _exact(ball.rad())


def _exact(ball: flint.arb) -> Fraction:
    mantissa, exponent = ball.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


@given(rationals, rationals)
def test_sign_and_pickle(a: Fraction, b: Fraction) -> None:
    there = Enclosure(min(a, b), max(a, b))
    assert pickle.loads(pickle.dumps(there)) == there
    sign = there.sign()
    if sign is None:
        assert there.lower <= 0 <= there.upper
    else:
        assert all((end > 0) - (end < 0) == sign for end in (there.lower, there.upper))
    assert (-there).sign() == (None if sign is None else -sign)


def test_relative_width() -> None:
    assert Enclosure(Fraction(1), Fraction(2)).relative_width == 1
    assert Enclosure(Fraction(-2), Fraction(-1)).relative_width == 1
    assert Enclosure(Fraction(0), Fraction(1)).relative_width is None
    assert Enclosure.exact(0).relative_width == 0


def test_hull() -> None:
    parts = [Enclosure.exact(3), Enclosure(Fraction(-1), Fraction(1)), Enclosure.exact(2)]
    assert Enclosure.hull(parts) == Enclosure(Fraction(-1), Fraction(3))


@pytest.mark.parametrize("ball", [flint.arb.nan(), flint.arb.pos_inf(), flint.arb("+inf")])
def test_balls_that_are_not_finite_are_refused(ball: flint.arb) -> None:
    with pytest.raises(InputError, match="not finite"):
        from_ball(ball)


def test_reversed_ends_and_no_digits_are_refused() -> None:
    with pytest.raises(InputError, match="above"):
        Enclosure(Fraction(1), Fraction(0))
    with pytest.raises(InputError, match="digits"):
        decimal_above(Fraction(1), 0)


@pytest.mark.parametrize(
    ("value", "digits", "below", "above"),
    [
        (Fraction(0), 5, "0", "0"),
        (Fraction(1, 3), 4, "0.3333", "0.3334"),
        (Fraction(999999), 3, "999000", "1000000"),
        (Fraction(-1, 10**9 * 3), 2, "-3.4e-10", "-3.3e-10"),
        (Fraction(10**30), 3, "1e+30", "1e+30"),
    ],
)
def test_spelling(value: Fraction, digits: int, below: str, above: str) -> None:
    assert (decimal_below(value, digits), decimal_above(value, digits)) == (below, above)
