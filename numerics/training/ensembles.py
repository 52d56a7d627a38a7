"""Many training runs at once: one batch of networks, each its own seed, each as if it were alone.

Runs are taken in chunks. A two-layer member's result does not depend, to the last bit, on its neighbours, on the chunk
or on a restart (deeper networks and modules: up to rounding, and to the last bit on a restart). A chunk of one gets a
companion, because the product of a single matrix takes another kernel than a batch.

On a CPU, chunks of two-layer networks are taken by as many threads as torch has, each chunk by one: that needs no
barrier at every small operation, as threads inside the operations do, and shares the optimiser's work too.

Memory, for the two-layer fast path and each thread: a block of networks holds about two to four arrays ``[block, n, M]`` (each at most
4 MiB in float64 on a CPU) and the optimiser's state, a few times the parameters: chunks bound both.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.arithmetic.devices import dtype_name, resolve_device, resolve_dtype, tensor_float_32, threads
from numerics.networks.fields import FieldResidual
from numerics.networks.perceptrons import ModuleResidual, PerceptronResidual
from numerics.networks.two_layer import TwoLayerResidual
from numerics.training.loop import (
    DIVERGED,
    FINISHED,
    GradientDescent,
    LossCurve,
    Optimiser,
    Record,
    Snapshot,
    Trajectory,
    finite,
    minimise,
    schedule,
)
from theory.base.errors import InputError
from theory.base.files import check_output, write

Model = TwoLayerResidual | PerceptronResidual | ModuleResidual | FieldResidual
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


def on(model: Model, device: torch.device, dtype: torch.dtype) -> Model:
    """The model with its system on a device and in an arithmetic."""
    system: Any = model.system.to(device, dtype)
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
        start: initial parameters, one row a seed; see :func:`numerics.networks.networks.initialise`.
        optimiser: as in :mod:`numerics.training.loop`; the step of gradient descent may be a tensor ``[b]``.
        record: see :func:`numerics.training.loop.schedule`.
        seeds: names of the rows, for the result; 0, 1, … by default.
        chunk: the most networks that a thread has in memory at once.
        checkpoint: a file that holds finished chunks and the state of the current one; written at most every
            ``checkpoint_seconds`` and at the end of each chunk.
        resume: go on from that file if it exists, in its chunks, whatever the number of threads.
        progress: called at every recorded iteration, by one thread at a time.

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
    key = _key(model, start, optimiser, times, tolerances, snapshots, kind, place)
    workers, size = _shares(model, len(start), chunk, place)
    store = _Store(checkpoint, key, resume, checkpoint_seconds, size)
    counted = _Counted(progress, len(start) * max(iterations, 1))
    mine = threading.local()  # a model keeps its buffers: every thread has its own

    def train(number: int) -> Trajectory:
        first = number * store.chunk
        rows = start[first : first + store.chunk]
        size = len(rows)
        if (saved := store.finished(number)) is not None:
            counted.skip(number, size * max(iterations, 1))
            return saved
        piece = _slice(optimiser, first, first + size, place, kind)
        if size == 1:
            rows = rows.expand(2, -1)
            piece = _slice(optimiser, [first, first], None, place, kind)
        if not hasattr(mine, "model"):
            mine.model = on(model, place, kind)

        def note(iteration: int, snapshot: Callable[[], Snapshot]) -> None:
            store.offer(number, snapshot)
            counted.report(number, size * iteration)

        trajectory = minimise(
            mine.model, rows.to(place, kind), piece, iterations, times,
            tolerances=tolerances, snapshots=snapshots, resume=store.current(number), on_record=note,
        )  # fmt: skip
        saved = _narrow(trajectory, size)
        store.finish(number, saved)
        return saved

    numbers = range(-(-len(start) // store.chunk))
    with tensor_float_32(tf32):
        parts = [train(number) for number in numbers] if workers == 1 else _together(train, numbers, workers, counted)
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


FEWEST = 8
"""Networks that are worth a chunk of their own."""
BUSY = 2**15
"""Elements under which an operation is too short to be worth a thread; torch's own threads have that bound."""


def _shares(model: Model, members: int, chunk: int, place: torch.device) -> tuple[int, int]:
    """How many threads take chunks, and how large these are."""
    workers = torch.get_num_threads()
    if workers == 1 or place.type != "cpu" or not isinstance(model, TwoLayerResidual):
        return 1, chunk
    size = min(chunk, max(FEWEST, -(-members // workers)))
    workers = min(workers, -(-members // size))
    return (workers, size) if workers > 1 and size * model.elements >= BUSY else (1, chunk)


def _together(train: Callable[[int], Trajectory], numbers: range, workers: int, counted: _Counted) -> list[Trajectory]:
    """All chunks, by so many threads; what one raises stops the others at their next record."""
    with threads(1), ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(train, number) for number in numbers]
        try:
            return [future.result() for future in futures]
        except BaseException:
            counted.stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _StoppedError(Exception):
    """Another thread failed or was interrupted."""


class _Counted:
    """Progress of several chunks at once."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total = progress, total
        self.done: dict[int, int] = {}
        self.lock = threading.Lock()
        self.stopped = False

    def skip(self, number: int, count: int) -> None:
        """A chunk that was finished before."""
        with self.lock:
            self.done[number] = count

    def report(self, number: int, count: int) -> None:
        if self.stopped:
            raise _StoppedError
        with self.lock:
            self.done[number] = count
            if self.progress is not None:
                self.progress(sum(self.done.values()), self.total)


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
    values += [times, tuple(tolerances), tuple(snapshots), dtype, device.type]
    for value in values:
        add(value)
    return digest.hexdigest()


def _is_checkpoint(path: Path) -> bool:
    """Whether a file is one that :class:`_Store` wrote."""
    try:
        data = torch.load(path, weights_only=True)
    except Exception:  # torch raises what its readers raise
        return False
    return isinstance(data, dict) and {"key", "done", "open"} <= set(data)


class _Store:
    """The checkpoint file: finished chunks, and the state of those at work."""

    def __init__(self, path: Path | None, key: str, resume: bool, seconds: float, chunk: int) -> None:
        self.path, self.key, self.seconds, self.chunk = path, key, seconds, chunk
        self.done: dict[int, dict[str, Any]] = {}
        self.open: dict[int, Snapshot] = {}
        self.lock = threading.Lock()
        self.began = time.perf_counter()
        self.taken: dict[int, float] = {}
        if path is not None and not resume:
            check_output(path, option="checkpoint", force=None, known=_is_checkpoint)
        if path is not None and resume and path.exists():
            try:
                data = torch.load(path, weights_only=True)
            except Exception as error:
                raise InputError(f"checkpoint: {path} cannot be read ({type(error).__name__})") from None
            if data.get("key") != key:
                raise InputError(f"checkpoint: {path} belongs to another run; remove it or leave out resume")
            self.done, self.open, self.chunk = data["done"], data["open"], data["chunk"]

    def finished(self, number: int) -> Trajectory | None:
        return Trajectory(**self.done[number]) if number in self.done else None

    def current(self, number: int) -> Snapshot | None:
        return self.open.get(number)

    def offer(self, number: int, snapshot: Callable[[], Snapshot]) -> None:
        now = time.perf_counter()
        if self.path is not None and now - self.taken.get(number, self.began) >= self.seconds:
            state = snapshot()
            with self.lock:
                self.open[number] = state
                self.taken[number] = now
                self._write()

    def finish(self, number: int, trajectory: Trajectory) -> None:
        with self.lock:
            self.done[number] = dict(vars(trajectory))
            self.open.pop(number, None)
            if self.path is not None:
                self._write()

    def _write(self) -> None:
        assert self.path is not None
        content = {"key": self.key, "chunk": self.chunk, "done": self.done, "open": self.open}
        write(self.path, lambda file: torch.save(content, file), option="checkpoint", force=True)  # looked at before
