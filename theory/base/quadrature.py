"""Multiprecision quadrature of expectations: the independent route by which closed forms are verified.

One rule per law, each converging exponentially for analytic integrands: the trapezoidal rule for the normal law,
double-exponential rules (Takahasi & Mori, 1974) for the others, and Ooura & Mori's rule (1991) for Fourier
integrals of slowly decaying densities.  Densities are evaluated here from their elementary formulas: characteristic
functions, moments and everything else that a derivation uses are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from mpmath import mp

from theory.features.laws import Cauchy, Constant, Discrete, Laplace, Law, Normal, Student, Uniform

Number = Any
"""An mpmath number."""
Function = Callable[[Number], Number]


@dataclass(frozen=True, eq=False)
class Rule:
    """E f(w) ≈ Σ weights[k] f(nodes[k])."""

    nodes: tuple[Number, ...]
    weights: tuple[Number, ...]

    def mean(self, f: Function) -> Number:
        """The expectation of f."""
        return mp.fsum(c * f(s) for s, c in zip(self.nodes, self.weights, strict=True))


def step_of(level: int) -> Number:
    """2^{−level/2}."""
    return mp.ldexp(1, -(level // 2)) / (mp.sqrt(2) if level % 2 else 1)


def real(value: Fraction | int) -> Number:
    """A rational in the current precision."""
    value = Fraction(value)
    return mp.mpf(value.numerator) / value.denominator


def rule(law: Law, level: int) -> Rule:
    """The rule of a law in the current precision; two levels halve the step."""
    return _rule(law, level, int(mp.prec))


@lru_cache(maxsize=64)
def _rule(law: Law, level: int, prec: int) -> Rule:
    with mp.workprec(prec):
        if isinstance(law, Discrete | Constant):
            values = law.parameters
            return Rule(tuple(real(v) for v in values), (mp.mpf(1) / len(values),) * len(values))
        if isinstance(law, Normal):
            return _trapezoidal(law, level)
        if isinstance(law, Uniform):
            nodes, weights = tanh_sinh(real(law.low), real(law.high), level)
            return Rule(nodes, tuple(c / real(law.high - law.low) for c in weights))
        if isinstance(law, Laplace):
            return _laplace(law, level)
        return _heavy(law, level)


def _trapezoidal(law: Normal, level: int) -> Rule:
    """Step 2^{−level/2} standard deviations, cut where the density is under the working precision."""
    h = step_of(level)
    reach = int(mp.ceil(mp.sqrt(2 * mp.prec * mp.ln2) / h)) + 2
    centre, std = real(law.mean), real(law.std)
    # exp(−(kh)²/2) by two multiplications a node
    ratio, step = mp.exp(-(h**2) / 2), mp.exp(-(h**2))
    weights = [h / mp.sqrt(2 * mp.pi)]
    for _ in range(reach):
        weights.append(weights[-1] * ratio)
        ratio *= step
    nodes = tuple(centre + std * k * h for k in range(-reach, reach + 1))
    return Rule(nodes, tuple(weights[abs(k)] for k in range(-reach, reach + 1)))


def tanh_sinh(low: Number, high: Number, level: int) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
    """Nodes and weights of ∫ f over [low, high], step 2^{−level/2}; ends where a weight is under the precision.

    Nodes are measured from the nearer end, so that none rounds onto it from outside.
    """
    nodes: list[Number] = []
    weights: list[Number] = []
    half, middle = (high - low) / 2, (high + low) / 2
    for gap, c in _tanh_sinh_unit(level, int(mp.prec)):
        if gap is None:
            nodes.append(middle)
            weights.append(c * half)
        else:
            nodes += [high - half * gap, low + half * gap]
            weights += [c * half, c * half]
    return tuple(nodes), tuple(weights)


@lru_cache(maxsize=32)
def _tanh_sinh_unit(level: int, prec: int) -> tuple[tuple[Number | None, Number], ...]:
    """(1 − node, weight) for the positive nodes on [−1, 1]; None for the node 0."""
    h = step_of(level)
    out: list[tuple[Number | None, Number]] = [(None, h * mp.pi / 2)]
    k = 0
    while True:
        k += 1
        t = k * h
        e = mp.exp(mp.pi * mp.sinh(t))
        gap = 2 / (1 + e)  # 1 − tanh(π/2 sinh t)
        weight = h * mp.pi / 2 * mp.cosh(t) * gap * (2 - gap)
        if weight < mp.ldexp(1, -prec - 4):
            return tuple(out)
        out.append((gap, weight))


def _laplace(law: Laplace, level: int) -> Rule:
    """Each half-line through s = exp(t − e^{−t}), for which e^{−s} ds decays doubly exponentially."""
    h = step_of(level)
    centre, scale = real(law.location), real(law.scale)
    nodes: list[Number] = []
    weights: list[Number] = []
    tiny = mp.ldexp(1, -mp.prec - 4)
    for direction in (1, -1):
        k = 0 if direction == 1 else -1
        while True:
            t = k * h
            s = mp.exp(t - mp.exp(-t))
            weight = h * s * (1 + mp.exp(-t)) * mp.exp(-s) / 2
            if weight < tiny:
                break
            nodes += [centre + scale * s, centre - scale * s]
            weights += [weight, weight]
            k += direction
    return Rule(tuple(nodes), tuple(weights))


def laplace_rule(law: Laplace, level: int, shifted: bool = False) -> Rule:
    """Each half-line through s = log(1 + exp(t − e^{−t})): nodes equally spaced far out, for integrands with features
    of one width everywhere, such as σ(w x + b) along w; ``shifted`` by half a step, it shares no nodes with itself."""
    return _laplace_rule(law, level, shifted, int(mp.prec))


@lru_cache(maxsize=16)
def _laplace_rule(law: Laplace, level: int, shifted: bool, prec: int) -> Rule:
    with mp.workprec(prec):
        h = step_of(level)
        centre, scale = real(law.location), real(law.scale)
        nodes: list[Number] = []
        weights: list[Number] = []
        tiny = mp.ldexp(1, -prec - 4)
        for direction in (1, -1):
            k = 0 if direction == 1 else -1
            while True:
                t = (k + mp.mpf(int(shifted)) / 2) * h
                inner = mp.exp(t - mp.exp(-t))
                s = mp.log1p(inner)
                # ds = inner (1 + e^{−t}) / (1 + inner) dt, and e^{−s} = 1 / (1 + inner)
                weight = h * inner * (1 + mp.exp(-t)) / (1 + inner) ** 2 / 2
                if weight < tiny:
                    break
                nodes += [centre + scale * s, centre - scale * s]
                weights += [weight, weight]
                k += direction
        return Rule(tuple(nodes), tuple(weights))


def cut_normal_rule(law: Normal, level: int) -> Rule:
    """The normal density on an interval beyond which it is under the working precision, by tanh-sinh quadrature."""
    centre, std = real(law.mean), real(law.std)
    reach = std * mp.sqrt(2 * mp.prec * mp.ln2)
    nodes, weights = tanh_sinh(centre - reach, centre + reach, level)
    return Rule(nodes, tuple(c * mp.npdf(s, centre, std) for s, c in zip(nodes, weights, strict=True)))


def shifted_normal_rule(law: Normal, level: int) -> Rule:
    """The trapezoidal rule of step 3/4 · 2^{−level/2} standard deviations at half-odd multiples of it: none of its nodes
    but those of other rules."""
    h = step_of(level) * 3 / 4
    centre, std = real(law.mean), real(law.std)
    reach = int(mp.sqrt(2 * mp.prec * mp.ln2) / h) + 2
    shifts = [(k + mp.mpf(1) / 2) * h for k in range(-reach, reach)]
    scale = h / mp.sqrt(2 * mp.pi)
    return Rule(tuple(centre + std * t for t in shifts), tuple(scale * mp.exp(-t * t / 2) for t in shifts))


def density(law: Law) -> Function:
    """The density as a function of an mpmath number; its normalising constant is computed here."""
    if isinstance(law, Cauchy):
        centre, scale = real(law.location), real(law.scale)
        return lambda w: scale / mp.pi / (scale**2 + (w - centre) ** 2)
    if isinstance(law, Student):
        nu, scale = real(law.dof), real(law.scale)
        constant = 1 / (scale * mp.sqrt(nu) * mp.beta(nu / 2, mp.mpf(1) / 2))
        return lambda w: constant * (1 + (w / scale) ** 2 / nu) ** (-(nu + 1) / 2)
    if isinstance(law, Normal):
        mean, std = real(law.mean), real(law.std)
        return lambda w: mp.npdf(w, mean, std)
    if isinstance(law, Laplace):
        centre, scale = real(law.location), real(law.scale)
        return lambda w: mp.exp(-abs(w - centre) / scale) / (2 * scale)
    if isinstance(law, Uniform):
        return lambda w: 1 / real(law.high - law.low)
    raise TypeError(f"{law} has no density")


def _heavy(law: Law, level: int) -> Rule:
    """Algebraic tails through w = centre + scale sinh(π/2 sinh t)."""
    h = step_of(level)
    f = density(law)
    centre, scale = real(law.centre), real(law.parameters[1])
    nodes, weights = [centre], [h * scale * mp.pi / 2 * f(centre)]
    tiny = mp.ldexp(1, -mp.prec - 4)
    k = 0
    while True:
        k += 1
        inner = mp.pi / 2 * mp.sinh(k * h)
        s = scale * mp.sinh(inner)
        weight = h * scale * mp.pi / 2 * mp.cosh(k * h) * mp.cosh(inner) * f(centre + s)
        # a moment of the integrand may grow: carry the tail until even w² cannot revive it, then stop
        if weight * max(1, s) < tiny or k * h > 8:
            return Rule(tuple(nodes), tuple(weights))
        nodes += [centre + s, centre - s]
        weights += [weight, weight]


def angular_rule(law: Cauchy | Student, level: int) -> Rule:
    """Algebraic tails through w = centre + scale √ν tan θ, with tanh-sinh quadrature in θ."""
    centre, scale = real(law.centre), real(law.parameters[1])
    nu = real(law.dof) if isinstance(law, Student) else mp.mpf(1)
    # density dw = cos^(ν−1) θ dθ / B(ν/2, 1/2)
    constant = mp.pi / 2 / mp.beta(nu / 2, mp.mpf(1) / 2)
    nodes: list[Number] = []
    weights: list[Number] = []
    for gap, c in _tanh_sinh_unit(level, int(mp.prec)):
        if gap is None:
            nodes.append(centre)
            weights.append(c * constant)
            continue
        away = mp.pi / 2 * gap  # θ = π/2 − away
        s = scale * mp.sqrt(nu) * mp.cot(away)
        weight = c * constant * mp.sin(away) ** (nu - 1)
        nodes += [centre + s, centre - s]
        weights += [weight, weight]
    return Rule(tuple(nodes), tuple(weights))


def sinh_rule(law: Law, level: int) -> Rule:
    """Algebraic tails through w = centre + scale sinh t, for integrands that vanish beyond |w| ~ 10³ scales."""
    return _sinh_rule(law, level, int(mp.prec))


@lru_cache(maxsize=16)
def _sinh_rule(law: Law, level: int, prec: int) -> Rule:
    with mp.workprec(prec):
        h = step_of(level)
        f, centre, scale = density(law), real(law.centre), real(law.parameters[1])
        nodes, weights = [], []
        for k in range(-int(8 / h), int(8 / h) + 1):
            s = scale * mp.sinh(k * h)
            nodes.append(centre + s)
            weights.append(h * scale * mp.cosh(k * h) * f(centre + s))
        return Rule(tuple(nodes), tuple(weights))


def exponential_mean(law: Law, n: int, rate: Number, level: int) -> Number:
    """E wⁿ e^{rate·w} for a complex rate (imaginary for heavy tails), by quadrature of the density."""
    if isinstance(law, Cauchy | Student):
        centre = real(law.centre)
        t = mp.im(rate)
        total = mp.mpc(0)
        f = density(law)
        for k in range(n + 1):

            def moment(u: Number, k: int = k) -> Number:
                return u**k * f(centre + u)

            half = _ooura(moment, t, k % 2 == 1, level)
            total += mp.binomial(n, k) * centre ** (n - k) * 2 * half * (1j if k % 2 else 1)
        return total * mp.expj(t * centre)
    # under a Laplace law the integrand decays as e^{−(1 − |rate|·scale)|w|/scale}: its rule has to reach so much further
    decay = 1 - abs(mp.re(rate)) * real(law.scale) if isinstance(law, Laplace) else mp.mpf(1)
    with mp.workprec(int(mp.prec / min(max(decay, mp.mpf(1) / 4), 1))):
        chosen = rule(law, level)
        total = mp.fsum(c * s**n * mp.exp(rate * s) for s, c in zip(chosen.nodes, chosen.weights, strict=True))
    return +total


def _ooura(g: Function, t: Number, sine: bool, level: int) -> Number:
    """∫₀^∞ g(u) cos(tu) du, or sin for ``sine``: Ooura and Mori's rule with φ(s) = s/(1 − e^{−6 sinh s})."""
    if t == 0:
        if sine:
            return mp.mpf(0)
        return _positive_axis(g, level)
    omega = abs(t)
    h = step_of(level) / 2
    M = mp.pi / (omega * h)
    # u = M φ(s): nodes s = kh for the sine, (k + ½)h for the cosine approach the zeros doubly exponentially
    tiny = mp.ldexp(1, -mp.prec - 8)
    total = mp.mpf(0)
    for direction in (1, -1):
        k = 0 if direction == 1 else -1
        quiet = 0
        while quiet < 3:
            index, k = k, k + direction
            s = (index + (mp.mpf(0) if sine else mp.mpf(1) / 2)) * h
            if s == 0:
                phi, slope = mp.mpf(1) / 6, mp.mpf(1) / 2
            else:
                e = mp.exp(-6 * mp.sinh(s))
                phi = s / (1 - e)
                slope = 1 / (1 - e) - 6 * s * mp.cosh(s) * e / (1 - e) ** 2
            u = M * phi
            if s > 0:
                # near a zero of the oscillating factor its value comes from φ(s) − s, which does not cancel
                small = M * omega * s * e / (1 - e)
                wave = mp.sin(small) if sine else -mp.sin(small)
                if index % 2:
                    wave = -wave
            else:
                wave = mp.sin(omega * u) if sine else mp.cos(omega * u)
            term = g(u) * slope * wave
            total += term
            quiet = quiet + 1 if abs(term) < tiny * max(1, abs(total)) else 0
            if abs(k) * h > 12:
                break
    value = total * M * h
    return -value if sine and t < 0 else value


def _positive_axis(g: Function, level: int) -> Number:
    """∫₀^∞ g for algebraic decay, through u = exp(π/2 sinh t)."""
    h = step_of(level)
    tiny = mp.ldexp(1, -mp.prec - 8)
    total = mp.mpf(0)
    for direction in (1, -1):
        k = 0 if direction == 1 else -1
        while True:
            t = k * h
            u = mp.exp(mp.pi / 2 * mp.sinh(t))
            term = g(u) * u * mp.pi / 2 * mp.cosh(t)
            total += term
            k += direction
            if abs(term) < tiny * max(1, abs(total)) and abs(k) > 4:
                break
    return total * h


def panels(f: Function, points: Iterable[Number], level: int) -> Number:
    """∫ f from the least to the largest of ``points``, one double-exponential rule between neighbours."""
    total = mp.mpf(0)
    for low, high in pairwise(sorted(set(points))):
        nodes, weights = tanh_sinh(low, high, level)
        total += mp.fsum(c * f(s) for s, c in zip(nodes, weights, strict=True))
    return total


def gauss_legendre(n: int) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
    """Nodes and weights on [−1, 1] in the current precision, exact for polynomials of degree 2n − 1."""
    return _gauss_legendre(n, int(mp.prec))


@lru_cache(maxsize=32)
def _gauss_legendre(n: int, prec: int) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
    nodes, weights = [], []
    with mp.workprec(prec + 20):
        for k in range(n):
            x = mp.cos(mp.pi * (k + mp.mpf(3) / 4) / (n + mp.mpf(1) / 2))
            for _ in range(60):
                p0, p1 = mp.mpf(1), x
                for j in range(2, n + 1):
                    p0, p1 = p1, ((2 * j - 1) * x * p1 - (j - 1) * p0) / j
                slope = n * (x * p1 - p0) / (x * x - 1)
                change = p1 / slope
                x -= change
                if abs(change) < mp.ldexp(1, -prec - 10):
                    break
            nodes.append(x)
            weights.append(2 / ((1 - x * x) * slope**2))
    return tuple(nodes), tuple(weights)
