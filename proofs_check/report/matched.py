"""The matched comparison on a source's page, from its cells: errors of AD and FD from the same starts, and operations.

A cell whose evidence has ``errors`` (``ad`` and ``fd``, start by start) is a row of the table and may be a panel of the figure; one
whose numbers are two whole numbers, ``ad`` and ``fd``, is an entry of the table of operations.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from proofs_check.claims.verdicts import CONFIDENCE
from proofs_check.report.records import Cell, Claim

if TYPE_CHECKING:  # a page in plain text needs no library
    from markupsafe import Markup
    from matplotlib.axes import Axes

NEAR = 0.1
"""A run trains when it ends under this relative error: that of the claims, by a test."""
PANELS = 4
"""At most; the table has every cell."""
NAMES = {"relu": "ReLU", "relu2": "ReLU²", "relu3": "ReLU³"}
LEAST, MOST = 1e-4, 10.0
"""The ends of the axes; errors beyond are drawn at the edge."""


@dataclass(frozen=True)
class Comparison:
    """A setting in which networks were trained twice from each start.

    Attributes:
        where: the setting in words.
        ad, fd: relative errors at the end, of the starts of which both are finite, in the same order.
        starts: how many there were.
        limit: the error on the grid of the difference equation's own solution, to which FD is trained.
        verdict: of the cell;  why: its evidence.
    """

    where: str
    ad: list[float]
    fd: list[float]
    starts: int
    limit: float
    verdict: str
    why: str

    def told(self, method: str) -> str:
        """The median error, and how many starts train."""
        errors = self.ad if method == "ad" else self.fd
        return f"{statistics.median(errors):.2g} ({sum(e < NEAR for e in errors)} of {self.starts})"

    @property
    def ratio(self) -> str:
        """FD's error over AD's: the geometric mean over starts, with its interval."""
        if len(self.ad) < 2:
            return "—"
        import numpy as np

        from proofs_check.sources.decisions import mean_interval

        logs = np.log(np.array(self.fd) / np.array(self.ad))
        low, high = mean_interval(logs, CONFIDENCE)
        return f"{math.exp(logs.mean()):.2g} [{math.exp(low):.2g}, {math.exp(high):.2g}]"


def where(scope: dict[str, str]) -> str:
    """A setting of trained networks in words.

    >>> where({"activation": "relu", "points": "8", "frequency": "1", "training": "L-BFGS 30"})
    'ReLU, 8 points, sin πx, L-BFGS 30'
    """
    k = scope.get("frequency", "1")
    activation = scope.get("activation", "")
    parts = [NAMES.get(activation, activation), f"{scope.get('points', '?')} points", f"sin {'' if k == '1' else k}πx", scope.get("training", "")]  # fmt: skip
    return ", ".join(part for part in parts if part)


def comparisons(claims: Sequence[Claim]) -> list[Comparison]:
    """Of the first claim that has any: other claims judge the same runs."""
    for claim in claims:
        if found := [one for cell in claim.cells if (one := _comparison(cell)) is not None]:
            return found
    return []


def _comparison(cell: Cell) -> Comparison | None:
    numbers = cell.evidence.data.get("numbers")
    errors = cell.evidence.data.get("errors") or (numbers.get("errors") if isinstance(numbers, dict) else None)
    if not isinstance(errors, dict) or not {"ad", "fd"} <= errors.keys():
        return None
    pairs = [(a, f) for a, f in zip(errors["ad"], errors["fd"], strict=True) if _size(a) and _size(f)]
    if not pairs:
        return None
    ad, fd = (list(map(float, column)) for column in zip(*pairs, strict=True))
    return Comparison(
        where(cell.scope), ad, fd, len(errors["ad"]), _limit(cell.scope), cell.verdict, cell.evidence.summary
    )


def _limit(scope: dict[str, str]) -> float:
    """``(θ/sin θ)² − 1``, θ = kπh/2: of ``u'' = f`` with sin kπx, whose differences are multiples of itself on the grid.

    >>> round(_limit({"points": "8", "frequency": "1"}), 4)
    0.0416
    """
    theta = int(scope["frequency"]) * math.pi / (int(scope["points"]) + 1)
    return (theta / math.sin(theta)) ** 2 - 1


def _size(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


@dataclass(frozen=True)
class Operations:
    """What a derivative takes in a network of so many layers: differences, then the modes of AD, each with its count."""

    derivative: str
    layers: str
    fd: int
    modes: list[tuple[str, int]]

    @property
    def told(self) -> str:
        """The modes with what they take, and how often FD's count goes into theirs."""
        return "; ".join(f"{mode} {count:,} ({count / self.fd:.2g} ×)" for mode, count in self.modes)


def operations(claims: Sequence[Claim]) -> dict[str, list[Operations]]:
    """Of each claim that counts, by its title: one entry for each derivative and number of layers, in the order of the ledger."""
    found: dict[str, dict[tuple[str, str], Operations]] = {}
    for claim in claims:
        for cell in claim.cells:
            numbers = cell.evidence.data.get("numbers")
            if not isinstance(numbers, dict) or not all(type(numbers.get(m)) is int for m in ("ad", "fd")):
                continue
            key = cell.scope.get("derivative", "?"), cell.scope.get("layers", "?")
            row = found.setdefault(claim.title, {}).setdefault(key, Operations(*key, numbers["fd"], []))
            row.modes.append((cell.scope.get("mode", "AD"), numbers["ad"]))
    return {title: list(rows.values()) for title, rows in found.items()}


def panels(found: Sequence[Comparison], prefix: str) -> list[Markup]:
    """A panel a setting: each start at AD's and FD's error."""
    from proofs_check.report.figures.style import svg

    made = []
    for index, one in enumerate(found[:PANELS]):
        below = sum(f < a for a, f in zip(one.ad, one.fd, strict=True))
        told = (
            f"{one.where}: FD's error against AD's, {len(one.ad)} starts; FD's is the smaller in {below}. Median AD {one.told('ad')}, FD {one.told('fd')} "
            f"under {NEAR:g}; FD over AD {one.ratio}."
        )
        made.append(svg(f"{prefix}-{index}", one.where, told, partial(_draw, one=one, index=index), 3.2))
    return made


def _draw(axes: Axes, one: Comparison, index: int) -> None:
    import numpy as np

    from proofs_check.report.figures.style import FD, INK, MUTED, finish, log_scale

    log_scale(axes, x=True, y=True)
    ends = (LEAST / 1.5, MOST * 1.5)
    axes.plot(ends, ends, color=MUTED, linewidth=0.8, linestyle="--")
    for draw in (axes.axvline, axes.axhline):
        draw(NEAR, color=MUTED, linewidth=0.8, linestyle=":")
    axes.plot(ends, (one.limit, one.limit), color=FD, linewidth=0.9, linestyle="-.")
    x, y = (np.clip(np.array(v), LEAST, MOST) for v in (one.ad, one.fd))
    axes.plot(x, y, linestyle="none", marker="o", markersize=3.6, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=0.8)  # fmt: skip
    words = {"color": MUTED, "fontsize": 7}
    axes.text(ends[1] * 0.8, ends[0] * 1.5, "FD trains,\nAD fails", ha="right", va="bottom", **words)  # type: ignore[arg-type]
    axes.text(ends[0] * 1.3, ends[1] * 0.75, "AD trains,\nFD fails", ha="left", va="top", **words)  # type: ignore[arg-type]
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    finish(axes, index, one.where, x="error of AD", y="error of FD")
