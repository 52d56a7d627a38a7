"""Reference values in several dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from mpmath import mp

from theory.kernels import references
from theory.kernels.coordinates import spread
from theory.kernels.evaluation import decimal, evaluate
from theory.kernels.forms import pairs
from theory.kernels.lattice import Feature
from theory.kernels.numerical import derivative_table
from theory.kernels.shapes import GaussianSum, ReluPower
from theory.laws import Constant, Discrete, Law, Normal, Uniform
from theory.quadrature import Rule, exponential_mean, gauss_legendre, real, rule
from theory.stencils import central

if TYPE_CHECKING:
    from theory.kernels.derive import KernelDerivation, Kind

Number = Any
Point = Sequence[Fraction]
WORKING = 36
DIFFERENCE = 30
"""Decimal exponent of the step of the differences of K."""


def several_checks(
    kernel: KernelDerivation,
    wanted: Sequence[tuple[Kind, tuple[Fraction, ...], tuple[Fraction, ...]]],
    level: int = 4,
) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """The route in words, and (kind, points, value) for the values wanted.

    K is integrated numerically; K_AD is a difference of the closed K at step 10^−30, independent of the symbolic
    differentiation (off the diagonal only where K has a kink); K_FD is the definition of itself and not checked.
    """
    K, route = _kernel_mean(kernel, level)
    out = []
    rough = isinstance(kernel.shape, ReluPower)
    first = wanted[0]
    for kind, p, q in wanted:
        if kind == "K" and is_product(kernel) and (kind, p, q) != first:
            continue  # each value costs seconds
        if kind == "K":
            with mp.workdps(WORKING):
                value = K(p, q)
        elif kind == "K_AD" and not (rough and p == q):
            if rough and max(sum(a) for a, _ in kernel.sides[0].ad) > kernel.shape.n:  # type: ignore[union-attr]
                continue  # autodiff drops the distributions on the kink; K's derivatives do not
            value = _differences(kernel, p, q)
        else:
            continue
        where = f"{','.join(map(str, p))};{','.join(map(str, q))}"
        out.append((kind, where, decimal(value, WORKING - 2)))
    return f"{route}; K_AD by differences of K at step 1e-{DIFFERENCE}", tuple(out)


def is_product(kernel: KernelDerivation) -> bool:
    """Whether K has to be integrated over every weight and the bias."""
    shape = kernel.shape
    if isinstance(shape, GaussianSum) and (shape.is_exponential_sum or shape.is_polynomial):
        return False
    laws = (kernel.weights, kernel.biases)
    return not isinstance(kernel.weights, Constant | Discrete) and not all(
        isinstance(law, Normal | Constant) for law in laws
    )


def _kernel_mean(kernel: KernelDerivation, level: int) -> tuple[Callable[[Point, Point], Number], str]:
    shape, w, b = kernel.shape, kernel.weights, kernel.biases
    if isinstance(shape, GaussianSum) and shape.is_polynomial:
        return lambda p, q: _polynomial(kernel, shape, p, q), "double-exponential quadrature of the moments"
    if isinstance(shape, GaussianSum) and (shape.is_sinusoidal or shape.is_hyperbolic):
        return (
            lambda p, q: _exponential(kernel, shape, p, q),
            "double-exponential quadrature of the densities against complex exponentials",
        )
    if isinstance(w, Constant | Discrete):
        return lambda p, q: _fixed(kernel, p, q), "quadrature over the bias, weight by weight"
    if all(isinstance(law, Normal | Constant) for law in (w, b)):
        if isinstance(shape, ReluPower):
            return lambda p, q: _angular(kernel, shape, p, q), "Gauss–Legendre quadrature over the angle of (U, V)"
        return lambda p, q: _bivariate(kernel, p, q, level), "two-dimensional trapezoidal rule over (U, V)"
    return lambda p, q: _product(kernel, p, q, level), "product quadrature over every weight and the bias"


def _fixed(kernel: KernelDerivation, p: Point, q: Point) -> Number:
    """Fixed weights: one dimension, at the points w·x and w·y."""
    one = Constant(Fraction(1))
    table = derivative_table(kernel.activation)
    choices = list(product(kernel.weights.parameters, repeat=len(p)))
    # panels between kinks want the finest rule, which is cheap there
    finest = -1 if isinstance(kernel.shape, ReluPower) else -2
    level = references.levels(kernel.shape, one, kernel.biases, 0)[finest]
    total = mp.mpf(0)
    for w in choices:
        u, v = (sum((s * t for s, t in zip(w, point, strict=True)), Fraction(0)) for point in (p, q))
        pair = (Feature(((0, u, Fraction(1)),)), Feature(((0, v, Fraction(1)),)))
        total += references.reference(kernel.shape, table, one, kernel.biases, [pair], level)[0]
    return total / len(choices)


def _polynomial(kernel: KernelDerivation, shape: GaussianSum, p: Point, q: Point) -> Number:
    """E UⁱVʲ by adding one independent variable at a time; moments by quadrature."""
    coefficients = [references.number(c) for c in shape.groups[0].coefficients]
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


def _exponential(kernel: KernelDerivation, shape: GaussianSum, p: Point, q: Point) -> Number:
    terms = [(references.number(g.coefficients[0]), references.number(g.tilt)) for g in shape.groups]
    total = mp.mpc(0)
    for c1, l1 in terms:
        for c2, l2 in terms:
            value = c1 * c2 * exponential_mean(kernel.biases, 0, l1 + l2, 10)
            for s, t in zip(p, q, strict=True):
                value *= exponential_mean(kernel.weights, 0, l1 * real(s) + l2 * real(t), 10)
            total += value
    return mp.re(total)


def _moments(kernel: KernelDerivation, p: Point, q: Point) -> tuple[Fraction, Fraction, Fraction, Fraction, Fraction]:
    """Means, variances and covariance of (U, V) by the elementary formulas."""
    (mw, vw), (mb, vb) = spread(kernel.weights), spread(kernel.biases)

    def dot(a: Point, b: Point) -> Fraction:
        return vw * sum((s * t for s, t in zip(a, b, strict=True)), Fraction(0)) + vb

    mean = [mw * sum(point, Fraction(0)) + mb for point in (p, q)]
    return mean[0], mean[1], dot(p, p), dot(q, q), dot(p, q)


def _bivariate(kernel: KernelDerivation, p: Point, q: Point, level: int) -> Number:
    m1, m2, alpha, beta, gamma = (real(v) for v in _moments(kernel, p, q))
    table = derivative_table(kernel.activation)
    a = mp.sqrt(alpha)
    slope = gamma / a if a else mp.mpf(0)
    rest = mp.sqrt(max(beta - slope**2, mp.mpf(0)))
    standard = rule(Normal(Fraction(0), Fraction(1)), level)
    total = mp.mpf(0)
    for xi, c in zip(standard.nodes, standard.weights, strict=True):
        first = c * table(m1 + a * xi, 0)[0]
        if rest == 0:
            total += first * table(m2 + slope * xi, 0)[0]
            continue
        centre = m2 + slope * xi
        total += first * mp.fsum(
            e * table(centre + rest * eta, 0)[0]
            for eta, e in zip(standard.nodes, standard.weights, strict=True)
            if c * e > mp.ldexp(1, -mp.prec - 20)
        )
    return total


def _angular(kernel: KernelDerivation, shape: ReluPower, p: Point, q: Point) -> Number:
    """U = √α r cos θ, V = √β r cos(θ − ω) with cos ω = ρ."""
    _, _, alpha, beta, gamma = (real(v) for v in _moments(kernel, p, q))
    omega = mp.acos(max(-1, min(1, gamma / mp.sqrt(alpha * beta))))
    n = shape.n
    low, high = omega - mp.pi / 2, mp.pi / 2
    nodes, weights = gauss_legendre(60)
    half, middle = (high - low) / 2, (high + low) / 2
    angle = mp.fsum(
        g * half * (mp.cos(middle + half * t) * mp.cos(middle + half * t - omega)) ** n
        for t, g in zip(nodes, weights, strict=True)
    )
    return (
        references.number(shape.scale) ** 2
        * mp.sqrt(alpha * beta) ** n
        * mp.mpf(2) ** n
        * mp.factorial(n)
        / (2 * mp.pi)
        * angle
    )


def _product(kernel: KernelDerivation, p: Point, q: Point, level: int) -> Number:
    """Sums over every node of every weight; the inner variable is the bias."""
    table = derivative_table(kernel.activation)
    rules = [_short_rule(law, level) for law in (*(kernel.weights for _ in p), kernel.biases)]
    x, y = [real(s) for s in p], [real(s) for s in q]
    tiny = mp.ldexp(1, -mp.prec - 4)

    def visit(i: int, u: Number, v: Number, weight: Number) -> Number:
        r = rules[i]
        if i == len(rules) - 1:
            return weight * mp.fsum(
                c * table(u + s, 0)[0] * table(v + s, 0)[0] for s, c in zip(r.nodes, r.weights, strict=True)
            )
        return mp.fsum(
            visit(i + 1, u + s * x[i], v + s * y[i], weight * c)
            for s, c in zip(r.nodes, r.weights, strict=True)
            if weight * c > tiny
        )

    return visit(0, mp.mpf(0), mp.mpf(0), mp.mpf(1))


def _short_rule(law: Law, level: int) -> Rule:
    """Few nodes for entire integrands: three or more of these rules are multiplied."""
    if isinstance(law, Normal):
        return rule(law, level - 2)
    if isinstance(law, Uniform):
        nodes, weights = gauss_legendre(8 * level)
        low, high = real(law.low), real(law.high)
        return Rule(tuple((low + high + (high - low) * s) / 2 for s in nodes), tuple(c / 2 for c in weights))
    return rule(law, level + 2)


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
