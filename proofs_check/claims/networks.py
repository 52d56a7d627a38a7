"""Wide two-layer networks: how fast training approaches the law of the frozen tangent kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from numerics.problem import METHODS, Boundary, Method, Problem, Training
from proofs_check.claim import Claim, Mutant, Profile, Scope, Step
from proofs_check.claims.common import by_seed, once
from proofs_check.claims.decisions import CONFIDENCE, within
from proofs_check.verdicts import Outcome

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from torch import Tensor

    from numerics.training.two_layer import TwoLayerResidual


@dataclass(frozen=True)
class Ensemble:
    """Networks ``u = M^{-1/2} Σ a_j σ(w_j x + b_j)`` of several widths with one step and one time for all.

    The start is bounded: w and b uniform in ±√3, a = ±1. The target is small: the law is about networks that move
    little.

    Attributes:
        activation: σ.
        method: of the residual.
        widths: M, ascending.
        members: seeds a width.
        iterations: of gradient descent.
        first: the first seed.
    """

    activation: str
    method: Method
    widths: tuple[int, ...]
    members: int
    iterations: int = 32
    first: int = 0

    @property
    def problem(self) -> Problem:
        """u'' = sin(πx)/10 at four points, with Dirichlet rows; the difference has h = 1/10."""
        return Problem(
            solution="-sin(pi*x)/(10*pi**2)",
            activation_name=self.activation,
            interior=(4,),
            boundary=(Boundary(),),
            step=(Fraction(1, 10),),
            count=self.widths[0],
            training=Training("two-layer", iterations=self.iterations),
        )

    def describe(self) -> dict[str, Any]:
        """JSON types, from which the ensemble can be drawn again."""
        return {
            "widths": list(self.widths),
            "seeds": [self.first, self.first + self.members],
            "method": self.method,
            "start": "w, b uniform in ±√3, a = ±1",
            "problem of the least width": self.problem.to_dict(),
        }


def _ensembles(scope: Scope, profile: Profile) -> Iterator[Ensemble]:
    widths, members = ((64, 1024), 64) if profile == "quick" else ((256, 1024, 4096), 96)
    iterations = 16 if profile == "quick" else 100
    yield Ensemble(scope["activation"], scope["method"], widths, members, iterations)  # type: ignore[arg-type]


def _search(scope: Scope) -> SearchStrategy[Ensemble]:
    """Other ensembles of the same kind, by their first seed."""
    (one,) = _ensembles(scope, "quick")
    return by_seed(lambda k: replace(one, first=1000 * k))


@lru_cache(maxsize=16)
def _members(ensemble: Ensemble) -> tuple[tuple[TwoLayerResidual, Tensor, Tensor], ...]:
    """For each width the model, the parameters at the start and the kernels there."""
    from numerics.training import from_problem, ntk
    from numerics.training.networks import TwoLayer, initialise
    from numerics.training.two_layer import TwoLayerResidual

    system = from_problem.system(ensemble.problem, ensemble.method)
    activation = from_problem.torch_activation(ensemble.problem.activation)
    found = []
    for width in ensemble.widths:
        model = TwoLayerResidual(TwoLayer(width, 1, activation), system)
        flat = initialise(model.network, range(ensemble.first, ensemble.first + ensemble.members), "bounded")
        found.append((model, flat, ntk.kernel(model, flat)))
    return tuple(found)


Law = Callable[["Tensor", "Tensor", float, tuple[int, ...]], "Tensor"]
"""Residuals ``[t, r]`` from a kernel, the residual at the start, the step and the iterations."""


def _power(G: Tensor, r: Tensor, step: float, times: tuple[int, ...]) -> Tensor:
    """``(I − ηG)^t r(0)``."""
    from numerics.training import ntk

    return ntk.frozen_law(G, r, step, times[-1], times).residuals


def flow(G: Tensor, r: Tensor, step: float, times: tuple[int, ...]) -> Tensor:
    """``exp(−ηtG) r(0)``: the law of the gradient flow, which gradient descent does not follow exactly."""
    import torch

    values, vectors = torch.linalg.eigh(G)
    residuals: Tensor = torch.exp(-step * values * torch.tensor(times)[:, None]) * (vectors.T @ r) @ vectors.T
    return residuals


def deviations(ensemble: Ensemble, law: Law = _power) -> list[list[float]]:
    """``sup_t ‖r(t) − law(t)‖/‖r(0)‖`` of every network, one row a width; the step is half of 1/λ_max of the limit."""
    import torch

    from numerics.training import ntk
    from numerics.training.loop import minimise
    from numerics.training.optimisers import GradientDescent
    from numerics.training.records import schedule

    members = _members(ensemble)
    step = 0.5 * float(ntk.stable_steps(ntk.limit_kernel(members[0][0])[None]))
    times = schedule(ensemble.iterations, 4)
    table = []
    for model, flat, kernels in members:
        first = model.residual(flat)
        predicted = torch.stack([law(G, r, step, times) for G, r in zip(kernels, first, strict=True)], 1)
        run = minimise(model, flat, GradientDescent(step), ensemble.iterations, times, snapshots=times)
        measured = torch.stack([model.residual(run.snapshots[t]) for t in times])
        gap = torch.linalg.vector_norm(measured - predicted, dim=2).amax(0)
        table.append((gap / torch.linalg.vector_norm(first, dim=1)).tolist())
    return table


def fluctuations(ensemble: Ensemble, scale: float = 1.0) -> list[list[float]]:
    """``‖G_M − G_∞‖/‖G_∞‖`` of every network; ``scale`` of the law whose limit is taken."""
    import torch

    from numerics.training import ntk

    table = []
    for model, _, kernels in _members(ensemble):
        limit = ntk.limit_kernel(model, scale)
        table.append((torch.linalg.matrix_norm(kernels - limit) / torch.linalg.matrix_norm(limit)).tolist())
    return table


def _exponent(
    measure: Callable[[Ensemble], list[list[float]]], order: float, reach: float
) -> Callable[[Ensemble, Scope], Outcome]:
    """The slope of a quantity in the width, by its bootstrap interval."""

    def test(ensemble: Ensemble, scope: Scope) -> Outcome:
        from numerics.training.statistics import loglog_slope

        values = np.array(measure(ensemble))
        slope = loglog_slope(ensemble.widths, values, confidence=CONFIDENCE)
        return Outcome(
            within((slope.lower, slope.upper), order, reach),
            f"slope {slope.estimate:.3f} [{slope.lower:.3f}, {slope.upper:.3f}], law {order:g} ± {reach:g}, "
            f"M = {ensemble.widths[0]} … {ensemble.widths[-1]}, {ensemble.members} seeds",
            margin=reach - abs(slope.estimate - order),
            data={
                "slope": slope.estimate,
                "interval": [slope.lower, slope.upper],
                "confidence": CONFIDENCE,
                "widths": list(ensemble.widths),
                "geometric_means": np.exp(np.log(values).mean(1)).tolist(),
            },
        )

    return test


_methods = once(*({"activation": "tanh", "method": method} for method in METHODS))

CLAIMS = (
    Claim(
        id="networks.ntk-frozen-law",
        title="Training follows the frozen tangent kernel, better with the width",
        statement=r"Gradient descent on the residuals of a two-layer tanh network ($u'' = \sin(\pi x)/10$; $w, b$ uniform in "
        r"$\pm\sqrt3$, $a = \pm1$; 16 iterations, in the full profile 100) follows $r(t) = (I - \eta G)^t r(0)$ with "
        r"$G = JJ^T$ at the start, and the deviation falls like $1/M$ between the widths $M = 64$ and $1024$ (full: 256, 1024 and 4096).",
        family="networks",
        source="ours, after Jacot, Gabriel and Hongler (2018) and Wang, Yu and Perdikaris (2022)",
        predicate=r"four points, Dirichlet rows, $h = 1/10$, $\eta = 1/(2\lambda_{\max}(G_\infty))$: slope in $\log M$ of the geometric mean of $\sup_t\|r(t) - (I - \eta G)^t r(0)\|/\|r(0)\|$ within "
        f"0.15 of −1: supported where its whole bootstrap interval at {CONFIDENCE:.0%} lies there, refuted where all of "
        "it lies outside",
        kind="sampled",
        scopes=_methods,
        instances=_ensembles,
        test=_exponent(deviations, -1, 0.15),
        derivation=(
            Step(r"$r(t+1) = (I - \eta G(t))\,r(t) + O(\eta^2)$", "one step of gradient descent"),
            Step(r"$\|G(t) - G(0)\|/\|G(0)\| = O(M^{-1})$ at fixed time for bounded laws",
                 "parameters move by $O(M^{-1/2})$ each, their effects on $G$ average"),
        ),
        describe=Ensemble.describe,
        search=_search,
        mutants=(
            Mutant("root", "the deviation falls like the root of the width", "exponent",
                   lambda c: c.with_(test=_exponent(deviations, -0.5, 0.15))),
            Mutant("exponential", "the law is that of the gradient flow, exp(−ηtG)", "predicate",
                   lambda c: c.with_(test=_exponent(lambda e: deviations(e, flow), -1, 0.15))),
        ),
    ),
    Claim(
        id="networks.kernel-fluctuation",
        title="The tangent kernel at the start approaches its limit like the root of the width",
        statement=r"For two-layer tanh networks with a bounded start, "
        r"$\|G_M - G_\infty\|/\|G_\infty\|$ falls like $M^{-1/2}$ between the widths $M = 64$ and $1024$ (full: 256, 1024 and 4096), for AD and FD residuals alike.",
        family="networks",
        source="classical (variance of a mean)",
        predicate=r"four points, Dirichlet rows, $h = 1/10$: slope in $\log M$ of the geometric mean over seeds within 0.1 of −1/2, $G_\infty$ by quadrature; "
        f"decided by the bootstrap interval at {CONFIDENCE:.0%}",
        kind="sampled",
        scopes=_methods,
        instances=_ensembles,
        test=_exponent(fluctuations, -0.5, 0.1),
        derivation=(Step(r"$G_M = \frac1M\sum_j M J_jJ_j^T$ is a mean of independent terms", "neurons are independent"),),
        describe=Ensemble.describe,
        search=_search,
        mutants=(
            Mutant("linear", "it falls like the width", "exponent",
                   lambda c: c.with_(test=_exponent(fluctuations, -1, 0.1))),
            Mutant("other-law", "the limit is that of parameters ten per cent larger", "constant",
                   lambda c: c.with_(test=_exponent(lambda e: fluctuations(e, 1.1), -0.5, 0.1))),
        ),
    ),
)  # fmt: skip
"""Claims about wide two-layer networks."""
