"""Numbers from the rows of a sweep: steps and weight scales as coordinates, medians over the rest, rank correlations."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from theory.base.errors import InputError
from theory.base.exact import rational
from theory.features.laws import Laplace, Normal, Student, Uniform, law

Row = dict[str, Any]
Value = Callable[[Row], float | None]

STEP, WEIGHTS, SEEDS = "difference.step", "features.weights", ("features.seed", "points.seed")
"""Keys of the rows: the step, the law of the weights, and what only repeats a cell."""
FIRST = ("entropy_gap", "entropy", "floor", "knee", "loss", "best_step", "least_error", "cutoff", "sigma_min")
"""Results that a correlation matrix shows first, by how their names begin."""
MAX_COLUMNS = 10
"""Most columns of a correlation matrix."""


def number(value: Any) -> float | None:
    """A finite number in a row, also one spelled as a rational; of a list the largest; else None."""
    if isinstance(value, str) and value.startswith("["):
        try:
            parts = [number(item) for item in json.loads(value)]
        except ValueError:
            return None
        known = [part for part in parts if part is not None]
        return max(known) if known and len(known) == len(parts) else None
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(rational(value)) if isinstance(value, str) else float(value)
    except (InputError, TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def scale(value: Any) -> tuple[str, float] | None:
    """Name and scale of a law of the weights: its standard deviation where it has one by name, else its width.

    >>> scale("normal(0, 2)"), scale("uniform(-3, 3)"), scale("{}")
    (('normal', 2.0), ('uniform', 3.0), None)
    """
    if not isinstance(value, str):
        return None
    try:
        found = law(value)
    except InputError:
        return None
    if isinstance(found, Normal):
        return found.name, float(found.std)
    if isinstance(found, Uniform):
        return found.name, float(found.high - found.low) / 2
    if isinstance(found, Laplace | Student):
        return found.name, float(found.scale)
    width = getattr(found, "scale", None)
    return None if width is None else (found.name, float(width))


def of_key(key: str) -> Value:
    """The coordinate that a swept key gives a row."""
    if key == WEIGHTS:
        return lambda row: None if (found := scale(row.get(key))) is None else found[1]
    return lambda row: number(row.get(key))


def swept(rows: Sequence[Row]) -> list[str]:
    """The dotted keys that take more than one numeric value; steps and weights first, seeds left out."""
    keys = dict.fromkeys(key for row in rows for key in row if "." in key and key not in SEEDS)
    found = [k for k in keys if len({v for row in rows if (v := of_key(k)(row)) is not None}) > 1]
    return sorted(found, key=lambda key: (key != STEP, key != WEIGHTS))


def named(key: str) -> str:
    """A swept key in words."""
    return {STEP: "step h", WEIGHTS: "scale of the weights"}.get(key, key.replace("_", " "))


@dataclass(frozen=True)
class Map:
    """Medians of a quantity over the cells that share their coordinates.

    Attributes:
        x, y: coordinates, ascending; y is empty where there is one axis only.
        medians: by (index of y, index of x); nan where no cell has the quantity.
        low, high: quartiles, of the same shape.
        least, most: how many cells a median is over.
    """

    x: list[float]
    y: list[float]
    medians: Float[np.ndarray, "m n"]
    low: Float[np.ndarray, "m n"]
    high: Float[np.ndarray, "m n"]
    least: int
    most: int


def medians(rows: Iterable[Row], quantity: Value, x: Value, y: Value | None) -> Map | None:
    """The map of a quantity; None where no row has it."""
    found: dict[tuple[float, float], list[float]] = defaultdict(list)
    for row in rows:
        value, first, second = quantity(row), x(row), y(row) if y else 0.0
        if value is not None and first is not None and second is not None:
            found[second, first].append(value)
    if not found:
        return None
    xs, ys = sorted({k[1] for k in found}), sorted({k[0] for k in found})
    parts = {name: np.full((len(ys), len(xs)), np.nan) for name in ("low", "middle", "high")}
    for (second, first), values in found.items():
        at = ys.index(second), xs.index(first)
        quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        for part, value in zip(parts.values(), quartiles, strict=True):
            part[at] = value
    sizes = [len(values) for values in found.values()]
    return Map(xs, ys if y else [], parts["middle"], parts["low"], parts["high"], min(sizes), max(sizes))


@dataclass(frozen=True)
class Ranks:
    """Spearman's rank correlations of some columns over the rows that have all of them.

    Attributes:
        names: of the columns.
        matrix: symmetric, 1 on the diagonal.
        count: rows.
    """

    names: list[str]
    matrix: Float[np.ndarray, "k k"]
    count: int


def spearman(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "k k"]:
    """Spearman's rank correlations of columns that are not constant; ties share their mean rank (Spearman, 1904).

    >>> spearman(np.array([[1.0, 10, 3], [2, 20, 2], [3, 20, 1]])).round(3).tolist()
    [[1.0, 0.866, -1.0], [0.866, 1.0, -0.866], [-1.0, -0.866, 1.0]]
    """
    from numerics.training import statistics as ranks  # of the ranks by scipy

    found: Float[np.ndarray, "k k"] = np.clip(ranks.spearman(values.T[:, None], values.T[None]), -1, 1)
    return found


def correlations(rows: Sequence[Row]) -> Ranks | None:
    """Spearman's matrix of what was swept and what came out, at most :data:`MAX_COLUMNS`; None with under 4 rows.

    A result that more than a fifth of the rows lack, or that never varies, is left out; so is one that repeats the
    ranks of another that is there already.
    """
    inputs = {named(key): of_key(key) for key in swept(rows)}
    present = dict.fromkeys(k for row in rows for k, v in row.items() if "." not in k and isinstance(v, int | float))
    names = sorted(present, key=lambda k: next((i for i, word in enumerate(FIRST) if k.startswith(word)), len(FIRST)))
    results = {name.replace("_", " "): of_key(name) for name in names if name not in {"status", "reason", "runs"}}
    columns: dict[str, list[float | None]] = {n: [of(row) for row in rows] for n, of in (inputs | results).items()}
    columns = {
        n: v
        for n, v in columns.items()
        if sum(x is not None for x in v) >= 0.8 * len(rows) and len(set(v) - {None}) > 1
    }
    kept = [row for row in range(len(rows)) if all(v[row] is not None for v in columns.values())]
    table = {n: np.array([v[row] for row in kept], dtype=float) for n, v in columns.items()}
    chosen: dict[str, Any] = {}
    for name, column in table.items():
        if len(kept) < 4 or len(np.unique(column)) < 2:
            continue
        again = (abs(spearman(np.column_stack([column, other]))[0, 1]) > 1 - 1e-9 for other in chosen.values())
        if not any(again):
            chosen[name] = column
    if len(chosen) < 2:
        return None
    first = list(chosen)[:MAX_COLUMNS]
    return Ranks(first, spearman(np.column_stack([chosen[n] for n in first])), len(kept))
