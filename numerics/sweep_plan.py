"""The problem of each cell of a sweep, without reading the same text again and again.

Reading a problem file's content takes about half a millisecond, most of it SymPy's; a cell's spectra take as long.
Keys are therefore taken in groups that act on disjoint attributes of a problem (:data:`numerics.sweep_grid.GROUPS`):
each combination of a group's values is read once, and a cell is put together from what was read.  A cell that does not
come apart this way is read in full, which also words its error.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from numerics import problem_file
from numerics.problem import Arithmetic, Problem
from numerics.sweep_grid import ARITHMETIC, GROUPS, Sweep, group_of
from theory.conventions import Convention
from theory.errors import InputError, NonexistenceError

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
            problem = problem_file.from_dict(self.sweep.table_with(assignment))
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
            return problem_file.from_dict(self.sweep.table_with(keys))
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
