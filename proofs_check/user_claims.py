"""Claims of one's own: a decorator that makes a claim of a predicate, and the files such claims live in.

A file of claims is a Python module; whoever verifies it runs it, as ``python FILE`` would.  Its claims are its tuple
``CLAIMS``, or without one those that the decorator made in it and every :class:`proofs_check.claim.Claim` among its
values.

>>> from fractions import Fraction
>>> from proofs_check.claims.common import below
>>> from proofs_check.strategies import spectra
>>> @claim("own.mean", over=spectra(), mutants={"half": {"factor": Fraction(1, 2)}}, kind="exact")
... def largest_is_at_least_the_mean(values, factor=1):
...     "The mean of a spectrum is at most its largest value."
...     return below(sum(values), factor * values[0] * len(values))
>>> from proofs_check.claim import judge
>>> judge(largest_is_at_least_the_mean, {"instances": "drawn"}, "quick").summary
'holds in 50 of 50: largest_is_at_least_the_mean: YES'
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from proofs_check.claim import ALL, Assumption, Claim, Mutant, Quantifier, Scope
from proofs_check.verdicts import POSITIVE, Kind, Outcome
from theory.decision import Decision
from theory.errors import InputError

if TYPE_CHECKING:  # heavy at start-up
    from hypothesis.strategies import SearchStrategy

Found = bool | None | Decision | Outcome | tuple[bool | Decision | None, str]
"""What a predicate may return: whether it holds (None: undecided), alone or with a line of numbers, or an Outcome.

In exact and ball arithmetic a :class:`~theory.decision.Decision`, for a bare bool cannot say that it is undecided."""
Space = Any
"""A Hypothesis strategy, a sequence of instances, or a function of the cell that returns one of them."""
DRAWN: Scope = {"instances": "drawn"}
"""The cell of a claim that has only one."""
FULL = 10
"""How many times as many instances the full profile draws."""
MADE = "__adfd_claims__"
"""Where a module keeps the claims that the decorator has made in it, in order."""
RESERVED = ("scope",)
"""Parameters of a predicate that are not constants of the claim."""


@dataclass(frozen=True)
class Without:
    """A mutant that drops the assumption whose text contains ``text``."""

    text: str


def without(text: str) -> Without:
    """The mutant that drops the assumption whose text contains ``text``."""
    return Without(text)


def claim(
    id: str,
    *,
    over: Space,
    mutants: Mapping[str, Mapping[str, Any] | Without],
    cells: Sequence[Scope] = (DRAWN,),
    assume: Mapping[str, Callable[[Any], bool]] | None = None,
    kind: Kind = "sampled",
    quantifier: Quantifier = ALL,
    source: str = "conjecture",
    examples: int = 50,
    rests_on: Sequence[str] = (),
) -> Callable[[Callable[..., Found]], Claim]:
    """Makes a claim of a predicate on instances; its docstring is the statement.

    The predicate's further parameters have defaults: they are the constants of the claim, and what its mutants change.
    A parameter called ``scope`` is given the cell.

    Args:
        id: dotted name, unique in the file and not one of the ledger's.
        over: where instances come from; from a strategy, the same ones are drawn in every run.
        mutants: wrong versions by name: other values of the predicate's parameters, or :func:`without`.
        cells: coordinates of each cell.
        assume: what an instance must meet to count, by its text.
        kind: what the predicate computes with; ``sampled`` comes to SUPPORTED, ``ball`` and ``exact`` (enclosures,
            exact rationals; the predicate returns a Decision) to CERTIFIED, with certified counterexamples.
        quantifier: over the instances.
        source: a reference, or whose conjecture it is.
        examples: how many instances are drawn from a strategy, ten times as many in the full profile.
        rests_on: claims of the file or of the ledger that it takes for granted; a verdict is shown as conditional on
            those that are not positive.

    Raises:
        InputError: no mutant, no statement, or a mutant that changes nothing the predicate has.
    """

    def decorate(function: Callable[..., Found]) -> Claim:
        statement = " ".join((function.__doc__ or "").split())
        constants = _constants(function, id)
        if kind not in POSITIVE:
            raise InputError(f"claim {id}: kind {kind!r}; allowed: {', '.join(POSITIVE)}")
        if not statement:
            raise InputError(f"claim {id}: {function.__name__} needs a docstring; it is the statement")
        if not mutants:
            raise InputError(f"claim {id}: has no mutant; name a wrong version that the predicate must refute")
        texts = dict(assume or {})
        made = Claim(
            id=id,
            title=function.__name__.strip("_").replace("_", " "),
            statement=statement,
            family=id.partition(".")[0],
            source=source,
            predicate=f"{function.__name__} of {Path(function.__code__.co_filename).name}",
            kind=kind,
            scopes=lambda profile: tuple(dict(cell) for cell in cells),
            instances=lambda scope, profile: _instances(over, scope, examples * (FULL if profile == "full" else 1)),
            test=_test(function, {}),
            mutants=tuple(_mutant(id, name, change, function, constants, texts)
                          for name, change in mutants.items()),
            assumptions=tuple(Assumption(text, holds) for text, holds in texts.items()),
            quantifier=quantifier,
            describe=_describe,
            rests_on=tuple(rests_on),
            own=True,
            search=(lambda scope: _strategy(over, scope)),
        )  # fmt: skip
        function.__globals__.setdefault(MADE, []).append(made)  # found also when another takes the function's name
        return made

    return decorate


def _constants(function: Callable[..., Found], id: str) -> list[str]:
    """The names of the parameters that have a default."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise InputError(f"claim {id}: {function.__name__} takes no instance")
    others = parameters[1:]
    for parameter in others:
        if parameter.default is parameter.empty and parameter.name not in RESERVED:
            raise InputError(f"claim {id}: parameter {parameter.name} of {function.__name__} needs a default")
    return [p.name for p in others if p.name not in RESERVED]


def _test(function: Callable[..., Found], changes: Mapping[str, Any]) -> Callable[[Any, Scope], Outcome]:
    takes_scope = "scope" in inspect.signature(function).parameters

    def test(instance: Any, scope: Scope) -> Outcome:
        found: Any = function(instance, **({"scope": scope} if takes_scope else {}), **changes)
        if isinstance(found, Outcome):
            return found
        holds, detail = (
            found if isinstance(found, tuple) and len(found) == 2 else (found, f"{function.__name__}: {found}")
        )
        return Outcome(holds, str(detail))

    return test


def _mutant(
    id: str,
    name: str,
    change: Mapping[str, Any] | Without,
    function: Callable[..., Found],
    constants: list[str],
    assumptions: Mapping[str, object],
) -> Mutant:
    if isinstance(change, Without):
        text = change.text
        if not any(text in known for known in assumptions):
            raise InputError(f"claim {id}: mutant {name}: no assumption contains {text!r}")
        return Mutant(name, f"without the assumption {text!r}", "assumption", lambda c: c.without_assumption(text))
    for key in change:
        if key not in constants:
            allowed = ", ".join(constants) or "none, it has no parameter with a default"
            raise InputError(f"claim {id}: mutant {name}: {function.__name__} has no {key!r}; allowed: {allowed}")
    if not change:
        raise InputError(f"claim {id}: mutant {name} changes nothing")
    numbers = all(
        isinstance(value, int | float | Fraction) and not isinstance(value, bool) for value in change.values()
    )
    spelled = ", ".join(f"{key} = {value}" for key, value in change.items())
    wrong = _test(function, change)
    return Mutant(name, spelled, "constant" if numbers else "predicate", lambda c: c.with_(test=wrong))


def _space(over: Space, scope: Scope) -> Any:
    return over(scope) if callable(over) else over


def _instances(over: Space, scope: Scope, count: int) -> Iterable[Any]:
    from hypothesis.strategies import SearchStrategy

    space = _space(over, scope)
    return draws(space, count) if isinstance(space, SearchStrategy) else space


def _strategy(over: Space, scope: Scope) -> SearchStrategy[Any]:
    from hypothesis import strategies
    from hypothesis.strategies import SearchStrategy

    space = _space(over, scope)
    return space if isinstance(space, SearchStrategy) else strategies.sampled_from(list(space))


def draws(strategy: SearchStrategy[Any], count: int, seed: int = 0) -> Iterator[Any]:
    """Draws from a strategy that are the same in every process (with the same version of Hypothesis).

    Hypothesis's own generation also tries constants of the modules that happen to be imported; here the choices come
    from seeded bytes alone.

    Raises:
        InputError: the strategy rejects nearly every draw.

    >>> from hypothesis import strategies
    >>> list(draws(strategies.integers(0, 9), 5)) == list(draws(strategies.integers(0, 9), 5))
    True
    """
    from hypothesis import given, settings

    drawn: list[Any] = []

    @settings(database=None, deadline=None)
    @given(strategy)
    def keep(instance: Any) -> None:
        drawn.append(instance)

    target = keep.hypothesis.fuzz_one_input  # type: ignore[attr-defined]
    generator = random.Random(seed)
    for _ in range(100 * count):
        target(generator.randbytes(16_384))
        yield from drawn
        count -= len(drawn)
        drawn.clear()
        if count <= 0:
            return
    raise InputError(
        f"the strategy {str(strategy)[:80]} rejects nearly every draw; build instances instead of filtering"
    )


def _describe(instance: Any) -> Any:
    """An instance in JSON types: what its own ``to_dict`` says, else its text."""
    if isinstance(instance, tuple | list):
        return [_describe(part) for part in instance]
    return instance.to_dict() if hasattr(instance, "to_dict") else str(instance)


def is_file(text: str) -> bool:
    """Whether a name on the command line is that of a file: ``FILE.py`` or ``FILE.py::ID``."""
    return text.partition("::")[0].endswith(".py")


def name(claim: Claim) -> str:
    """What a claim is called on the command line: its id, after its file where it is not of the ledger."""
    if claim.file is None:
        return claim.id
    relative = os.path.relpath(claim.file)
    return f"{claim.file if relative.startswith('..') else relative}::{claim.id}"


def select(names: Iterable[str]) -> tuple[Claim, ...]:
    """The claims of the files and ids named, each once.

    Raises:
        InputError: a file that cannot be loaded, an id that it lacks, or one that is taken.
    """
    from proofs_check import ledger

    wanted = [text.partition("::") for text in names]
    loaded = {path: load(str(Path(path).absolute())) for path, _, _ in wanted}
    chosen: list[Claim] = []
    taken = {c.id: "the ledger" for c in ledger.all_claims()}
    for path, colons, id in wanted:
        claims = loaded[path]
        _check_links(path, claims, taken)
        for found in claims:
            if taken.setdefault(found.id, str(found.file)) != found.file:
                raise InputError(f"{path}: claim {found.id}: the id is taken by {taken[found.id]}")
        for found in ledger.select([id], claims) if colons else claims:
            if all(c.id != found.id for c in chosen):
                chosen.append(found)
    return tuple(chosen)


def _check_links(path: str, claims: tuple[Claim, ...], known: Iterable[str]) -> None:
    from proofs_check import dependencies

    try:
        dependencies.check({c.id: c.rests_on for c in claims}, known)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def digest(path: str) -> str:
    """A digest of a file: results of another content are never reused.  (Modules that it imports do not count.)"""
    return hashlib.sha256(_read(path)).hexdigest()[:16]


def load(path: str) -> tuple[Claim, ...]:
    """The claims of a file, which is run (once a process and content).

    Raises:
        InputError: it cannot be read or run, has no claims, or one without mutants or with another's id.
    """
    return _load(path, digest(path))


def module(path: str) -> ModuleType:
    """The module of a file that :func:`load` has run."""
    load(path)
    return sys.modules[_module_name(path, digest(path))]


def _module_name(path: str, content: str) -> str:
    return f"adfd_claims_{hashlib.sha256(path.encode()).hexdigest()[:8]}_{content}"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise InputError(f"{path}: {reason}") from None


@lru_cache(maxsize=64)
def _load(path: str, content: str) -> tuple[Claim, ...]:
    found = _claims(_run(path, _module_name(path, content)), path)
    seen: set[str] = set()
    for one in found:
        if one.id in seen:
            raise InputError(f"{path}: two claims are called {one.id}")
        if not one.mutants:
            raise InputError(f"{path}: claim {one.id}: has no mutant; a check that cannot fail is a defect")
        if len({m.name for m in one.mutants}) < len(one.mutants):
            raise InputError(f"{path}: claim {one.id}: two mutants share a name")
        seen.add(one.id)
    return tuple(one.with_(file=path, own=True) for one in found)


def _run(path: str, called: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(called, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[called] = made  # dataclasses of the file look themselves up there
    folder = str(Path(path).parent)
    if folder not in sys.path:
        sys.path.append(folder)  # its neighbours can be imported, and shadow nothing
    try:
        spec.loader.exec_module(made)
    except (Exception, SystemExit) as error:
        del sys.modules[called]
        raise InputError(_why(error, path)) from None
    return made


def _why(error: BaseException, path: str) -> str:
    """One line: where in the file it failed, and what happened."""
    if isinstance(error, SyntaxError):
        return f"{error.filename or path}:{error.lineno}: syntax error: {error.msg}"
    step, line = error.__traceback__, 0
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            line = step.tb_lineno
        step = step.tb_next
    what = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return f"{path}:{line}: {what}" if line else f"{path}: {what}"


def _claims(made: ModuleType, path: str) -> list[Claim]:
    if hasattr(made, "CLAIMS"):
        listed = made.CLAIMS
        if not isinstance(listed, tuple | list) or not all(isinstance(c, Claim) for c in listed):
            raise InputError(f"{path}: CLAIMS must be a tuple of claims")
        found = list(listed)
    else:
        values = [*getattr(made, MADE, ()), *(v for v in vars(made).values() if isinstance(v, Claim))]
        found = list({id(v): v for v in values}.values())
    if not found:
        raise InputError(f"{path}: no claims; use the decorator proofs_check.user_claims.claim, or a tuple CLAIMS")
    return found
