"""Gradient descent, Adam and L-BFGS on many independent problems at once.

All three act on a batch of flat parameter vectors ``[B, P]`` and never mix the members of the batch; the
state is a dictionary of tensors, so that a run can be stopped and taken up again.

Gradient descent and L-BFGS (with a multiple of the identity as initial matrix) commute with orthogonal
changes of the parameters; Adam only with signed permutations. The tests check this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from theory.errors import InputError

State = dict[str, Tensor]


class Objective(Protocol):
    """Losses and gradients of a batch of parameter vectors; the next call may overwrite what one returned."""

    def __call__(self, parameters: Float[Tensor, "b p"], /) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]: ...


class Optimiser(Protocol):
    """One iteration at a time, in place on ``parameters`` and ``state``."""

    name: ClassVar[str]

    def start(self, parameters: Float[Tensor, "b p"]) -> State:
        """A fresh state."""
        ...

    def advance(
        self,
        objective: Objective,
        parameters: Float[Tensor, "b p"],
        loss: Float[Tensor, " b"],
        gradient: Float[Tensor, "b p"],
        state: State,
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]:
        """Take one iteration from where ``loss`` and ``gradient`` hold; return them at the new parameters."""
        ...


@dataclass(frozen=True)
class GradientDescent:
    """``p ← p − step · ∇L``; the step is one number, or one for each member of the batch ``[B]``."""

    step: float | Tensor
    name: ClassVar[str] = "gd"

    def start(self, parameters: Float[Tensor, "b p"]) -> State:
        return {}

    def advance(
        self, objective: Objective, parameters: Tensor, loss: Tensor, gradient: Tensor, state: State
    ) -> tuple[Tensor, Tensor]:
        if isinstance(self.step, Tensor):
            parameters.addcmul_(gradient, self.step[:, None], value=-1)
        else:
            parameters.add_(gradient, alpha=-self.step)
        return objective(parameters)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, 2015, Algorithm 1), the bias corrections applied as in ``torch.optim.Adam``."""

    step: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "adam"

    def start(self, parameters: Float[Tensor, "b p"]) -> State:
        return {
            "first": torch.zeros_like(parameters),
            "second": torch.zeros_like(parameters),
            "count": torch.zeros((), dtype=torch.int64),
        }

    def advance(
        self, objective: Objective, parameters: Tensor, loss: Tensor, gradient: Tensor, state: State
    ) -> tuple[Tensor, Tensor]:
        first, second = state["first"], state["second"]
        state["count"] += 1
        count = int(state["count"])
        first.lerp_(gradient, 1 - self.beta1)
        second.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        denominator = second.sqrt()
        denominator.mul_((1 - self.beta2**count) ** -0.5).add_(self.epsilon)
        parameters.addcdiv_(first, denominator, value=-self.step / (1 - self.beta1**count))
        return objective(parameters)


@dataclass(frozen=True)
class LBFGS:
    """L-BFGS (Nocedal & Wright, 2006, Algorithm 7.4), a weak Wolfe step by bisection (Lewis & Overton, 2013).

    Each member of the batch has its own history, its own step and its own end: a member whose line search
    finds no decrease (it has converged, or the rounding of the loss hides it) forgets its history once and
    then stays put.

    Attributes:
        history: pairs (s, y) kept.
        trials: the most evaluations in one line search.
    """

    history: int = 20
    trials: int = 30
    armijo: float = 1e-4
    curvature: float = 0.9
    name: ClassVar[str] = "lbfgs"

    def start(self, parameters: Float[Tensor, "b p"]) -> State:
        b, p = parameters.shape
        new = parameters.new_zeros
        return {
            "s": new(self.history, b, p),
            "y": new(self.history, b, p),
            "rho": new(self.history, b),
            "scale": new(b),
            "failures": new(b),
            "count": torch.zeros((), dtype=torch.int64),
            "evaluations": torch.zeros((), dtype=torch.int64),
        }

    def _direction(self, gradient: Tensor, state: State) -> Tensor:
        """``−H ∇L`` by the two-loop recursion; pairs with ``ρ = 0`` are absent and change nothing."""
        s, y, rho = state["s"], state["y"], state["rho"]
        count = int(state["count"])
        order = [k % self.history for k in range(count - 1, max(count - self.history, 0) - 1, -1)]
        q = gradient.clone()
        alphas = []
        for k in order:
            alpha = rho[k] * (s[k] * q).sum(-1)
            q.addcmul_(y[k], alpha[:, None], value=-1)
            alphas.append(alpha)
        q.mul_(torch.where(state["scale"] > 0, state["scale"], 1.0)[:, None])
        for k, alpha in zip(reversed(order), reversed(alphas), strict=True):
            beta = rho[k] * (y[k] * q).sum(-1)
            q.addcmul_(s[k], (alpha - beta)[:, None])
        return q.neg_()

    def advance(
        self, objective: Objective, parameters: Tensor, loss: Tensor, gradient: Tensor, state: State
    ) -> tuple[Tensor, Tensor]:
        loss, gradient = loss.clone(), gradient.clone()
        direction = self._direction(gradient, state)
        slope = (gradient * direction).sum(-1)
        # Rounding can spoil the descent property; steepest descent never does.
        bad = ~(slope < 0)
        if bool(bad.any()):
            direction = torch.where(bad[:, None], -gradient, direction)
            slope = (gradient * direction).sum(-1)
            self._forget(state, bad)
        # Without history the gradient's length means nothing: the first trial then has length at most one.
        length = torch.where(
            state["scale"] > 0, torch.ones_like(slope), gradient.norm(dim=-1).clamp(min=1.0).reciprocal()
        )
        low, high = torch.zeros_like(length), torch.full_like(length, torch.inf)
        best_loss, best_gradient, best = loss.clone(), gradient.clone(), torch.zeros_like(length)
        open_ = (slope < 0) & (state["failures"] < 2)
        for _ in range(self.trials):
            if not bool(open_.any()):
                break
            # A finished member keeps its best step, so that it does not depend on how long the others search.
            trial = torch.where(open_, length, best)
            new_loss, new_gradient = objective(torch.addcmul(parameters, direction, trial[:, None]))
            state["evaluations"] += 1
            decrease = new_loss <= loss + self.armijo * trial * slope
            steep = (new_gradient * direction).sum(-1) < self.curvature * slope
            better = open_ & decrease & (new_loss < loss)
            best = torch.where(better, trial, best)
            best_loss = torch.where(better, new_loss, best_loss)
            best_gradient = torch.where(better[:, None], new_gradient, best_gradient)
            high = torch.where(open_ & ~decrease, trial, high)
            low = torch.where(open_ & decrease & steep, trial, low)
            open_ = open_ & ~(decrease & ~steep)
            length = torch.where(torch.isinf(high), 2 * low, (low + high) / 2)
        step = direction * best[:, None]
        change = best_gradient - gradient
        product = (step * change).sum(-1)
        keep = product > 0
        self._forget(state, best == 0)
        state["failures"] = torch.where(best == 0, state["failures"] + 1, 0.0)
        slot = int(state["count"]) % self.history
        state["s"][slot] = torch.where(keep[:, None], step, 0.0)
        state["y"][slot] = torch.where(keep[:, None], change, 0.0)
        state["rho"][slot] = torch.where(keep, product.reciprocal(), 0.0)
        state["scale"] = torch.where(keep, product / (change * change).sum(-1), state["scale"])
        state["count"] += 1
        parameters.addcmul_(direction, best[:, None])
        return best_loss, best_gradient

    @staticmethod
    def _forget(state: State, members: Tensor) -> None:
        """Drop the history of the ``members`` (a mask)."""
        if bool(members.any()):
            state["rho"][:, members] = 0.0
            state["scale"] = torch.where(members, 0.0, state["scale"])


def optimiser(name: str, step: float | None = None) -> Optimiser:
    """The optimiser called ``gd``, ``adam`` or ``lbfgs``.

    Raises:
        InputError: an unknown name, a step that is not positive, or gradient descent without a step.

    >>> optimiser("adam", 0.01).step
    0.01
    """
    if step is not None and not 0 < step < float("inf"):
        raise InputError(f"step: {step}; a positive number is allowed")
    if name == "gd":
        if step is None:
            raise InputError("step: gradient descent needs one")
        return GradientDescent(step)
    if name == "adam":
        return Adam() if step is None else Adam(step)
    if name == "lbfgs":
        return LBFGS()
    raise InputError(f"optimizer: {name!r}; allowed: gd, adam, lbfgs")
