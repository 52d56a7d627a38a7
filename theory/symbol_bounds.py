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
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from theory.enclosures import Enclosure
from theory.errors import InputError, PrecisionCapError
from theory.realroots import differentiate, divide, greatest_common_divisor, integer_polynomial, isolate
from theory.squared_modulus import Boxes, SquaredModulus, square_root, squared_modulus, value_at
from theory.stencil_core import Stencil

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
