"""FD spectra of the Hermite model with all its features, hundreds of them listed: float64 guesses, FLINT certificates.

:mod:`theory.solvable.hermite` has the model and the bound on its tail. Its matrix has a condition of 1e10 or so, not of
1e60: an absolute certificate is enough. With U, V from LAPACK and ``W = Uᵀ A V`` in balls,

    σ_k(W) / √((1 + δ_U)(1 + δ_V)) <= σ_k(A) <= σ_k(W) / √((1 - δ_U)(1 - δ_V)),   δ_U >= ‖UᵀU - I‖_F,

(A. M. Ostrowski, PNAS 45 (1959) 740), and ``|σ_k(W) - |W_kk|| <= ‖W - diag W‖_F`` with both sides in order (Weyl).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import flint
import numpy as np

from numerics.enclosure import Enclosure, from_ball
from numerics.expression_balls import ball
from theory.errors import PrecisionCapError
from theory.solvable.common import Listed, Method
from theory.solvable.hermite import HermiteDiagonal

BITS = 128
"""Of the balls."""
TINY = 120
"""Entries under 2^-TINY are taken as balls around 0."""
GRID = 2.0**56
"""Approximate singular vectors are rounded to multiples of 1/GRID."""
MAX_FEATURES = 1200
"""Most features listed."""


@dataclass(frozen=True)
class InfiniteHermite(HermiteDiagonal):
    """The model with all features; its FD spectra come from balls, so that ρ near 1 is in reach.

    Raises:
        InputError: as the model of theory.
    """

    first_digits: ClassVar[int] = 5

    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        """See :meth:`theory.solvable.common.SolvableSpectrum.listed`; FD eigenvalues to about 1e-13 of the largest.

        Raises:
            PrecisionCapError: more features than :data:`MAX_FEATURES`, or LAPACK's vectors far from orthonormal.
        """
        if method == "ad" or self.size is not None or h is None:
            return super().listed(method, h, count, digits)
        size, tail = self.truncation(h, count, min(digits, 24))
        if size > MAX_FEATURES:
            raise PrecisionCapError(f"{size} features are needed, and {MAX_FEATURES} are allowed; ask for fewer digits")
        values = _values(self, h, size)
        return Listed(tuple(Enclosure(v.lower, v.upper + tail.first) for v in values), tail)


def matrix(model: HermiteDiagonal, h: Fraction, size: int) -> flint.arb_mat:
    """``A_FD[i, j] = e_{j-i} h^{j-i} √(ρ^{j+m} (j+m)!/i!)`` for the first features, at the precision in force."""
    m = model.stencil.derivative
    taylor = [ball(model.stencil.taylor((d + m,)) * h**d) for d in range(size)]
    rho, column, row = ball(model.ratio), [], []
    value = flint.arb(1)
    for k in range(1, size + m):
        value = value * (rho * k).sqrt()
        if k >= m:
            column.append(value)
    value = flint.arb(1)
    for k in range(size):
        row.append(1 / value)
        value = value * flint.arb(k + 1).sqrt()
    zero, tiny = flint.arb(0), flint.arb(2) ** -TINY
    around = flint.arb(0, tiny)  # products of entries of all sizes are slow, and these do not matter

    def entry(i: int, j: int) -> flint.arb:
        value = taylor[j - i] * row[i] * column[j]
        return value if not abs(value) < tiny else around

    return flint.arb_mat([[entry(i, j) if j >= i else zero for j in range(size)] for i in range(size)])


@lru_cache(maxsize=16)
def _values(model: HermiteDiagonal, h: Fraction, size: int) -> tuple[Enclosure, ...]:
    """Squared singular values of the first columns, descending."""
    with flint.ctx.workprec(BITS):
        exact = matrix(model, h, size)
        guess = np.array([[float(exact[i, j].mid()) for j in range(size)] for i in range(size)])
        left, _, right = np.linalg.svd(guess)
        u, vt = (flint.arb_mat((np.rint(v * GRID) / GRID).tolist()) for v in (left, right))
        delta_u, delta_v = _defect(u.transpose() * u), _defect(vt * vt.transpose())
        if not (delta_u < 1 and delta_v < 1):
            raise PrecisionCapError("the approximate singular vectors are far from orthonormal")
        w = u.transpose() * exact * vt.transpose()
        diagonal = sorted((from_ball(abs(w[k, k])) for k in range(size)), key=lambda v: -v.middle)
        for k in range(size):
            w[k, k] = 0
        off = _norm(w)
        high, low = ((1 - delta_u) * (1 - delta_v)).sqrt(), ((1 + delta_u) * (1 + delta_v)).sqrt()
        spread = from_ball(off).upper
        shrink, grow = 1 / from_ball(low).upper, 1 / from_ball(high).lower
    # the k-th largest is monotone in every value: sorted lower and sorted upper ends enclose it
    lowers = sorted((v.lower for v in diagonal), reverse=True)
    uppers = sorted((v.upper for v in diagonal), reverse=True)
    return tuple(
        Enclosure((max(a - spread, Fraction(0)) * shrink) ** 2, ((b + spread) * grow) ** 2)
        for a, b in zip(lowers, uppers, strict=True)
    )


def _defect(gram: flint.arb_mat) -> flint.arb:
    for k in range(gram.nrows()):
        gram[k, k] = gram[k, k] - 1
    return _norm(gram)


def _norm(a: flint.arb_mat) -> flint.arb:
    """The Frobenius norm."""
    total = flint.arb(0)
    for entry in a.entries():
        total += entry * entry
    return total.sqrt()
