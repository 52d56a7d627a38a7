"""PhysicsNeMo: which ``fd_dx`` for ``PhysicsInformer(grad_method="meshless_finite_difference", fd_dx=…)``, in float32?

    pip install nvidia-physicsnemo
    python docs/examples/physicsnemo_step.py [--cheap]

    −(u_xx + u_yy)/100 on the unit square.  The default of ``fd_dx`` is 0.001.

``PhysicsInformer`` takes one step, or one for each axis, and in this mode the network's values at the points and beside
them: ``u``, ``u>>x::1``, ``u>>x::-1``, ``u>>y::1``, ``u>>y::-1``.  Its grid mode, ``finite_difference``, has the spacing of
the grid as its step, and no choice.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from adfd import advise
from physicsnemo.sym.eq.pde import PDE
from physicsnemo.sym.eq.phy_informer import PhysicsInformer
from sympy import Function, Symbol
from torch import Tensor, nn

DEFAULT = 0.001


class Diffusion(PDE):  # type: ignore[misc]
    """The equation, as PhysicsNeMo takes it."""

    def __init__(self) -> None:
        self.dim = 2
        x, y = Symbol("x"), Symbol("y")
        u = Function("u")(x, y)
        self.equations = {"diffusion": -0.01 * (u.diff(x, 2) + u.diff(y, 2))}


def by_autodiff(net: nn.Module, points: Tensor) -> Tensor:
    """The equation at the points by ``grad_method="autodiff"``."""
    informer = PhysicsInformer(["diffusion"], Diffusion(), grad_method="autodiff")
    at = points.clone().requires_grad_()
    found: Tensor = informer.forward({"coordinates": at, "u": net(at)})["diffusion"]
    return found


def by_differences(net: nn.Module, points: Tensor, step: float) -> Tensor:
    """The same by ``grad_method="meshless_finite_difference"``."""
    informer = PhysicsInformer(["diffusion"], Diffusion(), grad_method="meshless_finite_difference", fd_dx=step)
    inputs: dict[str, Any] = {"u": net(points)}
    for k, name in enumerate("xy"):
        for side in (1, -1):
            shift = torch.zeros(1, 2)
            shift[0, k] = side * step
            inputs[f"u>>{name}::{side}"] = net(points + shift)
    found: Tensor = informer.forward(inputs)["diffusion"]
    return found


def main(*, cheap: bool = False) -> dict[str, float]:
    """Prints the error of the equation in float32 for each step, and returns it."""
    width = 16 if cheap else 64
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
    points = torch.rand(200, 2)

    found = advise(net, "-0.01*(u_xx + u_yy)", points, step=DEFAULT)
    print(found.text[0])
    h = found.of("-0.01*(u_xx + u_yy)", "float32").step  # central differences of order 2, as PhysicsNeMo's
    print(f"advised: fd_dx = {h:.3g}")

    exact = by_autodiff(net.double(), points.double()).detach()
    net.float()
    size = exact.square().mean().sqrt()
    errors = {}
    ways = {"autodiff": by_autodiff(net, points), f"fd_dx = {DEFAULT}": by_differences(net, points, DEFAULT),
            "advised fd_dx": by_differences(net, points, h)}  # fmt: skip
    for name, residual in ways.items():
        errors[name] = float((residual.detach().double() - exact).square().mean().sqrt() / size)
        print(f"{name:>13}: error of the equation {errors[name]:.1e}")
    assert errors["advised fd_dx"] < errors[f"fd_dx = {DEFAULT}"] / 10
    return errors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cheap", action="store_true")
    main(cheap=parser.parse_args().cheap)
