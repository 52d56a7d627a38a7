"""The figure on S4 to S7: rank correlations of entropies with training, and the advantage of AD, from the ledger's cells.

Every number is the evidence of a cell; cells without such numbers (other claims of the same name) are left out.

What rests on what: the claims that have links, family under family, with an arc from each to those that rest on it.

Drawn by hand rather than by matplotlib: every name is text that can be read, searched and followed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup, escape
from matplotlib.axes import Axes

from proofs_check.report.figures.style import AD, FD, INK, MUTED, THIRD, Figure, activation_text, finish, svg
from proofs_check.report.records import Cell, Claim
from proofs_check.report.summary import Tally
from proofs_check.report.text import to_html

OPERATORS = {"u_x": "u′", "u_xx": "u″", "u_xxx": "u‴", "u_xxxx": "u⁗"}
ARITHMETICS = {"float64": "f64", "float32": "f32"}
OUTCOMES = {"residual": (AD, "o"), "equation residual": (FD, "s"), "solution error": (THIRD, "^")}
STEP = "1/100"
"""The step whose cells are drawn, where there are several."""
ROWS = 28
"""Of a panel at most; those left out are counted in the caption."""


@dataclass(frozen=True)
class Mark:
    """An estimate with its interval, in one line of a panel."""

    estimate: float
    low: float
    high: float
    colour: str
    marker: str
    name: str


Lines = dict[str, list[Mark]]
"""The lines of a panel by their label."""


def evidence(claims: Sequence[Claim]) -> Figure | None:
    """The figure; None without a cell that has such numbers."""
    known = {claim.id: claim for claim in claims}
    panels: list[Markup] = []
    said: list[str] = []
    ids: list[str] = []
    plans: tuple[tuple[str, str, Callable[[Claim], Lines], str, tuple[float, ...]], ...] = (
        ("S4.entropy-ranks-loss", "entropy, residual (S4)", _correlations, "Spearman's ρ", (-0.5, 0.5)),
        ("S5.entropy-ranks-speed", "entropy, speed (S5)", _correlations, "Spearman's ρ", (-0.5, 0.5)),
        ("S6.ad-outperforms", "AD over FD (S6)", _ratios, "log₁₀ of AD over FD", (-math.log10(1.1),)),
        ("S7.grows-with-order", "order by order (S7)", _ratios, "difference of log₁₀", (-math.log10(1.1),)),
    )
    for claim_id, title, read, axis, bounds in plans:
        lines = read(known[claim_id]) if claim_id in known else {}
        if not lines:
            continue
        shown = dict(list(lines.items())[:ROWS])
        draw = partial(_draw, lines=shown, bounds=bounds, axis=axis, title=title, index=len(panels))
        height = max(2.9, 0.9 + 0.17 * len(shown))
        panels.append(svg(f"f6-{len(panels)}", title, _described(shown), draw, height))
        ids.append(claim_id)
        left_out = len(lines) - len(shown)
        said.append(_caption(claim_id, shown, bounds) + (f" {left_out} more lines: in the ledger." if left_out else ""))
    if not panels:
        return None
    text = (
        "Intervals at 99 %, each from one cell of the ledger; dashed: the bound that the claim names. Entropy: of all "
        "conventions judged in a sample, the one of largest |ρ|; diamond: the best rival (condition number, least kept "
        "singular value, ε-rank). AD over FD: a disc for the residual that was minimised, a square for that of the "
        "differential equation, a triangle for the solution error; left of zero AD is ahead. "
    )
    return Figure(
        "figure-evidence", "Entropy and training, AD and FD", panels, 2, to_html(text + " ".join(said)), {},
        [f"adfd verify {claim_id}" for claim_id in ids],
    )  # fmt: skip


def _number(value: Any) -> float | None:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fine else None


def _numbers(cell: Cell) -> dict[str, Any]:
    found = cell.evidence.data.get("numbers")
    return found if isinstance(found, dict) else {}


def _interval(cell: Cell, name: str) -> tuple[float, float, float] | None:
    """The estimate called ``name`` and its interval, where the evidence has both."""
    data = _numbers(cell)
    ends = data.get("interval")
    if not isinstance(ends, list) or len(ends) != 2:
        return None
    found = [_number(v) for v in (data.get(name), *ends)]
    if any(v is None for v in found):
        return None
    estimate, low, high = (v for v in found if v is not None)
    return estimate, low, high


def _short(cell: Cell, keys: Sequence[str]) -> str:
    words = {
        **OPERATORS,
        **ARITHMETICS,
        "pseudo-inverse": "",
        "two-layer": "net",
        "tanh": "",
        "sin(pi*x)": "",
        "sin(8*pi*x)": "8π",
    }
    parts = [words.get(value, value) for key in keys if (value := cell.scope.get(key, ""))]
    return " ".join(part for part in parts if part)


def _drawn(claim: Claim) -> list[Cell]:
    steps = {cell.scope.get("step", STEP) for cell in claim.cells}
    return [cell for cell in claim.cells if STEP not in steps or cell.scope.get("step", STEP) == STEP]


def _correlations(claim: Claim) -> Lines:
    """One line for each sample: its strongest entropy, and its strongest rival."""
    keys = ("sample", "solution", "optimiser", "operator", "arithmetic", "method", "solver")
    samples: dict[str, list[tuple[Cell, tuple[float, float, float]]]] = {}
    for cell in _drawn(claim):
        if cell.scope.get("given", "nothing") != "nothing" or cell.scope.get("moment", "start") != "start":
            continue
        if (found := _interval(cell, "rho")) is not None:
            samples.setdefault(_short(cell, keys), []).append((cell, found))
    lines: Lines = {}
    for name, cells in samples.items():
        best, numbers = max(cells, key=lambda one: abs(one[1][0]))
        colour, marker = (FD, "s") if best.scope.get("method") == "fd" else (AD, "o")
        lines[name] = [Mark(*numbers, colour, marker, best.scope.get("convention", "entropy"))]
        table = _numbers(best).get("all")
        rivals = table if isinstance(table, dict) else {}
        values = [(str(k), v) for k, raw in rivals.items() if ", power" not in k and (v := _number(raw)) is not None]
        if values:
            rival, rho = max(values, key=lambda one: abs(one[1]))
            lines[name].append(Mark(rho, rho, rho, INK, "D", rival))
    return lines


def _ratios(claim: Claim) -> Lines:
    """One line for each kind of run, a mark for each outcome, in decades."""
    lines: Lines = {}
    for cell in _drawn(claim):
        style = OUTCOMES.get(cell.scope.get("outcome", ""))
        if style is not None and (found := _interval(cell, "mean")) is not None:
            name = _short(cell, ("model", "activation", "optimiser", "from", "operator", "arithmetic"))
            estimate, low, high = (v / math.log(10) for v in found)
            lines.setdefault(name, []).append(Mark(estimate, low, high, *style, cell.scope["outcome"]))
    return lines


def _draw(axes: Axes, lines: Lines, bounds: Sequence[float], axis: str, title: str, index: int) -> None:
    axes.figure.subplots_adjust(left=0.44)
    for row, marks in enumerate(lines.values()):
        for place, mark in enumerate(marks):
            y = row + 0.24 * (place - (len(marks) - 1) / 2)
            axes.plot([mark.low, mark.high], [y, y], color=mark.colour, linewidth=1.0)
            axes.plot(
                [mark.estimate], [y], color=mark.colour, marker=mark.marker, linestyle="none", markersize=3.2,
                markerfacecolor="none" if mark.marker == "D" else mark.colour,
            )  # fmt: skip
    for bound in bounds:
        axes.axvline(bound, color=MUTED, linestyle="--", linewidth=0.8)
    axes.axvline(0, color=MUTED, linewidth=0.6)
    axes.set_yticks(range(len(lines)), [activation_text(name) for name in lines], fontsize=6.5)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    finish(axes, index, title, x=axis)


def _described(lines: Lines) -> str:
    return "; ".join(f"{name}: {marks[0].estimate:+.2f}" for name, marks in lines.items())


def _caption(claim_id: str, lines: Lines, bounds: Sequence[float]) -> str:
    """What is counted over the lines that are drawn."""
    if len(bounds) == 2:
        entropies = [marks[0] for marks in lines.values()]
        clear = sum(1 for m in entropies if m.low >= bounds[1] or m.high <= bounds[0])
        pairs = [marks for marks in lines.values() if len(marks) == 2]
        ahead = sum(1 for mine, rival in pairs if abs(mine.estimate) > abs(rival.estimate))
        return (
            f"{claim_id[:2]}: an entropy has |ρ| clearly above one half in {clear} of {len(lines)} samples, and is the "
            f"stronger predictor than every rival in {ahead} of {len(pairs)}."
        )
    marks = [mark for group in lines.values() for mark in group]
    ahead = sum(1 for m in marks if m.high <= bounds[0])
    behind = sum(1 for m in marks if m.low >= -bounds[0])
    return f"{claim_id[:2]}: clearly beyond the bound in {ahead} of {len(marks)}, as clearly the other way in {behind}."


LINE, HEAD, LEFT = 19, 30, 272
"""Height of a claim's line and of a family's heading; where the arcs begin, in pixels."""
WIDTH = 440
CHARACTER = 7.3
"""Width of one, in a font of fixed width at 12 pixels."""
CHARACTERS = 34
"""Longest id that is shown whole."""
_COLOURS = ("--ad", "--fd", "--third", "--fourth", "--accent", "--muted")


def links(claims: Sequence[Claim], anchors: Mapping[str, str]) -> Figure | None:
    """The graph of the links among these claims; None without any.

    Args:
        claims: of the ledger, in its order.
        anchors: where on the page each claim is.
    """
    known = {claim.id: claim for claim in claims}
    pairs = [(claim, known[link.id], link.because) for claim in claims for link in claim.rests_on if link.id in known]
    if not pairs:
        return None
    shown = {claim.id for pair in pairs for claim in pair[:2]}
    families = list(dict.fromkeys(claim.family for claim in claims if claim.id in shown))
    order = {family: _layered([c for c in claims if c.id in shown and c.family == family]) for family in families}
    places: dict[str, float] = {}
    text, y = [], 0.0
    for family in families:
        y += HEAD
        text.append(f'<text class="layer" x="0" y="{y - 8:.0f}">{escape(family)}</text>')
        for claim in order[family]:
            y += LINE
            places[claim.id] = y - LINE / 2
            text.append(_node(claim, places[claim.id], anchors.get(claim.id, "")))
    colours = {family: _COLOURS[k % len(_COLOURS)] for k, family in enumerate(families)}
    span = max(abs(places[a.id] - places[b.id]) for a, b, _ in pairs)
    arcs = [_arc(places[b.id], places[a.id], span, colours[b.family], a.id, b.id, why) for a, b, why in pairs]
    title, described = "What rests on what", _links_in_words(pairs, shown)
    drawing = (
        f'<svg class="links" viewBox="0 0 {WIDTH} {y + 8:.0f}" role="img" aria-labelledby="links-t links-d">'
        f'<title id="links-t">{title}</title><desc id="links-d">{escape(described)}</desc>{"".join(arcs)}{"".join(text)}</svg>'
    )
    caption = Markup(
        "{} An arc leads from a claim to one whose proof or explanation uses it, in the colour of the family it leads "
        "from; point at it for the reason. The mark before a name is its verdict: a disc where it holds, a diamond "
        "where it fails, a square where it is open or depends on the cell. Claims without links are left out."
    ).format(described)
    return Figure("figure-links", title, [Markup(drawing)], 1, caption, {}, ["adfd claims --json"])


def _layered(claims: Sequence[Claim]) -> list[Claim]:
    """Claims of a family, each after those of the family on which it rests."""
    inside = {claim.id: claim for claim in claims}
    done: dict[str, Claim] = {}

    def visit(claim: Claim, above: frozenset[str]) -> None:
        for link in claim.rests_on:
            if link.id in inside and link.id not in done and link.id not in above:
                visit(inside[link.id], above | {claim.id})
        done.setdefault(claim.id, claim)

    for claim in claims:
        visit(claim, frozenset())
    return list(done.values())


def _node(claim: Claim, y: float, anchor: str) -> str:
    symbol = Tally.of(claim.cells).symbol
    if symbol == "holds":
        mark = f'<circle cx="7" cy="{y:.1f}" r="4.2" fill="var(--holds)"/>'
    elif symbol == "fails":
        mark = f'<path d="M7 {y - 5:.1f}l5 5l-5 5l-5 -5z" fill="var(--fails)"/>'
    else:
        mark = f'<path d="M3 {y - 4:.1f}h8v8h-8z" fill="var(--open)"/>'
    name = claim.id if len(claim.id) <= CHARACTERS else claim.id[: CHARACTERS - 1] + "…"
    begin = 24 + CHARACTER * len(name)
    leader = f'<path class="leader" d="M{begin:.0f} {y:.1f}H{LEFT - 3}"/>' if begin < LEFT - 8 else ""
    return (
        f'{mark}{leader}<a href="#{escape(anchor)}"><title>{escape(claim.title)}: {escape(Tally.of(claim.cells).text)}</title>'
        f'<text x="18" y="{y + 4:.1f}">{escape(name)}</text></a>'
    )


def _arc(start: float, end: float, span: float, colour: str, rests: str, on: str, why: str) -> str:
    """From the foundation to the claim that rests on it; the farther, the wider."""
    reach = LEFT + 22 + (WIDTH - LEFT - 40) * math.sqrt(abs(end - start) / span) * 4 / 3
    tip = f"M{LEFT + 7} {end - 3:.1f}L{LEFT} {end:.1f}l7 3"
    told = f"{rests} rests on {on}" + (f": {why}" if why else "")
    return (
        f'<g class="arc" style="stroke:var({colour})"><title>{escape(told)}</title>'
        f'<path d="M{LEFT} {start:.1f}C{reach:.0f} {start:.1f} {reach:.0f} {end:.1f} {LEFT} {end:.1f}{tip}"/></g>'
    )


def _links_in_words(pairs: Sequence[tuple[Claim, Claim, str]], shown: set[str]) -> str:
    """The graph in a sentence or two: how large, what most rests on, and what rests on something that fails."""
    used: dict[str, int] = {}
    for _, foundation, _ in pairs:
        used[foundation.id] = used.get(foundation.id, 0) + 1
    most = max(used, key=lambda id: used[id])
    times = "once" if used[most] == 1 else f"by {used[most]} claims"
    weak = sorted({f.id for _, f, _ in pairs if f.cells and Tally.of(f.cells).unanimous != "holds"})
    unsound = (
        "every claim that others rest on holds in all its cells"
        if not weak
        else f"not holding in every cell: {', '.join(weak)}"
    )
    return f"{len(pairs)} links among {len(shown)} claims; the one used most is {most}, {times}; {unsound}."
