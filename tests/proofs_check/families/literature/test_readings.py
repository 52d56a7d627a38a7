"""The literature's claims against other routes: SymPy, numpy, gradient descent run step by step."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from numerics.matrices.assemble import float_matrix, float_rhs
from proofs_check.families.differences.steps import Draw
from proofs_check.families.literature.conditioning import FEATURES, Layer, condition
from proofs_check.families.literature.decay import COUNT, Case, H
from proofs_check.families.literature.derivatives import _taylor, closed, independent
from proofs_check.families.literature.ranks import ITERATIONS, Scaled, rank_and_residual
from proofs_check.families.literature.rules import Rule, errors, exponent


def test_derivatives_of_tanh_by_two_routes() -> None:
    x = sp.Symbol("x")
    for n in (1, 4, 7):
        value = sp.diff(sp.tanh(x), x, n).subs(x, sp.Rational(1, 3)).evalf(30)
        assert abs(float(_taylor(n, Fraction(1, 3))) - float(value)) <= 1e-9 * abs(float(value))


def test_dependent_functions_are_not_shown_independent() -> None:
    assert not independent("sin", 3)
    assert not independent("exp", 2)
    assert independent("sin", 2)
    assert closed("cos")
    assert not closed("tanh")


def test_decay_by_numpy() -> None:
    n = np.arange(1, 401)
    p = (19 / 20.0) ** n
    for applied, factor in (
        ("nothing", 1 + 0 * n),
        ("ad", n**4.0),
        ("fd", (2 * np.sin(n * float(H) / 2) / float(H)) ** 4),
    ):
        found = [float(v) for v in Case("circle, p_n = q^n, q = 19/20", applied).eigenvalues(applied)]
        expected = np.sort(p / p.sum() * factor / 4)[::-1][:COUNT]
        assert np.allclose(np.array(found) / found[0], expected / expected[0], rtol=1e-9)


@pytest.mark.parametrize("activation", ["tanh", "relu3"])
def test_condition_numbers_hold_that_of_lapack(activation: str) -> None:
    layer = Layer(4, 1)
    found = condition(layer, activation, "u_xx")
    assert found is not None
    direct = np.linalg.cond(float_matrix(layer.problem(activation, "u_xx"), "ad", "float64"))
    assert math.isclose(float(found), direct, rel_tol=1e-8)
    assert found.width / found.lower < Fraction(1, 10**9)
    kinks = {
        -b / w[0] for w, b in zip(layer.problem("tanh", "u").weights, layer.problem("tanh", "u").biases, strict=True)
    }
    assert len(kinks) == FEATURES
    assert all(abs(k) < 1 for k in kinks)


def test_the_law_of_gradient_descent_is_what_its_steps_give() -> None:
    draw = Scaled("tanh", 2, "AD")
    A, f = float_matrix(draw.at(4), "ad", "float64"), float_rhs(draw.at(4), "float64")
    s = np.linalg.svd(A, compute_uv=False)
    a = np.zeros(A.shape[1])
    for _ in range(ITERATIONS):
        a += A.T @ (f - A @ a) / s[0] ** 2
    rank, left = rank_and_residual(draw, 4)
    assert math.isclose(left, float(np.linalg.norm(A @ a - f) / np.linalg.norm(f)), rel_tol=1e-8)
    p = s**2 / (s**2).sum()
    assert math.isclose(rank, math.exp(-(p * np.log(p)).sum()), rel_tol=1e-6)


@pytest.mark.parametrize(("m", "p"), [(1, 2), (2, 4), (4, 2)])
def test_the_exponent_is_one_over_p_plus_m(m: int, p: int) -> None:
    assert exponent(Rule(m, p)) == Fraction(1, p + m)


def test_errors_of_a_difference_by_hand() -> None:
    draw = Draw("sin", 3)
    x, w, b = draw.values()
    h = 1e-3
    exact = -w * w * np.sin(w * x + b)
    found = (np.sin(w * (x + h) + b) - 2 * np.sin(w * x + b) + np.sin(w * (x - h) + b)) / h**2
    expected = math.sqrt(((found - exact) ** 2).mean() / (exact**2).mean())
    assert math.isclose(errors(draw, 2, "float64", (h,))[0], expected, rel_tol=1e-3)
