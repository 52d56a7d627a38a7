"""What is proven for every step of an interval at once: the sign of the entropy gap, and that singular values agree."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files

from numerics.entropy.interval import at_step, entropy_sign_on_interval
from numerics.problem.file import load_problem
from numerics.problem.problem import Problem
from numerics.spectra.agreement import agreeing_steps
from numerics.spectra.spectrum import spectrum
from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import every, less, once, problem, seeds
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import Decision, from_comparison
from theory.entropy.conventions import Convention

TOP = Fraction(1, 10)
SECONDS = 300.0
SMALL = Fraction(1, 10**12)
"""Singular values that are judged, relative to the largest."""


def _shipped(scope: Scope, profile: Profile) -> Iterator[Problem]:
    path = str(files("proofs_check") / "problems" / f"{scope['problem']}.toml")
    for n in (32,) if profile == "quick" else (32, 64):
        yield load_problem(path).with_(count=n, interior=(n,), step=(TOP,))


@stated(
    "entropy.gap-every-step",
    title="The entropy gap has one sign for every step up to 1/10",
    source="ours, with H. Ehlich and K. Zeller, Math. Z. 86 (1964) 41, for polynomials",
    predicate="near 0 an enclosure of (H_FD − H_AD)/h² that excludes 0, beyond it enclosures of the gap on pieces that cover the rest",
    kind="ball",
    scopes=once(*({"problem": p, "rank": r} for p in ("sine", "poisson") for r in ("4", "8"))),
    instances=_shipped,
    judges=(entropy_sign_on_interval,),
    mutants=(
        wrong("reversed", "the gap has the other sign", "sign", sign=-1),
        wrong("two-values", "at r = 2", "constant", {"problem": "poisson", "rank": "4"}, rank=2),
    ),
)  # fmt: skip
def gap_every_step(instance: Problem, scope: Scope, sign: int = 1, rank: int | None = None) -> Outcome:
    r"""At fixed $r$ = 4 and 8 and power 1, in exact arithmetic, $H_{FD} > H_{AD}$ for every $h \in (0, 1/10]$ in the shipped problem ``sine``
    (32 sine features and points, no boundary rows), and $H_{FD} < H_{AD}$ for every such $h$ in the shipped problem
    ``poisson`` with 32 tanh features and points (two boundary rows); the full profile has 64 of both."""
    convention = Convention("fixed", rank=rank or int(scope["rank"]))
    found = entropy_sign_on_interval(instance, Fraction(0), TOP, convention, seconds=SECONDS)
    expected = sign if scope["problem"] == "sine" else -sign
    signs = {piece.sign for piece in found.pieces}
    holds = from_comparison(False if -expected in signs else None if None in signs else True)
    detail = (
        f"{instance.count} features: proven on {100 * found.decided:.4g} % of (0, 1/10], {len(found.pieces)} pieces"
    )
    if found.small is not None:
        low, high = (float(end) for end in (found.small.quotient.lower, found.small.quotient.upper))
        detail += f"; (H_FD − H_AD)/h² in [{low:.4g}, {high:.4g}] up to h = {found.small.high}"
    return Outcome(holds, detail, margin=found.decided if holds.holds else None)


def _draws(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 2, 20):
        yield problem(scope["activation"], seed=seed, size=24, step=Fraction(1, 100))


@stated(
    "spectra.leading-every-step",
    title="Singular values agree for every step up to 1/100, down to a trillionth of the largest",
    source="ours, from the inequalities of R. Courant and E. Fischer and of A. Ostrowski",
    predicate="for each k a step h_k up to which bounds of the change, that grow with h or hold on pieces of (0, h_k], are at most a hundredth "
    "of the value; where h_k < 1/100, the certified values at h = 1/100",
    kind="ball",
    scopes=once(*({"activation": a} for a in ("sin", "tanh", "erf"))),
    instances=_draws,
    judges=(agreeing_steps,),
    mutants=(
        wrong("a-millionth", "they agree to a millionth", "constant", tolerance=Fraction(1, 10**6)),
        wrong("large-steps", "for every step up to 2", "predicate", reach=Fraction(2)),
    ),
)
def leading_every_step(
    instance: Problem, scope: Scope, tolerance: Fraction = Fraction(1, 100), reach: Fraction = Fraction(1, 100)
) -> Outcome:
    r"""In exact arithmetic, for every $h \in (0, 1/100]$ and every $k$ with $\sigma_k(A_{AD}) \ge 10^{-12} \sigma_1(A_{AD})$:
    $|\sigma_k(A_{FD}) - \sigma_k(A_{AD})| \le \sigma_k(A_{AD})/100$ (24 sine, tanh or erf features and points, $w, b \sim N(0, 1)$, $u_{xx}$,
    central differences of order 2)."""
    steps = agreeing_steps(instance, reach, tolerance, least=SMALL)
    weyl = agreeing_steps(instance, reach, tolerance, only_weyl=True)
    ad = spectrum(instance, "ad", "exact").values
    judged = [k for k, value in enumerate(ad) if value.upper >= SMALL * ad[0].lower]
    open_ones = [k for k in judged if steps[k] < reach]
    checks: list[Decision] = [from_comparison(True)] * (len(judged) - len(open_ones))
    if open_ones:
        fd = spectrum(at_step(instance, reach), "fd", "exact").values
        for k in open_ones:
            change, room = fd[k] - ad[k], ad[k].scaled(tolerance)
            apart = less(room, change).holds is True or less(room, -change).holds is True
            checks.append(from_comparison(False if apart else None))
    least, by_weyl = (float(min(found[k] for k in judged)) for found in (steps, weyl))
    detail = (
        f"{len(judged)} values, {len(judged) - len(open_ones)} proven; h_k from {least:.3g} "
        f"(by Weyl's inequality alone: {sum(weyl[k] >= reach for k in judged)} proven, h_k from {by_weyl:.3g})"
    )
    return Outcome(every(checks), detail)


CLAIMS = (gap_every_step, leading_every_step)
"""Claims about all steps of an interval."""
