"""Activations in torch with all their derivatives: jets in closed form, and in the caller's own buffers.

Derivatives of activations in the caller's own buffers, for training loops: no memory is allocated.

Fresh memory costs more than the arithmetic here: a loop that allocates is several times slower. Constant factors are
returned beside the arrays, for the caller to apply to small ones. Called with ``exact`` these forms give torch's own σ
and the σ' that reverse mode derives from it, as the finite-difference path and boundary rows need.

Activations and their derivatives σ, σ', …, σ⁽ⁿ⁾ in torch, by closed recurrences (Taylor-mode differentiation).

A jet costs one transcendental function and a few multiplications, where nested autodiff pays for each order
again. The forms keep relative accuracy where the derivatives decay (``1 − tanh²`` comes from the exponential, not
from a subtraction). That is allowed on the autodiff path only: the finite-difference path calls σ itself as torch
has it, since another σ would move the round-off floor that is under study.

Expressions in ``z`` have no closed jet here; :func:`numerics.networks.symbolic.torch_activation` turns symbolic
derivatives into a jet.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from theory.base.errors import InputError


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


Scratch = Callable[[int], Tensor]
"""``scratch(k)``: the k-th buffer of the shape of z, owned by the caller and used again at the next call."""
Scaled = tuple[Tensor, float]
"""A tensor and a number that multiplies it: constant factors are left to the caller's small arrays."""
Fill = Callable[[Tensor, tuple[int, ...], Scratch, bool], dict[int, Scaled]]
"""Derivatives of the orders asked for, in the caller's buffers, ``z`` included: no memory is allocated.

Errors are a few ulp of the largest value, without the relative accuracy of the jets in the tails.
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


Jet = Callable[[Tensor, int], list[Tensor]]
"""``jet(z, n)``: the list ``[σ(z), σ'(z), …, σ⁽ⁿ⁾(z)]``."""

_SQRT_2PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class TorchActivation:
    """An activation for torch.

    Attributes:
        name: as in :mod:`theory.features.activations`.
        value: σ itself, one call of torch where there is one (what a user's network would call).
        jet: σ and its derivatives up to any order.
        fill: an in-place form for training loops (see :data:`Fill`), or None.
        gain: ``fill`` takes ``gain · z`` unless it is called with ``exact``.
    """

    name: str
    value: Callable[[Tensor], Tensor] = field(repr=False, compare=False)
    jet: Jet = field(repr=False, compare=False)
    fill: Fill | None = field(default=None, repr=False, compare=False)
    gain: float = 1.0

    def derivatives(self, z: Float[Tensor, "*s"], order: int) -> list[Float[Tensor, "*s"]]:
        """``[σ(z), …, σ⁽ᵒʳᵈᵉʳ⁾(z)]``."""
        if order < 0:
            raise InputError(f"derivative {order} of {self.name}: at least 0")
        return self.jet(z, order)

    def selected(
        self, z: Float[Tensor, "*s"], orders: tuple[int, ...], scratch: Scratch, exact: bool
    ) -> dict[int, Scaled]:
        """The derivatives of these orders, by ``fill`` where there is one; ``z`` (times ``gain``) is overwritten.

        Args:
            exact: orders 0 and 1 must be torch's own σ and the σ' that reverse mode derives from it.
        """
        if self.fill is not None and (not exact or max(orders) <= 1):
            return self.fill(z, orders, scratch, exact)
        if exact and max(orders) == 0:
            return {0: (self.value(z), 1.0)}
        jet = self.jet(z, max(orders))
        if exact:
            jet[0] = self.value(z)
        return {n: (jet[n], 1.0) for n in orders}


def _polynomial(coefficients: tuple[int, ...], s: Tensor) -> Tensor:
    """Horner's scheme, in place on one new tensor."""
    result = torch.full_like(s, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result.mul_(s).add_(c)
    return result


def tanh_and_square(z: Float[Tensor, "*s"]) -> tuple[Float[Tensor, "*s"], Float[Tensor, "*s"]]:
    """``tanh z`` and ``1 − tanh² z``, both to a few ulp relative: ``e = exp(−2|z|)``, ``s = 4e/(1+e)²``."""
    e = torch.exp(-2 * z.abs())
    s = 4 * e / (1 + e).square()
    return torch.tanh(z), s


def _tanh_like(z: Tensor, order: int, base: Tensor) -> list[Tensor]:
    t, s = tanh_and_square(z)
    out = [base]
    for n in range(1, order + 1):
        q, e = tanh_cofactor(n)
        term = _polynomial(q, s).mul_(s)
        out.append(term.mul_(t) if e else term)
    return out


def _tanh(z: Tensor, order: int) -> list[Tensor]:
    return _tanh_like(z, order, torch.tanh(z)) if order else [torch.tanh(z)]


def _sigmoid(z: Tensor, order: int) -> list[Tensor]:
    value = torch.sigmoid(z)
    if order == 0:
        return [value]
    jet = _tanh_like(z / 2, order, value)
    return [value] + [jet[n] * 0.5 ** (n + 1) for n in range(1, order + 1)]


def _softplus(z: Tensor, order: int) -> list[Tensor]:
    # log(1 + e^z) without torch's threshold, which drops e^{-z} beyond z = 20.
    value = z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    return [value, *_sigmoid(z, order - 1)] if order else [value]


def _times_z(jet: list[Tensor], z: Tensor) -> list[Tensor]:
    """Derivatives of ``z g(z)`` from those of g (Leibniz)."""
    return [z * jet[0]] + [z * jet[n] + n * jet[n - 1] for n in range(1, len(jet))]


def _silu(z: Tensor, order: int) -> list[Tensor]:
    return _times_z(_sigmoid(z, order), z)


def _hermite(z: Tensor, order: int) -> list[Tensor]:
    """Probabilists' Hermite polynomials He_0 … He_order by their three-term recurrence."""
    out = [torch.ones_like(z), z.clone()]
    for n in range(1, order):
        out.append(z * out[n] - n * out[n - 1])
    return out[: order + 1]


def _gaussian(z: Tensor, order: int) -> list[Tensor]:
    value = torch.exp(-z.square() / 2)
    return [polynomial * value * (-1) ** n for n, polynomial in enumerate(_hermite(z, order))]


def _erf(z: Tensor, order: int) -> list[Tensor]:
    value = torch.erf(z)
    if order == 0:
        return [value]
    # d/dz erf = 2/√π exp(−z²), and exp(−z²) is the bump at √2 z.
    root = math.sqrt(2.0)
    bump = torch.exp(-z.square())
    polynomials = _hermite(root * z, order - 1)
    return [value] + [polynomials[n] * bump * ((-root) ** n * 2 / _SQRT_PI) for n in range(order)]


def _gelu(z: Tensor, order: int) -> list[Tensor]:
    # torch.special.ndtr is ½(1 + erf) and loses the lower tail; erfc keeps it.
    cdf = torch.erfc(z * -math.sqrt(0.5)) / 2
    jet = [cdf] + [g / _SQRT_2PI for g in (_gaussian(z, order - 1) if order else [])]
    return _times_z(jet, z)


def _sin(z: Tensor, order: int) -> list[Tensor]:
    return _cycle(torch.sin(z), torch.cos(z), order)


def _cos(z: Tensor, order: int) -> list[Tensor]:
    return _cycle(torch.cos(z), -torch.sin(z), order)


def _cycle(value: Tensor, slope: Tensor, order: int) -> list[Tensor]:
    return [(value, slope, -value, -slope)[n % 4] for n in range(order + 1)]


def _exp(z: Tensor, order: int) -> list[Tensor]:
    return [torch.exp(z)] * (order + 1)


def _sech_value(z: Tensor) -> Tensor:
    # 2 e^{−|z|}/(1 + e^{−2|z|}) does not overflow where cosh does.
    e = torch.exp(-z.abs())
    return 2 * e / (1 + e.square())


def _sech(z: Tensor, order: int) -> list[Tensor]:
    value = _sech_value(z)
    out = [value]
    if order:
        t, s = tanh_and_square(z)
        for n in range(1, order + 1):
            q, e = sech_cofactor(n)
            term = _polynomial(q, s).mul_(value)
            out.append(term.mul_(t) if e else term)
    return out


def _relu_power(power: int) -> Jet:
    def jet(z: Tensor, order: int) -> list[Tensor]:
        # Pointwise, 0 at the kink, as autodiff has it; the distributions on the kink are not seen.
        positive = z.clamp(min=0)
        mask = (z > 0).to(z)
        out = []
        for n in range(order + 1):
            if n > power:
                out.append(torch.zeros_like(z))
            else:
                factor = math.factorial(power) // math.factorial(power - n)
                out.append(mask * factor if n == power else positive ** (power - n) * factor)
        return out

    return jet


def _first(jet: Jet) -> Callable[[Tensor], Tensor]:
    return lambda z: jet(z, 0)[0]


_NAMED: dict[str, TorchActivation] = {
    a.name: a
    for a in (
        TorchActivation("sin", torch.sin, _sin, trigonometric(0)),
        TorchActivation("cos", torch.cos, _cos, trigonometric(1)),
        TorchActivation("exp", torch.exp, _exp, exp),
        TorchActivation("tanh", torch.tanh, _tanh, tanh, 2.0),
        TorchActivation("sigmoid", torch.sigmoid, _sigmoid),
        TorchActivation("softplus", _first(_softplus), _softplus),
        TorchActivation("silu", torch.nn.functional.silu, _silu),
        TorchActivation("sech", _sech_value, _sech),
        TorchActivation("gaussian", _first(_gaussian), _gaussian, gaussian),
        TorchActivation("erf", torch.erf, _erf, erf),
        TorchActivation("gelu", torch.nn.functional.gelu, _gelu),
        TorchActivation("step", _first(_relu_power(0)), _relu_power(0)),
        TorchActivation("relu", torch.relu, _relu_power(1)),
        TorchActivation("relu2", _first(_relu_power(2)), _relu_power(2)),
        TorchActivation("relu3", _first(_relu_power(3)), _relu_power(3)),
        TorchActivation("relu4", _first(_relu_power(4)), _relu_power(4)),
    )
}


def names() -> tuple[str, ...]:
    """The activations that have a closed jet here."""
    return tuple(_NAMED)


def activation(name: str) -> TorchActivation:
    """The activation of that name.

    Raises:
        InputError: it has no closed jet here.

    >>> [float(d) for d in activation("tanh").derivatives(torch.zeros((), dtype=torch.float64), 3)]
    [0.0, 1.0, -0.0, -2.0]
    """
    if name not in _NAMED:
        raise InputError(f"activation: {name!r}; allowed: {', '.join(_NAMED)}")
    return _NAMED[name]
