"""Residuals of two-layer networks: closed forms against automatic differentiation, and the round-off of differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from numerics.problem import Boundary, Method, Problem, Training
from proofs_check.claim import TYPICAL, Claim, Mutant, Profile, Scope, Step
from proofs_check.claims.common import by_seed, once, seeds, witness
from proofs_check.verdicts import Outcome
from theory.laws import Normal

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from torch import Tensor

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


def _agreement(tolerance: float, method: Method = "ad", dtype: str = "float64") -> Callable[[Problem, Scope], Outcome]:
    """Residual and gradient by the closed forms of ``method`` against nested reverse mode on a module."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        import torch

        from numerics.training import from_problem
        from numerics.training.ensembles import on
        from numerics.training.modules import ModuleResidual

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
        return Outcome(gap <= tolerance, f"largest relative difference {gap:.1e}", margin=math.log10(tolerance / gap))

    return test


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


def _cast_leaves(least: float, cast: Cast = "after") -> Callable[[Problem, Scope], Outcome]:
    """Whether a cast leaves at least this part of the error."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        plain, left = _error(instance, instance.h, "never"), _error(instance, instance.h, cast)
        return Outcome(
            left >= least * plain,
            f"rms error {plain:.2e} without the cast, {left:.2e} with it: {left / plain:.2f} of it is left",
            margin=left / plain - least,
            data={"plain": plain, "cast": left},
        )

    return test


def _noise_slope(expected: Callable[[int], int]) -> Callable[[Problem, Scope], Outcome]:
    """Slope in log h of the round-off of the FD residual in float32."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        errors = [_error(instance, h, "never") for h in NOISE_STEPS]
        slope = float(np.polyfit([math.log(h) for h in NOISE_STEPS], np.log(errors), 1)[0])
        order = expected(ORDERS[instance.operator_text])
        return Outcome(
            abs(slope - order) <= 0.25, f"slope {slope:.2f}, law {order}", margin=0.25 - abs(slope - order),
            data={"slope": slope, "steps": [str(h) for h in NOISE_STEPS], "errors": errors},
        )  # fmt: skip

    return test


_typical = "for at least 9 in 10 networks (95 % confidence)"

CLAIMS = (
    Claim(
        id="networks.jets-agree",
        title="Closed forms agree with nested automatic differentiation",
        statement="Residuals and gradients of two-layer networks (tanh, sin, Gaussian; width 24; the operators of the cells) by closed "
        "forms are those of nested reverse mode to $10^{-12}$ in float64.",
        family="networks",
        source="classical (chain rule)",
        predicate="residual and gradient of the loss agree within $10^{-12}$, relative in norm, in float64",
        kind="sampled",
        scopes=once(*({"activation": a, "operator": o} for o in OPERATORS for a in ("tanh", "sin", "gaussian"))),
        instances=_agreement_instances,
        test=_agreement(1e-12),
        describe=witness,
        mutants=(
            Mutant("difference", "the difference with h = 1/10 is the derivative", "predicate",
                   lambda c: c.with_(test=_agreement(1e-12, "fd"))),
            Mutant("float32", "they agree as well in float32", "assumption",
                   lambda c: c.with_(test=_agreement(1e-12, dtype="float32"))),
        ),
    ),
    Claim(
        id="networks.cast-after-forward",
        title="A cast after the forward pass does not remove the round-off of differences",
        statement="At $h = 1/64$, for $u_{xx}$ and $u_{xxxx}$ and in at least 9 of 10 tanh and sine networks, values computed in float32 "
        "and cast to float64 before they are differenced leave at least half of the round-off in the residual.",
        family="networks",
        source="ours",
        predicate=r"root-mean-square error against float64 with the cast at least half of that without, $h = 1/64$, "
        + _typical,
        kind="sampled",
        scopes=once(*({"activation": a, "operator": o} for o in ("u_xx", "u_xxxx") for a in ("tanh", "sin"))),
        instances=_rounded_instances,
        test=_cast_leaves(0.5),
        quantifier=TYPICAL,
        search=_rounded_search,
        derivation=(Step(r"the error is that of the values $u(x + s_kh)$ themselves, $\sim u|u(x)|$, times $h^{-m}$",
                         "the cast is exact: it changes the sum's own rounding alone"),),
        describe=witness,
        mutants=(
            Mutant("before", "the cast comes before the forward pass", "order",
                   lambda c: c.with_(test=_cast_leaves(0.5, "before"))),
            Mutant("doubles", "the cast leaves at least twice the error", "constant",
                   lambda c: c.with_(test=_cast_leaves(2.0))),
        ),
    ),
    Claim(
        id="networks.residual-noise",
        title="Round-off of a network's difference residual grows like h to the minus m",
        statement=r"At given parameters the round-off of the FD residual in float32 is proportional to $h^{-m}$, $m \le 4$ the order of "
        r"the derivative, $h$ from $1/16$ to $1/256$, in at least 9 of 10 tanh networks (how it depends on $u$ is not judged here).",
        family="networks",
        source="ours",
        predicate=r"slope in $\log h$ of the root-mean-square error against float64, $h = 2^{-4} \dots 2^{-8}$, within "
        r"1/4 of $-m$, " + _typical,
        kind="sampled",
        scopes=once(*({"activation": "tanh", "operator": o} for o in ORDERS)),
        instances=_rounded_instances,
        test=_noise_slope(lambda m: -m),
        quantifier=TYPICAL,
        search=_rounded_search,
        describe=witness,
        mutants=(
            Mutant("independent-of-order", "it grows like 1/h whatever the order", "exponent",
                   lambda c: c.with_(test=_noise_slope(lambda m: -1)), {"activation": "tanh", "operator": "u_xxxx"}),
            Mutant("one-more", "it grows like h to the −(m + 1)", "order",
                   lambda c: c.with_(test=_noise_slope(lambda m: -m - 1))),
        ),
    ),
)  # fmt: skip
"""Claims about the residuals of two-layer networks."""
