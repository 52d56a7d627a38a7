"""The step of least error by measuring alone, between the spacing of the coordinates and the extent of the points.

Two kinds of steps differ where coordinates carry an offset.  On [1000, 1001] neighbouring numbers of float32 are 6e-5
apart: ``x + h`` is stored exactly when h is a power of two above that, and is wrong by up to half a spacing for nearly
every other h, which alone makes an error of about ``|u'| · spacing / h`` in u_x.  So powers of two *and* steps between
them are measured, and a range is called good only if every step tried in it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

NEAR = 2.0
"""A step is called good while its error is at most this times the least."""
WITHIN = 0.85
"""Of that, for the steps that were tried: the ones between them scatter."""
PER_OCTAVE = 8
"""Steps tried between neighbouring powers of two around the best."""
PROBES, ROUNDS = 24, 8
"""So many more steps are tried in a good range; if it shrinks in every round, only the best step itself is good."""
NARROW = 1.1
"""So is it where the range is no wider than this ratio."""
EDGE = 1.25
"""A best step is an optimum if beyond it, both ways, the error was seen to rise to at least this many times the least."""
UNUSABLE = 0.2
"""An error of this part of what is differenced, or more, leaves nothing to train with."""
RISEN, PATIENCE = 8.0, 5
"""A walk ends where the error is this many times the least, or after this many steps without a lesser one."""
LOOSE = 1.5
"""A good range narrower than this ratio is told together with one that holds for any step."""


def rms(entries: Float[np.ndarray, ...]) -> float:
    """Root mean square, without overflow on the way."""
    top = float(np.max(np.abs(entries), initial=0.0))
    if not 0 < top < math.inf:
        return top
    return top * float(np.sqrt(np.mean((entries / top) ** 2)))


def spacing(largest: float, epsilon: float) -> float:
    """The distance between neighbouring floating-point numbers around ``largest``, for a machine epsilon (2u).

    >>> spacing(1000.5, 2.0**-23) == 2.0**-14
    True
    """
    return epsilon * 2.0 ** math.floor(math.log2(largest)) if largest > 0 else 0.0


def bounds(column: Float[np.ndarray, " n"], epsilon: float, extent: float | None = None) -> tuple[float, float]:
    """The steps between which one is looked for on an axis: the spacing of its largest coordinate, its extent.

    Args:
        column: the points' coordinates on this axis.
        epsilon: the machine epsilon of the arithmetic.
        extent: of the domain, if it is known; by default that of the points.
    """
    largest = float(np.max(np.abs(column)))
    high = float(np.ptp(column)) if extent is None else extent
    if not high > 0:
        high = largest or 1.0
    return max(spacing(largest, epsilon), high * epsilon**2), high


@dataclass(frozen=True)
class Found:
    """The best step and what is near it.

    Attributes:
        step: of the least error that was measured.
        error: there.
        good: steps around it of which every one tried has at most :data:`NEAR` times this error; one step alone where
            its neighbours have more.
        loose: ``(low, high, factor)``: any step between has at most ``factor`` times the least error, where ``good``
            is so narrow that it must be met exactly; None where it is not.
        edge: ``low`` or ``high`` where the error was not seen to rise towards that end of the search, so that the best
            step is no optimum.
        tried: all steps with their errors, ascending.
    """

    step: float
    error: float
    good: tuple[float, float]
    loose: tuple[float, float, float] | None
    edge: str | None
    tried: tuple[tuple[float, float], ...]


@dataclass
class _Search:
    error: Callable[[float], float]
    low: float
    high: float
    errors: dict[float, float] = field(default_factory=dict)

    def at(self, h: float) -> float:
        if h not in self.errors:
            value = self.error(h)
            self.errors[h] = value if math.isfinite(value) else math.inf
        return self.errors[h]

    def octaves(self) -> range:
        return range(math.ceil(math.log2(self.low)), math.floor(math.log2(self.high)) + 1)

    def walk(self, start: float) -> None:
        """Powers of two from a step both ways, until the error is RISEN times the least or PATIENCE bring no lesser one."""
        octaves = self.octaves()
        middle = min(max(round(math.log2(start)), octaves.start), octaves.stop - 1)
        self.at(2.0**middle)
        for way in (1, -1):
            k, waited = middle + way, 0
            while k in octaves and waited < PATIENCE:
                smallest = min(self.errors.values())
                waited = 0 if self.at(2.0**k) < smallest else waited + 1
                if self.errors[2.0**k] > RISEN * smallest:
                    break
                k += way

    def densify(self, octave: int) -> None:
        """Steps between 2^octave and 2^(octave+1); their mantissas are no short binary numbers."""
        for k in range(1, PER_OCTAVE):
            h = 2.0 ** (octave + (k + 0.03) / PER_OCTAVE)
            if self.low <= h <= self.high:
                self.at(h)

    def best(self) -> float:
        """The step of least error; the middle one of several."""
        least = min(self.errors.values())
        among = sorted(h for h, e in self.errors.items() if e == least)
        return among[len(among) // 2]

    def run(self, around: float, limit: float) -> tuple[float, float]:
        """The tried steps next to each other around one, whose errors are at most ``limit``."""
        tried = sorted(self.errors)
        low = high = tried.index(around)
        while low > 0 and self.errors[tried[low - 1]] <= limit:
            low -= 1
        while high + 1 < len(tried) and self.errors[tried[high + 1]] <= limit:
            high += 1
        return tried[low], tried[high]


def _searched(error: Callable[[float], float], low: float, high: float, start: float | None) -> _Search:
    search = _Search(error, low, max(high, low))
    if start is None:
        for k in search.octaves():
            search.at(2.0**k)
    else:
        search.walk(start)
    if start is None or max(search.errors) * 2 > search.high:
        search.at(search.high)
    centre = math.floor(math.log2(search.best()))
    for k in range(centre - 1, centre + 1) if start else range(centre - 2, centre + 2):
        search.densify(k)
    if min((e for h, e in search.errors.items() if not _short(h)), default=math.inf) > NEAR * search.at(search.best()):
        _between(search)
    return search


def least(error: Callable[[float], float], low: float, high: float, start: float | None = None) -> Found:
    """Measures powers of two between ``low`` and ``high``, then steps between them around the best.

    Args:
        error: of a step; infinite or NaN where it cannot be taken.
        low: least step, positive.
        high: greatest step.
        start: the powers of two are walked from there both ways until the error has clearly risen; by default all
            are taken.
    """
    search = _searched(error, low, high, start)
    for factor in (0.94, 0.97, 1.03, 1.06):
        h = search.best() * factor
        if search.low <= h <= search.high:
            search.at(h)
    for _ in range(ROUNDS):  # probing may find a lesser error
        step = search.best()
        good = _probed(search, step, _grown(search, step, WITHIN * NEAR * search.at(step)))
        if search.at(search.best()) == search.at(step):
            break
    risen = [h for h, e in search.errors.items() if e > EDGE * search.at(step)]
    edge = "high" if not any(h > step for h in risen) else "low" if not any(h < step for h in risen) else None
    loose = _loose(search) if good[1] < LOOSE * good[0] else None
    step = search.best()
    if not good[0] <= step <= good[1]:
        good = step, step
    return Found(step, search.at(step), good, loose, edge, tuple(sorted(search.errors.items())))


def _short(h: float) -> bool:
    return math.frexp(h)[0] == 0.5


def _between(search: _Search) -> None:
    """The best of steps that are no powers of two, wherever it is."""
    for k in search.octaves():
        h = 2.0 ** (k + 0.53)
        if h <= search.high:
            search.at(h)
    among = {h: e for h, e in search.errors.items() if not _short(h)}
    if among:
        centre = math.floor(math.log2(min(among, key=lambda h: among[h])))
        for k in (centre - 1, centre, centre + 1):
            search.densify(k)


def _grown(search: _Search, step: float, limit: float) -> tuple[float, float]:
    """The run around a step, with steps tried between powers of two as far as it reaches."""
    dense: set[int] = set()
    while True:
        low, high = search.run(step, limit)
        wanted = {math.floor(math.log2(end)) + k for end in (low, high) for k in (-1, 0)} - dense
        wanted &= set(range(search.octaves().start - 1, search.octaves().stop + 1))
        if not wanted:
            return low, high
        for octave in wanted:
            search.densify(octave)
        dense |= wanted


def _probed(search: _Search, step: float, good: tuple[float, float]) -> tuple[float, float]:
    """The range after more steps were tried in it: where h is a few spacings of x, the error jumps from step to step."""
    limit = WITHIN * NEAR * search.at(step)
    for again in range(ROUNDS):
        low, high = good
        if not low < high:
            break
        for k in range(PROBES):
            search.at(low * (high / low) ** ((k + 0.37 + 0.17 * again) / PROBES))
        good = search.run(step, limit)
        if good == (low, high):
            return good if high > NARROW * low else (step, step)
    return step, step


def _loose(search: _Search) -> tuple[float, float, float] | None:
    """The steps around the one whose worst neighbour is best, all within NEAR of that; how far above the least."""
    tried = sorted(h for h in search.errors if not _short(h))
    if len(tried) < 3:
        return None
    worst = {b: max(search.errors[h] for h in (a, b, c)) for a, b, c in zip(tried, tried[1:], tried[2:], strict=False)}
    centre = min(worst, key=lambda h: worst[h])
    limit = NEAR * worst[centre]
    low, high = _grown(search, centre, limit)
    base = search.at(search.best())
    top = max(e for h, e in search.errors.items() if low <= h <= high)
    if not (base > 0 and math.isfinite(top)):
        return None
    return low, high, NEAR * top / base if top == base else 1.25 * top / base


def least_on_axes(
    error: Callable[[tuple[float, ...]], float],
    ranges: Sequence[tuple[float, float]],
    axes: Sequence[int],
    sweeps: int = 2,
) -> tuple[tuple[float, ...], Found]:
    """One step per axis by descent along the axes, each step first the same part of its range; then along the ray.

    Args:
        error: of one step per axis.
        ranges: least and greatest step of each axis.
        axes: the axes whose step matters.

    Returns:
        The steps, and what was found for a common factor times them, in units of the largest of ``axes``.
    """
    steps = [high for _, high in ranges]

    def along(part: float) -> float:
        return error(tuple(max(low, part * high) for low, high in ranges))

    if len(axes) > 1:
        part = _searched(along, min(low / high for low, high in (ranges[a] for a in axes)), 1.0, None).best()
        steps = [max(low, part * high) for low, high in ranges]
        for _ in range(sweeps):
            for axis in axes:
                steps[axis] = _searched(
                    lambda h, axis=axis: error((*steps[:axis], h, *steps[axis + 1 :])),  # type: ignore[misc]
                    *ranges[axis],
                    None,
                ).best()
    largest = max(axes, key=lambda axis: steps[axis])
    unit = steps[largest]
    low = max(ranges[a][0] * unit / steps[a] for a in axes)
    high = min(ranges[a][1] * unit / steps[a] for a in axes)
    found = least(lambda h: error(tuple(s * h / unit for s in steps)), low, high)
    return tuple(s * found.step / unit for s in steps), found
