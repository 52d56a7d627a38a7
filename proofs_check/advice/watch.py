"""Until when is my step all right: a callback for a training loop, and for checkpoints, that warns when it no longer is."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numerics.differences.judged import Judgement
from numerics.differences.network import CHOICES, judge_module
from proofs_check.advice.module_words import of_step
from theory.base.errors import InputError
from theory.operators.operator import StencilChoice

if TYPE_CHECKING:
    import torch


class StepWarning(UserWarning):
    """The step of a finite difference is no longer all right."""


@dataclass
class Watch:
    """What :func:`watch` returns: call it in the training loop.

    Attributes:
        module: the network; it is only read.
        equation: as for :func:`proofs_check.advice.advice.advise`.
        points: where it is collocated.
        step: that is used, a number or one for each axis.
        every: how many calls there are from one look to the next.
        choice: the stencil.
        dtype: the arithmetic; the module's by default.
        unknowns: what the module's columns are called.
        history: iteration (or name of a checkpoint) and what the step did there.
    """

    module: torch.nn.Module | Callable[..., Any]
    equation: str | Sequence[str]
    points: Any
    step: Any
    every: int = 500
    choice: StencilChoice = CHOICES[0]
    dtype: str | None = None
    unknowns: str | Sequence[str] | None = None
    history: list[tuple[Any, Judgement]] = field(default_factory=list)
    calls: int = 0

    def __call__(self, *_: Any) -> Judgement | None:
        """Counts; every so many calls, the first among them, it looks. Arguments, as other loops pass them, are ignored."""
        self.calls += 1
        return self.look(self.calls - 1) if (self.calls - 1) % self.every == 0 else None

    def look(self, when: Any = "now") -> Judgement:
        """Judges the step on the network as it is, keeps that, and warns once each time it stops being all right.

        Raises:
            InputError: as :func:`numerics.differences.network.advise_module`.
        """
        found = judge_module(
            self.module, self.equation, self.points, self.step,
            unknowns=self.unknowns, choice=self.choice, dtype=self.dtype,
        )  # fmt: skip
        told = found.fine or (bool(self.history) and not self.history[-1][1].fine)
        self.history.append((when, found))
        if not told:
            warnings.warn(f"at {when}: {' '.join(of_step(found))}", StepWarning, stacklevel=2)
        return found

    def over(self, checkpoints: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> list[tuple[Any, Judgement]]:
        """The same for saved states (``state_dict``), by name; the module itself stays as it is.

        Raises:
            InputError: a state that does not fit the module.
        """
        import torch

        if not isinstance(self.module, torch.nn.Module):
            raise InputError("watch: checkpoints are states of a torch module")
        kept, self.module = self.module, copy.deepcopy(self.module)
        start = len(self.history)
        try:
            for name, state in checkpoints.items() if isinstance(checkpoints, Mapping) else checkpoints:
                try:
                    self.module.load_state_dict(state)
                except (RuntimeError, TypeError) as error:
                    told = " ".join(str(error).split())[:160]
                    raise InputError(f"checkpoint {name!r}: does not fit the module: {told}") from None
                self.look(name)
        finally:
            self.module = kept
        return self.history[start:]


def watch(
    module: torch.nn.Module | Callable[..., Any],
    equation: str | Sequence[str],
    points: Any,
    step: Any,
    *,
    every: int = 500,
    choice: StencilChoice = CHOICES[0],
    dtype: str | None = None,
    unknowns: str | Sequence[str] | None = None,
) -> Watch:
    """A callback for a training loop: every so many calls it judges the step on the network as it then is.

    It warns (:class:`StepWarning`) when the step stops being all right; its ``history`` has all that was found.

    Raises:
        InputError: ``every`` below 1.
    """
    if every < 1:
        raise InputError(f"every: {every} is not allowed; allowed: 1 or more")
    return Watch(module, equation, points, step, every, choice, dtype, unknowns)
