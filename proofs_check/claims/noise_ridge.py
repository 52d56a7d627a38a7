"""Why the advantage of AD in least squares grows more slowly than the round-off: matrix noise acts as a ridge penalty.

With ``A + E``, E of independent entries of mean square τ², ``E‖(A + E)a − f‖² = ‖Aa − f‖² + nτ²‖a‖²`` for every fixed a:
the minimiser pays for the length of a. It also fits the noise, with its M degrees of freedom of n: the residual is
shorter by about √(1 − M/n) where the noise dominates. A solution trades size for fit, so what it leaves grows with τ
more slowly than τ does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from proofs_check.claim import Claim, Mutant, Profile, Scope, Step
from proofs_check.claims.decisions import CONFIDENCE, within
from proofs_check.claims.least_squares import system
from proofs_check.claims.runs import outcomes
from proofs_check.claims.study import Study, instances, search
from proofs_check.verdicts import Outcome

if TYPE_CHECKING:
    from torch import Tensor

REACH = math.log(1.25)
"""Largest mean of |log(measured/predicted)|."""


MEMBERS = 32
"""Seeds of a sample."""


def ridge_objective(A: Tensor, f: Tensor, penalty: Tensor) -> Tensor:
    """``min_a (‖Aa − f‖² + λ‖a‖²)^{1/2}`` of every member, in the arithmetic of ``A``.

    Args:
        A: ``[b, n, m]``;  f: ``[n]``;  penalty: λ, ``[b]``.
    """
    import torch

    left, values, _ = torch.linalg.svd(A, full_matrices=False)
    along = left.transpose(1, 2) @ f
    across = f - (left @ along[:, :, None])[:, :, 0]
    share = penalty[:, None] / (values**2 + penalty[:, None])
    squared: Tensor = (share * along**2).sum(1) + (across**2).sum(1)
    return squared.sqrt()


def _explained(scale: float = 1.0, degrees: bool = True) -> Callable[[Study, Scope], Outcome]:
    """Whether the residual in float32 is that of the ridge; ``scale`` of λ, ``degrees`` of freedom counted or not."""

    def test(study: Study, scope: Scope) -> Outcome:
        import numpy as np

        from numerics.training.statistics import bootstrap

        study = replace(study, members=MEMBERS)
        exact, f = system(replace(study, arithmetic="float64"), "fd")
        noise = system(study, "fd")[0].double() - exact
        rows, columns = exact.shape[1:]
        penalty = scale * noise.square().sum((1, 2)) / columns
        factor = math.sqrt(1 - columns / rows) if degrees else 1.0
        predicted = (factor * ridge_objective(exact, f, penalty) / f.norm()).numpy()
        measured = np.array(outcomes(study, "fd")["residual"], dtype=float)
        ratio = np.log(measured / predicted)
        found = bootstrap(ratio, CONFIDENCE)
        autodiff = np.array(outcomes(study, "ad")["residual"], dtype=float)
        over = float(np.exp(np.log(measured / autodiff).mean()))
        interval = (found.lower, found.upper)
        return Outcome(
            within(interval, 0.0, REACH) if over >= 2 else None,
            f"measured over predicted {math.exp(found.estimate):.3f} [{math.exp(found.lower):.3f}, "
            f"{math.exp(found.upper):.3f}], n = {len(ratio)}, {over:.0f} times what AD leaves",
            margin=REACH - abs(found.estimate),
            data={
                "n": len(ratio),
                "mean_log": found.estimate,
                "interval": list(interval),
                "confidence": CONFIDENCE,
                "spread": float(ratio.std()),
                "over_ad": over,
            },
        )

    return test


def _cells(profile: Profile) -> tuple[Scope, ...]:
    steps: dict[Profile, dict[str, tuple[str, ...]]]
    steps = {"quick": {"u_xx": ("1/256",), "u_xxxx": ("1/64",)},
             "full": {"u_xx": ("1/128", "1/256", "1/512"), "u_xxxx": ("1/32", "1/64")}}  # fmt: skip
    return tuple(
        {"model": "rfm", "optimiser": "svd", "step": step, "operator": operator, "arithmetic": "float32",
         "size": size}
        for size in ("128 features 160 points", *(() if profile == "quick" else ("n=128",)))
        for operator, chosen in steps[profile].items()
        for step in chosen
    )  # fmt: skip


CLAIMS = (
    Claim(
        id="S7.noise-acts-as-ridge",
        title="Round-off of the matrix acts as a ridge penalty",
        statement=r"What a pseudo-inverse leaves of $A_{FD}$ ($n$ rows, $M$ features) in float32 is, within a factor 1.25 in the mean over "
        r"draws, $\sqrt{1 - M/n}$ times the least value of "
        r"$(\|Aa - f\|^2 + \lambda\|a\|^2)^{1/2}$ for the exact $A_{FD}$, with $\lambda = \|E\|_F^2/M$, $E$ the "
        "rounding of the matrix.",
        family="source",
        source="ours",
        predicate=r"The mean over seeds of $\log(\mathrm{measured}/\mathrm{predicted})$ within $\log 1.25$ of 0, where "
        f"FD leaves at least twice what AD does. Decided by its bootstrap interval at {CONFIDENCE:.0%}.",
        kind="sampled",
        scopes=_cells,
        instances=instances,
        test=_explained(),
        derivation=(
            Step(r"$\mathbb{E}\|(A + E)a - f\|^2 = \|Aa - f\|^2 + n\tau^2\|a\|^2$ for every fixed $a$",
                 r"entries of $E$ independent, mean 0, mean square $\tau^2 = \|E\|_F^2/(nM)$"),
            Step(r"of $n$ rows of noise, $M$ are fitted: the rest has $(1 - M/n)$ of the mean square",
                 "degrees of freedom in least squares; a heuristic here, since $a$ depends on $E$"),
        ),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("summed", "λ is the sum of the squares of E, not divided by M = 128", "constant",
                   lambda c: c.with_(test=_explained(scale=128.0))),
            Mutant("nothing-fitted", "the noise is not fitted: the factor is 1", "assumption",
                   lambda c: c.with_(test=_explained(degrees=False))),
        ),
    ),
)  # fmt: skip
"""One claim: the explanation of what S7.floor-explains finds for least squares."""
