"""The best step by measuring: what the model of :mod:`proofs_check.advice_model` is held against.

From the model's optimum the search walks both ways, measuring the error of the stored A_FD against A_AD, until it has
clearly risen: a model that is right is confirmed by a few matrices, one that is wrong is corrected.  It is wrong where its leading terms say too little at the step that they ask for: wide
or heavy-tailed features whose waves are no longer than the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.backends import FloatBackend, to_float
from numerics.features import features, interior_points
from numerics.matrices import DTYPES, apply_difference, float_matrix
from numerics.problem import Arithmetic, Problem
from proofs_check.advice_model import NEAR, STEPS, Matrix, rms, with_largest_step
from theory.errors import InputError
from theory.exact import spell

RISEN = 4.0
"""The walk ends where the error is this many times the least, or after :data:`PATIENCE` steps without a lesser one."""
PATIENCE = 4
AGREE = (1.3, 1.5)
"""A model's optimum stands where its measured error is at most the first number times the least, and its ratio to the
best step at most the second."""


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

    def least(self) -> tuple[float, float]:
        """The best step so far, and its error."""
        return min(self.errors.items(), key=lambda found: found[1])

    def near(self) -> tuple[float, float]:
        """The steps tried so far, next to each other around the best, with at most NEAR times the least error."""
        best, error = self.least()
        tried = sorted(self.errors)
        at = tried.index(best)
        low = high = at
        while low > 0 and self.errors[tried[low - 1]] <= NEAR * error:
            low -= 1
        while high + 1 < len(tried) and self.errors[tried[high + 1]] <= NEAR * error:
            high += 1
        return tried[low], tried[high]

    def walk(self, start: float) -> None:
        """Measures powers of two around ``start``, both ways, until the error has clearly risen; then half-way steps.

        Shifts by a power of two are mostly free of rounding, so that a search which leaves them out misses the best.
        """
        middle = 2.0 ** round(math.log2(start))
        self.error(middle)
        for factor in (2.0, 0.5):
            h, waited = middle * factor, 0
            while STEPS[0] < h < STEPS[1] and waited < PATIENCE:
                least = self.least()[1]
                waited = 0 if self.error(h) < least else waited + 1
                if self.error(h) > RISEN * least:
                    break
                h *= factor
        best = self.least()[0]
        for factor in (math.sqrt(2), 1 / math.sqrt(2)):
            self.error(best * factor)

    def scan(self) -> bool:
        """Measures a coarse grid of all steps, then around its best; whether an error is positive and finite."""
        for k in range(-2, 30, 2):
            self.error(2.0**-k)
        self.walk(self.least()[0])
        return 0 < self.least()[1] < math.inf

    def inner(self) -> bool:
        """Whether the best step so far has tried ones on both sides with clearly larger errors."""
        best, least = self.least()
        return all(
            any(e > RISEN * least for h, e in self.errors.items() if (h < best) == below) for below in (True, False)
        )

    def confirms(self, step: float) -> bool:
        """Whether measuring around a model's optimum agrees with it; an error of zero leaves nothing to choose."""
        self.walk(step)
        error = self.error(step)
        best, least = self.least()
        factor, ratio = AGREE
        return least == 0 or (error <= factor * least and 1 / ratio < step / best < ratio)

    def short(self, step: float) -> str:
        """The best number of two binary digits (1 or 3 times a power of two) within a factor 1.5 of a step."""
        exponent = math.floor(math.log2(step))
        digits = [Fraction(2) ** (exponent + k) * d for k in (-1, 0, 1) for d in (1, Fraction(3, 2))]
        return spell(min((h for h in digits if 1 / 1.5 <= h / step <= 1.5), key=lambda h: self.error(float(h))))
