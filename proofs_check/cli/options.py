"""The values and options that several commands of :mod:`proofs_check.cli.main` have in common."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Method = StrEnum("Method", ["ad", "fd"])
ArithmeticName = StrEnum("ArithmeticName", ["exact", "float64", "float32"])
Dtype = StrEnum("Dtype", ["float64", "float32"])
ProfileName = StrEnum("ProfileName", ["quick", "full"])
Device = StrEnum("Device", ["auto", "cpu", "cuda"])
Engine = StrEnum("Engine", ["certified", "mpmath"])
KernelName = StrEnum("KernelName", ["limit", "empirical", "ntk"])
Rule = StrEnum("Rule", ["relative", "absolute", "energy", "fixed"])
Model = StrEnum("Model", {"rfm": "rfm", "two_layer": "two-layer"})
Optimizer = StrEnum("Optimizer", ["gd", "adam", "lbfgs"])

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
ProblemFile = Annotated[str, typer.Argument(metavar="PROBLEM.toml", help="A problem file; see 'adfd example'.")]
Derivative = Annotated[int, typer.Option("--derivative", help="m, the derivative that is approximated.")]
Offsets = Annotated[str, typer.Option("--offsets", help="Offsets in units of h, such as --offsets=-1,0,1 or 0,1/2,2.")]
Terms = Annotated[int, typer.Option("--terms", min=1, max=40, help="How many terms of the expansion.")]
Jobs = Annotated[int, typer.Option("--jobs", min=0, help="Worker processes; 0 takes one per core.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that adfd did not make.")]
RuleOf = Annotated[Rule | None, typer.Option("--rule", help="Cut-off rule; the file's by default.")]
Tau = Annotated[str | None, typer.Option("--tau", help="Threshold of the rule, such as 1e-12.")]
Rank = Annotated[int | None, typer.Option("--rank", min=1, help="r of the fixed rule.")]
Power = Annotated[int | None, typer.Option("--power", min=1, max=2, help="Probabilities from σ (1) or σ² (2).")]
Normalised = Annotated[bool | None, typer.Option("--normalised/--plain", help="Divide by log r.")]
Latex = Annotated[bool, typer.Option("--latex", help="LaTeX instead of text.")]
Matrix = Annotated[ArithmeticName, typer.Option("--arithmetic", help="Which matrix: exact, or as stored in float.")]
LastReport = Annotated[Path, typer.Option("--out", help="Where the last report was written.")]
