"""Direct integration in one variable: Gaussian-type activations with one law that is not normal.

Given the non-normal variable s (the weight, in one dimension, or the bias), U and V are jointly Gaussian with
means linear in s, so the inner expectation is P(s) D^(−k/2) exp(−A s²/2 + B s + C); the outer one is a Gaussian
moment of the law of s, closed for the uniform, Laplace and (centred) Cauchy laws.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache, cached_property

import sympy as sp
from sympy.polys.domains import QQ
from sympy.polys.rings import PolyElement

from theory.base.derivation import Step
from theory.features.laws import Cauchy, Constant, Laplace, Law, Normal, Uniform
from theory.kernels.forms.activation_forms import GaussianSum, Group
from theory.kernels.forms.coordinates import ChainRule, Constants, Coordinates, JointGaussian, Weights, fraction, spread
from theory.kernels.forms.integrals import CauchyMoment, LaplaceMoment, UniformMoment
from theory.kernels.forms.radical import Jet, RadicalForm, ring
from theory.kernels.routes import gaussian
from theory.kernels.routes.gaussian import HermiteJet, tilted_form

S = sp.Symbol("s", real=True)


def applies(shape: GaussianSum, weights: Weights, biases: Law) -> bool:
    """Whether this route has a closed form: real Gaussians, one law among uniform, Laplace and Cauchy."""
    if not shape.decays or any(sp.im(g.tilt) != 0 or any(sp.im(c) != 0 for c in g.coefficients) for g in shape.groups):
        return False
    special = (Uniform, Laplace, Cauchy)
    if isinstance(biases, special):
        inner, outer, tilt = weights, biases, None
    elif len(weights) == 1 and isinstance(weights[0], special):
        inner, outer, tilt = (biases,), weights[0], biases
    else:
        return False
    if not all(isinstance(law, Normal | Constant) for law in inner):
        return False
    if len(weights) > 1 and any(not isinstance(law, Normal) or law.mean for law in weights):
        return False
    if isinstance(outer, Cauchy):
        # B = 0 is needed: no linear term in s
        means = [spread(law)[0] for law in inner]
        even = all(g.tilt == 0 for g in shape.groups)
        return even and outer.location == 0 and (tilt is None or means[0] == 0) and all(m == 0 for m in means)
    return True


class DirectKernel:
    """The kernel and all its derivatives; see the module."""

    route = "direct integration"

    def __init__(self, shape: GaussianSum, weights: Weights, biases: Law, coordinates: Coordinates) -> None:
        self.coordinates = coordinates
        self.over_weight = not isinstance(biases, Uniform | Laplace | Cauchy)
        self.law = weights[0] if self.over_weight else biases
        groups = shape.groups
        constants = Constants(
            n for g in groups for n in (g.q, g.tilt, *(sp.expand(a * b) for h in groups
            for a in g.coefficients for b in h.coefficients))
        )  # fmt: skip
        self.groups, self.constants = groups, constants
        self.joint = joint = self._conditional(weights, biases, constants)
        points = 2 * coordinates.dimension
        self.jets = [Jet(tilted_form(joint, constants, g, h), points) for g in groups for h in groups]
        self.position = points
        self.assumptions = ("weights and bias are independent",)
        self.steps = self._explain()

    def _conditional(self, weights: Weights, biases: Law, constants: Constants) -> JointGaussian:
        """(U, V) given s; the generator s stands for the deviation from the centre of its law."""
        d = self.coordinates.dimension
        target = ring([*self.coordinates.all, S, *constants.symbols.values()])
        x, y, s = target.gens[:d], target.gens[d : 2 * d], target.gens[2 * d]

        def constant(value: sp.Rational) -> PolyElement:
            return target.ground_new(target.domain.from_sympy(value))

        shifted = s if isinstance(self.law, Uniform) else s + constant(fraction(self.law.centre))
        X, Y = self.coordinates.x, self.coordinates.y
        if self.over_weight:
            mean, variance = (fraction(v) for v in spread(biases))
            b2 = constant(variance)
            return JointGaussian(
                target, (shifted * x[0] + constant(mean), shifted * y[0] + constant(mean)), b2, b2, b2,
                {"alpha": variance, "beta": variance, "gamma": variance, "gram": sp.Integer(0)},
            )  # fmt: skip
        moments = [tuple(fraction(v) for v in spread(law)) for law in weights]
        v = [c for _, c in moments]
        means = tuple(
            sum((constant(m) * p for (m, _), p in zip(moments, point, strict=True)), shifted) for point in (x, y)
        )

        def dot(a: Sequence[PolyElement], b: Sequence[PolyElement]) -> PolyElement:
            return sum((constant(c) * p * q for c, p, q in zip(v, a, b, strict=True)), target.zero)

        zero = sp.Integer(0)
        display = {
            "alpha": sum((c * p**2 for c, p in zip(v, X, strict=True)), zero),
            "beta": sum((c * q**2 for c, q in zip(v, Y, strict=True)), zero),
            "gamma": sum((c * p * q for c, p, q in zip(v, X, Y, strict=True)), zero),
            "gram": sum((v[i] * v[j] * (X[i] * Y[j] - X[j] * Y[i]) ** 2 for i in range(d) for j in range(i)), zero),
            "alpha - gamma": sum((c * p * (p - q) for c, p, q in zip(v, X, Y, strict=True)), zero),
            "beta - gamma": sum((c * q * (q - p) for c, p, q in zip(v, X, Y, strict=True)), zero),
            "distance": sum((c * (p - q) ** 2 for c, p, q in zip(v, X, Y, strict=True)), zero),
        }
        return JointGaussian(target, (means[0], means[1]), dot(x, x), dot(y, y), dot(x, y), display)

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """E w^(a+b) σ^(|a|)(U) σ^(|b|)(V)."""
        if self.coordinates.dimension > 1:
            return self.chain_rule.derivative((*a, *b))
        return sp.Add(*(self._integrated(jet.at((*a, *b)), self.position) for jet in self.jets))

    @cached_property
    def chain_rule(self) -> ChainRule:
        """The chain rule in the invariants of centred weights, for several dimensions: ∂_α, ∂_β and ∂_γ of
        E σ(U)σ(V) are ½E σ″(U)σ(V), ½E σ(U)σ″(V) and E σ′(U)σ′(V) (Price, 1958)."""
        jets = [(g, h, HermiteJet(g, h)) for g in self.groups for h in self.groups]

        @cache
        def mean(m: int, n: int) -> sp.Expr:
            return sp.Add(*(self._conditional_mean(g, h, jet, jet.at(m, n)) for g, h, jet in jets))

        return ChainRule(self.joint, lambda i, j, k: mean(2 * i + k, 2 * j + k) / 2 ** (i + j))

    def _conditional_mean(self, first: Group, second: Group, jet: HermiteJet, G: PolyElement) -> sp.Expr:
        """The mean over s of G · exp(…)/√D, where ℓ_u = e₀ + e₁s, ℓ_v = f₀ + f₁s; centred weights."""
        q1, q2, display = first.q, second.q, self.joint.display
        alpha, beta, gamma = (display[name] for name in ("alpha", "beta", "gamma"))
        D = 1 + q1 * alpha + q2 * beta + q1 * q2 * display["gram"]
        p, q, r = q1 * (1 + q2 * beta) / D, q2 * (1 + q1 * alpha) / D, -q1 * q2 * gamma / D
        # sums of what does not cancel: β − γ = E(V₀(V₀ − U₀))
        e1, f1 = -q1 * (1 + q2 * display["beta - gamma"]) / D, -q2 * (1 + q1 * display["alpha - gamma"]) / D
        A = (q1 + q2 + q1 * q2 * display["distance"]) / D
        shift = sp.Integer(0) if isinstance(self.law, Uniform) else fraction(self.law.centre)
        du, dv = shift - first.tilt / q1, shift - second.tilt / q2
        e0, f0 = -(p * du + r * dv), -(r * du + q * dv)
        B, C = e0 + f0, (first.tilt**2 / q1 + second.tilt**2 / q2 - p * du**2 - 2 * r * du * dv - q * dv**2) / 2
        images = {gaussian.P: p, gaussian.Q: q, gaussian.R: r, **jet.constants.values}
        rest = [images[symbol] for symbol in jet.ring.symbols[2:]]
        coefficients: defaultdict[tuple[int, int], list[sp.Expr]] = defaultdict(list)
        for (i, j, *others), c in G.terms():
            factors = (base**n for base, n in zip(rest, others, strict=True) if n)
            coefficients[i, j].append(sp.Mul(QQ.to_sympy(c), *factors))
        by_power: defaultdict[int, list[sp.Expr]] = defaultdict(list)
        for (i, j), parts in coefficients.items():
            factor = sp.Add(*parts)
            if du == dv:  # ℓ_u = e₁(s + du), ℓ_v = f₁(s + du)
                by_power[i + j].append(factor * e1**i * f1**j)
                continue
            for k in range(i + 1):
                for m in range(j + 1):
                    ways = sp.binomial(i, k) * sp.binomial(j, m)
                    by_power[k + m].append(factor * ways * e0 ** (i - k) * e1**k * f0 ** (j - m) * f1**m)
        moments = [self._moment(n, A, B, C) for n in range(max(by_power, default=0) + 1)]
        if du == dv:
            moments = [
                sp.Add(*(sp.binomial(n, k) * du ** (n - k) * M for k, M in enumerate(moments[: n + 1])))
                for n in range(len(moments))
            ]
        return sp.Add(*(sp.Add(*parts) * moments[n] for n, parts in by_power.items())) / sp.sqrt(D)

    def _integrated(self, form: RadicalForm, position: int) -> sp.Expr:
        """The mean over s, the generator at ``position``."""
        frame = form.frame
        D = frame.expression(frame.D, "D")
        exponents = _powers(frame.N, position) if frame.N else {}
        A, B, C = (
            frame.expression(exponents[n]) * factor / D if n in exponents else sp.Integer(0)
            for n, factor in ((2, -2), (1, 1), (0, 1))
        )
        total = sp.Integer(0)
        for (_, _, _, k), P in form.terms.items():
            for n, coefficient in _powers(P, position).items():
                value = frame.expression(coefficient)
                total += value * D ** sp.Rational(-k, 2) * self._moment(n, A, B, C)
        return total

    def _moment(self, n: int, A: sp.Expr, B: sp.Expr, C: sp.Expr) -> sp.Expr:
        law, order = self.law, sp.Integer(n)
        if isinstance(law, Uniform):
            return UniformMoment(order, A, B, C, fraction(law.low), fraction(law.high))
        if isinstance(law, Laplace):
            return LaplaceMoment(order, A, B, C, fraction(law.scale))
        if isinstance(law, Cauchy):
            return CauchyMoment(order, A, C, fraction(law.scale)) if n % 2 == 0 else sp.Integer(0)
        raise TypeError(f"{law} has no Gaussian moments here")

    def _explain(self) -> tuple[Step, ...]:
        variable = "w" if self.over_weight else "b"
        return (
            Step(
                f"Given {variable} = s, U and V are jointly normal with means linear in s; a Gaussian determinant"
                " gives the inner expectation",
                "P(s)\\,D^{-k/2}\\,e^{-A s^2/2 + B s + C}",
            ),
            Step(
                f"The outer expectation is a Gaussian moment of the law of {variable}, with density",
                sp.latex(self.law.density(S)),
            ),
            Step("It is closed by completing the square; higher moments follow by parts."),
        )


def _powers(P: PolyElement, position: int) -> dict[int, PolyElement]:
    """The coefficients of P in one generator."""
    out: dict[int, PolyElement] = {}
    for monomial, c in P.terms():
        n = monomial[position]
        rest = (*monomial[:position], 0, *monomial[position + 1 :])
        if n not in out:
            out[n] = P.ring.zero
        out[n][rest] = c
    return out
