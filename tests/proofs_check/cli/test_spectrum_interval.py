"""``adfd entropy --certify --step-interval``: one object on stdout, and input that is refused."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from numerics.problem.problem import Problem
from proofs_check.checker_entropies import verify
from proofs_check.cli.spectrum import entropy_on_interval
from proofs_check.second_checker.judge import findings
from theory.base.errors import InputError
from theory.entropy.conventions import Convention
from theory.features.laws import law

PROBLEM = Problem(count=4, interior=(4,), activation_name="tanh", weights=law("uniform(-4, 4)"))


def test_json_names_the_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    assert entropy_on_interval(PROBLEM, Convention("relative", power=2), "1/50,1/10", True, True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sign"] == "fd>ad"
    assert found["decided"] == 1
    assert found["interval"] == {"low": "1/50", "high": "1/10"}
    (piece,) = found["pieces"]
    assert (Fraction(piece["low"]), Fraction(piece["high"]), piece["sign"]) == (
        Fraction(1, 50),
        Fraction(1, 10),
        "fd>ad",
    )
    assert found["certified"] is True


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert entropy_on_interval(PROBLEM, Convention("relative", power=2), "1/20,1/10", True, False) == 0
    assert "fd>ad for every h in the interval" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "certify"), [("1/50,1/10", False), ("1/10", True), ("-1,1", True), ("0,0", True), ("a,b", True)]
)
def test_refused(text: str, certify: bool) -> None:
    with pytest.raises(InputError, match="--step-interval"):
        entropy_on_interval(PROBLEM, Convention(), text, certify, True)


def test_every_small_step(capsys: pytest.CaptureFixture[str]) -> None:
    convention = Convention("fixed", rank=2)
    assert entropy_on_interval(PROBLEM, convention, "0,1/10", True, True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["decided"] == 1
    assert found["interval"] == {"low": "0", "high": "1/10"}
    small = found["small_steps"]
    assert len(found["agreeing_steps"]) == 4
    assert all(0 <= Fraction(h) <= Fraction(1, 10) for h in found["agreeing_steps"])
    assert (small["power"], found["pieces"][0]["low"]) == (2, "0")
    assert 0 < Fraction(small["high"]) <= Fraction(1, 10)
    low, high = (Fraction(small["quotient"][end]) for end in ("lower", "upper"))
    assert low * high > 0
    assert (low > 0) == (found["sign"] == "fd>ad")
    assert entropy_on_interval(PROBLEM, convention, "0,1/10", True, False) == 0
    assert "/ h^2 in [" in capsys.readouterr().out


def test_a_proof_object_of_every_small_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "proof.json"
    convention = Convention("fixed", rank=2)
    assert entropy_on_interval(PROBLEM, convention, "0,1/10", True, True, path) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pieces"][0]["low"] == "0"
    assert found["pieces"][0]["sign"] in ("fd<ad", "fd>ad")
    data = json.loads(path.read_text())
    assert data["pieces"][0]["kind"] == "near zero"
    assert verify(data)["signs"][0].startswith(f"{data['pieces'][0]['sign']} for every h in (0, ")
    assert findings(data) == []
