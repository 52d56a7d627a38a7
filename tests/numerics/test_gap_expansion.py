"""The bound on the entropy gap from the AD side: it contains the certified gap, and is as tight as its order says."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import numpy as np
import pytest
from flint import arb_mat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numerics.certified_entropy import compare_entropies
from numerics.enclosure import Enclosure
from numerics.gap_expansion import EntropyNeighbourhood, GapExpansion
from numerics.problem import Boundary, Problem
from proofs_check.strategies import problems
from theory.entropy import Convention, standard_conventions
from theory.errors import InputError, NonexistenceError, PrecisionCapError
from theory.laws import law

CONVENTIONS = standard_conventions(rank=2)
TANH = Problem(count=8, interior=(8,), activation_name="tanh", weights=law("uniform(-4, 4)"))


def scaled(problem: Problem, t: Fraction) -> Problem:
    return problem.with_(step=tuple(h * t for h in problem.step))


@settings(max_examples=20, deadline=None)
@given(
    problem=problems(max_order=2, steps=(Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000))),
    convention=st.sampled_from(CONVENTIONS),
    t=st.fractions(min_value=Fraction(1, 20), max_value=1, max_denominator=50),
)
def test_the_gap_is_contained(problem: Problem, convention: Convention, t: Fraction) -> None:
    try:
        expansion = GapExpansion(problem, convention)
        found = expansion.at(t)
        wide = expansion.at(t / 2, t)
    except (PrecisionCapError, NonexistenceError):
        assume(False)
    true = compare_entropies(scaled(problem, t), convention)
    assume(true.gap is not None)
    assert true.gap is not None
    assert found.gap.lower <= true.gap.upper
    assert true.gap.lower <= found.gap.upper
    if true.gap.width < found.gap.width / 1000:
        assert found.gap.encloses(true.gap)
    assert found.cutoff[0] <= true.fd.cutoff[1]
    assert true.fd.cutoff[0] <= found.cutoff[1]
    assert wide.gap.lower <= true.gap.upper
    assert true.gap.lower <= wide.gap.upper


@pytest.mark.parametrize("convention", [Convention("fixed", rank=3), Convention("fixed", rank=3, power=2)], ids=str)
def test_the_remainder_is_of_second_order(convention: Convention) -> None:
    expansion = GapExpansion(TANH.with_(step=(Fraction(1, 50),)), convention)
    assert expansion.order == 2
    ratios = [Fraction(1, 2**k) for k in range(1, 6)]
    found = [expansion.at(t) for t in ratios]
    assert all(bound.top == 3 for bound in found)
    widths = [float(bound.gap.width) for bound in found]
    slope = np.polyfit([math.log(t) for t in ratios], np.log(widths), 1)[0]
    assert 3.7 < slope < 4.3  # h^(2p)
    gaps = [abs(float(bound.gap.middle)) for bound in found]
    assert 1.9 < np.polyfit([math.log(t) for t in ratios], np.log(gaps), 1)[0] < 2.1  # h^p
    assert found[-1].gap.encloses(Enclosure.exact(found[-1].linear.middle))


def test_signs_are_proven_from_the_ad_side_alone() -> None:
    for convention in (Convention("fixed", rank=3), Convention("relative", power=2)):
        problem = TANH.with_(step=(Fraction(1, 100),))
        bound, true = GapExpansion(problem, convention).at(), compare_entropies(problem, convention)
        assert bound.gap.sign() == true.sign == -1
        assert true.gap is not None
        assert bound.gap.width < 2 * abs(true.gap.middle)
        assert bound.gap.encloses(true.gap)


def test_absolute_thresholds_are_in_the_matrix_own_unit() -> None:
    problem = TANH.with_(step=(Fraction(1, 1000),))
    for tau in ("1e-1", "1e-2", "2"):
        convention = Convention("absolute", tau=Fraction(tau))
        bound, true = GapExpansion(problem, convention).at(), compare_entropies(problem, convention)
        assert bound.cutoff[0] <= true.fd.cutoff[0] <= true.fd.cutoff[1] <= bound.cutoff[1]
        assert true.gap is not None
        assert bound.gap.encloses(true.gap)


def test_the_neighbourhood_of_a_diagonal_matrix() -> None:
    # diag(4, 2, 1) + f diag(1, 0, -1): the entropy is known, and its derivative too
    values, moves = [4, 2, 1], [1, 0, -1]
    base = arb_mat(3, 3, [values[i] if i == j else 0 for i in range(3) for j in range(3)])
    turn = arb_mat(3, 3, [moves[i] if i == j else 0 for i in range(3) for j in range(3)])
    for power in (1, 2):
        near = EntropyNeighbourhood(base, {1: turn}, Convention("fixed", rank=3, power=power))  # type: ignore[arg-type]
        for f in (0.0, 0.001, -0.01, 0.1, 0.5):
            weights = [(v + f * m) ** power for v, m in zip(values, moves, strict=True)]
            exact = -sum(w / sum(weights) * math.log(w / sum(weights)) for w in weights)
            found = near.difference({1: flint.arb(f)}, Enclosure.exact(0))
            assert found is not None
            assert float(found.gap.lower) - 1e-12 <= exact <= float(found.gap.upper) + 1e-12
            if f in (0.0, 0.001):
                assert found.gap.width < 1e-4


def test_boundary_rows_and_bad_steps() -> None:
    problem = TANH.with_(boundary=(Boundary(),), step=(Fraction(1, 200),))
    convention = Convention("fixed", rank=3)
    expansion = GapExpansion(problem, convention)
    true = compare_entropies(problem, convention)
    assert true.gap is not None
    assert expansion.at().gap.encloses(true.gap)
    for low, high in ((0, 1), (Fraction(1, 2), Fraction(1, 4)), (1, 2), (-1, None)):
        with pytest.raises(InputError, match="step"):
            expansion.at(low, high)
    with pytest.raises(NonexistenceError):
        GapExpansion(problem.with_(activation_name="relu2"), convention)
