"""Exact rationals: every spelling against a second reading, and every refusal."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.base.errors import InputError
from theory.base.exact import MAX_DIGITS, MAX_EXPONENT, rational, rationals, spell


@given(st.fractions())
def test_spelling_reads_back(value: Fraction) -> None:
    assert rational(spell(value)) == value
    assert rational(value) == value


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**30))
def test_ratio_is_the_quotient(p: int, q: int) -> None:
    assert rational(f" {p} / {q} ") == Fraction(p, q)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40, places=20))
def test_a_decimal_is_the_decimal_as_spelled(value: Decimal) -> None:
    assert rational(str(value)) == Fraction(value)
    assert rational(f"{value:e}") == Fraction(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_refused_but_its_spelling_is_exact(value: float) -> None:
    with pytest.raises(InputError, match="is not exact"):
        rational(value)
    assert rational(repr(value)) == Fraction(Decimal(repr(value)))


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.1", Fraction(1, 10)), (".5", Fraction(1, 2)), ("5.", Fraction(5)), ("+3", Fraction(3)), ("-1E-2", Fraction(-1, 100)),
     ("1e+3", Fraction(1000)), ("-0", Fraction(0)), ("007", Fraction(7)), (True + 1, Fraction(2))],
)  # fmt: skip
def test_spellings(text: str, value: Fraction) -> None:
    assert rational(text) == value


@pytest.mark.parametrize(
    "value",
    ["", " ", "abc", "nan", "inf", "-inf", "Infinity", "1/0", "0/0", "1/-2", "1//2", "1/2/3", "1.5/2", "1e", "e5", "--1",
     "1 2", "0x10", "1_000", "1,5", "½", "1e5.5", "1e999999999", f"1e{MAX_EXPONENT + 1}", "1/2\n3", "1j",
     None, True, False, 0.1, float("nan"), [], {}, b"1", Decimal("0.1"), complex(1), object],
)  # fmt: skip
def test_refusals_are_one_line_that_names_the_quantity(value: object) -> None:
    with pytest.raises(InputError) as caught:
        rational(value, "features.thing")
    message = str(caught.value)
    assert message.startswith("features.thing: ")
    assert "\n" not in message
    assert len(message) < 250


@pytest.mark.parametrize(
    "value",
    ["9" * (MAX_DIGITS + 1), "1" * 100_000, f"1e{MAX_EXPONENT}", f"-1e-{MAX_EXPONENT}", 10**MAX_DIGITS, -(10**MAX_DIGITS),
     1 << 100_000, "1." + "1" * 390, "0." + "1" * 300],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_could_not_be_read_back_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="characters"):
        rational(value, "x")


@given(st.from_regex(r"[-+]?[0-9]{1,6}(\.[0-9]{0,6})?([eE][-+]?[0-9]{1,3})?", fullmatch=True))
def test_whatever_is_accepted_reads_back(text: str) -> None:
    try:
        value = rational(text)
    except InputError:
        assert len(spell(Fraction(text))) > MAX_DIGITS or abs(int(text.lower().partition("e")[2])) > MAX_EXPONENT
    else:
        assert value == Fraction(text)
        assert rational(spell(value)) == value


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        value = rational(text)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert value == Fraction(text.strip().replace(" ", ""))


def test_exponents_are_bounded_before_they_are_powers() -> None:
    for text in (f"1e{MAX_EXPONENT + 1}", f"1e-{MAX_EXPONENT + 1}", "1e999999"):
        with pytest.raises(InputError, match="exponent"):
            rational(text)


def test_rationals_name_the_entry() -> None:
    assert rationals(["1/2", 3]) == (Fraction(1, 2), Fraction(3))
    with pytest.raises(InputError, match=r"^steps\[1\]: "):
        rationals(["1", "x"], "steps")
