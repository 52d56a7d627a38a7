"""Writes docs/formulas-index.md: every formula with the function that computes it, its file, its source, the claims that
judge it and the command that runs it.

    python docs/make_formulas.py

Reads the table docs/formulas.toml.  A function, claim or command that is not there is an error; which claims judge a
function is asked of the ledger.  tests/test_docs.py checks that the page is up to date, and that the commands run it.
"""

from __future__ import annotations

import inspect
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
TABLE = ROOT / "docs" / "formulas.toml"
TARGET = ROOT / "docs" / "formulas-index.md"
HEAD = """# Index of formulas

Made from docs/formulas.toml by `python docs/make_formulas.py`, which checks that every function, claim and command is
there. A claim in brackets judges another function, which uses this one. `adfd show CLAIM` prints the statement, the evidence and the functions that are judged; [formulas.md](formulas.md)
says what the formulas mean.
"""


@dataclass(frozen=True)
class Formula:
    """A row: what it is called, the formula, the dotted name of its function, source, command, and claims through others.

    ``through``: claims that judge another function, which uses this one.
    """

    name: str
    formula: str
    function: str
    source: str
    command: str
    through: tuple[str, ...] = ()

    def found(self) -> tuple[Any, str]:
        """The function and the module that defines it.

        Raises:
            LookupError: there is none.
        """
        parts = self.function.split(".")
        for k in range(len(parts) - 1, 0, -1):
            try:
                found = module = import_module(".".join(parts[:k]))
            except ModuleNotFoundError:
                continue
            for part in parts[k:]:
                found = getattr(found, part, None)
            if found is not None:
                return found, module.__name__
        raise LookupError(f"{self.name}: there is no {self.function}")

    @property
    def claims(self) -> tuple[str, ...]:
        """Those that judge the function, then in brackets those that do through another.

        Raises:
            LookupError: one that is not there, or none at all.
        """
        direct = judged().get(self.function, [])
        through = [one for one in self.through if one not in direct]
        if unknown := set(through) - known():
            raise LookupError(f"{self.name}: there is no claim {', '.join(unknown)}")
        if not direct and not through:
            raise LookupError(f"{self.name}: no claim judges {self.function}")
        return (*(f"`{one}`" for one in direct), *(f"(`{one}`)" for one in through))

    def row(self) -> str:
        """The row of the page."""
        found, module = self.found()
        home = inspect.getmodule(found) if callable(found) else None
        path = (home.__name__ if home is not None else module).replace(".", "/")
        words = command_of(self.command)
        if words is None:
            raise LookupError(f"{self.name}: there is no command {self.command!r}")
        cells = (self.name, self.formula, f"`{self.function.removeprefix(f'{module}.')}`", f"`{path}.py`", self.source,
                 ", ".join(self.claims), f"`{self.command}`")  # fmt: skip
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


@cache
def known() -> frozenset[str]:
    """The claims of the ledger."""
    from proofs_check.ledger.ledger import all_claims

    return frozenset(claim.id for claim in all_claims())


@cache
def judged() -> dict[str, list[str]]:
    """The claims by the functions that they judge."""
    from proofs_check.ledger.ledger import all_claims

    found: dict[str, list[str]] = {}
    for claim in all_claims():
        for name in claim.judged:
            found.setdefault(name, []).append(claim.id)
    return found


def command_of(text: str) -> tuple[str, ...] | None:
    """The words of a command that is there; for ``adfd verify`` the claims are checked too."""
    from typer.main import get_command

    from proofs_check.cli.main import app

    program, *words = text.split()
    node: Any = get_command(app)
    path: tuple[str, ...] = ()
    while words and hasattr(node, "commands") and words[0] in node.commands:
        node = node.commands[words[0]]
        path += (words.pop(0),)
    rest_is_known = set(words) <= known() if path == ("verify",) else not words
    return path if program == "adfd" and not hasattr(node, "commands") and rest_is_known else None


def table() -> dict[str, list[Formula]]:
    """The rows by subject."""
    content = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        subject["name"]: [Formula(*row[:5], tuple(row[5:])) for row in subject["rows"]]
        for subject in content["subject"]
    }


def render() -> str:
    """The whole page."""
    lines = [HEAD]
    for subject, rows in table().items():
        lines += [
            f"## {subject}",
            "",
            "| what | formula | function | file | source | claims | command |",
            "| --- " * 7 + "|",
        ]
        lines += [*(row.row() for row in rows), ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
