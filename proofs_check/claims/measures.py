"""What a cell of S1, S2 or S3 reports beside the number of its draws: sizes of effects, and the mechanism.

``mechanism`` names what decides a cell in floating point, from medians over its draws:

* ``floor``: the predicted round-off of A_FD is larger than singular values of A_AD that the statement is about (S1: among
  the r_AD large ones; S2: all those behind n/2; S3: among the r_AD counted ones);
* ``noise counted``: noise raises the cut-off number of FD over AD's (S3);
* ``truncation``: neither, so that the difference is that of exact arithmetic.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from proofs_check.verdicts import Outcome

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
