"""Fewer points than features: AD, differences between the points, and both coupled (P.-H. Chiu, J. C. Wong, C. Ooi, M. H. Dao,
Y.-S. Ong, arXiv:2110.15832).

Random features, ``u'' = f`` on (−1, 1) with both end values; the coefficients of least norm (truncated SVD) solve the rows of
one scheme at N interior points.  The coupled scheme here is ours, in the spirit of the source and not its formula: the compact
combination ``2 (u(x+h) − 2u(x) + u(x−h))/h² − (u'(x+h) − u'(x−h))/2h`` of values and AD's first derivatives, of order 4, with h
the spacing, so that neighbouring points are linked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial

import numpy as np
from jaxtyping import Float

from numerics.matrices.assemble import float_matrix
from numerics.problem.problem import Problem
from proofs_check.claims.claim import Profile, Scope, wrong
from proofs_check.claims.comparisons import seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.literature.matched import BLOCK, drawn_matrix, exceeds, sampled
from theory.features.laws import Normal

SOURCE = "arXiv:2110.15832"
FEATURES = 64
CUTOFF = 1e-12
"""Of the singular values, relative to the largest."""
FINE = 257


@dataclass(frozen=True)
class Sparse:
    """One draw of features, and the number of interior points."""

    activation: str
    seed: int
    points: int

    def rows(self, operator: str) -> Float[np.ndarray, "n M"]:
        """An operator on the features at the points and both ends, by AD, in float64."""
        return _rows(self.activation, self.seed, operator, self.points)

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return {
            "activation": self.activation,
            "seed": str(self.seed),
            "points": str(self.points),
            "features": str(FEATURES),
        }


def _rows(activation: str, seed: int, operator: str, points: int) -> Float[np.ndarray, "n M"]:
    return drawn_matrix(_posed(activation, operator, points), "ad", seed)


@lru_cache(maxsize=64)
def _posed(activation: str, operator: str, points: int) -> Problem:
    grid = np.linspace(-1, 1, points + 2)
    return Problem(
        operator_text=operator, domain=((Fraction(-2), Fraction(2)),), solution="sin(pi*x)", activation_name=activation,
        weights=Normal(Fraction(0), Fraction(3)), biases=Normal(Fraction(0), Fraction(1)), count=FEATURES,
        interior=tuple((Fraction(float(x)),) for x in grid),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def error(draw: Sparse, scheme: str) -> float:
    """Relative root mean square error of the solution on a fine grid."""
    h = 2 / (draw.points + 1)
    x, values = np.linspace(-1, 1, draw.points + 2)[1:-1], draw.rows("u")
    if scheme == "AD":
        inner = draw.rows("u_xx")[1:-1]
    else:
        inner = (values[:-2] - 2 * values[1:-1] + values[2:]) / h**2
        if scheme == "coupled":
            slopes = draw.rows("u_x")
            inner = 2 * inner - (slopes[2:] - slopes[:-2]) / (2 * h)
    A = np.vstack([inner, values[[0, -1]]])
    f = np.concatenate([-(math.pi**2) * np.sin(math.pi * x), [0.0, 0.0]])
    a = np.linalg.lstsq(A, f, rcond=CUTOFF)[0]
    exact = np.sin(math.pi * np.linspace(-1, 1, FINE))
    gap = _rows(draw.activation, draw.seed, "u", FINE - 2) @ a - exact
    return float(np.sqrt((gap**2).mean() / (exact**2).mean()))


def _draws(scope: Scope, profile: Profile) -> Iterator[Sparse]:
    for seed in seeds(profile, BLOCK, 2 * BLOCK):
        yield Sparse(scope["activation"], seed, int(scope["points"]))


_WHERE = (
    f"{FEATURES} features, w ~ N(0, 9), b ~ N(0, 1), equispaced interior points and both ends, u = sin πx, least-norm solution cut at 1e-12, float64; "
    "at least 9 in 10 draws (95 % confidence)"
)


def _cells(*schemes: str) -> Callable[[Profile], tuple[Scope, ...]]:
    return lambda profile: tuple(
        {"activation": a, **({"scheme": s} if s else {}), "points": n, "arithmetic": "float64"}
        for a in ("tanh", "sin")
        for s in schemes or ("",)
        for n in (("4", "32") if profile == "quick" else ("4", "8", "16", "32"))
    )


_CLEAR = {"activation": "tanh", "points": "4", "arithmetic": "float64"}
_stated = partial(sampled, source=SOURCE, instances=_draws, judges=(float_matrix,))


@_stated(
    "literature.ad-needs-points",
    title="AD is accurate only with many points",
    predicate=f"AD's error is more than 100 times that with as many interior points as features, same draw. {_WHERE}",
    scopes=_cells(),
    mutants=(
        wrong("fewer-better", "fewer points are better", "sign", _CLEAR, factor=1.0, flip=True),
        wrong("always-lost", "a trillion times", "constant", _CLEAR, factor=1e12),
    ),
)  # fmt: skip
def ad_needs_points(draw: Sparse, scope: Scope, factor: float = 100.0, flip: bool = False) -> Outcome:
    """With fewer points than features the AD solution of least norm is far from accurate (a hundred times the error with as many
    points as features: our measure; random features in place of trained networks)."""
    few, many = error(draw, "AD"), error(Sparse(draw.activation, draw.seed, FEATURES), "AD")
    return exceeds(few / many, factor, f"{few:.1e} with {draw.points} points, {many:.1e} with {FEATURES}", flip=flip)


@_stated(
    "literature.linked-points",
    title="With fewer points than features, linking neighbours beats AD",
    predicate=f"error of the scheme less than AD's, same draw and points. {_WHERE}",
    scopes=_cells("differences", "coupled"),
    mutants=(
        wrong("worse", "it is worse than AD", "sign", _CLEAR | {"scheme": "coupled"}, flip=True),
        wrong("thousandfold", "a thousand times better", "constant", _CLEAR | {"scheme": "coupled"}, factor=1000.0),
    ),
)  # fmt: skip
def linked_points(draw: Sparse, scope: Scope, flip: bool = False, factor: float = 1.0) -> Outcome:
    """With fewer points than features, a scheme that links neighbouring points has a smaller solution error than AD at the points
    (differences at the spacing, and a coupled scheme of ours with AD's first derivatives)."""
    one, ad = error(draw, scope["scheme"]), error(draw, "AD")
    return exceeds(ad / one, factor, f"{scope['scheme']} {one:.1e}, AD {ad:.1e}", flip=flip)


@_stated(
    "literature.coupled-over-differences",
    title="The coupled scheme is more accurate than differences alone",
    predicate=f"error of the coupled scheme less than a tenth of that of differences, same draw and points. {_WHERE}",
    scopes=_cells(),
    mutants=(
        wrong("a-million", "a millionth of it", "constant", _CLEAR, factor=1e6),
        wrong("reversed", "differences alone are better", "sign", _CLEAR | {"points": "32"}, flip=True),
    ),
)  # fmt: skip
def coupled_over_differences(draw: Sparse, scope: Scope, factor: float = 10.0, flip: bool = False) -> Outcome:
    """Coupling differences with AD improves on differences alone by one to two orders of magnitude (the source's words for its
    schemes and flows; judged: more than tenfold, for our scheme, features and equation)."""
    one, other = error(draw, "coupled"), error(draw, "differences")
    return exceeds(other / one, factor, f"coupled {one:.1e}, differences {other:.1e}", flip=flip)


CLAIMS = (ad_needs_points, linked_points, coupled_over_differences)
