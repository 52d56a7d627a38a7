"""Small operations on FLINT ball matrices: exponents, scalings by powers of two, norms rounded upward.

FLINT's precision is process-global: every function here that rounds takes ``bits`` and restores the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def fixed_point(matrix: arb_mat, bits: int, top: int) -> arb_mat:
    """Balls that contain the entries (all below ``2^top``), rounded to multiples of about ``2^(top-bits)``.

    Adding and subtracting ``2^(top+2)`` drops the low bits of *small* entries too, which keeps FLINT's
    matrix product on its fast path of a single common exponent.
    """
    rows, columns = matrix.nrows(), matrix.ncols()
    with flint.ctx.workprec(bits + 3):
        big = arb_mat(rows, columns, [power_of_two(top + 2)] * (rows * columns))
        return (matrix + big) - big


def frobenius_upper(entries: Sequence[arb]) -> arb:
    """An exact upper bound of the root of the sum of squares of ``entries``.

    A sequence, not a generator: its terms must be evaluated in the caller's precision, not in this one.
    """
    with flint.ctx.workprec(40):
        total = arb(0)
        for x in entries:
            size = x.abs_upper()
            total = total + size * size
        return total.sqrt().upper()


def identity_defect(gram: arb_mat) -> arb:
    """An exact upper bound of ``||G - I||_F``."""
    n = gram.ncols()
    return frobenius_upper([x - 1 if i % (n + 1) == 0 else x for i, x in enumerate(gram.entries())])


def from_floats(matrix: Float[np.ndarray, "n m"]) -> arb_mat:
    """The float64 entries, exactly."""
    return arb_mat(matrix.shape[0], matrix.shape[1], matrix.ravel().tolist())


def stacked_rows(blocks: Sequence[arb_mat]) -> list[list[arb]]:
    """The rows of all ``blocks``, one under the other."""
    return [row for block in blocks for row in block.tolist()]


def side_by_side(blocks: Sequence[arb_mat]) -> arb_mat:
    """The blocks of equal height as one matrix."""
    tables = [block.tolist() for block in blocks]
    rows = blocks[0].nrows()
    flat = [x for i in range(rows) for table in tables for x in table[i]]
    return arb_mat(rows, len(flat) // rows, flat)
