"""README and documentation show real output: their commands are run again and must print what stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from msgspec import convert
from pages import unfolded

from proofs_check.claims.claim import parse_address
from proofs_check.cli.claims import _recorded
from proofs_check.ledger import ledger, runner
from proofs_check.ledger.coverage import on_record
from proofs_check.ledger.ledger import load_expected
from proofs_check.report.brief import brief
from proofs_check.report.records import Claim

ROOT = Path(__file__).parent.parent
README, FINDINGS = ROOT / "README.md", ROOT / "docs" / "findings.md"
PAGES = [ROOT / "docs" / "tour.md", README]
SECONDS = re.compile(r"\d+\.\d+ s\b")


def sessions() -> list[tuple[str, str]]:
    """(command, output) of every ``$ adfd`` line in the console blocks of the tour and the README, in order, each once."""
    found: dict[tuple[str, str], None] = {}
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found[command, output] = None
    return list(found)


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


TOUR = """
import contextlib, io, json, sys
from proofs_check.cli import exits
from proofs_check.cli.main import app

for words, target in zip(*json.load(sys.stdin), strict=True):
    printed, sys.argv = io.StringIO(), words
    try:
        with contextlib.redirect_stdout(printed):
            exits.run(app)
    except SystemExit as stop:
        print(json.dumps([stop.code or 0, printed.getvalue()]))
    if target:
        open(target, "w").write(printed.getvalue())
"""


def tour(commands: list[str], folder: Path) -> list[str]:
    """What they print on a terminal of 96 columns, one after the other in one process, times left out.

    A process each would import the same again and again; ``> FILE`` and ``| head -n N`` are done here.
    """
    parts = [re.fullmatch(r"(.*?)(?: > (\S+)| \| head -n (\d+))?", command) for command in commands]
    words = [shlex.split(part[1]) for part in parts if part]
    targets = [part[2] for part in parts if part]
    environment = os.environ | {"COLUMNS": "96", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TOUR], cwd=folder, env=environment, input=json.dumps([words, targets]),
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = []
    for line, part in zip(done.stdout.splitlines(), parts, strict=True):
        code, printed = json.loads(line)
        assert code == 0, done.stderr
        assert part is not None
        shown = "" if part[2] else printed
        found.append(SECONDS.sub("… s", "".join(shown.splitlines(keepends=True)[: int(part[3]) if part[3] else None])))
    return found


INTERVAL = re.compile(r"\[(-?\d\S*), (-?\d\S*)\]")


def agree(shown: str, printed: str) -> bool:
    """Whether two outputs are the same up to blanks and rules, and up to enclosures of the same numbers.

    How narrow an enclosure comes out depends on LAPACK, and so on the processor; that it is proven does not.
    """
    if _words(INTERVAL.sub("[]", shown)) != _words(INTERVAL.sub("[]", printed)):
        return False
    for one, other in zip(INTERVAL.findall(shown), INTERVAL.findall(printed), strict=True):
        (a, b), (c, d) = map(float, one), map(float, other)
        if not (a <= d and c <= b and (b - a) <= 10 * (d - c) and (d - c) <= 10 * (b - a)):
            return False
    return True


def _words(text: str) -> list[str]:
    return re.sub("[━─]+", "━", text).split()


def test_agreement_of_outputs_can_fail() -> None:
    shown = "│ gap │ [0.10, 0.12] │"
    assert agree(shown, "│ gap │ [0.101, 0.121]    │")
    assert not agree(shown, "│ gap │ [0.13, 0.15] │")
    assert not agree(shown, "│ gap │ [-3, 4] │")
    assert not agree(shown, "│ gaps │ [0.10, 0.12] │")


def test_the_tour_prints_what_it_says_and_leaves_a_whole_report(tmp_path: Path) -> None:
    """In order, in a folder with the report of another run: what that judged is still there, and on the page."""
    listed = sessions()
    assert len(listed) >= 6
    assert all(command.startswith("adfd ") for command, _ in listed)
    before = "adfd verify symbols.odd-negative"
    _, *printed = tour([before, *(command for command, _ in listed)], tmp_path)
    for (command, output), text in zip(listed, printed, strict=True):
        assert agree(SECONDS.sub("… s", output), text), (command, text)
    kept = json.loads((tmp_path / "report/ledger.json").read_text(encoding="utf-8"))
    assert {one["id"] for one in kept["claims"]} == {"symbols.odd-negative", "symbols.central-bounded"}
    cells = sum(len(one["cells"]) for one in kept["claims"])
    assert cells == kept["summary"]["cells"]
    assert unfolded((tmp_path / "report/index.html").read_text(encoding="utf-8")).count('id="cell-') == cells


def test_the_practitioners_minute() -> None:
    """Its three lines print what stands under them, numbers up to those that round-off decides, and the command the same."""
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    text = README.read_text(encoding="utf-8")
    lines, shown = re.findall(r"is my dx all right\?.*?```python\n(.*?)```.*?```text\n(.*?)```", text, re.DOTALL)[0]
    first, second, last = (line for line in lines.splitlines() if line)
    assert (first, last) == ("from adfd import advise", "print(found)")
    call = re.fullmatch(r'found = advise\(net, "(.*?)", points, step=(.*?)\)', second)
    assert call is not None
    from adfd import advise

    found = advise(net, call[1], torch.rand(40, 2), step=float(call[2]), cost=False)
    number = r"\d+(?:\.\d+)?(?:e-?\d+)?(?:/\d+)?"
    for one, other in zip(shown.splitlines(), str(found).splitlines(), strict=False):
        assert re.sub(number, "#", one) == re.sub(number, "#", other)
        for a, b in zip(re.findall(number, one), re.findall(number, other), strict=True):
            low, high = sorted(float(Fraction(n)) for n in (a, b))
            assert high <= 2.1 * low, (one, other)


WORDS = {"SUPPORTED": "holds in", "REFUTED": "refuted in", "INCONCLUSIVE": "open in",
         "holds": "holds in", "reversed": "reversed in", "mixed": "mixed in", "open": "open in"}  # fmt: skip


def headline(claim: str, arithmetic: str) -> str:
    """A claim's verdicts on record in one arithmetic, in the words of the table of findings."""
    cells = load_expected("quick")[claim].items()
    verdicts = [
        entry.get("finding", entry["verdict"])
        for where, entry in cells
        if parse_address(where)["arithmetic"] == arithmetic
    ]
    counted = [f"{words} {verdicts.count(v)}" for v, words in WORDS.items() if v in verdicts]
    return f"{', '.join(counted)} of {len(verdicts)}"


def test_the_headline_table_is_what_is_on_record() -> None:
    rows = [row for row in FINDINGS.read_text(encoding="utf-8").splitlines() if re.match(r"\| S\d", row)]
    assert len(rows) >= 8
    for row in rows:
        *found, command = (cell.strip() for cell in row.strip("|").split("|")[1:])
        claim = command.strip("`").removeprefix("adfd verify ")
        arithmetics = ("exact", "float64", "float32")[-len(found) :]  # nothing is trained in exact arithmetic
        assert found == [headline(claim, arithmetic) for arithmetic in arithmetics], row


@pytest.mark.parametrize("label", ["S1", "S2", "S3", "S4", "S5", "S6", "S7"])
def test_the_sentences_are_those_of_the_record(label: str) -> None:
    """What ``adfd show`` prints first of the verdicts on record, word for word."""
    record = load_expected("quick")
    own = [c for c in ledger.all_claims() if c.source == label]
    claims = [convert(runner.describe(c) | {"cells": _recorded(record[c.id])}, Claim) for c in own]
    said = brief(label, claims)
    assert len(said) > 80
    assert f"**{label}** (`adfd show {label}`). {said}" in " ".join(README.read_text(encoding="utf-8").split())


def test_what_is_on_record_of_the_full_profile() -> None:
    """Word for word what ``adfd claims --summary`` prints last."""
    own = [c for c in ledger.all_claims() if re.fullmatch(r"S\d", c.source) or c.id.startswith("prediction.")]
    record = load_expected("full")
    said = on_record(own, record, "full")
    assert said in " ".join(FINDINGS.read_text(encoding="utf-8").split())
    for claim, count, of in re.findall(r"([\w.-]+) (\d+) of (\d+) cells", said):
        assert int(count) == len(record[claim])
        assert int(of) == len(next(c for c in own if c.id == claim).scopes("full"))
    missing = re.search(r"none of (.*)\.$", said)
    assert all(not record.get(claim) for claim in (missing[1].split(", ") if missing else []))
