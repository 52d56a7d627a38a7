"""Advice on finite differences of a network of one's own, for each derivative of a possibly nonlinear equation.

The error of each difference is measured on the network itself, at the given points, against nested autograd in
float64: on a grid of steps its two branches, truncation ``C h^p`` and round-off ``ρ h^-m``, give the constants of the
model of :mod:`theory.operators.roundoff`, and with them h*.  Where a branch does not show (an activation without the
derivatives, a network that is locally polynomial), the best step of the grid is taken and said to be.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from jaxtyping import Float

from numerics.arithmetic.backends import FloatBackend
from numerics.differences.model import NEAR, ErrorModel, rms
from numerics.differences.search import FLOATS, label, near
from theory.base import expressions
from theory.base.errors import InputError
from theory.operators.operator import (
    COORDINATES,
    MAX_ORDER,
    DifferenceTerm,
    LinearOperator,
    MultiIndex,
    StencilChoice,
    coordinate,
    discretise,
)

if TYPE_CHECKING:
    import torch

CHOICES = (StencilChoice("central", 2), StencilChoice("central", 4), StencilChoice("forward", 2))
"""Stencils compared by default."""
MAX_POINTS = 512
"""More points than that are thinned out evenly."""
AGREE = 1.8
"""Largest ratio of the model's h* to the best step of the grid, whose steps are a factor 1.4 apart."""
MAX_DEPTH = 6
"""Highest derivative that nested autograd is asked for."""
_DERIVATIVE = re.compile(r"\bu(?:_([a-z]+))?\b")


@dataclass(frozen=True)
class TermAdvice:
    """One derivative with one stencil in one arithmetic; errors are root mean squares over the points.

    Attributes:
        derivative: such as ``u_xx``.
        stencil: its name.
        arithmetic: of the network.
        basis: ``model``: h* of the model with measured constants, next to the best step of the grid; ``search``: the
            best step of the grid.
        step: h*.
        suggested: a number of two binary digits near it.
        good: the steps with at most :data:`numerics.differences.model.NEAR` times the least error.
        error: at the best step of the grid, measured.
        size: root mean square of the derivative itself.
        truncation: C, where the branch ``C h^p`` shows.
        rho: ρ, where the branch ``ρ h^-m`` shows.
        curve: steps and measured errors.
    """

    derivative: str
    stencil: str
    arithmetic: str
    basis: str
    step: float
    suggested: str
    good: tuple[float, float]
    error: float
    size: float
    truncation: float | None
    rho: float | None
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ModuleAdvice:
    """What :func:`advise_module` finds.

    Attributes:
        operator: as given.
        terms: every derivative with every stencil in both arithmetics.
        residual: the same for the whole expression with one step for all its derivatives (``derivative`` is the
            expression).
        text: the recommendation, one sentence each; empty until it is put in words.
    """

    operator: str
    terms: tuple[TermAdvice, ...]
    residual: tuple[TermAdvice, ...]
    text: tuple[str, ...]

    def of(self, derivative: str, arithmetic: str, stencil: str = "central order 2") -> TermAdvice:
        """The advice for one derivative (or for the whole expression, by its text).

        Raises:
            InputError: there is none.
        """
        for term in (*self.terms, *self.residual):
            if (term.derivative, term.arithmetic, term.stencil) == (derivative, arithmetic, stencil):
                return term
        known = sorted({t.derivative for t in (*self.terms, *self.residual)})
        raise InputError(f"advice: none for {derivative!r}, {arithmetic}, {stencil}; derivatives: {', '.join(known)}")


def advise_module(
    module: torch.nn.Module,
    operator: str,
    points: Float[torch.Tensor, "n d"],
    *,
    choices: Sequence[StencilChoice] = CHOICES,
) -> ModuleAdvice:
    """Which steps and stencils suit the derivatives of a network in an equation.

    Args:
        module: points ``[n, d]`` to values ``[n]`` or ``[n, 1]``, row by row; a copy in evaluation mode is used.
        operator: the left-hand side, linear or not, such as ``"u_t + u*u_x - 0.01*u_xx"``.  Its coordinates are the
            columns of the points in the order x, y, z, t.
        points: where the equation is collocated; at most :data:`MAX_POINTS` are looked at.
        choices: stencils to compare.

    Raises:
        InputError: no derivative in the operator, one beyond :data:`MAX_DEPTH`, or shapes that do not fit.
    """
    import torch

    if points.ndim != 2 or not len(points):
        raise InputError(f"points: shape {tuple(points.shape)}; allowed: (n, d), n at least 1")
    if len(points) > MAX_POINTS:
        points = points[np.linspace(0, len(points) - 1, MAX_POINTS).astype(int)]
    equation = _Equation(operator, points.shape[1])
    terms, residual = [], []
    for arithmetic in FLOATS:
        kind = getattr(torch, arithmetic)
        net = copy.deepcopy(module).to("cpu", kind).eval()
        x = points.detach().to("cpu", kind)
        exact = _exact(copy.deepcopy(net).double(), x.double(), equation.derivatives)
        for choice in choices:
            curves = _curves(net, x, equation, choice, exact)
            for alpha in equation.derivatives:
                if any(alpha):
                    terms.append(_advice(equation.name(alpha), choice, arithmetic, curves[alpha]))
            residual.append(_advice(operator, choice, arithmetic, curves[None]))
    return ModuleAdvice(operator, tuple(terms), tuple(residual), ())


class _Equation:
    """An expression in u and its derivatives."""

    def __init__(self, text: str, dimension: int) -> None:
        if not isinstance(text, str):
            raise InputError(f"operator: {text!r} must be a string")
        suffixes = {match[1] or "" for match in _DERIVATIVE.finditer(text)}
        named = set("".join(suffixes)) | {name for name in COORDINATES if re.search(rf"\b{name}\b", text)}
        if named - set(COORDINATES):
            raise InputError(f"operator: derivatives are in the coordinates {', '.join(COORDINATES)}")
        if not any(suffixes):
            raise InputError(f"operator: {text[:60]!r} has no derivative of u; write for instance 'u_t + u*u_x'")
        names = [name for name in COORDINATES if name in named]
        names += [name for name in COORDINATES if name not in names][: max(0, dimension - len(names))]
        if len(names) != dimension:
            raise InputError(f"operator: uses {', '.join(names)}, but the points have {dimension} column(s)")
        self.variables = tuple(sorted(names, key=COORDINATES.index))
        deepest = max(suffixes, key=len)
        if len(deepest) > min(MAX_DEPTH, MAX_ORDER):
            raise InputError(f"operator: u_{deepest[:20]}: derivatives up to order {MAX_DEPTH} are allowed")
        self.unknowns = {self._index(s): sp.Symbol(f"u_{s}" if s else "u", real=True) for s in sorted(suffixes)}
        symbols: dict[str, Any] = {f"u_{s}" if s else "u": self.unknowns[self._index(s)] for s in suffixes}
        self.expression = expressions.parse(
            text, symbols | {name: coordinate[name] for name in self.variables}, "operator"
        )

    def _index(self, suffix: str) -> MultiIndex:
        return tuple(suffix.count(name) for name in self.variables)

    @property
    def derivatives(self) -> tuple[MultiIndex, ...]:
        """All multi-indices that occur, u itself included where it does."""
        return tuple(self.unknowns)

    def name(self, alpha: MultiIndex) -> str:
        """Such as ``u_xx``."""
        return "u_" + "".join(v * k for v, k in zip(self.variables, alpha, strict=True))

    def value(self, x: Float[np.ndarray, "n d"], derivatives: dict[MultiIndex, Any]) -> Float[np.ndarray, " n"]:
        """The expression at the points, in float64."""
        table = {coordinate[name]: x[:, axis] for axis, name in enumerate(self.variables)}
        table |= {self.unknowns[alpha]: value for alpha, value in derivatives.items()}
        return np.asarray(expressions.evaluate(self.expression, table, FloatBackend(np.float64)) + 0 * x[:, 0])

    def difference(self, alpha: MultiIndex, choice: StencilChoice) -> DifferenceTerm:
        """The difference for one derivative, at h = 1."""
        linear = LinearOperator(self.name(alpha), self.variables, ((alpha, sp.Integer(1)),))
        (term,) = discretise(linear, choice, (Fraction(1),) * len(self.variables)).terms
        return term


def _exact(net: torch.nn.Module, x: Any, derivatives: Sequence[MultiIndex]) -> dict[MultiIndex, Any]:
    """The derivatives by nested autograd in float64."""
    from numerics.networks.networks import derivative_by_autograd
    from numerics.networks.perceptrons import field

    u = field(net)
    found = {alpha: derivative_by_autograd(u, x, alpha).detach().numpy() for alpha in derivatives}
    for alpha, value in found.items():
        if not np.isfinite(value).all():
            raise InputError(f"module: its derivative {alpha} is not finite at every point")
    return found


@dataclass(frozen=True)
class _Curve:
    """Errors of a difference on a grid of steps, its order p and degree m, and the size of what it approximates."""

    order: int
    degree: int
    size: float
    points: tuple[tuple[float, float], ...]


def _curves(
    net: torch.nn.Module, x: Any, equation: _Equation, choice: StencilChoice, exact: dict[MultiIndex, Any]
) -> dict[MultiIndex | None, _Curve]:
    """The curve of each derivative, and under None that of the whole expression."""
    import torch

    from numerics.networks.perceptrons import field

    u = field(net)
    differences = {alpha: equation.difference(alpha, choice) for alpha in equation.derivatives if any(alpha)}
    finest = 40 if x.dtype == torch.float32 else 72
    errors: dict[MultiIndex | None, list[tuple[float, float]]] = {alpha: [] for alpha in (*differences, None)}
    points = x.double().numpy()
    whole = equation.value(points, exact)
    with torch.no_grad():
        plain = u(x)
        for k in range(-4, finest):
            h = 2.0 ** (-k / 2)
            found = {alpha: _apply(u, x, plain, term, h) for alpha, term in differences.items()}
            for alpha, value in found.items():
                errors[alpha].append((h, rms(value - exact[alpha])))
            values = {alpha: found.get(alpha, exact[alpha]) for alpha in equation.derivatives}
            errors[None].append((h, rms(equation.value(points, values) - whole)))
    curves: dict[MultiIndex | None, _Curve] = {}
    for alpha, term in differences.items():
        assert term.stencil is not None
        curves[alpha] = _Curve(term.stencil.order, term.stencil.degree, rms(exact[alpha]), tuple(errors[alpha]))
    orders = {curve.order for curve in curves.values()}
    degrees = {curve.degree for curve in curves.values()}
    # With several orders or degrees the whole has no single branch: 0 asks for a search.
    order, degree = (orders.pop(), degrees.pop()) if len(orders) == len(degrees) == 1 else (0, 0)
    curves[None] = _Curve(order, degree, rms(whole), tuple(errors[None]))
    return curves


def _apply(u: Callable[[Any], Any], x: Any, plain: Any, term: DifferenceTerm, h: float) -> Float[np.ndarray, " n"]:
    """The difference as a training run forms it: shifts, values, sum and quotient in the arithmetic of x."""
    import torch

    assert term.stencil is not None
    total = torch.zeros_like(plain)
    for weight, node in zip(term.stencil.weights, term.stencil.nodes, strict=True):
        if weight:
            shift = torch.tensor([float(s) * h for s in node], dtype=x.dtype)
            total = total + float(weight) * (u(x + shift) if any(node) else plain)
    found: Float[np.ndarray, " n"] = (total / h**term.stencil.degree).double().numpy()
    return found


def _advice(name: str, choice: StencilChoice, arithmetic: str, curve: _Curve) -> TermAdvice:
    finite = [(h, e) for h, e in curve.points if math.isfinite(e)]
    if not finite:
        raise InputError(f"module: the differences of {name} are not finite in {arithmetic}")
    best, least = min(finite, key=lambda point: point[1])
    near_best = [h for h, e in finite if e <= NEAR * least]
    good = min(near_best), max(near_best)
    truncation, rho = branches(curve.points, curve.order, curve.degree) if curve.degree else (None, None)
    step, basis = best, "search"
    if truncation and rho:
        p, m = curve.order, curve.degree
        model = ErrorModel({(p, p): truncation**2}, {m: rho}, {}, True)
        found = model.optimum()
        if found is not None and 1 / AGREE < found / best < AGREE:
            step, basis, good = found, "model", model.good_steps(found)
    return TermAdvice(
        name, label(choice), arithmetic, basis, step, near(step), good, least, curve.size,
        truncation, rho, curve.points,
    )  # fmt: skip


def branches(points: Sequence[tuple[float, float]], order: int, degree: int) -> tuple[float | None, float | None]:
    """C and ρ of the branches ``C h^p`` and ``ρ h^-m`` of a curve on steps that halve; None where one does not show.

    C is taken at the smallest step around which the slope is p within 0.3, ρ as the geometric mean over the steps
    below the minimum around which it is -m within 0.5.
    """
    usable = [(h, e) for h, e in points if e > 0 and math.isfinite(e)]
    if len(usable) < 3:
        return None, None
    lowest = min(range(len(usable)), key=lambda k: usable[k][1])
    slopes = [math.log(a[1] / b[1]) / math.log(a[0] / b[0]) for a, b in pairwise(usable)]
    rising = [k for k in range(lowest) if abs(slopes[k] - order) < 0.3]
    falling = [k for k in range(lowest, len(slopes)) if abs(slopes[k] + degree) < 0.5]
    truncation = usable[rising[-1]][1] / usable[rising[-1]][0] ** order if rising else None
    logs = [math.log(usable[k + 1][1] * usable[k + 1][0] ** degree) for k in falling]
    return truncation, math.exp(sum(logs) / len(logs)) if logs else None
