"""Phase diagrams of S2 and S3: over size and tolerance, over step and weight scale; of S4 and S5 in the same draw."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from proofs_check.report.looks import Figure, letter
from proofs_check.report.mathml import to_html
from proofs_check.report.phase_panel import Mark, PhasePanel
from proofs_check.report.records import PhaseMap
from proofs_check.report.wording import listed, power_of_ten

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
