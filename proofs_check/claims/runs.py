"""What the samples of :mod:`proofs_check.claims.study` come to: predictors before training, outcomes after it.

Each sample is computed once in a process, and once in all processes that share a store. Everything is seeded, runs on
the CPU, and does not depend on the order in which samples are asked for. torch is imported when one is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from numerics.problem import Method
from proofs_check.claim import Profile
from proofs_check.claims.study import ADAM_STEP, RANK, TOLERANCES, Study
from theory.conventions import Convention, standard_conventions
from theory.entropy import truncated_entropy

if TYPE_CHECKING:
    from torch import Tensor

    from numerics.training.ensembles import EnsembleRun, Model

Values = tuple[float | None, ...]
"""One number a seed; None where a run diverged or the number does not exist."""
Matrix = Literal["features", "Jacobian"]
"""Whose spectrum predicts: that of the features' matrix A, or of the Jacobian of the residual in all parameters."""


def _without_step(study: Study, method: Method) -> Study:
    """Autodiff knows no step: its runs are shared by the studies of all steps."""
    return replace(study, step=Fraction(1, 100)) if method == "ad" else study


def _same_matrix(study: Study, method: Method) -> Study:
    """The study whose matrices are those of ``study``: the data and the optimiser do not enter."""
    return replace(_without_step(study, method), optimiser="svd", solution="sin(pi*x)")


def system(study: Study, method: Method) -> tuple[Tensor, Tensor]:
    """``A [seeds, n, M]`` and ``f [n]`` of the random feature model in the study's arithmetic.

    The columns of the output weights in the Jacobian of the residual, and minus the residual of the zero network: what
    :func:`numerics.matrices.float_matrix` makes of each seed, for all at once.
    """
    return jacobian(study, method)[:, :, : study.sizes.count], _right(replace(study, sample="seeds", optimiser="svd"))


def jacobian(study: Study, method: Method) -> Tensor:
    """Of the residual of a two-layer network in all parameters at the start, ``[seeds, n, P]``."""
    return _jacobian(_same_matrix(study, method), method)


@lru_cache(maxsize=32)
def _jacobian(study: Study, method: Method) -> Tensor:
    from numerics.training import ntk

    return ntk.jacobian(*_in_arithmetic(study, network(study, method)))


@lru_cache(maxsize=64)
def _right(study: Study) -> Tensor:
    model, flat = _in_arithmetic(replace(study, members=1), network(study, "ad"))
    f: Tensor = -model.residual(0 * flat)[0]
    return f


def _shared(kind: str, content: list[Any], compute: Callable[[], dict[str, Values]]) -> dict[str, Values]:
    """Columns from the store of this process, else computed and kept there."""
    from numerics import spectra
    from numerics.sources import recipe
    from numerics.store import content_key

    if (store := spectra.backing()) is None:
        return compute()
    key = content_key(kind, content, recipe(__name__))
    if (found := store.get(key)) is None:
        found = compute()
        store.put(key, found)
    return {name: tuple(column) for name, column in found.items()}


@dataclass
class BatchLeastSquares:
    """The objective ``½‖A a − f‖²``, one matrix for each member."""

    A: Tensor
    f: Tensor

    def residual(self, a: Tensor) -> Tensor:
        """``A a − f`` of every member."""
        return (self.A @ a[:, :, None])[:, :, 0] - self.f

    def __call__(self, parameters: Tensor, /) -> tuple[Tensor, Tensor]:
        residual = self.residual(parameters)
        return 0.5 * (residual * residual).sum(-1), (residual[:, None, :] @ self.A)[:, 0]


def truncated_solution(A: Tensor, f: Tensor, kept: Tensor) -> Tensor:
    """``a = A⁺ f`` with the first ``kept`` singular values of every member, in the arithmetic of ``A``."""
    import torch

    left, values, right = torch.linalg.svd(A, full_matrices=False)
    coefficients = (left.transpose(1, 2) @ f) / values
    mask = torch.arange(values.shape[1]) < kept[:, None]
    solution: Tensor = (right.transpose(1, 2) @ torch.where(mask, coefficients, 0.0)[:, :, None])[:, :, 0]
    return solution


def pseudo_inverse_rank(A: Tensor) -> Tensor:
    """How many singular values a pseudo-inverse keeps: ``σ ≥ eps · max(n, M) · σ_1``."""
    import torch

    values = torch.linalg.svdvals(A)
    kept: Tensor = (values >= torch.finfo(A.dtype).eps * max(A.shape[1:]) * values[:, :1]).sum(1)
    return kept


@lru_cache(maxsize=64)
def _output_weights(study: Study, method: Method) -> Tensor:
    """``a`` of the random feature model, ``[seeds, M]``."""
    import torch

    from numerics.training.loop import minimise
    from numerics.training.optimisers import GradientDescent, optimiser

    A, f = system(study, method)
    if study.optimiser == "svd":
        return truncated_solution(A, f, pseudo_inverse_rank(A))
    rule: Any = (
        GradientDescent(torch.linalg.matrix_norm(A, 2) ** -2)
        if study.optimiser == "gd"
        else optimiser(study.optimiser, ADAM_STEP)
    )
    return minimise(BatchLeastSquares(A, f), A.new_zeros(len(A), A.shape[2]), rule, study.iterations, [0]).parameters


@lru_cache(maxsize=64)
def _start(study: Study) -> Tensor:
    import torch

    from numerics.features import sample
    from numerics.training.modules import flatten

    if study.model == "perceptron":
        model: Any = network(study, "ad")
        return torch.stack([flatten(model.module(seed)) for seed in study.seeds])
    width = study.sizes.count
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
    plain = replace(_same_matrix(study, "ad"), arithmetic="float64")
    return _start(plain if study.model == "perceptron" else replace(plain, operator="u_xx"))


def network(study: Study, method: Method) -> Model:
    """The residuals of the networks, in float64 on the CPU."""
    from numerics.training import from_problem
    from numerics.training.perceptrons import PerceptronResidual

    problem = study.problem(study.first)
    if study.model == "perceptron":  # every depth with the same law of the start
        rows = from_problem.system(problem, method)
        activation = from_problem.torch_activation(problem.activation)
        return PerceptronResidual(study.depth, problem.count, 1, activation, rows, "ntk")
    return from_problem.model(problem, method)


def _in_arithmetic(study: Study, model: Model) -> tuple[Model, Tensor]:
    import torch

    from numerics.training.devices import resolve_dtype
    from numerics.training.ensembles import on

    kind = resolve_dtype(study.arithmetic)
    return on(model, torch.device("cpu"), kind), start(study).to(kind)


def run(study: Study, method: Method) -> EnsembleRun:
    """The networks of the sample, trained."""
    return _run(_without_step(study, method), method)


@lru_cache(maxsize=64)
def _run(study: Study, method: Method) -> EnsembleRun:
    import torch

    from numerics.training.ensembles import train_ensemble
    from numerics.training.optimisers import GradientDescent, optimiser

    model = network(study, method)
    rule: Any
    if study.optimiser == "gd":
        # Half of 1/λ_max: networks of this width are far from their frozen kernel, and larger steps diverge.
        rule = GradientDescent(0.5 * torch.linalg.matrix_norm(jacobian(study, method).double(), 2) ** -2)
    else:
        rule = optimiser(study.optimiser, ADAM_STEP)
    return train_ensemble(
        model, start(study), rule, study.iterations, [0], seeds=study.seeds, tolerances=TOLERANCES,
        dtype=study.arithmetic, device="cpu", chunk=128,
    )  # fmt: skip


def _finite(values: Sequence[float]) -> Values:
    return tuple(v if math.isfinite(v) else None for v in values)


@lru_cache(maxsize=256)
def outcomes(study: Study, method: Method) -> dict[str, Values]:
    """What the runs of a method came to, one value a seed.

    ``residual``: norm of the residual that was minimised, in the arithmetic of the run, over ``‖f‖`` for random
    features. ``equation residual``: of the differential equation itself, by autodiff in float64 at the solution that
    was found. ``solution error``: relative to the exact solution. For networks ``iterations to τ``: first iteration
    with at most that fraction of the first loss, None where that was not reached.
    """
    own = _without_step(study, method)
    return _shared("outcomes", [own.key, method], lambda: _outcomes(own, method))


def _outcomes(study: Study, method: Method) -> dict[str, Values]:
    import torch

    from numerics.training import from_problem
    from numerics.training.networks import TwoLayer
    from numerics.training.studies import error_grid, solution_error

    problem = study.problem(study.first)
    points = error_grid(problem)
    if study.model == "rfm":
        A, f = system(study, method)
        a = _output_weights(study, method)
        exact, right = system(replace(study, arithmetic="float64"), "ad")
        size = float(torch.linalg.vector_norm(right))
        own = torch.linalg.vector_norm(BatchLeastSquares(A, f).residual(a).double(), dim=1) / size
        equation = torch.linalg.vector_norm(BatchLeastSquares(exact, right).residual(a.double()), dim=1) / size
        flat = start(study).clone()
        flat[:, : problem.count] = a.double()
        shape = TwoLayer(problem.count, 1, from_problem.torch_activation(problem.activation), "standard")
        fields = shape.values(flat, points)
        reached: dict[str, Values] = {}
    else:
        trained = run(study, method)
        own = (2 * trained.loss[-1]).sqrt()
        last = trained.parameters.double()
        judge: Any = network(study, "ad")
        with torch.no_grad():
            equation = torch.linalg.vector_norm(judge.residual(last), dim=1)
            fields = judge.values(last, points) if study.model == "perceptron" else judge.network.values(last, points)
        reached = {
            f"iterations to {tolerance:g}": tuple(None if t < 0 else float(t) for t in row.tolist())
            for tolerance, row in zip(TOLERANCES, trained.reached, strict=True)
        }
    return {
        "residual": _finite(own.tolist()),
        "equation residual": _finite(equation.tolist()),
        "solution error": tuple(solution_error(problem, fields, points)),
        **reached,
    }


def judged(profile: Profile) -> dict[str, Convention]:
    """The entropy conventions that have cells, by label: three rules, and in full every rule, power and normalisation.

    Not all combinations of them: relative, absolute and energy cut-offs rank these samples alike, because most of the
    spectra keep every value under each.
    """
    quick = {("relative", 1, False), ("absolute", 2, False), ("fixed", 1, False)}
    full = quick | {("relative", 2, False), ("energy", 1, False), ("relative", 1, True)}
    wanted = full if profile == "full" else quick
    return {c.label: c for c in standard_conventions(RANK) if (c.rule, c.power, c.normalised) in wanted}


def conventions(profile: Profile) -> dict[str, Convention]:
    """Those that are computed and compared with one another, and for which p-values are adjusted: all in full."""
    return judged(profile) if profile == "quick" else {c.label: c for c in standard_conventions(RANK)}


@lru_cache(maxsize=64)
def _spectra(study: Study, method: Method, matrix: Matrix) -> Tensor:
    import torch

    of = system(study, method)[0] if matrix == "features" else jacobian(study, method)
    values: Tensor = torch.linalg.svdvals(of.double())
    return values


def spectra(study: Study, method: Method, matrix: Matrix = "features") -> Tensor:
    """Singular values before training ``[seeds, k]``, descending, in float64."""
    return _spectra(_same_matrix(study, method), method, matrix)


def _predictors(study: Study, method: Method, matrix: Matrix) -> dict[str, Values]:
    compared = conventions(study.profile)
    table: dict[str, list[float | None]] = {}
    for row in spectra(study, method, matrix).tolist():
        found: dict[str, float | None] = {}
        for label, convention in compared.items():
            value = truncated_entropy(row, convention).value
            found[label] = None if value is None else float(value)
        kept = [v for v in row if v > 0 and v >= 1e-12 * row[0]]
        found["condition number"] = row[0] / row[-1] if row[-1] > 0 else None
        found["least kept value"] = kept[-1] if kept else None
        found["epsilon rank"] = float(len(kept))
        for name, number in found.items():
            table.setdefault(name, []).append(number)
    return {name: tuple(column) for name, column in table.items()}


@lru_cache(maxsize=256)
def predictors(study: Study, method: Method, matrix: Matrix = "features") -> dict[str, Values]:
    """Entropies of the spectrum before training by convention, and their rivals, one value a seed.

    Rivals: the condition number, the least singular value with ``σ ≥ 1e-12 σ_1`` and the number of those.
    """
    same = _same_matrix(study, method)
    return _shared("predictors", [same.key, method, matrix], lambda: _predictors(same, method, matrix))


@lru_cache(maxsize=256)
def truncated_residuals(study: Study, method: Method, label: str) -> Values:
    """``‖A a − f‖/‖f‖`` of the truncated-SVD solution at the cut-off number of the convention itself."""
    import torch

    convention = conventions("full")[label]
    kept = [truncated_entropy(row, convention).cutoff for row in spectra(study, method).tolist()]
    A, f = system(study, method)
    a = truncated_solution(A, f, torch.tensor(kept))
    own = torch.linalg.vector_norm(BatchLeastSquares(A, f).residual(a).double(), dim=1)
    return _finite((own / torch.linalg.vector_norm(f.double())).tolist())
