r"""Hermite features: AD exactly diagonal, FD triangular with the same determinant (ours).

Features ``ρ^{j/2} He_j(x)/√j!`` on N(0, 1), ``0 < ρ < 1`` (Mehler's expansion of a Gaussian kernel). As
``He_j' = j He_{j-1}``, ``∂^m`` maps them to multiples of orthonormal functions: ``K_AD`` has the eigenvalues
``ρ^{n+m} (n+m)!/n!``, n >= 0. With ``He_j(x + t) = Σ_i C(j, i) t^{j-i} He_i(x)`` a stencil gives the upper
triangular matrix ``A_FD[i, j] = ρ^{j/2} √(j!/i!) e_{j-i-m} h^{j-i-m}``, ``e_q`` the coefficients of its
truncation expansion, ``e_0 = 1``: for the features j = m … m+N-1 it is square with the diagonal of ``A_AD``.
So the determinants agree and (Weyl 1949) the singular values of FD *log-majorise* those of AD for every h
and every stencil, which does **not** order the entropies: both signs of the gap occur.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import factorial, isqrt

from theory.enclosures import Enclosure
from theory.entropy import Power
from theory.errors import InputError
from theory.solvable.common import GUARD, GapSign, Listed, Method, SolvableSpectrum, Tail, checked_step
from theory.solvable.eigenvalues import MAX_SIZE, symmetric_eigenvalues
from theory.stencils import Stencil, central


@dataclass(frozen=True)
class HermiteDiagonal(SolvableSpectrum):
    """The model of this module.

    Attributes:
        ratio: ρ in (0, 1).
        size: N, the number of features j = m … m+N-1; ``None`` for all of them, where only AD is available.
        stencil: in one variable; its derivative is m >= 1 (default: the central second difference).

    Raises:
        InputError: values outside these ranges.
    """

    ratio: Fraction
    size: int | None = 16
    stencil: Stencil = field(default_factory=lambda: central(2))

    def __post_init__(self) -> None:
        if not 0 < self.ratio < 1:
            raise InputError(f"ratio: {self.ratio}; allowed: 0 < ρ < 1")
        if self.size is not None and not 1 <= self.size <= MAX_SIZE:
            raise InputError(f"size: {self.size}; allowed: 1 to {MAX_SIZE}, or none for all features")
        if self.stencil.derivative < 1:
            raise InputError("stencil: derivative 0; allowed: at least 1")

    def ad_mode(self, n: int) -> Fraction:
        """``ρ^{n+m} (n+m)!/n!``, exact, the eigenvalue of ``He_n``."""
        m = self.stencil.derivative
        return self.ratio ** (n + m) * Fraction(factorial(n + m), factorial(n))

    def fd_entry(self, i: int, j: int, h: Fraction) -> tuple[Fraction, Fraction]:
        """``A_FD[i, j] = a √b`` as the exact pair (a, b), with feature j (from 0) of degree j + m."""
        m = self.stencil.derivative
        if j < i:
            return Fraction(0), Fraction(1)
        a = self.stencil.taylor((j - i + m,)) * h ** (j - i)
        return a, self.ratio ** (j + m) * Fraction(factorial(j + m), factorial(i))

    def ad_trace(self) -> Fraction:
        """The sum of all AD eigenvalues; ``ρ^m m!/(1-ρ)^{m+1}`` for all features."""
        m = self.stencil.derivative
        if self.size is None:
            return self.ratio**m * factorial(m) / (1 - self.ratio) ** (m + 1)
        return sum((self.ad_mode(n) for n in range(self.size)), Fraction(0))

    def fd_trace(self, h: Fraction) -> Fraction:
        """``Σ_{i,j} A_FD[i, j]²``, exact."""
        step, n = checked_step(h, "fd"), self._finite()
        pairs = (self.fd_entry(i, j, step) for i in range(n) for j in range(i, n))
        return sum((a * a * b for a, b in pairs), Fraction(0))

    def determinant(self) -> Fraction:
        """The product of all N eigenvalues, the same for AD and for FD at every h; exact."""
        result = Fraction(1)
        for n in range(self._finite()):
            result *= self.ad_mode(n)
        return result

    def _finite(self) -> int:
        if self.size is None:
            raise InputError("size: none; allowed with finite differences: a number of features")
        return self.size

    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        """See :meth:`SolvableSpectrum.listed`.

        Raises:
            InputError: ``fd`` with infinitely many features or without a positive step.
            PrecisionCapError: eigenvectors not found to the precision needed.
        """
        step = checked_step(h, method)
        if method == "fd":
            return _finite_difference(self, step, digits)
        if self.size is not None:
            return Listed(tuple(Enclosure(x, x) for x in map(self.ad_mode, range(self.size))))
        m, n = self.stencil.derivative, max(count, 1)
        while True:
            theta = self.ratio * Fraction(n + 1 + m, n + 1)  # of consecutive eigenvalues, decreasing in n
            first = self.ad_mode(n)
            if theta < 1 and first / (1 - theta) * 10**digits < self.ad_mode(0):
                return Listed(tuple(Enclosure(x, x) for x in map(self.ad_mode, range(n))), Tail(first, theta))
            n += max(1, n // 8)

    def gap_sign(self, h: Fraction, *, power: Power = 1, rank: int | None = None, digits: int = 60) -> GapSign:
        """By enclosures: log-majorisation decides nothing."""
        self._finite()
        if rank == 1 or self.size == 1:
            return GapSign(0, "equal spectra", "one singular value: both entropies are 0")
        return super().gap_sign(h, power=power, rank=rank, digits=digits)


@lru_cache(maxsize=64)
def _finite_difference(model: HermiteDiagonal, h: Fraction, digits: int) -> Listed:
    """Eigenvalues of ``A_FD A_FDᵀ``, whose entries are rationals over ``√(i! k!)``; relative to the smallest."""
    n, m = model._finite(), model.stencil.derivative
    least = min(model.ad_mode(k) for k in range(n))
    bits = int((digits + GUARD) * 3.33) + max(0, (1 / least).numerator.bit_length() - least.numerator.bit_length())
    bits += 2 * n.bit_length() + 8
    moments = [model.stencil.taylor((d + m,)) * h**d for d in range(n)]
    column = [model.ratio ** (j + m) * factorial(j + m) for j in range(n)]
    matrix = [[0] * n for _ in range(n)]
    for i in range(n):
        for k in range(i + 1):
            r = sum((column[j] * moments[j - i] * moments[j - k] for j in range(i, n)), Fraction(0))
            square = r * r / (factorial(i) * factorial(k))
            root = isqrt((square.numerator << (2 * bits)) // square.denominator)
            matrix[i][k] = matrix[k][i] = root if r >= 0 else -root
    values = symmetric_eigenvalues(matrix, bits, Fraction(2 * n, 1 << bits))
    return Listed(tuple(Enclosure(max(v.lower, Fraction(0)), max(v.upper, Fraction(0))) for v in values))
