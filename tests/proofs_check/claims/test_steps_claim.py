"""Proof steps: what is checked, what is refuted, and what a chain makes of a verdict."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flint
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.claims import steps as proof_steps
from proofs_check.claims.claim import Claim, Step
from proofs_check.claims.formal import Formal, reals
from proofs_check.claims.verdicts import Outcome, Verdict
from proofs_check.ledger import ledger
from proofs_check.ledger.judging import chain, formal_steps, judge
from tests.proofs_check.claims.test_claim import CELL, claim
from theory.base.errors import InputError

X = sympy.Symbol("x", real=True)
BOX = {X: (Fraction(1, 4), 3)}


SQUARE = Formal({X: reals()}, sympy.Ge(X**2 + 1, 2 * X))


def step(holds: bool | None, rule: Any = "identity") -> Step:
    return Step("$1 = 1$", "as told", rule, lambda scope: Outcome(holds, f"comes to {holds}"))


def with_steps(*steps: Step, holds: bool | None = True, kind: Any = "symbolic") -> Claim:
    return claim([holds], kind, derivation=steps, formal=lambda scope: (SQUARE,))


checked = st.sampled_from([True, False, None]).map(step)
told = st.sampled_from([None, "cited", "claim"]).map(lambda rule: Step("$1 = 1$", "as told", rule))


@given(
    st.lists(checked | told, max_size=5), st.sampled_from([True, False, None]), st.sampled_from(["symbolic", "ball"])
)
def test_the_verdict_of_a_chain(steps: list[Step], holds: bool | None, kind: str) -> None:
    evidence = judge(with_steps(*steps, holds=holds, kind=kind), CELL, "quick")
    found = [s.check(CELL).holds for s in steps if s.check]
    if False in found or holds is False:
        assert evidence.verdict is Verdict.REFUTED
    elif None in found or holds is None:
        assert evidence.verdict is Verdict.INCONCLUSIVE
    else:
        proved = kind == "symbolic" and all(s.rule is not None for s in steps)
        assert evidence.verdict is (Verdict.PROVED if proved else Verdict.CERTIFIED)
    told = evidence.data.get("steps", [])
    assert [s["holds"] for s in told if s["run"] and s["rule"] != "formal"] == found
    assert ("formal" in [s["rule"] for s in told]) == (holds is not False)


def test_without_a_formal_statement_nothing_is_proved() -> None:
    chained = with_steps(step(True), step(True))
    assert judge(chained, CELL, "quick").verdict is Verdict.PROVED
    bare = judge(chained.with_(formal=None), CELL, "quick")
    assert bare.verdict is Verdict.CERTIFIED
    assert "no formal statement is proved" in bare.summary
    open_ = Formal({X: reals()}, sympy.Lt(sympy.sin(X) ** 4, X**4 + 2))  # true, and not proved here
    assert judge(chained.with_(formal=lambda scope: (SQUARE, open_)), CELL, "quick").verdict is Verdict.INCONCLUSIVE
    wrong = Formal({X: reals()}, sympy.Ge(X**2, 2 * X))
    assert judge(chained.with_(formal=lambda scope: (SQUARE, wrong)), CELL, "quick").verdict is Verdict.REFUTED


def test_cells_that_are_proved_list_what_was_proved() -> None:
    for one in ledger.all_claims():
        assert one.formal is None or one.kind == "symbolic"
        if one.formal is not None:
            for scope in one.scopes("quick"):
                statements = one.formal(scope)
                assert statements, one.id
                assert all(found["holds"] is True for found in formal_steps(statements)), one.id


def test_a_told_step_is_named() -> None:
    evidence = judge(with_steps(step(True), Step("so it is", "obviously")), CELL, "quick")
    assert evidence.verdict is Verdict.CERTIFIED
    assert "step 2 of the proof is not checked" in evidence.summary


def test_the_step_that_is_wrong_is_named() -> None:
    right = with_steps(step(True), step(True))
    wrong = right.with_step(2, check=step(False).check)
    assert judge(right, CELL, "quick").verdict is Verdict.PROVED
    assert judge(wrong, CELL, "quick").summary == "step 2 is wrong: comes to False"
    with pytest.raises(IndexError, match="no step 3"):
        right.with_step(3)


@pytest.mark.parametrize(("rule", "check"), [("identity", None), (None, 1), ("cited", 1), ("claim", 1)])
def test_a_rule_that_is_run_needs_a_check_and_no_other(rule: Any, check: Any) -> None:
    with pytest.raises(InputError, match="step"):
        Step("$1 = 1$", "as told", rule, None if check is None else lambda scope: Outcome(True, ""))


polynomials = st.lists(st.integers(-4, 4), min_size=1, max_size=4).map(
    lambda c: sum((k * X**n for n, k in enumerate(c)), sympy.Integer(0))
)


@given(polynomials, polynomials)
def test_polynomial_identities(p: sympy.Expr, q: sympy.Expr) -> None:
    assert proof_steps.identity((p + q) ** 2, p**2 + 2 * p * q + q**2, BOX).holds is True
    outcome = proof_steps.identity(p, q, BOX)
    assert outcome.holds is (sympy.expand(p - q) == 0)
    assert outcome.certified is (outcome.holds is False)


def test_an_error_of_1e_30_is_seen() -> None:
    left, right = sympy.sin(2 * X), 2 * sympy.sin(X) * sympy.cos(X)
    assert proof_steps.identity(left, right, BOX).holds is True
    assert proof_steps.identity(left, right + sympy.Rational(1, 10**30), BOX).holds is False


def test_what_simplify_says_is_not_taken_on_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simplification that is wrong, or that gives up, cannot make an identity."""
    monkeypatch.setattr(sympy, "simplify", lambda e: sympy.Integer(0))
    monkeypatch.setattr(sympy, "expand", lambda e: e)
    assert proof_steps.identity(sympy.sin(X), sympy.cos(X), BOX).holds is False
    monkeypatch.setattr(sympy, "simplify", lambda e: e)
    assert proof_steps.identity(sympy.sin(2 * X), 2 * sympy.sin(X) * sympy.cos(X), BOX).holds is None


@given(st.fractions(-3, 3, max_denominator=50))
def test_enclosures_hold_the_value_and_are_narrow(x: Fraction) -> None:
    expression = sympy.exp(-(X**2)) * sympy.sin(3 * X + 1) + sympy.sqrt(X**2 + 2) / sympy.pi - sympy.tanh(X) ** 3
    with flint.ctx.workprec(128):
        value = flint.acb(flint.arb(flint.fmpq(x.numerator, x.denominator)))
        ball = proof_steps.enclose(expression, {X: value}).real
        reference = flint.arb(str(expression.subs(X, sympy.Rational(x.numerator, x.denominator)).evalf(30)), 1e-25)
        assert ball.overlaps(reference)
        assert float(ball.rad()) < 1e-34
    with pytest.raises(TypeError, match="no enclosure"):
        proof_steps.enclose(sympy.zeta(X), {X: value})


@given(st.integers(-6, 6), st.integers(1, 6))
def test_signs_of_a_quadratic(root: int, lead: int) -> None:
    """lead · (x − root)² keeps its sign; minus 1 it changes it around the root, and nowhere else."""
    square = [lead * root**2, -2 * lead * root, lead]
    assert proof_steps.one_sign(square, root - 2, root + 2).holds is True
    assert proof_steps.one_sign([-c for c in square], root - 2, root + 2, -1).holds is True
    lowered = [square[0] - 1, *square[1:]]
    assert proof_steps.one_sign(lowered, root - 2, root + 2).holds is False
    assert proof_steps.one_sign(lowered, root + 2, root + 9).holds is True


@pytest.mark.parametrize(
    ("expression", "low", "high", "holds"),
    [
        (2 + sympy.sin(X), -50, 50, True),
        (sympy.exp(X) - 1 - X, Fraction(1, 10), 5, True),
        (sympy.sin(X), 1, 4, False),
        (X**2, -1, 1, False),  # 0 in the middle
        (X**2, 0, 1, None),  # 0 at an end, which no ball around it can tell
        (X - sympy.Rational(1, 2**200), 0, 1, False),
    ],
)
def test_positive_by_cutting(expression: sympy.Expr, low: Any, high: Any, holds: bool | None) -> None:
    assert proof_steps.positive(expression, X, low, high).holds is holds


def test_theorems_need_their_hypotheses() -> None:
    assert proof_steps.theorem("T", [("n > 0", True)]).holds is True
    assert proof_steps.theorem("T", [("n > 0", True), ("n even", False)]).holds is False
    assert proof_steps.theorem("T", [("n > 0", None)]).holds is None
    assert proof_steps.theorem("T", []).holds is None
    assert "n even" in proof_steps.theorem("T", [("n even", False)]).detail


def test_cases_and_equalities() -> None:
    good, bad, open_ = Outcome(True, "y"), Outcome(False, "n", certified=True), Outcome(None, "?")
    assert proof_steps.every([("a", good), ("b", good)]).holds is True
    assert proof_steps.every([("a", open_), ("b", bad)]).holds is False
    assert proof_steps.every([("a", open_), ("b", good)]).holds is None
    assert proof_steps.every([]).holds is None
    assert proof_steps.equal([(1, 1), (Fraction(1, 2), Fraction(2, 4))], "x").holds is True
    assert proof_steps.equal([(1, 1), (1, 2)], "x").holds is False
    assert proof_steps.equal([], "x").holds is None
    with pytest.raises(InputError, match="not exact"):
        proof_steps.equal([(0.1 + 0.2, Fraction(3, 10))], "x")


def test_steps_that_name_a_claim_rest_on_it() -> None:
    known = {c.id for c in ledger.all_claims()}
    for one in ledger.all_claims():
        for s in one.derivation:
            if s.rule == "claim":
                named = {id for id in known if id in s.because}
                assert named, f"{one.id}: {s.because}"
                assert named <= set(one.rests_on), f"{one.id}: {s.because}"


def test_what_can_be_proved_has_a_chain_in_which_nothing_is_only_told() -> None:
    """A symbolic claim of the ledger has steps, each of them checked, or a theorem or a claim that is named."""
    symbolic = [one for one in ledger.all_claims() if one.kind == "symbolic"]
    assert {one.id for one in symbolic} == {
        "stencils.leading-terms", "symbols.odd-negative", "symbols.sinc-powers", "steps.optimal"
    }  # fmt: skip
    for one in symbolic:
        assert any(s.check for s in one.derivation), one.id
        assert all(s.rule is not None for s in one.derivation), one.id
        for scope in one.scopes("quick"):
            assert all(found["holds"] is not None for found in chain(one, scope) if found["run"]), one.id


def test_some_mutant_of_every_kind_of_proof_is_a_wrong_step() -> None:
    """Proofs are refuted for their steps too, not for their instances alone."""
    wrong = set()
    for one in ledger.all_claims():
        for mutant in one.mutants:
            made = mutant.mutate(one)
            if made.derivation != one.derivation:
                found = judge(made, mutant.scope or one.scopes("quick")[0], "quick")
                assert found.verdict is Verdict.REFUTED, f"{one.id}: {mutant.name}"
                assert "is wrong" in found.summary
                wrong.add(one.id)
    assert {"symbols.odd-negative", "symbols.sinc-powers", "steps.optimal", "spectra.sine-factorisation"} <= wrong
