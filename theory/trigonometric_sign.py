"""The sign of a real Fourier symbol, decided exactly by algebra in ``X = cos φ``.

A symmetric stencil in one variable has a real symbol: with nodes ``a_k / Q`` and ``θ = Q φ`` its numerator is
``Σ c_k T_{|a_k|}(X)`` for even derivatives and ``sin φ Σ c_k sgn(a_k) U_{|a_k|-1}(X)`` for odd ones (Chebyshev), a
polynomial with rational coefficients whose roots are isolated exactly. ``cos(π/Q)``, where ``θ = π``, is algebraic:
it is the greatest root of ``T_Q(X) = -1`` and is compared exactly too.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from theory.errors import InputError, PrecisionCapError
from theory.realroots import (
    Interval,
    Polynomial,
    divide,
    greatest_common_divisor,
    integer_polynomial,
    isolate,
    odd_part,
    refine,
    square_free,
)
from theory.stencil_core import Stencil

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
