"""The constant κ of typical rounding errors: measured in both arithmetics, and a wrong one refuted in every cell."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from proofs_check.claims.claim import Scope
from proofs_check.families.differences import floor as rounding_sizes
from proofs_check.families.differences import steps
from proofs_check.families.differences.floor import SIZES, Draws, size_quotients
from proofs_check.families.differences.steps import Draw
from proofs_check.families.differences.symbols import enclosed
from theory.operators import roundoff
from theory.stencils import central
from theory.stencils.symbol import symbol

(CLAIM,) = SIZES
CELLS = CLAIM.scopes("quick")


def judged(scope: Scope, factor: float) -> bool | None:
    """The claim with κ times a factor."""
    (draws,) = CLAIM.instances(scope, "quick")
    return rounding_sizes.roundoff_size.given(scale=factor).test(draws, scope).holds


@pytest.mark.parametrize("scope", CELLS, ids=str)
def test_a_wrong_constant_is_refuted_in_every_cell(scope: Scope) -> None:
    assert judged(scope, 1.0) is True
    assert judged(scope, math.sqrt(2)) is False  # 1/√3
    assert judged(scope, math.sqrt(0.5)) is False  # 1/√12


def test_it_is_the_constant_of_the_model_that_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one of the claim's own: κ = 1/√3 in the source changes what is measured against."""
    monkeypatch.setattr(roundoff, "TYPICAL_FACTOR", 1 / math.sqrt(3))
    quotients = size_quotients(Draws("sin", "float64", 8, 10**6), "u_xx central p=2")
    assert math.exp(float(np.mean(np.log(quotients)))) < 2**-0.25


def test_the_errors_against_an_independent_route() -> None:
    """One draw of second differences of sin in float64, by mpmath and by the model's formula written out."""
    import mpmath

    draw = Draw("sin", 3, 1.0, rounded=False)
    x, w, b = draw.values()
    h = 2.0**-18
    measured = draw.differences(central(2, 2), [h], "float64")[0]
    with mpmath.workdps(40):
        exact = np.array([[float(-(mpmath.mpf(wj) ** 2) * mpmath.sin(mpmath.mpf(wj) * xi + bj)) for wj, bj in
                           zip(w[0], b[0], strict=True)] for xi in x[:, 0]])  # fmt: skip
    size = np.sqrt(np.mean((measured - exact) ** 2)) * h**2
    u = w * x
    model = (
        math.sqrt(float(Fraction(1, 6)) * 6)
        * 2.0**-53
        * np.sqrt(np.mean(np.sin(u + b) ** 2 + np.cos(u + b) ** 2 * (2 * u**2 + (u + b) ** 2)))
    )
    assert 2**-0.5 < size / model < 2**0.5
    assert draw.to_dict()["rounded"] is False
    assert not np.array_equal(x, Draw("sin", 3, 1.0).values()[0])
    assert steps.named("u_xx central p=2").norm2_squared == 6


@pytest.mark.parametrize("derivative", [1, 2, 3, 4])
@pytest.mark.parametrize("theta", [Fraction(1, 3), Fraction(-5, 2), Fraction(9, 2)])
def test_symbols_are_enclosed(derivative: int, theta: Fraction) -> None:
    """By the weights in balls, against the closed form in floats: narrow, and right in sign for every derivative."""
    s = central(derivative, 2)
    found = enclosed(s, theta)
    assert float(found.rad()) < 1e-40
    assert float(found) == pytest.approx(symbol(s).value(float(theta)), rel=1e-12)
