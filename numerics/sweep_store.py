"""Results of sweeps in a store: one row a cell, safe under several processes and under ``kill -9``.

The cells live in a table of their own beside the results of :class:`numerics.store.Store`, in the same SQLite file
(write-ahead log: readers never wait for the writer, and what was committed survives the process).  A row's key is made
of everything that determines it, so that sweeps of one base that overlap share their cells.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numerics.store import Store
from theory.errors import InputError

LAYOUT = 1
"""Version of the table; another version is refused, never guessed at."""

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
    """

    key: str
    status: Status
    content: str
    reason: str | None
    seconds: float

    def row(self) -> dict[str, Any]:
        """The flat row, with ``status`` and ``reason``."""
        try:
            found = json.loads(self.content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise InputError(f"store: the cell {self.key[:40]!r} is damaged: its row is not a JSON object")
        return found | {"status": self.status, "reason": self.reason}

    @classmethod
    def read(cls, row: tuple[Any, ...]) -> Record:
        """A row of the table; SQLite keeps any type in any column.

        Raises:
            InputError: a column of another type than it is written with.
        """
        key, status, content, reason, seconds = row
        texts = isinstance(key, str) and isinstance(content, str) and isinstance(reason, str | None)
        if not (texts and status in STATUSES and isinstance(seconds, float | int)):
            raise InputError(f"store: the cell {str(key)[:40]!r} is damaged: a column is of another type")
        return cls(key, status, content, reason, float(seconds))


class SweepStore:
    """The cells kept in a file, which is made when it is absent.

    Raises:
        InputError: the file is not a store, is of another version, or cannot be read or written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._held: sqlite3.Connection | None = None
        Store(self.path)  # makes the file, or refuses one that is something else
        with self._connection() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS layout (name TEXT PRIMARY KEY, version INTEGER NOT NULL)")
            connection.execute("INSERT OR IGNORE INTO layout VALUES ('cell', ?)", (LAYOUT,))
            (version,) = connection.execute("SELECT version FROM layout WHERE name = 'cell'").fetchone()
            if version != LAYOUT:
                raise InputError(f"{self.path}: has cells of version {version}; this program reads version {LAYOUT}")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS cell (key TEXT PRIMARY KEY, status TEXT NOT NULL, content TEXT NOT NULL,"
                " reason TEXT, seconds REAL NOT NULL)"
            )

    @contextmanager
    def _connection(self, held: sqlite3.Connection | None = None) -> Iterator[sqlite3.Connection]:
        """A transaction, on a connection of its own unless one is held open."""
        try:
            if held is not None:
                with held:
                    yield held
                return
            with closing(sqlite3.connect(str(self.path), timeout=60)) as connection, connection:
                connection.execute("PRAGMA synchronous=NORMAL")
                yield connection
        except (sqlite3.Error, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self.path}: is not a store, or cannot be read or written ({error})") from None

    def _writer(self) -> sqlite3.Connection:
        """One connection for all writing: the last to close has to fold the log into the file, which takes long."""
        if self._held is None:
            try:
                self._held = sqlite3.connect(str(self.path), timeout=60)
                self._held.execute("PRAGMA synchronous=NORMAL")
            except sqlite3.Error as error:
                raise InputError(f"{self.path}: cannot be written ({error})") from None
        return self._held

    def close(self) -> None:
        """Closes the connection that writes; the next ``put`` opens another."""
        if self._held is not None:
            held, self._held = self._held, None
            held.close()

    def put(self, records: Iterable[Record]) -> None:
        """Stores rows in one transaction; a row with a result stays as it is, one without is replaced."""
        rows = [(r.key, r.status, r.content, r.reason, r.seconds) for r in records]
        with self._connection(self._writer()) as connection:
            connection.executemany(
                "INSERT INTO cell VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET status = excluded.status,"
                " content = excluded.content, reason = excluded.reason, seconds = excluded.seconds"
                " WHERE cell.status <> 'done'",
                rows,
            )

    def statuses(self, keys: Sequence[str] | None = None) -> dict[str, Status]:
        """Key to status of all cells, or of those asked for that are there."""
        with self._connection() as connection:
            if keys is None:
                return dict(connection.execute("SELECT key, status FROM cell"))
            found: dict[str, Status] = {}
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                found.update(connection.execute(f"SELECT key, status FROM cell WHERE key IN ({marks})", part))
            return found

    def records(self, keys: Sequence[str] | None = None) -> list[Record]:
        """The cells of these keys, in their order, those that are absent left out; all cells as stored without keys."""
        with self._connection() as connection:
            rows = connection.execute("SELECT key, status, content, reason, seconds FROM cell ORDER BY rowid")
            if keys is None:
                return [Record.read(row) for row in rows]
            wanted = set(keys)
            found: Mapping[str, Record] = {row[0]: Record.read(row) for row in rows if row[0] in wanted}
            return [found[key] for key in keys if key in found]

    def __len__(self) -> int:
        with self._connection() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM cell").fetchone()[0])


def read_rows(path: Path | str) -> list[dict[str, Any]]:
    """All rows of a store as flat objects: a cell's dotted keys, its results, ``status`` and ``reason``.

    Raises:
        InputError: no such file, or not a store.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    return [record.row() for record in SweepStore(path).records()]
