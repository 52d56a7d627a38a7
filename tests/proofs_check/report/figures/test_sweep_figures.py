"""Figures from a sweep's store: numbers against other routes, captions, and files that stand alone."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from numerics.runs import sweep
from numerics.runs.rows import Record, SweepStore
from proofs_check.cli.sweep import report
from proofs_check.report.figures import sweep as sweep_figures
from proofs_check.report.figures.sweep_columns import correlations, medians, number, of_key, scale, spearman, swept
from theory.base.errors import InputError

finite = st.floats(-1e6, 1e6)


@given(st.lists(st.lists(st.integers(-4, 4), min_size=3, max_size=3), min_size=4, max_size=30))
def test_spearman_agrees_with_scipy(rows: list[list[int]]) -> None:
    values = np.array(rows, dtype=float)
    values = values[:, [len(np.unique(column)) > 1 for column in values.T]]
    if values.shape[1] < 2:
        return
    found = spearman(values)
    for i in range(values.shape[1]):
        for j in range(values.shape[1]):
            if i != j:
                expected = scipy.stats.spearmanr(values[:, i], values[:, j]).statistic
                assert found[i, j] == pytest.approx(expected, abs=1e-12)


@given(st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 2)), st.lists(finite, min_size=1), min_size=1))
def test_medians_are_those_of_numpy(cells: dict[tuple[int, int], list[float]]) -> None:
    rows = [{"a.x": x, "a.y": y, "q": v} for (x, y), values in cells.items() for v in values]
    found = medians(rows, of_key("q"), of_key("a.x"), of_key("a.y"))
    assert found is not None
    assert found.x == sorted({x for x, _ in cells})
    for i, y in enumerate(found.y):
        for j, x in enumerate(found.x):
            values = cells.get((int(x), int(y)))
            if values is None:
                assert np.isnan(found.medians[i, j])
            else:
                expected = np.quantile(values, [0.25, 0.5, 0.75])
                for part, value in zip((found.low, found.medians, found.high), expected, strict=True):
                    assert part[i, j] == pytest.approx(value, rel=1e-9, abs=1e-6)
    assert (found.least, found.most) == (min(map(len, cells.values())), max(map(len, cells.values())))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1/3", 1 / 3), ("0.02", 0.02), (5, 5.0), ("[\"1/2\",2]", 2.0), ("tanh", None), (None, None), (True, None),
     (float("nan"), None), ("[\"x\"]", None), ("[", None), ("1e999999", None)],
)  # fmt: skip
def test_numbers_in_rows(value: Any, expected: float | None) -> None:
    assert number(value) == expected


def test_scales_of_laws() -> None:
    assert scale("student(3, 1/2)") == ("student", 0.5)
    assert scale("cauchy(0, 4)") == ("cauchy", 4.0)
    assert scale("discrete(1, 2)") is None
    assert scale("nonsense(1)") is None


def test_ranks_leave_out_what_repeats_or_never_varies() -> None:
    rows = [{"a.x": k, "twice": 2 * k, "back": -k, "same": 1, "rare": k if k == 3 else None, "odd": (k * 7) % 5}
            for k in range(10)]  # fmt: skip
    found = correlations(rows)
    assert found is not None
    assert found.names == ["a.x", "odd"]
    assert found.count == 10
    assert correlations(rows[:3]) is None


def of(**axes: Any) -> sweep.Sweep:
    return sweep.sweep_from_table(
        {
            "problem": {"operator": "u_xx", "solution": "sin(pi*x)"},
            "features": {"activation": "tanh", "count": 6},
            "points": {"interior": 6},
            "sweep": {"features.seed": {"range": [0, 2]}, "difference.step": ["1/10", "1/100", "1/1000"]} | axes,
        }
    )


def test_a_map_over_step_and_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "s.sqlite"
    weights = ["normal(0, 1)", "normal(0, 5)"]
    of_ = of(**{"features.weights": weights, "arithmetic": ["float64", "float32"]})
    sweep.run_sweep(of_, store)
    assert [r.total for r in sweep.recorded_sweeps(store)] == [24]
    assert report(directory=store, latex=False, out=None, as_json=True) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["cells"] == {"done": 24}
    assert [f["name"] for f in content["figures"]] == ["gap", "floor", "spearman"]
    folder = tmp_path / "s-figures"
    assert {p.name for p in folder.iterdir()} == {
        "index.html", "gap.svg", "gap.pdf", "floor.svg", "floor.pdf", "spearman.svg", "spearman.pdf"
    }  # fmt: skip
    caption = content["figures"][0]["caption"]
    for words in ("u_xx", "tanh", "relative τ=1e-12, power 1", "2 draws", "over the 2 cells"):
        assert words in caption
    # The median by hand, at one place.
    rows = [
        r for r in sweep.sweep_rows(of_, store) if r["arithmetic"] == "float32" and r["features.weights"] == weights[1]
    ]
    gaps = [r["entropy_gap"] for r in rows if r["difference.step"] == "1/1000"]
    shown = medians(rows, of_key("entropy_gap"), of_key("difference.step"), of_key("features.weights"))
    assert shown is not None
    assert shown.x == [0.001, 0.01, 0.1]
    assert shown.medians[0, 0] == pytest.approx(np.median(gaps), rel=1e-12)
    for path in folder.glob("*.svg"):
        text = path.read_text()
        ET.fromstring(text)
        assert "<image" not in text, "not a vector"
    page = (folder / "index.html").read_text()
    assert str(tmp_path) not in page
    assert "<image" not in page
    assert "http://" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", page)
    assert "https://" not in page
    assert not re.search(r"<script|javascript:", page)


def test_one_axis_is_a_line_and_other_sweeps_stay_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "s"
    sweep.run_sweep(of(), store)
    other = sweep.sweep_from_table(dict(of().table) | {"sweep": {"problem.operator": ["u_x"], "features.seed": [0]}})
    sweep.run_sweep(other, store, resume=True)
    out = tmp_path / "figures"
    assert report(directory=store, latex=False, out=out, as_json=False) == 0
    assert "of 7 cells in the store, the 6 of its largest sweep" in capsys.readouterr().out
    found = sweep_figures.figures(sweep.sweep_rows(of(), store))
    assert all(f.bar is False for f in found)
    assert "Line and band" in found[0].caption


def test_training_and_advice_are_drawn_too() -> None:
    rows = [
        {"difference.step": f"1/{10**k}", "status": "done", "loss_ad_own": 1.0, "loss_fd_own": 10.0**k,
         "entropy_gap_float32": -0.1 * k, "floor_float32": 10.0**-k}
        for k in range(1, 5)
    ]  # fmt: skip
    found = {f.name: f for f in sweep_figures.figures(rows)}
    assert {"loss-own", "gap-float32", "floor-float32", "spearman"} >= set(found) > {"loss-own"}
    assert "Below zero at 0, above at 4 of 4 places; 1 to 4." in found["loss-own"].caption


def test_refusals(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    SweepStore(empty)
    constant = tmp_path / "constant"
    SweepStore(constant).put([Record("a", "done", '{"entropy_gap": 1.0}', None, 0.0)])
    for path, options, words in (
        (empty, {}, "no cell with a result"),
        (constant, {}, "nothing varies"),
        (empty, {"latex": True}, "--latex"),
        (tmp_path, {"out": tmp_path}, "--out"),
    ):
        with pytest.raises(InputError, match=words):
            report(directory=path, **({"latex": False, "out": None, "as_json": True} | options))
    assert swept([]) == []
