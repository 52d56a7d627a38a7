"""How large the rounding errors of differences are: the constant κ of the typical size, in both arithmetics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from proofs_check.claim import Profile, Scope, stated, wrong
from proofs_check.claims.common import once
from proofs_check.claims.floor import mean_log
from proofs_check.claims.steps import Draw, named, predicted
from proofs_check.verdicts import Outcome


@dataclass(frozen=True)
class Draws:
    """So many draws of w, b ~ N(0, 1) from a seed on, with all digits of the arithmetic."""

    activation: str
    arithmetic: str
    count: int
    first: int = 0

    @property
    def members(self) -> tuple[Draw, ...]:
        """One by one."""
        short = self.arithmetic == "float32"
        return tuple(Draw(self.activation, self.first + k, 1.0, short) for k in range(self.count))

    def to_dict(self) -> dict[str, Any]:
        """JSON types, from which the draws can be made again."""
        return {"seeds": [self.first, self.first + self.count], "first draw": self.members[0].to_dict()}


@lru_cache(maxsize=64)
def size_quotients(draws: Draws, name: str) -> tuple[float, ...]:
    """Measured root-mean-square rounding error over ρ h^−m, draw by draw: the geometric mean over h*/16 … h*/4.

    Truncation is under 2 % of the error there, in squares under 0.04 %.
    """
    s, found = named(name), []
    for draw in draws.members:
        best = predicted(draw, name, draws.arithmetic)
        steps = [best.step * 2 ** (k / 3) for k in range(-12, -5)]
        errors = draw.differences(s, steps, draws.arithmetic) - draw.derivative(s.degree)
        sizes = np.sqrt(np.mean(errors * errors, axis=(1, 2)))
        rho = best.roundoff * best.step**s.degree
        found.append(math.exp(float(np.mean(np.log(sizes * np.array(steps) ** s.degree / rho)))))
    return tuple(found)


def _many(scope: Scope, profile: Profile) -> Iterator[Draws]:
    yield Draws(scope["activation"], scope["arithmetic"], 24 if profile == "quick" else 96)


@stated(
    "steps.roundoff-size",
    title="The size of rounding errors in central differences of order 2",
    source="ours",
    predicate="the geometric mean, over draws of 24 points and features with all digits of the arithmetic and over 7 steps from h*/16 "
    "to h*/4, of measured rms error over ρ/h^m is 1 within a factor 2^(1/4), by Student's interval at 99 %: supported where all of "
    "it lies inside, refuted where all of it lies outside",
    kind="sampled",
    scopes=once(
        *(
            {"arithmetic": arithmetic, "activation": a, "stencil": name}
            for name, a in (("u_x central p=2", "sin"), ("u_xx central p=2", "sin"), ("u_xx central p=2", "tanh"),
                            ("u_xxxx central p=2", "tanh"))
            for arithmetic in ("float32", "float64")
        )
    ),
    instances=_many,
    describe=Draws.to_dict,
    mutants=(
        wrong("root-of-a-third", "κ = 1/√3", "constant", scale=math.sqrt(2)),
        wrong("root-of-a-twelfth", "κ = 1/√12", "constant",
            {"arithmetic": "float64", "activation": "tanh", "stencil": "u_xxxx central p=2"}, scale=math.sqrt(0.5)),
        wrong("rounded-weights", "the weights may be rounded: order 4", "assumption",
            {"arithmetic": "float64", "activation": "tanh", "stencil": "u_xx central p=2"}, name="u_xx central p=4"),
    ),
)  # fmt: skip
def roundoff_size(draws: Draws, scope: Scope, scale: float = 1.0, name: str | None = None) -> Outcome:
    r"""In central differences of order 2 of $\partial$, $\partial^2$ and $\partial^4$ of $\sin$ and $\tanh$ features,
    $w, b \sim N(0, 1)$ (the cells), the typical rms rounding error of $A_{FD}$'s entries is, within a factor $2^{1/4}$,
    $\rho h^{-m}$ with $\rho = \kappa u\|c\|_2\,\mathrm{rms}\sqrt{\sigma^2 + \sigma'^2(2(wx)^2 + z^2)}$, $\kappa =
    1/\sqrt6$. (Not at order 4, whose weights are rounded.)
    """
    # The measured size against ρ times ``scale``; for a mutant of another stencil.
    return mean_log(size_quotients(draws, name or scope["stencil"]), scale, "rms rounding error")


CLAIMS = (roundoff_size,)
"""Claims about the size of rounding errors."""
