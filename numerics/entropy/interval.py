"""The sign of the entropy gap for *every* step in an interval, by bisection with proof; proof objects of entropies.

A piece ``[a, b]`` of steps is decided at once when the expansion about A_AD (small steps) or about A_FD at the middle
of the piece proves the sign for all of its steps; otherwise it is halved. Between two steps A_FD moves by
``sum_q (t^q - t_0^q) C_q`` and a remainder, all of them derivatives of the features
(:mod:`numerics.matrices.assemble`): no difference quotient is ever evaluated on an interval of steps.

Those bounds are norm-wise, and small singular values bound how far they reach: about eight features. Sine and cosine
features under the central second difference reach much farther: there ``A_FD(h) = A_AD diag(sinc^2(h w_j / 2))``, the
factors fall with h while ``h |w_j| <= 2 pi``, and so does every singular value (Ostrowski). For all steps of a piece
``sigma_k(A_FD(b)) <= sigma_k(A_FD(h)) <= sigma_k(A_FD(a))``, which is relative to each value; two certified spectra
bound the entropies of the whole piece.

A proof object holds two proven spectra, a convention, and the bounds that follow from the stated intervals: those of ``docs/certificates.md``, term by term: cut-off numbers in exact rational arithmetic, and
``-p log p`` over the interval of each probability. They are a little wider than :mod:`numerics.entropy.compare`, which
evaluates the formula in balls; both checkers can follow them.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import flint
from flint import arb

from numerics.arithmetic.balls import Enclosure, ball, from_ball, to_ball
from numerics.entropy.compare import entropy_enclosure, floor_of, values_for
from numerics.entropy.gap import EntropyNeighbourhood, certified_entropy
from numerics.matrices.assemble import StepExpansion, shape, step_expansion
from numerics.matrices.balls import ball_entries
from numerics.problem.drawn import boundary_rows, features
from numerics.problem.problem import Method, Problem
from numerics.spectra.certificate import FORMAT, Json, decimal_bounds, problem_part, spectrum_part
from theory.base.errors import InputError, PrecisionCapError
from theory.base.exact import spell
from theory.entropy.conventions import Convention

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


CAP_DIGITS = 96
"""Most digits asked of singular values before a sign is left undecided."""


def entropy_certificate(problem: Problem, convention: Convention, digits: int = 12) -> Json:
    """The proof object of both entropies, their difference and its sign.

    Args:
        problem: its exact matrices are meant.
        convention: of both entropies.
        digits: first digits asked of the singular values; doubled up to :data:`CAP_DIGITS` while the sign is open.

    Raises:
        PrecisionCapError: an entropy is undefined, or may be.
    """
    part = problem_part(problem)
    while True:
        spectra = {method: resolved_spectrum(problem, method, convention, digits) for method in _METHODS}
        found = {method: proven_entropy(stated(spectrum), convention) for method, spectrum in spectra.items()}
        claims = {
            method: {"cutoff": list(cutoff)} | decimal_bounds(_widened(value), max(digits, 6) + 3)
            for method, (cutoff, value) in found.items()
        }
        ad, fd = (_bounds(claims[method]) for method in _METHODS)
        gap = Enclosure(fd.lower - ad.upper, fd.upper - ad.lower)
        if gap.sign() in (-1, 1) or digits >= CAP_DIGITS:
            break
        digits = min(2 * max(digits, 6), CAP_DIGITS)
    stated_gap = decimal_bounds(gap, max(digits, 6) + 3)
    sign = {-1: "fd<ad", 1: "fd>ad"}.get(_bounds(stated_gap).sign() or 0, "undecided")
    return {
        "format": FORMAT,
        "statement": "entropies",
        "problem": part,
        "ad": spectra["ad"],
        "fd": spectra["fd"],
        "convention": convention_part(convention),
        "entropies": claims,
        "gap": stated_gap,
        "sign": sign,
    }


_METHODS: tuple[Method, Method] = ("ad", "fd")


def convention_part(convention: Convention) -> Json:
    """The convention in a certificate's words."""
    return {
        "rule": convention.rule,
        "threshold": spell(convention.tau if convention.rank is None else Fraction(convention.rank)),
        "power": int(convention.power),
        "normalised": convention.normalised,
    }


def resolved_spectrum(problem: Problem, method: Method, convention: Convention, digits: int) -> Json:
    """A proven spectrum that resolves what the convention looks at."""
    if convention.rule == "fixed":
        rank = min(convention.rank or 0, *shape(problem))
        for depth in (16, 40, 100, 250):
            found = spectrum_part(problem, method, digits, Fraction(1, 10**depth))
            if len(found["vectors"]) >= rank:
                return found
        return spectrum_part(problem, method, digits)
    return spectrum_part(problem, method, digits, floor_of(problem, method, convention, digits))


def stated(spectrum: Json) -> list[Enclosure]:
    """The claims of a certificate's spectrum."""
    return [_bounds(claim) for claim in spectrum["values"]]


def _bounds(claim: Json) -> Enclosure:
    low, high = (int(claim[end][0]) * Fraction(10) ** claim[end][1] for end in ("lower", "upper"))
    return Enclosure(low, high)


def _widened(value: Enclosure) -> Enclosure:
    """Room for another rounding of the same."""
    room = Fraction(1, 2**180)
    return Enclosure(max(value.lower * (1 - room), Fraction(0)), value.upper * (1 + room))


def proven_entropy(values: Sequence[Enclosure], convention: Convention) -> tuple[tuple[int, int], Enclosure]:
    """The possible cut-off numbers and the hull of the entropies, of all spectra in the enclosures.

    Raises:
        PrecisionCapError: an entropy is undefined for a cut-off number that is possible.
    """
    least, most = possible_cutoffs(values, convention)
    if least < 1 + convention.normalised:
        raise PrecisionCapError(f"certificate: no entropy is proven to exist; the cut-off number may be {least}")
    q = int(convention.power)
    weights = [Enclosure(max(v.lower, Fraction(0)) ** q, v.upper**q) for v in values]
    size = max(max(v.upper.numerator.bit_length(), v.upper.denominator.bit_length()) for v in values)
    with flint.ctx.workprec(256 + 2 * size):
        parts = [_term_by_term(weights[:r], convention.normalised) for r in range(least, most + 1)]
    return (least, most), Enclosure.hull(parts)


def possible_cutoffs(values: Sequence[Enclosure], convention: Convention) -> tuple[int, int]:
    """The least and the greatest cut-off number, in exact rational arithmetic (see ``docs/certificates.md``)."""
    low, high = [max(v.lower, Fraction(0)) for v in values], [v.upper for v in values]
    tau, n = convention.tau, len(values)
    positive, possible = sum(v > 0 for v in low), sum(v > 0 for v in high)
    if convention.rule == "fixed":
        rank = convention.rank or 0
        return min(rank, positive), min(rank, possible)
    if convention.rule == "energy":
        q = int(convention.power)
        w, v = [x**q for x in low], [x**q for x in high]

        def passes(tail: list[Fraction], head: list[Fraction], r: int) -> bool:
            return (1 - tau) * sum(tail[r:], Fraction(0)) <= tau * sum(head[:r], Fraction(0))

        return (
            next(r for r in range(n + 1) if passes(w, v, r)),
            next(r for r in range(n + 1) if passes(v, w, r)),
        )
    relative = convention.rule == "relative"
    top, bottom = (high[0], low[0]) if relative else (Fraction(1), Fraction(1))
    lower = sum(x > 0 and x >= tau * top for x in low)
    upper = sum(x > 0 and x >= tau * bottom for x in high)
    return (max(lower, min(positive, 1)) if relative else lower), upper


def _term_by_term(weights: list[Enclosure], normalised: bool) -> Enclosure:
    r = len(weights)
    if r == 1:
        return Enclosure.exact(0)
    least, most = sum(w.lower for w in weights), sum(w.upper for w in weights)
    peak = (-arb(1)).exp()
    lower, upper = arb(0), arb(0)
    for w in weights:
        p = w.lower / (w.lower + most - w.upper) if w.lower else Fraction(0)
        q = w.upper / (w.upper + least - w.lower)
        ends = [_surprise(p), _surprise(q)]
        lower += ends[0].min(ends[1])
        one_side = ball(q) < peak or ball(p) > peak
        upper += ends[0].max(ends[1]) if one_side else peak
    ceiling = arb(r).log()
    lower, upper = lower.max(arb(0)), upper.min(ceiling)
    if normalised:
        lower, upper = lower / ceiling, upper / ceiling
    return Enclosure(from_ball(lower).lower, from_ball(upper).upper)


def _surprise(p: Fraction) -> arb:
    """``-p log p``."""
    return -ball(p) * ball(p).log() if p else arb(0)
