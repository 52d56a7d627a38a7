"""``adfd`` on problems posed by equations: trained, advised, refused where there is no matrix, in one clear line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from numerics.problem.file import problem_from_dict, problem_text
from proofs_check.cli.check import shipped
from proofs_check.cli.main import main

NAMES = ("burgers", "allen-cahn", "kdv", "kuramoto-sivashinsky", "navier-stokes", "cavity", "schrodinger")
OLD = {
    "burgers": """[problem]
operator = "u_t + u*u_x - 0.01*u_xx"
domain = [[-1,1],[0,1]]
solution = "exp(-t)*sin(pi*x)"
[features]
activation = "tanh"
""",
    "system": """[problem]
operator = ["u_t + p_x", "u_x"]
solution="x"
[features]
activation="tanh"
""",
}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["adfd", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def small(tmp_path: Path, name: str) -> str:
    """A shipped file with few points and neurons."""
    import tomllib

    table: dict[str, Any] = tomllib.loads(shipped()[name], parse_float=str)
    table["features"]["count"] = 5
    table["points"] = {"interior": [6, 5]}
    table["difference"]["step"] = "1/100"
    path = tmp_path / f"{name}.toml"
    path.write_text(problem_text(problem_from_dict(table).to_dict()), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_equations_train_both_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = small(tmp_path, name)
    code, out, _ = run(capsys, "train", path, "--seeds", "1", "--iterations", "3", "--device", "cpu", "--json")
    assert code == 0
    content = json.loads(out)
    assert [r["method"] for r in content["runs"]] == ["ad", "fd"]
    assert "no law" in content["note"]
    assert all(r["loss"][-1] < r["loss"][0] and r["predicted"] is None for r in content["runs"])


def test_what_needs_a_matrix_names_the_tangent_kernel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = small(tmp_path, "burgers")
    for command in ("spectrum", "entropy"):
        code, out, err = run(capsys, command, path)
        assert (code, out) == (2, "")
        assert "--kernel ntk" in err
        assert err.count("\n") == 1
    code, out, _ = run(capsys, "spectrum", path, "--kernel", "ntk", "--json")
    content = json.loads(out)
    assert code == 0
    assert len(content["eigenvalues"]) == 30
    assert content["certified"] is False
    for options in (["--kernel", "limit"], ["--kernel", "ntk", "--certify"]):
        assert run(capsys, "spectrum", path, *options)[0] == 2
    code, _, err = run(capsys, "train", path, "--model", "rfm")
    assert code == 2
    assert "two-layer" in err


@pytest.mark.parametrize("name", OLD)
def test_an_operator_that_is_none_says_what_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / "p.toml"
    path.write_text(OLD[name], encoding="utf-8")
    for command in ("train", "advise", "spectrum"):
        code, out, err = run(capsys, command, str(path))
        assert (code, out) == (2, "")
        assert "problem.equations" in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(("key", "value", "fragment"), [
    ("solution", {"w": "x"}, "no unknown"),
    ("mask", {"w": "x"}, "no unknown"),
    ("periodic", ["y"], "allowed: x, t"),
    ("operator", "u_xx", "drop it"),
    ("equations", [], "missing 'operator'"),
    ("equations", ["u_t = u_q"], "u_q: derivatives up to order 8"),
    ("unknowns", ["u", "v"], "v is in no equation"),
    ("parameters", {"nu": "x"}, "not a number"),
    ("parameters", {}, "unknown name 'nu'"),
    ("rhs", ["x", "x"], "2 sources for 1"),
    ("mask", {}, "no conditions"),
    ("lift", "y", "unknown name 'y'"),
])  # fmt: skip
def test_bad_equations_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: Any, fragment: str
) -> None:
    import tomllib

    table: dict[str, Any] = tomllib.loads(shipped()["burgers"], parse_float=str)
    table["problem"][key] = value
    path = tmp_path / "p.toml"
    path.write_text(problem_text(table), encoding="utf-8")
    code, _, err = run(capsys, "train", str(path))
    assert code == 2
    assert fragment in err
    assert err.count("\n") == 1
