"""What the source paper states about entropy and training, read over populations: S4 and S5 (C. Chen, Y. Yang, Y. Xiang,
W. Hao, arXiv:2405.14099); AD against FD in the same draw is in :mod:`proofs_check.sources.paired`.

Only its abstract-level statements are in hand; predicates, thresholds and samples below are ours. A cell is one sample
of independent draws, and what it shows comes from an interval. Where something else than the features varies from draw
to draw (the scale of the weights, the number of features, the step, the method), that is among the rival predictors,
and cells of their own hold it fixed: a correlation that vanishes there was that of the other variable. AD and FD are
pooled where each draw takes one of them by the toss of a coin, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numerics.entropy.compare import truncated_entropies
from numerics.problem.problem import METHODS, Method
from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import cell
from proofs_check.claims.verdicts import Finding, Outcome
from proofs_check.sources.decisions import LEVEL, Correlation, each_of, finding, rank_correlations
from proofs_check.sources.tables import Moment, Table, outcomes, predictors, tables
from proofs_check.sources.trained import Values, conventions, judged
from proofs_check.sources.training_samples import (
    ARITHMETICS,
    OWN,
    SOLUTIONS,
    TOLERANCES,
    Study,
    instances,
    search,
    solver_of,
)

Ranked = Callable[[Study, Scope], Values]
"""What an entropy is to rank, one value a seed."""
STRONG = 0.5
"""Least |ρ| of a quantity that is said to quantify another."""
VARIED = {"scales": "scale", "sizes": "number of features", "steps": "step", "methods": "method"}
"""What varies over a sample beside the features."""


def _method(scope: Scope) -> Method:
    return "ad" if scope["method"] == "ad" else "fd"


def _outcome(study: Study, scope: Scope) -> Values:
    """What the entropy is to rank.

    A run that did not reach a loss is slower than all that did, tied.
    """
    if study.model == "rfm":
        return outcomes(study, _method(scope), solver_of(scope))[scope["outcome"]]
    values = outcomes(study, _method(scope))[scope["outcome"]]
    if not scope["outcome"].startswith("iterations"):
        return values
    return tuple(study.iterations + 1.0 if t is None else t for t in values)


def _requests(study: Study, scope: Scope) -> tuple[Table, ...]:
    return tables(study, METHODS if scope["method"] == "both" else (_method(scope),))


def _varied(study: Study, scope: Scope) -> Values:
    """What varies over the sample, as if it were the outcome."""
    return tuple(study.varied(seed) for seed in study.seeds)


def _entropy_later(study: Study, scope: Scope) -> Values:
    """The entropy in the middle of training, as if it were the outcome."""
    return predictors(study, _method(scope), "middle")[scope["convention"]]


def _correlations(study: Study, scope: Scope, values: Values, facts: int) -> dict[str, Correlation]:
    """ρ of the entropies and their rivals with the outcome; of what varies too, unless the cell holds it fixed."""
    columns = dict(predictors(study, _method(scope), cast(Moment, scope.get("moment", "start"))))
    varied = _varied(study, scope)
    given = None
    if scope["given"] != "nothing":
        given = varied
    elif study.sample in VARIED:
        columns[VARIED[study.sample]] = varied
    return rank_correlations(columns, values, given, each_of(facts))


def _ranked(study: Study, scope: Scope, values: Values, facts: int, sign: int = 1) -> Outcome:
    """Whether entropy and outcome are strongly and negatively correlated, as the source implies; one of ``facts``."""
    found = _correlations(study, scope, values, facts)
    mine = found[scope["convention"]]
    if mine.rho is None:
        reason = f"the entropy or the outcome does not vary, or exists for {mine.pairs} seeds only"
        return Outcome(None, f"open: {reason}", data=_numbers(Finding.OPEN, mine, found))
    low, high = sorted((sign * mine.interval[0], sign * mine.interval[1]))
    shown = finding((low, high), STRONG)
    if shown is Finding.HOLDS and mine.adjusted >= LEVEL:
        shown = Finding.OPEN
    holds = {Finding.HOLDS: True, Finding.REVERSED: False}.get(shown)
    margin = -sign * mine.rho - STRONG
    return Outcome(holds, f"{shown}: {_said(mine, found, scope)}", margin, _numbers(shown, mine, found))


def _best_rival(found: dict[str, Correlation]) -> Correlation:
    """The strongest predictor that is not an entropy."""
    known = conventions("full")
    return max((c for name, c in found.items() if name not in known), key=lambda c: abs(c.rho or 0.0))


def _said(mine: Correlation, found: dict[str, Correlation], scope: Scope) -> str:
    rival = _best_rival(found)
    interval = f"[{mine.interval[0]:+.2f}, {mine.interval[1]:+.2f}]"
    fixed = "" if scope["given"] == "nothing" else f" with the {scope['given']} held fixed"
    against = "" if rival.rho is None else f"; best rival: {rival.name} {rival.rho:+.2f}"
    return f"ρ = {mine.rho:+.2f} {interval}{fixed}, adjusted p = {mine.adjusted:.1e}, n = {mine.pairs}{against}"


def _numbers(shown: Finding, mine: Correlation, found: dict[str, Correlation]) -> dict[str, Any]:
    return {
        "finding": str(shown),
        "n": mine.pairs,
        "rho": mine.rho,
        "interval": list(mine.interval),
        "adjusted_p": mine.adjusted,
        "family": len(found),
        "all": {name: c.rho for name, c in found.items()},
    }


Sample = tuple[str, str, str, str, str]
"""What varies, the exact solution, operator, arithmetic, method."""


def _loss_samples(profile: Profile) -> list[Sample]:
    first = SOLUTIONS[0]
    if profile == "full":
        return [
            (sample, solution, operator, arithmetic, method)
            for sample in ("seeds", *VARIED)
            for solution in SOLUTIONS
            for operator in ("u_xx", "u_xxxx")
            for arithmetic in ARITHMETICS
            for method in _methods(sample)
        ]
    return [
        *(("seeds", s, "u_xx", a, m) for s in SOLUTIONS for a in ARITHMETICS for m in METHODS),
        *(("scales", s, "u_xx", "float32", m) for s in SOLUTIONS for m in METHODS),
        ("sizes", first, "u_xx", "float64", "fd"),
        ("steps", first, "u_xx", "float64", "fd"),
        *(("methods", s, "u_xx", a, "both") for s in SOLUTIONS for a in ARITHMETICS),
    ]


def _methods(sample: str) -> tuple[str, ...]:
    """Autodiff knows no step; by the coin both occur."""
    return {"steps": ("fd",), "methods": ("both",)}.get(sample, METHODS)


def _given(sample: str) -> tuple[str, ...]:
    return ("nothing", VARIED[sample]) if sample in VARIED else ("nothing",)


_SOLVERS: dict[Profile, tuple[str, ...]] = {"quick": ("pseudo-inverse",), "full": ("pseudo-inverse", OWN)}

# Cells of one sample lie apart, so that processes take different samples and share what these come to.


def _entropy_and_loss(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": "rfm", "activation": "tanh", "optimiser": "svd", "step": "1/100", "size": "n=128", "sample": sample, "given": given, "solution": solution,
         "operator": operator, "arithmetic": arithmetic, "method": method, "outcome": "residual",
         "solver": solver, "convention": label}
        for label in judged()
        for given in ("nothing", *VARIED.values())
        for solver in _SOLVERS[profile]
        for sample, solution, operator, arithmetic, method in _loss_samples(profile)
        if given in _given(sample) and (solver != OWN or given == "nothing")
    )  # fmt: skip


def _speed_samples(profile: Profile) -> list[tuple[str, str, str, str]]:
    """What varies, optimiser, arithmetic, operator."""
    if profile == "full":
        rules = (("adam", "float64"), ("adam", "float32"), ("gd", "float64"), ("lbfgs", "float64"))
        return [(sample, *rule, operator) for rule in rules for sample in ("seeds", "scales", "methods")
                for operator in ("u_xx", "u_xxxx")]  # fmt: skip
    return [
        ("seeds", "gd", "float64", "u_xx"),
        ("seeds", "adam", "float32", "u_xxxx"),
        ("scales", "gd", "float64", "u_xx"),
        ("methods", "adam", "float32", "u_xx"),
    ]


_SPEEDS = (("start", f"iterations to {TOLERANCES[0]:g}"), ("middle", "later loss"))
"""When the kernel is taken, and what its entropy is to rank then."""


def _entropy_and_speed(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": "two-layer", "activation": "tanh", "optimiser": optimiser, "step": "1/100", "size": "width 100",
         "sample": sample, "given": given, "operator": operator, "arithmetic": arithmetic, "method": method,
         "moment": moment, "outcome": outcome, "convention": label}
        for label in judged()
        for given in ("nothing", *VARIED.values())
        for moment, outcome in _SPEEDS
        for sample, optimiser, arithmetic, operator in _speed_samples(profile)
        if given in _given(sample)
        for method in _methods(sample)
    )  # fmt: skip


_DECIDED = (
    r"It holds where the whole interval of $\rho$ is at most $-1/2$ (and the permutation p-value is under "
    f"{LEVEL:g} after Holm's correction over the predictors of the sample), is reversed where it is at least $1/2$, is "
    r"mixed (no strong correlation) where it lies between, and is open otherwise. Intervals: Bonett and Wright, 2000, "
    "at 95 % for all cells at once. Rivals: condition number, least kept singular value, ε-rank, and what varies over "
    "the sample; where that is held fixed ρ is the partial correlation."
)
_LOSS = (
    "ρ: Spearman's rank correlation, over the draws of a sample, of the truncated entropy of A under the convention and "
    "the residual ‖Aa − f‖ of the pseudo-inverse solution, cut by the solver; A by the cell's method, one right-hand "
    "side a cell. "
)
_SPEED = (
    "ρ: Spearman's rank correlation, over the draws of a sample, of the truncated entropy of the eigenvalues of the "
    "gradient-descent kernel G = JJᵀ at the start and the iterations until the loss is a tenth of its first value (runs "
    "that never get there are tied, slower than all others), or of that of G after half of the iterations and the last "
    "loss over the loss then; residuals by the cell's method. "
)
_S4_CLEAR = cell(_entropy_and_loss("quick"), sample="scales", solution=SOLUTIONS[1], arithmetic="float32", method="ad")
_S5_CLEAR = cell(_entropy_and_speed("quick"), sample="scales", method="ad", given="nothing", moment="start")

_sampled: dict[str, Any] = {
    "family": "source", "kind": "sampled", "instances": instances, "requests": _requests, "describe": Study.describe,
    "search": search, "judges": (truncated_entropies,),
}  # fmt: skip


@stated(
    "S4.entropy-ranks-loss",
    title="The larger the entropy, the smaller the residual of the random feature model",
    source="S4",
    predicate=r"$\rho \le -1/2$. " + _LOSS + _DECIDED,
    scopes=_entropy_and_loss,
    mutants=(
        wrong("reversed", "the larger the entropy, the larger the residual", "sign", _S4_CLEAR, sign=-1),
        wrong(
            "scale", "the larger the entropy, the smaller the scale of the weights", "predicate", _S4_CLEAR, of=_varied
        ),
    ),
    **_sampled,
)
def entropy_ranks_loss(study: Study, scope: Scope, sign: int = 1, of: Ranked = _outcome) -> Outcome:
    """Truncated entropy quantifies the residual loss of the random feature model (our reading: over a
    population, the larger the entropy, the smaller the residual)."""
    return _ranked(study, scope, of(study, scope), len(_entropy_and_loss(study.profile)), sign)


@stated(
    "S5.entropy-ranks-speed",
    title="The larger the entropy, the faster two-layer networks train",
    source="S5",
    predicate=r"$\rho \le -1/2$. " + _SPEED + _DECIDED,
    scopes=_entropy_and_speed,
    mutants=(
        wrong("scale", "the larger the entropy, the smaller the scale of the weights", "predicate", _S5_CLEAR, of=_varied),
        wrong("falls", "the larger the entropy at the start, the smaller it is in the middle", "order", _S5_CLEAR,
              of=_entropy_later),
    ),
    **_sampled,
)  # fmt: skip
def entropy_ranks_speed(study: Study, scope: Scope, of: Ranked = _outcome) -> Outcome:
    """Truncated entropy quantifies the training speed of two-layer networks (our reading: over a
    population, the larger the entropy of the gradient-descent kernel, the faster they train)."""
    return _ranked(study, scope, of(study, scope), len(_entropy_and_speed(study.profile)))


CLAIMS = (entropy_ranks_loss, entropy_ranks_speed)
"""S4 and S5 over populations."""
