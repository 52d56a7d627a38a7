"""What is known of A_FD(h) for all steps h of a piece ``[low, high]``; a part of the checker of entropies.

Standard library, python-flint and ``checker.py``, nothing else. Specified in ``docs/certificates.md``; in short:

*between*: sine or cosine features in one dimension, no boundary rows, ``c(x) u_xx`` by the central second difference.
Then ``A_FD(h) = A_AD diag(sinc^2(h w_j / 2))``, whose factors fall with h while ``h |w_j| <= 6 < 2 pi``; by Ostrowski's
theorem every singular value falls with h. For steps ``a <= low`` and ``b >= high``, ``s_k(A(h))`` lies between the lower
bound at b and the upper bound at a.

*about*: any activation that is smooth on the way. With ``mu_k = w_j . shift_k / h``, weights ``c_k h^m``, m the order of a
term and ``P = K - m``, K = 16, Taylor's theorem with Lagrange's remainder gives for h and for the step a of a spectrum, an entry,

    A(h) - A(a) = sum_{0 < q < P} (h^q - a^q) C_q + V(h),      C_q = M_(m+q) s^(m+q)(theta) / (m+q)!,
    V(h) = h^P R(h) - a^P R(a),      R(h) = sum_k c_k h^m mu_k^(m+P) s^(m+P)(xi_k) / (m+P)!,

``M_n = sum_k c_k h^m mu_k^n`` and xi_k between theta and ``theta + h mu_k``. With e at least the Frobenius norm of that
for all h of the piece, ``|s_k(A(h)) - s_k(A(a))| <= e`` (Weyl). This holds for ``a = 0`` too, with ``A(0) = A_AD``.

*near zero*: all h in (0, high] at once. ``C_q = 0`` for ``0 < q < p``, so ``(A(h) - A(0)) / h^p`` has the same blocks with the factors
``h^(q-p)``, which stay bounded.

*first order*: about A_AD with any K that a piece names; about a step ``a > 0`` by Taylor's theorem in h,

    A(h) - A(a) = sum_{0 < q < K} (h - a)^q T_q + (h - a)^K R(h),

T_q the Taylor coefficients of an entry at a, ``sum_g c_g(x) h^-m sum_k c_k h^m s(theta + h mu_k)``, and R the K-th somewhere
in between. With X, ``W = A(a)^T X`` and D of the spectrum at a, ``Y = W D^-1``, and
X_o, Y_o the polar factors of X and Y, the matrix ``B = X_o D Y_o^T`` has the singular values d and the vectors X_o, Y_o. It is as near to A(a) as
``kappa = ||A(a) - X W^T||_F + tau ||d||``, with ``tau = delta + eta + delta eta``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from flint import arb, arb_mat, arb_series, ctx

from proofs_check import checker
from proofs_check.checker import (
    Claim,
    Problem,
    RefusedError,
    Work,
    ball,
    bits_of,
    demand,
    dot,
    norm,
    rational,
    spectrum,
)

STEP_BITS = 192


@dataclass(frozen=True)
class Node:
    """A spectrum of A_FD at one step: its claims, and the shifts over h and weights times h^m of each term."""

    step: Fraction
    values: list[Claim]
    unit: list[tuple[list[tuple[Fraction, ...]], list[Fraction]]]

    @property
    def printed(self) -> list[tuple[list[str], list[Fraction]]]:
        return [([" ".join(map(str, shift)) for shift in shifts], weights) for shifts, weights in self.unit]


def read_node(problem: Problem, data: Any, work: Work) -> Node:
    """A proven spectrum at its step."""
    values = spectrum(problem, data, "nodes", work, "step")
    step = rational(data["step"], "nodes.step")
    difference = checker.read_difference(data["difference"], problem, work)
    if difference is None or not step > 0:
        raise RefusedError("nodes: differences with a positive step")
    unit = []
    for (shifts, weights), term in zip(difference, problem.operator, strict=True):
        demand(len(set(map(sum, term.parts))) == 1, "operator: the derivatives of a term are of one order")
        work.spend(len(weights) * 20 * (1 + float(bits_of(step) * term.order / 500) ** 1.6))
        unit.append(([tuple(c / step for c in shift) for shift in shifts], [v * step**term.order for v in weights]))
    return Node(step, values, unit)


def values_on(problem: Problem, kind: str, nodes: list[Node], low: Fraction, high: Fraction, work: Work) -> list[Claim]:
    """Intervals of the singular values of A_FD(h) for all h of a piece."""
    if kind == "between" and len(nodes) == 2:
        first, last = nodes
        demand(first.step <= low and high <= last.step, "pieces: not between its nodes")
        demand(falls(problem, first, last.step), "pieces: the singular values are not known to fall with the step")
        return [(b[0], a[1]) for a, b in zip(first.values, last.values, strict=True)]
    demand(kind == "about" and len(nodes) == 1, "pieces: between two nodes or about one")
    (node,) = nodes
    demand(low <= node.step <= high, "pieces: its node is outside")
    moved = drift(problem, node, node.step, low, high, work)
    e = checker.exact((moved.known + moved.rest).upper())
    return [(a - e, b + e) for a, b in node.values]


def falls(problem: Problem, node: Node, highest: Fraction) -> bool:
    """The hypotheses of *between*."""
    if problem.activation.tree not in (["sin", ["variable", "z"]], ["cos", ["variable", "z"]]) or problem.boundary:
        return False
    if len(problem.names) != 1 or [list(term.parts) for term in problem.operator] != [[(2,)]]:
        return False
    ((shifts, weights),), (f,) = node.unit, problem.operator[0].parts.values()
    stencil = {shift: weight for (shift,), weight in zip(shifts, weights, strict=True) if weight}
    return stencil == {-1: f, 0: -2 * f, 1: f} and all(abs(w) * highest <= 6 for (w,) in problem.weights)


@dataclass(frozen=True)
class Frame:
    """A matrix with the singular values d and the vectors X_o, Y_o, near A(a), or its transpose where that is wide."""

    rows: int
    flipped: bool
    left: arb_mat  # X
    right: arb_mat  # Y
    values: list[arb]  # d, exact, descending
    tilt: arb  # tau
    off: arb  # kappa


def frame(problem: Problem, data: dict[str, Any], work: Work) -> Frame:
    """From a spectrum that is proven."""
    difference = checker.read_difference(data["difference"], problem, work)
    precision = ctx.prec = data["precision"]
    A = checker.matrix(problem, difference, precision, work)
    flipped = A.nrows() > A.ncols()
    A = A.transpose() if flipped else A
    X, longest = checker.vectors(data["vectors"], A.nrows())
    r = X.ncols()
    work.spend(0.3 * A.nrows() * (A.nrows() + A.ncols()) * (r + 1) * (1 + (max(precision, longest) / 500) ** 1.6))
    demand(r > 0, "pieces: a spectrum without vectors")
    W = A.transpose() * X
    d, eta, delta = checker.defects(W, X.transpose() * X)
    by_value = cmp_to_key(checker.descending)
    order = sorted(range(r), key=lambda j: by_value(d[j]))
    d = [d[j] for j in order]
    left = arb_mat(A.nrows(), r, [X[i, j] for i in range(A.nrows()) for j in order])
    right = arb_mat(A.ncols(), r, [W[i, j] / v for i in range(A.ncols()) for j, v in zip(order, d, strict=True)])
    tilt = (delta + eta + delta * eta).upper()
    return Frame(
        A.nrows(), flipped, left, right, d, tilt, (norm((A - X * W.transpose()).entries()) + tilt * norm(d)).upper()
    )


@dataclass(frozen=True)
class Drift:
    """``A(h) - A(a)``, for all h of a piece: ``sum factors[q] blocks[q] + V``, norms ``known`` and ``rest``."""

    blocks: list[arb_mat]
    factors: list[arb]
    known: arb
    rest: arb

    def along(self, base: Frame) -> list[list[arb]]:
        """``x_k . C_q y_k`` for every q and k."""
        r, found = len(base.values), []
        for block in self.blocks:
            image = (block.transpose() if base.flipped else block) * base.right
            found.append([sum((base.left[i, k] * image[i, k] for i in range(base.rows)), arb(0)) for k in range(r)])
        return found


def drift(
    problem: Problem,
    node: Node,
    a: Fraction,
    low: Fraction,
    high: Fraction,
    work: Work,
    highest: int = checker.MAX_ORDER,
    over_power: int = 0,
) -> Drift:
    """``A(h) - A(a)`` for every h in [low, high], of the family of a node; a = 0 stands for A_AD.

    The derivative in the remainder is of order ``highest``. For a = 0 all of it may be divided by ``h^over_power``, at most
    :func:`leading_power`.
    """
    ctx.prec = STEP_BITS
    start, over, s = ball(a), ball(max(a, high)), problem.activation
    orders = [term.order for term in problem.operator]
    count = len(problem.points) * len(problem.weights) * sum(1 + len(weights) for _, weights in node.unit)
    work.spend(count * (s.cost(highest, STEP_BITS) + 20 * checker.rational_cost(problem.size, highest) + 200))
    demand(max(orders) < highest, "pieces: derivatives of too high an order")
    work.spend(40 * checker.rational_cost(max(map(bits_of, (a, low, high))), highest))
    less = [max(q - over_power, 0) for q in range(highest + 1)]
    powers = [ball(low**q).union(ball(high**q)) for q in less]
    factors = powers[1:]
    if a:
        factors = [ball(low**q - a**q).union(ball(high**q - a**q)) for q in range(1, highest + 1)]
    blocks: list[list[arb]] = [[] for _ in range(highest - 1)]
    rests = []
    for x in problem.points:
        c = checker.coefficients(problem.operator, problem.names, x)
        for w, b in problem.features:
            theta, rest = ball(dot(w, x, b)), arb(0)
            t = checker.taylor(s, theta, highest - 1)
            entry = [arb(0)] * (highest - 1)
            for factor, m, (shifts, weights) in zip(c, orders, node.unit, strict=True):
                mus, P = [dot(w, shift, Fraction(0)) for shift in shifts], highest - m
                for q in range(1, P):
                    moment = dot(weights, [mu ** (m + q) for mu in mus], Fraction(0))
                    entry[q - 1] += factor * ball(moment) * t[m + q]
                for mu, weight in zip(mus, weights, strict=True):
                    if mu and weight:
                        far = checker.taylor(s, theta.union(theta + over * ball(mu)), highest)[highest]
                        rest += factor * (powers[P] * far - start**P * far) * ball(weight * mu**highest)
            rests.append(rest)
            for block, value in zip(blocks, entry, strict=True):
                block.append(value)
    return _drift(problem, blocks, factors[: highest - 1], rests)


def leading_power(problem: Problem, node: Node, work: Work, highest: int) -> int:
    """The least q with ``C_q != 0`` by the moments of a term and a feature, or with a term's remainder at ``h^q``."""
    orders = [term.order for term in problem.operator]
    demand(max(orders) < highest, "pieces: derivatives of too high an order")
    most = highest - max(orders)
    count = len(problem.weights) * sum(1 + len(weights) for _, weights in node.unit)
    work.spend(20 * highest * count * (1 + checker.rational_cost(problem.size, highest)))
    for m, (shifts, weights) in zip(orders, node.unit, strict=True):
        for w in problem.weights:
            mus = [dot(w, shift, Fraction(0)) for shift in shifts]
            moments = (dot(weights, [mu ** (m + q) for mu in mus], Fraction(0)) for q in range(1, most))
            most = next((q for q, moment in enumerate(moments, 1) if moment), most)
    return most


def drift_from(problem: Problem, node: Node, low: Fraction, high: Fraction, work: Work, highest: int) -> Drift:
    """``A(h) - A(a)`` for every h in [low, high], a the step of the node, by Taylor's theorem in h."""
    ctx.prec, s, a = STEP_BITS, problem.activation, node.step
    count = len(problem.points) * len(problem.weights) * sum(1 + len(weights) for _, weights in node.unit)
    work.spend(2 * count * (s.cost(highest, STEP_BITS) + 20 * checker.rational_cost(problem.size, 2) + 200))
    span = ball(min(low, a)).union(ball(max(high, a)))
    work.spend(40 * checker.rational_cost(max(map(bits_of, (low - a, high - a))), highest))
    factors = [ball(low - a).union(ball(high - a))]
    for q in range(2, highest + 1):
        least = Fraction(0) if q % 2 == 0 and low < a < high else min((low - a) ** q, (high - a) ** q)
        factors.append(ball(least).union(ball(max((low - a) ** q, (high - a) ** q))))
    blocks: list[list[arb]] = [[] for _ in range(highest - 1)]
    rests = []
    for x in problem.points:
        c = checker.coefficients(problem.operator, problem.names, x)
        for w, b in problem.features:
            theta = dot(w, x, b)
            at = entry_series(problem, node, c, w, theta, ball(a), highest - 1)
            far = entry_series(problem, node, c, w, theta, span, highest)
            rests.append(factors[-1] * far[highest])
            for q, block in enumerate(blocks, 1):
                block.append(at[q])
    return _drift(problem, blocks, factors[:-1], rests)


def entry_series(
    problem: Problem, node: Node, c: list[arb], w: list[Fraction], theta: Fraction, h: arb, order: int
) -> list[arb]:
    """Taylor coefficients of an entry of A as a function of the step, at h."""
    ctx.cap = order + 1
    total = arb_series([0])
    for factor, term, (shifts, weights) in zip(c, problem.operator, node.unit, strict=True):
        part = arb_series([0])
        for shift, weight in zip(shifts, weights, strict=True):
            mu = ball(dot(w, shift, Fraction(0)))
            part = part + ball(weight) * problem.activation({"z": arb_series([ball(theta) + h * mu, mu])})
        scale = arb_series([1])
        for _ in range(term.order):
            scale = scale * arb_series([h, 1])
        total = total + factor * part * checker.reciprocal(scale)
    demand(total.prec > order, "activation: its power series has lost terms")
    return [total[k] for k in range(order + 1)]


def _drift(problem: Problem, blocks: list[list[arb]], factors: list[arb], rests: list[arb]) -> Drift:
    sums = (sum((f * v for f, v in zip(factors, entry, strict=True)), arb(0)) for entry in zip(*blocks, strict=True))
    known, rest = norm(sums), norm(rests)
    demand(known.is_finite() and rest.is_finite(), "pieces: the activation is not bounded on the way")
    below = [arb(0)] * (len(problem.weights) * sum(len(face.points) for face in problem.boundary))  # they do not move
    rows = len(problem.points) + len(below) // len(problem.weights)
    return Drift([arb_mat(rows, len(problem.weights), block + below) for block in blocks], factors, known, rest)


def plus_minus(radius: arb) -> arb:
    """``[-radius, radius]``."""
    size = arb(radius.upper())
    return size.union(-size)
