"""Two-layer networks: how training approaches the law of the frozen tangent kernel with the width; residuals in closed form
against automatic differentiation, and the round-off of differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from operator import neg
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from numerics.problem.problem import METHODS, Boundary, Method, Problem, Training
from proofs_check.claims.claim import TYPICAL, Profile, Scope, Step, stated, wrong
from proofs_check.claims.comparisons import by_seed, once, seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.sources.decisions import CONFIDENCE, within
from theory.features.laws import Normal

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from torch import Tensor

    from numerics.networks.two_layer import TwoLayerResidual


@dataclass(frozen=True)
class Ensemble:
    """Networks ``u = M^{-1/2} Σ a_j σ(w_j x + b_j)`` of several widths with one step and one time for all.

    The start is bounded: w and b uniform in ±√3, a = ±1. The target is small: the law is about networks that move
    little.

    Attributes:
        activation: σ.
        method: of the residual.
        widths: M, ascending.
        members: seeds a width.
        iterations: of gradient descent.
        first: the first seed.
    """

    activation: str
    method: Method
    widths: tuple[int, ...]
    members: int
    iterations: int = 32
    first: int = 0

    @property
    def problem(self) -> Problem:
        """u'' = sin(πx)/10 at four points, with Dirichlet rows; the difference has h = 1/10."""
        return Problem(
            solution="-sin(pi*x)/(10*pi**2)",
            activation_name=self.activation,
            interior=(4,),
            boundary=(Boundary(),),
            step=(Fraction(1, 10),),
            count=self.widths[0],
            training=Training("two-layer", iterations=self.iterations),
        )

    def describe(self) -> dict[str, Any]:
        """JSON types, from which the ensemble can be drawn again."""
        return {
            "widths": list(self.widths),
            "seeds": [self.first, self.first + self.members],
            "method": self.method,
            "start": "w, b uniform in ±√3, a = ±1",
            "problem of the least width": self.problem.to_dict(),
        }


def _ensembles(scope: Scope, profile: Profile) -> Iterator[Ensemble]:
    widths, members = ((64, 1024), 64) if profile == "quick" else ((256, 1024, 4096), 96)
    iterations = 16 if profile == "quick" else 100
    yield Ensemble(scope["activation"], scope["method"], widths, members, iterations)  # type: ignore[arg-type]


def _search(scope: Scope) -> SearchStrategy[Ensemble]:
    """Other ensembles of the same kind, by their first seed."""
    (one,) = _ensembles(scope, "quick")
    return by_seed(lambda k: replace(one, first=1000 * k))


@lru_cache(maxsize=16)
def _members(ensemble: Ensemble) -> tuple[tuple[TwoLayerResidual, Tensor, Tensor], ...]:
    """For each width the model, the parameters at the start and the kernels there."""
    from numerics.networks import ntk, symbolic
    from numerics.networks.networks import TwoLayer, initialise
    from numerics.networks.two_layer import TwoLayerResidual
    from numerics.training import from_problem

    system = from_problem.system(ensemble.problem, ensemble.method)
    activation = symbolic.torch_activation(ensemble.problem.activation)
    found = []
    for width in ensemble.widths:
        model = TwoLayerResidual(TwoLayer(width, 1, activation), system)
        flat = initialise(model.network, range(ensemble.first, ensemble.first + ensemble.members), "bounded")
        found.append((model, flat, ntk.kernel(model, flat)))
    return tuple(found)


Law = Callable[["Tensor", "Tensor", float, tuple[int, ...]], "Tensor"]
"""Residuals ``[t, r]`` from a kernel, the residual at the start, the step and the iterations."""


def _power(G: Tensor, r: Tensor, step: float, times: tuple[int, ...]) -> Tensor:
    """``(I − ηG)^t r(0)``."""
    from numerics.networks import ntk

    return ntk.frozen_law(G, r, step, times[-1], times).residuals


def flow(G: Tensor, r: Tensor, step: float, times: tuple[int, ...]) -> Tensor:
    """``exp(−ηtG) r(0)``: the law of the gradient flow, which gradient descent does not follow exactly."""
    import torch

    values, vectors = torch.linalg.eigh(G)
    residuals: Tensor = torch.exp(-step * values * torch.tensor(times)[:, None]) * (vectors.T @ r) @ vectors.T
    return residuals


def deviations(ensemble: Ensemble, law: Law = _power) -> list[list[float]]:
    """``sup_t ‖r(t) − law(t)‖/‖r(0)‖`` of every network, one row a width; the step is half of 1/λ_max of the limit."""
    import torch

    from numerics.networks import ntk
    from numerics.training.loop import GradientDescent, minimise, schedule

    members = _members(ensemble)
    step = 0.5 * float(ntk.stable_steps(ntk.limit_kernel(members[0][0])[None]))
    times = schedule(ensemble.iterations, 4)
    table = []
    for model, flat, kernels in members:
        first = model.residual(flat)
        predicted = torch.stack([law(G, r, step, times) for G, r in zip(kernels, first, strict=True)], 1)
        run = minimise(model, flat, GradientDescent(step), ensemble.iterations, times, snapshots=times)
        measured = torch.stack([model.residual(run.snapshots[t]) for t in times])
        gap = torch.linalg.vector_norm(measured - predicted, dim=2).amax(0)
        table.append((gap / torch.linalg.vector_norm(first, dim=1)).tolist())
    return table


def fluctuations(ensemble: Ensemble, scale: float = 1.0) -> list[list[float]]:
    """``‖G_M − G_∞‖/‖G_∞‖`` of every network; ``scale`` of the law whose limit is taken."""
    import torch

    from numerics.networks import ntk

    table = []
    for model, _, kernels in _members(ensemble):
        limit = ntk.limit_kernel(model, scale)
        table.append((torch.linalg.matrix_norm(kernels - limit) / torch.linalg.matrix_norm(limit)).tolist())
    return table


def _exponent(ensemble: Ensemble, values: list[list[float]], order: float, reach: float) -> Outcome:
    """The slope of a quantity in the width, by its bootstrap interval."""
    from numerics.training.statistics import loglog_slope

    table = np.array(values)
    slope = loglog_slope(ensemble.widths, table, confidence=CONFIDENCE)
    return Outcome(
        within((slope.lower, slope.upper), order, reach),
        f"slope {slope.estimate:.3f} [{slope.lower:.3f}, {slope.upper:.3f}], law {order:g} ± {reach:g}, "
        f"M = {ensemble.widths[0]} … {ensemble.widths[-1]}, {ensemble.members} seeds",
        margin=reach - abs(slope.estimate - order),
        data={
            "slope": slope.estimate,
            "interval": [slope.lower, slope.upper],
            "confidence": CONFIDENCE,
            "widths": list(ensemble.widths),
            "geometric_means": np.exp(np.log(table).mean(1)).tolist(),
        },
    )


_methods = once(*({"activation": "tanh", "method": method} for method in METHODS))


@stated(
    "networks.ntk-frozen-law",
    title="Training follows the frozen tangent kernel, better with the width",
    source="ours, after Jacot, Gabriel and Hongler (2018) and Wang, Yu and Perdikaris (2022)",
    predicate=r"four points, Dirichlet rows, $h = 1/10$, $\eta = 1/(2\lambda_{\max}(G_\infty))$: slope in $\log M$ of the geometric mean of $\sup_t\|r(t) - (I - \eta G)^t r(0)\|/\|r(0)\|$ within "
    f"0.15 of −1: supported where its whole bootstrap interval at {CONFIDENCE:.0%} lies there, refuted where all of "
    "it lies outside",
    kind="sampled",
    scopes=_methods,
    instances=_ensembles,
    derivation=(
        Step(r"$r(t+1) = (I - \eta G(t))\,r(t) + O(\eta^2)$", "one step of gradient descent"),
        Step(r"$\|G(t) - G(0)\|/\|G(0)\| = O(M^{-1})$ at fixed time for bounded laws",
             "parameters move by $O(M^{-1/2})$ each, their effects on $G$ average"),
    ),
    describe=Ensemble.describe,
    search=_search,
    judges=("numerics.networks.ntk.frozen_law",),
    mutants=(
        wrong("root", "the deviation falls like the root of the width", "exponent", order=-0.5),
        wrong("exponential", "the law is that of the gradient flow, exp(−ηtG)", "predicate", law=flow),
    ),
)  # fmt: skip
def frozen_law(ensemble: Ensemble, scope: Scope, order: float = -1, law: Law = _power) -> Outcome:
    r"""Gradient descent on the residuals of a two-layer tanh network ($u'' = \sin(\pi x)/10$; $w, b$ uniform in
    $\pm\sqrt3$, $a = \pm1$; 16 iterations, in the full profile 100) follows $r(t) = (I - \eta G)^t r(0)$ with
    $G = JJ^T$ at the start, and the deviation falls like $1/M$ between the widths $M = 64$ and $1024$ (full: 256, 1024 and 4096)."""
    return _exponent(ensemble, deviations(ensemble, law), order, 0.15)


@stated(
    "networks.kernel-fluctuation",
    title="The tangent kernel at the start approaches its limit like the root of the width",
    source="classical (variance of a mean)",
    predicate=r"four points, Dirichlet rows, $h = 1/10$: slope in $\log M$ of the geometric mean over seeds within 0.1 of −1/2, $G_\infty$ by quadrature; "
    f"decided by the bootstrap interval at {CONFIDENCE:.0%}",
    kind="sampled",
    scopes=_methods,
    instances=_ensembles,
    derivation=(Step(r"$G_M = \frac1M\sum_j M J_jJ_j^T$ is a mean of independent terms", "neurons are independent"),),
    describe=Ensemble.describe,
    search=_search,
    judges=("numerics.networks.ntk.limit_kernel", "numerics.networks.ntk.kernel"),
    mutants=(
        wrong("linear", "it falls like the width", "exponent", order=-1),
        wrong("other-law", "the limit is that of parameters ten per cent larger", "constant", scale=1.1),
    ),
)
def kernel_fluctuation(ensemble: Ensemble, scope: Scope, order: float = -0.5, scale: float = 1.0) -> Outcome:
    r"""For two-layer tanh networks with a bounded start,
    $\|G_M - G_\infty\|/\|G_\infty\|$ falls like $M^{-1/2}$ between the widths $M = 64$ and $1024$ (full: 256, 1024 and 4096),
    for AD and FD residuals alike."""
    return _exponent(ensemble, fluctuations(ensemble, scale), order, 0.1)


OPERATORS = {
    "u_xx": "sin(pi*x)",
    "u_xxxx": "sin(pi*x)",
    "u_xx + u_yy": "sin(pi*x)*sin(pi*y)",
    "u_xx + 25*u": "sin(pi*x)",
}


def _network_problem(activation: str, operator: str, seed: int, *, dtype: str = "float64", step: Fraction) -> Problem:
    dimension = 2 if "y" in operator else 1
    return Problem(
        operator_text=operator,
        domain=((Fraction(-1), Fraction(1)),) * dimension,
        solution=OPERATORS.get(operator, "sin(pi*x)"),
        activation_name=activation,
        weights=Normal(Fraction(0), Fraction(1)),
        biases=Normal(Fraction(0), Fraction(1)),
        count=24,
        seed=seed,
        interior=(5, 5) if dimension == 2 else (24,),
        boundary=(Boundary(),),
        step=(step,),
        dtype=dtype,  # type: ignore[arg-type]
        training=Training("two-layer"),
    )


def _agreement_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 2, 8):
        yield _network_problem(scope["activation"], scope["operator"], seed, step=Fraction(1, 10))


@stated(
    "networks.jets-agree",
    title="Closed forms agree with nested automatic differentiation",
    source="classical (chain rule)",
    predicate="residual and gradient of the loss agree within $10^{-12}$, relative in norm, in float64",
    kind="sampled",
    scopes=once(*({"activation": a, "operator": o} for o in OPERATORS for a in ("tanh", "sin", "gaussian"))),
    instances=_agreement_instances,
    judges=("numerics.training.from_problem.model", "numerics.networks.perceptrons.ModuleResidual"),
    mutants=(
        wrong("difference", "the difference with h = 1/10 is the derivative", "predicate", method="fd"),
        wrong("float32", "they agree as well in float32", "assumption", dtype="float32"),
    ),
)
def jets_agree(instance: Problem, scope: Scope, method: Method = "ad", dtype: str = "float64") -> Outcome:
    """Residuals and gradients of two-layer networks (tanh, sin, Gaussian; width 24; the operators of the cells) by closed
    forms are those of nested reverse mode to $10^{-12}$ in float64."""
    import torch

    from numerics.networks.perceptrons import ModuleResidual
    from numerics.training import from_problem
    from numerics.training.ensembles import on

    flat = from_problem.start(instance, [instance.seed, instance.seed + 1])
    kind: Any = getattr(torch, dtype)
    fast: Any = on(from_problem.model(instance, method), torch.device("cpu"), kind)
    exact: Any = from_problem.model(instance, "ad")
    generic = ModuleResidual(exact.network.module(flat[0]), exact.system, "reverse")
    pairs = [
        (fast.residual(flat.to(kind)), generic.residual(flat).detach()),
        (fast(flat.to(kind))[1], generic(flat)[1]),
    ]
    gap = max(float(((a.double() - b).norm(dim=1) / b.norm(dim=1)).max()) for a, b in pairs)
    return Outcome(gap <= 1e-12, f"largest relative difference {gap:.1e}", margin=math.log10(1e-12 / gap))


BLOCK = 32
"""Networks taken at once."""
CAST_STEP = Fraction(1, 64)
NOISE_STEPS = tuple(Fraction(1, 2**k) for k in range(4, 9))
ORDERS = {"u_x": 1, "u_xx": 2, "u_xxx": 3, "u_xxxx": 4}


def _rounded_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    return (_rounded(scope, seed) for seed in seeds(profile, 32, 64))


def _rounded(scope: Scope, seed: int) -> Problem:
    return _network_problem(scope["activation"], scope["operator"], seed, dtype="float32", step=CAST_STEP)


def _rounded_search(scope: Scope) -> SearchStrategy[Problem]:
    """Other networks of the same kind, by their seed."""
    return by_seed(lambda seed: _rounded(scope, seed))


Cast = Literal["never", "after", "before"]
"""Whether values go to float64 at all: after the forward pass, or parameters and points before it."""


@lru_cache(maxsize=4)
def _starts(block: int) -> Tensor:
    """Parameters of the networks of a block, in float32; they do not depend on σ, L or h."""
    from numerics.training import from_problem

    template = _network_problem("tanh", "u_xx", 0, step=CAST_STEP)
    return from_problem.start(template, range(block * BLOCK, (block + 1) * BLOCK)).float()


@lru_cache(maxsize=256)
def _errors(activation: str, operator: str, step: Fraction, block: int, cast: Cast) -> tuple[float, ...]:
    """Root-mean-square round-off of the FD residual in float32 at the interior points, for each network of a block."""
    import torch

    from numerics.training import from_problem
    from numerics.training.ensembles import on

    problem = _network_problem(activation, operator, 0, dtype="float32", step=step)
    cpu, flat = torch.device("cpu"), _starts(block)
    exact: Any = from_problem.model(problem, "fd")
    model: Any = on(from_problem.model(problem, "fd", cast_after_forward=cast == "after"), cpu, torch.float32)
    if cast == "before":
        model, flat = on(model, cpu, torch.float64), flat.double()
    rows = len(exact.system.rows[0].target)
    gap = (model.residual(flat).double() - exact.residual(flat.double()))[:, :rows]
    return tuple(gap.square().mean(1).sqrt().tolist())


def _error(instance: Problem, step: Fraction, cast: Cast) -> float:
    block, place = divmod(instance.seed, BLOCK)
    return _errors(instance.activation_name, instance.operator_text, step, block, cast)[place]


_typical = "for at least 9 in 10 networks (95 % confidence)"


@stated(
    "networks.cast-after-forward",
    title="A cast after the forward pass does not remove the round-off of differences",
    source="ours",
    predicate=r"root-mean-square error against float64 with the cast at least half of that without, $h = 1/64$, "
    + _typical,
    kind="sampled",
    scopes=once(*({"activation": a, "operator": o} for o in ("u_xx", "u_xxxx") for a in ("tanh", "sin"))),
    instances=_rounded_instances,
    quantifier=TYPICAL,
    search=_rounded_search,
    derivation=(Step(r"the error is that of the values $u(x + s_kh)$ themselves, $\sim u|u(x)|$, times $h^{-m}$",
                     "the cast is exact: it changes the sum's own rounding alone"),),
    judges=("numerics.training.from_problem.model",),
    mutants=(
        wrong("before", "the cast comes before the forward pass", "order", cast="before"),
        wrong("doubles", "the cast leaves at least twice the error", "constant", least=2.0),
    ),
)  # fmt: skip
def cast_after_forward(instance: Problem, scope: Scope, least: float = 0.5, cast: Cast = "after") -> Outcome:
    """At $h = 1/64$, for $u_{xx}$ and $u_{xxxx}$ and in at least 9 of 10 tanh and sine networks, values computed in float32
    and cast to float64 before they are differenced leave at least half of the round-off in the residual."""
    plain, left = _error(instance, instance.h, "never"), _error(instance, instance.h, cast)
    return Outcome(
        left >= least * plain,
        f"rms error {plain:.2e} without the cast, {left:.2e} with it: {left / plain:.2f} of it is left",
        margin=left / plain - least,
        data={"plain": plain, "cast": left},
    )


@stated(
    "networks.residual-noise",
    title="Round-off of a network's difference residual grows like h to the minus m",
    source="ours",
    predicate=r"slope in $\log h$ of the root-mean-square error against float64, $h = 2^{-4} \dots 2^{-8}$, within "
    r"1/4 of $-m$, " + _typical,
    kind="sampled",
    scopes=once(*({"activation": "tanh", "operator": o} for o in ORDERS)),
    instances=_rounded_instances,
    quantifier=TYPICAL,
    search=_rounded_search,
    judges=("numerics.training.from_problem.model",),
    mutants=(
        wrong("independent-of-order", "it grows like 1/h whatever the order", "exponent",
              {"activation": "tanh", "operator": "u_xxxx"}, expected=lambda m: -1),
        wrong("one-more", "it grows like h to the −(m + 1)", "order", expected=lambda m: -m - 1),
    ),
)  # fmt: skip
def residual_noise(instance: Problem, scope: Scope, expected: Callable[[int], int] = neg) -> Outcome:
    r"""At given parameters the round-off of the FD residual in float32 is proportional to $h^{-m}$, $m \le 4$ the order of
    the derivative, $h$ from $1/16$ to $1/256$, in at least 9 of 10 tanh networks (how it depends on $u$ is not judged here)."""
    errors = [_error(instance, h, "never") for h in NOISE_STEPS]
    slope = float(np.polyfit([math.log(h) for h in NOISE_STEPS], np.log(errors), 1)[0])
    order = expected(ORDERS[instance.operator_text])
    return Outcome(
        abs(slope - order) <= 0.25, f"slope {slope:.2f}, law {order}", margin=0.25 - abs(slope - order),
        data={"slope": slope, "steps": [str(h) for h in NOISE_STEPS], "errors": errors},
    )  # fmt: skip


CLAIMS = (frozen_law, kernel_fluctuation)
"""Claims about wide two-layer networks."""
RESIDUALS = (jets_agree, cast_after_forward, residual_noise)
"""Claims about the residuals of two-layer networks."""
