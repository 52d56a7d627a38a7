"""Signs and orderings with proof, against float64 and against the theory of sine features."""

from __future__ import annotations

from fractions import Fraction

import mpmath
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numerics.entropy.compare import certified_spectrum, compare_entropies
from numerics.matrices.assemble import multiprecision_entries
from numerics.problem.problem import Boundary, Problem
from proofs_check.search.strategies import problems
from theory.entropy.conventions import Convention, standard_conventions
from theory.entropy.entropy import truncated_entropy
from theory.features.activations import activation
from theory.features.laws import law

CONVENTIONS = standard_conventions(rank=3)


def by_mpmath(problem: Problem, method: str, convention: Convention) -> mpmath.mpf | None:
    with mpmath.workdps(80):
        matrix = multiprecision_entries(problem, method)(80)  # type: ignore[arg-type]
        tall = matrix if matrix.rows >= matrix.cols else matrix.T
        values = sorted((abs(v) for v in mpmath.svd_r(tall, compute_uv=False)), reverse=True)
        values = [v if v > mpmath.mpf(10) ** -60 * max(values[0], 1) else mpmath.mpf(0) for v in values]
        return truncated_entropy(values, convention, mpmath.log).value


@settings(max_examples=20, deadline=None)
@given(problem=problems(), convention=st.sampled_from(CONVENTIONS))
def test_gaps_contain_the_multiprecision_gap(problem: Problem, convention: Convention) -> None:
    found = compare_entropies(problem, convention, cap_digits=24)
    ad, fd = by_mpmath(problem, "ad", convention), by_mpmath(problem, "fd", convention)
    if found.gap is None:
        assert (
            ad is None
            or fd is None
            or found.ad.cutoff[0] != found.ad.cutoff[1]
            or found.fd.cutoff[0] != found.fd.cutoff[1]
        )
        return
    assert ad is not None
    assert fd is not None
    with mpmath.workdps(60):
        gap = fd - ad
        low, high = (mpmath.mpf(e.numerator) / e.denominator for e in (found.gap.lower, found.gap.upper))
        assert low - mpmath.mpf(10) ** -50 <= gap <= high + mpmath.mpf(10) ** -50
    if found.sign is None:
        assert found.digits >= 24 or found.ad.cutoff[0] != found.ad.cutoff[1]
        assert (
            abs(gap) < mpmath.mpf(10) ** -5
            or found.ad.cutoff[0] != found.ad.cutoff[1]
            or found.fd.cutoff[0] != found.fd.cutoff[1]
        )


@settings(max_examples=15, deadline=None)
@given(
    problem=problems(
        dimensions=st.just(1),
        activation=st.sampled_from([activation("sin"), activation("cos")]),
        boundary=False,
        symmetric=True,
    )
)
def test_sine_features_are_ordered_at_every_index(problem: Problem) -> None:
    assume(problem.operator.is_homogeneous and problem.operator.has_constant_coefficients)
    assume(all(abs(w[0]) * problem.h <= 2 for w in problem.weights))
    ad, fd = (certified_spectrum(problem, method, 24, None).values for method in ("ad", "fd"))
    # d_max <= 1 for central stencils of one derivative (Ostrowski); equality only where both are 0 or symbol is 1
    assume(len(problem.operator.terms) == 1)
    assert not any(b.lower > a.upper for a, b in zip(ad, fd, strict=True))


def test_refinement_decides_a_tiny_gap() -> None:
    problem = Problem(
        count=4, interior=(4,), activation_name="sin", weights=law("uniform(-2, 2)"), step=(Fraction(1, 10**9),)
    )
    first = compare_entropies(problem, Convention("fixed", rank=4), digits=12, cap_digits=12)
    assert first.sign is None
    found = compare_entropies(problem, Convention("fixed", rank=4))
    assert found.sign in (-1, 1)
    assert found.digits > 12
    assert found.gap is not None
    assert abs(found.gap.middle) < Fraction(1, 10**15)


def test_equal_matrices_stay_undecided() -> None:
    # a quadratic activation: second differences are exact, the two matrices are the same
    problem = Problem(
        count=3, interior=(4,), activation_name="z**2", weights=law("uniform(-2, 2)"), boundary=(Boundary(),)
    )
    found = compare_entropies(problem, Convention("relative"))
    assert found.sign is None
    assert found.gap is not None
    assert 0 in found.gap
    assert found.gap.width < Fraction(1, 10**40)
