"""``make properties``: thousands of drawn networks against their bounds, with statistics; the worst cases are kept.

``python -m proofs_check.properties --networks 3000 --folder .hypothesis/networks`` first trains again the worst cases of
earlier runs (``worst.json`` in the folder), then lets Hypothesis draw and drive towards larger ratios, and wide networks
besides, for the bound known at the start; what it found interesting is in its own database beside. Exit status 1 if a ratio exceeds 1; a witness is then written to the folder.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis.database import DirectoryBasedExampleDatabase

from numerics.predictions.bounds import BOUNDED
from numerics.predictions.drawn import RATIOS, Examined, TrainingProblem, examine, save_witness
from numerics.predictions.entropy_order import compared
from numerics.predictions.persistence import order
from numerics.problem.problem import METHODS, Method
from proofs_check.search.strategies import lazy_problems, training_problems
from theory.entropy.conventions import standard_conventions

CONVENTIONS = standard_conventions(4)
KEPT = 10
"""Worst cases that are kept of each ratio."""


@dataclass
class Statistics:
    """What a run came to.

    Attributes:
        ratios: by name, one for each network and method.
        looseness: bound over deviation, of all and of wide networks with bounded laws; of the bound known at the start.
        lazy: how many networks met the hypotheses of the bound known at the start, of the wide ones drawn for it and of the others;
            ``drawn`` in all.
        orders: how many entropy orders were predicted, wrong, and in all; ``networks`` with one predicted, and in all.
        worst: by ratio the largest, with what trains it again.
    """

    examples: int = 0
    ratios: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in RATIOS})
    looseness: dict[str, list[float]] = field(
        default_factory=lambda: {"all": [], "wide and bounded": [], "known at the start": []}
    )
    lazy: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    worst: dict[str, list[tuple[float, dict[str, Any]]]] = field(default_factory=lambda: {name: [] for name in RATIOS})
    broken: list[Path] = field(default_factory=list)

    @property
    def networks(self) -> int:
        """Trained networks, each method counted."""
        return len(self.ratios["law"])

    def take(self, drawn: TrainingProblem, method: Method, found: Examined, folder: Path, wide: bool = False) -> None:
        """Counts one ensemble; ``wide``: of those drawn for the bound known at the start."""
        for name in RATIOS:
            column = getattr(found, name)
            values = column[~torch.isnan(column)].tolist()
            self.ratios[name] += values
            if values:
                self.worst[name].append((max(values), {"method": method, **drawn.to_dict()}))
                self.worst[name] = sorted(self.worst[name], key=lambda pair: -pair[0])[:KEPT]
        population = "wide" if wide else "other"
        self.lazy[f"{population} drawn"] += len(found.law)
        self.lazy[f"{population} that qualify"] += int((~torch.isnan(found.known)).sum())
        self.looseness["known at the start"] += [v for v in found.slack.tolist() if math.isfinite(v)]
        loose = [] if wide else [v for v in found.looseness.tolist() if math.isfinite(v)]
        self.looseness["all"] += loose
        if drawn.problem.count >= 256 and drawn.bounded:
            self.looseness["wide and bounded"] += loose
        if found.worst > 1:
            self.broken.append(save_witness(drawn, method, folder))

    def entropies(self, drawn: TrainingProblem) -> None:
        """Predicts the orders of one ensemble, in float64, and compares."""
        for found in compared(drawn, drawn.start.to(drawn.device), CONVENTIONS):
            said = [order(*pair) for pair in found.entropies]
            self.orders["networks"] += 1
            self.orders["networks with a prediction"] += any(said)
            for says, (ad, _), fd in zip(said, found.entropies, found.measured, strict=True):
                self.orders["orders"] += 1
                self.orders["predicted"] += says is not None
                self.orders["wrong"] += says is not None and says != order(ad, fd)
            self.orders["beyond the remainder"] += not found.within

    def lines(self) -> list[str]:
        """For people."""
        quantiles = (0.5, 0.9, 0.99, 1.0)
        out = [f"{self.examples} examples, {self.networks} networks (AD and FD counted)"]
        for name, values in [*self.ratios.items(), *((f"bound/deviation, {k}", v) for k, v in self.looseness.items())]:
            if values:
                shown = ", ".join(
                    f"{q:.0%} {v:.3g}" for q, v in zip(quantiles, np.quantile(values, quantiles), strict=True)
                )
                out.append(f"{name}: {len(values)} values; quantiles {shown}")
        out.append("bound known at the start: " + ", ".join(f"{name} {count}" for name, count in self.lazy.items()))
        out.append("entropy: " + ", ".join(f"{name} {count}" for name, count in self.orders.items()))
        out += [f"BROKEN: {file}" for file in self.broken]
        return out


def run(networks: int, folder: Path, device: str = "cpu", seconds: float = math.inf) -> Statistics:
    """Replays the worst cases in the folder, on this device wherever they were found, then draws until so many networks are trained, or the time is up.

    Then wide networks are drawn until a tenth as many meet the hypotheses of the bound known at the start.
    """
    found, began = Statistics(), time.monotonic()
    for case in _kept(folder):
        method = case.pop("method")
        drawn = TrainingProblem.from_dict(case | {"device": device})
        found.take(drawn, method, examine(drawn, method), folder)
    replayed = found.networks

    base = settings(
        max_examples=max(1, networks), deadline=None, suppress_health_check=list(HealthCheck),
        database=DirectoryBasedExampleDatabase(folder / "examples"), phases=(Phase.reuse, Phase.generate, Phase.target),
    )  # fmt: skip

    def late() -> bool:
        return time.monotonic() - began > seconds

    def examined(drawn: TrainingProblem, wide: bool) -> None:
        found.examples += 1
        for method in METHODS:
            one = examine(drawn, method)
            found.take(drawn, method, one, folder, wide)
            for name in RATIOS[1:]:
                target(math.log(max(one.largest(name), 1e-12)), label=f"{method} {name}")

    @base
    @given(training_problems(activations=BOUNDED, device=device))
    def check(drawn: TrainingProblem) -> None:
        if found.networks - replayed < networks and not late():
            examined(drawn, False)
            found.entropies(drawn)

    @base
    @given(lazy_problems(device=device, members=4))
    def check_wide(drawn: TrainingProblem) -> None:
        if found.lazy["wide that qualify"] < networks // 10 and not late():
            examined(drawn, True)

    check()
    check_wide()
    folder.mkdir(parents=True, exist_ok=True)
    worst = [case for cases in found.worst.values() for _, case in cases]
    (folder / "worst.json").write_text(json.dumps(worst), encoding="utf-8")
    return found


def _kept(folder: Path) -> list[dict[str, Any]]:
    file = folder / "worst.json"
    kept: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    unique = {json.dumps(case, sort_keys=True): case for case in kept}
    return list(unique.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m proofs_check.properties", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--networks", type=int, default=3000, help="trained networks, AD and FD counted")
    parser.add_argument("--folder", type=Path, default=Path(".hypothesis") / "networks")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--seconds", type=float, default=math.inf)
    given_ = parser.parse_args(arguments)
    found = run(given_.networks, given_.folder, given_.device, given_.seconds)
    print("\n".join(found.lines()))
    return int(bool(found.broken) or found.orders["wrong"] + found.orders["beyond the remainder"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
