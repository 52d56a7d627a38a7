r"""Majorisation of spectra, and the entropy order that it decides for every power and every Rényi order.

For real vectors with equal sums, x *majorises* y (``y ≺ x``) when every sum of the k largest entries of x is
at least that of y. Shannon and Rényi entropies are Schur-concave, so ``p' ≺ p`` gives ``H(p') >= H(p)``.
Source: A. W. Marshall, I. Olkin and B. C. Arnold, *Inequalities: Theory of Majorization and Its Applications*
(2nd ed. 2011): definition 1.A.1, entropy 3.D.1, ratios 5.B.1, log-majorisation 5.A.

Comparisons are exact for floats, integers and fractions. Balls and intervals may leave one undecided; then
the answer is ``None``, never a guess. Standard library alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from fractions import Fraction
from itertools import accumulate, pairwise
from operator import mul

from theory.entropy import Number, spectrum_list
from theory.errors import InputError


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


def log_majorises(x: Iterable[Number], y: Iterable[Number]) -> bool | None:
    """Whether x log-majorises y: equal products, and the products of the k largest nowhere smaller.

    For a square matrix the singular values log-majorise the moduli of the eigenvalues (H. Weyl, *Inequalities
    between the two kinds of eigenvalues of a linear transformation*, PNAS 35 (1949) 408). Log-majorisation
    gives ``Σ x >= Σ y`` and does *not* order the entropies of the normalised vectors.

    Args:
        x: positive values.
        y: as many positive values.

    Returns:
        ``True`` or ``False`` where proven, ``None`` where undecided.

    Raises:
        InputError: different lengths, or values that are not certainly positive.
    """
    xs, ys = _exact(x), _exact(y)
    if len(xs) != len(ys):
        raise InputError(f"x, y: lengths {len(xs)} and {len(ys)}; allowed: equal")
    if not all(value > 0 for value in (*xs, *ys)):
        raise InputError("x, y: a value is not certainly positive; allowed: positive values")
    pairs = list(zip(accumulate(_descending(xs), mul), accumulate(_descending(ys), mul), strict=True))
    if not pairs:
        return True
    if any(a < b for a, b in pairs) or pairs[-1][0] > pairs[-1][1]:
        return False
    return True if all(a >= b for a, b in pairs) and pairs[-1][0] <= pairs[-1][1] else None


def renyi_entropy(p: Iterable[Number], order: int, log: Callable[[Number], Number]) -> Number:
    """``log(Σ p_k^α) / (1 - α)`` for an integer α >= 2; Schur-concave, as Shannon's is.

    Raises:
        InputError: an order below 2 (1 is :func:`theory.entropy.shannon_entropy`).
    """
    if order < 2:
        raise InputError(f"order: {order}; allowed: an integer of at least 2")
    values = list(p)
    return log(sum((x**order for x in values[1:]), values[0] ** order)) / (1 - order)


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
