"""One sentence on a statement of the source: when it holds, when it is reversed, why, and from which size on.

A sentence is made of clauses, one for each arithmetic and kind of finding; a clause names series of cells (which differ
in one coordinate, the size, and agree in the others) and the cells that it speaks of, so that whoever reads it can test
it.  Nothing is said that the findings of these cells do not say; what is neither shown to hold nor to be reversed is
called mixed or open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from proofs_check.report import text as wording
from proofs_check.report import training_answers
from proofs_check.report.records import Cell, Claim
from proofs_check.report.text import ARITHMETIC_WORDS, listed
from proofs_check.report.training_answers import ENERGY, VERBS, finding_of

ARITHMETICS = tuple(reversed(wording.ARITHMETICS))


@dataclass(frozen=True)
class Reading:
    """Cells that a sentence is about, and how it names them.

    Attributes:
        claim: id of the claim.
        words: what is judged, as the subject of the sentence.
        where: coordinates that the cells have.
        along: the coordinate along which a series runs, read by its numbers.
        named: coordinates that name a series; the first without its key.
        usual: values of such coordinates that go without saying.
        because: what a mechanism (``mechanism`` in the evidence) says, after "since".
        variant: what tells the reading from others with the same words.
        size: what the numbers of ``along`` are called.
        plural: what series are called.
    """

    claim: str
    words: str
    where: Mapping[str, str]
    along: str = "size"
    named: tuple[str, ...] = ("activation", "operator")
    usual: Mapping[str, str] = field(default_factory=lambda: {"operator": "u_xx"})
    because: Mapping[str, str] = field(default_factory=dict)
    variant: str = ""
    size: str = "n"
    plural: str = "activations"


@dataclass(frozen=True)
class Clause:
    """What is said of some series of cells in one arithmetic.

    Attributes:
        arithmetic: which.
        finding: ``holds``, ``reversed``, or ``undecided`` (mixed or open at the largest size).
        onset: the first size from which on it is so; None where it is so from the first.
        until: the last size up to which it is so, where nothing is shown at the largest; None for every size.
        series: their names.
        cells: the cells that are said to have the finding.
        others: the cells of these series at smaller, or larger, sizes.
    """

    arithmetic: str
    finding: str
    onset: int | None
    until: int | None
    series: tuple[str, ...]
    cells: tuple[Cell, ...]
    others: tuple[Cell, ...]


def number(text: str) -> int:
    """The least number in a size: ``n=64`` is 64, ``N=128,M=64`` too.

    >>> number("n=64"), number("N=128,M=64")
    (64, 64)
    """
    return min((int(found) for found in re.findall(r"\d+", text)), default=0)


def clauses(cells: Sequence[Cell], reading: Reading) -> list[Clause]:
    """What there is to say of the cells of a reading, arithmetic by arithmetic: what holds first."""
    found = []
    for arithmetic in ARITHMETICS:
        series: dict[str, list[Cell]] = {}
        for cell in cells:
            if cell.scope.get("arithmetic") == arithmetic and cell.finding is not None:
                series.setdefault(name(cell, reading), []).append(cell)
        grouped: dict[tuple[str, int | None, int | None], list[tuple[str, list[Cell], list[Cell]]]] = {}
        for series_name, members in series.items():
            kind, those, others = _pattern(members, reading)
            grouped.setdefault(kind, []).append((series_name, those, others))
        for key in sorted(grouped, key=lambda key: (list(VERBS).index(key[0]), key[2] or 0, key[1] or 0)):
            parts = sorted(grouped[key], key=lambda part: part[0])  # whatever the order of the cells
            names = tuple(name for name, _, _ in parts)
            inside = tuple(cell for _, those, _ in parts for cell in those)
            outside = tuple(cell for _, _, others in parts for cell in others)
            found.append(Clause(arithmetic, *key, names, inside, outside))
    return found


def _pattern(
    members: Sequence[Cell], reading: Reading
) -> tuple[tuple[str, int | None, int | None], list[Cell], list[Cell]]:
    """The finding with the sizes from which on or up to which it is so, the cells of which that is said, the others.

    The finding at the largest size counts; where nothing is shown there, that at the smallest.
    """

    def place(cell: Cell) -> int:
        return number(cell.scope.get(reading.along, ""))

    ordered = sorted(members, key=place)
    sizes = sorted({place(cell) for cell in ordered})
    kinds = {size: {finding_of(cell) for cell in ordered if place(cell) == size} for size in sizes}

    def run(along: Sequence[int]) -> tuple[str, list[int]]:
        first = kinds[along[0]]
        finding = next(iter(first)) if len(first) == 1 else "undecided"
        same = next((k for k, size in enumerate(along) if kinds[size] != {finding}), len(along))
        return finding, list(along[:same])

    finding, covered = run(sizes[::-1])
    upwards = finding != "undecided"
    if not upwards:
        finding, covered = run(sizes)
    if finding == "undecided":
        return (finding, None, None), list(ordered), []
    those = [cell for cell in ordered if place(cell) in covered]
    others = [cell for cell in ordered if place(cell) not in covered]
    onset = min(covered) if upwards and others else None
    until = None if upwards else max(covered)
    return (finding, onset, until), those, others


def name(cell: Cell, reading: Reading) -> str:
    """A series by its coordinates: ``tanh``, ``tanh with u_xxxx``."""
    first, *others = reading.named
    more = [
        PHRASES.get(key, "with {}").format(SPELLED.get(cell.scope[key], cell.scope[key]))
        for key in others
        if key in cell.scope and cell.scope[key] != reading.usual.get(key)
    ]
    return " ".join([cell.scope.get(first, "all"), *more])


PHRASES = {"step": "with h = {}", "from": "over {}", "method": "by {}"}
"""How a coordinate that names a series is put, where its value alone would not be understood."""
SPELLED = {"ad": "AD", "fd": "FD", "both": "either method", "gd": "gradient descent", "adam": "Adam",
           "sin(pi*x)": "u = sin πx", "sin(8*pi*x)": "u = sin 8πx"}  # fmt: skip


def sentence(read: Sequence[tuple[Reading, Sequence[Cell]]]) -> str:
    """What was found of the cells of some readings with the same subject; empty where no share was asked."""
    merged: dict[str, dict[str, list[str]]] = {}
    for arithmetic in ARITHMETICS:
        for reading, cells in read:
            own = [clause for clause in clauses(cells, reading) if clause.arithmetic == arithmetic]
            if own:
                merged.setdefault(_told(own, reading), {}).setdefault(reading.variant, []).append(
                    ARITHMETIC_WORDS[arithmetic]
                )
    told = []
    for text, variants in merged.items():
        alike: dict[str, list[str]] = {}
        for variant, names in variants.items():
            alike.setdefault(listed(names), []).append(variant)
        for names_text, found in alike.items():
            which = f", {listed(found)}," if any(found) else ""
            told.append(f"in {names_text}{which} it {text}")
    return f"{read[0][0].words}, {'; '.join(told)}." if told else ""


def _told(own: Sequence[Clause], reading: Reading) -> str:
    """The clauses of one arithmetic; a reason that they share is given once."""
    reasons = [_because(clause, reading) for clause in own]
    given = {reason for reason, clause in zip(reasons, own, strict=True) if clause.finding != "undecided"}
    shared = given.pop() if len(given) == 1 else None
    told = []
    for clause, reason in zip(own, reasons, strict=True):
        why = f" ({reason})" if reason and reason != shared and clause.finding != "undecided" else ""
        told.append(_clause(clause, own, reading) + why)
    return ", ".join(told) + (f": {shared}" if shared else "")


def _clause(clause: Clause, own: Sequence[Clause], reading: Reading) -> str:
    verb = VERBS[clause.finding]
    sizes = sorted({number(cell.scope.get(reading.along, "")) for cell in clause.cells})
    if clause.until is not None:
        verb += f" up to {reading.size} = {clause.until} (neither is shown beyond)"
    elif clause.onset is not None:
        verb += f" from {reading.size} = {clause.onset} on"
    elif len(sizes) > 1 and clause.finding != "undecided":
        verb += f" at every size judged, {reading.size} = {sizes[0]} to {sizes[-1]},"
    elif sizes and clause.finding != "undecided":
        verb += f" at {reading.size} = {sizes[0]}"
    count = len(clause.series)
    everything = len(own) == 1 and count > 3
    return f"{verb} for {f'all {count} {reading.plural}' if everything else listed(clause.series)}{_effect(clause)}"


def _because(clause: Clause, reading: Reading) -> str:
    """The mechanism, where it is that of every cell that is spoken of."""
    found = {cell.evidence.data.get("mechanism") for cell in clause.cells}
    return reading.because.get(str(found.pop()), "") if len(found) == 1 else ""


def relative_gaps(cells: Sequence[Cell]) -> list[float]:
    """The medians of the relative gap, of the cells that have one."""
    found = [cell.evidence.data.get("relative_gap") for cell in cells]
    medians = [gap.get("median") for gap in found if isinstance(gap, dict)]
    return [float(median) for median in medians if isinstance(median, int | float)]


def _effect(clause: Clause) -> str:
    """The sizes of the effect, from the medians of the cells."""
    gaps = relative_gaps(clause.cells)
    if not gaps:
        return ""
    low, high = (f"{value:+.1e}" for value in (min(gaps), max(gaps)))
    tie = ", a tie in size" if max(map(abs, gaps)) < TIE_IN_SIZE else ""
    return f" (relative gap {low}{tie})" if low == high else f" (relative gap {low} to {high}{tie})"


TIE_IN_SIZE = 1e-3

USUAL = {"regime": "w~N(0,1) h=1/100", "operator": "u_xx"}
"""The law, the step and the operator of the sentences."""
_FLOOR_S2 = {
    "floor": "the round-off floor of $A_{FD}$ lies above them",
    "truncation": "the floor does not reach n/2",
}
_S1 = {
    "floor": "round-off of $A_{FD}$ reaches the counted values",
    "truncation": "the floor lies below the counted values, which truncation alone separates",
}
_S3 = {
    "noise counted": "round-off raises the cut-off number of FD",
    "floor": "round-off reaches the counted values",
    "truncation": "the floor lies below the counted values, and truncation decides the sign",
}
_USUAL = {"operator": "u_xx", "step": "1/100", "optimiser": "adam"}
_LEAST_SQUARES = "Least squares with random features"
_S6: tuple[Reading, ...] = (
    *(
        Reading(
            "S6.ad-outperforms",
            f"{_LEAST_SQUARES}, by {words}",
            {"model": "rfm", "optimiser": "svd", "outcome": outcome},
            named=("activation", "operator", "step"),
            usual=_USUAL,
            because={
                "truncation": "what FD leaves of the equation is its truncation error",
                "round-off": "what FD leaves is more than twice its truncation error: round-off",
            },
            plural="settings",
        )
        for outcome, words in (("equation residual", "the residual of the equation"), ("solution error", "the error"))
    ),
    *(
        Reading(
            "S6.ad-outperforms",
            f"Two-layer networks, by {words}",
            {"model": "two-layer", "outcome": outcome},
            named=("activation", "operator", "step", "optimiser"),
            usual=_USUAL,
            size="width",
            plural="settings",
        )
        for outcome, words in (("residual", "the residual that is trained"), ("solution error", "the error"))
    ),
)
_S7: tuple[Reading, ...] = (
    *(
        Reading(
            "S7.grows-with-order",
            f"{_LEAST_SQUARES}, by {words}",
            {"model": "rfm", "outcome": outcome},
            named=("operator", "from", "activation", "step"),
            usual={"activation": "tanh", "step": "1/100"},
            plural="orders",
        )
        for outcome, words in (("equation residual", "the residual of the equation"), ("solution error", "the error"))
    ),
    Reading(
        "S7.grows-with-order",
        "Two-layer networks, by the residual that is trained",
        {"model": "two-layer", "outcome": "residual"},
        named=("operator", "from", "optimiser"),
        usual=_USUAL,
        size="width",
        plural="orders",
    ),
    Reading(
        "S7.grows-with-depth",
        "Perceptrons with h = 1/4096, by the residual that is trained",
        {"outcome": "residual", "step": "1/4096"},
        named=("depth", "from"),
        size="width",
        plural="depths",
    ),
)
ANSWERS: dict[str, tuple[Reading, ...]] = {
    "S1": (Reading("S1.leading-agree", f"Under the rule {ENERGY}", USUAL | {"convention": ENERGY}, because=_S1),),
    "S2": (Reading("S2.every-small", "For every k > n/2", USUAL, because=_FLOOR_S2),),
    "S6": _S6,
    "S7": _S7,
    "S3": (
        Reading("S3.entropy-order", f"Under {ENERGY}", USUAL | {"convention": ENERGY}, because=_S3, variant="raw"),
        Reading(
            "S3.entropy-order",
            f"Under {ENERGY}",
            USUAL | {"convention": f"{ENERGY}, normalised"},
            because=_S3,
            variant="normalised",
        ),
    ),
}
"""What the first sentences of a statement are about."""


def of_reading(claims: Sequence[Claim], reading: Reading) -> list[Cell]:
    """The cells of a reading."""
    return [
        cell
        for claim in claims
        if claim.id == reading.claim
        for cell in claim.cells
        if all(cell.scope.get(key) == value for key, value in reading.where.items())
    ]


def answer(label: str, claims: Sequence[Claim]) -> str:
    """The sentence on a statement of the source; empty where its cells have no findings.

    Args:
        label: ``"S1"`` … ``"S7"``.
        claims: its claims, with their cells.
    """
    if label in training_answers.PAIRED:
        return training_answers.answer(label, claims)
    return " ".join(_sentences([(reading, of_reading(claims, reading)) for reading in ANSWERS.get(label, ())]))


def _sentences(read: Sequence[tuple[Reading, Sequence[Cell]]]) -> list[str]:
    subjects = dict.fromkeys(reading.words for reading, _ in read)
    found = [sentence([one for one in read if one[0].words == words]) for words in subjects]
    return [text for text in found if text]


def setting(label: str) -> str:
    """What the sentence on a statement takes for granted."""
    first = next(iter(ANSWERS.get(label, ())), None)
    return "" if first is None else ", ".join(v for k, v in first.where.items() if k in USUAL)
