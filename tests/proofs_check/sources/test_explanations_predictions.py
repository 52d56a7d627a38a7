"""Predicted signs over the settings of S3: all of them are asked, and the counts are those of a count made anew."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numerics.matrices.assemble import float_matrix
from proofs_check.sources.explanations import PREDICTED, Settings, _instances
from proofs_check.sources.samples import Setting
from proofs_check.sources.source import by_convention

ENERGY = "energy τ=1e-6, power 1"


@pytest.mark.parametrize("arithmetic", ["exact", "float64", "float32"])
def test_every_cell_of_the_statement_is_asked_once(arithmetic: str) -> None:
    (found,) = _instances({"arithmetic": arithmetic}, "quick")
    asked = [
        setting.scope | {"arithmetic": arithmetic, "convention": label}
        for setting, labels in found.judged
        for label in labels
    ]
    cells = [dict(cell) for cell in by_convention("quick") if cell["arithmetic"] == arithmetic]
    assert sorted(map(repr, map(sorted, map(dict.items, asked)))) == sorted(
        repr(sorted(cell.items())) for cell in cells
    )


def entropies(setting: Setting, method: str) -> tuple[float, float]:
    """Raw and normalised, energy rule, of the first draw, by numpy alone."""
    values = np.linalg.svd(float_matrix(setting.draw(0), "ad" if method == "ad" else "fd", "float64"), compute_uv=False)
    r = int(np.searchsorted(np.cumsum(values), (1 - 1e-6) * values.sum())) + 1
    p = values[:r] / values[:r].sum()
    H = float(-(p * np.log(p)).sum())
    return H, H / math.log(r)


def test_what_is_right_is_counted() -> None:
    (signs,) = PREDICTED
    judged = tuple(
        (Setting(activation, "u_xx", "w~N(0,1) h=1/100", "n=24"), (ENERGY, f"{ENERGY}, normalised"))
        for activation in ("tanh", "sin", "erf")
    )
    settings = Settings("float64", "quick", judged)
    truth = [ad >= fd for s, _ in judged for ad, fd in zip(entropies(s, "ad"), entropies(s, "fd"), strict=True)]
    always = signs.given(guess=lambda larger: "ad").test(settings, {})
    assert (always.data["right"], always.data["told"]) == (sum(truth), len(truth))
    assert len(always.data["misses"]) == len(truth) - sum(truth)
    assert always.holds == (sum(truth) >= 0.9 * len(truth))
    never = signs.given(guess=lambda larger: "undecided").test(settings, {})
    assert never.holds is None
    assert never.data["silent"] == len(truth)
    own = signs.test(settings, {})
    assert own.data["right"] + len(own.data["misses"]) + own.data["silent"] + own.data["undecided"] == len(truth)
    assert own.holds
