"""Networks trained with AD and with FD from the same starts: whether FD trains where AD fails (A. Langer, arXiv:2601.07017), and
whether the two are on a par (K. L. Lim, R. Dutta, M. Rotaru, arXiv:2602.21590).

One protocol for both: two-layer networks, every parameter trained, ``u'' = f`` on (−1, 1) with the solution sin kπx and both end
values, an equispaced grid, h its spacing, so that each difference links three neighbouring points.  A start is trained twice, with
the same points, end rows, optimiser and number of iterations; only the second derivative differs.  What "trains", "fails" and "on a
par" mean is ours, as are the sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import numpy as np

from numerics.problem.problem import METHODS, Boundary, Method, Problem, Training
from numerics.training.loop import LBFGS, Adam, Optimiser
from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.verdicts import Finding, Outcome
from proofs_check.families.literature.matched import exceeds, median_of, ratios, sampled
from proofs_check.sources.decisions import each_of, mean_interval
from theory.features.laws import Normal

LANGER = "arXiv:2601.07017"
MEMBERS = 32
"""Starts of a sample."""
WIDTH = 64
NEAR = 0.1
"""A run trains when the solution's relative error at the end is at most this."""
PAR = 2.0
"""Errors within this factor of one another are on a par."""


def equation(activation: str, points: int, frequency: int, width: int, step: Fraction) -> Problem:
    """``u'' = f`` with the solution sin kπx, w ~ N(0, 9), b and a ~ N(0, 1), end rows of weight 100."""
    return Problem(
        solution=f"sin({frequency}*pi*x)", activation_name=activation, weights=Normal(Fraction(0), Fraction(3)),
        biases=Normal(Fraction(0), Fraction(1)), count=width, interior=(points,),
        boundary=(Boundary("all", 2, weight=Fraction(100)),), step=(step,), training=Training("two-layer", scaling="ntk"),
    )  # fmt: skip


OPTIMISERS: Mapping[str, Optimiser] = {"L-BFGS": LBFGS(), "Adam": Adam(1e-2)}


@dataclass(frozen=True)
class Run:
    """Losses from the start to the end, and the relative error of the solution at the end."""

    losses: tuple[float, ...]
    error: float

    def stop(self, change: float) -> int:
        """Where a test on the change of the loss would have stopped it; the last iteration where it would not."""
        steps = zip(self.losses, self.losses[1:], strict=False)
        return next((k for k, (a, b) in enumerate(steps, 1) if abs(b - a) < change), len(self.losses) - 1)


@lru_cache(maxsize=256)
def runs(
    posed: Problem, method: Method, optimiser: str, iterations: int, arithmetic: str = "float64"
) -> tuple[Run, ...]:
    """The starts of seeds 0, 1, … trained by one method; AD knows no step."""
    from numerics.training.ensembles import train_ensemble
    from numerics.training.from_problem import judge, model, start

    if method == "ad" and posed.step != (Fraction(1, 100),):
        return runs(posed.with_(step=(Fraction(1, 100),)), method, optimiser, iterations, arithmetic)
    found = train_ensemble(model(posed, method), start(posed, range(MEMBERS)), OPTIMISERS[optimiser], iterations, 1, dtype=arithmetic, device="cpu")  # fmt: skip
    errors = judge(posed, model(posed, "ad"), found.parameters)["solution_error"]
    losses: Sequence[Sequence[float]] = found.loss.T.tolist()
    return tuple(Run(tuple(one), math.inf if e is None else e) for one, e in zip(losses, errors, strict=True))


@dataclass(frozen=True)
class Setting:
    """What the starts of a sample have in common."""

    activation: str
    points: int
    frequency: int
    training: str

    @staticmethod
    def of(scope: Scope) -> Setting:
        """Of a cell."""
        return Setting(scope["activation"], int(scope["points"]), int(scope["frequency"]), scope["training"])

    @property
    def problem(self) -> Problem:
        """The equation, FD at the spacing of the points."""
        return equation(self.activation, self.points, self.frequency, WIDTH, Fraction(2, self.points + 1))

    def errors(self, method: Method) -> tuple[float, ...]:
        """Of the solution at the end, start by start."""
        name, _, count = self.training.partition(" ")
        return tuple(one.error for one in runs(self.problem, method, name, int(count)))

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"problem": self.problem.to_dict(), "training": self.training, "starts": MEMBERS}


@dataclass(frozen=True)
class Start:
    """One start, trained with AD and with FD."""

    setting: Setting
    seed: int

    def error(self, method: Method) -> float:
        """Of the solution at the end."""
        return self.setting.errors(method)[self.seed]

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"seed": self.seed, "activation": self.setting.activation, "points": self.setting.points,
                "frequency": self.setting.frequency, "training": self.setting.training, "width": WIDTH}  # fmt: skip


_Key = tuple[str, str, str, str]
QUICK: tuple[_Key, ...] = (
    ("relu", "8", "1", "L-BFGS 30"), ("tanh", "8", "1", "L-BFGS 30"), ("sin", "8", "1", "L-BFGS 30"), ("tanh", "32", "1", "Adam 200"),
)  # fmt: skip
FULL: tuple[_Key, ...] = tuple(
    (activation, points, frequency, training)
    for activation in ("relu", "relu2", "relu3", "tanh", "sin")
    for points, frequency in (("8", "1"), ("32", "1"), ("32", "3"))
    for training in ("L-BFGS 30", "L-BFGS 300", "Adam 200", "Adam 2000")
)


def _cells(profile: Profile) -> tuple[Scope, ...]:
    keys = ("activation", "points", "frequency", "training")
    listed = QUICK if profile == "quick" else FULL
    return tuple(dict(zip(keys, one, strict=True)) | {"arithmetic": "float64"} for one in listed)


def _by_method(profile: Profile) -> tuple[Scope, ...]:
    return tuple({**cell, "method": m} for cell in _cells(profile) for m in METHODS)


def _starts(scope: Scope, profile: Profile) -> Iterator[Start]:
    setting = Setting.of(scope)
    for seed in range(MEMBERS):
        yield Start(setting, seed)


def _rounded(errors: Sequence[float]) -> list[float | None]:
    return [float(f"{e:.3g}") if math.isfinite(e) else None for e in errors]


def _told(outcomes: Sequence[Outcome]) -> tuple[str, Mapping[str, Any]]:
    """The ratio, and the errors of both methods for the figure."""
    words, data = ratios(outcomes)
    return words, {**data, "errors": {m: _rounded([o.data[m] for o in outcomes]) for m in METHODS}}


_WHERE = (
    f"tanh, sin or a ReLU power, width {WIDTH}, w ~ N(0, 9), b, a ~ N(0, 1), all parameters trained; solution sin kπx (“frequency” k), "
    f"“points” in the interior, both ends (weight 100), h the spacing; {MEMBERS} starts, float64; “training”: optimiser and iterations (Adam at 0.01)"
)
_CLEAR = dict(_cells("quick")[0])
_stated = partial(
    sampled,
    source=LANGER,
    instances=_starts,
    judges=("numerics.training.ensembles.train_ensemble", "numerics.training.from_problem.judge"),
)


@_stated(
    "literature.trained-converges",
    title="Training ends near the solution",
    measure=median_of("error"),
    predicate=rf"$\|u - u^*\| < {NEAR:g}\,\|u^*\|$ on a fine grid at the end. {_WHERE}; at least 9 in 10 starts (95 % confidence)",
    scopes=_by_method,
    mutants=(
        wrong("never", "it never does", "sign", _CLEAR | {"method": "fd"}, flip=True),
        wrong("far-away", "within a trillionth", "constant", _CLEAR | {"method": "fd"}, near=1e-12),
    ),
)  # fmt: skip
def converges(start: Start, scope: Scope, near: float = NEAR, flip: bool = False) -> Outcome:
    """Networks trained with this method end near the solution (the source: FD stays stable; judged method by method from the same
    starts; "near" is our reading: an error under a tenth)."""
    error = start.error("ad" if scope["method"] == "ad" else "fd")
    return exceeds(near / error, 1.0, f"error {error:.2g}", flip=flip, error=error)


@_stated(
    "literature.fd-trains-where-ad-fails",
    title="FD trains where AD fails",
    predicate=rf"FD's error at the end is under {NEAR:g}, AD's is not. {_WHERE}; at least 9 in 10 starts (95 % confidence)",
    scopes=_cells,
    measure=_told,
    mutants=(
        wrong("exchanged", "AD trains where FD fails", "sign", _CLEAR, exchanged=True),
        wrong("thousandfold", "with an error a thousand times smaller", "constant", _CLEAR, apart=1000.0),
    ),
)  # fmt: skip
def trains_where_ad_fails(start: Start, scope: Scope, exchanged: bool = False, apart: float = 1.0) -> Outcome:
    """From the same start, FD trains a network on which AD fails (the source: FD stays stable, also where AD may fail to converge;
    ReLU, whose second derivative AD sees as zero, and few points are our instances of failure). Judged setting by setting."""
    ad, fd = start.error("ad"), start.error("fd")
    good, bad = (ad, fd) if exchanged else (fd, ad)
    return Outcome(bool(good < NEAR <= bad and good * apart <= bad), f"AD {ad:.2g}, FD {fd:.2g}",
                   data={"ratio": ad / fd, "ad": ad, "fd": fd})  # fmt: skip


@stated(
    "literature.on-a-par",
    title="FD on a uniform grid is on a par with AD in error",
    family="literature",
    source="arXiv:2602.21590",
    predicate=rf"The mean over starts of $\log(\mathrm{{error}}_{{FD}}/\mathrm{{error}}_{{AD}})$ lies in $\pm\log {PAR:g}$: Student's interval, at 95 % for all "
    rf"cells of the full profile at once, inside (holds) or outside (reversed: it says which is ahead), else open; open too where neither median is under {NEAR:g}. {_WHERE}",
    kind="sampled",
    scopes=_cells,
    instances=lambda scope, profile: (Setting.of(scope),),
    judges=("numerics.training.ensembles.train_ensemble", "numerics.training.from_problem.judge"),
    mutants=(
        wrong("one-per-cent", "within one per cent", "constant", _CLEAR, factor=1.01),
        wrong("ad-ahead", "AD is ahead by the factor", "sign", _CLEAR, ahead="AD"),
    ),
)  # fmt: skip
def on_a_par(setting: Setting, scope: Scope, factor: float = PAR, ahead: str = "") -> Outcome:
    """From the same starts, the errors of networks trained with FD on a uniform grid and with AD are within a factor of two of one
    another, in the geometric mean (the source: on a par; the factor is ours)."""
    ad, fd = (np.array(setting.errors(m)) for m in METHODS)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(fd / ad)
    if not np.isfinite(logs).all():
        return Outcome(None, "open: a run diverged", data={"finding": str(Finding.OPEN)})
    low, high = mean_interval(logs, each_of(len(FULL)))
    bound = math.log(factor)
    within, outside = -bound <= low and high <= bound, high < -bound or low > bound
    trains = min(float(np.median(ad)), float(np.median(fd))) < NEAR
    shown = Finding.OPEN if not trains else Finding.HOLDS if within else Finding.REVERSED if outside else Finding.OPEN
    better = "neither" if not outside else "FD" if high < 0 else "AD"
    if ahead:  # of the mutant
        shown = Finding.HOLDS if better == ahead else Finding.REVERSED
    words = f"{shown}: error FD/AD {math.exp(logs.mean()):.3g} [{math.exp(low):.3g}, {math.exp(high):.3g}], medians {np.median(fd):.2g} and {np.median(ad):.2g}"
    words += f", {better} ahead" if shown is Finding.REVERSED else "" if trains else ", neither trains"
    data = {"finding": str(shown), "n": len(logs), "mean": float(logs.mean()), "interval": [low, high], "tie": bound,
            "ahead": better, "errors": {"ad": _rounded(ad.tolist()), "fd": _rounded(fd.tolist())}}  # fmt: skip
    return Outcome({Finding.HOLDS: True, Finding.REVERSED: False}.get(shown), words, margin=bound - abs(float(logs.mean())), data=data)  # fmt: skip


CLAIMS = (converges, trains_where_ad_fails, on_a_par)
