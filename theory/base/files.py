"""Writing files: one way for everything that adfd writes, whole or not at all, and over nothing that it did not make.

A file is written beside its place under a name that nobody can foresee and renamed when it is complete.  Symbolic
links are not followed.  What stands there already is replaced only where adfd made it: files carry a mark, each in
the manner of its format (a comment in TeX and TOML, metadata in HTML, SVG, PDF and PNG, the first field of a JSON
object), and formats that have no room for one are known by their header.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from theory.base.errors import InputError

MADE_BY = {"made_by": "adfd"}
"""The mark of a JSON object, its first field."""
MARK = "made by adfd"
"""The mark in a comment or in metadata."""
_MARKS = re.compile(
    rb"""\A\s*\{\s*"made_by"\s*:\s*"adfd"|\A\s*[#%] made by adfd|<meta name="generator" content="adfd"""
    rb"""|<dc:title>made by adfd</dc:title>|/Creator \(made by adfd\)|Software\x00made by adfd"""
)
SEEN = 65_536
"""Bytes at either end of a file in which its mark is looked for."""

Content = str | bytes | Callable[[BinaryIO], object]
"""What is written: text (UTF-8), bytes, or a function that writes to the open file."""
Known = Callable[[Path], bool]
"""Whether a file without a mark is of the kind that is about to be written; only called on regular files."""


def is_marked(path: Path) -> bool:
    """Whether a file bears the mark of adfd.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(SEEN)
        file.seek(max(0, path.stat().st_size - SEEN))
        return bool(_MARKS.search(head) or _MARKS.search(b"\n" + file.read()))


def check_output(
    path: Path,
    *,
    option: str = "",
    force: bool | None = False,
    known: Known | None = None,
    inputs: Iterable[Path | str] = (),
) -> None:
    """Refuses, before anything is computed, an output that may not be written.

    Args:
        path: the file to come.
        option: the option of the command line that names it, for the message.
        force: whether files that adfd did not make may be replaced; None where there is no such option.
        known: recognises further files that adfd made.
        inputs: files that the command reads; never replaced.

    Raises:
        InputError: one of ``inputs``, a symbolic link, a folder, no regular file, or a file that adfd did not make.
    """
    label = f"{option}: {path}" if option else str(path)
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise InputError(f"{label}: cannot be written ({getattr(error, 'strerror', None) or error})") from None
    if stat.S_ISLNK(found.st_mode):
        raise InputError(f"{label}: cannot be written (it is a symbolic link; name the file itself)")
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"{label}: cannot be written (it is a folder)")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{label}: cannot be written (it is no regular file)")
    for source in inputs:
        with suppress(OSError):
            if os.path.samefile(source, path):
                raise InputError(f"{label}: cannot be written (this command reads it; name another file)")
    try:
        ours = force or not found.st_size or is_marked(path) or (known is not None and known(path))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        ours = False  # whatever stands there is not of the form that ``known`` looks for
    if not ours:
        way = "remove it" if force is None else "--force replaces it"
        raise InputError(f"{label}: cannot be written (adfd did not make the file that is there; {way})")


def write(
    path: Path,
    content: Content,
    *,
    option: str = "",
    force: bool | None = False,
    known: Known | None = None,
    inputs: Iterable[Path | str] = (),
) -> Path:
    """Writes a file whole or not at all; arguments and refusals as in :func:`check_output`.

    The folder must exist.  A file that is replaced keeps its permissions.

    Returns:
        The path.

    Raises:
        InputError: the file may not, or cannot, be written.
    """
    check_output(path, option=option, force=force, known=known, inputs=inputs)
    try:
        _write(path, content)
    except (OSError, ValueError) as error:  # a ValueError for a null byte in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{f'{option}: ' if option else ''}{path}: cannot be written ({reason})") from None
    return path


def _write(path: Path, content: Content) -> None:
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            with suppress(OSError, AttributeError):
                os.fchmod(file.fileno(), stat.S_IMODE(path.lstat().st_mode))
            if callable(content):
                content(file)
            else:
                file.write(content.encode(errors="replace") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def cache_folder(part: str) -> Path:
    """``$ADFD_CACHE``, else ``adfd/part`` in the user's cache directory."""
    chosen = os.environ.get("ADFD_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(chosen) if chosen else Path(base) / "adfd" / part


def make_folder(path: Path, *, option: str = "") -> Path:
    """A folder inside one that adfd writes to, made when absent.

    Raises:
        InputError: it cannot be made, or is a symbolic link to somewhere else.
    """
    label = f"{option}: {path}" if option else str(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            raise InputError(f"{label}: cannot be written (it is a symbolic link)")
    except (OSError, ValueError) as error:
        raise InputError(f"{label}: cannot be written ({getattr(error, 'strerror', None) or error})") from None
    return path
