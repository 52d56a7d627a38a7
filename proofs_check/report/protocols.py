"""A page for each source: what it states, how it is compared, what came of its statements, and what would change that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofs_check.report.matched import Comparison, Operations, comparisons, operations, panels
from proofs_check.report.records import Cell, Claim
from proofs_check.report.summary import Tally, describe, facts
from proofs_check.sources.papers import PAPERS, Paper, judged_by

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Verdict:
    """What came of a claim about a paper's statement."""

    claim: Claim
    tally: Tally
    sentence: str
    evidence: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Protocol:
    """A paper with the claims that judge it, in the order of the ledger."""

    paper: Paper
    verdicts: tuple[Verdict, ...]

    @property
    def comparisons(self) -> list[Comparison]:
        """The settings in which networks were trained with both."""
        return comparisons([one.claim for one in self.verdicts])

    @property
    def panels(self) -> list[Markup]:
        """The figure of the comparisons, drawn."""
        return panels(self.comparisons, f"source-{self.paper.id}")

    @property
    def compared_claim(self) -> Claim:
        """The claim of which these are the cells; the first where there are none."""
        return next((one.claim for one in self.verdicts if comparisons([one.claim])), self.verdicts[0].claim)

    @property
    def operations(self) -> dict[str, list[Operations]]:
        """What was counted."""
        return operations([one.claim for one in self.verdicts])

    @property
    def commands(self) -> list[str]:
        """That judge its statements again, and print this page."""
        ids = [one.claim.id for one in self.verdicts]
        judged = [f"adfd verify {' '.join(ids)}"] if len(ids) <= MANY else ["adfd verify"]
        more = [f"adfd example {self.paper.id}"] if self.paper.example else []
        return [*judged, f"{judged[0]} --profile full", *more, f"adfd show {self.paper.id} --html page.html"]

    @property
    def tally(self) -> Tally:
        """Over all of its claims; conventions that decide alike are one fact."""
        return Tally.of(cell for one in self.verdicts for cell in facts(one.claim.cells))


MANY = 12
"""So many claims are named in a command; of more, the whole ledger is run."""
SHOWN = 4
"""Cells of a claim whose evidence stands on the page: fewer than that, all; else one of each verdict."""


def protocol(paper: Paper, claims: Sequence[Claim]) -> Protocol:
    """The page of a paper; claims without cells are left out."""
    own = [claim for claim in judged_by(paper, claims) if claim.cells]
    return Protocol(paper, tuple(_verdict(claim) for claim in own))


def protocols(claims: Sequence[Claim]) -> list[Protocol]:
    """The pages of all papers of which a claim was judged."""
    return [page for paper in PAPERS if (page := protocol(paper, claims)).verdicts]


def _verdict(claim: Claim) -> Verdict:
    one_of_each = {cell.verdict: cell for cell in reversed(claim.cells)}
    chosen = claim.cells if len(claim.cells) <= SHOWN else [c for c in claim.cells if c in one_of_each.values()]
    return Verdict(claim, Tally.of(claim.cells), describe(claim.cells), tuple(map(_line, chosen)))


def _line(cell: Cell) -> tuple[str, str, str]:
    return cell.verdict, "; ".join(f"{key} {value}" for key, value in cell.scope.items()), cell.evidence.summary


def text(page: Protocol) -> list[str]:
    """The page in lines of plain text."""
    paper = page.paper
    lines = [paper.cited, f"In hand: {paper.in_hand}.", "", "It states, in our words:"]
    lines += [f"  - {said}" for said in paper.says]
    lines += ["", f"Judged on: {paper.settings}.", f"Matched: {paper.matched}.", f"Ours: {paper.ours}.", ""]
    for one in page.verdicts:
        lines += [f"{one.claim.id}: {one.claim.title}", f"  {one.claim.statement}", f"  It {one.sentence}."]
        lines += [
            f"    {verdict}{f' [{where}]' if where else ''}{f': {why}' if why else ''}"
            for verdict, where, why in one.evidence
        ]
    for row in page.comparisons:
        lines.append(f"  {row.where}: AD {row.told('ad')}, FD {row.told('fd')}; error FD/AD {row.ratio}")
    lines += ["", f"What would change this: {paper.change}."]
    if paper.example:
        lines.append(f"Its comparison on a problem file: adfd example {paper.id} > problem.toml")
    return lines
