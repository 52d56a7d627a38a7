"""Truncation and round-off of L_h on a problem's features as functions of the step, h*; what a step means (ours).

The model of :mod:`theory.operators.roundoff`, evaluated on a problem's features at its points.  Truncation: the leading terms
``Σ c(x) e_β h^p ∂^β φ_j(x_i)`` of every difference, root mean square over points and features.  Round-off: typical
size ``κ u √Σ c_k² · rms √(σ² + σ'²(2 (w·x)² + z²)) / h^m`` of every difference, in quadrature.  The sum of the two is
least at h*, in closed form where all differences have one order p and one degree m:
``h* = (m ρ / (p T))^(1/(p+m))`` with truncation ``T h^p`` and round-off ``ρ h^-m``.  Where a problem has one step per
axis, h is the largest of them and the others keep their ratio to it.

A step means, in one arithmetic, a floor of the spectrum, entropies, and an attainable loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.arithmetic.backends import FloatBackend
from numerics.differences.floor import Floor, predicted_floor
from numerics.differences.steps import NEAR, bounds, rms
from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.problem.drawn import features, interior_points
from numerics.problem.problem import Arithmetic, Problem
from numerics.spectra.spectrum import UNIT_ROUNDOFF, floating_singular_values
from theory.base.errors import InputError
from theory.base.expressions import evaluate
from theory.entropy.entropy import EntropyValue, truncated_entropy
from theory.features.activations import z
from theory.operators import roundoff
from theory.operators.operator import DifferenceTerm, StencilChoice, differentiate

Matrix = Float[np.ndarray, "n m"]

MAX_SIZE = 256
"""Most points, and most features, that are looked at; larger problems are thinned out evenly."""
STEPS = (1e-12, 16.0)
"""Steps between which an optimum is looked for where the domain is not known."""


def thinned(problem: Problem, most: int = MAX_SIZE) -> Problem:
    """The problem itself, or one with at most so many of its features and points, evenly chosen."""
    points, drawn = interior_points(problem), features(problem)
    if len(points) <= most and problem.count <= most:
        return problem
    chosen = _even(len(points), most)
    kept = _even(problem.count, most)
    return problem.with_(
        interior=tuple(points[i] for i in chosen),
        layout="grid",
        weights=tuple(drawn.weights[j] for j in kept),
        biases=tuple(drawn.biases[j] for j in kept),
        count=len(kept),
    )


def _even(n: int, most: int) -> list[int]:
    return list(range(n)) if n <= most else [int(i) for i in np.linspace(0, n - 1, most)]


@dataclass(frozen=True)
class Values:
    """Features at the points in float64: w·x, z = w·x + b, σ(z), σ'(z), each (N, M); the points, (N, d)."""

    problem: Problem
    points: Matrix
    weights: Matrix
    products: Matrix
    argument: Matrix
    value: Matrix
    slope: Matrix

    def derivative(self, beta: tuple[int, ...]) -> Matrix:
        """∂^β φ_j(x_i)."""
        total = self._sigma(sum(beta))
        for axis, times in enumerate(beta):
            total = total * self.weights[:, axis] ** times
        return total

    def _sigma(self, order: int) -> Matrix:
        found = evaluate(self.problem.activation.derivative(order), {z: self.argument}, FloatBackend(np.float64))
        return np.asarray(found + 0 * self.argument)

    def coefficient(self, expr: Any) -> Float[np.ndarray, "n 1"]:
        """c(x_i)."""
        columns = {s: self.points[:, axis : axis + 1] for axis, s in enumerate(self.problem.operator.symbols)}
        return np.asarray(evaluate(expr, columns, FloatBackend(np.float64)) + 0 * self.points[:, :1])


def values(problem: Problem) -> Values:
    """The features of a problem at its interior points.

    Raises:
        InputError: no interior points, or a value that is not finite.
    """
    drawn, inner = features(problem), interior_points(problem)
    if not inner:
        raise InputError("points.interior: there are none, so there is nothing to difference")
    X = np.array([[float(c) for c in point] for point in inner])
    W = np.array([[float(c) for c in w] for w in drawn.weights])
    products = X @ W.T
    argument = products + np.array([float(b) for b in drawn.biases])
    sigma, backend = problem.activation, FloatBackend(np.float64)
    with np.errstate(all="ignore"):
        parts = [evaluate(sigma.derivative(n), {z: argument}, backend) + 0 * argument for n in (0, 1)]
    if not all(np.isfinite(part).all() for part in parts):
        raise InputError("features: a value is not finite in float64")
    return Values(problem, X, W, products, argument, *parts)


@dataclass(frozen=True)
class Parts:
    """The error of L_h at one step: root mean squares over points and features, and a worst case.

    Attributes:
        step: h.
        truncation: of L_h in exact arithmetic, by its leading terms.
        roundoff: typical.
        worst_roundoff: bound on any entry, to first order in the unit round-off.
    """

    step: float
    truncation: float
    roundoff: float
    worst_roundoff: float

    @property
    def error(self) -> float:
        """Truncation and typical round-off together."""
        return self.truncation + self.roundoff


@dataclass(frozen=True)
class ErrorModel:
    """Error of L_h as a function of h, on the features of a problem.

    Attributes:
        gram: (p, q) to the mean of the product of the leading terms of powers p and q, at h = 1.
        rho: degree m to ρ_m: typical round-off is √Σ (ρ_m h^-m)².
        worst: degree m to its worst case.
        smooth: whether σ has the derivatives that the leading terms need; if not, they say nothing.
        steps: between which an optimum is looked for.
    """

    gram: dict[tuple[int, int], float]
    rho: dict[int, float]
    worst: dict[int, float]
    smooth: bool
    steps: tuple[float, float] = STEPS

    def truncation(self, h: float) -> float:
        """Root mean square of the leading terms."""
        return math.sqrt(max(0.0, sum(g * h ** (p + q) for (p, q), g in self.gram.items())))

    def roundoff(self, h: float) -> float:
        """Typical round-off."""
        return math.sqrt(sum((r / h**m) ** 2 for m, r in self.rho.items()))

    def parts(self, h: float) -> Parts:
        """The error at a step."""
        return Parts(h, self.truncation(h), self.roundoff(h), sum(r / h**m for m, r in self.worst.items()))

    def error(self, h: float) -> float:
        """Truncation and typical round-off together."""
        return self.truncation(h) + self.roundoff(h)

    def optimum(self) -> float | None:
        """h*; None where there is none: no truncation (h as large as wished), or no round-off."""
        powers, degrees = {p for p, _ in self.gram}, {m for m, r in self.rho.items() if r > 0}
        if not any(degrees) or not self.gram or not self.truncation(1.0) > 0:
            return None
        if len(powers) == 1 and len(degrees) == 1:
            (p,), (m,) = powers, degrees
            found = roundoff.least_error_step(m, p, self.rho[m], self.truncation(1.0))
        else:
            found = self._search()
        return found if self.steps[0] < found < self.steps[1] else None

    def _search(self) -> float:
        """The minimum by golden section in log h, around the best of a coarse grid."""
        grid = np.linspace(math.log(self.steps[0]), math.log(self.steps[1]), 241)
        best = int(np.argmin([self.error(math.exp(t)) for t in grid]))
        a, b = float(grid[max(0, best - 1)]), float(grid[min(240, best + 1)])
        ratio = (math.sqrt(5) - 1) / 2
        for _ in range(60):
            c, d = b - ratio * (b - a), a + ratio * (b - a)
            a, b = (a, d) if self.error(math.exp(c)) < self.error(math.exp(d)) else (c, b)
        return math.exp((a + b) / 2)

    def good_steps(self, best: float) -> tuple[float, float]:
        """The steps whose error is at most :data:`NEAR` times that at ``best``."""
        limit = NEAR * self.error(best)
        ends = []
        for outer in (self.steps[0], self.steps[1] * 64):
            a, b = math.log(best), math.log(outer)
            if self.error(outer) <= limit:
                ends.append(outer)
                continue
            for _ in range(80):
                c = (a + b) / 2
                a, b = (c, b) if self.error(math.exp(c)) <= limit else (a, c)
            ends.append(math.exp(a))
        return ends[0], ends[1]


def ratios(problem: Problem) -> tuple[Fraction, ...]:
    """The steps of the axes over the largest."""
    return tuple(step / problem.h for step in problem.step)


def axis_ratios(problem: Problem) -> tuple[Fraction, ...]:
    """The same, one per axis: a single step is that of all."""
    return ratios(problem) * (1 if len(problem.step) > 1 else problem.dimension)


def with_largest_step(problem: Problem, h: Fraction | float) -> Problem:
    """The problem with largest step h, the ratios of the steps kept."""
    return problem.with_(step=tuple(ratio * Fraction(h) for ratio in ratios(problem)))


def _along(term: DifferenceTerm, axis: int | None) -> bool:
    """Whether a derivative is one along the axis alone; None takes all."""
    alpha = term.derivative
    return axis is None or (alpha is not None and alpha[axis] > 0 and sum(alpha) == alpha[axis])


def leading_terms(given: Values, choice: StencilChoice, axis: int | None = None) -> tuple[dict[int, Matrix], bool]:
    """Power p to the leading truncation terms of that order at h = 1, (N, M); whether σ has their derivatives.

    With an axis only those of the derivatives along it.

    Raises:
        InputError: the stencils do not fit the operator.
    """
    problem = given.problem.with_(stencil=choice, step=ratios(given.problem))
    steps = [float(r) for r in problem.steps]
    leading: dict[int, Matrix] = {}
    smooth = True
    for term in problem.difference.terms:
        if term.stencil is None or term.stencil.is_exact or not _along(term, axis):
            continue
        (first,) = term.stencil.truncation(1)
        smooth = smooth and bool(problem.activation.smoothness >= first.derivative)
        for beta, e in first.coefficients:
            factor = float(e) * math.prod(s**k for s, k in zip(steps, beta, strict=True)) / float(term.scale)
            with np.errstate(all="ignore"):  # what overflows is refused by the caller
                part = factor * given.coefficient(term.coefficient) * given.derivative(beta)
            leading[first.power] = leading[first.power] + part if first.power in leading else part
    return leading, smooth


def step_ranges(given: Values, arithmetic: str) -> tuple[tuple[float, float], ...]:
    """Least and greatest step of each axis: the spacing of its coordinates in the arithmetic, the domain's extent."""
    epsilon = 2 * roundoff.UNIT_ROUNDOFF[arithmetic]
    extents = [float(high - low) for low, high in given.problem.domain]
    return tuple(bounds(column, epsilon, e) for column, e in zip(given.points.T, extents, strict=True))


def ray(given: Values, arithmetic: str) -> tuple[float, float]:
    """Between which values the largest step may lie while the others keep their ratio to it; empty if the first is larger."""
    ranges = step_ranges(given, arithmetic)
    parts = [float(r) for r in axis_ratios(given.problem)]
    return max(low / r for (low, _), r in zip(ranges, parts, strict=True)), min(
        high / r for (_, high), r in zip(ranges, parts, strict=True)
    )


def error_model(
    given: Values, choice: StencilChoice, arithmetic: str, axis: int | None = None, steps: tuple[float, float] = STEPS
) -> ErrorModel:
    """The model for one choice of stencils in one arithmetic.

    Args:
        given: the features.
        choice: the stencils.
        arithmetic: its name.
        axis: only the derivatives along this axis.
        steps: between which an optimum is looked for.

    Raises:
        InputError: the stencils do not fit the operator, or a derivative is not finite.
    """
    unit = roundoff.UNIT_ROUNDOFF[arithmetic]
    leading, smooth = leading_terms(given, choice, axis)
    with np.errstate(all="ignore"):  # what overflows is refused below
        squares = roundoff.typical_square(given.value, given.slope, given.products, given.argument)
        gram = {(p, q): float(np.mean(P * Q)) for p, P in leading.items() for q, Q in leading.items()}
    size = roundoff.sensitivity(given.value, given.slope, given.products, given.argument)
    largest = float(np.max(np.abs(given.value)))
    rho: dict[int, float] = {}
    worst: dict[int, float] = {}
    for term in given.problem.with_(stencil=choice, step=ratios(given.problem)).difference.terms:
        if not _along(term, axis):
            continue
        c = given.coefficient(term.coefficient) / float(term.scale)
        m = term.stencil.degree if term.stencil else 0
        norm = float(sum(w * w for w in term.weights))
        typical = roundoff.TYPICAL_FACTOR * unit * math.sqrt(norm * float(np.mean(c**2 * squares)))
        rho[m] = math.hypot(rho.get(m, 0.0), typical)
        top = float(np.max(size))
        bound = roundoff.worst_case(term.stencil, top, unit, largest) if term.stencil else unit * top
        worst[m] = worst.get(m, 0.0) + float(np.max(np.abs(c))) * bound
    if not all(math.isfinite(v) for v in (*gram.values(), *rho.values())):
        raise InputError("features: a derivative that the truncation error needs is not finite in float64")
    return ErrorModel(gram, rho, worst, smooth, steps)


def measured_error(problem: Problem, arithmetic: str, h: Fraction | float) -> float:
    """The root-mean-square error of the stored interior entries of A_FD against A_AD in float64.

    In float64 A_AD itself is wrong by a few units in the last place, which is far below the error of any difference.

    Raises:
        InputError: an entry that is not finite.
    """
    inner = with_largest_step(problem.with_(boundary=()), h)
    exact = float_matrix(inner, "ad", "float64")
    stored = float_matrix(inner, "fd", arithmetic).astype(np.float64)
    return rms(stored - exact)


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
    found = predicted_floor(problem, arithmetic, spectrum.tolist())
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
    floor = predicted_floor(given.problem, arithmetic, floating_singular_values(exact).tolist())
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
