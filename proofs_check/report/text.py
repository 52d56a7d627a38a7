"""Text with LaTeX between dollars, as HTML with MathML: no script, no font file, nothing fetched.

Numbers and lists in words, the same in the page, its figures and its LaTeX.

A problem in JSON types (``Problem.to_dict``) as the text of a problem file, so that every figure can be remade.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from proofs_check.ledger import coverage
from proofs_check.report.records import Claim

NAMESPACE = "http://www.w3.org/1998/Math/MathML"

_ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "math mrow mi mn mo mtext mspace msub msup msubsup munder mover munderover mfrac msqrt mroot mtable mtr mtd "
        "mstyle mpadded mphantom",
    )
)
_ATTRIBUTES = frozenset(
    re.findall(
        r"\w+",
        "display displaystyle scriptlevel stretchy fence form minsize maxsize mathvariant width linethickness lspace "
        "rspace accent movablelimits columnalign",
    )
)
# Characters that the converter takes for identifiers and that are relations or operations.
_OPERATORS = frozenset("≤≥≠≈≍≪≫≲≳⪯⪰≺≻∈∉⊂⊆×·⋅±∓→←⇒⇔↦∘∼∝∂∇∫∑∏⟨⟩‖|…")
_MATH = re.compile(r"(?<!\\)\$([^$]+)\$|`([^`]+)`", re.DOTALL)
_BARS = frozenset("|‖")


def to_html(text: str) -> Markup:
    """``text`` with every ``$…$`` as MathML and every pair of backquotes as code; the rest is escaped.

    >>> str(to_html("for `h` < 1: $x$")).startswith("for <code>h</code> &lt; 1: <math")
    True
    """
    parts: list[Markup] = []
    end = 0
    for match in _MATH.finditer(text):
        parts.append(_prose(text[end : match.start()]))
        end = match.end()
        if match[1] is not None:
            parts.append(formula(match[1]))
        else:
            parts.append(Markup("<code>{}</code>").format(match[2]))
    parts.append(_prose(text[end:]))
    return Markup("").join(parts)


def _prose(text: str) -> Markup:
    return escape(text.replace(r"\$", "$"))


@lru_cache(maxsize=8192)
def formula(latex: str) -> Markup:
    """One formula as inline MathML; what cannot be read as LaTeX is shown as code, escaped."""
    from latex2mathml.converter import convert  # 7,000 symbols, which commands that print no page do without

    try:
        root = ET.fromstring(convert(latex)) if _balanced(latex) else None
    except Exception:  # the converter raises many kinds, and a report must not fail for a formula
        root = None
    if root is None or not _clean(root):
        return Markup('<code class="tex">{}</code>').format(latex)
    ET.register_namespace("", NAMESPACE)
    return Markup(ET.tostring(root, encoding="unicode"))


def _balanced(latex: str) -> bool:
    depth = 0
    for char in re.sub(r"\\[{}\\]", "", latex):
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0


def _clean(element: ET.Element) -> bool:
    """Keeps only presentation MathML, mends spacing; False when something in it was not understood."""
    tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    if tag not in _ELEMENTS:
        return False
    for name in [name for name in element.attrib if name not in _ATTRIBUTES]:
        del element.attrib[name]
    text = element.text or ""
    if "\\" in text:
        return False
    if tag == "mspace" and not re.fullmatch(r"[\d.]+em", element.get("width", "")):
        element.set("width", "0em")  # named and negative spaces are not in MathML Core
    if tag == "mi" and text in _OPERATORS:
        element.tag = f"{{{NAMESPACE}}}mo"
    if tag == "mo" and text in _BARS and "form" not in element.attrib:
        element.attrib.update({"lspace": "0em", "rspace": "0em"})  # else a bar is spaced like a relation
    if not all(_clean(child) for child in element):
        return False
    _join_words(element)
    _space_functions(element)
    return True


def _join_words(element: ET.Element) -> None:
    """Upright words in one piece: the converter writes ``\\mathrm{FD}`` as two variables; AD in ``A_{AD}`` too."""
    children = list(element)
    start = 0
    while start < len(children):
        stop = start
        while stop < len(children) and _is_letter(children[stop]):
            stop += 1
        run = children[start:stop]
        word = "".join(child.text or "" for child in run)
        if len(run) > 1 and (word in {"AD", "FD"} or all(c.get("mathvariant") == "normal" for c in run)):
            run[0].text = word
            run[0].attrib.pop("mathvariant", None)
            for child in run[1:]:
                element.remove(child)
        start = max(stop, start + 1)


def _is_letter(element: ET.Element) -> bool:
    return element.tag == f"{{{NAMESPACE}}}mi" and len(element.text or "") == 1 and (element.text or "").isalpha()


def _space_functions(element: ET.Element) -> None:
    """A thin space between a function's name and an argument without brackets: log p, not logp."""
    children = list(element)
    if element.tag not in {f"{{{NAMESPACE}}}{name}" for name in ("mrow", "mstyle", "mtd", "msqrt")}:
        return
    added = 0
    for index, (child, following) in enumerate(pairwise(children)):
        if _is_function(child) and not _starts_with_bracket(following):
            element.insert(index + 1 + added, ET.Element(f"{{{NAMESPACE}}}mspace", {"width": "0.167em"}))
            added += 1


def _is_function(element: ET.Element) -> bool:
    if element.tag in {f"{{{NAMESPACE}}}{name}" for name in ("msub", "msup", "msubsup", "munder")} and len(element):
        element = element[0]
    text = element.text or ""
    return element.tag in {f"{{{NAMESPACE}}}mi", f"{{{NAMESPACE}}}mo"} and len(text) > 1 and text.isalpha()


def _starts_with_bracket(element: ET.Element) -> bool:
    while len(element) and element.tag != f"{{{NAMESPACE}}}mfrac":
        element = element[0]
    return element.tag == f"{{{NAMESPACE}}}mo" and (element.text or "") not in _BARS


ARITHMETIC_WORDS = {"exact": "exact arithmetic", "float64": "float64", "float32": "float32"}
"""The arithmetics, in the order of the tables."""
ARITHMETICS = tuple(ARITHMETIC_WORDS)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float) -> str:
    """A power of ten in plain characters, which matplotlib draws ten times as fast as its mathematics.

    >>> power_of_ten(1e-12)
    '10⁻¹²'
    """
    return "10" + str(round(math.log10(value))).translate(_SUPERSCRIPTS)


def scientific(value: float, digits: int) -> str:
    """Mantissa and power of ten.

    >>> scientific(2.41e-14, 1)
    '2.4·10⁻¹⁴'
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def listed(items: Sequence[str]) -> str:
    """``a, b and c``.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def checked(claim: Claim) -> str:
    """What a claim was checked for: its cells, and the instances that were judged in them."""
    found = {"cells": len(claim.cells), "coordinates": coverage.coordinates([cell.scope for cell in claim.cells])}
    judged = [data for cell in claim.cells if (data := coverage.told_by(cell.evidence.data)) is not None]
    return coverage.sentence(found | (coverage.merged(judged) if judged else {}))


def came_to(step: Mapping[str, Any]) -> str:
    """What a step of a proof came to, in a word.

    >>> came_to({"run": True, "holds": False}), came_to({"run": False, "holds": None})
    ('WRONG', 'not run')
    """
    if not step.get("run"):
        return "not run"
    words: dict[Any, str] = {True: "checked", False: "WRONG"}
    return words.get(step.get("holds"), "undecided")


def standing(rule: str | None, step: Mapping[str, Any]) -> str:
    """On what a step of a derivation stands: told, cited, a claim of its own, or what came of running it."""
    told = {None: "not checked", "cited": "a cited theorem", "claim": "a claim of its own"}
    if rule in told:
        return told[rule]
    return f"{came_to(step)} ({rule}): {step.get('detail', '')}" if step.get("run") else f"{rule}, not run"
