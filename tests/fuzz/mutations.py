"""Hostile inputs: mutations of good ones, by seeded dice; and a watch that nothing is executed and nothing hangs."""

from __future__ import annotations

import copy
import json
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

EVIL_TEXT = (
    "__import__('os').system('touch CANARY')", "eval('1')", "().__class__.__bases__[0].__subclasses__()", "exec",
    "lambda: 0", "open('CANARY','w')", "x.__class__", "u_xx; import os", "{{7*7}}", "${HOME}", "`id`", "$(id)", "%s%n",
    "../../etc/passwd", "\x00", "\ud7ff", "\u202e", "é" * 50, "9" * 5000, "1e999999999", "-1e-999999999", "1/0", "0/0",
    "nan", "inf", "-inf", "0x10", "1_000", "1e5", "x**x**x**x", "(" * 300, "((((x", "sin(" * 80 + "x" + ")" * 80,
    "x**99999", "2**2**2**2**2", "9**9**9", "exp(exp(exp(exp(x))))", "u_" + "x" * 200, "u*u", "u_xx*u", "sqrt(-1)",
    "log(0)", "1/x", "I", "oo", "zoo", "pi", "E", "z", "", " ", "\n", "#", '"', "'", "\\", "[", "]", "{}", "=", ",",
    "normal(0, 0)", "normal(0, -1)", "uniform(1, 0)", "student(0, 1)", "student(1/3, 1)", "cauchy(1e400, 1)",
    "discrete()", "discrete(" + "1," * 500 + "1)", "normal(normal(0,1),1)", "u_t - u_xx", "biharmonic", "helmholtz(x)",
    "relu", "step", "z*exp(-z**2)", "1/z", "abs(z)", "tan(z)", "z**(1/2)", "exp(1/z)", "sign(z)",
)  # fmt: skip
EVIL_VALUES: tuple[Any, ...] = (
    *EVIL_TEXT[::2], 0, -1, 1, 2, 3, 7, 10**6, 10**12, 2**63, 2**64, -(2**63), 10**400, True, False, None, [], {}, [[]],
    [0], [0, 0], [1, 1], [-1, 0, 1], ["1/2", "x"], [[0, 1]], [[1, 0]], [[0, 1], [0, 1]], {"values": []},
    {"values": [0]}, {"values": ["1/3", "1/3"]}, {"values": [[1, 2]]}, {"range": [0, 3]}, {"range": [3, 0]},
    {"range": [0, 10**9]}, {"a": {"b": {"c": 1}}}, "1/100", "1/3", "-1/100", "float16", "float32", "exact", "forward",
)  # fmt: skip
FLAGGED = {"os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "socket.connect", "os.startfile"}


def mutated_text(dice: random.Random, text: str) -> str:
    """One change mostly, up to four: a part deleted, doubled, moved, replaced by hostile text, or a character changed."""
    for _ in range(dice.choice([1, 1, 1, 2, 4])):
        i, j = sorted(dice.randint(0, len(text)) for _ in range(2))
        j = min(j, i + dice.choice([1, 2, 8, 60]))
        kind = dice.randrange(6)
        if kind == 0:
            text = text[:i] + text[j:]
        elif kind == 1:
            text = text[:j] + text[i:j] * dice.choice([1, 3, 40]) + text[j:]
        elif kind == 2:
            k = dice.randint(0, len(text))
            text = text[:k] + text[i:j] + text[k:]
        elif kind == 3:
            text = text[:i] + dice.choice(EVIL_TEXT) + text[j:]
        elif kind == 4:
            text = text[:i] + chr(dice.choice([0, 9, 10, 34, 39, 92, 127, 160, 955, 8722, 0x1F600])) + text[i:]
        else:
            text = text[:i] + dice.choice("0123456789+-*/^().,[]{}=\"'_xyztuw eE#:") + text[i + 1 :]
    return text[:200_000]


def mutated_bytes(dice: random.Random, content: bytes) -> bytes:
    """Bits flipped, parts removed, doubled, zeroed, cut off."""
    found = bytearray(content)
    for _ in range(dice.randint(1, 6)):
        if not found:
            return bytes(dice.randrange(256) for _ in range(dice.randrange(40)))
        i = dice.randrange(len(found))
        n = dice.choice([1, 2, 16, 100, 4096])
        kind = dice.randrange(5)
        if kind == 0:
            found[i] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del found[i : i + n]
        elif kind == 2:
            found[i:i] = found[i : i + n]
        elif kind == 3:
            found[i : i + n] = bytes(len(found[i : i + n]))
        else:
            del found[i:]
    return bytes(found)


def evil(dice: random.Random) -> Any:
    """One of the hostile values, as a copy: it becomes part of a tree that is mutated further."""
    return copy.deepcopy(dice.choice(EVIL_VALUES))


def mutated_tree(dice: random.Random, tree: Any) -> Any:
    """A copy of JSON-like data with one to three places changed, removed, added or wrapped."""
    tree = json.loads(json.dumps(tree))
    for _ in range(dice.choice([1, 1, 2, 3])):
        places = list(_places(tree))
        if not places:
            return evil(dice)
        holder, key = dice.choice(places)
        kind = dice.randrange(6)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder[key], str):
            holder[key] = mutated_text(dice, holder[key])
        elif kind == 2 and isinstance(holder, dict):
            holder[dice.choice(["seed", "tau", "layout", "x", "", "values", "order", "degree", *EVIL_TEXT[:3]])] = evil(
                dice
            )
        elif kind == 3:
            holder[key] = [holder[key]] * dice.choice([1, 2, 50])
        elif kind == 4:
            other, there = dice.choice(places)
            try:
                holder[key] = json.loads(json.dumps(other[there]))
            except (KeyError, IndexError):
                continue
        else:
            holder[key] = evil(dice)
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict | list):
        items = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
        for key, value in items[:200]:
            yield tree, key
            yield from _places(value)


class Hung(BaseException):
    """An input that took too long; no code of ours catches it."""


_watching = False
_seen: list[str] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in FLAGGED:
        _seen.append(f"{event}: {arguments!r:.200}")


_installed = False


@contextmanager
def watched(seconds: float) -> Iterator[None]:
    """Nothing may start a program or a connection, nor take longer than so many seconds."""
    global _watching, _installed
    if not _installed:
        sys.addaudithook(_hook)  # stays for the life of the process, idle outside of a watch
        _installed = True

    def ring(number: int, frame: Any) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _watching = True
    try:
        yield
    finally:
        _watching = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not _seen, _seen


class Tally:
    """What became of the inputs: how many were accepted and refused, and the slowest."""

    def __init__(self) -> None:
        self.accepted = self.refused = 0
        self.slowest: tuple[float, str] = (0.0, "")

    @contextmanager
    def one(self, what: Any, allowed: tuple[type[BaseException], ...], seconds: float = 20) -> Iterator[None]:
        """One input: accepted, or refused by an allowed error whose message is one line of bounded length."""
        start = time.perf_counter()
        try:
            with watched(seconds):
                yield
            self.accepted += 1
        except allowed as error:
            message = str(error)
            assert message, repr(what)[:500]
            assert "\n" not in message, (message, what)
            assert len(message) < 2000, (len(message), message[:300])
            self.refused += 1
        except Hung:
            raise AssertionError(f"longer than {seconds} s: {what!r:.2000}") from None
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} for {what!r:.3000}") from error
        taken = time.perf_counter() - start
        if taken > self.slowest[0]:
            self.slowest = (taken, repr(what)[:300])

    def __str__(self) -> str:
        return (
            f"{self.accepted + self.refused} inputs: {self.accepted} accepted, {self.refused} refused; slowest"
            f" {self.slowest[0]:.2f} s ({self.slowest[1][:120]})"
        )
