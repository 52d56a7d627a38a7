"""A theorem counts as long as it, what it rests on, and the wording that it was compared with are those on record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from proofs_check.claims import theorems as module
from proofs_check.claims.theorems import (
    Record,
    Recorded,
    Theorem,
    digest,
    lifted,
    listed,
    proving,
    standing,
    told,
    wording,
)
from proofs_check.ledger import runner
from proofs_check.ledger.ledger import all_claims, load_expected
from theory.base.errors import InputError

CLAIM = next(claim for claim in all_claims() if claim.id == "spectra.ostrowski")
SCOPE = CLAIM.scopes("quick")[0]
SOURCE = "Theorem it : True. Proof. exact I. Qed.\n"


def forget() -> None:
    """What was read is read again."""
    for cached in (module.theorems, module.record, module.compiled, module._current, module._ours, module.standing):
        cached.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder with one theorem, on record for one claim."""
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "BUILD", tmp_path / "build")
    write(tmp_path)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def toml(*entries: Mapping[str, Any]) -> str:
    """A list of theorems as the file has it."""

    def value(given: Any) -> str:
        if isinstance(given, Mapping):
            return "{" + ", ".join(f"{json.dumps(key)} = {json.dumps(one)}" for key, one in given.items()) + "}"
        return json.dumps(given, ensure_ascii=False)

    return "\n".join("[[theorem]]\n" + "\n".join(f"{key} = {value(one[key])}" for key in one) for one in entries)


def write(folder: Path, *, axioms: tuple[str, ...] = (), words: str | None = None, **more: Any) -> None:
    (folder / "One.v").write_text(SOURCE)
    entry = {"name": "One.it", "says": "It is true.", "claims": [CLAIM.id]} | more
    (folder / "theorems.toml").write_text(toml(entry))
    kept = {"One.it": Recorded("True", axioms, {"One.v": digest(SOURCE.encode())})}
    forget()
    record = Record({"rocq": "8.16.1"}, kept, {CLAIM.id: words or wording(CLAIM)})
    (folder / "record.json").write_bytes(msgspec.json.encode(record))
    forget()


def result(verdict: str = "CERTIFIED") -> dict[str, Any]:
    evidence = {"summary": "holds in 14 of 14", "data": {"margin": 1}}
    return {"id": CLAIM.id, "scope": SCOPE, "verdict": verdict, "method": "ball arithmetic", "evidence": evidence}


def test_a_claim_with_a_theorem_is_proved(folder: Path) -> None:
    found = lifted(CLAIM, result())
    assert found["verdict"] == "PROVED"
    assert "One.it (Rocq, on record); holds in 14 of 14" in found["evidence"]["summary"]
    assert found["evidence"]["data"]["margin"] == 1
    # the statement stands once, beside the claim
    (beside,) = listed(CLAIM.id)
    assert beside["statement"] == "True"
    assert found["evidence"]["data"]["theorems"] == [{"name": "One.it", "compiled": beside["compiled"]}]


@pytest.mark.parametrize("verdict", ["INCONCLUSIVE", "VACUOUS", "ERROR"])
def test_what_was_not_found_to_hold_stays(folder: Path, verdict: str) -> None:
    assert lifted(CLAIM, result(verdict)) == result(verdict)


def test_an_instance_that_contradicts_a_theorem_is_an_error(folder: Path) -> None:
    found = lifted(CLAIM, result("REFUTED"))
    assert found["verdict"] == "ERROR"
    assert "contradicts the theorem One.it" in found["evidence"]["summary"]


def test_a_changed_file_counts_for_nothing(folder: Path) -> None:
    (folder / "One.v").write_text(SOURCE.replace("exact I", "idtac; exact I"))
    forget()
    assert standing("One.it") is None
    assert lifted(CLAIM, result()) == result()
    assert told(module.theorems()[0])["compiled"] is None


def test_a_missing_file_counts_for_nothing(folder: Path) -> None:
    (folder / "One.v").unlink()
    forget()
    assert lifted(CLAIM, result()) == result()


def test_an_axiom_that_is_not_permitted_counts_for_nothing(folder: Path) -> None:
    write(folder, axioms=("One.wish",))
    assert lifted(CLAIM, result()) == result()
    write(folder, axioms=("Coq.Logic.Classical_Prop.classic", "PrimInt63.add"))
    assert lifted(CLAIM, result())["verdict"] == "PROVED"
    one = told(module.theorems()[0])
    assert (one["axioms"], one["primitives"]) == (["Coq.Logic.Classical_Prop.classic"], ["PrimInt63.add"])


def test_an_axiom_of_ours_is_not_one_of_the_libraries(folder: Path) -> None:
    assert module.permitted("PArray.cheat")
    assert module.permitted("boolp.propositional_extensionality")
    for axiom in ("One.PArray.cheat", "adfd.One.PArray.cheat", "One.boolp.propositional_extensionality"):
        assert not module.permitted(axiom)


@pytest.mark.parametrize("axiom", ["Mine.classic", "One.classic", "xClassical_Prop.classic", "PrimInt63x.add"])
def test_names_that_resemble_an_axiom(axiom: str) -> None:
    assert not module.permitted(axiom)


def test_another_wording_of_the_claim_has_no_theorem(folder: Path) -> None:
    wider = CLAIM.with_(statement=CLAIM.statement + " For every activation.")
    assert proving(CLAIM, SCOPE)
    assert not proving(wider, SCOPE)
    assert not proving(CLAIM.with_(assumptions=()), SCOPE) or not CLAIM.assumptions


def test_another_set_of_theorems_or_cells_is_not_the_one_that_was_compared(folder: Path) -> None:
    entries = [{"name": "One.it", "says": "It is true.", "claims": [CLAIM.id], "cells": {"arithmetic": ["exact", "x"]}}]
    (folder / "theorems.toml").write_text(toml(*entries))
    forget()
    assert not proving(CLAIM, SCOPE)
    write(folder)
    assert proving(CLAIM, SCOPE)
    assert not proving(CLAIM.with_(scopes=lambda profile: CLAIM.scopes(profile)[1:]), SCOPE)
    assert not proving(CLAIM.with_(predicate="another"), SCOPE)


def test_other_cells_have_no_theorem(folder: Path) -> None:
    key, value = next(iter(SCOPE.items()))
    write(folder, cells={key: [value]})
    assert proving(CLAIM, SCOPE)
    assert not proving(CLAIM, {**SCOPE, key: "another"})


def test_every_theorem_that_is_listed_is_needed(folder: Path) -> None:
    entries = [{"name": name, "says": "It.", "claims": [CLAIM.id]} for name in ("One.it", "One.other")]
    (folder / "theorems.toml").write_text(toml(*entries))
    forget()
    assert not proving(CLAIM, SCOPE)


def test_a_part_lifts_nothing(folder: Path) -> None:
    write(folder, claims=[], supports=[CLAIM.id])
    assert lifted(CLAIM, result()) == result()


def test_compiled_here(folder: Path) -> None:
    (folder / "build").mkdir()
    (folder / "build" / "compiled.json").write_text(json.dumps({"One.v": digest(SOURCE.encode())}))
    forget()
    assert "compiled here" in lifted(CLAIM, result())["evidence"]["summary"]
    (folder / "build" / "compiled.json").write_text("[]")
    forget()
    assert "on record" in lifted(CLAIM, result())["evidence"]["summary"]


@pytest.mark.parametrize("name", ["theorems.toml", "record.json"])
def test_a_damaged_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text("[[theorem]")
    forget()
    with pytest.raises(InputError, match=name):
        proving(CLAIM, SCOPE)


def test_a_theorem_stands_once(folder: Path) -> None:
    entry = {"name": "One.it", "says": "It."}
    (folder / "theorems.toml").write_text(toml(entry, entry))
    forget()
    with pytest.raises(InputError, match="twice"):
        module.theorems()


def test_mutants_and_users_claims_have_no_theorem(folder: Path) -> None:
    task = runner.tasks([CLAIM], "quick")[0]
    assert runner._with_theorems(task, result())["verdict"] == "PROVED"
    mutant = runner.mutant_tasks([CLAIM], "quick")[0]
    assert runner._with_theorems(mutant, result()) == result()
    own = runner.Task(task.claim, task.address, task.scope, "quick", file="mine.py")
    assert runner._with_theorems(own, result()) == result()


def test_what_is_shipped_is_on_record() -> None:
    """Every listed theorem stands as recorded, names claims that there are, and its cells are PROVED on record."""
    claims = {claim.id: claim for claim in all_claims()}
    expected = load_expected("quick")
    for one in module.theorems():
        assert isinstance(one, Theorem)
        assert standing(one.name) is not None, f"{one.name}: make proofs, then python -m proofs_check.rocq --record"
        assert {*one.claims, *one.supports} <= set(claims)
        for id in one.claims:
            assert module.record().wordings[id] == wording(claims[id]), id
            for scope in claims[id].scopes("quick"):
                if proving(claims[id], scope):
                    assert expected[id][runner.address(scope)]["verdict"] == "PROVED", (id, scope)
