"""Predictions on random settings: how settings are drawn, and how onsets are measured and compared."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from numerics.differences.floor import small_values
from numerics.matrices.assemble import float_matrix
from numerics.problem.drawn import features
from numerics.problem.problem import Problem
from proofs_check.claims.verdicts import Verdict
from proofs_check.families.spectra import limits, predictions
from proofs_check.families.spectra.predictions import every_small_larger
from proofs_check.ledger.judging import judge
from theory.features.laws import Normal, Uniform

FLOAT32 = {"arithmetic": "float32"}


def test_settings_are_the_same_for_a_seed_and_within_their_ranges() -> None:
    found = [predictions.setting(seed) for seed in range(60)]
    assert found == [predictions.setting(seed) for seed in range(60)]
    assert {s.activation for s in found} == set(predictions.ACTIVATIONS)
    assert {s.step for s in found} == set(predictions.STEPS)
    for one in found:
        for law, largest in ((one.weights, 10), (one.biases, 4)):
            assert isinstance(law, Normal | Uniform)
            scale = law.std if isinstance(law, Normal) else law.high
            assert Fraction(1, 2) - Fraction(1, 64) <= scale <= largest + Fraction(1, 64)


def test_draws_are_independent_of_how_many_are_drawn() -> None:
    few, many = (list(predictions.draws(FLOAT32, (24, 48), count, 7)) for count in (3, 6))
    assert many[:3] == few
    assert len({d.seed for d in many}) == 6


def test_an_onset_is_measured_by_looking_at_every_size() -> None:
    """float32, h = 1/100, sin: by the shares at each size, counted without stopping early."""
    chosen = predictions.Setting(
        "sin", "u_xx", Normal(Fraction(0), Fraction(4)), Normal(Fraction(0), Fraction(1)), Fraction(1, 100)
    )
    sizes = (10, 12, 14, 16, 20, 24, 28)
    shares = [
        np.mean([predictions.every_small_larger(chosen.problem(n, 300 + k), "float32") for k in range(20)])
        for n in sizes
    ]
    failing = [k for k, share in enumerate(shares) if share < 0.5]
    expected = sizes[max(failing) + 1] if failing and max(failing) + 1 < len(sizes) else (None if failing else sizes[0])
    assert predictions.measured_onset(chosen, "float32", sizes, 300) == expected


@pytest.mark.slow
@pytest.mark.parametrize("claim", [*predictions.CLAIMS, *limits.CLAIMS], ids=lambda claim: claim.id)
def test_mutants_are_refuted(claim: object) -> None:
    for mutant in claim.mutants:  # type: ignore[attr-defined]
        scope = mutant.scope or claim.scopes("quick")[0]  # type: ignore[attr-defined]
        assert judge(mutant.mutate(claim), scope, "quick", refuting=True).verdict is Verdict.REFUTED, mutant.name  # type: ignore[arg-type]


def test_the_limit_is_refused_where_it_is_not_near() -> None:
    """The proven enclosure decides: within 10 % of the limit, not of twice it."""
    claim = next(c for c in limits.CLAIMS if c.id == "limit.entropy-gap")
    scope = claim.scopes("quick")[0]
    (instance,) = claim.instances(scope, "quick")
    assert claim.test(instance, scope).holds is True
    wrong = next(m for m in claim.mutants if m.name == "one-sixth").mutate(claim)
    assert wrong.test(instance, scope).holds is False


def test_a_saturated_feature_ends_the_statement_in_float32() -> None:
    """erf is ±1 at all nodes of a feature: a zero column of A_FD, but not of A_AD, so the least value of FD is 0."""
    drawn = Problem(activation_name="erf", count=48, interior=(48,), seed=3, weights=Normal(Fraction(0), Fraction(1)),
                    biases=Normal(Fraction(0), Fraction(1)))  # fmt: skip
    exactly = features(drawn)
    saturated = drawn.with_(
        weights=((Fraction(1, 10),), *exactly.weights[1:]), biases=(Fraction(5), *exactly.biases[1:])
    )
    assert every_small_larger(drawn, "float32")
    assert not every_small_larger(saturated, "float32")
    assert every_small_larger(saturated, "float64")
    for arithmetic, spared in (("float32", False), ("float64", True)):
        assert (small_values(saturated, arithmetic).probability > 0.9) is spared
    assert small_values(drawn, "float32").probability > 0.9
    column = {m: float_matrix(saturated, m, "float32")[:, 0] for m in ("ad", "fd")}
    assert not column["fd"].any()
    assert column["ad"].all()
