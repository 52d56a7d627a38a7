"""A claim: a statement with its assumptions as code, the instances it is tested on, its test and its mutants."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from numerics.problem import Arithmetic, Method, Problem
from proofs_check.findings import Finding, decided, share
from proofs_check.formal import Formal
from proofs_check.instances import Coverage, Listing, fingerprint, inexact, listing
from proofs_check.verdicts import POSITIVE, Evidence, Kind, Outcome, Verdict, clopper_pearson, truth
from theory.decision import Decision
from theory.errors import InputError

if TYPE_CHECKING:  # heavy at start-up, and needed by a search alone
    from hypothesis.strategies import SearchStrategy

Profile = Literal["quick", "full"]
"""How much is computed: ``quick`` for a minute, ``full`` for a study."""
Scope = Mapping[str, str]
"""A cell's coordinates, such as ``{"arithmetic": "exact", "activation": "sin"}``."""


@runtime_checkable
class Prepared(Protocol):
    """Something that several cells read, computed once before them and kept in the store under its key; hashable."""

    @property
    def key(self) -> str:
        """Its content key."""

    @property
    def cost(self) -> float:
        """Seconds, roughly."""

    def prepare(self) -> None:
        """Computes it and keeps it in the store of this process."""


Request = tuple[Problem, Method, Arithmetic] | Prepared
"""A spectrum, or another thing, that an instance will read; all are computed once, before the cells."""


def address(scope: Scope) -> str:
    """A cell's address: ``key=value`` pairs in alphabetical order; read back by :func:`parse_address`.

    >>> address({"b": "1", "a": "relative τ=1e-12, power 1"})
    'a=relative τ=1e-12, power 1,b=1'
    """
    return ",".join(f"{key}={scope[key]}" for key in sorted(scope))


def parse_address(text: str) -> dict[str, str]:
    """The coordinates in ``key=value,key=value``; a value may contain commas.

    >>> parse_address("a=relative τ=1e-12, power 1,b=1")
    {'a': 'relative τ=1e-12, power 1', 'b': '1'}
    >>> parse_address("arithmetic=exact,size=N=128,M=64")
    {'arithmetic': 'exact', 'size': 'N=128,M=64'}

    Raises:
        InputError: not of that form.
    """
    scope = {}
    for part in _split_commas(text):
        key, equals, value = part.strip().partition("=")
        if not equals or not key:
            raise InputError(f"--cell: {text!r}; write key=value,key=value")
        scope[key.strip()] = value.strip()
    return scope


def _split_commas(text: str) -> list[str]:
    """Splits at the commas that are followed by ``key=``, so that a value may contain other commas.

    A value that is itself written with symbols, such as ``N=128,M=64``, goes on where another capital follows.
    """
    parts: list[str] = []
    for piece in text.split(","):
        head = piece.partition("=")[0].strip()
        symbol = head[:1].isupper() and parts and "=" in parts[-1].partition("=")[2]
        if parts and (symbol or not ("=" in piece and head.isidentifier() and " " not in head)):
            parts[-1] += "," + piece
        else:
            parts.append(piece)
    return parts


@dataclass(frozen=True)
class Assumption:
    """A hypothesis: its text, and whether an instance meets it.

    ``reads_spectra`` says that this is not known before the spectra are there.
    """

    text: str
    holds: Callable[[Any], bool]
    reads_spectra: bool = False


StepRule = Literal["identity", "inequality", "theorem", "cited", "claim"]
"""How a step is justified: ``identity`` (symbolic, exact), ``inequality`` (exact rationals, root isolation or ball
subdivision) and ``theorem`` (a cited one whose hypotheses are checked) are run; ``cited`` (a theorem that has none to
check) and ``claim`` (another claim, on which this one rests) are not."""
CHECKED_RULES: frozenset[str] = frozenset({"identity", "inequality", "theorem"})


@dataclass(frozen=True)
class Step:
    """A step of a derivation: what is claimed (LaTeX between dollars) and why.

    Attributes:
        text: what is claimed.
        because: why, for people.
        rule: how it is justified; None for a step that is told and no more.
        check: checks it in a cell (helpers in :mod:`proofs_check.steps`); for the rules that are run.
    """

    text: str
    because: str
    rule: StepRule | None = None
    check: Callable[[Scope], Outcome] | None = None

    def __post_init__(self) -> None:
        if (self.check is not None) != (self.rule in CHECKED_RULES):
            raise InputError(f"step {self.text[:60]!r}: rule {self.rule!r} with{'' if self.check else 'out'} a check")


LEAST_CONFIDENCE = 0.8
"""Of an interval for a share."""


@dataclass(frozen=True)
class Quantifier:
    """For ``all`` instances; ``typical``: for at least a share of the draws; ``share``: what is the share?

    A claim about what is ``typical`` is refuted where a smaller share is shown.  A statement of which the ``share`` is
    asked is refuted where it is reversed (:mod:`proofs_check.findings`); its intervals are simultaneous over all of
    its cells of which a share is asked.
    """

    kind: Literal["all", "typical", "share"] = "all"
    share: float = 0.9
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not (0 < self.share < 1 and LEAST_CONFIDENCE <= self.confidence < 1):
            raise InputError(
                f"quantifier: share {self.share}, confidence {self.confidence}; allowed: a share between 0 and 1, a "
                f"confidence of at least {LEAST_CONFIDENCE}"
            )

    def __str__(self) -> str:
        return "all" if self.kind == "all" else f"{self.kind}({self.share:g}, {self.confidence:g})"


ALL = Quantifier()
TYPICAL = Quantifier("typical")
SHARE = Quantifier("share")


@dataclass(frozen=True)
class Mutant:
    """A wrong version of a claim that its checker must refute.

    Attributes:
        name: short, unique within the claim.
        change: what is wrong with it, for the report.
        kind: what was changed: a constant, a sign, a dropped assumption, …
        mutate: the wrong claim.
        scope: coordinates of the cell on which it is run (the first cell of the claim by default).
    """

    name: str
    change: str
    kind: Literal["constant", "sign", "assumption", "exponent", "order", "predicate"]
    mutate: Callable[[Claim], Claim]
    scope: Scope | None = None


@dataclass(frozen=True)
class Claim:
    """A statement about automatic and finite differentiation that can be judged.

    Attributes:
        id: dotted name, unique in the ledger.
        title: a few words.
        statement: the statement, with LaTeX between dollars.
        family: the group it belongs to.
        source: ``"S1"`` … ``"S7"`` (the source paper), a reference, or ``"ours"``.
        predicate: what exactly is tested on an instance, with thresholds.
        kind: how an instance is checked; it decides the verdict when all hold.
        scopes: the cells, by profile.
        instances: the instances of a cell; deterministic.
        test: judges one instance.
        mutants: wrong versions.
        assumptions: what an instance must meet to count.
        quantifier: over the instances.
        derivation: the steps of the proof, where there is one; those with a check are run with every cell.
        rests_on: ids of the claims that the proof, or the explanation of the verdicts, uses.
        requests: spectra that the instances of a cell will read.
        describe: an instance in JSON types, for the witness.
        search: the space in which counterexamples of a cell are sought; without one it is made from the instances.
        file: the file of a claim that is not in the ledger.
        proven: the cells in which every instance is decided with proof: there the claim is about all of them, in ball
            arithmetic, whatever its kind and quantifier elsewhere.
        own: whether it is a user's own: its predicate is a callable that nobody has reviewed (see :func:`evaluate`).
        statement_of: cells with the same value are one statement, over which intervals of shares are simultaneous;
            without it all cells are.
        measure: what is reported of the outcomes of a cell beside their number: words and JSON types.
        formal: the formal statements of a cell, which adfd proves itself; PROVED takes them (:mod:`proofs_check.formal`).
        coverage: what the instances of a cell are, for a user's own claim: some (None), all there are, or independent
            draws from a law.
    """

    id: str
    title: str
    statement: str
    family: str
    source: str
    predicate: str
    kind: Kind
    scopes: Callable[[Profile], tuple[Scope, ...]]
    instances: Callable[[Scope, Profile], Iterable[Any]]
    test: Callable[[Any, Scope], Outcome]
    mutants: tuple[Mutant, ...]
    assumptions: tuple[Assumption, ...] = ()
    quantifier: Quantifier = ALL
    derivation: tuple[Step, ...] = ()
    rests_on: tuple[str, ...] = ()
    requests: Callable[[Any, Scope], Iterable[Request]] | None = None
    describe: Callable[[Any], Any] = str
    search: Callable[[Scope], SearchStrategy[Any]] | None = None
    file: str | None = None
    proven: Callable[[Scope], bool] | None = None
    own: bool = False
    coverage: Callable[[Scope], Coverage] | None = None
    formal: Callable[[Scope], tuple[Formal, ...]] | None = None
    statement_of: Callable[[Scope], str] | None = None
    measure: Callable[[Sequence[Outcome]], tuple[str, Mapping[str, Any]]] | None = None

    def in_proof(self, scope: Scope) -> bool:
        """Whether every instance of a cell is decided with proof, though elsewhere they are sampled."""
        return self.proven is not None and self.proven(scope)

    def quantifier_in(self, scope: Scope) -> Quantifier:
        """The quantifier of a cell."""
        return ALL if self.in_proof(scope) else self.quantifier

    def kind_in(self, scope: Scope) -> Kind:
        """How an instance of a cell is checked."""
        return "ball" if self.in_proof(scope) else self.kind

    def facts(self, scope: Scope, profile: Profile) -> int:
        """Of how many cells of its statement a share is asked: over so many the intervals are simultaneous."""
        counts = _facts(self.scopes, self.quantifier, self.proven, self.statement_of, profile)
        return counts["" if self.statement_of is None else self.statement_of(scope)]

    def with_(self, **changes: Any) -> Claim:
        """The same claim with some attributes changed: how mutants are made."""
        return replace(self, **changes)

    def without_assumption(self, text: str) -> Claim:
        """The claim without one of its assumptions.

        Raises:
            KeyError: no assumption contains ``text``.
        """
        kept = tuple(a for a in self.assumptions if text not in a.text)
        if len(kept) == len(self.assumptions):
            raise KeyError(text)
        return replace(self, assumptions=kept)

    def with_step(self, number: int, **changes: Any) -> Claim:
        """The claim with a step of its derivation changed, counted from 1: how a wrong proof is made.

        Raises:
            IndexError: there is no such step.
        """
        steps = list(self.derivation)
        if not 1 <= number <= len(steps):
            raise IndexError(f"{self.id} has no step {number}")
        steps[number - 1] = replace(steps[number - 1], **changes)
        return replace(self, derivation=tuple(steps))


BARE = (
    "returned {given}, on which no exact comparison can be seen; a claim of kind {kind!r} returns a Decision: below(a, b), "
    "less(a, b), same(a, b), combined by &, |, ~, every(…), some(…) (from proofs_check.claims.common)"
)
"""What is said of a bare bool where a decision is due: an undecided comparison of balls is False too."""


def evaluate(claim: Claim, instance: Any, scope: Scope) -> Outcome:
    """The outcome of a claim at an instance that meets its assumptions.

    Of a user's own claim in exact or ball arithmetic, what holds or fails must be a decision that rests on exact
    comparisons; that it fails is certified just then, whatever the predicate says of itself.

    Raises:
        InputError: the predicate of such a claim returned something else, changed its instance, or the instance holds a
            float.
    """
    if not claim.own:
        return claim.test(instance, scope)
    kind, before = claim.kind_in(scope), fingerprint(instance)
    if kind != "sampled" and (found := inexact(instance)) is not None:
        raise InputError(f"kind {kind!r}: an instance has the float {found}; exact statements are about exact numbers")
    outcome = claim.test(instance, scope)
    if fingerprint(instance) != before:
        raise InputError("the predicate changes its instance")
    if kind == "sampled":
        return replace(outcome, certified=False)
    if outcome.holds is not None and (outcome.decision is None or outcome.decision.compared == 0):
        given = f"the bare {outcome.holds}" if outcome.decision is None else f"a {outcome.decision} that was told"
        raise InputError(BARE.format(given=given, kind=kind))
    return replace(outcome, certified=outcome.holds is False)


def meets(claim: Claim, instance: Any) -> bool:
    """Whether an instance meets every assumption of a claim; where one is undecided, it does not."""
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


@lru_cache(maxsize=64)
def _facts(
    scopes: Callable[[Profile], tuple[Scope, ...]],
    quantifier: Quantifier,
    proven: Callable[[Scope], bool] | None,
    statement_of: Callable[[Scope], str] | None,
    profile: Profile,
) -> Counter[str]:
    """Cells of which a share is asked, by statement."""
    sampled = [s for s in scopes(profile) if quantifier.kind == "share" and not (proven is not None and proven(s))]
    return Counter("" if statement_of is None else statement_of(s) for s in sampled)


def judge(claim: Claim, scope: Scope, profile: Profile, *, refuting: bool = False) -> Evidence:
    """Tests a claim on the instances of one cell, after the steps of its derivation that have a check.

    With ``refuting``, as for a mutant, the first instance that fails ends a claim about all of them.

    A step that fails refutes the claim as it stands (its proof is wrong), one that cannot be decided leaves it open.
    ``PROVED`` takes a formal statement that is proved here, and a chain in which every step is checked, or is a theorem
    or a claim that is named: without them a symbolic check comes to ``CERTIFIED``.  A check of a user's own that fails to run is an ``ERROR``.
    """
    try:
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
    from proofs_check.provers import prove

    found = []
    for one in statements:
        outcome = prove(one)
        found.append(
            {"rule": "formal", "run": True, "holds": outcome.holds, "detail": outcome.detail, "statement": str(one)}
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
        return evidence
    return replace(evidence, verdict=Verdict.CERTIFIED, summary=f"{evidence.summary}{why}")


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
    if finding is not None and len(met) > 1:
        data["decisions"] = _digest([o.holds for _, o in met])
    if claim.measure is not None:
        words, measured = claim.measure([o for _, o in met])
        summary, data = f"{summary}{words}", data | dict(measured)
    if listed is not None:
        kept = [instance for instance, _ in met]
        data |= {"coverage": listed.coverage, "listed": listed.drawn}
        data["again"] = second_run(claim, scope, listed, zip(places, (o for _, o in met), strict=True))
        summary = f"{summary} ({listed.words(kept)})"
        too_few = listed.kept(kept)
        if too_few is not None and verdict is not Verdict.REFUTED:
            verdict, summary = Verdict.VACUOUS, f"{too_few}; {summary}"
    return Evidence(verdict, summary, len(met), holding, len(undecided), rejected, data, finding)


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
