"""Exact approximate singular vectors ``V`` of the graded factor ``R``, kept in mixed scaling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import flint
import numpy as np
from flint import arb_mat

from numerics.engine.balls import EXACT, exponent, from_floats, power_of_two, stacked_rows
from numerics.engine.basis import GradedBasis
from numerics.engine.jacobi import FloatVectors, graded_vectors

_power = lru_cache(maxsize=1 << 16)(power_of_two)


@dataclass(frozen=True)
class GradedRows:
    """The rows of ``R``, longest first, scaled to unit size.

    Attributes:
        table: ``2^(-e_i) R_i``, exact dyadics.
        exponents: the ``e_i``, descending.
        order: row ``i`` here is row ``order[i]`` of the basis' stacked panels.
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


def graded_rows(basis: GradedBasis) -> GradedRows:
    """Rows of ``R`` sorted and scaled."""
    rows = stacked_rows(basis.right)
    sizes = [exponent(max(map(abs, row))) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: -sizes[i])
    with flint.ctx.workprec(EXACT):
        scaled = [x * _power(-sizes[i]) for i in order for x in rows[i]]
    return GradedRows(arb_mat(len(rows), len(rows[0]), scaled), tuple(sizes[i] for i in order), tuple(order))


def first_vectors(rows: GradedRows) -> GradedVectors:
    """The float64 guess of ``V``, as exact dyadics."""
    unit = np.array([float(x) for x in rows.table.entries()]).reshape(rows.table.nrows(), rows.table.ncols())
    found: FloatVectors = graded_vectors(unit, np.array(rows.exponents))
    return GradedVectors(from_floats(found.table), rows.exponents, tuple(int(f) for f in found.columns))


def left_factor(basis: GradedBasis, rows: GradedRows) -> arb_mat:
    """``Q`` with its columns in the order of ``rows``."""
    stacked = stacked_rows([block.transpose() for block in basis.left])
    return arb_mat(len(stacked), len(stacked[0]), [x for i in rows.order for x in stacked[i]]).transpose()


def left_vectors(q: arb_mat, vectors: GradedVectors, bits: int) -> arb_mat:
    """``X = Q (Q^T Q)^-1 V`` rounded to exact dyadics: approximate left singular vectors of ``A``, ``N x r``.

    ``A^T X = R^T V + E^T X`` is then as graded as ``R^T V``, however little ``Q`` is orthonormal.
    """
    with flint.ctx.workprec(bits):
        gram = (q.transpose() * q).mid()
        return (q * gram.solve(vectors.plain().mid()).mid()).mid()
