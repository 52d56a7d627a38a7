"""Writes docs/problem-file.md: every key of a problem file, from the schema that reads them.

    python docs/make_problem_file.py

tests/test_docs.py checks that the page is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
TARGET = ROOT / "docs" / "problem-file.md"
HEAD = """# Keys of a problem file

Made from the schema (`numerics.problem.schema`) by `python docs/make_problem_file.py`. Numbers in quotes are exact
rationals, unquoted decimals mean the decimal as spelled; an unknown key is an error. `[[boundary]]` tables may be repeated.
A number is `"1/3"`, `0.1` or `2`; explicit values are `{values = […]}`. [own-problem.md](own-problem.md) shows a whole file.
"""


def kind(written: Any) -> str:
    """A type as a reader of TOML would say it."""
    text = str(written) if hasattr(written, "__args__") else written.__name__
    text = text.removeprefix("typing.").replace("numerics.problem.schema.", "").replace(" | None", "")
    for long, short in (("int | str", "number"), ("str | int", "number"), ("Values", "{values}"), ("str", "text"), ("int", "integer"),
                        ("list[list[number]]", "intervals"), ("bool", "true or false"), ("Any", "")):  # fmt: skip
        text = text.replace(long, short)
    return text.replace("|", "or")


def shown(default: Any) -> str:
    """A default, as a file would spell it."""
    from numerics.problem.schema import REQUIRED, written

    if default is REQUIRED:
        return "**required**"
    value = written(default)
    return "" if value is None or value in ([], {}) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def render() -> str:
    """The whole page."""
    from numerics.problem.file import schema

    lines = [HEAD]
    for name, table in schema().items():
        lines += [f"## {'[[boundary]]' if name == 'boundary' else f'[{name}]'}", ""]
        lines += ["| key | written | default | meaning |", "| --- | --- | --- | --- |"]
        for key in table:
            about = key.about.replace("|", "\\|").replace(":attr:", "").replace(":func:", "").replace(":mod:", "")
            allowed = f" Allowed: {', '.join(f'`{a}`' for a in key.allowed)}." if key.allowed else ""
            lines.append(f"| `{key.name}` | {kind(key.kind)} | {shown(key.default)} | {about}{allowed} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
