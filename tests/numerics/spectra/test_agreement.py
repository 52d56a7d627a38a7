"""Steps below which AD's and FD's singular values agree: right at smaller steps, and not far from the truth."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import pytest
from flint import arb, arb_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure
from numerics.entropy.interval import at_step
from numerics.problem.problem import Boundary, Problem
from numerics.spectra import agreement
from numerics.spectra.agreement import agreeing_steps
from numerics.spectra.spectrum import spectrum
from theory.base.errors import NonexistenceError
from theory.features.laws import law

CASE = Problem(
    count=6, interior=(6,), activation_name="tanh", weights=law("normal(0, 1)"), boundary=(Boundary("all", 2),)
)
TOP = Fraction(1, 2)


@settings(max_examples=4, deadline=None)
@given(
    name=st.sampled_from(["sin", "tanh", "gaussian"]),
    seed=st.integers(0, 200),
    tolerance=st.sampled_from([Fraction(1, 100), Fraction(1, 10**5)]),
    share=st.fractions(Fraction(1, 50), 1, max_denominator=50),
    followed=st.booleans(),
    points=st.sampled_from([4, 6, 3]),  # wide, square up to two rows, tall
)
def test_values_agree_at_every_smaller_step(
    name: str, seed: int, tolerance: Fraction, share: Fraction, followed: bool, points: int
) -> None:
    problem = CASE.with_(activation_name=name, seed=seed, interior=(points,))
    ad = spectrum(problem, "ad", "exact").values
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement, "_FOLLOWED", 32 if followed else 0)
        found = agreeing_steps(problem, TOP, tolerance)
    weyl = agreeing_steps(problem, TOP, tolerance, only_weyl=True)
    assert len(found) == len(ad) == min(6, points + 2)
    for k, (h, less) in enumerate(zip(found, weyl, strict=True)):
        assert 0 < less <= h <= TOP
        for step in (h, h * share):
            change = spectrum(at_step(problem, step), "fd", "exact").values[k] - ad[k]
            assert max(change.upper, -change.lower) <= tolerance * ad[k].upper * (1 + Fraction(1, 10**6))


def test_by_rows_small_values_reach_as_far_as_large_ones_where_features_are_sines() -> None:
    """``E = A_AD diag(m - 1)``: relative to every value the move is at most ``max |m - 1|``, 7e-4 here; by Weyl it is not."""
    sines = CASE.with_(activation_name="sin", count=8, interior=(8,), boundary=(), weights=law("uniform(-3, 3)"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement, "_FOLLOWED", 0)
        found = agreeing_steps(sines, Fraction(1, 30), Fraction(1, 200))
    assert found == (Fraction(1, 30),) * 8
    weyl = agreeing_steps(sines, Fraction(1, 30), Fraction(1, 200), only_weyl=True)
    assert weyl[0] > 100 * weyl[-1] > 0


def test_steps_by_following_are_nearly_the_largest() -> None:
    """A tenth beyond, the values differ by more; where the step is the largest of interest they need not."""
    problem, tolerance = CASE.with_(seed=3), Fraction(1, 1000)
    ad = spectrum(problem, "ad", "exact").values
    found = agreeing_steps(problem, TOP, tolerance)
    assert sum(h < TOP for h in found) > 3
    for k, h in enumerate(found):
        if h < TOP:
            beyond = spectrum(at_step(problem, h * Fraction(11, 10)), "fd", "exact").values[k] - ad[k]
            assert max(beyond.upper, -beyond.lower) > tolerance * ad[k].lower


def test_values_that_are_not_of_interest_are_not_followed() -> None:
    problem = CASE.with_(seed=3)
    few, all_of_them = (
        agreeing_steps(problem, TOP, Fraction(1, 1000), least=a) for a in (Fraction(1, 10), Fraction(0))
    )
    assert few[0] == all_of_them[0]
    assert few[-1] < all_of_them[-1]


def test_the_step_is_sharp_to_its_digits_and_of_second_order() -> None:
    """One feature: sigma_1 is a norm, and its change is the bound to leading order, so h_1^2 is in proportion to the tolerance."""
    one = CASE.with_(
        activation_name="sin", count=1, interior=(1,), weights=((Fraction(2),),), biases=(Fraction(1),), boundary=()
    )
    steps = [
        agreeing_steps(one, Fraction(1, 10), tolerance)[0] for tolerance in (Fraction(1, 10**4), Fraction(1, 10**6))
    ]
    assert steps[0] / steps[1] == pytest.approx(10, rel=0.01)
    # 1 - sinc^2(h w / 2) = (h w)^2 / 12 + ...
    assert steps[1] ** 2 * 4 / 12 == pytest.approx(1e-6, rel=0.01)


def test_values_that_vanish_have_no_step_and_kinks_no_expansion() -> None:
    twins = CASE.with_(count=2, weights=((Fraction(1),),) * 2, biases=(Fraction(1),) * 2, boundary=())
    first, second = agreeing_steps(twins, TOP, Fraction(1, 100))
    assert first > 0
    assert second == 0
    with pytest.raises(NonexistenceError):
        agreeing_steps(CASE.with_(activation_name="relu3"), TOP, Fraction(1, 100))


def square(*rows: list[float]) -> arb_mat:
    return arb_mat([list(row) for row in rows])


def test_bounds_by_rows_are_those_of_the_formula() -> None:
    """X = I, so that ``g_j`` are the lengths of the rows; exact dyadics, and a transposed vector missing."""
    matrix, move = square([1.0, 0.0], [0.0, 0.125]), square([0.0, 0.25], [0.0625, 0.0])
    with flint.ctx.workprec(100):
        both = agreement._by_rows(matrix, square([1.0, 0.0], [0.0, 1.0]), {2: move})
        one = agreement._by_rows(matrix, square([1.0], [0.0]), {2: move})
        assert both is not None
        assert one is not None
        lower, upper = both(arb(0.5))
        g = 0.25 / 4, 0.0625 / 4
        assert [float(v) for v in lower] == pytest.approx([1 - g[0], 0.125 * (1 - math.hypot(g[0], 8 * g[1]))])
        assert [float(v) for v in upper] == pytest.approx([1 + math.hypot(*g), 0.125 + g[1]])
        (above,) = one(arb(0.5))[1]  # what is outside counts: 1/8 of the matrix, and the second row of the move
        assert float(above) == pytest.approx(math.hypot(1 + g[0], 0.125 + g[1]))
        assert float(one(arb(0.5))[0][0]) == pytest.approx(1 - g[0])
        assert agreement._by_rows(matrix, square([1.0, 1.0], [1.0, 1.0]), {2: move}) is None


def test_both_sides_count_and_so_does_every_smaller_step() -> None:
    one, tolerance = (Enclosure.exact(1),), Fraction(1, 100)
    for bounds in (lambda t: ([arb(1)], [1 + t]), lambda t: ([1 - t], [arb(1)])):
        (found,) = agreement._largest(one, [bounds], tolerance)  # type: ignore[list-item]
        assert float(found) == pytest.approx(0.01, rel=0.01)
    with flint.ctx.workprec(120):
        # 1 + (x - x^2)/10, x = t^2, leaves the tolerance at x = 0.113, and comes back
        bump = {2: square([0.1]), 4: square([-0.1]), 6: square([0.0])}
        found_steps = agreement._Follow(square([1.0]), bump, one, tolerance).until(Fraction(1), 1)
        assert found_steps is not None
        assert float(found_steps[0]) == pytest.approx(math.sqrt(0.1127), abs=0.006)
        for slope in (0.015, -0.015):
            line = {2: square([slope]), 4: square([0.0])}
            found_steps = agreement._Follow(square([1.0]), line, one, tolerance).until(Fraction(1), 1)
            assert found_steps is not None
            assert float(found_steps[0]) == pytest.approx(math.sqrt(2 / 3), abs=0.006)
        rest = {2: square([0.0]), 4: square([0.04])}  # what is not followed moves the value by its norm
        found_steps = agreement._Follow(square([1.0]), rest, one, tolerance).until(Fraction(1), 1)
        assert found_steps is not None
        assert float(found_steps[0]) == pytest.approx(0.25**0.25, abs=0.006)
