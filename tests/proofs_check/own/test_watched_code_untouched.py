"""Files of claims that exchange what judges them, forge decisions, or take an undecided one for False."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import pytest

import numerics.arithmetic.balls
from numerics.arithmetic.balls import Enclosure
from proofs_check.claims import provers
from proofs_check.claims.comparisons import below
from proofs_check.claims.verdicts import Verdict
from proofs_check.ledger.judging import judge
from proofs_check.own import claims as user_claims
from proofs_check.own import watched_code as untouched
from theory.base.enclosure import Decision
from theory.base.errors import InputError

HEAD = """
import operator, sys
from fractions import Fraction
import flint
import sympy as sp
from proofs_check.claims.claim import TYPICAL, Claim, Mutant
from proofs_check.claims.comparisons import below, every, less, same
from proofs_check.own.claims import DRAWN, claim, guess, sampler
from proofs_check.claims.verdicts import Outcome
import theory.base.enclosure as decision
import numerics.arithmetic.balls as comparisons
from numerics.arithmetic.balls import Enclosure
"""


def loaded(folder: Path, text: str, **neighbours: str) -> dict[str, Any]:
    for name, content in neighbours.items():
        (folder / f"{name}.py").write_text(content)
    path = folder / "mine.py"
    path.write_text(HEAD + text)
    return {one.id: one for one in user_claims.load(str(path))}


CLAIM = """
@claim("own.small", over=[5, 6], kind="exact", mutants={"m": {"c": 9}})
def small(n, c=0):
    "5 and 6 are at most 0."
    return below(n, -c)
"""
EXCHANGES = {
    "function": ("comparisons._ordered = lambda one, other: True", "numerics.arithmetic.balls._ordered"),
    "name in another module": ("comparisons.below = comparisons.less", "numerics.arithmetic.balls.below"),
    "prover": ("import proofs_check.claims.provers as p; p.prove = lambda formal: Outcome(True, 'yes')", "proofs_check.claims.provers.prove"),
    "property": ("decision.Decision.holds = property(lambda self: True)", "theory.base.enclosure.Decision.holds"),
    "operator": ("Enclosure.__eq__ = lambda self, other: True", "theory.base.enclosure.Enclosure.__eq__"),
    "new operator": ("Enclosure.__matmul__ = lambda self, other: True", "theory.base.enclosure.Enclosure.__matmul__"),
    "code": ("comparisons._ordered.__code__ = (lambda one, other: True).__code__", "numerics.arithmetic.balls._ordered"),
    "defaults": ("comparisons.below.__defaults__ = (0,)", "numerics.arithmetic.balls.below"),
    "fraction": ("Fraction.__le__ = lambda self, other: True", "fractions.Fraction.__le__"),
    "constant": ("decision.Decision.YES = decision.Decision.NO", "theory.base.enclosure.Decision.YES"),
    "module": ("import types; sys.modules['numerics.arithmetic.balls'] = types.ModuleType('numerics.arithmetic.balls')", "numerics.arithmetic.balls"),
    "builtin": ("import builtins; builtins.isinstance = lambda *a: True", "builtins.isinstance"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCHANGES)
def test_what_a_file_exchanges_is_named_and_put_back(tmp_path: Path, name: str) -> None:
    change, named = EXCHANGES[name]
    before = (numerics.arithmetic.balls._ordered.__code__, provers.prove, Decision.holds, Fraction.__le__, isinstance)
    with pytest.raises(InputError, match=rf"exchanges .*{named}"):
        loaded(tmp_path, f"import helper\n{CLAIM}", helper=HEAD + change)
    assert before == (
        numerics.arithmetic.balls._ordered.__code__,
        provers.prove,
        Decision.holds,
        Fraction.__le__,
        isinstance,
    )
    assert sys.modules["numerics.arithmetic.balls"] is numerics.arithmetic.balls
    assert not hasattr(Enclosure, "__matmul__")
    assert below(5, 0).holds is False
    (found,) = loaded(tmp_path, CLAIM).values()
    assert judge(found, found.scopes("quick")[0], "quick").verdict is Verdict.REFUTED


def test_nothing_is_said_of_a_file_that_exchanges_nothing(tmp_path: Path) -> None:
    text = "import helper\nclass Mine(Enclosure):\n    def __matmul__(self, other): return 1\n"
    (found,) = loaded(tmp_path, text + CLAIM, helper="import fractions\nhalf = fractions.Fraction(1, 2)\n").values()
    assert judge(found, found.scopes("quick")[0], "quick").verdict is Verdict.REFUTED
    with untouched.guarded(), untouched.guarded(everything=True):
        pass


def test_an_error_inside_does_not_hide_an_exchange() -> None:
    before = numerics.arithmetic.balls.same

    def fail() -> None:
        with untouched.guarded():
            numerics.arithmetic.balls.same = numerics.arithmetic.balls.below
            raise ValueError

    with pytest.raises(InputError, match=r"exchanges numerics\.arithmetic\.balls\.same"):
        fail()
    assert numerics.arithmetic.balls.same is before


FORGED = """
class Lie(sp.Expr):
    is_number = True
    is_Rational = True
    p, q = 0, 1

class Small(sp.Integer):
    pass

def of_small(n):
    made = Small(n)
    made.p = 0
    return made

SPACE = dict(over=[2, 3, 5], kind="ball", mutants={"m": {"c": 9}})

def root(n):
    return flint.arb(n).sqrt() ** 2

def more(n):
    return root(n) + flint.arb(flint.fmpq(1, 10**99))

MIDDLE = flint.arb(2).sqrt().mid()
PREDICATES = {
    "a class of SymPy's that lies": lambda n, c=0: below(Lie(sp.Integer(n)), -c),
    "an integer of SymPy's that lies": lambda n, c=0: below(of_small(n), -c),
    "a sum with such a one": lambda n, c=0: below(Lie() + sp.pi, -c),
    "a private function": lambda n, c=0: decision._made(True, 3),
    "the same after a pickle": lambda n, c=0: (lambda made: made[0](True, 2))(below(n, 0).__reduce__()),
    "a decision that is set": lambda n, c=0: (lambda d: (object.__setattr__(d, "_holds", True), d)[1])(below(n, 0)),
    "an end that is set": lambda n, c=0: (lambda e: (object.__setattr__(e, "upper", Fraction(0)), below(e, 0))[1])(Enclosure(0, n)),
    "a decision out of nothing": lambda n, c=0: object.__new__(decision.Decision),
    "not holds": lambda n, c=0: below(0, 1) if not less(n, more(n)).holds else below(1, 0),
    "holds": lambda n, c=0: below(0, 1) if below(root(n), n).holds else below(1, 0),
    "and": lambda n, c=0: below(1, 0) if below(root(n), n).holds and below(n, root(n)).holds else below(0, 1),
    "any": lambda n, c=0: below(0, 1) if not any(less(k, more(k)).holds for k in [n]) else below(1, 0),
    "all": lambda n, c=0: below(0, 1) if not all([less(n, more(n)).holds]) else below(1, 0),
    "bool": lambda n, c=0: below(int(bool(less(n, more(n)).holds)), 0),
    "a key": lambda n, c=0: below({n / 10: 0}[n / 10], -c),
    "a midpoint": lambda n, c=0: same(flint.arb(n).sqrt().mid() ** 2 - flint.arb(n).sqrt().mid() ** 2 + c, 0),
    "in a list": lambda n, c=0: below(1, 0) if root(n) in [1, n, n + 1] else below(0, 1),
    "not in a list": lambda n, c=0: below(0, 1) if n not in (root(n), 99) else below(1, 0),
    "a midpoint kept": lambda n, c=0: below(MIDDLE * MIDDLE, 2 - c) | below(2, MIDDLE * MIDDLE),
    "decimals of a midpoint": lambda n, c=0: less(Fraction(flint.arb(n).sqrt().str(20, radius=False)) ** 2, n + 1 - c),
    "sorted by a key": lambda n, c=0: same(sorted([(more(n), 1), (flint.arb(n), 0)], key=lambda p: p[0])[0][1] + c, 1),
    "sorted in pairs": lambda n, c=0: same(sorted([(more(n), 1), (flint.arb(n), 0)])[0][1] + c, 1),
    "an index by a key": lambda n, c=0: same(min(range(2), key=lambda k: [more(n), flint.arb(n)][k]) + c, 0),
    "filter": lambda n, c=0: same(len(list(filter(lambda r: less(r, n).holds, [root(n)]))) + c, 0),
    "any of a map": lambda n, c=0: below(1, 0) if any(map(lambda r: less(r, n).holds, [root(n)])) else below(0, 1),
    "an operator as a function": lambda n, c=0: below(1, 0) if operator.lt(root(n), n) else below(0, 1),
    "an operator as a method": lambda n, c=0: below(1, 0) if root(n).__lt__(flint.arb(n)) else below(0, 1),
    "a guess that decides": lambda n, c=0: guess(lambda: below(Fraction(n / 10), 1 - c)),
}

@claim("own.named", **SPACE)
def named(n, c=0):
    "√n² + 10⁻⁹⁹ is at most n: a name for holds."
    found = less(n, more(n)).holds
    if found:
        return below(1, 0)
    return below(0, 1)

@claim("own.walrus", **SPACE)
def walrus(n, c=0):
    "The same, in passing."
    return below(1, 0) if (found := less(n, more(n)).holds) or found else below(0, 1)

for name, predicate in PREDICATES.items():
    predicate.__doc__ = name
    claim("own." + name.replace(" ", "-").replace("'", ""), **SPACE)(predicate)
"""


def test_decisions_that_rest_on_no_comparison(tmp_path: Path) -> None:
    found = loaded(tmp_path, FORGED)
    assert len(found) == 30
    wrong = {}
    for id, one in found.items():
        evidence = judge(one, one.scopes("quick")[0], "quick")
        if evidence.verdict is not Verdict.ERROR:
            wrong[id] = (str(evidence.verdict), evidence.summary)
    assert not wrong


HONEST = """
@claim("own.digits", over=[2, 3, 5], kind="ball", mutants={"m": {"c": 99}})
def digits(n, c=0):
    "√n < √n + 10⁻³⁰, with as many digits as it takes."
    for bits in (64, 128, 256):
        with flint.ctx.workprec(bits):
            root = flint.arb(n).sqrt()
            found = less(root + c, root + flint.arb(flint.fmpq(1, 10**30)))
            if found.holds is not None:
                return found
    return found

@claim("own.sympy", over=[2, 3, 5], kind="exact", mutants={"m": {"c": 99}})
def roots(n, c=0):
    "√n is at most n, and less than e^n."
    return below(sp.sqrt(n) + c, sp.Integer(n)) & less(sp.sqrt(n), sp.exp(sp.Rational(n)))

@claim("own.keys", over=[2, 3, 5], kind="exact", mutants={"m": {"c": 99}})
def keys(n, c=0):
    "Tables are read."
    table, row = {n: Fraction(n)}, [1, 2, 3, 4, 5, 6]
    middle = guess(flint.arb(n).sqrt().mid)
    order = sorted(range(3), key=lambda k: flint.arb(k).sqrt()) + [max([(flint.arb(2), 1), (flint.arb(3).sqrt(), 2)])[1]]
    if order != [0, 1, 2, 1] or not operator.lt(flint.arb(2).sqrt(), 2) or flint.arb(3).sqrt().str(5, radius=False) == "":
        return below(1, 0)
    holds = n not in (flint.arb(9), n + 1) and flint.arb(n) in [n] and less(0, middle).holds is True
    return below(table[n] + c, n) & below(row[n - 1], row[-1]) if holds else below(1, 0)
"""


def test_honest_ones_pass(tmp_path: Path) -> None:
    for one in loaded(tmp_path, HONEST).values():
        assert judge(one, one.scopes("quick")[0], "quick").verdict is Verdict.CERTIFIED


def test_what_a_predicate_exchanges_while_it_runs(tmp_path: Path) -> None:
    text = CLAIM.replace("    return", "    comparisons._ordered = lambda one, other: True\n    return")
    (found,) = loaded(tmp_path, text).values()
    evidence = judge(found, found.scopes("quick")[0], "quick")
    assert evidence.verdict is Verdict.ERROR
    assert "exchanges numerics.arithmetic.balls._ordered" in evidence.summary
    assert below(5, 0).holds is False


def test_what_instances_are_is_said_by_the_decorators_alone(tmp_path: Path) -> None:
    found = loaded(tmp_path, """
def made(**more):
    return Claim(title="t", statement="Every natural number is below 10.", family="f", source="me", predicate="p",
                 scopes=lambda profile: (DRAWN,), instances=lambda scope, profile: [1, 2, 3] * 20,
                 mutants=(Mutant("m", "m", "sign", lambda c: c),), **more)
__adfd_claims__ = [
    made(id="own.all", kind="exact", coverage=lambda scope: "all", test=lambda n, scope: Outcome(below(n, 10), "y")),
    made(id="own.law", kind="sampled", coverage=lambda scope: "law", test=lambda n, scope: Outcome(n < 10, "y"), quantifier=TYPICAL),
]
""")  # fmt: skip
    whole, law = (judge(one, one.scopes("quick")[0], "quick") for one in found.values())
    assert "these instances" in whole.summary
    assert (law.verdict, "a share needs independent draws" in law.summary) == (Verdict.ERROR, True)


def test_cells_exchange_nothing(tmp_path: Path) -> None:
    found = loaded(tmp_path, """
def cells(profile):
    comparisons._ordered = lambda one, other: True
    return (DRAWN,)
CLAIMS = (Claim(id="own.cells", title="t", statement="5 is at most 0.", family="f", source="me", predicate="p", kind="exact", scopes=cells,
    instances=lambda scope, profile: [5], mutants=(Mutant("m", "m", "sign", lambda c: c),), test=lambda n, scope: Outcome(below(n, 0), "y")),)
""")  # fmt: skip
    with pytest.raises(InputError, match=r"exchanges numerics\.arithmetic\.balls\._ordered"):
        found["own.cells"].scopes("quick")
    assert below(5, 0).holds is False


STATES = """
import itertools
calls = itertools.count()
values = iter(range(10**6))
@claim("own.state", over=sampler(lambda seed: next(calls)), quantifier=TYPICAL, mutants={"m": {"c": 9}}, examples=100)
def counted(n, c=0):
    "A draw that counts the calls."
    return n >= 0 and not c
@claim("own.seed", over=sampler(lambda seed: [seed % 100]), quantifier=TYPICAL, mutants={"m": {"c": 9}}, examples=100)
def of_the_seed(n, c=0):
    "A draw of the seed, changed by whom it is given to."
    n.append(c)
    return not c
@claim("own.kept", over=sampler(lambda seed: seed % 100), quantifier=TYPICAL, mutants={"m": {"c": 9}}, examples=100)
def kept(n, c=0):
    "A draw of the seed."
    return not c
@claim("own.jitter", over=sampler(lambda seed: Fraction(1, 2) + Fraction(seed % 99, 10**9)), quantifier=TYPICAL,
       mutants={"m": {"c": 9}}, examples=100)
def jitter(x, c=0):
    "Nine in ten numbers between 0 and 1 are above 2/5."
    return x > Fraction(2, 5) + c
"""


def test_a_draw_is_a_function_of_its_seed(tmp_path: Path) -> None:
    found = loaded(tmp_path, STATES)
    evidence = {id: judge(one, one.scopes("quick")[0], "quick") for id, one in found.items()}
    assert {id: str(one.verdict) for id, one in evidence.items()} == {
        "own.state": "ERROR", "own.seed": "ERROR", "own.kept": "SUPPORTED", "own.jitter": "SUPPORTED"}  # fmt: skip
    assert ", from 1/2 to 250000049/500000000" in evidence["own.jitter"].summary  # one number, as good as
    assert "gives another instance the second time" in evidence["own.state"].summary
    assert "changes its instance" in evidence["own.seed"].summary


def test_the_precision_is_put_back(tmp_path: Path) -> None:
    before = flint.ctx.prec
    text = CLAIM.replace("    return", "    flint.ctx.prec = 2\n    return")
    (found,) = loaded(tmp_path, text).values()
    assert flint.ctx.prec == before
    assert judge(found, found.scopes("quick")[0], "quick").verdict is Verdict.REFUTED
    assert flint.ctx.prec == before


def test_balls_decide_as_before() -> None:
    """The same comparisons outside a file of claims: nobody is watched there."""
    root = flint.arb(2).sqrt() ** 2
    assert not below(root, 2).holds
    assert [one.holds for one in (below(1, 2), below(2, 1))] == [True, False]
