"""Training throughput against peers, in one run: network-iterations a second, and the ratios.

The work is the 1-D Poisson problem u'' = f with Dirichlet rows: two-layer tanh networks of width 100, 98 interior
and 2 boundary points, float64, Adam. The peers do the same work:

``one at a time``: what DeepXDE with its PyTorch backend does for this problem: one ``nn.Module`` a run, the second
    derivative by two nested ``autograd.grad``, the mean squared residual and boundary losses, ``backward``,
    ``torch.optim.Adam`` with a closure. It is our loop, not DeepXDE itself: DeepXDE's own bookkeeping comes on top.
``nested jvp``: all networks at once, ``torch.func``: two nested ``jvp`` under ``vmap``, gradients by reverse mode.
``batched autograd``: all networks at once, u'' written out in closed form, gradients by ``backward``, foreach Adam.

Rounds are interleaved, so that a busy machine slows all of them; the median of the rounds is reported.

The peers have the same number of torch threads: one, and as many as there are processors (at most 2). With
``--device cuda`` all of them run on the GPU, and the clock waits until it has finished.

    python tests/benchmarks/bench_training.py [--networks 32] [--device cpu|cuda] [--threads 1] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from numerics.arithmetic.devices import threads
from numerics.networks import activations as jets
from numerics.networks.networks import Difference, Rows, System, Term, TwoLayer, initialise
from numerics.networks.two_layer import TwoLayerResidual
from numerics.training.ensembles import train_ensemble
from numerics.training.loop import Adam

WIDTH, POINTS = 100, 100
STEP = 1e-3

Run = Callable[[int], None]
"""Runs so many iterations."""


def points_and_targets(device: str = "cpu") -> tuple[Tensor, Tensor]:
    """All points, boundary first and last, and f at them."""
    x = torch.linspace(-1, 1, POINTS, dtype=torch.float64)[:, None].to(device)
    return x, -(torch.pi**2) * torch.sin(torch.pi * x[:, 0])


def system(h: float | None = None) -> System:
    """The residual rows, by autodiff or by the central second difference of step ``h``."""
    x, f = points_and_targets()
    parts: Any = (Term((2,)),)
    if h is not None:
        shifts = torch.tensor([[-h], [0.0], [h]], dtype=torch.float64)
        parts = (Difference(shifts, (1.0, -2.0, 1.0), h * h),)
    zero = torch.zeros(2, dtype=torch.float64)
    return System((Rows(x[1:-1], f[1:-1], parts), Rows(x[[0, -1]], zero, (Term((0,)),))))


def ours(networks: int, device: str, h: float | None = None) -> Run:
    """The package's fast path, by its public function: chunks are taken by as many threads as torch has."""
    model = TwoLayerResidual(TwoLayer(WIDTH, 1, jets.activation("tanh")), system(h))
    start = initialise(model.network, range(networks))

    def run(iterations: int) -> None:
        train_ensemble(
            model, start, Adam(STEP), iterations, [0], device=device, chunk=networks if device == "cuda" else 64
        )

    return run


def workspace(networks: int) -> int:
    """Bytes that the fast path holds besides the parameters."""
    network = TwoLayer(WIDTH, 1, jets.activation("tanh"))
    objective = TwoLayerResidual(network, system())
    objective(initialise(network, range(networks)))
    return objective.workspace


def one_at_a_time(networks: int, device: str) -> Run:
    """The loop that DeepXDE runs, for one network (the number of networks is not used)."""

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linears = torch.nn.ModuleList(
                [torch.nn.Linear(1, WIDTH, dtype=torch.float64), torch.nn.Linear(WIDTH, 1, dtype=torch.float64)]
            )

        def forward(self, x: Tensor) -> Tensor:
            for linear in self.linears[:-1]:
                x = torch.tanh(linear(x))
            result: Tensor = self.linears[-1](x)
            return result

    net = Net().to(device)
    optimiser = torch.optim.Adam(net.parameters(), lr=STEP)
    x, f = points_and_targets(device)
    # DeepXDE keeps boundary points in front and evaluates the equation at all of them.
    data = torch.cat([x[[0, -1]], x])
    target = torch.cat([f[[0, -1]], f])[:, None]
    zero = torch.zeros(2, 1, dtype=torch.float64, device=device)
    mse = torch.nn.MSELoss()

    def closure() -> Tensor:
        inputs = data.clone().requires_grad_(True)
        outputs = net(inputs)
        ones = torch.ones_like(outputs)
        (slope,) = torch.autograd.grad(outputs, inputs, grad_outputs=ones, create_graph=True)
        (second,) = torch.autograd.grad(slope, inputs, grad_outputs=ones, create_graph=True)
        residual = second - target
        losses = torch.stack([mse(residual, torch.zeros_like(residual)), mse(outputs[:2], zero)])
        total = losses.sum()
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    def run(iterations: int) -> None:
        for _ in range(iterations):
            optimiser.step(closure)

    return run


def nested_jvp(networks: int, device: str) -> Run:
    """Nested forward mode over the points under ``vmap`` over the networks, reverse mode over the parameters."""
    network = TwoLayer(WIDTH, 1, jets.activation("tanh"))
    start = initialise(network, range(networks)).to(device)
    a, b, w = (p.clone().requires_grad_(True) for p in network.split(start))
    x, f = points_and_targets(device)
    inner, edge = x[1:-1], x[[0, -1]]
    one = torch.ones_like(inner)
    factor = network.factor

    def second(a: Tensor, b: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        def u(x: Tensor) -> Tensor:
            return torch.tanh(x @ w + b) @ (factor * a)

        def slope(x: Tensor) -> Tensor:
            result: Tensor = torch.func.jvp(u, (x,), (one,))[1]
            return result

        return torch.func.jvp(slope, (inner,), (one,))[1], u(edge)

    batched = torch.func.vmap(second)
    optimiser = torch.optim.Adam([a, b, w], lr=STEP, foreach=True)

    def run(iterations: int) -> None:
        for _ in range(iterations):
            optimiser.zero_grad()
            inside, outside = batched(a, b, w)
            loss = 0.5 * ((inside - f[1:-1]) ** 2).sum() + 0.5 * (outside**2).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    return run


def batched_autograd(networks: int, device: str) -> Run:
    """u'' in closed form for all networks at once; autograd for the gradients alone."""
    network = TwoLayer(WIDTH, 1, jets.activation("tanh"))
    start = initialise(network, range(networks)).to(device)
    a, b, w = (p.clone().requires_grad_(True) for p in network.split(start))
    x, f = points_and_targets(device)
    inner, edge = x[1:-1], x[[0, -1]]
    factor = network.factor
    optimiser = torch.optim.Adam([a, b, w], lr=STEP, foreach=True)

    def run(iterations: int) -> None:
        for _ in range(iterations):
            optimiser.zero_grad()
            t = torch.tanh(inner * w + b[:, None])
            second = (-2 * t * (1 - t * t)) @ (factor * a * w[:, 0] ** 2)[:, :, None]
            outside = torch.tanh(edge * w + b[:, None]) @ (factor * a)[:, :, None]
            loss = 0.5 * ((second[:, :, 0] - f[1:-1]) ** 2).sum() + 0.5 * (outside**2).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    return run


def measure(networks: int, device: str, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Network-iterations a second of every contender in every round; each round lasts about ``seconds``."""
    contenders: dict[str, tuple[Run, int]] = {
        "ours": (ours(networks, device), networks),
        "ours, differences": (ours(networks, device, 0.01), networks),
        "one at a time": (one_at_a_time(networks, device), 1),
        "nested jvp": (nested_jvp(networks, device), networks),
        "batched autograd": (batched_autograd(networks, device), networks),
    }

    def taken(run: Run, iterations: int) -> float:
        start = time.perf_counter()
        run(iterations)
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    counts = {}
    for name, (run, _) in contenders.items():
        taken(run, 3)
        counts[name] = max(2, math.ceil(3 * seconds / taken(run, 3)))
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (run, size) in contenders.items():
            rates[name].append(size * counts[name] / taken(run, counts[name]))
    return rates


BARS = {"one at a time": 12.0, "nested jvp": 8.0, "batched autograd": 2.5}
"""Ratios to reach on a CPU with either number of threads."""


def report(networks: int, device: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Median rates, and the medians of the ratios of each round."""
    rates = measure(networks, device, rounds, seconds)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    ratios = {name: statistics.median(a / b for a, b in zip(rates["ours"], rates[name], strict=True)) for name in BARS}
    return {
        "networks": networks,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "torch_threads": torch.get_num_threads(),
        "network_iterations_per_second": {name: round(value) for name, value in medians.items()},
        "workspace_mib_of_a_thread": round(workspace(-(-networks // torch.get_num_threads())) / 2**20, 1),
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--networks", type=int, default=32)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    processors = 1 if options.device == "cuda" else min(2, os.cpu_count() or 1)
    counts = [options.threads] if options.threads else sorted({1, processors})
    reports = []
    for count in counts:
        with threads(count):
            reports.append(report(options.networks, options.device, options.rounds, options.seconds))
    json.dump({"bars": BARS if options.device == "cpu" else None, "runs": reports}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
