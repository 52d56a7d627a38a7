"""The third figure: training curves against their exact law, and what truncated SVD leaves of the equation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from markupsafe import Markup
from matplotlib.axes import Axes

from proofs_check.report.drawing import AD, FD, INK, MUTED, svg
from proofs_check.report.looks import METHOD_LINE, METHOD_WORDS, Figure, entry, finish, log_scale, positive
from proofs_check.report.mathml import to_html
from proofs_check.report.problem_text import problem_text
from proofs_check.report.records import NetworkFigure, TrainingFigure, Truncated
from proofs_check.report.wording import listed, scientific

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
        look = METHOD_LINE.get(run.method, {})
        t = [i + 1 for i in run.iterations]
        axes.plot(
            t,
            positive(run.predicted),
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=1.1,
            label=f"{METHOD_WORDS[run.method]} law",
        )
        every = max(1, len(t) // 22)
        start = 0 if run.method == "ad" else every // 2
        axes.plot(
            t[start::every],
            positive(run.loss)[start::every],
            **(look | {"linestyle": "none"}),
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
        look = METHOD_LINE.get(ensemble.method, {})
        t = [i + 1 for i in ensemble.iterations]
        axes.fill_between(
            t, positive(ensemble.lower), positive(ensemble.upper), color=look["color"], alpha=0.18, linewidth=0
        )
        axes.plot(
            t,
            positive(ensemble.median),
            color=look["color"],
            linestyle=look["linestyle"],
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
