"""Truncated entropies and cut-off numbers of many floating-point spectra at once, in float64."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from theory.conventions import Convention, Power
from theory.cutoffs import cutoff


def truncated_entropies(
    values: Float[np.ndarray, "k n"], convention: Convention
) -> tuple[Float[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """:func:`theory.entropy.truncated_entropy` of k spectra at once, in float64: entropies (nan: undefined), cut-offs.

    Cut-off numbers are exact: where rounding leaves a comparison with τ open, it is repeated in rationals.
    """
    r = cutoffs(values, convention)
    top = np.where(values[:, :1] > 0, values[:, :1], 1)
    kept = np.arange(values.shape[1]) < r[:, None]
    weights = np.where(kept, (values / top) ** convention.power, 0)
    p = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
    H = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=1)
    H = np.where(r > 1, H, 0.0)
    if convention.normalised:
        H = np.where(r > 1, H / np.log(np.maximum(r, 2)), np.nan)
    return np.where(r > 0, H, np.nan), r


def cutoffs(values: Float[np.ndarray, "k n"], convention: Convention) -> Int[np.ndarray, " k"]:
    """:func:`theory.cutoffs.cutoff` of k spectra at once, exactly."""
    tau = float(convention.tau)
    if convention.rule == "fixed":
        return np.asarray(np.minimum((values > 0).sum(axis=1), convention.rank or 0))
    if convention.rule == "energy":
        tails = _tails(values, convention.power)
        threshold, slack = tau * tails[:, :1], 1e-12  # of the roundings of a sum and a product
        surely = (tails[:, :-1] > threshold * (1 + slack)).sum(axis=1)
        open_ones = (tails[:, :-1] > threshold * (1 - slack)).sum(axis=1) != surely
    else:
        unit = values[:, :1] if convention.rule == "relative" else np.ones_like(values[:, :1])
        threshold = tau * unit
        # Within two roundings of the exact threshold: values further away are on the side where they seem to be.
        surely = (values >= threshold * (1 + 1e-15)).sum(axis=1)
        open_ones = (values >= threshold * (1 - 1e-15)).sum(axis=1) != surely
    open_ones |= ~((threshold[:, 0] > 1e-290) & (threshold[:, 0] < 1e290))
    for k in np.flatnonzero(open_ones):
        surely[k] = cutoff(values[k], convention)
    return np.asarray(surely)


def _tails(values: Float[np.ndarray, "k n"], power: Power) -> Float[np.ndarray, "k n+1"]:
    """``Σ_{k>r} (σ_k/σ_1)^q`` for r = 0 … n, summed from the small end."""
    top = np.where(values[:, :1] > 0, values[:, :1], 1)
    weights = (values / top) ** power
    sums = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([sums, np.zeros((len(values), 1))], axis=1)


def cutoff_curve(
    values: Float[np.ndarray, "k n"], rule: str, power: Power, taus: Float[np.ndarray, " t"]
) -> Int[np.ndarray, "k t"]:
    """Cut-off numbers for many tolerances at once, in float64: for curves, which a tie at τ does not move.

    ``rule`` is ``energy``, ``relative`` or ``absolute``; ``fixed`` takes τ as a share of n, of which r is the floor, at
    least 1.
    """
    n = values.shape[1]
    if rule == "fixed":
        fixed = np.maximum(1, np.floor(taus * n + 1e-9)).astype(np.int64)
        return np.asarray(np.minimum(fixed[None, :], (values > 0).sum(axis=1)[:, None]))
    if rule == "energy":
        tails = _tails(values, power)
        return np.asarray((tails[:, None, :-1] > (taus * tails[:, :1])[:, :, None]).sum(axis=2))
    unit = values[:, :1] if rule == "relative" else np.ones_like(values[:, :1])
    return np.asarray((values[:, None, :] >= (taus * unit)[:, :, None]).sum(axis=2))


def entropies_at_every_cutoff(values: Float[np.ndarray, "k n"], power: Power) -> Float[np.ndarray, "k n"]:
    """H of the leading r values in column r − 1, not normalised; nan where σ_r = 0.

    ``H = log S − (Σ w log w)/S`` with ``w = (σ_k/σ_1)^q`` and ``S = Σ w``, both summed up to r.
    """
    top = np.where(values[:, :1] > 0, values[:, :1], 1)
    weights = (values / top) ** power
    logs = np.log(np.where(weights > 0, weights, 1))
    total = np.cumsum(weights, axis=1)
    safe = np.where(total > 0, total, 1)
    H = np.log(safe) - np.cumsum(weights * logs, axis=1) / safe
    return np.where(values > 0, H, np.nan)
