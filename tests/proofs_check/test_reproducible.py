"""Change over time: exact results repeat bit for bit, and verdicts that moved against an older ledger are listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from numerics import spectra
from proofs_check import ledger, runner
from proofs_check.commands.verify import verify
from theory.errors import InputError

EXACT = ("stencils.truncation", "entropy.ratio-majorisation", "spectra.exponential-reversal")
"""Claims in exact and ball arithmetic that are quick to judge, one of them with spectra of the engine."""


@pytest.fixture(autouse=True)
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADFD_DEVICE", "cpu")  # verify sets it; restored after the test


def _verify(*ids: str, out: Path, **options: Any) -> int:
    defaults: dict[str, Any] = {
        "mutants": False, "profile": "quick", "jobs": 1, "device": "cpu", "resume": False, "cell": None,
        "record": False, "against": None, "as_json": True,
    }  # fmt: skip
    spectra.spectrum.cache_clear()
    return verify(ids=list(ids), out=out, **(defaults | options))


def _without_timings(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: _without_timings(v) for k, v in data.items() if k not in {"seconds", "date", "command"}}
    return [_without_timings(v) for v in data] if isinstance(data, list) else data


def _ledger(out: Path) -> Any:
    return json.loads((out / "ledger.json").read_text(encoding="utf-8"))


def test_exact_methods_repeat_bit_for_bit(tmp_path: Path) -> None:
    codes = [_verify(*EXACT, out=tmp_path / name, jobs=jobs) for name, jobs in (("a", 1), ("b", 2))]
    assert len(set(codes)) == 1
    first, second = (json.dumps(_without_timings(_ledger(tmp_path / name))) for name in "ab")
    assert len(first) > 1000
    assert first == second  # here and in worker processes


def test_sampled_methods_repeat_too_on_one_machine(tmp_path: Path) -> None:
    """Seeds are fixed: on the same machine and packages, floating point repeats as well."""
    cell = "activation=tanh,arithmetic=float32"
    for name in "ab":
        _verify("S2.every-small", out=tmp_path / name, cell=cell)
    first, second = (_without_timings(_ledger(tmp_path / name)["claims"]) for name in "ab")
    assert first == second


def test_every_cell_has_a_command_that_selects_it_alone(tmp_path: Path) -> None:
    _verify("stencils.truncation", out=tmp_path)
    for cell in _ledger(tmp_path)["claims"][0]["cells"]:
        assert cell["command"].startswith("adfd verify stencils.truncation --cell ")
        (task,) = runner.tasks(ledger.select(["stencils.truncation"]), "quick", cell["scope"])
        assert task.address == cell["address"]


def test_verdicts_that_moved_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _verify("stencils.truncation", out=tmp_path / "new")
    older = _ledger(tmp_path / "new")
    cell = older["claims"][0]["cells"][1]
    cell["verdict"] = "INCONCLUSIVE"
    older["claims"][0]["cells"].pop(0)  # a cell that the older ledger lacks has not moved
    path = tmp_path / "old.json"
    path.write_text(json.dumps(older))
    capsys.readouterr()
    _verify("stencils.truncation", out=tmp_path / "new", against=path)
    out, err = capsys.readouterr()
    moved = {"id": "stencils.truncation", "address": cell["address"], "before": "INCONCLUSIVE", "after": "CERTIFIED"}
    assert json.loads(out)["moved"] == [moved]
    assert f"moved: stencils.truncation [{cell['address']}]: INCONCLUSIVE -> CERTIFIED" in err
    assert _ledger(tmp_path / "new")["moved"] == [moved]


def test_nothing_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _verify("stencils.truncation", out=tmp_path / "a")
    capsys.readouterr()
    _verify("stencils.truncation", out=tmp_path / "b", against=tmp_path / "a" / "ledger.json")
    out, err = capsys.readouterr()
    assert json.loads(out)["moved"] == []
    assert "no verdict moved" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("{", "is not a ledger"),
        ("[]", "is not a ledger"),
        ('{"schema": 1}', "is not a ledger"),
        ('{"schema": 99, "claims": []}', "schema 99"),
        ('{"schema": 1, "claims": [{"id": "a", "cells": [{"address": "x"}]}]}', "is not a ledger"),
    ],
)
def test_an_older_ledger_that_is_none(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "old.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        _verify("stencils.truncation", out=tmp_path / "out", against=path)
    assert not (tmp_path / "out").exists()  # refused before anything is computed
