"""Proofs about ``|m(θ)|``, the modulus of the Fourier symbol of a stencil in one variable, on the whole line.

A bound ``|m|² <= λ²`` for every ``θ`` is proved in three parts (ours):

* near 0, an exact rational polynomial in ``ψ²`` (the Taylor polynomial, less a bound of its tail) has no root;
* in between, on each box of a bisection, a quadratic below the function has a non-negative minimum;
* far out, ``|m| <= ‖c‖₁ / θ^m``, and beyond half a period of the numerator by periodicity.

For ``λ = 1`` the bisection ends, since ``F(θ) = t² θ^{2m} - |Σ c_k e^{i s_k θ}|²`` has no multiple real zero but 0.
Write ``F = G(θ, e^{iθ/Q})`` with a polynomial ``G`` in ``θ``, ``z``, ``1/z`` over the algebraic numbers. ``G`` is
square-free, as its discriminant in ``θ`` is a multiple of a power of ``|f|²``. Along the line, ``d/dθ`` acts as
``D = ∂_θ + (i/Q) z ∂_z``. A factor of ``G`` that divides its own image under ``D`` is ``z^j`` times a constant (compare
coefficients of powers of ``z``), which has no zero on the circle. So at a multiple zero two coprime polynomials vanish
(two factors, or a factor and its image), hence ``θ`` and ``e^{iθ/Q}`` are both algebraic: against Lindemann (1882).

The sign of a real Fourier symbol, decided exactly by algebra in ``X = cos φ``.

A symmetric stencil in one variable has a real symbol: with nodes ``a_k / Q`` and ``θ = Q φ`` its numerator is
``Σ c_k T_{|a_k|}(X)`` for even derivatives and ``sin φ Σ c_k sgn(a_k) U_{|a_k|-1}(X)`` for odd ones (Chebyshev), a
polynomial with rational coefficients whose roots are isolated exactly. ``cos(π/Q)``, where ``θ = π``, is algebraic:
it is the greatest root of ``T_Q(X) = -1`` and is compared exactly too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, lcm

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.base.polynomials import (
    Interval,
    Polynomial,
    differentiate,
    divide,
    greatest_common_divisor,
    integer_polynomial,
    isolate,
    odd_part,
    refine,
    square_free,
)
from theory.stencils.squared_modulus import Boxes, SquaredModulus, square_root, squared_modulus, value_at
from theory.stencils.stencil import Stencil

MAX_WORK = 60_000
"""Bound of the work of one proof: the number of boxes, times a cost that grows with the nodes; about ten seconds."""
MAX_NEAR = 160
"""Largest ``ψ`` reached with a Taylor polynomial at 0; its degree grows with it."""
MAX_SAMPLES = 20000
"""Most samples of the search for the maximum (in float, 20 times fewer in multiprecision; a guess, proved later)."""
GUARD_BITS = 80
"""Bits of the trigonometric enclosures beyond the range of the quantities compared."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of ``|m|² <= bound``: it holds for every ``θ``, or ``witness`` is a ``θ`` where it fails."""

    holds: bool
    witness: Fraction | None
    boxes: int


def _near_zero(f: SquaredModulus, bound: Fraction, slack: Fraction) -> Fraction:
    """A dyadic ``ψ_0 > 0`` such that ``|m|² <= bound`` on ``[0, ψ_0]``, proved with a Taylor polynomial.

    ``bound > 1``, or ``bound = 1`` and the leading coefficient is negative; ``slack`` is the relative size of the
    tail allowed. Starts from a ``ψ_0`` beyond which boxes of a fair size suffice: the bisection that follows is slow
    where both sides of the comparison are far below ``‖c‖₁²``.
    """
    psi, most = Fraction(4), min(Fraction(MAX_NEAR), f.far(bound))
    while psi < most:
        margin = f.scale * psi ** (2 * f.degree) * Fraction(abs(float(bound) - f.approximate(float(psi))))
        if margin * 10**5 > f.fourth:  # boxes of a fifteenth of 1 suffice here
            break
        psi *= Fraction(3, 2)
    for _ in range(200):
        if _below_near_zero(f, bound, slack, psi):
            return psi
        psi /= 2
    raise PrecisionCapError("symbol: no neighbourhood of 0 was found; the nodes are too unequal")


def _below_near_zero(f: SquaredModulus, bound: Fraction, slack: Fraction, psi: Fraction) -> bool:
    """Whether the Taylor polynomial of ``|m|²`` and the bound of its tail stay below ``bound`` on ``[0, psi]``."""
    order, leading = f.leading if bound == 1 else (0, 1 - bound)
    x, last = psi * psi, order + 2
    allowed = slack * abs(leading) * x**order
    while (tail := f.tail(last, x)) is None or tail > allowed:
        last += 2
    # rounding the coefficients costs at most e^{2ψ} ‖b‖₁² 2^-bits / scale, made to suit what is allowed
    size = f.norm1**2 / (f.scale * allowed)
    bits = 64 + max(0, size.numerator.bit_length() - size.denominator.bit_length()) + 3 * ceil(psi)
    values, errors = f.rounded_taylor(last, bits)
    coefficients = [-value for value in values[order:]]
    if bound > 1:
        coefficients[0] = bound - 1
    # tail and rounding start at the power `order` or higher, so at x' <= x they are at most (x'/x)^order as large
    rounding = sum((e * x ** (order + i) for i, e in enumerate(errors[order:])), Fraction(0))
    coefficients[0] -= (tail + rounding) / x**order
    p = integer_polynomial(coefficients)
    if p[0] <= 0:
        return False
    common = greatest_common_divisor(p, differentiate(p))
    return not isolate(divide(p, common) if len(common) > 1 else p, Fraction(0), x)


def _scan(boxes: Boxes, near: Fraction, far: Fraction) -> Verdict:
    """Prove ``F >= 0`` on ``[near, far]``, or find a point where it is negative; ends are dyadic."""
    nodes = boxes.f.nodes
    most = MAX_WORK // (len({b - a for a, b in pairwise(nodes)}) + len(nodes) // 8 + 4)
    first, last = floor(near), ceil(far)
    if last - first > most:
        raise PrecisionCapError(f"symbol: more than {most} boxes are needed; the nodes are too unequal")
    stack = [(max(near, Fraction(i)), Fraction(i + 1)) for i in range(last - 1, first - 1, -1)]
    count = 0
    while stack:
        lo, hi = stack.pop()
        count += 1
        if count > most:
            raise PrecisionCapError(f"symbol: not decided with {most} boxes; the nodes are too unequal")
        middle, r = (lo + hi) / 2, (hi - lo) / 2
        least, here = boxes.minimum(middle, r)
        if here < 0:
            return Verdict(False, middle, count)
        if least < 0:
            stack += [(middle, hi), (lo, middle)]
    return Verdict(True, None, count)


def decide(f: SquaredModulus, bound: Fraction = Fraction(1), slack: Fraction = Fraction(1, 1 << 20)) -> Verdict:
    """Decide ``|m|² <= bound`` on the whole line, ``bound >= 1``; a witness is a ``θ``.

    Raises:
        InputError: ``bound < 1`` (``|m|`` is 1 at 0).
        PrecisionCapError: not decided within the bound of work.
    """
    if bound < 1:
        raise InputError("symbol: |m(0)| = 1, so no bound below 1 can hold")
    if bound == 1:
        psi = _rising_witness(f) if f.leading[1] > 0 else _sampled_witness(f)
        if psi is not None:
            return Verdict(False, psi * f.unit, 0)
    verdict = _prove(f, bound, slack)
    if verdict.witness is None:
        return verdict
    return Verdict(False, verdict.witness * f.unit, verdict.boxes)


def _prove(f: SquaredModulus, bound: Fraction, slack: Fraction) -> Verdict:
    """Prove the bound, or find a witness ``ψ`` (not ``θ``)."""
    near = _near_zero(f, bound, slack)
    bits = GUARD_BITS + max(0, slack.denominator.bit_length() - slack.numerator.bit_length())
    return _scan(Boxes(f, bound, near, bits), near, f.far(bound))


def _rising_witness(f: SquaredModulus) -> Fraction:
    """A ``ψ`` with ``|m| > 1`` near 0, when the leading coefficient is positive."""
    order, _ = f.leading
    psi = Fraction(2)
    while True:
        x, last = psi * psi, order + 4
        tail = f.tail(last, x)
        if tail is not None and sum((f.taylor(j) * x**j for j in range(order, last + 1)), Fraction(0)) > tail:
            return psi
        psi /= 2


def _sampled_witness(f: SquaredModulus) -> Fraction | None:
    """A ``ψ`` with ``|m| > 1``, proved by one enclosure, if sampling suggests one."""
    guess = _guess(f)
    if f.approximate(guess) <= 1 + 1e-9:
        return None
    psi = Fraction(guess)
    return psi if value_at(f, psi, GUARD_BITS).lower > 1 else None


def _guess(f: SquaredModulus) -> float:
    """Where ``|m|²`` is greatest, by sampling and ternary search in float64."""
    step, best, top, i, work = 0.25, 0.25, 0.0, 0, 0
    far = float(f.far(Fraction(1)))
    while work < MAX_SAMPLES and (i + 1) * step <= far:
        i += 1
        work += 20 if f.is_noisy(i * step) else 1
        if (value := f.approximate(i * step)) > top:
            best, top = i * step, value
            if top > 1:
                far = float(f.far(Fraction(top)))  # no greater value lies beyond
    lo, hi = best - step, best + step
    for _ in range(80):
        a, b = lo + (hi - lo) / 3, hi - (hi - lo) / 3
        lo, hi = (a, hi) if f.approximate(a) < f.approximate(b) else (lo, b)
    return (lo + hi) / 2


def _climb(f: SquaredModulus, psi: Fraction, bits: int) -> Fraction:
    """Newton's iteration for a stationary point of ``|m|²``; only improves the guess."""
    n = 2 * f.degree
    for _ in range(8):
        g = Boxes(f, Fraction(1), psi, bits).numerator_taylor(psi)
        # stationary: ψ g' = n g
        value = psi * g[1] - n * g[0]
        slope = 2 * psi * g[2] + (1 - n) * g[1]
        if not slope:
            break
        new = Fraction(floor((psi - value / slope) * (1 << bits)), 1 << bits)
        if not 0 < new < 2 * psi or abs(new - psi) <= Fraction(4, 1 << bits):
            break
        psi = new
    return psi


def supremum(s: Stencil, digits: int = 15) -> Enclosure:
    """``sup_θ |m(θ)|`` over the real line, enclosed to a relative width of ``10^-digits``; exactly 1 where it is 1.

    Raises:
        InputError: several variables, the derivative 0, or digits outside ``1 .. 60``.
        PrecisionCapError: not decided within the bound of work.
    """
    if not 1 <= digits <= 60:
        raise InputError(f"digits: {digits} is not allowed; an integer from 1 to 60")
    f = squared_modulus(s)
    bits = GUARD_BITS + 4 * digits
    # 1.5 and not 2, to leave room for rounding the square roots outward
    epsilon = Fraction(3, 2) / Fraction(10) ** digits
    best = Fraction(_guess(f))
    for _ in range(60):
        best = _climb(f, best, bits)
        lower = value_at(f, best, bits).lower
        if lower <= 1:  # prove 1, or find where it is exceeded
            verdict = decide(f)
            if verdict.witness is None:
                return Enclosure.exact(1)
            best = verdict.witness / f.unit
            lower = value_at(f, best, bits).lower
        upper = lower * (1 + epsilon)
        verdict = _prove(f, upper, epsilon / 1000)
        if verdict.witness is None:
            return Enclosure(square_root(lower, bits).lower, square_root(upper, bits).upper)
        best = verdict.witness
    raise PrecisionCapError("symbol: the maximum of |m| was not found")


MAX_DEGREE = 200
"""Highest degree in ``cos φ``: the largest node in units of the common denominator."""


def chebyshev(n: int, second_kind: bool = False) -> list[int]:
    """Ascending coefficients of ``T_n``, or of ``U_n``; ``U_{-1} = 0``.

    >>> chebyshev(3), chebyshev(2, second_kind=True)
    ([0, -3, 0, 4], [-1, 0, 4])
    """
    if n < 0:
        return [0]
    before, now = [1], [0, 2 if second_kind else 1]
    for _ in range(n):
        doubled = [0, *(2 * c for c in now)]
        padded = before + [0] * (len(doubled) - len(before))
        before, now = now, [a - b for a, b in zip(doubled, padded, strict=True)]
    return before


def numerator_polynomial(s: Stencil) -> tuple[Polynomial, int]:
    """A positive multiple of the symbol's numerator as a polynomial in ``cos(θ/Q)`` (less ``sin(θ/Q)`` if odd); ``Q``.

    Raises:
        InputError: the symbol is not real, or several variables.
        PrecisionCapError: the degree is above ``MAX_DEGREE``.
    """
    m = s.derivative
    if not s.is_symmetric:
        raise InputError("symbol: it is not real, since the stencil is not symmetric; its sign has no meaning")
    q = lcm(*(x.denominator for x in s.offsets))
    nodes = [int(x * q) for x in s.offsets]
    if max(map(abs, nodes)) > MAX_DEGREE:
        raise PrecisionCapError(f"symbol: degree {max(map(abs, nodes))} in cos; decided up to {MAX_DEGREE}")
    # (iθ)^m = (-1)^(m//2) θ^m, times i for an odd m, which the i of i sin cancels
    sign = (-1) ** (m // 2) / s.target[0][1]
    total = [Fraction(0)] * (MAX_DEGREE + 1)
    for a, c in zip(nodes, s.weights, strict=True):
        if m % 2:
            terms = chebyshev(abs(a) - 1, second_kind=True)
            factor = sign * c * (1 if a > 0 else -1)
        else:
            terms, factor = chebyshev(abs(a)), sign * c
        for i, t in enumerate(terms):
            total[i] += factor * t
    return integer_polynomial(total), q


def is_nonnegative(s: Stencil, everywhere: bool = False) -> bool:
    """Whether the real symbol satisfies ``m(θ) >= 0`` on ``(0, π]``, or on the whole line; decided exactly.

    Raises:
        InputError: the symbol is not real, or several variables.
        PrecisionCapError: the degree in ``cos`` is above ``MAX_DEGREE``.
    """
    p, q = numerator_polynomial(s)
    if everywhere and s.derivative % 2:
        return False  # the numerator is an odd periodic function of mean 0, and not zero
    for root in (1, -1):  # factors 1 ∓ X are not negative
        while not sum(c * root**i for i, c in enumerate(p)):
            p = divide(p, (root, -1) if root == 1 else (1, 1))
    odd = odd_part(p)
    if everywhere or q == 1:
        return not isolate(odd, Fraction(-1), Fraction(1))
    end_polynomial, end = _cosine_of_pi_over(q)
    # roots at cos(π/q) itself are not inside; the other roots of this gcd lie beyond π
    common = greatest_common_divisor(odd, end_polynomial)
    inner = divide(odd, common) if len(common) > 1 else odd
    return all(_is_below(inner, root, end_polynomial, end) for root in isolate(inner, Fraction(-1), Fraction(1)))


def _cosine_of_pi_over(q: int) -> tuple[Polynomial, Interval]:
    """A square-free polynomial with the root ``cos(π/q)``, ``q >= 2``, and a bracket of that root."""
    t = chebyshev(q)
    t[0] += 1
    product: list[Interval] = []
    best: tuple[Polynomial, Interval] | None = None
    for factor, _ in square_free(t):
        product = isolate(factor, Fraction(-1), Fraction(1))
        if product and (best is None or _is_below(*best, factor, product[-1])):
            best = factor, product[-1]
    if best is None:
        raise ArithmeticError(f"cos(pi/{q}) was not found")
    return best


def _is_below(p: Polynomial, x: Interval, q: Polynomial, y: Interval) -> bool:
    """Whether the root of ``p`` in ``x`` is less than the root of ``q`` in ``y``; they must differ."""
    while max(x[0], y[0]) <= min(x[1], y[1]):
        x, y = refine(p, x, (x[1] - x[0]) / 4), refine(q, y, (y[1] - y[0]) / 4)
        if x[0] == x[1] == y[0] == y[1]:
            raise ArithmeticError("the two roots are equal")
    return x[1] < y[0]
