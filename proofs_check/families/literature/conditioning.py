"""Whether linearised tanh networks are worse conditioned than those of ReLU powers (T. Mao, J. Xu, X. Xu, arXiv:2601.11771).

Matched: the same hidden parameters, points and end rows for both activations.  The kinks −b/w are drawn uniformly inside the
domain, so that no ReLU feature is a polynomial there; |w| = scale is what tanh sees and ReLU powers, being homogeneous, do not.
The source's conclusion on variational formulations is not judged: Gram matrices of these have squared condition numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from numerics.problem.problem import Boundary, Problem
from numerics.spectra.spectrum import spectrum
from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import less, once, seeds
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import Enclosure, from_comparison
from theory.base.exact import spell

FEATURES = 8
POINTS = 40
FORMULATIONS = {"values": "u", "collocation of u''": "u_xx"}


@dataclass(frozen=True)
class Layer:
    """w = ± scale, b = −w t with t uniform on (−9/10, 9/10): one kink or step inside the domain for each feature."""

    scale: int
    seed: int

    def problem(self, activation: str, operator: str) -> Problem:
        """The matrix of the features, or of the equation with both ends."""
        generator = np.random.default_rng(self.seed)
        signs = generator.choice([-1, 1], FEATURES)
        kinks = [Fraction(float(t)).limit_denominator(2**20) for t in generator.uniform(-0.9, 0.9, FEATURES)]
        weights = [Fraction(int(s) * self.scale) for s in signs]
        return Problem(
            operator_text=operator, domain=((Fraction(-1), Fraction(1)),), solution="sin(pi*x)", activation_name=activation,
            weights=tuple((w,) for w in weights), biases=tuple(-w * t for w, t in zip(weights, kinks, strict=True)),
            count=FEATURES, interior=(POINTS,), boundary=(Boundary("all", 2),) if operator != "u" else (),
        )  # fmt: skip

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return {
            "scale": spell(Fraction(self.scale)),
            "seed": str(self.seed),
            "features": str(FEATURES),
            "points": str(POINTS),
        }


@lru_cache(maxsize=1024)
def condition(layer: Layer, activation: str, operator: str) -> Enclosure | None:
    """σ₁/σ_M in exact arithmetic; None where σ_M is not shown to be positive."""
    values = spectrum(layer.problem(activation, operator), "ad", "exact").values
    if len(values) < FEATURES or values[FEATURES - 1].lower <= 0:
        return None
    last = values[FEATURES - 1]
    return Enclosure(values[0].lower / last.upper, values[0].upper / last.lower)


def _layers(scope: Scope, profile: Profile) -> Iterator[Layer]:
    for seed in seeds(profile, 4, 24):
        yield Layer(int(scope["scale"]), seed)


_CELLS = tuple(
    {"activation": a, "formulation": f, "scale": s, "arithmetic": "exact"}
    for f in FORMULATIONS
    for a in ("relu2", "relu3")
    for s in ("1", "4", "16", "64")
    if not (f.startswith("collocation") and a == "relu2")  # its second derivative is a step: columns may coincide
)


@stated(
    "literature.tanh-worse-conditioned",
    title="tanh features are worse conditioned than ReLU powers",
    family="literature",
    source="arXiv:2601.11771",
    predicate=rf"$\sigma_1/\sigma_M$ of tanh exceeds that of the ReLU power, both enclosed with proof, in every draw; {FEATURES} features, {POINTS} "
    "points, the same hidden parameters",
    kind="ball",
    scopes=once(*_CELLS),
    instances=_layers,
    judges=(spectrum,),
    mutants=(
        wrong("better", "tanh is better conditioned", "sign", _CELLS[0], better=True),
        wrong("a-billion", "a billion times worse", "constant", _CELLS[1], factor=Fraction(10**9)),
    ),
)  # fmt: skip
def tanh_worse(layer: Layer, scope: Scope, better: bool = False, factor: Fraction = Fraction(1)) -> Outcome:
    r"""With the same hidden parameters tanh features are worse conditioned than ReLU powers (checked: $|w|$ = 1, 4, 16, 64 and kinks
    in the domain, in one dimension; the source: high-dimensional equations, its own sizes and laws)."""
    operator = FORMULATIONS[scope["formulation"]]
    tanh, power = (condition(layer, a, operator) for a in ("tanh", scope["activation"]))
    if tanh is None or power is None:
        return Outcome(from_comparison(None), "a smallest singular value is not shown to be positive")
    holds = less(tanh.scaled(factor), power) if better else less(power.scaled(factor), tanh)
    return Outcome(holds, f"tanh {float(tanh):.3g}, {scope['activation']} {float(power):.3g}", certified=holds.holds is not None,
                   data={"tanh": float(tanh), scope["activation"]: float(power)})  # fmt: skip


CLAIMS = (tanh_worse,)
