"""The README shows real output: its commands are run again and must print what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from proofs_check.claim import parse_address
from proofs_check.ledger import load_expected

README = Path(__file__).parent.parent / "README.md"
ADFD = Path(sys.executable).with_name("adfd")
SECONDS = re.compile(r"\d+\.\d+ s\b")


def sessions() -> list[tuple[str, str]]:
    """(command, output) of every ``$ adfd`` line in the README's console blocks, in order."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def run(command: str, folder: Path) -> str:
    """The command's output on a terminal of 96 columns, times left out."""
    environment = os.environ | {"COLUMNS": "96", "OMP_NUM_THREADS": "1", "PATH": f"{ADFD.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    return SECONDS.sub("… s", done.stdout)


def test_the_tour_prints_what_it_says(tmp_path: Path) -> None:
    listed = sessions()
    assert len(listed) >= 6
    for command, output in listed:
        assert command.startswith("adfd ")
        assert run(command, tmp_path).strip() == SECONDS.sub("… s", output).strip(), command


WORDS = {"SUPPORTED": "holds in", "REFUTED": "fails in", "INCONCLUSIVE": "open in"}


def headline(claim: str, arithmetic: str) -> str:
    """A claim's verdicts on record in one arithmetic, in the words of the README's table."""
    cells = load_expected("quick")[claim].items()
    verdicts = [entry["verdict"] for where, entry in cells if parse_address(where)["arithmetic"] == arithmetic]
    counted = [f"{words} {verdicts.count(v)}" for v, words in WORDS.items() if v in verdicts]
    return f"{', '.join(counted)} of {len(verdicts)}"


def test_the_headline_table_is_what_is_on_record() -> None:
    rows = [row for row in README.read_text(encoding="utf-8").splitlines() if re.match(r"\| S\d", row)]
    assert len(rows) >= 4
    for row in rows:
        *found, command = (cell.strip() for cell in row.strip("|").split("|")[1:])
        claim = command.strip("`").removeprefix("adfd verify ")
        assert found == [headline(claim, arithmetic) for arithmetic in ("exact", "float64", "float32")], row
