"""Random-feature kernels: K, its exact and finite-difference versions, their expansion and values.

``K(x, y) = E σ(w·x + b) σ(w·y + b)``, ``K_AD = L_x L_y K``, ``K_FD = L_{h,x} L_{h,y} K``.

K_FD = K_AD + Σ h^q C_q, from the truncation operators of the stencils: L_h = Σ_q h^q T_q, T_0 = L.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

import sympy as sp
from mpmath import libmp, mp

from theory.base.derivation import Derivation
from theory.base.errors import InputError, NonexistenceError
from theory.base.exact import rational
from theory.features.activations import Activation
from theory.features.laws import Law
from theory.kernels import existence
from theory.kernels.evaluation import Number, converged, decimal, evaluate, to_digits
from theory.kernels.existence import Side, pairs, scale_of, side, truncation
from theory.kernels.forms.activation_forms import GaussianSum, ReluPower, Shape
from theory.kernels.forms.coordinates import Coordinates, RouteKernel, fraction
from theory.kernels.forms.integrals import Integral1
from theory.kernels.numerical import NumericalKernel
from theory.kernels.oracle.lattice import Feature
from theory.operators.operator import DifferenceOperator, LinearOperator, MultiIndex

Kind = Literal["K", "K_AD", "K_FD"]
KINDS: tuple[Kind, ...] = ("K", "K_AD", "K_FD")
PointLike = object
"""A rational or its spelling (one dimension), or a sequence of them."""


@dataclass(frozen=True, eq=False)
class KernelDerivation:
    """A derived kernel. Build it with :func:`theory.kernels.derive.derive_kernel`.

    Attributes:
        activation, weights, biases, operator, difference: what was asked; the operator and its discretisation may
            be None.
        coordinates: the symbols of the two points.
        shape: the recognised shape of the activation, or None.
        source: the route with all derivatives of K.
        record: steps, assumptions, time and verification.
        seconds: wall time of the derivation of K and K_AD, without verification.
    """

    activation: Activation
    weights: Law
    biases: Law
    operator: LinearOperator | None
    difference: DifferenceOperator | None
    coordinates: Coordinates
    shape: Shape | None
    source: RouteKernel | NumericalKernel
    record: Derivation
    seconds: float = field(default=0.0, compare=False)

    @property
    def closed(self) -> bool:
        """Whether there is a closed form; otherwise values come from quadrature."""
        return not isinstance(self.source, NumericalKernel)

    @property
    def route(self) -> str:
        """The name of the method."""
        return self.source.route

    @property
    def verified_digits(self) -> int:
        """Digits confirmed by an independent quadrature; 0 if it was not asked for or not reached."""
        return self.record.verified_digits

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The coordinates of x, then of y."""
        return self.coordinates.all

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """L and L_h at x and at y."""
        if self.operator is None:
            raise InputError("operator: none was given")
        return tuple(side(self.operator, self.difference, p) for p in (self.coordinates.x, self.coordinates.y))  # type: ignore[return-value]

    @cached_property
    def _derivatives(self) -> dict[tuple[MultiIndex, MultiIndex], sp.Expr]:
        return {}

    def derivative(self, a: MultiIndex, b: MultiIndex) -> sp.Expr:
        """E w^(a+b) σ^(|a|)(U) σ^(|b|)(V): ∂ₓᵃ∂ᵧᵇ K where K is that smooth."""
        if (a, b) not in self._derivatives:
            self._derivatives[a, b] = self.source.derivative(a, b)
        return self._derivatives[a, b]

    @property
    def raw_K(self) -> sp.Expr:
        """K with one-variable integrals as functions, as it is evaluated and coded."""
        zero = (0,) * self.coordinates.dimension
        return self.derivative(zero, zero)

    @cached_property
    def raw_K_AD(self) -> sp.Expr:
        """K_AD with one-variable integrals as functions; see :attr:`K_AD`."""
        left, right = self.sides
        self.require_existence()
        return sp.Add(*(c * self.derivative(a, b) for a, b, c in pairs(left, right)))

    @cached_property
    def K(self) -> sp.Expr:
        """K in the coordinates; an unevaluated integral when there is no closed form."""
        return explicit(self.raw_K)

    @cached_property
    def K_AD(self) -> sp.Expr:
        """L_x L_y K, derivatives taken as automatic differentiation takes them.

        Raises:
            NonexistenceError: the expectation is infinite on the diagonal.
            InputError: no operator was given.
        """
        return explicit(self.raw_K_AD)

    @cached_property
    def K_FD(self) -> sp.Expr:
        """L_{h,x} L_{h,y} K: a finite combination of shifts of K.

        Raises:
            InputError: no step was given.
        """
        left, right = (s.fd for s in self.sides)
        if left is None or right is None:
            raise InputError("step: none was given, so there is no finite-difference kernel")
        K = self.K
        x, y = self.coordinates.x, self.coordinates.y
        terms = []
        for s, c in left:
            for t, e in right:
                moved = {p: p + fraction(h) for p, h in zip((*x, *y), (*s, *t), strict=True) if h}
                terms.append(c * e * (K.xreplace(moved) if moved else K))
        return sp.Add(*terms)

    def require_existence(self, x: Sequence[Fraction] | None = None, y: Sequence[Fraction] | None = None) -> None:
        """Checks that K_AD exists at (x, y), or at a generic point of the diagonal.

        Raises:
            NonexistenceError: it does not; one line with the reason.
        """
        if self.operator is None:
            return
        for a, b, _ in pairs(*self.sides):
            self._require(a, b, x, y)

    def _require(
        self, a: MultiIndex, b: MultiIndex, x: Sequence[Fraction] | None = None, y: Sequence[Fraction] | None = None
    ) -> None:
        weights = (self.weights,) * self.coordinates.dimension
        existence.require(self.shape, self.activation.name, weights, self.biases, a, b, x, y)
        if isinstance(self.shape, GaussianSum) and self.shape.is_hyperbolic and not self.shape.is_polynomial:
            self._require_exponentials(x, y)

    def _require_exponentials(self, x: Sequence[Fraction] | None, y: Sequence[Fraction] | None) -> None:
        """E e^{(l x + l′ y) w} is finite within the exponential radius of the weights."""
        radius = self.weights.exponential_radius
        if radius is None or x is None or y is None or not isinstance(self.shape, GaussianSum):
            return
        rates = [g.tilt for g in self.shape.groups]
        for p, q in zip(x, y, strict=True):
            for l1 in rates:
                for l2 in rates:
                    if abs(l1 * fraction(p) + l2 * fraction(q)) >= fraction(radius):
                        raise NonexistenceError(
                            f"kernel: E exp({l1 * fraction(p) + l2 * fraction(q)} w) is infinite for {self.weights}"
                        )

    def evaluate(self, x: PointLike, y: PointLike, digits: int = 15) -> dict[str, str | None]:
        """K, K_AD and K_FD at two points as decimal strings, good to ``digits`` significant digits.

        Args:
            x, y: exact rationals or their spellings; sequences of them in several dimensions.
            digits: significant digits; cancellation (as in K_FD) is met by more working digits.

        Returns:
            ``{"K": …, "K_AD": …, "K_FD": …}``; None for what was not asked for (no operator, no step).

        Raises:
            NonexistenceError: K_AD is infinite there.
            PrecisionCapError: the digits are not reached.
            InputError: points of another dimension, or digits out of range.
        """
        return {kind: None if (v := self.value(kind, x, y, digits)) is None else decimal(v, digits) for kind in KINDS}

    def value(self, kind: Kind, x: PointLike, y: PointLike, digits: int = 15) -> Number | None:
        """One of the three as an mpmath number good to ``digits`` digits; None if it was not asked for."""
        p, q = self.point(x, "x"), self.point(y, "y")
        if kind == "K":
            zero = (0,) * self.coordinates.dimension
            self._require(zero, zero, p, q)
        elif self.operator is None or (kind == "K_FD" and self.difference is None):
            return None
        if kind == "K_AD":
            self.require_existence(p, q)
        if isinstance(self.source, NumericalKernel):
            return self.source.means([self.features(kind, p, q)], digits, self._loss(kind))[0][0]
        values = dict(zip(self.symbols, (*p, *q), strict=True))
        if kind == "K_FD":
            return self._difference_value(p, q, digits)
        return to_digits(self.raw_K if kind == "K" else self.raw_K_AD, values, digits)

    def _loss(self, kind: Kind) -> int:
        """Decimal digits that cancel in K_FD."""
        if kind != "K_FD" or self.difference is None:
            return 0
        return 2 * len(str(int(scale_of(self.difference)) + 1)) + 2

    def _difference_value(self, p: Sequence[Fraction], q: Sequence[Fraction], digits: int) -> Number:
        left, right = (s.fd or () for s in self.sides)
        x, y = self.coordinates.x, self.coordinates.y
        K = self.raw_K
        at_p, at_q = dict(zip(x, p, strict=True)), dict(zip(y, q, strict=True))

        def compute() -> Number:
            total = mp.mpf(0)
            for s, c in left:
                for t, e in right:
                    point = {k: v + h for k, v, h in zip((*x, *y), (*p, *q), (*s, *t), strict=True)}
                    total += evaluate(c, at_p) * evaluate(e, at_q) * self._value_of(K, point)
            return total

        return converged(compute, digits, 15 + self._loss("K_FD"))

    def _value_of(self, K: sp.Expr, point: dict[sp.Symbol, Fraction]) -> Number:
        """K in the current precision; its limit where the form is singular."""
        try:
            return evaluate(K, point)
        except ZeroDivisionError:
            return to_digits(K, point, int(mp.dps))

    def features(self, kind: Kind, p: Sequence[Fraction], q: Sequence[Fraction]) -> tuple[Feature, Feature]:
        """The two features whose mean product is the kernel at (p, q); one dimension, in the current precision."""
        if kind == "K" or self.operator is None:
            return Feature(((0, p[0], Fraction(1)),)), Feature(((0, q[0], Fraction(1)),))
        out = []
        for which, symbols, point in zip(self.sides, (self.coordinates.x, self.coordinates.y), (p, q), strict=True):
            values = dict(zip(symbols, point, strict=True))
            if kind == "K_AD":
                terms = [(a[0], point[0], _exact(c, values)) for a, c in which.ad]
            else:
                terms = [(0, point[0] + s[0], _exact(c, values)) for s, c in which.fd or ()]
            out.append(Feature(tuple(terms)))
        return out[0], out[1]

    def point(self, value: PointLike, name: str) -> tuple[Fraction, ...]:
        """A point as exact rationals.

        Raises:
            InputError: not rationals, or not as many as dimensions.
        """
        parts = list(value) if isinstance(value, tuple | list) else [value]
        if len(parts) != self.coordinates.dimension:
            raise InputError(f"{name}: {len(parts)} coordinates; allowed: {self.coordinates.dimension}")
        return tuple(rational(v, name) for v in parts)

    def expansion(self, terms: int = 1) -> Expansion:
        """K_FD = K_AD + Σ h^q C_q: the first ``terms`` non-zero C_q with their powers.

        Raises:
            InputError: no operator or step; ``terms`` out of range.
            NonexistenceError: a coefficient does not exist (heavy tails, or an activation that is not smooth enough).
        """
        return expand(self, terms)

    @property
    def latex(self) -> str:
        """K, and K_AD when there is an operator, in LaTeX."""
        return self.record.latex()

    def _repr_latex_(self) -> str:
        return self.record._repr_latex_()


def explicit(expr: sp.Expr) -> sp.Expr:
    """One-variable integrals replaced by their closed forms."""
    return expr.replace(lambda e: isinstance(e, Integral1), lambda e: e.doit())


def _exact(value: sp.Expr, point: dict[sp.Symbol, Fraction]) -> Fraction:
    """A number as a fraction, rounded to the working precision where it is irrational."""
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    with mp.extraprec(20):
        numerator, denominator = libmp.to_rational(mp.mpf(evaluate(value, point))._mpf_)
    return Fraction(int(numerator), int(denominator))


def inherit(source: KernelDerivation, target: KernelDerivation) -> None:
    """Hands over what has been computed: only the record differs."""
    for name in ("_derivatives", "raw_K_AD", "K", "K_AD", "sides"):
        if name in source.__dict__:
            target.__dict__[name] = source.__dict__[name]


MAX_TERMS = 12
"""Most terms of an expansion."""
MAX_ORDER = 24
"""Highest order of differentiation of K in one variable."""

h = sp.Symbol("h", positive=True)
"""The step."""


@dataclass(frozen=True, eq=False)
class ExpansionTerm:
    """C_q: the power q of h and the coefficient in the coordinates."""

    power: int
    coefficient: sp.Expr


@dataclass(frozen=True, eq=False)
class Expansion:
    """K_FD − K_AD in powers of h.

    Attributes:
        terms: the non-zero coefficients, by power.
        symbols: the coordinates of x, then of y.
    """

    terms: tuple[ExpansionTerm, ...]
    symbols: tuple[sp.Symbol, ...]
    kernel: KernelDerivation

    @property
    def order(self) -> int:
        """The first power."""
        return self.terms[0].power

    def series(self) -> sp.Expr:
        """Σ h^q C_q."""
        return sp.Add(*(h**t.power * t.coefficient for t in self.terms))

    def evaluate(self, x: PointLike, y: PointLike, digits: int = 15) -> tuple[tuple[int, str], ...]:
        """(power, coefficient as a decimal string) at two points.

        Raises:
            InputError: for a kernel without a closed form.
        """
        if isinstance(self.kernel.source, NumericalKernel):
            raise InputError("expansion: values of the coefficients need a closed form")
        p, q = self.kernel.point(x, "x"), self.kernel.point(y, "y")
        values = dict(zip(self.symbols, (*p, *q), strict=True))
        return tuple((t.power, decimal(to_digits(t.coefficient, values, digits), digits)) for t in self.terms)

    def latex(self) -> str:
        """The expansion as one equation."""
        parts = " + ".join(f"h^{{{t.power}}} \\left({sp.latex(t.coefficient)}\\right)" for t in self.terms)
        return f"K_{{FD}} = K_{{AD}} + {parts} + o(h^{{{self.terms[-1].power}}})"


def expand(kernel: KernelDerivation, terms: int) -> Expansion:
    """The first ``terms`` non-zero terms; see :meth:`KernelDerivation.expansion`."""
    if isinstance(terms, bool) or not isinstance(terms, int) or not 1 <= terms <= MAX_TERMS:
        raise InputError(f"terms: {terms!r}; allowed: 1 to {MAX_TERMS}")
    if kernel.difference is None:
        raise InputError("step: none was given, so there is nothing to expand")
    kernel.require_existence()
    difference = kernel.difference
    x, y = kernel.coordinates.x, kernel.coordinates.y
    found: list[ExpansionTerm] = []
    cache: dict[int, tuple[list[tuple[MultiIndex, sp.Expr]], list[tuple[MultiIndex, sp.Expr]]]] = {}
    power = 0
    while len(found) < terms:
        power += 1
        if power + 2 * max(sum(a) for a, _ in difference.operator.terms) > 2 * MAX_ORDER:
            break
        cache[power] = (truncation(difference, x, power), truncation(difference, y, power))
        cache.setdefault(0, (truncation(difference, x, 0), truncation(difference, y, 0)))
        parts = []
        for q in range(power + 1):
            for a, c in cache[q][0]:
                for b, e in cache[power - q][1]:
                    _require_smooth(kernel, a, b)
                    parts.append(c * e * kernel.derivative(a, b))
        coefficient = sp.Add(*parts)
        if coefficient != 0:
            found.append(ExpansionTerm(power, coefficient))
    if not found:
        raise NonexistenceError("expansion: K_FD equals K_AD for every step")
    return Expansion(tuple(found), kernel.symbols, kernel)


def _require_smooth(kernel: KernelDerivation, a: MultiIndex, b: MultiIndex) -> None:
    """The coefficient ∂ₓᵃ∂ᵧᵇ K must exist as an expectation of classical derivatives."""
    if isinstance(kernel.shape, ReluPower) and max(sum(a), sum(b)) > kernel.shape.n:
        raise NonexistenceError(
            f"expansion: {kernel.activation.name} has only {kernel.shape.n} derivatives almost everywhere, so that"
            " K_FD − K_AD has no expansion in powers of h with K's derivatives"
        )
    try:
        kernel._require(a, b)
    except NonexistenceError as error:
        raise NonexistenceError(f"expansion: a coefficient does not exist, the rate is lower ({error})") from None
