"""The random feature model ``min ½‖A a − f‖²``: by gradient descent, Adam, L-BFGS, and by singular values.

``A`` holds one row for each residual (boundary rows already times the root of their weight) and one column
for each feature; the loss is summed over the rows. Gradient descent has an exact law, :func:`predict`: with
``A = U diag(σ) Vᵀ`` and ``r = A a − f``, ``r(t) = Σ_k (1 − η σ_k²)^t ⟨u_k, r(0)⟩ u_k + r_⊥``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.arithmetic.devices import dtype_name, resolve_device, resolve_dtype
from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.predictions.frozen import Followed, follow
from numerics.problem.problem import Method, Problem
from numerics.training.loop import (
    DIVERGED,
    FINISHED,
    GradientDescent,
    LossCurve,
    Optimiser,
    Record,
    finite,
    optimiser,
    schedule,
)
from theory.base.errors import InputError


def _system(A: Tensor, f: Tensor) -> tuple[Tensor, Tensor]:
    """``A`` and ``f`` as tensors of equal dtype, their shapes checked."""
    A, f = torch.as_tensor(A), torch.as_tensor(f)
    if A.ndim != 2 or f.shape != A.shape[:1] or 0 in A.shape:
        raise InputError(f"system: A {tuple(A.shape)} and f {tuple(f.shape)}; allowed: (n, m) and (n,)")
    if not bool(torch.isfinite(A).all() and torch.isfinite(f).all()):
        raise InputError("system: A and f must be finite")
    return A, f


def stable_step(A: Float[Tensor, "n m"]) -> float:
    """``1 / σ_1²``: half the largest step for which gradient descent does not diverge.

    >>> stable_step(torch.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
    0.25
    """
    largest = float(torch.linalg.matrix_norm(torch.as_tensor(A).double(), 2))
    if not largest > 0:
        raise InputError("step: the matrix is zero, so 1/σ_1² does not exist")
    return largest**-2


@dataclass(frozen=True)
class Modes:
    """A linear least-squares problem in the basis of its left singular vectors, in float64.

    Attributes:
        values: singular values, descending ``[k]``.
        left: ``U``, ``[n, k]``;  right: ``V``, ``[m, k]``.
        residual: ``r(0) = A a(0) − f``, ``[n]``.
        projections: ``⟨u_k, r(0)⟩``, ``[k]``.
        orthogonal: ``r_⊥``, the part of ``r(0)`` outside the range of ``A``, ``[n]``.
    """

    values: Float[Tensor, " k"]
    left: Float[Tensor, "n k"]
    right: Float[Tensor, "m k"]
    residual: Float[Tensor, " n"]
    projections: Float[Tensor, " k"]
    orthogonal: Float[Tensor, " n"]


def modes(A: Float[Tensor, "n m"], f: Float[Tensor, " n"], start: Float[Tensor, " m"] | None = None) -> Modes:
    """The *stored* matrix (of any dtype) decomposed in float64, with ``a(0) = start`` (zero by default)."""
    A, f = _system(A, f)
    A, f = A.double(), f.double()
    return _modes(A, -f if start is None else A @ torch.as_tensor(start).to(A) - f)


def _modes(A: Float[Tensor, "n m"], residual: Float[Tensor, " n"]) -> Modes:
    """In the arithmetic of ``A``; what is orthogonal to the range is projected twice."""
    left, values, right = torch.linalg.svd(A, full_matrices=False)
    projections = left.T @ residual
    orthogonal = residual - left @ projections
    orthogonal = orthogonal - left @ (left.T @ orthogonal)
    return Modes(values, left, right.T, residual, projections, orthogonal)


def power_factors(rates: Float[Tensor, " k"], iterations: Tensor) -> Float[Tensor, "t k"]:
    """``(1 − x_k)^t``, accurate to a few ulp of ``1 + t|x|`` also where ``1 − x`` rounds to one."""
    t = iterations[:, None].to(rates)
    x = rates[None, :]
    slow = torch.exp(t * torch.log1p(-x.clamp(max=0.5)))
    fast = (1 - x).abs() ** t
    sign = torch.where((x > 1) & (iterations[:, None] % 2 == 1), -1.0, 1.0)
    return torch.where(x < 0.5, slow, sign * fast)


def predict(
    A: Float[Tensor, "n m"],
    f: Float[Tensor, " n"],
    step: float,
    iterations: int,
    record: Record = None,
    *,
    start: Float[Tensor, " m"] | None = None,
    keep_residuals: bool = False,
) -> LossCurve:
    """The exact law of gradient descent on the stored matrix, through its SVD in float64 (no iteration).

    Raises:
        InputError: shapes that do not fit, a step that is not positive, a bad schedule.

    >>> A = torch.eye(2, dtype=torch.float64)
    >>> predict(A, torch.tensor([1.0, 1.0], dtype=torch.float64), 0.5, 2, 1).loss
    (1.0, 0.25, 0.0625)
    """
    if not 0 < step < float("inf"):
        raise InputError(f"step: {step}; a positive number is allowed")
    times = schedule(iterations, record)
    m = modes(A, f, start)
    factors = power_factors(step * m.values**2, torch.tensor(times, device=m.values.device))
    decayed = factors * m.projections
    loss = 0.5 * ((decayed**2).sum(1) + (m.orthogonal**2).sum())
    values = finite(loss.tolist())
    residuals = decayed @ m.left.T + m.orthogonal if keep_residuals else None
    status = DIVERGED if None in values else FINISHED
    return LossCurve(times, values, status, "law", step, "float64", str(loss.device.type), None, residuals)


def predicted_loss(
    A: Float[Tensor, "n m"], f: Float[Tensor, " n"], step: float, iterations: int, record: Record = None
) -> LossCurve:
    """:func:`predict` from ``a(0) = 0``, without the residual vectors."""
    return predict(A, f, step, iterations, record)


@dataclass(frozen=True)
class Descended:
    """Where gradient descent from zero with the step ``1/σ_1²`` has come on several systems, by its law.

    Attributes:
        eigenvalues: of ``G = A Aᵀ``, descending and not negative, ``[b, n]``.
        left: the loss over the first, ``[b]``.
    """

    eigenvalues: Float[Tensor, "b n"]
    left: Float[Tensor, " b"]


def descended(A: Float[Tensor, "b n m"], f: Float[Tensor, " n"], iterations: int) -> Descended:
    """:func:`predict` for a batch of *stored* matrices (of any dtype), in float64: the last loss alone.

    Raises:
        InputError: a matrix or ``f`` is zero: there is no step, or no first loss.

    >>> A = torch.diag(torch.tensor([2.0, 1.0]))[None]
    >>> descended(A, torch.tensor([1.0, 1.0]), 1).left
    tensor([0.2812], dtype=torch.float64)
    """
    A, f = A.double(), f.double()
    values, vectors = torch.linalg.eigh(A @ A.transpose(1, 2))
    values = values.flip(1).clamp(min=0)
    if not bool((values[:, 0] > 0).all() and (f != 0).any()):
        raise InputError("system: neither A nor f may be zero")
    shares = (vectors.flip(2).transpose(1, 2) @ f).square() / f.square().sum()
    times = torch.tensor([iterations])
    factors = torch.cat([power_factors(rates, times) for rates in values / values[:, :1]])
    return Descended(values, (factors.square() * shares).sum(1))


@dataclass
class LeastSquares:
    """The objective ``½‖A a − f‖²`` for a batch of ``a``; rows of the batch share ``A`` and ``f``."""

    A: Float[Tensor, "n m"]
    f: Float[Tensor, " n"]

    def residual(self, parameters: Float[Tensor, "b m"]) -> Float[Tensor, "b n"]:
        """``A a − f``."""
        return parameters @ self.A.T - self.f

    def __call__(self, parameters: Float[Tensor, "b m"]) -> tuple[Float[Tensor, " b"], Float[Tensor, "b m"]]:
        residual = self.residual(parameters)
        return 0.5 * (residual * residual).sum(-1), residual @ self.A


def train(
    A: Float[Tensor, "n m"],
    f: Float[Tensor, " n"],
    optimiser: Optimiser,
    iterations: int,
    record: Record = None,
    *,
    dtype: str | torch.dtype = "float64",
    device: str = "auto",
    start: Float[Tensor, " m"] | None = None,
    keep_residuals: bool = False,
) -> LossCurve:
    """Train the output weights ``a`` from ``start`` (zero by default), in the arithmetic ``dtype``.

    Args:
        A, f: the system ``[n, m]``, ``[n]``; cast to ``dtype`` before the first step.
        optimiser: one of :mod:`numerics.training.loop`.
        iterations: the number of steps; ``record``: see :func:`numerics.training.loop.schedule`.

    Returns:
        The curve; after an overflow the losses are ``None`` and its status is ``"diverged"``.
    """
    times = schedule(iterations, record)
    place, kind = resolve_device(device), resolve_dtype(dtype)
    A, f = _system(A, f)
    objective = LeastSquares(A.to(place, kind), f.to(place, kind))
    parameters = torch.zeros(1, A.shape[1], dtype=kind, device=place)
    if start is not None:
        parameters += torch.as_tensor(start).to(parameters)
    state = optimiser.start(parameters)
    value, gradient = objective(parameters)
    losses = [float(value)]
    residuals = [objective.residual(parameters)[0]] if keep_residuals else []
    for before, after in pairwise(times):
        if not torch.isfinite(value).all():
            losses.append(float("nan"))
            if keep_residuals:
                residuals.append(torch.full_like(residuals[0], torch.nan))
            continue
        for _ in range(after - before):
            value, gradient = optimiser.advance(objective, parameters, value, gradient, state)
        losses.append(float(value))
        if keep_residuals:
            residuals.append(objective.residual(parameters)[0])
    curve = finite(losses)
    step = getattr(optimiser, "step", None)
    return LossCurve(
        times,
        curve,
        DIVERGED if None in curve else FINISHED,
        optimiser.name,
        float(step) if step is not None else None,
        dtype_name(kind),
        place.type,
        parameters[0],
        torch.stack(residuals) if keep_residuals else None,
    )


def gradient_descent(
    A: Float[Tensor, "n m"],
    f: Float[Tensor, " n"],
    step: float | None,
    iterations: int,
    record: Record = None,
    *,
    dtype: str | torch.dtype = "float64",
    device: str = "auto",
    start: Float[Tensor, " m"] | None = None,
    keep_residuals: bool = False,
) -> LossCurve:
    """Gradient descent on ``½‖A a − f‖²``: ``a ← a − step · Aᵀ(A a − f)``; the default step is ``1/σ_1²``.

    See :func:`train` for the other arguments, :func:`predict` for the law it obeys.

    >>> A = torch.eye(2, dtype=torch.float64)
    >>> gradient_descent(A, torch.tensor([1.0, 1.0], dtype=torch.float64), 0.5, 2, 1).loss
    (1.0, 0.25, 0.0625)
    """
    step = stable_step(A) if step is None else step
    if not 0 < step < float("inf"):
        raise InputError(f"step: {step}; a positive number is allowed")
    return train(
        A,
        f,
        GradientDescent(step),
        iterations,
        record,
        dtype=dtype,
        device=device,
        start=start,
        keep_residuals=keep_residuals,
    )


def followed(
    A: Float[Tensor, "n m"],
    f: Float[Tensor, " n"],
    step: float,
    iterations: int,
    record: Record = None,
    *,
    dtype: str | torch.dtype = "float64",
    device: str = "auto",
) -> Followed:
    """The law beside the run of :func:`gradient_descent` from 0, with a bound on their distance: round-off alone."""
    place, kind = resolve_device(device), resolve_dtype(dtype)
    A, f = _system(A, f)
    objective = LeastSquares(A.to(place, kind), f.to(place, kind))
    gram = (objective.A.double() @ objective.A.double().T)[None]

    def kernels(flat: Tensor) -> Tensor:
        return gram.expand(len(flat), -1, -1)

    return follow(objective, kernels, torch.zeros(1, A.shape[1], dtype=kind, device=place), step, iterations, record)


@dataclass(frozen=True)
class Truncation:
    """Truncated-SVD solutions for every cut-off number r = 0 … k.

    Attributes:
        values: singular values ``[k]``, descending.
        solutions: ``a_r = Σ_{j≤r} ⟨u_j, f⟩/σ_j v_j`` as columns, ``[m, k+1]``; not finite from the first
            σ_j = 0 on.
        residuals: ``‖(I − U_r U_rᵀ) f‖``, from the projections, ``[k+1]``.
    """

    values: Float[Tensor, " k"]
    solutions: Float[Tensor, "m r"]
    residuals: Float[Tensor, " r"]

    def computed_residuals(self, B: Float[Tensor, "n m"], f: Float[Tensor, " n"]) -> Float[Tensor, " r"]:
        """``‖B a_r − f‖`` for every r, multiplied out in the arithmetic of ``B``.

        With the matrix the solutions come from it shows what the arithmetic leaves of the residual; with the
        *autodiff* matrix and solutions from the finite-difference one it is the residual of the differential
        equation itself, which is not the residual of the discretised one that was minimised.
        """
        B, f = _system(B, f)
        norms: Tensor = torch.linalg.vector_norm(B @ self.solutions.to(B) - f[:, None].to(B), dim=0)
        return norms


def truncated_svd(A: Float[Tensor, "n m"], f: Float[Tensor, " n"]) -> Truncation:
    """Truncated-SVD solutions and residuals of ``A a = f`` for all cut-offs, in the arithmetic of ``A``."""
    A, f = _system(A, f)
    m = _modes(A, f.to(A))
    # Sum the small tails first: the residuals fall over many orders of magnitude.
    tail = torch.cat([(m.orthogonal**2).sum()[None], m.projections.flip(0) ** 2]).cumsum(0).flip(0)
    terms = m.right * (m.projections / m.values)
    return Truncation(m.values, torch.cat([torch.zeros_like(terms[:, :1]), terms.cumsum(1)], 1), tail.sqrt())


@dataclass(frozen=True)
class FeatureRun:
    """One training of a random feature model.

    Attributes:
        problem: with the seed of its features.
        rule: of the step: ``"own"``, 1/σ_1² of the method's matrix; ``"common"``, the smaller of the two; ``"given"``;
            None for optimisers other than gradient descent.
        A, f: the stored system;  step: of gradient descent, or the rate of Adam.
        curve: what came of it.
    """

    problem: Problem
    method: Method
    rule: str | None
    A: Float[Tensor, "n m"]
    f: Float[Tensor, " n"]
    step: float
    curve: LossCurve


def train_features(
    problem: Problem, methods: Sequence[Method], record: Record = None, *, device: str = "auto"
) -> Iterator[list[FeatureRun]]:
    """The random feature models of ``problem.training``, one seed after the other: every method at every step.

    Gradient descent runs at each method's own step and, with two methods, at the smaller of the two as well, unless a
    step is given. Explicit features are trained once, whatever the number of seeds.
    """
    settings, given = problem.training, problem.training.step
    explicit = isinstance(problem.weights, tuple) and isinstance(problem.biases, tuple)
    for index in range(1 if explicit else settings.seeds):
        drawn = problem.with_(seed=problem.seed + index)
        f = torch.from_numpy(float_rhs(drawn, drawn.dtype))
        systems = {method: torch.from_numpy(float_matrix(drawn, method, drawn.dtype)) for method in methods}
        plans: list[tuple[str | None, Method, float]]
        if settings.optimizer != "gd":
            plans = [(None, method, 1e-3 if given is None else float(given)) for method in methods]
        elif given is not None:
            plans = [("given", method, float(given)) for method in methods]
        else:
            own = {method: stable_step(A) for method, A in systems.items()}
            plans = [("own", method, own[method]) for method in methods]
            if len(methods) > 1:
                plans += [("common", method, min(own.values())) for method in methods]
        found = []
        for rule, method, step in plans:
            chosen = optimiser(settings.optimizer, step)
            curve = train(systems[method], f, chosen, settings.iterations, record, dtype=drawn.dtype, device=device)
            found.append(FeatureRun(drawn, method, rule, systems[method], f, step, curve))
        yield found
