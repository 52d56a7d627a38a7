"""What the figures share: the looks of the series, numbers for logarithmic axes, and the figure itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from proofs_check.report.drawing import AD, FD, FOURTH, INK, THIRD
from proofs_check.report.wording import power_of_ten

AD_LINE: dict[str, Any] = {"color": AD, "marker": "o", "linestyle": "-", "linewidth": 1.1}
FD_LINE: dict[str, Any] = {
    "color": FD,
    "marker": "s",
    "linestyle": "--",
    "linewidth": 1.1,
    "markerfacecolor": "none",
    "markeredgewidth": 0.9,
}
BY_ARITHMETIC: dict[str, dict[str, Any]] = {
    "exact": {"color": INK, "linestyle": "-", "marker": None, "linewidth": 1.6},
    "float64": {"color": THIRD, "linestyle": "--", "marker": "D", "markersize": 3, "linewidth": 1.1},
    "float32": {"color": FOURTH, "linestyle": ":", "marker": "^", "markersize": 3.6, "linewidth": 1.3},
}
METHOD_LINE = {"ad": AD_LINE, "fd": FD_LINE}
METHOD_WORDS = {"ad": "AD", "fd": "FD"}


@dataclass(frozen=True)
class Figure:
    """A numbered figure.

    Attributes:
        id: anchor.
        title: one line.
        panels: SVG elements.
        columns: panels in a row where there is room.
        caption: stands alone.
        problems: name to problem-file text, for those who remake it.
        commands: that remake its numbers.
    """

    id: str
    title: str
    panels: list[Markup]
    columns: int
    caption: Markup
    problems: dict[str, str]
    commands: list[str]


def positive(values: Sequence[float | None]) -> list[float]:
    """Values for a logarithmic axis; what has no logarithm leaves a gap."""
    return [v if v is not None and v > 0 else float("nan") for v in values]


def gaps(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if v is None else v for v in values]


def entry(problem: dict[str, Any], table: str, key: str) -> str:
    """An entry of a problem file, for a caption."""
    value = problem.get(table, {}).get(key, "?")
    return str(value)


def activation_text(name: str) -> str:
    """An activation's name for a figure, where dollars would start mathematics."""
    return name.replace("$", r"\$")


def letter(index: int) -> str:
    """Of a panel."""
    return "abcdefghijkl"[index]


def finish(axes: Axes, index: int, title: str, *, x: str, y: str = "", legend: str = "") -> None:
    """A panel's letter and title, top left; the labels of its axes; its legend, where there is one."""
    # A title at a given height is not moved for the ticks, which takes matplotlib longer than the drawing.
    axes.set_title(f"{letter(index)}  {title}", y=1.01)
    axes.set_xlabel(x)
    if y:
        axes.set_ylabel(y)
    if legend:
        axes.legend(loc=legend)


def tick(value: float) -> str:
    """A signed power of ten, or 0."""
    if value == 0:
        return "0"
    return ("−" if value < 0 else "+") + power_of_ten(abs(value))


def both_signs(powers: Sequence[float]) -> tuple[list[float], list[str]]:
    """Ticks at these sizes on both sides of zero, and how they are written."""
    ticks = [*(-power for power in reversed(powers)), 0.0, *powers]
    return ticks, [tick(value) for value in ticks]


def ticks_about_zero(axes: Axes, powers: Sequence[float], low: float, high: float) -> None:
    """A vertical axis from ``low`` to ``high`` with ticks at these sizes on both sides of zero, none in between."""
    kept = [(value, text) for value, text in zip(*both_signs(powers), strict=True) if low <= value <= high]
    axes.set_yticks([value for value, _ in kept], [text for _, text in kept])
    axes.minorticks_off()
    axes.set_ylim(low, high)


def log_scale(axes: Axes, *, x: bool = False, y: bool = False) -> None:
    """Logarithmic axes with ticks at whole decades, at most seven of them."""
    for wanted, axis, scale in ((x, axes.xaxis, axes.set_xscale), (y, axes.yaxis, axes.set_yscale)):
        if wanted:
            scale("log")
            axis.set_major_locator(LogLocator(numticks=7))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value) if value > 0 else ""))
