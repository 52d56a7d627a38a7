"""The law of the frozen kernel beside the run it predicts, with a bound that holds (ours).

Let ``r_0, r_1, …`` be the residual vectors that a run of gradient descent with step η computes, ``G`` any symmetric
matrix and ``N = I − ηG``. The law ``p_t = N^t r_0`` and the error ``e_t = r_t − p_t`` satisfy, exactly,

    e_{t+1} = N e_t + d_t,     d_t = r_{t+1} − N r_t.

For a network with tangent kernels ``G_t``, ``d_t = q_t − η(G_t − G_0) r_t``, where ``q_t = r_{t+1} − (I − ηG_t) r_t`` is
the curvature of the residual map along the step and the round-off of the step: the law fails because the kernel drifts
and because a step is not infinitesimal. So ``‖e_t‖ ≤ Σ_{s<t} [η‖(G_s − G_0) r_s‖ + ‖q_s‖]`` if ``η ≤ 2/λ_max(G_0)``, since then
``‖N‖ ≤ 1``. What is computed here is smaller and needs no such step: with ``G = Q diag(λ) Qᵀ``, mode by mode,

    |Qᵀe_{t+1}|_k ≤ |1 − ηλ_k| |Qᵀe_t|_k + |Qᵀd_t|_k,     ‖e_t‖ ≤ ‖(Σ_s |1 − ηλ_k|^{t−1−s} |Qᵀd_s|_k)_k‖.

A random feature model has ``d_t = 0`` but for round-off. The bound is a posteriori: it reads the run, not its distance
from the law. It holds for the numbers as computed, whatever arithmetic the run had: the law and the bound are in
float64, and every rounding of theirs is bounded and added (standard model, sums in any order; u = 2^-53):

* the law steps as ``p − η(G p)`` and a defect is ``r_{t+1} − r_t + η(G r_t)``: each within ``(n + 6) u (‖·‖ + η‖G‖_F ‖·‖)``;
* computed eigenvectors V are within ``ω = ‖VᵀV − I‖_F + n(n + 1)u`` of orthogonal ones, Q, so ``|Qᵀd|_k ≤ |Vᵀd|_k + (ω + (n + 1)u)‖d‖``;
* ``QᵀGQ`` is within ``‖GV − Vdiag(λ)‖_F + (2ω + n(n + 3)u)(1 + ω)‖G‖_F`` of ``diag(λ)``, which times η multiplies ``‖e_t‖``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.training.loop import GradientDescent, Record, finite, schedule

SHARE = 0.1
"""A law is kept while its bound is at most this share of ``‖r_t‖``."""
RESTARTS = 64
"""Most restarts of a law: each costs a Jacobian and an eigendecomposition."""
Order = Literal["AD first", "FD first", "not separated"]
_U = 2.0**-53


class Residuals(Protocol):
    """A batch of residual maps with the loss ``½‖r‖²``."""

    def residual(self, flat: Float[Tensor, "b p"], /) -> Float[Tensor, "b r"]:
        """The residuals of each member."""
        ...

    def __call__(self, flat: Float[Tensor, "b p"], /) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]:
        """Losses and gradients."""
        ...


Kernels = Callable[[Float[Tensor, "b p"]], Float[Tensor, "b r r"]]
"""``J Jᵀ`` of each member."""


@dataclass
class Law:
    """Laws of a batch with their modewise error bounds; :meth:`advance` takes one step. All in float64.

    Attributes:
        kernel: G, ``[b, r, r]``; ``step``: η, ``[b]``.
        law: ``p_t``, ``[b, r]``; ``residual``: ``r_t`` of the run, ``[b, r]``.
        error: a bound on ``|Qᵀe_t|``, ``[b, r]``.
    """

    kernel: Float[Tensor, "b r r"]
    step: Float[Tensor, " b"]
    law: Float[Tensor, "b r"]
    residual: Float[Tensor, "b r"]
    error: Float[Tensor, "b r"]
    vectors: Float[Tensor, "b r r"]
    factors: Float[Tensor, "b r"]
    tilt: Float[Tensor, " b"]
    size: Float[Tensor, " b"]
    leak: Float[Tensor, " b"]

    @staticmethod
    def start(kernel: Float[Tensor, "b r r"], step: Float[Tensor, " b"], residual: Float[Tensor, "b r"]) -> Law:
        """The laws ``(I − ηG)^t r`` from ``t = 0``."""
        G, eta, r = kernel.double(), step.double(), residual.double()
        G = (G + G.mT) / 2
        n = G.shape[-1]
        values, V = torch.linalg.eigh(G)
        size = torch.linalg.matrix_norm(G)
        eye = torch.eye(n, dtype=torch.float64, device=G.device)
        tilt = torch.linalg.matrix_norm(V.mT @ V - eye) + n * (n + 1) * _U
        defect = torch.linalg.matrix_norm(G @ V - V * values[:, None, :])
        leak = 1.01 * eta * (defect + (2 * tilt + n * (n + 3) * _U) * (1 + tilt) * size)
        factors = (1 - eta[:, None] * values).abs() + 4 * _U * (1 + eta[:, None] * values.abs())
        return Law(G, eta, r.clone(), r, torch.zeros_like(r), V, factors, 1.01 * tilt, 1.01 * size, leak)

    @property
    def bound(self) -> Float[Tensor, " b"]:
        """On ``‖r_t − p_t‖``."""
        size: Tensor = torch.linalg.vector_norm(self.error, dim=1)
        return size * (1 + 2 * (self.error.shape[1] + 4) * _U)

    def advance(self, residual: Float[Tensor, "b r"]) -> None:
        """Takes the law one step on, and its bound, given the next residual of the run."""
        after, n = residual.double(), self.law.shape[1]

        def turned(v: Tensor) -> Tensor:
            product: Tensor = self.step[:, None] * torch.bmm(self.kernel, v[:, :, None])[:, :, 0]
            return product

        norms = [torch.linalg.vector_norm(v, dim=1) for v in (after, self.residual, self.law)]
        defect = after - self.residual + turned(self.residual)
        spread = 1 + self.step * self.size
        rounding = 1.01 * (n + 6) * _U * (norms[0] + spread * (norms[1] + norms[2]))
        whole = torch.linalg.vector_norm(defect, dim=1)
        modes = torch.bmm(self.vectors.mT, defect[:, :, None])[:, :, 0].abs()
        extra = (self.tilt + 1.01 * (n + 1) * _U) * (whole + rounding) + rounding + self.leak * self.bound
        self.error = (self.factors * self.error + modes + extra[:, None]) * (1 + 8 * _U)
        self.law = self.law - turned(self.law)
        self.residual = after

    def put(self, rows: Tensor, other: Law) -> None:
        """Replaces the laws of some members."""
        for name, value in vars(other).items():
            getattr(self, name)[rows] = value


@dataclass(frozen=True)
class Followed:
    """Laws beside the runs they predict.

    Attributes:
        iterations: recorded ones, ascending, the first 0.
        loss: ``½‖r_t‖²`` of the run, ``[t, b]``.
        predicted: ``½‖p_t‖²``, of the law from the last restart before t on; NaN where there is none any more (after
            :data:`RESTARTS` restarts, or an overflow).
        bound: on ``‖r_t − p_t‖``, ``[t, b]``; NaN with ``predicted``.
        deviation: ``‖r_t − p_t‖`` itself, ``[t, b]``.
        valid_until: for each member the first iteration at which the bound of the law from the start exceeds its
            share of ``‖r_t‖``; None if it never does.
        restarts: iterations whose kernel a later part of the law is of.
        reach: for each tolerance and member the first iterations at which the loss may, and must, have come to that
            part of the first one; None where that is not known to happen within the run.
        parameters: of the run, at the iterations that were to be kept.
    """

    iterations: tuple[int, ...]
    loss: Float[Tensor, "t b"]
    predicted: Float[Tensor, "t b"]
    bound: Float[Tensor, "t b"]
    deviation: Float[Tensor, "t b"]
    valid_until: tuple[int | None, ...]
    restarts: tuple[tuple[int, ...], ...]
    reach: tuple[tuple[tuple[int | None, int | None], ...], ...]
    parameters: dict[int, Float[Tensor, "b p"]] = field(default_factory=dict)


def follow(
    model: Residuals,
    kernels: Kernels,
    start: Float[Tensor, "b p"],
    step: float | Float[Tensor, " b"],
    iterations: int,
    record: Record = None,
    *,
    share: float = SHARE,
    restarts: int = RESTARTS,
    tolerances: Sequence[float] = (),
    optimiser: type[GradientDescent] = GradientDescent,
    keep: Collection[int] = (),
) -> Followed:
    """Gradient descent from ``start`` with the law of the frozen kernel beside it.

    Where the bound of a law exceeds ``share · ‖r_t‖`` the law is restarted from ``r_t`` and the kernel there; at t
    itself the old law is still the one reported. The cost is that of the training (it is run again), of ``O(n²)`` an
    iteration, and of a Jacobian and an eigendecomposition a restart.

    Args:
        kernels: ``J Jᵀ`` at given parameters, in any arithmetic.
        share: ``math.inf`` for the one law from the start.
        restarts: the most; beyond, there is no prediction.
        optimiser: whose steps are followed.
        keep: iterations whose parameters are wanted.
    """
    times = schedule(iterations, record)
    b = len(start)
    flat = start.clone()
    steps = torch.as_tensor(step, dtype=torch.float64, device=flat.device).expand(b).clone()
    chosen = optimiser(step.to(flat) if isinstance(step, Tensor) else step)
    with torch.no_grad():
        loss, gradient = model(flat)
        first = model.residual(flat).double()
        kernel = kernels(flat).double()
    alive = torch.isfinite(first).all(1) & torch.isfinite(kernel).all(2).all(1)
    laws = Law.start(torch.where(alive[:, None, None], kernel, 0.0), steps, first)
    valid: list[int | None] = [None] * b
    again: list[list[int]] = [[] for _ in range(b)]
    found = _Reach(tolerances, torch.linalg.vector_norm(first, dim=1))
    rows: list[list[Tensor]] = []
    wanted = set(times)
    kept: dict[int, Tensor] = {}
    state = chosen.start(flat)
    for t in range(iterations + 1):
        if t:
            with torch.no_grad():
                loss, gradient = chosen.advance(model, flat, loss, gradient, state)
                residual = model.residual(flat)
            laws.advance(residual)
        if t in keep:
            kept[t] = flat.clone()
        bound, size = laws.bound, torch.linalg.vector_norm(laws.residual, dim=1)
        law = torch.linalg.vector_norm(laws.law, dim=1)
        alive = alive & torch.isfinite(bound) & torch.isfinite(law) & torch.isfinite(size)
        found.see(t, law, bound, alive)
        if t in wanted:
            gap = torch.linalg.vector_norm(laws.residual - laws.law, dim=1)
            shown = [torch.where(alive, v, torch.nan) for v in (law.square() / 2, bound, gap)]
            rows.append([v.cpu() for v in (size.square() / 2, *shown)])
        if t == iterations or math.isinf(share):
            continue
        over = alive & (bound > share * size)
        for k in over.nonzero()[:, 0].tolist():
            valid[k] = t if valid[k] is None else valid[k]
            if len(again[k]) >= restarts:
                alive[k] = False
            else:
                again[k].append(t)
        over = over & alive
        if bool(over.any()):
            which = over.nonzero()[:, 0]
            with torch.no_grad():
                fresh = kernels(flat[which])
            good = torch.isfinite(fresh).all(2).all(1)
            alive[which[~good]] = False
            which, fresh = which[good], fresh[good]
            if len(which):
                laws.put(which, Law.start(fresh, steps[which], laws.residual[which]))
    losses, predicted, bounds, gaps = (torch.stack(column) for column in zip(*rows, strict=True))
    ends = tuple(valid), tuple(tuple(at) for at in again)
    return Followed(times, losses, predicted, bounds, gaps, *ends, found.intervals(), kept)


class _Reach:
    """When the loss may first have come to each tolerance, and when it must have."""

    def __init__(self, tolerances: Sequence[float], first: Float[Tensor, " b"]) -> None:
        roots = torch.tensor([math.sqrt(t) for t in tolerances], dtype=torch.float64, device=first.device)
        self.targets = roots[:, None] * first[None]
        shape = self.targets.shape
        self.may = torch.full(shape, -1, dtype=torch.int64, device=first.device)
        self.must = torch.full(shape, -1, dtype=torch.int64, device=first.device)

    def see(self, t: int, law: Tensor, bound: Tensor, alive: Tensor) -> None:
        """One iteration; where no law is left, the loss may be anything."""
        if not len(self.targets):
            return
        low = torch.where(alive, law - bound, 0.0) * (1 - 4 * _U)
        high = torch.where(alive, law + bound, torch.inf) * (1 + 4 * _U)
        self.may[(self.may < 0) & (low <= self.targets * (1 + 4 * _U))] = t
        self.must[(self.must < 0) & (high <= self.targets * (1 - 4 * _U))] = t

    def intervals(self) -> tuple[tuple[tuple[int | None, int | None], ...], ...]:
        """Pairs, None for never."""
        return tuple(
            tuple((None if a < 0 else a, None if c < 0 else c) for a, c in zip(may, must, strict=True))
            for may, must in zip(self.may.tolist(), self.must.tolist(), strict=True)
        )


def joined(parts: Sequence[Followed]) -> Followed:
    """The members of several batches with the same schedule as one."""
    if len(parts) == 1:
        return parts[0]
    return Followed(
        parts[0].iterations,
        torch.cat([p.loss for p in parts], 1),
        torch.cat([p.predicted for p in parts], 1),
        torch.cat([p.bound for p in parts], 1),
        torch.cat([p.deviation for p in parts], 1),
        tuple(end for p in parts for end in p.valid_until),
        tuple(at for p in parts for at in p.restarts),
        tuple(tuple(itertools.chain(*rows)) for rows in zip(*(p.reach for p in parts), strict=True)),
        {t: torch.cat([p.parameters[t] for p in parts]) for t in parts[0].parameters},
    )


def prediction(law: Followed | None, member: int) -> dict[str, Any]:
    """What is reported of the law of one member, in JSON types: a predicted loss never comes without its bound.

    ``predicted_iterations_to``, with a tolerance, holds the ``earliest`` and ``latest`` iteration; None: not known to be
    reached within the run.
    """
    if law is None:
        return {"predicted": None, "bound": None, "valid_until": None, "restarts": None}
    predicted, bound = finite(law.predicted[:, member].tolist()), finite(law.bound[:, member].tolist())
    report: dict[str, Any] = {
        "predicted": [None if b is None else p for p, b in zip(predicted, bound, strict=True)],
        "bound": [None if p is None else b for p, b in zip(predicted, bound, strict=True)],
        "valid_until": law.valid_until[member],
        "restarts": list(law.restarts[member]),
    }
    if law.reach:
        earliest, latest = law.reach[0][member]
        report["predicted_iterations_to"] = {"earliest": earliest, "latest": latest}
    return report


def band(predicted: float | None, bound: float | None) -> tuple[float, float] | None:
    """The losses ``½‖r‖²`` with ``‖r − p‖ ≤ bound`` where ``½‖p‖²`` is predicted.

    >>> band(0.5, 0.5)
    (0.125, 1.125)
    """
    if predicted is None or bound is None:
        return None
    size = math.sqrt(2 * predicted)
    return max(0.0, size - bound) ** 2 / 2, (size + bound) ** 2 / 2


Interval = tuple[int | None, int | None]
"""The first iteration at which a loss may, and must, have come to a tolerance; None: not within the run."""


def order(ad: Interval, fd: Interval) -> Order:
    """Which method comes first to a tolerance, where the intervals decide.

    >>> order((3, 5), (6, None)), order((3, 6), (6, 9))
    ('AD first', 'not separated')
    """
    if ad[1] is not None and (fd[0] is None or ad[1] < fd[0]):
        return "AD first"
    if fd[1] is not None and (ad[0] is None or fd[1] < ad[0]):
        return "FD first"
    return "not separated"


def orders(ad: Sequence[Interval], fd: Sequence[Interval]) -> dict[str, int]:
    """How often each method is predicted to come first, member by member."""
    counts = dict.fromkeys(get_args(Order), 0)
    for one, other in zip(ad, fd, strict=True):
        counts[order(one, other)] += 1
    return counts


def distances(law: Followed) -> list[float]:
    """``|loss − predicted| / loss(0)`` after the start, while the law from there is valid."""
    found = []
    for k, end in enumerate(law.valid_until):
        for t, loss, predicted in zip(
            law.iterations, law.loss[:, k].tolist(), law.predicted[:, k].tolist(), strict=True
        ):
            if 0 < t and (end is None or t < end) and loss > 0 and math.isfinite(predicted):
                found.append(abs(loss - predicted) / float(law.loss[0, k]))
    return found
