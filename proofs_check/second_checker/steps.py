"""What is proven for every step of a piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs_check.second_checker import intervals, reading
from proofs_check.second_checker.entropies import Convention, convention, cutoff, entropy, greater
from proofs_check.second_checker.intervals import ONE, TWO, ZERO, Interval, spend, working
from proofs_check.second_checker.reading import Bounds, Point, Problem, record, refuse, sequence
from proofs_check.second_checker.series import Series, add, constant, evaluate, power, scaled, times, total
from proofs_check.second_checker.values import (
    Rows,
    argument,
    coefficients,
    defects,
    less,
    matrix,
    norm,
    proven_values,
    taylor,
    transposed,
    usual,
)

HALF = Interval.point(1, -1)
HIGHEST = 16
"""The derivative in the remainder."""


@dataclass(frozen=True)
class Node:
    """A step, the claims there, and shifts over h with weights times h^m, a term."""

    step: Fraction
    values: list[Bounds]
    family: list[dict[Point, Fraction]]


def judge(certificate: dict[str, Any]) -> None:
    """The sign of the entropies' difference, piece by piece."""
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
        form = piece.get("kind") if isinstance(piece, dict) else None
        first_order = form == "first order"
        more = {"first order": " split derivatives", "near zero": " derivatives"}
        keys = "low high kind nodes sign" + (more.get(form, "") if isinstance(form, str) else "")
        start, stop, kind, chosen, sign, *how = record(piece, keys, "piece")
        low, high = reading.rational(start, "low"), reading.rational(stop, "high")
        if form == "near zero":
            if end or low or not high > 0 or chosen != []:
                refuse("a piece near zero that is not the first, not from 0, or about a node")
            (last,) = how
            highest = reading.whole(last, 1, HIGHEST, "piece")
            with working(224):
                p = _first_power(where, found[0], highest)
                moved = _from_zero(where, found[0], Fraction(0), Fraction(0), high, highest, p)
            gap = _rate(_base(where, ad), moved, high**p, by)
            if sign != ("fd>ad" if less(ZERO, gap) else "fd<ad" if less(gap, ZERO) else None):
                refuse("the sign of a piece is not proven")
            end = high
            continue
        if not 0 < low <= high or low < end:
            refuse("pieces: not in order")
        end = high
        places = [reading.whole(k, 0, len(found) - 1, "nodes") for k in sequence(chosen, "nodes")]
        if first_order:
            if len(places) > 1:
                refuse("a piece about more than one node")
            split, highest = (
                reading.whole(number, 1, most, "piece") for number, most in zip(how, (10**9, 16), strict=True)
            )
            with working(224):
                if places:
                    moved = _from_node(where, found[places[0]], low, high, highest)
                else:
                    moved = _from_zero(where, found[0], Fraction(0), low, high, highest)
            proven = _near(_base(where, nodes[places[0]] if places else ad), moved, split, by)
        else:
            _, proven = entropy(_on(where, kind, [found[k] for k in places], low, high), by)
        proves = "fd<ad" if less(proven, reference) else "fd>ad" if less(reference, proven) else None
        if proves is None or sign != proves:
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
        moved = _from_zero(of, used[0], used[0].step, low, high, HIGHEST)
        bound = moved.known + moved.rest
        if not usual(bound):
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


@dataclass(frozen=True)
class Moved:
    """``A(h) - A(a)`` on a piece: the sum of factors times blocks and a rest, with bounds of both norms."""

    blocks: list[Rows]
    factors: list[Interval]
    known: Interval
    rest: Interval


def _moved(
    of: Problem,
    factors: list[Interval],
    entry: Callable[[list[Interval], Point, Interval], tuple[list[Interval], Interval]],
) -> Moved:
    """From each entry's blocks and rest, by the coefficients at the point, the feature's w and its argument."""
    blocks: list[Rows] = [[] for _ in factors]
    rests = []
    for x in of.points:
        c = coefficients(of, of.operator, x)
        for block in blocks:
            block.append([])
        for w, b in of.features:
            values, rest = entry(c, w, Interval.of(argument(w, x, b)))
            rests.append(rest)
            for block, value in zip(blocks, values, strict=True):
                block[-1].append(value)
    flat = [[v for row in block for v in row] for block in blocks]
    sums = [total(f * v for f, v in zip(factors, entry, strict=True)) for entry in zip(*flat, strict=True)]
    return Moved(blocks, factors, norm(sums), norm(rests))


def _from_zero(
    of: Problem, node: Node, a: Fraction, low: Fraction, high: Fraction, highest: int, quotient: int = 0
) -> Moved:
    """By Taylor's theorem in the shifts, which are 0 for h = 0; of the family of this node.

    With ``quotient``, for a = 0: all of it over that power of the step, below which there is nothing.
    """
    powers = [(_between(low**q, high**q), Interval.of(a**q)) for q in range(highest + 1)]
    change = [_between(low**q - a**q, high**q - a**q) for q in range(1, highest + 1)]
    if quotient:
        exponents = [max(q - quotient, 0) for q in range(highest + 1)]
        powers = [(_between(Fraction(0) ** k, high**k), ZERO) for k in exponents]
        change = [power for power, _ in powers[1:]]
    if any(term.order >= highest for term in of.operator):
        refuse("derivatives of too high an order")

    def entry(c: list[Interval], w: Point, theta: Interval) -> tuple[list[Interval], Interval]:
        rest, t = ZERO, taylor(of, theta, highest - 1)
        values = [ZERO] * (highest - 1)
        for factor, term, family in zip(c, of.operator, node.family, strict=True):
            m = term.order
            mus = {s: argument(w, s, Fraction(0)) for s in family}
            for q in range(1, highest - m):
                moment = sum((v * mus[s] ** (m + q) for s, v in family.items()), Fraction(0))
                values[q - 1] = values[q - 1] + factor * Interval.of(moment) * t[m + q]
            for s, v in family.items():
                if v and mus[s]:
                    far = theta.hull(theta + Interval.of(max(a, high) * mus[s]))
                    last = taylor(of, far, highest)[highest] * Interval.of(v * mus[s] ** highest)
                    rest = rest + factor * (powers[highest - m][0] * last - powers[highest - m][1] * last)
        return values, rest

    return _moved(of, change[: highest - 1], entry)


def _from_node(of: Problem, node: Node, low: Fraction, high: Fraction, highest: int) -> Moved:
    """By Taylor's theorem in the step, at that of the node."""
    a = node.step
    here = Interval.of(a)
    span = Interval.of(min(low, a)).hull(Interval.of(max(high, a)))
    if not span.low > 0:
        refuse("a piece too long for its node")
    factors = []
    for q in range(1, highest + 1):
        ends = (low - a) ** q, (high - a) ** q
        inside = q % 2 == 0 and low < a < high
        factors.append(_between(Fraction(0) if inside else min(ends), max(ends)))

    def entry(c: list[Interval], w: Point, theta: Interval) -> tuple[list[Interval], Interval]:
        near = _entry(of, node, c, w, theta, here, highest)
        far = _entry(of, node, c, w, theta, span, highest + 1)
        return near[1:highest], factors[-1] * far[highest]

    return _moved(of, factors[: highest - 1], entry)


def _entry(of: Problem, node: Node, c: list[Interval], w: Point, theta: Interval, h: Interval, length: int) -> Series:
    """An entry of A as a Taylor series in the step, at h."""
    entry = constant(ZERO, length)
    variable = constant(h, length)
    if length > 1:
        variable[1] = ONE
    for factor, term, family in zip(c, of.operator, node.family, strict=True):
        part = constant(ZERO, length)
        for shift, weight in family.items():
            mu = Interval.of(argument(w, shift, Fraction(0)))
            z = constant(theta + h * mu, length)
            if length > 1:
                z[1] = mu
            part = add(part, scaled(evaluate(of.activation, {"z": z}, length), Interval.of(weight)))
        if term.order:
            part = times(part, power(variable, -term.order))
        entry = add(entry, scaled(part, factor))
    return entry


@dataclass(frozen=True)
class Base:
    """``B = X_o D Y_o^T`` near A(a), or near its transpose where A has more rows than columns."""

    size: int  # of the short side
    turned: bool
    left: Rows  # the columns of X
    right: Rows  # the columns of Y
    values: list[Fraction]  # d, descending
    tilt: Interval
    off: Interval


def _base(of: Problem, data: dict[str, Any]) -> Base:
    """From a spectrum that is proven."""
    with working(data["precision"] + 16):
        A = matrix(of, reading.difference(data["difference"], of))
        turned = len(A) > len(A[0])
        A = transposed(A) if turned else A
        X = [[Interval.point(*m) for m in column] for column in reading.columns(data["vectors"], len(A))]
        if not X:
            refuse("a spectrum without vectors")
        images, g, eta, delta = defects(A, X)
        order = sorted(range(len(X)), key=lambda j: g[j].fractions()[0])
        exact = [1 / g[j].fractions()[0] for j in order]
        left, right = [X[j] for j in order], [[v * g[j] for v in images[j]] for j in order]
        tilt = (delta + eta + delta * eta).size()
        missing = norm(
            A[i][k] - total(X[j][i] * images[j][k] for j in order) for i in range(len(A)) for k in range(len(A[0]))
        )
        off = (missing + tilt * norm(map(Interval.of, exact))).size()
    return Base(len(A), turned, left, right, exact, tilt, off)


def _near(base: Base, moved: Moved, split: int, by: Convention) -> Interval:
    """The entropy of every A(h), to first order about B and with the remainder."""
    with working(224):
        e = (base.off + moved.known + moved.rest).size()
        if not usual(e):
            refuse("a piece on which the matrix moves too far")
        reach, n, q = e.fractions()[1], base.size, by.power
        d = [*base.values, *[Fraction(0)] * (n - len(base.values))]
        values = [(max(v - reach, Fraction(0)), v + reach) for v in d]
        least, most = cutoff(values, by)
        if least < (2 if by.normalised else 1):
            refuse("the entropy may be undefined")
        if split > min(least, len(base.values)):
            refuse("a piece that splits beyond the cut-off number")
        after = values[split][1] if split < n else Fraction(0)
        if not values[split - 1][0] > after:
            refuse("a piece whose upper values are not apart from the others")
        spend(100.0 * n * (1 + most - least))
        weights = [Interval.of(v**q) for v in d[:least]]
        S = total(weights)
        over = S.inverse()
        t = total(w * intervals.log(w) for w in weights if w.low > 0) * over
        two = TWO if q == 2 else ONE

        def slope(x: Interval) -> Interval:
            first = (t - two * intervals.log(x)) * over
            return TWO * x * first if q == 2 else first

        def curvature(x: Fraction) -> Interval:
            at = Interval.of(x)
            return TWO * (t - TWO - TWO * intervals.log(at)) * over if q == 2 else -(at.inverse() * over)

        def phi(low: Fraction, high: Fraction) -> Interval:
            ends = [Interval.of(x**q) for x in (low, high)]
            found = [w * (ONE + t - intervals.log(w)) * over if w.low > 0 else ZERO for w in ends]
            top = intervals.exp(t)
            hull = found[0].hull(found[1])
            return hull if less(ends[1], top) or less(top, ends[0]) else hull.hull(top * over)

        steepest = greater(curvature(values[split - 1][0]).size(), curvature(values[0][1]).size())
        for low, high in values[:split]:
            rate = slope(Interval.of(low).hull(Interval.of(high))) * Interval.of(low - after).inverse()
            steepest = greater(steepest, rate.size())
        slopes = [slope(Interval.of(v)) for v in d[:split]]
        first = ZERO
        for factor, block in zip(moved.factors, moved.blocks, strict=True):
            C = transposed(block) if base.turned else block
            along = (
                slopes[k]
                * total(x * total(map(_product, row, base.right[k])) for x, row in zip(base.left[k], C, strict=True))
                for k in range(split)
            )
            first = first + factor * total(along)
        error = norm(slopes) * (base.off + moved.rest + base.tilt * moved.known) + steepest.size() * e * e * HALF
        change = first + error.size().hull(-error.size()) - total(phi(v, v) for v in d[split:least])
        hull: Interval | None = None
        for r in range(least, most + 1):
            moving = total(Interval.of(a**q).hull(Interval.of(b**q)) for a, b in values[:r])
            a = moving * over - ONE
            rise = change + total(phi(*pair) for pair in values[split:r])
            H = intervals.log(S) - t + (rise + ZERO.hull((a * a).size())) * (ONE + a).inverse()
            if not (ONE + a).low > 0:
                refuse("a piece on which the matrix moves too far")
            found = H * intervals.log(Interval.of(r)).inverse() if by.normalised else H
            hull = found if hull is None else hull.hull(found)
    assert hull is not None
    return hull


def _rate(base: Base, moved: Moved, reach: Fraction, by: Convention) -> Interval:
    """The entropies' difference over ``h^p`` for every step; ``moved`` is over ``h^p``, which is at most ``reach``."""
    with working(224):
        G = (moved.known + moved.rest).size()
        e = (base.off + Interval.of(reach) * G).size()
        if not usual(e):
            refuse("a piece on which the matrix moves too far")
        d = [*base.values, *[Fraction(0)] * (base.size - len(base.values))]
        far = e.fractions()[1]
        values = [(max(v - far, Fraction(0)), v + far) for v in d]
        r, most = cutoff(values, by)
        if r != most or r > len(base.values):
            refuse("a cut-off number that is not known, or without vectors")
        if r < (2 if by.normalised else 1):
            refuse("the entropy may be undefined")
        gap_below = values[r][1] if r < base.size else Fraction(0)
        if not values[r - 1][0] > gap_below:
            refuse("a piece whose upper values are not apart from the others")
        spend(200.0 * base.size * base.size)
        two = by.power == 2
        w = [Interval.of(v**by.power) for v in d[:r]]
        S, T = total(w), total(x * intervals.log(x) for x in w)
        slopes: dict[str, list[Interval]] = {"S": [], "H": []}
        bounds = {"S": TWO if two else ZERO, "H": ZERO}

        def first(x: Interval, which: str) -> Interval:
            """The derivative of ``x^q``, or of ``x^q (1 + T/S - log x^q)``."""
            plain = TWO * x if two else ONE
            power = x * x if two else x
            return plain if which == "S" else plain * (T * S.inverse() - intervals.log(power))

        def second(x: Interval) -> Interval:
            log = intervals.log(x * x if two else x)
            return TWO * (T * S.inverse() - TWO - log) if two else -x.inverse()

        for at in (values[0][1], values[r - 1][0]):
            bounds["H"] = greater(bounds["H"], second(Interval.of(at)).size())
        for v, (low, up) in zip(d[:r], values, strict=False):
            inverse = Interval.of(low - gap_below).inverse()
            for which, found in slopes.items():
                found.append(first(Interval.of(v), which))
                steep = first(Interval.of(low).hull(Interval.of(up)), which) * inverse
                bounds[which] = greater(bounds[which], steep.size())
        ways = {}
        images = [
            [total(x * total(map(_product, row, base.right[k])) for x, row in zip(base.left[k], C, strict=True))
             for k in range(r)]
            for C in (transposed(block) if base.turned else block for block in moved.blocks)
        ]  # fmt: skip
        for which, found in slopes.items():
            room = norm(found) * (moved.rest + base.tilt * moved.known) + bounds[which].size() * e * G
            along = total(
                f * total(map(_product, found, image)) for f, image in zip(moved.factors, images, strict=True)
            )
            ways[which] = along + room.size().hull(-room.size())
        there = [Interval.of(a**by.power).hull(Interval.of(b**by.power)) for a, b in values[:r]]
        over = total(there).inverse()
        t = total(x * intervals.log(x) for x in there) * over
        result = (ways["H"] + (t - T * S.inverse()) * ways["S"]) * over
        return result * intervals.log(Interval.of(r)).inverse() if by.normalised else result


def _first_power(of: Problem, node: Node, highest: int) -> int:
    """The least power of the step with a moment that is not 0, or with a remainder."""
    if any(term.order >= highest for term in of.operator):
        refuse("derivatives of too high an order")
    found = {highest - term.order for term in of.operator}
    for term, family in zip(of.operator, node.family, strict=True):
        spend(200.0 * len(family) * len(of.features) * highest)
        for w, _ in of.features:
            mus = [(argument(w, s, Fraction(0)), v) for s, v in family.items()]
            for q in range(1, min(found)):
                if sum((v * mu ** (term.order + q) for mu, v in mus), Fraction(0)):
                    found.add(q)
                    break
    return min(found)


def _between(low: Fraction, high: Fraction) -> Interval:
    return Interval.of(low).hull(Interval.of(high))


def _product(a: Interval, b: Interval) -> Interval:
    return a * b
