"""Reference values of kernels by quadrature, independent of every derivation: what closed forms are verified against.

Nothing here uses a characteristic function, a determinant, Price's theorem, an addition theorem or a primitive, nor the
shape that a route recognised: only the activation (its form is read anew, :mod:`theory.kernels.integrand`), the densities
of the laws, and rules of numerical integration.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import sympy as sp
from mpmath import mp

from theory.kernels import lattice
from theory.kernels.coordinates import fraction
from theory.kernels.integrand import Form, Kink, Polynomial, Waves, number
from theory.kernels.lattice import Feature
from theory.kernels.means import feature_means
from theory.kernels.panels import panels
from theory.laws import Cauchy, Constant, Discrete, Law, Normal, Student
from theory.quadrature import (
    Rule,
    exponential_mean,
    gauss_legendre,
    real,
    rule,
    sinh_rule,
)

Number = Any
Products = Sequence[tuple[Feature, Feature]]
Derivatives = Callable[[Number, int], Sequence[Number]]


def method(form: Form | None, weight: Law, bias: Law) -> str:
    """The independent route for these, in words."""
    if isinstance(form, Waves):
        return "double-exponential quadrature of the densities against complex exponentials"
    if isinstance(form, Polynomial):
        return "double-exponential quadrature of the moments"
    if isinstance(form, Kink):
        if _centred(weight, bias):
            return "Gauss–Legendre quadrature over the angle between the kinks"
        return "double-exponential quadrature on panels between the kinks"
    if _gaussian(weight, bias):
        return "two-dimensional trapezoidal rule over weight and bias"
    return "two-dimensional product quadrature over weight and bias"


def is_dear(form: Form | None, weight: Law, bias: Law) -> bool:
    """Whether the reference is a product rule in floating point, which costs seconds."""
    if isinstance(form, Waves | Polynomial):
        return False
    if isinstance(form, Kink):
        return not _centred(weight, bias)
    single = isinstance(weight, Constant | Discrete) or isinstance(bias, Constant | Discrete)
    return not _gaussian(weight, bias) and not single


def levels(form: Form | None, weight: Law, bias: Law, order: int) -> range:
    """Levels to try, from coarse to fine, for an operator of an order."""
    if isinstance(form, Waves | Polynomial):
        return range(10 if any(isinstance(law, Cauchy | Student) for law in (weight, bias)) else 8, 13)
    if isinstance(form, Kink):
        return range(7, 11)
    if _gaussian(weight, bias):
        return range(4 if order <= 2 else 5, 12)  # high derivatives are larger off the real line
    single = isinstance(weight, Constant | Discrete) or isinstance(bias, Constant | Discrete)
    return range(9, 16) if single else range(7 if order <= 2 else 9, 12)


def reference(
    form: Form | None, derivatives: Derivatives, weight: Law, bias: Law, products: Products, level: int,
    *, symmetric: bool = False, loss: int = 0,
) -> list[Number]:  # fmt: skip
    """E left(w, b) right(w, b) for each pair of features, at one level of the rule, in the current precision.

    Args:
        form, derivatives, weight, bias: of the activation, and the laws.
        products: pairs of features.
        level: of :func:`levels`.
        symmetric: the activation is even or odd.
        loss: decimal digits of the precision that cancel inside the features.
    """
    match form:
        case Polynomial():
            return _polynomial(form, weight, bias, products, level)
        case Waves():
            return _exponential(form, weight, bias, products, level)
        case Kink() if _centred(weight, bias):
            return _angular(form, weight, bias, products)
        case Kink():
            return panels(form, weight, bias, products, level)
    if _gaussian(weight, bias):
        return lattice.means(derivatives, weight, bias, products, level, symmetric=symmetric, loss=loss)
    return feature_means(derivatives, fitted(weight, level), fitted(bias, level), products)


def fitted(law: Law, level: int) -> Rule:
    """The rule of a law at the step that suits integrands which decay or are entire."""
    if isinstance(law, Normal):
        return rule(law, level - 3)
    if isinstance(law, Cauchy | Student):
        return sinh_rule(law, level)
    return rule(law, level)


def cost(
    form: Form | None, weight: Law, bias: Law, products: Products, level: int, evaluation: float,
    *, symmetric: bool = False, loss: int = 0,
) -> float:  # fmt: skip
    """A rough prediction of the seconds that :func:`reference` takes.

    Args:
        form, weight, bias, products, level, symmetric, loss: as for :func:`reference`.
        evaluation: seconds for the activation with its derivatives at one number.
    """
    if form is not None:
        return 1.0
    if _gaussian(weight, bias):
        return lattice.cost(weight, bias, products, level, evaluation, symmetric=symmetric, loss=loss)
    points = len({p for pair in products for f in pair for _, p, _ in f.terms})
    return len(fitted(weight, level).nodes) * len(fitted(bias, level).nodes) * points * 4e-5


def _gaussian(weight: Law, bias: Law) -> bool:
    return all(isinstance(law, Normal | Constant) for law in (weight, bias))


def _centred(weight: Law, bias: Law) -> bool:
    return isinstance(weight, Normal) and weight.mean == 0 and bias.centre == 0 and isinstance(bias, Normal | Constant)


def _exponential(form: Waves, weight: Law, bias: Law, products: Products, level: int) -> list[Number]:
    """Σ c c′ l^i l′^j E wⁿ e^{(l p + l′ q) w} E e^{(l + l′) b}."""
    terms = [(number(c), number(rate), rate) for c, rate in form.terms]
    memo: dict[tuple[str, sp.Expr, int], Number] = {}

    def mean(law: Law, n: int, rate: sp.Expr) -> Number:
        """E wⁿ e^{rate·w}, once for a rate and its conjugate."""
        flip = bool(sp.im(rate) < 0)
        key = (str(law), sp.expand(sp.conjugate(rate)) if flip else rate, n)
        if key not in memo:
            memo[key] = exponential_mean(law, n, mp.mpc(number(key[1])), level)
        return mp.conj(memo[key]) if flip else memo[key]

    out = []
    for left, right in products:
        total = mp.mpc(0)
        for i, p, c in left.terms:
            for j, q, e in right.terms:
                for c1, l1, exact1 in terms:
                    for c2, l2, exact2 in terms:
                        rate = sp.expand(exact1 * fraction(p) + exact2 * fraction(q))
                        value = mean(weight, i + j, rate) * mean(bias, 0, sp.expand(exact1 + exact2))
                        total += real(c) * real(e) * c1 * c2 * l1**i * l2**j * value
        out.append(mp.re(total))
    return out


def _polynomial(form: Polynomial, weight: Law, bias: Law, products: Products, level: int) -> list[Number]:
    coefficients = [number(c) for c in form.coefficients]
    degree = 2 * (len(coefficients) - 1)
    mw, mb = ([mp.re(exponential_mean(law, n, mp.mpc(0), level)) for n in range(degree + 1)] for law in (weight, bias))

    def derived(n: int) -> list[Number]:
        return [c * mp.ff(k, n) for k, c in enumerate(coefficients)][n:]

    out = []
    for left, right in products:
        total = mp.mpf(0)
        for i, p, c in left.terms:
            for j, q, e in right.terms:
                x, y = real(p), real(q)
                for m, first in enumerate(derived(i)):
                    for n, second in enumerate(derived(j)):
                        for s in range(m + 1):
                            for t in range(n + 1):
                                factor = mp.binomial(m, s) * mp.binomial(n, t) * x**s * y**t * first * second
                                total += real(c) * real(e) * factor * mw[i + j + s + t] * mb[m + n - s - t]
        out.append(total)
    return out


def _relu_value(scale: Number, n: int, order: int, u: Number) -> Number:
    """The derivative of a z₊ⁿ, pointwise."""
    if order > n or u <= 0:
        return mp.mpf(0)
    return scale * math.perm(n, order) * u ** (n - order)


def _angular(form: Kink, weight: Law, bias: Law, products: Products) -> list[Number]:
    """w = r s_w cos θ, b = r s_b sin θ: E r^k is a factorial, and in θ a trigonometric polynomial between kinks."""
    sw, sb = real(weight.parameters[1]), real(bias.parameters[1]) if isinstance(bias, Normal) else mp.mpf(0)
    scale, n = number(form.scale), form.n
    nodes, weights = gauss_legendre(24)
    out = []
    for left, right in products:
        points = sorted({p for f in (left, right) for _, p, _ in f.terms})
        kinks = {mp.mpf(0), 2 * mp.pi}
        for p in points:
            direction = mp.atan2(sb, real(p) * sw)
            kinks |= {mp.fmod(direction + k * mp.pi / 2 + 4 * mp.pi, 2 * mp.pi) for k in (1, -1)}
        total = mp.mpf(0)
        for i, p, c in left.terms:
            for j, q, e in right.terms:
                if max(i, j) > n:
                    continue
                # E r^{2n}: w^{i+j} u^{n−i} v^{n−j} is homogeneous of degree 2n
                radial = mp.mpf(2) ** n * mp.factorial(n) / (2 * mp.pi)
                part = mp.mpf(0)
                for low, high in pairwise(sorted(kinks)):
                    half, middle = (high - low) / 2, (high + low) / 2
                    if half == 0:
                        continue
                    for node, g in zip(nodes, weights, strict=True):
                        theta = middle + half * node
                        w, b = sw * mp.cos(theta), sb * mp.sin(theta)
                        value = _relu_value(scale, n, i, w * real(p) + b) * _relu_value(scale, n, j, w * real(q) + b)
                        if value:
                            part += half * g * value * w ** (i + j)
                total += real(c) * real(e) * radial * part
        out.append(total)
    return out
