"""Truncated entropies of exactly solvable spectra, infinite ones too, under any convention, and the sign of their gap (ours).

Under every rule the cut-off number of an infinite spectrum depends on finitely many eigenvalues and on the sum of the
others, which a geometric tail bounds: what is listed decides it, or more is listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Convention
from theory.entropy.entropy import EntropyValue, cutoff_range
from theory.solvable.model import (
    GUARD,
    GapSign,
    Interval,
    Listed,
    Method,
    SolvableSpectrum,
    bounds,
    checked_step,
    interval_context,
    lift,
    listed_entropy,
)


def truncated_entropy(
    spectrum: SolvableSpectrum, method: Method, h: Fraction | None, convention: Convention, digits: int = 20
) -> EntropyValue:
    """As :func:`theory.entropy.entropy.truncated_entropy`, the value as :class:`Enclosure`, the cut-off number proven.

    Args:
        spectrum: the model; its singular values are the square roots of its eigenvalues.
        method: ``"ad"`` or ``"fd"``.
        h: the step, for ``fd``.
        convention: any rule; for infinitely many values energy needs τ > 0.
        digits: at which the search starts; raised until the cut-off is decided.

    Raises:
        InputError: arguments that are not allowed.
        PrecisionCapError: the cut-off is not decided at eight times the digits (a tie, for instance).
    """
    count, used = convention.rank or 16, digits
    endless = spectrum.listed(method, h, 1, digits).tail is not None
    if endless and convention.rule == "energy" and convention.tau == 0:
        raise InputError("tau: 0 with rule 'energy' and infinitely many values; allowed: 0 < τ < 1")
    while True:
        try:
            listed = spectrum.listed(method, h, count if endless else 1, used)
            r = _cutoff(listed, convention, used)
            return _entropy(listed, r, convention, used)
        except PrecisionCapError:
            if used >= 8 * digits:
                raise
            count, used = 2 * count, 2 * used


def _cutoff(listed: Listed, convention: Convention, digits: int) -> int:
    context = interval_context(digits + GUARD)
    floor = Fraction(0) if listed.tail is None else listed.tail.first
    sure = sum(1 for value in listed.values if value.lower >= floor) * listed.multiplicity
    if not sure:
        raise PrecisionCapError("no eigenvalue is certainly above those that were not listed")
    if convention.rule == "energy":
        return _energy(context, listed, sure, convention)
    values = listed.largest(sure)
    sigma = [context.sqrt(lift(context, Enclosure(max(v.lower, Fraction(0)), v.upper))) for v in values]
    lower, upper = cutoff_range(sigma, convention)
    if lower != upper or (upper == sure and listed.tail is not None and convention.rule != "fixed"):
        raise PrecisionCapError(f"the cut-off ({convention.label}) lies between {lower} and {upper} or beyond")
    if convention.rule == "fixed" and lower < (convention.rank or 0) and listed.tail is not None:
        raise PrecisionCapError(f"only {lower} singular values were enclosed for {convention.label}")
    return lower


def _energy(context: Any, listed: Listed, sure: int, convention: Convention) -> int:
    """The least r with ``Σ_{k>r} σ^q <= τ Σ σ^q``, the tail's mass between 0 and its bound.

    Sums run from the small values up, so that nothing cancels: with nothing left the rest is 0.
    """

    def weight(x: Interval) -> Interval:
        return x if convention.power == 2 else context.sqrt(x)

    rest = context.mpf(0)
    if listed.tail is not None:
        mass = weight(lift(context, listed.tail.first)) / (1 - weight(lift(context, listed.tail.ratio)))
        rest = context.mpf([0, (mass * listed.multiplicity).b])
    rests = [rest]
    # The k-th largest is between the k-th largest of the lower and of the upper ends.
    ends = zip(sorted(v.lower for v in listed.values), sorted(v.upper for v in listed.values), strict=True)
    for lower, upper in ends:
        value = weight(lift(context, Enclosure(max(lower, Fraction(0)), upper)))
        for _ in range(listed.multiplicity):
            rests.append(rests[-1] + value)
    rests.reverse()
    least = lift(context, convention.tau) * rests[0]
    for r in range(sure + 1):
        if rests[r] <= least:
            return r
        if not rests[r] > least:
            raise PrecisionCapError(f"the cut-off ({convention.label}) is at least {r} and not decided")
    raise PrecisionCapError(f"the cut-off ({convention.label}) is more than {sure}")


def _entropy(listed: Listed, r: int, convention: Convention, digits: int) -> EntropyValue:
    if r == 0:
        return EntropyValue(None, 0, f"no singular value passes the cut-off ({convention.label})")
    if r == 1:
        if convention.normalised:
            return EntropyValue(None, 1, "one singular value passes the cut-off: H / log r is 0/0")
        return EntropyValue(Enclosure(Fraction(0), Fraction(0)), 1)
    value = listed_entropy(listed, convention.power, r, digits)
    if convention.normalised:
        context = interval_context(digits + GUARD)
        value = bounds(lift(context, value) / context.log(context.mpf(r)))
    return EntropyValue(value, r)


@dataclass(frozen=True)
class TruncatedGap:
    """The entropies of K_AD and K_FD under a convention, and the sign of their difference.

    Attributes:
        ad, fd: values (enclosures, of about ``digits`` digits) and proven cut-off numbers.
        difference: encloses ``H_FD - H_AD``; ``None`` where an entropy is not defined.
        sign: proven, or ``None`` in it, with the route and the reason.
    """

    ad: EntropyValue
    fd: EntropyValue
    difference: Enclosure | None
    sign: GapSign


def truncated_gap(
    spectrum: SolvableSpectrum, h: Fraction, convention: Convention, digits: int = 15, most: int = 60
) -> TruncatedGap:
    """Both truncated entropies to about ``digits`` digits, and the sign of ``H_FD - H_AD``.

    Where the cut-off numbers agree, majorisation may decide (:meth:`SolvableSpectrum.gap_sign`): the factor 1/log r
    is common then; else enclosures do, to at most ``most`` digits.

    Raises:
        InputError: arguments that are not allowed.
        PrecisionCapError: a cut-off is not decided, or more eigenvalues or digits would be needed than the cap.
    """
    step, used = checked_step(h, "fd"), digits
    ad, fd = (truncated_entropy(spectrum, method, step, convention, used) for method in ("ad", "fd"))
    if ad.value is None or fd.value is None:
        reason = ad.reason or fd.reason or ""
        return TruncatedGap(ad, fd, None, GapSign(None, "undefined", reason))
    difference = fd.value - ad.value
    if difference.sign() is None and ad.cutoff == fd.cutoff:
        found = spectrum.gap_sign(step, power=convention.power, rank=ad.cutoff, digits=most)
        return TruncatedGap(ad, fd, difference, found)
    closer = difference
    while closer.sign() is None and used < most:
        used = min(2 * used, most)
        new = (truncated_entropy(spectrum, method, step, convention, used).value for method in ("ad", "fd"))
        one, other = new
        assert one is not None
        assert other is not None
        closer = other - one
    if closer.sign() is None:
        return TruncatedGap(ad, fd, difference, GapSign(None, "undecided", f"the enclosures overlap at {used} digits"))
    reason = f"H_FD - H_AD lies in [{float(closer.lower):.6g}, {float(closer.upper):.6g}]"
    return TruncatedGap(ad, fd, difference, GapSign(closer.sign(), "enclosures", reason))
