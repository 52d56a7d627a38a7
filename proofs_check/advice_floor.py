"""What a step means for the spectrum, the entropies and the attainable loss, in one arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.backends import FloatBackend
from numerics.floor import Floor, predict
from numerics.matrices import float_matrix, float_rhs
from numerics.problem import Arithmetic, Problem
from numerics.reference_spectra import floating_singular_values
from numerics.spectra import UNIT_ROUNDOFF
from proofs_check.advice_model import Matrix, Values, leading_terms
from theory.entropy import EntropyValue, truncated_entropy
from theory.errors import InputError
from theory.expressions import evaluate
from theory.operators import differentiate


@dataclass(frozen=True)
class LossFloor:
    """The PDE loss ``½‖A_AD a − f‖²`` (all rows) that the truncated pseudo-inverse of a stored matrix leaves.

    Attributes:
        ad: with A_AD of this arithmetic, cut at its own round-off.
        fd: with A_FD, cut at the predicted floor.
        unresolved: predicted part of ``fd``: what the features above the floor cannot represent.
        truncation: predicted part: what L_h does to the solution.
        roundoff: predicted part: N τ² ‖a‖² / 2.
    """

    ad: float
    fd: float
    unresolved: float
    truncation: float
    roundoff: float

    @property
    def predicted(self) -> float:
        """The parts together."""
        return self.unresolved + self.truncation + self.roundoff


@dataclass(frozen=True)
class AtStep:
    """The problem's own stencil at its own step, in one arithmetic.

    Attributes:
        floor: predicted round-off floor and knee.
        values: number of singular values.
        ad, fd: entropies of the stored matrices under the problem's convention, with their cut-offs.
        predicted_fd: entropy of the predicted spectrum: truncation to leading order above the knee, noise behind it;
            None where the activation lacks the derivatives.
        loss: what a solver may reach.
    """

    floor: Floor
    values: int
    ad: EntropyValue
    fd: EntropyValue
    predicted_fd: float | None
    loss: LossFloor

    @property
    def gap(self) -> float | None:
        """H_FD − H_AD."""
        return None if self.ad.value is None or self.fd.value is None else float(self.fd.value - self.ad.value)

    @property
    def predicted_gap(self) -> float | None:
        """The predicted H_FD, less H_AD."""
        if self.predicted_fd is None or self.ad.value is None:
            return None
        return self.predicted_fd - float(self.ad.value)


def at_step(given: Values, arithmetic: Arithmetic) -> AtStep:
    """Floor, knee, entropies and loss floor of a problem at its own step.

    Raises:
        InputError: an entry that is not finite in this arithmetic.
    """
    problem = given.problem
    exact, shift, smooth = _expanded(given)
    stored = {m: float_matrix(problem, m, arithmetic).astype(np.float64) for m in ("ad", "fd")}
    spectrum = floating_singular_values(exact)
    found = predict(problem, arithmetic, spectrum.tolist())
    entropies = {m: truncated_entropy(floating_singular_values(A), problem.convention) for m, A in stored.items()}
    predicted = _predicted_entropy(exact + shift, found, problem) if smooth else None
    loss = _loss_floor(given, exact, stored, shift[: len(given.points)], found, arithmetic)
    return AtStep(found, len(spectrum), entropies["ad"], entropies["fd"], predicted, loss)


def predicted_gap(given: Values, arithmetic: Arithmetic) -> float | None:
    """:attr:`AtStep.predicted_gap` alone.

    Raises:
        InputError: an entry that is not finite in this arithmetic.
    """
    exact, shift, smooth = _expanded(given)
    floor = predict(given.problem, arithmetic, floating_singular_values(exact).tolist())
    fd = _predicted_entropy(exact + shift, floor, given.problem) if smooth else None
    stored = float_matrix(given.problem, "ad", arithmetic).astype(np.float64)
    ad = truncated_entropy(floating_singular_values(stored), given.problem.convention).value
    return None if fd is None or ad is None else fd - float(ad)


def _expanded(given: Values) -> tuple[Matrix, Matrix, bool]:
    """A_AD in float64, the leading terms of A_FD − A_AD, and whether these say anything."""
    exact = float_matrix(given.problem, "ad", "float64")
    leading, smooth = leading_terms(given, given.problem.stencil)
    shift = np.zeros_like(exact)
    for power, part in leading.items():
        shift[: len(part)] += float(given.problem.h) ** power * part
    return exact, shift, smooth and bool(np.isfinite(shift).all())


def _predicted_entropy(truncated: Matrix, floor: Floor, problem: Problem) -> float | None:
    values = floating_singular_values(truncated)
    behind = len(values) - floor.knee
    noise = np.asarray(floor.noise[:behind])
    values[len(values) - len(noise) :] = np.hypot(values[len(values) - len(noise) :], noise)
    value = truncated_entropy(-np.sort(-values), problem.convention).value
    return None if value is None else float(value)


def _loss_floor(
    given: Values, exact: Matrix, stored: dict[str, Matrix], shift: Matrix, floor: Floor, arithmetic: Arithmetic
) -> LossFloor:
    problem = given.problem
    f = float_rhs(problem, "float64")
    own = max(exact.shape) * float(UNIT_ROUNDOFF[arithmetic])
    losses = {}
    for method, A in stored.items():
        U, s, V = np.linalg.svd(A, full_matrices=False)
        level = own * s[0] if method == "ad" else max(own * s[0], floor.floor)
        kept = s >= level
        a = V[kept].T @ ((U[:, kept].T @ f) / s[kept])
        losses[method] = 0.5 * float(np.sum((exact @ a - f) ** 2))
    U, s, V = np.linalg.svd(exact, full_matrices=False)
    r = int(np.sum(s >= max(own * s[0], floor.floor)))
    projections = U[:, :r].T @ f
    a = V[:r].T @ (projections / s[:r])
    unresolved = 0.5 * float(np.sum((f - U[:, :r] @ projections) ** 2))
    rows = len(given.points)
    truncation = _on_solution(given)
    if truncation is None:
        truncation = shift @ a
    roundoff = 0.5 * rows * (floor.entry_error * float(np.linalg.norm(a))) ** 2
    return LossFloor(losses["ad"], losses["fd"], unresolved, 0.5 * float(np.sum(truncation**2)), roundoff)


def _on_solution(given: Values) -> Float[np.ndarray, " n"] | None:
    """The leading truncation terms of L_h on the known solution at the points; None without one."""
    problem = given.problem
    if problem.solution_expression is None:
        return None
    symbols = problem.operator.symbols
    columns: dict[Any, Any] = {s: given.points[:, axis : axis + 1] for axis, s in enumerate(symbols)}
    steps = [float(h) for h in problem.steps]
    total = np.zeros((len(given.points), 1))
    try:
        for term in problem.difference.terms:
            if term.stencil is None or term.stencil.is_exact:
                continue
            for beta, e in term.stencil.truncation(1)[0].coefficients:
                factor = float(e) * math.prod(s**k for s, k in zip(steps, beta, strict=True)) / float(term.scale)
                derived = differentiate(problem.solution_expression, beta, symbols)
                total = total + factor * given.coefficient(term.coefficient) * evaluate(
                    derived, columns, FloatBackend(np.float64)
                )
    except InputError:
        return None
    found: Float[np.ndarray, " n"] = total[:, 0]
    return found if np.isfinite(found).all() else None
