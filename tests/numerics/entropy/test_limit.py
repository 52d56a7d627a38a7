"""Limits of the entropy gap: two quadratures, proven kernels on a grid, and large draws agree."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from numerics.entropy.limit import limit_entropies, limit_spectrum
from numerics.problem.problem import Problem
from theory.base.errors import InputError
from theory.entropy.conventions import Convention
from theory.features.laws import Cauchy, Discrete, Normal, Uniform

ONE = Normal(Fraction(0), Fraction(1))


def of(activation: str, weights: object = ONE, biases: object = ONE, points: int = 32) -> Problem:
    return Problem(
        activation_name=activation,
        weights=weights,  # type: ignore[arg-type]
        biases=biases,  # type: ignore[arg-type]
        interior=(points,),
        step=(Fraction(1, 100),),
    )


@pytest.mark.parametrize(("activation", "digits"), [("sin", 1e-7), ("gaussian", 1e-5), ("erf", 1e-3), ("tanh", 2e-2)])
def test_two_resolutions_agree(activation: str, digits: float) -> None:
    coarse, fine = (limit_spectrum(of(activation), points, h) for points, h in ((32, 0.25), (48, 0.2)))
    assert coarse.power == 2
    assert coarse.gap().relative == pytest.approx(fine.gap().relative, rel=digits)
    assert coarse.gap(1, 8).relative == pytest.approx(fine.gap(1, 8).relative, rel=1e-6)


@pytest.mark.parametrize(
    ("activation", "weights"),
    [("sin", ONE), ("gaussian", ONE), ("sin", Discrete((Fraction(1), Fraction(2), Fraction(3))))],
)
def test_the_proven_kernels_on_a_grid_come_near(activation: str, weights: object) -> None:
    made = of(activation, weights, points=16)
    convention = Convention("relative", Fraction(1, 10**7))
    ((ad, fd),) = limit_entropies(made, [convention])
    assert ad.value is not None
    assert fd.value is not None
    assert ad.value.upper - ad.value.lower < Fraction(1, 10**10)
    relative = float((fd.value.middle - ad.value.middle) / ad.value.middle) * 1e4
    assert relative == pytest.approx(limit_spectrum(made).gap().relative, rel=0.1)


def test_many_features_come_near_the_values() -> None:
    """Singular values of A / √(N M) with w ~ U(−1, 1), N = M = 400: within 10 % for the first four."""
    from numerics.matrices.assemble import float_matrix

    made = of("tanh", Uniform(Fraction(-1), Fraction(1)), Uniform(Fraction(-1), Fraction(1)), 400).with_(count=400)
    values = np.linalg.svd(float_matrix(made, "ad", "float64"), compute_uv=False)[:4] / 400
    assert values == pytest.approx(limit_spectrum(made).values[:4], rel=0.15)


def test_what_has_no_limit_is_refused() -> None:
    with pytest.raises(InputError, match="law"):
        limit_spectrum(of("sin", Cauchy(Fraction(0), Fraction(1))))
    with pytest.raises(InputError, match="exact"):
        limit_spectrum(of("sin").with_(operator_text="u"))
