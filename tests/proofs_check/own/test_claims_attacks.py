"""Claims that would say more than was checked: each was written to get past, and each must not be positive."""

from __future__ import annotations

import math
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure
from proofs_check.claims.claim import TYPICAL, Claim, Quantifier
from proofs_check.claims.comparisons import below, same
from proofs_check.claims.formal import Domain, Formal, reals
from proofs_check.claims.provers import prove
from proofs_check.claims.verdicts import Outcome, Verdict
from proofs_check.ledger import ledger, runner
from proofs_check.ledger.judging import judge
from proofs_check.own.claims import DRAWN, claim, whole
from theory.base.enclosure import Decision, from_comparison
from theory.base.errors import InputError

GOOD = {Verdict.PROVED, Verdict.CERTIFIED, Verdict.SUPPORTED}
X = sp.Symbol("x", real=True)


def made(test: Any, over: Any, **options: Any) -> Claim:
    test.__doc__ = test.__doc__ or "It holds."
    found: Claim = claim("own.attack", over=over, mutants={"m": {"c": -9}}, **({"kind": "exact"} | options))(test)
    return found


class Lie(int):
    def __le__(self, other: object) -> bool:
        return True


class Ratio(Fraction):
    def __le__(self, other: object) -> bool:
        return True


class Ends:
    lower = upper = Fraction(0)


def forged(n: int, c: int = 1) -> Any:
    return from_comparison(True)


ATTACKS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "a callable called symbolic": (lambda n, c=10: n < c, [1, 2, 3], {"kind": "symbolic"}),
    "exact on floats": (lambda x, c=0: x + c <= 1, st.floats(0, 1), {}),
    "NaN": (lambda x, c=1: math.nan, [1.0], {"kind": "sampled"}),
    "a margin": (lambda x, c=-3: c - x, [1.0], {"kind": "sampled"}),
    "numpy's NaN": (lambda x, c=1: (np.float64("nan"), "nan"), [1.0], {"kind": "sampled"}),
    "a text": (lambda x, c="False": c, [1.0], {"kind": "sampled"}),
    "one instance often": (lambda x, c=2: x < c, st.just(1), {"kind": "sampled", "quantifier": TYPICAL}),
    "an assumption that is the conclusion": (lambda x, c=2: below(x, c), [1, 2, 5, 7, 11], {"assume": {"so": lambda x: x == 2}}),
    "an integer that lies": (lambda n, c=1: below(Lie(n), Lie(c)), [5], {}),
    "a fraction that lies": (lambda n, c=1: below(Ratio(n), Ratio(c)), [5], {}),
    "what has ends is no enclosure": (lambda n, c=1: below(Ends(), c), [5], {}),
    "an enclosure of floats": (lambda n, c=1: below(Enclosure(n / 10, n / 5), c), [5], {}),  # type: ignore[arg-type]
    "a comparison beside": (lambda n, c=1: below(0, 1) & Decision.of(n > c), [5], {}),
    "a made comparison": (forged, [5], {}),
    "rounded by math": (lambda n, c=0: same(Fraction(round(math.sqrt(n) ** 2)) + c, n), [2, 3], {}),
    "rounded by sqrt": (lambda n, c=0: same(round(sqrt(n) ** 2) + c, n), [2, 3], {}),
    "division of integers": (lambda n, c=0: same((n / 10) * 3 + c, Fraction(3 * n, 10)), [1, 2], {}),
    "a numpy integer": (lambda n, c=9: below(np.int64(n), c), [1], {}),
    "a subclass of outcome": (lambda n, c=1: Outcome(True, "yes", certified=True), [5], {"kind": "ball"}),
    "no decision in balls": (lambda n, c=5: flint.arb(n) <= c, [1], {"kind": "ball"}),
    "a generator": (lambda n, c=5: (x for x in [True]), [1], {"kind": "sampled"}),
    "nothing compared": (lambda n, c=1: Decision.YES, [1], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_what_must_not_be_positive(name: str) -> None:
    test, over, options = ATTACKS[name]
    found = judge(made(test, over, **options), DRAWN, "quick")
    assert found.verdict in {Verdict.ERROR, Verdict.VACUOUS}, found.summary
    assert "\n" not in found.summary


@pytest.mark.parametrize(
    "test",
    [lambda n, c=0: below(flint.arb(n).sqrt() ** 2 + c, n), lambda n, c=0: same(flint.arb(n).sin() ** 2 + flint.arb(n).cos() ** 2, 1 + c)],
)  # fmt: skip
def test_what_is_true_and_undecided_is_not_refuted(test: Any) -> None:
    found = judge(made(test, [2, 3], kind="ball"), DRAWN, "quick")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.undecided == 2


class Same:
    """Equal to everything, by its own word and look."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "same"


def test_equality_of_ones_own_hides_no_instance() -> None:
    found = judge(made(lambda e, c=5: below(e.value, c), [Same(1), Same(99)]), DRAWN, "quick")
    assert found.verdict is Verdict.REFUTED
    few = judge(made(lambda e, c=5: below(e.value, c), [Same(1), Same(2)]), DRAWN, "quick")
    assert "1 distinct of 2 drawn" in few.summary


class Flip(list[int]):
    """Another list every time it is read."""

    reads = 0

    def __iter__(self) -> Any:
        Flip.reads += 1
        return iter([Flip.reads])


def test_a_list_is_read_once() -> None:
    stated = made(lambda n, c=9: below(n, c), Flip([1]))
    before = Flip.reads
    for _ in range(3):
        assert judge(stated, DRAWN, "quick").verdict is Verdict.CERTIFIED
    assert Flip.reads == before


def test_an_enumerated_domain_is_shown() -> None:
    found = judge(made(lambda n, c=2: below(n, c), whole([1, 2])), DRAWN, "quick")
    assert found.summary.endswith("(all of {1, 2})")
    many = judge(made(lambda n, c=99: below(n, c), whole(range(50))), DRAWN, "quick")
    assert many.summary.endswith("(all of {0, 1, 2, 3, …, 49}, 50 in number)")


class Kind(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == "sampled" or str.__eq__(self, other)

    __hash__ = str.__hash__


class Most(Quantifier):
    """Says that it is about all."""


@pytest.mark.parametrize("options", [{"kind": Kind("exact")}, {"quantifier": Most("typical")}, {"quantifier": "all"}])
def test_options_are_plain(options: Any) -> None:
    with pytest.raises(InputError, match="is not a plain"):
        made(lambda n, c=5: below(n, c), [1], **options)


def test_data_of_an_outcome_overrides_nothing() -> None:
    answer = Outcome(
        ~below(0, 1), "no", data={"certified": False, "instance": "none", "detail": "?", "finding": "holds"}
    )
    found = judge(made(lambda n, c=5: answer, [1]), DRAWN, "quick")
    assert found.data["witness"]["certified"] is True
    assert found.data["witness"]["instance"] == "1"
    assert found.finding is None
    sampled = judge(
        made(lambda n, c=5: Outcome(False, "no", data={"certified": True}), [1], kind="sampled"), DRAWN, "quick"
    )
    assert sampled.data["witness"]["certified"] is False


class AllNumbers(Domain):
    def __str__(self) -> str:
        return "all complex numbers"


def test_statements_that_would_say_more() -> None:
    with pytest.raises(InputError, match="with a domain"):
        Formal({X: AllNumbers(Fraction(0), Fraction(1))}, sp.Le(X, 1))
    open_ = [
        Formal({X: reals(-3, -1)}, sp.Eq(sp.log(X**2), 2 * sp.log(X))),  # undefined on the right
        Formal({X: reals(0, 1)}, sp.Eq(X, 7), (sp.Gt(X, 1),)),  # nothing meets the hypothesis
        Formal({X: reals(0, 1)}, sp.Lt(1 / ((X - sp.Rational(1, 3)) ** 2 + sp.Rational(1, 10**12)), 10**11)),  # a spike
    ]
    for one in open_:
        assert prove(one).holds is None
    wrong = Formal({X: reals(-5, 5)}, sp.Eq(sp.atan(sp.tan(X)), X))  # a branch
    assert prove(wrong).holds is False


HOSTILE = """
import sys
from proofs_check.claims.comparisons import below
from proofs_check.own.claims import claim
@claim("own.mutated", over=[[1], [2]], assume={"set": lambda l: l.__setitem__(0, 0) is None}, kind="exact", mutants={"m": {"c": -1}})
def first(l, c=0):
    "The first entry is at most 0: the assumption makes it so."
    return below(l[0], c)
@claim("own.exits", over=[1], kind="exact", mutants={"m": {"c": -1}})
def leaves(n, c=0):
    "It leaves."
    raise ValueError("several\\nlines")
"""


def test_hostile_files(tmp_path: Path) -> None:
    path = tmp_path / "hostile_claims.py"
    path.write_text(HOSTILE)
    for task in runner.tasks(ledger.select([str(path)]), "quick"):
        assert runner.run_task(task)["verdict"] == "ERROR"
