"""What the source paper states about AD against FD in training: S6 and S7 (C. Chen, Y. Yang, Y. Xiang, W. Hao,
arXiv:2405.14099), and our explanation of S7.

Predicates, margins and samples are ours. Runs are paired by seed: the same features or the same start, the same
optimiser and arithmetic, once with the residuals of AD and once with those of FD. An advantage is a mean log ratio of
at least ten per cent: it holds where the interval shows one, is reversed where it shows one of FD, and is mixed (a tie)
where the interval lies within the margin on either side.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from operator import neg
from typing import Any

import numpy as np

from numerics.problem.problem import Method
from proofs_check.claims.claim import Profile, Scope, Step, stated, wrong
from proofs_check.claims.comparisons import cell
from proofs_check.claims.verdicts import Finding, Outcome
from proofs_check.sources.decisions import CONFIDENCE, LEVEL, each_of, finding, mean_interval, within
from proofs_check.sources.tables import Table, outcomes, tables
from proofs_check.sources.trained import ROUND_OFF, Values
from proofs_check.sources.trained import TRUNCATION as TRUNCATED
from proofs_check.sources.training_samples import (
    ARITHMETICS,
    DESCENDED,
    OUTCOMES,
    SIZES,
    SOLUTIONS,
    SOLVED,
    STEPS,
    Study,
    instances,
    search,
)
from theory.stencils.symbol import symbol

MARGIN = math.log(1.1)
"""Least mean log ratio that counts as an advantage: ten per cent."""
DROPPED = 0.05
"""Largest share of seeds that may be missing from a paired comparison."""


def _log_ratio(ad: Study, fd: Study, outcome: str, flip: bool = False) -> Values:
    """``log(AD/FD)`` seed by seed; None where a run of the two diverged."""
    one, other = outcomes(ad, "ad")[outcome], outcomes(fd, "fd")[outcome]
    pairs = zip(other, one, strict=True) if flip else zip(one, other, strict=True)
    return tuple(math.log(a / b) if a and b else None for a, b in pairs)


def _compared(differences: Values, margin: float, what: str, facts: int = 1) -> Outcome:
    """Whether the mean difference is at most ``−margin``, by its interval, one of ``facts``."""
    from numerics.training.statistics import compare

    known = [d for d in differences if d is not None]
    missing = len(differences) - len(known)
    if missing > DROPPED * len(differences):
        reason = f"open: {missing} of {len(differences)} seeds have a run that diverged"
        return Outcome(None, reason, data={"finding": str(Finding.OPEN), "n": len(known), "missing": missing})
    found = compare(known, [0.0] * len(known))
    low, high = mean_interval(np.array(known), each_of(facts))
    shown = finding((low, high), margin)
    # A mean that a few seeds made shows nothing: most of them must agree.
    agree = found.p_value < LEVEL and (found.smaller > 0.5 if shown is Finding.HOLDS else found.smaller < 0.5)
    if shown in (Finding.HOLDS, Finding.REVERSED) and not agree:
        shown = Finding.OPEN
    effect = f"{found.effect:+.2f}" if math.isfinite(found.effect) else "infinite"
    return Outcome(
        {Finding.HOLDS: True, Finding.REVERSED: False}.get(shown),
        f"{'mixed, a tie' if shown is Finding.MIXED else shown}: {what} {found.mean.estimate:+.3g} [{low:+.3g}, "
        f"{high:+.3g}] (holds ≤ {-margin:+.3f}, reversed ≥ {margin:+.3f}, a tie between), negative in "
        f"{found.smaller:.0%} of {found.pairs} draws, effect size {effect}, p = {found.p_value:.1e}",
        margin=-margin - found.mean.estimate,
        data={
            "finding": str(shown),
            "n": found.pairs,
            "missing": missing,
            "mean": found.mean.estimate,
            "interval": [low, high],
            "tie": margin,
            "effect_size": found.effect,
            "share_in_favour": found.smaller,
            "p_value": found.p_value,
        },
    )


TRUNCATION = 1.25
"""Within this factor a residual of the equation is the error of the difference itself."""


def truncation_error(study: Study) -> float:
    """``|L_h u − L u| / |L u|`` of the exact solution sin πx: the factor is the stencil's symbol at π h.

    >>> f"{truncation_error(Study('rfm', 'u_xx', 'float64', 'svd', 'quick')):.4e}"
    '8.2244e-05'
    """
    import mpmath

    (term,) = study.problem(study.first).difference.terms
    assert term.stencil is not None
    with mpmath.workdps(40):
        theta = mpmath.pi * study.step.numerator / study.step.denominator
        return float(abs(symbol(term.stencil).value(theta) - 1))


def _mechanism(study: Study, outcome: str) -> str | None:
    """By what FD leaves more: its truncation error, or round-off; None where neither alone accounts for it.

    Of least squares, the residual of the equation is compared with that of the exact solution (within a factor 1.25,
    or twice as much). Of networks, what FD leaves of its own residual beyond what AD leaves of its own,
    ``(r_FD² − r_AD²)^(1/2)``, is compared with the round-off and the truncation of the residual at the parameters that
    were found (medians): one of them must be at least half of it, and twice the other.
    """
    if study.model != "rfm":
        return _network_mechanism(study) if outcome == "residual" else None
    if outcome != "equation residual" or study.solution != SOLUTIONS[0]:
        return None
    left = _median(study, "fd", outcome)
    exact = truncation_error(study)
    if exact / TRUNCATION <= left <= exact * TRUNCATION:
        return "truncation"
    return "round-off" if left >= 2 * exact else None


def _median(study: Study, method: Method, column: str) -> float:
    known = [v for v in outcomes(study, method)[column] if v is not None]
    return statistics.median(known) if known else math.nan


def _network_mechanism(study: Study) -> str | None:
    beyond = _median(study, "fd", "residual") ** 2 - _median(study, "ad", "residual") ** 2
    noise, truncated = (_median(study, "fd", column) for column in (ROUND_OFF, TRUNCATED))
    least = math.sqrt(max(beyond, 0.0)) / 2
    for error, other, word in ((noise, truncated, "round-off"), (truncated, noise, "truncation")):
        if error >= least > 0 and error >= 2 * other:
            return word
    return None


def _told(found: Sequence[Outcome]) -> tuple[str, dict[str, str]]:
    """The mechanism, for the sentence on the statement."""
    known = found[0].data.get("mechanism")
    return ("", {}) if known is None else (f"; by {known}", {"mechanism": known})


def _with_mechanism(found: Outcome, study: Study, scope: Scope) -> Outcome:
    return replace(found, data={**found.data, "mechanism": _mechanism(study, scope["outcome"])})


def _growth(study: Study, scope: Scope, facts: int, falls: bool, flip: bool) -> Outcome:
    """The advantage of the larger problem over that of the smaller, paired by seed; the other way round if it falls."""
    larger, smaller = (_log_ratio(one, one, scope["outcome"], flip) for one in _two(study, scope))
    if falls:
        larger, smaller = smaller, larger
    difference = tuple(None if a is None or b is None else a - b for a, b in zip(larger, smaller, strict=True))
    found = _compared(difference, MARGIN, "mean difference of log(AD/FD)", facts)
    return _with_mechanism(found, _two(study, scope)[0], scope)


def _two(study: Study, scope: Scope) -> tuple[Study, Study]:
    """The larger and the smaller problem that a cell compares: of higher and lower order, or deeper and shallower."""
    if "depth" in scope:
        return replace(study, depth=int(scope["depth"])), replace(study, depth=int(scope["from"]))
    return study, replace(study, operator=scope["from"])


def _both_tables(study: Study, scope: Scope) -> tuple[Table, ...]:
    return tuple(t for one in _two(study, scope) for t in tables(one))


_Run = tuple[str, str, str, str, str, str]
"""Model, activation, optimiser, operator, step, arithmetic."""
_SIZE = {"rfm": "n=128", "two-layer": "width 100"}


def _runs(profile: Profile) -> list[_Run]:
    if profile == "full":
        descended = [(m, "tanh", r, o, "1/100", a) for m in ("rfm", "two-layer") for r in ("gd", "adam", "lbfgs")
                     for o in ("u_xx", "u_xxxx") for a in ARITHMETICS]  # fmt: skip
        solved = [("rfm", s, "svd", o, h, a) for s in ("tanh", "sin") for o in ("u_x", "u_xx", "u_xxx", "u_xxxx")
                  for h in STEPS for a in ARITHMETICS]  # fmt: skip
        solved += [
            ("rfm", s, "svd", o, "1/100", a)
            for s in ("erf", "gaussian")
            for o in ("u_xx", "u_xxxx")
            for a in ARITHMETICS
        ]
        steps = [("two-layer", "tanh", "adam", o, h, a) for o in ("u_xx", "u_xxxx") for h in ("1/10", "1/1000")
                 for a in ARITHMETICS]  # fmt: skip
        return [*descended, *solved, *steps]
    solved = [("rfm", s, "svd", o, h, a) for s, o, h in SOLVED for a in ARITHMETICS]
    return [*solved, *(("two-layer", "tanh", *rule) for rule in DESCENDED)]


def _paired_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": model, "activation": activation, "optimiser": optimiser, "step": step, "size": _SIZE[model],
         "operator": operator, "arithmetic": arithmetic, "outcome": outcome}
        for outcome in OUTCOMES
        for model, activation, optimiser, operator, step, arithmetic in _runs(profile)
    )  # fmt: skip


_ORDERS = (("u_x", "u_xx"), ("u_xx", "u_xxx"), ("u_xxx", "u_xxxx"), ("u_xx", "u_xxxx"))
"""Lower and higher order."""


def _order_cells(profile: Profile) -> tuple[Scope, ...]:
    runs: list[tuple[str, str, str, str, str, tuple[tuple[str, str], ...]]]
    if profile == "full":
        runs = [("rfm", s, "svd", h, a, _ORDERS) for s in ("tanh", "sin") for h in STEPS for a in ARITHMETICS]
        runs += [
            ("two-layer", "tanh", r, "1/100", a, _ORDERS[3:]) for r in ("gd", "adam", "lbfgs") for a in ARITHMETICS
        ]
    else:
        runs = [
            ("rfm", "tanh", "svd", "1/100", "float32", _ORDERS),
            ("rfm", "tanh", "svd", "1/100", "float64", _ORDERS[3:]),
            ("two-layer", "tanh", "adam", "1/100", "float32", _ORDERS[3:]),
        ]
    return tuple(
        {"model": model, "activation": activation, "optimiser": optimiser, "step": step, "size": _SIZE[model],
         "from": lower, "operator": higher, "arithmetic": arithmetic, "outcome": outcome}
        for outcome in OUTCOMES
        for model, activation, optimiser, step, arithmetic, orders in runs
        for lower, higher in orders
    )  # fmt: skip


_DEPTHS = (("2", "3"), ("3", "4"), ("4", "5"), ("2", "5"))
"""Affine maps of the perceptrons that are compared."""


def _depth_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": "perceptron", "optimiser": "adam", "step": step, "operator": "u_xx", "arithmetic": arithmetic,
         "size": f"width {SIZES['perceptron', profile].count}", "from": shallow, "depth": deep, "outcome": outcome}
        for step in (("1/4096",) if profile == "quick" else ("1/100", "1/4096"))
        for arithmetic in (("float32",) if profile == "quick" else ("float32", "float64"))
        for outcome in OUTCOMES
        for shallow, deep in _DEPTHS
    )  # fmt: skip


# The explanation of S7: the floor is u h^-m.

_FLOOR_STEPS = {
    ("rfm", "u_xx"): range(6, 11),
    ("rfm", "u_xxxx"): range(4, 8),
    ("two-layer", "u_xx"): range(11, 14),
    ("two-layer", "u_xxxx"): range(6, 9),
}
"""−log2 h, where round-off exceeds what autodiff leaves, and does not yet exceed the data."""
FLOOR_SEEDS = 40


def _floor_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": model, "optimiser": "svd" if model == "rfm" else "adam", "step": "1/100", "operator": operator,
         "arithmetic": "float32"}
        for model, operator in _FLOOR_STEPS
        if profile == "full" or (model, operator) == ("two-layer", "u_xxxx")
    )  # fmt: skip


_DECIDED = (
    "By Student's interval of the mean, at 95 % for all cells at once: it holds where the whole interval is an advantage "
    f"of AD (and most seeds agree, Wilcoxon's p < {LEVEL:g}), is reversed where it is one of FD of the same size, is "
    "mixed (a tie) where it lies within the margin on either side, and is open otherwise, also where more than one seed "
    "in twenty diverged."
)
_OUTCOMES = (
    "Outcome: the norm of the residual that was minimised; that of the differential equation itself, by AD in float64; "
    "or the solution error. "
)
_CLEAR = {"model": "rfm", "activation": "tanh", "optimiser": "svd", "operator": "u_xxxx", "size": "n=128",
          "arithmetic": "float32", "step": "1/100", "outcome": "equation residual"}  # fmt: skip
_CLEAR_GROWTH = {**_CLEAR, "from": "u_xx"}
_CLEAR_DEPTH = cell(_depth_cells("quick"), outcome="residual", **{"from": "2"}, depth="5")
_FLOOR = cell(_floor_cells("quick"), model="two-layer", operator="u_xxxx")

_sampled: dict[str, Any] = {
    "family": "source", "kind": "sampled", "instances": instances, "describe": Study.describe, "search": search,
    "judges": ("numerics.training.from_problem.model",),
}  # fmt: skip


@stated(
    "S6.ad-outperforms",
    title="AD outperforms FD in training",
    source="S6",
    predicate=r"The mean over seeds of $\log(\mathrm{outcome}_{AD}/\mathrm{outcome}_{FD})$ is at most $-\log 1.1$ "
    "(so a tie is no advantage). " + _OUTCOMES + _DECIDED,
    scopes=_paired_cells,
    requests=lambda study, scope: tables(study),
    measure=_told,
    mutants=(
        wrong("exchanged", "FD outperforms AD", "sign", _CLEAR, flip=True),
        wrong("any-arithmetic", "AD in float32 outperforms FD in float64", "assumption",
              _CLEAR | {"operator": "u_xx", "outcome": "residual"}, any_arithmetic=True),
    ),
    **_sampled,
)  # fmt: skip
def ad_outperforms(study: Study, scope: Scope, flip: bool = False, any_arithmetic: bool = False) -> Outcome:
    """From a training perspective AD outperforms FD."""
    if any_arithmetic:
        single, double = (replace(study, arithmetic=arithmetic) for arithmetic in ("float32", "float64"))
        return _compared(_log_ratio(single, double, scope["outcome"]), MARGIN, "mean log(AD/FD)")
    ratios = _log_ratio(study, study, scope["outcome"], flip)
    found = _compared(ratios, MARGIN, "mean log(AD/FD)", len(_paired_cells(study.profile)))
    return _with_mechanism(found, study, scope)


@stated(
    "S7.grows-with-order",
    title="The advantage grows with the order of the equation",
    source="S7",
    predicate=r"The mean over seeds of $\log(\mathrm{outcome}_{AD}/\mathrm{outcome}_{FD})$ for the cell's operator "
    r"less that for the operator of lower order is at most $-\log 1.1$. " + _OUTCOMES + _DECIDED,
    scopes=_order_cells,
    requests=_both_tables,
    measure=_told,
    mutants=(
        wrong("falls", "it falls with the order", "order", _CLEAR_GROWTH, falls=True),
        wrong("advantage-of-fd", "the advantage of FD over AD grows", "sign", _CLEAR_GROWTH, flip=True),
    ),
    **_sampled,
)
def grows_with_order(study: Study, scope: Scope, falls: bool = False, flip: bool = False) -> Outcome:
    """The advantage of AD over FD grows with the order of the equation (checked: from $u'$ to $u''''$)."""
    return _growth(study, scope, len(_order_cells(study.profile)), falls, flip)


@stated(
    "S7.grows-with-depth",
    title="The advantage grows with depth",
    source="S7",
    predicate=r"The mean over seeds of $\log(\mathrm{outcome}_{AD}/\mathrm{outcome}_{FD})$ at the cell's depth less "
    r"that at the smaller depth is at most $-\log 1.1$. " + _OUTCOMES + _DECIDED,
    scopes=_depth_cells,
    requests=_both_tables,
    measure=_told,
    mutants=(
        wrong("falls", "it falls with the depth", "order", _CLEAR_DEPTH, falls=True),
        wrong("advantage-of-fd", "the advantage of FD over AD grows", "sign", _CLEAR_DEPTH, flip=True),
    ),
    **_sampled,
)
def grows_with_depth(study: Study, scope: Scope, falls: bool = False, flip: bool = False) -> Outcome:
    """The advantage of AD over FD grows with the depth of the network."""
    return _growth(study, scope, len(_depth_cells(study.profile)), falls, flip)


@stated(
    "S7.floor-explains",
    title="What training by differences leaves grows like the floor",
    source="ours",
    predicate=r"Slope in $\log h$ of the geometric mean over seeds of the residual that was minimised, in float32 "
    r"by differences, within 1/4 of $-m$, over three to five steps $h = 2^{-k}$ at each of which it is at least "
    f"1.5 times what AD leaves. Decided by its bootstrap interval at {CONFIDENCE:.0%}.",
    scopes=_floor_cells,
    derivation=(
        Step(r"rounding errors of size $u|u(x)|$ at the nodes become $u\sqrt{\sum c_k^2}\,|u(x)|h^{-m}$",
             "the difference divides by $h^m$"),
    ),
    mutants=(
        wrong("independent-of-order", "the residual is proportional to 1/h whatever the order", "exponent", _FLOOR,
              expected=lambda m: -1),
        wrong("one-more", "the residual is proportional to h to the −(m + 1)", "order", _FLOOR, expected=lambda m: -m - 1),
    ),
    **_sampled,
)  # fmt: skip
def floor_explains(study: Study, scope: Scope, expected: Callable[[int], int] = neg) -> Outcome:
    r"""Where the round-off of differences dominates, in float32, the residual that training leaves is proportional to
    $h^{-m}$ for $\partial^m$, $m = 2, 4$: why the advantage would grow with the order (how it depends on $u$, and that this is
    why, is not judged here)."""
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


CLAIMS = (ad_outperforms, grows_with_order, grows_with_depth, floor_explains)
"""S6 and S7."""
