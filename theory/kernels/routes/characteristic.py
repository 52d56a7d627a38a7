"""Kernels of sinusoids and exponentials under any law, through characteristic functions.

For σ(z) = Σ 2 Re(c e^{iωz}) the product σ(U)σ(V) is a sum of e^{i(w·(ωx ± ω′y) + b(ω ± ω′))}, whose expectation is
φ_w(ωx ± ω′y) φ_b(ω ± ω′): closed for every law with a closed characteristic function.  Differentiation brings down
powers of w, so derivatives of the kernel are E wⁿ e^{itw}, and exist only when the moments do.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import sympy as sp

from theory.base.derivation import Step
from theory.features.laws import Law
from theory.kernels.forms.activation_forms import GaussianSum
from theory.kernels.forms.coordinates import Coordinates, Weights

Pair = tuple[sp.Expr, sp.Expr]
"""Real and imaginary part."""


def _times(p: Pair, q: Pair) -> Pair:
    return p[0] * q[0] - p[1] * q[1], p[0] * q[1] + p[1] * q[0]


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
            law.require_moment(n)
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
            value = _times(value, law.fourier_moment(n, w1 * x + w2 * y))
        return _times(value, self.biases.fourier_moment(0, w1 + w2))[0]

    def _exponential(self, a: int, b: int, orders: Sequence[int]) -> sp.Expr:
        total = sp.Integer(0)
        for (l1, c1), (l2, c2) in product(self.terms, repeat=2):
            value = c1 * c2 * l1**a * l2**b * self.biases.exponential_moment(0, l1 + l2)
            if value == 0:
                continue
            for law, n, x, y in zip(self.weights, orders, self.coordinates.x, self.coordinates.y, strict=True):
                value *= law.exponential_moment(n, l1 * x + l2 * y)
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
