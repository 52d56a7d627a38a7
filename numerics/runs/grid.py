"""The grid of a sweep: axes from a file's ``[sweep]`` table, cells by position, and their problems quickly.

A sweep file is a problem file with a table ``[sweep]`` of dotted keys to lists, or to ``{range = [first, stop]}`` for
the integers ``first, …, stop − 1``.  Its cells are all combinations, the last axis fastest.  Two keys of the table are
no axes: ``compute`` names what is computed in a cell, and ``arithmetic`` (one or a list of ``float32``, ``float64``,
``exact``) the arithmetic of its matrices, by default that of ``arithmetic.dtype``.

Reading a problem file's content takes about half a millisecond, most of it SymPy's; a cell's spectra take as long.
Keys are therefore taken in groups that act on disjoint attributes of a problem (:data:`numerics.runs.grid.GROUPS`):
each combination of a group's values is read once, and a cell is put together from what was read.  A cell that does not
come apart this way is read in full, which also words its error.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from numerics.problem import file as problem_file
from numerics.problem.problem import ARITHMETICS, Arithmetic, Problem
from theory.base.errors import InputError, NonexistenceError, nearest
from theory.entropy.conventions import Convention

COMPUTED = ("entropy", "spectrum", "train", "advise")
"""What a sweep may compute in each cell."""
MAX_CELLS = 1_000_000
"""Largest sweep."""
ARITHMETIC = "sweep.arithmetic"
"""Key of the axis that ``sweep.arithmetic`` makes."""
VERSION = 1
"""Raised whenever a cell of the same file may come out differently; stored cells of others are not read."""

GROUPS: dict[str, int] = {
    "posing": 0,
    "points": 1,
    "features": 2,
    "seed": 3,
    "arithmetic": 4,
    "difference": 5,
    "training": 6,
    "entropy": 7,
}
"""Groups of keys that act on disjoint attributes of a problem, in the order in which they vary: what is cheap to
change comes last, so that neighbouring cells share their matrices."""


def group_of(key: str) -> str:
    """The group of a dotted key."""
    table = key.partition(".")[0]
    if key == "features.seed":
        return "seed"
    if key == ARITHMETIC:
        return "arithmetic"
    return "posing" if table == "problem" or key == "points.boundary" else table


@dataclass(frozen=True)
class Axis:
    """One key of the grid, with its values as a problem file spells them."""

    key: str
    values: Sequence[Any]

    @cached_property
    def spelled(self) -> tuple[str, ...]:
        """The values in canonical JSON."""
        return tuple(canonical(value) for value in self.values)

    @cached_property
    def pairs(self) -> tuple[str, ...]:
        """``"key":value`` in JSON for each value; lists and tables as text, so that a row stays flat."""
        nested = [isinstance(value, list | dict) for value in self.values]
        return tuple(f'"{self.key}":{json.dumps(s) if n else s}' for s, n in zip(self.spelled, nested, strict=True))


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True)
class Sweep:
    """All combinations of the axes, on a base problem.

    Attributes:
        table: content of the problem file, without ``[sweep]``.
        axes: in the order of the file.
        compute: one of :data:`COMPUTED`.
    """

    table: Mapping[str, Any]
    axes: tuple[Axis, ...]
    compute: str = "entropy"

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of values on each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def total(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    def indices(self, position: int) -> tuple[int, ...]:
        """Index on each axis of a cell."""
        found = []
        for size in reversed(self.shape):
            position, index = divmod(position, size)
            found.append(index)
        return tuple(reversed(found))

    def assignment(self, position: int) -> dict[str, Any]:
        """Key to value of a cell."""
        return {a.key: a.values[i] for a, i in zip(self.axes, self.indices(position), strict=True)}

    def flat_text(self, position: int) -> str:
        """The keys and values of a cell as the inside of a flat JSON object."""
        return ",".join([a.pairs[i] for a, i in zip(self.axes, self.indices(position), strict=True)])

    def table_with(self, assignment: Mapping[str, Any]) -> dict[str, Any]:
        """The content of the problem file of a cell."""
        tables = {name: dict(rows) if isinstance(rows, dict) else rows for name, rows in self.table.items()}
        for key, value in assignment.items():
            if key != ARITHMETIC:
                name, _, field = key.partition(".")
                tables.setdefault(name, {})[field] = value
        return tables

    @cached_property
    def _content(self) -> str:
        """Everything that the cells have in common, canonically: a swept key's value in the base plays no part."""
        swept = {axis.key for axis in self.axes}
        base = {
            name: {field: v for field, v in rows.items() if f"{name}.{field}" not in swept}
            if isinstance(rows, dict)
            else rows
            for name, rows in self.table.items()
        }
        return canonical([VERSION, self.compute, {name: rows for name, rows in base.items() if rows}, sorted(swept)])

    @cached_property
    def digest(self) -> str:
        """A digest of the whole sweep."""
        text = self._content + canonical([[axis.key, axis.spelled] for axis in self.axes])
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def keys(self) -> Iterator[str]:
        """The content key of every cell, by position: that of the same cell in any other sweep of the same base."""
        start = hashlib.sha256(self._content.encode())
        order = sorted(range(len(self.axes)), key=lambda k: self.axes[k].key)
        for values in itertools.product(*(axis.spelled for axis in self.axes)):
            digest = start.copy()
            digest.update("\n".join([values[k] for k in order]).encode())
            yield digest.hexdigest()[:32]

    def computing_order(self) -> list[int]:
        """The positions of all cells, those next to each other that share most."""
        order = sorted(range(len(self.axes)), key=lambda k: GROUPS[group_of(self.axes[k].key)])
        strides = [math.prod(self.shape[k + 1 :]) for k in range(len(self.axes))]
        positions = [0]
        for k in order:
            steps = [i * strides[k] for i in range(self.shape[k])]
            positions = [p + step for p in positions for step in steps]
        return positions


def load_sweep(path: Path | str) -> Sweep:
    """The sweep in a file.

    Raises:
        InputError: the file cannot be read, has no ``[sweep]`` table or one that is not allowed; names the file.
    """
    table = problem_file.load_table(path)
    try:
        return sweep_from_table(table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def sweep_from_table(table: Mapping[str, Any]) -> Sweep:
    """The sweep that a file's content spells.

    Raises:
        InputError: one line that names the key.
    """
    content = dict(table)
    given = content.pop("sweep", None)
    if not isinstance(given, dict):
        raise InputError("sweep: missing; a sweep file is a problem file with a [sweep] table of keys to lists")
    given = dict(given)
    compute = given.pop("compute", "entropy")
    if compute not in COMPUTED:
        hint = nearest(compute, COMPUTED) if isinstance(compute, str) else ""
        raise InputError(f"sweep.compute: {_short(compute)}; {hint}allowed: {', '.join(COMPUTED)}")
    axes = []
    known = problem_file.known_keys()
    for key, value in _flatten(given):
        if key == "arithmetic":
            axes.append(_arithmetics(value))
            continue
        _check_key(key, known)
        axes.append(Axis(key, _values(key, value)))
    if not axes:
        raise InputError('sweep: no axis; give a dotted key a list, such as "features.seed" = {range = [0, 8]}')
    repeated = [a.key for i, a in enumerate(axes) if a.key in {b.key for b in axes[:i]}]
    if repeated:
        raise InputError(f"sweep.{repeated[0]}: given twice")
    for name, rows in content.items():
        if name in known and name != "boundary" and not isinstance(rows, dict):
            raise InputError(f"{name}: expected a table")
    sweep = Sweep(content, tuple(axes), compute)
    if sweep.total > MAX_CELLS:
        raise InputError(f"sweep: {sweep.total} cells; at most {MAX_CELLS} are allowed")
    return sweep


def _short(value: Any) -> str:
    try:
        return repr(value)[:60]
    except ValueError:  # an integer too long to print
        return "an integer of too many digits"


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys, quoted or not: ``features.seed = …`` makes nested tables, ``"features.seed" = …`` does not."""
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "range" not in value and name.count(".") < 2:
            yield from _flatten(value, f"{name}.")
        else:
            yield name, value


def _check_key(key: str, known: Mapping[str, tuple[str, ...]]) -> None:
    table, _, field = key.partition(".")
    shown = repr(key)[1:-1][:60]
    tables = [name for name in known if name != "boundary"]
    if table == "boundary":
        raise InputError(f"sweep.{shown}: [[boundary]] tables cannot be swept; allowed: {', '.join(tables)}")
    if table not in known:
        options = [f"{name}.{k}" for name in tables for k in known[name]] + ["compute", "arithmetic"]
        raise InputError(f"sweep.{shown}: unknown; {nearest(key, options)}allowed: table.key of a problem file")
    if field not in known[table]:
        hint = nearest(field, known[table])
        raise InputError(f"sweep.{shown}: unknown key; {hint}allowed in {table}: {', '.join(known[table])}")


def _arithmetics(given: Any) -> Axis:
    values = given if isinstance(given, list) else [given]
    for value in values:
        if value not in ARITHMETICS:
            raise InputError(f"sweep.arithmetic: {_short(value)}; allowed: {', '.join(ARITHMETICS)}, or a list")
    return Axis(ARITHMETIC, _values("arithmetic", values))


def _values(key: str, given: Any) -> Sequence[Any]:
    if isinstance(given, dict):
        return _range(key, given)
    if not isinstance(given, list):
        raise InputError(f"sweep.{key}: {_short(given)}; give a list of values or {{range = [first, stop]}}")
    if not given:
        raise InputError(f"sweep.{key}: an empty list; give at least one value")
    if len(given) > MAX_CELLS:
        raise InputError(f"sweep.{key}: {len(given)} values; at most {MAX_CELLS} are allowed")
    try:
        spelled = [canonical(value) for value in given]
    except (TypeError, ValueError):
        raise InputError(f"sweep.{key}: only numbers, texts, lists and tables are allowed") from None
    seen: set[str] = set()
    for text in spelled:
        if text in seen:
            raise InputError(f"sweep.{key}: {text[:60]} is listed twice")
        seen.add(text)
    return tuple(given)


def _range(key: str, given: Mapping[str, Any]) -> range:
    bounds = given.get("range")
    whole = isinstance(bounds, list) and len(bounds) == 2 and all(type(b) is int for b in bounds)
    if set(given) != {"range"} or not whole:
        raise InputError(f"sweep.{key}: {_short(given)}; write {{range = [first, stop]}} with two integers")
    first, stop = bounds  # type: ignore[misc]
    if not 0 < stop - first <= MAX_CELLS:
        raise InputError(f"sweep.{key}: range [{_short(first)}, {_short(stop)}]; allowed: first < stop, at most"
                         f" {MAX_CELLS} values")  # fmt: skip
    return range(first, stop)


ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "points": ("interior", "layout", "points_seed"),
    "features": ("activation_name", "weights", "biases", "count", "activation"),
    "difference": ("stencil", "step", "difference"),
    "arithmetic": ("dtype", "digits"),
    "training": ("training",),
    "entropy": ("convention",),
}
"""What each group of keys determines: fields of a problem, and attributes it computes from those fields alone (and
from the operator, which only the group ``posing`` changes)."""

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """A mapping that keeps its ``size`` most recently used entries."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The entry of the key, made when it is absent."""
        entries = self._entries
        if key in entries:
            entries.move_to_end(key)
            return entries[key]
        value = entries[key] = make()
        if len(entries) > self._size:
            entries.popitem(last=False)
        return value


@dataclass(frozen=True)
class Cell:
    """One combination of a sweep.

    Attributes:
        position: in the grid.
        assignment: key to value, as the file spells them.
        problem: what they pose.
        arithmetic: of the matrices.
    """

    position: int
    assignment: dict[str, Any]
    problem: Problem
    arithmetic: Arithmetic


class Plan:
    """The cells of a sweep; keeps what was read, so one plan serves many cells of one process."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        shape = sweep.shape
        strides = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
        self._axes: dict[str, list[tuple[int, int]]] = {group: [] for group in GROUPS}
        for axis, stride, size in zip(sweep.axes, strides, shape, strict=True):
            self._axes[group_of(axis.key)].append((stride, size))
        self._joined: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        keys = {axis.key for axis in sweep.axes} - {ARITHMETIC}
        swept = {group_of(key) for key in keys}
        self._parts = [(group, names) for group, names in ATTRIBUTES.items() if group in swept]
        self._read: Recent[Problem | None] = Recent(4096)
        self._arithmetics: Recent[Arithmetic] = Recent(64)
        self._conventions: Recent[Convention] = Recent(4096)

    def token(self, position: int, *groups: str) -> int:
        """What tells the values of some groups apart: equal numbers, equal values (of one plan and these groups)."""
        axes = self._joined.get(groups)
        if axes is None:
            axes = self._joined[groups] = [axis for group in groups for axis in self._axes[group]]
        total = 0
        for stride, size in axes:
            total += position // stride % size * stride
        return total

    def cell(self, position: int) -> Cell:
        """A cell.

        Raises:
            InputError: the cell poses no problem.
            NonexistenceError: nor does mathematics.
        """
        assignment = self.sweep.assignment(position)
        problem = self._assembled(position, assignment)
        if problem is None:
            problem = problem_file.problem_from_dict(self.sweep.table_with(assignment))
        return Cell(position, assignment, problem, cast(Arithmetic, assignment.get(ARITHMETIC, problem.dtype)))

    def arithmetic(self, position: int) -> Arithmetic:
        """The arithmetic of a cell's matrices; raises as :meth:`cell` does."""
        return self._arithmetics.get(self.token(position, "arithmetic"), lambda: self.cell(position).arithmetic)

    def convention(self, position: int) -> Convention:
        """The entropy convention of a cell; raises as :meth:`cell` does."""
        return self._conventions.get(self.token(position, "entropy"), lambda: self.cell(position).problem.convention)

    def _assembled(self, position: int, assignment: dict[str, Any]) -> Problem | None:
        """The problem put together from its groups, or None where that does not work."""
        reference = self._read.get(("posing", self.token(position, "posing")), lambda: self._group(assignment, ""))
        if reference is None:
            return None
        state = dict(vars(reference))
        state.pop("key", None)
        for group, names in self._parts:
            token = (group, self.token(position, "posing", group))
            part = self._read.get(token, lambda group=group: self._group(assignment, group))  # type: ignore[misc]
            if part is None:
                return None
            for name in names:
                state[name] = vars(part)[name]
        if "features.seed" in assignment:
            seed = assignment["features.seed"]
            if type(seed) is not int or not 0 <= seed < 2**63:
                return None
            state["seed"] = seed
        # The parts have passed the checks of Problem; those that join two parts are within one group.
        problem = object.__new__(Problem)
        vars(problem).update(state)
        return problem

    def _group(self, assignment: dict[str, Any], group: str) -> Problem | None:
        """The problem with the assigned values of one group (and of ``posing``); first values elsewhere."""
        keys = {axis.key: axis.values[0] for axis in self.sweep.axes}
        keys |= {key: v for key, v in assignment.items() if group_of(key) in {group, "posing"}}
        try:
            return problem_file.problem_from_dict(self.sweep.table_with(keys))
        except (InputError, NonexistenceError):
            return None

    def check(self) -> None:
        """Refuses a sweep that poses no problem at all.

        Looks at the first cell and at those that differ from it on one axis, 200 at most.

        Raises:
            InputError: none of these is a problem; the reason of the first.
            NonexistenceError: the same.
        """
        first: InputError | NonexistenceError | None = None
        nearby = [0] + [i * stride for axes in self._axes.values() for stride, size in axes for i in range(1, size)]
        for position in nearby[:200]:
            try:
                self.cell(position)
            except (InputError, NonexistenceError) as error:
                first = first or error
            else:
                return
        if first is not None:
            raise first
