"""Variances of sampled kernels by routes that share nothing: moments, certified integrals, quadrature, enumeration, draws."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import sympy as sp
from mpmath import mp

from numerics.matrices.assemble import float_matrix
from numerics.problem.problem import METHODS, Method, Problem
from numerics.spectra.fourth_moments import entry_variances
from theory.base.errors import InputError, NonexistenceError
from theory.features.laws import law

STEP = Fraction(1, 4)
FUNCTIONS = {"sin": mpmath.sin, "cos": mpmath.cos, "exp": mpmath.exp, "gaussian": lambda u: mpmath.exp(-u * u / 2)}


def posed(activation: str, weights: str, biases: str, operator: str = "u_xx", points: int = 2) -> Problem:
    return Problem(
        operator_text=operator, activation_name=activation, weights=law(weights), biases=law(biases), count=1,
        interior=(points,), boundary=(), step=(STEP,),
    )  # fmt: skip


def variances(problem: Problem, method: Method, route: Any = "closed", bits: int = 100) -> list[flint.arb]:
    return list(entry_variances(problem, method, route)(bits).entries())


def feature(activation: str, operator: str, method: str, x: Any, w: Any, b: Any) -> Any:
    """Lφ(x) or L_hφ(x) for u and u_xx, written out."""
    f = FUNCTIONS[activation]
    if operator == "u":
        return f(w * x + b)
    if operator == "u_x + u":  # of the bump
        return f(w * x + b) * (1 - w * (w * x + b))
    if method == "fd":
        h = mp.mpf(1) / 4
        return (f(w * (x + h) + b) - 2 * f(w * x + b) + f(w * (x - h) + b)) / h**2
    z = w * x + b
    second = {"sin": lambda: -f(z), "cos": lambda: -f(z), "exp": lambda: f(z), "gaussian": lambda: (z * z - 1) * f(z)}
    return w * w * second[activation]()


CASES = [(a, o, m) for a in ("sin", "cos", "exp", "gaussian") for o, m in (("u", "ad"), ("u_xx", "ad"), ("u_xx", "fd"))]


@pytest.mark.parametrize(("activation", "operator", "method"), [*CASES, ("gaussian", "u_x + u", "ad")])
def test_normal_laws_against_the_trapezoidal_rule(activation: str, operator: str, method: Method) -> None:
    """w ~ N(1/3, 1/2), b ~ N(1/4, 1): a rule of exponential accuracy in both variables, on the definition."""
    problem = posed(activation, "normal(1/3, 1/2)", "normal(1/4, 1)", operator)
    found = variances(problem, method)
    with mp.workdps(25):
        step = mp.mpf(1) / 3
        nodes = [k * step for k in range(-28, 29)] if activation != "exp" else [k * step for k in range(-36, 48)]
        mass = [step * mp.exp(-u * u / 2) / mp.sqrt(2 * mp.pi) for u in nodes]
        points = [mp.mpf(-1) / 3, mp.mpf(1) / 3]
        pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
        first, second = [mp.mpf(0)] * 4, [mp.mpf(0)] * 4
        for (u, p), (v, q) in product(zip(nodes, mass, strict=True), repeat=2):
            if p * q < 1e-22 and activation != "exp":
                continue
            a = [feature(activation, operator, method, x, u / 2 + mp.mpf(1) / 3, v + mp.mpf(1) / 4) for x in points]
            for n, (i, k) in enumerate(pairs):
                first[n] += p * q * a[i] * a[k]
                second[n] += p * q * (a[i] * a[k]) ** 2
        for one, m, s in zip(found, first, second, strict=True):
            exact = s - m * m
            assert abs(mp.mpf(one.mid().str(30, radius=False)) - exact) <= mp.mpf(10) ** -9 * abs(exact)
            assert float(one.rel_accuracy_bits()) > 90


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("activation", "weights", "biases"),
    [("cos", "discrete(1, -2)", "uniform(-1, 2)"), ("exp", "uniform(-1, 1)", "discrete(0, 1/2)"),
     ("sin", "laplace(1/3, 1/5)", "constant(1)")],
)  # fmt: skip
def test_closed_forms_meet_certified_integrals(activation: str, weights: str, biases: str, method: Method) -> None:
    problem = posed(activation, weights, biases)
    for one, other in zip(variances(problem, method), variances(problem, method, "integral", 60), strict=True):
        assert one.overlaps(other)
        assert other.rel_accuracy_bits() > 30


@pytest.mark.parametrize("method", METHODS)
def test_tanh_by_the_integrator_against_draws_of_a_discrete_law(method: Method) -> None:
    """Without a closed form: three weights, two biases, enumerated with SymPy's own tanh."""
    problem = posed("tanh", "discrete(1, 2, -1/2)", "discrete(0, 1)")
    found = variances(problem, method, "integral", 80)
    x = sp.Symbol("x")
    rows = []
    for w, b in product((1, 2, sp.Rational(-1, 2)), (0, 1)):
        u, h = sp.tanh(w * x + b), sp.Rational(1, 4)
        value = u.diff(x, 2) if method == "ad" else (u.subs(x, x + h) - 2 * u + u.subs(x, x - h)) / h**2
        rows.append([value.subs(x, sp.Rational(s, 3)).evalf(40) for s in (-1, 1)])
    for n, (i, k) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        terms = [row[i] * row[k] for row in rows]
        exact = sum(t * t for t in terms) / 6 - (sum(terms) / 6) ** 2
        assert abs(sp.Float(found[n].mid().str(30, radius=False), 30) - exact) < 1e-18
    with pytest.raises(InputError, match="no closed form"):
        entry_variances(problem, method)


def test_draws() -> None:
    """The mean of M‖G − K‖²_F over 4000 draws of M = 4 features is within 5 standard errors of V: wrong with probability 1e-6."""
    for method in METHODS:
        problem = posed("sin", "uniform(-2, 3)", "uniform(-1, 2)")
        exact = float(sum(variances(problem, method), flint.arb(0)))
        a = float_matrix(problem.with_(count=16000, seed=7), method, "float64")
        products = np.einsum("im,km->mik", a, a)
        limit = _limit(problem, method)
        blocks = products.reshape(4000, 4, 2, 2).mean(axis=1) - limit
        squares = 4 * np.sum(blocks**2, axis=(1, 2))
        error = squares.std(ddof=1) / np.sqrt(len(squares))
        assert abs(squares.mean() - exact) <= 5 * error
        assert error < exact / 10


def _limit(problem: Problem, method: Method) -> Any:
    from numerics.spectra.kernels import limit_entries

    found = limit_entries(problem, method)(80)
    return np.array([[float(found[i, k]) for k in range(2)] for i in range(2)])


def test_what_has_no_variance() -> None:
    with pytest.raises(NonexistenceError):
        variances(posed("sin", "student(5, 1)", "constant(1)"), "ad")  # E w^8 is infinite, K_AD is not
    with pytest.raises(InputError, match="laws"):
        entry_variances(posed("sin", "normal(0, 1)", "constant(0)").with_(weights=((Fraction(1),),)), "ad")
    with pytest.raises(InputError, match="not rational"):
        variances(posed("sin", "normal(0, 1)", "constant(0)", "sin(x)*u_xx"), "ad")
    with pytest.raises(InputError, match="integrator"):
        variances(posed("tanh", "normal(0, 1)", "constant(0)"), "ad", "integral")
    with pytest.raises(InputError, match="one dimension"):
        entry_variances(Problem(operator_text="u_xx + u_yy", domain=((Fraction(0), Fraction(1)),) * 2, activation_name="sin",
                                weights=law("normal(0, 1)"), biases=law("constant(0)"), count=1, interior=(2, 2)), "ad")  # fmt: skip
