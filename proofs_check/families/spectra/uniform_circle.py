"""Uniform frequencies on the circle: which cut-off rules leave S3 reversed, for every cut-off of a rule at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal, cast

import flint

from numerics.arithmetic.balls import to_ball
from proofs_check.claims import steps
from proofs_check.claims.claim import Assumption, Profile, Scope, Step, instead, stated, weaker, wrong
from proofs_check.claims.comparisons import below, less, once
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import every, from_comparison
from theory.base.exact import spell
from theory.entropy.conventions import Convention
from theory.solvable import Circle, truncated_entropy, uniform_frequencies
from theory.solvable.circle import Frequencies, frequencies

METHODS: tuple[Literal["ad", "fd"], ...] = ("ad", "fd")
Rule = Literal["fixed", "relative", "energy"]
PRECISION = 128
Spectra = Sequence[Sequence[flint.arb]]


@dataclass(frozen=True)
class Setting:
    """Frequencies 1 … R, uniform or not, and a step."""

    largest: int
    h: Fraction
    uniform: bool = True

    @property
    def law(self) -> Frequencies:
        """p_n = 1/R; for the mutant that drops the hypothesis, n⁻⁶."""
        if self.uniform:
            return uniform_frequencies(self.largest)
        return frequencies({n: Fraction(1, n**6) for n in range(1, self.largest + 1)})

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        law = "uniform" if self.uniform else "n^-6"
        return {"R": self.largest, "step": spell(self.h), "law": law}


def _instances(scope: Scope, profile: Profile) -> Iterator[Setting]:
    """Steps up to the largest allowed (6 < 2π), and just beyond it; then a law that is not uniform."""
    for largest in (2, 8, 32) if profile == "quick" else (2, 3, 5, 8, 16, 32, 64):
        for share in (Fraction(1), Fraction(1, 2), Fraction(1, 10), Fraction(1, 50)):
            yield Setting(largest, 6 * share / (2 * largest - 1))
        yield Setting(largest, Fraction(9) / (2 * largest - 1))
    yield Setting(8, Fraction(1, 10), uniform=False)


def singular_values(setting: Setting) -> tuple[list[flint.arb], list[flint.arb]]:
    """AD and FD singular values, descending, each standing for two; from the model's eigenvalues."""
    model = Circle(setting.law)
    found = []
    for method in METHODS:
        listed = model.listed(method, setting.h, 1, 30)
        values = [to_ball(v, PRECISION).sqrt() for v in listed.values]
        found.append(sorted(values, key=lambda v: -float(v)))
    return found[0], found[1]


def _weights(values: Sequence[flint.arb], power: int) -> list[flint.arb]:
    """σ^q in descending order, each twice."""
    return [v if power == 1 else v * v for v in values for _ in (0, 1)]


def entropies(weights: Sequence[flint.arb]) -> list[flint.arb]:
    """H of the r largest for r = 1, 2, …, from ``log S − Σ x log x / S``."""
    found, total, logs = [], flint.arb(0), flint.arb(0)
    for x in weights:
        total += x
        logs += x * x.log()
        found.append(total.log() - logs / total)
    return found


def thresholds(weights: Sequence[flint.arb], values: Sequence[flint.arb], rule: Rule) -> list[flint.arb]:
    """The descending τ at which the cut-off number goes from 1 to 2, from 2 to 3, …

    Relative: r ≥ k + 1 once τ ≤ σ_{k+1}/σ_1. Energy: r ≥ k + 1 once τ < Σ_{j>k} σ_j^q / Σ σ_j^q.
    """
    if rule == "relative":
        return [v / values[0] for v in values for _ in (0, 1)][1:]
    found, rest = [], sum(weights, flint.arb(0))
    total = rest
    for x in weights[:-1]:
        rest -= x
        found.append(rest / total)
    return found


def cutoff_pairs(ad: Sequence[flint.arb], fd: Sequence[flint.arb], rule: Rule) -> Iterator[tuple[int, int] | None]:
    """Every pair (r_AD, r_FD) that occurs for some τ in (0, 1); None where two thresholds are not told apart.

    The thresholds of the second of two equal singular values coincide with those of the first: both are passed at once.
    """
    i = j = 1 if rule == "energy" else 2  # the largest value is double, and passes τ = 1 relative to itself
    stride = 1 if rule == "energy" else 2
    yield i, j
    while i <= len(ad) or j <= len(fd):
        first = ad[i - 1] if i <= len(ad) else None
        second = fd[j - 1] if j <= len(fd) else None
        if second is None or (first is not None and first > second):
            i += stride
        elif first is None or second > first:
            j += stride
        else:
            yield None
            return
        yield i, j


def _pairs(weights: Spectra, spectra: Spectra, rule: str) -> Iterator[tuple[int, int] | None]:
    """The pairs of cut-off numbers of a rule; with a number of values fixed, that number twice."""
    if rule == "fixed":
        return ((r, r) for r in range(1, len(weights[0]) + 1))
    ad, fd = (thresholds(w, v, cast(Rule, rule)) for w, v in zip(weights, spectra, strict=True))
    return cutoff_pairs(ad, fd, cast(Rule, rule))


_uniform = Assumption("the weights are uniform", lambda s: s.uniform)
_in_range = Assumption(r"$h \le 2\pi/(2R-1)$", lambda s: s.h * (2 * s.largest - 1) <= 6)


def _rises(scope: Scope) -> Outcome:
    """sin((n + 1)t) − sin(nt) = 2 cos((2n + 1)t/2) sin(t/2), with n as a symbol."""
    import sympy as sp

    n, t = sp.symbols("n t", positive=True)
    difference = 2 * sp.cos((2 * n + 1) * t / 2) * sp.sin(t / 2)
    return steps.identity(sp.sin((n + 1) * t) - sp.sin(n * t), difference, {n: (1, 9), t: (Fraction(1, 8), 1)})


def _falls(scope: Scope) -> Outcome:
    """t² (sin t/t)' = t cos t − sin t, whose derivative is −t sin t, and which is 0 at 0."""
    import sympy as sp

    t = sp.Symbol("t", positive=True)
    box = {t: (Fraction(1, 8), 3)}
    slope = t * sp.cos(t) - sp.sin(t)
    return steps.every(
        (
            ("t² (sin t/t)'", steps.identity(t**2 * (sp.sin(t) / t).diff(t), slope, box)),
            ("derivative", steps.identity(slope.diff(t), -t * sp.sin(t), box)),
            ("at 0", steps.equal([(slope.subs(t, 0), 0)], "t cos t − sin t at 0")),
        )
    )


@dataclass(frozen=True)
class Threshold:
    """An absolute cut-off of the singular values, R = 8."""

    tau: Fraction
    step: Fraction = Fraction(1, 4)

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"R": 8, "step": spell(self.step), "tau": spell(self.tau)}


def _levels(scope: Scope, profile: Profile) -> Iterator[Threshold]:
    yield from (Threshold(t) for t in (Fraction(1), Fraction(3), Fraction(11, 2), Fraction(13, 2)))


def _half_the_step(scope: Scope, profile: Profile) -> Iterator[Threshold]:
    """h = 1/8: at τ = 17/2 AD keeps the values of n = 7 and 8, FD those of n = 8 alone."""
    yield from (Threshold(t, Fraction(1, 8)) for t in (Fraction(3), Fraction(17, 2)))


_RULES: tuple[Rule, ...] = ("fixed", "relative", "energy")
_relative = {"rule": "relative", "power": "2", "arithmetic": "exact"}
_cells = once(*({"rule": r, "power": q, "arithmetic": "exact"} for r in _RULES for q in ("1", "2")))


@stated(
    "solvable.uniform-circle",
    title="Uniform frequencies on the circle: FD has at least the entropy of AD",
    source="ours, from Marshall, Olkin and Arnold (2011), proposition 5.B.1",
    predicate=r"all values of a spectrum are told apart; every pair $(r_{AD}, r_{FD})$ of cut-off numbers "
    r"that some $\tau \in (0, 1)$ gives is enumerated (thresholds told apart in ball arithmetic), and at each "
    r"$H_{FD} > H_{AD}$, or both are $\log r$, $r \le 2$",
    kind="ball",
    scopes=_cells,
    instances=_instances,
    assumptions=(_uniform, _in_range),
    derivation=(
        Step(r"$\sin((n+1)t) - \sin nt = 2\cos\frac{(2n+1)t}2\sin\frac t2 \ge 0$ for $(2n+1)t \le \pi$, $t = h/2$: both "
             r"spectra, $n^2$ and $(2\sin(nh/2)/h)^2$, increase in $n \le R$", "addition theorem", "identity", _rises),
        Step(r"their ratio $\mathrm{sinc}^2(nh/2)$ decreases in $n$, so that it increases along descending order",
             r"$(t\cos t - \sin t)' = -t\sin t < 0$ on $(0, \pi)$", "identity", _falls),
        Step(r"a ratio that increases along the spectrum gives $p_{FD} \prec p_{AD}$ for every $r$, and $r_{FD} \ge r_{AD}$ under "
             r"relative and energy rules", "claim entropy.majorisation-order", "claim"),
        Step(r"$H_{r+1} \ge H_r$ along descending values", "claim entropy.rank-monotone", "claim"),
    ),
    judges=(Circle, uniform_frequencies),
    mutants=(
        wrong("reversed", "AD has at least the entropy of FD", "sign", direction=-1),
        weaker("any-law", "the weights need not be uniform", "uniform"),
        wrong("normalised", "the entropies are divided by log r", "predicate", _relative, normalised=True),
    ),
)  # fmt: skip
def uniform_circle(setting: Setting, scope: Scope, direction: int = +1, normalised: bool = False) -> Outcome:
    r"""For frequencies uniform on $1 \dots R$ and $h \in (0, 2\pi/(2R-1)]$, $h < 2\pi$ (checked at $R = 2, 8, 32$, in the
    full profile seven $R$ to 64, and four $h$ each, the largest $6/(2R-1)$) the truncated entropies, not normalised,
    satisfy $H_{FD} \ge H_{AD}$ for every number of values kept, under every relative and under every energy cut-off, for
    powers 1 and 2: S3 is reversed. (At $R = 1$, $h = 2\pi$ the FD spectrum vanishes and has no entropy.)
    """
    where, gaps, count = f"R = {setting.largest}, h = {setting.h}", list[float](), 0
    found = [from_comparison(True)]  # that the values are told apart
    with flint.ctx.workprec(PRECISION):
        spectra = singular_values(setting)
        if not all(a > b for values in spectra for a, b in pairwise(values)):
            return Outcome(None, f"{where}: a spectrum has values that are not told apart")
        weights = [_weights(v, int(scope["power"])) for v in spectra]
        h_ad, h_fd = map(entropies, weights)
        for pair in _pairs(weights, spectra, scope["rule"]):
            if pair is None:
                return Outcome(None, "two thresholds are not told apart")
            (r, s), count = pair, count + 1
            if r == s <= 2 or (normalised and min(pair) == 1):
                continue  # log r for both: the largest value is double
            units = [flint.arb(k).log() if normalised else 1 for k in pair]
            one, other = h_ad[r - 1] / units[0], h_fd[s - 1] / units[1]
            gap = (other - one) * direction
            order = below(0, gap)
            if order.holds is False:
                values = f"H_AD = {float(one):.6f}, H_FD = {float(other):.6f}"
                return Outcome(order, f"{where}, r = {r} and {s}: {values}", data={"r": [r, s]})
            found.append(less(0, gap))
            if found[-1].holds is not True:
                return Outcome(None, f"r = {r} and {s}: undecided")
            gaps.append(float(gap))
    detail = f"R = {setting.largest}, h = {spell(setting.h)}: all {count} pairs of cut-off numbers"
    return Outcome(every(found), f"{detail}, least gap {min(gaps, default=0):.3g}", margin=min(gaps, default=None))


@stated(
    "solvable.uniform-circle-absolute",
    title="The same under an absolute cut-off",
    source="ours (a conjecture; it is false)",
    predicate=r"the order of the enclosed entropies at $R = 8$, $h = 1/4$, $\tau = 1, 3, 11/2, 13/2$",
    kind="ball",
    scopes=once({"power": "1", "arithmetic": "exact"}, {"power": "2", "arithmetic": "exact"}),
    instances=_levels,
    judges=(truncated_entropy,),
    mutants=(
        wrong("reversed", "AD has at least the entropy of FD under every absolute cut-off", "sign", direction=-1),
        instead("half-the-step", "h = 1/8, half the step, restores the order", "assumption", instances=_half_the_step),
    ),
)  # fmt: skip
def uniform_circle_absolute(level: Threshold, scope: Scope, direction: int = +1) -> Outcome:
    r"""For uniform frequencies on $1 \dots R$ and $h \in (0, 2\pi/(2R-1)]$, $H_{FD} \ge H_{AD}$ under every absolute
    cut-off of the singular values too. (It is not: $R = 8$, $h = 1/4$, $\tau = 11/2$ keeps six values of AD and four of
    FD.)
    """
    # The entropies that ``theory.solvable.truncated_entropy`` gives under the absolute rule.
    model, h = Circle(uniform_frequencies(8)), level.step
    convention = Convention("absolute", level.tau, int(scope["power"]))  # type: ignore[arg-type]
    ad, fd = (truncated_entropy(model, m, h, convention) for m in METHODS)
    if ad.value is None or fd.value is None:
        return Outcome(None, f"τ = {level.tau}: no entropy at r = {ad.cutoff} and {fd.cutoff}")
    gap = (fd.value - ad.value).scaled(direction)
    holds = from_comparison(True) if ad.cutoff == fd.cutoff <= 2 else below(0, gap)
    detail = f"τ = {spell(level.tau)}: r = {ad.cutoff} and {fd.cutoff}, H_AD = {float(ad.value):.4f}, H_FD = {float(fd.value):.4f}"
    return Outcome(holds, detail, margin=float(gap), data={"tau": spell(level.tau)})


CLAIMS = (uniform_circle, uniform_circle_absolute)
