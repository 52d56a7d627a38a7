"""What a training run leaves behind: which iterations are recorded, and the loss there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float

from theory.errors import InputError

FINISHED = "finished"
DIVERGED = "diverged"

Record = int | Sequence[int] | None
"""Which iterations to record: every k-th, those listed, or about 200 spaced geometrically (``None``)."""


def schedule(iterations: int, record: Record = None) -> tuple[int, ...]:
    """The iterations to record, ascending; the first (0) and the last are always among them.

    Raises:
        InputError: a negative number of iterations, a period under 1, or a listed iteration out of range.

    >>> schedule(10, 4)
    (0, 4, 8, 10)
    >>> schedule(10, [3])
    (0, 3, 10)
    """
    if iterations < 0:
        raise InputError(f"iterations: {iterations}; at least 0")
    if record is None:
        wanted = {round((iterations + 1) ** (k / 200)) - 1 for k in range(201)}
    elif isinstance(record, int):
        if record < 1:
            raise InputError(f"record: every {record} iterations; at least 1")
        wanted = set(range(0, iterations + 1, record))
    else:
        wanted = {int(t) for t in record}
        if any(t < 0 or t > iterations for t in wanted):
            raise InputError(f"record: iterations must lie in 0..{iterations}")
    return tuple(sorted(wanted | {0, iterations}))


def finite(values: Sequence[float]) -> tuple[float | None, ...]:
    """``values`` with every NaN or infinity replaced by ``None``.

    >>> finite([1.0, float("inf")])
    (1.0, None)
    """
    return tuple(value if math.isfinite(value) else None for value in values)


@dataclass(frozen=True)
class LossCurve:
    """The loss ``½‖r‖²`` of one run at the recorded iterations.

    Attributes:
        iterations: ascending; the first is 0 (before any step), the last the final iteration.
        loss: one value an iteration; ``None`` where the run had overflowed.
        status: ``"finished"`` or ``"diverged"``.
        optimiser: ``"gd"``, ``"adam"`` or ``"lbfgs"``; ``"law"`` for a prediction.
        step: the step size (``None`` where there is none, as in L-BFGS).
        dtype, device: the arithmetic and the place of the run.
        parameters: the final parameters.
        residuals: the residual vectors ``[recorded, rows]`` if they were asked for.
    """

    iterations: tuple[int, ...]
    loss: tuple[float | None, ...]
    status: str
    optimiser: str
    step: float | None
    dtype: str
    device: str
    parameters: Float[torch.Tensor, " m"] | None = None
    residuals: Float[torch.Tensor, "t n"] | None = None

    def iterations_to(self, tolerance: float) -> int | None:
        """The first recorded iteration with ``loss ≤ tolerance · loss[0]``; ``None`` if there is none."""
        start = self.loss[0]
        if start is None:
            return None
        for iteration, loss in zip(self.iterations, self.loss, strict=True):
            if loss is not None and loss <= tolerance * start:
                return iteration
        return None
