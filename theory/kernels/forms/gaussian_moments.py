"""Moments of weights under a Gaussian tilt, by recurrence: derivatives of Gaussian kernels where formulas are too long.

E w^(a+b) σ^(|a|)(w·x + b) σ^(|b|)(w·y + b) for σ = Σ p(z) e^{−qz²/2 + lz} and normal or constant laws: under the tilted
law everything is Gaussian, and mixed moments follow from Isserlis' recurrence.  Exact, but an algorithm instead of
an expression; for laws with a mean, or oscillating activations, in several dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from theory.features.laws import Law
from theory.kernels.forms.activation_forms import GaussianSum
from theory.kernels.forms.coordinates import Coordinates, Weights, fraction, spread


def tilted_mean(exp, sqrt, real, a, b, x, y, weights, bias, groups):  # type: ignore[no-untyped-def]
    """E w^(a+b) sigma^(|a|)(w.x+b) sigma^(|b|)(w.y+b); numbers or arrays of one shape.

    a, b: orders per coordinate; x, y: coordinates; weights: (mean, variance) per coordinate; bias: the same;
    groups: (q, tilt, coefficients of p).
    """

    def derived(q, tilt, p, times):  # type: ignore[no-untyped-def]
        for _ in range(times):
            out = [tilt * c for c in p] + [0.0]
            for k, c in enumerate(p):
                out[k + 1] = out[k + 1] - q * c
                if k:
                    out[k - 1] = out[k - 1] + k * c
            p = out
        return p

    d = len(x)
    vw, vb = [v for _, v in weights], bias[1]
    mu = bias[0] + sum(m * s for (m, _), s in zip(weights, x, strict=True))
    mv = bias[0] + sum(m * s for (m, _), s in zip(weights, y, strict=True))
    alpha = vb + sum(v * s * s for v, s in zip(vw, x, strict=True))
    beta = vb + sum(v * s * s for v, s in zip(vw, y, strict=True))
    gamma = vb + sum(v * s * t for v, s, t in zip(vw, x, y, strict=True))
    gram = vb * sum(v * (s - t) * (s - t) for v, s, t in zip(vw, x, y, strict=True))
    for i in range(d):
        for j in range(i):
            area = x[i] * y[j] - x[j] * y[i]
            gram = gram + vw[i] * vw[j] * area * area
    total = 0.0
    for q1, l1, p1 in groups:
        for q2, l2, p2 in groups:
            delta = 1 + q1 * alpha + q2 * beta + q1 * q2 * gram
            i11, i22 = (1 + q2 * beta) / delta, (1 + q1 * alpha) / delta
            i12, i21 = -q2 * gamma / delta, -q1 * gamma / delta
            uu, uv, vv = (alpha + q2 * gram) / delta, gamma / delta, (beta + q1 * gram) / delta
            fu, fv = i11 * mu + i12 * mv, i21 * mu + i22 * mv
            exponent = l1 * fu + l2 * fv - (q1 * mu * fu + q2 * mv * fv) / 2
            exponent = exponent + (l1 * l1 * uu + 2 * l1 * l2 * uv + l2 * l2 * vv) / 2
            r1, r2 = l1 - q1 * mu, l2 - q2 * mv
            s1, s2 = i11 * r1 + i21 * r2, i12 * r1 + i22 * r2
            mean = [m + v * (s * s1 + t * s2) for (m, v), s, t in zip(weights, x, y, strict=True)]
            mean += [mu + alpha * s1 + gamma * s2, mv + gamma * s1 + beta * s2]
            h11, h12, h22 = q1 * i11, q1 * i12, q2 * i22
            cov = {(d, d): uu, (d, d + 1): uv, (d + 1, d + 1): vv}
            for i in range(d):
                cov[i, d] = vw[i] * (x[i] * i11 + y[i] * i12)
                cov[i, d + 1] = vw[i] * (x[i] * i21 + y[i] * i22)
                for j in range(i, d):
                    part = x[i] * (h11 * x[j] + h12 * y[j]) + y[i] * (h12 * x[j] + h22 * y[j])
                    cov[i, j] = (vw[i] if i == j else 0) - vw[i] * vw[j] * part
            memo = {(0,) * (d + 2): 1}

            def moment(index):  # type: ignore[no-untyped-def]
                if index not in memo:  # noqa: B023
                    i = next(k for k, n in enumerate(index) if n)
                    low = index[:i] + (index[i] - 1,) + index[i + 1 :]  # noqa: RUF005
                    value = mean[i] * moment(low)  # noqa: B023
                    for j, n in enumerate(low):
                        if n:
                            pair = cov[min(i, j), max(i, j)]  # noqa: B023
                            value = value + n * pair * moment(low[:j] + (n - 1,) + low[j + 1 :])  # noqa: RUF005
                    memo[index] = value  # noqa: B023
                return memo[index]  # noqa: B023

            powers = tuple(m + n for m, n in zip(a, b, strict=True))
            part = 0.0
            for s, c in enumerate(derived(q1, l1, p1, sum(a))):
                for t, e in enumerate(derived(q2, l2, p2, sum(b))):
                    part = part + c * e * moment((*powers, s, t))
            total = total + real(part * exp(exponent) / sqrt(delta))
    return total


class TiltedMean(sp.Function):
    """:func:`tilted_mean` as a function of the coordinates; see :func:`tilted_expression` for the arguments."""

    is_real = True

    @staticmethod
    def parse(args: Sequence[Any]) -> tuple[Any, ...]:
        """(a, b, x, y, weights, bias, [(q, Re l, Im l, [(Re c, Im c)])]) from flat arguments."""
        values = list(args)
        d = int(values.pop(0))

        def take(n: int) -> list[Any]:
            out = values[:n]
            del values[:n]
            return out

        a, b = ([int(v) for v in take(d)] for _ in range(2))
        x, y = take(d), take(d)
        weights = [tuple(take(2)) for _ in range(d)]
        bias = tuple(take(2))
        groups = []
        for _ in range(int(take(1)[0])):
            q, re, im, count = take(4)
            groups.append((q, re, im, [tuple(take(2)) for _ in range(int(count))]))
        return a, b, x, y, weights, bias, groups

    @classmethod
    def mp_value(cls, mp: Any, *args: Any) -> Any:
        """In multiprecision."""
        a, b, x, y, weights, bias, raw = cls.parse(args)
        groups = [(q, mp.mpc(re, im) if im else re, [mp.mpc(r, i) if i else r for r, i in p]) for q, re, im, p in raw]
        return tilted_mean(mp.exp, mp.sqrt, mp.re, a, b, x, y, weights, bias, groups)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        a, b, *_ = self.parse(self.args)
        orders = ", ".join(str(m + n) for m, n in zip(a, b, strict=True))
        text = (
            rf"E\,w^{{({orders})}} \sigma^{{({sum(a)})}}(w\cdot x + b)"
            rf" \sigma^{{({sum(b)})}}(w\cdot y + b)"
        )
        return rf"\left[{text}\right]" + ("" if exp is None else f"^{{{exp}}}")


def tilted_expression(
    shape: GaussianSum, weights: Weights, biases: Law, coordinates: Coordinates, a: Sequence[int], b: Sequence[int]
) -> sp.Expr:
    """E w^(a+b) σ^(|a|)(U) σ^(|b|)(V) as one :class:`TiltedMean`."""
    args: list[sp.Expr] = [sp.Integer(coordinates.dimension), *map(sp.Integer, (*a, *b)), *coordinates.all]
    for law in (*weights, biases):
        args += [fraction(v) for v in spread(law)]
    args.append(sp.Integer(len(shape.groups)))
    for g in shape.groups:
        args += [g.q, *g.tilt.as_real_imag(), sp.Integer(len(g.coefficients))]
        for c in g.coefficients:
            args += list(c.as_real_imag())
    return TiltedMean(*args)
