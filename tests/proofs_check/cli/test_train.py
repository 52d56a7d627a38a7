"""``adfd train``: what is reported is true of the run, in every model, and a stopped run goes on."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.networks.perceptrons import ModuleResidual, jacobian_by_rows
from numerics.predictions.frozen import RESTARTS, band, order
from numerics.problem import file as problem_file
from numerics.problem.problem import METHODS
from numerics.training import from_problem
from proofs_check.cli.train import train
from theory.base.errors import InputError
from theory.entropy.entropy import truncated_entropy

PROBLEM = """
[problem]
operator = "-1/20*u_xx + u_x"
domain = [[0, 1]]
solution = "x**2"
[features]
activation = "tanh"
count = 6
[points]
interior = 9
boundary = 2
[difference]
step = "1/10"
"""
DEFAULTS: dict[str, Any] = {
    "model": None, "method": None, "optimizer": None, "seeds": 2, "iterations": 6, "step": None, "dtype": None,
    "device": "cpu",
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "problem.toml"
    file.write_text(PROBLEM, encoding="utf-8")
    return str(file)


def answer(capsys: pytest.CaptureFixture[str], path: str, **options: Any) -> dict[str, Any]:
    assert train(path=path, as_json=True, **(DEFAULTS | options)) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("model", ["rfm", "two-layer"])
@pytest.mark.parametrize("optimizer", ["gd", "adam", "lbfgs"])
def test_every_model_and_optimiser(capsys: pytest.CaptureFixture[str], path: str, model: str, optimizer: str) -> None:
    runs = answer(capsys, path, model=model, optimizer=optimizer)["runs"]
    assert len(runs) == (8 if optimizer == "gd" else 4)
    for run in runs:
        assert run["loss"][-1] < run["loss"][0]
        assert (run["predicted"] is None) == (optimizer != "gd")
        assert run["solution_error"] > 0
        if run["method"] == "ad":  # the loss that was minimised is that of the equation
            assert run["equation_loss"] == pytest.approx(run["loss"][-1], rel=1e-9)
        else:
            assert run["equation_loss"] != pytest.approx(run["loss"][-1], rel=1e-6)


def test_the_loss_of_the_equation_is_that_of_the_autodiff_matrix(capsys: pytest.CaptureFixture[str], path: str) -> None:
    """Gradient descent by hand, from the matrices."""
    (run,) = answer(capsys, path, method="fd", seeds=1, step="1/500")["runs"]
    problem = problem_file.load_problem(path)
    ad, fd = (float_matrix(problem, method, "float64") for method in ("ad", "fd"))  # type: ignore[arg-type]
    f, a = float_rhs(problem, "float64"), np.zeros(6)
    for _ in range(6):
        a -= fd.T @ (fd @ a - f) / 500
    assert run["loss"][-1] == pytest.approx(0.5 * np.sum((fd @ a - f) ** 2), rel=1e-12)
    assert run["equation_loss"] == pytest.approx(0.5 * np.sum((ad @ a - f) ** 2), rel=1e-12)


def test_a_run_goes_on_from_its_checkpoint(capsys: pytest.CaptureFixture[str], path: str, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    options: dict[str, Any] = {"model": "two-layer", "optimizer": "adam", "dtype": "float32"}
    first = answer(capsys, path, checkpoint=folder, **options)
    assert sorted(file.name for file in folder.iterdir()) == ["ad.pt", "fd.pt"]
    assert answer(capsys, path, checkpoint=folder, resume=True, **options) == first
    with pytest.raises(InputError, match="another run"):
        answer(capsys, path, checkpoint=folder, resume=True, **(options | {"dtype": "float64"}))
    cast = answer(capsys, path, cast=True, **options)
    assert cast["runs"][0] == first["runs"][0]  # of AD
    assert cast["runs"][2]["loss"] != first["runs"][2]["loss"]


def test_speed_and_entropy_of_networks(capsys: pytest.CaptureFixture[str], path: str) -> None:
    options: dict[str, Any] = {"model": "two-layer", "optimizer": "lbfgs", "iterations": 9, "seeds": 1}
    runs = answer(capsys, path, tolerance=0.5, entropy=True, **options)["runs"]
    problem = problem_file.load_problem(path)
    for run in runs:
        reached = next(t for t, v in zip(run["iterations"], run["loss"], strict=True) if v <= 0.5 * run["loss"][0])
        assert run["iterations_to"] == reached  # so short a run is recorded at every iteration
        assert [point["iteration"] for point in run["entropies"]] == [0, 2, 4, 6, 9]
        # At the start: from the Jacobian by autograd, in the problem's convention.
        flat = from_problem.start(problem, [0])
        model: Any = from_problem.model(problem, run["method"])
        generic = ModuleResidual(model.network.module(flat[0]), model.system, "reverse")
        values = torch.linalg.svdvals(jacobian_by_rows(generic.residual, flat)[0])
        expected = truncated_entropy(values.tolist(), problem.convention)
        assert run["entropies"][0]["entropy"] == pytest.approx(float(expected.value), rel=1e-9)
        assert run["entropies"][0]["cutoff"] == expected.cutoff
    (run,) = answer(capsys, path, method="ad", tolerance=1e-9, **options)["runs"]
    assert run["iterations_to"] is None
    assert "entropies" not in run
    assert train(path=path, as_json=False, tolerance=1e-9, entropy=True, **(DEFAULTS | options)) == 0
    text = capsys.readouterr().out
    assert "never" in text
    assert "entropy of the residual Jacobian" in text


@pytest.mark.parametrize(
    ("optimizer", "step", "rules"), [("gd", None, ("own", "common")), ("adam", "1/10000000", ("all",))]
)
def test_the_order_of_entropies_and_its_horizon(
    capsys: pytest.CaptureFixture[str], path: str, optimizer: str, step: str | None, rules: tuple[str, ...]
) -> None:
    """At the start the order is that of the entropies; up to the horizon it is so; hardly moved, it lasts to the end."""
    options: dict[str, Any] = {"model": "two-layer", "optimizer": optimizer, "step": step, "iterations": 8}
    found = answer(capsys, path, entropy=True, **options)
    for rule in rules:
        for one in found["comparison"][rule]["entropy_orders"]:
            ad, fd = (
                next(
                    run["entropies"]
                    for run in found["runs"]
                    if (run["method"], run["seed"], run["step_rule"] or "all") == (method, one["seed"], rule)
                )
                for method in METHODS
            )
            assert one["order"] is not None
            for a, b in zip(ad, fd, strict=True):
                if one["valid_until"] is None or a["iteration"] < one["valid_until"]:
                    assert one["order"] == ("fd<ad" if b["entropy"] < a["entropy"] else "fd>ad")
            assert (one["valid_until"] is None) == (optimizer == "adam")
            assert one["valid_until"] in (None, *(a["iteration"] for a in ad[1:]))
    (alone,) = answer(capsys, path, entropy=True, method="ad", **(options | {"seeds": 1}))["runs"][:1]
    assert alone["entropies"]
    assert train(path=path, as_json=False, entropy=True, **(DEFAULTS | options)) == 0
    text = capsys.readouterr().out
    assert "Order of these entropies" in text
    assert ("the end" in text) == (optimizer == "adam")


def test_the_table_says_what_it_shows(capsys: pytest.CaptureFixture[str], path: str) -> None:
    for model, optimizer, words in (
        (
            "rfm",
            "gd",
            ["Law of the frozen kernel", "valid until", "own step", "same step", "largest distance from law"],
        ),
        ("two-layer", "gd", ["Law of the frozen kernel", "restarts", "valid at the start alone"]),
        ("two-layer", "adam", ["paired by seed", "95 %", "of 2 seeds"]),
    ):
        assert train(path=path, as_json=False, **(DEFAULTS | {"model": model, "optimizer": optimizer})) == 0
        text = capsys.readouterr().out
        for word in [*words, "of the PDE", "at 6"]:
            assert word in text
        assert max(map(len, text.splitlines())) < 120


def measured(run: dict[str, Any]) -> list[tuple[float, float, float]]:
    """At each recorded iteration with a law: the least loss that it allows, the loss, and the greatest."""
    found = []
    for loss, predicted, bound in zip(run["loss"], run["predicted"], run["bound"], strict=True):
        assert (predicted is None) == (bound is None)
        if (ends := band(predicted, bound)) is not None:
            found.append((ends[0], loss, ends[1]))
    return found


def test_the_standing_example_has_no_bare_law(capsys: pytest.CaptureFixture[str]) -> None:
    """Width 64 with normal laws: the kernel at the start is good for one iteration, which its bound says."""
    path = str(files("proofs_check") / "problems" / "poisson.toml")
    options: dict[str, Any] = {"model": "two-layer", "optimizer": "gd", "iterations": 50, "seeds": 1, "method": "ad"}
    (run,) = answer(capsys, path, tolerance=0.5, **options)["runs"]
    assert run["loss"][-1] == pytest.approx(1367, rel=0.05)
    assert run["valid_until"] == 1
    assert run["restarts"][0] == 1
    inside = measured(run)
    assert len(inside) == len(run["iterations"])
    for low, loss, high in inside:
        assert low * (1 - 1e-12) <= loss <= high * (1 + 1e-12)
    # Nowhere far from the loss and sure of it.
    assert all(
        bound >= 0.1 * abs(math.sqrt(2 * p) - math.sqrt(2 * v))
        for p, v, bound in zip(run["predicted"], run["loss"], run["bound"], strict=True)
    )
    reach = run["predicted_iterations_to"]
    assert reach["earliest"] <= run["iterations_to"] <= reach["latest"]
    assert train(path=path, as_json=False, **(DEFAULTS | options)) == 0
    text = capsys.readouterr().out
    assert "5.36" not in text
    assert "valid until" in text


def test_kernels_too_large_to_be_decomposed(
    capsys: pytest.CaptureFixture[str], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_problem, "MOST_RESIDUALS", 3)
    options: dict[str, Any] = {"model": "two-layer", "optimizer": "gd", "iterations": 2}
    with pytest.raises(InputError, match=r"training.step: .*--step"):
        train(path=path, as_json=True, **(DEFAULTS | options))
    assert train(path=path, as_json=False, **(DEFAULTS | options | {"step": "1/1000"})) == 0
    text = capsys.readouterr().out
    assert "no law of the kernel: more than 3 residuals" in text
    assert "valid" not in text


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("model", ["rfm", "two-layer"])
def test_every_loss_lies_in_the_band_of_its_law(
    capsys: pytest.CaptureFixture[str], path: str, model: str, dtype: str
) -> None:
    unit = 1e-6 if dtype == "float32" else 1e-14
    for run in answer(capsys, path, model=model, dtype=dtype, iterations=60)["runs"]:
        inside = measured(run)
        assert len(inside) == len(run["iterations"]) or len(run["restarts"]) == RESTARTS
        for low, loss, high in inside:
            assert low * (1 - unit) <= loss <= high * (1 + unit)
        assert (run["valid_until"] is None) == (run["restarts"] == [])
        if model == "rfm" and dtype == "float64":
            assert run["valid_until"] is None
            assert max(run["bound"]) <= 1e-10 * math.sqrt(2 * run["loss"][0])


def test_the_order_of_ad_and_fd_is_that_of_the_runs(capsys: pytest.CaptureFixture[str], path: str) -> None:
    found = answer(capsys, path, model="two-layer", iterations=40, tolerance=0.2, seeds=3)
    for rule in ("own", "common"):
        counts = {"AD first": 0, "FD first": 0, "not separated": 0}
        for seed in range(3):
            ad, fd = (
                next(r for r in found["runs"] if (r["method"], r["seed"], r["step_rule"]) == (m, seed, rule))
                for m in ("ad", "fd")
            )
            limits = [
                (r["predicted_iterations_to"]["earliest"], r["predicted_iterations_to"]["latest"]) for r in (ad, fd)
            ]
            says = order(*limits)
            counts[says] += 1
            if says != "not separated":
                first, second = (ad, fd) if says == "AD first" else (fd, ad)
                assert first["iterations_to"] is not None
                assert second["iterations_to"] is None or first["iterations_to"] < second["iterations_to"]
        assert found["comparison"][rule]["order"] == {"tolerance": 0.2, **counts}


def test_options_that_do_not_fit_are_refused(path: str, tmp_path: Path) -> None:
    for options, reason in (
        ({"checkpoint": tmp_path / "state"}, "--checkpoint: for --model two-layer"),
        ({"cast": True}, "--cast-after-forward: for --model two-layer"),
        ({"model": "two-layer", "resume": True}, "--resume: needs --checkpoint"),
        ({"model": "two-layer", "checkpoint": Path(path)}, "is not a folder"),
        ({"step": "-1"}, "--step"),
        ({"entropy": True}, "--entropy: for --model two-layer"),
        ({"tolerance": 0.1}, "--tolerance: for --model two-layer"),
        ({"model": "two-layer", "tolerance": 1.5}, "0 < T ≤ 1"),
    ):
        with pytest.raises(InputError, match=reason):
            train(path=path, as_json=True, **(DEFAULTS | options))
