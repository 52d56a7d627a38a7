"""E σ(U)σ(V) for normal weights and any law of the bias, in any dimension.

D = U − V less its mean is normal.  The regression of U on it, U = E w·x + κD + Z, leaves Z = bias + a normal variable,
independent of D and of smooth density whatever the bias.  Two trapezoidal rules remain, which converge like Gaussians;
κ is rational, so that all arguments lie on one lattice: the activation is evaluated once for each of its values, and
everything else is arithmetic of integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any

from mpmath import mp

from theory.base.quadrature import density, gauss_legendre, real
from theory.features.laws import Cauchy, Constant, Discrete, Laplace, Law, Normal, Student
from theory.kernels.oracle.lattice import to_fixed

Number = Any
Point = Sequence[Fraction]
GUARD_BITS = 40
"""Of fixed-point numbers, for the rounding of recurrences and sums."""


@dataclass(frozen=True)
class Entire:
    """An entire activation.

    Attributes:
        value: σ at an mpmath number.
        growth: σ grows like exp(growth · y²) off the real line.
        decays: whether it vanishes to both sides on it.
        parity: 1 where it is even, −1 where it is odd, else 0.
    """

    value: Callable[[Number], Number]
    growth: Number
    decays: bool
    parity: int


def mean(activation: Entire, weights: Normal, bias: Law, p: Point, q: Point, level: int) -> Number:
    """E σ(w·p + b) σ(w·q + b) in the current precision.

    Args:
        activation: it decays where the law of the bias has longer tails than normal.
        weights: the law of every coordinate; they are independent.
        bias: any law.
        p, q: points; equal, or not on one line through 0.
        level: 0 for the steps that the precision calls for; two more halve them.
    """
    alpha, beta, gamma = (weights.std**2 * _dot(a, b) for a, b in ((p, p), (q, q), (p, q)))
    variance = alpha + beta - 2 * gamma
    kappa = (alpha - gamma) / variance if variance else Fraction(0)
    rest = alpha - kappa**2 * variance  # Var(Z − b)
    symmetric = activation.parity != 0 and bias.symmetric and weights.mean == 0
    if isinstance(bias, Normal):
        rest, bias = rest + bias.std**2, Constant(bias.mean)
    bits, std, r = int(mp.prec) + GUARD_BITS, mp.sqrt(real(variance)), mp.sqrt(real(rest))
    far = mp.sqrt(2 * bits * mp.ln2)  # standard deviations
    means = [weights.mean * sum(point, Fraction(0)) for point in (p, q)]
    # The lattice has step 1/N.  D takes every ``fine``-th value of it, κD every ``along``-th, Z every ``coarse``-th.
    fine, common = kappa.denominator, lcm(*(m.denominator for m in means))
    across = activation.growth * real(kappa**2 + (1 - kappa) ** 2)
    steps = [fine / _step(std, across, level)] if variance else []
    wanted = _step(r, 2 * activation.growth, level)
    N = common * int(mp.ceil(max(*steps, 1 / wanted) / common)) if steps else common * int(mp.ceil(1 / wanted / common))
    along, coarse = int(kappa * fine), max(1, int(wanted * N))
    first, second = (int(m * N) for m in means)
    last = int(far * std * N / fine)
    limit = int(_reach(activation.value) * N) if activation.decays else None
    bounds = [] if limit is None else [limit + abs(first) + last * abs(along)]
    if None not in bias.support:
        bounds.append(int((max(abs(real(e)) for e in bias.support if e is not None) + far * r) * N))
    widest = min(bounds) // coarse + 1
    smooth = [to_fixed(v, bits) for v in _smoothed(bias, r, mp.mpf(coarse) / N, widest, level)]
    values: dict[int, int] = {}

    def at(index: int) -> int:
        found = values.get(index)
        if found is None:
            found = values[index] = to_fixed(activation.value(mp.mpf(index) / N), bits)
            if activation.parity:
                values[-index] = activation.parity * found
        return found

    total = mp.mpf(0)
    for k in range(0 if symmetric else -last, last + 1):
        share = mp.npdf(mp.mpf(fine * k) / N, 0, std) * fine / N if variance else mp.mpf(1)
        u, v = first + along * k, second + (along - fine) * k
        low, high = -widest, widest
        if limit is not None:
            low, high = max(low, -((limit + min(u, v)) // coarse)), min(high, (limit - max(u, v)) // coarse)
        least = int(1 / share)  # what is smaller cannot be felt
        while low <= high and smooth[widest + low] < least:
            low += 1
        while low <= high and smooth[widest + high] < least:
            high -= 1
        shifts = range(coarse * low, coarse * high + 1, coarse)
        inner = sum([at(u + s) * at(v + s) * c for s, c in zip(shifts, smooth[widest + low :], strict=False)])
        total += share * (2 if symmetric and k else 1) * mp.ldexp(mp.mpf(inner), -3 * bits)
    return total * coarse / N


def _step(std: Number, growth: Number, level: int) -> Number:
    """The step at which the trapezoidal rule reaches the precision, for a normal law and a factor that grows like
    exp(growth · y²) off the real line: the error is exp(−π²/(a step²)) with a = 1/(2 std²) + growth."""
    return mp.pi / mp.sqrt((1 / (2 * std**2) + growth) * mp.prec * mp.ln2) * mp.mpf(2) ** (-mp.mpf(level) / 2)


def _dot(a: Point, b: Point) -> Fraction:
    return sum((s * t for s, t in zip(a, b, strict=True)), Fraction(0))


def _reach(activation: Callable[[Number], Number]) -> Number:
    """Beyond it a decaying activation is under the working precision."""
    limit = mp.mpf(1) / 4
    while max(abs(activation(s * limit * t)) for s in (-1, 1) for t in (1, 1.0625, 1.125)) > mp.ldexp(1, -mp.prec - 8):
        limit *= mp.mpf(5) / 4
    return limit


def _smoothed(law: Law, r: Number, step: Number, widest: int, level: int) -> Iterator[Number]:
    """The density of the law blurred by a centred normal law of deviation r, at j · step for |j| ≤ widest."""
    if isinstance(law, Cauchy | Student):
        return _heavy(law, r, step, widest, level)
    if isinstance(law, Constant | Discrete):
        values = law.parameters
        return _light([(real(v), mp.mpf(1) / len(values)) for v in values], r, step, widest)
    reach = widest * step + r * mp.sqrt(2 * (mp.prec + GUARD_BITS) * mp.ln2)  # beyond it no node is felt
    return _light(_nodes(law, r, reach, level), r, step, widest)


def _heavy(law: Cauchy | Student, r: Number, step: Number, widest: int, level: int) -> Iterator[Number]:
    """By the trapezoidal rule in the normal variable; the poles of the density bound its step."""
    bits = int(mp.prec) + GUARD_BITS
    width = real(law.scale) * (mp.sqrt(real(law.dof)) if isinstance(law, Student) else 1)
    most = _step(r, mp.mpf(0), level)
    if 2 * mp.pi * r**2 / most > width:  # a pole is nearer than where the normal density takes over
        most = 2 * mp.pi * width / (bits * mp.ln2 + (width / r) ** 2 / 2) * mp.mpf(2) ** (-mp.mpf(level) / 2)
    parts = int(mp.ceil(step / most))
    h = step / parts
    last = int(mp.sqrt(2 * bits * mp.ln2) * r / h)
    blur = [to_fixed(h * mp.npdf(k * h, 0, r), bits) for k in range(-last, last + 1)]
    f, reach = density(law), widest * parts + last
    heights = [to_fixed(f(k * h), bits) for k in range(-reach, reach + 1)]
    for start in range(0, 2 * widest * parts + 1, parts):
        window = heights[start : start + 2 * last + 1]
        yield mp.ldexp(mp.mpf(sum([a * b for a, b in zip(blur, window, strict=True)])), -2 * bits)


def _nodes(law: Law, r: Number, reach: Number, level: int) -> Iterator[tuple[Number, Number]]:
    """Nodes and weights of the law on [−reach, reach], for integrands with features of width r: Gauss–Legendre panels,
    cut where the density has a kink."""
    ends = [sign * reach if end is None else real(end) for sign, end in zip((-1, 1), law.support, strict=True)]
    f, centre, width = density(law), real(law.centre), r
    if isinstance(law, Laplace):
        width = min(r, 3 * real(law.scale))
        tail = real(law.scale) * (mp.prec + GUARD_BITS) * mp.ln2
        ends = [max(-reach, centre - tail), min(reach, centre + tail)]
    low, high = max(ends[0], -reach), min(ends[1], reach)
    points, weights = gauss_legendre(int(mp.prec) // 6 + 4 * level)
    for a, b in pairwise(sorted({low, high, min(max(centre, low), high)})):
        panels = int(mp.ceil((b - a) / (2 * width)))
        half = (b - a) / (2 * panels)
        for k in range(panels):
            for s, c in zip(points, weights, strict=True):
                node = a + (2 * k + 1 + s) * half
                yield node, half * c * f(node)


def _light(nodes: Iterable[tuple[Number, Number]], r: Number, step: Number, widest: int) -> Iterator[Number]:
    """Σ weight · normal density at j · step − node, by recurrence outwards from each node, in fixed point."""
    bits = int(mp.prec) + GUARD_BITS
    sums = [0] * (2 * widest + 1)
    scale, shrink = 1 / (r * mp.sqrt(2 * mp.pi)), to_fixed(mp.exp(-((step / r) ** 2)), bits)
    for node, weight in nodes:
        above = int(mp.ceil(node / step))
        for start, sign in ((above, 1), (above - 1, -1)):
            away = abs(start * step - node)
            value = to_fixed(weight * scale * mp.exp(-((away / r) ** 2) / 2), bits)
            ratio = to_fixed(mp.exp(-step * (away + step / 2) / r**2), bits)
            place = widest + start
            while value:
                if 0 <= place < len(sums):
                    sums[place] += value
                value, ratio, place = value * ratio >> bits, ratio * shrink >> bits, place + sign
    return (mp.ldexp(mp.mpf(s), -bits) for s in sums)
