"""Regime maps: predictions by other routes, and the figure."""

from __future__ import annotations

import json
from fractions import Fraction

import msgspec
import numpy as np
import pytest

from numerics.entropy.compare import difference, entropy_of
from numerics.spectra.spectrum import spectrum
from proofs_check.claims.comparisons import problem
from proofs_check.families.spectra import regimes
from proofs_check.report import data, records
from proofs_check.report.figures import maps as drawn


@pytest.mark.parametrize("seed", [0, 1])
def test_the_predicted_gap_is_the_limit_of_the_exact_one(seed: int) -> None:
    """H_FD − H_AD over its prediction tends to 1 with h², by the certified entropies."""
    distances = []
    for step in (Fraction(1, 40), Fraction(1, 160)):
        made = problem("tanh", seed=seed, size=10, step=step)
        h_ad, h_fd = (entropy_of(spectrum(made, m, "exact"), made.convention) for m in ("ad", "fd"))
        gap, predicted = difference(h_ad, h_fd), regimes.predicted_gap(made, "exact")
        assert gap is not None
        assert predicted is not None
        distances.append(abs(float(gap.middle) / predicted - 1))
    assert distances[1] < 0.01
    assert np.log(distances[0] / distances[1]) / np.log(4) == pytest.approx(2, abs=0.3)


def test_there_is_no_knee_in_exact_arithmetic_and_an_earlier_one_in_narrower_arithmetic() -> None:
    for made in regimes.grid("tanh", "quick"):
        assert regimes.knee(made, "float32") <= regimes.knee(made, "float64") <= regimes.knee(made, "exact") == 24


def test_kinks_are_not_predicted() -> None:
    assert regimes.predicted_gap(problem("relu2", size=6), "exact") is None


def test_the_map_counts_what_the_claims_judge_and_is_drawn() -> None:
    found = regimes.regime_map("tanh", "float32", "quick")
    assert len(found) == len(regimes.SCALES) * len(regimes.STEPS["quick"])
    assert all(0 <= p.small_larger <= p.draws for p in found)
    claim = next(c for c in regimes.CLAIMS if c.id == "regimes.entropy-order")
    scope = {"arithmetic": "float32", "activation": "tanh"}
    judged = [claim.test(i, scope).detail.startswith("holds") for i in regimes.grid("tanh", "quick")]
    assert sum(judged) == sum(p.entropy_order for p in found)
    table = json.loads(json.dumps(data.regime_figure("tanh", "float32", "quick")))
    figure = drawn.regimes([msgspec.convert(table, records.RegimeMap)])
    assert len(figure.panels) == 2
    assert f"{sum(judged)} of {len(judged)} in float32" in figure.caption
