"""Links between claims: unknown ids and circles are refused, and what rests on a failed claim says so."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.claims import links as dependencies
from proofs_check.claims.links import LINKS
from proofs_check.ledger import ledger, runner
from theory.base.errors import InputError

IDS = [f"c{k}" for k in range(8)]
"""Links from a later id to earlier ones alone have no circle."""
trees = st.fixed_dictionaries({id: st.lists(st.sampled_from(IDS[:k]), unique=True) if k else st.just([])
                               for k, id in enumerate(IDS)})  # fmt: skip


@given(trees, st.randoms())
def test_an_order_in_which_everything_comes_after_what_it_rests_on(links: dict[str, list[str]], random: Any) -> None:
    shuffled = list(links.items())
    random.shuffle(shuffled)
    order = dependencies.check(dict(shuffled), ())
    assert sorted(order) == sorted(IDS)
    for id, targets in links.items():
        assert all(order.index(target) < order.index(id) for target in targets)


@given(trees, st.integers(1, 7), st.data())
def test_circles_are_refused(links: dict[str, list[str]], length: int, data: Any) -> None:
    """A path c_length → … → c0 with a link back is a circle, whatever else there is."""
    links = {id: list(targets) for id, targets in links.items()}
    for k in range(length):
        if IDS[k] not in links[IDS[k + 1]]:
            links[IDS[k + 1]].append(IDS[k])
    links["c0"].append(data.draw(st.sampled_from(IDS[: length + 1])))
    with pytest.raises(InputError, match=r"rests on itself: .* → ") as error:
        dependencies.check(links, ())
    circle = str(error.value).rpartition(": ")[2].split(" → ")
    assert circle[0] == circle[-1]
    assert all(b in links[a] for a, b in pairwise(circle))


def test_unknown_and_repeated_links_are_refused() -> None:
    with pytest.raises(InputError, match=r"did you mean 'entropy\.range'"):
        dependencies.check({"a": ["entropy.rnage"]}, ["entropy.range"])
    with pytest.raises(InputError, match="twice"):
        dependencies.check({"a": ["b", "b"]}, ["b"])


def test_the_ledger_has_links_and_reasons() -> None:
    known = {c.id: c for c in ledger.all_claims()}
    for id, targets in LINKS.items():
        assert all(reason.strip() for reason in targets.values())
        if id in known:
            assert set(targets) <= set(known[id].rests_on)
    assert set(LINKS) <= set(known)  # nothing in the table is about a claim that does not exist
    assert set(known["spectra.sine-ordering"].rests_on) == {"spectra.ostrowski", "symbols.central-bounded"}


def test_conditions_go_through_links_and_take_the_cells_that_matter() -> None:
    links = {"a": ["b"], "b": ["c", "d"]}
    verdicts = {
        "b": [({"x": "1"}, "CERTIFIED"), ({"x": "2"}, "INCONCLUSIVE")],
        "c": [({}, "REFUTED"), ({"x": "1"}, "SUPPORTED")],
        "d": [({"x": "3"}, "PROVED")],
    }
    at = lambda x: [c["text"] for c in dependencies.conditions("a", {"x": x, "y": "9"}, links, verdicts)]  # noqa: E731
    through = "conditional on c (through b), which is REFUTED"
    assert at("1") == [f"{through} in 1 of 2 cells"]
    assert at("2") == ["conditional on b, which is INCONCLUSIVE", through]
    assert at("7") == ["conditional on b, which is INCONCLUSIVE in 1 of 2 cells", through]
    assert dependencies.conditions("d", {}, links, verdicts) == []
    assert dependencies.conditions("a", {}, links, {}) == []  # nothing judged, nothing said


@pytest.mark.parametrize("verdict", ["REFUTED", "INCONCLUSIVE", "ERROR", "VACUOUS", "SUPPORTED"])
def test_the_evidence_says_on_what_it_is_conditional(verdict: str) -> None:
    """A made-up verdict of a foundation marks the cells that rest on it, whatever is on record."""
    chosen = ledger.select(["stencils.peano", "stencils.truncation"])
    results = [
        {"id": c.id, "scope": dict(c.scopes("quick")[0]), "address": "x", "mutant": None, "verdict": "CERTIFIED",
         "method": "m", "finding": None, "quantifier": "all", "evidence": {"summary": "s"}, "seconds": 0.0}
        for c in chosen
    ]  # fmt: skip
    results[1]["verdict"] = verdict
    peano, truncation = runner.ledger(chosen, results, "quick")
    assert peano["rests_on"][0]["id"] == "stencils.truncation"
    assert "conditions" not in truncation["cells"][0]["evidence"]
    found = peano["cells"][0]["evidence"].get("conditions", [])
    if verdict == "SUPPORTED":
        assert found == []
    else:
        assert [c["text"] for c in found] == [f"conditional on stencils.truncation, which is {verdict}"]


USER = """
from proofs_check.claims.comparisons import below
from proofs_check.own.claims import claim
@claim("mine.a", over=[1, 2], mutants={"two": {"least": 2}}, kind="exact", rests_on=%s)
def first(value, least=1):
    "At least one."
    return below(least, value)
@claim("mine.b", over=[1, 2], mutants={"two": {"least": 2}}, kind="exact", rests_on=%s)
def second(value, least=1):
    "At least one."
    return below(least, value)
"""


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (["mine.b"], ["entropy.range"], None),
        (["mine.b"], ["mine.a"], "rests on itself"),
        (["entropy.rang"], [], "did you mean 'entropy.range'"),
        ([], ["mine.b"], "rests on itself"),
    ],
)
def test_links_of_ones_own_claims(tmp_path: Path, first: list[str], second: list[str], message: str | None) -> None:
    path = tmp_path / "my_claims.py"
    path.write_text(USER % (first, second))
    if message is None:
        a, b = ledger.select([str(path)])
        assert (a.rests_on, b.rests_on) == (("mine.b",), ("entropy.range",))
        json.dumps(runner.describe(a))
    else:
        with pytest.raises(InputError, match=message) as error:
            ledger.select([str(path)])
        assert str(path) in str(error.value)
