"""A ledger that can be cited: its content in canonical JSON, the digest of that, and the releases that were made.

A release is a version with a digest; it never changes.  What turns out wrong in one is put on the list of errata
(``docs/errata.md``) and mended in the next.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from proofs_check.claims.claim import Claim
from proofs_check.ledger import ledger
from proofs_check.sources.papers import PAPERS, Paper, paper_of

RELEASES = Path(__file__).resolve().parent.parent / "releases.json"
"""``{version: digest}`` of the releases that were made; lines are added, never changed."""
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
        "verdicts": {p: {id: {cell: entry["verdict"] for cell, entry in cells.items()}
                         for id, cells in ledger.load_expected(p).items()} for p in PROFILES},
    }  # fmt: skip


def canonical(data: Any) -> str:
    """JSON with sorted keys, without spaces, in Unicode."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@cache
def digest() -> str:
    """SHA-256 of the content in canonical JSON, in UTF-8."""
    return hashlib.sha256(canonical(content()).encode()).hexdigest()


def standing() -> str:
    """Whether this is a release: that of its version, a later state, or none."""
    released = json.loads(RELEASES.read_text(encoding="utf-8")).get(version("adfd"))
    if released == digest():
        return "released"
    return "not a release" if released is None else f"changed since the release of this version ({released[:12]}…)"


def verdicts(claim: Claim) -> str:
    """The verdicts on record, counted: ``quick 3 REFUTED; full 5 REFUTED``."""
    told = []
    for profile in PROFILES:
        counts = Counter(entry["verdict"] for entry in ledger.load_expected(profile).get(claim.id, {}).values())
        if counts:
            told.append(f"{profile} " + ", ".join(f"{n} {v}" for v, n in sorted(counts.items())))
    return "; ".join(told) or "none on record"


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
