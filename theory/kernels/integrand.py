"""What the oracle of kernels knows of an activation: read from σ itself, confirmed against σ, by no route's recogniser.

Rules of integration differ for waves (heavy tails of the weights), polynomials (moments), kinks (panels) and everything
else. Which of them σ is, is found here from its expression, without the module that routes are chosen by
(:mod:`theory.kernels.shapes`), and each form must reproduce the values of σ at scattered points.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy as sp
from mpmath import mp

from theory.activations import Activation, step, z
from theory.kernels.evaluation import evaluate

Number = Any
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
