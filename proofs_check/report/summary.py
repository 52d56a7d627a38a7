"""What a reader wants first: each statement of the source in words, assembled from the verdicts of its cells.

No outcome is written here.  The only fixed texts are what the statements say and how a tally is put in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from proofs_check.report.answers import setting
from proofs_check.report.brief import brief
from proofs_check.report.records import Cell, Claim, Ledger
from proofs_check.report.text import ARITHMETIC_WORDS, ARITHMETICS, listed

Outcome = Literal["holds", "mixed", "open", "reversed", "fails", "void"]
"""A finding, or else a verdict; ``fails``: a witness refutes a universal statement; ``void``: nothing was judged."""

OUTCOMES: tuple[Outcome, ...] = ("holds", "mixed", "open", "reversed", "fails", "void")
WORDS: dict[Outcome, str] = {"holds": "holds", "mixed": "mixed", "open": "open", "reversed": "reversed",
                             "fails": "refuted", "void": "not judged"}  # fmt: skip
FINDINGS: tuple[Outcome, ...] = ("holds", "reversed", "mixed", "open")
OUTCOME_OF: dict[str, Outcome] = {
    "PROVED": "holds",
    "CERTIFIED": "holds",
    "SUPPORTED": "holds",
    "REFUTED": "fails",
    "INCONCLUSIVE": "open",
}
VERDICTS = ("PROVED", "CERTIFIED", "SUPPORTED", "REFUTED", "INCONCLUSIVE", "VACUOUS", "ERROR")

STATEMENTS: dict[str, str] = {
    "S1": "Large singular values of AD and FD agree",
    "S2": "Small singular values of FD are larger than those of AD",
    "S3": "The truncated entropy of AD is at least that of FD",
    "S4": "Truncated entropy quantifies the residual loss of the random feature model",
    "S5": "Truncated entropy quantifies the training speed of two-layer networks",
    "S6": "In training, AD outperforms FD",
    "S7": "The advantage of AD grows with the order of the equation",
}
"""What the source states, in a line each (not what came out of it)."""


def outcome(cell: Cell) -> Outcome:
    """The cell's finding where it has one, else its verdict, in plain words."""
    if cell.finding is not None and cell.verdict in OUTCOME_OF:
        return next((found for found in FINDINGS if found == cell.finding), "open")
    return OUTCOME_OF.get(cell.verdict, "void")


def facts(cells: Iterable[Cell]) -> list[Cell]:
    """One cell of each fact: conventions under which every draw of a setting is decided alike are one."""
    found: dict[object, Cell] = {}
    for number, cell in enumerate(cells):
        decisions = cell.evidence.data.get("decisions")
        where = tuple(item for item in sorted(cell.scope.items()) if item[0] != "convention")
        found.setdefault(number if decisions is None else (where, decisions), cell)
    return list(found.values())


@dataclass(frozen=True)
class Tally:
    """How many cells hold, are open, fail or judged nothing."""

    counts: dict[Outcome, int]

    @staticmethod
    def of(cells: Iterable[Cell]) -> Tally:
        """The tally of some cells."""
        found = Counter(outcome(cell) for cell in cells)
        return Tally({word: found[word] for word in OUTCOMES})

    def __getitem__(self, word: Outcome) -> int:
        return self.counts[word]

    @property
    def total(self) -> int:
        """Number of cells."""
        return sum(self.counts.values())

    @property
    def against(self) -> int:
        """How many cells are reversed or fail."""
        return self["reversed"] + self["fails"]

    @property
    def unanimous(self) -> Outcome | None:
        """The outcome of every cell, where it is the same."""
        return next((word for word in OUTCOMES if self.total and self[word] == self.total), None)

    @property
    def word(self) -> str:
        """One word: the outcome of every cell, or ``depends``; ``open``, ``mixed`` and ``void`` cells decide nothing."""
        if self.unanimous is not None:
            return WORDS[self.unanimous]
        if self["holds"] and self.against:
            return "depends"
        if self["holds"]:
            return "holds where decided"
        if not self.against:
            return "mixed" if self["mixed"] else "open"
        return "refuted where decided" if self["fails"] else "reversed where decided"

    @property
    def brief(self) -> str:
        """At most two words, for a table: as :attr:`word`, but undecided cells are named."""
        if self.unanimous is not None:
            return self.word
        decided: tuple[Outcome, ...] = ("holds", "reversed", "fails")
        if not (self["holds"] and self.against):
            decided = (*decided, "mixed", "open", "void")
        return ", ".join(WORDS[word] for word in decided if self[word])

    @property
    def symbol(self) -> Outcome | Literal["mixed"]:
        """Which symbol stands before the word: that of the decided cells, or both halves."""
        if self["holds"] and self.against:
            return "mixed"
        return "holds" if self["holds"] else "fails" if self.against else self.unanimous or "open"

    @property
    def parts(self) -> list[tuple[Outcome, int]]:
        """The outcomes that occur, with their counts, for a bar."""
        return [(word, self[word]) for word in OUTCOMES if self[word]]

    @property
    def text(self) -> str:
        """``holds in 3, fails in 5 of 8 cells``; short where unanimous."""
        cells = "cell" if self.total == 1 else "cells"
        if self.unanimous is not None:
            where = f"the one {cells}" if self.total == 1 else f"all {self.total} {cells}"
            return f"{WORDS[self.unanimous]} in {where}"
        return ", ".join(f"{WORDS[word]} in {count}" for word, count in self.parts) + f" of {self.total} {cells}"

    @property
    def clause(self) -> str:
        """:attr:`text` as the predicate of a sentence."""
        verbs = {"holds": "holds", "mixed": "is mixed", "open": "stays open", "reversed": "is reversed",
                 "fails": "is refuted by a witness", "void": "is not judged"}  # fmt: skip
        if self.unanimous is not None:
            return self.text.replace(WORDS[self.unanimous], verbs[self.unanimous], 1)
        return _list([f"{verbs[word]} in {count}" for word, count in self.parts]) + f" of {self.total} cells"


@dataclass(frozen=True)
class Judgement:
    """A claim of the source in one arithmetic."""

    arithmetic: str
    tally: Tally
    sentence: str


@dataclass(frozen=True)
class Row:
    """A claim of the source with its judgement in each arithmetic that occurs."""

    claim: Claim
    tally: Tally
    judgements: dict[str, Judgement]
    sentences: list[str]


@dataclass(frozen=True)
class Statement:
    """One of the source's statements: its claims, what came of them, and when it holds (empty where nothing tells).

    ``answer`` is one short sentence (:mod:`proofs_check.report.brief`).
    """

    label: str
    text: str
    tally: Tally
    rows: list[Row]
    by_arithmetic: dict[str, Tally]
    answer: str = ""
    setting: str = ""


@dataclass(frozen=True)
class Overview:
    """Everything the first screen says."""

    statements: list[Statement]
    arithmetics: list[str]
    setting: list[tuple[str, str]]
    answer: str
    verdicts: dict[str, int]
    claims: int
    cells: int
    ours: int
    surprises: list[tuple[str, Cell]] = field(default_factory=list)


def overview(ledger: Ledger) -> Overview:
    """The first screen of a ledger; counts are taken from the cells themselves."""
    cells = [cell for claim in ledger.claims for cell in claim.cells]
    found = Counter(cell.verdict for cell in cells)
    verdicts = {name: found[name] for name in VERDICTS if found[name]}
    statements = _statements(ledger.claims)
    present = {_arithmetic(cell) for s in statements for row in s.rows for cell in row.claim.cells}
    columns = [a for a in ARITHMETICS if a in present] + sorted(a for a in present if a and a not in ARITHMETICS)
    surprises = [
        (claim.id, cell)
        for claim in ledger.claims
        for cell in claim.cells
        if cell.status in ("changed", "error", "improved")
    ]
    return Overview(
        statements,
        columns,
        _setting([cell for s in statements for row in s.rows for cell in row.claim.cells]),
        _answer(statements),
        verdicts,
        len(ledger.claims),
        len(cells),
        sum(1 for claim in ledger.claims if claim.source not in STATEMENTS),
        surprises,
    )


def _statements(claims: Sequence[Claim]) -> list[Statement]:
    result = []
    for label, text in STATEMENTS.items():
        own = [claim for claim in claims if claim.source == label and claim.cells]
        if own:
            rows = [_row(claim) for claim in own]
            found = [cell for claim in own for cell in facts(claim.cells)]
            split = {a: Tally.of(c for c in found if _arithmetic(c) == a) for a in map(_arithmetic, found)}
            result.append(Statement(label, text, Tally.of(found), rows, split, brief(label, own), setting(label)))
    return result


def _setting(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    """The coordinates that are the same in every cell: what the verdicts are about, beyond what varies."""
    keys = dict.fromkeys(key for cell in cells for key in cell.scope)
    values = {key: {cell.scope.get(key) for cell in cells} for key in keys}
    return [(key, found.pop() or "") for key, found in values.items() if len(found) == 1]


def _arithmetic(cell: Cell) -> str:
    return cell.scope.get("arithmetic", "")


def _row(claim: Claim) -> Row:
    judged = judgements(claim.cells)
    return Row(claim, Tally.of(claim.cells), judged, sentences(claim.cells, judged))


def judgements(cells: Sequence[Cell]) -> dict[str, Judgement]:
    """What came of some cells in each arithmetic, in the order of the arithmetics."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_arithmetic(cell), []).append(cell)
    order = [a for a in (*ARITHMETICS, *sorted(set(groups) - set(ARITHMETICS))) if a in groups]
    return {a: Judgement(a, Tally.of(groups[a]), describe(groups[a])) for a in order}


def sentences(cells: Sequence[Cell], judged: dict[str, Judgement]) -> list[str]:
    """One sentence for each set of arithmetics with the same words; one alone where they all agree."""
    if len({j.sentence for j in judged.values()}) == 1 and len(judged) > 1:
        return [f"In every arithmetic it {describe(cells)}."]
    merged: dict[str, list[str]] = {}
    for name, judgement in judged.items():
        merged.setdefault(judgement.sentence, []).append(ARITHMETIC_WORDS.get(name, name))
    result = []
    for sentence, names in merged.items():
        where = f"In {_list(names)} it" if names != [""] else "It"
        result.append(f"{where} {sentence}" + (" each." if len(names) > 1 and "all" in sentence else "."))
    return result


def describe(cells: Sequence[Cell], limit: int = 5) -> str:
    """What came of some cells, in words: unanimous, or by the coordinate that explains most of the differences.

    The coordinate is the one whose values leave the fewest cells in the minority of their group.
    """
    tally = Tally.of(cells)
    if tally.unanimous is not None:
        return tally.clause
    key = explaining_coordinate(cells)
    if key is None:
        return tally.clause
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.scope.get(key, "—"), []).append(cell)
    by_word: dict[str, list[str]] = {}
    for value, group in groups.items():
        by_word.setdefault(_group_word(Tally.of(group)), []).append(_value(key, value))
    if len(by_word) == 1:
        return tally.clause
    order = ("always holds", "holds where decided", "depends", "is mixed", "stays open", "reversed where decided",
             "refuted where decided", "is always reversed", "is always refuted")  # fmt: skip
    parts = []
    for word in (*order, *sorted(set(by_word) - set(order))):
        if word in by_word:
            parts.append(f"{word} for {_list(by_word[word], limit, plural(key))}")
    return f"{'; '.join(parts)} ({tally.text})"


def explaining_coordinate(cells: Sequence[Cell]) -> str | None:
    """The scope key that best separates the outcomes; None where none does better than no key at all."""

    def minority(key: str | None) -> int:
        groups: dict[str, Counter[Outcome]] = {}
        for cell in cells:
            groups.setdefault("" if key is None else cell.scope.get(key, "—"), Counter())[outcome(cell)] += 1
        return sum(sum(group.values()) - max(group.values()) for group in groups.values())

    keys = [key for key in dict.fromkeys(key for cell in cells for key in cell.scope) if key != "arithmetic"]
    useful = [key for key in keys if minority(key) < minority(None)]

    def rank(key: str) -> tuple[int, int]:
        return minority(key), len({cell.scope.get(key) for cell in cells})

    return min(useful, key=rank, default=None)


def _group_word(tally: Tally) -> str:
    names = {"holds": "always holds", "mixed": "is mixed", "reversed": "is always reversed", "fails": "is always refuted",
             "open": "stays open", "void": "is not judged"}  # fmt: skip
    return names[tally.unanimous] if tally.unanimous is not None else tally.word


def _value(key: str, value: str) -> str:
    plain = {"activation", "convention", "law", "operator", "optimizer", "model", "stencil", "regime"}
    text = value if key in plain else f"{key} {value}"
    return f"“{text}”" if "," in text else text


def plural(key: str) -> str:
    """A scope key in the plural: conventions, frequencies, laws."""
    return f"{key[:-1]}ies" if key.endswith("y") else key if key.endswith("s") else f"{key}s"


def _list(items: Sequence[str], limit: int = 8, noun: str = "") -> str:
    if len(items) > limit and noun and any("," in item for item in items):
        return f"{len(items)} {noun}"
    shown = list(items) if len(items) <= limit else [*items[: limit - 1], f"{len(items) - limit + 1} more"]
    return listed(shown)


def _answer(statements: Sequence[Statement]) -> str:
    """Is the theory true, in a sentence."""
    if not statements:
        return "This ledger judges none of the source's statements."
    words: dict[str, list[str]] = {}
    for s in statements:
        words.setdefault(s.tally.word, []).append(s.label)
    if set(words) == {"holds"}:
        return f"Yes, in every cell that was judged: {_list(words['holds'])}."
    if set(words) == {WORDS["fails"]}:
        verb = "is" if len(statements) == 1 else "are"
        return f"No: {_list(words[WORDS['fails']])} {verb} refuted, by a witness in every cell."
    order = ("holds", "holds where decided", "depends", "open", "refuted where decided", WORDS["fails"])
    verbs = {
        "holds": ("holds in every cell", "hold in every cell"),
        "holds where decided": ("holds wherever it was decided", "hold wherever they were decided"),
        "depends": ("holds in some cells and not in others", "hold in some cells and not in others"),
        "open": ("stays open", "stay open"),
        "refuted where decided": ("is refuted wherever it was decided", "are refuted wherever they were decided"),
        WORDS["fails"]: ("is refuted by a witness in every cell", "are refuted by witnesses in every cell"),
    }
    parts = [
        f"{_list(words[word])} {verbs.get(word, (word, word))[len(words[word]) > 1]}"
        for word in (*order, *sorted(set(words) - set(order)))
        if word in words
    ]
    lead = "In part" if len(words) > 1 or "depends" in words else "Not decided"
    turning = [s.label for s in statements if {"holds", "fails"} <= {t.symbol for t in s.by_arithmetic.values()}]
    if turning:
        parts.append(f"{_list(turning)} {'turns' if len(turning) == 1 else 'turn'} over with the arithmetic")
    return f"{lead}: {'; '.join(parts)}."
