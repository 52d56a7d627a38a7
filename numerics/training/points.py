"""Points of a problem as tensors, and expressions in the coordinates at them, in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy as sp
import torch
from jaxtyping import Float
from torch import Tensor

from numerics.arithmetic.backends import FloatBackend
from numerics.problem.problem import Problem, Vector
from theory.base.errors import InputError
from theory.base.expressions import evaluate


def tensor(points: Sequence[Vector]) -> Float[Tensor, "n d"]:
    """Exact points, rounded."""
    return torch.tensor([[float(c) for c in point] for point in points], dtype=torch.float64)


def values_at(expr: sp.Expr, problem: Problem, points: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """An expression in the coordinates at the points, in float64."""
    columns = {symbol: points[:, axis].numpy() for axis, symbol in enumerate(problem.symbols)}
    value = np.asarray(evaluate(expr, columns, FloatBackend(np.float64)), dtype=np.float64)
    if not np.isfinite(value).all():
        raise InputError(f"problem: {expr} is not finite at a point")
    return torch.from_numpy(np.broadcast_to(value, (len(points),)).copy())


def error_grid(problem: Problem, size: int = 256) -> Float[Tensor, "n d"]:
    """About ``size`` points on a regular grid of cell centres of the domain, for solution errors."""
    per_axis = max(2, round(size ** (1 / problem.dimension)))
    axes = [float(low) + float(high - low) * (np.arange(per_axis) + 0.5) / per_axis for low, high in problem.domain]
    grids = np.meshgrid(*axes, indexing="ij")
    return torch.from_numpy(np.stack([grid.ravel() for grid in grids], axis=1))
