"""Two-sided bounds on the eigenvalues of a positive trace-class operator from its matrix in an orthonormal basis.

With ``K`` the matrix, ``K_11`` its leading N × N block and ``t_M = Σ_{i>=M} K_ii`` the remainders of its
trace: ``λ_k(K_11) <= λ_k(K) <= λ_k(K_11) + t_N`` for k <= N (Cauchy; N. Aronszajn, *Rayleigh–Ritz and A.
Weinstein methods*, PNAS 34 (1948) 474), and ``λ_{M+1}(K) <= t_M``. The last inequality for the trailing
block gives a tail to the entropy of the whole spectrum. Where the basis splits into uncoupled parts, each
has its own leading block.
"""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from functools import lru_cache

from theory.enclosures import Enclosure
from theory.errors import PrecisionCapError
from theory.solvable.common import GUARD, Interval, Listed, Method, SolvableSpectrum, Tail, bounds, checked_step
from theory.solvable.eigenvalues import MAX_SIZE, symmetric_eigenvalues

Block = tuple[list[list[int]], Fraction]
"""A symmetric matrix in units of ``2**-bits``, and a bound on the spectral norm of its error."""


class GalerkinSpectrum(SolvableSpectrum):
    """An operator whose matrix in the basis ``e_0, e_1, …`` couples equal parities only."""

    @abstractmethod
    def blocks(self, method: Method, h: Fraction, size: int, bits: int) -> tuple[Block, Block]:
        """The leading blocks of e_0, e_2, … and of e_1, e_3, …, with ``size`` basis functions together.

        Entries are off by about ``2**-bits``.
        """

    @abstractmethod
    def trace_tail(self, method: Method, h: Fraction, size: int) -> Tail | None:
        """``t_{size+j} <= first * ratio**j`` for j >= 0; ``None`` where ``size`` is too small for such a bound."""

    @abstractmethod
    def trace(self, method: Method, h: Fraction | None = None, digits: int = 30) -> Enclosure:
        """The sum of all eigenvalues, in closed form."""

    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        """See :meth:`SolvableSpectrum.listed`.

        Raises:
            InputError: an unknown method, or ``fd`` without a positive step.
            PrecisionCapError: a matrix of more than ``2 * MAX_SIZE`` rows would be needed.
        """
        return _listed(self, method, checked_step(h, method), count, digits)


@lru_cache(maxsize=64)
def _listed(model: GalerkinSpectrum, method: Method, h: Fraction, count: int, digits: int) -> Listed:
    scale = _scale(model, method, h)
    goal = scale / 10**digits
    size = max(count, 4)
    while True:
        if size > 2 * MAX_SIZE:
            raise PrecisionCapError(
                f"more than {2 * MAX_SIZE} basis functions are needed for {digits} digits; ask for fewer digits"
            )
        tail = model.trace_tail(method, h, size)
        if tail is not None and tail.first / (1 - tail.ratio) < goal:
            break
        size += max(1, size // 10)
    bits = int((digits + GUARD) * 3.33) + 2 * size.bit_length() + _exponent(1 / scale)
    values = []
    for matrix, error in model.blocks(method, h, size, bits):
        for value in symmetric_eigenvalues(matrix, bits, error):
            values.append(Enclosure(max(value.lower, Fraction(0)), max(value.upper, Fraction(0)) + tail.first))
    return Listed(tuple(values), tail)


def _scale(model: GalerkinSpectrum, method: Method, h: Fraction) -> Fraction:
    """A positive lower bound on the largest eigenvalue: a diagonal entry."""
    for bits in (64, 256, 1024):
        parts = model.blocks(method, h, 6, bits)
        best = max(Fraction(m[i][i], 1 << bits) - error for m, error in parts for i in range(len(m)))
        if best > 0:
            return best
    raise PrecisionCapError("no diagonal entry of the matrix is certainly positive")


def _exponent(x: Fraction) -> int:
    return max(0, x.numerator.bit_length() - x.denominator.bit_length() + 1)


def fixed_point(entries: list[list[Interval]], bits: int) -> Block:
    """A symmetric matrix of intervals in units of ``2**-bits``, with the bound on its error."""
    n, worst = len(entries), Fraction(0)
    matrix = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            enclosure = bounds(entries[i][j])
            value = round(enclosure.middle * (1 << bits))
            matrix[i][j] = matrix[j][i] = value
            centre = Fraction(value, 1 << bits)
            worst = max(worst, enclosure.upper - centre, centre - enclosure.lower)
    return matrix, n * worst
