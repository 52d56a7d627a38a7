"""Orthonormal columns for the left factor, without leaving its grading: ``A = (L T^-1)(T R) + E``.

``T`` and ``G``, its inverse nearly, are upper triangular, so that row ``k`` of ``T R`` mixes row ``k`` of R with
*later*, shorter rows alone and stays as graded as it was. Both are exact dyadics: first QR in float64, and where more
bits are asked a quadratically convergent correction, the upper half of ``(L G)^T L G - I``. With upper bounds

    delta >= ||(L G)^T L G - I||,   phi >= ||T G - I||,   both below 1,

the singular values of ``L T^-1 = (L G)(T G)^-1`` lie in ``[sqrt(1-delta)/(1+phi), sqrt(1+delta)/(1-phi)]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import flint
import numpy as np
import scipy.linalg
from flint import arb, arb_mat

from numerics.engine.balls import fixed_point, from_floats, identity_defect, power_of_two

_ROUNDS = 16
_TOP = 2
"""Binary exponent that the triangles' entries hardly exceed; larger ones cost time, no accuracy."""


@dataclass(frozen=True)
class Triangles:
    """``T`` and ``G`` (``r x r``, upper triangular, exact dyadics) with ``delta_Q``.

    The squares of the singular values of ``L T^-1`` are proven to lie in ``[1 - delta, 1 + delta]``.
    """

    forward: arb_mat
    inverse: arb_mat
    delta: arb


def float_triangles(left: arb_mat) -> tuple[arb_mat, arb_mat] | None:
    """``T`` and ``G`` from QR in float64, as exact dyadics; ``None`` for dependent columns."""
    n, r = left.nrows(), left.ncols()
    table = np.array(list(map(float, left.entries()))).reshape(n, r)
    upper = np.triu(np.linalg.qr(table, mode="r"))
    if not (np.abs(np.diagonal(upper)) > 0).all():
        return None
    inverse = scipy.linalg.solve_triangular(upper, np.eye(r), check_finite=False)
    return from_floats(upper), from_floats(np.triu(inverse))


def triangles(left: arb_mat, guess: tuple[arb_mat, arb_mat], wanted: int, bits: int) -> Triangles | None:
    """``T`` and ``G`` for ``left`` (``N x r``, exact, entries of about 1), with ``delta_Q`` below ``2^-wanted``.

    Starts from a guess of both. Products are made with at most ``bits`` bits; what they allow is returned where that
    is less than wanted, ``None`` where nothing is proven.
    """
    forward, inverse = guess
    work = min(bits, 60)
    best: arb | None = None
    for _ in range(_ROUNDS):
        gram = _gram(left, inverse, work)
        with flint.ctx.workprec(work + 10):
            product = fixed_point(forward, work, _TOP) * fixed_point(inverse, work, _TOP)
            delta, phi = identity_defect(gram), identity_defect(product)
            total = _combined(delta, _symmetric(product, phi))
            if total is not None and (total < power_of_two(-wanted) or (best is not None and not total < best / 4)):
                return Triangles(forward, inverse, total)
            best = total
        work = min(bits, 2 * work)
        with flint.ctx.workprec(work + 10):
            gram = _gram(left, inverse, work)
            half = _upper_half(gram)
            inverse = (inverse - inverse * half).mid()
            forward = (forward + half * forward).mid()
            for _ in range(2):
                forward = (forward + forward - forward * inverse * forward).mid()
            forward, inverse = _triangular(forward), _triangular(inverse)
    return None


def orthonormal_columns(left: arb_mat, inverse: arb_mat, bits: int) -> arb_mat:
    """Balls that contain ``L G``."""
    return fixed_point(left, bits, 0) * fixed_point(inverse, bits, _TOP)


def _gram(left: arb_mat, inverse: arb_mat, bits: int) -> arb_mat:
    with flint.ctx.workprec(bits + 10):
        columns = fixed_point(orthonormal_columns(left, inverse, bits), bits, 0)
        return columns.transpose() * columns


def _combined(delta: arb, phi: arb) -> arb | None:
    """The larger deviation from 1 of the bounds on the squares of the singular values of ``L T^-1``."""
    if not (delta < 1 and phi < 1):
        return None
    high = (1 + delta) / ((1 - phi) * (1 - phi)) - 1
    low = 1 - (1 - delta) / ((1 + phi) * (1 + phi))
    return high.max(low).upper()


def _symmetric(product: arb_mat, rows: arb) -> arb:
    """``sqrt(||F||_1 ||F||_inf)`` for ``F = T G - I``, which is not symmetric."""
    return (rows * identity_defect(product.transpose())).sqrt().upper()


def _upper_half(gram: arb_mat) -> arb_mat:
    """The strict upper triangle of ``H = gram - I`` and half of its diagonal (midpoints): ``U + U^T = H``."""
    r = gram.ncols()
    rows = gram.mid().tolist()
    zero = arb(0)
    return arb_mat(
        r, r, [x if j > i else (x - 1) / 2 if j == i else zero for i, row in enumerate(rows) for j, x in enumerate(row)]
    ).mid()


def _triangular(matrix: arb_mat) -> arb_mat:
    r = matrix.ncols()
    zero = arb(0)
    return arb_mat(r, r, [x if j >= i else zero for i, row in enumerate(matrix.tolist()) for j, x in enumerate(row)])
