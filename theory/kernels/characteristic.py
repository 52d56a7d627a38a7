"""Kernels of sinusoids and exponentials under any law, through characteristic functions.

For σ(z) = Σ 2 Re(c e^{iωz}) the product σ(U)σ(V) is a sum of e^{i(w·(ωx ± ω′y) + b(ω ± ω′))}, whose expectation is
φ_w(ωx ± ω′y) φ_b(ω ± ω′): closed for every law with a closed characteristic function.  Differentiation brings down
powers of w, so derivatives of the kernel are E wⁿ e^{itw}, and exist only when the moments do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import sympy as sp

from theory.derivation import Step
from theory.errors import InputError, NonexistenceError
from theory.kernels.coordinates import Coordinates, Weights, fraction
from theory.kernels.shapes import GaussianSum
from theory.kernels.special import SincMoment, SinhMoment
from theory.laws import Cauchy, Constant, Discrete, Laplace, Law, Normal, Student, Uniform

Pair = tuple[sp.Expr, sp.Expr]
"""Real and imaginary part."""


def _times(p: Pair, q: Pair) -> Pair:
    return p[0] * q[0] - p[1] * q[1], p[0] * q[1] + p[1] * q[0]


def fourier_moment(law: Law, n: int, t: sp.Expr) -> Pair:
    """E wⁿ e^{itw} for a real ``t``, as (real, imaginary).

    Raises:
        NonexistenceError: E|w|ⁿ is infinite.
    """
    require_moment(law, n)
    if isinstance(law, Discrete | Constant):
        values = law.parameters
        weight = sp.Rational(1, len(values))
        terms = [(fraction(v) ** n * weight, fraction(v) * t) for v in values]
        return sp.Add(*(c * sp.cos(s) for c, s in terms)), sp.Add(*(c * sp.sin(s) for c, s in terms))
    centre = fraction(law.centre)
    total: Pair = (sp.Integer(0), sp.Integer(0))
    for k in range(n + 1):
        if centre == 0 and k < n:
            continue
        c = math.comb(n, k) * centre ** (n - k)
        g = _centred(law, k, t)
        total = (total[0] + c * g, total[1]) if k % 2 == 0 else (total[0], total[1] + c * g)
    return total if centre == 0 else _times((sp.cos(centre * t), sp.sin(centre * t)), total)


def _centred(law: Law, k: int, t: sp.Expr) -> sp.Expr:
    """E uᵏ cos(tu) (k even) or E uᵏ sin(tu) (k odd), u = w − centre."""
    if t == 0:
        return sp.Integer(0) if k % 2 else _centred_moment(law, k)
    if isinstance(law, Uniform):
        a = fraction(law.half_width)
        return sp.sinc(a * t) if k == 0 else a**k * SincMoment(sp.Integer(k), a * t)
    sign = sp.Integer((-1) ** ((k + 1) // 2))  # φ^{(k)} = sign · E uᵏ {cos, sin}(tu)
    if isinstance(law, Normal):
        s = fraction(law.std)
        # d^k/dt^k e^{−s²t²/2} = (−s)^k He_k(st) e^{−s²t²/2}
        return sign * (-s) ** k * sp.hermite_prob(k, s * t) * sp.exp(-((s * t) ** 2) / 2)
    if isinstance(law, Laplace):
        s = fraction(law.scale)
        return sign * s**k * _laplace_polynomial(k, s * t) / (1 + (s * t) ** 2) ** (k + 1)
    if isinstance(law, Cauchy):
        return sp.exp(-fraction(law.scale) * sp.Abs(t))
    if isinstance(law, Student):
        return sign * _student(law, k, t)
    raise InputError(f"law: no characteristic function for {law}")


def _centred_moment(law: Law, k: int) -> sp.Expr:
    centre = law.centre
    terms = (math.comb(k, j) * (-centre) ** (k - j) * require_moment(law, j) for j in range(k + 1))
    return fraction(sum(terms, Fraction(0)))


def _laplace_polynomial(k: int, t: sp.Expr) -> sp.Expr:
    """q_k with d^k/dt^k (1 + t²)⁻¹ = q_k(t) (1 + t²)^{−k−1}: q_{k+1} = (1 + t²) q_k′ − 2(k+1) t q_k."""
    s = sp.Symbol("s")
    q = sp.Poly(1, s)
    for j in range(k):
        q = sp.Poly(1 + s**2, s) * q.diff(s) - sp.Poly(2 * (j + 1) * s, s) * q
    return sp.horner(q.as_expr(), wrt=s).subs(s, t)


def _student(law: Student, k: int, t: sp.Expr) -> sp.Expr:
    """The k-th derivative of the characteristic function, k < dof."""
    if law.dof.denominator == 1 and law.dof.numerator % 2:
        rate = sp.sqrt(fraction(law.dof)) * fraction(law.scale)
        r = sp.Symbol("r", positive=True)
        m = (law.dof.numerator - 1) // 2
        raw = [
            sp.Rational(math.factorial(m + j), math.factorial(j) * math.factorial(m - j) * 2**j) for j in range(m + 1)
        ]
        p = sp.Poly(sum(c / raw[m] * r ** (m - j) for j, c in enumerate(raw)), r)
        for _ in range(k):
            p = p.diff(r) - p
        value = (rate**k * sp.exp(-r) * sp.horner(p.as_expr())).subs(r, rate * sp.Abs(t))
        return value * sp.sign(t) if k % 2 else value
    s = sp.Symbol("s", positive=True)
    nu, rate = fraction(law.dof) / 2, sp.sqrt(fraction(law.dof)) * fraction(law.scale)
    # terms c s^i · s^μ K_μ(s) with d/ds (s^μ K_μ) = −s^μ K_{μ−1} = −s · s^{μ−1} K_{μ−1}
    terms: dict[tuple[int, int], int] = {(0, 0): 1}
    for _ in range(k):
        new: dict[tuple[int, int], int] = {}
        for (i, drop), c in terms.items():
            if i:
                new[i - 1, drop] = new.get((i - 1, drop), 0) + c * i
            new[i + 1, drop + 1] = new.get((i + 1, drop + 1), 0) - c
        terms = new
    bessel = sp.Add(*(c * s ** (i + nu - drop) * sp.besselk(nu - drop, s) for (i, drop), c in terms.items()))
    value = (rate**k * bessel / (2 ** (nu - 1) * sp.gamma(nu))).subs(s, rate * sp.Abs(t))
    at_zero = sp.Integer(0) if k % 2 else (-1) ** (k // 2) * fraction(require_moment(law, k))
    return sp.Piecewise((at_zero, sp.Eq(t, 0)), (value * sp.sign(t) if k % 2 else value, True))


def exponential_moment(law: Law, n: int, s: sp.Expr) -> sp.Expr:
    """E wⁿ e^{sw} for a real ``s``.

    Raises:
        NonexistenceError: infinite for every s ≠ 0.
    """
    if s == 0:
        return fraction(require_moment(law, n))
    radius = law.exponential_radius
    if radius is not None and (radius == 0 or (s.is_number and abs(s) >= fraction(radius))):
        raise NonexistenceError(f"law: E exp({s} w) is infinite for {law}")
    if isinstance(law, Uniform):
        centre, half = fraction(law.centre), fraction(law.half_width)
        terms = (math.comb(n, k) * centre ** (n - k) * half**k * SinhMoment(k, half * s) for k in range(n + 1))
        return sp.exp(centre * s) * sp.Add(*terms)
    t = sp.Symbol("t", real=True)
    return sp.diff(law.moment_generating_function(t), t, n).subs(t, s)


def require_moment(law: Law, n: int) -> Fraction:
    """E wⁿ, exactly.

    Raises:
        NonexistenceError: E|w|ⁿ is infinite.
    """
    moment = law.moment(n)
    if moment is None:
        raise NonexistenceError(f"kernel: needs E|w|^{n}, which is infinite for {law}")
    return moment


class CharacteristicKernel:
    """The kernel and all its derivatives; see the module."""

    def __init__(self, shape: GaussianSum, weights: Weights, biases: Law, coordinates: Coordinates) -> None:
        self.weights, self.biases, self.coordinates = weights, biases, coordinates
        self.sinusoidal = shape.is_sinusoidal
        self.route = "characteristic function" if self.sinusoidal else "moment generating function"
        terms = {sp.im(g.tilt) if self.sinusoidal else sp.re(g.tilt): g.coefficients[0] for g in shape.groups}
        if self.sinusoidal:
            # σ is real: keep ω ≥ 0 and 2 Re; the constant term counts once
            self.terms = [(w, c if w == 0 else 2 * c) for w, c in terms.items() if not w.is_negative]
        else:
            self.terms = list(terms.items())
        self.assumptions: tuple[str, ...] = ("weights and bias are independent",)
        self.steps = self._explain()

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """E w^(a+b) σ^(|a|)(U) σ^(|b|)(V).

        Raises:
            NonexistenceError: a moment that it needs is infinite.
        """
        orders = tuple(i + j for i, j in zip(a, b, strict=True))
        for law, n in zip(self.weights, orders, strict=True):
            require_moment(law, n)
        if not self.sinusoidal:
            return self._exponential(sum(a), sum(b), orders)
        total = sp.Integer(0)
        for (w1, c1), (w2, c2) in product(self.terms, repeat=2):
            # Re(A) Re(B) = ½ Re(AB) + ½ Re(A B̄)
            c1d = c1 * (sp.I * w1) ** sum(a)
            for sign in (1, -1):
                c2d = c2 * (sp.I * w2) ** sum(b)
                coefficient = sp.expand(c1d * (c2d if sign == 1 else sp.conjugate(c2d))) / 2
                if coefficient == 0:
                    continue
                total += self._mean(coefficient, orders, w1, sign * w2)
        return total

    def _mean(self, coefficient: sp.Expr, orders: Sequence[int], w1: sp.Expr, w2: sp.Expr) -> sp.Expr:
        value: Pair = coefficient.as_real_imag()
        for law, n, x, y in zip(self.weights, orders, self.coordinates.x, self.coordinates.y, strict=True):
            value = _times(value, fourier_moment(law, n, w1 * x + w2 * y))
        return _times(value, fourier_moment(self.biases, 0, w1 + w2))[0]

    def _exponential(self, a: int, b: int, orders: Sequence[int]) -> sp.Expr:
        total = sp.Integer(0)
        for (l1, c1), (l2, c2) in product(self.terms, repeat=2):
            value = c1 * c2 * l1**a * l2**b * exponential_moment(self.biases, 0, l1 + l2)
            if value == 0:
                continue
            for law, n, x, y in zip(self.weights, orders, self.coordinates.x, self.coordinates.y, strict=True):
                value *= exponential_moment(law, n, l1 * x + l2 * y)
            total += value
        return total

    def _explain(self) -> tuple[Step, ...]:
        t = sp.Symbol("t", real=True)
        if self.sinusoidal:
            return (
                Step(
                    "Products of sinusoids are sums of sinusoids in w and b",
                    "\\operatorname{Re}A\\,\\operatorname{Re}B = \\tfrac12\\operatorname{Re}(AB)"
                    " + \\tfrac12\\operatorname{Re}(A\\bar B)",
                ),
                Step(
                    "Weights and bias are independent: the expectation factors into characteristic functions",
                    f"\\varphi_w(t) = {sp.latex(self.weights[0].characteristic_function(t))}, \\quad"
                    f" \\varphi_b(t) = {sp.latex(self.biases.characteristic_function(t))}",
                ),
                Step("Derivatives bring down powers of w", "E\\,w^n e^{itw} = (-i)^n \\varphi_w^{(n)}(t)"),
            )
        return (
            Step(
                "The expectation of a product of exponentials factors into moment generating functions",
                f"M_w(t) = {sp.latex(self.weights[0].moment_generating_function(t))}, \\quad"
                f" M_b(t) = {sp.latex(self.biases.moment_generating_function(t))}",
            ),
        )
