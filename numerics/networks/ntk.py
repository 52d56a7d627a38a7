"""The tangent kernel of residuals, ``G = J Jᵀ``, and what it predicts of training when it is frozen.

``J`` is the Jacobian of the residual rows in all parameters, by autodiff or by differences as the rows are. Gradient
descent with step η on ``½‖r‖²`` moves the residual by ``r(t+1) = (I − η G(t)) r(t) + O(η²)``; with G frozen at its
first value ``r(t) = (I − ηG)^t r(0)``, the power and not the exponential. For ``u = M^{-1/2} Σ a_j σ(z_j)`` the error
of this law falls with the width M (Jacot, Gabriel & Hongler, 2018; for residuals of differential equations Wang, Yu &
Perdikaris, 2022).

The entropy of the residual Jacobian along training says how a network's spectrum changes as it learns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from numerics.networks.fields import FieldResidual
from numerics.networks.networks import MultiIndex, Rows, TwoLayer, combine, preactivation, unique_shifts
from numerics.networks.perceptrons import ModuleResidual, PerceptronResidual
from numerics.networks.two_layer import TwoLayerResidual
from numerics.training.ensembles import on
from numerics.training.loop import Record, schedule
from numerics.training.rfm import power_factors
from theory.base.errors import InputError
from theory.entropy.conventions import Convention
from theory.entropy.entropy import truncated_entropy

Model = TwoLayerResidual | PerceptronResidual | ModuleResidual | FieldResidual


def _power(w: Tensor, alpha: MultiIndex) -> Tensor | float:
    result: Tensor | float = 1.0
    for axis, times in enumerate(alpha):
        for _ in range(times):
            result = result * w[:, axis, None, :]
    return result


def _derivative_jacobian(
    network: TwoLayer, points: Float[Tensor, "n d"], alpha: MultiIndex, flat: Float[Tensor, "b p"], outer: bool
) -> Float[Tensor, "b n p"]:
    """``∂(∂^α u)/∂(a, b, w)`` at the points; of a alone if ``outer``."""
    a, b, w = network.split(flat)
    m = sum(alpha)
    z = preactivation(points, w, b)
    if outer:
        return network.factor * (_power(w, alpha) * network.activation.derivatives(z, m)[m])
    jet = network.activation.derivatives(z, m + 1)
    a_ = a[:, None, :]
    monomial = _power(w, alpha)
    by_z = a_ * monomial * jet[m + 1]
    parts = [monomial * jet[m], by_z]
    for axis, times in enumerate(alpha):
        by_w = by_z * points[None, :, axis, None]
        if times:
            lower = tuple(t - (k == axis) for k, t in enumerate(alpha))
            by_w = by_w + times * a_ * _power(w, lower) * jet[m]
        parts.append(by_w)
    return network.factor * torch.cat(parts, 2)


def _rows_jacobian(
    network: TwoLayer, rows: Rows, flat: Float[Tensor, "b p"], cast: bool, outer: bool
) -> Float[Tensor, "b n p"]:
    parts: Any = rows.parts
    if rows.differentiated:
        total: Any = None
        for term in parts:
            value = _derivative_jacobian(network, rows.points, term.alpha, flat, outer)
            if isinstance(term.coefficient, Tensor):
                value = value * term.coefficient[:, None]
            elif term.coefficient != 1:
                value = value * term.coefficient
            total = value if total is None else total + value
        assert total is not None
    else:
        shifts, places = unique_shifts(parts)
        zero = (0,) * rows.points.shape[1]
        # The row axis goes last: coefficients of the rows multiply the last axis.
        nodes = [_derivative_jacobian(network, rows.points + s, zero, flat, outer).transpose(1, 2) for s in shifts]
        total = combine(parts, places, [node.double() for node in nodes] if cast else nodes).transpose(1, 2)
    result: Tensor = total if rows.root == 1 else total * rows.root
    return result


def jacobian(model: Model, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r p"]:
    """``J = ∂r/∂parameters`` of every member; in closed form for two-layer networks, by autograd for modules."""
    if not isinstance(model, TwoLayerResidual):
        return model.jacobian(flat)
    return _jacobian(model, flat, False)


def _jacobian(model: TwoLayerResidual, flat: Float[Tensor, "b p"], outer: bool) -> Float[Tensor, "b r p"]:
    rows = [_rows_jacobian(model.network, rows, flat, model.cast_after_forward, outer) for rows in model.system.rows]
    return torch.cat(rows, 1)


def feature_matrix(model: TwoLayerResidual, flat: Float[Tensor, "b p"], block: int = 16) -> Float[Tensor, "b r m"]:
    """The columns of the outer weights a in :func:`jacobian`: the matrix of the random feature model, for each member.

    ``block`` members are taken at once, so that what is met on the way stays in the cache.
    """
    return torch.cat([_jacobian(model, rows, True) for rows in flat.split(block)])


def kernel(model: Model, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r r"]:
    """``G = J Jᵀ`` of every member, one after the other (J of one member is held at a time)."""
    kernels = []
    for k in range(len(flat)):
        J = jacobian(model, flat[k : k + 1])[0]
        kernels.append(J @ J.T)
    return torch.stack(kernels)


@dataclass(frozen=True)
class FrozenLaw:
    """What a frozen kernel predicts of one run, in float64.

    Attributes:
        iterations: ascending, the first 0.
        loss: ``½ r₀ᵀ (I − ηG)^{2t} r₀``, ``[t]``.
        residuals: ``(I − ηG)^t r₀``, ``[t, r]``.
        eigenvalues: of G, descending.
    """

    iterations: tuple[int, ...]
    loss: Float[Tensor, " t"]
    residuals: Float[Tensor, "t r"]
    eigenvalues: Float[Tensor, " r"]


def frozen_law(
    G: Float[Tensor, "r r"], residual: Float[Tensor, " r"], step: float, iterations: int, record: Record = None
) -> FrozenLaw:
    """``r(t) = (I − step · G)^t r(0)`` at the recorded iterations, through the eigenvectors of G.

    Raises:
        InputError: a step that is not positive.

    >>> G = torch.eye(1, dtype=torch.float64)
    >>> frozen_law(G, torch.ones(1, dtype=torch.float64), 0.5, 2, 1).loss.tolist()
    [0.5, 0.125, 0.03125]
    """
    if not 0 < step < float("inf"):
        raise InputError(f"step: {step}; a positive number is allowed")
    times = schedule(iterations, record)
    values, vectors = torch.linalg.eigh(G.double())
    # Rounding can push the least eigenvalues of a Gram matrix under zero, where they would grow.
    values = values.clamp(min=0)
    coefficients = vectors.T @ residual.double()
    decayed = power_factors(step * values, torch.tensor(times, device=G.device)) * coefficients
    return FrozenLaw(times, 0.5 * (decayed**2).sum(1), decayed @ vectors.T, values.flip(0))


def stable_steps(G: Float[Tensor, "b r r"]) -> Float[Tensor, " b"]:
    """``1/λ_max`` of every kernel: half the largest stable step of gradient descent on the frozen kernel."""
    largest: Tensor = torch.linalg.eigvalsh(G.double())[:, -1]
    return largest.reciprocal()


def limit_kernel(model: TwoLayerResidual, scale: float = 1.0, nodes: int = 48) -> Float[Tensor, "r r"]:
    """``G_∞ = E[M · J_j J_jᵀ]`` for the bounded start (``w, b ~ U(−√3, √3)·scale``, ``a = ±1``), by quadrature.

    Tensor Gauss–Legendre with ``nodes`` points in each of the d + 1 variables: an expectation without sampling. Only
    ``a²`` enters. The model's width does not matter.

    Raises:
        InputError: more than two dimensions (the grid would be too large).
    """
    d = model.network.dimension
    if d > 2:
        raise InputError(f"limit kernel: {d} dimensions; at most 2 are allowed")
    x, weight = np.polynomial.legendre.leggauss(nodes)
    reach = math.sqrt(3) * scale
    grids = np.meshgrid(*[reach * x] * (d + 1), indexing="ij")
    weights = np.ones_like(grids[0])
    for axis in range(d + 1):
        shape = [1] * (d + 1)
        shape[axis] = nodes
        weights = weights * (weight / 2).reshape(shape)
    count = weights.size
    unit = TwoLayer(count, d, model.network.activation, "standard")
    parts = [np.ones(count), grids[0].ravel(), *(grid.ravel() for grid in grids[1:])]
    points = model.system.rows[0].points
    flat = torch.from_numpy(np.concatenate(parts))[None].to(points)
    twin = TwoLayerResidual(unit, model.system)
    J = jacobian(twin, flat)[0]
    weighted: Tensor = J * torch.from_numpy(weights.ravel()).sqrt().repeat(d + 2).to(J)
    return weighted @ weighted.T


def spectra(model: Model, snapshots: Sequence[Float[Tensor, "b p"]]) -> Float[Tensor, "t b k"]:
    """Singular values of the residual Jacobian at parameters met along training, descending, for every member."""
    out = []
    for flat in snapshots:
        out.append(torch.stack([torch.linalg.svdvals(jacobian(model, member[None])[0]) for member in flat]))
    return torch.stack(out)


MOMENTS = 5
"""Iterations at which the entropy is taken, the first and the last among them."""


def moments(iterations: int) -> tuple[int, ...]:
    """Iterations from first to last in equal parts.

    >>> moments(100), moments(2)
    ((0, 25, 50, 75, 100), (0, 1, 2))
    """
    return tuple(dict.fromkeys(iterations * k // (MOMENTS - 1) for k in range(MOMENTS)))


def entropies(
    model: Model, snapshots: Mapping[int, Float[Tensor, "b p"]], convention: Convention
) -> list[list[dict[str, float | int | None]]]:
    """For every member the entropy of the singular values of ``∂r/∂parameters`` at each snapshot, in float64.

    Each entry holds ``iteration``, ``entropy`` (None where the convention has no value, or the run had diverged) and
    ``cutoff``, the number of singular values that count.
    """
    times = sorted(snapshots)
    exact = on(model, torch.device("cpu"), torch.float64)
    found: list[list[dict[str, float | int | None]]] = [[] for _ in snapshots[times[0]]]
    for time in times:
        flat = snapshots[time].double().cpu()
        finite = torch.isfinite(flat).all(1)
        for row, member in enumerate(found):
            if not finite[row]:
                member.append({"iteration": time, "entropy": None, "cutoff": None})
                continue
            values = spectra(exact, [flat[row : row + 1]])[0, 0]
            entropy = truncated_entropy(values.tolist(), convention)
            value = None if entropy.value is None else float(entropy.value)
            member.append({"iteration": time, "entropy": value, "cutoff": entropy.cutoff})
    return found
