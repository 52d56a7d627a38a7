"""The command line as others use it: JSON fields, exit codes, one clear line for bad input."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import adfd

from proofs_check.cli.main import main
from proofs_check.cli.output import remarks


def answer(*arguments: str, code: int = 0) -> Any:
    """The one JSON object on stdout."""
    done = adfd(*arguments)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def refusal(*arguments: str, code: int = 2) -> str:
    """The one line on stderr of a refused command; nothing on stdout. In this process: starting one takes seconds."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        patch.setattr(sys, "argv", ["adfd", *arguments])
        patch.setattr(remarks, "width", 200)
        with pytest.raises(SystemExit) as stop:
            main()
    assert stop.value.code == code, errors.getvalue()
    return _one_line(out.getvalue(), errors.getvalue())


def _one_line(out: str, errors: str) -> str:
    assert out == ""
    lines = errors.strip().splitlines()
    assert len(lines) == 1, errors
    assert "Traceback" not in errors
    return lines[0]


@pytest.fixture
def sine(tmp_path: Path) -> Path:
    path = tmp_path / "sine.toml"
    path.write_text(
        '[problem]\noperator = "u_xx"\nsolution = "sin(pi*x)"\n'
        '[features]\nactivation = "sin"\nweights = {values = ["1/3", "-2", "5/4", "3"]}\n'
        'biases = {values = ["0", "1/2", "-1/7", "1"]}\n'
        '[points]\ninterior = 5\nboundary = 0\n[difference]\nstep = "1/10"\n'
    )
    return path


def test_truncation_contract() -> None:
    content = answer("derive", "truncation", "--derivative", "2", "--offsets=-1,0,1", "--json")
    assert content["weights"] == ["1", "-2", "1"]
    assert content["order"] == 2
    assert content["coefficients"][0] == {"power": 2, "derivative": 4, "value": "1/12"}
    assert [c["value"] for c in content["coefficients"]] == ["1/12", "1/360", "1/20160"]


def test_remainder_contract() -> None:
    content = answer("derive", "remainder", "--derivative", "2", "--offsets=-2,-1,0,1,2", "--json")
    assert content["absolute_integral"] == "53/45"
    assert content["error_constant"] == "1/90"
    assert content["nonnegative"] is False


def test_spectrum_contract(sine: Path) -> None:
    proven = answer("spectrum", str(sine), "--method", "fd", "--certify", "--digits", "15", "--json")
    assert (proven["method"], proven["arithmetic"], proven["matrix"], proven["certified"]) == (
        "fd",
        "exact",
        "exact",
        True,
    )
    assert len(proven["singular_values"]) == 4
    reference = answer("spectrum", str(sine), "--method", "fd", "--engine", "mpmath", "--digits", "20", "--json")
    for enclosure, value in zip(proven["singular_values"], reference["singular_values"], strict=True):
        from decimal import Decimal

        low, high = Decimal(enclosure["lower"]), Decimal(enclosure["upper"])
        assert low <= Decimal(value) <= high
        assert high - low <= abs(low) * Decimal("1e-14")


def test_spectrum_of_the_stored_matrix(sine: Path) -> None:
    stored = answer("spectrum", str(sine), "--arithmetic", "float32", "--certify", "--json")
    exact = answer("spectrum", str(sine), "--certify", "--json")
    assert stored["matrix"] == "float32"
    assert stored["certified"] is True
    first, true = float(stored["singular_values"][0]["lower"]), float(exact["singular_values"][0]["lower"])
    assert first != true
    assert abs(first - true) < 1e-5 * true


def test_infinite_models_under_a_cut_off_rule() -> None:
    plain = answer("derive", "spectrum", "hermite", "-p", "rho=3/10", "--count", "2", "--digits", "6", "--json")
    assert "convention" not in plain
    rule = "--rule energy --tau 1e-2 --power 2 --count 2 --digits 9 --json"
    found = answer("derive", "spectrum", "hermite", "-p", "rho=3/10", *rule.split())
    assert found["convention"] == {"rule": "energy", "tau": "1e-2", "power": 2, "normalised": False}
    assert found["cutoff"] == {"ad": 7, "fd": 7}
    assert (found["sign"], float(found["difference"]["upper"]) < 0) == ("fd<ad", True)
    assert float(found["entropy_ad"]["lower"]) <= 1.50267981488 <= float(found["entropy_ad"]["upper"])
    pair = answer("derive", "spectrum", "circle", "--rank", "2", "--count", "1", "--digits", "4", "--json")
    assert pair["sign"] == "equal"
    assert "tau" in refusal("derive", "spectrum", "prolate", "--tau", "3")


def test_how_many_features_have_the_cut_off_of_their_limit(sine: Path) -> None:
    few = sine.with_name("few.toml")
    few.write_text(FEW, encoding="utf-8")
    found = answer("spectrum", str(few), "--kernel", "limit", "--json")["sampling"]
    assert (found["cutoff"], found["features"], found["probability"]) == (2, 2387, "9/10")
    assert float(found["variance"]["lower"]) < 14420.90338265 < float(found["variance"]["upper"])
    few.write_text(FEW.replace('tau = "1/2"', 'tau = "100"').replace("relative", "absolute"), encoding="utf-8")
    assert answer("spectrum", str(few), "--kernel", "limit", "--json")["sampling"] is None  # nothing passes


FEW = """
[problem]
operator = "u_xx"
domain = [[-1, 1]]
solution = "sin(pi*x)"
[features]
activation = "sin"
weights = "uniform(-4, 4)"
biases = "uniform(-4, 4)"
[points]
interior = 3
[difference]
step = "1/4"
[entropy]
rule = "relative"
tau = "1/2"
power = 2
"""


def test_entropy_contract(sine: Path) -> None:
    content = answer("entropy", str(sine), "--rule", "fixed", "--rank", "3", "--power", "2", "--certify", "--json")
    assert content["sign"] in {"fd<ad", "fd>ad"}
    low, high = (float(content["difference"][end]) for end in ("lower", "upper"))
    assert low <= high
    assert (low > 0) == (content["sign"] == "fd>ad")
    assert content["cutoff"] == {"ad": 3, "fd": 3}
    assert content["convention"]["power"] == 2


def test_train_contract(sine: Path) -> None:
    content = answer("train", str(sine), "--model", "rfm", "--iterations", "50", "--step", "1/1000", "--json")
    assert [run["method"] for run in content["runs"]] == ["ad", "fd"]
    for run in content["runs"]:
        assert run["iterations"][0] == 0
        assert run["iterations"][-1] == 50
        for loss, law in zip(run["loss"], run["predicted"], strict=True):
            assert loss == pytest.approx(law, rel=1e-11)


def test_claims_and_show() -> None:
    listed = answer("claims", "--json")["claims"]
    assert len(listed) >= 18
    assert {"S1", "S2", "S3"} <= {claim["source"] for claim in listed}
    shown = answer("show", "entropy.covariance", "--json")
    assert shown["judges"] == ["theory.entropy.entropy.covariance_gap"]
    assert shown["mutants"]
    assert shown["derivation"]


def test_one_cell_runs_alone(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    address = "stencil=central m=2 p=2"
    content = answer("verify", "stencils.truncation", "--cell", address, "--out", out, "--json")
    (claim,) = content["claims"]
    (cell,) = claim["cells"]
    assert (cell["verdict"], cell["address"]) == ("PROVED", address)
    assert (Path(out) / "ledger.json").exists()


def test_mutants_of_a_family_are_refuted(tmp_path: Path) -> None:
    content = answer("verify", "stencils", "--mutants", "--out", str(tmp_path), "--json")
    verdicts = [cell["verdict"] for claim in content["claims"] for cell in claim["cells"]]
    assert len(verdicts) >= 5
    assert set(verdicts) == {"REFUTED"}


def test_examples_are_listed_and_readable(tmp_path: Path) -> None:
    names = [entry["name"] for entry in answer("example", "--json")["examples"]]
    assert "poisson" in names
    text = adfd("example", "poisson").stdout
    path = tmp_path / "p.toml"
    path.write_text(text)
    assert answer("spectrum", str(path), "--arithmetic", "float64", "--json")["certified"] is False


@pytest.mark.parametrize(
    ("change", "mentions"),
    [
        (('step = "1/10"', "step = 0"), ["difference.step", "positive"]),
        (("step =", "stp ="), ["difference.stp", "'step'"]),
        (('"u_xx"', '"u_xx + u*u_x"'), ["problem.operator", "linear"]),
        (('"sin"', "\"__import__('os').system('true')\""), ["features.activation"]),
        (('"sin"', '"9**9**9"'), ["features.activation", "exponent"]),
        (("interior = 5", "interior = 10000000"), ["points.interior"]),
    ],
)
def test_bad_problem_files_get_one_line(sine: Path, change: tuple[str, str], mentions: list[str]) -> None:
    text = sine.read_text()
    assert change[0] in text
    sine.write_text(text.replace(*change))
    line = refusal("spectrum", str(sine))
    for word in [str(sine), *mentions]:
        assert word in line


def test_a_process_of_its_own_refuses_with_one_line_and_status_2(sine: Path) -> None:
    sine.write_text(sine.read_text().replace('step = "1/10"', "step = 0"))
    done = adfd("spectrum", str(sine))
    assert done.returncode == 2
    assert "difference.step" in _one_line(done.stdout, done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("spectrum", "no-such-file.toml"),
        ("derive", "truncation", "--derivative", "2", "--offsets=0,0,1"),
        ("derive", "truncation", "--derivative", "40", "--offsets=0,1,2"),
        ("derive", "truncation", "--derivative", "2", "--offsets=9**9**9,1,2"),
        ("verify", "no-such-claim"),
        ("verify", "stencils", "--cell", "nonsense"),
        ("verify", "--profile", "huge"),
        ("show", "no-such-claim"),
        ("example", "no-such-example"),
        ("report", "no-such-directory"),
        ("frobnicate",),
    ],
)
def test_bad_arguments_get_one_line(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refusal(*arguments)
    assert not list(tmp_path.iterdir())  # nothing written


def test_commands_load_torch_only_where_something_trains() -> None:
    names = ("check", "claims", "derive", "refute", "spectrum", "sweep", "verify")
    code = f"import sys, {', '.join(f'proofs_check.cli.{name}' for name in names)}; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
