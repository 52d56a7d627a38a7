"""Re-verifies a proof object of adfd. Standard library and python-flint alone: this file is all there is to read.

Run it as ``python checker.py FILE...``: it prints what is proven, or one line why a file is refused; exit status 0 or 1.
The format and the inequalities are specified in ``docs/certificates.md``; in short:

A file defines, by exact rationals and expressions as JSON trees, features ``phi_j(x) = s(w_j . x + b_j)``, points x_i, a
linear differential operator ``L = sum_g c_g(x) sum_a f_ga d^a`` and boundary rows, and so a real matrix

    ad:        A[i, j] = sum_g c_g(x_i) sum_a f_ga (d^a phi_j)(x_i)
    fd:        A[i, j] = sum_g c_g(x_i) sum_k weight_gk phi_j(x_i + shift_gk)
    boundary:  A[i, j] = sqrt(weight) sum_g c_g(x_i) sum_a f_ga (d^a phi_j)(x_i)   (below the others, in both)

It claims an interval for every singular value ``s_1 >= s_2 >= ...`` of A, and offers a matrix X of dyadic rationals
(approximate left singular vectors). Nothing in X has to be believed. Let A be ``N x M`` with ``N <= M`` (else transpose
it), X be ``N x r``, ``W = A^T X``, ``D = diag(d_1 >= ... >= d_r > 0)`` any positive numbers, Z any matrix, and in balls

    eta >= ||D^-1 W^T W D^-1 - I||_F,     delta >= ||X^T X - I||_F,     rho >= ||A - X Z||_F.

If ``eta < 1`` and ``delta < 1``: (1) ``W D^-1`` has singular values in ``sqrt(1 -+ eta)``, so by Ostrowski's theorem
``s_i(W)`` is in ``d_i sqrt(1 -+ eta)``. (2) With P the orthogonal projector onto the range of X, ``W^T = X^T (P A)`` and
X has singular values in ``sqrt(1 -+ delta)``: ``s_i(P A)^2`` is in ``d_i^2 [(1 - eta)/(1 + delta), (1 + eta)/(1 - delta)]``.
(3) ``(I - P) A = (I - P)(A - X Z)`` has norm at most rho and ``A^T A = (P A)^T (P A) + ((I - P) A)^T (I - P) A``, so
``s_i(P A)^2 <= s_i(A)^2 <= s_i(P A)^2 + rho^2`` for ``i <= r``, and ``s_i(A) <= rho`` for ``i > r``, because P A has rank
at most r. If ``r = N``, ``P = I`` and rho plays no part.

Every inequality is evaluated in FLINT's balls, and an undecided comparison refuses.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from itertools import product
from pathlib import Path
from typing import Any

from flint import arb, arb_mat, arb_series, ctx, fmpq

FORMAT = "adfd certificate, version 2"
MAX_PRECISION, MAX_ORDER, MAX_NUMBER, MAX_EXPONENT = 65_536, 16, 4000, 50_000
MAX_NODES, MAX_DEPTH, MAX_POWER, MAX_ROOT = 2000, 100, 1024, 16
MAX_BYTES, MAX_ITEMS = 400_000_000, 4_000_000
BUDGET, PER_BYTE = 6e6, 200.0
"""Work allowed: about microseconds, as estimated before it is done; so many, and so many a byte of the file."""

Claim = tuple[Fraction, Fraction]
Vectors = list[list[Fraction]]


class RefusedError(Exception):
    """The certificate does not prove its claim; the message is one line."""


def check(certificate: object) -> list[str]:
    """The reasons why a certificate (parsed JSON) is refused; an empty list means that its claim is proven."""
    try:
        verify(certificate)
    except RefusedError as reason:
        return [str(reason)]
    return []


def verify(certificate: object) -> dict[str, Any]:
    """What a certificate (parsed JSON) proves: its statement, method, size, digests and claims.

    Raises:
        RefusedError: nothing else, whatever the certificate is.
    """
    return guarded(_verify, certificate)


def guarded(judge: Callable[[object], dict[str, Any]], certificate: object) -> dict[str, Any]:
    """Runs a check; whatever goes wrong in it proves nothing, and FLINT's precision is put back."""
    before = ctx.prec, ctx.cap
    try:
        return judge(certificate)
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"malformed ({type(error).__name__})") from None
    finally:
        ctx.prec, ctx.cap = before


def _verify(certificate: object) -> dict[str, Any]:
    data = opened(certificate, "singular values", "spectrum")
    problem, work = read_problem(data["problem"]), allowance(data)
    spectrum(problem, data["spectrum"], "spectrum", work)
    return described(data, problem, [data["spectrum"]]) | {"values": list(map(shown, data["spectrum"]["values"]))}


def opened(certificate: object, statement: str, keys: str) -> dict[str, Any]:
    """The object of a file that makes this statement."""
    demand(isinstance(certificate, dict), "a certificate is an object")
    assert isinstance(certificate, dict)
    demand(certificate.get("format") == FORMAT, f"format: not {FORMAT!r}")
    demand(certificate.get("statement") == statement, f"statement: not {statement!r}, which is what is checked here")
    return fields(certificate, "certificate", f"format statement problem {keys}")


def allowance(data: dict[str, Any]) -> Work:
    """The work that a file may ask for."""
    return Work(BUDGET + PER_BYTE * len(canonical(data)))


def described(data: dict[str, Any], problem: Problem, spectra: list[dict[str, Any]]) -> dict[str, Any]:
    """Statement, methods, size and digests."""
    return {
        "statement": data["statement"],
        "method": " and ".join(dict.fromkeys("ad" if s["difference"] is None else "fd" for s in spectra)),
        "rows": len(problem.points) + sum(len(face.points) for face in problem.boundary),
        "columns": len(problem.weights),
        "problem_sha256": digest(data["problem"]),
        "matrix_sha256": " ".join(digest({"problem": data["problem"], "difference": s["difference"]}) for s in spectra),
    }


def shown(claim: dict[str, Any]) -> list[str]:
    """The two bounds of a checked claim as texts."""
    return [f"{mantissa}e{exponent}" for mantissa, exponent in (claim["lower"], claim["upper"])]


def canonical(data: object) -> str:
    """The one spelling of JSON data that is hashed: sorted keys, no spaces, ASCII."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(data: object) -> str:
    """SHA-256 of :func:`canonical`."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()


class Work:
    """What is left of the work allowed."""

    def __init__(self, allowed: float) -> None:
        self.left = allowed

    def spend(self, units: float) -> None:
        """Refuses *before* the work is done if it is too much."""
        self.left -= units
        demand(self.left >= 0, "budget: more work than a file of this size may ask for")


# ---- singular values


def spectrum(problem: Problem, data: Any, what: str, work: Work, more: str = "") -> list[Claim]:
    """The claims of ``{difference, precision, vectors, values}``, all proven."""
    data = fields(data, what, "difference precision vectors values " + more)
    ctx.prec = precision = integer(data["precision"], f"{what}.precision", 32, MAX_PRECISION)
    claims = [interval(claim, f"{what}.values") for claim in listed(data["values"], f"{what}.values")]
    A = matrix(problem, read_difference(data["difference"], problem, work), precision, work)
    A = A.transpose() if A.nrows() > A.ncols() else A
    N, M = A.nrows(), A.ncols()
    demand(len(claims) == N, f"{what}.values: {len(claims)} are claimed, the matrix has {N}")
    X, longest = vectors(data["vectors"], N)
    work.spend(0.3 * N * (M + N) * (X.ncols() + 1) * (1 + (max(precision, longest) / 500) ** 1.6))
    lower, upper, rest = proven(A, X)
    for i, (low, high) in enumerate(claims):
        if i < len(lower):
            demand(ball(low) <= lower[i], f"{what}.values[{i}].lower: not proven to be a lower bound")
            demand(upper[i] <= ball(high), f"{what}.values[{i}].upper: not proven to be an upper bound")
        else:
            demand(low <= 0, f"{what}.values[{i}].lower: nothing but 0 is proven beyond the {len(lower)} vectors")
            demand(rest <= ball(high), f"{what}.values[{i}].upper: not proven to be an upper bound")
    return claims


def proven(A: arb_mat, X: arb_mat) -> tuple[list[arb], list[arb], arb]:
    """Bounds of ``s_1 >= ... >= s_r`` from below and above, and of all others, as in the proof above."""
    N, r = A.nrows(), X.ncols()
    if r == 0:
        return [], [], norm(A.entries())
    W = A.transpose() * X
    XX = X.transpose() * X
    d, eta, delta = defects(W, XX)
    rho = arb(0)
    if r < N:
        Z = XX.mid().inv() * W.transpose().mid()
        rho = norm((A - X * Z.mid()).entries())
    d.sort(key=cmp_to_key(descending))
    lower = [x * ((1 - eta) / (1 + delta)).sqrt() for x in d]
    upper = [(x * x * (1 + eta) / (1 - delta) + rho * rho).sqrt() for x in d]
    return lower, upper, rho


def defects(W: arb_mat, XX: arb_mat) -> tuple[list[arb], arb, arb]:
    """D, eta and delta, from the images of X and from X'X."""
    r = XX.ncols()
    WW = (W.transpose() * W).tolist()
    demand(all(WW[j][j].is_finite() and WW[j][j].mid() > 0 for j in range(r)), "vectors: a column has no image")
    d = [WW[j][j].mid().sqrt().mid() for j in range(r)]  # exact, so that D is an exact matrix
    eta = norm([WW[i][j] / d[i] / d[j] - (i == j) for i in range(r) for j in range(r)])
    delta = norm([x - (k % (r + 1) == 0) for k, x in enumerate(XX.entries())])
    demand(eta < 1, f"vectors: their images are not proven independent (eta = {eta.str(5)}); more precision may help")
    demand(delta < 1, f"vectors: not proven nearly orthonormal (delta = {delta.str(5)})")
    return d, eta, delta


def descending(a: arb, b: arb) -> int:
    """The order of two exact numbers, whose comparison is always decided."""
    return int(a < b) - int(a > b)


def norm(entries: Iterable[arb]) -> arb:
    """An exact upper bound of the root of the sum of squares."""
    return sum((x.abs_upper() * x.abs_upper() for x in entries), arb(0)).sqrt().upper()


# ---- the problem, and its matrix


@dataclass(frozen=True)
class Term:
    """``c(x) sum_a f_a d^a``."""

    coefficient: Expression
    parts: dict[tuple[int, ...], Fraction]

    @property
    def order(self) -> int:
        return max(map(sum, self.parts))


@dataclass(frozen=True)
class Face:
    """Boundary rows: points, weight, operator."""

    points: Vectors
    weight: Fraction
    operator: list[Term]


@dataclass(frozen=True)
class Problem:
    """What a file's ``problem`` says."""

    names: list[str]
    activation: Expression
    weights: Vectors
    biases: list[Fraction]
    operator: list[Term]
    points: Vectors
    boundary: list[Face]
    size: int  # bits of the longest number

    @property
    def features(self) -> list[tuple[list[Fraction], Fraction]]:
        return list(zip(self.weights, self.biases, strict=True))


def read_problem(data: Any) -> Problem:
    """The problem, refused unless every part is as specified."""
    data = fields(data, "problem", "variables activation weights biases operator points boundary")
    names = [text(v, "variables") for v in listed(data["variables"], "variables")]
    demand(0 < len(names) == len(set(names)) and set(names) <= set("xyzt"), "variables: some of x, y, z, t")
    w = [point(v, names, "weights") for v in listed(data["weights"], "weights")]
    b = [rational(v, "biases") for v in listed(data["biases"], "biases")]
    demand(len(w) == len(b) > 0, "biases: one for each weight, and at least one")
    points = [point(x, names, "points") for x in listed(data["points"], "points")]
    faces = []
    for rows in listed(data["boundary"], "boundary"):
        face = fields(rows, "boundary", "points weight operator")
        xs = [point(x, names, "boundary.points") for x in listed(face["points"], "boundary.points")]
        weight = rational(face["weight"], "boundary.weight")
        demand(weight >= 0, "boundary.weight: must not be negative")
        demand(bool(xs), "boundary.points: empty")
        faces.append(Face(xs, weight, terms(face["operator"], names)))
    demand(len(points) + len(faces) > 0, "points: there are none")
    numbers = (v for x in [*w, *points, b, *(x for f in faces for x in f.points)] for v in x)
    s = Expression(data["activation"], ["z"], "activation")
    return Problem(names, s, w, b, terms(data["operator"], names), points, faces, max(map(bits_of, numbers)))


def terms(data: Any, names: list[str]) -> list[Term]:
    """An operator: at least one term, each with at least one derivative, none of them twice."""
    found = []
    for term in listed(data, "operator"):
        named = fields(term, "operator", "coefficient derivatives")
        parts: dict[tuple[int, ...], Fraction] = {}
        for part in listed(named["derivatives"], "derivatives"):
            one = fields(part, "derivatives", "orders factor")
            a = tuple(integer(m, "orders", 0, MAX_ORDER) for m in listed(one["orders"], "orders"))
            demand(len(a) == len(names) and sum(a) <= MAX_ORDER, f"orders: one a variable, {MAX_ORDER} in all")
            demand(a not in parts, "derivatives: one is given twice")
            parts[a] = rational(one["factor"], "factor")
            demand(parts[a] != 0, "factor: 0")
        demand(bool(parts), "derivatives: there are none")
        found.append(Term(Expression(named["coefficient"], names, "coefficient"), parts))
    demand(bool(found), "operator: it has no terms")
    return found


Difference = list[tuple[Vectors, list[Fraction]]]


def read_difference(data: Any, problem: Problem, work: Work) -> Difference | None:
    """Shifts and weights for each term of the operator; ``null`` stands for automatic differentiation."""
    if data is None:
        return None
    found = []
    demand(len(listed(data, "difference")) == len(problem.operator), "difference: one for each term of the operator")
    for one, term in zip(data, problem.operator, strict=True):
        named = fields(one, "difference", "shifts weights")
        shifts = [point(v, problem.names, "shifts") for v in listed(named["shifts"], "shifts")]
        weights = [rational(v, "weights") for v in listed(named["weights"], "weights")]
        demand(len(shifts) == len(weights) > 0, "shifts: one for each weight, and at least one")
        demand(len(set(map(tuple, shifts))) == len(shifts), "shifts: one is given twice")
        consistent(term, shifts, weights, work)
        found.append((shifts, weights))
    return found


def consistent(term: Term, shifts: Vectors, weights: list[Fraction], work: Work) -> None:
    """The weights do discretise the term: they are exact on polynomials up to its order."""
    order, d = term.order, len(shifts[0])
    size = max(bits_of(v) for v in [*weights, *(v for shift in shifts for v in shift)])
    work.spend((order + 1) ** d * (1 + len(shifts) * d * (5 + (size * (order + 1) / 500) ** 1.6)))
    for a in product(range(order + 1), repeat=d):
        if sum(a) <= order:
            moment = dot(weights, [monomial(shift, a) for shift in shifts], Fraction(0))
            wanted = term.parts.get(a, 0) * math.prod(map(math.factorial, a))
            demand(moment == wanted, f"weights: not a consistent difference for the term (moment {a})")


def matrix(problem: Problem, difference: Difference | None, precision: int, work: Work) -> arb_mat:
    """A in balls."""
    build = derivative_rows(problem, problem.operator, precision, work, len(problem.points))
    if difference is not None:
        build = difference_rows(problem, difference, precision, work)
    flat = [a for x in problem.points for a in build(x)]
    for face in problem.boundary:
        build = derivative_rows(problem, face.operator, precision, work, len(face.points))
        ctx.prec = precision + 20
        root = ball(face.weight).sqrt()
        flat += [root * a for x in face.points for a in build(x)]
    demand(all(a.is_finite() for a in flat), "matrix: an entry is not finite")
    ctx.prec = precision
    return arb_mat(len(flat) // len(problem.weights), len(problem.weights), flat)


Row = Callable[[list[Fraction]], list[arb]]


def derivative_rows(problem: Problem, operator: list[Term], precision: int, work: Work, rows: int) -> Row:
    """``sum_g c_g(x) sum_a f_ga w^a s^(|a|)(w . x + b)``: derivatives of s as Taylor coefficients."""
    bits, order = precision + 20, max(term.order for term in operator)
    work.spend(rows * len(problem.weights) * (problem.activation.cost(order, bits) + rational_cost(problem.size, 1)))
    work.spend(rows * sum(term.coefficient.cost(0, bits) + 5 * len(problem.weights) for term in operator))
    flat = [(g, sum(a), a, f) for g, term in enumerate(operator) for a, f in term.parts.items()]
    work.spend(len(problem.weights) * len(flat) * (4 * rows + rational_cost(problem.size, order + 1)))
    ctx.prec = bits
    scales = [[ball(f * monomial(w, a) * math.factorial(k)) for _, k, a, f in flat] for w in problem.weights]

    def row(x: list[Fraction]) -> list[arb]:
        ctx.prec = bits
        c = coefficients(operator, problem.names, x)
        entries = []
        for (w, b), scale in zip(problem.features, scales, strict=True):
            t = taylor(problem.activation, ball(dot(w, x, b)), order)
            entries.append(dot([c[g] * t[k] for g, k, _, _ in flat], scale, arb(0)))
        return entries

    return row


def difference_rows(problem: Problem, difference: Difference, precision: int, work: Work) -> Row:
    """``sum_g c_g(x) sum_k weight_gk s(w . (x + shift_gk) + b)``, with the bits that large weights cost."""
    largest = max(max(map(abs, weights)) for _, weights in difference)
    bits = precision + 20 + max(0, largest.numerator.bit_length() - largest.denominator.bit_length() + 1)
    demand(bits <= 2 * MAX_PRECISION, "difference.weights: too large")
    size = max(problem.size, *(bits_of(v) for shifts, _ in difference for shift in shifts for v in shift))
    nodes = sum(len(weights) for _, weights in difference)
    each = problem.activation.cost(0, bits) + rational_cost(size, 2) + 4
    work.spend(len(problem.points) * len(problem.weights) * nodes * each)
    work.spend(len(problem.points) * sum(term.coefficient.cost(0, bits) for term in problem.operator))
    ctx.prec = bits
    parts = [(shifts, list(map(ball, weights))) for shifts, weights in difference]

    def row(x: list[Fraction]) -> list[arb]:
        ctx.prec = bits
        c = coefficients(problem.operator, problem.names, x)
        entries = []
        for w, b in problem.features:
            centre = dot(w, x, b)
            sums = [
                dot(v, [problem.activation({"z": ball(dot(w, d, centre))}) for d in shifts], arb(0))
                for shifts, v in parts
            ]
            entries.append(dot(c, sums, arb(0)))
        return entries

    return row


def coefficients(operator: list[Term], names: list[str], x: list[Fraction]) -> list[arb]:
    ctx.cap = 1
    values = {name: ball(v) for name, v in zip(names, x, strict=True)}
    return [term.coefficient(values) for term in operator]


def taylor(s: Expression, u: arb, order: int) -> list[arb]:
    """``s^(k)(u) / k!`` for k up to the order, by arithmetic of power series."""
    ctx.cap = order + 1
    series = s({"z": arb_series([u, 1])})
    if not isinstance(series, arb_series):  # s does not depend on z
        return [series] + [arb(0)] * order
    demand(series.prec > order, "activation: its power series has lost terms")
    return [series[k] for k in range(order + 1)]


def monomial(x: Sequence[Fraction], a: Sequence[int]) -> Fraction:
    return math.prod((xi**m for xi, m in zip(x, a, strict=True)), start=Fraction(1))


def dot(x: Sequence[Any], y: Sequence[Any], start: Any) -> Any:
    return sum((a * b for a, b in zip(x, y, strict=True)), start)


def rational_cost(size: int, degree: int) -> float:
    """The work of an operation on rationals of so many bits, ``degree`` times as long."""
    return 5 + math.pow(size * degree / 500, 1.6)


# ---- expressions: JSON trees such as  ["product", ["variable", "z"], ["exp", ["power", ["variable", "z"], "2"]]]


class Expression:
    """A function of the named variables, in balls or power series."""

    def __init__(self, tree: Any, names: list[str], what: str) -> None:
        self.names, self.what, self.tree = names, what, tree
        self.functions = self.others = 0
        self._read(tree, 0)

    def _read(self, node: Any, depth: int) -> None:
        demand(isinstance(node, list) and bool(node), f"{self.what}: an expression is a list that begins with a name")
        demand(depth <= MAX_DEPTH, f"{self.what}: nested deeper than {MAX_DEPTH}")
        match node:
            case ["number", value]:
                rational(value, self.what)
            case ["variable", name]:
                demand(name in self.names, f"{self.what}: variables are {', '.join(self.names)}")
            case ["pi"]:
                pass
            case ["sum" | "product", _, _, *_]:
                for part in node[1:]:
                    self._read(part, depth + 1)
            case ["power", base, value]:
                n = rational(value, self.what)
                demand(0 < abs(n) <= MAX_POWER and n.denominator <= MAX_ROOT, f"{self.what}: an exponent out of range")
                self._read(base, depth + 1)
                self.functions += 1
            case [str() as name, argument] if name in FUNCTIONS:
                self._read(argument, depth + 1)
                self.functions += 4 if name == "erf" else 1
            case _:
                raise RefusedError(f"{self.what}: {canonical(node)[:60]} is not allowed in an expression")
        self.others += max(1, len(node) - 2)
        demand(self.functions + self.others <= MAX_NODES, f"{self.what}: more than {MAX_NODES} parts")

    def cost(self, order: int, bits: int) -> float:
        """An estimate of the work of one evaluation with so many derivatives."""
        return (
            self.functions * (40 + 15 * order) * (1 + math.pow(bits / 400, 1.6))
            + self.others * math.pow(order + 1, 1.5) * (3 + bits / 200)
        )  # fmt: skip

    def __call__(self, values: dict[str, Any]) -> Any:
        return self._value(self.tree, values)

    def _value(self, node: list[Any], values: dict[str, Any]) -> Any:
        match node:
            case ["number", value]:
                return ball(Fraction(value))
            case ["variable", name]:
                return values[name]
            case ["pi"]:
                return arb.pi()
            case ["sum", first, *rest]:
                return sum((self._value(part, values) for part in rest), self._value(first, values))
            case ["product", first, *rest]:
                return math.prod((self._value(part, values) for part in rest), start=self._value(first, values))
            case ["power", base, value]:
                return power(self._value(base, values), Fraction(value))
            case [name, argument]:
                u = self._value(argument, values)
                return FUNCTIONS[name](u if name in UNBOUNDED else bounded(u))
        raise AssertionError


def power(base: Any, exponent: Fraction) -> Any:
    """``base^(p/q)``: by multiplication for q = 1 (``arb(0, 1)**2`` would be nan), else of a positive base."""
    if exponent.denominator > 1:
        if ctx.cap == 1 and at(base) == 0 and exponent > 0:  # a value alone; a root of zero has no derivative
            return arb(0)
        demand(at(base) > 0, "expression: a root of what is not proven positive")
        if exponent.denominator == 2:
            return power(base.sqrt(), Fraction(exponent.numerator))
        return bounded(base.log() * ball(exponent)).exp()
    n, result, square = abs(int(exponent)), arb(1), base
    while n:
        result = result * square if n % 2 else result
        square, n = square * square if n > 1 else square, n // 2
    return result if exponent > 0 else reciprocal(result)


def at(u: Any) -> arb:
    """The value of a power series at its point."""
    return u[0] if isinstance(u, arb_series) else u


def bounded(u: Any) -> Any:
    """An argument that a function is evaluated at: beyond 2^31 it would be work, or out of range."""
    demand(abs(at(u)) <= 2**31, "expression: an argument beyond 2^31")
    return u


def reciprocal(u: Any) -> Any:
    """``1 / u`` where u is not 0 at the point: a quotient of series that both vanish there has lost terms."""
    demand(at(u) > 0 or at(u) < 0, "expression: a division by zero")
    return 1 / u


def logarithm(u: Any) -> Any:
    demand(at(u) > 0, "expression: a logarithm of what is not proven positive")
    return u.log()


def step(u: Any) -> arb:
    """1 where u > 0, 0 where u <= 0: constant near every point, which is how automatic differentiation takes it."""
    demand(at(u) > 0 or at(u) <= 0, "activation: a kink is met, and its side is not decided")
    return arb(1) if at(u) > 0 else arb(0)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sin": lambda u: u.sin(),
    "cos": lambda u: u.cos(),
    "tan": lambda u: u.sin() * reciprocal(u.cos()),
    "exp": lambda u: u.exp(),
    "log": logarithm,
    "atan": lambda u: u.atan(),
    "erf": lambda u: u.erf(),
    "sinh": lambda u: (u.exp() - (-u).exp()) / 2,
    "cosh": lambda u: (u.exp() + (-u).exp()) / 2,
    "tanh": lambda u: 1 - 2 / ((2 * u).exp() + 1),
    "asinh": lambda u: (u + (u * u + 1).sqrt()).log(),
    "step": step,
}
UNBOUNDED = ("log", "atan", "asinh", "step")


# ---- reading


def vectors(data: Any, rows: int) -> tuple[arb_mat, int]:
    """X, a list of columns of hexadecimal integers with one binary exponent each; and the bits of the longest."""
    columns, table, longest = listed(data, "vectors"), [], 0
    demand(len(columns) <= rows, f"vectors: {len(columns)} columns for {rows} rows")
    for column in columns:
        named = fields(column, "vectors", "exponent mantissas")
        e = integer(named["exponent"], "vectors.exponent", -4 * MAX_PRECISION, 4 * MAX_PRECISION)
        digits = [text(m, "vectors.mantissas") for m in listed(named["mantissas"], "vectors.mantissas")]
        demand(len(digits) == rows, f"vectors: a column of {len(digits)} numbers for {rows} rows")
        demand(all(re.fullmatch("0|-?[1-9a-f][0-9a-f]{0,39999}", m) for m in digits), "vectors.mantissas: hexadecimal")
        table.append([arb((int(m, 16), e)) for m in digits])
        longest = max(longest, 4 * max(map(len, digits)))
    return arb_mat(rows, len(table), [column[i] for i in range(rows) for column in table]), longest


def demand(condition: bool, reason: str) -> None:
    """Refuses unless the condition is True; an undecided comparison of balls is False."""
    if condition is not True:
        raise RefusedError(reason)


def fields(data: Any, what: str, names: str) -> dict[str, Any]:
    demand(isinstance(data, dict) and set(data) == set(names.split()), f"{what}: exactly the keys {names.strip()}")
    return dict(data)


def listed(data: Any, what: str) -> list[Any]:
    demand(isinstance(data, list), f"{what}: a list")
    return list(data)


def text(data: Any, what: str) -> str:
    demand(isinstance(data, str), f"{what}: a text")
    return str(data)


def integer(data: Any, what: str, low: int, high: int) -> int:
    demand(type(data) is int and low <= data <= high, f"{what}: an integer from {low} to {high}")
    return int(data)


def rational(data: Any, what: str) -> Fraction:
    """``"p"`` or ``"p/q"`` in lowest terms, q > 1: one spelling for each number."""
    demand(isinstance(data, str) and len(data) <= MAX_NUMBER, f"{what}: numbers are texts such as '-1/3'")
    demand(re.fullmatch(r"-?[0-9]+(/[0-9]+)?", data) is not None, f"{what}: {data[:40]!r} is not a number")
    demand(data.partition("/")[2].strip("0") != "" or "/" not in data, f"{what}: {data[:40]!r} divides by zero")
    demand(str(Fraction(data)) == data, f"{what}: {data[:40]!r} is not in lowest terms")
    return Fraction(data)


def decimal(data: Any, what: str) -> Fraction:
    """``["p", e]``: p times 10^e, p not a multiple of 10 (or 0, and then e = 0)."""
    demand(isinstance(data, list) and len(data) == 2, f"{what}: bounds are pairs such as ['-123', -5]")
    mantissa, exponent = text(data[0], what), data[1]
    demand(re.fullmatch("0|-?[1-9][0-9]{0,3999}", mantissa) is not None, f"{what}: {mantissa[:40]!r} is no integer")
    e = integer(exponent, what, -MAX_EXPONENT, MAX_EXPONENT)
    demand(mantissa[-1] != "0" or (mantissa == "0" and e == 0), f"{what}: a mantissa that ends in 0")
    return Fraction(int(mantissa)) * Fraction(10) ** e


def interval(data: Any, what: str) -> Claim:
    named = fields(data, what, "lower upper")
    return decimal(named["lower"], f"{what}.lower"), decimal(named["upper"], f"{what}.upper")


def point(data: Any, names: list[str], what: str) -> list[Fraction]:
    coordinates = [rational(v, what) for v in listed(data, what)]
    demand(len(coordinates) == len(names), f"{what}: one number a variable")
    return coordinates


def ball(value: Fraction) -> arb:
    """A ball around a rational, at the precision in force."""
    return arb(fmpq(value.numerator, value.denominator))


def exact(value: arb) -> Fraction:
    """The rational that a ball without radius is."""
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def bits_of(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def read(path: str | Path) -> Any:
    """The JSON of a file: no key twice in an object, no floats, no constants, every integer in one spelling.

    Raises:
        RefusedError: anything else.
    """
    try:
        demand(Path(path).stat().st_size <= MAX_BYTES, f"more than {MAX_BYTES} bytes")
        content = Path(path).read_text(encoding="utf-8")
        demand(sum(map(content.count, ",[{")) <= MAX_ITEMS, f"more than {MAX_ITEMS} items")
        return json.loads(
            content, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_no_number, parse_int=_integer
        )
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"not readable as JSON ({type(error).__name__})") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    demand(len(found) == len(pairs), "a key is given twice in one object")
    return found


def _no_number(name: str) -> Any:
    raise RefusedError(f"{name[:20]}: numbers are integers and texts")


def _integer(digits: str) -> int:
    demand(len(digits) <= 12 and str(int(digits)) == digits, f"{digits[:20]}: not an integer as they are written here")
    return int(digits)


def check_file(path: str | Path) -> list[str]:
    """:func:`check` for a file of JSON text."""
    try:
        verify(read(path))
    except RefusedError as reason:
        return [str(reason)]
    return []


def summary(found: dict[str, Any]) -> str:
    """What is proven, in lines."""
    lines = [f"  {name.replace('_', ' ')}: {value}" for name, value in found.items() if name != "values"]
    return "\n".join([*lines, *(f"  s_{k} in [{a}, {b}]" for k, (a, b) in enumerate(found.get("values", []), 1))])


def main(arguments: Sequence[str], judge: Callable[[object], dict[str, Any]] = verify) -> int:
    """Checks the files named; 0 if all are accepted, 1 if one is refused, 2 without a file."""
    if not arguments:
        print("usage: python checker.py FILE...", file=sys.stderr)
        return 2
    status = 0
    for path in arguments:
        try:
            print(f"accepted: {path}\n{summary(judge(read(path)))}")
        except RefusedError as reason:
            print(f"refused: {path}: {reason}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
