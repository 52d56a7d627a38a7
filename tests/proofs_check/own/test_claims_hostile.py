"""Claims that are false, or say more than they test: each is an error, or its verdict says no more than was checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs_check.claims.claim import Claim
from proofs_check.claims.verdicts import POSITIVE, Evidence
from proofs_check.ledger.judging import judge, outside, told_outside
from proofs_check.own import claims as user_claims
from theory.base.errors import InputError

FILE = '''
import itertools, math, os, random, time
from dataclasses import dataclass, replace
from fractions import Fraction

import flint
import numpy as np
import sympy as sp
from flint import arb
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure
from proofs_check import proof_steps
from proofs_check.claims.claim import SHARE, TYPICAL, Claim, Mutant, Quantifier, Step
from proofs_check.claims.comparisons import below, every, less, same, some
from proofs_check.claims.formal import Formal, integers, positive, reals
from proofs_check.own.statements import statement
from proofs_check.own.claims import DRAWN, claim, sampler, whole
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import Decision, from_comparison

M = {"m": {"c": 9}}
n_, x_ = sp.Symbol("n", integer=True), sp.Symbol("x", real=True)

# 1. PROVED of what was listed, cited, or told

@claim("symbolic.list", over=list(range(1, 30)), kind="symbolic", mutants=M)
def below_thirty(n, c=0):
    """Every natural number is below 30."""
    return less(n + 30 * c, 30)

CITED = Claim(
    id="symbolic.cited", title="t", statement="P = NP.", family="f", source="me", predicate="p", kind="symbolic",
    scopes=lambda profile: (DRAWN,), instances=lambda scope, profile: [1],
    test=lambda n, scope: Outcome(same(n, 1), "yes", certified=True), mutants=(Mutant("m", "m", "sign", lambda c: c),),
    derivation=(Step("P = NP", "Riemann", "theorem", lambda scope: proof_steps.theorem("Riemann", [("nothing", True)])),),
)
FORMAL = replace(CITED, id="symbolic.formal", formal=lambda scope: (Formal({x_: reals(0, 1)}, sp.Le(x_ - x_**2, 1)),))
statement("formal.words", "There are infinitely many twin primes.", {n_: integers(1, 39)}, sp.Lt(n_**2 - n_ * 80 + 41, 0), mutants={"m": sp.Lt(n_, 0)})
statement("formal.poles", "tan x cos x is at least 0 on [0, 2].", {x_: reals(0, 2)}, sp.Ge(sp.tan(x_) * sp.cos(x_), 0),
          mutants={"m": sp.Lt(x_, 0)})
statement("formal.near", "exp(x) is at most 1 + x + x²/2 + x³/6 on [0, 2⁻²⁵]: false by less than 2⁻¹⁰⁰.", {x_: reals(0, Fraction(1, 2**25))},
          sp.Le(sp.exp(x_), 1 + x_ + x_**2 / 2 + x_**3 / 6), mutants={"m": sp.Lt(x_, 0)})

# 2. Undecided comparisons of balls

def root(n):
    return arb(n).sqrt() ** 2

@claim("ball.overlap", over=[2, 3, 5, 6, 7], kind="ball", mutants=M)
def equal_by_overlap(n, c=0):
    """√n² is n + 10⁻⁹⁹: false, and as good as equal in balls."""
    return same(root(n), Fraction(n) + Fraction(1, 10**99) + c)

@claim("ball.not-less", over=[2, 3, 5, 6, 7], kind="ball", mutants=M)
def not_less(n, c=0):
    """√n² ≥ n, as the negation of a comparison that is not decided."""
    return Decision.of(not bool(root(n) < n - c))

@claim("ball.wide", over=[1, 2, 3], kind="ball", mutants=M)
def wide(n, c=0):
    """A ball of radius 1 around n is n."""
    return same(arb(n, 1), n + c)

@claim("ball.nan", over=[1, 2, 3], kind="ball", mutants=M)
def of_nothing(n, c=0):
    """log(0) is below n."""
    return below(arb(0).log(), n - c)

@claim("ball.every-none", over=[1, 2, 3], kind="ball", mutants=M)
def of_none(n, c=0):
    """Everything holds of nothing."""
    return every(below(k, 0) for k in range(c))

@claim("ball.or-undecided", over=[2, 3], kind="ball", mutants=M)
def or_undecided(n, c=0):
    """√n² < n or √n² ≤ n: one of two undecided ones."""
    return less(root(n), n - c) | below(root(n), n - c)

@claim("ball.told", over=[1, 2, 3], kind="ball", mutants=M)
def told(n, c=0):
    """Everything is true that is told."""
    return from_comparison(c == 0)

@claim("ball.half-told", over=[1, 2, 3], kind="ball", mutants=M)
def half_told(n, c=0):
    """n is at most 3, and P = NP."""
    return below(n, 3 - c) & Decision.YES

# 3. What is no answer, and floats

@claim("answer.complex", over=[1, 2], mutants=M)
def of_complex(n, c=0):
    """The answer is a complex number."""
    return complex(1, n)

@claim("answer.list", over=[1, 2], mutants=M)
def of_list(n, c=0):
    """The answer is a list."""
    return [True]

@claim("answer.array", over=[1, 2], mutants=M)
def of_array(n, c=0):
    """The answer is an array."""
    return np.array([True])

@claim("answer.relational", over=[1, 2], mutants=M)
def of_relational(n, c=0):
    """The answer is a relation that SymPy leaves."""
    return sp.Symbol("y") < n

@claim("answer.one", over=[1, 2], kind="exact", mutants=M)
def of_one(n, c=0):
    """The answer is 1."""
    return 1

class Sure(Decision):
    holds = property(lambda self: True)
    compared = property(lambda self: 9)
    __repr__ = lambda self: "YES"

@claim("answer.forged", over=[1, 2], kind="exact", mutants=M)
def forged(n, c=0):
    """A class of one's own says YES."""
    return object.__new__(Sure)

class Certain(Outcome):
    pass

@claim("answer.outcome", over=[1, 2], kind="exact", mutants=M)
def outcome(n, c=0):
    """An Outcome of one's own class."""
    return Certain(below(n, 9 - c), "yes")

@claim("float.instance", over=[{"x": (1, [0.5])}, {"x": (2, [0.5])}], kind="exact", mutants=M)
def hidden(d, c=0):
    """A float is deep in the instance."""
    return below(d["x"][0], 9 - c)

@dataclass
class Point:
    x: int

    @property
    def half(self):
        return self.x / 2

@claim("float.property", over=[Point(1), Point(3)], kind="exact", mutants=M)
def of_property(p, c=0):
    """3 (x/10·2) is 6x/10, in floats behind a property."""
    return same(Fraction(p.half) * 2 + c, p.x)

@claim("float.decimal", over=[1, 3], kind="exact", mutants=M)
def of_log(n, c=0):
    """log₂ 2ⁿ = n by floats."""
    return same(int(sp.N(sp.log(2**n) / sp.log(2))) + c, n)

# 4. Shares, and assumptions

@claim("share.list", over=[True] * 60, quantifier=TYPICAL, mutants=M)
def of_a_list(b, c=0):
    """Most of one value repeated."""
    return b and not c

@claim("share.strategy", over=st.integers(0, 9), quantifier=TYPICAL, mutants=M)
def of_a_strategy(n, c=0):
    """Nine in ten integers are below 10."""
    return n < 10 - c

@claim("share.constant", over=sampler(lambda seed: 7), quantifier=TYPICAL, mutants=M, examples=60)
def of_a_constant(n, c=0):
    """Nine in ten draws of 7 are 7."""
    return n == 7 + c

@claim("share.few", over=sampler(lambda seed: seed % 100), quantifier=TYPICAL, mutants=M, examples=20)
def of_few_draws(n, c=0):
    """Nine in ten are below 100: twenty draws."""
    return n < 100 - 100 * c

@claim("share.sloppy", over=sampler(lambda seed: seed % 9), quantifier=TYPICAL, mutants=M)
def of_a_third(n, c=0):
    """Nine in ten residues are not 0: it is eight in nine."""
    return n != 0 and c == 0

@claim("assume.one", over=[2, 3, 5, 7, 11], assume={"n is even": lambda n: n % 2 == 0}, kind="exact", mutants=M)
def even_prime(n, c=0):
    """Every prime is 2."""
    return same(n, 2 + c)

@claim("assume.encoded", over=list(range(1, 26)), assume={"n is nice": lambda n: n * n < 65}, kind="exact", mutants=M)
def small_square(n, c=0):
    """Every square is below 65."""
    return less(n * n + 65 * c, 65)

@claim("assume.floats", over=list(range(1, 26)), assume={"n is nice": lambda n: n / 10 < 1}, kind="exact", mutants=M)
def by_floats(n, c=0):
    """n is at most 9 where n/10 < 1."""
    return below(n + c, 9)

@claim("assume.undecided", over=[2, 3, 4, 5, 6, 7, 9], assume={"root": lambda n: below(root(n), n)}, kind="ball", mutants=M)
def squares_alone(n, c=0):
    """n is a square: where √n² ≤ n is decided."""
    return same(math.isqrt(n) ** 2 + c, n)

@claim("assume.never", over=list(range(9)), assume={"no": lambda n: None}, kind="exact", mutants=M)
def never(n, c=0):
    """Anything of nothing."""
    return same(n, -1 + c)

# 5. Two runs that differ

calls = itertools.count()

@claim("run.counted", over=list(range(9)), kind="exact", mutants=M)
def counted(n, c=0):
    """It is among the first nine calls."""
    return below(next(calls), 8 - c)

@claim("run.random", over=list(range(40)), kind="exact", mutants=M)
def at_random(n, c=0):
    """A number that is drawn anew is n."""
    return below(random.SystemRandom().randrange(2), c * 0)
'''
ERRORS = {
    "ball.told": "that was told", "ball.every-none": "that was told", "ball.half-told": "that was told",
    "ball.not-less": "not decided, where Python says False",
    "answer.complex": "no truth value", "answer.list": "no truth value", "answer.array": "no truth value",
    "answer.relational": "no truth value", "answer.one": "no truth value", "answer.forged": "no plain Outcome",
    "answer.outcome": "no plain Outcome",
    "float.instance": "has the float 0.5", "float.property": "becomes an exact number", "float.decimal": "becomes an exact number",
    "share.list": "a share needs independent draws", "share.strategy": "a share needs independent draws",
    "assume.floats": "is compared, and decides",
    "run.counted": "two runs differ", "run.random": "two runs differ",
}  # fmt: skip
WEAKER = {
    # what they may come to, and what the verdict says
    "symbolic.list": ("CERTIFIED", "holds in 29 of 29: below_thirty: YES (these instances: 29 values from 1 to 29)"),
    "symbolic.cited": ("CERTIFIED", "holds in 1 of 1: yes (these instances)"),
    "symbolic.formal": ("CERTIFIED", "holds in 1 of 1: yes (these instances)"),
    "formal.words": ("PROVED", "for all integer n in [1, 39]: n**2 - 80*n + 41 < 0; 1 step ran (1 formal)"),
    "formal.poles": ("INCONCLUSIVE", "so that a side may be undefined"),
    "formal.near": ("REFUTED", "fails in"),
    "ball.overlap": ("INCONCLUSIVE", "undecided in 5 of 5"),
    "ball.wide": ("INCONCLUSIVE", "undecided in 3 of 3"),
    "ball.nan": ("INCONCLUSIVE", "undecided in 3 of 3"),
    "ball.or-undecided": ("INCONCLUSIVE", "undecided in 2 of 2"),
    "share.constant": ("VACUOUS", "the law gave one instance 60 times"),
    "share.few": ("INCONCLUSIVE", "holds in 20 of 20; share between 0.86 and 1.00"),
    "share.sloppy": ("INCONCLUSIVE", "0.9 is claimed"),
    "assume.one": ("VACUOUS", "the assumptions keep 1 of 5 instances; 5 and 1/5 of them are the least"),
    "assume.encoded": ("CERTIFIED", "the assumptions reject exactly the 17 instances where the statement fails"),
    "assume.undecided": ("VACUOUS", "the assumptions keep 2 of 7 instances"),
    "assume.never": ("VACUOUS", "none of 9 samples met the assumptions"),
}


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Claim]:
    path = tmp_path_factory.mktemp("hostile") / "hostile.py"
    path.write_text(FILE)
    return {claim.id: claim for claim in user_claims.load(str(path))}


def verdict(claim: Claim) -> Evidence:
    (scope,) = claim.scopes("quick")
    found = judge(claim, scope, "quick")
    if found.rejected and found.verdict in POSITIVE.values():
        found = told_outside(found, outside(claim, scope, claim.instances(scope, "quick")))
    return found


def test_all_are_tried(claims: dict[str, Claim]) -> None:
    assert set(claims) == set(ERRORS) | set(WEAKER)
    assert len(claims) >= 30


@pytest.mark.parametrize("id", ERRORS)
def test_what_cannot_be_a_verdict_is_an_error(claims: dict[str, Claim], id: str) -> None:
    found = verdict(claims[id])
    assert (str(found.verdict), ERRORS[id] in found.summary) == ("ERROR", True), found.summary


@pytest.mark.parametrize("id", WEAKER)
def test_no_verdict_is_wider_than_what_was_checked(claims: dict[str, Claim], id: str) -> None:
    wanted, words = WEAKER[id]
    found = verdict(claims[id])
    assert (str(found.verdict), words in found.summary) == (wanted, True), (found.verdict, found.summary)


def test_a_claim_of_ones_own_class_is_none(tmp_path: Path) -> None:
    """It could say of itself that it is the ledger's."""
    path = tmp_path / "subclass.py"
    path.write_text(
        "from proofs_check.claims.claim import Claim\nclass Own(Claim):\n    pass\n"
        "made = Own(id='a.b', title='', statement='s', family='a', source='', predicate='', kind='exact', scopes=None,"
        " instances=None, test=None, mutants=())\nCLAIMS = (made,)\n"
    )
    with pytest.raises(InputError, match="CLAIMS must be a tuple of claims"):
        user_claims.load(str(path))
