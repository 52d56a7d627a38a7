"""Proofs about ``|m(θ)|``, the modulus of the Fourier symbol of a stencil in one variable, on the whole line.

A bound ``|m|² <= λ²`` for every ``θ`` is proved in three parts (ours):

* near 0, an exact rational polynomial in ``φ²`` (the Taylor polynomial, less a bound of its tail) has no root;
* in between, on each box of a bisection, a quadratic below the function has a non-negative minimum;
* far out, ``|m| <= ‖c‖₁ / θ^m``, and beyond ``φ = π`` by periodicity.

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
from math import comb

from theory.enclosures import Enclosure
from theory.errors import InputError, PrecisionCapError
from theory.realroots import differentiate, divide, greatest_common_divisor, integer_polynomial, isolate
from theory.squared_modulus import Boxes, SquaredModulus, square_root, squared_modulus, value_at
from theory.stencil_core import Stencil

MAX_BOXES = 8000
"""Most boxes of one proof."""
MAX_SAMPLES = 20000
"""Most samples of the search for the maximum (in float; only a guess that is then proved)."""
GUARD_BITS = 80
"""Bits of the trigonometric enclosures beyond the range of the quantities compared."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of ``|m|² <= bound``: it holds for every ``θ``, or ``witness`` is a ``θ`` where it fails."""

    holds: bool
    witness: Fraction | None
    boxes: int


def _near_zero(f: SquaredModulus, bound: Fraction, slack: Fraction) -> Fraction:
    """A ``φ_0 > 0`` such that ``|m|² <= bound`` on ``[0, φ_0]``, proved with a Taylor polynomial.

    ``bound > 1``, or ``bound = 1`` and the leading coefficient is negative; ``slack`` is the relative size of the
    tail allowed. Starts from a ``φ_0`` beyond which boxes of a fair size suffice: the bisection that follows is slow
    where both sides of the comparison are far below ``‖c‖₁²``.
    """
    phi = Fraction(4, f.spread)
    while phi * f.spread < 160 and phi < f.far(bound):
        margin = f.scale * phi ** (2 * f.degree) * Fraction(abs(float(bound) - f.approximate(float(phi))))
        if margin * 10**5 > f.fourth / f.spread**4:  # boxes of a fifteenth of 1 / spread suffice here
            break
        phi *= Fraction(3, 2)
    for _ in range(200):
        if _below_near_zero(f, bound, slack, phi):
            return phi
        phi /= 2
    raise PrecisionCapError("symbol: no neighbourhood of 0 was found; the nodes are too unequal")


def _below_near_zero(f: SquaredModulus, bound: Fraction, slack: Fraction, phi: Fraction) -> bool:
    """Whether the Taylor polynomial of ``|m|²`` and the bound of its tail stay below ``bound`` on ``[0, phi]``."""
    order, leading = f.leading if bound == 1 else (0, 1 - bound)
    x, last = phi * phi, order + 2
    while (tail := f.tail(last, x)) is None or tail > slack * abs(leading) * x**order:
        last += 2
    coefficients = [-f.taylor(j) for j in range(order, last + 1)]
    if bound > 1:
        coefficients[0] = bound - 1
    # the tail at x' <= x is at most tail (x'/x)^order, as it starts at a higher power
    coefficients[0] -= tail / x**order
    p = integer_polynomial(coefficients)
    if p[0] <= 0:
        return False
    common = greatest_common_divisor(p, differentiate(p))
    return not isolate(divide(p, common) if len(common) > 1 else p, Fraction(0), x)


def _scan(boxes: Boxes, near: Fraction, far: Fraction) -> Verdict:
    """Prove ``F >= 0`` on ``[near, far]``, or find a point where it is negative."""
    # first boxes of a size that suits the oscillations, on a dyadic grid to keep the numbers short
    unit = Fraction(1)
    while unit * boxes.f.spread > 1:
        unit /= 2
    first, last = near // unit, -(-far // unit)
    if last - first > MAX_BOXES:
        raise PrecisionCapError(f"symbol: more than {MAX_BOXES} boxes are needed; the nodes are too unequal")
    stack = [(max(near, i * unit), (i + 1) * unit) for i in range(last - 1, first - 1, -1)]
    count = 0
    while stack:
        lo, hi = stack.pop()
        count += 1
        if count > MAX_BOXES:
            raise PrecisionCapError(f"symbol: not decided with {MAX_BOXES} boxes")
        middle, r = (lo + hi) / 2, (hi - lo) / 2
        least, here = boxes.minimum(middle, r)
        if here < 0:
            return Verdict(False, middle, count)
        if least < 0:
            stack += [(middle, hi), (lo, middle)]
    return Verdict(True, None, count)


def decide(f: SquaredModulus, bound: Fraction = Fraction(1), slack: Fraction = Fraction(1, 1 << 20)) -> Verdict:
    """Decide ``|m|² <= bound`` on the whole line, ``bound >= 1``; a witness is in ``θ``.

    Raises:
        InputError: ``bound < 1`` (``|m|`` is 1 at 0).
        PrecisionCapError: not decided within ``MAX_BOXES`` boxes.
    """
    if bound < 1:
        raise InputError("symbol: |m(0)| = 1, so no bound below 1 can hold")
    if bound == 1 and f.leading[1] > 0:
        return Verdict(False, _rising_witness(f), 0)
    near = _near_zero(f, bound, slack)
    bits = GUARD_BITS + max(0, slack.denominator.bit_length() - slack.numerator.bit_length())
    boxes = Boxes(f, bound, near, bits)
    verdict = _scan(boxes, near, f.far(bound))
    if verdict.witness is None:
        return verdict
    return Verdict(False, verdict.witness * f.unit, verdict.boxes)


def _rising_witness(f: SquaredModulus) -> Fraction:
    """A ``θ`` with ``|m| > 1`` near 0, when the leading coefficient is positive."""
    order, _ = f.leading
    phi = Fraction(1)
    while True:
        x, last = phi * phi, order + 4
        tail = f.tail(last, x)
        if tail is not None and sum((f.taylor(j) * x**j for j in range(order, last + 1)), Fraction(0)) > tail:
            return phi * f.unit
        phi /= 2


def _guess(f: SquaredModulus) -> float:
    """Where ``|m|²`` is greatest, by sampling and ternary search in float64."""
    far = float(f.far(Fraction(1)))
    count = max(200, min(MAX_SAMPLES, int(4 * far * f.spread)))
    step = far / count
    best = max(range(1, count + 1), key=lambda i: f.approximate(i * step))
    lo, hi = (best - 1) * step, (best + 1) * step
    for _ in range(80):
        a, b = lo + (hi - lo) / 3, hi - (hi - lo) / 3
        lo, hi = (a, hi) if f.approximate(a) < f.approximate(b) else (lo, b)
    return (lo + hi) / 2


def _climb(f: SquaredModulus, phi: Fraction, bits: int) -> Fraction:
    """Newton's iteration for a stationary point of ``|m|²``; only improves the guess."""
    n = 2 * f.degree
    for _ in range(8):
        boxes = Boxes(f, Fraction(1), phi, bits)
        size = f.scale
        coefficients = boxes.taylor(phi)
        g = [size * comb(n, j) * phi ** (n - j) - c if j <= n else -c for j, c in enumerate(coefficients)]
        # stationary: φ g' = n g
        value = phi * g[1] - n * g[0]
        slope = 2 * phi * g[2] + (1 - n) * g[1]
        if not slope:
            break
        new = phi - value / slope
        unit = Fraction(1, 1 << bits)
        new = (new // unit) * unit
        if not 0 < new < 2 * phi or abs(new - phi) <= 4 * unit:
            break
        phi = new
    return phi


def supremum(s: Stencil, digits: int = 15) -> Enclosure:
    """``sup_θ |m(θ)|`` over the real line, enclosed to a relative width of ``10^-digits``; exactly 1 where it is 1.

    Raises:
        InputError: several variables, the derivative 0, or digits outside ``1 .. 60``.
        PrecisionCapError: not decided within ``MAX_BOXES`` boxes.
    """
    if not 1 <= digits <= 60:
        raise InputError(f"digits: {digits} is not allowed; an integer from 1 to 60")
    f = squared_modulus(s)
    bits = GUARD_BITS + 4 * digits
    # 1.5 and not 2, to leave room for rounding the square roots outward
    epsilon = Fraction(3, 2) / Fraction(10) ** digits
    guess = _guess(f)
    best = Fraction(guess)
    if f.approximate(guess) <= 1:
        verdict = decide(f)
        if verdict.holds:
            return Enclosure.exactly(1)
        assert verdict.witness is not None
        best = verdict.witness / f.unit
    for _ in range(60):
        best = _climb(f, best, bits)
        lower = value_at(f, best, bits).lower
        if lower <= 1:  # the guess was an artefact of rounding: prove or disprove 1 itself
            verdict = decide(f)
            if verdict.holds:
                return Enclosure.exactly(1)
            assert verdict.witness is not None
            best = verdict.witness / f.unit
            lower = value_at(f, best, bits).lower
        upper = lower * (1 + epsilon)
        verdict = decide(f, upper, epsilon / 1000)
        if verdict.holds:
            return Enclosure(square_root(lower, bits).lower, square_root(upper, bits).upper)
        assert verdict.witness is not None
        best = verdict.witness / f.unit
    raise PrecisionCapError("symbol: the maximum of |m| was not found")
