"""``|m(θ)|²``, the squared modulus of the Fourier symbol of a stencil in one variable, in integers.

Up to a shift, which ``|m|`` does not see, the nodes are ``s_k = a_k g / Q`` with coprime integers ``a_k``; the weights
are ``c_k = b_k / W``. With ``2^e`` just above ``max a - min a`` and ``θ = (Q / g) ψ / 2^e``,

    |m|² = |Σ b_k e^{i a_k ψ / 2^e}|² / (scale ψ^{2m}),

so that the features of the function are of size 1 in ``ψ``. Its Taylor coefficients are exact rationals with a bound of
the tail; away from 0 it is bounded on boxes with dyadic ends, with cosines and sines from mpmath's interval functions
and everything else in integers and rationals.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import comb, cos, factorial, gcd, isqrt, lcm, sin

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.stencils.stencil import Stencil

_ROOT_BITS = 24
"""Bits after the point of :meth:`SquaredModulus.far`."""


@dataclass(frozen=True)
class SquaredModulus:
    """``|m|²`` as ``|Σ b_k e^{i a_k ψ / 2^e}|² / (scale ψ^{2m})``, ``θ = unit ψ``.

    Attributes:
        degree: ``m``, at least 1.
        nodes: the ``a_k``, ascending, coprime differences, about 0.
        weights: the ``b_k``, none zero.
        exponent: ``e``, with ``max a - min a <= 2^e``.
        scale: such that the value at 0 is 1.
        unit: ``θ / ψ``.
    """

    degree: int
    nodes: tuple[int, ...]
    weights: tuple[int, ...]
    exponent: int
    scale: Fraction
    unit: Fraction

    @cached_property
    def norm1(self) -> int:
        """``Σ |b_k|``."""
        return sum(map(abs, self.weights))

    @cached_property
    def fourth(self) -> Fraction:
        """A bound of the fourth derivative of ``|f|²`` in ``ψ``, over 4!; ``f`` is the sum of waves."""
        terms = list(zip(self.nodes, self.weights, strict=True))
        total = sum(abs(b * e) * (a - c) ** 4 for a, b in terms for c, e in terms)
        return Fraction(total, 24 << (4 * self.exponent))

    @cached_property
    def _moments(self) -> dict[int, int]:
        return {}

    def moment(self, power: int) -> int:
        """``Σ b_k a_k^power``."""
        if power not in self._moments:
            self._moments[power] = sum(b * a**power for a, b in zip(self.nodes, self.weights, strict=True))
        return self._moments[power]

    def taylor(self, j: int) -> Fraction:
        """The coefficient ``α_j`` of ``ψ^{2j}`` in ``|m|²``; 1 for ``j = 0``."""
        n = 2 * (self.degree + j)
        total = sum((-1) ** i * comb(n, i) * self.moment(i) * self.moment(n - i) for i in range(n + 1))
        signed = -total if (self.degree + j) % 2 else total
        return Fraction(signed, factorial(n) << (n * self.exponent)) / self.scale

    def rounded_taylor(self, last: int, bits: int) -> tuple[list[Fraction], list[Fraction]]:
        """``α_0 ... α_last`` up to errors that are returned too; ``bits`` is the precision of the moments.

        The exact moments are long where nodes have a large common denominator.
        """
        count = 2 * (self.degree + last) + 1
        powers = [1 << bits] * len(self.nodes)  # of a_k / 2^e, which is at most 1; off by at most i after i steps
        moments = []
        for _ in range(count):
            moments.append(sum(b * p for b, p in zip(self.weights, powers, strict=True)))
            powers = [(p * a) >> self.exponent for p, a in zip(powers, self.nodes, strict=True)]
        values, errors = [], []
        for j in range(last + 1):
            n = 2 * (self.degree + j)
            total = sum((-1) ** i * comb(n, i) * moments[i] * moments[n - i] for i in range(n + 1))
            signed = -total if (self.degree + j) % 2 else total
            values.append(Fraction(signed, factorial(n) << (2 * bits)) / self.scale)
            # a moment is at most ‖b‖₁ and off by at most n ‖b‖₁ units; the sum of the binomials is 2^n
            error = Fraction(self.norm1**2 * (2 * n + 1) << n, factorial(n) << bits) / self.scale
            errors.append(error)
        return values, errors

    def tail(self, last: int, x: Fraction) -> Fraction | None:
        """A bound of ``Σ_{j > last} |α_j| x^j``, None if ``last`` is too small for it."""
        n = 2 * (self.degree + last + 1)
        if 2 * x > (n + 1) * (n + 2):
            return None
        # the distances a_i - a_j are at most 2^e, and each further term is at most half the one before
        return Fraction(2 * self.norm1**2, factorial(n)) * x ** (last + 1) / self.scale

    @cached_property
    def leading(self) -> tuple[int, Fraction]:
        """The first ``j >= 1`` with a non-zero Taylor coefficient, and that coefficient."""
        j = 1
        while not (value := self.taylor(j)):
            j += 1  # ends: |m|² decays, so it is not constant
        return j, value

    def far(self, bound: Fraction) -> Fraction:
        """``ψ`` beyond which ``|m|² <= bound`` if it is before: as ``|m| <= ‖c‖₁ / θ^m``, or half a period.

        The numerator is even and periodic, of period ``2π 2^e``, and the denominator grows: every value of ``|m|``
        beyond half a period is at most one within it.
        """
        ratio = self.norm1**2 / (self.scale * bound)
        return min(_root_above(ratio, 2 * self.degree), Fraction(22 << self.exponent, 7))

    def approximate(self, psi: float) -> float:
        """``|m|²`` to a few digits at least, as a guess: without error bound.

        Raises:
            PrecisionCapError: beyond the range of float64.
        """
        try:
            return self._approximate(psi)
        except OverflowError as error:
            raise PrecisionCapError("symbol: |m| is beyond float64, which guesses where it is large") from error

    def _approximate(self, psi: float) -> float:
        if psi < 4:
            return sum(value * psi ** (2 * j) for j, value in enumerate(self._float_series))
        power = psi ** (2 * self.degree)
        if not power > 1e-24 * self._float_size:  # cancellation: float64 would show noise
            return float(value_at(self, Fraction(psi), 30).upper)
        re = sum(b * cos(a * psi) for a, b in self._float_terms)
        im = sum(b * sin(a * psi) for a, b in self._float_terms)
        return (re * re + im * im) / power

    def is_noisy(self, psi: float) -> bool:
        """Whether cancellation or underflow would leave noise in float64, so that the slow way is taken."""
        return psi >= 4 and not psi ** (2 * self.degree) > 1e-24 * self._float_size

    @cached_property
    def _float_size(self) -> float:
        return float(self.norm1**2 / self.scale)

    @cached_property
    def _float_terms(self) -> list[tuple[float, float]]:
        return [
            (a / 2**self.exponent, float(b * b / self.scale) ** 0.5 * (1 if b > 0 else -1))
            for a, b in zip(self.nodes, self.weights, strict=True)
        ]

    @cached_property
    def _float_series(self) -> list[float]:
        return [float(self.taylor(j)) for j in range(24)]


def _root_above(x: Fraction, n: int) -> Fraction:
    """A dyadic rational a little above the ``n``-th root of ``x > 0``."""
    power: Fraction = x * (1 << _ROOT_BITS * n)
    length = power.numerator.bit_length() - power.denominator.bit_length()
    low, high = 0, 1 << max(0, length // n + 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if pow(middle, n) < power else (low, middle)
    return Fraction(high, 1 << _ROOT_BITS)


def squared_modulus(s: Stencil) -> SquaredModulus:
    """``|m|²`` of a stencil in one variable, of a derivative of order at least 1.

    Raises:
        InputError: several variables, or the derivative 0.
    """
    if s.derivative < 1:
        raise InputError("symbol: bounds need a derivative of order at least 1")
    kept = sorted((x, c) for x, c in zip(s.offsets, s.weights, strict=True) if c)
    q = lcm(*(x.denominator for x, _ in kept))
    w = lcm(*(c.denominator for _, c in kept))
    a = [int(x * q) for x, _ in kept]
    g = gcd(*(x - a[0] for x in a))
    width = (a[-1] - a[0]) // g
    exponent = (width - 1).bit_length()
    unit = Fraction(q, g << exponent)
    return SquaredModulus(
        s.degree,
        tuple((x - a[0]) // g - width // 2 for x in a),
        tuple(int(c * w) for _, c in kept),
        exponent,
        (s.target[0][1] * w) ** 2 * unit ** (2 * s.degree),
        unit,
    )


class Boxes:
    """Bounds of ``F(ψ) = bound scale ψ^{2m} - |f(ψ)|²``, ``f = Σ b_k e^{i a_k ψ / 2^e}``, on boxes.

    Args:
        f: the squared modulus.
        bound: the bound compared with.
        nearest: the least ``ψ`` that will be asked for.
        bits: how much finer the cosines and sines are than the least ``bound scale ψ^{2m} / ‖b‖₁²``.
    """

    def __init__(self, f: SquaredModulus, bound: Fraction, nearest: Fraction, bits: int) -> None:
        self.f = f
        self.factor = bound * f.scale
        size = f.norm1**2 / (self.factor * nearest ** (2 * f.degree))
        self.bits = bits + max(0, size.numerator.bit_length() - size.denominator.bit_length())
        # S_j bounds the sum Σ b_k (a_k / 2^e)^j e^{...}, whose parts are each within S_j unit; so the real part of a
        # product of two errs by at most 2 (S_i S_j unit + S_i unit S_j + S_i unit S_j unit), the imaginary part too
        sums = [
            Fraction(sum(abs(b * a**j) for a, b in zip(f.nodes, f.weights, strict=True)), 1 << (j * f.exponent))
            for j in range(4)
        ]
        unit = Fraction(1, 1 << self.bits)

        def error(i: int, j: int) -> Fraction:
            return 2 * sums[i] * sums[j] * unit * (2 + unit)

        self.errors = (
            error(0, 0),
            2 * error(0, 1),
            error(1, 1) + error(0, 2),
            error(0, 3) / 3 + error(1, 2),
        )

    def _sums(self, psi: Fraction) -> list[tuple[int, int]]:
        """``Σ b_k a_k^j e^{i a_k ψ / 2^e}``, ``j < 4``, real and imaginary parts in units ``2^-bits``."""
        totals = [[0, 0] for _ in range(4)]
        for a, b, (c, s) in zip(self.f.nodes, self.f.weights, self._rotations(psi), strict=True):
            for total in totals:
                total[0] += b * c
                total[1] += b * s
                b *= a
        return [(re, im) for re, im in totals]

    def _rotations(self, psi: Fraction) -> list[tuple[int, int]]:
        """``e^{i a_k ψ / 2^e}`` for the ascending nodes, each part within one unit ``2^-bits``.

        Each is the one before times the rotation by the gap, of which there are few when nodes are equidistant;
        a step adds at most 4 units of the working precision, which has 16 bits more (enough for 4096 nodes).
        """
        work = self.bits + 16
        phi = psi / (1 << self.f.exponent)
        gaps: dict[int, tuple[int, int]] = {}
        c, s = cos_sin(self.f.nodes[0] * phi, work)
        found = [(c, s)]
        for a, b in pairwise(self.f.nodes):
            if b - a not in gaps:
                gaps[b - a] = cos_sin((b - a) * phi, work)
            u, v = gaps[b - a]
            c, s = (c * u - s * v) >> work, (c * v + s * u) >> work
            found.append((c, s))
        half = 1 << 15
        return [((c + half) >> 16, (s + half) >> 16) for c, s in found]

    def taylor(self, psi: Fraction) -> list[Fraction]:
        """The coefficients ``F_0 ... F_3`` at ``ψ``, each within ``errors``."""
        n = 2 * self.f.degree
        return [
            (self.factor * comb(n, j) * psi ** (n - j) if j <= n else 0) - value
            for j, value in enumerate(self.numerator_taylor(psi))
        ]

    def numerator_taylor(self, psi: Fraction) -> tuple[Fraction, ...]:
        """The first four Taylor coefficients of ``|f|²`` at ``ψ``, each within ``errors``."""
        d = self._sums(psi)

        def real(i: int, j: int) -> int:
            return d[i][0] * d[j][0] + d[i][1] * d[j][1]

        def imaginary(i: int, j: int) -> int:
            return d[i][0] * d[j][1] - d[i][1] * d[j][0]

        # f = d0 + i d1 τ - d2 τ²/2 - i d3 τ³/6 with τ the distance from ψ, in units 2^-e of the nodes
        numerators = (
            3 * real(0, 0),
            -6 * imaginary(0, 1),
            3 * (real(1, 1) - real(0, 2)),
            imaginary(0, 3) - 3 * imaginary(1, 2),
        )
        return tuple(Fraction(v, 3 << (2 * self.bits + j * self.f.exponent)) for j, v in enumerate(numerators))

    def minimum(self, middle: Fraction, r: Fraction) -> tuple[Fraction, Fraction]:
        """Lower bound of ``F`` on ``[middle - r, middle + r]`` (within positive ``ψ``); upper bound at the middle."""
        f0, f1, f2, f3 = self.taylor(middle)
        e0, e1, e2, e3 = self.errors
        # the fourth derivative of ψ^{2m} is not negative, so only the one of |f|² counts
        curvature = f2 - e2 - (abs(f3) + e3) * r - self.f.fourth * r * r
        slope = abs(f1) + e1
        if curvature > 0 and slope < 2 * curvature * r:
            lowest = -slope * slope / (4 * curvature)
        else:
            lowest = -slope * r + curvature * r * r
        return f0 - e0 + lowest, f0 + e0


def cos_sin(x: Fraction, bits: int) -> tuple[int, int]:
    """``cos x`` and ``sin x`` in units of ``2^-bits``, each within one unit, from mpmath's interval functions.

    Raises:
        PrecisionCapError: the interval functions returned wider enclosures than that.
    """
    from mpmath.libmp import from_man_exp, from_rational, mpi_cos_sin

    # the ends lose as many bits as x has before the point
    precision = bits + 8 + max(0, x.numerator.bit_length() - x.denominator.bit_length() + 1)
    exponent = x.denominator.bit_length() - 1
    if x.denominator == 1 << exponent:
        point = from_man_exp(x.numerator, -exponent)
        ends = (point, point)
    else:
        ends = tuple(from_rational(x.numerator, x.denominator, precision, rounding) for rounding in "fc")
    result = []
    for low, high in mpi_cos_sin(ends, precision):
        below, above = _floor(low, bits), -_floor((1 - high[0], *high[1:]), bits)
        if above - below > 2:
            raise PrecisionCapError(f"symbol: the enclosure of a cosine is wider than 2^-{bits}")
        result.append((below + above) >> 1)
    return result[0], result[1]


def _floor(x: tuple[int, int, int, int], bits: int) -> int:
    """The floor of ``2^bits`` times a number of mpmath's: (sign, mantissa, exponent, length)."""
    sign, mantissa, exponent, _ = x
    value, shift = (-int(mantissa) if sign else int(mantissa)), exponent + bits
    return value << shift if shift >= 0 else value >> -shift


def value_at(f: SquaredModulus, psi: Fraction, bits: int) -> Enclosure:
    """``|m|²`` at one ``ψ > 0``, enclosed with an absolute error of about ``2^-bits``."""
    boxes = Boxes(f, Fraction(1), psi, bits)
    size = f.scale * psi ** (2 * f.degree)
    value, error = boxes.numerator_taylor(psi)[0] / size, boxes.errors[0] / size
    return Enclosure(max(Fraction(0), value - error), value + error)


def square_root(x: Fraction, bits: int) -> Enclosure:
    """The square root of ``x >= 0`` between two dyadic rationals ``2^-bits`` apart."""
    root = isqrt((x.numerator << (2 * bits)) // x.denominator)
    return Enclosure(Fraction(root, 1 << bits), Fraction(root + 1, 1 << bits))
