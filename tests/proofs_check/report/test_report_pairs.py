"""The maps of S4 and S5 in the same draw, against least squares and iterations by numpy and entropies written anew."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from msgspec import convert

from numerics.matrices.assemble import float_matrix
from proofs_check.report.figures.maps import agreement, phases
from proofs_check.report.figures.phase_data import DRAWS, FIRST_PAIR, ITERATIONS, SIZE, over_pairs, over_speeds
from proofs_check.report.records import PhaseMap
from proofs_check.sources.training_samples import Study


def entropy(values: Any, normalised: bool = True) -> float:
    """Energy rule, τ = 1e-6, power 1."""
    r = int(np.searchsorted(np.cumsum(values), (1 - 1e-6) * values.sum())) + 1
    p = values[:r] / values[:r].sum()
    return float(-(p * np.log(p)).sum() / (math.log(r) if normalised else 1))


def draws(activation: str, step: Fraction) -> Iterator[dict[str, Any]]:
    """A_AD and A_FD of every draw at s = 2."""
    for seed in range(FIRST_PAIR, FIRST_PAIR + DRAWS["quick"]):
        study = Study("rfm", "u_xx", "float64", "svd", "quick", step=step, activation=activation,
                      deviation=Fraction(2), count=SIZE, points=SIZE, first=seed, members=1)  # fmt: skip
        yield {m: float_matrix(study.problem(seed), m, "float64") for m in ("ad", "fd")}


def right(rows: int) -> Any:
    """u'' of sin(πx) at the points, and zero at both ends."""
    x = np.arange(1, SIZE + 1) / (SIZE + 1) * 2 - 1
    return np.concatenate([-(math.pi**2) * np.sin(math.pi * x), np.zeros(rows - SIZE)])


@pytest.mark.parametrize("activation", ["tanh", "sin"])
def test_the_map_of_pairs_is_what_numpy_finds(activation: str) -> None:
    found = convert(over_pairs(activation, "float64", "quick"), PhaseMap)
    y, x = found.rows.index("2"), found.columns.index("1/100")
    ahead = agreeing = 0
    for A in draws(activation, Fraction(1, 100)):
        f = right(len(A["ad"]))
        rcond = np.finfo(float).eps * max(A["ad"].shape)
        left = {m: np.linalg.norm(A["ad"] @ np.linalg.lstsq(A[m], f, rcond)[0] - f) for m in A}
        H = {m: entropy(np.linalg.svd(A[m], compute_uv=False)) for m in A}
        ahead += left["ad"] < left["fd"]
        agreeing += (H["ad"] > H["fd"]) == (left["ad"] < left["fd"])
    assert found.small[y][x] == ahead / DRAWS["quick"]
    assert found.normalised[y][x] == agreeing / DRAWS["quick"]


@pytest.mark.parametrize("activation", ["tanh", "sin"])
def test_the_map_of_speeds_is_what_iterating_finds(activation: str) -> None:
    found = convert(over_speeds(activation, "float64", "quick"), PhaseMap)
    assert found.iterations == ITERATIONS
    y, x = found.rows.index("2"), found.columns.index("1/10")
    faster, agreeing = 0, {"raw": 0, "normalised": 0}
    for A in draws(activation, Fraction(1, 10)):
        f, left, squares = right(len(A["ad"])), {}, {}
        for method, matrix in A.items():
            sigma, a = np.linalg.svd(matrix, compute_uv=False), np.zeros(SIZE)
            for _ in range(ITERATIONS):
                a -= matrix.T @ (matrix @ a - f) / sigma[0] ** 2
            left[method], squares[method] = np.linalg.norm(matrix @ a - f), sigma**2
        faster += left["ad"] < left["fd"]
        for name in agreeing:
            H = {m: entropy(values, name == "normalised") for m, values in squares.items()}
            agreeing[name] += (H["ad"] > H["fd"]) == (left["ad"] < left["fd"])
    assert found.small[y][x] == faster / DRAWS["quick"]
    assert found.raw[y][x] == agreeing["raw"] / DRAWS["quick"]
    assert found.normalised[y][x] == agreeing["normalised"] / DRAWS["quick"]


def test_the_figure_of_speeds_counts_and_predicts_nothing() -> None:
    none = [[None, None]]
    shown = [
        convert(
            {"across": "speeds", "activation": name, "arithmetic": "float64", "draws": 4, "columns": ["1/100", "1/10"],
             "rows": ["1"], "small": [[0.5, 0.75]], "raw": [raw], "normalised": [[0.0, 0.25]], "small_predicted": none,
             "raw_predicted": none, "normalised_predicted": none, "flagged": [[False, False]], "iterations": 30},
            PhaseMap,
        )
        for name, raw in (("tanh", [0.0, 0.25]), ("sin", [1.0, 0.75]))
    ]  # fmt: skip
    assert agreement(shown[0], "raw") == (0, 0)
    figure = phases(shown, "speeds")
    assert len(figure.panels) == 6
    assert "after 30 iterations" in figure.caption
    counted = [f"{k} of 2 for tanh in float64 and {m} of 2 for sin in float64" for k, m in ((1, 1), (0, 2), (0, 0))]
    places = [figure.caption.index(text) for text in counted]
    assert places == sorted(places)
    assert "predicted" not in "".join(figure.panels)


def test_its_figure_counts_what_is_shown() -> None:
    shown = convert(
        {"across": "pairs", "activation": "tanh", "arithmetic": "float32", "draws": 4, "columns": ["1/100", "1/10"],
         "rows": ["1"], "small": [[1.0, 0.75]], "raw": [[0.0, 1.0]], "normalised": [[0.5, 1.0]],
         "small_predicted": [[True, True]], "raw_predicted": [[False, None]], "normalised_predicted": [[False, True]],
         "flagged": [[False, False]]},
        PhaseMap,
    )  # fmt: skip
    assert [agreement(shown, field) for field in ("small", "raw", "normalised")] == [(2, 2), (1, 1), (1, 2)]
    figure = phases([shown], "pairs")
    assert len(figure.panels) == 3
    assert "2 of 2 for AD leaves less, 1 of 1 for S4 and 1 of 2 for S4, normalised" in figure.caption
