"""Whether derivatives of every order are cheap for sinusoids alone (arXiv:2602.10541): spans of derivatives, and tanh.

"Cheap" is read by us as: all derivatives lie in one space of two functions, so that a pair of values serves every order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import flint

from numerics.arithmetic.balls import ball, below, enclose, same
from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import every, once
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import from_comparison
from theory.features.activations import Activation, activation, tanh_polynomial, z

SOURCE = "arXiv:2602.10541"
ORDERS = 12
"""Derivatives 0 to 12 are looked at."""
MOST = 2
"""Functions that serve every order of a sinusoid."""
SINUSOIDS = ("sin", "cos")
OTHERS = ("exp", "tanh", "sigmoid", "erf", "gaussian", "softplus", "gelu", "sech", "1/(1+z**2)")
BITS = 512
Count = Callable[[int], int]


def _value(name: str, order: int, at: Fraction) -> flint.arb:
    return enclose(activation(name).derivative(order), {z: flint.acb(ball(at))}).real


def independent(name: str, count: int) -> bool:
    """Whether σ, …, σ⁽ᶜᵒᵘⁿᵗ⁻¹⁾ are shown to be linearly independent: their values at as many points have a determinant ≠ 0."""
    with flint.ctx.workprec(BITS):
        points = [Fraction(2 * k - count, 5) + Fraction(1, 7) for k in range(count)]
        return not flint.arb_mat([[_value(name, n, at) for n in range(count)] for at in points]).det().contains(0)


def closed(name: str) -> bool:
    """Whether every derivative is, exactly, one of the first two or its negative."""
    first = [activation(name).derivative(n) for n in range(MOST)]
    return all(any(activation(name).derivative(n) in (one, -one) for one in first) for n in range(ORDERS + 1))


@stated(
    "literature.special-to-sinusoids",
    title="Derivatives of every order in a space of two functions: sinusoids alone",
    family="literature",
    source=SOURCE,
    predicate=rf"$\sigma, \sigma', \ldots, \sigma^{{({ORDERS})}}$: each of them exactly $\pm\sigma$ or $\pm\sigma'$, or {MOST + 1} of them "
    "independent (a determinant of balls at rational points is not 0). The statement is right of an activation where the first is so "
    "just for sin and cos.",
    kind="ball",
    scopes=once(*({"activation": name} for name in (*SINUSOIDS, *OTHERS))),
    instances=lambda scope, profile: (activation(scope["activation"]),),
    judges=(Activation.derivative,),
    mutants=(
        wrong("tanh-too", "tanh is taken for a sinusoid", "predicate", {"activation": "tanh"}, named=("sin", "cos", "tanh")),
        wrong("one-function", "a single function serves", "constant", {"activation": "sin"}, most=1),
    ),
)  # fmt: skip
def special_to_sinusoids(
    sigma: Activation, scope: Scope, named: tuple[str, ...] = SINUSOIDS, most: int = MOST
) -> Outcome:
    """Derivatives of every order that come from two functions are special to sinusoids (checked to order 12, activation by
    activation: an activation refutes it if it has the property and is no sinusoid)."""
    if independent(sigma.name, most + 1):
        return Outcome(
            from_comparison(sigma.name not in named), f"{most + 1} derivatives are independent", certified=True
        )
    if closed(sigma.name):
        words = f"each of {ORDERS + 1} derivatives is ± one of the first two"
        return Outcome(from_comparison(sigma.name in named), words, certified=True)
    return Outcome(from_comparison(None), "undecided")


def _orders(scope: Scope, profile: Profile) -> Iterator[int]:
    yield from range(1, 9 if profile == "quick" else 17)


def _taylor(order: int, at: Fraction) -> flint.arb:
    """tanh⁽ᵒʳᵈᵉʳ⁾ by power series: (e^{2z} − 1)/(e^{2z} + 1), which uses no recurrence of polynomials."""
    flint_cap = flint.ctx.cap
    try:
        flint.ctx.cap = order + 1
        e = flint.arb_series([2 * ball(at), 2], order + 1).exp()
        return ((e - 1) / (e + 1))[order] * math.factorial(order)
    finally:
        flint.ctx.cap = flint_cap


@stated(
    "literature.tanh-polynomials",
    title="Derivatives of tanh are polynomials in tanh that grow",
    family="literature",
    source=SOURCE,
    predicate="For each order n: degree n + 1, leading coefficient ± n!, ⌊n/2⌋ + 2 terms for odd n and ⌊n/2⌋ + 1 for even n, exactly; the "
    "polynomial at tanh(1/3) and tanh(−7/5) overlaps, to 40 digits, n! times the coefficient of the power series of (e^2z − 1)/(e^2z + 1)",
    kind="ball",
    scopes=once({"activation": "tanh"}),
    instances=_orders,
    judges=(tanh_polynomial,),
    mutants=(
        wrong("degree", "the degree is n", "order", shift=-1),
        wrong("bounded", "the leading coefficient stays ± 1", "constant", leading=lambda n: 1),
        wrong("few-terms", "two terms are enough", "predicate", terms=lambda n: 2),
    ),
)  # fmt: skip
def tanh_polynomials(
    n: int, scope: Scope, shift: int = 0, leading: Count = math.factorial, terms: Count = lambda n: n // 2 + 1 + n % 2
) -> Outcome:
    r"""The $n$-th derivative of tanh is a polynomial in tanh of degree $n + 1$ with $\lfloor n/2\rfloor + 1$ terms (one more for odd
    $n$) and leading coefficient $\pm n!$: the number of terms grows with the order (checked for $n \le 8$,
    in the full profile 16; the source's "special to sinusoids", seen from tanh).
    """

    poly = tanh_polynomial(n)
    facts = [
        same(poly.degree(), n + 1 + shift),
        same(abs(int(poly.LC())), leading(n)),
        same(len(poly.terms()), terms(n)),
    ]
    with flint.ctx.workprec(BITS):
        for at in (Fraction(1, 3), Fraction(-7, 5)):
            value = flint.arb(0)
            for (power,), c in poly.terms():
                value += int(c) * ball(at).tanh() ** power
            gap = abs(value - _taylor(n, at))
            facts.append(below(gap.lower(), 0) & below(gap.upper(), Fraction(1, 10**40)))
    holds = every(facts)
    return Outcome(holds, f"n = {n}: degree {poly.degree()}, {len(poly.terms())} terms, leading coefficient {poly.LC()}",
                   certified=holds.holds is not None)  # fmt: skip


CLAIMS = (special_to_sinusoids, tanh_polynomials)
