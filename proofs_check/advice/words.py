"""The recommendation in plain words, each sentence with its reason; and the whole advice as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from numerics.differences.cost import Cost
from numerics.differences.model import LossFloor, Parts
from numerics.differences.search import Advice, ArithmeticAdvice, StencilAdvice
from numerics.differences.steps import NEAR
from theory.base.exact import spell

POOR = 0.05
"""An error of this part of what is differenced is told as large."""


def number(value: float) -> str:
    """Two digits: 0.013, 2.1e-05."""
    return f"{value:.2g}"


def factor(value: float) -> str:
    """A factor in words: 1.4, 37, 1.2e+05."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}" if value < 1e4 else f"{value:.1e}"


def recommendation(advice: Advice) -> Iterator[str]:
    """One sentence after the other, the recommendation first."""
    here = advice.of(advice.problem.dtype)
    other = next(a for a in advice.arithmetics if a is not here)
    yield from _first(advice, here)
    if not here.own.solution_errors:
        yield from _gain(advice, here)
    if advice.cost is not None:
        yield cost_words(advice.cost)
    for found in (here, other):
        yield from _steps(found, advice.scale)
    yield from _given(advice, here)
    yield from _orders(here)
    yield from _precision(here, other)
    if not here.own.solution_errors:
        yield from _spectrum(here)
    if not advice.whole:
        n, m = advice.size
        yield f"This was found on {n} of the points and {m} of the features, chosen evenly."


def _first(advice: Advice, here: ArithmeticAdvice) -> Iterator[str]:
    """The recommendation, or that there is none and what would do."""
    best = advice.recommended
    if advice.sufficient:
        h = ", ".join(spell(step) for step in advice.problem.step)
        yield (
            f"Your {here.own.label} with h = {h} in {here.arithmetic} is good enough for these features: the least PDE"
            f" loss they allow is {number(here.at.loss.fd)} with it and {number(here.at.loss.ad)} with AD."
        )
    if best.solution_errors:
        yield from _solved(advice, best, here.arithmetic)
        return
    if best.suggested is None or best.best is None:
        if advice.scale == 0:
            yield "The operator vanishes on these features: there is nothing to difference, any step will do."
        return
    error = percent(best.best.error / advice.scale) if advice.scale > 0 else "an unknown part"
    if not best.usable:
        yield (
            f"No step works in {here.arithmetic}: with {best.label} the least error, at {steps(advice, best)}, is {error} of"
            " the entries' size."
        )
        yield "What works: " + "; ".join([*_instead(advice), "AD"]) + "."
        return
    start = "Recommended for the smallest error:" if advice.sufficient else "Recommended:"
    edge = f" This is no optimum: {best.reason}." if best.basis == "edge" else ""
    yield (
        f"{start} {best.label} with {steps(advice, best)} in {here.arithmetic}: its entries are then wrong by about"
        f" {number(best.best.error)}, {error} of their size.{edge}"
    )
    if advice.scale > 0 and best.best.error > POOR * advice.scale:
        yield "That is large; better: " + "; ".join([*_instead(advice), "AD"]) + "."


def steps(advice: Advice, best: StencilAdvice) -> str:
    """Such as ``h = 1/64``, or ``h_x = 1/64, h_t = 1/8``."""
    if len(set(best.suggested_steps)) <= 1:
        return f"h = {best.suggested}"
    names = advice.problem.operator.variables
    return ", ".join(f"h_{name} = {h}" for name, h in zip(names, best.suggested_steps, strict=True))


def percent(value: float) -> str:
    """An error in parts of a size: 41 %, 0.2 %, 2.8e-06, 37 times."""
    if not math.isfinite(value):
        return "an unknown part"
    if value < 1e-3:
        return f"{value:.2g}"
    return (
        f"{100 * value:.2g} %" if value < 0.995 else f"{100 * value:.0f} %" if value < 10 else f"{factor(value)} times"
    )


def _instead(advice: Advice) -> list[str]:
    """The best usable stencil of each arithmetic."""
    found = []
    for part in advice.arithmetics:
        among = [s for s in part.stencils if s.usable and s.best is not None and s.suggested is not None]
        if among and advice.scale > 0:
            best = min(among, key=lambda s: s.best.error if s.best else math.inf)
            assert best.best is not None
            error = percent(best.best.error / advice.scale)
            found.append(f"{best.label} in {part.arithmetic} with {steps(advice, best)} ({error})")
    return found or ["a lower order of the operator (a system of first order), or features that vary less"]


def _solved(advice: Advice, best: StencilAdvice, arithmetic: str) -> Iterator[str]:
    """Where AD misses the jumps of the features."""
    error = min(e for _, e in best.solution_errors)
    verb = "Recommended:" if best.usable else "No step works well: the best is"
    yield (
        f"{verb} {best.label} with {steps(advice, best)} in {arithmetic}: the least-squares solution is then wrong by"
        f" {percent(error)}."
    )
    smallest, worst = min(best.solution_errors)
    yield (
        f"AD is not the truth here: {advice.problem.activation_name} has kinks, and its classical derivatives in this operator"
        " vanish or miss the jumps, so that AD cannot solve the equation; a difference that spans the distance between kinks"
        f" does. Small steps fail too: at h = {number(smallest)} the solution is wrong by {percent(worst)}."
    )


def _relative(error: float, scale: float) -> str:
    return percent(error / scale) if scale > 0 else "an unknown part"


def _steps(found: ArithmeticAdvice, scale: float) -> Iterator[str]:
    own = found.own
    if own.good is None or own.step is None:
        yield f"In {found.arithmetic} with {own.label} there is no best h: {own.reason}."
        return
    low, high = own.good
    if own.solution_errors:
        yield f"In {found.arithmetic} with {own.label} keep h between {number(low)} and {number(high)}; h* = {number(own.step)}."
        return
    assert own.best is not None
    relative = f", {_relative(own.best.error, scale)} of the entries' size"
    if own.basis == "edge":
        yield (
            f"In {found.arithmetic} with {own.label} there is no best h: {own.reason}. There, at h = {number(own.step)}, it is"
            f" {number(own.best.error)}{relative}."
        )
        return
    why = "below, round-off takes over; above, truncation" if own.basis == "model" else f"{own.reason}"
    useless = "" if own.usable else ": no step works"
    yield (
        f"In {found.arithmetic} with {own.label} keep h between {number(low)} and {number(high)} ({why}); the least"
        f" error, {number(own.best.error)}{relative}, is at h = {number(own.step)}{useless}."
    )


def _given(advice: Advice, here: ArithmeticAdvice) -> Iterator[str]:
    own, h = here.own, advice.problem.h
    if own.good is None or own.step is None:
        return
    if own.solution_errors:
        close, error = min(own.solution_errors, key=lambda one: abs(math.log(one[0] / float(h))))
        yield f"Near your h = {spell(h)}, at {number(close)}, the least-squares solution is wrong by {percent(error)}."
        return
    if own.best is None or own.best.error == 0:
        return
    low, high = own.good
    error = here.measured
    times = factor(error / own.best.error)
    enough = " The features limit the loss before that matters." if advice.sufficient else ""
    given = ", ".join(spell(step) for step in advice.problem.step)
    if error <= NEAR * own.best.error:
        yield f"Your h = {given} is good: its error is {times} times the least."
    elif len(set(own.suggested_steps)) > 1 and not _same_ratio(advice, own):
        yield f"Your h = {given} makes the error {times} times the least; one step per axis: {steps(advice, own)}.{enough}"
    elif float(h) < low:
        yield f"Your h = {given} is too small: round-off makes the error {times} times the least.{enough}"
    elif float(h) > high:
        yield f"Your h = {given} is too large: truncation makes the error {times} times the least.{enough}"
    else:
        yield f"Your h = {given} makes the error {times} times the least: x + h is rounded there, take {own.suggested}.{enough}"


def _same_ratio(advice: Advice, own: StencilAdvice) -> bool:
    given = [float(h) for h in advice.problem.steps]
    quotients = [s / h for s, h in zip(own.steps, given, strict=True)]
    return max(quotients) <= 1.01 * min(quotients)


def _orders(here: ArithmeticAdvice) -> Iterator[str]:
    own = here.own
    for other in here.stencils:
        if other is own or other.best is None or own.best is None or other.step is None or not other.best.error > 0:
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
    if here.own.best is None or other.own.best is None or not here.own.best.error * other.own.best.error > 0:
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


def cost_words(cost: Cost) -> str:
    """What an iteration with AD costs against one with FD."""
    where = f"{cost.dtype} on this machine's {cost.device}"
    closed = factor(cost.ad_taylor / cost.fd) if cost.ad_taylor else ""
    if cost.ratio is None:
        return f"An iteration with AD in closed form, as equations are trained here, takes {closed} times one with FD ({where})."
    text = f"An iteration with AD by nested autograd takes {factor(cost.ratio)} times one with FD ({where})"
    if cost.ratio < 1:
        text = f"An iteration with FD takes {factor(1 / cost.ratio)} times one with AD by nested autograd ({where})"
    return f"{text}; with derivatives in closed form AD takes {closed} times FD." if closed else text + "."


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
            "difference": best.choice | _step_of(best),
            "step": best.step,
            "suggested_step": best.suggested,
            "suggested_steps": list(best.suggested_steps),
            "usable": best.usable,
            "floor": advice.then.floor.floor,
            "knee": advice.then.floor.knee,
            "loss_floor": _loss(advice.then.loss),
            "text": list(advice.text),
        },
    }
    cleaned: dict[str, Any] = finite(content)
    return cleaned


def _step_of(best: StencilAdvice) -> dict[str, Any]:
    if not best.suggested_steps:
        return {}
    several = len(set(best.suggested_steps)) > 1
    return {"step": list(best.suggested_steps) if several else best.suggested}


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
        "steps": list(found.steps),
        "suggested_steps": list(found.suggested_steps),
        "usable": found.usable,
        "solution_errors": [list(one) for one in found.solution_errors],
        "best": None if found.best is None else _parts(found.best),
        "given": None if found.here is None else _parts(found.here),
        "reason": found.reason,
    }
