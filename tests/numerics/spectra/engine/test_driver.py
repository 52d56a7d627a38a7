"""The certified engine on matrices whose singular values are known exactly, and its ways of failing."""

from __future__ import annotations

import pickle
from fractions import Fraction

import flint
import mpmath
import pytest
from flint import arb, arb_mat
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from known_matrices import Matrix, balls, sizes, vector, with_values

from numerics.spectra.engine import certified_singular_values
from numerics.spectra.engine.basis import begin, extend, rest_upper
from numerics.spectra.engine.refine import float_triangles, triangles
from numerics.spectra.engine.vectors import (
    GradedVectors,
    Residual,
    bounds,
    enclosures,
    first_vectors,
    graded_rows,
    grams,
)
from numerics.spectra.spectrum import reference_singular_values
from theory.base.errors import InputError, PrecisionCapError


def check(matrix: Matrix, values: list[Fraction], digits: int, floor: Fraction | None = None) -> None:
    before = flint.ctx.prec
    found = certified_singular_values(balls(matrix), digits, floor)
    assert flint.ctx.prec == before
    known = sorted(values, reverse=True)
    assert len(found.values) == len(known)
    for exact, enclosure in zip(known, found.values, strict=True):
        assert exact in enclosure
    limit = Fraction(10) ** (1 - digits)
    for i, enclosure in enumerate(found.values):
        if i < found.rank:
            width = enclosure.relative_width
            assert width is not None
            assert width <= limit
            text = enclosure.decimals(digits + 2)
            assert Fraction(text["upper"]) / Fraction(text["lower"]) - 1 <= limit
        else:
            assert (enclosure.lower, enclosure.upper) == (0, found.rest_upper)
    positive = sum(x > 0 for x in known)
    if floor is None:
        assert found.rank == positive
    else:
        assert found.rank >= sum(x >= floor * known[0] for x in known if x)
    if found.rank < len(known):
        assert found.rest_upper < (floor or Fraction(1, 10**600)) * max(known[0], 1)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_known_singular_values_are_enclosed(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 7))
    columns = data.draw(st.integers(rows, 9))
    values = data.draw(st.lists(sizes, min_size=rows, max_size=rows))
    matrix = with_values(values, columns, data.draw(vector(rows)), data.draw(vector(columns)))
    if data.draw(st.booleans()):
        matrix = [list(row) for row in zip(*matrix, strict=True)]  # tall
    digits = data.draw(st.sampled_from([1, 6, 12, 15, 16, 17, 30, 60]))
    floor = data.draw(st.sampled_from([None, Fraction(1, 10**4), Fraction(1, 10**15), Fraction(1, 10**200)]))
    check(matrix, values, digits, floor)


@pytest.mark.parametrize("gap", [10, 16, 20, 35, 70])
@pytest.mark.parametrize("digits", [12, 30, 50])
def test_clusters_are_separated_only_where_the_digits_ask(gap: int, digits: int) -> None:
    near = [1 + Fraction(k, 10**gap) for k in (0, 1, 3, 7)] + [Fraction(1, 3)] * 3
    values = [*near, *(x / 10**25 for x in near), Fraction(0)]
    n = len(values)
    check(with_values(values, n, [1 + i % 5 for i in range(n)], [i - 3 for i in range(n)]), values, digits)


def test_range_beyond_float64_exponents() -> None:
    n = 24
    values = [Fraction(1, 10 ** (40 * k)) for k in range(n)]
    matrix = with_values(values, n, [1 + i % 7 for i in range(n)], [3 - i % 5 for i in range(n)])
    check(matrix, values, 12)
    check([row[:8] for row in with_values(values[:8], 8, [1, 2, 3, 4, 3, 2, 1, 1], [1] * 8)], values[:8], 40)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 4), (4, 1), (3, 3)])
def test_zero_matrix(rows: int, columns: int) -> None:
    found = certified_singular_values(lambda _: arb_mat(rows, columns))
    assert (found.rank, found.rest_upper) == (0, 0)
    assert all(x.lower == x.upper == 0 for x in found.values)
    assert len(found.values) == min(rows, columns)


def sine_matrix(rows: int, columns: int, steep: int) -> tuple[list[Fraction], list[Fraction], list[Fraction]]:
    points = [Fraction(2 * i + 1, rows) - 1 for i in range(rows)]
    weights = [Fraction((7919 * j * j + 31 * j) % 1000, 1000) * 2 * steep - steep for j in range(columns)]
    biases = [Fraction((104729 * j + 17 * j * j) % 1000, 500) for j in range(columns)]
    return points, weights, biases


@pytest.mark.parametrize(
    ("rows", "columns", "steep", "digits"), [(12, 12, 3, 12), (20, 33, 6, 25), (33, 20, 6, 12), (28, 28, 14, 15)]
)
def test_sine_features_agree_with_mpmath(rows: int, columns: int, steep: int, digits: int) -> None:
    points, weights, biases = sine_matrix(rows, columns, steep)

    def entries(bits: int) -> arb_mat:
        with flint.ctx.workprec(bits):
            q = lambda x: arb(flint.fmpq(x.numerator, x.denominator))  # noqa: E731
            flat = [q(w * w) * q(w * x + b).sin() for x in points for w, b in zip(weights, biases, strict=True)]
            return arb_mat(rows, columns, flat)

    def floats(digits: int) -> mpmath.matrix:
        q = lambda x: mpmath.mpf(x.numerator) / x.denominator  # noqa: E731
        return mpmath.matrix(
            [[q(w * w) * mpmath.sin(q(w * x + b)) for w, b in zip(weights, biases, strict=True)] for x in points]
        )

    found = certified_singular_values(entries, digits)
    oracle = reference_singular_values(floats, digits + 3)
    assert found.rank == len(oracle.values)
    for enclosure, value in zip(found.values, oracle.values, strict=True):
        mantissa, exponent = value.man_exp
        exact = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
        slack = exact / Fraction(10) ** (digits + 2)
        assert enclosure.lower - slack <= exact <= enclosure.upper + slack
    assert pickle.loads(pickle.dumps(found)) == found
    assert 0 < found.proof_seconds < found.seconds


def test_duplicate_and_zero_features_lower_the_rank() -> None:
    points, weights, biases = sine_matrix(10, 10, 3)
    weights[3], biases[3] = weights[7], biases[7]
    weights[5] = Fraction(0)

    def entries(bits: int) -> arb_mat:
        with flint.ctx.workprec(bits):
            q = lambda x: arb(flint.fmpq(x.numerator, x.denominator))  # noqa: E731
            flat = [q(w * w) * q(w * x + b).sin() for x in points for w, b in zip(weights, biases, strict=True)]
            return arb_mat(10, 10, flat)

    found = certified_singular_values(entries)
    assert found.rank == 8
    assert found.rest_upper < Fraction(1, 10**650)
    quick = certified_singular_values(entries, floor=Fraction(1, 10**12))
    assert quick.working_digits < found.working_digits / 5


def test_balls_that_do_not_shrink_meet_the_cap() -> None:
    wide = arb(1, 0.001)
    with pytest.raises(PrecisionCapError, match="bits are needed"):
        certified_singular_values(lambda _: arb_mat(2, 2, [wide, 2, 3, wide]), cap_bits=300)


def test_cap_below_the_range_says_what_is_needed() -> None:
    matrix = with_values([Fraction(1), Fraction(1, 10**60)], 2, [1, 2], [2, 1])
    with pytest.raises(PrecisionCapError, match=r"1 of 2 .* cap of 150 bits"):
        certified_singular_values(balls(matrix), cap_bits=150)
    assert certified_singular_values(balls(matrix)).rank == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"digits": 0}, "digits"),
        ({"floor": Fraction(0)}, "floor"),
        ({"floor": Fraction(2)}, "floor"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        certified_singular_values(lambda _: arb_mat(1, 1, [1]), **arguments)  # type: ignore[arg-type]


def test_bad_matrices() -> None:
    with pytest.raises(InputError, match="no singular values"):
        certified_singular_values(lambda _: arb_mat(0, 3))
    with pytest.raises(InputError, match="not finite"):
        certified_singular_values(lambda _: arb_mat(1, 2, [1, arb.nan()]))


def perturbed(table: arb_mat, kind: str, position: int, noise: float) -> arb_mat:
    """One way of spoiling a square matrix of exact dyadics."""
    entries = table.entries()
    if kind == "entry":
        entries[position] = (entries[position] + noise).mid()
    elif kind == "all":
        entries = [(x * (1 + noise)).mid() for x in entries]
    elif kind == "swap":
        entries[0], entries[position] = entries[position], entries[0]
    elif kind == "zero":
        entries[position] = arb(0)
    return arb_mat(table.nrows(), table.ncols(), entries)


def attack(data: st.DataObject) -> None:
    """The certificate takes any ``V`` and ``T``: what it then proves must still contain the known values."""
    n = data.draw(st.integers(1, 5))
    values = data.draw(st.lists(sizes.filter(bool), min_size=n, max_size=n))
    matrix = balls(with_values(values, n, data.draw(vector(n)), data.draw(vector(n))))(2000)
    basis = begin(matrix, 2000)
    extend(basis, 80)
    assume(basis.rank)
    kinds = st.sampled_from(["entry", "all", "swap", "zero", "exponent"])
    noise = data.draw(st.floats(-1, 1)) * 10.0 ** data.draw(st.integers(-16, 1))
    position = data.draw(st.integers(0, basis.rank**2 - 1))
    bits = data.draw(st.sampled_from([10, 30, 60, 100]))
    left = basis.left()
    guess = float_triangles(left)
    assume(guess is not None)
    assert guess is not None
    forward, inverse = guess
    spoilt = data.draw(st.sampled_from(["vectors", "forward", "inverse", "both"]))
    kind = data.draw(kinds)
    if spoilt in ("forward", "both"):
        forward = perturbed(forward, kind, position, noise)
    if spoilt in ("inverse", "both"):
        inverse = perturbed(inverse, data.draw(kinds), position, noise)
    turned = triangles(left, (forward, inverse), data.draw(st.sampled_from([5, 40, 200])), bits)
    if turned is None:
        return
    rows = graded_rows(basis.right(), basis.sizes(), turned.forward, bits)
    good = first_vectors(rows)
    table, columns = good.table, list(good.columns)
    if spoilt in ("vectors", "both"):
        table = perturbed(table, kind, position, noise)
        if kind == "exponent":
            columns[position % basis.rank] += data.draw(st.integers(-3, 3))
    bad = GradedVectors(table, good.rows, tuple(columns))
    proven = bounds(grams(rows, bad, bits), bad.columns, turned.delta, bits)
    if proven is None:
        return
    rest = rest_upper(basis)
    found = enclosures(proven, Residual(rest, rest), n, bits)
    for exact, enclosure in zip(sorted(values, reverse=True), found, strict=True):
        assert exact in enclosure


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_perturbed_factors_never_prove_a_falsehood(data: st.DataObject) -> None:
    attack(data)


def test_a_mixer_that_is_not_triangular_proves_nothing_false() -> None:
    """Found by the ten thousand trials: entries under the diagonal of T count, though ours has none."""
    values = [Fraction(381, 694)] * 2
    basis = begin(balls(with_values(values, 2, [2, 7], [3, -2]))(2000), 2000)
    extend(basis, 80)
    left = basis.left()
    guess = float_triangles(left)
    assert guess is not None
    forward = perturbed(guess[0], "entry", 2, 0.0048659337307463013)
    turned = triangles(left, (forward, guess[1]), 5, 100)
    assert turned is not None
    rows = graded_rows(basis.right(), basis.sizes(), turned.forward, 100)
    good = first_vectors(rows)
    proven = bounds(grams(rows, good, 100), good.columns, turned.delta, 100)
    assert proven is not None
    rest = rest_upper(basis)
    for enclosure in enclosures(proven, Residual(rest, rest), 2, 100):
        assert values[0] in enclosure


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=10_000, deadline=None)
@given(st.data())
def test_perturbed_factors_never_prove_a_falsehood_in_ten_thousand_trials(data: st.DataObject) -> None:
    attack(data)
