"""Peano kernels and error constants, each checked for every function at once: exact jumps, and the spline that attains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise, zip_longest
from math import comb, factorial, perm

from proofs_check.claims.claim import Scope, Step, stated, wrong
from proofs_check.claims.comparisons import below, same
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.differences.stencils import RANDOM, describe, each, instances, space
from theory.base.enclosure import from_comparison
from theory.base.exact import spell
from theory.base.polynomials import PiecewisePolynomial, integer_polynomial, sign_on
from theory.stencils import Stencil, remainder

Change = Callable[[PiecewisePolynomial], PiecewisePolynomial]
"""What a mutant makes of a kernel."""


def wrong_jump(s: Stencil, order: int, kernel: PiecewisePolynomial) -> str | None:
    """Where a piecewise polynomial differs from the Peano kernel ``K_q`` of a stencil, or None if it is that kernel.

    ``K`` is 0 outside its breakpoints. With ``N = m + q`` it satisfies ``∫ K u^(N) = Σ c_k u(s_k) − [q ≥ 1] u^(m)(0)``
    for *every* u of class W^{N,1} if and only if, integrating by parts N times, its pieces have degree below N, the jump
    of ``K^(N−1)`` at each node is ``(−1)^N c_k``, that of ``K^(q−1)`` at 0 is ``−(−1)^q`` (for q ≥ 1), and no other
    derivative jumps anywhere.
    """
    n = s.derivative + order
    if any(any(piece[n:]) for piece in kernel.pieces):
        return f"a piece has degree {n} or more"
    pieces = [(), *kernel.pieces, ()]
    weight = dict(zip(s.offsets, s.weights, strict=True))
    inside = dict(zip(kernel.breakpoints, pairwise(pieces), strict=True))
    for t in sorted({*kernel.breakpoints, *s.offsets, *([Fraction(0)] if order else [])}):
        left, right = inside.get(t, ((), ()))
        for j in range(n):
            wanted = (-1) ** n * weight.get(t, Fraction(0)) if j == n - 1 else Fraction(0)
            if order and t == 0 and j == order - 1:
                wanted -= (-1) ** order
            jump = _derivative(right, j, t) - _derivative(left, j, t)
            if jump != wanted:
                return f"derivative {j} jumps by {jump} at {t} in place of {wanted}"
    return None


def _derivative(coefficients: Sequence[Fraction], order: int, t: Fraction) -> Fraction:
    return sum((perm(i, order) * c * t ** (i - order) for i, c in enumerate(coefficients) if i >= order), Fraction(0))


def _scaled(factor: Fraction) -> Change:
    return lambda k: PiecewisePolynomial(k.breakpoints, tuple(tuple(factor * c for c in p) for p in k.pieces))


def _moved(k: PiecewisePolynomial, by: Fraction) -> PiecewisePolynomial:
    """K(t − by)."""
    pieces = tuple(
        tuple(
            sum((c * comb(i, j) * (-by) ** (i - j) for i, c in enumerate(piece) if i >= j), Fraction(0))
            for j in range(len(piece))
        )
        for piece in k.pieces
    )
    return PiecewisePolynomial(tuple(b + by for b in k.breakpoints), pieces)


def _with_legendre(k: PiecewisePolynomial, degree: int) -> PiecewisePolynomial:
    """K + P_n on its support: every moment below the n-th is that of K."""
    low, high = k.breakpoints[0], k.breakpoints[-1]
    line = (-(high + low) / (high - low), Fraction(2) / (high - low))
    before, legendre = [Fraction(1)], list(line)
    for n in range(1, degree):  # (n + 1) P_{n+1} = (2n + 1) x P_n − n P_{n−1}
        longer = [Fraction(0)] * (len(legendre) + 1)
        for i, c in enumerate(legendre):
            longer[i] += Fraction(2 * n + 1, n + 1) * line[0] * c
            longer[i + 1] += Fraction(2 * n + 1, n + 1) * line[1] * c
        for i, c in enumerate(before):
            longer[i] -= Fraction(n, n + 1) * c
        before, legendre = legendre, longer
    pieces = tuple(tuple(a + b for a, b in zip_longest(piece, legendre, fillvalue=Fraction(0))) for piece in k.pieces)
    return PiecewisePolynomial(k.breakpoints, pieces)


@dataclass(frozen=True)
class Extremal:
    """Where the kernel of the error changes sign, and two-sided bounds on the least error constant.

    Attributes:
        values: (from where on, value) of ``u^(N)``: the perfect spline, ±1 on the hull of the nodes and of x = 0.
        attained: the error of that u, from the weights alone: no constant below it is enough.
        enough: a bound on ``∫|K|``: this constant is enough.
    """

    values: tuple[tuple[Fraction, Fraction], ...]
    attained: Fraction
    enough: Fraction


def error_of(s: Stencil, values: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """``D_1 u(0) − u^(m)(0)`` where ``u^(N)``, N = m + p, is piecewise constant and u vanishes to its left; exact."""
    n = s.derivative + s.order
    before = [Fraction(0), *(value for _, value in values)]
    jumps = [(a, value - last) for (a, value), last in zip(values, before, strict=False)]

    def derivative(t: Fraction, order: int) -> Fraction:
        return sum((j * (t - a) ** (n - order) for a, j in jumps if t > a), Fraction(0)) / factorial(n - order)

    total = sum((c * derivative(t, 0) for t, c in zip(s.offsets, s.weights, strict=True)), Fraction(0))
    return total - derivative(Fraction(0), s.derivative)


BITS = 160
"""Binary digits to which a change of sign is located."""


def extremal(s: Stencil, kernel: PiecewisePolynomial) -> Extremal | None:
    """The perfect spline of a kernel of the error; None where a change of sign was missed.

    The changes are found by sampling and bisection, which need not be right: exact root isolation confirms that the
    kernel keeps its sign between them, and the error is computed from the weights.
    """
    values: list[tuple[Fraction, Fraction]] = []
    size = Fraction(0)
    for (a, b), piece in zip(pairwise(kernel.breakpoints), kernel.pieces, strict=True):
        left = a
        spans = _located(piece, a, b)
        if spans is None:
            return None
        for low, high, sign in spans:
            values.append((left, Fraction(sign or 1)))
            part = [_derivative([Fraction(0), *(c / (i + 1) for i, c in enumerate(piece))], 0, t) for t in (left, low)]
            size += abs(part[1] - part[0])
            reach = max(abs(low), abs(high))
            size += (high - low) * sum((abs(c) * reach**i for i, c in enumerate(piece)), Fraction(0))
            left = high
    return Extremal(tuple(values), abs(error_of(s, values)), size)


def _located(piece: Sequence[Fraction], a: Fraction, b: Fraction) -> list[tuple[Fraction, Fraction, int]] | None:
    """(low, high, sign before it) of each bracket of a change of sign and of the end b; finer samples if one is missed."""
    exact = integer_polynomial(piece)
    for samples in (48, 48 * 48):
        found, left = [], a
        for low, high in [*_brackets(piece, a, b, samples), (b, b)]:
            sign = sign_on(exact, left, low) if left < low else 0
            if sign is None:
                break
            found.append((low, high, sign))
            left = high
        else:
            return found
    return None


def _brackets(piece: Sequence[Fraction], a: Fraction, b: Fraction, samples: int) -> list[tuple[Fraction, Fraction]]:
    """Intervals of relative width 2^−BITS at whose ends the piece has opposite signs."""
    near = [Fraction(1, samples * 2**k) for k in range(1, 33)]  # changes of sign may crowd at the ends
    shares = sorted({Fraction(k, samples) for k in range(samples + 1)} | {*near} | {1 - t for t in near})
    grid = [a + (b - a) * t for t in shares]
    signs = [(v > 0) - (v < 0) for v in (_derivative(piece, 0, t) for t in grid)]
    found, last = [], 0
    for k in range(1, len(grid) - 1):
        if not signs[k]:
            continue
        if signs[last] and signs[k] != signs[last]:
            low, high = grid[last], grid[k]
            for _ in range(BITS):
                middle = (low + high) / 2
                value = _derivative(piece, 0, middle)
                if value == 0:
                    low = high = middle
                    break
                low, high = (middle, high) if ((value > 0) - (value < 0)) == signs[last] else (low, middle)
            found.append((low, high))
        last = k
    return found


AGREEMENT = Fraction(1, 10**38)
"""Relative distance from the least constant that is allowed to the enclosure of ``C_p``."""


@stated(
    "stencils.peano",
    title="Exact remainder: the difference is an average of the derivative",
    source="G. Peano (1913); A. Sard, Linear Approximation (1963)",
    predicate=r"$K$ has compact support and pieces of degree below $m$; the jumps of $K^{(m-1)}$ at the nodes are "
    r"exactly $(-1)^mc_k$ and no other derivative jumps: by parts, the identity for every $u$; $\int K = 1$ exactly",
    kind="exact",
    scopes=each,
    instances=instances,
    derivation=(
        Step(r"$\int K u^{(m)} = \sum_k c_k u(s_k)$ if the jumps of $K^{(m-1)}$ are $(-1)^m c_k$ and no other "
             "derivative jumps", "integration by parts $m$ times, on each piece", "cited"),
    ),
    describe=describe,
    search=space,
    judges=(remainder.peano_kernel,),
    mutants=(
        wrong("moved", "K is moved by a hundredth", "constant", change=partial(_moved, by=Fraction(1, 100))),
        wrong("two-thirds", "K is two thirds as large", "constant", change=_scaled(Fraction(2, 3))),
        wrong("legendre", "a Legendre polynomial of degree 7 is added, which no moment below the seventh sees",
            "predicate", change=partial(_with_legendre, degree=7)),
        wrong("legendre-12", "a Legendre polynomial of degree 12 is added", "predicate", {"stencil": RANDOM},
            change=partial(_with_legendre, degree=12)),
    ),
)  # fmt: skip
def stencils_peano(s: Stencil, scope: Scope, change: Change = lambda kernel: kernel) -> Outcome:
    r"""$D_h u(x) = \int K(t)\,u^{(m)}(x + ht)\,dt$ for every $u \in W^{m,1}$ on the hull of the nodes, with $K(t) =
    \sum_k c_k (s_k - t)_+^{m-1}/(m-1)!$ and $\int K = 1$, for the differences of $\partial^m$, $1 \le m \le 4$, of the
    cells.
    """
    # Whether ``peano.peano_kernel``, changed for a mutant, is the kernel of the difference; and its integral.
    kernel = change(remainder.peano_kernel(s))
    wrong = wrong_jump(s, 0, kernel)
    if wrong is not None:
        return Outcome(from_comparison(False), wrong)
    sign = {1: "K ≥ 0", -1: "K ≤ 0", 0: "K = 0", None: "K changes sign"}[kernel.sign]
    detail = f"∫ K = {spell(kernel.integral)}, {sign}, every jump right at {len(kernel.breakpoints)} nodes"
    return Outcome(from_comparison(True) & same(kernel.integral, 1), detail)


@stated(
    "stencils.error-constant",
    title="Rigorous error constant",
    source="A. Sard, Linear Approximation (1963)",
    predicate=r"the jumps of the kernel of the error are exact, as for claim stencils.peano; it keeps its sign "
    r"between the switching points (root isolation); $C_p$ agrees within $10^{-38}$ with the error of the perfect "
    r"spline, $u^{(m+p)} = \pm1$, computed from the weights alone",
    kind="exact",
    scopes=each,
    instances=instances,
    describe=describe,
    search=space,
    judges=(remainder.error_constant, remainder.peano_kernel),
    mutants=(
        wrong("one-per-cent", "a hundredth less than the constant is enough", "constant", factor=Fraction(99, 100)),
        wrong("not-least", "a hundredth more than the constant is the least", "predicate", factor=Fraction(101, 100)),
        wrong("half-step", "the error of half the step", "exponent", step=Fraction(1, 2)),
        wrong("hull-of-nodes", "the maximum over the hull of the nodes alone is enough, wherever x is", "assumption",
            {"stencil": RANDOM}, beyond=Fraction(10)),
    ),
)  # fmt: skip
def error_constant(
    s: Stencil,
    scope: Scope,
    factor: Fraction = Fraction(1),
    step: Fraction = Fraction(1),
    beyond: Fraction = Fraction(1),
) -> Outcome:
    r"""$|D_h u - u^{(m)}| \le h^p\,C_p\max|u^{(m+p)}|$, $h > 0$, the maximum over the hull of the nodes and of $x$, for
    every $u \in W^{m+p,\infty}$, with $C_p$ the integral of the modulus of the second Peano kernel; no smaller constant is
    enough; for the differences of $\partial^m$, $1 \le m \le 4$, of the cells.
    """
    # C_p against bounds on the least constant: the error of the perfect spline from below, ∫|K| from above.
    # ``factor`` and ``step`` make wrong bounds of it: h^p becomes (h·step)^p. ``beyond`` is the size of ``u^(m+p)``
    # outside the hull of the nodes, where x may lie.
    kernel = remainder.peano_kernel(s, s.order)
    wrong = wrong_jump(s, s.order, kernel)
    if wrong is not None:
        return Outcome(from_comparison(False), f"kernel of the error: {wrong}")
    best = extremal(s, kernel)
    if best is None:
        return Outcome(None, "a change of sign of the kernel of the error was not located")
    constant = factor * step**s.order * remainder.error_constant(s).upper
    attained = best.attained
    if beyond != 1:
        low, high = min(s.offsets), max(s.offsets)
        attained = abs(error_of(s, [(a, v if low <= a < high else beyond * v) for a, v in best.values]))
    detail = f"the perfect spline has the error {float(attained):.9g}, C_p = {float(constant):.9g}"
    not_too_small = below(attained, constant * (1 + AGREEMENT))
    if not_too_small.holds is False:
        return Outcome(not_too_small, detail, margin=float(constant - attained))
    if constant * (1 + AGREEMENT) < best.enough:
        return Outcome(None, f"{detail}: not known to be enough")
    sharp = below(constant, attained * (1 + AGREEMENT))
    return Outcome(not_too_small & sharp, detail + ("" if sharp.holds else ": not the least"))


CLAIMS = (stencils_peano, error_constant)
