r"""How long AD's and FD's singular values agree: for each index a step below which they do, for *every* smaller step.

``A_FD(t h) = A + E``, ``E = sum t^q C_q + t^P R`` for ``0 <= t <= 1`` (:func:`numerics.matrices.assemble.step_expansion`). Three means;
each k has the best of them.

*Weyl*: ``|sigma_k(A + E) - sigma_k(A)| <= ||E||``, the same for all k.

*By rows* (ours, from Courant and Fischer): X approximates r left singular vectors of A, ``W = A^T X = Y D``, the d_j descending,
``eta >= ||Y^T Y - I||``, ``delta >= ||X^T X - I||``, both below 1, ``P = X (X^T X)^-1 X^T``, ``g_j >= ||E^T x_j||``. Then for k <= r

    sigma_k(A + E)   >=  d_k (sqrt(1 - eta) - (sum_{j<=k} g_j^2 / d_j^2)^(1/2)) / sqrt(1 + delta),
    sigma_k(A + E)^2 <=  (d_k sqrt(1 + eta) + (sum_{j>=k} g_j^2)^(1/2))^2 / (1 - delta) + ||(I - P) (A + E)||^2:

``X_k^T (A + E) = D_k (Y_k^T + D_k^-1 X_k^T E)``, of whose factors ``sigma_k`` is at least the product; and ``sigma_k`` is at most the
norm without k - 1 rows. E is a difference quotient of smooth features less their derivative: the vectors that
A hardly sees, E hardly sees either, so g_j falls with d_j (A stands for its transpose where that is wide).

Both right-hand sides grow with t: where they are within a share of ``sigma_k(A)`` at one t, they are at all smaller ones.

*Followed*: the values as functions of the step (:mod:`numerics.spectra.branches`), moved by ``t^P ||R||``; nearly the largest
step there is, but only for few values, since it takes the vectors at several steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from itertools import accumulate

import flint
from flint import arb, arb_mat

from numerics.arithmetic.balls import Enclosure, ball, from_ball
from numerics.entropy.interval import full_expansion
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import Problem
from numerics.spectra.branches import branches
from numerics.spectra.certificate import approximate_vectors, vector_defects
from numerics.spectra.engine.basis import frobenius_upper, norm_upper
from numerics.spectra.engine.driver import CAP_BITS, Clock, Factorisation, factorise

_SPARE = 60
"""Bits of the expansion beyond those of the factorisation."""
_SHORT = 64
"""Bits of the bounds."""
_FINE = 8
"""Binary digits of a step, after its first."""
_LEAST = 60
"""Steps below ``2^-60`` of the largest are given as 0."""
_FOLLOWED = 32
"""Most values that are followed."""
_DEGREE = 8
_HALVINGS = 5
"""Of the largest step, until values are not followed."""
_PARTS = 200
"""Of the steps on which values are followed."""


def agreeing_steps(
    problem: Problem,
    high: Fraction,
    tolerance: Fraction,
    digits: int = 12,
    least: Fraction = Fraction(0),
    only_weyl: bool = False,
) -> tuple[Fraction, ...]:
    """For each k a step h_k <= high such that ``|sigma_k(A_FD(h)) - sigma_k(A_AD)| <= tolerance sigma_k(A_AD)`` for every h in (0, h_k].

    Args:
        problem: its own step is replaced (in several directions all steps are scaled together, h the largest).
        high: the largest step of interest, positive.
        tolerance: relative, positive.
        digits: of the singular values of A_AD.
        least: values below this, relative to the largest, are not followed.
        only_weyl: by Weyl's inequality alone, for comparison.

    Returns:
        exact steps, 0 where none is proven (a value that is 0, or too small).

    Raises:
        NonexistenceError: the activation is not smooth enough for the expansion in h.
    """
    found, blocks = _terms(problem, high, digits)
    bits = found.bits + _SPARE
    values, moves = found.values, [_weyl(found.values, blocks)]
    with flint.ctx.workprec(bits):
        by_rows = None if only_weyl or not found.rank else _by_rows(found.matrix, approximate_vectors(found), blocks)
    moves += [] if by_rows is None else [by_rows]
    steps = _largest(values, moves, tolerance)
    if not only_weyl:
        wanted = sum(value.lower > least * values[0].upper for value in values)
        if wanted and wanted <= _FOLLOWED and min(steps[:wanted]) < 1:
            with flint.ctx.workprec(bits):
                longer = _followed(found.matrix, blocks, values, tolerance, wanted, steps[wanted - 1])
            steps = [max(pair) for pair in zip(steps, longer, strict=True)]
    return tuple(t * high for t in steps)


@lru_cache(maxsize=2)
def _terms(problem: Problem, high: Fraction, digits: int) -> tuple[Factorisation, dict[int, arb_mat]]:
    """A_AD as it was factorised, and the coefficients of powers of the step in units of ``high``, oriented alike."""
    found = factorise(ball_entries(problem, "ad"), digits + 2, None, CAP_BITS, Clock())
    expansion = full_expansion(problem, high, found.bits + _SPARE)
    blocks = {**expansion.coefficients, expansion.power: expansion.remainder}
    if found.transposed:
        blocks = {q: block.transpose() for q, block in blocks.items()}
    return found, blocks


Bounds = tuple[list[arb], list[arb]]
"""Of ``sigma_k(A + E)`` from below and above, for the leading k."""
Move = Callable[[arb], Bounds]
"""The bounds at t."""


def _largest(values: tuple[Enclosure, ...], moves: list[Move], tolerance: Fraction) -> list[Fraction]:
    """For each k the largest t, to its digits, at which the bounds are within the tolerance."""
    with flint.ctx.workprec(_SHORT):
        least = [ball((1 - tolerance) * v.upper).upper() for v in values]
        most = [ball((1 + tolerance) * v.lower).lower() for v in values]

    @cache
    def agree(t: Fraction) -> list[bool]:
        with flint.ctx.workprec(_SHORT):
            lower, upper = zip(*(move(ball(t)) for move in moves), strict=True)
            return [
                bool(a < b) and any(side[k] >= a for side in lower if k < len(side))
                and any(side[k] <= b for side in upper if k < len(side))
                for k, (a, b) in enumerate(zip(least, most, strict=True))
            ]  # fmt: skip

    steps = []
    for k in range(len(values)):
        t = next((t for j in range(_LEAST) if agree(t := Fraction(1, 2**j))[k]), Fraction(0))
        part = t
        for _ in range(_FINE if 0 < t < 1 else 0):
            part /= 2
            t = t + part if agree(t + part)[k] else t
        steps.append(t)
    return steps


def _weyl(values: tuple[Enclosure, ...], blocks: dict[int, arb_mat]) -> Move:
    """By the norms of the blocks."""
    sizes = _Polynomials(list(blocks), [[_norm(block) for block in blocks.values()]])
    ends = [(ball(v.upper), ball(v.lower)) for v in values]

    def at(t: arb) -> Bounds:
        (size,) = sizes(t)
        return [(b - size).lower() for b, _ in ends], [(a + size).upper() for _, a in ends]

    return at


@dataclass(frozen=True)
class _Polynomials:
    """Sums of ``t^q`` times numbers, one list of them a sum."""

    powers: list[int]
    numbers: list[list[arb]]

    def __call__(self, t: arb) -> list[arb]:
        column = arb_mat([[t**q] for q in self.powers])
        return list((arb_mat(self.numbers) * column).entries())


def _norm(block: arb_mat) -> arb:
    """An upper bound of the spectral norm."""
    return norm_upper(block).min(frobenius_upper(block.entries()))


def _by_rows(matrix: arb_mat, x: arb_mat, blocks: dict[int, arb_mat]) -> Move | None:
    """By rows of ``X^T E``; the bounds of the module."""
    known = vector_defects(matrix, x)
    if known is None:
        return None
    lengths, eta, delta = known
    order = sorted(range(len(lengths)), key=lambda j: -from_ball(lengths[j]).lower)
    d = [lengths[j] for j in order]
    images = [x.transpose() * block for block in blocks.values()]
    tables = [image.tolist() for image in images]
    rows = _Polynomials(list(blocks), [[frobenius_upper(table[j]) for table in tables] for j in order])
    outside, left_over = arb(0), _Polynomials([0], [[arb(0)]])
    if x.ncols() < matrix.nrows():
        outside = frobenius_upper((matrix - x * (x.transpose() * matrix)).entries())
        left = [
            frobenius_upper((block - x * image).entries()) for block, image in zip(blocks.values(), images, strict=True)
        ]
        left_over = _Polynomials(list(blocks), [left])

    def at(t: arb) -> Bounds:
        g = rows(t)
        before = accumulate((a / v) ** 2 for a, v in zip(g, d, strict=True))
        after = list(accumulate(a**2 for a in reversed(g)))[::-1]
        beyond = outside + left_over(t)[0]
        short, long = (1 - eta).sqrt(), (1 + eta).sqrt()
        lower = [v * (short - s.sqrt()) / (1 + delta).sqrt() for v, s in zip(d, before, strict=True)]
        upper = [((v * long + s.sqrt()) ** 2 / (1 - delta) + beyond**2).sqrt() for v, s in zip(d, after, strict=True)]
        return [v.lower() for v in lower], [v.upper() for v in upper]

    return at


def _followed(
    matrix: arb_mat,
    blocks: dict[int, arb_mat],
    values: tuple[Enclosure, ...],
    tolerance: Fraction,
    count: int,
    known: Fraction,
) -> list[Fraction]:
    """For the leading values the largest t, of a grid, up to which the values that are followed agree."""
    steps, t = [Fraction(0)] * len(values), Fraction(1)
    search = _Follow(matrix, blocks, values, tolerance)
    for _ in range(_HALVINGS + 1):
        if t <= known:
            return steps
        found = search.until(t, count)
        if found is not None:
            break
        t /= 2
    else:
        return steps
    while found is not None:
        steps[: len(found)] = [max(pair) for pair in zip(steps, found, strict=False)]
        count = next((k for k, step in enumerate(steps) if step < t), len(steps))
        if t == 1 or not count:
            break
        t = min(2 * t, Fraction(1))
        found = search.until(t, count)
    return steps


@dataclass(frozen=True)
class _Follow:
    """A matrix with its expansion, and how far its values agree."""

    matrix: arb_mat
    blocks: dict[int, arb_mat]
    values: tuple[Enclosure, ...]
    tolerance: Fraction

    def until(self, top: Fraction, count: int) -> list[Fraction] | None:
        """How far the first ``count`` values agree, at most to ``top``; ``None`` where they are not followed."""
        *inner, last = sorted(self.blocks)
        unit = 2 if all(q % 2 == 0 for q in inner) else 1
        blank = self.matrix * 0
        powers = [self.blocks.get(q, blank) for q in range(unit, last, unit)]
        found = branches([self.matrix, *powers], Fraction(0), top**unit, count, _DEGREE)
        if found is None:
            return None
        size = _norm(self.blocks[last])
        steps, open_ones, before = [Fraction(0)] * count, set(range(count)), Fraction(0)
        for part in range(1, _PARTS + 1):
            t = top * part / _PARTS
            moved = from_ball(size * ball(t**last)).upper
            ends = [from_ball(value) for value, _ in found.on(before**unit, t**unit)]
            lower, upper = (sorted(side, reverse=True) for side in ([e.lower for e in ends], [e.upper for e in ends]))
            for k in sorted(open_ones):
                value = self.values[k]
                agrees = (1 - self.tolerance) * value.upper <= lower[k] - moved
                if agrees and upper[k] + moved <= (1 + self.tolerance) * value.lower:
                    steps[k] = t
                else:
                    open_ones.discard(k)
            before = t
        return steps
