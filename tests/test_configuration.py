"""The configuration of the tests themselves: profiles, the reset of global precision, skipping without a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import flint
import mpmath
import numpy as np
import pytest

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_starts_at_double_precision(turn: int) -> None:
    """Each turn spoils what the next one needs."""
    assert (mpmath.mp.prec, mpmath.iv.prec, flint.ctx.prec) == (53, 53, 53)
    assert np.geterr()["over"] == "warn"
    mpmath.mp.dps, mpmath.iv.dps, flint.ctx.prec = 50 * turn, 60, 70
    np.seterr(all="ignore")
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        assert torch.get_default_dtype() == torch.float32
        torch.set_default_dtype(torch.float64)


@pytest.mark.parametrize("value", ["1", ""])
def test_the_examples_are_the_same_everywhere(value: str) -> None:
    """What passes for one who develops passes where it is checked; other examples are asked for by name."""
    code = (
        "import conftest; from hypothesis import settings as s;"
        "print(s.get_current_profile_name(), s().derandomize, s.get_profile('explore').derandomize)"
    )
    environment = {**os.environ, "CI": value}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=HERE, env=environment, check=True
    )
    assert done.stdout.split() == ["default", "True", "False"]


@pytest.mark.slow
def test_tests_on_a_gpu_are_skipped_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_gpu.py").write_text(
        "import pytest\n@pytest.mark.gpu\ndef test_gpu():\n    import torch\n    assert torch.cuda.is_available()\n",
        encoding="utf-8",
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "pytest", "-rs", "-q"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "no CUDA device" in done.stdout or "1 passed" in done.stdout
