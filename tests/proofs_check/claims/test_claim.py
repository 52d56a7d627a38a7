"""Judging a claim: every verdict from made-up instances, addresses, assumptions, mutants."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.arithmetic.balls import less, same
from proofs_check.claims.claim import (
    TYPICAL,
    Assumption,
    Claim,
    Mutant,
    Quantifier,
    Scope,
    address,
    instead,
    parse_address,
    stated,
    weaker,
    wrong,
)
from proofs_check.claims.verdicts import Kind, Outcome, Verdict, finite
from proofs_check.ledger import ledger
from proofs_check.ledger.judging import BARE, _typical, evaluate, judge, meets
from theory.base.enclosure import Decision
from theory.base.errors import InputError
from theory.entropy.conventions import standard_conventions

CELL = {"arithmetic": "exact"}


def decided(holds: bool | None) -> Decision:
    """A decision that rests on a comparison, as exact kinds need it."""
    return Decision.UNDECIDED if holds is None else same(int(holds), 1)


def claim(
    holds: list[bool | None], kind: Kind = "exact", quantifier: Quantifier | None = None, **changes: Any
) -> Claim:
    """A claim whose k-th instance comes to ``holds[k]``."""
    return Claim(
        id="test.claim",
        title="a test",
        statement="$1 = 1$",
        family="test",
        source="ours",
        predicate="as told",
        kind=kind,
        scopes=lambda profile: (CELL,),
        instances=lambda scope, profile: range(len(holds)),
        test=lambda k, scope: Outcome(decided(holds[k]), f"instance {k}", margin=None if holds[k] is None else 1.0 - k),
        mutants=(
            Mutant("sign", "flipped", "sign", lambda c: c.with_(test=lambda k, scope: Outcome(decided(False), "no"))),
        ),
        describe=lambda k: {"k": k},
        **({"quantifier": quantifier} if quantifier else {}),
        **changes,
    )


outcomes = st.lists(st.sampled_from([True, False, None]), max_size=12)


@given(outcomes, st.sampled_from(["symbolic", "exact", "ball", "sampled"]))
def test_the_verdict_for_all(holds: list[bool | None], kind: Kind) -> None:
    evidence = judge(claim(holds, kind), CELL, "quick")
    if not holds:
        wanted = Verdict.VACUOUS
    elif False in holds:
        wanted = Verdict.REFUTED
    elif None in holds:
        wanted = Verdict.INCONCLUSIVE
    else:
        wanted = {"sampled": Verdict.SUPPORTED}.get(
            kind, Verdict.CERTIFIED
        )  # nothing is proved without a formal statement
    assert evidence.verdict == wanted
    assert (evidence.instances, evidence.holding, evidence.undecided) == (
        len(holds),
        holds.count(True),
        holds.count(None),
    )
    json.dumps(finite(evidence.data), allow_nan=False)
    assert ("witness" in evidence.data) == (False in holds)
    if False in holds:
        assert evidence.data["witness"]["instance"] == {"k": holds.index(False)}
        assert evidence.data["witness"]["certified"] is (kind != "sampled")


@given(outcomes)
def test_undecided_instances_never_help_a_typical_claim(holds: list[bool | None]) -> None:
    """Deciding the undecided either way can only move the verdict away from INCONCLUSIVE."""
    quantifier = Quantifier("typical", 0.5, 0.9)
    found = judge(claim(holds, "sampled", quantifier), CELL, "quick").verdict
    best = judge(claim([h is not False for h in holds], "sampled", quantifier), CELL, "quick").verdict
    worst = judge(claim([h is True for h in holds], "sampled", quantifier), CELL, "quick").verdict
    if found is Verdict.SUPPORTED:
        assert worst is Verdict.SUPPORTED
    if found is Verdict.REFUTED:
        assert best is Verdict.REFUTED
    assert found in {Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE, Verdict.VACUOUS}
    assert (found is Verdict.VACUOUS) == (not holds)


def exact_share(successes: int, trials: int, confidence: float) -> float:
    """The lower bound when all hold: α^(1/n), by hand."""
    assert successes == trials
    return (1 - confidence) ** (1 / trials)


@pytest.mark.parametrize("n", [1, 10, 28, 29, 40])
def test_typical_claims_need_enough_instances(n: int) -> None:
    """0.9 at 95 % needs 29 of 29: 0.05^(1/29) = 0.9019 and 0.05^(1/28) = 0.8985."""
    evidence = judge(claim([True] * n, "sampled", TYPICAL), CELL, "quick")
    assert (evidence.verdict is Verdict.SUPPORTED) == (exact_share(n, n, 0.95) >= 0.9) == (n >= 29)
    none = judge(claim([False] * n, "sampled", TYPICAL), CELL, "quick")
    assert (none.verdict is Verdict.REFUTED) == (1 - 0.05 ** (1 / n) < 0.9) == (n >= 2)


def test_a_numpy_false_refutes() -> None:
    broken = claim([True], "sampled").with_(test=lambda k, scope: Outcome(np.float64(2) < 1, "no"))
    assert judge(broken, CELL, "quick").verdict is Verdict.REFUTED


@pytest.mark.parametrize("kind", ["symbolic", "exact", "ball"])
@pytest.mark.parametrize("told", [True, False, Decision.YES, Decision.NO])
def test_a_bare_bool_decides_nothing_in_exact_arithmetic(kind: Kind, told: bool | Decision) -> None:
    """In the ledger's claims as in a user's own: an undecided comparison of balls is False."""
    bare = claim([True], kind).with_(test=lambda k, scope: Outcome(told, "", certified=True))
    with pytest.raises(InputError, match="no exact comparison can be seen"):
        judge(bare, CELL, "quick")
    assert "below(a, b)" in BARE
    assert judge(bare.with_(kind="sampled"), CELL, "quick").verdict in {Verdict.SUPPORTED, Verdict.REFUTED}
    proven = bare.with_(kind="sampled", proven=lambda scope: True)
    with pytest.raises(InputError, match="kind 'ball'"):
        judge(proven, CELL, "quick")


def test_a_failure_is_certified_by_its_decision_alone() -> None:
    """Not by what the predicate says of itself."""
    shy = claim([True]).with_(test=lambda k, scope: Outcome(decided(False), "", certified=False))
    assert judge(shy, CELL, "quick").data["witness"]["certified"] is True
    bold = claim([None]).with_(test=lambda k, scope: Outcome(None, "", certified=True))
    assert judge(bold, CELL, "quick").verdict is Verdict.INCONCLUSIVE


def test_own_claims_decide_by_comparisons() -> None:
    """Every claim of the ledger that is exact, in balls or symbolic, and every such cell of the others."""
    seen = 0
    for one in ledger.all_claims():
        cells = [scope for scope in one.scopes("quick") if one.kind_in(scope) != "sampled"]
        for scope in cells[:1]:
            instance = next(i for i in one.instances(scope, "quick") if meets(one, i))
            found = evaluate(one, instance, scope)
            assert found.holds is None or (found.decision is not None and found.decision.compared > 0), one.id
            seen += 1
    assert seen > 40


def test_the_worst_margin_is_shown() -> None:
    evidence = judge(claim([True] * 4), CELL, "quick")
    assert evidence.data["worst_margin"] == -2.0
    assert "instance 3" in evidence.summary


def test_assumptions_reject_and_mutants_drop_them() -> None:
    even = Assumption("k is even", lambda k: k % 2 == 0)
    small = Assumption("k is small", lambda k: k < 100)
    stated = claim([True, False, True, False], assumptions=(even, small))
    evidence = judge(stated, CELL, "quick")
    assert (evidence.verdict, evidence.instances, evidence.rejected) == (Verdict.CERTIFIED, 2, 2)
    dropped = stated.without_assumption("even")
    assert dropped.assumptions == (small,)
    assert judge(dropped, CELL, "quick").verdict is Verdict.REFUTED
    with pytest.raises(KeyError):
        stated.without_assumption("odd")
    impossible = claim([True], assumptions=(Assumption("never", lambda k: False),))
    found = judge(impossible, CELL, "quick")
    assert (found.verdict, found.rejected) == (Verdict.VACUOUS, 1)


def test_assumptions_are_asked_before_the_test() -> None:
    """An instance outside the assumptions may not even make sense to the test."""
    guarded = claim([True], assumptions=(Assumption("not zero", lambda k: k != 0),)).with_(
        instances=lambda scope, profile: (0, 1), test=lambda k, scope: Outcome(less(0, Fraction(1, k)), "fine")
    )
    assert judge(guarded, CELL, "quick").instances == 1


def test_a_mutant_is_refuted() -> None:
    stated = claim([True] * 3)
    (mutant,) = stated.mutants
    assert judge(mutant.mutate(stated), CELL, "quick").verdict is Verdict.REFUTED
    assert judge(stated, CELL, "quick").verdict is Verdict.CERTIFIED


def test_the_cell_and_the_profile_reach_the_claim() -> None:
    seen: list[Any] = []
    watched = claim([True]).with_(
        instances=lambda scope, profile: [(scope["arithmetic"], profile)],
        test=lambda k, scope: (seen.append((k, scope["arithmetic"])), Outcome(decided(True), ""))[1],
    )
    judge(watched, {"arithmetic": "float32"}, "full")
    assert seen == [(("float32", "full"), "float32")]


plain = st.text(
    st.characters(categories=["Ll", "Lu", "Nd", "Zs", "Sm", "Pd"], exclude_characters="=,"), min_size=1
).map(str.strip)
values = plain.filter(bool)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


@given(st.dictionaries(names, values, min_size=1, max_size=4))
def test_addresses_read_back(scope: dict[str, str]) -> None:
    text = address(scope)
    assert parse_address(text) == scope
    assert address(parse_address(text)) == text
    assert address(dict(reversed(scope.items()))) == text


@pytest.mark.parametrize("convention", standard_conventions(), ids=lambda c: c.label)
def test_labels_of_conventions_survive_an_address(convention: Any) -> None:
    scope = {"activation": "tanh", "convention": convention.label, "zeta": "1/2, -3"}
    assert parse_address(address(scope)) == scope


@pytest.mark.parametrize("text", ["", "a", "=1", "a,b=1", ",a=1", "a b"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InputError, match="key=value"):
        parse_address(text)


def test_quantifiers_are_shown() -> None:
    assert str(Quantifier()) == "all"
    assert str(TYPICAL) == "typical(0.9, 0.95)"
    assert math.isclose(exact_share(29, 29, 0.95), 0.9019, rel_tol=1e-4)


def test_every_claim_is_wrong_in_two_ways_at_least() -> None:
    """Two mutants of two kinds, so that a check which sees only signs, or only constants, is found out."""
    lacking = {c.id for c in ledger.all_claims() if len({m.kind for m in c.mutants}) < 2}
    assert not lacking


@pytest.mark.parametrize(
    ("holding", "undecided", "expected"),
    [
        (60, 0, Verdict.SUPPORTED), (0, 60, Verdict.INCONCLUSIVE), (0, 0, Verdict.REFUTED), (30, 30, Verdict.INCONCLUSIVE),
        (30, 0, Verdict.REFUTED), (55, 5, Verdict.INCONCLUSIVE), (20, 10, Verdict.REFUTED),
    ],
)  # fmt: skip
def test_undecided_draws_may_hold_or_fail(holding: int, undecided: int, expected: Verdict) -> None:
    """Of 60 draws, 0.9 claimed: they neither support nor refute."""
    data: dict[str, Any] = {}
    assert _typical(TYPICAL, holding, undecided, 60, data)[0] is expected
    low, high = data["confidence_bounds"]
    assert low <= holding / 60 <= (holding + undecided) / 60 <= high


@stated(
    "test.stated", title="t", source="ours", predicate="p", kind="exact", scopes=lambda profile: (CELL,),
    instances=lambda scope, profile: (1, 2), assumptions=(Assumption("it is one", lambda k: k == 1),),
    judges=(same, "theory.base.enclosure.every"),
    mutants=(
        wrong("larger", "three", "constant", CELL, least=3), weaker("any", "two as well", "one"),
        instead("other", "another test", "predicate", test=lambda k, scope: Outcome(same(k, 2), "k = 2")),
    ),
)  # fmt: skip
def one_is_one(instance: int, scope: Scope, least: int = 1) -> Outcome:
    """Every one
    is one.
    """
    return Outcome(same(instance, least), f"{instance} and {least}")


def test_a_stated_claim_is_its_docstring_its_test_and_other_values_of_its_constants() -> None:
    claim = one_is_one
    assert claim.statement == "Every one is one."
    assert claim.family == "test"
    assert claim.judged == ("numerics.arithmetic.balls.same", "theory.base.enclosure.every")
    assert judge(claim, CELL, "quick").verdict is Verdict.CERTIFIED
    assert {m.name: judge(m.mutate(claim), CELL, "quick").verdict for m in claim.mutants} == dict.fromkeys(
        ("larger", "any", "other"), Verdict.REFUTED
    )
    assert claim.mutants[0].scope == CELL
    with pytest.raises(InputError, match=r"no constant 'most'"):
        claim.given(most=1)
    with pytest.raises(InputError, match=r"no constant 'scope'"):
        claim.given(scope={})
    assert ledger.all_claims()[0].statement.startswith("For every polynomial $u$ of degree at most")


@pytest.mark.parametrize("claim", ledger.all_claims(), ids=lambda claim: claim.id)
def test_every_mutant_of_the_ledger_is_another_claim(claim: Claim) -> None:
    for mutant in claim.mutants:
        changed = mutant.mutate(claim)
        assert any(getattr(changed, name) is not getattr(claim, name) for name in Claim.__dataclass_fields__)
