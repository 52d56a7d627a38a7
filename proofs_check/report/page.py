"""The report: one self-contained HTML page made from a directory's ``ledger.json`` and ``figures.json``."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from proofs_check.ledger import coverage
from proofs_check.report.comparison import contest, scores
from proofs_check.report.figures.all import draw, drawings
from proofs_check.report.figures.evidence import evidence, links
from proofs_check.report.figures.style import Figure
from proofs_check.report.paragraphs import paragraphs
from proofs_check.report.protocols import Protocol, protocols
from proofs_check.report.records import Cell, Claim, Figures, Ledger, Provenance, read_figures, read_ledger
from proofs_check.report.summary import STATEMENTS, WORDS, Tally, outcome, overview
from proofs_check.report.text import ARITHMETICS, came_to, checked, standing, to_html
from theory.base import files

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
PAGE = "index.html"
SECTIONS = ("summary", "sources", "ledger", "claims", "provenance")
OPEN_CELLS = 6
"""Claims with at most so many cells show them at once; the others fold them away."""
GROUPED_CELLS = 12
"""Claims with more cells than this have them grouped by arithmetic."""
WITNESS_CHARACTERS = 20_000
WITNESS_BUDGET = 4_000_000
"""Characters of witnesses, each and in all; the ledger's JSON holds them whole."""


@dataclass(frozen=True)
class Row:
    """A cell in the tables: its anchor, the values of the coordinates that vary, and the evidence."""

    anchor: str
    cell: Cell
    outcome: str
    values: list[str]
    numbers: str
    witness: str
    steps: list[str]


@dataclass(frozen=True)
class Group:
    """Cells shown in one table."""

    title: str
    tally: Tally
    rows: list[Row]
    open: bool


@dataclass(frozen=True)
class ClaimView:
    """A claim as it is shown."""

    claim: Claim
    anchor: str
    source: str
    tally: Tally
    constant: list[tuple[str, str]]
    varying: list[str]
    groups: list[Group]
    command: str
    checked: str
    formal: list[tuple[str, list[str]]]

    @property
    def rows(self) -> Iterable[Row]:
        """Every cell, in the order of the page."""
        return (row for group in self.groups for row in group.rows)


def write_report(directory: Path, *, force: bool = False) -> Path:
    """Reads ``ledger.json`` and ``figures.json`` of a directory and writes its ``index.html``.

    The page is replaced in one step, so that a reader never sees half of one.  The problem files of the figures are
    written beside it, under ``problems/``, where the commands on the page look for them.

    Returns:
        The path of the page.

    Raises:
        InputError: a file is missing, is not of its kind, or the directory cannot be written.
    """
    directory = Path(directory)
    ledger, figures = read_ledger(directory), read_figures(directory)
    graph = partial(links, ledger.claims, {view.claim.id: view.anchor for view in claim_views(ledger.claims)})
    drawn = draw([*drawings(figures), partial(evidence, ledger.claims), graph])
    text = render(ledger, figures, drawn)
    for figure in drawn:
        for name, content in figure.problems.items():
            if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", name):
                path = files.make_folder(directory / "problems") / f"{name}.toml"
                files.write(path, f"# {files.MARK}\n{content}\n", force=force, known=_is_bare_problem)
    return files.write(directory / PAGE, text, force=force)


def _is_bare_problem(path: Path) -> bool:
    """Whether a file begins as those of versions that did not mark them."""
    return path.read_bytes().startswith(b"[problem]\n")


def render(ledger: Ledger, figures: Figures, drawn: Sequence[Figure]) -> str:
    """The page as text."""
    views = claim_views(ledger.claims, ledger.runs)
    pages = protocols(ledger.claims)
    return _filled(
        "report.html",
        ledger=ledger,
        figures=figures,
        drawn=drawn,
        overview=overview(ledger),
        contest=contest(figures),
        views=views,
        paragraphs=paragraphs(ledger),
        statements=STATEMENTS,
        protocols=pages,
        scores=scores(ledger.claims),
        chains={view.claim.id: _chain(view.claim) for view in views},
        anchors={view.claim.id: view.anchor for view in views},
        filters=_filters(ledger.claims),
        words=WORDS,
        families=list(dict.fromkeys(claim.family for claim in ledger.claims)),
    )


def source_page(page: Protocol, since: str, version: str, bibtex: Sequence[str], seconds: Any = None) -> str:
    """The page of a source by itself.

    Args:
        since: where its verdicts are from.
        version: of adfd.
        bibtex: the entries by which it is cited.
        seconds: ``rows``, ``machine`` and ``date`` of what was measured, if anything was.
    """
    told = {"page": page, "since": since, "version": version, "bibtex": "\n\n".join(bibtex)}
    return _filled("source.html", **told, seconds=seconds)


def _filled(template: str, **values: Any) -> str:
    """A template with this report's style and script."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["math"] = to_html
    folded: list[str] = []

    def fold(text: str) -> str:
        folded.append(str(text))
        return ""

    environment.filters["fold"] = fold
    environment.filters["seconds"] = _seconds
    style = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))
    script = Markup((TEMPLATES / "report.js").read_text(encoding="utf-8"))
    shared = {"style": style, "script": script, "policy": _policy(script), "folded": folded, "packed": packed}
    return _classed(environment.get_template(template).render(**shared, **values))


_SVG = re.compile(r"<svg .*?</svg>", re.DOTALL)
_STYLED = re.compile(r'(<[a-z]+\b(?![^<>]* class=)[^<>]*?) style="([^"<>]*)"')


def _classed(page: str) -> str:
    """The page with the styles that its drawings repeat as classes: a third of what they take."""
    used = Counter(style for drawing in _SVG.findall(page) for _, style in _STYLED.findall(drawing))
    names = {style: f"s{k}" for k, (style, count) in enumerate(used.items()) if count > 3}

    def named(found: re.Match[str]) -> str:
        name = names.get(found[2])
        return found[0] if name is None else f'{found[1]} class="{name}"'

    rules = "".join(f"main svg .{name}{{{style}}}\n" for style, name in names.items())
    return _SVG.sub(lambda found: _STYLED.sub(named, found[0]), page).replace("</style>", f"{rules}</style>", 1)


def packed(texts: Sequence[str]) -> str:
    """Texts as JSON, compressed, in base64: how the page keeps the rows that its script unfolds."""
    content = json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _policy(script: str) -> str:
    """A content security policy: this page's own script by its hash, inline styles, and nothing from anywhere."""
    # The browser hashes what stands between the tags, which the template writes without adding a character.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"


def claim_views(claims: Sequence[Claim], runs: Sequence[Provenance] = ()) -> list[ClaimView]:
    """The claims with their anchors (a claim's id wherever that can be one) and their cells in groups.

    Of several runs, each cell says which one it is from.
    """
    taken = {*SECTIONS}
    views, number, budget = [], 0, WITNESS_BUDGET
    for claim in claims:
        anchor = _anchor(claim.id, taken)
        keys = list(dict.fromkeys(key for cell in claim.cells for key in cell.scope))
        constant = [
            (key, claim.cells[0].scope[key])
            for key in keys
            if len({cell.scope.get(key) for cell in claim.cells}) == 1 and len(claim.cells) > 1
        ]
        varying = [key for key in keys if key not in dict(constant)]
        grouping = _grouping(claim.cells, varying)
        shown = [key for key in varying if key != grouping]
        groups: list[Group] = []
        for title, cells in _grouped(claim.cells, grouping):
            rows = []
            for cell in cells:
                witness = _witness(cell, budget)
                budget -= len(witness)
                rows.append(_row(f"cell-{number}", cell, shown, witness, runs))
                number += 1
            groups.append(Group(title, Tally.of(cells), rows, len(claim.cells) <= OPEN_CELLS))
        views.append(
            ClaimView(
                claim,
                anchor,
                STATEMENTS.get(claim.source, ""),
                Tally.of(claim.cells),
                constant,
                shown,
                groups,
                f"adfd verify {claim.id}",
                checked(claim),
                _formal(claim),
            )
        )
    return views


def _formal(claim: Claim) -> list[tuple[str, list[str]]]:
    """The formal statements by cell; of one cell without its address."""
    found: dict[str, list[str]] = {}
    for one in claim.formal:
        found.setdefault(one.cell, []).append(one.text or one.conclusion)
    return [("" if len(found) == 1 else cell, texts) for cell, texts in found.items()]


def _steps(cell: Cell) -> list[str]:
    """The steps that ran in a cell, or were told, and what each came to."""
    listed = cell.evidence.data.get("steps")
    found = []
    for step in listed if isinstance(listed, list) else []:
        if isinstance(step, dict):
            text = step.get("text") or step.get("statement") or ""
            detail = f": {step['detail']}" if step.get("detail") else ""
            found.append(f"{text} — {came_to(step)} ({step.get('rule') or 'told'}){detail}")
    return found


def _chain(claim: Claim) -> list[str]:
    """What each step of a derivation came to: in words, by the first cell that has run them."""
    run = next((cell.evidence.data["steps"] for cell in claim.cells if "steps" in cell.evidence.data), None)
    ran = [step if isinstance(step, dict) else {} for step in run] if isinstance(run, list) else []
    return [standing(step.rule, ran[k] if k < len(ran) else {}) for k, step in enumerate(claim.derivation)]


def _anchor(text: str, taken: set[str]) -> str:
    anchor = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-") or "claim"
    base, count = anchor, 2
    while anchor in taken or anchor.startswith(
        (
            "cell-",
            "figure-",
            "source-",
            "links-",
            "verdict-",
            "statement-",
            "filter-",
            "f1-",
            "f2-",
            "f3-",
            "f5-",
            "f6-",
        )
    ):
        anchor, count = f"{base}.{count}" if base != anchor else f"claim.{base}", count + 1
    taken.add(anchor)
    return anchor


def _grouping(cells: Sequence[Cell], varying: Sequence[str]) -> str | None:
    if len(cells) <= GROUPED_CELLS or not varying:
        return None
    return "arithmetic" if "arithmetic" in varying else varying[0]


def _grouped(cells: Sequence[Cell], key: str | None) -> list[tuple[str, list[Cell]]]:
    if key is None:
        return [("", list(cells))] if cells else []
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.scope.get(key, "—"), []).append(cell)
    order = {name: place for place, name in enumerate(ARITHMETICS)}
    return sorted(groups.items(), key=lambda item: order.get(item[0], len(order)))


def _row(anchor: str, cell: Cell, keys: Sequence[str], witness: str, runs: Sequence[Provenance]) -> Row:
    evidence = cell.evidence
    numbers = [f"method: {cell.method}" if cell.method else "", f"quantifier: {cell.quantifier}"]
    if evidence.instances or evidence.rejected:
        numbers.append(f"{evidence.holding} of {evidence.instances} instances hold")
    if evidence.undecided:
        numbers.append(f"{evidence.undecided} undecided")
    if evidence.rejected:
        numbers.append(f"{evidence.rejected} rejected by the assumptions")
    if (judged := coverage.told_by(evidence.data)) is not None and judged["varying"]:
        numbers.append(f"checked for {coverage.of_cell(judged)}")
    numbers.append(_seconds(cell.seconds))
    if len(runs) > 1 and 0 <= cell.run < len(runs):
        run = runs[cell.run]
        numbers.append(f"run {cell.run + 1}, profile {run.profile}, {run.date}, sources {run.code or 'not recorded'}")
    values = [cell.scope.get(key, "—") for key in keys]
    return Row(anchor, cell, outcome(cell), values, "; ".join(n for n in numbers if n), witness, _steps(cell))


def _witness(cell: Cell, budget: int) -> str:
    """The evidence's data as compact JSON, cut where it is long."""
    told = {key: value for key, value in cell.evidence.data.items() if key not in ("steps", "checked_for", "theorems")}
    if not told or budget <= 0:
        return ""
    text = json.dumps(told, ensure_ascii=False, separators=(", ", ": "))
    limit = min(WITNESS_CHARACTERS, budget)
    return text if len(text) <= limit else f"{text[:limit]} … (whole in ledger.json)"


def _seconds(value: float) -> str:
    if value < 0.01:
        return "under 0.01 s"
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s" if value < 600 else f"{value / 60:.0f} min"


def _filters(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """The ledger's filters with the values that occur."""
    cells = [(claim, cell) for claim in claims for cell in claim.cells]

    def values(found: Iterable[str]) -> list[str]:
        return sorted({value for value in found if value})

    listed = (
        ("verdict", "Verdict", values(cell.verdict for _, cell in cells)),
        ("family", "Family", values(claim.family for claim, _ in cells)),
        ("arithmetic", "Arithmetic", values(cell.scope.get("arithmetic", "") for _, cell in cells)),
        ("activation", "Activation", values(cell.scope.get("activation", "") for _, cell in cells)),
        ("status", "On record", values(cell.status for _, cell in cells)),
    )
    return [{"key": key, "label": label, "values": found} for key, label, found in listed if len(found) > 1]
