"""The sign of the entropy gap predicted from A_AD alone, over exactly the settings and conventions of S3.

The settings are those of :mod:`proofs_check.claims.source`, all of a profile: a finite list, of which every member is
looked at, in its first draw.  So nothing is estimated: what is told is in how many of them the
predicted sign is the one that was found, and which are missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from numerics.gap_sign import predicted_gap, predicted_spectra
from numerics.problem import Arithmetic
from proofs_check.claim import Claim, Mutant, Profile, Request, Scope
from proofs_check.claims.common import both_spectra
from proofs_check.claims.samples import Sample, Setting, conventions
from proofs_check.claims.source import DRAWS, Draw, by_convention, entropy_order, order_outcome
from proofs_check.verdicts import Outcome

RIGHT = 0.9
"""Share of the predicted signs that must be right."""

Guess = Callable[[str, str], str]
"""What is predicted, from the prediction (``ad``, ``fd``, ``undecided``) and the arithmetic."""


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


def _signs(guess: Guess = lambda larger, arithmetic: larger) -> Callable[[Settings, Scope], Outcome]:
    def test(settings: Settings, scope: Scope) -> Outcome:
        right, silent, undecided, misses = 0, 0, 0, []
        for setting, labels in settings.judged:
            spectra = predicted_spectra(setting.draw(0), settings.arithmetic)
            for label in labels:
                predicted = predicted_gap(spectra, conventions()[label])
                told, truth = guess(predicted.larger, settings.arithmetic), _found(settings, setting, label)
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

    return test


CLAIMS = (
    Claim(
        id="prediction.source-signs",
        title="The sign of the entropy gap in the settings of S3: predicted from A_AD",
        statement="In at least nine tenths of the settings (each in its first draw) and conventions in which S3 is judged, and in which it is "
        "predicted, the sign of $H_{FD} - H_{AD}$ is the one that is predicted from $A_{AD}$ alone.",
        family="predictions",
        source="ours",
        predicate="Over all settings of S3 (activation, operator, law, step, size: every one, in its first draw) and its "
        "conventions: of those whose predicted range of the gap excludes 0, at least 9 in 10 have the predicted sign; the misses are listed.",
        kind="sampled",
        scopes=lambda profile: tuple({"arithmetic": a} for a in ("exact", "float64", "float32")),
        instances=_instances,
        test=_signs(),
        requests=_requests,
        describe=Settings.describe,
        mutants=(
            Mutant("reversed", "the gap has the other sign", "sign",
                   lambda c: c.with_(test=_signs(lambda larger, _: {"ad": "fd", "fd": "ad"}.get(larger, larger))),
                   {"arithmetic": "exact"}),
            Mutant("always-ad", "AD has the larger entropy wherever a sign is predicted", "predicate",
                   lambda c: c.with_(test=_signs(lambda larger, _: "ad" if larger != "undecided" else larger)),
                   {"arithmetic": "exact"}),
        ),
    ),
)  # fmt: skip
"""Predictions over the settings of the source's statements."""
