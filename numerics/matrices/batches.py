"""Floating-point matrices and spectra of many neighbouring problems, or draws of one: each shared part made once.

The matrices are bit for bit those of :func:`numerics.matrices.assemble.float_matrix`; what differs is the bookkeeping.  Points,
features, A_AD with its spectrum, the features at unshifted points and the boundary rows do not depend on the
difference, and nothing depends on the entropy convention: in a sweep over steps and seeds a cell costs one singular
value decomposition and the features at the shifted points.

The draws of a problem are those of the problem file with another ``seed``, and the singular values those of
:func:`numerics.spectra.spectrum.spectrum`: LAPACK's (``gesdd``, in float64) of the stored matrix.  Points, differences and
everything else that the draws share are made once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg
import sympy as sp
from jaxtyping import Float

from numerics.arithmetic.backends import FloatBackend, to_floats
from numerics.matrices.assemble import DTYPES, apply_operator, float_matrix
from numerics.problem.drawn import boundary_rows, features, interior_points, sample
from numerics.problem.problem import Arithmetic, Problem
from numerics.runs import grid as sweep_grid
from numerics.runs.grid import Cell, Plan, Recent
from numerics.spectra.spectrum import UNIT_ROUNDOFF, floating_singular_values
from theory.base.errors import InputError
from theory.base.expressions import evaluate
from theory.features.activations import z
from theory.features.laws import Discrete, Law
from theory.operators import roundoff

Matrix = Float[np.ndarray, "n m"]
Values = Float[np.ndarray, " k"]

_DIRECT: dict[sp.Expr, np.ufunc] = {sp.tanh(z): np.tanh, sp.sin(z): np.sin, sp.cos(z): np.cos, sp.exp(z): np.exp}
"""Activations that are one function of numpy, the same that :class:`numerics.arithmetic.backends.FloatBackend` calls."""


@dataclass
class FloatSpectra:
    """Singular values (descending, float64) of the stored A_AD and A_FD, and what :mod:`numerics.differences.floor` predicts.

    Attributes:
        entry_error: τ, the root-mean-square error of an interior entry of A_FD.
        spread: √N + √M, which makes it the floor.
    """

    ad: Values
    fd: Values
    entry_error: float
    spread: float


@dataclass
class _Points:
    """Interior points in the arithmetic and in float64, and the boundary points with what acts there."""

    interior: Matrix
    exact: Matrix
    boundary: list[tuple[Matrix, Any, Any]]


@dataclass
class _Base:
    """Features at the interior points, unshifted.

    Attributes:
        direct: the activation where it is one function of numpy.
        work: three scratch arrays of the interior rows.
        argument: w_j·x_i + b_j.
        value: σ of it.
    """

    problem: Problem
    W: Matrix
    b: Float[np.ndarray, " m"]
    X: Matrix
    direct: np.ufunc | None
    work: tuple[Matrix, ...]

    def __post_init__(self) -> None:
        self.value = _value(self, None, None)
        self.argument = self.work[0].copy(order="F")

    def evaluated(self, order: int) -> Matrix:
        """σ⁽ᵒʳᵈᵉʳ⁾ at the points, from σ itself where it occurs in it."""
        sigma = self.problem.activation
        known = {z: self.argument, sigma.derivative(0): self.value}
        found = evaluate(sigma.derivative(order), known, FloatBackend(self.argument.dtype.type))
        return np.asarray(found if np.shape(found) == self.argument.shape else found + 0 * self.argument)


@dataclass
class _Features:
    """Everything that points, weights and biases determine.

    Attributes:
        full: a matrix of all rows; its boundary rows are in place, its interior rows are overwritten by each A_FD.
        unshifted: the features at the points themselves, by the weight that multiplies them.
        squares: mean of the squared sensitivities over the features, for each point.
    """

    base: _Base
    points: _Points
    arithmetic: str
    ad: Values
    full: Matrix
    unshifted: dict[Hashable, Matrix]
    squares: Float[np.ndarray, " n"] | None = None


@dataclass
class _Term:
    """One difference: weights and shifts of its nodes, h^m, and the coefficient at the points."""

    nodes: list[tuple[Any, Matrix | None, bytes]]
    scale: Any
    coefficient: Any


@dataclass
class _Difference:
    """All differences of L_h; ``single``: one, with no shift used twice; ``gain``: Σ_k c_k²/h^2m at each point."""

    terms: list[_Term]
    single: bool
    gain: Float[np.ndarray, " n"]


class Workbench:
    """Makes the spectra of the cells of one plan; keeps what the next cells may share.

    Args:
        plan: the cells.
        keep: how many of each large part are kept; of the differences, which are small, 256 times as many.
    """

    def __init__(self, plan: Plan, keep: int = 4) -> None:
        self.plan = plan
        self._points: Recent[_Points] = Recent(keep)
        self._features: Recent[_Features] = Recent(keep)
        self._differences: Recent[_Difference] = Recent(256 * keep)
        self._spectra: Recent[FloatSpectra] = Recent(keep)

    def float_spectra(self, position: int) -> FloatSpectra:
        """The spectra of a cell whose arithmetic is float32 or float64.

        Raises:
            InputError: the cell poses no problem, or an entry of A is not finite in this arithmetic.
            NonexistenceError: the cell poses no problem.
        """
        token = self.plan.token(position, "posing", "points", "features", "seed", "arithmetic", "difference")
        with np.errstate(all="ignore"):  # what overflows is refused
            return self._spectra.get(token, lambda: self._both(position))

    def _both(self, position: int) -> FloatSpectra:
        token = self.plan.token(position, "posing", "points", "features", "seed", "arithmetic")
        drawn = self._features.get(token, lambda: self._make_features(self.plan.cell(position)))
        if not len(drawn.points.interior):
            return FloatSpectra(drawn.ad, drawn.ad, 0.0, 0.0)
        token = self.plan.token(position, "posing", "points", "arithmetic", "difference")
        difference = self._differences.get(
            token, lambda: _make_difference(self.plan.cell(position).problem, drawn.points, DTYPES[drawn.arithmetic])
        )
        if drawn.squares is None:
            drawn.squares = _squares(drawn.base)
        mean = float(difference.gain @ drawn.squares) / len(difference.gain)
        error = roundoff.TYPICAL_FACTOR * roundoff.UNIT_ROUNDOFF[drawn.arithmetic] * math.sqrt(mean)
        spread = math.sqrt(len(drawn.points.interior)) + math.sqrt(len(drawn.base.b))
        return FloatSpectra(drawn.ad, _fd_values(drawn, difference), error, spread)

    def _make_features(self, cell: Cell) -> _Features:
        problem, kind = cell.problem, DTYPES[cell.arithmetic]
        token = self.plan.token(cell.position, "posing", "points", "arithmetic")
        points = self._points.get(token, lambda: _make_points(problem, kind))
        W, b = _draw(problem, kind)
        backend = FloatBackend(kind)
        inner = len(points.interior)
        work = tuple(np.empty((inner, len(b)), kind, "F") for _ in range(3))
        base = _Base(problem, W, b, points.interior, _DIRECT.get(problem.activation.derivative(0)), work)
        parts = [_ad_rows(base, backend)] if inner else []
        parts += [apply_operator(op, problem, W, b, X, backend) * root for X, op, root in points.boundary]
        if not parts:
            raise InputError("points: there are neither interior nor boundary points")
        # In Fortran's order, which LAPACK reads without a copy.
        full = np.asarray(np.concatenate(parts, axis=0), dtype=kind, order="F")
        ad = _singular_values(full, cell.arithmetic)
        return _Features(base, points, cell.arithmetic, ad, full, {None: base.value})


def _make_points(problem: Problem, kind: type[np.floating[Any]]) -> _Points:
    inner, backend = interior_points(problem), FloatBackend(kind)
    edges = []
    for rows in boundary_rows(problem):
        if rows.points:
            root = backend.power(backend.constant(rows.rows.weight), Fraction(1, 2))
            edges.append((to_floats(rows.points, kind), rows.operator, root))
    return _Points(to_floats(inner, kind), to_floats(inner, np.float64), edges)


def _draw(problem: Problem, kind: type[np.floating[Any]]) -> tuple[Matrix, Float[np.ndarray, " m"]]:
    """Weights (M, d) and biases (M,) as :func:`numerics.problem.drawn.features` draws and rounds them."""
    laws = problem.weights, problem.biases
    if not all(isinstance(law, Law) and not isinstance(law, Discrete) for law in laws):
        drawn = features(problem)  # exact values, which may round otherwise than a sampler's floats
        return to_floats(drawn.weights, kind), to_floats([drawn.biases], kind)[0]
    streams = np.random.SeedSequence(problem.seed).spawn(2)
    w, b = (np.random.Generator(np.random.PCG64(stream)) for stream in streams)
    d = problem.dimension
    W = sample(problem.weights, problem.count * d, w).reshape(problem.count, d)  # type: ignore[arg-type]
    return W.astype(kind), sample(problem.biases, problem.count, b).astype(kind)  # type: ignore[arg-type]


def _make_difference(problem: Problem, points: _Points, kind: type[np.floating[Any]]) -> _Difference:
    backend = FloatBackend(kind)
    terms = []
    gain = np.zeros((len(points.exact), 1))
    for term in problem.difference.terms:
        nodes: list[tuple[Any, Matrix | None, bytes]] = []
        for weight, shift in zip(term.weights, term.shifts, strict=True):
            if weight:
                moved = to_floats([shift], kind) if any(shift) else None
                factor = None if weight == 1 else backend.constant(weight)
                nodes.append((factor, moved, b"" if moved is None else moved.tobytes()))
        scale = None if term.scale == 1 else backend.constant(term.scale)
        coefficient = None
        if term.coefficient != 1:
            coefficient = evaluate(term.coefficient, _columns(problem, points.interior), backend)
        terms.append(_Term(nodes, scale, coefficient))
        exact = evaluate(term.coefficient, _columns(problem, points.exact), FloatBackend(np.float64))
        norm = math.sqrt(sum(c * c for c in term.weights)) / float(term.scale)
        gain = gain + (exact * norm) ** 2
    shifts = [key for term in terms for _, _, key in term.nodes]
    return _Difference(terms, len(terms) == 1 and len(set(shifts)) == len(shifts), gain[:, 0])


def _columns(problem: Problem, X: Matrix) -> dict[Any, Any]:
    return {symbol: X[:, axis : axis + 1] for axis, symbol in enumerate(problem.operator.symbols)}


def _value(base: _Base, shift: Matrix | None, out: Matrix | None) -> Matrix:
    """σ(w_j·x_i + b_j) at the shifted points, summed in the order of :mod:`numerics.matrices.assemble`; into ``out``."""
    X, W, argument = base.X, base.W, base.work[0]
    if shift is not None:
        X = X + shift
    np.multiply(X[:, :1], W[:, 0], out=argument)
    for axis in range(1, X.shape[1]):
        np.add(argument, X[:, axis : axis + 1] * W[:, axis], out=argument)
    np.add(argument, base.b, out=argument)
    if base.direct is not None:
        place = np.empty_like(argument) if out is None else out
        base.direct(argument, out=place)
        return place
    found = evaluate(base.problem.activation.derivative(0), {z: argument}, FloatBackend(argument.dtype.type))
    filled = np.asarray(found if np.shape(found) == argument.shape else found + 0 * argument)
    if out is not None:
        np.copyto(out, filled)
        return out
    return filled.copy() if np.may_share_memory(filled, argument) else filled


def _ad_rows(base: _Base, backend: FloatBackend) -> Matrix:
    """(L φ_j)(x_i), in the order of :func:`numerics.matrices.assemble.apply_operator`."""
    total = None
    for alpha, coefficient in base.problem.operator.terms:
        term = base.evaluated(sum(alpha))
        for axis, times in enumerate(alpha):
            for _ in range(times):
                term = term * base.W[:, axis]
        if coefficient != 1:
            term = term * evaluate(coefficient, _columns(base.problem, base.X), backend)
        total = term if total is None else total + term
    return np.asarray(total)


def _fd_values(drawn: _Features, difference: _Difference) -> Values:
    """The spectrum of A_FD, whose entries are summed in the order of :func:`numerics.matrices.assemble.apply_difference`."""
    total = drawn.base.work[2]
    if difference.single:
        _sum_single(drawn, difference.terms[0], total)
    else:
        _sum_terms(drawn, difference.terms, total)
    drawn.full[: len(total)] = total
    return _singular_values(drawn.full, drawn.arithmetic)


def _unshifted(drawn: _Features, weight: Any) -> Matrix:
    """The features at the points themselves times a weight (None: 1)."""
    if weight not in drawn.unshifted:
        drawn.unshifted[weight] = drawn.unshifted[None] * weight
    return drawn.unshifted[weight]


def _sum_single(drawn: _Features, term: _Term, total: Matrix) -> None:
    """One difference whose shifts are all distinct: no array is made."""
    for k, (weight, shift, _) in enumerate(term.nodes):
        if shift is None:
            value = _unshifted(drawn, weight)
        else:
            value = _value(drawn.base, shift, total if k == 0 else drawn.base.work[1])
            if weight is not None:
                np.multiply(value, weight, out=value)
        if k:
            np.add(total, value, out=total)
        elif value is not total:
            np.copyto(total, value)
    _finish(term, total)


def _sum_terms(drawn: _Features, terms: list[_Term], total: Matrix) -> None:
    """Several differences; each shift is evaluated once."""
    seen: dict[bytes, Matrix] = {}
    for k, term in enumerate(terms):
        part = total if k == 0 else np.empty_like(total)
        for i, (weight, shift, key) in enumerate(term.nodes):
            if shift is not None and key not in seen:
                seen[key] = _value(drawn.base, shift, None)
            value = _unshifted(drawn, weight) if shift is None else seen[key]
            if shift is not None and weight is not None:
                value = value * weight
            if i:
                np.add(part, value, out=part)
            else:
                np.copyto(part, value)
        _finish(term, part)
        if k:
            np.add(total, part, out=total)


def _finish(term: _Term, part: Matrix) -> None:
    if term.scale is not None:
        np.divide(part, term.scale, out=part)
    if term.coefficient is not None:
        np.multiply(part, term.coefficient, out=part)


def _squares(base: _Base) -> Float[np.ndarray, " n"]:
    """The mean over the features of σ² + σ'²(2 (w·x)² + z²), for each interior point."""
    slope, products = base.evaluated(1), base.argument - base.b
    size = roundoff.typical_square(base.value, slope, products, base.argument)
    return np.asarray(np.mean(size, axis=1, dtype=np.float64))


@cache
def _lwork(rows: int, columns: int) -> int:
    size, _ = scipy.linalg.lapack.dgesdd_lwork(rows, columns, compute_uv=0)
    return int(size)


def _singular_values(stored: Matrix, arithmetic: str) -> Values:
    """As :func:`numerics.spectra.spectrum.floating_singular_values` of a matrix of float64, with fewer checks."""
    matrix = np.asarray(stored, dtype=np.float64)
    if not math.isfinite(matrix.sum()) and not np.isfinite(matrix).all():
        raise InputError(f"features: an entry of A is not finite in {arithmetic}")
    _, values, _, info = scipy.linalg.lapack.dgesdd(matrix, compute_uv=0, lwork=_lwork(*matrix.shape))
    return np.asarray(values) if info == 0 else floating_singular_values(matrix)


@dataclass(frozen=True)
class DrawnSpectra:
    """Singular values, descending, one draw a row.

    Attributes:
        ad: of the stored A_AD, shape (draws, n).
        fd: of the stored A_FD.
        entry_error: typical size τ of the rounding error of an entry of A_FD, by draw (:mod:`numerics.differences.floor`).
        spread: √N + √M, which makes it the floor.
    """

    ad: Float[np.ndarray, "draws n"]
    fd: Float[np.ndarray, "draws n"]
    entry_error: Float[np.ndarray, " draws"]
    spread: float


Tell = Callable[[int, int], None]
"""Called with how many draws are done, and of how many."""


def float_draws(
    template: Problem, seeds: range, arithmetic: Arithmetic, tell: Tell = lambda done, total: None
) -> DrawnSpectra:
    """Spectra of A_AD and A_FD in ``float32`` or ``float64`` for each seed; ``tell`` is told of every draw.

    Raises:
        InputError: exact arithmetic, features that are given and not drawn, or an entry that is not finite.
    """
    return drawn_over_steps(template, seeds, arithmetic, template.step[:1], tell)[0]


def drawn_over_steps(
    template: Problem,
    seeds: range,
    arithmetic: Arithmetic,
    steps: Sequence[Fraction],
    tell: Tell = lambda done, total: None,
) -> list[DrawnSpectra]:
    """:func:`float_draws` for each of several steps h; A_AD does not depend on it and is decomposed once a draw.

    Raises:
        InputError: as :func:`float_draws`.
    """
    if arithmetic == "exact":
        raise InputError("arithmetic: exact spectra are computed one by one; allowed: float32, float64")
    if isinstance(template.weights, tuple) or isinstance(template.biases, tuple):
        raise InputError("features: the weights and biases are given; give laws, of which there are draws")
    table = template.to_dict()
    table["sweep"] = {
        "features.seed": {"range": [seeds.start, seeds.stop]},
        "arithmetic": [arithmetic],
        "difference.step": [[str(h)] for h in steps] if len(template.step) == 1 else [[str(h) for h in template.step]],
    }
    sweep = sweep_grid.sweep_from_table(table)
    bench = Workbench(Plan(sweep))
    found: list[list[FloatSpectra]] = [[] for _ in range(len(steps))]
    for position in range(sweep.total):
        index = sweep.indices(position)[2]
        found[index].append(bench.float_spectra(position))
        tell(position + 1, sweep.total)
    return [_stacked(one) for one in found]


def _stacked(found: Sequence[FloatSpectra]) -> DrawnSpectra:
    return DrawnSpectra(
        np.stack([one.ad for one in found]),
        np.stack([one.fd for one in found]),
        np.array([one.entry_error for one in found]),
        found[0].spread,
    )


def own_entry_error(tried: Sequence[Problem], arithmetic: Arithmetic) -> float:
    """Typical size of the rounding errors of the entries of A_AD itself: the root mean square over some draws.

    Measured in float32 against float64; in float64 the same times the quotient of the unit round-offs.
    """
    squares = []
    for one in tried:
        squares.append(float(np.mean((float_matrix(one, "ad", "float32") - float_matrix(one, "ad", "float64")) ** 2)))
    return float(np.sqrt(np.mean(squares)) * float(UNIT_ROUNDOFF[arithmetic] / UNIT_ROUNDOFF["float32"]))


def own_floor(drawn: DrawnSpectra, noise: float) -> Float[np.ndarray, " draws"]:
    """Where the singular values of A_AD itself are noise, by draw: of its entries, or of LAPACK's float64 (u σ_1)."""
    return np.asarray(np.maximum(noise, float(UNIT_ROUNDOFF["float64"]) * drawn.ad[:, 0]))
