"""Two explanations: why the advantage of AD in least squares grows more slowly than the round-off, and the signs of S3.

Matrix noise acts as a ridge penalty. With ``A + E``, E of independent entries of mean square τ²,
``E‖(A + E)a − f‖² = ‖Aa − f‖² + nτ²‖a‖²`` for every fixed a: the minimiser pays for the length of a. It also fits the
noise, with its M degrees of freedom of n: the residual is shorter by about √(1 − M/n) where the noise dominates. A
solution trades size for fit, so what it leaves grows with τ more slowly than τ does.

The sign of the entropy gap is predicted from A_AD alone, over exactly the settings and conventions of S3, those of
:mod:`proofs_check.sources.source`, all of a profile: a finite list, of which every member is looked at, in its first draw.
So nothing is estimated: what is told is in how many of them the predicted sign is the one that was found, and which are
missed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from numerics.entropy.gap import predicted_gap, predicted_spectra
from numerics.problem.problem import Arithmetic
from proofs_check.claims.claim import Profile, Request, Scope, Step, stated, wrong
from proofs_check.claims.comparisons import both_spectra
from proofs_check.claims.verdicts import Outcome
from proofs_check.sources.decisions import CONFIDENCE, within
from proofs_check.sources.least_squares import system
from proofs_check.sources.samples import Sample, Setting, conventions
from proofs_check.sources.source import DRAWS, Draw, by_convention, entropy_order, order_outcome
from proofs_check.sources.tables import outcomes
from proofs_check.sources.training_samples import Study, instances, search

if TYPE_CHECKING:
    from torch import Tensor

REACH = math.log(1.25)
"""Largest mean of |log(measured/predicted)|."""
MEMBERS = 32
"""Seeds of a sample."""


def ridge_objective(A: Tensor, f: Tensor, penalty: Tensor) -> Tensor:
    """``min_a (‖Aa − f‖² + λ‖a‖²)^{1/2}`` of every member, in the arithmetic of ``A``.

    Args:
        A: ``[b, n, m]``;  f: ``[n]``;  penalty: λ, ``[b]``.
    """
    import torch

    left, values, _ = torch.linalg.svd(A, full_matrices=False)
    along = left.transpose(1, 2) @ f
    across = f - (left @ along[:, :, None])[:, :, 0]
    share = penalty[:, None] / (values**2 + penalty[:, None])
    squared: Tensor = (share * along**2).sum(1) + (across**2).sum(1)
    return squared.sqrt()


def _cells(profile: Profile) -> tuple[Scope, ...]:
    steps: dict[Profile, dict[str, tuple[str, ...]]]
    steps = {"quick": {"u_xx": ("1/256",), "u_xxxx": ("1/64",)},
             "full": {"u_xx": ("1/128", "1/256", "1/512"), "u_xxxx": ("1/32", "1/64")}}  # fmt: skip
    return tuple(
        {"model": "rfm", "optimiser": "svd", "step": step, "operator": operator, "arithmetic": "float32",
         "size": size}
        for size in ("128 features 160 points", *(() if profile == "quick" else ("n=128",)))
        for operator, chosen in steps[profile].items()
        for step in chosen
    )  # fmt: skip


@stated(
    "S7.noise-acts-as-ridge",
    title="Round-off of the matrix acts as a ridge penalty",
    family="source",
    source="ours",
    predicate=r"The mean over seeds of $\log(\mathrm{measured}/\mathrm{predicted})$ within $\log 1.25$ of 0, where "
    f"FD leaves at least twice what AD does. Decided by its bootstrap interval at {CONFIDENCE:.0%}.",
    kind="sampled",
    scopes=_cells,
    instances=instances,
    derivation=(
        Step(r"$\mathbb{E}\|(A + E)a - f\|^2 = \|Aa - f\|^2 + n\tau^2\|a\|^2$ for every fixed $a$",
             r"entries of $E$ independent, mean 0, mean square $\tau^2 = \|E\|_F^2/(nM)$"),
        Step(r"of $n$ rows of noise, $M$ are fitted: the rest has $(1 - M/n)$ of the mean square",
             "degrees of freedom in least squares; a heuristic here, since $a$ depends on $E$"),
    ),
    describe=Study.describe,
    search=search,
    judges=("numerics.networks.ntk.feature_matrix",),
    mutants=(
        wrong("summed", "λ is the sum of the squares of E, not divided by M = 128", "constant", scale=128.0),
        wrong("nothing-fitted", "the noise is not fitted: the factor is 1", "assumption", degrees=False),
    ),
)  # fmt: skip
def noise_acts_as_ridge(study: Study, scope: Scope, scale: float = 1.0, degrees: bool = True) -> Outcome:
    r"""What a pseudo-inverse leaves of $A_{FD}$ ($n$ rows, $M$ features) in float32 is, within a factor 1.25 in the mean over
    draws, $\sqrt{1 - M/n}$ times the least value of $(\|Aa - f\|^2 + \lambda\|a\|^2)^{1/2}$ for the exact $A_{FD}$,
    with $\lambda = \|E\|_F^2/M$, $E$ the rounding of the matrix."""
    import numpy as np

    from numerics.training.statistics import bootstrap

    study = replace(study, members=MEMBERS)
    exact, f = system(replace(study, arithmetic="float64"), "fd")
    noise = system(study, "fd")[0].double() - exact
    rows, columns = exact.shape[1:]
    penalty = scale * noise.square().sum((1, 2)) / columns
    factor = math.sqrt(1 - columns / rows) if degrees else 1.0
    predicted = (factor * ridge_objective(exact, f, penalty) / f.norm()).numpy()
    measured = np.array(outcomes(study, "fd")["residual"], dtype=float)
    ratio = np.log(measured / predicted)
    found = bootstrap(ratio, CONFIDENCE)
    autodiff = np.array(outcomes(study, "ad")["residual"], dtype=float)
    over = float(np.exp(np.log(measured / autodiff).mean()))
    interval = (found.lower, found.upper)
    return Outcome(
        within(interval, 0.0, REACH) if over >= 2 else None,
        f"measured over predicted {math.exp(found.estimate):.3f} [{math.exp(found.lower):.3f}, "
        f"{math.exp(found.upper):.3f}], n = {len(ratio)}, {over:.0f} times what AD leaves",
        margin=REACH - abs(found.estimate),
        data={
            "n": len(ratio),
            "mean_log": found.estimate,
            "interval": list(interval),
            "confidence": CONFIDENCE,
            "spread": float(ratio.std()),
            "over_ad": over,
        },
    )


RIGHT = 0.9
"""Share of the predicted signs that must be right."""
_EXACT = {"arithmetic": "exact"}


@dataclass(frozen=True)
class Settings:
    """All settings of S3 in one arithmetic, with the conventions under which each is judged."""

    arithmetic: Arithmetic
    profile: Profile
    judged: tuple[tuple[Setting, tuple[str, ...]], ...]

    def sample(self, setting: Setting) -> Sample:
        """The draws of a setting, as S3 looks at them."""
        return Sample(setting, self.arithmetic, DRAWS[self.profile])

    def describe(self) -> dict[str, Any]:
        """JSON types."""
        return {"settings": len(self.judged), "pairs": sum(len(labels) for _, labels in self.judged)}


def _instances(scope: Scope, profile: Profile) -> Iterator[Settings]:
    found: dict[Setting, list[str]] = {}
    for cell in by_convention(profile):
        if cell["arithmetic"] == scope["arithmetic"]:
            found.setdefault(Setting.of(cell), []).append(cell["convention"])
    judged = tuple((setting, tuple(labels)) for setting, labels in found.items())
    yield Settings(cast(Arithmetic, scope["arithmetic"]), profile, judged)


def _requests(settings: Settings, scope: Scope) -> Iterator[Request]:
    for setting, _ in settings.judged:
        if settings.arithmetic == "exact":
            yield from both_spectra(setting.draw(0))
        else:
            yield settings.sample(setting)


def _found(settings: Settings, setting: Setting, label: str) -> bool | None:
    """Whether H_AD ≥ H_FD in the first draw: by LAPACK's values, or with proof."""
    if settings.arithmetic == "exact":
        scope = {"arithmetic": "exact", "convention": label} | setting.scope
        holds = entropy_order(Fraction(0))(Draw(settings.sample(setting), 0), scope).holds
    else:
        holds = order_outcome(settings.sample(setting).found, 0, label).holds
    return holds if isinstance(holds, bool) else None


@stated(
    "prediction.source-signs",
    title="The sign of the entropy gap in the settings of S3: predicted from A_AD",
    family="predictions",
    source="ours",
    predicate="Over all settings of S3 (activation, operator, law, step, size: every one, in its first draw) and its "
    "conventions: of those whose predicted range of the gap excludes 0, at least 9 in 10 have the predicted sign; the misses are listed.",
    kind="sampled",
    scopes=lambda profile: tuple({"arithmetic": a} for a in ("exact", "float64", "float32")),
    instances=_instances,
    requests=_requests,
    describe=Settings.describe,
    judges=(predicted_spectra, predicted_gap),
    mutants=(
        wrong("reversed", "the gap has the other sign", "sign", _EXACT,
              guess=lambda larger: {"ad": "fd", "fd": "ad"}.get(larger, larger)),
        wrong("always-ad", "AD has the larger entropy wherever a sign is predicted", "predicate", _EXACT,
              guess=lambda larger: "ad" if larger != "undecided" else larger),
    ),
)  # fmt: skip
def source_signs(settings: Settings, scope: Scope, guess: Callable[[str], str] = str) -> Outcome:
    """In at least nine tenths of the settings (each in its first draw) and conventions in which S3 is judged, and in which it is
    predicted, the sign of $H_{FD} - H_{AD}$ is the one that is predicted from $A_{AD}$ alone."""
    right, silent, undecided, misses = 0, 0, 0, []
    for setting, labels in settings.judged:
        spectra = predicted_spectra(setting.draw(0), settings.arithmetic)
        for label in labels:
            predicted = predicted_gap(spectra, conventions()[label])
            told, truth = guess(predicted.larger), _found(settings, setting, label)
            if told == "undecided":
                silent += 1
            elif truth is None:
                undecided += 1
            elif truth == (told == "ad"):
                right += 1
            else:
                where = ", ".join(setting.scope.values())
                misses.append(f"{where}, {label}: {told.upper()} predicted, gap {predicted.gap:.1e}")
    told_of = right + undecided + len(misses)  # a sign that is told and cannot be confirmed is not right
    return Outcome(
        right >= RIGHT * told_of if told_of else None,
        f"the predicted sign is right in {right} of {told_of} pairs of setting and convention; {silent} not predicted, "
        f"{undecided} undecided" + (f"; missed: {'; '.join(misses)}" if misses else ""),
        data={"right": right, "told": told_of, "silent": silent, "undecided": undecided, "misses": misses},
    )


CLAIMS = (noise_acts_as_ridge,)
"""The explanation of what S7.floor-explains finds for least squares."""
PREDICTED = (source_signs,)
"""Predictions over the settings of the source's statements."""
