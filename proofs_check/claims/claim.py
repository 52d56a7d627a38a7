"""A claim: a statement with its assumptions as code, the instances it is tested on, its test and its mutants."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from proofs_check.claims.formal import Formal
from proofs_check.claims.instances import Coverage
from proofs_check.claims.verdicts import Kind, Outcome
from theory.base.errors import InputError

if TYPE_CHECKING:  # heavy at start-up, and not needed by those who read what a claim says
    from hypothesis.strategies import SearchStrategy

    from numerics.problem.problem import Arithmetic, Method, Problem

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


Request: TypeAlias = "tuple[Problem, Method, Arithmetic] | Prepared"
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


LEAST_SHARE = 0.5
"""What is typical is true of most draws."""
LEAST_CONFIDENCE = 0.8
"""Of an interval for a share."""


@dataclass(frozen=True)
class Quantifier:
    """For ``all`` instances; ``typical``: for at least a share of the draws; ``share``: what is the share?

    A claim about what is ``typical`` is refuted where a smaller share is shown.  A statement of which the ``share`` is
    asked is refuted where it is reversed (:mod:`proofs_check.claims.verdicts`); its intervals are simultaneous over all of
    its cells of which a share is asked.
    """

    kind: Literal["all", "typical", "share"] = "all"
    share: float = 0.9
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not (LEAST_SHARE <= self.share < 1 and LEAST_CONFIDENCE <= self.confidence < 1):
            raise InputError(
                f"quantifier: share {self.share}, confidence {self.confidence}; allowed: a share from 1/2 to 1, a "
                f"confidence of at least {LEAST_CONFIDENCE}"
            )

    def __str__(self) -> str:
        return "all" if self.kind == "all" else f"{self.kind}({self.share:g}, {self.confidence:g})"


ALL = Quantifier()
TYPICAL = Quantifier("typical")
SHARE = Quantifier("share")


def described(instance: Any) -> Any:
    """An instance in JSON types: what its ``to_dict`` says, else its text."""
    return instance.to_dict() if hasattr(instance, "to_dict") else str(instance)


MutantKind = Literal["constant", "sign", "assumption", "exponent", "order", "predicate"]
"""What a mutant changes."""


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
    kind: MutantKind
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
        describe: an instance in JSON types, for the witness; without it, what its ``to_dict`` says, else its text.
        search: the space in which counterexamples of a cell are sought; without one it is made from the instances.
        file: the file of a claim that is not in the ledger.
        proven: the cells in which every instance is decided with proof: there the claim is about all of them, in ball
            arithmetic, whatever its kind and quantifier elsewhere.
        own: whether it is a user's own: its predicate is a callable that nobody has reviewed (see :func:`evaluate`).
        statement_of: cells with the same value are one statement, over which intervals of shares are simultaneous;
            without it all cells are.
        measure: what is reported of the outcomes of a cell beside their number: words and JSON types.
        formal: the formal statements of a cell, which adfd proves itself; PROVED takes them (:mod:`proofs_check.claims.formal`).
        coverage: what the instances of a cell are, for a user's own claim: some (None), all there are, or independent
            draws from a law.
        judges: the functions (of ``theory`` and ``numerics``) that the claim is about, or their dotted names.
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
    describe: Callable[[Any], Any] = described
    search: Callable[[Scope], SearchStrategy[Any]] | None = None
    file: str | None = None
    proven: Callable[[Scope], bool] | None = None
    own: bool = False
    coverage: Callable[[Scope], Coverage] | None = None
    formal: Callable[[Scope], tuple[Formal, ...]] | None = None
    statement_of: Callable[[Scope], str] | None = None
    measure: Callable[[Sequence[Outcome]], tuple[str, Mapping[str, Any]]] | None = None
    judges: tuple[Callable[..., Any] | str, ...] = ()

    @property
    def judged(self) -> tuple[str, ...]:
        """The dotted names of the functions that the claim is about."""
        return tuple(f if isinstance(f, str) else f"{f.__module__}.{f.__qualname__}" for f in self.judges)

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

    def given(self, **values: Any) -> Claim:
        """The claim whose test is given other values of its keyword parameters, the constants of the claim.

        Raises:
            InputError: the test has no such constant.
        """
        for key in values:
            if key not in constants(self.test):
                raise InputError(f"claim {self.id}: its test has no constant {key!r}")
        return replace(self, test=partial(self.test, **values))

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


RESERVED = ("scope",)
"""Parameters of a test that are not constants of the claim."""


def statement_in(function: Callable[..., Any]) -> str:
    """The docstring of a test, in one line: the statement of its claim."""
    return " ".join((function.__doc__ or "").split())


def constants(function: Callable[..., Any]) -> tuple[str, ...]:
    """The constants of a claim: the parameters of its test after the instance, but for ``scope``."""
    return tuple(name for name in list(inspect.signature(function).parameters)[1:] if name not in RESERVED)


def stated(
    id: str,
    *,
    title: str,
    source: str,
    predicate: str,
    kind: Kind,
    scopes: Callable[[Profile], tuple[Scope, ...]],
    instances: Callable[[Scope, Profile], Iterable[Any]],
    mutants: tuple[Mutant, ...],
    family: str | None = None,
    statement: str | None = None,
    **more: Any,
) -> Callable[[Callable[..., Outcome]], Claim]:
    """Makes a claim of its test: the docstring is the statement, keyword parameters are the constants of the claim.

    The test is called with an instance and a scope.  Its mutants are made by :func:`wrong` (other values of the
    constants), :func:`weaker` (without an assumption), :func:`instead` (other attributes) or :func:`misproved` (another
    step).  The family is the first part of the id, unless it is named; ``statement`` stands in for the docstring where
    it is put together from constants; ``more`` are further attributes of :class:`Claim`.
    """

    def decorate(test: Callable[..., Outcome]) -> Claim:
        return Claim(
            id=id, title=title, statement=statement or statement_in(test), family=family or id.partition(".")[0],
            source=source, predicate=predicate, kind=kind, scopes=scopes, instances=instances, test=test,
            mutants=mutants, **more,
        )  # fmt: skip

    return decorate


def wrong(name: str, change: str, kind: MutantKind, scope: Scope | None = None, /, **values: Any) -> Mutant:
    """The mutant whose test is given other values of its constants."""
    return Mutant(name, change, kind, lambda claim: claim.given(**values), scope)


def weaker(name: str, change: str, assumption: str, scope: Scope | None = None, /) -> Mutant:
    """The mutant that drops the assumption whose text contains ``assumption``."""
    return Mutant(name, change, "assumption", lambda claim: claim.without_assumption(assumption), scope)


def instead(name: str, change: str, kind: MutantKind, scope: Scope | None = None, /, **attributes: Any) -> Mutant:
    """The mutant with other attributes of the claim, such as its instances, or with another test altogether."""
    return Mutant(name, change, kind, lambda claim: claim.with_(**attributes), scope)


def misproved(
    name: str, change: str, kind: MutantKind, step: int, scope: Scope | None = None, /, **attributes: Any
) -> Mutant:
    """The mutant with other attributes of a step of its derivation, counted from 1: a wrong proof."""
    return Mutant(name, change, kind, lambda claim: claim.with_step(step, **attributes), scope)
