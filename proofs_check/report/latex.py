"""Statements, derivations and verdict tables as LaTeX: a document of its own, and two files to ``\\input``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from proofs_check.report.records import Claim, Ledger, read_ledger
from proofs_check.report.summary import STATEMENTS, Tally, overview
from proofs_check.report.tex_text import escape, prose
from proofs_check.report.verdict_paragraphs import paragraphs
from proofs_check.report.wording import ARITHMETICS, checked
from theory import files

DIRECTORY = "latex"
FILES = ("report.tex", "statements.tex", "tables.tex")


def write_latex(directory: Path, *, force: bool = False) -> list[Path]:
    """Writes ``latex/report.tex``, ``statements.tex`` and ``tables.tex`` from a directory's ``ledger.json``.

    ``report.tex`` is a document that inputs the other two; those need ``amsmath``, ``amssymb``, ``booktabs``,
    ``longtable`` and ``array``.

    Returns:
        The paths written.

    Raises:
        InputError: the ledger is missing or is not one, or the directory cannot be written.
    """
    ledger = read_ledger(Path(directory))
    texts = (document(ledger), statements(ledger.claims), tables(ledger))
    target = files.make_folder(Path(directory) / DIRECTORY)
    written = []
    for name, text in zip(FILES, texts, strict=True):
        path = target / name
        text = f"% {files.MARK}\n{text}"
        written.append(files.write(path, text.encode("ascii"), force=force, known=partial(_begins_alike, text)))
    return written


def _begins_alike(text: str, path: Path) -> bool:
    """Whether a file has the first line of ours below the mark, as in versions that did not mark them."""
    with path.open("rb") as file:
        return file.readline(1000).decode("ascii", "replace") == text.splitlines(keepends=True)[1]


def document(ledger: Ledger) -> str:
    """The stand-alone document."""
    made = ledger.provenance
    about = f"adfd {made.adfd}, profile {made.profile}, {made.date}"
    return "\n".join(
        [
            r"\documentclass[11pt]{article}",
            r"\usepackage[T1]{fontenc}",
            r"\usepackage[margin=25mm]{geometry}",
            r"\usepackage{textcomp}",
            r"\usepackage{amsmath,amssymb,booktabs,longtable,array}",
            r"\emergencystretch=3em",
            r"\title{Automatic or finite differentiation?\\ \large A verification report}",
            r"\author{}",
            rf"\date{{{escape(about)}}}",
            r"\begin{document}",
            r"\maketitle",
            r"\noindent " + escape(overview(ledger).answer),
            *(rf"\paragraph{{{label}.}} {prose(text)}" for label, text in paragraphs(ledger).items()),
            r"\input{tables}",
            r"\input{statements}",
            r"\end{document}",
            "",
        ]
    )


def statements(claims: Sequence[Claim]) -> str:
    """Every claim: statement, predicate, assumptions, derivation, and what came of it."""
    lines = [r"\section{Statements}"]
    for family in dict.fromkeys(claim.family for claim in claims):
        lines.append(rf"\subsection{{{escape(family.capitalize())}}}")
        for claim in (c for c in claims if c.family == family):
            lines += _statement(claim)
    return "\n".join([*lines, ""])


def _statement(claim: Claim) -> list[str]:
    source = "ours" if claim.source == "ours" else claim.source
    lines = [
        rf"\paragraph{{{prose(claim.title)}}} (\texttt{{{escape(claim.id)}}}; {escape(source)})",
        prose(claim.statement),
        "",
    ]
    if claim.predicate:
        lines += [rf"\emph{{Tested as:}} {prose(claim.predicate)}", ""]
    if claim.assumptions:
        lines += [r"\emph{Assumptions:} " + "; ".join(prose(a) for a in claim.assumptions) + ".", ""]
    if claim.formal:
        lines += [
            r"\emph{Formally:} "
            + "; ".join(rf"\texttt{{{escape(f.text or f.conclusion)}}}" for f in claim.formal)
            + ".",
            "",
        ]
    if claim.derivation:
        lines += [r"\emph{Derivation.}", r"\begin{enumerate}"]
        for step in claim.derivation:
            because = rf" (\emph{{{prose(step.because)}}})" if step.because else ""
            lines.append(rf"\item {prose(step.text)}{because}")
        lines += [r"\end{enumerate}", ""]
    if claim.cells:
        lines += [rf"\emph{{Checked for:}} {escape(checked(claim))}.", ""]
        lines += [rf"\emph{{Evidence:}} {escape(Tally.of(claim.cells).text)}.", ""]
    return lines


def tables(ledger: Ledger) -> str:
    """The source's statements by arithmetic, the claims with their verdicts, and every cell."""
    return "\n".join(
        [r"\section{Verdicts}", *_by_arithmetic(ledger), *_by_claim(ledger.claims), *_cells(ledger.claims), ""]
    )


def _by_arithmetic(ledger: Ledger) -> list[str]:
    found = overview(ledger)
    if not found.statements:
        return []
    columns = found.arithmetics or list(ARITHMETICS)
    rows = [
        [f"{s.label}: {escape(s.text)}"]
        + [escape(s.by_arithmetic[a].brief) if a in s.by_arithmetic else "" for a in columns]
        for s in found.statements
    ]
    head = ["Statement of the source", *(escape(a or "all") for a in columns)]
    return _longtable("The statements of the source in each arithmetic.", rf"p{{70mm}}{'l' * len(columns)}", head, rows)


def _by_claim(claims: Sequence[Claim]) -> list[str]:
    rows = []
    for claim in claims:
        verdicts = dict.fromkeys(cell.verdict for cell in claim.cells)
        counts = ", ".join(f"{sum(c.verdict == v for c in claim.cells)} {v.lower()}" for v in verdicts)
        source = f"statement {claim.source}" if claim.source in STATEMENTS else claim.source
        rows.append([prose(claim.title), escape(source), escape(counts)])
    widths = r"p{62mm}p{45mm}p{40mm}"
    return _longtable(
        "The claims, their sources, and the verdicts of their cells.", widths, ["Claim", "Source", "Verdicts"], rows
    )


def _cells(claims: Sequence[Claim]) -> list[str]:
    rows = [
        [
            _breakable(claim.id),
            escape("; ".join(f"{key} {value}" for key, value in cell.scope.items())),
            escape(cell.verdict.lower()),
        ]
        for claim in claims
        for cell in claim.cells
    ]
    widths = r"p{45mm}p{75mm}l"
    return [
        r"\begingroup\footnotesize",
        *_longtable("Every cell.", widths, ["Claim", "Cell", "Verdict"], rows),
        r"\endgroup",
    ]


def _breakable(name: str) -> str:
    return re.sub(r"([.-])", r"\1\\allowbreak{}", escape(name))


def _longtable(caption: str, columns: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    columns = re.sub(r"p\{", r">{\\raggedright\\arraybackslash}p{", columns)
    lines = [
        rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
        rf"\caption{{{escape(caption)}}}\\",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule\endfirsthead",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule\endhead",
        r"\bottomrule\endfoot",
    ]
    return [*lines, *(" & ".join(row) + r" \\" for row in rows), r"\end{longtable}", ""]
