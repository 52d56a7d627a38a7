"""Residuals of a batch of two-layer networks, with hand-written gradients and Jacobians.

For ``u = c Σ_j a_j σ(z_j)``, ``z_j = w_j·x + b_j``: ``∂^α u = Σ_j v_j^α σ^{(|α|)}(z_j)`` with ``v_j^α = c a_j w_j^α``.
All sums over neurons and points are batched matrix products with the derivatives ``σ^{(q)}(z)``, ``[B, n, M]``, which
are made once; nothing else of that size is stored. For a cotangent ``G_α [B, n]`` of ``∂^α u``,

    ∂/∂v_j^α = Σ_i G_iα σ^{(|α|)}_ij,     ∂/∂z_ij = Σ_α v_j^α G_iα σ^{(|α|+1)}_ij,

and the second is only needed summed over i with weights 1 and x_i, so it is a product too. Differences are the case
α = 0 at the shifted points. Derivatives of any order, in any dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.networks.activations import Scaled
from numerics.networks.networks import MultiIndex, Rows, System, TwoLayer, combine, preactivation, unique_shifts

CACHED = 2**19
"""Entries of one ``[block, n, M]`` array on a CPU, so that a few of them stay in its cache."""
CACHED_CUDA = 2**26
"""The same on CUDA, where it bounds the memory."""


def _monomial(a: Tensor, w: Tensor, alpha: MultiIndex) -> Tensor:
    """``a w^α`` for ``a [B, M]`` and ``w [B, d, M]``, by multiplication."""
    for axis, times in enumerate(alpha):
        for _ in range(times):
            a = a * w[:, axis]
    return a


def _lower(alpha: MultiIndex, axis: int) -> MultiIndex:
    return tuple(times - (k == axis) for k, times in enumerate(alpha))


def _stack(tensors: list[Tensor]) -> Tensor:
    return tensors[0][:, None] if len(tensors) == 1 else torch.stack(tensors, 1)


@dataclass
class _Split:
    """Flat parameters or gradients seen as ``a``, ``b``, ``w``."""

    a: Float[Tensor, "b m"]
    b: Float[Tensor, "b m"]
    w: Float[Tensor, "b d m"]

    @staticmethod
    def of(rows: Float[Tensor, "b k m"]) -> _Split:
        """From the rows ``a, b, w_1, …, w_d``."""
        return _Split(rows[:, 0], rows[:, 1], rows[:, 2:])


def _padded(width: int, dtype: torch.dtype) -> int:
    """The width filled up to rows of whole cache lines (64 bytes).

    The kernels treat aligned and unaligned rows differently in the last bit, so that without it a member's result
    would depend on its place in the batch. The neurons added are zero.
    """
    unit = 512 // torch.finfo(dtype).bits
    return -(-width // unit) * unit


class _Block:
    """The derivatives ``∂^α u`` of a set of α at a set of points, and what pulls cotangents back."""

    def __init__(
        self, network: TwoLayer, points: Float[Tensor, "n d"], alphas: tuple[MultiIndex, ...], exact: bool
    ) -> None:
        self.network, self.points, self.alphas = network, points, alphas
        self.exact = exact  # whether σ must be torch's own rather than the fastest form
        degrees = [sum(alpha) for alpha in alphas]
        self.groups = {m: [k for k, degree in enumerate(degrees) if degree == m] for m in sorted(set(degrees))}
        self.orders = tuple(sorted(set(degrees) | {m + 1 for m in degrees}))
        # Rows 1, x_1, …, x_d: the weights of the sums over points that ∂b and ∂w need.
        self.moments = torch.cat([torch.ones_like(points[:, :1]), points], 1).T.contiguous()
        self.buffers: dict[tuple[int, int], Tensor] = {}

    def buffer(self, key: int, members: int) -> Tensor:
        """A buffer ``[members, n, M]`` that lives as long as the block: fresh memory costs more than arithmetic."""
        if (key, members) not in self.buffers:
            shape = (members, len(self.points), _padded(self.network.width, self.points.dtype))
            with torch.inference_mode(False):  # so that it may be written to in either mode
                self.buffers[key, members] = self.points.new_empty(shape)
        return self.buffers[key, members]

    def forward(self, at: _Split, gradient: bool) -> tuple[Float[Tensor, "b k n"], Any]:
        """``∂^α u`` for every α, and what :meth:`pull_back` needs."""
        members = len(at.a)
        activation = self.network.activation
        gain = 1.0 if self.exact or activation.fill is None else activation.gain
        w, b = (at.w, at.b) if gain == 1 else (gain * at.w, gain * at.b)
        z = preactivation(self.points, w, b, self.buffer(-1, members))
        orders = self.orders if gradient else tuple(self.groups)
        sigma = activation.selected(z, orders, lambda k: self.buffer(k, members), self.exact)
        v = [_monomial(at.a, at.w, alpha) for alpha in self.alphas]
        if len(self.groups) == 1:
            return self._product(sigma, v, self.orders[0], range(len(v))), (sigma, v)
        parts: dict[int, Tensor] = {}
        for m, group in self.groups.items():
            parts |= zip(group, self._product(sigma, v, m, group).unbind(1), strict=True)
        return torch.stack([parts[k] for k in range(len(v))], 1), (sigma, v)

    def _product(self, sigma: dict[int, Scaled], v: list[Tensor], m: int, group: Sequence[int]) -> Tensor:
        tensor, scale = sigma[m]
        # The transposed product: several times faster than matrix times vector.
        return torch.bmm(_stack([v[k] for k in group]), tensor.transpose(1, 2)).mul_(self.network.factor * scale)

    def pull_back(self, at: _Split, saved: Any, cotangent: Float[Tensor, "b k n"], out: _Split) -> None:
        """Add the gradient of ``Σ cotangent · ∂^α u`` to ``out``."""
        sigma, v = saved
        for q in self.orders:
            tensor, scale = sigma[q]
            factor = self.network.factor * scale
            if direct := self.groups.get(q):
                product = torch.bmm(self._select(cotangent, direct), tensor)
                for row, k in enumerate(direct):
                    self._amplitudes(at, product[:, row], self.alphas[k], factor, out)
            if indirect := self.groups.get(q - 1):
                weighted = self._select(cotangent, indirect)[:, :, None] * self.moments
                product = torch.bmm(weighted.flatten(1, 2), tensor)
                d = len(self.moments)
                for row, k in enumerate(indirect):
                    out.b.addcmul_(v[k], product[:, row * d], value=factor)
                    out.w.addcmul_(v[k][:, None], product[:, row * d + 1 : (row + 1) * d], value=factor)

    def _select(self, cotangent: Tensor, group: list[int]) -> Tensor:
        return cotangent if len(group) == len(self.alphas) else cotangent[:, group]

    @staticmethod
    def _amplitudes(at: _Split, dv: Tensor, alpha: MultiIndex, factor: float, out: _Split) -> None:
        """From ``∂/∂(a w^α)`` to ``∂/∂a`` and ``∂/∂w``."""
        if not any(alpha):
            out.a.add_(dv, alpha=factor)
            return
        out.a.add_(_monomial(dv, at.w, alpha), alpha=factor)
        for axis, times in enumerate(alpha):
            if times:
                lower = _monomial(at.a, at.w, _lower(alpha, axis))
                out.w[:, axis].addcmul_(dv, lower, value=factor * times)


class _RowBlock:
    """One set of rows: the block that it evaluates and the linear map from it to the residuals."""

    def __init__(self, network: TwoLayer, rows: Rows, interior: bool, cast_after_forward: bool) -> None:
        self.rows = rows
        self.cast = cast_after_forward and not rows.differentiated
        parts: Any = rows.parts
        if rows.differentiated:
            alphas = tuple(dict.fromkeys(term.alpha for term in parts))
            points = rows.points
            self.coefficients: list[Any] = [
                sum((t.coefficient for t in parts if t.alpha == alpha), start=0.0) for alpha in alphas
            ]
        else:
            shifts, self.places = unique_shifts(parts)
            self.shifts = len(shifts)
            points = (rows.points[None] + shifts[:, None]).flatten(0, 1)
            alphas = ((0,) * points.shape[1],)
        # Boundary rows and differences take torch's own σ, as a user's network does.
        self.block = _Block(network, points, alphas, exact=not interior or not rows.differentiated)

    def forward(self, at: _Split, gradient: bool) -> tuple[Float[Tensor, "b n"], Any]:
        """The residuals of these rows."""
        values, saved = self.block.forward(at, gradient)
        if self.rows.differentiated:
            total: Tensor | None = None
            for k, coefficient in enumerate(self.coefficients):
                value = values[:, k]
                if isinstance(coefficient, Tensor) or coefficient != 1:
                    value = value * coefficient
                total = value if total is None else total + value
            assert total is not None
        else:
            nodes = values.view(len(values), self.shifts, -1)
            if self.cast:
                nodes = nodes.double()
            parts: Any = self.rows.parts
            total = combine(parts, self.places, nodes.unbind(1))
        residual = total - self.rows.target
        return (residual if self.rows.root == 1 else residual * self.rows.root), saved

    def cotangent(self, residual: Float[Tensor, "b n"]) -> Float[Tensor, "b k n"]:
        """The transposed linear map, from cotangents of the residuals to those of the values."""
        g = residual if self.rows.root == 1 else residual * self.rows.root
        if self.rows.differentiated:
            return _stack([g * c if isinstance(c, Tensor) or c != 1 else g for c in self.coefficients])
        nodes: list[Tensor | None] = [None] * self.shifts
        parts: Any = self.rows.parts
        for part, place in zip(parts, self.places, strict=True):
            scaled = g * (part.coefficient / part.scale)
            for weight, k in zip(part.weights, place, strict=True):
                old = nodes[k]
                nodes[k] = scaled * weight if old is None else torch.add(old, scaled, alpha=weight)
        return torch.cat([node for node in nodes if node is not None], 1)[:, None]


@dataclass(frozen=True)
class TwoLayerResidual:
    """The residuals of a batch of two-layer networks, their loss ``½‖r‖²``, gradient and Jacobian.

    An :class:`numerics.training.loop.Objective`: call it with flat parameters ``[B, P]``.

    Attributes:
        network: the shape of the networks.
        system: the rows; on the device and in the arithmetic of the parameters (see :meth:`System.to`).
        cast_after_forward: difference in float64 what was evaluated in the arithmetic of the run.
        block: networks taken at once, by default as many as stay in the cache; it does not change the results.
    """

    network: TwoLayer
    system: System
    cast_after_forward: bool = False
    block: int | None = None

    def __post_init__(self) -> None:
        blocks = tuple(
            _RowBlock(self.network, rows, k == 0, self.cast_after_forward) for k, rows in enumerate(self.system.rows)
        )
        object.__setattr__(self, "_blocks", blocks)

    @property
    def _parts(self) -> tuple[_RowBlock, ...]:
        parts: tuple[_RowBlock, ...] = self._blocks  # type: ignore[attr-defined]
        return parts

    def _block(self, device: torch.device) -> int:
        """Networks taken at once; two at least, since one alone takes another kernel."""
        if self.block is not None:
            return max(2, self.block)
        return max(2, (CACHED if device.type == "cpu" else CACHED_CUDA) // self.elements)

    @property
    def elements(self) -> int:
        """Of the largest array of one network, points times neurons."""
        return max(len(part.block.points) for part in self._parts) * self.network.width

    @property
    def workspace(self) -> int:
        """Bytes of the buffers held since the first call: a few arrays ``[block, n, M]`` a set of rows."""
        return sum(b.nbytes for part in self._parts for b in part.block.buffers.values())

    def residual(self, flat: Float[Tensor, "b p"]) -> Float[Tensor, "b r"]:
        """All rows, for each member of the batch."""
        at = self._read(flat)
        return torch.cat([part.forward(at, False)[0] for part in self._parts], 1)

    def _read(self, flat: Tensor) -> _Split:
        width = self.network.width
        padded = _padded(width, flat.dtype)
        rows = flat.reshape(len(flat), -1, width)
        return _Split.of(rows if padded == width else torch.nn.functional.pad(rows, (0, padded - width)))

    def __call__(self, flat: Float[Tensor, "b p"]) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]:
        members = len(flat)
        if members == 1:
            # Products of one matrix take another kernel: with a companion the results are those of any batch.
            loss, gradient = self(flat.expand(2, -1))
            return loss[:1], gradient[:1]
        gradient = torch.empty_like(flat)
        losses = []
        bounds = list(range(0, members, self._block(flat.device)))
        if members - bounds[-1] == 1 and len(bounds) > 1:
            bounds.pop()
        for k, first in enumerate(bounds):
            last = bounds[k + 1] if k + 1 < len(bounds) else members
            losses.append(self._accumulate(flat[first:last], gradient[first:last]))
        return torch.cat(losses), gradient

    def _accumulate(self, flat: Tensor, gradient: Tensor) -> Tensor:
        at = self._read(flat)
        members, width = len(flat), self.network.width
        rows = flat.new_zeros(members, self.network.dimension + 2, at.a.shape[1])
        out = _Split.of(rows)
        total: Tensor | None = None
        for part in self._parts:
            residual, saved = part.forward(at, True)
            loss = torch.linalg.vecdot(residual, residual)
            part.block.pull_back(at, saved, part.cotangent(residual).to(flat.dtype), out)
            total = loss if total is None else total + loss
        assert total is not None
        gradient.copy_(rows[:, :, :width].reshape(members, -1))
        return (0.5 * total).to(flat.dtype)
