"""Entropy of the residual Jacobian along training: how a network's spectrum changes as it learns."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.training import ntk
from numerics.training.ensembles import Model, on
from theory.conventions import Convention
from theory.entropy import truncated_entropy

MOMENTS = 5
"""Iterations at which the entropy is taken, the first and the last among them."""


def moments(iterations: int) -> tuple[int, ...]:
    """Iterations from first to last in equal parts.

    >>> moments(100), moments(2)
    ((0, 25, 50, 75, 100), (0, 1, 2))
    """
    return tuple(dict.fromkeys(iterations * k // (MOMENTS - 1) for k in range(MOMENTS)))


def entropies(
    model: Model, snapshots: Mapping[int, Float[Tensor, "b p"]], convention: Convention
) -> list[list[dict[str, float | int | None]]]:
    """For every member the entropy of the singular values of ``∂r/∂parameters`` at each snapshot, in float64.

    Each entry holds ``iteration``, ``entropy`` (None where the convention has no value, or the run had diverged) and
    ``cutoff``, the number of singular values that count.
    """
    times = sorted(snapshots)
    exact = on(model, torch.device("cpu"), torch.float64)
    found: list[list[dict[str, float | int | None]]] = [[] for _ in snapshots[times[0]]]
    for time in times:
        flat = snapshots[time].double().cpu()
        finite = torch.isfinite(flat).all(1)
        for row, member in enumerate(found):
            if not finite[row]:
                member.append({"iteration": time, "entropy": None, "cutoff": None})
                continue
            values = ntk.spectra(exact, [flat[row : row + 1]])[0, 0]
            entropy = truncated_entropy(values.tolist(), convention)
            value = None if entropy.value is None else float(entropy.value)
            member.append({"iteration": time, "entropy": value, "cutoff": entropy.cutoff})
    return found
