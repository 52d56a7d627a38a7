"""Singular vectors of a graded matrix to high *relative* accuracy, and the proof of the singular values in balls.

Input is ``R = D C`` with ``D = diag(2^e)`` and rows of ``C`` of length about 1. The left singular vectors ``V``
of ``R`` are graded, ``|V_ij|`` of the order of ``min(d_i, d_j) / max(d_i, d_j)``, and have to be: an error in
``V_ij`` weighs ``d_i`` in column ``j`` of ``R^T V``, whose length is only ``d_j``. One-sided Jacobi methods
deliver that (Demmel & Veselic, 1992; Drmac & Veselic, 2008): LAPACK's ``dgejsv`` while the range fits into
float64's exponents, else a Jacobi iteration that keeps the columns' lengths apart. Guesses only, to be verified.

The approximate vectors ``V`` are exact numbers, kept in mixed scaling. From such a factorisation to proven singular
values every inequality is evaluated in balls:

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

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import flint
import numpy as np
import scipy.linalg
import scipy.linalg.lapack
from flint import arb, arb_mat
from jaxtyping import Float, Int

from numerics.arithmetic.balls import Enclosure, dyadic
from numerics.spectra.engine.basis import EXACT, fixed_point, from_floats, identity_defect, power_of_two, row_sums_upper

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
