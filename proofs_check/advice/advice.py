"""Advice for those who train with finite differences: which step, which stencil, which precision, what AD would gain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from numerics.differences.advise import study
from numerics.problem.problem import Problem
from proofs_check.advice.told import ToldModule, ToldProblem, ToldSystem, told
from theory.base.errors import InputError

if TYPE_CHECKING:
    import torch


@overload
def advise(
    subject: Problem, *, cost: bool = True, device: str = "auto", dtype: str | None = None
) -> ToldProblem | ToldSystem: ...


@overload
def advise(
    subject: torch.nn.Module | Callable[..., Any],
    operator: str | Sequence[str],
    points: Any,
    *,
    unknowns: str | Sequence[str] | None = None,
    cost: bool = True,
    dtype: str | None = None,
    step: Any = None,
) -> ToldModule: ...


def advise(
    subject: Problem | torch.nn.Module | Callable[..., Any],
    operator: str | Sequence[str] | None = None,
    points: Any = None,
    *,
    unknowns: str | Sequence[str] | None = None,
    cost: bool = True,
    device: str = "auto",
    dtype: str | None = None,
    step: Any = None,
) -> ToldProblem | ToldModule | ToldSystem:
    """Advice for a problem, or for a torch module of one's own; ``print`` it, draw its ``figure(path)``, or see it in a notebook.

    Args:
        subject: a problem, whose own stencil and step are judged and others compared; or a module, whose derivatives
            in ``operator`` are differenced at ``points``: see :func:`numerics.differences.network.advise_module`.
        operator: with a module: the left-hand side, linear or not, such as ``"u_t + u*u_x - 0.01*u_xx"``.
            Several equations are a list.
        points: with a module: (n, d).
        unknowns: with a module of several columns: what they are called, in order, such as ``["u", "v", "p"]``.
        cost: measure the cost of AD and FD with torch.
        device: where that is measured for a problem.
        dtype: the arithmetic that is advised on first; by default the problem's, the module's.
        step: with a module: a step that is judged, a number or one for each axis; a problem has its own.

    Raises:
        InputError: no interior points, or features that are not finite.
    """
    if isinstance(subject, Problem):
        if operator is not None or points is not None or step is not None:
            raise InputError(
                "advise: a problem has its own equation, points and step; allowed beside it: cost, device, dtype"
            )
        if dtype is not None:
            subject = subject.with_(dtype=dtype)
        if subject.equations:
            from numerics.differences.systems import study_system

            return told(study_system(subject, cost=cost))
        return told(study(subject, cost=cost, device=device))
    if isinstance(subject, str):
        raise InputError(f"advise: {subject[:60]!r} is a text; of a problem file give adfd.load({subject[:60]!r})")
    if operator is None or points is None:
        raise InputError("advise: a module needs the operator and the points, advise(module, 'u_xx', points)")
    from numerics.differences.network import advise_module

    return told(advise_module(subject, operator, points, unknowns=unknowns, dtype=dtype, step=step, cost=cost))
