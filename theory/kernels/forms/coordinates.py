"""The two points of a kernel, and the joint Gaussian law of (U, V) = (w·x + b, w·y + b) in a polynomial ring.

Derivatives in several dimensions by the chain rule in the variances and the covariance of (U, V).

A centred Gaussian kernel is a function f(α, β, γ). In several dimensions it is much cheaper to differentiate f, which
has three variables, and to keep the polynomials in the coordinates beside it:
∂ (P f_I) = (∂P) f_I + P (∂α f_{I+α} + ∂β f_{I+β} + ∂γ f_{I+γ}).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Protocol

import sympy as sp
from sympy.polys.rings import PolyElement, PolyRing

from theory.base.derivation import Step
from theory.base.errors import InputError
from theory.features.laws import Constant, Law, Normal
from theory.kernels.forms.radical import Jet, RadicalForm, ring

MAX_DIMENSION = 4
"""Highest dimension of the points."""


Weights = tuple[Law, ...]
"""The laws of the coordinates of w, independent; one per dimension."""


@dataclass(frozen=True)
class Coordinates:
    """The symbols of the two points: ``x, y`` in one dimension, ``x_1, …, x_d, y_1, …, y_d`` otherwise."""

    dimension: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.dimension <= MAX_DIMENSION:
            raise InputError(f"dimension: {self.dimension}; allowed: 1 to {MAX_DIMENSION}")

    @property
    def x(self) -> tuple[sp.Symbol, ...]:
        """The first point."""
        return self._point("x")

    @property
    def y(self) -> tuple[sp.Symbol, ...]:
        """The second point."""
        return self._point("y")

    def _point(self, name: str) -> tuple[sp.Symbol, ...]:
        if self.dimension == 1:
            return (sp.Symbol(name, real=True),)
        return tuple(sp.Symbol(f"{name}_{i + 1}", real=True) for i in range(self.dimension))

    @property
    def all(self) -> tuple[sp.Symbol, ...]:
        """Both points, the first one first."""
        return self.x + self.y


class RouteKernel(Protocol):
    """A kernel derived by one route: it and all its derivatives."""

    @property
    def route(self) -> str:
        """The name of the route."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The derivation."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the kernel needs beyond independent weights and bias."""

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """E w^(a+b) σ^(|a|)(w·x + b) σ^(|b|)(w·y + b) in the coordinates."""


class Constants:
    """Irrational numbers that occur in a kernel, each as one more generator of the ring."""

    def __init__(self, numbers: Iterable[sp.Expr]) -> None:
        self.symbols: dict[sp.Expr, sp.Symbol] = {}
        for value in numbers:
            for part in sp.sympify(value).as_real_imag():
                rest = part.as_coeff_Mul()[1]
                if not rest.is_Rational and rest not in self.symbols:
                    self.symbols[rest] = sp.Symbol(f"c_{len(self.symbols)}", real=True)

    @property
    def values(self) -> dict[sp.Symbol, sp.Expr]:
        """Generator to number."""
        return {symbol: value for value, symbol in self.symbols.items()}

    def convert(self, target: PolyRing, value: sp.Expr) -> PolyElement:
        """A number, possibly complex, in the ring."""
        out = target.zero
        for part, unit in zip(sp.sympify(value).as_real_imag(), (sp.Integer(1), sp.I), strict=True):
            if part == 0:
                continue
            c, rest = part.as_coeff_Mul()
            term = target.ground_new(target.domain.from_sympy(c * unit))
            if not rest.is_Rational:
                term *= target(self.symbols[rest])
            else:
                term *= target.ground_new(target.domain.from_sympy(rest))
            out += term
        return out


def fraction(value: Fraction) -> sp.Rational:
    """A Fraction as a SymPy rational."""
    return sp.Rational(value.numerator, value.denominator)


def spread(law: Law) -> tuple[Fraction, Fraction]:
    """Mean and variance of a normal or constant law."""
    if isinstance(law, Normal):
        return law.mean, law.std**2
    if isinstance(law, Constant):
        return law.value, Fraction(0)
    raise TypeError(f"{law} is not Gaussian")


@dataclass(frozen=True, eq=False)
class JointGaussian:
    """Means, variances and covariance of (U, V) as polynomials in the coordinates.

    Attributes:
        ring: generators are the coordinates (first point, second point), then constants.
        mean: the means of U and V.
        alpha, beta, gamma: Var U, Var V, Cov(U, V).
        display: stable expressions for ``alpha``, ``beta``, ``gamma`` and ``gram`` = αβ − γ² ≥ 0.
    """

    ring: PolyRing
    mean: tuple[PolyElement, PolyElement]
    alpha: PolyElement
    beta: PolyElement
    gamma: PolyElement
    display: dict[str, sp.Expr]

    @property
    def gram(self) -> PolyElement:
        """αβ − γ²."""
        return self.alpha * self.beta - self.gamma**2


def joint_gaussian(
    coordinates: Coordinates, weights: Weights, biases: Law, constants: Constants, complex_: bool = False
) -> JointGaussian:
    """The joint law of (U, V) for independent normal or constant weights and bias."""
    target = ring([*coordinates.all, *constants.symbols.values()], complex_)
    (mb, vb), moments = spread(biases), [spread(w) for w in weights]
    d = coordinates.dimension
    x, y = target.gens[:d], target.gens[d : 2 * d]

    def constant(value: Fraction) -> PolyElement:
        return target.ground_new(target.domain.from_sympy(fraction(value)))

    def dot(a: tuple[PolyElement, ...], b: tuple[PolyElement, ...]) -> PolyElement:
        terms = (constant(v) * p * q for (_, v), p, q in zip(moments, a, b, strict=True))
        return sum(terms, constant(vb))

    means = tuple(
        sum((constant(m) * p for (m, _), p in zip(moments, point, strict=True)), constant(mb)) for point in (x, y)
    )
    X, Y, v, b2 = coordinates.x, coordinates.y, [fraction(v) for _, v in moments], fraction(vb)
    # Lagrange's identity makes the Gram determinant a sum of squares: nothing cancels near the diagonal
    cross = sum((v[i] * v[j] * (X[i] * Y[j] - X[j] * Y[i]) ** 2 for i in range(d) for j in range(i)), sp.Integer(0))
    display = {
        "alpha": sum((c * s**2 for c, s in zip(v, X, strict=True)), b2),
        "beta": sum((c * s**2 for c, s in zip(v, Y, strict=True)), b2),
        "gamma": sum((c * s * t for c, s, t in zip(v, X, Y, strict=True)), b2),
        "gram": b2 * sum((c * (s - t) ** 2 for c, s, t in zip(v, X, Y, strict=True)), sp.Integer(0)) + cross,
    }
    return JointGaussian(target, (means[0], means[1]), dot(x, x), dot(y, y), dot(x, y), display)


Index = tuple[int, int, int]
"""Orders of differentiation in α, β and γ."""
ALPHA, BETA, GAMMA, GRAM = sp.symbols("alpha beta gamma Gamma", real=True)
"""The generators of a form in the invariants; GRAM stands for αβ − γ² in what is displayed."""


def abstract_joint(target: PolyRing, mean: PolyElement) -> JointGaussian:
    """(U, V) with variances and covariance α, β, γ, the leading generators of ``target``, and one mean."""
    alpha, beta, gamma = target.gens[:3]
    display = {"alpha": ALPHA, "beta": BETA, "gamma": GAMMA, "gram": GRAM}
    return JointGaussian(target, (mean, mean), alpha, beta, gamma, display)


class ChainRule:
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


def radical_chain_rule(
    forms: Sequence[tuple[int, RadicalForm]],
    joint: JointGaussian,
    write: Callable[[RadicalForm], sp.Expr] = RadicalForm.expression,
) -> ChainRule:
    """The derivatives of Σ multiplicity · form(α, β, γ).

    Args:
        forms: the leading generators of their ring are α, β, γ.
        joint: the variances and the covariance as polynomials in the coordinates.
        write: a form as an expression in α, β, γ.
    """
    jets = [(k, Jet(form, 3)) for k, form in forms]
    images = {ALPHA: "alpha", BETA: "beta", GAMMA: "gamma", GRAM: "gram"}
    written = {symbol: joint.display[name] for symbol, name in images.items()}

    def value(*index: int) -> sp.Expr:
        return sp.Add(*(k * write(jet.at(index)) for k, jet in jets)).xreplace(written)

    return ChainRule(joint, value)
