"""Writes docs/api.md: every module with the first lines of its docstring and its public functions and classes.

    python docs/make_api.py

Reads the sources without running them; tests/test_docs.py checks that the file is up to date.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "api.md"
ROOMS = {
    "theory": "Exact mathematics",
    "numerics": "Numbers",
    "proofs_check": "Judgement, advice, report, command line",
}


def first_line(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The first paragraph of a docstring as one line; empty without one."""
    text = (ast.get_docstring(node) or "").split("\n\n")[0]
    return " ".join(text.split())


def module_entry(path: Path, tree: ast.Module) -> str:
    """A module's row: its name, purpose and public names."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    name = "adfd" if name == "proofs_check.adfd" else name  # as it is installed
    public = [
        f"`{node.name}`"
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and first_line(node)
    ]
    about = first_line(tree).replace("|", "\\|")
    return f"| `{name}` | {about} | {', '.join(public)} |"


def render() -> str:
    """The whole page."""
    lines = ["# Modules", "", "Made from the docstrings by `python docs/make_api.py`; each has shapes, arithmetic, errors,",
             "sources and examples in full (`python -m pydoc MODULE`).", ""]  # fmt: skip
    for room, about in ROOMS.items():
        lines += [f"## {room}: {about}", "", "| module | about | public |", "| --- | --- | --- |"]
        for path in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if first_line(tree):
                lines.append(module_entry(path, tree))
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
