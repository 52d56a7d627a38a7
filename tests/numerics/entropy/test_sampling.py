"""How many features are enough: every kernel within the distance keeps the cut-off number and stays within the bound."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.entropy.sampling import Sampling, sampling
from numerics.problem.problem import Problem
from theory.base.errors import PrecisionCapError
from theory.entropy.conventions import Convention
from theory.entropy.entropy import truncated_entropy
from theory.features.laws import law

PROBLEM = Problem(
    operator_text="u_xx", activation_name="sin", weights=law("uniform(-4, 4)"), biases=law("uniform(-4, 4)"), count=1,
    interior=(3,), boundary=(), step=(Fraction(1, 4),),
)  # fmt: skip
CONVENTIONS = [
    Convention(rule, tau, power, normalised)  # type: ignore[arg-type]
    for rule, tau in (("relative", Fraction(1, 2)), ("absolute", Fraction(3)), ("energy", Fraction(1, 10)))
    for power, normalised in ((1, False), (2, False), (2, True))
] + [Convention("fixed", rank=2)]


def known(convention: Convention) -> Sampling:
    return sampling(PROBLEM, "ad", convention)


FOUND = {convention.label: known(convention) for convention in CONVENTIONS}


@given(st.sampled_from(CONVENTIONS), st.integers(0, 2**31), st.floats(0.01, 0.999))
@settings(max_examples=150, deadline=None)
def test_near_kernels_have_nearly_the_entropy(convention: Convention, seed: int, share: float) -> None:
    """A random symmetric perturbation, and the worst one for a cut: eigenvalues moved towards it."""
    one = FOUND[convention.label]
    values = np.array([float(v) for v in one.values])
    generator = np.random.default_rng(seed)
    size = share * float(one.distance)
    noise = generator.standard_normal((3, 3))
    noise = noise + noise.T
    directions = [
        noise,
        np.diag([1.0, -1.0, 0]),
        np.diag([1.0, 0, -1.0]),
        np.diag([0, -1.0, 1.0]),
        np.diag([-1.0, 0, 1.0]),
    ]
    for direction in directions:
        moved = np.linalg.eigvalsh(np.diag(values) + size * direction / np.linalg.norm(direction))[::-1]
        if moved[-1] < 0:
            continue
        sigma: list[Any] = np.sqrt(moved).tolist()
        found, wanted = (truncated_entropy(s, convention) for s in (sigma, np.sqrt(values).tolist()))
        assert found.cutoff == wanted.cutoff == one.cutoff
        if found.value is not None:
            bound = float(one.entropy_bound(Fraction(size)))
            assert abs(float(found.value) - float(wanted.value)) <= bound + 1e-12


def test_the_distance_is_nearly_the_least() -> None:
    """Relative rule: the perturbation that raises λ_1 and lowers λ_r reaches the cut at √2 of the distance at most."""
    one = FOUND["relative τ=1/2, power 2"]
    values = np.array([float(v) for v in one.values])
    assert one.cutoff == 2
    moved = values + 1.4143 * float(one.distance) * np.array([1, -1, 0]) / np.sqrt(2)
    lower = truncated_entropy(np.sqrt(moved).tolist(), Convention("relative", Fraction(1, 2), 2)).cutoff
    third = values + 1.4143 * float(one.distance) * np.array([-1, 0, 1]) / np.sqrt(2)
    upper = truncated_entropy(np.sqrt(third).tolist(), Convention("relative", Fraction(1, 2), 2)).cutoff
    assert {lower, upper} != {2}


def test_numbers_of_features() -> None:
    one = FOUND["relative τ=1/2, power 2"]
    doubt = Fraction(1, 20)
    count = one.enough(doubt)
    assert (
        one.variance.upper / (count * one.distance**2) <= doubt < one.variance.upper / ((count - 1) * one.distance**2)
    )
    assert one.reach(count, doubt) <= one.distance * (1 + Fraction(1, 10**6))
    assert abs(float(one.reach(4 * count, doubt) / one.reach(count, doubt)) - 0.5) < 1e-9
    bounds = [one.entropy_bound(one.reach(count * 10**k, doubt)) for k in range(0, 9, 2)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < Fraction(1, 1000)


def test_a_cut_at_an_eigenvalue_has_no_distance() -> None:
    """One feature: K has one eigenvalue, which is the energy's and the absolute rule's cut."""
    single = PROBLEM.with_(weights=law("constant(2)"), biases=law("constant(1)"), interior=((Fraction(0),),))
    assert sampling(single, "ad", Convention("relative", Fraction(1, 2))).entropy_bound(Fraction(1)) == 0
    with pytest.raises(PrecisionCapError):
        sampling(PROBLEM, "ad", Convention("absolute", Fraction(10**6)))
