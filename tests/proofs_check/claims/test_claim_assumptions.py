"""Assumptions of one's own claims: stated with their code, and tried outside, where they may be the conclusion itself."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from proofs_check.claims.claim import Claim
from proofs_check.claims.verdicts import Evidence, Verdict
from proofs_check.ledger import ledger, runner
from proofs_check.ledger.judging import judge, outside, told_outside
from proofs_check.own import claims as user_claims
from proofs_check.own.claims import DRAWN
from proofs_check.own.modules import code_of
from proofs_check.report import page, records

FILE = '''
from fractions import Fraction
from proofs_check.claims.comparisons import below, same
from proofs_check.own.claims import claim

def is_small(n):
    """n is at most 6.

    Indeed.
    """
    return n <= 6

def own(id, *assume):
    return claim(id, over=list(range(21)), assume={f.__name__ + " " * k: f for k, f in enumerate(assume)}, kind="exact",
                 mutants={"m": {"c": 9}})

@own("own.conclusion", lambda n: 6 - n >= 0)
def at_most_six(n, c=0):
    """Every n is at most 6."""
    return below(n + c, 6)

@own("own.named", is_small, lambda n: n >= 0)
def named(n, c=0):
    """Every n is at most 6."""
    return below(n + c, 6)

@own("own.undefined", lambda n: n != 0)
def reciprocal(n, c=0):
    """1/n is at most 1."""
    return below(Fraction(1, n) + c, 1)

@own("own.mixed", lambda n: n % 2 == 0)
def even(n, c=0):
    """n is at most 20."""
    return below(n + c, 20)

@own("own.nearly", lambda n: 0 < n <= 6)
def nearly(n, c=0):
    """1/n is at least 1/6."""
    return below(Fraction(1, 6), Fraction(1, n) - c)
'''


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Claim]:
    path = tmp_path_factory.mktemp("assumed") / "assumed.py"
    path.write_text(FILE)
    return {claim.id.removeprefix("own."): claim for claim in user_claims.load(str(path))}


def told(claim: Claim) -> Evidence:
    evidence = judge(claim, DRAWN, "quick")
    return told_outside(evidence, outside(claim, DRAWN, claim.instances(DRAWN, "quick")))


def test_an_assumption_that_is_the_conclusion_is_said_to_be_one_first_of_all(claims: dict[str, Claim]) -> None:
    """CERTIFIED of what it says, which is now read at once: under the hypothesis, and what that excludes."""
    for name in ("conclusion", "named"):
        found = told(claims[name])
        assert found.verdict is Verdict.CERTIFIED
        assert found.summary.startswith(
            "the assumptions reject exactly the 14 instances where the statement fails, and may say no less than it; under “"
        )
        assert found.summary.endswith("(these instances: 7 values from 0 to 6, the assumptions keep 7 of 21)")
        assert found.data["outside"] == {"holding": 0, "failing": 14, "undecided": 0, "undefined": 0}


def test_other_assumptions_say_what_is_outside(claims: dict[str, Claim]) -> None:
    assert told(claims["mixed"]).summary.endswith("; outside the assumptions: 10 holding")
    assert told(claims["undefined"]).summary.endswith("; outside the assumptions: 1 undefined")
    assert told(claims["nearly"]).summary.startswith(
        "of the 15 instances that the assumptions reject the statement holds in none (14 failing, 1 undefined); under"
    )


def test_hypotheses_are_shown_in_words_and_code(claims: dict[str, Claim]) -> None:
    described = runner.describe(claims["named"])
    assert described["hypotheses"] == [
        {"text": "is_small", "code": "is_small: n is at most 6. return n <= 6"},
        {"text": "<lambda> ", "code": "lambda n: n >= 0"},
    ]
    assert described["assumptions"] == ["is_small", "<lambda> "]
    view = msgspec.convert(described, records.Claim)
    assert page.claim_views([view])[0].claim.hypotheses[0].code.startswith("is_small: ")


def test_the_code_of_a_function() -> None:
    pair = (lambda a: a + 1), (lambda a: a + 2)
    assert [code_of(f) for f in pair] == ["lambda a: a + 1", "lambda a: a + 2"]
    assert code_of(Fraction.limit_denominator).startswith("limit_denominator: Closest Fraction to self")
    assert code_of(len) == ""  # no text to be shown


def test_a_run_says_it(claims: dict[str, Claim]) -> None:
    """Tried in the fresh process of the file, where what never ends does no harm."""
    file = str(claims["conclusion"].file)
    task = next(t for t in runner.tasks(ledger.select([file]), "quick") if t.claim == "own.conclusion")
    found = runner.run_task(task)
    assert found["verdict"] == "CERTIFIED"
    assert found["evidence"]["summary"].startswith("the assumptions reject exactly the 14 instances")
