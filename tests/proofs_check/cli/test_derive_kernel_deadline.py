"""A derivation that takes too long ends with one line."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from proofs_check.cli.derive_kernel import deadline
from theory.base.errors import PrecisionCapError


def test_what_takes_too_long_is_stopped() -> None:
    start = time.perf_counter()
    with pytest.raises(PrecisionCapError, match=r"kernel: not done after 0\.05 s"), deadline("kernel", 0.05):
        sum(1 for _ in range(10**9))
    assert time.perf_counter() - start < 10
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_what_is_in_time_leaves_no_timer_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with deadline("kernel", 30):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) is before


def test_other_threads_are_left_alone() -> None:
    done: list[bool] = []

    def work() -> None:
        with deadline("kernel", 0.001):
            time.sleep(0.02)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
