"""From an exact factorisation to proven singular values: every inequality here is evaluated in balls.

Let ``A = L R + E`` (``L: N x r``, ``R: r x M``), ``T`` an invertible ``r x r`` matrix, ``Q = L T^-1``, ``V`` a real
``r x r`` matrix, ``W = (T R)^T V``, ``D`` positive diagonal, and upper bounds of spectral norms

    eta >= ||D^-1 W^T W D^-1 - I||,   delta_V >= ||V^T V - I||,   delta_Q >= ||Q^T Q - I||,

all three below 1 (a symmetric matrix has no larger spectral norm than its largest row sum of absolute values). Write
``d_1 >= d_2 >= ...`` for the sorted diagonal of ``D``.

1. ``W D^-1`` has its singular values in ``[sqrt(1 - eta), sqrt(1 + eta)]``, so by Ostrowski's theorem (Horn &
   Johnson, 2013, theorem 4.5.9) ``sigma_i(W)`` lies in ``d_i [sqrt(1 - eta), sqrt(1 + eta)]``.
2. ``V`` and ``Q`` have theirs within ``sqrt(1 -+ delta)``, so ``sigma_i((T R)^T V)`` and ``sigma_i(Q T R)`` lie within
   those factors of ``sigma_i(T R)``. As ``L R = Q T R``,
   ``sigma_i(L R) in d_i [sqrt((1-eta)(1-delta_Q)/(1+delta_V)), sqrt((1+eta)(1+delta_Q)/(1-delta_V))]``.
3. Let ``P`` be the orthogonal projector onto the range of ``L``. ``P A = L R + P E``, and with ``G`` any matrix such
   that ``||(L G)^T L G - I|| <= delta < 1``, ``||P E|| <= alpha := ||(L G)^T E|| / sqrt(1 - delta)`` (Weyl);
   ``A^T A = (P A)^T P A + ((I-P) E)^T (I-P) E``, so ``sigma_i(P A)^2 <= sigma_i(A)^2 <= sigma_i(P A)^2 + rho^2`` with
   ``rho >= ||E||``, for ``i <= r``.
4. ``P A`` has rank at most ``r``: ``sigma_i(A) <= rho`` for ``i > r``.

No separation is needed: repeated values pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import flint
from flint import arb, arb_mat

from numerics.enclosure import Enclosure, dyadic
from numerics.engine.balls import fixed_point, identity_defect, power_of_two, row_sums_upper
from numerics.engine.vectors import GradedRows, GradedVectors


@dataclass(frozen=True)
class Grams:
    """Ball matrices that contain ``W^T W`` (columns scaled by ``2^(-f_j)``) and ``V^T V``, ``r x r``."""

    images: arb_mat
    vectors: arb_mat


@dataclass(frozen=True)
class Bounds:
    """What is proven of ``L R``: ``lower[i] <= sigma_i(L R) <= upper[i]``, exact, both descending."""

    lower: tuple[arb, ...]
    upper: tuple[arb, ...]
    eta: arb


def grams(rows: GradedRows, vectors: GradedVectors, bits: int) -> Grams:
    """The two Gram matrices in balls of about ``bits`` bits."""
    with flint.ctx.workprec(bits + 10):
        images = fixed_point(rows.table, bits, 0).transpose() * fixed_point(vectors.scaled(), bits, 1)
        images = fixed_point(images, bits, 1)
        plain = fixed_point(vectors.plain(), bits, 0)
        return Grams(images.transpose() * images, plain.transpose() * plain)


def bounds(found: Grams, columns: tuple[int, ...], delta_q: arb, bits: int) -> Bounds | None:
    """Steps 1 and 2 of the proof; ``None`` where one of the three defects is not proven to be below 1."""
    r = len(columns)
    with flint.ctx.workprec(bits + 10):
        table = found.images.tolist()
        if not all(table[j][j].mid() > 0 for j in range(r)):
            return None
        # D is *defined* as diag(2^f_j / g_j) by these exact approximations g_j of 1 / ||w_j||
        g = [(1 / table[j][j].mid().sqrt()).mid() for j in range(r)]
        half = arb_mat(r, r, [x * b for row in table for x, b in zip(row, g, strict=True)])
        for j in range(r):
            half[j, j] -= 1 / g[j]
        eta = row_sums_upper(half, g)  # of diag(g) (W^T W diag(g) - diag(g)^-1)
        delta_v = identity_defect(found.vectors)
        if not (eta < 1 and delta_v < 1 and delta_q < 1):
            return None
        low = ((1 - eta) * (1 - delta_q) / (1 + delta_v)).sqrt()
        high = ((1 + eta) * (1 + delta_q) / (1 - delta_v)).sqrt()
        sizes = [power_of_two(f) / x for f, x in zip(columns, g, strict=True)]
        lower = sorted(((size * low).lower() for size in sizes), reverse=True)
        upper = sorted(((size * high).upper() for size in sizes), reverse=True)
        return Bounds(tuple(lower), tuple(upper), eta)


@dataclass(frozen=True)
class Residual:
    """Bounds of ``E``: ``alpha >= ||P E||`` and ``rho >= ||(I - P) E||``, exact."""

    alpha: arb
    rho: arb


def enclosures(proven: Bounds | None, rest: Residual, smaller: int, bits: int) -> tuple[Enclosure, ...]:
    """Steps 3 and 4: all ``smaller = min(N, M)`` singular values of ``A``, descending."""
    values = []
    zero = arb(0)
    with flint.ctx.workprec(bits + 10):
        if proven is not None:
            for below, above in zip(proven.lower, proven.upper, strict=True):
                lower = (below - rest.alpha).lower()
                upper = above + rest.alpha
                if rest.rho > 0:
                    upper = (upper * upper + rest.rho * rest.rho).sqrt()
                values.append((lower if lower > 0 else zero, upper.upper()))
        values += [(zero, rest.rho)] * (smaller - len(values))
        return tuple(Enclosure(dyadic(lower), dyadic(upper)) for lower, upper in values)
