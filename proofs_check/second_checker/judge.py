"""The three statements, proven by the inequalities of ``docs/certificates.md``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from proofs_check.second_checker import intervals, reading
from proofs_check.second_checker.intervals import ONE, ZERO, Interval, UndecidedError, spend, working
from proofs_check.second_checker.reading import Bounds, Difference, Point, Problem, Term, record, refuse, sequence
from proofs_check.second_checker.series import Series, constant, evaluate, total

BUDGET, PER_BYTE = 4e6, 500.0
Rows = list[list[Interval]]


def findings(certificate: object) -> list[str]:
    """Why a certificate (parsed JSON) is refused, in one line; nothing where its claim is proven."""
    try:
        with working(64):
            length = len(json.dumps(certificate, sort_keys=True, separators=(",", ":")))
            intervals.allow(BUDGET + PER_BYTE * length)
            _judge(certificate)
    except UndecidedError as reason:
        return [str(reason)]
    except Exception as error:  # whatever goes wrong proves nothing
        return [f"malformed ({type(error).__name__})"]
    return []


def _judge(certificate: object) -> None:
    if not isinstance(certificate, dict) or certificate.get("format") != reading.FORMAT:
        refuse("another format")
    statement = certificate.get("statement")
    if statement == "singular values":
        *_, of, spectrum = record(certificate, "format statement problem spectrum", "certificate")
        proven_values(reading.problem(of), spectrum)
    elif statement == "entropies":
        _entropies(certificate)
    elif statement == "entropies on steps":
        _steps(certificate)
    else:
        refuse("another statement")


# ---- singular values


def proven_values(of: Problem, data: Any, more: str = "") -> list[Bounds]:
    """The claims of a spectrum, if they are proven."""
    keys = "difference precision vectors values " + more
    finite, precision, vectors, values = record(data, keys, "spectrum")[:4]
    bits = reading.whole(precision, 32, 65_536, "precision")
    claims = [reading.claim(value, "values") for value in sequence(values, "values")]
    with working(bits + 16):
        A = matrix(of, reading.difference(finite, of))
        A = A if len(A) <= len(A[0]) else _transposed(A)
        if len(claims) != len(A):
            refuse("values: not as many as the matrix has")
        X = [[Interval.point(*m) for m in column] for column in reading.columns(vectors, len(A))]
        bounds, rest = singular_bounds(A, X)
        for k, (low, high) in enumerate(claims):
            least, most = bounds[k] if k < len(bounds) else (ZERO, rest)
            if not (_at_most(low, least) and _at_least(high, most)):
                refuse(f"value {k + 1} is not proven")
    return claims


def _at_most(value: Fraction, x: Interval) -> bool:
    return Interval.of(value).below(x) or (_usual(x) and value <= x.fractions()[0])


def _at_least(value: Fraction, x: Interval) -> bool:
    return x.below(Interval.of(value)) or (_usual(x) and value >= x.fractions()[1])


def _usual(x: Interval) -> bool:
    """Whether its ends are not so far out that writing them down is work."""
    return abs(x.e) < 500_000


def singular_bounds(A: Rows, X: Rows) -> tuple[list[tuple[Interval, Interval]], Interval]:
    """For each of the r columns X of vectors a lower and an upper bound; and an upper bound of all other values."""
    n, r = len(A), len(X)
    if r == 0:
        return [], _norm(a for row in A for a in row)
    image = [_dots(_transposed(A), x) for x in X]  # the columns of W = A^T X
    gram = [[total(map(_times, u, v)) for v in image] for u in image]
    own = [[total(map(_times, u, v)) for v in X] for u in X]
    if not all(gram[j][j].low > 0 for j in range(r)):
        refuse("a vector without image")
    g = [gram[j][j].middle().root().middle().inverse().middle() for j in range(r)]  # D = diag(1 / g_j), exactly
    eta = _norm(gram[i][j] * g[i] * g[j] - (ONE if i == j else ZERO) for i in range(r) for j in range(r))
    delta = _norm(own[i][j] - (ONE if i == j else ZERO) for i in range(r) for j in range(r))
    if not (_less(eta, ONE) and _less(delta, ONE)):
        refuse("vectors: eta or delta is not proven below 1")
    rho = ZERO
    if r < n:
        inverse = _inverse([[x.middle() for x in row] for row in own])
        Z = [_combined(row, [[x.middle() for x in u] for u in image]) for row in inverse]
        rho = _norm(A[i][k] - total(X[j][i] * Z[j][k] for j in range(r)) for i in range(n) for k in range(len(A[0])))
    low = ((ONE - eta) * (ONE + delta).inverse()).root()
    high = (ONE + eta) * (ONE - delta).inverse()
    lower = [x.inverse() * low for x in g]
    upper = [((x * x).inverse() * high + rho * rho).root() for x in g]

    def compared(i: int, j: int) -> int:
        return int(g[j].below(g[i])) - int(g[i].below(g[j]))

    order = sorted(range(r), key=cmp_to_key(compared))
    return [(lower[j], upper[j]) for j in order], rho


def _less(x: Interval, y: Interval) -> bool:
    return x.below(y) and not y.below(x)


def _times(a: Interval, b: Interval) -> Interval:
    return a * b


def _transposed(A: Rows) -> Rows:
    return [list(column) for column in zip(*A, strict=True)]


def _dots(rows: Rows, x: list[Interval]) -> list[Interval]:
    return [total(map(_times, row, x)) for row in rows]


def _combined(factors: list[Interval], rows: Rows) -> list[Interval]:
    """An approximate linear combination, in exact numbers."""
    return [total(map(_times, factors, column)).middle() for column in zip(*rows, strict=True)]


def _norm(entries: Iterable[Interval]) -> Interval:
    """An upper bound of the Frobenius norm, as an exact number."""
    return total(x.size() * x.size() for x in entries).root().size()


def _inverse(G: Rows) -> Rows:
    """About the inverse of a matrix near I, in exact numbers: ``Y <- Y (2 I - G Y)``. Nothing is claimed of it."""
    r = len(G)
    Y = [[ONE if i == j else ZERO for j in range(r)] for i in range(r)]
    previous = None
    for _ in range(24):
        defect = [_combined(row, Y) for row in G]
        change = [[(ONE if i == j else ZERO) - defect[i][j] for j in range(r)] for i in range(r)]
        size = _norm(x for row in change for x in row)
        if size.is_zero() or (previous is not None and not _less(size, previous)):
            break
        previous = size
        move = [_combined(row, change) for row in Y]
        Y = [[(a + b).middle() for a, b in zip(u, v, strict=True)] for u, v in zip(Y, move, strict=True)]
    return Y


# ---- the matrix


def matrix(of: Problem, finite: Difference | None) -> Rows:
    """A, from its definition."""
    if finite is None:
        rows = [derivatives(of, of.operator, x) for x in of.points]
    else:
        largest = max(abs(c) for _, weights in finite for c in weights)
        lost = max(0, math.ceil(largest).bit_length())
        with working(intervals.bits_in_force() + lost):
            rows = [quotients(of, finite, x) for x in of.points]
    for xs, weight, operator in of.boundary:
        root = Interval.of(weight).root()
        rows += [[a * root for a in derivatives(of, operator, x)] for x in xs]
    return rows


def argument(w: Point, x: Iterable[Fraction], b: Fraction) -> Fraction:
    """``w . x + b``, exactly."""
    value = sum((a * c for a, c in zip(w, x, strict=True)), b)
    spend(8 + ((value.numerator.bit_length() + value.denominator.bit_length()) / 300) ** 1.6)
    return value


def taylor(of: Problem, u: Interval, order: int) -> Series:
    """``s^(k)(u) / k!``, k = 0 … order."""
    z = constant(u, order + 1)
    if order:
        z[1] = ONE
    return evaluate(of.activation, {"z": z}, order + 1)


def coefficients(of: Problem, operator: list[Term], x: Point) -> list[Interval]:
    """``c_g(x)``."""
    at = {name: [Interval.of(v)] for name, v in zip(of.names, x, strict=True)}
    return [evaluate(term.coefficient, at, 1)[0] for term in operator]


def derivatives(of: Problem, operator: list[Term], x: Point) -> list[Interval]:
    """One row of automatic differentiation."""
    c = coefficients(of, operator, x)
    row = []
    for w, b in of.features:
        t = taylor(of, Interval.of(argument(w, x, b)), max(term.order for term in operator))
        entry = ZERO
        for factor, term in zip(c, operator, strict=True):
            for a, f in term.factors.items():
                scale = math.prod((v**m for v, m in zip(w, a, strict=True)), start=f * math.factorial(sum(a)))
                entry = entry + factor * t[sum(a)] * Interval.of(scale)
        row.append(entry)
    return row


def quotients(of: Problem, finite: Difference, x: Point) -> list[Interval]:
    """One row of finite differences."""
    c = coefficients(of, of.operator, x)
    row = []
    for w, b in of.features:
        entry = ZERO
        for factor, (shifts, weights) in zip(c, finite, strict=True):
            part = ZERO
            for shift, weight in zip(shifts, weights, strict=True):
                moved = argument(w, (v + s for v, s in zip(x, shift, strict=True)), b)
                part = part + Interval.of(weight) * taylor(of, Interval.of(moved), 0)[0]
            entry = entry + factor * part
        row.append(entry)
    return row


# ---- entropies


@dataclass(frozen=True)
class Convention:
    """Rule, threshold, power, and whether to divide by log r."""

    rule: str
    threshold: Fraction
    power: int
    normalised: bool


def convention(data: Any) -> Convention:
    """As specified, with the threshold's range."""
    rule, threshold, power, normalised = record(data, "rule threshold power normalised", "convention")
    tau = reading.rational(threshold, "threshold")
    allowed = {"relative": 0 < tau <= 1, "absolute": tau > 0, "energy": 0 <= tau < 1,
               "fixed": tau >= 1 and tau.denominator == 1}  # fmt: skip
    if not isinstance(rule, str) or not allowed.get(rule) or not isinstance(normalised, bool):
        refuse("convention: a rule, threshold or normalisation that is not allowed")
    return Convention(rule, tau, reading.whole(power, 1, 2, "power"), normalised)


def cutoff(values: list[Bounds], by: Convention) -> tuple[int, int]:
    """The least and the greatest r."""
    tau = by.threshold
    if by.rule == "energy":
        w = [(a**by.power, b**by.power) for a, b in values]
        certain = [r for r in range(len(w) + 1) if _energy(w, r, tau, 1, 0)]
        possible = [r for r in range(len(w) + 1) if _energy(w, r, tau, 0, 1)]
        return min(possible), min(certain)
    least = sum(1 for a, _ in values if a > 0)
    most = sum(1 for _, b in values if b > 0)
    if by.rule == "fixed":
        return min(least, int(tau)), min(most, int(tau))
    unit = values[0] if by.rule == "relative" else (Fraction(1), Fraction(1))
    low = sum(1 for a, _ in values if a > 0 and a >= tau * unit[1])
    high = sum(1 for _, b in values if b > 0 and b >= tau * unit[0])
    return (max(low, 1) if by.rule == "relative" and values[0][0] > 0 else low), high


def _energy(w: list[Bounds], r: int, tau: Fraction, tail: int, head: int) -> bool:
    outside = sum((pair[tail] for pair in w[r:]), Fraction(0))
    inside = sum((pair[head] for pair in w[:r]), Fraction(0))
    spend(len(w) * 2.0)
    return (1 - tau) * outside <= tau * inside


def entropy(claims: list[Bounds], by: Convention) -> tuple[tuple[int, int], Interval]:
    """The possible cut-off numbers, and an interval that holds the entropy whichever it is."""
    values = [(max(a, Fraction(0)), b) for a, b in claims]
    size = max(v.numerator.bit_length() + v.denominator.bit_length() for pair in values for v in pair)
    spend(len(values) * (10 + len(values) * (size / 500) ** 1.6))
    least, most = cutoff(values, by)
    if least < (2 if by.normalised else 1):
        refuse("the entropy may be undefined")
    hull = None
    with working(320 + 2 * size):
        for r in range(least, most + 1):
            found = _entropy_of([(a**by.power, b**by.power) for a, b in values[:r]], by.normalised)
            hull = found if hull is None else hull.hull(found)
    assert hull is not None
    return (least, most), hull


def _entropy_of(w: list[Bounds], normalised: bool) -> Interval:
    r = len(w)
    if r == 1:
        return ZERO
    lows, highs = sum(a for a, _ in w), sum(b for _, b in w)
    peak = intervals.exp(-ONE)
    lower = upper = ZERO
    for a, b in w:
        spend(40)
        p = a / (a + highs - b) if a else Fraction(0)
        q = b / (b + lows - a)
        ends = [_surprise(p), _surprise(q)]
        lower = lower + _lesser(*ends)
        rising, falling = _less(Interval.of(q), peak), _less(peak, Interval.of(p))
        upper = upper + (_greater(*ends) if rising or falling else peak)
    top = intervals.log(Interval.of(r))
    lower, upper = _greater(lower, ZERO), _lesser(upper, top)
    if normalised:
        lower, upper = lower * top.inverse(), upper * top.inverse()
    return lower.hull(upper)


def _lesser(x: Interval, y: Interval) -> Interval:
    """An interval that holds the smaller of the two numbers."""
    return x if x.below(y) else y if y.below(x) else x.hull(y)


def _greater(x: Interval, y: Interval) -> Interval:
    return -_lesser(-x, -y)


def _surprise(p: Fraction) -> Interval:
    """``-p log p``."""
    if p == 0:
        return ZERO
    x = Interval.of(p)
    return -(x * intervals.log(x))


def _entropies(certificate: dict[str, Any]) -> None:
    keys = "format statement problem ad fd convention entropies gap sign"
    _, _, of, ad, fd, how, stated, gap, sign = record(certificate, keys, "certificate")
    where, by = reading.problem(of), convention(how)
    bounds: list[Bounds] = []
    for method, data, one in zip(("ad", "fd"), (ad, fd), record(stated, "ad fd", "entropies"), strict=True):
        values = proven_values(where, data)
        if (data["difference"] is None) != (method == "ad"):
            refuse("the wrong method")
        numbers, low, high = record(one, "cutoff lower upper", "entropies")
        found, proven = entropy(values, by)
        given = [reading.whole(r, 0, len(values), "cutoff") for r in sequence(numbers, "cutoff")]
        if given != list(found):
            refuse("another cut-off is proven")
        bounds.append((reading.bound(low, "lower"), reading.bound(high, "upper")))
        if not ((bounds[-1][0] <= 0 or _at_most(bounds[-1][0], proven)) and _at_least(bounds[-1][1], proven)):
            refuse("the bounds of an entropy are not proven")
    least, most = reading.claim(gap, "gap")
    if least > bounds[1][0] - bounds[0][1] or most < bounds[1][1] - bounds[0][0]:
        refuse("the gap is not proven")
    if not (sign == "undecided" or (sign == "fd<ad" and most < 0) or (sign == "fd>ad" and least > 0)):
        refuse("the sign is not proven")


# ---- all steps of an interval

HIGHEST = 16
"""The derivative in the remainder."""


@dataclass(frozen=True)
class Node:
    """A step, the claims there, and shifts over h with weights times h^m, a term."""

    step: Fraction
    values: list[Bounds]
    family: list[dict[Point, Fraction]]


def _steps(certificate: dict[str, Any]) -> None:
    _, _, of, ad, nodes, how, pieces = record(
        certificate, "format statement problem ad nodes convention pieces", "certificate"
    )
    where, by = reading.problem(of), convention(how)
    exact = proven_values(where, ad)
    if ad["difference"] is not None:
        refuse("the wrong method")
    _, reference = entropy(exact, by)
    found = [_node(where, data) for data in sequence(nodes, "nodes", 1)]
    if any(node.family != found[0].family for node in found):
        refuse("nodes of different families")
    end = Fraction(0)
    for piece in sequence(pieces, "pieces", 1):
        start, stop, kind, chosen, sign = record(piece, "low high kind nodes sign", "piece")
        low, high = reading.rational(start, "low"), reading.rational(stop, "high")
        if not 0 < low <= high or low < end:
            refuse("pieces: not in order")
        end = high
        used = [found[reading.whole(k, 0, len(found) - 1, "nodes")] for k in sequence(chosen, "nodes")]
        _, proven = entropy(_on(where, kind, used, low, high), by)
        less, more = _less(proven, reference), _less(reference, proven)
        if not ((sign == "fd<ad" and less) or (sign == "fd>ad" and more)):
            refuse("the sign of a piece is not proven")


def _node(of: Problem, data: Any) -> Node:
    values = proven_values(of, data, "step")
    step, finite = reading.rational(data["step"], "step"), reading.difference(data["difference"], of)
    if finite is None or step <= 0:
        refuse("a node without difference or with a step that is not positive")
    family = []
    for (shifts, weights), term in zip(finite, of.operator, strict=True):
        if len({sum(a) for a in term.factors}) > 1:
            refuse("a term with derivatives of different orders")
        spend(len(weights) * 20.0)
        scale = step**term.order
        family.append({tuple(v / step for v in s): c * scale for s, c in zip(shifts, weights, strict=True)})
    return Node(step, values, family)


def _on(of: Problem, kind: Any, used: list[Node], low: Fraction, high: Fraction) -> list[Bounds]:
    """Intervals of the singular values for all steps of a piece."""
    if kind == "between" and len(used) == 2:
        first, last = used
        if not (first.step <= low and high <= last.step and _falls(of, first, last.step)):
            refuse("a piece that is not between its nodes, or values not known to fall")
        return [(b[0], a[1]) for a, b in zip(first.values, last.values, strict=True)]
    if kind != "about" or len(used) != 1 or not low <= used[0].step <= high:
        refuse("a piece of no kind, or not about its node")
    with working(224):
        bound = _move(of, used[0], low, high)
        if not _usual(bound):
            refuse("a piece on which the matrix moves too far")
        reach = bound.fractions()[1]
    return [(a - reach, b + reach) for a, b in used[0].values]


def _falls(of: Problem, node: Node, highest: Fraction) -> bool:
    if of.boundary or len(of.names) != 1 or len(of.operator) != 1:
        return False
    if of.activation not in (["sin", ["variable", "z"]], ["cos", ["variable", "z"]]):
        return False
    factors = of.operator[0].factors
    if set(factors) != {(2,)}:
        return False
    f = factors[2,]
    nodes = {s: c for s, c in node.family[0].items() if c != 0}
    central = {(Fraction(-1),): f, (Fraction(0),): -2 * f, (Fraction(1),): f}
    return nodes == central and all(highest * abs(w) <= 6 for (w,), _ in of.features)


def _move(of: Problem, node: Node, low: Fraction, high: Fraction) -> Interval:
    """A bound of the Frobenius norm of A(h) - A(a), for every h of the piece."""
    a = Interval.of(node.step)
    h = Interval.of(low).hull(Interval.of(high))
    change, powers = [], [(ONE, ONE)]
    for q in range(1, HIGHEST + 1):
        powers.append((powers[-1][0] * h, powers[-1][1] * a))
        # h^q - a^q = (h - a) sum h^i a^(q-1-i)
        inner = total(powers[i][0] * powers[q - 1 - i][1] for i in range(q))
        change.append((h - a) * inner)
    entries = []
    for x in of.points:
        c = coefficients(of, of.operator, x)
        for w, b in of.features:
            theta = Interval.of(argument(w, x, b))
            t = taylor(of, theta, HIGHEST - 1)
            entry = ZERO
            for factor, term, family in zip(c, of.operator, node.family, strict=True):
                m = term.order
                if m >= HIGHEST:
                    refuse("derivatives of too high an order")
                mus = {s: argument(w, s, Fraction(0)) for s in family}
                part = ZERO
                for q in range(1, HIGHEST - m):
                    moment = sum((v * mus[s] ** (m + q) for s, v in family.items()), Fraction(0))
                    part = part + change[q - 1] * Interval.of(moment) * t[m + q]
                for s, v in family.items():
                    if v and mus[s]:
                        far = theta.hull(theta + Interval.of(high * mus[s]))
                        last = taylor(of, far, HIGHEST)[HIGHEST] * Interval.of(v * mus[s] ** HIGHEST)
                        part = part + powers[HIGHEST - m][0] * last - powers[HIGHEST - m][1] * last
                entry = entry + factor * part
            entries.append(entry)
    return _norm(entries)
