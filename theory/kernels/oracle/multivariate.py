"""Reference values of kernels by quadrature, independent of every derivation: what closed forms are verified against.

Nothing here uses a characteristic function, a determinant, Price's theorem, an addition theorem or a primitive, nor the
shape that a route recognised: only the activation (its form is read anew, :mod:`theory.kernels.oracle.quadratures`), the densities
of the laws, and rules of numerical integration.

Reference values in several dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import sympy as sp
from mpmath import mp

from theory.base.quadrature import (
    Rule,
    exponential_mean,
    gauss_legendre,
    real,
    rule,
    sinh_rule,
)
from theory.features.laws import Cauchy, Constant, Discrete, Law, Normal, Student
from theory.kernels.evaluation import decimal, evaluate
from theory.kernels.existence import pairs
from theory.kernels.forms.coordinates import fraction, spread
from theory.kernels.kernel import KernelDerivation, Kind
from theory.kernels.oracle import conditioning, lattice
from theory.kernels.oracle.lattice import Feature
from theory.kernels.oracle.quadratures import (
    Form,
    Kink,
    Polynomial,
    Waves,
    decays,
    derivative_table,
    feature_means,
    form_of,
    growth,
    number,
    panels,
)
from theory.stencils import central

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


def is_expensive(form: Form | None, weight: Law, bias: Law) -> bool:
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


Point = Sequence[Fraction]
Question = tuple[Kind, tuple[Fraction, ...], tuple[Fraction, ...]]
Check = tuple[str, str, str]
"""Kind, points, value."""
WORKING = 36
DIFFERENCE = 30
"""Decimal exponent of the step of the differences of K."""


def kernel_checks(kernel: KernelDerivation, wanted: Sequence[Question], level: int) -> tuple[str, tuple[Check, ...]]:
    """The route in words, and the values of K at the points wanted, integrated numerically."""
    K, route = _kernel_mean(kernel, level)
    out = []
    for kind, p, q in wanted:
        with mp.workdps(WORKING):
            out.append((kind, spell(p, q), decimal(K(p, q), WORKING - 2)))
    return route, tuple(out)


def derivative_checks(kernel: KernelDerivation, wanted: Sequence[Question]) -> tuple[str, tuple[Check, ...]]:
    """The route in words, and K_AD at the points wanted: differences of the closed K, no symbolic derivatives.

    Off the diagonal only where K has a kink, and not where autodiff drops distributions that K's derivatives keep.
    """
    out = []
    form = form_of(kernel.activation)
    n = form.n if isinstance(form, Kink) else None
    for kind, p, q in wanted:
        if n is not None and (p == q or max(sum(a) for a, _ in kernel.sides[0].ad) > n):
            continue
        out.append((kind, spell(p, q), decimal(_differences(kernel, p, q), WORKING - 2)))
    return f"K_AD by differences of K at step 1e-{DIFFERENCE}", tuple(out)


def spell(p: Point, q: Point) -> str:
    """Two points in text."""
    return f"{','.join(map(str, p))};{','.join(map(str, q))}"


def _kernel_mean(kernel: KernelDerivation, level: int) -> tuple[Callable[[Point, Point], Number], str]:
    w, b, form = kernel.weights, kernel.biases, form_of(kernel.activation)
    if isinstance(form, Polynomial):
        return lambda p, q: _polynomial_multivariate(kernel, form, p, q), "double-exponential quadrature of the moments"
    if isinstance(form, Waves):
        return (
            lambda p, q: _exponential_multivariate(kernel, form, p, q),
            "double-exponential quadrature of the densities against complex exponentials",
        )
    if isinstance(w, Constant | Discrete):
        return lambda p, q: _fixed(kernel, p, q), "quadrature over the bias, weight by weight"
    if isinstance(form, Kink):
        return lambda p, q: _angular_multivariate(
            kernel, form, p, q
        ), "Gauss–Legendre quadrature over the angle of (U, V)"
    assert isinstance(w, Normal)
    table, sigma = derivative_table(kernel.activation), kernel.activation.derivative(0)
    parity = {None: 0, "even": 1, "odd": -1}[kernel.activation.parity]
    entire = conditioning.Entire(lambda u: table(u, 0)[0], number(growth(sigma)), decays(sigma), parity)
    return (
        lambda p, q: conditioning.mean(entire, w, b, p, q, level),
        "trapezoidal rules over U − V and what is left of U",
    )


def _fixed(kernel: KernelDerivation, p: Point, q: Point) -> Number:
    """Fixed weights: one dimension, at the points w·x and w·y."""
    one = Constant(Fraction(1))
    table = derivative_table(kernel.activation)
    choices = list(product(kernel.weights.parameters, repeat=len(p)))
    # panels between kinks want the finest rule, which is cheap there
    form = form_of(kernel.activation)
    finest = -1 if isinstance(form, Kink) else -2
    level = levels(form, one, kernel.biases, 0)[finest]
    total = mp.mpf(0)
    for w in choices:
        u, v = (sum((s * t for s, t in zip(w, point, strict=True)), Fraction(0)) for point in (p, q))
        pair = (Feature(((0, u, Fraction(1)),)), Feature(((0, v, Fraction(1)),)))
        total += reference(form, table, one, kernel.biases, [pair], level)[0]
    return total / len(choices)


def _polynomial_multivariate(kernel: KernelDerivation, form: Polynomial, p: Point, q: Point) -> Number:
    """E UⁱVʲ by adding one independent variable at a time; moments by quadrature."""
    coefficients = [number(c) for c in form.coefficients]
    n = len(coefficients)
    weight, bias = (
        [mp.re(exponential_mean(law, k, mp.mpc(0), 11)) for k in range(2 * n)]
        for law in (kernel.weights, kernel.biases)
    )
    state = [[bias[i + j] for j in range(n)] for i in range(n)]
    for s, t in zip(p, q, strict=True):
        x, y = real(s), real(t)
        state = [
            [
                mp.fsum(
                    mp.binomial(i, k) * mp.binomial(j, m) * x**k * y**m * weight[k + m] * state[i - k][j - m]
                    for k in range(i + 1)
                    for m in range(j + 1)
                )
                for j in range(n)
            ]
            for i in range(n)
        ]
    return mp.fsum(a * b * state[i][j] for i, a in enumerate(coefficients) for j, b in enumerate(coefficients))


def _exponential_multivariate(kernel: KernelDerivation, form: Waves, p: Point, q: Point) -> Number:
    terms = [(number(c), number(rate)) for c, rate in form.terms]
    total = mp.mpc(0)
    for c1, l1 in terms:
        for c2, l2 in terms:
            value = c1 * c2 * exponential_mean(kernel.biases, 0, l1 + l2, 10)
            for s, t in zip(p, q, strict=True):
                value *= exponential_mean(kernel.weights, 0, l1 * real(s) + l2 * real(t), 10)
            total += value
    return mp.re(total)


def _angular_multivariate(kernel: KernelDerivation, form: Kink, p: Point, q: Point) -> Number:
    """U = √α r cos θ, V = √β r cos(θ − ω) with cos ω = ρ."""
    (_, vw), (_, vb) = spread(kernel.weights), spread(kernel.biases)
    alpha, beta, gamma = (
        real(vw * sum((s * t for s, t in zip(a, b, strict=True)), Fraction(0)) + vb)
        for a, b in ((p, p), (q, q), (p, q))
    )
    omega = mp.acos(max(-1, min(1, gamma / mp.sqrt(alpha * beta))))
    n = form.n
    low, high = omega - mp.pi / 2, mp.pi / 2
    nodes, weights = gauss_legendre(60)
    half, middle = (high - low) / 2, (high + low) / 2
    angle = mp.fsum(
        g * half * (mp.cos(middle + half * t) * mp.cos(middle + half * t - omega)) ** n
        for t, g in zip(nodes, weights, strict=True)
    )
    return number(form.scale) ** 2 * mp.sqrt(alpha * beta) ** n * mp.mpf(2) ** n * mp.factorial(n) / (2 * mp.pi) * angle


def _differences(kernel: KernelDerivation, p: Point, q: Point) -> Number:
    """L_x L_y K by central differences of the closed K, at enough digits that only the truncation is left."""
    zero = (0,) * len(p)
    K = kernel.derivative(zero, zero)
    symbols = kernel.symbols
    step = Fraction(1, 10**DIFFERENCE)
    memo: dict[tuple[int, ...], Number] = {}
    order = 2 * max(sum(a) for a, _ in kernel.sides[0].ad)
    with mp.workdps(60 + DIFFERENCE * order):

        def at(shift: tuple[int, ...]) -> Number:
            if shift not in memo:
                point = {s: v + k * step for s, v, k in zip(symbols, (*p, *q), shift, strict=True)}
                memo[shift] = evaluate(K, point)
            return memo[shift]

        total = mp.mpf(0)
        values = dict(zip(symbols, (*p, *q), strict=True))
        for a, b, c in pairs(*kernel.sides):
            axes = []
            for m in (*a, *b):
                stencil = central(m)
                axes.append([(int(s), w) for s, w in zip(stencil.offsets, stencil.weights, strict=True)])
            part = mp.mpf(0)
            for choice in product(*axes):
                weight = Fraction(1)
                for _, w in choice:
                    weight *= w
                part += real(weight) * at(tuple(k for k, _ in choice))
            total += evaluate(c, values) * part / real(step) ** (sum(a) + sum(b))
        return total
