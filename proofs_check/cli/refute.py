"""``adfd refute``: the smallest counterexample that can be found in the time, re-checked in fresh processes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numerics.problem.problem import Problem
from proofs_check.claims.claim import Claim, Mutant, Scope, address, parse_address
from proofs_check.claims.verdicts import finite
from proofs_check.cli.output import console, emit, remarks
from proofs_check.ledger import ledger, runner, witness
from proofs_check.search.refute import Counterexample, Effort, search
from proofs_check.search.spaces import explicit
from theory.base import files
from theory.base.errors import InputError, nearest

LONGEST = 600
"""Most characters of an instance that is not a problem."""
SHOWN = 8
"""Singular values are listed for problems of at most so many features."""


def refute(
    *, claim_id: str, seconds: float, cell: str | None, save: Path | None, as_json: bool, force: bool = False
) -> int:
    """Searches for a counterexample to ``ID`` or to a mutant ``ID/MUTANT`` (``FILE.py::ID`` for a claim of one's own).

    Returns:
        0, also when nothing is found; 1 when a counterexample does not re-check.
    """
    if save is not None and not save.absolute().parent.is_dir():
        raise InputError(f"--save: {save}: cannot be written (no such folder)")  # before the search, not after it
    claim, mutant = _claim(claim_id)
    if save is not None:
        own = [claim.file] if claim.file else []
        files.check_output(save, option="--save", force=force, known=_is_witness, inputs=own)
    wrong = claim if mutant is None else mutant.mutate(claim)
    scopes = _scopes(claim, mutant, parse_address(cell) if cell is not None else None)
    where = address(scopes[0]) if len(scopes) == 1 else f"{len(scopes)} cells"
    remarks.print(f"searching {claim_id} [{where}] for at most {seconds:g} s", soft_wrap=True)
    effort = search(wrong, scopes, seconds)
    found = effort.best
    content: dict[str, Any] = {
        "id": claim_id,
        "found": found is not None,
        "quantifier": str(claim.quantifier),
        "cell": None,
        "problem": None,
        "instance": None,
        "values": {},
        "certified": False,
        "recheck": None,
    }
    if found is not None:
        content |= _describe(wrong, found) | {
            "recheck": _recheck(wrong, mutant.name if mutant else None, found, save, force)
        }
    content["search"] = _effort(effort, scopes)
    if as_json:
        emit(finite(content))
    else:
        _print(content, claim, save)
    return 0 if found is None or content["recheck"]["rechecked"] is not False else 1


def _claim(text: str) -> tuple[Claim, Mutant | None]:
    """The claim that a name on the command line means, and the mutant where it names one."""
    path, colons, rest = text.rpartition("::")
    id, slash, name = rest.partition("/") if colons or not text.endswith(".py") else (text, "", "")
    chosen = ledger.select([f"{path}{colons}{id}"])
    if len(chosen) != 1:
        raise InputError(
            f"claim {text!r}: names {len(chosen)} claims ({', '.join(c.id for c in chosen[:6])}); name one"
        )
    (claim,) = chosen
    if not slash:
        return claim, None
    mutants = {m.name: m for m in claim.mutants}
    if name not in mutants:
        allowed = f"{nearest(name, mutants)}allowed: {', '.join(mutants)}"
        raise InputError(f"claim {claim.id}: no mutant {name[:60]!r}; {allowed}")
    return claim, mutants[name]


def _scopes(claim: Claim, mutant: Mutant | None, cell: Scope | None) -> list[Scope]:
    """The cells to search: of the quick profile, or of the full one where ``cell`` is only there."""
    if mutant is not None and cell is None:
        return [mutant.scope or (claim.scopes("quick") or claim.scopes("full"))[0]]
    try:
        quick = [task.scope for task in runner.tasks([claim], "quick", cell)]
    except InputError:
        quick = []
    return quick or [task.scope for task in runner.tasks([claim], "full", cell)]


def _describe(claim: Claim, found: Counterexample) -> dict[str, Any]:
    outcome, instance = found.outcome, found.instance
    values: dict[str, Any] = {"detail": outcome.detail, "margin": outcome.margin, **outcome.data}
    described: dict[str, Any] = {"instance": claim.describe(instance)}
    if isinstance(instance, Problem):
        described = {"problem": explicit(instance).to_dict()}
        if instance.count <= SHOWN:
            values["singular_values"] = _singular_values(instance, found.scope)
    return described | {"cell": dict(found.scope), "values": values, "certified": outcome.certified}


def _singular_values(problem: Problem, scope: Scope) -> dict[str, list[str]] | None:
    """Of A_AD and A_FD in the cell's arithmetic (exact without one), to eight digits."""
    from numerics.spectra.spectrum import spectrum

    try:
        found = {m: spectrum(problem, m, scope.get("arithmetic", "exact")) for m in ("ad", "fd")}
    except Exception:  # the matrix may be one whose spectrum cannot be resolved; the claim need not read it
        return None
    return {method: [f"{value:.8g}" for value in one.floats()] for method, one in found.items()}


def _is_witness(path: Path) -> bool:
    """Whether a file is a witness of a version that did not mark them."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(content, dict) and {"claim", "mutant", "cell", "instance"} <= content.keys()


def _recheck(claim: Claim, mutant: str | None, found: Counterexample, save: Path | None, force: bool) -> dict[str, Any]:
    """Writes the witness and re-checks the file in fresh processes."""
    try:
        data = witness.content(claim, mutant, found.scope, found.instance, found.outcome)
    except TypeError as error:
        if save is not None:
            raise InputError(
                f"--save: {error}; make the instances dataclasses, tuples, rationals or problems"
            ) from None
        return {"rechecked": None, "detail": f"{error}, so that no other process can re-check it", "reference": None}
    text = json.dumps(files.MADE_BY | data, ensure_ascii=False, indent=1) + "\n"
    if save is not None:
        files.write(save, text, option="--save", force=force, known=_is_witness)
        return witness.check_elsewhere(save)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "witness.json"
        path.write_text(text, encoding="utf-8")
        return witness.check_elsewhere(path)


def _effort(effort: Effort, scopes: Sequence[Scope]) -> dict[str, Any]:
    return {
        "cells": len(scopes),
        "tried": effort.tried,
        "failing": effort.failing,
        "undecided": effort.undecided,
        "rejected": effort.rejected,
        "failed": effort.failed,
        "failure": effort.failure,
        "complete": effort.complete,
        "seconds": round(effort.seconds, 3),
    }


def _print(content: dict[str, Any], claim: Claim, save: Path | None) -> None:
    spent = content["search"]
    effort = f"{spent['tried']} instances tried in {spent['seconds']:.1f} s"
    for key, word in (("undecided", "undecided"), ("rejected", "missed an assumption"), ("failed", "failed to run")):
        effort += f", {spent[key]} {word}" if spent[key] else ""
    if not content["found"]:
        whole = "; that is every instance there is" if spent["complete"] else ""
        _say(f"no counterexample to {content['id']}: {effort}{whole}")
        if spent["failure"]:
            _say(f"  first failure: {spent['failure']}")
        return
    _say(f"counterexample to {content['id']} [{address(content['cell'])}]")
    _say(f"  {content['values']['detail']}")
    for line in _lines(content):
        _say(f"  {line}")
    if claim.quantifier.kind != "all":
        _say(f"  one instance at which the predicate fails; the claim is {claim.quantifier}, about most draws")
    checked = content["recheck"]
    if checked["rechecked"]:
        routes = "" if checked["reference"] is None else ", there also with mpmath's singular values at two precisions"
        again = f"re-checked in a fresh process{routes}"
    else:
        again = checked["detail"] if checked["rechecked"] is None else f"NOT re-checked: {checked['detail']}"
    _say(f"  {'certified' if content['certified'] else 'not certified'}; {again}")
    _say(f"  {effort}, {spent['failing']} of them counterexamples on the way to this one")
    if save is not None:
        _say(f"  written to {save}; python -m proofs_check.ledger.witness {save}")


def _say(line: str) -> None:
    console.print(line, soft_wrap=True)


def _lines(content: dict[str, Any]) -> list[str]:
    """The instance for people."""
    problem = content["problem"]
    if problem is None:
        text = json.dumps(content["instance"], ensure_ascii=False)
        return [text if len(text) <= LONGEST else f"{text[:LONGEST]} … (whole with --json)"]
    features, difference = problem["features"], problem["difference"]
    if "offsets" in difference:
        stencil = f"offsets {', '.join(difference['offsets'])}"
    else:
        stencil = f"{difference['stencil']} difference of order {difference.get('order', 2)}"
    step = ", ".join(difference["step"])
    lines = [f"{problem['problem']['operator']}, σ = {features['activation']}, {stencil}, h = {step}"]
    if features["count"] <= SHOWN:
        lines.append(f"w = {_list(features['weights'])}; b = {_list(features['biases'])}")
        lines.append(f"x = {_list(problem['points']['interior'])}")
    else:
        lines.append(f"{features['count']} features, written out in the JSON")
    if problem["boundary"]:
        lines.append(f"boundary rows: {json.dumps(problem['boundary'])}")
    return lines


def _list(given: Any) -> str:
    values = given["values"] if isinstance(given, dict) else [given]
    return ", ".join(f"({', '.join(v)})" if isinstance(v, list) else str(v) for v in values)
