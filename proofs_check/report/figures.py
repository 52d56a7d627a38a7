"""The report's figures: panels drawn from ``figures.json``, with captions that stand alone.

What a caption says of an outcome is counted from the numbers shown, never written in advance.
"""

from __future__ import annotations

from proofs_check.report.figure_bounds import bounds
from proofs_check.report.figure_entropy import entropy
from proofs_check.report.figure_phases import phases
from proofs_check.report.figure_regimes import regimes
from proofs_check.report.figure_spectra import spectra
from proofs_check.report.figure_training import training
from proofs_check.report.looks import Figure
from proofs_check.report.records import Figures


def draw_figures(figures: Figures) -> list[Figure]:
    """Every figure that has numbers, in the order of the page."""
    made = []
    if figures.spectra:
        made.append(spectra(figures.spectra))
    if figures.entropy:
        made.append(entropy(figures.entropy))
    if figures.regimes and all(found.points for found in figures.regimes):
        made.append(regimes(figures.regimes))
    made += [
        phases(figures.phases, across) for across in ("size", "step") if any(m.across == across for m in figures.phases)
    ]
    if figures.training or figures.networks:
        made.append(training(figures.training, figures.networks))
    made += [bounds(found) for found in figures.bounds if found.points]
    return made
