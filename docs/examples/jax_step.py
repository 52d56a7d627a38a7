"""JAX and jinns: a function of parameters and points as adfd takes it, and training with the advised step.

    pip install jax jinns        # jinns is left out where it is absent
    python docs/examples/jax_step.py [--cheap]

    u'' = −4π² sin 2πx on (−1, 1), walls built in: u = (1 − x²) N(x),   float32 parameters.

adfd evaluates in float32 and in float64, so that JAX must be allowed both (``jax_enable_x64``): parameters and points are
cast to the arithmetic of the points that come in.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from adfd import advise

jax.config.update("jax_enable_x64", True)

K = 2 * math.pi
HABIT = 0.001
Parameters = list[tuple[Any, Any]]


def network(width: int) -> Parameters:
    """Weights and biases of two hidden layers, in float32."""
    keys = jax.random.split(jax.random.key(0), 3)
    sizes = [(1, width), (width, width), (width, 1)]
    return [
        (jax.random.normal(key, size, jnp.float32) / math.sqrt(size[0]), jnp.zeros(size[1], jnp.float32))
        for key, size in zip(keys, sizes, strict=True)
    ]


def u(parameters: Parameters, x: Any) -> Any:
    """The network at one point, walls built in."""
    values = jnp.reshape(x, (1,))
    for weights, bias in parameters[:-1]:
        values = jnp.tanh(values @ weights + bias)
    weights, bias = parameters[-1]
    return (1 - x**2) * (values @ weights + bias)[0]


def of_arrays(function: Callable[[Any, Any], Any], parameters: Any) -> Callable[[np.ndarray], np.ndarray]:
    """A JAX function of parameters and one point as one of NumPy points (n, d), in their arithmetic."""
    many = jax.jit(jax.vmap(function, (None, 0)))

    def values(points: np.ndarray) -> np.ndarray:
        cast = jax.tree.map(lambda leaf: leaf.astype(points.dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf,
                            parameters)  # fmt: skip
        return np.asarray(many(cast, jnp.asarray(points)))

    return values


def second_derivative(parameters: Parameters, x: Any) -> Any:
    """u'' by nested automatic differentiation."""
    return jax.grad(jax.grad(u, 1), 1)(parameters, x)


def second_difference(h: float) -> Callable[[Parameters, Any], Any]:
    """u'' by the central difference of order 2."""
    return lambda p, x: (u(p, x + h) - 2 * u(p, x) + u(p, x - h)) / h**2


def train(u_xx: Callable[[Parameters, Any], Any], parameters: Parameters, x: Any, iterations: int) -> Parameters:
    """Adam, written out."""

    def loss(p: Parameters) -> Any:
        return jnp.mean((jax.vmap(u_xx, (None, 0))(p, x) + K**2 * jnp.sin(K * x)) ** 2)

    def step(state: Any, k: Any) -> Any:
        p, m, v = state
        g = jax.grad(loss)(p)
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b**2, v, g)
        rate = 3e-3 * jnp.sqrt(1 - 0.999 ** (k + 1.0)) / (1 - 0.9 ** (k + 1.0))
        p = jax.tree.map(lambda a, b, c: (a - rate * b / (jnp.sqrt(c) + 1e-8)).astype(a.dtype), p, m, v)
        return (p, m, v), None

    zeros = jax.tree.map(jnp.zeros_like, parameters)
    (trained, _, _), _ = jax.lax.scan(step, (parameters, zeros, zeros), jnp.arange(iterations, dtype=jnp.float32))
    return trained


def with_jinns(width: int, points: np.ndarray) -> None:
    """The same question about a network of jinns, whose functions take points and parameters."""
    try:
        import equinox as eqx
        import jinns
    except ImportError:
        print("jinns: not installed")
        return
    layers = ((eqx.nn.Linear, 1, width), (jax.nn.tanh,), (eqx.nn.Linear, width, 1))
    net, start = jinns.nn.PINN_MLP.create(eq_type="PDEStatio", key=jax.random.key(0), eqx_list=layers)
    parameters = jinns.parameters.Params(nn_params=start, eq_params=None)

    def at_point(p: Any, x: Any) -> Any:
        return net(x, p)[0]

    floating = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), eqx.filter(parameters, eqx.is_inexact_array))
    found = advise(of_arrays(at_point, floating), "u_xx", points, dtype="float32", step=HABIT)
    print("jinns:", found.text[0])


def main(*, cheap: bool = False) -> dict[str, float]:
    """Prints the relative error of the solution after training in each way, and returns it."""
    width, iterations = (16, 40) if cheap else (32, 5000)
    points = np.linspace(-1, 1, 66)[1:-1, None]
    x = jnp.asarray(points[:, 0], jnp.float32)
    start = network(width)

    found = advise(of_arrays(lambda p, at: u(p, at[0]), start), "u_xx", points, dtype="float32", step=HABIT)
    print(found.text[0])
    told = found.of("u_xx", "float32")
    print(f"advised: h = {told.suggested}, error {told.relative:.1e}")

    errors = {}
    ways = {"jax.grad": second_derivative, f"h = {HABIT}": second_difference(HABIT),
            "advised step": second_difference(told.step)}  # fmt: skip
    for name, u_xx in ways.items():
        trained = train(u_xx, start, x, iterations)
        gap = jax.vmap(u, (None, 0))(trained, x) - jnp.sin(K * x)
        errors[name] = float(jnp.sqrt(jnp.mean(gap**2) / jnp.mean(jnp.sin(K * x) ** 2)))
        print(f"{name:>13}: relative error of the solution {errors[name]:.2e} after {iterations} iterations")
    with_jinns(width, points)
    return errors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cheap", action="store_true")
    main(cheap=parser.parse_args().cheap)
