"""Sentences on the statements of the source: each clause is read back and compared with the cells, random and recorded."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.cli.claims import _recorded
from proofs_check.ledger import ledger, runner
from proofs_check.report.answers import ANSWERS, Reading, answer, clauses, number, of_reading, sentence, setting
from proofs_check.report.paragraphs import paragraph
from proofs_check.report.records import Cell, Claim, Evidence
from proofs_check.report.summary import Tally, facts, outcome

READING = Reading("S2.every-small", "For every k", {}, because={"floor": "of the floor", "truncation": "of truncation"})
SIZES = ("n=24", "n=64", "N=64,M=128", "n=128")
FINDINGS = ("holds", "reversed", "mixed", "open")
VERDICT = {"holds": "SUPPORTED", "reversed": "REFUTED", "mixed": "INCONCLUSIVE", "open": "INCONCLUSIVE"}


def cell(activation: str, size: str, finding: str, arithmetic: str = "float64", **data: object) -> Cell:
    scope = {"activation": activation, "arithmetic": arithmetic, "operator": "u_xx", "size": size}
    evidence = Evidence("s", instances=100, holding=50, data=dict(data))
    return Cell(scope=scope, address=str(scope), verdict=VERDICT[finding], evidence=evidence, finding=finding)


series = st.lists(st.sampled_from(FINDINGS), min_size=len(SIZES), max_size=len(SIZES))
tables = st.dictionaries(
    st.tuples(st.sampled_from(["sin", "tanh", "erf", "gaussian"]), st.sampled_from(["float32", "float64", "exact"])),
    series, min_size=1,
)  # fmt: skip


def cells_of(table: dict[tuple[str, str], list[str]]) -> list[Cell]:
    return [cell(a, s, f, r) for (a, r), row in table.items() for s, f in zip(SIZES, row, strict=True)]


@given(tables)
def test_a_clause_says_what_its_cells_say(table: dict[tuple[str, str], list[str]]) -> None:
    """Sizes, names and findings, from the clause's numbers alone; every series is in exactly one clause."""
    found = clauses(cells_of(table), READING)
    assert sorted((name, c.arithmetic) for c in found for name in c.series) == sorted(table)
    for clause in found:
        for name in clause.series:
            row = dict(zip(SIZES, table[name, clause.arithmetic], strict=True))
            low, high = clause.onset or 0, clause.until or 10**9
            inside = {f for size, f in row.items() if low <= number(size) <= high}
            if clause.finding == "undecided":
                assert {row["n=24"], row["n=128"]} <= {"mixed", "open"}
            else:
                assert inside == {clause.finding}
            if clause.onset:  # not from the size before
                before = max(number(size) for size in SIZES if number(size) < clause.onset)
                assert {f for size, f in row.items() if number(size) == before} != {clause.finding}
            if clause.until:
                after = min(number(size) for size in SIZES if number(size) > clause.until)
                assert {f for size, f in row.items() if number(size) == after} != {clause.finding}


@given(tables)
def test_words_of_the_sentence(table: dict[tuple[str, str], list[str]]) -> None:
    cells = cells_of(table)
    text = sentence([(READING, cells)])
    found = clauses(cells, READING)
    assert text.startswith("For every k, in ")
    assert ("holds" in text) == any(c.finding == "holds" for c in found)
    assert ("is reversed" in text) == any(c.finding == "reversed" for c in found)
    assert "fail" not in text
    assert "depend" not in text


def test_a_reason_is_given_where_every_cell_has_it() -> None:
    same = [cell("tanh", s, "holds", mechanism="floor") for s in SIZES]
    assert sentence([(READING, same)]).endswith("n = 24 to 128, for tanh: of the floor.")
    apart = [*same[:-1], cell("tanh", SIZES[-1], "holds", mechanism="truncation")]
    assert "of the floor" not in sentence([(READING, apart)])
    assert sentence([(READING, [])]) == ""


def test_gaps_and_ties_in_size() -> None:
    gaps = [
        cell("tanh", s, "holds", relative_gap={"median": g})
        for s, g in zip(SIZES, (1e-5, 2e-5, 3e-5, 8e-5), strict=True)
    ]
    assert "(relative gap +1.0e-05 to +8.0e-05, a tie in size)" in sentence([(READING, gaps)])
    large = [cell("tanh", "n=24", "holds", relative_gap={"median": 0.37})]
    assert "at n = 24 for tanh (relative gap +3.7e-01)" in sentence([(READING, large)])


def recorded(label: str, profile: str = "quick") -> list[Claim]:
    record = ledger.load_expected(profile)
    from msgspec import convert

    own = [c for c in ledger.all_claims() if c.source == label]
    return [convert(runner.describe(c) | {"cells": _recorded(record.get(c.id, {}))}, Claim) for c in own]


@pytest.mark.parametrize("label", ["S1", "S2", "S3"])
def test_the_sentences_are_true_of_the_record(label: str) -> None:
    """The text is taken apart by a grammar of its own, and each "holds … for A, B and C" is looked up."""
    claims = recorded(label)
    text = answer(label, claims)
    assert text
    assert setting(label)
    checked = 0
    for reading in ANSWERS[label]:
        cells = of_reading(claims, reading)
        part = _part(text, reading)
        for arithmetic, said in part:
            for verb, finding in (("holds", "holds"), ("is reversed", "reversed")):
                for sizes, names in re.findall(
                    rf"{verb}( [^,;:]*?(?:, n = \d+ to \d+,)?) for ([^,;:(]*(?:, [^,;:(]*?)*?)(?= \(|,? (?:holds|is |neither)|[:;.]|$)",
                    said,
                ):
                    low = int(m[1]) if (m := re.search(r"from n = (\d+) on", sizes)) else 0
                    high = int(m[1]) if (m := re.search(r"up to n = (\d+)", sizes)) else 10**9
                    listed = None if names.startswith("all ") else set(re.split(r", | and ", names))
                    chosen = [
                        c for c in cells
                        if c.scope["arithmetic"] == arithmetic and low <= number(c.scope["size"]) <= high
                        and (listed is None or c.scope["activation"] in listed)
                    ]  # fmt: skip
                    assert chosen, (sizes, names)
                    assert {c.finding for c in chosen} == {finding}, (arithmetic, sizes, names)
                    checked += len(chosen)
    assert checked >= 20


def _part(text: str, reading: Reading) -> list[tuple[str, str]]:
    """What is said of each arithmetic of a reading."""
    names = {"float32": "float32", "float64": "float64", "exact arithmetic": "exact"}
    found = []
    for head, said in re.findall(r"(?:^|[,;.] )in ([^;]*?),? it ([^;]*)", text):
        where, _, variants = head.partition(", ")
        if not variants or reading.variant in re.split(r" and ", variants):
            found += [(names[name], said) for name in re.split(r", | and ", where)]
    return found


def test_statements_are_not_mixed_in_a_paragraph() -> None:
    """The readings of S2 are counted and illustrated each by itself."""
    claims = recorded("S2")
    text = paragraph("S2", claims)
    assert text.startswith(answer("S2", claims))
    for claim in claims:
        tally = Tally.of(facts(claim.cells))
        assert f"Read as “{claim.title}” it {tally.clause.replace(' cells', '')}" in text
    assert text.count("It is clearest") + text.count("It holds") >= 2


def test_conventions_that_decide_alike_are_one_fact() -> None:
    def one(convention: str, decisions: str | None, size: str = "n=24") -> Cell:
        found = cell("tanh", size, "holds", **({} if decisions is None else {"decisions": decisions}))
        return Cell(scope=found.scope | {"convention": convention}, address=convention, verdict="SUPPORTED",
                    evidence=found.evidence, finding="holds")  # fmt: skip

    cells: Sequence[Cell] = [
        one("a", "x"),
        one("b", "x"),
        one("c", "y"),
        one("a", "x", "n=64"),
        one("d", None),
        one("e", None),
    ]
    assert [c.address for c in facts(cells)] == ["a", "c", "a", "d", "e"]
    assert outcome(cells[0]) == "holds"


def test_sizes_read_as_numbers() -> None:
    assert [number(s) for s in SIZES] == [24, 64, 64, 128]
