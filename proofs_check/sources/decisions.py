"""From samples to decisions: intervals against bounds, rank correlations, and what a cell reports beside its finding.

A statement about a population holds when the whole interval of its estimate lies beyond the bound, is reversed when the
whole interval lies beyond the opposite bound, is neither (``mixed``) when the interval excludes both, and is open
otherwise: not to find an effect refutes nothing. The intervals of a claim's cells are simultaneous (Bonferroni).

``mechanism`` names what decides a cell of S1, S2 or S3 in floating point, from medians over its draws:

* ``floor``: the predicted round-off of A_FD is larger than singular values of A_AD that the statement is about (S1: among
  the r_AD large ones; S2: all those behind n/2; S3: among the r_AD counted ones);
* ``noise counted``: noise raises the cut-off number of FD over AD's (S3);
* ``truncation``: neither, so that the difference is that of exact arithmetic.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from proofs_check.claims.verdicts import CONFIDENCE as SIMULTANEOUS
from proofs_check.claims.verdicts import Finding, Outcome

Measured = tuple[str, Mapping[str, Any]]
TIE_IN_SIZE = 1e-3
"""Relative gaps of entropies below this are a tie in size, whatever their sign."""
APART = 2
"""Cut-off numbers of FD and AD differ when the median of FD's is larger by at least so many."""


def _column(outcomes: Sequence[Outcome], name: str) -> list[float]:
    return [o.data[name] for o in outcomes if name in o.data]


def _median(values: Sequence[float]) -> float:
    return float(statistics.median(values))


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": _median(values), "low": min(values), "high": max(values)}


def leading_values(outcomes: Sequence[Outcome]) -> Measured:
    """S1: the largest relative differences, and whether the counted values reach the noise."""
    worst = _spread(_column(outcomes, "apart"))
    data: dict[str, Any] = {"apart": worst}
    words = f"; largest relative difference {worst['median']:.1e} (median, {worst['low']:.1e} to {worst['high']:.1e})"
    return _with_noise(words, data, outcomes)


def small_values(outcomes: Sequence[Outcome]) -> Measured:
    """S2: at how many of the small indices FD's value is larger, and whether all lie behind the knee."""
    larger, of = _column(outcomes, "larger"), int(outcomes[0].data["of"])
    data: dict[str, Any] = {"larger": _spread(larger), "of": of}
    words = f"; larger at {_median(larger):g} of {of} indices (median, {min(larger):g} to {max(larger):g})"
    knees = _column(outcomes, "knee")
    if knees:
        data |= {"knee": _median(knees), "mechanism": "floor" if _median(knees) <= of else "truncation"}
        words += f"; predicted knee at {_median(knees):g}"
    return words, data


def entropy_gaps(outcomes: Sequence[Outcome]) -> Measured:
    """S3: the relative gap (H_AD − H_FD)/H_AD, the cut-off numbers, and whether they count noise."""
    gaps = _column(outcomes, "relative_gap")
    data: dict[str, Any] = {}
    words = ""
    if gaps:
        gap = _spread(gaps)
        tie = max(abs(gap["low"]), abs(gap["high"])) < TIE_IN_SIZE
        near = abs(gap["median"]) < TIE_IN_SIZE
        data = {"relative_gap": gap, "tie_in_size": tie}
        words = f"; relative gap {gap['median']:+.1e} (median, {gap['low']:+.1e} to {gap['high']:+.1e})"
        words += ": a tie in size" if tie else ": a tie in size by the median" if near else ""
    return _with_noise(words, data, outcomes)


def _with_noise(words: str, data: dict[str, Any], outcomes: Sequence[Outcome]) -> Measured:
    ad, fd = _column(outcomes, "cutoff_ad"), _column(outcomes, "cutoff_fd")
    data["cutoff"] = {"ad": _median(ad)} | ({"fd": _median(fd)} if fd else {})
    words += f"; r = {_median(ad):g}" + (f" (AD), {_median(fd):g} (FD)" if fd else "")
    knees, own = _column(outcomes, "knee"), _column(outcomes, "own_knee")
    if not knees:
        return words, data
    past = sum(r > k for r, k in zip(ad, own, strict=True))
    counted = bool(fd) and _median(fd) >= _median(ad) + APART
    mechanism = "noise counted" if counted else "floor" if _median(ad) > _median(knees) else "truncation"
    data |= {"knee": _median(knees), "own_knee": _median(own), "past_own_knee": past, "mechanism": mechanism}
    if 2 * past > len(outcomes):
        words += f"; noise of A_AD itself is judged (its knee at {_median(own):g})"
    elif counted:
        words += f"; FD's r counts round-off (knee at {_median(knees):g})"
    return words, data


Column = tuple[float | None, ...]
"""One number a seed; None where there is none."""

CONFIDENCE = 0.99
"""Of an interval that decides alone."""
LEVEL = 0.05
"""An adjusted p-value under it is needed for support, beside the interval."""
PERMUTATIONS = 2000
LEAST_PAIRS = 16
"""Fewer complete pairs decide nothing."""


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


def _correlate(column: Column, outcome: Column, given: Column | None) -> tuple[int, float | None, float]:
    """Pairs, ρ, and its permutation p-value (the observed order counted, so that it is never 0)."""
    from scipy.stats import rankdata

    rows = list(zip(column, outcome, *([] if given is None else [given]), strict=True))
    table = np.array([row for row in rows if None not in row], dtype=float)
    if len(table) < LEAST_PAIRS:
        return len(table), None, 1.0
    x, y, *fixed = rankdata(table.T, axis=1) - (len(table) + 1) / 2
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
