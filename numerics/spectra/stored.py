r"""What rounding does to singular values, with proof: the error ``E = fl(A) - A`` of a stored matrix is enclosed, entry by entry.

fl(A) is the matrix as it is stored in float32 or float64, an exact one; A is the matrix of the exact rationals in balls. By
Weyl's inequalities (Horn & Johnson, Topics in Matrix Analysis, 1991, theorem 3.3.16), for every k and j,

    |sigma_k(fl A) - sigma_k(A)| <= ||E||,      sigma_{k+j}(E) - sigma_{j+1}(A) <= sigma_k(fl A) <= sigma_{k-j}(A) + sigma_{j+1}(E).

The lower bound is the round-off floor with proof: the singular values of E are nearly flat and those of A fall, so under the
knee ``sigma_k(fl A)`` is at least about ``sigma_{k+j}(E)``, however small ``sigma_k(A)`` is. Nothing is assumed of the arithmetic that made fl(A).

*A priori*, before anything is stored, ``|E_ij|`` is bounded from the exact data (:mod:`numerics.arithmetic.prior`), under a hypothesis
on the elementary functions; ``||E||`` is then at most the norm of these bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
from flint import arb_mat

from numerics.arithmetic.balls import Enclosure, ball, from_ball
from numerics.arithmetic.prior import RoundedBackend
from numerics.matrices.assemble import assemble, float_matrix
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import METHODS, Arithmetic, Method, Problem
from numerics.spectra.engine.basis import frobenius_upper, norm_upper
from numerics.spectra.engine.driver import BallEntries, certified_singular_values
from numerics.spectra.spectrum import spectrum
from theory.base.errors import InputError


@dataclass(frozen=True)
class StoredBounds:
    """Bounds of the singular values of a stored matrix, from those of the exact one and of the error.

    Attributes:
        exact: encloses ``sigma_k(A)``.
        errors: encloses ``sigma_k(E)``; the first is ``||E||``.
        values: encloses ``sigma_k(fl A)``, by Weyl's inequalities alone.
    """

    exact: tuple[Enclosure, ...]
    errors: tuple[Enclosure, ...]
    values: tuple[Enclosure, ...]


Bounds = Callable[[Problem, Method, Arithmetic, int], StoredBounds]
_PRIOR_BITS = 160


def rounding_errors(problem: Problem, method: Method, arithmetic: Arithmetic) -> BallEntries:
    """``E = fl(A) - A`` in balls, at a working precision in bits.

    Raises:
        InputError: exact arithmetic, which stores nothing; an entry that is not finite.
    """
    if arithmetic == "exact":
        raise InputError("arithmetic: exact; allowed: float32, float64, which store a matrix")
    stored = [[Fraction(float(v)) for v in row] for row in float_matrix(problem, method, arithmetic)]
    exact = ball_entries(problem, method)
    spare = 53 if arithmetic == "float64" else 24  # what the subtraction cancels

    def entries(bits: int) -> arb_mat:
        with flint.ctx.workprec(bits + spare):
            return arb_mat([[ball(v) for v in row] for row in stored]) - exact(bits + spare)

    return entries


def stored_bounds(problem: Problem, method: Method, arithmetic: Arithmetic, digits: int = 20) -> StoredBounds:
    """The bounds of every ``sigma_k(fl A)`` from the enclosed error.

    Raises:
        InputError: see :func:`rounding_errors`.
        PrecisionCapError: beyond the cap of the engine.
    """
    exact = spectrum(problem, method, "exact", digits).values
    errors = certified_singular_values(rounding_errors(problem, method, arithmetic), digits, Fraction(1, 10**12)).values
    return StoredBounds(exact, errors, weyl_bounds(exact, errors))


def weyl_bounds(exact: Sequence[Enclosure], errors: Sequence[Enclosure]) -> tuple[Enclosure, ...]:
    """The singular values of ``A + E`` from those of A and of E, both descending: Weyl's inequalities for every k and j.

    >>> [float(v.upper) for v in weyl_bounds([Enclosure.exact(1), Enclosure.exact(0)], [Enclosure.exact(2)] * 2)]
    [3.0, 2.0]
    """
    n, values = len(exact), []
    for k in range(n):
        upper = min(exact[k - j].upper + errors[j].upper for j in range(k + 1))
        lower = max(
            exact[k].lower - errors[0].upper, *(errors[k + j].lower - exact[j].upper for j in range(n - k)), Fraction(0)
        )
        values.append(Enclosure(lower, upper))
    return tuple(values)


def prior_errors(problem: Problem, method: Method, arithmetic: Arithmetic) -> arb_mat:
    """Upper bounds of ``|E_ij|``, exact balls, under :data:`numerics.arithmetic.prior.HYPOTHESIS`.

    Raises:
        InputError: exact arithmetic, which stores nothing; a bound that is not finite.
    """
    if arithmetic == "exact":
        raise InputError("arithmetic: exact; allowed: float32, float64, which store a matrix")
    with flint.ctx.workprec(_PRIOR_BITS):
        backend = RoundedBackend(arithmetic)
        table = assemble(problem, method, backend, backend.inputs)
        found = arb_mat([[entry.error for entry in row] for row in table])
    if not all(v.is_finite() for v in found.entries()):
        raise InputError(f"arithmetic: no a priori bound of the errors of an entry in {arithmetic}")
    return found


def prior_bounds(problem: Problem, method: Method, arithmetic: Arithmetic, digits: int = 20) -> StoredBounds:
    """``sigma_k(A)`` give or take the a priori bound of ``||E||``, which stands for every ``sigma_k(E)``.

    Raises:
        InputError: see :func:`prior_errors`.
        PrecisionCapError: beyond the cap of the engine.
    """
    exact, bound = spectrum(problem, method, "exact", digits).values, prior_errors(problem, method, arithmetic)
    norm = from_ball(norm_upper(bound).min(frobenius_upper(bound.entries()))).upper
    values = tuple(Enclosure(max(v.lower - norm, Fraction(0)), v.upper + norm) for v in exact)
    return StoredBounds(exact, (Enclosure(Fraction(0), norm),) * len(exact), values)


def stored_order(
    problem: Problem, arithmetic: Arithmetic, digits: int = 20, bounds: Bounds = stored_bounds
) -> tuple[int | None, ...]:
    """The sign of ``sigma_k(fl A_FD) - sigma_k(fl A_AD)`` for each k, where the bounds of both prove one, else ``None``."""
    ad, fd = (bounds(problem, method, arithmetic, digits).values for method in METHODS)
    return tuple((b - a).sign() for a, b in zip(ad, fd, strict=True))
