"""Many training runs at once: one batch of networks, each its own seed, each as if it were alone.

Runs are taken in chunks. A two-layer member's result does not depend, to the last bit, on its neighbours, on the chunk
or on a restart (deeper networks and modules: up to rounding, and to the last bit on a restart). A chunk of one gets a
companion, because the product of a single matrix takes another kernel than a batch.

Memory, for the two-layer fast path: a block of networks holds about two to four arrays ``[block, n, M]`` (each at most
4 MiB in float64 on a CPU) and the optimiser's state, a few times the parameters: chunks bound both.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.training.devices import dtype_name, resolve_device, resolve_dtype, tensor_float_32
from numerics.training.loop import Snapshot, Trajectory, minimise
from numerics.training.modules import ModuleResidual
from numerics.training.optimisers import GradientDescent, Objective, Optimiser
from numerics.training.perceptrons import PerceptronResidual
from numerics.training.records import DIVERGED, FINISHED, LossCurve, Record, finite, schedule
from numerics.training.residuals import System
from numerics.training.two_layer import TwoLayerResidual
from theory.errors import InputError

Model = TwoLayerResidual | PerceptronResidual | ModuleResidual
Progress = Callable[[int, int], None]
"""Called with the network-iterations done and those in all."""


@dataclass(frozen=True)
class EnsembleRun:
    """The runs of all seeds.

    Attributes:
        seeds: as given; the second axis of ``loss`` and the first of ``parameters``.
        iterations: recorded iterations.
        loss: ``½‖r‖²``, ``[t, b]``, float64; NaN or infinite after an overflow.
        parameters: final parameters ``[b, p]``, on the CPU.
        tolerances, reached: for each tolerance and seed the first iteration with ``loss ≤ tolerance · loss(0)``, −1
            if there is none.
        snapshots: parameters ``[b, p]`` at the iterations asked for.
        optimiser, step, dtype, device: of the run; the step is a number, one for each seed, or None.
        seconds: wall time of this call (of the last one, after a resumption).
    """

    seeds: tuple[int, ...]
    iterations: tuple[int, ...]
    loss: Float[Tensor, "t b"]
    parameters: Float[Tensor, "b p"]
    tolerances: tuple[float, ...]
    reached: Int[Tensor, "k b"]
    snapshots: dict[int, Float[Tensor, "b p"]]
    optimiser: str
    step: float | tuple[float, ...] | None
    dtype: str
    device: str
    seconds: float

    def curve(self, member: int) -> LossCurve:
        """The run of one member of the batch."""
        losses = finite(self.loss[:, member].tolist())
        step = self.step[member] if isinstance(self.step, tuple) else self.step
        return LossCurve(
            self.iterations,
            losses,
            DIVERGED if None in losses else FINISHED,
            self.optimiser,
            step,
            self.dtype,
            self.device,
            self.parameters[member],
        )

    @property
    def diverged(self) -> tuple[int, ...]:
        """The seeds whose loss overflowed."""
        bad = ~torch.isfinite(self.loss).all(0)
        return tuple(seed for seed, flag in zip(self.seeds, bad.tolist(), strict=True) if flag)


def on(model: Model, device: torch.device, dtype: torch.dtype) -> Model:
    """The model with its system on a device and in an arithmetic."""
    system: System = model.system.to(device, dtype)
    if isinstance(model, ModuleResidual):
        import copy

        return replace(model, system=system, module=copy.deepcopy(model.module).to(device, dtype))
    return replace(model, system=system)


def train_ensemble(
    model: Model,
    start: Float[Tensor, "b p"],
    optimiser: Optimiser,
    iterations: int,
    record: Record = None,
    *,
    seeds: Sequence[int] | None = None,
    tolerances: Sequence[float] = (),
    snapshots: Sequence[int] = (),
    dtype: str | torch.dtype = "float64",
    device: str = "auto",
    tf32: bool = False,
    chunk: int = 64,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 30.0,
    resume: bool = False,
    progress: Progress | None = None,
) -> EnsembleRun:
    """Train every row of ``start``, in the arithmetic ``dtype``.

    Args:
        model: a :class:`TwoLayerResidual` (fastest), a :class:`PerceptronResidual` (any depth) or a
            :class:`ModuleResidual` (any module).
        start: initial parameters, one row a seed; see :func:`numerics.training.networks.initialise`.
        optimiser: as in :mod:`numerics.training.optimisers`; the step of gradient descent may be a tensor ``[b]``.
        record: see :func:`numerics.training.records.schedule`.
        seeds: names of the rows, for the result; 0, 1, … by default.
        chunk: the most networks in memory at once.
        checkpoint: a file that holds finished chunks and the state of the current one; written at most every
            ``checkpoint_seconds`` and at the end of each chunk.
        resume: go on from that file if it exists.
        progress: called at every recorded iteration.

    Raises:
        InputError: shapes that do not fit, a chunk under 1, or a checkpoint of another run.
    """
    began = time.perf_counter()
    place, kind = resolve_device(device), resolve_dtype(dtype)
    if start.ndim != 2 or len(start) == 0:
        raise InputError(f"start: {tuple(start.shape)}; one row of parameters for each seed is needed")
    names = tuple(range(len(start))) if seeds is None else tuple(int(seed) for seed in seeds)
    if len(names) != len(start):
        raise InputError(f"seeds: {len(names)} for {len(start)} rows of parameters")
    if chunk < 1:
        raise InputError(f"chunk: {chunk}; at least 1")
    step = getattr(optimiser, "step", None)
    if isinstance(step, Tensor) and step.shape != (len(start),):
        raise InputError(f"step: {tuple(step.shape)}; one for each of the {len(start)} seeds")
    times = schedule(iterations, record)
    key = _key(model, start, optimiser, times, tolerances, snapshots, kind, place, chunk)
    store = _Store(checkpoint, key, resume, checkpoint_seconds)
    moved = on(model, place, kind)
    bounds = range(0, len(start), chunk)
    total = len(start) * max(iterations, 1)
    parts: list[Trajectory] = []
    for number, first in enumerate(bounds):
        rows = start[first : first + chunk]
        size = len(rows)
        if (saved := store.finished(number)) is None:
            piece = _slice(optimiser, first, first + size, place, kind)
            if size == 1:
                rows = rows.expand(2, -1)
                piece = _slice(optimiser, [first, first], None, place, kind)

            def note(iteration: int, snapshot: Callable[[], Snapshot], number: int = number, first: int = first,
                     size: int = size) -> None:  # fmt: skip
                store.offer(number, snapshot)
                if progress is not None:
                    progress(first * max(iterations, 1) + size * iteration, total)

            with tensor_float_32(tf32):
                trajectory = minimise(
                    moved, rows.to(place, kind), piece, iterations, times,
                    tolerances=tolerances, snapshots=snapshots, resume=store.current(number), on_record=note,
                )  # fmt: skip
            saved = _narrow(trajectory, size)
            store.finish(number, saved)
        parts.append(saved)
    return EnsembleRun(
        names,
        times,
        torch.cat([part.loss for part in parts], 1),
        torch.cat([part.parameters for part in parts]),
        tuple(tolerances),
        torch.cat([part.reached for part in parts], 1),
        {t: torch.cat([part.snapshots[t] for part in parts]) for t in sorted(set(snapshots))},
        optimiser.name,
        tuple(step.tolist()) if isinstance(step, Tensor) else step,
        dtype_name(kind),
        place.type,
        time.perf_counter() - began,
    )


def _slice(
    optimiser: Optimiser, first: int | list[int], last: int | None, device: torch.device, dtype: torch.dtype
) -> Optimiser:
    """The optimiser for some members, when its step differs from one to the other."""
    if isinstance(optimiser, GradientDescent) and isinstance(optimiser.step, Tensor):
        some = optimiser.step[first] if isinstance(first, list) else optimiser.step[first:last]
        return GradientDescent(some.to(device, dtype))
    return optimiser


def _narrow(trajectory: Trajectory, size: int) -> Trajectory:
    """Without the companion of a single member, on the CPU."""
    return Trajectory(
        trajectory.iterations,
        trajectory.loss[:, :size],
        trajectory.parameters[:size].cpu(),
        trajectory.reached[:, :size],
        {t: value[:size] for t, value in trajectory.snapshots.items()},
    )


def _key(
    model: Model,
    start: Tensor,
    optimiser: Optimiser,
    times: tuple[int, ...],
    tolerances: Sequence[float],
    snapshots: Sequence[int],
    dtype: torch.dtype,
    device: torch.device,
    chunk: int,
) -> str:
    """Names the run that a checkpoint belongs to."""
    digest = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, Tensor):
            digest.update(repr(tuple(value.shape)).encode() + value.detach().double().cpu().numpy().tobytes())
        else:
            digest.update(repr(value).encode())

    values: list[Any] = [start, type(model).__name__, optimiser.name]
    for name, value in vars(model).items():
        if name not in ("system", "_blocks"):
            values.append(str(value) if isinstance(value, torch.nn.Module) else value)
    for rows in model.system.rows:
        values += [rows.points, rows.target, rows.root]
        for part in rows.parts:
            values += vars(part).values()
    values += vars(optimiser).values()
    values += [times, tuple(tolerances), tuple(snapshots), dtype, device.type, chunk]
    for value in values:
        add(value)
    return digest.hexdigest()


class _Store:
    """The checkpoint file: finished chunks, and the state of the one at work."""

    def __init__(self, path: Path | None, key: str, resume: bool, seconds: float) -> None:
        self.path, self.key, self.seconds = path, key, seconds
        self.done: dict[int, dict[str, Any]] = {}
        self.open: dict[int, Snapshot] = {}
        self.written = time.perf_counter()
        if path is not None and resume and path.exists():
            try:
                data = torch.load(path, weights_only=True)
            except Exception as error:
                raise InputError(f"checkpoint: {path} cannot be read ({type(error).__name__})") from None
            if data.get("key") != key:
                raise InputError(f"checkpoint: {path} belongs to another run; remove it or leave out resume")
            self.done, self.open = data["done"], data["open"]

    def finished(self, number: int) -> Trajectory | None:
        return Trajectory(**self.done[number]) if number in self.done else None

    def current(self, number: int) -> Snapshot | None:
        return self.open.get(number)

    def offer(self, number: int, snapshot: Callable[[], Snapshot]) -> None:
        if self.path is not None and time.perf_counter() - self.written >= self.seconds:
            self.open = {number: snapshot()}
            self._write()

    def finish(self, number: int, trajectory: Trajectory) -> None:
        self.done[number] = dict(vars(trajectory))
        self.open = {}
        if self.path is not None:
            self._write()

    def _write(self) -> None:
        assert self.path is not None
        fresh = self.path.with_name(self.path.name + ".part")
        torch.save({"key": self.key, "done": self.done, "open": self.open}, fresh)
        fresh.replace(self.path)  # a run killed while it writes leaves the old file whole
        self.written = time.perf_counter()


def objective_at(model: Model, device: str = "auto", dtype: str | torch.dtype = "float64") -> Objective:
    """The model as an objective in an arithmetic and on a device, for direct use."""
    return on(model, resolve_device(device), resolve_dtype(dtype))
