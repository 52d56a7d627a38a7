"""Sentences on S4 and S5: every setting is in one group, the counts are those of the cells, and the record bears them out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.report.records import Cell, Claim, Evidence
from proofs_check.report.training_answers import (
    ENERGY,
    SAMPLES,
    VARIANTS,
    finding_of,
    groups,
    name_of,
    over_populations,
    paired,
    populations,
)
from tests.proofs_check.report.test_report_answers import recorded

FINDINGS = ("holds", "reversed", "mixed", "open")
settings_of = st.tuples(
    st.sampled_from(["tanh", "sin"]), st.sampled_from(["u_xx", "u_xxxx"]), st.sampled_from(["1/100", "1/1000"]),
    st.sampled_from(["float32", "float64"]), st.sampled_from(sorted(VARIANTS)),
)  # fmt: skip


def cell(key: tuple[str, ...], finding: str, ahead: str = "AD") -> Cell:
    scope = dict(zip(("activation", "operator", "step", "arithmetic", "convention"), key, strict=True)) | {
        "size": "n=128"
    }
    data = {"mechanism": f"{ahead} ahead, FD more entropy"}
    return Cell(scope, str(scope), "INCONCLUSIVE", Evidence("s", data=data), finding=finding)


@given(
    st.dictionaries(settings_of, st.tuples(st.sampled_from(FINDINGS), st.sampled_from(["AD", "neither"])), min_size=1)
)
def test_every_setting_is_in_one_group(table: dict[tuple[str, ...], tuple[str, str]]) -> None:
    cells = [cell(key, *value) for key, value in table.items()]
    found = groups(cells)
    told = [(g.finding, g.arithmetic, name, variant) for g in found for name in g.names for variant in g.variants]
    assert sorted(told) == sorted(
        (finding_of(c), c.scope["arithmetic"], name_of(c), VARIANTS[c.scope["convention"]]) for c in cells
    )
    assert sum(len(g.cells) for g in found) == len(cells)
    text = paired(cells, "leaves less")
    ahead = sum(side == "AD" for _, side in table.values())
    assert f"in {ahead} of {len(cells)} cells" in text
    for words, kind in (("holds for", "holds"), ("is reversed for", "reversed"), ("neither way for", "undecided")):
        assert (words in text) == any(g.finding == kind for g in found)
    assert "fail" not in text


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(SAMPLES)), st.booleans(), st.sampled_from(FINDINGS)), min_size=1, max_size=30
    )
)
def test_populations_are_counted(rows: list[tuple[str, bool, str]]) -> None:
    cells = [
        Cell({"sample": s, "given": "scale" if fixed else "nothing"}, str(k), "INCONCLUSIVE", Evidence("s"), finding=f)
        for k, (s, fixed, f) in enumerate(rows)
    ]
    for one in populations(cells):
        own = [f for s, fixed, f in rows if (s, fixed) == (one.sample, one.fixed)]
        assert (one.holds, one.reversed, one.cells) == (own.count("holds"), own.count("reversed"), len(own))
    text = over_populations(cells, "more goes with less")
    for sample in {s for s, fixed, _ in rows if not fixed}:
        own = [f for s, fixed, f in rows if s == sample and not fixed]
        assert f"{own.count('holds')} of {len(own)} where {SAMPLES[sample]}" in text
    held = [f for _, fixed, f in rows if fixed]
    assert (f"held fixed in {held.count('holds')} of {len(held)}" in text) == bool(held)
    assert ("reversed" in text) == any(f == "reversed" for _, _, f in rows)


def test_no_findings_no_sentence() -> None:
    assert paired([], "leaves less") == over_populations([], "x") == ""


@pytest.mark.parametrize(("label", "outcome"), [("S4", "equation residual"), ("S5", "loss")])
def test_the_sentences_are_true_of_the_record(label: str, outcome: str) -> None:
    """Taken apart by a grammar of its own, and every setting looked up."""
    from proofs_check.report.answers import answer

    claims: list[Claim] = recorded(label)
    text = answer(label, claims)
    (own,) = (c for c in claims if c.id == f"{label}.paired")
    cells = [
        c for c in own.cells
        if c.scope["outcome"] == outcome and c.scope.get("solver", "pseudo-inverse") == "pseudo-inverse"
        and ENERGY in c.scope["convention"]
    ]  # fmt: skip
    checked = 0
    for said in re.findall(r"In the same draw [^.]*\. That the one with more entropy does so ([^.]*)\.", text):
        pieces = re.split(r"(?:, and )?(holds for|is reversed for|is shown neither way for) ", said)
        for words, listed in zip(pieces[1::2], pieces[2::2], strict=True):
            wanted = {"holds for": {"holds"}, "is reversed for": {"reversed"}}.get(words, {"mixed", "open"})
            for group in listed.split("; "):
                names, arithmetic, only = re.fullmatch(r"(.*) in (float\d\d)(?: \((.*)\))?", group).groups()  # type: ignore[union-attr]
                for name in re.split(r", | and ", names):
                    chosen = [
                        c for c in cells
                        if name_of(c) == name and c.scope["arithmetic"] == arithmetic
                        and (only is None or VARIANTS[c.scope["convention"]] == only)
                    ]  # fmt: skip
                    assert chosen, group
                    assert {c.finding for c in chosen} <= wanted, group
                    checked += len(chosen)
    assert checked == len(cells)
    (ranked,) = (c for c in claims if c.id.startswith(f"{label}.entropy-ranks"))
    alone = [c.finding for c in ranked.cells if c.scope["sample"] == "seeds"]
    assert f"{alone.count('holds')} of {len(alone)} where the features alone vary" in text
    held = [c.finding for c in ranked.cells if c.scope["given"] != "nothing"]
    assert f"held fixed in {held.count('holds')} of {len(held)}" in text
