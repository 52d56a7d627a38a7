"""How far the entropies of two spectra can be apart: continuity bounds, and bounds without a cut-off number.

Two families. *Continuity*: the distance ``T = ½ ‖p - p'‖_1`` of the probabilities bounds the gap (Fannes and
Audenaert), and the singular values bound T (Mirsky). *Factors*: where ``d_min σ_k <= σ'_k <= d_max σ_k`` at
every index, as the sine factorisation ``A_FD = A_AD diag(m(h w_j))`` gives it (Ostrowski; d_min, d_max the
least and the greatest ``|m|``), the probabilities have bounded ratios and the gap is bounded with no matrix
norm at all.

All functions are generic in the number type, as in :mod:`theory.entropy.entropy`; with balls or intervals as input
they return proven bounds, if distances are given as upper bounds. Natural logarithms. Standard library
alone.

Majorisation of spectra, and the entropy order that it decides for every power and every Rényi order.

For real vectors with equal sums, x *majorises* y (``y ≺ x``) when every sum of the k largest entries of x is
at least that of y. Shannon and Rényi entropies are Schur-concave, so ``p' ≺ p`` gives ``H(p') >= H(p)``.
Source: A. W. Marshall, I. Olkin and B. C. Arnold, *Inequalities: Theory of Majorization and Its Applications*
(2nd ed. 2011): definition 1.A.1, entropy 3.D.1, ratios 5.B.1, log-majorisation 5.A.

Comparisons are exact for floats, integers and fractions. Balls and intervals may leave one undecided; then
the answer is ``None``, never a guess. Standard library alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from enum import Enum
from fractions import Fraction
from itertools import accumulate, pairwise

from theory.base.errors import InputError
from theory.entropy.conventions import Power
from theory.entropy.entropy import Number, natural_log, spectrum_list, times


def fannes_audenaert(
    distance: Number, r: int, log: Callable[[Number], Number] = natural_log, *, exact: bool = False
) -> Number:
    """The sharp continuity bound ``|H - H'| <= T log(r-1) + h₂(T)``, ``h₂`` the binary entropy.

    Source: K. M. R. Audenaert, *A sharp continuity estimate for the von Neumann entropy*, J. Phys. A 40
    (2007) 8127, eq. (6); classical case: Z. Zhang, IEEE Trans. Inf. Theory 53 (2007) 3280. It is attained by
    ``p = (1, 0, …)`` and ``p' = (1 - T, T/(r-1), …)``.

    The right-hand side increases up to ``T = 1 - 1/r`` only, where it is ``log r``. So an upper bound on T
    may replace T while it is at most ``1 - 1/r``; beyond, or when that is undecided, the answer is ``log
    r``.

    Args:
        distance: an upper bound on ``T = ½ ‖p - p'‖_1``.
        r: the length of the longer probability vector, the other padded with zeros.
        log: the logarithm.
        exact: ``distance`` is T itself, not a bound: the formula then holds on all of [0, 1].

    Raises:
        InputError: r < 1, a negative distance, or above 1 with ``exact``.
    """
    if r < 1:
        raise InputError(f"r: {r}; allowed: at least 1")
    if distance < 0 or (exact and distance > 1):
        raise InputError(f"distance: {distance}; allowed: 0 <= T <= 1")
    zero = distance * 0
    if r == 1 or distance == 0:
        return log(zero + 1)
    if exact and distance == 1:
        return log(zero + (r - 1))
    if not exact and not distance * r <= r - 1:
        return log(zero + r)
    rest = 1 - distance
    return times(distance, log(zero + (r - 1)) - log(distance)) - times(rest, log(rest))


def total_variation(p: Iterable[Number], other: Iterable[Number]) -> Number:
    """``½ ‖p - p'‖_1``, the shorter vector padded with zeros.

    >>> total_variation([Fraction(1, 2), Fraction(1, 2)], [Fraction(1)])
    Fraction(1, 2)
    """
    ps, qs = list(p), list(other)
    if not ps or not qs:
        raise InputError("p: an empty probability vector; allowed: at least one entry")
    n, zero = max(len(ps), len(qs)), ps[0] * 0
    ps, qs = ps + [zero] * (n - len(ps)), qs + [zero] * (n - len(qs))
    return sum((abs(a - b) for a, b in zip(ps, qs, strict=True)), zero) / 2


def mirsky_distance(nuclear: Number, total: Number, other_total: Number, dropped: Number = 0) -> Number:
    """A bound on T for power 1 from the singular values: ``T <= (‖A - A'‖_* + dropped) / max(S, S')``.

    ``S = Σ_{k<=r} σ_k``, and ``Σ_k |σ_k - σ'_k| <= ‖A - A'‖_*`` (L. Mirsky, *Symmetric gauge functions and
    unitarily invariant norms*, Quart. J. Math. 11 (1960) 50, theorem 5). Where the two cut-off numbers r < r'
    differ, ``dropped`` is ``Σ_{r<k<=r'} σ_k`` of the spectrum that stops at r; without it the bound is false.

    Args:
        nuclear: an upper bound on ``‖A - A'‖_*``, or ``Σ_k |σ_k - σ'_k|`` itself.
        total: S, or a positive lower bound on it.
        other_total: S', likewise.
        dropped: see above; 0 where r = r'.

    Raises:
        InputError: neither total is certainly positive.
    """
    return (nuclear + dropped) / _larger(total, other_total)


def mirsky_distance_squares(frobenius: Number, norm: Number, other_norm: Number, dropped: Number = 0) -> Number:
    """A bound on T for power 2: ``T <= (‖A - A'‖_F (s + s') + dropped) / max(s² - dropped, s'²)``.

    ``s² = Σ_{k<=r'} σ_k²`` up to the larger cut-off number r', likewise s';
    ``Σ_k |σ_k² - σ'_k²| <= (Σ_k (σ_k - σ'_k)²)^½ (s + s')`` by Cauchy and Schwarz, and the first factor is
    at most ``‖A - A'‖_F`` (Mirsky 1960; Hoffman and Wielandt).

    Args:
        frobenius: an upper bound on ``‖A - A'‖_F``.
        norm: s, for the spectrum with the smaller cut-off number r.
        other_norm: s'.
        dropped: ``Σ_{r<k<=r'} σ_k²`` of the spectrum that stops at r; 0 where r = r'.

    Raises:
        InputError: neither of the two sums of squares is certainly positive.
    """
    larger = _larger(norm * norm - dropped, other_norm * other_norm)
    return (frobenius * (norm + other_norm) + dropped) / larger


def ratio_range(d_min: Number, d_max: Number, power: Power = 1) -> Number:
    """``ρ = (d_max/d_min)^q``: every ``p'_k / p_k`` lies in [1/ρ, ρ] (ours).

    Hypotheses: ``d_min σ_k <= σ'_k <= d_max σ_k`` for all k <= r, the same r for both, d_min > 0.

    Raises:
        InputError: ``d_min`` not certainly positive, or certainly above ``d_max``.

    >>> ratio_range(Fraction(1, 2), Fraction(1), 2)
    Fraction(4, 1)
    """
    if power not in (1, 2):
        raise InputError(f"power: {power!r} is not a power of the singular values; allowed: 1, 2")
    if not d_min > 0 or d_max < d_min:
        raise InputError(f"d_min, d_max: {d_min}, {d_max}; allowed: 0 < d_min <= d_max")
    ratio = d_max / d_min
    return ratio if power == 1 else ratio * ratio


def factor_distance(
    d_min: Number, d_max: Number, power: Power = 1, sqrt: Callable[[Number], Number] | None = None
) -> Number:
    """``T <= (√ρ - 1)/(√ρ + 1) = tanh(¼ log ρ)``, sharp, with ``ρ = (d_max/d_min)^q`` (ours).

    ``T = λ(1-λ)(b-a) / (λb + (1-λ)a)`` where mass λ has the factor b and the rest a is the extreme case; its
    maximum over λ is ``(√b - √a)/(√b + √a)``. Hypotheses as in :func:`ratio_range`.

    Args:
        d_min: the least factor, positive.
        d_max: the greatest factor.
        power: q; the result is rational in the factors for q = 2.
        sqrt: the square root, needed for q = 1; default: in the type given, rounded up for a ``Fraction``.
    """
    root = ratio_range(d_min, d_max, 1)
    if power == 1:
        root = (sqrt or upper_sqrt)(root)
    return (root - 1) / (root + 1)


def factor_gap_bound(
    r: int,
    d_min: Number,
    d_max: Number,
    power: Power = 1,
    log: Callable[[Number], Number] = natural_log,
    sqrt: Callable[[Number], Number] | None = None,
) -> Number:
    """``|H' - H| <= ½ log ρ · √(¼ log²(r-1) + 1)``, linear in ``log ρ``, for r >= 2 (ours).

    Proof: along ``p_t ∝ p e^{t g}``, ``g = q log(σ'_k/σ_k)``, ``dH/dt = -Cov_{p_t}(g, log p_t)``. The
    standard deviation of g is at most half its range (Popoviciu), ``½ log ρ``; the variance of ``log p_t``
    is below ``¼ log²(r-1) + 1`` (D. Reeb and M. M. Wolf, *Tight bound on relative entropy by entropy
    difference*, IEEE Trans. Inf. Theory 61 (2015) 1458). Hypotheses as in :func:`ratio_range`.

    Args:
        r: the cut-off number.
        d_min: the least factor, positive.
        d_max: the greatest factor.
        power: q.
        log: the logarithm.
        sqrt: the square root in the logarithm's type.

    Raises:
        InputError: r < 1, or factors that are not allowed.
    """
    rho = ratio_range(d_min, d_max, power)
    if r < 1:
        raise InputError(f"r: {r}; allowed: at least 1")
    epsilon = log(rho)
    if r == 1:
        return epsilon * 0
    width = log(rho * 0 + (r - 1)) / 2
    return epsilon * (sqrt or upper_sqrt)(width * width + 1) / 2


def entropy_gap_bound(
    entropy: Number,
    r: int,
    d_min: Number,
    d_max: Number,
    power: Power = 1,
    log: Callable[[Number], Number] = natural_log,
    sqrt: Callable[[Number], Number] | None = None,
) -> Number:
    """The least of the three bounds on ``|H' - H|`` under factors: entropy times ρ - 1, continuity, linear.

    Args:
        entropy: the *smaller* H if known, else either one (``|H' - H| <= (ρ - 1) min(H, H')``).
        r: the cut-off number of both.
        d_min: the least factor, positive.
        d_max: the greatest factor.
        power: q.
        log: the logarithm, whose type ``entropy`` has.
        sqrt: the square root in that type.
    """
    rho = ratio_range(d_min, d_max, power)
    least = times(rho - 1, entropy)
    for bound in (
        fannes_audenaert(factor_distance(d_min, d_max, power, sqrt), r, log),
        factor_gap_bound(r, d_min, d_max, power, log, sqrt),
    ):
        if bound < least:
            least = bound
    return least


def upper_sqrt(x: Number) -> Number:
    """The square root in the type of ``x``; of a ``Fraction`` an upper bound with 60 digits.

    >>> upper_sqrt(Fraction(9, 4))
    Fraction(3, 2)
    """
    if isinstance(x, Fraction):
        scale = 10**60
        square = x.numerator * x.denominator * scale * scale
        root = math.isqrt(square)
        return Fraction(root + (root * root < square), x.denominator * scale)
    if hasattr(x, "sqrt"):
        return x.sqrt()
    context = getattr(x, "context", None) or getattr(x, "ctx", None)
    return math.sqrt(x) if context is None else context.sqrt(x)


def _larger(a: Number, b: Number) -> Number:
    larger = a if a > b else b
    if not larger > 0:
        raise InputError(f"totals: {a}, {b}; allowed: one of them positive")
    return larger


class Order(Enum):
    """How two normalised spectra compare under majorisation."""

    FIRST_MAJORISES = "first majorises second"
    SECOND_MAJORISES = "second majorises first"
    EQUAL = "equal"
    INCOMPARABLE = "incomparable"
    UNDECIDED = "undecided"

    @property
    def entropy_sign(self) -> int | None:
        """The proven sign of ``H(second) - H(first)``, at least weakly; ``None`` where there is none."""
        return {Order.FIRST_MAJORISES: 1, Order.SECOND_MAJORISES: -1, Order.EQUAL: 0}.get(self)


class Monotone(Enum):
    """How the ratios of two spectra run with the index."""

    NON_DECREASING = "non-decreasing"
    NON_INCREASING = "non-increasing"
    CONSTANT = "constant"
    NEITHER = "neither"
    UNDECIDED = "undecided"


def majorises(x: Iterable[Number], y: Iterable[Number]) -> bool | None:
    """Whether x majorises y: equal sums, and the partial sums of the sorted x are nowhere smaller.

    Args:
        x: a finite real vector, in any order; the shorter of the two is padded with zeros.
        y: the other one.

    Returns:
        ``True`` or ``False`` where proven, ``None`` where balls or intervals leave it undecided.

    >>> majorises([Fraction(2, 3), Fraction(1, 3)], [Fraction(1, 2), Fraction(1, 2)])
    True
    """
    xs, ys = _padded(x, y)
    xs, ys = _descending(xs), _descending(ys)
    pairs = list(zip(accumulate(xs), accumulate(ys), strict=True))
    if not pairs:
        return True
    if any(a < b for a, b in pairs) or pairs[-1][0] > pairs[-1][1]:
        return False
    return True if all(a >= b for a, b in pairs) and pairs[-1][0] <= pairs[-1][1] else None


def majorisation_order(first: Iterable[Number], second: Iterable[Number]) -> Order:
    """The order of two non-negative spectra after each is divided by its sum, with no division.

    Args:
        first: non-negative values, not all zero, in descending order.
        second: the other spectrum, of any length.

    Raises:
        InputError: values that are negative or increasing, or a sum that is not certainly positive.

    >>> majorisation_order([4, 1], [3, 2])
    <Order.FIRST_MAJORISES: 'first majorises second'>
    >>> majorisation_order([4, 1], [3, 2]).entropy_sign
    1
    """
    xs, ys = _padded(spectrum_list(first), spectrum_list(second))
    sums, others = list(accumulate(xs)), list(accumulate(ys))
    if not sums or not sums[-1] > 0 or not others[-1] > 0:
        raise InputError("spectrum: its sum is not certainly positive; allowed: values not all zero")
    # The last pair is an identity; leaving it out keeps balls decidable.
    pairs = [(a * others[-1], b * sums[-1]) for a, b in zip(sums[:-1], others[:-1], strict=True)]
    if all(a <= b and a >= b for a, b in pairs):
        return Order.EQUAL
    if all(a >= b for a, b in pairs):
        return Order.FIRST_MAJORISES
    if all(a <= b for a, b in pairs):
        return Order.SECOND_MAJORISES
    if any(a > b for a, b in pairs) and any(a < b for a, b in pairs):
        return Order.INCOMPARABLE
    return Order.UNDECIDED


def ratio_monotone(first: Iterable[Number], second: Iterable[Number]) -> Monotone:
    """How ``second_k / first_k`` runs with k, by cross-multiplication.

    Args:
        first: positive values.
        second: as many non-negative values.

    Raises:
        InputError: different lengths, or a first value that is not certainly positive.
    """
    xs, ys = _exact(first), _exact(second)
    if len(xs) != len(ys) or not xs:
        raise InputError(f"spectra: lengths {len(xs)} and {len(ys)}; allowed: equal and at least 1")
    if not all(x > 0 for x in xs):
        raise InputError("first: a value is not certainly positive; allowed: positive values")
    pairs = [(b * x, y * a) for (x, y), (a, b) in pairwise(zip(xs, ys, strict=True))]
    rises, falls = all(b >= a for b, a in pairs), all(b <= a for b, a in pairs)
    if rises and falls:
        return Monotone.CONSTANT
    if rises:
        return Monotone.NON_DECREASING
    if falls:
        return Monotone.NON_INCREASING
    if any(b > a for b, a in pairs) and any(b < a for b, a in pairs):
        return Monotone.NEITHER
    return Monotone.UNDECIDED


def ratio_order(first: Iterable[Number], second: Iterable[Number]) -> Order:
    """Majorisation from monotone ratios (Marshall, Olkin and Arnold 2011, proposition 5.B.1).

    Both spectra positive and in descending order *at the same indices*: ``second_k / first_k``
    non-decreasing in k gives second ≺ first, non-increasing first ≺ second. The order of both is a
    hypothesis: without it a large last ratio reverses the conclusion, (1, 1/10) and (1, 10000) for instance.

    Args:
        first: positive, descending (checked: an increase raises).
        second: positive, descending, as many values.

    Returns:
        the order proven by this criterion; ``UNDECIDED`` where it does not apply (it is sufficient only).

    Raises:
        InputError: values that are negative or increasing, or different lengths.
    """
    xs, ys = spectrum_list(first), spectrum_list(second)
    if not all(y > 0 for y in ys):
        return Order.UNDECIDED
    return {
        Monotone.NON_DECREASING: Order.FIRST_MAJORISES,
        Monotone.NON_INCREASING: Order.SECOND_MAJORISES,
        Monotone.CONSTANT: Order.EQUAL,
    }.get(ratio_monotone(xs, ys), Order.UNDECIDED)


def _exact(values: Iterable[Number]) -> list[Number]:
    """Floats and integers as fractions; other types as they are."""
    tolist = getattr(values, "tolist", None)
    listed = list(values) if tolist is None else tolist()
    result = []
    for value in listed:
        if isinstance(value, int | float) or (not isinstance(value, Fraction) and hasattr(value, "dtype")):
            try:
                value = Fraction(value if isinstance(value, int) else float(value))
            except (OverflowError, ValueError):
                raise InputError(f"values: {value}; allowed: finite numbers") from None
        result.append(value)
    return result


def _padded(x: Iterable[Number], y: Iterable[Number]) -> tuple[list[Number], list[Number]]:
    xs, ys = _exact(x), _exact(y)
    both = xs or ys
    n, zero = max(len(xs), len(ys)), both[0] * 0 if both else 0
    return xs + [zero] * (n - len(xs)), ys + [zero] * (n - len(ys))


def _descending(values: list[Number]) -> list[Number]:
    """Sorted from the largest; balls whose order is undecided are refused, since any guess could be wrong."""
    result = sorted(values, reverse=True)
    if not all(a >= b for a, b in pairwise(result)):
        raise InputError("values: balls that overlap; allowed: values whose order is certain")
    return result
