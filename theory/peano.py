"""Peano kernels of finite differences: exact remainders, positivity, and rigorous error constants.

For a stencil of ``d^m`` of order ``p`` and ``0 <= q <= p`` the functional of its error annihilates the polynomials
of degree below ``m + q``, so by Peano's theorem (1913; Davis, *Interpolation and Approximation*, 1963, §3.7)

    D_h u(x)                = ∫ K(t) u^(m)(x + h t) dt                 (q = 0),
    D_h u(x) - u^(m)(x)     = h^q ∫ K_q(t) u^(m+q)(x + h t) dt         (q >= 1),

    K_q(t) = sum_k c_k (s_k - t)_+^(m+q-1) / (m+q-1)! - [q >= 1] (0 - t)_+^(q-1) / (q-1)! .

Both kernels are piecewise polynomials with rational coefficients and rational breakpoints. ``∫|K_q|`` is the least
``C`` with ``|D_h u - u^(m)| <= h^q C max|u^(m+q)|`` on the hull of the nodes and of ``x``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb, factorial

from theory.enclosures import Enclosure
from theory.errors import InputError
from theory.piecewise import Coefficients, PiecewisePolynomial
from theory.stencil_core import Stencil


def truncated_power(node: Fraction, power: int, factor: Fraction) -> Coefficients:
    """Ascending coefficients of ``factor (node - t)^power / power!``."""
    scale = factor / factorial(power)
    return tuple(scale * comb(power, i) * (-1) ** i * node ** (power - i) for i in range(power + 1))


def peano_kernel(s: Stencil, order: int = 0) -> PiecewisePolynomial:
    """The Peano kernel ``K_q`` of a stencil in one variable, ``q = order``; exact.

    ``order = 0`` is the averaging kernel of the difference itself (it integrates to 1), ``order = p`` the kernel of
    the error, whose integral is the leading truncation coefficient.

    Raises:
        InputError: several variables, ``order`` outside ``0 .. p``, or ``order = 0`` for the derivative 0.

    >>> from theory.stencil_core import stencil
    >>> hat = peano_kernel(stencil(2, [-1, 0, 1]))
    >>> hat.pieces == ((1, 1), (1, -1)), hat.sign
    (True, 1)
    """
    m = s.derivative
    if not 0 <= order <= (order if s.is_exact else s.order):
        raise InputError(f"order: {order} is not allowed; an integer from 0 to the order {s.order}")
    if m + order == 0:
        raise InputError("order: the derivative 0 has no averaging kernel; take an order from 1")
    power = m + order - 1
    nodes = [(x, power, c) for x, c in zip(s.offsets, s.weights, strict=True) if c]
    if order:
        nodes.append((Fraction(0), order - 1, -s.target[0][1]))
    return one_sided_sum(nodes)


def one_sided_sum(
    terms: Sequence[tuple[Fraction, int, Fraction]], start: Fraction | None = None
) -> PiecewisePolynomial:
    """The sum of ``factor (node - t)_+^power / power!`` over triples (node, power, factor).

    Without a ``start`` the sum must vanish to the left of every node, which the moment conditions ensure; with one,
    left of every node, the function is cut off there.
    """
    breakpoints = sorted({node for node, _, _ in terms})
    total = [Fraction(0)] * (max(power for _, power, _ in terms) + 1)
    pieces: list[Coefficients] = []  # from right to left: each truncated power acts to the left of its node
    for node in reversed(breakpoints):
        for _, power, factor in (term for term in terms if term[0] == node):
            for i, c in enumerate(truncated_power(node, power, factor)):
                total[i] += c
        pieces.append(tuple(total))
    if start is not None:
        breakpoints.insert(0, start)
    elif any(pieces.pop()):
        raise ArithmeticError("the kernel does not have compact support: the moment conditions fail")
    return PiecewisePolynomial(tuple(breakpoints), tuple(reversed(pieces)))


def is_average(s: Stencil) -> bool:
    """Whether ``K >= 0``: then ``D_h u`` is a weighted mean of ``u^(m)``, with weights of sum 1; decided exactly."""
    return peano_kernel(s).sign in (0, 1)


def average_norm(s: Stencil) -> Enclosure:
    """``∫|K|``, the least ``C`` with ``|D_h u| <= C max|u^(m)|``; 1 if and only if ``K >= 0``.

    >>> from theory.stencil_core import stencil
    >>> average_norm(stencil(2, [0, 1, 2, 3])).lower
    Fraction(7, 3)
    """
    return peano_kernel(s).absolute_integral()


def error_constant(s: Stencil, order: int | None = None) -> Enclosure:
    """The least ``C_q`` with ``|D_h u - u^(m)| <= h^q C_q max|u^(m+q)|``, ``q = order`` (default: the order ``p``).

    Exact when the kernel of the error changes sign at rationals only (then ``|e_p|`` if it never does), else a
    rigorous enclosure of relative width below 1e-40.

    Raises:
        InputError: several variables, or an order outside ``1 .. p``.

    >>> from theory.stencil_core import stencil
    >>> error_constant(stencil(2, [-1, 0, 1])).lower
    Fraction(1, 12)
    """
    q = s.order if order is None else order
    if q < 1:
        raise InputError(f"order: {q} is not allowed; an integer from 1 to the order {s.order}")
    return peano_kernel(s, q).absolute_integral()
