"""The advice as a figure: error against step in both arithmetics, with what was measured.

Colours are those of Okabe and Ito (2008); every series differs in line style and marker too.
"""

from __future__ import annotations

import hashlib
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numerics.differences.model import error_model, measured_error, thinned, values
from theory.base.errors import InputError
from theory.base.exact import rational
from theory.base.files import MARK, write
from theory.operators.operator import StencilChoice

if TYPE_CHECKING:
    from numerics.differences.search import Advice, ArithmeticAdvice, StencilAdvice

SUFFIXES = (".svg", ".pdf", ".png")
_STYLES: list[dict[str, Any]] = [
    {"color": "#0072b2", "linestyle": "-"},
    {"color": "#d55e00", "linestyle": "--"},
    {"color": "#009e73", "linestyle": "-."},
    {"color": "#cc79a7", "linestyle": ":"},
    {"color": "#56b4e9", "linestyle": (0, (5, 1, 1, 1, 1, 1))},
]
_MARKERS = "osD^v"


def check_figure(path: Path) -> None:
    """Refuses, before anything is computed, a figure that cannot be written.

    Raises:
        InputError: another suffix, or no such folder.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"--figure: {path.name!r}; allowed: a name that ends in {', '.join(SUFFIXES)}")
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"--figure: {path}: {'is a folder' if path.is_dir() else 'no such folder'}")


def choice_of(found: StencilAdvice) -> StencilChoice:
    """The stencil of an advice."""
    if "offsets" in found.choice:
        return StencilChoice(offsets=tuple(rational(s) for s in found.choice["offsets"]))
    return StencilChoice(found.choice["stencil"], found.choice["order"])


def draw(advice: Advice, path: Path, *, force: bool = False) -> None:
    """Writes the figure: lines are the model, dots are measured, the ring is the given step, the crosses are h*.

    Raises:
        InputError: as :func:`check_figure`, or the file cannot be written.
    """
    check_figure(path)
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(
        {"font.size": 9, "svg.fonttype": "path", "svg.hashsalt": "adfd", "axes.grid": True, "grid.alpha": 0.3}
    ):
        figure = Figure(figsize=(9, 4))
        figure.subplots_adjust(left=0.085, right=0.985, bottom=0.26, top=0.92, wspace=0.05)  # constrained: 3 x the time
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, len(advice.arithmetics), sharey=True)
        for axes, found in zip(panels, advice.arithmetics, strict=True):
            _panel(axes, advice, found)
        panels[0].set_ylabel("rms error of an entry over rms of A_AD")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
        kind = path.suffix[1:]
        save = partial(figure.savefig, format=kind, dpi=160, metadata=metadata(kind))
        write(path, save, option="--figure", force=force)


def metadata(kind: str) -> dict[str, Any]:
    """The mark, and no date."""
    if kind == "png":
        return {"Software": MARK}
    return {"Creator": MARK, "Date" if kind == "svg" else "CreationDate": None}


def panels(advice: Advice) -> list[str]:
    """The same as SVG elements, one an arithmetic."""
    from proofs_check.report.figures.style import svg

    made = []
    for k, found in enumerate(advice.arithmetics):

        def panel(axes: Any, found: ArithmeticAdvice = found, last: bool = k > 0) -> None:
            _panel(axes, advice, found)
            axes.set_ylabel("relative error")
            if last:
                axes.legend(loc="best", fontsize=6)

        name = "advice" + hashlib.sha256(f"{advice.problem}{found.arithmetic}".encode()).hexdigest()[:10]
        told = f"Error of an entry against h in {found.arithmetic}; least {found.own.best.error if found.own.best else 'none'}."
        made.append(str(svg(name, f"Error against h in {found.arithmetic}", told, panel)))
    return made


def curves(advice: Advice, found: ArithmeticAdvice, points: int = 161) -> dict[str, tuple[Any, Any]]:
    """For each stencil with a model: steps, and the model's error over the scale."""
    given = values(thinned(advice.problem))
    steps = np.geomspace(*_range(advice), points)
    lines = {}
    for s in found.stencils:
        if s.here is not None:
            model = error_model(given, choice_of(s), found.arithmetic)
            lines[s.label] = steps, np.array([model.error(h) for h in steps]) / advice.scale
    return lines


def _range(advice: Advice) -> tuple[float, float]:
    known = [s.step for a in advice.arithmetics for s in a.stencils if s.step] + [float(advice.problem.h)]
    return min(known) / 10, min(max(known) * 10, 1.0) if max(known) < 1 else max(known) * 2


def _panel(axes: Any, advice: Advice, found: ArithmeticAdvice) -> None:
    from matplotlib.ticker import NullLocator

    lines = curves(advice, found)
    for k, s in enumerate(found.stencils):
        style = _STYLES[k % len(_STYLES)]
        label = s.label + (" (given)" if s.own else "")
        if s.label in lines:
            axes.plot(*lines[s.label], label=label, linewidth=1.3, **style)
        if s.step is not None and s.best is not None:
            mark = _MARKERS[k % len(_MARKERS)]
            axes.plot([s.step], [s.best.error / advice.scale], mark, color=style["color"], markersize=5)
    study = thinned(advice.problem)
    low, high = _range(advice)
    steps = [2.0**k for k in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]
    dots = [(h, _measured(study, found.arithmetic, h) / advice.scale) for h in steps]
    axes.plot(*zip(*dots, strict=True), ".", color="#17181a", markersize=3, label="measured, given stencil")
    here = float(advice.problem.h)
    axes.plot(
        [here],
        [found.measured / advice.scale],
        "o",
        color="#17181a",
        fillstyle="none",
        markersize=9,
        label="given step",
    )
    shown = [y for _, ys in lines.values() for y in ys if y > 0] + [y for _, y in dots if y > 0]
    axes.set(xscale="log", yscale="log", xlabel="h", title=found.arithmetic)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    if shown:
        axes.set_ylim(min(shown) / 3, min(max(shown) * 3, 1e3))


def _measured(problem: Any, arithmetic: str, h: float) -> float:
    try:
        return measured_error(problem, arithmetic, h)
    except InputError:
        return math.nan
