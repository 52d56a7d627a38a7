"""Re-verifies every proof object of adfd: singular values, entropies, and entropies for all steps of an interval.

Standard library, python-flint and ``checker.py`` beside it, nothing else. ``python checker_entropies.py FILE...`` prints
what is proven, or one line why a file is refused; exit status 0 or 1. Specified in ``docs/certificates.md``; in short:

**Entropies.** Both spectra are proven first. With intervals ``[l_k, u_k]`` of the singular values, the cut-off numbers r
that the convention's comparisons allow are found in exact rational arithmetic. For each of them, with weights
``w_k = s_k^q``, ``p_k = w_k / (w_k + sum of the others)`` is rising in w_k and falling in the others, and
``g(p) = -p log p`` rises up to 1/e and falls after it; ``H = sum_k g(p_k)`` is bounded term by term. What is proven is the
hull over all possible r.

**Steps.** A piece ``[low, high]`` of steps is proven in one of two ways.

*between*: sine or cosine features in one dimension, no boundary rows, ``c(x) u_xx`` by the central second difference.
Then ``A_FD(h) = A_AD diag(sinc^2(h w_j / 2))``, whose factors fall with h while ``h |w_j| <= 6 < 2 pi``; by Ostrowski's
theorem every singular value falls with h. For steps ``a <= low`` and ``b >= high``, ``s_k(A(h))`` lies between the lower
bound at b and the upper bound at a.

*about*: any activation that is smooth on the way. With ``mu_k = w_j . shift_k / h``, weights ``c_k h^m``, m the order of a
term and ``P = 16 - m``, Taylor's theorem with Lagrange's remainder gives for h and for the step a of a spectrum, an entry,

    A(h) - A(a) = sum_{m < n < m+P} (h^(n-m) - a^(n-m)) M_n s^(n)(theta) / n!
                  + h^P R(h) - a^P R(a),   R(h) = sum_k c_k h^m mu_k^(m+P) s^(m+P)(xi_k) / (m+P)!,

``M_n = sum_k c_k h^m mu_k^n`` and xi_k between theta and ``theta + h mu_k``. With e at least the Frobenius norm of that
for all h of the piece, ``|s_k(A(h)) - s_k(A(a))| <= e`` (Weyl).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from flint import arb, ctx

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from proofs_check import checker
from proofs_check.checker import (
    Claim,
    Problem,
    RefusedError,
    Work,
    allowance,
    ball,
    bits_of,
    decimal,
    demand,
    described,
    dot,
    fields,
    guarded,
    integer,
    interval,
    listed,
    opened,
    rational,
    read_problem,
    shown,
    spectrum,
)

STEP_BITS = 192


def verify(certificate: object) -> dict[str, Any]:
    """What a certificate (parsed JSON) proves, whichever of the three statements it makes.

    Raises:
        RefusedError: nothing else, whatever the certificate is.
    """
    statement = certificate.get("statement") if isinstance(certificate, dict) else None
    if statement not in ("entropies", "entropies on steps"):
        return checker.verify(certificate)
    return guarded(_entropies if statement == "entropies" else _on_steps, certificate)


def _entropies(certificate: object) -> dict[str, Any]:
    data = opened(certificate, "entropies", "ad fd convention entropies gap sign")
    problem, work = read_problem(data["problem"]), allowance(data)
    found = entropies(problem, data, work)
    return described(data, problem, [data["ad"], data["fd"]]) | found


# ---- entropies


def entropies(problem: Problem, data: dict[str, Any], work: Work) -> dict[str, Any]:
    """The two entropies, their difference and its sign, all proven."""
    convention = read_convention(data["convention"])
    claims, ends = fields(data["entropies"], "entropies", "ad fd"), {}
    for method in ("ad", "fd"):
        named = fields(claims[method], "entropies", "cutoff lower upper")
        values = spectrum(problem, data[method], method, work)
        demand((data[method]["difference"] is None) == (method == "ad"), f"{method}: the wrong method")
        cutoff, low, high = entropy(values, convention, work)
        possible = [integer(r, "cutoff", 0, len(values)) for r in listed(named["cutoff"], "cutoff")]
        demand(possible == list(cutoff), f"entropies.{method}.cutoff: {list(cutoff)} is proven")
        ends[method] = claim = decimal(named["lower"], "entropies"), decimal(named["upper"], "entropies")
        demand(claim[0] <= 0 or ball(claim[0]) <= low, f"entropies.{method}: the lower bound is not proven")
        demand(high <= ball(claim[1]), f"entropies.{method}: the upper bound is not proven")
    low, high = interval(data["gap"], "gap")
    demand(low <= ends["fd"][0] - ends["ad"][1] and ends["fd"][1] - ends["ad"][0] <= high, "gap: not proven")
    demand(data["sign"] in ("fd<ad", "fd>ad", "undecided"), "sign: fd<ad, fd>ad or undecided")
    demand(data["sign"] != "fd<ad" or high < 0, "sign: not proven")
    demand(data["sign"] != "fd>ad" or low > 0, "sign: not proven")
    return {
        "convention": data["convention"],
        "entropies": {method: {"cutoff": claims[method]["cutoff"], "bounds": shown(claims[method])} for method in ends},
        "gap": shown(data["gap"]),
        "sign": data["sign"],
    }


@dataclass(frozen=True)
class Convention:
    """Rule, threshold (the rank for ``fixed``), power, normalised."""

    rule: str
    threshold: Fraction
    power: int
    normalised: bool


def read_convention(data: Any) -> Convention:
    named = fields(data, "convention", "rule threshold power normalised")
    rule, tau = named["rule"], rational(named["threshold"], "threshold")
    demand(rule in ("relative", "absolute", "energy", "fixed"), "rule: relative, absolute, energy or fixed")
    demand(rule != "relative" or 0 < tau <= 1, "threshold: relative, in (0, 1]")
    demand(rule != "absolute" or tau > 0, "threshold: absolute, positive")
    demand(rule != "energy" or 0 <= tau < 1, "threshold: energy, in [0, 1)")
    demand(rule != "fixed" or (tau >= 1 and tau.denominator == 1), "threshold: fixed, a positive integer")
    demand(type(named["normalised"]) is bool, "normalised: true or false")
    return Convention(rule, tau, integer(named["power"], "power", 1, 2), named["normalised"])


def entropy(claims: list[Claim], convention: Convention, work: Work) -> tuple[tuple[int, int], arb, arb]:
    """Possible cut-off numbers, and bounds of the entropy: the hull over them; refused where it may be undefined."""
    sigma = [(max(low, Fraction(0)), high) for low, high in claims]
    size = sum(bits_of(v) for pair in sigma for v in pair)
    work.spend(20 * len(sigma) + (size / 500) ** 1.6)
    lowest, highest = cutoffs(sigma, convention)
    demand(lowest >= 1 + convention.normalised, "entropies: undefined for a cut-off number that is possible")
    work.spend(sum(100 * r + 4 * r * (size / 500) ** 1.6 for r in range(lowest, highest + 1)))
    ctx.prec = 256 + 2 * max((bits_of(v) for pair in sigma for v in pair), default=0)
    weights = [(a**convention.power, b**convention.power) for a, b in sigma]
    bounds = [truncated(weights[:r], convention.normalised) for r in range(lowest, highest + 1)]
    return (lowest, highest), smallest(low for low, _ in bounds), -smallest(-high for _, high in bounds)


def cutoffs(sigma: list[Claim], convention: Convention) -> tuple[int, int]:
    """The least and the greatest cut-off number that the intervals allow, in exact rational arithmetic."""
    tau, n = convention.threshold, len(sigma)
    positive, possible = sum(low > 0 for low, _ in sigma), sum(high > 0 for _, high in sigma)
    if convention.rule == "fixed":
        return min(int(tau), positive), min(int(tau), possible)
    if convention.rule == "energy":
        w = [(low**convention.power, high**convention.power) for low, high in sigma]
        head, tail = [Fraction(0)] * 2, [sum((v[i] for v in w), Fraction(0)) for i in (0, 1)]
        lowest = None
        for r in range(n + 1):  # the least r with (1 - tau) tail_r <= tau head_r
            if lowest is None and not (1 - tau) * tail[0] > tau * head[1]:
                lowest = r
            if (1 - tau) * tail[1] <= tau * head[0]:
                return (r if lowest is None else lowest), r
            head, tail = [head[i] + w[r][i] for i in (0, 1)], [tail[i] - w[r][i] for i in (0, 1)]
        raise AssertionError
    least, most = (1, 1) if convention.rule == "absolute" else (sigma[0][1], sigma[0][0])
    lower = sum(low > 0 and low >= tau * least for low, _ in sigma)
    upper = sum(high > 0 and high >= tau * most for _, high in sigma)
    if convention.rule == "relative":  # the first value passes, whatever its interval
        lower = max(lower, min(positive, 1))
    return lower, upper


def truncated(w: list[Claim], normalised: bool) -> tuple[arb, arb]:
    """Bounds of ``-sum p log p`` (over ``log r``), ``p_k = w_k / sum w``, for weights in the intervals."""
    r, low, high = len(w), arb(0), arb(0)
    if r == 1:
        return low, high
    floor, ceiling = sum(a for a, _ in w), sum(b for _, b in w)
    for a, b in w:
        least = a / (a + ceiling - b) if a else Fraction(0)
        most = b / (b + floor - a)
        g, h, peak = surprise(least), surprise(most), (-arb(1)).exp()
        low += g.min(h)
        inside = not (ball(most) < peak or ball(least) > peak)
        high += peak if inside else g.max(h)
    ceiling = arb(r).log()
    low, high = low.max(arb(0)), high.min(ceiling)
    return (low / ceiling, high / ceiling) if normalised else (low, high)


def surprise(p: Fraction) -> arb:
    """``-p log p``, which rises up to p = 1/e and then falls."""
    return -ball(p) * ball(p).log() if p else arb(0)


def smallest(bounds: Iterable[arb]) -> arb:
    """A ball that lies below none of the numbers in these balls more than they do."""
    first, *others = bounds
    for one in others:
        first = first.min(one)
    return first


# ---- all steps of an interval


def _on_steps(certificate: object) -> dict[str, Any]:
    data = opened(certificate, "entropies on steps", "ad nodes convention pieces")
    problem, work = read_problem(data["problem"]), allowance(data)
    convention = read_convention(data["convention"])
    demand(
        fields(data["ad"], "ad", "difference precision vectors values")["difference"] is None, "ad: the wrong method"
    )
    _, least, most = entropy(spectrum(problem, data["ad"], "ad", work), convention, work)
    nodes = [read_node(problem, node, work) for node in listed(data["nodes"], "nodes")]
    demand(bool(nodes) and all(node.unit == nodes[0].unit for node in nodes), "nodes: not steps of one stencil")
    pieces: list[tuple[Fraction, Fraction, str]] = []
    for piece in listed(data["pieces"], "pieces"):
        named = fields(piece, "pieces", "low high kind nodes sign")
        low, high = rational(named["low"], "pieces.low"), rational(named["high"], "pieces.high")
        demand(0 < low <= high, "pieces: 0 < low <= high")
        demand(not pieces or pieces[-1][1] <= low, "pieces: in ascending order")
        chosen = [nodes[integer(k, "pieces.nodes", 0, len(nodes) - 1)] for k in listed(named["nodes"], "pieces.nodes")]
        values = values_on(problem, str(named["kind"]), chosen, low, high, work)
        _, below, above = entropy(values, convention, work)
        proven = {"fd<ad": above < least, "fd>ad": below > most}.get(str(named["sign"]), False)
        demand(proven, f"pieces: the sign {str(named['sign'])[:20]!r} is not proven from {low} to {high}")
        pieces.append((low, high, named["sign"]))
    demand(bool(pieces), "pieces: there are none")
    runs = pieces[:1]
    for low, high, sign in pieces[1:]:
        if runs[-1][1:] == (low, sign):
            runs[-1] = (runs[-1][0], high, sign)
        else:
            runs.append((low, high, sign))
    proven_of = {
        "convention": data["convention"],
        "signs": [f"{sign} for every h in [{a}, {b}]" for a, b, sign in runs],
    }
    stencils = [f"{list(map(str, shifts))}, {list(map(str, weights))}" for shifts, weights in nodes[0].printed]
    spectra = [data["ad"], *data["nodes"]]
    return described(data, problem, spectra) | {"stencils (times h, over h^m)": stencils} | proven_of


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
    e = move(problem, node, low, high, work)
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


def move(problem: Problem, node: Node, low: Fraction, high: Fraction, work: Work) -> Fraction:
    """An upper bound of ``||A(h) - A(a)||_F`` for every h in [low, high], a the step of the node."""
    ctx.prec = STEP_BITS
    span, total = ball(low).union(ball(high)), arb(0)
    a, over, s = ball(node.step), ball(high), problem.activation
    orders, highest = [term.order for term in problem.operator], checker.MAX_ORDER
    count = len(problem.points) * len(problem.weights) * sum(1 + len(weights) for _, weights in node.unit)
    work.spend(count * (s.cost(highest, STEP_BITS) + 20 * checker.rational_cost(problem.size, highest) + 200))
    demand(max(orders) < highest, "pieces: derivatives of too high an order")
    change = [span - a]  # h^q - a^q = (h - a) sum h^i a^(q-1-i), narrow
    for q in range(2, highest + 1):
        change.append((span - a) * sum((span**i * a ** (q - 1 - i) for i in range(1, q)), a ** (q - 1)))
    for x in problem.points:
        c = checker.coefficients(problem.operator, problem.names, x)
        for w, b in problem.features:
            theta, entry = ball(dot(w, x, b)), arb(0)
            t = checker.taylor(s, theta, highest - 1)
            for factor, m, (shifts, weights) in zip(c, orders, node.unit, strict=True):
                mus, part, P = [dot(w, shift, Fraction(0)) for shift in shifts], arb(0), highest - m
                for q in range(1, P):
                    moment = dot(weights, [mu ** (m + q) for mu in mus], Fraction(0))
                    part += change[q - 1] * ball(moment) * t[m + q]
                for mu, weight in zip(mus, weights, strict=True):
                    if mu and weight:
                        far = checker.taylor(s, theta.union(theta + over * ball(mu)), highest)[highest]
                        part += (span**P * far - a**P * far) * ball(weight * mu**highest)
                entry += factor * part
            total += entry.abs_upper() * entry.abs_upper()
    demand(total.is_finite(), "pieces: the activation is not bounded on the way")
    mantissa, exponent = total.sqrt().upper().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


if __name__ == "__main__":
    sys.exit(checker.main(sys.argv[1:], verify))
