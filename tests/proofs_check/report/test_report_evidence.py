"""The figure on S4 to S7: what it counts is what the cells say, and cells that say nothing are left out."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Any

from proofs_check.report.figures.evidence import ROWS, evidence
from proofs_check.report.records import Cell, Claim, Evidence


def cell(scope: dict[str, str], numbers: Any) -> Cell:
    data = {} if numbers is None else {"numbers": numbers}
    return Cell(scope, ",".join(scope.values()), "SUPPORTED", Evidence("one", data=data))


def ranked(sample: str, convention: str, rho: float, rival: float) -> Cell:
    scope = {"sample": sample, "operator": "u_xx", "arithmetic": "float64", "method": "ad", "convention": convention}
    table = {convention: rho, "condition number": rival, "energy, power 2": 1.0}
    return cell(scope, {"rho": rho, "interval": [rho - 0.1, rho + 0.1], "all": table})


def ratio(outcome: str, mean: float, reach: float, step: str = "1/100", operator: str = "u_xx") -> Cell:
    scope = {"model": "two-layer", "optimiser": "adam", "operator": operator, "arithmetic": "float32", "step": step,
             "outcome": outcome}  # fmt: skip
    return cell(scope, {"mean": mean, "interval": [mean - reach, mean + reach]})


def claim(id: str, *cells: Cell) -> Claim:
    return Claim(id, "title", "statement", "source", id[:2], cells=list(cells))


def test_what_is_counted() -> None:
    found = evidence(
        [
            claim(
                "S4.entropy-ranks-loss",
                ranked("seeds", "relative, power 1", 0.2, -0.7),  # the rival is stronger
                ranked("scales", "relative, power 1", 0.55, 0.1),  # not clear
                ranked("scales", "fixed, power 1", -0.8, 0.3),  # clear, and the strongest of its sample
            ),
            claim(
                "S6.ad-outperforms",
                ratio("residual", math.log(0.5), 0.1),
                ratio("solution error", math.log(1.5), 0.1),
                ratio("equation residual", math.log(1.05), 0.001),  # the other way, by less than the bound
                ratio("residual", math.log(0.01), 0.1, step="1/1000"),  # another step: not drawn
            ),
        ]
    )
    assert found is not None
    assert len(found.panels) == 2
    assert "clearly above one half in 1 of 2 samples" in found.caption
    assert "than every rival in 1 of 2" in found.caption
    assert "clearly beyond the bound in 1 of 3, as clearly the other way in 1" in found.caption
    assert found.commands == ["adfd verify S4.entropy-ranks-loss", "adfd verify S6.ad-outperforms"]
    first, second = (ET.fromstring(str(panel)) for panel in found.panels)
    assert first[1].text == "seeds u″ f64 ad: +0.20; scales u″ f64 ad: -0.80"
    assert second[1].text == f"net adam u″ f32: {math.log10(0.5):+.2f}"


def test_cells_that_say_nothing_are_left_out() -> None:
    scope = {"outcome": "residual", "operator": "u_xx"}
    for numbers in (
        None, [], {}, {"mean": 1.0}, {"mean": 1.0, "interval": [0.0]}, {"mean": None, "interval": [0.0, 1.0]},
        {"mean": True, "interval": [0.0, 1.0]}, {"mean": 1.0, "interval": ["a", "b"]}, {"mean": 1.0, "interval": 3},
        {"mean": math.nan, "interval": [0.0, 1.0]},
    ):  # fmt: skip
        assert evidence([claim("S6.ad-outperforms", cell(scope, numbers))]) is None
    unknown = cell({"outcome": "<b>"}, {"mean": 1.0, "interval": [0, 2]})
    assert evidence([claim("S6.ad-outperforms", unknown), claim("S1.other", unknown)]) is None
    assert evidence([]) is None


def test_hostile_names_and_long_claims() -> None:
    """Markup and mathematics in a scope come out as text; more lines than fit are counted."""
    cells = [
        Cell(
            {"model": f"<script>$\\nothing{{{k}$&", "outcome": "residual", "operator": "u_xx"}, str(k), "REFUTED",
            Evidence("one", data={"numbers": {"mean": 0.1 * k, "interval": [0.0, k]}}),
        )
        for k in range(ROWS + 3)
    ]  # fmt: skip
    found = evidence([claim("S7.grows-with-order", *cells)])
    assert found is not None
    assert "3 more lines" in found.caption
    assert "<script>" not in found.panels[0]
    ET.fromstring(str(found.panels[0]))
