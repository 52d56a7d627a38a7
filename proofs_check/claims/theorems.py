"""Theorems that a proof kernel has checked: which there are, what each says, and which claims follow from them.

The Rocq files stand in ``theory/rocq``, with two files beside them.  ``theorems.toml`` says in an analyst's words what
each theorem states, and of which claims the theorems together are the statement.  ``record.json`` is written by
``make proofs --record``: the statement as Rocq prints it, the axioms it rests on, and digests of the files and of the
wording of the claims that it was compiled with.  A theorem counts for a claim as long as nothing of this has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from proofs_check.claims.claim import Claim, Profile, Scope, address
from proofs_check.claims.verdicts import Verdict
from theory.base.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "theory" / "rocq"
"""Where the Rocq files are."""
BUILD = FOLDER.parents[1] / "build" / "rocq"
"""Where they are compiled."""

AXIOMS = (
    "ClassicalDedekindReals.sig_not_dec",
    "ClassicalDedekindReals.sig_forall_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
    "Classical_Prop.classic",
    "boolp.functional_extensionality_dep",
    "boolp.propositional_extensionality",
    "boolp.constructive_indefinite_description",
    "Epsilon.epsilon_statement",
)
"""Axioms that a theorem may rest on, by the end of their names: the standard reals, and classical logic as they, Coquelicot and
mathcomp-analysis have it."""
PRIMITIVES = ("PrimInt63", "Uint63", "Sint63", "Int63", "PrimFloat", "FloatAxioms", "FloatOps", "PArray")
"""Modules whose axioms specify the machine's integers and floats: listed apart from the others."""


PROFILES: tuple[Profile, ...] = ("quick", "full")


class Theorem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A theorem, as ``theorems.toml`` lists it.

    Attributes:
        name: ``File.theorem``.
        says: what it states, in an analyst's words.
        claims: the claims whose statement follows, in the cells, from the theorems that are listed for them together.
        supports: the claims of which it proves a part; no verdict rests on it.
        cells: the values of coordinates to which it is limited; all cells without any.
    """

    name: str
    says: str
    claims: tuple[str, ...] = ()
    supports: tuple[str, ...] = ()
    cells: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    @property
    def file(self) -> str:
        """The file it stands in."""
        return f"{self.name.partition('.')[0]}.v"

    def covers(self, scope: Scope) -> bool:
        """Whether it speaks of a cell."""
        return all(scope.get(key) in values for key, values in self.cells.items())


class Recorded(msgspec.Struct, frozen=True):
    """What compiling a theorem came to.

    Attributes:
        statement: as Rocq prints it.
        axioms: those that it rests on, the primitives' specifications among them; empty for none.
        files: the digests of its file and of those that it requires.
    """

    statement: str
    axioms: tuple[str, ...]
    files: Mapping[str, str]


class Record(msgspec.Struct, frozen=True):
    """``record.json``.

    Attributes:
        versions: of Rocq and of the libraries.
        theorems: by name.
        wordings: the digests of the statements of the claims that were compared with the theorems, by id.
    """

    versions: Mapping[str, str] = {}
    theorems: Mapping[str, Recorded] = {}
    wordings: Mapping[str, str] = {}


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    theorem: tuple[Theorem, ...] = ()


def digest(content: bytes) -> str:
    """The first half of the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()[:32]


def wording(claim: Claim) -> str:
    """The digest of what was compared: a claim's statement, predicate, assumptions and cells, and its theorems with theirs."""
    cells = [sorted(address(scope) for scope in claim.scopes(profile)) for profile in PROFILES]
    listed = sorted((t.name, sorted((k, *v) for k, v in t.cells.items())) for t in theorems() if claim.id in t.claims)
    content = [claim.statement, claim.predicate, [a.text for a in claim.assumptions], cells, listed]
    return digest(json.dumps(content).encode())


def primitive(axiom: str) -> bool:
    """Whether an axiom specifies the machine's integers or floats.

    >>> primitive("PrimInt63.add"), primitive("Coq.Logic.Classical_Prop.classic")
    (True, False)
    """
    return any(part in PRIMITIVES for part in axiom.split("."))


@lru_cache(maxsize=1)
def _ours() -> frozenset[str]:
    """The names of this folder's files, which no library has."""
    return frozenset({"adfd", *(path.stem for path in FOLDER.glob("*.v"))})


def permitted(axiom: str) -> bool:
    """Whether a theorem may rest on an axiom: one of the libraries', none that stands in a file of this folder."""
    if _ours() & set(axiom.split(".")):
        return False
    return primitive(axiom) or any(axiom == known or axiom.endswith(f".{known}") for known in AXIOMS)


@lru_cache(maxsize=1)
def theorems() -> tuple[Theorem, ...]:
    """What ``theorems.toml`` lists.

    Raises:
        InputError: it cannot be read, or names a theorem twice.
    """
    path = FOLDER / "theorems.toml"
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=_Listed).theorem
    except FileNotFoundError:
        return ()
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {error}") from None
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path}: {name} stands there twice")
    return found


@lru_cache(maxsize=1)
def record() -> Record:
    """What ``record.json`` keeps.

    Raises:
        InputError: it cannot be read.
    """
    path = FOLDER / "record.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {error}") from None


@lru_cache(maxsize=1)
def compiled() -> Mapping[str, str]:
    """The digests of the files that were compiled in this copy of the repository."""
    try:
        found = json.loads((BUILD / "compiled.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=256)
def _current(name: str) -> str | None:
    """The digest of a file as it is now; None where there is none."""
    try:
        return digest((FOLDER / name).read_bytes())
    except OSError:
        return None


Place = Literal["compiled here", "on record"]


@lru_cache(maxsize=256)
def standing(name: str) -> tuple[Recorded, Place] | None:
    """What is recorded of a theorem, and whether its files were compiled here; None if it or a file of it has changed."""
    kept = record().theorems.get(name)
    if kept is None or not kept.files or any(_current(file) != found for file, found in kept.files.items()):
        return None
    if not all(permitted(axiom) for axiom in kept.axioms):
        return None
    here = all(compiled().get(file) == found for file, found in kept.files.items())
    return kept, "compiled here" if here else "on record"


def told(theorem: Theorem) -> dict[str, Any]:
    """A theorem in JSON types, with what is on record of it."""
    found = standing(theorem.name)
    base: dict[str, Any] = {"name": theorem.name, "file": f"theory/rocq/{theorem.file}", "says": theorem.says}
    if found is None:
        return base | {"statement": None, "axioms": [], "primitives": [], "compiled": None}
    kept, place = found
    return base | {
        "statement": kept.statement,
        "axioms": [axiom for axiom in kept.axioms if not primitive(axiom)],
        "primitives": [axiom for axiom in kept.axioms if primitive(axiom)],
        "compiled": place,
    }


def of_claim(id: str) -> list[Theorem]:
    """The theorems that are listed for a claim, those that support it last."""
    return [t for t in theorems() if id in t.claims] + [t for t in theorems() if id in t.supports]


def listed(id: str) -> list[dict[str, Any]]:
    """The same in JSON types, and whether each proves the claim or a part of it."""
    return [told(one) | {"proves": id in one.claims, "cells": one.cells} for one in of_claim(id)]


def proving(claim: Claim, scope: Scope) -> list[Theorem]:
    """The theorems from which a claim follows in a cell; empty where one of them, or the claim's wording, has changed."""
    found = [one for one in theorems() if claim.id in one.claims and one.covers(scope)]
    same = bool(found) and record().wordings.get(claim.id) == wording(claim)
    return found if same and all(standing(one.name) for one in found) else []


LIFTED = (Verdict.CERTIFIED, Verdict.SUPPORTED)
"""Verdicts on instances, in which a theorem about all of them says more."""


def lifted(claim: Claim, result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a cell, ``PROVED`` where its claim is a theorem; an ``ERROR`` where an instance contradicts one."""
    found = proving(claim, result["scope"])
    verdict = Verdict(result["verdict"])
    if not found or verdict not in (*LIFTED, Verdict.REFUTED):
        return dict(result)
    evidence = result["evidence"]
    listed = [told(one) for one in found]
    # what a theorem states stands once, beside the claim: a cell names those that speak of it
    data = {**evidence["data"], "theorems": [{key: one[key] for key in ("name", "compiled")} for one in listed]}
    if verdict is Verdict.REFUTED:
        text = f"contradicts the theorem {found[0].name}: {evidence['summary']}"
        return {**result, "verdict": str(Verdict.ERROR), "evidence": {**evidence, "summary": text, "data": data}}
    text = f"theorem{'s' if len(found) > 1 else ''} {named(found)} ({_place(listed)}); {evidence['summary']}"
    return {
        **result,
        "verdict": str(Verdict.PROVED),
        "method": f"proof kernel (Rocq); {result['method']}",
        "evidence": {**evidence, "summary": text, "data": data},
    }


def named(found: Iterable[Theorem]) -> str:
    """Theorems by name, with commas."""
    return ", ".join(one.name for one in found)


def _place(listed: Iterable[Mapping[str, Any]]) -> str:
    places = {one["compiled"] for one in listed}
    return "Rocq, " + ("compiled here" if places == {"compiled here"} else "on record")
