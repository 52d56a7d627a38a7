"""The SQLite file behind a store: its layout, the seal of each row, and what becomes of one that is damaged.

Where SQLite itself refuses the file or a part of it, rows are read from its pages one by one.  Nothing that leads to a page has to be sound: not the header, the schema, the tree or the file's length.  A row is one if
its seal says so, and a seal is of all its columns, so that no row of anything else can be taken for one.  Format:
https://www.sqlite.org/fileformat2.html (sections 1.3, 1.6, 2 and 4.1).

Each row carries a checksum of all its columns, so that a bit flipped on a disk or a verdict edited by hand is found when
the row is read: the row is refused by name and computed again, the others stay.  A table's rows are counted by triggers,
so that rows that are gone are missed.  A file whose pages are damaged is set aside and its sound rows are copied to a
new one; rows that SQLite cannot reach any more are read from the pages themselves (:mod:`numerics.runs.store_file`).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from theory.base.errors import InputError, printable
from theory.base.files import check_output

_LEAF_TABLE, _LEAF_INDEX, _INNER_INDEX = 0x0D, 0x0A, 0x02
_USUAL = 4096
_COLUMNS = 16
"""At most so many in a row of ours."""
_LARGEST = 100_000_000
"""Bytes of one row."""


def rows(path: Path, is_sound: Callable[[Sequence[Any]], bool]) -> Iterator[tuple[Any, ...]]:
    """Every sound row on any page of a file and of its write-ahead log, also rows that were deleted or replaced.

    Args:
        path: the file.
        is_sound: judges a row by its columns, as SQLite would return them (its reals as numbers of either kind).

    Raises:
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    size = int.from_bytes(content[16:18], "big")
    size = 65_536 if size == 1 else size
    if size < 512 or size & (size - 1):
        size = _USUAL
    pages = [content[start : start + size] for start in range(0, len(content), size)]
    number = dict(enumerate(pages, 1))
    log = path.with_name(path.name + "-wal")
    if log.is_file():
        frames = log.read_bytes()[32:]
        for start in range(0, len(frames), 24 + size):
            page = frames[start + 24 : start + 24 + size]
            number[int.from_bytes(frames[start : start + 4], "big")] = page
            pages.append(page)
    left = 20 * (len(content) + size)  # work is bounded, whatever pages point to
    for index, page in enumerate(pages):
        for payload in _payloads(page, 100 if index == 0 else 0, size, number):
            left -= len(payload)
            if left < 0:
                return
            with suppress(ValueError, IndexError, struct.error):
                row = _record(payload)
                if is_sound(row):
                    yield row


def _payloads(page: bytes, start: int, size: int, number: dict[int, bytes]) -> Iterator[bytes]:
    """The records of a page's cells, with what of them is on other pages; no bytes are reserved at a page's end."""
    kind = page[start] if start < len(page) else 0
    if kind not in (_LEAF_TABLE, _LEAF_INDEX, _INNER_INDEX):
        return
    first = start + (12 if kind == _INNER_INDEX else 8)
    most = size - 35 if kind == _LEAF_TABLE else (size - 12) * 64 // 255 - 23
    least = (size - 12) * 32 // 255 - 23
    for k in range(min(int.from_bytes(page[start + 3 : start + 5], "big"), size // 2)):
        with suppress(IndexError, ValueError):
            at = int.from_bytes(page[first + 2 * k : first + 2 * k + 2], "big")
            at += 4 if kind == _INNER_INDEX else 0
            length, at = _varint(page, at)
            if kind == _LEAF_TABLE:
                _, at = _varint(page, at)
            if length > min(_LARGEST, size * len(number)):
                continue
            here = length
            if length > most:
                here = least + (length - least) % (size - 4)
                here = here if here <= most else least
            payload = page[at : at + here]
            kinds, header = _kinds(payload)
            if header + sum(map(_width, kinds)) != length:
                continue
            follows = int.from_bytes(page[at + here : at + here + 4], "big") if here < length else 0
            while len(payload) < length and follows in number:
                follows, more = int.from_bytes(number[follows][:4], "big"), number[follows][4:size]
                if not more:
                    break
                payload += more
            yield payload[:length]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to nine bytes, and where the next one begins."""
    value = 0
    for k in range(8):
        byte = data[at + k]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + k + 1
    return value << 8 | data[at + 8], at + 9


_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def _kinds(payload: bytes) -> tuple[list[int], int]:
    """The types of a record's values, and the length of its header."""
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
        if len(kinds) > _COLUMNS or kind in (10, 11):
            raise ValueError
    return kinds, end


def _width(kind: int) -> int:
    return _INTEGERS.get(kind, 8 if kind == 7 else max(0, (kind - 12) // 2))


def _record(payload: bytes) -> tuple[Any, ...]:
    """The values of a record: NULL, integers, reals, texts, bytes."""
    kinds, at = _kinds(payload)
    values: list[Any] = []
    for kind in kinds:
        part = payload[at : at + _width(kind)]
        if len(part) < _width(kind):
            raise ValueError
        at += len(part)
        if kind in _INTEGERS:
            values.append(int.from_bytes(part, "big", signed=True))
        elif kind == 7:
            values.append(struct.unpack(">d", part)[0])
        elif kind >= 12:
            values.append(part.decode() if kind % 2 else part)
        else:
            values.append({0: None, 8: 0, 9: 1}[kind])
    return tuple(values)


SCHEMA = 2
"""Version of the layout; 1, which had no seals, is brought up to date, and others are refused, never guessed at."""
APPLICATION = int.from_bytes(b"adfd")
"""SQLite's application id of the files that adfd makes."""
TABLES: dict[str, tuple[str, ...]] = {
    "result": ("key", "value", "made"),
    "cell": ("key", "status", "content", "reason", "seconds", "recipe", "made"),
}
"""The tables and the columns that a seal is about."""
_CREATE = (
    "CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, value TEXT NOT NULL, made TEXT NOT NULL DEFAULT '',"
    " seal TEXT NOT NULL DEFAULT '') WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS cell (key TEXT PRIMARY KEY, status TEXT NOT NULL, content TEXT NOT NULL, reason TEXT,"
    " seconds REAL NOT NULL, recipe TEXT NOT NULL DEFAULT '', made TEXT NOT NULL DEFAULT '',"
    " seal TEXT NOT NULL DEFAULT '')",
    "CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, rows INTEGER NOT NULL)",
)
REALS = {"result": (), "cell": (4,)}
"""Places of real numbers among the columns: on a page, whole ones are integers."""
NAMED = 5
"""At most so many refused rows are named in a line."""


class DamagedStoreError(InputError):
    """The file is not an SQLite file, or its pages do not hold together."""


@dataclass(frozen=True)
class Damage:
    """What was wrong with a store, and has been put right by leaving it out.

    Attributes:
        refused: keys of the rows whose seal did not match.
        lost: how many rows fewer there are than were written; negative where there are more.
        uncounted: whether the count of rows itself is gone.
        aside: where the damaged file was put, when its pages were damaged.
    """

    refused: tuple[str, ...] = ()
    lost: int = 0
    uncounted: bool = False
    aside: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.refused or self.lost or self.uncounted or self.aside)

    def text(self) -> str:
        """One line."""
        parts = []
        if self.aside:
            parts.append(f"its pages are damaged; sound rows were copied, and the file was kept as {self.aside.name}")
        if self.refused:
            more = f" and {len(self.refused) - NAMED} more" if len(self.refused) > NAMED else ""
            named = ", ".join(shown(key) for key in self.refused[:NAMED])
            parts.append(f"{len(self.refused)} damaged rows are refused: {named}{more}")
        if self.lost:
            parts.append(f"{abs(self.lost)} rows {'are gone' if self.lost > 0 else 'too many'}")
        if self.uncounted:
            parts.append("the count of its rows is gone")
        return "; ".join(parts)


def shown(key: object) -> str:
    """A key as it may be printed."""
    return printable(key)[:40] if isinstance(key, str) else f"({type(key).__name__})"


def seal(columns: Iterable[Any]) -> str:
    """The checksum of a row's columns."""
    text = json.dumps(list(columns), separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def is_sound(row: Sequence[Any]) -> bool:
    """Whether a row, its seal last, is as it was written."""
    try:
        return bool(row[-1] == seal(row[:-1]))
    except (TypeError, ValueError, RecursionError):  # SQLite keeps any type in any column
        return False


def opened(path: Path | None) -> sqlite3.Connection:
    """A connection that does not wait for the disk.

    A commit is in the hands of the system, which a kill does not touch; only a loss of power could take the last ones
    back.  Waiting for the disk each time costs more than most results.
    """
    connection = sqlite3.connect(str(path), timeout=60)
    try:
        connection.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def connected(path: Path | None, held: sqlite3.Connection | None = None) -> Iterator[sqlite3.Connection]:
    """A transaction, on a connection of its own unless one is held open.

    Raises:
        InputError: the file is not a store, or cannot be read or written.
    """
    try:
        if held is not None:
            with held:
                yield held
            return
        with closing(opened(path)) as connection, connection:
            yield connection
    except (sqlite3.Error, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        line = printable(str(error))[:200]
        broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        kind = DamagedStoreError if broken or _torn(error) else InputError
        raise kind(f"{path}: is not a store, or cannot be read or written ({line})") from None


def _torn(error: Exception) -> bool:
    """Whether a text is no UTF-8 any more."""
    return isinstance(error, UnicodeDecodeError) or "Could not decode to UTF-8" in str(error)


LOCK = ".adfd.lock"
"""An empty file beside the files that one process at a time may change."""


@contextmanager
def alone(folder: Path, seconds: float = 600.0) -> Iterator[None]:
    """Keeps other processes of adfd away from a folder's files, by SQLite's lock of an empty file beside them.

    A lock that works on every system, and that ends with its process, whatever ends that.

    Raises:
        InputError: the file cannot be made or is not empty, or another process has held it for so many seconds.
    """
    path = folder / LOCK
    check_output(path)
    try:
        with closing(sqlite3.connect(str(path), timeout=seconds, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield
    except sqlite3.Error as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise InputError(f"{folder}: another process of adfd is writing there") from None
        raise InputError(f"{path}: cannot be used ({printable(str(error))[:200]})") from None


def prepare(path: Path) -> None:
    """Makes the file when it is absent or empty, and brings one of layout 1 up to date.

    One that SQLite refuses is set aside, and the sound rows on its pages are copied to a new one, if there are any.

    Raises:
        InputError: the file is something else, of another version, or cannot be opened or written.
    """
    try:
        _open(path)
    except DamagedStoreError:
        if not any(True for name in TABLES for _ in _sealed(path, name)):
            raise
        with alone(path.parent):
            try:
                _open(path)  # another process has been here
            except DamagedStoreError:
                _copied(path)


def _sealed(path: Path, name: str) -> Iterator[tuple[Any, ...]]:
    """The sound rows of a table on the pages of a file, as they were written."""
    width, reals = len(TABLES[name]) + 1, REALS[name]

    def typed(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(float(v) if k in reals and isinstance(v, int) else v for k, v in enumerate(row))

    with suppress(OSError):
        for row in rows(path, lambda row: len(row) == width and is_sound(typed(row))):
            yield typed(row)


def _open(path: Path) -> None:
    """What :func:`prepare` does with a file that SQLite accepts."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() and not path.exists():
            raise InputError(f"{path}: cannot be opened (a symbolic link to a file that is not there)")
    except (OSError, ValueError) as error:  # a ValueError for a null byte in the name
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)[:200]!r}: cannot be opened ({error})") from None
    with connected(path) as connection:
        if not _is_current(connection, path):
            _write_ahead(connection)
            connection.execute("BEGIN IMMEDIATE")  # several processes may come at once; the first one does it
            if not _is_current(connection, path):
                _bring_up(connection, path)
        for name, columns in TABLES.items():
            connection.execute(f"SELECT {', '.join(columns)}, seal FROM {name} LIMIT 1")


def _write_ahead(connection: sqlite3.Connection, seconds: float = 60.0) -> None:
    """Switches the file to a write-ahead log; here SQLite itself does not wait for a process that does the same."""
    until = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _is_current(connection: sqlite3.Connection, path: Path) -> bool:
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    # in one statement, after the names: another process may be writing all of them
    marks = "SELECT user_version, application_id FROM pragma_user_version, pragma_application_id"
    version, made_by = connection.execute(marks).fetchone()
    if version == SCHEMA and made_by == APPLICATION:
        return True
    if version not in (0, 1) or made_by or not names <= {"result", "cell", "layout"} or (version == 0 and names):
        raise InputError(f"{path}: is not a store of version {SCHEMA}; it is left as it is")
    return False


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    (condition,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if condition != "ok":
        raise InputError(f"{path}: is not a store that can be read: it is damaged ({printable(condition)[:200]})")
    for statement in _CREATE:
        connection.execute(statement)
    for name, columns in TABLES.items():
        present = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        for column in ("recipe", "made", "seal"):
            if column not in present and column in (*columns, "seal"):
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
        listed = ", ".join(columns)
        rows = connection.execute(f"SELECT {listed} FROM {name}").fetchall()
        sealed = [(seal(row), row[0]) for row in rows if not any(isinstance(v, bytes) for v in row)]
        connection.executemany(f"UPDATE {name} SET seal = ? WHERE key = ?", sealed)
        connection.execute("INSERT OR REPLACE INTO tally VALUES (?, ?)", (name, len(rows)))
        for event, sign in (("INSERT", "+"), ("DELETE", "-")):
            connection.execute(
                f"CREATE TRIGGER IF NOT EXISTS {name}_{event.lower()} AFTER {event} ON {name} BEGIN"
                f" UPDATE tally SET rows = rows {sign} 1 WHERE name = '{name}'; END"
            )
    connection.execute(f"PRAGMA application_id={APPLICATION}")
    connection.execute(f"PRAGMA user_version={SCHEMA}")


def refuse(connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Takes rows that are not sound out of their table; nothing else has their seal."""
    for row in rows:
        marks = ["CAST(? AS TEXT)" if isinstance(v, str) else "?" for v in (row[0], row[-1])]
        values = [v.encode(errors="surrogateescape") if isinstance(v, str) else v for v in (row[0], row[-1])]
        connection.execute(f"DELETE FROM {table} WHERE key IS {marks[0]} AND seal IS {marks[1]}", values)


def inspect(path: Path) -> Damage:
    """Looks through the whole file; what is damaged is taken out of it.

    Not to be called while another process writes.

    Raises:
        InputError: the file cannot be read or written.
    """
    try:
        with closing(sqlite3.connect(str(path), timeout=60)) as connection:
            (condition,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):
            condition = str(error)
        else:
            raise InputError(f"{path}: is not a store, or cannot be read or written ({error})") from None
    aside = None if condition == "ok" else _copied(path)
    refused: list[str] = []
    lost, uncounted = 0, False
    with connected(path) as connection:
        connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")  # of a damaged text, its bytes
        connection.execute("BEGIN IMMEDIATE")
        for (mark,) in connection.execute("SELECT name FROM tally WHERE name LIKE 'aside:%'").fetchall():
            aside = path.with_name(mark.removeprefix("aside:"))
            connection.execute("DELETE FROM tally WHERE name = ?", (mark,))
        for name, columns in TABLES.items():
            rows = connection.execute(f"SELECT {', '.join(columns)}, seal FROM {name}").fetchall()
            bad = [row for row in rows if not is_sound(row)]
            refused += [row[0] for row in bad]
            written = connection.execute("SELECT rows FROM tally WHERE name = ?", (name,)).fetchone()
            if not written or not isinstance(written[0], int):
                uncounted = True
            elif aside is None:
                lost += written[0] - len(rows)
            refuse(connection, name, bad)
            connection.execute("DELETE FROM tally WHERE name = ?", (name,))
            connection.execute("INSERT INTO tally SELECT ?, COUNT(*) FROM " + name, (name,))
    return Damage(tuple(refused), lost, uncounted and aside is None, aside)


def _copied(path: Path) -> Path:
    """Copies what can be read to a new file in the place of this one, which is set aside."""
    token = secrets.token_hex(4)
    fresh, aside = path.with_name(f".{path.name}.{token}.tmp"), path.with_name(f"{path.name}.damaged-{token}")
    try:
        prepare(fresh)
        with closing(sqlite3.connect(str(path), timeout=60)) as old, connected(fresh) as new:
            for name, columns in TABLES.items():
                marks = ", ".join("?" * (len(columns) + 1))
                for row in chain(_readable(old, name, columns), _lone(path, name)):
                    new.execute(f"INSERT OR IGNORE INTO {name} VALUES ({marks})", row)
            new.execute("INSERT OR REPLACE INTO tally VALUES (?, 0)", (f"aside:{aside.name}",))
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                os.rename(f"{path}{suffix}", f"{aside}{suffix}")
        os.rename(fresh, path)
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"{path}: is damaged, and what is sound in it cannot be copied ({error})") from None
    finally:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.unlink(f"{fresh}{suffix}")
    return aside


def _lone(path: Path, name: str) -> list[tuple[Any, ...]]:
    """The sound rows on the pages, in their order; none of a key of which there are two: one of them was replaced."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for row in _sealed(path, name):
        found.setdefault(row[0], set()).add(row)
    return [versions.pop() for versions in found.values() if len(versions) == 1]


def _readable(connection: sqlite3.Connection, name: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The sound rows of a table from both of its ends, as far as they can be read, in the first order."""
    order = "rowid" if name == "cell" else "key"
    ends: list[list[tuple[Any, ...]]] = [[], []]
    for rows, way in zip(ends, ("", " DESC"), strict=True):
        with suppress(sqlite3.Error, ValueError, OverflowError):
            for row in connection.execute(f"SELECT {', '.join(columns)}, seal FROM {name} ORDER BY {order}{way}"):
                if is_sound(row):
                    rows.append(row)
    yield from ends[0]
    yield from reversed(ends[1])
