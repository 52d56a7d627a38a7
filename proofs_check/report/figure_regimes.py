"""The regime maps: where in step, weight scale and arithmetic S2 and S3 hold, and where they are predicted to."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from proofs_check.report.drawing import AD, FD, INK, svg
from proofs_check.report.looks import Figure, activation_text, finish
from proofs_check.report.mathml import to_html
from proofs_check.report.records import RegimeMap, RegimePoint
from proofs_check.report.wording import ARITHMETIC_WORDS, listed

STATEMENTS = {
    "small_larger": "S2 (every small singular value of FD is larger)",
    "entropy_order": "S3 (AD has at least FD's entropy)",
}
"""Field of a point to the statement it counts."""
PREDICTED = {"small_larger": "small_predicted", "entropy_order": "entropy_predicted"}


def regimes(maps: Sequence[RegimeMap]) -> Figure:
    """Two rows of panels, S2 and S3; a column for each arithmetic."""
    panels: list[Markup] = []
    for field in STATEMENTS:
        for found in maps:
            index = len(panels)
            panels.append(
                svg(
                    f"f5-{index}",
                    f"{STATEMENTS[field]} over step and weight scale, {found.arithmetic}",
                    _described(found, field),
                    partial(_draw, found=found, field=field, index=index),
                )
            )
    commands = [f"adfd verify {claim}" for claim in ("regimes.small-values", "regimes.entropy-order")]
    return Figure("figure-regimes", "Where S2 and S3 hold", panels, len(maps), _caption(maps), {}, commands)


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


def _described(found: RegimeMap, field: str) -> str:
    holds = sum(_count(p, field) for p in found.points)
    return f"It holds in {holds} of {sum(p.draws for p in found.points)} problems."


def _caption(maps: Sequence[RegimeMap]) -> Markup:
    counted = []
    for field, statement in STATEMENTS.items():
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
