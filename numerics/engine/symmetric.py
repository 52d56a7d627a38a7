"""Eigenvalues of a positive semidefinite matrix (kernels, tangent kernels) by the same engine, signs proven.

The singular values of a symmetric ``K`` are the ``|lambda|``. That the ``r`` resolved ones are eigenvalues, and
positive, is proven separately: with ``X`` (``N x r``) exact, ``delta >= ||X^T X - I|| < 1``, ``S = X^T K X`` and
``eta >= ||D^-1 S D^-1 - I|| < 1`` for a positive diagonal ``D``, Ostrowski's theorem (Horn & Johnson, 2013,
theorem 4.5.9) and Courant-Fischer give ``lambda_r(K) >= min_j d_j^2 (1 - eta) / (1 + delta) > 0``. If that is
above the bound of all other singular values, the ``r`` largest eigenvalues are the ``r`` largest singular values.
"""

from __future__ import annotations

from fractions import Fraction

import flint
from flint import arb, arb_mat

from numerics.enclosure import to_ball
from numerics.engine.balls import fixed_point, frobenius_upper, identity_defect, power_of_two
from numerics.engine.driver import (
    CAP_BITS,
    BallEntries,
    CertifiedSpectrum,
    Clock,
    Factorisation,
    factorise,
    spectrum_of,
)
from theory.errors import InputError, PrecisionCapError


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
            :func:`numerics.engine.certified_singular_values`.
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
