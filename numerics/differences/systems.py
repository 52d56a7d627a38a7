"""Advice on the differences of equations in several unknowns: each derivative by itself, and what one common step costs.

The networks are those that a training would start from, hard conditions included.  Derivatives are advised one by one
(:mod:`numerics.differences.network`); the residual with one step for all of them is compared with that by autodiff in
float64 at the same parameters, as it would be trained, one-sided stencils near the border included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from numerics.differences.cost import Cost, medians
from numerics.differences.network import ModuleAdvice, advise_module, single_thread
from numerics.differences.search import FLOATS, label, near
from numerics.differences.steps import NEAR
from numerics.problem.drawn import interior_points
from numerics.problem.problem import METHODS, Problem
from numerics.training.short import ShortTraining, short_training
from theory.base.errors import InputError
from theory.operators.operator import MultiIndex

if TYPE_CHECKING:
    from torch import Tensor

POINTS = 96
"""More points than that are thinned out evenly."""


@dataclass(frozen=True)
class CommonStep:
    """One step for all derivatives, in one arithmetic; errors are root mean squares over the equations and points.

    Attributes:
        arithmetic: of the network.
        size: root mean square of the residual by autodiff.
        step: of those tried the best, in units of the file's step on its first axis: the steps of several axes keep their ratios.
        suggested: a number of two binary digits near it.
        good: the steps with at most :data:`numerics.differences.steps.NEAR` times the least error.
        error: at the best step.
        here: at the file's step; infinite where that leaves no room in the domain.
        edge: whether the best step is the first or the last of those tried, so that it is no optimum.
        prices: for each derivative its error at the common step over the least it can have, where its curve reaches there.
        curve: steps and errors.
    """

    arithmetic: str
    size: float
    step: float
    suggested: str
    good: tuple[float, float]
    error: float
    here: float
    edge: bool
    prices: tuple[tuple[str, float], ...]
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SystemAdvice:
    """What :func:`study_system` finds.

    Attributes:
        problem: as given.
        terms: for each unknown that is differentiated the advice on its derivatives; written in ``u``.
        common: one step for all, in each arithmetic.
        size: points that were looked at, and points there are.
        text: the recommendation, one sentence each; empty until it is put in words.
        cost: of AD in closed form, as equations are trained, and of FD; None when not measured.
        trained: what a short training gives, where the networks have kinks of which autodiff misses the jumps: errors against
            it say nothing then.  None where they have none, or the solution is not known.
    """

    problem: Problem
    terms: tuple[tuple[str, ModuleAdvice], ...]
    common: tuple[CommonStep, ...]
    size: tuple[int, int]
    text: tuple[str, ...]
    cost: Cost | None = None
    trained: ShortTraining | None = None

    @property
    def kinked(self) -> tuple[str, ...]:
        """The derivatives of which autodiff misses jumps."""
        return tuple(dict.fromkeys(
            term.derivative.replace("u_", f"{name}_", 1)
            for name, found in self.terms for term in found.terms if term.basis == "kinks"
        ))  # fmt: skip


def study_system(problem: Problem, *, cost: bool = False) -> SystemAdvice:
    """What there is to advise on a problem posed by equations, without words; ``cost`` measures AD and FD.

    Raises:
        InputError: no interior points, or differences that find no room in the domain at any step.
    """
    from numerics.training import equations

    points = interior_points(problem)
    if not points:
        raise InputError("points.interior: there are none to advise on")
    chosen = [points[int(k)] for k in np.linspace(0, len(points) - 1, min(POINTS, len(points)))]
    smaller = problem.with_(interior=tuple(chosen), boundary=(), layout="grid") if problem.mask else problem.with_(
        interior=tuple(chosen), layout="grid"
    )  # fmt: skip
    flat = equations.start(problem, [problem.seed])
    parts = equations.modules(problem, flat[0])
    X = np.array([[float(c) for c in point] for point in chosen])
    terms = []
    for name in problem.unknown_names:
        if text := _in_u(problem, name):
            terms.append(
                (name, advise_module(parts[name].double(), text, X, choices=(problem.stencil,), dtype=problem.dtype))
            )
    with single_thread():
        curves = {arithmetic: _curve(smaller, flat, arithmetic) for arithmetic in FLOATS}
    common = tuple(_common(problem, arithmetic, *curves[arithmetic], terms) for arithmetic in FLOATS)
    measured = _cost(smaller, flat) if cost else None
    found = SystemAdvice(problem, tuple(terms), common, (len(chosen), len(points)), (), measured)
    if not found.kinked:
        return found
    with single_thread():
        return replace(found, trained=short_training(smaller))


def _cost(problem: Problem, flat: Tensor) -> Cost | None:
    """Of one loss with its gradient, as it is trained; None where the problem's step leaves no room in the domain."""
    import torch

    from numerics.training import equations

    kind = getattr(torch, problem.dtype)
    try:
        models = {method: equations.residual(problem, method) for method in METHODS}
    except InputError:
        return None
    placed = {m: type(o)(o.network, o.system.to(flat.device, kind), o.content) for m, o in models.items()}
    started = flat.to(kind)
    median = medians({m: lambda o=o: o(started) for m, o in placed.items()})  # type: ignore[misc]
    return Cost(None, median["fd"], median["ad"], "cpu", problem.dtype, torch.get_num_threads())


def _in_u(problem: Problem, unknown: str) -> str:
    """The sum of an unknown's derivatives, every coordinate named so that none is mistaken; empty if there are none."""
    alphas = dict.fromkeys(
        d.alpha for e in problem.posed for _, d in e.derivatives if d.unknown == unknown and any(d.alpha)
    )
    if not alphas:
        return ""
    return " + ".join(_spelled(problem, "u", alpha) for alpha in alphas) + f" + 0*({' + '.join(problem.variables)})"


def _spelled(problem: Problem, unknown: str, alpha: MultiIndex) -> str:
    return unknown + "_" + "".join(v * k for v, k in zip(problem.variables, alpha, strict=True))


def _curve(problem: Problem, flat: Tensor, arithmetic: str) -> tuple[float, tuple[tuple[float, float], ...], float]:
    """Size of the residual, errors at a grid of common steps, and the error at the problem's own step."""
    import torch

    from numerics.training import equations

    kind, cpu = getattr(torch, arithmetic), torch.device("cpu")
    rounded = flat.to(kind)
    rows = len(interior_points(problem)) * len(problem.posed)
    with torch.no_grad():
        exact = equations.residual(problem, "ad")
        truth = exact.residual(rounded.double())[0, :rows]

        def error(h: Fraction) -> float:
            moved = problem.with_(step=tuple(s * h / problem.step[0] for s in problem.step))
            model = equations.residual(moved, "fd")
            found = type(model)(model.network, model.system.to(cpu, kind), model.content).residual(rounded)[0, :rows]
            return float((found.double() - truth).square().mean().sqrt())

        try:
            here = error(problem.step[0])
        except InputError:  # it leaves no room in the domain
            here = math.inf
        tried = dict(_tried(problem, error, 2.0 ** (-22 if arithmetic == "float32" else -36)))
        return float(truth.square().mean().sqrt()), tuple(sorted(tried.items())), here


def _tried(problem: Problem, error: Callable[[Fraction], float], least: float) -> Iterator[tuple[float, float]]:
    """Steps a factor 4 apart under an eighth of the narrowest axis, then a finer few around the best."""
    ratios = [s / problem.step[0] for s in problem.steps]
    top = min(float(high - low) / float(r) for (low, high), r in zip(problem.domain, ratios, strict=True)) / 8
    found: dict[float, float] = {}

    def look(h: float) -> None:
        try:
            found[h] = error(Fraction(h))
        except InputError:  # no room in the domain
            return

    first = 2.0 ** math.floor(math.log2(top))
    h = first
    while h >= first * least * 8:
        look(h)
        h /= 4
    if not found:
        raise InputError("difference.step: no step leaves room for the differences in the domain")
    best = min(found, key=lambda h: found[h])
    for half in (-3, -2, -1, 1, 2, 3):
        look(best * 2.0 ** (half / 2))
    yield from found.items()


def _common(
    problem: Problem,
    arithmetic: str,
    size: float,
    curve: tuple[tuple[float, float], ...],
    here: float,
    terms: list[tuple[str, ModuleAdvice]],
) -> CommonStep:
    finite = [(h, e) for h, e in curve if math.isfinite(e)]
    if not finite:
        raise InputError(f"equations: their differences are not finite in {arithmetic}")
    step, least = min(finite, key=lambda point: point[1])
    good = [h for h, e in finite if e <= NEAR * least]
    prices: list[tuple[str, float]] = []
    for name, advice in terms:
        for term in advice.terms:
            if (term.arithmetic, term.stencil) != (arithmetic, label(problem.stencil)) or not (
                term.usable and term.error > 0
            ):
                continue
            h, at = min(term.curve, key=lambda point: abs(math.log(point[0] / step)))
            if 1 / NEAR <= h / step <= NEAR:
                prices.append((term.derivative.replace("u_", f"{name}_", 1), max(1.0, at / term.error)))
    edge = step in (finite[0][0], finite[-1][0])
    return CommonStep(
        arithmetic, size, step, near(step), (min(good), max(good)), least, here, edge, tuple(prices), curve
    )
