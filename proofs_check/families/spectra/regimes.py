"""Where in step, weight scale and arithmetic the source's statements S2 and S3 hold, and what predicts it.

Neither statement is universal. The round-off floor of :mod:`numerics.differences.floor` predicts where S2 holds, the covariance law
of :mod:`theory.entropy.entropy` together with that floor predicts where S3 holds; both from A_AD alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from numerics.differences import model as advice_floor
from numerics.differences.floor import predicted_floor
from numerics.differences.model import leading_terms, values
from numerics.entropy.compare import entropy_enclosure
from numerics.matrices.assemble import float_matrix
from numerics.problem.drawn import features
from numerics.problem.problem import Problem
from numerics.spectra.spectrum import floating_singular_values, spectrum
from proofs_check.claims.claim import TYPICAL, Assumption, Profile, Request, Scope, stated, wrong
from proofs_check.claims.comparisons import ACTIVATIONS, both_spectra, problem, seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.sources.source import entropies_ordered, small_larger
from theory.entropy.conventions import Convention
from theory.entropy.entropy import cutoff, entropy_gap_coefficient
from theory.features.laws import Normal

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SCALES = (1, 2, 4, 8, 16)
"""Standard deviations of the weights."""
STEPS = {
    "quick": tuple(Fraction(1, n) for n in (1000, 100, 30, 10)),
    "full": tuple(Fraction(1, n) for n in (3000, 1000, 300, 100, 30, 10)),
}
SIZE = 24
BAND = 2
"""S2 is predicted only where the knee is at least this many indices away from n/2."""


def grid(activation: str, profile: Profile) -> Iterator[Problem]:
    """The map's problems: every weight scale with every step, a few draws each."""
    for scale in SCALES:
        for step in STEPS[profile]:
            for seed in seeds(profile, 2, 8):
                yield problem(activation, seed=seed, size=SIZE, scale=scale, step=step)


def _instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    yield from grid(scope["activation"], profile)


def _cells(profile: Profile) -> tuple[Scope, ...]:
    activations = ("tanh",) if profile == "quick" else ACTIVATIONS
    return tuple(
        {"arithmetic": arithmetic, "activation": activation}
        for activation in activations
        for arithmetic in ("exact", "float64", "float32")
    )


def _requests(instance: Problem, scope: Scope) -> tuple[Request, ...]:
    return both_spectra(instance, scope["arithmetic"])  # type: ignore[arg-type]


def _space(scope: Scope) -> SearchStrategy[Problem]:
    """Draws by their seed, in the middle of the map: the laws are about many random features."""
    from proofs_check.search import spaces as search_spaces

    return search_spaces.seeded(
        lambda seed: problem(scope["activation"], seed=seed, size=SIZE, scale=2, step=Fraction(1, 100))
    )


def _scale(instance: Problem) -> Fraction:
    """The weights' standard deviation; of weights written out, as a search draws them, their root mean square."""
    if isinstance(instance.weights, Normal):
        return Fraction(instance.weights.std)
    drawn = [float(w) for vector in features(instance).weights for w in vector]
    return Fraction(math.hypot(*drawn) / math.sqrt(len(drawn)))


@lru_cache(maxsize=4096)
def knee(instance: Problem, arithmetic: str) -> int:
    """Index of the first singular value under the round-off floor of A_FD; n in exact arithmetic, which has none."""
    if arithmetic == "exact":
        return min(SIZE, instance.count)
    return predicted_floor(instance, arithmetic, _spectrum(instance).tolist()).knee


@lru_cache(maxsize=64)
def _spectrum(instance: Problem) -> Any:
    return floating_singular_values(float_matrix(instance, "ad", "float64"))


@lru_cache(maxsize=4096)
def predicted_gap(instance: Problem, arithmetic: str) -> float | None:
    """H_FD − H_AD predicted from A_AD: the covariance law in exact arithmetic, with the floor in floating point."""
    given = values(instance)
    if arithmetic != "exact":
        return advice_floor.predicted_gap(given, arithmetic)  # type: ignore[arg-type]
    A = float_matrix(instance, "ad", "float64")
    U, s, V = np.linalg.svd(A)
    leading, smooth = leading_terms(given, instance.stencil)
    if not smooth:
        return None
    power = min(leading)
    rates = np.einsum("ik,ij,kj->k", U[: len(leading[power])], leading[power], V)
    r = cutoff(s.tolist(), instance.convention)
    coefficient = entropy_gap_coefficient(s.tolist(), rates.tolist(), r, instance.convention.power)
    return float(coefficient) * float(instance.h) ** power


def _agreement(instance: Problem, found: Outcome, expected: bool | None) -> Outcome:
    """Whether a statement holds just where it is predicted to."""
    where = f"weights of scale {_scale(instance)}, h = {instance.h}"
    if found.holds is None or expected is None:
        return Outcome(None, f"undecided: {found.detail}; {where}")
    return Outcome(
        found.holds == expected,
        f"{'holds' if found.holds else 'fails'}, predicted to {'hold' if expected else 'fail'}: {found.detail}; {where}",
        certified=False,
    )


@dataclass(frozen=True)
class MapPoint:
    """One point of a regime map.

    Attributes:
        scale: standard deviation of the weights.
        step: h.
        draws: of the features.
        small_larger: in how many of them S2 holds (every small singular value), …
        small_predicted: … and is predicted to.
        entropy_order: in how many of them S3 holds (the default convention), …
        entropy_predicted: … and is predicted to.
    """

    scale: int
    step: Fraction
    draws: int
    small_larger: int
    small_predicted: int
    entropy_order: int
    entropy_predicted: int


def regime_map(activation: str, arithmetic: str, profile: Profile) -> list[MapPoint]:
    """The whole map in one arithmetic; its spectra come out of the store where claims have read them."""
    scope = {"arithmetic": arithmetic, "activation": activation, "convention": Convention().label}
    points: dict[tuple[int, Fraction], list[list[bool]]] = {}
    for instance in grid(activation, profile):
        gap = predicted_gap(instance, arithmetic)
        found = [_S2(instance, scope).holds is True, knee(instance, arithmetic) <= SIZE // 2,
                 _S3(instance, scope).holds is True, gap is not None and gap <= 0]  # fmt: skip
        points.setdefault((int(_scale(instance)), instance.h), []).append(found)
    return [
        MapPoint(scale, step, len(rows), *(sum(column) for column in zip(*rows, strict=True)))
        for (scale, step), rows in points.items()
    ]


_S2 = small_larger("every")


def _S3(instance: Problem, scope: Scope) -> Outcome:
    """S3 under the default convention; the others, which the claims of the source read, are not computed."""
    ad, fd = (
        entropy_enclosure(spectrum(instance, method, scope["arithmetic"]).values, Convention())
        for method in ("ad", "fd")
    )
    return entropies_ordered(ad, fd, Fraction(0))


_AWAY = Assumption(
    rf"the knee is at least {BAND} indices away from $n/2$",
    lambda instance: all(abs(knee(instance, a) - SIZE // 2) >= BAND for a in ("float64", "float32")),
)
_RESOLVED = Assumption(
    r"the step resolves the features: $s h \le 1/2$ for weights of standard deviation $s$",
    lambda instance: _scale(instance) * instance.h <= Fraction(1, 2),
)
_MAP = "Over weight scales 1 to 16 and steps 1/1000 to 1/10 (full: from 1/3000), N = M = 24, for at least 9 in 10 problems (95 % confidence)"
_TANH32 = {"arithmetic": "float32", "activation": "tanh"}
_TANH_EXACT = {"arithmetic": "exact", "activation": "tanh"}


@stated(
    "regimes.small-values",
    title="S2 holds where the round-off floor reaches, and nowhere else",
    source="ours",
    predicate=_MAP + r": $\sigma_k(A_{FD}) > \sigma_k(A_{AD})$ for every $k > n/2$ if and only if the predicted "
    r"knee (the first exact AD singular value under $\tau(\sqrt N + \sqrt M)$) is at most $n/2$.",
    kind="sampled",
    scopes=_cells,
    instances=_instances,
    assumptions=(_AWAY,),
    quantifier=TYPICAL,
    requests=_requests,
    search=_space,
    judges=(predicted_floor,),
    mutants=(
        wrong("reversed", "it holds just where the knee is beyond n/2", "sign", _TANH32, reverse=True),
        wrong("everywhere", "it holds in float32 wherever the knee is", "assumption", _TANH32, shift=SIZE),
    ),
)
def small_values(instance: Problem, scope: Scope, shift: int = 0, reverse: bool = False) -> Outcome:
    r"""In at least 9 of 10 problems of the map whose predicted knee is at least two indices away from $n/2$, every small
    singular value of $A_{FD}$ ($k > n/2$) is larger than that of $A_{AD}$ just where the knee says that all of them lie under the
    round-off floor of $A_{FD}$; in exact arithmetic, which has no floor, nowhere."""
    behind = knee(instance, scope["arithmetic"]) <= SIZE // 2 + shift
    return _agreement(instance, _S2(instance, scope), behind != reverse)


@stated(
    "regimes.entropy-order",
    title="S3 holds where the covariance law and the round-off floor say so",
    statement=r"In at least 9 of 10 problems of the map with $s h \le 1/2$, $s$ the scale of the weights, the sign of $H_{FD} - H_{AD}$, under the default convention (" + Convention().label + r"), is that of its prediction from $A_{AD}$ alone: the covariance law in "
    "exact arithmetic, the leading truncation term above the knee and noise behind it in floating point.",
    source="ours",
    predicate=_MAP + r": $H(A_{AD}) \ge H(A_{FD})$ under the default convention if and only if the predicted gap "
    r"is at most 0.",
    kind="sampled",
    scopes=_cells,
    instances=_instances,
    assumptions=(_RESOLVED,),
    quantifier=TYPICAL,
    requests=_requests,
    search=_space,
    judges=(entropy_gap_coefficient, advice_floor.predicted_gap),
    mutants=(
        wrong("reversed", "the covariance has the other sign", "sign", _TANH_EXACT, reverse=True),
        wrong("without-floor", "the covariance law alone, in float32", "assumption", _TANH32, floor=False),
    ),
)  # fmt: skip
def entropy_order(instance: Problem, scope: Scope, floor: bool = True, reverse: bool = False) -> Outcome:
    """S3 holds just where the predicted gap is at most 0."""
    gap = predicted_gap(instance, scope["arithmetic"] if floor else "exact")
    return _agreement(instance, _S3(instance, scope), None if gap is None else (gap <= 0) != reverse)


CLAIMS = (small_values, entropy_order)
"""Where S2 and S3 hold."""
