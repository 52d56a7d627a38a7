"""A content-keyed store of results in one SQLite file, and the digest of the sources that a result comes from.

A verdict must not survive a change of the code that made it.  What a module reaches is read off its import statements
(the rooms import nothing under a name that is computed, but for the tables of commands and claims; a module that does
so counts as reaching everything), so that a change elsewhere, of the report or of a command, costs no verdict.

The store is safe under several processes and under ``kill -9``.  Keys are made of everything that determines the value, so that a stored value is never stale: the same key is the same
computation.  A key may end in a recipe, ``kind:question@recipe``, which says how the question was answered; a row of an
older recipe is known to be one, is computed again and replaced.  Writers commit one result at a time; what is committed
is never lost and never computed twice.  What is damaged is refused (:mod:`numerics.runs.store_file`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from numerics.runs.store_file import SCHEMA, Damage, connected, inspect, is_sound, opened, prepare, refuse, seal

ROOT = Path(__file__).resolve().parents[2]
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
    """A digest of all sources: says which program made a value; the same in a checkout and where it is installed.

    The face ``proofs_check.adfd``, which is installed as a package of its own, hands names on and makes none.
    """
    return _digest({name: path for name, path in modules().items() if name != "proofs_check.adfd"})


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports, anywhere in it: modules of the rooms (with their packages) and other top-level names.

    Read off the text, which takes a tenth of the time of parsing it; a text in quotes that looks like an import counts
    too.  A module that imports by a name that is computed imports every module of the rooms.
    The face of a room (its ``__init__``) imports nothing: it hands names on to users, and no module asks it for one.
    """
    known = modules()
    if module in ROOMS:
        return frozenset()
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

    >>> "theory.base.errors" in reached("theory.base.exact"), "numerics.spectra.spectrum" in reached("theory.base.exact")
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


__all__ = ["SCHEMA", "Store", "content_key"]

MOST = 500
"""Keys that are looked up at once: SQLite allows 999 variables at least."""


def content_key(kind: str, content: Any, recipe: str = "") -> str:
    """The key of a computation: its kind and everything that determines it (JSON types), hashed, and its recipe.

    The recipe (letters and digits) is raised when the same question may be answered differently; without one, it is the
    first.
    """
    text = json.dumps([kind, content], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    key = f"{kind}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    return f"{key}@{recipe}" if recipe else key


class Store:
    """Results by content key, as JSON.

    Args:
        path: the file, created when absent; None keeps the results of this process in memory.

    Raises:
        InputError: the file is not such a store, or cannot be opened or written.
    """

    def __init__(self, path: Path | str | None) -> None:
        self.path = None if path is None else Path(path)
        self._memory: dict[str, str] = {}
        self._kept: sqlite3.Connection | None = None
        if self.path is not None:
            prepare(self.path)

    def keep_connected(self) -> None:
        """One connection for all that this process does from now on: opening one takes as long as most results.

        For a worker process, which ends with its work; not to be followed by a fork.
        """
        if self.path is not None and self._kept is None:
            with connected(self.path):  # what is wrong with the file is said as ever
                self._kept = opened(self.path)

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keeps the file open: the last connection that closes writes the journal back, which takes far longer than
        a result; while one is held, none is the last.  Not to be held over a fork.
        """
        if self.path is None:
            yield
            return
        with connected(self.path) as connection:
            connection.execute("SELECT key FROM result LIMIT 1").fetchone()
            yield

    def inspect(self) -> Damage:
        """Looks through the whole file and takes out what is damaged; not while another process writes."""
        return Damage() if self.path is None else inspect(self.path)

    def get(self, key: str) -> Any | None:
        """The value of a key, or None; a row that is damaged is taken out."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Sequence[str]) -> dict[str, Any]:
        """The values of those keys that have one; damaged rows are taken out."""
        if self.path is None:
            return {key: json.loads(self._memory[key]) for key in keys if key in self._memory}
        found: dict[str, Any] = {}
        for start in range(0, len(keys), MOST):
            found |= self._found(keys[start : start + MOST])
        return found

    def _found(self, keys: Sequence[str]) -> dict[str, Any]:
        """The values of those of up to :data:`MOST` keys that have one."""
        marks = ",".join("?" * len(keys))
        with connected(self.path, self._kept) as connection:
            rows = connection.execute(f"SELECT key, value, made, seal FROM result WHERE key IN ({marks})", keys)
            return self._sound(connection, rows.fetchall())

    def _sound(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
        refuse(connection, "result", [row for row in rows if not is_sound(row)])
        return {row[0]: json.loads(row[1]) for row in rows if is_sound(row)}

    def values(self, prefix: str) -> list[Any]:
        """The values of all keys that start with ``prefix`` (letters and a colon); damaged rows are taken out."""
        if self.path is None:
            return [json.loads(text) for key, text in self._memory.items() if key.startswith(prefix)]
        with connected(self.path, self._kept) as connection:
            rows = connection.execute(
                "SELECT key, value, made, seal FROM result WHERE key >= ? AND key < ?", (prefix, prefix + "\uffff")
            )
            return list(self._sound(connection, rows.fetchall()).values())

    def put(self, key: str, value: Any) -> None:
        """Stores a value (JSON types); a value already there stays, one of another recipe goes."""
        self.put_many([(key, value)])

    def put_many(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Stores several values in one transaction."""
        rows = [(key, json.dumps(value, separators=(",", ":"))) for key, value in pairs]
        if self.path is None:
            for key, text in rows:
                for old in self._others(key):
                    del self._memory[old]
                self._memory.setdefault(key, text)
            return
        made = code_digest()
        with connected(self.path, self._kept) as connection:
            for key, text in rows:
                if "@" in key:
                    stem = key.partition("@")[0]
                    connection.execute(
                        "DELETE FROM result WHERE key > ? AND key < ? AND key <> ?", (f"{stem}@", f"{stem}A", key)
                    )  # "A" comes after "@"
                row = key, text, made
                connection.execute("INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?)", (*row, seal(row)))

    def _others(self, key: str) -> list[str]:
        """Keys in memory of the same question with another recipe."""
        stem, at, _ = key.partition("@")
        return [k for k in self._memory if at and k.startswith(f"{stem}@") and k != key]

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` that have no sound value yet, in order, each once."""
        wanted = list(dict.fromkeys(keys))
        if self.path is None:
            return [key for key in wanted if key not in self._memory]
        known = self.get_many(wanted)
        return [key for key in wanted if key not in known]

    def outdated(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` whose question has been answered by another recipe only."""
        absent = [key for key in self.missing(keys) if "@" in key]
        if self.path is None:
            return [key for key in absent if self._others(key)]
        with connected(self.path, self._kept) as connection:
            found = connection.execute("SELECT key FROM result WHERE key LIKE '%@%'")
            stems = {str(key).partition("@")[0] for (key,) in found}
        return [key for key in absent if key.partition("@")[0] in stems]

    def forget(self, keys: Iterable[str], keep: Iterable[str] = ()) -> None:
        """Removes the values of these keys, and those of every kind that is not in ``keep``."""
        kept = tuple(keep)
        gone = set(keys)
        if self.path is None:
            for key in list(self._memory):
                if key in gone or key.partition(":")[0] not in kept:
                    del self._memory[key]
            return
        with connected(self.path, self._kept) as connection:
            connection.executemany("DELETE FROM result WHERE key = ?", [(key,) for key in gone])
            marks = ",".join("?" * len(kept))
            connection.execute(f"DELETE FROM result WHERE substr(key, 1, instr(key, ':') - 1) NOT IN ({marks})", kept)

    def __len__(self) -> int:
        if self.path is None:
            return len(self._memory)
        with connected(self.path, self._kept) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM result").fetchone()[0])
