"""The training loop: a batch of members under one optimiser, recorded, stoppable and resumable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.training.optimisers import Objective, Optimiser
from numerics.training.records import Record, schedule
from theory.errors import InputError

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
