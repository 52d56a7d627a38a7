"""Ctrl-C while the command line is still being imported: one line and status 130, as at any later moment.

Imports the standard library alone, and before anything that takes long.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any


def _leave(number: int, frame: Any) -> None:
    os.write(2, b"adfd: interrupted\n")
    os._exit(130)


def install() -> None:
    """For the installed command only: a program that imports this one keeps its own handling."""
    started = os.path.basename(sys.argv[0]) if sys.argv else ""
    if started == "adfd" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def restore() -> None:
    """From here on Ctrl-C is Python's KeyboardInterrupt, which the command line catches."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
