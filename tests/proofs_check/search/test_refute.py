"""The search for counterexamples: finds them where there are some, small ones, and none where there are none."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.matrices.assemble import float_matrix
from numerics.problem.drawn import features, interior_points
from numerics.problem.problem import Problem
from proofs_check.claims.claim import Assumption, Claim, Mutant, Scope
from proofs_check.claims.verdicts import Outcome
from proofs_check.cli.refute import _scopes as searched_cells
from proofs_check.cli.refute import refute
from proofs_check.ledger import ledger, witness
from proofs_check.own.claims import draws
from proofs_check.search import spaces as search_spaces
from proofs_check.search.refute import ROUNDS, search
from proofs_check.search.spaces import Size, is_list, like, space_of
from proofs_check.search.strategies import problems
from proofs_check.sources.source import Draw
from theory.base.errors import InputError

SLOWEST = 100.0
"""Seconds that a search may take on a busy machine; it ends by itself much earlier."""


def _claim(id: str) -> Claim:
    return next(c for c in ledger.all_claims() if c.id == id)


def _cells(claim: Claim, **wanted: str) -> list[Scope]:
    return [s for s in claim.scopes("quick") if all(s.get(key) == value for key, value in wanted.items())]


def _made(test: Any, instances: Sequence[Any], **rest: Any) -> Claim:
    """A claim about a list of instances."""
    return Claim(
        id="made.up",
        title="t",
        statement="s",
        family="made",
        source="test",
        predicate="p",
        kind="sampled",
        scopes=lambda profile: ({"cell": "only"},),
        instances=lambda scope, profile: list(instances),
        test=test,
        mutants=(Mutant("none", "nothing", "constant", lambda c: c),),
        **rest,
    )


def test_order_beyond_sine_has_one_by_one_witnesses() -> None:
    claim = _claim("spectra.order-beyond-sine")
    effort = search(claim, claim.scopes("quick"), SLOWEST)
    assert effort.best is not None
    assert effort.complete
    found = effort.best.instance
    assert (found.count, len(found.interior)) == (1, 1)
    assert effort.best.outcome.certified
    # Independently of enclosures: one entry each, far apart in float64.
    ad, fd = (abs(float(float_matrix(found, method, "float64")[0, 0])) for method in ("ad", "fd"))
    assert fd > 1.001 * ad
    (w,), (b,), (x,) = found.weights[0], found.biases, found.interior[0]
    assert max(abs(w), abs(b), abs(x)) <= 4
    assert {w.denominator, b.denominator, x.denominator} <= {1, 2}


@pytest.mark.parametrize("id", ["S2.every-small", "S2.some-small"])
def test_s2_fails_in_exact_arithmetic_for_sine(id: str) -> None:
    claim = _claim(id)
    effort = search(claim, _cells(claim, activation="sin", arithmetic="exact"), SLOWEST)
    assert effort.best is not None
    assert effort.best.outcome.certified
    assert effort.best.instance.count == 1


def test_s3_fails_in_exact_arithmetic_for_sine() -> None:
    claim = _claim("S3.entropy-order")
    cells = _cells(claim, activation="sin", arithmetic="exact")[:1]
    effort = search(claim, cells, SLOWEST)
    assert effort.best is not None
    assert effort.best.outcome.certified
    assert effort.best.instance.count == 2  # with one value there is no entropy to compare


MUTANTS = [
    "entropy.range/log-of-r-minus-1",
    "entropy.ratio-majorisation/reversed",
    "entropy.threshold/half-the-threshold",
    "spectra.exponential-reversal/as-sine",
    "spectra.sine-factorisation/any-activation",
    "spectra.sine-ordering/any-activation",
    "spectra.weyl/a-tenth-less",
    "stencils.no-average-of-high-order/any-order",
    "stencils.truncation/doubled",
    "symbols.central-bounded/one-sided",
]


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_broken(name: str) -> None:
    id, _, mutant = name.partition("/")
    claim = _claim(id)
    wrong = next(m for m in claim.mutants if m.name == mutant)
    effort = search(wrong.mutate(claim), [wrong.scope or claim.scopes("quick")[0]], SLOWEST)
    assert effort.best is not None, effort
    assert effort.best.outcome.certified


@pytest.mark.parametrize("id", ["spectra.sine-ordering", "spectra.weyl", "entropy.fannes-audenaert"])
def test_nothing_is_found_against_what_is_true(id: str) -> None:
    claim = _claim(id)
    effort = search(claim, claim.scopes("quick"), 1.0)
    assert effort.best is None
    assert effort.tried > 0
    assert effort.failing == 0
    assert not effort.complete  # the time was up: the space has no end


@pytest.mark.slow
@pytest.mark.parametrize("id", ["spectra.sine-ordering", "spectra.weyl", "spectra.mirsky", "spectra.ostrowski"])
def test_nothing_is_found_in_twenty_seconds(id: str) -> None:
    claim = _claim(id)
    effort = search(claim, claim.scopes("quick"), 20.0)
    assert effort.best is None
    assert effort.tried > 100


def test_the_same_seed_finds_the_same() -> None:
    claim = _claim("entropy.fannes-audenaert").mutants[0].mutate(_claim("entropy.fannes-audenaert"))
    scopes = claim.scopes("quick")
    first, second = (search(claim, scopes, SLOWEST) for _ in range(2))
    assert first.best is not None
    assert second.best is not None
    assert first.best.instance == second.best.instance
    assert (first.tried, first.rejected) == (second.tried, second.rejected)


def test_a_long_check_does_not_outlast_the_time() -> None:
    def endless(instance: int, scope: Scope) -> Outcome:
        time.sleep(60)
        return Outcome(True, "slept")

    start = time.monotonic()
    effort = search(_made(endless, [1, 2, 3]), [{"cell": "only"}], 0.5)
    assert time.monotonic() - start < 20
    assert effort.best is None
    assert not effort.complete


def test_another_alarm_is_left_as_it_was() -> None:
    def ring(number: int, frame: object) -> None:
        raise AssertionError("rang")

    before = signal.signal(signal.SIGALRM, ring)
    mine = signal.setitimer(signal.ITIMER_REAL, 500, 7)
    try:
        search(_made(lambda instance, scope: Outcome(True, "fine"), [1, 2]), [{"cell": "only"}], 5)
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 400 < left <= 500
        assert interval == 7
        assert signal.getsignal(signal.SIGALRM) is ring
    finally:
        signal.setitimer(signal.ITIMER_REAL, *mine)
        signal.signal(signal.SIGALRM, before)


def test_a_check_that_fails_to_run_is_no_counterexample() -> None:
    def broken(instance: int, scope: Scope) -> Outcome:
        raise ZeroDivisionError("on purpose")

    effort = search(_made(broken, [1, 2, 3]), [{"cell": "only"}], 5)
    assert effort.best is None
    assert effort.failed >= 3
    assert effort.failure == "ZeroDivisionError: on purpose"


def test_undecided_is_no_counterexample() -> None:
    effort = search(_made(lambda i, s: Outcome(None, "unknown"), [1, 2, 3]), [{"cell": "only"}], 5)
    assert effort.best is None
    assert effort.undecided == effort.tried >= 3


def test_a_list_is_searched_to_its_end_and_its_first_counterexample_found() -> None:
    claim = _made(lambda i, s: Outcome(i < 30, f"{i}", certified=True), range(40))
    assert is_list(claim, {"cell": "only"})
    found = search(claim, [{"cell": "only"}], 30)
    assert found.best is not None
    assert found.best.instance == 30
    honest = search(claim.with_(test=lambda i, s: Outcome(True, "")), [{"cell": "only"}], 30)
    assert honest.best is None
    assert honest.complete
    assert honest.tried >= 40


def test_a_check_that_changes_its_mind_is_reported_not_raised() -> None:
    answers = iter([True] * 5 + [False] + [True] * 100_000)
    effort = search(_made(lambda i, s: Outcome(next(answers), ""), range(50)), [{"cell": "only"}], 3)
    assert effort.failing == 1
    assert effort.best is None
    assert effort.failed >= 1


def test_assumptions_bound_the_space() -> None:
    odd = Assumption("odd", lambda i: i % 2 == 1)
    claim = _made(lambda i, s: Outcome(i % 2 == 1, f"{i}"), range(40), assumptions=(odd,))
    effort = search(claim, [{"cell": "only"}], 30)
    assert effort.best is None
    assert effort.rejected > 0


def test_exact_cells_come_first() -> None:
    cells = [{"arithmetic": "float32"}, {"arithmetic": "exact"}]
    effort = search(_made(lambda i, s: Outcome(False, ""), [1, 2]), cells, 30)
    assert effort.best is not None
    assert effort.best.scope == {"arithmetic": "exact"}


@given(problems(), st.data())
def test_like_keeps_what_the_problem_is(template: Problem, data: st.DataObject) -> None:
    size = Size(3, 3, 4)
    drawn = data.draw(like(template, size=size, least=2, frequencies=True))
    for name in ("operator_text", "domain", "activation_name", "boundary", "stencil", "convention", "solution"):
        assert getattr(drawn, name) == getattr(template, name)
    assert 2 <= drawn.count <= 3
    assert 2 <= len(drawn.interior) <= 3
    weights = features(drawn).weights
    assert all(any(w) for w in weights)
    assert len({max(w, tuple(-c for c in w)) for w in weights}) == len(weights)
    for point in interior_points(drawn):
        assert all(low <= x <= high for x, (low, high) in zip(point, template.domain, strict=True))


def test_explicit_problems_have_the_same_matrices() -> None:
    template = Problem(activation_name="tanh", count=5, interior=(4,), seed=3)
    written = search_spaces.explicit(template)
    assert isinstance(written.weights, tuple)
    for method in ("ad", "fd"):
        assert (float_matrix(written, method, "float64") == float_matrix(template, method, "float64")).all()


def test_cells_that_fix_the_step_keep_it() -> None:
    claim = _claim("S2.every-small")
    scope = _cells(claim, activation="tanh", arithmetic="exact")[0]
    assert {p.h for p in draws(space_of(claim, scope, Size()), 30)} == {Fraction(1, 100)}


@pytest.mark.parametrize("claim", ledger.all_claims(), ids=lambda c: c.id)
def test_every_claim_has_a_space_whose_draws_can_be_judged(claim: Claim) -> None:
    """Its draws are of the kind of its own instances, and its assumptions can be asked of them."""
    scopes = claim.scopes("quick") or claim.scopes("full")  # of some claims every cell is for the full profile
    for scope in (scopes[0], scopes[-1]):
        kinds = {
            type(instance.problem if isinstance(instance, Draw) else instance)
            for instance in islice(claim.instances(scope, "quick"), 20)
        }
        for instance in draws(space_of(claim, scope, ROUNDS[3]), 1):
            assert type(instance) in kinds
            for assumption in claim.assumptions:
                if not assumption.reads_spectra:
                    assert assumption.holds(instance) in (True, False)


def _command(id: str, **options: Any) -> int:
    return refute(claim_id=id, **({"seconds": SLOWEST, "cell": None, "save": None, "as_json": True} | options))


def test_the_answer_for_an_instance_that_is_no_problem(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(path: Path) -> dict[str, Any]:
        found = witness.check(witness.read(path))  # fresh processes are for the tests of witnesses
        return {"rechecked": found["refutes"], "certified": found["certified"], "detail": "", "reference": None}

    monkeypatch.setattr(witness, "check_elsewhere", here)
    saved = tmp_path / "witness.json"
    assert _command("entropy.range/log-of-r-minus-1", save=saved) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["id"] == "entropy.range/log-of-r-minus-1"
    assert content["found"] is content["certified"] is content["recheck"]["rechecked"] is True
    assert content["problem"] is None
    assert content["instance"] == {"first": ["2", "1"], "second": ["1", "1"]}
    assert content["quantifier"] == "all"
    assert content["recheck"]["reference"] is None
    assert json.loads(saved.read_text())["mutant"] == "log-of-r-minus-1"


def test_a_claim_with_cells_in_the_full_profile_alone_is_searched_there() -> None:
    onset = _claim("prediction.onset")
    assert not onset.scopes("quick")
    assert searched_cells(onset, None, None) == list(onset.scopes("full"))
    assert searched_cells(onset, onset.mutants[0], None) == [onset.mutants[0].scope]
    weyl = _claim("spectra.weyl")
    assert searched_cells(weyl, None, None) == list(weyl.scopes("quick"))


def test_nothing_found_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert _command("entropy.range", seconds=0.5) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["found"] is False
    assert content["problem"] is content["instance"] is content["recheck"] is None
    assert content["search"]["tried"] > 0
    assert _command("entropy.range", seconds=0.2, as_json=False) == 0
    assert "no counterexample to entropy.range" in capsys.readouterr().out


def test_a_typical_claim_says_what_a_counterexample_means(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"rechecked": False, "certified": False, "detail": "it holds there", "reference": None}
    monkeypatch.setattr(witness, "check_elsewhere", lambda path: answer)
    cell = "activation=sin,arithmetic=exact"
    assert _command("S2.every-small", cell=cell, as_json=False) == 1  # what does not re-check is a failure
    text = capsys.readouterr().out
    assert "one instance at which the predicate fails; the claim is share(0.9, 0.95)" in text
    assert "NOT re-checked: it holds there" in text


@pytest.mark.parametrize(
    ("id", "options", "message"),
    [
        ("no.such", {}, "unknown"),
        ("spectra", {}, "names [0-9]+ claims"),
        ("spectra.weyl/none", {}, "no mutant 'none'; allowed: a-tenth-less"),
        ("spectra.weyl", {"cell": "activation=relu"}, "no cell has activation=relu"),
        ("spectra.weyl", {"cell": "x"}, "--cell"),
        ("entropy.range/log-of-r-minus-1", {"save": Path("/no/such/folder/witness.json")}, "cannot be written"),
    ],
)
def test_bad_requests_are_refused(id: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _command(id, **options)
