"""The certified distance to the exact matrix: against mpmath, against Weyl's bound, and its scaling with h."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.float_distance import float_distance
from numerics.matrices import float_matrix, multiprecision_entries
from numerics.problem import Arithmetic, Method, Problem
from numerics.spectra import certified_float_spectrum, spectrum
from proofs_check.strategies import problems
from theory.errors import InputError
from theory.laws import law


@settings(max_examples=15, deadline=None)
@given(
    problem=problems(boundary=True),
    method=st.sampled_from(["ad", "fd"]),
    arithmetic=st.sampled_from(["float32", "float64"]),
)
def test_norms_of_the_difference(problem: Problem, method: Method, arithmetic: Arithmetic) -> None:
    found = float_distance(problem, method, arithmetic)
    with mpmath.workdps(60):
        stored = float_matrix(problem, method, arithmetic)
        difference = mpmath.matrix(stored.astype(float).tolist()) - multiprecision_entries(problem, method)(60)
        tall = difference if difference.rows >= difference.cols else difference.T
        values = [abs(v) for v in mpmath.svd_r(tall, compute_uv=False)]
        norms = (
            (found.spectral, max(values)),
            (found.nuclear, mpmath.fsum(values)),
            (found.frobenius, mpmath.sqrt(mpmath.fsum(v**2 for v in values))),
            (found.largest, max(abs(v) for v in difference)),
        )
        for enclosure, exact in norms:
            low, high = (mpmath.mpf(e.numerator) / e.denominator for e in (enclosure.lower, enclosure.upper))
            slack = mpmath.mpf(10) ** -50
            assert low - slack <= exact <= high + slack
            assert high - low <= mpmath.mpf("0.001") * exact + slack


@pytest.mark.parametrize("method", ["ad", "fd"])
@pytest.mark.parametrize("arithmetic", ["float32", "float64"])
def test_weyl_holds_for_every_singular_value(method: Method, arithmetic: Arithmetic) -> None:
    problem = Problem(count=14, interior=(14,), activation_name="tanh", weights=law("uniform(-4, 4)"))
    distance = float_distance(problem, method, arithmetic).spectral.upper
    exact = spectrum(problem, method, "exact", 20).values
    stored = certified_float_spectrum(problem, method, arithmetic, 20).values
    moved = [max(a.lower - b.upper, b.lower - a.upper, Fraction(0)) for a, b in zip(exact, stored, strict=True)]
    assert max(moved) <= distance
    assert max(moved) > 0


def test_finite_differences_lose_two_powers_of_h() -> None:
    steps = [Fraction(1, 2**k) for k in range(3, 9)]
    base = Problem(count=12, interior=(12,), activation_name="sin", weights=law("uniform(-2, 2)"))
    sizes = [float(float_distance(base.with_(step=(h,)), "fd", "float32").frobenius.middle) for h in steps]
    slope = np.polyfit([math.log(h) for h in steps], np.log(sizes), 1)[0]
    assert -2.15 < slope < -1.85


def test_exact_arithmetic_is_refused() -> None:
    with pytest.raises(InputError, match="float32, float64"):
        float_distance(Problem(count=2, interior=(2,)), "ad", "exact")
