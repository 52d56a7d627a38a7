"""Singular vectors of a graded matrix in float64, to high *relative* accuracy, whatever the range.

Input is ``R = D C`` with ``D = diag(2^e)`` and rows of ``C`` of length about 1. The left singular vectors ``V``
of ``R`` are graded, ``|V_ij|`` of the order of ``min(d_i, d_j) / max(d_i, d_j)``, and have to be: an error in
``V_ij`` weighs ``d_i`` in column ``j`` of ``R^T V``, whose length is only ``d_j``. One-sided Jacobi methods
deliver that (Demmel & Veselic, 1992; Drmac & Veselic, 2008): LAPACK's ``dgejsv`` while the range fits into
float64's exponents, else a Jacobi iteration that keeps the columns' lengths apart. Guesses only, to be verified.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.linalg.lapack
from jaxtyping import Float, Int

_LAPACK_RANGE = 900
"""Largest range, in bits, that is given to LAPACK; float64 itself ends at 2046."""
_SWEEPS = 40


@dataclass(frozen=True)
class FloatVectors:
    """``V`` in mixed scaling.

    Attributes:
        table: ``r x r``; ``V_ij 2^(e_i - f_j)`` where ``e_i >= f_j``, else ``V_ij``: all of moderate size.
        columns: the ``f_j``, binary exponents of the singular values, descending.
    """

    table: Float[np.ndarray, "r r"]
    columns: Int[np.ndarray, " r"]


def graded_vectors(unit: Float[np.ndarray, "r m"], rows: Int[np.ndarray, " r"]) -> FloatVectors:
    """Left singular vectors of ``diag(2^rows) unit``, rows in descending order of ``rows``.

    Rows that float64 cannot tell apart have no such guess: the identity is returned, for the certificate to refuse.
    """
    if rows[0] - rows[-1] <= _LAPACK_RANGE:
        found = _lapack(unit, rows)
        if found is not None:
            return found
    with np.errstate(all="ignore"):
        try:
            found = _split_jacobi(unit, rows)
        except scipy.linalg.LinAlgError:
            found = None
    if found is None or not np.isfinite(found.table).all():
        return FloatVectors(np.eye(len(rows)), np.asarray(rows))
    return found


def _lapack(unit: Float[np.ndarray, "r m"], rows: Int[np.ndarray, " r"]) -> FloatVectors | None:
    shift = rows[0] - 400
    tall = np.asfortranarray(np.ldexp(unit, (rows - shift)[:, None]).T)
    # joba "C": full relative accuracy; jobu, jobv: both wanted; jobr "N": keep columns below the safe range
    values, _, vectors, work, _, info = scipy.linalg.lapack.dgejsv(tall, joba=0, jobu=0, jobv=0, jobr=0)
    values = values * (work[0] / work[1])
    if info != 0 or not np.isfinite(vectors).all() or not (values > 0).all():
        return None
    columns = np.frexp(values)[1] + shift
    lift = rows[:, None] - columns[None, :]
    return FloatVectors(np.where(lift >= 0, np.ldexp(vectors, np.maximum(lift, 0)), vectors), columns)


def _split_jacobi(unit: Float[np.ndarray, "r m"], rows: Int[np.ndarray, " r"]) -> FloatVectors:
    """One-sided Jacobi on the columns of ``C^T D``: unit columns apart from their lengths, mantissa times ``2^e``."""
    r = len(rows)
    _, start = np.linalg.qr(unit.T)
    lengths = np.linalg.norm(start, axis=0)
    vectors = (start / lengths).T.copy()  # one column of C^T D a row
    mantissas, shifts = np.frexp(lengths)
    exponents = rows + shifts
    for _ in range(_SWEEPS):
        order = np.lexsort((-mantissas, -exponents))
        vectors, mantissas, exponents = vectors[order], mantissas[order], exponents[order]
        if _sweep(vectors, mantissas, exponents) < 4e-16 * np.sqrt(r):
            break
    order = np.lexsort((-mantissas, -exponents))
    vectors, mantissas, exponents = vectors[order], mantissas[order], exponents[order]
    # R^T V = U S read in two ways, each accurate in its own triangle: C^T (D V) = U S, and V = (R U) S^-1
    lift = rows[:, None] - exponents[None, :]
    upper = scipy.linalg.solve_triangular(start, vectors.T * mantissas[None, :], check_finite=False)
    lower = np.ldexp((start.T @ vectors.T) / mantissas[None, :], np.maximum(np.minimum(lift, 0), -1060))
    return FloatVectors(np.where(lift >= 0, upper, lower), exponents)


def _sweep(
    vectors: Float[np.ndarray, "r r"], mantissas: Float[np.ndarray, " r"], exponents: Int[np.ndarray, " r"]
) -> float:
    """Every pair once, in rounds of disjoint pairs; returns the largest cosine met."""
    r = len(mantissas)
    even = r + r % 2
    ring = np.arange(even)
    worst = 0.0
    for _ in range(even - 1):
        first, second = ring[: even // 2], ring[even // 2 :][::-1]
        keep = (first < r) & (second < r)
        a, b = first[keep], second[keep]
        swap = (exponents[a] < exponents[b]) | ((exponents[a] == exponents[b]) & (mantissas[a] < mantissas[b]))
        a, b = np.where(swap, b, a), np.where(swap, a, b)  # the longer and the shorter of each pair
        ratio = np.ldexp(mantissas[b] / mantissas[a], np.maximum(exponents[b] - exponents[a], -1060))
        x, y = vectors[a], vectors[b]
        cosine = np.einsum("ij,ij->i", x, y)
        worst = max(worst, float(np.abs(cosine).max(initial=0.0)))
        gap = 1 - ratio**2
        # tan = ratio * turn; the rotation of the unit columns needs only turn and ratio^2 * turn
        below = gap + np.hypot(gap, 2 * ratio * cosine)
        turn = np.divide(2 * cosine, below, out=np.zeros_like(below), where=below > 0)
        secant = np.sqrt(1 + (ratio * turn) ** 2)
        longer = x + (ratio**2 * turn)[:, None] * y
        shorter = y - turn[:, None] * x
        for index, new in ((a, longer), (b, shorter)):
            length = np.linalg.norm(new, axis=1)
            vectors[index] = new / length[:, None]
            mantissas[index], carry = np.frexp(mantissas[index] * length / secant)
            exponents[index] += carry
        ring = np.concatenate([ring[:1], ring[-1:], ring[1:-1]])
    return worst
