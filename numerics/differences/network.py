"""Advice on finite differences of a network of one's own, for each derivative of a possibly nonlinear equation.

The error of each difference is measured on the network itself, at the given points, against nested autograd in
float64.  The best step is searched between the spacing of the coordinates and the extent of the points
(:mod:`numerics.differences.steps`), one for each axis.  The two branches of the errors, truncation ``C h^p`` and round-off
``ρ h^-m``, give the constants of the model of :mod:`theory.operators.roundoff`; where its h* is confirmed, it stands.
Derivatives that vanish, and those of which autograd misses the jumps (:mod:`numerics.differences.kinks`), are told as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from numerics.differences.equation import Equation
from numerics.differences.judged import Cost, Judgement, judge, module_cost, steps_of
from numerics.differences.kinks import missed
from numerics.differences.steps import bounds, rms
from numerics.differences.subject import DISAGREE, Subject, as_points, column, derivative, extrapolated, subject
from numerics.differences.terms import FLOATS, Study, TermAdvice
from theory.base.errors import InputError
from theory.operators.equations import Derivative
from theory.operators.operator import StencilChoice

if TYPE_CHECKING:
    import torch

CHOICES = (StencilChoice("central", 2), StencilChoice("central", 4), StencilChoice("forward", 2))
"""Stencils compared by default."""
MAX_POINTS = 512
"""More points than that are thinned out evenly."""
ARITHMETICS = (*FLOATS, "float16", "bfloat16")


@dataclass(frozen=True)
class ModuleAdvice:
    """What :func:`advise_module` finds.

    Attributes:
        operator: as given.
        terms: every derivative with every stencil in both arithmetics.
        residual: the same for the whole expression with one step per axis for all its derivatives (``derivative`` is the
            expression).
        text: the recommendation, one sentence each; empty until it is put in words.
        arithmetic: that of the module, or the one asked for.
        columns: name, least and greatest value of each column of the points.
        notes: what was found about the module that is no advice on a step.
        size: points that were looked at, and points that were given.
        judged: what the step that was asked about does.
        cost: of AD and of FD with the recommended stencil; None when not measured, or where there is no gradient.
    """

    operator: str
    terms: tuple[TermAdvice, ...]
    residual: tuple[TermAdvice, ...]
    text: tuple[str, ...]
    arithmetic: str = "float32"
    columns: tuple[tuple[str, float, float], ...] = ()
    notes: tuple[str, ...] = ()
    size: tuple[int, int] = (0, 0)
    judged: Judgement | None = None
    cost: Cost | None = None

    @property
    def recommended(self) -> TermAdvice:
        """For the whole equation in the module's arithmetic: the first stencil that no other beats by a factor of 3."""
        among = [term for term in self.residual if term.arithmetic == self.arithmetic]
        least = min(term.error for term in among)
        return next(term for term in among if term.error <= 3 * least)

    def of(self, derivative: str, arithmetic: str, stencil: str = "central order 2") -> TermAdvice:
        """The advice for one derivative (or for the whole expression, by its text).

        Raises:
            InputError: there is none.
        """
        for term in (*self.terms, *self.residual):
            if (term.derivative, term.arithmetic, term.stencil) == (derivative, arithmetic, stencil):
                return term
        known = sorted({t.derivative for t in (*self.terms, *self.residual)})
        raise InputError(f"advice: none for {derivative!r}, {arithmetic}, {stencil}; derivatives: {', '.join(known)}")


@contextmanager
def single_thread() -> Iterator[None]:
    """Torch on one thread: on tensors of this size more of them do nothing but wait for each other."""
    from numerics.arithmetic.devices import threads

    with threads(1):
        yield


@single_thread()
def advise_module(
    module: torch.nn.Module | Callable[..., Any],
    operator: str | Sequence[str],
    points: Any,
    *,
    unknowns: str | Sequence[str] | None = None,
    choices: Sequence[StencilChoice] = CHOICES,
    dtype: str | None = None,
    step: Any = None,
    cost: bool = False,
) -> ModuleAdvice:
    """Which steps and stencils suit the derivatives of a network in an equation.

    Args:
        module: points ``[n, d]`` to values ``[n]`` or ``[n, 1]``, row by row, or called with one argument ``[n, 1]`` per
            coordinate; a torch module, of which a copy in evaluation mode is used, or a function of tensors or arrays.
        operator: the equation or its left-hand side, linear or not, such as ``"u_t + u*u_x = 0.01*u_xx"``, or a list of
            them.  Their coordinates are the columns of the points in the order x, y, z, t.
        unknowns: what the module's columns of values are called, such as ``["u", "v", "p"]``; by default there is one, ``u``.
        points: where the equation is collocated, ``(n, d)``; at most :data:`MAX_POINTS` are looked at.
        choices: stencils to compare.
        dtype: the arithmetic that is advised on first; by default that of the module.
        step: one that is judged with the first of ``choices``: a number, or one for each axis, in order or by name.
        cost: whether to measure what an iteration costs with AD and with FD, see :func:`module_cost`.

    Raises:
        InputError: no derivative in the operator, one beyond :data:`numerics.differences.equation.MAX_DEPTH`, shapes that
            do not fit, a module that cannot be called or copied, or values that are not real.
    """
    X = as_points(points)
    given = len(X)
    if given > MAX_POINTS:
        X = X[np.linspace(0, given - 1, MAX_POINTS).astype(int)]
    equation = Equation(operator, X.shape[1], unknowns)
    steps = None if step is None else steps_of(step, equation.variables)
    of = subject(module, X, equation.names)
    arithmetic = _arithmetic(dtype, of)
    doubted, lost = _doubted(of, X, equation)
    terms: list[TermAdvice] = []
    residual: list[TermAdvice] = []
    judged = None
    studies: dict[str, Study] = {}
    for name in dict.fromkeys((*FLOATS, arithmetic)):
        study = studies[name] = Study.of(of, X, equation, name, doubted=doubted, lost=lost)
        for choice in choices:
            terms += [study.term(d, choice) for d in equation.derivatives if any(d.alpha)]
            residual.append(study.residual(choice))
            if name == arithmetic and steps is not None and choice is choices[0]:
                judged = judge(study, choice, steps, residual[-1], graph=not of.numpy)
    columns = tuple(
        (name, float(column.min()), float(column.max())) for name, column in zip(equation.variables, X.T, strict=True)
    )
    found = ModuleAdvice(
        equation.text,
        tuple(terms),
        tuple(residual),
        (),
        arithmetic,
        columns,
        tuple(doubted.values()),
        (len(X), given),
        judged,
    )
    best = found.recommended
    if not cost or best.basis == "zero":
        return found
    chosen = choices[[term for term in residual if term.arithmetic == arithmetic].index(best)]
    named = dict(best.steps)
    h = [named.get(name, 1.0) for name in equation.variables]
    return replace(found, cost=module_cost(studies[arithmetic], chosen, h))


@single_thread()
def judge_module(
    module: torch.nn.Module | Callable[..., Any],
    operator: str | Sequence[str],
    points: Any,
    step: Any,
    *,
    unknowns: str | Sequence[str] | None = None,
    choice: StencilChoice = CHOICES[0],
    dtype: str | None = None,
) -> Judgement:
    """What a step does to a network at its present parameters, beside what is advised: see :func:`advise_module`."""
    X = as_points(points)
    X = X if len(X) <= MAX_POINTS else X[np.linspace(0, len(X) - 1, MAX_POINTS).astype(int)]
    equation = Equation(operator, X.shape[1], unknowns)
    steps = steps_of(step, equation.variables)
    of = subject(module, X, equation.names)
    doubted, lost = _doubted(of, X, equation)
    study = Study.of(of, X, equation, _arithmetic(dtype, of), doubted=doubted, lost=lost)
    return judge(study, choice, steps, study.residual(choice), graph=not of.numpy)


def _doubted(
    of: Subject, X: Float[np.ndarray, "n d"], equation: Equation
) -> tuple[dict[Derivative, str], dict[Derivative, float]]:
    """The derivatives that autograd does not give, with the reason; and what it misses of each."""
    import torch

    fields, x = of.field("float64"), torch.from_numpy(X)
    extents = [bounds(column, 2.0**-52)[1] for column in X.T]
    doubted: dict[Derivative, str] = {}
    lost = dict.fromkeys(equation.derivatives, 0.0)
    for d in equation.derivatives:
        u, alpha = column(fields, equation.column(d)), d.alpha
        why = "autograd does not reach functions of NumPy arrays" if of.numpy else None
        try:
            values = derivative(u, x, alpha) if why is None else np.zeros(0)
        except InputError:
            raise
        except Exception as error:  # whatever autograd says of the user's code
            why = f"autograd fails on it ({' '.join(str(error).split())[:100]})"
        name = equation.name(d)
        if why:
            doubted[d] = f"{name}: {why}; differences of order 8 in float64 stand for it."
        elif any(alpha):
            lost[d] = missed(u, X, alpha, extents)
            found, doubt = extrapolated(u, x, alpha, extents)
            gap = rms(values - found)
            if not lost[d] and gap > 10 * doubt and gap > DISAGREE * rms(found):
                doubted[d] = (
                    f"Autograd gives {name} wrongly: its rms is {rms(values):.2g}, that of differences of order 8 in float64"
                    f" {rms(found):.2g}. A part of the graph is cut off (detach, no_grad) or a backward of your own is wrong;"
                    " errors are told against those differences, and training by AD would follow the wrong derivative."
                )
    return doubted, lost


def _arithmetic(dtype: Any, of: Subject) -> str:
    wanted = dtype or of.own or "float32"
    wanted = (wanted.__name__ if isinstance(wanted, type) else str(wanted)).removeprefix("torch.")
    if wanted not in ARITHMETICS:
        width = "".join(c for c in wanted if c.isdigit()) or {"double": "64", "half": "16"}.get(wanted, "32")
        hint = f"did you mean 'float{width}'? " if wanted[:1] in "fdshr" and f"float{width}" in ARITHMETICS else ""
        raise InputError(f"dtype: {wanted[:40]!r} is not allowed; {hint}allowed: {', '.join(ARITHMETICS)}")
    return wanted
