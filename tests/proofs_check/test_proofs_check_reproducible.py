"""Change over time: exact results repeat bit for bit, and verdicts that moved against an older ledger are listed."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from numerics.spectra import spectrum as spectra
from proofs_check.claims.claim import Profile, parse_address
from proofs_check.cli.verify import verify
from proofs_check.ledger import ledger, runner
from theory.base.errors import InputError

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
    cell = "activation=tanh,arithmetic=float32,size=n=24"
    for name in "ab":
        _verify("S2.every-small", out=tmp_path / name, cell=cell)
    first, second = (_without_timings(_ledger(tmp_path / name)["claims"]) for name in "ab")
    assert first == second


@pytest.mark.parametrize("profile", ["quick", pytest.param("full", marks=pytest.mark.slow)])
def test_every_cell_has_a_command_that_selects_it_alone(profile: Profile) -> None:
    """The command that the ledger prints, read back as a shell and the command line would, for every cell there is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("adfd")
    parser.add_argument("command")
    parser.add_argument("id")
    parser.add_argument("--cell", required=True)
    parser.add_argument("--profile", default="quick")
    seen, claims = set(), {}
    for claim in ledger.all_claims():
        scopes = claim.scopes(profile)
        claims[claim.id] = claim.with_(scopes=lambda profile, scopes=scopes: scopes)  # made once, not for every cell
    for task in runner.tasks(claims.values(), profile):
        line = runner.command(task.claim, task.address, profile)
        given = parser.parse_args(shlex.split(line))
        assert (given.adfd, given.command, given.profile) == ("adfd", "verify", profile)
        chosen = ledger.select([given.id], tuple(claims.values()))
        assert runner.tasks(chosen, given.profile, parse_address(given.cell)) == [task], line
        seen.add(line)
    assert len(seen) == len(runner.tasks(claims.values(), profile)) > 500


def test_the_ledger_prints_those_commands(tmp_path: Path) -> None:
    _verify("stencils.truncation", out=tmp_path)
    for cell in _ledger(tmp_path)["claims"][0]["cells"]:
        assert cell["command"] == runner.command("stencils.truncation", cell["address"], "quick")


def test_verdicts_that_moved_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _verify("stencils.truncation", out=tmp_path / "new")
    older = _ledger(tmp_path / "new")
    cell = older["claims"][0]["cells"][1]
    cell["verdict"] = "INCONCLUSIVE"
    added = older["claims"][0]["cells"].pop(0)
    older["claims"][0]["cells"].append(cell | {"address": "stencil=gone", "verdict": "REFUTED"})
    older["claims"].append({"id": "another.claim", "cells": [cell]})  # of a claim that was not asked for
    path = tmp_path / "old.json"
    path.write_text(json.dumps(older))
    capsys.readouterr()
    _verify("stencils.truncation", out=tmp_path / "new", against=path)
    out, err = capsys.readouterr()
    found = json.loads(out)
    name = "stencils.truncation"
    moved = {"id": name, "address": cell["address"], "before": "INCONCLUSIVE", "after": "PROVED"}
    assert found["moved"] == [moved]
    assert found["added"] == [{"id": name, "address": added["address"], "after": "PROVED"}]
    assert found["removed"] == [{"id": name, "address": "stencil=gone", "before": "REFUTED"}]
    assert f"moved: {name} [{cell['address']}]: INCONCLUSIVE -> PROVED" in err
    assert f"added: {name} [{added['address']}]: PROVED" in err
    assert f"removed: {name} [stencil=gone]: REFUTED" in err
    assert "another.claim" not in err
    assert _ledger(tmp_path / "new")["moved"] == [moved]


def test_of_one_cell_nothing_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _verify("stencils.truncation", out=tmp_path / "a")
    capsys.readouterr()
    cell = "stencil=central m=2 p=2"
    _verify("stencils.truncation", out=tmp_path / "b", cell=cell, against=tmp_path / "a" / "ledger.json")
    found = json.loads(capsys.readouterr()[0])
    assert (found["moved"], found["added"], found["removed"]) == ([], [], [])


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
        (
            '{"schema": 1, "claims": [{"id": ["a"], "cells": [{"address": "x", "verdict": "PROVED"}]}]}',
            "is not a ledger",
        ),
        ('{"schema": 1, "claims": [{"id": "a", "cells": [{"address": "x", "verdict": null}]}]}', "is not a ledger"),
        ('{"schema": "1", "claims": []}', "is not a ledger"),
        ('{"schema": 1, "claims": ' + 100_000 * "[" + 100_000 * "]" + "}", "is not a ledger"),
        ("\udcff", "is not a ledger"),
    ],
)
def test_an_older_ledger_that_is_none(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "old.json"
    if text is not None:
        path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=message):
        _verify("stencils.truncation", out=tmp_path / "out", against=path)
    assert not (tmp_path / "out").exists()  # refused before anything is computed
