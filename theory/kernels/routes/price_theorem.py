"""Price's theorem: kernels of erf, the normal distribution function, GELU, the step and ReLU powers.

For zero-mean jointly Gaussian (U, V) with variances α, β and covariance γ, ∂γ E F = E ∂²F/∂U∂V (Price, 1958) and
2 ∂α E F = E ∂²F/∂U²; E U F = α E ∂F/∂U + γ E ∂F/∂V (Stein).  They reduce every kernel here to the angle
φ = asin(C/√(AB)) and radicals in α, β, γ; derivatives in the points follow by the chain rule in a polynomial ring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import sympy as sp
from sympy.polys.rings import PolyElement, PolyRing

from theory.base.derivation import Step
from theory.base.errors import NonexistenceError
from theory.features.laws import Law
from theory.kernels.forms.activation_forms import ErfSum, ReluPower, Shape
from theory.kernels.forms.coordinates import (
    ALPHA,
    BETA,
    GAMMA,
    GRAM,
    ChainRule,
    Constants,
    Coordinates,
    JointGaussian,
    Weights,
    joint_gaussian,
    radical_chain_rule,
    spread,
)
from theory.kernels.forms.radical import Angle, Frame, Jet, RadicalForm, ring

INVERSE_PI = 1 / sp.pi


class Invariants:
    """The kernel in α, β, γ: a radical form over the ring of the three, and how to carry it over to other variables."""

    def __init__(self, shape: ErfSum | ReluPower) -> None:
        self.shape = shape
        self.constants = Constants(_numbers(shape))
        self.ring = ring([ALPHA, BETA, GAMMA, *self.constants.symbols.values()])
        alpha, beta, gamma = self.ring.gens[:3]
        self.frame = self.make_frame(self.ring, alpha, beta, gamma, alpha * beta - gamma**2)
        self.form = _relu(shape, self) if isinstance(shape, ReluPower) else _erf(shape, self)

    def number(self, target: PolyRing, value: sp.Expr) -> PolyElement:
        return self.constants.convert(target, value)

    def make_frame(
        self, target: PolyRing, alpha: PolyElement, beta: PolyElement, gamma: PolyElement, gram: PolyElement
    ) -> Frame:
        """A, B, C, D for variances and covariance given as polynomials of ``target``."""
        display = self.display({"alpha": ALPHA, "beta": BETA, "gamma": GAMMA, "gram": GRAM})
        if isinstance(self.shape, ReluPower):
            return Frame(target, gram, alpha, beta, gamma, None, self.constants.values, display)
        s = self.number(target, 2 * self.shape.c**2)
        return Frame(target, 1 + s * (alpha + beta) + s**2 * gram, 1 + s * alpha, 1 + s * beta, s * gamma, None,
                     self.constants.values, display)  # fmt: skip

    def display(self, d: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
        """How A, B, C and D are written, from α, β, γ and αβ − γ²."""
        if isinstance(self.shape, ReluPower):
            return {"A": d["alpha"], "B": d["beta"], "C": d["gamma"], "D": d["gram"]}
        s = 2 * self.shape.c**2
        return {
            "A": 1 + s * d["alpha"],
            "B": 1 + s * d["beta"],
            "C": s * d["gamma"],
            "D": 1 + s * (d["alpha"] + d["beta"]) + s**2 * d["gram"],
        }


def _numbers(shape: ErfSum | ReluPower) -> list[sp.Expr]:
    if isinstance(shape, ReluPower):
        return [INVERSE_PI, shape.scale**2]
    products = [sp.expand(a * b) for a in (*shape.p, *shape.q) for b in (*shape.p, *shape.q)]
    return [INVERSE_PI, 2 * shape.c**2, 2 * shape.c / sp.sqrt(sp.pi), *products]


def _erf(shape: ErfSum, inv: Invariants) -> RadicalForm:
    """Σ pᵢpⱼ E UⁱVʲ + … + qᵢqⱼ E UⁱVʲ f(U) f(V) with f(z) = erf(cz), by Stein's identity."""
    frame, R = inv.frame, inv.ring
    alpha, beta, gamma = R.gens[:3]
    zero = RadicalForm(frame, {})
    half_slope = inv.number(R, 2 * shape.c / sp.sqrt(sp.pi))
    two = 2 * R.one

    @cache
    def single(order: int, left: bool) -> RadicalForm:
        """E f⁽ᵒʳᵈᵉʳ⁾ of U (left) or V: 2∂α raises the order by two."""
        if order % 2 == 0:
            return zero
        if order == 1:
            return RadicalForm(frame, {(0, 1, 0, 0) if left else (0, 0, 1, 0): half_slope})
        return single(order - 2, left).diff(0 if left else 1).scaled(two)

    @cache
    def pair(a: int, b: int) -> RadicalForm:
        """E f⁽ᵃ⁾(U) f⁽ᵇ⁾(V)."""
        if (a + b) % 2:
            return zero
        if a >= 2:
            return pair(a - 2, b).diff(0).scaled(two)
        if b >= 2:
            return pair(a, b - 2).diff(1).scaled(two)
        if a == 1:
            return pair(0, 0).diff(2)
        return RadicalForm(frame, {(1, 0, 0, 0): inv.number(R, 2 * INVERSE_PI)})

    @cache
    def stein(i: int, j: int, a: int | None, b: int | None) -> RadicalForm:
        """E UⁱVʲ f⁽ᵃ⁾(U) f⁽ᵇ⁾(V); None for an absent factor."""
        if i < 0 or j < 0:
            return zero
        up_a = None if a is None else a + 1
        up_b = None if b is None else b + 1
        if i:
            total = stein(i - 2, j, a, b).scaled(alpha * (i - 1)) + stein(i - 1, j - 1, a, b).scaled(gamma * j)
            if up_a is not None:
                total += stein(i - 1, j, up_a, b).scaled(alpha)
            if up_b is not None:
                total += stein(i - 1, j, a, up_b).scaled(gamma)
            return total
        if j:
            total = stein(i, j - 2, a, b).scaled(beta * (j - 1))
            if up_b is not None:
                total += stein(i, j - 1, a, up_b).scaled(beta)
            if up_a is not None:
                total += stein(i, j - 1, up_a, b).scaled(gamma)
            return total
        if a is None and b is None:
            return RadicalForm(frame, {(0, 0, 0, 0): R.one})
        if b is None:
            return single(a or 0, True)
        return single(b, False) if a is None else pair(a, b)

    total = zero
    for f, a in ((shape.p, None), (shape.q, 0)):
        for g, b in ((shape.p, None), (shape.q, 0)):
            for i, c in enumerate(f):
                for j, e in enumerate(g):
                    if c != 0 and e != 0:
                        total += stein(i, j, a, b).scaled(inv.number(R, sp.expand(c * e)))
    return total


def _relu(shape: ReluPower, inv: Invariants) -> RadicalForm:
    """The arc-cosine kernels (Cho & Saul, 2009), by integrating ∂γ K_n = n² K_{n−1} from γ = −√(αβ), where K_n = 0.

    With ψ = π/2 + φ and G = αβ − γ²: 2π K_n = P_n ψ + Q_n √G, P_n′ = n² P_{n−1}, P_n + Q_n′ G − γ Q_n = n² Q_{n−1} G.
    """
    R = inv.ring
    alpha, beta, gamma = R.gens[:3]
    P, Q = relu_polynomials(shape.n)
    ab = alpha * beta

    def element(table: dict[tuple[int, int], sp.Rational]) -> PolyElement:
        return sum((R.ground_new(R.domain.from_sympy(c)) * ab**i * gamma**j for (i, j), c in table.items()), R.zero)

    square = inv.number(R, shape.scale**2)
    p, q = square * element(P), square * element(Q)
    inverse_pi = inv.number(R, INVERSE_PI / 2)
    quarter = R.ground_new(R.domain.from_sympy(sp.Rational(1, 4)))
    return RadicalForm(
        inv.frame, {(0, 0, 0, 0): quarter * p, (1, 0, 0, 0): inverse_pi * p, (0, 0, 0, -1): inverse_pi * q}
    )


@cache
def relu_polynomials(n: int) -> tuple[dict[tuple[int, int], sp.Rational], dict[tuple[int, int], sp.Rational]]:
    """P_n and Q_n of :func:`_relu` as {(power of αβ, power of γ): coefficient}; exact.

    >>> relu_polynomials(1)
    ({(0, 1): 1}, {(0, 0): 1})
    """
    if n == 0:
        return {(0, 0): sp.Integer(1)}, {}
    P0, Q0 = relu_polynomials(n - 1)
    P = {(i, j + 1): sp.Rational(n * n) * c / (j + 1) for (i, j), c in P0.items()}
    # right-hand side of Q′G − γQ = n² Q_{n−1} G − P_n, a polynomial in γ with coefficients in r = αβ
    right: dict[tuple[int, int], sp.Rational] = {key: -c for key, c in P.items()}

    def add(key: tuple[int, int], c: sp.Rational) -> None:
        right[key] = right.get(key, sp.Integer(0)) + c

    for (i, j), c in Q0.items():
        add((i + 1, j), n * n * c)
        add((i, j + 2), -n * n * c)
    # from the highest power of γ down: Q = Σ q_j γ^j gives −(j+1) q_j γ^{j+1} + j q_j r γ^{j−1}
    Q: dict[tuple[int, int], sp.Rational] = {}
    for j in range(n - 1, -1, -1):
        for key in [k for k in right if k[1] == j + 1]:
            q = -right.pop(key) / (j + 1)
            if q:
                Q[key[0], j] = q
                if j:
                    add((key[0] + 1, j - 1), -j * q)
    # what is left has γ⁰: it fixes the constant of integration of P (only for even n)
    for (i, j), c in right.items():
        if c:
            if j:
                raise ArithmeticError("the recurrence of the arc-cosine kernels does not close")
            P[i, 0] = P.get((i, 0), sp.Integer(0)) + c
    return P, Q


@cache
def invariants_of(shape: ErfSum | ReluPower) -> Invariants:
    """The kernel in α, β, γ; derived once."""
    return Invariants(shape)


class PriceKernel:
    """The kernel and all its derivatives, for zero-mean normal weights and a zero-mean normal or zero bias."""

    route = "Price's theorem"

    def __init__(self, shape: ErfSum | ReluPower, weights: Weights, biases: Law, coordinates: Coordinates) -> None:
        self.shape, self.biases, self.coordinates = shape, biases, coordinates
        self.invariants = invariants_of(shape)
        self.joint: JointGaussian = joint_gaussian(coordinates, weights, biases, self.invariants.constants)
        form = carry(self.invariants, self.joint)
        self.jet = Jet(form, 2 * coordinates.dimension)
        self.chain_rules: dict[Angle, ChainRule] = {}
        self.assumptions: tuple[str, ...] = ()
        if isinstance(shape, ReluPower):
            self.assumptions = (
                f"derivatives of order above {shape.n} are those of automatic differentiation: zero almost everywhere,"
                " without the distributions on the kink",
            )
        self.steps = _explain(shape, self.invariants, self.joint)

    def derivative(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """E w^(a+b) σ^(|a|)(U) σ^(|b|)(V); for ReLU powers σ^(m) is taken pointwise."""
        if isinstance(self.shape, ReluPower) and max(sum(a), sum(b)) > self.shape.n:
            return sp.Integer(0)
        return self._written((*a, *b), angle_of(self.shape))

    def derivative_with_asin(self, a: Sequence[int], b: Sequence[int]) -> sp.Expr:
        """The same with φ = asin(C/√A/√B), which is faster in code; for erf-like activations, where D ≥ 1."""
        return self._written((*a, *b), arcsine)

    def _written(self, orders: tuple[int, ...], style: Angle) -> sp.Expr:
        if self.coordinates.dimension > 1 and any(orders):
            if style not in self.chain_rules:
                self.chain_rules[style] = radical_chain_rule(
                    [(1, self.invariants.form)], self.joint, lambda f: f.expression(style)
                )
            return self.chain_rules[style].derivative(orders)
        return self.jet.at(orders).expression(style)

    @property
    def angle_is_regular(self) -> bool:
        """Whether C and D never vanish together, so that φ = atan(C/√D) everywhere."""
        return isinstance(self.shape, ErfSum) or spread(self.biases)[1] > 0


def angle(A: sp.Expr, B: sp.Expr, C: sp.Expr, D: sp.Expr) -> sp.Expr:
    """φ = asin(C/√(AB)) as atan2(C, √D): accurate where the points are close, and defined where AB = 0."""
    return sp.atan2(C, sp.sqrt(D), evaluate=False)


def arctangent(A: sp.Expr, B: sp.Expr, C: sp.Expr, D: sp.Expr) -> sp.Expr:
    """φ = asin(C/√(AB)) as atan(C/√D), where D > 0: as accurate where the points are close."""
    return sp.atan(C / sp.sqrt(D))


def angle_of(shape: Shape | None) -> Angle:
    """How φ is written: D ≥ 1 for erf-like activations, and vanishes on the diagonal for ReLU powers."""
    return arctangent if isinstance(shape, ErfSum) else angle


def arcsine(A: sp.Expr, B: sp.Expr, C: sp.Expr, D: sp.Expr) -> sp.Expr:
    """φ = asin(C/√A/√B)."""
    return sp.asin(C / sp.sqrt(A) / sp.sqrt(B))


def carry(inv: Invariants, joint: JointGaussian) -> RadicalForm:
    """The form in the coordinates of ``joint``, whose ring must end with the constants of ``inv``.

    Raises:
        NonexistenceError: U and V are linearly dependent for every pair of points, so that the angle is not smooth.
    """
    frame = inv.make_frame(joint.ring, joint.alpha, joint.beta, joint.gamma, joint.gram)
    if not frame.D:
        raise NonexistenceError("kernel: w·x + b and w·y + b are proportional for every x and y")
    display = inv.display(joint.display)
    frame = Frame(frame.ring, frame.D, frame.A, frame.B, frame.C, None, frame.constants, display)
    count = len(inv.constants.symbols)
    tail = list(joint.ring.gens[len(joint.ring.gens) - count :]) if count else []
    return inv.form.compose(frame, [joint.alpha, joint.beta, joint.gamma, *tail])


def is_centred_gaussian(weights: Weights, biases: Law) -> bool:
    """Whether U and V have mean zero and are jointly normal, and not constant."""
    try:
        moments = [spread(law) for law in (*weights, biases)]
    except TypeError:
        return False
    return all(m == 0 for m, _ in moments) and all(v > 0 for _, v in moments[:-1])


def _explain(shape: ErfSum | ReluPower, inv: Invariants, joint: JointGaussian) -> tuple[Step, ...]:
    d = joint.display
    steps = [
        Step(
            "U = w·x + b and V = w·y + b are jointly normal with mean zero and",
            ", \\quad ".join(sp.latex(sp.Eq(s, d[n])) for s, n in ((ALPHA, "alpha"), (BETA, "beta"), (GAMMA, "gamma"))),
        )
    ]
    if isinstance(shape, ReluPower):
        steps += [
            Step(
                "Price's theorem lowers the power",
                f"\\partial_\\gamma K_n = n^2 K_{{n-1}}, \\quad n = {shape.n}, \\dots, 1; \\qquad K_0"
                " = P(U > 0, V > 0) = \\frac{1}{4} + \\frac{1}{2\\pi}\\arcsin\\frac{\\gamma}{\\sqrt{\\alpha\\beta}}",
            ),
            Step(
                "Integrating from γ = −√(αβ), where V = −cU and the kernel vanishes, polynomials P and Q remain",
                "2\\pi K_n = P_n \\left(\\tfrac{\\pi}{2} + \\varphi\\right) + Q_n \\sqrt{\\alpha\\beta - \\gamma^2}",
            ),
        ]
    else:
        steps += [
            Step(
                "With f(z) = erf(cz), Price's theorem and a Gaussian determinant give",
                "\\partial_\\gamma E f(U) f(V) = E f'(U) f'(V) = \\frac{4c^2}{\\pi\\sqrt{D}},"
                " \\quad D = (1 + 2c^2\\alpha)(1 + 2c^2\\beta) - 4c^4\\gamma^2",
            ),
            Step(
                "whose integral from γ = 0, where f(U) and f(V) are independent of mean zero, is",
                "E f(U) f(V) = \\frac{2}{\\pi}\\arcsin\\frac{2c^2\\gamma}{\\sqrt{(1 + 2c^2\\alpha)(1 + 2c^2\\beta)}}",
            ),
        ]
        if max(len(shape.p), len(shape.q)) > 1:
            steps.append(
                Step(
                    "Polynomial factors go by Stein's identity",
                    "E\\,U F = \\alpha E\\,\\partial_U F + \\gamma E\\,\\partial_V F, \\quad"
                    " E f^{(2)}(U) f(V) = 2\\partial_\\alpha E f(U) f(V)",
                )
            )
    steps.append(
        Step(
            "In the invariants the kernel is",
            f"K = {sp.latex(inv.form.expression().xreplace({GRAM: ALPHA * BETA - GAMMA**2}))}",
        )
    )
    return tuple(steps)
