"""Findings: intervals against the binomial law itself, three-valued draws, cells proven draw by draw, the record."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.arithmetic.balls import same
from proofs_check.claims.claim import SHARE, Claim
from proofs_check.claims.verdicts import Finding, Outcome, Verdict, decided, share
from proofs_check.ledger import ledger, runner
from proofs_check.ledger.judging import judge
from theory.base.enclosure import Decision

counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def at_least(k: int, n: int, p: Fraction) -> Fraction:
    """P(X ≥ k), X ~ Bin(n, p), exactly."""
    return sum((math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1)), Fraction(0))


@given(counts, st.integers(1, 200))
def test_the_interval_is_that_of_two_exact_binomial_tests(kn: tuple[int, int], facts: int) -> None:
    """Each end is where its one-sided test is at the level α/(2m), so m intervals hold at once with 1 − α."""
    k, n = kn
    found = share(k, n, facts=facts)
    level = 0.05 / (2 * facts)
    if k:
        assert float(at_least(k, n, Fraction(found.low))) == pytest.approx(level, rel=1e-6)
    if k < n:
        assert float(1 - at_least(k + 1, n, Fraction(found.high))) == pytest.approx(level, rel=1e-6)
    assert found.low <= k / n <= found.high


@given(counts, st.integers(1, 200), st.floats(0.55, 0.99))
def test_a_statement_and_its_negation_mirror_each_other(kn: tuple[int, int], facts: int, level: float) -> None:
    k, n = kn
    mirror = {Finding.HOLDS: Finding.REVERSED, Finding.REVERSED: Finding.HOLDS}
    there, back = share(k, n, facts=facts).finding(level), share(n - k, n, facts=facts).finding(level)
    assert back is mirror.get(there, there)


@given(counts, st.integers(0, 10), st.integers(1, 200))
def test_undecided_draws_never_help(kn: tuple[int, int], undecided: int, facts: int) -> None:
    """However they were decided, the finding would be the same or less open."""
    k, n = kn
    n += undecided
    found = share(k, n, undecided, facts=facts).finding()
    if found is not Finding.OPEN:
        assert {share(k + j, n, facts=facts).finding() for j in range(undecided + 1)} == {found}


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_draws_that_are_proven(holding: int, failing: int, undecided: int) -> None:
    found = decided(holding, holding + failing + undecided, undecided)
    assert (found is Finding.MIXED) == (holding > 0 and failing > 0)
    assert (found is Finding.HOLDS) == (holding > 0 and not failing and not undecided)
    assert (found is Finding.REVERSED) == (failing > 0 and not holding and not undecided)


def _draw(holds: bool | None) -> Decision:
    return Decision.UNDECIDED if holds is None else same(int(holds), 1)


def claim(holds: list[bool | None]) -> Claim:
    """Two cells: a share of draws, and draws that are proven."""
    return Claim(
        id="test.share", title="a test", statement="s", family="test", source="S2", predicate="p", kind="sampled",
        scopes=lambda profile: ({"arithmetic": "float64"}, {"arithmetic": "float32"}, {"arithmetic": "exact"}),
        instances=lambda scope, profile: range(len(holds)),
        test=lambda k, scope: Outcome(_draw(holds[k]) if scope["arithmetic"] == "exact" else holds[k], f"draw {k}"),
        mutants=(), quantifier=SHARE, proven=lambda scope: scope["arithmetic"] == "exact",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("holding", "finding", "verdict"),
    [
        (100, "holds", Verdict.SUPPORTED),
        (0, "reversed", Verdict.REFUTED),
        (50, "mixed", Verdict.INCONCLUSIVE),
        (93, "open", Verdict.INCONCLUSIVE),
        (7, "open", Verdict.INCONCLUSIVE),
    ],
)
def test_the_verdict_of_a_share(holding: int, finding: str, verdict: Verdict) -> None:
    evidence = judge(claim([k < holding for k in range(100)]), {"arithmetic": "float64"}, "quick")
    assert (evidence.finding, evidence.verdict) == (finding, verdict)
    expected = share(holding, 100, facts=2)
    assert evidence.data["confidence_bounds"] == [expected.low, expected.high]
    assert evidence.summary == f"{finding}: {expected.text}"
    assert "simultaneous over 2 facts" in evidence.summary


def test_proven_draws_are_no_share() -> None:
    """One certified witness refutes the universal statement; the finding says whether others hold."""
    stated = claim([True] * 9 + [False])
    found = judge(stated, {"arithmetic": "exact"}, "quick")
    assert (found.verdict, found.finding) == (Verdict.REFUTED, "mixed")
    assert found.data["witness"]["certified"]
    assert judge(claim([True] * 3), {"arithmetic": "exact"}, "quick").verdict is Verdict.CERTIFIED
    assert str(stated.quantifier_in({"arithmetic": "exact"})) == "all"
    assert stated.facts({"arithmetic": "float64"}, "quick") == 2
    assert runner.METHODS[stated.kind_in({"arithmetic": "exact"})] == "ball arithmetic"


def test_intervals_are_simultaneous_within_a_statement() -> None:
    """Two statements of one cell each, and what was measured beside the number."""
    stated = claim([True] * 100).with_(
        statement_of=lambda scope: scope["arithmetic"], measure=lambda outcomes: ("; so", {"seen": len(outcomes)})
    )
    evidence = judge(stated, {"arithmetic": "float64"}, "quick")
    assert evidence.data["simultaneous_over"] == 1
    assert evidence.data["seen"] == 100
    assert evidence.summary == f"holds: {share(100, 100).text}; so"
    other = judge(claim([True] * 100), {"arithmetic": "float32"}, "quick")
    assert other.data["decisions"] == evidence.data["decisions"]
    assert (
        judge(claim([True] * 99 + [False]), {"arithmetic": "float32"}, "quick").data["decisions"]
        != other.data["decisions"]
    )


def cell(holding: int, verdict: str, finding: str | None = "holds") -> dict[str, Any]:
    evidence = {"summary": "s", "holding": holding, "instances": 100, "undecided": 0, "data": {"simultaneous_over": 50}}
    return {"id": "a", "address": "x=1", "verdict": verdict, "finding": finding, "evidence": evidence}


def test_a_share_is_changed_where_the_intervals_are_apart(tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    assert ledger.record([cell(100, "SUPPORTED")], "quick", path) == 1
    entry = ledger.load_expected("quick", path)["a"]["x=1"]
    assert entry == {"verdict": "SUPPORTED", "finding": "holds", "holding": 100, "draws": 100}
    assert runner.status(cell(97, "INCONCLUSIVE", "open"), entry) == "as expected"
    assert runner.status(cell(40, "INCONCLUSIVE", "mixed"), entry) == "changed"
    assert (
        runner.status(cell(40, "INCONCLUSIVE", "mixed"), {"verdict": "INCONCLUSIVE", "holding": 95, "draws": 100})
        == "changed"
    )
    assert runner.status(cell(97, "INCONCLUSIVE", "open"), {"verdict": "SUPPORTED"}) == "changed"  # an old record
    assert runner.status(cell(0, "ERROR", None), entry) == "error"
    assert runner.status(cell(1, "REFUTED"), None) == "unrecorded"
    assert ledger.record([cell(99, "SUPPORTED")], "quick", path) == 1  # the numbers are on record, and changed
