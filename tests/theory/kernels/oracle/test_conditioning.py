"""Reference values from the regression of one argument on the difference, against formulas and other integrals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from theory.features.activations import z
from theory.features.laws import Cauchy, Constant, Discrete, Laplace, Law, Normal, Student, Uniform
from theory.kernels.derive import derive_kernel
from theory.kernels.evaluation import to_digits
from theory.kernels.forms.activation_forms import shape
from theory.kernels.oracle import conditioning as regression
from theory.kernels.routes import gaussian as hermite
from theory.kernels.routes.gaussian import HermiteJet

DPS = 30
coordinates = st.fractions(-2, 2, max_denominator=12)


def bell(width: Fraction) -> regression.Entire:
    """exp(−width z²/2)."""
    q = mpmath.mpf(width.numerator) / width.denominator
    return regression.Entire(lambda u: mp.exp(-q * u * u / 2), q / 2, True, 1)


def given_bias(q: Any, alpha: Any, beta: Any, gamma: Any, b: Any) -> Any:
    """E σ(U₀ + b) σ(V₀ + b) for the bell: a Gaussian determinant."""
    D = (1 + q * alpha) * (1 + q * beta) - (q * gamma) ** 2
    return mp.exp(-q * b**2 * (2 + q * (alpha + beta - 2 * gamma)) / (2 * D)) / mp.sqrt(D)


def invariants(std: Fraction, p: list[Fraction], q: list[Fraction]) -> list[Any]:
    found = [std**2 * sum(s * t for s, t in zip(a, b, strict=True)) for a, b in ((p, p), (q, q), (p, q))]
    return [mp.mpf(v.numerator) / v.denominator for v in found]


@given(
    st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=3),
    st.sampled_from([Fraction(1, 3), Fraction(1), Fraction(5, 2)]),
    st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(9)]),
    st.sampled_from(
        [Normal(Fraction(0), Fraction(2)), Constant(Fraction(1, 3)), Discrete((Fraction(-1), Fraction(2)))]
    ),
)
def test_gaussian_determinants_come_out(
    points: list[tuple[Fraction, Fraction]], std: Fraction, width: Fraction, bias: Law
) -> None:
    p, q = ([pair[k] for pair in points] for k in (0, 1))
    gram = sum(s * s for s in p) * sum(t * t for t in q) - sum(s * t for s, t in points) ** 2
    if p != q and gram * 64 < sum(s * s for s in p) * sum(t * t for t in q):
        q = p  # on one line through 0, or nearly
    with mp.workdps(DPS):
        w = mp.mpf(width.numerator) / width.denominator
        if p == q and not any(p):
            return  # every argument is the bias
        alpha, beta, gamma = invariants(std, p, q)
        if isinstance(bias, Normal):
            extra = float(bias.std) ** 2
            expected = given_bias(w, alpha + extra, beta + extra, gamma + extra, 0)
        else:
            values = [mp.mpf(v.numerator) / v.denominator for v in bias.parameters]
            expected = mp.fsum(given_bias(w, alpha, beta, gamma, v) for v in values) / len(values)
        found = regression.mean(bell(width), Normal(Fraction(0), std), bias, p, q, 0)
        assert abs(found - expected) <= mp.mpf(10) ** (4 - DPS) * expected


LAWS = [
    Cauchy(Fraction(0), Fraction(1)),
    Cauchy(Fraction(1, 2), Fraction(1, 20)),
    Student(Fraction(3), Fraction(2)),
    Laplace(Fraction(1), Fraction(1, 30)),
    Laplace(Fraction(0), Fraction(6)),
    Uniform(Fraction(-4), Fraction(3)),
]


@pytest.mark.parametrize(("bias", "width"), [(b, Fraction(1 + 15 * (k % 2))) for k, b in enumerate(LAWS)], ids=str)
def test_any_law_of_the_bias(bias: Law, width: Fraction) -> None:
    """Against one integral over the bias of the Gaussian determinant."""
    p, q, weights = (
        [Fraction(1, 2), Fraction(-1, 4)],
        [Fraction(1, 8), Fraction(-3, 16)],
        Normal(Fraction(0), Fraction(1)),
    )
    with mp.workdps(DPS):
        invariant, w = invariants(Fraction(1), p, q), mp.mpf(width.numerator)
        first, second = (mp.mpf(v.numerator) / v.denominator for v in bias.parameters)
        cuts = {-20, -5, -1, 0, 1, 5, 20} | {first + s * second * k for s in (-1, 1) for k in (0, 1, 3, 10, 40)}
        if isinstance(bias, Uniform):
            cuts = {first, -1, 0, 1, second}
        densities = {
            "uniform": lambda b: 1 / (second - first),
            "laplace": lambda b: mp.exp(-abs(b - first) / second) / (2 * second),
            "cauchy": lambda b: second / mp.pi / (second**2 + (b - first) ** 2),
            "student": lambda b: 2 / (second * mp.pi * mp.sqrt(3)) / (1 + (b / second) ** 2 / 3) ** 2,
        }
        density = densities[bias.name]
        expected = mp.quad(lambda b: density(b) * given_bias(w, *invariant, b), sorted(cuts), maxdegree=7)
        found, finer = (regression.mean(bell(width), weights, bias, p, q, level) for level in (0, 2))
        assert abs(found - expected) <= mp.mpf(10) ** (5 - DPS) * expected
        assert abs(finer - expected) <= mp.mpf(10) ** (5 - DPS) * expected


@pytest.mark.parametrize("bias", ["laplace(1/3, 1/2)", "cauchy(0, 2)"])
@pytest.mark.parametrize("name", ["gaussian", "z*exp(-z**2)", "exp(-z**2) - exp(-3*z**2/2)", "exp(-z**2 + z)"])
def test_derivatives_in_two_dimensions_are_those_in_one(name: str, bias: str) -> None:
    """At points (x, 0) and (y, 0) the second weight has no part: Hermite's recurrence against expanded derivatives."""
    if "+ z" in name and "cauchy" in bias:
        return  # no closed form
    one, two = (derive_kernel(name, "normal(0, 3/2)", bias, dimension=d, verify=False) for d in (1, 2))
    x, y = Fraction(2, 3), Fraction(-1, 5)
    for a, b in ((0, 0), (2, 1)):
        values = [
            to_digits(two.derivative((a, 0), (b, 0)), dict(zip(two.symbols, (x, 0, y, 0), strict=True)), 20),
            to_digits(one.derivative((a,), (b,)), dict(zip(one.symbols, (x, y), strict=True)), 20),
        ]
        assert abs(values[0] - values[1]) <= mp.mpf(10) ** -19 * abs(values[1])


def test_hermite_polynomials_are_derivatives() -> None:
    """Of p(u, v) e^φ with φ quadratic, by SymPy."""
    u, v = sp.symbols("u v")
    first, second = (
        shape(sp.sympify(text, {"z": z})).groups[0] for text in ("(1 + z)*exp(-z**2)", "z**2*exp(-z**2/2 + z)")
    )
    jet = HermiteJet(first, second)
    P, Q, R = sp.Rational(1, 3), sp.Rational(2, 5), sp.Rational(-1, 7)
    phi = -(P * u**2 + 2 * R * u * v + Q * v**2) / 2 + u / 3 - v
    images = {hermite.LU: phi.diff(u), hermite.LV: phi.diff(v), hermite.P: P, hermite.Q: Q, hermite.R: R}
    start = jet.at(0, 0).as_expr().subs(images) * sp.exp(phi)
    point = {u: sp.Rational(1, 3), v: sp.Rational(-2, 5)}
    for m, n in ((1, 0), (0, 1), (2, 2)):
        expected = (sp.diff(start, u, m, v, n) * sp.exp(-phi)).subs(point).evalf(30)
        assert abs(jet.at(m, n).as_expr().subs(images).subs(point) - expected) < 1e-25 * abs(expected)
