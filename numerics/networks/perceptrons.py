"""Residuals of batches of perceptrons of any depth, and of any ``torch.nn.Module``, as flat parameter vectors.

A module must treat the rows of its input one by one (no batch statistics) and return ``[n]`` or ``[n, 1]``. This is
the fallback for what :mod:`numerics.networks.two_layer` does not cover: deeper networks, a user's own network.

Perceptrons of any depth are differentiated in Taylor mode in the coordinates.  Every layer carries the Taylor coefficients ``∂^α/α!`` of its values for all α under those that the operator needs:
an affine map acts on each alone, and σ of a polynomial is ``Σ_k σ^{(k)}(z_0)/k! p^k`` with ``p = z − z_0``, truncated
(Griewank & Walther, 2008, chapter 13). Gradients in the parameters are reverse mode over that. It does what
:class:`numerics.networks.perceptrons.ModuleResidual` does for the same network, without nesting.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.networks.activations import TorchActivation
from numerics.networks.networks import (
    Differentiate,
    MultiIndex,
    Perceptron,
    Rows,
    Scaling,
    System,
    combine,
    derivative_by_autograd,
    derivative_by_jvp,
    residual,
    unique_shifts,
)
from theory.base.errors import InputError

Mode = Literal["forward", "reverse"]


def flatten(module: torch.nn.Module) -> Float[Tensor, " p"]:
    """The parameters of a module in one vector, in its own order."""
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def field(module: torch.nn.Module) -> Callable[[Tensor], Tensor]:
    """The module as a function from points ``[n, d]`` to values ``[n]``."""

    def u(points: Tensor) -> Tensor:
        return _one_column(module(points), points)

    return u


def _one_column(values: Tensor, points: Tensor) -> Tensor:
    if values.shape == (len(points), 1):
        return values[:, 0]
    if values.shape != (len(points),):
        raise InputError(f"module: returns {tuple(values.shape)} for {len(points)} points; allowed: (n,) or (n, 1)")
    return values


def loss_and_gradient(
    residual: Callable[[Float[Tensor, "b p"]], Float[Tensor, "b r"]], flat: Float[Tensor, "b p"]
) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]:
    """``½‖r‖²`` of each member and its gradient, by reverse mode."""
    with torch.enable_grad():
        point = flat.detach().requires_grad_(True)
        rows = residual(point)
        loss = 0.5 * (rows * rows).sum(1)
        (gradient,) = torch.autograd.grad(loss.sum(), point)
    return loss.detach().to(flat.dtype), gradient


@dataclass(frozen=True)
class ModuleResidual:
    """Residuals of copies of one module with different parameters: an objective for the optimisers.

    Attributes:
        module: the template; its own parameters are not changed.
        system: the rows, on the device and in the arithmetic of the parameters.
        mode: ``"forward"``: nested ``torch.func.jvp``, all members at once under ``vmap``. ``"reverse"``: nested
            ``autograd.grad``, one member after the other; slower, for what ``vmap`` or forward mode do not support.
        cast_after_forward: difference in float64 what was evaluated in the arithmetic of the run.
    """

    module: torch.nn.Module
    system: System
    mode: Mode = "forward"
    cast_after_forward: bool = False
    uses_autograd: bool = True

    def __post_init__(self) -> None:
        if self.mode not in ("forward", "reverse"):
            raise InputError(f"mode: {self.mode!r}; allowed: forward, reverse")
        if next(iter(self.module.parameters()), None) is None:
            raise InputError("module: it has no parameters to train")

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    def unflatten(self, flat: Float[Tensor, " p"]) -> dict[str, Tensor]:
        """Named views of a flat vector."""
        named = dict(self.module.named_parameters())
        if flat.shape != (self.size,):
            raise InputError(f"module: {tuple(flat.shape)} parameters; this one has {self.size}")
        pieces = torch.split(flat, [parameter.numel() for parameter in named.values()])
        return {name: piece.view_as(named[name]) for name, piece in zip(named, pieces, strict=True)}

    def _single(self, flat: Tensor, differentiate: Differentiate) -> Tensor:
        named = self.unflatten(flat)

        def u(points: Tensor) -> Tensor:
            return _one_column(torch.func.functional_call(self.module, named, (points,)), points)

        return residual(u, self.system, differentiate, self.cast_after_forward)

    def residual(self, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r"]:
        """All rows, for each member of the batch; it carries a graph if ``flat`` does."""
        if self.mode == "reverse":
            return torch.stack([self._single(member, derivative_by_autograd) for member in flat])
        batched: Tensor = torch.func.vmap(lambda member: self._single(member, derivative_by_jvp))(flat)
        return batched

    def __call__(self, flat: Float[Tensor, "b p"]) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]:
        return loss_and_gradient(self.residual, flat)

    def jacobian(self, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r p"]:
        """``∂r/∂parameters`` by reverse mode, row by row for the whole batch."""
        return jacobian_by_rows(self.residual, flat)


def jacobian_by_rows(residual: Callable[[Tensor], Tensor], flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r p"]:
    """The Jacobian of independent members, by backward passes of ROWS rows at once."""
    with torch.enable_grad():
        point = flat.detach().requires_grad_(True)
        rows = residual(point).sum(0)
        chosen = torch.eye(len(rows), dtype=rows.dtype, device=rows.device).split(ROWS)
        slopes = [
            torch.autograd.grad(rows, point, some, retain_graph=True, is_grads_batched=True)[0] for some in chosen
        ]
    return torch.cat(slopes).transpose(0, 1)


ROWS = 32
"""More at once take more memory and gain nothing."""


Series = dict[MultiIndex, Tensor]
"""Taylor coefficients ``∂^α/α!``, each ``[B, n, width]``; those not listed are zero."""


class _Jet(torch.autograd.Function):
    """``σ, σ', …, σ⁽ᵐ⁾`` with the gradient ``Σ_k g_k σ⁽ᵏ⁺¹⁾``: reverse mode sees no more than that."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, activation: TorchActivation, order: int) -> tuple[Tensor, ...]:
        jet = activation.derivatives(z, order + 1)
        jet[0] = activation.value(z)  # what a user's network computes
        ctx.save_for_backward(*jet[1:])
        return tuple(jet[: order + 1])

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None, None]:
        total = cotangents[0] * ctx.saved_tensors[0]
        for g, slope in zip(cotangents[1:], ctx.saved_tensors[1:], strict=True):
            total = torch.addcmul(total, g, slope)
        return total, None, None


def closure(alphas: tuple[MultiIndex, ...]) -> frozenset[MultiIndex]:
    """All multi-indices under one of ``alphas``: products of truncated series need no others.

    >>> sorted(closure(((2, 0), (0, 1))))
    [(0, 0), (0, 1), (1, 0), (2, 0)]
    """
    return frozenset(beta for alpha in alphas for beta in itertools.product(*(range(times + 1) for times in alpha)))


def product(a: Series, b: Series, kept: frozenset[MultiIndex]) -> Series:
    """The product of two series, truncated."""
    out: Series = {}
    for (i, u), (j, v) in itertools.product(a.items(), b.items()):
        k = tuple(p + q for p, q in zip(i, j, strict=True))
        if k in kept:
            out[k] = torch.addcmul(out[k], u, v) if k in out else u * v
    return out


def compose(activation: TorchActivation, z: Series, kept: frozenset[MultiIndex]) -> Series:
    """σ(z), truncated."""
    zero = next(iter(kept))
    zero = (0,) * len(zero)
    order = max(sum(alpha) for alpha in kept)
    jet = _Jet.apply(z[zero], activation, order)
    out: Series = {zero: jet[0]}
    step = {alpha: value for alpha, value in z.items() if any(alpha)}
    power = step
    for k in range(1, order + 1):
        for alpha, value in power.items():
            term = jet[k] * value if k == 1 else jet[k] * value / math.factorial(k)
            out[alpha] = out[alpha] + term if alpha in out else term
        if k < order:
            power = product(power, step, kept)
    return out


def coordinates(points: Float[Tensor, "n d"], kept: frozenset[MultiIndex]) -> Series:
    """The coordinates as series: ``[n, d]`` and, in each direction, the unit vector ``[1, d]``."""
    d = points.shape[1]
    unit = torch.eye(d, dtype=points.dtype, device=points.device)
    directions = {tuple(int(k == axis) for k in range(d)): unit[axis : axis + 1] for axis in range(d)}
    return {(0,) * d: points} | {alpha: row for alpha, row in directions.items() if alpha in kept}


@dataclass(frozen=True)
class Layers:
    """Affine maps with σ between them, as functions of flat parameters: all weights, then the biases of the hidden layers.

    Attributes:
        depth: affine maps.
        width: of each hidden layer.
        inputs, outputs: of the whole.
        activation, scaling: as of :class:`numerics.networks.networks.Perceptron`.
    """

    depth: int
    width: int
    inputs: int
    outputs: int
    activation: TorchActivation
    scaling: Scaling = "ntk"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Widths from the input to the output."""
        return (self.inputs, *[self.width] * (self.depth - 1), self.outputs)

    @property
    def size(self) -> int:
        """The number of parameters."""
        weights = sum(a * b for a, b in itertools.pairwise(self.sizes))
        return weights + self.width * (self.depth - 1)

    def split(self, flat: Float[Tensor, "b p"]) -> tuple[list[Tensor], list[Tensor]]:
        """Weights ``[B, in, out]`` and biases ``[B, 1, out]``."""
        if flat.shape[1] != self.size:
            raise InputError(f"network: {flat.shape[1]} parameters; this one has {self.size}")
        shapes = list(itertools.pairwise(self.sizes))
        pieces = torch.split(flat, [a * b for a, b in shapes] + [self.width] * (self.depth - 1), 1)
        weights = [piece.reshape(-1, *shape) for piece, shape in zip(pieces, shapes, strict=False)]
        return weights, [piece[:, None, :] for piece in pieces[len(shapes) :]]

    def series(self, flat: Float[Tensor, "b p"], inputs: Series, kept: frozenset[MultiIndex]) -> Series:
        """Taylor coefficients of the outputs, ``[B, n, outputs]`` each, from those of the inputs, ``[n or 1, inputs]``."""
        weights, biases = self.split(flat)
        zero = (0,) * len(next(iter(kept)))
        points = inputs[zero]
        current: Series = {zero: torch.baddbmm(biases[0], points.expand(len(flat), -1, -1), weights[0])}
        for alpha, value in inputs.items():
            if any(alpha) and alpha in kept:
                current[alpha] = torch.matmul(value, weights[0]).expand_as(current[zero])
        for layer in range(1, self.depth):
            values = compose(self.activation, current, kept)
            # All coefficients in one product.
            keys = list(values)
            stacked = torch.cat([values[key] for key in keys], 1)
            factor = self.width**-0.5 if self.scaling == "ntk" else 1.0
            product = torch.bmm(stacked, factor * weights[layer])
            current = dict(zip(keys, torch.split(product, len(points), 1), strict=True))
            if layer < self.depth - 1:
                current[zero] = current[zero] + biases[layer]
        return current


@dataclass(frozen=True)
class PerceptronResidual:
    """Residuals of a batch of perceptrons: an objective for the optimisers, as the two-layer one is.

    Flat parameters are those of :class:`numerics.networks.networks.Perceptron` in its own order (all weights, then all
    biases), so that ``flatten(Perceptron(…, seed=s))`` starts member s.

    Attributes:
        depth, width, dimension, activation, scaling: of the perceptron.
        system: the rows, on the device and in the arithmetic of the parameters.
        cast_after_forward: difference in float64 what was evaluated in the arithmetic of the run.
    """

    depth: int
    width: int
    dimension: int
    activation: TorchActivation
    system: System
    scaling: Scaling = "ntk"
    cast_after_forward: bool = False
    uses_autograd: bool = True

    def __post_init__(self) -> None:
        if self.depth < 2 or self.width < 1 or self.dimension != self.system.dimension:
            raise InputError(
                f"network: depth {self.depth}, width {self.width}, {self.dimension} dimension(s);"
                f" allowed: depth ≥ 2, width ≥ 1, the system's {self.system.dimension} dimension(s)"
            )

    @property
    def network(self) -> Layers:
        """The layers, with one output."""
        return Layers(self.depth, self.width, self.dimension, 1, self.activation, self.scaling)

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.network.size

    def module(self, seed: int = 0) -> Perceptron:
        """The same network as a module, freshly drawn."""
        return Perceptron(self.depth, self.width, self.dimension, self.activation, self.scaling, seed)

    def _series(self, flat: Tensor, points: Tensor, alphas: tuple[MultiIndex, ...]) -> Series:
        """Taylor coefficients of ``u`` at the points, ``[B, n, 1]`` each."""
        kept = closure(alphas)
        return self.network.series(flat, coordinates(points, kept), kept)

    def values(self, flat: Float[Tensor, "b p"], points: Float[Tensor, "n d"]) -> Float[Tensor, "b n"]:
        """``u`` at the points, for each member of the batch."""
        zero = (0,) * self.dimension
        return self._series(flat, points, (zero,))[zero][:, :, 0]

    def _rows(self, flat: Tensor, rows: Rows) -> Tensor:
        parts: Any = rows.parts
        if rows.differentiated:
            alphas = tuple(dict.fromkeys(term.alpha for term in parts))
            series = self._series(flat, rows.points, alphas)
            total: Any = None
            for term in parts:
                value = series[term.alpha][:, :, 0] if term.alpha in series else flat.new_zeros(())
                factor = math.prod(math.factorial(times) for times in term.alpha)
                coefficient = factor * term.coefficient
                value = value * coefficient if isinstance(coefficient, Tensor) or coefficient != 1 else value
                total = value if total is None else total + value
        else:
            shifts, places = unique_shifts(parts)
            points = (rows.points[None] + shifts[:, None]).flatten(0, 1)
            zero = (0,) * self.dimension
            nodes = self._series(flat, points, (zero,))[zero][:, :, 0]
            nodes = nodes.double() if self.cast_after_forward else nodes
            total = combine(parts, places, torch.split(nodes, len(rows.points), 1))
        residual: Tensor = (total - rows.target) * rows.root
        return residual

    def residual(self, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r"]:
        """All rows, for each member of the batch; it carries a graph if ``flat`` does."""
        return torch.cat([self._rows(flat, rows) for rows in self.system.rows], 1)

    def __call__(self, flat: Float[Tensor, "b p"]) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]:
        return loss_and_gradient(self.residual, flat)

    def jacobian(self, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r p"]:
        """``∂r/∂parameters``, row by row for the whole batch."""
        return jacobian_by_rows(self.residual, flat)
