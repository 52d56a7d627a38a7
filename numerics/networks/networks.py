"""Networks, and what they are trained on: rows ``√λ (L u(x_i) − f_i)``, with derivatives by autodiff or by differences.

A :class:`System` is a list of :class:`Rows`, each with its points, targets, weight and a list of parts:
:class:`Term` is ``c(x) ∂^α u(x)``, differentiated exactly; :class:`Difference` is
``c(x)/scale · Σ_k w_k u(x + s_k)``, the finite difference applied to the network itself, mesh-free: the shifted
points need not be collocation points.

This module evaluates any function ``u`` that treats the rows of its argument one by one (a ``torch.nn.Module``
without batch statistics). :mod:`numerics.networks.two_layer` does the same for two-layer networks, faster.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.networks.activations import TorchActivation, activation
from theory.base.errors import InputError

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


MultiIndex = tuple[int, ...]
Field = Callable[[Tensor], Tensor]
"""``u``: points ``[n, d]`` to values ``[n]``."""


@dataclass(frozen=True)
class Term:
    """``c(x) ∂^α u(x)``; the coefficient is one number, or its values at the points of the rows ``[n]``."""

    alpha: MultiIndex
    coefficient: float | Float[Tensor, " n"] = 1.0


@dataclass(frozen=True)
class Difference:
    """``c(x)/scale · Σ_k w_k u(x + s_k)``.

    Attributes:
        shifts: ``s_k`` as vectors in the units of x (the nodes times h), ``[k, d]``.
        weights: ``w_k``, of the stencil in units of h.
        scale: ``h^m``.
        coefficient: as in :class:`Term`.
    """

    shifts: Float[Tensor, "k d"]
    weights: tuple[float, ...]
    scale: float
    coefficient: float | Float[Tensor, " n"] = 1.0


@dataclass(frozen=True)
class Rows:
    """Rows of one kind: interior points, or one set of boundary points.

    Attributes:
        points: ``[n, d]``, float64; cast to the arithmetic of the run.
        target: ``f`` (or ``g``) at the points, ``[n]``.
        parts: terms or differences that sum to ``L u``; not both kinds.
        root: √λ, by which the rows are multiplied.
    """

    points: Float[Tensor, "n d"]
    target: Float[Tensor, " n"]
    parts: tuple[Term, ...] | tuple[Difference, ...]
    root: float = 1.0

    def __post_init__(self) -> None:
        n = self.points.shape[0] if self.points.ndim == 2 else -1
        if n < 1 or self.target.shape != (n,):
            raise InputError(
                f"rows: points {tuple(self.points.shape)} and target {tuple(self.target.shape)};"
                " allowed: (n, d) and (n,), n ≥ 1"
            )
        if not self.parts:
            raise InputError("rows: at least one term or difference is needed")
        for part in self.parts:
            d = part.shifts.shape[1] if isinstance(part, Difference) else len(part.alpha)
            if d != self.points.shape[1]:
                raise InputError(f"rows: a part in {d} dimensions for points in {self.points.shape[1]}")
            if isinstance(part.coefficient, Tensor) and part.coefficient.shape != (n,):
                raise InputError(f"rows: {tuple(part.coefficient.shape)} coefficients for {n} points")
            if isinstance(part, Difference) and len(part.weights) != len(part.shifts):
                raise InputError(f"rows: {len(part.weights)} weights for {len(part.shifts)} shifts")
        if len({type(part) for part in self.parts}) > 1:
            raise InputError("rows: terms and differences in one set; allowed: one kind")

    @property
    def differentiated(self) -> bool:
        """Whether the derivatives are exact (terms) rather than differences."""
        return isinstance(self.parts[0], Term)

    def to(self, device: torch.device, dtype: torch.dtype) -> Rows:
        """The rows on a device, everything in them rounded to ``dtype``."""

        def move(value: Any) -> Any:
            return value.to(device, dtype) if isinstance(value, Tensor) else value

        parts: list[Any] = []
        for part in self.parts:
            changes = {"coefficient": move(part.coefficient)}
            if isinstance(part, Difference):
                changes["shifts"] = move(part.shifts)
            parts.append(replace(part, **changes))
        return Rows(move(self.points), move(self.target), tuple(parts), self.root)


@dataclass(frozen=True)
class System:
    """All rows of a problem, interior first."""

    rows: tuple[Rows, ...]

    def __post_init__(self) -> None:
        if not self.rows or len({rows.points.shape[1] for rows in self.rows}) != 1:
            raise InputError("system: at least one set of rows, all in one dimension")

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return int(self.rows[0].points.shape[1])

    @property
    def count(self) -> int:
        """Number of rows."""
        return sum(len(rows.target) for rows in self.rows)

    def to(self, device: torch.device, dtype: torch.dtype) -> System:
        """The system on a device and in an arithmetic."""
        return System(tuple(rows.to(device, dtype) for rows in self.rows))


def unique_shifts(parts: Sequence[Difference]) -> tuple[Float[Tensor, "s d"], list[list[int]]]:
    """The distinct shifts of all parts, in order of appearance, and where each part's shifts are among them.

    The network is evaluated once at each.
    """
    seen: dict[tuple[float, ...], int] = {}
    places = []
    for part in parts:
        keys = [tuple(shift) for shift in part.shifts.double().tolist()]
        places.append([seen.setdefault(key, len(seen)) for key in keys])
    first = parts[0].shifts
    return torch.tensor(list(seen), dtype=first.dtype, device=first.device).reshape(len(seen), -1), places


def combine(parts: Sequence[Difference], places: Sequence[Sequence[int]], values: Sequence[Tensor]) -> Tensor:
    """``Σ_parts c/scale Σ_k w_k u(x + s_k)`` from the values at the distinct shifts, summed as a user would."""
    total: Tensor | None = None
    for part, place in zip(parts, places, strict=True):
        inner: Tensor | None = None
        for weight, k in zip(part.weights, place, strict=True):
            if weight == 0:
                continue
            value = values[k] if weight == 1 else values[k] * weight
            inner = value if inner is None else inner + value
        if inner is None:
            inner = torch.zeros_like(values[0])
        if part.scale != 1:
            inner = inner / part.scale
        if isinstance(part.coefficient, Tensor):
            inner = inner * part.coefficient.to(inner)
        elif part.coefficient != 1:
            inner = inner * part.coefficient
        total = inner if total is None else total + inner
    assert total is not None
    return total


def derivative_by_autograd(u: Field, points: Float[Tensor, "n d"], alpha: MultiIndex) -> Float[Tensor, " n"]:
    """``∂^α u`` at the points by nested reverse mode; it carries a graph, so that it can be trained."""
    x = points.detach().requires_grad_(True)
    value = u(x)
    for axis, times in enumerate(alpha):
        for _ in range(times):
            if not value.requires_grad:
                return torch.zeros_like(value)
            (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True, allow_unused=True)
            value = torch.zeros_like(value) if slope is None else slope[:, axis]
    return value


def derivative_by_jvp(u: Field, points: Float[Tensor, "n d"], alpha: MultiIndex) -> Float[Tensor, " n"]:
    """``∂^α u`` at the points by nested forward mode (``torch.func.jvp``), which works under ``vmap``."""
    _load_forward_mode()
    for axis, times in enumerate(alpha):
        direction = torch.zeros_like(points)
        direction[:, axis] = 1
        for _ in range(times):
            u = _along(u, direction)
    return u(points)


@cache
def _load_forward_mode() -> None:
    """The first use of forward mode loads torch's decompositions, which warn of torch's own deprecations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.func.jvp(torch.sin, (torch.zeros(()),), (torch.ones(()),))


def _along(u: Field, direction: Tensor) -> Field:
    def slope(x: Tensor) -> Tensor:
        tangent: Tensor = torch.func.jvp(u, (x,), (direction,))[1]
        return tangent

    return slope


Differentiate = Callable[[Field, Tensor, MultiIndex], Tensor]


def rows_residual(
    u: Field, rows: Rows, differentiate: Differentiate = derivative_by_autograd, cast_after_forward: bool = False
) -> Float[Tensor, " n"]:
    """``√λ (L u − f)`` at the points of ``rows``.

    Args:
        cast_after_forward: take the network's values to float64 before they are differenced, a habit of some
            libraries. It cannot bring back the digits that the forward pass in float32 did not compute.
    """
    parts: Any = rows.parts
    if rows.differentiated:
        total: Tensor | None = None
        for term in parts:
            value = differentiate(u, rows.points, term.alpha)
            if isinstance(term.coefficient, Tensor) or term.coefficient != 1:
                value = value * term.coefficient
            total = value if total is None else total + value
        assert total is not None
    else:
        shifts, places = unique_shifts(parts)
        values = [u(rows.points + shift) for shift in shifts]
        if cast_after_forward:
            values = [value.double() for value in values]
        total = combine(parts, places, values)
    residual = total - rows.target
    return residual if rows.root == 1 else residual * rows.root


def residual(
    u: Field,
    system: System,
    differentiate: Differentiate = derivative_by_autograd,
    cast_after_forward: bool = False,
) -> Float[Tensor, " r"]:
    """All rows of ``√λ (L u − f)``, in the order of the system, for any field ``u``."""
    return torch.cat([rows_residual(u, rows, differentiate, cast_after_forward) for rows in system.rows])
