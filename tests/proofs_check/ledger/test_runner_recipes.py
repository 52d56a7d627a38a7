"""Stored values keep their recipe: golden values of each kind, held together with the recipe's version.

When a value here changes for a reason, raise the version (``numerics.runs.sweep.RECIPES``,
``numerics.spectra.spectrum.ENGINE_VERSION``) and write both down: ``python tests/proofs_check/ledger/test_runner_recipes.py``.  Stores that
hold values of the older recipe then compute them again.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from numerics.differences.advise import advise_cells
from numerics.problem.file import problem_from_dict
from numerics.runs import sweep
from numerics.runs.sweep import RECIPES
from numerics.spectra import spectrum as spectra

GOLDEN = Path(__file__).with_name("golden_recipes.json")
PROBLEM: dict[str, Any] = {
    "problem": {"operator": "u_xx", "solution": "sin(x)"},
    "features": {"activation": "tanh", "count": 6},
    "points": {"interior": 6},
    "difference": {"step": "1/10"},
    "training": {"iterations": 5},
}
AXES: dict[str, dict[str, Any]] = {
    "entropy": {"arithmetic": ["float64", "exact"]},
    "spectrum": {"arithmetic": ["float64", "exact"]},
    "train": {"features.seed": [0]},
    "advise": {"features.seed": [0]},
}
ROUNDOFF = ("roundoff", "measured_error", "least_error", "best_step", "loss", "entry_error")
"""Columns that are made of rounding errors, of which few digits are the same on another machine."""


def rows(kind: str, folder: Path) -> list[dict[str, Any]]:
    """The rows of a little sweep."""
    grid = sweep.sweep_from_table(PROBLEM | {"sweep": AXES[kind] | {"compute": kind}})
    sweep.run_sweep(grid, folder / kind, compute=advise_cells if kind == "advise" else None)
    return sweep.sweep_rows(grid, folder / kind)


def engine() -> list[list[str]]:
    """The certified singular values of A_FD to six digits."""
    return [[f"{float(v.lower):.6e}", f"{float(v.upper):.6e}"]
            for v in spectra.spectrum(problem_from_dict(PROBLEM), "fd", "exact").values]  # fmt: skip


def test_every_kind_has_golden_values() -> None:
    assert json.loads(GOLDEN.read_text()).keys() == RECIPES.keys() | {"engine"}
    assert RECIPES.keys() == AXES.keys()


@pytest.mark.parametrize("kind", AXES)
def test_values_are_those_of_their_recipe(kind: str, tmp_path: Path) -> None:
    golden = json.loads(GOLDEN.read_text())[kind]
    assert golden["recipe"] == RECIPES[kind], "a recipe was raised: write its golden values down"
    for found, kept in zip(rows(kind, tmp_path), golden["values"], strict=True):
        assert found.keys() == kept.keys(), "columns changed: raise the recipe of this kind"
        for name, value in kept.items():
            few = name.startswith(ROUNDOFF) or name in {"entropy_gap", "floor"}
            wanted = pytest.approx(value, rel=1e-2 if few else 1e-8) if isinstance(value, float) else value
            assert found[name] == wanted, f"{name} changed: raise the recipe of {kind}"


def test_the_engine_keeps_its_version() -> None:
    golden = json.loads(GOLDEN.read_text())["engine"]
    assert golden["recipe"] == spectra.ENGINE_VERSION
    assert engine() == golden["values"]


def test_keys_keep_their_meaning() -> None:
    """The key of a spectrum and of a cell, as they stand in stores of the first version."""
    table = {name: content for name, content in PROBLEM.items() if name != "training"}
    assert spectra.spectrum_key(problem_from_dict(table), "fd", "exact") == KEYS[0]
    assert spectra.spectrum_key(problem_from_dict(table), "ad", "exact") == KEYS[1]
    grid = sweep.sweep_from_table(table | {"sweep": {"arithmetic": ["exact"]}})
    assert next(iter(grid.keys())) == KEYS[2]


KEYS = (
    "spectrum:4f91e6c11362b6af370d8aaa7d8ede1f",
    "spectrum:f93aa4cf300fcb88e59a421fe779a97a",
    "7601d4f721d0508318a482d74b645e6e",
)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        kinds = {kind: {"recipe": RECIPES[kind], "values": rows(kind, Path(made))} for kind in AXES}
    written = kinds | {"engine": {"recipe": spectra.ENGINE_VERSION, "values": engine()}}
    GOLDEN.write_text(json.dumps(written, indent=1) + "\n")
