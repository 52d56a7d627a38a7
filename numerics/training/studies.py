"""What predicts training: spectra and entropies of one run beside its residual, its error and its speed.

An :class:`Observation` is one seed and method: predictors computed from a spectrum before training (every entropy
convention and their rivals) and outcomes measured after it. :func:`judge` ranks the predictors over a sample, with
Holm's correction; :func:`paired` compares AD with FD seed by seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from numerics.matrices import float_matrix, float_rhs
from numerics.problem import METHODS, Method, Problem
from numerics.training import from_problem, ntk, rfm
from numerics.training.devices import resolve_device, resolve_dtype
from numerics.training.ensembles import on
from numerics.training.networks import TwoLayer
from numerics.training.perceptrons import PerceptronResidual
from numerics.training.statistics import PairedComparison, RankCorrelation, compare, rank_predictors
from theory.conventions import standard_conventions
from theory.entropy import truncated_entropy
from theory.errors import InputError

Values = dict[str, float | None]


@dataclass(frozen=True)
class Observation:
    """One run.

    Attributes:
        seed, method: which.
        predictors: known before training; ``None`` where undefined.
        outcomes: measured; ``None`` where the run diverged or never got there.
    """

    seed: int
    method: Method
    predictors: Values
    outcomes: Values


def predictors(values: Sequence[float], rank: int = 16, threshold: float = 1e-12) -> Values:
    """Entropies under the standard conventions, by label, and rival numbers of a descending spectrum.

    Rivals: the condition number ``σ_1/σ_n``, the effective rank ``exp H`` of the whole spectrum (Roy & Vetterli, 2007),
    the least value kept by ``σ ≥ threshold · σ_1`` and their number (the ε-rank).

    Raises:
        InputError: an empty, negative, increasing or infinite spectrum.
    """
    spectrum = [float(v) for v in values]
    if not spectrum:
        raise InputError("predictors: an empty spectrum")
    found: Values = {
        convention.label: _optional(truncated_entropy(spectrum, convention).value)
        for convention in standard_conventions(rank)
    }
    total = math.fsum(spectrum)
    shares = [v / total for v in spectrum if v > 0]
    found["condition number"] = spectrum[0] / spectrum[-1] if spectrum[-1] > 0 else None
    found["effective rank"] = math.exp(-math.fsum(p * math.log(p) for p in shares)) if shares else None
    kept = [v for v in spectrum if v > 0 and v >= threshold * spectrum[0]]
    found["least kept value"] = kept[-1] if kept else None
    found["epsilon rank"] = float(len(kept))
    return found


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def error_grid(problem: Problem, size: int = 256) -> Float[Tensor, "n d"]:
    """About ``size`` points on a regular grid of cell centres of the domain, for solution errors."""
    per_axis = max(2, round(size ** (1 / problem.dimension)))
    axes = [float(low) + float(high - low) * (np.arange(per_axis) + 0.5) / per_axis for low, high in problem.domain]
    grids = np.meshgrid(*axes, indexing="ij")
    return torch.from_numpy(np.stack([grid.ravel() for grid in grids], axis=1))


def solution_error(problem: Problem, values: Float[Tensor, "b n"], points: Float[Tensor, "n d"]) -> list[float | None]:
    """``‖u − u*‖/‖u*‖`` over the points for every member; ``None`` without a known solution.

    Raises:
        InputError: a solution that vanishes at all the points.
    """
    if problem.solution_expression is None:
        return [None] * len(values)
    exact = from_problem.values_at(problem.solution_expression, problem, points)
    size = float(torch.linalg.vector_norm(exact))
    if size == 0:
        raise InputError("problem.solution: is zero at every test point")
    gaps = torch.linalg.vector_norm(values.double().cpu() - exact, dim=1)
    return [_finite(float(gap) / size) for gap in gaps]


def rfm_observation(
    problem: Problem,
    method: Method,
    *,
    threshold: float | None = None,
    tolerance: float = 1e-4,
    iterations: int = 1000,
    rank: int = 16,
) -> Observation:
    """The random feature model of one problem in ``problem.dtype``.

    Outcomes, each relative to its size at ``a = 0``: the residual of the truncated-SVD solution (cut at
    ``threshold · σ_1``, by default the larger side of the matrix times eps of the arithmetic, as pseudo-inverses do),
    of the equation itself at that solution (by the autodiff matrix in float64) and its solution error; for gradient
    descent with step ``1/σ_1²`` the loss after ``iterations`` steps and the steps to ``tolerance``, by the exact law.
    """
    A = torch.from_numpy(float_matrix(problem, method, problem.dtype))
    f = torch.from_numpy(float_rhs(problem, problem.dtype))
    values = torch.linalg.svdvals(A.double())
    if threshold is None:
        threshold = max(A.shape) * torch.finfo(A.dtype).eps
    a, _ = rfm.pseudo_inverse(A, f, threshold)
    size = float(torch.linalg.vector_norm(f.double()))
    own = float(torch.linalg.vector_norm((A @ a - f).double())) / size
    exact = torch.from_numpy(float_matrix(problem, "ad", "float64"))
    equation = float(torch.linalg.vector_norm(exact @ a.double() - f.double())) / size
    points = error_grid(problem)
    network = TwoLayer(problem.count, problem.dimension, from_problem.torch_activation(problem.activation), "standard")
    flat = from_problem.start(problem, [problem.seed])
    flat[0, : problem.count] = a.double()
    law = rfm.predicted_loss(A, f, rfm.stable_step(A), iterations, [])
    gram = A.double() @ A.double().T
    steps = ntk.iterations_to(gram, -f.double(), rfm.stable_step(A), tolerance)
    first, last = law.loss[0], law.loss[-1]
    return Observation(
        problem.seed,
        method,
        predictors(values.tolist(), rank, threshold),
        {
            "residual": _finite(own),
            "equation residual": _finite(equation),
            "solution error": solution_error(problem, network.values(flat, points), points)[0],
            "descent loss": last / first if first and last is not None else None,
            "iterations": None if steps is None else float(steps),
        },
    )


def network_observations(
    problem: Problem,
    methods: Sequence[Method] = METHODS,
    *,
    tolerance: float = 1e-2,
    rank: int = 16,
    device: str = "auto",
) -> list[Observation]:
    """The networks of ``problem.training``, one observation for each seed and method, at the first step rule.

    Predictors come from the singular values of the residual Jacobian at the start. Outcomes: iterations to
    ``tolerance`` of the first loss, the last loss over the first, the solution error.
    """
    place, kind = resolve_device(device), resolve_dtype(problem.dtype)
    trained = from_problem.train_methods(problem, methods, device=device, tolerances=(tolerance,))
    points = error_grid(problem)
    found: list[Observation] = []
    for method in methods:
        one = next(t for t in trained if t.method == method)
        model = on(from_problem.model(problem, method), place, kind)
        first = from_problem.start(problem, one.run.seeds).to(place, kind)
        spectra = ntk.spectra(model, [first])[0].double().cpu()
        if isinstance(model, PerceptronResidual):
            fields = model.values(one.run.parameters.double(), points)
        else:
            fields = model.network.values(one.run.parameters.double(), points)  # type: ignore[union-attr]
        errors = solution_error(problem, fields, points)
        for k, seed in enumerate(one.run.seeds):
            reached = int(one.run.reached[0, k])
            ratio = float(one.run.loss[-1, k] / one.run.loss[0, k])
            outcomes = {
                "iterations": float(reached) if reached >= 0 else None,
                "loss": _finite(ratio),
                "solution error": errors[k],
            }
            found.append(Observation(seed, method, predictors(spectra[k].tolist(), rank), outcomes))
    return found


def judge(observations: Sequence[Observation], outcome: str, *, seed: int = 0) -> tuple[RankCorrelation, ...]:
    """Which predictor orders ``outcome`` best over the observations: Spearman's ρ, Holm-adjusted, strongest first.

    Give it the observations of one method, unless the difference between the methods is what is to be predicted: in a
    pooled sample that difference alone makes a correlation.

    Raises:
        InputError: an unknown outcome, or too few observations.
    """
    if not observations or any(outcome not in o.outcomes for o in observations):
        known = ", ".join(observations[0].outcomes) if observations else "none"
        raise InputError(f"outcome: {outcome!r}; allowed: {known}")
    outcomes = [o.outcomes[outcome] for o in observations]
    names = list(observations[0].predictors)
    usable = {name: [o.predictors[name] for o in observations] for name in names}
    complete = {
        name: column
        for name, column in usable.items()
        if sum(a is not None and b is not None for a, b in zip(column, outcomes, strict=True)) >= 4
    }
    return rank_predictors(complete, outcomes, seed=seed)


def paired(observations: Sequence[Observation], outcome: str, *, seed: int = 0) -> PairedComparison:
    """AD − FD of ``log outcome``, seed by seed."""
    table = {(o.seed, o.method): o.outcomes[outcome] for o in observations}
    seeds = sorted({s for s, _ in table})
    return compare(
        [table.get((s, "ad")) for s in seeds], [table.get((s, "fd")) for s in seeds], logarithmic=True, seed=seed
    )


def over_seeds(problem: Problem, count: int) -> list[Problem]:
    """The problem with ``count`` consecutive seeds."""
    return [replace(problem, seed=problem.seed + k) for k in range(count)]
