"""L-BFGS in float32: whether its convergence test stops it, or the arithmetic does (C. Xu, D. Liu, A. Nassereldine, J. Xiong,
arXiv:2505.10949).

The source says that in float32 L-BFGS satisfies its convergence test too early, and that float64 rescues it.  Two things vary
apart here: the arithmetic, and the test, applied afterwards to the losses of runs that know none, so that a run and its
stopped version agree up to the stop.  The test is PyTorch's default, a change of the loss below 1e-9; the loss is ½|r|².
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from numerics.problem.problem import METHODS, Boundary, Method, Problem, Training
from numerics.training.loop import LBFGS
from proofs_check.claims.claim import TYPICAL, Profile, Scope, stated, wrong
from proofs_check.claims.verdicts import Outcome
from theory.features.laws import Normal

SOURCE = "arXiv:2505.10949"
CHANGE = 1e-9
"""PyTorch's ``tolerance_change``."""
TENFOLD = 10.0
ITERATIONS = {"quick": 120, "full": 600}
MEMBERS = 32


@dataclass(frozen=True)
class Trained:
    """Two-layer tanh networks of width 16 on u'' = f, 32 interior points and both ends, L-BFGS, one seed of a batch."""

    method: Method
    frequency: int
    seed: int
    profile: Profile

    def problem(self) -> Problem:
        """The equation with the solution sin kπx; FD at h = 1/100."""
        return Problem(
            solution=f"sin({self.frequency}*pi*x)", activation_name="tanh", weights=Normal(Fraction(0), Fraction(3)),
            biases=Normal(Fraction(0), Fraction(1)), count=16, interior=(32,), boundary=(Boundary("all", 2, weight=Fraction(100)),),
            step=(Fraction(1, 100),), training=Training("two-layer", "lbfgs", scaling="ntk"),
        )  # fmt: skip

    def run(self, arithmetic: str) -> Run:
        """Its own run in that arithmetic."""
        return _batch(self.method, self.frequency, self.profile, arithmetic)[self.seed]

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"method": self.method, "solution": f"sin {self.frequency}πx", "seed": self.seed, "width": 16,
                "iterations": ITERATIONS[self.profile]}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """Losses from the start to the end, and the relative error of the solution at the end."""

    losses: tuple[float, ...]
    error: float

    def stop(self, change: float = CHANGE) -> int:
        """Where the test would have stopped it; the last iteration where it would not."""
        steps = zip(self.losses, self.losses[1:], strict=False)
        return next((k for k, (a, b) in enumerate(steps, 1) if abs(b - a) < change), len(self.losses) - 1)


@lru_cache(maxsize=32)
def _batch(method: Method, frequency: int, profile: Profile, arithmetic: str) -> tuple[Run, ...]:
    from numerics.training.ensembles import train_ensemble
    from numerics.training.from_problem import judge, model, start

    problem = Trained(method, frequency, 0, profile).problem()
    members = range(MEMBERS)
    found = train_ensemble(
        model(problem, method), start(problem, members), LBFGS(), ITERATIONS[profile], 1, dtype=arithmetic, device="cpu"
    )
    errors = judge(problem, model(problem, "ad"), found.parameters)["solution_error"]
    losses: Sequence[Sequence[float]] = found.loss.T.tolist()
    return tuple(Run(tuple(one), math.inf if e is None else e) for one, e in zip(losses, errors, strict=True))


def _cells(profile: Profile) -> tuple[Scope, ...]:
    runs = [("fd", "1")] if profile == "quick" else [(m, k) for m in METHODS for k in ("1", "3")]
    return tuple({"method": m, "frequency": k, "optimiser": "lbfgs"} for m, k in runs)


def _test_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple({**cell, "arithmetic": a} for cell in _cells(profile) for a in ("float32", "float64"))


def _instances(scope: Scope, profile: Profile) -> Iterator[Trained]:
    for seed in range(MEMBERS):
        yield Trained("ad" if scope["method"] == "ad" else "fd", int(scope["frequency"]), seed, profile)


_WHERE = (
    "tanh, width 16, u'' with 32 interior points and both ends (weight 100), w ~ N(0, 9), FD at h = 1/100; 120 iterations (600 in the full profile); at "
    "least 9 in 10 starts (95 % confidence)"
)
_CLEAR = {"method": "fd", "frequency": "1", "optimiser": "lbfgs"}


@stated(
    "literature.test-is-met",
    title="L-BFGS meets its convergence test",
    family="literature",
    source=SOURCE,
    predicate=f"a change of the loss below 1e-9 occurs before the last iteration. {_WHERE}",
    kind="sampled",
    scopes=_test_cells,
    instances=_instances,
    quantifier=TYPICAL,
    judges=(LBFGS,),
    mutants=(
        wrong("never", "it never does", "sign", _CLEAR | {"arithmetic": "float32"}, never=True),
        wrong("at-once", "within five iterations", "constant", _CLEAR | {"arithmetic": "float32"}, within=5),
    ),
)  # fmt: skip
def met(trained: Trained, scope: Scope, never: bool = False, within: int | None = None) -> Outcome:
    """L-BFGS meets PyTorch's default convergence test within the budget (the source: in float32, prematurely; whether it is premature is
    another claim, literature.test-stops-early)."""
    run = trained.run(scope["arithmetic"])
    at, last = run.stop(), len(run.losses) - 1
    reached = at < (last if within is None else within)
    return Outcome(
        not reached if never else reached, f"iteration {at} of {last}: loss {run.losses[at]:.1e}", data={"stop": at}
    )


@stated(
    "literature.test-stops-early",
    title="The convergence test stops L-BFGS too early",
    family="literature",
    source=SOURCE,
    predicate=f"a change of the loss below 1e-9 occurs, and the run without the test ends at a tenth of the loss there or less. {_WHERE}",
    kind="sampled",
    scopes=_test_cells,
    instances=_instances,
    quantifier=TYPICAL,
    judges=(LBFGS,),
    mutants=(
        wrong("thousandth", "it would have ended at a ten-thousandth", "constant", _CLEAR | {"arithmetic": "float32"}, factor=1e4),
        wrong("goes-up", "without the test the loss would have risen", "sign", _CLEAR | {"arithmetic": "float32"}, flip=True),
    ),
)  # fmt: skip
def stops_early(trained: Trained, scope: Scope, factor: float = TENFOLD, flip: bool = False) -> Outcome:
    """L-BFGS with the default convergence test stops where, without it, the same run would still lower the loss tenfold (the source:
    in float32; judged in both arithmetics, for FD, and in the full profile for AD)."""
    run = trained.run(scope["arithmetic"])
    at, last = run.stop(), len(run.losses) - 1
    ratio = run.losses[at] / run.losses[-1] if run.losses[-1] > 0 else math.inf
    holds = at < last and (ratio < 1 if flip else ratio >= factor)
    return Outcome(bool(holds), f"stopped at {at} of {last}: loss {run.losses[at]:.1e}, {run.losses[-1]:.1e} at the end",
                   data={"ratio": ratio, "stop": at})  # fmt: skip


def _outcome_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple({**cell, "outcome": o} for cell in _cells(profile) for o in ("loss", "solution error"))


@stated(
    "literature.float64-rescues",
    title="float64 rescues L-BFGS where no test stops it",
    family="literature",
    source=SOURCE,
    predicate=f"same start, no test: the outcome in float64 is a tenth of that in float32 or less. {_WHERE}",
    kind="sampled",
    scopes=_outcome_cells,
    instances=_instances,
    quantifier=TYPICAL,
    judges=(LBFGS,),
    mutants=(
        wrong("reversed", "float32 ends lower", "sign", _CLEAR | {"outcome": "loss"}, flip=True),
        wrong("million", "a million times lower", "constant", _CLEAR | {"outcome": "loss"}, factor=1e6),
    ),
)  # fmt: skip
def float64_rescues(trained: Trained, scope: Scope, factor: float = TENFOLD, flip: bool = False) -> Outcome:
    """From the same start, without any convergence test, L-BFGS in float64 ends at a tenth of what float32 ends at, or less (judged for
    FD, and in the full profile for AD)."""
    single, double = (trained.run(a) for a in ("float32", "float64"))
    one, other = (r.losses[-1] if scope["outcome"] == "loss" else r.error for r in (single, double))
    ratio = one / other if other > 0 else math.inf
    return Outcome(bool(ratio < 1) if flip else bool(ratio >= factor), f"{scope['outcome']}: float32 {one:.1e}, float64 {other:.1e}",
                   data={"ratio": ratio})  # fmt: skip


CLAIMS = (met, stops_early, float64_rescues)
