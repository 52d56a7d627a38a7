"""Rows of a sweep as a file: CSV, JSON (a list of flat objects) or Parquet."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from theory.errors import InputError
from theory.files import write

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
