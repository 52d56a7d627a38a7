"""Polynomial activations under any law with enough moments: the kernel is a polynomial in the coordinates.

Gaussian determinants: kernels of polynomial × Gaussian × exponential activations under normal laws.

For (U, V) with mean m and covariance Σ and a tilt −½(q₁U² + q₂V²) + l₁U + l₂V, completing the square gives
E exp(tilt) = Δ^(−1/2) e^(N/Δ) with Δ = det(I + ΣQ), and under the tilted law (U, V) is again Gaussian, with
covariance Σ(I + QΣ)⁻¹; polynomial factors are its moments (equivalently, derivatives in the sources l).

Derivatives of a Gaussian integral by the recurrence of Hermite polynomials.

For σ(z) = p(z) e^(−qz²/2 + lz) and centred normal (U₀, V₀), F(u, v) = E σ₁(u + U₀) σ₂(v + V₀) is a polynomial times
D^(−1/2) exp(quadratic in u and v).  With ℓᵤ, ℓᵥ the logarithmic derivatives of the exponential, and −P, −Q, −R the
second ones (uu, vv, uv), ∂ᵤᵐ∂ᵥⁿF is again a polynomial in ℓᵤ, ℓᵥ, P, Q and R times it: a generalised Hermite
polynomial, short where the expanded derivatives have thousands of terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from math import comb

import sympy as sp
from sympy.polys.domains import QQ
from sympy.polys.rings import PolyElement

from theory.base.derivation import Step
from theory.features.laws import Law
from theory.kernels.forms.activation_forms import GaussianSum, Group
from theory.kernels.forms.coordinates import (
    ALPHA,
    BETA,
    GAMMA,
    ChainRule,
    Constants,
    Coordinates,
    JointGaussian,
    Weights,
    abstract_joint,
    fraction,
    joint_gaussian,
    radical_chain_rule,
    spread,
)
from theory.kernels.forms.gaussian_moments import tilted_expression
from theory.kernels.forms.radical import Frame, Jet, RadicalForm, ring


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
        self.jets = [(k, Jet(form, 2 * coordinates.dimension)) for k, form in self.forms]
        self.assumptions: tuple[str, ...] = ()
        self.steps = self._explain(weights, biases)

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """∂ₓᵃ ∂ᵧᵇ K, which is E w^(a+b) σ^(|a|)(U) σ^(|b|)(V)."""
        if self.coordinates.dimension > 1 and any((*a, *b)):
            if any(form.frame.N for _, form in self.forms):
                return tilted_expression(self.shape, self.weights, self.biases, self.coordinates, a, b)
            return self.chain_rule.derivative((*a, *b))
        return sp.Add(*(weight * jet.at((*a, *b)).expression() for weight, jet in self.jets))

    @cached_property
    def chain_rule(self) -> ChainRule:
        """The chain rule in the invariants, for several dimensions and forms without an exponential."""
        target = ring([ALPHA, BETA, GAMMA, *self.constants.symbols.values()], self.joint.ring.domain != QQ)
        joint = abstract_joint(target, target.zero)
        groups = conjugate_pairs(self.shape.groups)
        return radical_chain_rule([(k, tilted_form(joint, self.constants, g, h)) for g, h, k in groups], self.joint)

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


LU, LV, P, Q, R = sp.symbols("l_u l_v P Q R", real=True)


class HermiteJet:
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
