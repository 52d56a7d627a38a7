"""S2 and S3 predicted from A_AD alone, on settings drawn at random, and the prediction against LAPACK and proofs.

A prediction that its own model leaves open is no prediction: such draws are rejected by an assumption and counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, cast

import numpy as np
from jaxtyping import Bool, Float

from numerics.differences.floor import SEPARATE, Onset, SmallValues, predicted_onset, size_grid, small_values
from numerics.entropy.compare import compare_entropies
from numerics.entropy.gap import PredictedGap, predicted_gap, predicted_spectra
from numerics.matrices.assemble import float_matrix
from numerics.matrices.batches import float_draws
from numerics.problem.problem import Arithmetic, Problem
from numerics.spectra.spectrum import floating_singular_values
from proofs_check.claims.claim import TYPICAL, Assumption, Profile, Quantifier, Scope, stated, wrong
from proofs_check.claims.verdicts import Outcome
from theory.entropy.conventions import Convention, standard_conventions
from theory.entropy.entropy import truncated_entropy
from theory.features.laws import Law, Normal, Uniform

ACTIVATIONS = ("tanh", "sin", "erf", "gaussian", "cos", "z*exp(-z**2/2)")
OPERATORS = ("u_x", "u_xx", "u_xxxx")
STEPS = tuple(Fraction(1, k) for k in (10, 20, 50, 100, 300, 1000))
OPEN = (0.1, 0.9)
"""Predicted probabilities between these predict nothing."""
NEAR = Fraction(1, 5)
"""An onset is predicted when it is this near, relatively."""
TRUTH_DRAWS = 20
"""Draws at each size by which an onset is measured …"""
MODEL_DRAWS = 6
"""… and other draws, of A_AD alone, by which it is predicted."""


@dataclass(frozen=True)
class Setting:
    """Activation, operator, laws and step: all but the size and the seed of the features."""

    activation: str
    operator: str
    weights: Law
    biases: Law
    step: Fraction

    def problem(self, size: int, seed: int) -> Problem:
        """N = M = ``size`` on a grid in (−1, 1), central differences of order 2."""
        return _problem(self, size, seed)

    def describe(self) -> dict[str, str]:
        """JSON types."""
        return {name: str(getattr(self, name)) for name in ("activation", "operator", "weights", "biases", "step")}


@lru_cache(maxsize=512)
def _problem(chosen: Setting, size: int, seed: int) -> Problem:
    return Problem(
        operator_text=chosen.operator,
        activation_name=chosen.activation,
        weights=chosen.weights,
        biases=chosen.biases,
        count=size,
        seed=seed,
        interior=(size,),
        step=(chosen.step,),
    )


def setting(seed: int) -> Setting:
    """A setting drawn at random: independent for different seeds, the same for one seed.

    Laws normal or uniform of scale ½ to 10 (weights) and ½ to 4 (biases), uniform in the logarithm.
    """
    draw = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))

    def law(largest: float) -> Law:
        scale = Fraction(round(64 * float(np.exp(draw.uniform(np.log(0.5), np.log(largest))))), 64)
        return Normal(Fraction(0), scale) if draw.random() < 0.5 else Uniform(-scale, scale)

    return Setting(
        ACTIVATIONS[draw.integers(len(ACTIVATIONS))],
        OPERATORS[draw.integers(len(OPERATORS))],
        law(10),
        law(4),
        STEPS[draw.integers(len(STEPS))],
    )


@dataclass(frozen=True)
class Draw:
    """One draw of the features of a setting, its arithmetic, and the convention under which its entropies are compared."""

    setting: Setting
    arithmetic: Arithmetic
    size: int
    seed: int
    convention: Convention

    @property
    def problem(self) -> Problem:
        """The problem."""
        return self.setting.problem(self.size, self.seed)

    def describe(self) -> dict[str, Any]:
        """A problem file's content, with the convention."""
        return self.problem.with_(convention=self.convention).to_dict()


_TAUS = tuple(Fraction(1, 10**k) for k in (1, 2, 3, 4, 6, 8, 10, 12))


def _conventions() -> tuple[Convention, ...]:
    energies = (
        Convention("energy", tau, power=power, normalised=normalised)
        for tau in _TAUS
        for power in (1, 2)
        for normalised in (False, True)
    )
    return (*standard_conventions(8), *energies)


_ARITHMETICS: dict[str, Arithmetic] = {"exact": "exact", "float64": "float64", "float32": "float32"}


def draws(scope: Scope, sizes: tuple[int, ...], count: int, first: int) -> Iterator[Draw]:
    """Independent draws: every one has a setting, a size and a convention of its own."""
    conventions = _conventions()
    for k in range(first, first + count):
        chosen = np.random.Generator(np.random.PCG64(np.random.SeedSequence([k, 1])))
        yield Draw(
            setting(k),
            _ARITHMETICS[scope["arithmetic"]],
            sizes[chosen.integers(len(sizes))],
            k,
            conventions[chosen.integers(len(conventions))],
        )


def _floats(profile: Profile) -> tuple[Scope, ...]:
    return ({"arithmetic": "float64"}, {"arithmetic": "float32"})


# --- every small value ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def every_small_larger(problem: Problem, arithmetic: str) -> bool:
    """S2 by LAPACK, of the matrices stored in the arithmetic: σ_k(A_FD) > σ_k(A_AD) for every k > n/2."""
    ad, fd = (floating_singular_values(float_matrix(problem, m, arithmetic)) for m in ("ad", "fd"))
    return bool(_small_larger(ad, fd))


def _small_larger(ad: Float[np.ndarray, "*k n"], fd: Float[np.ndarray, "*k n"]) -> Bool[np.ndarray, "*k"]:
    """Whether FD's singular values exceed AD's for every k > n/2, of one draw or of many."""
    half = ad.shape[-1] // 2
    return np.asarray((fd[..., half:] > ad[..., half:]).all(axis=-1))


@lru_cache(maxsize=1024)
def _small(draw: Draw, arithmetic: str) -> SmallValues:
    return small_values(draw.problem, arithmetic)


def _small_decided(draw: Draw) -> bool:
    found = _small(draw, draw.arithmetic)
    return not OPEN[0] <= found.probability <= OPEN[1] and found.separation > SEPARATE


def _small_instances(scope: Scope, profile: Profile) -> Iterator[Draw]:
    if profile == "quick":
        yield from draws(scope, (24, 32, 48), 60, 0)
    else:
        yield from draws(scope, (24, 48, 96, 128, 192, 256), 200, 1000)


# --- onsets -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def measured_onset(chosen: Setting, arithmetic: str, sizes: tuple[int, ...], first: int) -> int | None:
    """The least size from which on at least half of :data:`TRUTH_DRAWS` draws hold; downwards from the largest."""
    half = TRUTH_DRAWS // 2
    least = None
    for n in reversed(sizes):
        held, drawn = 0, 0
        while held < half and drawn - held <= TRUTH_DRAWS - half:  # no more draws than decide, half of them at first
            count = half - held
            held += _held(chosen.problem(n, 0), arithmetic, range(first + drawn, first + drawn + count))
            drawn += count
        if held < half:
            break
        least = n
    return least


def _held(template: Problem, arithmetic: str, seeds: range) -> int:
    """In how many of the draws S2 holds, as :func:`every_small_larger` decides."""
    found = float_draws(template, seeds, cast(Arithmetic, arithmetic))
    return int(_small_larger(found.ad, found.fd).sum())


@lru_cache(maxsize=256)
def onset(chosen: Setting, arithmetic: str, sizes: tuple[int, ...]) -> Onset:
    """The prediction, from draws of A_AD that the measurement does not use."""
    return predicted_onset(
        lambda n: [chosen.problem(n, seed) for seed in range(MODEL_DRAWS)], arithmetic, sizes, TRUTH_DRAWS
    )


SIZES: dict[Profile, tuple[int, ...]] = {"quick": tuple(size_grid(8, 30)), "full": tuple(size_grid(8, 300))}
"""Of the grid on which onsets are measured; the quick one is there for the mutants alone."""


@dataclass(frozen=True)
class OnsetSetting:
    """A setting whose onset is measured on a grid of sizes."""

    setting: Setting
    arithmetic: str
    sizes: tuple[int, ...]

    def describe(self) -> dict[str, Any]:
        """JSON types."""
        return self.setting.describe() | {"sizes": [self.sizes[0], self.sizes[-1]]}


def _onset_instances(scope: Scope, profile: Profile) -> Iterator[OnsetSetting]:
    for k in range(6000, 6006 if profile == "quick" else 6040):
        yield OnsetSetting(setting(k), scope["arithmetic"], SIZES[profile])


def _in_grid(chosen: OnsetSetting) -> bool:
    """Whether measured and predicted onset are not both at an end of the grid."""
    sizes = chosen.sizes
    ends = (None, sizes[0], sizes[-1])
    found = onset(chosen.setting, chosen.arithmetic, sizes)
    return not (found.size in ends and measured_onset(chosen.setting, chosen.arithmetic, sizes, 10**4) in ends)


# --- signs of entropy gaps --------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _gap(draw: Draw, arithmetic: Arithmetic) -> PredictedGap:
    return predicted_gap(predicted_spectra(draw.problem, arithmetic), draw.convention)


def _sign_decided(draw: Draw) -> bool:
    return _gap(draw, draw.arithmetic).larger != "undecided"


@lru_cache(maxsize=1024)
def _true_sign(draw: Draw) -> int | None:
    """Sign of H_FD − H_AD (0 counts as AD ≥ FD), proven in exact arithmetic; None where it is undecided or undefined."""
    if draw.arithmetic == "exact":
        return compare_entropies(draw.problem, draw.convention).sign
    ad, fd = (
        truncated_entropy(
            floating_singular_values(float_matrix(draw.problem, m, draw.arithmetic)), draw.convention
        ).value
        for m in ("ad", "fd")
    )
    return None if ad is None or fd is None else 1 if fd > ad else -1


def _larger(draw: Draw) -> str:
    return _gap(draw, draw.arithmetic).larger


def _sign_instances(scope: Scope, profile: Profile) -> Iterator[Draw]:
    exact = scope["arithmetic"] == "exact"
    if profile == "quick":
        yield from draws(scope, (12,) if exact else (24, 32, 48), 32 if exact else 80, 20_000)
    else:
        yield from draws(scope, (24, 48, 64) if exact else (24, 64, 128, 256), 80 if exact else 300, 30_000)


_EXCHANGED = {"float32": "float64", "float64": "float32", "ad": "fd", "fd": "ad", "undecided": "undecided"}
_RANDOM = (
    "Over random settings (six activations; u_x, u_xx, u_xxxx; central differences of order 2 with six steps from 1/1000 to 1/10; "
    "normal or uniform laws of scale 1/2 to 10 for weights, 1/2 to 4 for biases; {})"
)
"""What :func:`setting` draws from; n = N = M."""
_DOUBLE, _SINGLE = {"arithmetic": "float64"}, {"arithmetic": "float32"}


@stated(
    "prediction.small-values",
    title="Every small singular value: predicted from A_AD",
    family="predictions",
    source="ours",
    predicate=_RANDOM.format("n = 24, 32, 48; full: 24 to 256") + r", for at least 9 in 10 of the draws "
    r"with a predicted probability below 0.1 or above 0.9 and floors more than a factor 2 apart (95 % confidence): "
    r"$\sigma_k(A_{FD}) > \sigma_k(A_{AD})$ for every $k > n/2$ if and only if the probability is above 0.9.",
    kind="sampled",
    scopes=_floats,
    instances=_small_instances,
    assumptions=(Assumption("the predicted probability is below 0.1 or above 0.9, the floors more than a factor 2 apart", _small_decided),),
    quantifier=TYPICAL,
    describe=Draw.describe,
    judges=(small_values,),
    mutants=(
        wrong("reversed", "it holds where it is predicted to fail", "sign", _DOUBLE, reverse=True),
        wrong("other-arithmetic", "the round-off of float32 in place of float64's", "constant", _DOUBLE, other=True),
        wrong("always", "every small value is larger wherever the prediction is clear", "predicate", _DOUBLE, always=True),
    ),
)  # fmt: skip
def every_small_value(
    draw: Draw, scope: Scope, other: bool = False, reverse: bool = False, always: bool = False
) -> Outcome:
    """Where the prediction is clear, in at least 9 of 10 draws of random settings of at most 48 features (full: 256), whether
    every small singular value of $A_{FD}$ exceeds that of $A_{AD}$ is predicted from $A_{AD}$, the step and the arithmetic
    (by a model: noise must lift the values above the floor by more than it scatters them, and lie above the round-off of
    $A_{AD}$ itself behind it)."""
    found = _small(draw, _EXCHANGED[draw.arithmetic] if other else draw.arithmetic)
    holds = every_small_larger(draw.problem, draw.arithmetic)
    return Outcome(
        holds == (always or (found.probability > 0.5) != reverse),
        f"{'holds' if holds else 'fails'} with predicted probability {found.probability:.2g}, n = {draw.size}, floors "
        f"a factor {found.separation:.3g} apart: {draw.setting.describe()}",
    )


@stated(
    "prediction.onset",
    title="The size from which every small singular value is larger",
    family="predictions",
    source="ours",
    predicate=_RANDOM.format("n = 8 to 300") + ", for at least 7 in 10 of those with a measured or predicted onset inside the grid of sizes (95 % "
    f"confidence): the least size, on a grid of spacing 5 %, from which on at least half of {TRUTH_DRAWS} draws hold "
    "is within 20 % of the predicted one.",
    kind="sampled",
    scopes=lambda profile: _floats(profile) if profile == "full" else (),  # a minute each
    instances=_onset_instances,
    assumptions=(Assumption("measured and predicted onset are not both at an end of the grid", _in_grid),),
    quantifier=Quantifier("typical", 0.7),
    describe=OnsetSetting.describe,
    judges=(predicted_onset,),
    mutants=(
        wrong("half", "half of the predicted size", "constant", _SINGLE, change=lambda n: n / 2),
        wrong("one-size", "size 100 for every setting", "assumption", _SINGLE, change=lambda n: 100.0),
    ),
)  # fmt: skip
def onset_is_near(chosen: OnsetSetting, scope: Scope, change: Callable[[int], float] = float) -> Outcome:
    """The size from which on, in at least half of the draws, every small singular value of $A_{FD}$ exceeds that of $A_{AD}$,
    up to 300, is predicted within 20 % from draws of $A_{AD}$ alone, in at least 7 of 10 random settings whose measured or
    predicted onset lies inside the grid of sizes."""
    measured = measured_onset(chosen.setting, chosen.arithmetic, chosen.sizes, 10**4)
    found = onset(chosen.setting, chosen.arithmetic, chosen.sizes)
    predicted = None if found.size is None else change(found.size)
    near = measured is not None and predicted is not None and abs(predicted - measured) <= NEAR * measured
    return Outcome(near, f"onset {measured}, predicted {predicted}: {chosen.setting.describe()}")


@stated(
    "prediction.entropy-sign",
    title="The sign of the entropy gap: predicted from A_AD",
    family="predictions",
    source="ours",
    predicate=_RANDOM.format("n and a convention: exact, n = 12, else 24, 32, 48; full: n = 24 to 64, else to 256") + ", for at least 9 in 10 of "
    "the draws whose predicted range excludes 0 (95 % confidence): the sign of the entropy gap, proven in exact "
    "arithmetic or, in the cells of float32 and float64, as LAPACK computes it there, is the predicted one. The others, on which nothing is predicted, are counted as rejected.",
    kind="sampled",
    scopes=lambda profile: tuple({"arithmetic": a} for a in ("exact", "float64", "float32")),
    instances=_sign_instances,
    assumptions=(Assumption("the predicted range of the gap excludes 0", _sign_decided),),
    quantifier=TYPICAL,
    describe=Draw.describe,
    judges=(predicted_gap, predicted_spectra),
    mutants=(
        wrong("reversed", "the gap has the other sign", "sign", _DOUBLE, expected=lambda draw: _EXCHANGED[_larger(draw)]),
        wrong("without-floor", "the covariance law alone, in float32", "assumption", _SINGLE,
              expected=lambda draw: _gap(draw, "exact").larger),
        wrong("always-ad", "AD has the larger entropy wherever a sign is predicted", "predicate", {"arithmetic": "exact"},
              expected=lambda draw: "ad"),
    ),
)  # fmt: skip
def entropy_sign(draw: Draw, scope: Scope, expected: Callable[[Draw], str] = _larger) -> Outcome:
    """Where the prediction from $A_{AD}$ alone decides the sign of $H_{FD} - H_{AD}$, it is right in at least 9 of 10 draws of
    random settings, the convention drawn too: truncation to second order, and round-off with the cut-off number that it
    changes."""
    found, sign, larger = _gap(draw, draw.arithmetic), _true_sign(draw), expected(draw)
    where = f"n = {draw.size}, {draw.convention.label}: {draw.setting.describe()}"
    if sign is None or larger == "undecided":
        return Outcome(None, f"undecided; {where}")
    gap = "none" if found.gap is None else f"{found.gap:.2g}"
    return Outcome(
        (sign > 0) == (larger == "fd"),
        f"{'FD' if sign > 0 else 'AD'} has more, predicted gap {gap} in [{found.low:.2g}, {found.high:.2g}]; {where}",
        certified=draw.arithmetic == "exact",
    )


CLAIMS = (every_small_value, onset_is_near, entropy_sign)
"""Predictions on settings drawn at random."""
