"""Small operations on FLINT ball matrices: exponents, scalings by powers of two, norms rounded upward.

FLINT's precision is process-global: every function here that rounds takes ``bits`` and restores the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import flint
import numpy as np
from flint import arb, arb_mat
from jaxtyping import Float

EXACT = 1 << 24
"""A precision at which products of exact dyadics are not rounded (their cost is that of the product alone)."""
NO_BITS = -(10**9)
"""Stands for the binary exponent of zero."""


def exponent(ball: arb) -> int:
    """The ``e`` with ``2^(e-1) <= |m| < 2^e`` for the midpoint ``m`` of the ball."""
    mantissa, power = ball.mid().man_exp()
    size = abs(int(mantissa)).bit_length()
    return int(power) + size if size else NO_BITS


def middle_exponent(matrix: arb_mat) -> int:
    """Binary exponent of the largest midpoint."""
    return exponent(max(map(abs, matrix.mid().entries())))


def power_of_two(power: int) -> arb:
    """``2^power`` exactly."""
    return arb((1, power))


def rounded(matrix: arb_mat, bits: int) -> arb_mat:
    """Balls of ``bits`` bits (relative, entry by entry) that contain the entries."""
    with flint.ctx.workprec(bits):
        return matrix * arb(1)


def constant_matrix(rows: int, columns: int, power: int) -> arb_mat:
    """All entries ``2^power``."""
    return _ones(rows, columns) * power_of_two(power)


@lru_cache(maxsize=64)
def _ones(rows: int, columns: int) -> arb_mat:
    return arb_mat(rows, columns, [1] * (rows * columns))


@lru_cache(maxsize=64)
def _identity(n: int) -> arb_mat:
    return arb_mat(n, n, [int(i % (n + 1) == 0) for i in range(n * n)])


def fixed_point(matrix: arb_mat, bits: int, top: int) -> arb_mat:
    """Balls that contain the entries (all below ``2^top``), rounded to multiples of about ``2^(top-bits)``.

    Adding and subtracting ``2^(top+2)`` drops the low bits of *small* entries too, which keeps FLINT's
    matrix product on its fast path of a single common exponent.
    """
    with flint.ctx.workprec(bits + 3):
        big = constant_matrix(matrix.nrows(), matrix.ncols(), top + 2)
        return (matrix + big) - big


def frobenius_upper(entries: Sequence[arb]) -> arb:
    """An exact upper bound of the root of the sum of squares of ``entries``.

    A sequence, not a generator: its terms must be evaluated in the caller's precision, not in this one.
    """
    with flint.ctx.workprec(40):
        total = arb(0)
        for x in entries:
            total = total + x * x
        return total.abs_upper().sqrt().upper()


def row_sums_upper(matrix: arb_mat, factors: Sequence[arb] | None = None) -> arb:
    """An exact upper bound of ``||A||_inf``, the largest row sum of absolute values; nan unless all are finite.

    With ``factors``, of ``||diag(factors) A||_inf``.
    """
    with flint.ctx.workprec(40):
        # times [-1, 1] every entry becomes a ball about 0 with its absolute value for a radius
        sums = ((matrix * arb(0, 1)) * _ones(matrix.ncols(), 1)).entries()
        if factors is not None:
            sums = [x * f for x, f in zip(sums, factors, strict=True)]
        if not all(x.is_finite() for x in sums):  # max would pass over a nan
            return arb.nan()
        return max((x.abs_upper() for x in sums), default=arb(0))


def norm_upper(matrix: arb_mat) -> arb:
    """An exact upper bound of ``||A||_2``: the root of ``||A||_1 ||A||_inf``."""
    if not (matrix.nrows() and matrix.ncols()):
        return arb(0)
    with flint.ctx.workprec(40):
        return (row_sums_upper(matrix) * row_sums_upper(matrix.transpose())).sqrt().upper()


def identity_defect(gram: arb_mat) -> arb:
    """An exact upper bound of ``||G - I||_2`` for symmetric G (of ``||G - I||_inf`` for any)."""
    return row_sums_upper(gram - _identity(gram.ncols()))


def from_floats(matrix: Float[np.ndarray, "n m"]) -> arb_mat:
    """The float64 entries, exactly."""
    return arb_mat(matrix.shape[0], matrix.shape[1], matrix.ravel().tolist())
