"""The polynomials in the derivatives of tanh and sech, as exact integers."""

from __future__ import annotations

from functools import cache


@cache
def tanh_cofactor(order: int) -> tuple[tuple[int, ...], int]:
    """``(q, e)`` with ``tanh⁽ᵒʳᵈᵉʳ⁾ = s · t^e · Σ q_k s^k``, ``t = tanh``, ``s = 1 − t²``, order ≥ 1.

    With ``t' = s`` and ``s' = −2 t s`` the polynomial keeps the parity of the order in t.

    >>> tanh_cofactor(1), tanh_cofactor(2), tanh_cofactor(3)
    (((1,), 0), ((-2,), 1), ((4, -6), 0))
    """
    if order == 1:
        return (1,), 0
    q, e = tanh_cofactor(order - 1)
    if e == 0:
        # (s Σ q_k s^k)' = Σ (k+1) q_k s^k · (−2 t s)
        return tuple(-2 * (k + 1) * c for k, c in enumerate(q)), 1
    # (t Σ q_k s^{k+1})' = s Σ q_k s^{k+1} − 2 (1 − s) s Σ (k+1) q_k s^k
    new = [0] * (len(q) + 1)
    for k, c in enumerate(q):
        new[k] += -2 * (k + 1) * c
        new[k + 1] += c + 2 * (k + 1) * c
    return tuple(new), 0


@cache
def sech_cofactor(order: int) -> tuple[tuple[int, ...], int]:
    """``(q, e)`` with ``sech⁽ᵒʳᵈᵉʳ⁾ = sech · t^e · Σ q_k s^k``, notation of :func:`tanh_cofactor`.

    >>> sech_cofactor(1), sech_cofactor(2)
    (((-1,), 1), ((1, -2), 0))
    """
    if order == 0:
        return (1,), 0
    q, e = sech_cofactor(order - 1)
    if e == 0:
        # (sech Σ q_k s^k)' = −t sech Σ (2k+1) q_k s^k
        return tuple(-(2 * k + 1) * c for k, c in enumerate(q)), 1
    # (sech t Σ q_k s^k)' = sech [s Σ q_k s^k − (1 − s) Σ (2k+1) q_k s^k]
    new = [0] * (len(q) + 1)
    for k, c in enumerate(q):
        new[k] += -(2 * k + 1) * c
        new[k + 1] += c + (2 * k + 1) * c
    return tuple(new), 0
