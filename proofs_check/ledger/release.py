"""A ledger that can be cited: its content in canonical JSON, the digest of that, and the releases that were made.

A release is a version, a date, the environment of the run that agreed with every verdict on record, and the content, whole, in a
file of its own; two digests stand in ``releases.json``: of the content, which citations name, and of the file.  A release never
changes.  What turns out wrong in one is put on the list of errata (``docs/errata.md``) and mended in the next.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from proofs_check.claims.claim import Claim
from proofs_check.ledger import ledger
from proofs_check.sources.papers import PAPERS, Paper, paper_of
from theory.base import files
from theory.base.errors import InputError

RELEASES = Path(__file__).resolve().parent.parent / "releases.json"
"""``{version: {digest, seal, date, environment, claims, cells}}`` of the releases that were made; lines are added, never changed.

``digest``: of the content; ``seal``: of the whole record, in ``releases/VERSION.json.xz`` beside the file.
"""
PROFILES = ("quick", "full")


def content() -> dict[str, Any]:
    """What a digest stands for: every claim's words, and the verdicts on record by profile and cell."""
    return {
        "claims": [
            {"id": c.id, "title": c.title, "statement": c.statement, "source": c.source, "predicate": c.predicate,
             "kind": c.kind, "quantifier": str(c.quantifier), "assumptions": [a.text for a in c.assumptions],
             "rests_on": list(c.rests_on)}
            for c in sorted(ledger.all_claims(), key=lambda c: c.id)
        ],
        "sources": [p.name for p in PAPERS],
        "verdicts": {p: {id: {cell: _decided(entry) for cell, entry in cells.items()}
                         for id, cells in ledger.load_expected(p).items()} for p in PROFILES},
    }  # fmt: skip


def _decided(entry: Mapping[str, Any]) -> str:
    """The verdict of a cell, and the finding where there is one."""
    return " ".join(filter(None, (entry["verdict"], entry.get("finding"))))


def canonical(data: Any) -> str:
    """JSON with sorted keys, without spaces, in Unicode."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(data: Any) -> str:
    """Of JSON types in canonical JSON, in UTF-8."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()


@cache
def digest() -> str:
    """SHA-256 of the content in canonical JSON, in UTF-8."""
    return sha256(content())


def releases() -> dict[str, Any]:
    """What ``releases.json`` lists."""
    found: dict[str, Any] = json.loads(RELEASES.read_text(encoding="utf-8"))
    return found


def _file(name: str) -> Path:
    return RELEASES.parent / "releases" / f"{name}.json.xz"


def check_new(name: str) -> None:
    """Whether a release of this name may be made.

    Raises:
        InputError: it is not the version of this code, or it was made: a release never changes.
    """
    if name != version("adfd"):
        raise InputError(f"--release: {name}; a release has the version of the code, which is {version('adfd')}")
    if name in releases() or _file(name).exists():
        raise InputError(f"--release: {name} was made, and a release never changes; raise the version (docs/errata.md)")


def make(name: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Writes a release: its record to a file of its own, and a line with both digests; returns that line.

    Args:
        name: the version of the code.
        provenance: of the run whose verdicts were all as recorded.

    Raises:
        InputError: as of :func:`check_new`.
    """
    check_new(name)
    environment = {key: provenance[key] for key in ("python", "platform", "packages", "code")}
    head = {"version": name, "date": provenance["date"], "environment": environment}
    record = head | {"content": content()}
    cells = {p: sum(map(len, record["content"]["verdicts"][p].values())) for p in PROFILES}
    line = {
        "digest": sha256(record["content"]),
        "seal": sha256(record),
        **head,
        "claims": len(record["content"]["claims"]),
        "cells": cells,
    }
    del line["version"]
    _file(name).parent.mkdir(exist_ok=True)
    _file(name).write_bytes(lzma.compress(canonical(record).encode(), preset=9))
    files.write(RELEASES, json.dumps(releases() | {name: line}, indent=1, ensure_ascii=False) + "\n", force=True)
    return line


def released(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The line and the record of a release, whose digests are computed again.

    Raises:
        InputError: there is no such release.
        AlteredError: the record is missing, cannot be read, or is not what was released.
    """
    listed = releases()
    if name not in listed:
        raise InputError(f"release {name!r}: none; made were: {', '.join(listed) or 'none'}")
    line = listed[name]
    try:
        record = json.loads(lzma.decompress(_file(name).read_bytes()))
        kept = {key: record[key] for key in ("date", "environment")}
        same = (sha256(record), sha256(record["content"])) == (line["seal"], line["digest"])
        same = same and record["version"] == name and kept == {key: line[key] for key in kept}
    except (OSError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise AlteredError(f"release {name}: its record cannot be read ({type(error).__name__})") from None
    if not same:
        raise AlteredError(f"release {name}: the record is not what was released: digests differ from {RELEASES.name}")
    return line, record


class AlteredError(ValueError):
    """A release is not what was released."""


def standing() -> str:
    """Whether this is a release: that of its version, a later state, or none."""
    line = releases().get(version("adfd"))
    released = line if line is None or isinstance(line, str) else line["digest"]
    if released == digest():
        return "released"
    return "not a release" if released is None else f"changed since the release of this version ({released[:12]}…)"


def verdicts(claim: Claim) -> str:
    """The verdicts on record, counted: ``quick 3 REFUTED; full 5 REFUTED``."""
    return _counted({p: [e["verdict"] for e in ledger.load_expected(p).get(claim.id, {}).values()] for p in PROFILES})


def _counted(by_profile: Mapping[str, Sequence[str]]) -> str:
    told = []
    for profile, found in by_profile.items():
        if found:
            told.append(f"{profile} " + ", ".join(f"{n} {v}" for v, n in sorted(Counter(found).items())))
    return "; ".join(told) or "none on record"


def bibtex_of(line: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """The entry by which a release is cited, from what :func:`released` gives of it."""
    name = record["version"]
    counted = Counter(v.split()[0] for cells in record["content"]["verdicts"]["quick"].values() for v in cells.values())
    told = ", ".join(f"{n} {v}" for v, n in sorted(counted.items()))
    return _entry(
        f"adfd:ledger:{name}", author="{The adfd authors}", title=f"{{The adfd ledger}}, release {name}", year=line["date"][:4],
        howpublished=f"adfd ledger, version {name}, {line['date'][:10]}, sha256:{line['digest']}",
        note=f"{line['claims']} claims; quick profile: {told}. Errata: docs/errata.md. Run: adfd verify",
    )  # fmt: skip


def bibtex_then(claim_id: str, line: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """The entry by which a claim is cited as it stood in a release.

    Raises:
        InputError: it had no such claim.
    """
    name = record["version"]
    claim = next((c for c in record["content"]["claims"] if c["id"] == claim_id), None)
    if claim is None:
        raise InputError(f"claim {claim_id!r}: release {name} has none of this name")
    found = record["content"]["verdicts"]
    told = _counted({p: [v.split()[0] for v in found[p].get(claim_id, {}).values()] for p in PROFILES})
    return _entry(
        f"adfd:{claim_id}:{name}", author="{The adfd authors}", title=f"{{{_plain(claim['title'])}}} (claim {claim_id} of the adfd ledger)",
        year=line["date"][:4], howpublished=f"adfd ledger, version {name} (released), sha256:{line['digest']}",
        note=f"Verdicts by cell: {told}. Predicate and quantifier are the ledger's own. Run: adfd verify {claim_id}",
    )  # fmt: skip


def bibtex(claim: Claim) -> list[str]:
    """The entries by which a claim is cited: itself, with version and digest of the ledger, and the paper it judges."""
    paper = paper_of(claim.source)
    judges = "" if paper is None else f" Judges a statement of {paper.name} as it was read here."
    found = [
        _entry(
            f"adfd:{claim.id}",
            author="{The adfd authors}",
            title=f"{{{_plain(claim.title)}}} (claim {claim.id} of the adfd ledger)",
            howpublished=f"adfd ledger, version {version('adfd')} ({standing()}), sha256:{digest()}",
            note=f"Verdicts by cell: {verdicts(claim)}.{judges} Predicate and quantifier are the ledger's own. Run: adfd verify {claim.id}",
        )
    ]
    if paper is not None and paper.arxiv:
        found.append(_of_paper(paper))
    return found


def _of_paper(paper: Paper) -> str:
    who = {"author": " and ".join(paper.authors.split(", "))} if paper.authors else {}
    return _entry(f"arXiv:{paper.id}", title=f"{{{_plain(paper.title)}}}", year=str(paper.year), eprint=paper.id,
                  archiveprefix="arXiv", **who)  # fmt: skip


def _entry(key: str, **fields: str) -> str:
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{{key},\n{lines}}}"


def _plain(text: str) -> str:
    """A title for BibTeX: mathematics stays, what BibTeX reads as its own is spelled out."""
    return re.sub(r"(?<!\\)([%&#])", r"\\\1", text)
