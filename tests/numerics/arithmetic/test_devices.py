"""The device of a run, and of every worker process of a verification."""

from __future__ import annotations

import pytest

from numerics.arithmetic.devices import resolve_device
from theory.base.errors import InputError


def test_auto_obeys_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADFD_DEVICE", "cpu")
    assert resolve_device("auto").type == "cpu"
    monkeypatch.setenv("ADFD_DEVICE", "abacus")
    with pytest.raises(InputError, match="abacus"):
        resolve_device("auto")
    assert resolve_device("cpu").type == "cpu"  # a device that is named is not overridden
