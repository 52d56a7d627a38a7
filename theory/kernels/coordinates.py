"""The two points of a kernel, and the joint Gaussian law of (U, V) = (w·x + b, w·y + b) in a polynomial ring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from sympy.polys.domains import QQ_I
from sympy.polys.rings import PolyElement, PolyRing

from theory.errors import InputError
from theory.kernels.radical import ring
from theory.laws import Constant, Law, Normal

MAX_DIMENSION = 4
"""Highest dimension with explicit coordinates; beyond it use the invariants."""


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


def is_gaussian_rational(value: sp.Expr) -> bool:
    """Whether a number lies in Q(i)."""
    return value in QQ_I
