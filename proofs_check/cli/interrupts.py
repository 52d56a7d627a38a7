"""Ctrl-C while the command line is still being imported, and while Python shuts down: status 130, as at any other moment.

Imports the standard library alone, and before anything that takes long.
"""

from __future__ import annotations

# signal itself makes enumerations first: a moment in which Ctrl-C would show a traceback
import _signal as signal  # type: ignore[import-not-found]
import atexit
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from typing import Any

_installed: list[bool] = []


def _leave(number: int, frame: Any) -> None:
    os.write(2, b"adfd: interrupted\n")
    os._exit(130)


def install() -> None:
    """For the installed command only: a program that imports this one keeps its own handling."""
    script = sys.argv[0] if sys.argv else ""
    ours = os.path.basename(script) == "adfd" or script.endswith(os.path.join("proofs_check", "cli", "__main__.py"))
    if ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
        # Called last of all.  What is left of the shutdown then takes milliseconds and heeds Ctrl-C no more; by itself
        # Python would put the system's handling back, and the process would end by the signal.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
        _installed.append(True)


def finish() -> None:
    """From here on, when all is done and written but for Python's own shutdown, Ctrl-C ends the process at once."""
    if _installed:
        signal.signal(signal.SIGINT, _leave)


def restore() -> None:
    """From here on Ctrl-C is Python's KeyboardInterrupt, which the command line catches."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
