"""ReLU powers beyond centred normal laws, by direct integration over the polyhedra on which they are polynomials.

Three cases in which one variable remains and its truncated moments are closed: a uniform bias (weights normal,
uniform or Laplace, one dimension), fixed weights (bias normal, uniform or Laplace), a fixed bias (one dimension).

tanh (and the sigmoid) with fixed weights and a uniform bias, by the addition theorem of tanh (ours).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy as sp

from theory.base.derivation import Step
from theory.features.laws import Constant, Laplace, Law, Normal, Uniform
from theory.kernels.forms.activation_forms import ReluPower, Shape, TanhAffine
from theory.kernels.forms.coordinates import Coordinates, Weights, fraction
from theory.kernels.forms.integrals import Integral1, LogCosh, TanhMean, tanh_derivative

TRUNCATED = (Normal, Uniform, Laplace)
"""Laws whose truncated moments are elementary, in the order of their codes."""


class TruncatedMoment(Integral1):
    """∫ wᵏ f(w) dw over {p w + q > 0, r w + t > 0}: arguments k, law code, p, q, r, t and the law's two parameters."""

    nargs = 8
    integer_arguments = 2

    def doit(self, **hints: Any) -> sp.Expr:
        """Itself: the limits of integration depend on signs."""
        return self

    @classmethod
    def mp_value(cls, mp: Any, *args: Any) -> Any:
        """Difference of the primitive at the ends of the interval."""
        k, code = int(args[0]), int(args[1])
        p, q, r, t, first, second = args[2:]
        low, high = -mp.inf, mp.inf
        for slope, offset in ((p, q), (r, t)):
            if slope > 0:
                low = max(low, -offset / slope)
            elif slope < 0:
                high = min(high, -offset / slope)
            elif not offset > 0:
                return mp.mpf(0)
        if low >= high:
            return mp.mpf(0)
        primitive = (_normal, _uniform, _laplace)[code]
        return primitive(mp, k, high, first, second) - primitive(mp, k, low, first, second)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        k, code, p, q, r, t, *_ = self.args
        conditions = ",\\ ".join(
            f"{printer._print(s)} w + {printer._print(o)} > 0" for s, o in ((p, q), (r, t)) if s != 0
        )
        text = rf"\int_{{{conditions}}} w^{{{k}}} f_{{\mathrm{{{TRUNCATED[int(code)].name}}}}}(w)\,dw"
        return rf"\left({text}\right)" + ("" if exp is None else f"^{{{exp}}}")


def _normal(mp: Any, k: int, w: Any, mean: Any, std: Any) -> Any:
    """∫_{−∞}^{w} sᵏ f(s) ds for the normal law: G_j = −u^{j−1}φ(u) + (j−1) G_{j−2} in u = (s − mean)/std."""
    u = (w - mean) / std
    density = mp.npdf(u) if mp.isfinite(u) else mp.mpf(0)
    G = [mp.ncdf(u) if mp.isfinite(u) else mp.mpf(int(u > 0)), -density]
    for j in range(2, k + 1):
        G.append((-(u ** (j - 1)) * density if mp.isfinite(u) else 0) + (j - 1) * G[j - 2])
    return sum(math.comb(k, j) * mean ** (k - j) * std**j * G[j] for j in range(k + 1))


def _uniform(mp: Any, k: int, w: Any, low: Any, high: Any) -> Any:
    end = min(max(w, low), high)
    return (end ** (k + 1) - low ** (k + 1)) / ((k + 1) * (high - low))


def _laplace(mp: Any, k: int, w: Any, location: Any, scale: Any) -> Any:
    """In u = |s − location|/scale: ∫ uʲ e^{−u} from u to ∞ is e^{−u} Σ j!/i! uⁱ."""
    u = (w - location) / scale
    size = abs(u)
    G = []
    for j in range(k + 1):
        tail = mp.mpf(0)
        if mp.isfinite(u):
            tail = mp.exp(-size) * sum(math.factorial(j) // math.factorial(i) * size**i for i in range(j + 1)) / 2
        whole = mp.mpf(math.factorial(j)) / 2
        G.append((-1) ** j * tail if u <= 0 else (-1) ** j * whole + whole - tail)
    return sum(math.comb(k, j) * location ** (k - j) * scale**j * G[j] for j in range(k + 1))


def has_pieces(weights: Weights, biases: Law) -> bool:
    """Whether one of the three cases of this module holds."""
    fixed = all(isinstance(w, Constant) for w in weights)
    if fixed:
        return isinstance(biases, TRUNCATED)
    return len(weights) == 1 and isinstance(weights[0], TRUNCATED) and isinstance(biases, Uniform | Constant)


class PiecewiseKernel:
    """a · z₊ⁿ: the kernel and all its derivatives up to order n in each point; beyond, autodiff's zero."""

    route = "direct integration"

    def __init__(self, shape: ReluPower, weights: Weights, biases: Law, coordinates: Coordinates) -> None:
        self.shape, self.weights, self.biases, self.coordinates = shape, weights, biases, coordinates
        self.assumptions = (
            f"derivatives of order above {shape.n} are those of automatic differentiation: zero almost everywhere,"
            " without the distributions on the kink",
        )
        self.steps = (
            Step("Where both features are positive they are polynomials; elsewhere the product vanishes."),
            Step("What remains is a polynomial combination of truncated moments of one variable."),
        )

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """E w^(a+b) σ^(|a|)(U) σ^(|b|)(V), derivatives taken pointwise."""
        i, j, n = sum(a), sum(b), self.shape.n
        if max(i, j) > n:
            return sp.Integer(0)
        factor = self.shape.scale**2 * sp.ff(n, i) * sp.ff(n, j)
        p, q = n - i, n - j
        if all(isinstance(w, Constant) for w in self.weights):
            return factor * self._fixed_weights(a, b, p, q)
        if isinstance(self.biases, Constant):
            return factor * self._fixed_bias(i + j, p, q)
        return factor * self._uniform_bias(i + j, p, q)

    def _fixed_weights(self, a: Sequence[int], b: Sequence[int], p: int, q: int) -> sp.Expr:
        w = [fraction(law.centre) for law in self.weights]
        u, v = (
            sum((c * s for c, s in zip(w, point, strict=True)), sp.Integer(0))
            for point in (self.coordinates.x, self.coordinates.y)
        )
        one = sp.Integer(1)
        total = sp.Integer(0)
        for k in range(p + 1):
            for m in range(q + 1):
                moment = _moment(self.biases, k + m, one, u, one, v)
                total += math.comb(p, k) * math.comb(q, m) * u ** (p - k) * v ** (q - m) * moment
        for c, m, n in zip(w, a, b, strict=True):
            total *= c ** (m + n)
        return total

    def _fixed_bias(self, order: int, p: int, q: int) -> sp.Expr:
        (x,), (y,), t = self.coordinates.x, self.coordinates.y, fraction(self.biases.centre)
        total = sp.Integer(0)
        for k in range(p + 1):
            for m in range(q + 1):
                if t == 0 and (k < p or m < q):
                    continue
                moment = _moment(self.weights[0], order + k + m, x, t, y, t)
                total += math.comb(p, k) * math.comb(q, m) * x**k * y**m * t ** (p - k + q - m) * moment
        return total

    def _uniform_bias(self, order: int, p: int, q: int) -> sp.Expr:
        """∫ (u+b)₊ᵖ (v+b)₊^q db up to T is Σ C(q,k) (v−u)^{q−k} (u+T)₊^{p+k+1}/(p+k+1) where u ≤ v."""
        (x,), (y,) = self.coordinates.x, self.coordinates.y
        biases = self.biases
        if not isinstance(biases, Uniform):
            raise TypeError(f"{biases} is not uniform")
        low, high = fraction(biases.low), fraction(biases.high)

        def part(sign: int, near: sp.Expr, far: sp.Expr, p: int, q: int) -> sp.Expr:
            """The half-line sign·w > 0 on which ``near`` is the smaller argument, with exponent p."""
            total = sp.Integer(0)
            for T, weight in ((high, 1), (low, -1)):
                for k in range(q + 1):
                    top = p + k + 1
                    for m in range(top + 1):
                        c = sp.Rational(weight * math.comb(q, k) * math.comb(top, m), top)
                        c *= T ** (top - m)
                        if c == 0:
                            continue
                        moment = _moment(self.weights[0], order + q - k + m, sp.Integer(sign), sp.Integer(0), near, T)
                        total += c * (far - near) ** (q - k) * near**m * moment
            return total / (high - low)

        ordered = part(1, x, y, p, q) + part(-1, y, x, q, p)
        reverse = part(1, y, x, q, p) + part(-1, x, y, p, q)
        return sp.Piecewise((ordered, x <= y), (reverse, True))


def _moment(law: Law, k: int, p: sp.Expr, q: sp.Expr, r: sp.Expr, t: sp.Expr) -> sp.Expr:
    code = sp.Integer(TRUNCATED.index(type(law)))
    first, second = (fraction(v) for v in law.parameters)
    return TruncatedMoment(sp.Integer(k), code, p, q, r, t, first, second)


def has_addition(weights: Weights, biases: Law) -> bool:
    """Whether the weights are fixed and the bias is uniform."""
    return isinstance(biases, Uniform) and all(isinstance(w, Constant) for w in weights)


def over_uniform_bias(shape: Shape | None, biases: Law) -> AdditionKernel | None:
    """The mean over a uniform bias alone, of tanh(x + b) tanh(y + b) and their derivatives; None elsewhere."""
    if isinstance(shape, TanhAffine) and isinstance(biases, Uniform):
        return AdditionKernel(shape, (Constant(Fraction(1)),), biases, Coordinates(1))
    return None


class AdditionKernel:
    """σ(z) = a + b tanh(cz): the kernel and all its derivatives."""

    route = "addition theorem"

    def __init__(self, shape: TanhAffine, weights: Weights, biases: Law, coordinates: Coordinates) -> None:
        if not isinstance(biases, Uniform):
            raise TypeError(f"{biases} is not uniform")
        self.shape, self.coordinates = shape, coordinates
        self.w = [fraction(law.centre) for law in weights]
        self.low, self.high = shape.c * fraction(biases.low), shape.c * fraction(biases.high)
        self.u, self.v = (
            shape.c * sum((c * s for c, s in zip(self.w, point, strict=True)), sp.Integer(0))
            for point in (coordinates.x, coordinates.y)
        )
        self.assumptions: tuple[str, ...] = ()
        self.steps = (
            Step("With δ = u − v, tanh(u + b) tanh(v + b) = 1 − coth δ (tanh(u + b) − tanh(v + b)), so that"),
            Step(
                "averaging over b in [lo, hi] leaves primitives of tanh",
                "1 - \\coth(u - v)\\,\\frac{\\ell(u + hi) - \\ell(u + lo) - \\ell(v + hi) + \\ell(v + lo)}{hi - lo},"
                " \\quad \\ell = \\ln\\cosh",
            ),
            Step(
                "On the diagonal tanh² = 1 − tanh′",
                "1 - \\frac{\\tanh(u + hi) - \\tanh(u + lo)}{hi - lo}",
            ),
            Step("Derivatives are polynomials in both hyperbolic tangents, reduced by the same identity."),
        )

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """E w^(a+b) σ^(|a|)(U) σ^(|b|)(V)."""
        i, j = sum(a), sum(b)
        shape = self.shape
        factor = sp.Integer(1)
        for c, m, n in zip(self.w, a, b, strict=True):
            factor *= c ** (m + n)
        factor *= shape.c ** (i + j)
        if factor == 0:
            return sp.Integer(0)
        pair = TanhMean(sp.Integer(i), sp.Integer(j), self.u, self.v, self.low, self.high)
        total = shape.b**2 * pair
        if shape.a != 0 and i == 0:
            total += shape.a * shape.b * self._single(j, self.v)
        if shape.a != 0 and j == 0:
            total += shape.a * shape.b * self._single(i, self.u)
        if i == j == 0:
            total += shape.a**2
        return factor * total

    def _single(self, n: int, u: sp.Expr) -> sp.Expr:
        """The mean of tanh⁽ⁿ⁾(u + s)."""
        if n == 0:
            return (LogCosh(u + self.high) - LogCosh(u + self.low)) / (self.high - self.low)
        P = tanh_derivative(n - 1)
        t = P.gen
        ends = [P.as_expr().subs(t, sp.tanh(u + edge)) for edge in (self.high, self.low)]
        return (ends[0] - ends[1]) / (self.high - self.low)
