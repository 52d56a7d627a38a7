"""Generated kernel code against hand-written peers, the first evaluation of K_AD, and the slowest derivation.

1. The erf kernel (Williams, 1997) on 2000 × 2000 points in float64 with 1 and 2 threads: the generated numpy and torch
   modules against the same formula written by hand (numpy in place, plain torch; ``--compile`` adds ``torch.compile``,
   whose first call takes up to a minute). Rounds are interleaved, so that a busy machine slows all alike; minima and
   medians of wall time are printed, and CPU time, which a busy machine disturbs less. A jitted peer took 29 ms on two
   idle cores; the bar of 1.5 times that is for an idle machine.
2. K_AD on 200 × 200 points: derivation, code, first and next evaluation.
3. Derivations with their verification, every one anew: the slowest by CPU time. ``--all`` takes every pair of laws
   below with every activation, operator and a seeded choice of stencils (hours of CPU are not needed: minutes are).

    python tests/benchmarks/bench_kernels.py [--rounds 15] [--compile] [--all] [--seed 0]
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "2")  # before numpy and torch are imported

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import torch

from theory.base.errors import InputError, NonexistenceError
from theory.kernels.code.modules import generate
from theory.kernels.derive import derive_kernel
from theory.operators.operator import StencilChoice

SIZE = 2000
PEER_MS = 29.0
RATIO = 1.5
LONGEST = 10.0
"""Seconds of CPU that a derivation may take."""

QUICK = (
    ("sin", "student(5, 1)", "normal(0, 1)", "u_xxxx"),
    ("cos", "laplace(0, 1/2)", "cauchy(0, 1)", "u_xx"),
    ("erf", "normal(0, 1)", "normal(0, 1)", "u_xxxx"),
    ("gelu", "normal(0, 1)", "normal(0, 1)", "u_xx"),
    ("relu", "laplace(0, 1)", "uniform(-1, 1)", "u_xx"),
    ("relu", "normal(1/3, 2)", "uniform(-1, 1)", "u_xx"),
    ("gaussian", "cauchy(0, 1)", "normal(0, 1)", "u_xx"),
    ("gaussian", "uniform(-2, 3)", "normal(0, 1)", "u_xxxx"),
    ("z*exp(-z**2)", "normal(0, 1)", "uniform(-1, 2)", "u_xx"),
    ("tanh", "discrete(1, 2)", "uniform(-1, 1)", "u_xxxx"),
    ("tanh", "normal(0, 1)", "normal(0, 1)", "u_xx"),
    ("silu", "normal(0, 1)", "uniform(-1, 1)", "u_xx"),
    ("erf", "laplace(0, 1)", "laplace(0, 1)", "u_xx"),
    ("erf", "normal(0, 1)", "normal(0, 1)", "u_xx + u_yy"),
    ("sin(sin(sin(z)))", "normal(0, 1)", "normal(0, 1)", "u_xxxx"),
)
ACTIVATIONS = (
    "sin", "cos", "exp", "tanh", "sigmoid", "softplus", "silu", "sech", "gaussian", "erf", "gelu", "step", "relu",
    "relu2", "relu3", "relu4", "z**3 - z", "z*exp(-z**2)", "sin(z)*exp(-z**2/2)", "sinh(z)",
)  # fmt: skip
WEIGHTS = ("normal(0, 1)", "normal(1/3, 2)", "uniform(-2, 3)", "laplace(0, 1)", "cauchy(0, 1)", "student(5, 1)",
           "discrete(-1, 1/2, 2)", "constant(3/2)")  # fmt: skip
BIASES = ("normal(0, 1)", "uniform(-1, 1)", "constant(1/3)", "laplace(0, 1)", "cauchy(0, 1)")
OPERATORS = ("u", "u_x", "u_xx", "u_xx + u_yy", "biharmonic", "u_t - u_xx")
STENCILS = (("central", 2), ("central", 4), ("forward", 1), ("backward", 2))

Matrix = Any


def loaded(source: str) -> Callable[..., Matrix]:
    """The function that a generated module defines."""
    names: dict[str, Any] = {}
    exec(compile(source, "generated", "exec"), names)  # noqa: S102 - our own source
    function: Callable[..., Matrix] = names["kernel"]
    return function


def by_hand(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The erf kernel in place, w, b ~ N(0, 1): what an experienced author would write."""
    p, q = 1 / np.sqrt(3 + 2 * x * x), 1 / np.sqrt(3 + 2 * y * y)
    out = np.multiply.outer(2 * x, y)
    out += 2
    out *= p[:, None]
    out *= q
    np.arcsin(out, out=out)
    out *= 2 / math.pi
    return out


def in_torch(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The same in torch, without temporaries where torch allows."""
    p, q = 1 / torch.sqrt(3 + 2 * x * x), 1 / torch.sqrt(3 + 2 * y * y)
    return (2 / math.pi) * torch.asin((2 + 2 * x[:, None] * y) * (p[:, None] * q))


def matrices(rounds: int, compiled: bool) -> bool:
    """Part 1; whether the bar is met."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(SIZE), rng.standard_normal(SIZE)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    kernel = derive_kernel("erf", "normal(0, 1)", "normal(0, 1)", verify=False)
    ours_numpy, ours_torch = loaded(generate(kernel, "numpy")), loaded(generate(kernel, "torch"))
    worst = max(
        np.abs(ours_numpy(x, y) - by_hand(x, y)).max(), float((ours_torch(tx, ty) - in_torch(tx, ty)).abs().max())
    )
    print(f"erf kernel, {SIZE} × {SIZE}, float64; largest difference from the peer {worst:.1e}")
    met = worst < 1e-13
    for threads in (1, 2):
        torch.set_num_threads(threads)
        calls: dict[str, Callable[[], object]] = {
            "numpy, generated": lambda t=threads: ours_numpy(x, y, threads=t),  # type: ignore[misc]
            "torch, generated": lambda: ours_torch(tx, ty),
            "numpy, by hand (1 thread)": lambda: by_hand(x, y),
            "torch, by hand": lambda: in_torch(tx, ty),
        }
        if compiled:
            jitted = torch.compile(in_torch)
            calls["torch, compiled"] = lambda f=jitted: f(tx, ty)  # type: ignore[misc]
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
        for call in calls.values():
            call()
        for _ in range(rounds):
            for name, call in calls.items():
                wall, cpu = time.perf_counter(), time.process_time()
                call()
                times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
        print(f"{threads} thread{'s' if threads > 1 else ''}:")
        least = {}
        for name, pairs in times.items():
            walls, cpus = [w * 1e3 for w, _ in pairs], [c * 1e3 for _, c in pairs]
            least[name] = min(walls)
            print(
                f"  {name:26s} wall {min(walls):6.1f} ms (median {statistics.median(walls):6.1f}), CPU {min(cpus):6.1f} ms"
            )
        peer = min(v for name, v in least.items() if "generated" not in name)
        for name in ("numpy, generated", "torch, generated"):
            quotient = least[name] / peer
            print(
                f"  {name} / fastest peer: {quotient:.2f} (bar {RATIO}); {least[name] / PEER_MS:.2f} of {PEER_MS:.0f} ms"
            )
        met = met and min(least["numpy, generated"], least["torch, generated"]) <= RATIO * peer
    return met


def first_evaluation() -> bool:
    """Part 2; whether the first evaluation takes under a second."""
    rng = np.random.default_rng(1)
    print("K_AD, 200 × 200: derivation + code, first evaluation, later ones")
    longest = 0.0
    for (activation, weights, biases), operator in product(
        (("erf", "normal(0, 1)", "normal(0, 1)"), ("sin", "normal(0, 1)", "normal(0, 1)"),
         ("gaussian", "normal(0, 1)", "normal(0, 1)"), ("tanh", "discrete(1, 2)", "uniform(-1, 1)")),
        ("u_xx", "u_xxxx", "u_xx + u_yy", "biharmonic(2)"),
    ):  # fmt: skip
        start = time.perf_counter()
        kernel = derive_kernel(activation, weights, biases, operator, verify=False)
        function = loaded(generate(kernel, "numpy", "K_AD"))
        ready = time.perf_counter() - start
        points = [rng.standard_normal((200, kernel.coordinates.dimension)) for _ in range(2)]
        times = []
        for _ in range(5):
            start = time.perf_counter()
            function(*points)
            times.append(time.perf_counter() - start)
        longest = max(longest, ready + times[0])
        print(
            f"  {activation:9s} {operator:14s} {ready * 1e3:7.0f} ms {times[0] * 1e3:8.1f} ms {min(times[1:]) * 1e3:8.1f} ms"
        )
    print(f"  longest from question to first matrix: {longest:.2f} s (bar 1 s)")
    return longest < 1


def questions(everything: bool, seed: int) -> Iterator[tuple[str, str, str, str, StencilChoice]]:
    """What part 3 derives."""
    if not everything:
        for names in QUICK:
            yield *names, StencilChoice()
        return
    chooser = random.Random(seed)
    for activation, weights, biases, operator in product(ACTIVATIONS, WEIGHTS, BIASES, OPERATORS):
        yield activation, weights, biases, operator, StencilChoice(*chooser.choice(STENCILS))


def derivations(everything: bool, seed: int) -> bool:
    """Part 3; whether the slowest stays under the bar."""
    found: list[tuple[float, str]] = []
    counts = {"closed": 0, "numerical": 0, "refused": 0}
    short = []
    for activation, weights, biases, operator, stencil in questions(everything, seed):
        start = time.process_time()
        try:
            kernel = derive_kernel(activation, weights, biases, operator, stencil, "1/10")
        except (InputError, NonexistenceError) as error:
            counts["refused"] += 1
            detail = str(error)[:60]
        else:
            counts["closed" if kernel.closed else "numerical"] += 1
            detail = f"{kernel.route}, {kernel.verified_digits} digits"
            if kernel.closed and kernel.verified_digits < 25:
                short.append(f"{activation}, {weights}, {biases}, {operator}: {kernel.verified_digits} digits")
        found.append((time.process_time() - start, f"{activation}, {weights}, {biases}, {operator}: {detail}"))
    found.sort(reverse=True)
    print(f"derivation and verification of {len(found)} kernels {counts}; the slowest by CPU time:")
    for seconds, text in found[:8]:
        print(f"  {seconds:6.2f} s  {text}")
    print(f"closed forms verified to fewer than 25 digits: {len(short)}", *short, sep="\n  ")
    return found[0][0] <= LONGEST and not short


def main() -> int:
    """All parts; 1 if a bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    met = matrices(options.rounds, options.compile)
    met = first_evaluation() and met
    return 0 if derivations(options.all, options.seed) and met else 1


if __name__ == "__main__":
    sys.exit(main())
