"""The report's figures: panels drawn from ``figures.json``, with captions that stand alone.

What a caption says of an outcome is counted from the numbers shown, never written in advance.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from numerics.runs.sweep import forked_pool
from proofs_check.report.figures.maps import phases, regimes
from proofs_check.report.figures.spectra import entropy, spectra
from proofs_check.report.figures.style import Figure
from proofs_check.report.figures.training import bounds, training
from proofs_check.report.records import Figures

Drawing = Callable[[], Figure | None]
FEW = 4
"""So many figures are drawn in this process."""


def drawings(figures: Figures) -> list[Drawing]:
    """What draws every figure that has numbers, in the order of the page."""
    made: list[Drawing] = []
    if figures.spectra:
        made.append(partial(spectra, figures.spectra))
    if figures.entropy:
        made.append(partial(entropy, figures.entropy))
    if figures.regimes and all(found.points for found in figures.regimes):
        made.append(partial(regimes, figures.regimes))
    for across in ("size", "step", "pairs", "speeds"):
        if any(m.across == across for m in figures.phases):
            made.append(partial(phases, figures.phases, across))
    if figures.training or figures.networks:
        made.append(partial(training, figures.training, figures.networks))
    return made + [partial(bounds, found) for found in figures.bounds if found.points]


def draw(made: list[Drawing]) -> list[Figure]:
    """The figures, without those that turn out empty; in processes of their own where there are processors for them."""
    pool: AbstractContextManager[Executor | None] = nullcontext()
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if processors > 1 and len(made) > FEW:
        pool = forked_pool(processors)
    with pool as executor:
        if executor is None:
            drawn = [one() for one in made]
        else:
            waiting: list[Future[Figure | None]] = [executor.submit(one) for one in made]
            drawn = [one.result() for one in waiting]
    return [figure for figure in drawn if figure is not None]
