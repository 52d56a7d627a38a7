"""Floating-point spectra of many draws of the features of one problem.

The draws are those of the problem file with another ``seed``, and the singular values those of
:func:`numerics.spectra.spectrum`: LAPACK's (``gesdd``, in float64) of the stored matrix.  Points, differences and
everything else that the draws share are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from numerics import sweep_grid
from numerics.matrices import float_matrix
from numerics.problem import Arithmetic, Problem
from numerics.spectra import UNIT_ROUNDOFF
from numerics.sweep_matrices import FloatSpectra, Workbench
from numerics.sweep_plan import Plan
from theory.errors import InputError


@dataclass(frozen=True)
class DrawnSpectra:
    """Singular values, descending, one draw a row.

    Attributes:
        ad: of the stored A_AD, shape (draws, n).
        fd: of the stored A_FD.
        entry_error: typical size τ of the rounding error of an entry of A_FD, by draw (:mod:`numerics.floor`).
        spread: √N + √M, which makes it the floor.
    """

    ad: Float[np.ndarray, "draws n"]
    fd: Float[np.ndarray, "draws n"]
    entry_error: Float[np.ndarray, " draws"]
    spread: float


Tell = Callable[[int, int], None]
"""Called with how many draws are done, and of how many."""


def float_draws(
    template: Problem, seeds: range, arithmetic: Arithmetic, tell: Tell = lambda done, total: None
) -> DrawnSpectra:
    """Spectra of A_AD and A_FD in ``float32`` or ``float64`` for each seed; ``tell`` is told of every draw.

    Raises:
        InputError: exact arithmetic, features that are given and not drawn, or an entry that is not finite.
    """
    return drawn_over_steps(template, seeds, arithmetic, template.step[:1], tell)[0]


def drawn_over_steps(
    template: Problem,
    seeds: range,
    arithmetic: Arithmetic,
    steps: Sequence[Fraction],
    tell: Tell = lambda done, total: None,
) -> list[DrawnSpectra]:
    """:func:`float_draws` for each of several steps h; A_AD does not depend on it and is decomposed once a draw.

    Raises:
        InputError: as :func:`float_draws`.
    """
    if arithmetic == "exact":
        raise InputError("arithmetic: exact spectra are computed one by one; allowed: float32, float64")
    if isinstance(template.weights, tuple) or isinstance(template.biases, tuple):
        raise InputError("features: the weights and biases are given; give laws, of which there are draws")
    table = template.to_dict()
    table["sweep"] = {
        "features.seed": {"range": [seeds.start, seeds.stop]},
        "arithmetic": [arithmetic],
        "difference.step": [[str(h)] for h in steps] if len(template.step) == 1 else [[str(h) for h in template.step]],
    }
    sweep = sweep_grid.from_table(table)
    bench = Workbench(Plan(sweep))
    found: list[list[FloatSpectra]] = [[] for _ in range(len(steps))]
    for position in range(sweep.total):
        index = sweep.indices(position)[2]
        found[index].append(bench.float_spectra(position))
        tell(position + 1, sweep.total)
    return [_stacked(one) for one in found]


def _stacked(found: Sequence[FloatSpectra]) -> DrawnSpectra:
    return DrawnSpectra(
        np.stack([one.ad for one in found]),
        np.stack([one.fd for one in found]),
        np.array([one.entry_error for one in found]),
        found[0].spread,
    )


def own_entry_error(tried: Sequence[Problem], arithmetic: Arithmetic) -> float:
    """Typical size of the rounding errors of the entries of A_AD itself: the root mean square over some draws.

    Measured in float32 against float64; in float64 the same times the quotient of the unit round-offs.
    """
    squares = []
    for one in tried:
        squares.append(float(np.mean((float_matrix(one, "ad", "float32") - float_matrix(one, "ad", "float64")) ** 2)))
    return float(np.sqrt(np.mean(squares)) * float(UNIT_ROUNDOFF[arithmetic] / UNIT_ROUNDOFF["float32"]))


def own_floor(drawn: DrawnSpectra, noise: float) -> Float[np.ndarray, " draws"]:
    """Where the singular values of A_AD itself are noise, by draw: of its entries, or of LAPACK's float64 (u σ_1)."""
    return np.asarray(np.maximum(noise, float(UNIT_ROUNDOFF["float64"]) * drawn.ad[:, 0]))
