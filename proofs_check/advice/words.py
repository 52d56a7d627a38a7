"""The recommendation in plain words, each sentence with its reason; and the whole advice as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from numerics.differences.model import LossFloor, Parts
from numerics.differences.search import Advice, ArithmeticAdvice, StencilAdvice
from theory.base.exact import spell


def number(value: float) -> str:
    """Two digits: 0.013, 2.1e-05."""
    return f"{value:.2g}"


def factor(value: float) -> str:
    """A factor in words: 1.4, 37, 1.2e+05."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}" if value < 1e4 else f"{value:.1e}"


def recommendation(advice: Advice) -> Iterator[str]:
    """One sentence after the other."""
    here = advice.of(advice.problem.dtype)
    other = next(a for a in advice.arithmetics if a is not here)
    best = advice.recommended
    if advice.sufficient:
        h = ", ".join(spell(step) for step in advice.problem.step)
        yield (
            f"Your {here.own.label} with h = {h} in {here.arithmetic} is good enough for these features: the least PDE"
            f" loss they allow is {number(here.at.loss.fd)} with it and {number(here.at.loss.ad)} with AD."
        )
    if best.suggested is not None and best.best is not None:
        start = "Recommended for the smallest error:" if advice.sufficient else "Recommended:"
        yield (
            f"{start} {best.label} with h = {best.suggested} in {here.arithmetic}: its entries are then wrong by about"
            f" {number(best.best.error)}, {_relative(best.best.error, advice.scale)} of their size."
        )
    for found in (here, other):
        yield from _steps(found)
    yield from _given(advice, here)
    yield from _orders(here)
    yield from _precision(here, other)
    yield from _spectrum(here)
    yield from _gain(advice, here)
    if advice.cost is not None:
        yield _cost(advice)
    if not advice.whole:
        n, m = advice.size
        yield f"This was found on {n} of the points and {m} of the features, chosen evenly."


def _relative(error: float, scale: float) -> str:
    return number(error / scale) if scale > 0 else "an unknown part"


def _steps(found: ArithmeticAdvice) -> Iterator[str]:
    own = found.own
    if own.good is None or own.step is None or own.best is None:
        yield f"In {found.arithmetic} with {own.label} there is no best h: {own.reason}."
        return
    low, high = own.good
    why = "below, round-off takes over; above, truncation" if own.basis == "model" else f"{own.reason}"
    yield (
        f"In {found.arithmetic} with {own.label} keep h between {number(low)} and {number(high)} ({why}); the least"
        f" error, {number(own.best.error)}, is at h = {number(own.step)}."
    )


def _given(advice: Advice, here: ArithmeticAdvice) -> Iterator[str]:
    own, h = here.own, advice.problem.h
    if own.good is None or own.best is None or own.step is None:
        return
    low, high = own.good
    error = own.here.error if own.here and own.basis == "model" else here.measured
    times = factor(error / own.best.error)
    if float(h) < low:
        yield f"Your h = {spell(h)} is too small: round-off makes the error {times} times the least."
    elif float(h) > high:
        yield f"Your h = {spell(h)} is too large: truncation makes the error {times} times the least."
    else:
        yield f"Your h = {spell(h)} is good: its error is {times} times the least."


def _orders(here: ArithmeticAdvice) -> Iterator[str]:
    own = here.own
    for other in here.stencils:
        if other is own or other.best is None or own.best is None or other.step is None:
            continue
        gain = own.best.error / other.best.error
        price = f"{other.evaluations} function evaluations a point instead of {own.evaluations}"
        start = f"In {here.arithmetic}, {other.label}"
        if gain >= 1.5:
            yield f"{start} gains a factor {factor(gain)} at its own h = {number(other.step)}, for {price}."
        elif gain <= 1 / 1.5:
            yield f"{start} loses a factor {factor(1 / gain)}, at its own h = {number(other.step)}."
        else:
            yield f"{start} gains nothing, for {price}."


def _precision(here: ArithmeticAdvice, other: ArithmeticAdvice) -> Iterator[str]:
    if here.own.best is None or other.own.best is None:
        return
    gain = here.own.best.error / other.own.best.error
    change = f"lowers the least error of {here.own.label} by a factor {factor(gain)}"
    if gain < 1:
        change = f"raises the least error of {here.own.label} by a factor {factor(1 / gain)}"
    yield f"{other.arithmetic} instead of {here.arithmetic} {change}."


def _spectrum(here: ArithmeticAdvice) -> Iterator[str]:
    at = here.at
    lost = at.values - at.floor.knee
    level = number(at.floor.floor)
    if lost:
        yield (
            f"At your h the round-off floor of the spectrum is {level}: {at.floor.knee} of {at.values} singular values"
            f" stand above it, the other {lost} are noise in A_FD."
        )
    else:
        yield f"At your h all {at.values} singular values stand above the round-off floor {level}."
    if at.gap is not None:
        predicted = f" (predicted {at.predicted_gap:+.2g})" if at.predicted_gap is not None else ""
        yield (
            f"The entropy of FD less that of AD is {at.gap:+.2g}{predicted}, with {at.fd.cutoff} and {at.ad.cutoff}"
            " values kept."
        )


def _gain(advice: Advice, here: ArithmeticAdvice) -> Iterator[str]:
    """What AD would gain over FD as it is, and over FD as recommended."""
    yours, then = here.at.loss, advice.then.loss
    if advice.sufficient:
        yield f"AD gains nothing here: both are limited by {_shared(yours)}."
        return
    if not all(0 < v < math.inf for v in (yours.ad, yours.fd, then.fd)):
        return
    if then.fd < yours.fd / 2:
        yield (
            f"The least PDE loss these features allow falls from {number(yours.fd)} with your difference (limited by"
            f" {_main(yours)}) to {number(then.fd)} with the recommended one."
        )
    least = min(yours, then, key=lambda loss: loss.fd)
    levels = f"{number(least.fd)} with FD and {number(least.ad)} with AD"
    if least.fd <= 2 * least.ad:
        yield f"AD gains nothing over that: the least loss is {levels}; both are limited by {_shared(least)}."
    else:
        yield f"AD could go lower still: the least loss is {levels}; FD is limited by {_main(least)}."


def _shared(loss: LossFloor) -> str:
    """What limits AD and FD alike."""
    return "what the features can represent" if loss.unresolved >= loss.roundoff else "round-off"


def _main(loss: LossFloor) -> str:
    parts = {
        "what the features above the floor can represent": loss.unresolved,
        "truncation": loss.truncation,
        "round-off": loss.roundoff,
    }
    return max(parts, key=lambda name: parts[name])


def _cost(advice: Advice) -> str:
    cost = advice.cost
    assert cost is not None
    where = f"{cost.dtype} on this machine's {cost.device}"
    text = f"An iteration with AD by nested autograd takes {factor(cost.ratio)} times one with FD ({where})"
    if cost.ratio < 1:
        text = f"An iteration with FD takes {factor(1 / cost.ratio)} times one with AD by nested autograd ({where})"
    if cost.ad_taylor is None:
        return text + "."
    return f"{text}; with derivatives in closed form AD takes {factor(cost.ad_taylor / cost.fd)} times FD."


def to_dict(advice: Advice) -> dict[str, Any]:
    """The advice in JSON types; numbers that are not finite are None."""
    best = advice.recommended
    content = {
        "problem": advice.problem.to_dict(),
        "given": {"stencil": advice.arithmetics[0].own.label, "step": [spell(h) for h in advice.problem.step]},
        "scale": advice.scale,
        "points": advice.size[0],
        "features": advice.size[1],
        "whole": advice.whole,
        "arithmetics": {a.arithmetic: _arithmetic(a) for a in advice.arithmetics},
        "skipped": [{"stencil": name, "reason": reason} for name, reason in advice.skipped],
        "cost": None if advice.cost is None else asdict(advice.cost) | {"ratio": advice.cost.ratio},
        "recommendation": {
            "sufficient": advice.sufficient,
            "arithmetic": advice.problem.dtype,
            "stencil": best.label,
            "difference": best.choice | ({"step": best.suggested} if best.suggested else {}),
            "step": best.step,
            "suggested_step": best.suggested,
            "floor": advice.then.floor.floor,
            "knee": advice.then.floor.knee,
            "loss_floor": _loss(advice.then.loss),
            "text": list(advice.text),
        },
    }
    cleaned: dict[str, Any] = finite(content)
    return cleaned


def finite(item: Any) -> Any:
    """Numbers that are not finite become None."""
    if isinstance(item, dict):
        return {key: finite(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [finite(value) for value in item]
    return None if isinstance(item, float) and not math.isfinite(item) else item


def _arithmetic(found: ArithmeticAdvice) -> dict[str, Any]:
    at, here = found.at, found.own.here
    return {
        "stencils": [_stencil(s) for s in found.stencils],
        "given": {
            **(_parts(here) if here else dict.fromkeys(("step", "truncation", "roundoff", "error", "worst_roundoff"))),
            "measured_error": found.measured,
            "entry_error": at.floor.entry_error,
            "floor": at.floor.floor,
            "knee": at.floor.knee,
            "values": at.values,
            "cutoff": {"ad": at.ad.cutoff, "fd": at.fd.cutoff},
            "entropy": {
                "ad": at.ad.value,
                "fd": at.fd.value,
                "gap": at.gap,
                "predicted_gap": at.predicted_gap,
                "reason": at.ad.reason or at.fd.reason,
            },
            "loss_floor": _loss(at.loss),
        },
    }


def _loss(loss: LossFloor) -> dict[str, float]:
    return asdict(loss) | {"predicted_fd": loss.predicted}


def _parts(parts: Parts) -> dict[str, float]:
    return asdict(parts) | {"error": parts.error}


def _stencil(found: StencilAdvice) -> dict[str, Any]:
    return {
        "stencil": found.label,
        "difference": found.choice,
        "own": found.own,
        "order": found.order,
        "evaluations": found.evaluations,
        "basis": found.basis,
        "step": found.step,
        "suggested_step": found.suggested,
        "good_steps": None if found.good is None else list(found.good),
        "best": None if found.best is None else _parts(found.best),
        "given": None if found.here is None else _parts(found.here),
        "reason": found.reason,
    }
