"""How far training can be from the law of the kernel at the start, known before a step is taken (ours).

Lazy training in the sense of Chizat, Oyallon and Bach (2019); constants ours and explicit. Let ``J_0`` have the singular
values ``s_max ≥ … ≥ s_min = √λ > 0``, one for each residual, and let ``‖J(θ) − J(θ')‖ ≤ L ‖θ − θ'‖`` on the ball of radius
R about ``θ_0``. Put ``δ = L R`` and ``p = 2 s_max δ + δ²``. If

    p ≤ λ/2,     2 (s_max + δ) ‖r_0‖ ≤ λ R,     η ≤ 2/(s_max² + λ),

then gradient descent stays in the ball and for every t

    ‖r_t‖ ≤ (1 − ηλ/2)^t ‖r_0‖,     ‖r_t − (I − ηG_0)^t r_0‖ ≤ (2p/λ) ‖r_0‖ [(1 − ηλ/2)^t − (1 − ηλ)^t].

*Proof.* By induction, ``θ_0 … θ_s`` in the ball and the first bound up to s. ``θ_{s+1} − θ_s = −ηJ_sᵀr_s`` has the norm
``η(s_max + δ)(1 − ηλ/2)^s ‖r_0‖`` at most, and their sum ``2(s_max + δ)‖r_0‖/λ ≤ R``: the segment stays in the ball. So
``r_{s+1} = r_s − η A J_sᵀ r_s`` with A a mean of Jacobians in the ball, ``A J_sᵀ = G_0 + P``, ``‖P‖ ≤ ‖A − J_0‖‖J_s‖ + ‖J_0‖‖J_s − J_0‖ ≤ p``,
and ``‖I − ηG_0‖ = 1 − ηλ`` gives ``‖r_{s+1}‖ ≤ (1 − ηλ + ηp)‖r_s‖``. The deviation has ``e_{s+1} = (I − ηG_0)e_s − ηP r_s``; sum
``(1 − ηλ)^{t−1−s} ηp (1 − ηλ/2)^s``.

For a two-layer network ``L = max_j ‖h_·j‖_2`` with h of :func:`numerics.training.derivative_bounds.curvatures` on the ball,
since ``‖(J(θ) − J(θ'))v‖ ≤ ‖Σ_j h_·j ‖Δ_j‖‖v_j‖‖``; it falls like ``M^{−1/2}`` in the scaling ``"ntk"``, and p with it: a width
suffices for any deviation ε. The same L gives a step at which the loss must fall: :func:`descent_step`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.training import ntk
from numerics.training.derivative_bounds import Averages, curvatures
from numerics.training.two_layer import TwoLayerResidual

_MARGIN = 1e-6
"""Relative allowance for the rounding of norms and eigenvalues, in float64."""


@dataclass(frozen=True)
class Lazy:
    """What is known at the start, one value for each network, in float64.

    Attributes:
        applies: whether the hypotheses hold.
        radius, lipschitz: R and L.
        largest, least: ``s_max²`` and λ.
        defect: p.
        step: η.
        size: ``‖r_0‖``.
    """

    applies: Float[Tensor, " b"]
    radius: Float[Tensor, " b"]
    lipschitz: Float[Tensor, " b"]
    largest: Float[Tensor, " b"]
    least: Float[Tensor, " b"]
    defect: Float[Tensor, " b"]
    step: Float[Tensor, " b"]
    size: Float[Tensor, " b"]

    def rate(self, t: int) -> Float[Tensor, " b"]:
        """A bound on ``‖r_t‖``."""
        return self.size * (1 - self.step * self.least / 2) ** t * (1 + t * _MARGIN)

    def deviation(self, t: int) -> Float[Tensor, " b"]:
        """A bound on ``‖r_t − (I − ηG_0)^t r_0‖``."""
        x = self.step * self.least
        return 2 * self.defect / self.least * self.size * ((1 - x / 2) ** t - (1 - x) ** t) * (1 + _MARGIN)


def lazy(
    model: TwoLayerResidual, flat: Float[Tensor, "b p"], step: Float[Tensor, " b"], averages: Averages | None = None
) -> Lazy:
    """What holds of gradient descent from ``flat``, for a model and parameters in float64.

    Raises:
        InputError: an activation without bounds, or differences without ``averages``.
    """
    G = ntk.kernel(model, flat)
    values = torch.linalg.eigvalsh(G)
    noise = 1e-13 * values[:, -1] * values.shape[1]
    least, largest = values[:, 0] - noise, values[:, -1] + noise
    top = largest.sqrt()
    size = torch.linalg.vector_norm(model.residual(flat), dim=1)
    safe = least.clamp(min=1e-300)
    radius = 2 * top * size / safe
    found = least > 0
    L = torch.full_like(size, torch.inf)
    for _ in range(40):
        L = _lipschitz(model, flat, radius, averages)
        found = found & (2 * top * L * radius <= least / 2)  # p grows with the radius: what fails here fails later
        wanted = 2 * (top + L * radius) * size / safe * (1 + _MARGIN)
        grown = found & (wanted > radius)
        if not bool(grown.any()):
            break
        radius = torch.where(grown, 1.01 * wanted, radius)
        found = found & (radius < 1e6)
        radius = torch.where(found, radius, 1.0)
    else:
        found = found & ~grown  # L is that of a smaller ball
    delta = L * radius
    p = (2 * top * delta + delta.square()) * (1 + _MARGIN)
    met = (
        found
        & (p <= least / 2)
        & (2 * (top + delta) * size <= least * radius)
        & (step <= (1 - _MARGIN) * 2 / (largest + least))
    )
    return Lazy(met, radius, L, largest, least, p, step, size)


def _lipschitz(
    model: TwoLayerResidual, flat: Float[Tensor, "b p"], radius: Float[Tensor, " b"], averages: Averages | None
) -> Float[Tensor, " b"]:
    blocks = curvatures(model, flat, radius, averages)
    largest: Tensor = torch.linalg.vector_norm(blocks, dim=1).amax(1)
    return largest * (1 + _MARGIN)


def descent_step(
    model: TwoLayerResidual, flat: Float[Tensor, "b p"], averages: Averages | None = None
) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
    """A step η at which the loss must fall, and by how much at least: ``η‖g‖²/2``.

    The Hessian of the loss on the segment from θ to θ − ηg is at most ``β = (s + Lρ)² + L(‖r‖ + (s + Lρ)ρ)``, s the norm of J at
    θ and ``ρ = η‖g‖``; η is ``1/s²``, halved until ``ηβ ≤ 1``. Below ``2/λ_max(G)`` alone the loss of a network need not fall; that
    of a random feature model does (L = 0).

    Raises:
        InputError: an activation without bounds, or differences without ``averages``.
    """
    r, J = model.residual(flat), ntk.jacobian(model, flat)
    gradient = torch.bmm(r[:, None], J)[:, 0]
    length, size = torch.linalg.vector_norm(gradient, dim=1), torch.linalg.vector_norm(r, dim=1)
    s = torch.linalg.matrix_norm(J, 2) * (1 + _MARGIN)
    eta = torch.where(s > 0, s.square().clamp(min=1e-300).reciprocal(), 1.0)
    for _ in range(200):
        rho = eta * length
        L = _lipschitz(model, flat, rho, averages)
        slope = s + L * rho
        beta = slope.square() + L * (size + slope * rho)
        long = eta * beta > 1
        if not bool(long.any()):
            break
        eta = torch.where(long, eta / 2, eta)
    return eta, eta * length.square() / 2
