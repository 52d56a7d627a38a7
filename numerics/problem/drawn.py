"""Features and points, drawn once and then exact.

Random weights and biases come from numpy's PCG64, one stream each, spawned from ``SeedSequence(seed)``; feature j
takes the j-th draws of its streams, so that a larger ``count`` extends a smaller one.  The float64 draws are then
taken as the exact rationals they are, in every arithmetic.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from numerics.problem.problem import Boundary, Problem, Vector
from theory.base.errors import InputError
from theory.features.laws import Cauchy, Constant, Discrete, Laplace, Law, Normal, Student, Uniform
from theory.operators.operator import LinearOperator


def sample(law: Law, size: int, generator: np.random.Generator) -> Float[np.ndarray, " size"]:
    """``size`` independent draws of ``law`` in float64; the first n of them do not depend on ``size``.

    Raises:
        InputError: a law without a sampler, or whose draws leave the range of float64.
    """
    try:
        with np.errstate(all="ignore"):
            found = _draws(law, size, generator)
    except OverflowError:  # a parameter beyond the range
        found = np.full(1, np.inf)
    if not np.isfinite(found).all():
        raise InputError(f"features: a draw of {law} is beyond the range of float64; allowed: laws with finite draws")
    return found


def _draws(law: Law, size: int, generator: np.random.Generator) -> Float[np.ndarray, " size"]:
    match law:
        case Normal(mean=mean, std=std):
            return float(mean) + float(std) * generator.standard_normal(size)
        case Uniform(low=low, high=high):
            return float(low) + float(high - low) * generator.random(size)
        case Laplace(location=location, scale=scale):
            # By inversion: one uniform number a draw keeps the stream prefix-stable.
            u = generator.random(size) - 0.5
            return np.asarray(float(location) - float(scale) * np.sign(u) * np.log1p(-2 * np.abs(u)))
        case Cauchy(location=location, scale=scale):
            return float(location) + float(scale) * np.tan(np.pi * (generator.random(size) - 0.5))
        case Student(dof=dof, scale=scale):
            draws = [generator.standard_t(float(dof)) for _ in range(size)]
            return float(scale) * np.asarray(draws, dtype=np.float64)
        case Discrete(values=values):
            # Equally likely values, repeated ones counted as often as they are listed.
            table = np.asarray([float(v) for v in values])
            return np.asarray(table[_choices(law, size, generator)])
        case Constant(value=value):
            return np.full(size, float(value))
        case _:
            raise InputError(f"features: no sampler for the law {law}")


def _choices(law: Discrete, size: int, generator: np.random.Generator) -> Int[np.ndarray, " size"]:
    """Positions in the list of values, all equally likely."""
    n = len(law.values)
    return np.minimum((generator.random(size) * n).astype(np.int64), n - 1)


def _exactly(law: Law, size: int, generator: np.random.Generator) -> list[Fraction]:
    """The draws as exact rationals; for discrete laws the exact values themselves, not their roundings."""
    if isinstance(law, Discrete):
        return [law.values[k] for k in _choices(law, size, generator)]
    if isinstance(law, Constant):
        return [law.value] * size
    return [Fraction(float(v)) for v in sample(law, size, generator)]


@dataclass(frozen=True)
class Features:
    """Weights (M, d) and biases (M,), exact."""

    weights: tuple[Vector, ...]
    biases: tuple[Fraction, ...]


@lru_cache(maxsize=64)
def features(problem: Problem) -> Features:
    """The features of a problem, exact."""
    weight_stream, bias_stream = np.random.SeedSequence(problem.seed).spawn(2)
    d, count = problem.dimension, problem.count
    if isinstance(problem.weights, tuple):
        weights = problem.weights
    else:
        flat = _exactly(problem.weights, count * d, np.random.Generator(np.random.PCG64(weight_stream)))
        weights = tuple(tuple(flat[j * d : (j + 1) * d]) for j in range(count))
    if isinstance(problem.biases, tuple):
        biases = problem.biases
    else:
        biases = tuple(_exactly(problem.biases, count, np.random.Generator(np.random.PCG64(bias_stream))))
    return Features(weights, biases)


@lru_cache(maxsize=64)
def interior_points(problem: Problem) -> tuple[Vector, ...]:
    """The interior collocation points, exact.

    A grid has ``lo + (hi − lo) i/(n+1)`` on each axis, the last axis fastest; ``uniform`` draws float64 numbers from
    PCG64, ``sobol`` takes Sobol's points without scrambling (the first, the corner, left out).
    """
    if problem.interior and isinstance(problem.interior[0], tuple):
        return problem.interior
    counts: tuple[int, ...] = problem.interior  # type: ignore[assignment]
    if problem.layout == "grid":
        return _grid(problem.domain, counts)
    (n,) = counts
    if problem.layout == "uniform":
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(problem.points_seed)))
        unit = generator.random((n, problem.dimension))
    else:
        unit = _sobol(n, problem.dimension)
    return tuple(
        tuple(low + (high - low) * Fraction(float(u)) for (low, high), u in zip(problem.domain, row, strict=True))
        for row in unit
    )


@lru_cache(maxsize=64)
def _grid(domain: tuple[tuple[Fraction, Fraction], ...], counts: tuple[int, ...]) -> tuple[Vector, ...]:
    """Problems that differ in their features alone share it."""
    axes = [
        [low + (high - low) * Fraction(i, n + 1) for i in range(1, n + 1)]
        for (low, high), n in zip(domain, counts, strict=True)
    ]
    return tuple(itertools.product(*axes))


def arguments(
    problem: Problem,
) -> tuple[Float[np.ndarray, "N d"], Float[np.ndarray, "M d"], Float[np.ndarray, "N M"]]:
    """Interior points, weights and ``w·x + b`` at each of them, rounded to float64."""
    drawn = features(problem)
    X = np.array([[float(c) for c in point] for point in interior_points(problem)]).reshape(-1, problem.dimension)
    W = np.array([[float(c) for c in w] for w in drawn.weights])
    return X, W, X @ W.T + np.array([float(b) for b in drawn.biases])


def _sobol(n: int, dimension: int) -> Float[np.ndarray, "n d"]:
    from scipy.stats import qmc

    engine = qmc.Sobol(dimension, scramble=False)
    engine.fast_forward(1)
    return np.asarray(engine.random(n), dtype=np.float64)


@dataclass(frozen=True)
class BoundaryRows:
    """Boundary points of one :class:`numerics.problem.problem.Boundary`, with its operator B and weight λ."""

    points: tuple[Vector, ...]
    operator: LinearOperator
    rows: Boundary


@lru_cache(maxsize=64)
def boundary_rows(problem: Problem) -> tuple[BoundaryRows, ...]:
    """The boundary points of a problem, exact, in the order of its boundary conditions."""
    return tuple(
        BoundaryRows(face_points(problem, rows.face, rows.count), problem.boundary_operator(rows), rows)
        for rows in problem.boundary
    )


def face_points(problem: Problem, face: str, count: int) -> tuple[Vector, ...]:
    """So many points of a face, or shared by all of them.

    Raises:
        InputError: no such face.
    """
    names = problem.variables
    faces = [(axis, side) for axis in range(problem.dimension) for side in (0, 1)]
    if face == "all":
        # The final time of an evolution problem carries no condition, nor does a coordinate in which networks are periodic.
        faces = [
            (a, side) for a, side in faces if not (names[a] == "t" and side == 1) and names[a] not in problem.periodic
        ]
    else:
        named = {f"{name}{sign}": (axis, side) for axis, name in enumerate(names) for side, sign in enumerate("-+")}
        if face not in named:
            raise InputError(f"boundary.face: {face!r}; allowed: all, {', '.join(named)}")
        faces = [named[face]]
    points: list[Vector] = []
    for k, (axis, side) in enumerate(faces):
        share = count // len(faces) + (1 if k < count % len(faces) else 0)
        points += _on_face(problem.domain, axis, side, share)
    return tuple(points)


def _on_face(domain: tuple[tuple[Fraction, Fraction], ...], axis: int, side: int, count: int) -> list[Vector]:
    """``count`` points on a face: equispaced on an edge, Halton's points (exact) on a face of higher dimension."""
    others = [i for i in range(len(domain)) if i != axis]
    points = []
    for k in range(count):
        point = [Fraction(0)] * len(domain)
        point[axis] = domain[axis][side]
        for base, i in zip((2, 3, 5), others, strict=False):
            unit = Fraction(2 * k + 1, 2 * count) if len(others) == 1 else _radical_inverse(k + 1, base)
            low, high = domain[i]
            point[i] = low + (high - low) * unit
        points.append(tuple(point))
    return points


def _radical_inverse(k: int, base: int) -> Fraction:
    value, scale = Fraction(0), Fraction(1, base)
    while k:
        k, digit = divmod(k, base)
        value += digit * scale
        scale /= base
    return value
