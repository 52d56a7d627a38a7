"""Names of old: modules are found under what they were called before they were put into folders."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from theory.base import old_names

ROOT = Path(__file__).resolve().parents[3]


def file_of(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def test_every_old_name_leads_to_a_module_and_shadows_none() -> None:
    for old, new in old_names.OLD.items():
        assert file_of(new).exists() or (file_of(new).with_suffix("") / "__init__.py").exists(), new
        assert not file_of(old).exists(), old
    for folder, content in old_names.PACKAGES.items():
        assert (ROOT / folder.replace(".", "/") / "__init__.py").exists(), folder
        assert file_of(content).exists(), content
    assert all(file_of(module).exists() for module in old_names.FUNCTIONS)


def test_a_module_is_the_same_under_both_names() -> None:
    old, new = (importlib.import_module(name) for name in ("theory.decision", "theory.base.enclosure"))
    assert old is new
    assert new.__spec__ is not None
    assert new.__spec__.name == new.__name__ == "theory.base.enclosure"
    assert find_spec("theory.no_such_module") is None


def test_folders_hold_what_the_modules_of_their_names_did() -> None:
    code = (
        "from theory.entropy import truncated_entropy\n"
        "from theory.operators import operator, discretise\n"
        "from numerics.problem import Problem\n"
        "from numerics.spectra import spectrum\n"
        "import numerics.spectra.spectrum, numerics.problem\n"
        "from numerics import sweep\n"
        "from numerics.problem_file import from_dict, load\n"
        "from numerics.floor import predict\n"
        "assert callable(sweep.load) and callable(sweep.run) and callable(sweep.rows) and callable(load)\n"
        "assert operator('u_xx').order == 2\n"
        "p = numerics.problem.Problem(activation_name='sin', interior=(4,), count=4)\n"
        "assert len(spectrum(p, 'ad', 'float64').values) == 4\n"
        "try:\n    from numerics.problem import nothing\n"
        "except ImportError as error:\n    assert 'nothing' in str(error)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


@pytest.mark.parametrize("module", ["proofs_check.witness", "proofs_check.cli"])
def test_modules_run_under_their_old_names(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert "usage" in done.stdout.lower()
    assert not done.stderr
