"""The bound on the entropy gap from the AD side: it contains the certified gap, and is as tight as its order says."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
from flint import arb, arb_mat, fmpq
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure, from_ball, to_ball
from numerics.entropy.compare import compare_entropies
from numerics.entropy.gap import EntropyNeighbourhood, GapExpansion, _xlogx
from numerics.problem.problem import Boundary, Problem
from proofs_check.search.strategies import problems
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.entropy.conventions import Convention, standard_conventions
from theory.features.laws import law

CONVENTIONS = standard_conventions(rank=2)
TANH = Problem(count=8, interior=(8,), activation_name="tanh", weights=law("uniform(-4, 4)"))


def scaled(problem: Problem, t: Fraction) -> Problem:
    return problem.with_(step=tuple(h * t for h in problem.step))


@settings(max_examples=12, deadline=None)
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


# Every inequality of the bound by itself, against singular values from mpmath.

Rows = list[list[Fraction]]
NAMES = ("S", "T", "H")


def ball(x: Fraction) -> arb:
    return arb(fmpq(x.numerator, x.denominator))


def exactly(x: mpmath.mpf) -> Fraction:
    return Fraction(*map(int, mpmath.libmp.to_rational(mpmath.mpf(x)._mpf_)))


def matrix_of(rows: Rows) -> arb_mat:
    with flint.ctx.workprec(200):
        return arb_mat(len(rows), len(rows[0]), [ball(x) for row in rows for x in row])


def values_of(rows: Rows) -> list[mpmath.mpf]:
    """Singular values in descending order, to 40 digits."""
    table = mpmath.matrix([[mpmath.mpf(x.numerator) / x.denominator for x in row] for row in rows])
    return sorted(mpmath.svd_r(table, compute_uv=False), reverse=True)


def plus(a: Rows, b: Rows, factor: Fraction) -> Rows:
    return [[x + factor * y for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)]


def phi(name: str, x: mpmath.mpf, q: int, mean: mpmath.mpf, total: mpmath.mpf) -> mpmath.mpf:
    """phi_S, phi_T, phi_H of the module's notes, with T/S and S given."""
    weight = x**q
    xlogx = weight * mpmath.log(weight) if weight else mpmath.mpf(0)
    return {"S": weight, "T": xlogx, "H": ((1 + mean) * weight - xlogx) / total}[name]


entries = st.integers(-8, 8).map(lambda k: Fraction(k, 4))
tables = st.integers(2, 4).flatmap(
    lambda columns: st.tuples(
        *(st.lists(st.lists(entries, min_size=columns, max_size=columns), min_size=3, max_size=3) for _ in range(2))
    )
)


@settings(max_examples=30, deadline=None)
@given(
    pair=tables,
    factor=st.sampled_from([Fraction(s, k) for s in (-1, 1) for k in (8, 50, 1000)]),
    power=st.sampled_from([1, 2]),
)
def test_the_sums_over_the_top_values_change_as_stated(pair: tuple[Rows, Rows], factor: Fraction, power: int) -> None:
    base, direction = pair
    assume(any(x for row in base for x in row))
    near = EntropyNeighbourhood(
        matrix_of(base), {1: matrix_of(direction)}, Convention("fixed", rank=1, power=power)  # type: ignore[arg-type]
    )  # fmt: skip
    with mpmath.workdps(40), flint.ctx.workprec(120):
        unit = exactly(mpmath.mpf(float(near._unit)))
        scaled_base = [[x * unit for x in row] for row in base]
        step = factor * unit
        old, new = ([mpmath.mpf(float(v)) for v in near._d], values_of(plus(scaled_base, direction, step)))
        segment = near._segment({1: ball(factor)})
        for share in (Fraction(0), Fraction(1, 3), Fraction(1)):
            for at, value in zip(
                segment.moved, values_of(plus(scaled_base, direction, share * step)), strict=True
            ):  # every value on the segment, by Weyl
                enclosure = from_ball(at)
                assert enclosure.lower - Fraction(1, 10**30) <= exactly(value) <= enclosure.upper + Fraction(1, 10**30)
                assert enclosure.width <= from_ball(2 * segment.e_two).upper * (1 + Fraction(1, 10**7))
        S, T = near._sums()
        total, mean = mpmath.mpf(S.mid().str(40, radius=False)), mpmath.mpf((T / S).mid().str(40, radius=False))
        for s in range(1, len(old) + 1):
            found = near._changes(segment, s, S, T)
            if found is None:
                continue
            for name in NAMES:
                true = sum(
                    phi(name, b, power, mean, total) - phi(name, a, power, mean, total)
                    for a, b in zip(old[:s], new[:s], strict=True)
                )
                bound = from_ball(found[0][name])
                assert bound.lower <= exactly(true) <= bound.upper


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("value", [Fraction(1, 2), Fraction(47, 64), Fraction(9, 10), Fraction(63, 64)])
def test_the_remainder_of_one_value_is_that_of_its_second_derivative(value: Fraction, power: int) -> None:
    """One row and one column: F(B) = phi(|B|), so that Taylor's theorem says everything."""
    near = EntropyNeighbourhood(
        matrix_of([[value]]), {1: matrix_of([[Fraction(1)]])}, Convention("fixed", rank=1, power=power)  # type: ignore[arg-type]
    )  # fmt: skip
    with mpmath.workdps(40), flint.ctx.workprec(120):
        x = mpmath.mpf(value.numerator) / value.denominator
        total, mean = x**power, mpmath.log(x**power)
        for step in (Fraction(1, 64), Fraction(-1, 256)):
            found = near._changes(near._segment({1: ball(step)}), 1, *near._sums())
            assert found is not None
            h = mpmath.mpf(step.numerator) / step.denominator
            for name in NAMES:

                def of(y: mpmath.mpf, name: str = name) -> mpmath.mpf:
                    return phi(name, y, power, mean, total)

                bound = from_ball(found[0][name])
                assert bound.lower <= exactly(of(x + h) - of(x)) <= bound.upper
                least = exactly(max(abs(mpmath.diff(of, x, 2)), abs(mpmath.diff(of, x)) / x)) * step**2
                assert 1 - Fraction(1, 10**9) <= bound.width / least <= 1 + 10 * abs(step) / value


def test_all_values_of_a_matrix_to_the_second_power() -> None:
    """S is ||B||_F^2 with q = 2 and s = n: its second-order term is e_F^2, the bound itself."""
    base = [[Fraction(3, 4), Fraction(0)], [Fraction(1, 8), Fraction(1, 2)]]
    turn = [[Fraction(1), Fraction(2)], [Fraction(-1), Fraction(1)]]
    near = EntropyNeighbourhood(matrix_of(base), {1: matrix_of(turn)}, Convention("fixed", rank=2, power=2))
    square = lambda rows: sum(x * x for row in rows for x in row)  # noqa: E731
    for factor in (Fraction(1, 40), Fraction(-1, 300)):
        with flint.ctx.workprec(120):
            found = near._changes(near._segment({1: ball(factor)}), 2, *near._sums())
        assert found is not None
        bound, true = from_ball(found[0]["S"]), square(plus(base, turn, factor)) - square(base)
        assert bound.lower <= true + Fraction(1, 10**12)  # the singular values are those of float64
        assert true - Fraction(1, 10**12) <= bound.upper
        assert 1 <= bound.width / (2 * factor**2 * square(turn)) < 1 + 20 * abs(factor)


@settings(max_examples=25, deadline=None)
@given(
    old=st.lists(st.integers(1, 40), min_size=4, max_size=4).map(lambda v: sorted(v, reverse=True)),
    new=st.lists(st.integers(1, 40), min_size=4, max_size=4).map(lambda v: sorted(v, reverse=True)),
    s=st.integers(0, 3),
    cut=st.integers(1, 4),
    r=st.integers(1, 4),
    power=st.sampled_from([1, 2]),
    normalised=st.booleans(),
)
def test_the_entropy_from_the_changes_of_the_sums_is_an_identity(
    old: list[int], new: list[int], s: int, cut: int, r: int, power: int, normalised: bool
) -> None:
    s = min(s, cut, r)
    diagonal = [[Fraction(v, 64) if i == j else Fraction(0) for j in range(4)] for i, v in enumerate(old)]
    convention = Convention("fixed", rank=r, power=power, normalised=normalised)  # type: ignore[arg-type]
    near = EntropyNeighbourhood(matrix_of(diagonal), {}, convention)
    weights = [v**power for v in new[:cut]]
    with mpmath.workdps(40), flint.ctx.workprec(120):
        unit = exactly(mpmath.mpf(float(near._unit)))
        assert [exactly(mpmath.mpf(float(v))) for v in near._d] == [Fraction(v, 64) * unit for v in old]
        S, T = near._sums()
        fresh = [ball(Fraction(v, 64) * unit) for v in new]
        terms = {
            "S": lambda x: x**power,
            "T": lambda x: x**power * (x**power).log(),
            "H": lambda x: ((1 + T / S) * x**power - x**power * (x**power).log()) / S,
        }
        change = {
            name: sum((of(b) - of(a) for a, b in zip(near._d[:s], fresh[:s], strict=True)), arb(0))
            for name, of in terms.items()
        }
        assume(1 + (sum(weights) * unit**power / Fraction(64) ** power - exactly(mpmath.mpf(float(S)))) > 0)
        found = near._value(change, fresh[s:cut], S, T, s, cut, Enclosure.exact(Fraction(1, 3)))
        if normalised and cut < 2:
            assert found is None
            return
        assert found is not None
        true = -sum(mpmath.mpf(w) / sum(weights) * mpmath.log(mpmath.mpf(w) / sum(weights)) for w in weights)
        bound, exact = (
            from_ball(found),
            exactly(true / (mpmath.log(cut) if normalised else 1)) - Fraction(1, 3),
        )
        assert bound.width < Fraction(1, 10**25)
        assert abs(bound.middle - exact) < Fraction(1, 10**25)


@settings(max_examples=20, deadline=None)
@given(
    skew=st.lists(st.integers(-30, 30).map(lambda k: k / 10000), min_size=6, max_size=6),
    left=st.booleans(),
    power=st.sampled_from([1, 2]),
    factor=st.sampled_from([Fraction(0), Fraction(1, 500), Fraction(-1, 100)]),
)
def test_singular_vectors_are_a_guess(skew: list[float], left: bool, power: int, factor: Fraction) -> None:
    """Vectors that are far from orthonormal, whose product is the matrix all the same: a wider bound, no wrong one."""
    values = np.array([4.0, 2.0, 1.0])
    vectors = np.eye(3) + np.array([[skew[0], skew[1], skew[2]], [0, skew[3], skew[4]], [0, 0, skew[5]]])
    u, vt = (vectors, np.eye(3)) if left else (np.eye(3), vectors.T)
    base = [[Fraction(float(x)) for x in row] for row in (u * values) @ vt]
    turn = [[Fraction(int(i == j) * (1 - i)) for j in range(3)] for i in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np.linalg, "svd", lambda matrix, full_matrices: (u, values * abs(matrix[2, 2]) / base[2][2], vt))
        near = EntropyNeighbourhood(
            matrix_of(base), {1: matrix_of(turn)}, Convention("fixed", rank=3, power=power)  # type: ignore[arg-type]
        )  # fmt: skip
    with mpmath.workdps(40):
        weights = [v**power for v in values_of(plus(base, turn, factor))]
        exact = exactly(-sum(w / sum(weights) * mpmath.log(w / sum(weights)) for w in weights))
    found = near.difference({1: ball(factor)}, Enclosure.exact(0))
    assert found is not None
    assert found.gap.lower <= exact <= found.gap.upper


@settings(max_examples=60, deadline=None)
@given(
    middle=st.fractions(min_value=0, max_value=3, max_denominator=200),
    radius=st.fractions(min_value=Fraction(1, 10**5), max_value=2, max_denominator=10**5),
)
def test_x_log_x_on_a_ball_is_the_hull_of_its_values(middle: Fraction, radius: Fraction) -> None:
    with flint.ctx.workprec(120):
        found = from_ball(_xlogx(to_ball(Enclosure(middle - radius, middle + radius), 120)))
    low, high = max(middle - radius, Fraction(0)), middle + radius
    with mpmath.workdps(40):
        places = [mpmath.mpf(x.numerator) / x.denominator for x in (low, (low + high) / 2, high)]
        bottom = mpmath.exp(-1)
        places += [bottom] if places[0] <= bottom <= places[2] else []
        values = [exactly(x * mpmath.log(x)) if x else Fraction(0) for x in places]
    least, most = min(values), max(values)
    assert found.lower <= least + Fraction(1, 10**30)
    assert found.upper >= most - Fraction(1, 10**30)
    if radius * 1000 < middle:  # thin balls are multiplied
        assert found.width <= 2 * radius * (1 + abs(exactly(mpmath.log(places[0])))) * (1 + Fraction(1, 100))
    else:
        assert found.width <= (most - least) * (1 + Fraction(1, 10**6))
