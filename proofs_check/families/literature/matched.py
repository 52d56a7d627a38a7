"""What the sampled claims of this family share: both sides of a comparison come from one draw, and their ratio decides.

A claim says that a ratio exceeds a factor; a cell reports the median of the ratio over its draws beside the count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.matrices.assemble import float_matrix
from numerics.problem.problem import Method, Problem
from proofs_check.claims.claim import TYPICAL, stated
from proofs_check.claims.verdicts import CONFIDENCE, Outcome

Measure = Callable[[Sequence[Outcome]], tuple[str, Mapping[str, Any]]]


def exceeds(value: float, factor: float, told: str, *, flip: bool = False, **data: Any) -> Outcome:
    """Whether a ratio exceeds a factor; with ``flip``, of a mutant, whether it is below 1.

    >>> exceeds(12.0, 10.0, "").holds, exceeds(10.0, 10.0, "").holds, exceeds(12.0, 10.0, "", flip=True).holds
    (True, False, False)
    """
    holds = value < 1 if flip else value > factor
    margin = math.log(value / factor) if 0 < value < math.inf else None
    return Outcome(bool(holds), told, margin=margin, data={"ratio": value} | data)


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Order statistics between which the median lies: those of rank k and n + 1 − k, k the largest that suffices.

    Fewer than six values give their range, which is an interval at less than 95 %.  Source: David and Nagaraja, Order
    Statistics, 2003, section 7.1.

    >>> median_interval(range(1, 33))
    (10, 23)
    """
    ordered, n = sorted(values), len(values)
    below, k = 0, 0
    while k < (n - 1) // 2 and 2 * (below + math.comb(n, k)) <= (1 - confidence) * 2**n:
        below += math.comb(n, k)
        k += 1
    place = max(k - 1, 0)
    return ordered[place], ordered[n - 1 - place]


def median_of(name: str) -> Measure:
    """What is reported of a number over the draws: its median, with the interval."""

    def measure(outcomes: Sequence[Outcome]) -> tuple[str, Mapping[str, Any]]:
        values = sorted(o.data[name] for o in outcomes)
        middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
        low, high = median_interval(values)
        words = f"; {name}: median {middle:.3g} [{low:.3g}, {high:.3g}] at {CONFIDENCE:.0%}"
        return words, {name: {"median": middle, "interval": [low, high], "confidence": CONFIDENCE}}

    return measure


ratios = median_of("ratio")
BLOCK = 48
"""Draws that are made together."""


@lru_cache(maxsize=128)
def _block(posed: Problem, method: Method, block: int) -> Float[np.ndarray, "draws n M"]:
    together = float_matrix(posed.with_(seed=block, count=BLOCK * posed.count), method, "float64")
    return together.reshape(len(together), BLOCK, posed.count).swapaxes(0, 1)


def drawn_matrix(posed: Problem, method: Method, draw: int) -> Float[np.ndarray, "n M"]:
    """A of one of the independent draws of a problem's features, in float64: features k M to (k + 1) M − 1 of a seed.

    Forty-eight draws are made as one long one, of which each takes its share.
    """
    return np.asarray(_block(posed, method, draw // BLOCK)[draw % BLOCK])


sampled = partial(stated, family="literature", kind="sampled", quantifier=TYPICAL, measure=ratios)
"""A claim about the ratio of two numbers from one draw, said of nine draws in ten."""
