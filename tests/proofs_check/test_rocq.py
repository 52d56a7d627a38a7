"""Compiling the theorems: what Rocq prints is understood or refused; with Rocq, a small development from end to end."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from proofs_check import rocq
from proofs_check.claims import theorems
from proofs_check.claims.theorems import Record, Recorded, Theorem
from tests.proofs_check.claims.test_theorems import forget, toml
from theory.base.errors import InputError

IT = Theorem("One.it", "It.")
CLOSED = "Closed under the global context\n"


def test_statement_and_axioms() -> None:
    stated = "One.it\n     : forall n : nat,\n       n = n\n"
    assumed = (
        "Axioms:\nClassical_Prop.classic : forall P : Prop, P \\/ ~ P\n"
        "PrimInt63.int : Set\nFunctionalExtensionality.functional_extensionality_dep\n  : forall (A : Type),\n    True\n"
    )
    statement, axioms = rocq.understood(IT, stated, assumed)
    assert statement == "forall n : nat,\n  n = n"
    assert axioms == (
        "Classical_Prop.classic", "FunctionalExtensionality.functional_extensionality_dep", "PrimInt63.int",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stated", "assumed", "said"),
    [
        ("it : True", "Axioms:\nwish : forall P : Prop, P\n", "rests on wish"),
        (
            "it : True",
            "Axioms:\nClassical_Prop.classic : forall P : Prop, P \\/ ~ P\nwish : forall P : Prop, P\n",
            "rests on wish",
        ),
        ("it : True", "Axioms:\nloop is assumed to be guarded.\n", "not checked by the kernel"),
        ("it : True", "Axioms:\nit relies on an unsafe universe hierarchy.\n", "not checked by the kernel"),
        (
            "it : True",
            "Axioms:\nTheory:\nType hierarchy is collapsed (logic is inconsistent)\n",
            "not checked|rests on",
        ),
        ("it : True", "Section Variables:\nx : False\n", "Rocq printed"),
        ("it : True", CLOSED + "Axioms:\n", "Rocq printed"),
        ("it : True", "", "Rocq printed"),
        ("other : True\n", CLOSED, "Rocq printed"),
        ("", CLOSED, "Rocq printed"),
    ],
)
def test_what_is_not_checked_is_refused(stated: str, assumed: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rocq.understood(IT, stated, assumed)


def test_header() -> None:
    source = (
        "(** Require Import Lie. *)\nRequire Import Reals Lra.\nFrom Interval Require Import Tactic.\nOpen Scope R_scope.\n"
        "From mathcomp.analysis Require Import Rstruct.\nTheorem x : True.\n"
    )
    assert rocq.header(source).splitlines() == [
        "Require Import Reals Lra.", "From Interval Require Import Tactic.", "Open Scope R_scope.",
        "From mathcomp.analysis Require Import Rstruct.",
    ]  # fmt: skip


def test_differences_from_the_record() -> None:
    def made(**changes: Any) -> Record:
        one = {"statement": "True", "axioms": (), "files": {"One.v": "0"}} | changes
        return Record({"rocq": "8"}, {"One.it": Recorded(**one)}, {"a.b": "1"})

    assert rocq.differences(made(), made()) == []
    assert rocq.differences(made(), made(files={"One.v": "1"})) == ["One.it: a file has changed since it was recorded"]
    assert "its axioms" in rocq.differences(made(), made(axioms=("Classical_Prop.classic",)))[0]
    assert "its statement" in rocq.differences(made(), made(statement="False"))[0]
    newer = Record({"rocq": "9"}, made(statement="printed otherwise").theorems, {"a.b": "1"})
    assert rocq.differences(made(), newer) == []
    assert rocq.differences(Record(), made()) == ["One.it is not on record", "a.b: worded otherwise than on record"]
    assert rocq.differences(made(), Record()) == ["One.it is on record, but not listed any more"]


def test_without_rocq(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert rocq.main([]) == 2
    assert "apt-get install coq libcoq-interval" in capsys.readouterr().err


def test_the_project_lists_every_file() -> None:
    assert rocq.files() or not theorems.theorems()


def development(folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], *listed: dict[str, Any]) -> None:
    for at in (theorems, rocq):
        monkeypatch.setattr(at, "FOLDER", folder)
        monkeypatch.setattr(at, "BUILD", folder / "build")
    for name, source in files.items():
        (folder / name).write_text(source)
    (folder / "_CoqProject").write_text("\n".join(["-Q . adfd", *files]) + "\n")
    (folder / "theorems.toml").write_text(toml(*listed))
    forget()


@pytest.fixture(autouse=True)
def _afterwards() -> Any:
    yield
    forget()


def test_a_file_that_is_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    development(tmp_path, monkeypatch, {"One.v": ""})
    (tmp_path / "Two.v").write_text("")
    with pytest.raises(InputError, match=r"Two\.v"):
        rocq.files()


needs_rocq = pytest.mark.skipif(shutil.which("coqc") is None, reason="Rocq is not installed")
ONE = "Definition one := 1.\nLemma it : one = one. Proof. reflexivity. Qed.\n"
TWO = "From adfd Require Import One.\nTheorem that : exists n : nat, n = one. Proof. exists 1; reflexivity. Qed.\n"


@needs_rocq
def test_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    listed = [{"name": "Two.that", "says": "There is.", "claims": ["spectra.weyl"]}]
    development(tmp_path, monkeypatch, {"One.v": ONE, "Two.v": TWO}, *listed)
    monkeypatch.setattr(rocq, "require_libraries", lambda: None)
    assert rocq.main([]) == 1  # nothing is on record
    assert rocq.main(["--record"]) == 0
    forget()
    assert rocq.main([]) == 0
    kept = theorems.record().theorems["Two.that"]
    assert (kept.statement, kept.axioms) == ("exists n : nat, n = one", ())
    assert set(kept.files) == {"One.v", "Two.v"}
    found = theorems.standing("Two.that")
    assert found is not None
    assert found[1] == "compiled here"
    (tmp_path / "One.v").write_text(ONE.replace("1.", "2.", 1))  # so that a file that it requires is another
    forget()
    assert theorems.standing("Two.that") is None
    capsys.readouterr()
    assert rocq.main([]) == 1
    assert "does not compile" in capsys.readouterr().err


@needs_rocq
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("Axiom wish : False.\nTheorem it : 1 = 2. Proof. destruct wish. Qed.\n", "nothing is assumed"),
        ("Theorem it : 1 = 2. Proof. Admitted.\n", "nothing is assumed"),
        ("Unset Guard Checking.\nFixpoint f (n : nat) : False := f n.\nTheorem it : False. Proof. exact (f 0). Qed.\n",
         "not checked by the kernel"),
        ("Unset Universe Checking.\nDefinition T : Type@{Set} := Set.\nTheorem it : T = T. Proof. reflexivity. Qed.\n", "unsafe hierarchy"),
        ("Definition it : Prop := False.\n", "Prop"),
        ("Theorem it : True. Proof. exact I. Qed. (* Axiom *) Parameter x : False.\n", "nothing is assumed"),
        ("Theorem other : 1 = 1. Proof. reflexivity. Qed.\n", "it"),
    ],
)  # fmt: skip
def test_a_proof_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    source: str, said: str,
) -> None:  # fmt: skip
    development(tmp_path, monkeypatch, {"One.v": source}, {"name": "One.it", "says": "It."})
    monkeypatch.setattr(rocq, "require_libraries", lambda: None)
    assert rocq.main(["--record"]) == 1
    assert not (tmp_path / "record.json").exists()
    assert re.search(said, capsys.readouterr().err)
