"""The effective rank of the kernel at initialisation (C. Chen, Q. Zhou, Y. Yang, Y. Xiang, T. Luo, arXiv:2410.06308): whether a
larger scale of the weights raises it, and whether a larger one goes with faster training.

Random features, one draw at two scales (the same normal numbers, multiplied), gradient descent with step 1/σ₁² from 0 by its
exact law; effective rank exp H of the eigenvalues σ_k².  Scales, sizes, and what "faster" means are ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial

import numpy as np
from jaxtyping import Float

from numerics.matrices.assemble import float_rhs
from numerics.problem.problem import Method, Problem
from proofs_check.claims.claim import Profile, Scope, wrong
from proofs_check.claims.comparisons import once, problem, seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.literature.matched import BLOCK, drawn_matrix, exceeds, sampled
from theory.entropy.conventions import Convention
from theory.entropy.entropy import effective_rank, truncated_entropy

SOURCE = "arXiv:2410.06308"
SIZE = 32
ITERATIONS = 1000
WHOLE = Convention("relative", tau=Fraction(1, 10**12), power=2)
"""exp H of all σ² but those that are rounding errors."""
METHODS = {"none": ("u", "ad"), "AD": ("u_xx", "ad"), "FD": ("u_xx", "fd")}
"""What is applied to the features: nothing (regression), or the second derivative."""


@dataclass(frozen=True)
class Scaled:
    """One draw of features with weights of a standard deviation."""

    activation: str
    seed: int
    applied: str

    def at(self, scale: int) -> Problem:
        """The problem with that scale, of whose features this is a draw; boundary rows for the equation."""
        operator = METHODS[self.applied][0]
        return problem(self.activation, size=SIZE, scale=scale, operator=operator, step=Fraction(1, 100),
                       boundary=0 if operator == "u" else 2)  # fmt: skip

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return {"activation": self.activation, "seed": str(self.seed), "applied": self.applied, "size": str(SIZE)}


@lru_cache(maxsize=8192)
def rank_and_residual(draw: Scaled, scale: int) -> tuple[float, float]:
    """exp H of σ², and |r_T|/|r_0| after T steps of gradient descent, by the law of its modes."""
    found = draw.at(scale)
    method: Method = "fd" if METHODS[draw.applied][1] == "fd" else "ad"
    U, s, _ = np.linalg.svd(drawn_matrix(found, method, draw.seed))
    f = _right_hand_side(found)
    along = U.T @ f
    decay = np.ones(len(f))
    decay[: len(s)] = (1 - (s / s[0]) ** 2) ** ITERATIONS
    rank = effective_rank([float(v) for v in s], WHOLE).value
    assert rank is not None
    return float(rank), float(np.linalg.norm(decay * along) / np.linalg.norm(f))


@lru_cache(maxsize=64)
def _right_hand_side(posed: Problem) -> Float[np.ndarray, " n"]:
    return np.asarray(float_rhs(posed, "float64"))


def _draws(scope: Scope, profile: Profile) -> Iterator[Scaled]:
    for seed in seeds(profile, BLOCK, 2 * BLOCK):
        yield Scaled(scope["activation"], seed, scope["applied"])


def _scales(scope: Scope) -> tuple[int, int]:
    one, _, other = scope["scales"].partition(" to ")
    return int(one), int(other)


_CELLS = tuple(
    {"activation": a, "applied": d, "scales": s, "arithmetic": "float64"}
    for a in ("tanh", "sin")
    for d in METHODS
    for s in ("1 to 4", "4 to 16", "16 to 64")
)
_WHERE = (
    f"{SIZE} features and points, w ~ N(0, scale²), b ~ N(0, 1), u'' with h = 1/100 and both ends, or the values; float64; at least 9 in 10 draws "
    "(95 % confidence)"
)
_CLEAR = {"activation": "tanh", "applied": "none", "scales": "1 to 4", "arithmetic": "float64"}
_stated = partial(sampled, source=SOURCE, scopes=once(*_CELLS), instances=_draws, judges=(truncated_entropy,))


@_stated(
    "literature.scale-raises-rank",
    title="A larger scale of the weights raises the effective rank",
    predicate=f"exp H of the eigenvalues at the larger scale exceeds that at the smaller, same draw. {_WHERE}",
    mutants=(
        wrong("lowers", "it lowers it", "sign", _CLEAR, flip=True),
        wrong("tenfold", "tenfold", "constant", _CLEAR, factor=10.0),
    ),
)  # fmt: skip
def scale_raises_rank(draw: Scaled, scope: Scope, flip: bool = False, factor: float = 1.0) -> Outcome:
    """Scaling the weights of random features up raises the effective rank of the kernel at initialisation, in at least 9 of 10 draws
    (the source's variance scaling, as we read it)."""
    low, high = (rank_and_residual(draw, scale)[0] for scale in _scales(scope))
    return exceeds(high / low, factor, f"effective rank {low:.2f}, then {high:.2f}", flip=flip)


@_stated(
    "literature.rank-predicts-training",
    title="The larger effective rank goes with faster training",
    predicate=f"of the two scales, the one with the larger effective rank leaves the smaller |r|/|f| after {ITERATIONS} steps of gradient descent, "
    f"each with step 1/σ₁² of its own. {_WHERE}",
    mutants=(
        wrong("slower", "it goes with slower training", "sign", _CLEAR, flip=True),
        wrong("thousandfold", "it leaves a thousandth", "constant", _CLEAR, factor=1000.0),
    ),
)  # fmt: skip
def rank_predicts(draw: Scaled, scope: Scope, flip: bool = False, factor: float = 1.0) -> Outcome:
    """Of one draw at two scales, the scale with the larger effective rank at initialisation trains faster, in at least 9 of 10 draws
    (gradient descent on random features toward sin πx or its equation)."""
    one, other = sorted(rank_and_residual(draw, scale) for scale in _scales(scope))
    ratio = one[1] / other[1] if other[1] > 0 else math.inf
    told = f"effective ranks {one[0]:.2f} and {other[0]:.2f}: left {one[1]:.2e} and {other[1]:.2e}"
    return exceeds(ratio, factor, told, flip=flip)


CLAIMS = (scale_raises_rank, rank_predicts)
