"""Activations: every derivative against mpmath's definition and Taylor coefficients, parity, limits, pickling."""

from __future__ import annotations

import math
import pickle
import time
from fractions import Fraction
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from numerics.arithmetic.backends import BallBackend, FloatBackend, MultiprecisionBackend
from proofs_check.search.strategies import KINKED, SMOOTH, expressions
from theory.base.errors import InputError
from theory.base.expressions import evaluate
from theory.features.activations import (
    MAX_DERIVATIVE,
    activation,
    names,
    sech_polynomial,
    t,
    tanh_polynomial,
    z,
)

DEFINITIONS: dict[str, Any] = {
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "exp": mpmath.exp,
    "tanh": mpmath.tanh,
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
    "silu": lambda u: u / (1 + mpmath.exp(-u)),
    "sech": mpmath.sech,
    "gaussian": lambda u: mpmath.exp(-u * u / 2),
    "erf": mpmath.erf,
    "gelu": lambda u: u * (1 + mpmath.erf(u / mpmath.sqrt(2))) / 2,
}
"""The activations by their definitions, in functions that the module under test does not use."""
at_points = st.fractions(-6, 6, max_denominator=8)


def value(name: str, order: int, at: Fraction, digits: int = 30) -> mpmath.mpf:
    with mpmath.workdps(digits + 10):
        backend = MultiprecisionBackend()
        return evaluate(activation(name).derivative(order), {z: backend.constant(at)}, backend)


def test_every_name_has_a_definition() -> None:
    assert set(names()) == set(DEFINITIONS) | set(KINKED)
    assert set(SMOOTH) == set(DEFINITIONS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_function_is_its_definition(name: str) -> None:
    for k in range(-24, 25):
        at = Fraction(k, 4)
        with mpmath.workdps(50):
            exact = DEFINITIONS[name](mpmath.mpf(k) / 4)
        assert abs(value(name, 0, at) - exact) <= mpmath.mpf(10) ** -30 * (1 + abs(exact))


@pytest.mark.parametrize("name", DEFINITIONS)
def test_derivatives_are_taylor_coefficients(name: str) -> None:
    """n! times the Cauchy integral of the definition over a circle: spectrally accurate, no differences."""
    with mpmath.workdps(60):
        radius, nodes = mpmath.mpf(1), 192
        for centre in (Fraction(0), Fraction(-3, 2), Fraction(9, 4)):
            c = mpmath.mpf(centre.numerator) / centre.denominator
            circle = [mpmath.expjpi(mpmath.mpf(2 * k) / nodes) for k in range(nodes)]
            samples = [DEFINITIONS[name](c + radius * w) for w in circle]
            for n in range(9):
                coefficient = mpmath.fsum(f * circle[-k * n % nodes] for k, f in enumerate(samples)) / nodes
                exact = (coefficient * mpmath.factorial(n)).real
                # The trapezoidal rule's error is n! (radius/strip)^nodes: (2/pi)^192 = 2e-38 for tanh.
                assert abs(value(name, n, centre) - exact) < mpmath.mpf(10) ** -28 * (1 + abs(exact))


@given(st.sampled_from(sorted(DEFINITIONS)), st.integers(1, 5), at_points)
def test_derivatives_against_differences(name: str, order: int, at: Fraction) -> None:
    with mpmath.workdps(40):
        exact = mpmath.diff(DEFINITIONS[name], mpmath.mpf(at.numerator) / at.denominator, order)
    assert abs(value(name, order, at) - exact) < mpmath.mpf(10) ** -25 * (1 + abs(exact))


@pytest.mark.parametrize("orders", [(0, 1, 2, 5), pytest.param((8, 11, MAX_DERIVATIVE - 1), marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_each_derivative_is_the_derivative_of_the_one_before(name: str, orders: tuple[int, ...]) -> None:
    """Up to the highest order, at a rational point, in balls of 400 bits."""
    sigma = activation(name)
    with flint.ctx.workprec(400):
        backend = BallBackend()
        here = backend.constant(Fraction(5, 7))
        for n in orders:
            by_sympy = evaluate(sp.diff(sigma.derivative(n), z), {z: here}, backend)
            ours = evaluate(sigma.derivative(n + 1), {z: here}, backend)
            assert ours.overlaps(by_sympy)
            assert float(ours.rad()) < 1e-80
            assert float(by_sympy.rad()) < 1e-80


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("order", range(5))
def test_float64_is_stable_far_out(name: str, order: int) -> None:
    """Horner's form with coefficients that sum to under 100, and a factor z² ≤ 400 from the exponents: 10⁴ u."""
    sigma = activation(name).derivative(order)
    grid = np.linspace(-20, 20, 81)
    ours = evaluate(sigma, {z: grid}, FloatBackend(np.float64)) * np.ones_like(grid)
    exact = np.array([float(value(name, order, Fraction(float(v)))) for v in grid])
    assert (np.abs(ours - exact) <= 1e4 * 2.0**-53 * np.maximum(1, np.abs(exact))).all()


@pytest.mark.parametrize("name", sorted({*SMOOTH, *KINKED}))
def test_parity(name: str) -> None:
    sigma = activation(name)
    sign = {"even": 1, "odd": -1, None: None}[sigma.parity]
    points = [Fraction(k, 5) for k in range(1, 20)]
    if sign is None:
        both = [(value(name, 0, p), value(name, 0, -p)) for p in points]
        assert any(abs(a - b) > 1e-9 for a, b in both)
        assert any(abs(a + b) > 1e-9 for a, b in both)
        return
    for p in points:
        for n in range(5):
            with mpmath.workdps(40):
                there, here = value(name, n, -p), value(name, n, p)
                assert abs(there - sign * (-1) ** n * here) < mpmath.mpf(10) ** -28 * (1 + abs(here))


@pytest.mark.parametrize("name", SMOOTH)
def test_the_strip_is_the_distance_of_the_nearest_singularity(name: str) -> None:
    strip = activation(name).strip
    edge = {"tanh": sp.pi / 2, "sech": sp.pi / 2, "sigmoid": sp.pi, "softplus": sp.pi, "silu": sp.pi}.get(name, sp.oo)
    assert strip == edge
    if edge != sp.oo:
        with mpmath.workdps(30):
            near = mpmath.mpc(0, mpmath.mpf(edge.evalf(30)) * (1 - mpmath.mpf(10) ** -12))
            assert abs(mpmath.diff(DEFINITIONS[name], near, 1, radius=mpmath.mpf(10) ** -15)) > 1e9


@pytest.mark.parametrize(("name", "power"), [("relu", 1), ("relu2", 2), ("relu3", 3), ("relu4", 4), ("step", 0)])
def test_kinked_activations_are_differentiated_pointwise(name: str, power: int) -> None:
    for n in range(MAX_DERIVATIVE + 1):
        for at in (Fraction(-3), Fraction(-1, 10**20), Fraction(0), Fraction(1, 10**20), Fraction(7, 2)):
            falling = Fraction(1)
            for k in range(n):
                falling *= power - k
            exact = falling * at ** (power - n) if at > 0 and n <= power else Fraction(0)
            with mpmath.workdps(30):
                assert abs(value(name, n, at) - mpmath.mpf(exact.numerator) / exact.denominator) <= abs(exact) * 1e-28
    assert activation(name).smoothness == power
    assert activation(name).strip == 0


@given(st.fractions(-1, 1, max_denominator=20))
def test_polynomials_in_tanh_and_sech(start: Fraction) -> None:
    """The recurrences against exact Taylor coefficients of y' = 1 - y², s' = -s y with y = start, s = 1 at 0."""
    ys, ss = [start], [Fraction(1)]
    for k in range(14):
        ys.append(((k == 0) - sum((ys[i] * ys[k - i] for i in range(k + 1)), Fraction(0))) / (k + 1))
        ss.append(-sum((ss[i] * ys[k - i] for i in range(k + 1)), Fraction(0)) / (k + 1))
    at = sp.Rational(start.numerator, start.denominator)
    for n in range(14):
        assert Fraction(str(tanh_polynomial(n).eval(at))) == math.factorial(n) * ys[n]
        assert Fraction(str(sp.sympify(sech_polynomial(n)).subs(t, at))) == math.factorial(n) * ss[n]


@given(expressions(("z",)), st.integers(0, 3), st.fractions(-2, 2, max_denominator=5))
def test_expressions_are_differentiated(text: str, order: int, at: Fraction) -> None:
    sigma = activation(f"({text})")
    backend = MultiprecisionBackend()
    with mpmath.workdps(40):
        here = backend.constant(at)
        ours = evaluate(sigma.derivative(order), {z: here}, backend)
        base = sigma.derivative(0)
        exact = mpmath.diff(lambda u: evaluate(base, {z: u}, backend), here, order)
        scale = 1 + abs(exact) + abs(evaluate(base, {z: here}, backend))
        assert abs(ours - exact) < mpmath.mpf(10) ** -15 * scale


@pytest.mark.parametrize(
    ("text", "parity"),
    [("z*sin(z)", "even"), ("z**3 + sin(z)", "odd"), ("(z + sin(z))*cos(z)", "odd"), ("z + 1", None), ("1", "even"),
     ("exp(z)", None), ("exp(-z**2)", "even"), ("(z + sin(z))**2", "even"), ("(1 + z)*(1 - z)", "even"),
     ("cosh(z) + z", None)],
)  # fmt: skip
def test_parity_of_expressions(text: str, parity: str | None) -> None:
    assert activation(text).parity == parity


@pytest.mark.parametrize(
    "text", ["sin(z)", "tanh( z )", "exp(-z**2/2)", "erf(z)", "sech(z)", "sigmoid(z)", "cos(z)", "exp(z)"]
)
def test_an_expression_that_spells_a_name_is_that_activation(text: str) -> None:
    assert activation(text).name in names()


@pytest.mark.parametrize(
    ("text", "fragment"),
    [("thanh", "did you mean 'tanh'"), ("Sin", "did you mean 'sin'"), ("relu9", "did you mean 'relu'"),
     ("q", "unknown activation"), ("x", "unknown activation"), ("x**2", "unknown name 'x'"), ("", "empty"),
     ("tanh(z", "never closed"), ("9**9**9", "exponent"), ("z ^ 2", "powers"), ("sqrt(z**2)", "not smooth"),
     ("relu(z)", "unknown function"), ("pi", "unknown activation"), ("lambda z: z", "allowed"),
     ("__import__('os').system('true')", "allowed")],
)  # fmt: skip
def test_what_is_no_activation(text: str, fragment: str) -> None:
    with pytest.raises(InputError, match=fragment) as caught:
        activation(text)
    assert str(caught.value).startswith("features.activation: ")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("value", [None, 3, b"tanh", ["tanh"]])
def test_only_text_names_an_activation(value: Any) -> None:
    with pytest.raises(InputError, match="must be a string"):
        activation(value)


@pytest.mark.parametrize("order", [-1, MAX_DERIVATIVE + 1, 10**9])
def test_orders_out_of_range(order: int) -> None:
    with pytest.raises(InputError, match="allowed are 0 to 16"):
        activation("tanh").derivative(order)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sin(" * 39 + "z" + ")" * 39, marks=pytest.mark.slow),
        "sigmoid(" * 39 + "z" + ")" * 39,
        "(z+1+sin(z)+cos(z)+exp(z)+tanh(z)+z**2+z**3)**64",
        "(sin(z)+cos(z)+exp(z))**32 * (1+z)**32",
        pytest.param("*".join(f"(z+{k})" for k in range(30)), marks=pytest.mark.slow),
        pytest.param("sech(" * 30 + "z" + ")" * 30, marks=pytest.mark.slow),
    ],
    ids=lambda text: text[:20],
)
def test_growth_is_refused_in_bounded_time(text: str) -> None:
    """Expansions of 10^9 terms and towers: a derivative, or one line, within seconds."""
    start = time.process_time()
    sigma, refused = activation(text), ""
    for order in range(4):
        try:
            sigma.derivative(order)
        except InputError as error:
            refused = str(error)
            break
    assert refused == "" or (refused.isprintable() and "operations" in refused)
    assert time.process_time() - start < 60


@given(st.sampled_from(sorted({*SMOOTH, *KINKED})) | expressions(("z",)).map("({})".format))
def test_an_activation_travels(text: str) -> None:
    sigma = activation(text)
    copy = pickle.loads(pickle.dumps(sigma))
    assert copy == sigma
    assert hash(copy) == hash(sigma)
    assert copy.derivative(2) == sigma.derivative(2)
    assert sigma._repr_latex_().startswith("$")


def test_names_in_blanks() -> None:
    assert activation("  tanh ") is activation("tanh")
