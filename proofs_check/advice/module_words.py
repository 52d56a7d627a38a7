"""The advice for a network of one's own in plain words, the recommendation first; and the whole of it as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from numerics.differences.judged import Judgement
from numerics.differences.network import ModuleAdvice
from numerics.differences.terms import FLOATS, TermAdvice
from proofs_check.advice.words import POOR, cost_words, factor, finite, number, percent


def of_network(advice: ModuleAdvice) -> Iterator[str]:
    """What is recommended for a network of one's own, one sentence after the other."""
    best = advice.recommended
    if advice.judged is not None:
        yield from of_step(advice.judged)
    yield from _first(advice, best)
    if advice.cost is not None:
        yield cost_words(advice.cost)
    yield from advice.notes
    here = [t for t in advice.terms if t.arithmetic == advice.arithmetic]
    if best.basis != "zero":
        yield from _degenerate(here)
    yield from _offset(advice, best)
    single = {t.derivative for t in advice.terms}
    told = [*advice.terms, *(t for t in advice.residual if t.derivative not in single)]
    for first in told:
        if (
            first.basis in {"zero", "kinks"}
            or first.stencil != told[0].stencil
            or first.arithmetic != advice.arithmetic
        ):
            continue
        yield _range(first)
        yield from _others(told, first)
    yield from _precision(advice, best)
    yield "Columns: " + "; ".join(f"{name} from {low:.6g} to {high:.6g}" for name, low, high in advice.columns) + "."
    if advice.size[0] < advice.size[1]:
        yield f"This was found on {advice.size[0]} of the {advice.size[1]} points, chosen evenly."


def of_step(judged: Judgement) -> Iterator[str]:
    """Whether the step that was asked about is all right, and what it does."""
    h = _named(judged.steps)
    whole, best = judged.whole, judged.best
    if best.basis in {"zero", "kinks"}:
        yield f"{h} cannot be judged against AD: " + (
            "the equation vanishes at these points." if best.basis == "zero" else "AD misses the jumps of this network."
        )
        return
    verdict = "is all right" if judged.fine else "is not all right"
    yield (
        f"{h} with {judged.stencil} in {judged.arithmetic} {verdict}: the error of {called(whole.name)} is {percent(whole.relative)} of"
        f" {sized(whole.name)}, {factor(judged.times)} times the least, and most of it is {whole.cause}."
    )
    for part in judged.terms:
        if len(judged.terms) > 1 and part.size > 0:
            yield f"There {part.name} errs by {percent(part.relative)} ({part.cause})."
    if judged.gradient is not None:
        error, cosine = judged.gradient
        turned = (
            f", and points {math.degrees(math.acos(max(-1.0, min(1.0, cosine)))):.2g}° off" if cosine < 0.9999 else ""
        )
        yield f"The gradient of the loss ½ mean(r²) errs by {percent(error)}{turned}."
    if not judged.fine and best.usable:
        worse = "smaller" if whole.cause == "truncation" else "larger"
        yield f"Use {'a ' + worse + ' step, ' if len(best.steps) == 1 else ''}{steps(best)}: the error is then {percent(best.relative)}."


def called(name: str) -> str:
    """An equation by its text, several as such."""
    return "the equations" if ";" in name else name


def sized(name: str) -> str:
    """What an error is a part of: the derivative, or the largest term where terms may cancel."""
    return (
        "their largest terms" if ";" in name else "its size" if name.replace("_", "").isalnum() else "its largest term"
    )


def _named(given: tuple[tuple[str, float], ...]) -> str:
    if len({h for _, h in given}) == 1:
        return f"h = {given[0][1]:.4g}"
    return ", ".join(f"h_{name} = {h:.4g}" for name, h in given)


def steps(term: TermAdvice) -> str:
    """Such as ``h = 1/64``, or ``h_x = 1/64, h_t = 1/8``."""
    if len(term.suggested_steps) == 1:
        return f"h = {short(term.suggested)}"
    return ", ".join(f"h_{name} = {short(h)}" for name, h in term.suggested_steps)


def short(step: str) -> str:
    """A step to copy: a fraction where it is a short one, else the decimal of the same double.

    >>> short("3/64"), short("450359962737049/4503599627370496")
    ('3/64', '0.09999999999999987')
    """
    return step if len(step) <= 12 else repr(float(Fraction(step)))


def _first(advice: ModuleAdvice, best: TermAdvice) -> Iterator[str]:
    """The recommendation, or why there is none and what would do instead."""
    arithmetic = advice.arithmetic
    if best.basis == "zero":
        names = ", ".join(dict.fromkeys(t.derivative for t in advice.terms))
        yield (
            f"Nothing to difference: {names} vanish{'es' if ',' not in names else ''} at these points (a linear or constant"
            " network, or one whose last layer is zero); ask again when it has trained, any step will do until then."
        )
        return
    if best.basis == "kinks":
        yield from _kinks(advice, best)
        return
    ad = (
        f" AD in {arithmetic} errs by {percent(best.ad_error / best.size)}"
        if math.isfinite(best.ad_error) and arithmetic != "float64"
        else ""
    )
    if not best.usable:
        yield (
            f"No step works in {arithmetic}: with {best.stencil} the least error of {called(best.derivative)}, at {steps(best)}, is"
            f" {percent(best.relative)} of {sized(best.derivative)}."
        )
        yield "What works: " + "; ".join([*_instead(advice), f"AD:{ad.removeprefix(' AD')}" if ad else "AD"]) + "."
        return
    large = " That is large." if best.relative > POOR else ""
    edge = (
        " That is the greatest step that the extent of the points allows, no optimum: the error still falls there."
        if best.basis == "edge" and best.step > best.good[0] * 0.99 and best.suggested
        else ""
    )
    yield (
        f"Recommended: {best.stencil} with {steps(best)} in {arithmetic}. The error of {called(best.derivative)} is then about"
        f" {percent(best.relative)} of {sized(best.derivative)}.{large}{edge}{ad + '.' if ad else ''}"
    )
    if large:
        yield (
            "Better: " + "; ".join(_instead(advice, best.relative / 3)) + "."
            if _instead(advice, best.relative / 3)
            else ("No other stencil and no higher precision does much better; AD would.")
        )


def _instead(advice: ModuleAdvice, below: float = 0.1) -> list[str]:
    """The other stencils and arithmetics with a smaller error, the best of each arithmetic."""
    found = []
    for arithmetic in dict.fromkeys((advice.arithmetic, *FLOATS)):
        among = [t for t in advice.residual if t.arithmetic == arithmetic and t.usable and t.relative <= below]
        if among:
            best = min(among, key=lambda t: t.error)
            found.append(f"{best.stencil} in {arithmetic} with {steps(best)} ({percent(best.relative)})")
    if offset := _far(advice):
        found.append(
            f"coordinates that start at 0 (subtract {offset[1]:.6g} from {offset[0]} and keep the network's input)"
        )
    return found


def _kinks(advice: ModuleAdvice, best: TermAdvice) -> Iterator[str]:
    broken = [t for t in advice.terms if t.missed and (t.arithmetic, t.stencil) == (best.arithmetic, best.stencil)]
    names = ", ".join(t.derivative for t in broken)
    zero = " and is zero" if all(t.size == 0 for t in broken) else ""
    yield (
        f"AD is not the truth for {names} here: the network has kinks, where a slope jumps. Its classical derivative exists"
        f" almost everywhere{zero}, and misses {percent(max(t.missed for t in broken))} of the change of that slope;"
        " training with AD cannot see the jumps. A difference with a step of the distance between kinks, or more, does."
    )


def _degenerate(here: list[TermAdvice]) -> Iterator[str]:
    names = dict.fromkeys(t.derivative for t in here if t.basis == "zero")
    for name in names:
        yield f"{name} vanishes at these points: any step will do for it."


def _far(advice: ModuleAdvice) -> tuple[str, float] | None:
    """The first column that lies far from 0 for its extent, and its least value."""
    for name, low, high in advice.columns:
        if high > low and max(abs(low), abs(high)) > 30 * (high - low):
            return name, low
    return None


def _offset(advice: ModuleAdvice, best: TermAdvice) -> Iterator[str]:
    """What an offset of the coordinates does to steps that are no multiples of their spacing."""
    done: set[str] = set()
    for term in (t for t in (*advice.terms, *advice.residual) if t.stencil == best.stencil and t.loose):
        if (
            term.basis in {"zero", "kinks"}
            or term.derivative in done
            or term.arithmetic != advice.arithmetic
            or term.loose is None
        ):
            continue
        low, high, times = term.loose
        if times < 4:
            continue
        done.add(term.derivative)
        yield (
            f"{term.derivative} in {term.arithmetic}: take exactly {steps(term)}, which x + h stores without rounding."
            f" Steps between {number(low)} and {number(high)} that are no powers of two err up to {factor(times)} times as"
            " much, because (x + h) − (x − h) is then not 2h: divide by the realised difference, or let x start at 0."
        )


def _precision(advice: ModuleAdvice, best: TermAdvice) -> Iterator[str]:
    for other in advice.residual:
        if other.stencil == best.stencil and other.arithmetic in FLOATS and other.arithmetic != best.arithmetic:
            if not (best.usable and other.usable and best.error > 0 and other.error > 0):
                continue
            gain = best.error / other.error
            change = (
                f"lowers the error by a factor {factor(gain)}"
                if gain > 1
                else f"raises it by a factor {factor(1 / gain)}"
            )
            yield f"{other.arithmetic} instead of {best.arithmetic} {change}, with {steps(other)}."


def _range(first: TermAdvice) -> str:
    low, high = first.good
    axis = max(first.steps, key=lambda s: s[1])[0] if len(first.steps) > 1 else ""
    h = f"h_{axis}" if axis else "h"
    start = f"{called(first.derivative)} in {first.arithmetic} with {first.stencil}:"
    if high > low:
        start += f" keep {h} between {number(low)} and {number(high)};"
    known = {"edge": "the last step looked at, no optimum"}.get(first.basis)
    name = f"{h} = {number(first.step)} ({known})" if known else f"{h}* = {number(first.step)}"
    also = ", ".join(f"h_{n} = {number(s)}" for n, s in first.steps if n != axis) if axis else ""
    told = f"{start} {name}{', ' + also if also else ''}, where the error is {percent(first.relative)} of {sized(first.derivative)}"
    return told + (": no step works." if not first.usable else ".")


def _others(told: list[TermAdvice], first: TermAdvice) -> Iterator[str]:
    for other in told:
        same = (other.derivative, other.arithmetic) == (first.derivative, first.arithmetic)
        if same and other is not first and other.error > 0 and first.error > 0:
            gain = first.error / other.error
            verb = f"gains a factor {factor(gain)}" if gain > 1 else f"loses a factor {factor(1 / gain)}"
            yield f"{other.stencil.capitalize()} {verb} there, at h = {number(other.step)}."


def to_dict(advice: ModuleAdvice) -> dict[str, Any]:
    """The advice in JSON types; numbers that are not finite are None."""
    best = advice.recommended
    cleaned: dict[str, Any] = finite(
        {
            "equation": advice.operator,
            "arithmetic": advice.arithmetic,
            "columns": [{"name": name, "low": low, "high": high} for name, low, high in advice.columns],
            "points": {"looked_at": advice.size[0], "given": advice.size[1]},
            "terms": [_term(t) for t in advice.terms],
            "equations": [_term(t) for t in advice.residual],
            "notes": list(advice.notes),
            "judged": None if advice.judged is None else _judged(advice.judged),
            "recommendation": _term(best) | {"text": list(advice.text)},
        }
    )
    return cleaned


def _term(term: TermAdvice) -> dict[str, Any]:
    made = asdict(term)
    made["steps"], made["suggested_steps"] = dict(term.steps), dict(term.suggested_steps)
    made["good_steps"] = list(made.pop("good"))
    made["suggested_step"] = made.pop("suggested")
    del made["curve"]
    return made | {"relative_error": term.relative, "usable": term.usable}


def _judged(judged: Judgement) -> dict[str, Any]:
    return {
        "steps": dict(judged.steps),
        "stencil": judged.stencil,
        "arithmetic": judged.arithmetic,
        "fine": judged.fine,
        "times_the_least": judged.times,
        "equation": asdict(judged.whole) | {"relative_error": judged.whole.relative, "cause": judged.whole.cause},
        "terms": [asdict(p) | {"relative_error": p.relative, "cause": p.cause} for p in judged.terms],
        "gradient": None if judged.gradient is None else dict(zip(("error", "cosine"), judged.gradient, strict=True)),
    }
