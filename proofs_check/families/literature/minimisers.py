"""Minimisers of AD and FD losses of random features: whether they agree on the grid, how many there are, whether the least
loss is zero (A. Langer, arXiv:2601.07017), and what a residual's gradient held constant does (K. L. Lim and others,
arXiv:2602.21590).

The networks of these papers train all their parameters.  Here hidden parameters are drawn and fixed: then the loss is a
quadratic form, and its minimisers are decided by ranks.  ``u'' = f`` on (−1, 1) with both end values, N points with the
ends, h their spacing, so that ``A_FD = DΦ`` with the invertible N × N difference matrix D and the values Φ of the features
at the points.  A rank is shown by a minor of balls that is not 0; that it is no larger, by the shape of the matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
import numpy as np

from numerics.arithmetic.balls import ball
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import Boundary, Method, Problem
from proofs_check.claims.claim import Assumption, Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import once, seeds
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import from_comparison
from theory.base.exact import spell
from theory.features.laws import Normal

POINTS = 8
"""N, with the two ends."""
WIDTHS = {"M = 2N": 2 * POINTS, "M = N": POINTS, "M = N - 2": POINTS - 2}
ACTIVATIONS = ("tanh", "sin", "1/(1+z**2)")
BITS = 512
LANGER = "arXiv:2601.07017"


@dataclass(frozen=True)
class Posed:
    """N points, M drawn features, ``u'' = f`` with f of the solution sin πx at the interior points, and its end values."""

    activation: str
    features: int
    seed: int

    @property
    def step(self) -> Fraction:
        """h, the spacing."""
        return Fraction(2, POINTS - 1)

    def problem(self, operator: str = "u_xx") -> Problem:
        """The equation at the interior points and both ends."""
        return Problem(
            operator_text=operator, domain=((Fraction(-1), Fraction(1)),), solution="sin(pi*x)",
            activation_name=self.activation, weights=Normal(Fraction(0), Fraction(2)),
            biases=Normal(Fraction(0), Fraction(1)), count=self.features, seed=self.seed, interior=(POINTS - 2,),
            boundary=(Boundary("all", 2),), step=(self.step,),
        )  # fmt: skip

    def matrix(self, method: Method, operator: str = "u_xx") -> flint.arb_mat:
        """A in balls: the interior rows, then the ends."""
        return _assembled(self, method, operator)

    @property
    def values(self) -> flint.arb_mat:
        """Φ, rows as in :meth:`matrix`."""
        return self.matrix("ad", "u")

    @property
    def f(self) -> list[flint.arb]:
        """The right-hand side: −π² sin πx at the interior points, 0 at the ends."""
        with flint.ctx.workprec(BITS):
            pi = flint.arb.pi()
            inside = [ball(-1 + k * self.step) for k in range(1, POINTS - 1)]
            return [-pi * pi * (pi * x).sin() for x in inside] + [flint.arb(0)] * 2

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return {"activation": self.activation, "features": str(self.features), "seed": str(self.seed),
                "points": str(POINTS), "step": spell(self.step), "weights": "normal(0, 2)", "biases": "normal(0, 1)"}  # fmt: skip


@lru_cache(maxsize=64)
def _assembled(posed: Posed, method: Method, operator: str) -> flint.arb_mat:
    return ball_entries(posed.problem(operator), method)(BITS)


def _shown(holds: bool | None, detail: str) -> Outcome:
    """What was decided by ranks and shapes, which are exact or enclosed."""
    return Outcome(from_comparison(holds), detail, certified=holds is not None)


def differences(h: Fraction) -> flint.fmpq_mat:
    """D: second differences at the interior points, the values at the ends; columns ordered as rows (interior, ends)."""
    inner = POINTS - 2
    rows = []
    for i in range(inner):
        row = [Fraction(0)] * POINTS
        for k, weight in ((i - 1, 1), (i, -2), (i + 1, 1)):
            row[k if 0 <= k < inner else (inner if k < 0 else inner + 1)] += weight / h**2
        rows.append(row)
    rows += [[Fraction(int(j == inner + e)) for j in range(POINTS)] for e in range(2)]
    return flint.fmpq_mat([[flint.fmpq(v.numerator, v.denominator) for v in row] for row in rows])


def factored(posed: Posed) -> bool | None:
    """Whether the assembled A_FD is DΦ (its entries overlap narrowly) with D invertible."""
    D = differences(posed.step)
    with flint.ctx.workprec(BITS):
        product = flint.arb_mat(D) * posed.values
        A = posed.matrix("fd")
        gaps = [(A[i, j] - product[i, j]) for i in range(A.nrows()) for j in range(A.ncols())]
    if any(not gap.contains(0) for gap in gaps):
        return False
    return True if D.det() != 0 and all(float(gap.abs_upper()) < 1e-30 for gap in gaps) else None


def rank_shown(matrix: flint.arb_mat, rank: int) -> bool:
    """Whether some rank × rank minor is certainly not 0; its rows and columns are guessed by pivoting in float64."""
    if not 0 < rank <= min(matrix.nrows(), matrix.ncols()):
        return rank == 0
    guess = np.array([[float(matrix[i, j].mid()) for j in range(matrix.ncols())] for i in range(matrix.nrows())])
    columns = _pivots(guess, rank)
    rows = _pivots(guess[:, columns].T, rank)
    with flint.ctx.workprec(BITS):
        minor = flint.arb_mat([[matrix[i, j] for j in columns] for i in rows])
        return not minor.det().contains(0)


def _pivots(A: np.ndarray, rank: int) -> list[int]:
    from scipy.linalg import qr

    return sorted(int(k) for k in qr(A, mode="r", pivoting=True)[1][:rank])


def stacked(*parts: flint.arb_mat) -> flint.arb_mat:
    """Rows of several matrices under one another."""
    return flint.arb_mat([[part[i, j] for j in range(part.ncols())] for part in parts for i in range(part.nrows())])


def beside(matrix: flint.arb_mat, column: list[flint.arb]) -> flint.arb_mat:
    """A matrix with one column more."""
    return flint.arb_mat([[*(matrix[i, j] for j in range(matrix.ncols())), column[i]] for i in range(matrix.nrows())])


def _instances(scope: Scope, profile: Profile) -> Iterator[Posed]:
    for seed in seeds(profile, 2, 8):
        yield Posed(scope["activation"], WIDTHS[scope["features"]], seed)


def _cells(*names: str, methods: tuple[str, ...] = ()) -> Any:
    return once(
        *({"activation": a, "features": m, **({"method": t} if t else {}), "arithmetic": "exact"}
          for a in names for m in WIDTHS for t in methods or ("",))
    )  # fmt: skip


_CLEAR = {"activation": "tanh", "features": "M = 2N", "arithmetic": "exact"}
_RANKS = "N = 8 points with the ends, w ~ N(0, 4), b ~ N(0, 1), every draw; ranks by minors in balls of 512 bits"


@stated(
    "literature.grid-minimisers",
    title="Every FD minimiser solves the difference equation on the grid",
    family="literature",
    source=LANGER,
    predicate=rf"$A_{{FD}} = D\Phi$ (entries overlap, $\det D \ne 0$), and $f$ lies in the range: rank of $\Phi$ is $N$, else rank of "
    rf"$[A_{{FD}}\, f]$ exceeds that of $A_{{FD}}$. {_RANKS}",
    kind="ball",
    scopes=_cells(*ACTIVATIONS),
    instances=_instances,
    judges=(ball_entries,),
    mutants=(
        wrong("never", "the least loss is positive", "sign", _CLEAR, reached=False),
        wrong("shifted-grid", "D of another spacing", "constant", _CLEAR, spacing=Fraction(1, 2)),
    ),
)  # fmt: skip
def grid_minimisers(posed: Posed, scope: Scope, reached: bool = True, spacing: Fraction = Fraction(1)) -> Outcome:
    r"""Every minimiser of the FD loss of random features takes at the grid points the values of the solution of the
    difference equation (checked: $u'' = f$ in one dimension, Dirichlet, $h$ the spacing; with more features than
    points, as many, and two fewer).
    """
    # DΦa = f with D invertible: Φa = D⁻¹f for every minimiser if that is reached, and for none otherwise.
    if spacing != 1:
        D = flint.arb_mat(differences(posed.step * spacing)) * posed.values
        if any(not (D[0, j] - posed.matrix("fd")[0, j]).contains(0) for j in range(posed.features)):
            return _shown(False, "A_FD is not DΦ with that spacing")
    if (same := factored(posed)) is not True:
        return _shown(same, "A_FD is not DΦ" if same is False else "whether A_FD = DΦ is undecided")
    if posed.features >= POINTS and rank_shown(posed.values, POINTS):
        return _shown(reached, f"rank Φ = N = {POINTS}: the least loss is 0, and Φa = D⁻¹f there")
    A = posed.matrix("fd")
    if posed.features < POINTS and rank_shown(beside(A, posed.f), posed.features + 1):
        return _shown(not reached, f"rank [A f] = {posed.features + 1} > M: no choice of a solves it")
    return _shown(None, "the ranks are undecided")


@stated(
    "literature.minimisers-agree",
    title="Minimisers agree with one another at the points",
    family="literature",
    source=LANGER,
    predicate=rf"The kernel of $A$ lies in that of $\Phi$: with $A = D\Phi$ it does; for AD, rank $A = N$ and rank of $A$ over $\Phi$ "
    rf"above $N$ show two minimisers that differ at a point; where rank $A = M$ there is one. {_RANKS}",
    kind="ball",
    scopes=_cells(*ACTIVATIONS, methods=("ad", "fd")),
    instances=_instances,
    judges=(ball_entries,),
    mutants=(
        wrong("differ", "FD minimisers differ at the points", "sign", _CLEAR | {"method": "fd"}, agree=False),
        wrong("off-grid", "FD minimisers agree half-way between the points too", "predicate", _CLEAR | {"method": "fd"},
              between=True),
    ),
)  # fmt: skip
def minimisers_agree(posed: Posed, scope: Scope, agree: bool = True, between: bool = False) -> Outcome:
    """All minimisers of the loss take the same values at the points of the grid (the source says it of FD; AD is judged
    beside it, with the same features, points and boundary rows; the random features are ours).
    """
    method: Method = "ad" if scope["method"] == "ad" else "fd"
    A = posed.matrix(method)
    if posed.features <= POINTS and rank_shown(A, posed.features):
        return _shown(agree, f"rank A = M = {posed.features}: there is one minimiser")
    if between:
        shifted = ball_entries(_between(posed), "ad")(BITS)
        differ = rank_shown(stacked(A, shifted), POINTS + 1)
        return _shown(False if differ else None, "a vector of the kernel of A is not 0 between the points")
    if method == "fd":
        same = factored(posed)
        return _shown(agree if same else None, "A = DΦ with D invertible: Aa = Ab implies Φa = Φb")
    if rank_shown(A, POINTS) and rank_shown(stacked(A, posed.values), POINTS + 1):
        return _shown(not agree, "some vector of the kernel of A is not 0 at a point: two AD minimisers differ there")
    return _shown(None, "the ranks are undecided")


def _between(posed: Posed) -> Problem:
    middles = tuple((-1 + (k + Fraction(1, 2)) * posed.step,) for k in range(POINTS - 1))
    return posed.problem("u").with_(interior=middles, boundary=())


@stated(
    "literature.infinitely-many",
    title="Minimisers are infinitely many",
    family="literature",
    source=LANGER,
    predicate=rf"$A$ has a kernel: it has more columns than rows; or none: rank $A = M$. {_RANKS}",
    kind="ball",
    scopes=_cells("tanh", "sin", methods=("ad", "fd")),
    instances=_instances,
    judges=(ball_entries,),
    mutants=(
        wrong("unique", "there is one minimiser", "sign", _CLEAR | {"method": "fd"}, many=False),
        wrong("every-choice", "every choice of the coefficients is a minimiser", "predicate", _CLEAR | {"method": "ad"}, all_of_them=True),
    ),
)  # fmt: skip
def infinitely_many(posed: Posed, scope: Scope, many: bool = True, all_of_them: bool = False) -> Outcome:
    """The loss has infinitely many minimisers (the source: of networks that are wide enough; here of random features, whose
    hidden parameters are fixed).
    """
    A = posed.matrix("ad" if scope["method"] == "ad" else "fd")
    if all_of_them:
        return _shown(False if rank_shown(A, 1) else None, "A is not 0: the residual depends on the coefficients")
    if A.ncols() > A.nrows():
        return _shown(many, f"{A.ncols()} columns, {A.nrows()} rows: the kernel is not 0")
    if rank_shown(A, A.ncols()):
        return _shown(not many, f"rank A = M = {A.ncols()}: one minimiser")
    return _shown(None, "the rank is undecided")


@stated(
    "literature.fd-where-ad-fails",
    title="FD solves where AD leaves the equation unsolved",
    family="literature",
    source=LANGER,
    predicate="Twice as many features as points. AD's interior rows vanish identically, so that its least loss is that of f, and FD's "
    r"least loss is 0 (rank $\Phi = N$); it fails where AD's least loss is 0 too (rank $A_{AD} = N$). " + _RANKS,
    kind="ball",
    scopes=once(*({"activation": a, "features": "M = 2N", "arithmetic": "exact"} for a in ("relu", "relu3", "tanh"))),
    instances=_instances,
    assumptions=(Assumption(r"rank $\Phi = N$, shown by a minor", lambda posed: rank_shown(posed.values, POINTS)),),
    judges=(ball_entries,),
    mutants=(
        wrong("reversed", "AD solves where FD does not", "sign", {"activation": "relu", "features": "M = 2N", "arithmetic": "exact"},
              swapped=True),
        wrong("ends-too", "AD does not see the values at the ends either", "predicate",
              {"activation": "relu", "features": "M = 2N", "arithmetic": "exact"}, ends=True),
    ),
)  # fmt: skip
def fd_where_ad_fails(posed: Posed, scope: Scope, swapped: bool = False, ends: bool = False) -> Outcome:
    r"""There are features with which the FD loss of $u'' = f$ has the least value 0 and the AD loss has not (the source
    reports settings in which AD may fail to converge; ReLU, whose second derivative automatic differentiation sees as
    zero, is our instance of one). Judged activation by activation.
    """
    A = posed.matrix("ad")
    solved = factored(posed) is True
    blind = all(A[i, j] == 0 for i in range(POINTS - 2 * (not ends)) for j in range(A.ncols()))
    if blind and solved:
        return _shown(not swapped, "AD's rows are 0 identically; FD's least loss is 0")
    if ends:
        return _shown(False if rank_shown(A, 1) else None, "a row of A_AD at an end is not 0")
    if rank_shown(A, POINTS):
        return _shown(False, "AD's least loss is 0 too (rank A_AD = N)")
    return _shown(None, "the ranks are undecided")


@stated(
    "literature.constant-gradient",
    title="A residual's gradient held constant has the same minimiser",
    family="literature",
    source="arXiv:2602.21590",
    predicate=r"At the minimiser $a$ of $\frac12\|D\Phi a - f\|^2$ the update $\Phi^T r$ vanishes: $r = 0$ where rank $\Phi = N$; with M < N the "
    rf"normal equations are solved in balls, and some entry of $\Phi^T r$ is not 0. {_RANKS}",
    kind="ball",
    scopes=_cells("tanh", "sin"),
    instances=_instances,
    judges=(ball_entries,),
    mutants=(
        wrong("always-biased", "it is biased for every number of features", "sign", _CLEAR, unbiased=False),
        wrong("true-gradient-biased", "the true gradient does not vanish there", "predicate",
              _CLEAR | {"features": "M = N - 2"}, true_gradient=True, unbiased=False),
    ),
)  # fmt: skip
def constant_gradient(posed: Posed, scope: Scope, unbiased: bool = True, true_gradient: bool = False) -> Outcome:
    r"""Descent that treats the derivative of the difference residual in the network's values as a constant (direction
    $\Phi^T r$ for $\Phi^T D^T r$) is stationary at the minimiser of the loss. That the source does so is a summary by
    others, not its abstract; random features, and the reading, are ours.
    """
    if posed.features >= POINTS:
        shown = rank_shown(posed.values, POINTS)
        return _shown(unbiased if shown else None, "rank Φ = N: r = 0 at the minimiser, and both directions vanish")
    A, D = posed.matrix("fd"), flint.arb_mat(differences(posed.step))
    with flint.ctx.workprec(BITS):
        f = flint.arb_mat([[v] for v in posed.f])
        a = (A.transpose() * A).solve(A.transpose() * f)
        r = A * a - f
        update = posed.values.transpose() * (D.transpose() * r if true_gradient else r)
        entries = [update[i, 0] for i in range(update.nrows())]
    largest = max(float(abs(v).lower()) for v in entries)
    biased = any(not v.contains(0) for v in entries)
    if not biased and all(float(abs(v).upper()) < 1e-30 for v in entries):
        return _shown(unbiased, "the direction vanishes to 30 digits")
    return _shown(
        not unbiased if biased else None, f"an entry of the direction is at least {largest:.2g}: it moves away"
    )


CLAIMS = (grid_minimisers, minimisers_agree, infinitely_many, fd_where_ad_fails, constant_gradient)
