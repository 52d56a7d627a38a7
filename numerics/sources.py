"""Which sources and libraries a value comes from: the digest that stored verdicts are kept under.

A verdict must not survive a change of the code that made it.  What a module reaches is read off its import statements
(the rooms import nothing under a name that is computed, but for the tables of commands and claims; a module that does
so counts as reaching everything), so that a change elsewhere, of the report or of a command, costs no verdict.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("theory", "numerics", "proofs_check")
LIBRARIES = {"flint": "python-flint"}
"""Distributions whose name is not that of the module."""
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]*)|import[ \t]+([^\n#;]*))", re.MULTILINE
)
_COMPUTED = re.compile(r"\b(?:import_module|__import__|spec_from_file_location)\(")


@cache
def modules() -> dict[str, Path]:
    """Every module of the three rooms by its dotted name; a package by its own name."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def code_digest() -> str:
    """A digest of all sources: says which program made a value."""
    return _digest(modules())


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports, anywhere in it: modules of the rooms (with their packages) and other top-level names.

    Read off the text, which takes a tenth of the time of parsing it; a text in quotes that looks like an import counts
    too.  A module that imports by a name that is computed imports every module of the rooms.
    """
    known = modules()
    text = known[module].read_text(encoding="utf-8")
    if _COMPUTED.search(text):
        return frozenset(known)
    package = module if known[module].name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for base, listed, plain in _IMPORT.findall(text):
        names = [name.split()[0] for name in plain.split(",") if name.strip()]
        if base:
            dots = len(base) - len(base.lstrip("."))
            if dots:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - dots + 1], *filter(None, [base[dots:]])])
            listed = re.sub(r"#.*", "", listed).strip("() \t\n")
            names = [base, *(f"{base}.{name.split()[0]}" for name in listed.split(",") if name.strip())]
        for name in names:
            if name.partition(".")[0] not in ROOMS:
                found.add(name.partition(".")[0])
                continue
            parts = name.split(".")
            found.update(one for k in range(1, len(parts) + 1) if (one := ".".join(parts[:k])) in known)
    return frozenset(found)


@cache
def reached(*roots: str) -> frozenset[str]:
    """The modules of the rooms and the top-level names of others that these modules reach, themselves included.

    >>> "theory.errors" in reached("theory.exact"), "numerics.spectra" in reached("theory.exact")
    (True, False)
    """
    found: set[str] = set()
    left = list(roots)
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            if one in modules():
                left.extend(imports(one))
    return frozenset(found)


@cache
def recipe(*roots: str, alone: tuple[str, ...] = ()) -> str:
    """A digest of all that a value made by these modules may depend on: sources, data, libraries, Python, device.

    Of the modules in ``alone`` the source counts, but not what they reach.
    """
    names = reached(*roots) | set(alone)
    data = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / "proofs_check" / "problems").glob("*.toml"))}
    sources = {name: path for name, path in modules().items() if name in names}
    lines = [_digest(sources | data), *libraries(names - sources.keys()), device()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def libraries(names: frozenset[str]) -> list[str]:
    """Python and those of these top-level modules that are installed packages, with their versions."""
    found = [f"python {sys.version_info[0]}.{sys.version_info[1]}"]
    for name in sorted(names - sys.stdlib_module_names):
        try:
            found.append(f"{name} {version(LIBRARIES.get(name, name))}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return found


def device() -> str:
    """Where torch would compute, as far as can be told without importing it."""
    chosen = os.environ.get("ADFD_DEVICE") or "auto"
    return chosen if chosen != "auto" else f"auto {os.path.exists('/dev/nvidiactl')}"


def _digest(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        content = path.read_bytes()
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
