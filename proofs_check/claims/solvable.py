"""Exactly solvable models: S3 decided with proof, traces in closed form, and bounds that need no cut-off number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint

from numerics.enclosure import Enclosure
from numerics.problem import Problem
from numerics.spectra import spectrum
from proofs_check.claim import Assumption, Claim, Mutant, Profile, Request, Scope, Step
from proofs_check.claims.common import once, problem, seeds, witness
from proofs_check.claims.spectra import PRECISION, SINE, symbol_factors
from proofs_check.verdicts import Outcome
from theory.entropy import Convention, truncated_entropy
from theory.entropy_bounds import entropy_gap_bound
from theory.exact import spell
from theory.solvable import (
    Circle,
    HermiteDiagonal,
    Mehler,
    Prolate,
    SolvableSpectrum,
    geometric_frequencies,
    uniform_frequencies,
)

MODELS: dict[str, SolvableSpectrum] = {
    "circle geometric 19/20": Circle(geometric_frequencies(Fraction(19, 20))),
    "circle uniform 32": Circle(uniform_frequencies(32)),
    "circle uniform 8": Circle(uniform_frequencies(8)),
    "hermite 3/10": HermiteDiagonal(Fraction(3, 10)),
    "hermite 9/10": HermiteDiagonal(Fraction(9, 10)),
    "prolate 4": Prolate(Fraction(4)),
    "mehler 1": Mehler(Fraction(1), Fraction(1)),
}
"""Models on which S3 is decided; the last is slow, and in the full profile only."""
SLOW = ("mehler 1",)
STEPS = (Fraction(1, 10), Fraction(1, 20))


@dataclass(frozen=True)
class Setting:
    """A model at a step."""

    name: str
    h: Fraction

    @property
    def model(self) -> SolvableSpectrum:
        """The model of that name."""
        return MODELS[self.name]

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


def _order(favoured: int) -> Callable[[Setting, Scope], Outcome]:
    """H_AD ≥ H_FD (favoured −1, as S3 says), H_FD ≥ H_AD (favoured +1) or equality (0), proven."""

    def test(setting: Setting, scope: Scope) -> Outcome:
        sign, why = _sign(setting, int(scope["power"]))
        holds = None if sign is None else sign in (favoured, 0)
        words = {1: "H_FD > H_AD", -1: "H_FD < H_AD", 0: "H_FD = H_AD", None: "undecided"}[sign]
        return Outcome(holds, f"h = {setting.h}: {words} ({why})", certified=True)

    return test


@lru_cache(maxsize=16)
def _listed_traces(setting: Setting, count: int) -> tuple[Fraction, Fraction]:
    """Sums of the largest AD and FD eigenvalues."""
    ad, fd = setting.model.ad_eigenvalues(count, 10), setting.model.fd_eigenvalues(count, setting.h, 10)
    return sum((v.upper for v in ad), Fraction(0)), sum((v.upper for v in fd), Fraction(0))


def _traces(factor: Fraction, power: int = 0) -> Callable[[Setting, Scope], Outcome]:
    """The closed traces, times ``factor`` and FD's times h^power, against the sum of listed eigenvalues (which misses
    a tail, and never exceeds)."""

    def test(setting: Setting, scope: Scope) -> Outcome:
        model = setting.model
        assert isinstance(model, Circle)
        count = 1200
        ad, fd = _listed_traces(setting, count)
        closed_ad, closed_fd = factor * model.ad_trace(), model.fd_trace(setting.h)
        gaps = [float(abs(1 - ad / closed_ad)), float(abs(1 - fd / (factor * setting.h**power * closed_fd.midpoint)))]
        detail = f"relative differences {gaps[0]:.1e} (AD) and {gaps[1]:.1e} (FD) after {count} eigenvalues"
        return Outcome(max(gaps) < 1e-6, detail, margin=1e-6 - max(gaps))

    return test


def _gap_bound(tighten: Fraction, of_entropy: bool = False) -> Callable[[Problem, Scope], Outcome]:
    """|H_FD − H_AD|, or H_FD itself, against the bound from the extremes of the symbol alone."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        power: Any = int(scope["power"])
        with flint.ctx.workprec(PRECISION):
            sizes = [Enclosure.from_arb(abs(f)) for f in symbol_factors(instance)]
            low, high = min(s.lower for s in sizes), max(s.upper for s in sizes)
            entropies = []
            for method in ("ad", "fd"):
                values = [v.arb(PRECISION) for v in spectrum(instance, method, "exact").values]
                plain = Convention("fixed", rank=len(values), power=power)
                entropies.append(truncated_entropy(values, plain, r=len(values)).value)
            d_min, d_max = (Enclosure.exact(d).arb(PRECISION) for d in (low, high))
            assert entropies[0] is not None
            assert entropies[1] is not None
            smaller = entropies[0] if entropies[0] < entropies[1] else entropies[1]
            bound = entropy_gap_bound(smaller, len(values), d_min, d_max, power, sqrt=lambda x: x.sqrt())
            bound = bound * Enclosure.exact(tighten).arb(PRECISION)
            gap = entropies[1] if of_entropy else abs(entropies[1] - entropies[0])
            holds = True if gap <= bound else False if gap > bound else None
        share = float(gap / bound)
        return Outcome(holds, f"gap {float(gap):.3e} is {share:.2e} of the bound", margin=1 - share, certified=True)

    return test


def _sine(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 8, 40):
        yield problem(scope["activation"], seed=seed, size=6, scale=3, step=Fraction(1, 4))


def _requests(instance: Problem, scope: Scope) -> Iterator[Request]:
    yield (instance, "ad", "exact")
    yield (instance, "fd", "exact")


def _uniform_in_range(setting: Setting) -> bool:
    """Whether h (2R − 1) ≤ 6 < 2π, for uniform weights up to R."""
    model = setting.model
    if not setting.name.startswith("circle uniform") or not isinstance(model, Circle):
        return False
    return setting.h * (2 * (model.law.largest or 0) - 1) <= 6


_uniform = Assumption("the weights are uniform and $h \\le 2\\pi/(2R-1)$", _uniform_in_range)


def _circle_settings(scope: Scope, profile: Profile) -> Iterator[Setting]:
    for name in ("circle uniform 8", "circle uniform 32"):
        for h in (Fraction(1, 4), Fraction(1, 10), Fraction(1, 20), Fraction(1, 50)):
            yield Setting(name, h)
    yield Setting("circle geometric 19/20", Fraction(1, 10))


CLAIMS = (
    Claim(
        id="solvable.entropy-order",
        title="S3 on exactly solvable models",
        statement="The entropy of the AD kernel is at least that of the FD kernel, all eigenvalues kept.",
        family="solvable",
        source="S3",
        predicate=r"the sign of $H_{FD} - H_{AD}$, proven by majorisation or by two-sided bounds, at $h = 1/10$ "
        "and $1/20$",
        kind="ball",
        scopes=_scopes,
        instances=_settings,
        test=_order(-1),
        describe=Setting.to_dict,
        mutants=(
            Mutant("reversed", "FD has at least the entropy of AD, for the geometric law", "sign",
                   lambda c: c.with_(test=_order(+1))),
            Mutant("equal", "the two entropies agree", "predicate", lambda c: c.with_(test=_order(0)),
                   {"model": "circle uniform 32", "power": "1", "arithmetic": "exact"}),
        ),
    ),
    Claim(
        id="solvable.uniform-circle",
        title="Uniform frequencies on the circle: FD has at least the entropy of AD",
        statement=r"For frequencies uniform on $1 \dots R$ and $h \in (0, 2\pi/(2R-1)]$, $H_{FD} \ge H_{AD}$ for every "
        "power and every cut-off: S3 is reversed.",
        family="solvable",
        source="ours, from Marshall, Olkin and Arnold (2011), proposition 5.B.1",
        predicate=r"the sign of $H_{FD} - H_{AD}$ is proven to be $+$",
        kind="ball",
        scopes=once({"power": "1", "arithmetic": "exact"}, {"power": "2", "arithmetic": "exact"}),
        instances=_circle_settings,
        test=_order(+1),
        assumptions=(_uniform,),
        derivation=(
            Step(r"the ratio of FD to AD eigenvalues is $\mathrm{sinc}^4(nh/2)$, decreasing in $n$", "claim "
                 "spectra.sine-factorisation, on the circle", "claim"),
            Step(r"both spectra increase in $n$, so along descending order the ratio increases", "$n^4$ and "
                 r"$(2\sin(nh/2)/h)^4$ increase for $nh \le \pi$; the range up to $2\pi/(2R-1)$ keeps the order"),
            Step(r"a ratio that increases along the spectrum gives $p_{FD} \prec p_{AD}$", "claim "
                 "entropy.ratio-majorisation", "claim"),
        ),
        describe=Setting.to_dict,
        mutants=(
            Mutant("reversed", "AD has at least the entropy of FD", "sign", lambda c: c.with_(test=_order(-1))),
            Mutant("any-law", "the weights need not be uniform", "assumption",
                   lambda c: c.without_assumption("uniform")),
        ),
    ),
    Claim(
        id="solvable.circle-traces",
        title="Traces of the AD and FD kernels on the circle",
        statement=r"For $p_n = q^n$ the AD trace is $\tfrac12\mathrm{Li}_{-4}(q)$ and the FD trace "
        r"$\tfrac12[6/(1-q) - 8G(h) + 2G(2h)]/h^4$, $G(t) = (1 - q\cos t)/(1 - 2q\cos t + q^2)$.",
        family="solvable",
        source="ours",
        predicate="closed forms and the sum of the 1200 largest eigenvalues agree within $10^{-6}$",
        kind="sampled",
        scopes=once({"model": "circle geometric 19/20"}),
        instances=lambda scope, profile: [*_settings(scope, profile)][: 1 if profile == "quick" else None],
        test=_traces(Fraction(1)),
        describe=Setting.to_dict,
        mutants=(
            Mutant("one-quarter", "1/4 instead of 1/2", "constant",
                   lambda c: c.with_(test=_traces(Fraction(1, 2)))),
            Mutant("two-powers", "h² in the place of h⁴", "exponent",
                   lambda c: c.with_(test=_traces(Fraction(1), 2))),
        ),
    ),
    Claim(
        id="entropy.factor-bound",
        title="A bound on the gap from the symbol alone",
        statement=r"Under the sine factorisation $|\log p'_k/p_k| \le q\log(d_{\max}/d_{\min})$, hence an explicit "
        r"bound on $|H_{FD} - H_{AD}|$ without any norm of the matrices.",
        family="entropy",
        source="ours",
        predicate="the least of three bounds (ratio of entropies, continuity, covariance) in ball arithmetic",
        kind="ball",
        scopes=once(*({"activation": a, "power": q} for a in ("sin", "cos") for q in ("1", "2"))),
        instances=_sine,
        test=_gap_bound(Fraction(1)),
        assumptions=SINE,
        requests=_requests,
        describe=witness,
        mutants=(
            Mutant("a-hundredth", "a hundredth of the bound is enough", "constant",
                   lambda c: c.with_(test=_gap_bound(Fraction(1, 100)))),
            Mutant("entropy-itself", "it bounds the entropy of FD, not the gap", "predicate",
                   lambda c: c.with_(test=_gap_bound(Fraction(1), of_entropy=True))),
        ),
    ),
)  # fmt: skip
"""Claims about exactly solvable models."""
