"""What the source paper states about AD against FD in training: S6 and S7 (C. Chen, Y. Yang, Y. Xiang, W. Hao,
arXiv:2405.14099), and our explanation of S7.

Predicates, margins and samples are ours. Runs are paired by seed: the same features or the same start, the same
optimiser and arithmetic, once with the residuals of AD and once with those of FD. An advantage is a mean log ratio of
at least ten per cent; not to find one refutes nothing, an interval that excludes it does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs_check.claim import Claim, Mutant, Profile, Scope, Step
from proofs_check.claims.decisions import CONFIDENCE, LEVEL, at_most, within
from proofs_check.claims.runs import Values, outcomes
from proofs_check.claims.study import Study, instances, search
from proofs_check.verdicts import Outcome

Test = Callable[[Study, Scope], Outcome]
MARGIN = math.log(1.1)
"""Least mean log ratio that counts as an advantage: ten per cent."""
DROPPED = 0.05
"""Largest share of seeds that may be missing from a paired comparison."""
DEPTHS = (2, 4)
"""Affine maps of the perceptrons that are compared."""


def _log_ratio(study: Study, outcome: str, flip: bool = False) -> Values:
    """``log(AD/FD)`` seed by seed; None where a run of the two diverged."""
    ad, fd = outcomes(study, "ad")[outcome], outcomes(study, "fd")[outcome]
    pairs = zip(fd, ad, strict=True) if flip else zip(ad, fd, strict=True)
    return tuple(math.log(a / b) if a and b else None for a, b in pairs)


def _compared(differences: Values, margin: float, what: str) -> Outcome:
    """Whether the mean difference is at most ``−margin``, by its bootstrap interval."""
    from numerics.training.statistics import compare

    known = [d for d in differences if d is not None]
    missing = len(differences) - len(known)
    if missing > DROPPED * len(differences):
        reason = f"{missing} of {len(differences)} seeds have a run that diverged"
        return Outcome(None, reason, data={"n": len(known), "missing": missing})
    found = compare(known, [0.0] * len(known), confidence=CONFIDENCE)
    low, high = found.mean.lower, found.mean.upper
    effect = f"{found.effect:+.2f}" if math.isfinite(found.effect) else "infinite"
    holds = at_most((low, high), -margin)
    if holds and (found.p_value >= LEVEL or found.smaller <= 0.5):  # a mean that a few seeds made
        holds = None
    return Outcome(
        holds,
        f"{what} {found.mean.estimate:+.3g} [{low:+.3g}, {high:+.3g}] (claimed ≤ {-margin:+.3f}), "
        f"effect size {effect}, n = {found.pairs}, p = {found.p_value:.1e}",
        margin=-margin - found.mean.estimate,
        data={
            "n": found.pairs,
            "missing": missing,
            "mean": found.mean.estimate,
            "interval": [low, high],
            "confidence": CONFIDENCE,
            "effect_size": found.effect,
            "share_in_favour": found.smaller,
            "p_value": found.p_value,
        },
    )


def _advantage(margin: float = MARGIN, flip: bool = False) -> Test:
    def test(study: Study, scope: Scope) -> Outcome:
        return _compared(_log_ratio(study, scope["outcome"], flip), margin, "mean log(AD/FD)")

    return test


def _growth(larger: Callable[[Study], Study], smaller: Callable[[Study], Study], margin: float = MARGIN) -> Test:
    """The advantage of the larger problem over that of the smaller, paired by seed."""

    def test(study: Study, scope: Scope) -> Outcome:
        first, second = (_log_ratio(make(study), scope["outcome"]) for make in (larger, smaller))
        difference = tuple(None if a is None or b is None else a - b for a, b in zip(first, second, strict=True))
        return _compared(difference, margin, "mean difference of log(AD/FD)")

    return test


def _with_order(operator: str) -> Callable[[Study], Study]:
    return lambda study: replace(study, operator=operator)


def _with_depth(depth: int) -> Callable[[Study], Study]:
    return lambda study: replace(study, depth=depth)


_RUNS: dict[Profile, tuple[tuple[str, str, str], ...]] = {
    "quick": (("rfm", "svd", "1/100"), ("rfm", "gd", "1/100"), ("two-layer", "adam", "1/100")),
    "full": (*((model, optimiser, "1/100") for model in ("rfm", "two-layer") for optimiser in ("gd", "adam", "lbfgs")),
             ("rfm", "svd", "1/10"), ("rfm", "svd", "1/100"), ("rfm", "svd", "1/1000"),
             ("two-layer", "adam", "1/10"), ("two-layer", "adam", "1/1000")),
}  # fmt: skip
OUTCOMES = ("residual", "equation residual", "solution error")


def _paired_cells(operators: Sequence[str]) -> Callable[[Profile], tuple[Scope, ...]]:
    return lambda profile: tuple(
        {"model": model, "optimiser": optimiser, "step": step, "operator": operator, "arithmetic": arithmetic,
         "outcome": outcome}
        for outcome in OUTCOMES
        for operator in operators
        for model, optimiser, step in _RUNS[profile]
        for arithmetic in ("float64", "float32")
    )  # fmt: skip


def _depth_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": "perceptron", "optimiser": "adam", "step": step, "operator": "u_xx", "arithmetic": arithmetic,
         "outcome": outcome}
        for step in (("1/4096",) if profile == "quick" else ("1/100", "1/4096"))
        for arithmetic in (("float32",) if profile == "quick" else ("float32", "float64"))
        for outcome in OUTCOMES
    )  # fmt: skip


# The explanation of S7: the floor is u h^-m.

_FLOOR_STEPS = {
    ("rfm", "u_xx"): range(6, 11),
    ("rfm", "u_xxxx"): range(4, 8),
    ("two-layer", "u_xx"): range(11, 14),
    ("two-layer", "u_xxxx"): range(6, 9),
}
"""−log2 h, where round-off exceeds what autodiff leaves, and does not yet exceed the data."""
FLOOR_SEEDS = 64


def _floor_slope(expected: Callable[[int], int]) -> Test:
    """Slope in log h of the residual that training leaves, by differences in float32."""

    def test(study: Study, scope: Scope) -> Outcome:
        from numerics.training.statistics import loglog_slope

        few = replace(study, members=FLOOR_SEEDS)
        steps = [Fraction(1, 2**k) for k in _FLOOR_STEPS[study.model, study.operator]]
        table = np.array([outcomes(replace(few, step=h), "fd")["residual"] for h in steps], dtype=float)
        if not np.isfinite(table).all():
            return Outcome(None, "a run diverged")
        exact = np.array(outcomes(few, "ad")["residual"], dtype=float)
        above = float(np.exp(np.log(table / exact).mean(1).min()))
        slope = loglog_slope([float(h) for h in steps], table, confidence=CONFIDENCE)
        order = expected(2 if study.operator == "u_xx" else 4)
        interval = (slope.lower, slope.upper)
        return Outcome(
            within(interval, order, 0.25) if above >= 1.5 else None,
            f"slope {slope.estimate:.2f} [{slope.lower:.2f}, {slope.upper:.2f}], law {order}, n = {FLOOR_SEEDS}, "
            f"at least {above:.1f} times what AD leaves",
            margin=0.25 - abs(slope.estimate - order),
            data={
                "slope": slope.estimate,
                "interval": list(interval),
                "confidence": CONFIDENCE,
                "n": FLOOR_SEEDS,
                "steps": [str(h) for h in steps],
                "mean_log": np.log(table).mean(1).tolist(),
                "over_ad": above,
            },
        )

    return test


def _floor_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": model, "optimiser": "svd" if model == "rfm" else "adam", "step": "1/100", "operator": operator,
         "arithmetic": "float32"}
        for model, operator in _FLOOR_STEPS
        if profile == "full" or (model, operator) in {("rfm", "u_xx"), ("two-layer", "u_xxxx")}
    )  # fmt: skip


def _cell(cells: Sequence[Scope], **coordinates: str) -> Scope:
    """The first cell with these coordinates."""
    return next(cell for cell in cells if all(cell[key] == value for key, value in coordinates.items()))


_DECIDED = (
    f"Decided by the bootstrap interval of the mean at {CONFIDENCE:.0%}: supported where all of it agrees "
    f"(and so do most seeds, Wilcoxon's p < {LEVEL:g}), refuted where all of it disagrees, undecided also where more "
    "than one seed in twenty diverged."
)
_OUTCOMES = (
    "Outcome: the norm of the residual that was minimised; that of the differential equation itself, by AD in float64; "
    "or the solution error. "
)
_both_orders = _paired_cells(("u_xx", "u_xxxx"))
_one_order = _paired_cells(("u_xxxx",))
_CLEAR = {"model": "rfm", "optimiser": "svd", "operator": "u_xxxx", "arithmetic": "float32", "step": "1/100",
          "outcome": "equation residual"}  # fmt: skip
_FLOOR = _cell(_floor_cells("quick"), model="two-layer", operator="u_xxxx")

CLAIMS = (
    Claim(
        id="S6.ad-outperforms",
        title="AD outperforms FD in training",
        statement="From a training perspective AD outperforms FD.",
        family="source",
        source="S6",
        predicate=r"The mean over seeds of $\log(\mathrm{outcome}_{AD}/\mathrm{outcome}_{FD})$ is at most $-\log 1.1$ "
        "(so a tie is no advantage). " + _OUTCOMES + _DECIDED,
        kind="sampled",
        scopes=_both_orders,
        instances=instances,
        test=_advantage(),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("exchanged", "FD outperforms AD", "sign",
                   lambda c: c.with_(test=_advantage(flip=True)), _CLEAR),
            Mutant("a-million", "AD is better by a factor of a million", "constant",
                   lambda c: c.with_(test=_advantage(math.log(1e6))), _CLEAR),
        ),
    ),
    Claim(
        id="S7.grows-with-order",
        title="The advantage grows with the order of the equation",
        statement="The advantage of AD over FD grows with the order of the equation, from $u''$ to $u''''$.",
        family="source",
        source="S7",
        predicate=r"The mean over seeds of $\log(\mathrm{outcome}_{AD}/\mathrm{outcome}_{FD})$ for $u''''$ less that "
        r"for $u''$ is at most $-\log 1.1$. " + _OUTCOMES + _DECIDED,
        kind="sampled",
        scopes=_one_order,
        instances=instances,
        test=_growth(_with_order("u_xxxx"), _with_order("u_xx")),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("falls", "it falls with the order", "order",
                   lambda c: c.with_(test=_growth(_with_order("u_xx"), _with_order("u_xxxx"))), _CLEAR),
            Mutant("a-million", "it grows by a factor of a million", "constant",
                   lambda c: c.with_(test=_growth(_with_order("u_xxxx"), _with_order("u_xx"), math.log(1e6))), _CLEAR),
        ),
    ),
    Claim(
        id="S7.grows-with-depth",
        title="The advantage grows with depth",
        statement="The advantage of AD over FD grows with the depth of the network.",
        family="source",
        source="S7",
        predicate=r"The mean over seeds of $\log(\mathrm{outcome}_{AD}/\mathrm{outcome}_{FD})$ at depth 4 less that at "
        r"depth 2 is at most $-\log 1.1$. " + _OUTCOMES + _DECIDED,
        kind="sampled",
        scopes=_depth_cells,
        instances=instances,
        test=_growth(_with_depth(DEPTHS[1]), _with_depth(DEPTHS[0])),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("tenfold", "it grows by a factor of ten", "constant",
                   lambda c: c.with_(test=_growth(_with_depth(DEPTHS[1]), _with_depth(DEPTHS[0]), math.log(10)))),
            Mutant("falls-tenfold", "it falls by a factor of ten with the depth", "order",
                   lambda c: c.with_(test=_growth(_with_depth(DEPTHS[0]), _with_depth(DEPTHS[1]), math.log(10)))),
        ),
    ),
    Claim(
        id="S7.floor-explains",
        title="What training by differences leaves grows like the floor",
        statement=r"The advantage grows with the order because of the round-off of differences: where it dominates, "
        r"the residual that training leaves is proportional to $u\,h^{-m}$.",
        family="source",
        source="ours",
        predicate=r"Slope in $\log h$ of the geometric mean over seeds of the residual that was minimised, in float32 "
        r"by differences, within 1/4 of $-m$, over three to five steps $h = 2^{-k}$ at each of which it is at least "
        f"1.5 times what AD leaves. Decided by its bootstrap interval at {CONFIDENCE:.0%}.",
        kind="sampled",
        scopes=_floor_cells,
        instances=instances,
        test=_floor_slope(lambda m: -m),
        derivation=(
            Step(r"rounding errors of size $u|u(x)|$ at the nodes become $u\sqrt{\sum c_k^2}\,|u(x)|h^{-m}$",
                 "the difference divides by $h^m$"),
        ),
        describe=Study.describe,
        search=search,
        mutants=(
            Mutant("independent-of-order", "the residual is proportional to 1/h whatever the order", "exponent",
                   lambda c: c.with_(test=_floor_slope(lambda m: -1)), _FLOOR),
            Mutant("one-more", "the residual is proportional to h to the −(m + 1)", "order",
                   lambda c: c.with_(test=_floor_slope(lambda m: -m - 1)), _FLOOR),
        ),
    ),
)  # fmt: skip
"""S6 and S7."""
