"""The networks of a sample, at the start and trained, and predictors of training: what spectra come to.

Everything is seeded and runs on the CPU. torch is imported when a sample is computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from numerics.entropy.compare import truncated_entropies
from numerics.problem.problem import Method
from proofs_check.claims.claim import Profile
from proofs_check.sources.training_samples import ADAM_STEP, RANK, SOLUTIONS, TOLERANCES, Study
from theory.entropy.conventions import Convention, standard_conventions

if TYPE_CHECKING:
    from torch import Tensor

    from numerics.training.ensembles import EnsembleRun, Model

Values = tuple[float | None, ...]
"""One number a seed; None where a run diverged or the number does not exist."""
Columns = dict[str, Values]
ROUND_OFF, TRUNCATION = "round-off of the residual", "truncation of the residual"
"""Columns of networks trained by FD: norms, at the parameters that were found, of the FD residual in the arithmetic less
that in float64, and of that in float64 less the residual by autodiff."""


def judged() -> dict[str, Convention]:
    """The entropy conventions that have cells, by label.

    Not all combinations of rule, power and normalisation: those left out decide as one of these does in nearly every
    draw (in full they are computed and compared).
    """
    wanted = {("energy", 1, False), ("energy", 1, True), ("relative", 1, True)}
    return {c.label: c for c in standard_conventions(RANK) if (c.rule, c.power, c.normalised) in wanted}


def conventions(profile: Profile) -> dict[str, Convention]:
    """Those that are computed and compared with one another, and for which p-values are adjusted: all in full."""
    return judged() if profile == "quick" else {c.label: c for c in standard_conventions(RANK)}


def spectrum_predictors(found_spectra: Tensor, profile: Profile) -> tuple[Columns, dict[str, list[int]]]:
    """Entropies of descending spectra by convention and their rivals, one value a seed; and the cut-off numbers.

    Rivals: the condition number, the least singular value with ``σ ≥ 1e-12 σ_1`` and the number of those. A spectrum
    that is not finite has neither.

    Args:
        found_spectra: ``[seeds, k]``, float64.
    """
    values = found_spectra.numpy()
    sound = np.isfinite(values).all(axis=1)
    values = np.where(sound[:, None], values, 1.0)
    found: dict[str, Any] = {}
    kept: dict[str, list[int]] = {}
    for label, convention in conventions(profile).items():
        found[label], r = truncated_entropies(values, convention)
        kept[label] = np.where(sound, r, 0).tolist()
    rank = ((values > 0) & (values >= 1e-12 * values[:, :1])).sum(axis=1)
    least = values[np.arange(len(values)), np.maximum(rank, 1) - 1]
    found["condition number"] = values[:, 0] / np.where(values[:, -1] > 0, values[:, -1], np.nan)
    found["least kept value"] = np.where(rank > 0, least, np.nan)
    found["epsilon rank"] = rank.astype(float)
    return {name: finite(np.where(sound, column, np.nan).tolist()) for name, column in found.items()}, kept


def finite(values: Sequence[float]) -> Values:
    """None for what is infinite or not a number."""
    return tuple(v if math.isfinite(v) else None for v in values)


@lru_cache(maxsize=64)
def _start(study: Study) -> Tensor:
    import torch

    from numerics.networks.perceptrons import flatten
    from numerics.problem.drawn import sample

    if study.model == "perceptron":
        model: Any = network(study, "ad")
        return torch.stack([flatten(model.module(seed)) for seed in study.seeds])
    width = study.count
    rows = []
    for seed in study.seeds:
        weights, biases = study.laws(seed)
        streams = [np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(seed).spawn(3)]
        w, b = sample(weights, width, streams[0]), sample(biases, width, streams[1])
        rows.append(np.concatenate([streams[2].standard_normal(width) / math.sqrt(width), b, w]))
    return torch.from_numpy(np.array(rows))


def start(study: Study) -> Tensor:
    """Parameters at the start in float64, one row a seed.

    For two-layer networks those of :func:`numerics.training.from_problem.start`, without the way over exact rationals:
    w and b are the features of the seed's problem, whatever the operator.
    """
    plain = replace(study, step=Fraction(1, 100), optimiser="adam", solution=SOLUTIONS[0], arithmetic="float64")
    return _start(plain if study.model == "perceptron" else replace(plain, operator="u_xx"))


def network(study: Study, method: Method) -> Model:
    """The residuals of the networks, in float64 on the CPU."""
    from numerics.networks import symbolic
    from numerics.networks.perceptrons import PerceptronResidual
    from numerics.training import from_problem

    problem = study.problem(study.first)
    if study.model == "perceptron":  # every depth with the same law of the start
        rows = from_problem.system(problem, method)
        activation = symbolic.torch_activation(problem.activation)
        return PerceptronResidual(study.depth, problem.count, 1, activation, rows, "ntk")
    return from_problem.model(problem, method)


def in_arithmetic(study: Study, model: Model) -> tuple[Model, Any]:
    """The model in the study's arithmetic, and that arithmetic."""
    import torch

    from numerics.arithmetic.devices import resolve_dtype
    from numerics.training.ensembles import on

    kind = resolve_dtype(study.arithmetic)
    return on(model, torch.device("cpu"), kind), kind


def kernel_spectra(study: Study, method: Method, flat: Tensor) -> Tensor:
    """Eigenvalues of ``G = J Jᵀ``, J stored in the study's arithmetic at these parameters, descending, in float64."""
    import torch

    from numerics.networks import ntk

    model, kind = in_arithmetic(study, network(study, method))
    blocks = [torch.linalg.svdvals(ntk.jacobian(model, rows.to(kind)).double()) for rows in flat.split(16)]
    values: Tensor = torch.cat(blocks).square()
    return values


def run(study: Study, method: Method) -> EnsembleRun:
    """The networks of the sample, trained."""
    return _run(study.as_computed(method), method)


@lru_cache(maxsize=16)
def _run(study: Study, method: Method) -> EnsembleRun:
    from numerics.training.ensembles import train_ensemble
    from numerics.training.loop import GradientDescent, optimiser

    model, flat = network(study, method), start(study)
    rule: Any
    if study.optimiser == "gd":
        # Half of 1/λ_max: networks of this width are far from their frozen kernel, and larger steps diverge.
        rule = GradientDescent(0.5 / kernel_spectra(study, method, flat)[:, 0])
    else:
        rule = optimiser(study.optimiser, ADAM_STEP)
    half = study.iterations // 2
    return train_ensemble(
        model, flat, rule, study.iterations, [0, half], seeds=study.seeds, tolerances=TOLERANCES, snapshots=[half],
        dtype=study.arithmetic, device="cpu", chunk=128,
    )  # fmt: skip


def columns(study: Study, method: Method) -> Columns:
    import torch

    from numerics.training.from_problem import solution_error
    from numerics.training.points import error_grid

    problem = study.problem(study.first)
    points = error_grid(problem)
    trained = run(study, method)
    last = trained.parameters.double()
    judge: Any = network(study, "ad")
    with torch.no_grad():
        equation = torch.linalg.vector_norm(judge.residual(last), dim=1)
        fields = judge.values(last, points) if study.model == "perceptron" else judge.network.values(last, points)
    found: Columns = {
        "residual": finite((2 * trained.loss[-1]).sqrt().tolist()),
        "equation residual": finite(equation.tolist()),
        "solution error": tuple(solution_error(problem, fields, points)),
        "loss": finite((trained.loss[-1] / trained.loss[0]).tolist()),
        "later loss": finite((trained.loss[-1] / trained.loss[1]).tolist()),
    }
    for tolerance, row in zip(TOLERANCES, trained.reached, strict=True):
        found[f"iterations to {tolerance:g}"] = tuple(None if t < 0 else float(t) for t in row.tolist())
    if method == "fd":
        with torch.no_grad():
            computed = in_arithmetic(study, network(study, "fd"))[0].residual(trained.parameters).double()
            exactly = network(study, "fd").residual(last)
            differ = {ROUND_OFF: computed - exactly, TRUNCATION: exactly - judge.residual(last)}
        found |= {key: finite(torch.linalg.vector_norm(rows, dim=1).tolist()) for key, rows in differ.items()}
    if study.model == "two-layer":
        moments = {"start": start(study), "middle": trained.snapshots[study.iterations // 2].double()}
        for moment, flat in moments.items():
            sound = torch.isfinite(flat).all(1)
            values = kernel_spectra(study, method, torch.where(sound[:, None], flat, 0.0))
            known = spectrum_predictors(torch.where(sound[:, None], values, math.nan), study.profile)[0]
            found |= {f"{moment}: {name}": column for name, column in known.items()}
    return found
