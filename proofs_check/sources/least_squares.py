"""Least squares with random features in batches: matrices, singular values, and what truncated solutions leave.

One singular value decomposition of each matrix serves every right-hand side, cut-off and convention.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from numerics.problem.problem import Method
from proofs_check.sources.trained import Columns, finite, in_arithmetic, network, spectrum_predictors, start
from proofs_check.sources.training_samples import ADAM_STEP, SOLUTIONS, Study, feature_count, random_step

if TYPE_CHECKING:
    from torch import Tensor


def system(study: Study, method: Method) -> tuple[Tensor, Tensor]:
    """``A [seeds, n, M]`` and ``f [n]`` of the random feature model in the study's arithmetic.

    The columns of the outer weights in the Jacobian of the residual, and minus the residual of the zero network: what
    :func:`numerics.matrices.assemble.float_matrix` makes of each seed, for all at once. Features that a member of the sample
    ``"sizes"`` has not are columns of zeros.
    """
    return _matrix(_same_matrix(study, method), method), _right(replace(study, sample="seeds", optimiser="svd"))


def _same_matrix(study: Study, method: Method) -> Study:
    """The study whose matrices are those of ``study``: the data and the optimiser do not enter."""
    step = Fraction(1, 100) if method == "ad" or study.sample == "steps" else study.step
    return replace(study, optimiser="svd", solution=SOLUTIONS[0], step=step)


@lru_cache(maxsize=4)
def _matrix(study: Study, method: Method) -> Tensor:
    import torch

    from numerics.networks import ntk

    flat = start(study)
    if study.sample == "steps" and method == "fd":
        groups: dict[Fraction, list[int]] = defaultdict(list)
        for place, seed in enumerate(study.seeds):
            groups[random_step(seed)].append(place)
    else:
        groups = {study.step: list(range(len(flat)))}
    A: Any = None
    for step, places in groups.items():
        model, kind = in_arithmetic(study, network(replace(study, step=step), method))
        part = ntk.feature_matrix(model, flat[places].to(kind))  # type: ignore[arg-type]
        A = part.new_empty(len(flat), *part.shape[1:]) if A is None else A
        A[places] = part
    if study.sample == "sizes":
        counts = torch.tensor([feature_count(seed, study.count) for seed in study.seeds])
        A[(torch.arange(study.count) >= counts[:, None])[:, None].expand_as(A)] = 0
    result: Tensor = A
    return result


@lru_cache(maxsize=64)
def _right(study: Study) -> Tensor:
    model, kind = in_arithmetic(study, network(replace(study, members=1), "ad"))
    f: Tensor = -model.residual(0 * start(replace(study, members=1)).to(kind))[0]
    return f


@dataclass(frozen=True)
class Decomposition:
    """``A = U diag(σ) Vᵀ`` of every member, in the arithmetic of ``A``; U ``[b, n, k]``, σ ``[b, k]``, Vᵀ ``[b, k, M]``."""

    left: Tensor
    values: Tensor
    right: Tensor

    def solutions(self, f: Tensor, kept: Tensor) -> Tensor:
        """``a = A⁺ f`` with the first ``kept [b, s]`` singular values of every member, ``[b, M, s]``."""
        import torch

        mask = torch.arange(self.values.shape[1])[:, None] < kept[:, None, :]
        coefficients = torch.where(mask, ((self.left.transpose(1, 2) @ f) / self.values)[:, :, None], 0.0)
        solutions: Tensor = self.right.transpose(1, 2) @ coefficients
        return solutions

    @property
    def rank(self) -> Tensor:
        """How many singular values a pseudo-inverse keeps: ``σ ≥ eps · max(n, M) · σ_1``."""
        import torch

        size = max(self.left.shape[1], self.right.shape[2])
        kept: Tensor = (self.values >= torch.finfo(self.values.dtype).eps * size * self.values[:, :1]).sum(1)
        return kept


def decompose(A: Tensor) -> Decomposition:
    """By LAPACK's divide and conquer, member by member."""
    import torch

    return Decomposition(*torch.linalg.svd(A, full_matrices=False))


@lru_cache(maxsize=2)
def _decomposed(study: Study, method: Method) -> Decomposition:
    return decompose(_matrix(study, method))


def spectra(study: Study, method: Method) -> Tensor:
    """Singular values ``[seeds, k]`` of the stored matrices, descending, by float64 arithmetic."""
    import torch

    same = _same_matrix(study, method)
    if study.arithmetic == "float64":
        return _decomposed(same, method).values
    values: Tensor = torch.linalg.svdvals(_matrix(same, method).double())
    return values


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


def _descended(study: Study, A: Tensor, f: Tensor) -> Tensor:
    """``a`` after training by an optimiser."""
    import torch

    from numerics.training.loop import GradientDescent, minimise, optimiser

    rule: Any = (
        GradientDescent(torch.linalg.matrix_norm(A, 2) ** -2)
        if study.optimiser == "gd"
        else optimiser(study.optimiser, ADAM_STEP)
    )
    return minimise(BatchLeastSquares(A, f), A.new_zeros(len(A), A.shape[2]), rule, study.iterations, [0]).parameters


def columns(study: Study, method: Method) -> Columns:
    """The table of :func:`proofs_check.sources.tables.table` for random features."""
    import torch

    values = spectra(study, method)
    if study.sample == "sizes":
        counts = torch.tensor([feature_count(seed, study.count) for seed in study.seeds])
        values = torch.where(torch.arange(values.shape[1]) < counts[:, None], values, 0.0)
    known, cutoffs = spectrum_predictors(values, study.profile)
    found: Columns = {f"start: {name}": column for name, column in known.items()}
    judge = _Judge(study)
    if study.optimiser != "svd":
        descended = _descended(study, *system(study, method))
        return found | judge.outcomes(method, study.solution, descended[:, :, None])[0]
    decomposition = _decomposed(_same_matrix(study, method), method)
    solvers = {"pseudo-inverse": decomposition.rank} | {k: torch.tensor(v) for k, v in cutoffs.items()}
    kept = torch.stack([*solvers.values()], dim=1)
    for solution in SOLUTIONS:
        f = system(replace(study, solution=solution), method)[1]
        judged = judge.outcomes(method, solution, decomposition.solutions(f, kept))
        for solver, left in zip(solvers, judged, strict=True):
            found |= {f"after {solver}, {solution}: {name}": column for name, column in left.items()}
    return found


class _Judge:
    """What solutions of a sample leave: of the system that was solved, of the equation, and against the solution."""

    def __init__(self, study: Study) -> None:
        from numerics.networks import symbolic
        from numerics.networks.networks import TwoLayer, preactivation
        from numerics.training.points import error_grid

        self.study = study
        self.exact = system(replace(study, arithmetic="float64"), "ad")[0]
        problem = study.problem(study.first)
        self.points = error_grid(problem, 128)
        activation = symbolic.torch_activation(problem.activation)
        shape = TwoLayer(study.count, 1, activation, "standard")
        _, b, w = shape.split(start(study))
        self.features = activation.value(preactivation(self.points, w, b))

    def outcomes(self, method: Method, solution: str, a: Tensor) -> list[Columns]:
        """For each of the outer weights ``[seeds, M, s]``; names as in :func:`proofs_check.sources.tables.outcomes`."""
        import torch

        from numerics.training.from_problem import solution_error

        study = replace(self.study, solution=solution)
        A, f = system(study, method)
        right = system(replace(study, arithmetic="float64"), "ad")[1]
        size = float(torch.linalg.vector_norm(right))
        own = torch.linalg.vector_norm((A @ a - f[:, None]).double(), dim=1) / size
        equation = torch.linalg.vector_norm(self.exact @ a.double() - right[:, None], dim=1) / size
        fields = self.features @ a.double()
        problem = study.problem(study.first)
        return [
            {
                "residual": finite(own[:, k].tolist()),
                "equation residual": finite(equation[:, k].tolist()),
                "solution error": tuple(solution_error(problem, fields[:, :, k], self.points)),
            }
            for k in range(a.shape[2])
        ]
