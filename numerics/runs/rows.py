"""Rows of sweeps, one a cell: in a store, safe under processes and ``kill -9``, and as a file (CSV, JSON, Parquet).

The cells live in a table of their own beside the results of :class:`numerics.runs.store.Store`, in the same SQLite file
(write-ahead log: readers never wait for the writer, and what was committed survives the process).  A row's key is made
of everything that poses it, so that sweeps of one base that overlap share their cells; its recipe says how it was
computed.  Each row is sealed (:mod:`numerics.runs.store_file`).
"""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from numerics.runs.store import code_digest
from numerics.runs.store_file import TABLES, Damage, connected, inspect, is_sound, opened, prepare, seal, shown
from theory.base.errors import InputError
from theory.base.files import write

Status = Literal["done", "failed", "crashed"]
"""``failed``: the cell has no result, and never will; ``crashed``: it may have one when it is tried again."""


STATUSES: tuple[Status, ...] = ("done", "failed", "crashed")


@dataclass(frozen=True)
class Record:
    """A cell's row as it is stored.

    Attributes:
        key: content key of the cell.
        status: see :data:`Status`.
        content: the flat row as JSON text: the cell's keys and values, then the results.
        reason: one line for a cell without result.
        seconds: computing time.
        recipe: how it was computed (:func:`numerics.runs.sweep.recipe`); empty in rows of earlier versions.
    """

    key: str
    status: Status
    content: str
    reason: str | None
    seconds: float
    recipe: str = ""

    def row(self) -> dict[str, Any]:
        """The flat row, with ``status`` and ``reason``."""
        try:
            found = json.loads(self.content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise InputError(f"store: the cell {shown(self.key)} is damaged: its row is not a JSON object")
        return found | {"status": self.status, "reason": self.reason}

    @classmethod
    def read(cls, row: tuple[Any, ...]) -> Record:
        """A row of the table with its seal.

        Raises:
            InputError: the row is not as it was written, or a column is of another type.
        """
        if not is_sound(row):
            raise InputError(f"store: the cell {shown(row[0])} is damaged: it is not as it was written")
        key, status, content, reason, seconds, recipe, _, _ = row
        texts = all(isinstance(text, str) for text in (key, content, recipe)) and isinstance(reason, str | None)
        if not (texts and status in STATUSES and isinstance(seconds, float)):
            raise InputError(f"store: the cell {shown(key)} is damaged: a column is of another type")
        return cls(key, status, content, reason, seconds, recipe)


class SweepStore:
    """The cells kept in a file, which is made when it is absent.

    Raises:
        InputError: the file is not a store, is of another version, or cannot be read or written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._held: sqlite3.Connection | None = None
        prepare(self.path)

    def _writer(self) -> sqlite3.Connection:
        """One connection for all writing: the last to close has to fold the log into the file, which takes long."""
        if self._held is None:
            try:
                self._held = opened(self.path)
            except sqlite3.Error as error:
                raise InputError(f"{self.path}: cannot be written ({error})") from None
        return self._held

    def close(self) -> None:
        """Closes the connection that writes; the next ``put`` opens another."""
        if self._held is not None:
            held, self._held = self._held, None
            held.close()

    def put(self, records: Iterable[Record], *, replace: bool = False) -> None:
        """Stores rows in one transaction; a row with a result of the same recipe stays as it is unless ``replace``."""
        made = code_digest()
        columns = [(r.key, r.status, r.content, r.reason, float(r.seconds), r.recipe, made) for r in records]
        with connected(self.path, self._writer()) as connection:
            connection.executemany(
                "INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
                " status = excluded.status, content = excluded.content, reason = excluded.reason,"
                " seconds = excluded.seconds, recipe = excluded.recipe, made = excluded.made, seal = excluded.seal"
                f" WHERE cell.status <> 'done' OR cell.recipe <> excluded.recipe OR {int(replace)}",
                [(*row, seal(row)) for row in columns],
            )

    def inspect(self) -> Damage:
        """Looks through the whole file and takes out what is damaged; not while another process writes."""
        self.close()
        return inspect(self.path)

    def statuses(self, keys: Sequence[str] | None = None) -> dict[str, Status]:
        """Key to status of all cells, or of those asked for that are there."""
        return {record.key: record.status for record in self.records(keys)}

    def records(self, keys: Sequence[str] | None = None) -> list[Record]:
        """The cells of these keys, in their order, those that are absent left out; all cells as stored without keys.

        Raises:
            InputError: a row is damaged; :meth:`inspect` takes it out.
        """
        with connected(self.path) as connection:
            listed = ", ".join(TABLES["cell"])
            rows = connection.execute(f"SELECT {listed}, seal FROM cell ORDER BY rowid")
            if keys is None:
                return [Record.read(row) for row in rows]
            wanted = set(keys)
            found: Mapping[str, Record] = {row[0]: Record.read(row) for row in rows if row[0] in wanted}
            return [found[key] for key in keys if key in found]

    def __len__(self) -> int:
        with connected(self.path) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM cell").fetchone()[0])


def read_rows(path: Path | str) -> list[dict[str, Any]]:
    """All rows of a store as flat objects: a cell's dotted keys, its results, ``status`` and ``reason``.

    Raises:
        InputError: no such file, not a store, or a row is damaged.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    return [record.row() for record in SweepStore(path).records()]


SUFFIXES = (".csv", ".json", ".parquet")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?(/\d+)?", re.ASCII | re.IGNORECASE)
PARQUET_MARK = b"made by adfd"
"""In the metadata of Parquet."""


def check_export(path: Path) -> None:
    """Refuses, before anything is computed, an export that would fail.

    Raises:
        InputError: another suffix, no such folder, or Parquet without pyarrow.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"--export: {path.name!r}; allowed: a name that ends in {', '.join(SUFFIXES)}")
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"--export: {path}: {'is a folder' if path.is_dir() else 'no such folder'}")
    if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise InputError("--export: parquet needs the package pyarrow, which is not installed; .csv and .json do not")


def columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """All columns, in order of appearance; ``status`` and ``reason`` last."""
    names = dict.fromkeys(name for row in rows for name in row)
    last = [name for name in ("status", "reason") if name in names]
    return [name for name in names if name not in last] + last


def export(rows: Sequence[dict[str, Any]], path: Path, *, force: bool = False) -> None:
    """Writes the rows; the file appears whole or not at all, and replaces only one of the same columns.

    In CSV an absent value is empty, truth values are ``true`` and ``false``, floats have all their digits; a text that
    begins like a formula (= + - @, numbers excepted) has an apostrophe before it.

    Raises:
        InputError: as :func:`check_export`, or the file cannot be written.
    """
    check_export(path)
    content = {".csv": _csv, ".json": _json, ".parquet": _parquet}[path.suffix](rows)
    write(path, content, option="--export", force=force, known=partial(_alike, content))


def may_replace(keys: Sequence[str], path: Path) -> bool:
    """Whether a file may hold rows of a sweep over these keys, before its other columns are known."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            names = next(csv.reader([file.readline(1_000_000)]), [])
        return {*keys, "status", "reason"} <= set(names)
    if path.suffix == ".json":
        rows = json.loads(path.read_text(encoding="utf-8"))
        return isinstance(rows, list) and all({*keys, "status", "reason"} <= set(row) for row in rows[:1])
    return True  # decided when it is written


def _alike(content: bytes, path: Path) -> bool:
    """Whether a file holds rows of the same columns: neither CSV nor a list in JSON has room for a mark."""
    if path.suffix == ".json":
        first = [json.loads(text)[:1] for text in (content, path.read_bytes())]
        return [list(row) for row in first[0]] == [list(row) for row in first[1]]
    if path.suffix == ".csv":
        with path.open("rb") as file:
            return file.readline(1_000_000) == content.partition(b"\n")[0] + b"\n"
    with path.open("rb") as file:
        return file.read(4) == b"PAR1" and PARQUET_MARK in path.read_bytes()


class _Lines:
    """Takes the lines of a CSV writer."""

    end = "\r\n"

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        self.written.append(line)


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\r\n")  # what is in the terminator is quoted in a cell
    names = columns(rows)
    writer.writerow([_cell(name) for name in names])
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return "".join(f"{line.removesuffix(lines.end)}\n" for line in lines.written).encode()


def _cell(value: Any) -> Any:
    """A value as CSV has it; a text that a spreadsheet would take for a formula has an apostrophe before it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(FORMULA) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _json(rows: Sequence[dict[str, Any]]) -> bytes:
    return (json.dumps(list(rows), ensure_ascii=False, indent=0, separators=(",", ": ")) + "\n").encode()


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    import pyarrow as arrow  # type: ignore[import-not-found, import-untyped, unused-ignore]
    import pyarrow.parquet as parquet  # type: ignore[import-not-found, import-untyped, unused-ignore]

    names = columns(rows)
    table = arrow.table({name: _uniform([row.get(name) for row in rows]) for name in names})
    table = table.replace_schema_metadata({b"creator": PARQUET_MARK})
    sink = arrow.BufferOutputStream()
    parquet.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def _uniform(values: list[Any]) -> list[Any]:
    """A column of one type: numbers stay, a mixture becomes text."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        return [float(v) if kinds == {int, float} and v is not None else v for v in values]
    return [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
