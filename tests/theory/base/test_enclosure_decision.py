"""Three-valued decisions: Kleene's tables, no truth value, and where one rests on comparisons."""

from __future__ import annotations

import itertools
import pickle
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure, below
from theory.base.enclosure import Decision, every, from_comparison, some
from theory.base.errors import InputError

VALUES = (Decision.YES, Decision.NO, Decision.UNDECIDED)
COMPARED = (below(1, 2), below(2, 1), below(Enclosure(Fraction(0), Fraction(2)), 1))
decisions = st.sampled_from(VALUES + COMPARED)
"""Told and compared ones."""


def test_what_is_compared_rests_on_a_comparison_and_what_is_told_on_none() -> None:
    """Also where the two are combined; and this module, which is none of the project's rooms, can only tell."""
    assert [c.holds for c in COMPARED] == [True, False, None]
    assert [c.compared for c in COMPARED] == [1, 1, 1]
    assert [v.compared for v in VALUES] == [from_comparison(v.holds).compared for v in VALUES] == [0, 0, 0]
    assert (COMPARED[0] & COMPARED[0]).compared == 2
    for told in VALUES:
        assert (told & COMPARED[0]).compared == (COMPARED[0] | told).compared == 0


@pytest.mark.parametrize(("a", "b"), list(itertools.product(VALUES, VALUES)))
def test_the_tables_are_those_of_minimum_and_maximum(a: Decision, b: Decision) -> None:
    """Kleene's strong logic: NO < UNDECIDED < YES; and, or and not are min, max and reversal."""
    rank = {False: 0, None: 1, True: 2}
    value = {v: k for k, v in rank.items()}
    assert (a & b).holds is value[min(rank[a.holds], rank[b.holds])]
    assert (a | b).holds is value[max(rank[a.holds], rank[b.holds])]
    assert (~a).holds is value[2 - rank[a.holds]]


@given(st.lists(decisions, min_size=1, max_size=6))
def test_every_and_some(parts: list[Decision]) -> None:
    folded, joined = parts[0], parts[0]
    for part in parts[1:]:
        folded, joined = folded & part, joined | part
    assert every(iter(parts)) == folded
    assert some(parts) == joined
    told = any(p.compared == 0 for p in parts)
    for found in (every(parts), some(parts), folded, joined):
        assert found.compared == (0 if told else len(parts))


def test_of_nothing() -> None:
    assert (every([]).holds, every([]).compared) == (True, 0)
    assert (some([]).holds, some([]).compared) == (False, 0)


@pytest.mark.parametrize(
    "use", [bool, lambda d: not d, lambda d: d and True, lambda d: all([d]), lambda d: 1 if d else 2]
)
@pytest.mark.parametrize("decision", VALUES)
def test_it_is_no_truth_value(use: Any, decision: Decision) -> None:
    with pytest.raises(TypeError, match=r"three-valued: combine with &, \|, ~"):
        use(decision)


def test_it_equals_decisions_alone() -> None:
    assert Decision.YES == from_comparison(True)
    assert Decision.NO != Decision.UNDECIDED
    assert len({Decision.YES, from_comparison(True), Decision.NO}) == 2
    for other in (True, None, 1):
        with pytest.raises(TypeError, match="three-valued"):
            _ = Decision.YES == other


def test_it_is_neither_built_nor_changed_by_hand() -> None:
    with pytest.raises(TypeError, match="made by a comparison"):
        Decision()
    with pytest.raises(AttributeError, match="cannot be changed"):
        Decision.NO._compared = 1
    for value in (1, 0, "True", 0.5):
        with pytest.raises(TypeError, match="not True, False or None"):
            Decision.of(value)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        _ = Decision.YES & True  # type: ignore[operator]
    with pytest.raises(InputError, match="not a Decision"):
        every([True])  # type: ignore[list-item]


@given(decisions)
def test_it_travels_between_processes(decision: Decision) -> None:
    back = pickle.loads(pickle.dumps(decision))
    assert (back.holds, back.compared) == (decision.holds, decision.compared)


class Sure(Decision):
    """Says YES by what its class says of itself."""

    _holds = True  # type: ignore[misc]
    _compared = 9  # type: ignore[misc]
    holds = property(lambda self: True)  # type: ignore[assignment]
    compared = property(lambda self: 9)  # type: ignore[assignment]


@pytest.mark.parametrize(
    "combine",
    [
        lambda sure, no: sure | no,
        lambda sure, no: no | sure,
        lambda sure, no: ~no & sure,
        lambda sure, no: sure & ~no,
        lambda sure, no: ~sure,
        lambda sure, no: every([sure]),
        lambda sure, no: some([no, sure]),
    ],
)
def test_a_class_of_ones_own_decides_nothing(combine: Any) -> None:
    with pytest.raises((TypeError, InputError)):
        combine(object.__new__(Sure), below(2, 1))
