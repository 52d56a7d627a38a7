"""Round-off of finite-difference features and what follows from it: optimal step, floor of the spectrum, knee (ours).

The model. An entry ``D_h φ(x) = h^-m Σ_k c_k σ(z_k)``, ``z_k = w·(x + h s_k) + b``, is computed in an arithmetic of
unit round-off ``u = eps / 2``. To first order in ``u`` each value ``σ(z_k)`` is wrong by at most ``u S``, where
``S = max |σ| + |σ'| (2 |w·x| + |z|)``: one rounding of ``σ``, of ``x + h s_k``, of the product and of the sum. So the
entry is wrong by ``ρ h^-m`` with

* worst case ``ρ = u ‖c‖₁ S``, plus the roundings of the sum and of the weights (:func:`worst_case`);
* typical ``ρ = κ u ‖c‖₂ rms √(σ² + σ'² (2 (w·x)² + z²))``, ``κ = 1/√6``: independent roundings of uniformly distributed
  significands (:func:`typical`).

With the truncation error ``|e_p| D h^p``, ``D`` the size of the derivatives of order ``m + p``, the total is least at
``h* = (m ρ / (p |e_p| D))^(1/(p+m))``. Plain functions of floats, ``math`` alone; exact forms through sympy on request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import asin, atan2, inf, pi, sqrt
from typing import TYPE_CHECKING, Any

from theory.base.errors import InputError
from theory.stencils.stencil import Stencil

if TYPE_CHECKING:
    import sympy

Real = Any
"""A float, an array, or a symbol."""
UNIT_ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
"""Unit round-off ``u`` of rounding to nearest, by the name of the arithmetic."""
TYPICAL_FACTOR = 1 / sqrt(6)
"""``κ``: the root mean square of a relative rounding error, in ``u``, for uniformly distributed significands.

The error is uniform on ``± u 2^e`` with root mean square ``u 2^e / √3``, and the mean of ``(2^e / x)²`` for ``x``
uniform on ``[2^e, 2^(e+1)]`` is 1/2.
"""


def sensitivity(value: Real, slope: Real, product: Real, argument: Real) -> Real:
    """``S = |σ| + |σ'| (2 |w·x| + |z|)`` of feature values, from ``σ``, ``σ'``, ``w·x`` and ``z``: numbers or arrays."""
    return abs(value) + abs(slope) * (2 * abs(product) + abs(argument))


def typical_square(value: Real, slope: Real, product: Real, argument: Real) -> Real:
    """``σ² + σ'² (2 (w·x)² + z²)``, whose root stands for ``S`` in the typical model: numbers or arrays."""
    return value**2 + slope**2 * (2 * product**2 + argument**2)


def worst_case(s: Stencil, size: float, unit: float, largest: float | None = None) -> float:
    """``ρ`` with ``|δ entry| <= ρ h^-m`` to first order in the unit round-off.

    Args:
        s: the stencil.
        size: ``max S`` over the entry's arguments, see :func:`sensitivity`.
        unit: unit round-off ``u``, see :data:`UNIT_ROUNDOFF`.
        largest: ``max |σ|``; if given, the ``n - 1`` additions, the products with weights, the rounding of
            weights that are not floating-point numbers, and the division by ``h^m`` (itself rounded) are counted too.
    """
    rho = unit * float(s.norm1) * size
    if largest is None:
        return rho
    kept = [c for c in s.weights if c]
    inexact = any(c.denominator & (c.denominator - 1) for c in kept)
    products = any(abs(c) != 1 for c in kept)
    return rho + unit * float(s.norm1) * largest * (len(kept) - 1 + products + inexact + 2)


def typical(s: Stencil, root_mean_square: float, unit: float) -> float:
    """``ρ = κ u ‖c‖₂ rms``: the typical ``|δ entry| h^m``; good within a factor of about 2 away from saturation.

    Args:
        s: the stencil.
        root_mean_square: the root of the mean of :func:`typical_square` over the entries.
        unit: unit round-off.
    """
    return TYPICAL_FACTOR * unit * sqrt(s.norm2_squared) * root_mean_square


def leading_constant(s: Stencil) -> Fraction:
    """``|e_p|`` in one variable; in several the greatest of the leading coefficients."""
    return max(abs(e) for _, e in s.truncation(1)[0].coefficients)


def least_error_step(degree: int, order: int, rho: Real, constant: Real) -> Real:
    """``h* = (m ρ / (p C))^(1/(p+m))``, where ``C h^p + ρ h^-m`` is least: of numbers or symbols.

    There the second term is ``p / m`` times the first.
    """
    return (degree * rho / (order * constant)) ** Fraction(1, order + degree)


@dataclass(frozen=True)
class OptimalStep:
    """The step of least total error, and that error with its two parts.

    Attributes:
        step: ``h* = (m ρ / (p |e_p| D))^(1/(p+m))``.
        truncation: ``|e_p| D h*^p``.
        roundoff: ``ρ h*^-m``, which is ``p / m`` times the truncation.
    """

    step: float
    truncation: float
    roundoff: float

    @property
    def error(self) -> float:
        """The total error at the optimal step."""
        return self.truncation + self.roundoff


def optimal_step(s: Stencil, rho: float, derivative: float) -> OptimalStep:
    """``h*`` and the least total error, for any stencil of a derivative of order at least 1.

    Raises:
        InputError: ``rho`` or ``derivative`` not positive and finite, or the derivative 0.

    >>> from theory.stencils.stencil import stencil
    >>> round(optimal_step(stencil(2, [-1, 0, 1]), 4 * 2.0**-53, 1.0).step, 7)
    0.0002702
    """
    for name, value in (("rho", rho), ("derivative", derivative)):
        if not 0 < value < inf:
            raise InputError(f"{name}: {value} is not allowed; a positive finite number")
    m, p = s.degree, s.order
    if m == 0:
        raise InputError("optimal step: an interpolation has none, since its round-off does not grow as h falls")
    constant = float(leading_constant(s)) * derivative
    step = least_error_step(m, p, rho, constant)
    return OptimalStep(step, constant * step**p, rho / step**m)


def optimal_step_expression(s: Stencil) -> tuple[sympy.Expr, sympy.Expr]:
    """``h*`` and the least total error in closed form, in the positive symbols ``rho`` and ``D``; exact.

    >>> from theory.stencils.stencil import stencil
    >>> optimal_step_expression(stencil(2, [-1, 0, 1]))[0]
    sqrt(2)*3**(1/4)*rho**(1/4)/D**(1/4)
    """
    import sympy

    m, p = s.degree, s.order
    if m == 0:
        raise InputError("optimal step: an interpolation has none, since its round-off does not grow as h falls")
    rho, size = sympy.symbols("rho D", positive=True)
    e = leading_constant(s)
    constant = sympy.Rational(e.numerator, e.denominator) * size
    step = least_error_step(m, p, rho, constant)
    return step, constant * step**p * sympy.Rational(m + p, m)


def spectral_floor(tau: float, rows: int, columns: int) -> float:
    """``τ (√N + √M)``: where the small singular values of ``A_FD`` flatten, the norm of a matrix of noise ``τ``."""
    return tau * (sqrt(rows) + sqrt(columns))


def knee(singular_values: Sequence[float], tau: float, rows: int, columns: int) -> int:
    """The first index (from 0) with ``σ_k(A_AD)`` under the floor; ``len(singular_values)`` if there is none.

    Args:
        singular_values: those of ``A_AD``, descending.
        tau: size of the error of the entries of ``A_FD``.
        rows: N.
        columns: M.
    """
    level = spectral_floor(tau, rows, columns)
    return next((k for k, value in enumerate(singular_values) if value < level), len(singular_values))


@lru_cache(maxsize=65536)
def marchenko_pastur_quantile(level: float, rows: int, columns: int) -> float:
    """Singular values of an ``rows × columns`` matrix of independent noise of size 1: the quantile at ``level``.

    The law of Marchenko and Pastur (1967) for large sizes, the quarter circle for square matrices; the value lies
    between ``|√rows - √columns|`` and ``√rows + √columns``.

    Args:
        level: in [0, 1]; the fraction of the ``min(rows, columns)`` singular values that are smaller.

    Raises:
        InputError: a level outside [0, 1] or an empty matrix.
    """
    if not 0 <= level <= 1 or min(rows, columns) < 1:
        raise InputError(f"noise quantile: level {level} of {rows} x {columns}; a level in [0, 1] and sizes from 1")
    small, large = min(rows, columns), max(rows, columns)
    lo, hi = sqrt(large) - sqrt(small), sqrt(large) + sqrt(small)
    a, b = lo * lo, hi * hi
    value, last = (lo + hi) / 2, 0.0
    while lo < value < hi and value != last:
        excess = marchenko_pastur_distribution(value, rows, columns) - level
        lo, hi = (value, hi) if excess < 0 else (lo, value)
        x, last = value * value, value
        density = sqrt(max(0.0, (x - a) * (b - x))) / (pi * small * value)  # of values, not of their squares
        value -= excess / density if density > 0 else 0.0
        if not lo <= value <= hi:
            value = (lo + hi) / 2
    return value


def marchenko_pastur_distribution(value: float, rows: int, columns: int) -> float:
    """The distribution function inverted by :func:`marchenko_pastur_quantile`, in closed form.

    With ``n <= N`` the sizes, ``a, b = (√N ∓ √n)²`` and ``x = value²`` the density of ``x`` is
    ``√((x-a)(b-x)) / (2π n x)``, integrated by elementary functions.
    """
    n, large = min(rows, columns), max(rows, columns)
    a, b = (sqrt(large) - sqrt(n)) ** 2, (sqrt(large) + sqrt(n)) ** 2
    x = value * value
    if value <= 0 or x <= a:
        return 0.0
    if x >= b:
        return 1.0
    root = sqrt((x - a) * (b - x))
    # ∫ √((x-a)(b-x))/x dx = √… + (a+b)/2 asin((2x-a-b)/(b-a)) - √(ab) asin(((a+b)x-2ab)/(x(b-a)))
    centre = asin(max(-1.0, min(1.0, (2 * x - a - b) / (b - a)))) + pi / 2
    tail = 0.0
    if a > 0:
        sine = ((a + b) * x - 2 * a * b) / (x * (b - a))
        tail = sqrt(a * b) * (atan2(sine, sqrt(max(0.0, 1 - sine * sine))) + pi / 2)
    return max(0.0, min(1.0, (root + (a + b) / 2 * centre - tail) / (2 * pi * n)))


def marchenko_pastur_values(tau: float, rows: int, columns: int) -> list[float]:
    """Singular values of a matrix of independent noise ``tau``, descending: the quantiles at the levels ``(j + 1/2) / n``."""
    n = min(rows, columns)
    return [tau * marchenko_pastur_quantile(1 - (j + 0.5) / n, rows, columns) for j in range(n)]
