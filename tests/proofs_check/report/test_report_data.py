"""The figures' numbers against independent routes, on small problems."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from numerics.matrices.assemble import float_matrix, float_rhs, multiprecision_entries
from numerics.problem.file import problem_from_dict
from numerics.problem.problem import Problem
from numerics.spectra.spectrum import reference_singular_values
from proofs_check.families.spectra import regimes
from proofs_check.report import data
from proofs_check.report.figures import phase_data
from proofs_check.report.figures.all import draw, drawings
from proofs_check.report.records import Figures, read_figures
from theory.entropy.conventions import Convention


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """The quick profile, smaller."""
    patch = pytest.MonkeyPatch()
    patch.setitem(data.SIZES, "quick", 14)
    patch.setitem(data.ENTROPY_SIZES, "quick", 10)
    patch.setitem(data.STEPS, "quick", ("1/10", "1/40", "1/160"))
    patch.setitem(data.ITERATIONS, "quick", 200)
    patch.setitem(data.NETWORKS, "quick", (20, 3, 8))
    patch.setitem(phase_data.SIZES, "quick", (8, 12))  # their numbers: test_report_phases.py
    patch.setitem(phase_data.DRAWS, "quick", 3)
    patch.setattr(phase_data, "SIZE", 12)
    patch.setattr(phase_data, "STEPS", phase_data.STEPS[::3])
    patch.setattr(phase_data, "SCALES", phase_data.SCALES[::3])
    patch.setattr(phase_data, "ACTIVATIONS", ("tanh",))
    patch.setattr(phase_data, "ARITHMETICS", ("float32",))
    patch.setitem(data.BOUNDS, "quick", (data.BOUNDS["quick"][0], 2))
    patch.setattr(regimes, "SCALES", (1, 16))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def content(small: None) -> dict[str, Any]:
    return data.assemble("quick", [data.figure_part("quick", k) for k in range(len(data.figure_work("quick")))])


@pytest.fixture(scope="module")
def figures(content: dict[str, Any]) -> Figures:
    return msgspec.convert(content, Figures)


def problem(found: Any) -> Problem:
    """The problem that a figure says it is of."""
    return problem_from_dict(found.problem)


def test_they_survive_json_and_can_be_drawn(content: dict[str, Any], figures: Figures, tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    assert read_figures(tmp_path) == figures
    assert [figure.id for figure in draw(drawings(figures))] == [
        "figure-spectra",
        "figure-entropy",
        "figure-regimes",
        "figure-phases-size",
        "figure-phases-step",
        "figure-phases-pairs",
        "figure-phases-speeds",
        "figure-training",
        "figure-bounds",
    ]


def test_no_drawn_network_is_above_the_bound_of_its_law(figures: Figures) -> None:
    (found,) = figures.bounds
    assert found.draws == data.BOUNDS["quick"][1]
    assert len(found.points) >= 4 * found.draws  # four members, each by AD and FD; what diverges is left out
    assert {point.method for point in found.points} == {"ad", "fd"}
    assert all(point.deviation <= point.bound for point in found.points)
    assert any(point.deviation > 1e-6 for point in found.points)


def test_floating_spectra_are_lapacks(figures: Figures) -> None:
    for figure in figures.spectra:
        for panel in figure.panels[1:]:
            for method, values in (("ad", panel.ad), ("fd", panel.fd)):
                stored = float_matrix(problem(figure), method, panel.arithmetic).astype(np.float64)  # type: ignore[arg-type]
                direct = np.linalg.svd(stored, compute_uv=False)
                assert np.allclose(values, direct, rtol=0, atol=30 * 2.0**-53 * direct[0])


def test_exact_spectra_are_mpmaths(figures: Figures) -> None:
    figure = figures.spectra[0]
    for method, values in (("ad", figure.panels[0].ad), ("fd", figure.panels[0].fd)):
        reference = reference_singular_values(multiprecision_entries(problem(figure), method), 10)  # type: ignore[arg-type]
        assert [float(v) for v in reference.values] == pytest.approx(values, rel=1e-9, abs=0)


def test_floor_and_knee_agree_with_each_other(figures: Figures) -> None:
    for figure in figures.spectra:
        exact = figure.panels[0]
        assert (exact.floor, exact.knee, exact.noise) == (None, None, [])
        for panel in figure.panels[1:]:
            assert panel.floor is not None
            assert panel.knee == sum(1 for value in exact.ad if value >= panel.floor)
            assert len(panel.noise) == len(panel.ad) - panel.knee
            assert all(value <= panel.floor for value in panel.noise)


def test_the_first_order_gap_has_a_remainder_of_order_four(figures: Figures) -> None:
    for figure in figures.entropy:
        exact = next(curve for curve in figure.curves if curve.arithmetic == "exact")
        h = [float(Fraction(step)) for step in figure.steps]
        assert figure.first_order is not None
        gaps = [gap for gap in exact.gap if gap is not None]
        remainder = [abs(gap - first) for gap, first in zip(gaps, figure.first_order, strict=True)]
        slope = np.polyfit(np.log(h[1:]), np.log(remainder[1:]), 1)[0]
        assert 3.5 < slope < 4.5


def test_entropies_are_those_of_the_spectra(figures: Figures) -> None:
    for figure in figures.entropy:
        assert Convention().label == figure.convention
        for curve in figure.curves:
            if curve.arithmetic == "exact":
                continue
            for step, value in zip(figure.steps, curve.fd, strict=True):
                stepped = problem(figure).with_(step=(Fraction(step),))
                stored = float_matrix(stepped, "fd", curve.arithmetic).astype(np.float64)
                sigma = np.linalg.svd(stored, compute_uv=False)
                p = sigma[sigma >= 1e-12 * sigma[0]]
                p = p / p.sum()
                assert value == pytest.approx(-(p * np.log(p)).sum(), abs=1e-9)


def test_the_sign_is_that_of_the_gap_where_it_is_decided(figures: Figures) -> None:
    for figure in figures.entropy:
        exact = next(curve for curve in figure.curves if curve.arithmetic == "exact")
        assert None not in exact.sign
        for curve in figure.curves:
            for gap, sign in zip(curve.gap, curve.sign, strict=True):
                assert sign is None or (gap is not None and sign == math.copysign(1, gap))


def test_gradient_descent_obeys_its_law(figures: Figures) -> None:
    for run in figures.training[0].runs:
        assert run.iterations[0] == 0
        assert run.iterations[-1] == 200
        tolerance = 1e-11 if run.dtype == "float64" else 1e-4
        for loss, law in zip(run.loss, run.predicted, strict=True):
            assert loss is not None
            assert law is not None
            assert abs(loss**0.5 - law**0.5) <= tolerance * run.loss[0] ** 0.5  # type: ignore[operator]


def test_the_equation_is_what_ad_minimises(figures: Figures) -> None:
    """For AD in float64 the equation's loss is the loss itself; for FD it differs by the truncation."""
    by_key = {(run.method, run.dtype): run for run in figures.training[0].runs}
    exact = by_key["ad", "float64"]
    assert exact.equation == pytest.approx(exact.loss[-1], rel=1e-9)
    assert by_key["fd", "float64"].equation != pytest.approx(by_key["fd", "float64"].loss[-1], rel=1e-9)
    for ensemble in figures.networks[0].ensembles:
        assert ensemble.equation is not None
        if ensemble.method == "ad":
            assert ensemble.equation == pytest.approx(ensemble.median[-1], rel=1e-9)


def test_truncated_svd_against_least_squares(figures: Figures) -> None:
    figure = figures.training[0]
    solved = problem(figure)
    f = float_rhs(solved, "float64")
    A = float_matrix(solved, "ad", "float64")
    left, sigma, right = np.linalg.svd(A, full_matrices=False)
    for found in figure.truncated:
        if found.dtype == "float64" and found.method == "ad":
            for r in (0, 1, 5, 12):
                a = right[:r].T @ (left[:, :r].T @ f / sigma[:r])
                direct = np.linalg.norm(A @ a - f) / np.linalg.norm(f)
                assert found.equation[r] == pytest.approx(direct, rel=1e-6)
                assert found.minimised[r] == pytest.approx(direct, rel=1e-6)


def test_quartiles_are_ordered_and_paired(figures: Figures) -> None:
    network = figures.networks[0]
    assert [ensemble.method for ensemble in network.ensembles] == ["ad", "fd"]
    for ensemble in network.ensembles:
        assert ensemble.predicted_lower is not None
        assert ensemble.predicted_upper is not None
        for least, middle, most in zip(
            ensemble.predicted_lower, ensemble.median, ensemble.predicted_upper, strict=True
        ):
            if least is not None:  # a law was left
                assert most is not None
                assert least * (1 - 1e-12) <= middle <= most * (1 + 1e-12)
        for low, middle, high in zip(ensemble.lower, ensemble.median, ensemble.upper, strict=True):
            assert low is not None
            assert middle is not None
            assert high is not None
            assert low <= middle <= high
        assert ensemble.predicted_lower[0] == pytest.approx(ensemble.median[0], rel=1e-9)
        assert ensemble.predicted_upper[0] == pytest.approx(ensemble.median[0], rel=1e-9)


def test_the_commands_name_files_that_the_page_writes(figures: Figures) -> None:
    for figure in (*figures.spectra, *figures.entropy, *figures.training, *figures.networks):
        assert figure.commands
        assert all(f"problems/{figure.name}.toml" in command for command in figure.commands)
