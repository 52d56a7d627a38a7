"""Peano kernels of finite differences: exact remainders, positivity, and rigorous error constants.

For a stencil of ``d^m`` of order ``p`` and ``0 <= q <= p`` the functional of its error annihilates the polynomials
of degree below ``m + q``, so by Peano's theorem (1913; Davis, *Interpolation and Approximation*, 1963, §3.7)

    D_h u(x)                = ∫ K(t) u^(m)(x + h t) dt                 (q = 0),
    D_h u(x) - u^(m)(x)     = h^q ∫ K_q(t) u^(m+q)(x + h t) dt         (q >= 1),

    K_q(t) = sum_k c_k (s_k - t)_+^(m+q-1) / (m+q-1)! - [q >= 1] (0 - t)_+^(q-1) / (q-1)! .

Both kernels are piecewise polynomials with rational coefficients and rational breakpoints. ``∫|K_q|`` is the least
``C`` with ``|D_h u - u^(m)| <= h^q C max|u^(m+q)|`` on the hull of the nodes and of ``x``.

Rigorous error constants of finite differences in several variables (ours).

For a stencil of order ``p`` with a target of degree ``m`` let ``N = m + p``. Taylor's formula with integral remainder
along the segments from ``x`` to its nodes gives, nodes on one line through ``x`` taken together,

    D_h u(x) - (target u)(x) = h^p Σ_v ∫ K_v(t) (v·∂)^N u(x + h t v) dt,

with the piecewise polynomial ``K_v(t) = Σ_{s_k = r v, r > t} c_k (r - t)^(N-1) / (N-1)!`` for ``t > 0`` and its mirror
image for ``t < 0``; ``v`` runs over the directions of the nodes. Hence ``|error| <= h^p Σ_b C_b max|∂^b u|`` with
``C_b = (N! / b!) Σ_v |v^b| ∫|K_v|``. It is sharp where the error is a sum over the axes (five-point).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb, factorial, gcd, lcm, prod

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError
from theory.base.polynomials import Coefficients, PiecewisePolynomial
from theory.stencils.moments import MultiIndex, multi_factorial, multi_indices
from theory.stencils.stencil import Stencil


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

    >>> from theory.stencils.stencil import stencil
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

    >>> from theory.stencils.stencil import stencil
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

    >>> from theory.stencils.stencil import stencil
    >>> error_constant(stencil(2, [-1, 0, 1])).lower
    Fraction(1, 12)
    """
    q = s.order if order is None else order
    if q < 1:
        raise InputError(f"order: {q} is not allowed; an integer from 1 to the order {s.order}")
    return peano_kernel(s, q).absolute_integral()


Direction = tuple[int, ...]
"""A primitive integer vector whose first non-zero entry is positive."""


def rays(s: Stencil) -> dict[Direction, list[tuple[Fraction, Fraction]]]:
    """The nodes by line through the origin: direction ``v`` to pairs (``r``, weight) with node ``r v``, ``r ≠ 0``."""
    found: dict[Direction, list[tuple[Fraction, Fraction]]] = {}
    for node, c in zip(s.nodes, s.weights, strict=True):
        if not c or not any(node):
            continue
        q = lcm(*(x.denominator for x in node))
        integers = [int(x * q) for x in node]
        g = gcd(*integers)
        if next(x for x in integers if x) < 0:
            g = -g
        found.setdefault(tuple(x // g for x in integers), []).append((Fraction(g, q), c))
    return found


def ray_kernels(pairs: Sequence[tuple[Fraction, Fraction]], power: int) -> tuple[PiecewisePolynomial, ...]:
    """``K_v`` on the half-lines that have nodes, each as a function of ``|t|``; ``power = N - 1``."""
    sides = ([(abs(r), power, c) for r, c in pairs if r * side > 0] for side in (1, -1))
    return tuple(one_sided_sum(terms, Fraction(0)) for terms in sides if terms)


def ray_constants(s: Stencil) -> tuple[tuple[Direction, Enclosure], ...]:
    """``∫|K_v|`` for each direction: ``|error| <= h^p Σ_v C_v max|(v·∂)^N u|``; exact or rigorously enclosed."""
    power = s.degree + s.order - 1
    constants = []
    for direction, pairs in sorted(rays(s).items(), reverse=True):
        total = Enclosure.exact(0)
        for kernel in ray_kernels(pairs, power):
            total += kernel.absolute_integral()
        constants.append((direction, total))
    return tuple(constants)


def remainder_constants(s: Stencil) -> tuple[tuple[MultiIndex, Enclosure], ...]:
    """Pairs ``(b, C_b)``, ``|b| = m + p``, with ``|D_h u - target u| <= h^p Σ_b C_b max|∂^b u|``; zeros left out.

    The maxima are over the segments from ``x`` to the nodes. In one variable the one constant is the sharp ``C_p``.

    >>> from theory.stencils.stencil import stencil_nd
    >>> five = stencil_nd({(2, 0): 1, (0, 2): 1}, [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
    >>> [(b, str(c.upper)) for b, c in remainder_constants(five)]
    [((4, 0), '1/12'), ((0, 4), '1/12')]
    """
    total_order = s.degree + s.order
    constants = ray_constants(s)
    found = []
    for b in multi_indices(s.dimension, total_order):
        multiplicity = Fraction(factorial(total_order), multi_factorial(b))
        total = Enclosure.exact(0)
        for direction, c in constants:
            total += c.scaled(multiplicity * abs(prod(x**i for x, i in zip(direction, b, strict=True))))
        if total.upper:
            found.append((b, total))
    return tuple(found)
