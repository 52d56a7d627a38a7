"""Fourier symbols: bounds and signs on the real line, closed forms, compositions; all exact."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from math import factorial
from typing import TYPE_CHECKING, Any

import flint

from numerics.arithmetic.balls import ball
from proofs_check.claims import steps
from proofs_check.claims.claim import Assumption, Profile, Scope, Step, misproved, stated, weaker, wrong
from proofs_check.claims.comparisons import below, less, once, same
from proofs_check.claims.formal import Formal, between, reals
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.differences.stencils import describe, random_stencil
from theory.base.enclosure import Decision, from_comparison
from theory.base.polynomials import integer_polynomial
from theory.stencils import Stencil, central, compose, forward, rescale, symbol

if TYPE_CHECKING:
    import sympy

BITS = 192
"""Of the enclosures."""
SUPREMA = {(1, 2): Fraction(1491, 1000), (2, 2): Fraction(1842, 1000), (2, 4): Fraction(6536, 1000)}
"""Stated sup |m| of forward differences by (derivative, order), to three decimals."""


def _central(scope: Scope, profile: Profile) -> Iterator[Stencil]:
    for order in (2, 4, 6, 8) if profile == "quick" else range(2, 17, 2):
        yield central(int(scope["derivative"]), order)


def enclosed(s: Stencil, theta: Fraction) -> flint.arb:
    """The real symbol ``m(θ)`` of a symmetric stencil at a rational θ ≠ 0, in ball arithmetic from the weights alone."""
    with flint.ctx.workprec(BITS):
        at = ball(theta)
        waves = [ball(x) * at for x in s.offsets]
        total = sum(
            (ball(c) * (t.sin() if s.derivative % 2 else t.cos()) for c, t in zip(s.weights, waves, strict=True)),
            flint.arb(0),
        )
        return (-1) ** (s.derivative // 2) * total / at**s.derivative


def _vanishes(difference: sympy.Expr, box: steps.Box, what: str) -> Outcome:
    """Whether an exponential sum is 0 identically: it reduces to 0, or is enclosed away from it at a point of the box."""
    import sympy

    left = sympy.expand(difference)
    if left == 0:
        return Outcome(from_comparison(True), f"{what}: difference 0")
    agrees, detail = steps.agreement(left, sympy.Integer(0), box)
    found: Decision = from_comparison(False if agrees is False else None)
    return Outcome(found, f"{what}: difference {str(left)[:40]}; {detail}")


def sine_polynomial(s: Stencil) -> sympy.Poly:
    """P with Σ c_k sin(s_k θ) = sin θ · P(cos θ), for an odd stencil on integer nodes."""
    import sympy

    x = sympy.Symbol("x")
    total = sum(
        (sympy.Rational(2 * c.numerator, c.denominator) * sympy.chebyshevu_poly(int(k) - 1, x)
         for k, c in zip(s.offsets, s.weights, strict=True) if k > 0),
        sympy.Integer(0),
    )  # fmt: skip
    return sympy.Poly(total, x, domain="QQ")


MULTIPLES = 8
"""Multiples of θ up to the largest offset of these stencils."""


def _chebyshev(scope: Scope, lag: int) -> Outcome:
    """sin kθ = sin θ U_{k−lag}(cos θ) for every k that occurs, in z = e^{iθ}."""
    import sympy

    z = sympy.Symbol("z")
    cosine, box = (z + 1 / z) / 2, {z: (Fraction(1, 2), 2)}
    return steps.every(
        (f"k = {k}", steps.identity(
            z**k - z**-k, (z - 1 / z) * sympy.chebyshevu_poly(k - lag, z).subs(z, cosine), box))
        for k in range(1, MULTIPLES + 1)
    )  # fmt: skip


def _keeps_sign(scope: Scope) -> Outcome:
    """P > 0 on (−1, 1) up to the sign of m near 0, for every stencil; m(0) = 1 exactly."""
    cases = []
    for s in _odd_or_all(scope, "quick"):
        if s.derivative % 2 == 0:
            continue
        # m(θ) (iθ)^m = 2i Σ_{k>0} c_k sin(s_k θ), and i^(m−1) = (−1)^((m−1)/2): this is the sign of P near θ = 0
        coefficients = [Fraction(int(c.p), int(c.q)) for c in reversed(sine_polynomial(s).all_coeffs())]
        sign = (-1) ** ((s.derivative - 1) // 2)
        outcome = steps.one_sign(integer_polynomial(coefficients), -1, 1, sign)
        moment = sum((c * x**s.derivative for x, c in zip(s.offsets, s.weights, strict=True)), Fraction(0))
        at_zero = steps.equal([(moment, factorial(s.derivative))], "m(0) = 1")
        cases += [(f"m = {s.derivative}, order {s.order}", one) for one in (outcome, at_zero)]
    return steps.every(cases)


def _sign_of_odd(scope: Scope) -> tuple[Formal, ...]:
    """± P(u) > 0 for all u in (−1, 1), one statement for each stencil; u = cos θ."""
    import sympy

    u, found = sympy.Symbol("u", real=True), []
    for s in _odd_or_all(scope, "quick"):
        if s.derivative % 2:
            polynomial = (-1) ** ((s.derivative - 1) // 2) * sine_polynomial(s).as_expr(u)
            if polynomial.free_symbols:  # a constant is seen to be positive by the steps
                found.append(Formal({u: between(-1, 1)}, sympy.Gt(polynomial, 0)))
    return tuple(found)


def _product_of_sines(scope: Scope) -> tuple[Formal, ...]:
    """θ^m m(θ), the sum of cosines or sines, is (2 sin(θ/2))^m, or (2 sin(θ/2))^m cos(θ/2), for all real θ."""
    import sympy

    m = int(scope["derivative"])
    theta, s = sympy.Symbol("theta", real=True), central(m, 2)
    wave, edge = (
        (sympy.cos, sympy.Integer(1)) if m % 2 == 0 else (sympy.sin, sympy.cos(theta / 2) * 2 * sympy.sin(theta / 2))
    )
    total = sympy.Add(
        *(sympy.Rational(c) * wave(int(x) * theta)
          for x, c in zip(s.offsets, s.weights, strict=True))
    )  # fmt: skip
    closed = (-1) ** (m // 2) * edge * (2 * sympy.sin(theta / 2)) ** (m - m % 2)
    return (Formal({theta: reals()}, sympy.Eq(total, closed)),)


def _odd_or_all(scope: Scope, profile: Profile) -> Iterator[Stencil]:
    for derivative in (1, 2, 3, 5, 7):
        for order in (2, 4, 6, 8):
            yield central(derivative, order)


def _forward_key(scope: Scope, profile: Profile) -> Iterator[tuple[int, int]]:
    yield int(scope["derivative"]), int(scope["order"])


def _exponential_sum(scope: Scope) -> Outcome:
    """m(θ) (iθ)^m, from the closed form of the symbol, is Σ c_k e^{i s_k θ}."""
    import sympy

    s = central(int(scope["derivative"]), 2)
    found = symbol.symbol(s)
    theta = found.variables[0]
    total = sympy.Add(
        *(sympy.Rational(c) * sympy.exp(sympy.I * int(x) * theta) for x, c in zip(s.offsets, s.weights, strict=True))
    )
    closed = (found.expression * (sympy.I * theta) ** s.derivative).rewrite(sympy.exp)
    return steps.identity(closed, total, {theta: (Fraction(1, 4), 9)})


def _euler(scope: Scope, sign: int) -> Outcome:
    import sympy

    theta = sympy.Symbol("theta", real=True)
    z, box = sympy.exp(sympy.I * theta / 2), {theta: (-9, 9)}
    return steps.every(
        (f"n = {n}", steps.identity(
            sympy.sin(n * theta / 2), sign * (z**n - z**-n) / (2 * sympy.I), box))
        for n in (1, 2)
    )  # fmt: skip


def _derivatives(scope: Scope, profile: Profile) -> Iterator[int]:
    yield int(scope["derivative"])


def _pairs(scope: Scope, profile: Profile) -> Iterator[tuple[Stencil, Stencil]]:
    generator = random.Random(5)
    for _ in range(6 if profile == "quick" else 100):
        first, second = (random_stencil(generator, m := generator.randint(1, 3), m + 2, 8, 3) for _ in range(2))
        yield first, second


def _numerator(s: Stencil) -> sympy.Expr:
    """Σ c_k e^{i s_k θ}."""
    import sympy

    theta = symbol.symbol(s).variables[0]
    return sympy.expand((symbol.symbol(s).expression * (sympy.I * theta) ** s.derivative).rewrite(sympy.exp))


def _describe_pair(pair: tuple[Stencil, Stencil]) -> list[Any]:
    return [describe(s) for s in pair]


_by_derivative = once(*({"derivative": str(m)} for m in (1, 2, 3, 4)))


@stated(
    "symbols.central-unit-interval",
    title="Central symbols lie between 0 and 1 on the waves of the grid",
    source="ours",
    predicate="non-negativity decided by isolating the roots of a polynomial in $\\cos\\theta$, $m \\le 1$ by "
    "boxes, orders 2, 4, 6, 8 (16 in full)",
    kind="exact",
    scopes=_by_derivative,
    instances=_central,
    describe=describe,
    judges=(symbol.symbol,),
    mutants=(
        wrong("whole-line", "m ≥ 0 on the whole line", "assumption", {"derivative": "1"}, everywhere=True),
        wrong("half", "m ≥ 1/2 on (0, π]", "constant", {"derivative": "2"}, low=Fraction(1, 2)),
    ),
)  # fmt: skip
def central_unit_interval(s: Stencil, scope: Scope, everywhere: bool = False, low: Fraction = Fraction(0)) -> Outcome:
    r"""$0 \le m(\theta) \le 1$ on $(0, \pi]$ for standard central stencils of $\partial^m$, $m \le 4$, of orders 2, 4,
    6 and 8 (to 16 in the full profile).
    """
    m = symbol.symbol(s)
    at_end = enclosed(s, Fraction(6283, 2000))  # a little under π
    holds = from_comparison(m.is_nonnegative(everywhere)) & from_comparison(m.at_most_one()) & below(low, at_end)
    return Outcome(holds, f"order {s.order}: m(3.1415) = {float(at_end):.6f}")


@stated(
    "symbols.odd-negative",
    title="Odd central symbols are negative just beyond the grid",
    source="ours",
    predicate=r"$\sum_k c_k \sin s_k\theta = \sin\theta\,P(\cos\theta)$ and $P$ has no root in $(-1, 1)$ (Sturm)",
    kind="symbolic",
    scopes=once({"derivatives": "1, 3, 5, 7", "orders": "2, 4, 6, 8"}),
    instances=_odd_or_all,
    assumptions=(Assumption("the derivative is odd", lambda s: s.derivative % 2 == 1),),
    formal=_sign_of_odd,
    derivation=(
        Step(r"$\sin k\theta = \sin\theta\,U_{k-1}(\cos\theta)$", "Chebyshev", "identity", partial(_chebyshev, lag=1)),
        Step(r"$m > 0$ near $0$, and on $(0,\pi)\cup(\pi,2\pi)$ it changes sign only with $\sin\theta$",
             "$P$ keeps its sign on $(-1,1)$ and $m(0) = 1$", "inequality", _keeps_sign),
    ),
    describe=describe,
    judges=(central,),
    mutants=(
        weaker("even", "even derivatives too", "odd"),
        misproved("next-polynomial", r"the first step has $U_k$ in place of $U_{k-1}$", "predicate", 1,
            check=partial(_chebyshev, lag=0)),
    ),
)  # fmt: skip
def odd_negative(s: Stencil, scope: Scope) -> Outcome:
    r"""For $m = 1, 3, 5, 7$ the central symbols of orders 2, 4, 6, 8 are negative on all of $(\pi, 2\pi)$."""
    # m = ± sin θ P(cos θ)/θ^m with P of one sign on (−1, 1): so m changes sign at π exactly, and is 1 at 0.
    if s.derivative % 2 == 0:
        found = enclosed(s, Fraction(9, 2))
        return Outcome(less(found, 0), f"m(9/2) = {float(found):.4f}")
    p = sine_polynomial(s)
    while p.eval(1) == 0:  # a factor 1 − cos θ, which is positive
        p = p.quo(type(p)(1 - p.gen, p.gen, domain="QQ"))
    roots = p.count_roots(-1, 1) - (p.eval(-1) == 0)
    return Outcome(same(int(roots), 0), f"order {s.order}: {roots} zeros of P on (−1, 1), degree {p.degree()}")


@stated(
    "symbols.one-sided-suprema",
    title="One-sided stencils amplify: by how much",
    source="ours",
    predicate="a rigorous enclosure of the supremum over the real line within half a unit of the last digit",
    kind="exact",
    scopes=once(*({"derivative": str(m), "order": str(p)} for m, p in SUPREMA)),
    instances=_forward_key,
    judges=(symbol.supremum,),
    mutants=(
        wrong("last-digit", "one unit more in the last digit", "constant",
            stated={k: v + Fraction(1, 1000) for k, v in SUPREMA.items()}),
        wrong("bounded", "one-sided stencils do not amplify", "predicate", stated=dict.fromkeys(SUPREMA, Fraction(1))),
    ),
)  # fmt: skip
def one_sided_suprema(
    key: tuple[int, int], scope: Scope, stated: Mapping[tuple[int, int], Fraction] = SUPREMA
) -> Outcome:
    r"""For forward differences, to three decimals, $\sup|m| = 1.491$ ($\partial$, $p=2$), $1.842$ ($\partial^2$,
    $p=2$), $6.536$ ($\partial^2$, $p=4$).
    """
    enclosure = symbol.supremum(forward(*key), 12)
    half = Fraction(1, 2000)
    holds = below(stated[key] - half, enclosure) & below(enclosure, stated[key] + half)
    low, high = enclosure.decimals(9).values()
    return Outcome(holds, f"sup |m| in [{low}, {high}], stated {float(stated[key]):g}")


@stated(
    "symbols.sinc-powers",
    title="Minimal central symbols are products of sinc",
    source="classical",
    predicate=r"identity of Laurent polynomials in $e^{i\theta/2}$",
    kind="symbolic",
    scopes=once(*({"derivative": str(m)} for m in (1, 2, 3, 4, 5, 6))),
    instances=_derivatives,
    formal=_product_of_sines,
    derivation=(
        Step(r"$m(\theta)\,\theta^m i^m = \sum_k c_k z^{2 s_k}$, $z = e^{i\theta/2}$", "definition", "identity",
             _exponential_sum),
        Step(r"$\sin(\theta/2) = (z - z^{-1})/(2i)$, $\sin\theta = (z^2 - z^{-2})/(2i)$", "Euler", "identity",
             partial(_euler, sign=1)),
    ),
    judges=(symbol.symbol,),
    mutants=(
        misproved("euler", r"the second step has $z^{-1} - z$", "sign", 2, check=partial(_euler, sign=-1)),
        wrong("one-square-more", "one factor sinc² too many", "exponent", {"derivative": "2"},
            squares=lambda m: m // 2 + 1),
        wrong("one-square-less", "one factor sinc² too few", "exponent", {"derivative": "4"},
            squares=lambda m: m // 2 - 1),
    ),
)  # fmt: skip
def sinc_powers(derivative: int, scope: Scope, squares: Callable[[int], int] = lambda m: m // 2) -> Outcome:
    r"""The second-order central symbol of $\partial^m$, $m \le 6$, is $\mathrm{sinc}^m(\theta/2)$ for even $m$
    ($\mathrm{sinc}^2(\theta/2)$ for $\partial^2$) and $\mathrm{sinc}\,\theta\;\mathrm{sinc}^{m-1}(\theta/2)$ for odd
    $m$.
    """
    # m(θ) θ^m as a Laurent polynomial in e^{iθ/2} against that of (2 sin(θ/2))^{2k} (sin θ)^{m − 2k}.
    import sympy

    z = sympy.Symbol("z")
    s, k = central(derivative, 2), squares(derivative)
    terms = [sympy.Rational(c) * z ** (2 * int(x)) for x, c in zip(s.offsets, s.weights, strict=True)]
    ratio = sympy.Add(*terms) / sympy.I**derivative
    half, whole = (z - 1 / z) / (2 * sympy.I), (z**2 - 1 / z**2) / (2 * sympy.I)
    product = (2 * half) ** (2 * k) * whole ** (derivative % 2)
    return _vanishes(ratio - product, {z: (Fraction(1, 2), 2)}, "in z = e^(iθ/2)")


@stated(
    "symbols.composition",
    title="Symbols of compositions multiply",
    source="classical",
    predicate="identity of exponential sums with rational frequencies and coefficients, on random rational "
    "stencils",
    kind="exact",
    scopes=once({"stencils": "random rational offsets with m from 1 to 3"}),
    instances=_pairs,
    describe=_describe_pair,
    judges=(compose, symbol.symbol),
    mutants=(
        wrong("other-step", "the second difference has the step 2h", "assumption", stretch=2),
        wrong("sign", "minus the product", "sign", sign=-1),
    ),
)  # fmt: skip
def composition(pair: tuple[Stencil, Stencil], scope: Scope, stretch: int = 1, sign: int = 1) -> Outcome:
    r"""A difference of a difference with the same step has the product of the symbols, $m_{D E}(\theta) =
    m_D(\theta)m_E(\theta)$, $\theta \ne 0$, for differences of $\partial^m$, $m \le 3$, on rational offsets (random ones).
    """
    first, second = pair
    whole = compose(first, rescale(second, [stretch]) if stretch != 1 else second)
    theta = symbol.symbol(whole).variables[0]
    difference = _numerator(whole) - sign * _numerator(first) * _numerator(second)
    return _vanishes(difference, {theta: (Fraction(1, 4), 9)}, f"{len(whole.nodes)} nodes")


CLAIMS = (central_unit_interval, odd_negative, one_sided_suprema, sinc_powers, composition)
