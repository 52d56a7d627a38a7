"""Kernels without a known closed form, by quadrature, with an estimate of the error; marked as such.

Under normal laws the trapezoidal rule in the standardised weight and bias converges like e^{−2πa/h}, where a is
how far the integrand extends analytically; the cut of the normal law and rounding lie under the guard digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy as sp
from mpmath import mp

from theory.base.derivation import Step
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.base.quadrature import Rule, gauss_legendre, laplace_rule, real, rule
from theory.features.activations import Activation, z
from theory.features.laws import Cauchy, Constant, Discrete, Laplace, Law, Normal, Student, Uniform
from theory.kernels.evaluation import evaluate
from theory.kernels.forms.coordinates import Coordinates, RouteKernel, Weights, fraction
from theory.kernels.oracle import lattice
from theory.kernels.oracle import quadratures as panels
from theory.kernels.oracle.lattice import Feature
from theory.kernels.oracle.quadratures import (
    Kink,
    derivative_table,
    evaluation_cost,
    feature_means,
    form_of,
    kept_pairs,
)

Number = Any
W, B = sp.Symbol("w", real=True), sp.Symbol("b", real=True)
MAX_LEVEL = 14
"""Finest rule tried."""
ALGEBRAIC = 8
"""Times the change between two rules, of steps 1.3 or more apart, is more than the error of one that falls like h^(1/2)."""
MAX_WORK = 16.0
"""Predicted seconds beyond which no finer rule is tried."""


class NumericalKernel:
    """E w^(a+b) σ^(|a|)(U) σ^(|b|)(V) in one dimension, by quadrature."""

    route = "quadrature (no closed form known)"

    def __init__(
        self,
        activation: Activation,
        weights: Weights,
        biases: Law,
        coordinates: Coordinates,
        over_bias: RouteKernel | None = None,
    ) -> None:
        """``over_bias``: the mean over the bias alone, at weight 1, where it is closed: one variable is left then."""
        if coordinates.dimension != 1:
            raise InputError(
                f"kernel: no closed form is known for {activation.name} with these laws,"
                " and numerical kernels are for one dimension"
            )
        self.activation, self.weight, self.bias = activation, weights[0], biases
        self.over_bias = over_bias
        form = form_of(activation)
        self.kink = form if isinstance(form, Kink) and panels.applies(self.weight, self.bias) else None
        self.parity = activation.parity
        self.derivatives = derivative_table(activation)
        self.coordinates = coordinates
        self.assumptions = ("no closed form: values are computed by quadrature to the digits asked for",)
        self.analytic = activation.strip is None or activation.strip != 0
        if self.kink is not None:
            how = "on panels between the kinks, where rules converge exponentially"
        elif self.analytic:
            how = "by rules that converge exponentially for analytic activations"
        else:
            how = "by rules across the kinks, whose error falls like a power of the step and is estimated from above"
        self.steps = (Step(f"No closed form is known; the expectation is a double integral, computed {how}."),)

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """The expectation as an unevaluated integral."""
        (x,), (y,) = self.coordinates.x, self.coordinates.y
        i, j = a[0], b[0]
        integrand = W ** (i + j) * (
            self.activation.derivative(i).subs(z, W * x + B) * self.activation.derivative(j).subs(z, W * y + B)
        )
        for symbol, law in ((W, self.weight), (B, self.bias)):
            if law.has_density:
                low, high = (None if e is None else fraction(e) for e in law.support)
                limits = (symbol, -sp.oo if low is None else low, sp.oo if high is None else high)
                integrand = sp.Integral(integrand * law.density(symbol), limits)
            else:
                values = law.parameters
                integrand = sp.Add(*(integrand.subs(symbol, fraction(v)) for v in values)) / len(values)
        return integrand

    def means(
        self, products: Sequence[tuple[Feature, Feature]], digits: int, loss: int = 0
    ) -> list[tuple[Number, Number]]:
        """E left(w, b) right(w, b) for each pair of features, with an estimate of the absolute error.

        Args:
            products: pairs of features.
            digits: significant digits wanted.
            loss: decimal digits that cancel inside the features.

        Raises:
            PrecisionCapError: successive rules do not agree at the finest level allowed.
            NonexistenceError: the activation overflows on the nodes.
            InputError: the activation has a pole or is complex there.
        """
        found, reached = self.approximations(products, digits, loss, MAX_WORK)
        if not reached:
            raise PrecisionCapError(
                f"kernel: {digits} digits of this expectation, which has no closed form, need too fine a rule;"
                " ask for fewer digits"
            )
        return found

    def approximations(
        self, products: Sequence[tuple[Feature, Feature]], digits: int, loss: int, work: float
    ) -> tuple[list[tuple[Number, Number]], bool]:
        """The values of :meth:`means` as far as ``work`` seconds (predicted) go, and whether the digits are reached."""
        best: list[tuple[Number, Number]] = []
        previous: list[Number] | None = None
        spent = 0.0
        with mp.workdps(digits + 12 + loss):
            tolerance = mp.mpf(10) ** (-digits - 1)
            floor = mp.mpf(10) ** (-2 * digits - 20)
            for level in range(5 if digits > 18 else 2, MAX_LEVEL + 1):
                spent += self._predicted(products, level, loss)
                if spent > work and previous is not None and (best or spent > 2 * work):
                    break  # an error estimate needs two rules
                try:
                    values = self._rule(products, level, loss)
                except OverflowError:
                    raise NonexistenceError(
                        f"kernel: {self.activation.name} grows too fast for {self.weight} and {self.bias}:"
                        " no finite expectation"
                    ) from None
                except ZeroDivisionError:
                    raise InputError(
                        f"features.activation: {self.activation.name} is not real and finite on the whole line"
                    ) from None
                if previous is not None:
                    errors = [self._error(v, p) for v, p in zip(values, previous, strict=True)]
                    best = list(zip(values, errors, strict=True))
                    if all(e <= abs(v) * tolerance or e < floor for v, e in best):
                        return best, True
                previous = values
        return best, False

    @property
    def bias_outside(self) -> bool:
        """Whether the weight is integrated first: with the exact rule of a uniform law, where it has one."""
        return isinstance(self.weight, Uniform | Discrete | Constant) and not isinstance(self.bias, Uniform | Discrete)

    def _error(self, value: Number, previous: Number) -> Number:
        """Of the finer of two rules: geometric convergence in 1/h only where σ is analytic between the nodes' panels."""
        if self.analytic or self.kink is not None:
            return _extrapolated(value, previous)
        return ALGEBRAIC * abs(value - previous)

    def _on_lattice(self) -> bool:
        return self.kink is None and all(isinstance(law, Normal | Constant) for law in (self.weight, self.bias))

    def _predicted(self, products: Sequence[tuple[Feature, Feature]], level: int, loss: int) -> float:
        """Seconds that a level takes, from the numbers of nodes, points and operations alone: the same everywhere."""
        if self.kink is not None:
            return panel_cost(products, level, short=self.bias_outside or isinstance(self.bias, Uniform | Discrete))
        if self._on_lattice():
            top = max(order for pair in products for f in pair for order, _, _ in f.terms)
            return lattice.cost(
                self.weight, self.bias, products, level, evaluation_cost(self.activation, top),
                symmetric=self.parity is not None, loss=loss,
            )  # fmt: skip
        first, second = self._rules(level)
        if self.over_bias is not None:
            terms = sum(len(f.terms) * len(g.terms) for f, g in products)
            return len(first.nodes) * terms * 1e-4
        return self.predicted(products, first, second)

    def predicted(self, products: Sequence[tuple[Feature, Feature]], first: Rule, second: Rule) -> float:
        """Seconds that a product rule takes."""
        points = {point for pair in products for f in pair for _, point, _ in f.terms}
        top = max(order for pair in products for f in pair for order, _, _ in f.terms)
        terms = sum(len(f.terms) for pair in products for f in pair)
        return kept_pairs(first, second) * (len(points) * evaluation_cost(self.activation, top) + 2e-6 * terms)

    def _rules(self, level: int) -> tuple[Rule, Rule]:
        """The rules of the two laws at a level."""
        return _rule_of(self.weight, self.bias, level), _rule_of(self.bias, self.weight, level)

    def _rule(self, products: Sequence[tuple[Feature, Feature]], level: int, loss: int) -> list[Number]:
        """One level of the rule that suits the laws."""
        if self.kink is not None:
            return panels.panels(self.kink, self.weight, self.bias, products, level + 2, bias_outside=self.bias_outside)
        if self._on_lattice():
            even_or_odd = self.parity is not None
            return lattice.means(
                self.derivatives, self.weight, self.bias, products, level, symmetric=even_or_odd, loss=loss
            )
        first, second = self._rules(level)
        if self.over_bias is not None:
            return self._single_means(self.over_bias, products, first)
        return feature_means(self.derivatives, first, second, products)

    def _single_means(
        self, kernel: RouteKernel, products: Sequence[tuple[Feature, Feature]], chosen: Rule
    ) -> list[Number]:
        """The bias integrated in closed form; one variable is left."""
        (x,), (y,) = self.coordinates.x, self.coordinates.y
        terms = {(i, j) for f, g in products for i, _, _ in f.terms for j, _, _ in g.terms}
        program = {t: kernel.derivative((t[0],), (t[1],)) for t in terms}
        totals = [mp.mpf(0)] * len(products)
        for w, weight in zip(chosen.nodes, chosen.weights, strict=True):
            memo: dict[tuple[int, Fraction, int, Fraction], Number] = {}
            for k, (f, g) in enumerate(products):
                for i, p, c in f.terms:
                    for j, q, e in g.terms:
                        key = (i, p, j, q)
                        if key not in memo:
                            memo[key] = evaluate(program[i, j], {x: w * real(p), y: w * real(q)}) * w ** (i + j)
                        totals[k] += weight * real(c) * real(e) * memo[key]
        return totals


def panel_cost(products: Sequence[tuple[Feature, Feature]], level: int, short: bool) -> float:
    """Seconds that rules on panels take: nodes of two double-exponential rules on a few panels each.

    Args:
        products, level: as for the rule.
        short: the inner rule has few nodes, as for a uniform law.
    """
    points = {point for pair in products for f in pair for _, point, _ in f.terms}
    nodes = (len(points) + 2) * 14 * 2 ** (level / 2)
    return nodes * (20 if short else nodes) * (len(points) + 1) * 4e-6


def _extrapolated(value: Number, previous: Number) -> Number:
    """The error of the finer of two rules: convergence is geometric in 1/h, steps shrink by 1.3 or more."""
    if value == previous:
        return mp.mpf(0)
    size = max(abs(value), mp.ldexp(1, -mp.prec))
    return size * min(mp.mpf(1), abs(value - previous) / size) ** mp.mpf("1.25")


def _rule_of(law: Law, other: Law, level: int) -> Rule:
    if isinstance(law, Uniform):
        return gauss_legendre_rule(law, level)
    if isinstance(law, Laplace) and isinstance(other, Laplace | Cauchy | Student):
        return laplace_rule(law, level - 2)  # w·x + b is of order 1 far out in both tails
    return rule(law, level if isinstance(law, Normal) else level + 2)


def gauss_legendre_rule(law: Uniform, level: int) -> Rule:
    """Gauss–Legendre: 8, 11, 16, 22, … nodes at levels 1, 2, 3, 4, …"""
    nodes, weights = gauss_legendre(int(8 * 2 ** ((level - 1) / 2)))
    half, middle = real((law.high - law.low) / 2), real((law.high + law.low) / 2)
    return Rule(tuple(middle + half * s for s in nodes), tuple(c / 2 for c in weights))
