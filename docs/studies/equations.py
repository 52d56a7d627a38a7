"""Burgers' equation and Kovasznay's flow trained both ways, from the shipped files, to convergence; and seven in a table.

    python docs/studies/equations.py [--cheap]

`adfd train` on a file does the same and prints relative errors where the file has the solution.  Burgers' equation from a
sine wave has none in closed form that a file could hold; here its network is compared with Cole and Hopf's integral,

    u(x, t) = −∫ sin(πy) f(y) e^{−(x−y)²/4νt} dy / ∫ f(y) e^{−(x−y)²/4νt} dy,   f(y) = exp(−cos(πy)/2πν),

by Gauss–Hermite quadrature.  The script asserts what it says, so that running it checks the text.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch
from adfd import advise

from numerics.problem.file import problem_from_dict
from numerics.problem.problem import Problem
from numerics.training import equations
from numerics.training.from_problem import model, train_methods

NAMES = ("burgers", "navier-stokes", "schrodinger", "kdv", "allen-cahn", "cavity", "kuramoto-sivashinsky")


def shipped(name: str, iterations: int | None) -> Problem:
    """A shipped file, one seed of it."""
    import tomllib
    from importlib.resources import files

    text = (files("proofs_check") / "problems" / f"{name}.toml").read_text(encoding="utf-8")
    problem = problem_from_dict(tomllib.loads(text, parse_float=str))
    training = replace(problem.training, seeds=1, iterations=iterations or problem.training.iterations)
    return problem.with_(training=training)


def cole_hopf(x: np.ndarray, t: np.ndarray, nu: float) -> np.ndarray:
    """The solution at t > 0."""
    z, weights = np.polynomial.hermite.hermgauss(120)
    y = x[:, None] - np.sqrt(4 * nu * t)[:, None] * z
    f = weights * np.exp(-(np.cos(np.pi * y) + 1) / (2 * np.pi * nu))
    return np.asarray(-(np.sin(np.pi * y) * f).sum(1) / f.sum(1))


def of_burgers(problem: Problem, parameters: torch.Tensor) -> float:
    """The relative error of the network against the integral."""
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 101), np.linspace(0.01, 1, 51), indexing="ij"), -1).reshape(-1, 2)
    truth = cole_hopf(grid[:, 0], grid[:, 1], 0.05)
    u = equations.fields(problem, parameters.double(), torch.from_numpy(grid))["u"][0].numpy()
    return float(np.linalg.norm(u - truth) / np.linalg.norm(truth))


def main(*, cheap: bool) -> None:
    """Trains each file with AD and with FD; then asks the advice about Burgers' trained network."""
    names, iterations = (("burgers",), 5) if cheap else (NAMES, None)
    print("| equation | iterations | way | loss at 0 | loss | equation by AD | relative error |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    found: dict[tuple[str, str], float] = {}
    for name in names:
        problem = shipped(name, iterations)
        for one in train_methods(problem, ["ad", "fd"], law=False):
            judged = equations.judge(problem, model(problem, "ad"), one.run.parameters)
            error = judged["solution_error"][0]
            error = of_burgers(problem, one.run.parameters) if name == "burgers" else error
            loss = one.run.curve(0).loss
            found[name, one.method] = loss[-1] / loss[0] if error is None else error
            shown = "no solution known" if error is None else f"{error:.2%}"
            print(f"| {name} | {problem.training.iterations} | {one.method.upper()} | {loss[0]:.3g} | {loss[-1]:.3g}"
                  f" | {judged['equation_loss'][0]:.3g} | {shown} |")  # fmt: skip
            if (name, one.method) == ("burgers", "fd"):
                wave, trained = problem, one.run.parameters[0]
    if not cheap:
        assert all(found["burgers", way] < 0.05 and found["navier-stokes", way] < 0.15 for way in ("ad", "fd"))

    net = equations.modules(wave, trained)["u"].float()
    points = np.random.default_rng(0).uniform([-1, 0], [1, 1], (40 if cheap else 300, 2))
    told = advise(net, "u_t + u*u_x = 0.05*u_xx", points, step=0.02, dtype="float32", cost=False)
    print("Burgers' network by FD, in float32:")
    print(*told.text[:5], sep="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cheap", action="store_true")
    main(cheap=parser.parse_args().cheap)
