"""Exactly solvable models: S3 decided with proof, traces in closed form, spectra against Nyström's method."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

import flint
import numpy as np
from jaxtyping import Float

from numerics.arithmetic.balls import Enclosure, from_ball, to_ball
from numerics.problem.problem import Problem
from numerics.spectra.kernels import InfiniteHermite
from numerics.spectra.spectrum import spectrum
from proofs_check.claims.claim import Assumption, Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import below, both_spectra, every, once, problem, seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.spectra.spectra import PRECISION, SINE, symbol_factors
from theory.base.enclosure import from_comparison
from theory.base.exact import spell
from theory.entropy.bounds import entropy_gap_bound
from theory.entropy.conventions import Convention
from theory.entropy.entropy import truncated_entropy
from theory.solvable import (
    Circle,
    HermiteDiagonal,
    Mehler,
    Prolate,
    SolvableSpectrum,
    geometric_frequencies,
    truncated_gap,
    uniform_frequencies,
)

MODELS: dict[str, SolvableSpectrum] = {
    "circle geometric 19/20": Circle(geometric_frequencies(Fraction(19, 20))),
    "circle uniform 32": Circle(uniform_frequencies(32)),
    "circle uniform 8": Circle(uniform_frequencies(8)),
    "hermite 3/10": InfiniteHermite(Fraction(3, 10)),
    "hermite 9/10": InfiniteHermite(Fraction(9, 10)),
    "hermite 9/10, first 16 features": HermiteDiagonal(Fraction(9, 10), 16),
    "prolate 4": Prolate(Fraction(4)),
    "mehler 1": Mehler(Fraction(1), Fraction(1)),
}
"""Models on which S3 is decided, infinite ones with bounded tails; those of :data:`SLOW` in the full profile only."""
SLOW = ("mehler 1", "hermite 9/10")
TRACED: dict[str, SolvableSpectrum] = {
    f"circle geometric {spell(q)}": Circle(geometric_frequencies(q))
    for q in (Fraction(1, 4), Fraction(1, 2), Fraction(19, 20))
}
"""Models whose closed traces are judged."""
STEPS = (Fraction(1, 10), Fraction(1, 20))
AGREE = Fraction(1, 10**10)
"""Relative distance within which a closed trace and the sum of the eigenvalues agree."""


@dataclass(frozen=True)
class Setting:
    """A model at a step."""

    name: str
    h: Fraction

    @property
    def model(self) -> SolvableSpectrum:
        """The model of that name."""
        return (MODELS | TRACED)[self.name]

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return {"model": self.name, "step": spell(self.h)}


def _scopes(profile: Profile) -> tuple[Scope, ...]:
    names = [name for name in MODELS if profile == "full" or name not in SLOW]
    powers = ("1",) if profile == "quick" else ("1", "2")
    return tuple({"model": name, "power": power, "arithmetic": "exact"} for name in names for power in powers)


def _settings(scope: Scope, profile: Profile) -> Iterator[Setting]:
    for h in STEPS:
        yield Setting(scope["model"], h)


@lru_cache(maxsize=256)
def _sign(setting: Setting, power: int) -> tuple[int | None, str]:
    found = setting.model.gap_sign(setting.h, power=power)  # type: ignore[arg-type]
    return found.sign, f"{found.route}: {found.reason}"


@lru_cache(maxsize=16)
def _listed_trace(setting: Setting, method: Literal["ad", "fd"]) -> Enclosure:
    """The sum of all eigenvalues from those listed, each twice, and the bound on the others."""
    listed = setting.model.listed(method, setting.h, 1, 12)
    assert listed.tail is not None
    total = sum((v for v in listed.values), Enclosure.exact(0))
    tail = Enclosure(Fraction(0), listed.tail.first / (1 - listed.tail.ratio))
    return (total + tail).scaled(listed.multiplicity)


def _sine(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 8, 40):
        yield problem(scope["activation"], seed=seed, size=6, scale=3, step=Fraction(1, 4))
    yield _two_sizes(scope["activation"])


def _has_ratios(instance: Problem) -> bool:
    """Whether all singular values and all |m(h w_j)| are known to be positive."""
    with flint.ctx.workprec(PRECISION):
        factors = all(abs(f) > 0 for f in symbol_factors(instance))
    return factors and all(spectrum(instance, method, "exact").values[-1].lower > 0 for method in ("ad", "fd"))


def _two_sizes(activation: str) -> Problem:
    """Two nearly orthogonal columns, w = 6 and 1/10: one value is nearly all of the sum, and the other one's share grows by
    nearly (d_max/d_min)^q."""
    quarter = Fraction(11, 7)  # of a period, about: π/2
    return Problem(
        activation_name=activation,
        weights=((Fraction(6),), (Fraction(1, 10),)),
        biases=(Fraction(0), quarter) if activation == "sin" else (-quarter, Fraction(0)),
        count=2,
        interior=((-quarter / 6,), (quarter / 6,)),
        step=(Fraction(1, 4),),
    )


@stated(
    "solvable.entropy-order",
    title="S3 on exactly solvable models",
    source="S3",
    predicate=r"the sign of $H_{FD} - H_{AD}$, proven by majorisation or by two-sided bounds that contain a bounded tail "
    r"of the spectrum, at $h = 1/10$ and $1/20$",
    kind="ball",
    scopes=_scopes,
    instances=_settings,
    judges=(Circle, HermiteDiagonal, InfiniteHermite, Mehler, Prolate),
    mutants=(
        wrong("reversed", "FD has at least the entropy of AD, for the geometric law", "sign", favoured=+1),
        wrong("equal", "the two entropies agree", "predicate",
            {"model": "circle uniform 32", "power": "1", "arithmetic": "exact"}, favoured=0),
    ),
)  # fmt: skip
def entropy_order(setting: Setting, scope: Scope, favoured: int = -1) -> Outcome:
    """The entropy of the AD kernel is at least that of the FD kernel, all eigenvalues kept (power 2 takes the
    eigenvalues, power 1 their square roots): infinitely many but for uniform frequencies and where the model says how
    many features there are (our reading of S3 for kernels).
    """
    # H_AD ≥ H_FD (favoured −1, as S3 says), H_FD ≥ H_AD (favoured +1) or equality (0), proven.
    sign, why = _sign(setting, int(scope["power"]))
    holds = from_comparison(None if sign is None else sign in (favoured, 0))
    words = {1: "H_FD > H_AD", -1: "H_FD < H_AD", 0: "H_FD = H_AD", None: "undecided"}[sign]
    return Outcome(holds, f"h = {setting.h}: {words} ({why})")


ENDLESS = ("hermite 3/10", "prolate 4", "circle geometric 1/2", "mehler 1")
"""Models with infinitely many eigenvalues: in the quick profile the first two, relative and energy rule, not normalised."""
RULES = {"relative": Fraction(1, 10**6), "absolute": Fraction(1, 1000), "energy": Fraction(1, 100)}


def _truncated_scopes(profile: Profile) -> tuple[Scope, ...]:
    quick = profile == "quick"
    return tuple(
        {"model": name, "rule": rule, "power": power, "entropy": form}
        for name in (ENDLESS[:2] if quick else ENDLESS)
        for rule in RULES
        if rule != "absolute" or not quick
        for power in ("1", "2")
        for form in (("H",) if quick else ("H", "H/log r"))
    )


@stated(
    "solvable.truncated-order",
    title="S3 on infinite solvable models, truncated",
    source="S3",
    predicate=r"relative rule $10^{-6}$, absolute rule $10^{-3}$, energy rule $10^{-2}$, $h = 1/10$ (full: $1/20$ as well): the sign of "
    r"$H_{FD} - H_{AD}$, with cut-off numbers proven from enclosures and a bound on all other eigenvalues",
    kind="ball",
    scopes=_truncated_scopes,
    instances=lambda scope, profile: [*_settings(scope, profile)][: 1 if profile == "quick" else None],
    judges=(truncated_gap,),
    mutants=(
        wrong("reversed", "FD has at least the entropy of AD", "sign",
            {"model": "hermite 3/10", "rule": "energy", "power": "2", "entropy": "H"}, favoured=+1),
        wrong("thousandth", "AD has a thousandth more", "constant",
            {"model": "hermite 3/10", "rule": "energy", "power": "2", "entropy": "H"}, least=Fraction(1, 1000)),
        wrong("other-power", "the entropies of the other power are ordered so too", "exponent",
            {"model": "hermite 3/10", "rule": "energy", "power": "2", "entropy": "H"}, other=True),
    ),
)  # fmt: skip
def truncated_order(
    setting: Setting, scope: Scope, favoured: int = -1, least: Fraction = Fraction(0), other: bool = False
) -> Outcome:
    """The truncated entropy of the AD kernel is at least that of the FD kernel, both with infinitely many eigenvalues, under
    the rule, the power and the normalisation of the cell (our reading of S3 for kernels).
    """
    # H_FD ≤ (1 − least) H_AD, or with ``favoured`` = +1 H_FD ≥ H_AD.
    power: Any = 3 - int(scope["power"]) if other else int(scope["power"])
    convention = Convention(scope["rule"], RULES[scope["rule"]], power, scope["entropy"] != "H")  # type: ignore[arg-type]
    gap = truncated_gap(setting.model, setting.h, convention, 12)
    if gap.difference is None or gap.ad.value is None or gap.sign.sign is None:
        return Outcome(None, f"h = {setting.h}: {gap.sign.reason}")
    if least:
        holds = below(gap.difference + gap.ad.value.scaled(least), 0)
    else:
        holds = from_comparison(gap.sign.sign in (favoured, 0))
    kept = f"r = {gap.ad.cutoff}" if gap.ad.cutoff == gap.fd.cutoff else f"r = {gap.ad.cutoff}, {gap.fd.cutoff}"
    relative = float(gap.difference.middle / gap.ad.value.middle) if gap.ad.value.lower > 0 else 0.0
    return Outcome(holds, f"h = {setting.h}: {kept}, H_FD/H_AD - 1 = {relative:.3e}", margin=-favoured * relative)


@stated(
    "solvable.circle-traces",
    title="Traces of the AD and FD kernels on the circle",
    source="ours",
    predicate=r"each closed form lies in an enclosure of the sum of all eigenvalues (those listed and a "
    r"geometric bound on the others) of relative width under $10^{-10}$",
    kind="ball",
    scopes=once(*({"model": name} for name in reversed(TRACED))),
    instances=lambda scope, profile: [*_settings(scope, profile)][: 1 if profile == "quick" else None],
    judges=(Circle.ad_trace, Circle.fd_trace),
    mutants=(
        wrong("one-quarter", "1/4 instead of 1/2", "constant", factor=Fraction(1, 2)),
        wrong("two-powers", "h² in the place of h⁴", "exponent", power=2),
    ),
)  # fmt: skip
def circle_traces(setting: Setting, scope: Scope, factor: Fraction = Fraction(1), power: int = 0) -> Outcome:
    r"""For $p_n = q^n$ (checked: $q = 1/4, 1/2, 19/20$, $h = 1/10$, in the full profile $1/20$ too) the AD trace is
    $\tfrac12\mathrm{Li}_{-4}(q)$ and the FD trace $\tfrac12[6/(1-q) - 8G(h) + 2G(2h)]/h^4$, $G(t) = (1 - q\cos t)/(1 -
    2q\cos t + q^2)$.
    """
    # The closed traces, times ``factor`` and FD's times h^power, against the enclosed sums of the eigenvalues.
    model = setting.model
    assert isinstance(model, Circle)
    exact = Enclosure.exact(model.ad_trace())
    closed = {"ad": exact.scaled(factor), "fd": model.fd_trace(setting.h).scaled(factor * setting.h**power)}
    widths, narrow = [], []
    for method in ("ad", "fd"):
        summed, stated = _listed_trace(setting, method), closed[method]
        overlap = below(stated.lower, summed.upper) & below(summed.lower, stated.upper)
        if overlap.holds is not True:
            return Outcome(overlap, f"{method.upper()}: {float(stated):.9g} in place of {float(summed):.9g}")
        narrow.append(below(max(summed.upper, stated.upper) - min(summed.lower, stated.lower), AGREE * summed.lower))
        widths.append(float(summed.width / summed.lower))
    detail = (
        f"h = {setting.h}: the closed traces lie in the sums, of relative widths {widths[0]:.0e} and {widths[1]:.0e}"
    )
    agree = every(narrow)
    return Outcome(agree if agree.holds else None, detail, margin=float(AGREE) - max(widths))


@stated(
    "entropy.factor-bound",
    title="A bound on the gap from the symbol alone",
    source="ours",
    predicate="the ratio of every probability, and the gap against the least of three bounds (ratio of entropies, continuity, "
    "covariance), in ball arithmetic; six features, and two of different sizes, $h = 1/4$",
    kind="ball",
    scopes=once(*({"activation": a, "power": q} for a in ("sin", "cos") for q in ("1", "2"))),
    instances=_sine,
    assumptions=(*SINE, Assumption(r"$\sigma_n > 0$ and $d_{\min} > 0$", _has_ratios, True)),
    requests=lambda instance, scope: both_spectra(instance),
    judges=(entropy_gap_bound, truncated_entropy),
    mutants=(
        wrong("a-tenth-less", "nine tenths of the bounds are enough", "constant", tighten=Fraction(9, 10)),
        wrong("entropy-itself", "it bounds the entropy of FD, not the gap", "predicate", of_entropy=True),
    ),
)  # fmt: skip
def factor_bound(instance: Problem, scope: Scope, tighten: Fraction = Fraction(1), of_entropy: bool = False) -> Outcome:
    r"""Under the factorisation of sine or cosine features (interior rows, $\partial^2$, central, all values kept,
    $\sigma_n > 0$, $d_{\min} > 0$, powers $q = 1, 2$) $|\log p'_k/p_k| \le q\log(d_{\max}/d_{\min})$ for every $k$,
    hence an explicit bound on $|H_{FD} - H_{AD}|$ without any norm of the matrices.
    """
    # |H_FD − H_AD|, or H_FD itself, against the bound from the extremes of the symbol alone.
    power: Any = int(scope["power"])
    with flint.ctx.workprec(PRECISION):
        sizes = [from_ball(abs(f)) for f in symbol_factors(instance)]
        low, high = min(s.lower for s in sizes), max(s.upper for s in sizes)
        entropies, spectra = [], []
        for method in ("ad", "fd"):
            values = [to_ball(v, PRECISION) for v in spectrum(instance, method, "exact").values]
            spectra.append(values)
            plain = Convention("fixed", rank=len(values), power=power)
            entropies.append(truncated_entropy(values, plain, r=len(values)).value)
        d_min, d_max = (to_ball(Enclosure.exact(d), PRECISION) for d in (low, high))
        assert entropies[0] is not None
        assert entropies[1] is not None
        smaller = entropies[0].min(entropies[1])
        bound = entropy_gap_bound(smaller, len(values), d_min, d_max, power, sqrt=lambda x: x.sqrt())
        bound = bound * to_ball(Enclosure.exact(tighten), PRECISION)
        gap = entropies[1] if of_entropy else abs(entropies[1] - entropies[0])
        holds = below(gap, bound)
        shares = [[v**power / sum((w**power for w in values), flint.arb(0)) for v in values] for values in spectra]
        moved = [abs((q / p).log()) for p, q in zip(*shares, strict=True)]
        reach = to_ball(Enclosure.exact(tighten), PRECISION) * power * (d_max / d_min).log()
        holds &= every(below(one, reach) for one in moved)
        furthest = max(float(one / reach) for one in moved)
    share = float(gap / bound)
    detail = f"gap {float(gap):.3e} is {share:.2e} of the bound, |log p'/p| at most {furthest:.2g} of its own"
    return Outcome(holds, detail, margin=1 - max(share, furthest))


CLAIMS = (entropy_order, truncated_order, circle_traces, factor_bound)


COMPARED: dict[str, SolvableSpectrum] = {
    "circle uniform 8": Circle(uniform_frequencies(8)),
    "prolate 4": Prolate(Fraction(4)),
    "mehler 1": Mehler(Fraction(1), Fraction(1)),
    "hermite 1/2": InfiniteHermite(Fraction(1, 2)),
}
SLOW_COMPARED = ("mehler 1",)
"""In the full profile only."""
COUNT = 6
"""Eigenvalues compared, from the largest."""
TOLERANCE = 1e-9
"""Relative to the largest eigenvalue: differences of K in float64 lose 16 unit round-offs / h⁴."""
FOURTH = ((-2, 1), (-1, -4), (0, 6), (1, -4), (2, 1))
"""The second difference at both points, as shifts of K(x − y)."""

Function = Callable[[Float[np.ndarray, "n n"]], Float[np.ndarray, "n n"]]


@dataclass(frozen=True)
class Trial:
    """A model, a method and a step."""

    name: str
    method: str
    h: Fraction

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return {"model": self.name, "method": self.method, "step": spell(self.h)}


def _stationary(name: str) -> tuple[Function, Function, Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """k and k⁗ with K(x, y) = k(x − y), and nodes and weights of the measure of x."""
    if name.startswith("circle"):
        n = np.arange(1, 9)

        def wave(power: int) -> Function:
            return lambda r: 0.5 * np.mean(n**power * np.cos(n * r[..., None]), axis=-1)

        return wave(0), wave(4), 2 * np.pi * np.arange(64) / 64, np.full(64, 1 / 64)
    if name.startswith("prolate"):
        nodes, weights = np.polynomial.legendre.leggauss(48)
        w = 4 * nodes

        def band(power: int) -> Function:
            return lambda r: 0.5 * np.cos(r[..., None] * w) @ (weights / 2 * w**power)

        return band(0), band(4), nodes, weights / 2
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    return (
        lambda r: 0.5 * np.exp(-r * r / 2),
        lambda r: 0.5 * (r**4 - 6 * r * r + 3) * np.exp(-r * r / 2),
        nodes,
        weights / np.sqrt(2 * np.pi),
    )


FEATURES = 96
"""Of the Hermite model with ρ = 1/2: the others have squared norms under 2^-80."""


def _functions(x: Float[np.ndarray, " n"], count: int) -> Float[np.ndarray, "count n"]:
    """He_j(x)/√j!, by its recurrence."""
    found = [np.ones_like(x), x]
    for j in range(1, count - 1):
        found.append((x * found[j] - np.sqrt(j) * found[j - 1]) / np.sqrt(j + 1))
    return np.array(found)


def _hermite(method: str, h: float) -> Float[np.ndarray, " n"]:
    """Squared singular values of the weighted matrix of exact or differenced features ρ^{j/2} He_j/√j!, ρ = 1/2."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    j = np.arange(FEATURES)
    if method == "ad":  # ψ_j'' = √(j(j − 1)) ψ_{j−2}
        values = np.sqrt(j * (j - 1.0))[2:, None] * _functions(nodes, FEATURES)[:-2]
    else:
        left, centre, right = (_functions(nodes + s * h, FEATURES)[2:] for s in (-1, 0, 1))
        values = (left - 2 * centre + right) / h**2
    matrix = np.sqrt(weights / np.sqrt(2 * np.pi))[:, None] * (0.5 ** (j[2:] / 2)[:, None] * values).T
    return np.linalg.svd(matrix, compute_uv=False) ** 2


def nystrom(trial: Trial) -> Float[np.ndarray, " n"]:
    """The eigenvalues of K_AD or K_FD, from the largest, in float64."""
    h = float(trial.h)
    if trial.name.startswith("hermite"):
        return _hermite(trial.method, h)
    k, fourth, nodes, weights = _stationary(trial.name)
    r = nodes[:, None] - nodes[None, :]
    values = fourth(r) if trial.method == "ad" else sum(c * k(r + s * h) for s, c in FOURTH) / h**4
    root = np.sqrt(weights)
    return np.asarray(np.linalg.eigvalsh(root[:, None] * values * root[None, :]))[::-1]


def _compared_scopes(profile: Profile) -> tuple[Scope, ...]:
    return tuple({"model": name} for name in COMPARED if profile == "full" or name not in SLOW_COMPARED)


def _trials(scope: Scope, profile: Profile) -> Iterator[Trial]:
    steps = (Fraction(1, 4),) if profile == "quick" else (Fraction(1, 2), Fraction(1, 4), Fraction(1, 8))
    yield Trial(scope["model"], "ad", steps[0])
    for h in steps:
        yield Trial(scope["model"], "fd", h)


@stated(
    "solvable.spectra",
    title="Eigenvalues of the exactly solvable kernels",
    source="ours; K: Mehler (1866), Slepian and Pollak (1961)",
    predicate=f"the {COUNT} largest agree within {TOLERANCE:g} of the largest with Nyström's method in float64, "
    r"$K_{FD}$ there as a combination of shifts of $K$",
    kind="sampled",
    scopes=_compared_scopes,
    instances=_trials,
    statement=r"Circle: $p_n n^4/4$ and $p_n(2\sin(nh/2)/h)^4/4$, each twice; Mehler, prolate and Hermite models, the last "
    r"with all its features: the enclosed eigenvalues of $K_{AD}$ and $K_{FD}$ for $\partial^2$, the "
    f"{COUNT} largest of the models of the cells, to {TOLERANCE:g} of the largest.",
    judges=(Circle, InfiniteHermite, Mehler, Prolate),
    mutants=(
        wrong("half", "1/2 in the place of 1/4", "constant", factor=Fraction(2)),
        wrong("exchanged", "AD and FD exchanged", "predicate", {"model": "prolate 4"}, other=True),
    ),
)  # fmt: skip
def spectra(trial: Trial, scope: Scope, factor: Fraction = Fraction(1), other: bool = False) -> Outcome:
    # The model's eigenvalues, times ``factor`` or of the other method, against Nyström's.
    model = COMPARED[trial.name]
    ad = (trial.method == "ad") != other
    found = model.ad_eigenvalues(COUNT, 20) if ad else model.fd_eigenvalues(COUNT, trial.h, 20)
    stated = np.array([float(factor * v.middle) for v in found])
    gap = float(np.max(np.abs(stated - nystrom(trial)[:COUNT])) / stated[0])
    detail = f"{trial.method.upper()}, h = {trial.h}: {COUNT} eigenvalues differ by {gap:.1e} of the largest"
    return Outcome(gap <= TOLERANCE, detail, margin=TOLERANCE - gap, data={"gap": gap})


SPECTRA = (spectra,)
"""Claims about exactly solvable spectra."""
