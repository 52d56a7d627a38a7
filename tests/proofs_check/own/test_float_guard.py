"""Floats in predicates that are said to be exact: refused wherever they become exact numbers, are compared, or decide."""

from __future__ import annotations

import textwrap
from pathlib import Path

import flint
import pytest

from proofs_check.claims.claim import Claim
from proofs_check.claims.verdicts import Evidence, Verdict
from proofs_check.ledger.judging import judge
from proofs_check.own import claims as user_claims
from proofs_check.own import float_guard
from proofs_check.own.claims import DRAWN

HEAD = '''
"""Claims."""
from __future__ import annotations

import functools, math, operator, statistics
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import flint
import numpy as np
import sympy as sp
from flint import arb, arb as A, fmpq

import {helper}
from {helper} import tenth
from proofs_check.claims.comparisons import below, every, less, same
from proofs_check.own.claims import claim, guess, whole

def exact(id, **given):
    return claim(id, over=[1, 2, 3, 5, 6, 7], kind="ball", mutants={{"m": {{"c": 1}}}}, **given)
'''
HELPER = """
import flint

def tenth(n):
    return flint.arb(n / 10)

def divide(a, b):
    return a / b

class Box:
    def __init__(self, n):
        self.value = n / 10

    def ball(self):
        return flint.arb(self.value)

TENTH = flint.arb(1 / 10)
TABLE = [flint.arb(k / 10) for k in range(20)]
"""
FLOATS = {
    # what the n-th tenth is made by: each holds a double
    "division": "arb(n / 10)",
    "helper": "tenth(n)",
    "helper-division": "arb({helper}.divide(n, 10))",
    "alias": "A(n / 10)",
    "negative-power": "arb(n * 10 ** -1)",
    "product": "n * arb(1) * (1 / 10)",
    "mixed": "arb(1) * (n / 10)",
    "mixed-left": "(n / 10) * arb(1)",
    "float": "arb(float(n)) / 10",
    "numpy": "arb(float(np.float64(n) / 10))",
    "numpy-scalar": "arb(np.true_divide(n, 10))",
    "numpy-array": "arb(np.linspace(0, n, 11)[1])",
    "operator": "arb(operator.truediv(n, 10))",
    "attribute": "getattr(flint, 'arb')(n / 10)",
    "starred": "arb(*[n / 10])",
    "fraction": "arb(fmpq(Fraction(n / 10).numerator, Fraction(n / 10).denominator))",
    "ratio": "arb(fmpq(*(n / 10).as_integer_ratio()))",
    "text": "arb(str(n / 10))",
    "formatted": "arb(f'{{n / 10}}')",
    "percent": "arb('%.17f' % (n / 10))",
    "statistics": "arb(statistics.fmean([n])) / 10",
    "map": "list(map(arb, [n / 10]))[0]",
    "lambda": "(lambda v: arb(v))(n / 10)",
    "partial": "functools.partial(arb)(n / 10)",
    "reduce": "functools.reduce(operator.mul, [arb(1), n / 10])",
    "matrix": "flint.arb_mat([[n / 10]])[0, 0]",
    "polynomial": "flint.arb_poly([n / 10])[0]",
    "complex": "flint.acb(n / 10).real",
    "integer": "arb(int(1000 * (n / 10))) / 1000",
    "rounded": "arb(round(n / 10 * 1000)) / 1000",
    "class": "{helper}.Box(n).ball()",
    "constant": "n * {helper}.TENTH",
    "table": "{helper}.TABLE[n]",
    "own-constant": "n * OWN",
    "default": "by_default(n)",
    "math": "n * arb(math.pi) / arb(10 * math.pi)",
    "square-root": "arb(math.sqrt(n * n)) / 10",
    "evaluated": "eval('arb(n / 10)')",
    "decimal": "arb(str(Decimal(n) / 10))",
    "augmented": "added(n)",
    "item": "stored(n)",
    "cached": "cached(n)",
    "caught": "caught(n)",
}
MORE = """
OWN = arb(1 / 10)

def by_default(n, tenth=arb(1 / 10)):
    return n * tenth

def added(n):
    total = arb(0)
    total += n / 10
    return total

def stored(n):
    held = flint.arb_mat(1, 1)
    held[0, 0] = n / 10
    return held[0, 0]

@functools.lru_cache
def cached(n):
    return arb(n / 10)

def sorted_in_place(n):
    balls = [arb(n).sqrt() ** 2, arb(n)]
    balls.sort()
    return below(balls[0], n)

def caught(n):
    try:
        return arb(n / 10)
    except Exception:
        return arb(n) / 10 + 1
"""
CLAIM = '''
@exact("{id}")
def {name}(n, c=0):
    """10 (n/10) = n."""
    return ~less({made} * 10 + c, n) & ~less(n, {made} * 10 + c)
'''
DECIDED = {
    # floats and undecided balls that choose between decisions
    "branch": "same(0, 1) if n / 10 * 3 != 3 * n / 10 else same(1, 1)",
    "compared": "same(int(n / 10 * 3 == 3 * n / 10), 1)",
    "truth": "same(1, 1) if n % 2 - n / 2 else same(0, 1)",
    "chained": "same(int(0 < n / 10 < n), 1)",
    "any": "same(int(any([n / 10 - 1])), 1)",
    "isclose": "same(int(np.isclose(n / 10, n / 10)), 1)",
    "ball-branch": "same(1, 1) if arb(n).sqrt() ** 2 <= n else same(0, 1)",
    "ball-equal": "same(1, 1) if arb(n).sqrt() ** 2 == n else same(0, 1)",
    "ball-truth": "same(1, 1) if arb(n).sin() else same(0, 1)",
    "largest": "below(max(arb(n).sqrt() ** 2, arb(n)), 100)",
    "sorted-in-place": "sorted_in_place(n)",
    "overlap": "same(1, 1) if (arb(n).sin() ** 2 + arb(n).cos() ** 2).overlaps(arb(1)) else same(0, 1)",
    "contained": "same(int((arb(n).sin() ** 2 + arb(n).cos() ** 2).contains(1)), 1)",
    "zero": "same(0, 1) if not (arb(n).sin() ** 2 + arb(n).cos() ** 2 - 1).is_zero() else same(1, 1)",
    "forms": "same(1, 1) if sp.sin(n) ** 2 + sp.cos(n) ** 2 == 1 else same(0, 1)",
    "wrapped": "below(int(np.array([2**62])[0] * 2), 0)",
    "wrapped-array": "below((np.array([2**62]) * 4).tolist()[0], 0)",
    "in": "same(1, 1) if n / 10 in (n / 10, 7) else same(0, 1)",
}
DECIDED_CLAIM = '''
@exact("{id}")
def {name}(n, c=0):
    """Whatever."""
    return {made} if c == 0 else same(0, 1)
'''
GOOD = {
    # true, exact and decided: floats in words and in verified guesses alone
    "tenths": "below(arb(n) / 10 * 10, n + 1)",
    "detail": "(below(arb(n).sqrt(), n), f'{float(arb(n).sqrt()):.3f} of ' + str(float(n)) + ' %.2f' % (n / 7))",
    "guessed": "below(guess(arb, n / 10) * 10, n + 1)",
    "guessed-fraction": "below(guess(Fraction, n / 3) * 3, n + 1)",
    "decided-branch": "below(1, n) if arb(n) >= 1 else same(0, 1)",
    "chained": "same(1, 1) if 0 < n <= 7 < 8 else same(0, 1)",
    "walrus": "below(k, 8) if 0 < (k := n + 1) < 9 else same(0, 1)",
    "sorted": "below(sorted([arb(n), arb(n + 1)])[0], n)",
    "numpy-indices": "below([1, 2, 3][guess(np.argmax, [1, 3, 2])] + len(np.arange(n)), 100)",
    "mapped": "(below(n, 8), ', '.join(map(str, map(float, [arb(n), arb(2)]))))",
    "closure": "every(below(k, n) for k in range(n) if k)  & same(1, 1) if n > 1 else same(1, 1)",
    "whole-numbers": "below(math.isqrt(n) ** 2, n)",
    "long-sum": " + ".join(["0"] * 400).join(["below(", ", n)"]),
}


def made(tmp_path: Path, bodies: dict[str, str], template: str) -> dict[str, Claim]:
    """A file with a claim of each body, and its helper, loaded."""
    helper = f"helper_{template.count('{')}_{len(bodies)}"
    (tmp_path / f"{helper}.py").write_text(HELPER)
    text = HEAD.format(helper=helper) + MORE
    for k, (name, body) in enumerate(bodies.items()):
        filled = body.replace("{helper}", helper).replace("{{", "{").replace("}}", "}")
        text += template.format(id=f"own.{name}", name=f"claim_{k}", made=filled)
    path = tmp_path / "claims.py"
    path.write_text(textwrap.dedent(text))
    return {claim.id.removeprefix("own."): claim for claim in user_claims.load(str(path))}


def verdicts(claims: dict[str, Claim]) -> dict[str, Evidence]:
    return {name: judge(claim, DRAWN, "quick") for name, claim in claims.items()}


def test_no_double_gets_into_a_ball(tmp_path: Path) -> None:
    """Ten times the n-th tenth is n: false of the doubles, and so REFUTED "with proof" if one got through."""
    found = verdicts(made(tmp_path, FLOATS, CLAIM))
    assert {name: str(e.verdict) for name, e in found.items()} == dict.fromkeys(FLOATS, "ERROR")
    assert {name: e.summary for name, e in found.items() if "float" not in e.summary and name != "evaluated"} == {}
    assert "write the code out" in found["evaluated"].summary
    assert found["division"].summary.startswith("claims.py:")
    assert "write Fraction(n, 10)" in found["division"].summary


def test_floats_and_undecided_balls_decide_nothing(tmp_path: Path) -> None:
    found = verdicts(made(tmp_path, DECIDED, DECIDED_CLAIM))
    assert {name: str(e.verdict) for name, e in found.items()} == dict.fromkeys(DECIDED, "ERROR")
    assert "write below(a, b)" in found["ball-branch"].summary
    assert "write same(a, b)" in found["ball-equal"].summary
    assert "a.max(b)" in found["largest"].summary
    assert "compares forms" in found["forms"].summary
    assert "fixed width" in found["wrapped-array"].summary


def test_exact_predicates_keep_their_verdicts(tmp_path: Path) -> None:
    found = verdicts(made(tmp_path, GOOD, DECIDED_CLAIM))
    assert {name: (str(e.verdict), e.summary) for name, e in found.items() if e.verdict is not Verdict.CERTIFIED} == {}


def test_sampled_claims_may_use_floats(tmp_path: Path) -> None:
    path = tmp_path / "sampled.py"
    path.write_text(
        "from proofs_check.own.claims import claim\nimport flint\n"
        '@claim("own.sampled", over=[1, 2], mutants={"m": {"c": 9}})\n'
        'def near(n, c=0):\n    """Near."""\n    return abs(float(flint.arb(n / 10) * 10) - n) + c < 1e-9\n'
    )
    (claim,) = user_claims.load(str(path))
    assert judge(claim, DRAWN, "quick").verdict is Verdict.SUPPORTED


def test_the_watch_ends_with_the_predicate() -> None:
    with pytest.raises(ZeroDivisionError), float_guard.watching():
        raise ZeroDivisionError
    assert float_guard.binary("mul", flint.arb(1), 0.5) == flint.arb(1) / 2
    with pytest.raises(float_guard.FloatError), float_guard.watching():
        float_guard.binary("mul", flint.arb(1), 0.5)


def test_watched_code_is_the_code(tmp_path: Path) -> None:
    """Chains, frames, classes, annotations, patterns and formats do what Python does."""
    path = tmp_path / "plain.py"
    path.write_text(
        textwrap.dedent(
            '''
            """Doc."""
            from __future__ import annotations
            from collections import namedtuple
            from enum import Enum
            import sympy
            from proofs_check.claims.claim import Claim
            from proofs_check.claims.formal import reals
            from proofs_check.own.statements import statement

            Point = namedtuple("Point", "x y")
            Colour = Enum("Colour", "RED BLUE")
            calls = []

            def seen(value):
                calls.append(value)
                return value

            class Base:
                limit = 3
                inside = 1 < limit < 5
                def name(self) -> str | None:
                    return "base"

            class Derived(Base):
                def name(self):
                    return f"{super().name()!r:>8}|{1 / 4:{'.3f'}}|{sorted(locals())}"

            short = [seen(1) < seen(0) < seen(7), seen(0) or seen(5), not seen(2)]
            def kind(x):
                match x:
                    case 0.5: return "half"
                    case [a, *rest] if a: return rest
                    case _: return None
            table = {k: k % 3 for k in range(5) if k}
            table[1] += 4
            exec("executed = 1 + 1")
            evaluated = eval("executed + table[1]")
            sympy.var("y")
            x = sympy.Symbol("x", real=True)
            made = statement("own.square", "Squares.", {x: reals(0, 1)}, sympy.Le(x * (1 - x), sympy.Rational(1, 4)),
                             mutants={"m": sympy.Le(x, 0)})
            '''
        )
    )
    (claim,) = user_claims.load(str(path))
    found = user_claims.module(str(path))
    assert claim.id == "own.square"
    assert found.__doc__ == "Doc."
    assert found.Point.__module__ == found.Colour.__module__ == found.__name__
    assert found.Base.inside
    assert found.Derived().name() == "  'base'|0.250|['__class__', 'self']"
    assert found.short == [False, 5, False]
    assert found.calls == [1, 0, 0, 5, 2]
    assert (found.kind(0.5), found.kind([1, 2]), found.kind("")) == ("half", [2], None)
    assert (found.executed, found.evaluated, str(found.y)) == (2, 7, "y")
    assert found.table == {1: 5, 2: 2, 3: 0, 4: 1}
    assert found.Base.name.__annotations__ == {"return": "str | None"}
