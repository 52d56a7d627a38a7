r"""Singular values of a matrix that depends on one parameter, enclosed for *every* value of it in an interval (ours).

``A(x) = sum_q x^q A_q`` on ``[low, high]``, ``s in [-1, 1]`` the same variable. Left singular vectors at a few Chebyshev
nodes are interpolated to ``X(s)`` (r columns), their singular values to ``d_k(s)``; with ``W = A^T X``, ``D = diag(d)``,
suppose that for every s

    delta >= ||X^T X - I||,   eta >= ||D^-1 W^T W D^-1 - I||,   rho >= ||A - X W^T||,
    eps >= ||(A - X W^T) W D^-1|| / sqrt(1 - eta),   theta = min d_k^2 (1 - eta) / (1 + delta) - rho^2 > 0.

Then, the d_k sorted, ``sigma_k^2`` lies between ``d_k^2 (1 - eta) / (1 + delta)`` and ``d_k^2 (1 + eta) (1 + eps^2 / theta)
/ (1 - delta)`` for k <= r (Ostrowski twice; the last factor since ``A A^T``, in a basis that begins with X's polar factor,
is at most ``diag(M + C C^T / theta, Lambda + theta)`` in Loewner's order, M and Lambda its diagonal blocks, C the other), and
``sigma_{r+1} <= rho``. Nothing there is relative to the gaps between the r values, and theta asks for one gap alone.

What is bounded are polynomials in s, of degrees known: a polynomial p of degree n, of numbers or of matrices, is at most
``max |p(s_i)| / cos(pi n / 2 N)`` on ``[-1, 1]``, s_i the N > n Chebyshev nodes (Ehlich & Zeller, Math. Z. 86 (1964) 41).
So the whole interval costs N evaluations in balls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from flint import arb, arb_mat, arb_poly

from numerics.arithmetic.balls import Enclosure, ball, to_ball
from numerics.spectra.certificate import approximate_vectors
from numerics.spectra.engine.basis import frobenius_upper, from_floats, rounded
from numerics.spectra.engine.driver import CAP_BITS, Clock, factorise
from theory.base.errors import PrecisionCapError

_DIGITS = 18
"""Of the singular values at the nodes that are interpolated."""
_PLAIN = 1e-5
"""Where all of them are above this, relative to the largest, float64's vectors are near enough."""
_OVER = Fraction(3, 2)
"""Nodes of a bound, over the largest degree."""


@dataclass(frozen=True)
class Branches:
    """What is known of the r largest singular values on an interval. Does not pickle.

    Attributes:
        low, high: the interval of x.
        values: the polynomials d_k in s, r of them.
        shrink, grow: the ``sigma_k`` are ``d_k`` times numbers in ``[shrink, grow]``, in some order; exact balls.
        rest: an upper bound of all other singular values.
        bits: precision of the balls.
    """

    low: Fraction
    high: Fraction
    values: tuple[arb_poly, ...]
    shrink: arb
    grow: arb
    rest: arb
    bits: int

    @property
    def accuracy(self) -> float:
        """Relative width of the enclosures at one point."""
        return float((self.grow - self.shrink).upper())

    def on(self, low: Fraction, high: Fraction) -> list[tuple[arb, arb]]:
        """For every x in [low, high]: ``sigma_k`` in some order, and ``sigma_k / d_k`` times the derivative of d_k in x."""
        with flint.ctx.workprec(self.bits):
            half = (self.high - self.low) / 2
            ends = [(x - self.low) / half - 1 if half else Fraction(0) for x in (low, high)]
            middle, where = ball((ends[0] + ends[1]) / 2), to_ball(Enclosure(*ends), self.bits)
            factor, steep = self.shrink.union(self.grow), 1 / ball(half) if half else arb(0)
            found = []
            for p in self.values:
                slope = p.derivative()(where)
                found.append(((p(middle) + slope * (where - middle)) * factor, slope * factor * steep))
            return found


def branches(
    coefficients: Sequence[arb_mat], low: Fraction, high: Fraction, count: int, degree: int = 10
) -> Branches | None:
    """Follows the ``count`` largest singular values of ``sum x^q A_q`` over ``[low, high]``.

    Args:
        coefficients: balls A_0, A_1, …, of one shape.
        low, high: ends of the interval of x.
        count: r, at most the smaller dimension.
        degree: of X(s) and of the d_k(s).

    Returns:
        ``None`` where no such bounds are proven: the vectors turn too fast for the degree, or theta is not positive.
    """
    wide = coefficients[0].nrows() <= coefficients[0].ncols()
    matrices = [c if wide else c.transpose() for c in coefficients]
    bits = flint.ctx.prec
    try:
        vectors, values = _interpolated(_at(matrices, low, high, _nodes(degree + 1)), count)
    except (PrecisionCapError, np.linalg.LinAlgError):
        return None
    bits = max(bits, 120 + 2 * int(math.log2(float(values[0][0] / min(min(row) for row in values)))) + 1)
    with flint.ctx.workprec(bits):
        return _proven(matrices, low, high, vectors, values, bits)


def _proven(
    matrices: list[arb_mat], low: Fraction, high: Fraction, vectors: list[arb_mat], values: list[list[arb]], bits: int
) -> Branches | None:
    """The bounds of the module, from X and d at the nodes that are interpolated."""
    q, m, r = len(matrices) - 1, len(vectors) - 1, len(values[0])
    degrees = {"own": 2 * m, "gram": 2 * (q + m), "rest": q + 2 * m, "cross": 2 * q + 3 * m, "values": m}
    count = math.ceil(_OVER * max(degrees.values())) + 1
    factors = {name: 1 / (arb(degree) / (2 * count)).cos_pi() for name, degree in degrees.items()}
    base, nodes = _nodes(m + 1), _nodes(count)
    polynomials = tuple(arb_poly.interpolate(base, [row[k] for row in values]) for k in range(r))
    start = [p(arb(0)).mid() for p in polynomials]
    if not all(v > 0 for v in start):
        return None
    scale = _diagonal([1 / v for v in start])
    most = dict.fromkeys(degrees, arb(0))
    for s, A in zip(nodes, _at(matrices, low, high, nodes), strict=True):
        weights = _lagrange(base, s)
        X = _combined(vectors, weights)
        d = [p(s) for p in polynomials]
        W = A.transpose() * X
        gram = W.transpose() * W
        Z = A - X * W.transpose()
        sizes = {
            "own": frobenius_upper((X.transpose() * X - _diagonal([arb(1)] * r)).entries()),
            "gram": frobenius_upper((scale * (gram - _diagonal([v * v for v in d])) * scale).entries()),
            "rest": _spectral(Z),
            "cross": frobenius_upper(((A * W - X * gram) * scale).entries()),
            "values": frobenius_upper([max((abs(v / v0 - 1).upper() for v, v0 in zip(d, start, strict=True)))]),
        }
        if not all(sizes[name] < 1 for name in ("own", "gram", "values")):
            return None
        most = {name: most[name].max(v) for name, v in sizes.items()}
    bound = {name: (factors[name] * v).upper() for name, v in most.items()}
    if not bound["values"] < 1:
        return None
    narrow = 1 / (1 - bound["values"])  # >= d_k(0) / d_k(s)
    delta, eta, rho = bound["own"], bound["gram"] * narrow * narrow, bound["rest"]
    if not (delta < 1 and eta < 1):
        return None
    low_end = (1 - eta) / (1 + delta)
    top = (1 + eta) / (1 - delta)
    if r < matrices[0].nrows():
        least = min(start) * (1 - bound["values"])
        theta = least * least * low_end - rho * rho
        if not theta > 0:
            return None
        eps = bound["cross"] * narrow / (1 - eta).sqrt()
        top = top * (1 + eps * eps / theta)
    return Branches(low, high, polynomials, low_end.sqrt().lower(), top.sqrt().upper(), rho.upper(), bits)


def _nodes(count: int) -> list[arb]:
    """The zeros of the Chebyshev polynomial of degree ``count``."""
    return [(arb(2 * i + 1) / (2 * count)).cos_pi() for i in range(count)]


def _at(matrices: list[arb_mat], low: Fraction, high: Fraction, nodes: list[arb]) -> list[arb_mat]:
    middle, half = ball((low + high) / 2), ball((high - low) / 2)
    found = []
    for s in nodes:
        x = middle + half * s
        total = matrices[-1]
        for matrix in reversed(matrices[:-1]):
            total = total * x + matrix
        found.append(total)
    return found


def _interpolated(at: list[arb_mat], count: int) -> tuple[list[arb_mat], list[list[arb]]]:
    """Left singular vectors and values at the nodes, in one order and with signs that agree from node to node."""
    vectors: list[arb_mat] = []
    values: list[list[arb]] = []
    before: np.ndarray | None = None
    for A in at:
        x, d = _singular(A, count)
        floats = np.array([float(v) for v in x.entries()]).reshape(x.nrows(), count)
        if before is not None:
            overlap = before.T @ floats
            import scipy.optimize  # takes longer to import than all that most commands compute

            _, order = scipy.optimize.linear_sum_assignment(-abs(overlap))
            signs = [1 if overlap[k, j] >= 0 else -1 for k, j in enumerate(order)]
            rows = x.tolist()
            x = arb_mat([[row[j] * sign for j, sign in zip(order, signs, strict=True)] for row in rows])
            d = [d[j] for j in order]
            floats = floats[:, order] * signs
        before = floats
        vectors.append(x)
        values.append(d)
    return vectors, values


def _singular(A: arb_mat, count: int) -> tuple[arb_mat, list[arb]]:
    """The first ``count`` left singular vectors and singular values, exact dyadics near the truth."""
    middle = A.mid()
    floats = np.array([float(v) for v in middle.entries()]).reshape(A.nrows(), A.ncols())
    left, seen, _ = np.linalg.svd(floats, full_matrices=False)
    if seen[count - 1] > _PLAIN * seen[0]:
        return from_floats(left[:, :count]), [arb(float(v)) for v in seen[:count]]
    shallow = seen[count - 1] > 1e-12 * seen[0]
    floors = [Fraction(float(seen[count - 1] / seen[0])) / 4] if shallow else []
    for floor in (*floors, *(Fraction(1, 10**depth) for depth in (25, 50, 100)), None):
        found = factorise(lambda bits: rounded(middle, bits), _DIGITS, floor, CAP_BITS, Clock())
        if found.rank >= count:
            x = approximate_vectors(found)
            kept = arb_mat([row[:count] for row in x.tolist()])
            return kept, [ball(v.middle).mid() for v in found.values[:count]]
    raise PrecisionCapError("branches: a singular value is not resolved")


def _lagrange(base: list[arb], s: arb) -> list[arb]:
    """The values at s of the polynomials of Lagrange."""
    found = []
    for k, at in enumerate(base):
        product = arb(1)
        for j, other in enumerate(base):
            if j != k:
                product = product * (s - other) / (at - other)
        found.append(product)
    return found


def _combined(matrices: list[arb_mat], weights: list[arb]) -> arb_mat:
    total = matrices[0] * weights[0]
    for matrix, weight in zip(matrices[1:], weights[1:], strict=True):
        total = total + matrix * weight
    return total


def _diagonal(entries: list[arb]) -> arb_mat:
    n = len(entries)
    return arb_mat(n, n, [entries[i] if i == j else 0 for i in range(n) for j in range(n)])


def _spectral(Z: arb_mat) -> arb:
    """An upper bound of the spectral norm: the root of the Frobenius norm of ``Z Z^T``."""
    with flint.ctx.workprec(64):
        short = rounded(Z, 64)
        return frobenius_upper((short * short.transpose()).entries()).sqrt().upper()
