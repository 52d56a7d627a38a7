"""Where a command's words go: results to stdout, progress and remarks to stderr."""

from __future__ import annotations

import json
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table


class PlainConsole(Console):
    """A console on which texts are texts: no markup, no emoji codes, and nothing that steers the terminal."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich's, with control characters spelled out."""
        super().print(*(visible(o) if isinstance(o, str) else o for o in objects), **options)

    def on_broken_pipe(self) -> None:
        """A reader that leaves is no error: rich by itself would end the process with status 1."""
        raise BrokenPipeError


console = PlainConsole()
remarks = PlainConsole(stderr=True)
_HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, overrides of direction, halves of characters: what a file could steer a terminal with."""


def visible(text: str) -> str:
    """A text with what would steer the terminal spelled out; line breaks stay.

    >>> visible("a\\x1b[2J\\nb")
    'a\\\\x1b[2J\\nb'
    """
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(text: str = "") -> None:
    """A line of a result on stdout, as it stands: not wrapped, nothing that steers the terminal."""
    sys.stdout.write(visible(text) + "\n")


def repeated(arguments: Sequence[str]) -> str:
    """The command as it can be shown to others: absolute paths lose their folders, which are this machine's own.

    >>> repeated(["verify", "S2", "--out", "/home/me/report", "--cell=/a/b"])
    'adfd verify S2 --out report --cell=b'
    """
    shown = []
    for argument in arguments:
        name, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
        here = Path(value).name if value.startswith(("/", "~")) else value
        shown.append(f"{name}{equals}{here}")
    return shlex.join(["adfd", *shown])


def emit(content: Any) -> None:
    """One JSON object on stdout."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(content, ensure_ascii=not unicode, allow_nan=False)
    # Outside of strings there is nothing to match, and inside them \\u stands for any character.
    sys.stdout.write(_HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on stdout; plain markup in cells is not interpreted."""
    from rich.text import Text

    console.print(title, style="bold")  # not as the table's own title, which wraps at its width
    drawn = Table(header_style="bold")
    for name in columns:
        drawn.add_column(visible(name), overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(visible(cell)) for cell in row))
    console.print(drawn)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars on stderr: yields a function told of (what, done, total).

    On a terminal the bars are live; elsewhere a line is written at the start and the end of each part, and every ten
    seconds in between, with an estimate of what is left of it.
    """
    if remarks.is_terminal:
        columns = (
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        bars = Progress(*columns, console=remarks)
        known: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if not known:
                bars.start()  # its thread only now: worker processes are forked before there is anything to show
            if what not in known:
                known[what] = bars.add_task(what, total=total)
            bars.update(known[what], completed=done, total=total)

        try:
            yield show
        finally:
            if known:
                bars.stop()
        return
    start = time.monotonic()
    last: dict[str, float] = {}
    begun: dict[str, float] = {}

    def line(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        own = now - begun.setdefault(what, now)  # parts begin at different times
        if total and (done in {0, total} or now - last.get(what, start) > 10):
            last[what] = now
            passed = now - start
            left = f", about {own / done * (total - done):.0f} s left" if own > 1 and 0 < done < total else ""
            remarks.print(f"{what}: {done}/{total} ({passed:.0f} s{left})")

    yield line
