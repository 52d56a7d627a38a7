"""Pages of sources: every claim with cells stands on the page of its source, with what it came to; ids fit for HTML."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
import report_sample
from scipy import stats

from proofs_check.families.literature import trained
from proofs_check.report import matched, page
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


def trained_cell(
    frequency: str = "1", ad: tuple = (1.0, 0.5, 0.2), fd: tuple = (0.05, 0.05, 0.2), verdict: str = "SUPPORTED"
) -> Cell:
    scope = {"activation": "relu", "points": "8", "frequency": frequency, "training": "L-BFGS 30"}
    return Cell(scope, "a", verdict, Evidence("why", data={"errors": {"ad": list(ad), "fd": list(fd)}}))


def test_the_matched_comparison_is_read_from_the_cells() -> None:
    counted = Cell({"derivative": "∂", "layers": "1", "mode": "Taylor"}, "b", "CERTIFIED", Evidence("", data={"numbers": {"ad": 103, "fd": 83}}))  # fmt: skip
    listed = [Claim("x.one", "t", "s", "literature", "arXiv:2602.21590", cells=[trained_cell(), trained_cell("3", (1.0, None, 2.0))]),
              Claim("x.two", "t", "s", "literature", "arXiv:2602.21590", cells=[counted, trained_cell()])]  # fmt: skip
    (first, second) = matched.comparisons(listed)
    assert first.where == "ReLU, 8 points, sin πx, L-BFGS 30"
    assert (first.told("ad"), first.told("fd")) == ("0.5 (0 of 3)", "0.05 (2 of 3)")
    logs = np.log([0.05, 0.1, 1.0])
    low, high = stats.t.interval(0.95, 2, loc=logs.mean(), scale=stats.sem(logs))
    assert first.ratio == f"{np.exp(logs.mean()):.2g} [{np.exp(low):.2g}, {np.exp(high):.2g}]"
    assert second.ad == [1.0, 2.0]  # pairs of which one is missing are left out, and counted
    assert second.told("ad").endswith("(0 of 3)")
    ((taken,),) = matched.operations(listed).values()
    assert (taken.fd, taken.modes) == (83, [("Taylor", 103)])
    assert matched.comparisons([CLAIMS[0]]) == []
    assert matched.NEAR == trained.NEAR


@pytest.mark.parametrize(("points", "k"), [(8, 1), (32, 3), (5, 2)])
def test_the_difference_equation_has_that_error_on_the_grid(points: int, k: int) -> None:
    x, h = np.linspace(-1, 1, points + 2), 2 / (points + 1)
    D = (np.diag([-2.0] * points) + np.diag([1.0] * (points - 1), 1) + np.diag([1.0] * (points - 1), -1)) / h**2
    exact = np.sin(k * np.pi * x[1:-1])
    found = np.linalg.solve(D, -((k * np.pi) ** 2) * exact)
    expected = np.linalg.norm(found - exact) / np.linalg.norm(exact)
    assert matched._limit({"points": str(points), "frequency": str(k)}) == pytest.approx(expected, rel=1e-9)


def test_a_page_by_itself_is_whole_and_fetches_nothing() -> None:
    claims = [
        Claim(
            "x.one", "FD <trains>", "of $u'' = f$", "literature", "arXiv:2601.07017", "$x < 1$", cells=[trained_cell()]
        )
    ]
    (page_of,) = protocols(claims)
    made = page.source_page(
        page_of,
        "the last run",
        "0",
        ["@misc{key,}"],
        {"rows": [["32", "1.0", "2.0", "—"]], "machine": "M", "date": "D"},
    )
    for words in (
        "FD &lt;trains&gt;",
        "@misc{key,}",
        "<svg",
        "0.5 (0 of 3)",
        "adfd verify x.one",
        "What would change this",
        "no verdict rests",
    ):
        assert words in made
    assert not re.search(r'(src|href)="(?!#|https://arxiv\.org/)', made)
    assert made.count("<main") == made.count("</main>") == 1
    assert made.count("<article") == made.count("</article>") == 1
    assert "Seconds, on one machine" not in page.source_page(page_of, "the last run", "0", [])
