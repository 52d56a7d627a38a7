"""What a training iteration costs with AD and with FD residuals, measured in torch within bounds of time and memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.problem.drawn import features, interior_points
from numerics.problem.problem import METHODS, Method, Problem

MAX_ENTRIES = 2**17
"""Most points times features that the cost is measured on; the ratio of the two methods depends little on it."""
MAX_FEATURES = 4096
LEAST, PATIENCE = 5, 3.0
"""So many repetitions are wished for, and waited for so many seconds longer."""


@dataclass(frozen=True)
class Cost:
    """Median seconds of one loss with its gradient, for a two-layer network of the problem's width at its points.

    Attributes:
        ad: derivatives by nested ``torch.autograd.grad``, what most libraries do; None of equations, which are trained in
            closed form here.
        fd: the problem's finite difference of the network's values.
        ad_taylor: derivatives in closed form (Taylor mode), as this program trains; None for what it does not cover.
        device: where.
        dtype: in which arithmetic.
        threads: of torch on the CPU.
    """

    ad: float | None
    fd: float
    ad_taylor: float | None
    device: str
    dtype: str
    threads: int

    @property
    def ratio(self) -> float | None:
        """AD by nested autograd over FD."""
        return None if self.ad is None else self.ad / self.fd


def measure_cost(problem: Problem, device: str = "auto", seconds: float = 0.1) -> Cost:
    """Measures for about ``seconds`` each, interleaved.

    Raises:
        InputError: ``cuda`` where there is none.
    """
    import torch

    from numerics.arithmetic.devices import resolve_device, resolve_dtype
    from numerics.networks.networks import TwoLayer, residual
    from numerics.networks.perceptrons import field
    from numerics.networks.symbolic import torch_activation
    from numerics.networks.two_layer import TwoLayerResidual
    from numerics.training.ensembles import on
    from numerics.training.from_problem import start, system

    place, kind = resolve_device(device), resolve_dtype(problem.dtype)
    problem = _within(problem)
    drawn = problem if problem.training.depth == 2 else _two_layer(problem)
    first = start(drawn, [drawn.seed]).to(place, kind)
    network = TwoLayer(drawn.count, drawn.dimension, torch_activation(drawn.activation), drawn.training.scaling)

    def generic(method: Method) -> Callable[[], Any]:
        rows = system(drawn, method).to(place, kind)
        module = network.module(first[0])
        u = field(module)

        def iteration() -> None:
            module.zero_grad()
            r = residual(u, rows)
            (0.5 * (r * r).sum()).backward()

        return iteration

    taylor = on(TwoLayerResidual(network, system(drawn, "ad")), place, kind)
    timed: dict[str, Callable[[], Any]] = {m: generic(m) for m in METHODS}
    timed["taylor"] = lambda: taylor(first)

    def waited(run: Callable[[], Any]) -> Callable[[], Any]:
        def iteration() -> None:
            run()
            torch.cuda.synchronize()

        return iteration if place.type == "cuda" else run

    median = medians({name: waited(run) for name, run in timed.items()}, seconds)
    return Cost(median["ad"], median["fd"], median["taylor"], place.type, problem.dtype, torch.get_num_threads())


def medians(timed: dict[str, Callable[[], Any]], seconds: float = 0.3) -> dict[str, float]:
    """Median seconds of each after a first run that is not counted, interleaved, for about ``seconds`` each.

    Where LEAST repetitions take longer, they are waited for :data:`PATIENCE` longer, and no longer.
    """
    first: dict[str, float] = {}
    taken: dict[str, list[float]] = {name: [] for name in timed}

    def once(name: str) -> float:
        begin = time.perf_counter()
        timed[name]()
        return time.perf_counter() - begin

    start = time.perf_counter()
    for name in timed:
        first[name] = once(name)
    end = max(time.perf_counter(), start + seconds * len(timed))
    while (now := time.perf_counter()) < end or (min(map(len, taken.values())) < LEAST and now < start + PATIENCE):
        for name, times in taken.items():
            times.append(once(name))
    return {name: statistics.median(times or [first[name]]) for name, times in taken.items()}


def _within(problem: Problem) -> Problem:
    """The problem, or one with so few of its points and features, evenly chosen, that it has at most MAX_ENTRIES."""
    points = interior_points(problem)
    most = max(16, MAX_ENTRIES // problem.count)
    if len(points) <= most and problem.count <= MAX_FEATURES:
        return problem
    chosen = np.linspace(0, len(points) - 1, min(most, len(points))).astype(int)
    drawn, kept = features(problem), range(min(problem.count, MAX_FEATURES))
    return problem.with_(
        interior=tuple(points[i] for i in chosen), layout="grid", count=len(kept),
        weights=tuple(drawn.weights[j] for j in kept), biases=tuple(drawn.biases[j] for j in kept),
    )  # fmt: skip


def _two_layer(problem: Problem) -> Problem:
    from numerics.training.from_problem import with_training

    return with_training(problem, depth=2)
