"""Signs for every step of an interval: right at sampled steps, honest where they change or cannot be decided."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import flint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.arithmetic.balls import from_ball
from numerics.entropy.compare import certified_spectrum, compare_entropies
from numerics.entropy.interval import (
    _moves,
    at_step,
    entropy_sign_on_interval,
    values_fall_with_step,
)
from numerics.matrices.assemble import StepExpansion
from numerics.problem.problem import Boundary, Problem
from theory.base.errors import InputError, NonexistenceError
from theory.entropy.conventions import Convention
from theory.features.laws import law
from theory.operators.operator import StencilChoice

SINE = Problem(count=4, interior=(4,), activation_name="sin", weights=law("uniform(-4, 4)"))
TANH = SINE.with_(activation_name="tanh")
LOW, HIGH = Fraction(1, 50), Fraction(1, 10)


def covered(pieces: tuple, low: Fraction, high: Fraction) -> None:  # type: ignore[type-arg]
    assert pieces[0].low == low
    assert pieces[-1].high == high
    assert all(a.high == b.low for a, b in pairwise(pieces))


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 1000),
    name=st.sampled_from(["sin", "tanh", "gaussian"]),
    convention=st.sampled_from([Convention("fixed", rank=2), Convention("relative", power=2), Convention("energy")]),
    steps=st.lists(st.fractions(min_value=LOW, max_value=HIGH, max_denominator=10**4), min_size=3, max_size=3),
)
def test_pieces_agree_with_the_gap_at_single_steps(
    seed: int, name: str, convention: Convention, steps: list[Fraction]
) -> None:
    problem = SINE.with_(activation_name=name, seed=seed)
    found = entropy_sign_on_interval(problem, LOW, HIGH, convention, max_pieces=15)
    covered(found.pieces, LOW, HIGH)
    assert found.evaluations <= 15
    for h in steps:
        true = compare_entropies(at_step(problem, h), convention)
        for piece in found.pieces:
            if piece.low <= h <= piece.high:
                if piece.sign is not None:
                    assert true.sign in (piece.sign, None)
                if piece.gap is not None and true.gap is not None:
                    assert piece.gap.lower <= true.gap.upper
                    assert true.gap.lower <= piece.gap.upper


def test_a_sign_for_every_step() -> None:
    found = entropy_sign_on_interval(TANH, LOW, HIGH, Convention("relative", power=2))
    assert found.sign == 1
    assert found.decided == 1
    assert all(piece.sign == 1 for piece in found.pieces)
    covered(found.pieces, LOW, HIGH)


@pytest.mark.parametrize(
    ("problem", "low"), [(SINE, 20), (TANH, 20), (SINE, 100), (TANH, 100)], ids=lambda x: str(x)[:20]
)
def test_the_entropies_of_every_step_of_a_piece_are_within_its_bound(problem: Problem, low: int) -> None:
    convention = Convention("fixed", rank=2)
    a = Fraction(1, low)
    found = entropy_sign_on_interval(problem, a, a * Fraction(51, 50), convention, max_pieces=6)
    piece = next(piece for piece in found.pieces if piece.gap is not None)
    assert piece.gap is not None
    for h in (piece.low, (piece.low + piece.high) / 2, piece.high):
        true = compare_entropies(at_step(problem, h), convention).gap
        assert true is not None
        assert piece.gap.encloses(true)


@settings(max_examples=30, deadline=None)
@given(
    low=st.fractions(min_value=Fraction(1, 1000), max_value=1, max_denominator=1000),
    length=st.fractions(min_value=Fraction(1, 1000), max_value=2, max_denominator=1000),
    share=st.fractions(min_value=0, max_value=1, max_denominator=50),
)
def test_powers_of_the_step_move_as_stated(low: Fraction, length: Fraction, share: Fraction) -> None:
    high = low * (1 + length)
    middle, at = (low + high) / 2, low + share * (high - low)
    nothing = flint.arb_mat(1, 1)
    factors = _moves(StepExpansion(1, dict.fromkeys(range(1, 6), nothing), 6, nothing), low, middle, high)
    assert sorted(factors) == [1, 2, 3, 4, 5, 6]
    for q in range(1, 6):
        bound, most = from_ball(factors[q]), 1 - (middle / high) ** q
        assert bound.lower <= (at / high) ** q - (middle / high) ** q <= bound.upper
        assert most <= bound.upper <= most * (1 + Fraction(1, 10**7))  # what is reached at the largest step
        assert bound.lower >= -bound.upper
    both = from_ball(factors[6])
    for first in (1, -1):  # two remainders may be any two matrices within the same balls
        for second in (1, -1):
            assert both.lower <= first * (at / high) ** 6 - second * (middle / high) ** 6 <= both.upper
    assert both.width <= 2 * (1 + (middle / high) ** 6) * (1 + Fraction(1, 10**7))


def test_limits_leave_pieces_open() -> None:
    found = entropy_sign_on_interval(TANH, LOW, HIGH, Convention("relative"), max_pieces=2)
    assert found.sign is None
    assert found.decided < 1
    assert found.evaluations == 2
    covered(found.pieces, LOW, HIGH)
    timed = entropy_sign_on_interval(TANH, LOW, HIGH, Convention("relative"), seconds=0)
    assert timed.evaluations <= 1
    assert timed.decided == 0


def test_one_step_is_an_interval() -> None:
    h = Fraction(1, 20)
    found = entropy_sign_on_interval(TANH, h, h, Convention("fixed", rank=2))
    assert found.sign == compare_entropies(at_step(TANH, h), Convention("fixed", rank=2)).sign
    assert len(found.pieces) == 1


def test_bad_intervals_and_kinks() -> None:
    with pytest.raises(InputError, match="step interval"):
        entropy_sign_on_interval(TANH, HIGH, LOW)
    with pytest.raises(NonexistenceError):
        entropy_sign_on_interval(SINE.with_(activation_name="relu3"), LOW, HIGH, Convention("fixed", rank=1))


WAVES = Problem(count=16, interior=(16,), activation_name="sin", weights=law("normal(0, 1)"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"activation_name": "cos", "operator_text": "(1 + x**2)*u_xx"}, True),
        ({"activation_name": "tanh"}, False),
        ({"activation_name": "gaussian"}, False),
        ({"boundary": (Boundary("all", 2),)}, False),
        ({"operator_text": "u_xx + u"}, False),
        ({"operator_text": "u_x"}, False),
        ({"stencil": StencilChoice("central", 4)}, False),
        ({"stencil": StencilChoice(offsets=(Fraction(-2), Fraction(0), Fraction(2)))}, False),
        ({"weights": law("constant(61)")}, False),
    ],
)
def test_where_values_fall_with_the_step(changes: dict[str, object], expected: bool) -> None:
    case = WAVES.with_(**changes)
    assert values_fall_with_step(case, Fraction(1, 10)) == expected
    if not expected:
        return
    spectra = [certified_spectrum(at_step(case, Fraction(k, 40)), "fd", 12, None).values for k in (1, 2, 3, 4)]
    for earlier, later in pairwise(spectra):
        assert all(b.upper < a.lower for a, b in zip(earlier, later, strict=True))


def test_sixteen_sine_features_for_every_step() -> None:
    convention = Convention("fixed", rank=4)
    found = entropy_sign_on_interval(WAVES, Fraction(1, 20), Fraction(1, 19), convention)
    assert found.sign in (-1, 1)
    assert found.decided == 1
    for piece in found.pieces:
        middle = (piece.low + piece.high) / 2
        single = compare_entropies(at_step(WAVES, middle), convention)
        assert single.gap is not None
        assert piece.gap is not None
        assert piece.gap.encloses(single.gap)
