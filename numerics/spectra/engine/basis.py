"""A graded factorisation ``A = L R + E`` with proof, by block elimination; norms and scalings of ball matrices.

FLINT's precision is process-global: every function here that rounds takes ``bits`` and restores the caller's.

Row ``k`` of ``R`` (``r x M``) is about as long as the ``k``-th singular value and the columns of ``L`` (``N x r``)
are well conditioned, as Gaussian elimination with complete pivoting gives them (Demmel, Gu, Eisenstat, Slapnicar,
Veselic & Drmac, 1999, section 4). Pivots are chosen a panel at a time in float64, on what is left of A scaled to
size 1: columns by QR with column pivoting, rows by LU with partial pivoting; a panel ends where its pivots fall out
of float64's sight. The elimination itself is FLINT's, in balls. ``L`` and ``R`` are exact dyadics, so the identity is
a theorem however they were found; and as what is left shrinks, so does the precision it has to be held in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import flint
import numpy as np
import scipy.linalg
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


_PANEL = 64
"""Most columns of a panel: the inverse of its pivot block is a small part of the work."""
_DROP = 40
"""Largest dynamic range of a panel's pivots in bits: float64 must see them all."""
_SEEN = 900
"""Bits under the size expected at which float64 would underflow."""


@dataclass(frozen=True)
class Panel:
    """One block of ``L`` and ``R``.

    Attributes:
        rows: of A, to which the rows of ``left`` belong; ``L`` is zero on the others.
        columns: of A, to which the columns of ``right`` belong; ``R`` is zero on the others.
        left: ``len(rows) x b``, exact dyadics.
        right: ``b x len(columns)``, exact dyadics.
        sizes: binary exponents of the pivots, about those of the rows of ``right``; descending but for round-off.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    left: arb_mat
    right: arb_mat
    sizes: tuple[int, ...]


@dataclass
class GradedBasis:
    """``A = L R + E``; E is ``rest`` on ``rows`` and ``columns``, elsewhere of norm at most ``spill``.

    Attributes:
        shape: ``N, M``.
        rest: balls, what is left to be eliminated.
        rows: of A, to which ``rest`` belongs.
        columns: the same.
        bits: the precision of the entries.
        top: the ``level`` of A itself.
        level: binary exponent of the largest entry of ``rest``.
        noise: the same for its radii: what the precision in force cannot see.
        spill: exact upper bound of the Frobenius norm of E outside ``rest``.
        panels: of ``L`` and ``R``.
    """

    shape: tuple[int, int]
    rest: arb_mat
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    bits: int
    top: int
    level: int
    noise: int
    spill: arb = field(default_factory=lambda: arb(0))
    panels: list[Panel] = field(default_factory=list)

    @property
    def rank(self) -> int:
        """Columns of ``L``."""
        return sum(len(panel.sizes) for panel in self.panels)

    def sizes(self) -> list[int]:
        """Binary exponents of all pivots."""
        return [size for panel in self.panels for size in panel.sizes]

    def left(self) -> arb_mat:
        """``L``, ``N x r``."""
        rows: list[list[arb]] = [[] for _ in range(self.shape[0])]
        for panel in self.panels:
            place = dict(zip(panel.rows, panel.left.tolist(), strict=True))
            nothing = [arb(0)] * len(panel.sizes)
            for i, row in enumerate(rows):
                row.extend(place.get(i, nothing))
        return arb_mat(self.shape[0], self.rank, [x for row in rows for x in row])

    def right(self) -> list[list[arb]]:
        """The rows of ``R``."""
        result = []
        for panel in self.panels:
            for row in panel.right.tolist():
                full = [arb(0)] * self.shape[1]
                for k, x in zip(panel.columns, row, strict=True):
                    full[k] = x
                result.append(full)
        return result

    def residual(self) -> arb_mat:
        """``rest`` in its place in an ``N x M`` matrix of zeros."""
        if not self.panels:
            return self.rest
        full = [[arb(0)] * self.shape[1] for _ in range(self.shape[0])]
        for i, row in zip(self.rows, self.rest.tolist(), strict=True):
            for k, x in zip(self.columns, row, strict=True):
                full[i][k] = x
        return arb_mat(*self.shape, [x for row in full for x in row])


def begin(matrix: arb_mat, bits: int) -> GradedBasis:
    """The empty factorisation of ``matrix`` (``N x M`` balls of about ``bits`` bits, ``N <= M``)."""
    rows, columns = matrix.nrows(), matrix.ncols()
    level = middle_exponent(matrix)
    noise = max(_noise(matrix), level - bits)
    return GradedBasis((rows, columns), matrix, tuple(range(rows)), tuple(range(columns)), bits, level, level, noise)


def extend(basis: GradedBasis, accuracy: int, enough: Callable[[GradedBasis], bool] | None = None) -> None:
    """Add panels until ``r = N``, ``enough`` says so, or what is left comes within ``accuracy`` bits of the noise.

    Every pivot that is taken had ``accuracy`` good bits when it was.
    """
    while basis.rows and basis.level > NO_BITS:
        table = _floats(basis)
        if table is None:
            return
        basis.noise = max(_noise(basis.rest), basis.top - basis.bits)  # exact entries have no radius; bits are finite
        if basis.level <= basis.noise + accuracy or (enough is not None and enough(basis)):
            return
        found = _pivots(table, basis.noise + accuracy - basis.level)
        if found is None:
            return
        _eliminate(basis, *found)


def _noise(matrix: arb_mat) -> int:
    """Binary exponent of the largest sum of radii in a row, less the share of one entry of many equal ones."""
    sums = (matrix - matrix.mid()) * constant_matrix(matrix.ncols(), 1, 0)
    widest = exponent(max(x.rad() for x in sums.entries()))
    return widest - matrix.ncols().bit_length() + 1 if widest > NO_BITS else NO_BITS


def _floats(basis: GradedBasis) -> Float[np.ndarray, "n m"] | None:
    """The midpoints of what is left, scaled to size 1, and their size noted; ``None`` where nothing is left."""
    rest = basis.rest.mid()
    shape = rest.nrows(), rest.ncols()
    table = np.array(list(map(float, (rest * power_of_two(-basis.level)).entries()))).reshape(shape)
    size = float(np.abs(table).max())
    if not 2.0**-_SEEN < size < 2.0**_SEEN:
        basis.level = middle_exponent(rest)
        if basis.level == NO_BITS:  # nothing but radii is left, or nothing at all
            basis.level = _noise(basis.rest)
            basis.noise = max(basis.level, basis.top - basis.bits)
            return None
        return np.array(list(map(float, (rest * power_of_two(-basis.level)).entries()))).reshape(shape)
    shift = int(np.frexp(size)[1])
    basis.level += shift
    return np.asarray(np.ldexp(table, -shift))


def _pivots(
    table: Float[np.ndarray, "n m"], lowest: int
) -> tuple[list[int], list[int], Float[np.ndarray, "b b"], list[int]] | None:
    """Pivot rows and columns in order, the inverse of their upper factor, and the pivots' binary exponents.

    Only pivots above ``2^lowest`` and within the range of a panel; ``None`` where there is none.
    """
    triangle, order = scipy.linalg.qr(table, mode="r", pivoting=True, check_finite=False)
    sizes = np.abs(np.diagonal(triangle))
    limit = max(float(np.ldexp(1.0, max(lowest, -1000))), float(sizes[0]) * 2.0**-_DROP)
    below = np.flatnonzero(sizes < limit)
    count = min(_PANEL, int(below[0]) if len(below) else len(sizes))
    columns = [int(k) for k in order[:count]]
    if not count:
        return None
    factor, swaps = scipy.linalg.lu_factor(table[:, columns], check_finite=False)
    rows = np.arange(table.shape[0])
    for i, k in enumerate(swaps[:count]):
        rows[[i, k]] = rows[[k, i]]
    upper = np.triu(factor[:count])
    if not (np.abs(np.diagonal(upper)) > 0).all():
        return None
    inverse = scipy.linalg.solve_triangular(upper, np.eye(count), check_finite=False)
    exponents = np.frexp(np.abs(upper).max(axis=1))[1]
    return [int(i) for i in rows[:count]], columns, inverse, [int(e) for e in exponents]


def _eliminate(
    basis: GradedBasis,
    rows: Sequence[int],
    columns: Sequence[int],
    inverse: Float[np.ndarray, "b b"],
    sizes: Sequence[int],
) -> None:
    """One block step: ``L_k = S[:, columns] P``, ``R_k = L_k[rows]^-1 S[rows, :]``, ``S - L_k R_k`` in balls."""
    bits = basis.level - basis.noise + 24
    b = len(columns)
    table = basis.rest.mid().tolist()
    height, width = len(basis.rows), len(basis.columns)
    with flint.ctx.workprec(bits + 2 * _DROP):
        chosen = arb_mat(height, b, [row[k] for row in table for k in columns])
        left = rounded(chosen * from_floats(inverse) * power_of_two(-basis.level), bits).mid()
    lines = left.tolist()
    with flint.ctx.workprec(bits + 16):
        corner = arb_mat(b, b, [x for i in rows for x in lines[i]]).inv().mid()
        right = (corner * arb_mat(b, width, [x for i in rows for x in table[i]])).mid()
    with flint.ctx.workprec(bits):
        lines = (basis.rest - left * right).tolist()
    gone, done = set(rows), set(columns)
    kept = [k for k in range(width) if k not in done]
    spilt = [x for i in rows for x in lines[i]]
    others = [(i, line) for i, line in enumerate(lines) if i not in gone]
    spilt += [line[k] for _, line in others for k in columns]
    with flint.ctx.workprec(40):
        lost = frobenius_upper(spilt)
        basis.spill = (basis.spill * basis.spill + lost * lost).sqrt().upper()
    basis.panels.append(
        Panel(basis.rows, basis.columns, left, right, tuple(basis.level + size for size in sizes)),
    )
    basis.rest = arb_mat(len(others), len(kept), [line[k] for _, line in others for k in kept])
    basis.rows = tuple(basis.rows[i] for i, _ in others)
    basis.columns = tuple(basis.columns[k] for k in kept)
    basis.level += min(sizes)


def rest_upper(basis: GradedBasis) -> arb:
    """An exact upper bound of ``||E||_2``."""
    with flint.ctx.workprec(40):
        return (norm_upper(basis.rest) + basis.spill).upper()
