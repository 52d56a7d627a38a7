"""Claims about averages, symbols, kernels and steps: every mutant is refuted, and the routes they use are right."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.claims.claim import Claim, Mutant, address
from proofs_check.claims.verdicts import POSITIVE, Verdict
from proofs_check.families.differences import averages, kernel_rates, kernels, steps, symbols
from proofs_check.families.spectra import entropy_bounds
from proofs_check.ledger.judging import judge
from theory.stencils import central, stencil
from theory.stencils import remainder as peano
from theory.stencils.symbol import symbol

CLAIMS: tuple[Claim, ...] = (
    *averages.CLAIMS, *symbols.CLAIMS, *kernels.CLAIMS, *kernel_rates.CLAIMS, *steps.CLAIMS, *entropy_bounds.CLAIMS,
)  # fmt: skip
FAST = [claim for claim in CLAIMS if claim.id not in {"kernels.closed-forms", "steps.brute-force", "steps.slopes"}]


@pytest.mark.parametrize("claim", FAST, ids=lambda c: str(c.id))
def test_the_first_cell_holds(claim: Claim) -> None:
    evidence = judge(claim, claim.scopes("quick")[0], "quick")
    if claim.id == "entropy.distance-any-cutoff":  # in the ledger because it is false
        assert evidence.verdict == Verdict.REFUTED
        assert evidence.data["witness"]["certified"]
        return
    assert evidence.verdict == POSITIVE[claim.kind], evidence.summary


@pytest.mark.parametrize(
    ("claim", "mutant"),
    [pytest.param(c, m, id=f"{c.id}-{m.name}") for c in CLAIMS for m in c.mutants],
)
def test_every_mutant_is_refuted(claim: Claim, mutant: Mutant) -> None:
    scope = mutant.scope or claim.scopes("quick")[0]
    assert address(scope) in {address(s) for s in claim.scopes("full")}
    evidence = judge(mutant.mutate(claim), scope, "quick")
    assert evidence.verdict == Verdict.REFUTED, evidence.summary


offsets = st.lists(st.fractions(-6, 6, max_denominator=4), min_size=3, max_size=5, unique=True).map(sorted)


@given(offsets)
def test_b_splines_have_integral_one_and_the_mean_of_their_knots(knots: list[Fraction]) -> None:
    # moments from the difference itself: D t^m = m! and D t^(m+1) = (m+1)! Σ s / (m+1)
    s = stencil(len(knots) - 1, knots)
    kernel = peano.peano_kernel(s)
    assert kernel.moment(0) == 1
    assert kernel.moment(1) == sum(knots) / len(knots)
    middle = (knots[0] + knots[1]) / 2
    assert averages.b_spline(tuple(knots), middle) == kernel(middle) > 0
    assert averages.b_spline(tuple(knots), knots[-1] + 1) == 0


@given(offsets)
def test_the_extremal_difference_is_at_most_the_norm(nodes: list[Fraction]) -> None:
    s = stencil(len(nodes) - 2, nodes)
    norm, attained = peano.average_norm(s), averages.extremal_difference(s)
    if norm.is_exact:
        assert attained == norm.lower
    else:  # irrational zeros of K are not switched at
        assert attained <= norm.upper


@pytest.mark.parametrize(("m", "p"), [(1, 2), (1, 6), (3, 2), (5, 4)])
def test_the_sine_polynomial_gives_the_symbol(m: int, p: int) -> None:
    s, theta = central(m, p), 2.3
    value = float(symbols.sine_polynomial(s).eval(sp.Float(math.cos(theta), 30))) * math.sin(theta)
    sign = (-1) ** ((m - 1) // 2)
    assert sign * value / theta**m == pytest.approx(symbol(s).value(theta), rel=1e-11)


def test_slope_of_a_power() -> None:
    rate = kernel_rates.Rate(("sin", "normal(0, 1)", "normal(0, 1)"), "u_xx", ("central", 2), *kernels.OFF)
    assert kernel_rates.slope(rate.steps, [float(h) ** 3 for h in rate.steps]) == pytest.approx(3, abs=1e-12)
    assert rate.derivative == 2


def test_worst_case_is_reached_within_an_order_of_magnitude() -> None:
    """The bound is not idle: rounding errors come within a factor 20 of it."""
    draw = steps.Draw("sin", 0, 10.0)
    quotient = steps.worst_quotient(draw, central(2, 2), Fraction(1, 64), "float32")
    assert 0.05 < quotient < 1
