"""Batches of draws against single problems, bit by bit; cut-offs and entropies of many spectra against the exact ones."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.differences.floor import predicted_floor
from numerics.entropy.compare import cutoff_curve, cutoffs, entropies_at_every_cutoff, truncated_entropies
from numerics.matrices.batches import DrawnSpectra, drawn_over_steps, float_draws, own_entry_error, own_floor
from numerics.problem.drawn import features
from numerics.problem.problem import Arithmetic, Problem
from numerics.spectra.spectrum import certified_float_spectrum, spectrum
from theory.base.errors import InputError
from theory.entropy.conventions import Convention, Power, cutoff, standard_conventions
from theory.entropy.entropy import truncated_entropy
from theory.features.laws import Normal

WEIGHTS = Normal(Fraction(0), Fraction(2))


@pytest.mark.parametrize("arithmetic", ["float32", "float64"])
@pytest.mark.parametrize(
    "template",
    [
        Problem(activation_name="tanh", count=12, interior=(12,), weights=WEIGHTS),
        Problem(activation_name="z*exp(-z**2/2)", count=9, interior=(14,), operator_text="u_xxxx"),
        Problem(activation_name="erf", count=16, interior=(4, 4), operator_text="u_xx + u_yy",
                domain=((Fraction(-1), Fraction(1)),) * 2, solution="x*y"),
    ],
    ids=["square", "more points", "two dimensions"],
)  # fmt: skip
def test_a_batch_is_its_single_problems(template: Problem, arithmetic: Arithmetic) -> None:
    """Bit for bit: ``adfd spectrum`` of a draw's problem file shows the same values."""
    drawn = float_draws(template, range(40, 44), arithmetic)
    for k, seed in enumerate(range(40, 44)):
        one = template.with_(seed=seed)
        assert tuple(drawn.ad[k]) == spectrum(one, "ad", arithmetic).floats()
        assert tuple(drawn.fd[k]) == spectrum(one, "fd", arithmetic).floats()
        floor = predicted_floor(one, arithmetic, drawn.ad[k].tolist())
        assert drawn.entry_error[k] * drawn.spread == pytest.approx(floor.floor, rel=1e-6)


def test_a_larger_count_extends_the_features_of_a_seed() -> None:
    small, large = (features(Problem(count=n, seed=7)) for n in (8, 20))
    assert large.weights[:8] == small.weights
    assert large.biases[:8] == small.biases


def test_steps_share_ad() -> None:
    template = Problem(activation_name="sin", count=8, interior=(8,))
    steps = [Fraction(1, 10), Fraction(1, 1000)]
    found = drawn_over_steps(template, range(3), "float64", steps)
    assert (found[0].ad == found[1].ad).all()
    for h, drawn in zip(steps, found, strict=True):
        assert (drawn.fd == float_draws(template.with_(step=(h,)), range(3), "float64").fd).all()


def test_what_cannot_be_drawn_is_refused() -> None:
    given_ = Problem(count=1, interior=(3,), weights=((Fraction(1),),))
    with pytest.raises(InputError, match="there are draws"):
        float_draws(given_, range(2), "float64")
    with pytest.raises(InputError, match="float32, float64"):
        float_draws(Problem(count=2, interior=(3,)), range(2), "exact")


def test_the_noise_of_ad_itself() -> None:
    """As large as the difference of two matrices says; in float64 2^29 times smaller, and never below LAPACK's."""
    one = Problem(activation_name="tanh", count=20, interior=(20,))
    single, double = own_entry_error([one], "float32"), own_entry_error([one], "float64")
    assert 2.0**-27 < single < 2.0**-19
    assert double == pytest.approx(single * 2.0**-29)
    drawn = DrawnSpectra(np.array([[4.0, 1.0]]), np.array([[4.0, 1.0]]), np.array([0.0]), 1.0)
    assert own_floor(drawn, 0.5)[0] == 0.5
    assert own_floor(drawn, 0.0)[0] == 4 * 2.0**-53


@pytest.mark.parametrize("activation", ["tanh", "sin"])
def test_decisions_on_computed_values_are_those_of_the_stored_matrices(activation: str) -> None:
    """What LAPACK returns decides S2 as the proven singular values of the same stored matrices do (n = 48, float64).

    The backward-error bound alone would leave the last values open; ball arithmetic does not.
    """
    for seed in range(3):
        one = Problem(activation_name=activation, count=48, interior=(48,), seed=900 + seed)
        computed = [np.array(spectrum(one, m, "float64").floats())[24:] for m in ("ad", "fd")]
        proven = [certified_float_spectrum(one, m, "float64", 6).values[24:] for m in ("ad", "fd")]
        assert (computed[1] > computed[0]).all()
        assert all(f.lower > a.upper for a, f in zip(*proven, strict=True))


spectra = st.lists(st.floats(1e-14, 1e3), min_size=1, max_size=9).map(lambda v: np.array([sorted(v, reverse=True)]))
conventions = st.sampled_from(standard_conventions(3)) | st.builds(
    lambda rule, k, q: Convention(rule, Fraction(1, 10**k), q),
    st.sampled_from(["relative", "absolute", "energy"]), st.integers(1, 14), st.sampled_from([1, 2]),
)  # fmt: skip


@given(spectra, conventions)
def test_cutoffs_of_many_are_those_of_one(values: np.ndarray, convention: Convention) -> None:
    assert cutoffs(values, convention).tolist() == [cutoff(values[0], convention)]


def test_a_tie_at_the_threshold_is_decided_exactly() -> None:
    """Σ_{k>r} σ_k = τ Σ σ_k to within a rounding: rationals decide, as for one spectrum."""
    for q in (1, 2):
        for tail in (0.25, np.nextafter(0.25, 1), np.nextafter(0.25, 0)):
            values = np.array([[0.75, tail]])
            convention = Convention("energy", Fraction(1, 4), q)  # type: ignore[arg-type]
            assert cutoffs(values, convention).tolist() == [cutoff(values[0], convention)]


@given(spectra, st.sampled_from([1, 2]))
def test_entropies_at_every_cutoff(values: np.ndarray, power: Power) -> None:
    found = entropies_at_every_cutoff(values, power)[0]
    for r in range(1, values.shape[1] + 1):
        plain = truncated_entropy(values[0], Convention("fixed", rank=r, power=power), r=r).value
        assert found[r - 1] == pytest.approx(plain, abs=1e-12)
    assert found[0] == 0


@given(spectra, st.sampled_from(["relative", "absolute", "energy"]), st.sampled_from([1, 2]))
def test_curves_over_the_tolerance(values: np.ndarray, rule: str, power: Power) -> None:
    taus = [10.0**-k for k in range(1, 13)]
    found = cutoff_curve(values, rule, power, np.array(taus))[0].tolist()
    assert found == sorted(found)
    exact = [cutoff(values[0], Convention(rule, Fraction(tau), power)) for tau in taus]  # type: ignore[arg-type]
    assert all(abs(a - b) <= 1 for a, b in zip(found, exact, strict=True))  # a tie at τ may fall on either side
    assert sum(a != b for a, b in zip(found, exact, strict=True)) <= 1


def test_shares_of_n_as_cutoffs() -> None:
    values = np.array([[4.0, 3.0, 2.0, 1.0]])
    assert cutoff_curve(values, "fixed", 1, np.array([0.1, 0.5, 0.75, 1.0])).tolist() == [[1, 2, 3, 4]]


@given(spectra, conventions)
def test_truncated_entropies_of_many(values: np.ndarray, convention: Convention) -> None:
    (H,), (r,) = truncated_entropies(values, convention)
    one = truncated_entropy(values[0], convention)
    assert r == one.cutoff
    assert (one.value is None and np.isnan(H)) or pytest.approx(one.value, abs=1e-12) == H
