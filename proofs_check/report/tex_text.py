"""Text of a ledger as LaTeX that compiles whatever the text is.

Outside of dollars every character is escaped.  A formula may use only the commands of :data:`COMMANDS`; one that uses
another, or is not closed in itself, is printed as typed.  The output is ASCII, so that every engine reads it.
"""

from __future__ import annotations

import re
import unicodedata

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
