"""Bounds that training must obey, from derivatives of the activation, and how lazy it is, known at the start (ours).

*Sizes.* For σ in :data:`BOUNDED` every derivative is a polynomial in tanh, or one times a Gaussian, so that
``sup |σ^(k)|`` is bounded exactly: :func:`supremum`, and the sum of the absolute values of its terms: :func:`magnitude`.

*Round-off.* An entry of a residual or of its Jacobian is a sum of products of factors ``σ^(k)(z)``, parameters, weights
of a stencil and data. Replace every factor by its absolute value and ``σ^(k)(z)`` by ``κ s_k + 6 |z| s_{k+1}``, where s is
the magnitude, ``|z| = |w|·|x| + |b|`` and κ counts the operations of an entry (the rows, nodes, 60 more, and for a residual the neurons): u times
that bounds the error of the entry in the arithmetic of unit round-off u, to first order, sums in any order
(Higham, 2002, chapters 3 and 4; elementary functions good to 8 u s_k are assumed): :class:`Rounding`.

*Curvature.* The second derivative of a residual in the parameters has a block for each neuron and no other, so
``|D²r_i[Δ, Δ]| ≤ Σ_j h_ij ‖Δ_j‖²``; for a difference, by Peano's kernel, what holds for the derivative holds on the hull of
its nodes, times ``∫|K|``: :func:`curvatures`.

How far training can be from the law of the kernel at the start, known before a step is taken (ours).

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

For a two-layer network ``L = max_j ‖h_·j‖_2`` with h of :func:`numerics.predictions.bounds.curvatures` on the ball,
since ``‖(J(θ) − J(θ'))v‖ ≤ ‖Σ_j h_·j ‖Δ_j‖‖v_j‖‖``; it falls like ``M^{−1/2}`` in the scaling ``"ntk"``, and p with it: a width
suffices for any deviation ε. The same L gives a step at which the loss must fall: :func:`descent_step`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from numerics.networks import ntk
from numerics.networks.activations import TorchActivation
from numerics.networks.networks import Difference, Rows, System, Term
from numerics.networks.two_layer import TwoLayerResidual
from theory.base.errors import InputError

BOUNDED = ("tanh", "sin", "cos", "gaussian", "erf", "sigmoid")
"""Activations with bounded derivatives of all orders."""
Polynomial = tuple[int, ...]


@cache
def _in_tanh(k: int) -> Polynomial:
    """``tanh^(k)`` as a polynomial in tanh, by ``P' (1 − t²)``."""
    if k == 0:
        return (0, 1)
    before = _in_tanh(k - 1)
    slope = [*(i * c for i, c in enumerate(before) if i), 0, 0, 0]
    return tuple(slope[i] - (slope[i - 2] if i >= 2 else 0) for i in range(len(before) + 1))


@cache
def _hermite(k: int, rate: int) -> Polynomial:
    """The polynomial of the k-th derivative of ``e^{−rate z²/2}``, by ``P' − rate z P``."""
    if k == 0:
        return (1,)
    before = _hermite(k - 1, rate)
    slope = [*(i * c for i, c in enumerate(before) if i), 0, 0]
    return tuple(slope[i] - (rate * before[i - 1] if i else 0) for i in range(len(before) + 1))


def _family(name: str, k: int) -> tuple[Polynomial, int, float]:
    """The polynomial, the rate of the Gaussian that it multiplies (0: none, its argument is tanh), and a factor."""
    match name:
        case "tanh":
            return _in_tanh(k), 0, 1.0
        case "sigmoid":
            return (_in_tanh(k), 0, 0.5 ** (k + 1)) if k else ((1,), 0, 1.0)
        case "gaussian":
            return _hermite(k, 1), 1, 1.0
        case "erf":
            return (_hermite(k - 1, 2), 2, 2 / math.sqrt(math.pi)) if k else ((1,), 0, 1.0)
        case _:
            raise InputError(f"activation: {name!r} has no bounds; allowed: {', '.join(BOUNDED)}")


@cache
def magnitude(name: str, k: int) -> float:
    """An upper bound of the sum of absolute values of the terms of ``σ^(k)``, 1e-12 above its supremum for rounding.

    >>> round(magnitude("tanh", 2), 9)  # −2t + 2t³
    4.0
    """
    if name in ("sin", "cos"):
        return 1.0
    coefficients, rate, factor = _family(name, k)
    # |z|^i e^{−rate z²/2} is largest at z² = i/rate.
    tops = [1.0 if not rate or not i else (i / (rate * math.e)) ** (i / 2) for i in range(len(coefficients))]
    return factor * sum(abs(c) * top for c, top in zip(coefficients, tops, strict=True)) * (1 + 1e-12)


@cache
def supremum(name: str, k: int) -> float:
    """An upper bound of ``sup |σ^(k)|``, a hundredth above it at most: branch and bound, of second order in the cells.

    >>> round(supremum("tanh", 2), 2)  # 4/(3√3)
    0.77
    """
    if name in ("sin", "cos"):
        return 1.0
    value, rate, factor = _family(name, k)
    if rate:
        slope, bend, reach = _family(name, k + 1)[0], magnitude(name, k + 2), math.sqrt(k + 1) + 12
    else:  # in t = tanh z
        slope = tuple(i * c for i, c in enumerate(value))[1:] or (0,)
        bend, reach = factor * sum(i * (i - 1) * abs(c) for i, c in enumerate(value)), 1.0

    def size(coefficients: Polynomial, at: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        polynomial = np.asarray(np.polynomial.polynomial.polyval(at, np.array(coefficients, dtype=np.float64)))
        found: Float[np.ndarray, " n"] = np.abs(polynomial) * (factor * np.exp(-rate * at**2 / 2))
        return found

    cells = 64
    half = reach / cells / 2
    at = half * (2 * np.arange(cells) + 1)  # odd or even: one side is enough
    top = 0.0
    while len(at):
        middle = size(value, at)
        top = max(top, float(middle.max()))
        at = at[middle + size(slope, at) * half + bend * half**2 / 2 > 1.005 * top]
        half /= 2
        at = np.concatenate([at - half, at + half])
    # Beyond the reach, 12 past every turning point, the terms are under e^{−60} of the magnitude.
    return 1.005 * top + 1e-12 * magnitude(name, k)


def _absolute(value: Any) -> Any:
    return value.abs() if isinstance(value, Tensor) else abs(value)


def _positive(rows: Rows) -> Rows:
    """Rows of absolute values, whose residual adds the targets up."""
    parts: list[Any] = []
    for part in rows.parts:
        if isinstance(part, Term):
            parts.append(Term(part.alpha, _absolute(part.coefficient)))
        else:
            weights = tuple(abs(w) for w in part.weights)
            parts.append(Difference(part.shifts.abs(), weights, part.scale, _absolute(part.coefficient)))
    return Rows(rows.points.abs(), -rows.target.abs(), tuple(parts), rows.root)


def _operations(model: TwoLayerResidual) -> int:
    parts = [len(part.weights) if isinstance(part, Difference) else 1 for r in model.system.rows for part in r.parts]
    return model.system.count + sum(parts) + 60


@dataclass(frozen=True)
class Rounding:
    """Errors of the residuals and Jacobians of a model as it is evaluated in some arithmetic.

    Attributes:
        residual: of each row over u, ``[b, r]``; jacobian: of each entry over u, ``[b, r, p]``.
    """

    residual: Float[Tensor, "b r"]
    jacobian: Float[Tensor, "b r p"]

    @staticmethod
    def of(model: TwoLayerResidual, flat: Float[Tensor, "b p"]) -> Rounding:
        """At parameters in float64, for a model in float64.

        Raises:
            InputError: an activation without bounds.
        """
        name = model.network.activation.name
        count = _operations(model)
        system = System(tuple(_positive(rows) for rows in model.system.rows))
        sizes = [magnitude(name, k) for k in range(_highest(model.system) + 3)]

        def twin(kappa: int) -> TwoLayerResidual:
            def jet(z: Tensor, order: int) -> list[Tensor]:
                return [kappa * sizes[k] + 6 * sizes[k + 1] * z for k in range(order + 1)]

            activation = TorchActivation("magnitude", lambda z: jet(z, 0)[0], jet)
            return replace(model, network=replace(model.network, activation=activation), system=system)

        # The targets are subtracted, and rounded with the sum. No entry of a Jacobian is a sum over neurons.
        targets = torch.cat([4 * rows.target.abs() * rows.root for rows in model.system.rows])
        rows = twin(count + model.network.width).residual(flat.abs()) + targets
        return Rounding(rows, ntk.jacobian(twin(count), flat.abs()))


def _highest(system: System) -> int:
    return max(sum(part.alpha) if isinstance(part, Term) else 0 for rows in system.rows for part in rows.parts)


def step_rounding(
    rounding: Rounding,
    residual: Float[Tensor, "b r"],
    before: Float[Tensor, "b p"],
    after: Float[Tensor, "b p"],
    step: Float[Tensor, " b"],
    unit: float,
) -> Float[Tensor, "b p"]:
    """How far ``θ_{t+1}`` may be from ``θ_t − η J(θ_t)ᵀ r_t``, entry by entry.

    ``r_t`` as evaluated in the arithmetic of unit round-off ``unit``; the product is then taken in float64.
    """
    total = unit + 2.0**-53
    size = residual.abs() + 2 * total * rounding.residual
    gradient = total * torch.bmm(size[:, None], rounding.jacobian)[:, 0]
    # The Jacobian itself is at most its error over κu, with κ at least 60.
    carried = torch.bmm((2 * total * rounding.residual)[:, None], rounding.jacobian)[:, 0] / 60
    return 1.01 * (step[:, None] * (gradient + carried) + 2 * total * (before.abs() + after.abs()))


def bend_rounding(before: Rounding, after: Rounding, moved: Float[Tensor, "b p"], unit: float) -> Float[Tensor, "b r"]:
    """How far ``r(θ + Δ) − r(θ) − J(θ) Δ`` may be from what it is, evaluated with this unit round-off.

    At the moved parameters the magnitudes may be larger; they are taken there as well.
    """
    carried = torch.bmm(before.jacobian, moved.abs()[:, :, None])[:, :, 0]
    noise: Tensor = 1.01 * unit * (2 * before.residual + 2 * carried + after.residual)
    return noise


def curvatures(
    model: TwoLayerResidual,
    flat: Float[Tensor, "b p"],
    radius: float | Float[Tensor, " b"],
    averages: Averages | None = None,
) -> Float[Tensor, "b r m"]:
    """``h_ij``: the norm of the second derivative of ``r_i`` in neuron j's parameters, within ``radius`` of ``flat``.

    Args:
        averages: for a model of differences, what they stand for (:class:`Averages`).

    Raises:
        InputError: an activation without bounds, or differences without ``averages``.
    """
    network = model.network
    a, _, w = network.split(flat.abs())
    grown = torch.as_tensor(radius, dtype=flat.dtype, device=flat.device).expand(len(flat))[:, None]
    a, w = a + grown, w + grown[:, None]
    found = []
    for number, rows in enumerate(model.system.rows):
        parts: Any = rows.parts
        points, factor = rows.points.abs(), 1.0
        terms: list[tuple[Term, float, float]]
        if rows.differentiated:
            terms = [(part, 1.0, 0.0) for part in parts]
        elif averages is None:
            raise InputError("curvatures: differences need what they stand for")
        else:
            terms = list(averages.terms[number])
        total: Any = None
        for term, norm, reach in terms:
            moved = points + reach
            coefficient = _absolute(term.coefficient)
            size = _hessian(network.activation.name, term.alpha, a, w, moved) * (norm * network.factor)
            size = size * (coefficient[None, :, None] if isinstance(coefficient, Tensor) else coefficient)
            total = size if total is None else total + size
        found.append(total * (rows.root * factor))
    return torch.cat(found, 1)


@dataclass(frozen=True)
class Averages:
    """For every set of rows, the terms that its differences average, each with ``∫|K|`` and the reach of its nodes."""

    terms: tuple[tuple[tuple[Term, float, float], ...], ...]


def _power(w: Tensor, alpha: tuple[int, ...]) -> Tensor | float:
    """``w^α`` as ``[b, 1, m]``; 0 for a negative exponent."""
    if min(alpha) < 0:
        return 0.0
    result: Tensor | float = 1.0
    for axis, times in enumerate(alpha):
        if times:
            result = result * w[:, axis, None, :] ** times
    return result


def _hessian(
    name: str, alpha: tuple[int, ...], a: Float[Tensor, "b m"], w: Float[Tensor, "b d m"], x: Float[Tensor, "n d"]
) -> Float[Tensor, "b n m"]:
    """A bound on the Frobenius norm of the second derivative of ``a w^α σ^(m)(w·x + b)`` in ``(a, b, w)``."""
    m, d = sum(alpha), len(alpha)
    s = [supremum(name, m + k) for k in range(3)]
    columns = [x[None, :, axis, None] for axis in range(d)]
    whole, amplitude = _power(w, alpha), a[:, None, :]

    def lower(*axes: int) -> tuple[int, Tensor | float]:
        """The factor and the monomial of the derivatives of ``w^α`` along these axes."""
        factor, left = 1, list(alpha)
        for axis in axes:
            factor *= max(left[axis], 0)
            left[axis] -= 1
        return factor, _power(w, tuple(left)) if factor else 0.0

    total: Any = 2 * (whole * s[1]) ** 2 + (amplitude * whole * s[2]) ** 2  # ab twice, bb
    for k in range(d):
        f, v = lower(k)
        total = total + 2 * (f * v * s[0] + whole * columns[k] * s[1]) ** 2
        total = total + 2 * (amplitude * (f * v * s[1] + whole * columns[k] * s[2])) ** 2
        for j in range(d):
            g, q = lower(j)
            e, p = lower(k, j)
            entry = (
                e * p * s[0] + (f * v * columns[j] + g * q * columns[k]) * s[1] + whole * columns[k] * columns[j] * s[2]
            )
            total = total + (amplitude * entry) ** 2
    size: Tensor = total.sqrt()
    return size


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
