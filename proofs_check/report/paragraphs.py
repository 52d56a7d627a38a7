"""One paragraph on each statement of the source that a reviewer could quote, written from the cells alone.

Sentences have patterns; which one is used, and every number and name in it, comes from the verdicts and their evidence.
What the statement says, and what its contrary would be, are the only texts that are fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from proofs_check.report.answers import answer
from proofs_check.report.records import Cell, Claim, Ledger
from proofs_check.report.summary import STATEMENTS, Judgement, Tally, facts, judgements, outcome, sentences
from proofs_check.report.text import ARITHMETIC_WORDS, listed

AFFIRMED: dict[str, str] = {
    "S1": "the large singular values of AD and FD agree",
    "S2": "small singular values of FD are larger than those of AD",
    "S3": "AD has at least the truncated entropy of FD",
    "S4": "truncated entropy tells how much residual loss the random feature model is left with",
    "S5": "truncated entropy tells how fast two-layer networks train",
    "S6": "AD trains to a better result than FD",
    "S7": "the advantage of AD grows with the order of the equation and the depth of the network",
}
"""What is true where a statement holds."""
DENIED: dict[str, str] = {
    "S1": "the large singular values of AD and FD differ by more than the tolerance",
    "S2": "small singular values of FD are not larger than those of AD",
    "S3": "AD does not have the truncated entropy of FD or more",
    "S4": "truncated entropy does not tell how much residual loss the random feature model is left with",
    "S5": "truncated entropy does not tell how fast two-layer networks train",
    "S6": "AD does not train to a better result than FD",
    "S7": "the advantage of AD does not grow with the order of the equation or the depth of the network",
}
"""What is true where a statement fails: no more than that."""

QUIET = ("model", "optimiser", "matrix", "solver", "regime", "tolerance")
"""Coordinates that are left out of a cell's name where its claim has others that vary."""


def paragraphs(ledger: Ledger) -> dict[str, str]:
    """The paragraph of each statement that the ledger judges, with LaTeX between dollars."""
    found = {}
    for label in STATEMENTS:
        own = [claim for claim in ledger.claims if claim.source == label and claim.cells]
        if own:
            found[label] = paragraph(label, own)
    return found


def paragraph(label: str, claims: Sequence[Claim]) -> str:
    """What came of one statement of the source, in a paragraph.

    Args:
        label: ``"S1"`` … ``"S7"``.
        claims: its claims, each with at least one cell.
    """
    cells = [cell for claim in claims for cell in claim.cells]
    found = answer(label, claims)
    said = [found or _lead(label, Tally.of(cells))]
    for claim in claims:
        said += [_counted(claim)] if found else _of_claim(claim, len(claims) > 1)
        said.append(_extremes(claim.cells))  # of each claim by itself: two readings are never mixed
    said += [_open(cells), _conditional(cells), _threshold(claims)]
    return " ".join(sentence for sentence in said if sentence)


def _counted(claim: Claim) -> str:
    """In how many facts a claim holds, over all operators, laws, steps, sizes, arithmetics and conventions judged."""
    tally = Tally.of(facts(claim.cells))
    where = "over everything that was judged" if tally.total == len(claim.cells) else (
        f"over {tally.total} facts (conventions that decide alike in every draw are one; {len(claim.cells)} cells)"
    )  # fmt: skip
    return f"Read as “{claim.title.rstrip('.')}” it {tally.clause.replace(' cells', '')} {where}."


def _lead(label: str, tally: Tally) -> str:
    """The verdict on the whole statement."""
    affirmed, denied, cells = AFFIRMED[label], DENIED[label], f"{tally.total} cell{'s' if tally.total != 1 else ''}"
    judged = "the one cell" if tally.total == 1 else f"all {cells}"
    decided = tally["holds"] + tally.against
    match tally.word:
        case "holds":
            return f"{label} holds: {affirmed}, in {judged} that {'was' if tally.total == 1 else 'were'} judged."
        case "refuted":
            return f"{label} is refuted: {denied}, in {judged} that {'was' if tally.total == 1 else 'were'} judged."
        case "depends":
            more = "more often than not" if 2 * tally["holds"] > decided else "in the minority of the decided cells"
            if 2 * tally["holds"] == decided:
                more = "in half of the decided cells"
            return (
                f"{label} is neither true nor false as it stands: that {affirmed} holds {more} "
                f"({tally['holds']} of {decided}) and not in the others."
            )
        case "holds where decided":
            return f"{label} holds wherever it was decided: {affirmed}, in {tally['holds']} of {cells}."
        case "reversed" | "reversed where decided":
            return f"{label} is reversed wherever it was decided: {denied}, in {tally['reversed']} of {cells}."
        case "refuted where decided":
            return f"{label} is refuted wherever it was decided: {denied}, in {tally['fails']} of {cells}."
    return f"{label} stays open: whether {affirmed} was decided in none of {cells}."


def _of_claim(claim: Claim, several: bool) -> list[str]:
    """What came of a claim, arithmetic by arithmetic; named where the statement is judged as several."""
    tally, judged = Tally.of(claim.cells), judgements(claim.cells)
    lead = f"Read as “{claim.title.rstrip('.')}” it {tally.clause}." if several else ""
    if tally.unanimous is not None:
        return [lead] if several else [f"That is so in {_names(judged)}." if len(judged) > 1 else ""]
    told = sentences(claim.cells, judged)
    if several and len(judged) == 1 and told == [f"It {tally.clause}."]:
        told = []
    return [lead, _turns(judged), *told]


def _turns(judged: Mapping[str, Judgement]) -> str:
    """Whether the arithmetic turns the verdict over: three times as many cells on one side in one, on the other in
    another."""
    leaning = {
        "holds" if t["holds"] > 3 * t.against else "fails" if t.against > 3 * t["holds"] else "even"
        for t in (judgement.tally for judgement in judged.values())
        if t["holds"] or t.against
    }
    return "The verdict turns over with the arithmetic." if {"holds", "fails"} <= leaning else ""


def _names(arithmetics: Iterable[str]) -> str:
    return listed([ARITHMETIC_WORDS.get(name, name) for name in arithmetics])


def _share(cell: Cell) -> float | None:
    """The share of the instances that hold, where there are enough to speak of one."""
    evidence = cell.evidence
    return evidence.holding / evidence.instances if evidence.instances >= 8 else None


def _margin(cell: Cell) -> float | None:
    found = cell.evidence.data.get("worst_margin")
    return float(found) if isinstance(found, int | float) else None


def _extremes(cells: Sequence[Cell]) -> str:
    """The clearest cell on either side."""
    held = [cell for cell in cells if outcome(cell) == "holds"]
    failed = [cell for cell in cells if outcome(cell) in ("reversed", "fails")]
    best = _first(held, lambda value: -value)
    worst = _first(failed, lambda value: value)
    told = []
    if best is not None:
        told.append(f"{'clearest' if failed else 'most clearly'} for {_name(best, cells)} ({_evidence(best)})")
    if worst is not None:
        told.append(f"{'least' if held else 'most clearly'} for {_name(worst, cells)} ({_evidence(worst)})")
    if len(told) == 2:
        return f"It is {told[0]} and holds {told[1]}."
    if best is not None:
        return f"It holds {told[0]}."
    reversed_ = worst is not None and outcome(worst) == "reversed"
    return f"It is {'reversed' if reversed_ else 'refuted'} {told[0]}." if told else ""


def _first(cells: Sequence[Cell], rank: Callable[[float], float]) -> Cell | None:
    """The extreme cell by share of instances, then by margin; None where nothing is measured."""

    def key(cell: Cell) -> tuple[float, float]:
        share, margin = _share(cell), _margin(cell)
        return rank(0.5 if share is None else share), rank(0.0 if margin is None else margin)

    measured = [cell for cell in cells if _share(cell) is not None or _margin(cell) is not None]
    return min(measured, key=key, default=None)


def _evidence(cell: Cell) -> str:
    share = _share(cell)
    if share is not None:
        return f"{cell.evidence.holding} of {cell.evidence.instances} draws"
    return cell.evidence.summary.rstrip(".")


def _name(cell: Cell, cells: Sequence[Cell]) -> str:
    """A cell by the coordinates that vary among ``cells``."""
    varying = [k for k in cell.scope if len({other.scope.get(k) for other in cells}) > 1]
    chosen = [key for key in varying if key not in QUIET] or varying or list(cell.scope)
    spelled = []
    for key in chosen:
        value = cell.scope[key]
        plain = ARITHMETIC_WORDS.get(value, value) if key in ("arithmetic", "activation") else f"{key} {value}"
        spelled.append(plain)
    return listed(spelled) if spelled else "the one cell"


def _open(cells: Sequence[Cell]) -> str:
    tally = Tally.of(cells)
    parts = []
    if tally["open"] and tally["open"] < tally.total:
        parts.append(f"{tally['open']} of {tally.total} cells stay open")
    if tally["void"]:
        parts.append(f"{tally['void']} of {tally.total} were not judged")
    return f"{'; '.join(parts)}." if parts else ""


def _conditional(cells: Sequence[Cell]) -> str:
    """On what the verdicts are conditional that is not positive itself."""
    found: dict[str, int] = {}
    for cell in cells:
        for condition in cell.evidence.conditions:
            text = f"{condition.id}, which is {condition.verdict}"
            found[text] = found.get(text, 0) + 1
    if not found:
        return ""
    parts = [f"{text} ({count} cell{'s' if count != 1 else ''})" for text, count in found.items()]
    return f"The explanation is conditional on {listed(parts)}."


def _threshold(claims: Sequence[Claim]) -> str:
    """What “holds” means, by the predicates; each once."""
    said = list(dict.fromkeys(claim.predicate.strip().rstrip(".") for claim in claims if claim.predicate.strip()))
    if not said:
        return ""
    return f"Holding means: {'; or '.join(said)}."
