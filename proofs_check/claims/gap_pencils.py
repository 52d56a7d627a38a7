"""The entropy-gap expansion at r < n, where it needs a gap behind the cut-off: rational matrices A + hB."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath

from proofs_check.claim import Assumption, Profile, Scope, stated, weaker, wrong
from proofs_check.claims.common import once
from proofs_check.verdicts import Outcome
from theory.entropy import Convention, Power, entropy_gap_coefficient, truncated_entropy

DIGITS = 60
STEPS = (Fraction(1, 2**14), Fraction(1, 2**15))
Matrix = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Pencil:
    """A + hB with a cut-off number r under the size."""

    first: Matrix
    second: Matrix
    rank: int

    def at(self, h: Fraction) -> mpmath.matrix:
        """A + hB in the precision in force."""
        rows = [[a + h * b for a, b in zip(x, y, strict=True)] for x, y in zip(self.first, self.second, strict=True)]
        return _real(rows)

    @property
    def relative_gap(self) -> mpmath.mpf:
        """(σ_r − σ_{r+1})/σ_r; 0 where σ_r is not above 10⁻²⁰ of σ_1."""
        with mpmath.workdps(DIGITS):
            values = sorted(mpmath.svd_r(self.at(Fraction(0)), compute_uv=False), reverse=True)
            if not values[self.rank - 1] > values[0] * mpmath.mpf(10) ** -20:
                return mpmath.mpf(0)
            return (values[self.rank - 1] - values[self.rank]) / values[self.rank - 1]

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"A": [list(map(str, row)) for row in self.first], "B": [list(map(str, row)) for row in self.second],
                "r": self.rank}  # fmt: skip


def entropy_of(values: Sequence[Any], r: int, power: Power) -> Any:
    """The entropy of the r largest of descending values, in their own arithmetic."""
    return truncated_entropy(values, Convention("fixed", rank=r, power=power), r=r).value


def rates(left: mpmath.matrix, change: mpmath.matrix, right: mpmath.matrix) -> list[Any]:
    """``σ̇_k = u_kᵀ B v_k`` of every singular value, from the factors of a singular value decomposition."""
    return [(left[:, k].T * change * right[k, :].T)[0] for k in range(right.rows)]


def remainder_order(rests: Sequence[Any], steps: Sequence[Fraction], digits: int) -> float:
    """The order in h of a remainder, between the last two steps; infinite where the digits do not resolve it."""
    if rests[-1] < mpmath.mpf(10) ** (10 - digits):
        return math.inf
    return float(mpmath.log(rests[-2] / rests[-1]) / math.log(steps[-2] / steps[-1]))


def _real(rows: Any) -> mpmath.matrix:
    return mpmath.matrix([[mpmath.mpf(v.numerator) / v.denominator for v in row] for row in rows])


def _pencils(scope: Scope, profile: Profile) -> Iterator[Pencil]:
    """Random integer matrices of size 3 to 5; a cluster inside the top r, which is harmless; one across the cut-off."""
    generator = random.Random(41)
    for trial in range(8 if profile == "quick" else 40):
        n = 3 + trial % 3
        pair = [tuple(tuple(Fraction(generator.randint(-9, 9)) for _ in range(n)) for _ in range(n)) for _ in "AB"]
        yield Pencil(pair[0], pair[1], generator.randint(2, n - 1))
    yield Pencil(_diagonal(3, 3, 1), _swap(0, 1), 2)
    yield Pencil(_diagonal(2, 1, 1), _swap(1, 2), 2)


def _diagonal(*values: int) -> Matrix:
    return tuple(tuple(Fraction(v if i == j else 0) for j in range(len(values))) for i, v in enumerate(values))


def _swap(i: int, j: int) -> Matrix:
    return tuple(tuple(Fraction(int({a, b} == {i, j})) for b in range(3)) for a in range(3))


@stated(
    "entropy.gap-expansion-pencils",
    title="The entropy gap to leading order, at r < n",
    source="ours",
    predicate=r"order at least 1.8 of the remainder between $h = 2^{-14}$ and $2^{-15}$, in 60-digit arithmetic",
    kind="sampled",
    scopes=once({"power": "1"}, {"power": "2"}),
    instances=_pencils,
    assumptions=(
        Assumption(r"$\sigma_r > 0$ and $\sigma_r > \sigma_{r+1}$, by a hundredth of itself", lambda p: p.relative_gap >= 0.01),
    ),
    describe=Pencil.to_dict,
    judges=(entropy_gap_coefficient,),
    mutants=(
        weaker("no-gap", r"$\sigma_r = \sigma_{r+1}$ is allowed", "hundredth"),
        wrong("twice", "the coefficient is twice as large", "constant", factor=2),
        wrong("one-more", "the coefficient is that of r + 1 values", "order", beyond=1),
    ),
)  # fmt: skip
def gap_expansion(pencil: Pencil, scope: Scope, factor: int = 1, beyond: int = 0) -> Outcome:
    r"""For $A$, $B$ with random integer entries (sizes 3 to 5), powers $q = 1, 2$ and fixed $r \ge 2$ with $\sigma_r(A) > \sigma_{r+1}(A)$
    (by a hundredth of itself) and $\sigma_r(A) > 0$,
    $H_r(A + hB) = H_r(A) - h\sum_{k\le r}\dot p_k\log p_k + O(h^2)$,
    $\dot p_k = q\,p_k(\dot\sigma_k/\sigma_k - \sum_{j\le r} p_j\dot\sigma_j/\sigma_j)$, $\dot\sigma_k = u_k^T B v_k$. Equal values
    inside the top $r$ are harmless; across the cut-off they are not: $A = \mathrm{diag}(2,1,1)$, $B$ the exchange of
    the last two, $r = 2$, has gap$/h = 0.154$ for $q = 1$ where the formula gives 0."""
    r = pencil.rank
    power: Power = 1 if scope["power"] == "1" else 2
    with mpmath.workdps(DIGITS):
        left, values, right = mpmath.svd_r(pencil.at(Fraction(0)))
        sigma = list(values)
        moving = rates(left, _real(pencil.second), right)
        predicted = factor * entropy_gap_coefficient(sigma, moving, min(r + beyond, len(sigma)), power)
        rests: list[Any] = []
        for h in STEPS:
            moved = sorted(mpmath.svd_r(pencil.at(h), compute_uv=False), reverse=True)
            gap = entropy_of(moved, r, power) - entropy_of(sigma, r, power)
            rests.append(abs(gap - predicted * h.numerator / h.denominator))
        order = min(remainder_order(rests, STEPS, DIGITS), 2.0)
        slope = float(gap * STEPS[-1].denominator)
    detail = f"r = {r} of {len(sigma)}: gap/h = {slope:.6g}, c = {float(predicted):.6g}, remainder of order {order:.3f}"
    return Outcome(order >= 1.8, detail, margin=order - 1.8, data={"order": order})


CLAIMS = (gap_expansion,)
"""Claims about the expansion of the entropy."""
