"""Claims about exactly solvable models: every cut-off of a rule, and the models judged without a hidden truncation."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import flint
import pytest

from proofs_check.families.spectra import solvable, uniform_circle
from proofs_check.families.spectra.uniform_circle import Setting, Threshold, cutoff_pairs, singular_values, thresholds
from theory.entropy.conventions import Convention
from theory.entropy.entropy import cutoff
from theory.solvable import HermiteDiagonal


@pytest.mark.parametrize("rule", ["relative", "energy"])
@pytest.mark.parametrize("power", [1, 2])
def test_every_pair_of_cut_off_numbers_is_listed(rule: Literal["relative", "energy"], power: Literal[1, 2]) -> None:
    """Against the generic cut-off numbers at many τ: the same pairs, and no others."""
    setting = Setting(5, Fraction(1, 2))
    with flint.ctx.workprec(128):
        spectra = singular_values(setting)
        weights = [uniform_circle._weights(v, power) for v in spectra]
        levels = [thresholds(w, v, rule) for w, v in zip(weights, spectra, strict=True)]
        listed = set(cutoff_pairs(levels[0], levels[1], rule))
        found = set()
        for k in range(1, 2000):
            convention = Convention(rule, Fraction(k, 2000), power)
            numbers = [cutoff([float(v) for v in values for _ in (0, 1)], convention) for values in spectra]
            found.add((numbers[0], numbers[1]))
    assert found <= listed
    # pairs that hold for τ in an interval too short for the grid, or under 1/2000, are the only others
    assert len(listed - found) <= 3


def test_the_counterexample_under_an_absolute_cut_off() -> None:
    """R = 8, h = 1/4: six values of AD and four of FD are above √30, and H_AD = 1.6923 > H_FD = 1.3697 (power 2)."""
    outcome = uniform_circle.uniform_circle_absolute.test(Threshold(Fraction(11, 2)), {"power": "2"})
    assert outcome.holds is False
    assert outcome.decision is not None
    assert outcome.decision.compared > 0
    assert "r = 6 and 4, H_AD = 1.6922, H_FD = 1.3697" in outcome.detail.replace("1.6923", "1.6922")
    assert uniform_circle.uniform_circle_absolute.test(Threshold(Fraction(1)), {"power": "2"}).holds is True


def test_a_normalised_entropy_breaks_the_order_where_more_is_kept() -> None:
    scope = {"rule": "relative", "power": "2"}
    assert uniform_circle.uniform_circle.test(Setting(8, Fraction(1, 4)), scope).holds is True
    assert uniform_circle.uniform_circle.given(normalised=True).test(Setting(2, Fraction(2)), scope).holds is False


def test_models_are_infinite_or_say_how_many_features_they_have() -> None:
    for name, model in solvable.MODELS.items():
        if isinstance(model, HermiteDiagonal):
            assert (model.size is None) == ("first" not in name)
