r"""Text of a ledger as LaTeX that compiles whatever the text is.

Outside of dollars every character is escaped.  A formula may use only the commands of :data:`COMMANDS`; one that uses
another, or is not closed in itself, is printed as typed.  The output is ASCII, so that every engine reads it.

Statements, derivations and verdict tables as LaTeX: a document of its own, and two files to ``\input``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from proofs_check.report.paragraphs import paragraphs
from proofs_check.report.records import Claim, Ledger, read_ledger
from proofs_check.report.summary import STATEMENTS, Tally, overview
from proofs_check.report.text import ARITHMETICS, checked
from theory.base import files

_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_OTHER = (
    "frac tfrac dfrac sqrt sum prod int log ln exp sin cos tan sinh cosh tanh coth arcsin arctan max min sup inf lim "
    "det dim ker deg le leq ge geq ne neq approx sim simeq equiv asymp ll gg lesssim gtrsim preceq succeq prec succ in "
    "notin subset subseteq times cdot cdots ldots dots pm mp circ ast to mapsto rightarrow Rightarrow Leftrightarrow "
    "leftarrow infty partial nabla ell hbar prime forall exists lVert rVert lvert rvert langle rangle lfloor rfloor "
    "lceil rceil vert Vert mid left right big Big bigl bigr Bigl Bigr bigg biggl biggr mathrm mathbf mathbb mathcal "
    "mathit mathsf operatorname text textrm overline underline bar hat tilde dot ddot vec widehat widetilde "
    "displaystyle textstyle quad qquad perp top dagger otimes oplus cup cap setminus colon"
)
COMMANDS = frozenset(f"{_GREEK} {_OTHER}".split())
"""What a formula may use: nothing that reads or writes a file, defines a command or reaches outside of it."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    # After a line end in a table or an item these two would be read as its options.
    "[": "{[}",
    "*": "{*}",
}
_SYMBOLS = {
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "≪": r"\ll", "≫": r"\gg", "×": r"\times", "·": r"\cdot",
    "±": r"\pm", "−": "-", "∞": r"\infty", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∂": r"\partial", "∇": r"\nabla",
    "√": r"\surd", "∈": r"\in", "→": r"\to", "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow", "‖": r"\|", "⟨": r"\langle",
    "⟩": r"\rangle", "½": r"\tfrac{1}{2}", "¼": r"\tfrac{1}{4}", "…": r"\ldots", "⪯": r"\preceq", "≺": r"\prec",
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta",
    "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho",
    "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "ϕ": r"\phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega",
    "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Σ": r"\Sigma", "Φ": r"\Phi", "Ψ": r"\Psi",
    "Ω": r"\Omega", "ᵀ": r"{}^{T}", "′": r"'", "°": r"{}^{\circ}",
}  # fmt: skip
_PROSE = {"–": "--", "—": "---", "“": "``", "”": "''", "‘": "`", "’": "'", "\u00a0": "~", "§": r"\S{}"}
_MATH = re.compile(r"(?<!\\)\$([^$]+)\$|`([^`]+)`", re.DOTALL)


def prose(text: str) -> str:
    """Text with formulas between dollars and code between backquotes, as LaTeX.

    >>> prose("for 5% of $h$: `u_xx`")
    'for 5\\\\% of $h$: \\\\texttt{u\\\\_xx}'
    """
    parts, end = [], 0
    for match in _MATH.finditer(text):
        parts.append(escape(text[end : match.start()].replace(r"\$", "$")))
        end = match.end()
        if match[1] is None:
            parts.append(rf"\texttt{{{escape(match[2])}}}")
        else:
            parts.append(f"${_mathematics(match[1])}$" if allowed(match[1]) else rf"\texttt{{{escape(match[1])}}}")
    return "".join(parts) + escape(text[end:].replace(r"\$", "$"))


def allowed(formula: str) -> bool:
    """Whether a formula is closed in itself: known commands, balanced braces and fences, nothing that ends it.

    >>> allowed(r"\\frac{1}{2}"), allowed(r"\\input{secret}"), allowed("}{"), allowed("a % b")
    (True, False, False, False)
    """
    depth, fences = 0, 0
    names = []
    for match in re.finditer(r"\\([A-Za-z]+|.)|([{}%#&$~])", formula, re.DOTALL):
        name, char = match[1], match[2]
        if name is not None:
            if name.isalpha():
                names.append(name)
            elif name not in r"{}|,;:! ":
                return False
            fences += (name == "left") - (name == "right")
        elif char in "{}":
            depth += 1 if char == "{" else -1
        else:
            return False
        if depth < 0 or fences < 0:
            return False
    if depth or fences or any(name not in COMMANDS for name in names):
        return False
    dangling = formula.strip()[-1:] in {"\\", "^", "_", ""} or re.search(r"[\^_]\s*(?:[\^_}&]|$)", formula)
    words = re.findall(r"\\text(?:rm)?\s*\{([^{}]*)\}", formula)
    return not (dangling or _double_script(formula) or any(re.search(r"[\^_\\]", word) for word in words))


def _double_script(formula: str) -> bool:
    """Whether something carries two superscripts (a prime is one, alone or just before) or two subscripts."""
    flat = re.sub(r"\\[{}]", "|", formula)
    while inner := re.search(r"\{([^{}]*)\}", flat):
        if _double_script(inner[1]):
            return True
        flat = flat[: inner.start()] + "g" + flat[inner.end() :]
    runs = re.findall(r"(?:\s*(?:'+|[\^_]\s*(?:\\[A-Za-z]+|\\.|[^\\^_'\s])))+", flat)
    runs = [re.sub(r"'+\s*\^", "^", run) for run in runs]
    return any(run.count("_") > 1 or run.count("^") + len(re.findall(r"'+", run)) > 1 for run in runs)


def _mathematics(formula: str) -> str:
    """A formula in ASCII; line ends are spaces, since an empty line would end it."""
    pieces = [_symbol(char, "", "") if ord(char) > 126 else char for char in " ".join(formula.split())]
    return "".join(pieces)


def escape(text: str) -> str:
    """Text with every character that TeX would interpret, and every one beyond ASCII, spelled safely.

    >>> escape("τ=1e-12, 50% & {x}")
    '\\\\ensuremath{\\\\tau}=1e-12, 50\\\\% \\\\& \\\\{x\\\\}'
    """
    pieces = []
    for char in re.sub(r"\s+", " ", text):
        if char in _SPECIAL:
            pieces.append(_SPECIAL[char])
        elif " " <= char <= "~":
            pieces.append(char)
        elif char in _PROSE:
            pieces.append(_PROSE[char])
        else:
            pieces.append(_symbol(char, r"\ensuremath{", "}"))
    return "".join(pieces)


def _symbol(char: str, before: str, after: str) -> str:
    """A character beyond ASCII as a command; what has none is its compatible ASCII, or its code."""
    if char in _SYMBOLS:
        return f"{before}{_SYMBOLS[char]}{after}" if before else f"{_SYMBOLS[char]} "
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    if plain and plain.isalnum():
        script = unicodedata.decomposition(char).split(" ")[0]
        mark = {"<super>": "^", "<sub>": "_"}.get(script)
        return f"{before or '{}'}{mark}{{{plain}}}{after}" if mark else plain
    return f"[U+{ord(char):04X}]"


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
    for one in claim.theorems:
        part = "" if one.proves else " (a part of the claim)"
        lines += [
            rf"\emph{{Theorem{part}:}} {prose(one.says)} (\texttt{{{escape(one.name)}}}, {escape(one.file)}; {escape(one.rests)})",
            "",
        ]
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
