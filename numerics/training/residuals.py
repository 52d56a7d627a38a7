"""What a network is trained on: rows ``√λ (L u(x_i) − f_i)``, with derivatives by autodiff or by differences.

A :class:`System` is a list of :class:`Rows`, each with its points, targets, weight and a list of parts:
:class:`Term` is ``c(x) ∂^α u(x)``, differentiated exactly; :class:`Difference` is
``c(x)/scale · Σ_k w_k u(x + s_k)``, the finite difference applied to the network itself, mesh-free: the shifted
points need not be collocation points.

This module evaluates any function ``u`` that treats the rows of its argument one by one (a ``torch.nn.Module``
without batch statistics). :mod:`numerics.training.two_layer` does the same for two-layer networks, faster.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from theory.errors import InputError

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
