"""A practitioner's study: which h for a physics-informed network trained with finite differences in float32?

    python docs/studies/practitioner.py [--cheap]

A user solves u'' = −π² sin(πx) on (−1, 1), u(±1) = 0, with a small tanh network in float32.  The second derivative in
the residual is a central difference, with the step that felt safe: h = 1e-4, "smaller is more accurate".  The advice
says otherwise, and the training bears it out.

The script asserts what it says, so that running it checks the text.
"""

from __future__ import annotations

import argparse
import copy
import math
from collections.abc import Callable

import torch
from adfd import advise

HABIT = 1e-4


def network(width: int, seed: int) -> torch.nn.Module:
    """The user's network, in float32."""
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, width), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))


def second_difference(net: torch.nn.Module, h: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """u'' by the central second difference, as a training run forms it."""
    return lambda x: (net(x + h) - 2 * net(x) + net(x - h)) / h**2


def second_derivative(net: torch.nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """u'' by nested automatic differentiation."""

    def at(x: torch.Tensor) -> torch.Tensor:
        x = x.clone().requires_grad_()
        (first,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
        return second

    return at


def train(net: torch.nn.Module, u_xx: Callable[[torch.Tensor], torch.Tensor], iterations: int) -> float:
    """Adam on the residual and the boundary; returns the root-mean-square error of the solution."""
    x = torch.linspace(-1, 1, 66)[1:-1, None]
    ends = torch.tensor([[-1.0], [1.0]])
    f = -(math.pi**2) * torch.sin(math.pi * x)
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(iterations):
        optimiser.zero_grad()
        loss = ((u_xx(x) - f) ** 2).mean() + 100 * (net(ends) ** 2).mean()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        return float(((net(x) - torch.sin(math.pi * x)) ** 2).mean().sqrt())


def main(*, cheap: bool) -> None:
    """Asks for advice, then trains with the habit, with the advice and with AD."""
    width, iterations, seeds = (16, 250, 1) if cheap else (32, 3000, 3)
    start = network(width, 0)
    points = torch.linspace(-1, 1, 66)[1:-1, None]

    print("1. What does the habit cost?  The network as it starts, u_xx by the central difference, float32:")
    found = advise(start, "u_xx", points).of("u_xx", "float32")
    at_habit = min(found.curve, key=lambda point: abs(math.log(point[0] / HABIT)))[1]
    print(f"   at h = {HABIT:g} its error is {at_habit / found.size:.2g} of the derivative: noise.")
    print(f"   Keep h between {found.good[0]:.2g} and {found.good[1]:.2g}; h* = {found.step:.2g}, where it is")
    print(f"   {found.error / found.size:.2g} of the derivative.  Taken: h = {found.suggested}.")
    assert at_habit > 100 * found.error
    assert found.good[0] > 10 * HABIT

    print("2. Does it matter in training?  Root-mean-square error of the solution, median of the seeds:")
    numerator, _, denominator = found.suggested.partition("/")
    advised = float(numerator) / float(denominator or 1)
    errors: dict[str, list[float]] = {"FD, h = 1e-4": [], f"FD, h = {found.suggested}": [], "AD": []}
    for seed in range(seeds):
        for name, h in zip(errors, (HABIT, advised, None), strict=True):
            net = copy.deepcopy(network(width, seed))
            errors[name].append(
                train(net, second_derivative(net) if h is None else second_difference(net, h), iterations)
            )
    medians = {name: sorted(values)[len(values) // 2] for name, values in errors.items()}
    for name, value in medians.items():
        print(f"   {name:<14} {value:.2g}")
    habit, good, ad = medians.values()
    assert good < habit / 2
    assert good < 3 * ad
    print("   With the advised step FD trains as AD does; with the habit it fits noise.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cheap", action="store_true", help="a few seconds, for tests")
    main(cheap=parser.parse_args().cheap)
