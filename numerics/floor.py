"""The round-off floor of A_FD: how large its entries' errors are, where its small singular values flatten, and how.

Formulas and their sources are in :mod:`theory.roundoff`; this module evaluates them on a problem.  Entries of A_FD
carry errors of typical size τ; as a matrix of independent errors these have spectral norm about τ(√N + √M), the
*floor*; the *knee* is the first index whose exact AD singular value lies under it.  Behind the knee the singular
values follow the Marchenko-Pastur quantiles of an (N − knee) × (M − knee) noise matrix (V. Marchenko and L. Pastur,
Math. USSR Sb. 1 (1967) 457).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from numerics.backends import FloatBackend
from numerics.features import arguments
from numerics.problem import Problem
from theory import roundoff
from theory.activations import z
from theory.expressions import evaluate


@dataclass(frozen=True)
class Floor:
    """Prediction for A_FD in a floating-point arithmetic.

    Attributes:
        entry_error: τ, the root-mean-square error of an entry.
        floor: τ(√N + √M), in units of the singular values.
        knee: number of exact AD singular values at or above the floor (0-based index of the first one under it).
        noise: predicted singular values behind the knee, descending.
    """

    entry_error: float
    floor: float
    knee: int
    noise: tuple[float, ...]


def entry_errors(problem: Problem, arithmetic: str) -> Float[np.ndarray, "N M"]:
    """Typical rounding error of each interior entry of A_FD.

    ``κ u √(Σ c_k²) √(σ² + σ'²(2 (w·x)² + z²)) / h^m`` for every difference of L_h, added in quadrature: the rounding of
    σ's value, and of its argument z = w·x + b through the rounding of x, w and the sum.
    """
    u = roundoff.UNIT_ROUNDOFF[arithmetic]
    X, W, argument = arguments(problem)
    products = X @ W.T
    backend = FloatBackend(np.float64)
    value = evaluate(problem.activation.derivative(0), {z: argument}, backend) + 0 * argument
    slope = evaluate(problem.activation.derivative(1), {z: argument}, backend) + 0 * argument
    size = np.sqrt(roundoff.typical_square(value, slope, products, argument))
    columns = {s: X[:, axis : axis + 1] for axis, s in enumerate(problem.operator.symbols)}
    gain = np.zeros((len(X), 1))
    for term in problem.difference.terms:
        coefficient = evaluate(term.coefficient, columns, backend) + 0 * X[:, :1]
        gain = gain + (coefficient * math.sqrt(sum(c * c for c in term.weights)) / float(term.scale)) ** 2
    return np.asarray(roundoff.TYPICAL_FACTOR * u * np.sqrt(gain) * size)


def predict(problem: Problem, arithmetic: str, exact_ad: Sequence[float]) -> Floor:
    """Floor and knee of A_FD in ``arithmetic`` from the exact AD singular values (descending)."""
    errors = entry_errors(problem, arithmetic)
    rows, columns = errors.shape
    tau = float(np.sqrt(np.mean(errors**2)))
    floor = roundoff.spectral_floor(tau, rows, columns)
    knee = roundoff.knee(exact_ad, tau, rows, columns)
    return Floor(tau, floor, knee, tuple(roundoff.noise_values(tau, rows - knee, columns - knee)))
