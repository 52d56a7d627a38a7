from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.search.strategies import rationals
from theory.base.enclosure import Enclosure
from theory.base.errors import InputError

fractions = st.fractions(-(10**6), 10**6, max_denominator=10**9)


@given(fractions, fractions, st.integers(1, 30))
def test_decimals_are_rounded_outward_and_tight(a: Fraction, b: Fraction, digits: int) -> None:
    e = Enclosure(min(a, b), max(a, b))
    low, high = (Fraction(Decimal(text)) for text in e.decimals(digits).values())
    assert low <= e.lower
    assert e.upper <= high
    assert e.lower - low <= abs(e.lower) * Fraction(10) ** (1 - digits)
    assert high - e.upper <= abs(e.upper) * Fraction(10) ** (1 - digits)


@given(fractions, rationals(Fraction(1, 12), 2), st.integers(8, 80))
def test_rounding_is_outward_and_tight(a: Fraction, width: Fraction, bits: int) -> None:
    e = Enclosure(a, a + width)
    r = e.rounded(bits)
    size = max(abs(e.lower), abs(e.upper))
    assert r.lower <= e.lower <= e.upper <= r.upper
    assert r.width - e.width <= 4 * size / 2**bits
    assert Enclosure.exact(a).rounded(8) == Enclosure.exact(a)


@given(fractions, fractions, fractions, fractions, rationals())
def test_sums_and_multiples_contain(a: Fraction, b: Fraction, c: Fraction, d: Fraction, k: Fraction) -> None:
    x, y = Enclosure(min(a, b), max(a, b)), Enclosure(min(c, d), max(c, d))
    assert a + c in x + y
    assert (x + y).width == x.width + y.width
    assert k * b in x.scaled(k)
    assert x.scaled(k).width == abs(k) * x.width
    assert x.middle in x


def test_properties() -> None:
    assert Enclosure.exact(3).is_exact
    assert not Enclosure(Fraction(0), Fraction(1)).is_exact
    assert "1" not in Enclosure.exact(1)
    with pytest.raises(InputError, match="above"):
        Enclosure(Fraction(1), Fraction(0))


@given(
    a=st.fractions(-9, 9),
    b=st.fractions(0, 4),
    c=st.fractions(-9, 9),
    d=st.fractions(0, 4),
    s=st.fractions(0, 1),
    t=st.fractions(0, 1),
)
def test_differences_contain_every_difference(
    a: Fraction, b: Fraction, c: Fraction, d: Fraction, s: Fraction, t: Fraction
) -> None:
    x, y = Enclosure(a, a + b), Enclosure(c, c + d)
    gap = x - y
    assert (a + s * b) - (c + t * d) in gap
    assert gap.width == x.width + y.width
    assert float(gap) == pytest.approx(float(x.middle - y.middle))
    signs = {(v > 0) - (v < 0) for v in (gap.lower, gap.upper)}
    assert gap.sign() == (signs.pop() if len(signs) == 1 else None)


def test_it_is_shown_with_its_powers_of_ten() -> None:
    tiny = Enclosure(Fraction(1, 3 * 10**20), Fraction(2, 3 * 10**20))
    assert str(tiny) == "[3.33333333333e-21, 6.66666666667e-21]"
    assert tiny._repr_latex_() == r"$[3.33333333333 \times 10^{-21}, 6.66666666667 \times 10^{-21}]$"
