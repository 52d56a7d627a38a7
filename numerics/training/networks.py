"""Networks: the two-layer network as a batch of flat parameter vectors, and modules of any depth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.training.jets import TorchActivation, activation
from theory.errors import InputError

Scaling = Literal["ntk", "standard"]
Start = Literal["normal", "bounded", "glorot"]


@dataclass(frozen=True)
class TwoLayer:
    """``u(x) = c Σ_j a_j σ(w_j·x + b_j)`` with ``c = M^{-1/2}`` (``"ntk"``) or 1 (``"standard"``).

    Parameters are flat vectors ``[B, P]``, ``P = M(d + 2)``: first ``a`` (M), then ``b`` (M), then ``w`` (d × M,
    one row for each coordinate).
    """

    width: int
    dimension: int
    activation: TorchActivation
    scaling: Scaling = "ntk"

    def __post_init__(self) -> None:
        if self.width < 1 or self.dimension < 1:
            raise InputError(f"network: width {self.width}, dimension {self.dimension}; both at least 1")
        if self.scaling not in ("ntk", "standard"):
            raise InputError(f"scaling: {self.scaling!r}; allowed: ntk, standard")

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self.width * (self.dimension + 2)

    @property
    def factor(self) -> float:
        """c."""
        return self.width**-0.5 if self.scaling == "ntk" else 1.0

    def split(
        self, flat: Float[Tensor, "b p"]
    ) -> tuple[Float[Tensor, "b m"], Float[Tensor, "b m"], Float[Tensor, "b d m"]]:
        """Views of ``a``, ``b`` and ``w`` in the flat vectors."""
        m = self.width
        if flat.shape[-1] != self.size:
            raise InputError(f"network: {flat.shape[-1]} parameters; this one has {self.size}")
        return flat[:, :m], flat[:, m : 2 * m], flat[:, 2 * m :].view(-1, self.dimension, m)

    def join(self, a: Float[Tensor, "b m"], b: Float[Tensor, "b m"], w: Float[Tensor, "b d m"]) -> Float[Tensor, "b p"]:
        """The flat vectors of these parameters."""
        return torch.cat([a, b, w.flatten(1)], 1)

    def values(self, flat: Float[Tensor, "b p"], points: Float[Tensor, "n d"]) -> Float[Tensor, "b n"]:
        """``u`` at the points, for each member of the batch."""
        a, b, w = self.split(flat)
        return (self.activation.value(preactivation(points, w, b)) @ (self.factor * a)[:, :, None])[:, :, 0]

    def module(self, flat: Float[Tensor, " p"]) -> TwoLayerModule:
        """One member as a ``torch.nn.Module``."""
        return TwoLayerModule(self, flat)


def preactivation(
    points: Float[Tensor, "n d"],
    w: Float[Tensor, "b d m"],
    b: Float[Tensor, "b m"],
    out: Float[Tensor, "b n m"] | None = None,
) -> Float[Tensor, "b n m"]:
    """``z = w·x + b``, into ``out`` if it is given."""
    if points.shape[1] == 1:
        return torch.addcmul(b[:, None, :], points[None, :, :], w, out=out)
    return torch.baddbmm(b[:, None, :], points.expand(len(b), -1, -1), w, out=out)


class TwoLayerModule(torch.nn.Module):
    """One two-layer network with its own parameters ``a``, ``b``, ``w``; points ``[n, d]`` to values ``[n]``."""

    def __init__(self, network: TwoLayer, flat: Float[Tensor, " p"]) -> None:
        super().__init__()
        a, b, w = network.split(flat[None])
        self.network = network
        self.a = torch.nn.Parameter(a[0].detach().clone())
        self.b = torch.nn.Parameter(b[0].detach().clone())
        self.w = torch.nn.Parameter(w[0].detach().clone())

    def forward(self, points: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """``u`` at the points."""
        value: Tensor = self.network.activation.value(points @ self.w + self.b) @ (self.network.factor * self.a)
        return value


class Perceptron(torch.nn.Module):
    """A perceptron of any depth: ``depth`` affine maps with σ between them, so depth 2 has one hidden layer.

    ``"ntk"`` divides each hidden sum by the root of its width and draws standard normal parameters; ``"standard"``
    has Glorot's normal weights and zero biases. Parameters are drawn in float64 from ``seed``, then rounded.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        dimension: int,
        activation_name: str | TorchActivation = "tanh",
        scaling: Scaling = "ntk",
        seed: int = 0,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        if depth < 2 or width < 1 or dimension < 1:
            raise InputError(f"network: depth {depth}, width {width}; allowed: depth ≥ 2, width ≥ 1")
        self.activation = (
            activation_name if isinstance(activation_name, TorchActivation) else activation(activation_name)
        )
        generator = torch.Generator().manual_seed(seed)
        sizes = [dimension, *[width] * (depth - 1), 1]
        weights, biases, factors = [], [], []
        for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            weight = torch.randn(fan_in, fan_out, generator=generator, dtype=torch.float64)
            bias = torch.randn(fan_out, generator=generator, dtype=torch.float64)
            if scaling == "standard":
                weight, bias = weight * math.sqrt(2 / (fan_in + fan_out)), bias * 0
            weights.append(torch.nn.Parameter(weight.to(dtype)))
            # The last layer has no bias, as the two-layer network has none.
            biases.append(torch.nn.Parameter((bias if layer < depth - 1 else bias * 0).to(dtype)))
            factors.append(fan_in**-0.5 if scaling == "ntk" and layer > 0 else 1.0)
        self.weights, self.biases = torch.nn.ParameterList(weights), torch.nn.ParameterList(biases[:-1])
        self.factors = factors

    def forward(self, points: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """``u`` at the points."""
        value = points
        for weight, bias, factor in zip(self.weights, self.biases, self.factors, strict=False):
            value = self.activation.value(factor * (value @ weight) + bias)
        last: Tensor = self.factors[-1] * (value @ self.weights[-1])
        return last[:, 0]


def initialise(
    network: TwoLayer, seeds: Sequence[int], start: Start = "normal", scale: float = 1.0
) -> Float[Tensor, "b p"]:
    """Initial parameters in float64, one generator a seed: a network does not depend on the others in its batch.

    Args:
        start: ``"normal"``: all standard normal. ``"bounded"``: ``w, b ~ U(−√3, √3)`` and ``a = ±1``, the same
            variances with bounded support. ``"glorot"``: Glorot's uniform law for ``w`` and ``a``, ``b = 0``.
            With ``"standard"`` scaling the first two divide ``a`` by √M.
        scale: multiplies ``w`` and ``b``.
    """
    m, d = network.width, network.dimension
    members = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)

        def uniform(*shape: int, generator: torch.Generator = generator) -> Tensor:
            return 2 * torch.rand(*shape, generator=generator, dtype=torch.float64) - 1

        if start == "normal":
            a, b, *w = torch.randn(d + 2, m, generator=generator, dtype=torch.float64)
        elif start == "bounded":
            a, b, *w = uniform(d + 2, m) * math.sqrt(3)
            a = torch.where(a < 0, -1.0, 1.0).double()
        elif start == "glorot":
            a, b, *w = uniform(d + 2, m)
            a, b = a * math.sqrt(6 / (m + 1)), b * 0
            w = [row * math.sqrt(6 / (m + d)) for row in w]
        else:
            raise InputError(f"start: {start!r}; allowed: normal, bounded, glorot")
        if network.scaling == "standard" and start != "glorot":
            a = a / math.sqrt(m)
        members.append(torch.cat([a, scale * b, *(scale * row for row in w)]))
    return torch.stack(members) if members else torch.empty(0, network.size, dtype=torch.float64)
