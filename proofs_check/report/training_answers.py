"""The sentences on S4 and S5: AD against FD in the same draw, and over populations.

Each is made of groups of cells with the same finding, so that it can be tested against them; the numbers are counts of
cells. Nothing is said here that their findings and mechanisms do not say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proofs_check.report.records import Cell, Claim
from proofs_check.report.text import listed

ENERGY = "energy τ=1e-6, power 1"
VARIANTS = {ENERGY: "raw", f"{ENERGY}, normalised": "normalised"}
"""The conventions of the sentences, and what tells them apart."""
USUAL = {"operator": "u_xx", "step": "1/100"}
"""Coordinates that go without saying."""
PHRASES = {"operator": "for {}", "step": "with h = {}"}
SAMPLES = {
    "seeds": "the features alone vary",
    "scales": "the scale of the weights varies",
    "sizes": "the number of features varies",
    "steps": "the step varies",
    "methods": "AD or FD is drawn",
}
"""What varies over a population, beside the features."""
VERBS = {"holds": "holds", "reversed": "is reversed", "undecided": "is shown neither way"}
"""What is said of a finding, in the order in which they are told."""


@dataclass(frozen=True)
class Group:
    """Settings in one arithmetic with the same finding under the same conventions.

    Attributes:
        finding: ``holds``, ``reversed``, or ``undecided`` (mixed or open).
        arithmetic: which.
        variants: ``("raw", "normalised")`` or one of them.
        names: of the settings.
        cells: all of them.
    """

    finding: str
    arithmetic: str
    variants: tuple[str, ...]
    names: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """``tanh and sin in float32 (normalised)``."""
        only = "" if len(self.variants) == len(VARIANTS) else f" ({listed(list(self.variants))})"
        return f"{listed(list(self.names))} in {self.arithmetic}{only}"


def finding_of(cell: Cell) -> str:
    """Mixed and open are one, ``undecided``: neither side is shown."""
    return cell.finding if cell.finding in ("holds", "reversed") else "undecided"


def name_of(cell: Cell) -> str:
    """A setting: ``tanh``, ``tanh for u_xxxx with h = 1/1000``."""
    more = [PHRASES[k].format(cell.scope[k]) for k, usual in USUAL.items() if cell.scope.get(k, usual) != usual]
    return " ".join([cell.scope.get("activation", "all"), *more])


def groups(cells: Sequence[Cell]) -> list[Group]:
    """The cells under the conventions of the sentences, each in one group; what holds first."""
    told: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in cells:
        variant = VARIANTS.get(cell.scope.get("convention", ""))
        if variant is not None and cell.finding is not None:
            key = (finding_of(cell), cell.scope.get("arithmetic", ""), name_of(cell))
            told.setdefault(key, {})[variant] = cell
    merged: dict[tuple[str, str, tuple[str, ...]], dict[str, list[Cell]]] = {}
    for (finding, arithmetic, name), by_variant in told.items():
        variants = tuple(v for v in VARIANTS.values() if v in by_variant)
        merged.setdefault((finding, arithmetic, variants), {})[name] = list(by_variant.values())
    return [
        Group(*key, tuple(found), tuple(cell for own in found.values() for cell in own))
        for key, found in sorted(merged.items(), key=lambda one: list(VERBS).index(one[0][0]))
    ]


def paired(cells: Sequence[Cell], ahead: str) -> str:
    """In the same draw: which method is ahead, and where the entropy agrees.

    Args:
        cells: of one outcome and size.
        ahead: what the method that is ahead does.
    """
    found = groups(cells)
    if not found:
        return ""
    inside = [cell for group in found for cell in group.cells]
    first = ad_ahead(inside)
    size = inside[0].scope.get("size", "")
    parts = []
    for finding, words in VERBS.items():
        own = [group.text for group in found if group.finding == finding]
        if own:
            parts.append(f"{words} for {'; '.join(own)}")
    return (
        f"In the same draw ({size}, {ENERGY}) AD {ahead} in nine of ten draws or more in {first} of {len(inside)} cells"
        f"{', whichever method has more entropy' if first else ''}. That the one with more entropy does so "
        f"{', and '.join(parts)}."
    )


def ad_ahead(cells: Sequence[Cell]) -> int:
    """In how many cells AD is ahead in nine of ten draws or more."""
    return sum(str(cell.evidence.data.get("mechanism")).startswith("AD ahead") for cell in cells)


@dataclass(frozen=True)
class Population:
    """The cells of the samples in which one thing varies, with nothing or that thing held fixed."""

    sample: str
    fixed: bool
    holds: int
    reversed: int
    cells: int


def populations(cells: Sequence[Cell]) -> list[Population]:
    """The cells by what varies, over all conventions."""
    found: dict[tuple[str, bool], list[str]] = {}
    for cell in cells:
        if cell.finding is not None:
            key = (cell.scope.get("sample", "seeds"), cell.scope.get("given", "nothing") != "nothing")
            found.setdefault(key, []).append(cell.finding)
    return [Population(*key, own.count("holds"), own.count("reversed"), len(own)) for key, own in found.items()]


def over_populations(cells: Sequence[Cell], words: str) -> str:
    """Where the correlation is strong, and what is left of it with what varies held fixed."""
    found = populations(cells)
    if not found:
        return ""

    def told(fixed: bool) -> str:
        parts = []
        for one in found:
            if one.fixed == fixed:
                back = f", reversed in {one.reversed}" if one.reversed else ""
                parts.append(f"{one.holds} of {one.cells} where {SAMPLES.get(one.sample, one.sample)}{back}")
        return listed(parts)

    text = f"Over populations {words} (rank correlation of −1/2 or beyond) in {told(False)}"
    held = [one for one in found if one.fixed]
    if held:
        text += f"; with what varies held fixed in {sum(p.holds for p in held)} of {sum(p.cells for p in held)}"
        text += f", reversed in {back}" if (back := sum(p.reversed for p in held)) else ""
    return f"{text}."


@dataclass(frozen=True)
class Paired:
    """How S4 or S5 is told: its outcome in the same draw, and the claim on populations.

    Attributes:
        where: coordinates of the cells that are told (``optimisers`` apart).
        optimisers: each with its words; each is a sentence of its own.
        ahead: what the method that is ahead does.
        ranks: the claim on populations;  words: what goes with what.
    """

    where: Mapping[str, str]
    optimisers: Mapping[str, str]
    ahead: str
    ranks: str
    words: str


PAIRED = {
    "S4": Paired(
        {"outcome": "equation residual", "solver": "pseudo-inverse", "weights": "N(0, 1)", "size": "n=128"},
        {}, "leaves the smaller residual of the equation", "S4.entropy-ranks-loss",
        "more entropy goes with less residual",
    ),
    "S5": Paired(
        {"moment": "start"}, {"adam": "Adam", "gd": "gradient descent"}, "trains faster", "S5.entropy-ranks-speed",
        "more entropy goes with faster training",
    ),
}  # fmt: skip


def paired_cells(label: str, cells: Sequence[Cell]) -> list[Cell]:
    """The cells of the paired reading that the sentences are about."""
    told = PAIRED[label]
    return [
        cell
        for cell in cells
        if cell.finding is not None
        and cell.scope.get("convention") in VARIANTS
        and all(cell.scope.get(key, value) == value for key, value in told.where.items())
        and (not told.optimisers or cell.scope.get("optimiser") in told.optimisers)
    ]


def answer(label: str, claims: Sequence[Claim]) -> str:
    """The sentences on S4 or S5; empty where their cells have no findings."""
    told, cells = PAIRED[label], {claim.id: list(claim.cells) for claim in claims}
    own = paired_cells(label, cells.get(f"{label}.paired", []))
    kinds = told.optimisers or {"": ""}
    parts = [
        paired(
            [c for c in own if not rule or c.scope["optimiser"] == rule],
            f"{told.ahead}{f' by {words}' if words else ''}",
        )
        for rule, words in kinds.items()
    ]
    return " ".join(text for text in (*parts, over_populations(cells.get(told.ranks, []), told.words)) if text)
