"""The LaTeX of every claim of the ledger: it stands on its preamble, and no formula of ours is typed out as code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from proofs_check.cli.verify import provenance
from proofs_check.ledger import ledger, runner
from proofs_check.report import latex as tex_text
from proofs_check.report.latex import write_latex

COMMANDS = frozenset(
    [
        "documentclass",
        "usepackage",
        "title",
        "large",
        "author",
        "date",
        "begin",
        "end",
        "maketitle",
        "noindent",
        "section",
        "subsection",
        "paragraph",
        "input",
        "texttt",
        "emph",
        "item",
        "S",
        "caption",
        "toprule",
        "midrule",
        "bottomrule",
        "endfirsthead",
        "endhead",
        "endfoot",
        "raggedright",
        "arraybackslash",
        "begingroup",
        "endgroup",
        "footnotesize",
        "allowbreak",
        "emergencystretch",
        "textbackslash",
        "textasciicircum",
        "textasciitilde",
        "textless",
        "textgreater",
        "textbar",
        "textquotedbl",
        "textasciigrave",
        "ensuremath",
        "surd",
    ]
)
PROVIDED = {
    "longtable": "longtable", "toprule": "booktabs", "raggedright": "array", "textquotedbl": "fontenc",
    "lesssim": "amssymb", "tfrac": "amsmath", "mathbb": "amssymb",
}  # fmt: skip
"""What some commands and environments need: a package that the preamble has to load."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of all claims with the verdicts on record, as LaTeX; nothing is judged."""
    listed: list[dict[str, Any]] = []
    for claim in ledger.select([]):
        evidence = {"summary": "", "instances": 1, "holding": 1, "undecided": 0, "rejected": 0, "data": {}}
        cells = [
            {"scope": {"cell": address}, "address": address, "verdict": entry["verdict"], "expected": entry["verdict"],
             "status": "as expected", "method": "", "quantifier": "all", "evidence": evidence, "seconds": 0.1,
             "command": ""}
            for address, entry in ledger.load_expected("quick").get(claim.id, {}).items()
        ]  # fmt: skip
        listed.append(runner.describe(claim) | {"cells": cells})
    content = {
        "schema": ledger.SCHEMA,
        "summary": runner.summary(listed, 1.0, None),
        "provenance": provenance("quick"),
        "claims": listed,
    }
    where = tmp_path_factory.mktemp("latex")
    (where / "ledger.json").write_text(json.dumps(content), encoding="utf-8")
    write_latex(where)
    return where / "latex"


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="ascii") for path in folder.glob("*.tex")}


def test_environments_braces_and_dollars_are_closed(folder: Path) -> None:
    for name, text in texts(folder).items():
        stack: list[str] = []
        for kind, environment in re.findall(r"\\(begin|end)\{(\w+)\}", text):
            if kind == "begin":
                stack.append(environment)
            else:
                assert stack.pop() == environment
        assert stack == []
        bare = re.sub(r"\\.", "", text, flags=re.DOTALL)
        depth = 0
        for char in bare:
            depth += (char == "{") - (char == "}")
            assert depth >= 0, name
        assert depth == 0, name
        for paragraph in bare.split("\n\n"):
            assert paragraph.count("$") % 2 == 0, (name, paragraph[:200])


def test_every_command_is_known_to_the_preamble(folder: Path) -> None:
    whole = texts(folder)
    used = set(re.findall(r"\\([A-Za-z]+)", "".join(whole.values())))
    assert used <= COMMANDS | tex_text.COMMANDS
    environments = set(re.findall(r"\\begin\{(\w+)\}", "".join(whole.values())))
    assert environments <= {"document", "longtable", "enumerate"}
    loaded = {
        p for group in re.findall(r"\\usepackage(?:\[.*?\])?\{(.*?)\}", whole["report.tex"]) for p in group.split(",")
    }
    for name, package in PROVIDED.items():
        if name in used | environments:
            assert package in loaded, name


def test_all_claims_are_there_and_none_is_typed_out(folder: Path) -> None:
    text = texts(folder)["statements.tex"]
    for claim in ledger.select([]):
        assert rf"\texttt{{{tex_text.escape(claim.id)}}}" in text
        for part in (
            claim.statement,
            claim.predicate,
            *(s.text for s in claim.derivation),
            *(s.because for s in claim.derivation),
        ):
            for formula in re.findall(r"(?<!\\)\$([^$]+)\$", part):
                assert tex_text.allowed(formula), f"{claim.id}: {formula}"


def test_tables_have_as_many_columns_as_they_declare(folder: Path) -> None:
    for table in re.findall(
        r"\\begin\{longtable\}\{(.*?)\}\n(.*?)\\end\{longtable\}", texts(folder)["tables.tex"], re.DOTALL
    ):
        columns = len(re.findall(r"p\{|l", re.sub(r">\{.*?\\arraybackslash\}|@\{\}", "", table[0])))
        rows = [line for line in table[1].splitlines() if line.endswith(r" \\")]
        assert rows
        for line in rows:
            assert len(re.findall(r"(?<!\\)&", line)) == columns - 1, line


ENGINE = next((p for p in map(shutil.which, ("pdflatex", "lualatex", "xelatex", "tectonic")) if p), None)


@pytest.mark.skipif(ENGINE is None, reason="no TeX on this machine")
def test_it_compiles(folder: Path) -> None:
    assert ENGINE is not None
    options = [] if ENGINE.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(
        [ENGINE, *options, "report.tex"], cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
