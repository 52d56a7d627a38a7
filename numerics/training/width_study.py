"""How fast training approaches the frozen-kernel law as the width grows: slopes with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from numerics.training import ntk
from numerics.training.jets import TorchActivation
from numerics.training.networks import Start, TwoLayer, initialise
from numerics.training.residuals import System
from numerics.training.statistics import Interval, loglog_slope
from numerics.training.two_layer import TwoLayerResidual


@dataclass(frozen=True)
class WidthStudy:
    """One row a width, one column a seed.

    Attributes:
        widths: M, ascending.
        drift: ``‖dG/dt‖/‖G‖`` at the start.
        deviation: ``sup_t ‖r(t) − (I − ηG)^t r(0)‖/‖r(0)‖``.
        fluctuation: ``‖G_M − G_∞‖/‖G_∞‖`` for the bounded start, else None (no quadrature is done for other laws).
    """

    widths: tuple[int, ...]
    drift: Float[np.ndarray, "widths seeds"]
    deviation: Float[np.ndarray, "widths seeds"]
    fluctuation: Float[np.ndarray, "widths seeds"] | None

    def slopes(self, confidence: float = 0.95) -> dict[str, Interval]:
        """Exponents of M by name; the theory for bounded laws has −1, −1 and −1/2."""
        measured = {"drift": self.drift, "deviation": self.deviation}
        if self.fluctuation is not None:
            measured["fluctuation"] = self.fluctuation
        return {name: loglog_slope(self.widths, values, confidence=confidence) for name, values in measured.items()}


def width_study(
    system: System,
    activation: TorchActivation,
    widths: Sequence[int],
    seeds: Sequence[int],
    *,
    start: Start = "bounded",
    iterations: int = 200,
    progress: Callable[[int, int], None] | None = None,
) -> WidthStudy:
    """Gradient descent on networks of several widths with one step and one time for all.

    The step is half of ``1/λ_max`` of the *widest* networks' mean kernel, so that the law is asked at the same times
    for every width. The targets of ``system`` should be small (the law is about networks that move little), and its
    points few: only the width is studied.
    """
    models = [TwoLayerResidual(TwoLayer(width, system.dimension, activation), system) for width in widths]
    widest = initialise(models[-1].network, seeds[: min(4, len(seeds))], start)
    step = 0.5 * float(ntk.stable_steps(ntk.kernel(models[-1], widest).mean(0, keepdim=True)))
    drifts, deviations, fluctuations = [], [], []
    for k, model in enumerate(models):
        flat = initialise(model.network, seeds, start)
        if start == "bounded" and system.dimension <= 2:
            limit = ntk.limit_kernel(model)
            gap = torch.linalg.matrix_norm(ntk.kernel(model, flat) - limit) / torch.linalg.matrix_norm(limit)
            fluctuations.append(gap.numpy())
        drifts.append(ntk.drift(model, flat).numpy())
        deviations.append(ntk.deviation(model, flat, step, iterations).numpy())
        if progress is not None:
            progress(k + 1, len(models))
    return WidthStudy(
        tuple(widths),
        np.array(drifts),
        np.array(deviations),
        np.array(fluctuations) if fluctuations else None,
    )
