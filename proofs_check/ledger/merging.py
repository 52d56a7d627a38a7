"""A run of some claims added to the ledger that is there: nothing is lost, and each cell names the run it is from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from proofs_check.claims import links as dependencies
from proofs_check.ledger import runner
from proofs_check.ledger.ledger import all_claims, load_expected

Content = dict[str, Any]
"""A ledger in JSON types."""


def single(content: Content) -> Content:
    """A ledger of one run, whose cells name it: ``runs`` and the field ``run`` of each cell.

    One of a version that did not name runs is one run of its provenance.
    """
    if "runs" in content:
        return content
    run = content["provenance"] | {"seconds": content["summary"].get("seconds", 0.0)}
    return content | {"runs": [run], "claims": [_numbered(claim, lambda cell: 0) for claim in content["claims"]]}


def _numbered(claim: Content, number: Any) -> Content:
    return claim | {"cells": [cell | {"run": number(cell)} for cell in claim["cells"]]}


def merge(older: Content, newer: Content, cell: bool) -> Content:
    """The ledger with the cells of a newer run in the place of its own.

    Args:
        older: what is there.
        newer: the ledger of a run of some claims.
        cell: whether that run judged some cells of its claims only; else all of their cells are replaced.

    Cells of other claims stay as they were judged.  What a cell is conditional on is found again, since it rests on
    verdicts of both.  Runs of which no cell is left are dropped; the provenance is that of the run with most cells.
    """
    older, newer = single(older), single(newer)
    shift = len(older["runs"])
    found = {claim["id"]: claim for claim in older["claims"]}
    for claim in newer["claims"]:
        fresh = _numbered(claim, lambda one: shift + one["run"])
        before = found.get(claim["id"])
        if before is not None:
            judged = {one["address"]: one for one in fresh["cells"]}
            if cell:
                kept = [judged.pop(one["address"], one) for one in before["cells"]]
                fresh["cells"] = [*kept, *judged.values()]
            fresh["mutants"] = _mutants(before["mutants"], fresh["mutants"])
        found[claim["id"]] = fresh
    order = {claim.id: place for place, claim in enumerate(all_claims())}
    claims = sorted(found.values(), key=lambda claim: order.get(claim["id"], len(order)))  # a stable sort
    runs = [*older["runs"], *newer["runs"]]
    counts = Counter(one["run"] for claim in claims for one in claim["cells"])
    kept_runs = [number for number in range(len(runs)) if counts[number]]
    place = {number: index for index, number in enumerate(kept_runs)}
    claims = _conditional([_numbered(claim, lambda one: place[one["run"]]) for claim in claims], runs[-1]["profile"])
    main = max(kept_runs, key=lambda number: counts[number], default=shift)
    listed = [runs[number] for number in kept_runs]
    tried = [mutant for claim in claims for mutant in claim["mutants"] if mutant.get("verdict")]
    seconds = sum(run.get("seconds", 0.0) for run in listed)
    provenance = {name: value for name, value in runs[main].items() if name != "seconds"}
    return {
        "schema": newer["schema"],
        "summary": runner.summary(claims, seconds, tried or None),
        "provenance": provenance,
        "runs": listed,
        "claims": claims,
        **{name: newer[name] for name in ("moved", "added", "removed") if name in newer},
    }


def _mutants(before: list[Content], now: list[Content]) -> list[Content]:
    """The mutants of now; those that were not run keep what came of them before."""
    told = {one["name"]: one for one in before if one.get("verdict")}
    kept = ("verdict", "summary")
    return [
        one if one.get("verdict") else one | {k: v for k, v in told.get(one["name"], {}).items() if k in kept}
        for one in now
    ]


def _conditional(claims: list[Content], profile: str) -> list[Content]:
    links = {claim.id: claim.rests_on for claim in all_claims()}
    links |= {claim["id"]: tuple(link["id"] for link in claim["rests_on"]) for claim in claims}
    verdicts = runner.on_record(load_expected(profile))
    verdicts |= {claim["id"]: [(one["scope"], one["verdict"]) for one in claim["cells"]] for claim in claims}

    def again(id: str, cell: Content) -> Content:
        evidence: Mapping[str, Any] = {k: v for k, v in cell["evidence"].items() if k != "conditions"}
        unmet = dependencies.conditions(id, cell["scope"], links, verdicts)
        return cell | {"evidence": {**evidence, **({"conditions": unmet} if unmet else {})}}

    return [claim | {"cells": [again(claim["id"], cell) for cell in claim["cells"]]} for claim in claims]
