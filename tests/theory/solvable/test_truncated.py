"""Truncated entropies of infinite models against long finite truncations that share no code with them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Convention
from theory.solvable import (
    Circle,
    HermiteDiagonal,
    Mehler,
    Prolate,
    SolvableSpectrum,
    frequencies,
    geometric_frequencies,
    truncated_entropy,
    truncated_gap,
    uniform_frequencies,
)
from theory.solvable.model import Listed, Method, Tail
from theory.stencils import central

TENTH = Fraction(1, 10)
RULES = [("relative", Fraction(1, 10**4)), ("absolute", Fraction(1, 50)), ("energy", Fraction(1, 1000))]


def entropy(sigma: list[Any], rule: str, tau: Fraction, power: int, normalised: bool) -> tuple[int, Any]:
    """The cut-off number and the entropy of a descending list, written out (mpmath numbers)."""
    t = mp.mpf(tau.numerator) / tau.denominator
    x = [s**power for s in sigma]
    if rule == "energy":
        total, rest, r = mp.fsum(x), mp.fsum(x), 0
        while rest > t * total:
            rest -= x[r]
            r += 1
    else:
        r = sum(1 for s in sigma if s >= (t * sigma[0] if rule == "relative" else t))
    mass = mp.fsum(x[:r])
    h = -mp.fsum(v / mass * mp.log(v / mass) for v in x[:r])
    return r, h / mp.log(r) if normalised else h


def circle(q: Any, h: Any | None, count: int) -> list[Any]:
    """√(p_n g(n) / 4), twice each, for p_n = q^n and the second derivative or difference."""
    n = range(1, count + 1)
    g = [mp.mpf(k) ** 4 if h is None else (2 * mp.sin(k * h / 2) / h) ** 4 for k in n]
    values = sorted((mp.sqrt(q**k * v) / 2 for k, v in zip(n, g, strict=True)), reverse=True)
    return [v for v in values for _ in range(2)]


def hermite(rho: Any, h: Any | None, count: int) -> list[Any]:
    """Singular values of the first features ρ^{j/2} He_j/√j!, He_j(x + t) = Σ_i C(j, i) t^{j-i} He_i(x) differenced."""
    a = mp.matrix(count, count)
    for column in range(count):
        j = column + 2
        for i in range(column, -1, -1):
            if h is None:
                a[i, column] = j * (j - 1) * mp.sqrt(rho**j * mp.mpf(mp.factorial(i)) / mp.factorial(j)) * (i == column)
            elif (j - i) % 2 == 0:
                moved = 2 * mp.binomial(j, i) * h ** (j - i - 2)
                a[i, column] = moved * mp.sqrt(rho**j * mp.factorial(i) / mp.factorial(j))
    return sorted(mp.svd_r(a, compute_uv=False), reverse=True)


def contains(enclosure: Enclosure, value: Any, slack: Any) -> bool:
    low, high = (mp.mpf(v.numerator) / v.denominator for v in (enclosure.lower, enclosure.upper))
    return bool(low - slack <= value <= high + slack)


def compare(model: SolvableSpectrum, sigma: dict[str, list[Any]], slack: Any) -> None:
    """Every rule, both powers, one of them normalised: equal cut-offs, entropies and their difference contained, narrowly."""
    for rule, tau in RULES:
        for power, normalised in ((1, False), (2, True)):
            convention = Convention(rule, tau, power, normalised)  # type: ignore[arg-type]
            found = truncated_gap(model, TENTH, convention, 10)
            values = []
            for method, got in (("ad", found.ad), ("fd", found.fd)):
                r, wanted = entropy(sigma[method], rule, tau, power, normalised)
                assert got.cutoff == r, (convention, method)
                assert got.value is not None
                assert contains(got.value, wanted, slack), (convention, method)
                assert got.value.width < Fraction(1, 10**7)
                values.append(wanted)
            assert found.difference is not None
            gap = values[1] - values[0]
            assert contains(found.difference, gap, 2 * slack)
            if abs(gap) > 10 * slack:
                assert found.sign.sign == (1 if gap > 0 else -1)


def test_circle() -> None:
    with mp.workdps(25):
        q = mp.mpf(2) / 3
        sigma = {"ad": circle(q, None, 200), "fd": circle(q, mp.mpf(1) / 10, 200)}
        compare(Circle(geometric_frequencies(Fraction(2, 3))), sigma, mp.mpf(10) ** -15)


def test_hermite() -> None:
    with mp.workdps(25):
        rho = mp.mpf(1) / 5
        sigma = {"ad": hermite(rho, None, 26), "fd": hermite(rho, mp.mpf(1) / 10, 26)}
        compare(HermiteDiagonal(Fraction(1, 5)), sigma, mp.mpf(10) ** -8)


def test_mehler() -> None:
    """Nyström's method with 80 Gauss–Hermite nodes, in float64."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    root = np.sqrt(weights / np.sqrt(2 * np.pi))
    r = np.subtract.outer(nodes, nodes)
    sigma = {}
    for method in ("ad", "fd"):
        if method == "ad":
            kernel = 0.5 * (r**4 - 6 * r * r + 3) * np.exp(-r * r / 2)
        else:
            shifts = ((-2, 1), (-1, -4), (0, 6), (1, -4), (2, 1))
            kernel = sum(0.5 * c * np.exp(-((r + s * 0.1) ** 2) / 2) for s, c in shifts) / 0.1**4
        values = np.linalg.eigvalsh(root[:, None] * kernel * root[None, :])[::-1]
        sigma[method] = [mp.sqrt(mp.mpf(float(v))) for v in values[:24] if v > 0]
    model = Mehler(Fraction(1), Fraction(1))
    for rule, tau in (("relative", Fraction(1, 100)),):
        found = truncated_gap(model, TENTH, Convention(rule, tau), 12)  # type: ignore[arg-type]
        wanted = [entropy(sigma[method], rule, tau, 1, False) for method in ("ad", "fd")]
        for got, (rank, value) in zip((found.ad, found.fd), wanted, strict=True):
            assert got.cutoff == rank
            assert got.value is not None
            assert contains(got.value, value, 1e-9)
            assert got.value.width < Fraction(1, 10**7)
        assert found.sign.sign == (1 if wanted[1][1] > wanted[0][1] else -1)


def test_geometric_spectrum_in_closed_form() -> None:
    """K itself on the circle: p_n = q^n/4, twice each; the relative rule keeps the n with q^{(n-1)/2} >= τ."""
    with mp.workdps(30):
        found = truncated_entropy(
            Circle(geometric_frequencies(Fraction(1, 4)), central(0)), "ad", None, Convention(tau=Fraction(1, 100))
        )
        n, x = 7, mp.mpf(1) / 2  # 2^-6 >= 1/100 > 2^-7
        mass = (1 - x**n) / (1 - x)
        mean = sum(k * x**k for k in range(n)) / mass
        assert found.cutoff == 2 * n
        assert found.value is not None
        assert contains(found.value, mp.log(2 * mass) - mean * mp.log(x), mp.mpf(10) ** -25)


@given(
    st.sampled_from([Circle(geometric_frequencies(Fraction(1, 2))), Prolate(Fraction(3))]),
    st.sampled_from(["relative", "absolute", "energy"]),
    st.integers(2, 400),
    st.sampled_from([1, 2]),
    st.sampled_from([Fraction(1, 3), TENTH]),
)
@settings(max_examples=6, deadline=None)
def test_more_digits_lie_within_fewer(model: SolvableSpectrum, rule: Any, level: int, power: Any, h: Fraction) -> None:
    convention = Convention(rule, Fraction(1, level), power)
    for method in ("ad", "fd"):
        few, many = (truncated_entropy(model, method, h, convention, digits) for digits in (6, 18))  # type: ignore[arg-type]
        assert few.cutoff == many.cutoff
        if few.value is None or many.value is None:
            assert few.cutoff == 0
            continue
        assert few.value.lower <= many.value.upper
        assert many.value.lower <= few.value.upper
        assert many.value.width < Fraction(1, 10**12)


def test_what_has_no_entropy_or_no_sign() -> None:
    model = Circle(geometric_frequencies(Fraction(1, 2)))
    nothing = truncated_gap(model, TENTH, Convention("absolute", Fraction(1000)))
    assert (nothing.ad.value, nothing.difference, nothing.sign.sign, nothing.sign.route) == (
        None,
        None,
        None,
        "undefined",
    )
    one = truncated_gap(HermiteDiagonal(Fraction(1, 5)), TENTH, Convention("fixed", rank=1, normalised=True))
    assert one.difference is None
    double = truncated_gap(model, TENTH, Convention("fixed", rank=2))
    assert (double.sign.sign, double.sign.route) == (0, "equal spectra")
    uniform = truncated_gap(Circle(uniform_frequencies(4)), Fraction(1, 5), Convention("fixed", rank=8))
    assert uniform.sign.sign == 1
    tie = Circle(frequencies({1: Fraction(4, 9)}))
    with pytest.raises(PrecisionCapError, match="between"):
        truncated_gap(tie, TENTH, Convention("absolute", Fraction(1, 3)), 5)
    with pytest.raises(InputError, match="positive"):
        truncated_gap(model, Fraction(0), Convention())


def test_enclosures_that_overlap_are_undecided() -> None:
    """r = 2 of AD against r = 2 of FD with a step so small that the two nearly agree: 4 digits do not tell, 40 do."""
    model, h = Prolate(Fraction(3)), Fraction(1, 10**9)
    few = truncated_gap(model, h, Convention("fixed", rank=3), 4, most=5)
    assert (few.sign.sign, few.sign.route) == (None, "undecided")
    assert truncated_gap(model, h, Convention("fixed", rank=3), 4).sign.sign is not None


class Coarse(SolvableSpectrum):
    """One eigenvalue 1, and others of which only a bound on the sum, 1/2, is known."""

    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        return Listed((Enclosure.exact(1),), Tail(Fraction(1, 4), Fraction(1, 2)))


@pytest.mark.parametrize(
    "convention",
    [Convention("relative", Fraction(1, 10)), Convention("energy", Fraction(1, 4), 2), Convention("fixed", rank=2)],
    ids=str,
)
def test_what_is_not_listed_may_matter(convention: Convention) -> None:
    with pytest.raises(PrecisionCapError):
        truncated_entropy(Coarse(), "ad", None, convention)
    assert truncated_entropy(Coarse(), "ad", None, Convention("energy", Fraction(1, 2), 2)).cutoff == 1


class Near(SolvableSpectrum):
    """Eigenvalues 1 and 1/2 of both to as many digits as are asked for; FD has a third one, 1e-9."""

    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        error = Fraction(1, 10**digits)
        values = [Enclosure(v - error, v + error) for v in (Fraction(1), Fraction(1, 2))]
        return Listed((*values, *([Enclosure.exact(Fraction(1, 10**9))] if method == "fd" else [])))


def test_more_digits_decide_where_the_cut_off_numbers_differ() -> None:
    found = truncated_gap(Near(), TENTH, Convention("relative", Fraction(1, 10**5), 2), 4)
    assert (found.ad.cutoff, found.fd.cutoff, found.sign.sign) == (2, 3, 1)
    assert found.difference is not None
    assert found.difference.sign() is None
