"""Gaussian weights and Gaussian points: Mehler's geometric spectrum, and its AD and FD versions.

Features ``sin(w x + b)``, w ~ N(0, s²), b uniform on a period, x ~ N(0, σ²): ``K(x, y) = ½
exp(-s²(x-y)²/2)``. Its eigenvalues are ``½ (1-B) B^k``, ``B = 2κ / (1 + 2κ + √(1+4κ))``, ``κ = s²σ²`` (H.
Zhu, C. Williams, R. Rohwer and M. Morciniec 1998; C. Rasmussen and C. Williams, *Gaussian Processes for
Machine Learning*, 2006, section 4.3.1), so its entropy is closed.

``K_AD`` and ``K_FD`` are not geometric. Seen from the side of the weights they are ``√g · K̂ · √g``,
``g(w)`` the squared modulus of the operator's symbol and ``K̂`` again Mehler's kernel (ours): with the
oscillator functions as a basis the matrix is ``√(λ_i λ_j) ⟨i|g|j⟩``; ``g = w^{2m}`` gives a band matrix for
AD, ``g = Σ C_δ cos(δhw)/h^{2m}`` associated Laguerre polynomials for FD. Two-sided bounds by
:mod:`theory.solvable.galerkin`. As ``g_FD <= g_AD`` for a symbol at most 1, every FD eigenvalue is at most
the AD one.

Hermite features: AD exactly diagonal, FD triangular with the same determinant (ours).

Features ``ρ^{j/2} He_j(x)/√j!`` on N(0, 1), ``0 < ρ < 1`` (Mehler's expansion of a Gaussian kernel). As
``He_j' = j He_{j-1}``, ``∂^m`` maps them to multiples of orthonormal functions: ``K_AD`` has the eigenvalues
``ρ^{n+m} (n+m)!/n!``, n >= 0. With ``He_j(x + t) = Σ_i C(j, i) t^{j-i} He_i(x)`` a stencil gives the upper
triangular matrix ``A_FD[i, j] = ρ^{j/2} √(j!/i!) e_{j-i-m} h^{j-i-m}``, ``e_q`` the coefficients of its
truncation expansion, ``e_0 = 1``: for the features j = m … m+N-1 it is square with the diagonal of ``A_AD``.
So the determinants agree and (Weyl 1949) the singular values of FD *log-majorise* those of AD for every h
and every stencil, which does **not** order the entropies: both signs of the gap occur.

*All features.* With the first N columns ``A_N`` and the others ``R``: ``A Aᵀ = A_N A_Nᵀ + R Rᵀ``, so that
``λ_k(A_N A_Nᵀ) <= λ_k <= λ_k(A_N A_Nᵀ) + t_N`` and ``λ_{N+k} <= t_{N+k-1}`` for k >= 1, where ``t_n`` bounds the sum
of the squared norms of the columns from n on (Weyl). ``D_h`` is an average of ``u^(m)`` (Peano), ``He_n`` moved by s
has the squared norm ``n! L_n(-s²)``, and Laguerre's generating function with positive terms gives
``L_n(-x) <= r^-n e^(xr/(1-r)) / (1-r)`` for every r in (0, 1): a geometric bound (:meth:`HermiteDiagonal.tail`).
The sign of the gap depends on N: at ρ = 9/10, h = 1/10, power 1 it is - for N = 16 and + for all features.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from math import factorial, isqrt, perm
from typing import Any

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Power
from theory.solvable.galerkin import MAX_SIZE, Block, GalerkinSpectrum, fixed_point, symmetric_eigenvalues
from theory.solvable.model import (
    GUARD,
    GapSign,
    Interval,
    Listed,
    Method,
    SolvableSpectrum,
    Tail,
    bounds,
    checked_step,
    digits_lost,
    interval_context,
    lift,
)
from theory.stencils import Stencil, central
from theory.stencils.remainder import average_norm


@dataclass(frozen=True)
class Mehler(GalerkinSpectrum):
    """The model of this module.

    Attributes:
        weight_variance: s², positive.
        point_variance: σ², positive.
        stencil: in one variable; its derivative is m >= 1 (default: the central second difference).

    Raises:
        InputError: a variance that is not positive, or a stencil of the function itself.
    """

    weight_variance: Fraction
    point_variance: Fraction
    stencil: Stencil = field(default_factory=lambda: central(2))

    def __post_init__(self) -> None:
        for name, value in (("weight_variance", self.weight_variance), ("point_variance", self.point_variance)):
            if not value > 0:
                raise InputError(f"{name}: {value}; allowed: positive")
        if self.stencil.derivative < 1:
            raise InputError("stencil: derivative 0; allowed: at least 1 (kernel_eigenvalue gives K itself)")

    @property
    def _kappa(self) -> Fraction:
        return self.weight_variance * self.point_variance

    def kernel_ratio(self, digits: int = 30) -> Enclosure:
        """B, the ratio of consecutive eigenvalues of K."""
        return bounds(self._ratio(interval_context(digits + GUARD)))

    def kernel_eigenvalue(self, k: int, digits: int = 30) -> Enclosure:
        """``½ (1 - B) B^k``, the eigenvalue number k (from 0) of K."""
        context = interval_context(digits + GUARD)
        ratio = self._ratio(context)
        return bounds((1 - ratio) * ratio**k / 2)

    def kernel_entropy(self, power: Power = 1, digits: int = 30) -> Enclosure:
        """``-log(1-x) - x log x / (1-x)`` with ``x = B^{q/2}``, the entropy of K in closed form."""
        context = interval_context(digits + GUARD)
        ratio = self._ratio(context)
        x = context.sqrt(ratio) if power == 1 else ratio
        return bounds(-context.log(1 - x) - x * context.log(x) / (1 - x))

    def _ratio(self, context: Any) -> Interval:
        kappa = lift(context, self._kappa)
        return 2 * kappa / (1 + 2 * kappa + context.sqrt(1 + 4 * kappa))

    def _scale_squared(self, context: Any) -> Interval:
        """``w² = scale² y²`` with y the oscillator's variable: ``scale² = 2 s² / √(1 + 4κ)``."""
        return 2 * lift(context, self.weight_variance) / context.sqrt(1 + 4 * lift(context, self._kappa))

    def trace(self, method: Method, h: Fraction | None = None, digits: int = 30) -> Enclosure:
        """``½ (2m-1)!! s^{2m}``, or ``½ Σ C_δ exp(-δ²h²s²/2) / h^{2m}``."""
        step, m = checked_step(h, method), self.stencil.derivative
        if method == "ad":
            exact = Fraction(factorial(2 * m), 2**m * factorial(m)) * self.weight_variance**m / 2
            return Enclosure(exact, exact)
        context = interval_context(digits + GUARD + digits_lost(self.stencil, step))
        total = sum(
            (
                lift(context, c) * context.exp(lift(context, -delta * delta * step * step * self.weight_variance / 2))
                for delta, c in self._squares.items()
            ),
            context.mpf(0),
        )
        return bounds(total / lift(context, 2 * step ** (2 * m)))

    def blocks(self, method: Method, h: Fraction, size: int, bits: int) -> tuple[Block, Block]:
        """See :meth:`GalerkinSpectrum.blocks`."""
        # A step of Laguerre's recurrence triples the width of an interval at worst.
        digits = int(0.302 * bits) + GUARD + (digits_lost(self.stencil, h) + size if method == "fd" else 0)
        context = interval_context(digits)
        ratio = self._ratio(context)
        weights = [(1 - ratio) / 2]
        for _ in range(size - 1):
            weights.append(weights[-1] * ratio)
        entries = self._ad(context, weights) if method == "ad" else self._fd(context, weights, h)
        parity = [[[entries[i][j] for j in range(p, i + 1, 2)] for i in range(p, size, 2)] for p in (0, 1)]
        return fixed_point(parity[0], bits), fixed_point(parity[1], bits)

    def _ad(self, context: Any, weights: list[Interval]) -> list[list[Interval]]:
        m = self.stencil.derivative
        unit = (self._scale_squared(context) / 2) ** m
        result = []
        for i in range(len(weights)):
            band = oscillator_power(2 * m, i)
            row = [context.mpf(0)] * (i + 1)
            for j in range(max(0, i - 2 * m), i + 1):
                # ⟨i|y^{2m}|j⟩ = 2^{-m} c √(j!/i!), c the coefficient of He_j in x^{2m} He_i
                root = weights[i] * weights[j] * lift(context, Fraction(factorial(j), factorial(i)))
                row[j] = unit * context.sqrt(root) * band.get(j, 0)
            result.append(row)
        return result

    def _fd(self, context: Any, weights: list[Interval], h: Fraction) -> list[list[Interval]]:
        n = len(weights)
        result = [[context.mpf(0)] * (i + 1) for i in range(n)]
        square = self._scale_squared(context) / 2
        for delta, c in self._squares.items():
            x = square * lift(context, (delta * h) ** 2)  # t²/2, cos(δ h w) = cos(t y)
            damping = context.exp(-x / 2)
            for d in range((n + 1) // 2):
                power = (-1) ** d * x**d * damping * lift(context, c)
                before, value = context.mpf(0), context.mpf(1)
                for j in range(n - 2 * d):
                    result[j + 2 * d][j] += power * value
                    before, value = value, ((2 * j + 1 + 2 * d - x) * value - (j + 2 * d) * before) / (j + 1)
        unit = lift(context, h) ** (2 * self.stencil.derivative)
        for i in range(n):
            for j in range(i % 2, i + 1, 2):
                root = weights[i] * weights[j] * lift(context, Fraction(factorial(j), factorial(i)))
                result[i][j] = result[i][j] * context.sqrt(root) / unit
        return result

    def trace_tail(self, method: Method, h: Fraction, size: int) -> Tail | None:
        """``K_ii`` is at most geometric from ``size`` on: ``⟨i|y^{2m}|i⟩`` sums falling factorials of i."""
        m = self.stencil.derivative
        context = interval_context(20)
        ratio = self._ratio(context)
        weight = (1 - ratio) * ratio**size / 2
        if method == "fd":
            theta = bounds(ratio).upper
            diagonal = weight * lift(context, self.stencil.norm1**2 / h ** (2 * m))
        else:
            if size < m:
                return None
            theta = bounds(ratio).upper * Fraction(size + 1, size + 1 - m)
            diagonal = weight * (self._scale_squared(context) / 2) ** m * oscillator_power(2 * m, size)[size]
        if not theta < 1:
            return None
        return Tail(bounds(diagonal).upper / (1 - theta), theta)


def oscillator_power(power: int, n: int) -> dict[int, int]:
    """``{j: c_j}`` with ``x^p He_n = Σ_j c_j He_j``, from ``x He_n = He_{n+1} + n He_{n-1}``.

    >>> oscillator_power(2, 1)
    {3: 1, 1: 3}
    """
    coefficients = {n: 1}
    for _ in range(power):
        result: dict[int, int] = {}
        for j, c in coefficients.items():
            result[j + 1] = result.get(j + 1, 0) + c
            if j:
                result[j - 1] = result.get(j - 1, 0) + j * c
        coefficients = result
    return coefficients


@dataclass(frozen=True)
class HermiteDiagonal(SolvableSpectrum):
    """The model of this module.

    Attributes:
        ratio: ρ in (0, 1).
        size: N, the number of features j = m … m+N-1; ``None`` (the default) for all of them.
        stencil: in one variable; its derivative is m >= 1 (default: the central second difference).

    Raises:
        InputError: values outside these ranges.
    """

    ratio: Fraction
    size: int | None = None
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
            raise InputError(
                "size: none; a determinant and a sum of squares by features need a number of them; allowed: 1, 2, …"
            )
        return self.size

    def tail(self, h: Fraction, size: int) -> Tail | None:
        """``t_{size+k} <= first * ratio**k``, k >= 0, for FD with all features; ``None`` where ``size`` is too small."""
        m, rho = self.stencil.derivative, self.ratio
        x = (h * max(abs(s) for s in self.stencil.offsets)) ** 2
        scale = 1 << 20
        # r = 1 - √(x/N) is nearly the best; it must leave ρ/r well under 1
        gap = max(Fraction(1, scale), min(Fraction(isqrt(x * scale**2 // max(size, 1)), scale), (1 - rho) / 2))
        r = 1 - gap
        theta = rho / r * Fraction(size + 1 + m, size + 1)
        if not theta < 1:
            return None
        context = interval_context(15)
        power = context.exp(context.log(lift(context, rho / r)) * size + lift(context, x * r / gap)) / lift(
            context, gap
        )
        column = bounds(power).upper * average_norm(self.stencil).upper ** 2 * rho**m * perm(size + m, m)
        return Tail(column / (1 - theta), theta)

    def listed(self, method: Method, h: Fraction | None, count: int, digits: int) -> Listed:
        """See :meth:`SolvableSpectrum.listed`.

        Raises:
            InputError: ``fd`` without a positive step.
            PrecisionCapError: eigenvectors not found to the precision needed, or more than ``MAX_SIZE`` features
                needed for the digits (:mod:`numerics.spectra.kernels` goes further).
        """
        step = checked_step(h, method)
        if method == "fd" and self.size is None:
            size, tail = self.truncation(step, count, digits)
            if size > MAX_SIZE:
                raise PrecisionCapError(
                    f"{size} features are needed for {digits} digits, and {MAX_SIZE} are allowed; ask for fewer digits"
                )
            found = _finite_difference(replace(self, size=size), step, digits)
            return Listed(tuple(Enclosure(v.lower, v.upper + tail.first) for v in found.values), tail)
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

    def truncation(self, h: Fraction, count: int, digits: int) -> tuple[int, Tail]:
        """How many features to list, at least ``count``, and the tail beyond: below ``10**-digits`` of an eigenvalue.

        Every AD mode is the square of a diagonal entry, which is at most the largest FD eigenvalue.
        """
        size, largest = max(count, 4), Fraction(0)
        while True:
            largest = max(largest, self.ad_mode(size))
            tail = self.tail(h, size)
            if tail is not None and tail.first / (1 - tail.ratio) * 10**digits < largest:
                return size, tail
            size += max(1, size // 16)

    def gap_sign(self, h: Fraction, *, power: Power = 1, rank: int | None = None, digits: int = 60) -> GapSign:
        """By enclosures: log-majorisation decides nothing."""
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
