"""Three-valued decisions: what a comparison of numbers that are known within bounds comes to.

In ball arithmetic an undecided comparison is ``False``, which is no refutation.  A :class:`Decision` is YES, NO or
UNDECIDED, combines by the strong logic of Kleene (Introduction to Metamathematics, 1952, §64), and refuses to be taken
for a truth value.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import ClassVar, Literal, NoReturn

from theory.errors import InputError

_ROOT = __file__.removesuffix("theory/decision.py")
ROOMS = tuple(f"{_ROOT}{room}/" for room in ("theory", "numerics", "proofs_check"))
"""Where this project's own files are."""
REMEDY = "a Decision is three-valued: combine with &, |, ~, every(…) or some(…); ask for decision.holds (True, False or None)"
"""What to write where a truth value was asked for."""

OTHER = "{} is a class of its own, which may answer anything, and no plain Decision"


class Decision:
    """YES, NO or UNDECIDED, and on how many exact comparisons that rests.

    ``&``, ``|`` and ``~`` combine; ``bool()`` raises, for ``if``, ``and``, ``or`` and ``not`` know two values.  Equality
    is that of the values.

    Attributes:
        holds: True, False, or None where it is undecided.
        compared: the comparisons of exact numbers or enclosures behind it; 0 for one that was told (a constant,
            :meth:`of` a bool, ``every`` of nothing) or that is combined with such a one, which certifies nothing.

    >>> Decision.YES & Decision.UNDECIDED, Decision.NO & Decision.UNDECIDED, ~Decision.UNDECIDED
    (UNDECIDED, NO, UNDECIDED)
    """

    __slots__ = ("_compared", "_holds")
    YES: ClassVar[Decision]
    NO: ClassVar[Decision]
    UNDECIDED: ClassVar[Decision]
    _holds: bool | None
    _compared: int

    def __init__(self) -> None:
        raise TypeError("a Decision is made by a comparison, or told: Decision.of(True), Decision.YES")

    @property
    def holds(self) -> bool | None:
        """True, False, or None where it is undecided."""
        return self._holds

    @property
    def compared(self) -> int:
        """How many exact comparisons it rests on; 0 for one that was told."""
        return self._compared

    @staticmethod
    def of(told: bool | None) -> Decision:
        """The decision that someone says it is; it rests on no comparison.

        Raises:
            TypeError: neither a bool nor None.
        """
        if told is not None and type(told) is not bool:
            raise TypeError(f"Decision.of: {told!r:.40} is not True, False or None")
        return _made(told, 0)

    def __and__(self, other: Decision) -> Decision:
        if type(other) is not Decision:  # another class may answer anything
            return NotImplemented
        return _all(self, other)

    def __or__(self, other: Decision) -> Decision:
        if type(other) is not Decision:  # another class may answer anything
            return NotImplemented
        return ~_all(~self, ~other)

    def __invert__(self) -> Decision:
        if type(self) is not Decision:
            raise TypeError(OTHER.format(type(self).__name__))
        return _made(None if self._holds is None else not self._holds, self._compared)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            raise TypeError(f"{REMEDY}; it equals no {type(other).__name__}")
        return self._holds is other._holds

    def __hash__(self) -> int:
        return hash(self._holds)

    def __bool__(self) -> NoReturn:
        raise TypeError(REMEDY)

    def __repr__(self) -> Literal["YES", "NO", "UNDECIDED"]:
        return "UNDECIDED" if self._holds is None else "YES" if self._holds else "NO"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Decision cannot be changed: {name}")

    def __reduce__(self) -> tuple[object, tuple[bool | None, int]]:
        return _made, (self._holds, self._compared)


def _made(holds: bool | None, compared: int) -> Decision:
    made = object.__new__(Decision)
    object.__setattr__(made, "_holds", holds)
    object.__setattr__(made, "_compared", compared)
    return made


def _all(*parts: Decision) -> Decision:
    for part in parts:
        if type(part) is not Decision:
            raise TypeError(OTHER.format(type(part).__name__))
    holds = False if any(p.holds is False for p in parts) else None if any(p.holds is None for p in parts) else True
    told = any(p.compared == 0 for p in parts)
    return _made(holds, 0 if told else sum(p.compared for p in parts))


Decision.YES = Decision.of(True)
Decision.NO = Decision.of(False)
Decision.UNDECIDED = Decision.of(None)


def from_comparison(holds: bool | None) -> Decision:
    """The decision of one comparison of exact numbers or enclosures; for the functions of this project that make one.

    Called from elsewhere, it is told and no more.
    """
    return _made(holds, int(sys._getframe(1).f_code.co_filename.startswith(ROOMS)))


def _decisions(decisions: Iterable[Decision], what: str) -> tuple[Decision, ...]:
    """These decisions, once each is seen to be one."""
    parts = tuple(decisions)
    for part in parts:
        if type(part) is not Decision:
            raise InputError(f"{what}: {part!r:.40} is not a Decision; compare with below(a, b), same(a, b), …")
    return parts


def every(decisions: Iterable[Decision]) -> Decision:
    """Whether all hold; of none it is a YES that rests on nothing.

    Raises:
        InputError: something else than decisions among them.
    """
    return _all(*_decisions(decisions, "every"))


def some(decisions: Iterable[Decision]) -> Decision:
    """Whether one holds; of none it is a NO that rests on nothing.

    Raises:
        InputError: something else than decisions among them.
    """
    return ~_all(*(~part for part in _decisions(decisions, "some")))
