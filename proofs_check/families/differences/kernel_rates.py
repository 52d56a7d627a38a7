"""How kernels of random features converge: finite differences, heavy tails, existence, sampling."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_check.claims.claim import Assumption, Profile, Scope, Step, instead, stated, weaker, wrong
from proofs_check.claims.comparisons import once
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.differences.kernels import DERIVED, OFF, kernel, value
from theory.base.errors import NonexistenceError
from theory.base.exact import spell
from theory.features import laws

if TYPE_CHECKING:
    from theory.kernels.kernel import KernelDerivation, Kind


@dataclass(frozen=True)
class Rate:
    """K_FD − K_AD of one kernel at (x, y) for h = 2^−first … 2^−last; ``order`` is that of the stencil."""

    names: tuple[str, str, str]
    operator: str
    stencil: tuple[str, int]
    x: Fraction
    y: Fraction
    first: int = 5
    last: int = 9

    @property
    def steps(self) -> tuple[Fraction, ...]:
        """The steps h."""
        return tuple(Fraction(1, 2**k) for k in range(self.first, self.last + 1))

    def at(self, h: Fraction) -> KernelDerivation:
        """The kernel with this step."""
        return kernel(*self.names, self.operator, self.stencil, h)

    def gaps(self) -> list[Any]:
        """K_FD − K_AD, step by step."""
        exact = value(self.at(self.steps[0]), "K_AD", self.x, self.y, 40)
        return [value(self.at(h), "K_FD", self.x, self.y, 30) - exact for h in self.steps]

    def values(self) -> list[Any]:
        """K_FD, step by step."""
        return [value(self.at(h), "K_FD", self.x, self.y, 20) for h in self.steps]

    @property
    def tail(self) -> Fraction:
        """ν of the weights' law: E|w|^r is finite for r < ν."""
        bound = laws.law(self.names[1]).moment_bound
        return Fraction(10**6) if bound is None else bound

    @property
    def derivative(self) -> int:
        """The order m of the operator."""
        return len(self.operator) - 2

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"activation, weights, biases": list(self.names), "operator": self.operator,
                "stencil": list(self.stencil), "x": spell(self.x), "y": spell(self.y)}  # fmt: skip


def slope(steps: Sequence[Fraction], values: Sequence[Any]) -> float:
    """The slope of log |value| against log step."""
    from mpmath import mp

    heights = [float(mp.log(abs(v))) for v in values]
    return float(np.polyfit([math.log(h) for h in steps], heights, 1)[0])


CELLS = {
    "sin, normal, central p=2": Rate(("sin", "normal(0, 1)", "normal(0, 1)"), "u_xx", ("central", 2), *OFF),
    "sin, normal, central p=4": Rate(("sin", "normal(0, 1)", "normal(0, 1)"), "u_xx", ("central", 4), *OFF),
    "gaussian, normal, central p=2": Rate(("gaussian", "normal(0, 1)", "normal(0, 1)"), "u_xx", ("central", 2), *OFF),
    "erf, normal, forward p=1": Rate(
        ("erf", "normal(0, 1)", "normal(0, 1)"), "u_xx", ("forward", 1), *OFF, first=10, last=14
    ),
    "cos, laplace, u_xxxx central p=2": Rate(
        ("cos", "laplace(0, 1/2)", "uniform(-1, 1)"), "u_xxxx", ("central", 2), *OFF
    ),
    "tanh, discrete, central p=2": Rate(
        ("tanh", "discrete(1, 2)", "uniform(-1, 1)"), "u_xx", ("central", 2), *OFF, first=6, last=10
    ),
}
TOLERANCE = 0.05
"""Of a fitted slope."""


def _rate(rate: Rate, scope: Scope, exponent: Callable[[Rate], float], share: float | None = 1.0) -> Outcome:
    """The slope, and unless ``share`` is None the leading coefficient times ``share`` within one per cent."""
    gaps = rate.gaps()
    measured, wanted = slope(rate.steps, gaps), exponent(rate)
    holds, detail = abs(measured - wanted) <= TOLERANCE, f"slope {measured:.4f}, claimed {wanted:g}"
    if share is not None:
        smallest = rate.at(rate.steps[-1]).expansion(1)
        coefficient = share * float(smallest.evaluate(rate.x, rate.y, 15)[0][1])
        found = float(gaps[-1] / rate.steps[-1] ** rate.stencil[1])
        holds = holds and abs(found - coefficient) <= 0.01 * abs(coefficient)
        detail += f"; (K_FD − K_AD)/h^p = {found:.6g}, C_p = {coefficient:.6g}"
    return Outcome(holds, detail, margin=TOLERANCE - abs(measured - wanted), data={"slope": measured})


def _heavy(scope: Scope, profile: Profile) -> Iterator[Rate]:
    """Student weights on the diagonal: tails ν = 3 and 5, derivatives and orders on both sides of 2m < ν < 2m + p."""
    point = (Fraction(1, 2), Fraction(1, 2))
    for nu in (3, 5):
        for operator in ("u_x", "u_xx"):
            for order in (2, 4):
                names = (scope["activation"], f"student({nu}, 1)", "normal(0, 1)")
                yield Rate(names, operator, ("central", order), *point, first=9, last=13)


def _cauchy(scope: Scope, profile: Profile, activation: str) -> Iterator[Rate]:
    for x in (Fraction(1), Fraction(1, 3), Fraction(-2)):
        yield Rate((activation, "cauchy(0, 1)", "normal(0, 1)"), "u_xx", ("central", 2), x, x, first=6, last=10)


def bump_mean(weights: Callable[[Any], Any]) -> float:
    """E w⁴ σ''(w + b)², σ = e^{−z²/2}, b ~ N(0, 1), by the trapezoidal rule in both variables (no closed form)."""
    step = 0.05
    w, b = np.arange(-14, 14, step)[:, None], np.arange(-9, 9, step)[None, :]
    z = w + b
    second = (z * z - 1) * np.exp(-z * z / 2)
    normal = np.exp(-b * b / 2) / math.sqrt(2 * math.pi)
    return float(np.sum(w**4 * second**2 * normal * weights(w)) * step * step)


HATS = tuple(Fraction(1, 2**k) for k in range(6, 13))
"""Steps at which the limit of h K_FD is judged."""
LIMIT = 1e-8
"""What the extrapolated limit may be off."""


@dataclass(frozen=True)
class Sampled:
    """Random sine features of ∂²: the law of w, and the method."""

    weights: str
    method: str

    @property
    def fourth_moment(self) -> bool:
        """Whether E(Lφ)⁴ is finite: E w⁸ is for AD; the features of FD are bounded by 4/h²."""
        return self.method == "fd" or laws.law(self.weights).moment_exists(8)


STEP = Fraction(1)
"""A large step, so that the bound 4/h² on FD's features is felt from the smallest M on (with Student weights and
h = 1/4 the slope over the same M is still −0.41)."""


@lru_cache(maxsize=16)
def empirical_slopes(instance: Sampled, groups: int) -> list[float]:
    """Slopes of log rms ‖A Aᵀ/M − K‖_F against log M, M = 2⁵ … 2¹¹, for independent groups of draws."""
    points = [Fraction(k, 4) for k in (-3, -1, 2, 4)]
    derived = kernel("sin", instance.weights, "normal(0, 1)", "u_xx", ("central", 2), STEP)
    kind: Kind = "K_AD" if instance.method == "ad" else "K_FD"
    exact = np.array([[float(value(derived, kind, x, y, 12)) for y in points] for x in points])
    generator = np.random.default_rng(17)
    x, h = np.array([float(p) for p in points])[:, None], float(STEP)
    sizes, found = [2**k for k in range(5, 12)], []
    for _ in range(groups):
        errors = []
        for size in sizes:
            squares = []
            for _ in range(12):
                w = (generator.standard_normal(size) if instance.weights.startswith("normal")
                     else generator.standard_t(5, size))  # fmt: skip
                b = generator.standard_normal(size)
                if instance.method == "ad":
                    a = -(w**2) * np.sin(w * x + b)
                else:
                    a = (np.sin(w * (x + h) + b) - 2 * np.sin(w * x + b) + np.sin(w * (x - h) + b)) / h**2
                squares.append(float(np.sum((a @ a.T / size - exact) ** 2)))
            errors.append(0.5 * math.log(sum(squares) / len(squares)))
        found.append(float(np.polyfit(np.log(sizes), errors, 1)[0]))
    return found


def _samples(scope: Scope, profile: Profile) -> Iterator[Sampled]:
    for weights in ("normal(0, 1)", "student(5, 1)"):
        yield Sampled(weights, scope["method"])


def _diagonal(scope: Scope, profile: Profile) -> Iterator[Fraction]:
    yield from (Fraction(1), Fraction(0), Fraction(-3, 2))


_families = once(*({"kernel": name} for name in CELLS))
_single = once({"activation": "sin", "weights": "student(3), student(5)", "biases": "normal(0, 1)"})


@stated(
    "kernels.fd-rate",
    title="The finite-difference kernel converges like the stencil",
    source="ours",
    predicate=f"fitted slope within {TOLERANCE} of $p$; $(K_{{FD}} - K_{{AD}})/h^p$ at the least step within one "
    "per cent of the coefficient",
    kind="sampled",
    scopes=_families,
    instances=lambda scope, profile: (CELLS[scope["kernel"]],),
    judges=DERIVED,
    mutants=(
        wrong("one-more", "the rate is p + 1", "exponent", exponent=lambda r: r.stencil[1] + 1),
        wrong("one-side", "T acts at x alone: half the coefficient", "constant", share=0.5),
        wrong("sign", "the coefficient has the other sign", "sign", share=-1.0),
    ),
)  # fmt: skip
def fd_rate(
    rate: Rate, scope: Scope, exponent: Callable[[Rate], float] = lambda r: r.stencil[1], share: float | None = 1.0
) -> Outcome:
    r"""$K_{FD} = K_{AD} + h^p\,(T_xL_y + L_xT_y)K + o(h^p)$ with $T$ the leading truncation operator, for the six
    activations, laws and stencils of the cells, at one pair of points off the diagonal.
    """
    return _rate(rate, scope, exponent, share)


@stated(
    "kernels.heavy-tails",
    title="Heavy tails lower the rate",
    source="ours",
    predicate=f"fitted slope at $h = 2^{{-9}} \\dots 2^{{-13}}$ within {TOLERANCE} of $\\nu - 2m$",
    kind="sampled",
    scopes=_single,
    instances=_heavy,
    assumptions=(
        Assumption(r"$\nu > 2m$: $K_{AD}$ exists on the diagonal", lambda r: r.tail > 2 * r.derivative),
        Assumption(r"$\nu < 2m + p$", lambda r: r.tail < 2 * r.derivative + r.stencil[1]),
    ),
    judges=DERIVED,
    mutants=(
        wrong("smooth-rate", "the rate of the stencil", "exponent", exponent=lambda r: r.stencil[1]),
        weaker("light-tails", "ν may exceed 2m + p", "2m + p"),
    ),
)  # fmt: skip
def heavy_tails(
    rate: Rate,
    scope: Scope,
    exponent: Callable[[Rate], float] = lambda r: float(r.tail - 2 * r.derivative),
    share: float | None = None,
) -> Outcome:
    r"""For sine features with Student weights, $\nu = 3, 5$, normal biases and central stencils of $\partial$ and
    $\partial^2$ of orders 2 and 4 with $2m < \nu < 2m + p$, $K_{FD} - K_{AD} \asymp h^{\nu - 2m}$ at $x = y = 1/2$.
    """
    return _rate(rate, scope, exponent, share)


@stated(
    "kernels.cauchy-sine",
    title="Sine features with Cauchy weights have no exact kernel",
    source="ours",
    predicate=f"slope of $K_{{FD}}(x,x)$ within {TOLERANCE} of $-3 = \\nu - 2m$, and $K_{{AD}}$ is refused",
    kind="sampled",
    scopes=once({"activation": "sin", "weights": "cauchy(0, 1)", "biases": "normal(0, 1)"}),
    instances=partial(_cauchy, activation="sin"),
    derivation=(
        Step(r"$K_{AD}(x,x) = E\,w^4\sin^2(wx+b) = \tfrac12E\,w^4(1 - e^{-2}\cos 2wx) \ge \tfrac12(1 - e^{-2})\,E\,w^4 = \infty$",
             r"$b \sim N(0,1)$ is independent of $w$; claim laws.moments", "claim"),
    ),
    rests_on=("laws.moments",),
    judges=DERIVED,
    mutants=(
        instead("decaying", "for the bump as well", "assumption", instances=partial(_cauchy, activation="gaussian")),
        wrong("all-of-it", "it grows like h⁻⁴", "exponent", exponent=-4),
    ),
)  # fmt: skip
def cauchy_sine(rate: Rate, scope: Scope, exponent: float = -3) -> Outcome:
    r"""With Cauchy weights and $\sigma = \sin$, $b \sim N(0, 1)$, $K_{AD}(x,x)$ for $\partial^2$ is infinite: the
    central $K_{FD}(x,x)$ of order 2 grows like $h^{-3}$ ($x = 1, 1/3, -2$; $h = 2^{-6} \dots 2^{-10}$).
    """
    measured = slope(rate.steps, rate.values())
    try:
        value(rate.at(rate.steps[0]), "K_AD", rate.x, rate.y, 10)
        refused = False
    except NonexistenceError:
        refused = True
    detail = f"K_FD(x, x) grows with slope {measured:.4f}; K_AD is {'refused' if refused else 'finite'}"
    return Outcome(refused and abs(measured - exponent) <= TOLERANCE, detail, data={"slope": measured})


@stated(
    "kernels.cauchy-bump",
    title="A decaying activation and a random bias save heavy tails",
    source="ours",
    predicate="closed form and a trapezoidal rule in (w, b) both within half a unit of the fourth decimal",
    kind="sampled",
    scopes=once({"activation": "gaussian", "weights": "cauchy(0, 1)", "biases": "normal(0, 1)"}),
    instances=lambda scope, profile: (Fraction(1),),
    judges=DERIVED,
    mutants=(
        wrong("transposed", "0.7283", "constant", stated=0.7283),
        wrong("normal-weights", "normal weights give the same", "assumption", law="normal(0, 1)"),
    ),
)  # fmt: skip
def cauchy_bump(x: Fraction, scope: Scope, stated: float = 0.7238, law: str = "cauchy(0, 1)") -> Outcome:
    r"""With Cauchy weights, the bump $e^{-z^2/2}$ and $b \sim N(0,1)$, $K_{AD}(1,1) = 0.7238$ to four decimals for
    $\partial^2$.
    """
    closed = float(value(kernel("gaussian", law, "normal(0, 1)", "u_xx"), "K_AD", x, x, 20))
    direct = bump_mean(lambda w: 1 / (math.pi * (1 + w * w)))
    holds = abs(closed - stated) <= 5e-5 and abs(direct - stated) <= 5e-5
    return Outcome(holds, f"closed form {closed:.9f}, quadrature {direct:.9f}, stated {stated}",
                   margin=5e-5 - abs(closed - stated))  # fmt: skip


@stated(
    "kernels.relu",
    title="ReLU under a second derivative: nothing for autodiff, hats for differences",
    source="ours",
    predicate=r"$K_{AD}$ is the expression 0; at $x = 1, 0, -3/2$ and $h = 2^{-6} \dots 2^{-12}$ the distance of "
    r"$\pi(1+x^2)^2 h K_{FD}(x,x)$ from $4/3$ falls like $h^2$ (fitted slope within "
    f"{TOLERANCE} of 2), and its limit, extrapolated from the last two steps, is within $10^{{-8}}$ of $4/3$",
    kind="sampled",
    scopes=once({"activation": "relu", "weights": "normal(0, 1)", "biases": "normal(0, 1)"}),
    instances=_diagonal,
    derivation=(
        Step(r"$D_h\,\mathrm{ReLU}(wx+b) = \frac{|w|}{h}\max(0, 1 - |wx+b|/(|w|h))$",
             "second difference of a kink"),
        Step(r"$h\,E(\cdot)^2 \to \tfrac23 E|w|^3 p_b(-wx) = \tfrac23\cdot\frac{2}{\pi(1+x^2)^2}$",
             r"$\int\max(0, 1-|t|)^2dt = 2/3$"),
    ),
    judges=DERIVED,
    mutants=(
        wrong("full-hat", "∫ of the hat in place of its square", "constant", constant=Fraction(2)),
        wrong("bounded", "K_FD(x, x) has a finite limit", "exponent", power=0),
    ),
)  # fmt: skip
def relu(x: Fraction, scope: Scope, power: int = 1, constant: Fraction = Fraction(4, 3)) -> Outcome:
    r"""For ReLU, $w, b \sim N(0,1)$ and $\partial^2$: $K_{AD} = 0$, yet $h\,K_{FD}(x,x) \to \frac{4}{3\pi(1+x^2)^2}$
    (checked: $x = 1, 0, -3/2$).
    """
    # K_AD = 0 exactly, and f(h) = π(1 + x²)² h^power K_FD(x, x) → ``constant`` like h². The error falls with the
    # fitted slope 2, and the limit extrapolated from the last two steps is the constant.
    from mpmath import mp

    derived = [kernel("relu", "normal(0, 1)", "normal(0, 1)", "u_xx", ("central", 2), h) for h in HATS]
    with mp.workdps(30):
        scale = mp.pi * float(1 + x * x) ** 2  # exact: the points are dyadic
        found = [scale * value(d, "K_FD", x, x, 30) * h**power for d, h in zip(derived, HATS, strict=True)]
        errors = [f - mp.mpf(constant.numerator) / constant.denominator for f in found]
        limit = abs(4 * errors[-1] - errors[-2]) / 3
    order, vanishes = slope(HATS, errors), derived[0].raw_K_AD == 0
    return Outcome(
        vanishes and abs(order - 2) <= TOLERANCE and limit <= LIMIT,
        f"K_AD {'= 0' if vanishes else '≠ 0'}, π(1 + x²)² h^{power} K_FD(x, x) = {float(found[-1]):.6g} at the least step, "
        f"off by h^{order:.3f}, extrapolated limit off by {float(limit):.1e}",
        margin=TOLERANCE - abs(order - 2),
    )


@stated(
    "kernels.empirical-rate",
    title="Empirical kernels converge like one over the root of the width",
    source="classical (variance of a mean)",
    predicate="mean slope of log rms error against log M, $M = 2^5 \\dots 2^{11}$, 16 independent groups of 12 "
    "draws, within 0.02 + 3 standard errors of −1/2, the standard error at most 0.03",
    kind="sampled",
    scopes=once(*({"activation": "sin", "method": method, "step": spell(STEP)} for method in ("ad", "fd"))),
    instances=_samples,
    assumptions=(Assumption(r"$E(L\varphi)^4 < \infty$", lambda s: s.fourth_moment),),
    judges=DERIVED,
    mutants=(
        wrong("fast", "the rate is M⁻¹", "exponent", exponent=-1.0),
        weaker("heavy", "Student weights with ν = 5: no fourth moment of w²", "infty",
            {"activation": "sin", "method": "ad", "step": spell(STEP)}),
    ),
)  # fmt: skip
def empirical_rate(instance: Sampled, scope: Scope, exponent: float = -0.5) -> Outcome:
    r"""For sine features of $\partial^2$ with normal weights, and for FD ($h = 1$) with Student weights, $\nu = 5$, too
    ($E(L\varphi)^4 < \infty$), $A A^T/M \to K$ at the rate $M^{-1/2}$.
    """
    found = empirical_slopes(instance, 16)
    mean, error = float(np.mean(found)), float(np.std(found, ddof=1) / math.sqrt(len(found)))
    holds = abs(mean - exponent) <= 0.02 + 3 * error and error <= 0.03
    return Outcome(holds, f"slope {mean:.3f} ± {error:.3f} (standard error), claimed {exponent:g}",
                   margin=0.02 + 3 * error - abs(mean - exponent))  # fmt: skip


CLAIMS = (fd_rate, heavy_tails, cauchy_sine, cauchy_bump, relu, empirical_rate)
