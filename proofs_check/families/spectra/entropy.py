"""Truncated entropy: range, continuity, threshold, majorisation, and the entropy-gap expansion with its covariance."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import flint
import mpmath

from numerics.arithmetic.balls import Enclosure, to_ball
from numerics.matrices.assemble import multiprecision_entries
from numerics.problem.drawn import features
from numerics.problem.problem import Problem
from proofs_check.claims.claim import Assumption, Profile, Scope, Step, stated, weaker, wrong
from proofs_check.claims.comparisons import below, every, less, once, problem, seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.spectra.entropy_bounds import entropy_of, rates, remainder_order
from theory.base.enclosure import Decision, from_comparison
from theory.entropy.bounds import Monotone, fannes_audenaert, ratio_monotone, total_variation
from theory.entropy.conventions import Power
from theory.entropy.entropy import covariance_gap, entropy_gap_coefficient, probabilities, truncated_entropy

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PRECISION = 256
DIGITS = 50
"""Decimal digits of the expansion's check."""


@dataclass(frozen=True)
class Pair:
    """Two spectra of the same length, exact and descending."""

    first: tuple[Fraction, ...]
    second: tuple[Fraction, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"first": [str(v) for v in self.first], "second": [str(v) for v in self.second]}


def _spectrum(generator: random.Random, n: int) -> tuple[Fraction, ...]:
    """A random spectrum whose values span up to six decades."""
    return tuple(
        sorted((Fraction(generator.randint(1, 10 ** generator.randint(1, 6))) for _ in range(n)), reverse=True)
    )


def _pairs(scope: Scope, profile: Profile) -> Iterator[Pair]:
    generator = random.Random(20240514)
    for _ in range(200 if profile == "quick" else 2000):
        n = generator.randint(2, 12)
        yield Pair(_spectrum(generator, n), _spectrum(generator, n))
    for n in range(
        2, 13
    ):  # the extreme pairs of Fannes and Audenaert, nearly: 1 against 1 − T and the rest spread evenly
        for top in (10, 1):
            yield Pair((Fraction(10**6), *[Fraction(1)] * (n - 1)), (Fraction(top), *[Fraction(1)] * (n - 1)))


def _pair_space(scope: Scope) -> SearchStrategy[Pair]:
    from proofs_check.search import spaces as search_spaces

    return search_spaces.pairs(Pair)


def _gap_space(scope: Scope) -> SearchStrategy[Problem]:
    """Two features at least, of different frequencies: with one |w| the gap vanishes and has no leading order."""
    from proofs_check.search import spaces as search_spaces

    return search_spaces.like(problem(scope["activation"], size=6), least=2, frequencies=True)


def _lifted_space(scope: Scope) -> SearchStrategy[Pair]:
    from proofs_check.search import spaces as search_spaces

    return search_spaces.lifted(Pair)


def _ball(value: Fraction) -> flint.arb:
    return to_ball(Enclosure.exact(value), PRECISION)


def _entropy(values: tuple[Fraction, ...], power: Power = 1) -> flint.arb:
    return entropy_of([_ball(v) for v in values], len(values), power)


RANDOM = once({"spectra": "random rationals"})


@stated(
    "entropy.range",
    title="The entropy lies between 0 and log r",
    source="classical (Jensen)",
    predicate=r"$0 \le H \le \log r$ in ball arithmetic, both powers, on random rational spectra, $r \le 12$",
    kind="ball",
    scopes=RANDOM,
    instances=_pairs,
    assumptions=(Assumption("the values are not all equal", lambda pair: len(set(pair.first)) > 1),),
    search=_pair_space,
    judges=(truncated_entropy,),
    mutants=(
        wrong("log-of-r-minus-1", "the ceiling is log(r − 1)", "constant", less=1),
        wrong("square-of-log", "the ceiling is (log r)²", "exponent", exponent=2),
    ),
)
def entropy_range(pair: Pair, scope: Scope, less: int = 0, exponent: int = 1) -> Outcome:
    r"""$0 \le H \le \log r$ for $r$ positive values kept, not all equal, under the powers 1 and 2 (random rational
    spectra, $r \le 12$)."""
    with flint.ctx.workprec(PRECISION):
        high = flint.arb(max(len(pair.first) - less, 1)).log() ** exponent
        found = [_entropy(pair.first, 1), _entropy(pair.first, 2)]
        decision = every(one for h in found for one in (below(0, h), below(h, high)))
        largest = max(found, key=float)
        return Outcome(decision, f"H = {float(found[0]):.6f} and {float(found[1]):.6f} for powers 1 and 2, ceiling "
                       f"{float(high):.6f}", float(high - largest))  # fmt: skip


@stated(
    "entropy.fannes-audenaert",
    title="Continuity of the entropy",
    source="K. M. R. Audenaert, J. Phys. A 40 (2007) 8127",
    predicate=r"the inequality in ball arithmetic, both powers, on random rational spectra, $r \le 12$",
    kind="ball",
    scopes=RANDOM,
    instances=_pairs,
    assumptions=(Assumption("the two spectra differ", lambda pair: pair.first != pair.second),),
    search=_pair_space,
    judges=(fannes_audenaert, total_variation),
    mutants=(
        wrong("without-binary-entropy", "the term h₂(T) is dropped", "predicate", with_binary_entropy=False),
        wrong("a-tenth-less", "nine tenths of T log(r − 1)", "constant", share=Fraction(9, 10)),
    ),
)
def continuity(pair: Pair, scope: Scope, with_binary_entropy: bool = True, share: Fraction = Fraction(1)) -> Outcome:
    r"""For two spectra of $r \ge 2$ positive values, powers 1 and 2, $|H - H'| \le T\log(r-1) + h_2(T)$ with
    $T = \tfrac12\|p - p'\|_1$ and the binary entropy $h_2$ (rational spectra, random ones and some that nearly
    attain it, $r \le 12$)."""
    power: Power
    for power in (1, 2):
        with flint.ctx.workprec(PRECISION):
            r = len(pair.first)
            p, q = (probabilities(v, r, power) for v in (pair.first, pair.second))
            distance = _ball(total_variation(p, q))
            gap = abs(_entropy(pair.first, power) - _entropy(pair.second, power))
            spread = distance * flint.arb(r - 1).log()
            bound = fannes_audenaert(distance, r, exact=True) if with_binary_entropy else spread
            bound = bound - spread * _ball(1 - share)
            decision = from_comparison(True) if p == q else below(gap, bound)
            outcome = Outcome(decision, f"power {power}: |H − H'| = {float(gap):.6f} ≤ {float(bound):.6f}",
                              float(bound - gap))  # fmt: skip
        if outcome.holds is not True:
            break
    return outcome


NEAR = Fraction(1, 10**6)
"""Indices whose p_k e^H is this near to 1 are left out."""
NUDGE = 1 + Fraction(1, 10**12)
"""The growth of a singular value that stands for an infinitesimal one."""


@stated(
    "entropy.threshold",
    title="When raising a singular value raises the entropy",
    source="ours",
    predicate=r"for each $k$ with $|p_k e^{H} - 1| > 10^{-6}$, the sign of the change of $H$ when "
    r"$\sigma_k$ grows by $10^{-12}$ of itself, in ball arithmetic, and the slope within $10^{-9}$; $q = 1$ and "
    "$q = 2$, random rational spectra, all values kept",
    kind="ball",
    scopes=RANDOM,
    instances=lambda scope, profile: [p for i, p in enumerate(_pairs(scope, profile)) if i % 5 == 0],
    search=_pair_space,
    judges=(truncated_entropy,),
    mutants=(
        wrong("half-the-threshold", "the threshold is half as large", "constant", factor=Fraction(1, 2)),
        wrong("reversed", "raising σ_k then lowers H", "sign", sign=-1),
        wrong("finite", "raising σ_k fiftyfold, or by any factor, does so too", "assumption", growth=Fraction(50)),
    ),
)
def threshold(
    pair: Pair, scope: Scope, factor: Fraction = Fraction(1), sign: int = 1, growth: Fraction = NUDGE
) -> Outcome:
    r"""At fixed $r$ and for $q = 1, 2$, $\partial H/\partial\log\sigma_k = -q\,p_k(\log p_k + H)$: raising
    $\sigma_k$ infinitesimally raises $H$ when $p_k < e^{-H}$ and lowers it when $p_k > e^{-H}$. (A finite rise need
    not: $\sigma = (2, 1)$, $\sigma_2 \to 100$.) Random rational spectra, $r \le 12$."""
    first = _raised(pair.first, 1, factor, sign, growth)
    return first if first.holds is not True else _raised(pair.first, 2, factor, sign, growth)


def _raised(values: tuple[Fraction, ...], power: Power, factor: Fraction, sign: int, growth: Fraction) -> Outcome:
    """Whether σ_k times ``growth`` raises H just where p_k < factor · e^{−H} (lowers it where the sign is −1)."""
    with flint.ctx.workprec(PRECISION):
        entropy = _entropy(values, power)
        shares = [_ball(p) for p in probabilities(values, len(values), power)]
        found: list[Decision] = []
        for k, (share, value) in enumerate(zip(shares, values, strict=True)):
            ratio = share / (-entropy).exp()
            raised = sorted((*values[:k], value * growth, *values[k + 1 :]), reverse=True)
            change = _entropy(tuple(raised), power) - entropy
            scaled = ratio / _ball(factor)
            if (less(abs(ratio - 1), NEAR) | less(abs(scaled - 1), NEAR)).holds:
                continue  # a nudge of 1e-12 does not decide at the threshold itself
            rises, under = less(0, change), less(scaled, 1)
            should = under if sign > 0 else ~under
            found.append((rises & should) | (~rises & ~should))
            if found[-1].holds is not True:
                told = {True: "rises", False: "falls", None: "changes by what is not decided"}[rises.holds]
                detail = f"power {power}, index {k + 1}: p_k e^H = {float(ratio):.4f}, H {told}"
                return Outcome(found[-1], detail, data={"index": k, "power": power})
            # ∂H/∂log σ_k = −q p_k (log p_k + H), against the quotient of the nudge
            slope = -power * share * (share.log() + entropy)
            quotient = change / _ball(growth - 1)
            near = less(abs(quotient - slope), Fraction(1, 10**9))
            if growth == NUDGE and near.holds is not True:
                detail = f"power {power}, index {k + 1}: slope {float(quotient):.6g}, formula {float(slope):.6g}"
                return Outcome(near, detail)
        detail = (
            f"{len(found)} decisions at {len(values)} indices as predicted, H = {float(entropy):.4f} with power {power}"
        )
    return Outcome(every(found) if found else None, detail)


def _lifted(scope: Scope, profile: Profile) -> Iterator[Pair]:
    """Pairs with monotone ratios second/first, and pairs without."""
    generator = random.Random(31)
    for trial in range(100 if profile == "quick" else 1000):
        n = generator.randint(2, 10)
        first = _spectrum(generator, n)
        factors = sorted((Fraction(generator.randint(1, 100), 50) for _ in range(n)), reverse=bool(trial % 2))
        second = tuple(f * a for f, a in zip(factors, first, strict=True))
        yield Pair(first, second)
        yield Pair(first, _spectrum(generator, n))


def _ratio_direction(pair: Pair) -> int:
    """+1 when second/first is non-decreasing in k, −1 when non-increasing, 0 otherwise (and for equal ones)."""
    found = ratio_monotone(pair.first, pair.second)
    return {Monotone.NON_DECREASING: 1, Monotone.NON_INCREASING: -1}.get(found, 0)


_descending = Assumption(
    "both spectra are in descending order at the same indices",
    lambda pair: all(list(v) == sorted(v, reverse=True) for v in (pair.first, pair.second)),
)
_monotone = Assumption(
    r"$\sigma'_k/\sigma_k$ is monotone in $k$ and not constant", lambda pair: _ratio_direction(pair) != 0
)


@stated(
    "entropy.ratio-majorisation",
    title="Monotone ratios order the entropies",
    source="ours, from A. W. Marshall, I. Olkin, B. C. Arnold, Inequalities (2011), proposition 5.B.1",
    predicate=r"the order of the entropies in ball arithmetic, on random rational spectra, $r \le 10$",
    kind="ball",
    scopes=once({"power": "1"}, {"power": "2"}),
    instances=_lifted,
    assumptions=(_descending, _monotone),
    search=_lifted_space,
    judges=(ratio_monotone, truncated_entropy),
    mutants=(
        wrong("reversed", "the order of the entropies is reversed", "sign", sign=-1),
        weaker("any-ratios", "the ratios need not be monotone", "monotone"),
    ),
)
def ratio_majorisation(pair: Pair, scope: Scope, sign: int = 1) -> Outcome:
    r"""Let $\sigma_1 \ge \dots \ge \sigma_r > 0$ and $\sigma'_1 \ge \dots \ge \sigma'_r > 0$ both descend at the
    same indices, powers 1 and 2. If $\sigma'_k/\sigma_k$ is non-decreasing in $k \le r$ and not constant then $H' \ge H$;
    if non-increasing and not constant, $H' \le H$. So a tail lifted by one factor over an equal head contradicts
    S3 at fixed $r$ (random rational spectra, $r \le 10$)."""
    direction = sign * (_ratio_direction(pair) or 1)
    with flint.ctx.workprec(PRECISION):
        power: Power = 1 if scope["power"] == "1" else 2
        gap = _entropy(pair.second, power) - _entropy(pair.first, power)
        decision = below(0, gap) if direction > 0 else below(gap, 0)
        return Outcome(decision, f"H' − H = {float(gap):.6g} with ratios of direction {direction:+d}",
                       margin=direction * float(gap))  # fmt: skip


STEPS = (Fraction(1, 40), Fraction(1, 80), Fraction(1, 160))
"""Steps at which the remainder of the expansion is compared."""


def _gap_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 4, 12):
        yield problem(scope["activation"], seed=seed, size=6, scale=1)
    for points in (4, 8):
        yield problem(scope["activation"], size=6, points=points)
    if scope["activation"] == "gaussian":  # σ'' vanishes at ±1: a row of A_AD is 0, and that of A_FD is not
        yield Problem(
            activation_name="gaussian",
            weights=((Fraction(1),), (Fraction(2),)),
            biases=(Fraction(0), Fraction(-1)),
            count=2,
            interior=((Fraction(1, 3),), (Fraction(1),)),
        )


def _has_full_rank(instance: Problem) -> bool:
    """Whether σ_n is more than 10⁻²⁰ of σ_1, far above the errors of 50 digits."""
    values = list(_svd(instance)[2])
    return bool(min(values) > max(values) * mpmath.mpf(10) ** -20)


_full_rank = Assumption(r"$\sigma_n > 0$, by $10^{-20}$ of $\sigma_1$", _has_full_rank)


@lru_cache(maxsize=256)
def _svd(instance: Problem) -> tuple[Any, Any, Any, Any]:
    """A_AD with its singular value decomposition in multiprecision."""
    with mpmath.workdps(DIGITS):
        matrix = multiprecision_entries(instance, "ad")(DIGITS)
        left, values, right = mpmath.svd_r(matrix)
        return matrix, left, values, right


@lru_cache(maxsize=1024)
def _entropy_at(instance: Problem, power: Power) -> Any:
    """The entropy of A_FD with all singular values kept, in multiprecision."""
    with mpmath.workdps(DIGITS):
        values = sorted(mpmath.svd_r(multiprecision_entries(instance, "fd")(DIGITS), compute_uv=False), reverse=True)
        return entropy_of(values, len(values), power)


def _general(instance: Problem, power: Power) -> Any:
    """The predicted coefficient of h² in H_FD − H_AD: B = (1/12) ∂⁴ φ_j(x_i) leads the central second difference."""
    _, left, values, right = _svd(instance)
    fourth = multiprecision_entries(instance.with_(operator_text="u_xxxx"), "ad")(DIGITS) / 12
    return entropy_gap_coefficient(list(values), rates(left, fourth, right), len(values), power)


def _covariance(instance: Problem, power: Power) -> Any:
    """The same for sine and cosine features."""
    _, _, values, right = _svd(instance)
    weights = [mpmath.mpf(w.numerator) / w.denominator for (w,) in features(instance).weights]
    f = [sum(w**2 * right[k, j] ** 2 for j, w in enumerate(weights)) for k in range(len(values))]
    return covariance_gap(probabilities(list(values), len(values), power), f, power, Fraction(-1, 12))


def _remainder(
    instance: Problem, scope: Scope, coefficient: Callable[[Problem, Power], Any], factor: Fraction
) -> Outcome:
    """The remainder H_FD − H_AD − c h² must vanish like h⁴: fitted order at least 3.5; c times ``factor``."""
    power: Power = 1 if scope["power"] == "1" else 2
    with mpmath.workdps(DIGITS):
        values = list(_svd(instance)[2])
        base = entropy_of(values, len(values), power)
        predicted = coefficient(instance, power) * factor.numerator / factor.denominator
        gaps = [_entropy_at(instance.with_(step=(h,)), power) - base for h in STEPS]
        left = [abs(gap - predicted * h.numerator**2 / mpmath.mpf(h.denominator) ** 2)
                for gap, h in zip(gaps, STEPS, strict=True)]  # fmt: skip
        # A remainder that the digits do not resolve is none, as of one value, whose entropy is 0.
        order = remainder_order(left, STEPS, DIGITS)
        order = 4.0 if math.isinf(order) else order
        share = float(left[-1] / abs(gaps[-1])) if gaps[-1] else 0.0
    return Outcome(
        order >= 3.5,
        f"remainder of order {order:.3f}, {share:.1e} of the gap at h = {STEPS[-1]}",
        margin=order - 3.5,
        data={"order": order, "coefficient": float(predicted)},
    )


@stated(
    "entropy.gap-expansion",
    title="The entropy gap to leading order",
    source="ours",
    predicate="the remainder has fitted order at least 3.5 in $h$ (the next term is $h^4$), in 50-digit arithmetic; six "
    "features, 4, 6 and 8 points, all values kept (r < n: claim entropy.gap-expansion-pencils)",
    kind="sampled",
    scopes=once(*({"activation": a, "power": q} for a in ("sin", "tanh", "gaussian") for q in ("1", "2"))),
    instances=_gap_instances,
    search=_gap_space,
    assumptions=(_full_rank,),
    judges=(entropy_gap_coefficient,),
    mutants=(
        weaker(
            "rank-deficient", "a singular value of A_AD may be 0", "sigma_n", {"activation": "gaussian", "power": "1"}
        ),
        wrong("one-per-cent", "the coefficient is a hundredth larger", "constant", factor=Fraction(101, 100)),
        wrong("sign", "the coefficient has the other sign", "sign", factor=Fraction(-1)),
    ),
)
def gap_expansion(instance: Problem, scope: Scope, factor: Fraction = Fraction(1)) -> Outcome:
    r"""With all $n$ values kept, $\sigma_n > 0$ and
    $A_{FD} = A_{AD} + h^p B + o(h^p)$ (checked: the central second difference, $p = 2$, six features, 4 to 8 points; $r < n$: claim
    entropy.gap-expansion-pencils): $H_{FD} - H_{AD} = -h^p\sum_k \dot p_k\log p_k + o(h^p)$,
    $\dot p_k = q\,p_k(\dot\sigma_k/\sigma_k - \sum_j p_j\dot\sigma_j/\sigma_j)$, $\dot\sigma_k = u_k^T B v_k$."""
    return _remainder(instance, scope, _general, factor)


@stated(
    "entropy.covariance",
    title="The AD–FD gap is a covariance to leading order",
    source="ours",
    predicate="the remainder has fitted order at least 3.5 in $h$, in 50-digit arithmetic",
    kind="sampled",
    scopes=once(*({"activation": a, "power": q} for a in ("sin", "cos") for q in ("1", "2"))),
    instances=_gap_instances,
    search=_gap_space,
    assumptions=(
        Assumption(r"$\sigma = \sin$ or $\cos$, interior rows only",
                   lambda p: p.activation.name in {"sin", "cos"} and not p.boundary),
        _full_rank,
    ),
    derivation=(
        Step(r"$A_{FD} = A_{AD}\,\mathrm{diag}(m(hw_j))$, $m(\theta) = 1 - \theta^2/12 + O(\theta^4)$",
             "claim spectra.sine-factorisation", "claim"),
        Step(r"$\dot\sigma_k/\sigma_k = -\tfrac1{12}v_k^T\mathrm{diag}(w^2)v_k$",
             "first-order perturbation of singular values", "cited"),
        Step(r"insert into the entropy-gap expansion", "claim entropy.gap-expansion", "claim"),
    ),
    judges=(covariance_gap,),
    mutants=(
        wrong("one-sixth", "1/6 instead of 1/12", "constant", factor=Fraction(2)),
        wrong("sign", "the covariance has the other sign", "sign", factor=Fraction(-1)),
    ),
)  # fmt: skip
def covariance(instance: Problem, scope: Scope, factor: Fraction = Fraction(1)) -> Outcome:
    r"""For sine or cosine features, interior rows only, all values kept, $\sigma_n > 0$ and the central second difference of order 2,
    with $f_k = v_k^T\mathrm{diag}(w^2)v_k$:
    $H_{FD} - H_{AD} = q\,\tfrac{h^2}{12}\,\mathrm{Cov}_p(f, \log p) + O(h^4)$ (checked: $\partial^2$, six features, 4 to 8 points)."""
    return _remainder(instance, scope, _covariance, factor)


CLAIMS = (entropy_range, continuity, threshold, ratio_majorisation, gap_expansion, covariance)
"""Claims about truncated entropy."""
