"""From samples to decisions: intervals against a bound in three-valued logic, and rank correlations.

A statement about a population holds when the whole interval of its estimate lies on the right side of the bound, fails
when the whole interval lies on the wrong side, and is undecided otherwise: not to find an effect refutes nothing, an
interval that excludes the effect does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Int

Column = tuple[float | None, ...]
"""One number a seed; None where there is none."""

CONFIDENCE = 0.99
"""Of every interval that decides."""
LEVEL = 0.05
"""An adjusted p-value under it is needed for support, beside the interval."""
PERMUTATIONS = 4000
LEAST_PAIRS = 16
"""Fewer complete pairs decide nothing."""


def at_most(interval: tuple[float, float], bound: float) -> bool | None:
    """Whether a number in the interval is ≤ ``bound``.

    >>> at_most((0, 1), 1), at_most((2, 3), 1), at_most((0, 2), 1)
    (True, False, None)
    """
    low, high = interval
    if high <= bound:
        return True
    return False if low > bound else None


def at_least(interval: tuple[float, float], bound: float) -> bool | None:
    """Whether a number in the interval is ≥ ``bound``."""
    return at_most((-interval[1], -interval[0]), -bound)


def within(interval: tuple[float, float], centre: float, reach: float) -> bool | None:
    """Whether a number in the interval lies in ``centre ± reach``."""
    low, high = interval
    if centre - reach <= low and high <= centre + reach:
        return True
    return False if high < centre - reach or low > centre + reach else None


@dataclass(frozen=True)
class Correlation:
    """Spearman's ρ of a predictor and an outcome.

    Attributes:
        name: of the predictor.
        pairs: complete pairs, one a seed.
        rho: the estimate; None where one of the two does not vary, or pairs are too few.
        interval: at :data:`CONFIDENCE`.
        adjusted: two-sided permutation p-value after Holm's correction over all predictors of the sample; 1 without
            an estimate.
    """

    name: str
    pairs: int
    rho: float | None
    interval: tuple[float, float]
    adjusted: float


def rank_interval(rho: float, pairs: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of Spearman's ρ through Fisher's z with the variance ``(1 + ρ²/2)/(n − 3)``.

    Source: Bonett and Wright, Psychometrika 65 (2000) 23-28.

    >>> low, high = rank_interval(0.5, 100, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.326, 0.641)
    """
    from scipy.special import ndtri

    if abs(rho) >= 1:
        return (rho, rho)
    centre = math.atanh(rho)
    reach = float(ndtri((1 + confidence) / 2)) * math.sqrt((1 + rho**2 / 2) / (pairs - 3))
    return math.tanh(centre - reach), math.tanh(centre + reach)


@lru_cache(maxsize=1024)
def _ranked(columns: tuple[tuple[str, Column], ...], outcome: Column) -> dict[str, Correlation]:
    from numerics.training.statistics import holm

    raw = {name: _correlate(column, outcome) for name, column in columns}
    adjusted = holm([p for *_, p in raw.values()])
    return {
        name: Correlation(name, pairs, rho, (-1.0, 1.0) if rho is None else rank_interval(rho, pairs), q)
        for (name, (pairs, rho, _)), q in zip(raw.items(), adjusted, strict=True)
    }


def rank_correlations(predictors: Mapping[str, Column], outcome: Column) -> dict[str, Correlation]:
    """Spearman's ρ of every predictor with the outcome over the pairs where both exist; the same for the same data.

    As :func:`numerics.training.statistics.rank_predictors`, with an interval in closed form: a bootstrap has too few
    samples in the tails of 99 %, and a ledger has hundreds of samples.
    """
    return dict(_ranked(tuple(predictors.items()), outcome))


def _correlate(column: Column, outcome: Column) -> tuple[int, float | None, float]:
    """Pairs, ρ, and its permutation p-value (the observed order counted, so that it is never 0)."""
    from numerics.training.statistics import average_ranks

    both = [(a, b) for a, b in zip(column, outcome, strict=True) if a is not None and b is not None]
    if len(both) < LEAST_PAIRS:
        return len(both), None, 1.0
    x, y = (average_ranks(np.array(values)) - (len(both) + 1) / 2 for values in zip(*both, strict=True))
    scale = math.sqrt(float((x**2).sum() * (y**2).sum()))
    if scale == 0:
        return len(both), None, 1.0
    rho = float(x @ y) / scale
    extreme = int((np.abs(y[_orders(len(both))] @ x) >= (abs(rho) - 1e-12) * scale).sum())
    return len(both), rho, (1 + extreme) / (1 + PERMUTATIONS)


@lru_cache(maxsize=8)
def _orders(count: int) -> Int[np.ndarray, "p n"]:
    """Random orders of so many things, the same at every call."""
    return np.random.default_rng(0).permuted(np.tile(np.arange(count), (PERMUTATIONS, 1)), axis=1)
