"""Trained two-layer networks over drawn problems: what bounds them (ours).

The instances are those that Hypothesis generates from :func:`proofs_check.search.strategies.training_problems`, from a fixed seed:
operators, activations, laws, widths, points, stencils, steps, arithmetics and learning rates; a search goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from numerics.problem.problem import METHODS, Method
from proofs_check.claims.claim import Assumption, Claim, Mutant, Profile, Scope, Step, stated, wrong
from proofs_check.claims.comparisons import once
from proofs_check.claims.instances import draws
from proofs_check.claims.verdicts import Kind, Outcome

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from torch import Tensor

    from numerics.predictions.drawn import Examined, TrainingProblem

BOUNDED = ("tanh", "sin", "gaussian", "erf", "sigmoid", "cos")


@lru_cache(maxsize=16)
def generated(
    space: Callable[[Scope, Profile], SearchStrategy[TrainingProblem]],
    profile: Profile,
    count: int,
    optimizer: str = "gd",
) -> tuple[TrainingProblem, ...]:
    """So many draws, the same in every process with the same version of Hypothesis."""
    return tuple(draws(space({"optimizer": optimizer}, profile), count, seed=1))


def _networks(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    from hypothesis import strategies as st

    from proofs_check.search.strategies import training_problems

    widths = st.sampled_from((1, 4, 16, 64)) if profile == "quick" else None
    return training_problems(widths=widths, activations=BOUNDED, members=4)


def double(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    """In float64, one iteration: for statements about parameters, not about a run."""
    from hypothesis import strategies as st

    from proofs_check.search.strategies import training_problems

    widths = st.sampled_from((1, 4, 16, 64) if profile == "quick" else (1, 2, 4, 16, 64, 256, 1024))
    return training_problems(widths=widths, activations=BOUNDED, members=2, iterations=1, dtypes=("float64",))


def _lazy(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    from hypothesis import strategies as st

    from proofs_check.search.strategies import lazy_problems

    return lazy_problems(widths=st.sampled_from((256, 1024)) if profile == "quick" else None, members=2)


def instances_of(
    space: Callable[[Scope, Profile], SearchStrategy[TrainingProblem]], quick: int, full: int
) -> Callable[[Scope, Profile], Iterator[TrainingProblem]]:
    def instances(scope: Scope, profile: Profile) -> Iterator[TrainingProblem]:
        count = quick if profile == "quick" else full
        yield from generated(space, profile, count, scope.get("optimizer", "gd"))

    return instances


@lru_cache(maxsize=512)
def examined(drawn: TrainingProblem, method: Method, believed: float) -> Examined:
    """What one training comes to; claims and their mutants read the same one."""
    from numerics.predictions.drawn import examine

    return examine(drawn, method, believed)


def _ratio(drawn: TrainingProblem, scope: Scope, name: str, factor: float, believed: float = 1.0) -> Outcome:
    """A ratio of :class:`numerics.predictions.drawn.Examined`, over ``factor``, is at most 1 for every network."""
    found = examined(drawn, scope["method"], believed)
    worst = found.largest(name) / factor
    return Outcome(worst <= 1, f"at most {worst:.3g} of the bound in {len(found.law)} networks", margin=1 - worst)


_methods = once({"method": "ad"}, {"method": "fd"})
DIFFERENCES = once({"method": "fd"})
Space = Callable[[Scope, Profile], "SearchStrategy[TrainingProblem]"]


def of_networks(
    name: str, space: Space = _networks, counts: tuple[int, int] = (4, 150), scopes: Any = _methods,
    kind: Kind = "sampled", source: str = "ours", **rest: Any,
) -> Callable[[Callable[..., Outcome]], Claim]:  # fmt: skip
    """A claim about the networks of a space: of so many draws, in the quick profile and in the full one."""
    return stated(
        f"networks.{name}", source=source, kind=kind, scopes=scopes, instances=instances_of(space, *counts), search=space,
        describe=_describe, **rest,
    )  # fmt: skip


def _describe(drawn: TrainingProblem) -> dict[str, Any]:
    return drawn.to_dict()


@of_networks(
    "law-bound",
    title="The law of the frozen kernel holds within its bound, for every network drawn",
    predicate="the deviation of the residual vectors, in the arithmetic of the run, is at most the bound with its own rounding, at every "
    "iteration of every drawn network",
    derivation=(
        Step(r"$e_{t+1} = (I-\eta G_0)e_t + d_t$", "subtract the law from the run"),
        Step(r"$|\langle v_k, e_{t+1}\rangle| \le |1-\eta\lambda_k||\langle v_k, e_t\rangle| + |\langle v_k, d_t\rangle|$",
             "in the eigenvectors of $G_0$"),
    ),
    judges=("numerics.predictions.drawn.examine",),
    mutants=(
        wrong("half", "the bound is half of that", "constant", factor=0.5),
        wrong("first", "the defect of the first step is enough", "predicate", all_defects=False),
    ),
)  # fmt: skip
def law_bound(drawn: TrainingProblem, scope: Scope, factor: float = 1.0, all_defects: bool = True) -> Outcome:
    r"""$\|r_t - (I-\eta G_0)^t r_0\| \le \|(\sum_{s<t}|1-\eta\lambda_k|^{t-1-s}|\langle v_k, d_s\rangle|)_k\|$ with
    $d_s = r_{s+1} - (I-\eta G_0)r_s = q_s - \eta(G_s-G_0)r_s$, $\lambda_k$ and $v_k$ of the kernel $G_0$ at the start, for
    residuals $r_t$ of gradient descent."""
    if all_defects:
        return _ratio(drawn, scope, "law", factor)
    from numerics.predictions.drawn import run

    found = run(drawn, scope["method"])  # type: ignore[arg-type]
    over = (found.deviation > found.bound[1]).any()
    return Outcome(
        not bool(over), f"deviation {float(found.deviation.max()):.3g}, first defect {float(found.bound[1].max()):.3g}"
    )


@of_networks(
    "step",
    title="A step of gradient descent is −ηJᵀr up to round-off that is bounded",
    predicate="at the first, middle and last step of every drawn network",
    judges=("numerics.predictions.drawn.examine",),
    mutants=(
        wrong("step", "the step is one per cent longer than the one taken", "constant", believed=1.01),
        wrong("exact", "a millionth of the round-off is allowed", "assumption", factor=1e-6),
    ),
)
def step_of_descent(drawn: TrainingProblem, scope: Scope, factor: float = 1.0, believed: float = 1.0) -> Outcome:
    r"""$|\theta_{t+1} - \theta_t + \eta J(\theta_t)^T r_t|$ is at most the round-off of its operations, entry by entry, J in
    closed form, for elementary functions good to 8 units, in two-layer networks (those drawn)."""
    return _ratio(drawn, scope, "step", factor, believed)


SMALL = 1e-3
"""The length of a Δ in one neuron."""
ROUNDS = 8
"""Of the power iteration towards the direction in which a second derivative is largest."""


def _steepest(model: Any, flat: Tensor, row: int) -> tuple[Tensor, Tensor]:
    """Unit directions of every neuron, ``[b, k, m]``, in which ``|D²r_row|`` is nearly largest, and the sizes, ``[b, m]``.

    A power iteration on differences of J, which need not be right: what is judged is only tried in these directions.
    """
    import torch

    from numerics.networks import ntk

    members, m = len(flat), model.network.width
    v = torch.ones_like(flat).view(members, -1, m)
    v[:, ::2] = -1 / 2
    size = torch.zeros_like(v[:, 0])
    for _ in range(ROUNDS):
        v = v / torch.linalg.vector_norm(v, dim=1, keepdim=True).clamp(min=1e-300)
        ends = [ntk.jacobian(model, flat + s * SMALL * v.reshape(members, -1))[:, row] for s in (1, -1)]
        v = (ends[0] - ends[1]).view(members, -1, m) / (2 * SMALL)
        size = torch.linalg.vector_norm(v, dim=1)
    return v / size[:, None].clamp(min=1e-300), size


@of_networks(
    "curvature",
    title="What a step leaves of linearity is bounded by second derivatives, neuron by neuron",
    predicate="at the first, middle and last step of every drawn network, and at its start for a Δ of length 1/1000 in that neuron, and in that "
    "direction, in which the second derivative of the first, the middle or the last residual comes nearest to its bound; plus round-off",
    judges=("numerics.predictions.bounds.curvatures",),
    mutants=(
        wrong("a-quarter-less", "3/8 in place of 1/2", "constant", factor=0.75),
        wrong(
            "linear", "the residuals are linear up to a thousandth of that", "predicate", factor=1e-3, steepest=False
        ),
    ),
)
def curvature(drawn: TrainingProblem, scope: Scope, factor: float = 1.0, steepest: bool = True) -> Outcome:
    r"""For every $\Delta$ (steps of gradient descent, and steep ones in one neuron), $\Delta_j$ its part in the parameters of
    neuron $j$: $|r_i(\theta+\Delta) - r_i(\theta) -
    (J\Delta)_i| \le \frac12\sum_j h_{ij}\|\Delta_j\|^2$, $h_{ij}$ a bound, from the suprema of $\sigma^{(k)}$, on the second derivative
    of $r_i$ in these parameters within $\|\Delta\|$ of $\theta$; for differences by the average $\int|K|$ of Peano's kernel."""
    import torch

    from numerics.networks import ntk
    from numerics.predictions.bounds import Rounding, bend_rounding, curvatures

    at_steps = _ratio(drawn, scope, "curvature", factor)
    if not steepest:
        return at_steps
    method: Any = scope["method"]
    model, flat = drawn.model(method, "float64"), drawn.start
    # Shifts rounded to the arithmetic of the run are no longer those of the stencil.
    unit = 2.0**-53 if method == "ad" else drawn.unit
    h = curvatures(model, flat, SMALL, None if method == "ad" else drawn.averages)
    here, J, before = model.residual(flat), ntk.jacobian(model, flat), Rounding.of(model, flat)
    worst, count = 0.0, here.shape[1]
    for row in {0, count // 2, count - 1}:
        v, size = _steepest(model, flat, row)
        neuron = (size / h[:, row]).nan_to_num(nan=0.0).argmax(1)
        chosen = torch.nn.functional.one_hot(neuron, v.shape[2]).to(v)
        for sign in (SMALL, -SMALL):
            moved = (sign * v * chosen[:, None]).reshape(len(flat), -1)
            left = model.residual(flat + moved) - here - torch.bmm(J, moved[:, :, None])[:, :, 0]
            noise = bend_rounding(before, Rounding.of(model, flat + moved), moved, unit)
            allowed = factor * (h * chosen[:, None]).sum(2) * SMALL**2 / 2 + noise
            worst = max(worst, float((left.abs() / allowed).nan_to_num(nan=0.0, posinf=math.inf).max()))
    return Outcome(
        bool(at_steps.holds) and worst <= 1,
        f"{at_steps.detail}; {worst:.3g} for the steepest Δ in one neuron",
        margin=min(1 - worst, at_steps.margin or 0.0),
    )


@of_networks(
    "truncation",
    title="Residuals by differences are within Peano's bound of those by autodiff",
    predicate="at the start of every drawn network, plus round-off",
    scopes=DIFFERENCES,
    judges=("numerics.predictions.drawn.examine",),
    mutants=(
        wrong("half", "the constant is half of $C_p$", "constant", factor=0.5),
        wrong("order", "the order is higher by one and a bit: a fortieth of that", "order", factor=0.025),
    ),
)
def truncation(drawn: TrainingProblem, scope: Scope, factor: float = 1.0) -> Outcome:
    r"""$|r^{FD}_i - r^{AD}_i| \le c\sum_T |c_T|\,h_T^p C_p \sup|\sigma^{(m+p)}| \sum_j |a_j||w_{jT}|^{m+p}$ on interior rows:
    the sum over the terms $c_T\partial^m$ of $L$, each along an axis with the step $h_T$ and $m$, $p$, $C_p$ of its own
    difference; $u = c\sum_j a_j\sigma(z_j)$."""
    return _ratio(drawn, scope, "truncation", factor)


@of_networks(
    "descent",
    space=double,
    counts=(8, 150),
    title="The loss of a network falls at steps below the inverse of a bound on its Hessian",
    source="ours, by the descent lemma",
    predicate="one step from the start of every drawn network in float64, plus round-off",
    judges=("numerics.predictions.bounds.descent_step",),
    mutants=(
        Mutant("kernel", "the step 1.9/λ_max of the kernel suffices", "assumption",
               lambda c: c.given(hessian=False).with_(instances=instances_of(double, 24, 150))),
        wrong("whole", "the loss falls by twice that, η‖g‖²", "constant", share=2.0),
    ),
)  # fmt: skip
def descent(drawn: TrainingProblem, scope: Scope, hessian: bool = True, share: float = 1.0) -> Outcome:
    r"""Let $g = J^Tr$ be the gradient of $\ell = \frac12\|r\|^2$ at $\theta$, $s = \|J\|_2$, $\rho = \eta\|g\|$, $L$ a Lipschitz constant of $J$ within
    $\rho$ of $\theta$. Then $\eta\beta \le 1$, $\beta = (s+L\rho)^2 + L(\|r\| + (s+L\rho)\rho)$, implies
    $\ell(\theta-\eta g) \le \ell(\theta) - \frac\eta2\|g\|^2$; $\eta = 1.9/\lambda_{\max}(G)$ does not suffice
    (its mutant)."""
    import torch

    from numerics.networks import ntk
    from numerics.predictions.bounds import Rounding, descent_step

    method: Any = scope["method"]
    model, flat = drawn.model(method), drawn.start
    eta, fall = descent_step(model, flat, None if method == "ad" else drawn.averages)
    if not hessian:
        largest = torch.linalg.eigvalsh(ntk.kernel(model, flat))[:, -1]
        eta, fall = 1.9 / largest.clamp(min=1e-300), torch.zeros_like(fall)
    loss, gradient = model(flat)
    after = model(flat - eta[:, None] * gradient)[0]
    noise = 2.0**-50 * (Rounding.of(model, flat).residual * (2 * loss[:, None]).sqrt()).sum(1)
    short = (share * fall - (loss - after) - noise) / loss.clamp(min=1e-300)
    worst = float(short.max())
    return Outcome(worst <= 1e-9, f"falls short by {worst:.2g} of the loss at most", margin=-worst)


def _some_are_lazy(drawn: TrainingProblem) -> bool:
    from numerics.predictions.drawn import known_at_the_start

    return all(bool(known_at_the_start(drawn, method).applies.any()) for method in METHODS)


@of_networks(
    "lazy",
    space=_lazy,
    counts=(4, 100),
    title="Wide networks with small residuals train at the rate of the kernel at the start",
    source="ours, after Chizat, Oyallon and Bach (2019)",
    predicate="every t of every drawn network that meets the hypotheses; λ and s from the kernel at the start, L from the suprema of the "
    "activation's derivatives",
    assumptions=(Assumption("a network of the draw meets the hypotheses, for AD and FD", _some_are_lazy),),
    judges=("numerics.predictions.bounds.lazy",),
    mutants=(
        wrong("rate", "the rate is four times as large", "constant", steepness=4.0),
        Mutant("any", "the hypotheses are not needed", "assumption",
               lambda c: c.without_assumption("hypotheses").given(needed=False).with_(instances=instances_of(_networks, 8, 50))),
    ),
)  # fmt: skip
def lazy_training(drawn: TrainingProblem, scope: Scope, steepness: float = 1.0, needed: bool = True) -> Outcome:
    r"""Let $s$ and $\sqrt\lambda > 0$ be the largest and the least singular value of $J_0$ (as many as residuals), $L$ a Lipschitz
    constant of $J$ within $R$ of $\theta_0$, $e_t = r_t - (I-\eta G_0)^tr_0$. If $p = 2s\delta+\delta^2 \le \lambda/2$, $\delta = LR$, $2(s+\delta)\|r_0\| \le \lambda R$, $\eta \le 2/(s^2+\lambda)$, then
    $\|r_t\| \le (1-\eta\lambda/2)^t\|r_0\|$ and $\|e_t\| \le \frac{2p}{\lambda}\|r_0\|[(1-\eta\lambda/2)^t - (1-\eta\lambda)^t]$."""
    import torch

    from numerics.predictions.drawn import against, known_at_the_start, run

    method: Any = scope["method"]
    known = known_at_the_start(drawn, method)
    if not needed:
        known = replace(known, applies=torch.ones_like(known.applies))
    known = replace(known, least=torch.minimum(steepness * known.least, 2 / known.step))  # the rate that is claimed
    worst, slack = against(known, drawn, method, run(drawn, method))
    top = float(torch.nan_to_num(worst, nan=0.0).max())
    return Outcome(
        top <= 1,
        f"{int(known.applies.sum())} networks, at most {top:.2g} of the bounds; bound over deviation "
        f"{float(slack.nanmedian()):.1g}",
        margin=1 - top,
    )


CLAIMS = (law_bound, step_of_descent, curvature, truncation, descent, lazy_training)
"""What bounds trained networks."""
