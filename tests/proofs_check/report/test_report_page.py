"""The page: well-formed, self-contained, complete, safe against its input, and usable at phone width."""

from __future__ import annotations

import html
import html.parser
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import report_sample
from pages import ROWS, unfolded

from proofs_check.report import page
from proofs_check.report.records import Claim, read_figures, read_ledger
from theory.base.errors import InputError

VOID = {"meta", "input", "br", "hr", "img", "link", "area", "base", "col", "embed", "source", "track", "wbr"}


class Tags(html.parser.HTMLParser):
    """Every tag with its attributes, the text by enclosing tag, and what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f"attribute twice in {tag}")
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> in {self.open[-3:]} at {self.getpos()}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append((self.open[-1] if self.open else "", data))

    def words(self, *outside: str) -> str:
        """The text that is not in these elements."""
        return "".join(data for tag, data in self.text if tag not in outside)


def rendered(directory: Path) -> str:
    return unfolded(page.write_report(directory).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("report")
    report_sample.write(where, report_sample.ledger(), report_sample.figures())
    page.write_report(where)
    return where


@pytest.fixture(scope="module")
def written(directory: Path) -> str:
    return (directory / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(written: str) -> str:
    return unfolded(written)


@pytest.fixture(scope="module")
def tags(text: str) -> Tags:
    return Tags(text)


@pytest.fixture(scope="module")
def hostile_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    where = tmp_path_factory.mktemp("hostile")
    ledger = report_sample.hostile(report_sample.ledger(conventions=report_sample.CONVENTIONS[:1]))
    return rendered(report_sample.write(where, ledger, report_sample.hostile(report_sample.figures())))


def attributes(tags: Tags, name: str) -> list[str]:
    return [found[name] or "" for _, found in tags.tags if name in found]


def test_structure_is_well_formed(tags: Tags) -> None:
    assert tags.wrong == []
    assert tags.open == []
    assert [tag for tag, _ in tags.tags if tag == "main"] == ["main"]
    assert sum(tag == "h1" for tag, _ in tags.tags) == 1


def test_ids_are_unique_and_links_arrive(tags: Tags) -> None:
    ids = Counter(attributes(tags, "id"))
    assert [name for name, count in ids.items() if count > 1] == []
    targets = {link[1:] for tag, found in tags.tags if (link := found.get("href") or "").startswith("#")}
    assert targets - set(ids) == set()
    references = {name for labelled in attributes(tags, "aria-labelledby") for name in labelled.split()}
    assert references - set(ids) == set()


def test_nothing_is_loaded_from_outside(text: str, tags: Tags) -> None:
    for name in ("src", "href", "xlink:href", "action", "poster", "data", "srcset"):
        assert {value for value in attributes(tags, name) if not value.startswith("#")} <= {"ledger.json"}
    assert {"link", "img", "iframe", "object", "embed", "base"} & {tag for tag, _ in tags.tags} == set()
    assert re.findall(r"url\(\s*['\"]?(?!#)", text) == []
    assert "@import" not in text
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) <= {"http://www.w3.org/1998/Math/MathML"}
    policy = next(found["content"] for tag, found in tags.tags if found.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_every_claim_and_cell_is_there(text: str, tags: Tags) -> None:
    ledger = report_sample.ledger()
    ids = set(attributes(tags, "id"))
    cells = sum(len(claim["cells"]) for claim in ledger["claims"])
    assert {claim["id"] for claim in ledger["claims"]} <= ids
    assert {f"cell-{k}" for k in range(cells)} <= ids
    assert f"cell-{cells}" not in ids
    commands = {html.unescape(found) for found in re.findall(r'<span class="command"><code>(.*?)</code>', text)}
    for claim in ledger["claims"]:
        assert f"adfd verify {claim['id']}" in commands
        assert {cell["command"] for cell in claim["cells"]} <= commands
    words = tags.words("style", "script")
    assert ledger["provenance"]["command"] in commands
    assert all(claim["title"] in words for claim in ledger["claims"])
    assert "sympy 1.14" in words


def test_rows_are_kept_compressed_and_whole(written: str, text: str) -> None:
    assert 'id="cell-' not in written
    assert Tags(written).wrong == []
    assert len(written) < len(text) * 0.6
    assert len(written) < 1_000_000
    (packed,) = ROWS.findall(written)
    assert len(packed) < len(text) * 0.1
    longest = {"data": {"long": "x" * 15_000, "seeds": list(range(200))}}
    claim = report_sample.ledger()["claims"][0]
    claim["cells"][0]["evidence"] |= longest
    (view,) = page.claim_views(msgspec.convert([claim], list[Claim]))
    assert json.loads(next(iter(view.rows)).witness) == longest["data"]


def test_formulas_are_mathml(tags: Tags) -> None:
    formulas = sum(tag == "math" for tag, _ in tags.tags)
    assert formulas > 30
    assert "$" not in tags.words("style", "script", "pre", "code")
    assert "tex" not in attributes(tags, "class"), "a formula of the sample was not understood"


def test_panels_describe_themselves(tags: Tags) -> None:
    panels = [found for tag, found in tags.tags if tag == "svg"]
    assert len(panels) == 3 + 1 + 2 + 3 + 1 + 3  # the last three: bounds
    assert all(found["role"] == "img" and found["aria-labelledby"] for found in panels)
    assert sum(tag == "title" for tag, _ in tags.tags) == len(panels) + 1
    assert all(data.strip() for tag, data in tags.text if tag in ("title", "desc"))


def test_colours_come_from_the_style_sheet(text: str) -> None:
    inside = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    assert re.findall(r"#[0-9a-fA-F]{6}\b", inside) == []
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    used = set(re.findall(r"var\((--[a-z]+)\)", text))
    assert used <= set(re.findall(r"(--[a-z]+):", text))


def test_controls_have_names(tags: Tags) -> None:
    buttons = [found for tag, found in tags.tags if tag == "button"]
    assert all(found.get("aria-label") or found.get("id") or found.get("type") == "reset" for found in buttons)
    regions = [found for _, found in tags.tags if found.get("role") == "region"]
    assert regions
    assert all("tabindex" in found and ("aria-label" in found or "aria-labelledby" in found) for found in regions)
    assert any(found.get("class") == "skip" for _, found in tags.tags)


def test_markup_in_the_files_stays_text(hostile_text: str) -> None:
    tags = Tags(hostile_text)
    assert tags.wrong == []
    assert tags.open == []
    assert sum(tag == "script" for tag, _ in tags.tags) == 1
    assert {"img", "i", "link", "iframe"} & {tag for tag, _ in tags.tags} == set()
    assert [name for _, found in tags.tags for name in found if name.startswith("on")] == []
    assert {value for value in attributes(tags, "href") if not value.startswith("#")} == {"ledger.json"}
    assert "<script>alert(1)</script>" in tags.words("style", "script")
    assert "{{7*7}}" in hostile_text
    assert len(set(attributes(tags, "id"))) == len(attributes(tags, "id"))


def test_a_problem_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    network = report_sample.figures()["networks"][0]
    figures = {"schema": 1, "networks": [network, network | {"name": "../../escaped"}]}
    where = report_sample.write(tmp_path / "inside", report_sample.ledger(conventions=()), figures)
    page.write_report(where)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    names = {"ledger.json", "figures.json", "index.html", "problems/two-layer.toml"}
    assert written == {f"inside/{name}" for name in names}


def test_rendering_is_deterministic_and_leaves_nothing_behind(directory: Path, tmp_path: Path) -> None:
    figures = report_sample.figures()
    some = {"schema": 1, "spectra": figures["spectra"], "networks": figures["networks"]}
    where = report_sample.write(tmp_path / "twice", report_sample.ledger(), some)
    assert rendered(where) == rendered(where)
    assert sorted(path.name for path in directory.iterdir()) == [
        "figures.json",
        "index.html",
        "ledger.json",
        "problems",
    ]


def test_an_empty_ledger_has_a_page(tmp_path: Path) -> None:
    ledger = {"schema": 1, "summary": {}, "provenance": {}, "claims": []}
    tags = Tags(rendered(report_sample.write(tmp_path / "empty", ledger, {"schema": 1})))
    assert tags.wrong == []
    assert "judges none of the source's statements" in tags.words("style", "script")


def test_claims_that_share_an_anchor_stay_apart() -> None:
    first = report_sample.ledger()["claims"][0]
    claims = msgspec.convert([first | {"id": name} for name in ("a b", "a-b", "ledger", "cell-0")], list[Claim])
    anchors = [view.anchor for view in page.claim_views(claims)]
    assert len(set(anchors)) == 4
    assert {"ledger", "cell-0"} & set(anchors) == set()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ledger.json", None),
        ("figures.json", None),
        ("ledger.json", ""),
        ("ledger.json", "{"),
        ("figures.json", "[]"),
        ("ledger.json", '{"schema": 1}'),
        ("ledger.json", '{"schema": 2, "summary": {}, "provenance": {}, "claims": []}'),
        ("figures.json", '{"schema": 1, "spectra": 3}'),
        ("figures.json", "[" * 100_000),
        ("ledger.json", "\udcff"),
        ("ledger.json", '{"schema": 1, "summary": {}, "provenance": {}, "claims": [{"id": 4}]}'),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(tmp_path: Path, name: str, content: str | None) -> None:
    where = report_sample.write(tmp_path / "bad", report_sample.ledger(conventions=()), {"schema": 1})
    if content is None:
        (where / name).unlink()
    else:
        (where / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as raised:
        page.write_report(where)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (where / "index.html").exists()


def test_a_page_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    where = report_sample.write(tmp_path / "full", report_sample.ledger(conventions=()), {"schema": 1})
    (where / "index.html").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        page.write_report(where)
    assert [path.name for path in where.iterdir() if path.name.endswith(".tmp")] == []


def test_the_files_are_read_back_whole(directory: Path) -> None:
    ledger, figures = read_ledger(directory), read_figures(directory)
    assert len(ledger.claims) == 5
    assert ledger.claims[0].cells[0].scope == report_sample.ledger()["claims"][0]["cells"][0]["scope"]
    assert figures.spectra[0].panels[1].knee == 6
    assert figures.entropy[0].curves[2].gap == [0.1, 0.001, None]


CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

PROBE = """
const rest = () => new Promise(done => setTimeout(done, 60));
while (!document.querySelector("#cells tbody tr")) await rest();
await rest();
const wide = [];
for (const box of document.querySelectorAll("body *")) {
  if (!box.closest(".scores, .command, nav, pre, .skip, svg") && box.getBoundingClientRect().right > innerWidth + 1) {
    wide.push(box.tagName + "." + box.className);
  }
}
const scroll = document.documentElement.scrollWidth;
const select = document.getElementById("filter-verdict");
const all = document.getElementById("filter-count").textContent;
select.value = "REFUTED";
select.dispatchEvent(new Event("input", { bubbles: true }));
await rest();
const shown = Array.from(document.querySelectorAll("#cells tbody tr")).filter(row => !row.hidden);
const refuted = shown.every(row => row.cells[1].textContent === "REFUTED") && shown.length;
document.querySelector("[data-filter]").click();
await rest();
const bar = document.getElementById("filter-count").textContent;
document.querySelector("#cells tbody tr:nth-child(21) a").click();
const before = document.querySelectorAll("#claims tbody[data-rows]").length;
document.getElementById("open-all").click();
await rest();
const folded = document.querySelectorAll("#claims tbody[data-rows]").length;
setTimeout(() => parent.postMessage({ wide, before, folded, scroll, inner: innerWidth, all, refuted, bar,
  hash: location.hash, opened: document.getElementById("cell-20").closest("details").open }, "*"), 100);
"""


def browse(where: Path, content: str) -> Tags:
    """The document as the browser leaves it."""
    where.write_text(content, encoding="utf-8")
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={where.parent / 'profile'}",
        "--virtual-time-budget=4000", "--dump-dom", where.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return Tags(done.stdout)


def probe(where: Path, text: str, width: int) -> dict[str, Any]:
    """What the page is in a frame of this width (a window has a least width); the probe runs after its own script."""
    opened = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    opened = opened.replace("</body>", f"<script>addEventListener('load', async () => {{{PROBE}}});</script></body>")
    (where / "page.html").write_text(opened, encoding="utf-8")
    tags = browse(
        where / "frame.html",
        f'<!DOCTYPE html><body><iframe src="page.html" style="width:{width}px;height:900px;border:0"></iframe><script>'
        "addEventListener('message', event => { document.body.dataset.found = JSON.stringify(event.data); });</script>",
    )
    found = next(found for tag, found in tags.tags if tag == "body")["data-found"]
    assert found is not None
    return dict(json.loads(found))


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser(tmp_path: Path, written: str, width: int) -> None:
    found = probe(tmp_path, written, width)
    assert found["inner"] == width
    assert found["scroll"] <= width, "the page scrolls sideways"
    assert found["wide"] == []
    verdicts = [cell["verdict"] for claim in report_sample.ledger()["claims"] for cell in claim["cells"]]
    assert found["all"] == f"{len(verdicts)} cells"
    assert found["refuted"] == verdicts.count("REFUTED")
    exact = [c for c in report_sample.ledger()["claims"][0]["cells"] if c["scope"]["arithmetic"] == "exact"]
    assert found["bar"] == f"{len(exact)} of {len(verdicts)} cells"
    assert found["hash"] == "#cell-20"
    assert found["opened"] is True
    assert found["before"] > found["folded"] == 0


@needs_chromium
def test_the_policy_lets_the_pages_own_script_run_and_no_other(tmp_path: Path, written: str) -> None:
    foreign = "<script>document.body.dataset.foreign = 1</script></body>"
    tags = browse(tmp_path / "page.html", written.replace("</body>", foreign))
    assert next(found for tag, found in tags.tags if tag == "html").get("class") == "has-js"
    assert "data-foreign" not in next(found for tag, found in tags.tags if tag == "body")


def test_a_report_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    for content in (b'{"claims": [{"id": "\xad"}]}', b"\xff\xfe", b"[" * 100_000, b"{"):
        (tmp_path / "ledger.json").write_bytes(content)
        with pytest.raises(InputError, match=r"is not JSON|is not a report's file") as caught:
            read_ledger(tmp_path)
        assert "\n" not in str(caught.value)
