r"""Truncated entropy of a spectrum: conventions, the entropy itself, its derivatives.

Singular values ``σ_1 >= … >= σ_n >= 0``. A *cut-off rule* gives the effective cut-off number r, a *power* q
in {1, 2} the probabilities ``p_k = σ_k^q / Σ_{j<=r} σ_j^q``; the truncated entropy is
``H = -Σ_{k<=r} p_k log p_k`` (natural logarithm), its normalised form ``H / log r``, and ``exp H`` is the
effective rank of O. Roy and M. Vetterli (*The effective rank*, EUSIPCO 2007), there with all values and q =
1. The rules, the powers and the normalisation are choices of ours: a number is only comparable with another
under one :class:`Convention`.

Everything is generic in the number type: ``float``, numpy scalars, ``Fraction``, ``mpmath.mpf``,
``mpmath.iv`` and ``flint.arb``. Floats are compared with the exact rational τ exactly, so that no rounded τ
moves a cut-off. With balls or intervals a comparison may be undecided: :func:`cutoff_range` gives what is
proven, and :func:`cutoff` refuses to guess. This module imports the standard library alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from theory.base.errors import InputError
from theory.entropy.conventions import (
    Convention,
    Number,
    Power,
    Rule,
    cutoff,
    cutoff_range,
    decided_cutoff,
    spectral_weights,
    spectrum_list,
    standard_conventions,
)

__all__ = [
    "Convention",
    "EntropyValue",
    "Number",
    "Power",
    "Rule",
    "covariance",
    "covariance_gap",
    "cutoff",
    "cutoff_range",
    "effective_rank",
    "entropy_gap_coefficient",
    "natural_log",
    "probabilities",
    "shannon_entropy",
    "spectrum_list",
    "standard_conventions",
    "times",
    "truncated_entropy",
]


@dataclass(frozen=True)
class EntropyValue:
    """A truncated entropy, or the reason why there is none.

    Attributes:
        value: in the number type of the spectrum; ``None`` when undefined (r = 0, or normalised with r <= 1).
        cutoff: the effective cut-off number r.
        reason: one line when ``value`` is ``None``, else ``None``.
    """

    value: Number | None
    cutoff: int
    reason: str | None = None


def natural_log(x: Number) -> Number:
    """The natural logarithm in the type of ``x`` (a float for a ``Fraction``), ``x > 0``.

    >>> natural_log(Fraction(1, 2**2000))
    -1386.2943611198907
    """
    if isinstance(x, Fraction):
        if 1e-300 < x < 1e300:
            return math.log(x)
        return math.log(x.numerator) - math.log(x.denominator)  # beyond the range of a float
    if hasattr(x, "log"):  # flint.arb
        return x.log()
    context = getattr(x, "context", None) or getattr(x, "ctx", None)  # mpmath: mp.mpf, iv.mpf
    return math.log(x) if context is None else context.log(x)


def probabilities(values: Iterable[Number], r: int, power: Power = 1) -> list[Number]:
    """``p_k = σ_k^q / Σ_{j<=r} σ_j^q`` for k <= r.

    Raises:
        InputError: r < 1, r beyond the number of values, a power other than 1 and 2, or ``σ_1`` not positive.
    """
    return _probabilities(spectrum_list(values), r, power)


def _probabilities(sigma: list[Number], r: int, power: Power) -> list[Number]:
    if power not in (1, 2):
        raise InputError(f"power: {power!r} is not a power of the singular values; allowed: 1, 2")
    if not 1 <= r <= len(sigma):
        raise InputError(f"r: {r} with {len(sigma)} singular values; allowed: 1 to {len(sigma)}")
    if not sigma[0] > 0:
        raise InputError(f"values[0]: {sigma[0]} is not certainly positive; no probabilities exist")
    weights = spectral_weights(sigma[:r], power)
    total = math.fsum(weights) if isinstance(weights[0], float) else sum(weights[1:], weights[0])
    return [weight / total for weight in weights]


def times(p: Number, x: Number) -> Number:
    """``p * x`` where p may be a ``Fraction`` and x of any type, which need not know fractions."""
    if isinstance(p, Fraction):  # its own conversion to a float takes any size of numerator and denominator
        return float(p) * x if isinstance(x, float) else p.numerator * x / p.denominator
    return p * x


def shannon_entropy(p: Iterable[Number], log: Callable[[Number], Number] = natural_log) -> Number:
    """``-Σ p_k log p_k``, exact zeros contributing 0; ``p`` is taken as it is, normalised or not.

    Args:
        p: probabilities; a type that ``log`` takes (a ``Fraction`` for instance, with any result type).
        log: the logarithm; :func:`natural_log` works in the type of ``p``.
    """
    p = list(p)
    if log is natural_log and set(map(type, p)) == {float}:
        return -math.fsum([x * math.log(x) for x in p if x > 0])
    # Not ``x != 0``: for a ball that contains zero both comparisons are False, and its term must not vanish.
    terms = [times(x, log(x)) for x in p if not (x == 0)]  # noqa: SIM201
    if not terms:
        return 0
    if isinstance(terms[0], float):
        return -math.fsum(terms)
    return -sum(terms[1:], terms[0])


def truncated_entropy(
    values: Iterable[Number],
    convention: Convention,
    log: Callable[[Number], Number] = natural_log,
    *,
    r: int | None = None,
) -> EntropyValue:
    """The truncated entropy of a spectrum under a convention.

    Args:
        values: the n singular values in descending order.
        convention: rule, threshold, power, normalisation.
        log: the logarithm, in the number type of the values.
        r: the cut-off number when it is known already (a proven one, or each of several in turn).

    Returns:
        an :class:`EntropyValue`: 0 at r = 1; ``None`` with a reason at r = 0, and at r <= 1 when normalised.

    Raises:
        InputError: values that are negative, increasing or not finite, or an r out of range.
        PrecisionCapError: r is not given and the enclosures do not decide it.

    >>> truncated_entropy([1.0, 1.0, 1e-20], Convention())
    EntropyValue(value=0.6931471805599453, cutoff=2, reason=None)
    >>> truncated_entropy([0.0, 0.0], Convention()).reason
    'no singular value passes the cut-off (relative τ=1e-12, power 1)'
    """
    sigma = spectrum_list(values)
    rank = decided_cutoff(sigma, convention) if r is None else r
    if rank == 0:
        return EntropyValue(None, 0, f"no singular value passes the cut-off ({convention.label})")
    if rank == 1 and convention.normalised:
        return EntropyValue(None, 1, "one singular value passes the cut-off: H / log r is 0/0")
    p = _probabilities(sigma, rank, convention.power)
    like = log(p[0])
    if rank == 1:
        return EntropyValue(like * 0, 1)
    entropy = shannon_entropy(p, log)
    if convention.normalised:
        entropy = entropy / log(p[0] * 0 + rank)
    return EntropyValue(entropy, rank)


def effective_rank(
    values: Iterable[Number],
    convention: Convention,
    log: Callable[[Number], Number] = natural_log,
    exp: Callable[[Number], Number] = math.exp,
) -> EntropyValue:
    """``exp H`` (Roy and Vetterli, 2007), under a convention that is not normalised; 1 <= exp H <= r.

    Raises:
        InputError: a normalised convention (``exp(H / log r)`` is no rank), or as :func:`truncated_entropy`.
    """
    if convention.normalised:
        raise InputError("normalised: true with the effective rank; allowed: false")
    result = truncated_entropy(values, convention, log)
    return result if result.value is None else EntropyValue(exp(result.value), result.cutoff)


def entropy_gap_coefficient(
    sigma: Iterable[Number],
    sigma_dot: Iterable[Number],
    r: int,
    power: Power = 1,
    log: Callable[[Number], Number] = natural_log,
) -> Number:
    """The coefficient c in ``H_FD - H_AD = c h^p + o(h^p)`` at fixed r (ours).

    ``A_FD = A_AD + h^p B + o(h^p)`` and ``σ̇_k = u_k^T B v_k`` give ``c = -Σ_k ṗ_k log p_k``,
    ``ṗ_k = q p_k (σ̇_k/σ_k - Σ_j p_j σ̇_j/σ_j)``.

    Hypotheses, of which only ``σ_r > 0`` can be checked here: r the same for both, ``σ_r > σ_{r+1}`` (else
    the top r are not differentiable as a set). Clusters within the top r are harmless: c only needs the
    trace of ``U^T B V`` over each, whatever bases the singular vectors are.

    Args:
        sigma: singular values of ``A_AD``, descending, at least r of them.
        sigma_dot: ``u_k^T B v_k`` in the same order and type.
        r: the cut-off number.
        power: q.
        log: the logarithm.

    Raises:
        InputError: fewer than r values in either, or ``σ_r`` not certainly positive.
    """
    values, rates = spectrum_list(sigma), list(sigma_dot)
    if len(rates) < r:
        raise InputError(f"sigma_dot: {len(rates)} values with r = {r}; allowed: at least r")
    p = probabilities(values, r, power)
    if not values[r - 1] > 0:
        raise InputError(f"sigma[{r - 1}]: {values[r - 1]} is not certainly positive; the expansion needs σ_r > 0")
    return -power * covariance(p, [rates[k] / values[k] for k in range(r)], [log(x) for x in p])


def covariance(p: Iterable[Number], f: Iterable[Number], g: Iterable[Number]) -> Number:
    """``Cov_p(f, g) = Σ p_k (f_k - f̄)(g_k - ḡ)`` for probabilities ``p``, in centred form."""
    ps, fs, gs = list(p), list(f), list(g)
    if not len(ps) == len(fs) == len(gs) or not ps:
        raise InputError(f"p, f, g: lengths {len(ps)}, {len(fs)}, {len(gs)}; allowed: equal and at least 1")

    def mean(x: list[Number]) -> Number:
        return sum((times(a, b) for a, b in zip(ps[1:], x[1:], strict=True)), times(ps[0], x[0]))

    f_mean, g_mean = mean(fs), mean(gs)
    return mean([(a - f_mean) * (b - g_mean) for a, b in zip(fs, gs, strict=True)])


def covariance_gap(
    p: Iterable[Number],
    f: Iterable[Number],
    power: Power = 1,
    constant: Fraction = Fraction(-1, 12),
    log: Callable[[Number], Number] = natural_log,
) -> Number:
    """The coefficient of ``h^s`` in ``H_FD - H_AD`` for sine features: ``-q c Cov_p(f, log p)`` (ours).

    Under the sine factorisation ``A_FD = A_AD diag(m(h w_j))`` with ``m = 1 + c h^s g(w) + …``, where
    ``g(w) = w^s`` in one dimension, ``σ̇_k / σ_k = c f_k`` with ``f_k = v_k^T diag(g(w)) v_k``; so the sign
    of the gap is the sign of a covariance. The default constant is that of the central second difference (s
    = 2), for which the gap is ``+q (h^2/12) Cov_p(f, log p)``; of a
    symmetric stencil with the truncation error ``e h^s u^(m+s)`` it is ``e i^s``.

    Args:
        p: probabilities of the top r singular values of ``A_AD``.
        f: ``f_k``, same length and type.
        power: q.
        constant: c, exact.
        log: the logarithm.
    """
    ps = list(p)
    value = covariance(ps, list(f), [log(x) for x in ps])
    return -power * constant.numerator * value / constant.denominator
