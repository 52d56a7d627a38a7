"""Does AD beat FD here?  The comparisons that the figures' numbers allow, counted.

FD minimises the residual of the discretised equation; what is compared is that of the differential equation itself.

Two results within ten per cent of each other are a tie; nothing else about the outcome is written in advance.

The mutation score: how many deliberately wrong claims each family's checks refuted, and of which kinds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from proofs_check.report.records import Claim, Figures, NetworkFigure, TrainingFigure, Truncated
from proofs_check.report.text import scientific

TIE = 1.1
"""Losses or residuals within this factor of each other are a tie."""


@dataclass(frozen=True)
class Comparison:
    """One number of AD against the same number of FD; the smaller one wins.

    Attributes:
        what: what is compared, and where.
        ad, fd: the numbers; None where a run diverged.
    """

    what: str
    ad: float | None
    fd: float | None

    @property
    def winner(self) -> Literal["AD", "FD", "tie", "unknown"]:
        """The method with the smaller number, by more than :data:`TIE`."""
        if self.ad is None or self.fd is None or not (self.ad > 0 and self.fd > 0):
            return "unknown"
        if max(self.ad, self.fd) <= TIE * min(self.ad, self.fd):
            return "tie"
        return "AD" if self.ad < self.fd else "FD"

    @property
    def ad_text(self) -> str:
        """AD's number."""
        return _number(self.ad)

    @property
    def fd_text(self) -> str:
        """FD's number."""
        return _number(self.fd)

    @property
    def less(self) -> str:
        """Who wins, and by what factor."""
        if self.ad is None or self.fd is None or self.winner in ("tie", "unknown"):
            return self.winner
        return f"{self.winner}, by {_factor(max(self.ad, self.fd) / min(self.ad, self.fd))}"


@dataclass(frozen=True)
class Contest:
    """All comparisons, and their count in a sentence."""

    comparisons: list[Comparison]

    @property
    def answer(self) -> str:
        """Yes, no, or in how many of the comparisons."""
        if not self.comparisons:
            return "This report has no figures, so nothing was compared."
        total = len(self.comparisons)
        won = {w: sum(1 for c in self.comparisons if c.winner == w) for w in ("AD", "FD", "tie", "unknown")}
        counts = [
            f"AD leaves less in {won['AD']}",
            f"FD in {won['FD']}",
            f"{won['tie']} {'is a tie' if won['tie'] == 1 else 'are ties'}",
        ]
        if won["unknown"]:
            counts.append(f"{won['unknown']} cannot be compared")
        lead = "Yes" if won["AD"] == total else "No" if not won["AD"] else "In part"
        return f"{lead}: of {total} comparisons on the examples of the training figure, {', '.join(counts)}."


def contest(figures: Figures) -> Contest:
    """Every comparison of the training figures."""
    found: list[Comparison] = []
    for figure in figures.training:
        found += _solves(figure) + _descents(figure)
    for network in figures.networks:
        found += _networks(network)
    return Contest(found)


def _solves(figure: TrainingFigure) -> list[Comparison]:
    by_key = {(t.dtype, t.method): t for t in figure.truncated}
    return [
        Comparison(
            f"Equation’s residual by truncated SVD, {dtype}",
            _best(by_key[dtype, "ad"]),
            _best(by_key[dtype, "fd"]),
        )
        for dtype in dict.fromkeys(t.dtype for t in figure.truncated)
        if (dtype, "ad") in by_key and (dtype, "fd") in by_key
    ]


def _best(found: Truncated) -> float | None:
    """The least over all cut-offs."""
    return min((v for v in found.equation if v is not None and math.isfinite(v)), default=None)


def _descents(figure: TrainingFigure) -> list[Comparison]:
    by_key = {(run.dtype, run.method): run for run in figure.runs}
    found = []
    for dtype in dict.fromkeys(run.dtype for run in figure.runs):
        ad, fd = by_key.get((dtype, "ad")), by_key.get((dtype, "fd"))
        if ad is not None and fd is not None and ad.loss and fd.loss:
            steps = ad.iterations[-1]
            what = f"Equation’s loss after {steps} steps of gradient descent, {dtype}"
            found.append(Comparison(what, ad.equation, fd.equation))
    return found


def _networks(figure: NetworkFigure) -> list[Comparison]:
    by_method = {e.method: e for e in figure.ensembles}
    ad, fd = by_method.get("ad"), by_method.get("fd")
    if ad is None or fd is None or not ad.median or not fd.median:
        return []
    what = f"The same, median of {figure.seeds} two-layer networks after {ad.iterations[-1]} steps, {figure.dtype}"
    return [Comparison(what, ad.equation, fd.equation)]


def _number(value: float | None) -> str:
    if value is None:
        return "diverged"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e4 else scientific(value, 1)


def _factor(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}" if value < 1e4 else scientific(value, 0)


@dataclass(frozen=True)
class Score:
    """One family.

    Attributes:
        family: its name.
        claims: how many claims it has.
        total: how many mutants were run.
        refuted: how many of them were refuted.
        kinds: what was changed in how many, the most frequent first.
        survivors: ``claim: mutant`` of those that were not.
    """

    family: str
    claims: int
    total: int
    refuted: int
    kinds: list[tuple[str, int]]
    survivors: list[str]

    @property
    def kinds_text(self) -> str:
        """``sign 3, constant 2``."""
        return ", ".join(f"{kind} {count}" for kind, count in self.kinds)


def scores(claims: Sequence[Claim]) -> list[Score]:
    """A score for each family with mutants that were run, in the ledger's order, and their sum where there are more."""
    families = list(dict.fromkeys(claim.family for claim in claims))
    found = [_score(family, [c for c in claims if c.family == family]) for family in families]
    found = [score for score in found if score.total]
    return [*found, _score("all families", list(claims))] if len(found) > 1 else found


def _score(family: str, claims: Sequence[Claim]) -> Score:
    run = [(claim, mutant) for claim in claims for mutant in claim.mutants if mutant.verdict is not None]
    kinds: dict[str, int] = {}
    for _, mutant in run:
        kinds[mutant.kind] = kinds.get(mutant.kind, 0) + 1
    return Score(
        family,
        len(claims),
        len(run),
        sum(1 for _, mutant in run if mutant.verdict == "REFUTED"),
        sorted(kinds.items(), key=lambda item: (-item[1], item[0])),
        [f"{claim.id}: {mutant.name}" for claim, mutant in run if mutant.verdict != "REFUTED"],
    )
