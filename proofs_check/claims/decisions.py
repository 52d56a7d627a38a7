"""From samples to decisions: intervals against bounds, and rank correlations.

A statement about a population holds when the whole interval of its estimate lies beyond the bound, is reversed when the
whole interval lies beyond the opposite bound, is neither (``mixed``) when the interval excludes both, and is open
otherwise: not to find an effect refutes nothing. The intervals of a claim's cells are simultaneous (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from proofs_check.findings import CONFIDENCE as SIMULTANEOUS
from proofs_check.findings import Finding

Column = tuple[float | None, ...]
"""One number a seed; None where there is none."""

CONFIDENCE = 0.99
"""Of an interval that decides alone."""
LEVEL = 0.05
"""An adjusted p-value under it is needed for support, beside the interval."""
PERMUTATIONS = 2000
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


def each_of(facts: int) -> float:
    """The confidence of one interval, so that ``facts`` of them are right at once with 95 % (Bonferroni).

    >>> round(each_of(10), 6)
    0.995
    """
    return 1 - (1 - SIMULTANEOUS) / max(1, facts)


def finding(interval: tuple[float, float], bound: float) -> Finding:
    """What is shown of a number that is said to be at most ``−bound``; reversed: it is at least ``bound``.

    >>> [str(finding(i, 1)) for i in ((-3, -1), (2, 3), (-0.5, 0.9), (-2, 0))]
    ['holds', 'reversed', 'mixed', 'open']
    """
    low, high = interval
    if high <= -bound:
        return Finding.HOLDS
    if low >= bound:
        return Finding.REVERSED
    return Finding.MIXED if -bound < low and high < bound else Finding.OPEN


def mean_interval(values: Float[np.ndarray, " n"], confidence: float) -> tuple[float, float]:
    """Student's interval of a mean.

    >>> low, high = mean_interval(np.array([1.0, 2.0, 3.0]), 0.95)
    >>> round(low, 2), round(high, 2)
    (-0.48, 4.48)
    """
    from scipy.special import stdtrit

    mean, spread = float(values.mean()), float(values.std(ddof=1))
    reach = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * spread / math.sqrt(len(values))
    return mean - reach, mean + reach


@dataclass(frozen=True)
class Correlation:
    """Spearman's ρ of a predictor and an outcome.

    Attributes:
        name: of the predictor.
        pairs: complete pairs, one a seed.
        rho: the estimate; None where one of the two does not vary, or pairs are too few.
        interval: at the confidence that was asked for.
        adjusted: two-sided permutation p-value after Holm's correction over all predictors of the sample; 1 without
            an estimate.
    """

    name: str
    pairs: int
    rho: float | None
    interval: tuple[float, float]
    adjusted: float


def rank_interval(rho: float, pairs: int, confidence: float = CONFIDENCE, given: int = 0) -> tuple[float, float]:
    """Interval of Spearman's ρ through Fisher's z with the variance ``(1 + ρ²/2)/(n − 3 − g)``, g variables held fixed.

    Source: Bonett and Wright, Psychometrika 65 (2000) 23-28; Fisher, Metron 3 (1924) 329-332, for partial ones.

    >>> low, high = rank_interval(0.5, 100, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.326, 0.641)
    """
    from scipy.special import ndtri

    if abs(rho) >= 1:
        return (rho, rho)
    centre = math.atanh(rho)
    reach = float(ndtri((1 + confidence) / 2)) * math.sqrt((1 + rho**2 / 2) / (pairs - 3 - given))
    return math.tanh(centre - reach), math.tanh(centre + reach)


@lru_cache(maxsize=1024)
def _ranked(
    columns: tuple[tuple[str, Column], ...], outcome: Column, given: Column | None, confidence: float
) -> dict[str, Correlation]:
    from numerics.training.statistics import holm

    raw = {name: _correlate(column, outcome, given) for name, column in columns}
    adjusted = holm([p for *_, p in raw.values()])
    fixed = 0 if given is None else 1
    return {
        name: Correlation(
            name, pairs, rho, (-1.0, 1.0) if rho is None else rank_interval(rho, pairs, confidence, fixed), q
        )
        for (name, (pairs, rho, _)), q in zip(raw.items(), adjusted, strict=True)
    }


def rank_correlations(
    predictors: Mapping[str, Column],
    outcome: Column,
    given: Column | None = None,
    confidence: float = CONFIDENCE,
) -> dict[str, Correlation]:
    """Spearman's ρ of every predictor with the outcome over the pairs where both exist; the same for the same data.

    The interval is in closed form: a bootstrap has too few samples in the tails that simultaneous intervals need.

    Args:
        given: a variable that is held fixed: ρ is then the partial rank correlation.
    """
    return dict(_ranked(tuple(predictors.items()), outcome, given, confidence))


def ranks(values: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "k n"]:
    """Ranks within each row from 1, ties sharing their mean: how many are smaller, and half of those as large.

    What ``scipy.stats.rankdata`` returns, for rows of a sample's size; importing its module would take a second.

    >>> ranks(np.array([[30.0, 10, 20, 20]])).tolist()
    [[4.0, 1.0, 2.5, 2.5]]
    """
    one, other = values[:, :, None], values[:, None, :]
    return np.asarray((other < one).sum(-1) + ((other == one).sum(-1) + 1) / 2)


def _correlate(column: Column, outcome: Column, given: Column | None) -> tuple[int, float | None, float]:
    """Pairs, ρ, and its permutation p-value (the observed order counted, so that it is never 0)."""
    rows = list(zip(column, outcome, *([] if given is None else [given]), strict=True))
    table = np.array([row for row in rows if None not in row], dtype=float)
    if len(table) < LEAST_PAIRS:
        return len(table), None, 1.0
    x, y, *fixed = ranks(table.T) - (len(table) + 1) / 2
    full = math.sqrt(float((x**2).sum() * (y**2).sum()))
    if fixed and (size := float(fixed[0] @ fixed[0])):
        x, y = (v - float(v @ fixed[0]) / size * fixed[0] for v in (x, y))
    scale = math.sqrt(float((x**2).sum() * (y**2).sum()))
    if scale <= 1e-12 * full:  # constant, or a function of what is held fixed
        return len(table), None, 1.0
    rho = float(x @ y) / scale
    extreme = int((np.abs(y[_orders(len(table))] @ x) >= (abs(rho) - 1e-12) * scale).sum())
    return len(table), rho, (1 + extreme) / (1 + PERMUTATIONS)


@lru_cache(maxsize=8)
def _orders(count: int) -> Int[np.ndarray, "p n"]:
    """Random orders of so many things, the same at every call."""
    return np.random.default_rng(0).permuted(np.tile(np.arange(count), (PERMUTATIONS, 1)), axis=1)
