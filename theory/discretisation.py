"""Finite-difference versions L_h of a linear operator L: one stencil per derivative, applied mesh-free.

``L_h u(x) = Σ_α c_α(x) h^{-α} Σ_k w_{α,k} u(x + h s_k)``: the shifted points need not be collocation points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy as sp

from theory import stencils
from theory.errors import InputError
from theory.exact import spell
from theory.operators import LinearOperator, MultiIndex
from theory.stencils import Stencil

NAMES = ("central", "forward", "backward", "five-point", "nine-point", "thirteen-point")
"""Names of :attr:`StencilChoice.name`; the last three stand for the whole Laplacian or biharmonic operator."""


@dataclass(frozen=True)
class StencilChoice:
    """Which stencil stands for each derivative.

    Attributes:
        name: one of :data:`NAMES`; it sizes itself to the derivative.
        order: order of accuracy of ``central``, ``forward`` and ``backward``.
        offsets: explicit offsets in units of h, used for every derivative and on every axis; overrides ``name``.
    """

    name: str = "central"
    order: int = 2
    offsets: tuple[Fraction, ...] | None = None

    def __post_init__(self) -> None:
        if self.offsets is None and self.name not in NAMES:
            raise InputError(f"difference.stencil: {self.name!r} is unknown; allowed: {', '.join(NAMES)}")

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``[difference]`` that spell this choice."""
        if self.offsets is not None:
            return {"offsets": [spell(s) for s in self.offsets]}
        return {"stencil": self.name, "order": self.order}


@dataclass(frozen=True)
class DifferenceTerm:
    """One derivative of L and what stands for it.

    Attributes:
        coefficient: c(x), an expression in the coordinates.
        derivative: α, or None where the stencil stands for a whole operator.
        stencil: nodes and weights in units of h; None for the term without derivative.
        scale: h^α, exact; the weighted sum is divided by it.
        shifts: the nodes times h, exact.
    """

    coefficient: sp.Expr
    derivative: MultiIndex | None
    stencil: Stencil | None
    scale: Fraction
    shifts: tuple[tuple[Fraction, ...], ...]

    @property
    def weights(self) -> tuple[Fraction, ...]:
        """The stencil's weights, (1,) without derivative."""
        return self.stencil.weights if self.stencil else (Fraction(1),)


@dataclass(frozen=True)
class DifferenceOperator:
    """L_h, with the operator it stands for."""

    operator: LinearOperator
    steps: tuple[Fraction, ...]
    terms: tuple[DifferenceTerm, ...]

    @cached_property
    def order(self) -> int:
        """Order of accuracy p: the least over the derivatives."""
        return min((term.stencil.order for term in self.terms if term.stencil), default=0)

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether every stencil is even or odd about 0, so that its symbol factor is real."""
        return all(term.stencil is None or term.stencil.is_symmetric for term in self.terms)


def discretise(operator: LinearOperator, choice: StencilChoice, steps: tuple[Fraction, ...]) -> DifferenceOperator:
    """L_h for the operator, stencil choice and steps (one per axis).

    Raises:
        InputError: too few offsets for the operator's derivatives, or a stencil for another operator.
    """
    if choice.offsets is None and choice.name in {"five-point", "nine-point", "thirteen-point"}:
        return _whole(operator, choice, steps)
    terms = []
    for alpha, coefficient in operator.terms:
        if not any(alpha):
            origin = (Fraction(0),) * operator.dimension
            terms.append(DifferenceTerm(coefficient, alpha, None, Fraction(1), (origin,)))
            continue
        axes = [_axis(m, choice) for m in alpha]
        stencil = axes[0] if len(axes) == 1 else stencils.tensor(*axes)
        scale = Fraction(1)
        for h, m in zip(steps, alpha, strict=True):
            scale *= h**m
        terms.append(DifferenceTerm(coefficient, alpha, stencil, scale, _shifts(stencil, steps)))
    return DifferenceOperator(operator, steps, tuple(terms))


def _axis(derivative: int, choice: StencilChoice) -> Stencil:
    if derivative == 0:
        return stencils.stencil(0, [0])
    if choice.offsets is not None and len(choice.offsets) <= derivative:
        raise InputError(
            f"difference.offsets: {len(choice.offsets)} nodes for derivative {derivative};"
            f" at least {derivative + 1} are needed"
        )
    makers: dict[str, Callable[[int, int], Stencil]] = {
        "central": stencils.central,
        "forward": stencils.forward,
        "backward": stencils.backward,
    }
    try:
        if choice.offsets is not None:
            return stencils.stencil(derivative, choice.offsets)
        return makers[choice.name](derivative, choice.order)
    except InputError as error:  # names the stencil's own argument: offsets or order
        raise InputError(f"difference.{error}") from None


def _whole(operator: LinearOperator, choice: StencilChoice, steps: tuple[Fraction, ...]) -> DifferenceOperator:
    """A named two-dimensional stencil for the part of L that is a multiple of its target."""
    stencil = stencils.named(choice.name)
    target = dict(stencil.target)
    if operator.dimension != stencil.dimension or len(set(steps)) != 1:
        raise InputError(f"difference.stencil: {choice.name} needs two dimensions and one step for both")
    principal = {alpha: c for alpha, c in operator.terms if sum(alpha) == stencil.degree}
    factor = next((c / _sympy(target[alpha]) for alpha, c in principal.items() if alpha in target), None)
    if factor is None or set(principal) != set(target) or any(
        sp.expand(c - factor * _sympy(target[alpha])) != 0 for alpha, c in principal.items()
    ):  # fmt: skip
        raise InputError(f"difference.stencil: {choice.name} stands for another operator than {operator.text!r}")
    h = steps[0]
    rest = tuple((alpha, c) for alpha, c in operator.terms if alpha not in principal)
    whole = DifferenceTerm(factor, None, stencil, h**stencil.degree, _shifts(stencil, steps))
    if not rest:
        return DifferenceOperator(operator, steps, (whole,))
    others = discretise(LinearOperator(operator.text, operator.variables, rest), StencilChoice(), steps)
    return DifferenceOperator(operator, steps, (whole, *others.terms))


def _shifts(stencil: Stencil, steps: tuple[Fraction, ...]) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(tuple(h * s for h, s in zip(steps, node, strict=True)) for node in stencil.nodes)


def _sympy(value: Fraction) -> sp.Expr:
    return sp.Rational(value.numerator, value.denominator)
