"""K_FD = K_AD + Σ h^q C_q, from the truncation operators of the stencils: L_h = Σ_q h^q T_q, T_0 = L."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy as sp

from theory.errors import InputError, NonexistenceError
from theory.kernels.evaluation import decimal, to_digits
from theory.kernels.forms import truncation
from theory.kernels.numerical import NumericalKernel
from theory.kernels.shapes import ReluPower
from theory.operators import MultiIndex

if TYPE_CHECKING:
    from theory.kernels.derive import KernelDerivation, PointLike

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
