"""Runs of some claims are added to the report that is there: nothing is lost, and every cell says when it was judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import processes
import pytest
from pages import unfolded

from numerics.runs.store import Store
from numerics.runs.store_file import LOCK, alone
from proofs_check.cli.verify import verify
from proofs_check.ledger import merging
from proofs_check.ledger.ledger import all_claims
from theory.base.errors import InputError

Content = dict[str, Any]


def cell(address: str, verdict: str = "CERTIFIED") -> Content:
    scope = dict(part.split("=") for part in address.split(","))
    return {"scope": scope, "address": address, "verdict": verdict, "expected": verdict, "status": "as expected",
            "evidence": {"summary": "s"}, "seconds": 1.0}  # fmt: skip


def claim(id: str, *cells: Content, rests_on: str = "", mutant: str | None = None) -> Content:
    tried = {} if mutant is None else {"verdict": mutant, "summary": "m"}
    return {"id": id, "cells": list(cells), "rests_on": [{"id": rests_on, "because": ""}] if rests_on else [],
            "mutants": [{"name": "wrong", "change": "c"} | tried]}  # fmt: skip


def ledger(date: str, *claims: Content, profile: str = "quick") -> Content:
    return {"schema": 1, "summary": {"seconds": 2.0}, "claims": list(claims),
            "provenance": {"profile": profile, "date": date, "command": f"adfd {date}"}}  # fmt: skip


def shape(content: Content) -> dict[str, dict[str, tuple[str, str]]]:
    """Of every cell its verdict and the date of its run."""
    return {
        one["id"]: {c["address"]: (c["verdict"], content["runs"][c["run"]]["date"]) for c in one["cells"]}
        for one in content["claims"]
    }


def test_a_run_takes_the_place_of_its_own_cells_only() -> None:
    whole = ledger("1", claim("a", cell("k=1"), cell("k=2"), mutant="REFUTED"), claim("b", cell("k=1")))
    one = ledger("2", claim("a", cell("k=2", "REFUTED"), cell("k=3")))
    assert shape(merging.merge(whole, one, cell=False)) == {
        "a": {"k=2": ("REFUTED", "2"), "k=3": ("CERTIFIED", "2")},
        "b": {"k=1": ("CERTIFIED", "1")},
    }
    found = merging.merge(whole, one, cell=True)
    assert shape(found) == {
        "a": {"k=1": ("CERTIFIED", "1"), "k=2": ("REFUTED", "2"), "k=3": ("CERTIFIED", "2")},
        "b": {"k=1": ("CERTIFIED", "1")},
    }
    assert found["claims"][0]["mutants"][0]["verdict"] == "REFUTED"  # of the whole run; this one tried none
    assert found["summary"]["cells"] == 4
    assert found["summary"]["mutants"] == {"total": 1, "refuted": 1}
    assert found["summary"]["seconds"] == 4.0
    again = merging.merge(found, ledger("3", claim("a", cell("k=1")), claim("b", cell("k=1"))), cell=False)
    assert shape(again) == {"a": {"k=1": ("CERTIFIED", "3")}, "b": {"k=1": ("CERTIFIED", "3")}}
    assert [run["date"] for run in again["runs"]] == ["3"]  # the others have no cell left
    assert again["provenance"]["command"] == "adfd 3"


def test_a_verdict_that_changes_is_seen_where_another_rests_on_it() -> None:
    """Also on cells that this run has not judged."""
    whole = ledger("1", claim("a", cell("k=1"), rests_on="b"), claim("b", cell("k=1")))
    found = merging.merge(whole, ledger("2", claim("b", cell("k=1", "REFUTED"))), cell=True)
    (unmet,) = found["claims"][0]["cells"][0]["evidence"]["conditions"]
    assert (unmet["id"], unmet["verdict"]) == ("b", "REFUTED")
    mended = merging.merge(found, ledger("3", claim("b", cell("k=1"))), cell=True)
    assert "conditions" not in mended["claims"][0]["cells"][0]["evidence"]


def test_claims_stand_in_the_order_of_the_ledger_and_ones_own_come_last() -> None:
    ids = [one.id for one in all_claims()][:3]
    whole = ledger("1", claim("own.x", cell("k=1")), claim(ids[2], cell("k=1")))
    found = merging.merge(whole, ledger("2", claim(ids[0], cell("k=1"))), cell=False)
    assert [one["id"] for one in found["claims"]] == [ids[0], ids[2], "own.x"]


def run(out: Path, capsys: pytest.CaptureFixture[str], *ids: str, **options: Any) -> Content:
    """``adfd verify`` of some claims: what it prints."""
    given: dict[str, Any] = {
        "mutants": False, "profile": "quick", "jobs": 1, "device": "cpu", "resume": False, "cell": None,
        "record": False, "against": None, "as_json": True,
    }  # fmt: skip
    assert verify(ids=list(ids), out=out, **(given | options)) == 0
    printed: Content = json.loads(capsys.readouterr().out)
    return printed


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """Two quick claims."""
    ids = [one.id for one in all_claims() if one.family == "stencils"]
    return ids[0], ids[-1]


TOGETHER = """
import json, os, sys, time
from pathlib import Path
from proofs_check.ledger import ledger, merging
from proofs_check.cli.verify import keep

def slowly(*given, merge=merging.merge):
    time.sleep(0.3)  # what another process had read before, it would write over now
    return merge(*given)

merging.merge = slowly
ledger.all_claims()
children = []
for content in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        keep(Path(sys.argv[1]), content)
        os._exit(0)
    children.append(child)
sys.exit(max(os.waitpid(child, 0)[1] for child in children) != 0)
"""


def ends_together(out: Path) -> None:
    """The claims of a ledger, each as the run of a process of its own, all of which end at once: the same ledger."""
    kept = json.loads((out / "ledger.json").read_text())
    first, *others = [kept | {"claims": [one]} for one in kept["claims"]]
    (out / "ledger.json").write_text(json.dumps(first))
    done = processes.script(TOGETHER, str(out), given=json.dumps([first, *others]))
    assert done.returncode == 0, done.stderr
    found = json.loads((out / "ledger.json").read_text())
    assert [(one["id"], len(one["cells"])) for one in found["claims"]] == [
        (one["id"], len(one["cells"])) for one in kept["claims"]
    ]
    assert unfolded((out / "index.html").read_text()).count('id="cell-') == sum(
        len(one["cells"]) for one in kept["claims"]
    )
    assert (out / LOCK).read_bytes() == b""


def test_the_report_grows_and_the_page_agrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pair: tuple[str, str]
) -> None:
    first = run(tmp_path, capsys, pair[0])
    (tmp_path / "figures.json").write_text('{"made_by": "adfd", "schema": 1, "profile": "full"}')
    old = json.loads((tmp_path / "ledger.json").read_text())
    for one in old["claims"]:  # as it was written before runs were named
        for c in one["cells"]:
            del c["run"]
    del old["runs"], old["made_by"]
    (tmp_path / "ledger.json").write_text(json.dumps(old))
    second = run(tmp_path, capsys, pair[1])
    kept = json.loads((tmp_path / "ledger.json").read_text())
    assert [c["id"] for c in second["claims"]] == [pair[1]]  # of this run alone
    assert [c["id"] for c in kept["claims"]] == list(pair)
    assert {c["run"] for c in kept["claims"][0]["cells"]} == {0}
    assert {c["run"] for c in kept["claims"][1]["cells"]} == {1}
    assert kept["claims"][0]["cells"] == [c | {"run": 0} for c in first["claims"][0]["cells"]]
    assert json.loads((tmp_path / "figures.json").read_text())["profile"] == "full"
    page = unfolded((tmp_path / "index.html").read_text())
    cells = [c for one in kept["claims"] for c in one["cells"]]
    assert page.count('id="cell-') == len(cells)
    assert "The cells are from 2 runs" in page
    assert all(run_["date"] in page and run_["code"] in page for run_ in kept["runs"][1:])
    size = len(Store(tmp_path / "store.sqlite"))
    assert size >= len(cells)
    address = first["claims"][0]["cells"][0]["address"]
    run(tmp_path, capsys, pair[0], cell=address)
    assert len(json.loads((tmp_path / "ledger.json").read_text())["claims"][0]["cells"]) == len(
        first["claims"][0]["cells"]
    )
    assert len(Store(tmp_path / "store.sqlite")) == size
    ends_together(tmp_path)


@pytest.mark.parametrize("name", ["ledger.json", "figures.json", "index.html", "store.sqlite"])
def test_a_folder_with_files_of_another_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pair: tuple[str, str], name: str
) -> None:
    (tmp_path / name).write_text('{"mine": true}')
    with pytest.raises(InputError, match=name):
        run(tmp_path, capsys, pair[0])
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == '{"mine": true}'
    run(tmp_path, capsys, pair[0], force=True)
    assert json.loads((tmp_path / "ledger.json").read_text())["made_by"] == "adfd"


def test_a_folder_is_one_process_s_at_a_time(tmp_path: Path) -> None:
    with (
        alone(tmp_path),
        pytest.raises(InputError, match="another process of adfd is writing there"),
        alone(tmp_path, seconds=0.01),
    ):
        pass
    with alone(tmp_path, seconds=0.01):  # it is free again
        pass
    holder = f"import os, pathlib, numerics.runs.store_file as s; s.alone(pathlib.Path({str(tmp_path)!r})).__enter__(); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", holder], timeout=60, check=False).returncode == 9
    with alone(tmp_path, seconds=0.01):  # a process that died holds nothing
        pass
    (tmp_path / LOCK).write_text("mine")
    with pytest.raises(InputError, match="adfd did not make"), alone(tmp_path):
        pass
    (tmp_path / LOCK).unlink()
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="symbolic link"), alone(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()
