"""A_AD and A_FD by second routes: SymPy's derivatives at exact points, rational sums, balls, derived error bounds."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.arithmetic.backends import BallBackend, MultiprecisionBackend
from numerics.arithmetic.balls import Enclosure, from_ball
from numerics.matrices.assemble import (
    assemble,
    cancellation_digits,
    float_matrix,
    float_rhs,
    multiprecision_entries,
    multiprecision_rhs,
    shape,
)
from numerics.problem.drawn import boundary_rows, features, interior_points
from numerics.problem.problem import Boundary, Method, Problem, Vector
from proofs_check.search.strategies import SMOOTH, operators, problems
from theory.base.errors import InputError
from theory.features.activations import Activation, activation, z
from theory.features.laws import law
from theory.operators.operator import StencilChoice, operator

UNIT = {"float32": 2.0**-24, "float64": 2.0**-53}
METHODS: tuple[Method, ...] = ("ad", "fd")


def rational(value: Fraction) -> sp.Expr:
    return sp.Rational(value.numerator, value.denominator)


def feature(problem: Problem, j: int) -> sp.Expr:
    """φ_j as an expression in the coordinates, with exact numbers."""
    drawn = features(problem)
    argument = sp.Add(
        *(rational(w) * s for w, s in zip(drawn.weights[j], problem.operator.symbols, strict=True)),
        rational(drawn.biases[j]),
    )
    return problem.activation.derivative(0).subs(z, argument)


def at(problem: Problem, point: Vector, shift: Vector | None = None) -> dict[sp.Symbol, sp.Expr]:
    moved = [x + s for x, s in zip(point, shift or (Fraction(0),) * len(point), strict=True)]
    return {s: rational(v) for s, v in zip(problem.operator.symbols, moved, strict=True)}


def number(expr: sp.Expr, digits: int = 40) -> mpmath.mpf:
    """The value of a constant expression, by SymPy's own evaluation."""
    with mpmath.workdps(digits):
        return mpmath.mpf(str(sp.N(expr, digits, maxn=2000)))


def by_sympy(problem: Problem, method: Method, i: int, j: int) -> mpmath.mpf:
    """An interior entry: L φ_j differentiated by SymPy, or the weighted sum of values of φ_j; no code in common."""
    phi, point = feature(problem, j), interior_points(problem)[i]
    if method == "ad":
        return number(problem.operator.apply(phi).subs(at(problem, point)))
    total = sp.Integer(0)
    for term in problem.difference.terms:
        part = sp.Add(
            *(rational(c) * phi.subs(at(problem, point, s)) for c, s in zip(term.weights, term.shifts, strict=True))
        )
        total += term.coefficient.subs(at(problem, point)) * part / rational(term.scale)
    return number(total)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=10)
@given(problem=problems(max_count=2, max_points=2))
def test_entries_by_an_independent_route(method: Method, problem: Problem) -> None:
    matrix = multiprecision_entries(problem, method)(30)
    assert (matrix.rows, matrix.cols) == shape(problem)
    with mpmath.workdps(60):
        for i in range(len(interior_points(problem))):
            for j in range(problem.count):
                exact = by_sympy(problem, method, i, j)
                assert abs(matrix[i, j] - exact) < mpmath.mpf(10) ** -28 * (1 + abs(exact))


@settings(max_examples=15)
@given(problem=problems(max_count=2, max_points=1))
def test_boundary_rows_by_an_independent_route(problem: Problem) -> None:
    for method in METHODS:
        matrix = multiprecision_entries(problem, method)(30)
        row = len(interior_points(problem))
        for part in boundary_rows(problem):
            for point in part.points:
                for j in range(problem.count):
                    value = part.operator.apply(feature(problem, j)).subs(at(problem, point))
                    exact = number(sp.sqrt(rational(part.rows.weight)) * value)
                    assert abs(matrix[row, j] - exact) < mpmath.mpf(10) ** -28 * (1 + abs(exact))
                row += 1
        assert row == matrix.rows


@given(problem=problems(max_count=3, max_points=3))
def test_boundary_rows_are_the_same_in_both(problem: Problem) -> None:
    n = len(interior_points(problem))
    for dtype in ("float32", "float64"):
        ad, fd = (float_matrix(problem, method, dtype) for method in METHODS)
        assert ad.dtype == fd.dtype == np.dtype(dtype)
        assert ad.shape == fd.shape == shape(problem)
        assert np.array_equal(ad[n:], fd[n:])


@pytest.mark.parametrize("method", METHODS)
@given(problem=problems(max_count=2, max_points=2))
def test_balls_contain_the_multiprecision_entries(method: Method, problem: Problem) -> None:
    """Two arithmetics on the same exact inputs; the balls are narrow as well."""
    with mpmath.workdps(60):
        exact = multiprecision_entries(problem, method)(60)

    def inputs(values: Any) -> Any:
        ball = BallBackend().constant
        rows = [[ball(v) for v in row] if isinstance(row, tuple) else ball(row) for row in values]
        return np.array(rows, dtype=object)

    with flint.ctx.workprec(256):
        balls = assemble(problem, method, BallBackend(), inputs)
    assert balls.shape == shape(problem)
    for i, j in np.ndindex(balls.shape):
        found = from_ball(balls[i, j])
        sign, mantissa, exponent, _ = exact[i, j]._mpf_
        value = Fraction(int(-mantissa if sign else mantissa)) * Fraction(2) ** int(exponent)
        slack = Fraction(1, 10**50) * (1 + abs(value))
        assert found.overlaps(Enclosure(value - slack, value + slack))
        # 256 bits less 4 log2(1000) = 40 for the quotient by h^4, and 16 for the arithmetic
        assert found.width < Fraction(1, 2**190) * (1 + abs(value))


@cache
def derivatives(sigma: Activation, order: int) -> Any:
    return sp.lambdify(z, [sigma.derivative(order), sigma.derivative(order + 1)], "mpmath")


def difference_bound(problem: Problem, i: int, j: int, unit: float) -> float:
    """First-order bound on the rounding error of an entry of A_FD, every rounded operation counted.

    z: each coordinate of the shifted point carries its own rounding, that of the shift and of the sum, the product
    those of w and of itself, the sum d more; σ is good to 4 units; a weight, its product, the n sums, the scale and
    the quotient are one unit each.
    """
    drawn, point = features(problem), interior_points(problem)[i]
    w, b, d = drawn.weights[j], drawn.biases[j], problem.dimension
    total = 0.0
    for term in problem.difference.terms:
        part, n = 0.0, len(term.weights)
        for c, s in zip(term.weights, term.shifts, strict=True):
            moved = [x + y for x, y in zip(point, s, strict=True)]
            argument = sum((u * v for u, v in zip(w, moved, strict=True)), b)
            value, slope = (abs(float(v)) for v in derivatives(problem.activation, 0)(mpmath.mpf(float(argument))))
            spread = float(abs(b) + (d + 1) * abs(argument))
            for u, x, y, v in zip(w, point, s, moved, strict=True):
                spread += float(abs(u) * (abs(x) + abs(y) + (d + 3) * abs(v)))
            part += float(abs(c)) * (slope * spread + (n + 8) * value)
        coefficient = abs(float(rational_value(term.coefficient)))
        total += coefficient * part / float(term.scale)
    return 1.5 * unit * (total + len(problem.difference.terms) * total)


def rational_value(expr: sp.Expr) -> Fraction:
    return Fraction(int(expr.p), int(expr.q))


tame = st.sampled_from(("sin", "tanh", "gaussian", "erf", "cos")).map(activation)
constant = st.integers(1, 2).flatmap(lambda d: operators(d, constant=True, max_order=3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(problem=problems(activation=tame, target=constant, boundary=False, max_count=2, max_points=2))
def test_floating_differences_keep_the_rounding_bound(dtype: str, problem: Problem) -> None:
    found = float_matrix(problem, "fd", dtype)
    exact = multiprecision_entries(problem, "fd")(25)
    for i, j in np.ndindex(found.shape):
        error = abs(float(mpmath.mpf(float(found[i, j])) - exact[i, j]))
        assert error <= difference_bound(problem, i, j, UNIT[dtype])


def test_the_rounding_bound_is_not_idle() -> None:
    """Some entry comes within a factor 100 of its bound: a bound 10⁴ times too wide would hide a defect."""
    problem = Problem(
        weights=law("uniform(-4, 4)"), biases=law("uniform(-2, 2)"), count=12, interior=(12,), boundary=()
    )
    for dtype in ("float32", "float64"):
        found, exact = float_matrix(problem, "fd", dtype), multiprecision_entries(problem, "fd")(25)
        ratios = [
            abs(float(mpmath.mpf(float(found[i, j])) - exact[i, j])) / difference_bound(problem, i, j, UNIT[dtype])
            for i, j in np.ndindex(found.shape)
        ]
        assert 0.01 < max(ratios) <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(problem=problems(activation=st.sampled_from(("sin", "cos")).map(activation), target=constant, boundary=False))
def test_floating_derivatives_keep_the_rounding_bound(dtype: str, problem: Problem) -> None:
    """σ^(m) is ±sin or ±cos: |δ| ≤ u Σ |c| |w|^m ((2d + 1)(|w·x| parts + |b|) + 4 + m + terms)."""
    found, exact = float_matrix(problem, "ad", dtype), multiprecision_entries(problem, "ad")(25)
    drawn, points = features(problem), interior_points(problem)
    for i, j in np.ndindex(found.shape):
        w, b, d = drawn.weights[j], drawn.biases[j], problem.dimension
        spread = sum(abs(u * v) for u, v in zip(w, points[i], strict=True)) * (d + 3) + (d + 1) * abs(b)
        total = Fraction(0)
        for alpha, c in problem.operator.terms:
            size = abs(rational_value(c)) * math.prod(
                (abs(u) ** a for u, a in zip(w, alpha, strict=True)), start=Fraction(1)
            )
            total += size * (spread + 6 + 2 * sum(alpha) + len(problem.operator.terms))
        error = abs(float(mpmath.mpf(float(found[i, j])) - exact[i, j]))
        assert error <= 1.5 * UNIT[dtype] * float(total)


@pytest.mark.parametrize("text", ["u_x", "u_xx", "u_xxx", "u_xxxx"])
@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_sine_factorisation(text: str, order: int, name: str) -> None:
    """A_FD = A_AD diag m(h w) with the stencil's Fourier symbol, to 40 digits (hypotheses of the factorisation)."""
    problem = Problem(
        operator_text=text,
        activation_name=name,
        weights=law("normal(0, 5)"),
        biases=law("normal(0, 1)"),
        count=5,
        interior=(4,),
        stencil=StencilChoice("central", order),
        step=(Fraction(1, 7),),
    )
    ad, fd = (multiprecision_entries(problem, method)(40) for method in METHODS)
    (term,) = problem.difference.terms
    with mpmath.workdps(60):
        for j, (w,) in enumerate(features(problem).weights):
            theta = mpmath.mpf(w.numerator) / w.denominator / 7
            m = sum(term.derivative or ())
            symbol = (
                mpmath.fsum(
                    mpmath.mpf(c.numerator) / c.denominator * mpmath.expj(7 * theta * s[0].numerator / s[0].denominator)
                    for c, s in zip(term.weights, term.shifts, strict=True)
                )
                / mpmath.mpc(0, theta) ** m
            )
            assert abs(symbol.imag) < mpmath.mpf(10) ** -40
            for i in range(4):
                assert abs(fd[i, j] - ad[i, j] * symbol.real) < mpmath.mpf(10) ** -38 * (1 + abs(ad[i, j]))


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize(
    ("text", "choice", "order"),
    [
        ("u_xx", StencilChoice(), 2),
        ("u_xx + x*u_x", StencilChoice("central", 4), 4),
        ("u_x", StencilChoice("forward", 1), 1),
    ],
)
def test_differences_tend_to_derivatives_at_their_order(
    name: str, text: str, choice: StencilChoice, order: int
) -> None:
    base = Problem(operator_text=text, activation_name=name, count=3, interior=(3,), stencil=choice)
    ad = multiprecision_entries(base, "ad")(40)
    gaps = []
    for k in (5, 6, 7, 8):
        fd = multiprecision_entries(base.with_(step=(Fraction(1, 2**k),)), "fd")(40)
        gaps.append(max(abs(a - b) for a, b in zip(ad, fd, strict=True)))
    slopes = np.polyfit([-k for k in (5, 6, 7, 8)], [float(mpmath.log(g, 2)) for g in gaps], 1)
    assert abs(slopes[0] - order) < 0.1


@pytest.mark.parametrize("exponent", [1, 4, 10, 40])
@pytest.mark.parametrize("text", ["u_xx", "u_xxxx"])
def test_digits_asked_are_digits_given_whatever_the_step(exponent: int, text: str) -> None:
    problem = Problem(operator_text=text, count=4, interior=(3,), step=(Fraction(1, 10**exponent),))
    few, many = multiprecision_entries(problem, "fd")(20), multiprecision_entries(problem, "fd")(60)
    assert all(abs(a / b - 1) < mpmath.mpf(10) ** -20 for a, b in zip(few, many, strict=True))
    assert cancellation_digits(problem, "ad") == 0
    assert cancellation_digits(problem, "fd") >= len(text[2:]) * exponent


def test_cancellation_of_steps_beyond_the_range_of_a_float() -> None:
    problem = Problem(operator_text="u_xxxx", count=1, interior=(1,), step=(Fraction(1, 10**120),))
    assert 480 <= cancellation_digits(problem, "fd") <= 490
    assert cancellation_digits(problem.with_(step=(Fraction(10**120),)), "fd") == 6


@given(problem=problems(max_points=3))
def test_the_right_hand_side(problem: Problem) -> None:
    exact = [
        number(problem.operator.apply(problem.solution_expression).subs(at(problem, p)))
        for p in interior_points(problem)
    ]
    for part in boundary_rows(problem):
        g = part.operator.apply(problem.solution_expression)
        exact += [number(sp.sqrt(rational(part.rows.weight)) * g.subs(at(problem, p))) for p in part.points]
    ours = multiprecision_rhs(problem, 30)
    assert ours.rows == shape(problem)[0]
    scale = max(1, *(abs(v) for v in exact)) if exact else 1
    assert all(abs(a - b) < mpmath.mpf(10) ** -28 * scale for a, b in zip(ours, exact, strict=True))
    floats = float_rhs(problem, "float64")
    assert floats.dtype == np.float64
    # up to three terms of size 4 e π⁴ ≈ 1000, some ten roundings each: 3·10⁴ u, or 4e-12
    assert all(abs(float(a) - float(b)) < 1e-11 * float(scale) for a, b in zip(floats, exact, strict=True))


def test_given_data_override_the_solution() -> None:
    problem = Problem(
        rhs="x**2", boundary=(Boundary("x-", 1, value="7*x", weight=Fraction(4)), Boundary("x+", 1)), interior=(3,)
    )
    assert list(float_rhs(problem, "float64")) == [0.25, 0.0, 0.25, -14.0, np.sin(np.pi * 1.0)]
    only_rhs = Problem(solution=None, rhs="1", boundary=(Boundary("all", 2),), interior=(1,))
    assert list(float_rhs(only_rhs, "float32")) == [1, 0, 0]


def test_rows_scale_with_the_root_of_the_weight() -> None:
    base = Problem(boundary=(Boundary("all", 2),), interior=(2,), count=3)
    heavy = base.with_(boundary=(Boundary("all", 2, weight=Fraction(9)),))
    for method in METHODS:
        light, weighted = float_matrix(base, method, "float64"), float_matrix(heavy, method, "float64")
        assert np.array_equal(weighted[2:], 3 * light[2:])
        assert np.array_equal(weighted[:2], light[:2])
    assert np.array_equal(float_rhs(heavy, "float64")[2:], 3 * float_rhs(base, "float64")[2:])


@pytest.mark.parametrize(
    "changes",
    [
        {"activation_name": "exp", "weights": ((Fraction(1000),),), "biases": (Fraction(0),)},
        {"activation_name": "log(z)", "weights": ((Fraction(1),),), "biases": (Fraction(-9),)},
        {
            "activation_name": "1/z",
            "weights": ((Fraction(1),),),
            "biases": (Fraction(0),),
            "interior": ((Fraction(0),),),
        },
        {"activation_name": "z**64", "weights": ((Fraction(10**5),),), "biases": (Fraction(10**5),)},
        {"operator_text": "sqrt(x - 5)*u_xx", "weights": ((Fraction(1),),), "biases": (Fraction(0),)},
        {
            "operator_text": "1e300*u_xx + 1e300*u",
            "activation_name": "cos",
            "weights": ((Fraction(10**8),),),
            "biases": (Fraction(1),),
        },
        {"weights": ((Fraction(10) ** 400,),), "biases": (Fraction(10) ** 399,), "activation_name": "z**2"},
    ],
    ids=lambda changes: str(changes.get("activation_name", changes.get("operator_text"))),
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_entries_that_are_not_finite_are_refused(changes: dict[str, Any], dtype: str) -> None:
    problem = Problem(
        **{"count": 1, "interior": ((Fraction(9, 10),),), "domain": ((Fraction(-1), Fraction(1)),), **changes}
    )
    refused = 0
    for method in METHODS:
        try:
            assert np.isfinite(float_matrix(problem, method, dtype)).all()
        except InputError as error:
            refused += "not finite in " + dtype in str(error)
    assert refused >= 1


def test_a_step_that_vanishes_in_floating_point_is_refused() -> None:
    problem = Problem(count=2, interior=(2,), step=(Fraction(1, 10**200),))
    for dtype in ("float32", "float64"):
        with pytest.raises(InputError, match="not finite"):
            float_matrix(problem, "fd", dtype)
        assert np.isfinite(float_matrix(problem, "ad", dtype)).all()


@pytest.mark.parametrize("rhs", ["log(x)", "1/(x - 1/2)", "sqrt(x)"])
def test_a_right_hand_side_that_is_not_finite_is_refused(rhs: str) -> None:
    problem = Problem(rhs=rhs, interior=((Fraction(1, 2),), (Fraction(-1, 2),)))
    with pytest.raises(InputError, match="right-hand side is not finite"):
        float_rhs(problem, "float64")


@pytest.mark.parametrize("rhs", ["log(x)", "sqrt(x)"])
def test_a_right_hand_side_that_is_not_real_is_refused(rhs: str) -> None:
    with pytest.raises(InputError, match="not real"):
        multiprecision_rhs(Problem(rhs=rhs, interior=((Fraction(-1, 2),),)), 20)


def test_relu_keeps_what_automatic_differentiation_loses() -> None:
    """Autodiff of ReLU twice is 0; the difference quotient is a hat of area |w|² h / h² under the kink."""
    problem = Problem(
        activation_name="relu",
        weights=((Fraction(2),),),
        biases=(Fraction(0),),
        count=1,
        interior=((Fraction(0),), (Fraction(1, 2),)),
        step=(Fraction(1, 8),),
    )
    assert np.array_equal(float_matrix(problem, "ad", "float64"), [[0.0], [0.0]])
    assert np.array_equal(float_matrix(problem, "fd", "float64"), [[16.0], [0.0]])


def test_the_scalar_backends_share_one_assembly() -> None:
    """A polynomial activation whose derivative is constant fills the matrix in every arithmetic."""
    problem = Problem(
        activation_name="z**2",
        count=2,
        interior=(3,),
        weights=((Fraction(1),), (Fraction(3),)),
        biases=(Fraction(0),) * 2,
    )
    for method in METHODS:
        assert np.allclose(float_matrix(problem, method, "float64"), [[2, 18]] * 3, rtol=1e-9)
        exact = assemble(
            problem,
            method,
            MultiprecisionBackend(),
            lambda values: np.array(
                [
                    [mpmath.mpf(v.numerator) / v.denominator for v in row]
                    if isinstance(row, tuple)
                    else mpmath.mpf(row.numerator) / row.denominator
                    for row in values
                ],
                dtype=object,
            ),
        )
        assert exact.shape == (3, 2)


def test_operators_on_the_plane() -> None:
    L = operator("u_xy + 3*u_yy", 2)
    problem = Problem(
        operator_text=L.text,
        domain=((Fraction(0), Fraction(1)),) * 2,
        solution="x*y",
        activation_name="exp",
        count=1,
        weights=((Fraction(2), Fraction(-1)),),
        biases=(Fraction(0),),
        interior=((Fraction(1, 2), Fraction(1)),),
    )
    assert np.array_equal(float_matrix(problem, "ad", "float64"), [[2 * -1 + 3 * 1]])
