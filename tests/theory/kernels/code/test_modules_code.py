"""Generated code: float64 values against multiprecision ones and published formulas, derivatives against autograd."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from mpmath import mp

from theory.base.errors import InputError, NonexistenceError
from theory.kernels.code.modules import generate
from theory.kernels.derive import derive_kernel
from theory.kernels.kernel import KernelDerivation, Kind

F = Fraction
POINTS = [F(-3, 2), F(-1, 3), F(1, 2), F(5, 4)]
CASES = [
    ("sin", "normal(1/3, 1)", "normal(0, 1/2)"),
    ("cos", "uniform(-4, 4)", "laplace(0, 1)"),
    ("sin", "student(5, 1/2)", "normal(0, 1)"),
    ("gaussian", "normal(0, 1)", "normal(0, 1/2)"),
    ("gaussian", "uniform(-2, 3)", "normal(0, 1)"),
    ("(1-z**2)*exp(-z**2/2)", "normal(0, 1)", "normal(0, 1)"),
    ("erf", "normal(0, 1)", "normal(0, 1/2)"),
    ("gelu", "normal(0, 1)", "normal(0, 1)"),
    ("relu3", "normal(0, 1)", "normal(0, 1)"),
    ("relu2", "discrete(1, -1/2)", "uniform(-1, 2)"),
    ("tanh", "discrete(1, -1/2, 3)", "uniform(-4, 4)"),
    ("z**3 - z", "laplace(0, 1)", "uniform(-1, 2)"),
]


def loaded(source: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(compile(source, "generated", "exec"), names)  # noqa: S102 - our own source
    function: Callable[..., Any] = names["kernel"]
    return function


@cache
def derived(activation: str, weights: str, biases: str) -> KernelDerivation:
    return derive_kernel(activation, weights, biases, "u_xx", step="1/8", verify=False)


@cache
def exact(names: tuple[str, str, str], kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    """The values, and their natural sizes by the Cauchy–Schwarz inequality."""
    kernel = derived(*names)
    values = np.array([[float(kernel.value(kind, p, q, 17) or 0) for q in POINTS] for p in POINTS])
    diagonal = np.abs(np.diag(values))
    return values, np.sqrt(np.outer(diagonal, diagonal))


@pytest.mark.parametrize("target", ["numpy", "torch"])
@pytest.mark.parametrize("names", CASES, ids=" ".join)
def test_array_code_agrees_with_multiprecision(names: tuple[str, str, str], target: Any) -> None:
    kernel = derived(*names)
    x = np.array([float(p) for p in POINTS])
    kinds: tuple[tuple[Kind, float], ...] = (("K", 2e-13), ("K_AD", 1e-12), ("K_FD", 100 * 2**-53 * 8**4))
    for kind, tolerance in kinds:
        values, sizes = exact(names, kind)
        try:
            function = loaded(generate(kernel, target, kind))
        except InputError as error:
            assert "Bessel" in str(error)
            assert target == "torch"
            return
        found = np.asarray(function(x, x)) if target == "numpy" else function(torch.from_numpy(x), torch.from_numpy(x))
        scale = np.maximum(sizes, exact(names, "K")[1] if kind == "K_FD" else 0) + 1e-300
        assert np.max(np.abs(np.asarray(found) - values) / scale) <= tolerance, kind


def _published(name: str, alpha: Any, beta: Any, gamma: Any) -> Any:
    """Williams (1997), equation (11); Cho & Saul (2009), equations (6) and (7), halved."""
    if name == "erf":
        return 2 / mp.pi * mp.asin(2 * gamma / mp.sqrt((1 + 2 * alpha) * (1 + 2 * beta)))
    theta = mp.acos(gamma / mp.sqrt(alpha * beta))
    if name == "relu":
        return mp.sqrt(alpha * beta) / (2 * mp.pi) * (mp.sin(theta) + (mp.pi - theta) * mp.cos(theta))
    j = 3 * mp.sin(theta) * mp.cos(theta) + (mp.pi - theta) * (1 + 2 * mp.cos(theta) ** 2)
    return alpha * beta / (2 * mp.pi) * j


@pytest.mark.parametrize(("name", "operator"), [("erf", "u_xx"), ("relu", "u_x"), ("relu2", "u_xx"), ("erf", "u")])
def test_float64_code_agrees_with_published_gaussian_kernels_to_12_digits(name: str, operator: str) -> None:
    """K and K_AD; the published formula is differentiated numerically at 60 digits."""
    kernel = derive_kernel(name, "normal(0, 3/2)", "normal(0, 1/2)", operator, verify=False)
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-2, 2, 6), rng.uniform(-2, 2, 5)
    order = {"u": 0, "u_x": 1, "u_xx": 2}[operator]
    found = {kind: loaded(generate(kernel, "numpy", kind))(x, y) for kind in ("K", "K_AD")}  # type: ignore[arg-type]
    with mp.workdps(60):

        def formula(p: Any, q: Any) -> Any:
            return _published(name, p * p * 9 / 4 + mp.mpf(1) / 4, q * q * 9 / 4 + mp.mpf(1) / 4,
                              p * q * 9 / 4 + mp.mpf(1) / 4)  # fmt: skip

        for i, p in enumerate(x):
            for j, q in enumerate(y):
                value = formula(mp.mpf(p), mp.mpf(q))
                assert abs(found["K"][i, j] - value) <= 1e-12 * max(1, abs(value))
                if order:
                    value = mp.diff(formula, (mp.mpf(p), mp.mpf(q)), (order, order))
                assert abs(found["K_AD"][i, j] - value) <= 1e-12 * max(1, abs(value))


@pytest.mark.parametrize("names", [CASES[0], CASES[3], CASES[6], CASES[7]], ids=" ".join)
def test_autograd_of_the_kernel_code_is_the_code_of_the_exact_kernel(names: tuple[str, str, str]) -> None:
    kernel = derive_kernel(*names, "u_x", verify=False)
    x = torch.tensor([float(p) for p in POINTS], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.3, -1.1, 0.8], dtype=torch.float64, requires_grad=True)
    K = loaded(generate(kernel, "torch", "K"))(x, y)
    mixed = torch.zeros(len(x), len(y), dtype=torch.float64)
    for i in range(len(x)):
        for j in range(len(y)):
            (gradient,) = torch.autograd.grad(K[i, j], x, create_graph=True)
            mixed[i, j] = torch.autograd.grad(gradient[i], y, retain_graph=True)[0][j]
    expected = loaded(generate(kernel, "torch", "K_AD"))(x.detach(), y.detach())
    torch.testing.assert_close(mixed, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("names", CASES, ids=" ".join)
def test_far_points_give_finite_values(names: tuple[str, str, str]) -> None:
    """No cosh − sinh, no overflow of an intermediate where the value itself is moderate."""
    kernel = derived(*names)
    x = np.array([-300.0, -40.0, 0.0, 40.0, 300.0])
    values = loaded(generate(kernel, "numpy", "K"))(x, x)
    assert np.all(np.isfinite(values))
    reference = float(kernel.value("K", -40, 300, 17) or 0)
    size = np.sqrt(values[1, 1] * values[4, 4])
    assert abs(values[1, 4] - reference) <= 1e-10 * max(size, abs(reference))


def test_threads_do_not_change_a_value() -> None:
    function = loaded(generate(derived(*CASES[6]), "numpy"))
    x = np.linspace(-3, 3, 700)
    np.testing.assert_array_equal(function(x, x, threads=1), function(x, x, threads=3))


@pytest.mark.parametrize("names", [CASES[0], CASES[6], CASES[10]], ids=" ".join)
def test_mpmath_code_works_in_the_precision_of_the_moment(names: tuple[str, str, str]) -> None:
    kernel = derived(*names)
    for kind in ("K", "K_AD", "K_FD"):
        function = loaded(generate(kernel, "mpmath", kind))
        with mp.workdps(60):
            value = function(mp.mpf(1) / 3, mp.mpf(-5) / 7)
            expected = kernel.value(kind, F(1, 3), F(-5, 7), 40)
            assert expected is not None
            assert abs(value - expected) <= mp.mpf(10) ** -38 * max(1, abs(expected))


def test_a_numerical_kernel_has_array_code() -> None:
    kernel = derive_kernel("tanh", "normal(0, 1)", "normal(0, 1)", "u_xx", step="1/8", verify=False)
    assert not kernel.closed
    x = np.array([-1.0, 1.5])
    for target in ("numpy", "torch"):
        found = loaded(generate(kernel, target, "K_AD"))(x if target == "numpy" else torch.from_numpy(x),
                                                    x if target == "numpy" else torch.from_numpy(x))  # type: ignore[arg-type]  # fmt: skip
        assert float(found[0, 1]) == pytest.approx(float(kernel.value("K_AD", -1, "3/2", 12) or 0), rel=1e-10)
    with pytest.raises(InputError, match="no mpmath form"):
        generate(kernel, "mpmath")


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [("fortran", "K", "allowed: numpy, torch, mpmath"), ("numpy", "K_XX", "allowed: K, K_AD, K_FD"),
     ("numpy", "K_AD", "operator: none"), ("numpy", "K_FD", "operator: none")],
)  # fmt: skip
def test_what_was_not_asked_for_has_no_code(target: Any, kind: Any, message: str) -> None:
    kernel = derive_kernel("sin", "normal(0, 1)", "normal(0, 1)", verify=False)
    with pytest.raises(InputError, match=message):
        generate(kernel, target, kind)
    exact_only = derive_kernel("sin", "normal(0, 1)", "normal(0, 1)", "u_xx", verify=False)
    with pytest.raises(InputError, match="step: none"):
        generate(exact_only, "numpy", "K_FD")


def test_code_of_a_kernel_that_does_not_exist_is_refused() -> None:
    kernel = derive_kernel("sin", "cauchy(0, 1)", "normal(0, 1)", "u_xx", verify=False)
    with pytest.raises(NonexistenceError):
        generate(kernel, "numpy", "K_AD")
