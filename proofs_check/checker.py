"""Re-verifies a certificate of singular values. Standard library and python-flint alone: this file is all there is
to read. Run it as ``python checker.py FILE``; it prints ``accepted`` or one line a reason, exit status 0 or 1.

What a certificate says. The file holds exact rationals: features ``w_j, b_j``, points ``x_i``, and a linear
differential operator ``L = sum_a c_a(x) d^a`` (method ``ad``) or finite-difference weights (method ``fd``), an
activation ``s(z)`` and boundary rows. They *define* a real matrix

    ad:        A[i, j] = sum_a c_a(x_i) (d^a phi_j)(x_i),              phi_j(x) = s(w_j . x + b_j),
    fd:        A[i, j] = sum_t c_t(x_i) / scale_t  sum_k weight_tk  phi_j(x_i + shift_tk),
    boundary:  A[i, j] = sqrt(weight) sum_a c_a(x_i) (d^a phi_j)(x_i)  (below the interior rows, in both methods).

It claims an interval for every singular value ``s_1 >= s_2 >= ...`` of A, and offers a matrix X of dyadic rationals
(approximate left singular vectors). Nothing in X has to be believed.

Why the check is a proof. Let ``A`` be ``N x M`` with ``N <= M`` (else transpose it), X be ``N x r``, ``W = A^T X``,
D = diag(d_1 >= ... >= d_r > 0) any positive numbers, and in balls

    eta >= ||D^-1 W^T W D^-1 - I||_F,     delta >= ||X^T X - I||_F,     rho >= ||A - X Z||_F   for any matrix Z.

If ``eta < 1`` and ``delta < 1``: (1) ``W D^-1`` has singular values in ``sqrt(1 -+ eta)``, so by Ostrowski's theorem
``s_i(W)`` is in ``d_i sqrt(1 -+ eta)``. (2) With P the orthogonal projector onto the range of X,
``W^T = X^T (P A)`` and X has singular values in ``sqrt(1 -+ delta)``, so
``s_i(P A)^2`` is in ``d_i^2 [(1 - eta) / (1 + delta), (1 + eta) / (1 - delta)]``. (3) ``(I - P) A = (I - P)(A - X Z)``
has norm at most rho, and ``A^T A = (P A)^T (P A) + ((I - P) A)^T (I - P) A``, so
``s_i(P A)^2 <= s_i(A)^2 <= s_i(P A)^2 + rho^2`` for ``i <= r``; for ``i > r``, ``s_i(A) <= rho`` because ``P A`` has
rank at most r. If ``r = N``, ``P = I`` and rho plays no part. Every inequality is evaluated in FLINT's balls; an
undecided comparison is False and refuses.
"""

from __future__ import annotations

import ast
import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cmp_to_key
from itertools import product
from pathlib import Path
from typing import Any

from flint import arb, arb_mat, arb_series, ctx, fmpq

FORMAT = "adfd certificate of singular values, version 1"
MAX_ENTRIES, MAX_PRECISION, MAX_ORDER, MAX_TEXT, MAX_EXPONENT = 1_000_000, 100_000, 16, 4000, 50_000


class RefusedError(Exception):
    """The certificate does not prove its claim; the message is one line."""


def check(certificate: object) -> list[str]:
    """The reasons why a certificate (parsed JSON) is refused; an empty list means that its claim is proven."""
    before = ctx.prec, ctx.cap
    try:
        verify(certificate)
    except RefusedError as reason:
        return [str(reason)]
    except (RecursionError, MemoryError, OverflowError, ValueError, TypeError, KeyError, ZeroDivisionError) as error:
        return [f"malformed: {type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else 'no detail'}"]
    finally:
        ctx.prec, ctx.cap = before
    return []


def verify(certificate: object) -> None:
    """Raises :class:`RefusedError` unless the claim is proven."""
    names = "format method activation variables weights biases interior boundary precision vectors values"
    data = fields(certificate, "certificate", names)
    demand(data["format"] == FORMAT, f"format: this checker reads {FORMAT!r}")
    ctx.prec = precision = integer(data["precision"], "precision", 2, MAX_PRECISION)
    claims = [fields(claim, "values", "lower upper") for claim in listed(data["values"], "values")]
    A = matrix(data, precision)
    if A.nrows() > A.ncols():
        A = A.transpose()
    N = A.nrows()
    demand(len(claims) == N, f"values: {len(claims)} are claimed, the matrix has {N}")
    lower, upper, rest = proven(A, vectors(data["vectors"], N))
    for i, claim in enumerate(claims):
        low, high = rational(claim["lower"], "values.lower"), rational(claim["upper"], "values.upper")
        if i < len(lower):
            demand(ball(low) <= lower[i], f"values[{i}].lower: not proven to be a lower bound")
            demand(upper[i] <= ball(high), f"values[{i}].upper: not proven to be an upper bound")
        else:
            demand(low <= 0, f"values[{i}].lower: nothing but 0 is proven beyond the {len(lower)} vectors")
            demand(rest <= ball(high), f"values[{i}].upper: not proven to be an upper bound")


def proven(A: arb_mat, X: arb_mat) -> tuple[list[arb], list[arb], arb]:
    """Bounds of ``s_1 >= ... >= s_r`` from below and above, and of all others, as in the proof above."""
    N, r = A.nrows(), X.ncols()
    if r == 0:
        return [], [], norm(A.entries())
    W = A.transpose() * X
    WW, XX = (W.transpose() * W).tolist(), X.transpose() * X
    demand(all(WW[j][j].is_finite() and WW[j][j].mid() > 0 for j in range(r)), "vectors: a column has no image")
    d = [WW[j][j].mid().sqrt().mid() for j in range(r)]  # exact, so that D is an exact matrix
    eta = norm([WW[i][j] / d[i] / d[j] - (i == j) for i in range(r) for j in range(r)])
    delta = norm([x - (k % (r + 1) == 0) for k, x in enumerate(XX.entries())])
    demand(eta < 1, f"vectors: their images are not proven independent (eta = {eta.str(5)}); more precision may help")
    demand(delta < 1, f"vectors: not proven nearly orthonormal (delta = {delta.str(5)})")
    rho = arb(0)
    if r < N:
        Z = XX.mid().inv() * W.transpose().mid()
        rho = norm((A - X * Z.mid()).entries())
    d.sort(key=cmp_to_key(descending))
    lower = [x * ((1 - eta) / (1 + delta)).sqrt() for x in d]
    upper = [(x * x * (1 + eta) / (1 - delta) + rho * rho).sqrt() for x in d]
    return lower, upper, rho


def descending(a: arb, b: arb) -> int:
    """The order of two exact numbers, whose comparison is always decided."""
    return int(a < b) - int(a > b)


def norm(entries: Sequence[arb]) -> arb:
    """An exact upper bound of the root of the sum of squares."""
    return sum((x.abs_upper() * x.abs_upper() for x in entries), arb(0)).sqrt().upper()


# ---- the matrix, from the rationals in the file


def matrix(data: dict[str, Any], precision: int) -> arb_mat:
    """A in balls."""
    names = [text(v, "variables") for v in listed(data["variables"], "variables")]
    demand(0 < len(names) == len(set(names)) and set(names) <= set("xyzt"), "variables: some of x, y, z, t")
    w = [point(v, names, "weights") for v in listed(data["weights"], "weights")]
    b = [rational(v, "biases") for v in listed(data["biases"], "biases")]
    demand(len(w) == len(b) > 0, "biases: one for each weight, and at least one")
    s = Expression(data["activation"], ["z"], "activation")
    demand(data["method"] in ("ad", "fd"), "method: ad or fd")
    interior = fields(data["interior"], "interior", "points terms")
    points = [point(x, names, "interior.points") for x in listed(interior["points"], "interior.points")]
    blocks = [(points, Fraction(1), listed(interior["terms"], "terms"), data["method"] == "fd")]
    for rows in listed(data["boundary"], "boundary"):
        face = fields(rows, "boundary", "points weight terms")
        xs = [point(x, names, "boundary.points") for x in listed(face["points"], "boundary.points")]
        blocks.append((xs, rational(face["weight"], "boundary.weight"), listed(face["terms"], "terms"), False))
    count = sum(len(block[0]) for block in blocks)
    demand(
        0 < count * len(w) <= MAX_ENTRIES, f"points: {count} rows of {len(w)} features; at most {MAX_ENTRIES} entries"
    )
    flat: list[arb] = []
    for xs, weight, terms, differences in blocks:
        demand(weight >= 0, "boundary.weight: must not be negative")
        build = difference_rows if differences else derivative_rows
        rows_of = build(terms, s, w, b, names, precision)
        root = ball(weight).sqrt()
        for x in xs:
            flat += rows_of(x) if weight == 1 else [root * a for a in rows_of(x)]
    demand(all(a.is_finite() for a in flat), "matrix: an entry is not finite")
    ctx.prec = precision
    return arb_mat(count, len(w), flat)


Row = Callable[[list[Fraction]], list[arb]]
Vectors = list[list[Fraction]]


def derivative_rows(terms: list[Any], s: Expression, w: Vectors, b: list[Fraction], names: list[str], bits: int) -> Row:
    """``sum_a c_a(x) w^a s^(|a|)(w . x + b)``: derivatives of s as Taylor coefficients, by power series arithmetic."""
    read = [fields(t, "term", "derivative coefficient") for t in terms]
    alphas = [multi_index(t["derivative"], names) for t in read]
    c = [Expression(t["coefficient"], names, "coefficient") for t in read]
    order = max(map(sum, alphas), default=0)
    ctx.prec = bits + 20
    powers = [[ball(monomial(wj, a) * math.factorial(sum(a))) for a in alphas] for wj in w]

    def row(x: list[Fraction]) -> list[arb]:
        ctx.prec, ctx.cap = bits + 20, order + 1
        factors = [f({name: ball(v) for name, v in zip(names, x, strict=True)}) for f in c]
        entries = []
        for wj, bj, pj in zip(w, b, powers, strict=True):
            u = ball(dot(wj, x, bj))
            taylor = s({"z": arb_series([u, 1])})
            if not isinstance(taylor, arb_series):  # s does not depend on z
                taylor = arb_series([taylor])
            demand(taylor.prec > order, "activation: its power series has lost terms")
            t = [taylor[k] for k in range(order + 1)]
            entries.append(dot(factors, [p * t[sum(a)] for p, a in zip(pj, alphas, strict=True)], arb(0)))
        return entries

    return row


def difference_rows(terms: list[Any], s: Expression, w: Vectors, b: list[Fraction], names: list[str], bits: int) -> Row:
    """``sum_t c_t(x) / scale_t sum_k weight_tk s(w . (x + shift_tk) + b)``, with the bits that 1/scale_t costs."""
    read = [fields(t, "term", "target coefficient shifts weights scale") for t in terms]
    c = [Expression(t["coefficient"], names, "coefficient") for t in read]
    stencils = []
    for t in read:
        shifts = [point(v, names, "shifts") for v in listed(t["shifts"], "shifts")]
        scale = rational(t["scale"], "scale")
        demand(scale > 0, "scale: must be positive")
        weights = [rational(v, "weights") / scale for v in listed(t["weights"], "weights")]
        demand(len(shifts) == len(weights) > 0, "shifts: one for each weight, and at least one")
        consistent(t["target"], shifts, weights, names)
        stencils.append((shifts, weights))
    largest = max((abs(v) for _, weights in stencils for v in weights), default=Fraction(1))
    bits += 20 + max(0, largest.numerator.bit_length() - largest.denominator.bit_length() + 1)
    demand(bits <= 2 * MAX_PRECISION, "scale: too small")
    ctx.prec = bits
    parts = [(shifts, [ball(v) for v in weights]) for shifts, weights in stencils]

    def row(x: list[Fraction]) -> list[arb]:
        ctx.prec = bits
        factors = [f({name: ball(v) for name, v in zip(names, x, strict=True)}) for f in c]
        entries = []
        for wj, bj in zip(w, b, strict=True):
            centre = dot(wj, x, bj)
            sums = [dot(v, [s({"z": ball(dot(wj, d, centre))}) for d in shifts], arb(0)) for shifts, v in parts]
            entries.append(dot(factors, sums, arb(0)))
        return entries

    return row


def consistent(target: Any, shifts: Vectors, weights: list[Fraction], names: list[str]) -> None:
    """The weights do discretise the target ``sum factor d^a``: they are exact on polynomials up to its order."""
    wanted: dict[tuple[int, ...], Fraction] = {}
    for part in listed(target, "target"):
        named = fields(part, "target", "derivative factor")
        a = multi_index(named["derivative"], names)
        demand(a not in wanted, "target: a derivative is given twice")
        wanted[a] = rational(named["factor"], "factor") * math.prod(map(math.factorial, a))
    demand(bool(wanted), "target: empty")
    order = max(map(sum, wanted))
    for a in product(range(order + 1), repeat=len(names)):
        moment = dot(weights, [monomial(shift, a) for shift in shifts], Fraction(0)) if sum(a) <= order else 0
        demand(moment == wanted.get(a, 0), f"weights: not a consistent difference for the target (moment {a})")


def multi_index(data: Any, names: list[str]) -> tuple[int, ...]:
    a = tuple(integer(m, "derivative", 0, MAX_ORDER) for m in listed(data, "derivative"))
    demand(len(a) == len(names) and sum(a) <= MAX_ORDER, f"derivative: one order a variable, {MAX_ORDER} in all")
    return a


def monomial(x: Sequence[Fraction], a: Sequence[int]) -> Fraction:
    return math.prod((xi**m for xi, m in zip(x, a, strict=True)), start=Fraction(1))


def dot(x: Sequence[Any], y: Sequence[Any], start: Any) -> Any:
    return sum((a * b for a, b in zip(x, y, strict=True)), start)


# ---- expressions such as  z*exp(-z**2)  in balls or power series; no eval


class Expression:
    """A function of the named variables; ``+ - * / **``, numbers, pi, E and the functions below."""

    def __init__(self, source: Any, names: list[str], what: str) -> None:
        self.names, self.what = names, what
        demand(isinstance(source, str) and 0 < len(source) <= MAX_TEXT, f"{what}: an expression is a short text")
        try:
            self.tree = ast.parse(source, mode="eval").body
        except (SyntaxError, RecursionError, MemoryError, ValueError):
            raise RefusedError(f"{what}: {source[:60]!r} is no expression") from None
        demand(re.fullmatch(r"[A-Za-z0-9 +*/()-]+", source) is not None, f"{what}: a character that is not allowed")

    def __call__(self, values: dict[str, Any]) -> Any:
        return self._value(self.tree, values)

    def _value(self, node: ast.expr, values: dict[str, Any]) -> Any:
        match node:
            case ast.Constant(value=int() as n) if not isinstance(n, bool):
                return arb(n)
            case ast.Name(id=name) if name in self.names:
                return values[name]
            case ast.Name(id="pi"):
                return arb.pi()
            case ast.Name(id="E"):
                return arb(1).exp()
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self._value(inner, values)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return power(self._value(left, values), self._exponent(right))
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self._value(left, values), self._value(right, values)
                match op:
                    case ast.Add():
                        return a + b
                    case ast.Sub():
                        return a - b
                    case ast.Mult():
                        return a * b
                    case ast.Div():
                        return divided(a, b)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](self._value(argument, values))
        raise RefusedError(f"{self.what}: {ast.unparse(node)[:60]!r} is not allowed in an expression")

    def _exponent(self, node: ast.expr) -> Fraction:
        match node:
            case ast.Constant(value=int() as n) if not isinstance(n, bool) and n <= 1000:
                return Fraction(n)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self._exponent(inner)
            case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=2)):
                half = self._exponent(left) / 2
                demand(half.denominator <= 2, f"{self.what}: an exponent is an integer or the half of one")
                return half
        raise RefusedError(f"{self.what}: {ast.unparse(node)[:60]!r} is not allowed as an exponent")


def power(base: Any, exponent: Fraction) -> Any:
    """Integer and half-integer powers, by multiplication (``arb(0, 1)**2`` would be nan)."""
    if exponent.denominator == 2:
        return power(root(base), Fraction(exponent.numerator))
    n, result, square = abs(int(exponent)), arb(1), base
    while n:
        result = result * square if n % 2 else result
        square, n = square * square, n // 2
    return divided(arb(1), result) if exponent < 0 else result


def divided(a: Any, b: Any) -> Any:
    """``a / b`` where b is not 0 at the point: a quotient of power series that both vanish there has lost terms."""
    at = b[0] if isinstance(b, arb_series) else b
    demand(at > 0 or at < 0, "expression: a division by zero")
    return a / b


def root(u: Any) -> Any:
    """The square root, of a power series only where it is positive at the point."""
    demand(not isinstance(u, arb_series) or u[0] > 0, "expression: a square root at its branch point")
    return u.sqrt()


def step(u: Any) -> arb:
    """1 where u > 0, 0 where u <= 0: constant near every point, which is how automatic differentiation takes it."""
    at = u[0] if isinstance(u, arb_series) else u
    demand(at > 0 or at <= 0, "activation: a kink is met, and its side is not decided")
    return arb(1) if at > 0 else arb(0)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sin": lambda u: u.sin(),
    "cos": lambda u: u.cos(),
    "tan": lambda u: u.tan(),
    "exp": lambda u: u.exp(),
    "log": lambda u: u.log(),
    "sqrt": root,
    "atan": lambda u: u.atan(),
    "erf": lambda u: u.erf(),
    "sinh": lambda u: (u.exp() - (-u).exp()) / 2,
    "cosh": lambda u: (u.exp() + (-u).exp()) / 2,
    "tanh": lambda u: 1 - 2 / ((2 * u).exp() + 1),
    "asinh": lambda u: (u + (u * u + 1).sqrt()).log(),
    "step": step,
}


# ---- reading


def vectors(data: Any, rows: int) -> arb_mat:
    """X: a list of columns, each with one binary exponent and integer mantissas in hexadecimal."""
    columns = listed(data, "vectors")
    demand(len(columns) <= rows, f"vectors: {len(columns)} columns for {rows} rows")
    table = []
    for column in columns:
        named = fields(column, "vectors", "exponent mantissas")
        e = integer(named["exponent"], "vectors.exponent", -8 * MAX_PRECISION, 8 * MAX_PRECISION)
        digits = [text(m, "vectors.mantissas") for m in listed(named["mantissas"], "vectors.mantissas")]
        demand(len(digits) == rows, f"vectors: a column of {len(digits)} numbers for {rows} rows")
        demand(all(re.fullmatch("-?[0-9a-f]{1,40000}", m) for m in digits), "vectors.mantissas: hexadecimal integers")
        table.append([arb((int(m, 16), e)) for m in digits])
    return arb_mat(rows, len(table), [column[i] for i in range(rows) for column in table])


def demand(condition: bool, reason: str) -> None:
    """Refuses unless the condition is True; an undecided comparison of balls is False."""
    if not condition:
        raise RefusedError(reason)


def fields(data: Any, what: str, names: str) -> dict[str, Any]:
    demand(
        isinstance(data, dict) and set(data) == set(names.split()), f"{what}: an object with exactly the keys {names}"
    )
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
    """``"p/q"`` or a decimal, exactly."""
    demand(isinstance(data, str) and len(data) <= MAX_TEXT, f"{what}: numbers are texts such as '1/3' or '2.5e-7'")
    found = re.fullmatch(r"-?\d+(?:/0*[1-9]\d*|(?:\.\d+)?(?:e([+-]?\d{1,6}))?)", data, re.ASCII)
    if found is None or abs(int(found[1] or 0)) > MAX_EXPONENT:
        raise RefusedError(f"{what}: {data[:60]!r} is not a number")
    return Fraction(data)


def point(data: Any, names: list[str], what: str) -> list[Fraction]:
    coordinates = [rational(v, what) for v in listed(data, what)]
    demand(len(coordinates) == len(names), f"{what}: one number a variable")
    return coordinates


def ball(value: Fraction) -> arb:
    """A ball around a rational, at the precision in force."""
    return arb(fmpq(value.numerator, value.denominator))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, refused where a key is there twice: readers differ in which of the two they take."""
    found = dict(pairs)
    demand(len(found) == len(pairs), "a key is given twice in one object")
    return found


def refuse_constant(name: str) -> Any:
    """NaN and infinities are no JSON."""
    raise RefusedError(f"{name[:20]} is no JSON")


def check_file(path: str | Path) -> list[str]:
    """:func:`check` for a file of JSON text."""
    try:
        data = json.loads(
            Path(path).read_text(encoding="utf-8"), object_pairs_hook=once, parse_constant=refuse_constant
        )
    except RefusedError as reason:
        return [str(reason)]
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return [f"{path}: not readable as JSON ({type(error).__name__})"]
    return check(data)


def main(arguments: Sequence[str]) -> int:
    """Checks the files named; 0 if all are accepted, 1 if one is refused, 2 without a file."""
    if not arguments:
        print("usage: python checker.py FILE...", file=sys.stderr)
        return 2
    status = 0
    for path in arguments:
        findings = check_file(path)
        status = max(status, int(bool(findings)))
        print("\n".join(f"refused: {path}: {reason}" for reason in findings) or f"accepted: {path}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
