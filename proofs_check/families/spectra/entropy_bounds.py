"""The entropy gap enclosed from the AD side, its expansion at r < n, and hypotheses that entropy bounds need."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import flint
import mpmath

from numerics.arithmetic.balls import Enclosure, to_ball
from numerics.entropy.compare import compare_entropies
from numerics.entropy.gap import GapExpansion
from numerics.problem.problem import Problem
from proofs_check.claims.claim import Assumption, Profile, Scope, Step, stated, weaker, wrong
from proofs_check.claims.comparisons import below, every, less, once, problem, same, seeds
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import from_comparison
from theory.base.errors import PrecisionCapError
from theory.entropy.bounds import majorises, mirsky_distance, total_variation
from theory.entropy.conventions import Convention, Power
from theory.entropy.entropy import cutoff, entropy_gap_coefficient, probabilities, truncated_entropy

Spectrum = tuple[Fraction, ...]
PRECISION = 128
TENTH = Convention("relative", Fraction(1, 10))
DIGITS = 60
STEPS = (Fraction(1, 2**14), Fraction(1, 2**15))
"""Digits and steps of the expansion's check."""
Matrix = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Cut:
    """Two spectra, their cut-off numbers, a factor and a power."""

    first: Spectrum
    second: Spectrum
    r: int
    other_r: int
    factor: Fraction = Fraction(1)
    power: Power = 1

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"first": [str(v) for v in self.first], "second": [str(v) for v in self.second],
                "r": [self.r, self.other_r], "factor": str(self.factor), "power": self.power}  # fmt: skip


def _draws(scope: Scope, profile: Profile) -> Iterator[Cut]:
    """Neighbouring spectra; every third pair has ratios second/first that do not fall, every third is unsorted."""
    generator = random.Random(23)
    for k in range(150 if profile == "quick" else 1500):
        n = generator.randint(2, 8)
        first = sorted((Fraction(generator.randint(1, 1000), generator.randint(1, 9)) for _ in range(n)), reverse=True)
        ratios = [Fraction(generator.randint(8, 12), 10) for _ in range(n)]
        if k % 3:
            ratios.sort()
        second = [a * b for a, b in zip(first, ratios, strict=True)]
        if k % 3 != 1:
            second.sort(reverse=True)
        r, other_r = generator.randint(1, n), generator.randint(1, n)
        factor = Fraction(generator.randint(1, 50), generator.randint(1, 50))
        yield Cut(tuple(first), tuple(second), r, r if k % 2 else other_r, factor, 1 if k % 4 < 2 else 2)


def _sorted_draws(scope: Scope, profile: Profile) -> Iterator[Cut]:
    yield from (cut for cut in _draws(scope, profile) if _descends(cut.second))
    for n in range(2, 9):  # one value against n equal ones: T = 1 − 1/n, nearly, and so is its bound
        yield Cut((Fraction(1), *[Fraction(1, 10**6)] * (n - 1)), (Fraction(1),) * n, n, n)


def _descends(values: Spectrum) -> bool:
    return all(a >= b for a, b in pairwise(values))


def _ratios_rise(cut: Cut) -> bool:
    return all(a * d >= b * c for (a, b), (c, d) in pairwise(zip(cut.first, cut.second, strict=True)))


def _small_steps(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 3, 15):
        yield problem(scope["activation"], seed=seed, size=5, step=Fraction(1, 100))


RANDOM = once({"spectra": "random rational, n ≤ 8"})


@stated(
    "entropy.gap-enclosure",
    title="The entropy gap enclosed from the AD side alone",
    source="ours, with V. Noferini, SIAM J. Matrix Anal. Appl. 38 (2017) 434",
    predicate="the enclosure contains the certified gap, itself from both certified spectra",
    kind="ball",
    scopes=once(
        {"activation": "sin", "rank": "3", "power": "1"},
        {"activation": "tanh", "rank": "3", "power": "2"},
        {"activation": "gaussian", "rank": "2", "power": "1"},
    ),
    instances=_small_steps,
    judges=(GapExpansion.at,),
    mutants=(
        wrong("no-remainder", "the linear term alone, with its rounding", "predicate", remainder=False),
        wrong("reversed", "the gap has the other sign", "sign", factor=-1),
        wrong("twice", "the gap is twice as large", "constant", factor=2),
    ),
)
def gap_enclosure(instance: Problem, scope: Scope, factor: int = 1, remainder: bool = True) -> Outcome:
    r"""With $A_{FD} = A_{AD} + \sum_q h^q C_q + R$, the leading term of the gap expansion and the explicit
    remainder $\tfrac12 L\,\|E\|_F^2$ enclose $H_{FD} - H_{AD}$ at fixed $r$ (2 or 3 of five values, sin, tanh and Gaussian features,
    $h = 1/100$; steps at which neighbouring singular values may meet have no bound); $A_{FD}$ itself is never made."""
    convention = Convention("fixed", rank=int(scope["rank"]), power=int(scope["power"]))  # type: ignore[arg-type]
    try:
        bound = GapExpansion(instance, convention).at(1)
    except PrecisionCapError as error:  # the step is too large for the spectrum, or no entropy exists
        return Outcome(None, str(error))
    found = (bound.gap if remainder else bound.linear).scaled(factor)
    gap = compare_entropies(instance, convention).gap
    if gap is None:
        return Outcome(None, "the entropies are undefined")
    holds = from_comparison(True if found.encloses(gap) else None if found.overlaps(gap) else False)
    width = float(found.width / abs(gap.middle)) if gap.middle else 0.0
    return Outcome(holds, f"H_FD − H_AD = {float(gap.middle):.6g}, enclosed to {width:.1e} of itself",
                   margin=1 - width)  # fmt: skip


def _distance(cut: Cut, share: Fraction, summed: bool = False) -> Outcome:
    """The bound times ``share``; ``summed``: with S + S' instead of the larger of both."""
    p, q = probabilities(cut.first, cut.r), probabilities(cut.second, cut.other_r)
    distance = total_variation(p, q)
    gap = sum((abs(a - b) for a, b in zip(cut.first, cut.second, strict=True)), Fraction(0))
    first, second = sum(cut.first[: cut.r], Fraction(0)), sum(cut.second[: cut.other_r], Fraction(0))
    bound = share * (gap / (first + second) if summed else mirsky_distance(gap, first, second))
    detail = f"T = {float(distance):.5f}, bound {float(bound):.5f}"
    return Outcome(below(distance, bound), detail, margin=float(bound - distance))


@stated(
    "entropy.distance-bound",
    title="The distance of truncated spectra needs equal cut-offs",
    source="L. Mirsky, Quart. J. Math. 11 (1960) 50, theorem 5; the bound is ours",
    predicate=r"$T \le \sum_k|\sigma_k - \sigma'_k|/\max(S, S')$ in exact rationals, which is stronger",
    kind="exact",
    scopes=RANDOM,
    instances=_sorted_draws,
    assumptions=(Assumption("the cut-off numbers are equal", lambda c: c.r == c.other_r),),
    judges=(mirsky_distance,),
    mutants=(
        weaker("any-cut-offs", "the cut-off numbers may differ", "equal"),
        wrong("a-tenth-less", "nine tenths of the bound", "constant", share=Fraction(9, 10)),
    ),
)
def distance_bound(cut: Cut, scope: Scope, share: Fraction = Fraction(1)) -> Outcome:
    r"""Under power 1, $T \le \|A_{AD} - A_{FD}\|_* / \max(S, S')$ for equal cut-off numbers,
    $S = \sum_{k\le r}\sigma_k$, both spectra descending (rational ones, random and nearly attaining it, $n \le 8$)."""
    return _distance(cut, share)


@stated(
    "entropy.distance-any-cutoff",
    title="The same bound for any cut-offs",
    source="ours (a conjecture; it is false)",
    predicate=r"$T \le \sum_k|\sigma_k - \sigma'_k|/\max(S, S')$ in exact rationals",
    kind="exact",
    scopes=RANDOM,
    instances=_sorted_draws,
    judges=(mirsky_distance,),
    mutants=(
        wrong("half", "half the bound", "constant", share=Fraction(1, 2)),
        wrong("sum", "S + S' instead of the larger of both", "predicate", summed=True),
    ),
)
def distance_any_cutoff(cut: Cut, scope: Scope, share: Fraction = Fraction(1), summed: bool = False) -> Outcome:
    r"""Under power 1, $T \le \|A_{AD} - A_{FD}\|_* / \max(S, S')$ whatever the cut-off numbers."""
    return _distance(cut, share, summed)


@stated(
    "entropy.majorisation-order",
    title="Monotone ratios majorise when both spectra descend",
    source="Marshall, Olkin and Arnold, Inequalities (2011), proposition 5.B.1",
    predicate="partial sums of sorted exact rationals, both powers",
    kind="exact",
    scopes=RANDOM,
    instances=_draws,
    assumptions=(
        Assumption(r"$\sigma'_k/\sigma_k$ does not fall with $k$", _ratios_rise),
        Assumption("both spectra descend", lambda c: _descends(c.first) and _descends(c.second)),
    ),
    judges=(majorises,),
    mutants=(
        weaker("unsorted", "the second spectrum need not descend", "descend"),
        wrong("reversed", "p' majorises p", "sign", reverse=True),
    ),
)
def majorisation_order(cut: Cut, scope: Scope, reverse: bool = False) -> Outcome:
    r"""$\sigma'_k/\sigma_k$ non-decreasing, both spectra positive and descending at the same indices
    $\Rightarrow p' \prec p$, powers 1 and 2, all values kept (random rational spectra, $n \le 8$)."""
    found = []
    for power in (1, 2):
        p, q = ([v**power / sum(w**power for w in values) for v in values] for values in (cut.first, cut.second))
        found.append(from_comparison(majorises(q, p) if reverse else majorises(p, q)))
    holds, n = every(found), len(cut.first)
    said = "majorises" if holds.holds else "does not majorise"
    return Outcome(holds, f"{n} values: p {said} p' under the powers 1 and 2")


@stated(
    "entropy.rank-monotone",
    title="Keeping one more value never lowers the entropy",
    source="ours",
    predicate="the sign of the difference in ball arithmetic, for every $r$ up to $n$, powers 1 and 2",
    kind="ball",
    scopes=RANDOM,
    instances=_sorted_draws,
    derivation=(
        Step(r"$H_{r+1} = (1 - \varepsilon)H_r + h_2(\varepsilon)$ with $\varepsilon = p_{r+1} \le 1/(r+1)$", "grouping"),
        Step(r"$h_2(\varepsilon) > -\varepsilon\log\varepsilon \ge \varepsilon\log(r+1) > \varepsilon H_r$",
             r"$H_r \le \log r$"),
    ),
    judges=(truncated_entropy,),
    mutants=(
        wrong("falls", "it never rises", "sign", step=-1),
        wrong("normalised", "divided by log r too", "predicate", normalised=True),
    ),
)  # fmt: skip
def rank_monotone(cut: Cut, scope: Scope, step: int = 1, normalised: bool = False) -> Outcome:
    r"""For $\sigma_1 \ge \dots \ge \sigma_n > 0$ the entropy of the $r + 1$ largest, not normalised, is larger
    than that of the $r$ largest, powers 1 and 2 (random rational spectra, $n \le 8$)."""
    least, rising = None, []
    first = 2 if normalised else 1
    with flint.ctx.workprec(PRECISION):
        values = [to_ball(Enclosure.exact(v), PRECISION) for v in cut.first]
        found = [entropy_of(values, r, cut.power) for r in range(first, len(values) + 1)]
        if normalised:
            found = [entropy / flint.arb(r).log() for r, entropy in enumerate(found, first)]
        for r, (before, after) in enumerate(pairwise(found), first):
            gap = (after - before) * step
            rising.append(less(0, gap))
            if rising[-1].holds is not True:
                return Outcome(rising[-1], f"r = {r}: H rises by {float(gap):.3g}")
            least = float(gap) if least is None else min(least, float(gap))
    detail = f"{len(values)} values, power {cut.power}: H rises by at least {least or 0:.3g}"
    return Outcome(every(rising) if rising else None, detail, margin=least)


@stated(
    "entropy.scale-invariance",
    title="Entropy does not see the scale under a relative cut-off",
    source="ours",
    predicate="equal cut-off numbers and equal probabilities, exact rationals, powers 1 and 2, τ = 1/10",
    kind="exact",
    scopes=RANDOM,
    instances=_draws,
    derivation=(Step(r"$(c\sigma_k)^q/\sum_j (c\sigma_j)^q = \sigma_k^q/\sum_j\sigma_j^q$", "cancellation"),),
    judges=(cutoff, probabilities),
    mutants=(
        wrong("absolute", "under an absolute cut-off as well", "assumption", rule=Convention("absolute", Fraction(10))),
        wrong("summand", "under a common summand as well", "predicate", shifted=True),
    ),
)
def scale_invariance(cut: Cut, scope: Scope, rule: Convention = TENTH, shifted: bool = False) -> Outcome:
    r"""$H(c\,\sigma) = H(\sigma)$ for rational $c > 0$ under a relative cut-off (checked: $\tau = 1/10$, powers 1 and 2):
    the probabilities and $r$ are the same."""
    scaled = tuple(cut.factor + v if shifted else cut.factor * v for v in cut.first)
    r, other_r = cutoff(cut.first, rule), cutoff(scaled, rule)
    equal = same(r, other_r)
    if r == other_r and r > 0:
        equal &= same(probabilities(cut.first, r, cut.power), probabilities(scaled, other_r, cut.power))
    return Outcome(equal, f"factor {cut.factor}: r = {r} and {other_r}, power {cut.power}")


# The expansion at r < n needs a gap behind the cut-off: rational matrices A + hB.


@dataclass(frozen=True)
class Pencil:
    """A + hB with a cut-off number r under the size."""

    first: Matrix
    second: Matrix
    rank: int

    def at(self, h: Fraction) -> mpmath.matrix:
        """A + hB in the precision in force."""
        rows = [[a + h * b for a, b in zip(x, y, strict=True)] for x, y in zip(self.first, self.second, strict=True)]
        return _real(rows)

    @property
    def relative_gap(self) -> mpmath.mpf:
        """(σ_r − σ_{r+1})/σ_r; 0 where σ_r is not above 10⁻²⁰ of σ_1."""
        with mpmath.workdps(DIGITS):
            values = sorted(mpmath.svd_r(self.at(Fraction(0)), compute_uv=False), reverse=True)
            if not values[self.rank - 1] > values[0] * mpmath.mpf(10) ** -20:
                return mpmath.mpf(0)
            return (values[self.rank - 1] - values[self.rank]) / values[self.rank - 1]

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"A": [list(map(str, row)) for row in self.first], "B": [list(map(str, row)) for row in self.second],
                "r": self.rank}  # fmt: skip


def entropy_of(values: Sequence[Any], r: int, power: Power) -> Any:
    """The entropy of the r largest of descending values, in their own arithmetic."""
    return truncated_entropy(values, Convention("fixed", rank=r, power=power), r=r).value


def rates(left: mpmath.matrix, change: mpmath.matrix, right: mpmath.matrix) -> list[Any]:
    """``σ̇_k = u_kᵀ B v_k`` of every singular value, from the factors of a singular value decomposition."""
    return [(left[:, k].T * change * right[k, :].T)[0] for k in range(right.rows)]


def remainder_order(rests: Sequence[Any], steps: Sequence[Fraction], digits: int) -> float:
    """The order in h of a remainder, between the last two steps; infinite where the digits do not resolve it."""
    if rests[-1] < mpmath.mpf(10) ** (10 - digits):
        return math.inf
    return float(mpmath.log(rests[-2] / rests[-1]) / math.log(steps[-2] / steps[-1]))


def _real(rows: Any) -> mpmath.matrix:
    return mpmath.matrix([[mpmath.mpf(v.numerator) / v.denominator for v in row] for row in rows])


def _pencils(scope: Scope, profile: Profile) -> Iterator[Pencil]:
    """Random integer matrices of size 3 to 5; a cluster inside the top r, which is harmless; one across the cut-off."""
    generator = random.Random(41)
    for trial in range(8 if profile == "quick" else 40):
        n = 3 + trial % 3
        pair = [tuple(tuple(Fraction(generator.randint(-9, 9)) for _ in range(n)) for _ in range(n)) for _ in "AB"]
        yield Pencil(pair[0], pair[1], generator.randint(2, n - 1))
    yield Pencil(_diagonal(3, 3, 1), _swap(0, 1), 2)
    yield Pencil(_diagonal(2, 1, 1), _swap(1, 2), 2)


def _diagonal(*values: int) -> Matrix:
    return tuple(tuple(Fraction(v if i == j else 0) for j in range(len(values))) for i, v in enumerate(values))


def _swap(i: int, j: int) -> Matrix:
    return tuple(tuple(Fraction(int({a, b} == {i, j})) for b in range(3)) for a in range(3))


@stated(
    "entropy.gap-expansion-pencils",
    title="The entropy gap to leading order, at r < n",
    source="ours",
    predicate=r"order at least 1.8 of the remainder between $h = 2^{-14}$ and $2^{-15}$, in 60-digit arithmetic",
    kind="sampled",
    scopes=once({"power": "1"}, {"power": "2"}),
    instances=_pencils,
    assumptions=(
        Assumption(r"$\sigma_r > 0$ and $\sigma_r > \sigma_{r+1}$, by a hundredth of itself", lambda p: p.relative_gap >= 0.01),
    ),
    judges=(entropy_gap_coefficient,),
    mutants=(
        weaker("no-gap", r"$\sigma_r = \sigma_{r+1}$ is allowed", "hundredth"),
        wrong("twice", "the coefficient is twice as large", "constant", factor=2),
        wrong("one-more", "the coefficient is that of r + 1 values", "order", beyond=1),
    ),
)  # fmt: skip
def gap_expansion(pencil: Pencil, scope: Scope, factor: int = 1, beyond: int = 0) -> Outcome:
    r"""For $A$, $B$ with random integer entries (sizes 3 to 5), powers $q = 1, 2$ and fixed $r \ge 2$ with $\sigma_r(A) > \sigma_{r+1}(A)$
    (by a hundredth of itself) and $\sigma_r(A) > 0$,
    $H_r(A + hB) = H_r(A) - h\sum_{k\le r}\dot p_k\log p_k + O(h^2)$,
    $\dot p_k = q\,p_k(\dot\sigma_k/\sigma_k - \sum_{j\le r} p_j\dot\sigma_j/\sigma_j)$, $\dot\sigma_k = u_k^T B v_k$. Equal values
    inside the top $r$ are harmless; across the cut-off they are not: $A = \mathrm{diag}(2,1,1)$, $B$ the exchange of
    the last two, $r = 2$, has gap$/h = 0.154$ for $q = 1$ where the formula gives 0."""
    r = pencil.rank
    power: Power = 1 if scope["power"] == "1" else 2
    with mpmath.workdps(DIGITS):
        left, values, right = mpmath.svd_r(pencil.at(Fraction(0)))
        sigma = list(values)
        moving = rates(left, _real(pencil.second), right)
        predicted = factor * entropy_gap_coefficient(sigma, moving, min(r + beyond, len(sigma)), power)
        rests: list[Any] = []
        for h in STEPS:
            moved = sorted(mpmath.svd_r(pencil.at(h), compute_uv=False), reverse=True)
            gap = entropy_of(moved, r, power) - entropy_of(sigma, r, power)
            rests.append(abs(gap - predicted * h.numerator / h.denominator))
        order = min(remainder_order(rests, STEPS, DIGITS), 2.0)
        slope = float(gap * STEPS[-1].denominator)
    detail = f"r = {r} of {len(sigma)}: gap/h = {slope:.6g}, c = {float(predicted):.6g}, remainder of order {order:.3f}"
    return Outcome(order >= 1.8, detail, margin=order - 1.8, data={"order": order})


CLAIMS = (
    gap_expansion, gap_enclosure, distance_bound, distance_any_cutoff, majorisation_order, rank_monotone, scale_invariance,
)  # fmt: skip
"""Claims about the entropy gap and its bounds."""
