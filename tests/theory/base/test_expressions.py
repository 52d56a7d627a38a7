"""The safe parser: values by a second route, fuzzing, hostile input, limits; evaluation on every backend."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numerics.arithmetic.backends import BallBackend, FloatBackend, MultiprecisionBackend
from proofs_check.search.strategies import expressions
from theory.base.errors import InputError
from theory.base.expressions import (
    CONSTANTS,
    FUNCTIONS,
    MAX_BITS,
    MAX_CONSTANT_ARGUMENT,
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_POWER,
    MAX_TERMS,
    evaluate,
    nearest,
    parse,
    term_bound,
)

x, y = sp.symbols("x y", real=True)
SYMBOLS = {"x": x, "y": y}
Meaning = tuple[str, Callable[[mpmath.mpf], mpmath.mpf]]
"""Text, and what it means at a value of x: written down without any parser."""

MEANINGS: dict[str, Callable[[Any], Any]] = {
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "atan": mpmath.atan,
    "asinh": mpmath.asinh,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "sech": mpmath.sech,
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "gaussian": lambda u: mpmath.exp(-u * u / 2),
}
GENTLE = ("sin", "cos", "tanh", "atan", "asinh", "erf", "sech", "sigmoid", "gaussian")

leaves: st.SearchStrategy[Meaning] = (
    st.just(("x", lambda v: v))
    | st.integers(0, 20).map(lambda n: (str(n), lambda v: mpmath.mpf(n)))
    | st.decimals(0, 9, places=3).map(lambda d: (str(d), lambda v: mpmath.mpf(str(d))))
    | st.sampled_from([("pi", lambda v: +mpmath.pi), ("e", lambda v: +mpmath.e)])
)


def combine(inner: st.SearchStrategy[Meaning]) -> st.SearchStrategy[Meaning]:
    def binary(a: Meaning, op: str, b: Meaning) -> Meaning:
        by = {"+": lambda p, q: p + q, "-": lambda p, q: p - q, "*": lambda p, q: p * q}[op]
        return f"({a[0]}){op} ({b[0]})", lambda v: by(a[1](v), b[1](v))

    def call(name: str, a: Meaning) -> Meaning:
        return f"{name}( {a[0]})", lambda v: MEANINGS[name](a[1](v))

    def power(a: Meaning, n: int) -> Meaning:
        return f"(2 + sin({a[0]}))**{n}", lambda v: (2 + mpmath.sin(a[1](v))) ** n

    def quotient(a: Meaning, b: Meaning) -> Meaning:
        return f"({a[0]}) /(3 - cos({b[0]}))", lambda v: a[1](v) / (3 - mpmath.cos(b[1](v)))

    return (
        st.builds(binary, inner, st.sampled_from("+-*"), inner)
        | st.builds(call, st.sampled_from(GENTLE), inner)
        | st.builds(power, inner, st.integers(-3, 3))
        | st.builds(quotient, inner, inner)
        | inner.map(lambda a: (f"-({a[0]})", lambda v: -a[1](v)))
    )


meanings = st.recursive(leaves, combine, max_leaves=8)
points = st.fractions(-3, 3, max_denominator=16)


def accepted(text: str) -> sp.Expr:
    """The expression, where the text is within the limits."""
    try:
        return parse(text, SYMBOLS)
    except InputError:
        assume(False)
        raise


@given(meanings, points)
def test_values_in_three_arithmetics(meaning: Meaning, at: Fraction) -> None:
    text, means = meaning
    expr = accepted(text)
    with mpmath.workdps(60):
        value = mpmath.mpf(at.numerator) / at.denominator
        exact = means(value)
    size = 1 + abs(exact)
    with mpmath.workdps(40):
        here = MultiprecisionBackend()
        found = evaluate(expr, {x: here.constant(at)}, here)
        conditioning = 1 + abs(mpmath.diff(means, value))  # ten guard digits cover the intermediate values
        assert abs(found - exact) < mpmath.mpf(10) ** -30 * size * conditioning
    with flint.ctx.workprec(160):
        balls = BallBackend()
        ball = evaluate(expr, {x: balls.constant(at)}, balls)
        assert ball.is_finite()
        assert ball.overlaps(_ball(exact))
        assert float(ball.rad()) < 1e-30 * float(size * conditioning)
    floats = FloatBackend(np.float64)
    double = evaluate(expr, {x: np.float64(at)}, floats)
    assert abs(float(double) - float(exact)) < 1e-10 * float(size * conditioning)


def _ball(value: mpmath.mpf) -> flint.arb:
    """A ball of relative radius 1e-45 around an mpmath number that is good to 60 digits."""
    sign, mantissa, exponent, _ = value._mpf_
    middle = flint.arb(int(-mantissa if sign else mantissa)) * flint.arb(2) ** int(exponent)
    return middle + flint.arb(0, 1e-45) * (1 + abs(middle))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x**2", -(x**2)),
        ("2**-1", sp.Rational(1, 2)),
        ("-2**2", sp.Integer(-4)),
        ("2**3**2", sp.Integer(512)),
        ("x/y/2", x / y / 2),
        ("x - y - 1", x - y - 1),
        ("1/2*x", x / 2),
        ("2*x**2/4", x**2 / 2),
        ("+x", x),
        ("0.1", sp.Rational(1, 10)),
        ("1e-3*x", x / 1000),
        ("e**x", sp.exp(x)),
        ("e**2", sp.exp(2)),
        ("x**(1/3)", x ** sp.Rational(1, 3)),
        ("x**0.5", sp.sqrt(x)),
        ("sqrt(x)", sp.sqrt(x)),
        ("pi**2", sp.pi**2),
        ("(x)", x),
        ("x # a comment", x),
        ("1_000", sp.Integer(1000)),
        ("log(2000)", sp.log(2000)),
        ("erfc(x)", 1 - sp.erf(x)),
        ("exp(1000)", sp.exp(1000)),
        ("sin(2000*x)", sp.sin(2000 * x)),
    ],
)
def test_meaning(text: str, value: sp.Expr) -> None:
    assert parse(text, SYMBOLS) == value


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_mean_what_mpmath_means(name: str) -> None:
    expr = parse(f"{name}(x)", SYMBOLS)
    with mpmath.workdps(40):
        for at in (mpmath.mpf(3) / 7, mpmath.mpf(5) / 2):
            found = evaluate(expr, {x: at}, MultiprecisionBackend())
            assert abs(found - MEANINGS[name](at)) < mpmath.mpf(10) ** -36


HOSTILE: dict[str, tuple[str, ...]] = {
    "exponent": (
        "9**9**9",
        "9**(9**9)",
        "2**64**64",
        "x**65",
        "x**-65",
        "10**10**2",
        "3**(1/17)",
    ),
    "characters": (
        "x**1e400",
        "1e400*1e400*1e400",
    ),
    "exponent must be a number": ("x**x",),
    "nested exponents": (
        "(x**64)**5",
        "((((x+1)**8)**8)**8)",
        "(pi**64)**64",
    ),
    "bits": (
        "(1e30**64)",
        "1e200*1e200*1e200*1e200",
    ),
    "beyond": (
        "1e401",
        "exp(exp(exp(64)))",
        "sqrt(exp(exp(exp(30))) - 3)",
        "sin(1e300)",
        "e**(exp(9))",
        "tanh(exp(exp(exp(30)))-2)",
        "1/(sinh(sinh(sinh(sinh(sinh(9)))))-1)",
        "sqrt(sin(exp(exp(20))))",
    ),
    "is not a number": ("1e99999999999",),
    "divides by zero": (
        "1/0",
        "x/0",
        "x/(x-x)",
        "0**-1",
        "log(0)",
        "tan(pi/2)",
        "(x-x)**-0.5",
        "1/(pi-pi)",
        "1/(sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6)))",
    ),
    "not real": (
        "sqrt(-1)",
        "log(-1)",
        "(-1)**0.5",
        "(-8)**(1/3)",
        "(1-pi)**(1/5)",
        "log(sin(4))",
    ),
    "allowed|not an expression|not real|take|too long|unknown|cannot": (
        "sqrt(-x**2)",
        "__import__('os')",
        "().__class__",
        "x.__class__",
        "x.real",
        "lambda: 1",
        "[1, 2]",
        "{1}",
        "x if x else 1",
        "[i for i in x]",
        "x[0]",
        "f'{x}'",
        "(x := 1)",
        "yield x",
        "await x",
        "*x",
        "x, y",
        "x and y",
        "not x",
        "x < 1",
        "~x",
        "sin(*x)",
        "sin(**x)",
        "x.y(1)",
        "(x)(1)",
        "2(x)",
        "\ud800",
    ),
    "not smooth": (
        "sqrt(x**2)",
        "(x**4)**0.25",
        "((x-1)**2)**(1/2)",
    ),
    "not a number": (
        "'a'",
        "b'a'",
        "None",
        "True",
        "...",
        "1j",
        "0x10",
    ),
    "not an expression": (
        "x := 1",
        "x; y",
        "import os",
        "x = 1",
        "x y",
        "(",
        ")",
        "x +",
        "\x00",
        "x\x00",
        "x\ny",
        "x\xb2",
    ),
    "allowed operators": (
        "x // 2",
        "x % 2",
        "x @ y",
        "x | y",
    ),
    "write powers as \\*\\*": ("x ^ 2",),
    "one argument": (
        "sin(x, y)",
        "sin()",
        "sin(x=1)",
    ),
    "needs an argument": (
        "sin",
        "sin + 1",
        "sin(sin)",
    ),
    "did you mean 'sin'": (
        "sinn(x)",
        "Sin(x)",
    ),
    "did you mean 'tan'": ("tahn(x)",),
    "unknown name": (
        "q",
        "I",
        "oo",
        "nan",
        "inf",
        "E",
    ),
    "unknown function": (
        "eval(x)",
        "abs(x)",
    ),
    "empty": (
        "",
        "   ",
    ),
}
"""Fragment of the message, and the texts that must give it."""
LONG = {
    "more than 300 nodes": ("+".join(["x"] * 140), " *".join(["x"] * 140), "-" * 150 + "x"),
    "characters; at most": ("x" * (MAX_LENGTH + 1), "9" * (MAX_LENGTH + 1)),
    "run of characters": ("9" * 500, "(" * 410, "+".join(["x"] * 210)),
    "not an expression": ("[" * 399, "(" * 399, "(" * 300 + "x" + ")" * 99),
    "nested deeper": ("-" * 50 + "x", "sin(" * (MAX_DEPTH + 1) + "x" + ")" * (MAX_DEPTH + 1)),
    "beyond": ("exp(" * 39 + "1" + ")" * 39, "sinh(" * 30 + "2" + ")" * 30),
    "bits|characters": ("9" * 399 + "*" + "9" * 2, "9" * 390 + " * " + "9" * 390),
}
"""The same for texts too long to name a test."""
CASES = [(fragment, text) for table in (HOSTILE, LONG) for fragment, texts in table.items() for text in texts]


def assert_one_line(error: Exception) -> None:
    message = str(error)
    assert message.isprintable()  # one line, and a terminal can show it
    assert len(message) < 400


@pytest.mark.parametrize(("fragment", "text"), CASES, ids=lambda text: ascii(text[:40]))
def test_hostile_text_costs_nothing_and_gives_one_line(fragment: str, text: str) -> None:
    start = time.process_time()
    with pytest.raises(InputError, match=fragment) as caught:
        parse(text, SYMBOLS, "problem.solution")
    assert time.process_time() - start < 2
    assert str(caught.value).startswith("problem.solution: ")
    assert_one_line(caught.value)


@pytest.mark.parametrize("value", [None, 3, 0.5, True, ["x"], b"x", sp.Symbol("x")])
def test_only_text_is_parsed(value: Any) -> None:
    with pytest.raises(InputError, match="must be a string"):
        parse(value, SYMBOLS)


TOKENS = [
    *FUNCTIONS,
    *CONSTANTS,
    "x",
    "y",
    "u",
    "(",
    ")",
    "(",
    ")",
    "+",
    "-",
    "*",
    "/",
    "**",
    ",",
    ".",
    "0",
    "1",
    "2",
    "9",
    "64",
    "2.5",
    "1e300",
    "1e-300",
    "1/3",
    "0.5",
    "[",
    "]",
    ":=",
    "if",
    "else",
    "lambda",
    ":",
    "'a'",
    "__import__",
    "=",
    "_",
    "1j",
]
soup = st.lists(st.sampled_from(TOKENS), max_size=14).map("".join) | st.lists(st.sampled_from(TOKENS), max_size=14).map(
    " ".join
)
growing = st.recursive(
    st.sampled_from(["x", "y", "2", "9", "64", "0.5", "1e300", "pi", "e", "0"]),
    lambda inner: (
        st.builds("({}{}{})".format, inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner)
        | st.builds("{}({})".format, st.sampled_from(sorted(FUNCTIONS)), inner)
    ),
    max_leaves=10,
)


def check_any_text(text: str) -> None:
    """An expression in the given names and functions, or one line; in bounded time."""
    start = time.process_time()
    try:
        expr = parse(text, SYMBOLS)
    except InputError as error:
        assert_one_line(error)
    else:
        assert expr.free_symbols <= {x, y}
        names = {type(node).__name__ for node in expr.atoms(sp.Function)}
        assert names <= {"sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "atan", "asinh", "erf"}
    assert time.process_time() - start < 5


@given(st.text(max_size=40) | soup | growing)
def test_fuzz(text: str) -> None:
    check_any_text(text)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(st.text(max_size=80) | soup | growing)
def test_fuzz_long(text: str) -> None:
    check_any_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('pathlib').Path('canary').touch()",
        "open('canary', 'w')",
        "exec(\"open('canary', 'w')\")",
        "[f for f in (open('canary', 'w'),)]",
        "(lambda: open('canary', 'w'))()",
        "x.__class__.__base__.__subclasses__()",
        "f\"{open('canary', 'w')}\"",
        "sin(open('canary', 'w'))",
        "Symbol('x')",
        "S('1')",
        "getattr(x, 'subs')(x, 1)",
    ],
)
def test_nothing_is_executed(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        parse(text, {**SYMBOLS, "open": sp.Symbol("open")})
    assert list(tmp_path.iterdir()) == []


def test_limits_are_reached_from_below() -> None:
    assert parse(f"x**{MAX_POWER}", SYMBOLS) == x**MAX_POWER
    assert parse(f"sin({MAX_CONSTANT_ARGUMENT})", SYMBOLS) == sp.sin(MAX_CONSTANT_ARGUMENT)
    deep = MAX_DEPTH
    assert parse("sin(" * deep + "x" + ")" * deep, SYMBOLS).has(x)
    assert parse(f"2**{MAX_POWER} * 2**{MAX_POWER}", SYMBOLS) == 2 ** (2 * MAX_POWER)
    with pytest.raises(InputError):
        parse(" * ".join([f"2**{MAX_POWER}"] * (MAX_BITS // MAX_POWER + 1)), SYMBOLS)


@given(expressions(("x", "y")))
def test_the_term_bound_is_one(text: str) -> None:
    expr = accepted(text)
    bound = term_bound(expr)
    assume(bound <= 200 and not expr.has(sp.log))  # the logarithm of a product expands into a sum as well
    assert len(sp.Add.make_args(sp.expand(expr))) <= bound


def test_the_term_bound_saturates() -> None:
    assert term_bound((x + 1) ** 3 * (y + 2) ** 2) == 12
    assert term_bound((1 + x + y + sp.sin(x)) ** 64) == MAX_TERMS + 1
    assert term_bound(x * y) == 1
    assert term_bound(sp.sin((x + 1) ** 5)) == 6  # expansion descends into arguments


class Counting(MultiprecisionBackend):
    """Counts the functions evaluated."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def function(self, name: str, argument: Any) -> Any:
        self.calls.append(name)
        return super().function(name, argument)


def test_shared_subexpressions_are_evaluated_once() -> None:
    expr = parse("sin(exp(x)) + sin(exp(x))**2 + cos(exp(x))*exp(x)", SYMBOLS)
    counting = Counting()
    evaluate(expr, {x: mpmath.mpf(1)}, counting)
    assert sorted(counting.calls) == ["cos", "exp", "sin"]


@given(expressions(("x", "y")), st.integers(1, 4))
def test_arrays_are_evaluated_entry_by_entry(text: str, n: int) -> None:
    expr = accepted(text)
    backend = MultiprecisionBackend()
    xs = np.array([mpmath.mpf(k) / 3 for k in range(n)], dtype=object)
    ys = np.array([mpmath.mpf(k) - 1 for k in range(n)], dtype=object)
    together = evaluate(expr, {x: xs, y: ys}, backend) + 0 * xs
    for k in range(n):
        assert together[k] == evaluate(expr, {x: xs[k], y: ys[k]}, backend)


def test_what_cannot_be_evaluated() -> None:
    backend = MultiprecisionBackend()
    with pytest.raises(InputError, match="no value"):
        evaluate(x + y, {x: mpmath.mpf(1)}, backend)
    with pytest.raises(InputError, match="cannot evaluate"):
        evaluate(sp.gamma(x), {x: mpmath.mpf(1)}, backend)
    with pytest.raises(InputError, match="cannot evaluate"):
        evaluate(x**y, {x: mpmath.mpf(1), y: mpmath.mpf(1)}, backend)


def test_nearest_name() -> None:
    assert nearest("tahh", FUNCTIONS) == "did you mean 'tanh'? "
    assert nearest("qqqqq", FUNCTIONS) == ""
