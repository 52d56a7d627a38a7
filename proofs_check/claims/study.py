"""Samples of training runs by name: which problems, which network, which optimiser, how many seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from numerics.problem import Boundary, Problem, Training
from proofs_check.claim import Profile, Scope
from theory.laws import Normal

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ModelName = Literal["rfm", "two-layer", "perceptron"]


@dataclass(frozen=True)
class Sizes:
    """Seeds in a sample of one law, and in a sample over scales; features or neurons; interior points."""

    seeds: int
    scales: int
    count: int
    points: int


SIZES: dict[tuple[ModelName, Profile], Sizes] = {
    ("rfm", "quick"): Sizes(160, 128, 24, 32),
    ("rfm", "full"): Sizes(128, 256, 48, 64),
    ("two-layer", "quick"): Sizes(96, 128, 16, 16),
    ("two-layer", "full"): Sizes(96, 192, 32, 32),
    ("perceptron", "quick"): Sizes(64, 64, 6, 10),
    ("perceptron", "full"): Sizes(64, 64, 16, 24),
}
"""More points than features: the residual of the least-squares problem is not zero by counting."""
ITERATIONS: dict[Profile, dict[str, int]] = {
    "quick": {"svd": 0, "gd": 100, "adam": 100, "lbfgs": 15},
    "full": {"svd": 0, "gd": 400, "adam": 400, "lbfgs": 60},
}
ADAM_STEP = 2e-2
TOLERANCES = (0.1, 0.01)
"""Fractions of the first loss whose first crossing is recorded."""
WEIGHT_SCALE = Fraction(2)
"""Standard deviation of the weights where it is the same for all seeds."""
RANK = 8
"""Of the conventions with a fixed number of singular values."""


@dataclass(frozen=True)
class Study:
    """One sample of runs.

    Attributes:
        model: random features, a two-layer network, or a perceptron of the ``depth``.
        operator: L on (−1, 1), with Dirichlet rows, and rows of the slope for a fourth-order operator.
        arithmetic: ``"float32"`` or ``"float64"``, of matrices and runs.
        optimiser: ``"svd"`` (pseudo-inverse; random features only), ``"gd"``, ``"adam"`` or ``"lbfgs"``.
        profile: decides the sizes.
        sample: ``"seeds"``: w ~ N(0, 4), b ~ N(0, 1) for every seed; ``"scales"``: w, b ~ N(0, s²) with s between
            1/2 and 8, equidistributed in its logarithm, from seed to seed.
        solution: the exact solution; the right-hand side follows from it.
        step: h of the central second-order difference.
        depth: of a perceptron.
        first: the first seed.
        members: how many seeds, by default as many as the profile says.
    """

    model: ModelName
    operator: str
    arithmetic: str
    optimiser: str
    profile: Profile
    sample: str = "seeds"
    solution: str = "sin(pi*x)"
    step: Fraction = Fraction(1, 100)
    depth: int = 2
    first: int = 0
    members: int | None = None

    @property
    def key(self) -> list[str | int | None]:
        """All that determines the sample, in JSON types."""
        return [value if value is None or isinstance(value, int) else str(value) for value in astuple(self)]

    @property
    def sizes(self) -> Sizes:
        """How large the sample and its members are."""
        return SIZES[self.model, self.profile]

    @property
    def seeds(self) -> range:
        """The seeds of the sample."""
        count = self.sizes.scales if self.sample == "scales" else self.sizes.seeds
        return range(self.first, self.first + (self.members or count))

    @property
    def iterations(self) -> int:
        """Of the optimiser."""
        return ITERATIONS[self.profile][self.optimiser]

    def laws(self, seed: int) -> tuple[Normal, Normal]:
        """Of the weights and of the biases of the member with this seed."""
        if self.sample == "scales":
            law = Normal(Fraction(0), weight_scale(seed))
            return law, law
        return Normal(Fraction(0), WEIGHT_SCALE), Normal(Fraction(0), Fraction(1))

    def problem(self, seed: int) -> Problem:
        """What the member with this seed solves."""
        return _problem(self, seed)

    def _drawn(self, seed: int) -> Problem:
        slope = (Boundary(operator="u_x"),) if self.operator == "u_xxxx" else ()
        weights, biases = self.laws(seed)
        return Problem(
            operator_text=self.operator,
            solution=self.solution,
            weights=weights,
            biases=biases,
            count=self.sizes.count,
            seed=seed,
            interior=(self.sizes.points,),
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


@lru_cache(maxsize=256)
def _problem(study: Study, seed: int) -> Problem:
    return study._drawn(seed)


def weight_scale(seed: int) -> Fraction:
    """Between 1/2 and 8, equidistributed in the logarithm (multiples of the golden ratio modulo 1), in 64ths.

    >>> [str(weight_scale(seed)) for seed in range(3)]
    ['1/2', '89/32', '31/32']
    """
    part = (seed * (math.sqrt(5) - 1) / 2) % 1
    return Fraction(round(64 * 2 ** (4 * part - 1)), 64)


def study_of(scope: Scope, profile: Profile) -> Study:
    """The sample that a cell names."""
    return Study(
        model=scope["model"],  # type: ignore[arg-type]
        operator=scope["operator"],
        arithmetic=scope["arithmetic"],
        optimiser=scope["optimiser"],
        profile=profile,
        sample=scope.get("sample", "seeds"),
        solution=scope.get("solution", "sin(pi*x)"),
        step=Fraction(scope["step"]),
    )


def instances(scope: Scope, profile: Profile) -> Iterator[Study]:
    """The one instance of a cell: its sample."""
    yield study_of(scope, profile)


def search(scope: Scope) -> SearchStrategy[Study]:
    """Other samples of the same kind, by their first seed."""
    from hypothesis import strategies as st

    return st.integers(0, 2**20).map(lambda k: replace(study_of(scope, "quick"), first=1000 * k))
