r"""Gaussian weights and Gaussian points: Mehler's geometric spectrum, and its AD and FD versions.

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
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import factorial
from typing import Any

from theory.enclosures import Enclosure
from theory.entropy import Power
from theory.errors import InputError
from theory.solvable.common import (
    GUARD,
    Interval,
    Method,
    Tail,
    bounds,
    checked_step,
    interval_context,
    lift,
    squared_symbol,
)
from theory.solvable.galerkin import Block, GalerkinSpectrum, fixed_point
from theory.stencils import Stencil, central


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

    @cached_property
    def _squares(self) -> dict[Fraction, Fraction]:
        return squared_symbol(self.stencil)

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
        context = interval_context(digits + GUARD + self._loss(step))
        total = sum(
            (
                lift(context, c) * context.exp(lift(context, -delta * delta * step * step * self.weight_variance / 2))
                for delta, c in self._squares.items()
            ),
            context.mpf(0),
        )
        return bounds(total / lift(context, 2 * step ** (2 * m)))

    def _loss(self, h: Fraction) -> int:
        size = max(0, len(str(h.denominator)) - len(str(h.numerator)) + 1)
        return 2 * self.stencil.derivative * size

    def blocks(self, method: Method, h: Fraction, size: int, bits: int) -> tuple[Block, Block]:
        """See :meth:`GalerkinSpectrum.blocks`."""
        # A step of Laguerre's recurrence triples the width of an interval at worst.
        digits = int(0.302 * bits) + GUARD + (self._loss(h) + size if method == "fd" else 0)
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
