"""The first figure: singular values of AD and FD in each arithmetic, with the predicted floor and knee."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from markupsafe import Markup
from matplotlib.axes import Axes

from proofs_check.report.drawing import INK, MUTED, svg
from proofs_check.report.looks import (
    AD_LINE,
    BY_ARITHMETIC,
    FD_LINE,
    Figure,
    activation_text,
    entry,
    finish,
    log_scale,
    positive,
    ticks_about_zero,
)
from proofs_check.report.mathml import to_html
from proofs_check.report.problem_text import problem_text
from proofs_check.report.records import SpectrumFigure, SpectrumPanel
from proofs_check.report.wording import ARITHMETIC_WORDS, listed


def spectra(figures: Sequence[SpectrumFigure]) -> Figure:
    first = figures[0]
    exact = next((p for p in first.panels if p.arithmetic == "exact"), None)
    values = [v for p in first.panels for v in (*p.ad, *p.fd) if v > 0]
    low, high = (min(values), max(values)) if values else (0.1, 1.0)
    panels = [
        svg(
            f"f1-{index}",
            f"Singular values, {panel.arithmetic}",
            _panel_description(panel),
            partial(_draw_spectrum, panel=panel, reference=exact, limits=(low / 30, high * 30), index=index),
        )
        for index, panel in enumerate(first.panels)
    ]
    panels += [
        svg(
            f"f1-r{index}",
            f"Relative difference of singular values, {figure.activation}",
            "; ".join(_larger(figure)),
            partial(_draw_ratio, figure=figure, index=index + len(first.panels)),
        )
        for index, figure in enumerate(figures)
    ]
    return Figure(
        "figure-spectra",
        "Singular values of AD and FD in three arithmetics",
        panels,
        3,
        _spectra_caption(figures),
        {f.name: problem_text(f.problem) for f in figures},
        [c for f in figures for c in f.commands],
    )


def _panel_description(panel: SpectrumPanel) -> str:
    text = f"{len(panel.ad)} singular values; the least is {_least(panel.ad)} for AD and {_least(panel.fd)} for FD"
    return text + (f"; predicted floor {panel.floor:.1e}, knee {panel.knee}" if panel.floor is not None else "")


def _least(values: Sequence[float]) -> str:
    return f"{min(values, default=0.0):.1e}"


def _draw_spectrum(
    axes: Axes, panel: SpectrumPanel, reference: SpectrumPanel | None, limits: tuple[float, float], index: int
) -> None:
    k = range(1, len(panel.ad) + 1)
    log_scale(axes, y=True)
    if reference is not None and reference is not panel:
        axes.plot(k, positive(reference.ad), color=MUTED, linewidth=0.9, label="exact AD")
    axes.plot(k, positive(panel.ad), **AD_LINE, label="AD")
    axes.plot(k, positive(panel.fd), **FD_LINE, label="FD")
    if panel.noise and panel.knee is not None:
        behind = range(panel.knee + 1, panel.knee + 1 + len(panel.noise))
        axes.plot(behind, positive(panel.noise), color=INK, linewidth=1.4, linestyle="-.", label="FD predicted")
    if panel.floor is not None:
        axes.axhline(panel.floor, color=INK, linewidth=0.9, linestyle=":")
        axes.annotate(
            "predicted floor", (1, panel.floor), xytext=(0, 3), textcoords="offset points", fontsize=7.5, color=INK
        )
    if panel.knee is not None and panel.knee < len(panel.ad):
        axes.axvline(panel.knee + 1, color=INK, linewidth=0.9, linestyle=":")
        axes.annotate(
            f"knee {panel.knee + 1}",
            (panel.knee + 1, limits[1]),
            xytext=(3, -8),
            textcoords="offset points",
            fontsize=7.5,
            color=INK,
        )
    axes.set_ylim(*limits)
    finish(
        axes,
        index,
        ARITHMETIC_WORDS.get(panel.arithmetic, panel.arithmetic),
        x="index k",
        y="singular value σₖ",
        legend="lower left",
    )


def _draw_ratio(axes: Axes, figure: SpectrumFigure, index: int) -> None:
    axes.axhline(0, color=INK, linewidth=0.8)
    for panel in figure.panels:
        gap = [f / a - 1 if a > 0 else float("nan") for a, f in zip(panel.ad, panel.fd, strict=True)]
        axes.plot(range(1, len(gap) + 1), gap, **BY_ARITHMETIC.get(panel.arithmetic, {}), label=panel.arithmetic)
    axes.set_yscale("symlog", linthresh=1e-3, linscale=0.6)
    _symmetric_ticks(axes)
    finish(
        axes,
        index,
        f"{activation_text(figure.activation)}, {_spread(figure)}",
        x="index k",
        y="σₖ(FD) / σₖ(AD) − 1    (FD larger ↑)",
        legend="upper left",
    )


def _spread(figure: SpectrumFigure) -> str:
    weights = figure.problem.get("features", {}).get("weights", "")
    return f"w ~ {weights}" if isinstance(weights, str) and len(weights) < 30 else "given weights"


def _symmetric_ticks(axes: Axes) -> None:
    """Ticks at a few decades on both sides of zero: matplotlib's own choice crowds them."""
    low, high = axes.get_ylim()
    top = max(abs(low), abs(high), 1e-2)
    low, high = min(low, -1e-2) * 1.5, max(high, 1e-2) * 3
    decades = [e for e in range(-3, 13) if 10.0**e <= top * 3]
    ticks_about_zero(axes, [10.0**e for e in decades[:: max(1, -(-len(decades) // 4))]], low, high)


def _larger(figure: SpectrumFigure) -> list[str]:
    """For how many of the small indices FD is larger, in each arithmetic."""
    found = []
    for panel in figure.panels:
        n = len(panel.ad)
        small = range(n // 2, n)
        count = sum(1 for k in small if panel.fd[k] > panel.ad[k])
        found.append(f"{count} of {len(small)} in {ARITHMETIC_WORDS.get(panel.arithmetic, panel.arithmetic)}")
    return found


def _spectra_caption(figures: Sequence[SpectrumFigure]) -> Markup:
    first = figures[0]
    head = (
        f"(a–c) Singular values of $A_{{AD}}$ (circles) and $A_{{FD}}$ (squares) for `{first.activation}` features and "
        f"the operator `{entry(first.problem, 'problem', 'operator')}` at h = {first.step}, "
        f"{entry(first.problem, 'features', 'count')} features, with {_spread(first)}: one matrix in three "
        "arithmetics. Dotted: the floor and knee predicted from unit round-off, weights of the stencil and size of the "
        "features alone; dash-dotted: the noise values predicted behind the knee. "
        "(d–f) The same difference, relative to AD, on an axis that shows both signs: above zero FD is larger. "
    )
    letters = "defghijkl"
    counts = "; ".join(
        f"({letters[i]}) `{f.activation}`, {_spread(f)}: {listed(_larger(f))}" for i, f in enumerate(figures)
    )
    return to_html(head + "Among the smaller half of the indices FD is larger for " + counts + ".")
