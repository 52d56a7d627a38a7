"""Signs of entropy gaps predicted from A_AD, against LAPACK's entropies of A_FD."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
import scipy.linalg

from numerics.certified_entropy import compare_entropies
from numerics.gap_sign import PredictedGap, predicted_gap, predicted_spectra
from numerics.matrices import float_matrix
from numerics.problem import Problem
from theory.entropy import Convention, standard_conventions, truncated_entropy
from theory.errors import NonexistenceError
from theory.laws import Normal


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
            fd = scipy.linalg.svd(float_matrix(made, "fd", arithmetic), compute_uv=False).astype(float)
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


def test_kinks_are_not_predicted() -> None:
    with pytest.raises(NonexistenceError):
        predicted_spectra(drawn("relu2", 6, 0), "float32")
