"""Rules of practice for the step of a difference in a network, judged on the entries of random-feature matrices.

The rules are those of software: ``h = eps^(1/(2+m))`` for a derivative of order m whatever the problem (NeuralPDE.jl), a fixed
``h = 0.001`` (PhysicsNeMo's default), and one step for all derivatives of an equation.  What "works" means is ours: the root
mean square error over the entries, against the least over 41 steps or against the size of the derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial

import numpy as np

from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import once, same, seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.differences.steps import Draw
from proofs_check.families.literature.matched import exceeds, median_of, sampled
from theory.operators import roundoff
from theory.stencils import Stencil, central

SOURCE = "rules of practice"
ORDERS = {"∂": 1, "∂²": 2, "∂⁴": 4}
TRIED = tuple(10 ** (k / 5) for k in range(-40, 1))
"""Steps from 1e-8 to 1."""
EPS = {name: 2 * unit for name, unit in roundoff.UNIT_ROUNDOFF.items()}


@lru_cache(maxsize=512)
def errors(draw: Draw, m: int, arithmetic: str, steps: tuple[float, ...] = TRIED, p: int = 2) -> tuple[float, ...]:
    """Root mean square error of the entries at each step, relative to the derivative's own root mean square."""
    exact = draw.derivative(m)
    gaps = draw.differences(central(m, p), steps, arithmetic) - exact
    return tuple(map(float, np.sqrt(np.mean(gaps * gaps, axis=(1, 2)) / np.mean(exact * exact))))


@dataclass(frozen=True)
class Rule:
    """A derivative with the order of its stencil."""

    m: int
    p: int

    @property
    def stencil(self) -> Stencil:
        """The central one."""
        return central(self.m, self.p)

    def to_dict(self) -> dict[str, int]:
        """JSON types."""
        return {"derivative": self.m, "order": self.p}


def exponent(rule: Rule) -> Fraction:
    """Of the unit round-off in h*: (log h* at 2^(k(p+m)) ρ less log h* at ρ) / k(p+m) log 2, read off exactly."""
    import sympy

    step, _ = roundoff.optimal_step_expression(rule.stencil)
    (rho,) = (s for s in step.free_symbols if s.name == "rho")
    power = sympy.simplify(rho * sympy.diff(step, rho) / step)
    return Fraction(int(power.p), int(power.q))


@stated(
    "literature.eps-exponent",
    title="The exponent 1/(2 + m) of the step",
    family="literature",
    source=SOURCE,
    predicate=r"$d\log h^*/d\log\rho$ of $h^* = (m\rho/(p|e_p|D))^{1/(p+m)}$, $\rho$ proportional to $u$, equals $1/(2+m)$: rationals, SymPy",
    kind="exact",
    scopes=once(*({"derivative": name, "order": str(p)} for name in ORDERS for p in (2, 4))),
    instances=lambda scope, profile: (Rule(ORDERS[scope["derivative"]], int(scope["order"])),),
    judges=(roundoff.least_error_step,),
    mutants=(
        wrong("root", "the square root for every m", "exponent", power=lambda m: Fraction(1, 2)),
        wrong("order-ignored", "1/(1 + m)", "constant", power=lambda m: Fraction(1, 1 + m)),
    ),
)  # fmt: skip
def eps_exponent(rule: Rule, scope: Scope, power: Callable[[int], Fraction] = lambda m: Fraction(1, 2 + m)) -> Outcome:
    r"""The step of least error is proportional to $\varepsilon^{1/(2+m)}$ (checked: central stencils of order 2 and 4 for $m = 1, 2,
    4$, in the model of truncation plus round-off)."""
    found = exponent(rule)
    holds = same(found, power(rule.m))
    return Outcome(holds, f"h* ~ u^{found}, the rule {power(rule.m)}", certified=holds.holds is not None)


def _draws(scope: Scope, profile: Profile) -> Iterator[Draw]:
    for seed in seeds(profile, 32, 96):
        yield Draw(scope["activation"], seed, float(scope.get("scale", "2")))


def _activations(profile: Profile) -> tuple[str, ...]:
    """In every cell of the three measured rules sin and tanh come to the same verdict: the full profile has both."""
    return ("tanh",) if profile == "quick" else ("tanh", "sin")


def _eps_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"activation": a, "scale": s, "derivative": d, "arithmetic": t}
        for a in _activations(profile)
        for s in (("1", "10") if profile == "quick" else ("1", "10", "100"))
        for d in ("∂", "∂²")
        for t in ("float32", "float64")
    )


_sampled = partial(sampled, source=SOURCE, instances=_draws, judges=(roundoff.least_error_step,))
_MEASURED = "24 points in (−1, 1), 24 features, w ~ N(0, scale²), b ~ N(0, 1), central stencil of order 2; at least 9 in 10 draws (95 % confidence)"


@_sampled(
    "literature.eps-rule",
    title="The step eps^(1/(2 + m)) is good for every problem",
    predicate=f"error at $h = \\varepsilon^{{1/(2+m)}}$ under 10 times the least over 41 steps from 1e-8 to 1. {_MEASURED}",
    scopes=_eps_cells,
    mutants=(
        wrong("root-of-eps", "h is the square root of eps", "exponent",
              {"activation": "tanh", "scale": "1", "derivative": "∂²", "arithmetic": "float64"}, power=lambda m: 0.5),
        wrong("best", "it is the best of all steps, within a tenth", "constant",
              {"activation": "sin", "scale": "10", "derivative": "∂²", "arithmetic": "float64"}, factor=1.1),
    ),
)  # fmt: skip
def eps_rule(
    draw: Draw, scope: Scope, power: Callable[[int], float] = lambda m: 1 / (2 + m), factor: float = 10.0
) -> Outcome:
    r"""With $h = \varepsilon^{1/(2+m)}$, whatever the scale of the features, the difference's error is within a factor 10 of the least
    (in at least 9 of 10 draws; the factor is ours)."""
    m, arithmetic = ORDERS[scope["derivative"]], scope["arithmetic"]
    h = EPS[arithmetic] ** power(m)
    (at,) = errors(draw, m, arithmetic, (h,))
    best = min(errors(draw, m, arithmetic))
    return exceeds(factor * best / at, 1.0, f"error {at:.1e} at h = {h:.1e}, least {best:.1e}", ratio=at / best)


@_sampled(
    "literature.thousandth",
    title="h = 0.001 works in float32",
    measure=median_of("error"),
    predicate=f"relative error of the entries under 1/10. {_MEASURED}",
    scopes=lambda profile: tuple({"activation": a, "derivative": d, "scale": s, "arithmetic": "float32"}
                                 for a in _activations(profile) for d in ORDERS for s in ("1", "5")),
    mutants=(
        wrong("millionth", "h = 0.000001 works", "constant",
              {"activation": "tanh", "derivative": "∂²", "scale": "5", "arithmetic": "float32"}, h=1e-6),
        wrong("exact", "to ten digits", "predicate",
              {"activation": "sin", "derivative": "∂", "scale": "1", "arithmetic": "float32"}, tolerance=1e-10),
    ),
)  # fmt: skip
def thousandth(draw: Draw, scope: Scope, h: float = 1e-3, tolerance: float = 0.1) -> Outcome:
    r"""In float32 the step 0.001 gives the derivative of random features to a tenth, in at least 9 of 10 draws (judged for
    $\partial$, $\partial^2$, $\partial^4$; "works" is our reading: an error of ten per cent)."""
    (at,) = errors(draw, ORDERS[scope["derivative"]], "float32", (h,))
    return exceeds(tolerance / at, 1.0, f"relative error {at:.1e}", error=at)


_PAIRS = {"∂ and ∂²": (1, 2), "∂² and ∂⁴": (2, 4), "∂, ∂² and ∂⁴": (1, 2, 4)}


@_sampled(
    "literature.one-step",
    title="One step serves all derivatives of an equation",
    predicate=f"some h of 41 has an error under 10 times the least of each derivative. {_MEASURED}",
    scopes=lambda profile: tuple({"activation": a, "derivatives": d, "scale": "2", "arithmetic": t}
                                 for a in _activations(profile) for d in _PAIRS for t in ("float32", "float64")),
    mutants=(
        wrong("two-per-cent", "within two per cent of each least error", "constant",
              {"activation": "sin", "derivatives": "∂² and ∂⁴", "scale": "2", "arithmetic": "float64"}, factor=1.02),
        wrong("the-first-ones", "the best step of the first serves all", "predicate",
              {"activation": "tanh", "derivatives": "∂² and ∂⁴", "scale": "2", "arithmetic": "float64"}, first=True),
    ),
)  # fmt: skip
def one_step(draw: Draw, scope: Scope, factor: float = 10.0, first: bool = False) -> Outcome:
    """There is one step with which each derivative of the equation has an error within a factor 10 of its own least (in at least 9
    of 10 draws; the factor is ours)."""
    table = np.array([errors(draw, m, scope["arithmetic"]) for m in _PAIRS[scope["derivatives"]]])
    worst = (table / table.min(1, keepdims=True)).max(0)
    at = int(table[0].argmin()) if first else int(worst.argmin())
    told = f"at h = {TRIED[at]:.1e} the worst is {worst[at]:.1f} times its least"
    return exceeds(factor / float(worst[at]), 1.0, told, ratio=float(worst[at]))


CLAIMS = (eps_exponent, eps_rule, thousandth, one_step)
