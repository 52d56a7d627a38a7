"""Instances that several families share: random feature problems of one kind, and comparisons of enclosures."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from numerics.arithmetic.balls import below, less, same
from numerics.problem.problem import Arithmetic, Boundary, Problem
from proofs_check.claims.claim import Profile, Request, Scope
from theory.base.enclosure import Decision, every, some
from theory.features.laws import Normal
from theory.operators.operator import StencilChoice

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "ACTIVATIONS", "Decision", "below", "both_spectra", "by_seed", "cell", "every", "less", "once", "problem", "same", "seeds", "some", "witness",
]  # fmt: skip

T = TypeVar("T")

ACTIVATIONS = ("sin", "cos", "tanh", "erf", "gaussian", "z*exp(-z**2/2)")
"""The activations on which the source's statements are judged; the last is an expression of our choice."""


@lru_cache(maxsize=4096)
def problem(
    activation: str,
    *,
    seed: int = 0,
    size: int = 24,
    scale: Fraction | int = 1,
    step: Fraction = Fraction(1, 100),
    operator: str = "u_xx",
    order: int = 2,
    boundary: int = 0,
    points: int | None = None,
) -> Problem:
    """N = M = ``size``, w ~ N(0, scale²), b ~ N(0, 1), a grid in (−1, 1)^d, central stencils of the order.

    ``points`` gives N where it is another; in two dimensions both are rounded down to squares.
    """
    dimension = 2 if operator == "poisson 2-D" else 1
    text = "u_xx + u_yy" if dimension == 2 else operator
    rows = size if points is None else points
    per_axis = (rows,) if dimension == 1 else (_root(rows),) * 2
    return Problem(
        operator_text=text,
        domain=((Fraction(-1), Fraction(1)),) * dimension,
        solution="sin(pi*x)" if dimension == 1 else "sin(pi*x)*sin(pi*y)",
        activation_name=activation,
        weights=Normal(Fraction(0), Fraction(scale)),
        biases=Normal(Fraction(0), Fraction(1)),
        count=size if dimension == 1 else _root(size) ** 2,
        seed=seed,
        interior=per_axis,
        boundary=(Boundary("all", boundary),) if boundary else (),
        stencil=StencilChoice("central", order),
        step=(step,),
    )


def _root(size: int) -> int:
    return max(2, math.isqrt(size))


def seeds(profile: Profile, quick: int, full: int) -> range:
    """Seeds 0, 1, …: as many as the profile asks for."""
    return range(quick if profile == "quick" else full)


def both_spectra(instance: Problem, arithmetic: Arithmetic = "exact") -> tuple[Request, Request]:
    """The spectra of A_AD and of A_FD, to be computed before the cells that read them."""
    return (instance, "ad", arithmetic), (instance, "fd", arithmetic)


def by_seed(make: Callable[[int], T]) -> SearchStrategy[T]:
    """A space of random instances that their seed determines."""
    from hypothesis import strategies as st

    return st.integers(0, 2**20).map(make)


def cell(cells: tuple[Scope, ...], **coordinates: str) -> Scope:
    """The first of the cells with these coordinates."""
    return next(scope for scope in cells if all(scope[key] == value for key, value in coordinates.items()))


def once(*scopes: Scope) -> Any:
    """The same cells in every profile."""
    return lambda profile: scopes


def witness(instance: Problem) -> dict[str, Any]:
    """A problem in the keys of a problem file, so that the witness re-checks by itself."""
    return instance.to_dict()
