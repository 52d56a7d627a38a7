"""Exact approximate singular vectors ``V`` of the graded factor ``R``, kept in mixed scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import flint
import numpy as np
from flint import arb, arb_mat

from numerics.engine.balls import EXACT, fixed_point, from_floats, power_of_two
from numerics.engine.jacobi import FloatVectors, graded_vectors

_power = lru_cache(maxsize=1 << 16)(power_of_two)


@dataclass(frozen=True)
class GradedRows:
    """The rows of ``T R``, longest first, scaled to unit size.

    Attributes:
        table: balls that contain ``2^(-e_i) (T R)_i``.
        exponents: the ``e_i``, descending.
        order: row ``i`` here is row ``order[i]`` of ``T R``.
    """

    table: arb_mat
    exponents: tuple[int, ...]
    order: tuple[int, ...]


@dataclass(frozen=True)
class GradedVectors:
    """``V`` (``r x r``), exact: ``table_ij = V_ij 2^(e_i - f_j)`` where ``e_i >= f_j``, else ``V_ij``."""

    table: arb_mat
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def plain(self) -> arb_mat:
        """``V`` exactly."""
        return self._shifted([-lift if lift > 0 else 0 for lift in self._lifts()])

    def scaled(self) -> arb_mat:
        """``V_ij 2^(e_i - f_j)`` exactly."""
        return self._shifted([lift if lift < 0 else 0 for lift in self._lifts()])

    def _shifted(self, powers: list[int]) -> arb_mat:
        with flint.ctx.workprec(EXACT):
            r = len(self.rows)
            pairs = zip(self.table.entries(), powers, strict=True)
            return arb_mat(r, r, [x * _power(power) if power else x for x, power in pairs])

    def _lifts(self) -> list[int]:
        return [row - column for row in self.rows for column in self.columns]

    @staticmethod
    def mixed(plain: arb_mat, scaled: arb_mat, rows: tuple[int, ...], columns: tuple[int, ...]) -> GradedVectors:
        """The two forms of one ``V`` put together, each where it is the accurate one."""
        lifts = [row - column for row in rows for column in columns]
        chosen = [b if lift >= 0 else a for a, b, lift in zip(plain.entries(), scaled.entries(), lifts, strict=True)]
        return GradedVectors(arb_mat(len(rows), len(columns), chosen).mid(), rows, columns)


def graded_rows(right: Sequence[Sequence[arb]], sizes: Sequence[int], forward: arb_mat, bits: int) -> GradedRows:
    """Rows of ``T R`` to about ``bits`` bits each, sorted and scaled; ``sizes`` are about the exponents of R's."""
    r, width = len(right), len(right[0])
    with flint.ctx.workprec(bits + 10):
        unit = arb_mat(r, width, [x * _power(-e) for row, e in zip(right, sizes, strict=True) for x in row])
        lifted = [
            x * _power(sizes[j] - sizes[i]) if j != i else x
            for i, row in enumerate(forward.tolist())
            for j, x in enumerate(row)
        ]
        mixer = arb_mat(r, r, lifted)
        matrix = fixed_point(mixer, bits, 2) * fixed_point(unit, bits, 1)
        product = matrix.tolist()
        floats = np.array(list(map(float, matrix.mid().entries()))).reshape(r, width)
        shifts = [int(e) for e in np.frexp(np.abs(floats).max(axis=1))[1]]
        found = [size + shift for size, shift in zip(sizes, shifts, strict=True)]
        order = sorted(range(r), key=lambda i: -found[i])
        scaled = [x * _power(-shifts[i]) for i in order for x in product[i]]
    return GradedRows(arb_mat(r, width, scaled), tuple(found[i] for i in order), tuple(order))


def first_vectors(rows: GradedRows) -> GradedVectors:
    """The float64 guess of ``V``, as exact dyadics."""
    unit = np.array([float(x) for x in rows.table.entries()]).reshape(rows.table.nrows(), rows.table.ncols())
    found: FloatVectors = graded_vectors(unit, np.array(rows.exponents))
    return GradedVectors(from_floats(found.table), rows.exponents, tuple(int(f) for f in found.columns))


def left_vectors(left: arb_mat, forward: arb_mat, rows: GradedRows, vectors: GradedVectors, bits: int) -> arb_mat:
    """``X = L (L^T L)^-1 T^T V`` rounded to exact dyadics: approximate left singular vectors of ``A``, ``N x r``.

    ``A^T X = (T R)^T V + E^T X`` is then as graded as ``(T R)^T V``, however little ``L T^-1`` is orthonormal.
    """
    r = len(rows.order)
    with flint.ctx.workprec(bits):
        table = vectors.plain().tolist()
        place = {k: i for i, k in enumerate(rows.order)}
        plain = arb_mat(r, r, [x for k in range(r) for x in table[place[k]]])
        gram = (left.transpose() * left).mid()
        return (left * gram.solve((forward.transpose() * plain).mid()).mid()).mid()
