"""How far the kernel of M random features is from its limit: E‖A Aᵀ/M − K‖²_F = V/M, V in closed form or enclosed.

For one feature with the values ``a_i = Lφ(x_i)`` (or ``L_h φ(x_i)``), ``K_il = E a_i a_l`` and ``V = Σ_il Var(a_i a_l) =
E‖a‖⁴ − ‖K‖²_F``; the mean of M independent copies of ``a aᵀ`` has the M-th part of that variance.

One dimension.  ``a_i = Σ_t c_t w^k σ^(k)(w ξ_t + b)`` with exact rationals, so ``a_i² a_l²`` is

- for sin, cos and exp a sum of ``w^k e^{iwξ} e^{iβb}``: moments of the laws under the Fourier transform (products of sines
  are sums of cosines);
- for ``e^{-z²/2}`` and normal laws a polynomial times a Gaussian: a determinant and moments of the tilted normal law;
- in any case, an integral in b, and in w, by FLINT's certified integrator: the second route (seconds where both laws have
  a density).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, lru_cache
from itertools import product
from math import comb, factorial
from typing import Any, Literal

import flint
import sympy as sp

from numerics.arithmetic.backends import BallBackend
from numerics.arithmetic.balls import ball, enclose
from numerics.matrices.assemble import cancellation_digits
from numerics.problem.drawn import interior_points
from numerics.problem.problem import Method, Problem
from theory.base.errors import InputError
from theory.base.expressions import evaluate
from theory.features.activations import z
from theory.features.laws import Constant, Discrete, Laplace, Law, Normal, Uniform

Route = Literal["closed", "integral"]
Atom = tuple[Fraction, int, Fraction]
"""``(c, k, ξ)`` for ``c w^k σ^(k)(w ξ + b)``."""
Waves = Mapping[tuple[int, Fraction, int], tuple[Fraction, Fraction]]
"""``{(k, ξ, β): (p, q)}`` for ``Σ (p + iq) w^k e^{i(wξ + βb)}``, without the i in the exponent for exp."""
GUARD = 40
"""Bits beyond those asked for and those that cancel."""


def atoms(problem: Problem, method: Method) -> list[tuple[Atom, ...]]:
    """The value of the operator, or of the difference, of a feature at each interior point.

    Raises:
        InputError: several dimensions, or coefficients that are not rational at a point.
    """
    if problem.dimension != 1:
        raise InputError("variance of the kernel: one dimension is allowed")
    found = []
    for (x,) in interior_points(problem):
        row: list[Atom] = []
        if method == "ad":
            for (order,), coefficient in problem.operator.terms:
                row.append((_at(problem, coefficient, x), order, x))
        else:
            for term in problem.difference.terms:
                c = _at(problem, term.coefficient, x)
                row += [
                    (c * weight / term.scale, 0, x + shift)
                    for weight, (shift,) in zip(term.weights, term.shifts, strict=True)
                ]
        found.append(tuple(row))
    return found


def _at(problem: Problem, coefficient: sp.Expr, x: Fraction) -> Fraction:
    value = coefficient.subs(problem.operator.symbols[0], sp.Rational(x.numerator, x.denominator))
    if not value.is_Rational:
        raise InputError(f"variance of the kernel: the coefficient {coefficient} is not rational at {x}")
    return Fraction(int(value.p), int(value.q))


def entry_variances(problem: Problem, method: Method, route: Route = "closed") -> Callable[[int], flint.arb_mat]:
    """``Var(a_i a_l)`` for all pairs of interior points; their sum over M is ``E‖A Aᵀ/M − K‖²_F``.

    Args:
        problem: in one dimension, with laws; boundary rows play no part.
        method: exact derivatives or differences.
        route: ``closed`` where there is a closed form, ``integral`` for the certified integrator in any case.

    Raises:
        InputError: no closed form is known, or a law that the integrator does not take.
        NonexistenceError: a fourth moment is infinite.
    """
    weights, biases = problem.weights, problem.biases
    if not (isinstance(weights, Law) and isinstance(biases, Law)):
        raise InputError("variance of the kernel: laws of weights and biases are needed; features are given as values")
    rows, name = atoms(problem, method), problem.activation.name
    if route == "integral":
        mean = _integral(problem, weights, biases)
    elif name in ("sin", "cos", "exp"):
        mean = _waves(name, weights, biases)
    elif name == "gaussian" and isinstance(weights, Normal) and isinstance(biases, Normal):
        mean = _gaussian(weights, biases)
    else:
        raise InputError(f"variance of the kernel: no closed form for {name} with {weights} and {biases}")
    extra = int(4 * cancellation_digits(problem, method) * 3.33) + GUARD

    def entries(bits: int) -> flint.arb_mat:
        with flint.ctx.workprec(bits + extra):
            n = len(rows)
            table = [[flint.arb(0)] * n for _ in range(n)]
            for i in range(n):
                for k in range(i + 1):
                    one = mean((rows[i], rows[k]))
                    table[i][k] = table[k][i] = mean((rows[i], rows[i], rows[k], rows[k])) - one * one
            return flint.arb_mat(table)

    return entries


Mean = Callable[[tuple[tuple[Atom, ...], ...]], flint.arb]
"""The expectation of a product of rows, at the precision in force."""

# --- sin, cos, exp ------------------------------------------------------------------------------------------------------

_POWERS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""i^k, as (real, imaginary)."""


def _waves(name: str, weights: Law, biases: Law) -> Mean:
    real = name == "exp"

    @cache
    def expanded(row: tuple[Atom, ...]) -> Waves:
        total: dict[tuple[int, Fraction, int], tuple[Fraction, Fraction]] = {}
        for c, k, xi in row:
            re, im = _POWERS[k % 4]
            if real:
                parts = [((k, xi, 1), (c, Fraction(0)))]
            elif name == "cos":  # (i^k e^{iu} + i^-k e^{-iu})/2
                parts = [((k, xi, 1), (c * re / 2, c * im / 2)), ((k, -xi, -1), (c * re / 2, -c * im / 2))]
            else:  # (i^k e^{iu} − i^-k e^{-iu})/(2i)
                parts = [((k, xi, 1), (c * im / 2, -c * re / 2)), ((k, -xi, -1), (c * im / 2, c * re / 2))]
            for key, value in parts:
                _add(total, key, value)
        return total

    @cache
    def multiplied(rows: tuple[tuple[Atom, ...], ...]) -> Waves:
        if len(rows) == 1:
            return expanded(rows[0])
        half = len(rows) // 2
        one, other = multiplied(rows[:half]), multiplied(rows[half:])
        total: dict[tuple[int, Fraction, int], tuple[Fraction, Fraction]] = {}
        for ((k, s, b), (p, q)), ((m, t, d), (u, v)) in product(one.items(), other.items()):
            _add(total, (k + m, s + t, b + d), (p * u - q * v, p * v + q * u))
        return total

    def mean(rows: tuple[tuple[Atom, ...], ...]) -> flint.arb:
        total = flint.arb(0)
        for (k, xi, beta), (p, q) in multiplied(rows).items():
            (a, b), (c, d) = (
                _transform(*key, real, flint.ctx.prec) for key in ((weights, k, xi), (biases, 0, Fraction(beta)))
            )
            # the real part of (p + iq)(a + ib)(c + id): the imaginary parts of all terms cancel
            if p:
                total += ball(p) * (a * c - b * d)
            if q:
                total -= ball(q) * (a * d + b * c)
        return total

    return mean


def _add(total: dict[Any, tuple[Fraction, Fraction]], key: Any, value: tuple[Fraction, Fraction]) -> None:
    p, q = total.get(key, (Fraction(0), Fraction(0)))
    total[key] = (p + value[0], q + value[1])


@lru_cache(maxsize=2**14)
def _transform(law: Law, k: int, t: Fraction, real: bool, precision: int) -> tuple[flint.arb, flint.arb]:
    """``E w^k e^{itw}``, real and imaginary part; with ``real`` ``E w^k e^{tw}`` and 0."""
    if t == 0:
        return ball(law.require_moment(k)), flint.arb(0)
    if real:
        found = (law.exponential_moment(k, sp.Rational(t.numerator, t.denominator)), sp.Integer(0))
        values: dict[Any, Any] = {}
    else:
        found, values = _formula(law, k), {_T: ball(t)}
    with flint.ctx.workprec(precision):
        one, other = (flint.arb(evaluate(part, values, BallBackend())) for part in found)
    return one, other


_T = sp.Symbol("t", real=True)


@lru_cache(maxsize=256)
def _formula(law: Law, k: int) -> tuple[sp.Expr, sp.Expr]:
    return law.fourier_moment(k, _T)


# --- e^{-z²/2} with normal laws -----------------------------------------------------------------------------------------

Polynomial = dict[tuple[int, int], Fraction]
"""``{(i, j): coefficient}`` of w^i b^j."""


def _gaussian(weights: Normal, biases: Normal) -> Mean:
    def mean(rows: tuple[tuple[Atom, ...], ...]) -> flint.arb:
        total = flint.arb(0)
        for chosen in product(*rows):
            total += _tilted(weights, biases, chosen, flint.ctx.prec)
        return total

    return mean


@lru_cache(maxsize=2**14)
def _tilted(weights: Normal, biases: Normal, chosen: tuple[Atom, ...], precision: int) -> flint.arb:
    """``E ∏ c w^k σ^(k)(wξ + b)``: exp of a quadratic form in (w, b), times a polynomial."""
    s, t = 1 / weights.std**2, 1 / biases.std**2  # the inverse covariance, then that of the tilted law
    p = s + sum((xi * xi for _, _, xi in chosen), Fraction(0))
    q, r = sum((xi for _, _, xi in chosen), Fraction(0)), t + len(chosen)
    determinant = p * r - q * q
    c_ww, c_wb, c_bb = r / determinant, -q / determinant, p / determinant
    u, v = s * weights.mean, t * biases.mean
    centre = (c_ww * u + c_wb * v, c_wb * u + c_bb * v)
    exponent = (u * centre[0] + v * centre[1] - u * weights.mean - v * biases.mean) / 2
    polynomial: Polynomial = {(0, 0): Fraction(1)}
    for c, k, xi in chosen:
        factor = _hermite(k, xi)
        new: Polynomial = {}
        for ((i, j), a), ((m, n), d) in product(polynomial.items(), factor.items()):
            new[i + m + k, j + n] = new.get((i + m + k, j + n), Fraction(0)) + a * d * c * (-1) ** k
        polynomial = new
    moments = _normal_moments(centre, (c_ww, c_wb, c_bb), max(map(sum, polynomial)))
    exact = sum((a * moments[key] for key, a in polynomial.items()), Fraction(0))
    with flint.ctx.workprec(precision):
        return ball(exact) * ball(exponent).exp() / ball(determinant / (s * t)).sqrt()


@lru_cache(maxsize=4096)
def _hermite(k: int, xi: Fraction) -> Polynomial:
    """``He_k(wξ + b)``."""
    found: Polynomial = {}
    for n, c in enumerate(sp.Poly(sp.hermite_prob_poly(k, z), z).all_coeffs()[::-1]):
        for i in range(n + 1):
            if c:
                found[i, n - i] = found.get((i, n - i), Fraction(0)) + int(c) * comb(n, i) * xi**i
    return found


def _normal_moments(centre: tuple[Fraction, Fraction], covariance: tuple[Fraction, ...], degree: int) -> Polynomial:
    """``E w^i b^j``, i + j <= degree, of a normal law in the plane (Stein's recurrence)."""
    c_ww, c_wb, c_bb = covariance
    found: Polynomial = {(0, 0): Fraction(1)}

    def at(i: int, j: int) -> Fraction:
        return found[i, j] if i >= 0 and j >= 0 else Fraction(0)

    for total in range(1, degree + 1):
        for j in range(total + 1):
            i = total - j
            if i:
                found[i, j] = centre[0] * at(i - 1, j) + (i - 1) * c_ww * at(i - 2, j) + j * c_wb * at(i - 1, j - 1)
            else:
                found[0, j] = centre[1] * at(0, j - 1) + (j - 1) * c_bb * at(0, j - 2)
    return found


# --- integrals ----------------------------------------------------------------------------------------------------------

Growth = tuple[flint.arb, int]
r"""``(C, n)`` with ``|f(w)| <= C |w|^n`` for \|w\| >= 1."""
TAIL = 40
"""A tail of E f(w) is bounded by the moment of order n + 2 TAIL."""


def _integral(problem: Problem, weights: Law, biases: Law) -> Mean:
    def value(row: tuple[Atom, ...], w: flint.acb, b: flint.acb) -> flint.acb:
        total = flint.acb(0)
        for c, k, xi in row:
            feature = enclose(problem.activation.derivative(k), {z: w * ball(xi) + b})
            for _ in range(k):
                feature = feature * w
            total += ball(c) * feature
        return total

    def mean(rows: tuple[tuple[Atom, ...], ...]) -> flint.arb:
        size, growth = flint.arb(1), 0
        for row in rows:
            size *= sum((ball(abs(c)) * _largest(problem.activation.name, k) for c, k, _ in row), flint.arb(0))
            growth += max(k for _, k, _ in row)

        def along(w: flint.acb) -> flint.acb:
            def integrand(b: flint.acb) -> flint.acb:
                result = flint.acb(1)
                for row, times in {row: rows.count(row) for row in rows}.items():
                    factor = value(row, w, b)
                    for _ in range(times):
                        result = result * factor
                return result

            return _expected(biases, integrand, (flint.arb("inf"), 0))

        return _expected(weights, along, (size, growth)).real

    return mean


def _largest(name: str, k: int) -> flint.arb:
    """A bound on ``|σ^(k)|``: 1 for waves, ``1.09 √k!`` for the bump (H. Cramér's of Hermite functions); infinite if none."""
    if name in ("sin", "cos"):
        return flint.arb(1)
    return flint.arb("1.09") * flint.arb(factorial(k)).sqrt() if name == "gaussian" else flint.arb("inf")


def _expected(law: Law, f: Callable[[flint.acb], flint.acb], growth: Growth) -> flint.acb:
    """``E f(w)`` for an analytic f, enclosed; the growth bounds what lies outside of the interval of integration."""
    if isinstance(law, (Discrete, Constant)):
        values = law.values if isinstance(law, Discrete) else (law.value,)
        return sum((f(flint.acb(ball(v))) for v in values), flint.acb(0)) / len(values)
    if isinstance(law, Uniform):
        return _integrated(f, law.low, law.high) / flint.acb(ball(law.high - law.low))
    if not isinstance(law, (Normal, Laplace)) or not growth[0].is_finite():
        raise InputError(f"variance of the kernel: the integrator takes no {law} here")
    constant, order = growth
    scale = law.parameters[1]
    reach = abs(law.centre) + (14 if isinstance(law, Normal) else 80) * scale
    reach = max(reach, Fraction(1))
    outside = constant * ball(law.require_moment(order + order % 2 + 2 * TAIL) / reach ** (2 * TAIL))

    def weighted(w: flint.acb, side: int = 1) -> flint.acb:
        u = (w - ball(law.centre)) / ball(scale)
        if isinstance(law, Normal):
            return f(w) * (-u * u / 2).exp() / (ball(scale) * (2 * flint.arb.pi()).sqrt())
        return f(w) * (-u * side).exp() / ball(2 * scale)

    if isinstance(law, Normal):
        inside = _integrated(weighted, -reach, reach)
    else:
        inside = _integrated(lambda w: weighted(w, -1), -reach, law.centre) + _integrated(weighted, law.centre, reach)
    return inside + flint.acb(flint.arb(0, outside.upper()))


def _integrated(f: Callable[[flint.acb], flint.acb], low: Fraction, high: Fraction) -> flint.acb:
    return flint.acb.integral(lambda t, _: f(t), flint.acb(ball(low)), flint.acb(ball(high)))
