"""Derivatives in several dimensions by the chain rule in the variances and the covariance of (U, V).

A centred Gaussian kernel is a function f(α, β, γ). In several dimensions it is much cheaper to differentiate f, which
has three variables, and to keep the polynomials in the coordinates beside it:
∂ (P f_I) = (∂P) f_I + P (∂α f_{I+α} + ∂β f_{I+β} + ∂γ f_{I+γ}).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import sympy as sp
from sympy.polys.rings import PolyElement, PolyRing

from theory.kernels.coordinates import JointGaussian
from theory.kernels.radical import RadicalForm, Tower

Index = tuple[int, int, int]
"""Orders of differentiation in α, β and γ."""
ALPHA, BETA, GAMMA, GRAM = sp.symbols("alpha beta gamma Gamma", real=True)
"""The generators of a form in the invariants; GRAM stands for αβ − γ² in what is displayed."""


def abstract_joint(target: PolyRing, mean: PolyElement) -> JointGaussian:
    """(U, V) with variances and covariance α, β, γ, the leading generators of ``target``, and one mean."""
    alpha, beta, gamma = target.gens[:3]
    display = {"alpha": ALPHA, "beta": BETA, "gamma": GAMMA, "gram": GRAM}
    return JointGaussian(target, (mean, mean), alpha, beta, gamma, display)


class Ladder:
    """The derivatives of f(α, β, γ) with respect to the coordinates.

    Args:
        joint: the variances and the covariance as polynomials in the coordinates.
        value: ∂_αⁱ∂_βʲ∂_γᵏ f as an expression in the coordinates.
    """

    def __init__(self, joint: JointGaussian, value: Callable[[int, int, int], sp.Expr]) -> None:
        self.joint, self.value = joint, cache(value)
        self.states: dict[tuple[int, ...], dict[Index, PolyElement]] = {}

    def derivative(self, orders: Sequence[int]) -> sp.Expr:
        """The mixed derivative in the coordinates."""
        parts = (P.as_expr() * self.value(*index) for index, P in self._state(tuple(orders)).items() if P)
        return sp.Add(*parts)

    def _state(self, orders: tuple[int, ...]) -> dict[Index, PolyElement]:
        if orders not in self.states:
            ring: PolyRing = self.joint.ring
            if not any(orders):
                return {(0, 0, 0): ring.one}
            i = max(k for k, n in enumerate(orders) if n)
            lower = self._state((*orders[:i], orders[i] - 1, *orders[i + 1 :]))
            variable = ring.gens[i]
            slopes = [p.diff(variable) for p in (self.joint.alpha, self.joint.beta, self.joint.gamma)]
            new: dict[Index, PolyElement] = {}
            for (a, b, c), P in lower.items():
                raised = ((a, b, c), (a + 1, b, c), (a, b + 1, c), (a, b, c + 1))
                for index, term in zip(raised, (P.diff(variable), *(P * s for s in slopes)), strict=True):
                    if term:
                        new[index] = new.get(index, ring.zero) + term
            self.states[orders] = new
        return self.states[orders]


def radical_ladder(
    forms: Sequence[tuple[int, RadicalForm]],
    joint: JointGaussian,
    write: Callable[[RadicalForm], sp.Expr] = RadicalForm.expression,
) -> Ladder:
    """The derivatives of Σ multiplicity · form(α, β, γ).

    Args:
        forms: the leading generators of their ring are α, β, γ.
        joint: the variances and the covariance as polynomials in the coordinates.
        write: a form as an expression in α, β, γ.
    """
    towers = [(k, Tower(form, 3)) for k, form in forms]
    images = {ALPHA: "alpha", BETA: "beta", GAMMA: "gamma", GRAM: "gram"}
    written = {symbol: joint.display[name] for symbol, name in images.items()}

    def value(*index: int) -> sp.Expr:
        return sp.Add(*(k * write(tower.at(index)) for k, tower in towers)).xreplace(written)

    return Ladder(joint, value)
