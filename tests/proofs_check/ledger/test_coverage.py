"""What a claim was checked for comes from its cells and the instances that were judged in every one of them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.claims.claim import Profile, address
from proofs_check.claims.theorems import theorems
from proofs_check.ledger import runner
from proofs_check.ledger.coverage import MOST, checked_for, coordinates, judged, merged, of_cell, sentence, told_by
from proofs_check.ledger.judging import judge
from proofs_check.ledger.ledger import all_claims, load_expected
from proofs_check.report import page
from proofs_check.report.records import Claim

CLAIMS = {c.id: c for c in all_claims()}


def test_cells_and_instances_are_listed() -> None:
    found = checked_for(CLAIMS["solvable.uniform-circle"])
    assert found["coordinates"]["rule"] == ["fixed", "relative", "energy"]
    assert found["varying"]["R"] == ["2", "8", "32"]
    assert found["rejected"] == 6 * 4
    assert "R: 2, 8, 32" in sentence(found)


def test_a_changed_claim_changes_the_words() -> None:
    claim = CLAIMS["stencils.truncation"]
    fewer = claim.with_(scopes=lambda profile: claim.scopes(profile)[:2])
    assert checked_for(claim)["cells"] == 7
    assert checked_for(fewer)["cells"] == 2
    assert sentence(checked_for(fewer)).startswith("2 cells (stencil: central m=1 p=2, central m=2 p=2)")


@pytest.mark.parametrize("id", ["stencils.no-average-of-high-order", "entropy.ratio-majorisation"])
def test_the_words_are_about_what_was_judged(id: str) -> None:
    """Every cell, every instance: the same from the code and from the evidence."""
    claim = CLAIMS[id]
    evidence = [judge(claim, scope, "quick") for scope in claim.scopes("quick")]
    stated = checked_for(claim)
    found = merged(one.data["checked_for"] for one in evidence)
    assert {key: stated[key] for key in found} == found
    assert found["instances"] == sum(one.instances for one in evidence)
    assert found["rejected"] == sum(one.rejected for one in evidence)


def test_every_claim_says_for_what_it_was_checked() -> None:
    """Of exact claims how many instances in all cells, of the others the cells."""
    for claim in CLAIMS.values():
        profile: Profile = "quick" if claim.scopes("quick") else "full"
        found = checked_for(claim, profile)
        assert found["cells"] == len(claim.scopes(profile)) > 0
        assert ("instances" in found) == any(claim.kind_in(s) != "sampled" for s in claim.scopes(profile))
        assert found.get("instances", 1) > 0
        assert re.search(r"\b1 values", sentence(found)) is None


@given(st.lists(st.fractions(0, 50, max_denominator=9), min_size=1, max_size=40))
def test_numbers_are_listed_in_order_or_from_end_to_end(values: list[Fraction]) -> None:
    distinct = sorted(set(values))
    (found,) = coordinates([{"x": str(v)} for v in values]).values()
    if len(distinct) <= 6:
        assert found == [str(v) for v in distinct]
    else:
        assert found == f"{len(distinct)} values from {distinct[0]} to {distinct[-1]}"


def test_many_instances_and_draws_say_how_they_are_described() -> None:
    claim = CLAIMS["training.ridge-objective"].with_(describe=lambda k: {"k": k, "seed": 7 * k})
    many = judged(claim, range(MOST + 1), 2)
    assert many["varying"]["k"] == f"{MOST} values from 0 to {MOST - 1}"
    assert of_cell(many).endswith(f"2 more miss an assumption; the first {MOST} are described")
    draws = judged(claim, range(90), 0, draws=True)
    assert of_cell(draws) == "90 instances (k: 0 … 89; seed: 0 … 623)"


@pytest.mark.parametrize(
    "data", [{}, {"checked_for": 3}, {"checked_for": {}}, {"checked_for": {"instances": 1, "rejected": "x", "varying": {}}},
             {"checked_for": {"instances": 1, "rejected": 0, "varying": {"k": [1]}}}]
)  # fmt: skip
def test_a_file_that_says_something_else_is_not_believed(data: dict[str, Any]) -> None:
    assert told_by(data) is None


def shown(id: str, cells: int | None) -> tuple[dict[str, Any], str]:
    """A claim of the ledger as judged in its first cells, in JSON types and as its part of the page."""
    claim = CLAIMS[id]
    claim = claim.with_(scopes=lambda profile: CLAIMS[id].scopes(profile)[:cells])
    results = [runner.run_task(task) for task in runner.tasks([claim], "quick")]
    (told,) = runner.ledger([claim], results, "quick")
    view = page.claim_views([msgspec.convert(told, Claim)])[0]
    return told, repr((view.checked, view.formal, [row.steps for row in view.rows]))


BY_THEOREMS = {id for theorem in theorems() for id in theorem.claims}
PROVED = sorted(
    id
    for id, cells in load_expected("quick").items()
    if id not in BY_THEOREMS and any(c["verdict"] == "PROVED" for c in cells.values())
)


@pytest.mark.parametrize("id", PROVED)
def test_formal_statements_are_those_of_every_cell(id: str) -> None:
    cells = {one["cell"] for one in runner.formal_statements(CLAIMS[id])}
    assert cells == {address(scope) for scope in CLAIMS[id].scopes("quick")}


@pytest.mark.parametrize("cells", [1, pytest.param(None, marks=pytest.mark.slow)], ids=["first", "all"])
@pytest.mark.parametrize("id", PROVED)
def test_proved_cells_list_the_steps_that_ran(id: str, cells: int | None) -> None:
    """In the JSON, on the page, and in the summary that the terminal prints; the formal statements among them."""
    told, text = shown(id, cells)
    proved = [cell for cell in told["cells"] if cell["verdict"] == "PROVED"]
    assert proved
    for cell in proved:
        steps = cell["evidence"]["data"]["steps"]
        formal = [one["text"] for one in told["formal"] if one["cell"] == cell["address"]]
        assert formal
        assert [step["text"] for step in steps if step["rule"] == "formal"] == formal
        assert all(step["holds"] is True and step["text"] and step["detail"] for step in steps if step["run"])
        count = sum(step["run"] for step in steps)
        assert cell["evidence"]["summary"].endswith(")")
        assert f"; {count} step{'s' if count != 1 else ''} ran (" in cell["evidence"]["summary"]
        for step in steps:
            assert repr(step["text"])[1:-1] in text
    for one in told["formal"]:
        assert one["text"] in text
    assert "instance" in text
