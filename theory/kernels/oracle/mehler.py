"""Verification of numerical kernels by another route than the rule that computed them.

Under normal laws: Mehler's expansion E F(U) G(V) = Σ ρⁿ Fₙ Gₙ / n! with Hermite coefficients from one-dimensional
quadrature (Mehler, 1866), and the chain rule ∂ₓ E_ij = m′ E_{i+1,j} + ½α′ E_{i+2,j} + ∂ₓγ E_{i+1,j+1} for derivatives.
Otherwise: a product rule of another kind (tanh-sinh in place of Gauss–Legendre, other nodes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import sympy as sp
from mpmath import mp
from sympy.polys.rings import PolyElement

from theory.base.derivation import Verification
from theory.base.errors import PrecisionCapError
from theory.base.quadrature import Rule, angular_rule, cut_normal_rule, laplace_rule, real, shifted_normal_rule
from theory.features.laws import Cauchy, Constant, Discrete, Laplace, Law, Normal, Student, Uniform
from theory.kernels.evaluation import decimal
from theory.kernels.forms.coordinates import Constants, Coordinates, joint_gaussian, spread
from theory.kernels.kernel import KernelDerivation, Kind
from theory.kernels.numerical import NumericalKernel, panel_cost
from theory.kernels.oracle.lattice import Feature, to_fixed
from theory.kernels.oracle.multivariate import fitted
from theory.kernels.oracle.quadratures import GUARD_BITS, derivative_table, feature_means, panels

Number = Any
Question = tuple[Kind, tuple[Fraction, ...], tuple[Fraction, ...]]
Derivatives = dict[tuple[int, int], PolyElement]
NODES_PER_STD = 14
MAX_HERMITE = 400
MAX_OPERATIONS = 60
"""Longest second derivative of an activation for which Mehler's expansion is used."""
WORK = 3.0
"""Predicted seconds for the kernel's own rule, and for the other one."""


def chain_rule(weights: Law, biases: Law, a: int, b: int) -> Derivatives:
    """∂ₓᵃ∂ᵧᵇ E σ(U)σ(V) as Σ P_ij(x, y) E σ⁽ⁱ⁾(U) σ⁽ʲ⁾(V); one dimension."""
    joint = joint_gaussian(Coordinates(1), (weights,), biases, Constants(()))
    x, y = joint.ring.gens[:2]
    half = joint.ring.ground_new(joint.ring.domain.from_sympy(sp.Rational(1, 2)))
    state: Derivatives = {(0, 0): joint.ring.one}
    for variable, mean, variance, lift, times in (
        (x, joint.mean[0], joint.alpha, (1, 0), a),
        (y, joint.mean[1], joint.beta, (0, 1), b),
    ):
        for _ in range(times):
            new: Derivatives = {}
            for (i, j), P in state.items():
                for (di, dj), factor in (
                    ((0, 0), None),
                    (lift, mean.diff(variable)),
                    ((2 * lift[0], 2 * lift[1]), half * variance.diff(variable)),
                    ((1, 1), joint.gamma.diff(variable)),
                ):
                    term = P.diff(variable) if factor is None else P * factor
                    if term:
                        key = (i + di, j + dj)
                        new[key] = new.get(key, joint.ring.zero) + term
            state = new
    return state


class HermiteCoefficients:
    """E σ(m + s Z) Heₙ(Z)/√n!, n = 0, 1, …, by the trapezoidal rule, in the current precision and fixed point."""

    def __init__(self, kernel: KernelDerivation, point: Fraction) -> None:
        (mw, vw), (mb, vb) = spread(kernel.weights), spread(kernel.biases)
        self.mean = real(mw * point + mb)
        self.std = mp.sqrt(real(vw * point**2 + vb))
        self.bits = int(mp.prec) + GUARD_BITS
        h = mp.mpf(1) / NODES_PER_STD
        reach = int(mp.sqrt(2 * mp.prec * mp.ln2) / h) + 1
        self.table = derivative_table(kernel.activation)
        self.memo: dict[int, list[list[Number]]] = {}
        self.nodes = [k * h for k in range(-reach, reach + 1)]
        self.density = [h / mp.sqrt(2 * mp.pi) * mp.exp(-(t * t) / 2) for t in self.nodes]
        self.fixed = [to_fixed(t, self.bits) for t in self.nodes]
        self.current = [to_fixed(d * v, self.bits) for d, (v,) in zip(self.density, self.derivatives(0), strict=True)]
        self.previous = [0] * len(self.nodes)
        self.values: list[Number] = []

    def derivatives(self, order: int) -> list[list[Number]]:
        """σ, …, σ⁽ᵒʳᵈᵉʳ⁾ at every node, computed once."""
        if order not in self.memo:
            self.memo[order] = [self.table(self.mean + self.std * t, order) for t in self.nodes]
        return self.memo[order]

    def at(self, n: int) -> Number:
        """The n-th coefficient."""
        bits = self.bits
        while len(self.values) <= n:
            k = len(self.values)
            self.values.append(mp.ldexp(mp.mpf(sum(self.current)), -bits))
            # he_{k+1} = (t he_k − √k he_{k−1}) / √(k+1)
            inverse = to_fixed(1 / mp.sqrt(k + 1), bits)
            ratio = to_fixed(mp.sqrt(mp.mpf(k) / (k + 1)), bits)
            self.current, self.previous = (
                [
                    ((t * c >> bits) * inverse - ratio * p) >> bits
                    for t, c, p in zip(self.fixed, self.current, self.previous, strict=True)
                ],
                self.current,
            )
        return self.values[n]

    def derived(self, order: int, n: int) -> Number:
        """The n-th coefficient of σ⁽ᵒʳᵈᵉʳ⁾: s^−order √((n+order)!/n!) times the (n+order)-th of σ, by parts."""
        if self.std == 0:
            return self.table(self.mean, order)[order] if n == 0 else mp.mpf(0)
        factor = mp.sqrt(mp.rf(n + 1, order)) / self.std**order
        return factor * self.at(n + order)


def mehler_mean(left: HermiteCoefficients, right: HermiteCoefficients, i: int, j: int, rho: Number) -> Number:
    """E σ⁽ⁱ⁾(U) σ⁽ʲ⁾(V) with correlation ρ, |ρ| < 1.

    Raises:
        PrecisionCapError: more than :data:`MAX_HERMITE` terms.
    """
    total, quiet = mp.mpf(0), 0
    for n in range(MAX_HERMITE):
        term = rho**n * left.derived(i, n) * right.derived(j, n)
        total += term
        quiet = quiet + 1 if abs(term) < mp.ldexp(1, -mp.prec + 10) * max(abs(total), mp.ldexp(1, -30)) else 0
        if quiet > 3:
            return total
    raise PrecisionCapError(f"kernel: Mehler's expansion needs more than {MAX_HERMITE} terms")


def _diagonal(kernel: KernelDerivation, coefficients: HermiteCoefficients, x: Fraction, a: int, b: int) -> Number:
    """E w^(a+b) σ⁽ᵃ⁾(U) σ⁽ᵇ⁾(U) with U = wx + b: given U, w is normal, and one integral is left."""
    (mw, vw), (_, vb) = spread(kernel.weights), spread(kernel.biases)
    variance = vw * x**2 + vb
    slope = real(vw * x / variance) * coefficients.std if variance else mp.mpf(0)
    rest = real(vw * vb / variance) if variance else real(vw)
    total = mp.mpf(0)
    nodes = zip(coefficients.nodes, coefficients.density, coefficients.derivatives(max(a, b)), strict=True)
    for t, density, values in nodes:
        mean = real(mw) + slope * t
        moment, last = mp.mpf(1), mp.mpf(0)
        for k in range(a + b):
            moment, last = mean * moment + k * rest * last, moment
        total += density * moment * values[a] * values[b]
    return total


def gaussian_reference(kernel: KernelDerivation, kind: Kind, p: Sequence[Fraction], q: Sequence[Fraction]) -> Number:
    """K, K_AD or K_FD at two points by the chain rule and Mehler's expansion, in the current precision."""
    (_, vw), (_, vb) = spread(kernel.weights), spread(kernel.biases)
    left, right = kernel.features(kind, p, q)

    @cache
    def coefficients(point: Fraction) -> HermiteCoefficients:
        return HermiteCoefficients(kernel, point)

    @cache
    def mean(x: Fraction, y: Fraction, i: int, j: int) -> Number:
        first, second = coefficients(x), coefficients(y)
        spreads = first.std * second.std  # 0 where an argument is constant, which correlates with nothing
        return mehler_mean(first, second, i, j, real(vw * x * y + vb) / spreads if spreads else mp.mpf(0))

    total = mp.mpf(0)
    for a, x, c in left.terms:
        for b, y, e in right.terms:
            if x == y:
                total += real(c * e) * _diagonal(kernel, coefficients(x), x, a, b)
                continue
            for (i, j), P in chain_rule(kernel.weights, kernel.biases, a, b).items():
                factor = P.evaluate(list(zip(P.ring.gens, (_rational(x), _rational(y)), strict=True)))
                share = Fraction(int(factor.numerator), int(factor.denominator))
                total += real(c * e * share) * mean(x, y, i, j)
    return total


def _rational(value: Fraction) -> Any:
    from sympy.polys.domains import QQ

    return QQ(value.numerator, value.denominator)


def compared(kernel: KernelDerivation, wanted: Sequence[Question], loss: int) -> Verification | None:
    """The agreement of the kernel's own quadrature with another route, as far as a few seconds go.

    Args:
        kernel: without a closed form.
        wanted: what is compared where.
        loss: decimal digits that cancel inside the features.

    Returns:
        The digits reached by the best of the other rules; None where no comparison is in reach.
    """
    source = kernel.source
    assert isinstance(source, NumericalKernel)
    laws = (kernel.weights, kernel.biases)
    digits = 25 if all(isinstance(law, Normal | Uniform | Constant | Discrete) for law in laws) else 12
    products = [kernel.features(*item) for item in wanted]
    own, _ = source.approximations(products, digits, loss, WORK)
    best: Verification | None = None
    if not own:
        return None
    with mp.workdps(digits + 12 + loss):
        for route, values in _references(kernel, wanted, products):
            checks, worst = [], digits + 5
            for (kind, p, q), (value, _), other in zip(wanted, own, values, strict=True):
                gap = abs(value - other)
                size = max(abs(value), mp.mpf(10) ** -3)
                worst = min(worst, int(mp.floor(-mp.log10(gap / size))) if gap else digits + 5)
                checks.append((kind, f"{','.join(map(str, p))};{','.join(map(str, q))}", decimal(other, digits + 5)))
            if best is None or worst > best.digits:
                best = Verification(route, max(worst, 0), tuple(checks), 0.0)
            if worst >= digits:
                break
    return best


def _references(
    kernel: KernelDerivation, wanted: Sequence[Question], products: Sequence[tuple[Feature, Feature]]
) -> Iterator[tuple[str, list[Number]]]:
    """(route, values) by other rules than the kernel's own, from coarse to fine, in the current precision."""
    source = kernel.source
    assert isinstance(source, NumericalKernel)
    laws = (kernel.weights, kernel.biases)
    # with one law constant every argument is a function of one number, and |ρ| = 1
    both_normal = all(isinstance(law, Normal) for law in laws)
    # the chain rule doubles the orders of differentiation: not for long expressions
    if both_normal and sp.count_ops(kernel.activation.derivative(2)) <= MAX_OPERATIONS:
        try:
            values = [gaussian_reference(kernel, *item) for item in wanted]
            yield "Mehler's expansion in Hermite polynomials with the chain rule in the covariances", values
            return
        except PrecisionCapError:
            pass  # |ρ| is too near 1
    if source.kink is not None:
        spent = 0.0
        outside = not source.bias_outside
        for level in range(2, 12):
            spent += panel_cost(products, level, short=False)
            if spent > WORK and level > 3:
                return
            values = panels(source.kink, kernel.weights, kernel.biases, products, level + 2, bias_outside=outside)
            yield f"panels between the kinks, the {'bias' if outside else 'weight'} outermost", values
        return
    trapezoidal = isinstance(kernel.weights, Normal) and isinstance(kernel.biases, Constant)
    single = any(isinstance(law, Constant | Discrete) for law in laws) and not trapezoidal
    spent = 0.0
    for level in range(1, 16):
        first, second = (_other_rule(law, level, single) for law in laws)
        spent += source.predicted(products, first, second)
        if spent > WORK and level > 1:
            return
        try:
            values = feature_means(source.derivatives, first, second, products)
        except (OverflowError, ZeroDivisionError):
            return  # a pole between the nodes of the kernel's own rule
        yield "a product rule of another kind", values


def _other_rule(law: Law, level: int, single: bool) -> Rule:
    """A rule that shares no nodes with the kernel's own; ``single`` when the other law has finitely many values."""
    if isinstance(law, Normal):
        return cut_normal_rule(law, level + 5) if single else shifted_normal_rule(law, level)
    if isinstance(law, Cauchy | Student):
        return angular_rule(law, level + 3)
    if isinstance(law, Laplace):
        return laplace_rule(law, level, shifted=True)
    return fitted(law, level + (4 if isinstance(law, Uniform) else 3))
