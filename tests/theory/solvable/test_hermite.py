from __future__ import annotations

from fractions import Fraction

import flint
import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Convention, Power, standard_conventions
from theory.entropy.entropy import truncated_entropy
from theory.solvable import (
    Circle,
    HermiteDiagonal,
    Prolate,
    SolvableSpectrum,
    frequencies,
    geometric_frequencies,
    uniform_frequencies,
)
from theory.solvable import truncated_entropy as solvable_entropy
from theory.stencils import Stencil, central, forward, stencil

TENTH = Fraction(1, 10)


def real(x: Fraction) -> mpmath.mpf:
    return mp.mpf(x.numerator) / x.denominator


def inside(value: mpmath.mpf, enclosure: Enclosure, slack: float = 0.0) -> bool:
    return real(enclosure.lower) - slack <= value <= real(enclosure.upper) + slack


# --- Hermite ------------------------------------------------------------------------------------------------------


def he(n: int, x: mpmath.mpf) -> mpmath.mpf:
    before, value = mp.mpf(0), mp.mpf(1)
    for j in range(n):
        before, value = value, x * value - j * before
    return value


@pytest.mark.parametrize("chosen", [central(2), central(1), forward(1, 2), stencil(2, [-1, 0, 2])], ids=str)
def test_entries_are_inner_products(chosen: Stencil) -> None:
    """⟨he_i, D_h (ρ^{j/2} he_{j+m})⟩ on N(0, 1) by quadrature."""
    model, h = HermiteDiagonal(Fraction(3, 5), 4, chosen), Fraction(2, 5)
    m = chosen.derivative
    with mp.workdps(20):
        # Trapezoidal rule; exact to about exp(-2π²/step²).
        step = mp.mpf(1) / 4
        nodes = [k * step for k in range(-60, 61)]
        density = [step * mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi) for x in nodes]
        for i in range(4):
            for j in range(4):
                total = mp.mpf(0)
                for x, weight in zip(nodes, density, strict=True):
                    difference = mp.fsum(
                        real(c) * he(j + m, x + real(s * h))
                        for s, c in zip(chosen.offsets, chosen.weights, strict=True)
                    )
                    total += weight * he(i, x) * difference
                total *= mp.sqrt(real(model.ratio) ** (j + m) / (mp.factorial(j + m) * mp.factorial(i))) / real(h) ** m
                a, b = model.fd_entry(i, j, h)
                assert abs(real(a) * mp.sqrt(real(b)) - total) < 1e-15
            a, b = model.fd_entry(i, i, h)
            assert a * a * b == model.ad_mode(i)


@given(st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=20), st.integers(2, 7),
       st.fractions(Fraction(1, 20), 3, max_denominator=20))  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_same_determinant_and_log_majorisation(ratio: Fraction, size: int, h: Fraction) -> None:
    model = HermiteDiagonal(ratio, size)
    ad, fd = model.ad_eigenvalues(size), model.fd_eigenvalues(size, h)
    low, high = Fraction(1), Fraction(1)
    for b in fd:
        low, high = low * b.lower, high * b.upper
    assert low <= model.determinant() <= high
    assert high - low < model.determinant() / 10**20
    assert sum(b.lower for b in fd) <= model.fd_trace(h) <= sum(b.upper for b in fd)
    partial_ad, partial_fd = Fraction(1), Fraction(1)
    for a, b in zip(ad[:-1], fd[:-1], strict=True):
        partial_ad, partial_fd = partial_ad * a.lower, partial_fd * b.upper
        assert partial_fd >= partial_ad


@pytest.mark.parametrize("h", [TENTH, Fraction(1, 2), Fraction(1)])
@pytest.mark.parametrize("power", [1, 2])
def test_log_majorisation_orders_no_entropy(h: Fraction, power: Power) -> None:
    signs = [HermiteDiagonal(Fraction(k, 10), 16).gap_sign(h, power=power) for k in (3, 6, 9)]
    assert [s.sign for s in signs] == [1, -1, -1]
    assert {s.route for s in signs} == {"enclosures"}


def test_hermite_gaps_against_a_reference() -> None:
    with mp.workdps(40):
        model, h, n = HermiteDiagonal(Fraction(3, 5), 12), Fraction(1, 2), 12
        matrix = mp.matrix(n, n)
        for i in range(n):
            for j in range(n):
                a, b = model.fd_entry(i, j, h)
                matrix[i, j] = real(a) * mp.sqrt(real(b))
        sigma = list(mp.svd_r(matrix, compute_uv=False))
        ad = sorted((mp.sqrt(real(model.ad_mode(k))) for k in range(n)), reverse=True)
        for power in (1, 2):
            for rank in (12, 5):
                convention = Convention("fixed", tau=Fraction(0), rank=rank, power=power)
                exact = truncated_entropy(sigma, convention).value - truncated_entropy(ad, convention).value
                enclosure = model.gap(h, power=power, rank=rank)
                assert inside(exact, enclosure, 1e-30)
                assert enclosure.width < Fraction(1, 10**15)
        assert inside(sigma[0] ** 2, model.fd_eigenvalues(1, h)[0], 1e-30)


def test_hermite_with_all_features() -> None:
    model = HermiteDiagonal(Fraction(1, 2), None)
    assert model.ad_trace() == 4  # ρ² 2 / (1-ρ)³
    with mp.workdps(40):
        values = [mp.mpf(2) ** (-n - 2) * (n + 1) * (n + 2) for n in range(400)]
        for power in (1, 2):
            roots = [mp.sqrt(x) if power == 1 else x for x in values]
            total = mp.fsum(roots)
            exact = mp.log(total) - mp.fsum(x * mp.log(x) for x in roots) / total
            enclosure = model.entropy("ad", power=power, digits=25)
            assert inside(exact, enclosure, 1e-33)
            assert enclosure.width < Fraction(1, 10**22)
    for call in (
        lambda: model.determinant(),
        lambda: model.fd_trace(TENTH),
        lambda: HermiteDiagonal(Fraction(1)),
        lambda: HermiteDiagonal(Fraction(1, 2), 0),
        lambda: HermiteDiagonal(Fraction(1, 2), 4, central(0)),
    ):
        with pytest.raises(InputError, match="allowed"):
            call()
    assert HermiteDiagonal(Fraction(1, 2), 1).gap_sign(TENTH).sign == 0


@pytest.mark.parametrize("chosen", [central(2), central(4), forward(1, 2), stencil(2, [-1, 0, 2])], ids=str)
@pytest.mark.parametrize("h", [TENTH, Fraction(1, 2)])
def test_the_tail_bounds_the_columns(chosen: Stencil, h: Fraction) -> None:
    """Exact squared norms of the columns from N on, forty of them: under the bound, which costs a few columns more."""
    model = HermiteDiagonal(Fraction(1, 2), None, chosen)

    def column(j: int) -> Fraction:
        pairs = (model.fd_entry(i, j, h) for i in range(j + 1))
        return sum((a * a * b for a, b in pairs), Fraction(0))

    columns = {j: column(j) for j in range(20, 80)}
    for size in (20, 30, 40):
        tail = model.tail(h, size)
        assert tail is not None
        for k in range(6):
            assert sum(columns[j] for j in range(size + k, size + k + 35)) <= tail.first * tail.ratio**k
        assert tail.first <= columns[size] * 2 ** (16 if h == TENTH else 24)


@pytest.mark.parametrize("h", [TENTH, Fraction(1, 2)])
def test_the_tail_is_the_sum_of_the_bounds_of_all_columns(h: Fraction) -> None:
    """``‖column j‖² <= ‖K‖² ρ^m (j+m)!/j! (ρ/r)^j e^(x r/(1-r))/(1-r)`` for one r, added up for 150 columns in mpmath."""
    model, size = HermiteDiagonal(Fraction(1, 2)), 20
    tail = model.tail(h, size)
    assert tail is not None
    with mp.workdps(30):
        x = real(h) ** 2

        def least(r: mpmath.mpf) -> mpmath.mpf:
            """The sum for this r (the norm of the kernel is 1); the bound uses some r, and none has a smaller sum."""
            terms = (mp.mpf(j + 2) * (j + 1) * (real(model.ratio) / r) ** j for j in range(size, size + 150))
            return real(model.ratio) ** 2 * mp.exp(x * r / (1 - r)) / (1 - r) * mp.fsum(terms)

        smallest = min(least(mp.mpf(k) / 40) for k in range(24, 40))
        assert smallest * 0.9 <= real(tail.first) <= 4 * smallest


def test_columns_left_out_raise_the_eigenvalues_listed() -> None:
    """Asked for hardly any digits, few features are listed: the ends must reach what many features have."""
    model = HermiteDiagonal(Fraction(1, 10))
    short, long = model.listed("fd", Fraction(1, 2), 1, 1), model.listed("fd", Fraction(1, 2), 12, 4)
    assert len(short.values) < len(long.values)
    assert short.tail is not None
    for few, many in zip(short.values, long.values, strict=False):
        assert few.lower <= many.lower
        assert many.upper <= few.upper
    assert any(many.lower > few.upper - short.tail.first for few, many in zip(short.values, long.values, strict=False))


def test_all_features_against_many_of_them() -> None:
    """The FD spectrum of all features contains that of the first 16 (ρ = 1/20), eigenvalue by eigenvalue."""
    endless, many = HermiteDiagonal(Fraction(1, 20)), HermiteDiagonal(Fraction(1, 20), 16)
    for a, b in zip(endless.fd_eigenvalues(5, TENTH, 10), many.fd_eigenvalues(5, TENTH, 16), strict=True):
        assert a.lower <= b.lower <= b.upper <= a.upper
        assert a.width < Fraction(1, 10**10)
    for power in (1, 2):
        whole, part = endless.gap(TENTH, power=power, digits=5), many.gap(TENTH, power=power, digits=8)
        assert whole.lower < part.middle < whole.upper
    with pytest.raises(PrecisionCapError, match="features are needed"):
        HermiteDiagonal(Fraction(9, 10)).fd_eigenvalues(2, TENTH, 20)


def arb_log(x: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(x.numerator, x.denominator)).log()


# --- conventions on the solvable spectra --------------------------------------------------------------------------


@pytest.mark.parametrize("model", [
    Circle(geometric_frequencies(Fraction(1, 10))),
    Circle(frequencies({1: Fraction(1), 2: Fraction(1, 7), 5: Fraction(1, 900)})),
    HermiteDiagonal(Fraction(1, 10), None),
    HermiteDiagonal(Fraction(3, 10), 8),
    Prolate(Fraction(1)),
], ids=["circle", "finite circle", "hermite", "finite hermite", "prolate"])  # fmt: skip
@pytest.mark.parametrize(
    "convention",
    [c for c in standard_conventions(4) if c.normalised == (c.rule in ("energy", "fixed"))],
    ids=lambda c: f"{c.rule}-{c.power}",
)
def test_conventions_on_solvable_spectra(model: SolvableSpectrum, convention: Convention) -> None:
    """Against the generic entropy of a long list of the same eigenvalues in multiprecision."""
    infinite_fd = isinstance(model, HermiteDiagonal) and model.size is None  # slow here; see test_hermite_spectrum.py
    for method, h in (("ad", None),) if infinite_fd else (("ad", None), ("fd", TENTH)):
        found = solvable_entropy(model, method, h, convention, 12)  # type: ignore[arg-type]
        with mp.workdps(40):
            # `listed` is descending for no model; its midpoints are good to 40 digits.
            listed = model.listed(method, h, 1, 40)  # type: ignore[arg-type]
            values = sorted((real(b.middle) for b in listed.values), reverse=True)
            sigma = [mp.sqrt(x) for x in values for _ in range(listed.multiplicity)]
            reference = truncated_entropy(sigma, convention)
            assert found.cutoff == reference.cutoff
            if reference.value is None:
                assert found.value is None
            else:
                assert found.value is not None
                assert inside(reference.value, found.value, 1e-30)
                assert found.value.width < Fraction(1, 10**9)


def test_conventions_that_decide_nothing() -> None:
    endless = Circle(geometric_frequencies(Fraction(1, 2)))
    with pytest.raises(InputError, match="infinitely many"):
        solvable_entropy(endless, "ad", None, Convention("energy", Fraction(0)))
    finite = Circle(uniform_frequencies(3))
    assert solvable_entropy(finite, "ad", None, Convention("energy", Fraction(0))).cutoff == 6
    assert solvable_entropy(finite, "ad", None, Convention("fixed", rank=9)).cutoff == 6
    assert solvable_entropy(finite, "ad", None, Convention("absolute", Fraction(10**6))).value is None
    # A tie: σ = 1/3 = τ, of an eigenvalue 1/9 that is no dyadic number.
    tie = Circle(frequencies({1: Fraction(4, 9)}))
    with pytest.raises(PrecisionCapError, match="between 0 and 2"):
        solvable_entropy(tie, "ad", None, Convention("absolute", Fraction(1, 3)), 5)
    assert solvable_entropy(tie, "ad", None, Convention("absolute", Fraction(33, 100)), 5).cutoff == 2
