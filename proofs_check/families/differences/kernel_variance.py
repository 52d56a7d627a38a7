"""The mean squared distance of an empirical kernel from its limit is a variance over the width; how many features are enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, isqrt
from typing import Any, cast

import flint

from numerics.arithmetic.balls import Enclosure, ball, from_ball
from numerics.entropy.sampling import Sampling, sampling
from numerics.matrices.assemble import float_matrix
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import Method, Problem
from numerics.spectra.fourth_moments import entry_variances
from numerics.spectra.kernels import kernel_spectrum, limit_entries
from numerics.spectra.spectrum import floating_singular_values
from proofs_check.claims.claim import TYPICAL, Profile, Scope, Step, stated, wrong
from proofs_check.claims.comparisons import below, every, less, once, same
from proofs_check.claims.verdicts import Outcome
from theory.base.exact import spell
from theory.entropy.conventions import Convention
from theory.entropy.entropy import truncated_entropy
from theory.features.laws import Discrete, law

DIGITS = 30
EQUAL = Fraction(1, 10**20)
"""Two enclosed numbers count as equal within this, relative to the first."""
VALUES: tuple[tuple[Fraction | int, ...], ...] = (
    (1, 2),
    (Fraction(1, 2), Fraction(-5, 3)),
    (3, Fraction(1, 3)),
    (Fraction(7, 4), -2),
    (0, Fraction(5, 2)),
)

OFFSETS: tuple[tuple[Fraction | int, ...], ...] = ((0, 1), (Fraction(-1, 3), 2))


def _laws(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for w, b in product(VALUES[: 1 if profile == "quick" else 5], OFFSETS):
        yield Problem(
            activation_name=scope["activation"], weights=Discrete(tuple(Fraction(v) for v in w)),
            biases=Discrete(tuple(Fraction(v) for v in b)), count=1, interior=(3,), boundary=(), step=(Fraction(1, 2),),
        )  # fmt: skip


@lru_cache(maxsize=256)
def _squares(instance: Problem, method: Method, kernel: str) -> Enclosure:
    """The squared Frobenius norm of a kernel, from its eigenvalues."""
    values = kernel_spectrum(instance, method, kernel, DIGITS).values  # type: ignore[arg-type]
    return sum((Enclosure(max(v.lower, Fraction(0)) ** 2, v.upper**2) for v in values), Enclosure.exact(0))


@stated(
    "kernels.empirical-variance",
    title="The mean squared error of an empirical kernel is a variance over the width",
    source="classical (variance of a mean)",
    predicate=r"all $4^M$ draws enumerated, M = 1, 2, 3, $E\|G_M\|_F^2 - \|K\|_F^2$ against $(E\|G_1\|_F^2 - \|K\|_F^2)/M$: enclosures that agree to "
    "1e-20, K from its closed form",
    kind="ball",
    scopes=once(*({"activation": a, "method": m} for a in ("sin", "cos") for m in ("ad", "fd"))),
    instances=_laws,
    derivation=(
        Step(r"$E\|G_M - K\|_F^2 = E\|G_M\|_F^2 - \|K\|_F^2$", "E G_M = K"),
        Step(r"$G_M - K$ is the mean of $M$ independent copies of $G_1 - K$, whose mean is 0", "independent features"),
    ),
    judges=(kernel_spectrum,),
    mutants=(
        wrong(
            "root",
            "over 1, 7/5 and 7/4, the root of the width",
            "exponent",
            divisors=(1, Fraction(7, 5), Fraction(7, 4)),
        ),
        wrong("a-hundredth", "one hundredth more at M = 3", "constant", divisors=(1, 2, Fraction(300, 101))),
    ),
)
def empirical_variance(instance: Problem, scope: Scope, divisors: tuple[Fraction | int, ...] = (1, 2, 3)) -> Outcome:
    r"""For $M$ independent features whose weights and biases take two values each, $G_M = A A^T/M$ and $K = E\,G_M$:
    $E\|G_M - K\|_F^2 = (E\|a\|^4 - \|K\|_F^2)/M$, $a$ one column of A (sine and cosine features of $u_{xx}$, three points, AD and
    FD with $h = 1/2$; $M$ = 1, 2, 3)."""
    method = cast(Method, scope["method"])
    weights, biases = (cast(Discrete, law).values for law in (instance.weights, instance.biases))
    pairs = list(product(weights, biases))
    limit = _squares(instance, method, "limit")
    checks, single, said = [], Enclosure.exact(0), []
    for width, divisor in enumerate(divisors, 1):
        total = Enclosure.exact(0)
        draws = Counter(
            tuple(sorted(drawn)) for drawn in product(pairs, repeat=width)
        )  # the order of features is none of A Aᵀ
        for drawn, count in draws.items():
            case = instance.with_(weights=tuple((w,) for w, _ in drawn), biases=tuple(b for _, b in drawn), count=width)
            total = total + _squares(case, method, "empirical").scaled(Fraction(count))
        variance = total.scaled(Fraction(1, len(pairs) ** width)) - limit
        single = variance if width == 1 else single
        expected = single.scaled(Fraction(1) / divisor)
        room = EQUAL * limit.upper
        checks += [below(variance - expected, room), below(expected - variance, room)]
        said.append(f"{float(variance.middle):.6g}")
    return Outcome(every(checks), "mean squared distance " + ", ".join(said))


WAYS: tuple[tuple[str, str, str, str], ...] = (
    ("sin", "normal(1/3, 2)", "discrete(0, 1)", "u_xx"),
    ("cos", "laplace(0, 1/4)", "constant(1)", "u_xx"),
    ("sin", "uniform(-2, 1)", "discrete(0, 2)", "u"),
    ("exp", "discrete(1, -2)", "uniform(0, 2)", "u_xx"),
)
"""Activation, weights, biases and operator: at most one law is integrated."""
NEAR = Fraction(1, 10**12)
"""Relative distance within which a closed form and an integral agree."""


def _of_laws(activation: str, weights: str, biases: str, operator: str, points: int = 2) -> Problem:
    return Problem(
        operator_text=operator, activation_name=activation, weights=law(weights), biases=law(biases), count=1,
        interior=(points,), boundary=(), step=(Fraction(1, 4),),
    )  # fmt: skip


@stated(
    "kernels.variance-of-laws",
    title="The variance of an empirical kernel under continuous laws",
    source="ours",
    predicate=r"$\mathrm{Var}(a_i a_l)$ in closed form, with $K$ from moments, against the integral of $a_i^2a_l^2$ and $a_ia_l$ by FLINT's "
    "certified integrator, tails by moments; two points, $h = 1/4$: enclosures that agree to 1e-12 of the value",
    kind="ball",
    scopes=lambda profile: tuple(
        {"activation": a, "weights": w, "biases": b, "operator": o, "method": m}
        for a, w, b, o in (WAYS[1:] if profile == "quick" else WAYS)
        for m in (("ad",) if profile == "quick" else ("ad", "fd"))
    ),
    instances=lambda scope, profile: (
        _of_laws(scope["activation"], scope["weights"], scope["biases"], scope["operator"]),
    ),
    derivation=(
        Step(r"$E\|G_M - K\|_F^2 = V/M$", "claim kernels.empirical-variance", "claim"),
        Step(r"a product of four sines is a sum of eight cosines, whose means are moments under the Fourier transform", "Euler"),
    ),
    judges=(entry_variances,),
    rests_on=("kernels.empirical-variance", "laws.characteristic-functions"),
    mutants=(
        wrong("half", "half of it", "constant", factor=Fraction(1, 2)),
        wrong("second-moment", "E a_i² a_l² without the square of the mean", "predicate", centred=False),
        wrong("ten-digits", "wrong by 1e-10", "constant", factor=1 + Fraction(1, 10**10)),
    ),
)  # fmt: skip
def variance_of_laws(instance: Problem, scope: Scope, factor: Fraction = Fraction(1), centred: bool = True) -> Outcome:
    r"""For $M$ independent sine, cosine or exponential features under the laws of the cell, $G_M = A A^T/M$ and $K = E\,G_M$:
    $E\|G_M - K\|_F^2 = V/M$ with $V = \sum_{il} (E\,a_i^2a_l^2 - K_{il}^2)$ and the stated closed forms of its terms, $a_i =
    L\varphi(x_i)$ or $L_h\varphi(x_i)$ (checked: two points; $\varphi$ itself and $u_{xx}$)."""
    method = cast(Method, scope["method"])
    found = entry_variances(instance, method)(BITS)
    other = entry_variances(instance, method, "integral")(BITS)
    with flint.ctx.workprec(BITS):
        if not centred:
            mean = limit_entries(instance, method)(BITS)
            found = flint.arb_mat([[found[i, k] + mean[i, k] ** 2 for k in range(2)] for i in range(2)])
        pairs = [(ball(factor) * a, b) for a, b in zip(found.entries(), other.entries(), strict=True)]
        checks = [below(abs(a - b), ball(NEAR) * b) for a, b in pairs]
        total = sum((a for a, _ in pairs), flint.arb(0))
    return Outcome(every(checks), f"V = {float(total):.12g}")


BITS = 64
"""Of the closed form and of the integral."""
SIZES = {"quick": (60,), "full": (60, 400)}


QUARTER = Fraction(11, 7)
"""Nearly π/2: features with the biases 0 and 11/7 are nearly orthogonal on a symmetric grid."""
SHARES: tuple[tuple[int, Fraction], ...] = ((1, Fraction(3, 5)), (4, Fraction(1, 4)))
"""How many times as often the first bias is drawn, and τ."""


def _two_atoms(scope: Scope, profile: Profile) -> Iterator[Width]:
    for times, tau in SHARES:
        biases = Discrete((Fraction(0),) * times + (QUARTER,))
        base = _of_laws(scope["activation"], "constant(2)", str(biases), "u_xx")
        for count in SIZES[profile]:
            yield Width(base, tau, count)


@dataclass(frozen=True)
class Width:
    """A problem with laws, the threshold of the relative rule, and a number of features (0: as many as are enough)."""

    problem: Problem
    tau: Fraction
    count: int = 0
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"problem": self.problem.to_dict(), "tau": spell(self.tau), "count": self.count, "seed": self.seed}


@lru_cache(maxsize=64)
def _sampling(problem: Problem, method: str, convention: Convention) -> Sampling:
    return sampling(problem, cast(Method, method), convention)


_FD = {"activation": "sin", "method": "fd", "power": "2"}


@stated(
    "kernels.sampled-cutoff",
    title="The cut-off number of a sampled kernel is that of its limit, with a stated probability",
    source="ours, from Chebyshev, Weyl, Hoffman and Wielandt (1953), and Audenaert (2007)",
    predicate=r"$w = 2$, the bias 0 or 11/7, equally or 4 to 1, all draws (by how often 0 occurs), $M = 60$ (full: 400 as well), relative rule $3/5$ and $1/4$: the "
    r"probability of another $r$, and the entropy of every draw with $\|G_M - K\|_F < \delta$, in balls",
    kind="ball",
    scopes=lambda profile: tuple(
        {"activation": a, "method": m, "power": q}
        for m, q in (("fd", "2"), ("ad", "1"))
        for a in (("sin",) if profile == "quick" else ("sin", "cos"))
    ),
    instances=_two_atoms,
    derivation=(
        Step(r"$P(\|G_M - K\|_F \ge \delta) \le V/(M\delta^2)$", "Chebyshev; claim kernels.empirical-variance", "claim"),
        Step(r"$\sum_k (\lambda_k(G) - \lambda_k(K))^2 \le \|G - K\|_F^2$", "Hoffman and Wielandt, Duke Math. J. 20 (1953) 37", "cited"),
    ),
    judges=(sampling,),
    rests_on=("kernels.empirical-variance", "entropy.fannes-audenaert"),
    mutants=(
        wrong("hundredth", "a hundredth of the probability", "constant", _FD, share=Fraction(1, 100)),
        wrong("wider", "3/2 of the distance leaves r as it is", "assumption", _FD, room=Fraction(3, 2)),
        wrong("tighter", "a third of the entropy bound", "constant", _FD, sharper=3),
    ),
)  # fmt: skip
def sampled_cutoff(
    instance: Width, scope: Scope, share: Fraction = Fraction(1), room: Fraction = Fraction(1), sharper: int = 1
) -> Outcome:
    r"""Let $\delta$ be the distance of the cut from the spectrum of $K = E\,G_M$: $P(r(G_M) \ne r(K)) \le V/(M\delta^2)$, and where
    $\|G_M - K\|_F < \varepsilon \le \delta$ the cut-off numbers agree and $|H(G_M) - H(K)| \le B(\varepsilon)$, the bound of Fannes
    and Audenaert for $T = \sqrt r\,\varepsilon/\sum\lambda_k$ (power 2) or $\varepsilon(\sum 1/\lambda_k)^{1/2}/\sum\sqrt{\lambda_k}$ (power 1),
    sums over $k \le r$."""
    problem, method = instance.problem, cast(Method, scope["method"])
    rule = Convention("relative", instance.tau, int(scope["power"]))  # type: ignore[arg-type]
    known = _sampling(problem, method, rule)
    (first, *_, last), values = problem.biases.values, problem.biases.values  # type: ignore[union-attr]
    mean = Fraction(values.count(first), len(values))
    drawn = problem.with_(weights=((Fraction(2),),) * 2, biases=(first, last), count=2)
    with flint.ctx.workprec(PRECISION):
        columns = ball_entries(drawn, method)(PRECISION)
        gram = columns.transpose() * columns
        one, two, cross = gram[0, 0], gram[1, 1], gram[0, 1]
        apart = (one * one + two * two - 2 * cross * cross).sqrt()  # ‖a₁a₁ᵀ − a₂a₂ᵀ‖_F
        reached = truncated_entropy(_spectrum(one, two, cross, mean), rule).value
        checks, bad = [], Fraction(0)
        for k in range(instance.count + 1):
            p = Fraction(k, instance.count)
            found = truncated_entropy(_spectrum(one, two, cross, p), rule)
            distance = from_ball(ball(abs(p - mean)) * apart).upper
            near = less(distance, room * known.distance).holds is True
            if near:
                checks.append(same(found.cutoff, known.cutoff))
                if found.cutoff == known.cutoff and found.value is not None and reached is not None:
                    bound = known.entropy_bound(distance + Fraction(1, 2**64)) / sharper
                    checks.append(below(abs(found.value - reached), bound))
            if found.cutoff != known.cutoff:
                bad += comb(instance.count, k) * mean**k * (1 - mean) ** (instance.count - k)
        most = share * known.variance.upper / (instance.count * known.distance**2)
        checks.append(below(bad, most))
    return Outcome(every(checks), f"M = {instance.count}: P(r differs) = {float(bad):.3e}, at most {float(most):.3e}")


PRECISION = 128
"""Bits of the enumeration."""


def _spectrum(one: flint.arb, two: flint.arb, cross: flint.arb, p: Fraction) -> list[flint.arb]:
    """Square roots of the two eigenvalues of ``p a₁a₁ᵀ + (1 − p) a₂a₂ᵀ``, from the entries of the Gram matrix."""
    trace = ball(p) * one + ball(1 - p) * two
    if p in (0, 1):
        return [trace.sqrt(), flint.arb(0)]
    determinant = ball(p * (1 - p)) * (one * two - cross * cross)
    larger = (trace + (trace * trace - 4 * determinant).sqrt()) / 2
    return [larger.sqrt(), (determinant / larger).sqrt()]


DOUBT = Fraction(1, 10)
ENOUGH: dict[str, tuple[str, str, str, str, Fraction, int]] = {
    "u, two points": ("cos", "uniform(-4, 4)", "uniform(-4, 4)", "u", Fraction(1, 2), 2),
    "u_xx, uniform weights": ("sin", "uniform(-4, 4)", "uniform(-4, 4)", "u_xx", Fraction(1, 2), 3),
    "u, normal weights": ("cos", "normal(0, 2)", "uniform(0, 2)", "u", Fraction(1, 2), 3),
    "u, the bump": ("gaussian", "normal(0, 1)", "normal(0, 1)", "u", Fraction(1, 4), 3),
}
"""Activation, weights, biases, operator, τ, points."""


def _drawn(scope: Scope, profile: Profile) -> Iterator[Width]:
    activation, weights, biases, operator, tau, points = ENOUGH[scope["features"]]
    for seed in range(29 if profile == "quick" else 90):
        yield Width(_of_laws(activation, weights, biases, operator, points), tau, seed=seed)


@stated(
    "kernels.enough-features",
    title="So many features give the kernel's cut-off number and nearly its entropy",
    source="ours",
    predicate=r"two or three points, $h = 1/4$, relative rule 1/2 (bump: 1/4), power 2: draws of the $M_0$ features that the bound asks for at "
    "probability 9/10, in float64: the cut-off number of $K$, and its entropy within the bound",
    kind="sampled",
    scopes=lambda profile: tuple(
        {"features": name, "method": m} for name in ENOUGH for m in ("ad", "fd")
    )[: 1 if profile == "quick" else None],
    instances=_drawn,
    quantifier=TYPICAL,
    judges=(sampling,),
    rests_on=("kernels.sampled-cutoff", "kernels.variance-of-laws"),
    mutants=(
        wrong("fourth-root", "the fourth root of so many are enough", "exponent", {"features": "u_xx, uniform weights", "method": "ad"}, root=True),
        wrong("tighter", "the entropy is within a hundredth of the bound", "constant",
            {"features": "u_xx, uniform weights", "method": "ad"}, sharper=100),
    ),
)  # fmt: skip
def enough_features(instance: Width, scope: Scope, root: bool = False, sharper: int = 1) -> Outcome:
    r"""With $M_0 = \lceil 10V/\delta^2\rceil$ independent features, in at least 9 of 10 draws the cut-off number of $G_M$ is that of $K$ and
    $|H(G_M) - H(K)| \le B(\sqrt{10V/M_0})$ (claim kernels.sampled-cutoff says what $V$, $\delta$ and $B$ are)."""
    rule = Convention("relative", instance.tau, 2)
    known = _sampling(instance.problem, scope["method"], rule)
    count = known.enough(DOUBT)
    bound = float(known.entropy_bound(known.reach(count, DOUBT))) / sharper
    drawn = isqrt(isqrt(count)) if root else count
    case = instance.problem.with_(count=drawn, seed=instance.seed)
    values = floating_singular_values(float_matrix(case, cast(Method, scope["method"]), "float64"))
    found = truncated_entropy(values, rule)
    wanted = truncated_entropy([float(v) ** 0.5 for v in known.values], rule)
    if found.value is None or wanted.value is None:
        return Outcome(None, "undefined")
    apart = abs(float(found.value) - float(wanted.value))
    holds = found.cutoff == known.cutoff and apart <= bound
    return Outcome(holds, f"M = {drawn}: r = {found.cutoff} for {known.cutoff}, entropies {apart:.2e} apart, bound {bound:.2e}",
                   margin=bound - apart)  # fmt: skip


CLAIMS = (empirical_variance, variance_of_laws, sampled_cutoff, enough_features)
"""Claims about the variance of kernels."""
