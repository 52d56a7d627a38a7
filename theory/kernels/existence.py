"""When E w^(i+j) σ⁽ⁱ⁾(wx + b) σ⁽ʲ⁾(wy + b) is finite: moments of the weights, growth and decay of the activation.

For bounded σ⁽ⁱ⁾ finite moments suffice; for sinusoids they are also necessary.  A derivative that decays confines
b to −wx, and the density of the bias there supplies the decay in w that a heavy-tailed weight lacks (ours).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.errors import NonexistenceError
from theory.kernels.coordinates import Weights
from theory.kernels.shapes import ErfSum, GaussianSum, ReluPower, Shape, TanhAffine
from theory.laws import Law


@dataclass(frozen=True)
class Behaviour:
    """σ⁽ⁿ⁾ at infinity: polynomial growth of this degree, decay faster than any power, or zero almost everywhere."""

    growth: int = 0
    decays: bool = False
    vanishes: bool = False


_NAMED = {"softplus": 1, "silu": 1, "sech": -1}
"""Degree of growth of named activations whose derivatives beyond it decay; −1 when σ itself decays."""


def behaviour(shape: Shape | None, name: str, n: int) -> Behaviour | None:
    """The behaviour of σ⁽ⁿ⁾; None when it is not known, or exponential growth."""
    match shape:
        case GaussianSum():
            if shape.decays:
                return Behaviour(decays=True)
            if any(g.q == 0 and g.tilt.as_real_imag()[0] != 0 for g in shape.groups):
                return None
            degree = max(g.degree for g in shape.groups if g.q == 0)
            if shape.is_polynomial:
                return Behaviour(max(degree - n, 0), vanishes=n > degree)
            return Behaviour(degree)
        case ErfSum():
            degree = max(len(shape.p), len(shape.q)) - 1
            return Behaviour(max(degree - n, 0), decays=n > degree)
        case ReluPower():
            return Behaviour(max(shape.n - n, 0), vanishes=n > shape.n)
        case TanhAffine():
            return Behaviour(decays=n > 0)
    if name in _NAMED:
        degree = _NAMED[name]
        return Behaviour(max(degree - n, 0), decays=n > degree)
    return None


def require(
    shape: Shape | None,
    name: str,
    weights: Weights,
    biases: Law,
    a: Sequence[int],
    b: Sequence[int],
    x: Sequence[Fraction] | None = None,
    y: Sequence[Fraction] | None = None,
) -> None:
    """Checks that E w^(a+b) σ^(|a|)(w·x+b) σ^(|b|)(w·y+b) is finite.

    Args:
        shape, name: of the activation.
        weights, biases: the laws.
        a, b: multi-indices of differentiation at the two points.
        x, y: the points; None asks at a generic point of the diagonal.

    Raises:
        NonexistenceError: it is infinite, or cannot be shown to be finite; one line that says why.
    """
    heavy = [law for law in (*weights, biases) if law.moment_bound is not None]
    if not heavy:
        return
    if isinstance(shape, GaussianSum) and any(g.q == 0 and g.tilt.as_real_imag()[0] != 0 for g in shape.groups):
        raise NonexistenceError(f"kernel: an exponential of heavy tails has no mean: {heavy[0]}")
    i, j = sum(a), sum(b)
    left, right = behaviour(shape, name, i), behaviour(shape, name, j)
    if left is None or right is None:
        raise NonexistenceError(
            f"kernel: with heavy tails ({heavy[0]}) existence is not decided for this activation's derivatives"
        )
    if left.vanishes or right.vanishes:
        return
    orders = tuple(p + q for p, q in zip(a, b, strict=True))
    if len(weights) == 1:
        _one_dimension(left, right, weights[0], biases, orders[0], x[0] if x else None, y[0] if y else None)
        return
    growth = (0 if left.decays else left.growth) + (0 if right.decays else right.growth)
    for law, n in zip(weights, orders, strict=True):
        if not law.moment_exists(n + growth):
            raise NonexistenceError(f"kernel: needs E|w|^{n + growth}, which is infinite for {law}")
    if not biases.moment_exists(growth):
        raise NonexistenceError(f"kernel: needs E|b|^{growth}, which is infinite for {biases}")


def _one_dimension(
    left: Behaviour, right: Behaviour, law: Law, biases: Law, n: int, x: Fraction | None, y: Fraction | None
) -> None:
    generic = x is None or y is None
    pinned = [
        other for here, other, point in ((left, right, x), (right, left, y)) if here.decays and (generic or point != 0)
    ]
    if not pinned:
        growth = (0 if left.decays else left.growth) + (0 if right.decays else right.growth)
        if not law.moment_exists(n + growth):
            where = "" if generic else f" at x = {x}, y = {y}"
            raise NonexistenceError(f"kernel: needs E|w|^{n + growth}, which is infinite for {law}{where}")
        if not biases.moment_exists(growth):
            raise NonexistenceError(f"kernel: needs E|b|^{growth}, which is infinite for {biases}")
        return
    if len(pinned) == 2 and not generic and x != y:
        return  # b cannot follow −wx and −wy at once: the mean over b decays faster than any power of w
    growth = min(0 if other.decays else other.growth for other in pinned)
    if law.moment_bound is None or biases.moment_bound is None or not biases.has_density:
        if law.moment_bound is None and not biases.moment_exists(growth):
            raise NonexistenceError(f"kernel: needs E|b|^{growth}, which is infinite for {biases}")
        return
    # ∫ w^{n+growth} w^{−ν_w−1} w^{−ν_b−1} dw
    if not n + growth < law.moment_bound + biases.moment_bound + 1:
        raise NonexistenceError(
            f"kernel: E w^{n} σ σ diverges: {n + growth} is not under {law.moment_bound} + {biases.moment_bound} + 1,"
            f" the tails of {law} and {biases}"
        )
