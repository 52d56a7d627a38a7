"""The sign of the entropy gap for *every* step in an interval, with proof.

Three ways, each for what the ones before leave open.

*All small steps* ``(0, h_0]`` at once, and *singular values followed along the step* over tens of features:
:mod:`numerics.entropy.followed`.

*Pieces*: an interval ``[a, b]`` of steps is decided when the expansion about A_AD (small steps) or about A_FD at the middle
of the piece proves the sign for all of its steps; otherwise it is halved. Between two steps A_FD moves by
``sum_q (t^q - t_0^q) C_q`` and a remainder, all of them derivatives of the features
(:mod:`numerics.matrices.assemble`): no difference quotient is ever evaluated on an interval of steps. Those bounds are
norm-wise, and small singular values bound how far they reach: about eight features. Sine and cosine
features under the central second difference reach farther: there ``A_FD(h) = A_AD diag(sinc^2(h w_j / 2))``, the
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

from numerics.arithmetic.balls import Enclosure, ball, to_ball
from numerics.entropy.compare import entropy_enclosure, values_for
from numerics.entropy.followed import SmallSteps, followed, small_steps
from numerics.entropy.gap import EntropyNeighbourhood, certified_entropy
from numerics.matrices.assemble import StepExpansion, step_expansion
from numerics.matrices.balls import ball_entries
from numerics.problem.drawn import boundary_rows, features
from numerics.problem.problem import Problem
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Convention
from theory.features.activations import MAX_DERIVATIVE

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
        small: what is proven of all steps near 0, where that was asked.
    """

    pieces: tuple[Piece, ...]
    sign: int | None
    decided: float
    evaluations: int
    seconds: float
    small: SmallSteps | None = None


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
        low: least step; 0 stands for every step in ``(0, high]``.
        high: largest step.
        convention: the problem's own by default.
        max_pieces: most pieces to examine.
        seconds: time limit; what is open then stays open.

    Raises:
        InputError: not ``0 <= low <= high``, or ``high = 0``.
        NonexistenceError: the activation is not smooth enough for the expansion in h.
        PrecisionCapError: the AD entropy is undefined.
    """
    if not 0 <= low <= high or not high:
        raise InputError(f"step interval: {low} to {high}; allowed: 0 <= low <= high, and high positive")
    search = _Search(problem, convention or problem.convention, high, _Limits(max_pieces, seconds))
    small = search.small_steps(low) if low < high else None
    pieces, start = [], low
    if small is not None and low < small.high:
        start = small.high
        ends = [end * h**small.power for end in (small.quotient.lower, small.quotient.upper) for h in (low, start)]
        pieces = [Piece(low, start, small.quotient.sign(), Enclosure(min(ends), max(ends)))]
    elif not low:
        start = high / 2**_HALVINGS
        pieces = [Piece(low, start, None, None)]
    open_ones = [Piece(start, high, None, None)] if start < high or low == high else []
    for way in (search.follow, search.expand):
        found = [piece for part in open_ones for piece in way(part.low, part.high)]
        pieces += [piece for piece in found if piece.sign is not None]
        open_ones = _joined([piece for piece in found if piece.sign is None])
    pieces = sorted(pieces + open_ones, key=lambda piece: piece.low)
    signs = {piece.sign for piece in pieces}
    decided = sum((p.high - p.low for p in pieces if p.sign is not None), Fraction(0))
    share = float(decided / (high - low)) if high > low else float(None not in signs)
    sign = signs.pop() if len(signs) == 1 else None
    return IntervalVerdict(tuple(pieces), sign, share, search.limits.evaluations, search.limits.elapsed(), small)


class _Limits:
    """How many pieces and how much time are left."""

    def __init__(self, pieces: int, seconds: float) -> None:
        self.pieces, self.seconds, self.evaluations, self._start = pieces, seconds, 0, time.perf_counter()

    def elapsed(self) -> float:
        return time.perf_counter() - self._start

    def spend(self) -> bool:
        """Whether one more piece may be examined; counts it."""
        if self.evaluations >= self.pieces or self.elapsed() > self.seconds:
            return False
        self.evaluations += 1
        return True


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbouring open pieces put together."""
    found: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.low):
        if found and found[-1].high == piece.low:
            piece = Piece(found.pop().low, piece.high, None, None)
        found.append(piece)
    return found


class _Search:
    """A problem and a convention, and the ways to decide the sign on an interval of steps."""

    def __init__(self, problem: Problem, convention: Convention, high: Fraction, limits: _Limits) -> None:
        self.problem, self.convention, self.high, self.limits = problem, convention, high, limits
        self.reference = certified_entropy(problem, "ad", convention, 15)
        self.matrix = ball_entries(problem, "ad")(_BITS)
        self.falling = values_fall_with_step(problem, high)
        self.at_end = cache(lambda h: values_for(at_step(problem, h), "fd", convention, 15))

    def small_steps(self, low: Fraction) -> SmallSteps | None:
        """All steps near 0, if some of them are above ``low``."""
        if not self.limits.spend():
            return None
        return small_steps(self.matrix, full_expansion(self.problem, self.high, _BITS), low, self.high, self.convention)

    def follow(self, low: Fraction, high: Fraction, depth: int = 0) -> list[Piece]:
        """By singular values that are followed along the step; what stays open again, on shorter intervals and to more digits."""
        whole = [Piece(low, high, None, None)]
        if not self.limits.spend():
            return whole
        faint, shortest = _DEPTHS[depth]
        found = followed(
            self.matrix, full_expansion(self.problem, high, _BITS), low, high, self.convention, self.reference, faint
        )
        if found is None:
            if 20 * high < 21 * low:
                return whole
            middle = _between(low, high)
            return self.follow(low, middle, depth) + self.follow(middle, high, depth)
        pieces = self.bisect(low, high, found.gap, shortest)
        open_ones = [piece for piece in pieces if piece.sign is None]
        if depth + 1 == len(_DEPTHS) or not open_ones:
            return pieces
        pieces = [piece for piece in pieces if piece.sign is not None]
        for piece in _joined(open_ones):
            pieces += self.follow(piece.low, piece.high, depth + 1)
        return pieces

    def expand(self, low: Fraction, high: Fraction) -> list[Piece]:
        """By the bounds that fall with the step, and by expansions about A_AD and A_FD."""
        return self.bisect(low, high, self.examine, Fraction(1))

    def examine(self, a: Fraction, b: Fraction) -> Enclosure | None:
        """The narrowest bound of the gap on ``[a, b]``, or the first that has a sign."""
        found: Enclosure | None = None
        if self.falling:
            ends = zip(self.at_end(b), self.at_end(a), strict=True)
            between = entropy_enclosure([Enclosure(low.lower, high.upper) for low, high in ends], self.convention).value
            if between is not None:
                found = between - self.reference
                if found.sign() in (-1, 1):
                    return found
            if 5 * b < 6 * a:
                return found
        top = at_step(self.problem, b)
        expansion = step_expansion(top, _TERMS, _BITS)
        blocks = {**expansion.coefficients, expansion.power: expansion.remainder}
        for about_ad in (True, False):
            with flint.ctx.workprec(_BITS):
                if about_ad:
                    base, factors = self.matrix, {q: to_ball(Enclosure(a / b, Fraction(1)), _BITS) ** q for q in blocks}
                else:
                    middle = (a + b) / 2
                    base = ball_entries(at_step(self.problem, middle), "fd")(_BITS)
                    factors = _moves(expansion, a, middle, b)
            bound = EntropyNeighbourhood(base, blocks, self.convention).difference(factors, self.reference)
            if bound is None:
                continue
            if found is None or bound.gap.width < found.width:
                found = bound.gap
            if bound.gap.sign() in (-1, 1):
                return bound.gap
        return found

    def bisect(self, low: Fraction, high: Fraction, gap: Gap, shortest: Fraction) -> list[Piece]:
        """Halves the longest open piece until all are decided, too short, or a limit is met."""
        pieces: list[Piece] = []
        # the longest first, relative to its step: limits then leave a few short pieces open, not one long one
        queue = [(-float(high / low), low, high)]
        while queue:
            _, a, b = heapq.heappop(queue)
            if not self.limits.spend():
                pieces.append(Piece(a, b, None, None))
                continue
            try:
                found = gap(a, b)
            except PrecisionCapError:
                found = None
            sign = None if found is None else found.sign()
            if sign or a == b or b < a * shortest:
                pieces.append(Piece(a, b, sign or None, found))
                continue
            middle = _between(a, b)
            heapq.heappush(queue, (-float(middle / a), a, middle))
            heapq.heappush(queue, (-float(b / middle), middle, b))
        return pieces


_DEPTHS = (
    (1e-7, Fraction(21, 20)),
    (1e-10, Fraction(101, 100)),
    (1e-13, Fraction(1001, 1000)),
)
"""At each attempt: the values that are only bounded, relative to the largest, and the ends of a piece that is given up."""
_HALVINGS = 40
"""``high / 2^40`` is the least step considered where no sign is proven for all small ones."""
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


def full_expansion(problem: Problem, top: Fraction, bits: int) -> StepExpansion:
    """The expansion of A_FD in h / top, with as many powers of the step as there are derivatives."""
    degrees = [term.stencil.degree for term in problem.difference.terms if term.stencil is not None]
    most = min(MAX_DERIVATIVE, problem.activation.smoothness)
    terms = most - max(degrees, default=0) - max(1, problem.difference.order)
    return step_expansion(at_step(problem, top), max(1, int(terms)), bits)


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


Gap = Callable[[Fraction, Fraction], Enclosure | None]


def _between(a: Fraction, b: Fraction) -> Fraction:
    """A short rational near the geometric mean while the piece is long, near the middle afterwards."""
    target = float(a * b) ** 0.5 if b > 2 * a else float(a + b) / 2
    found = Fraction(target).limit_denominator(1 << 20)
    return found if a < found < b else (a + b) / 2
