"""Claims of one's own: a decorator that makes a claim of a predicate, and the files such claims live in.

A file of claims is a Python module; whoever verifies it runs it, as ``python FILE`` would.  Its claims are its tuple
``CLAIMS``, or without one those that the decorator made in it and every :class:`proofs_check.claims.claim.Claim` among its
values.

>>> from fractions import Fraction
>>> from proofs_check.claims.comparisons import below
>>> from proofs_check.search.strategies import spectra
>>> @claim("own.mean", over=spectra(), mutants={"half": {"factor": Fraction(1, 2)}}, kind="exact")
... def largest_is_at_least_the_mean(values, factor=1):
...     "The mean of a spectrum is at most its largest value."
...     return below(sum(values), factor * values[0] * len(values))
>>> from proofs_check.ledger.judging import judge
>>> judge(largest_is_at_least_the_mean, {"instances": "drawn"}, "quick").summary
'holds in 50 of 50: largest_is_at_least_the_mean: YES (these instances)'
"""

from __future__ import annotations

import cmath
import dis
import hashlib
import importlib.util
import inspect
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from proofs_check.claims.claim import (
    ALL,
    Assumption,
    Claim,
    Mutant,
    Quantifier,
    Scope,
    constants,
    stated,
    statement_in,
    weaker,
    wrong,
)
from proofs_check.claims.instances import (
    MOST,
    Sampler,
    Whole,
    check_space,
    coverage,
    draws,
    inexact,
    listed,
    long_integers,
    sampler,
    strategy,
    whole,
)
from proofs_check.claims.verdicts import POSITIVE, Kind, Outcome
from proofs_check.own import modules as local_modules
from proofs_check.own import watched_code as untouched
from proofs_check.own.float_guard import guess, made_inexactly, made_of_floats
from theory.base.enclosure import Decision
from theory.base.errors import InputError

__all__ = [
    "DRAWN", "Without", "claim", "digest", "draws", "guess", "is_file", "load", "module", "name", "sampler", "whole",
    "without",
]  # fmt: skip

Found = bool | None | Decision | Outcome | tuple[bool | Decision | None, str]
"""What a predicate may return: whether it holds (None: undecided), alone or with a line of numbers, or an Outcome.

In exact and ball arithmetic a :class:`~theory.base.enclosure.Decision`, for a bare bool cannot say that it is undecided."""
Space = Any
"""A Hypothesis strategy, a sequence of instances, ``whole(…)``, ``sampler(…)``, or a function of the cell that returns
one of them (:mod:`proofs_check.claims.instances`)."""
DRAWN: Scope = {"instances": "drawn"}
"""The cell of a claim that has only one."""
ROUNDED = frozenset((*dir(math), *dir(cmath))) - frozenset(
    ("ceil", "comb", "factorial", "floor", "gcd", "isqrt", "lcm", "perm", "prod", "trunc")
)
"""Functions and constants of Python's that are rounded to floats."""
FULL = 10
"""How many times as many instances the full profile draws."""
LONGEST = 10_000
"""Most characters with which an instance is described."""
MADE = "__adfd_claims__"
"""Where a module keeps the claims that the decorator has made in it, in order."""


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
        over: where instances come from; from a strategy, the same ones are drawn in every run.  A list and a strategy
            support these instances, ``whole(…)`` all of a finite domain, ``sampler(…)`` a share of the draws.
        mutants: wrong versions by name: other values of the predicate's parameters, or :func:`without`.
        cells: coordinates of each cell.
        assume: what an instance must meet to count, by its text; where that rejects some, five distinct instances and
            a fifth of them must be left.
        kind: what the predicate computes with; ``sampled`` comes to SUPPORTED, ``ball`` and ``exact`` (enclosures,
            exact rationals; the predicate returns a Decision, and no float is among its instances and constants) to
            CERTIFIED, with certified counterexamples.  ``symbolic`` is ``exact``: a callable proves nothing.
        quantifier: over the instances.
        source: a reference, or whose conjecture it is.
        examples: how many instances are drawn from a strategy, ten times as many in the full profile.
        rests_on: claims of the file or of the ledger that it takes for granted; a verdict is shown as conditional on
            those that are not positive.

    Raises:
        InputError: no mutant, no statement, a mutant that changes nothing the predicate has, or instances that cannot
            be listed twice alike.
    """

    def decorate(function: Callable[..., Found]) -> Claim:
        statement = statement_in(function)
        given = _constants(function, id)
        for value, wanted in ((kind, str), (quantifier, Quantifier)):
            if type(value) is not wanted:
                raise InputError(f"claim {id}: {value!r:.40} is not a plain {wanted.__name__}")
        if kind not in POSITIVE:
            raise InputError(f"claim {id}: kind {kind!r}; allowed: {', '.join(POSITIVE)}")
        if not statement:
            raise InputError(f"claim {id}: {function.__name__} needs a docstring; it is the statement")
        if not mutants:
            raise InputError(f"claim {id}: has no mutant; name a wrong version that the predicate must refute")
        if not cells:
            raise InputError(f"claim {id}: cells: none; a claim is judged in one at least")
        if type(examples) is not int or not 0 < examples * FULL <= MOST:
            raise InputError(f"claim {id}: examples: {examples!r:.20}; allowed: 1 to {MOST // FULL}")
        if isinstance(over, Sampler | Whole) or not callable(over):
            check_space(over, id)
        space = tuple(over) if isinstance(over, Sequence) else over  # listed once
        texts = dict(assume or {})
        checked_as: Kind = "exact" if kind == "symbolic" else kind
        made = stated(
            id,
            title=function.__name__.strip("_").replace("_", " "),
            statement=statement,
            source=source,
            predicate=f"{function.__name__} of {Path(function.__code__.co_filename).name}",
            kind=checked_as,
            scopes=lambda profile: tuple(dict(cell) for cell in cells),
            instances=lambda scope, profile: listed(
                _space(space, scope, id), examples * (FULL if profile == "full" else 1)),
            mutants=tuple(_mutant(id, name, change, function, given, texts) for name, change in mutants.items()),
            assumptions=tuple(Assumption(text, holds) for text, holds in texts.items()),
            quantifier=quantifier,
            describe=_describe,
            rests_on=tuple(rests_on),
            own=True,
            search=lambda scope: strategy(_space(space, scope, id)),
            coverage=lambda scope: coverage(_space(space, scope, id)),
        )(_test(function, checked_as))  # fmt: skip
        register(made, function.__globals__)
        return made

    return decorate


_DECORATED: list[Claim] = []
"""What was made by the decorators of this project, which say rightly what its instances are."""


def register(made: Claim, names: dict[str, Any]) -> None:
    """Keeps a claim for the file with these global names: found also when another takes the function's name."""
    names.setdefault(MADE, []).append(made)
    _DECORATED.append(made)


def _constants(function: Callable[..., Found], id: str) -> tuple[str, ...]:
    """The constants of a claim; each has a default."""
    parameters = inspect.signature(function).parameters
    if not parameters:
        raise InputError(f"claim {id}: {function.__name__} takes no instance")
    found = constants(function)
    for name in found:
        if parameters[name].default is inspect.Parameter.empty:
            raise InputError(f"claim {id}: parameter {name} of {function.__name__} needs a default")
    return found


def _test(function: Callable[..., Found], kind: Kind) -> Callable[..., Outcome]:
    """A predicate with its guards, to be given an instance, the cell, and other values of constants."""
    signature = inspect.signature(function)
    takes_scope = "scope" in signature.parameters

    def test(instance: Any, scope: Scope, **changes: Any) -> Outcome:
        if kind != "sampled" and (found_float := _float_in(function) or made_inexactly(changes)) is not None:
            raise InputError(
                f"kind {kind!r}: {function.__name__} has the float {found_float}; write Fraction(…) or a ball"
            )
        found: Any = function(instance, **({"scope": scope} if takes_scope else {}), **changes)
        if isinstance(found, Outcome):
            return found
        holds, detail = (
            found if isinstance(found, tuple) and len(found) == 2 else (found, f"{function.__name__}: {found}")
        )
        return Outcome(holds, str(detail))

    test.__signature__ = signature  # type: ignore[attr-defined]
    return test


def _mutant(
    id: str,
    name: str,
    change: Mapping[str, Any] | Without,
    function: Callable[..., Found],
    constants: tuple[str, ...],
    assumptions: Mapping[str, object],
) -> Mutant:
    if isinstance(change, Without):
        text = change.text
        if not any(text in known for known in assumptions):
            raise InputError(f"claim {id}: mutant {name}: no assumption contains {text!r}")
        return weaker(name, f"without the assumption {text!r}", text)
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
    return wrong(name, spelled, "constant" if numbers else "predicate", **change)


def _space(over: Space, scope: Scope, id: str) -> Any:
    if isinstance(over, Sampler | Whole) or not callable(over):
        return over
    found = over(scope)
    check_space(found, id)
    return found


@cache
def _float_in(function: Callable[..., Found]) -> str | None:
    """A float among the constants and defaults of a function, or of those of its file that it names."""
    home, queue, seen = function.__code__.co_filename, [function], set()
    while queue:
        one = queue.pop()
        if one in seen:
            continue
        seen.add(one)
        codes: list[CodeType] = [one.__code__]
        for code in codes:  # grows with the functions inside
            constants = [constant for constant in code.co_consts if not isinstance(constant, CodeType)]
            found = made_inexactly([constants, one.__defaults__, one.__kwdefaults__])
            if found is not None:
                return found
            codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        named = []
        for code in codes:
            steps = list(dis.get_instructions(code))
            for step, following in zip(steps, [*steps[1:], None], strict=True):
                if step.opname not in ("LOAD_GLOBAL", "LOAD_NAME"):  # others are names of attributes
                    continue
                value = one.__globals__.get(step.argval)
                named.append(value)
                attribute = following.argval if following is not None and (value is math or value is cmath) else None
                alone = getattr(value, "__name__", "") if getattr(value, "__module__", "") in ("math", "cmath") else ""
                if attribute in ROUNDED or alone in ROUNDED:
                    return f"{attribute or alone} of Python's math"
        held = [cell.cell_contents for cell in one.__closure__ or () if not _empty(cell)]
        found = inexact([v for v in (*named, *held) if isinstance(v, float | tuple | list | dict)])
        found = found or made_of_floats([*named, *held])
        if found is not None:
            return found
        queue += [f for f in (*named, *held) if isinstance(f, FunctionType) and f.__code__.co_filename == home]
    return None


def _empty(cell: CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def _describe(instance: Any) -> Any:
    """An instance in JSON types: what its own ``to_dict`` says, else its text."""
    if isinstance(instance, tuple | list):
        return [_describe(part) for part in instance]
    if hasattr(instance, "to_dict"):
        return instance.to_dict()
    with long_integers():
        text = str(instance)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text)} characters)"


def is_file(text: str) -> bool:
    """Whether a name on the command line is that of a file: ``FILE.py`` or ``FILE.py::ID``."""
    return text.partition("::")[0].endswith(".py")


def name(claim: Claim) -> str:
    """What a claim is called on the command line: its id, after its file where it is not of the ledger."""
    if claim.file is None:
        return claim.id
    relative = os.path.relpath(claim.file)
    return f"{claim.file if relative.startswith('..') else relative}::{claim.id}"


def digest(path: str) -> str:
    """A digest of a file and of every module of its own that it imports: results of other ones are never reused.

    Raises:
        InputError: it cannot be read.
    """
    _read(path)
    return local_modules.digest(path, _FOUND.get(path, ()))


_FOUND: dict[str, tuple[Path, ...]] = {}
"""By file: further modules of one's own that were there once it had run, by names that its text does not show."""


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
    made = set(map(id, _DECORATED))
    return tuple(_owned(one, path, id(one) in made) for one in found)


def _owned(claim: Claim, path: str, by_decorator: bool) -> Claim:
    """A claim of a file: its predicate is nobody's but the user's, and so is what it says of its instances."""
    mine = claim.with_(file=path, own=True, proven=None, measure=None, statement_of=None, judges=())
    if by_decorator:
        return mine
    return mine.with_(
        coverage=None, formal=None, kind="exact" if claim.kind == "symbolic" else claim.kind,
        scopes=_guarded(claim.scopes), requests=None if claim.requests is None else _guarded(claim.requests),
    )  # fmt: skip


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a file, called when nothing else guards (:mod:`proofs_check.own.watched_code`)."""

    def call(*arguments: Any) -> Any:
        with untouched.guarded():
            found = function(*arguments)
            return found if found is None else tuple(found)

    return call


def _run(path: str, called: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(called, path, loader=local_modules.FromSource(called, path))
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[called] = made  # dataclasses of the file look themselves up there
    local_modules.put_on_path(Path(path).parent)
    _forget(path)
    known = set(sys.modules)
    try:
        with untouched.guarded(everything=True):
            spec.loader.exec_module(made)
        _remember(path, called, known)
    except (Exception, SystemExit) as error:
        del sys.modules[called]
        raise InputError(_why(error, path)) from None
    return made


_RUN: set[str] = set()
"""Files that this process has run."""


def _forget(path: str) -> None:
    """Forgets the modules of a file's own where they are other ones now: of another folder, or edited since."""
    places = local_modules.closure(path)
    known = {name: getattr(sys.modules.get(name), "__file__", None) for name in places}
    elsewhere = any(known[name] not in {None, str(place)} for name, place in places.items())
    if elsewhere or path in _RUN:  # it is run a second time because something has changed
        further = {str(place) for place in _FOUND.get(path, ())}
        dynamic = [name for name, made in sys.modules.items() if getattr(made, "__file__", None) in further]
        for name in [*places, *dynamic]:
            sys.modules.pop(name, None)
    _RUN.add(path)


def _remember(path: str, called: str, before: set[str]) -> None:
    """Keeps the places of what was imported of one's own by names that the text does not show."""
    shown = set(local_modules.closure(path).values())
    new = {name: getattr(sys.modules.get(name), "__file__", None) for name in set(sys.modules) - before - {called}}
    own = {name: Path(file) for name, file in new.items() if isinstance(file, str) and local_modules.is_own(file)}
    further = {place for place in own.values() if place not in shown and place != Path(path)}
    if further:
        _FOUND[path] = tuple(sorted({*_FOUND.get(path, ()), *further}))


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
        if not isinstance(listed, tuple | list) or not all(type(c) is Claim for c in listed):
            raise InputError(f"{path}: CLAIMS must be a tuple of claims")
        found = list(listed)
    else:
        values = [*getattr(made, MADE, ()), *(v for v in vars(made).values() if type(v) is Claim)]
        found = list({id(v): v for v in values}.values())
    if not found:
        raise InputError(f"{path}: no claims; use the decorator proofs_check.own.claims.claim, or a tuple CLAIMS")
    return found
