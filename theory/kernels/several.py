"""Reference values in several dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from mpmath import mp

from theory.kernels import references, regression
from theory.kernels.coordinates import spread
from theory.kernels.evaluation import decimal, evaluate
from theory.kernels.forms import pairs
from theory.kernels.integrand import Kink, Polynomial, Waves, decays, form_of, growth, number
from theory.kernels.lattice import Feature
from theory.kernels.means import derivative_table
from theory.laws import Constant, Discrete, Normal
from theory.quadrature import exponential_mean, gauss_legendre, real
from theory.stencils import central

if TYPE_CHECKING:
    from theory.kernels.derive import KernelDerivation, Kind

Number = Any
Point = Sequence[Fraction]
Question = tuple["Kind", tuple[Fraction, ...], tuple[Fraction, ...]]
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
        return lambda p, q: _polynomial(kernel, form, p, q), "double-exponential quadrature of the moments"
    if isinstance(form, Waves):
        return (
            lambda p, q: _exponential(kernel, form, p, q),
            "double-exponential quadrature of the densities against complex exponentials",
        )
    if isinstance(w, Constant | Discrete):
        return lambda p, q: _fixed(kernel, p, q), "quadrature over the bias, weight by weight"
    if isinstance(form, Kink):
        return lambda p, q: _angular(kernel, form, p, q), "Gauss–Legendre quadrature over the angle of (U, V)"
    assert isinstance(w, Normal)
    table, sigma = derivative_table(kernel.activation), kernel.activation.derivative(0)
    parity = {None: 0, "even": 1, "odd": -1}[kernel.activation.parity]
    entire = regression.Entire(lambda u: table(u, 0)[0], number(growth(sigma)), decays(sigma), parity)
    return (
        lambda p, q: regression.mean(entire, w, b, p, q, level),
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
    level = references.levels(form, one, kernel.biases, 0)[finest]
    total = mp.mpf(0)
    for w in choices:
        u, v = (sum((s * t for s, t in zip(w, point, strict=True)), Fraction(0)) for point in (p, q))
        pair = (Feature(((0, u, Fraction(1)),)), Feature(((0, v, Fraction(1)),)))
        total += references.reference(form, table, one, kernel.biases, [pair], level)[0]
    return total / len(choices)


def _polynomial(kernel: KernelDerivation, form: Polynomial, p: Point, q: Point) -> Number:
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


def _exponential(kernel: KernelDerivation, form: Waves, p: Point, q: Point) -> Number:
    terms = [(number(c), number(rate)) for c, rate in form.terms]
    total = mp.mpc(0)
    for c1, l1 in terms:
        for c2, l2 in terms:
            value = c1 * c2 * exponential_mean(kernel.biases, 0, l1 + l2, 10)
            for s, t in zip(p, q, strict=True):
                value *= exponential_mean(kernel.weights, 0, l1 * real(s) + l2 * real(t), 10)
            total += value
    return mp.re(total)


def _angular(kernel: KernelDerivation, form: Kink, p: Point, q: Point) -> Number:
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
