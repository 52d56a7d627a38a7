"""Every closed form: verified to 25 digits by quadrature, symmetric, positive definite, and right in its derivatives."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from scipy import special

from theory.base.errors import NonexistenceError
from theory.kernels.derive import derive_kernel
from theory.kernels.evaluation import evaluate
from theory.kernels.kernel import KernelDerivation
from theory.operators.operator import StencilChoice

F = Fraction

PAIRS = [
    ("sin", "normal(0, 1)", "normal(0, 1/2)"),
    ("cos", "normal(1/3, 1)", "constant(1/2)"),
    ("cos", "uniform(-4, 4)", "uniform(-4, 4)"),
    ("sin", "laplace(0, 1)", "normal(0, 1)"),
    ("sin", "cauchy(0, 1)", "uniform(-1, 1)"),
    ("cos", "student(3, 1)", "constant(0)"),
    ("sin", "student(5, 1/2)", "normal(0, 1)"),
    ("cos", "student(11/2, 1)", "normal(0, 1)"),
    ("sin", "discrete(1, -1/2, 3)", "laplace(1/3, 1)"),
    ("exp", "normal(0, 1/2)", "uniform(-1, 1)"),
    ("sinh(z)", "laplace(0, 1/4)", "constant(1/3)"),
    ("gaussian", "normal(0, 1)", "normal(0, 1/2)"),
    ("z*exp(-z**2/2)", "normal(0, 1)", "normal(1/3, 1)"),
    ("(1-z**2)*exp(-z**2/2)", "normal(0, 1)", "normal(0, 1)"),
    ("(z**3-3*z)*exp(-z**2/4)", "normal(0, 1)", "normal(0, 1)"),
    ("cos(3*z)*exp(-z**2/2)", "normal(0, 1)", "normal(0, 1)"),
    ("z**3 - z", "normal(0, 1)", "uniform(-1, 2)"),
    ("z**2", "student(11, 1)", "laplace(0, 1)"),
    ("erf", "normal(0, 1)", "normal(0, 1/2)"),
    ("erf(z/2) + 1/3", "normal(0, 1)", "constant(0)"),
    ("gelu", "normal(0, 1)", "normal(0, 1)"),
    ("z + erf(z)", "normal(0, 1)", "normal(0, 1)"),
    ("step", "normal(0, 1)", "normal(0, 1)"),
    ("relu", "normal(0, 2)", "normal(0, 1)"),
    ("relu2", "normal(0, 1)", "normal(0, 1)"),
    ("relu3", "normal(0, 1)", "normal(0, 1)"),
    ("relu4", "normal(0, 1)", "normal(0, 1)"),
    ("relu", "uniform(-1, 2)", "uniform(-2, 2)"),
    ("relu", "normal(0, 1)", "constant(0)"),
    ("relu2", "discrete(1, -1/2)", "uniform(-1, 2)"),
    ("tanh", "constant(3/2)", "uniform(-4, 4)"),
    ("tanh", "discrete(1, -1/2, 3)", "uniform(-4, 4)"),
    ("sigmoid", "constant(-2)", "uniform(-1, 3)"),
    ("gaussian", "uniform(-2, 3)", "normal(0, 1)"),
]
EXPENSIVE = [
    ("gaussian", "cauchy(0, 1)", "normal(0, 1)"),
    ("gaussian", "laplace(1/3, 1)", "normal(0, 1)"),
    ("z*exp(-z**2)", "normal(0, 1)", "uniform(-1, 2)"),
    ("relu", "normal(1/3, 1)", "uniform(-1, 2)"),
    ("relu2", "constant(3/2)", "laplace(0, 1)"),
    ("relu", "laplace(0, 1)", "uniform(-1, 1)"),
]


@cache
def derived(names: tuple[str, str, str]) -> KernelDerivation:
    """The kernel itself, not verified: derived once for all tests that ask for its values."""
    return derive_kernel(*names, verify=False)


@pytest.mark.parametrize("names", PAIRS, ids=" ".join)
def test_closed_forms_are_verified_to_25_digits(names: tuple[str, str, str]) -> None:
    kernel = derive_kernel(*names)
    assert kernel.closed
    assert kernel.verified_digits >= 25
    assert kernel.seconds < 10


@pytest.mark.parametrize(
    ("names", "operator"),
    [
        (("relu3", "constant(3/2)", "normal(0, 1)"), "u_xx + u_yy"),
        (("gaussian", "discrete(-1, 1/2)", "normal(0, 1)"), "u_t - u_xx"),
        (("tanh", "discrete(1, 2)", "uniform(-1, 1)"), "u_x + u_y"),
        (("tanh", "constant(3/2)", "uniform(-1, 1)"), "u_xx + u_yy"),
        (("sin", "student(5, 1)", "normal(0, 1)"), "u_t - u_xx"),
        pytest.param(("gaussian", "normal(0, 1)", "cauchy(0, 1)"), "biharmonic", marks=pytest.mark.slow),
        (("gaussian", "normal(0, 1)", "cauchy(0, 1)"), "u_x - u_y"),
        (("erf", "normal(0, 1)", "normal(0, 1)"), "u_xx + u_yy"),
    ],
)
def test_two_dimensions_are_verified(names: tuple[str, str, str], operator: str) -> None:
    assert derive_kernel(*names, operator).verified_digits >= 25


def test_slowly_decaying_moments_are_verified() -> None:
    """E w² e^{rw} under a Laplace law near the end of its moment generating function."""
    stencil = StencilChoice("forward", 1)
    kernel = derive_kernel("sinh(z)", "laplace(0, 1)", "uniform(-1, 1)", "u_xx", stencil, "1/10")
    assert kernel.verified_digits >= 25


@pytest.mark.parametrize(
    "names",
    [("sin", "laplace(0, 1/2)", "uniform(-1, 1)"), ("erf", "normal(0, 1)", "normal(0, 1)"),
     ("tanh", "discrete(1, 2)", "uniform(-1, 1)")],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("digits", [8, 20])
def test_a_wrong_closed_form_is_not_passed_off(
    names: tuple[str, str, str], digits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = KernelDerivation.value

    def value(self: KernelDerivation, *args: Any) -> Any:
        with mp.workdps(40):
            return (1 + mp.mpf(10) ** -digits) * honest(self, *args)

    monkeypatch.setattr(KernelDerivation, "value", value)
    with pytest.raises(ArithmeticError, match=f"after ({digits - 1}|{digits}) digits: a defect of this program"):
        derive_kernel(*names, "u_xx", step="1/10")


@pytest.mark.slow
@pytest.mark.parametrize("names", PAIRS + EXPENSIVE, ids=" ".join)
@pytest.mark.parametrize("operator", ["u_xx", "u_x + x*u", "u_xxxx"])
def test_operators_are_verified_to_25_digits(names: tuple[str, str, str], operator: str) -> None:
    kernel = derive_kernel(*names, operator, step="1/10")
    assert kernel.verified_digits >= 25
    checked = {kind for kind, _, _ in (kernel.record.verification.checks if kernel.record.verification else ())}
    try:
        kernel.require_existence()
        assert "K_AD" in checked
    except NonexistenceError:
        assert "K_AD" not in checked
    assert kernel.seconds < 10
    assert kernel.record.verification is not None
    assert kernel.seconds + kernel.record.verification.seconds < 60  # a loaded machine; about 7 at most on an idle one


def _smooth(names: tuple[str, str, str]) -> bool:
    return not names[0].startswith(("relu", "step"))


points = st.fractions(min_value=-2, max_value=2, max_denominator=12)


@settings(max_examples=3)
@pytest.mark.parametrize("names", PAIRS + EXPENSIVE, ids=" ".join)
@given(x=points, y=points)
def test_the_kernel_is_symmetric_and_obeys_cauchy_schwarz(
    names: tuple[str, str, str], x: Fraction, y: Fraction
) -> None:
    kernel = derived(names)
    try:
        xy, yx, xx, yy = (kernel.value("K", p, q, 25) for p, q in ((x, y), (y, x), (x, x), (y, y)))
    except NonexistenceError:
        assert names[0] == "sinh(z)"
        assert abs(x) + abs(y) >= 1
        return
    assert xy is not None
    assert yx is not None
    assert xx is not None
    assert yy is not None
    assert abs(xy - yx) <= 1e-23 * max(abs(xy), 1)
    assert xx >= 0
    assert xy * xy <= xx * yy * (1 + mp.mpf(10) ** -20) + mp.mpf(10) ** -40


@pytest.mark.parametrize("names", PAIRS + EXPENSIVE, ids=" ".join)
@pytest.mark.parametrize("orders", [(1, 0), (1, 1), (2, 2), (3, 1)])
def test_derivatives_agree_with_differences_of_the_kernel(names: tuple[str, str, str], orders: tuple[int, int]) -> None:
    """The symbolic route to derivatives (rings, moments, recurrences) against differences at 200 digits."""
    kernel = derived(names)
    x, y = F(1, 3), F(-1, 4) if _smooth(names) else F(1, 5)
    try:
        kernel._require((orders[0],), (orders[1],))
        expr = kernel.derivative((orders[0],), (orders[1],))
    except NonexistenceError:
        assert "cauchy" in names[1] or "student" in names[1]
        return
    if not _smooth(names) and max(orders) > int(names[0][4:] or 1) - (names[0] == "step"):
        assert expr == 0
        return
    with mp.workdps(200):
        K = kernel.raw_K
        h = F(1, 10**25)
        total = mp.mpf(0)
        stencils = {0: {0: F(1)}, 1: {1: F(1, 2), -1: F(-1, 2)}, 2: {1: F(1), 0: F(-2), -1: F(1)},
                    3: {2: F(1, 2), 1: F(-1), -1: F(1), -2: F(-1, 2)}}  # fmt: skip
        for s, c in stencils[orders[0]].items():
            for t, e in stencils[orders[1]].items():
                point = dict(zip(kernel.symbols, (x + s * h, y + t * h), strict=True))
                total += (c * e).numerator * evaluate(K, point) / (c * e).denominator
        total *= mp.mpf(10) ** (25 * sum(orders))
        value = evaluate(expr, dict(zip(kernel.symbols, (x, y), strict=True)))
        assert abs(value - total) <= mp.mpf(10) ** -40 * max(abs(value), 1)


@pytest.mark.parametrize("names", PAIRS, ids=" ".join)
def test_gram_matrices_are_positive_semidefinite(names: tuple[str, str, str]) -> None:
    kernel = derived(names)
    nodes = [F(i, 7) for i in range(-3, 4)]
    half = {(p, q): float(kernel.value("K", p, q, 17) or 0) for p in nodes for q in nodes if q <= p}
    gram = np.array([[half[max(p, q), min(p, q)] for q in nodes] for p in nodes])
    eigenvalues = np.linalg.eigvalsh(gram)
    assert eigenvalues[0] >= -1e-13 * eigenvalues[-1]
    assert eigenvalues[-1] > 0


def _published_gelu(alpha: mpmath.mpf, beta: mpmath.mpf, gamma: mpmath.mpf) -> mpmath.mpf:
    """Tsuchida, Pearce, van der Heide, Roosta & Gallagher (2021), as implemented in neural-tangents."""
    product = (1 + alpha) * (1 + beta)
    delta2 = product - gamma**2
    inner = (gamma**2 + alpha * beta * delta2) / (product * mp.sqrt(delta2)) + gamma * mp.asin(gamma / mp.sqrt(product))
    return gamma / 4 + inner / (2 * mp.pi)


def _published_relu(alpha: mpmath.mpf, beta: mpmath.mpf, gamma: mpmath.mpf) -> mpmath.mpf:
    """Cho & Saul (2009), equation (6), halved for E relu relu."""
    theta = mp.acos(gamma / mp.sqrt(alpha * beta))
    return mp.sqrt(alpha * beta) / (2 * mp.pi) * (mp.sin(theta) + (mp.pi - theta) * mp.cos(theta))


def _published_relu2(alpha: mpmath.mpf, beta: mpmath.mpf, gamma: mpmath.mpf) -> mpmath.mpf:
    """Cho & Saul (2009), equation (7)."""
    theta = mp.acos(gamma / mp.sqrt(alpha * beta))
    j = 3 * mp.sin(theta) * mp.cos(theta) + (mp.pi - theta) * (1 + 2 * mp.cos(theta) ** 2)
    return alpha * beta / (2 * mp.pi) * j


def _published_erf(alpha: mpmath.mpf, beta: mpmath.mpf, gamma: mpmath.mpf) -> mpmath.mpf:
    """Williams (1997), equation (11)."""
    return 2 / mp.pi * mp.asin(2 * gamma / mp.sqrt((1 + 2 * alpha) * (1 + 2 * beta)))


@given(
    x=points, y=points, s=st.fractions(min_value=F(1, 5), max_value=3, max_denominator=9),
    b=st.fractions(min_value=F(1, 5), max_value=3, max_denominator=9),
    name=st.sampled_from(["erf", "relu", "relu2", "gelu"]),
)  # fmt: skip
@settings(max_examples=20)
def test_gaussian_kernels_agree_with_published_formulas(
    x: Fraction, y: Fraction, s: Fraction, b: Fraction, name: str
) -> None:
    kernel = derive_kernel(name, f"normal(0, {s})", f"normal(0, {b})", verify=False)
    formula = {"erf": _published_erf, "relu": _published_relu, "relu2": _published_relu2, "gelu": _published_gelu}[name]
    value = kernel.value("K", x, y, 30)
    with mp.workdps(60):
        alpha, beta, gamma = (
            mp.mpf(v.numerator) / v.denominator for v in (s**2 * x * x + b**2, s**2 * y * y + b**2, s**2 * x * y + b**2)
        )
        if x == y and name.startswith("relu"):
            gamma *= 1 - mp.mpf(10) ** -58  # acos at 1
        assert value is not None
        assert abs(value - formula(alpha, beta, gamma)) <= 1e-24 * max(1, abs(value))


SAMPLED = [
    ("erf", "normal(0, 1)", "normal(0, 1/2)"), ("gaussian", "cauchy(0, 1)", "normal(0, 1)"),
    ("tanh", "discrete(1, -1/2, 3)", "uniform(-4, 4)"), ("relu", "laplace(0, 1)", "uniform(-1, 1)"),
    ("sin", "student(3, 1)", "laplace(0, 1)"), ("silu", "normal(0, 1)", "normal(0, 1)"),
]  # fmt: skip


@pytest.mark.parametrize("names", SAMPLED, ids=" ".join)
def test_monte_carlo_agrees_within_five_standard_errors(names: tuple[str, str, str]) -> None:
    """100 000 samples with a fixed seed: five standard errors bound the difference."""
    kernel = derived(names)
    rng = np.random.default_rng(20_240_501)
    n = 100_000
    draw = {
        "normal": lambda m, s: rng.normal(m, s, n), "cauchy": lambda m, s: m + s * rng.standard_cauchy(n),
        "uniform": lambda a, b: rng.uniform(a, b, n), "laplace": lambda m, s: rng.laplace(m, s, n),
        "student": lambda v, s: s * rng.standard_t(v, n), "discrete": lambda *v: rng.choice(v, n),
    }  # fmt: skip
    w, b = (draw[law.name](*(float(p) for p in law.parameters)) for law in (kernel.weights, kernel.biases))
    sigma = {
        "erf": special.erf, "gaussian": lambda z: np.exp(-z * z / 2), "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0), "sin": np.sin, "silu": lambda z: z / (1 + np.exp(-z)),
    }[names[0]]  # fmt: skip
    samples = sigma(0.5 * w + b) * sigma(-0.75 * w + b)
    error = samples.std() / np.sqrt(n)
    assert error < 4e-3
    assert abs(samples.mean() - float(kernel.value("K", F(1, 2), F(-3, 4), 15) or 0)) < 5 * error


def test_the_witness_of_a_cauchy_law_with_a_decaying_feature() -> None:
    kernel = derive_kernel("gaussian", "cauchy(0, 1)", "normal(0, 1)", "u_xx", verify=False)
    values = kernel.evaluate(1, 1, 20)
    assert values["K_AD"] is not None
    assert values["K_AD"].startswith("0.72377411699281")  # by nested quadrature
    assert values["K_FD"] is None


def _relu_second(kernel: KernelDerivation) -> dict[str, str | None]:
    return kernel.evaluate("1/2", "1/2", 15)


@pytest.mark.parametrize("biases", ["normal(0, 1)", "uniform(-2, 2)", "constant(0)"])
def test_relu_has_no_second_derivative_for_autodiff_but_a_difference(biases: str) -> None:
    kernel = derive_kernel("relu", "normal(0, 1)", biases, "u_xx", step="1/10", verify=False)
    values = _relu_second(kernel)
    assert values["K_AD"] == "0.0"
    fd = float(values["K_FD"] or 0)
    if biases == "constant(0)":
        assert fd == 0  # the kink sits at x = 0, out of reach of the stencil at 1/2
    else:
        # E[w⁴ (hat/h)²] with hats of width h: (2/3) E|w|³ f_b(−wx)/h, to leading order
        assert fd > 1
        finer = derive_kernel("relu", "normal(0, 1)", biases, "u_xx", step="1/1000", verify=False)
        assert float(_relu_second(finer)["K_FD"] or 0) / fd == pytest.approx(100, rel=0.05)
