from __future__ import annotations

from fractions import Fraction
from math import log, pi, sqrt

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from proofs_check.search.strategies import stencils
from theory.base.errors import InputError
from theory.operators.roundoff import (
    TYPICAL_FACTOR,
    UNIT_ROUNDOFF,
    knee,
    leading_constant,
    marchenko_pastur_distribution,
    marchenko_pastur_quantile,
    marchenko_pastur_values,
    optimal_step,
    optimal_step_expression,
    sensitivity,
    spectral_floor,
    typical,
    typical_square,
    worst_case,
)
from theory.stencils import Stencil, central, five_point, forward, identity, multiply, stencil

sizes = st.floats(1e-20, 1e6)


def total_error(s: Stencil, step: float, rho: float, derivative: float) -> float:
    """``|e_p| D h^p + ρ h^-m``."""
    return float(leading_constant(s)) * derivative * step**s.order + rho / step**s.degree


# the optimal step


@given(stencils(), sizes, sizes)
def test_the_optimal_step_minimises_the_total_error(s: Stencil, rho: float, derivative: float) -> None:
    best = optimal_step(s, rho, derivative)
    found = minimize_scalar(
        lambda t: total_error(s, float(np.exp(t)), rho, derivative),
        bracket=(log(best.step) - 1.3, log(best.step) + 0.7),
        tol=1e-9,
    )
    assert np.exp(found.x) == pytest.approx(best.step, rel=1e-5)
    assert best.error == pytest.approx(found.fun, rel=1e-9)
    assert best.error == pytest.approx(total_error(s, best.step, rho, derivative), rel=1e-12)
    assert best.roundoff * s.degree == pytest.approx(best.truncation * s.order, rel=1e-9)


@settings(max_examples=20)
@given(stencils(extra=2), st.integers(1, 9), st.integers(1, 9))
def test_the_closed_form_is_stationary_and_agrees(s: Stencil, a: int, b: int) -> None:
    rho, size, h = (*sp.symbols("rho D", positive=True), sp.Symbol("h", positive=True))
    step, least = optimal_step_expression(s)
    e = leading_constant(s)
    m, p = s.degree, s.order
    total = sp.Rational(e.numerator, e.denominator) * size * h**p + rho / h**m
    values = {rho: sp.Rational(a, 7), size: sp.Rational(b, 5)}
    slope = sp.diff(total, h).subs(h, step).subs(values)
    curvature = sp.diff(total, h, 2).subs(h, step).subs(values)
    assert abs(sp.N(slope, 40, maxn=200)) < 1e-30 * abs(sp.N(curvature))
    assert sp.N(curvature) > 0
    assert abs(sp.N(total.subs(h, step).subs(values) - least.subs(values), 40, maxn=200)) < 1e-30 * float(
        least.subs(values)
    )
    numeric = optimal_step(s, a / 7, b / 5)
    assert numeric.step == pytest.approx(float(step.subs(values)), rel=1e-12)
    assert numeric.error == pytest.approx(float(least.subs(values)), rel=1e-12)


def test_the_classical_step() -> None:
    """Second difference: h* = (12 ρ / D)^(1/4), from ρ/h² + D h²/12."""
    best = optimal_step(central(2), 1e-16, 1.0)
    assert best.step == pytest.approx(1.2e-15**0.25, rel=1e-12)
    assert best.truncation == pytest.approx(best.roundoff)
    assert leading_constant(five_point()) == Fraction(1, 12)


def test_the_model_predicts_the_error_of_float64_differences() -> None:
    """u = sin at many points: the measured total error follows the model over eleven decades of h."""
    rng = np.random.default_rng(3)
    x = rng.uniform(0.5, 1.5, 400)
    for s in (central(2), forward(1, 2), central(1, 4)):
        rms = sqrt(np.mean([typical_square(np.sin(v), np.cos(v), v, v) for v in x]))
        rho = typical(s, rms, UNIT_ROUNDOFF["float64"])
        m, p = s.degree, s.order
        exact = np.sin(x + m * pi / 2)
        size = sqrt(np.mean(np.sin(x + (m + p) * pi / 2) ** 2))
        ratios = []
        for h in np.logspace(-7, -1, 25):
            values = sum(float(c) * np.sin(x + float(t) * h) for t, c in zip(s.offsets, s.weights, strict=True))
            measured = sqrt(np.mean((values / h**m - exact) ** 2))
            ratios.append(measured / total_error(s, float(h), rho, size))
        assert max(ratios) < 2.5
        assert min(ratios) > 0.25


# round-off


def measured(s: Stencil, dtype: type, h: float, rows: int = 200, columns: int = 40) -> tuple[np.ndarray, ...]:
    """Entries of tanh features in a low precision, and exactly (in longdouble), with the pieces of the model."""
    rng = np.random.default_rng(0)
    w, b = rng.normal(0, 2, columns).astype(dtype), rng.normal(0, 1, columns).astype(dtype)
    x, step = rng.uniform(-1, 1, rows).astype(dtype), dtype(h)
    low = np.zeros((rows, columns), dtype)
    exact = np.zeros((rows, columns), np.longdouble)
    wide = [np.asarray(v, np.longdouble) for v in (w, b, x, step)]
    for t, c in zip(s.offsets, s.weights, strict=True):
        shifted = x + dtype(t) * step
        low = low + dtype(c) * np.tanh(shifted[:, None] * w + b)
        z = (wide[2] + np.longdouble(float(t)) * wide[3])[:, None] * wide[0] + wide[1]
        exact = exact + np.longdouble(c.numerator) / np.longdouble(c.denominator) * np.tanh(z)
    z = wide[2][:, None] * wide[0] + wide[1]
    return low.astype(np.longdouble) / wide[3] ** s.degree - exact / wide[3] ** s.degree, wide[2][:, None] * wide[0], z


@pytest.mark.parametrize("s", [central(2), central(4), forward(1, 2), central(2, 4), stencil(2, [-2, -1, 0, 1, 3])])
@pytest.mark.parametrize("h", [2.0**-4, 2.0**-7])
def test_worst_case_and_typical_against_float32(s: Stencil, h: float) -> None:
    error, product, z = measured(s, np.float32, h)
    u = UNIT_ROUNDOFF["float32"]
    value, slope = np.tanh(z), 1 / np.cosh(z) ** 2
    reach = float(max(abs(t) for t in s.offsets)) * h * 8 + h  # arguments shift by w h s, |w| < 8
    bound = 0.0
    mean_square = 0.0
    for sigma, ds, p, a in zip(value.flat, slope.flat, product.flat, z.flat, strict=True):
        bound = max(
            bound, sensitivity(min(1.0, abs(float(sigma)) + reach), 1.0, abs(float(p)) + reach, abs(float(a)) + reach)
        )
        mean_square += typical_square(float(sigma), float(ds), float(p), float(a))
    rho = worst_case(s, bound, u, largest=1.0)
    assert float(np.abs(error).max()) <= rho / h**s.degree
    estimate = typical(s, sqrt(mean_square / error.size), u) / h**s.degree
    root = float(np.sqrt(np.mean(error**2)))
    assert root / 3 < estimate < root * 3
    assert worst_case(s, bound, u) < rho


def test_the_factor_of_uniform_significands() -> None:
    """κ² = ∫ over the significand and the rounding error; 1/6 by quadrature and 0.408 in samples."""
    second = quad(lambda x: quad(lambda d: (d / x) ** 2 / 2, -1, 1)[0], 1, 2)[0]
    assert sqrt(second) == pytest.approx(TYPICAL_FACTOR, rel=1e-9)
    x = np.random.default_rng(1).uniform(1, 2, 200_000)
    relative = (x.astype(np.float32) - x) / x / UNIT_ROUNDOFF["float32"]
    assert sqrt(np.mean(relative**2)) == pytest.approx(TYPICAL_FACTOR, rel=0.01)


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_unit_round_offs(name: str) -> None:
    assert UNIT_ROUNDOFF[name] == np.finfo(name).eps / 2


def test_the_terms_of_the_worst_case() -> None:
    u = 2.0**-24
    s = central(2)  # weights 1, -2, 1: products with -2 counted, weights exact
    assert worst_case(s, 3.0, u) == u * 4 * 3
    assert worst_case(s, 3.0, u, largest=1.0) == pytest.approx(u * 4 * (3 + 2 + 1 + 0 + 2))
    inexact = central(2, 4)
    assert worst_case(inexact, 1.0, u, largest=1.0) == pytest.approx(u * float(inexact.norm1) * (1 + 4 + 1 + 1 + 2))
    assert typical(multiply(2, s), 1.0, u) == pytest.approx(2 * typical(s, 1.0, u))
    assert typical(s, 1.0, u) == pytest.approx(u / sqrt(6) * sqrt(6))
    assert sensitivity(-2.0, -3.0, -5.0, 7.0) == 2 + 3 * (10 + 7)
    assert typical_square(2.0, 3.0, 5.0, 7.0) == 4 + 9 * (50 + 49)


# the floor


@settings(max_examples=15)
@given(st.integers(1, 300), st.integers(1, 300), st.floats(0, 1))
def test_the_noise_law_against_quadrature(rows: int, columns: int, level: float) -> None:
    n, large = min(rows, columns), max(rows, columns)
    a, b = (sqrt(large) - sqrt(n)) ** 2, (sqrt(large) + sqrt(n)) ** 2
    value = marchenko_pastur_quantile(level, rows, columns)
    assert sqrt(a) <= value <= sqrt(b) * (1 + 1e-15)
    # the density of x = value², substituted x = a + (b - a) sin²(t/2) to be smooth at both ends
    with mpmath.workdps(20):
        end = mpmath.acos(1 - 2 * min(1.0, max(0.0, (value * value - a) / (b - a))))

        def density(t: mpmath.mpf) -> mpmath.mpf:
            x = a + (b - a) * mpmath.sin(t / 2) ** 2
            return ((b - a) / 2 * mpmath.sin(t)) ** 2 / (2 * mpmath.pi * n * x)

        integral = mpmath.quad(density, [0, end / 2, end])
    assert float(integral) == pytest.approx(level, abs=1e-6)
    assert marchenko_pastur_distribution(value, columns, rows) == pytest.approx(level, abs=1e-6)


def test_the_quarter_circle() -> None:
    """Square matrices: density √(4n - s²)/(π n) of the singular values."""
    n = 50
    for value in (0.5, 3.0, 7.0, 14.0):
        expected = quad(lambda s: sqrt(4 * n - s * s) / (pi * n), 0, value)[0]
        assert marchenko_pastur_distribution(value, n, n) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("shape", [(200, 200), (120, 300)])
def test_quantiles_of_noise_matrices(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(5).normal(size=shape)
    values = np.linalg.svd(noise, compute_uv=False)
    predicted = np.array(marchenko_pastur_values(1.0, *shape))
    middle = slice(10, -10)
    assert np.abs(values[middle] / predicted[middle] - 1).max() < 0.12
    assert np.all(np.diff(predicted) < 0)
    assert spectral_floor(1.0, *shape) == pytest.approx(values[0], rel=0.05)


def test_the_knee_and_the_values_behind_it() -> None:
    """A decaying spectrum plus noise: the values under the floor follow the quantiles of the smaller matrix."""
    n, tau = 120, 1e-6
    rng = np.random.default_rng(2)
    u, v = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
    spectrum = 10.0 ** (-np.arange(n) / 5)
    noisy = np.linalg.svd(u * spectrum @ v.T + tau * rng.normal(size=(n, n)), compute_uv=False)
    first = knee(list(spectrum), tau, n, n)
    assert spectrum[first] < spectral_floor(tau, n, n) <= spectrum[first - 1]
    predicted = np.array(marchenko_pastur_values(tau, n - first, n - first))
    assert len(predicted) == n - first
    ratio = noisy[first:] / predicted
    assert np.all((0.5 < ratio[: 3 * len(ratio) // 4]) & (ratio[: 3 * len(ratio) // 4] < 2))
    assert noisy[-1] < spectral_floor(tau, n, n) < noisy[first - 3]


def test_a_spectrum_above_the_floor_has_no_knee() -> None:
    assert knee([3.0, 2.0], 1e-9, 2, 2) == 2
    assert knee([], 1.0, 1, 1) == 0


def test_bad_input() -> None:
    for rho, derivative in ((0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (1.0, float("inf"))):
        with pytest.raises(InputError, match="positive finite"):
            optimal_step(central(2), rho, derivative)
    with pytest.raises(InputError, match="interpolation has none"):
        optimal_step(stencil(0, [-1, 1]), 1.0, 1.0)
    with pytest.raises(InputError, match="interpolation has none"):
        optimal_step_expression(stencil(0, [-1, 1]))
    with pytest.raises(InputError, match="exact"):
        optimal_step(identity(), 1.0, 1.0)
    with pytest.raises(InputError, match="level 2"):
        marchenko_pastur_quantile(2.0, 3, 3)
    with pytest.raises(InputError, match="2 x 0"):
        marchenko_pastur_quantile(0.5, 2, 0)


def quarter_circle(value: float, n: int) -> float:
    """The distribution function of singular values of an ``n × n`` noise matrix: ``∫₀^v √(4n - s²) / (π n) ds``."""
    found, _ = quad(lambda s: sqrt(4 * n - s * s) / (pi * n), 0, value)
    return float(found)


def test_values_of_noise_are_its_quantiles() -> None:
    """Of a 4 × 4 matrix, by quadrature."""
    tau = 1e-3
    found = marchenko_pastur_values(tau, 4, 4)
    levels = [quarter_circle(value / tau, 4) for value in found]
    assert levels == pytest.approx([0.875, 0.625, 0.375, 0.125], abs=1e-6)
