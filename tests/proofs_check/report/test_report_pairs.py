"""The map of S4 in the same draw, against least squares by numpy and entropies written anew."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from msgspec import convert

from numerics.matrices import float_matrix
from proofs_check.claims.study import Study
from proofs_check.report.figure_phases import agreement, phases
from proofs_check.report.phase_data import DRAWS, FIRST_PAIR, SIZE, over_pairs
from proofs_check.report.records import PhaseMap


def entropy(values: Any) -> float:
    """Energy rule, τ = 1e-6, power 1, normalised."""
    r = int(np.searchsorted(np.cumsum(values), (1 - 1e-6) * values.sum())) + 1
    p = values[:r] / values[:r].sum()
    return float(-(p * np.log(p)).sum() / math.log(r))


@pytest.mark.parametrize("activation", ["tanh", "sin"])
def test_the_map_of_pairs_is_what_numpy_finds(activation: str) -> None:
    found = convert(over_pairs(activation, "float64", "quick"), PhaseMap)
    y, x = found.rows.index("2"), found.columns.index("1/100")
    ahead = agreeing = 0
    for seed in range(FIRST_PAIR, FIRST_PAIR + DRAWS["quick"]):
        study = Study("rfm", "u_xx", "float64", "svd", "quick", step=Fraction(1, 100), activation=activation,
                      deviation=Fraction(2), count=SIZE, points=SIZE, first=seed, members=1)  # fmt: skip
        A = {m: float_matrix(study.problem(seed), m, "float64") for m in ("ad", "fd")}
        x_i = np.arange(1, SIZE + 1) / (SIZE + 1) * 2 - 1
        f = np.concatenate([-(math.pi**2) * np.sin(math.pi * x_i), np.zeros(len(A["ad"]) - SIZE)])
        rcond = np.finfo(float).eps * max(A["ad"].shape)
        left = {m: np.linalg.norm(A["ad"] @ np.linalg.lstsq(A[m], f, rcond)[0] - f) for m in A}
        H = {m: entropy(np.linalg.svd(A[m], compute_uv=False)) for m in A}
        ahead += left["ad"] < left["fd"]
        agreeing += (H["ad"] > H["fd"]) == (left["ad"] < left["fd"])
    assert found.small[y][x] == ahead / DRAWS["quick"]
    assert found.normalised[y][x] == agreeing / DRAWS["quick"]


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
