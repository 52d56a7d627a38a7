"""Re-verifies every proof object of adfd: singular values, entropies, and entropies for all steps of an interval.

Standard library, python-flint and ``checker.py`` beside it, nothing else. ``python checker_entropies.py FILE...`` prints
what is proven, or one line why a file is refused; exit status 0 or 1. Specified in ``docs/certificates.md``; in short:

**Entropies.** Both spectra are proven first. With intervals ``[l_k, u_k]`` of the singular values, the cut-off numbers r
that the convention's comparisons allow are found in exact rational arithmetic. For each of them, with weights
``w_k = s_k^q``, ``p_k = w_k / (w_k + sum of the others)`` is rising in w_k and falling in the others, and
``g(p) = -p log p`` rises up to 1/e and falls after it; ``H = sum_k g(p_k)`` is bounded term by term. What is proven is the
hull over all possible r.

**Steps.** What is known of the matrix on a piece of steps is in ``checker_steps.py``: intervals of its singular values,
which bound the entropy as above; or its distance from a matrix with known singular vectors, and the entropy's first-order
change (:func:`near`).
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
    Work,
    allowance,
    ball,
    bits_of,
    decimal,
    demand,
    described,
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
from proofs_check.checker_steps import (
    STEP_BITS,
    Drift,
    Frame,
    Node,
    drift,
    drift_from,
    frame,
    leading_power,
    plus_minus,
    read_node,
    values_on,
)


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


def moved_values(base: Frame, e: arb) -> tuple[list[Fraction], list[Claim]]:
    """The singular values of B, and intervals of those of every matrix within e of it."""
    d = [checker.exact(v) for v in base.values] + [Fraction(0)] * (base.rows - len(base.values))
    reach = checker.exact(e)
    return d, [(max(v - reach, Fraction(0)), v + reach) for v in d]


@dataclass(frozen=True)
class Gradient:
    """``phi(x) = x^q (1 + t - log x^q) / S``, S and t of some values; or ``phi(x) = x^q`` (``plain``)."""

    S: arb
    t: arb
    q: int
    plain: bool = False

    @staticmethod
    def of(d: list[Fraction], q: int) -> Gradient:
        w = [ball(v) ** q for v in d]
        S = sum(w, arb(0))
        return Gradient(S, sum((x * x.log() for x in w if x > 0), arb(0)) / S, q)

    def power(self, x: arb) -> arb:
        return x if self.q == 1 else x * x

    def slope(self, x: arb) -> arb:
        if self.plain:
            return arb(1) if self.q == 1 else 2 * x
        return (self.t - x.log()) / self.S if self.q == 1 else 2 * x * (self.t - 2 * x.log()) / self.S

    def curvature(self, x: arb) -> arb:
        """Monotone."""
        if self.plain:
            return arb(2 * (self.q - 1))
        return -1 / (x * self.S) if self.q == 1 else 2 * (self.t - 2 - 2 * x.log()) / self.S

    def steepest(self, sigma: list[Claim], split: int) -> arb:
        """A Lipschitz constant of the gradient of the sum over the first ``split`` values, which must be apart from the others."""
        after = sigma[split][1] if split < len(sigma) else Fraction(0)
        demand(sigma[split - 1][0] > after, "pieces.split: the values above are not apart from those below")
        found = self.curvature(ball(sigma[split - 1][0])).abs_upper().max(self.curvature(ball(sigma[0][1])).abs_upper())
        for low, high in sigma[:split]:
            found = found.max((self.slope(ball(low).union(ball(high))) / ball(low - after)).abs_upper())
        return found


def first_order(moved: Drift, base: Frame, slopes: list[arb]) -> arb:
    """``sum f_q slope_k x_k . C_q y_k``."""
    along = [sum((a * x for a, x in zip(slopes, block, strict=False)), arb(0)) for block in moved.along(base)]
    return sum((f * c for f, c in zip(moved.factors, along, strict=True)), arb(0))


def rate(base: Frame, moved: Drift, reach: arb, convention: Convention, work: Work) -> arb:
    """Encloses ``(H(A(h)) - H(A(0))) / h^p`` for all h in (0, high]: ``moved`` is over ``h^p``, reach is ``high^p``.

    It is a derivative of H along ``G = (A(h) - A(0)) / h^p`` somewhere between the two matrices; with a cut-off number r that is
    the same for all of them, exactly ``(S F' + (T_M / S_M - t) S_M') / S_M``, F the sum of phi, S_M and T_M those of that matrix.
    """
    q = convention.power
    ctx.prec = STEP_BITS
    size = moved.known + moved.rest
    e = (base.off + reach * size).upper()
    d, sigma = moved_values(base, e)
    work.spend(60.0 * len(d) * (1 + len(moved.blocks)) + 20.0 * len(d) ** 2)
    r, most = cutoffs(sigma, convention)
    demand(r == most, "pieces: the cut-off number is not known")
    demand(r >= 1 + convention.normalised, "entropies: undefined for a cut-off number that is possible")
    demand(r <= len(base.values), "pieces: a cut-off number without vectors")
    gradient, change = Gradient.of(d[:r], q), []
    for one in (gradient, Gradient(gradient.S, gradient.t, q, plain=True)):
        steepest, slopes = one.steepest(sigma, r), [one.slope(v) for v in base.values[:r]]
        error = checker.norm(slopes) * (moved.rest + base.tilt * moved.known) + steepest * e * size
        change.append(first_order(moved, base, slopes) + plus_minus(error))
    w = [ball(low**q).union(ball(high**q)) for low, high in sigma[:r]]
    total, logs = sum(w, arb(0)), sum((x * x.log() for x in w), arb(0))
    found = (gradient.S * change[0] + (logs / total - gradient.t) * change[1]) / total
    demand(found.is_finite(), "pieces: the matrix moves too far")
    return found / arb(r).log() if convention.normalised else found


def near(base: Frame, moved: Drift, split: int, convention: Convention, work: Work) -> tuple[arb, arb]:
    """Bounds of the entropy of every ``A(h)`` that this drift takes the base to, to first order with its remainder.

    With ``phi(x) = x^q (1 + t - log x^q) / S`` and a the relative change of S, exactly
    ``H(A(h)) = log S - t + (dF + [0, a^2]) / (1 + a)``, where dF is the change of ``sum phi(s_k)``.
    """
    q = convention.power
    ctx.prec = STEP_BITS
    e = (base.off + moved.known + moved.rest).upper()
    d, sigma = moved_values(base, e)
    N = len(d)
    work.spend(30.0 * N * (1 + len(moved.blocks)) + 10.0 * N * N)
    lowest, highest = cutoffs(sigma, convention)
    demand(lowest >= 1 + convention.normalised, "entropies: undefined for a cut-off number that is possible")
    demand(1 <= split <= min(lowest, len(base.values)), "pieces.split: from 1 to the least cut-off number")
    work.spend(sum(100.0 * r for r in range(lowest, highest + 1)))
    gradient = Gradient.of(d[:lowest], q)
    S, t, power = gradient.S, gradient.t, gradient.power

    def phi(low: Fraction, high: Fraction) -> arb:  # rises up to log x^q = t, and falls after it
        below, above = power(ball(low)), power(ball(high))
        ends = [v * (1 + t - v.log()) / S if v > 0 else arb(0) for v in (below, above)]
        hull, top = ends[0].union(ends[1]), t.exp()
        return hull if above < top or below > top else hull.union(top / S)

    steepest = gradient.steepest(sigma, split)
    slopes = [gradient.slope(v) for v in base.values[:split]]
    first = first_order(moved, base, slopes)
    error = checker.norm(slopes) * (base.off + moved.rest + base.tilt * moved.known) + steepest * e * e / 2
    change = first + plus_minus(error) - sum((phi(v, v) for v in d[split:lowest]), arb(0))
    bounds = []
    for r in range(lowest, highest + 1):
        total = sum((power(ball(low)).union(power(ball(high))) for low, high in sigma[:r]), arb(0))
        a = (total - S) / S
        demand(1 + a > 0, "pieces: the matrix moves too far")
        rise = change + sum((phi(*pair) for pair in sigma[split:r]), arb(0))
        H = S.log() - t + (rise + arb(0).union(a.abs_upper() * a.abs_upper())) / (1 + a)
        bounds.append(H / arb(r).log() if convention.normalised else H)
    demand(all(H.is_finite() for H in bounds), "pieces: the matrix moves too far")
    return smallest(H.lower() for H in bounds), -smallest(-H.upper() for H in bounds)


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
        low, high = rational(piece["low"], "pieces.low"), rational(piece["high"], "pieces.high")
        if piece["kind"] == "near zero":
            demand(low == 0 < high and not pieces, "pieces: near zero is the first, from 0 to a positive step")
            gap = rate_on(problem, data, nodes, piece, convention, work)
            proven = {"fd<ad": gap < 0, "fd>ad": gap > 0}.get(str(piece["sign"]), False)
        else:
            demand(0 < low <= high, "pieces: 0 < low <= high")
            demand(not pieces or pieces[-1][1] <= low, "pieces: in ascending order")
            below, above = entropy_on(problem, data, nodes, piece, convention, work)
            proven = {"fd<ad": above < least, "fd>ad": below > most}.get(str(piece["sign"]), False)
        demand(proven, f"pieces: the sign {str(piece['sign'])[:20]!r} is not proven from {low} to {high}")
        pieces.append((low, high, piece["sign"]))
    demand(bool(pieces), "pieces: there are none")
    runs = pieces[:1]
    for low, high, sign in pieces[1:]:
        if runs[-1][1:] == (low, sign):
            runs[-1] = (runs[-1][0], high, sign)
        else:
            runs.append((low, high, sign))
    proven_of = {
        "convention": data["convention"],
        "signs": [f"{sign} for every h in {'[' if a else '('}{a}, {b}]" for a, b, sign in runs],
    }
    stencils = [f"{list(map(str, shifts))}, {list(map(str, weights))}" for shifts, weights in nodes[0].printed]
    spectra = [data["ad"], *data["nodes"]]
    return described(data, problem, spectra) | {"stencils (times h, over h^m)": stencils} | proven_of


def rate_on(
    problem: Problem, data: dict[str, Any], nodes: list[Node], piece: Any, convention: Convention, work: Work
) -> arb:
    """Encloses ``(H(A_FD(h)) - H(A_AD)) / h^p`` for all h in (0, high]."""
    named = fields(piece, "pieces", "low high kind nodes sign derivatives")
    demand(named["nodes"] == [], "pieces: near zero has no nodes")
    highest, high = (
        integer(named["derivatives"], "pieces.derivatives", 1, checker.MAX_ORDER),
        rational(named["high"], "high"),
    )
    power = leading_power(problem, nodes[0], work, highest)
    moved = drift(problem, nodes[0], Fraction(0), Fraction(0), high, work, highest, power)
    return rate(frame(problem, data["ad"], work), moved, ball(high**power), convention, work)


def entropy_on(
    problem: Problem, data: dict[str, Any], nodes: list[Node], piece: Any, convention: Convention, work: Work
) -> tuple[arb, arb]:
    """Bounds of the entropy of A_FD(h) for all h of a piece."""
    first_order = isinstance(piece, dict) and piece.get("kind") == "first order"
    named = fields(piece, "pieces", "low high kind nodes sign" + (" split derivatives" if first_order else ""))
    low, high = rational(named["low"], "pieces.low"), rational(named["high"], "pieces.high")
    places = [integer(k, "pieces.nodes", 0, len(nodes) - 1) for k in listed(named["nodes"], "pieces.nodes")]
    if not first_order:
        values = values_on(problem, str(named["kind"]), [nodes[k] for k in places], low, high, work)
        return entropy(values, convention, work)[1:]
    demand(len(places) <= 1, "pieces: about one node, or about A_AD")
    base = frame(problem, data["nodes"][places[0]] if places else data["ad"], work)
    highest = integer(named["derivatives"], "pieces.derivatives", 1, checker.MAX_ORDER)
    if places:
        moved = drift_from(problem, nodes[places[0]], low, high, work, highest)
    else:
        moved = drift(problem, nodes[0], Fraction(0), low, high, work, highest)
    return near(base, moved, integer(named["split"], "pieces.split", 1, base.rows), convention, work)


if __name__ == "__main__":
    sys.exit(checker.main(sys.argv[1:], verify))
