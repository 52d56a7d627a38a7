"""Any ``torch.nn.Module`` as a batch of flat parameter vectors, with residuals by generic differentiation.

The module must treat the rows of its input one by one (no batch statistics) and return ``[n]`` or ``[n, 1]``. This is
the fallback for what :mod:`numerics.training.two_layer` does not cover: deeper networks, a user's own network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.training.residuals import (
    Differentiate,
    System,
    derivative_by_autograd,
    derivative_by_jvp,
    residual,
)
from theory.errors import InputError

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
        with torch.enable_grad():
            point = flat.detach().requires_grad_(True)
            rows = self.residual(point)
            loss = 0.5 * (rows * rows).sum(1)
            (gradient,) = torch.autograd.grad(loss.sum(), point)
        return loss.detach().to(flat.dtype), gradient

    def jacobian(self, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r p"]:
        """``∂r/∂parameters`` by reverse mode, row by row for the whole batch."""
        return jacobian_by_rows(self.residual, flat)


def jacobian_by_rows(residual: Callable[[Tensor], Tensor], flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r p"]:
    """The Jacobian of independent members, by one backward pass a row."""
    with torch.enable_grad():
        point = flat.detach().requires_grad_(True)
        rows = residual(point).unbind(1)
        slopes = [torch.autograd.grad(row.sum(), point, retain_graph=True)[0] for row in rows]
    return torch.stack(slopes, 1)
