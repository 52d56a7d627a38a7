"""Text with formulas as MathML and as LaTeX: nothing is lost, nothing escapes, nothing raises."""

from __future__ import annotations

import html
import re
import shutil
import string
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import report_sample
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.report import latex
from proofs_check.report import latex as tex_text
from proofs_check.report import text as mathml
from theory.base.errors import InputError

MATHML = f"{{{mathml.NAMESPACE}}}"


@given(st.text())
def test_text_without_formulas_comes_back(text: str) -> None:
    plain = text.replace("$", "").replace("`", "").replace("\\", "")
    shown = str(mathml.to_html(plain))
    assert "<" not in shown
    assert html.unescape(shown) == html.unescape(html.escape(plain))


@given(st.text(st.sampled_from("\\${}^_<>&\"'ab1 \n`|frac(")))
def test_any_formula_is_mathml_or_code_and_nothing_else(text: str) -> None:
    shown = str(mathml.to_html(text))
    root = ET.fromstring(f"<p>{shown}</p>")
    names = {element.tag.removeprefix(MATHML) for element in root.iter()} - {"p", "code"}
    assert names <= mathml._ELEMENTS
    assert {name for element in root.iter() for name in element.attrib} <= mathml._ATTRIBUTES | {"class"}


def shape(latex_text: str) -> ET.Element:
    """The outermost row of a formula."""
    root = ET.fromstring(str(mathml.formula(latex_text)))
    assert root.tag == f"{MATHML}math"
    return root[0]


def test_formulas_have_the_structure_they_mean() -> None:
    fraction = shape(r"\frac{a}{b}")[0]
    assert fraction.tag == f"{MATHML}mfrac"
    assert ["".join(part.itertext()) for part in fraction] == ["a", "b"]
    powered = shape(r"h^{m+p}")[0]
    assert powered.tag == f"{MATHML}msup"
    assert "".join(powered[1].itertext()) == "m+p"


def test_words_are_upright_and_in_one_piece() -> None:
    subscript = shape(r"A_{AD}")[0]
    assert [element.text for element in subscript.iter(f"{MATHML}mi")] == ["A", "AD"]
    assert next(shape(r"\mathrm{diag}(x)").iter(f"{MATHML}mi")).text == "diag"
    assert [element.text for element in shape("ab").iter(f"{MATHML}mi")] == ["a", "b"], "a product stays a product"


def test_functions_and_bars_are_spaced() -> None:
    assert [element.tag for element in shape(r"\log p")] == [f"{MATHML}{name}" for name in ("mi", "mspace", "mi")]
    assert f"{MATHML}mspace" not in {element.tag for element in shape(r"\log(p)")}
    bars = [element for element in shape("|x|") if element.tag == f"{MATHML}mo"]
    assert [bar.get("lspace") for bar in bars] == ["0em", "0em"]
    assert shape("a ≤ b")[1].tag == f"{MATHML}mo"


@pytest.mark.parametrize("broken", [r"\unknown{x}", r"\frac{1", "}{", r"\href{javascript:a}{\unknown}", r"a_{b"])
def test_what_is_not_understood_is_shown_as_typed(broken: str) -> None:
    shown = str(mathml.formula(broken))
    assert shown == f'<code class="tex">{html.escape(broken)}</code>'


def test_links_in_formulas_are_dropped() -> None:
    assert "javascript" not in str(mathml.formula(r"\href{javascript:alert(1)}{x}"))


def unescaped(text: str) -> str:
    """LaTeX with every command, escaped character and accepted group mark taken away."""
    return re.sub(r"\\[A-Za-z]+|\\[{}$&#%_^~,;:!| \\]", "", text)


@given(st.text())
def test_escaped_text_is_ascii_and_inert(text: str) -> None:
    out = tex_text.escape(text)
    assert out.isascii()
    left = unescaped(out)
    assert not set("$&#%\\\n") & set(left)
    # Scripts only inside of \ensuremath, where Unicode's own superscripts end up.
    assert not set("_^") & set(re.sub(r"\\ensuremath\{(?:[^{}]|\{[^{}]*\})*\}", "", out).replace(r"\_", ""))
    depth = 0
    for char in left:
        depth += (char == "{") - (char == "}")
        assert depth >= 0
    assert depth == 0


@given(st.text(string.printable))
def test_printable_text_keeps_its_letters(text: str) -> None:
    letters = [char for char in text if char.isalnum()]
    assert [char for char in unescaped(tex_text.escape(text)) if char.isalnum()] == letters


@given(st.text(st.sampled_from("\\${}^_%&#~ab1 \n'|.")))
def test_an_allowed_formula_is_closed_in_itself(text: str) -> None:
    if not tex_text.allowed(text):
        return
    left = re.sub(r"\\[{}]", "", text)
    assert left.count("{") == left.count("}")
    assert not set("$%&#~") & set(left)
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= tex_text.COMMANDS
    assert re.search(r"[\^_]\s*$", text) is None


@pytest.mark.parametrize(
    "formula",
    [
        r"\input{secret}", r"\write18{ls}", r"\def\x{1}", "a % b", r"\text{a_b}", "x^2^3", "x_1_2", "x'_1^2", "{",
        r"\left(", r"\right)\left(", "a\\", "a^", r"\text{$x$}", r"\\", "#1", "x^{a_{b}}^2",
        "x_1^2_3", "x^2'", "x_{a^b^c}", "x'_1'", r"\mathbf{x^", "{x^}",
    ],
)  # fmt: skip
def test_formulas_that_would_break_a_document_are_typed_out(formula: str) -> None:
    assert not tex_text.allowed(formula)
    assert "\\texttt{" in tex_text.prose(f"${formula}$") or "$" in formula


@pytest.mark.parametrize(
    "formula",
    [
        r"\sigma_k(A_{FD}) \le d_{\max}\,\sigma_k", r"|H - H'| \le T\log(r-1)", r"\tfrac{1}{2}\|p - p'\|_1", "x_1^2",
        r"\left|\frac{1}{2}\right|", r"\dot p_k = q\,p_k", r"\sum_{q\ge p} e_q h^q u^{(m+q)}", r"\text{for all } k",
        "x'' + y_1'",
        r"\sigma'^2(2(wx)^2 + z^2)", "K'^{-1}", "x_{a_{b}}^{c^{d}}", r"{}_a\sigma_1^2", "x_1 y_2", r"f'(x)^2",
    ],
)  # fmt: skip
def test_formulas_of_the_field_pass(formula: str) -> None:
    assert tex_text.allowed(formula)
    assert tex_text.prose(f"${formula}$") == f"${formula}$"


def written(directory: Path, ledger: object) -> str:
    where = report_sample.write(directory, ledger, {"schema": 1})
    paths = latex.write_latex(where)
    assert [path.name for path in paths] == list(latex.FILES)
    texts = [path.read_text(encoding="ascii") for path in paths]
    return texts[0].replace(r"\input{tables}", texts[2]).replace(r"\input{statements}", texts[1])


def environments(text: str) -> None:
    """Fails unless every environment is closed in order."""
    stack: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []


def test_the_document_is_whole(tmp_path: Path) -> None:
    text = written(tmp_path / "plain", report_sample.ledger())
    environments(text)
    ledger = report_sample.ledger()
    assert all(rf"\texttt{{{claim['id']}}}" in text for claim in ledger["claims"])
    rows = re.findall(r"\\begin\{longtable\}.*?\\end\{longtable\}", text, re.DOTALL)
    assert len(rows) == 3
    cells = sum(len(claim["cells"]) for claim in ledger["claims"])
    assert sum(line.endswith(r" \\") for line in rows[2].splitlines()) == cells + 2
    assert r"$H(A_{AD}) \ge H(A_{FD})$" in text


def test_a_hostile_ledger_cannot_reach_tex(tmp_path: Path) -> None:
    ledger = report_sample.hostile(report_sample.ledger(conventions=report_sample.CONVENTIONS[:1]))
    text = written(tmp_path / "hostile", ledger)
    environments(text)
    assert set(re.findall(r"\\input\{([^}]*)\}", text)) == set()
    own = """documentclass usepackage title large author date begin end maketitle noindent section subsection paragraph
        texttt emph item caption toprule midrule bottomrule endfirsthead endhead endfoot raggedright arraybackslash
        begingroup endgroup footnotesize allowbreak emergencystretch textbackslash textasciicircum textasciitilde
        textless textgreater textbar textquotedbl textasciigrave ensuremath surd"""
    known = tex_text.COMMANDS | set(re.findall(r"\w+", own))
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= known


ENGINE = next((p for p in map(shutil.which, ("pdflatex", "lualatex", "xelatex", "tectonic")) if p), None)


@pytest.mark.skipif(ENGINE is None, reason="no TeX on this machine")
@pytest.mark.parametrize("kind", ["plain", "hostile"])
def test_the_document_compiles(tmp_path: Path, kind: str) -> None:
    ledger = report_sample.ledger(conventions=report_sample.CONVENTIONS[:2])
    where = tmp_path / kind
    written(where, report_sample.hostile(ledger) if kind == "hostile" else ledger)
    assert ENGINE is not None
    options = [] if ENGINE.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(
        [ENGINE, *options, "report.tex"], cwd=where / "latex", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (where / "latex" / "report.pdf").stat().st_size > 10_000


def test_without_a_ledger_there_is_no_latex(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ledger\.json: no such file"):
        latex.write_latex(tmp_path)
    assert not (tmp_path / "latex").exists()
