"""Certified distance between a stored floating-point matrix and the exact one it stands for.

By Weyl and Mirsky the distance bounds what the arithmetic did to the spectrum:
``|sigma_k(stored) - sigma_k(exact)| <= ||stored - exact||_2`` for every k, and the sum over k is at most the nuclear
norm. Entries of a stored matrix are dyadic rationals, so the difference is a matrix of balls like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import flint
from flint import arb, arb_mat

from numerics.ball_matrices import ball_entries
from numerics.enclosure import Enclosure, from_ball, to_ball
from numerics.engine import BallEntries, certified_singular_values
from numerics.matrices import float_matrix
from numerics.problem import Arithmetic, Method, Problem
from theory.errors import InputError

_FLOOR = Fraction(1, 10**4)
"""Relative to the spectral norm of the difference: what lies below is only bounded in the nuclear norm."""


@dataclass(frozen=True)
class FloatDistance:
    """Proven enclosures of norms of ``stored - exact``.

    Attributes:
        spectral: ``||.||_2``, a bound on the change of every singular value.
        nuclear: ``||.||_*``, a bound on the sum of the changes.
        frobenius: ``||.||_F``; over the root of the number of entries it is their root-mean-square error.
        largest: the largest error of an entry.
    """

    spectral: Enclosure
    nuclear: Enclosure
    frobenius: Enclosure
    largest: Enclosure


def float_distance(problem: Problem, method: Method, arithmetic: Arithmetic, digits: int = 6) -> FloatDistance:
    """How far the matrix of a training run is from the exact one, with proof.

    Args:
        problem: the problem.
        method: ``"ad"`` or ``"fd"``.
        arithmetic: ``"float32"`` or ``"float64"``.
        digits: of the norms.

    Raises:
        InputError: exact arithmetic, or a stored entry that is not finite.
    """
    entries = error_entries(problem, method, arithmetic)
    found = certified_singular_values(entries, digits, _FLOOR)
    bits = 64 + 4 * digits
    errors = [abs(x) for x in entries(bits).entries()]
    with flint.ctx.workprec(bits):
        squares, nuclear = arb(0), arb(0)
        for x in errors:
            squares = squares + x * x
        for value in found.values:
            nuclear = nuclear + to_ball(value, bits)
        lowest = max(from_ball(x).lower for x in errors)
        highest = max(from_ball(x).upper for x in errors)
        return FloatDistance(
            found.values[0],
            from_ball(nuclear),
            from_ball(squares.sqrt() if squares > 0 else arb(squares.abs_upper()).sqrt().union(arb(0))),
            Enclosure(max(lowest, Fraction(0)), highest),
        )


def error_entries(problem: Problem, method: Method, arithmetic: Arithmetic) -> BallEntries:
    """``stored - exact`` as balls; the bits that the subtraction cancels are added."""
    if arithmetic == "exact":
        raise InputError("arithmetic: exact is at no distance from itself; allowed: float32, float64")
    stored = float_matrix(problem, method, arithmetic)
    dyadic = arb_mat(stored.shape[0], stored.shape[1], [float(v) for v in stored.ravel()])
    exact = ball_entries(problem, method)

    def entries(bits: int) -> arb_mat:
        with flint.ctx.workprec(bits + 80):
            return dyadic - exact(bits + 80)

    return entries
