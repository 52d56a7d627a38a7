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
from operator import itemgetter
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.differences.equation import Equation
from numerics.differences.model import ErrorModel
from numerics.differences.search import FLOATS as FLOATS
from numerics.differences.search import label, short
from numerics.differences.steps import NEAR, UNUSABLE, WITHIN, Found, bounds, least_on_axes, rms
from numerics.differences.subject import Subject, column, derivative, extrapolated
from theory.base.errors import InputError
from theory.base.exact import spell
from theory.operators.equations import Derivative
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
        size: root mean square of the derivative itself; of an equation that of its largest term; 1 for several equations, whose
            errors are in parts of that.
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
    exact: dict[Derivative, Any]
    missed: dict[Derivative, float]
    ranges: tuple[tuple[float, float], ...]
    largest: tuple[float, ...]
    ad: dict[Derivative, Any]

    @classmethod
    def of(
        cls,
        of: Subject,
        X: Float[np.ndarray, "n d"],
        equation: Equation,
        arithmetic: str,
        *,
        doubted: Iterable[Derivative],
        lost: dict[Derivative, float],
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
        largest = tuple(plain.double().abs().amax(0).tolist())
        epsilon = float(torch.finfo(kind).eps)
        ranges = tuple(bounds(column, epsilon) for column in points.T)
        extents = [high for _, high in ranges]
        exact = {
            d: extrapolated(column(wide, equation.column(d)), rounded, d.alpha, extents)[0]
            if d in doubted
            else derivative(column(wide, equation.column(d)), rounded, d.alpha)
            for d in equation.derivatives
        }
        for d, values in exact.items():
            if not np.isfinite(values).all():
                raise InputError(f"module: {equation.name(d)} is not finite at every point")
        ad = {} if of.numpy else by_autograd(u, x, equation)
        return cls(arithmetic, equation, u, x, value, points, wide, exact, lost, ranges, largest, ad)

    def differenced(self, d: Derivative, difference: DifferenceTerm, h: Sequence[float]) -> Float[np.ndarray, " n"]:
        """The difference of a derivative's unknown."""
        return apply(self.value, difference, h, d.alpha, self.equation.column(d))

    def term(self, d: Derivative, choice: StencilChoice) -> TermAdvice:
        alpha = d.alpha
        difference = self.equation.difference(alpha, choice)
        assert difference.stencil is not None
        exact = self.exact[d]
        axes = [k for k, m in enumerate(alpha) if m]

        def error(h: tuple[float, ...]) -> float:
            return rms(self.differenced(d, difference, h) - exact)

        steps, found = least_on_axes(error, self.ranges, axes)
        ad_error = rms(self.ad[d] - exact) if d in self.ad else math.nan
        scale = self.largest[self.equation.column(d)] / math.prod(self.ranges[a][1] ** alpha[a] for a in axes)
        size = rms(exact)
        return self._advice(
            self.equation.name(d), choice, axes, error, steps, found, 0.0 if size <= VANISHES * scale else size,
            (difference.stencil.order, difference.stencil.degree), self.missed[d], ad_error,
        )  # fmt: skip

    def residual(self, choice: StencilChoice) -> TermAdvice:
        """The whole of one equation or several with one step per axis; the errors of several in parts of their sizes."""
        equation = self.equation
        differences = {d: equation.difference(d.alpha, choice) for d in equation.derivatives if any(d.alpha)}
        sizes = equation.sizes(self.points, self.exact)
        scales = None if len(sizes) == 1 else [size or 1.0 for size in sizes]
        whole = equation.value(self.points, self.exact, scales)
        kept: dict[Any, Any] = {}

        def one(d: Derivative, h: tuple[float, ...]) -> Any:
            key = d, tuple(s for s, m in zip(h, d.alpha, strict=True) if m)
            if key not in kept:
                kept[key] = self.differenced(d, differences[d], h)
            return kept[key]

        def error(h: tuple[float, ...]) -> float:
            values = {d: one(d, h) if any(d.alpha) else self.exact[d] for d in equation.derivatives}
            return rms(equation.value(self.points, values, scales) - whole)

        axes = [k for k in range(len(self.ranges)) if any(d.alpha[k] for d in differences)]
        steps, found = least_on_axes(error, self.ranges, axes)
        ad_error = math.nan
        if self.ad:
            ad_error = rms(equation.value(self.points, self.ad, scales) - whole)
        kinds = {(d.stencil.order, d.stencil.degree) for d in differences.values() if d.stencil}
        one_kind = kinds.pop() if len(kinds) == 1 else None
        size = sizes[0] if scales is None else float(any(sizes))
        return self._advice(
            equation.text, choice, axes, error, steps, found, size, one_kind, max(self.missed.values()), ad_error
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
            judged = [(error_at(tuple(map(float, c))), c) for c in among]
            least, best = min(judged, key=itemgetter(0), default=(math.inf, ()))
            if least <= NEAR * WITHIN * error:
                return best
        return tuple(Fraction(h) for h in steps)


def by_autograd(u: Callable[[Any], Any], x: Any, equation: Equation) -> dict[Derivative, Any]:
    """The derivatives by nested autograd in the arithmetic of x; empty where that fails."""
    try:
        return {d: derivative(column(u, equation.column(d)), x, d.alpha) for d in equation.derivatives}
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
    value: Callable[[tuple[float, ...]], Any], term: DifferenceTerm, h: Sequence[float], alpha: MultiIndex, k: int
) -> Float[np.ndarray, " n"]:
    """The difference of column k as a training run forms it: shifts, values, sum and quotient in the points' arithmetic."""
    assert term.stencil is not None
    total: Any = 0.0
    for weight, node in zip(term.stencil.weights, term.stencil.nodes, strict=True):
        if weight:
            at = value(tuple(float(s) * step for s, step in zip(node, h, strict=True)))
            total = total + float(weight) * at[:, k]
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
