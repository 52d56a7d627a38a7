"""Where S2 and S3 hold over size and tolerance, and over step and weight scale, and where the paired readings of S4 and S5
do: shares of draws, and predictions (none for S5).

The predictions use A_AD alone, of the first draw: S2, about the values behind a cut-off number r, by the probability of
:mod:`numerics.differences.floor`; S3 by the sign of the gap of :mod:`numerics.entropy.gap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.differences.floor import small_values
from numerics.entropy.compare import truncated_entropies
from numerics.entropy.gap import PredictedSpectra, predicted_gap, predicted_spectra
from numerics.matrices import batches as draws
from numerics.problem.problem import METHODS, Arithmetic, Problem
from proofs_check.claims.claim import Profile
from proofs_check.claims.comparisons import problem
from proofs_check.sources.samples import TAUS, Reduced, reduce, reduced
from proofs_check.sources.source import order_outcome
from proofs_check.sources.tables import outcomes, predictors
from proofs_check.sources.training_samples import Study
from theory.base.exact import spell
from theory.entropy.conventions import Convention

SIZES = {"quick": (16, 24, 32, 48, 64, 96, 128), "full": (16, 24, 32, 48, 64, 96, 128, 192, 256, 384)}
STEPS = tuple(Fraction(1, n) for n in (10000, 3000, 1000, 300, 100, 30, 10))
SCALES = (Fraction(1, 2), Fraction(1), Fraction(2), Fraction(4), Fraction(8), Fraction(16))
EVERY = {"quick": 2, "full": 1}
"""Of the steps and the scales every so many are mapped."""
SIZE = 64
"""n of the maps over step and weight scale."""
DRAWS = {"quick": 8, "full": 40}
ACTIVATIONS = ("tanh", "sin")
ARITHMETICS: tuple[Arithmetic, ...] = ("float32", "float64")
FIRST_PAIR = 7_000_000
FIRST_SEED = 7_000_000_000
"""Draws of the maps: not those of the ledger's cells."""
TAU = Fraction(1, 10**6)
"""Of the energy rule, in the maps over step and weight scale."""
ITERATIONS = 1000
"""Of gradient descent, in the map of S5."""
DECADES = tuple(range(1, 16))
"""Tolerances 10^-k that are shown."""


def over_size(activation: str, arithmetic: Arithmetic, profile: Profile) -> dict[str, Any]:
    """S2 and S3 for sizes n (columns) and tolerances of the energy rule, power 1 (rows); step 1/100, w ~ N(0, 1)."""
    places = [TAUS.index(min(TAUS, key=lambda tau, k=k: abs(tau - 10.0**-k))) for k in DECADES]  # type: ignore[misc]
    columns: list[dict[str, list[Any]]] = []
    for n in SIZES[profile]:
        template = problem(activation, size=n, seed=FIRST_SEED)
        found = reduced(template, range(FIRST_SEED, FIRST_SEED + DRAWS[profile]), arithmetic, {})
        curve = next(c for c in found.curves if (c.rule, c.power) == ("energy", 1))
        spectra, behind = predicted_spectra(template, arithmetic), small_values(template, arithmetic).behind
        conventions = [Convention("energy", Fraction(1, 10**k)) for k in DECADES]
        columns.append(
            {
                "small": [curve.small[k] / DRAWS[profile] for k in places],
                "raw": [curve.raw[k] / DRAWS[profile] for k in places],
                "normalised": [curve.normalised[k] / DRAWS[profile] for k in places],
                "small_predicted": [_small(behind, int(curve.cutoff_ad[k])) for k in places],
                "raw_predicted": [_sign(spectra, c) for c in conventions],
                "normalised_predicted": [_sign(spectra, Convention("energy", c.tau, 1, True)) for c in conventions],
                "flagged": [2 * curve.past_own_knee[k] > DRAWS[profile] for k in places],
            }
        )
    across = {"across": "size", "columns": [str(n) for n in SIZES[profile]], "rows": [f"1e-{k}" for k in DECADES]}
    return {"activation": activation, "arithmetic": arithmetic, "draws": DRAWS[profile]} | across | _transposed(columns)


def _small(behind: Float[np.ndarray, " n1"], r: int) -> bool:
    """Whether every value behind r is predicted to be lifted; where there is none the statement counts as failing."""
    return r < len(behind) - 1 and bool(behind[r] > 0.5)


def _sign(spectra: PredictedSpectra, convention: Convention) -> bool | None:
    """Whether AD is predicted to have the larger entropy; None where neither is predicted."""
    return {"ad": True, "fd": False}.get(predicted_gap(spectra, convention).larger)


def _transposed(columns: Sequence[dict[str, list[Any]]]) -> dict[str, list[list[Any]]]:
    """One list a row of the map."""
    return {name: [list(row) for row in zip(*(c[name] for c in columns), strict=True)] for name in columns[0]}


def over_step(activation: str, arithmetic: Arithmetic, profile: Profile) -> dict[str, Any]:
    """S2 (k > n/2) and S3 (energy rule, τ = 1e-6, power 1) for steps (columns) and weight scales (rows); n = 64."""
    judged = {c.label: c for c in (Convention("energy", TAU), Convention("energy", TAU, 1, True))}
    seeds = range(FIRST_SEED, FIRST_SEED + DRAWS[profile])
    steps, scales = STEPS[:: EVERY[profile]], SCALES[:: EVERY[profile]]
    rows = []
    for scale in scales:
        template = problem(activation, size=SIZE, scale=scale, seed=FIRST_SEED)
        noise = draws.own_entry_error([template], arithmetic)
        found = draws.drawn_over_steps(template, seeds, arithmetic, steps)
        kept = [reduce(one, noise * one.spread, judged, {}, curves=False) for one in found]
        posed = [template.with_(step=(h,)) for h in steps]
        rows.append(_row(kept, posed, arithmetic, judged))
    across = {"across": "step", "columns": [spell(h) for h in steps], "rows": [spell(s) for s in scales]}
    told = {"activation": activation, "arithmetic": arithmetic, "draws": DRAWS[profile]} | across
    return told | _gathered(rows)


def _gathered(parts: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """By name the values of all parts, in their order."""
    return {name: [part[name] for part in parts] for name in parts[0]}


def over_pairs(activation: str, arithmetic: Arithmetic, profile: Profile) -> dict[str, Any]:
    """S4 in the same draw, for steps (columns) and weight scales (rows); least squares with Dirichlet rows, n = 64.

    ``small``: AD leaves less of the equation; ``raw`` and ``normalised``: the method with the larger entropy (energy rule,
    τ = 1e-6, power 1) leaves less. Predicted from A_AD of the first draw: that AD leaves less everywhere, and so that
    the paired reading holds where AD has the larger entropy.
    """
    steps, scales = STEPS[:: EVERY[profile]], SCALES[:: EVERY[profile]]
    judged = {"raw": Convention("energy", TAU), "normalised": Convention("energy", TAU, 1, True)}
    rows: list[dict[str, list[Any]]] = []
    for scale in scales:
        row: list[dict[str, Any]] = []
        for h in steps:
            study = Study("rfm", "u_xx", arithmetic, "svd", "quick", step=h, activation=activation, deviation=scale,
                          count=SIZE, points=SIZE, first=FIRST_PAIR, members=DRAWS[profile])  # fmt: skip
            left = _pairs(*(outcomes(study, m)["equation residual"] for m in METHODS))
            spectra = predicted_spectra(study.problem(FIRST_PAIR), arithmetic)
            share = sum(ad < fd for ad, fd in left) / len(left)
            cell: dict[str, Any] = {"small": share, "small_predicted": True, "flagged": False}
            for name, convention in judged.items():
                entropies = _pairs(*(predictors(study, m)[convention.label] for m in METHODS))
                cell[name] = _more_leaves_less(entropies, left)
                cell[f"{name}_predicted"] = _sign(spectra, convention)
            row.append(cell)
        rows.append(_gathered(row))
    across = {"across": "pairs", "columns": [spell(h) for h in steps], "rows": [spell(s) for s in scales]}
    told = {"activation": activation, "arithmetic": arithmetic, "draws": DRAWS[profile]} | across
    return told | _gathered(rows)


def over_speeds(activation: str, arithmetic: Arithmetic, profile: Profile) -> dict[str, Any]:
    """S5 in the same draw, over the steps and weight scales of :func:`over_pairs` and with its systems; nothing is predicted.

    Gradient descent from zero, each method with its own step 1/σ_1², by the exact law of the stored matrix. ``small``: the
    loss by AD falls to a smaller fraction of the first in as many iterations; ``raw`` and ``normalised``: the loss by the
    method with the larger entropy of the eigenvalues of G = A Aᵀ (energy rule, τ = 1e-6, power 1) does.
    """
    from numerics.training.rfm import descended
    from proofs_check.sources.least_squares import system

    every = 2 if profile == "quick" else 1
    steps, scales = STEPS[::every], SCALES[::every]
    judged = {"raw": Convention("energy", TAU), "normalised": Convention("energy", TAU, 1, True)}
    rows: list[dict[str, list[Any]]] = []
    for scale in scales:
        study = Study("rfm", "u_xx", arithmetic, "svd", "quick", activation=activation, deviation=scale,
                      count=SIZE, points=SIZE, first=FIRST_PAIR, members=DRAWS[profile])  # fmt: skip
        ad = descended(*system(study, "ad"), ITERATIONS)
        row: list[dict[str, Any]] = []
        for h in steps:
            fd = descended(*system(replace(study, step=h), "fd"), ITERATIONS)
            left = list(zip(ad.left.tolist(), fd.left.tolist(), strict=True))
            cell: dict[str, Any] = {"small": sum(a < f for a, f in left) / len(left), "flagged": False}
            for name, convention in judged.items():
                both = (truncated_entropies(one.eigenvalues.numpy(), convention)[0].tolist() for one in (ad, fd))
                cell[name] = _more_leaves_less(list(zip(*both, strict=True)), left)
            row.append(cell | {f"{name}_predicted": None for name in ("small", *judged)})
        rows.append(_gathered(row))
    across = {
        "across": "speeds",
        "iterations": ITERATIONS,
        "columns": [spell(h) for h in steps],
        "rows": [spell(s) for s in scales],
    }
    told = {"activation": activation, "arithmetic": arithmetic, "draws": DRAWS[profile]} | across
    return told | _gathered(rows)


Pairs = Sequence[tuple[float, float]]
"""Of AD and FD, a pair a draw."""


def _more_leaves_less(entropies: Pairs, left: Pairs) -> float:
    """The share of the draws in which the method with the larger entropy is ahead of the other.

    >>> nan = float("nan")
    >>> _more_leaves_less([(2, 1), (1, 2), (2, 1), (nan, nan), (1, 2)], [(3, 4), (4, 3), (4, 3), (4, 3), (nan, nan)])
    0.4
    """
    return sum((h > k and a < f) or (h < k and a > f) for (h, k), (a, f) in zip(entropies, left, strict=True)) / len(
        left
    )


def _pairs(ad: Sequence[float | None], fd: Sequence[float | None]) -> list[tuple[float, float]]:
    """Of every draw; not a number where a method has none, so that neither is ahead."""
    return [(np.nan if a is None else a, np.nan if f is None else f) for a, f in zip(ad, fd, strict=True)]


def _row(
    kept: Sequence[Reduced], posed: Sequence[Problem], arithmetic: Arithmetic, judged: dict[str, Convention]
) -> dict[str, list[Any]]:
    """A row of the map over steps."""
    raw, normalised = judged
    spectra = [predicted_spectra(one, arithmetic) for one in posed]
    half = SIZE - SIZE // 2

    def share(found: Reduced, label: str) -> float:
        return sum(order_outcome(found, k, label).holds is True for k in range(len(found.knee))) / len(found.knee)

    return {
        "small": [sum(k == half for k in one.larger) / len(one.larger) for one in kept],
        "raw": [share(one, raw) for one in kept],
        "normalised": [share(one, normalised) for one in kept],
        "small_predicted": [small_values(one, arithmetic).probability > 0.5 for one in posed],
        "raw_predicted": [_sign(one, judged[raw]) for one in spectra],
        "normalised_predicted": [_sign(one, judged[normalised]) for one in spectra],
        "flagged": [
            2 * sum(r > k for r, k in zip(one.cutoff_ad[raw], one.own_knee, strict=True)) > len(one.knee)
            for one in kept
        ],
    }
