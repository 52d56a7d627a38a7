"""Shared by all tests: Hypothesis profiles, a reset of every process-global precision, skipping without a GPU."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Generator, Iterator
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
from _pytest.doctest import DoctestModule
from hypothesis import HealthCheck, settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell; processes of the tests inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

gc.disable()  # while a million objects that stay are made; see pytest_collection_finish

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "default", max_examples=20, derandomize=True, deadline=None, print_blob=True, suppress_health_check=SLOW
)  # the same examples everywhere; --hypothesis-profile=explore looks for others
settings.register_profile("explore", max_examples=100, derandomize=False, deadline=None, suppress_health_check=SLOW)
settings.register_profile("thorough", max_examples=2000, derandomize=False, deadline=None, suppress_health_check=SLOW)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def fresh_precision() -> Iterator[None]:
    """The precisions of mpmath and FLINT, numpy's error state and torch's defaults, the same for every test."""
    floating = np.geterr()
    torch: Any = sys.modules.get("torch")  # importing it costs a second; most tests never do
    before = (torch.get_default_dtype(), torch.get_num_threads()) if torch else None
    mpmath.mp.prec, mpmath.iv.prec, flint.ctx.prec = 53, 53, 53
    yield
    mpmath.mp.prec, mpmath.iv.prec, flint.ctx.prec = 53, 53, 53
    np.seterr(**floating)
    torch = sys.modules.get("torch")
    if torch:
        default, threads = before or (torch.float32, torch.get_num_threads())
        torch.set_default_dtype(default)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """Where a test runs: on the CPU, and unchanged on a GPU."""
    name: str = request.param
    return name


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Doctests are those of the rooms: the tests have none, and to look for them costs a second."""
    found = yield
    return [one for one in found if not isinstance(one, DoctestModule)]


def pytest_collection_finish() -> None:
    """What is there by now stays until the end: the garbage collector need not look at it so often.

    It is not frozen: Hypothesis asks the collector who refers to a generator, and frozen objects are no answer.
    """
    gc.set_threshold(100_000, 50, 100)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``gpu`` are skipped, with the reason, where there is no CUDA device."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))
