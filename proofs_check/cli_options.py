"""The values and options that several commands of :mod:`proofs_check.cli` have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Method(StrEnum):
    """Automatic or finite differentiation."""

    ad = "ad"
    fd = "fd"


class ArithmeticName(StrEnum):
    """The arithmetic of a matrix."""

    exact = "exact"
    float64 = "float64"
    float32 = "float32"


class Dtype(StrEnum):
    """The arithmetic of a training run."""

    float64 = "float64"
    float32 = "float32"


class ProfileName(StrEnum):
    """How much is computed."""

    quick = "quick"
    full = "full"


class Device(StrEnum):
    """Where torch computes."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Engine(StrEnum):
    """How exact spectra are computed: with proof, or by mpmath at two precisions."""

    certified = "certified"
    mpmath = "mpmath"


class KernelName(StrEnum):
    """Which kernel's eigenvalues are asked for."""

    limit = "limit"
    empirical = "empirical"
    ntk = "ntk"


class Rule(StrEnum):
    """How many singular values count."""

    relative = "relative"
    absolute = "absolute"
    energy = "energy"
    fixed = "fixed"


class Model(StrEnum):
    """What is trained."""

    rfm = "rfm"
    two_layer = "two-layer"


class Optimizer(StrEnum):
    """How it is trained."""

    gd = "gd"
    adam = "adam"
    lbfgs = "lbfgs"


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
