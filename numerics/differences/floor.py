"""The round-off floor of A_FD, its knee and the values behind; from which size on they exceed those of A_AD (ours).

Formulas and their sources are in :mod:`theory.operators.roundoff`; this module evaluates them on a problem.  Entries of A_FD
carry errors of typical size τ; as a matrix of independent errors these have spectral norm about τ(√N + √M), the
*floor*; the *knee* is the first index whose exact AD singular value lies under it.  Behind the knee the singular
values follow the Marchenko-Pastur quantiles of an (N − knee) × (M − knee) noise matrix (V. Marchenko and L. Pastur,
Math. USSR Sb. 1 (1967) 457).

From which size on every small singular value of A_FD exceeds that of A_AD, predicted from A_AD alone (ours).

The model. ``A_FD = A_AD + T + E``: T the leading truncation terms, E independent errors of the sizes of
:func:`numerics.differences.floor.entry_errors` (root mean square tau over the entries). With ``sigma_k, u_k, v_k`` of A_AD, k from 0:

* a value above the noise, ``sigma_k >= tau ((N-k)(M-k))^(1/4)`` (the threshold of F. Benaych-Georges and R. R. Nadakuditi,
  J. Multivariate Anal. 111 (2012) 120, for the part of the matrix that the larger values leave), moves by
  ``u_k^T T v_k + tau^2 ((N-k) + (M-k)) / (2 sigma_k)`` on average, with standard deviation
  ``tau_k = (sum_ij u_ik^2 E_ij^2 v_jk^2)^(1/2)``: truncation shifts it, noise lifts it, and noise also scatters it;
* the n' values behind follow the Marchenko-Pastur quantiles of a noise matrix of the remaining size. The value at rank j
  from the bottom (j = 1, 2, ...) scatters by a factor ``exp(SPREAD g / (j - 1/2))``, g standard normal; the least value s
  of a square one has ``P(s > t tau / sqrt n') = exp(-t^2/2 - t)`` (A. Edelman, SIAM J. Matrix Anal. Appl. 9 (1988) 543).

The probability that ``sigma_k(A_FD) > sigma_k(A_AD)`` for every k >= n/2 is the product over these k, where behind the
knee the values of A_AD are those computed in the arithmetic, which lie on a floor of their own: two noises are
compared. A column of A_FD is zero where the feature's values at the nodes of each point round to one number, as where
it saturates (or all but zero, below LAPACK's rounding); with too few columns left the last values of A_FD are 0, and
less than those of A_AD if LAPACK can tell one of the latter from 0 (if not, the odds are even). With a knee beyond n/2
the first factors decide (the lift must beat the scatter: ``sigma_k`` up to about ``n tau`` qualifies, not the floor
``2 sqrt(n) tau`` alone); with both floors at one height the last ones.
Factors are multiplied as if independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce

import numpy as np
from jaxtyping import Float

from numerics.arithmetic.backends import FloatBackend
from numerics.matrices.assemble import float_matrix, truncation_terms
from numerics.problem.drawn import arguments
from numerics.problem.problem import Problem
from numerics.spectra.spectrum import floating_singular_values
from theory.base.errors import InputError
from theory.base.expressions import evaluate
from theory.features.activations import z
from theory.operators import roundoff
from theory.operators.roundoff import UNIT_ROUNDOFF, marchenko_pastur_quantile


@dataclass(frozen=True)
class Floor:
    """Prediction for A_FD in a floating-point arithmetic.

    Attributes:
        entry_error: τ, the root-mean-square error of an entry.
        floor: τ(√N + √M), in units of the singular values.
        knee: number of exact AD singular values at or above the floor (0-based index of the first one under it).
        noise: predicted singular values behind the knee, descending.
    """

    entry_error: float
    floor: float
    knee: int
    noise: tuple[float, ...]


def entry_errors(problem: Problem, arithmetic: str) -> Float[np.ndarray, "N M"]:
    """Typical rounding error of each interior entry of A_FD.

    ``κ u √(Σ c_k²) √(σ² + σ'²(2 (w·x)² + z²)) / h^m`` for every difference of L_h, added in quadrature: the rounding of
    σ's value, and of its argument z = w·x + b through the rounding of x, w and the sum.
    """
    u = roundoff.UNIT_ROUNDOFF[arithmetic]
    X, W, argument = arguments(problem)
    products = X @ W.T
    backend = FloatBackend(np.float64)
    value = evaluate(problem.activation.derivative(0), {z: argument}, backend) + 0 * argument
    slope = evaluate(problem.activation.derivative(1), {z: argument}, backend) + 0 * argument
    size = np.sqrt(roundoff.typical_square(value, slope, products, argument))
    columns = {s: X[:, axis : axis + 1] for axis, s in enumerate(problem.operator.symbols)}
    gain = np.zeros((len(X), 1))
    for term in problem.difference.terms:
        coefficient = evaluate(term.coefficient, columns, backend) + 0 * X[:, :1]
        gain = gain + (coefficient * math.sqrt(sum(c * c for c in term.weights)) / float(term.scale)) ** 2
    return np.asarray(roundoff.TYPICAL_FACTOR * u * np.sqrt(gain) * size)


def predicted_floor(problem: Problem, arithmetic: str, exact_ad: Sequence[float]) -> Floor:
    """Floor and knee of A_FD in ``arithmetic`` from the exact AD singular values (descending)."""
    errors = entry_errors(problem, arithmetic)
    rows, columns = errors.shape
    tau = float(np.sqrt(np.mean(errors**2)))
    floor = roundoff.spectral_floor(tau, rows, columns)
    knee = roundoff.knee(exact_ad, tau, rows, columns)
    return Floor(tau, floor, knee, tuple(roundoff.marchenko_pastur_values(tau, rows - knee, columns - knee)))


SPREAD = 0.65
"""Scatter of the logarithm of the j-th smallest value of a square noise matrix, times j − 1/2; see the tests."""
FEW, CERTAIN = 2, 1e-4
"""At a size of which so many draws are predicted with a probability this near to 0 or 1, no more are looked at."""
STRIDE = 4
"""Of the first search for an onset, in sizes of the grid."""
SEPARATE = 2.0
"""The sizes of the errors are good within about this factor."""
LAPACK = UNIT_ROUNDOFF["float64"]
"""Values below so many of the largest one are LAPACK's own rounding."""
_LEVELS = np.concatenate([[0.0], 0.5 - 0.5 * np.cos(np.linspace(0, math.pi, 65))[1:]])


@dataclass(frozen=True, eq=False)
class SmallValues:
    """Prediction of the statement about every small singular value, for one draw of the features.

    Attributes:
        behind: (n + 1,): at i the probability that ``sigma_k(A_FD) > sigma_k(A_AD)`` for every k >= i, counted from 0.
        knee: number of singular values of A_AD above the noise of A_FD.
        values: n.
        separation: the median ratio of the noise predicted behind the knee to A_AD's own value there (k > n/2);
            infinite where the knee is not reached.
    """

    behind: Float[np.ndarray, " n1"]
    knee: int
    values: int
    separation: float

    @property
    def probability(self) -> float:
        """That it holds for every k > n/2, counted from 1."""
        return float(self.behind[self.values // 2])


def small_values(problem: Problem, arithmetic: str) -> SmallValues:
    """The prediction for the features of a problem, in ``"float32"`` or ``"float64"``; interior rows only.

    Two SVDs of A_AD (N × M) and none of A_FD. Exact arithmetic has no floor and is not predicted here.

    Raises:
        InputError: boundary rows (the same in both matrices: their small values are not comparable), or an entry that
            is not finite.
        NonexistenceError: the activation lacks the derivatives of the truncation error.
    """
    if any(rows.count for rows in problem.boundary):
        raise InputError("points.boundary: the prediction is for interior rows alone; give boundary = 0")
    exact = float_matrix(problem, "ad", "float64")
    sigma = floating_singular_values(exact)
    own = sigma if arithmetic == "float64" else floating_singular_values(float_matrix(problem, "ad", arithmetic))
    shift = sum(truncation_terms(problem).values(), np.zeros_like(exact))
    errors = entry_errors(problem, arithmetic)
    found = _predict(exact, sigma, own, errors, shift)
    lost = np.linalg.norm(np.hypot(exact, errors), axis=0) <= LAPACK * own[0]
    behind = found.behind.copy()
    behind[:-1] *= _despite_zero_columns(np.where(lost, 1, zero_columns(problem, arithmetic)), own)
    return replace(found, behind=behind)


def zero_columns(problem: Problem, arithmetic: str) -> Float[np.ndarray, " M"]:
    """The probability that a feature's column of A_FD is zero in the arithmetic, by feature.

    Values of the activation within R of each other are one number, of those ν apart, with probability max(0, 1 − R/ν);
    R is taken from the slope at the point and the extent of the stencil, and must do so at every point.
    """
    terms = problem.difference.terms
    if any(term.stencil is None for term in terms):  # the feature itself stands in the entry
        return np.zeros(problem.count)
    (_, W, argument), backend = arguments(problem), FloatBackend(np.float64)
    value, slope = (evaluate(problem.activation.derivative(k), {z: argument}, backend) + 0 * argument for k in (0, 1))
    moved = [np.ptp(np.array([[float(c) for c in node] for node in term.shifts]) @ W.T, axis=0) for term in terms]
    spacing = np.spacing(np.abs(value).astype(arithmetic)).astype(np.float64)
    return np.asarray(np.prod(np.maximum(0, 1 - np.abs(slope) * np.max(moved, axis=0) / spacing), axis=0))


def _despite_zero_columns(zero: Float[np.ndarray, " M"], own: Float[np.ndarray, " n"]) -> float:
    """The factor by which zero columns, each independently, change the probability; ``own``: values of A_AD."""
    number = reduce(np.convolve, ([1 - p, p] for p in zero.tolist()), np.ones(1))
    spare, n = len(zero) - len(own), len(own)
    told = own > math.sqrt(n) * LAPACK * own[0]
    odds = np.array([1.0] * (spare + 1) + [0.0 if told[n - k] else 0.5 for k in range(1, n + 1)])
    return min(1.0, float(number @ odds))


def _predict(
    exact: Float[np.ndarray, "N M"],
    sigma: Float[np.ndarray, " n"],
    own: Float[np.ndarray, " n"],
    errors: Float[np.ndarray, "N M"],
    shift: Float[np.ndarray, "N M"],
) -> SmallValues:
    """``sigma``: the singular values of A_AD; ``own``: as the arithmetic computes them."""
    rows, columns = exact.shape
    n = min(rows, columns)
    tau = float(np.sqrt(np.mean(errors**2)))
    from scipy.special import log_ndtr

    index = np.arange(n)
    left = (rows - index) * (columns - index)
    under = sigma < tau * left**0.25
    knee = int(np.argmax(under)) if under.any() else n
    factors = np.zeros(n + 1)
    if knee:
        # values without vectors are the more accurate ones: LAPACK's small values with vectors are wrong by u sigma_1
        U, _, Vt = np.linalg.svd(exact, full_matrices=False)
        above, u, v = index[:knee], U[:, :knee], Vt[:knee]
        moved = np.einsum("ik,ij,kj->k", u, shift, v, optimize=True)
        scatter = np.sqrt(np.einsum("ik,ij,kj->k", u**2, errors**2, v**2, optimize=True))
        lift = tau**2 * ((rows - above) + (columns - above)) / (2 * sigma[:knee])
        factors[:knee] = log_ndtr((moved + lift) / scatter)
    separation = math.inf
    if knee < n:
        factors[knee:n], ratio = _noise(own, tau, rows, columns, knee)
        separation = float(np.exp(np.median(ratio[max(0, n // 2 - knee) :])))
    return SmallValues(np.exp(np.cumsum(factors[::-1])[::-1]), knee, n, separation)


@lru_cache(maxsize=4096)
def _quantiles(rows: int, columns: int) -> tuple[float, ...]:
    return tuple(marchenko_pastur_quantile(float(level), rows, columns) for level in _LEVELS)


def _noise(
    own: Float[np.ndarray, " n"], tau: float, rows: int, columns: int, knee: int
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """For the m = n − knee values behind the knee: log of the probability that noise exceeds A_AD's own, log of the ratio."""
    from scipy.special import log_ndtr

    rest = len(own) - knee
    quantiles = _quantiles(rows - knee, columns - knee)
    rank = np.arange(rest, 0, -1)  # from the bottom, the largest first
    noise = tau * np.interp((rank - 0.5) / rest, _LEVELS, quantiles)
    ratio = np.log(noise / np.maximum(own[knee:], np.finfo(float).tiny))
    factors = log_ndtr(ratio * (rank - 0.5) / SPREAD)
    if rows == columns:
        t = float(own[-1]) * math.sqrt(rest) / tau
        factors[-1] = -(t * t / 2 + t)
    return factors, ratio


@dataclass(frozen=True)
class Onset:
    """From which size on the statement is predicted to hold.

    Attributes:
        size: the least one of the grid; None where it does not hold at the largest size.
        separated: whether the two floors lie more than a factor :data:`SEPARATE` apart at all sizes looked at from
            there on; if not, the error sizes, good within a factor of about 2, do not carry the prediction.
    """

    size: int | None
    separated: bool


def predicted_onset(
    at_size: Callable[[int], Sequence[Problem]], arithmetic: str, sizes: Sequence[int], draws: int = 20
) -> Onset:
    """The median of the least of ``sizes`` from which on the statement holds in at least half of ``draws`` draws.

    At a size with predicted share p, at least half of the draws hold with probability
    ``P(Binomial(draws, p) >= draws/2)``. The sizes are looked at downwards from the largest, every :data:`STRIDE`-th
    until one fails, then all around it; the result is the least n for which the product of these probabilities over the
    sizes from n on is at least 1/2 (those that the search passed over on its way down are taken to hold).

    Args:
        at_size: a few draws of the features at a size n.
        arithmetic: ``"float32"`` or ``"float64"``.
        sizes: the grid, ascending.
        draws: of the features that are counted at each size.
    """
    known: dict[int, tuple[float, float]] = {}

    from scipy.special import bdtrc

    def passes(k: int) -> float:
        if k not in known:
            found = []
            for problem in at_size(sizes[k]):
                found.append(small_values(problem, arithmetic))
                if len(found) >= FEW and all(abs(one.probability - 0.5) > 0.5 - CERTAIN for one in found):
                    break
            share = float(np.mean([one.probability for one in found]))
            known[k] = share, float(np.median([one.separation for one in found]))
        return float(bdtrc(math.ceil(draws / 2) - 1, draws, known[k][0]))

    last = len(sizes) - 1
    fails = next((k for k in range(last, -1, -STRIDE) if passes(k) < 0.5), -1)
    product, best = 1.0, len(sizes)
    for k in range(min(last, fails + STRIDE), -1, -1):
        product *= passes(k)
        if product < 0.5:
            break
        best = k
    near = min(best, last)
    separated = all(ratio > SEPARATE for k, (_, ratio) in known.items() if k >= near)
    return Onset(sizes[best] if best <= last else None, separated)


def size_grid(low: int, high: int, ratio: float = 1.05) -> list[int]:
    """Sizes from ``low`` to at most ``high``, each at most 5 % (or 1) above the one before.

    >>> size_grid(18, 26)
    [18, 19, 20, 21, 22, 23, 24, 25, 26]
    """
    sizes = [low]
    while True:
        following = max(sizes[-1] + 1, int(sizes[-1] * ratio))
        if following > high:
            return sizes
        sizes.append(following)
