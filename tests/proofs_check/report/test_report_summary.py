"""The words of the first screen and of the captions follow the numbers, whatever these are."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import msgspec
import pytest
import report_sample
from hypothesis import given
from hypothesis import strategies as st

from numerics.problem.file import problem_from_dict, problem_text
from numerics.problem.problem import Problem
from proofs_check.report import summary
from proofs_check.report.comparison import TIE, Comparison, contest
from proofs_check.report.data import entropy_problems, network_problem, spectrum_problems, training_problem
from proofs_check.report.figures.all import draw, drawings
from proofs_check.report.records import Cell, Evidence, Figures, Ledger
from proofs_check.report.summary import WORDS, Tally, describe, explaining_coordinate, outcome, overview

VERDICTS = st.sampled_from(["PROVED", "CERTIFIED", "SUPPORTED", "REFUTED", "INCONCLUSIVE", "VACUOUS", "ERROR"])


def cell(verdict: str, **scope: str) -> Cell:
    return Cell(scope, "", verdict, Evidence(""))


CELLS = st.lists(
    st.builds(
        lambda verdict, a, s, c: cell(verdict, arithmetic=a, activation=s, convention=c),
        VERDICTS,
        st.sampled_from(report_sample.ARITHMETICS),
        st.sampled_from(report_sample.ACTIVATIONS),
        st.sampled_from(report_sample.CONVENTIONS),
    ),
    min_size=1,
    max_size=30,
)


@given(CELLS)
def test_a_tally_counts_every_cell_once(cells: list[Cell]) -> None:
    tally = Tally.of(cells)
    assert tally.total == len(cells)
    assert sum(count for _, count in tally.parts) == len(cells)
    for word in summary.OUTCOMES:
        assert tally[word] == sum(outcome(c) == word for c in cells)


@given(CELLS)
def test_only_unanimous_cells_get_an_unqualified_word(cells: list[Cell]) -> None:
    tally, words = Tally.of(cells), {outcome(c) for c in cells}
    if tally.word in ("holds", "refuted"):
        assert {WORDS[word] for word in words} == {tally.word}
    assert (tally.word == "depends") == ({"holds", "fails"} <= words)
    assert ("holds" in tally.brief) == ("holds" in words)  # both sides are named
    if words <= {"open", "void"}:
        assert tally.symbol in ("open", "void"), "what was not decided is neither held nor failed"


@given(CELLS)
def test_a_description_names_every_group_it_speaks_of(cells: list[Cell]) -> None:
    said = describe(cells)
    words = {outcome(c) for c in cells}
    assert ("hold" in said) == ("holds" in words)
    assert ("refuted" in said) == ("fails" in words)
    assert "fail" not in said, "no share was shown to be small"


def test_the_explaining_coordinate_is_found() -> None:
    cells = [
        cell("REFUTED" if s in ("sin", "cos") else "SUPPORTED", activation=s, convention=c)
        for s in report_sample.ACTIVATIONS
        for c in report_sample.CONVENTIONS
    ]
    assert explaining_coordinate(cells) == "activation"
    assert describe(cells).startswith(
        "always holds for tanh, erf, gaussian and z*exp(-z**2/2); is always refuted for sin and cos"
    )
    by_convention = [
        cell("SUPPORTED" if "normalised" in c else "REFUTED", activation=s, convention=c)
        for s in report_sample.ACTIVATIONS
        for c in report_sample.CONVENTIONS
    ]
    assert explaining_coordinate(by_convention) == "convention"
    assert describe(by_convention).startswith("always holds for 8 conventions; is always refuted for 8 conventions")


def test_nothing_explains_what_no_coordinate_separates() -> None:
    cells = [cell(v, activation=s) for s in ("sin", "tanh") for v in ("SUPPORTED", "REFUTED")]
    assert explaining_coordinate(cells) is None
    assert describe(cells) == "holds in 2 and is refuted by a witness in 2 of 4 cells"


def ledger(verdicts: dict[str, str] | str) -> Ledger:
    """The sample with every verdict of a statement's cells replaced."""
    content = report_sample.ledger(conventions=report_sample.CONVENTIONS[:2])
    for claim in content["claims"]:
        for entry in claim["cells"]:
            entry["verdict"] = (
                verdicts if isinstance(verdicts, str) else verdicts[entry["scope"].get("arithmetic", "exact")]
            )
    return msgspec.convert(content, Ledger)


@pytest.mark.parametrize(
    ("verdict", "beginning"),
    [
        ("SUPPORTED", "Yes, in every cell"),
        ("CERTIFIED", "Yes, in every cell"),
        ("REFUTED", "No: S1, S2 and S3 are refuted"),
        ("INCONCLUSIVE", "Not decided: S1, S2 and S3 stay open"),
        ("ERROR", "Not decided"),
    ],
)
def test_the_answer_follows_the_verdicts(verdict: str, beginning: str) -> None:
    found = overview(ledger(verdict))
    assert found.answer.startswith(beginning)
    assert {row.tally.unanimous for s in found.statements for row in s.rows} == {
        summary.OUTCOME_OF.get(verdict, "void")
    }


def test_a_verdict_that_turns_over_with_the_arithmetic_is_said_to() -> None:
    found = overview(ledger({"exact": "REFUTED", "float64": "INCONCLUSIVE", "float32": "SUPPORTED"}))
    assert found.answer.startswith("In part: S1, S2 and S3 hold in some cells and not in others")
    assert found.answer.endswith("S1, S2 and S3 turn over with the arithmetic.")
    for statement in found.statements:
        assert [statement.by_arithmetic[a].brief for a in found.arithmetics] == ["refuted", "open", "holds"]
        assert statement.rows[0].sentences[0].startswith("In exact arithmetic it is refuted by a witness in all")


def test_the_overview_counts_the_cells_and_not_the_summary() -> None:
    content = report_sample.ledger()
    content["summary"] |= {"cells": 1, "verdicts": {"PROVED": 99}}
    found = overview(msgspec.convert(content, Ledger))
    verdicts = [c["verdict"] for claim in content["claims"] for c in claim["cells"]]
    assert found.verdicts == {v: verdicts.count(v) for v in summary.VERDICTS if v in verdicts}
    assert found.cells == len(verdicts)
    assert dict(found.setting) == {"operator": "u_xx", "regime": "w~N(0,1) h=1/100"}


positive = st.floats(min_value=1e-300, max_value=1e300)


@given(positive, positive)
def test_the_smaller_number_wins(a: float, b: float) -> None:
    one, other = Comparison("x", a, b), Comparison("x", b, a)
    swap = {"AD": "FD", "FD": "AD", "tie": "tie"}
    assert other.winner == swap[one.winner]
    if one.winner != "tie":
        assert (one.winner == "AD") == (a < b)
        assert max(a, b) > TIE * min(a, b)
    else:
        assert max(a, b) <= TIE * min(a, b)


@pytest.mark.parametrize(("ad", "fd"), [(None, 1.0), (1.0, None), (0.0, 1.0), (float("nan"), 1.0)])
def test_what_cannot_be_compared_has_no_winner(ad: float | None, fd: float | None) -> None:
    assert Comparison("x", ad, fd).winner == "unknown"


def figures(**changes: Any) -> Figures:
    return msgspec.convert(report_sample.figures() | changes, Figures)


def test_the_contest_is_counted() -> None:
    content = report_sample.figures()
    assert contest(figures()).answer.startswith(
        "In part: of 5 comparisons on the examples of the training figure, AD leaves less in 2, FD in 0, 3 are ties"
    )
    for run in content["training"][0]["truncated"]:
        run["equation"] = [2.0 if run["method"] == "ad" else 1.0]
    for run in content["training"][0]["runs"] + content["networks"][0]["ensembles"]:
        run["equation"] = 2.0 if run["method"] == "ad" else 1.0
    lost = contest(msgspec.convert(content, Figures))
    assert lost.answer.startswith("No: of 5 comparisons")
    assert {c.winner for c in lost.comparisons} == {"FD"}
    assert contest(Figures(1)).comparisons == []


def caption(content: dict[str, Any], kind: str) -> str:
    drawn = draw(drawings(msgspec.convert({"schema": 1, kind: content[kind]}, Figures)))
    assert len(drawn) == 1
    return str(drawn[0].caption)


def test_the_captions_count_what_is_drawn() -> None:
    content = report_sample.figures()
    said = caption(content, "spectra")
    assert "0 of 6 in exact arithmetic, 2 of 6 in float64 and 6 of 6 in float32" in said
    turned = copy.deepcopy(content)
    for panel in turned["spectra"][0]["panels"]:
        panel["ad"], panel["fd"] = panel["fd"], panel["ad"]
    assert "6 of 6 in exact arithmetic, 0 of 6 in float64 and 0 of 6 in float32" in caption(turned, "spectra")
    entropy = caption(content, "entropy")
    assert "1 of 3 in exact arithmetic (2 undecided)" in entropy
    assert "0 of 3 in float32 (2 undecided)" in entropy


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_the_problem_files_of_the_figures_are_read_back(profile: Any) -> None:
    problems: dict[str, Problem] = {**spectrum_problems(profile), **entropy_problems(profile)}
    problems |= {"training": training_problem(), "networks": network_problem(profile)}
    for problem in problems.values():
        text = problem_text(problem.to_dict())
        assert problem_from_dict(tomllib.loads(text, parse_float=str)) == problem


@given(st.text(), st.integers(-(10**20), 10**20), st.booleans(), st.lists(st.text(), max_size=3))
def test_any_value_is_spelled_so_that_toml_reads_it(text: str, number: int, flag: bool, items: list[str]) -> None:
    plain = text.encode("utf-8", "ignore").decode()
    content = {
        "a": {
            "text": plain,
            "number": number,
            "flag": flag,
            "items": [i.encode("utf-8", "ignore").decode() for i in items],
        }
    }
    assert tomllib.loads(problem_text(content)) == content
