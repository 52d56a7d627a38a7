"""Pages of sources: every claim with cells stands on the page of its source, with what it came to; ids fit for HTML."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import report_sample

from proofs_check.report import page
from proofs_check.report.protocols import protocols, text
from proofs_check.report.records import Cell, Claim, Evidence, read_figures, read_ledger
from proofs_check.sources.papers import PAPERS, find


def claim(id: str, source: str, *verdicts: str) -> Claim:
    cells = [Cell({"k": str(n)}, f"k={n}", v, Evidence(f"why {n}")) for n, v in enumerate(verdicts)]
    return Claim(id, f"title {id}", f"statement {id}", "literature", source, cells=cells)


CLAIMS = [
    claim("a.one", "arXiv:2601.07017", "CERTIFIED", "REFUTED"),
    claim("a.two", "S2", "SUPPORTED"),
    claim("a.three", "ours", "PROVED"),
    claim("a.four", "arXiv:2601.07017"),
    claim("a.five", "rules of practice", *["REFUTED"] * 9, "SUPPORTED"),
]


def test_claims_stand_on_the_page_of_their_source() -> None:
    pages = {p.paper.id: p for p in protocols(CLAIMS)}
    assert {id: [v.claim.id for v in p.verdicts] for id, p in pages.items()} == {
        "2405.14099": ["a.two"],
        "2601.07017": ["a.one"],
        "rules-of-practice": ["a.five"],
    }
    told = "\n".join(text(pages["2601.07017"]))
    for words in (
        "A. Langer",
        "abstract-level facts only",
        "CERTIFIED [k 0]: why 0",
        "REFUTED [k 1]: why 1",
        "What would change",
    ):
        assert words in told
    shown = pages["rules-of-practice"].verdicts[0].evidence
    assert [verdict for verdict, _, _ in shown] == ["REFUTED", "SUPPORTED"]  # of many cells, one of each verdict
    assert pages["rules-of-practice"].tally.text == "holds in 1, refuted in 9 of 10 cells"


def test_ids_of_sources_are_words() -> None:
    assert all(re.fullmatch(r"[a-z0-9.-]+", p.id) for p in PAPERS)
    assert find("rules-of-practice").cited == "Steps of differences as software sets them"


def test_the_report_has_a_page_for_each_source(tmp_path: Path) -> None:
    report_sample.write(tmp_path, report_sample.ledger(), report_sample.figures())
    ledger, figures = read_ledger(tmp_path), read_figures(tmp_path)
    made = page.render(msgspec.structs.replace(ledger, claims=[*ledger.claims, *CLAIMS]), figures, [])
    assert made.count('<article id="source-2601.07017"') == 1
    assert "adfd show 2601.07017" in made
    assert '<a href="#sources">' in made
    without = page.render(msgspec.structs.replace(ledger, claims=[CLAIMS[2]]), figures, [])
    assert 'id="sources"' not in without
