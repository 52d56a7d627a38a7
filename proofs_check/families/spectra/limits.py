"""Why the entropy of AD is the larger one: the gap in the limit of many features, and what a finite number hides."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from numerics.entropy.compare import compare_entropies, difference
from numerics.entropy.limit import limit_entropies, limit_spectrum
from numerics.matrices.assemble import float_matrix
from numerics.problem.problem import Problem
from numerics.spectra.spectrum import floating_singular_values
from proofs_check.claims.claim import TYPICAL, Profile, Scope, instead, stated, wrong
from proofs_check.claims.comparisons import problem
from proofs_check.claims.verdicts import Outcome
from theory.entropy.conventions import Convention
from theory.entropy.entropy import truncated_entropy
from theory.features.laws import Discrete, Law, Normal

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LAWS: dict[str, Law] = {
    "w~N(0,1)": Normal(Fraction(0), Fraction(1)),
    "w in {1,2,3}": Discrete((Fraction(1), Fraction(2), Fraction(3))),
}
"""An unbounded law, and one of bounded support."""
NEAR = Fraction(1, 10)
ENERGY = Convention("energy", Fraction(1, 10**6))
STEP = Fraction(1, 100)


def _infinite(activation: str, law: str, points: int) -> Problem:
    return problem(activation, size=points, step=STEP).with_(weights=LAWS[law])


def _kernel_scopes(profile: Profile) -> tuple[Scope, ...]:
    cells = [("sin", "w~N(0,1)"), ("sin", "w in {1,2,3}")]
    if profile == "full":
        cells += [("gaussian", "w~N(0,1)"), ("erf", "w~N(0,1)")]
    return tuple(
        {"activation": activation, "law": law, "power": power} for activation, law in cells for power in ("1", "2")
    )


def _kernel_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for points in (12,) if profile == "quick" else (16, 32, 64):
        yield _infinite(scope["activation"], scope["law"], points)


_RULE = {"1": Convention("relative", Fraction(1, 10**7)), "2": Convention("relative", Fraction(1, 10**7), power=2)}


@lru_cache(maxsize=64)
def _kernel_gaps(instance: Problem) -> dict[str, tuple[Fraction, Fraction] | None]:
    """By power: bounds of (H_FD / H_AD − 1) / h², proven for infinitely many features on the grid."""
    found: dict[str, tuple[Fraction, Fraction] | None] = {}
    for power, (ad, fd) in zip(_RULE, limit_entropies(instance, list(_RULE.values())), strict=True):
        gap = difference(ad, fd)
        if gap is None or ad.value is None or ad.value.lower <= 0:
            found[power] = None
            continue
        ends = [g / (a * instance.h**2) for g in (gap.lower, gap.upper) for a in (ad.value.lower, ad.value.upper)]
        found[power] = min(ends), max(ends)
    return found


@lru_cache(maxsize=16)
def _limit(activation: str, law: str, power: str) -> float:
    return limit_spectrum(_infinite(activation, law, 8)).gap(int(power)).relative  # type: ignore[arg-type]


# --- draws of n features: truncation, not rounding --------------------------------------------------------------------


def _draw_scopes(profile: Profile) -> tuple[Scope, ...]:
    return ({"activation": "tanh", "larger": "AD"}, {"activation": "sin", "larger": "FD"})


def _draw_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    size, count = (48, 1) if profile == "quick" else (100, 20)
    for seed in range(count):
        yield problem(scope["activation"], seed=seed, size=size, step=STEP)


# --- many features ----------------------------------------------------------------------------------------------------


def _many_instances(scope: Scope, profile: Profile, count: int | None = None) -> Iterator[Problem]:
    for seed in range(29 if profile == "quick" else 60):
        yield problem("sin", seed=seed, size=16, step=STEP).with_(count=count or int(scope["features"]))


def _many_space(scope: Scope) -> SearchStrategy[Problem]:
    from proofs_check.search import spaces

    return spaces.seeded(lambda seed: problem("sin", seed=10**6 + seed, size=16, step=STEP).with_(count=MANY["quick"]))


MANY: dict[Profile, int] = {"quick": 1600, "full": 3200}
"""Features, by profile."""


@stated(
    "limit.entropy-gap",
    title="The entropy gap of infinitely many features is a covariance of the limit operator",
    family="limits",
    source="ours",
    predicate=r"$N$ points (12; full: 16, 32, 64), infinitely many features, $h = 1/100$, relative rule "
    r"$10^{-7}$: the enclosure of $(H_{FD}/H_{AD} - 1)/h^2$, from proven eigenvalues of $K_{AD}$ and $K_{FD}$, lies "
    r"within 10 % of the number, of the same sign, that quadrature in float64 gives for the covariance "
    r"($N \to \infty$, $h \to 0$); that number itself is not proven.",
    kind="sampled",
    scopes=_kernel_scopes,
    instances=_kernel_instances,
    judges=(limit_spectrum, limit_entropies),
    mutants=(
        wrong("sign", "FD has the larger entropy", "sign", factor=-1.0),
        wrong("one-sixth", "1/6 in place of 1/12", "constant", factor=2.0),
        wrong("first-order", "a gap of order h", "exponent", factor=100.0),
    ),
)  # fmt: skip
def entropy_gap(instance: Problem, scope: Scope, factor: float = 1.0) -> Outcome:
    r"""With infinitely many features, at $h = 1/100$ on 12 points (full: 16, 32 and 64), $(H_{FD}/H_{AD} - 1)/h^2$ is
    within 10 % of $-q\,\mathrm{Cov}_p(f, \log p)/H$ of the limit operator, $f_k$ the derivative of $\log\sigma_k$ in
    $h^2$, as quadrature in float64 gives it: negative for sin with normal weights (full: erf and the Gaussian bump
    too), positive for sin with weights 1, 2, 3.
    """
    # The proven relative gap over h² against ``factor`` times the covariance in the limit operator.
    bounds = _kernel_gaps(instance)[scope["power"]]
    limit = Fraction(factor * _limit(scope["activation"], scope["law"], scope["power"]))
    points = instance.interior[0]
    if bounds is None:
        return Outcome(None, f"an entropy is undefined on {points} points")
    low, high = bounds
    furthest = max(abs(low - limit), abs(high - limit))
    nearest = max(low - limit, limit - high, Fraction(0))
    holds = True if furthest <= NEAR * abs(limit) else False if nearest > NEAR * abs(limit) else None
    return Outcome(
        holds,
        f"(H_FD/H_AD - 1)/h^2 in [{float(low):.8f}, {float(high):.8f}] on {points} points, limit {float(limit):.6f}",
        margin=float(NEAR - furthest / abs(limit)),
    )


@stated(
    "limit.truncation-not-rounding",
    title="In these draws the gap in float64 is that of the exact matrices",
    family="limits",
    source="ours",
    predicate=r"$w, b \sim N(0, 1)$, $h = 1/100$, $n = 48$ (full: 100), the draws of the seeds listed, energy rule "
    r"$10^{-6}$: the exact gap has the sign named by the cell, proven, and the gap in float64 differs from it by at "
    r"most 1 % of it.",
    kind="sampled",
    scopes=_draw_scopes,
    instances=_draw_instances,
    judges=(compare_entropies, truncated_entropy),
    mutants=(
        wrong("reversed", "the exact gap has the other sign", "sign", reverse=True),
        wrong("twelve-digits", "float64 agrees to twelve digits of the gap", "constant", tolerance=1e-12),
        wrong("float32", "rounding plays no part in float32 either", "assumption", arithmetic="float32"),
    ),
)  # fmt: skip
def truncation_not_rounding(
    instance: Problem, scope: Scope, tolerance: float = 0.01, arithmetic: str = "float64", reverse: bool = False
) -> Outcome:
    """In the draw of seed 0 at $n = 48$ (full: 20 draws at $n = 100$) the gap of tanh (AD has more) and of sin (FD has
    more) in float64 is truncation: the exact matrices have it too, to 1 % of it.
    """
    proven = compare_entropies(instance, ENERGY)
    ad, fd = (
        truncated_entropy(floating_singular_values(float_matrix(instance, m, arithmetic)), ENERGY).value
        for m in ("ad", "fd")
    )
    if proven.gap is None or proven.sign is None or proven.ad.value is None or ad is None or fd is None:
        return Outcome(None, "undecided")
    gap = float(proven.gap.middle)
    rounding = abs(float(fd - ad) / gap - 1)
    sign = {"AD": -1, "FD": 1}[scope["larger"]] * (-1 if reverse else 1)
    return Outcome(
        proven.sign == sign and rounding <= tolerance,
        f"exact relative gap {gap / float(proven.ad.value.middle):.3e}; {arithmetic} differs from it by "
        f"{rounding:.1e} of itself, n = {instance.count}",
        margin=tolerance - rounding,
        certified=proven.sign != sign,
    )


@stated(
    "limit.many-sines",
    title="With many features AD has the larger entropy for sin too",
    family="limits",
    source="ours",
    predicate=rf"sin, $w, b \sim N(0, 1)$, $N = 16$ points, $M = {MANY['quick']}$ features "
    rf"(full: {MANY['full']}), $h = 1/100$, float64, energy rule "
    r"$10^{-6}$, for at least 9 in 10 draws (95 % confidence): $H(A_{AD}) \ge H(A_{FD})$.",
    kind="sampled",
    scopes=lambda profile: ({"activation": "sin", "features": str(MANY[profile])},),
    instances=_many_instances,
    quantifier=TYPICAL,
    search=_many_space,
    statement=f"With many sine features ($M = {MANY['quick']}$; full: {MANY['full']}; at 16 points, $w, b \\sim N(0, 1)$, $h = 1/100$, energy rule $10^{{-6}}$, float64) AD has at least the entropy of FD in at "
    "least 9 of 10 draws; with few (64: a mutant) it has not.",
    judges=(truncated_entropy, float_matrix),
    mutants=(
        instead("few-features", "with 64 features", "assumption", instances=partial(_many_instances, count=64)),
        wrong("an-effect", "AD has at least one per cent more", "constant", least=0.01),
    ),
)  # fmt: skip
def many_sines(instance: Problem, scope: Scope, least: float = 0.0) -> Outcome:
    ad, fd = (
        truncated_entropy(floating_singular_values(float_matrix(instance, m, "float64")), ENERGY).value
        for m in ("ad", "fd")
    )
    if ad is None or fd is None:
        return Outcome(None, "undefined")
    relative = float(fd / ad - 1)
    return Outcome(-relative >= least, f"relative gap {relative:.2e} with {instance.count} features", margin=-relative)


CLAIMS = (entropy_gap, truncation_not_rounding, many_sines)
