"""Orderings of AD and FD for *every* step in an interval, by adaptive bisection with proven perturbation bounds.

A piece ``[a, b]`` of steps is decided at once when the expansion about A_AD (small steps) or about A_FD at the middle
of the piece proves the sign for all of its steps; otherwise it is halved. Between two steps A_FD moves by
``sum_q (t^q - t_0^q) C_q`` and a remainder, all of them derivatives of the features
(:mod:`numerics.step_expansion`): no difference quotient is ever evaluated on an interval of steps.

Those bounds are norm-wise, and small singular values bound how far they reach: about eight features. Sine and cosine
features under the central second difference reach much farther: there ``A_FD(h) = A_AD diag(sinc^2(h w_j / 2))``, the
factors fall with h while ``h |w_j| <= 2 pi``, and so does every singular value (Ostrowski). For all steps of a piece
``sigma_k(A_FD(b)) <= sigma_k(A_FD(h)) <= sigma_k(A_FD(a))``, which is relative to each value; two certified spectra
bound the entropies of the whole piece.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import flint
from flint import arb

from numerics.ball_matrices import ball_entries
from numerics.certified_entropy import certified_spectrum, values_for
from numerics.enclosure import Enclosure, from_ball, to_ball
from numerics.engine.balls import frobenius_upper
from numerics.entropies import entropy_enclosure
from numerics.expression_balls import ball
from numerics.features import boundary_rows, features
from numerics.gap_expansion import EntropyNeighbourhood, certified_entropy
from numerics.problem import Problem
from numerics.step_expansion import StepExpansion, step_expansion
from theory.entropy import Convention
from theory.errors import InputError, PrecisionCapError

_BITS = 120


@dataclass(frozen=True)
class Piece:
    """One sub-interval of steps.

    Attributes:
        low: its least step.
        high: its largest step.
        sign: what is proven for every step in it: -1, 1, or ``None`` where it was given up.
        gap: encloses ``H_FD - H_AD`` for every step in it, where that was computed.
    """

    low: Fraction
    high: Fraction
    sign: int | None
    gap: Enclosure | None


@dataclass(frozen=True)
class IntervalVerdict:
    """What is proven over an interval of steps.

    Attributes:
        pieces: in ascending order, without gaps.
        sign: the sign proven for every step, ``None`` if the pieces differ or some are open.
        decided: the share of the interval's length that is decided.
        evaluations: pieces that were examined.
        seconds: wall time.
    """

    pieces: tuple[Piece, ...]
    sign: int | None
    decided: float
    evaluations: int
    seconds: float


def entropy_sign_on_interval(
    problem: Problem,
    low: Fraction,
    high: Fraction,
    convention: Convention | None = None,
    max_pieces: int = 2000,
    seconds: float = 60.0,
) -> IntervalVerdict:
    """The sign of ``H_FD - H_AD`` for every step h in ``[low, high]``, as far as it can be proven.

    Args:
        problem: its own step is replaced (in several directions all steps are scaled together, h the largest).
        low: least step, positive.
        high: largest step.
        convention: the problem's own by default.
        max_pieces: most pieces to examine.
        seconds: time limit; what is open then stays open.

    Raises:
        InputError: not ``0 < low <= high``.
        NonexistenceError: the activation is not smooth enough for the expansion in h.
        PrecisionCapError: the AD entropy is undefined.
    """
    chosen = convention or problem.convention
    reference = certified_entropy(problem, "ad", chosen, 15)
    matrix = ball_entries(problem, "ad")(_BITS)
    falling = values_fall_with_step(problem, high)

    @cache
    def at_end(h: Fraction) -> tuple[Enclosure, ...]:
        return values_for(at_step(problem, h), "fd", chosen, 15)

    def examine(a: Fraction, b: Fraction) -> tuple[int | None, Enclosure | None]:
        found: Enclosure | None = None
        if falling:
            ends = zip(at_end(b), at_end(a), strict=True)
            between = entropy_enclosure([Enclosure(low.lower, high.upper) for low, high in ends], chosen).value
            if between is not None:
                found = Enclosure(between.lower - reference.upper, between.upper - reference.lower)
                if found.sign() in (-1, 1):
                    return found.sign(), found
            if 5 * b < 6 * a:
                return None, found
        top = at_step(problem, b)
        expansion = step_expansion(top, _TERMS, _BITS)
        blocks = {**expansion.coefficients, expansion.power: expansion.remainder}
        for about_ad in (True, False):
            with flint.ctx.workprec(_BITS):
                if about_ad:
                    base, factors = matrix, {q: to_ball(Enclosure(a / b, Fraction(1)), _BITS) ** q for q in blocks}
                else:
                    middle = (a + b) / 2
                    base, factors = ball_entries(at_step(problem, middle), "fd")(_BITS), _moves(expansion, a, middle, b)
            bound = EntropyNeighbourhood(base, blocks, chosen).difference(factors, reference)
            if bound is None:
                continue
            if found is None or bound.gap.width < found.width:
                found = bound.gap
            if bound.gap.sign() in (-1, 1):
                return bound.gap.sign(), bound.gap
        return None, found

    return _bisect(low, high, examine, max_pieces, seconds)


def index_sign_on_interval(
    problem: Problem, low: Fraction, high: Fraction, k: int, max_pieces: int = 2000, seconds: float = 60.0
) -> IntervalVerdict:
    """The sign of ``sigma_k(A_FD) - sigma_k(A_AD)`` (``k = 1`` the largest) for every step h in ``[low, high]``.

    By Weyl's inequality about the middle of each piece: it decides values that stand above what A_FD moves within a
    piece, so small matrices with moderate ranges.

    Raises:
        InputError: not ``0 < low <= high``, or k out of range.
        NonexistenceError: the activation is not smooth enough for the expansion in h.
    """
    ad = certified_spectrum(problem, "ad", 15, None).values
    if not 1 <= k <= len(ad):
        raise InputError(f"k: {k} is not allowed; from 1 to {len(ad)}")

    def examine(a: Fraction, b: Fraction) -> tuple[int | None, Enclosure | None]:
        middle = (a + b) / 2
        expansion = step_expansion(at_step(problem, b), _TERMS, _BITS)
        centre = certified_spectrum(at_step(problem, middle), "fd", 15, None).values[k - 1]
        factors = _moves(expansion, a, middle, b)
        blocks = {**expansion.coefficients, expansion.power: expansion.remainder}
        with flint.ctx.workprec(_BITS):
            moved = arb(0)
            for q, block in blocks.items():
                moved = moved + abs(factors[q]) * frobenius_upper(block.entries())
            reach = from_ball(arb(moved.upper())).upper
        gap = Enclosure(centre.lower - reach - ad[k - 1].upper, centre.upper + reach - ad[k - 1].lower)
        sign = gap.sign()
        return (sign if sign in (-1, 1) else None), gap

    return _bisect(low, high, examine, max_pieces, seconds)


_TERMS = 4


def values_fall_with_step(problem: Problem, high: Fraction) -> bool:
    """Whether every singular value of A_FD is proven to fall as the step grows to ``high``.

    Sine or cosine features, interior rows alone, ``c(x) u_xx`` by the central second difference of three nodes, and
    ``high |w_j| <= 6 < 2 pi`` for every feature.
    """
    if problem.activation.name not in ("sin", "cos") or problem.dimension != 1:
        return False
    if any(rows.points for rows in boundary_rows(problem)) or len(problem.difference.terms) != 1:
        return False
    (term,) = problem.difference.terms
    h = problem.h
    nodes = {shift: weight for (shift,), weight in zip(term.shifts, term.weights, strict=True) if weight}
    if problem.operator.terms[0][0] != (2,) or term.scale != h * h or nodes != {-h: 1, Fraction(0): -2, h: 1}:
        return False
    return all(abs(w) * high <= 6 for (w,) in features(problem).weights)


def at_step(problem: Problem, h: Fraction) -> Problem:
    """The problem with its largest step h, the others in proportion."""
    return problem.with_(step=tuple(step * h / problem.h for step in problem.step))


def _moves(expansion: StepExpansion, a: Fraction, middle: Fraction, b: Fraction) -> dict[int, arb]:
    """Factors of the directions from ``h = middle`` to any ``h`` in ``[a, b]``, with ``t = h / b``.

    The remainders at the two steps are different matrices within the same balls: their factors are hulls.
    """
    with flint.ctx.workprec(_BITS):
        t = to_ball(Enclosure(a / b, Fraction(1)), _BITS)
        centre = ball(middle / b)
        span = to_ball(Enclosure((a - middle) / b, (b - middle) / b), _BITS)
        factors = {}
        for q in expansion.coefficients:
            # t^q - c^q = (t - c) sum t^i c^(q-1-i): narrow, as the difference of powers of a ball would not be
            total = arb(0)
            for i in range(q):
                total = total + t**i * centre ** (q - 1 - i)
            factors[q] = span * total
        size = arb((t**expansion.power).upper()) + centre**expansion.power
        factors[expansion.power] = size.union(-size)
        return factors


Examine = Callable[[Fraction, Fraction], tuple[int | None, Enclosure | None]]


def _bisect(low: Fraction, high: Fraction, examine: Examine, max_pieces: int, seconds: float) -> IntervalVerdict:
    """Halves the longest open piece until all are decided or a limit is met."""
    if not 0 < low <= high:
        raise InputError(f"step interval: {low} to {high}; allowed: 0 < low <= high")
    start = time.perf_counter()
    pieces: list[Piece] = []
    # the longest first, relative to its step: limits then leave a few short pieces open, not one long one
    queue = [(-float(high / low), low, high)]
    evaluations = 0
    while queue:
        _, a, b = heapq.heappop(queue)
        if evaluations >= max_pieces or time.perf_counter() - start > seconds:
            pieces.append(Piece(a, b, None, None))
            continue
        evaluations += 1
        try:
            sign, gap = examine(a, b)
        except PrecisionCapError:
            sign, gap = None, None
        if sign is not None or a == b:
            pieces.append(Piece(a, b, sign, gap))
            continue
        middle = _between(a, b)
        heapq.heappush(queue, (-float(middle / a), a, middle))
        heapq.heappush(queue, (-float(b / middle), middle, b))
    pieces.sort(key=lambda piece: piece.low)
    signs = {piece.sign for piece in pieces}
    decided = sum((p.high - p.low for p in pieces if p.sign is not None), Fraction(0))
    share = float(decided / (high - low)) if high > low else float(None not in signs)
    sign = signs.pop() if len(signs) == 1 else None
    return IntervalVerdict(tuple(pieces), sign, share, evaluations, time.perf_counter() - start)


def _between(a: Fraction, b: Fraction) -> Fraction:
    """A short rational near the geometric mean while the piece is long, near the middle afterwards."""
    target = float(a * b) ** 0.5 if b > 2 * a else float(a + b) / 2
    found = Fraction(target).limit_denominator(1 << 20)
    return found if a < found < b else (a + b) / 2
