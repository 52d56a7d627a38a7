"""Singular values followed along a parameter: contained at single points, narrow, and refused where they cannot be."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import flint
import mpmath
import numpy as np
import pytest
from flint import arb, arb_mat, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.spectra.branches import Branches, _nodes, _proven, branches

ROWS = st.lists(st.lists(st.integers(-9, 9), min_size=4, max_size=4), min_size=3, max_size=3)


def balls(rows: list[list[int]], divisor: int = 1) -> arb_mat:
    return arb_mat([[arb(fmpq(v, divisor)) for v in row] for row in rows])


def exact_values(parts: list[tuple[list[list[int]], int]], x: Fraction) -> list[mpmath.mpf]:
    """Singular values of the polynomial at x by mpmath, 40 digits."""
    with mpmath.workdps(40):
        total = mpmath.zeros(len(parts[0][0]), len(parts[0][0][0]))
        for q, (rows, divisor) in enumerate(parts):
            factor = mpmath.mpf(x.numerator) ** q / mpmath.mpf(x.denominator) ** q / divisor
            total += factor * mpmath.matrix(rows)
        wide = total if total.rows >= total.cols else total.T
        return sorted(mpmath.svd_r(wide, compute_uv=False), reverse=True)


def contains(ball: arb, value: mpmath.mpf) -> bool:
    with flint.ctx.workprec(200):
        return bool((ball + arb(0, 1e-30)).contains(arb(mpmath.nstr(value, 38))))


def assigned(found: list[tuple[arb, arb]], values: list[mpmath.mpf]) -> bool:
    """Whether the values, descending, lie between the sorted ends."""
    lower = sorted((ball.lower() for ball, _ in found), reverse=True)
    upper = sorted((ball.upper() for ball, _ in found), reverse=True)
    return all(contains(a.union(b), v) for a, b, v in zip(lower, upper, values, strict=False))


@settings(max_examples=12, deadline=None)
@given(
    zeroth=ROWS,
    first=ROWS,
    second=ROWS,
    count=st.integers(1, 3),
    at=st.fractions(0, 1, max_denominator=50),
    tall=st.booleans(),
)
def test_every_value_is_contained_and_the_rest_is_bounded(
    zeroth: list[list[int]], first: list[list[int]], second: list[list[int]], count: int, at: Fraction, tall: bool
) -> None:
    parts = [(zeroth, 1), (first, 20), (second, 50)]
    with flint.ctx.workprec(150):
        matrices = [balls(rows, divisor) for rows, divisor in parts]
        found = branches([m.transpose() for m in matrices] if tall else matrices, Fraction(0), Fraction(1), count)
    if found is None:  # values that may meet the rest, or vanish
        return
    values = exact_values(parts, at)
    for low, high in ((at, at), (at / 2, at), (Fraction(0), Fraction(1))):
        here = found.on(low, high)
        assert assigned(here, values)
        if low == high and found.accuracy < 1e-3:
            assert all(float(ball.rad()) <= found.accuracy * float(abs(ball.mid())) for ball, _ in here)
    for value in values[count:]:
        assert value <= float(found.rest) * (1 + 1e-12)


DECAY = [[[4, 1, 0, 0], [0, 2, 1, 0], [0, 0, 1, 1]], [[1, 0, 2, 0], [0, 1, 0, -1], [1, 1, 0, 2]]]


def decay(count: int, degree: int = 10) -> Branches | None:
    with flint.ctx.workprec(150):
        return branches([balls(DECAY[0]), balls(DECAY[1], 10)], Fraction(0), Fraction(1), count, degree)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_accuracy_grows_with_the_degree(count: int) -> None:
    widths = []
    for degree in (3, 6, 10):
        found = decay(count, degree)
        assert found is not None
        widths.append(found.accuracy)
    assert all(later < earlier / 20 for earlier, later in pairwise(widths))
    assert widths[-1] < 1e-7


def test_the_derivative_is_that_of_the_value() -> None:
    found = decay(2)
    assert found is not None
    h = Fraction(1, 10**4)
    for x in (Fraction(1, 5), Fraction(1, 2), Fraction(4, 5)):
        before, after = (exact_values([(DECAY[0], 1), (DECAY[1], 10)], x + s * h) for s in (-1, 1))
        slopes = [(b - a) / (2 * float(h)) for a, b in zip(before, after, strict=True)]
        for (_, slope), expected in zip(found.on(x, x), slopes, strict=False):
            assert abs(float(slope.mid()) - expected) < 1e-6
            assert float(slope.rad()) < 1e-6


def test_values_that_meet_are_followed_and_those_that_meet_the_rest_are_not() -> None:
    crossing = [balls([[3, 0, 0], [0, 2, 0], [0, 0, 1]]), balls([[-2, 0, 0], [0, 2, 0], [0, 0, 0]], 1)]
    with flint.ctx.workprec(150):
        both = branches(crossing, Fraction(0), Fraction(1), 3)
        one = branches(crossing, Fraction(0), Fraction(1), 1)  # 3 - 2x meets 2 + 2x at x = 1/4
        until = branches(crossing, Fraction(0), Fraction(1, 50), 1)
    assert both is not None
    assert both.accuracy < 1e-12
    assert one is None
    assert until is not None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=2, max_size=9), st.integers(1, 12))
def test_a_polynomial_is_bounded_by_its_values_at_the_nodes(coefficients: list[int], more: int) -> None:
    degree = len(coefficients) - 1
    count = degree + more
    nodes = [float(s.mid()) for s in _nodes(count)]
    assert np.allclose(np.cos(count * np.arccos(nodes)), 0, atol=1e-9)
    most = max(abs(np.polynomial.chebyshev.chebval(nodes, coefficients)))
    everywhere = max(abs(np.polynomial.chebyshev.chebval(np.linspace(-1, 1, 2001), coefficients)))
    assert everywhere <= most / np.cos(np.pi * degree / (2 * count)) * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("linear", [False, True])
def test_the_bounds_are_those_of_the_formula_for_vectors_that_are_wrong(linear: bool) -> None:
    """A(x) = A_0 + x A_1, one skew pair of vectors for every x; norms by numpy, the polynomials' degrees by hand."""
    A = [np.diag([4.0, 2.0, 0.25]), np.array([[0.0, 0.0, 0.25], [0.0, 0.125, 0.0], [0.25, 0.0, 0.0]])][: 1 + linear]
    X = np.array([[1.0, 0.0625], [-0.0625, 1.0], [0.03125, 0.0]])
    low, high = Fraction(0), Fraction(1, 4)
    d = np.linalg.norm(A[0].T @ X, axis=0)
    count = 4 if linear else 1  # over 3/2 of the degree 2 of A W and of W^T W
    nodes = np.cos((2 * np.arange(count) + 1) * np.pi / (2 * count))
    most = dict.fromkeys(("gram", "rest", "cross"), 0.0)
    for x in (1 + nodes) / 8:
        here = sum(x**q * a for q, a in enumerate(A))
        W = here.T @ X
        Z = here - X @ W.T
        sizes = {
            "gram": np.linalg.norm((W.T @ W - np.diag(d**2)) / np.outer(d, d)),
            "rest": np.sqrt(np.linalg.norm(Z @ Z.T)),
            "cross": np.linalg.norm(Z @ W / d),
        }
        most = {name: max(most[name], sizes[name]) for name in most}
    if linear:
        for name, degree in (("gram", 2), ("rest", 1), ("cross", 2)):
            most[name] /= np.cos(np.pi * degree / 8)
    delta, eta = np.linalg.norm(X.T @ X - np.eye(2)), most["gram"]
    below = (1 - eta) / (1 + delta)
    theta = min(d) ** 2 * below - most["rest"] ** 2
    above = (1 + eta) / (1 - delta) * (1 + most["cross"] ** 2 / (1 - eta) / theta)
    with flint.ctx.workprec(150):
        matrices = [arb_mat(a.tolist()) for a in A]
        found = _proven(matrices, low, high, [arb_mat(X.tolist())], [[arb(float(v)) for v in d]], 150)
    assert found is not None
    assert float(found.shrink) == pytest.approx(np.sqrt(below), rel=1e-6)
    assert float(found.grow) == pytest.approx(np.sqrt(above), rel=1e-6)
    assert float(found.rest) == pytest.approx(most["rest"], rel=1e-6)


def test_values_on_a_part_reach_as_far_as_their_slope() -> None:
    """d(x) = 2 + x on [0, 1]: by the mean value theorem the ball of a part is the part's image, no less."""
    with flint.ctx.workprec(100):
        line = branches([balls([[2]]), balls([[1]])], Fraction(0), Fraction(1), 1)
        assert line is not None
        ((value, slope),) = line.on(Fraction(1, 4), Fraction(3, 4))
    assert float(value.lower()) == pytest.approx(2.25, abs=1e-6)
    assert float(value.upper()) == pytest.approx(2.75, abs=1e-6)
    assert float(slope) == pytest.approx(1)
