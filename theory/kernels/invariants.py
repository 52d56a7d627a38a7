"""Kernels in symbolic dimension: functions of a = x·x, b = x·y, c = y·y alone, for centred normal weights.

Polynomials in the Laplacian act through the chain rule
Δ_x f(a, b) = 4a f_aa + 4b f_ab + c f_bb + 2d f_a, with the dimension d a symbol; exactly, in a polynomial ring.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from sympy.polys.rings import PolyElement

from theory.activations import activation as read_activation
from theory.derivation import Step
from theory.errors import InputError
from theory.exact import rational
from theory.kernels.coordinates import Constants, JointGaussian, fraction, spread
from theory.kernels.evaluation import decimal, to_digits
from theory.kernels.gaussian import conjugate_pairs, constants_of, tilted_form
from theory.kernels.price import angle_of, carry, invariants_of
from theory.kernels.radical import RadicalForm, ring
from theory.kernels.shapes import ErfSum, GaussianSum, ReluPower, Shape, shape
from theory.laws import Law, Normal, law

A, B, C = sp.symbols("a b c", real=True)
"""x·x, x·y and y·y."""
D = sp.Symbol("d", positive=True)
"""The dimension."""
MAX_LAPLACIANS = 4
"""Highest power of the Laplacian."""

MAX_TERMS = 4000
"""Longest polynomial written out."""


@dataclass(frozen=True, eq=False)
class InvariantKernel:
    """K and K_AD = p(Δ_x) p(Δ_y) K in the invariants and the dimension.

    Attributes:
        K, K_AD: expressions in :data:`A`, :data:`B`, :data:`C` and :data:`D`.
        route: the name of the method.
        steps: the derivation.
        seconds: wall time.
    """

    K: sp.Expr
    K_AD: sp.Expr
    route: str
    steps: tuple[Step, ...]
    seconds: float

    def evaluate(self, x: object, y: object, digits: int = 15) -> dict[str, str]:
        """K and K_AD at two points of any dimension, as decimal strings.

        Raises:
            InputError: points of different dimension, or not rational.
        """
        p, q = ([rational(v, name) for v in point] for point, name in ((x, "x"), (y, "y")))  # type: ignore[attr-defined]
        if len(p) != len(q) or not p:
            raise InputError(f"y: {len(q)} coordinates; allowed: as many as x, {len(p)}")

        def dot(u: list[Fraction], v: list[Fraction]) -> Fraction:
            return sum((s * t for s, t in zip(u, v, strict=True)), Fraction(0))

        values = {A: dot(p, p), B: dot(p, q), C: dot(q, q), D: Fraction(len(p))}
        return {
            name: decimal(to_digits(expr, values, digits), digits)
            for name, expr in (("K", self.K), ("K_AD", self.K_AD))
        }

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle K = {sp.latex(self.K)}$"


def invariant_kernel(
    activation: str, weights: str | Law, biases: str | Law, laplacians: Mapping[int, object] | None = None
) -> InvariantKernel:
    """The kernel in symbolic dimension, and what p(Δ) = Σ coefficient · Δ^power makes of it.

    Args:
        activation: of a shape that has a closed form under normal laws.
        weights: a centred normal law, the same for every coordinate.
        biases: a normal or constant law (centred, for erf and ReLU).
        laplacians: {power: coefficient}; ``{1: 1}`` (the Laplacian) by default.

    Raises:
        InputError: laws or activations without such a closed form.

    >>> invariant_kernel("gaussian", "normal(0, 1)", "constant(0)").K
    1/sqrt(a*c + a - b**2 + c + 1)
    """
    start = time.perf_counter()
    w, bias = law(weights, "weights"), law(biases, "biases")
    powers = {int(k): rational(v, "laplacians") for k, v in (laplacians or {1: 1}).items()}
    if not powers or min(powers) < 0 or max(powers) > MAX_LAPLACIANS:
        raise InputError(f"laplacians: powers {sorted(powers)}; allowed: 0 to {MAX_LAPLACIANS}")
    if not isinstance(w, Normal) or w.mean != 0:
        raise InputError(f"weights: {w}; allowed in symbolic dimension: normal(0, std)")
    try:
        spread(bias)
    except TypeError:
        raise InputError(f"biases: {bias}; allowed in symbolic dimension: a normal or constant law") from None
    found = shape(read_activation(activation).derivative(0))
    forms, route = _forms(found, w, bias, activation)
    if isinstance(found, ReluPower) and 2 * max(powers) > found.n:
        raise InputError(f"laplacians: {activation} has {found.n} derivatives almost everywhere; allowed: lower powers")
    angle = angle_of(found)
    K = sp.Add(*(weight * form.expression(angle) for weight, form in forms))
    parts = []
    for weight, form in forms:
        for m, cm in powers.items():
            for n, cn in powers.items():
                moved = form
                for own in (*[0] * m, *[2] * n):
                    moved = laplacian(moved, own)
                    if sum(len(P) for P in moved.terms.values()) > MAX_TERMS:
                        raise InputError(
                            f"laplacians: the kernel of {activation} with {bias} has over {MAX_TERMS} terms in"
                            " symbolic dimension; allowed: a number for the dimension (derive_kernel)"
                        )
                parts.append(weight * fraction(cm * cn) * moved.expression(angle))
    steps = (
        Step("The law of w·x + b and w·y + b depends on a = x·x, b = x·y and c = y·y alone."),
        Step("The Laplacian acts by the chain rule", "\\Delta_x = 4a\\partial_a^2 + 4b\\partial_a\\partial_b"
             " + c\\partial_b^2 + 2d\\,\\partial_a"),
    )  # fmt: skip
    return InvariantKernel(K, sp.Add(*parts), route, steps, time.perf_counter() - start)


def laplacian(form: RadicalForm, own: int) -> RadicalForm:
    """Δ_x (own = 0) or Δ_y (own = 2) of a form in the generators a, b, c, d, …"""
    gens = form.frame.ring.gens
    own_gen, b, other, d = gens[own], gens[1], gens[2 - own], gens[3]
    first, mixed = form.diff(own), form.diff(1)
    return (
        first.diff(own).scaled(4 * own_gen)
        + first.diff(1).scaled(4 * b)
        + mixed.diff(1).scaled(other)
        + first.scaled(2 * d)
    )


def _forms(found: Shape | None, weights: Normal, biases: Law, name: str) -> tuple[list[tuple[int, RadicalForm]], str]:
    if isinstance(found, GaussianSum):
        constants, complex_ = constants_of(found)
        joint = _joint(weights, biases, constants, complex_)
        return [(k, tilted_form(joint, constants, g, h)) for g, h, k in conjugate_pairs(found.groups)], (
            "Gaussian determinant"
        )
    if isinstance(found, ErfSum | ReluPower) and spread(biases)[0] == 0:
        invariants = invariants_of(found)
        return [(1, carry(invariants, _joint(weights, biases, invariants.constants)))], "Price's theorem"
    raise InputError(f"activation: no closed form in symbolic dimension for {name} with {weights} and {biases}")


def _joint(weights: Normal, biases: Law, constants: Constants, complex_: bool = False) -> JointGaussian:
    target = ring([A, B, C, D, *constants.symbols.values()], complex_)

    def ground(value: Fraction) -> PolyElement:
        return target.ground_new(target.domain.from_sympy(fraction(value)))

    mean, variance = spread(biases)
    s2 = weights.std**2
    alpha, gamma, beta = (ground(s2) * g + ground(variance) for g in target.gens[:3])
    w2, b2 = fraction(s2), fraction(variance)
    display = {
        "alpha": w2 * A + b2, "beta": w2 * C + b2, "gamma": w2 * B + b2,
        "gram": w2 * b2 * (A + C - 2 * B) + w2**2 * (A * C - B**2),
    }  # fmt: skip
    return JointGaussian(target, (ground(mean), ground(mean)), alpha, beta, gamma, display)
