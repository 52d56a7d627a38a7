"""A plain torch loop: Burgers' equation by finite differences in float32, its step advised, and watched while it trains.

python docs/examples/torch_loop.py [--cheap]

u_t + u u_x = u_xx/20 on (−1, 1) × (0, 1),   u(x, 0) = −sin πx,   u(±1, t) = 0.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections.abc import Callable

import torch
from adfd import advise, watch
from torch import Tensor, nn

NU = 0.05
EQUATION = "u_t + u*u_x = 0.05*u_xx"
HABIT = 0.001
"""The step for every derivative that many examples carry."""


class Wave(nn.Module):
    """A small network that has the initial wave and the walls built in: −sin πx + t (1 − x²) N(x, t)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers = [nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)]
        self.inner = nn.Sequential(*layers)

    def forward(self, points: Tensor) -> Tensor:
        x, t = points.split(1, 1)
        return t * (1 - x**2) * self.inner(points) - torch.sin(math.pi * x)


def by_autograd(net: nn.Module, points: Tensor) -> Tensor:
    """The residual with derivatives by nested autograd."""
    at = points.clone().requires_grad_()
    u = net(at)
    u_x, u_t = torch.autograd.grad(u.sum(), at, create_graph=True)[0].split(1, 1)
    u_xx = torch.autograd.grad(u_x.sum(), at, create_graph=True)[0][:, :1]
    return u_t + u * u_x - NU * u_xx


def by_differences(h_x: float, h_t: float) -> Callable[[nn.Module, Tensor], Tensor]:
    """The residual with central differences of order 2."""
    in_x, in_t = torch.tensor([[h_x, 0.0]]), torch.tensor([[0.0, h_t]])

    def residual(net: nn.Module, points: Tensor) -> Tensor:
        u, right, left = net(points), net(points + in_x), net(points - in_x)
        u_t = (net(points + in_t) - net(points - in_t)) / (2 * h_t)
        return u_t + u * (right - left) / (2 * h_x) - NU * (right - 2 * u + left) / h_x**2

    return residual


def train(
    net: nn.Module,
    residual: Callable[[nn.Module, Tensor], Tensor],
    points: Tensor,
    iterations: int,
    look: object = None,
) -> None:
    """Adam; ``look`` is called after every step."""
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(iterations):
        optimiser.zero_grad()
        residual(net, points).square().mean().backward()
        optimiser.step()
        if callable(look):
            look()


def main(*, cheap: bool = False) -> dict[str, float]:
    """Prints the root mean square residual, by autograd in float64, after training in each way, and returns it."""
    width, iterations = (8, 10) if cheap else (32, 2000)
    torch.manual_seed(0)
    points = torch.rand(40 if cheap else 200, 2) * torch.tensor([2.0, 1.0]) - torch.tensor([1.0, 0.0])

    start = Wave(width)
    found = advise(start, EQUATION, points, step=HABIT)
    print(found.text[0])  # the habit
    told = found.of(EQUATION, "float32")  # central differences of order 2
    steps = {name: float(h) for name, h in told.steps}
    print(f"advised: {', '.join(f'h_{name} = {h:.3g}' for name, h in steps.items())}, error {told.relative:.1e}")

    losses = {}
    habit = {"x": HABIT, "t": HABIT}
    for name, taken in {"autograd": None, f"h = {HABIT}": habit, "advised steps": steps}.items():
        torch.manual_seed(0)
        net = Wave(width)
        residual = by_autograd if taken is None else by_differences(taken["x"], taken["t"])
        look = None if taken is None else watch(net, EQUATION, points, taken, every=max(iterations // 2, 20))
        with warnings.catch_warnings(record=True) as told_on_the_way:
            warnings.simplefilter("always")
            train(net, residual, points, iterations, look)
        for warning in told_on_the_way:
            print(f"  while training: {warning.message}")
        exact = by_autograd(net.double(), points.double()).detach()
        losses[name] = float(exact.square().mean().sqrt())
        print(f"{name:>14}: residual {losses[name]:.3e} after {iterations} iterations")
    return losses


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cheap", action="store_true")
    main(cheap=parser.parse_args().cheap)
