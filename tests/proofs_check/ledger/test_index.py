"""The index of claims says what the claims say or nothing, and what each command imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proofs_check.ledger import index, runner
from proofs_check.ledger.ledger import all_claims, defined
from theory.base import files

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = {
    "sympy",
    "mpmath",
    "flint",
    "numpy",
    "scipy",
    "torch",
    "matplotlib",
    "hypothesis",
    "jinja2",
    "latex2mathml",
}
EXACT = {"sympy", "mpmath", "flint"}
NUMBERS = EXACT | {"numpy", "scipy"}


@pytest.fixture(scope="module")
def asked() -> list[dict[str, Any]]:
    return index.asked()


@pytest.fixture(scope="module")
def current(asked: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the sources as they are, in a cache of its own."""
    folder = tmp_path_factory.mktemp("cache")
    index.write(folder / "claims.json", asked)
    return folder


def test_the_shipped_index_is_of_other_sources_or_says_what_the_claims_say(asked: list[dict[str, Any]]) -> None:
    """Whether it is current is for the build to say; it may never be wrong."""
    assert index.INDEX.exists()
    assert index.read(index.INDEX) in (None, asked)


def test_an_index_reads_back_as_the_claims(asked: list[dict[str, Any]], current: Path) -> None:
    assert index.read(current / "claims.json") == asked
    described = [json.loads(json.dumps(runner.describe(claim))) for claim in all_claims()]
    index.claims.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "INDEX", current / "claims.json")
        told = [{key: value for key, value in one.items() if key != "home"} for one in index.claims()]
    index.claims.cache_clear()
    assert json.loads(json.dumps(told)) == described
    assert [list(one) for one in told] == [list(one) for one in described]


@pytest.mark.parametrize("damage", ["digest", "cut", "list", "claims", "absent"])
def test_what_is_stale_or_damaged_is_asked_anew(
    damage: str, current: Path, asked: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (current / "claims.json").read_text()
    content = json.loads(text)
    other = {
        "digest": json.dumps(content | {"digest": "0" * 16}),
        "cut": text[:-200],
        "list": "[]",
        "claims": json.dumps(content | {"claims": 3}),
    }
    shipped = tmp_path / "shipped.json"
    if damage in other:
        shipped.write_text(other[damage])
    assert index.read(shipped) is None
    monkeypatch.setattr(index, "INDEX", shipped)
    monkeypatch.setenv("ADFD_CACHE", str(tmp_path / "cache"))
    said = [one | {"title": "asked"} for one in asked]
    monkeypatch.setattr(index, "asked", lambda: said)
    index.claims.cache_clear()
    assert {one["title"] for one in index.claims()} == {"asked"}
    monkeypatch.setattr(index, "asked", lambda: pytest.fail("what was asked is kept"))
    index.claims.cache_clear()
    assert {one["title"] for one in index.claims()} == {"asked"}
    assert files.is_marked(tmp_path / "cache" / "shipped.json")
    index.claims.cache_clear()


def test_a_cache_that_cannot_be_written_costs_time_alone(
    asked: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(index, "INDEX", tmp_path / "absent.json")
    monkeypatch.setenv("ADFD_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(index, "asked", lambda: asked)
    index.claims.cache_clear()
    assert [one["id"] for one in index.claims()] == [claim.id for claim in all_claims()]
    index.claims.cache_clear()


def test_a_claim_of_one_module_is_the_ledger_s(asked: list[dict[str, Any]]) -> None:
    for claim, said in zip(all_claims(), asked, strict=True):
        assert defined(claim.id, said["home"]) == claim


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (("--help",), set()),
        (("--version",), set()),
        (("claims",), set()),
        (("show", "S2"), set()),
        (("show", "2601.07017"), set()),
        (("show", "stencils.truncation"), EXACT),
        (("derive", "truncation", "--derivative", "2", "--offsets=-1,0,1"), NUMBERS),
        (("entropy", "PROBLEM", "--certify"), NUMBERS),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_what_a_command_imports(arguments: tuple[str, ...], allowed: set[str], current: Path, tmp_path: Path) -> None:
    problem = ROOT / "proofs_check" / "problems" / "sine.toml"
    given = [str(problem) if word == "PROBLEM" else word for word in arguments]
    program = (
        f"import sys; sys.argv = ['adfd', *{given!r}]\n"
        "from proofs_check.cli.main import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        f"print('LOADED', *sorted({LIBRARIES!r} & set(sys.modules)))\n"
        "assert not {'scipy.optimize', 'scipy.stats'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        env=os.environ | {"ADFD_CACHE": str(current), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *said, loaded = done.stdout.splitlines()
    assert said
    assert set(loaded.split()[1:]) <= allowed
