"""One derivative of a network with one stencil in one arithmetic: errors on the network itself, and the best step.

The error is measured against nested autograd in float64 of the network as it is rounded to the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise, product
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.differences.equation import Equation
from numerics.differences.model import ErrorModel
from numerics.differences.search import FLOATS as FLOATS
from numerics.differences.search import label, short
from numerics.differences.steps import NEAR, UNUSABLE, WITHIN, Found, bounds, least_on_axes, rms
from numerics.differences.subject import Subject, derivative, extrapolated
from theory.base.errors import InputError
from theory.base.exact import spell
from theory.operators.operator import DifferenceTerm, MultiIndex, StencilChoice

AGREE = (1.3, 1.8)
"""A model's h* stands where its measured error is at most the first number times the least, and its ratio to the best
step that was tried at most the second."""
VANISHES = 1e-14
"""A derivative of order m below this part of max|u| over the extents^m is zero: float64 cannot tell it from that."""


@dataclass(frozen=True)
class TermAdvice:
    """One derivative with one stencil in one arithmetic; errors are root mean squares over the points.

    Attributes:
        derivative: such as ``u_xx``; for a whole equation its text.
        stencil: its name.
        arithmetic: of the network.
        basis: ``model``: h* of the model with measured constants, confirmed by measuring; ``search``: the best step of
            those tried; ``edge``: the greatest or least step looked at, which is no optimum; ``zero``: the derivative
            vanishes; ``kinks``: autograd misses jumps, so that errors against it say nothing.
        step: h*; the largest of ``steps``.
        suggested: a number of two binary digits near it, if its error is at most :data:`NEAR` times the least; else it.
        good: the steps with at most :data:`NEAR` times the least error; every one that was tried in it.
        error: at h*, measured.
        size: root mean square of the derivative itself.
        truncation: C, where the branch ``C h^p`` shows.
        rho: ρ, where the branch ``ρ h^-m`` shows.
        curve: steps and measured errors.
        steps: one per axis that is differenced, by the name of the coordinate.
        suggested_steps: the same for ``suggested``.
        loose: ``(low, high, factor)``: any step between errs at most ``factor`` times the least; where ``good`` is
            narrow.
        missed: the part of the change of the lower derivative that the classical derivative misses; 0 if none.
        ad_error: of nested autograd in this arithmetic.
    """

    derivative: str
    stencil: str
    arithmetic: str
    basis: str
    step: float
    suggested: str
    good: tuple[float, float]
    error: float
    size: float
    truncation: float | None
    rho: float | None
    curve: tuple[tuple[float, float], ...]
    steps: tuple[tuple[str, float], ...] = ()
    suggested_steps: tuple[tuple[str, str], ...] = ()
    loose: tuple[float, float, float] | None = None
    missed: float = 0.0
    ad_error: float = 0.0

    @property
    def relative(self) -> float:
        """The error in parts of the derivative; infinite for a derivative of zero."""
        return self.error / self.size if self.size > 0 else math.inf

    @property
    def usable(self) -> bool:
        """Whether the least error is below :data:`numerics.differences.steps.UNUSABLE` of the derivative's size."""
        return self.basis not in {"zero", "kinks"} and self.relative < UNUSABLE


@dataclass(frozen=True, eq=False)
class Study:
    """A function in one arithmetic at points, with its derivatives in float64 at the same (rounded) points."""

    arithmetic: str
    equation: Equation
    u: Callable[[Any], Any]
    x: Any
    value: Callable[[tuple[float, ...]], Any]
    points: Float[np.ndarray, "n d"]
    wide: Callable[[Any], Any]
    exact: dict[MultiIndex, Any]
    missed: dict[MultiIndex, float]
    ranges: tuple[tuple[float, float], ...]
    largest: float
    ad: dict[MultiIndex, Any]

    @classmethod
    def of(
        cls,
        of: Subject,
        X: Float[np.ndarray, "n d"],
        equation: Equation,
        arithmetic: str,
        *,
        doubted: Iterable[MultiIndex],
        lost: dict[MultiIndex, float],
    ) -> Study:
        import torch

        kind = getattr(torch, arithmetic)
        u, x = of.field(arithmetic), torch.from_numpy(X).to(kind)
        wide = of.rounded(arithmetic).field("float64")
        rounded = x.double()
        points = rounded.numpy()
        try:
            value = shifted(u, x)
            plain = value((0.0,) * x.shape[1])
        except RuntimeError as error:
            raise InputError(f"module: fails in {arithmetic}: {' '.join(str(error).split())[:120]}") from None
        if not torch.isfinite(plain).all():
            raise InputError(f"module: a value is not finite in {arithmetic}")
        largest = float(plain.double().abs().max())
        epsilon = float(torch.finfo(kind).eps)
        ranges = tuple(bounds(column, epsilon) for column in points.T)
        extents = [high for _, high in ranges]
        exact = {
            alpha: extrapolated(wide, rounded, alpha, extents)[0]
            if alpha in doubted
            else derivative(wide, rounded, alpha)
            for alpha in equation.derivatives
        }
        for alpha, values in exact.items():
            if not np.isfinite(values).all():
                raise InputError(f"module: its derivative {alpha} is not finite at every point")
        ad = {} if of.numpy else by_autograd(u, x, equation.derivatives)
        return cls(arithmetic, equation, u, x, value, points, wide, exact, lost, ranges, largest, ad)

    def term(self, alpha: MultiIndex, choice: StencilChoice) -> TermAdvice:
        difference = self.equation.difference(alpha, choice)
        assert difference.stencil is not None
        exact = self.exact[alpha]
        axes = [k for k, m in enumerate(alpha) if m]

        def error(h: tuple[float, ...]) -> float:
            return rms(apply(self.value, difference, h, alpha) - exact)

        steps, found = least_on_axes(error, self.ranges, axes)
        ad_error = rms(self.ad[alpha] - exact) if alpha in self.ad else math.nan
        scale = self.largest / math.prod(self.ranges[a][1] ** alpha[a] for a in axes)
        size = rms(exact)
        return self._advice(
            self.equation.name(alpha), choice, axes, error, steps, found, 0.0 if size <= VANISHES * scale else size,
            (difference.stencil.order, difference.stencil.degree), self.missed[alpha], ad_error,
        )  # fmt: skip

    def residual(self, choice: StencilChoice) -> TermAdvice:
        """The whole expression with one step per axis."""
        equation = self.equation
        differences = {a: equation.difference(a, choice) for a in equation.derivatives if any(a)}
        whole = equation.value(self.points, self.exact)
        kept: dict[Any, Any] = {}

        def one(alpha: MultiIndex, h: tuple[float, ...]) -> Any:
            key = alpha, tuple(s for s, m in zip(h, alpha, strict=True) if m)
            if key not in kept:
                kept[key] = apply(self.value, differences[alpha], h, alpha)
            return kept[key]

        def error(h: tuple[float, ...]) -> float:
            values = {a: one(a, h) if any(a) else self.exact[a] for a in equation.derivatives}
            return rms(equation.value(self.points, values) - whole)

        axes = [k for k in range(len(self.ranges)) if any(alpha[k] for alpha in differences)]
        steps, found = least_on_axes(error, self.ranges, axes)
        ad_error = math.nan
        if self.ad:
            ad_error = rms(equation.value(self.points, {a: self.ad[a] for a in equation.derivatives}) - whole)
        kinds = {(d.stencil.order, d.stencil.degree) for d in differences.values() if d.stencil}
        one_kind = kinds.pop() if len(kinds) == 1 else None
        return self._advice(
            equation.text, choice, axes, error, steps, found, rms(whole), one_kind, max(self.missed.values()), ad_error
        )

    def _advice(
        self,
        name: str,
        choice: StencilChoice,
        axes: Sequence[int],
        error_at: Callable[[tuple[float, ...]], float],
        steps: tuple[float, ...],
        found: Found,
        size: float,
        kind: tuple[int, int] | None,
        lost: float,
        ad_error: float,
    ) -> TermAdvice:
        if not math.isfinite(found.error):
            raise InputError(f"module: the differences of {name} are not finite in {self.arithmetic}")
        octaves = [(h, e) for h, e in reversed(found.tried) if math.frexp(h)[0] == 0.5]
        truncation, rho = branches(octaves, *kind) if kind else (None, None)
        step, error, basis = found.step, found.error, "search"
        chosen = self._spelled(axes, error_at, steps, error)
        if lost:
            basis = "kinks"
        elif not size:
            basis = "zero"
        elif found.edge:
            basis = "edge"
        elif truncation and rho and kind:
            p, m = kind
            model = ErrorModel({(p, p): truncation**2}, {m: rho}, {}, True).optimum()
            if model is not None and 1 / AGREE[1] < model / step < AGREE[1]:
                basis = "model"
        named = tuple((self.equation.variables[a], steps[a]) for a in axes)
        suggested = tuple((self.equation.variables[a], spell(chosen[a])) for a in axes)
        first = max(axes, key=lambda a: steps[a])
        return TermAdvice(
            name, label(choice), self.arithmetic, basis, step, spell(chosen[first]), found.good, error, size,
            truncation, rho, found.tried[::-1], named, suggested, found.loose, lost, ad_error,
        )  # fmt: skip

    def _spelled(
        self,
        axes: Sequence[int],
        error_at: Callable[[tuple[float, ...]], float],
        steps: tuple[float, ...],
        error: float,
    ) -> tuple[Fraction, ...]:
        """The best numbers of two binary digits near the steps; three decimal digits, or all, where these err NEAR times more."""
        near_by = [short(h) if k in axes else [Fraction(h)] for k, h in enumerate(steps)]
        candidates = [
            [c for c in product(*near_by) if all(float(c[a]) <= self.ranges[a][1] for a in axes)],
            [tuple(Fraction(f"{h:.2e}") for h in steps)],
        ]
        for among in candidates:
            if among and error_at(
                tuple(map(float, best := min(among, key=lambda c: error_at(tuple(map(float, c))))))
            ) <= (NEAR * WITHIN * error):
                return best
        return tuple(Fraction(h) for h in steps)


def by_autograd(u: Callable[[Any], Any], x: Any, derivatives: Sequence[MultiIndex]) -> dict[MultiIndex, Any]:
    """The derivatives by nested autograd in the arithmetic of x; empty where that fails."""
    try:
        return {a: derivative(u, x, a) for a in derivatives}
    except RuntimeError:
        return {}


def shifted(u: Callable[[Any], Any], x: Any) -> Callable[[tuple[float, ...]], Any]:
    """The function at the points moved by a shift, computed once for each: stencils and steps have many in common."""
    import torch

    @lru_cache(maxsize=4096)
    def value(shift: tuple[float, ...]) -> Any:
        with torch.no_grad():
            return u(x + torch.tensor(shift, dtype=x.dtype)) if any(shift) else u(x)

    return value


def apply(
    value: Callable[[tuple[float, ...]], Any], term: DifferenceTerm, h: Sequence[float], alpha: MultiIndex
) -> Float[np.ndarray, " n"]:
    """The difference as a training run forms it: shifts, values, sum and quotient in the arithmetic of the points."""
    assert term.stencil is not None
    total: Any = 0.0
    for weight, node in zip(term.stencil.weights, term.stencil.nodes, strict=True):
        if weight:
            total = total + float(weight) * value(tuple(float(s) * step for s, step in zip(node, h, strict=True)))
    scale = math.prod(step**m for step, m in zip(h, alpha, strict=True))
    found: Float[np.ndarray, " n"] = (total / scale).double().numpy()
    return found


def branches(points: Sequence[tuple[float, float]], order: int, degree: int) -> tuple[float | None, float | None]:
    """C and ρ of the branches ``C h^p`` and ``ρ h^-m`` of a curve on steps that halve; None where one does not show.

    C is taken at the smallest step around which the slope is p within 0.3, ρ as the geometric mean over the steps
    below the minimum around which it is -m within 0.5.
    """
    usable = [(h, e) for h, e in points if e > 0 and math.isfinite(e)]
    if len(usable) < 3:
        return None, None
    lowest = min(range(len(usable)), key=lambda k: usable[k][1])
    slopes = [math.log(a[1] / b[1]) / math.log(a[0] / b[0]) for a, b in pairwise(usable)]
    rising = [k for k in range(lowest) if abs(slopes[k] - order) < 0.3]
    falling = [k for k in range(lowest, len(slopes)) if abs(slopes[k] + degree) < 0.5]
    truncation = usable[rising[-1]][1] / usable[rising[-1]][0] ** order if rising else None
    logs = [math.log(usable[k + 1][1] * usable[k + 1][0] ** degree) for k in falling]
    return truncation, math.exp(sum(logs) / len(logs)) if logs else None
