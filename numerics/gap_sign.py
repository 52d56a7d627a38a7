"""The sign of the entropy gap H_FD − H_AD predicted from A_AD alone, under any convention (ours).

``A_FD = A_AD + T + E``: T the leading two truncation terms, E independent errors of the sizes of
:func:`numerics.floor.entry_errors` (0 in exact arithmetic). To first order and at one cut-off number this is the
covariance law of :func:`theory.entropy.entropy_gap_coefficient`; as a spectrum it also holds what the law leaves out:
the values that noise lifts past the cut-off and the factor ``1/log r``. E is sampled, at three sizes each half as large
again as the one before, since its size is known within a factor of about 2; the last variant, and in exact arithmetic the
second, has one truncation term. The prediction is the range of the gap over the variants, widened by their standard deviation; a
range that contains 0 predicts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from numerics.floor import entry_errors
from numerics.matrices import float_matrix
from numerics.problem import Arithmetic, Problem
from numerics.reference_spectra import floating_singular_values
from numerics.truncation import truncation_terms
from theory.entropy import Convention, truncated_entropy

SIZES_OF_NOISE = (1.0, 2 / 3, 3 / 2) * 2
"""Factors of the predicted size of the errors, one for each sample of them."""
_NOISE_SEED = 271828

Larger = Literal["ad", "fd", "undecided"]


@dataclass(frozen=True)
class PredictedSpectra:
    """Spectra from which every convention is predicted.

    Attributes:
        ad: singular values (n,) of A_AD as the arithmetic computes them (float64 for exact arithmetic), descending.
        fd: variants (v, n) of those of A_FD, descending; the first is the middle one.
    """

    ad: Float[np.ndarray, " n"]
    fd: Float[np.ndarray, "v n"]


@dataclass(frozen=True)
class PredictedGap:
    """The predicted H_FD − H_AD under one convention.

    Attributes:
        gap: of the middle variant; None where an entropy is undefined.
        low, high: the widened range over the variants.
        cutoff: the cut-off numbers of A_AD and of A_FD (middle variant).
        larger: ``"ad"`` where the range lies below 0, ``"fd"`` where it lies above, else ``"undecided"``.
    """

    gap: float | None
    low: float
    high: float
    cutoff: tuple[int, int]
    larger: Larger


def predicted_spectra(problem: Problem, arithmetic: Arithmetic) -> PredictedSpectra:
    """The spectrum of A_AD and the predicted ones of A_FD; A_FD itself is not formed.

    Raises:
        NonexistenceError: the activation lacks the derivatives of the truncation error.
        InputError: an entry that is not finite.
    """
    exact = float_matrix(problem, "ad", "float64")
    terms = list(truncation_terms(problem, 2).values())
    moved = [exact + sum(terms[:k], np.zeros_like(exact)) for k in (2, 1)]
    if arithmetic == "exact":
        return PredictedSpectra(floating_singular_values(exact), np.stack([*map(floating_singular_values, moved)]))
    stored = exact if arithmetic == "float64" else float_matrix(problem, "ad", arithmetic)
    own = floating_singular_values(stored)
    errors = np.zeros_like(exact)
    inner = entry_errors(problem, arithmetic)
    errors[: len(inner)] = inner
    generator = np.random.Generator(np.random.PCG64(_NOISE_SEED))
    variants = []
    for k, factor in enumerate(SIZES_OF_NOISE):
        base = moved[0] if k < len(SIZES_OF_NOISE) - 1 else moved[1]
        values = floating_singular_values(base + factor * errors * generator.standard_normal(exact.shape))
        # where the entries' errors are less, the errors of the SVD itself remain, which A_AD's values show
        tail = values < 2 * own.max() * len(own) * np.finfo(np.float64).eps
        variants.append(-np.sort(-np.where(tail, np.hypot(values, own), values)))
    return PredictedSpectra(own, np.stack(variants))


def predicted_gap(spectra: PredictedSpectra, convention: Convention) -> PredictedGap:
    """The gap under a convention, with the range that its prediction leaves."""
    ad = truncated_entropy(spectra.ad, convention)
    fd = [truncated_entropy(values, convention) for values in spectra.fd]
    middle = fd[0]
    values = [float(one.value) for one in fd if one.value is not None]
    if ad.value is None or len(values) < len(fd):
        return PredictedGap(None, -np.inf, np.inf, (ad.cutoff, middle.cutoff), "undecided")
    gaps = np.array(values) - float(ad.value)
    # the two entropies are sums of about n terms in float64
    margin = float(np.std(gaps)) + 4 * len(spectra.ad) * np.finfo(np.float64).eps * max(1.0, abs(float(ad.value)))
    low, high = float(gaps.min()) - margin, float(gaps.max()) + margin
    larger: Larger = "ad" if high < 0 else "fd" if low > 0 else "undecided"
    return PredictedGap(float(gaps[0]), low, high, (ad.cutoff, middle.cutoff), larger)
