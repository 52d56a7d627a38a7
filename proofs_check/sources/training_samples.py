"""Samples of training runs by name: which problems, which network, which optimiser, how many seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from numerics.problem.problem import METHODS, Boundary, Method, Problem, Training
from proofs_check.claims.claim import Profile, Scope
from proofs_check.claims.comparisons import by_seed
from theory.features.laws import Normal

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ModelName = Literal["rfm", "two-layer", "perceptron"]


@dataclass(frozen=True)
class Sizes:
    """Seeds in a sample of one setting, and in one over which something varies; features or neurons; interior points."""

    seeds: int
    varied: int
    count: int
    points: int


SIZES: dict[tuple[ModelName, Profile], Sizes] = {
    ("rfm", "quick"): Sizes(92, 112, 128, 128),
    ("rfm", "full"): Sizes(128, 192, 128, 128),
    ("two-layer", "quick"): Sizes(96, 96, 100, 24),
    ("two-layer", "full"): Sizes(96, 128, 100, 32),
    ("perceptron", "quick"): Sizes(40, 40, 16, 12),
    ("perceptron", "full"): Sizes(48, 48, 64, 24),
}
ITERATIONS: dict[Profile, dict[str, int]] = {
    "quick": {"svd": 0, "gd": 50, "adam": 50, "lbfgs": 15},
    "full": {"svd": 0, "gd": 200, "adam": 200, "lbfgs": 40},
}
ADAM_STEP = 2e-2
TOLERANCES = (0.1, 0.01)
"""Fractions of the first loss whose first crossing is recorded."""
SOLUTIONS = ("sin(pi*x)", "sin(8*pi*x)")
"""Exact solutions; right-hand sides of least squares are taken together, since they share the matrix."""
RANK = 8
"""Of the conventions with a fixed number of singular values."""
OUTCOMES = ("residual", "equation residual", "solution error")
"""What is compared of AD and FD; see :func:`proofs_check.sources.tables.outcomes`."""
OWN = "own cut-off"
"""The solver that cuts the spectrum where the cell's convention does."""
ARITHMETICS = ("float64", "float32")
STEPS = ("1/10", "1/100", "1/1000")
SOLVED = (("tanh", "u_xx", "1/100"), ("tanh", "u_xx", "1/1000"), ("tanh", "u_xxxx", "1/100"), ("sin", "u_xx", "1/100"))
"""Activation, operator and step of the random features that the quick profile solves …"""
DESCENDED = (
    ("gd", "u_xx", "1/100", "float64"),
    ("adam", "u_xx", "1/100", "float32"),
    ("adam", "u_xx", "1/1000", "float32"),
    ("adam", "u_xxxx", "1/100", "float32"),
)
"""… and optimiser, operator, step and arithmetic of the two-layer networks that it trains."""


@dataclass(frozen=True)
class Study:
    """One sample of runs.

    Attributes:
        model: random features, a two-layer network, or a perceptron of the ``depth``.
        operator: L on (−1, 1), with Dirichlet rows, and rows of the slope for a fourth-order operator.
        arithmetic: ``"float32"`` or ``"float64"``, of matrices and runs.
        optimiser: ``"svd"`` (pseudo-inverse; random features only), ``"gd"``, ``"adam"`` or ``"lbfgs"``.
        profile: decides the sizes.
        sample: what varies from one draw to the next, beside the features. ``"seeds"``: nothing; w ~ N(0, s²) with s
            the ``deviation``, b ~ N(0, 1). ``"scales"``: w, b ~ N(0, s²) with log s uniform, s from 1/2 to 8.
            ``"sizes"``: the number of features, a quarter to all of ``count`` (random features only). ``"steps"``: h,
            a power of 1/2 from 1/8 to 1/2048 (random features only). ``"methods"``: AD or FD by the toss of a coin.
        solution: the exact solution; the right-hand side follows from it.
        step: h of the central second-order difference.
        depth: of a perceptron.
        first: the first seed.
        members: how many seeds, by default as many as the profile says.
        activation: by name.
        deviation: the standard deviation of the weights.
        count: features or neurons;  points: interior points; both by default as the profile says.
    """

    model: ModelName
    operator: str
    arithmetic: str
    optimiser: str
    profile: Profile
    sample: str = "seeds"
    solution: str = SOLUTIONS[0]
    step: Fraction = Fraction(1, 100)
    depth: int = 2
    first: int = 0
    members: int | None = None
    activation: str = "tanh"
    deviation: Fraction = Fraction(1)
    count: int = 0
    points: int = 0

    def __post_init__(self) -> None:
        for name in ("count", "points"):
            if not getattr(self, name):
                object.__setattr__(self, name, getattr(SIZES[self.model, self.profile], name))

    @property
    def key(self) -> list[str | int | None]:
        """All that determines the sample, in JSON types."""
        return [value if value is None or isinstance(value, int) else str(value) for value in astuple(self)]

    @property
    def seeds(self) -> range:
        """The seeds of the sample."""
        sizes = SIZES[self.model, self.profile]
        count = sizes.seeds if self.sample in ("seeds", "methods") else sizes.varied
        return range(self.first, self.first + (self.members or count))

    @property
    def iterations(self) -> int:
        """Of the optimiser."""
        return ITERATIONS[self.profile][self.optimiser]

    def as_computed(self, method: Method) -> Study:
        """Without what does not matter: autodiff knows no step, and least squares takes all right-hand sides at once."""
        step = Fraction(1, 100) if method == "ad" and self.sample != "methods" else self.step
        solution = SOLUTIONS[0] if (self.model, self.optimiser) == ("rfm", "svd") else self.solution
        return replace(self, step=step, solution=solution)

    def laws(self, seed: int) -> tuple[Normal, Normal]:
        """Of the weights and of the biases of the member with this seed."""
        if self.sample == "scales":
            law = Normal(Fraction(0), weight_scale(seed))
            return law, law
        return Normal(Fraction(0), self.deviation), Normal(Fraction(0), Fraction(1))

    def varied(self, seed: int) -> float | None:
        """What varies over the sample, for the member with this seed; None where the features alone do."""
        match self.sample:
            case "scales":
                return float(weight_scale(seed))
            case "sizes":
                return float(feature_count(seed, self.count))
            case "steps":
                return float(random_step(seed))
            case "methods":
                return float(METHODS.index(random_method(seed)))
            case _:
                return None

    def problem(self, seed: int) -> Problem:
        """What the member with this seed solves (with every feature that it may have)."""
        return _problem(self, seed)

    def _drawn(self, seed: int) -> Problem:
        slope = (Boundary(operator="u_x"),) if self.operator == "u_xxxx" else ()
        weights, biases = self.laws(seed)
        return Problem(
            operator_text=self.operator,
            solution=self.solution,
            activation_name=self.activation,
            weights=weights,
            biases=biases,
            count=self.count,
            seed=seed,
            interior=(self.points,),
            boundary=(Boundary(), *slope),
            step=(self.step,),
            dtype=self.arithmetic,  # type: ignore[arg-type]
            training=Training("rfm" if self.model == "rfm" else "two-layer", scaling="standard"),
        )

    def describe(self) -> dict[str, Any]:
        """JSON types, from which the sample can be drawn again."""
        return {
            "model": self.model,
            "optimiser": self.optimiser,
            "iterations": self.iterations,
            "sample": self.sample,
            "seeds": [self.seeds.start, self.seeds.stop],
            "problem of the first seed": self.problem(self.first).to_dict(),
        }


@lru_cache(maxsize=1024)
def _problem(study: Study, seed: int) -> Problem:
    return study._drawn(seed)


def _generator(seed: int, what: int) -> np.random.Generator:
    """A stream of its own for everything that varies, independent of that of the features."""
    return np.random.default_rng([what, seed])


def weight_scale(seed: int) -> Fraction:
    """Independent from seed to seed, between 1/2 and 8, uniform in the logarithm, to 64ths.

    >>> [str(weight_scale(seed)) for seed in range(3)]
    ['33/16', '5/4', '111/64']
    """
    return Fraction(round(64 * 2 ** float(_generator(seed, 1).uniform(-1, 3))), 64)


def feature_count(seed: int, largest: int) -> int:
    """Independent from seed to seed: each of 2/8, 3/8, …, 8/8 of the largest number is as likely."""
    return largest * int(_generator(seed, 2).integers(2, 9)) // 8


def random_step(seed: int) -> Fraction:
    """Independent from seed to seed: each of 1/8, 1/16, …, 1/2048 is as likely."""
    return Fraction(1, 2 ** int(_generator(seed, 3).integers(3, 12)))


def random_method(seed: int) -> Method:
    """A coin for each seed."""
    return METHODS[int(_generator(seed, 4).integers(2))]


def parse_size(text: str) -> tuple[int, int]:
    """Features and points of a size as cells name it; 0 for what the profile says.

    >>> parse_size("n=128"), parse_size("128 features 160 points"), parse_size("width 100")
    ((128, 128), (128, 160), (100, 0))
    """
    if text.startswith("n="):
        return int(text[2:]), int(text[2:])
    if text.startswith("width "):
        return int(text[6:]), 0
    features, _, points, _ = text.split()
    return int(features), int(points)


def study_of(scope: Scope, profile: Profile) -> Study:
    """The sample that a cell names."""
    model: ModelName = scope["model"]  # type: ignore[assignment]
    count, points = parse_size(scope["size"]) if "size" in scope else (0, 0)
    return Study(
        model=model,
        operator=scope["operator"],
        arithmetic=scope["arithmetic"],
        optimiser=scope["optimiser"],
        profile=profile,
        sample=scope.get("sample", "seeds"),
        solution=scope.get("solution", SOLUTIONS[0]),
        step=Fraction(scope["step"]),
        activation=scope.get("activation", "tanh"),
        deviation=DEVIATIONS[scope.get("weights", "N(0, 1)")],
        count=count,
        points=points,
    )


DEVIATIONS = {"N(0, 1)": Fraction(1), "N(0, 25)": Fraction(5)}
"""Laws of the weights by name, and their standard deviations."""


def solver_of(scope: Scope) -> str:
    """The solver of a cell of random features, by the name that :func:`proofs_check.sources.tables.outcomes` takes."""
    return scope["convention"] if scope["solver"] == OWN else scope["solver"]


def instances(scope: Scope, profile: Profile) -> Iterator[Study]:
    """The one instance of a cell: its sample."""
    yield study_of(scope, profile)


def search(scope: Scope) -> SearchStrategy[Study]:
    """Other samples of the same kind, by their first seed."""
    return by_seed(lambda k: replace(study_of(scope, "quick"), first=1000 * k))
