"""Problems posed by equations: the residuals and the start of the networks that are trained on them, and what they are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import sympy as sp
import torch
from jaxtyping import Float
from torch import Tensor

from numerics.networks.fields import Difference, FieldModule, FieldResidual, FieldRows, FieldSystem, Formed, outputs
from numerics.networks.networks import MultiIndex, Perceptron
from numerics.networks.perceptrons import Layers, Series
from numerics.networks.symbolic import torch_activation
from numerics.problem.drawn import face_points, interior_points, sample
from numerics.problem.problem import Boundary, Method, Problem, Vector
from numerics.training.loop import finite
from numerics.training.points import error_grid, tensor, values_at
from theory import stencils
from theory.base.errors import InputError
from theory.features.laws import Law
from theory.operators.equations import Derivative, Expression
from theory.operators.operator import axis_stencil, differentiate

MAX_NODES = 400_000
"""Most points at which a network is evaluated for the differences of one equation."""
Periods = tuple[tuple[float, float] | None, ...]


def layers(problem: Problem) -> Layers:
    """The network of the problem: an output for each unknown, two inputs for each periodic coordinate."""
    inputs = problem.dimension + len(set(problem.periodic))
    training, count = problem.training, len(problem.unknown_names)
    activation = torch_activation(problem.activation)
    return Layers(training.depth, problem.count, inputs, count, activation, training.scaling)


def residual(problem: Problem, method: Method, *, cast_after_forward: bool = False) -> FieldResidual:
    """The residuals of a problem in float64: the equations by ``method``, the conditions by autodiff in both.

    Raises:
        InputError: no points, data that are not finite at a point, or differences that find no room in the domain.
    """
    rows = []
    if inner := interior_points(problem):
        points = tensor(inner)
        target = torch.cat([values_at(source, problem, points) for source in problem.sources])
        nodes, formed = _formed(problem, inner, method)
        rows.append(_rows(problem, problem.posed, points, target, nodes, formed))
    for condition in problem.boundary:
        rows += _condition(problem, condition)
    return FieldResidual(layers(problem), FieldSystem(tuple(rows)), f"{problem.key} {method}", cast_after_forward)


def _rows(
    problem: Problem,
    posed: Sequence[Expression],
    points: Tensor,
    target: Tensor,
    nodes: Tensor,
    formed: Mapping[Derivative, Formed],
    **more: Any,
) -> FieldRows:
    symbols = {symbol: formed[derivative] for one in posed for symbol, derivative in one.derivatives}
    exprs = tuple(one.expr for one in posed)
    bare = FieldRows(
        points, target, exprs, problem.symbols, tuple(symbols.items()), nodes, {}, _periods(problem), **more
    )
    return replace(bare, hard=_hard(problem, nodes, bare.kept))


def _periods(problem: Problem) -> Periods:
    pairs = zip(problem.variables, problem.domain, strict=True)
    return tuple((float(low), float(high - low)) if name in problem.periodic else None for name, (low, high) in pairs)


def _condition(problem: Problem, condition: Boundary) -> list[FieldRows]:
    found, value = problem.boundary_expression(condition), problem.boundary_value(condition)
    root = float(condition.weight) ** 0.5
    if paired := condition.face in problem.variables:
        sides = [face_points(problem, f"{condition.face}{sign}", condition.count) for sign in "-+"]
        where, first = (*sides[0], *sides[1]), sides[0]
    else:
        where = first = face_points(problem, condition.face, condition.count)
    if not where:
        return []
    index = problem.unknown_names.index
    formed = {d: Formed(index(d.unknown), d.alpha) for _, d in found.derivatives}
    points, target = tensor(where), values_at(value, problem, tensor(first))
    return [_rows(problem, [found], points, target, points, formed, root=root, paired=paired)]


def _hard(problem: Problem, nodes: Tensor, kept: frozenset[MultiIndex]) -> dict[int, tuple[Series, Series]]:
    """Taylor coefficients of masks and lifts at the nodes; those that vanish everywhere are left out."""

    def series(expr: sp.Expr) -> Series:
        out: Series = {}
        for alpha in sorted(kept):
            derived = differentiate(expr, alpha, problem.symbols)
            if derived != 0:
                out[alpha] = values_at(derived, problem, nodes) / math.prod(map(math.factorial, alpha))
        return out

    pairs = {problem.unknown_names.index(name): pair for name, pair in problem.hard.items()}
    return {k: (series(mask), series(lift)) for k, (mask, lift) in pairs.items()}


def _formed(
    problem: Problem, points: Sequence[Vector], method: Method
) -> tuple[Float[Tensor, "m d"], dict[Derivative, Formed]]:
    """The nodes, and how each derivative is formed from values there."""
    index = {name: k for k, name in enumerate(problem.unknown_names)}
    along = problem.along or problem.variables
    axes = [axis for axis, name in enumerate(problem.variables) if method == "fd" and name in along]
    made: dict[Derivative, Formed] = {}
    seen = {point: k for k, point in enumerate(points)}
    for derivative in dict.fromkeys(d for equation in problem.posed for _, d in equation.derivatives):
        outer = tuple(times if axis in axes else 0 for axis, times in enumerate(derivative.alpha))
        inner = tuple(a - b for a, b in zip(derivative.alpha, outer, strict=True))
        difference = _difference(problem, points, outer, seen) if any(outer) else None
        made[derivative] = Formed(index[derivative.unknown], inner, difference)
    if not any(one.outer for one in made.values()):
        return tensor(points), made
    everywhere = torch.arange(len(points))[:, None]
    plain = Difference(everywhere, torch.ones(len(points), 1, dtype=torch.float64), 1.0)
    return tensor(list(seen)), {
        d: one if one.outer else Formed(one.output, one.inner, plain) for d, one in made.items()
    }


def _difference(problem: Problem, points: Sequence[Vector], alpha: MultiIndex, seen: dict[Vector, int]) -> Difference:
    """The stencil of ``∂^α`` at each point, tensor products of those along the axes; new nodes are added to ``seen``."""
    steps = problem.steps
    bases = [axis_stencil(times, problem.stencil) for times in alpha]
    free = [problem.outside or name in problem.periodic for name in problem.variables]
    places, weights = [], []
    for x in points:
        lists = []
        for axis, (base, h, (low, high)) in enumerate(zip(bases, steps, problem.domain, strict=True)):
            used = base
            if alpha[axis] and not free[axis]:
                used = stencils.inside(base, math.ceil((low - x[axis]) / h), math.floor((high - x[axis]) / h))
            pairs = zip(used.offsets, used.weights, strict=True)
            lists.append([(x[axis] + h * node, weight) for node, weight in pairs if weight])
        sums = [
            (tuple(c for c, _ in one), math.prod((w for _, w in one), start=Fraction(1))) for one in product(*lists)
        ]
        places.append([seen.setdefault(node, len(seen)) for node, _ in sums])
        weights.append([float(w) for _, w in sums])
    if len(seen) > MAX_NODES:
        raise InputError(f"points.interior: differences take {len(seen)} nodes; at most {MAX_NODES} are allowed")
    most = max(map(len, places))
    scale = math.prod((h**times for h, times in zip(steps, alpha, strict=True)), start=Fraction(1))
    return Difference(
        torch.tensor([row + row[:1] * (most - len(row)) for row in places]),
        torch.tensor([row + [0.0] * (most - len(row)) for row in weights], dtype=torch.float64),
        float(scale),
    )


def start(problem: Problem, seeds: Sequence[int]) -> Float[Tensor, "b p"]:
    """Initial parameters, one row a seed.

    With one hidden layer its weights and biases follow the laws of the problem's features (or are given), and the output weights are
    standard normal, divided by √M for ``"standard"`` scaling; one stream each, spawned from the seed. Deeper networks
    start as :class:`numerics.networks.networks.Perceptron`.
    """
    network = layers(problem)
    members = []
    for seed in seeds:
        if network.depth > 2:
            members.append(_deep(network, seed))
            continue
        streams = [np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(seed).spawn(3)]
        w = _draw(problem.weights, network.width * network.inputs, streams[0]).reshape(network.width, -1).T
        b = _draw(problem.biases, network.width, streams[1])
        a = torch.from_numpy(streams[2].standard_normal((network.outputs, network.width))).T
        if network.scaling == "standard":
            a = a / network.width**0.5
        members.append(torch.cat([w.flatten(), a.flatten(), b]))
    return torch.stack(members)


def _draw(given: Law | Sequence[Any], size: int, stream: np.random.Generator) -> Float[Tensor, " n"]:
    if isinstance(given, Law):
        return torch.from_numpy(sample(given, size, stream))
    return torch.tensor([float(c) for v in given for c in (v if isinstance(v, tuple) else (v,))], dtype=torch.float64)


def _deep(network: Layers, seed: int) -> Float[Tensor, " p"]:
    """As a perceptron of one output, with as many draws in the last layer as there are outputs."""
    one = Perceptron(network.depth, network.width, network.inputs, "tanh", network.scaling, seed=seed)
    generator = torch.Generator().manual_seed(2**31 + seed)
    last = torch.randn(network.width, network.outputs, generator=generator, dtype=torch.float64)
    if network.scaling == "standard":
        last = last * math.sqrt(2 / (network.width + network.outputs))
    weights = [w.detach().flatten() for w in list(one.weights)[:-1]]
    return torch.cat([*weights, last.flatten(), *(b.detach() for b in one.biases)])


def fields(
    problem: Problem, flat: Float[Tensor, "b p"], points: Float[Tensor, "n d"]
) -> dict[str, Float[Tensor, "b n"]]:
    """The unknowns at the points, hard conditions included, in the arithmetic of the parameters."""
    rows = _rows(problem, (), points.double().cpu(), points[:, 0], points.double().cpu(), {}).to(
        flat.device, flat.dtype
    )
    found = outputs(layers(problem).series(flat, rows.inputs, rows.kept), rows.hard, rows.kept)
    return {name: found[k][(0,) * problem.dimension] for k, name in enumerate(problem.unknown_names)}


def judge(problem: Problem, exact: FieldResidual, parameters: Float[Tensor, "b p"]) -> dict[str, tuple[Any, ...]]:
    """The loss of the equations by autodiff in float64, and relative errors of the unknowns whose solution is known."""
    flat, points = parameters.double(), error_grid(problem)
    with torch.no_grad():
        rows = exact.residual(flat)
        values = fields(problem, flat, points)
    gaps: list[dict[str, float | None]] = [{} for _ in flat]
    missed, size = torch.zeros(len(flat), dtype=torch.float64), 0.0
    for name, solution in problem.solution_fields.items():
        truth = values_at(solution, problem, points)
        gap, norm = (values[name] - truth).square().sum(1), float(truth.square().sum())
        missed, size = missed + gap, size + norm
        for k, share in enumerate(finite((gap / norm).sqrt().tolist()) if norm else [None] * len(flat)):
            gaps[k][name] = share
    if problem.solution_fields and not size:
        raise InputError("problem.solution: is zero at every test point")
    whole = finite((missed / size).sqrt().tolist()) if size else (None,) * len(flat)
    loss = finite((0.5 * rows.square().sum(1)).tolist())
    return {"equation_loss": loss, "solution_error": tuple(whole), "solution_errors": tuple(gaps)}


def modules(problem: Problem, flat: Float[Tensor, " p"]) -> dict[str, FieldModule]:
    """Each unknown of one network as a module of its own."""
    whole, plain = layers(problem), (sp.Integer(1), sp.Integer(0))
    return {
        name: FieldModule(whole, flat, k, _periods(problem), problem.hard.get(name, plain), problem.symbols)
        for k, name in enumerate(problem.unknown_names)
    }
