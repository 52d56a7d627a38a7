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
        self._memory: dict[str, Any] = {}
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
                )
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                if version not in (0, SCHEMA):
                    raise InputError(f"{self.path}: a store of version {version}; this program reads version {SCHEMA}")
                connection.execute(f"PRAGMA user_version={SCHEMA}")
        except sqlite3.Error as error:
            raise InputError(f"{self.path}: is not a store, or cannot be opened ({error})") from None
        except OSError as error:
            raise InputError(f"{self.path}: cannot be opened ({error.strerror})") from None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(str(self.path), timeout=60)) as connection, connection:
            yield connection

    def get(self, key: str) -> Any | None:
        """The value of a key, or None."""
        if self.path is None:
            return self._memory.get(key)
        with self._connection() as connection:
            row = connection.execute("SELECT value FROM result WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, key: str, value: Any) -> None:
        """Stores a value (JSON types); a value already there stays."""
        self.put_many([(key, value)])

    def put_many(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Stores several values in one transaction."""
        if self.path is None:
            for key, value in pairs:
                self._memory.setdefault(key, value)
            return
        rows = [(key, json.dumps(value, separators=(",", ":"))) for key, value in pairs]
        try:
            with self._connection() as connection:
                connection.executemany("INSERT OR IGNORE INTO result VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            raise InputError(f"{self.path}: cannot be written ({error})") from None

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` that have no value yet, in order, each once."""
        wanted = list(dict.fromkeys(keys))
        if self.path is None:
            return [key for key in wanted if key not in self._memory]
        with self._connection() as connection:
            known = {key for (key,) in connection.execute("SELECT key FROM result")}
        return [key for key in wanted if key not in known]

    def __len__(self) -> int:
        if self.path is None:
            return len(self._memory)
        with self._connection() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM result").fetchone()[0])
