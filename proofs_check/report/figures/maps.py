"""A phase diagram as a panel: a rectangle a point, written straight as SVG in the style of :mod:`proofs_check.report.figures.style`.

There are dozens of them on the page, of rectangles and labels alone, on which matplotlib's axes would take most of the time.

Phase diagrams of S2 and S3: over size and tolerance, over step and weight scale; of S4 and S5 in the same draw.

The regime maps: where in step, weight scale and arithmetic S2 and S3 hold, and where they are predicted to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from proofs_check.report.figures.style import AD, FD, HEIGHT, INK, WIDTH, Figure, activation_text, finish, letter, svg
from proofs_check.report.records import PhaseMap, RegimeMap, RegimePoint
from proofs_check.report.text import ARITHMETIC_WORDS, listed, power_of_ten, to_html

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


_SPECTRA = {"small": "S2", "raw": "S3", "normalised": "S3, normalised"}
STATEMENTS = {
    "size": _SPECTRA,
    "step": _SPECTRA,
    "pairs": {"small": "AD leaves less", "raw": "S4", "normalised": "S4, normalised"},
    "speeds": {"small": "AD is faster", "raw": "S5", "normalised": "S5, normalised"},
}
"""By what a map is across: its fields, and what they show."""
_STEP_AND_SCALE = ("step h", "weight scale s")
AXES = {"size": ("n", "τ"), "step": _STEP_AND_SCALE, "pairs": _STEP_AND_SCALE, "speeds": _STEP_AND_SCALE}
TITLES = {
    "size": "Where S2 and S3 hold over size and tolerance",
    "step": "Where S2 and S3 hold over step and weight scale",
    "pairs": "Where the method with more entropy leaves less (S4), over step and weight scale",
    "speeds": "Where the method with more entropy trains faster (S5), over step and weight scale",
}
COMMANDS = {
    "size": "adfd verify S2.every-small S3.entropy-order",
    "step": "adfd verify S2.every-small S3.entropy-order",
    "pairs": "adfd verify S4.paired",
    "speeds": "adfd verify S5.paired",
}


def phases(maps: Sequence[PhaseMap], across: str) -> Figure:
    """A row of panels for each activation and arithmetic: S2, S3, S3 normalised."""
    chosen = [found for found in maps if found.across == across]
    panels: list[Markup] = []
    for found in chosen:
        for field, statement in STATEMENTS[across].items():
            panels.append(_panel(found, field, statement, len(panels)).svg())
    caption = _caption(chosen, across)
    return Figure(f"figure-phases-{across}", TITLES[across], panels, 3, caption, {}, [COMMANDS[across]])


def _cells(found: PhaseMap, field: str) -> list[tuple[int, int, float, bool | None, bool]]:
    """Column, row, share, predicted, flagged."""
    shares, predicted = getattr(found, field), getattr(found, f"{field}_predicted")
    return [
        (x, y, shares[y][x], predicted[y][x], found.flagged[y][x])
        for y in range(len(found.rows))
        for x in range(len(found.columns))
    ]


def _panel(found: PhaseMap, field: str, statement: str, index: int) -> PhasePanel:
    """A map of one statement; noise that S2 counts is marked where the cut-off is an axis."""
    over_size = found.across == "size"
    marked = over_size or field != "small"
    of = f"{found.activation}, {found.arithmetic}"
    return PhasePanel(
        f"f-{found.across}-{index}",
        f"{statement} over {' and '.join(AXES[found.across])}: {of}",
        _described(found, field),
        f"{letter(index)}  {statement}: {of}",
        AXES[found.across],
        found.columns,
        [power_of_ten(float(row)) if k % 2 == 0 else "" for k, row in enumerate(found.rows)]
        if over_size
        else found.rows,
        [Mark(x, y, share, guess is True, marked and flagged) for x, y, share, guess, flagged in _cells(found, field)],
    )


def agreement(found: PhaseMap, field: str) -> tuple[int, int]:
    """At how many points where something is predicted it came out in most draws, and of how many."""
    told = [(share >= 0.5) == guess for _, _, share, guess, _ in _cells(found, field) if guess is not None]
    return sum(told), len(told)


def _described(found: PhaseMap, field: str) -> str:
    most = sum(share >= 0.5 for _, _, share, _, _ in _cells(found, field))
    right, told = agreement(found, field)
    scored = f"; predicted rightly at {right} of {told}" if told else ""
    return f"It holds in most draws at {most} of {len(_cells(found, field))} points{scored}."


def _most(maps: Sequence[PhaseMap], field: str) -> str:
    """At how many points of each map something comes out in more than half of the draws, and of how many."""
    counts = [[share > 0.5 for _, _, share, _, _ in _cells(found, field)] for found in maps]
    return listed(
        [f"{sum(c)} of {len(c)} for {m.activation} in {m.arithmetic}" for c, m in zip(counts, maps, strict=True)]
    )


def _caption(maps: Sequence[PhaseMap], across: str) -> Markup:
    right = {
        field: [sum(pair) for pair in zip(*(agreement(found, field) for found in maps), strict=True)]
        for field in STATEMENTS[across]
    }
    scored = listed([f"{a} of {b} for {STATEMENTS[across][field]}" for field, (a, b) in right.items()])
    if across == "pairs":
        return to_html(
            f"S4 in the same draw, for $u''$, $w \\sim N(0, s^2)$, {maps[0].draws} draws at each point: least squares with "
            "Dirichlet rows, 64 points and features, energy rule, τ = 1e-6, power 1. The darker a field, the larger the share of "
            "draws in which AD leaves less of the equation than FD (first of each three), and in which the method with the "
            "larger truncated entropy does. A ring marks where that is predicted from $A_{AD}$ alone: AD always leaves less, so "
            "the reading should hold where AD is predicted to have the larger entropy, and be reversed where FD is: it is the "
            f"sign of S3. Where something is predicted, most draws agree at {scored}."
        )
    if across == "speeds":
        return to_html(
            f"S5 in the same draw, for $u''$, $w \\sim N(0, s^2)$, 64 points and features with Dirichlet rows, {maps[0].draws} draws at "
            "each point: gradient descent from zero, each method with its own step $1/\\sigma_1^2$, and its loss after "
            f"{maps[0].iterations} iterations over the first, by its exact law. The darker a field, the larger the share of draws in "
            "which AD's loss falls lower than FD's (first of each three), and in which the loss by the method with the larger "
            "truncated entropy of $AA^T$ does (energy rule, τ = 1e-6, power 1 of the eigenvalues); white is never: the reading is "
            "reversed, or two numbers are equal. Points where AD is the faster in more than half of the draws: "
            f"{_most(maps, 'small')}; where the reading holds in more than half: {_most(maps, 'raw')}; normalised: "
            f"{_most(maps, 'normalised')}."
        )
    what = (
        "over the number of points and features n and the tolerance τ of the energy rule (power 1), $w \\sim N(0, 1)$, "
        "$h = 1/100$; S2 is here about every value behind $r_{AD}(\\tau)$"
        if across == "size"
        else "over step and weight scale, $w \\sim N(0, s^2)$, 64 points and features; S2 for every $k > n/2$, S3 under the energy "
        "rule, τ = 1e-6, power 1"
    )
    return to_html(
        f"Phase diagrams for $u''$ {what}; {maps[0].draws} draws at each point. The darker a field, the larger the share of draws "
        "in which the statement holds; a ring marks where that is predicted from $A_{AD}$ alone (S2: noise is predicted to "
        "lift every value behind the cut-off; S3: the predicted sign of the gap), a cross where $r_{AD}$ counts noise of $A_{AD}$ "
        f"itself, so that noise is judged. Where something is predicted, most draws agree at {scored}."
    )


MAPPED = {
    "small_larger": "S2 (every small singular value of FD is larger)",
    "entropy_order": "S3 (AD has at least FD's entropy)",
}
"""Field of a point to the statement it counts."""
PREDICTED = {"small_larger": "small_predicted", "entropy_order": "entropy_predicted"}


def regimes(maps: Sequence[RegimeMap]) -> Figure:
    """Two rows of panels, S2 and S3; a column for each arithmetic."""
    panels: list[Markup] = []
    for field in MAPPED:
        for found in maps:
            index = len(panels)
            panels.append(
                svg(
                    f"f5-{index}",
                    f"{MAPPED[field]} over step and weight scale, {found.arithmetic}",
                    _regimes_in_words(found, field),
                    partial(_draw, found=found, field=field, index=index),
                )
            )
    commands = [f"adfd verify {claim}" for claim in ("regimes.small-values", "regimes.entropy-order")]
    return Figure("figure-regimes", "Where S2 and S3 hold", panels, len(maps), _regimes_caption(maps), {}, commands)


def _draw(axes: Axes, found: RegimeMap, field: str, index: int) -> None:
    steps = sorted({Fraction(p.step) for p in found.points})
    scales = sorted({p.scale for p in found.points})
    x = [steps.index(Fraction(p.step)) for p in found.points]
    y = [scales.index(p.scale) for p in found.points]
    shaded = [to_rgba(AD, _count(p, field) / p.draws) for p in found.points]
    axes.scatter(x, y, s=130, facecolor=shaded, edgecolor="none")
    axes.scatter(x, y, s=130, facecolor="none", edgecolor=INK, linewidth=0.6)
    ringed = [k for k, p in enumerate(found.points) if 2 * _count(p, PREDICTED[field]) >= p.draws]
    axes.scatter([x[k] for k in ringed], [y[k] for k in ringed], s=300, facecolor="none", edgecolor=FD, linewidth=1.3)
    axes.grid(visible=False)
    axes.set_xlim(-0.6, len(steps) - 0.4)
    axes.set_ylim(-0.6, len(scales) - 0.4)
    for axis, names in ((axes.xaxis, [str(s) for s in steps]), (axes.yaxis, [str(s) for s in scales])):
        axis.set_major_locator(FixedLocator(range(len(names))))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _, names=names: names[round(value)]))
    finish(
        axes,
        index,
        f"{'S2' if field == 'small_larger' else 'S3'}, {ARITHMETIC_WORDS[found.arithmetic]}",
        x="step h",
        y="weight scale s",
    )


def _count(point: RegimePoint, field: str) -> int:
    count: int = getattr(point, field)
    return count


def _regimes_in_words(found: RegimeMap, field: str) -> str:
    holds = sum(_count(p, field) for p in found.points)
    return f"It holds in {holds} of {sum(p.draws for p in found.points)} problems."


def _regimes_caption(maps: Sequence[RegimeMap]) -> Markup:
    counted = []
    for field, statement in MAPPED.items():
        shares = []
        for found in maps:
            draws = sum(p.draws for p in found.points)
            holds = sum(_count(p, field) for p in found.points)
            shares.append(f"{holds} of {draws} in {ARITHMETIC_WORDS[found.arithmetic]}")
        counted.append(f"{statement} holds in {listed(shares)}")
    first = maps[0]
    return to_html(
        f"Regime maps for `{activation_text(first.activation)}` features of $u''$, {first.features} points and features, "
        f"weights $w \\sim N(0, s^2)$, {first.points[0].draws} draws at each point, the default entropy convention. The "
        "darker a disc, the larger the share of draws in which the statement holds; a ring marks where it is predicted "
        "in half of them or more: for S2 where the round-off knee is at most $n/2$, for S3 where the gap predicted by the covariance "
        "law (exact arithmetic) and the round-off floor (floating point) is at most zero. " + "; ".join(counted) + "."
    )
