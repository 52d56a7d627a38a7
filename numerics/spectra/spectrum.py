"""Singular values of A_AD and A_FD in a named arithmetic: proven, by LAPACK, or by mpmath at two precisions.

The mpmath route is slow and proves nothing; it is the oracle for the certified engine. With too few digits
it returns silently wrong small values, so the precision is raised until two precisions agree.

There is one spectrum per (problem, method, arithmetic).  ``exact`` is the spectrum of the exact-rational matrix, enclosed with proof by the certified engine.  ``float64`` and
``float32`` are spectra of the stored floating-point matrix by LAPACK in float64; the float32 matrix is widened first,
so that what is seen is the matrix's own noise and not that of the decomposition.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import mpmath
import numpy as np
import scipy.linalg
from jaxtyping import Float

from numerics.arithmetic.balls import Enclosure
from numerics.matrices.assemble import float_matrix
from numerics.problem.problem import Arithmetic, Method, Problem
from numerics.runs.store import Store, content_key
from theory.base.errors import InputError, PrecisionCapError
from theory.base.exact import rational, spell


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


ENGINE_VERSION = 2
"""Raised whenever a spectrum of the same problem may come out differently; stored spectra of others are not read."""
UNIT_ROUNDOFF: dict[str, Fraction] = {"float32": Fraction(1, 2**24), "float64": Fraction(1, 2**53)}
"""u = eps/2 of each floating-point arithmetic."""


@dataclass(frozen=True)
class Spectrum:
    """Singular values, descending, each between two rationals.

    Attributes:
        method: ``"ad"`` or ``"fd"``.
        arithmetic: of the matrix.
        values: all min(N, M) singular values.  For ``exact``: proven enclosures, those beyond the proven rank
            ``[0, rest_upper]``.  For floating point: LAPACK's value ± its backward-error bound.
        certified: whether the enclosures are proven (by ball arithmetic).
        working_digits: decimal digits of the computation.
        seconds: computing time.
        rank: number of values proven positive.
        computed: LAPACK's values themselves, for a floating-point matrix.
    """

    method: Method
    arithmetic: Arithmetic
    values: tuple[Enclosure, ...]
    certified: bool
    working_digits: int
    seconds: float
    rank: int
    computed: tuple[float, ...] | None = None

    @property
    def rest_upper(self) -> Fraction:
        """Upper bound on the values beyond the proven rank; 0 where there is none."""
        return self.values[self.rank].upper if self.rank < len(self.values) else Fraction(0)

    def floats(self) -> tuple[float, ...]:
        """The values as floats: LAPACK's, or the middles of an exact spectrum (0 beyond its proven rank)."""
        return self.computed if self.computed is not None else self._middles

    @cached_property
    def _middles(self) -> tuple[float, ...]:
        middles = [float(v.middle) for v in self.values]
        middles[self.rank :] = [0.0] * (len(middles) - self.rank)
        return tuple(middles)

    def _repr_html_(self) -> str:
        """The first and last values as a table, for notebooks."""
        n = len(self.values)
        shown = [k for k in range(n) if k < 8 or k >= n - 3]
        rows = "".join(f"<tr><td>{k + 1}</td><td>{self.values[k]}</td></tr>" for k in shown)
        how = "proven" if self.certified else f"LAPACK with its error bound, {self.arithmetic}"
        return f"<table><caption>σ<sub>k</sub>(A<sub>{self.method.upper()}</sub>): {n} values, {how}</caption>{rows}</table>"

    def to_dict(self) -> dict[str, Any]:
        """JSON types, exactly; read back by :meth:`from_dict`."""
        return {
            "method": self.method,
            "arithmetic": self.arithmetic,
            "values": [[spell_dyadic(v.lower), spell_dyadic(v.upper)] for v in self.values],
            "certified": self.certified,
            "working_digits": self.working_digits,
            "seconds": self.seconds,
            "rank": self.rank,
            "computed": self.computed,
        }

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Spectrum:
        """The spectrum that :meth:`to_dict` wrote."""
        values = tuple(Enclosure(read_dyadic(low), read_dyadic(high)) for low, high in data["values"])
        computed = data["computed"]
        return Spectrum(**{**data, "values": values, "computed": computed if computed is None else tuple(computed)})


def spell_dyadic(value: Fraction) -> str:
    """A rational as text: ``"m*2^e"`` for a dyadic (compact at 1e-300), ``"p/q"`` otherwise."""
    denominator = value.denominator
    if denominator & (denominator - 1):
        return spell(value)
    mantissa, exponent = value.numerator, -(denominator.bit_length() - 1)
    while mantissa and mantissa % 2 == 0:
        mantissa, exponent = mantissa // 2, exponent + 1
    return f"{mantissa}*2^{exponent}"


MAX_SHIFT = 10**7
"""Binary exponents of stored values: what is beyond was not written by :func:`spell_dyadic`."""


def read_dyadic(text: str) -> Fraction:
    """The rational that :func:`spell_dyadic` wrote."""
    mantissa, star, exponent = text.partition("*2^")
    if not star:
        return rational(text)
    shift = int(exponent)
    if abs(shift) > MAX_SHIFT:
        raise InputError(f"a stored singular value has the exponent {shift}; at most {MAX_SHIFT} is allowed")
    return Fraction(int(mantissa) << shift) if shift >= 0 else Fraction(int(mantissa), 1 << -shift)


def lapack_error(matrix_norm: float, rows: int, columns: int) -> float:
    """Bound on the error of LAPACK's singular values of a float64 matrix: p(N, M) · u · σ_1 (backward stability).

    Source: LAPACK Users' Guide (3rd ed., 1999), section 4.9, which leaves the "modestly growing" p open; here
    p = 2 max(N, M) + 8.  Over 4000 small matrices the largest error was 0.42 of it, and max(N, M) itself too small.
    """
    return (2 * max(rows, columns) + 8) * float(UNIT_ROUNDOFF["float64"]) * matrix_norm


_BACKING: list[Store] = []


def back_with(store: Store) -> None:
    """Lets exact spectra of this process be read from, and kept in, a store."""
    _BACKING[:] = [store]


def backing() -> Store | None:
    """The store of this process, for results of other kinds that several cells read."""
    return _BACKING[0] if _BACKING else None


@lru_cache(maxsize=4096)
def spectrum_key(problem: Problem, method: Method, arithmetic: Arithmetic, digits: int = 12) -> str:
    """The content key of a spectrum: what determines A, not the arithmetic of training or the entropy convention."""
    content = {k: v for k, v in problem.to_dict().items() if k not in {"arithmetic", "entropy", "training"}}
    content["problem"] = {k: v for k, v in content["problem"].items() if k not in {"solution", "rhs"}}
    if method == "ad":
        del content["difference"]
    return content_key("spectrum", [ENGINE_VERSION, content, method, arithmetic, digits])


@lru_cache(maxsize=4096)
def spectrum(problem: Problem, method: Method, arithmetic: Arithmetic, digits: int = 12) -> Spectrum:
    """The spectrum of A in the arithmetic; ``digits`` are asked of an exact one.

    Raises:
        PrecisionCapError: the digits asked are beyond the cap of the engine.
    """
    start = time.perf_counter()
    if arithmetic == "exact":
        return _kept(problem, method, digits)
    stored = float_matrix(problem, method, arithmetic)
    values = floating_singular_values(stored)
    error = Fraction(lapack_error(float(values[0]), *stored.shape))
    exact = [Fraction(float(v)) for v in values]
    enclosures = tuple(Enclosure(max(v - error, Fraction(0)), v + error) for v in exact)
    rank = sum(1 for e in enclosures if e.lower > 0)
    computed = tuple(float(v) for v in values)
    return Spectrum(method, arithmetic, enclosures, False, 16, time.perf_counter() - start, rank, computed)


def spectrum_to(problem: Problem, method: Method, arithmetic: Arithmetic, digits: int) -> Spectrum:
    """:func:`spectrum` with the digits given; those of a floating-point one are what they are."""
    return spectrum(problem, method, arithmetic, digits if arithmetic == "exact" else 12)


def certified_float_spectrum(problem: Problem, method: Method, arithmetic: Arithmetic, digits: int) -> Spectrum:
    """Proven enclosures of the singular values of the *stored* floating-point matrix, whose entries are exact dyadics.

    Raises:
        PrecisionCapError: the digits asked are beyond the cap of the engine.
    """
    import flint

    from numerics.arithmetic.balls import ball
    from numerics.spectra.engine import certified_singular_values

    stored = float_matrix(problem, method, arithmetic)
    exact = [[Fraction(float(v)) for v in row] for row in stored]

    def entries(precision: int) -> flint.arb_mat:
        with flint.ctx.workprec(precision):
            return flint.arb_mat([[ball(v) for v in row] for row in exact])

    found = certified_singular_values(entries, digits)
    return Spectrum(method, arithmetic, tuple(found.values), True, found.working_digits, found.seconds, found.rank)


def _kept(problem: Problem, method: Method, digits: int) -> Spectrum:
    """An exact spectrum from the store behind this process, computed when it is not there."""
    if not _BACKING:
        return _exact(problem, method, digits)
    key = spectrum_key(problem, method, "exact", digits)
    stored = _BACKING[0].get(key)
    if stored is not None:
        return Spectrum.from_dict(stored)
    found = _exact(problem, method, digits)
    _BACKING[0].put(key, found.to_dict())
    return found


def _exact(problem: Problem, method: Method, digits: int) -> Spectrum:
    from numerics.matrices.balls import ball_entries
    from numerics.spectra.engine import certified_singular_values

    found = certified_singular_values(ball_entries(problem, method), digits, probe=_probe(problem))
    return Spectrum(method, "exact", tuple(found.values), True, found.working_digits, found.seconds, found.rank)


@lru_cache(maxsize=8)
def _probe(problem: Problem) -> Float[np.ndarray, "rows M"] | None:
    """A_AD in float64: it falls about as A_FD does and costs next to nothing; ``None`` where it is not finite."""
    try:
        return float_matrix(problem, "ad", "float64")
    except InputError:
        return None
