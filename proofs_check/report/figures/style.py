"""Small vector panels that read at phone width: matplotlib's SVG with its colours handed to the page's style sheet.

Colours are those of Okabe and Ito (2008), told apart under every common colour blindness; every series differs in line
style and marker too, so that nothing rests on colour alone.

What the figures share: the styles of the series, numbers for logarithmic axes, and the figure itself.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from proofs_check.report.text import power_of_ten

INK, MUTED, RULE = "#17181a", "#76777a", "#dadbde"
AD, FD, THIRD, FOURTH = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    AD: "--ad",
    FD: "--fd",
    THIRD: "--third",
    FOURTH: "--fourth",
}
"""Every colour of the panels, and the style-sheet variable that stands for it in light and dark."""

WIDTH, HEIGHT = 3.6, 2.9
"""Inches; at 360 CSS pixels the 9-point text is 12.9 pixels high."""

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "adfd",
    "path.simplify": True,
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.4,
    "figure.subplot.left": 0.165,
    "figure.subplot.right": 0.975,
    "figure.subplot.bottom": 0.15,
    "figure.subplot.top": 0.905,
}


@contextmanager
def style() -> Iterator[None]:
    """The panels' matplotlib settings, and no others."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def svg(name: str, title: str, description: str, draw: Callable[[Axes], None], height: float = HEIGHT) -> Markup:
    """One panel as an inline SVG element, with its title and description for those who cannot see it.

    Args:
        name: unique in the page; it becomes the prefix of every id inside.
        title: what the panel shows;  description: what is seen, with numbers.
        draw: draws on the axes.
    """
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # a box stands for it
        figure = Canvas(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        buffer = io.StringIO()
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    return Markup(_inline(buffer.getvalue(), name, title, description))


_USE = re.compile(r"<use [^>]*/>")
_CLIPPED = re.compile(r'<g clip-path="([^"]*)"><use [^>]*/></g>(?:<g clip-path="\1"><use [^>]*/></g>)+')
"""Neighbouring marks that are clipped alike, each by itself."""


def _inline(text: str, name: str, title: str, description: str) -> str:
    """Matplotlib's document as an element: no prologue, no fixed size, ids of its own, colours from the page."""
    body = text[text.index("<svg") :]
    head_end = body.index(">") + 1
    box = re.search(r'viewBox="([^"]+)"', body[:head_end])
    inner = body[head_end : body.rindex("</svg>")]
    inner = re.sub(r"<style.*?</style>|<!--.*?-->", "", inner, flags=re.DOTALL)  # its rule would reach the page
    referred = set(re.findall(r'(?:href="|url\()#([^")]+)', inner))
    inner = re.sub(r'\s*\bid="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in referred else "", inner)
    inner = re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", inner)
    inner = inner.replace("xlink:href", "href")
    for colour, variable in VARIABLES.items():
        inner = inner.replace(colour, f"var({variable})")
    inner = re.sub(r"\s*\n\s*", " ", inner).replace("> <", "><")
    inner = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", inner)
    # Two decimals are a hundredth of a pixel; matplotlib writes six.
    inner = re.sub(r' (?:d|x|y|transform)="[^"]*"', lambda d: re.sub(r"(\.\d{2})\d+", r"\1", d[0]), inner)
    inner = _CLIPPED.sub(lambda found: f'<g clip-path="{found[1]}">{"".join(_USE.findall(found[0]))}</g>', inner)
    inner = re.sub(r"<g>(<use [^>]*/>)</g>", r"\1", inner)
    return (
        f'<svg viewBox="{box[1] if box else "0 0 1 1"}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>{inner}</svg>'
    )


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
