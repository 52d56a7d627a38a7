"""Entropies, from intervals of the singular values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs_check.second_checker import intervals, reading
from proofs_check.second_checker.intervals import ONE, ZERO, Interval, spend, working
from proofs_check.second_checker.reading import Bounds, record, refuse, sequence
from proofs_check.second_checker.values import at_least, at_most, less, proven_values


@dataclass(frozen=True)
class Convention:
    """Rule, threshold, power, and whether to divide by log r."""

    rule: str
    threshold: Fraction
    power: int
    normalised: bool


def convention(data: Any) -> Convention:
    """As specified, with the threshold's range."""
    rule, threshold, power, normalised = record(data, "rule threshold power normalised", "convention")
    tau = reading.rational(threshold, "threshold")
    allowed = {"relative": 0 < tau <= 1, "absolute": tau > 0, "energy": 0 <= tau < 1,
               "fixed": tau >= 1 and tau.denominator == 1}  # fmt: skip
    if not isinstance(rule, str) or not allowed.get(rule) or not isinstance(normalised, bool):
        refuse("convention: a rule, threshold or normalisation that is not allowed")
    return Convention(rule, tau, reading.whole(power, 1, 2, "power"), normalised)


def cutoff(values: list[Bounds], by: Convention) -> tuple[int, int]:
    """The least and the greatest r."""
    tau = by.threshold
    if by.rule == "energy":
        w = [(a**by.power, b**by.power) for a, b in values]
        certain = [r for r in range(len(w) + 1) if _energy(w, r, tau, 1, 0)]
        possible = [r for r in range(len(w) + 1) if _energy(w, r, tau, 0, 1)]
        return min(possible), min(certain)
    least = sum(1 for a, _ in values if a > 0)
    most = sum(1 for _, b in values if b > 0)
    if by.rule == "fixed":
        return min(least, int(tau)), min(most, int(tau))
    unit = values[0] if by.rule == "relative" else (Fraction(1), Fraction(1))
    low = sum(1 for a, _ in values if a > 0 and a >= tau * unit[1])
    high = sum(1 for _, b in values if b > 0 and b >= tau * unit[0])
    return (max(low, 1) if by.rule == "relative" and values[0][0] > 0 else low), high


def _energy(w: list[Bounds], r: int, tau: Fraction, tail: int, head: int) -> bool:
    outside = sum((pair[tail] for pair in w[r:]), Fraction(0))
    inside = sum((pair[head] for pair in w[:r]), Fraction(0))
    spend(len(w) * 2.0)
    return (1 - tau) * outside <= tau * inside


def entropy(claims: list[Bounds], by: Convention) -> tuple[tuple[int, int], Interval]:
    """The possible cut-off numbers, and an interval that holds the entropy whichever it is."""
    values = [(max(a, Fraction(0)), b) for a, b in claims]
    size = max(v.numerator.bit_length() + v.denominator.bit_length() for pair in values for v in pair)
    spend(len(values) * (10 + len(values) * (size / 500) ** 1.6))
    least, most = cutoff(values, by)
    if least < (2 if by.normalised else 1):
        refuse("the entropy may be undefined")
    hull = None
    with working(320 + 2 * size):
        for r in range(least, most + 1):
            found = _entropy_of([(a**by.power, b**by.power) for a, b in values[:r]], by.normalised)
            hull = found if hull is None else hull.hull(found)
    assert hull is not None
    return (least, most), hull


def _entropy_of(w: list[Bounds], normalised: bool) -> Interval:
    r = len(w)
    if r == 1:
        return ZERO
    lows, highs = sum(a for a, _ in w), sum(b for _, b in w)
    peak = intervals.exp(-ONE)
    lower = upper = ZERO
    for a, b in w:
        spend(40)
        p = a / (a + highs - b) if a else Fraction(0)
        q = b / (b + lows - a)
        ends = [_surprise(p), _surprise(q)]
        lower = lower + lesser(*ends)
        rising, falling = less(Interval.of(q), peak), less(peak, Interval.of(p))
        upper = upper + (greater(*ends) if rising or falling else peak)
    top = intervals.log(Interval.of(r))
    lower, upper = greater(lower, ZERO), lesser(upper, top)
    if normalised:
        lower, upper = lower * top.inverse(), upper * top.inverse()
    return lower.hull(upper)


def lesser(x: Interval, y: Interval) -> Interval:
    """An interval that holds the smaller of the two numbers."""
    return x if x.below(y) else y if y.below(x) else x.hull(y)


def greater(x: Interval, y: Interval) -> Interval:
    """An interval that holds the larger of the two numbers."""
    return -lesser(-x, -y)


def _surprise(p: Fraction) -> Interval:
    """``-p log p``."""
    if p == 0:
        return ZERO
    x = Interval.of(p)
    return -(x * intervals.log(x))


def judge(certificate: dict[str, Any]) -> None:
    """Two entropies, their difference and its sign."""
    keys = "format statement problem ad fd convention entropies gap sign"
    _, _, of, ad, fd, how, stated, gap, sign = record(certificate, keys, "certificate")
    where, by = reading.problem(of), convention(how)
    bounds: list[Bounds] = []
    for method, data, one in zip(("ad", "fd"), (ad, fd), record(stated, "ad fd", "entropies"), strict=True):
        values = proven_values(where, data)
        if (data["difference"] is None) != (method == "ad"):
            refuse("the wrong method")
        numbers, low, high = record(one, "cutoff lower upper", "entropies")
        found, proven = entropy(values, by)
        given = [reading.whole(r, 0, len(values), "cutoff") for r in sequence(numbers, "cutoff")]
        if given != list(found):
            refuse("another cut-off is proven")
        bounds.append((reading.bound(low, "lower"), reading.bound(high, "upper")))
        if not ((bounds[-1][0] <= 0 or at_most(bounds[-1][0], proven)) and at_least(bounds[-1][1], proven)):
            refuse("the bounds of an entropy are not proven")
    least, most = reading.claim(gap, "gap")
    if least > bounds[1][0] - bounds[0][1] or most < bounds[1][1] - bounds[0][0]:
        refuse("the gap is not proven")
    if not (sign == "undecided" or (sign == "fd<ad" and most < 0) or (sign == "fd>ad" and least > 0)):
        refuse("the sign is not proven")
