"""Phase diagrams: shares against single problems, captions against the numbers shown."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from numerics.entropy.compare import difference, entropy_of
from numerics.spectra.spectrum import spectrum
from proofs_check.claims.comparisons import problem
from proofs_check.report.figures import phase_data
from proofs_check.report.figures.maps import agreement, phases
from proofs_check.report.records import PhaseMap
from theory.entropy.conventions import Convention


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phase_data, "SIZES", {"quick": (8, 12)})
    monkeypatch.setattr(phase_data, "DRAWS", {"quick": 5})
    monkeypatch.setattr(phase_data, "SIZE", 12)
    monkeypatch.setattr(phase_data, "EVERY", {"quick": 1})
    monkeypatch.setattr(phase_data, "STEPS", (Fraction(1, 1000), Fraction(1, 10)))
    monkeypatch.setattr(phase_data, "SCALES", (Fraction(1), Fraction(4)))


def _map(content: dict[str, Any]) -> PhaseMap:
    return msgspec.convert(json.loads(json.dumps(content)), PhaseMap)


def test_shares_over_step_and_scale_are_counted(small: None) -> None:
    found = _map(phase_data.over_step("tanh", "float32", "quick"))
    assert (found.columns, found.rows) == (["1/1000", "1/10"], ["1", "4"])
    raw = Convention("energy", phase_data.TAU)
    for y, scale in enumerate((1, 4)):
        for x, step in enumerate((Fraction(1, 1000), Fraction(1, 10))):
            larger = ordered = 0
            for k in range(5):
                one = problem("tanh", size=12, scale=scale, step=step, seed=phase_data.FIRST_SEED + k)
                ad, fd = (spectrum(one, m, "float32") for m in ("ad", "fd"))
                larger += all(f > a for a, f in zip(ad.floats()[6:], fd.floats()[6:], strict=True))
                gap = difference(entropy_of(ad, raw), entropy_of(fd, raw))
                ordered += gap is not None and gap.upper < 0
            assert found.small[y][x] == larger / 5
            assert found.raw[y][x] == ordered / 5


def test_shares_over_size_and_tolerance(small: None) -> None:
    found = _map(phase_data.over_size("sin", "float64", "quick"))
    assert (found.columns, len(found.rows), found.rows[0]) == (["8", "12"], 15, "1e-1")
    assert all(len(row) == 2 and 0 <= share <= 1 for row in found.small for share in row)
    one = [spectrum(problem("sin", size=12, seed=phase_data.FIRST_SEED + k), "ad", "float64") for k in range(5)]
    assert len(one[0].values) == 12
    convention = Convention("energy", Fraction(1, 10**4))
    held = 0
    for k in range(5):
        drawn = problem("sin", size=12, seed=phase_data.FIRST_SEED + k)
        ad, fd = (entropy_of(spectrum(drawn, m, "float64"), convention) for m in ("ad", "fd"))
        gap = difference(ad, fd)
        held += gap is not None and gap.upper < 0
    assert found.raw[3][1] == held / 5


def test_the_caption_counts_what_is_shown(small: None) -> None:
    maps = [_map(phase_data.over_size("tanh", a, "quick")) for a in ("float32", "float64")]
    figure = phases(maps, "size")
    assert len(figure.panels) == 6
    right = [agreement(found, "small") for found in maps]
    assert f"{sum(a for a, _ in right)} of {sum(b for _, b in right)} for S2" in figure.caption
    assert all(a <= b == 30 for a, b in right)
