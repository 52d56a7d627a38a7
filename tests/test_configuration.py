"""The configuration of the tests themselves: profiles, the reset of global precision, skipping without a GPU."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import flint
import mpmath
import numpy as np
import pytest
from packaging.requirements import Requirement

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


ROOT = HERE.parent
PIN = re.compile(r"([\w.-]+)==([\w.]+)( ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def name_of(text: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~; \[]", text)[0]).lower()


def test_the_set_up_installs_nothing_that_has_no_hash() -> None:
    locks = [(ROOT / name).read_text(encoding="utf-8") for name in ("constraints.txt", "docs/requirements.txt")]
    pins, documentation = ({name_of(match[1]): match for match in PIN.finditer(lock)} for lock in locks)
    for lock in locks:
        assert all(line.startswith("#") for line in PIN.sub("", lock).splitlines())
    assert not pins.keys() & documentation.keys()  # what the documentation adds
    steps = [line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "--requirement" in line]
    assert len(steps) == 3
    assert all("--require-hashes --no-deps" in line for line in steps)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        assert Requirement(text).specifier.contains(pins[name_of(text)][2]), text
    for name, match in pins.items():  # and what those need in their turn
        if match[3]:
            continue  # for another system
        assert version(name).partition("+")[0] == match[2], f"{name}: another version is installed"
        for text in requires(name) or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert name_of(text) in pins or name == "torch", f"{name} needs {text}"


def test_every_lower_bound_is_one_that_is_tried() -> None:
    """``.ci/lowest`` installs them: each is ``name>=version``, and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        assert re.fullmatch(r"[\w.-]+>=[\w.]+", text), text
    assert "make lowest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
