"""Results of sweeps in a store: one row a cell, safe under several processes and under ``kill -9``.

The cells live in a table of their own beside the results of :class:`numerics.store.Store`, in the same SQLite file
(write-ahead log: readers never wait for the writer, and what was committed survives the process).  A row's key is made
of everything that poses it, so that sweeps of one base that overlap share their cells; its recipe says how it was
computed.  Each row is sealed (:mod:`numerics.store_file`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numerics.sources import code_digest
from numerics.store_file import TABLES, Damage, connected, inspect, is_sound, opened, prepare, seal, shown
from theory.errors import InputError

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
        recipe: how it was computed (:func:`numerics.sweep_recipe.recipe`); empty in rows of earlier versions.
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
