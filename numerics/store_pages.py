"""Rows read from the pages of an SQLite file one by one, where SQLite itself refuses the file or a part of it.

Nothing that leads to a page has to be sound: not the header, the schema, the tree or the file's length.  A row is one if
its seal says so, and a seal is of all its columns, so that no row of anything else can be taken for one.  Format:
https://www.sqlite.org/fileformat2.html (sections 1.3, 1.6, 2 and 4.1).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

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
