"""What the source paper states (C. Chen, Y. Yang, Y. Xiang, W. Hao, arXiv:2405.14099), judged cell by cell.

Only its abstract-level statements are in hand; the predicates, thresholds and quantifiers below are ours, one formal
predicate a statement, the same in every cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache, lru_cache
from itertools import repeat
from typing import TYPE_CHECKING

from numerics.enclosure import Enclosure
from numerics.entropies import EntropyEnclosure, difference, entropy_enclosures
from numerics.problem import Problem
from numerics.spectra import Spectrum, spectrum
from proofs_check.claim import TYPICAL, Claim, Mutant, Profile, Request, Scope
from proofs_check.claims.common import ACTIVATIONS, Decision, below, every, less, problem, some, witness
from proofs_check.verdicts import Outcome
from theory.entropy import Convention, standard_conventions

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SIZES = {"quick": 24, "full": 36}
"""N = M, by profile; in two dimensions the largest square below."""
DRAWS = {"quick": 29, "full": 46}
"""Draws of the features: the fewest that can support a share of 9 in 10 with no failure, and with one."""
OPERATORS = ("u_xx", "poisson 2-D", "u_xxxx")
"""In one dimension the last is the biharmonic operator."""
REGIMES = {
    "w~N(0,1) h=1/100": (1, Fraction(1, 100)),
    "w~N(0,25) h=1/100": (5, Fraction(1, 100)),
    "w~N(0,1) h=1/10": (1, Fraction(1, 10)),
}
"""Scale of the weights, and step."""
AGREEMENT = Fraction(1, 100)
"""S1: singular values agree when they differ by at most one per cent of AD's."""
FIXED_RANK = 8


@cache
def conventions() -> dict[str, Convention]:
    """The entropy conventions under which S3 is judged, by label."""
    return {c.label: c for c in standard_conventions(FIXED_RANK)}


@cache
def rules() -> dict[str, Convention]:
    """The cut-off rules by which S1 counts a singular value as large; the normalisation plays no part."""
    return {c.label: c for c in conventions().values() if not c.normalised and (c.power == 1 or c.rule == "energy")}


def _cells(profile: Profile) -> list[dict[str, str]]:
    quick = profile == "quick"
    return [
        {"arithmetic": arithmetic, "activation": activation, "operator": operator, "regime": regime}
        for regime in list(REGIMES)[: 1 if quick else None]
        for operator in OPERATORS
        for activation in (("tanh",) if quick and operator != "u_xx" else ACTIVATIONS)
        for arithmetic in ("exact", "float64", "float32")
    ]


def _by_convention(labels: dict[str, Convention], profile: Profile) -> tuple[Scope, ...]:
    return tuple(cell | {"convention": label} for cell in _cells(profile) for label in labels)


def _instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    scale, step = REGIMES[scope["regime"]]
    for seed in range(DRAWS[profile]):
        yield problem(
            scope["activation"], seed=seed, size=SIZES[profile], scale=scale, step=step, operator=scope["operator"]
        )


def _space(scope: Scope) -> SearchStrategy[Problem]:
    """Small explicit problems of the cell: activation, operator and step are its own, weights within 4 deviations."""
    from proofs_check import search_spaces

    scale, step = REGIMES[scope["regime"]]
    template = problem(scope["activation"], operator=scope["operator"])
    return search_spaces.like(template, bound=4 * scale, steps=(step,))


def _requests(instance: Problem, scope: Scope) -> Iterator[Request]:
    yield (instance, "ad", scope["arithmetic"])  # type: ignore[misc]
    yield (instance, "fd", scope["arithmetic"])  # type: ignore[misc]


def _pair(instance: Problem, scope: Scope) -> tuple[Spectrum, Spectrum]:
    arithmetic = scope["arithmetic"]
    return spectrum(instance, "ad", arithmetic), spectrum(instance, "fd", arithmetic)


def _certified(scope: Scope) -> bool:
    return scope["arithmetic"] == "exact"


def _leading_agree(tolerance: Fraction, *, all_values: bool = False) -> Check:
    def test(instance: Problem, scope: Scope) -> Outcome:
        ad, fd = _pair(instance, scope)
        rule = rules()[scope["convention"]]
        low, high = _entropy(instance, "ad", scope["arithmetic"], rule).cutoff
        if all_values:
            low = high = len(ad.values)
        holds = every(map(_close, ad.values[:low], fd.values[:low], repeat(tolerance)))
        further = every(map(_close, ad.values[low:high], fd.values[low:high], repeat(tolerance)))
        if holds.holds and not further.holds:
            holds = Decision.UNDECIDED  # the cut-off number itself is
        worst = max(map(_relative, ad.floats()[:low], fd.floats()[:low]), default=0.0)
        return Outcome(
            holds,
            f"largest relative difference among the {low} large singular values {worst:.2e}",
            margin=float(tolerance) - worst,
            certified=_certified(scope),
        )

    return test


def _close(a: Enclosure, f: Enclosure, tolerance: Fraction) -> Decision:
    """|σ(FD) − σ(AD)| ≤ tolerance · σ(AD)?"""
    furthest = max(abs(f.upper - a.lower), abs(f.lower - a.upper))
    apart = max(f.lower - a.upper, a.lower - f.upper, Fraction(0))
    return below(Enclosure(apart, furthest), _times(a, tolerance))


def _relative(a: float, f: float) -> float:
    """For the report alone."""
    return abs(f - a) / a if a else 0.0


Check = Callable[[Problem, Scope], Outcome]


def small_larger(quantify: str, *, exchanged: bool = False, also_large: bool = False, factor: int = 1) -> Check:
    """S2: σ_k(FD) > σ_k(AD) for every or some k > n/2; the other arguments make mutants."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        ad, fd = _pair(instance, scope)
        if exchanged:
            ad, fd = fd, ad
        n = len(ad.values)
        small = range(0 if also_large else n // 2, n)
        decisions = [less(_times(ad.values[k], factor), fd.values[k]) for k in small]
        holds = every(decisions) if quantify == "every" else some(decisions)
        larger = sum(1 for d in decisions if d.holds)
        return Outcome(
            holds,
            f"σ_k(FD) > σ_k(AD) for {larger} of the {len(decisions)} indices k > n/2",
            margin=larger / len(decisions),
            data={"larger": larger, "of": len(decisions)},
            certified=_certified(scope),
        )

    return test


def _times(value: Enclosure, factor: Fraction | int) -> Enclosure:
    return value if factor == 1 else Enclosure(value.lower * factor, value.upper * factor)


@lru_cache(maxsize=4096)
def _entropies(instance: Problem, method: str, arithmetic: str) -> dict[str, EntropyEnclosure]:
    """The entropies of one spectrum under every convention, by label."""
    values = spectrum(instance, method, arithmetic).values
    return dict(zip(conventions(), entropy_enclosures(values, list(conventions().values())), strict=True))


def _entropy(instance: Problem, method: str, arithmetic: str, convention: Convention) -> EntropyEnclosure:
    return _entropies(instance, method, arithmetic)[convention.label]


def entropy_order(excess: Fraction, *, exchanged: bool = False) -> Check:
    """S3: H_AD ≥ H_FD + excess under the scope's convention."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        convention = conventions()[scope["convention"]]
        ad, fd = (_entropy(instance, method, scope["arithmetic"], convention) for method in ("ad", "fd"))
        found = entropies_ordered(*((fd, ad) if exchanged else (ad, fd)), excess)
        return replace(found, certified=_certified(scope))

    return test


def entropies_ordered(ad: EntropyEnclosure, fd: EntropyEnclosure, excess: Fraction) -> Outcome:
    """H_AD ≥ H_FD + excess?"""
    gap = difference(ad, fd)
    if gap is None:
        return Outcome(None, ad.reason or fd.reason or "undefined")
    holds = below(gap, Enclosure.exact(-excess))
    detail = f"H_AD = {ad.middle():.6g}, H_FD = {fd.middle():.6g} (r = {_span(ad)}, {_span(fd)})"
    return Outcome(holds, detail, margin=-float(gap.middle))


def _span(found: EntropyEnclosure) -> str:
    low, high = found.cutoff
    return str(low) if low == high else f"{low}..{high}"


def _at(arithmetic: str, activation: str, convention: str | None = None) -> dict[str, str]:
    scope = {"arithmetic": arithmetic, "activation": activation, "operator": "u_xx", "regime": next(iter(REGIMES))}
    return scope | ({"convention": convention} if convention else {})


_DEFAULT = Convention().label
_DRAWS = "for at least 9 in 10 draws of the features (95 % confidence)"

CLAIMS = (
    Claim(
        id="S1.leading-agree",
        title="Large singular values agree",
        statement="The large singular values of $A_{AD}$ and $A_{FD}$ agree.",
        family="source",
        source="S1",
        predicate=r"With $r$ the effective cut-off number of $A_{AD}$ under the rule: "
        r"$|\sigma_k(A_{FD}) - \sigma_k(A_{AD})| \le \sigma_k(A_{AD})/100$ for every $k \le r$, " + _DRAWS + ".",
        kind="sampled",
        scopes=lambda profile: _by_convention(rules(), profile),
        instances=_instances,
        test=_leading_agree(AGREEMENT),
        quantifier=TYPICAL,
        requests=_requests,
        describe=witness,
        search=_space,
        mutants=(
            Mutant(
                "ten-digits",
                "agreement to 1e-10 instead of one per cent",
                "constant",
                lambda c: c.with_(test=_leading_agree(Fraction(1, 10**10))),
                _at("exact", "tanh", _DEFAULT),
            ),
            Mutant(
                "all-values",
                "all singular values agree, not the large ones alone",
                "assumption",
                lambda c: c.with_(test=_leading_agree(AGREEMENT, all_values=True)),
                _at("float64", "tanh", "energy τ=1e-6, power 1"),
            ),
        ),
    ),
    Claim(
        id="S2.every-small",
        title="Every small singular value of FD is larger",
        statement="The small singular values of $A_{FD}$ are larger than those of $A_{AD}$: every one of them.",
        family="source",
        source="S2",
        predicate=r"$\sigma_k(A_{FD}) > \sigma_k(A_{AD})$ for every $k > n/2$, $n = \min(N, M)$, " + _DRAWS + ".",
        kind="sampled",
        scopes=lambda profile: tuple(_cells(profile)),
        instances=_instances,
        test=small_larger("every"),
        quantifier=TYPICAL,
        requests=_requests,
        describe=witness,
        search=_space,
        mutants=(
            Mutant(
                "exchanged",
                "AD and FD exchanged, in float32 where the noise floor lifts FD",
                "sign",
                lambda c: c.with_(test=small_larger("every", exchanged=True)),
                _at("float32", "tanh"),
            ),
            Mutant(
                "large-as-well",
                "every singular value of FD is larger, in float32 where the small ones are",
                "assumption",
                lambda c: c.with_(test=small_larger("every", also_large=True)),
                _at("float32", "tanh"),
            ),
        ),
    ),
    Claim(
        id="S2.some-small",
        title="Some small singular value of FD is larger",
        statement="The small singular values of $A_{FD}$ are larger than those of $A_{AD}$: at least one of them.",
        family="source",
        source="S2",
        predicate=r"$\sigma_k(A_{FD}) > \sigma_k(A_{AD})$ for some $k > n/2$, $n = \min(N, M)$, " + _DRAWS + ".",
        kind="sampled",
        scopes=lambda profile: tuple(_cells(profile)),
        instances=_instances,
        test=small_larger("some"),
        quantifier=TYPICAL,
        requests=_requests,
        describe=witness,
        search=_space,
        mutants=(
            Mutant(
                "exchanged",
                "AD and FD exchanged, in float32 where the noise floor lifts FD",
                "sign",
                lambda c: c.with_(test=small_larger("some", exchanged=True)),
                _at("float32", "tanh"),
            ),
            Mutant(
                "far-larger",
                "some small singular value of FD is larger by a factor of 10^8",
                "constant",
                lambda c: c.with_(test=small_larger("some", factor=10**8)),
                _at("float32", "tanh"),
            ),
        ),
    ),
    Claim(
        id="S3.entropy-order",
        title="AD has at least the truncated entropy of FD",
        statement="The truncated entropy of $A_{AD}$ is at least that of $A_{FD}$.",
        family="source",
        source="S3",
        predicate=r"$H(A_{AD}) \ge H(A_{FD})$ under the convention, " + _DRAWS + ".",
        kind="sampled",
        scopes=lambda profile: _by_convention(conventions(), profile),
        instances=_instances,
        test=entropy_order(Fraction(0)),
        quantifier=TYPICAL,
        requests=_requests,
        describe=witness,
        search=_space,
        mutants=(
            Mutant(
                "by-one-half",
                "AD's entropy exceeds FD's by one half at least, where the order itself holds",
                "constant",
                lambda c: c.with_(test=entropy_order(Fraction(1, 2))),
                _at("float32", "tanh", "energy τ=1e-6, power 1, normalised"),
            ),
            Mutant(
                "exchanged",
                "AD and FD exchanged, in float32 under a convention where the order holds",
                "sign",
                lambda c: c.with_(test=entropy_order(Fraction(0), exchanged=True)),
                _at("float32", "tanh", "energy τ=1e-6, power 1, normalised"),
            ),
        ),
    ),
)
"""S1, S2 and S3; S4 to S7 are statements about training."""
