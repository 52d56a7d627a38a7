"""Activation functions and their derivatives of any order, in forms that are cheap and stable to evaluate.

Each named activation knows a closed recurrence for its derivatives (polynomials in tanh, Hermite polynomials times
a Gaussian), so that no derivative is an unsimplified product of products.  Any other smooth function is an
expression in ``z``; SymPy differentiates it.  ReLU powers are differentiated as automatic differentiation does it:
pointwise, without the distributions that sit on the kink.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import sympy as sp

from theory.base import expressions
from theory.base.errors import InputError, nearest

z = sp.Symbol("z", real=True)
"""The argument of every activation."""
step = sp.Function("step", real=True)
"""Heaviside's step, 0 at and below 0: the derivative of ReLU as automatic differentiation defines it."""

MAX_DERIVATIVE = 16
"""Highest derivative that an activation gives."""
MAX_OPERATIONS = 20_000
"""Largest derivative of a user's expression, in operations."""

Parity = Literal["even", "odd"]


@dataclass(frozen=True)
class Activation:
    """A function σ of one real variable.

    Attributes:
        name: its name, or the user's own text.
        parity: ``"even"``, ``"odd"`` or None.
        strip: half-width of the strip around the real axis in which σ is analytic (``oo`` for entire functions,
            0 where σ is not analytic on the axis, None where it is not known).
        smoothness: number of bounded classical derivatives (``oo`` for smooth functions).
    """

    name: str
    rule: Callable[[int], sp.Expr] = field(repr=False, compare=False)
    parity: Parity | None = None
    strip: sp.Expr | None = None
    smoothness: sp.Expr = sp.oo

    def derivative(self, order: int = 0) -> sp.Expr:
        """σ⁽ᵒʳᵈᵉʳ⁾ as an expression in :data:`z`; pointwise, as automatic differentiation gives it.

        Raises:
            InputError: an order beyond :data:`MAX_DERIVATIVE`, or an expression that grows out of bounds.
        """
        if not 0 <= order <= MAX_DERIVATIVE:
            raise InputError(f"derivative {order} of {self.name}: allowed are 0 to {MAX_DERIVATIVE}")
        return _derivative(self, order)

    def __reduce__(self) -> tuple[Callable[[str], Activation], tuple[str]]:
        return activation, (self.name,)  # the rule is rebuilt from the name: an activation travels between processes

    def _repr_latex_(self) -> str:
        return rf"$\sigma(z) = {sp.latex(self.derivative(0))}$"


@cache
def _derivative(activation: Activation, order: int) -> sp.Expr:
    return activation.rule(order)


t = sp.Symbol("t")


def _horner(polynomial: sp.Expr, variable: sp.Symbol) -> sp.Expr:
    return sp.horner(sp.expand(polynomial), wrt=variable) if polynomial.has(variable) else sp.expand(polynomial)


@cache
def tanh_polynomial(order: int) -> sp.Poly:
    """P with tanh⁽ᵒʳᵈᵉʳ⁾ = P(tanh): P₀ = t, Pₙ₊₁ = (1 − t²) Pₙ′."""
    return sp.Poly(t, t) if order == 0 else sp.Poly(1 - t**2, t) * tanh_polynomial(order - 1).diff()


@cache
def _sech_polynomial(order: int) -> sp.Poly:
    if order == 0:
        return sp.Poly(1, t)
    previous = _sech_polynomial(order - 1)
    return sp.Poly(1 - t**2, t) * previous.diff() - sp.Poly(t, t) * previous


def sech_polynomial(order: int) -> sp.Expr:
    """R with sech⁽ᵒʳᵈᵉʳ⁾ = sech · R(tanh): R₀ = 1, Rₙ₊₁ = (1 − t²) Rₙ′ − t Rₙ."""
    return _sech_polynomial(order).as_expr()


def _tanh(order: int, argument: sp.Expr = z) -> sp.Expr:
    if order == 0:
        return sp.tanh(argument)
    # The factor 1 - tanh² is kept apart: it carries the decay, and Horner's form the rest, which is Pₙ₋₁′.
    cofactor = tanh_polynomial(order - 1).diff().as_expr()
    return (1 - sp.tanh(argument) ** 2) * _horner(cofactor, t).subs(t, sp.tanh(argument))


def _sigmoid(order: int) -> sp.Expr:
    shifted = _tanh(order, z / 2) / sp.Integer(2) ** (order + 1)
    return shifted + sp.Rational(1, 2) if order == 0 else shifted


def _softplus(order: int) -> sp.Expr:
    return z / 2 + sp.log(2 * sp.cosh(z / 2)) if order == 0 else _sigmoid(order - 1)


def _silu(order: int) -> sp.Expr:
    return z * _sigmoid(order) + (order * _sigmoid(order - 1) if order else 0)


def _hermite(order: int) -> sp.Expr:
    """Probabilists' Heₙ in Horner's form."""
    return _horner(sp.hermite_prob(order, z), z)


def _gaussian(order: int) -> sp.Expr:
    return (-1) ** order * _hermite(order) * sp.exp(-(z**2) / 2)


def _erf(order: int) -> sp.Expr:
    if order == 0:
        return sp.erf(z)
    return 2 / sp.sqrt(sp.pi) * (-1) ** (order - 1) * _horner(sp.hermite(order - 1, z), z) * sp.exp(-(z**2))


def _normal_cdf(order: int) -> sp.Expr:
    return (1 + sp.erf(z / sp.sqrt(2))) / 2 if order == 0 else _gaussian(order - 1) / sp.sqrt(2 * sp.pi)


def _gelu(order: int) -> sp.Expr:
    return z * _normal_cdf(order) + (order * _normal_cdf(order - 1) if order else 0)


def _relu_power(power: int) -> Callable[[int], sp.Expr]:
    return lambda order: sp.ff(power, order) * z ** (power - order) * step(z) if order <= power else sp.Integer(0)


def _sech(order: int) -> sp.Expr:
    return _horner(sech_polynomial(order), t).subs(t, sp.tanh(z)) / sp.cosh(z)


def _trigonometric(phase: int) -> Callable[[int], sp.Expr]:
    return lambda order: (sp.sin(z), sp.cos(z), -sp.sin(z), -sp.cos(z))[(phase + order) % 4]


_NAMED: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("sin", _trigonometric(0), "odd", sp.oo),
        Activation("cos", _trigonometric(1), "even", sp.oo),
        Activation("exp", lambda order: sp.exp(z), None, sp.oo),
        Activation("tanh", _tanh, "odd", sp.pi / 2),
        Activation("sigmoid", _sigmoid, None, sp.pi),
        Activation("softplus", _softplus, None, sp.pi),
        Activation("silu", _silu, None, sp.pi),
        Activation("sech", _sech, "even", sp.pi / 2),
        Activation("gaussian", _gaussian, "even", sp.oo),
        Activation("erf", _erf, "odd", sp.oo),
        Activation("gelu", _gelu, None, sp.oo),
        Activation("step", lambda order: step(z) if order == 0 else sp.Integer(0), None, sp.Integer(0), sp.Integer(0)),
        Activation("relu", _relu_power(1), None, sp.Integer(0), sp.Integer(1)),
        Activation("relu2", _relu_power(2), None, sp.Integer(0), sp.Integer(2)),
        Activation("relu3", _relu_power(3), None, sp.Integer(0), sp.Integer(3)),
        Activation("relu4", _relu_power(4), None, sp.Integer(0), sp.Integer(4)),
    )
}  # fmt: skip


def names() -> tuple[str, ...]:
    """The activations known by name."""
    return tuple(_NAMED)


def activation(text: str) -> Activation:
    """The activation of that name, or the one that an expression in ``z`` spells.

    Raises:
        InputError: neither a name nor a safe expression in ``z``.

    >>> activation("tanh").derivative(1)
    1 - tanh(z)**2
    >>> activation("z*sin(z)").parity
    'even'
    """
    name = text.strip() if isinstance(text, str) else ""
    if name in _NAMED:
        return _NAMED[name]
    if name.isidentifier() and name != "z":
        hint = nearest(name, _NAMED)
        raise InputError(
            f"features.activation: unknown activation {name!r}; {hint}allowed: {', '.join(_NAMED)},"
            " or an expression in z such as 'z*exp(-z**2)'"
        )
    return _from_expression(name, expressions.parse(text, {"z": z}, "features.activation"))


@cache
def _from_expression(text: str, expr: sp.Expr) -> Activation:
    for known in _NAMED.values():
        if known.derivative(0) == expr:  # "sin(z)" is sin: one object, one set of derivatives
            return known

    def rule(order: int) -> sp.Expr:
        if order == 0:
            return expr
        try:
            derived = sp.diff(_derivative(result, order - 1), z)
            small = sp.count_ops(derived) <= MAX_OPERATIONS
        except RecursionError:
            small = False
        if not small:
            raise InputError(
                f"features.activation: derivative {order} of {text[:60]!r} has over {MAX_OPERATIONS} operations"
            )
        return derived

    reflected = expr.subs(z, -z)
    cheap = expressions.term_bound(expr) <= expressions.MAX_TERMS  # to expand; otherwise the parity may be left open

    def same(other: sp.Expr) -> bool:
        return bool(reflected == other or (cheap and sp.expand(reflected - other) == 0))

    parity: Parity | None = "even" if same(expr) else "odd" if same(-expr) else None
    result = Activation(text, rule, parity)
    return result
