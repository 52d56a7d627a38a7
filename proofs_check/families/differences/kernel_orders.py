"""The kernel of finite differences lies under that of exact derivatives, for sine features and every law."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import flint

from numerics.problem.problem import METHODS, Problem
from numerics.spectra.kernels import limit_entries
from proofs_check.claims.claim import Profile, Scope, Step, stated, weaker, wrong
from proofs_check.claims.comparisons import every, less, once
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.spectra.spectra import CENTRAL, SINUSOID
from theory.features.laws import law
from theory.operators.operator import StencilChoice

BITS = 400
"""Of the entries; the least eigenvalue of K_AD − K_FD on five points is about 1e-20 of the largest."""
POINTS = 5
LAWS = {
    "normal": ("normal(1/3, 2)", "normal(0, 1)"),
    "uniform": ("uniform(-4, 3)", "uniform(-1, 2)"),
    "laplace": ("laplace(0, 1)", "normal(0, 1)"),
    "discrete": ("discrete(1, 2, -5/2, 4, 11/3)", "discrete(0, 1, 1/2)"),
}


def _order(instance: Problem, sign: int) -> Outcome:
    """Whether ±(K_AD − K_FD) is positive definite: the pivots of its elimination without exchanges are."""
    ad, fd = (limit_entries(instance, method)(BITS) for method in METHODS)
    with flint.ctx.workprec(BITS):
        rest = (ad - fd) * sign
        n, decisions, pivots = rest.nrows(), [], []
        for k in range(n):
            pivot = rest[k, k]
            decisions.append(less(0, pivot))
            if decisions[-1].holds is not True:
                break
            pivots.append(float((pivot / ad[k, k]).mid()))
            for i in range(k + 1, n):
                for j in range(k + 1, n):
                    rest[i, j] = rest[i, j] - rest[i, k] * rest[k, j] / pivot
    if len(pivots) < n:
        return Outcome(decisions[-1], f"pivot {len(pivots) + 1} of {n} is {float(pivot.mid()):.3e}")
    return Outcome(every(decisions), f"h = {instance.h}: pivots down to {min(pivots):.1e} of the diagonal")


def _instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    """The cell's, at two steps, then some that miss a hypothesis: they count only where it is dropped."""
    weights, biases = (law(text) for text in LAWS[scope["law"]])
    base = Problem(
        operator_text=scope["operator"], activation_name=scope["activation"], weights=weights, biases=biases, count=1,
        interior=(POINTS,), boundary=(), stencil=StencilChoice("central", int(scope["order"])), step=(Fraction(1, 4),),
    )  # fmt: skip
    yield base
    if profile == "full":
        yield base.with_(step=(Fraction(3),))  # a step of several periods
        yield base.with_(step=(Fraction(1, 10),), interior=(2 * POINTS,))
    if scope["law"] == "discrete":
        yield base.with_(stencil=StencilChoice("forward", 2))
        yield base.with_(activation_name="exp")


@stated(
    "kernels.loewner-order",
    title="Sine features: the kernel of FD lies under that of AD, for every law",
    source="ours",
    predicate=r"$K_{AD} - K_{FD}$ from the closed forms, five points (full: ten as well), $h = 1/4$ (full: 3 and 1/10 as well): in "
    "ball arithmetic all pivots of Gaussian elimination are positive",
    kind="ball",
    scopes=once(
        *({"activation": a, "law": name, "operator": operator, "order": order} for a, name, operator, order in (
            ("sin", "normal", "u_xx", "2"),
            ("cos", "uniform", "u_xx", "4"),
            ("sin", "laplace", "u_xxxx", "2"),
            ("cos", "normal", "u_x", "2"),
            ("sin", "discrete", "u_xx", "2"),
        ))
    ),
    instances=_instances,
    assumptions=(SINUSOID, CENTRAL),
    derivation=(
        Step(r"$L_h\varphi = m(h w)\,L\varphi$", "claim spectra.sine-factorisation", "claim"),
        Step(r"$v^T K_{FD} v = E\,m(h w)^2 (\sum_i v_i L\varphi(x_i))^2 \le v^T K_{AD} v$ as $|m| \le 1$",
             "claim symbols.central-bounded", "claim"),
    ),
    judges=(limit_entries,),
    rests_on=("spectra.sine-factorisation", "symbols.central-bounded"),
    mutants=(
        wrong("reversed", "FD lies above AD", "sign", sign=-1),
        weaker("any-stencil", "one-sided stencils are allowed", "standard central",
               {"activation": "sin", "law": "discrete", "operator": "u_xx", "order": "2"}),
        weaker("any-activation", "the activation need not be sin or cos", "sin",
               {"activation": "sin", "law": "discrete", "operator": "u_xx", "order": "2"}),
    ),
)  # fmt: skip
def loewner_order(instance: Problem, scope: Scope, sign: int = 1) -> Outcome:
    r"""For sine or cosine features, $L = \partial^m$, a standard central stencil of even order (checked: $m = 1, 2, 4$ at order
    2, $m = 2$ at order 4), any step $h \ne 0$, any points $x_i$ and every law of $(w, b)$ for which both kernels exist (all
    products are integrable), $K_{FD} \le K_{AD}$ in the Loewner order, $K_{AD} = (E\,L\varphi(x_i)\,L\varphi(x_l))_{il}$ and
    $K_{FD}$ the same of $L_h\varphi$."""
    return _order(instance, sign)


CLAIMS = (loewner_order,)
"""Orders between kernels."""
