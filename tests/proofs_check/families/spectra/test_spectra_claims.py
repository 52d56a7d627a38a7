"""Claims about exact spectra and entropies: what their checks see, against formulas written out here."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import flint
import pytest

from numerics.problem.problem import Problem
from proofs_check.claims.claim import Claim
from proofs_check.claims.comparisons import problem
from proofs_check.claims.verdicts import Verdict
from proofs_check.families.differences import floor, kernel_rates, stencils
from proofs_check.families.differences import kernels as laws
from proofs_check.families.spectra import entropy, perturbations, spectra
from proofs_check.families.spectra.entropy import Pair
from proofs_check.ledger import ledger
from proofs_check.ledger.judging import judge
from theory.base.polynomials import PiecewisePolynomial
from theory.features.laws import law
from theory.stencils import central


def test_the_factors_of_exponential_features() -> None:
    """(e^t − 2 + e^−t)/t² at order 2 and its combination at order 4, t = wh = 2."""
    (claim,) = ledger.select(["spectra.exponential-reversal"])
    (scope,) = claim.scopes("quick")
    fourth, stacked = [p for p in claim.instances(scope, "quick") if not all(a.holds(p) for a in claim.assumptions)]
    t = 2.0
    wanted = (-math.cosh(2 * t) / 6 + 8 * math.cosh(t) / 3 - 2.5) / t**2
    outcome = claim.test(fourth, scope)
    assert outcome.holds is False
    assert outcome.margin == pytest.approx(wanted - 1, rel=1e-9)
    assert wanted == pytest.approx(0.745, abs=5e-4)
    assert stacked.boundary
    assert claim.test(stacked, scope).holds is False


@pytest.mark.parametrize("id", ["entropy.range", "entropy.threshold", "entropy.fannes-audenaert"])
def test_a_fault_in_power_two_alone_is_seen(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entropies of squares too large by a third fail, and so do those of power 1."""
    (claim,) = ledger.select([id])
    (scope,) = claim.scopes("quick")
    right = entropy._entropy
    for wrong in (1, 2):
        monkeypatch.setattr(
            entropy, "_entropy",
            lambda values, power=1, wrong=wrong: right(values, power) * (flint.arb(4) / 3 if power == wrong else 1),
        )  # fmt: skip
        assert judge(claim, scope, "quick").verdict is Verdict.REFUTED


def test_an_undecided_entropy_does_not_refute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ball around 0 is no negative entropy."""
    monkeypatch.setattr(entropy, "_entropy", lambda values, power=1: flint.arb(0, 1e-3))
    assert entropy.entropy_range.test(Pair((Fraction(2), Fraction(1)), (Fraction(1), Fraction(1))), {}).holds is None


def test_the_dyadic_parts_of_cauchys_moments() -> None:
    """∫ w/(π(1 + w²)) over [R, 2R] is log((1 + 4R²)/(1 + R²))/2π: the parts grow, and tend to log 2/π."""
    part = [math.log((1 + 4 * 4.0**k) / (1 + 4.0**k)) for k in range(22)]
    found = [float(r) for r in laws._tail_ratios(law("cauchy(1/4, 1/2)"), 1)]
    assert found == pytest.approx([part[k + 1] / part[k] for k in laws.SCALES], rel=1e-9)
    assert min(found) >= 1 - 1e-12
    assert float(laws._tail_ratios(law("student(3, 1)"), 2)[-1]) == pytest.approx(0.5, rel=1e-9)


def test_a_limit_off_by_a_millionth_is_refuted() -> None:
    """At one step of 2^−12 alone it was not."""
    x = Fraction(1)
    assert kernel_rates.relu.test(x, {}).holds is True
    assert kernel_rates.relu.given(constant=Fraction(4, 3) + Fraction(1, 10**6)).test(x, {}).holds is False


@pytest.mark.parametrize(("power", "holds"), [(1.0, True), (0.9, False), (0.5, False)])
def test_the_floor_depends_on_the_unit_roundoff(power: float, holds: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(instance: Any, arithmetic: str) -> list[list[float]]:
        return [[float(floor.UNIT_ROUNDOFF[arithmetic]) ** power / h**2] * 8 for h in floor.STEPS]

    monkeypatch.setattr(floor, "_over_steps", made)
    instance = floor.problem("sin", size=8)
    for arithmetic in ("float32", "float64"):
        assert floor.floor_exponent.test(instance, {"arithmetic": arithmetic}).holds is holds


def test_a_second_moment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that changes sign, but whose second moment is not 0, does not pass."""
    s = central(2, 4)
    assert stencils.no_average_of_high_order.test(s, {}).holds is True
    kernel = stencils.remainder.peano_kernel(s)
    first = tuple(3 * c for c in kernel.pieces[0])
    changed = PiecewisePolynomial(kernel.breakpoints, (first, *kernel.pieces[1:]))
    monkeypatch.setattr(stencils.remainder, "peano_kernel", lambda s, order=0: changed)
    assert changed.sign is None
    assert changed.moment(2) != 0
    assert stencils.no_average_of_high_order.test(s, {}).holds is False
    assert len({x for x, h in stencils._points(7) if h == 1}) == 8


def test_features_without_frequency_break_no_comparison() -> None:
    """All weights 0: both matrices vanish, every bound is an equality of zeros, and no ratio exists."""
    nothing = Problem(
        activation_name="sin", weights=((Fraction(0),),) * 2, biases=(Fraction(1), Fraction(2)), count=2,
        interior=((Fraction(0),), (Fraction(1, 2),)), step=(Fraction(1, 5),),
    )  # fmt: skip
    checks = (spectra.ostrowski, spectra.sine_ordering, spectra.sine_factorisation, *perturbations.CLAIMS)
    for claim in checks:
        assert claim.test(nothing, {}).holds is True


@pytest.mark.parametrize("claim", perturbations.CLAIMS, ids=lambda claim: claim.id)
def test_a_thousandth_less_than_the_norm_of_the_change_is_refuted(claim: Claim) -> None:
    """The instance that nearly attains Weyl's and Mirsky's bounds does so to a thousandth."""
    nearly = problem("tanh", seed=1, size=1, points=2, scale=Fraction(1, 4), step=Fraction(1, 4))
    for share, holds in ((Fraction(1), True), (Fraction(999, 1000), False)):
        assert claim.given(constant=share).test(nearly, {}).holds is holds


def test_the_continuity_bound_is_attained_for_every_length() -> None:
    """Of 1 against 1 − T and the rest spread evenly, |H − H'| is T log(r − 1) + h₂(T), by other formulas."""
    extreme = [p for p in entropy._pairs({}, "quick") if p.first[0] == 10**6 and set(p.first[1:]) == {1}]
    shares = {}
    for pair in extreme:
        p, q = ([float(v / sum(values)) for v in values] for values in (pair.first, pair.second))
        T = sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2
        gap = abs(sum(x * math.log(x) for x in p) - sum(x * math.log(x) for x in q))
        bound = T * math.log(max(1, len(p) - 1)) - T * math.log(T) - (1 - T) * math.log(1 - T)
        shares[len(p)] = max(gap / bound, shares.get(len(p), 0.0))
    assert set(shares) == set(range(2, 13))
    assert all(0.999 < share <= 1 + 1e-9 for share in shares.values())


@pytest.mark.parametrize(("count", "points"), [(1, 1), (3, 1), (1, 3)])
def test_one_singular_value_has_no_entropy_to_expand(count: int, points: int) -> None:
    """n = 1: H = 0 on both sides at every step, in the general form and in that of the covariance."""
    weights = tuple((Fraction(k + 1),) for k in range(count))
    single = Problem(
        activation_name="sin", weights=weights, biases=(Fraction(1),) * count, count=count,
        interior=tuple((Fraction(k, 4),) for k in range(points)), step=(Fraction(1, 100),),
    )  # fmt: skip
    for claim in (entropy.gap_expansion, entropy.covariance):
        assert claim.test(single, {"power": "1"}).holds is True


def test_the_covariance_counts_every_feature() -> None:
    """With fewer points than features, f_k sums w² over all of them: order 4 left, and order 2 if one is left out."""
    wide = problem("sin", size=6, points=3)
    assert entropy.covariance.test(wide, {"power": "2"}).holds is True
    assert entropy.covariance.given(factor=Fraction(99, 100)).test(wide, {"power": "2"}).holds is False
