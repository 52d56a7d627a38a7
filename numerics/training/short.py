"""Steps judged by a short training, for networks with kinks, of whose jumps autodiff sees nothing.

The same networks are trained from the same start, for as many iterations, by autodiff and by differences of several steps; what
decides is the error of the solution.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numerics.problem.problem import Problem
from theory.base.errors import InputError

ITERATIONS, SECONDS = 250, 10.0
"""Of Adam for each way, and for all of them together."""
SEEDS, RATE = 2, 2e-2
STEPS = 6
"""A factor 2 apart, from a quarter of the narrowest axis down."""


@dataclass(frozen=True)
class ShortTraining:
    """What came of it.

    Attributes:
        ad: median relative error of the solution after training by autodiff.
        steps: steps (in units of the file's step on its first axis), descending, with the same after training by differences.
        iterations: of Adam, the same for all.
        networks: trained for each.
        cut: whether the time ran out before :data:`ITERATIONS`.
    """

    ad: float
    steps: tuple[tuple[float, float], ...]
    iterations: int
    networks: int
    cut: bool

    @property
    def best(self) -> tuple[float, float]:
        """The step of the least error, and that."""
        return min(self.steps, key=lambda one: one[1])


def short_training(problem: Problem, seconds: float = SECONDS) -> ShortTraining | None:
    """None where the solution is not known, or no step leaves room in the domain.

    Args:
        problem: posed by equations.
        seconds: after which no iteration is begun.
    """
    import torch

    from numerics.training import equations

    if set(problem.solution_fields) != set(problem.unknown_names):
        return None
    ratios = [float(s / problem.step[0]) for s in problem.steps]
    top = min(float(high - low) / r for (low, high), r in zip(problem.domain, ratios, strict=True)) / 4
    first = math.floor(math.log2(top))
    models: dict[Fraction | None, Any] = {None: equations.residual(problem, "ad")}
    for k in range(first, first - STEPS, -1):
        h = Fraction(2) ** k
        moved = problem.with_(step=tuple(s * h / problem.step[0] for s in problem.step))
        try:
            models[h] = equations.residual(moved, "fd")
        except InputError:  # no room in the domain
            continue
    if len(models) == 1:
        return None
    kind, exact = getattr(torch, problem.dtype), models[None]
    start = equations.start(problem, [problem.seed + k for k in range(SEEDS)]).to(kind)
    flats = {way: start.clone() for way in models}
    cast = {way: type(m)(m.network, m.system.to(start.device, kind), m.content) for way, m in models.items()}
    optimisers = {way: torch.optim.Adam([flat], lr=RATE) for way, flat in flats.items()}
    end, done = time.perf_counter() + seconds, 0
    while done < ITERATIONS and time.perf_counter() < end:
        for way, flat in flats.items():
            _, flat.grad = cast[way](flat)
            optimisers[way].step()
        done += 1
    errors = {
        way: _median(equations.judge(problem, exact, flat.detach())["solution_error"]) for way, flat in flats.items()
    }
    steps = tuple((float(way), error) for way, error in errors.items() if way is not None)
    return ShortTraining(errors[None], steps, done, SEEDS, done < ITERATIONS)


def _median(errors: tuple[float | None, ...]) -> float:
    return statistics.median(math.inf if e is None else e for e in errors)
