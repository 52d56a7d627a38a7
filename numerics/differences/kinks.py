"""Whether a derivative is the whole derivative: by the fundamental theorem of calculus, on segments that are halved.

``v(b) − v(a) = ∫ ∂v`` fails for v = ∂^(α−e) u where v jumps, as the slope of ReLU and |x| does: autograd then gives the
classical derivative, which exists almost everywhere and misses the jumps; for piecewise linear functions it is zero.
Halving each segment towards its larger defect ends at a jump, which stays, or at smooth ground, where it vanishes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.differences.steps import rms
from numerics.differences.subject import derivative
from theory.operators.operator import MultiIndex

SEGMENTS = 64
HALVINGS = 34
"""A segment is then 6e-11 of what it was."""
ROUNDING = 1e-11
"""Changes below so much of v are rounding."""
JUMP = 1e-6
"""The least part of the change of v that is called a jump."""


def missed(u: Callable[[Any], Any], x: Float[np.ndarray, "n d"], alpha: MultiIndex, extents: Sequence[float]) -> float:
    """The part of the change of ∂^(α−e) u along segments through the points that ∂^α u misses; 0 for smooth u.

    Args:
        u: in float64, with a graph.
        x: points.
        alpha: the derivative, of order at least 1.
        extents: of the axes; a segment is an eighth of one, within the range of the points.
    """
    import torch

    axis = int(np.argmax(alpha))
    lower = tuple(m - (k == axis) for k, m in enumerate(alpha))
    chosen = x[np.linspace(0, len(x) - 1, min(SEGMENTS, len(x))).astype(int)]
    width = extents[axis] / 8
    low, high = float(np.min(x[:, axis])), float(np.max(x[:, axis]))
    start = np.clip(chosen[:, axis] - width / 2 * 0.97, low, max(low, high - width))

    def at(place: Any, order: MultiIndex) -> Any:
        moved = chosen.copy()
        moved[:, axis] = place
        return derivative(u, torch.from_numpy(moved), order)

    a, b = start, start + width
    va, vb = at(a, lower), at(b, lower)
    change = rms(vb - va)
    if len(chosen) > 1:
        change = max(change, float(np.ptp(np.concatenate([va, vb]))) / 8)
    for _ in range(HALVINGS):
        middle = (a + b) / 2
        vm = at(middle, lower)
        left = np.abs(vm - va - (middle - a) * at((a + middle) / 2, alpha))
        right = np.abs(vb - vm - (b - middle) * at((middle + b) / 2, alpha))
        go = left >= right
        a, b = np.where(go, a, middle), np.where(go, middle, b)
        va, vb = np.where(go, va, vm), np.where(go, vm, vb)
    jumps = np.abs(vb - va - (b - a) * at((a + b) / 2, alpha))
    rounding = ROUNDING * float(max(np.max(np.abs(va)), np.max(np.abs(vb))))
    return float(rms(jumps) / change) if rms(jumps) > max(JUMP * change, rounding) else 0.0
