"""Kernels in symbolic dimension against product quadrature of the features themselves, in one and in two dimensions."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, pi, sqrt

import numpy as np
import pytest

from theory.errors import InputError
from theory.kernels.invariants import invariant_kernel

Function = Callable[[np.ndarray], np.ndarray]

ERF = np.vectorize(erf)
BELL = lambda z: np.exp(-z * z / 2)  # noqa: E731
FEATURES: dict[str, tuple[Function, Function]] = {
    "sin": (np.sin, lambda z: -np.sin(z)),
    "gaussian": (BELL, lambda z: (z * z - 1) * BELL(z)),
    "erf": (ERF, lambda z: -4 / sqrt(pi) * z * np.exp(-z * z)),
    "z + erf(z)": (lambda z: z + ERF(z), lambda z: -4 / sqrt(pi) * z * np.exp(-z * z)),
    "z*erf(z)": (lambda z: z * ERF(z), lambda z: 4 / sqrt(pi) * (1 - z * z) * np.exp(-z * z)),
    "gelu": (lambda z: z * (1 + ERF(z / sqrt(2))) / 2, lambda z: (2 - z * z) * BELL(z) / sqrt(2 * pi)),
}
"""The activation and its second derivative."""


def by_quadrature(name: str, x: list[float], y: list[float], spread: float, bias: float) -> tuple[float, float]:
    """``E σσ`` and ``E |w|⁴ σ''σ''``, since ``Δσ(w·x + b) = |w|² σ''``, by Gauss and Hermite in every weight and the bias."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(70)
    weights = weights / weights.sum()
    axes = [spread * nodes] * len(x) + ([bias * nodes] if bias else [])
    grids = np.meshgrid(*axes, indexing="ij")
    mass = np.prod(np.meshgrid(*[weights] * len(axes), indexing="ij"), axis=0)
    w, b = grids[: len(x)], grids[-1] if bias else 0.0
    u, v = (sum(g * c for g, c in zip(w, point, strict=True)) + b for point in (x, y))
    value, second = FEATURES[name]
    size = sum(g * g for g in w)
    return float((mass * value(u) * value(v)).sum()), float((mass * size**2 * second(u) * second(v)).sum())


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize(("x", "y", "bias"), [(["1/3"], ["-1/2"], "1/2"), (["1/3", "-1/4"], ["1/2", "1/5"], "0")])
def test_values_and_laplacians_are_those_of_the_features(name: str, x: list[str], y: list[str], bias: str) -> None:
    law = f"normal(0, {bias})" if bias != "0" else "constant(0)"
    found = invariant_kernel(name, "normal(0, 3/4)", law).evaluate(x, y)
    numbers = [[float(n) / float(d) for n, d in (c.split("/") for c in point)] for point in (x, y)]
    expected = by_quadrature(name, *numbers, 0.75, 0.5 if bias != "0" else 0.0)
    assert [float(found["K"]), float(found["K_AD"])] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_features_second_derivatives_are_right() -> None:
    """Of the oracle, by central differences."""
    z, h = np.linspace(-2, 2, 9), 1e-4
    for value, second in FEATURES.values():
        assert (value(z + h) - 2 * value(z) + value(z - h)) / h**2 == pytest.approx(second(z), abs=1e-6)


def test_powers_of_the_laplacian_add_up() -> None:
    """``p(Δ) = 2 − 3Δ`` on sin: every power of ``|w|²`` with its sign."""
    found = invariant_kernel("sin", "normal(0, 1)", "constant(0)", {0: 2, 1: -3}).evaluate(["1/3"], ["-1/2"])
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    u, v = np.sin(nodes / 3), np.sin(-nodes / 2)
    expected = float((weights / weights.sum() * (2 + 3 * nodes**2) ** 2 * u * v).sum())
    assert float(found["K_AD"]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("activation", "weights", "biases", "laplacians"),
    [
        ("sin", "uniform(-1, 1)", "constant(0)", None),
        ("sin", "normal(1, 1)", "constant(0)", None),
        ("sin", "normal(0, 1)", "uniform(-1, 1)", None),
        ("sin", "normal(0, 1)", "constant(0)", {9: 1}),
        ("relu", "normal(0, 1)", "constant(0)", {1: 1}),
        ("erf", "normal(0, 1)", "constant(1)", None),
    ],
)
def test_what_has_no_such_form_is_refused(activation: str, weights: str, biases: str, laplacians: object) -> None:
    with pytest.raises(InputError):
        invariant_kernel(activation, weights, biases, laplacians)  # type: ignore[arg-type]


def test_points_must_have_one_dimension() -> None:
    kernel = invariant_kernel("gaussian", "normal(0, 1)", "constant(0)")
    with pytest.raises(InputError):
        kernel.evaluate([1, 2], [1])
    with pytest.raises(InputError):
        kernel.evaluate([], [])
