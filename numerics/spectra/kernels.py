"""Eigenvalues, with proof, of the kernels that a problem's training follows, on its collocation points.

Three kernels, each for autodiff and for differences:

- ``limit``: ``E[(L phi)(x_i) (L phi)(x_k)]`` on the interior points, from the kernel's closed form, where weights and
  biases are laws; entries in balls, eigenvalues by the symmetric engine.
- ``empirical``: ``A A^T / M`` of the features drawn, all rows.
- ``ntk``: ``J J^T`` for the rows of the two-layer network ``M^(-1/2) sum_j a_j sigma(w_j x + b_j)`` with ``a_j = 1`` or
  ``-1`` (the kernel depends on ``a_j^2`` alone), J the Jacobian in a, b and w.

Of the last two the eigenvalues are squares of singular values, which the engine finds to high relative accuracy
without forming the Gram matrix.

FD spectra of the Hermite model with all its features, hundreds of them listed: float64 guesses, FLINT certificates.

:mod:`theory.solvable.hermite` has the model and the bound on its tail. Its matrix has a condition of 1e10 or so, not of
1e60: an absolute certificate is enough. With U, V from LAPACK and ``W = Uᵀ A V`` in balls,

    σ_k(W) / √((1 + δ_U)(1 + δ_V)) <= σ_k(A) <= σ_k(W) / √((1 - δ_U)(1 - δ_V)),   δ_U >= ‖UᵀU - I‖_F,

(A. M. Ostrowski, PNAS 45 (1959) 740), and ``|σ_k(W) - |W_kk|| <= ‖W - diag W‖_F`` with both sides in order (Weyl).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, Literal

import flint
import numpy as np

from numerics.arithmetic.backends import BallBackend
from numerics.arithmetic.balls import Enclosure, ball, from_ball
from numerics.matrices.assemble import cancellation_digits
from numerics.matrices.balls import ball_entries
from numerics.problem.drawn import boundary_rows, features, interior_points
from numerics.problem.problem import Method, Problem
from numerics.spectra.engine import CertifiedSpectrum, certified_eigenvalues_psd, certified_singular_values
from theory.base.errors import InputError, PrecisionCapError
from theory.base.expressions import evaluate
from theory.features.activations import z
from theory.features.laws import Law
from theory.operators.operator import LinearOperator
from theory.solvable.hermite import HermiteDiagonal
from theory.solvable.model import Listed
from theory.solvable.model import Method as ModelMethod

Kernel = Literal["limit", "empirical", "ntk"]

Entries = Callable[[int], flint.arb_mat]


def kernel_spectrum(problem: Problem, method: Method, kernel: Kernel, digits: int = 12) -> CertifiedSpectrum:
    """Enclosures of all eigenvalues, descending, of relative width at most ``10^(1-digits)`` up to the proven rank.

    Raises:
        InputError: ``limit`` for explicit features, for a kernel without a closed form, or where it does not exist.
        PrecisionCapError: the digits are beyond the cap of the engine.
    """
    if kernel == "limit":
        return certified_eigenvalues_psd(limit_entries(problem, method), digits)
    entries = ball_entries(problem, method) if kernel == "empirical" else tangent_entries(problem, method)
    found = certified_singular_values(entries, digits + 1)
    rows = len(interior_points(problem)) + sum(len(b.points) for b in boundary_rows(problem))
    squares = [Enclosure(v.lower**2 / problem.count, v.upper**2 / problem.count) for v in found.values]
    nothing = Enclosure.exact(0) if found.rank == len(squares) else squares[found.rank]
    values = tuple(squares) + (nothing,) * (rows - len(squares))
    return CertifiedSpectrum(
        values,
        nothing.upper,
        found.rank,
        found.working_digits,
        found.seconds,
        found.entries_seconds,
        found.proof_seconds,
    )


def limit_entries(problem: Problem, method: Method) -> Entries:
    """``K_AD`` or ``K_FD`` on the interior points, from the closed form.

    Raises:
        InputError: explicit features, no closed form, or no such kernel.
    """
    from theory.kernels.derive import derive_kernel

    if not (isinstance(problem.weights, Law) and isinstance(problem.biases, Law)):
        raise InputError("--kernel: limit needs laws of weights and biases; features are given as values")
    if len(set(problem.steps)) > 1:
        raise InputError("--kernel: limit needs one step for all axes")
    derived = derive_kernel(
        problem.activation_name,
        problem.weights,
        problem.biases,
        problem.operator,
        problem.stencil,
        problem.h,
        verify=False,
    )
    if not derived.closed:
        raise InputError(f"--kernel: no closed form is known for {problem.activation_name} under these laws")
    expression = derived.K_AD if method == "ad" else derived.K_FD
    points = interior_points(problem)
    n = len(points)
    extra = 2 * math.ceil(cancellation_digits(problem, method) * math.log2(10)) + 40

    def entries(bits: int) -> flint.arb_mat:
        backend = BallBackend()
        with flint.ctx.workprec(bits + extra):
            coordinates = [[backend.constant(v) for v in p] for p in points]
            rows = [[flint.arb(0)] * n for _ in range(n)]
            for i in range(n):
                for k in range(i, n):
                    at = dict(zip(derived.symbols, (*coordinates[i], *coordinates[k]), strict=True))
                    rows[i][k] = rows[k][i] = flint.arb(evaluate(expression, at, backend))
                    if not rows[i][k].is_finite():
                        raise InputError(
                            "--kernel: limit cannot be evaluated in balls here: its closed form is singular in form at "
                            f"points {i + 1} and {k + 1}"
                        )
            return flint.arb_mat(rows)

    return entries


def tangent_entries(problem: Problem, method: Method) -> Entries:
    """The Jacobian (rows x (2 + d) M) of ``sum_j a_j sigma(w_j x + b_j)`` under L or L_h, B, at ``a_j = 1``."""
    extra = math.ceil(cancellation_digits(problem, method) * math.log2(10)) + 40

    def entries(bits: int) -> flint.arb_mat:
        with flint.ctx.workprec(bits + extra):
            rows = _operator_rows if method == "ad" else _difference_rows
            parts = [rows(problem, problem.operator, _table(interior_points(problem)))]
            for boundary in boundary_rows(problem):
                if boundary.points:
                    part = _operator_rows(problem, boundary.operator, _table(boundary.points))
                    parts.append(part * BallBackend().constant(boundary.rows.weight).sqrt())
            return flint.arb_mat(np.concatenate(parts).tolist())

    return entries


def _table(points: tuple[tuple[Fraction, ...], ...]) -> Any:
    constant = BallBackend().constant
    return np.array([[constant(v) for v in p] for p in points], dtype=object)


def _inputs(problem: Problem) -> tuple[Any, Any]:
    drawn = features(problem)
    return _table(drawn.weights), np.array([BallBackend().constant(v) for v in drawn.biases], dtype=object)


def _jet(problem: Problem, X: Any, W: Any, b: Any, order: int) -> Any:
    """``sigma^(order)(w_j . x_i + b_j)``."""
    argument = X @ W.T + b
    value = evaluate(problem.activation.derivative(order), {z: argument}, BallBackend())
    return value if np.shape(value) == argument.shape else value + 0 * argument


def _monomial(W: Any, alpha: tuple[int, ...]) -> Any:
    result: Any = 1
    for axis, times in enumerate(alpha):
        for _ in range(times):
            result = result * W[:, axis]
    return result


def _coefficient(problem: Problem, expression: Any, X: Any) -> Any:
    columns = {symbol: X[:, axis : axis + 1] for axis, symbol in enumerate(problem.operator.symbols)}
    return evaluate(expression, columns, BallBackend())


def _operator_rows(problem: Problem, operator: LinearOperator, X: Any) -> Any:
    """Derivatives in a, b and each coordinate of w of the rows ``L u``."""
    W, b = _inputs(problem)
    total: Any = None
    for alpha, coefficient in operator.terms:
        order = sum(alpha)
        low, high = (_jet(problem, X, W, b, order + k) for k in (0, 1))
        monomial = _monomial(W, alpha)
        parts = [low * monomial, high * monomial]
        for axis, times in enumerate(alpha):
            part = high * monomial * X[:, axis : axis + 1]
            if times:
                lower = tuple(m - (k == axis) for k, m in enumerate(alpha))
                part = part + low * _monomial(W, lower) * times
            parts.append(part)
        block = np.concatenate(parts, axis=1)
        if coefficient != 1:
            block = block * _coefficient(problem, coefficient, X)
        total = block if total is None else total + block
    return total


def _difference_rows(problem: Problem, operator: LinearOperator, X: Any) -> Any:
    """The same of the rows ``L_h u``: weighted sums of the derivatives at the shifted points."""
    W, b = _inputs(problem)
    constant = BallBackend().constant
    total: Any = None
    for term in problem.difference.terms:
        for weight, shift in zip(term.weights, term.shifts, strict=True):
            moved = X + _table((shift,))
            low, high = (_jet(problem, moved, W, b, k) for k in (0, 1))
            parts = [low, high, *(high * moved[:, axis : axis + 1] for axis in range(problem.dimension))]
            block = np.concatenate(parts, axis=1) * constant(weight / term.scale)
            if term.coefficient != 1:
                block = block * _coefficient(problem, term.coefficient, X)
            total = block if total is None else total + block
    return total


BITS = 128
"""Of the balls."""
TINY = 120
"""Entries under 2^-TINY are taken as balls around 0."""
GRID = 2.0**56
"""Approximate singular vectors are rounded to multiples of 1/GRID."""
MAX_FEATURES = 1200
"""Most features listed."""


@dataclass(frozen=True)
class InfiniteHermite(HermiteDiagonal):
    """The model with all features; its FD spectra come from balls, so that ρ near 1 is in reach.

    Raises:
        InputError: as the model of theory.
    """

    first_digits: ClassVar[int] = 5

    def listed(self, method: ModelMethod, h: Fraction | None, count: int, digits: int) -> Listed:
        """See :meth:`theory.solvable.model.SolvableSpectrum.listed`; FD eigenvalues to about 1e-13 of the largest.

        Raises:
            PrecisionCapError: more features than :data:`MAX_FEATURES`, or LAPACK's vectors far from orthonormal.
        """
        if method == "ad" or self.size is not None or h is None:
            return super().listed(method, h, count, digits)
        size, tail = self.truncation(h, count, min(digits, 24))
        if size > MAX_FEATURES:
            raise PrecisionCapError(f"{size} features are needed, and {MAX_FEATURES} are allowed; ask for fewer digits")
        values = _values(self, h, size)
        return Listed(tuple(Enclosure(v.lower, v.upper + tail.first) for v in values), tail)


def matrix(model: HermiteDiagonal, h: Fraction, size: int) -> flint.arb_mat:
    """``A_FD[i, j] = e_{j-i} h^{j-i} √(ρ^{j+m} (j+m)!/i!)`` for the first features, at the precision in force."""
    m = model.stencil.derivative
    taylor = [ball(model.stencil.taylor((d + m,)) * h**d) for d in range(size)]
    rho, column, row = ball(model.ratio), [], []
    value = flint.arb(1)
    for k in range(1, size + m):
        value = value * (rho * k).sqrt()
        if k >= m:
            column.append(value)
    value = flint.arb(1)
    for k in range(size):
        row.append(1 / value)
        value = value * flint.arb(k + 1).sqrt()
    zero, tiny = flint.arb(0), flint.arb(2) ** -TINY
    around = flint.arb(0, tiny)  # products of entries of all sizes are slow, and these do not matter

    def entry(i: int, j: int) -> flint.arb:
        value = taylor[j - i] * row[i] * column[j]
        return value if not abs(value) < tiny else around

    return flint.arb_mat([[entry(i, j) if j >= i else zero for j in range(size)] for i in range(size)])


@lru_cache(maxsize=16)
def _values(model: HermiteDiagonal, h: Fraction, size: int) -> tuple[Enclosure, ...]:
    """Squared singular values of the first columns, descending."""
    with flint.ctx.workprec(BITS):
        exact = matrix(model, h, size)
        guess = np.array([[float(exact[i, j].mid()) for j in range(size)] for i in range(size)])
        left, _, right = np.linalg.svd(guess)
        u, vt = (flint.arb_mat((np.rint(v * GRID) / GRID).tolist()) for v in (left, right))
        delta_u, delta_v = _defect(u.transpose() * u), _defect(vt * vt.transpose())
        if not (delta_u < 1 and delta_v < 1):
            raise PrecisionCapError("the approximate singular vectors are far from orthonormal")
        w = u.transpose() * exact * vt.transpose()
        diagonal = sorted((from_ball(abs(w[k, k])) for k in range(size)), key=lambda v: -v.middle)
        for k in range(size):
            w[k, k] = 0
        off = _norm(w)
        high, low = ((1 - delta_u) * (1 - delta_v)).sqrt(), ((1 + delta_u) * (1 + delta_v)).sqrt()
        spread = from_ball(off).upper
        shrink, grow = 1 / from_ball(low).upper, 1 / from_ball(high).lower
    # the k-th largest is monotone in every value: sorted lower and sorted upper ends enclose it
    lowers = sorted((v.lower for v in diagonal), reverse=True)
    uppers = sorted((v.upper for v in diagonal), reverse=True)
    return tuple(
        Enclosure((max(a - spread, Fraction(0)) * shrink) ** 2, ((b + spread) * grow) ** 2)
        for a, b in zip(lowers, uppers, strict=True)
    )


def _defect(gram: flint.arb_mat) -> flint.arb:
    for k in range(gram.nrows()):
        gram[k, k] = gram[k, k] - 1
    return _norm(gram)


def _norm(a: flint.arb_mat) -> flint.arb:
    """The Frobenius norm."""
    total = flint.arb(0)
    for entry in a.entries():
        total += entry * entry
    return total.sqrt()
