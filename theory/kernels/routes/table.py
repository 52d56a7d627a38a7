"""Chooses the route for an activation and a pair of laws; mixtures for discrete laws.

Pairs with a closed form of K, and of K_AD and K_FD for every operator (independent laws, w and b of any parameters
unless restricted; discrete laws are mixtures of constants everywhere):

======================================  =============================================  ==========================
activation                              laws of w; b                                   route
======================================  =============================================  ==========================
sin, cos, their sums and products       any; any (normal, uniform, Laplace, Cauchy,    characteristic function
                                        Student with odd degrees of freedom, …)
exp, sinh, cosh                         any with exponential moments; the same         moment generating function
polynomials                             any with the moments; the same                 moments
polynomial · e^(−z²) · wave             normal, constant; normal, constant             Gaussian determinant
polynomial · e^(−z²)                    uniform, Laplace, Cauchy; normal               direct integration
polynomial · e^(−z²)                    normal; uniform, Laplace                       direct integration
erf, its affine functions               centred normal; centred normal, 0              Price's theorem
gelu, step, ReLU^n, n ≤ 4               centred normal; centred normal, 0              Price's theorem
ReLU^n                                  normal, uniform, Laplace; uniform, constant    direct integration
ReLU^n                                  discrete; uniform, normal, Laplace             direct integration
tanh, sigmoid, their affine functions   discrete, constant; uniform                    addition theorem
======================================  =============================================  ==========================

Elsewhere :class:`theory.kernels.numerical.NumericalKernel` computes, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import sympy as sp

from theory.base.derivation import Step
from theory.features.laws import Constant, Discrete, Law, Normal
from theory.kernels.forms.activation_forms import ErfSum, GaussianSum, ReluPower, Shape, TanhAffine
from theory.kernels.forms.coordinates import Coordinates, RouteKernel, Weights, spread
from theory.kernels.routes import one_variable, pieces
from theory.kernels.routes.characteristic import CharacteristicKernel
from theory.kernels.routes.gaussian import GaussianKernel, PolynomialKernel
from theory.kernels.routes.one_variable import DirectKernel
from theory.kernels.routes.pieces import AdditionKernel, PiecewiseKernel
from theory.kernels.routes.price_theorem import PriceKernel, is_centred_gaussian

MAX_MIXTURE = 64
"""Most components of a mixture over discrete laws."""


class MixtureKernel:
    """The mean over the values of discrete laws; each component has fixed values there."""

    def __init__(self, components: Sequence[RouteKernel]) -> None:
        self.components = components
        first = components[0]
        self.route = first.route
        self.assumptions = first.assumptions
        count = len(components)
        self.steps = (Step(f"A discrete law is a mixture: the kernel is the mean of {count} kernels."), *first.steps)

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """The mean of the components' derivatives."""
        return sp.Add(*(k.derivative(a, b) for k in self.components)) / len(self.components)


def closed_form(shape: Shape | None, weights: Weights, biases: Law, coordinates: Coordinates) -> RouteKernel | None:
    """The kernel by the first route that applies, or None when no closed form is known."""
    found = _single(shape, weights, biases, coordinates)
    if found is not None or shape is None:
        return found
    laws = (*weights, biases)
    if not any(isinstance(law, Discrete) for law in laws):
        return None
    values = [law.values if isinstance(law, Discrete) else (None,) for law in laws]
    count = 1
    for v in values:
        count *= len(v)
    if count > MAX_MIXTURE:
        return None
    components = []
    for choice in product(*values):
        fixed = [law if v is None else Constant(v) for law, v in zip(laws, choice, strict=True)]
        component = _single(shape, tuple(fixed[:-1]), fixed[-1], coordinates)
        if component is None:
            return None
        components.append(component)
    return MixtureKernel(components)


def _single(shape: Shape | None, weights: Weights, biases: Law, coordinates: Coordinates) -> RouteKernel | None:
    gaussian = all(isinstance(law, Normal | Constant) for law in (*weights, biases))
    match shape:
        case GaussianSum():
            if shape.is_polynomial:
                return PolynomialKernel(shape, weights, biases, coordinates)
            if shape.is_sinusoidal or shape.is_hyperbolic:
                return CharacteristicKernel(shape, weights, biases, coordinates)
            if gaussian:
                return GaussianKernel(shape, weights, biases, coordinates)
            if one_variable.applies(shape, weights, biases):
                return DirectKernel(shape, weights, biases, coordinates)
        case ErfSum() if is_centred_gaussian(weights, biases):
            return PriceKernel(shape, weights, biases, coordinates)
        case ReluPower():
            if is_centred_gaussian(weights, biases) and (len(weights) > 1 or spread(biases)[1] > 0):
                return PriceKernel(shape, weights, biases, coordinates)
            if pieces.has_pieces(weights, biases):
                return PiecewiseKernel(shape, weights, biases, coordinates)
        case TanhAffine() if pieces.has_addition(weights, biases):
            return AdditionKernel(shape, weights, biases, coordinates)
    return None
