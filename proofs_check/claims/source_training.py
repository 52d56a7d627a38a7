"""What the source paper states about entropy and training: S4 and S5 (C. Chen, Y. Yang, Y. Xiang, W. Hao,
arXiv:2405.14099).

Only its abstract-level statements are in hand; predicates, thresholds and samples below are ours. A cell is one sample
of runs, and its verdict comes from an interval: supported where the whole interval agrees with the statement, refuted
where the whole interval contradicts it. AD and FD are never pooled: in a pooled sample the difference between the two
alone makes a correlation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, cast

import numpy as np

from numerics.problem import METHODS, Method
from proofs_check.claim import Claim, Mutant, Profile, Scope
from proofs_check.claims.decisions import CONFIDENCE, LEVEL, Correlation, at_most, rank_correlations
from proofs_check.claims.runs import Matrix, Values, conventions, judged, outcomes, predictors, truncated_residuals
from proofs_check.claims.study import TOLERANCES, Study, instances, search
from proofs_check.verdicts import Outcome

Test = Callable[[Study, Scope], Outcome]
STRONG = 0.5
"""Least |ρ| of a quantity that is said to quantify another."""


def _shuffled(values: Values) -> Values:
    order = np.random.default_rng(1).permutation(len(values))
    return tuple(values[k] for k in order)


def _method(scope: Scope) -> Method:
    return cast(Method, scope["method"])


def _residuals(study: Study, scope: Scope) -> Values:
    """What the entropy is to rank for random features."""
    if scope["solver"] == "own cut-off":
        return truncated_residuals(study, _method(scope), scope["convention"])
    return outcomes(study, _method(scope))["residual"]


def _iterations(study: Study, scope: Scope) -> Values:
    """What the entropy is to rank for networks; a run that did not get there is slower than all that did, tied."""
    reached = outcomes(study, _method(scope))[f"iterations to {scope['tolerance']}"]
    return tuple(study.iterations + 1.0 if t is None else t for t in reached)


def _ranked(
    outcome: Callable[[Study, Scope], Values], signed: bool, bound: float = STRONG, sign: int = 1, shuffle: bool = False
) -> Test:
    """Whether entropy and outcome are strongly correlated; ``signed``: negatively, as the source implies."""

    def test(study: Study, scope: Scope) -> Outcome:
        values = outcome(study, scope)
        values = _shuffled(values) if shuffle else values
        found = rank_correlations(predictors(study, _method(scope), cast(Matrix, scope["matrix"])), values)
        mine = found[scope["convention"]]
        if mine.rho is None:
            reason = f"the entropy or the outcome does not vary, or exists for {mine.pairs} seeds only"
            return Outcome(None, reason, data=_numbers(mine, found, study))
        low, high = sorted((sign * mine.interval[0], sign * mine.interval[1]))
        holds = at_most((low, high), -bound) if signed else _outside((low, high), bound)
        if holds and mine.adjusted >= LEVEL:
            holds = None
        size = -sign * mine.rho if signed else abs(mine.rho)
        return Outcome(holds, _said(mine, found), margin=size - bound, data=_numbers(mine, found, study))

    return test


def _outside(interval: tuple[float, float], bound: float) -> bool | None:
    """Whether a number in the interval has absolute value ≥ ``bound``."""
    low, high = interval
    if low >= bound or high <= -bound:
        return True
    return False if -bound < low and high < bound else None


def _best_rival(found: dict[str, Correlation]) -> Correlation:
    """The strongest predictor that is not an entropy."""
    known = conventions("full")
    return max((c for name, c in found.items() if name not in known), key=lambda c: abs(c.rho or 0.0))


def _said(mine: Correlation, found: dict[str, Correlation]) -> str:
    rival = _best_rival(found)
    interval = f"[{mine.interval[0]:+.2f}, {mine.interval[1]:+.2f}]"
    against = "" if rival.rho is None else f"; best rival: {rival.name} {rival.rho:+.2f}"
    return f"ρ = {mine.rho:+.2f} {interval}, adjusted p = {mine.adjusted:.1e}, n = {mine.pairs}{against}"


def _numbers(mine: Correlation, found: dict[str, Correlation], study: Study) -> dict[str, Any]:
    return {
        "n": mine.pairs,
        "rho": mine.rho,
        "interval": list(mine.interval),
        "confidence": CONFIDENCE,
        "adjusted_p": mine.adjusted,
        "family": len(found),
        "all": {name: c.rho for name, c in found.items()},
    }


_QUICK_SAMPLES = (
    ("seeds", "sin(pi*x)", "u_xx"),
    ("scales", "sin(pi*x)", "u_xx"),
    ("scales", "sin(8*pi*x)", "u_xx"),
)

# Cells of one sample lie apart, so that processes take different samples and share what these come to.


def _entropy_and_loss(profile: Profile) -> tuple[Scope, ...]:
    samples: Sequence[tuple[str, str, str]] = _QUICK_SAMPLES
    solvers = ["pseudo-inverse"]
    if profile == "full":
        solutions = ("sin(pi*x)", "sin(8*pi*x)")
        samples = [(a, s, o) for o in ("u_xx", "u_xxxx") for a in ("seeds", "scales") for s in solutions]
        solvers.append("own cut-off")
    return tuple(
        {"model": "rfm", "optimiser": "svd", "matrix": "features", "step": "1/100", "sample": sample,
         "solution": solution, "operator": operator, "arithmetic": arithmetic, "method": method, "solver": solver,
         "convention": label}
        for label in judged(profile)
        for solver in solvers
        for sample, solution, operator in samples
        for arithmetic in ("float64", "float32")
        for method in METHODS
    )  # fmt: skip


_QUICK_RUNS = (
    ("adam", "float64", "scales", "u_xx"),
    ("gd", "float64", "scales", "u_xx"),
    ("adam", "float32", "seeds", "u_xxxx"),
)


def _entropy_and_speed(profile: Profile) -> tuple[Scope, ...]:
    kinds: Sequence[tuple[str, str, str, str]] = _QUICK_RUNS
    matrices = ["features"]
    if profile == "full":
        rules = (("adam", "float64"), ("adam", "float32"), ("gd", "float64"), ("lbfgs", "float64"))
        kinds = [(*rule, *rest) for rule in rules for rest in product(("seeds", "scales"), ("u_xx", "u_xxxx"))]
        matrices.append("Jacobian")
    return tuple(
        {"model": "two-layer", "optimiser": optimiser, "matrix": matrix, "step": "1/100", "sample": sample,
         "operator": operator, "arithmetic": arithmetic, "method": method, "tolerance": f"{TOLERANCES[0]:g}",
         "convention": label}
        for label in judged(profile)
        for matrix in matrices
        for optimiser, arithmetic, sample, operator in kinds
        for method in METHODS
    )  # fmt: skip


def _cell(cells: Sequence[Scope], **coordinates: str) -> Scope:
    """The first cell with these coordinates."""
    return next(cell for cell in cells if all(cell[key] == value for key, value in coordinates.items()))


_DECIDED = (
    f"Decided by the interval at {CONFIDENCE:.0%} (Bonett and Wright, 2000): supported where all of it agrees and the "
    f"permutation p-value is under {LEVEL:g} after Holm's correction over the predictors of the sample (the entropies "
    "and their rivals: condition number, least kept singular value, ε-rank); refuted where all of it disagrees."
)
_LOSS = (
    "ρ: Spearman's rank correlation, over a sample, of the truncated entropy of A under the convention and the "
    "residual ‖Aa − f‖ of the truncated-SVD solution, A by the cell's method. "
)
_SPEED = (
    "ρ: Spearman's rank correlation, over a sample, of the truncated entropy at the start under the convention and the "
    "iterations until the loss is the cell's fraction of its first value (runs that never get there are tied, slower "
    "than all others), residuals by the cell's method. "
)
_S4_HOLDS = _cell(
    _entropy_and_loss("quick"), sample="scales", solution="sin(8*pi*x)", arithmetic="float32", method="ad"
)
_S5_STRONGEST = _cell(_entropy_and_speed("quick"), sample="scales", optimiser="adam", method="ad")

CLAIMS = (
    Claim(
        id="S4.entropy-ranks-loss",
        title="Entropy quantifies the residual of the random feature model",
        statement="The truncated entropy quantifies the residual loss of the random feature model, in either sense.",
        family="source",
        source="S4",
        predicate=r"$|\rho| \ge 1/2$. " + _LOSS + _DECIDED,
        kind="sampled",
        scopes=_entropy_and_loss,
        instances=instances,
        test=_ranked(_residuals, signed=False),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("other-seeds", "each residual is that of another, random seed", "assumption",
                   lambda c: c.with_(test=_ranked(_residuals, signed=False, shuffle=True)), _S4_HOLDS),
            Mutant("near-certainty", "|ρ| is at least 0.99", "constant",
                   lambda c: c.with_(test=_ranked(_residuals, signed=False, bound=0.99)), _S4_HOLDS),
        ),
    ),
    Claim(
        id="S4.more-entropy-less-loss",
        title="More entropy goes with less residual",
        statement="The larger the truncated entropy, the smaller the residual loss of the random feature model.",
        family="source",
        source="S4",
        predicate=r"$\rho \le -1/2$. " + _LOSS + _DECIDED,
        kind="sampled",
        scopes=_entropy_and_loss,
        instances=instances,
        test=_ranked(_residuals, signed=True),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("reversed", "the larger the entropy, the larger the residual", "sign",
                   lambda c: c.with_(test=_ranked(_residuals, signed=True, sign=-1)), _S4_HOLDS),
            Mutant("other-seeds", "each residual is that of another, random seed", "assumption",
                   lambda c: c.with_(test=_ranked(_residuals, signed=True, shuffle=True)), _S4_HOLDS),
        ),
    ),
    Claim(
        id="S5.entropy-ranks-speed",
        title="Entropy quantifies the training speed of two-layer networks",
        statement="The truncated entropy quantifies the training speed of two-layer networks, in either sense.",
        family="source",
        source="S5",
        predicate=r"$|\rho| \ge 1/2$. " + _SPEED + _DECIDED,
        kind="sampled",
        scopes=_entropy_and_speed,
        instances=instances,
        test=_ranked(_iterations, signed=False),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("other-seeds", "each number of iterations is that of another, random seed", "assumption",
                   lambda c: c.with_(test=_ranked(_iterations, signed=False, shuffle=True)), _S5_STRONGEST),
            Mutant("near-certainty", "|ρ| is at least 0.99", "constant",
                   lambda c: c.with_(test=_ranked(_iterations, signed=False, bound=0.99)), _S5_STRONGEST),
        ),
    ),
    Claim(
        id="S5.more-entropy-faster",
        title="More entropy goes with faster training",
        statement="The larger the truncated entropy, the faster two-layer networks train.",
        family="source",
        source="S5",
        predicate=r"$\rho \le -1/2$. " + _SPEED + _DECIDED,
        kind="sampled",
        scopes=_entropy_and_speed,
        instances=instances,
        test=_ranked(_iterations, signed=True),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("reversed", "the larger the entropy, the slower", "sign",
                   lambda c: c.with_(test=_ranked(_iterations, signed=True, sign=-1)), _S5_STRONGEST),
            Mutant("other-seeds", "each number of iterations is that of another, random seed", "assumption",
                   lambda c: c.with_(test=_ranked(_iterations, signed=True, shuffle=True)), _S5_STRONGEST),
        ),
    ),
)  # fmt: skip
"""S4 and S5; S6 and S7 are in :mod:`proofs_check.claims.source_advantage`."""
