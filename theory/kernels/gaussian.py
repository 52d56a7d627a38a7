"""Gaussian determinants: kernels of polynomial × Gaussian × exponential activations under normal laws.

For (U, V) with mean m and covariance Σ and a tilt −½(q₁U² + q₂V²) + l₁U + l₂V, completing the square gives
E exp(tilt) = Δ^(−1/2) e^(N/Δ) with Δ = det(I + ΣQ), and under the tilted law (U, V) is again Gaussian, with
covariance Σ(I + QΣ)⁻¹; polynomial factors are its moments (equivalently, derivatives in the sources l).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import sympy as sp
from sympy.polys.domains import QQ
from sympy.polys.rings import PolyElement

from theory.derivation import Step
from theory.kernels.coordinates import (
    Constants,
    Coordinates,
    JointGaussian,
    Weights,
    fraction,
    joint_gaussian,
    spread,
)
from theory.kernels.ladder import ALPHA, BETA, GAMMA, Ladder, abstract_joint, radical_ladder
from theory.kernels.radical import Frame, RadicalForm, Tower, ring
from theory.kernels.shapes import GaussianSum, Group
from theory.kernels.tilted import tilted_expression
from theory.laws import Law


def tilted_form(joint: JointGaussian, constants: Constants, first: Group, second: Group) -> RadicalForm:
    """E p₁(U) p₂(V) exp(−½(q₁U² + q₂V²) + l₁U + l₂V) as a radical form."""
    ring = joint.ring
    q1, q2, l1, l2 = (constants.convert(ring, v) for v in (first.q, second.q, first.tilt, second.tilt))
    alpha, beta, gamma, gram, (mu, mv) = joint.alpha, joint.beta, joint.gamma, joint.gram, joint.mean
    adj_u, adj_v = 1 + beta * q2, 1 + alpha * q1  # the diagonal of adj(I + ΣQ)
    delta = 1 + q1 * alpha + q2 * beta + q1 * q2 * gram
    cov_uu, cov_vv = alpha + q2 * gram, beta + q1 * gram
    half = ring.ground_new(ring.domain.from_sympy(sp.Rational(1, 2)))
    mean_u = adj_u * mu - gamma * q2 * mv
    mean_v = adj_v * mv - gamma * q1 * mu
    exponent = (
        l1 * mean_u + l2 * mean_v
        + half * (l1**2 * cov_uu + 2 * l1 * l2 * gamma + l2**2 * cov_vv)
        - half * (q1 * adj_u * mu**2 - 2 * q1 * q2 * gamma * mu * mv + q2 * adj_v * mv**2)
    )  # fmt: skip
    moments = product_moments(
        (mean_u + cov_uu * l1 + gamma * l2, mean_v + gamma * l1 + cov_vv * l2),
        (cov_uu, gamma, cov_vv), delta, first.degree, second.degree,
    )  # fmt: skip
    degree = first.degree + second.degree
    P = ring.zero
    for i, a in enumerate(first.coefficients):
        for j, b in enumerate(second.coefficients):
            if a != 0 and b != 0:
                P += constants.convert(ring, sp.expand(a * b)) * moments[i][j] * delta ** (degree - i - j)
    frame = Frame(ring, delta, ring.one, ring.one, ring.zero, exponent or None, constants.values,
                  _display(joint, first, second, delta))  # fmt: skip
    return RadicalForm(frame, {(0, 0, 0, 1 + 2 * degree): P})


def _display(joint: JointGaussian, first: Group, second: Group, delta: PolyElement) -> dict[str, sp.Expr]:
    """Δ as a sum of non-negative terms: nothing cancels where x is near y."""
    if delta.is_ground:
        return {}
    d, q1, q2 = joint.display, first.q, second.q
    return {"D": 1 + q1 * d["alpha"] + q2 * d["beta"] + q1 * q2 * d["gram"]}


def product_moments(
    mean: tuple[PolyElement, PolyElement],
    cov: tuple[PolyElement, PolyElement, PolyElement],
    delta: PolyElement,
    m: int,
    n: int,
) -> list[list[PolyElement]]:
    """T[i][j] = Δ^(i+j) E UⁱVʲ for the Gaussian with mean ``mean``/Δ and covariance ``cov``/Δ (Isserlis, 1918)."""
    ring = delta.ring
    T = [[ring.zero] * (n + 1) for _ in range(m + 1)]
    for i in range(m + 1):
        for j in range(n + 1):
            if i == j == 0:
                T[0][0] = ring.one
            elif i:
                T[i][j] = mean[0] * T[i - 1][j]
                if i > 1:
                    T[i][j] += (i - 1) * delta * cov[0] * T[i - 2][j]
                if j:
                    T[i][j] += j * delta * cov[1] * T[i - 1][j - 1]
            else:
                T[0][j] = mean[1] * T[0][j - 1]
                if j > 1:
                    T[0][j] += (j - 1) * delta * cov[2] * T[0][j - 2]
    return T


def constants_of(shape: GaussianSum) -> tuple[Constants, bool]:
    """The irrational numbers in a kernel of this shape, and whether complex numbers occur."""
    coefficients = [c for g in shape.groups for c in g.coefficients]
    numbers = [n for g in shape.groups for n in (g.q, g.tilt)]
    numbers += [sp.expand(a * b) for a in coefficients for b in coefficients]
    return Constants(numbers), any(sp.im(n) != 0 for n in numbers)


class GaussianKernel:
    """The kernel and all its derivatives; see the module."""

    route = "Gaussian determinant"

    def __init__(self, shape: GaussianSum, weights: Weights, biases: Law, coordinates: Coordinates) -> None:
        self.shape, self.weights, self.biases = shape, weights, biases
        self.coordinates = coordinates
        groups = shape.groups
        self.constants, complex_ = constants_of(shape)
        self.joint = joint_gaussian(coordinates, weights, biases, self.constants, complex_)
        self.forms: list[tuple[int, RadicalForm]] = []
        for first, second, weight in conjugate_pairs(groups):
            self.forms.append((weight, tilted_form(self.joint, self.constants, first, second)))
        self.towers = [(k, Tower(form, 2 * coordinates.dimension)) for k, form in self.forms]
        self.assumptions: tuple[str, ...] = ()
        self.steps = self._explain(weights, biases)

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """∂ₓᵃ ∂ᵧᵇ K, which is E w^(a+b) σ^(|a|)(U) σ^(|b|)(V)."""
        if self.coordinates.dimension > 1 and any((*a, *b)):
            if any(form.frame.N for _, form in self.forms):
                return tilted_expression(self.shape, self.weights, self.biases, self.coordinates, a, b)
            return self.ladder.derivative((*a, *b))
        return sp.Add(*(weight * tower.at((*a, *b)).expression() for weight, tower in self.towers))

    @cached_property
    def ladder(self) -> Ladder:
        """The chain rule in the invariants, for several dimensions and forms without an exponential."""
        target = ring([ALPHA, BETA, GAMMA, *self.constants.symbols.values()], self.joint.ring.domain != QQ)
        joint = abstract_joint(target, target.zero)
        groups = conjugate_pairs(self.shape.groups)
        return radical_ladder([(k, tilted_form(joint, self.constants, g, h)) for g, h, k in groups], self.joint)

    def _explain(self, weights: Weights, biases: Law) -> tuple[Step, ...]:
        alpha, beta, gamma, delta = sp.symbols("alpha beta gamma Delta")
        display = self.joint.display
        mean = fraction(spread(biases)[0])
        for w, s in zip(weights, self.coordinates.x, strict=True):
            mean += fraction(spread(w)[0]) * s
        steps = [
            Step(
                "U = w·x + b and V = w·y + b are jointly Gaussian, with variances and covariance",
                ", \\quad ".join(
                    sp.latex(sp.Eq(s, display[n])) for s, n in ((alpha, "alpha"), (beta, "beta"), (gamma, "gamma"))
                ),
            )
        ]
        if mean != 0:
            steps.append(Step("and the mean of U (of V with y for x)", sp.latex(mean)))
        steps.append(
            Step(
                "Completing the square in the exponent leaves a Gaussian integral with the determinant",
                "\\Delta = \\det(I + \\Sigma Q) = (1 + q_1\\alpha)(1 + q_2\\beta) - q_1 q_2\\gamma^2",
            )
        )
        frame = self.forms[0][1].frame
        if not frame.D.is_ground:
            steps.append(Step("which is here", sp.latex(sp.Eq(delta, frame.expression(frame.D, "D")))))
        steps.append(Step("Polynomial factors are moments of the tilted Gaussian with covariance Σ(I + QΣ)⁻¹."))
        return tuple(steps)


def conjugate_pairs(groups: Sequence[Group]) -> list[tuple[Group, Group, int]]:
    """Pairs of groups up to complex conjugation of both, with their multiplicity (the sum is real)."""

    def conjugate(g: Group) -> Group:
        return Group(tuple(sp.expand(sp.conjugate(c)) for c in g.coefficients), g.q, sp.expand(sp.conjugate(g.tilt)))

    out: list[tuple[Group, Group, int]] = []
    seen: set[tuple[Group, Group]] = set()
    for g in groups:
        for h in groups:
            if (g, h) in seen:
                continue
            mirror = (conjugate(g), conjugate(h))
            out.append((g, h, 1 if mirror == (g, h) else 2))
            seen |= {(g, h), mirror}
    return out
