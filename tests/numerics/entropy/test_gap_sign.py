"""Signs of entropy gaps predicted from A_AD, against LAPACK's entropies of A_FD."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from numerics.entropy.compare import compare_entropies
from numerics.entropy.gap import PredictedGap, PredictedSpectra, predicted_gap, predicted_spectra
from numerics.matrices.assemble import float_matrix
from numerics.problem.problem import Problem
from theory.base.errors import NonexistenceError
from theory.entropy.conventions import Convention, standard_conventions
from theory.entropy.entropy import truncated_entropy
from theory.features.laws import Normal


def drawn(activation: str, n: int, seed: int, step: Fraction = Fraction(1, 100)) -> Problem:
    law = Normal(Fraction(0), Fraction(1))
    return Problem(activation_name=activation, weights=law, biases=law, count=n, seed=seed, interior=(n,), step=(step,))


@pytest.mark.parametrize(("arithmetic", "share"), [("float32", 0.3), ("float64", 0.8)])
def test_decided_signs_are_right_in_nineteen_of_twenty(arithmetic: str, share: float) -> None:
    """In float32 the noise of the large values is as large as many gaps, which are then undecided."""
    counts: Counter[str] = Counter()
    for activation in ("tanh", "sin", "gaussian"):
        for n in (24, 64):
            made = drawn(activation, n, 7)
            spectra = predicted_spectra(made, arithmetic)  # type: ignore[arg-type]
            fd = scipy.linalg.svd(float_matrix(made, "fd", arithmetic).astype(float), compute_uv=False)
            for convention in standard_conventions(8):
                found = predicted_gap(spectra, convention)
                ad, true = (truncated_entropy(v, convention).value for v in (spectra.ad, fd))
                assert ad is not None
                assert true is not None
                right = "ad" if true <= ad else "fd"
                counts["undecided" if found.larger == "undecided" else str(found.larger == right)] += 1
    assert counts["True"] >= 19 * counts["False"]
    assert counts["True"] >= share * counts.total()


def test_exact_signs_and_sizes_are_those_of_the_certified_entropies() -> None:
    convention = Convention("fixed", rank=6)
    for activation in ("tanh", "sin"):
        made = drawn(activation, 12, 1)
        found = predicted_gap(predicted_spectra(made, "exact"), convention)
        proven = compare_entropies(made, convention)
        assert proven.gap is not None
        assert found.low < float(proven.gap.middle) < found.high
        assert found.gap == pytest.approx(float(proven.gap.middle), rel=1e-3)
        assert {"ad": -1, "fd": 1}[found.larger] == proven.sign


def test_ranges_that_contain_zero_predict_nothing() -> None:
    """At a step of h = 2 the second truncation term exceeds the first."""
    found = predicted_gap(
        predicted_spectra(drawn("gaussian", 10, 0, Fraction(2)), "exact"), Convention("fixed", rank=4)
    )
    assert found.low < 0 < found.high or found.larger != "undecided"
    one = predicted_gap(
        predicted_spectra(drawn("tanh", 8, 0), "exact"), Convention("relative", Fraction(1), normalised=True)
    )
    assert one == PredictedGap(None, -float("inf"), float("inf"), (1, 1), "undecided")


@pytest.mark.parametrize(
    ("variants", "larger"),
    [
        ([[1, 0.5], [1, 0.51], [1, 0.52]], "fd"), ([[1, 0.3], [1, 0.29], [1, 0.28]], "ad"),
        ([[1, 0.5], [1, 0.3], [1, 0.52]], "undecided"), ([[1, 0.41], [1, 0.42], [1, 0.405]], "undecided"),
        ([[1, 0.4], [1, 0.4], [1, 0.4]], "undecided"),
    ],
)  # fmt: skip
def test_a_prediction_is_the_range_over_the_variants_and_their_spread(variants: list[list[float]], larger: str) -> None:
    """H of (1, x) rises with x up to 1; A_AD has x = 0.4."""
    entropies = [float(scipy.stats.entropy(v)) for v in ([1, 0.4], *variants)]
    gaps = np.array(entropies[1:]) - entropies[0]
    found = predicted_gap(PredictedSpectra(np.array([1, 0.4]), np.array(variants)), Convention("fixed", rank=2))
    assert found.larger == larger
    assert found.gap == pytest.approx(gaps[0], abs=1e-12)
    assert found.low == pytest.approx(gaps.min() - gaps.std(), abs=1e-12)
    assert found.high == pytest.approx(gaps.max() + gaps.std(), abs=1e-12)


def test_the_middle_variant_has_two_terms_of_the_truncation_and_the_second_one() -> None:
    """Exact arithmetic: errors of the values fall by 2^6 with half the step for two terms, by 2^4 for one."""
    ratios = []
    for k in (0, 1):
        errors = []
        for step in (Fraction(1, 10), Fraction(1, 20)):
            problem = drawn("tanh", 8, 1, step)
            true = scipy.linalg.svd(float_matrix(problem, "fd", "float64"), compute_uv=False)
            errors.append(np.abs(predicted_spectra(problem, "exact").fd[k][:3] - true[:3]).max())
        ratios.append(errors[0] / errors[1])
    assert 40 < ratios[0] < 80
    assert 12 < ratios[1] < 20


def test_values_behind_the_floor_of_the_decomposition_keep_its_errors() -> None:
    """Where A_FD's entries have hardly any error, LAPACK's own remains: no value is predicted far below A_AD's."""
    problem = drawn("gaussian", 60, 0, Fraction(1, 2)).with_(biases=Normal(Fraction(0), Fraction(40)))
    spectra = predicted_spectra(problem, "float64")
    floor = 2 * spectra.ad[0] * 60 * np.finfo(np.float64).eps
    for variant in spectra.fd:
        assert np.all(np.diff(variant) <= 0)
        assert (variant < floor).sum() > 10
        assert np.all(variant[-20:] >= spectra.ad[-20:] * 0.99)


def test_kinks_are_not_predicted() -> None:
    with pytest.raises(NonexistenceError):
        predicted_spectra(drawn("relu2", 6, 0), "float32")
