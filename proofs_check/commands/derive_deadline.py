"""A limit on the wall time of a derivation: one clear line instead of a command that never returns."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from theory.errors import PrecisionCapError

SECONDS = 180.0
"""For a whole command; every supported derivation takes under ten seconds on an idle core."""


@contextmanager
def deadline(what: str, seconds: float = SECONDS) -> Iterator[None]:
    """Stops the body after ``seconds`` of wall time; without effect outside the main thread.

    Raises:
        PrecisionCapError: the time is over.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise PrecisionCapError(f"{what}: not done after {seconds:g} s; ask for fewer digits or a simpler expression")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
