"""Linear operators: terms against hand-written tables, action against plane waves, every refusal."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.search.strategies import operators
from theory.base.errors import InputError
from theory.operators import operator as operators_module
from theory.operators.operator import (
    MAX_ORDER,
    NAMES,
    LinearOperator,
    coordinate,
    differentiate,
    operator,
)

x, y, z, t = (coordinate[name] for name in "xyzt")
i2 = sp.Rational(1, 2)

TABLE: list[tuple[str, int | None, tuple[str, ...], dict[tuple[int, ...], Any]]] = [
    ("u_xx", None, ("x",), {(2,): 1}),
    ("u", None, ("x",), {(0,): 1}),
    ("u_yy", None, ("y",), {(2,): 1}),
    ("u_yy", 2, ("x", "y"), {(0, 2): 1}),
    ("u_xy", None, ("x", "y"), {(1, 1): 1}),
    ("u_yx", None, ("x", "y"), {(1, 1): 1}),
    ("u_xy + u_yx", None, ("x", "y"), {(1, 1): 2}),
    ("u_tx", None, ("x", "t"), {(1, 1): 1}),
    ("u_zz + u_t", None, ("z", "t"), {(0, 1): 1, (2, 0): 1}),
    ("2*u_xx - u_xx", None, ("x",), {(2,): 1}),
    ("u_xx - u_xx + u", None, ("x",), {(0,): 1}),
    ("(u_xx + u_yy)*x/2 - 0.1*u", None, ("x", "y"), {(2, 0): x / 2, (0, 2): x / 2, (0, 0): -sp.Rational(1, 10)}),
    ("x*(u_x + y*u)", None, ("x", "y"), {(1, 0): x, (0, 0): x * y}),
    ("sin(pi*x)*u_xxx - exp(y)*u", None, ("x", "y"), {(3, 0): sp.sin(sp.pi * x), (0, 0): -sp.exp(y)}),
    ("-u_xx", None, ("x",), {(2,): -1}),
    ("-u_xx-u_yy", None, ("x", "y"), {(2, 0): -1, (0, 2): -1}),
    ("u_xx-u", None, ("x",), {(2,): 1, (0,): -1}),
    ("u_xx/4", None, ("x",), {(2,): sp.Rational(1, 4)}),
    ("poisson", None, ("x",), {(2,): 1}),
    ("poisson", 2, ("x", "y"), {(2, 0): 1, (0, 2): 1}),
    ("Laplace", 3, ("x", "y", "z"), {(2, 0, 0): 1, (0, 2, 0): 1, (0, 0, 2): 1}),
    ("biharmonic", 1, ("x",), {(4,): 1}),
    ("biharmonic", 2, ("x", "y"), {(4, 0): 1, (2, 2): 2, (0, 4): 1}),
    (
        "biharmonic",
        3,
        ("x", "y", "z"),
        {(4, 0, 0): 1, (0, 4, 0): 1, (0, 0, 4): 1, (2, 2, 0): 2, (2, 0, 2): 2, (0, 2, 2): 2},
    ),
    ("helmholtz(3)", 2, ("x", "y"), {(2, 0): 1, (0, 2): 1, (0, 0): 9}),
    ("helmholtz", 1, ("x",), {(2,): 1, (0,): 1}),
    ("helmholtz(1/2)", 1, ("x",), {(2,): 1, (0,): sp.Rational(1, 4)}),
    ("advection_diffusion(1/20)", 1, ("x",), {(1,): 1, (2,): -sp.Rational(1, 20)}),
    ("advection-diffusion", 2, ("x", "y"), {(1, 0): 1, (2, 0): -sp.Rational(1, 10), (0, 2): -sp.Rational(1, 10)}),
    ("heat", None, ("x", "t"), {(0, 1): 1, (2, 0): -1}),
    ("heat(0.5)", 3, ("x", "y", "t"), {(0, 0, 1): 1, (2, 0, 0): -i2, (0, 2, 0): -i2}),
    ("wave(2)", None, ("x", "t"), {(0, 2): 1, (2, 0): -4}),
]


@pytest.mark.parametrize(("text", "dimension", "variables", "terms"), TABLE, ids=lambda v: str(v)[:30])
def test_terms(text: str, dimension: int | None, variables: tuple[str, ...], terms: dict[tuple[int, ...], Any]) -> None:
    L = operator(text, dimension)
    assert L.variables == variables
    assert dict(L.terms) == terms
    assert [alpha for alpha, _ in L.terms] == sorted(terms)
    assert L.order == max(sum(alpha) for alpha in terms)
    assert L.dimension == len(variables)


def test_every_name_is_in_the_table() -> None:
    assert {text.lower().partition("(")[0].replace("-", "_") for text, *_ in TABLE} >= set(NAMES)


@given(st.integers(1, 2).flatmap(lambda d: operators(d)), st.randoms(use_true_random=False))
def test_the_order_of_writing_does_not_matter(L: LinearOperator, random: Any) -> None:
    parts = L.text.split(" + (")
    parts = [parts[0], *("(" + part for part in parts[1:])]
    random.shuffle(parts)
    assert operator(" + ".join(parts), L.dimension).terms == L.terms
    assert operator("2*(" + L.text + ") - (" + L.text + ")", L.dimension).terms == L.terms


@given(st.integers(1, 3).flatmap(lambda d: operators(d, max_order=3)))
def test_action_on_plane_waves_is_the_symbol(L: LinearOperator) -> None:
    xi = tuple(sp.Rational(k + 2, 3) for k in range(L.dimension))
    wave = sp.exp(sp.I * sp.Add(*(f * s for f, s in zip(xi, L.symbols, strict=True))))
    assert sp.expand(L.apply(wave) / wave - L.symbol(xi)) == 0


@given(st.integers(1, 2).flatmap(lambda d: operators(d)))
def test_action_on_monomials(L: LinearOperator) -> None:
    """On x^β the term c ∂^α gives c β!/(β−α)! x^(β−α): falling factorials, without differentiation."""
    beta = (5, 3)[: L.dimension]
    monomial = sp.Mul(*(s**b for s, b in zip(L.symbols, beta, strict=True)))
    expected = sp.Add(
        *(
            c * sp.Mul(*(sp.ff(b, a) * s ** max(b - a, 0) for s, a, b in zip(L.symbols, alpha, beta, strict=True)))
            for alpha, c in L.terms
        )
    )
    assert sp.expand(L.apply(monomial) - expected) == 0


def test_flags() -> None:
    assert operator("u_xx + u_yy").is_homogeneous
    assert not operator("u_xx + u").is_homogeneous
    assert operator("u_xx + u").has_constant_coefficients
    assert not operator("x*u_xx").has_constant_coefficients
    assert not operator("x*u_xx").is_homogeneous
    assert operator("u").is_homogeneous


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "does not contain u"),
        ("x**2", "does not contain u"),
        ("v_xx", "unknown operator"),
        ("poison", "did you mean 'poisson'"),
        ("bihramonic(2)", "did you mean 'biharmonic'"),
        ("helmholtz(pi)", "is not a number"),
        ("helmholtz(1e999)", "exponent"),
        ("u_xx + 1", "without u"),
        ("u_xx + sin(x)", "without u"),
        ("u*u_xx", "not linear"),
        ("u_x**2", "not linear"),
        ("u_xx + sin(u)", "not linear"),
        ("u_xx/u", "not linear"),
        ("1/u", "not linear"),
        ("u_xx - u_xx", "is zero"),
        ("0*u", "is zero"),
        ("u_xx + q*u", "unknown name 'q'"),
        ("u_q", "coordinates x, y, z, t"),
        ("u_" + "x" * (MAX_ORDER + 1), "up to order 8"),
        ("u_xx/0", "divides by zero"),
        ("9**9**9*u", "exponent"),
        ("u_xx; import os", "not an expression"),
        ("__import__('os').system('true')*u", "allowed"),
        ("u_xx ^ 2", "powers"),
        ("(x+1+sin(x)+cos(x)+exp(x)+tanh(x)+x**2+x**3)**64*u_xx", "terms"),
        ("u_xx\n+ 1", "not an expression"),
        ("u_xx + u_" + "y" * 400, "up to order 8"),
        ("sqrt(x**2)*u", "not smooth"),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_operator(text: str, fragment: str) -> None:
    with pytest.raises(InputError, match=fragment) as caught:
        operator(text)
    message = str(caught.value)
    assert message.startswith("problem.operator: ")
    assert message.isprintable()


@pytest.mark.parametrize("value", [None, 3, ["u_xx"], b"u"])
def test_only_text_is_an_operator(value: Any) -> None:
    with pytest.raises(InputError, match="must be a string"):
        operator(value)


@pytest.mark.parametrize(
    ("text", "dimension", "fragment"),
    [("u_xy", 1, "uses the coordinates x, y"), ("heat", 1, "space and time"), ("wave(2)", 1, "space and time"),
     ("u_xx", 0, "allowed are 1 to 4"), ("u_xx", 5, "allowed are 1 to 4"), ("x*y*z*t*u", 3, "uses the coordinates")],
)  # fmt: skip
def test_dimension(text: str, dimension: int, fragment: str) -> None:
    with pytest.raises(InputError, match=fragment):
        operator(text, dimension)


def test_boundary_operators_live_in_the_coordinates_of_the_problem() -> None:
    """Filling up x, y would read u_y of a problem in (y, z) as the derivative in z."""
    assert dict(operator("u_y", variables=("y", "z")).terms) == {(1, 0): 1}
    assert dict(operator("u_z", variables=("y", "z")).terms) == {(0, 1): 1}
    assert dict(operator("u_x", variables=("x", "t")).terms) == {(1, 0): 1}
    assert dict(operator("laplace", variables=("x", "t")).terms) == {(2, 0): 1}
    assert dict(operator("laplace", variables=("x", "y")).terms) == {(2, 0): 1, (0, 2): 1}
    assert dict(operator("u", variables=("t",)).terms) == {(0,): 1}
    assert operator("u", variables=("y", "z")).variables == ("y", "z")
    for text in ("u_y", "y*u", "u_xt"):
        with pytest.raises(InputError, match=r"^boundary.operator: .*not in the coordinates x"):
            operator(text, variables=("x",), what="boundary.operator")


@given(st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_differentiate_is_mixed(alpha: tuple[int, int]) -> None:
    u = sp.exp(2 * x) * sp.sin(3 * y)
    expected = 2 ** alpha[0] * 3 ** alpha[1] * sp.exp(2 * x) * sp.sin(3 * y + alpha[1] * sp.pi / 2)
    assert sp.expand(differentiate(u, alpha, (x, y)) - sp.expand(expected, trig=False)) == 0


def test_a_solution_that_explodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators_module, "MAX_OPERATIONS", 300)  # the real bound takes seconds to reach
    tower = sp.sin(sp.sin(sp.sin(sp.sin(x))))
    assert operator("u_xx").apply(tower).has(sp.cos)
    with pytest.raises(InputError, match="operations"):
        operator("u_xxxx").apply(tower)
    deep = x
    for _ in range(400):  # deeper than Python's stack; the parser allows 40
        deep = sp.Add(sp.sin(deep, evaluate=False), 1, evaluate=False)
    with pytest.raises(InputError, match="operations"):
        operator("u_x").apply(deep)


def test_latex_names_the_derivative() -> None:
    assert r"\frac{d^{2}}{d x^{2}}" in operator("u_xx").latex()
    assert operator("u_xx")._repr_latex_().startswith("$")
