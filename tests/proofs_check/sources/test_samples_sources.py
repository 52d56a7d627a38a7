"""S1, S2 and S3: seeds, what is kept of a sample, single problems against batches, and a problem file of one's own."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numerics.matrices.batches import DrawnSpectra
from numerics.problem.problem import Problem
from numerics.runs.store import Store
from numerics.spectra import spectrum as kept
from proofs_check.claims.claim import address, parse_address
from proofs_check.claims.comparisons import problem
from proofs_check.claims.verdicts import Outcome
from proofs_check.cli.main import app
from proofs_check.cli.verify import judge
from proofs_check.ledger import ledger
from proofs_check.ledger.judging import evaluate
from proofs_check.sources.decisions import entropy_gaps, leading_values, small_values
from proofs_check.sources.samples import CURVES, TAUS, Sample, Setting, conventions, read, reduce, reduced, rules, shape
from proofs_check.sources.source import DRAWS, EXACT_DRAWS, Draw, order_outcome, small_outcome
from theory.base.errors import InputError
from theory.entropy.conventions import Convention

FIRST = "w~N(0,1) h=1/100"
SMALL = Setting("tanh", "u_xx", FIRST, "n=12")


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_no_two_settings_share_a_draw(profile: Any) -> None:
    claim = next(c for c in ledger.all_claims() if c.id == "S2.every-small")
    settings = {Setting.of(scope) for scope in claim.scopes(profile)}
    firsts = sorted(s.first_seed for s in settings)
    assert all(b - a >= DRAWS[profile] for a, b in itertools.pairwise(firsts))
    assert len(firsts) == len(settings) >= 25


def test_the_sizes_that_are_judged() -> None:
    claim = next(c for c in ledger.all_claims() if c.id == "S3.entropy-order")
    quick = {(s["activation"], s["size"], s["arithmetic"]) for s in claim.scopes("quick") if s["operator"] == "u_xx"}
    all_of_them = {(s["activation"], s["size"], s["arithmetic"]) for s in claim.scopes("full")}
    for activation, n, arithmetic in itertools.product(
        ("tanh", "sin", "erf", "gaussian"), (24, 64, 128, 256), ("float32", "float64")
    ):
        if n < 256 or activation in ("tanh", "sin"):
            assert (activation, f"n={n}", arithmetic) in quick
        assert (activation, f"n={n}", arithmetic) in all_of_them
    assert ("tanh", "N=64,M=128", "float64") in quick
    assert ("tanh", "N=128,M=64", "float64") in all_of_them
    assert sum(1 for _, size, arithmetic in quick if (size, arithmetic) == ("n=64", "exact")) == 3
    assert min(DRAWS.values()) >= 90
    assert EXACT_DRAWS[64] == 10
    full = {(s["size"], s["arithmetic"]) for s in claim.scopes("full")}
    assert {("n=512", "float64"), ("n=128", "exact"), ("n=256", "exact")} <= full


def test_sizes_with_commas_read_back_from_an_address() -> None:
    scope = {"arithmetic": "float64", "regime": FIRST, "size": "N=128,M=64", "convention": "fixed r=8, power 2"}
    assert parse_address(address(scope)) == scope
    assert parse_address("size=N=128,M=64,arithmetic=exact") == {"size": "N=128,M=64", "arithmetic": "exact"}
    assert parse_address("M=3,N=4") == {"M": "3", "N": "4"}
    with pytest.raises(InputError, match="write n=64"):
        shape("64")


def test_a_draw_is_the_problem_that_anyone_can_write() -> None:
    draw = Draw(Sample(SMALL, "float64", 4), 3)
    assert draw.problem.seed == SMALL.first_seed + 3
    assert (draw.problem.count, draw.problem.interior, draw.problem.step) == (12, (12,), (Fraction(1, 100),))
    oblong = Setting("sin", "u_xx", FIRST, "N=30,M=10").template
    assert (oblong.count, oblong.interior) == (10, (30,))
    plane = Setting("tanh", "poisson 2-D", FIRST, "n=16").template
    assert (plane.count, plane.interior) == (16, (4, 4))


@pytest.mark.parametrize("id", ["S1.leading-agree", "S2.every-small", "S2.some-small", "S3.entropy-order"])
@pytest.mark.parametrize("arithmetic", ["float32", "float64"])
def test_a_problem_alone_is_judged_as_in_its_batch(id: str, arithmetic: Any) -> None:
    claim = next(c for c in ledger.all_claims() if c.id == id)
    labels = rules() if id.startswith("S1") else conventions()
    for k, label in itertools.product(range(3), labels if "S2" not in id else ["—"]):
        scope = {"arithmetic": arithmetic, "convention": label} | SMALL.scope
        draw = Draw(Sample(SMALL, arithmetic, 5), k)
        batched, alone = claim.test(draw, scope), claim.test(draw.problem, scope)
        assert (batched.holds, batched.detail) == (alone.holds, alone.detail)


def test_samples_come_back_from_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_BACKING", [Store(None)])
    sample = Sample(SMALL, "float32", 6)
    read.cache_clear()
    first = read(sample)
    assert not kept._BACKING[0].missing([sample.key])
    read.cache_clear()
    assert read(sample) == first
    read.cache_clear()
    assert Sample(SMALL, "float32", 7).key != sample.key


def made(ad: list[float], fd: list[float], noise: float = 0.0, floor: float = 0.0) -> Any:
    drawn = DrawnSpectra(np.array([ad]), np.array([fd]), np.array([floor]), 1.0)
    return reduce(drawn, noise, conventions())


def test_what_is_kept_of_a_spectrum_by_hand() -> None:
    found = made([8.0, 4.0, 2.0, 1.0], [8.0, 5.0, 3.0, 0.5], noise=1.5, floor=3.0)
    assert (found.larger, found.smaller, found.last) == ([1], [1], [4])
    assert found.ratio == [1.5]
    assert found.apart["all"] == [0.5]
    assert (found.own_knee, found.knee) == ([3], [2])
    assert small_outcome(found, 0, "every").holds is False
    assert small_outcome(found, 0, "some").holds is True


def test_ties_and_undefined_entropies_are_no_decisions() -> None:
    same = made([2.0, 1.0], [2.0, 1.0])
    assert order_outcome(same, 0, Convention().label).holds is None
    alone = made([1.0, 1e-20], [1.0, 1e-21])  # one value is kept by all: H = 0 for both, which is ≥
    assert order_outcome(alone, 0, Convention().label).holds is True
    normal = Convention(normalised=True).label
    assert order_outcome(alone, 0, normal).holds is None
    assert order_outcome(alone, 0, Convention().label, Fraction(1, 2)).holds is False


def test_curves_agree_with_the_conventions_at_their_tolerances() -> None:
    """The continuous tolerance axis, at the τ that is a convention's own, counts the same draws."""
    found = reduced(SMALL.template, range(SMALL.first_seed, SMALL.first_seed + 12), "float32", conventions())
    curves = {(c.rule, c.power): c for c in found.curves}
    assert list(curves) == list(CURVES)
    for label, convention in conventions().items():
        if convention.rule == "fixed":
            continue
        at = min(range(len(TAUS)), key=lambda k: abs(np.log10(TAUS[k] / float(convention.tau))))
        outcomes = [order_outcome(found, k, label) for k in range(12)]
        curve = curves[convention.rule, convention.power]
        column, missing = (
            (curve.normalised, curve.normalised_undecided)
            if convention.normalised
            else (curve.raw, curve.raw_undecided)
        )
        assert column[at] == sum(o.holds is True for o in outcomes)
        assert missing[at] == sum(o.holds is None for o in outcomes)
    half = curves["fixed", 1]
    every = sum(bool(small_outcome(found, k, "every").holds) for k in range(12))
    assert half.small[half.tolerances.index(0.5)] == every  # S2 with r = n/2 is S2


def test_what_is_measured_beside_the_number() -> None:
    def outcome(**numbers: float) -> Outcome:
        return Outcome(True, "d", data=numbers)

    words, data = entropy_gaps(
        [outcome(relative_gap=g, cutoff_ad=10, cutoff_fd=36, knee=12, own_knee=20) for g in (0.1, 0.2, 0.4)]
    )
    assert data["relative_gap"] == {"median": 0.2, "low": 0.1, "high": 0.4}
    assert (data["mechanism"], data["tie_in_size"]) == ("noise counted", False)
    assert "r = 10 (AD), 36 (FD); FD's r counts round-off (knee at 12)" in words
    words, data = entropy_gaps([outcome(relative_gap=-2e-5, cutoff_ad=23, cutoff_fd=23, knee=9, own_knee=13)] * 3)
    assert "a tie in size" in words
    assert "noise of A_AD itself is judged (its knee at 13)" in words
    assert (data["past_own_knee"], data["mechanism"]) == (3, "floor")
    words, data = entropy_gaps([outcome(relative_gap=1e-5, cutoff_ad=5, cutoff_fd=5, knee=9, own_knee=13)])
    assert data["mechanism"] == "truncation"
    assert small_values([outcome(larger=3, of=6, knee=7)])[1]["mechanism"] == "truncation"
    assert small_values([outcome(larger=6, of=6, knee=6)])[1]["mechanism"] == "floor"
    assert leading_values([outcome(apart=0.5, cutoff_ad=10, knee=9, own_knee=13)])[1]["mechanism"] == "floor"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(
        '[problem]\noperator = "u_xx"\nsolution = "sin(pi*x)"\n[features]\nactivation = "tanh"\ncount = 16\nseed = 5\n'
        '[points]\ninterior = 20\n[entropy]\nrule = "energy"\ntau = "1e-6"\n'
    )
    return path


def _judge(path: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> Any:
    defaults: dict[str, Any] = {"ids": ["S1", "S2", "S3"], "draws": 12, "rule": None, "tau": None, "rank": None, "power": None,
                                "normalised": None, "as_json": True}  # fmt: skip
    assert judge(path=str(path), **(defaults | options)) == 0
    text = capsys.readouterr().out
    return json.loads(text) if (defaults | options)["as_json"] else text


def test_a_readers_own_problem(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = _judge(own, capsys, power=2, normalised=True)
    assert content["convention"] == "energy τ=1e-6, power 2, normalised"
    assert (content["draws"], content["seeds"], content["facts"]) == (12, [5, 16], 8)
    assert len(content["statements"]) == 8
    for one in content["statements"]:
        low, high = one["evidence"]["data"]["confidence_bounds"]
        assert low <= one["evidence"]["holding"] / 12 <= high
        assert one["finding"] in ("holds", "reversed", "mixed", "open")
        assert one["finding"] != "holds", "12 draws do not show a share of 9 in 10"
    # each draw is the file with another seed, judged by the spectra of that file alone
    from numerics.problem import file as problem_file
    from numerics.spectra.spectrum import spectrum

    every = next(s for s in content["statements"] if s["id"] == "S2.every-small" and s["arithmetic"] == "float32")
    file, holding = problem_file.load_problem(str(own)), 0
    for seed in range(5, 17):
        ad, fd = (spectrum(file.with_(seed=seed), m, "float32").floats()[8:] for m in ("ad", "fd"))
        holding += all(f > a for a, f in zip(ad, fd, strict=True))
    assert every["evidence"]["holding"] == holding
    printed = _judge(own, capsys, ids=["S2"], as_json=False)
    assert "12 draws of the features (seeds 5 to 16)" in printed


def test_bad_requests_for_a_readers_problem(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    for options, message in (
        ({"ids": ["S4"]}, "--problem: S4"),
        ({"ids": []}, "allowed: S1, S2, S3"),
        ({"draws": 0}, "--draws: 0"),
        ({"tau": "2"}, "tau"),
    ):
        with pytest.raises(InputError, match=message):
            _judge(own, capsys, **options)
    given = tmp_path / "given.toml"
    given.write_text('[problem]\noperator = "u_xx"\nsolution = "x"\n[features]\nactivation = "tanh"\ncount = 1\n'
                     'weights = {values = ["1/3"]}\n')  # fmt: skip
    with pytest.raises(InputError, match="there are draws"):
        _judge(given, capsys)
    for words in (["S2", "--draws", "5"], ["S2", "--problem", str(own), "--mutants"]):
        found = CliRunner().invoke(app, ["verify", *words])
        assert isinstance(found.exception, InputError)
        assert "--problem" in str(found.exception)


def test_problem_of_two_sizes() -> None:
    assert problem("tanh", size=6, points=9).interior == (9,)


def test_every_draw_is_told_of() -> None:
    told: list[tuple[int, int]] = []
    reduced(problem("tanh", size=6), range(3), "float32", {}, tell=lambda *counts: told.append(counts))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("arithmetic", ["exact", "float64"])
def test_where_nothing_is_large_s1_says_nothing(arithmetic: str) -> None:
    """Features without frequency: A_AD = 0, and no rule keeps a value."""
    nothing = Problem(
        activation_name="sin", weights=((Fraction(0),),) * 2, biases=(Fraction(1), Fraction(2)), count=2,
        interior=((Fraction(0),), (Fraction(1, 2),)), step=(Fraction(1, 100),),
    )  # fmt: skip
    (claim,) = ledger.select(["S1.leading-agree"])
    scope = next(s for s in claim.scopes("quick") if s["arithmetic"] == arithmetic and s["activation"] == "sin")
    assert evaluate(claim, nothing, scope).holds is None
