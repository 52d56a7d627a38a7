"""A phase diagram as a panel: a rectangle a point, written straight as SVG in the looks of :mod:`proofs_check.report.drawing`.

There are dozens of them on the page, of rectangles and labels alone, on which matplotlib's axes would take most of the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from proofs_check.report.drawing import HEIGHT, WIDTH

PIXELS = 72
"""An inch."""
LEFT, RIGHT, TOP, BOTTOM = 42.8, 252.7, 19.8, 177.5
"""The axes' ends in pixels: those of the other panels."""
FONT = "font-family: 'DejaVu Sans'; fill: var(--ink)"


@dataclass(frozen=True)
class Mark:
    """A point of the map: its column and row, the share of draws, and whether it has a ring and a cross."""

    column: int
    row: int
    share: float
    ring: bool
    cross: bool


@dataclass(frozen=True)
class PhasePanel:
    """A phase diagram.

    Attributes:
        name: unique in the page; it becomes the prefix of every id inside.
        title: what the panel shows;  description: what is seen, with numbers.
        heading: above the axes.
        axes: labels of the two.
        columns: names at the first axis;  rows: at the second, from below, "" for none.
        marks: the points.
    """

    name: str
    title: str
    description: str
    heading: str
    axes: tuple[str, str]
    columns: Sequence[str]
    rows: Sequence[str]
    marks: Sequence[Mark]

    def svg(self) -> Markup:
        """The panel as an inline SVG element, with its title and description for those who cannot see it."""
        width, height = WIDTH * PIXELS, HEIGHT * PIXELS
        inside = "".join((*self._points(), *self._axes()))
        return Markup(
            f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="{self.name}-t {self.name}-d">'
            f'<title id="{self.name}-t">{escape(self.title)}</title>'
            f'<desc id="{self.name}-d">{escape(self.description)}</desc>{inside}</svg>'
        )

    def _x(self, column: float) -> float:
        return LEFT + (column + 0.6) * (RIGHT - LEFT) / (len(self.columns) + 0.2)

    def _y(self, row: float) -> float:
        return BOTTOM - (row + 0.6) * (BOTTOM - TOP) / (len(self.rows) + 0.2)

    def _points(self) -> Iterator[str]:
        """Rectangles that all but touch, the darker the larger the share, with rings and crosses on them."""
        wide, high = 0.46 * (self._x(1) - self._x(0)), 0.46 * (self._y(0) - self._y(1))
        half = min(5.2, 0.87 * wide, 0.87 * high)
        yield '<g style="fill: var(--ad); stroke: var(--muted); stroke-width: 0.3">'
        for mark in self.marks:
            x, y = self._x(mark.column) - wide, self._y(mark.row) - high
            yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{2 * wide:.1f}" height="{2 * high:.1f}" '
            yield f'fill-opacity="{0.65 * mark.share:.3g}"/>'
        yield '</g><g style="fill: none; stroke: var(--fd); stroke-width: 1.1">'
        for mark in self.marks:
            if mark.ring:
                yield f'<circle cx="{self._x(mark.column):.1f}" cy="{self._y(mark.row):.1f}" r="{0.5 * half:.1f}"/>'
        yield '</g><g style="fill: none; stroke: var(--ink); stroke-width: 0.6">'
        arm = 0.45 * half
        for mark in self.marks:
            if mark.cross:
                x, y = self._x(mark.column), self._y(mark.row)
                yield f'<path d="M {x - arm:.1f} {y - arm:.1f} l {2 * arm:.1f} {2 * arm:.1f} '
                yield f'm 0 {-2 * arm:.1f} l {-2 * arm:.1f} {2 * arm:.1f}"/>'
        yield "</g>"

    def _axes(self) -> Iterator[str]:
        """The axes with ticks and names, and the heading."""
        ticks = [f"M {self._x(k):.1f} {BOTTOM} v 3.5" for k in range(len(self.columns))]
        ticks += [f"M {LEFT} {self._y(k):.1f} h -3.5" for k, name in enumerate(self.rows) if name]
        yield f'<path d="M {LEFT} {TOP} V {BOTTOM} H {RIGHT} {" ".join(ticks)}" '
        yield 'style="fill: none; stroke: var(--muted); stroke-width: 0.7"/>'
        small = 6.5 if max(map(len, self.columns)) > 3 else 8
        for k, name in enumerate(self.columns):
            yield _text(name, self._x(k), BOTTOM + 13.1, small, "middle")
        for k, name in enumerate(self.rows):
            if name:
                yield _text(name, LEFT - 7, self._y(k) + 3, 8, "end")
        across, up = self.axes
        yield _text(across, (LEFT + RIGHT) / 2, BOTTOM + 25.5, 8.5, "middle")
        yield f'<g transform="rotate(-90 14 {(TOP + BOTTOM) / 2})">{_text(up, 14, (TOP + BOTTOM) / 2, 8.5, "middle")}</g>'
        yield _text(self.heading, LEFT, 12.3, 9.5, "start", "; font-weight: 700")


def _text(words: str, x: float, y: float, size: float, anchor: str, more: str = "") -> str:
    style = f"font-size: {size:g}px; text-anchor: {anchor}; {FONT}{more}"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(words)}</text>'
