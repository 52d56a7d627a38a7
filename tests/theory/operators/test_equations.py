"""Equations as people write them: the parser against SymPy, residuals of manufactured solutions against mpmath."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from theory.base.errors import InputError
from theory.operators.equations import Derivative, equations, expression

UNKNOWNS = ("u", "v", "psi")
JETS = [f"{name}{suffix}" for name in UNKNOWNS for suffix in ("", "_x", "_t", "_xx", "_tx", "_xxx")]
leaves = st.sampled_from([*JETS, "x", "t", "nu", "2", "0.5", "3/7"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    return pairs | inner.map(lambda e: f"sin({e})") | inner.map(lambda e: f"-({e})**2")


texts = st.recursive(leaves, grown, max_leaves=6)


def by_python(text: str, values: dict[str, object]) -> object:
    """The value of a text that this test has made, by Python itself."""
    return eval(text, {"__builtins__": {}, "sin": math.sin}, values)  # noqa: S307


@given(texts, texts, st.lists(st.fractions(-2, 2, max_denominator=8), min_size=24, max_size=24))
def test_a_side_is_what_it_says(left: str, right: str, drawn: list[Fraction]) -> None:
    text = f"u_t + {left} = v_x - psi_xx + {right}"
    try:
        (found,) = equations([text], 2, unknowns=UNKNOWNS, parameters={"nu": Fraction(1, 100)})
    except InputError as error:
        assert "zero" in str(error) or "is in no equation" in str(error)
        return
    numbers = dict(zip([*JETS, "x", "t"], map(float, drawn), strict=False))
    numbers |= {f"{name}_xt": numbers[f"{name}_tx"] for name in UNKNOWNS}
    sides = [by_python(side, {**numbers, "nu": 0.01}) for side in text.split("=")]
    expected = sides[0] - sides[1]  # type: ignore[operator]
    names = [s.name for s in found.expr.free_symbols]
    value = sp.lambdify(names, found.expr, "math")(*(numbers[name] for name in names))
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    for symbol, derivative in found.derivatives:
        assert symbol.name == derivative.name(found.variables)
        assert found.expr.has(symbol)


CASES = {
    "burgers": (["u_t + u*u_x = 0.01*u_xx"], {"u": "exp(-t)*sin(pi*x)"}),
    "kdv": (["u_t + 6*u*u_x + u_xxx = 0"], {"u": "2/cosh(x - 4*t)**2"}),
    "kuramoto-sivashinsky": (["u_t + u*u_x + u_xx + u_xxxx"], {"u": "sin(x - t)*exp(-t)"}),
    "schrödinger": (["u_t = -v_xx - (u**2 + v**2)*v", "v_t = u_xx + (u**2 + v**2)*u"],
                    {"u": "cos(t)/cosh(x)", "v": "sin(t)/cosh(x)"}),
    "stream function": (["psi_y*w_x - psi_x*w_y = 0.1*(w_xx + w_yy)", "psi_xx + psi_yy = -w"],
                        {"psi": "sin(x)*sin(y)", "w": "2*sin(x)*sin(y) + x*y"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_residuals_of_manufactured_solutions(name: str) -> None:
    """Derivatives by mpmath's own differences at high precision."""
    texts, solutions = CASES[name]
    posed = equations(texts)
    symbols = posed[0].symbols
    table = {s.name: s for s in symbols}
    functions = {"exp": sp.exp, "sin": sp.sin, "cos": sp.cos, "cosh": sp.cosh, "pi": sp.pi}
    exact = {k: eval(v, {"__builtins__": {}}, {**functions, **table}) for k, v in solutions.items()}  # noqa: S307
    point = [mpmath.mpf(3) / 10, mpmath.mpf(7) / 10]
    for one in posed:
        with mpmath.workdps(60):
            fields = {k: sp.lambdify(symbols, e, "mpmath") for k, e in exact.items()}
            values = {symbol: mpmath.diff(fields[d.unknown], tuple(point), d.alpha) for symbol, d in one.derivatives}
            expected = sp.lambdify((*values, *symbols), one.expr, "mpmath")(*values.values(), *point)
            residual = sp.lambdify(symbols, one.apply(exact), "mpmath")(*point)
            assert abs(residual - expected) < mpmath.mpf(10) ** -15
    if name in ("kdv", "schrödinger"):  # exact solutions: the soliton; the standing wave has a residual
        residuals = [sp.lambdify(symbols, one.apply(exact), "mpmath")(*point) for one in posed]
        assert all(abs(r) < 1e-12 for r in residuals) == (name == "kdv")


@pytest.mark.parametrize(("texts", "more", "fragment"), [
    (["u_t == u"], {}, "'left = right'"),
    (["u_t = "], {}, "'left = right'"),
    (["u_t = u_t"], {}, "is zero"),
    (["x = 3"], {"unknowns": ["u"]}, "is in no equation"),
    (["u_t = u", "t"], {}, "has no unknown"),
    (["u = x"], {}, "no derivative"),
    (["u_t = w_r"], {}, "unknown name 'w_r'"),
    (["u_t + u_xxxxxxxxx"], {}, "up to order 8"),
    (["u_xy"], {"dimension": 1}, "has 1 dimension"),
    (["u_t = u"], {"unknowns": ["u", "v"]}, "v is in no equation"),
    (["u_t = u"], {"unknowns": ["u", "u"]}, "twice"),
    (["u_t = u"], {"unknowns": ["x"]}, "is taken"),
    (["u_t = u"], {"unknowns": ["u_x"]}, "not a name"),
    (["u_t = u"], {"parameters": {"u": Fraction(1)}}, "no derivative"),
    (["u_t = u"], {"parameters": {"sin": Fraction(1)}}, "is taken"),
    (["u_t = u^2"], {}, "powers as **"),
    (["u_t = __import__('os')"], {}, "unknown function"),
    (["u_t = u.real"], {}, "allowed"),
    ("u_t = u", {}, "a list"),
    ([], {}, "1 to 16"),
    (["u_t = 9**9**9*u"], {}, "exponent"),
])  # fmt: skip
def test_what_is_wrong_is_one_line(texts: list[str], more: dict[str, object], fragment: str) -> None:
    with pytest.raises(InputError) as caught:
        equations(texts, **more)  # type: ignore[arg-type]
    message = str(caught.value)
    assert fragment in message
    assert message.isprintable()


def test_names_are_letters_of_any_alphabet() -> None:
    one, two = equations(
        ["ψ_xx + ψ_yy = −ω", "ω_t + ψ_y·ω_x − ψ_x*ω_y = ν*(ω_xx + ω_yy)"], parameters={"ν": Fraction(1, 100)}
    )
    assert one.variables == ("x", "y", "t")
    assert one.is_linear
    assert not two.is_linear
    assert Derivative("ω", (2, 0, 0)) in [d for _, d in two.derivatives]
    assert expression("psi_xy", ("x", "y"), ["psi"]).derivatives[0][1] == Derivative("psi", (1, 1))
    assert expression("psi_yx", ("x", "y"), ["psi"]).expr == expression("psi_xy", ("x", "y"), ["psi"]).expr
