"""Derivatives of a Gaussian integral by the recurrence of Hermite polynomials.

For σ(z) = p(z) e^(−qz²/2 + lz) and centred normal (U₀, V₀), F(u, v) = E σ₁(u + U₀) σ₂(v + V₀) is a polynomial times
D^(−1/2) exp(quadratic in u and v).  With ℓᵤ, ℓᵥ the logarithmic derivatives of the exponential, and −P, −Q, −R the
second ones (uu, vv, uv), ∂ᵤᵐ∂ᵥⁿF is again a polynomial in ℓᵤ, ℓᵥ, P, Q and R times it: a generalised Hermite
polynomial, short where the expanded derivatives have thousands of terms.
"""

from __future__ import annotations

import sympy as sp
from sympy.polys.rings import PolyElement

from theory.kernels.coordinates import Constants
from theory.kernels.gaussian import product_moments
from theory.kernels.radical import ring
from theory.kernels.shapes import Group

LU, LV, P, Q, R = sp.symbols("l_u l_v P Q R", real=True)


class HermiteTower:
    """The polynomials of two groups, each computed once from a lower one."""

    def __init__(self, first: Group, second: Group) -> None:
        products = [sp.expand(a * b) for a in first.coefficients for b in second.coefficients]
        self.constants = Constants([*products, first.q, second.q, 1 / first.q, 1 / second.q, first.tilt, second.tilt])
        self.ring = ring([LU, LV, P, Q, R, *self.constants.symbols.values()])
        self.polynomials = {(0, 0): self._first(first, second)}

    def _first(self, first: Group, second: Group) -> PolyElement:
        """E p₁(U) p₂(V) under the tilted law, whose mean is (l − ℓ)/q: by parts, F_u = E (l − qU) σ₁σ₂."""
        lu, lv, p, q, r = self.ring.gens[:5]
        convert = self.constants.convert
        q1, q2, i1, i2, l1, l2 = (
            convert(self.ring, c) for c in (first.q, second.q, 1 / first.q, 1 / second.q, first.tilt, second.tilt)
        )
        mean = (l1 - lu) * i1, (l2 - lv) * i2
        cov = (q1 - p) * i1**2, -r * i1 * i2, (q2 - q) * i2**2
        moments = product_moments(mean, cov, self.ring.one, first.degree, second.degree)
        total = self.ring.zero
        for i, a in enumerate(first.coefficients):
            for j, b in enumerate(second.coefficients):
                total += convert(self.ring, sp.expand(a * b)) * moments[i][j]
        return total

    def at(self, m: int, n: int) -> PolyElement:
        """∂ᵤᵐ∂ᵥⁿF over the exponential factor."""
        if (m, n) not in self.polynomials:
            lu, lv, p, q, r = self.ring.gens[:5]
            along_u = m > 0
            lower = self.at(m - 1, n) if along_u else self.at(m, n - 1)
            own, cross = lower.diff(lu), lower.diff(lv)
            self.polynomials[m, n] = lu * lower - p * own - r * cross if along_u else lv * lower - r * own - q * cross
        return self.polynomials[m, n]
