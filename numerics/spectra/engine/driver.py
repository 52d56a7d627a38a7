"""Certified singular values to any number of digits, and eigenvalues of positive semidefinite matrices.

Precision is chosen, raised and capped here.  Eigenvalues come from the same engine, their signs proven.  The singular values of a symmetric ``K`` are the ``|lambda|``. That the ``r`` resolved ones are eigenvalues, and
positive, is proven separately: with ``X`` (``N x r``) exact, ``delta >= ||X^T X - I|| < 1``, ``S = X^T K X`` and
``eta >= ||D^-1 S D^-1 - I|| < 1`` for a positive diagonal ``D``, Ostrowski's theorem (Horn & Johnson, 2013,
theorem 4.5.9) and Courant-Fischer give ``lambda_r(K) >= min_j d_j^2 (1 - eta) / (1 + delta) > 0``. If that is
above the bound of all other singular values, the ``r`` largest eigenvalues are the ``r`` largest singular values.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from flint import arb, arb_mat
from jaxtyping import Float

from numerics.arithmetic.balls import Enclosure, to_ball
from numerics.spectra.engine.basis import (
    EXACT,
    NO_BITS,
    GradedBasis,
    begin,
    extend,
    fixed_point,
    frobenius_upper,
    identity_defect,
    norm_upper,
    power_of_two,
    row_sums_upper,
)
from numerics.spectra.engine.refine import Triangles, float_triangles, refined, separate, triangles
from numerics.spectra.engine.vectors import (
    GradedRows,
    GradedVectors,
    Residual,
    bounds,
    enclosures,
    first_vectors,
    graded_rows,
    grams,
    left_vectors,
)
from theory.base.errors import InputError, PrecisionCapError

BallEntries = Callable[[int], arb_mat]
"""The matrix as balls at a working precision in bits; the balls must shrink as that grows."""

STALL_BITS = 2400
"""Without a floor, a rank that no longer grows is accepted at this precision (about ``10^-700 sigma_1``)."""
CAP_BITS = 20_000
_ROUNDS = 12


@dataclass(frozen=True)
class CertifiedSpectrum:
    """Proven enclosures of all singular values.

    Attributes:
        values: all ``min(N, M)`` singular values, descending; those beyond ``rank`` are ``[0, rest_upper]``.
        rest_upper: an upper bound of every singular value beyond ``rank`` (0 where there are none).
        rank: how many values are resolved to the digits asked.
        working_digits: decimal digits of the entries used.
        seconds: wall time, entries included.
        entries_seconds: the part spent in the caller's ``entries``.
        proof_seconds: the part spent on bounds that only the proof needs.
    """

    values: tuple[Enclosure, ...]
    rest_upper: Fraction
    rank: int
    working_digits: int
    seconds: float
    entries_seconds: float
    proof_seconds: float


@dataclass(frozen=True)
class Factors:
    """``A = L R + E`` with orthonormalising triangles and graded vectors; see :mod:`numerics.spectra.engine.vectors`.

    Attributes:
        left: ``L``, exact.
        forward: ``T``, exact.
        rows: the rows of ``T R``, sorted and scaled.
        vectors: the graded ``V``; ``X = L T^-1 V`` approximates the left singular vectors.
    """

    left: arb_mat
    forward: arb_mat
    rows: GradedRows
    vectors: GradedVectors

    def left_vectors(self, bits: int) -> arb_mat:
        """``X``, rounded to exact dyadics."""
        return left_vectors(self.left, self.forward, self.rows, self.vectors, bits)


@dataclass(frozen=True)
class Factorisation:
    """An exact factorisation with what is proven of it; does not pickle.

    Attributes:
        matrix: the balls ``A``, ``N <= M`` (the transpose of the caller's matrix where ``transposed``).
        factors: ``None`` for rank 0.
        values: enclosures of all ``N`` singular values of ``A``.
        rank: how many of them are resolved.
        bits: working precision of the entries.
        accuracy: relative bits kept by the factors.
    """

    matrix: arb_mat
    transposed: bool
    factors: Factors | None
    values: tuple[Enclosure, ...]
    rank: int
    bits: int
    accuracy: int


def certified_singular_values(
    entries: BallEntries,
    digits: int = 12,
    floor: Fraction | None = None,
    cap_bits: int = CAP_BITS,
    probe: Float[np.ndarray, "n m"] | None = None,
) -> CertifiedSpectrum:
    """Enclosures of relative width at most ``10^(1-digits)``, proven in ball arithmetic.

    Args:
        entries: ``entries(bits)`` is the ``N x M`` ball matrix at that working precision.
        digits: decimal digits asked.
        floor: relative to ``sigma_1``; smaller values are bounded, not resolved. Without it, values are
            resolved as far as the precision cap; a rank that stops growing is accepted at ``STALL_BITS``.
        cap_bits: largest working precision.
        probe: a float64 matrix whose singular values fall about as fast, from which the first precision is guessed;
            without it the entries are asked for at 64 bits.

    Raises:
        InputError: ``digits`` below 1, a floor outside (0, 1), an empty matrix, entries that are not finite.
        PrecisionCapError: the digits are not reached at the cap; the message says what is needed.

    >>> ones = lambda bits: arb_mat(2, 3, [1, 1, 1, 1, 1, 1])
    >>> found = certified_singular_values(ones)
    >>> found.rank, found.values[0].decimals(8), found.rest_upper < Fraction(1, 10**600)
    (1, {'lower': '2.4494897', 'upper': '2.4494898'}, True)
    """
    clock = Clock()
    return spectrum_of(factorise(entries, digits, floor, cap_bits, clock, probe), clock)


class Clock:
    """Where the time went."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.entries = 0.0
        self.proof = 0.0

    @contextmanager
    def proving(self) -> Iterator[None]:
        """Counts the time inside as the proof's."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.proof += time.perf_counter() - begun

    def total(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start


def spectrum_of(found: Factorisation, clock: Clock) -> CertifiedSpectrum:
    """What a factorisation proves of the singular values, without its factors."""
    return CertifiedSpectrum(
        found.values,
        found.values[found.rank].upper if found.rank < len(found.values) else Fraction(0),
        found.rank,
        math.ceil(found.bits * math.log10(2)),
        clock.total(),
        clock.entries,
        clock.proof,
    )


def factorise(
    entries: BallEntries,
    digits: int,
    floor: Fraction | None,
    cap_bits: int,
    clock: Clock,
    probe: Float[np.ndarray, "n m"] | None = None,
) -> Factorisation:
    """The work of :func:`certified_singular_values`, with the factors kept."""
    if digits < 1:
        raise InputError(f"digits: {digits} is not allowed; at least 1")
    if floor is not None and not 0 < floor < 1:
        raise InputError(f"floor: {floor} is not allowed; between 0 and 1, relative to the largest singular value")
    wanted = math.ceil(digits * math.log2(10))
    depth = None if floor is None else math.ceil(-math.log2(floor)) + wanted // 2 + 8
    if depth is None and probe is None:
        probe = _probe(entries, clock)
    first = _accuracy(wanted, 256 if probe is None else max(probe.shape)) + 48
    if depth is not None:
        first += depth
    elif probe is not None:
        first += _depth_seen(probe)
    bits = min(cap_bits, first)
    before: tuple[int, int, int] | None = None  # rank, noise and bits of the last precision
    while True:
        matrix, transposed = _oriented(entries, bits, clock)
        smaller, accuracy = matrix.nrows(), _accuracy(wanted, max(matrix.nrows(), matrix.ncols()))
        basis = begin(matrix, bits)

        def enough(found: GradedBasis) -> bool:
            size = found.level + (len(found.rows) * len(found.columns)).bit_length() // 2 + 1
            return depth is not None and size < found.top - depth

        extend(basis, accuracy, enough)
        stalled = shrunk = False
        if before is not None:
            stalled = basis.rank == before[0]
            shrunk = basis.noise <= before[1] - (bits - before[2]) // 2  # the balls did follow the precision
        # under a floor only the zero matrix can stall for good: its floor is 0
        accepted = stalled and shrunk and bits >= STALL_BITS and (depth is None or not basis.rank)
        nothing = basis.level <= NO_BITS and basis.spill == 0
        if basis.rank == smaller or nothing or enough(basis) or accepted:
            done = _certify(matrix, transposed, basis, bits, digits, floor, clock)
            if done is not None:
                return done
            needed = bits + bits // 2 + 64
        else:
            needed = _next_bits(basis, bits, accuracy, stalled)
        if bits >= cap_bits:
            raise PrecisionCapError(
                f"singular values: {basis.rank} of {smaller} resolved to {digits} digits at the cap of {cap_bits} "
                f"bits; about {needed} bits are needed, or a floor under which values are only bounded"
            )
        before = basis.rank, basis.noise, bits
        bits = min(needed, cap_bits)


def _accuracy(wanted: int, larger: int) -> int:
    """Bits that the factors must keep for ``wanted`` bits in the result."""
    return max(wanted, 40) + 18 + 2 * larger.bit_length()


def _probe(entries: BallEntries, clock: Clock) -> Float[np.ndarray, "n m"]:
    """Midpoints of the entries in float64: a guess, for speed alone."""
    matrix, _ = _oriented(entries, 64, clock)
    return np.array(list(map(float, matrix.mid().entries()))).reshape(matrix.nrows(), matrix.ncols())


def _depth_seen(table: Float[np.ndarray, "n m"]) -> int:
    """Bits from the largest singular value to the smallest, extrapolated past the round-off of float64."""
    size = float(np.abs(table).max()) if np.isfinite(table).all() else 0.0
    if not 1e-290 < size:
        return 64 + 2 * int(min(table.shape))
    logs = np.log2(np.maximum(np.linalg.svd(table / size, compute_uv=False), 1e-300))
    seen = int((logs > logs[0] - 43).sum())
    window = 8
    slope = max(0.5, (logs[max(0, seen - 1 - window)] - logs[seen - 1]) / window)
    # decays of smooth features are faster than geometric: 1.5 to 2.3 times as fast on average (measured, n = 32 to
    # 500); too little costs a second pass, too much a few per cent
    return math.ceil(float(logs[0] - logs[seen - 1] + 2.3 * slope * (len(logs) - seen)) + 16)


def _oriented(entries: BallEntries, bits: int, clock: Clock) -> tuple[arb_mat, bool]:
    """The balls at ``bits``, transposed if tall."""
    begun = time.perf_counter()
    matrix = entries(bits)
    clock.entries += time.perf_counter() - begun
    rows, columns = int(matrix.nrows()), int(matrix.ncols())
    if min(rows, columns) < 1:
        raise InputError(f"matrix: {rows} x {columns} has no singular values")
    if not row_sums_upper(matrix).is_finite():
        raise InputError("matrix: an entry is not finite")
    tall = matrix.nrows() > matrix.ncols()
    return (matrix.transpose() if tall else matrix), tall


def _next_bits(basis: GradedBasis, bits: int, accuracy: int, stalled: bool) -> int:
    """Extrapolates the decay of the rows found to the full rank; jumps ahead where the rank has stalled."""
    if stalled:
        return max(STALL_BITS, 2 * bits)
    sizes = sorted(basis.sizes(), reverse=True)
    missing = len(basis.rows)
    window = min(len(sizes) - 1, 8)
    slope: float = (sizes[-1 - window] - sizes[-1]) / window if window > 0 else 8.0
    reach: int = basis.top - (sizes[-1] if sizes else basis.top)
    estimate = math.ceil(reach + 1.6 * slope * missing + accuracy + 48)
    return max(bits + bits // 4 + 32, min(int(estimate), 4 * bits))


def _certify(
    matrix: arb_mat,
    transposed: bool,
    basis: GradedBasis,
    bits: int,
    digits: int,
    floor: Fraction | None,
    clock: Clock,
) -> Factorisation | None:
    """Vectors, bounds, refinement until the widths are met; ``None`` where more precision is needed."""
    smaller = matrix.nrows()
    wanted = math.ceil(digits * math.log2(10))
    accuracy = _table_bits(wanted, matrix.ncols())
    if not basis.rank:
        rest = Residual(arb(0), norm_upper(basis.rest))
        return Factorisation(matrix, transposed, None, enclosures(None, rest, smaller, 64), 0, bits, accuracy)
    left, right = basis.left(), basis.right()
    guess = float_triangles(left)
    with clock.proving():
        turned = None if guess is None else triangles(left, guess, max(wanted, 40) - 1, accuracy)
        rest = Residual(basis.spill, arb(0))
    if turned is None:
        return None
    if basis.rank < smaller:
        right, rest = _projected(basis, left, right, turned, accuracy)
    rows = graded_rows(right, basis.sizes(), turned.forward, accuracy)
    vectors = first_vectors(rows)
    work = accuracy if accuracy <= 62 else min(accuracy, 80)
    best, stale = math.inf, 0
    spread = 0
    for _ in range(_ROUNDS):
        with clock.proving():
            found = grams(rows, vectors, work)
            proven = bounds(found, vectors.columns, turned.delta, work)
            values = enclosures(proven, rest, smaller, accuracy + 20)
        if proven is not None:
            resolved = _resolved(values[: basis.rank], digits)
            if resolved == basis.rank or (floor is not None and _reaches(values, resolved, floor)):
                factors = Factors(left, turned.forward, rows, vectors)
                return Factorisation(matrix, transposed, factors, _bounded(values, resolved), resolved, bits, accuracy)
        if work == accuracy and proven is not None:
            eta = float(proven.eta)
            stale = 0 if eta < best / 4 else stale + 1  # turning a cluster costs a round or two
            if stale > 3:
                return None
            best = min(best, eta)
        work = min(accuracy, 2 * work)
        step = refined(vectors, found, work)
        vectors = step.vectors
        if step.clusters and max(spread - 8, 10 - work) < step.spread:  # orthogonalising alone no longer helps
            vectors = separate(vectors, grams(rows, vectors, work), step.clusters, work)
        spread = step.spread if step.clusters else 0
    return None


def _table_bits(wanted: int, larger: int) -> int:
    """Bits of the tables that are multiplied: FLINT is twice as fast up to 62, and that is enough for small ones."""
    return 60 if wanted <= 40 and larger <= 320 else max(wanted, 40) + 18 + larger.bit_length()


def _projected(
    basis: GradedBasis, left: arb_mat, right: list[list[arb]], turned: Triangles, bits: int
) -> tuple[list[list[arb]], Residual]:
    """``R + G Z`` and bounds of what is then left: ``E - L G Z`` with ``Z`` about ``(L G)^T E``.

    Elimination leaves an E that is not orthogonal to the columns of L; this one is, nearly.
    """
    r, columns = basis.rank, basis.shape[1]
    with flint.ctx.workprec(bits + 24):
        residual = basis.residual()
        q = left * turned.inverse
        z = (q.transpose() * residual).mid()
        change = (turned.inverse * z).mid().tolist()
        residual = residual - left * arb_mat(r, columns, [x for row in change for x in row])
        inside = norm_upper(q.transpose() * residual)
        spilt = basis.spill
        alpha = ((inside + spilt) / (1 - turned.delta).sqrt()).upper()
        rho = (norm_upper(residual) + spilt).upper()
    with flint.ctx.workprec(EXACT):
        rows = [[x + y for x, y in zip(a, b, strict=True)] for a, b in zip(right, change, strict=True)]
    return rows, Residual(alpha, rho)


def _resolved(values: Sequence[Enclosure], digits: int) -> int:
    """How many leading values are as narrow as asked, with room for the rounding of their decimals."""
    limit = 1 + Fraction(9, 10) * Fraction(10) ** (1 - digits)
    for i, value in enumerate(values):
        if not 0 < value.upper <= value.lower * limit:
            return i
    return len(values)


def _reaches(values: Sequence[Enclosure], resolved: int, floor: Fraction) -> bool:
    """Whether every value that is not resolved is proven to lie under the floor."""
    return resolved < len(values) and values[resolved].upper < floor * values[0].lower


def _bounded(values: tuple[Enclosure, ...], resolved: int) -> tuple[Enclosure, ...]:
    """Values that are not resolved are enclosed by ``[0, rest_upper]``."""
    if resolved == len(values):
        return values
    rest = Enclosure(Fraction(0), values[resolved].upper)
    return values[:resolved] + (rest,) * (len(values) - resolved)


def certified_eigenvalues_psd(
    entries: BallEntries, digits: int = 12, floor: Fraction | None = None, cap_bits: int = CAP_BITS
) -> CertifiedSpectrum:
    """Enclosures of the eigenvalues, descending, of relative width at most ``10^(1-digits)``.

    The matrix meant is taken to be symmetric, as a kernel matrix is by its definition. That the resolved
    eigenvalues are positive is proven; that the others, of absolute value at most ``rest_upper``, are not
    negative is the caller's hypothesis.

    Args:
        entries: ``entries(bits)`` is the ``N x N`` ball matrix at that working precision.
        digits: decimal digits asked.
        floor: relative to the largest eigenvalue; smaller ones are bounded, not resolved.
        cap_bits: largest working precision.

    Raises:
        InputError: not square, certainly not symmetric, or certainly not positive semidefinite; and as
            :func:`numerics.spectra.engine.certified_singular_values`.
        PrecisionCapError: the digits, or the signs, are not reached at the cap.

    >>> certified_eigenvalues_psd(lambda bits: arb_mat(2, 2, [2, 1, 1, 2])).values[1].decimals(6)
    {'lower': '0.999999', 'upper': '1.00001'}
    """
    clock = Clock()
    found = factorise(entries, digits, floor, cap_bits, clock)
    matrix = found.matrix
    if matrix.nrows() != matrix.ncols():
        raise InputError(f"matrix: {matrix.nrows()} x {matrix.ncols()} is not square")
    if not matrix.overlaps(matrix.transpose()):
        raise InputError("matrix: not symmetric")
    with clock.proving():
        _prove_signs(found)
    return spectrum_of(found, clock)


def _prove_signs(found: Factorisation) -> None:
    if found.factors is None:
        return
    columns = found.factors.vectors.columns
    r, n, bits = len(columns), found.matrix.nrows(), found.accuracy
    even = [f - f % 2 for f in columns]
    x = found.factors.left_vectors(found.bits + 16)
    with flint.ctx.workprec(found.bits + 32):
        images = found.matrix * x  # column j is about 2^(f_j) long: scaled before it is rounded
        scale = [power_of_two(-f) for f in even]
        scaled = [v * s for row in images.tolist() for v, s in zip(row, scale, strict=True)]
    with flint.ctx.workprec(bits + 10):
        short = fixed_point(x, bits, 0)
        delta = identity_defect(short.transpose() * short)
        # s[i][j] = x_i^T K x_j / 2^(f_j); of a pair the one with i <= j is the accurate one
        s = (short.transpose() * fixed_point(arb_mat(n, r, scaled), bits, 3)).tolist()
        if any(s[j][j] < 0 for j in range(r)):
            raise InputError("matrix: not positive semidefinite; it has a proven negative eigenvalue")
        if not all(s[j][j].mid() > 0 for j in range(r)):
            raise PrecisionCapError("eigenvalues: their signs are not decided; ask for more digits")
        root = [s[j][j].mid().sqrt().mid() for j in range(r)]  # d_j = root_j 2^(f_j / 2)
        diagonal = frobenius_upper([s[j][j] / root[j] / root[j] - 1 for j in range(r)])
        corner = frobenius_upper(
            [s[i][j] / root[i] / root[j] * power_of_two((even[j] - even[i]) // 2) for j in range(r) for i in range(j)]
        )
        eta = (diagonal * diagonal + 2 * corner * corner).sqrt().upper()
        if not (eta < 1 and delta < 1):
            raise PrecisionCapError("eigenvalues: their signs are not decided; ask for more digits")
        least = [(d * d * power_of_two(f) * (1 - eta) / (1 + delta)).lower() for d, f in zip(root, even, strict=True)]
        rest = to_ball(found.values[found.rank], bits).upper() if found.rank < n else arb(0)
        if not all(v > rest for v in least[: found.rank]):
            raise PrecisionCapError("eigenvalues: not separated from the unresolved rest; ask for more digits")
