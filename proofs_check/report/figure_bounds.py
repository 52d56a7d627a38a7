"""Trained networks against the bound of their law: deviation over bound for every network that was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median

from markupsafe import Markup
from matplotlib.axes import Axes

from proofs_check.report.drawing import INK, svg
from proofs_check.report.looks import METHOD_LINE, METHOD_WORDS, Figure, finish, log_scale
from proofs_check.report.mathml import to_html
from proofs_check.report.records import BoundFigure, BoundPoint
from proofs_check.report.wording import listed

FLOOR = 1e-18
"""Where a deviation of zero is drawn."""


def bounds(found: BoundFigure) -> Figure:
    """One panel a method, deviation against bound, and one of their quotient against the width."""
    panels: list[Markup] = []
    methods = list(dict.fromkeys(p.method for p in found.points))
    for method in methods:
        points = [p for p in found.points if p.method == method]
        panels.append(
            svg(
                f"f7-{len(panels)}",
                f"Deviation from the law against its bound, {METHOD_WORDS[method]}",
                f"{len(points)} networks, {_over(points)} above the bound",
                partial(_draw_against, points=points, method=method, index=len(panels)),
            )
        )
    panels.append(
        svg(
            f"f7-{len(panels)}",
            "Bound over deviation against the width",
            f"median {_loose(found.points)}",
            partial(_draw_width, points=found.points, index=len(panels)),
        )
    )
    commands = ["adfd verify networks.law-bound", "make properties"]
    return Figure(
        "figure-bounds", "Trained networks and the bounds of their laws", panels, len(panels),
        to_html(_caption(found)), {}, commands,
    )  # fmt: skip


def _over(points: Sequence[BoundPoint]) -> int:
    return sum(p.deviation > p.bound for p in points)


def _loose(points: Sequence[BoundPoint]) -> str:
    ratios = [p.bound / p.deviation for p in points if p.deviation > 0]
    return f"{median(ratios):.3g}" if ratios else "undefined"


def _draw_against(axes: Axes, points: Sequence[BoundPoint], method: str, index: int) -> None:
    log_scale(axes, x=True, y=True)
    look = METHOD_LINE[method]
    for bounded, marker in ((True, "o"), (False, "x")):
        some = [p for p in points if p.bounded == bounded and p.bound > 0]
        axes.scatter(
            [p.bound for p in some],
            [max(p.deviation, FLOOR) for p in some],
            s=14,
            marker=marker,
            facecolor="none" if bounded else look["color"],
            edgecolor=look["color"] if bounded else None,
            linewidth=0.8,
            label="bounded laws" if bounded else "normal, Student",
        )
    ends = [p.bound for p in points if p.bound > 0]
    if ends:
        axes.plot([min(ends), max(ends)], [min(ends), max(ends)], color=INK, linewidth=0.9, label="equal")
    finish(
        axes,
        index,
        METHOD_WORDS[method],
        x="bound, of the first residual",
        y="deviation, of the first residual",
        legend="upper left",
    )


def _draw_width(axes: Axes, points: Sequence[BoundPoint], index: int) -> None:
    log_scale(axes, x=True, y=True)
    for k, method in enumerate(dict.fromkeys(p.method for p in points)):
        some = [p for p in points if p.method == method and p.deviation > 0]
        axes.scatter(
            [p.width * (1 + 0.12 * k) for p in some],
            [p.bound / p.deviation for p in some],
            s=12,
            marker="ox"[k % 2],
            color=METHOD_LINE[method]["color"],
            linewidth=0.8,
            label=METHOD_WORDS[method],
        )
    axes.axhline(1, color=INK, linewidth=0.9)
    finish(axes, index, "how close the bound is", x="width", y="bound over deviation", legend="upper left")


def _caption(found: BoundFigure) -> str:
    wide = [p for p in found.points if p.width >= 256 and p.bounded]
    parts = [f"{_loose(found.points)} over all"]
    if wide:
        parts.append(f"{_loose(wide)} where the width is 256 or more and the laws are bounded")
    return (
        f"{len(found.points)} two-layer networks of {found.draws} drawn problems (operators, activations, laws, stencils, "
        "steps, arithmetics and learning rates), trained by gradient descent: distance of the last residual vector from the "
        f"law of the kernel at the start, and the bound on it. {_over(found.points)} of them lie above the bound. The median of "
        f"bound over deviation is {listed(parts)}."
    )
