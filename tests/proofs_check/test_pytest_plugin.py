"""The pytest plugin: a test for every cell and every mutant, with the evidence in the failure message."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from proofs_check.pytest_plugin import is_claim_file

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = """
from hypothesis import strategies as st
from proofs_check.claims.comparisons import below
from proofs_check.own.claims import claim

@claim("own.true", over=st.integers(0, 9), kind="exact", mutants={"less": {"bound": 5}})
def digits(n, bound=9):
    "Digits are at most nine."
    return below(n, bound)

@claim("own.false", over=st.integers(0, 9), kind="exact", cells=({"n": "up to 9"},), mutants={"weak": {"bound": 9}})
def small(n, bound=7):
    "Digits are at most seven."
    return below(n, bound), f"n = {n} against {bound}"

@claim("own.unknown", over=st.integers(0, 9), mutants={"less": {"answer": False}})
def unknown(n, answer=None):
    "Nobody knows."
    return answer
"""


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest in a folder, with the plugin found by an entry point as ``pyproject.toml`` declares it."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    metadata = folder / "site" / "plugin_under_test-0.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin-under-test\nVersion: 0\n")
    lines = "".join(f"{name} = {module}\n" for name, module in points.items())
    (metadata / "entry_points.txt").write_text(f"[pytest11]\n{lines}")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--no-header", *arguments],
        capture_output=True, text=True, timeout=200, check=False, cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}", "COLUMNS": "200", "PYTEST_ADDOPTS": ""},
    )  # fmt: skip


def test_cells_and_mutants_are_tests(tmp_path: Path) -> None:
    (tmp_path / "my_claims.py").write_text(CLAIMS)
    (tmp_path / "jwt_claims.py").write_text("raise RuntimeError('not one of ours, and never run')\n")
    (tmp_path / "claims_wrong.py").write_text("import proofs_check\nx = 1\n")
    done = _pytest(tmp_path, "--continue-on-collection-errors", ".")
    text = done.stdout
    assert done.returncode == 1, text + done.stderr
    assert "3 failed, 3 passed, 1 error" in text, text
    for passed in ("own.true[instances=drawn]", "own.true[mutant less]", "own.unknown[mutant less]"):
        assert f"PASSED my_claims.py::{passed}" in text
    for failed in ("own.false[n=up to 9]", "own.false[mutant weak]", "own.unknown[instances=drawn]"):
        assert f"FAILED my_claims.py::{failed}" in text
    # the evidence: verdict, numbers, statement, counterexample, and how to repeat it
    assert "REFUTED: own.false [n=up to 9]: fails in" in text
    assert "statement: Digits are at most seven." in text
    assert '"certified": true' in text
    assert "the smallest one: adfd refute my_claims.py::own.false" in text
    assert "again: adfd verify my_claims.py::own.false --cell 'n=up to 9'" in text
    assert "INCONCLUSIVE: own.unknown [instances=drawn]: undecided in 10 of 10" in text
    assert "own.false: the mutant weak survived: CERTIFIED" in text
    assert "wrong on purpose: bound = 9" in text
    assert "claims_wrong.py: no claims" in text
    assert "not one of ours" not in text
    assert "Traceback" not in text


def test_a_good_file_passes_alone_and_in_the_full_profile(tmp_path: Path) -> None:
    (tmp_path / "claims_good.py").write_text(CLAIMS.partition('@claim("own.false"')[0])
    done = _pytest(tmp_path, "--adfd-profile", "full", "-W", "error", "claims_good.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("my_claims.py", "import proofs_check", True),
        ("claims_of_mine.py", "from proofs_check.own.claims import claim", True),
        ("my_claims.py", "import jwt", False),
        ("test_my_claims.py", "import proofs_check", False),
        ("claims.py", "import proofs_check", False),
        ("my_claims.txt", "import proofs_check", False),
    ],
)
def test_which_files_are_files_of_claims(tmp_path: Path, name: str, text: str, expected: bool) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert is_claim_file(path) is expected


def test_no_file_of_this_project_is_one() -> None:
    """The package's own modules and tests are not taken for files of claims."""
    assert not [p for room in ("theory", "numerics", "proofs_check", "tests") for p in (ROOT / room).rglob("*.py")
                if is_claim_file(p)]  # fmt: skip


def test_the_plugin_imports_nothing_heavy() -> None:
    program = (
        "import sys\nimport pytest\nbefore = set(sys.modules)\nimport proofs_check.pytest_plugin\n"
        "heavy = {'numpy', 'sympy', 'flint', 'mpmath', 'torch', 'hypothesis'} & (set(sys.modules) - before)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
