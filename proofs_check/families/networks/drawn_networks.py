"""Trained two-layer networks over drawn problems: what bounds them, what predicts their entropies (ours).

The instances are those that Hypothesis generates from :func:`proofs_check.search.strategies.training_problems`, from a fixed seed:
operators, activations, laws, widths, points, stencils, steps, arithmetics and learning rates; a search goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from numerics.problem.problem import METHODS, Method
from proofs_check.claims.claim import Assumption, Claim, Mutant, Profile, Scope, Step
from proofs_check.claims.comparisons import Decision, every, less, once
from proofs_check.claims.verdicts import Kind, Outcome
from theory.entropy.conventions import standard_conventions

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from torch import Tensor

    from numerics.entropy.compare import EntropyEnclosure
    from numerics.predictions.drawn import Examined, TrainingProblem
    from numerics.predictions.entropy_order import Along, Compared
    from numerics.predictions.persistence import EntropyOrder

CONVENTIONS = standard_conventions(4)
BOUNDED = ("tanh", "sin", "gaussian", "erf", "sigmoid", "cos")
Test = Callable[["TrainingProblem", Scope], Outcome]


@lru_cache(maxsize=16)
def generated(
    space: Callable[[Scope, Profile], SearchStrategy[TrainingProblem]],
    profile: Profile,
    count: int,
    optimizer: str = "gd",
) -> tuple[TrainingProblem, ...]:
    """So many draws, the same in every process with the same version of Hypothesis."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    found: list[TrainingProblem] = []

    @seed(1)
    @settings(
        max_examples=count, database=None, deadline=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(space({"optimizer": optimizer}, profile))
    def collect(drawn: TrainingProblem) -> None:
        found.append(drawn)

    collect()
    return tuple(found)


def _networks(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    from hypothesis import strategies as st

    from proofs_check.search.strategies import training_problems

    widths = st.sampled_from((1, 4, 16, 64)) if profile == "quick" else None
    return training_problems(widths=widths, activations=BOUNDED, members=4)


def _double(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    """In float64, one iteration: for statements about parameters, not about a run."""
    from hypothesis import strategies as st

    from proofs_check.search.strategies import training_problems

    widths = st.sampled_from((1, 4, 16, 64) if profile == "quick" else (1, 2, 4, 16, 64, 256, 1024))
    return training_problems(widths=widths, activations=BOUNDED, members=2, iterations=1, dtypes=("float64",))


def _lazy(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    from hypothesis import strategies as st

    from proofs_check.search.strategies import lazy_problems

    return lazy_problems(widths=st.sampled_from((256, 1024)) if profile == "quick" else None, members=2)


def _instances(
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


def _ratio(name: str, factor: float = 1.0, believed: float = 1.0) -> Test:
    """A ratio of :class:`numerics.predictions.drawn.Examined`, over ``factor``, is at most 1 for every network."""

    def test(drawn: TrainingProblem, scope: Scope) -> Outcome:
        found = examined(drawn, scope["method"], believed)
        worst = found.largest(name) / factor
        return Outcome(worst <= 1, f"at most {worst:.3g} of the bound in {len(found.law)} networks", margin=1 - worst)

    return test


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


def _bent(factor: float = 1.0) -> Test:
    """The bound times ``factor``, at the steps of the run and for Δ in one neuron, where its second derivative is largest."""

    def test(drawn: TrainingProblem, scope: Scope) -> Outcome:
        import torch

        from numerics.networks import ntk
        from numerics.predictions.bounds import Rounding, bend_rounding, curvatures

        method: Any = scope["method"]
        at_steps = _ratio("curvature", factor)(drawn, scope)
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

    return test


def _first_defect(drawn: TrainingProblem, scope: Scope) -> Outcome:
    """The wrong bound that counts the first defect alone."""
    from numerics.predictions.drawn import run

    found = run(drawn, scope["method"])  # type: ignore[arg-type]
    over = (found.deviation > found.bound[1]).any()
    return Outcome(
        not bool(over), f"deviation {float(found.deviation.max()):.3g}, first defect {float(found.bound[1].max()):.3g}"
    )


def _descent(hessian: bool, share: float = 1.0) -> Test:
    """The loss falls after a step by ``share`` · η‖g‖²/2: below 1/β, or at 1.9/λ_max (at all)."""

    def test(drawn: TrainingProblem, scope: Scope) -> Outcome:
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

    return test


def _some_are_lazy(drawn: TrainingProblem) -> bool:
    from numerics.predictions.drawn import known_at_the_start

    return all(bool(known_at_the_start(drawn, method).applies.any()) for method in METHODS)


@lru_cache(maxsize=64)
def _compared(drawn: TrainingProblem) -> tuple[Compared, ...]:
    """For each network at its start."""
    from numerics.predictions.entropy_order import compared

    return tuple(compared(drawn, drawn.start, CONVENTIONS))


def _something_is_predicted(drawn: TrainingProblem) -> bool:
    from numerics.predictions.persistence import order

    return any(order(*pair) is not None for one in _compared(drawn) for pair in one.entropies)


def _known(steepness: float, needed: bool) -> Test:
    """Rate and deviation of lazy networks; ``steepness`` times ηλ/2 is the rate that is claimed."""

    def test(drawn: TrainingProblem, scope: Scope) -> Outcome:
        from dataclasses import replace

        import torch

        from numerics.predictions.drawn import against, known_at_the_start, run

        method: Any = scope["method"]
        known = known_at_the_start(drawn, method)
        if not needed:
            known = replace(known, applies=torch.ones_like(known.applies))
        known = replace(known, least=torch.minimum(steepness * known.least, 2 / known.step))
        worst, slack = against(known, drawn, method, run(drawn, method))
        top = float(torch.nan_to_num(worst, nan=0.0).max())
        return Outcome(
            top <= 1,
            f"{int(known.applies.sum())} networks, at most {top:.2g} of the bounds; bound over deviation "
            f"{float(slack.nanmedian()):.1g}",
            margin=1 - top,
        )

    return test


def _orders(reverse: bool, leading: float = 1.0, always: str | None = None) -> Test:
    """Predicted entropy orders against those of the Jacobians; ``leading`` times the expansion is taken.

    ``always`` is said in the place of every order that is predicted, for a mutant.
    """

    def test(drawn: TrainingProblem, scope: Scope) -> Outcome:
        from dataclasses import replace

        from numerics.predictions.persistence import order

        said = wrong = total = 0
        for one in _compared(drawn):
            found = one.predicted
            moved = replace(found, fd=found.ad + leading * (found.fd - found.ad))
            predicted = one.entropies if leading == 1 else moved.entropies(CONVENTIONS)
            for (ad, fd), actual in zip(predicted, one.measured, strict=True):
                says = order(ad, fd)
                total += 1
                if says is not None:
                    said += 1
                    wrong += ((always or says) == order(ad, actual)) == reverse
        return Outcome(
            wrong == 0, f"{said} of {total} orders predicted, {wrong} wrong", data={"predicted": said, "of": total}
        )

    return test


def _small(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    from proofs_check.search.strategies import exact_kernel_problems

    return exact_kernel_problems(activations=BOUNDED)


@lru_cache(maxsize=64)
def _proven(drawn: TrainingProblem) -> tuple[tuple[EntropyEnclosure, EntropyEnclosure], ...]:
    from numerics.predictions.entropy_order import proven_entropies

    ad, fd = proven_entropies(drawn, 0, CONVENTIONS)
    return tuple(zip(ad, fd, strict=True))


def _is_proven(says: EntropyOrder, ad: EntropyEnclosure, fd: EntropyEnclosure) -> Decision:
    if ad.value is None or fd.value is None:
        return Decision.UNDECIDED
    return less(fd.value, ad.value) if says == "fd<ad" else less(ad.value, fd.value)


def _exact_orders(leading: float = 1.0, always: EntropyOrder | None = None) -> Test:
    """Predicted orders against proven ones."""

    def test(drawn: TrainingProblem, scope: Scope) -> Outcome:
        from dataclasses import replace

        (one,) = _compared(drawn)
        found = one.predicted
        moved = replace(found, fd=found.ad + leading * (found.fd - found.ad))
        decisions = [
            _is_proven(always or says, *pair)
            for says, pair in zip(moved.orders(CONVENTIONS), _proven(drawn), strict=True)
            if says is not None
        ]
        right = sum(decision.holds is True for decision in decisions)
        return Outcome(
            every(decisions),
            f"{len(decisions)} of {len(CONVENTIONS)} orders predicted, {right} proven right",
            data={"predicted": len(decisions), "right": right},
            certified=True,
        )

    return test


def _trained(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    """In float64, with the optimiser of the cell; wide, with coarse differences, few points and small targets, else no order
    outlives an iteration."""
    from dataclasses import replace

    from hypothesis import strategies as st

    from proofs_check.search.strategies import training_problems

    drawn = training_problems(
        widths=st.sampled_from((64, 256) if profile == "quick" else (16, 64, 256, 1024)), activations=BOUNDED,
        bounded=True, members=2, iterations=12, dtypes=("float64",), optimizers=(scope["optimizer"],), boundary=False,
        operators=(("u_x", 1), ("u_xx", 1)), rates=(Fraction(1, 10), Fraction(1, 100), Fraction(1)),
        steps=(Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)),
    )  # fmt: skip
    points, targets = st.integers(2, 6), st.sampled_from(("exp(x)/1000", "exp(x)/100", "exp(x)"))

    def small(problem: TrainingProblem, interior: int, solution: str) -> TrainingProblem:
        return replace(
            problem, amplitudes="opposite", problem=problem.problem.with_(interior=(interior,), solution=solution)
        )

    return st.builds(small, drawn, points, targets)


def _moving(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    """In float64, with the optimiser of the cell, and kernels that move: orders turn."""
    from hypothesis import strategies as st

    from proofs_check.search.strategies import training_problems

    return training_problems(
        widths=st.sampled_from((4, 16, 64)), activations=BOUNDED, members=2, iterations=12, dtypes=("float64",),
        optimizers=(scope["optimizer"],),
    )  # fmt: skip


@lru_cache(maxsize=128)
def _along(drawn: TrainingProblem, share: float) -> tuple[Along, ...]:
    """Orders at the start, in the middle and at the end."""
    from numerics.predictions.entropy_order import along

    iterations = drawn.problem.training.iterations
    return tuple(along(drawn, sorted({0, 1, iterations // 2, iterations}), CONVENTIONS, share))


def _some_order_persists(drawn: TrainingProblem) -> bool:
    return any(says is not None for found in _along(drawn, 1.0) for row in found.kept[1:] for says in row)


def _persists(share: float = 1.0, always: bool = False, reverse: bool = False) -> Test:
    """Orders kept are those measured; ``share`` of the drift is counted, or none at all."""

    def test(drawn: TrainingProblem, scope: Scope) -> Outcome:
        said = wrong = total = 0
        for found in _along(drawn, share):
            for row, actual in zip(found.kept[1:], found.measured[1:], strict=True):
                for first, says, is_ in zip(found.kept[0], row, actual, strict=True):
                    claimed = first if always else says
                    total += first is not None
                    said += claimed is not None
                    wrong += claimed is not None and (claimed == is_) == reverse
        return Outcome(
            wrong == 0, f"{said} of {total} orders persist, {wrong} wrong", data={"persist": said, "of": total}
        )

    return test


_methods = once({"method": "ad"}, {"method": "fd"})
_optimisers = once(*({"optimizer": name} for name in ("gd", "adam", "lbfgs")))
_differences = once({"method": "fd"})


def _describe(drawn: TrainingProblem) -> dict[str, Any]:
    return drawn.to_dict()


def _claim(
    name: str, title: str, statement: str, predicate: str, test: Test, mutants: tuple[Mutant, ...],
    space: Callable[..., SearchStrategy[TrainingProblem]] = _networks, counts: tuple[int, int] = (4, 150),
    scopes: Any = _methods, assumptions: tuple[Assumption, ...] = (), derivation: tuple[Step, ...] = (), source: str = "ours",
    kind: Kind = "sampled",
) -> Claim:  # fmt: skip
    return Claim(
        id=f"networks.{name}", title=title, statement=statement, family="networks", source=source, predicate=predicate,
        kind=kind, scopes=scopes, instances=_instances(space, *counts), test=test, derivation=derivation,
        describe=_describe, search=space, mutants=mutants, assumptions=assumptions,
    )  # fmt: skip


CLAIMS = (
    _claim(
        "law-bound", "The law of the frozen kernel holds within its bound, for every network drawn",
        r"$\|r_t - (I-\eta G_0)^t r_0\| \le \|(\sum_{s<t}|1-\eta\lambda_k|^{t-1-s}|\langle v_k, d_s\rangle|)_k\|$ with "
        r"$d_s = r_{s+1} - (I-\eta G_0)r_s = q_s - \eta(G_s-G_0)r_s$, $\lambda_k$ and $v_k$ of the kernel $G_0$ at the start, for "
        r"residuals $r_t$ of gradient descent.",
        "the deviation of the residual vectors, in the arithmetic of the run, is at most the bound with its own rounding, at every "
        "iteration of every drawn network",
        _ratio("law"),
        (
            Mutant("half", "the bound is half of that", "constant", lambda c: c.with_(test=_ratio("law", 0.5))),
            Mutant("first", "the defect of the first step is enough", "predicate", lambda c: c.with_(test=_first_defect)),
        ),
        derivation=(
            Step(r"$e_{t+1} = (I-\eta G_0)e_t + d_t$", "subtract the law from the run"),
            Step(r"$|\langle v_k, e_{t+1}\rangle| \le |1-\eta\lambda_k||\langle v_k, e_t\rangle| + |\langle v_k, d_t\rangle|$",
                 "in the eigenvectors of $G_0$"),
        ),
    ),
    _claim(
        "step", "A step of gradient descent is −ηJᵀr up to round-off that is bounded",
        r"$|\theta_{t+1} - \theta_t + \eta J(\theta_t)^T r_t|$ is at most the round-off of its operations, entry by entry, J in closed form, for elementary functions good to 8 units, in two-layer networks (those drawn).",
        "at the first, middle and last step of every drawn network",
        _ratio("step"),
        (
            Mutant("step", "the step is one per cent longer than the one taken", "constant",
                   lambda c: c.with_(test=_ratio("step", 1.0, 1.01))),
            Mutant("exact", "a millionth of the round-off is allowed", "assumption",
                   lambda c: c.with_(test=_ratio("step", 1e-6))),
        ),
    ),
    _claim(
        "curvature", "What a step leaves of linearity is bounded by second derivatives, neuron by neuron",
        r"For every $\Delta$ (steps of gradient descent, and steep ones in one neuron), $\Delta_j$ its part in the parameters of neuron $j$: $|r_i(\theta+\Delta) - r_i(\theta) - "
        r"(J\Delta)_i| \le \frac12\sum_j h_{ij}\|\Delta_j\|^2$, $h_{ij}$ a bound, from the suprema of $\sigma^{(k)}$, on the second derivative "
        r"of $r_i$ in these parameters within $\|\Delta\|$ of $\theta$; for differences by the average $\int|K|$ of Peano's kernel.",
        "at the first, middle and last step of every drawn network, and at its start for a Δ of length 1/1000 in that neuron, and in that "
        "direction, in which the second derivative of the first, the middle or the last residual comes nearest to its bound; plus round-off",
        _bent(),
        (
            Mutant("a-quarter-less", "3/8 in place of 1/2", "constant", lambda c: c.with_(test=_bent(0.75))),
            Mutant("linear", "the residuals are linear up to a thousandth of that", "predicate",
                   lambda c: c.with_(test=_ratio("curvature", 1e-3))),
        ),
    ),
    _claim(
        "truncation", "Residuals by differences are within Peano's bound of those by autodiff",
        r"$|r^{FD}_i - r^{AD}_i| \le c\sum_T |c_T|\,h_T^p C_p \sup|\sigma^{(m+p)}| \sum_j |a_j||w_{jT}|^{m+p}$ on interior rows: the sum over the "
        r"terms $c_T\partial^m$ of $L$, each along an axis with the step $h_T$ and $m$, $p$, $C_p$ of its own difference; $u = c\sum_j a_j\sigma(z_j)$.",
        "at the start of every drawn network, plus round-off",
        _ratio("truncation"),
        (
            Mutant("half", "the constant is half of $C_p$", "constant", lambda c: c.with_(test=_ratio("truncation", 0.5))),
            Mutant("order", "the order is higher by one and a bit: a fortieth of that", "order",
                   lambda c: c.with_(test=_ratio("truncation", 0.025))),
        ),
        scopes=_differences,
    ),
    _claim(
        "descent", "The loss of a network falls at steps below the inverse of a bound on its Hessian",
        r"Let $g = J^Tr$ be the gradient of $\ell = \frac12\|r\|^2$ at $\theta$, $s = \|J\|_2$, $\rho = \eta\|g\|$, $L$ a Lipschitz constant of $J$ within "
        r"$\rho$ of $\theta$. Then $\eta\beta \le 1$, $\beta = (s+L\rho)^2 + L(\|r\| + (s+L\rho)\rho)$, implies "
        r"$\ell(\theta-\eta g) \le \ell(\theta) - \frac\eta2\|g\|^2$; $\eta = 1.9/\lambda_{\max}(G)$ does not suffice "
        "(its mutant).",
        "one step from the start of every drawn network in float64, plus round-off",
        _descent(True),
        (
            Mutant("kernel", "the step 1.9/λ_max of the kernel suffices", "assumption",
                   lambda c: c.with_(test=_descent(False), instances=_instances(_double, 24, 150))),
            Mutant("whole", "the loss falls by twice that, η‖g‖²", "constant", lambda c: c.with_(test=_descent(True, 2.0))),
        ),
        space=_double, counts=(8, 150), source="ours, by the descent lemma",
    ),
    _claim(
        "lazy", "Wide networks with small residuals train at the rate of the kernel at the start",
        r"Let $s$ and $\sqrt\lambda > 0$ be the largest and the least singular value of $J_0$ (as many as residuals), $L$ a Lipschitz "
        r"constant of $J$ within $R$ of $\theta_0$, $e_t = r_t - (I-\eta G_0)^tr_0$. If $p = 2s\delta+\delta^2 \le \lambda/2$, $\delta = LR$, $2(s+\delta)\|r_0\| \le \lambda R$, $\eta \le 2/(s^2+\lambda)$, then "
        r"$\|r_t\| \le (1-\eta\lambda/2)^t\|r_0\|$ and $\|e_t\| \le \frac{2p}{\lambda}\|r_0\|[(1-\eta\lambda/2)^t - (1-\eta\lambda)^t]$.",
        "every t of every drawn network that meets the hypotheses; λ and s from the kernel at the start, L from the suprema of the "
        "activation's derivatives",
        _known(1.0, True),
        (
            Mutant("rate", "the rate is four times as large", "constant", lambda c: c.with_(test=_known(4.0, True))),
            Mutant("any", "the hypotheses are not needed", "assumption",
                   lambda c: c.without_assumption("hypotheses").with_(
                       test=_known(1.0, False), instances=_instances(_networks, 8, 50))),
        ),
        assumptions=(Assumption("a network of the draw meets the hypotheses, for AD and FD", _some_are_lazy),),
        space=_lazy, counts=(4, 100), source="ours, after Chizat, Oyallon and Bach (2019)",
    ),
    _claim(
        "entropy-order", "Where AD alone predicts the order of the kernels' entropies, it is the order",
        r"$\mathrm{sign}(H(G_{FD}) - H(G_{AD}))$ from the expansion of $J_{FD}$ in $h$ with its remainder and round-off, wherever the hulls "
        r"are disjoint.",
        f"{len(CONVENTIONS)} conventions, every drawn network at its start, in float64",
        _orders(False),
        (
            Mutant("sign", "the opposite order", "sign", lambda c: c.with_(test=_orders(True))),
            Mutant("expansion", "the expansion has the other sign", "sign", lambda c: c.with_(test=_orders(False, -1.0))),
            Mutant("always", "wherever an order is predicted AD has the larger entropy", "predicate",
                   lambda c: c.with_(test=_orders(False, always="fd<ad"))),
        ),
        assumptions=(Assumption("an order is predicted for a network of the draw", _something_is_predicted),),
        space=_double, counts=(8, 100), scopes=_differences,
    ),
    _claim(
        "entropy-order-exact", "Where AD alone predicts the order of the kernels' entropies, it is the order in exact arithmetic",
        r"$\mathrm{sign}(H(G_{FD}) - H(G_{AD}))$ as predicted in float64 from the expansion of $J_{FD}$ in $h$ is the sign for the kernels of "
        r"these features, points and steps as rationals.",
        f"{len(CONVENTIONS)} conventions, entropies from certified singular values of J; every drawn network of at most 8 neurons, 6 points in "
        "one dimension (2 × 2 in two) and boundary rows, amplitudes ±1",
        _exact_orders(),
        (
            Mutant("expansion", "the expansion has the other sign", "sign", lambda c: c.with_(test=_exact_orders(-1.0))),
            Mutant("always", "wherever an order is predicted AD has the larger entropy", "predicate",
                   lambda c: c.with_(test=_exact_orders(always="fd<ad"))),
        ),
        assumptions=(Assumption("an order is predicted for a network of the draw", _something_is_predicted),),
        space=_small, counts=(8, 100), scopes=_differences, kind="ball",
    ),
    _claim(
        "entropy-persists", "An order of the kernels' entropies persists while the drift is small, whatever the optimiser",
        r"$\mathrm{sign}(H(G^{FD}_t) - H(G^{AD}_t))$ is that at the start while the hulls by $\|J_t-J\|_2$ (Weyl) are disjoint, or "
        r"$\sum T\log(r-1)+h_2(T)$ over both sides (Fannes and Audenaert, T by Mirsky from $\|J_t-J\|_*$ or $\|J_t-J\|_F$) is below the gap; "
        r"$J$ at the start.",
        f"{len(CONVENTIONS)} conventions, both methods trained from one start in float64, at the first, middle and last iteration; AD and FD "
        "at their own parameters",
        _persists(),
        (
            Mutant("always", "an order at the start persists throughout", "assumption",
                   lambda c: c.without_assumption("outlives").with_(
                       test=_persists(always=True), instances=_instances(_moving, 8, 50))),
            Mutant("thousandth", "a thousandth of the drift counts", "constant",
                   lambda c: c.without_assumption("outlives").with_(
                       test=_persists(1e-3), instances=_instances(_moving, 8, 50))),
            Mutant("turned", "the order that persists is the opposite one", "sign",
                   lambda c: c.with_(test=_persists(reverse=True))),
        ),
        assumptions=(Assumption("an order outlives the start for a network of the draw", _some_order_persists),),
        space=_trained, counts=(5, 60), scopes=_optimisers,
        source="ours; continuity: Audenaert (2007), Mirsky (1960)",
    ),
)  # fmt: skip
"""Claims about trained networks over drawn problems."""
