"""Two-layer networks to train, as values that draw, train and describe themselves; what each must obey, measured (ours).

A :class:`TrainingProblem` is a problem, a law of the output weights and a step; :func:`examine` trains its networks by
gradient descent with one method and returns ratios of what was measured to what bounds it. None may exceed 1.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.arithmetic.devices import resolve_device
from numerics.networks import ntk
from numerics.networks.networks import Term
from numerics.networks.two_layer import TwoLayerResidual
from numerics.predictions.bounds import (
    BOUNDED,
    Averages,
    Lazy,
    Rounding,
    bend_rounding,
    curvatures,
    lazy,
    step_rounding,
    supremum,
)
from numerics.predictions.frozen import Followed, follow
from numerics.problem import file as problem_file
from numerics.problem.problem import Method, Problem
from numerics.training import from_problem
from numerics.training.ensembles import Model, on
from theory.base.errors import InputError
from theory.base.exact import rational, spell
from theory.stencils import remainder as peano
from theory.stencils.stencil import Stencil, stencil

Amplitudes = Literal["signs", "normal", "opposite"]
"""The law of the output weights: ±1, standard normal, or ±1 in opposite pairs, so that the network starts at zero."""
UNITS = {"float32": 2.0**-24, "float64": 2.0**-53}


@dataclass(frozen=True)
class TrainingProblem:
    """Networks, seeds and a step.

    Attributes:
        problem: with ``training.seeds`` networks of ``count`` neurons for ``training.iterations`` iterations.
        amplitudes: the law of a; over √M in the scaling ``"standard"``.
        rate: the step of gradient descent in units of ``1/λ_max(G_0)``, each network's own.
        device: ``"cpu"`` or ``"cuda"``.
    """

    problem: Problem
    amplitudes: Amplitudes = "signs"
    rate: Fraction = Fraction(1)
    device: str = "cpu"

    def __repr__(self) -> str:
        p, t = self.problem, self.problem.training
        laws = "" if isinstance(p.weights, tuple) else f", w {p.weights}, b {p.biases}"
        return (
            f"<{t.seeds} x {t.iterations} {t.optimizer}: {p.operator_text}, {p.activation_name}, width {p.count}{laws}, "
            f"a {self.amplitudes}, {t.scaling}, interior {p.interior}, boundary {[spell(b.weight) for b in p.boundary]}, "
            f"{p.stencil.to_dict()}, h {spell(p.h)}, {p.dtype}, rate {spell(self.rate)}, seed {p.seed}, {self.device}>"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON types; :meth:`from_dict` trains the same networks."""
        return {
            "problem": self.problem.to_dict(),
            "amplitudes": self.amplitudes,
            "rate": spell(self.rate),
            "device": self.device,
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> TrainingProblem:
        """What :meth:`to_dict` described.

        Raises:
            InputError: something else, or a device that is not here.
        """
        if set(data) != {"problem", "amplitudes", "rate", "device"} or data["amplitudes"] not in (
            "signs",
            "normal",
            "opposite",
        ):
            raise InputError(
                "training problem: the keys are problem, amplitudes (signs, normal, opposite), rate, device"
            )
        resolve_device(data["device"])
        problem = problem_file.problem_from_dict(data["problem"])
        return TrainingProblem(problem, data["amplitudes"], rational(data["rate"], "rate"), data["device"])

    @property
    def unit(self) -> float:
        """The unit round-off of the run."""
        return UNITS[self.problem.dtype]

    def in_float64(self) -> TrainingProblem:
        """The same networks in float64, with data that are not rounded to another arithmetic."""
        return replace(self, problem=self.problem.with_(dtype="float64"))

    @property
    def bounded(self) -> bool:
        """Whether weights, biases and amplitudes have bounded laws."""
        name = str(self.problem.weights).split("(")[0]
        return self.amplitudes != "normal" and name in {"uniform", "discrete", "constant"}

    @cached_property
    def start(self) -> Float[Tensor, "b p"]:
        """The parameters of every network, in float64."""
        p = self.problem
        flat = from_problem.start(p, [p.seed + k for k in range(p.training.seeds)])
        if self.amplitudes != "normal":
            m, size = p.count, p.count**-0.5 if p.training.scaling == "standard" else 1.0
            a = torch.where(flat[:, :m] < 0, -size, size)
            if self.amplitudes == "opposite":  # the second half of the neurons is the first with −a
                half, rest = m // 2, flat[:, m:].view(len(flat), -1, m)
                a[:, half : 2 * half] = -a[:, :half]
                rest[:, :, half : 2 * half] = rest[:, :, :half]
            flat[:, :m] = a
        return flat

    def model(self, method: Method, dtype: str | None = None) -> TwoLayerResidual:
        """The residuals, with data rounded to the arithmetic of the run; ``dtype`` is that of the evaluation."""
        rounded = on(_whole(self.problem, method), torch.device(self.device), self.dtype)
        exact = on(rounded, torch.device(self.device), getattr(torch, dtype or self.problem.dtype))
        assert isinstance(exact, TwoLayerResidual)
        return exact

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic of the run."""
        kind: torch.dtype = getattr(torch, self.problem.dtype)
        return kind

    @cached_property
    def averages(self) -> Averages:
        """What the differences of the problem stand for."""
        system = self.model("ad", "float64").system
        inner = []
        for term, rows in zip(self.problem.difference.terms, system.rows[0].parts, strict=True):
            assert isinstance(rows, Term)
            s, h = along_axis(term), max(self.problem.steps)
            norm = 1.0 if s is None else float(peano.average_norm(s).upper)
            reach = 0.0 if s is None else float(h * max(abs(node[0]) for node in s.nodes))
            inner.append((rows, norm * (1 + 1e-12), reach))
        edges = [tuple((part, 1.0, 0.0) for part in rows.parts if isinstance(part, Term)) for rows in system.rows[1:]]
        return Averages((tuple(inner), *edges))


@lru_cache(maxsize=8)
def _whole(problem: Problem, method: Method) -> Model:
    """As the problem states it, in float64."""
    return from_problem.model(problem, method)


def along_axis(term: Any) -> Stencil | None:
    """The stencil in one variable of a derivative along one axis; None for the term without derivative.

    Raises:
        InputError: a mixed derivative, or a stencil for a whole operator.
    """
    if term.stencil is None:
        return None
    if term.derivative is None or sum(m > 0 for m in term.derivative) != 1:
        raise InputError("a derivative along one axis is needed")
    (axis,) = (k for k, m in enumerate(term.derivative) if m)
    return stencil(term.derivative[axis], [node[axis] for node in term.stencil.nodes])


RATIOS = ("law", "known", "step", "curvature", "evaluation", "truncation")
"""What :func:`examine` measures; none may exceed 1."""


@dataclass(frozen=True)
class Examined:
    """What one ensemble came to: each ratio is of something measured to its bound, one for each network.

    Attributes:
        law: the largest of ``‖r_t − p_t‖`` over the bound of :mod:`numerics.predictions.frozen`.
        looseness: the bound over the deviation at the last iteration (NaN without a deviation).
        deviation, bound: at the last iteration, relative to ``‖r_0‖``.
        known: the largest of ``‖r_t‖`` and of the deviation, each over what :mod:`numerics.predictions.bounds` knows at the start and
            round-off; NaN where its hypotheses do not hold, and for an activation without bounds, as all that follow.
        slack: of ``known``, the bound over the deviation at the last iteration; NaN where that is under
            ``1e-12 ‖r_0‖``, and may be round-off.
        step: of ``θ_{t+1} − (θ_t − ηJᵀr)`` to its round-off.
        curvature: of ``r_{t+1} − r_t − J(θ_{t+1} − θ_t)`` to the second derivative.
        evaluation: of the difference of the residual from that in float64 to round-off.
        truncation: of ``r_FD − r_AD`` at the start to Peano's bound and round-off; NaN for AD.
    """

    law: Float[Tensor, " b"]
    looseness: Float[Tensor, " b"]
    deviation: Float[Tensor, " b"]
    bound: Float[Tensor, " b"]
    known: Float[Tensor, " b"]
    slack: Float[Tensor, " b"]
    step: Float[Tensor, " b"]
    curvature: Float[Tensor, " b"]
    evaluation: Float[Tensor, " b"]
    truncation: Float[Tensor, " b"]

    def largest(self, name: str) -> float:
        """The largest ratio of this name over the networks; 0 where there is none."""
        return float(torch.nan_to_num(getattr(self, name), nan=0.0, posinf=math.inf).max())

    @property
    def worst(self) -> float:
        """The largest of the ratios that must not exceed 1."""
        return max(map(self.largest, RATIOS))


def over(measured: Float[Tensor, "*n"], bound: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """``measured / bound``: 0 where nothing is measured, and infinite where either is NaN, which no bound allows.

    >>> over(torch.tensor([1.0, 0.0, 1.0, 1.0]), torch.tensor([2.0, 0.0, 0.0, torch.nan])).tolist()
    [0.5, 0.0, inf, inf]
    """
    return torch.where(measured == 0, 0.0, torch.nan_to_num(measured / bound, nan=math.inf, posinf=math.inf))


def steps(drawn: TrainingProblem, model: TwoLayerResidual, flat: Float[Tensor, "b p"]) -> Float[Tensor, " b"]:
    """η of each network, in the arithmetic of the run; 1 where the kernel vanishes."""
    return _steps(drawn, ntk.kernel(model, flat))


def _steps(drawn: TrainingProblem, G: Float[Tensor, "b r r"]) -> Float[Tensor, " b"]:
    largest = torch.linalg.eigvalsh(G.double())[:, -1].clamp(min=0)
    eta = torch.where(largest > 1e-300, float(drawn.rate) / largest, 1.0)
    return eta.to(G.dtype).double()


def run(drawn: TrainingProblem, method: Method, share: float = math.inf, keep: Collection[int] = ()) -> Followed:
    """The networks trained by gradient descent with the law beside them, recorded at every iteration."""
    return _run(drawn, method, share, keep)[0]


def _run(
    drawn: TrainingProblem, method: Method, share: float, keep: Collection[int]
) -> tuple[Followed, Float[Tensor, " b"]]:
    """The run and its steps."""
    model = drawn.model(method)
    flat = drawn.start.to(drawn.device, drawn.dtype)
    first = ntk.kernel(model, flat)
    eta = _steps(drawn, first)

    def kernels(point: Tensor) -> Tensor:
        return first if torch.equal(point, flat) else ntk.kernel(model, point)

    return follow(model, kernels, flat, eta, drawn.problem.training.iterations, 1, share=share, keep=keep), eta


def examine(drawn: TrainingProblem, method: Method, believed: float = 1.0) -> Examined:
    """Trains and measures; the checks of single steps are made at the first, the middle and the last one.

    Args:
        believed: the step that the check of single steps is told, over the one that is taken: 1, or it must fail.
    """
    iterations = drawn.problem.training.iterations
    watched = sorted({0, iterations // 2, iterations - 1})
    found, eta = _run(drawn, method, math.inf, {t + k for t in watched for k in (0, 1)})
    deviation, bound = found.deviation, found.bound
    live = torch.isfinite(bound) & torch.isfinite(deviation)
    ratio = torch.where(torch.isfinite(deviation), over(deviation, bound), 0.0).amax(0)
    size = (2 * found.loss[0]).sqrt()
    last = torch.where(live[-1] & (deviation[-1] > 0), bound[-1] / deviation[-1], torch.nan)
    nothing = torch.full_like(ratio, torch.nan)
    checks, lazy_ones = (nothing,) * 4, (nothing,) * 2
    if drawn.problem.activation_name in BOUNDED:
        pairs = [(found.parameters[t], found.parameters[t + 1]) for t in watched]
        checks = _single_steps(drawn, method, pairs, eta, believed)
        lazy_ones = against(known_at_the_start(drawn, method, eta), drawn, method, found)
    return Examined(ratio, last, deviation[-1] / size, bound[-1] / size, *lazy_ones, *checks)


def known_at_the_start(drawn: TrainingProblem, method: Method, eta: Float[Tensor, " b"] | None = None) -> Lazy:
    """What :mod:`numerics.predictions.bounds` knows of these networks, ``eta`` their steps (computed by default)."""
    exact, flat = drawn.model(method, "float64"), drawn.start.to(drawn.device, drawn.dtype)
    if eta is None:
        eta = steps(drawn, drawn.model(method), flat)
    return lazy(exact, flat.double(), eta, None if method == "ad" else drawn.averages)


def against(known: Lazy, drawn: TrainingProblem, method: Method, found: Followed) -> tuple[Tensor, Tensor]:
    """The ratios ``known`` and ``slack`` of :class:`Examined`, for a run."""
    flat = drawn.start.to(drawn.device, drawn.dtype).double()
    rounding = Rounding.of(drawn.model(method, "float64"), flat)
    n, p = rounding.jacobian.shape[1:]
    # Of a residual, and of the law: its kernel is that of the run's arithmetic, ``η‖δG‖ ≤ 2η s_max ‖δJ‖`` and a sum over p.
    kernel = 4 * known.step * known.largest.sqrt() * torch.linalg.matrix_norm(rounding.jacobian)
    base = drawn.unit * (
        2 * torch.linalg.vector_norm(rounding.residual, dim=1) + known.size * (kernel + 2 * (p + 8) * n)
    )
    worst = torch.zeros_like(known.size)
    noise, deviation = base, torch.zeros_like(worst)
    for t, loss, gap in list(zip(found.iterations, found.loss, found.deviation, strict=True))[1:]:
        noise, deviation = (1 + t) * base, gap.to(base)
        ratios = (2 * loss).sqrt().to(base) / (known.rate(t) + noise), deviation / (known.deviation(t) + noise)
        worst = torch.stack([worst, *(torch.nan_to_num(r, nan=math.inf) for r in ratios)]).amax(0)
    bound = known.deviation(found.iterations[-1])
    slack = torch.where((deviation > 1e-12 * known.size) & (bound > noise), bound / deviation, torch.nan)
    return tuple(torch.where(known.applies, v, torch.nan).cpu() for v in (worst, slack))  # type: ignore[return-value]


def _single_steps(
    drawn: TrainingProblem,
    method: Method,
    pairs: Sequence[tuple[Tensor, Tensor]],
    eta: Float[Tensor, " b"],
    believed: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of steps that the run took, parameters before and after, with η."""
    model, exact = drawn.model(method), drawn.model(method, "float64")
    averages = None if method == "ad" else drawn.averages
    worst = [torch.zeros_like(eta) for _ in range(3)]
    start = drawn.start.to(drawn.device, drawn.dtype).double()
    truncation = torch.full_like(worst[0], torch.nan) if method == "ad" else _truncation(drawn, exact, start)
    for one, other in pairs:
        residual = model.residual(one).double()
        before, after = one.double(), other.double()
        moved = after - before
        rounding, J = Rounding.of(exact, before), ntk.jacobian(exact, before)
        here, there = exact.residual(before), exact.residual(after)
        allowed = step_rounding(rounding, residual, before, after, eta, drawn.unit)
        off = (moved + believed * eta[:, None] * torch.bmm(residual[:, None], J)[:, 0]).abs()
        unit = 2.0**-53
        # Shifts rounded to the arithmetic of the run are no longer those of the stencil.
        shaken = unit if method == "ad" else drawn.unit
        length = torch.linalg.vector_norm(moved, dim=1)
        m = model.network.width
        blocks = moved.view(len(moved), -1, m).square().sum(1)
        bend = torch.bmm(curvatures(exact, before, length, averages), blocks[:, :, None])[:, :, 0] / 2
        noise = bend_rounding(rounding, Rounding.of(exact, after), moved, shaken)
        error = (drawn.unit + unit) * rounding.residual * 1.01
        measured = off, (there - here - _bmv(J, moved)).abs(), (residual - here).abs()
        for k, (value, bound) in enumerate(zip(measured, (allowed, bend + noise, error), strict=True)):
            live = torch.isfinite(value).all(1)  # a run that overflows says nothing more
            worst[k] = torch.maximum(worst[k], torch.where(live, over(value, bound).amax(1), 0.0))
    return worst[0].cpu(), worst[1].cpu(), worst[2].cpu(), truncation.cpu()


def _bmv(matrix: Tensor, vector: Tensor) -> Tensor:
    product: Tensor = torch.bmm(matrix, vector[:, :, None])[:, :, 0]
    return product


def _truncation(drawn: TrainingProblem, exact: TwoLayerResidual, flat: Float[Tensor, "b p"]) -> Float[Tensor, " b"]:
    """``|r_FD − r_AD|`` of the interior rows over ``h^p C_p`` times the derivative of order ``m + p``, and round-off."""
    differentiated = drawn.model("ad", "float64")
    network = exact.network
    a, _, w = network.split(flat.abs())
    allowed: Any = 0.0
    rows = differentiated.system.rows[0]
    for term, part in zip(drawn.problem.difference.terms, rows.parts, strict=True):
        s = along_axis(term)
        if s is None:
            continue
        assert isinstance(part, Term)
        assert term.derivative is not None
        (axis,) = (k for k, m in enumerate(term.derivative) if m)
        h, order = float(drawn.problem.steps[axis]), s.degree + s.order
        constant = float(peano.error_constant(s).upper) * h**s.order
        size = network.factor * supremum(network.activation.name, order) * (a * w[:, axis] ** order).sum(1)
        coefficient = part.coefficient
        scale = coefficient.abs()[None] if isinstance(coefficient, Tensor) else abs(coefficient)
        allowed = allowed + size[:, None] * constant * scale
    n = len(rows.target)
    noise = sum(Rounding.of(model, flat).residual[:, :n] for model in (exact, differentiated)) * 2.0**-53
    # In float32 the shifts are rounded, by a relative u: no more than an error of z, which the magnitudes count.
    noise = noise + Rounding.of(exact, flat).residual[:, :n] * (drawn.unit if drawn.problem.dtype == "float32" else 0.0)
    gap = (exact.residual(flat) - differentiated.residual(flat))[:, :n].abs()
    return over(gap, 1.01 * (allowed + noise)).amax(1)


def save_witness(drawn: TrainingProblem, method: Method, folder: Path) -> Path:
    """Writes what trains these networks again: ``python -m numerics.predictions.drawn FILE`` does.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    text = json.dumps({"method": method, **drawn.to_dict()}, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    file.write_text(text, encoding="utf-8")
    return file


def main(arguments: Sequence[str]) -> int:
    """Trains the networks of a witness and prints the largest ratio of each kind; 1 if one exceeds its bound."""
    data = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    method = data.pop("method")
    found = examine(TrainingProblem.from_dict(data), method)
    report: dict[str, Any] = {"method": method}
    for name in RATIOS:
        column = getattr(found, name)
        report[name] = None if bool(torch.isnan(column).all()) else float(torch.nan_to_num(column, nan=0.0).max())
    print(json.dumps(report))
    return int(found.worst > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
