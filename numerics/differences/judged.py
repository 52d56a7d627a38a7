"""Is my step all right, and until when: the error at a given step, where it comes from, and what it does to the gradient.

The error of a difference in an arithmetic splits exactly into its truncation, which is the error of the same difference
in float64, and its round-off, which is the rest.  The gradient of the loss, ``½ mean(r²)`` for the residual r, is that of
the differences in the arithmetic against that of nested autograd in float64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from numerics.differences.cost import Cost as Cost
from numerics.differences.cost import medians
from numerics.differences.equation import Equation
from numerics.differences.steps import NEAR, UNUSABLE, rms
from numerics.differences.subject import column
from numerics.differences.terms import Study, TermAdvice, apply, shifted
from theory.base import expressions
from theory.base.errors import InputError
from theory.base.exact import rational
from theory.operators.equations import Derivative
from theory.operators.operator import MultiIndex, StencilChoice, coordinate

TOLERANCE = 0.01
"""A step whose error is below this part of the derivative is not warned about, however much better another is."""


@dataclass(frozen=True)
class Part:
    """One derivative, or the whole equation, at the given step; root mean squares over the points.

    Attributes:
        name: such as ``u_xx``.
        error: of the difference in the arithmetic.
        truncation: of the same difference in float64.
        roundoff: of the arithmetic: between the two.
        size: of the derivative.
    """

    name: str
    error: float
    truncation: float
    roundoff: float
    size: float

    @property
    def relative(self) -> float:
        """The error in parts of the derivative."""
        return self.error / self.size if self.size > 0 else math.inf

    @property
    def cause(self) -> str:
        """What most of it is."""
        return "truncation" if self.truncation >= self.roundoff else "round-off"


@dataclass(frozen=True)
class Judgement:
    """What a step does.

    Attributes:
        steps: one per axis, by the coordinate's name.
        stencil: its name.
        arithmetic: of the network.
        terms: each derivative.
        whole: the equation.
        best: what is advised for this stencil and arithmetic.
        gradient: the relative error of the gradient of the loss and its cosine to the exact one; None without parameters.
    """

    steps: tuple[tuple[str, float], ...]
    stencil: str
    arithmetic: str
    terms: tuple[Part, ...]
    whole: Part
    best: TermAdvice
    gradient: tuple[float, float] | None

    @property
    def times(self) -> float:
        """The error over the least."""
        return self.whole.error / self.best.error if self.best.error > 0 else math.inf

    @property
    def fine(self) -> bool:
        """Whether the error is within NEAR of the least, or below TOLERANCE of the size and so is the gradient's.

        A step far from the best at which a derivative is mostly error is not, however little that derivative weighs
        in the equation as yet: as the residual falls, it will.
        """
        if self.best.basis in {"zero", "kinks"}:
            return False
        if self.times > NEAR and any(part.relative >= UNUSABLE for part in self.terms if part.size > 0):
            return False
        small = self.whole.relative <= TOLERANCE and (self.gradient is None or self.gradient[0] <= 10 * TOLERANCE)
        return small or (self.times <= NEAR and self.whole.relative < UNUSABLE)


def steps_of(step: Any, variables: Sequence[str]) -> tuple[float, ...]:
    """One step per axis from a number, a sequence or a mapping of coordinates to numbers.

    Raises:
        InputError: not positive, or not one per axis.
    """
    if isinstance(step, Mapping):
        unknown = [str(name) for name in step if name not in variables]
        missing = [name for name in variables if name not in step]
        if unknown or missing:
            raise InputError(f"step: {', '.join(unknown or missing)}: allowed: one for each of {', '.join(variables)}")
        step = [step[name] for name in variables]
    if isinstance(step, str):
        step = float(rational(step, "step"))
    try:
        made = [float(h) for h in step] if isinstance(step, Sequence | np.ndarray) else [float(step)] * len(variables)
    except (TypeError, ValueError):
        raise InputError(f"step: {step!r} is no number; allowed: a positive one, or one for each axis") from None
    if isinstance(step, bool) or len(made) != len(variables) or not all(0 < h < math.inf for h in made):
        raise InputError(f"step: {step!r}: allowed: a positive number, or one for each of {', '.join(variables)}")
    return tuple(made)


def judge(study: Study, choice: StencilChoice, steps: tuple[float, ...], best: TermAdvice, *, graph: bool) -> Judgement:
    """What the steps do, one per axis, beside what is advised.

    Args:
        study: the function in the arithmetic.
        choice: the stencil.
        steps: one per axis.
        best: what is advised for the equation with this stencil.
        graph: whether the function is one of tensors, so that the loss has a gradient.
    """
    equation = study.equation
    wide_x = study.x.double()
    wide = shifted(study.wide, wide_x)
    differences = {d: equation.difference(d.alpha, choice) for d in equation.derivatives if any(d.alpha)}
    found = {d: study.differenced(d, made, steps) for d, made in differences.items()}
    exact = {d: apply(wide, made, steps, d.alpha, equation.column(d)) for d, made in differences.items()}
    parts = tuple(_part(equation.name(d), found[d], exact[d], study.exact[d]) for d in differences)
    others = {d: study.exact[d] for d in equation.derivatives if not any(d.alpha)}
    sizes = equation.sizes(study.points, study.exact)
    scales = None if len(sizes) == 1 else [size or 1.0 for size in sizes]
    values = (equation.value(study.points, others | v, scales) for v in (found, exact, study.exact))
    whole = replace(_part(equation.text, *values), size=sizes[0] if scales is None else float(any(sizes)))
    named = tuple(
        (name, h)
        for k, (name, h) in enumerate(zip(equation.variables, steps, strict=True))
        if any(d.alpha[k] for d in differences)
    )
    gradient = _gradients(study, wide_x, choice, steps) if graph else None
    return Judgement(named, best.stencil, study.arithmetic, parts, whole, best, gradient)


def _part(name: str, found: Any, wide: Any, exact: Any) -> Part:
    return Part(name, rms(found - exact), rms(wide - exact), rms(found - wide), rms(exact))


def _gradients(
    study: Study, wide_x: Any, choice: StencilChoice, steps: tuple[float, ...]
) -> tuple[float, float] | None:
    """The relative error and the cosine of the gradient of ``½ mean(r²)``; None without parameters."""
    import torch

    flat = []
    for u, x, chosen in ((study.u, study.x, choice), (study.wide, wide_x, None)):
        parameters = [p for p in getattr(u, "parameters", ()) if p.requires_grad]
        loss = loss_with_graph(u, x, study.equation, chosen, steps)
        if not parameters or not loss.requires_grad:
            return None
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        flat.append(
            torch.cat(
                [
                    (torch.zeros_like(p) if g is None else g).double().reshape(-1)
                    for p, g in zip(parameters, gradients, strict=True)
                ]
            )
        )
    approximate, exact = flat
    size, other = float(exact.norm()), float(approximate.norm())
    if not (size > 0 and other > 0 and math.isfinite(other)):
        return None
    return float((approximate - exact).norm()) / size, float(approximate @ exact) / size / other


def module_cost(study: Study, choice: StencilChoice, steps: Sequence[float], seconds: float = 0.3) -> Cost | None:
    """Seconds of one loss with its gradient by nested autograd and by differences, at the points of the study.

    None where there is no gradient to the parameters: there are none, or the graph is cut off.
    """
    import torch

    parameters = [p for p in getattr(study.u, "parameters", ()) if p.requires_grad]

    def iteration(chosen: StencilChoice | None) -> None:
        loss = loss_with_graph(study.u, study.x, study.equation, chosen, steps)
        torch.autograd.grad(loss, parameters, allow_unused=True)

    try:
        median = medians({"ad": lambda: iteration(None), "fd": lambda: iteration(choice)}, seconds)
    except (RuntimeError, ValueError):  # no parameters, or a graph that is cut off
        return None
    return Cost(median["ad"], median["fd"], None, "cpu", study.arithmetic, torch.get_num_threads())


def loss_with_graph(u: Any, x: Any, equation: Equation, choice: StencilChoice | None, steps: Sequence[float]) -> Any:
    """``½ mean(r²)`` with a graph to the parameters, by differences or, without a stencil, by nested autograd."""
    from numerics.networks.networks import derivative_by_autograd

    values: dict[Derivative, Any] = {}
    for d in equation.derivatives:
        v = column(u, equation.column(d))
        if not any(d.alpha):
            values[d] = v(x)
        elif choice is not None:
            values[d] = difference_with_graph(v, x, equation, d.alpha, choice, steps)
        else:
            values[d] = derivative_by_autograd(v, x, d.alpha)
    return 0.5 * (residual(equation, x, values) ** 2).mean()


def difference_with_graph(
    u: Any, x: Any, equation: Equation, alpha: MultiIndex, choice: StencilChoice, steps: Sequence[float]
) -> Any:
    """The difference as :func:`numerics.differences.network.apply` forms it, with a graph to the parameters."""
    import torch

    stencil = equation.difference(alpha, choice).stencil
    assert stencil is not None
    total: Any = 0.0
    for weight, node in zip(stencil.weights, stencil.nodes, strict=True):
        if weight:
            shift = torch.tensor([float(s) * h for s, h in zip(node, steps, strict=True)], dtype=x.dtype)
            total = total + float(weight) * u(x + shift)
    return total / math.prod(h**m for h, m in zip(steps, alpha, strict=True))


def residual(equation: Equation, x: Any, values: dict[Derivative, Any]) -> Any:
    """The equations at the points, one after the other, on tensors."""
    import torch

    from numerics.networks.symbolic import TorchBackend

    table = {coordinate[name]: x[:, k] for k, name in enumerate(equation.variables)}
    table |= {equation.symbols[d]: value for d, value in values.items()}
    found = [expressions.evaluate(expr, table, TorchBackend()) + 0 * x[:, 0] for expr in equation.expressions]
    return torch.cat(found)
