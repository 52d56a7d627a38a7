"""Residuals of equations in several unknowns, of networks with as many outputs: by autodiff, by differences or mixed.

Autodiff is Taylor mode in the coordinates (:mod:`numerics.networks.perceptrons`): exact derivatives of the network, with
reverse mode over them for the parameters, for all seeds at once.  A difference is a weighted sum of values of the
network (or of its derivatives in the other coordinates) at nodes, which may differ from point to point.  Hard conditions are
products of series: ``u = mask · network + lift``; a periodic coordinate enters as a sine and a cosine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy as sp
import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.networks.networks import MultiIndex
from numerics.networks.perceptrons import (
    Layers,
    Series,
    closure,
    coordinates,
    jacobian_by_rows,
    loss_and_gradient,
    product,
)
from numerics.networks.symbolic import TorchBackend
from theory.base.errors import InputError
from theory.base.expressions import evaluate


@dataclass(frozen=True)
class Difference:
    """``1/scale · Σ_k w_k v(node_k)`` at every point, as places among the nodes; short sums are filled up with weight 0."""

    places: Int[Tensor, "n s"]
    weights: Float[Tensor, "n s"]
    scale: float


@dataclass(frozen=True)
class Formed:
    """One derivative of one unknown.

    Attributes:
        output: of the network.
        inner: the orders taken by autodiff.
        outer: the difference of that, or None where autodiff does it all.
    """

    output: int
    inner: MultiIndex
    outer: Difference | None = None


@dataclass(frozen=True)
class FieldRows:
    """Rows of equations at the same points, or of one condition.

    Attributes:
        points: ``[n, d]``.
        target: what the expressions are to be, those of the first equation first, ``[e n]``.
        exprs: in the symbols of ``formed`` and in ``symbols``, the coordinates.
        formed: how each symbol of an unknown is formed.
        nodes: where the network is evaluated, ``[m, d]``; the points themselves without differences.
        hard: for some outputs the series of mask and lift at the nodes, ``[m]`` each.
        periods: of each coordinate its lower end and its period, or None.
        root: √λ.
        paired: the points are those of two faces, and the rows the second half less the first.
        parts: none; rows of one linear operator have them.
    """

    points: Float[Tensor, "n d"]
    target: Float[Tensor, " en"]
    exprs: tuple[sp.Expr, ...]
    symbols: tuple[sp.Symbol, ...]
    formed: tuple[tuple[sp.Symbol, Formed], ...]
    nodes: Float[Tensor, "m d"]
    hard: Mapping[int, tuple[Series, Series]]
    periods: tuple[tuple[float, float] | None, ...]
    root: float = 1.0
    paired: bool = False
    parts: tuple[()] = ()

    @cached_property
    def kept(self) -> frozenset[MultiIndex]:
        """The orders that autodiff carries."""
        zero = (0,) * self.points.shape[1]
        return closure((zero, *(one.inner for _, one in self.formed)))

    @cached_property
    def inputs(self) -> Series:
        """What the network takes at the nodes, as series."""
        return embedded(self.nodes, self.periods, self.kept)

    def to(self, device: torch.device, dtype: torch.dtype) -> FieldRows:
        """The rows on a device, everything in them rounded to ``dtype``."""

        def move(value: Any) -> Any:
            if isinstance(value, Tensor):
                return value.to(device, dtype if value.is_floating_point() else value.dtype)
            if isinstance(value, dict):
                return {key: move(one) for key, one in value.items()}
            if isinstance(value, tuple) and value and isinstance(value[0], dict):
                return tuple(move(one) for one in value)
            return value

        formed = tuple(
            (symbol, one if one.outer is None else replace(one, outer=replace(
                one.outer, places=move(one.outer.places), weights=move(one.outer.weights)
            )))
            for symbol, one in self.formed
        )  # fmt: skip
        moved = {name: move(getattr(self, name)) for name in ("points", "target", "nodes", "hard")}
        return replace(self, formed=formed, **moved)


def embedded(
    points: Float[Tensor, "n d"], periods: tuple[tuple[float, float] | None, ...], kept: frozenset[MultiIndex]
) -> Series:
    """The coordinates as series, ``sin κ(x − low), cos κ(x − low)`` in the place of a periodic one, ``κ = 2π/period``."""
    plain = coordinates(points, kept)
    if not any(periods):
        return plain
    out: Series = {}
    d = points.shape[1]
    for alpha in kept:
        columns, some = [], not any(alpha)
        axes = [axis for axis, times in enumerate(alpha) if times]
        for axis, period in enumerate(periods):
            alone = all(k == axis for k in axes)
            some |= alone and (period is not None or sum(alpha) == 1)
            if period is None:
                value = plain[alpha][:, axis] if alpha in plain else points.new_zeros(())
                columns.append(value.expand(len(points)))
                continue
            low, length = period
            rate, times = 2 * math.pi / length, alpha[axis]
            phase = rate * (points[:, axis] - low) + times * math.pi / 2
            scale = rate**times / math.factorial(times) if alone else 0.0
            columns += [scale * torch.sin(phase), scale * torch.cos(phase)]
        if some:
            out[alpha] = torch.stack(columns, 1)
    assert (0,) * d in out
    return out


@dataclass(frozen=True)
class FieldSystem:
    """All rows of a problem posed by equations."""

    rows: tuple[FieldRows, ...]

    def __post_init__(self) -> None:
        if not self.rows:
            raise InputError("points: there are neither interior nor boundary points")

    @property
    def count(self) -> int:
        """Number of rows."""
        return sum(len(rows.target) for rows in self.rows)

    def to(self, device: torch.device, dtype: torch.dtype) -> FieldSystem:
        """The system on a device and in an arithmetic."""
        return FieldSystem(tuple(rows.to(device, dtype) for rows in self.rows))


@dataclass(frozen=True)
class FieldResidual:
    """Residuals of a batch of networks with several outputs: an objective for the optimisers.

    Attributes:
        network: the layers; their flat parameters are the rows of a batch.
        system: the rows, on the device and in the arithmetic of the parameters.
        content: names the problem and the method, for checkpoints.
        cast_after_forward: difference in float64 what was evaluated in the arithmetic of the run.
    """

    network: Layers
    system: FieldSystem
    content: str
    cast_after_forward: bool = False
    uses_autograd: bool = True

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.network.size

    def residual(self, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r"]:
        """All rows, for each member of the batch; it carries a graph if ``flat`` does."""
        return torch.cat([self._rows(flat, rows) for rows in self.system.rows], 1)

    def _rows(self, flat: Tensor, rows: FieldRows) -> Tensor:
        fields = outputs(self.network.series(flat, rows.inputs, rows.kept), rows.hard, rows.kept)
        values: dict[sp.Symbol, Any] = {s: rows.points[:, axis] for axis, s in enumerate(rows.symbols)}
        for symbol, one in rows.formed:
            values[symbol] = self._value(fields[one.output], one)
        shape, backend = (len(flat), len(rows.points)), TorchBackend()
        found = torch.cat([torch.as_tensor(evaluate(e, values, backend)).expand(shape) for e in rows.exprs], 1)
        if rows.paired:
            low, high = found.chunk(2, 1)
            found = high - low
        result: Tensor = (found - rows.target) * rows.root
        return result

    def _value(self, field: Series, one: Formed) -> Tensor:
        zero = (0,) * len(one.inner)
        value = field[one.inner] if one.inner in field else torch.zeros_like(field[zero])
        factor = math.prod(math.factorial(times) for times in one.inner)
        value = value if factor == 1 else value * factor
        if one.outer is None:
            return value
        value = value.double() if self.cast_after_forward else value
        total: Tensor = (value[:, one.outer.places] * one.outer.weights).sum(2) / one.outer.scale
        return total

    def __call__(self, flat: Float[Tensor, "b p"]) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]:
        return loss_and_gradient(self.residual, flat)

    def jacobian(self, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r p"]:
        """``∂r/∂parameters``, row by row for the whole batch."""
        return jacobian_by_rows(self.residual, flat)


def outputs(series: Series, hard: Mapping[int, tuple[Series, Series]], kept: frozenset[MultiIndex]) -> list[Series]:
    """The unknowns ``mask · network + lift`` as series, ``[B, n]`` each coefficient, one for each output."""
    count = next(iter(series.values())).shape[2]
    found = []
    for k in range(count):
        one = {alpha: value[:, :, k] for alpha, value in series.items()}
        if k in hard:
            mask, lift = hard[k]
            zero = torch.zeros_like(next(iter(one.values())))
            one = product(mask, one, kept)
            for alpha, value in lift.items():
                if alpha in kept:
                    one[alpha] = one.get(alpha, zero) + value
            one.setdefault((0,) * len(next(iter(kept))), zero)
        found.append(one)
    return found


class FieldModule(torch.nn.Module):
    """One unknown of one network with its own parameters, differentiable in the points: ``[n, d]`` to values ``[n]``."""

    def __init__(
        self,
        network: Layers,
        flat: Float[Tensor, " p"],
        output: int,
        periods: tuple[tuple[float, float] | None, ...],
        hard: tuple[sp.Expr, sp.Expr],
        symbols: tuple[sp.Symbol, ...],
    ) -> None:
        super().__init__()
        weights, biases = network.split(flat[None])
        self.network, self.output, self.periods, self.hard, self.symbols = network, output, periods, hard, symbols
        self.weights = torch.nn.ParameterList(w[0].detach().clone() for w in weights)
        self.biases = torch.nn.ParameterList(b[0].detach().clone() for b in biases)

    def forward(self, points: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """The unknown at the points, its hard condition included."""
        zero = (0,) * points.shape[1]
        value = embedded(points, self.periods, frozenset({zero}))[zero]
        factor = self.network.width**-0.5 if self.network.scaling == "ntk" else 1.0
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=False)):
            value = self.network.activation.value((1.0 if layer == 0 else factor) * (value @ weight) + bias)
        at = {symbol: points[:, axis] for axis, symbol in enumerate(self.symbols)}
        mask, lift = (evaluate(expr, at, TorchBackend()) for expr in self.hard)
        total: Tensor = mask * (factor * (value @ self.weights[-1]))[:, self.output] + lift
        return total
