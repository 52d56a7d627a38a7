"""Honest statistics of paired runs: effect sizes with intervals, rank correlations, multiple testing.

Everything is deterministic: the resampling has its own seed. Reported together, never a p-value alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from theory.base.errors import InputError

RESAMPLES = 2000
"""Bootstrap samples."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its percentile bootstrap interval (Efron & Tibshirani, 1993, chapter 13)."""

    estimate: float
    lower: float
    upper: float
    confidence: float

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper


@dataclass(frozen=True)
class PairedComparison:
    """Two treatments of the same seeds: ``difference = first − second``.

    Attributes:
        pairs: number of pairs used;  dropped: pairs with a value that is missing or not finite.
        mean: mean difference with its interval.
        effect: Cohen's ``d_z``, the mean difference over its standard deviation (0 if all differences are 0).
        smaller: fraction of pairs in which the first is smaller, ties counted half (common-language effect size).
        p_value: of :func:`signed_rank`; 1 if all differences are 0.
    """

    pairs: int
    dropped: int
    mean: Interval
    effect: float
    smaller: float
    p_value: float


def bootstrap(
    values: Float[np.ndarray, " n"], confidence: float = 0.95, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The mean with its percentile interval.

    Raises:
        InputError: no values, or a confidence outside (0, 1).
    """
    if len(values) == 0:
        raise InputError("statistics: no values to average")
    _confidence(confidence)
    generator = np.random.default_rng(seed)
    means = values[generator.integers(0, len(values), (resamples, len(values)))].mean(1)
    lower, upper = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(values.mean()), float(lower), float(upper), confidence)


def _confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise InputError(f"confidence: {confidence}; allowed: between 0 and 1")


EXACT_PAIRS = 50
"""Up to so many pairs the signed-rank test counts all signs."""


def signed_rank(differences: Float[np.ndarray, " n"]) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test (1945), zeros dropped; 1 if all are 0.

    Exact for up to 50 differences without zeros and ties, else by the normal law with the variance corrected for ties.

    >>> signed_rank(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    0.0625
    """
    from scipy.stats import wilcoxon

    size = np.abs(differences)
    if not size.any():
        return 1.0
    counted = len(size) <= EXACT_PAIRS and size.all() and len(np.unique(size)) == len(size)
    return float(wilcoxon(differences, method="exact" if counted else "approx").pvalue)


def compare(
    first: Sequence[float | None],
    second: Sequence[float | None],
    *,
    logarithmic: bool = False,
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedComparison:
    """Compare two treatments seed by seed.

    Args:
        first, second: one value a seed, in the same order; ``None`` where a run diverged.
        logarithmic: compare natural logarithms (losses span orders of magnitude); zeros are then dropped.

    Raises:
        InputError: different lengths, or no pair left.

    >>> compare([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], logarithmic=True).smaller
    1.0
    """
    if len(first) != len(second):
        raise InputError(f"statistics: {len(first)} and {len(second)} values; pairs are needed")
    a = np.array([np.nan if v is None else v for v in first], dtype=float)
    b = np.array([np.nan if v is None else v for v in second], dtype=float)
    if logarithmic:
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = np.log(a), np.log(b)
    good = np.isfinite(a) & np.isfinite(b)
    difference = (a - b)[good]
    if len(difference) == 0:
        raise InputError("statistics: no pair of finite values")
    mean = bootstrap(difference, confidence, seed)
    spread = float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
    # Equal differences have no spread beyond rounding: the effect is then infinite, not huge.
    constant = spread <= 1e-14 * float(np.abs(difference).max())
    effect = mean.estimate / spread if not constant else float(np.copysign(np.inf, mean.estimate))
    if not difference.any():
        return PairedComparison(len(difference), int((~good).sum()), mean, 0.0, 0.5, 1.0)
    smaller = float(((difference < 0) + 0.5 * (difference == 0)).mean())
    p_value = signed_rank(difference)
    return PairedComparison(len(difference), int((~good).sum()), mean, effect, smaller, p_value)


def spearman(x: Float[np.ndarray, "*b n"], y: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b"]:
    """Spearman's ρ of the last axes, many pairs at once: Pearson's of scipy's ranks; NaN where one does not vary.

    >>> round(float(spearman(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 4, 3]))), 6)
    0.8
    """
    from scipy.stats import rankdata

    a, b = rankdata(x, axis=-1), rankdata(y, axis=-1)
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    scale = np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(scale > 0, (a * b).sum(-1) / scale, np.nan))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment (1979), which controls the chance of any false rejection.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise InputError("p-values: each must lie in 0..1")
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for position, k in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - position) * p_values[k]))
        adjusted[k] = running
    return tuple(adjusted)


def loglog_slope(
    sizes: Sequence[float],
    values: Float[np.ndarray, "sizes seeds"],
    *,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """The slope of the mean of ``log values`` against ``log size``, its interval by resampling the seeds of each size.

    Raises:
        InputError: fewer than two sizes, a shape that does not fit, or values that are not positive.

    >>> loglog_slope([1, 2, 4], np.array([[1.0, 1.0], [0.5, 0.5], [0.25, 0.25]])).estimate
    -1.0
    """
    values = np.asarray(values, dtype=float)
    if len(sizes) < 2 or values.ndim != 2 or len(values) != len(sizes) or values.shape[1] == 0:
        raise InputError(f"slope: {len(sizes)} sizes and values of shape {values.shape}; allowed: (sizes ≥ 2, seeds)")
    if not (np.isfinite(values).all() and (values > 0).all() and min(sizes) > 0):
        raise InputError("slope: sizes and values must be positive and finite")
    _confidence(confidence)
    x = np.log(np.asarray(sizes, dtype=float))
    x = x - x.mean()

    logs = np.log(values)

    def slope(means: Float[np.ndarray, "*b sizes"]) -> Float[np.ndarray, "*b"]:
        return np.asarray((means * x).sum(-1) / (x**2).sum())

    generator = np.random.default_rng(seed)
    columns = generator.integers(0, values.shape[1], (resamples, *values.shape))
    means = np.take_along_axis(logs[None], columns, axis=2).mean(2)
    lower, upper = np.quantile(slope(means), [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(slope(logs.mean(1))), float(lower), float(upper), confidence)
