"""A statement of the source in one sentence that is read in ten seconds, written from the findings of its cells.

When it holds and from which size on, when it is reversed, and by which mechanism; :mod:`proofs_check.report.answers` says
the same at length.  A series (an activation, say) that is not shown to have the finding of most at the largest size is
named as an exception.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proofs_check.report.answers import ANSWERS, TIE_IN_SIZE, Reading, clauses, name, number, of_reading, relative_gaps
from proofs_check.report.records import Cell, Claim
from proofs_check.report.text import ARITHMETIC_WORDS, listed
from proofs_check.report.training_answers import PAIRED, Population, ad_ahead, paired_cells, populations

MECHANISMS = {
    "S1": {"floor": "round-off reaches the counted values", "truncation": "truncation alone separates them"},
    "S2": {"floor": "FD's round-off floor lies above these values", "truncation": "truncation decides"},
    "S3": {"noise counted": "round-off raises FD's cut-off number", "floor": "round-off reaches the counted values",
           "truncation": "truncation decides"},
}  # fmt: skip
"""By statement, what a mechanism in the evidence says, in few words; in exact arithmetic there is truncation alone."""
VERBS = {"holds": "holds in", "reversed": "reversed in", "undecided": "is shown neither way in"}


@dataclass(frozen=True)
class Place:
    """What is said of an arithmetic, under conventions that come to the same there.

    Attributes:
        name: ``float64``, ``raw float32``.
        finding: ``holds``, ``reversed`` or ``undecided``.
        series: of which it is said;  exceptions: the others, those that are not judged at that size among them.
        size: from which on each of the series has the finding, 0 where nothing is shown.
        cells: those that have the finding.
    """

    name: str
    finding: str
    series: tuple[str, ...]
    exceptions: tuple[str, ...]
    size: int
    cells: tuple[Cell, ...]

    def text(self, unit: str) -> str:
        """``float64 from n=64 (not cos, sin)``."""
        size = f" from {unit}={self.size}" if self.finding == "holds" else ""
        some = f" (not {', '.join(self.exceptions)})" if self.exceptions else ""
        if len(self.exceptions) >= len(self.series):
            some = f" (only {', '.join(self.series)})"
        return f"{self.name}{size}{some}"


def places(read: Sequence[tuple[Reading, Sequence[Cell]]]) -> list[Place]:
    """What the cells of some readings come to, arithmetic by arithmetic; variants that agree are one place."""
    found: list[Place] = []
    for arithmetic, words in ARITHMETIC_WORDS.items():
        own = {}
        for reading, cells in read:
            if (place := _place(reading, cells, arithmetic)) is not None:
                own[reading.variant] = place
        if len({(p.finding, p.series, p.size) for p in own.values()}) == 1:
            first, *others = own.values()
            own = {"": Place(words, first.finding, first.series, first.exceptions, first.size,
                             first.cells + tuple(cell for p in others for cell in p.cells))}  # fmt: skip
        found += (
            [
                Place(f"{variant} {words}".strip(), p.finding, p.series, p.exceptions, p.size, p.cells)
                for variant, p in own.items()
            ]
            if len(own) > 1
            else own.values()
        )
    return found


def _place(reading: Reading, cells: Sequence[Cell], arithmetic: str) -> Place | None:
    own = [clause for clause in clauses(cells, reading) if clause.arithmetic == arithmetic]
    every = sorted(series for clause in own for series in clause.series)
    if not own:
        return None
    told = {kind: [c for c in own if c.finding == kind and c.until is None] for kind in ("holds", "reversed")}
    finding = max(told, key=lambda kind: sum(len(c.series) for c in told[kind]))  # "holds" where they are as many
    if not told[finding]:
        return Place(arithmetic, "undecided", tuple(every), (), 0, tuple(cell for c in own for cell in c.cells))
    sizes: dict[str, list[int]] = {}
    said = [cell for clause in told[finding] for cell in clause.cells]
    for cell in said:
        sizes.setdefault(name(cell, reading), []).append(number(cell.scope.get(reading.along, "")))
    size = max(min(those) for those in sizes.values())
    series = tuple(one for one in every if max(sizes.get(one, [0])) >= size)
    cells = tuple(cell for cell in said if name(cell, reading) in series)
    return Place(arithmetic, finding, series, tuple(one for one in every if one not in series), size, cells)


def effect(cells: Sequence[Cell]) -> str:
    """How large the relative gaps are, by the medians of the cells: ``a tie in size, under 1e-4``, ``21–59 %``."""
    gaps = [abs(gap) for gap in relative_gaps(cells)]
    if not gaps:
        return ""
    if max(gaps) < TIE_IN_SIZE:
        return f"a tie in size under 1e{math.floor(math.log10(max(gaps) or 1e-300)) + 1}"
    return f"by {math.floor(100 * min(gaps))}–{math.ceil(100 * max(gaps))} %"


def _spectra(label: str, claims: Sequence[Claim]) -> str:
    """S1 to S3: by arithmetic, and from which size on; a reason is given once."""
    readings = ANSWERS[label]
    told: dict[tuple[str, str, str], list[str]] = {}
    for place in places([(reading, of_reading(claims, reading)) for reading in readings]):
        found = {"truncation" if c.scope["arithmetic"] == "exact" else str(c.evidence.data.get("mechanism"))
                 for c in place.cells if place.finding != "undecided"}  # fmt: skip
        why = MECHANISMS[label].get(found.pop(), "") if len(found) == 1 else ""
        size = effect(place.cells) if place.finding == "holds" else ""
        told.setdefault((place.finding, size, why), []).append(place.text(readings[0].size))
    parts, given, last = [], set[str](), ""
    for (finding, size, why), where in sorted(told.items(), key=lambda one: list(VERBS).index(one[0][0])):
        remark = ", ".join(text for text in (size, why) if text and text not in given)
        given.add(why)
        verb = VERBS[finding] if finding != last else "in"
        parts.append(f"{verb} {listed(where)}{f': {remark}' if remark else ''}")
        last = finding
    return f"{readings[0].words}, it {'; '.join(parts)}." if parts else ""


def counted(cells: Sequence[Cell]) -> str:
    """``holds in 7 of 16 cells, reversed in 2``."""
    held, back = (sum(cell.finding == kind for cell in cells) for kind in ("holds", "reversed"))
    return f"holds in {held} of {len(cells)} cells, reversed in {back or 'none'}"


def _populations(found: Sequence[Population]) -> str:
    free, held = ([p for p in found if p.fixed == fixed] for fixed in (False, True))
    text = f"over populations in {sum(p.holds for p in free)} of {sum(p.cells for p in free)}"
    fixed = f", and with what varies held fixed in {sum(p.holds for p in held)} of {sum(p.cells for p in held)}"
    return text + (fixed if held else "")


def _entropies(label: str, claims: Sequence[Claim]) -> str:
    """S4 and S5: in the same draw, and over populations."""
    told = PAIRED[label]
    cells = {claim.id: list(claim.cells) for claim in claims}
    own = paired_cells(label, cells.get(f"{label}.paired", []))
    ranked = populations(cells.get(told.ranks, []))
    parts = []
    if own:
        parts.append(f"In the same draw it {counted(own)}: AD {told.ahead} in {ad_ahead(own)}, whatever the entropies")
    if ranked:
        parts.append(_populations(ranked))
    return f"{'; '.join(parts)}.".replace("over", "Over", 0 if own else 1) if parts else ""


KINDS = (
    ("S6.ad-outperforms", "It", {"rfm": "least squares", "two-layer": "two-layer networks"}),
    ("S7.grows-with-order", "With the order it", {"rfm": "least squares", "two-layer": "two-layer networks"}),
    ("S7.grows-with-depth", "with the depth it", {"perceptron": "perceptrons"}),
)
"""Claims of S6 and S7, what they are about, and how their models are named."""


def mechanisms(cells: Sequence[Cell]) -> str:
    """``round-off in float32, truncation in float64``: where all cells that hold, and have one, have the same."""
    found: dict[str, set[str]] = {}
    for cell in cells:
        known = cell.evidence.data.get("mechanism")
        if known and cell.finding == "holds":
            found.setdefault(cell.scope.get("arithmetic", ""), set()).add(str(known))
    return ", ".join(f"{next(iter(kinds))} in {where}" for where, kinds in sorted(found.items()) if len(kinds) == 1)


def _training(label: str, claims: Sequence[Claim]) -> str:
    """S6 and S7: by model."""
    sentences, back = [], 0
    for claim, lead, models in KINDS:
        told: list[str] = []
        for model, words in models.items():
            cells = [c for one in claims if one.id == claim for c in one.cells if c.scope.get("model") == model]
            if not cells or not claim.startswith(label):
                continue
            held, reverse = (sum(cell.finding == kind for cell in cells) for kind in ("holds", "reversed"))
            back += reverse
            remarks = [text for text in (mechanisms(cells), f"reversed in {reverse}" if reverse else "") if text]
            noun = "of" if told else "cells of"
            remark = f" ({'; '.join(remarks)})" if remarks else ""
            told.append(f"{held} of {len(cells)} {noun} {words}{remark}")
        if told:
            sentences.append(f"{lead} holds in {listed(told)}")
    if not sentences:
        return ""
    return "; ".join(sentences) + ("." if back else "; it is reversed in none.")


BY_LABEL: dict[str, Callable[[str, Sequence[Claim]], str]] = {
    "S1": _spectra, "S2": _spectra, "S3": _spectra, "S4": _entropies, "S5": _entropies, "S6": _training, "S7": _training,
}  # fmt: skip


def brief(label: str, claims: Sequence[Claim]) -> str:
    """The sentence on a statement of the source, ``S1`` to ``S7``; empty where its cells have no findings."""
    return BY_LABEL[label](label, claims) if label in BY_LABEL else ""
