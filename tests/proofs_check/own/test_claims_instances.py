"""Instances of users' own claims: what is counted, what is refused, shares of laws alone, second runs, keys."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.problem.problem import Problem
from proofs_check.claims.claim import ALL, SHARE, TYPICAL, Claim, Quantifier
from proofs_check.claims.comparisons import below, less
from proofs_check.claims.instances import (
    LEAST_KEPT,
    LEAST_SHARE,
    different,
    distinct,
    fingerprint,
    inexact,
    sampler,
    whole,
)
from proofs_check.claims.verdicts import Verdict
from proofs_check.ledger import ledger, runner
from proofs_check.ledger.judging import judge
from proofs_check.own import modules as local_modules
from proofs_check.own.claims import DRAWN, claim, without
from theory.base.errors import InputError


def bounded(over: Any, bound: Any = 9, **options: Any) -> Claim:
    options = {"kind": "exact", "mutants": {"less": {"limit": -1}}} | options

    @claim("own.bounded", over=over, **options)
    def at_most(n: Any, limit: Any = bound) -> Any:
        """Every one is at most the bound."""
        return below(n, limit)

    return at_most


def verdict(made: Claim) -> tuple[Verdict, str]:
    found = judge(made, DRAWN, "quick")
    return found.verdict, found.summary


@given(st.lists(st.sampled_from([0, 1, 2, Fraction(1), True]), min_size=1, max_size=12))
def test_distinct_instances_are_counted(values: list[Any]) -> None:
    found = judge(bounded(values), DRAWN, "quick")
    judged = [v for k, v in enumerate(values) if v not in values[:k]]
    if any(v is True for v in judged):  # no number
        assert found.verdict is Verdict.ERROR
        return
    assert found.verdict is Verdict.CERTIFIED
    assert found.instances == len(judged) == len({Fraction(v) for v in values})
    assert found.data["listed"] == len(values)
    assert found.data["coverage"] == "these"


def test_a_finite_domain_is_enumerated() -> None:
    assert verdict(bounded(whole(range(5)))) == (
        Verdict.CERTIFIED, "holds in 5 of 5: at_most: YES (all of {0, 1, 2, 3, 4})")  # fmt: skip
    assert verdict(bounded(range(5)))[1].endswith("(these instances: 0, 1, 2, 3, 4)")
    for members in ((), range(10**6)):
        with pytest.raises(InputError, match="members"):
            whole(members)


@pytest.mark.parametrize("quantifier", [TYPICAL, SHARE])
@pytest.mark.parametrize("over", [st.just(1), st.integers(0, 9), [1, 2], whole([1, 2])])
def test_a_share_needs_draws_from_a_law(over: Any, quantifier: Quantifier) -> None:
    found = verdict(bounded(over, quantifier=quantifier))
    assert found[0] is Verdict.ERROR
    assert "a share needs independent draws from a law" in found[1]


def test_a_share_of_a_law() -> None:
    dice = sampler(lambda seed: random.Random(seed).randint(1, 20))
    found = judge(bounded(dice, 19, quantifier=TYPICAL, examples=400), DRAWN, "quick")
    assert found.verdict is Verdict.SUPPORTED
    assert found.instances == 400  # a law may give the same twice: every draw counts
    assert "(independent draws from a law, 20 distinct, from 1 to 20)" in found.summary
    assert judge(bounded(dice, 10, quantifier=TYPICAL), DRAWN, "quick").verdict is Verdict.REFUTED
    found = verdict(bounded(sampler(lambda seed: 1), quantifier=TYPICAL))
    assert found[0] is Verdict.VACUOUS
    assert found[1].startswith("the law gave one instance 50 times")


@pytest.mark.parametrize(("kept", "total"), [(1, 5), (4, 5), (5, 26), (5, 25), (6, 30), (10, 51), (5, 5), (2, 2)])
def test_assumptions_that_leave_too_few(kept: int, total: int) -> None:
    made = bounded(range(total), 10**6, assume={"small": lambda n: n < kept})
    found = judge(made, DRAWN, "quick")
    enough = kept == total or (kept >= LEAST_KEPT and kept >= LEAST_SHARE * total)
    assert found.verdict is (Verdict.CERTIFIED if enough else Verdict.VACUOUS)
    assert (f"the assumptions keep {kept} of {total}" in found.summary) == (kept < total)
    wrong = bounded(range(total), -1, assume={"small": lambda n: n < kept})
    assert judge(wrong, DRAWN, "quick").verdict is Verdict.REFUTED  # one counterexample is enough


@pytest.mark.parametrize("answer", [float("nan"), 1, "True", np.float64(1), []])
def test_assumptions_answer_too(answer: Any) -> None:
    assert verdict(bounded([1, 2], assume={"odd": lambda n: answer}))[0] is Verdict.ERROR


def test_an_undecided_assumption_is_not_met() -> None:
    root = flint.arb(2).sqrt()
    made = bounded(
        range(40), 99, assume={"2 n is at least √2² n": lambda n: below(n * root * root, 2 * n) | less(n, 30)}
    )
    found = judge(made, DRAWN, "quick")
    assert (found.instances, found.rejected) == (30, 10)
    assert found.verdict is Verdict.CERTIFIED


@dataclass(frozen=True)
class Pair:
    left: Any
    right: Any


class Plain:
    def __init__(self, value: Any) -> None:
        self.value = value


EXACT = [1, Fraction(1, 3), "0.5", (1, (2,)), {"a": 1}, Pair(1, 2), Plain(3), flint.arb(1) / 3, sympy.pi, np.array([1, 2]),
         torch.tensor([1]), Problem(), None, True, np.int64(1)]  # fmt: skip
INEXACT = [0.5, 1j, Decimal("0.5"), mpmath.mpf(1), np.float32(1), np.array([0.5]), np.array([Fraction(1), 0.5], dtype=object),
           torch.tensor([1.0]), sympy.Float(1) * sympy.pi, float("inf")]  # fmt: skip


@pytest.mark.parametrize("value", EXACT, ids=lambda value: type(value).__name__)
def test_exact_values(value: Any) -> None:
    for nested in (value, [value], {"k": (value,)}, Pair(1, value), Plain([value])):
        assert inexact(nested) is None


@pytest.mark.parametrize("value", INEXACT, ids=lambda value: type(value).__name__)
def test_floats_are_found_wherever_they_are(value: Any) -> None:
    for nested in (value, [1, value], {"k": (value,)}, {1: Pair(1, value)}, Plain([value])):
        assert inexact(nested) is not None
    found = verdict(bounded([Pair(1, value)]))
    assert found[0] is Verdict.ERROR
    assert "exact statements are about exact numbers" in found[1]


HALF = 0.5


def _rounded(n: int) -> int:
    return int(n * HALF)


@pytest.mark.parametrize(
    "test",
    [lambda n: below(int(n * 0.5), n), lambda n, c=0.5: below(int(n * c), n), lambda n: below(_rounded(n), n),
     lambda n: below(int(n * HALF), n), lambda n: min([below(int(n * 2.0), 4 * n)], key=str)],
)  # fmt: skip
def test_floats_among_the_constants(test: Any) -> None:
    test.__doc__ = "A float that never reaches a comparison."
    for kind, wanted in (("exact", Verdict.ERROR), ("ball", Verdict.ERROR), ("sampled", Verdict.SUPPORTED)):
        made = claim("own.float", over=[1, 2], kind=kind, assume={"any": lambda n: True},  # type: ignore[arg-type]
                     mutants={"w": without("any")})(test)  # fmt: skip
        assert judge(made, DRAWN, "quick").verdict is wanted


def test_a_float_in_a_mutant_does_not_refute() -> None:
    made = bounded([1, 2], mutants={"less": {"limit": 0.5}})
    assert judge(made.mutants[0].mutate(made), DRAWN, "quick").verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ((n for n in [1]), "cannot be listed twice alike"), ({1, 2}, "cannot be listed twice alike"), ("12", "twice alike"),
        ({1: 2}, "twice alike"), (itertools.count(), "twice alike"), ([], "0 instances"), (range(10**9), "1000000000 instances"),
        (3, "twice alike"), (None, "twice alike"),
    ],
)  # fmt: skip
def test_what_instances_cannot_come_from(over: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        bounded(over)
    if not callable(over):
        found = verdict(bounded(lambda scope: over))
        assert found[0] is Verdict.ERROR


@pytest.mark.parametrize("options", [{"cells": ()}, {"examples": 0}, {"examples": 10**9}, {"examples": True}])
def test_options_are_checked(options: Any) -> None:
    with pytest.raises(InputError, match=r"cells|examples"):
        bounded([1], **options)


def test_a_predicate_that_changes_its_instance() -> None:
    @claim("own.sorted", over=[[3, 1, 2]], mutants={"m": {"c": 9}}, kind="exact")
    def sorted_at_last(values: list[int], c: int = 0) -> Any:
        """The first is the least."""
        values.sort()
        return below(values[0] + c, values[1])

    assert verdict(sorted_at_last) == (Verdict.ERROR, "the predicate changes its instance")


def test_a_predicate_that_remembers() -> None:
    calls = itertools.count()

    @claim("own.calls", over=range(9), mutants={"m": {"c": 99}}, kind="exact")
    def the_first_nine(n: int, c: int = 8) -> Any:
        """It is among the first nine calls."""
        return below(next(calls), c)

    found = verdict(the_first_nine)
    assert found[0] is Verdict.ERROR
    assert "two runs differ" in found[1]


@given(st.sampled_from([{"b", "a", "c"}, frozenset("xyz"), [{"p", "q"}], {"k": {"v", "w"}}]))
def test_fingerprints_do_not_depend_on_the_order_of_a_set(value: Any) -> None:
    program = f"from proofs_check.claims.instances import fingerprint; print(fingerprint({value!r}))"
    found = {_python(program, str(seed)) for seed in (1, 2)}
    assert found == {fingerprint(value)}


def _python(program: str, seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


def test_fingerprints_tell_contents_apart() -> None:
    many = np.zeros(5000)
    other = many.copy()
    other[2500] = 1
    values = [
        1,
        2,
        "1",
        (1,),
        [1],
        Pair(1, 2),
        Pair(2, 1),
        Plain(1),
        Plain(2),
        many,
        other,
        10**5000,
        10**5000 + 1,
        {1: 2},
    ]
    assert len({fingerprint(v) for v in values}) == len(values)
    assert fingerprint(Plain([1])) == fingerprint(Plain([1]))
    assert distinct([Plain(1), Plain(1), Plain(2)])[1] == 3
    assert len(distinct([Plain(1), Plain(1), Plain(2)])[0]) == 3  # all are judged, …
    assert different([Plain(1), Plain(1), Plain(2)]) == 2  # … and two are counted


def test_long_numbers_are_described() -> None:
    made = bounded([10**6000], 9)
    found = judge(made, DRAWN, "quick")
    assert found.verdict is Verdict.REFUTED
    assert "6001 characters" in found.data["witness"]["instance"] or len(found.data["witness"]["instance"]) == 6001


@pytest.mark.parametrize(
    "numbers",
    [{"share": 0.0}, {"share": 1.0}, {"share": -1.0}, {"confidence": 0.0}, {"confidence": 0.5}, {"confidence": 1.0}],
)
def test_quantifiers_that_say_nothing(numbers: Any) -> None:
    with pytest.raises(InputError, match="quantifier"):
        Quantifier("typical", **numbers)
    assert str(ALL) == "all"


UNSTEADY = """
import itertools, os, random, time
from proofs_check.claims.claim import TYPICAL
from proofs_check.claims.comparisons import below
from proofs_check.own.claims import claim, sampler
calls = itertools.count()
STARTED = time.time_ns()

def made(name, over, value, **options):
    @claim(name, over=over, mutants={"m": {"c": -1}}, **({"kind": "exact"} | options))
    def small(n, c=10**30):
        "It is small."
        return below(value(n), c)
    return small

drawn = made("unsteady.instances", [random.getrandbits(60) for _ in range(9)], lambda n: n)
counted = made("unsteady.sampler", sampler(lambda seed: next(calls) + 10**6 * os.getpid()), lambda n: n, quantifier=TYPICAL)
text = made("unsteady.text", ["a", "b", "c"], lambda n: n + 1)
steady = made("steady", ["a", "b", "c"], len)

@claim("unsteady.answer", over=range(9), kind="exact", mutants={"m": {"c": -1}})
def parity(n, c=1):
    "It holds here."
    first = os.environ.get("FIRST") == str(os.getpid())
    return below(0, c) if first else ~below(0, c)

@claim("unsteady.fails", over=range(9), kind="exact", mutants={"m": {"c": -1}})
def elsewhere(n, c=99):
    "It holds here alone."
    if os.environ.get("FIRST") != str(os.getpid()):
        raise SystemExit(0)
    return below(n, c)
print("what a file prints goes nowhere")
"""


def test_two_runs_that_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIRST", str(os.getpid()))
    path = tmp_path / "unsteady_claims.py"
    path.write_text(UNSTEADY)
    found = {}
    for task in runner.tasks(ledger.select([str(path)]), "quick"):
        result = runner.run_task(task)
        found[task.claim] = (result["verdict"], result["evidence"]["summary"])
    assert found["steady"][0] == "CERTIFIED"
    assert {name for name, (verdict, _) in found.items() if verdict == "ERROR"} == set(found) - {"steady"}
    assert "is another one in another process" in found["unsteady.instances"][1]
    assert "gives another instance the second time" in found["unsteady.sampler"][1]
    assert "two runs differ: instance" in found["unsteady.answer"][1]
    assert "two runs differ: evaluated again, it fails" in found["unsteady.fails"][1]
    capfd.readouterr()


HELPER = "LIMIT = 9\n"
MAIN = """
from proofs_check.claims.comparisons import below
from proofs_check.own.claims import claim
{imports}
@claim("own.helped", over=range(9), kind="exact", mutants={{"m": {{"c": -1}}}})
def small(n, c=None):
    "At most the limit of the helper."
    return below(n, {limit} if c is None else c)
"""
WAYS = [
    ({"helper_a": HELPER}, "import helper_a", "helper_a.LIMIT", "helper_a"),
    ({"helper_b": "from helper_c import LIMIT\n", "helper_c": HELPER}, "from helper_b import *", "LIMIT", "helper_c"),
    ({"pack_a/__init__": "", "pack_a/inner": "from . import limits\n", "pack_a/limits": HELPER},
     "from pack_a.inner import limits", "limits.LIMIT", "pack_a/limits"),
    ({"space_a/inner": HELPER}, "import space_a.inner", "space_a.inner.LIMIT", "space_a/inner"),
    ({"helper_d": HELPER}, "import importlib\nhelper = importlib.import_module('helper_d')", "helper.LIMIT", "helper_d"),
    ({"helper_e": HELPER}, "name = 'helper' + '_e'\nhelper = __import__(name)", "helper.LIMIT", "helper_e"),
    ({"helper_f": HELPER}, "def limit():\n    import helper_f\n    return helper_f.LIMIT", "limit()", "helper_f"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "imports", "limit", "edited"), WAYS, ids=[w[3] for w in WAYS])
def test_a_changed_helper_is_judged_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], imports: str, limit: str, edited: str
) -> None:
    monkeypatch.setattr("proofs_check.own.again.confirm", lambda *rest: None)
    monkeypatch.setattr("sys.dont_write_bytecode", False)  # compiled code of the same second and size is not current
    for name, text in files.items():
        (tmp_path / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text)
    path = tmp_path / "helped_claims.py"
    path.write_text(MAIN.format(imports=imports, limit=limit))

    def judged() -> tuple[str, str]:
        ledger.select([str(path)])
        (task,) = runner.tasks(ledger.select([str(path)]), "quick")
        return task.key, runner.run_task(task)["verdict"]

    key, verdict = judged()
    assert verdict == "CERTIFIED"
    assert judged() == (key, verdict)
    (tmp_path / f"{edited}.py").write_text("LIMIT = 7\n")
    (tmp_path / "unrelated.py").write_text("x = 1\n")
    other, verdict = judged()
    assert other != key
    assert verdict == "REFUTED"


def test_neighbours_of_one_name_in_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs_check.own.again.confirm", lambda *rest: None)
    found = []
    for k, limit in enumerate((9, 7)):
        folder = tmp_path / str(k)
        folder.mkdir()
        (folder / "same_name_helper.py").write_text(f"LIMIT = {limit}\n")
        path = folder / "helped_claims.py"
        path.write_text(MAIN.format(imports="from same_name_helper import LIMIT", limit="LIMIT"))
        (task,) = runner.tasks(ledger.select([str(path)]), "quick")
        found.append(runner.run_task(task)["verdict"])
    assert found == ["CERTIFIED", "REFUTED"]


def test_installed_modules_are_none_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "plain.py"
    path.write_text(
        "import numpy, json, proofs_check.claims.claim, hypothesis.strategies\nfrom theory import errors\nimport no_such"
    )
    assert local_modules.closure(str(path)) == {}
    path.write_text("import mine_alone")
    (tmp_path / "mine_alone.py").write_text("def broken(:")
    assert local_modules.closure(str(path)) == {"mine_alone": tmp_path / "mine_alone.py"}
