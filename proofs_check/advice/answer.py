"""One answer for every kind of advice: what is recommended, and each difference in a row, for text, page, JSON and figure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from numerics.differences.cost import Cost
from numerics.differences.network import ModuleAdvice
from numerics.differences.search import Advice, StencilAdvice, label
from numerics.differences.steps import UNUSABLE
from numerics.differences.systems import CommonStep, SystemAdvice
from numerics.differences.terms import TermAdvice
from numerics.problem.problem import Problem
from proofs_check.advice.module_words import short
from proofs_check.advice.words import finite, number, percent


@dataclass(frozen=True)
class Row:
    """One derivative, or a whole equation, with one stencil in one arithmetic; errors are in parts of its size.

    Attributes:
        name: such as ``u_xx``.
        dtype: the arithmetic.
        stencil: its name.
        steps: h* of each axis by name; empty where there is none.
        good: the steps (the largest of the axes) with at most twice the least error.
        error: at h*; None where that says nothing.
        usable: whether it can be used.
        points: (h, error) as measured; empty where they are not kept.
        truncation: (C, p) of the branch ``C h^p``;  roundoff: (ρ, m) of ``ρ h^-m``; None where they do not show.
        ad: error of nested autograd in this arithmetic; None where it was not measured.
    """

    name: str
    dtype: str
    stencil: str
    steps: tuple[tuple[str, float], ...]
    good: tuple[float, float] | None
    error: float | None
    usable: bool
    points: tuple[tuple[float, float], ...] = ()
    truncation: tuple[float, int] | None = None
    roundoff: tuple[float, int] | None = None
    ad: float | None = None


@dataclass(frozen=True)
class Answer:
    """What is recommended, and everything that stands behind it.

    Attributes:
        equation: what is differenced.
        dtype: the arithmetic.
        stencil: its name.
        steps: one for each axis, by name, as numbers to copy: ``("x", "1/64")``.
        error: the relative error to expect; None where none can be told.
        usable: whether this can be used.
        ad_error: relative error of AD in the same arithmetic; None where it was not measured.
        cost: of an iteration with AD and with FD; None where it was not measured.
        text: the recommendation and its reasons, one sentence each.
        rows: every difference that was looked at.
        given: the step that was asked about, by axis; empty without one.
    """

    equation: str
    dtype: str
    stencil: str
    steps: tuple[tuple[str, str], ...]
    error: float | None
    usable: bool
    ad_error: float | None
    cost: Cost | None
    text: tuple[str, ...]
    rows: tuple[Row, ...]
    given: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """In JSON types; numbers that are not finite are None."""
        cost = self.cost
        made: dict[str, Any] = finite(
            {
                "equation": self.equation, "dtype": self.dtype, "stencil": self.stencil, "steps": dict(self.steps),
                "error": self.error, "usable": self.usable,
                "ad": {"error": self.ad_error, "times_fd": cost.ratio if cost else None,
                       "closed_form_times_fd": cost.ad_taylor / cost.fd if cost and cost.ad_taylor else None},
                "text": list(self.text), "given": dict(self.given),
                "rows": [asdict(row) | {"steps": dict(row.steps)} for row in self.rows],
            }
        )  # fmt: skip
        return made


COLUMNS = ("of", "in", "stencil", "h*", "good h", "error", "AD")
"""Of the table of rows."""


def cells(row: Row) -> list[str]:
    """A row of the table."""
    several = len({h for _, h in row.steps}) > 1
    steps = ", ".join(f"h_{n} = {number(h)}" for n, h in row.steps) if several else (
        number(row.steps[0][1]) if row.steps else "")  # fmt: skip
    error = "" if row.error is None else percent(row.error) + ("" if row.usable else ", unusable")
    good = "" if row.good is None else " … ".join(map(number, row.good))
    ad = "" if row.ad is None or not math.isfinite(row.ad) else percent(row.ad)
    return [row.name, row.dtype, row.stencil, steps, good, error, ad]


def answer(advice: Advice | ModuleAdvice | SystemAdvice) -> Answer:
    """The answer in an advice of any kind."""
    if isinstance(advice, Advice):
        return _of_problem(advice)
    return _of_module(advice) if isinstance(advice, ModuleAdvice) else _of_system(advice)


def _of_problem(advice: Advice) -> Answer:
    variables, best = advice.problem.operator.variables, advice.recommended

    def error_of(s: StencilAdvice) -> float | None:
        if s.solution_errors:
            return min(e for _, e in s.solution_errors)
        return None if s.best is None else _ratio(s.best.error, advice.scale)

    rows = tuple(
        Row(
            advice.problem.operator.text, part.arithmetic, s.label, tuple(zip(variables, s.steps, strict=False)), s.good,
            error_of(s), s.usable,
        )
        for part in advice.arithmetics for s in part.stencils
    )  # fmt: skip
    steps = tuple(zip(variables, best.suggested_steps, strict=False))
    given = tuple((name, float(h)) for name, h in zip(variables, advice.problem.steps, strict=True))
    return Answer(
        advice.problem.operator.text, advice.problem.dtype, best.label, steps, error_of(best), best.usable and bool(steps), None,
        advice.cost, advice.text, rows, given,
    )  # fmt: skip


def _of_module(advice: ModuleAdvice) -> Answer:
    best = advice.recommended
    return Answer(
        advice.operator, advice.arithmetic, best.stencil, tuple((n, short(h)) for n, h in best.suggested_steps) if best.basis != "kinks" else (),
        best.relative, best.usable, _ad(best), advice.cost, advice.text, tuple(_terms(advice)),
        advice.judged.steps if advice.judged else (),
    )  # fmt: skip


def _terms(advice: ModuleAdvice, unknown: str = "u", *, whole: bool = True) -> Iterator[Row]:
    """The whole equation first, those in the arithmetic that is advised on before others."""
    single = {t.derivative for t in advice.terms}
    told_of = [*(t for t in advice.residual if whole and t.derivative not in single), *advice.terms]
    place = {name: k for k, name in enumerate(dict.fromkeys(t.derivative for t in told_of))}
    for term in sorted(told_of, key=lambda t: (t.arithmetic != advice.arithmetic, t.arithmetic, place[t.derivative])):
        kind = _kind(term, advice)
        told = term.basis not in {"zero", "kinks"}
        yield Row(
            term.derivative.replace("u_", f"{unknown}_", 1) if unknown != "u" else term.derivative,
            term.arithmetic, term.stencil, term.steps if told else (), term.good if told else None,
            term.relative if told else None, term.usable,
            tuple((h, e / term.size) for h, e in term.curve) if told else (),
            (term.truncation / term.size, kind[0]) if told and kind and term.truncation else None,
            (term.rho / term.size, kind[1]) if told and kind and term.rho else None,
            _ad(term) if told else None,
        )  # fmt: skip


def _kind(term: TermAdvice, advice: ModuleAdvice) -> tuple[int, int] | None:
    """Order of accuracy and of the derivative, where the whole of the term has one of each."""
    orders = {
        len(t.derivative.rpartition("_")[2]) for t in advice.terms if term.derivative in (t.derivative, advice.operator)
    }
    *_, order = term.stencil.split()
    return (int(order), orders.pop()) if len(orders) == 1 and order.isdigit() else None


def _ad(term: TermAdvice) -> float | None:
    """In float64 autograd is what errors are told against."""
    return None if term.arithmetic == "float64" else _ratio(term.ad_error, term.size)


def _ratio(part: float, size: float) -> float | None:
    return part / size if size > 0 and math.isfinite(part) else None


def _of_system(advice: SystemAdvice) -> Answer:
    problem = advice.problem
    here = next(c for c in advice.common if c.arithmetic == problem.dtype)
    rows = [_common(problem, c) for c in advice.common]
    first = rows[advice.common.index(here)]
    rows = [] if advice.kinked else rows  # their errors against autodiff say nothing
    for name, found in advice.terms:
        rows += _terms(found, name, whole=False)
    rows.sort(key=lambda row: row.dtype != problem.dtype)
    steps = tuple((name, number(h)) for name, h in first.steps)
    if len({h for _, h in first.steps}) == 1:
        steps = tuple((name, here.suggested) for name, _ in first.steps)
    given = tuple((name, float(h)) for name, h in zip(problem.variables, problem.steps, strict=True))
    error, usable = first.error, first.usable
    if advice.kinked:
        h, error = advice.trained.best if advice.trained else (math.nan, None)
        usable = error is not None and error < UNUSABLE
        parts = {name: float(s / problem.step[0]) for name, s in zip(problem.variables, problem.steps, strict=True)}
        steps = tuple((name, number(h * parts[name])) for name, _ in first.steps) if usable else ()
    return Answer(
        "; ".join(e.text for e in problem.posed), problem.dtype, first.stencil, steps, error, usable, None,
        advice.cost, advice.text, tuple(rows), given,
    )  # fmt: skip


def _common(problem: Problem, found: CommonStep) -> Row:
    """One step for all derivatives, along the coordinates that are differenced."""
    along = problem.along or problem.variables
    steps = tuple(
        (name, found.step * float(s / problem.step[0]))
        for name, s in zip(problem.variables, problem.steps, strict=True)
        if name in along
    )
    error = _ratio(found.error, found.size)
    return Row(
        "all equations", found.arithmetic, label(problem.stencil), steps, found.good, error,
        error is not None and error < UNUSABLE,
        tuple((h, e / found.size) for h, e in found.curve if math.isfinite(e)) if found.size > 0 else (),
    )  # fmt: skip
