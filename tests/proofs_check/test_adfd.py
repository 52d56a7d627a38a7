"""The package ``adfd`` and the face of the room: what they hand on, what that costs, and that older files still load."""

from __future__ import annotations

import ast
import importlib
import shutil
import site
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

from numerics.spectra.spectrum import spectrum
from proofs_check.ledger import ledger, runner, witness
from theory.entropy.conventions import Convention

ROOT = Path(__file__).resolve().parents[2]
FACES = {"proofs_check": ROOT / "proofs_check" / "__init__.py", "adfd": ROOT / "proofs_check" / "adfd" / "__init__.py"}
OWN = """
from {claims} import claim
from {comparisons} import below
from {strategies} import spectra


@claim("own.mean", over=spectra(), mutants={{"half": {{"factor": -1}}}}, kind="exact")
def largest_is_at_least_the_mean(values, factor=1):
    "The mean of a spectrum is at most its largest value."
    return below(sum(values), factor * values[0] * len(values))
"""
"""A file of claims, as one was written before the modules were put into folders and after."""
BEFORE = {
    "claims": "proofs_check.user_claims",
    "comparisons": "proofs_check.claims.common",
    "strategies": "proofs_check.strategies",
    "problems": "numerics.problem_file",
}
AFTER = {"claims": "adfd", "comparisons": "adfd", "strategies": "proofs_check.search.strategies", "problems": "adfd"}


@pytest.mark.parametrize("name", FACES)
def test_what_a_face_hands_on(name: str) -> None:
    face = importlib.import_module(name)
    told = {
        (node.module, alias.asname or alias.name): alias.name
        for block in ast.parse(FACES[name].read_text(encoding="utf-8")).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(("theory.", "numerics.", "proofs_check."))
        for alias in node.names
    }
    words = {(m, w.partition("=")[0]): w.partition("=")[2] or w for m, ws in face.NAMES.items() for w in ws.split()}
    assert told == words, "what type checkers are told"
    assert sorted(face.__all__) == sorted(n for _, n in words)
    assert set(face.__all__) <= set(dir(face))
    for (module, given), own in words.items():
        assert getattr(face, given) is getattr(importlib.import_module(str(module)), own)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = face.nothing


@pytest.mark.parametrize("name", FACES)
def test_a_face_loads_no_library(name: str) -> None:
    code = f"import sys, {name}; dir({name}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sympy", "mpmath", "numpy", "scipy", "torch", "flint", "matplotlib", "hypothesis"} & set(
        done.stdout.split()
    )


def test_pytest_loads_no_other_room_for_the_plugin() -> None:
    """A project that has a package of its own called theory, say, is not in the way of ours where adfd is installed."""
    code = "import sys, proofs_check.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"theory", "numerics"} & set(done.stdout.split())


@pytest.mark.parametrize("names", [BEFORE, AFTER], ids=["before", "after"])
def test_a_file_of_claims_is_judged(names: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "mean_claims.py"
    path.write_text(OWN.format(**names), encoding="utf-8")
    claims = ledger.select([str(path)])
    found = [runner.run_task(task) for task in (*runner.tasks(claims, "quick"), *runner.mutant_tasks(claims, "quick"))]
    assert [one["verdict"] for one in found] == ["CERTIFIED", "REFUTED"], found


def test_witnesses_name_classes_as_they_were() -> None:
    written = witness.encode(Convention("fixed", rank=3))
    assert written["class"] == "theory.entropy.conventions:Convention"
    assert witness.decode(written | {"class": "theory.conventions:Convention"}) == Convention("fixed", rank=3)
    assert all(witness._class(name, None) for name in witness.CLASSES)


def test_a_user_gets_far_with_one_import() -> None:
    adfd = importlib.import_module("adfd")
    problem = adfd.Problem(activation_name="sin", interior=(6,), count=6)
    ad, fd = (adfd.spectrum(problem, method, "exact") for method in ("ad", "fd"))
    assert ad is spectrum(problem, "ad", "exact")
    fixed = adfd.Convention("fixed", rank=2)
    gap = adfd.difference(adfd.entropy(ad, fixed), adfd.entropy(fd, fixed))
    assert gap.lower <= gap.upper
    assert adfd.stencil(2, [-1, 0, 1]).order == 2


def test_verify_judges_as_the_command_does() -> None:
    adfd = importlib.import_module("adfd")
    (found,) = adfd.verify("stencils.weight-norms")
    assert {cell["status"] for cell in found["cells"]} == {"as expected"}


def installed(source: Path, folder: Path, *how: str) -> tuple[str, set[str]]:
    """Installs the project in a fresh environment without its dependencies: where ``adfd`` is imported from, and what is
    installed under that name."""
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    (found,) = (environment / "lib").glob("python*/site-packages")
    (found / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*pip, *how, str(source)], check=True, timeout=250)
    code = "import adfd; print(adfd.__file__); assert adfd.stencil(2, [-1, 0, 1]).order == 2"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.strip(), {str(path.relative_to(found)) for path in found.glob("adfd/*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("editable", [False, True], ids=["wheel", "editable"])
def test_it_is_installed_under_its_name(editable: bool, tmp_path: Path) -> None:
    if find_spec("pip") is None or find_spec("setuptools") is None:
        pytest.skip("this environment has no pip and setuptools")
    source = tmp_path / "source"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    where, files = installed(source, tmp_path, *(["--editable"] if editable else []))
    assert where.startswith(str(source if editable else tmp_path / "environment"))
    assert files == (set() if editable else {"adfd/__init__.py", "adfd/py.typed"})
