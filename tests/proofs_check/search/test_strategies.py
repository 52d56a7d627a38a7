"""The strategies: every draw is valid, every kind is reached, and failures shrink to what one would write down."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from numerics.matrices.assemble import float_matrix
from numerics.problem.file import problem_from_dict
from numerics.problem.problem import Problem
from proofs_check.search import strategies as our
from theory.base.exact import rational, spell
from theory.base.expressions import FUNCTIONS, parse
from theory.entropy.conventions import RULES, Convention
from theory.features.activations import activation
from theory.features.laws import LAWS, Law, law
from theory.operators.operator import LinearOperator, operator
from theory.stencils import Stencil, stencil

SEARCH = settings(database=None, derandomize=True, max_examples=300, deadline=None)
REACH = settings(SEARCH, phases=[Phase.generate])
z = sp.Symbol("z", real=True)


def least(strategy: SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
    return find(strategy, condition, settings=SEARCH)


@given(our.rationals(Fraction(-1, 3), Fraction(7, 2), 9))
def test_rationals_keep_their_bounds(q: Fraction) -> None:
    assert Fraction(-1, 3) <= q <= Fraction(7, 2)
    assert q.denominator <= 9
    assert rational(spell(q)) == q


@given(st.integers(0, 5).flatmap(lambda m: st.tuples(st.just(m), our.offsets(m, extra=2))))
def test_offsets_determine_the_derivative(drawn: tuple[int, tuple[Fraction, ...]]) -> None:
    m, nodes = drawn
    assert m + 1 <= len(nodes) <= m + 3
    assert list(nodes) == sorted(set(nodes))
    assert stencil(m, nodes).derivative == m


@given(our.stencils())
def test_stencils_differentiate_polynomials(s: Stencil) -> None:
    m, p = s.derivative, s.order
    for n in range(m + p):
        exact = Fraction(0) if n != m else Fraction(int(sp.factorial(m)))
        total = sum((c * x**n for x, c in zip(s.offsets, s.weights, strict=True)), Fraction(0))
        assert total == exact
    assert sum((c * x ** (m + p) for x, c in zip(s.offsets, s.weights, strict=True)), Fraction(0)) != 0


@given(our.laws())
def test_laws_read_back(drawn: Law) -> None:
    assert law(str(drawn)) == drawn


@given(our.laws(centred=True))
def test_centred_laws_are_symmetric(drawn: Law) -> None:
    assert drawn.symmetric
    odd = drawn.moment(3)
    assert odd is None or odd == 0


@given(our.expressions(("z",)))
def test_expressions_are_accepted_and_finite(text: str) -> None:
    expr = parse(text, {"z": z})
    assert expr.free_symbols <= {z}
    for value in (sp.Rational(-7, 3), sp.Integer(0), sp.Rational(5, 2)):
        at = sp.N(expr.subs(z, value), 15)
        assert at.is_real
        assert at.is_finite


@given(our.activations(kinked=True))
def test_activations_read_back(drawn: Any) -> None:
    assert activation(drawn.name) == drawn


@given(st.integers(1, 3).flatmap(lambda d: st.tuples(st.just(d), our.operators(d, max_order=3))))
def test_operators_read_back(drawn: tuple[int, LinearOperator]) -> None:
    d, L = drawn
    assert L.dimension == d
    assert 1 <= L.order <= 3
    assert operator(L.text, d).terms == L.terms


@given(our.operators(2, homogeneous=True))
def test_homogeneous_operators_are(L: LinearOperator) -> None:
    assert L.is_homogeneous


@given(our.operators(1, constant=True))
def test_constant_operators_are(L: LinearOperator) -> None:
    assert L.has_constant_coefficients


@given(our.problems())
def test_problems_are_spelled_and_evaluated(problem: Problem) -> None:
    assert problem_from_dict(problem.to_dict()) == problem
    for method in ("ad", "fd"):
        matrix = float_matrix(problem, method, "float64")  # type: ignore[arg-type]
        assert np.isfinite(matrix).all()


@given(our.problems(symmetric=True, boundary=False, max_count=2, max_points=3, max_weight=1))
def test_problems_keep_their_limits(problem: Problem) -> None:
    assert problem.difference.is_symmetric
    assert problem.boundary == ()
    assert problem.count <= 2
    assert len(problem.interior) <= 3
    assert all(abs(w) <= 1 for row in problem.weights for w in row)  # type: ignore[union-attr]


@given(our.conventions())
def test_conventions_read_back(convention: Convention) -> None:
    assert Convention.from_dict(convention.to_dict()) == convention


@given(our.spectra(min_size=2, max_size=5))
def test_spectra_descend(values: tuple[Fraction, ...]) -> None:
    assert 2 <= len(values) <= 5
    assert values[0] > 0
    assert list(values) == sorted(values, reverse=True)
    assert values[-1] >= 0


@given(our.enclosed_spectra())
def test_enclosed_spectra_contain(drawn: tuple[tuple[Fraction, ...], tuple[Any, ...]]) -> None:
    values, parts = drawn
    assert all(v in e for v, e in zip(values, parts, strict=True))
    assert all(e.width <= Fraction(1, 5) * v for v, e in zip(values, parts, strict=True))
    for ends in ([e.lower for e in parts], [e.upper for e in parts]):
        assert ends == sorted(ends, reverse=True)


@pytest.mark.parametrize(
    ("strategy", "condition"),
    [
        (our.stencils(), lambda s: not s.is_symmetric and s.order >= 4),
        (our.stencils(), lambda s: any(x.denominator > 1 for x in s.offsets)),
        *((our.laws(), lambda drawn, name=name: drawn.name == name) for name in LAWS),
        *((our.activations(kinked=True), lambda a, name=name: a.name == name) for name in our.SMOOTH + our.KINKED),
        (our.operators(2), lambda L: not L.has_constant_coefficients),
        (our.operators(2), lambda L: any(all(alpha) for alpha, _ in L.terms)),
        (our.problems(), lambda p: p.dimension == 2 and p.boundary and p.count > p.boundary[0].count),
        (our.problems(), lambda p: p.stencil.offsets is not None),
        (our.problems(), lambda p: p.dimension == 2 and not p.difference.is_symmetric),
        *((our.conventions(), lambda c, rule=rule: c.rule == rule) for rule in RULES),
        (our.spectra(), lambda s: s[-1] == 0),
        (our.spectra(), lambda s: 0 < s[-1] < s[0] / 10**20),
        (our.spectra(), lambda s: len(s) > 2 and len(set(s)) < len(s)),
        *((our.expressions(), lambda t, name=name: name in t) for name in ("sin", "sqrt", "log", "exp", "/")),
    ],
)
def test_every_kind_is_reached(strategy: SearchStrategy[Any], condition: Callable[[Any], bool]) -> None:
    assert condition(find(strategy, condition, settings=REACH))


def test_the_least_draws() -> None:
    assert least(our.rationals(), lambda q: q > Fraction(3, 2)) == 2
    assert (
        least(our.spectra(), lambda s: len(s) >= 3) == (1, 1, 1) or least(our.spectra(), lambda s: len(s) >= 3)[0] <= 1
    )
    order_two = least(our.stencils(), lambda s: s.derivative == 2)
    assert order_two.offsets == (0, 1, 2)
    assert least(our.stencils(), lambda s: s.is_symmetric and s.derivative == 2).offsets == (-1, 0, 1)
    assert least(our.activations(), lambda a: True).name == "tanh"
    assert least(our.expressions(), lambda text: True) == "z"
    assert least(our.operators(1), lambda L: L.order >= 2).terms == (((2,), 1),)


def test_a_counterexample_shrinks_to_one_feature_at_one_point() -> None:
    """No ordering for tanh: the smallest |A_FD| > |A_AD| is one entry with small integers."""

    def larger(problem: Problem) -> bool:
        ad, fd = (float_matrix(problem, method, "float64") for method in ("ad", "fd"))  # type: ignore[arg-type]
        return bool(np.abs(fd).max() > 1.01 * np.abs(ad).max() > 0)

    second = st.just(operator("u_xx", 1))
    tanh = st.just(activation("tanh"))
    drawn = our.problems(target=second, symmetric=True, boundary=False, activation=tanh, max_count=2, max_points=2)
    found = least(drawn, larger)
    assert found.count == 1
    assert len(found.interior) == 1
    assert found.stencil.order == 2
    assert all(abs(v) <= 4 and v.denominator <= 2 for v in (*found.weights[0], found.biases[0]))


def test_problems_use_every_function_of_the_grammar() -> None:
    used = {"sin", "cos", "tanh", "atan", "erf", "gaussian", "sigmoid", "sech", "asinh", "sqrt", "log", "exp"}
    assert used <= set(FUNCTIONS)
