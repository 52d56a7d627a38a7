"""Reference spectra: mpmath's singular values checked at two precisions, and LAPACK's for stored matrices.

The mpmath route is slow and proves nothing; it is the oracle for the certified engine. With too few digits
it returns silently wrong small values, so the precision is raised until two precisions agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np
import scipy.linalg
from jaxtyping import Float

from theory.errors import InputError, PrecisionCapError


@dataclass(frozen=True)
class ReferenceSpectrum:
    """Singular values that two precisions agree on.

    Attributes:
        values: all ``min(N, M)`` singular values, descending; those that only ever shrank with the round-off
            of the precision in force are 0 (a finding of this route, not a proof).
        working_digits: decimal digits of the last computation.
        seconds: computing time of every precision tried, entries included.
        unresolved: how many values were set to 0.
    """

    values: tuple[mpmath.mpf, ...]
    working_digits: int
    seconds: float
    unresolved: int = 0


def reference_singular_values(
    entries: Callable[[int], mpmath.matrix], digits: int, cap_digits: int = 2000
) -> ReferenceSpectrum:
    """Singular values to ``digits`` relative digits, by two precisions that agree.

    Args:
        entries: the ``N x M`` matrix with entries correct to the given number of decimal digits.
        digits: relative digits asked of every value, the smallest included.
        cap_digits: largest working precision.

    Raises:
        InputError: ``digits`` below 1.
        PrecisionCapError: the two precisions still disagree at the cap.

    >>> ones = lambda digits: mpmath.ones(4)
    >>> [round(v) for v in reference_singular_values(ones, 10).values]
    [4, 0, 0, 0]
    """
    if digits < 1:
        raise InputError(f"digits: {digits} is not allowed; at least 1")
    start = time.perf_counter()
    working = digits + 15
    history: list[tuple[int, tuple[mpmath.mpf, ...]]] = []  # of each precision: how many resolved, the values
    while True:
        values = _at(entries, working)
        if not values[0]:
            return ReferenceSpectrum(values, working, time.perf_counter() - start, len(values))
        resolved = _resolved(values, working, digits)
        rest = len(values) - resolved
        history.append((resolved, values))
        # all resolved twice; or the same number over three doublings, and the rest are taken for zeros
        needed = 2 if not rest else 4
        recent = history[-needed:]
        if len(recent) == needed and all(count == resolved for count, _ in recent):
            checked = recent[-2][1]
            if _agree(checked[:resolved], values[:resolved], digits):
                kept = values[:resolved] + (mpmath.mpf(0),) * rest
                return ReferenceSpectrum(kept, working, time.perf_counter() - start, rest)
        if working >= cap_digits:
            raise PrecisionCapError(
                f"reference spectrum: {resolved} of {len(values)} values stand {digits} digits above the "
                f"round-off at the cap of {cap_digits} working digits; raise the cap"
            )
        working = min(2 * working if rest else working + max(10, working // 8), cap_digits)


def _at(entries: Callable[[int], mpmath.matrix], working: int) -> tuple[mpmath.mpf, ...]:
    with mpmath.workdps(working):
        matrix = entries(working)
        if min(matrix.rows, matrix.cols) < 1:
            raise InputError(f"matrix: {matrix.rows} x {matrix.cols} has no singular values")
        # the transposed problem is smaller for a wide matrix, and svd_r wants no more columns than rows
        tall = matrix if matrix.rows >= matrix.cols else matrix.T
        values = mpmath.svd_r(tall, compute_uv=False)
        return tuple(sorted((abs(value) for value in values), reverse=True))


def _resolved(values: tuple[mpmath.mpf, ...], working: int, digits: int) -> int:
    """How many values stand ``digits`` digits above the round-off ``n 10^-working sigma_1``."""
    floor = len(values) * values[0] * mpmath.mpf(10) ** (digits + 2 - working)
    return sum(value > floor for value in values)


def _agree(first: tuple[mpmath.mpf, ...], second: tuple[mpmath.mpf, ...], digits: int) -> bool:
    bound = mpmath.mpf(10) ** (-digits)
    return all(abs(a - b) <= bound * b for a, b in zip(first, second, strict=True))


def floating_singular_values(matrix: Float[np.ndarray, "n m"]) -> Float[np.ndarray, " k"]:
    """LAPACK's singular values of a stored float32 or float64 matrix, descending, in float64: float32 is widened first.

    Divide and conquer (``gesdd``), and the slower ``gesvd`` where that does not converge. Absolute error is
    about ``u * sigma_1``, u of float64: values under that are LAPACK's, not the matrix's.

    Raises:
        InputError: another dtype, not a matrix, empty, or entries that are not finite.
    """
    if matrix.ndim != 2 or not matrix.size:
        raise InputError(f"matrix: shape {matrix.shape} is not allowed; two dimensions, none empty")
    if matrix.dtype not in (np.float32, np.float64):
        raise InputError(f"matrix: dtype {matrix.dtype} is not allowed; float32 or float64")
    if not np.isfinite(matrix).all():
        raise InputError("matrix: entries that are not finite have no singular values")
    wide = matrix.astype(np.float64)
    try:
        values = scipy.linalg.svd(wide, compute_uv=False, lapack_driver="gesdd")
    except np.linalg.LinAlgError:
        values = scipy.linalg.svd(wide, compute_uv=False, lapack_driver="gesvd")
    return np.asarray(values)
