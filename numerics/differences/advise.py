"""What there is to advise on a problem: which step, which stencil, which precision, what AD would gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from numerics.differences.cost import measure_cost
from numerics.differences.model import (
    ErrorModel,
    Parts,
    Values,
    at_step,
    error_model,
    measured_error,
    ratios,
    rms,
    thinned,
    values,
    with_largest_step,
)
from numerics.differences.search import (
    FLOATS,
    Advice,
    ArithmeticAdvice,
    Inputs,
    Measured,
    StencilAdvice,
    inputs,
    label,
    recommended,
)
from numerics.matrices.batches import Workbench
from numerics.problem.problem import Arithmetic, Problem
from numerics.runs.cells import Outcome, cell_by_cell
from numerics.runs.grid import Cell
from theory.base.errors import InputError
from theory.operators.operator import StencilChoice

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
    stored = {a: inputs(smaller, a) for a in FLOATS}
    found = tuple(_in_arithmetic(given, stored[a], a, choices) for a in FLOATS)
    best = recommended(next(a for a in found if a.arithmetic == problem.dtype))
    then = smaller.with_(stencil=next(c for c, name in choices if name == best.label))
    if best.suggested is not None:
        then = with_largest_step(then, Fraction(best.suggested))
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


def _in_arithmetic(
    given: Values, stored: Inputs, arithmetic: Arithmetic, choices: Sequence[tuple[StencilChoice, str]]
) -> ArithmeticAdvice:
    problem = given.problem
    stencils = tuple(
        _stencil(given, stored, arithmetic, choice, name, own=k == 0) for k, (choice, name) in enumerate(choices)
    )
    return ArithmeticAdvice(
        arithmetic, stencils, measured_error(problem, arithmetic, problem.h), at_step(given, arithmetic)
    )


def _stencil(
    given: Values, stored: Inputs, arithmetic: Arithmetic, choice: StencilChoice, name: str, *, own: bool
) -> StencilAdvice:
    problem = given.problem.with_(stencil=choice, step=ratios(given.problem))
    shifts = {s for term in problem.difference.terms for s, w in zip(term.shifts, term.weights, strict=True) if w}
    model = error_model(given, choice, arithmetic)
    found = StencilAdvice(
        name, choice.to_dict(), own, problem.difference.order, len(shifts), "none", None, None, None, None, None
    )
    measured = Measured(problem, stored)
    if not model.smooth:
        return _searched(
            model, measured, found, f"{problem.activation_name} lacks the derivatives of the truncation terms"
        )
    found = replace(found, here=model.parts(float(given.problem.h)))
    step = model.optimum()
    if step is None and not model.truncation(1.0) > 0 and measured.scan() and measured.inner():
        return _searched(model, measured, found, "the leading truncation terms vanish on these features")
    if step is None:
        return replace(found, reason=_no_optimum(model))
    if not measured.confirms(step):
        return _searched(model, measured, found, "the leading truncation terms say too little about these features")
    return replace(
        found,
        basis="model",
        step=step,
        suggested=measured.short(step),
        good=model.good_steps(step),
        best=model.parts(step),
    )


def _no_optimum(model: ErrorModel) -> str:
    if not model.truncation(1.0) > 0:
        return "the leading truncation terms vanish on these features: any step that is not small will do"
    return "no step between 1e-12 and 16 is best"


def _searched(model: ErrorModel, measured: Measured, found: StencilAdvice, why: str) -> StencilAdvice:
    """By measuring; round-off is the model's even where its truncation is not."""
    if not measured.errors and not measured.scan():
        return replace(found, reason=f"{why}, and no step is best")
    step, error = measured.least()
    roundoff = min(error, model.roundoff(step))
    best = Parts(step, error - roundoff, roundoff, model.parts(step).worst_roundoff)
    return replace(
        found,
        basis="search",
        step=step,
        suggested=measured.short(step),
        good=measured.near(),
        best=best,
        reason=f"{why}: steps were tried instead",
    )


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
