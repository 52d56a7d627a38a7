"""What rests on what: the claims that have links, family under family, with an arc from each to those that rest on it.

Drawn by hand rather than by matplotlib: every name is text that can be read, searched and followed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from proofs_check.report.looks import Figure
from proofs_check.report.records import Claim
from proofs_check.report.summary import Tally

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
    title, described = "What rests on what", _described(pairs, shown)
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


def _described(pairs: Sequence[tuple[Claim, Claim, str]], shown: set[str]) -> str:
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
