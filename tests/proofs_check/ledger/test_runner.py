"""The runner: errors are never passes, results are kept, what is kept is not computed again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proofs_check.claims.claim import address, parse_address
from proofs_check.claims.verdicts import Verdict
from proofs_check.ledger import ledger, runner
from theory.base.errors import InputError


def _tasks(*ids: str) -> list[runner.Task]:
    return runner.tasks(ledger.select(ids), "quick")


def test_resume_computes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store.sqlite"
    work = _tasks("stencils.truncation")
    first = runner.run(work, store_path=store)

    def refuse(task: runner.Task) -> dict[str, Any]:
        raise AssertionError(f"{task.address} was computed again")

    monkeypatch.setattr(runner, "run_task", refuse)
    assert runner.run(work, store_path=store) == first


def test_an_interrupted_run_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store.sqlite"
    work = _tasks("stencils.truncation")
    honest, done = runner.run_task, []

    def interrupt(task: runner.Task) -> dict[str, Any]:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(task.address)
        return honest(task)

    monkeypatch.setattr(runner, "run_task", interrupt)
    with pytest.raises(KeyboardInterrupt):
        runner.run(work, store_path=store)
    monkeypatch.setattr(runner, "run_task", lambda task: done.append(task.address) or honest(task))
    results = runner.run(work, store_path=store)
    assert len(results) == len(work)
    assert sorted(done) == sorted(task.address for task in work)  # each exactly once


def test_parallel_and_serial_agree(tmp_path: Path) -> None:
    work = _tasks("stencils.truncation", "entropy.range")
    serial = runner.run(work, jobs=1, store_path=tmp_path / "a.sqlite")
    parallel = runner.run(work, jobs=2, store_path=tmp_path / "b.sqlite")
    for a, b in zip(serial, parallel, strict=True):
        assert {k: v for k, v in a.items() if k != "seconds"} == {k: v for k, v in b.items() if k != "seconds"}


def test_a_failing_check_is_an_error_not_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    (task, *_) = _tasks("stencils.truncation")

    def broken(instance: object, scope: object) -> object:
        raise ValueError("broken on purpose")

    claim = runner.resolve(task)
    monkeypatch.setattr(runner, "resolve", lambda _: claim.with_(test=broken))
    result = runner.run_task(task)
    assert result["verdict"] == Verdict.ERROR
    assert "broken on purpose" in result["evidence"]["summary"]
    counts = runner.summary(runner.ledger([claim], [result], "quick"), 0.0, None)
    assert counts["errors"] == 1
    assert counts["as_expected"] == 0


def test_vacuous_when_no_sample_meets_the_assumptions() -> None:
    (claim,) = ledger.select(["stencils.no-average-of-high-order"])
    assumption = replace(claim.assumptions[0], holds=lambda instance: False)
    task = runner.tasks([claim], "quick")[0]
    from proofs_check.ledger.judging import judge

    assert judge(claim.with_(assumptions=(assumption,)), task.scope, "quick").verdict is Verdict.VACUOUS


def test_addresses_read_back() -> None:
    for task in runner.tasks(ledger.all_claims(), "quick"):
        assert parse_address(task.address) == dict(task.scope)
        assert address(task.scope) == task.address


def test_unknown_cells_and_claims_are_refused() -> None:
    with pytest.raises(InputError, match="no cell has"):
        runner.tasks(ledger.select(["stencils"]), "quick", {"stencil": "none such"})
    with pytest.raises(InputError, match="did you mean"):
        ledger.select(["stencils.truncatoin"])


def test_every_claim_has_mutants_and_text() -> None:
    for claim in ledger.all_claims():
        assert claim.mutants
        for text in (claim.title, claim.statement, claim.predicate, claim.source, claim.family):
            assert text.strip()
        assert claim.statement.count("$") % 2 == 0
        assert claim.predicate.count("$") % 2 == 0
        assert len({m.name for m in claim.mutants}) == len(claim.mutants)


def test_record_round_trip_and_refusals(tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    cell = {"id": "a", "address": "x=1", "verdict": "CERTIFIED", "evidence": {"summary": "fine"}}
    assert ledger.record([cell], "quick", path) == 1
    assert ledger.record([cell], "quick", path) == 0
    assert ledger.load_expected("quick", path)["a"]["x=1"]["verdict"] == "CERTIFIED"
    assert '    "x=1": {"verdict": "CERTIFIED"}' in path.read_text().splitlines()  # a cell, a line
    assert ledger.load_expected("full", path) == {}  # the other profile has instances, and a record, of its own
    assert ledger.record([cell | {"verdict": "REFUTED"}], "full", path) == 1
    assert ledger.load_expected("quick", path)["a"]["x=1"]["verdict"] == "CERTIFIED"
    with pytest.raises(InputError, match="cannot be recorded"):
        ledger.record([cell | {"verdict": "ERROR"}], "quick", path)
    path.write_text(json.dumps({"profiles": {"quick": {"a": {"x=1": {"verdict": "INCONCLUSIVE"}}}}}))
    with pytest.raises(InputError, match="needs a reason"):
        ledger.load_expected("quick", path)
    path.write_text("{")
    with pytest.raises(InputError, match="not a record"):
        ledger.load_expected("quick", path)


def test_verdicts_on_record_cover_every_quick_cell() -> None:
    expected = ledger.load_expected()
    missing = [t for t in runner.tasks(ledger.all_claims(), "quick") if t.address not in expected.get(t.claim, {})]
    assert not missing
