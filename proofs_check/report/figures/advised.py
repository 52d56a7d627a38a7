"""The figure of an answer: for each derivative and arithmetic, the error against h as measured and as modelled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_check.report.figures.advice import check_figure, metadata
from proofs_check.report.figures.style import AD, FD, FOURTH, INK, MUTED, THIRD, style, svg
from theory.base.files import write

if TYPE_CHECKING:
    from proofs_check.advice.answer import Answer, Row

MOST = 12
"""Panels; the table has what is left out."""
_STYLES: list[dict[str, Any]] = [
    {"color": FD, "marker": "o", "linestyle": "-"},
    {"color": THIRD, "marker": "s", "linestyle": "--"},
    {"color": FOURTH, "marker": "^", "linestyle": "-."},
]


def grouped(answer: Answer) -> list[tuple[str, list[Row]]]:
    """Title and rows of each panel: derivatives one under the other, arithmetics side by side."""
    rows = [row for row in answer.rows if row.points and row.steps]
    names, kinds = (list(dict.fromkeys(values)) for values in ([r.name for r in rows], [r.dtype for r in rows]))
    cells = [(name, kind) for name in names for kind in kinds]
    found = [(f"{n} in {k}", [r for r in rows if (r.name, r.dtype) == (n, k)]) for n, k in cells]
    return [(title, shown) for title, shown in found if shown][:MOST]


def draw(answer: Answer, path: Path, *, force: bool = False) -> None:
    """Writes the figure.

    Raises:
        InputError: as :func:`proofs_check.report.figures.advice.check_figure`, or the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check_figure(path)
    found = grouped(answer)
    columns = min(2, max(1, len(found)))
    lines = max(1, -(-len(found) // columns))
    with style():
        figure = Figure(figsize=(4.4 * columns, 3.1 * lines + 0.6), layout="constrained")
        FigureCanvasAgg(figure)
        if not found:
            figure.text(0.5, 0.5, "nothing to difference", ha="center")
        labels: dict[str, Any] = {}
        for k, (title, rows) in enumerate(found):
            axes = figure.add_subplot(lines, columns, k + 1)
            _panel(axes, rows, answer.given)
            axes.set_title(_short(title, 44))
            handles, names = axes.get_legend_handles_labels()
            labels = dict(zip(names, handles, strict=True)) | labels
        if labels:
            figure.legend(labels.values(), labels, loc="outside lower center", ncols=4)
        kind = path.suffix[1:]
        save = partial(figure.savefig, format=kind, dpi=160, metadata=metadata(kind))
        write(path, save, option="--figure", force=force)


def panels(answer: Answer) -> list[str]:
    """The same as SVG elements, and one with the legend."""
    made, found = [], grouped(answer)
    digest = hashlib.sha256(repr(answer.rows).encode()).hexdigest()[:10]
    labels: dict[str, Any] = {}
    for k, (title, rows) in enumerate(found):

        def panel(axes: Any, rows: list[Row] = rows, title: str = title) -> None:
            _panel(axes, rows, answer.given)
            axes.set_title(_short(title, 38))
            handles, names = axes.get_legend_handles_labels()
            labels.update({name: h for name, h in zip(names, handles, strict=True) if name not in labels})

        made.append(str(svg(f"advice{digest}{k}", f"Error of {title} against h", description(rows), panel)))
    if labels:

        def key(axes: Any) -> None:
            axes.set_axis_off()
            axes.legend(labels.values(), labels, loc="upper left", fontsize=8.5)

        made.append(str(svg(f"advice{digest}key", "Legend", "; ".join(labels), key)))
    return made


def description(rows: Sequence[Row]) -> str:
    """What is seen, with numbers."""
    return "; ".join(
        f"{row.stencil}: least error {row.error:.2g} at h = {max(h for _, h in row.steps):.2g}"
        for row in rows
        if row.steps and row.error is not None
    )


def _short(text: str, most: int) -> str:
    text = text if len(text) <= most else text[: most - 12] + "…" + text[-11:]
    return text.replace("$", r"\$")


def _panel(axes: Any, rows: Sequence[Row], given: Sequence[tuple[str, float]]) -> None:
    """Lines with marks are measured; the shaded steps are good for the first stencil, whose two branches are dotted."""
    first = rows[0]
    if first.good is not None and first.good[1] > first.good[0]:
        axes.axvspan(*first.good, color=FD, alpha=0.12, linewidth=0, label=f"good for {first.stencil}")
    for k, row in enumerate(rows):
        h, error = np.array(row.points).T
        seen = (error > 0) & np.isfinite(error)
        axes.plot(h[seen], error[seen], markersize=2.6, linewidth=0.9, label=row.stencil, **_STYLES[k % len(_STYLES)])
    shown = [e for row in rows for _, e in row.points if 0 < e < np.inf]
    grid = np.geomspace(min(h for h, _ in first.points), max(h for h, _ in first.points), 60)
    for branch, sign, colour, label in (
        (first.truncation, 1, INK, r"truncation $C h^p$"),
        (first.roundoff, -1, MUTED, r"round-off $\rho h^{-m}$"),
    ):
        if branch is not None:
            axes.plot(grid, branch[0] * grid ** (sign * branch[1]), ":", color=colour, linewidth=1.2, label=label)
    if first.ad is not None and first.ad > 0:
        axes.axhline(first.ad, color=AD, linewidth=1.1, linestyle=(0, (6, 2)), label=f"AD in {first.dtype}")
        shown.append(first.ad)
    axis, step = max(first.steps, key=lambda s: s[1])
    if first.error:
        axes.plot([step], [first.error], "*", color=INK, markersize=8, label=f"h* of {first.stencil}")
    if axis in dict(given):
        axes.axvline(dict(given)[axis], color=INK, linewidth=0.8, linestyle=(0, (2, 2)), label="your step")
    axes.set(xscale="log", yscale="log", xlabel=f"h_{axis}" if len(first.steps) > 1 else "h", ylabel="relative error")
    if shown:
        axes.set_ylim(min(shown) / 3, min(3 * max(shown), 1e6))
