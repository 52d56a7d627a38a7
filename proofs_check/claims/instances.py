"""Where the instances of a user's own claim come from, and what can be said of them.

A list or a Hypothesis strategy supports *these* instances; :func:`whole` names a finite domain that is enumerated; a
:func:`sampler` draws independently from a law, which alone supports a share.  What is counted is distinct instances.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from theory.base.errors import InputError

if TYPE_CHECKING:  # heavy at start-up
    from hypothesis.strategies import SearchStrategy

MOST = 100_000
"""Instances of a cell, at most."""
LEAST_KEPT = 5
"""So many distinct instances at least must meet assumptions that reject some, …"""
LEAST_SHARE = Fraction(1, 5)
"""… and this share of those looked at: else the verdict is VACUOUS."""
REDRAWN = 5
"""So many draws of a law, about, are drawn a second time."""
NODES = 10_000
"""Parts of an instance that are looked at for floats."""

Coverage = Literal["these", "all", "law"]
"""What the instances of a cell are: some, all there are, or independent draws from a law."""
WORDS: dict[Coverage, str] = {"these": "these instances", "all": "all there are", "law": "independent draws from a law"}


@dataclass(frozen=True)
class Sampler:
    """Independent draws from a law: ``draw(seed)``, a function of the seed alone; seeds are independent 63-bit numbers."""

    draw: Callable[[int], Any]

    def seeds(self, count: int) -> Iterator[int]:
        """The seeds of the first draws, the same in every run."""
        generator = random.Random("adfd")
        return (generator.getrandbits(63) for _ in range(count))


@dataclass(frozen=True)
class Whole:
    """A finite domain, all of it."""

    members: tuple[Any, ...]


def sampler(draw: Callable[[int], Any]) -> Sampler:
    """What a claim about most draws quantifies over: the law of ``draw(seed)`` for a random seed.

    >>> import random
    >>> len(list(listed(sampler(lambda seed: random.Random(seed).random()), 5)))
    5
    """
    if not callable(draw):
        raise InputError(f"sampler: {draw!r:.40} is not a function of a seed")
    return Sampler(draw)


def whole(members: Iterable[Any]) -> Whole:
    """A finite domain that is enumerated: what holds there is certified for all of it.

    Raises:
        InputError: it is empty, or has more than ``MOST`` members.

    >>> whole(range(3)).members
    (0, 1, 2)
    """
    found = tuple(islice(members, MOST + 1))
    if not 0 < len(found) <= MOST:
        raise InputError(f"whole: {len(found) or 'no'} members; between 1 and {MOST} are enumerated")
    return Whole(found)


def check_space(space: Any, id: str) -> None:
    """Refuses what cannot be listed twice alike.

    Raises:
        InputError: a generator, a set, a text, or a list that is empty or too long.
    """
    allowed = "a Hypothesis strategy, a list, whole(…), sampler(…), or a function of the cell that returns one of them"
    if isinstance(space, Whole | Sampler) or _is_strategy(space):
        return
    if isinstance(space, str | bytes) or not isinstance(space, Sequence):
        raise InputError(f"claim {id}: over: a {type(space).__name__} cannot be listed twice alike; allowed: {allowed}")
    if not 0 < len(space) <= MOST:
        raise InputError(f"claim {id}: over: {len(space)} instances; between 1 and {MOST} are judged")


def _is_strategy(space: Any) -> bool:
    if "hypothesis.strategies" not in sys.modules:
        return False
    from hypothesis.strategies import SearchStrategy

    return isinstance(space, SearchStrategy)


def coverage(space: Any) -> Coverage:
    """What the instances of a space are."""
    return "law" if isinstance(space, Sampler) else "all" if isinstance(space, Whole) else "these"


def listed(space: Any, count: int) -> Iterable[Any]:
    """The instances of a space: ``count`` draws, or all that are listed."""
    if isinstance(space, Sampler):
        return _drawn(space, count)
    if isinstance(space, Whole):
        return space.members
    return draws(space, count) if _is_strategy(space) else space


def _drawn(law: Sampler, count: int) -> Iterator[Any]:
    """The first draws; what is drawn is drawn again, out of order, for it must depend on the seed alone.

    Raises:
        InputError: another instance comes of a seed.
    """
    found = {}
    for place, seed in enumerate(law.seeds(count)):
        drawn = law.draw(seed)
        if place % max(1, count // REDRAWN) == 0:
            found[seed] = fingerprint(drawn)
        yield drawn
    for seed, first in reversed(found.items()):
        if fingerprint(law.draw(seed)) != first:
            raise InputError(
                f"sampler: seed {seed} gives another instance the second time: a draw is a function of its seed alone"
            )


def strategy(space: Any) -> SearchStrategy[Any]:
    """The space as a Hypothesis strategy, for the search of counterexamples."""
    from hypothesis import strategies

    if isinstance(space, Sampler):
        return strategies.integers(0, 2**63 - 1).map(space.draw)
    if isinstance(space, Whole):
        return strategies.sampled_from(space.members)
    found: SearchStrategy[Any] = space if _is_strategy(space) else strategies.sampled_from(list(space))
    return found


def draws(strategy: SearchStrategy[Any], count: int, seed: int = 0) -> Iterator[Any]:
    """Draws from a strategy that are the same in every process (with the same version of Hypothesis).

    Hypothesis's own generation also tries constants of the modules that happen to be imported; here the choices come
    from seeded bytes alone.

    Raises:
        InputError: the strategy rejects nearly every draw.

    >>> from hypothesis import strategies
    >>> list(draws(strategies.integers(0, 9), 5)) == list(draws(strategies.integers(0, 9), 5))
    True
    """
    from hypothesis import given, settings

    drawn: list[Any] = []

    @settings(database=None, deadline=None)
    @given(strategy)
    def keep(instance: Any) -> None:
        drawn.append(instance)

    target = keep.hypothesis.fuzz_one_input  # type: ignore[attr-defined]
    generator = random.Random(seed)
    for _ in range(100 * count):
        target(generator.randbytes(16_384))
        yield from drawn
        count -= len(drawn)
        drawn.clear()
        if count <= 0:
            return
    raise InputError(
        f"the strategy {str(strategy)[:80]} rejects nearly every draw; build instances instead of filtering"
    )


def distinct(instances: Iterable[Any]) -> tuple[list[Any], int]:
    """Each instance once, in order, and how many there were.

    Numbers that are equal count as one, and so do containers of the same content.  What a class of one's own says of
    its equality is not believed: its instances are all kept.

    >>> distinct([1, 1.0, True, 2, (1, 2), (1, 2)])
    ([1, 2, (1, 2)], 6)
    """
    found: list[Any] = []
    seen: set[Any] = set()
    count = 0
    for instance in instances:
        count += 1
        if count > MOST:
            raise InputError(f"more than {MOST} instances")
        keys: list[Any] = [fingerprint(instance)] if _is_plain(instance) else []
        if type(instance) in NUMBERS:
            keys.append(("equal", instance))
        if not any(key in seen for key in keys):
            found.append(instance)
        seen.update(keys)
    return found, count


NUMBERS = {int, bool, float, Fraction}
PLAIN = NUMBERS | {str, bytes, complex, type(None)}


def _is_plain(value: Any) -> bool:
    """Whether a value's text is written by Python and this project alone."""
    kind = type(value)
    if kind in {tuple, list, set, frozenset}:
        return all(map(_is_plain, value))
    if kind is dict:
        return all(_is_plain(k) and _is_plain(v) for k, v in value.items())
    return kind in PLAIN or kind.__module__.startswith(ROOMS)


def different(instances: Iterable[Any]) -> int:
    """How many of them differ in content."""
    return len({fingerprint(instance) for instance in distinct(instances)[0]})


@dataclass(frozen=True)
class Listing:
    """The instances of a cell of a user's own claim.

    Attributes:
        instances: those to be judged: each once, but of a law every draw.
        drawn: how many were listed or drawn.
        coverage: what they are.
    """

    instances: tuple[Any, ...]
    drawn: int
    coverage: Coverage

    def kept(self, met: Sequence[Any]) -> str | None:
        """Why those that met the assumptions are too few, if they are."""
        total, left = len(self.instances), len(met)
        if self.coverage == "law" and left and different(met) < 2:
            return f"the law gave one instance {left} times"
        if left < total and (left < LEAST_KEPT or left < LEAST_SHARE * total):
            return f"the assumptions keep {left} of {total} instances; {LEAST_KEPT} and {LEAST_SHARE} of them are the least"
        return None

    def words(self, met: Sequence[Any], varying: Mapping[str, Any]) -> str:
        """What was judged, for the summary: of what kind, how many were drawn, what the assumptions left.

        Args:
            met: the instances that were judged.
            varying: what varies among them (:func:`proofs_check.ledger.coverage.judged`).
        """
        parts = [f"all of {_members(self.instances)}" if self.coverage == "all" else WORDS[self.coverage]]
        if self.coverage == "these" and list(varying) == ["instance"]:
            values = varying["instance"]
            if not isinstance(values, str):
                parts = [f"{parts[0]}: {', '.join(values)}"]
            elif " from " in values:
                parts = [f"{parts[0]}: {values}"]
        if self.coverage == "law":
            parts.append(f"{different(met)} distinct{_spread(met)}")
        elif self.drawn > (count := different(self.instances)):
            parts.append(f"{count} distinct of {self.drawn} drawn")
        if len(met) < len(self.instances):
            parts.append(f"the assumptions keep {len(met)} of {len(self.instances)}")
        return ", ".join(parts)


def _spread(numbers: Sequence[Any]) -> str:
    """From where to where the draws of a law lie, where they are numbers: a law may be nearly one number."""
    if len(numbers) < 2 or not all(type(one) in NUMBERS and one == one for one in numbers):
        return ""
    with long_integers():
        ends = [str(end) for end in (min(numbers), max(numbers))]
    return f", from {ends[0]} to {ends[1]}" if max(map(len, ends)) <= 40 else ""


def _members(instances: Sequence[Any]) -> str:
    """A finite domain as a set, shortened in the middle."""
    with long_integers():
        shown = [repr(one)[:40] for one in (*instances[:4], *instances[-1:])]
    if len(instances) <= 5:
        return f"{{{', '.join(shown[: len(instances)])}}}"
    return f"{{{', '.join(shown[:4])}, …, {shown[-1]}}}, {len(instances)} in number"


def listing(instances: Iterable[Any], coverage: Coverage) -> Listing:
    """The instances to be judged.

    Raises:
        InputError: more than ``MOST``.
    """
    if coverage == "law":
        draws = tuple(islice(instances, MOST + 1))
        return Listing(draws, len(draws), coverage)
    found, count = distinct(instances)
    return Listing(tuple(found), count, coverage)


_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


DEPTH = 40
"""So deep are instances read."""


def fingerprint(value: Any) -> str:
    """A digest of an instance's content, the same in every process."""
    with long_integers():
        return hashlib.sha256(_text(value).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _text(value: Any, depth: int = 0) -> str:
    """Containers and dataclasses part by part (sets have no order, and arrays are written without their middle)."""
    kind, inner = type(value).__qualname__, depth + 1
    if depth > DEPTH:
        return kind
    if isinstance(value, tuple | list):
        return f"{kind}[{','.join(_text(part, inner) for part in value)}]"
    if isinstance(value, set | frozenset):
        return f"{kind}{{{','.join(sorted(_text(part, inner) for part in value))}}}"
    if isinstance(value, Mapping):
        return f"{kind}{{{','.join(f'{_text(k, inner)}:{_text(v, inner)}' for k, v in value.items())}}}"
    if is_dataclass(value):
        return f"{kind}({','.join(_text(getattr(value, f.name, None), inner) for f in fields(value))})"
    if hasattr(value, "tobytes") and hasattr(value, "shape"):
        return f"{kind}{value.shape}{value.dtype}{value.tobytes().hex()}"
    text = repr(value)
    if not _ADDRESS.search(text):
        return text
    attributes = sorted(getattr(value, "__dict__", {}).items(), key=lambda pair: str(pair[0]))
    return _ADDRESS.sub("", text) + _text(attributes, inner)


@contextmanager
def long_integers() -> Iterator[None]:
    """Integers of any length are written out inside."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(limit)


ROOMS = ("theory.", "numerics.", "proofs_check.")
"""Classes of this project hold exact numbers, and training parameters, which no exact statement reads."""


def inexact(value: Any) -> str | None:
    """The first floating-point number inside a value, as text; None where there is none among its first parts.

    >>> inexact((1, {"a": [0.5]})), inexact((1, Fraction(1, 2)))
    ('0.5', None)
    """
    queue, seen = [value], 0
    while queue and seen < NODES:
        part = queue.pop()
        seen += 1
        kind = type(part)
        if isinstance(part, float | complex) or _is_inexact(part):
            return f"{part!r:.40}"
        if isinstance(part, int | str | bytes | Fraction) or kind.__module__.startswith(ROOMS) or callable(part):
            continue
        if isinstance(part, Mapping):
            queue += [*part.keys(), *part.values()]
        elif isinstance(part, tuple | list | set | frozenset):
            queue += part
        else:
            queue += getattr(part, "__dict__", {}).values()
            queue += [getattr(part, name, None) for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]
    return None


def _is_inexact(part: Any) -> bool:
    """Of another library: Decimal, mpmath's numbers, SymPy's Float, numpy's and torch's floating types."""
    name = type(part).__module__.partition(".")[0]
    if name in {"decimal", "_decimal", "mpmath"}:
        return True
    if name == "sympy":
        import sympy

        return isinstance(part, sympy.Basic) and part.has(sympy.Float)
    if name == "numpy":
        dtype = getattr(part, "dtype", None)
        return dtype is not None and (dtype.kind in "fc" or (dtype.kind == "O" and inexact(part.tolist()) is not None))
    if name == "torch":
        return bool(getattr(part, "is_floating_point", lambda: False)())
    return False
