"""Leading terms of A_FD − A_AD in the step, in float64: what truncation alone does to the matrix.

:mod:`numerics.step_expansion` is the same expansion in balls, with a proven remainder.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from numerics.backends import FloatBackend
from numerics.features import arguments
from numerics.matrices import shape
from numerics.problem import Problem
from theory.activations import z
from theory.errors import InputError, NonexistenceError
from theory.expressions import evaluate

Matrix = Float[np.ndarray, "rows M"]


def truncation_terms(problem: Problem, terms: int = 1) -> dict[int, Matrix]:
    """The power q of the step to the terms of that power, ``Σ c(x_i) e_β h^β ∂^β φ_j(x_i)``; ascending powers.

    Args:
        problem: its own stencils at its own step, which is included in the terms.
        terms: how many terms of each difference.

    Returns:
        matrices (N + N_b, M), zero in the boundary rows; empty for differences that are exact.

    Raises:
        NonexistenceError: the activation lacks a derivative that they need.
        InputError: a term that is not finite in float64.
    """
    rows, columns = shape(problem)
    (X, W, argument), backend = arguments(problem), FloatBackend(np.float64)
    at = {symbol: X[:, axis : axis + 1] for axis, symbol in enumerate(problem.operator.symbols)}
    steps = [float(h) for h in problem.steps]
    found: dict[int, Matrix] = {}
    for term in problem.difference.terms:
        if term.stencil is None or term.stencil.is_exact:
            continue
        coefficient = evaluate(term.coefficient, at, backend) + 0 * X[:, :1]
        for part in term.stencil.truncation(terms):
            if problem.activation.smoothness < part.derivative:
                raise NonexistenceError(
                    f"features.activation: {problem.activation.name} has {problem.activation.smoothness} bounded "
                    f"derivatives; the truncation error needs {part.derivative}"
                )
            with np.errstate(all="ignore"):  # what overflows is refused below
                sigma = evaluate(problem.activation.derivative(part.derivative), {z: argument}, backend)
                for beta, e in part.coefficients:
                    factor = float(e) * math.prod(h**k for h, k in zip(steps, beta, strict=True)) / float(term.scale)
                    monomial = np.prod([W[:, axis] ** times for axis, times in enumerate(beta)], axis=0)
                    total = found.setdefault(part.power, np.zeros((rows, columns)))
                    total[: len(X)] += factor * coefficient * monomial * sigma
    if not all(np.isfinite(part).all() for part in found.values()):
        raise InputError("features: a derivative that the truncation error needs is not finite in float64")
    return dict(sorted(found.items()))
