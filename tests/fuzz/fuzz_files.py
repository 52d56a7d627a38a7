"""Fuzzers of what adfd writes and reads again: proof objects of every statement, reports, witnesses, exports, claims."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from functools import cache
from pathlib import Path
from typing import Any

from mutations import EVIL_TEXT, EVIL_VALUES, Tally, mutated_bytes, mutated_text, mutated_tree

from numerics.entropy.proof_objects import entropy_certificate
from numerics.problem.problem import Problem
from numerics.runs import rows as sweep_export
from proofs_check import checker, checker_entropies
from proofs_check.certificates.objects import step_certificate
from proofs_check.cli import verify
from proofs_check.ledger import ledger, runner, witness
from proofs_check.own import claims as user_claims
from proofs_check.report import page
from proofs_check.report.records import read_figures, read_ledger, read_verdicts
from proofs_check.second_checker.judge import findings
from proofs_check.second_checker.reading import load
from theory.base import files
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.base.exact import Fraction
from theory.entropy.conventions import Convention

REFUSALS = (InputError, NonexistenceError, PrecisionCapError)


@cache
def _entropy_proofs() -> tuple[dict[str, Any], ...]:
    """Of entropies and of entropies on steps."""
    small, by = Problem(count=2, interior=(2,), activation_name="tanh", boundary=()), Convention("fixed", rank=2)
    on_steps = step_certificate(small, by, Fraction(9, 100), Fraction(1, 10), 4, 1000)
    made = json.loads(json.dumps([entropy_certificate(small, by), on_steps]))
    assert all(not findings(data) for data in made)
    return tuple(made)


def entropy_proofs(dice: random.Random, tally: Tally, folder: Path) -> None:
    """Mutated as text or data: both checkers answer in one line, never raise, and agree on what may be read at all."""
    data, path = dice.choice(_entropy_proofs()), folder / "e.json"
    content = mutated_bytes(dice, json.dumps(data).encode()) if dice.random() < 0.4 else None
    if content is None:
        data = mutated_tree(dice, data)
    else:
        path.write_bytes(content)
    with tally.one(content or data, (checker.RefusedError,)):
        if content is not None:
            data = _read_alike(path)
        assert len(findings(data)) <= 1
        checker_entropies.verify(data)


def _read_alike(path: Path) -> Any:
    """What both checkers read in a file; a refusal where neither reads it."""
    try:
        second = load(path.read_bytes())
    except Exception:
        second = None
    try:
        first = checker.read(path)
    except checker.RefusedError:
        assert second is None, "only the second one reads it"
        raise
    assert first == second
    return first


@cache
def _report(folder: Path) -> tuple[bytes, bytes]:
    """A ledger of one claim with two cells and mutants, and figures without numbers."""
    claim = next(one for one in ledger.all_claims() if one.id == "symbols.central-bounded")
    listed = runner.ledger([claim], [runner.run_task(task) for task in runner.tasks([claim], "quick")[:2]], "quick")
    content = {"schema": ledger.SCHEMA, "summary": runner.summary(listed, 1.0, None),
               "provenance": verify.provenance("quick"), "claims": listed}  # fmt: skip
    made = folder / "whole"
    made.mkdir()
    verify.keep(made, content)
    return (made / "ledger.json").read_bytes(), (made / "figures.json").read_bytes()


def reports(dice: random.Random, tally: Tally, folder: Path) -> None:
    """A report's files mutated: the page is written, or one line says why not; no text of them becomes markup."""
    (folder / "r").mkdir(exist_ok=True)
    for name, content in zip(("ledger.json", "figures.json"), _report(folder), strict=True):
        if name == "ledger.json" or dice.random() < 0.2:
            if dice.random() < 0.5:
                content = mutated_bytes(dice, content)
            else:
                content = json.dumps(mutated_tree(dice, json.loads(content))).encode(errors="replace")
        (folder / "r" / name).write_bytes(content)
    with tally.one("report", REFUSALS, 60):
        read_verdicts(folder / "r" / "ledger.json")
        read_ledger(folder / "r")
        read_figures(folder / "r")
        text = page.write_report(folder / "r").read_text(encoding="utf-8")
        written = sum(
            path.read_text(encoding="utf-8").count("<script") for path in page.TEMPLATES.iterdir() if path.is_file()
        )
        assert text.count("<script") <= written


@cache
def _witness() -> bytes:
    claim = next(one for one in ledger.all_claims() if one.mutants and one.id == "symbols.central-bounded")
    scope = claim.scopes("quick")[0]
    evidence = runner.run_task(runner.mutant_tasks([claim], "quick")[0])["evidence"]["data"]
    found = evidence.get("witness") or {"claim": claim.id, "cell": dict(scope), "instance": {}}
    return json.dumps(found).encode()


def witnesses(dice: random.Random, tally: Tally, folder: Path) -> None:
    """A witness file mutated: it is checked, or refused in one line; classes are made of adfd's own only."""
    path = folder / "w.json"
    content = mutated_bytes(dice, _witness()) if dice.random() < 0.4 else None
    if content is None:
        content = json.dumps(mutated_tree(dice, json.loads(_witness()))).encode(errors="replace")
    path.write_bytes(content)
    with tally.one(content, REFUSALS):
        witness.check(witness.read(path))


def exports(dice: random.Random, tally: Tally, folder: Path) -> None:
    """Rows of any texts and numbers: CSV comes back as it was and begins no formula; foreign files are left alone."""
    names = dice.sample(["features.seed", "a.b", "status", "reason", "value", *EVIL_TEXT[:8]], 4)
    scalars = [v for v in EVIL_VALUES if not isinstance(v, dict | list)]
    rows = [{name: dice.choice([*scalars, 0.1, -1e-300, math.nan]) for name in names} for _ in range(3)]
    path = folder / ("x" + dice.choice([".csv", ".json"]))
    path.unlink(missing_ok=True)
    foreign = mutated_text(dice, "seed,x\n1,2\n").encode(errors="replace") if dice.random() < 0.3 else None
    if foreign is not None:
        path.write_bytes(foreign)
    with tally.one(rows, REFUSALS):
        try:
            sweep_export.export(rows, path)
        except InputError:
            assert foreign is None or path.read_bytes() == foreign
            raise
        assert not foreign
        if path.suffix == ".json":
            assert len(json.loads(path.read_text(encoding="utf-8"))) == 3
            return
        header, *found = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
        assert len(header) == 4
        assert len(found) == 3
        for cell in [*header, *(cell for row in found for cell in row)]:
            assert not cell.startswith(sweep_export.FORMULA) or sweep_export.NUMBER.fullmatch(cell), cell


TUTORIAL = Path(__file__).parent.parent / "proofs_check" / "tutorial.py"


def claims(dice: random.Random, tally: Tally, folder: Path) -> None:
    """A file of claims with bytes changed: its claims are found, or one line says what is wrong with it."""
    path = folder / f"c{dice.randrange(10**9)}.py"
    path.write_bytes(mutated_bytes(dice, TUTORIAL.read_bytes()))
    with tally.one(path, REFUSALS):
        found = user_claims.load(str(path))
        assert found
        assert all(runner.describe(one)["id"] for one in found)
    path.unlink()


def marks(dice: random.Random, tally: Tally, folder: Path) -> None:
    """Whether a file is adfd's own is asked of any file, and answered without an error."""
    path = folder / "m"
    path.write_bytes(mutated_bytes(dice, dice.choice([_witness(), b'{"made_by": "adfd"}', b"% made by adfd\n", b""])))
    with tally.one(path, REFUSALS):
        files.check_output(path, known=verify._is_report_file)
