"""What there is to advise on a problem: which step, which stencil, which precision, what AD would gain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from numerics.differences.cost import measure_cost
from numerics.differences.model import (
    STEPS,
    Parts,
    Values,
    at_step,
    axis_ratios,
    error_model,
    measured_error,
    ratios,
    ray,
    step_ranges,
    thinned,
    values,
)
from numerics.differences.search import (
    AGREE,
    FLOATS,
    Advice,
    ArithmeticAdvice,
    Inputs,
    Measured,
    StencilAdvice,
    inputs,
    label,
    near,
    recommended,
)
from numerics.differences.solution import misses_jumps, posed, solution_errors
from numerics.differences.steps import NEAR, UNUSABLE, least, rms
from numerics.matrices.batches import Workbench
from numerics.problem.problem import Arithmetic, Problem
from numerics.runs.cells import Outcome, cell_by_cell
from numerics.runs.grid import Cell
from theory.base.errors import InputError
from theory.base.exact import spell
from theory.operators.operator import StencilChoice

VANISH = "the leading truncation terms vanish on these features: any step that is not small will do"
SEARCHED = 128
"""Most points, and most features, on which steps are tried."""
CLEARLY = 4.0
"""How far the error must rise above a best step for that to be one, where no truncation is expected."""
CANDIDATES = (
    StencilChoice("central", 2),
    StencilChoice("central", 4),
    StencilChoice("central", 6),
    StencilChoice("forward", 2),
)
"""Stencils looked at beside the problem's own."""


def study(problem: Problem, *, cost: bool = True, device: str = "auto") -> Advice:
    """What there is to advise on a problem, without words: its own stencil and step judged, and others compared.

    Args:
        problem: with the stencil and step that are given.
        cost: measure the cost of AD and FD with torch.
        device: where that is measured.

    Raises:
        InputError: no interior points, or features that are not finite.
    """
    smaller = thinned(problem)
    given = values(smaller)
    choices, skipped = _choices(smaller)
    few = thinned(smaller, SEARCHED)
    searched = given if few is smaller else values(few)
    stored = {a: inputs(few, a) for a in FLOATS}
    found = tuple(
        ArithmeticAdvice(
            a, _stencils(searched, stored[a], a, choices), measured_error(few, a, few.h), at_step(given, a)
        )
        for a in FLOATS
    )
    best = recommended(next(a for a in found if a.arithmetic == problem.dtype))
    then = smaller.with_(stencil=next(c for c, name in choices if name == best.label))
    if best.suggested_steps:
        then = then.with_(step=tuple(Fraction(h) for h in best.suggested_steps))
    return Advice(
        problem,
        rms(stored[problem.dtype].exact),
        given.value.shape,
        smaller is problem,
        found,
        tuple(skipped),
        at_step(replace(given, problem=then), problem.dtype),
        measure_cost(problem, device) if cost else None,
        (),
    )


def _choices(problem: Problem) -> tuple[list[tuple[StencilChoice, str]], list[tuple[str, str]]]:
    """The problem's own stencil first, then the candidates that differ from it and fit."""
    chosen, skipped = [(problem.stencil, label(problem.stencil))], []
    own = [term.stencil for term in problem.difference.terms]
    for choice in CANDIDATES:
        try:
            other = [term.stencil for term in problem.with_(stencil=choice).difference.terms]
        except InputError as error:
            skipped.append((label(choice), str(error)))
            continue
        if _alike(own, other):
            chosen[0] = (problem.stencil, label(choice))
        else:
            chosen.append((choice, label(choice)))
    return chosen, skipped


def _alike(first: Sequence[Any], second: Sequence[Any]) -> bool:
    def nodes(s: Any) -> Any:
        return None if s is None else {node: w for node, w in zip(s.nodes, s.weights, strict=True) if w}

    return [nodes(s) for s in first] == [nodes(s) for s in second]


def _stencils(
    given: Values, stored: Inputs, arithmetic: Arithmetic, choices: Sequence[tuple[StencilChoice, str]]
) -> tuple[StencilAdvice, ...]:
    tried = choices[:2] if misses_jumps(given.problem) else choices  # higher orders gain nothing at kinks
    return tuple(
        _stencil(given, stored, arithmetic, choice, name, own=k == 0) for k, (choice, name) in enumerate(tried)
    )


def _stencil(
    given: Values, stored: Inputs, arithmetic: Arithmetic, choice: StencilChoice, name: str, *, own: bool
) -> StencilAdvice:
    """Along the ray of the problem's own steps; along another where that gains a factor NEAR."""
    first = _on_ray(given, stored, arithmetic, choice, name, own)
    other = _own_ratios(given, choice, arithmetic)
    if other is None:
        return first
    second = _on_ray(replace(given, problem=given.problem.with_(step=other)), stored, arithmetic, choice, name, own)
    gain = 1.0 if first.basis == "edge" and second.basis != "edge" else NEAR  # an optimum is better than an end
    if second.step is None or (first.step is not None and _error(second) >= _error(first) / gain):
        return first
    return replace(second, here=first.here)


def _error(found: StencilAdvice) -> float:
    if found.solution_errors:
        return min(e for _, e in found.solution_errors)
    return found.best.error if found.best else math.inf


def _own_ratios(given: Values, choice: StencilChoice, arithmetic: Arithmetic) -> tuple[Fraction, ...] | None:
    """The step that suits the derivatives along each axis; None where the problem's own have about their ratio."""
    problem, ranges = given.problem, step_ranges(given, arithmetic)
    if problem.dimension == 1 or "point" in choice.name:
        return None
    parts: list[float | None] = []
    for axis, steps in enumerate(ranges):
        model = error_model(given, choice, arithmetic, axis, steps)
        alone = model.optimum() if model.smooth else None
        parts.append(None if alone is None else alone / steps[1])
    known = [part for part in parts if part is not None]
    usual = math.exp(sum(map(math.log, known)) / len(known)) if known else 1 / 16
    wanted = [high * (usual if part is None else part) for (_, high), part in zip(ranges, parts, strict=True)]
    now = [float(h) for h in problem.steps]
    away = [w / h for w, h in zip(wanted, now, strict=True)]
    if max(away) <= NEAR * min(away):
        return None
    return tuple(Fraction(near(h)) for h in wanted)


def _on_ray(
    given: Values, stored: Inputs, arithmetic: Arithmetic, choice: StencilChoice, name: str, own: bool
) -> StencilAdvice:
    problem = given.problem.with_(stencil=choice, step=ratios(given.problem))
    shifts = {s for term in problem.difference.terms for s, w in zip(term.shifts, term.weights, strict=True) if w}
    found = StencilAdvice(
        name, choice.to_dict(), own, problem.difference.order, len(shifts), "none", None, None, None, None, None
    )
    low, high = ray(given, arithmetic)
    model = error_model(given, choice, arithmetic, steps=(low, high) if low < high else STEPS)
    if model.smooth:
        found = replace(found, here=model.parts(float(given.problem.h)))
    if low >= high:
        return replace(
            found,
            usable=False,
            reason="steps in this ratio are below the spacing of the coordinates on one axis or beyond another",
        )
    if misses_jumps(problem):
        return _solved(problem, found, arithmetic)
    why = "" if model.smooth else f"{problem.activation_name} lacks the derivatives of the truncation terms"
    measured = Measured(problem, stored)
    best = least(measured.error, low, high, model.optimum() if model.smooth else None)
    if not math.isfinite(best.error):
        return replace(found, usable=False, reason="an entry is not finite at any step")
    exact = model.smooth and not model.truncation(1.0) > 0
    if exact and not any(e > CLEARLY * best.error for h, e in best.tried if h > best.step):
        return replace(found, reason=VANISH)
    step, basis, parts = best.step, "search", None
    if best.edge:
        basis, why = (
            "edge",
            {
                "high": "the error falls up to the greatest step that the domain allows",
                "low": "the error falls down to the spacing of the coordinates",
            }[best.edge],
        )
    elif model.smooth:
        modelled = model.optimum()
        factor, ratio = AGREE
        if (
            modelled is not None
            and 1 / ratio < modelled / best.step < ratio
            and best.good[0] <= modelled <= best.good[1]
            and measured.error(modelled) <= factor * best.error
        ):
            step, basis, parts = modelled, "model", model.parts(modelled)
        else:
            why = (
                VANISH.partition(":")[0]
                if exact
                else "the leading truncation terms say too little about these features"
            )
    if parts is None:
        roundoff = min(best.error, model.roundoff(step))  # the model's even where its truncation is not
        parts = Parts(step, best.error - roundoff, roundoff, model.parts(step).worst_roundoff)
    return _with_steps(replace(
        found, basis=basis, step=step, good=best.good, best=parts, usable=best.error < UNUSABLE * rms(stored.exact),
        reason=None if basis == "model" else why if basis == "edge" else f"{why}: steps were tried instead",
    ), problem, measured)  # fmt: skip


def _with_steps(found: StencilAdvice, problem: Problem, measured: Measured) -> StencilAdvice:
    """With the steps of all axes, and short ones."""
    assert found.step is not None
    short = measured.short(found.step, found.step if found.basis == "edge" else math.inf)
    parts = axis_ratios(problem)
    return replace(
        found,
        suggested=spell(short),
        steps=tuple(float(r) * found.step for r in parts),
        suggested_steps=tuple(spell(r * short) for r in parts),
    )


def _solved(problem: Problem, found: StencilAdvice, arithmetic: Arithmetic) -> StencilAdvice:
    """By the error of the least-squares solution."""
    errors = solution_errors(posed(problem), arithmetic)
    step, error = min(errors, key=lambda one: one[1])
    near_best = [h for h, e in errors if e <= NEAR * error]
    parts = axis_ratios(problem)
    return replace(
        found, basis="solution", step=step, suggested=spell(Fraction(step)), good=(min(near_best), max(near_best)),
        steps=tuple(float(r) * step for r in parts), suggested_steps=tuple(spell(r * Fraction(step)) for r in parts),
        usable=error < UNUSABLE, solution_errors=errors,
        reason=f"{problem.activation_name} has kinks, of which AD misses the jumps: the error of the least-squares solution decides",
    )  # fmt: skip


def advise_row(cell: Cell) -> dict[str, Any]:
    """A flat row of a sweep: the problem's own stencil in both arithmetics, and the recommended one in its own."""
    advice = study(cell.problem, cost=False)
    row: dict[str, Any] = {"scale": advice.scale}
    for found in advice.arithmetics:
        a, own, at = found.arithmetic, found.own, found.at
        row |= {
            f"best_step_{a}": own.step,
            f"least_error_{a}": own.best.error if own.best else None,
            f"truncation_{a}": own.here.truncation if own.here else None,
            f"roundoff_{a}": own.here.roundoff if own.here else None,
            f"measured_error_{a}": found.measured,
            f"floor_{a}": at.floor.floor,
            f"knee_{a}": at.floor.knee,
            f"entropy_gap_{a}": at.gap,
            f"predicted_gap_{a}": at.predicted_gap,
            f"loss_ad_{a}": at.loss.ad,
            f"loss_fd_{a}": at.loss.fd,
        }
    best = advice.recommended
    return row | {"recommended_stencil": best.label, "recommended_step": best.suggested}


def advise_cells(bench: Workbench, positions: Sequence[int]) -> list[Outcome]:
    """What a sweep computes with ``compute = "advise"``."""
    return cell_by_cell(advise_row, bench, positions)
