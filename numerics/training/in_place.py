"""Derivatives of activations in the caller's own buffers, for training loops: no memory is allocated.

Fresh memory costs more than the arithmetic here: a loop that allocates is several times slower. Constant factors are
returned beside the arrays, for the caller to apply to small ones. Called with ``exact`` these forms give torch's own σ
and the σ' that reverse mode derives from it, as the finite-difference path and boundary rows need.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from numerics.training.cofactors import tanh_cofactor

Scratch = Callable[[int], Tensor]
"""``scratch(k)``: the k-th buffer of the shape of z, owned by the caller and used again at the next call."""
Scaled = tuple[Tensor, float]
"""A tensor and a number that multiplies it: constant factors are left to the caller's small arrays."""
Fill = Callable[[Tensor, tuple[int, ...], Scratch, bool], dict[int, Scaled]]
"""Derivatives of the orders asked for, in the caller's buffers, ``z`` included: no memory is allocated.

Errors are a few ulp of the largest value, without the relative accuracy of the towers in the tails.
"""

_SQRT_PI = math.sqrt(math.pi)


def tanh(z: Tensor, orders: tuple[int, ...], scratch: Scratch, exact: bool) -> dict[int, Scaled]:
    """All from ``p = 1/(1 + e^{−2z})``, given 2z: ``t = 2p − 1`` and ``s = 1 − t² = 4y``, ``y = p − p²``.

    Few passes over memory, and one exponential, where ``torch.tanh`` costs three. For autodiff alone: it moves the
    rounding of σ, so ``exact`` calls ``torch.tanh``.
    """
    if exact:
        t = torch.tanh(z, out=z)
        out: dict[int, Scaled] = {0: (t, 1.0)}
        if 1 in orders:
            out[1] = (torch.addcmul(_one(t), t, t, value=-1, out=scratch(0)), 1.0)
        return out
    p = z.sigmoid_()
    y = torch.addcmul(p, p, p, value=-1, out=scratch(0))
    out = {}
    free = 1
    if 0 in orders:
        out[0] = (torch.add(_one(p), p, alpha=-2, out=scratch(free)), -1.0)
        free += 1
    # The odd powers of t come first, for they need p; the last of each kind takes over the buffer of p or y.
    odd = [n for n in orders if n and tanh_cofactor(n)[1]]
    even = [n for n in orders if n and not tanh_cofactor(n)[1]]
    for kind, store in ((odd, p), (even, y)):
        for n in kind:
            if n == kind[-1]:
                target = store
            else:
                target, free = scratch(free), free + 1
            # s t^e Σ q_k s^k with s = 4y: the leading coefficient is split off, the others are exact multiples.
            q = tanh_cofactor(n)[0]
            scale = 4.0 * q[0]
            ratios = [c * 4.0**k / q[0] for k, c in enumerate(q)]
            base = y
            if len(ratios) == 2:
                base = torch.addcmul(y, y, y, value=ratios[1], out=target if kind is even else scratch(free))
            elif len(ratios) > 2:
                base = torch.mul(y, ratios[-1], out=scratch(free))
                for c in reversed(ratios[:-1]):
                    base.add_(c).mul_(y)
            if kind is odd:
                # t = −(1 − 2p)
                torch.addcmul(base, base, p, value=-2, out=target)
                scale = -scale
            elif base is not target:
                target.copy_(base)
            out[n] = (target, scale)
    return out


def _one(like: Tensor) -> Tensor:
    return _ones(like.dtype, like.device)


@cache
def _ones(dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return torch.ones((), dtype=dtype, device=device)


def trigonometric(phase: int) -> Fill:
    """sin (phase 0) or cos (phase 1): derivatives of any order are one of the two with a sign."""

    def fill(z: Tensor, orders: tuple[int, ...], scratch: Scratch, exact: bool) -> dict[int, Scaled]:
        kinds = {(n + phase) % 2 for n in orders}
        made: dict[int, Tensor] = {}
        if kinds == {0, 1}:
            made[0] = torch.sin(z, out=scratch(0))
            made[1] = torch.cos(z, out=z)
        elif kinds == {0}:
            made[0] = torch.sin(z, out=z)
        else:
            made[1] = torch.cos(z, out=z)
        return {n: (made[(n + phase) % 2], 1.0 if (n + phase) % 4 < 2 else -1.0) for n in orders}

    return fill


def exp(z: Tensor, orders: tuple[int, ...], scratch: Scratch, exact: bool) -> dict[int, Scaled]:
    """The exponential, its own derivative of every order."""
    torch.exp(z, out=z)
    return dict.fromkeys(orders, (z, 1.0))


def _hermite_functions(
    z: Tensor, bump: Tensor, first: int, spread: float, wanted: set[int], scratch: Scratch, free: int
) -> dict[int, Tensor]:
    """``h_n``, ``h_{n+1} = spread (z h_n − n h_{n−1})`` from ``h_0 = bump``, stored under ``n + first``."""
    made = {first: bump}
    last = max(wanted)
    for n in range(last - first):
        target = scratch(free)
        free += 1
        if n == 0:
            torch.mul(z, bump, out=target)
        else:
            torch.mul(made[first + n - 1], -float(n), out=target).addcmul_(z, made[first + n])
        made[first + n + 1] = target.mul_(spread) if spread != 1 else target
    return made


def gaussian(z: Tensor, orders: tuple[int, ...], scratch: Scratch, exact: bool) -> dict[int, Scaled]:
    """``exp(−z²/2)`` by Hermite functions."""
    bump = torch.mul(z, z, out=scratch(0)).mul_(-0.5).exp_()
    made = _hermite_functions(z, bump, 0, 1.0, set(orders), scratch, 1)
    return {n: (made[n], (-1.0) ** n) for n in orders}


def erf(z: Tensor, orders: tuple[int, ...], scratch: Scratch, exact: bool) -> dict[int, Scaled]:
    """The error function; its derivatives are Hermite functions."""
    out: dict[int, Scaled] = {}
    if 0 in orders:
        out[0] = (torch.erf(z, out=scratch(0)), 1.0)
    slopes = {n for n in orders if n}
    if slopes:
        bump = torch.mul(z, z, out=scratch(1)).neg_().exp_()
        made = _hermite_functions(z, bump, 1, 2.0, slopes, scratch, 2)
        out |= {n: (made[n], (-1.0) ** (n - 1) * 2 / _SQRT_PI) for n in slopes}
    return out
