"""Proof objects of entropies.

A proof object holds two proven spectra, a convention, and the bounds that follow from the stated intervals, those of
``docs/certificates.md``: cut-off numbers in exact rational arithmetic, and ``-p log p`` over the interval of each
probability. They are a little wider than :mod:`numerics.entropy.compare`, which
evaluates the formula in balls; both checkers can follow them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint
from flint import arb

from numerics.arithmetic.balls import Enclosure, ball, from_ball
from numerics.entropy.compare import floor_of
from numerics.matrices.assemble import shape
from numerics.problem.problem import Method, Problem
from numerics.spectra.certificate import FORMAT, Json, decimal_bounds, problem_part, spectrum_part
from theory.base.errors import PrecisionCapError
from theory.base.exact import spell
from theory.entropy.conventions import Convention

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
