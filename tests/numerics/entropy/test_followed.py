"""The entropy gap over all small steps, and by values that are followed: against certified gaps at single steps."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.entropy.compare import compare_entropies
from numerics.entropy.followed import followed, small_steps
from numerics.entropy.gap import certified_entropy
from numerics.entropy.interval import at_step, entropy_sign_on_interval
from numerics.matrices.assemble import step_expansion
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import Boundary, Problem
from theory.base.errors import InputError
from theory.entropy.conventions import Convention
from theory.features.laws import law
from theory.operators.operator import StencilChoice

SINE = Problem(count=8, interior=(8,), activation_name="sin", weights=law("uniform(-4, 4)"))
TANH = SINE.with_(activation_name="tanh", weights=law("normal(0, 1)"), boundary=(Boundary("all", 2),))
ONE_SIDED = TANH.with_(stencil=StencilChoice(offsets=(Fraction(0), Fraction(1), Fraction(2))))
"""First order: the least power of the step is 1."""
TOP = Fraction(1, 10)
CONVENTIONS = [
    Convention("fixed", rank=2),
    Convention("fixed", rank=3, power=2),
    Convention("fixed", rank=4, normalised=True),
    Convention("relative", tau=Fraction(1, 100)),
    Convention("energy", tau=Fraction(1, 100)),
]


@settings(max_examples=15, deadline=None)
@given(
    problem=st.sampled_from([SINE, TANH, ONE_SIDED]),
    seed=st.integers(0, 300),
    convention=st.sampled_from(CONVENTIONS),
    share=st.fractions(Fraction(1, 100), 1, max_denominator=100),
)
def test_the_quotient_of_small_steps_is_contained(
    problem: Problem, seed: int, convention: Convention, share: Fraction
) -> None:
    case = problem.with_(seed=seed)
    found = small_steps(
        ball_entries(case, "ad")(120), step_expansion(at_step(case, TOP), 4), Fraction(0), TOP, convention
    )
    if found is None:
        return
    assert found.power == (1 if problem is ONE_SIDED else 2)
    assert found.quotient.sign() in (-1, 1)
    for h in (found.high, found.high * share):
        true = compare_entropies(at_step(case, h), convention)
        assert true.gap is not None
        assert found.quotient.overlaps(true.gap.scaled(1 / h**found.power))
        assert true.sign in (None, found.quotient.sign())


def test_the_quotient_tends_to_the_leading_coefficient() -> None:
    """Its width falls like the remainder, and both ends tend to one number, that of a single small step."""
    convention = Convention("fixed", rank=3)
    widths = []
    for top in (Fraction(1, 100), Fraction(1, 1000), Fraction(1, 10**4)):
        found = small_steps(
            ball_entries(TANH, "ad")(120), step_expansion(at_step(TANH, top), 4), Fraction(0), top, convention
        )
        assert found is not None
        assert found.high == top
        widths.append(found.quotient.relative_width)
    assert widths[0] is not None
    assert widths[0] < 1
    assert widths[1] < widths[0] / 50  # h^2, until the rounding of float64 vectors shows
    assert widths[2] < Fraction(1, 10**5)
    h = Fraction(1, 2 * 10**4)
    true = compare_entropies(at_step(TANH, h), convention, 24).gap
    assert true is not None
    assert found.quotient.encloses(true.scaled(1 / h**2))


@settings(max_examples=8, deadline=None)
@given(
    problem=st.sampled_from([SINE, TANH, ONE_SIDED]),
    seed=st.integers(0, 300),
    convention=st.sampled_from(CONVENTIONS),
    ends=st.tuples(st.fractions(0, 1, max_denominator=40), st.fractions(0, 1, max_denominator=40)),
)
def test_followed_gaps_contain_those_of_single_steps(
    problem: Problem, seed: int, convention: Convention, ends: tuple[Fraction, Fraction]
) -> None:
    case = problem.with_(seed=seed)
    low = TOP / 20
    reference = certified_entropy(case, "ad", convention, 15)
    found = followed(
        ball_entries(case, "ad")(120), step_expansion(at_step(case, TOP), 10), low, TOP, convention, reference, 1e-9
    )
    if found is None:
        return
    a, b = sorted(low + end * (TOP - low) for end in ends)
    wide = found.gap(a, b)
    if wide is None:
        return
    for h in (a, (a + b) / 2, b):
        true = compare_entropies(at_step(case, h), convention)
        single = found.gap(h, h)
        assert true.gap is not None
        assert single is not None
        assert wide.overlaps(true.gap)
        assert single.overlaps(true.gap)
        if true.fd.cutoff[0] == true.fd.cutoff[1] and convention.rule == "fixed":
            assert single.width < Fraction(1, 10**5)


@pytest.mark.parametrize("problem", [SINE.with_(count=16, interior=(16,)), TANH.with_(count=16, interior=(16,))])
def test_one_sign_on_all_of_the_interval(problem: Problem) -> None:
    found = entropy_sign_on_interval(problem, Fraction(0), TOP, Convention("fixed", rank=4))
    assert found.decided == 1
    assert found.pieces[0].low == 0
    assert len(found.pieces) < 20
    assert found.small is not None
    for h in (Fraction(1, 10**5), Fraction(1, 1000), Fraction(1, 50), TOP):
        assert compare_entropies(at_step(problem, h), Convention("fixed", rank=4), 24).sign == found.sign


def test_nothing_is_said_of_steps_near_0_without_a_gap_behind_the_last_value() -> None:
    """Two equal features: sigma_2 = sigma_3 = 0 for every step."""
    twins = TANH.with_(weights=((Fraction(1),),) * 3, biases=(Fraction(1),) * 3, count=3, boundary=())
    found = entropy_sign_on_interval(twins, Fraction(0), TOP, Convention("fixed", rank=2), max_pieces=12)
    assert found.sign is None
    assert found.decided == 0


def test_intervals_that_are_none() -> None:
    for low, high in ((Fraction(-1), TOP), (Fraction(0), Fraction(0)), (TOP, TOP / 2)):
        with pytest.raises(InputError, match="step interval"):
            entropy_sign_on_interval(TANH, low, high)


def test_what_is_not_followed_moves_the_values_as_at_the_largest_step() -> None:
    convention = Convention("fixed", rank=3)
    reference = certified_entropy(SINE, "ad", convention, 15)
    expansion = step_expansion(at_step(SINE, TOP), 10)
    exact = followed(ball_entries(SINE, "ad")(120), expansion, TOP / 20, TOP, convention, reference, 1e-9)
    assert exact is not None
    rough = replace(exact, remainder=Fraction(1, 500))
    single, wide = rough.gap(TOP, TOP), rough.gap(TOP * 9 / 10, TOP)
    narrow = exact.gap(TOP, TOP)
    assert single is not None
    assert wide is not None
    assert narrow is not None
    assert single.width > 10 * narrow.width
    assert wide.encloses(single)
