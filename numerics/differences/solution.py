"""A step judged by the solution that it leads to, for features of which AD misses the jumps (ReLU and its like).

The classical second derivative of piecewise linear features is zero, and says nothing about the equation; a difference
whose step spans the kinks does.  So A_FD a = f is solved by least squares, and u is held against the known solution.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from numerics.arithmetic.backends import FloatBackend
from numerics.differences.model import ratios, values, with_largest_step
from numerics.differences.steps import rms
from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.problem.problem import Arithmetic, Boundary, Problem
from numerics.spectra.spectrum import UNIT_ROUNDOFF
from theory.base.errors import InputError
from theory.base.exact import spell
from theory.base.expressions import evaluate

OCTAVES = 12
"""Steps are halved so often, from the smallest that spans half an axis."""


def misses_jumps(problem: Problem) -> bool:
    """Whether the operator takes more derivatives than the activation has bounded ones: AD then misses the jumps."""
    return bool(problem.activation.smoothness < problem.operator.order)


def posed(problem: Problem) -> Problem:
    """The problem with a known solution (a product of half sines where there is none) and Dirichlet rows."""
    made = problem
    if made.solution_expression is None:
        waves = (
            f"sin(pi*({name} - ({spell(low)}))/({spell(high - low)}))"
            for name, (low, high) in zip(made.operator.variables, made.domain, strict=True)
        )
        made = made.with_(solution="*".join(waves), rhs=None)
        made = made.with_(boundary=tuple(replace(rows, value=None) for rows in made.boundary))
    if not any(rows.count for rows in made.boundary):
        made = made.with_(boundary=(Boundary(count=2 if made.dimension == 1 else 32),))
    return made


def solution_errors(problem: Problem, arithmetic: Arithmetic) -> tuple[tuple[float, float], ...]:
    """Steps (the largest of the axes), descending, with the relative error of the least-squares solution at the points.

    A problem of :func:`posed`; its steps count by their ratios alone.  The least-squares solution is cut at the round-off of
    the arithmetic.
    """
    given = values(problem)
    f = float_rhs(problem, "float64")
    columns = {s: given.points[:, k] for k, s in enumerate(problem.operator.symbols)}
    assert problem.solution_expression is not None
    exact = np.asarray(
        evaluate(problem.solution_expression, columns, FloatBackend(np.float64)) + 0 * given.points[:, 0]
    )
    parts = [float(r) for r in ratios(problem)] * (1 if len(problem.step) > 1 else problem.dimension)
    largest = min(float(high - low) / r for (low, high), r in zip(problem.domain, parts, strict=True)) / 2
    start = math.floor(math.log2(largest))
    found: dict[float, float] = {}

    def measure(h: Fraction) -> None:
        try:
            A = float_matrix(with_largest_step(problem, h), "fd", arithmetic).astype(np.float64)
            a = np.linalg.lstsq(A, f, rcond=max(A.shape) * float(UNIT_ROUNDOFF[arithmetic]))[0]
            found[float(h)] = rms(given.value @ a - exact) / (rms(exact) or 1.0)
        except (InputError, np.linalg.LinAlgError):
            found[float(h)] = math.inf

    for k in range(start, start - OCTAVES, -1):
        measure(Fraction(2) ** k)
    best = min(found, key=lambda h: found[h])
    for part in (Fraction(3, 2), Fraction(3, 4), Fraction(5, 4), Fraction(5, 8)):
        if float(part) * best <= largest:
            measure(part * Fraction(best))
    return tuple(sorted(found.items(), reverse=True))
