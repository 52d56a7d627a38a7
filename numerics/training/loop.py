"""The training loop: a batch of members under gradient descent, Adam or L-BFGS, recorded, stoppable, resumable.

All three act on a batch of flat parameter vectors ``[B, P]`` and never mix the members of the batch; the
state is a dictionary of tensors, so that a run can be stopped and taken up again.

Gradient descent and L-BFGS (with a multiple of the identity as initial matrix) commute with orthogonal
changes of the parameters; Adam only with signed permutations. The tests check this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from theory.base.errors import InputError

FINISHED = "finished"
DIVERGED = "diverged"

Record = int | Sequence[int] | None
"""Which iterations to record: every k-th, those listed, or about 200 spaced geometrically (``None``)."""


def schedule(iterations: int, record: Record = None) -> tuple[int, ...]:
    """The iterations to record, ascending; the first (0) and the last are always among them.

    Raises:
        InputError: a negative number of iterations, a period under 1, or a listed iteration out of range.

    >>> schedule(10, 4)
    (0, 4, 8, 10)
    >>> schedule(10, [3])
    (0, 3, 10)
    """
    if iterations < 0:
        raise InputError(f"iterations: {iterations}; at least 0")
    if record is None:
        wanted = {round((iterations + 1) ** (k / 200)) - 1 for k in range(201)}
    elif isinstance(record, int):
        if record < 1:
            raise InputError(f"record: every {record} iterations; at least 1")
        wanted = set(range(0, iterations + 1, record))
    else:
        wanted = {int(t) for t in record}
        if any(t < 0 or t > iterations for t in wanted):
            raise InputError(f"record: iterations must lie in 0..{iterations}")
    return tuple(sorted(wanted | {0, iterations}))


def finite(values: Sequence[float]) -> tuple[float | None, ...]:
    """``values`` with every NaN or infinity replaced by ``None``.

    >>> finite([1.0, float("inf")])
    (1.0, None)
    """
    return tuple(value if math.isfinite(value) else None for value in values)


@dataclass(frozen=True)
class LossCurve:
    """The loss ``½‖r‖²`` of one run at the recorded iterations.

    Attributes:
        iterations: ascending; the first is 0 (before any step), the last the final iteration.
        loss: one value an iteration; ``None`` where the run had overflowed.
        status: ``"finished"`` or ``"diverged"``.
        optimiser: ``"gd"``, ``"adam"`` or ``"lbfgs"``; ``"law"`` for a prediction.
        step: the step size (``None`` where there is none, as in L-BFGS).
        dtype, device: the arithmetic and the place of the run.
        parameters: the final parameters.
        residuals: the residual vectors ``[recorded, rows]`` if they were asked for.
    """

    iterations: tuple[int, ...]
    loss: tuple[float | None, ...]
    status: str
    optimiser: str
    step: float | None
    dtype: str
    device: str
    parameters: Float[torch.Tensor, " m"] | None = None
    residuals: Float[torch.Tensor, "t n"] | None = None


Snapshot = dict[str, Any]
"""All that a run needs to go on: tensors, numbers and lists, nothing else."""


@dataclass(frozen=True)
class Trajectory:
    """What a loop recorded.

    Attributes:
        iterations: the recorded iterations, the first and the last among them.
        loss: the loss of each member there, ``[t, b]``, float64; not finite after an overflow.
        parameters: the final parameters.
        reached: for each tolerance and member the first iteration with ``loss ≤ tolerance · loss(0)``, −1 if none.
        snapshots: the parameters at the iterations asked for.
    """

    iterations: tuple[int, ...]
    loss: Float[Tensor, "t b"]
    parameters: Float[Tensor, "b p"]
    reached: Int[Tensor, "k b"]
    snapshots: dict[int, Float[Tensor, "b p"]]


def minimise(
    objective: Objective,
    start: Float[Tensor, "b p"],
    optimiser: Optimiser,
    iterations: int,
    record: Record = None,
    *,
    tolerances: Sequence[float] = (),
    snapshots: Sequence[int] = (),
    resume: Snapshot | None = None,
    on_record: Callable[[int, Callable[[], Snapshot]], None] | None = None,
) -> Trajectory:
    """Run ``iterations`` of the optimiser from ``start`` (not changed).

    Args:
        tolerances: relative losses whose first crossing is found exactly, iteration by iteration.
        snapshots: iterations whose parameters are kept.
        resume: what ``on_record`` was given by an earlier run with the same arguments; the run goes on from there,
            bit by bit as if it had never stopped.
        on_record: called at every recorded iteration with its number and a function that makes a snapshot.

    Raises:
        InputError: snapshots outside the run, or a tolerance that is not positive.
    """
    times = schedule(iterations, record)
    if any(not 0 <= t <= iterations for t in snapshots):
        raise InputError(f"snapshots: iterations must lie in 0..{iterations}")
    if any(not tolerance > 0 for tolerance in tolerances):
        raise InputError("tolerances: each must be positive")
    # Autograd's bookkeeping costs as much as small operations do; modules cannot do without.
    with torch.inference_mode(not getattr(objective, "uses_autograd", False)):
        flat = start.clone()
        members = len(flat)
        targets = torch.tensor(list(tolerances), dtype=flat.dtype, device=flat.device)[:, None]
        if resume is None:
            state = optimiser.start(flat)
            done, losses = -1, []
            kept: dict[int, Tensor] = {}
            reached = torch.full((len(tolerances), members), -1, dtype=torch.int64, device=flat.device)
            loss, gradient = objective(flat)
            first = loss.clone()
        else:
            flat.copy_(resume["parameters"])
            state = {name: value.clone() for name, value in resume["state"].items()}
            state = {name: value if value.ndim == 0 else value.to(flat.device) for name, value in state.items()}
            done, losses = resume["iteration"], list(resume["losses"].unbind(0))
            kept = {int(t): value for t, value in resume["snapshots"].items()}
            reached, first = resume["reached"].to(flat.device).clone(), resume["first"].to(flat)
            loss, gradient = objective(flat)
        milestones = sorted(set(times) | set(snapshots))
        wanted, recorded = set(snapshots), set(times)

        def snapshot(iteration: int) -> Snapshot:
            return {
                "iteration": iteration,
                "parameters": flat.cpu().clone(),
                "state": {name: value.cpu().clone() for name, value in state.items()},
                "losses": torch.stack(losses),
                "reached": reached.cpu().clone(),
                "first": first.cpu().clone(),
                "snapshots": dict(kept),
            }

        def watch(iteration: int, loss: Tensor) -> None:
            if len(tolerances):
                new = (loss <= targets * first) & (reached < 0)
                reached.masked_fill_(new, iteration)

        now = max(done, 0)
        if done < 0:
            watch(0, loss)
        for milestone in milestones:
            if milestone <= done:
                continue
            for iteration in range(now + 1, milestone + 1):
                loss, gradient = optimiser.advance(objective, flat, loss, gradient, state)
                if len(tolerances):
                    watch(iteration, loss)
            now = milestone
            if milestone in wanted:
                kept[milestone] = flat.cpu().clone()
            if milestone in recorded:
                losses.append(loss.detach().double().cpu().clone())
                if on_record is not None:
                    on_record(milestone, lambda at=milestone: snapshot(at))  # type: ignore[misc]
        result = (torch.stack(losses), flat, reached.cpu(), kept)
    # Outside inference mode, so that the caller's tensors are ordinary ones.
    return Trajectory(
        times, result[0].clone(), result[1].clone(), result[2].clone(), {t: p.clone() for t, p in result[3].items()}
    )


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
