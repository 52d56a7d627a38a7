"""The second figure: truncated entropies against the step, and the gap with its first-order prediction."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from markupsafe import Markup
from matplotlib.axes import Axes

from proofs_check.report.drawing import AD, FD, INK, svg
from proofs_check.report.looks import (
    BY_ARITHMETIC,
    Figure,
    activation_text,
    entry,
    finish,
    gaps,
    log_scale,
    ticks_about_zero,
)
from proofs_check.report.mathml import to_html
from proofs_check.report.problem_text import problem_text
from proofs_check.report.records import EntropyFigure
from proofs_check.report.wording import ARITHMETIC_WORDS, listed


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
        look = BY_ARITHMETIC.get(curve.arithmetic, {})
        if curve.arithmetic == "exact":
            axes.plot(h, gaps(curve.ad), color=AD, linewidth=3.2, alpha=0.45, label="AD exact")
        axes.plot(
            h,
            gaps(curve.fd),
            **(look | {"color": FD if curve.arithmetic == "exact" else look.get("color")}),
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
        look = BY_ARITHMETIC.get(curve.arithmetic, {}) | ({"marker": "o"} if curve.arithmetic == "exact" else {})
        axes.plot(h, gaps(curve.gap), **look, label=curve.arithmetic)
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
