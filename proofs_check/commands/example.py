"""``adfd example``: the shipped problem files."""

from __future__ import annotations

import sys
from importlib.resources import files

from proofs_check.commands.output import console, emit, table
from theory.errors import InputError
from theory.expressions import nearest


def shipped() -> dict[str, str]:
    """Name and text of every shipped problem file."""
    folder = files("proofs_check") / "problems"
    found = {
        p.name.removesuffix(".toml"): p.read_text(encoding="utf-8")
        for p in folder.iterdir()
        if p.name.endswith(".toml")
    }
    return dict(sorted(found.items()))


def _headline(text: str) -> str:
    first = text.splitlines()[0]
    return first.lstrip("# ") if first.startswith("#") else ""


def example(*, name: str | None, as_json: bool) -> int:
    """Lists the files, or prints one."""
    known = shipped()
    if name is None:
        listed = [{"name": n, "about": _headline(text)} for n, text in known.items()]
        if as_json:
            emit({"examples": listed})
        else:
            table("Shipped problems", ["name", "about"], [[e["name"], e["about"]] for e in listed])
            console.print("print one: adfd example poisson > poisson.toml", markup=False)
        return 0
    if name not in known:
        raise InputError(f"example {name!r}: unknown; {nearest(name, known)}allowed: {', '.join(known)}")
    if as_json:
        emit({"name": name, "toml": known[name]})
    else:
        sys.stdout.write(known[name])
    return 0
