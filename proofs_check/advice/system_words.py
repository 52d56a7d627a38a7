"""The advice on equations in several unknowns in plain words, the recommendation first; and the whole of it as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from numerics.differences.search import label
from numerics.differences.steps import UNUSABLE
from numerics.differences.systems import CommonStep, SystemAdvice
from numerics.problem.problem import Problem
from numerics.training.short import ITERATIONS
from proofs_check.advice.module_words import to_dict as of_module
from proofs_check.advice.words import cost_words, factor, finite, number, percent
from theory.base.exact import spell


def of_system(advice: SystemAdvice) -> Iterator[str]:
    """What is recommended, one sentence after the other."""
    problem = advice.problem
    here = next(c for c in advice.common if c.arithmetic == problem.dtype)
    other = next(c for c in advice.common if c is not here)
    scheme = f"{label(problem.stencil)} in {problem.dtype}"
    if advice.kinked:
        yield from _kinks(advice, scheme)
    elif not here.error < UNUSABLE * here.size:
        yield (
            f"No common step works with {scheme}: the least error of the residuals is {percent(_relative(here, here.error))} of"
            f" them, at h = {here.suggested}. Another order, {other.arithmetic} or autodiff would do, or steps of their own (below)."
        )
    elif here.edge:
        yield (
            f"With {scheme} the error of the residuals is least at the {'largest' if here.step >= here.curve[-1][0] else 'least'}"
            f" step that was looked at, h = {here.suggested}, {percent(_relative(here, here.error))} of them; that is no optimum."
        )
    else:
        yield (
            f"Recommended as one step for all derivatives with {scheme}: h = {here.suggested}; the residuals then err by"
            f" {percent(_relative(here, here.error))} of their size. Between {number(here.good[0])} and"
            f" {number(here.good[1])} it is at most twice that."
        )
    if advice.cost is not None:
        yield cost_words(advice.cost)
    if not advice.kinked:
        yield _given(problem, here)
    if here.prices:
        listed = ", ".join(f"{name} {factor(value)}" for name, value in here.prices)
        yield f"The price of the common step, each derivative's error over the least it can have at a step of its own: {listed}."
    for name, found in advice.terms:
        for term in found.terms:
            if (term.arithmetic, term.stencil) == (problem.dtype, label(problem.stencil)):
                called = term.derivative.replace("u_", f"{name}_", 1)
                if term.basis in ("zero", "kinks"):
                    yield f"{called}: {'it vanishes' if term.basis == 'zero' else 'autograd misses jumps of it'}, no step is advised."
                    continue
                yield f"{called} alone: h* = {number(term.step)}, error {percent(term.relative)} of it."
        yield from found.notes
    if not advice.kinked:
        yield (
            f"In {other.arithmetic} the best common step is {other.suggested}, with an error of {percent(_relative(other, other.error))}."
        )
    yield (
        "All this is measured on a network at the start of training, whose derivatives are not those of the solution; "
        "ask again for trained ones. No spectrum, entropy or law of training is claimed for equations."
    )
    if advice.size[0] < advice.size[1]:
        yield f"This was found on {advice.size[0]} of the {advice.size[1]} points, chosen evenly."


def _kinks(advice: SystemAdvice, scheme: str) -> Iterator[str]:
    """Where autodiff misses jumps: what a short training says, or that it could not say anything."""
    names, found = ", ".join(advice.kinked), advice.trained
    why = (
        f"AD is not the truth for {names}: {advice.problem.activation_name} has kinks, of which the classical derivatives miss the"
        " jumps, so that errors against AD (below) say nothing"
    )
    if found is None:
        yield f"{why}. No step can be recommended without a solution to judge by: give problem.solution."
        return
    h, error = found.best
    end = " That is the end of what was tried, no optimum." if h in (found.steps[0][0], found.steps[-1][0]) else ""
    verb = "Recommended" if error < UNUSABLE else "No step works well; the best of those tried"
    cut = f" The time ran out there ({ITERATIONS} were planned)." if found.cut else ""
    yield (
        f"{verb} with {scheme}: h = {spell(Fraction(h))}, by the solution after a short training: it is then wrong by"
        f" {percent(error)}, after the same training by AD by {percent(found.ad)}.{end}"
    )
    others = ", ".join(f"{percent(e)} with {spell(Fraction(s))}" for s, e in found.steps)
    yield f"{why}. Compared were {found.networks} networks each, after {found.iterations} iterations of Adam: {others}.{cut}"


def _given(problem: Problem, here: CommonStep) -> str:
    given = ", ".join(spell(h) for h in problem.step)
    if here.here == math.inf:
        return f"The file's step {given} leaves no room for its differences in the domain."
    times = here.here / here.error if here.error > 0 else 1.0
    told = f"{factor(max(times, 1.0))} times the least"
    return f"At the file's step {given} they err by {percent(_relative(here, here.here))}, {told}."


def _relative(found: CommonStep, error: float) -> float:
    return error / found.size if found.size > 0 else math.inf


def to_dict(advice: SystemAdvice) -> dict[str, Any]:
    """The advice in JSON types; numbers that are not finite are None."""
    content = {
        "problem": advice.problem.to_dict(),
        "points": advice.size[0],
        "unknowns": {name: of_module(found) for name, found in advice.terms},
        "common": {c.arithmetic: _common(c) for c in advice.common},
        "trained": None if advice.trained is None else asdict(advice.trained),
        "text": list(advice.text),
    }
    cleaned: dict[str, Any] = finite(content)
    return cleaned


def _common(found: CommonStep) -> dict[str, Any]:
    return {
        "step": found.step,
        "suggested_step": found.suggested,
        "good_steps": list(found.good),
        "error": found.error,
        "given_error": found.here,
        "residual": found.size,
        "edge": found.edge,
        "prices": dict(found.prices),
        "curve": [list(point) for point in found.curve],
    }
