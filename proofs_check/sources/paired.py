"""S4 and S5 read in pairs (C. Chen, Y. Yang, Y. Xiang, W. Hao, arXiv:2405.14099; the reading is ours): AD against FD in
the same draw. Does the method with the larger truncated entropy leave the smaller residual (S4), train faster (S5)?

An instance is one draw of the features, or of the start of a network, met by both methods; a cell asks in which share
of the draws the statement is true. Predicates are ours. Two signs are compared, whatever their size: the medians of
the relative gap of the entropies and of the ratio of the outcomes stand beside the share.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from numerics.entropy.compare import truncated_entropies
from numerics.problem.problem import METHODS
from proofs_check.claims.claim import SHARE, Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import by_seed
from proofs_check.claims.verdicts import Outcome
from proofs_check.sources.decisions import TIE_IN_SIZE
from proofs_check.sources.samples import TIE
from proofs_check.sources.tables import Moment, Table, outcomes, predictors, tables
from proofs_check.sources.trained import judged
from proofs_check.sources.training_samples import (
    ARITHMETICS,
    DESCENDED,
    OUTCOMES,
    OWN,
    SOLVED,
    STEPS,
    Study,
    solver_of,
    study_of,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Draw:
    """One member of a sample, met by AD and by FD."""

    study: Study
    seed: int

    def describe(self) -> dict[str, Any]:
        """JSON types, from which it can be drawn again."""
        return replace(self.study, first=self.seed, members=1).describe()


def draws(scope: Scope, profile: Profile) -> Iterator[Draw]:
    """Independent draws of one setting."""
    study = study_of(scope, profile)
    for seed in study.seeds:
        yield Draw(study, seed)


def _search(scope: Scope) -> SearchStrategy[Draw]:
    """Other draws, by their seed."""
    study = study_of(scope, "quick")
    return by_seed(lambda seed: Draw(replace(study, first=seed, members=1), seed))


def _requests(draw: Draw, scope: Scope) -> tuple[Table, ...]:
    """Both tables, with the first draw of them all."""
    return tables(draw.study) if draw.seed == draw.study.first else ()


@lru_cache(maxsize=256)
def _numbers(
    study: Study, convention: str, moment: Moment, outcome: str, solver: str
) -> tuple[tuple[float | None, ...], ...]:
    """Of every draw the entropies by AD and FD and the outcomes by AD and FD; infinite for a run that diverged."""
    entropies = [predictors(study, m, moment)[convention] for m in METHODS]
    left = [outcomes(study, m, solver)[outcome] for m in METHODS]
    if study.model != "rfm":
        left = [tuple(math.inf if v is None else v for v in column) for column in left]
    return tuple(zip(*entropies, *left, strict=True))


def _paired(draw: Draw, scope: Scope, factor: float, sign: int) -> Outcome:
    """Whether the method with the larger entropy has the smaller outcome, by the ``factor`` at least."""
    moment = cast(Moment, scope.get("moment", "start"))
    solver = solver_of(scope) if "solver" in scope else ""
    numbers = _numbers(draw.study, scope["convention"], moment, scope["outcome"], solver)
    h_ad, h_fd, ad, fd = numbers[draw.seed - draw.study.first]
    if h_ad is None or h_fd is None or ad is None or fd is None:
        return Outcome(None, "an entropy or an outcome does not exist")
    if abs(h_ad - h_fd) <= TIE * max(abs(h_ad), abs(h_fd)) or ad == fd:
        return Outcome(None, "equal: neither method is ahead")
    ahead, behind = (ad, fd) if sign * h_ad > sign * h_fd else (fd, ad)
    return Outcome(
        factor * ahead < behind,
        f"H: AD {h_ad:.6g}, FD {h_fd:.6g}; {scope['outcome']}: AD {ad:.3g}, FD {fd:.3g}",
        data={
            "gap": (h_ad - h_fd) / max(abs(h_ad), abs(h_fd)),
            "log_ratio": math.log(ad / fd) if 0 < min(ad, fd) and max(ad, fd) < math.inf else None,
            "ad_smaller": ad < fd,
        },
    )


def sizes_of_effects(found: Sequence[Outcome]) -> tuple[str, dict[str, Any]]:
    """The two signs apart, and their sizes, over the draws of a cell: in words, and as ``numbers``."""
    data = [o.data for o in found if "gap" in o.data]
    gaps = [d["gap"] for d in data]
    ratios = [d["log_ratio"] for d in data if d["log_ratio"] is not None]
    if not data:
        return "", {}
    numbers = {
        "n": len(data),
        "entropy_of_ad_larger": sum(gap > 0 for gap in gaps),
        "outcome_of_ad_smaller": sum(d["ad_smaller"] for d in data),
        "median_relative_gap": statistics.median(gaps),
        "range_of_gap": [min(gaps), max(gaps)],
        "median_ratio": math.exp(statistics.median(ratios)) if ratios else None,
        "entropies_tie_in_size": abs(statistics.median(gaps)) < TIE_IN_SIZE,
        "outcomes_tie_in_size": bool(ratios) and abs(statistics.median(ratios)) < TIE_IN_SIZE,
    }
    ratio = "" if numbers["median_ratio"] is None else f", median ratio AD/FD {numbers['median_ratio']:.3g}"
    words = (
        f"; H larger by AD in {numbers['entropy_of_ad_larger']}, median relative gap {numbers['median_relative_gap']:+.1e}"
        f"{' (a tie in size)' if numbers['entropies_tie_in_size'] else ''}; outcome smaller by AD in "
        f"{numbers['outcome_of_ad_smaller']}{ratio}{' (a tie in size)' if numbers['outcomes_tie_in_size'] else ''}"
    )
    spread = {"median": numbers["median_relative_gap"], "low": min(gaps), "high": max(gaps)}
    return words, {"numbers": numbers, "relative_gap": spread, "mechanism": _mechanism(numbers)}


def _mechanism(numbers: Mapping[str, Any]) -> str:
    """Which method is ahead in the outcome, and which has more entropy, in nine of ten of the decided draws."""

    def side(name: str) -> str:
        share = numbers[name] / numbers["n"]
        return "AD" if share >= 0.9 else "FD" if share <= 0.1 else "neither"

    return f"{side('outcome_of_ad_smaller')} ahead, {side('entropy_of_ad_larger')} more entropy"


_Setting = tuple[str, str, str, str]
"""Activation, law of the weights, operator, step."""


def _loss_settings(profile: Profile) -> list[tuple[_Setting, tuple[str, ...]]]:
    """With the sizes."""
    standard = "N(0, 1)"
    if profile == "quick":
        return [((a, standard, o, h), ("n=128",)) for a, o, h in SOLVED]
    both = ("tanh", "sin")
    every = [(a, standard, o, h) for a in both for o in ("u_x", "u_xx", "u_xxx", "u_xxxx") for h in STEPS]
    every += [(a, standard, o, "1/100") for a in ("erf", "gaussian") for o in ("u_xx", "u_xxxx")]
    every += [(a, "N(0, 25)", "u_xx", h) for a in both for h in STEPS]
    sizes = ("n=24", "n=64", "n=128", "n=256")
    return [(s, sizes if s[0] in both and s[1:] == (standard, "u_xx", "1/100") else ("n=128",)) for s in every]


_MAIN = (("residual", "pseudo-inverse"), ("equation residual", "pseudo-inverse"))
"""What is judged in every setting of the full profile; the rest at the standard law and step."""


def _loss_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": "rfm", "optimiser": "svd", "activation": activation, "weights": weights, "operator": operator,
         "step": step, "size": size, "arithmetic": arithmetic, "outcome": outcome, "solver": solver,
         "convention": label}
        for label in judged()
        for outcome, solver in (*((o, "pseudo-inverse") for o in OUTCOMES), ("equation residual", OWN))
        for (activation, weights, operator, step), sizes in _loss_settings(profile)
        for size in sizes
        if (outcome, solver) in _MAIN or (weights, step) == ("N(0, 1)", "1/100") or profile == "quick"
        for arithmetic in ARITHMETICS
    )  # fmt: skip


def _speed_settings(profile: Profile) -> list[tuple[str, str, str, str, str]]:
    """Activation, optimiser, operator, step, arithmetic."""
    if profile == "full":
        return [(a, r, o, h, d) for a in ("tanh", "sin") for r in ("adam", "gd", "lbfgs") for o in ("u_xx", "u_xxxx")
                for h in STEPS[1:] for d in ARITHMETICS]  # fmt: skip
    return [("tanh", *rule) for rule in DESCENDED]


_SPEEDS = (("start", "loss"), ("middle", "later loss"))
"""When the kernel is taken, and what is compared: the last loss over the first, or over that in the middle."""


def _speed_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"model": "two-layer", "optimiser": optimiser, "activation": activation, "operator": operator, "step": step,
         "size": "width 100", "arithmetic": arithmetic, "moment": moment, "outcome": outcome, "convention": label}
        for label in judged()
        for moment, outcome in _SPEEDS
        for activation, optimiser, operator, step, arithmetic in _speed_settings(profile)
    )  # fmt: skip


_SHARE_OF = (
    " A draw in which the entropies or the outcomes are equal decides nothing. It holds where a share of at least 0.9 of "
    "the draws is shown, is reversed where at most 0.1 is shown, is mixed where both are excluded, and is open otherwise."
)
_NORMALISED = "energy τ=1e-6, power 1, normalised"
_S4_CLEAR: Scope = {
    "model": "rfm", "optimiser": "svd", "activation": "tanh", "weights": "N(0, 1)", "operator": "u_xx", "step": "1/100",
    "size": "n=128", "arithmetic": "float32", "outcome": "equation residual", "solver": "pseudo-inverse",
    "convention": _NORMALISED,
}  # fmt: skip
_S5_CLEAR: Scope = {
    "model": "two-layer", "optimiser": "adam", "activation": "tanh", "operator": "u_xx", "step": "1/1000",
    "size": "width 100", "arithmetic": "float32", "moment": "start", "outcome": "loss", "convention": _NORMALISED,
}  # fmt: skip

_sampled: dict[str, Any] = {
    "family": "source", "kind": "sampled", "instances": draws, "requests": _requests, "quantifier": SHARE,
    "measure": sizes_of_effects, "describe": Draw.describe, "search": _search, "judges": (truncated_entropies,),
}  # fmt: skip


@stated(
    "S4.paired",
    title="In the same draw, the method with the larger entropy leaves less",
    source="S4",
    predicate=r"$H_{AD} > H_{FD}$ and the outcome of AD is smaller, or both the other way round; the outcome: the "
    "residual of the system that is solved, that of the differential equation (by AD in float64), or the solution "
    "error, each of least squares with Dirichlet rows, by the pseudo-inverse or cut where the convention cuts."
    + _SHARE_OF,
    scopes=_loss_cells,
    mutants=(
        wrong("smaller-entropy", "the method with the smaller entropy leaves less", "sign", _S4_CLEAR, sign=-1),
        wrong("a-million", "it leaves less by a factor of a million", "constant", _S4_CLEAR, factor=1e6),
    ),
    **_sampled,
)
def leaves_less(draw: Draw, scope: Scope, factor: float = 1.0, sign: int = 1) -> Outcome:
    """Of AD and FD on the same random features, the method with the larger truncated entropy of A leaves
    the smaller residual (our reading of S4, in pairs)."""
    return _paired(draw, scope, factor, sign)


@stated(
    "S5.paired",
    title="From the same start, the method with the larger entropy trains faster",
    source="S5",
    predicate=r"$H_{AD} > H_{FD}$ and the loss of AD falls to a smaller fraction of its first value in the same "
    r"number of iterations, or both the other way round; $H$ of the eigenvalues of $G = JJ^T$, $J$ the Jacobian of "
    "the residual, at the start; or $H$ after half of the iterations, and the fall of the loss from there on. A run "
    "that diverges is slower than one that does not." + _SHARE_OF,
    scopes=_speed_cells,
    mutants=(
        wrong("smaller-entropy", "the method with the smaller entropy trains faster", "sign", _S5_CLEAR, sign=-1),
        wrong("a-thousand", "its loss is smaller by a factor of a thousand", "constant", _S5_CLEAR, factor=1e3),
    ),
    **_sampled,
)
def trains_faster(draw: Draw, scope: Scope, factor: float = 1.0, sign: int = 1) -> Outcome:
    """Of AD and FD from the same start of a two-layer network, the method with the larger truncated entropy
    of the gradient-descent kernel trains faster (our reading of S5, in pairs)."""
    return _paired(draw, scope, factor, sign)


CLAIMS = (leaves_less, trains_faster)
"""S4 and S5, AD against FD."""
