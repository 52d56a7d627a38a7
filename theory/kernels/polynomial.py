"""Polynomial activations under any law with enough moments: the kernel is a polynomial in the coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

import sympy as sp
from sympy.polys.rings import PolyElement

from theory.derivation import Step
from theory.kernels.coordinates import Constants, Coordinates, Weights, fraction
from theory.kernels.radical import ring
from theory.kernels.shapes import GaussianSum
from theory.laws import Law


class PolynomialKernel:
    """Σ cᵢcⱼ E UⁱVʲ, expanded in the moments of weights and bias."""

    route = "moments"

    def __init__(self, shape: GaussianSum, weights: Weights, biases: Law, coordinates: Coordinates) -> None:
        self.coordinates = coordinates
        coefficients = shape.groups[0].coefficients
        constants = Constants(sp.expand(a * b) for a in coefficients for b in coefficients)
        self.values = constants.values
        target = ring([*coordinates.all, *constants.symbols.values()])
        d, degree = coordinates.dimension, len(coefficients) - 1
        x, y = target.gens[:d], target.gens[d : 2 * d]

        def ground(value: Fraction) -> PolyElement:
            return target.ground_new(target.domain.from_sympy(fraction(value)))

        # E of the product over independent variables, one at a time: state[i][j] = E (partial U)ⁱ (partial V)ʲ
        state = [[ground(biases.require_moment(i + j)) for j in range(degree + 1)] for i in range(degree + 1)]
        for law, p, q in zip(weights, x, y, strict=True):
            moments = [ground(law.require_moment(k)) for k in range(2 * degree + 1)]
            state = [
                [
                    sum(
                        (
                            comb(i, k) * comb(j, m) * moments[k + m] * p**k * q**m * state[i - k][j - m]
                            for k in range(i + 1)
                            for m in range(j + 1)
                        ),
                        target.zero,
                    )
                    for j in range(degree + 1)
                ]
                for i in range(degree + 1)
            ]
        self.K: PolyElement = sum(
            (
                constants.convert(target, sp.expand(a * b)) * state[i][j]
                for i, a in enumerate(coefficients)
                for j, b in enumerate(coefficients)
            ),
            target.zero,
        )
        self.assumptions = (f"E|w|^{2 * degree} and E|b|^{2 * degree} are finite",)
        self.steps = (Step("U and V are polynomials in independent variables: expand and take moments."),)

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """∂ₓᵃ ∂ᵧᵇ K."""
        P = self.K
        for generator, times in zip(P.ring.gens, (*a, *b), strict=False):
            for _ in range(times):
                P = P.diff(generator)
        return P.as_expr().xreplace(self.values)
