"""The first figure: singular values of AD and FD in each arithmetic, with the predicted floor and knee.

The second figure: truncated entropies against the step, and the gap with its first-order prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from markupsafe import Markup
from matplotlib.axes import Axes

from numerics.problem.file import problem_text
from proofs_check.report.figures.style import (
    AD,
    AD_LINE,
    BY_ARITHMETIC,
    FD,
    FD_LINE,
    INK,
    MUTED,
    Figure,
    activation_text,
    entry,
    finish,
    gaps,
    log_scale,
    positive,
    svg,
    ticks_about_zero,
)
from proofs_check.report.records import EntropyFigure, SpectrumFigure, SpectrumPanel
from proofs_check.report.text import ARITHMETIC_WORDS, listed, to_html


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


def entropy(figures: Sequence[EntropyFigure]) -> Figure:
    panels = []
    for index, figure in enumerate(figures):
        described = "; ".join(_signs(figure))
        panels.append(
            svg(
                f"f2-h{index}",
                f"Truncated entropy against the step, {figure.activation}",
                described,
                partial(_draw_entropy, figure=figure, index=2 * index),
            )
        )
        panels.append(
            svg(
                f"f2-g{index}",
                f"Entropy of FD minus entropy of AD against the step, {figure.activation}",
                described,
                partial(_draw_gap, figure=figure, index=2 * index + 1),
            )
        )
    return Figure(
        "figure-entropy",
        "Truncated entropy against the step",
        panels,
        2,
        _entropy_caption(figures),
        {f.name: problem_text(f.problem) for f in figures},
        [c for f in figures for c in f.commands],
    )


def _steps(figure: EntropyFigure) -> list[float]:
    return [float(Fraction(step)) for step in figure.steps]


def _draw_entropy(axes: Axes, figure: EntropyFigure, index: int) -> None:
    h = _steps(figure)
    for curve in figure.curves:
        style = BY_ARITHMETIC.get(curve.arithmetic, {})
        if curve.arithmetic == "exact":
            axes.plot(h, gaps(curve.ad), color=AD, linewidth=3.2, alpha=0.45, label="AD exact")
        axes.plot(
            h,
            gaps(curve.fd),
            **(style | {"color": FD if curve.arithmetic == "exact" else style.get("color")}),
            label=f"FD {curve.arithmetic}",
        )
    log_scale(axes, x=True)
    finish(
        axes,
        index,
        f"{activation_text(figure.activation)}: entropy",
        x="step h",
        y="truncated entropy H",
        legend="best",
    )


def _draw_gap(axes: Axes, figure: EntropyFigure, index: int) -> None:
    h = _steps(figure)
    axes.axhline(0, color=INK, linewidth=0.8)
    for curve in figure.curves:
        style = BY_ARITHMETIC.get(curve.arithmetic, {}) | ({"marker": "o"} if curve.arithmetic == "exact" else {})
        axes.plot(h, gaps(curve.gap), **style, label=curve.arithmetic)
    if figure.first_order is not None:
        axes.plot(h, figure.first_order, color=FD, linewidth=1, linestyle="-.", label="predicted, first order")
    log_scale(axes, x=True)
    axes.set_yscale("symlog", linthresh=1e-6, linscale=0.6)
    low, high = axes.get_ylim()
    ticks_about_zero(axes, [1e-6, 1e-4, 1e-2, 1.0], min(low * 1.5, -1e-5), max(high * 3, 1e-5))
    finish(axes, index, f"{activation_text(figure.activation)}: gap", x="step h", y="H(FD) − H(AD)", legend="best")


def _signs(figure: EntropyFigure) -> list[str]:
    """At how many of the steps AD has at least FD's entropy, in each arithmetic."""
    found = []
    for curve in figure.curves:
        known = [sign for sign in curve.sign if sign is not None]
        where = ARITHMETIC_WORDS.get(curve.arithmetic, curve.arithmetic)
        undecided = len(curve.sign) - len(known)
        found.append(
            f"{sum(1 for sign in known if sign <= 0)} of {len(curve.sign)} in {where}"
            + (f" ({undecided} undecided)" if undecided else "")
        )
    return found


def _entropy_caption(figures: Sequence[EntropyFigure]) -> Markup:
    first = figures[0]
    letters = "abcdefgh"
    counts = "; ".join(
        f"({letters[2 * i]}, {letters[2 * i + 1]}) `{f.activation}`: {listed(_signs(f))}" for i, f in enumerate(figures)
    )
    return to_html(
        f"Truncated entropy of the singular values against the step $h$, under the convention “{first.convention}”, "
        f"for `{entry(first.problem, 'problem', 'operator')}` with {entry(first.problem, 'features', 'count')} "
        "features. Left: the entropies. Right: the gap $H_{FD} - H_{AD}$, on an axis that shows both signs; below zero "
        "AD has more. The dash-dotted line is the first-order gap predicted from the spectrum of AD alone. AD has at "
        "least the entropy of FD at this many of the steps: " + counts + "."
    )
