"""Derivatives of any elementwise function by nested reverse mode: the oracle of the closed jets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from numerics.networks.activations import TorchActivation


def by_autograd(value: Callable[[Tensor], Tensor], name: str = "custom") -> TorchActivation:
    def jet(z: Tensor, order: int) -> list[Tensor]:
        attached = z.requires_grad
        with torch.enable_grad():
            point = z if attached else z.detach().requires_grad_(True)
            out = [value(point)]
            for _ in range(order):
                if not out[-1].requires_grad:
                    out.append(torch.zeros_like(z))
                    continue
                (slope,) = torch.autograd.grad(out[-1].sum(), point, create_graph=True, allow_unused=True)
                out.append(torch.zeros_like(z) if slope is None else slope)
        return out if attached else [o.detach() for o in out]

    return TorchActivation(name, value, jet)
