"""Claims of one's own: the decorator, files, verdicts, mutants, and one clear line for every mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import numpy as np
import processes
import pytest
import sympy
import torch
from hypothesis import strategies as st
from pages import unfolded

from proofs_check.claims.claim import Claim
from proofs_check.claims.comparisons import below
from proofs_check.claims.verdicts import Outcome, Verdict
from proofs_check.cli.refute import refute
from proofs_check.cli.verify import verify
from proofs_check.ledger import ledger, runner
from proofs_check.ledger.judging import evaluate, judge
from proofs_check.own import claims as user_claims
from proofs_check.own.claims import DRAWN, claim, draws, without
from proofs_check.search.strategies import rationals, spectra
from theory.base.enclosure import Decision, every
from theory.base.errors import InputError

TUTORIAL = Path(__file__).parents[1] / "tutorial.py"
HEAD = "from hypothesis import strategies as st\nfrom proofs_check.own.claims import claim, without\n"
HEAD += "from proofs_check.claims.comparisons import below\n"
GOOD = """
@claim("own.{name}", over=st.integers(0, 9), kind="exact", mutants={{"less": {{"bound": 5}}}})
def digits(n, bound=9):
    "Digits are at most nine."
    return below(n, bound)
"""


@pytest.fixture(autouse=True)
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADFD_DEVICE", "cpu")  # verify sets it; restored after the test


@pytest.fixture
def tutorial(tmp_path: Path) -> Path:
    """The tutorial's file with fewer instances."""
    path = tmp_path / "my_claims.py"
    text = TUTORIAL.read_text(encoding="utf-8")
    assert text.count("over=SINE") == 2
    path.write_text(text.replace("over=SINE", "over=SINE, examples=12"), encoding="utf-8")
    return path


def _write(path: Path, text: str) -> str:
    path.write_text(HEAD + text)
    return str(path)


def _verify(*ids: str, out: Path, **options: Any) -> int:
    defaults: dict[str, Any] = {
        "mutants": False, "profile": "quick", "jobs": 1, "device": "cpu", "resume": False, "cell": None,
        "record": False, "against": None, "as_json": True,
    }  # fmt: skip
    return verify(ids=list(ids), out=out, **(defaults | options))


def _cells(out: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((out / "ledger.json").read_text())
    return {claim["id"]: cell for claim in content["claims"] for cell in claim["cells"]}


def test_the_tutorial(tutorial: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One true conjecture, one false, both mutants refuted; verdicts of one's own are not compared: exit 0."""
    out = tmp_path / "out"
    assert _verify(str(tutorial), out=out) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["summary"]["mutants"] == {"total": 2, "refuted": 2}
    assert content["summary"]["unrecorded"] == 2
    cells = _cells(out)
    assert cells["mine.norm"]["verdict"] == "CERTIFIED"
    assert cells["mine.condition"]["verdict"] == "REFUTED"
    assert cells["mine.condition"]["evidence"]["data"]["witness"]["certified"]
    assert {cell["status"] for cell in cells.values()} == {"unrecorded"}
    page = unfolded((out / "index.html").read_text(encoding="utf-8"))
    assert "mine.condition" in page
    assert "REFUTED" in page


def test_the_smallest_counterexample_of_the_tutorial(
    tutorial: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "witness.json"
    name = f"{tutorial}::mine.condition"
    assert refute(claim_id=name, seconds=100, cell=None, save=saved, as_json=True) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["found"]
    assert content["certified"]
    assert content["recheck"]["rechecked"]
    assert content["recheck"]["reference"]["refutes"]
    assert content["problem"]["features"]["count"] == 2
    ad, fd = ([float(v) for v in content["values"]["singular_values"][m]] for m in ("ad", "fd"))
    assert fd[0] / fd[1] < ad[0] / ad[1]
    assert json.loads(saved.read_text())["file"] == str(tutorial)


def test_a_cell_of_ones_own_in_worker_processes(tmp_path: Path) -> None:
    path = _write(tmp_path / "one_claims.py", GOOD.format(name="a"))
    chosen = ledger.select([path])
    work = [*runner.tasks(chosen, "quick"), *runner.mutant_tasks(chosen, "quick")]
    parallel = runner.run(work, jobs=2, store_path=tmp_path / "store.sqlite")
    assert [r["verdict"] for r in parallel] == [Verdict.CERTIFIED, Verdict.REFUTED]
    serial = [runner.run_task(task) for task in work]
    for a, b in zip(parallel, serial, strict=True):  # the same instances are drawn in every process
        assert json.loads(json.dumps(a["evidence"])) == json.loads(json.dumps(b["evidence"]))


def test_an_edited_file_is_judged_anew(tmp_path: Path) -> None:
    path = tmp_path / "one_claims.py"
    _write(path, GOOD.format(name="a"))
    (before,) = runner.tasks(ledger.select([str(path)]), "quick")
    key = before.key
    _write(path, GOOD.format(name="a").replace("below(n, bound)", "below(n + 1, bound)"))
    (after,) = runner.tasks(ledger.select([str(path)]), "quick")
    assert after.key != key
    assert runner.run_task(after)["verdict"] == Verdict.REFUTED


def test_files_and_claims_of_the_ledger_together(tmp_path: Path) -> None:
    path = _write(tmp_path / "one_claims.py", GOOD.format(name="a") + GOOD.format(name="b"))
    assert [c.id for c in ledger.select([f"{path}::own.b", "entropy.range"])] == ["own.b", "entropy.range"]
    # both are there, although the second function took the first one's name
    assert [c.id for c in ledger.select([path])] == ["own.a", "own.b"]
    assert [c.id for c in ledger.select([f"{path}::own"])] == ["own.a", "own.b"]


def test_a_surviving_mutant_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path / "weak_claims.py", GOOD.format(name="weak").replace('"bound": 5', '"bound": 50'))
    assert _verify(path, out=tmp_path / "out", as_json=False) == 1
    assert "SURVIVED own.weak: mutant less (bound = 50): CERTIFIED" in " ".join(capsys.readouterr().out.split())
    assert _verify(path, out=tmp_path / "out", mutants=True) == 1


def test_vacuous_and_broken_claims_fail(tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = GOOD.format(name="vacuous").replace('kind="exact"', 'assume={"huge": lambda n: n > 10}')
    assert _verify(_write(tmp_path / "vacuous_claims.py", text), out=out) == 1
    assert _cells(out)["own.vacuous"]["verdict"] == "VACUOUS"
    text = GOOD.format(name="broken").replace("return below(n", "return below(1 // (n - 3) or n")
    assert _verify(_write(tmp_path / "broken_claims.py", text), out=out) == 1
    cell = _cells(out)["own.broken"]
    assert cell["verdict"] == "ERROR"
    assert "ZeroDivisionError" in cell["evidence"]["summary"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:\n", ":4: syntax error"),
        ("x = 1\n", "no claims"),
        (GOOD.format(name="a") + GOOD.format(name="a").replace("digits", "others"), "two claims are called own.a"),
        (GOOD.format(name="a").replace('{"less": {"bound": 5}}', "{}"), "has no mutant"),
        (GOOD.format(name="a").replace('{"bound": 5}', '{"limit": 5}'), "has no 'limit'; allowed: bound"),
        (GOOD.format(name="a").replace('{"bound": 5}', "{}"), "mutant less changes nothing"),
        (GOOD.format(name="a").replace('{"bound": 5}', 'without("odd")'), "no assumption contains 'odd'"),
        (GOOD.format(name="a").replace('"Digits are at most nine."', "pass"), "needs a docstring"),
        (GOOD.format(name="a").replace("bound=9", "bound"), "parameter bound of digits needs a default"),
        (GOOD.format(name="a").replace('"exact"', '"certain"'), "kind 'certain'"),
        (GOOD.format(name="a").replace("own.a", "spectra.weyl"), "the id is taken by the ledger"),
        ("raise RuntimeError('on purpose')\n", ":4: RuntimeError: on purpose"),
        ("import no_such_module_anywhere\n", ":4: ModuleNotFoundError"),
        ("raise SystemExit(0)\n", ":4: SystemExit"),
        ("CLAIMS = (1, 2)\n", "CLAIMS must be a tuple of claims"),
        ("CLAIMS = ()\n", "no claims"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = _write(tmp_path / "wrong_claims.py", text)
    with pytest.raises(InputError) as caught:
        ledger.select([path])
    assert message in str(caught.value)
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)


def test_mistakes_on_the_command_line(tmp_path: Path) -> None:
    path = _write(tmp_path / "wrong_claims.py", "def broken(:\n")
    done = processes.adfd("verify", path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "syntax error" in done.stderr


def test_missing_files_and_unknown_ids(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        ledger.select([str(tmp_path / "none.py")])
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        ledger.select([str(tmp_path / "folder.py")])
    path = _write(tmp_path / "one_claims.py", GOOD.format(name="digits"))
    with pytest.raises(InputError, match=r"did you mean 'own\.digits'"):
        ledger.select([f"{path}::own.digit"])


def test_claims_of_ones_own_are_not_recorded(tmp_path: Path) -> None:
    path = _write(tmp_path / "one_claims.py", GOOD.format(name="a"))
    with pytest.raises(InputError, match="--record"):
        _verify(path, out=tmp_path / "out", record=True)
    assert not (tmp_path / "out").exists()


def test_neighbours_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "neighbour_of_claims.py").write_text("LIMIT = 9\n")
    text = "from neighbour_of_claims import LIMIT\n" + GOOD.format(name="a").replace("bound=9", "bound=LIMIT")
    (task,) = runner.tasks(ledger.select([_write(tmp_path / "one_claims.py", text)]), "quick")
    assert runner.run_task(task)["verdict"] == Verdict.CERTIFIED


def test_the_command_of_a_cell_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "one_claims.py", GOOD.format(name="a"))
    (found,) = ledger.select([path])
    assert user_claims.name(found) == f"{path}::own.a"
    monkeypatch.chdir(tmp_path)
    assert user_claims.name(found) == "one_claims.py::own.a"
    assert [c.id for c in ledger.select([user_claims.name(found)])] == ["own.a"]


def _mean(**options: Any) -> Claim:
    @claim("own.mean", over=spectra(), mutants={"half": {"factor": Fraction(1, 2)}}, **options)
    def at_most_the_largest(values: tuple[Fraction, ...], factor: Fraction = Fraction(1)) -> Decision:
        """The mean is at most the largest value."""
        return below(sum(values), factor * values[0] * len(values))

    return at_most_the_largest


@pytest.mark.parametrize(("kind", "verdict"), [("sampled", Verdict.SUPPORTED), ("exact", Verdict.CERTIFIED),
                                              ("ball", Verdict.CERTIFIED), ("symbolic", Verdict.CERTIFIED)])  # fmt: skip
def test_the_kind_decides_the_verdict(kind: str, verdict: Verdict) -> None:
    made = _mean(kind=kind, examples=7)
    evidence = judge(made, DRAWN, "quick")
    assert (evidence.verdict, evidence.data["listed"]) == (verdict, 7)
    assert judge(made, DRAWN, "full").data["listed"] == 70
    assert judge(made.mutants[0].mutate(made), DRAWN, "quick").verdict is Verdict.REFUTED
    assert made.statement == "The mean is at most the largest value."
    assert (made.mutants[0].kind, made.mutants[0].change) == ("constant", "factor = 1/2")


YES = below(0, 1)


@pytest.mark.parametrize(
    ("answer", "holds", "certified"),
    [(YES, True, False), (~YES, False, True), (None, None, False), ((~YES, "three"), False, True),
     (Outcome(~YES, "four", margin=-1.0), False, True), (below(flint.arb(2).sqrt() ** 2, 2), None, False)],
)  # fmt: skip
def test_what_a_predicate_in_balls_may_return(answer: Any, holds: bool | None, certified: bool) -> None:
    found = evaluate(_answering(answer, "ball"), 1, DRAWN)
    assert (found.holds, found.certified) == (holds, certified)
    if holds is not None:  # sampled numbers certify nothing, whatever they are compared by
        assert evaluate(_answering(answer, "sampled"), 1, DRAWN).certified is False


def _answering(answer: Any, kind: Any) -> Claim:
    @claim("own.any", over=[1], kind=kind, mutants={"not": {"negate": True}})
    def anything(n: int, negate: bool = False) -> Any:
        """Any answer is read."""
        return answer

    assert anything.mutants[0].kind == "predicate"
    return anything


@pytest.mark.parametrize("kind", ["exact", "ball", "symbolic"])
@pytest.mark.parametrize(
    "answer",
    [True, False, (True, "yes"), Outcome(True, "yes", certified=True), Outcome(False, "no", certified=True),
     Decision.YES, Decision.NO, YES & Decision.YES, every(()), Decision.of(0.1 + 0.2 <= 0.3)],
)  # fmt: skip
def test_a_bare_bool_is_no_decision(answer: Any, kind: str) -> None:
    """An undecided comparison of balls is False, so that a bool cannot say what it means; nor one in disguise."""
    with pytest.raises(InputError, match=r"returns a Decision: below\(a, b\)"):
        evaluate(_answering(answer, kind), 1, DRAWN)


@pytest.mark.parametrize(
    "answer",
    [0, 1, -4, "False", "", [], flint.arb(1), torch.tensor(1.0),
     torch.tensor(True), np.array(True), sympy.Symbol("x") > 0, (True, "a", "b")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["exact", "ball", "sampled"])
def test_numbers_texts_and_nan_are_no_answers(answer: Any, kind: str) -> None:
    with pytest.raises(InputError, match="no truth value"):
        evaluate(_answering(answer, kind), 1, DRAWN)


@pytest.mark.parametrize("answer", [-4.0, float("nan"), np.float64("nan"), (np.float64("nan"), "nan")])
def test_floats_are_no_answers(answer: Any) -> None:
    assert judge(_answering(answer, "sampled"), DRAWN, "quick").verdict is Verdict.ERROR
    found = judge(_answering(answer, "ball"), DRAWN, "quick")
    assert found.verdict is Verdict.ERROR
    assert "has the float" in found.summary  # already where the answer is kept


def test_cells_scopes_and_assumptions() -> None:
    seen = []

    @claim(
        "own.cells",
        over=lambda scope: st.integers(0, int(scope["top"])),
        cells=({"top": "3"}, {"top": "30"}),
        assume={"an even number": lambda n: n % 2 == 0},
        mutants={"odd": without("even"), "lower": {"shift": -2}},
        examples=100,
    )
    def bounded(n: int, scope: dict[str, str], shift: int = 0) -> bool:
        """Even numbers are at most the top."""
        seen.append(scope["top"])
        return n <= int(scope["top"]) + shift

    assert [s["top"] for s in bounded.scopes("quick")] == ["3", "30"]
    evidence = judge(bounded, {"top": "30"}, "quick")
    assert evidence.instances + evidence.rejected == 29  # distinct ones of 0, 1, …, 30
    assert evidence.instances == 15
    assert evidence.data["listed"] == 100
    assert set(seen) == {"30"}
    assert evidence.verdict is Verdict.SUPPORTED
    assert evidence.summary.startswith("under “an even number”: holds in 15 of 15")
    assert evidence.summary.endswith(
        "(these instances: 15 values from 0 to 30, 29 distinct of 100 drawn, the assumptions keep 15 of 29)"
    )
    few = judge(bounded, {"top": "3"}, "quick")  # 0 and 2
    assert few.verdict is Verdict.VACUOUS
    assert few.summary.startswith("the assumptions keep 2 of 4 instances; 5 and 1/5 of them are the least")
    odd = bounded.mutants[0]
    assert odd.kind == "assumption"
    assert judge(odd.mutate(bounded), {"top": "3"}, "quick").rejected == 0


def test_draws_are_the_same_in_every_process() -> None:
    program = (
        "from proofs_check.own.claims import draws\nfrom proofs_check.search.strategies import rationals\n"
        "from hypothesis import strategies as st\n"
        "print([str(q) for q in draws(st.lists(rationals(), max_size=3).map(tuple), 20)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    here = [str(q) for q in draws(st.lists(rationals(), max_size=3).map(tuple), 20)]
    assert done.stdout.strip() == str(here)
    assert len(set(here)) > 10
    assert here != [str(q) for q in draws(st.lists(rationals(), max_size=3).map(tuple), 20, seed=1)]


def test_a_strategy_that_rejects_everything_is_refused() -> None:
    with pytest.raises(InputError, match="rejects nearly every draw"):
        list(draws(st.integers().filter(lambda n: False), 2))
