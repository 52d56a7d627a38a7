"""Formal statements: what is proved, refuted, left open, and what is no statement."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.claims.claim import Claim
from proofs_check.claims.formal import Domain, Formal, between, integers, positive, reals
from proofs_check.claims.provers import polynomial_sign, prove, try_point
from proofs_check.claims.verdicts import Verdict
from proofs_check.ledger import ledger, runner
from proofs_check.ledger.judging import judge
from proofs_check.own.statements import CELL, statement
from theory.base.errors import InputError

X, Y = sp.symbols("x y", real=True)
P = sp.Symbol("p", positive=True)
N = sp.Symbol("n", integer=True)
PLAIN = sp.Symbol("x")
R = sp.Rational

TRUE: list[tuple[Any, Any, dict[str, Any]]] = [
    ({X: reals()}, sp.Eq(sp.sin(X) ** 2 + sp.cos(X) ** 2, 1), {}),
    ({X: reals()}, sp.Eq(sp.sin(3 * X), 3 * sp.sin(X) - 4 * sp.sin(X) ** 3), {}),
    ({X: reals(), Y: reals()}, sp.Ge(X**2 + Y**2, 2 * X * Y), {}),
    ({X: reals(), Y: reals()}, sp.Eq((X + Y) ** 3, X**3 + 3 * X**2 * Y + 3 * X * Y**2 + Y**3), {}),
    ({X: reals(0, 1)}, sp.Le(X * (1 - X), R(1, 4)), {}),
    ({X: between(0, 1)}, sp.Gt(X * (1 - X), 0), {}),
    ({P: positive()}, sp.Ge(P + 1 / P, 2), {"by": (2 + (P - 1) ** 2 / P,)}),
    ({P: positive()}, sp.Gt(P**4 + 1, P**2), {}),
    ({X: reals(0, 3)}, sp.Lt(sp.sin(X), X + R(1, 100)), {}),
    ({X: reals(1, 2), Y: reals(1, 2)}, sp.Lt(sp.exp(-X * Y), R(1, 2)), {}),
    ({X: reals(0, 2), Y: reals(0, 2)}, sp.Lt(X - Y, R(1, 10)), {"given": (sp.Le(X, Y),)}),
    ({N: integers(0)}, sp.Ge(N * (N + 1), 0), {}),
    ({X: reals(1, 3)}, sp.Eq((X**2 - R(1, 4)) / (X - R(1, 2)), X + R(1, 2)), {}),
]


@pytest.mark.parametrize(("variables", "conclusion", "more"), TRUE, ids=lambda v: str(v)[:40])
def test_what_is_proved(variables: Any, conclusion: Any, more: Any) -> None:
    outcome = prove(Formal(variables, conclusion, **more))
    assert outcome.holds is True, outcome.detail


FALSE = [
    ({X: reals()}, sp.Eq(sp.sin(X) ** 2 + sp.cos(X) ** 2, 1 + X**2 / 10**6)),
    ({X: reals(0, 1)}, sp.Le(X * (1 - X), R(1, 5))),
    ({X: reals(-1, 1)}, sp.Gt(X**2, 0)),
    ({N: integers(0)}, sp.Lt(N, 10)),
    ({X: reals(), Y: reals()}, sp.Ge(X**2 + Y**2, 2 * X * Y + 1)),
    ({X: reals(0, 3)}, sp.Lt(sp.sin(X), X - X**3 / 6)),
]


@pytest.mark.parametrize(("variables", "conclusion"), FALSE, ids=lambda v: str(v)[:40])
def test_what_is_refuted(variables: Any, conclusion: Any) -> None:
    outcome = prove(Formal(variables, conclusion))
    assert outcome.holds is False
    assert outcome.certified


OPEN = [
    ({X: reals(0, 2)}, sp.Eq((X**2 - 1) / (X - 1), X + 1), {}),  # undefined at 1
    ({X: reals(-1, 1)}, sp.Ge(sp.sqrt(X) + 1, 0), {}),
    ({X: reals(-1, 1)}, sp.Ge(1 / X**2, R(1, 2)), {}),
    ({X: reals()}, sp.Lt(sp.sin(X) ** 4, X**4 + 2), {}),  # true, unbounded
    ({X: reals(0, 1)}, sp.Lt(X, 2), {"given": (sp.Gt(X, 5),)}),  # nothing meets the hypothesis
    ({X: reals(0, 1)}, sp.Le(sp.sin(X), X), {}),  # equality at an end
    ({X: reals(0, 1)}, sp.Lt(sp.sin(X), sp.exp(X)), {"by": (sp.sin(X) + 5,)}),  # the chain does not hold
]


@pytest.mark.parametrize(("variables", "conclusion", "more"), OPEN, ids=lambda v: str(v)[:40])
def test_what_stays_open(variables: Any, conclusion: Any, more: Any) -> None:
    outcome = prove(Formal(variables, conclusion, **more))
    assert outcome.holds is None, outcome.detail


SQUARE = lambda f: sp.Eq((f + 1) ** 2, f**2 + 2 * f + 1)  # noqa: E731 (true wherever f is defined)


@pytest.mark.parametrize(
    ("expression", "inside", "beyond"),
    [
        (X ** R(-1, 2), Domain(Fraction(0), Fraction(1), open_low=True), reals(0, 1)),
        (X ** R(-1, 3), Domain(Fraction(0), Fraction(1), open_low=True), reals(0, 1)),
        (sp.sqrt(X), reals(0, 1), reals(-1, 1)),
        (X ** R(1, 3), reals(0, 1), reals(-1, 1)),
        (sp.log(X), Domain(Fraction(0), Fraction(1), open_low=True), reals(0, 1)),
        (sp.log(X), positive(), reals(-1, 1)),
        (sp.asin(X), reals(-1, 1), reals(-1, Fraction(11, 10))),
        (sp.asin(X), reals(0, 1), reals(-2, 0)),
        (sp.tan(X), reals(-1, Fraction(3, 2)), reals(0, 2)),
        (1 / X, between(0, 1), reals(0, 1)),
        (1 / X, reals(-2, -1), reals(-1, 1)),
        (1 / (X**2 - 2), reals(-1, 1), reals(0, 2)),
        (1 / (X**2 - 2), reals(2, 3), reals()),
        (X**Y, reals(1, 2), reals(0, 1)),
    ],
    ids=str,
)
def test_a_side_that_is_undefined_somewhere_is_proved_nothing_of(expression: Any, inside: Any, beyond: Any) -> None:
    """The same identity on a domain where its sides exist, and on one with a point (most irrational) where they do not."""
    more = {Y: reals(1, 2)} if expression.has(Y) else {}
    for domain, expected in ((inside, True), (beyond, None)):
        outcome = prove(Formal({X: domain, **more}, SQUARE(expression)))
        assert outcome.holds is expected, outcome.detail


DOUBLE = (X**2 - 2) ** 2


@pytest.mark.parametrize(
    ("variables", "conclusion", "more"),
    [
        # false at √2 alone, which is no rational point
        ({X: reals(0, 2)}, sp.Gt(DOUBLE, 0), {}),
        ({X: reals()}, sp.Lt(-DOUBLE, 0), {}),
        ({X: positive()}, sp.Gt(DOUBLE * (X + 1), 0), {}),
        # each step holds weakly, none strictly
        ({X: reals(0, 2)}, sp.Lt(0, DOUBLE, evaluate=False), {"by": (DOUBLE / 2,)}),
        ({X: reals(0, 2)}, sp.Gt(DOUBLE, 0), {"by": (DOUBLE / 2, DOUBLE / 3)}),
        ({X: reals()}, sp.Gt((X - sp.sqrt(2)) ** 2, 0), {}),
        # a first step without a difference is not strict
        ({X: reals(0, 2)}, sp.Gt(DOUBLE, 0), {"by": (sp.expand(DOUBLE),)}),
        # x + y reaches √2 where the hypothesis is barely met, between the rational points that are tried
        ({X: reals(0, 1), Y: reals(0, 1)}, sp.Le(X + Y, R(14142, 10000)), {"given": (sp.Le(X**2 + Y**2, 1),)}),
        (
            {X: reals(0, 1), Y: reals(0, 1)},
            sp.Le(X + Y, R(14142, 10000)),
            {"given": (sp.Le(X**2 + Y**2, R(1)), sp.Le(X, Y))},
        ),
        # a chain of equations with a step that is wrong
        ({X: reals()}, sp.Eq((X + 1) ** 2, X**2 + 2 * X + 1), {"by": (X**2 + 2 * X,)}),
        # true, but the ball about the double zero does not show the sign
        ({X: reals(0, 2), Y: reals(0, 2)}, sp.Gt((X**2 + Y**2 - 2) ** 2, 0), {}),
        ({X: reals(0, 2)}, sp.Gt((sp.sin(X) - R(1, 2)) ** 2, 0), {}),
        ({X: reals(-3, 3)}, sp.Gt((sp.exp(X) - 2) ** 2, 0), {}),
        ({X: reals(0, 3)}, sp.Le(sp.sin(X), R(99999, 100000)), {}),
    ],
    ids=lambda v: str(v)[:50],
)
def test_what_fails_between_the_points_that_are_tried_is_not_proved(variables: Any, conclusion: Any, more: Any) -> None:
    outcome = prove(Formal(variables, conclusion, **more))
    assert outcome.holds is not True, outcome.detail


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (reals(0, 1), (True, False, False)), (positive(), (True, True, True)), (between(0, 1), (True, True, True)),
        (reals(1), (True, True, True)), (reals(-1, 0), (False, False, False)), (between(-1, 0), (False, False, True)),
        (reals(-2, -1), (False, False, True)), (reals(), (False, False, False)), (reals(-1, 1), (False, False, False)),
        (integers(0), (True, False, False)), (integers(1), (True, True, True)),
    ],
)  # fmt: skip
def test_signs_of_domains_and_what_may_be_assumed(domain: Domain, expected: tuple[bool, bool, bool]) -> None:
    """Whether all of it is at least 0, above 0, not 0; and a symbol may be assumed that, no more."""
    assert domain.sign == expected
    for holds, name in zip(expected, ("nonnegative", "positive", "nonzero"), strict=True):
        symbol = sp.Symbol("v", real=True, **{name: True})
        make = lambda symbol=symbol: Formal({symbol: domain}, sp.Le(symbol**2 - symbol, 7))  # noqa: E731
        if holds:
            make()
        else:
            with pytest.raises(InputError, match="does not follow"):
                make()
    assert not domain.has(Fraction(1, 2)) or (not domain.integer and domain.has(Fraction(1, 2)))
    assert integers(0, 3).has(Fraction(2))
    assert not integers(0, 3).has(Fraction(3, 2))


def test_a_point_that_is_not_known_to_meet_the_hypotheses_refutes_nothing() -> None:
    """``sin² + cos² > 1`` holds nowhere, which balls do not decide."""
    formal = Formal({X: reals(0, 1)}, sp.Le(X, R(1, 2)), given=(sp.Gt(sp.sin(X) ** 2 + sp.cos(X) ** 2, 1),))
    assert try_point(formal, {X: Fraction(1)}) is None
    assert prove(formal).holds is None


@pytest.mark.parametrize(
    ("coefficients", "domain", "strict", "expected"),
    [
        ([0], reals(0, 1), True, None), ([0], reals(0, 1), False, True),
        ([1, 0], reals(0, 1), True, None), ([1, 0], Domain(Fraction(0), Fraction(1), open_low=True), True, True),
        ([-1, 1], reals(0, 1), True, None), ([-1, 1], Domain(Fraction(0), Fraction(1), open_high=True), True, True),
        ([1, 0, -2], reals(), False, None), ([1, 0, -4, 0, 4], reals(), True, None), ([1, 0, -4, 0, 4], reals(), False, True),
        ([1, -100], reals(0), False, None), ([1, -100], reals(100), False, True), ([1, 1000], reals(-100), True, True),
        ([-1, 1000], reals(0), True, None), ([1, 0, 1], reals(), True, True), ([1], reals(2, 2), True, True),
        ([1, -2], reals(2, 2), True, None), ([1, -2], reals(2, 2), False, True),
        ([1, -2, R(-1)], reals(), False, None), ([1, 0, 0, -1000], reals(0, 9), False, None),
    ],
)  # fmt: skip
def test_signs_of_polynomials_at_ends_and_double_roots(
    coefficients: list[Any], domain: Domain, strict: bool, expected: bool | None
) -> None:
    assert polynomial_sign(sp.Poly(coefficients, X), domain, strict) is expected


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=4), st.booleans(), st.booleans(), st.data())
def test_signs_of_products_of_linear_factors(roots: list[int], square: bool, strict: bool, data: st.DataObject) -> None:
    """Roots are known: the sign on a domain is that of its quarter points, its ends and its far points."""
    expression = sp.prod([(X - r) for r in roots]) * ((X - roots[0]) if square else 1)
    low = data.draw(st.none() | st.integers(-4, 3))
    high = data.draw(st.none() | st.integers(low + 1 if low is not None else -3, 5))
    open_low, open_high = data.draw(st.booleans()), data.draw(st.booleans())
    domain = Domain(
        None if low is None else Fraction(low), None if high is None else Fraction(high), open_low, open_high
    )
    grid = [Fraction(k, 4) for k in range(-24, 25) if domain.has(Fraction(k, 4))]
    values = [expression.subs(X, R(v.numerator, v.denominator)) for v in grid]
    expected = all(v > 0 if strict else v >= 0 for v in values)
    assert (polynomial_sign(sp.Poly(expression, X), domain, strict) is True) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Formal({X: reals()}, sp.Le(X, X)), "is no relation"),
        (lambda: Formal({X: reals()}, True), "is no relation"),  # type: ignore[arg-type]
        (lambda: Formal({X: reals()}, sp.Eq(X / X, 1)), "is no relation"),
        (lambda: Formal({X: reals()}, sp.And(X > 0, X < 1)), "is no relation"),
        (lambda: Formal({}, sp.Le(X, 1)), "variables"),
        (lambda: Formal({X: reals()}, sp.Le(X, Y)), "not declared"),
        (lambda: Formal({P: positive()}, sp.Gt(P, 0)), "is no relation"),
        (lambda: Formal({P: reals()}, sp.Gt(P, 1)), "does not follow"),
        (lambda: Formal({sp.Symbol("z", zero=True): reals()}, sp.Le(X, 1)), "does not follow"),
        (lambda: Formal({N: reals()}, sp.Le(N, 1)), "does not follow"),
        (lambda: Formal({sp.Symbol("i", imaginary=True): reals()}, sp.Eq(X, 1)), "does not follow"),
        (lambda: Formal({X: reals(), PLAIN: reals()}, sp.Le(X, PLAIN)), "two variables have one name"),
        (lambda: Formal({sp.Symbol("x in R: P = NP;"): reals()}, sp.Le(X, 1)), "no name of a variable"),
        (lambda: Formal({X: reals()}, sp.Le(X, 0.5)), "Float"),
        (lambda: Formal({X: reals()}, sp.Le(sp.Function("f")(X), 1)), "not allowed"),
        (lambda: Formal({X: reals()}, sp.Le(sp.zeta(X), 1)), "not allowed"),
        (lambda: Formal({X: reals()}, sp.Le(sp.Abs(X), 1)), "not allowed"),
        (lambda: Formal({X: reals()}, sp.Le(X, sp.oo)), "is no relation"),
        (lambda: Formal({X: reals()}, sp.Eq(X, sp.Integral(X, X))), "not allowed"),
        (lambda: Formal({X: reals()}, sp.Eq(X, sp.I)), "is no relation"),
        (lambda: Formal({X: (0, 1)}, sp.Le(X, 1)), "with a domain"),  # type: ignore[dict-item]
        (lambda: Formal({sp.Dummy("x"): reals()}, sp.Le(X, 1)), "with a domain"),
        (lambda: reals(0.5, 1), "not exact"),  # type: ignore[arg-type]
        (lambda: reals(2, 1), "no number lies between"),
        (lambda: between(1, 1), "no number lies between"),
        (lambda: Domain(0.5), "not exact"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_statement(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_a_statement_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs_check.claims.formal.MOST_OPERATIONS", 5)
    with pytest.raises(InputError, match="operations"):
        Formal({X: reals()}, sp.Le(sum(sp.sin(k * X) for k in range(1, 9)), 1))


class Sine(sp.Function):
    """A function that says that it is another one."""


Sine.__name__ = "sin"
Sine.__module__ = "sympy.functions.elementary.trigonometric"


def test_a_function_of_another_name() -> None:
    with pytest.raises(InputError, match="not allowed"):
        Formal({X: reals()}, sp.Le(Sine(X), 1))


def parabola(**changes: Any) -> Claim:
    options: dict[str, Any] = {
        "says": "A parabola has its top at a quarter.", "variables": {X: reals(0, 1)},
        "concludes": sp.Le(X * (1 - X), R(1, 4)), "mutants": {"fifth": sp.Le(X * (1 - X), R(1, 5))},
    }  # fmt: skip
    return statement("own.parabola", **(options | changes))


def test_a_statement_of_ones_own() -> None:
    made = parabola()
    found = judge(made, CELL, "quick")
    assert found.verdict is Verdict.PROVED
    assert "for all real x in [0, 1]: x*(1 - x) <= 1/4" in found.summary
    assert [step["rule"] for step in found.data["steps"]] == ["formal"]
    wrong = judge(made.mutants[0].mutate(made), CELL, "quick")
    assert wrong.verdict is Verdict.REFUTED
    assert wrong.data["witness"]["certified"]
    text = json.dumps(runner.describe(made))
    assert '"conclusion": "x*(1 - x) <= 1/4"' in text


def test_what_is_open_is_not_certified_at_points() -> None:
    found = judge(parabola(concludes=sp.Le(sp.sin(X), X)), CELL, "quick")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "not proved" in found.summary


def test_a_statement_says_no_more_than_its_form() -> None:
    """The words are anybody's; the verdict names what was proved, and a raw claim cannot lend itself another's proof."""
    proved = parabola(says="P = NP.")
    assert "for all real x in [0, 1]" in judge(proved, CELL, "quick").summary
    with pytest.raises(InputError, match="mutant"):
        parabola(mutants={})
    with pytest.raises(InputError, match="words"):
        parabola(says=" ")
    with pytest.raises(InputError, match=r"own\.parabola: statement: y: not declared"):
        parabola(concludes=sp.Le(X, Y))


FILE = """
import sympy as sp
from proofs_check.claims.claim import Claim, Step
from proofs_check.claims.formal import Formal, reals
from proofs_check.claims.steps import theorem
from proofs_check.own.statements import statement
from proofs_check.claims.verdicts import Outcome
x = sp.Symbol("x", real=True)
true = statement("own.top", "The top.", {x: reals(0, 1)}, sp.Le(x*(1 - x), sp.Rational(1, 4)),
                 mutants={"fifth": sp.Le(x*(1 - x), sp.Rational(1, 5))})
trig = statement("own.circle", "The circle.", {x: reals()}, sp.Eq(sp.sin(x)**2 + sp.cos(x)**2, 1),
                 mutants={"two": sp.Eq(sp.sin(x)**2 + sp.cos(x)**2, 2)})
borrowed = true.with_(id="own.borrowed", statement="P = NP.", test=lambda i, s: Outcome(True, "yes"))
cited = Claim(id="own.cited", title="", statement="P = NP.", family="own", source="", predicate="", kind="symbolic",
    scopes=lambda profile: ({"a": "b"},), instances=lambda scope, profile: [1], test=lambda i, s: Outcome(True, "yes"),
    mutants=true.mutants, derivation=(Step("P = NP", "well known", "cited"),))
theorems = cited.with_(id="own.theorem", derivation=(
    Step("the Riemann hypothesis", "so", "theorem", lambda s: theorem("Riemann", [("nothing", True)])),))
formal = cited.with_(id="own.formal", formal=true.formal, own=False, coverage=lambda s: "all")
"""


def test_what_a_file_says_of_itself_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "proof_claims.py"
    path.write_text(FILE)
    found = {}
    for task in runner.tasks(ledger.select([str(path)]), "quick"):
        found[task.claim] = runner.run_task(task)["verdict"]
    assert found.pop("own.top") == found.pop("own.circle") == "PROVED"
    assert set(found) == {"own.borrowed", "own.cited", "own.theorem", "own.formal"}
    assert set(found.values()) == {"ERROR"}  # a bare bool


@given(st.fractions(0, 1, max_denominator=9), st.fractions(0, 1, max_denominator=9))
def test_points_decide_like_rationals(x: Fraction, c: Fraction) -> None:
    formal = Formal({X: reals(0, 1)}, sp.Le(X * (1 - X), R(c.numerator, c.denominator)))
    found = try_point(formal, {X: x})
    assert found is not None
    assert found.holds is (x * (1 - x) <= c)
    assert try_point(formal, {X: x + 2}) is None
