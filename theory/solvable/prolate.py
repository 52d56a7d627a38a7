"""Uniform weights and uniform points: the sinc kernel with its prolate spectrum, and its AD and FD versions.

Features ``sin(w x + b)``, w ~ U(-R, R), b uniform on a period, x ~ U(-X, X): ``K(x, y) = ½
sin(R(x-y))/(R(x-y))``, the kernel of the prolate spheroidal functions of D. Slepian and H. Pollak (Bell
Syst. Tech. J. 40 (1961) 43) with c = RX. In the orthonormal Legendre basis ``√(2i+1) P_i(x/X)`` the matrix
of ``K``, ``K_AD``, ``K_FD`` is (ours)

``½ √((2i+1)(2j+1)) (-1)^{(i-j)/2} E[g(w) j_i(wX) j_j(wX)]``, i - j even, g = 1, w^{2m}, ``|Σ c_k e^{i s_k
hw}|²/h^{2m}``,

as ``∫ P_i(x/X) e^{iwx} dx/2X = i^i j_i(wX)`` (DLMF 18.17.19). The product of two spherical Bessel functions
has rational Taylor coefficients (DLMF 10.8.3) and the even moments of g are rational series, so every entry
is rational but for the square root; entries decay like ``c^{i+j}/((2i+1)!! (2j+1)!!)``. Fixed-point integers
throughout.

*Ratios* (Ostrowski): for the symbol ``sinc^m(θ/2)``, m even, and ``Rh <= 2π``, every eigenvalue ratio FD/AD
lies in ``[sinc^{2m}(Rh/2), 1]``, as ``g_FD / g_AD`` decreases in |w| there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from math import factorial, isqrt

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, NonexistenceError
from theory.solvable.galerkin import Block, GalerkinSpectrum
from theory.solvable.model import (
    GUARD,
    Method,
    Tail,
    bounds,
    checked_step,
    digits_lost,
    has_sinc_symbol,
    interval_context,
    lift,
)
from theory.stencils import Stencil, central


@dataclass(frozen=True)
class Prolate(GalerkinSpectrum):
    """The model of this module.

    Attributes:
        band: R, positive.
        half_width: X, positive.
        stencil: in one variable; its derivative is m (``central(0)`` gives K itself).

    Raises:
        InputError: a band or half width that is not positive.
    """

    band: Fraction
    half_width: Fraction = Fraction(1)
    stencil: Stencil = field(default_factory=lambda: central(2))

    def __post_init__(self) -> None:
        for name, value in (("band", self.band), ("half_width", self.half_width)):
            if not value > 0:
                raise InputError(f"{name}: {value}; allowed: positive")

    @property
    def concentration(self) -> Fraction:
        """``c = R X``."""
        return self.band * self.half_width

    def ratio_range(self, h: Fraction, digits: int = 30) -> Enclosure:
        """``[sinc^{2m}(Rh/2), 1]``, which contains the ratio FD/AD at every index.

        Raises:
            NonexistenceError: ``Rh > 2π``, or a symbol that is not ``sinc^m(θ/2)`` with m even.
        """
        step, m = checked_step(h, "fd"), self.stencil.derivative
        context = interval_context(digits + GUARD)
        if not has_sinc_symbol(self.stencil):
            raise NonexistenceError("ratio range: allowed: central stencils with the symbol sinc^m, m even")
        if not lift(context, self.band * step) <= 2 * context.pi:
            raise NonexistenceError("ratio range: R h exceeds 2π, where sinc is no longer monotone")
        angle = lift(context, self.band * step / 2)
        return Enclosure(max(Fraction(0), bounds((context.sin(angle) / angle) ** (2 * m)).lower), Fraction(1))

    def trace(self, method: Method, h: Fraction | None = None, digits: int = 30) -> Enclosure:
        """``½ R^{2m}/(2m+1)``, or ``½ Σ C_δ sinc(δhR) / h^{2m}``."""
        step, m = checked_step(h, method), self.stencil.derivative
        if method == "ad":
            exact = self.band ** (2 * m) / (2 * (2 * m + 1))
            return Enclosure(exact, exact)
        context = interval_context(digits + GUARD + digits_lost(self.stencil, step))
        total = context.mpf(0)
        for delta, c in self._squares.items():
            angle = lift(context, delta * step * self.band)
            total += lift(context, c) * (context.sin(angle) / angle if delta else 1)
        return bounds(total / lift(context, 2 * step ** (2 * m)))

    def blocks(self, method: Method, h: Fraction, size: int, bits: int) -> tuple[Block, Block]:
        """See :meth:`GalerkinSpectrum.blocks`."""
        c2 = self.concentration**2
        terms = 1
        while c2 * 2 > Fraction((2 * terms + 3) * (terms + 1), 2):  # from here on terms at least halve
            terms += 1
        places = bits + 16 + 2 * size.bit_length()
        moments, slack = self._moments(method, h, size + terms + places, places)
        total: list[Block] = []
        for parity in (0, 1):
            indices = range(parity, size, 2)
            matrix = [[0] * len(indices) for _ in indices]
            worst = Fraction(0)
            for a, i in enumerate(indices):
                for b in range(a + 1):
                    value, error = _bessel_series(indices[b], i, moments, slack, terms)
                    weight = (2 * i + 1) * (2 * indices[b] + 1)
                    # ½ √weight · value, the root to `places` binary places
                    root = isqrt(weight << (2 * places))
                    scaled = (root * abs(value)) >> (2 * places - bits + 1)
                    sign = (-1) ** ((i - indices[b]) // 2) * (1 if value >= 0 else -1)
                    matrix[a][b] = matrix[b][a] = sign * scaled
                    bound = Fraction(isqrt(weight) + 1, 2) * Fraction(error, 1 << places)
                    worst = max(worst, bound + Fraction(abs(value) + error, 1 << (2 * places)) + Fraction(1, 1 << bits))
            total.append((matrix, len(indices) * worst))
        return total[0], total[1]

    def _moments(self, method: Method, h: Fraction, count: int, places: int) -> tuple[Callable[[int], int], int]:
        """``E[g(w) (wX)^{2p}]`` for p < ``count`` in units of ``2**-places``, each within ``slack`` units."""
        m = self.stencil.derivative
        series = [(2 * m, Fraction(self.band ** (2 * m)))]
        if method == "fd":
            # g = Σ_n γ_n w^n, n even. What is left out from n on is below twice its first term, once terms halve.
            series, n, x = [], 2 * m, max(self._squares) * h * self.band
            norm = sum((abs(c) for c in self._squares.values()), Fraction(0)) / h ** (2 * m)
            biggest = _short(max(Fraction(1), self.concentration) ** 2) ** count
            while 2 * x * x > (n + 1) * (n + 2) or 2 * norm * x**n / factorial(n) * biggest * 2**places >= 1:
                gamma = sum((c * delta**n for delta, c in self._squares.items()), Fraction(0))
                sign = -1 if n % 4 else 1
                series.append((n, sign * gamma * (h * self.band) ** n / (factorial(n) * h ** (2 * m))))
                n += 2
        c2 = self.concentration**2

        @cache
        def moment(p: int) -> int:
            exact = sum((value / (n + 2 * p + 1) for n, value in series), Fraction(0)) * c2**p
            return (exact.numerator << places) // exact.denominator

        return moment, 3

    def trace_tail(self, method: Method, h: Fraction, size: int) -> Tail | None:
        """``K_ii <= ½ (2i+1) G c^{2i} / ((2i+1)!!)²`` by ``|j_i(z)| <= |z|^i / (2i+1)!!`` (DLMF 10.14.4), G = sup g."""
        m, c2 = self.stencil.derivative, self.concentration**2
        theta = c2 / ((2 * size + 1) * (2 * size + 3))
        if not theta < 1:
            return None
        sup = self.band ** (2 * m) if method == "ad" else self.stencil.norm1**2 / h ** (2 * m)
        odd = factorial(2 * size + 1) // (2**size * factorial(size))
        diagonal = Fraction(2 * size + 1, 2) * sup * c2**size / odd**2
        return Tail(_short(diagonal / (1 - theta)), _short(theta))


def _short(x: Fraction) -> Fraction:
    """An upper bound with 64 significant bits: the exact numbers grow without need."""
    shift = 64 - (x.numerator.bit_length() - x.denominator.bit_length())
    scale = Fraction(2) ** shift
    return Fraction(-(-(x * scale).numerator // (x * scale).denominator)) / scale


def _bessel_series(i: int, j: int, moments: Callable[[int], int], slack: int, terms: int) -> tuple[int, int]:
    """``Σ_k (-1)^k T_k μ_{(i+j)/2+k}`` in units of the moments, i <= j of equal parity, and its error in units.

    ``T_k = (i+j+2k+1)! / (k! (i+j+k+1)! (2i+2k+1)!! (2j+2k+1)!!)``, at most 1 and with the ratio of the k-th
    to the next term of the series at most ``2c² / ((2k+3)(k+1))``; from ``terms`` on that is at most ½, and
    what is left out is at most the last term.
    """
    p = (i + j) // 2
    double = _odd_product(i) * _odd_product(j)
    t_numerator, t_denominator = 1, double
    value, error, k = 0, 0, 0
    while True:
        term = t_numerator * moments(p + k) // t_denominator
        value += -term if k % 2 else term
        error += slack + 1
        if k >= terms and abs(term) <= 1:
            return value, error + abs(term) + slack + 1
        t_numerator *= (i + j + 2 * k + 2) * (i + j + 2 * k + 3)
        t_denominator *= (k + 1) * (i + j + k + 2) * (2 * i + 2 * k + 3) * (2 * j + 2 * k + 3)
        k += 1


def _odd_product(n: int) -> int:
    """``(2n+1)!!``."""
    return factorial(2 * n + 1) // (factorial(n) << n)
