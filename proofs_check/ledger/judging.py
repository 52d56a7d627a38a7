"""Judging a claim: its instances evaluated, its steps run, its formal statements proved, and what that comes to."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from proofs_check.claims.claim import Assumption, Claim, Profile, Quantifier, Scope
from proofs_check.claims.formal import Formal
from proofs_check.claims.instances import Coverage, Listing, fingerprint, inexact, listing
from proofs_check.claims.verdicts import (
    POSITIVE,
    Evidence,
    Finding,
    Outcome,
    Verdict,
    clopper_pearson,
    decided,
    share,
    truth,
)
from proofs_check.ledger import coverage
from proofs_check.own import watched_code as untouched
from proofs_check.own.float_guard import watching
from theory.base.enclosure import Decision
from theory.base.errors import InputError

BARE = (
    "returned {given}, on which no exact comparison can be seen; a claim of kind {kind!r} returns a Decision: below(a, b), "
    "less(a, b), same(a, b), combined by &, |, ~, every(…), some(…) (from proofs_check.claims.comparisons)"
)
"""What is said of a bare bool where a decision is due: an undecided comparison of balls is False too."""


def evaluate(claim: Claim, instance: Any, scope: Scope) -> Outcome:
    """The outcome of a claim at an instance that meets its assumptions.

    In exact or ball arithmetic what holds or fails must be a decision that rests on exact comparisons, in the ledger's
    claims as in a user's own; that it fails is certified just then, whatever the predicate says of itself.

    Raises:
        InputError: the predicate of such a claim returned something else; one of a user's own changed its instance, or the
            instance holds a float.
    """
    kind = claim.kind_in(scope)
    before = fingerprint(instance) if claim.own else ""
    if claim.own and kind != "sampled" and (found := inexact(instance)) is not None:
        raise InputError(f"kind {kind!r}: an instance has the float {found}; exact statements are about exact numbers")
    with watching() if claim.own and kind != "sampled" else nullcontext():
        outcome = claim.test(instance, scope)
    if type(outcome) is not Outcome or type(outcome.decision) not in {Decision, type(None)}:
        raise InputError(f"the test returned {outcome!r:.60}, which is no plain Outcome with a plain Decision")
    if claim.own and fingerprint(instance) != before:
        raise InputError("the predicate changes its instance")
    if kind == "sampled":
        return replace(outcome, certified=False) if claim.own else outcome
    if outcome.holds is not None and (outcome.decision is None or outcome.decision.compared == 0):
        given = f"the bare {outcome.holds}" if outcome.decision is None else f"a {outcome.decision} that was told"
        raise InputError(BARE.format(given=given, kind=kind))
    return replace(outcome, certified=outcome.holds is False)


def meets(claim: Claim, instance: Any) -> bool:
    """Whether an instance meets every assumption of a claim; where one is undecided, it does not.

    Raises:
        InputError: an assumption of a user's own exact claim is decided by floats.
    """
    with watching() if claim.own and claim.kind != "sampled" else nullcontext():
        return all(satisfied(claim, assumption, instance) for assumption in claim.assumptions)


def satisfied(claim: Claim, assumption: Assumption, instance: Any) -> bool:
    """Whether an instance is known to meet an assumption.

    Raises:
        InputError: one of a user's own claim returned something else than a bool, None or a Decision.
    """
    found: Any = assumption.holds(instance)
    if not claim.own:
        return bool(found)
    if isinstance(found, Decision):
        return found.holds is True
    return found is not None and truth(found)


MOST_OUTSIDE = 1000
"""Instances outside the assumptions at which a statement is tried."""


def outside(claim: Claim, scope: Scope, instances: Iterable[Any]) -> dict[str, int]:
    """What a statement comes to where its assumptions are missed; it may make no sense there (``undefined``)."""
    found = dict.fromkeys(("holding", "failing", "undecided", "undefined"), 0)
    words = {True: "holding", False: "failing", None: "undecided"}
    for instance in islice((i for i in instances if not meets(claim, i)), MOST_OUTSIDE):
        try:
            found[words[evaluate(claim, instance, scope).holds]] += 1
        except Exception:  # division by zero, say
            found["undefined"] += 1
    return found


def told_outside(evidence: Evidence, found: Mapping[str, int]) -> Evidence:
    """Evidence that says what the assumptions are worth: first of all, if they reject just what fails."""
    count = sum(found.values())
    data = {**evidence.data, "outside": dict(found)}
    listed = ", ".join(f"{n} {word}" for word, n in found.items() if n)
    if found["failing"] == count:
        where = "the one instance" if count == 1 else f"exactly the {count} instances"
        text = f"the assumptions reject {where} where the statement fails, and may say no less than it"
    elif found["failing"] and not found["holding"]:
        text = f"of the {count} instances that the assumptions reject the statement holds in none ({listed})"
    else:
        return replace(evidence, data=data, summary=f"{evidence.summary}; outside the assumptions: {listed}")
    return replace(evidence, data=data, summary=f"{text}; {evidence.summary}")


RECHECKED = 5
"""Supporting instances that are evaluated a second time, besides the witness."""


def second_run(
    claim: Claim, scope: Scope, listed: Listing, judged: Iterable[tuple[int, Outcome]]
) -> list[dict[str, Any]]:
    """Evaluates the first failing instance and some that hold again, in reverse order.

    Returns:
        Of each its position, its content and what it came to, for a third time in another process.

    Raises:
        InputError: the answer is another one.
    """
    found = list(judged)
    failing = [pair for pair in found if pair[1].holds is False][:1]
    holding = [pair for pair in found if pair[1].holds is True]
    spread = {len(holding) * k // RECHECKED for k in range(RECHECKED)} if holding else set()
    told = []
    for index, first in [*failing, *(holding[k] for k in sorted(spread))][::-1] or found[:1]:
        instance = listed.instances[index]
        again = evaluate(claim, instance, scope) if meets(claim, instance) else None
        differ(first.holds, None if again is None else again.holds, index)
        told.append({"index": index, "content": content(claim, scope, instance), "holds": first.holds})
    return told


def content(claim: Claim, scope: Scope, instance: Any) -> str:
    """A digest of what is judged: an instance, and the formal statements of its cell."""
    return fingerprint(([str(one) for one in claim.formal(scope)] if claim.formal else [], instance))


def differ(first: bool | None, second: bool | None, index: int) -> None:
    """Compares two runs.

    Raises:
        InputError: they differ.
    """
    if first is not second:
        words = {True: "holds", False: "fails", None: "is not decided"}
        raise InputError(
            f"two runs differ: instance {index + 1} {words[first]}, and when evaluated again {words[second]}"
        )


def failure(error: Exception) -> Evidence:
    """The evidence of a check that failed to run: an ERROR with its reason and place."""
    if isinstance(error, InputError):  # says itself what is wrong, and where
        return Evidence(Verdict.ERROR, str(error))
    where = traceback.extract_tb(error.__traceback__)[-1]
    reason = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    return Evidence(Verdict.ERROR, reason)


def judge(claim: Claim, scope: Scope, profile: Profile, *, refuting: bool = False) -> Evidence:
    """Tests a claim on the instances of one cell, after the steps of its derivation that have a check.

    With ``refuting``, as for a mutant, the first instance that fails ends a claim about all of them.

    A step that fails refutes the claim as it stands (its proof is wrong), one that cannot be decided leaves it open.
    ``PROVED`` takes a formal statement that is proved here, and a chain in which every step is checked, or is a theorem
    or a claim that is named: without them a symbolic check comes to ``CERTIFIED``.  A check of a user's own that fails to run is an ``ERROR``.
    """
    try:
        with untouched.guarded() if claim.own else nullcontext():
            return _concluded(claim, scope, profile, refuting)
    except Exception as error:
        if not claim.own:
            raise
        return failure(error)


def _concluded(claim: Claim, scope: Scope, profile: Profile, refuting: bool) -> Evidence:
    steps = chain(claim, scope)
    evidence = _judge(claim, scope, profile, refuting and claim.quantifier_in(scope).kind == "all")
    if claim.formal is not None and evidence.verdict is not Verdict.REFUTED:
        proofs = formal_steps(claim.formal(scope))
        steps += proofs
        if claim.own:
            evidence = _proved(evidence, proofs)
    if not steps:
        return _weaker(claim, evidence)
    told = replace(evidence, data={**evidence.data, "steps": steps})
    broken = next((n for n, step in enumerate(steps, 1) if step["holds"] is False), None)
    if broken is not None:
        return replace(told, verdict=Verdict.REFUTED, summary=f"step {broken} is wrong: {steps[broken - 1]['detail']}")
    open_ = next((n for n, step in enumerate(steps, 1) if step["holds"] is None and step["run"]), None)
    if open_ is not None and evidence.verdict in POSITIVE.values():
        summary = f"step {open_} is undecided: {steps[open_ - 1]['detail']}"
        return replace(told, verdict=Verdict.INCONCLUSIVE, summary=summary)
    return _weaker(claim, told)


def formal_steps(statements: Iterable[Formal]) -> list[dict[str, Any]]:
    """Proves formal statements: one step each."""
    from proofs_check.claims.provers import prove

    found = []
    for one in statements:
        outcome = prove(one)
        found.append(
            {"text": str(one), "rule": "formal", "run": True, "holds": outcome.holds, "detail": outcome.detail}
            | {"statement": str(one)}
        )
    return found


def _proved(evidence: Evidence, proofs: list[dict[str, Any]]) -> Evidence:
    """The evidence of a user's own formal statement that no point refutes: proved as a whole, or open."""
    left = [proof for proof in proofs if proof["holds"] is not True]
    chosen = (left or proofs)[0]
    summary = f"{chosen['detail']}; {chosen['statement']}"
    return replace(evidence, verdict=Verdict.INCONCLUSIVE if left else Verdict.PROVED, summary=summary)


def chain(claim: Claim, scope: Scope) -> list[dict[str, Any]]:
    """What each step of the derivation came to in a cell; empty where none is run."""
    if not any(step.check for step in claim.derivation):
        return []
    found = []
    for step in claim.derivation:
        outcome = step.check(scope) if step.check else None
        found.append(
            {
                "text": step.text,
                "rule": step.rule,
                "run": outcome is not None,
                "holds": None if outcome is None else outcome.holds,
                "detail": "" if outcome is None else outcome.detail,
            }
        )
    return found


def _weaker(claim: Claim, evidence: Evidence) -> Evidence:
    """``CERTIFIED`` for ``PROVED`` where no formal statement is proved, or a step of the derivation is told and no more."""
    if evidence.verdict is not Verdict.PROVED:
        return evidence
    told = [n for n, step in enumerate(claim.derivation, 1) if step.rule is None]
    if told:
        why = f"; step {told[0]} of the proof is not checked"
    elif claim.formal is None:
        why = "" if claim.own else "; no formal statement is proved"
    else:
        return replace(evidence, summary=f"{evidence.summary}; {_ran(evidence.data['steps'])}")
    return replace(evidence, verdict=Verdict.CERTIFIED, summary=f"{evidence.summary}{why}")


def _ran(steps: Iterable[Mapping[str, Any]]) -> str:
    """How many steps were run, of which kinds.

    >>> _ran([{"rule": "formal", "run": True}, {"rule": "identity", "run": True}, {"rule": "cited", "run": False}])
    '2 steps ran (1 formal, 1 identity)'
    """
    kinds = Counter(step["rule"] for step in steps if step["run"])
    count = kinds.total()
    listed = ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds))
    return f"{count} step{'s' if count != 1 else ''} ran ({listed})"


def _judge(claim: Claim, scope: Scope, profile: Profile, one_failure: bool) -> Evidence:
    """Tests a claim on the instances of one cell, up to the first that fails if one failure is enough."""
    listed = listing(claim.instances(scope, profile), _coverage(claim, scope)) if claim.own else None
    met, places, rejected = [], [], 0
    for place, instance in enumerate(claim.instances(scope, profile) if listed is None else listed.instances):
        if meets(claim, instance):
            met.append((instance, evaluate(claim, instance, scope)))
            places.append(place)
            if one_failure and met[-1][1].holds is False:
                break
        else:
            rejected += 1
    if not met:
        return Evidence(Verdict.VACUOUS, f"none of {rejected} samples met the assumptions", rejected=rejected)
    failing = [(i, o) for i, o in met if o.holds is False]
    undecided = [(i, o) for i, o in met if o.holds is None]
    holding = len(met) - len(failing) - len(undecided)
    margins = [o.margin for _, o in met if o.margin is not None]
    data: dict[str, Any] = {"worst_margin": min(margins)} if margins else {}
    if len(met) == 1 and met[0][1].data:  # one sample, say: its numbers matter whatever they decide
        data["numbers"] = dict(met[0][1].data)
    if failing:
        instance, outcome = failing[0]
        data["witness"] = {
            **outcome.data,
            "instance": claim.describe(instance),
            "detail": outcome.detail,
            "certified": outcome.certified,
        }
    if undecided:
        data["undecided"] = undecided[0][1].detail
    quantifier, finding = claim.quantifier_in(scope), None
    data["checked_for"] = coverage.judged(claim, [i for i, _ in met], rejected, draws=quantifier.kind != "all")
    if quantifier.kind == "typical":
        verdict, summary = _typical(quantifier, holding, len(undecided), len(met), data)
    elif quantifier.kind == "share":
        facts = max(1, claim.facts(scope, profile))
        verdict, summary, finding = _share(quantifier, holding, len(undecided), len(met), facts, data)
    elif failing:
        verdict, summary = Verdict.REFUTED, f"fails in {len(failing)} of {len(met)}: {failing[0][1].detail}"
    elif undecided:
        verdict = Verdict.INCONCLUSIVE
        summary = f"undecided in {len(undecided)} of {len(met)}: {undecided[0][1].detail}"
    else:
        worst = min((o for _, o in met), key=lambda o: float("inf") if o.margin is None else o.margin)
        verdict = POSITIVE[claim.kind_in(scope)]
        summary = f"holds in {len(met)} of {len(met)}: {worst.detail}"
    if len(met) == 1 and "finding" in met[0][1].data and not claim.own:  # one sample that says itself what it shows
        finding = Finding(met[0][1].data["finding"])
    elif claim.in_proof(scope):
        finding = decided(holding, len(met), len(undecided))
        if failing:
            summary = f"{finding}: {_refuting(len(failing), len(met))}: {failing[0][1].detail}"
    if finding is not None and len(met) > 1:
        data["decisions"] = _digest([o.holds for _, o in met])
    if claim.measure is not None:
        words, measured = claim.measure([o for _, o in met])
        summary, data = f"{summary}{words}", data | dict(measured)
    if listed is not None:
        kept = [instance for instance, _ in met]
        data |= {"coverage": listed.coverage, "listed": listed.drawn}
        data["again"] = second_run(claim, scope, listed, zip(places, (o for _, o in met), strict=True))
        summary = f"{summary} ({listed.words(kept, data['checked_for']['varying'])})"
        too_few = listed.kept(kept)
        if claim.assumptions:
            summary = f"under {' and '.join(f'“{one.text}”' for one in claim.assumptions)}: {summary}"
        if too_few is not None and verdict is not Verdict.REFUTED:
            verdict, summary = Verdict.VACUOUS, f"{too_few}; {summary}"
    return Evidence(verdict, summary, len(met), holding, len(undecided), rejected, data, finding)


def _refuting(failing: int, draws: int) -> str:
    """What a statement about all of some draws comes to, each decided with proof, when it is false in some."""
    if failing == draws:
        return f"false in each of {draws} draws, with proof"
    return f"a certified witness refutes the statement about all draws, false in {failing} of {draws}"


def _coverage(claim: Claim, scope: Scope) -> Coverage:
    """What the instances of a user's own claim are.

    Raises:
        InputError: a share is claimed of something else than independent draws.
    """
    found: Coverage = "these" if claim.coverage is None else claim.coverage(scope)
    if claim.quantifier_in(scope).kind != "all" and found != "law":
        raise InputError(
            f"quantifier {claim.quantifier_in(scope)}: a share needs independent draws from a law: over=sampler(function "
            "of a seed); a list or a strategy supports these instances"
        )
    return found


def _typical(
    quantifier: Quantifier, holding: int, undecided: int, trials: int, data: dict[str, Any]
) -> tuple[Verdict, str]:
    """Undecided instances count as failures for the lower bound and as successes for the upper one."""
    low = clopper_pearson(holding, trials, quantifier.confidence)[0]
    high = clopper_pearson(holding + undecided, trials, quantifier.confidence)[1]
    data["confidence_bounds"] = [low, high]
    numbers = f"holds in {holding} of {trials}" + (f", {undecided} undecided" if undecided else "")
    interval = f"share between {low:.2f} and {high:.2f} ({quantifier.confidence:.0%} each side)"
    if low >= quantifier.share:
        return Verdict.SUPPORTED, f"{numbers}; {interval}"
    if high < quantifier.share:
        return Verdict.REFUTED, f"{numbers}; {interval}; {quantifier.share:g} is claimed"
    return Verdict.INCONCLUSIVE, f"{numbers}; {interval}; {quantifier.share:g} is claimed"


def _digest(decisions: list[bool | None]) -> str:
    """The same for cells that decide alike in every draw: they are one fact."""
    text = "".join("?" if holds is None else "01"[holds] for holds in decisions)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


VERDICT_OF: dict[Finding, Verdict] = {
    Finding.HOLDS: Verdict.SUPPORTED,
    Finding.REVERSED: Verdict.REFUTED,
    Finding.MIXED: Verdict.INCONCLUSIVE,
    Finding.OPEN: Verdict.INCONCLUSIVE,
}


def _share(
    quantifier: Quantifier, holding: int, undecided: int, trials: int, facts: int, data: dict[str, Any]
) -> tuple[Verdict, str, Finding]:
    """What is shown of the share of draws in which the statement holds."""
    found = share(holding, trials, undecided, confidence=quantifier.confidence, facts=facts)
    finding = found.finding(quantifier.share)
    data["confidence_bounds"] = [found.low, found.high]
    data["simultaneous_over"] = facts
    return VERDICT_OF[finding], f"{finding}: {found.text}", finding
