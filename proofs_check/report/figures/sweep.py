"""Figures of a sweep's store: entropy gap, floor and losses over step and weight scale, and Spearman matrices.

Vector graphics (SVG and PDF) and a page with captions that stand alone, which works offline, in the dark and printed.
Colour maps are told apart under every common colour blindness: cividis (Nuñez, Anderton, Renslow 2018) for sizes,
purple to orange for signs; every cell of a small map carries its number too.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from numerics.differences.search import label
from numerics.problem.drawn import interior_points
from numerics.runs.grid import Plan, Sweep
from proofs_check.report.figures.style import HEIGHT, INK, WIDTH, both_signs, log_scale, style, svg
from proofs_check.report.figures.sweep_columns import (
    SEEDS,
    STEP,
    WEIGHTS,
    Map,
    Ranks,
    Row,
    Value,
    correlations,
    medians,
    named,
    number,
    of_key,
    scale,
    swept,
)
from proofs_check.report.page import TEMPLATES
from proofs_check.report.text import power_of_ten
from theory.base import files
from theory.base.errors import InputError, NonexistenceError
from theory.base.files import check_output

MAX_PANELS = 6
FORMATS = ("svg", "pdf")
NUMBERED = 60
"""Maps of at most so many cells carry their numbers."""
GROUPS = ("arithmetic", "features.activation", "problem.operator", "difference.stencil", "difference.order")
"""Columns that part a figure into panels, while there are not too many."""


@dataclass(frozen=True)
class Panel:
    """One panel: a title, what is seen in words, and how it is drawn."""

    title: str
    description: str
    draw: Callable[[Axes], None]


@dataclass(frozen=True)
class StoreFigure:
    """A figure: its name (of the files too), title, caption that stands alone, panels; whether these are matrices,
    or maps with a colour bar."""

    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    square: bool = False
    bar: bool = False


@dataclass(frozen=True)
class Quantity:
    """What a map shows.

    Attributes:
        name: of the figure.
        title: one line.
        meaning: a sentence of the caption.
        of: its value in a row.
        signed: whether it has a sign, about zero; else it is positive.
        arithmetic: the one it belongs to, where a row has several.
    """

    name: str
    title: str
    meaning: str
    of: Value
    signed: bool
    arithmetic: str | None = None


def setting(of: Sweep) -> str:
    """What all cells of a sweep have in common, for captions that stand alone: operator, features, points, convention.

    What is swept is left out; it is on an axis or in a panel's title, or the medians are over it.
    """
    given = {axis.key for axis in of.axes}
    try:
        problem = Plan(of).cell(0).problem
    except (InputError, NonexistenceError):
        return ""
    content = problem.to_dict()
    parts = []
    if "problem.operator" not in given:
        parts.append(f"operator {content['problem']['operator']}")
    if "features.activation" not in given:
        parts.append(f"{problem.activation_name} features")
    weights = content["features"]["weights"]
    if WEIGHTS not in given and isinstance(weights, str):
        parts.append(f"weights {weights}")
    if not {"features.count", "points.interior"} & given:
        parts.append(f"{problem.count} features, {len(interior_points(problem))} interior points")
    if STEP not in given:
        parts.append(f"h = {', '.join(str(h) for h in problem.step)}")
    if not any(key.startswith("difference.") and key != STEP for key in given):
        parts.append(f"{label(problem.stencil)}")
    if of.compute in {"entropy", "advise"} and not any(key.startswith("entropy.") for key in given):
        parts.append(f"entropy with {problem.convention.label}")
    seeds = next((len(axis.values) for axis in of.axes if axis.key == SEEDS[0]), None)
    if seeds:
        parts.append(f"{seeds} draws of the features")
    return f" ({'; '.join(parts)})" if parts else ""


def quantities(rows: Sequence[Row]) -> list[Quantity]:
    """What the rows can show: gap and floor of entropies and of advice, ratios of losses of training."""
    columns = {name for row in rows for name in row}
    gap = "H(FD) − H(AD), the truncated entropy of FD less that of AD; below zero AD has more."
    floor = "The predicted round-off floor of A_FD over the largest singular value of A_AD."
    loss = "log10 of the last loss of FD over that of AD; above zero AD ends lower."
    found = []
    if "entropy_gap" in columns:
        found.append(Quantity("gap", "Entropy gap", gap, of_key("entropy_gap"), True))
    if "floor" in columns:
        found.append(Quantity("floor", "Round-off floor", floor, _ratio("floor", "sigma_max_ad"), False))
    for arithmetic in ("float32", "float64"):
        if f"entropy_gap_{arithmetic}" in columns:
            value = of_key(f"entropy_gap_{arithmetic}")
            found.append(Quantity(f"gap-{arithmetic}", f"Entropy gap, {arithmetic}", gap, value, True, arithmetic))
        if f"floor_{arithmetic}" in columns:
            value = of_key(f"floor_{arithmetic}")
            meaning = "The predicted round-off floor of A_FD."
            found.append(Quantity(f"floor-{arithmetic}", f"Round-off floor, {arithmetic}", meaning, value, False))
    for rule in ("", "_own", "_common", "_given"):
        if {f"loss_ad{rule}", f"loss_fd{rule}"} <= columns:
            words = {"": "", "_own": ", each at its own step size", "_common": ", at a common step size"}.get(rule, "")
            value = _log_ratio(f"loss_fd{rule}", f"loss_ad{rule}")
            found.append(Quantity(f"loss{rule.replace('_', '-')}", f"Loss of FD over AD{words}", loss, value, True))
    return found


def _ratio(above: str, below: str) -> Value:
    def value(row: Row) -> float | None:
        a, b = number(row.get(above)), number(row.get(below))
        return a / b if a and b and math.isfinite(a / b) else None

    return value


def _log_ratio(above: str, below: str) -> Value:
    ratio = _ratio(above, below)
    return lambda row: math.log10(r) if (r := ratio(row)) is not None and r > 0 else None


def figures(rows: Sequence[Row], setting: str = "") -> list[StoreFigure]:
    """All figures that the rows of a store allow.

    Args:
        rows: of one sweep.
        setting: what its cells have in common, in words, for the captions.

    Raises:
        InputError: no cell with a result, or nothing that varies.
    """
    done = [row for row in rows if row.get("status") == "done"]
    if not done:
        raise InputError("report: the store has no cell with a result")
    keys = swept(done)
    found = [f for q in quantities(done) if keys and (f := _map_figure(q, done, keys, setting)) is not None]
    ranks = _rank_figure(done, setting)
    if not found and ranks is None:
        raise InputError("report: nothing varies over the cells of the store, so there is nothing to draw")
    return [*found, *([ranks] if ranks else [])]


def _parts(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each panel: by arithmetic first, then by what else they differ in, while panels are few."""
    parts: dict[str, list[Row]] = {"": list(rows)}
    for key in GROUPS:
        finer: dict[str, list[Row]] = {}
        for name, group in parts.items():
            for row in group:
                if row.get(key) is not None and len({str(r.get(key)) for r in rows}) > 1:
                    text = f"{name}, {row[key]}" if name else str(row[key])
                else:
                    text = name
                finer.setdefault(text, []).append(row)
        if len(finer) <= MAX_PANELS:
            parts = finer
    laws = {found[0] for row in rows if (found := scale(row.get(WEIGHTS)))}
    if len(laws) > 1 and len(parts) * len(laws) <= MAX_PANELS:
        by_law: dict[str, list[Row]] = {}
        for name, group in parts.items():
            for row in group:
                found = scale(row.get(WEIGHTS))
                by_law.setdefault(", ".join(p for p in (name, found[0] if found else "") if p), []).append(row)
        parts = by_law
    return parts


def _map_figure(q: Quantity, rows: Sequence[Row], keys: Sequence[str], setting: str) -> StoreFigure | None:
    x, y = keys[0], keys[1] if len(keys) > 1 else None
    maps = {
        name: m
        for name, group in _parts(rows).items()
        if (m := medians(group, q.of, of_key(x), of_key(y) if y else None)) is not None
    }
    if not maps:
        return None
    values = np.concatenate([m.medians[np.isfinite(m.medians)] for m in maps.values()])
    least, most = min(m.least for m in maps.values()), max(m.most for m in maps.values())
    over = f"{least}" if least == most else f"{least} to {most}"
    shown = f"over the {named(x)}" + (f" and the {named(y)}" if y else "")
    how = "Colour and number" if y else "Line and band"
    spread = "the median" if y else "the median and the quartiles"
    caption = (
        f"{q.title} {shown}{setting}. {q.meaning} {how}: {spread} over the {over} cell{'s' * (most > 1)} at each place."
        f" {_extremes(q, values)}"
    )
    norm = _norm(q, values)
    panels = tuple(
        Panel(
            name or q.title,
            f"{q.title} {shown}: {_extremes(q, m.medians[np.isfinite(m.medians)])}",
            partial(_draw_map, m=m, q=q, norm=norm, x=x, y=y) if y else partial(_draw_line, m=m, q=q, x=x),
        )
        for name, m in maps.items()
    )
    return StoreFigure(q.name, q.title, caption, panels, bar=y is not None)


def _extremes(q: Quantity, values: Any) -> str:
    if q.signed:
        below, above = int((values < 0).sum()), int((values > 0).sum())
        return (
            f"Below zero at {below}, above at {above} of {len(values)} places; {min(values):.2g} to {max(values):.2g}."
        )
    return f"From {min(values):.2g} to {max(values):.2g}."


def _norm(q: Quantity, values: Any) -> Normalize:
    sizes = np.abs(values[values != 0])
    top = float(sizes.max()) if len(sizes) else 1.0
    if not q.signed:
        low = float(sizes.min()) if len(sizes) else 0.1
        return LogNorm(low if low < top else top / 10, top)
    bottom = max(float(sizes.min()) if len(sizes) else 0.1, top * 1e-9)
    return SymLogNorm(min(bottom, top / 10), vmin=-top, vmax=top, base=10)


def _edges(values: Sequence[float]) -> list[float]:
    """Between the values, in ratio where they are positive."""
    positive = min(values) > 0
    points = [math.log(v) for v in values] if positive else list(values)
    inner = [(a + b) / 2 for a, b in pairwise(points)]
    first = inner[0] - points[0] if inner else 0.5
    last = points[-1] - inner[-1] if inner else 0.5
    ends = [points[0] - first, *inner, points[-1] + last]
    return [math.exp(e) for e in ends] if positive else ends


def _draw_map(axes: Axes, m: Map, q: Quantity, norm: Normalize, x: str, y: str) -> None:
    axes.grid(visible=False)
    mesh = axes.pcolormesh(
        _edges(m.x), _edges(m.y), m.medians, norm=norm, cmap="PuOr_r" if q.signed else "cividis", linewidth=0.4,
        edgecolor="face",
    )  # fmt: skip
    axes.set_facecolor("none")
    bar = axes.figure.colorbar(mesh, ax=axes, pad=0.03, fraction=0.07, aspect=25, use_gridspec=False)
    _bar_ticks(bar, norm, q)
    _scales(axes, m.x, m.y)
    axes.set(xlabel=named(x), ylabel=named(y))
    if m.medians.size > NUMBERED:
        return
    for i, j in np.ndindex(m.medians.shape):
        value = float(m.medians[i, j])
        if np.isfinite(value):
            r, g, b, _ = mesh.cmap(norm(value))
            dark = 0.3 * r + 0.59 * g + 0.11 * b < 0.5
            axes.text(
                m.x[j], m.y[i], _short(value), ha="center", va="center", fontsize=5.2,
                color="#ffffff" if dark else "#000000",
            )  # fmt: skip


def _short(value: float) -> str:
    """Two digits without a long exponent."""
    text = f"{value:.1g}" if abs(value) < 0.01 else f"{value:.2g}"
    return text.replace("e-0", "e−").replace("e+0", "e").replace("-", "−")


def _bar_ticks(bar: Any, norm: Normalize, q: Quantity) -> None:
    assert norm.vmin is not None
    assert norm.vmax is not None
    high = math.floor(math.log10(norm.vmax))
    if q.signed:
        low = math.ceil(math.log10(norm.linthresh))  # type: ignore[attr-defined]
        powers = [10.0**k for k in range(low, high + 1, max(1, (high - low) // 2))]
        ticks, labels = both_signs(powers)
        bar.set_ticks(ticks, labels=labels)
    else:
        low = math.ceil(math.log10(norm.vmin))
        ticks = [10.0**k for k in range(low, high + 1, max(1, (high - low) // 4))]
        bar.set_ticks(ticks, labels=[power_of_ten(t) for t in ticks])
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    bar.solids.set(rasterized=False, edgecolor="face")  # an image would be no vector, and the page's policy bars it


def _draw_line(axes: Axes, m: Map, q: Quantity, x: str) -> None:
    axes.fill_between(m.x, m.low[0], m.high[0], color="#56b4e9", alpha=0.35, linewidth=0)
    axes.plot(m.x, m.medians[0], color="#0072b2", marker="o")
    _scales(axes, m.x, [])
    axes.set_xlabel(named(x))
    known = m.medians[0][np.isfinite(m.medians[0])]
    if q.signed:
        axes.axhline(0, color=INK, linewidth=0.8)
        sizes = np.abs(known[known != 0])
        if len(sizes) and sizes.max() > 100 * sizes.min():
            axes.set_yscale("symlog", linthresh=float(sizes.min()))
            top = math.floor(math.log10(sizes.max()))
            low = math.ceil(math.log10(sizes.min()))
            powers = [10.0**k for k in range(low, top + 1, max(1, (top - low) // 2))]
            axes.set_yticks(*both_signs(powers))
        axes.minorticks_off()
    else:
        log_scale(axes, y=True)
    axes.set_ylabel(q.title)


def _scales(axes: Axes, x: Sequence[float], y: Sequence[float]) -> None:
    """Logarithmic where values are positive and spread; the values themselves as ticks where they are few."""
    for values, axis, setter in ((x, axes.xaxis, axes.set_xscale), (y, axes.yaxis, axes.set_yscale)):
        if not values:
            continue
        wide = min(values) > 0 and max(values) > 4 * min(values)
        if wide:
            log_scale(axes, x=axis is axes.xaxis, y=axis is axes.yaxis)
        elif min(values) > 0 and len(values) > 1:
            setter("log")
        if len(values) <= 6:
            axis.set_ticks(list(values), labels=[_short(v) for v in values])
        axis.set_minor_locator(NullLocator())


def _rank_figure(rows: Sequence[Row], setting: str) -> StoreFigure | None:
    by = {}
    for name in dict.fromkeys(str(row.get("arithmetic") or "") for row in rows):
        group = [row for row in rows if str(row.get("arithmetic") or "") == name]
        found = correlations(group)
        if found is not None:
            by[name] = found
    if not by:
        return None
    counts = "; ".join(f"{n + ': ' if n else ''}{r.count} cells" for n, r in by.items())
    caption = (
        f"Spearman rank correlations between what was swept and what came out{setting}"
        f" ({counts}). 1: the two rise together at every pair of cells; −1: one falls where the other rises; 0: no"
        " monotone relation. Cells of one sweep share features and points, so these are descriptions, not tests."
    )
    panels = tuple(
        Panel(name or "Spearman's ρ", "; ".join(_strongest(r)), partial(_draw_ranks, r=r)) for name, r in by.items()
    )
    return StoreFigure("spearman", "Rank correlations", caption, panels, square=True)


def _strongest(r: Ranks) -> list[str]:
    pairs = [(abs(r.matrix[i, j]), i, j) for i in range(len(r.names)) for j in range(i)]
    return [f"{r.names[j]} and {r.names[i]}: {r.matrix[i, j]:+.2f}" for _, i, j in sorted(pairs, reverse=True)[:5]]


def _draw_ranks(axes: Axes, r: Ranks) -> None:
    axes.grid(visible=False)
    k = len(r.names)
    axes.pcolormesh(np.arange(k + 1) - 0.5, np.arange(k + 1) - 0.5, r.matrix, cmap="PuOr_r", vmin=-1, vmax=1)
    for i, j in np.ndindex(r.matrix.shape):
        value = r.matrix[i, j]
        text = f"{value + 0:.2f}".replace("0.", ".", 1) if abs(value) < 0.995 else f"{value:.0f}"
        text = ".00" if text == "-.00" else text
        axes.text(
            j, i, text.replace("-", "−"), ha="center", va="center", fontsize=5.6,
            color="#ffffff" if abs(value) > 0.75 else "#000000",
        )  # fmt: skip
    axes.set_xticks(range(k), r.names, rotation=60, ha="right", rotation_mode="anchor", fontsize=6)
    axes.set_yticks(range(k), r.names, fontsize=6)
    axes.invert_yaxis()
    axes.tick_params(length=0)


def write(
    found: Sequence[StoreFigure], folder: Path, about: str, counts: dict[str, int], force: bool = False
) -> list[Path]:
    """Writes ``index.html`` and each figure as SVG and PDF; a file appears whole or not at all.

    Args:
        found: the figures.
        folder: made when absent.
        about: the command that made the page, without paths.
        counts: status to number of cells.
        force: whether files that adfd did not make may be replaced.

    Raises:
        InputError: the folder cannot be written.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"report: {folder}: cannot be written ({error.strerror})") from None
    index = folder / "index.html"
    before = index.is_file() and _is_page(index)  # figures of earlier versions beside such a page bear no mark
    check_output(index, option="report", force=force, known=_is_page)
    for figure in found:
        for kind in FORMATS:
            path = folder / f"{figure.name}.{kind}"
            files.write(path, partial(_save, figure, kind), option="report", force=force, known=lambda _: before)
            written.append(path)
    text = page(found, about, counts)
    return [files.write(index, text, option="report", force=force, known=_is_page), *written]


def _is_page(path: Path) -> bool:
    return b"<title>A sweep in figures</title>" in path.read_bytes()


def _save(figure: StoreFigure, kind: str, file: BinaryIO) -> None:
    """The panels side by side, three in a row, on white."""
    columns = min(3, len(figure.panels))
    lines = -(-len(figure.panels) // columns)
    with style():
        drawn = Figure(figsize=(WIDTH * columns, _height(figure) * lines))
        FigureCanvasAgg(drawn)
        for index, panel in enumerate(figure.panels):
            line, column = divmod(index, columns)
            left, bottom, right, top = _box(figure)
            corner = (column + left) / columns, 1 - (line + 1 - bottom) / lines
            axes = drawn.add_axes((*corner, (right - left) / columns, (top - bottom) / lines))
            axes.set_title(panel.title)
            panel.draw(axes)
        dates = {"svg": "Date", "pdf": "CreationDate"}
        metadata = {dates[kind]: None, "Title": figure.title, "Creator": files.MARK} if kind in dates else None
        drawn.savefig(file, format=kind, dpi=200, metadata=metadata)


def page(found: Sequence[StoreFigure], about: str, counts: dict[str, int]) -> str:
    """The figures with their captions on one page, whose colours follow the reader's light or dark setting."""
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    body = [
        f"<h1>A sweep in figures</h1><p>{html.escape(_counted(counts))}"
        f" Made by <code>{html.escape(about)}</code>; every figure is beside this page as SVG and PDF.</p>"
    ]
    for index, figure in enumerate(found):
        panels = "".join(str(_inline(figure, k)) for k in range(len(figure.panels)))
        body.append(
            f'<section id="{figure.name}"><h2><a href="#{figure.name}">Figure {index + 1}</a>'
            f" {html.escape(figure.title)}</h2><figure><div class='sweep'>{panels}</div>"
            f"<figcaption>{html.escape(figure.caption)}</figcaption></figure></section>"
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="generator" content="adfd">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>A sweep in figures</title><style>{css}"
        ".sweep { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }"
        " .sweep svg { width: 100%; max-width: 34rem; height: auto; } figure { margin: 0; }"
        f"</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def _inline(figure: StoreFigure, index: int) -> str:
    panel = figure.panels[index]

    def draw(axes: Axes) -> None:
        left, bottom, right, top = _box(figure)
        axes.set_position((left, bottom, right - left, top - bottom))
        axes.set_title(panel.title)
        panel.draw(axes)

    name = f"{re.sub('[^a-z0-9-]', '', figure.name)}-{index}"
    return str(svg(name, panel.title, panel.description, draw, _height(figure)))


def _height(figure: StoreFigure) -> float:
    """Of a panel, in inches."""
    return HEIGHT * (1.2 if figure.square else 1.0)


def _box(figure: StoreFigure) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the axes in a panel; matplotlib's own layouts take longer than the drawing."""
    if figure.square:
        return 0.29, 0.27, 0.99, 0.93
    return 0.165, 0.15, 0.9 if figure.bar else 0.975, 0.905


def _counted(counts: dict[str, int]) -> str:
    words = {"done": "with a result", "failed": "without (bad input, or nothing to compute)", "crashed": "crashed"}
    parts = [f"{n} {words.get(status, status)}" for status, n in counts.items() if n]
    return f"{sum(counts.values())} cells: {', '.join(parts)}."
