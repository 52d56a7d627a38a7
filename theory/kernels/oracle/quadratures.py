"""Expectations of products of features by product rules, from the values of σ and its derivatives alone.

Integrals of piecewise smooth integrands, z₊ⁿ of w x + b and of w y + b, on panels between the kinks.

Inside a panel the integrand is a polynomial times densities, so that Gauss–Legendre and double-exponential rules converge
exponentially there, as no rule does across a kink.

What the oracle of kernels knows of an activation: read from σ itself, confirmed against σ, by no route's recogniser.

Rules of integration differ for waves (heavy tails of the weights), polynomials (moments), kinks (panels) and everything
else. Which of them σ is, is found here from its expression, without the module that routes are chosen by
(:mod:`theory.kernels.forms.activation_forms`), and each form must reproduce the values of σ at scattered points.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sympy as sp
from mpmath import mp

from theory.base.quadrature import Rule, density, gauss_legendre, real, tanh_sinh
from theory.features.activations import Activation, step, z
from theory.features.laws import Constant, Discrete, Laplace, Law, Normal, Uniform
from theory.kernels.evaluation import Program, evaluate
from theory.kernels.oracle.lattice import Feature, to_fixed

Number = Any
GUARD_BITS = 64
"""Of fixed-point numbers, for the growth of powers of w and of the activation."""


def derivative_table(
    activation: Activation, needed: Collection[int] | None = None
) -> Callable[[Number, int], list[Number]]:
    """(u, n) ↦ σ(u), …, σ⁽ⁿ⁾(u) in multiprecision; with 0 in place of the orders that are not ``needed``."""
    programs: dict[int, Program] = {}

    def table(u: Number, n: int) -> list[Number]:
        if n not in programs:
            orders = range(n + 1)
            wanted = [activation.derivative(k) if needed is None or k in needed else sp.S.Zero for k in orders]
            programs[n] = Program(wanted, [z])
        return programs[n](u)

    return table


def evaluation_cost(activation: Activation, top: int) -> float:
    """Seconds for σ, σ′, …, σ⁽ᵗᵒᵖ⁾ at a number of about 40 digits."""
    operations = sum(int(sp.count_ops(activation.derivative(k))) for k in range(top + 1))
    return 4e-5 + 2e-6 * operations + (3e-5 if activation.derivative(0).has(sp.erf) else 0)


def feature_means(
    derivatives: Callable[[Number, int], Sequence[Number]],
    first: Rule,
    second: Rule,
    products: Sequence[tuple[Feature, Feature]],
) -> list[Number]:
    """E left(w, b) right(w, b) for each pair of features by a product rule, in the current precision.

    The activation is evaluated in floating point and all the rest in integers, with enough guard bits for the powers
    of w that multiply it; pairs of nodes whose weight vanishes then are left out.
    """
    bits = int(mp.prec) + GUARD_BITS
    features = list(dict.fromkeys(f for pair in products for f in pair))
    chosen = [(features.index(left), features.index(right)) for left, right in products]
    points = sorted({p for f in features for _, p, _ in f.terms})
    top = [max(order for f in features for order, q, _ in f.terms if q == p) for p in points]
    places = {p: i for i, p in enumerate(points)}
    numbers = [real(p) for p in points]
    inner_rule = [(b, to_fixed(c, bits)) for b, c in zip(second.nodes, second.weights, strict=True)]
    tiny = mp.ldexp(1, -mp.prec - 4) * max(first.weights) * max(second.weights)
    totals = [0] * len(products)
    for w, c in zip(first.nodes, first.weights, strict=True):
        outer = to_fixed(c, bits)
        if not outer:
            continue
        least = to_fixed(tiny / c, bits)
        terms = [[(order, places[p], to_fixed(real(e) * w**order, bits)) for order, p, e in f.terms] for f in features]
        shifts = [w * x for x in numbers]
        inner = [0] * len(products)
        for b, e in inner_rule:
            if e <= least:
                continue
            table = [[to_fixed(v, bits) for v in derivatives(u + b, n)] for u, n in zip(shifts, top, strict=True)]
            values = [sum(a * table[k][order] for order, k, a in f) >> bits for f in terms]
            for i, (left, right) in enumerate(chosen):
                inner[i] += (values[left] * values[right] >> bits) * e
        for i, v in enumerate(inner):
            totals[i] += (v >> bits) * outer
    return [mp.ldexp(mp.mpf(t), -2 * bits) for t in totals]


def kept_pairs(first: Rule, second: Rule) -> int:
    """How many pairs of nodes :func:`feature_means` visits."""
    logs = sorted(math.log(float(c) or 5e-324) for c in second.weights)
    least = -float(mp.prec + 4) * math.log(2) + float(mp.log(max(first.weights) * max(second.weights)))
    return sum(len(logs) - bisect_right(logs, least - math.log(float(c) or 5e-324)) for c in first.weights)


Products = Sequence[tuple[Feature, Feature]]


def applies(weight: Law, bias: Law) -> bool:
    """Whether both laws live on an interval, up to a tail under the precision."""
    return all(isinstance(law, Normal | Laplace | Uniform | Constant | Discrete) for law in (weight, bias))


def panels(
    form: Kink, weight: Law, bias: Law, products: Products, level: int, *, bias_outside: bool = False
) -> list[Number]:
    """E left(w, b) right(w, b) for each pair of features, at a level of the rules, in the current precision.

    Outer panels in w, cut where a kink meets an end of the law of b; inner panels in b between the kinks −w p.
    ``bias_outside`` exchanges the two: outer panels in b, inner ones in w between the kinks −b/p, other nodes throughout.
    """
    scale, n = number(form.scale), form.n
    points = sorted({p for pair in products for f in pair for _, p, _ in f.terms})
    exact = [real(p) for p in points]
    first, second = (bias, weight) if bias_outside else (weight, bias)
    outer: set[Number] = {*_cuts(first), mp.mpf(0)}
    for p in exact:
        if bias_outside:
            outer |= {-t * p for t in _kinks(second)}
        elif p:
            outer |= {-t / p for t in _kinks(second)}
    ends = set(_cuts(second))
    features = list(dict.fromkeys(f for pair in products for f in pair))
    chosen = [(features.index(left), features.index(right)) for left, right in products]
    terms = [[(i, points.index(p), real(a)) for i, p, a in f.terms if i <= n] for f in features]
    orders = sorted({i for own in terms for i, _, _ in own})
    totals = [mp.mpf(0)] * len(products)
    # what the inner integral leaves is a polynomial between kinks where the inner law's density is one
    rational = isinstance(second, Uniform | Discrete | Constant)
    for s, c in _panel_nodes(first, outer, level, 6 * n + 12 if rational else None):
        inner = ends | ({-s / p for p in exact if p} if bias_outside else {-s * p for p in exact})
        for t, e in _panel_nodes(second, inner, level, 2 * n):
            w, b = (t, s) if bias_outside else (s, t)
            positive = [w * p + b for p in exact]
            table = {i: [u ** (n - i) if u > 0 else None for u in positive] for i in orders}
            powers = {i: scale * math.perm(n, i) * w**i for i in orders}
            values = [
                mp.fsum(a * powers[i] * value for i, k, a in own if (value := table[i][k]) is not None) for own in terms
            ]
            for k, (left, right) in enumerate(chosen):
                if values[left] and values[right]:
                    totals[k] += c * e * values[left] * values[right]
    return totals


def _kinks(law: Law) -> list[Number]:
    """Where the density or the law itself is not smooth."""
    if isinstance(law, Uniform):
        return [real(law.low), real(law.high)]
    if isinstance(law, Laplace):
        return [real(law.location)]
    if isinstance(law, Discrete | Constant):
        return [real(v) for v in law.parameters]
    return []


def _cuts(law: Law) -> list[Number]:
    """The kinks with the ends of the range of integration."""
    if isinstance(law, Normal):
        reach = real(law.std) * mp.sqrt(2 * mp.prec * mp.ln2)
        return [real(law.mean) - reach, real(law.mean), real(law.mean) + reach]
    if isinstance(law, Laplace):
        reach = real(law.scale) * mp.prec * mp.ln2
        return [real(law.location) - reach, real(law.location), real(law.location) + reach]
    return _kinks(law)


def _panel_nodes(law: Law, cuts: set[Number], level: int, degree: int | None) -> list[tuple[Number, Number]]:
    """Nodes and weights of E f(w) with f smooth between the cuts, and a polynomial of a degree there unless it is None."""
    if isinstance(law, Discrete | Constant):
        values = law.parameters
        return [(real(v), mp.mpf(1) / len(values)) for v in values]
    limits = _cuts(law)
    low, high = min(limits), max(limits)
    f = density(law)
    out: list[tuple[Number, Number]] = []
    inside = sorted({low, high, *(c for c in cuts if low < c < high)})
    for a, b in pairwise(inside):
        if isinstance(law, Uniform) and degree is not None:
            nodes, weights = gauss_legendre(degree // 2 + 1)  # polynomial between kinks
            half, middle = (b - a) / 2, (a + b) / 2
            out += [(middle + half * s, half * c * f(middle)) for s, c in zip(nodes, weights, strict=True)]
        else:
            nodes, weights = tanh_sinh(a, b, level)
            out += [(s, c * f(s)) for s, c in zip(nodes, weights, strict=True)]
    return out


MAX_TERMS = 64
"""Most waves."""
MAX_DEGREE = 48
"""Highest degree of a polynomial."""
POINTS = tuple(Fraction((37 * k) % 101 - 50, 23) + Fraction(k, 997) for k in range(1, 20))
"""Where a form is compared with σ: between −2.2 and 2.2, of both signs."""
DIGITS = 30
"""To which they agree, relative to the size of the terms."""


@dataclass(frozen=True)
class Waves:
    """Σ c e^{lz} with all exponents imaginary, or all real: pairs (c, l)."""

    terms: tuple[tuple[sp.Expr, sp.Expr], ...]

    @property
    def is_real(self) -> bool:
        """Whether every exponent is real."""
        return all(sp.im(rate) == 0 for _, rate in self.terms)

    def value(self, u: Number) -> tuple[Number, Number]:
        """σ(u) and the sum of the moduli of its terms."""
        parts = [number(c) * mp.exp(number(rate) * u) for c, rate in self.terms]
        return mp.re(mp.fsum(parts)), mp.fsum(map(abs, parts))


@dataclass(frozen=True)
class Polynomial:
    """Coefficients, constant first."""

    coefficients: tuple[sp.Expr, ...]

    def value(self, u: Number) -> tuple[Number, Number]:
        """σ(u) and the sum of the moduli of its terms."""
        parts = [number(c) * u**k for k, c in enumerate(self.coefficients)]
        return mp.fsum(parts), mp.fsum(map(abs, parts))


@dataclass(frozen=True)
class Kink:
    """scale · z₊ⁿ, n ≥ 0."""

    scale: sp.Expr
    n: int

    def value(self, u: Number) -> tuple[Number, Number]:
        """σ(u), twice."""
        value = number(self.scale) * u**self.n if u > 0 else mp.mpf(0)
        return value, abs(value)


Form = Waves | Polynomial | Kink
"""A smooth activation of another kind has none: it is integrated by its values."""


def number(value: sp.Expr) -> Number:
    """A SymPy number in the current precision."""
    re, im = sp.N(value, mp.dps + 10).as_real_imag()
    return mp.mpc(mp.mpf(re), mp.mpf(im)) if im != 0 else mp.mpf(re)


def form_of(activation: Activation) -> Form | None:
    """The form of σ, confirmed.

    Raises:
        ArithmeticError: it does not reproduce σ: a defect of this program.
    """
    return read(activation.derivative(0))


@lru_cache(maxsize=256)
def read(sigma: sp.Expr) -> Form | None:
    """The form of an expression in ``z``; see :func:`form_of`.

    >>> read(sp.cos(z)).terms == ((sp.Rational(1, 2), -sp.I), (sp.Rational(1, 2), sp.I))
    True
    >>> read(z**2 * step(z)), read(sp.tanh(z)) is None
    (Kink(scale=1, n=2), True)
    """
    found = _polynomial(sigma) or _kink(sigma) or _waves(sigma)
    if found is not None:
        confirm(found, sigma)
    return found


def confirm(form: Form, sigma: sp.Expr) -> None:
    """Compares a form with σ at :data:`POINTS`.

    Raises:
        ArithmeticError: they differ.
    """
    with mp.workdps(DIGITS + 10):
        for point in POINTS:
            u = mp.mpf(point.numerator) / point.denominator
            value, size = form.value(u)
            if not abs(evaluate(sigma, {z: point}) - value) <= size * mp.mpf(10) ** -DIGITS:
                raise ArithmeticError(f"kernel: {sigma} is not {form} at {point}: a defect of this program")


def _polynomial(sigma: sp.Expr) -> Polynomial | None:
    if not sigma.is_polynomial(z):
        return None
    polynomial = sp.Poly(sigma, z)
    if polynomial.degree() > MAX_DEGREE:
        return None
    return Polynomial(tuple(reversed(polynomial.all_coeffs())))


def _kink(sigma: sp.Expr) -> Kink | None:
    if sigma.atoms(sp.core.function.AppliedUndef) != {step(z)}:
        return None
    right = sp.expand(sigma.subs(step(z), 1))
    if sp.expand(sigma.subs(step(z), 0)) != 0 or not right.is_polynomial(z):
        return None
    polynomial = sp.Poly(right, z)
    terms = polynomial.terms()
    return Kink(terms[0][1], terms[0][0][0]) if len(terms) == 1 else None


def _waves(sigma: sp.Expr) -> Waves | None:
    if not sigma.has(z) or sigma.atoms(sp.core.function.AppliedUndef):
        return None
    if not all(
        isinstance(f, sp.sin | sp.cos | sp.sinh | sp.cosh | sp.exp) for f in sigma.atoms(sp.Function) if f.has(z)
    ):
        return None
    if sp.count_ops(sigma) > 200:
        return None
    gathered: defaultdict[sp.Expr, sp.Expr] = defaultdict(lambda: sp.Integer(0))
    for term in sp.Add.make_args(sp.expand(sigma.rewrite(sp.exp))):
        constant, wave = term.as_independent(z, as_Add=False)
        exponent = sp.expand(sp.expand_log(sp.log(sp.powsimp(wave, combine="exp")), force=True))
        if not exponent.is_polynomial(z):
            return None
        polynomial = sp.Poly(exponent, z)
        if polynomial.degree() > 1:
            return None
        rate = sp.expand(polynomial.coeff_monomial(z))
        gathered[rate] += constant * sp.exp(polynomial.coeff_monomial(1))
    terms = tuple(
        sorted(
            ((sp.expand(c), rate) for rate, c in gathered.items() if sp.expand(c) != 0),
            key=lambda pair: sp.default_sort_key(pair[1]),
        )
    )
    if not terms or len(terms) > MAX_TERMS or any(not rate.is_number for _, rate in terms):
        return None
    found = Waves(terms)
    return found if found.is_real or all(sp.re(rate) == 0 for _, rate in terms) else None


def growth(sigma: sp.Expr) -> sp.Expr:
    """σ grows like exp(growth · y²) off the real line, as far as its Gaussians and error functions say.

    It sets the steps of a rule; one that is too small costs digits that agree, not correctness.
    """
    found = [sp.Integer(0)]
    for wave in sigma.atoms(sp.exp):
        if wave.args[0].is_polynomial(z):
            found.append(-sp.Poly(wave.args[0], z).coeff_monomial(z**2))
    for error in sigma.atoms(sp.erf):
        if error.args[0].is_polynomial(z):
            found.append(sp.Poly(error.args[0], z).coeff_monomial(z) ** 2)
    return sp.Max(*found)


def decays(sigma: sp.Expr) -> bool:
    """Whether every term of σ carries a Gaussian, and nothing that grows faster."""

    def falls(term: sp.Expr) -> bool:
        squares = [
            sp.Poly(f.args[0], z).coeff_monomial(z**2)
            for f in sp.Mul.make_args(term)
            if isinstance(f, sp.exp) and f.args[0].is_polynomial(z) and sp.degree(f.args[0], z) <= 2
        ]
        return bool(squares) and bool(sum(squares) < 0)

    return all(falls(term) for term in sp.Add.make_args(sp.expand(sigma, power_exp=False)))
