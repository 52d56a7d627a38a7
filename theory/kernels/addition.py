"""tanh (and the sigmoid) with fixed weights and a uniform bias, by the addition theorem of tanh (ours)."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from theory.derivation import Step
from theory.kernels.coordinates import Coordinates, Weights, fraction
from theory.kernels.integrals import TanhMean, tanh_derivative
from theory.kernels.shapes import TanhAffine
from theory.kernels.special import LogCosh
from theory.laws import Constant, Law, Uniform


def applies(weights: Weights, biases: Law) -> bool:
    """Whether the weights are fixed and the bias is uniform."""
    return isinstance(biases, Uniform) and all(isinstance(w, Constant) for w in weights)


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
