"""How the command line ends: every failure is one line on stderr and its exit code, whatever becomes of the streams."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import NoReturn

import typer

from proofs_check.cli import interrupts

UNWRITABLE = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EIO)
"""Errors of a disk that takes no more."""
INTERRUPTED = "adfd: interrupted; what was computed is kept (see --resume)"


def run(app: typer.Typer) -> NoReturn:
    """Runs the command line and leaves with its exit code; every failure becomes one line on stderr."""
    try:
        code = _run(app)
        interrupts.finish()
    except KeyboardInterrupt:  # in between the handlers
        interrupts.finish()
        _say(INTERRUPTED)
        code = 130
    sys.exit(code)


def _run(app: typer.Typer) -> int | str | None:
    """Runs a command and says what went wrong; returns the exit code."""
    if sys.stderr is None:  # closed by whoever started this; what is opened next must not take its place
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        _say("adfd: standard output: is closed")
        return 2
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files and signs of mathematics in any encoding
            stream.reconfigure(errors="backslashreplace")
    code: int | str | None
    try:
        interrupts.restore()
        code = app(standalone_mode=False)
        sys.stdout.flush()
        if code == 130:  # what recent versions of typer make of Ctrl-C
            _say(INTERRUPTED)
    except typer.Exit as stop:
        code = _flushed(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _say(INTERRUPTED)
        code = 130
    except BrokenPipeError:
        code = _silenced(0)
    except SystemExit as stop:  # typer and rich leave so where the reader of stdout is gone
        code = _silenced(0) if _reader_gone() else stop.code
    except Exception as error:
        code = _failure(error)
    return code


def _flushed(code: int) -> int:
    """The code, once all is written, or that of what stands in the way."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _silenced(code)
    except OSError as error:
        return _failure(error)
    return code


def _silenced(code: int) -> int:
    """What is still to be written goes nowhere, so that nothing fails again at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code


def _reader_gone() -> bool:
    try:
        poll = select.poll()
        poll.register(1, select.POLLOUT)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no poll on this system, or no such descriptor
        return False


def _failure(error: Exception) -> int:
    from theory.base.errors import InputError, PrecisionCapError, printable

    # Usage errors are typer's own, or click's where typer stands on it: both know how to format their message.
    usage = getattr(error, "format_message", None)
    if usage is not None:
        message = usage()
        if message.strip():  # empty where typer has printed the help already
            _say(f"adfd: {printable(message)} (see --help)")
        return 2
    line = printable(str(error))
    if isinstance(error, InputError):
        _say(f"adfd: {line}")
        return 2
    if isinstance(error, PrecisionCapError):
        _say(f"adfd: {line}")
        return 1
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        _say(f"adfd: {error.filename or 'standard output'}: cannot be written ({error.strerror})")
        return _silenced(2)
    if os.environ.get("ADFD_DEBUG"):
        raise error
    _say(f"adfd: internal error: {type(error).__name__}: {line} (set ADFD_DEBUG=1 for the traceback)")
    return 3


def _say(line: str) -> None:
    print(line, file=sys.stderr)
