"""A graded factorisation ``A = Q R + E`` with proof, by panels of random combinations of columns.

``Q`` (``N x r``) is nearly orthonormal, row ``k`` of ``R`` (``r x M``) is about as long as the ``k``-th singular
value, and the residual ``E`` is what FLINT's ball arithmetic leaves of ``A - Q R``. ``Q`` and ``R`` are exact
dyadics, so the identity is a theorem however they were found. Each panel is the range of the residual times
random integers (Halko, Martinsson & Tropp, 2011, section 4), which finds the range that is left in order of
size; as the residual shrinks, so does the precision it has to be held in.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import flint
from flint import arb_mat

from numerics.engine.balls import NO_BITS, exponent, rounded
from numerics.engine.panel import orthonormalising_factor

_PANEL = 64
"""Columns of a panel: FLINT's product is slow for thinner matrices."""
_DROP = 192
"""Largest dynamic range of a panel in bits: orthonormalising costs twice that in extra precision."""
_SKETCH_BITS = 4
"""Bits of the random odd integers; ±1 alone would hit singular sketches of tiny matrices too often."""


@dataclass
class GradedBasis:
    """``A = sum_i Q_i R_i + E``.

    Attributes:
        left: the panels ``Q_i`` (``N x b_i``), exact dyadics.
        right: the panels ``R_i`` (``b_i x M``), exact dyadics.
        residual: the balls ``E`` (``N x M``).
        bits: the precision of the entries.
        top: the ``level`` of ``A`` itself.
        level: binary exponent of the residual's size, as its random combinations of columns have it.
        noise: the same for its radii: what the precision in force cannot see.
    """

    residual: arb_mat
    bits: int
    top: int
    level: int
    noise: int
    left: list[arb_mat] = field(default_factory=list)
    right: list[arb_mat] = field(default_factory=list)

    @property
    def rank(self) -> int:
        """Columns of ``Q``."""
        return sum(block.ncols() for block in self.left)


def begin(matrix: arb_mat, bits: int) -> GradedBasis:
    """The empty factorisation of ``matrix`` (``N x M`` balls of about ``bits`` bits, ``N <= M``)."""
    with flint.ctx.workprec(bits):
        level, noise = _sizes(matrix * _sketch(matrix.ncols(), 2, random.Random(1)))
    return GradedBasis(matrix, bits, level, level, max(noise, level - bits))


def extend(basis: GradedBasis, accuracy: int, enough: Callable[[GradedBasis], bool] | None = None) -> None:
    """Add panels until ``r = N``, ``enough`` says so, or the residual comes within ``accuracy`` bits of the noise.

    Every direction that is added had ``accuracy`` good bits when it was.
    """
    rows, columns = basis.residual.nrows(), basis.residual.ncols()
    source = random.Random(20240514)
    while basis.rank < rows and basis.level > NO_BITS:
        bits = max(basis.level - basis.noise, accuracy) + 24
        with flint.ctx.workprec(bits):
            combined = basis.residual * _sketch(columns, min(_PANEL, rows - basis.rank), source)
        basis.level, noise = _sizes(combined)
        basis.noise = max(noise, basis.top - basis.bits)  # exact entries have no radius, but bits are finite
        if basis.level <= basis.noise + accuracy or (enough is not None and enough(basis)):
            return
        combined = combined.mid()
        bits = max(basis.level - basis.noise, accuracy) + 24
        floor = max(basis.noise + accuracy, basis.level - _DROP)
        work = bits + 2 * (basis.level - floor)
        with flint.ctx.workprec(work):
            gram = combined.transpose() * combined
        found = orthonormalising_factor(gram, floor, work)
        if found is None:
            return
        factor, last = found
        with flint.ctx.workprec(bits + basis.level - last + 16):
            left = combined * rounded(factor, bits + basis.level - last + 16).mid()
        with flint.ctx.workprec(bits):
            left = rounded(left, bits).mid()
            right = (left.transpose() * basis.residual.mid()).mid()
            basis.residual = basis.residual - left * right
        basis.level = last
        basis.left.append(left)
        basis.right.append(right)


def _sketch(rows: int, columns: int, source: random.Random) -> arb_mat:
    integers = [2 * source.getrandbits(_SKETCH_BITS) + 1 - (1 << _SKETCH_BITS) for _ in range(rows * columns)]
    return arb_mat(rows, columns, integers)


def _sizes(combined: arb_mat) -> tuple[int, int]:
    """Binary exponents of the largest midpoint and of the largest radius (in two columns: all rows count)."""
    few = [x for row in combined.tolist() for x in row[:2]]
    return exponent(max(abs(x.mid()) for x in few)), exponent(max(x.rad() for x in few))
