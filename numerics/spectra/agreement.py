"""How long AD's and FD's singular values agree: for each index a step below which they do, for *every* smaller step.

By Weyl's inequality ``|sigma_k(A_FD(t h)) - sigma_k(A_AD)| <= sum t^q ||C_q|| + t^P ||R||`` for every ``0 <= t <= 1``, the matrices those of
the expansion in the step (:func:`numerics.matrices.assemble.step_expansion`). The right-hand side grows with t, so where it is at most a
share of ``sigma_k(A_AD)`` at one t, it is for all smaller ones.
"""

from __future__ import annotations

from fractions import Fraction

import flint
from flint import arb_mat

from numerics.arithmetic.balls import from_ball
from numerics.entropy.interval import at_step
from numerics.matrices.assemble import step_expansion
from numerics.problem.problem import Problem
from numerics.spectra.engine.basis import frobenius_upper, norm_upper
from numerics.spectra.spectrum import spectrum

_BITS = 120
_TERMS = 4
_FINE = 10
"""Binary digits of a step, after its first."""
_LEAST = 60
"""Steps below ``2^-60`` of the largest are given as 0."""


def agreeing_steps(problem: Problem, high: Fraction, tolerance: Fraction, digits: int = 12) -> tuple[Fraction, ...]:
    """For each k a step h_k <= high such that ``|sigma_k(A_FD(h)) - sigma_k(A_AD)| <= tolerance sigma_k(A_AD)`` for every h in (0, h_k].

    Args:
        problem: its own step is replaced (in several directions all steps are scaled together, h the largest).
        high: the largest step of interest, positive.
        tolerance: relative, positive.
        digits: of the singular values of A_AD.

    Returns:
        exact steps, 0 where none is proven (a value that is 0, or too small).

    Raises:
        NonexistenceError: the activation is not smooth enough for the expansion in h.
    """
    expansion = step_expansion(at_step(problem, high), _TERMS, _BITS)
    sizes = {q: _norm(matrix) for q, matrix in {**expansion.coefficients, expansion.power: expansion.remainder}.items()}

    def moved(t: Fraction) -> Fraction:
        return sum((t**q * size for q, size in sizes.items()), Fraction(0))

    found = []
    for value in spectrum(problem, "ad", "exact", digits).values:
        room = tolerance * value.lower
        t = (
            next((t for k in range(_LEAST) if moved(t := Fraction(1, 2**k)) <= room), Fraction(0))
            if room > 0
            else Fraction(0)
        )
        for k in range(1, _FINE + 1) if 0 < t < 1 else ():
            more = t + Fraction(1, 2**k) * _leading(t)
            t = more if moved(more) <= room else t
        found.append(t * high)
    return tuple(found)


def _leading(t: Fraction) -> Fraction:
    """The largest power of two that is at most t."""
    return Fraction(1 << (t.numerator.bit_length() - 1), t.denominator)


def _norm(matrix: arb_mat) -> Fraction:
    """An upper bound of the spectral norm."""
    with flint.ctx.workprec(_BITS):
        least: Fraction = from_ball(norm_upper(matrix).min(frobenius_upper(matrix.entries()))).upper
        return least
