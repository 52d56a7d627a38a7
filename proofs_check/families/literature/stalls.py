"""L-BFGS in float32: whether its convergence test stops it, or the arithmetic does (C. Xu, D. Liu, A. Nassereldine, J. Xiong,
arXiv:2505.10949).

The source says that in float32 L-BFGS satisfies its convergence test too early, and that float64 rescues it.  Two things vary
apart here: the arithmetic, and the test, applied afterwards to the losses of runs that know none, so that a run and its
stopped version agree up to the stop.  The test is PyTorch's default, a change of the loss below 1e-9; the loss is ½|r|².
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from numerics.problem.problem import METHODS, Method
from numerics.training.loop import LBFGS
from proofs_check.claims.claim import Profile, Scope, wrong
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.literature.matched import exceeds, median_of, sampled
from proofs_check.families.literature.trained import MEMBERS, Run, equation, runs

SOURCE = "arXiv:2505.10949"
CHANGE = 1e-9
"""PyTorch's ``tolerance_change``."""
TENFOLD = 10.0
ITERATIONS = {"quick": 120, "full": 600}


@dataclass(frozen=True)
class Trained:
    """Two-layer tanh networks of width 16 on u'' = f, 32 interior points and both ends, L-BFGS, one seed of a batch."""

    method: Method
    frequency: int
    seed: int
    profile: Profile

    def run(self, arithmetic: str) -> Run:
        """Its own run in that arithmetic; FD at h = 1/100."""
        posed = equation("tanh", 32, self.frequency, 16, Fraction(1, 100))
        return runs(posed, self.method, "L-BFGS", ITERATIONS[self.profile], arithmetic)[self.seed]

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {"method": self.method, "solution": f"sin {self.frequency}πx", "seed": self.seed, "width": 16,
                "iterations": ITERATIONS[self.profile]}  # fmt: skip


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
_stated = partial(sampled, source=SOURCE, instances=_instances, judges=(LBFGS,))
_CLEAR = {"method": "fd", "frequency": "1", "optimiser": "lbfgs"}


@_stated(
    "literature.test-is-met",
    title="L-BFGS meets its convergence test",
    measure=median_of("stop"),
    predicate=f"a change of the loss below 1e-9 occurs before the last iteration. {_WHERE}",
    scopes=_test_cells,
    mutants=(
        wrong("never", "it never does", "sign", _CLEAR | {"arithmetic": "float32"}, never=True),
        wrong("at-once", "within five iterations", "constant", _CLEAR | {"arithmetic": "float32"}, within=5),
    ),
)  # fmt: skip
def met(trained: Trained, scope: Scope, never: bool = False, within: int | None = None) -> Outcome:
    """L-BFGS meets PyTorch's default convergence test within the budget (the source: in float32, prematurely; whether it is premature is
    another claim, literature.test-stops-early)."""
    run = trained.run(scope["arithmetic"])
    at, last = run.stop(CHANGE), len(run.losses) - 1
    reached = at < (last if within is None else within)
    told = f"iteration {at} of {last}: loss {run.losses[at]:.1e}"
    return Outcome(not reached if never else reached, told, data={"stop": at})


@_stated(
    "literature.test-stops-early",
    title="The convergence test stops L-BFGS too early",
    predicate=f"a change of the loss below 1e-9 occurs, and the run without the test ends under a tenth of the loss there. {_WHERE}",
    scopes=_test_cells,
    mutants=(
        wrong("thousandth", "it would have ended at a ten-thousandth", "constant", _CLEAR | {"arithmetic": "float32"}, factor=1e4),
        wrong("goes-up", "without the test the loss would have risen", "sign", _CLEAR | {"arithmetic": "float32"}, flip=True),
    ),
)  # fmt: skip
def stops_early(trained: Trained, scope: Scope, factor: float = TENFOLD, flip: bool = False) -> Outcome:
    """L-BFGS with the default convergence test stops where, without it, the same run would still lower the loss tenfold (the source:
    in float32; judged in both arithmetics, for FD, and in the full profile for AD)."""
    run = trained.run(scope["arithmetic"])
    at, last = run.stop(CHANGE), len(run.losses) - 1
    ratio = run.losses[at] / run.losses[-1] if run.losses[-1] > 0 else math.inf
    told = f"stopped at {at} of {last}: loss {run.losses[at]:.1e}, {run.losses[-1]:.1e} at the end"
    found = exceeds(ratio, factor, told, flip=flip, stop=at)
    return found if at < last else replace(found, holds=False)


def _outcome_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple({**cell, "outcome": o} for cell in _cells(profile) for o in ("loss", "solution error"))


@_stated(
    "literature.float64-rescues",
    title="float64 rescues L-BFGS where no test stops it",
    predicate=f"same start, no test: the outcome in float64 is under a tenth of that in float32. {_WHERE}",
    scopes=_outcome_cells,
    mutants=(
        wrong("reversed", "float32 ends lower", "sign", _CLEAR | {"outcome": "loss"}, flip=True),
        wrong("million", "a million times lower", "constant", _CLEAR | {"outcome": "loss"}, factor=1e6),
    ),
)  # fmt: skip
def float64_rescues(trained: Trained, scope: Scope, factor: float = TENFOLD, flip: bool = False) -> Outcome:
    """From the same start, without any convergence test, L-BFGS in float64 ends under a tenth of what float32 ends at (judged for
    FD, and in the full profile for AD)."""
    single, double = (trained.run(a) for a in ("float32", "float64"))
    one, other = (r.losses[-1] if scope["outcome"] == "loss" else r.error for r in (single, double))
    ratio = one / other if other > 0 else math.inf
    return exceeds(ratio, factor, f"{scope['outcome']}: float32 {one:.1e}, float64 {other:.1e}", flip=flip)


CLAIMS = (met, stops_early, float64_rescues)
