"""The third figure: training curves against their exact law, and what truncated SVD leaves of the equation.

Trained networks against the bound of their law: deviation over bound for every network that was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from markupsafe import Markup
from matplotlib.axes import Axes

from numerics.problem.file import problem_text
from proofs_check.report.figures.style import (
    AD,
    FD,
    INK,
    METHOD_LINE,
    METHOD_WORDS,
    MUTED,
    Figure,
    entry,
    finish,
    log_scale,
    positive,
    svg,
)
from proofs_check.report.records import BoundFigure, BoundPoint, NetworkFigure, TrainingFigure, Truncated
from proofs_check.report.text import listed, scientific, to_html

OPTIMISERS = {"gd": "gradient descent", "adam": "Adam", "lbfgs": "L-BFGS"}


def training(figures: Sequence[TrainingFigure], networks: Sequence[NetworkFigure]) -> Figure:
    panels: list[Markup] = []
    problems: dict[str, str] = {}
    captions: list[str] = []

    def add(title: str, description: str, draw: Callable[..., None]) -> None:
        index = len(panels)
        panels.append(svg(f"f3-{index}", title, description, partial(draw, index=index)))

    for figure in figures:
        for dtype in dict.fromkeys(run.dtype for run in figure.runs):
            add(
                f"Loss of gradient descent in {dtype}",
                "; ".join(_ends(figure, dtype)),
                partial(_draw_loss, figure=figure, dtype=dtype),
            )
        if figure.truncated:
            add(
                "Residual of the differential equation against the cut-off",
                "; ".join(f"{_who(t)} {scientific(_best(t), 1)}" for t in figure.truncated),
                partial(_draw_truncated, figure=figure),
            )
        problems[figure.name] = problem_text(figure.problem)
        captions.append(_training_caption(figure))
    for network in networks:
        add(
            f"Loss of {network.seeds} two-layer networks of width {network.width}",
            f"{network.optimizer}, {network.dtype}",
            partial(_draw_network, figure=network),
        )
        problems[network.name] = problem_text(network.problem)
        captions.append(_network_caption(network))
    return Figure(
        "figure-training",
        "Training: predicted, measured, and what is left of the equation",
        panels,
        3 if len(panels) != 4 else 2,
        to_html(" ".join(captions)),
        problems,
        [c for f in figures for c in f.commands] + [c for n in networks for c in n.commands],
    )


def _draw_loss(axes: Axes, figure: TrainingFigure, dtype: str, index: int) -> None:
    for run in figure.runs:
        if run.dtype != dtype:
            continue
        style = METHOD_LINE.get(run.method, {})
        t = [i + 1 for i in run.iterations]
        axes.plot(
            t,
            positive(run.predicted),
            color=style["color"],
            linestyle=style["linestyle"],
            linewidth=1.1,
            label=f"{METHOD_WORDS[run.method]} law",
        )
        every = max(1, len(t) // 22)
        start = 0 if run.method == "ad" else every // 2
        axes.plot(
            t[start::every],
            positive(run.loss)[start::every],
            **(style | {"linestyle": "none"}),
            label=f"{METHOD_WORDS[run.method]} measured",
        )
    log_scale(axes, x=True, y=True)
    finish(axes, index, f"gradient descent, {dtype}", x="iteration + 1", y="loss ½‖Aa − f‖²", legend="lower left")


def _draw_truncated(axes: Axes, figure: TrainingFigure, index: int) -> None:
    log_scale(axes, y=True)
    for found in figure.truncated:
        wide = found.dtype == "float64"
        axes.plot(
            range(len(found.equation)),
            positive(found.equation),
            color=AD if found.method == "ad" else FD,
            linestyle="-" if wide else "none",
            linewidth=1.3,
            marker=None if wide else "^" if found.method == "fd" else "v",
            markersize=3.4,
            markerfacecolor="none",
            markevery=max(1, len(found.equation) // 24),
            label=_who(found),
        )
    finish(
        axes, index, "truncated SVD", x="cut-off number r", y="relative residual of the equation", legend="lower left"
    )


def _who(found: Truncated) -> str:
    return f"{METHOD_WORDS.get(found.method, found.method)} {found.dtype}"


def _best(found: Truncated) -> float:
    return min((v for v in found.equation if v is not None), default=float("nan"))


def _ends(figure: TrainingFigure, dtype: str) -> list[str]:
    found = []
    for run in figure.runs:
        if run.dtype == dtype and run.loss and run.loss[0]:
            end = run.loss[-1]
            what = "diverged" if end is None else f"{scientific(end / run.loss[0], 2)} of its start"
            if run.equation is not None and run.method == "fd":
                what += f" (of the equation itself: {scientific(run.equation / run.loss[0], 2)})"
            found.append(f"{METHOD_WORDS.get(run.method, run.method)} {what}")
    return found


def _training_caption(figure: TrainingFigure) -> str:
    iterations = max((run.iterations[-1] for run in figure.runs if run.iterations), default=0)
    dtypes = list(dict.fromkeys(run.dtype for run in figure.runs))
    ends = "; ".join(f"in {d} " + listed(_ends(figure, d)) for d in dtypes)
    text = (
        f"The random feature model for `{entry(figure.problem, 'problem', 'operator')}` with `{figure.activation}` "
        f"features at h = {figure.step}, trained by gradient descent from zero, each method at its own step "
        r"$1/\sigma_1^2$; lines are the exact law computed from the stored matrix, markers what torch measured. "
        f"After {iterations} iterations the loss is: {ends}."
    )
    if figure.truncated:
        best = listed([f"{scientific(_best(t), 1)} ({_who(t)})" for t in figure.truncated])
        text += (
            " Truncated SVD of the same systems: norm of what is left of the differential equation itself, relative to "
            f"its right-hand side, for every cut-off number; the least values are {best}."
        )
    return text


def _draw_network(axes: Axes, figure: NetworkFigure, index: int) -> None:
    log_scale(axes, x=True, y=True)
    for ensemble in figure.ensembles:
        style = METHOD_LINE.get(ensemble.method, {})
        t = [i + 1 for i in ensemble.iterations]
        axes.fill_between(
            t, positive(ensemble.lower), positive(ensemble.upper), color=style["color"], alpha=0.18, linewidth=0
        )
        axes.plot(
            t,
            positive(ensemble.median),
            color=style["color"],
            linestyle=style["linestyle"],
            linewidth=1.3,
            label=f"{METHOD_WORDS[ensemble.method]} median",
        )
        if ensemble.predicted_lower is not None and ensemble.predicted_upper is not None:
            for ends, name in ((ensemble.predicted_lower, "law, at least"), (ensemble.predicted_upper, "law, at most")):
                axes.plot(
                    t,
                    positive(ends),
                    color=INK if ensemble.method == "ad" else MUTED,
                    linewidth=0.9,
                    linestyle="-." if ends is ensemble.predicted_upper else ":",
                    label=f"{METHOD_WORDS[ensemble.method]} {name}",
                )
    finish(axes, index, f"two-layer, width {figure.width}", x="iteration + 1", y="loss", legend="lower left")


def _network_caption(figure: NetworkFigure) -> str:
    optimiser = OPTIMISERS.get(figure.optimizer, figure.optimizer)
    ends = [end for e in figure.ensembles for end in e.valid_until or ()]
    predicted = any(e.predicted_lower is not None for e in figure.ensembles)
    held = sum(end is None for end in ends)
    first = min((end for end in ends if end is not None), default=None)
    restarted = (
        "" if first is None else f" (elsewhere from iteration {first} at the earliest, and from the kernel there)"
    )
    law = (
        f", with the band in which the law of the frozen tangent kernel puts it: the kernel at the start serves to the end in "
        f"{held} of {len(ends)} runs; where the bound exceeds a tenth of the residual the law starts anew{restarted}."
    )
    return (
        f"Two-layer `{figure.activation}` networks of width {figure.width}, all parameters trained by {optimiser} in "
        f"{figure.dtype}: median and quartiles of the loss over {figure.seeds} seeds" + (law if predicted else ".")
    )


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
    style = METHOD_LINE[method]
    for bounded, marker in ((True, "o"), (False, "x")):
        some = [p for p in points if p.bounded == bounded and p.bound > 0]
        axes.scatter(
            [p.bound for p in some],
            [max(p.deviation, FLOOR) for p in some],
            s=14,
            marker=marker,
            facecolor="none" if bounded else style["color"],
            edgecolor=style["color"] if bounded else None,
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
