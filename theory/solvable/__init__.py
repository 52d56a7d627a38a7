"""Exactly solvable kernels: AD and FD eigenvalues, entropies with proof, the sign of the entropy gap (ours).

Each model is a :class:`~theory.solvable.model.SolvableSpectrum`: ``ad_eigenvalues(count)``,
``fd_eigenvalues(count, h)``, ``entropy(method, h, power=…, rank=…)``, ``gap(h)`` and ``gap_sign(h)``; all
numbers are :class:`~theory.base.enclosure.Enclosure`, two exact rationals around the number meant.
"""

from __future__ import annotations

from theory.solvable.circle import Circle, Frequencies, frequencies, geometric_frequencies, uniform_frequencies
from theory.solvable.hermite import HermiteDiagonal, Mehler
from theory.solvable.model import GapSign, SolvableSpectrum
from theory.solvable.prolate import Prolate
from theory.solvable.truncated import TruncatedGap, truncated_entropy, truncated_gap

__all__ = [
    "Circle",
    "Frequencies",
    "GapSign",
    "HermiteDiagonal",
    "Mehler",
    "Prolate",
    "SolvableSpectrum",
    "TruncatedGap",
    "frequencies",
    "geometric_frequencies",
    "truncated_entropy",
    "truncated_gap",
    "uniform_frequencies",
]
