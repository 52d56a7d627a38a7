"""``adfd claims`` and ``adfd show``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from proofs_check import ledger, runner
from proofs_check.claim import address, chain
from proofs_check.commands.output import console, emit, table
from theory.errors import InputError
from theory.expressions import nearest


def claims(*, as_json: bool) -> int:
    """The ledger as a table."""
    listed = [runner.describe(claim) for claim in ledger.all_claims()]
    if as_json:
        emit({"claims": listed})
    else:
        rows = [[c["id"], c["source"], c["family"], c["title"]] for c in listed]
        table("Claims", ["id", "source", "family", "title"], rows)
        console.print(f"{len(listed)} claims; 'adfd show ID' shows one, 'adfd verify ID' judges it", markup=False)
    return 0


def show(*, claim_id: str, out: Path, as_json: bool) -> int:
    """One claim, with the evidence of the last run where there is one."""
    known = {c.id: c for c in ledger.all_claims()}
    if claim_id not in known:
        raise InputError(f"claim {claim_id!r}: unknown; {nearest(claim_id, known)}see 'adfd claims'")
    claim = known[claim_id]
    content = runner.describe(claim) | {"cells": _last(out, claim_id)}
    first = claim.scopes("quick")[0]
    for step, result in zip(content["derivation"], chain(claim, first), strict=False):
        step |= {"holds": result["holds"], "detail": result["detail"], "cell": address(first)}
    if as_json:
        emit(content)
        return 0
    console.rule(f"{content['id']}: {content['title']}", align="left")
    for label, key in (
        ("Statement", "statement"),
        ("Predicate", "predicate"),
        ("Source", "source"),
        ("Quantifier", "quantifier"),
        ("Checked by", "kind"),
    ):
        console.print(f"{label + ':':<12}{content[key]}", markup=False)
    for assumption in content["assumptions"]:
        console.print(f"Assumes:    {assumption}", markup=False)
    for link in content["rests_on"]:
        because = f" ({link['because']})" if link["because"] else ""
        console.print(f"Rests on:   {link['id']}{because}", markup=False)
    for number, step in enumerate(content["derivation"], 1):
        console.print(f"Step {number}:     {step['text']}\n            ({step['because']})", markup=False)
        console.print(f"            {_standing(step)}", markup=False)
    for mutant in content["mutants"]:
        console.print(f"Mutant:     {mutant['name']}: {mutant['change']} ({mutant['kind']})", markup=False)
    cells = content["cells"]
    if not cells:
        console.print(f"No evidence in {out}; run: adfd verify {claim_id} --out {out}", markup=False)
        return 0
    rows = [[c["address"], c["verdict"], c["evidence"]["summary"]] for c in cells]
    table(f"Evidence of the last run in {out}", ["cell", "verdict", "summary"], rows)
    return 0


def _standing(step: dict[str, Any]) -> str:
    """What a step came to, in the first cell where it is run."""
    told = {None: "not checked", "cited": "cited theorem", "claim": "a claim of its own"}
    if step["rule"] in told:
        return told[step["rule"]]
    word = {True: "checked", False: "WRONG", None: "undecided"}[step["holds"]]
    return f"{word} ({step['rule']}): {step['detail']}"


def _last(out: Path, claim_id: str) -> list[dict[str, Any]]:
    path = out / "ledger.json"
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [cell for claim in content["claims"] if claim["id"] == claim_id for cell in claim["cells"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path}: is not a ledger that 'adfd verify' wrote") from None
