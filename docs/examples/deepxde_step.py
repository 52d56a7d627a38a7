"""DeepXDE: a Poisson equation whose second derivative is a difference in float32, its step advised and watched.

    pip install deepxde
    DDE_BACKEND=pytorch python docs/examples/deepxde_step.py [--cheap]

    u'' = −4π² sin 2πx on (−1, 1),   u(±1) = 0.

DeepXDE calls the equation with the points and the network's values there; a difference asks the network for more of them.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DDE_BACKEND", "pytorch")

import deepxde as dde
import numpy as np
import torch
from adfd import advise, watch

K = 2 * math.pi
HABIT = 0.001


def second_derivative(x: Any, u: Any) -> Any:
    """u'' by DeepXDE's own automatic differentiation."""
    return dde.grad.hessian(u, x)


def second_difference(net: torch.nn.Module, h: float) -> Callable[[Any, Any], Any]:
    """u'' by the central difference of order 2, for the same place in an equation."""
    return lambda x, u: (net(x + h) - 2 * u + net(x - h)) / h**2


class Watched(dde.callbacks.Callback):
    """DeepXDE calls it after every epoch; it says so when the step stops being all right."""

    def __init__(self, look: Any) -> None:
        super().__init__()
        self.look = look

    def on_epoch_end(self) -> None:
        self.look()


def model(u_xx: Callable[[Any, Any], Any], net: torch.nn.Module) -> Any:
    """The problem with one way of differentiating."""
    domain = dde.geometry.Interval(-1, 1)

    def equation(x: Any, u: Any) -> Any:
        return u_xx(x, u) + K**2 * torch.sin(K * x)

    walls = dde.icbc.DirichletBC(domain, lambda x: 0, lambda x, on_boundary: on_boundary)
    data = dde.data.PDE(
        domain, equation, walls, num_domain=64, num_boundary=2, train_distribution="uniform",
        solution=lambda x: np.sin(K * x), num_test=100,
    )  # fmt: skip
    made = dde.Model(data, net)
    made.compile("adam", lr=3e-3, loss_weights=[1 / K**2, 100], metrics=["l2 relative error"])
    return made


def network(width: int) -> torch.nn.Module:
    """The same start every time."""
    dde.config.set_random_seed(0)
    net: torch.nn.Module = dde.nn.FNN([1, width, width, 1], "tanh", "Glorot normal")
    return net


def main(*, cheap: bool = False) -> dict[str, float]:
    """Prints the relative error of the solution after training in each way, and returns it."""
    width, iterations = (16, 40) if cheap else (32, 4000)
    points = np.linspace(-1, 1, 66)[1:-1, None]

    trained = network(width)
    model(second_derivative, trained).train(iterations=iterations, display_every=iterations, verbose=0)
    found = advise(trained, "u_xx", points, step=HABIT)
    print(found.text[0])
    told = found.of("u_xx", "float32")
    h = told.step
    print(f"advised: h = {told.suggested}, error {told.relative:.1e}")

    errors = {}
    for name, step in (("autodiff", None), (f"h = {HABIT}", HABIT), ("advised step", h)):
        net = network(width)
        way = second_derivative if step is None else second_difference(net, step)
        callbacks = [] if step is None else [Watched(watch(net, "u_xx", points, step, every=iterations // 2))]
        history, state = model(way, net).train(
            iterations=iterations, display_every=iterations, callbacks=callbacks, verbose=0
        )
        errors[name] = float(history.metrics_test[-1][0])
        print(f"{name:>13}: relative error of the solution {errors[name]:.2e} after {state.step} iterations")
    return errors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cheap", action="store_true")
    main(cheap=parser.parse_args().cheap)
