"""Paragraphs, mutation scores and the graph of links: all of it follows the ledger, whatever came out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import unfolded

from proofs_check.report.comparison import scores
from proofs_check.report.figures.evidence import links
from proofs_check.report.page import write_report
from proofs_check.report.paragraphs import AFFIRMED, DENIED, paragraph, paragraphs
from proofs_check.report.records import Claim, Ledger
from proofs_check.report.summary import STATEMENTS
from tests.proofs_check.report.report_sample import hostile, ledger, write

VERDICTS = ("PROVED", "CERTIFIED", "SUPPORTED", "REFUTED", "INCONCLUSIVE", "ERROR")
ARITHMETICS = ("exact", "float64", "float32")
NO_FIGURES = {"schema": 1}
"""They take longest, and are tested elsewhere."""


def judged(label: str, verdicts: dict[tuple[str, str], str], **changes: Any) -> Claim:
    """A claim of a statement with a verdict for each (arithmetic, activation)."""
    holding = {"SUPPORTED": 32, "CERTIFIED": 32, "PROVED": 32, "REFUTED": 3}
    cells = [
        {"scope": {"arithmetic": a, "activation": s}, "address": f"{a},{s}", "verdict": v,
         "evidence": {"summary": v, "instances": 32, "holding": holding.get(v, 28)}}
        for (a, s), v in verdicts.items()
    ]  # fmt: skip
    given = {"id": f"{label}.x", "title": "A reading", "statement": "", "family": "source", "source": label,
             "predicate": "the gap is at most 1/100.", "cells": cells}  # fmt: skip
    return msgspec.convert(given | changes, Claim)


def everywhere(verdict: str) -> dict[tuple[str, str], str]:
    return {(a, s): verdict for a in ARITHMETICS for s in ("sin", "tanh")}


@pytest.mark.parametrize("label", list(STATEMENTS))
def test_opposite_outcomes_give_opposite_paragraphs(label: str) -> None:
    """The same claim with the verdicts turned over: what was affirmed is denied, and every number with it."""
    good = paragraph(label, [judged(label, everywhere("SUPPORTED"))])
    bad = paragraph(label, [judged(label, everywhere("REFUTED"))])
    undecided = paragraph(label, [judged(label, everywhere("INCONCLUSIVE"))])
    assert good.startswith(f"{label} holds: {AFFIRMED[label]}, in all 6 cells")
    assert bad.startswith(f"{label} is refuted: {DENIED[label]}, in all 6 cells")
    assert undecided.startswith(f"{label} stays open")
    assert "32 of 32 draws" in good
    assert "32 of 32" not in bad
    assert "3 of 32 draws" in bad
    for text in (good, bad, undecided):
        assert text.endswith("Holding means: the gap is at most 1/100.")
        assert "exact arithmetic, float64 and float32" in text or text is undecided


@pytest.mark.parametrize(("exact", "float32"), [("REFUTED", "SUPPORTED"), ("SUPPORTED", "REFUTED")])
def test_a_verdict_that_turns_over_with_the_arithmetic(exact: str, float32: str) -> None:
    verdicts = everywhere(exact) | {("float32", s): float32 for s in ("sin", "tanh")}
    text = paragraph("S2", [judged("S2", verdicts)])
    words = {"REFUTED": "is refuted by a witness", "SUPPORTED": "holds"}
    assert "turns over with the arithmetic" in text
    assert f"In exact arithmetic and float64 it {words[exact]} in all 2 cells each." in text
    assert f"In float32 it {words[float32]} in all 2 cells." in text
    many = 4 if exact == "SUPPORTED" else 2
    assert f"({many} of 6) and not in the others" in text
    assert ("more often than not" in text) == (many == 4)


def test_what_separates_the_cells_and_the_clearest_ones_are_named() -> None:
    verdicts = {(a, s): "SUPPORTED" if s == "sin" else "REFUTED" for a in ARITHMETICS for s in ("sin", "tanh")}
    text = paragraph("S1", [judged("S1", verdicts)])
    assert "In every arithmetic it always holds for sin; is always refuted for tanh" in text
    assert "turns over" not in text
    assert re.search(
        r"It is clearest for .*sin \(32 of 32 draws\) and holds least for .*tanh \(3 of 32 draws\)\.", text
    )
    assert "in half of the decided cells (3 of 6)" in text


def test_several_readings_are_told_apart() -> None:
    claims = [judged("S2", everywhere("SUPPORTED"), id="S2.a", title="Some of them"),
              judged("S2", everywhere("REFUTED"), id="S2.b", title="Every one", predicate="all of them.")]  # fmt: skip
    text = paragraph("S2", claims)
    assert "Read as “Some of them” it holds in all 6 cells." in text
    assert "Read as “Every one” it is refuted by a witness in all 6 cells." in text
    assert text.endswith("Holding means: the gap is at most 1/100; or all of them.")


def test_open_void_and_conditional_cells_are_said() -> None:
    verdicts = everywhere("SUPPORTED") | {("exact", "sin"): "INCONCLUSIVE", ("exact", "tanh"): "ERROR"}
    claim = judged("S3", verdicts)
    condition = {"id": "floor.law", "verdict": "REFUTED", "text": "…"}
    marked = msgspec.to_builtins(claim)
    for cell in marked["cells"][2:4]:
        cell["evidence"]["conditions"] = [condition]
    text = paragraph("S3", [msgspec.convert(marked, Claim)])
    assert "S3 holds wherever it was decided" in text
    assert "1 of 6 cells stay open; 1 of 6 were not judged." in text
    assert "The explanation is conditional on floor.law, which is REFUTED (2 cells)." in text
    assert "conditional" not in paragraph("S3", [claim])


cells = st.dictionaries(
    st.tuples(st.sampled_from(ARITHMETICS), st.sampled_from(["sin", "tanh", "z*exp(-z**2/2)"])),
    st.sampled_from(VERDICTS),
    min_size=1,
)


@given(st.sampled_from(list(STATEMENTS)), st.lists(cells, min_size=1, max_size=3))
def test_numbers_are_those_of_the_cells(label: str, given: list[dict[tuple[str, str], str]]) -> None:
    """Whatever the verdicts: sentences end, nothing is empty, and the counts of the lead are right."""
    claims = [judged(label, verdicts, id=f"{label}.{k}", title=f"reading {k}") for k, verdicts in enumerate(given)]
    text = paragraph(label, claims)
    found = [v for verdicts in given for v in verdicts.values()]
    holds = sum(v in ("PROVED", "CERTIFIED", "SUPPORTED") for v in found)
    fails = found.count("REFUTED")
    lead = text.split(". ")[0]
    if holds and fails:
        assert f"({holds} of {holds + fails})" in lead
    elif holds or fails:
        assert (f"{label} holds" if holds else f"{label} is refuted") in lead
        assert re.search(rf"\b{max(holds, fails)}\b", lead) or len(found) == 1
    else:
        assert "open" in lead or "not judged" in lead
    assert text.endswith(".")
    assert "  " not in text
    assert ".." not in text
    assert "()" not in text


def test_the_page_quotes_them(tmp_path: Path) -> None:
    content = ledger()
    page = unfolded(write_report(write(tmp_path / "a", content, NO_FIGURES)).read_text(encoding="utf-8"))
    told = paragraphs(msgspec.convert(content, Ledger))
    assert list(told) == ["S1", "S2", "S3"]
    for label, text in told.items():
        assert f'id="verdict-{label}"' in page
        assert text.split(". ")[0] in page
    turned = json.loads(
        json.dumps(content).replace("SUPPORTED", "OTHER").replace("REFUTED", "SUPPORTED").replace("OTHER", "REFUTED")
    )
    other = paragraphs(msgspec.convert(turned, Ledger))
    assert all(other[label] != text for label, text in told.items())
    assert other["S1"].startswith("S1 is refuted")
    assert told["S1"].startswith("S1 holds")


def test_scores_count_kinds_and_name_survivors() -> None:
    content = ledger()
    kinds = iter(["sign", "constant", "sign", "sign", "constant"])
    for claim in content["claims"]:
        claim["mutants"][0]["kind"] = next(kinds)
    content["claims"][0]["mutants"][0]["verdict"] = "SUPPORTED"
    content["claims"][4]["mutants"][0] |= {"verdict": None}  # was not run
    found = {s.family: s for s in scores(msgspec.convert(content, Ledger).claims)}
    source, whole = found["source"], found["all families"]
    assert (source.claims, source.total, source.refuted) == (3, 3, 2)
    assert source.kinds_text == "sign 2, constant 1"
    assert source.survivors == ["S1.leading-agree: exchanged"]
    assert (whole.total, whole.refuted) == (4, 3)
    assert "entropy" not in found
    assert scores([]) == []


def linked(pairs: list[tuple[str, str]], ids: list[str]) -> list[Claim]:
    """Claims with these links; the family is what stands before the dot."""
    return [
        msgspec.convert(
            {"id": id, "title": id, "statement": "", "family": id.partition(".")[0], "source": "ours",
             "rests_on": [{"id": b, "because": "<why>"} for a, b in pairs if a == id],
             "cells": [{"scope": {}, "address": "", "verdict": "REFUTED" if id == "a.0" else "PROVED",
                        "evidence": {"summary": ""}}]},
            Claim,
        )
        for id in ids
    ]  # fmt: skip


IDS = [f"{family}.{k}" for family in "abc" for k in range(16)]


@given(st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), min_size=1, max_size=80, unique=True))
def test_the_graph_has_an_arc_for_each_link_and_a_name_for_each_claim_in_one(pairs: list[tuple[str, str]]) -> None:
    pairs = [(a, b) for a, b in pairs if a > b] or [("c.1", "a.0")]  # no circles
    claims = linked(pairs, IDS)
    figure = links(claims, {claim.id: claim.id for claim in claims})
    assert figure is not None
    root = ElementTree.fromstring(str(figure.panels[0]))
    arcs = [e for e in root if e.get("class") == "arc"]
    assert len(arcs) == len(pairs)
    names = [t.text for a in root.iter("a") for t in a.iter("text")]
    assert sorted(str(n) for n in names) == sorted({id for pair in pairs for id in pair})
    heights = [float(t.get("y", "")) for t in root.iter("text")]
    assert len(set(heights)) == len(heights)  # one line each
    assert min(b - a for a, b in zip(sorted(heights), sorted(heights)[1:], strict=False)) >= 17
    assert max(heights) <= float(root.get("viewBox", "").split()[3])
    assert ("a.0" in str(figure.caption)) == any(b == "a.0" for _, b in pairs)  # what others rest on, and fails


def test_within_a_family_a_claim_comes_after_what_it_rests_on() -> None:
    pairs = [("a.0", "a.3"), ("a.3", "a.5"), ("b.0", "a.0")]
    claims = linked(pairs, ["a.0", "a.3", "a.5", "b.0", "b.1"])
    figure = links(claims, {})
    assert figure is not None
    drawn = str(figure.panels[0])
    assert drawn.index(">a.5<") < drawn.index(">a.3<") < drawn.index(">a.0<") < drawn.index(">b.0<")
    assert "b.1" not in drawn
    assert "<why>" not in drawn
    assert "&lt;why&gt;" in drawn
    assert links(linked([], ["a.0"]), {}) is None


def test_hostile_links_steps_and_conditions_stay_text(tmp_path: Path) -> None:
    content = ledger()
    first = content["claims"][0]
    first["rests_on"] = [{"id": "stencils.truncation", "because": "because"}, {"id": "unknown", "because": ""}]
    first["derivation"][0]["rule"] = "identity"
    first["cells"][0]["evidence"] |= {"conditions": [{"id": "a", "verdict": "REFUTED", "text": "conditional on a"}]}
    first["cells"][0]["evidence"]["data"]["steps"] = [{"run": True, "holds": False, "detail": "differs"}, "no step"]
    plain = unfolded(write_report(write(tmp_path / "a", content, NO_FIGURES)).read_text(encoding="utf-8"))
    assert "WRONG (identity): differs" in plain
    assert "conditional on a" in plain
    assert 'id="figure-links"' in plain
    page = unfolded(write_report(write(tmp_path / "b", hostile(content), NO_FIGURES)).read_text(encoding="utf-8"))
    assert "<script>alert" not in page
    assert "<img src" not in page
