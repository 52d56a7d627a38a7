"""Problem files: TOML in, a :class:`numerics.problem.problem.Problem` out, or one line that says what is wrong and where.

Decimals mean the decimal as spelled, numbers in quotes are exact rationals, unknown keys are errors that name the
nearest known key.
"""

from __future__ import annotations

import tomllib
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from numerics.problem.problem import MAX_COUNT, Boundary, Layout, Problem, Training, Vector
from theory.base.errors import InputError
from theory.base.exact import MAX_DIGITS, rational, rationals, spell
from theory.base.expressions import nearest
from theory.entropy.conventions import Convention
from theory.features.laws import Law, law
from theory.operators.operator import COORDINATES, StencilChoice, operator

MAX_BYTES = 4_000_000
"""Largest problem file read."""

Number = int | str
"""A number in a file, before it is read exactly (TOML floats arrive as the text that was written)."""


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Values(_Strict):
    values: list[Number | list[Number]]


class _Problem(_Strict):
    operator: str
    domain: list[list[Number]] | None = None
    solution: str | None = None
    rhs: str | None = None
    boundary: str = "dirichlet"
    weight: Number = 1


class _Features(_Strict):
    activation: str
    weights: str | _Values = "normal(0, 1)"
    biases: str | _Values = "normal(0, 1)"
    count: int | None = None
    seed: int = 0


class _Points(_Strict):
    interior: int | list[int] | _Values = 64
    layout: str = "grid"
    seed: int = 0
    boundary: int | None = None


class _Difference(_Strict):
    offsets: list[Number] | None = None
    stencil: str = "central"
    order: int = 2
    step: Number | list[Number] = "1/100"


class _Arithmetic(_Strict):
    dtype: str = "float64"
    digits: int = 12


class _Training(_Strict):
    model: str = "rfm"
    optimizer: str = "gd"
    iterations: int = 1000
    step: Number | None = None
    seeds: int = 8
    scaling: str = "ntk"
    depth: int = 2


class _Boundary(_Strict):
    face: str = "all"
    operator: str = "u"
    value: str | None = None
    count: int = 2
    weight: Number = 1


class _File(_Strict):
    problem: _Problem
    features: _Features
    points: _Points = msgspec.field(default_factory=_Points)
    difference: _Difference = msgspec.field(default_factory=_Difference)
    arithmetic: _Arithmetic = msgspec.field(default_factory=_Arithmetic)
    entropy: dict[str, Any] = {}
    training: _Training = msgspec.field(default_factory=_Training)
    boundary: list[_Boundary] = []


_TABLES: dict[str, type[_Strict]] = {
    "problem": _Problem,
    "features": _Features,
    "points": _Points,
    "difference": _Difference,
    "arithmetic": _Arithmetic,
    "training": _Training,
    "boundary": _Boundary,
}


def known_keys() -> dict[str, tuple[str, ...]]:
    """The keys of each table of a problem file.

    >>> known_keys()["arithmetic"]
    ('dtype', 'digits')
    """
    convention = tuple(field.name for field in fields(Convention))
    return {name: struct.__struct_fields__ for name, struct in _TABLES.items()} | {"entropy": convention}


def load_table(path: Path | str) -> dict[str, Any]:
    """The content of a TOML file, decimals kept as text.

    Raises:
        InputError: no such file, not readable, too large, not UTF-8 or not TOML; the line names the file.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory; a problem file is TOML") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:  # a ValueError also for an integer of too many digits
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not TOML: {error}") from None


def load_problem(path: Path | str) -> Problem:
    """The problem in a file; every error names the file."""
    table = load_table(path)
    try:
        return problem_from_dict(table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def problem_from_dict(table: dict[str, Any]) -> Problem:
    """The problem that a file's content spells.

    Raises:
        InputError: an unknown key, a wrong type or a value that is not allowed; one line.
    """
    if "sweep" in table:
        raise InputError("sweep: a file with a [sweep] table poses many problems; run it with 'adfd sweep'")
    known_tables = known_keys()
    for key in table:
        if key not in known_tables:
            raise InputError(
                f"{_shown(key)}: unknown table; {nearest(key, known_tables)}allowed: {', '.join(known_tables)}"
            )
    for name, known in known_tables.items():
        rows = table.get(name, {})
        for row in rows if isinstance(rows, list) else [rows]:
            for key in row if isinstance(row, dict) else ():
                if key not in known:
                    raise InputError(
                        f"{name}.{_shown(key)}: unknown key; {nearest(key, known)}allowed: {', '.join(known)}"
                    )
    _check_values(table, "")
    try:
        file = msgspec.convert(table, _File, strict=True)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$")
        where = where.rstrip("`").lstrip(".") or "file"
        reason = reason.replace("Object missing required field", "missing").replace("`", "'")
        raise InputError(f"{where}: {reason[0].lower()}{reason[1:]}") from None
    return _build(file)


def _shown(key: str) -> str:
    """A user's key on one line."""
    return repr(key)[1:-1][:60]


def _check_values(item: Any, where: str) -> None:
    """Refuses integers too long to print, and unknown keys beside ``values``."""
    if isinstance(item, dict):
        for key, value in item.items():
            if where.count(".") == 1 and where.startswith(("features.", "points.")) and key != "values":
                raise InputError(
                    f"{where}.{_shown(str(key))}: unknown key; {nearest(str(key), ['values'])}allowed: values"
                )
            _check_values(value, f"{where}.{_shown(str(key))}".lstrip("."))
    elif isinstance(item, list):
        for i, value in enumerate(item):
            _check_values(value, f"{where}[{i}]")
    elif isinstance(item, int) and item.bit_length() > 4 * MAX_DIGITS:
        raise InputError(f"{where}: an integer of more than {MAX_DIGITS} digits")


def _build(file: _File) -> Problem:
    if len(file.boundary) > 64:
        raise InputError(f"boundary: {len(file.boundary)} tables; at most 64 are allowed")
    domain = _domain(file.problem.domain, file.problem.operator)
    dimension = len(domain)
    weights = _weights(file.features.weights, dimension)
    biases = _biases(file.features.biases)
    explicit = [len(v) for v in (weights, biases) if isinstance(v, tuple)]
    count = file.features.count if file.features.count is not None else explicit[0] if explicit else 64
    solution = file.problem.solution
    if solution is None and file.problem.rhs is None:
        raise InputError("problem.solution: give problem.solution or problem.rhs")
    layout: Layout = _choice(file.points.layout, ("grid", "uniform", "sobol"), "points.layout")
    steps = file.difference.step if isinstance(file.difference.step, list) else [file.difference.step]
    for name, value in (("features.seed", file.features.seed), ("points.seed", file.points.seed)):
        if not 0 <= value < 2**63:
            raise InputError(f"{name}: {value}; allowed are 0 to 2**63 - 1")
    return Problem(
        operator_text=file.problem.operator,
        domain=domain,
        solution=solution,
        rhs=file.problem.rhs,
        activation_name=file.features.activation,
        weights=weights,
        biases=biases,
        count=count,
        seed=file.features.seed,
        interior=_interior(file.points.interior, dimension, layout),
        layout=layout,
        points_seed=file.points.seed,
        boundary=_boundary(file, dimension),
        stencil=_stencil(file.difference),
        step=(rational(steps[0], "difference.step"),) if len(steps) == 1 else rationals(steps, "difference.step"),
        dtype=_choice(file.arithmetic.dtype, ("float32", "float64"), "arithmetic.dtype"),
        digits=_within(file.arithmetic.digits, 1, 1000, "arithmetic.digits"),
        convention=_convention(file.entropy),
        training=_training(file.training),
    )


def _choice(value: str, allowed: tuple[str, ...], what: str) -> Any:
    if value not in allowed:
        raise InputError(f"{what}: {value[:60]!r}; {nearest(value, allowed)}allowed: {', '.join(allowed)}")
    return value


def _within(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        raise InputError(f"{what}: {value}; allowed are {low} to {high}")
    return value


def _domain(given: list[list[Number]] | None, text: str) -> tuple[tuple[Fraction, Fraction], ...]:
    if given is None:
        return ((Fraction(-1), Fraction(1)),) * operator(text).dimension
    if not 1 <= len(given) <= len(COORDINATES):
        raise InputError(f"problem.domain: {len(given)} intervals; allowed are 1 to {len(COORDINATES)}")
    intervals = []
    for i, pair in enumerate(given):
        if len(pair) != 2:
            raise InputError(f"problem.domain[{i}]: {len(pair)} numbers; an interval is [low, high]")
        low, high = rationals(pair, f"problem.domain[{i}]")
        if low >= high:
            raise InputError(f"problem.domain[{i}]: [{spell(low)}, {spell(high)}] needs low < high")
        intervals.append((low, high))
    return tuple(intervals)


def _vectors(values: list[Number | list[Number]], dimension: int, what: str) -> tuple[Vector, ...]:
    if not 1 <= len(values) <= MAX_COUNT:
        raise InputError(f"{what}.values: {len(values)} values; allowed are 1 to {MAX_COUNT}")
    vectors = []
    for i, value in enumerate(values):
        vector = rationals(value if isinstance(value, list) else [value], f"{what}.values[{i}]")
        if len(vector) != dimension:
            raise InputError(f"{what}.values[{i}]: {len(vector)} coordinate(s); the domain has {dimension}")
        vectors.append(vector)
    return tuple(vectors)


def _weights(given: str | _Values, dimension: int) -> Law | tuple[Vector, ...]:
    if isinstance(given, _Values):
        return _vectors(given.values, dimension, "features.weights")
    return _law(given, "features.weights")


def _biases(given: str | _Values) -> Law | tuple[Fraction, ...]:
    if isinstance(given, _Values):
        return tuple(b for (b,) in _vectors(given.values, 1, "features.biases"))
    return _law(given, "features.biases")


def _law(text: str, what: str) -> Law:
    try:
        return law(text)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None


def _interior(given: int | list[int] | _Values, dimension: int, layout: Layout) -> Any:
    if isinstance(given, _Values):
        return _vectors(given.values, dimension, "points.interior")
    counts = given if isinstance(given, list) else [given] * (dimension if layout == "grid" else 1)
    if layout == "grid" and len(counts) != dimension:
        raise InputError(f"points.interior: {len(counts)} numbers; the domain has {dimension} dimension(s)")
    if layout != "grid" and len(counts) != 1:
        raise InputError(f"points.interior: layout {layout!r} takes one number of points")
    total = 1
    for n in counts:
        total *= _within(n, 1, MAX_COUNT, "points.interior")
    _within(total, 1, MAX_COUNT, "points.interior")
    return tuple(counts)


def _boundary(file: _File, dimension: int) -> tuple[Boundary, ...]:
    if file.problem.boundary not in {"dirichlet", "none"}:
        raise InputError(
            f"problem.boundary: {file.problem.boundary[:60]!r}; allowed: dirichlet, none"
            " (others are posed by [[boundary]] tables)"
        )
    weight = rational(file.problem.weight, "problem.weight")
    if weight < 0:
        raise InputError(f"problem.weight: {spell(weight)} must not be negative")
    count = file.points.boundary
    if count is None:
        count = 0 if file.boundary or file.problem.boundary == "none" else 2 * dimension
    rows = [Boundary("all", _within(count, 0, MAX_COUNT, "points.boundary"), weight=weight)] if count else []
    for i, b in enumerate(file.boundary):
        w = rational(b.weight, f"boundary[{i}].weight")
        if w < 0:
            raise InputError(f"boundary[{i}].weight: {spell(w)} must not be negative")
        rows.append(Boundary(b.face, _within(b.count, 0, MAX_COUNT, f"boundary[{i}].count"), b.operator, b.value, w))
    return tuple(rows)


def _stencil(given: _Difference) -> StencilChoice:
    if given.offsets is not None:
        if not 1 <= len(given.offsets) <= 41:
            raise InputError(f"difference.offsets: {len(given.offsets)} offsets; allowed are 1 to 41")
        return StencilChoice(offsets=rationals(given.offsets, "difference.offsets"))
    return StencilChoice(given.stencil, _within(given.order, 1, 16, "difference.order"))


def _convention(table: dict[str, Any]) -> Convention:
    try:
        return Convention.from_dict(table)
    except (InputError, TypeError) as error:
        raise InputError(f"entropy.{error}") from None


def _training(given: _Training) -> Training:
    step = None if given.step is None else rational(given.step, "training.step")
    if step is not None and step <= 0:
        raise InputError(f"training.step: {spell(step)} must be positive")
    return Training(
        model=_choice(given.model, ("rfm", "two-layer"), "training.model"),
        optimizer=_choice(given.optimizer, ("gd", "adam", "lbfgs"), "training.optimizer"),
        iterations=_within(given.iterations, 1, 10_000_000, "training.iterations"),
        step=step,
        seeds=_within(given.seeds, 1, 100_000, "training.seeds"),
        scaling=_choice(given.scaling, ("ntk", "standard"), "training.scaling"),
        depth=_within(given.depth, 1, 10, "training.depth"),
    )
