"""Bounds that training must obey, from the derivatives of the activation alone (ours).

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

from numerics.training import ntk
from numerics.training.jets import TorchActivation
from numerics.training.residuals import Difference, Rows, System, Term
from numerics.training.two_layer import TwoLayerResidual
from theory.errors import InputError

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
            def tower(z: Tensor, order: int) -> list[Tensor]:
                return [kappa * sizes[k] + 6 * sizes[k + 1] * z for k in range(order + 1)]

            activation = TorchActivation("magnitude", lambda z: tower(z, 0)[0], tower)
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
