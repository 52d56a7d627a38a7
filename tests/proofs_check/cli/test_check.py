"""``adfd check``: what is proven, and of which problem; proof objects are checked before they are written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from proofs_check import checker
from proofs_check.certificates import objects as proof_objects
from proofs_check.cli.main import main
from theory.base.errors import PrecisionCapError

PROBLEM = """
[problem]
operator = "u_xx"
solution = "sin(x)"
[features]
activation = "{}"
count = 3
[points]
interior = 3
"""
OLD = Path(__file__).parents[1] / "certificates"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["adfd", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
    return int(stopped.value.code or 0), capsys.readouterr().out


@pytest.fixture
def proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "relu.toml").write_text(PROBLEM.format("relu"))
    (tmp_path / "tanh.toml").write_text(PROBLEM.format("tanh"))
    path = tmp_path / "proof.json"
    words = ("spectrum", str(tmp_path / "relu.toml"), "--method", "fd", "--certificate", str(path))
    assert run(capsys, *words)[0] == 0
    return path


def test_differences_of_relu_have_a_proof_of_their_problem(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, other = str(proof.with_name("relu.toml")), str(proof.with_name("tanh.toml"))
    code, out = run(capsys, "check", str(proof), "--problem", problem, "--method", "fd", "--json")
    content: dict[str, Any] = json.loads(out)
    assert (code, content["accepted"], content["findings"]) == (0, True, [])
    found = content["proven"]
    data = checker.read(proof)
    assert (found["method"], found["rows"], found["columns"], len(found["values"])) == ("fd", 5, 3, 3)
    assert found["problem_sha256"] == checker.digest(data["problem"])
    for words, reason in (
        (("--problem", problem, "--method", "ad"), "not for the ad matrix"),
        (("--problem", other, "--method", "fd"), "another problem"),
        (("--problem", other), "another problem"),
    ):
        code, out = run(capsys, "check", str(proof), *words)
        assert code == 1
        assert reason in out
    code, out = run(capsys, "check", str(proof), "--problem", problem)
    assert code == 0
    assert "it is about" in out
    assert run(capsys, "check", str(proof), "--method", "fd")[0] == 2


def test_files_of_version_1(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("v1_fd_tanh", "v1_ad_gelu"):
        assert run(capsys, "check", str(OLD / f"{name}.json"))[0] == 0
    for name in ("forged", "dup"):
        code, out = run(capsys, "check", str(OLD / f"{name}.json"))
        assert code == 1
        assert out.startswith("refused:")
        assert len(out.splitlines()) == 1


def test_what_the_checker_refuses_is_not_written(proof: Path) -> None:
    data = checker.read(proof)
    assert proof_objects.accepted(data) == data
    data["spectrum"]["values"][0]["upper"] = data["spectrum"]["values"][0]["lower"]
    with pytest.raises(PrecisionCapError, match="not accepted"):
        proof_objects.accepted(data)


def test_precision_is_raised_where_the_checker_needs_more(proof: Path) -> None:
    data = checker.read(proof)
    first = data["spectrum"]["precision"]
    while checker.check(data) == []:
        data["spectrum"]["precision"] -= 8
    assert first * 0.4 < data["spectrum"]["precision"] < first
    found = proof_objects.accepted(data)
    assert checker.check(found) == []


def test_entropies_and_their_sign_have_a_proof(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, path = str(proof.with_name("tanh.toml")), str(proof.with_name("entropy.json"))
    words = ("entropy", problem, "--certify", "--certificate", path, "--rule", "fixed", "--rank", "2")
    code, out = run(capsys, *words, "--json")
    shown = json.loads(out)
    assert (code, shown["certified"], shown["certificate"]) == (0, True, path)
    code, out = run(capsys, "check", path, "--problem", problem, "--json")
    found = json.loads(out)["proven"]
    assert (code, found["statement"], found["sign"]) == (0, "entropies", shown["sign"])
    assert shown["sign"] in ("fd<ad", "fd>ad")
    code, out = run(capsys, "entropy", problem, "--certify", "--rule", "fixed", "--rank", "2", "--json")
    assert json.loads(out)["sign"] == shown["sign"]
    assert run(capsys, "check", path, "--problem", str(proof.with_name("relu.toml")))[0] == 1
    assert run(capsys, "entropy", problem, "--certificate", path)[0] == 2
    assert run(capsys, "entropy", problem, "--certify", "--arithmetic", "float64", "--certificate", path)[0] == 2


def test_all_steps_of_an_interval_have_a_proof(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, path = proof.with_name("sine.toml"), str(proof.with_name("steps.json"))
    problem.write_text(PROBLEM.format("sin") + "boundary = 0\n")
    words = (
        "--certify",
        "--rule",
        "fixed",
        "--rank",
        "2",
        "--step-interval",
        "1/20,1/15",
        "--certificate",
        path,
        "--json",
    )
    code, out = run(capsys, "entropy", str(problem), *words)
    shown = json.loads(out)
    assert code == 0
    assert shown["decided"] > 0.3
    assert {piece["sign"] for piece in shown["pieces"]} - {"undecided"} == {"fd>ad"}
    code, out = run(capsys, "check", path, "--problem", str(problem), "--json")
    found = json.loads(out)["proven"]
    first = shown["pieces"][0]
    assert found["signs"] == [f"fd>ad for every h in [{first['low']}, {first['high']}]"]
