"""Verdicts: what counts as a change, confidence bounds against binomial sums, JSON without NaN."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from typing import Any, get_args

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from numerics.arithmetic.balls import below
from proofs_check.claims.verdicts import POSITIVE, STRENGTH, Kind, Outcome, Verdict, clopper_pearson, compare, finite
from theory.base.enclosure import Decision
from theory.base.errors import InputError

BAD = (Verdict.ERROR, Verdict.VACUOUS)


@pytest.mark.parametrize(("verdict", "expected"), list(itertools.product(Verdict, [None, *Verdict])))
def test_compare(verdict: Verdict, expected: Verdict | None) -> None:
    """The decision table, written out: a failure is an error, a stronger verdict an improvement, the rest a change."""
    ladder = ["INCONCLUSIVE", "SUPPORTED", "CERTIFIED", "PROVED"]
    if verdict in BAD:
        wanted = "error"
    elif expected is None:
        wanted = "unrecorded"
    elif verdict == expected:
        wanted = "as expected"
    elif str(verdict) in ladder and str(expected) in ladder and ladder.index(verdict) > ladder.index(expected):
        wanted = "improved"
    else:
        wanted = "changed"
    assert compare(verdict, expected) == wanted
    assert compare(verdict, None if expected is None else str(expected)) == wanted


def test_unknown_never_passes() -> None:
    assert compare(Verdict.INCONCLUSIVE, "PROVED") == "changed"
    assert compare(Verdict.SUPPORTED, "PROVED") == "changed"
    assert compare(Verdict.PROVED, "REFUTED") == "changed"
    assert compare(Verdict.REFUTED, "INCONCLUSIVE") == "changed"
    assert compare(Verdict.PROVED, "no such verdict") == "changed"
    assert Verdict.REFUTED not in STRENGTH


def test_every_kind_has_a_verdict() -> None:
    assert set(POSITIVE) == set(get_args(Kind))
    assert set(POSITIVE.values()) <= set(STRENGTH) - {Verdict.INCONCLUSIVE}


def tail(successes: int, trials: int, p: float) -> mpmath.mpf:
    """P(X ≥ successes) for X binomial, summed."""
    with mpmath.workdps(40):
        q = mpmath.mpf(p)
        return mpmath.fsum(
            mpmath.binomial(trials, k) * q**k * (1 - q) ** (trials - k) for k in range(successes, trials + 1)
        )


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.9, 0.95, 0.999])
)
def test_confidence_bounds_are_the_roots_of_the_binomial_tails(counts: tuple[int, int], confidence: float) -> None:
    successes, trials = counts
    low, high = clopper_pearson(successes, trials, confidence)
    assert 0 <= low <= successes / trials <= high <= 1
    alpha = 1 - confidence
    if successes:
        assert abs(tail(successes, trials, low) / alpha - 1) < 1e-6
    else:
        assert low == 0
    if successes < trials:
        assert abs((1 - tail(successes + 1, trials, high)) / alpha - 1) < 1e-6
    else:
        assert high == 1


def test_bounds_narrow_with_trials_and_widen_with_confidence() -> None:
    widths = [high - low for low, high in (clopper_pearson(n // 2, n) for n in (4, 16, 64, 256))]
    assert widths == sorted(widths, reverse=True)
    assert clopper_pearson(8, 10, 0.99)[0] < clopper_pearson(8, 10, 0.9)[0]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_finite_is_strict_json_and_changes_nothing_else(value: Any) -> None:
    cleaned = finite(value)
    text = json.dumps(cleaned, allow_nan=False)

    def same(a: Any, b: Any) -> bool:
        if isinstance(a, float) and not math.isfinite(a):
            return b is None
        if isinstance(a, list):
            return len(a) == len(b) and all(map(same, a, b))
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
        return bool(a == b) and type(a) is type(b)

    assert same(value, cleaned)
    assert json.loads(text) == cleaned


def test_finite_reads_tuples_and_keys() -> None:
    assert finite({1: (1.0, float("inf")), "a": {"b": float("nan")}}) == {"1": [1.0, None], "a": {"b": None}}


@pytest.mark.parametrize("value", [np.False_, np.array(0) > 1, sp.false])
def test_an_outcome_is_a_plain_truth_value(value: Any) -> None:
    """``np.False_ is False`` is False: it would have counted as holding."""
    assert Outcome(value, "").holds is False
    assert Outcome(not value, "").holds is True
    assert Outcome(None, "").holds is None


@pytest.mark.parametrize(
    "value",
    [0, 1, -4, 0.0, float("nan"), np.float64("nan"), "False", "", (), [True], np.array([True]), sp.Symbol("x") > 0],
)
def test_what_is_no_truth_value(value: Any) -> None:
    with pytest.raises(InputError, match="no truth value"):
        Outcome(value, "")


def test_an_outcome_keeps_the_decision_it_was_given_as() -> None:
    decision = below(1, 2)
    outcome = Outcome(decision, "")
    assert (outcome.holds, outcome.decision) == (True, decision)
    assert replace(outcome, certified=True).decision is decision
    assert replace(outcome, holds=False).decision is None
    assert Outcome(Decision.UNDECIDED, "").holds is None
