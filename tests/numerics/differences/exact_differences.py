"""Truth and brute force for advice that share nothing with the search: networks as lists of layers, in 50 digits.

The derivatives are those of the exact function of the stored parameters, by Taylor arithmetic in mpmath; the weights of the
differences solve the moment equations in fractions; the differences are evaluated in the working arithmetic on the network as a
user would, on a fine grid of steps.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import torch
from mpmath import mpf

DIGITS = 50
Jet = list[Any]
"""Taylor coefficients, lowest first."""


class Net(torch.nn.Module):
    """``W_k σ(… σ(W_1 (2 (x − low)/(high − low) − 1) + b_1) …) + b_k``, all outputs together."""

    def __init__(self, sizes: Sequence[int], activation: str, low: torch.Tensor, high: torch.Tensor, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.linears = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise(sizes))
        self.activation = activation
        self.register_buffer("low", low)
        self.register_buffer("high", high)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = 2 * (x - self.low) / (self.high - self.low) - 1
        for k, linear in enumerate(self.linears):
            z = linear(z if k == 0 else SIGMA[self.activation](z))
        return z


SIGMA: dict[str, Callable[[Any], Any]] = {
    "tanh": torch.tanh,
    "sin": torch.sin,
    "relu": torch.relu,
    "gelu": torch.nn.functional.gelu,
    "softplus": torch.nn.functional.softplus,
    "silu": torch.nn.functional.silu,
}


def product(a: Jet, b: Jet) -> Jet:
    return [mpmath.fsum(a[i] * b[k - i] for i in range(k + 1)) for k in range(len(a))]


def integral(first: Any, slope: Callable[[Jet], Jet], z: Jet) -> Jet:
    """y with y(0) = first and y' = slope(y) z', coefficient by coefficient."""
    y = [first] + [mpf(0)] * (len(z) - 1)
    dz = [(k + 1) * z[k + 1] for k in range(len(z) - 1)]
    for k in range(len(z) - 1):
        part = slope(y)
        y[k + 1] = mpmath.fsum(part[i] * dz[k - i] for i in range(k + 1)) / (k + 1)
    return y


def minus(a: Jet, b: Jet) -> Jet:
    return [p - q for p, q in zip(a, b, strict=True)]


def one(n: int) -> Jet:
    return [mpf(1)] + [mpf(0)] * (n - 1)


def logistic(z: Jet) -> Jet:
    return integral(1 / (1 + mpmath.exp(-z[0])), lambda y: minus(y, product(y, y)), z)


def activated(name: str, z: Jet) -> Jet:
    """σ(z) by the differential equation of σ."""
    n = len(z)
    if name == "tanh":
        return integral(mpmath.tanh(z[0]), lambda y: minus(one(n), product(y, y)), z)
    if name == "sin":
        s, c = [mpmath.sin(z[0])], [mpmath.cos(z[0])]
        for k in range(1, n):
            s.append(mpmath.fsum(i * z[i] * c[k - i] for i in range(1, k + 1)) / k)
            c.append(-mpmath.fsum(i * z[i] * s[k - i] for i in range(1, k + 1)) / k)
        return s
    if name == "relu":
        return z if z[0] > 0 else [mpf(0)] * n
    if name == "silu":
        return product(z, logistic(z))
    if name == "softplus":
        s = logistic(z)
        return integral(mpmath.log(1 + mpmath.exp(z[0])), lambda _: s, z)
    assert name == "gelu"
    half = [-c / 2 for c in product(z, z)]
    density = integral(mpmath.npdf(z[0]), lambda y: y, half)
    return product(z, integral(mpmath.ncdf(z[0]), lambda _: density, z))


def numbers(tensor: torch.Tensor) -> Any:
    """As exact mpf, in the nesting of the tensor."""
    nested = tensor.detach().double().tolist()
    return [[mpf(v) for v in row] for row in nested] if tensor.ndim == 2 else [mpf(v) for v in nested]


def jets(net: Net, points: torch.Tensor, direction: Sequence[int], order: int) -> list[list[Jet]]:
    """For each point and output the Taylor coefficients along a direction, of the network's stored numbers."""
    low, high = numbers(net.low), numbers(net.high)
    layers = [(numbers(linear.weight), numbers(linear.bias)) for linear in net.linears]
    found = []
    for point in numbers(points):
        z = [
            [2 * (c - a) / (b - a) - 1, 2 * mpf(e) / (b - a), *[mpf(0)] * (order - 1)]
            for c, a, b, e in zip(point, low, high, direction, strict=True)
        ]
        for k, (W, b) in enumerate(layers):
            at = z if k == 0 else [activated(net.activation, one) for one in z]
            z = [
                [mpmath.fdot(row, [jet[n] for jet in at]) + (shift if n == 0 else 0) for n in range(order + 1)]
                for row, shift in zip(W, b, strict=True)
            ]
        found.append(z)
    return found


def derivative(net: Net, points: torch.Tensor, axis: int, order: int, output: int = 0) -> np.ndarray:
    """∂^order of one output along an axis, rounded once; order 0 is the value."""
    with mpmath.workdps(DIGITS):
        direction = [int(k == axis) for k in range(points.shape[1])]
        return np.array(
            [float(row[output][order] * math.factorial(order)) for row in jets(net, points, direction, max(1, order))]
        )


def weights(order: int, nodes: Sequence[int]) -> list[Fraction]:
    """Of the difference for the derivative at the nodes: the moment equations by elimination in fractions."""
    n = len(nodes)
    rows = [[Fraction(s) ** k for s in nodes] + [Fraction(math.factorial(k) * (k == order))] for k in range(n)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [v - rows[i][k] * w for v, w in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


def nodes(order: int, accuracy: int, kind: str) -> list[int]:
    if kind == "forward":
        return list(range(order + accuracy))
    half = (order + 1) // 2 - 1 + accuracy // 2
    return list(range(-half, half + 1))


def differenced(
    call: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, axis: int, order: int, h: float, at: Sequence[int]
) -> np.ndarray:
    """The difference in the arithmetic of x."""
    total: Any = 0.0
    with torch.no_grad():
        for s, w in zip(at, weights(order, at), strict=True):
            if w:
                moved = x.clone()
                moved[:, axis] += s * h
                total = total + float(w) * call(moved).reshape(-1)
    return (total / h**order).double().numpy()


def rms(v: np.ndarray) -> float:
    return float(np.sqrt(np.mean(v * v)))


def steps(x: torch.Tensor, axis: int, most: int = 160) -> list[float]:
    """From the spacing of the coordinates to their extent, evenly in the logarithm, and the powers of two between."""
    column = x[:, axis].double().numpy()
    low, high = float(np.spacing(np.abs(x[:, axis].numpy()).max())), float(np.ptp(column))
    low = max(low, high * 2.0**-50)
    two = [2.0**k for k in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]
    return sorted([*np.geomspace(low, high, most), *two])


@dataclass
class Case:
    name: str
    net: Net
    points: torch.Tensor
    axis: int
    order: int
    accuracy: int
    kind: str
    arithmetic: str

    @property
    def operator(self) -> str:
        return "u_" + "xyz"[self.axis] * self.order

    @property
    def stored(self) -> tuple[Net, torch.Tensor]:
        """The network and the points in the arithmetic."""
        kind = getattr(torch, self.arithmetic)
        made = Net([1, 1], self.net.activation, self.net.low.to(kind), self.net.high.to(kind), 0)
        made.linears = torch.nn.ModuleList(_copied(linear, kind) for linear in self.net.linears)
        return made, self.points.to(kind)


def _copied(linear: torch.nn.Module, kind: torch.dtype) -> torch.nn.Linear:
    assert isinstance(linear, torch.nn.Linear)
    made = torch.nn.Linear(linear.in_features, linear.out_features, dtype=kind)
    with torch.no_grad():
        made.weight.copy_(linear.weight.to(kind))
        made.bias.copy_(linear.bias.to(kind))
    return made


def trained(net: Net, points: torch.Tensor, iterations: int = 120) -> None:
    z = 2 * (points - net.low) / (net.high - net.low) - 1
    wanted = torch.sin(3 * z).prod(1, keepdim=True)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(iterations):
        optimiser.zero_grad()
        ((net(points) - wanted) ** 2).mean().backward()
        optimiser.step()


def drawn(seed: int) -> Case:
    """Scales 1e-6 … 1e6, offsets, kinks, shocks, 1 to 3 dimensions, orders 1 to 4, stencils, arithmetics, training."""
    draw = random.Random(7000 + seed)
    d = draw.choice([1, 1, 2, 3])
    order = draw.choice([1, 1, 2, 2, 2, 3, 4])
    kind, accuracy = draw.choice(
        [("central", 2), ("central", 2), ("central", 4), ("central", 6), ("forward", 2), ("forward", 4)]
    )
    activation = draw.choice(["tanh", "tanh", "sin", "gelu", "softplus", "silu", "relu"])
    style = draw.choice(["untrained", "trained", "trained", "shock", "steep"])
    own = draw.choice([torch.float32, torch.float32, torch.float64])
    scales = [10.0 ** draw.choice([-6, -4, -2, 0, 0, 0, 2, 4, 6]) for _ in range(d)]
    offsets = [draw.choice([0.0, 0.0, 0.0, -0.5, 30.0, 1000.0]) for _ in range(d)]
    low = torch.tensor([s * o for s, o in zip(scales, offsets, strict=True)], dtype=own)
    high = torch.tensor([s * (o + 1) for s, o in zip(scales, offsets, strict=True)], dtype=own)
    points = low + (high - low) * torch.rand(
        draw.choice([16, 32]), d, generator=torch.Generator().manual_seed(seed), dtype=own
    )
    width = draw.choice([8, 16])
    net = Net([d, width, 1] if style == "shock" else [d, width, width, 1], activation, low, high, seed).to(own)
    with torch.no_grad():
        if style == "shock":
            net.linears[0].weight *= draw.choice([10.0, 100.0])
        if style == "steep":
            net.linears[0].weight *= 5
    if style == "trained":
        trained(net, points)
    arithmetic = draw.choice(["float32", "float32", "float64"])
    name = (
        f"{seed}: {style} {activation}, d = {d}, {kind} {accuracy}, order {order}, scale {scales}, offset {offsets},"
        f" own {str(own)[6:]}, in {arithmetic}"
    )
    return Case(name, net, points, draw.randrange(d), order, accuracy, kind, arithmetic)
