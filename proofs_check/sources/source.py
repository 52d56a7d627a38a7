"""What the source paper states (C. Chen, Y. Yang, Y. Xiang, W. Hao, arXiv:2405.14099), judged cell by cell.

Only its abstract-level statements are in hand; the predicates, thresholds and quantifiers below are ours, one formal
predicate a statement, the same in every cell.

In float32 and float64 a statement is about the singular values that LAPACK returns for the stored matrices, which is
what anyone sees who computes them, and the share of the draws in which it is true is estimated.  In exact arithmetic it
is about every draw of the cell, each decided with proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from numerics.arithmetic.balls import Enclosure
from numerics.differences.floor import entry_errors
from numerics.entropy.compare import EntropyEnclosure, difference, entropy_enclosures, truncated_entropies
from numerics.matrices.batches import DrawnSpectra, own_entry_error
from numerics.problem.problem import Arithmetic, Problem
from numerics.spectra.spectrum import Spectrum, spectrum
from proofs_check.claims.claim import SHARE, Claim, Mutant, Profile, Request, Scope
from proofs_check.claims.comparisons import (
    ACTIVATIONS,
    Decision,
    below,
    both_spectra,
    every,
    less,
    problem,
    some,
    witness,
)
from proofs_check.claims.verdicts import Outcome
from proofs_check.sources.decisions import entropy_gaps, leading_values, small_values
from proofs_check.sources.samples import (
    AGREEMENT,
    REGIMES,
    TIE,
    Reduced,
    Sample,
    Setting,
    conventions,
    reduce,
    rules,
    shape,
)
from theory.entropy.conventions import Convention

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

DRAWS = {"quick": 100, "full": 120}
"""Draws of the features in floating point: a share of 9 in 10 is shown over all cells of a statement with one failure."""
EXACT_DRAWS = {24: 8, 64: 10, 128: 10, 256: 5}
"""Draws in exact arithmetic, by the largest size to which they apply."""
USUAL = {"quick": ("tanh", "sin"), "full": ("tanh", "sin", "erf", "gaussian")}
"""The activations that are judged beyond n = 128, by profile."""
FIRST = next(iter(REGIMES))
TELLING = frozenset(
    label
    for label, c in conventions().items()
    if c.rule in ("energy", "fixed") or (c.power == 1 and not (c.rule == "absolute" and c.normalised))
)
"""The conventions that are judged beyond n = 24: those whose decisions differ from one another there."""
BRIEF = ("cos",)
"""Judged beyond n = 64 in the full profile alone: in float64 its findings at 128 are those at 64 in 13 of 16 facts, in
float32 in 15, and those of sin at 128 in 13 and 16."""
BRIEF_REGIMES = 1
"""How many regimes the quick profile judges."""


def _settings(profile: Profile) -> Iterator[tuple[Setting, bool]]:
    """The settings of a profile, and whether they are judged in exact arithmetic too."""
    quick = profile == "quick"
    for regime in list(REGIMES)[: BRIEF_REGIMES if quick else None]:
        first = regime == FIRST
        for activation in ACTIVATIONS:
            for n in (24, 64) if quick and activation in BRIEF else (24, 64, 128):
                exactly = n == 24 or (n == 64 and activation in ("tanh", "sin", "gaussian"))
                exactly |= not quick and first and n == 128 and activation in ("tanh", "sin", "gaussian")
                yield Setting(activation, "u_xx", regime, f"n={n}"), exactly
        for activation in USUAL[profile]:
            yield Setting(activation, "u_xx", regime, "n=256"), not quick and first and activation in ("tanh", "sin")
            if not quick and first:
                yield Setting(activation, "u_xx", regime, "n=512"), False
        for operator, sizes in (("poisson 2-D", (16, 64, 144)), ("u_xxxx", (24, 64, 128))):
            for activation in ("tanh",) if quick else ACTIVATIONS if first else ("tanh", "sin"):
                for n in sizes[:2] if quick and operator == "u_xxxx" else sizes:
                    yield Setting(activation, operator, regime, f"n={n}"), n <= 24
        for activation in ("tanh", "sin") if first else ():
            for size in ("N=64,M=128",) if quick else ("N=128,M=64", "N=64,M=128"):
                yield Setting(activation, "u_xx", regime, size), False


@lru_cache(maxsize=8)
def _cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"arithmetic": arithmetic} | setting.scope
        for setting, exactly in _settings(profile)
        for arithmetic in (("exact",) if exactly else ()) + ("float64", "float32")
    )


@lru_cache(maxsize=8)
def _by_rule(profile: Profile) -> tuple[Scope, ...]:
    return tuple(dict(cell) | {"convention": label} for cell in _cells(profile) for label in rules())


@lru_cache(maxsize=8)
def by_convention(profile: Profile) -> tuple[Scope, ...]:
    """The cells of S3."""
    return tuple(
        dict(cell) | {"convention": label}
        for cell in _cells(profile)
        for label in conventions()
        if cell["size"] == "n=24" or label in TELLING
    )


@dataclass(frozen=True)
class Draw:
    """One draw of a setting in an arithmetic: by its place in a sample, which all draws of a cell share."""

    sample: Sample
    index: int

    @property
    def setting(self) -> Setting:
        """What the draws have in common."""
        return self.sample.setting

    @property
    def problem(self) -> Problem:
        """The draw as a problem."""
        return self.setting.draw(self.index)


def _instances(scope: Scope, profile: Profile) -> Iterator[Draw]:
    setting, arithmetic = Setting.of(scope), cast(Arithmetic, scope["arithmetic"])
    draws = DRAWS[profile]
    if arithmetic == "exact":
        draws = next(count for n, count in EXACT_DRAWS.items() if max(shape(setting.size)) <= n)
    sample = Sample(setting, arithmetic, draws)
    for index in range(draws):
        yield Draw(sample, index)


def _space(scope: Scope) -> SearchStrategy[Problem]:
    """Small explicit problems of the cell: activation, operator and step are its own, weights within 4 deviations."""
    from proofs_check.search import spaces as search_spaces

    scale, step = REGIMES[scope["regime"]]
    template = problem(scope["activation"], operator=scope["operator"])
    return search_spaces.like(template, bound=4 * scale, steps=(step,))


def _requests(draw: Draw, scope: Scope) -> Iterator[Request]:
    if draw.sample.arithmetic == "exact":
        yield from both_spectra(draw.problem)
    elif draw.index == 0:
        yield draw.sample


def _described(draw: Draw | Problem) -> dict[str, Any]:
    return witness(draw if isinstance(draw, Problem) else draw.problem)


def _exact(scope: Scope) -> bool:
    return scope["arithmetic"] == "exact"


def _pair(instance: Draw | Problem, arithmetic: Arithmetic = "exact") -> tuple[Spectrum, Spectrum]:
    one = instance if isinstance(instance, Problem) else instance.problem
    return spectrum(one, "ad", arithmetic), spectrum(one, "fd", arithmetic)


def _computed(instance: Draw | Problem, scope: Scope) -> tuple[Reduced, int]:
    """What is kept of LAPACK's values, and the place of this draw in it."""
    if isinstance(instance, Problem):
        return _alone(instance, cast(Arithmetic, scope["arithmetic"])), 0
    return instance.sample.found, instance.index


@lru_cache(maxsize=512)
def _alone(one: Problem, arithmetic: Arithmetic) -> Reduced:
    """As of a sample of one draw: for problems whose features are given, such as a search makes."""
    ad, fd = (np.array([found.floats()]) for found in _pair(one, arithmetic))
    errors = entry_errors(one, arithmetic)
    spread = float(sum(np.sqrt(length) for length in errors.shape))
    noise = own_entry_error([one], arithmetic) * spread
    drawn = DrawnSpectra(ad, fd, np.sqrt(np.mean(errors**2, keepdims=True)).ravel(), spread)
    return reduce(drawn, noise, conventions(), curves=False)


Check = Callable[[Any, Scope], Outcome]


def leading_outcome(found: Reduced, k: int, label: str, tolerance: Fraction = AGREEMENT) -> Outcome:
    """S1 at draw k of a sample, under the rule of this label; ``all``: of all values."""
    worst = found.apart[label][k]
    low = found.n if label == "all" else found.cutoff_ad[label][k]
    numbers = {"apart": worst, "cutoff_ad": low, "knee": found.knee[k], "own_knee": found.own_knee[k]}
    if not low:
        return Outcome(None, NONE_LARGE, data=numbers)
    detail = f"largest relative difference among the {low} large singular values {worst:.2e}"
    return Outcome(worst <= float(tolerance), detail, float(tolerance) - worst, numbers)


NONE_LARGE = "no singular value of A_AD is large under the rule: the statement says nothing"


def _leading_agree(tolerance: Fraction, *, all_values: bool = False) -> Check:
    def test(instance: Draw | Problem, scope: Scope) -> Outcome:
        label = scope["convention"]
        if not _exact(scope):
            return leading_outcome(*_computed(instance, scope), "all" if all_values else label, tolerance)
        ad, fd = _pair(instance)
        low, high = _entropy(instance, "ad", rules()[label]).cutoff
        if all_values:
            low = high = len(ad.values)
        if not high:
            return Outcome(None, NONE_LARGE, data={"apart": 0.0, "cutoff_ad": 0})
        holds = every(_agree(instance, k, tolerance) for k in range(low))
        further = every(_agree(instance, k, tolerance) for k in range(low, high))
        if holds.holds and not further.holds:
            holds = Decision.UNDECIDED  # the cut-off number itself is
        worst = max(map(_relative, ad.floats()[:low], fd.floats()[:low]), default=0.0)
        detail = f"largest relative difference among the {low} large singular values {worst:.2e}"
        return Outcome(holds, detail, float(tolerance) - worst, {"apart": worst, "cutoff_ad": low}, certified=True)

    return test


@lru_cache(maxsize=2**15)
def _agree(instance: Draw | Problem, k: int, tolerance: Fraction) -> Decision:
    """Whether the exact values with index k agree; the rules differ in how many they ask for alone."""
    ad, fd = _pair(instance)
    return _close(ad.values[k], fd.values[k], tolerance)


def _close(a: Enclosure, f: Enclosure, tolerance: Fraction) -> Decision:
    """|σ(FD) − σ(AD)| ≤ tolerance · σ(AD)?"""
    furthest = max(abs(f.upper - a.lower), abs(f.lower - a.upper))
    apart = max(f.lower - a.upper, a.lower - f.upper, Fraction(0))
    return below(Enclosure(apart, furthest), _times(a, tolerance))


def _relative(a: float, f: float) -> float:
    """For the report alone."""
    return abs(f - a) / a if a else 0.0


def small_outcome(
    found: Reduced, k: int, quantify: str, *, exchanged: bool = False, also_large: bool = False, factor: int = 1
) -> Outcome:
    """S2 at draw k of a sample, for ``every`` or ``some`` small index."""
    larger, of = (found.smaller if exchanged else found.larger)[k], found.n - found.n // 2
    holds = larger == of if quantify == "every" else larger > 0
    if also_large:
        holds = found.last[k] == 0
    if factor != 1:
        holds = found.ratio[k] > factor
    return Outcome(
        holds, SMALL.format(larger=larger, of=of), larger / of, {"larger": larger, "of": of, "knee": found.knee[k]}
    )


SMALL = "σ_k(FD) > σ_k(AD) for {larger} of the {of} indices k > n/2"


def small_larger(quantify: str, *, exchanged: bool = False, also_large: bool = False, factor: int = 1) -> Check:
    """S2: σ_k(FD) > σ_k(AD) for every or some k > n/2; the other arguments make mutants."""

    def test(instance: Draw | Problem, scope: Scope) -> Outcome:
        if not _exact(scope):
            found, k = _computed(instance, scope)
            return small_outcome(found, k, quantify, exchanged=exchanged, also_large=also_large, factor=factor)
        ad, fd = _pair(instance)
        if exchanged:
            ad, fd = fd, ad
        n = len(ad.values)
        small = range(0 if also_large else n // 2, n)
        decisions = [less(_times(ad.values[k], factor), fd.values[k]) for k in small]
        holds = every(decisions) if quantify == "every" else some(decisions)
        larger, of = sum(1 for d in decisions if d.holds), len(decisions)
        detail = SMALL.format(larger=larger, of=of)
        return Outcome(holds, detail, larger / of, {"larger": larger, "of": of}, certified=True)

    return test


def _times(value: Enclosure, factor: Fraction | int) -> Enclosure:
    return value if factor == 1 else Enclosure(value.lower * factor, value.upper * factor)


@lru_cache(maxsize=4096)
def _entropies(instance: Draw | Problem, method: str) -> dict[str, EntropyEnclosure]:
    """The entropies of one exact spectrum under every convention, by label."""
    values = _pair(instance)[method == "fd"].values
    return dict(zip(conventions(), entropy_enclosures(values, list(conventions().values())), strict=True))


def _entropy(instance: Draw | Problem, method: str, convention: Convention) -> EntropyEnclosure:
    return _entropies(instance, method)[convention.label]


def order_outcome(
    found: Reduced, k: int, label: str, excess: Fraction = Fraction(0), *, exchanged: bool = False
) -> Outcome:
    """S3 at draw k of a sample, under the convention of this label."""
    H = [found.entropy_ad[label][k], found.entropy_fd[label][k]]
    r = [found.cutoff_ad[label][k], found.cutoff_fd[label][k]]
    knees = {"knee": found.knee[k], "own_knee": found.own_knee[k]}
    return _ordered(*((H[::-1], r[::-1]) if exchanged else (H, r)), excess, knees)


def entropy_order(excess: Fraction, *, exchanged: bool = False) -> Check:
    """S3: H_AD ≥ H_FD + excess under the scope's convention."""

    def test(instance: Draw | Problem, scope: Scope) -> Outcome:
        label = scope["convention"]
        if not _exact(scope):
            return order_outcome(*_computed(instance, scope), label, excess, exchanged=exchanged)
        ad, fd = (_entropy(instance, method, conventions()[label]) for method in ("ad", "fd"))
        return replace(entropies_ordered(*((fd, ad) if exchanged else (ad, fd)), excess), certified=True)

    return test


def _ordered(H: Sequence[float | None], r: Sequence[int], excess: Fraction, numbers: dict[str, Any]) -> Outcome:
    """H_AD ≥ H_FD + excess, of floats; both 0 where one value is kept, whose entropy is 0 exactly."""
    ad, fd = H
    numbers |= {"cutoff_ad": r[0], "cutoff_fd": r[1]}
    if ad is None or fd is None:
        return Outcome(None, f"undefined: r = {r[0]} (AD), {r[1]} (FD)", data=numbers)
    gap = ad - fd - float(excess)
    settled = not excess and r[0] == r[1] == 1
    holds = True if settled else None if abs(gap) <= TIE else gap > 0
    if ad > 0:
        numbers["relative_gap"] = (ad - fd) / ad
    detail = f"H_AD = {ad:.6g}, H_FD = {fd:.6g} (r = {r[0]}, {r[1]})"
    return Outcome(holds, detail, gap, numbers)


def entropies_ordered(ad: EntropyEnclosure, fd: EntropyEnclosure, excess: Fraction) -> Outcome:
    """H_AD ≥ H_FD + excess?"""
    gap = difference(ad, fd)
    if gap is None:
        return Outcome(None, ad.reason or fd.reason or "undefined")
    holds = below(gap, Enclosure.exact(-excess))
    detail = f"H_AD = {ad.middle():.6g}, H_FD = {fd.middle():.6g} (r = {_span(ad)}, {_span(fd)})"
    numbers: dict[str, Any] = {"cutoff_ad": ad.cutoff[0], "cutoff_fd": fd.cutoff[0]}
    if ad.middle():
        numbers["relative_gap"] = -float(gap.middle) / cast(float, ad.middle())
    return Outcome(holds, detail, margin=-float(gap.middle), data=numbers)


def _span(found: EntropyEnclosure) -> str:
    low, high = found.cutoff
    return str(low) if low == high else f"{low}..{high}"


def _at(arithmetic: str, activation: str, convention: str | None = None, n: int = 24) -> dict[str, str]:
    scope = {"arithmetic": arithmetic} | Setting(activation, "u_xx", FIRST, f"n={n}").scope
    return scope | ({"convention": convention} if convention else {})


_JUDGED = (
    "judged by the share of the draws in floating point (at least 9 in 10: it holds; at most 1 in 10: it is reversed; "
    "95 % confidence, simultaneous over all cells {}) and in every draw in exact arithmetic"
)
_DRAWS, _BY_LABEL = _JUDGED.format("of the statement"), _JUDGED.format("of one convention")

_NORMALISED = _at("float32", "tanh", "energy τ=1e-6, power 1, normalised", 64)
_TANH32 = _at("float32", "tanh", n=64)


def _claim(
    id: str, title: str, statement: str, predicate: str, judges: tuple[Any, ...] = (spectrum,), **rest: Any
) -> Claim:
    return Claim(
        id, title, statement, "source", id.partition(".")[0], predicate, "sampled", instances=_instances,
        quantifier=SHARE, proven=_exact, requests=_requests, describe=_described, search=_space, judges=judges, **rest,
    )  # fmt: skip


def _small_claim(quantify: str, title: str, reading: str, other: Mutant) -> Claim:
    return _claim(
        f"S2.{quantify}-small", title,
        f"The small singular values of $A_{{FD}}$ are larger than those of $A_{{AD}}$ (our reading: {reading}).",
        rf"$\sigma_k(A_{{FD}}) > \sigma_k(A_{{AD}})$ for {quantify} $k > n/2$, $n = \min(N, M)$, {_DRAWS}.",
        scopes=_cells, test=small_larger(quantify), measure=small_values,
        mutants=(
            Mutant("exchanged", "AD and FD exchanged, in float32 where the noise floor lifts FD", "sign",
                   lambda c: c.with_(test=small_larger(quantify, exchanged=True)), _TANH32),
            other,
        ),
    )  # fmt: skip


CLAIMS = (
    _claim(
        "S1.leading-agree", "Large singular values agree",
        "The large singular values of $A_{AD}$ and $A_{FD}$ agree.",
        r"With $r$ the effective cut-off number of $A_{AD}$ under the rule: "
        r"$|\sigma_k(A_{FD}) - \sigma_k(A_{AD})| \le \sigma_k(A_{AD})/100$ for every $k \le r$, " + _BY_LABEL + ".",
        scopes=_by_rule, statement_of=lambda scope: scope["convention"], test=_leading_agree(AGREEMENT),
        measure=leading_values,
        mutants=(
            Mutant("ten-digits", "agreement to 1e-10 instead of one per cent", "constant",
                   lambda c: c.with_(test=_leading_agree(Fraction(1, 10**10))), _at("exact", "tanh", Convention().label)),
            Mutant("all-values", "all singular values agree, not the large ones alone", "assumption",
                   lambda c: c.with_(test=_leading_agree(AGREEMENT, all_values=True)),
                   _at("float64", "tanh", "energy τ=1e-6, power 1", 64)),
        ),
    ),
    _small_claim(
        "every", "Every small singular value of FD is larger", "every one of them",
        Mutant("large-as-well", "every singular value of FD is larger, in float32 where the small ones are", "assumption",
               lambda c: c.with_(test=small_larger("every", also_large=True)), _TANH32),
    ),
    _small_claim(
        "some", "Some small singular value of FD is larger", "at least one of them",
        Mutant("far-larger", "some small singular value of FD is larger by a factor of 10^30", "constant",
               lambda c: c.with_(test=small_larger("some", factor=10**30)), _TANH32),
    ),
    _claim(
        "S3.entropy-order", "AD has at least the truncated entropy of FD",
        "The truncated entropy of $A_{AD}$ is at least that of $A_{FD}$.",
        r"$H(A_{AD}) \ge H(A_{FD})$ under the convention, " + _BY_LABEL + ".",
        scopes=by_convention, statement_of=lambda scope: scope["convention"], test=entropy_order(Fraction(0)),
        measure=entropy_gaps, judges=(entropy_enclosures, truncated_entropies),
        mutants=(
            Mutant("by-one-half", "AD's entropy exceeds FD's by one half at least, where the order itself holds", "constant",
                   lambda c: c.with_(test=entropy_order(Fraction(1, 2))), _NORMALISED),
            Mutant("exchanged", "AD and FD exchanged, in float32 under a convention where the order holds", "sign",
                   lambda c: c.with_(test=entropy_order(Fraction(0), exchanged=True)), _NORMALISED),
        ),
    ),
)  # fmt: skip
"""S1, S2 and S3; S4 to S7 are statements about training."""
