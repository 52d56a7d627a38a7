"""A content-keyed store of results: one SQLite file, safe under several processes and under ``kill -9``.

Keys are made of everything that determines the value, so that a stored value is never stale: the same key is the same
computation.  Writers commit one result at a time; what is committed is never lost and never computed twice.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from theory.errors import InputError

SCHEMA = 1
"""Version of the layout; another version is refused, never guessed at."""


def content_key(kind: str, content: Any) -> str:
    """The key of a computation: its kind and everything that determines it (JSON types), hashed."""
    text = json.dumps([kind, content], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


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
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:  # a ValueError for a null byte in the name
            raise InputError(f"{str(path)[:200]!r}: cannot be opened ({error})") from None
        with self._connection() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            others = [name for (name,) in connection.execute("SELECT name FROM sqlite_master") if name != "result"]
            if version not in (0, SCHEMA) or (version == 0 and others):
                raise InputError(f"{self.path}: is not a store of version {SCHEMA}; it is left as it is")
            if version == 0:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
                )
                connection.execute(f"PRAGMA user_version={SCHEMA}")
            connection.execute("SELECT key, value FROM result LIMIT 1")

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keeps the file open: the last connection that closes writes the journal back, which takes far longer than
        a result; while one is held, none is the last.  Not to be held over a fork.
        """
        if self.path is None:
            yield
            return
        with self._connection() as connection:
            connection.execute("SELECT key FROM result LIMIT 1").fetchone()
            yield

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(str(self.path), timeout=60)) as connection, connection:
                # A commit is in the hands of the system, which a kill does not touch; only a loss of power could
                # take the last ones back.  Waiting for the disk each time costs more than most results.
                connection.execute("PRAGMA synchronous=NORMAL")
                yield connection
        except (sqlite3.Error, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self.path}: is not a store, or cannot be read or written ({error})") from None

    def get(self, key: str) -> Any | None:
        """The value of a key, or None."""
        if self.path is None:
            return json.loads(self._memory[key]) if key in self._memory else None
        with self._connection() as connection:
            row = connection.execute("SELECT value FROM result WHERE key = ?", (key,)).fetchone()
            return None if row is None else self._value(row[0])

    def values(self, prefix: str) -> list[Any]:
        """The values of all keys that start with ``prefix`` (letters and a colon)."""
        if self.path is None:
            return [json.loads(text) for key, text in self._memory.items() if key.startswith(prefix)]
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT value FROM result WHERE key >= ? AND key < ?", (prefix, prefix + "\uffff")
            )
            return [self._value(text) for (text,) in rows]

    def _value(self, text: Any) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError, RecursionError):
            raise InputError(f"{self.path}: is damaged: a result is not JSON") from None

    def put(self, key: str, value: Any) -> None:
        """Stores a value (JSON types); a value already there stays."""
        self.put_many([(key, value)])

    def put_many(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Stores several values in one transaction."""
        rows = [(key, json.dumps(value, separators=(",", ":"))) for key, value in pairs]
        if self.path is None:
            for key, text in rows:
                self._memory.setdefault(key, text)
            return
        with self._connection() as connection:
            connection.executemany("INSERT OR IGNORE INTO result VALUES (?, ?)", rows)

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` that have no value yet, in order, each once."""
        wanted = list(dict.fromkeys(keys))
        if self.path is None:
            return [key for key in wanted if key not in self._memory]
        known: set[str] = set()
        with self._connection() as connection:
            for start in range(0, len(wanted), 500):  # SQLite allows 999 variables at least
                part = wanted[start : start + 500]
                marks = ",".join("?" * len(part))
                known.update(k for (k,) in connection.execute(f"SELECT key FROM result WHERE key IN ({marks})", part))
        return [key for key in wanted if key not in known]

    def __len__(self) -> int:
        if self.path is None:
            return len(self._memory)
        with self._connection() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM result").fetchone()[0])
