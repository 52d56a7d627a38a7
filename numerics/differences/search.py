"""The error of the stored A_FD against A_AD, measured at any step; what is advised on a problem.

A model that is right is confirmed by a few matrices around its optimum, one that is wrong is corrected.  It is wrong
where its leading terms say too little at the step that they ask for: wide or heavy-tailed features whose waves are no
longer than the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.arithmetic.backends import FloatBackend, to_float
from numerics.differences.cost import Cost
from numerics.differences.model import AtStep, Matrix, Parts, with_largest_step
from numerics.differences.steps import NEAR, UNUSABLE, rms
from numerics.matrices.assemble import DTYPES, apply_difference, float_matrix
from numerics.problem.drawn import features, interior_points
from numerics.problem.problem import Arithmetic, Problem
from theory.base.errors import InputError
from theory.base.exact import spell
from theory.operators.operator import StencilChoice

FLOATS: tuple[Arithmetic, ...] = ("float32", "float64")
"""The arithmetics that are advised on."""
AGREE = (1.3, 1.5)
"""A model's optimum stands where its measured error is at most the first number times the least, and its ratio to the
best step at most the second."""


@dataclass(frozen=True)
class StencilAdvice:
    """One stencil in one arithmetic.

    Attributes:
        label: such as ``central order 4``.
        choice: the keys of ``[difference]`` that spell it.
        own: whether it is the problem's own.
        order: order of accuracy.
        evaluations: of the network for each point.
        basis: ``model``: h* of the round-off model, confirmed by measuring around it; ``search``: the best measured,
            where σ lacks the derivatives or the model is not confirmed; ``edge``: the greatest step that the domain
            allows, or the least that the arithmetic tells from 0, towards which the error still falls; ``solution``:
            the step of the least error of the solution, where AD misses jumps; ``none``: no optimum.
        step: h*, the largest of ``steps``; None without an optimum.
        suggested: a number of two binary digits near h*, the best of those by measuring.
        good: the steps with at most :data:`NEAR` times the least error; every one that was tried in it.
        best: truncation and round-off at h*.
        here: truncation and round-off at the problem's own step; None where σ lacks the derivatives.
        reason: why there is no optimum, or why it was searched for.
        steps: h* of each axis: in the ratio of the problem's own steps, or in their own where that gains a factor
            :data:`NEAR`.
        suggested_steps: the same for ``suggested``.
        usable: whether the error at h* is below :data:`numerics.differences.steps.UNUSABLE` of the entries' size (or of the
            solution's).
        solution_errors: steps and relative errors of the least-squares solution, where AD misses jumps.
    """

    label: str
    choice: dict[str, Any]
    own: bool
    order: int
    evaluations: int
    basis: str
    step: float | None
    suggested: str | None
    good: tuple[float, float] | None
    best: Parts | None
    here: Parts | None
    reason: str | None = None
    steps: tuple[float, ...] = ()
    suggested_steps: tuple[str, ...] = ()
    usable: bool = True
    solution_errors: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class ArithmeticAdvice:
    """All stencils in one arithmetic, and what the problem's own step means there.

    Attributes:
        arithmetic: its name.
        stencils: the problem's own first.
        measured: root-mean-square error of the stored A_FD at the problem's own step, against AD in float64.
        at: floor, knee, entropies, loss at the problem's own step.
    """

    arithmetic: Arithmetic
    stencils: tuple[StencilAdvice, ...]
    measured: float
    at: AtStep

    @property
    def own(self) -> StencilAdvice:
        """The problem's own stencil."""
        return self.stencils[0]


@dataclass(frozen=True)
class Advice:
    """What :func:`proofs_check.advice.advice.advise` finds.

    Attributes:
        problem: as given.
        scale: root mean square of the interior entries of A_AD, to which errors compare.
        size: points and features that were looked at.
        whole: whether these are all.
        arithmetics: float32 and float64.
        skipped: stencils that do not fit, with the reason.
        then: floor, knee, entropies, loss with the recommended stencil and step in the problem's arithmetic.
        cost: of AD and FD; None when not measured.
        text: the recommendation, one sentence each.
    """

    problem: Problem
    scale: float
    size: tuple[int, int]
    whole: bool
    arithmetics: tuple[ArithmeticAdvice, ...]
    skipped: tuple[tuple[str, str], ...]
    then: AtStep
    cost: Cost | None
    text: tuple[str, ...]

    def of(self, arithmetic: str) -> ArithmeticAdvice:
        """The advice for an arithmetic."""
        return next(a for a in self.arithmetics if a.arithmetic == arithmetic)

    @property
    def sufficient(self) -> bool:
        """Whether the problem's own difference lets the features reach at most twice the least loss of AD."""
        here = self.of(self.problem.dtype)
        loss = here.at.loss
        right = here.own.basis != "solution" and here.measured < UNUSABLE * self.scale
        return right and 0 < loss.fd <= 2 * loss.ad < math.inf

    @property
    def recommended(self) -> StencilAdvice:
        """The stencil to take in the problem's arithmetic."""
        return recommended(self.of(self.problem.dtype))


def recommended(found: ArithmeticAdvice) -> StencilAdvice:
    """The cheapest symmetric stencil (or the problem's own) that no other beats by a factor of 3 in its least error."""
    solved = [s for s in found.stencils if s.solution_errors]
    if solved:
        errors = [min(e for _, e in s.solution_errors) for s in solved]
        return next(s for s, error in zip(solved, errors, strict=True) if error <= 1.5 * min(errors))
    usable = [s for s in found.stencils if s.best is not None and s.usable]
    usable = usable or [s for s in found.stencils if s.best is not None]
    if not usable:
        return found.own
    least = min(s.best.error for s in usable if s.best)
    good = [s for s in usable if s.best and s.best.error <= 3 * least]
    return min(good, key=lambda s: (s.evaluations, not s.own, s.best.error if s.best else math.inf))


def label(choice: StencilChoice) -> str:
    """A stencil's name in words."""
    if choice.offsets is not None:
        return f"offsets {', '.join(spell(s) for s in choice.offsets)}"
    return f"{choice.name} order {choice.order}" if "point" not in choice.name else choice.name


def _short(step: float) -> list[Fraction]:
    """Numbers of two binary digits (1 or 3 times a power of two) around a step."""
    exponent = math.floor(math.log2(step))
    return [Fraction(2) ** (exponent + k) * digits for k in (-1, 0, 1) for digits in (1, Fraction(3, 2))]


def short(step: float) -> list[Fraction]:
    """The numbers of two binary digits within a factor 1.5 of a step.

    >>> [str(h) for h in short(0.0105)]
    ['1/128', '3/256', '1/64']
    """
    return [h for h in _short(step) if 1 / 1.5 <= h / step <= 1.5]


def near(step: float) -> str:
    """The number of two binary digits nearest to a step in ratio, which is below 1.23.

    >>> near(0.0105), near(0.3)
    ('3/256', '1/4')
    """
    return spell(min(_short(step), key=lambda h: abs(math.log(step / h))))


@dataclass(frozen=True)
class Inputs:
    """What every stencil of a problem is applied to, in one arithmetic: weights (M, d), biases (M,), points (N, d).

    Attributes:
        exact: interior rows of A_AD in float64; they are wrong by a few units in the last place, which is far below
            the error of any difference.
    """

    kind: type[np.floating[Any]]
    W: Matrix
    b: Float[np.ndarray, " m"]
    X: Matrix
    exact: Matrix


def inputs(problem: Problem, arithmetic: Arithmetic) -> Inputs:
    """The stored inputs of a problem.

    Raises:
        InputError: an entry of A_AD that is not finite.
    """
    drawn, kind = features(problem), DTYPES[arithmetic]
    exact = float_matrix(problem.with_(boundary=()), "ad", "float64")
    biases = np.asarray([to_float(b, kind) for b in drawn.biases], dtype=kind)
    return Inputs(kind, _stored(drawn.weights, kind), biases, _stored(interior_points(problem), kind), exact)


def _stored(rows: Any, kind: type[np.floating[Any]]) -> Matrix:
    return np.asarray([[to_float(v, kind) for v in row] for row in rows], dtype=kind)


@dataclass
class Measured:
    """Errors of one stencil in one arithmetic, each step measured once.

    Attributes:
        problem: with the stencil; its step counts by the ratios of the axes alone.
        given: what the stencil is applied to.
    """

    problem: Problem
    given: Inputs
    errors: dict[float, float] = field(default_factory=dict)

    def error(self, h: float) -> float:
        """Root-mean-square error of an entry; infinite where an entry is not finite."""
        if h not in self.errors:
            self.errors[h] = self._measure(h)
        return self.errors[h]

    def _measure(self, h: float) -> float:
        given, kind = self.given, self.given.kind
        try:
            stepped = with_largest_step(self.problem, h)
            with np.errstate(all="ignore"):  # what is not finite is no step to take
                stored = apply_difference(
                    stepped, given.W, given.b, given.X, FloatBackend(kind), lambda values: _stored(values, kind)
                )
                error = rms(stored.astype(np.float64) - given.exact)
        except InputError:
            return math.inf
        return error if math.isfinite(error) else math.inf

    def short(self, step: float, most: float = math.inf) -> Fraction:
        """The best number of two binary digits within a factor 1.5 of a step; three decimal ones where those are bad."""
        best = min((h for h in short(step) if h <= most), key=lambda h: self.error(float(h)))
        return best if self.error(float(best)) <= NEAR * self.error(step) else Fraction(f"{step:.2e}")
