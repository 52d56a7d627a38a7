"""The three ways in which a question can fail, one exception each."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # every command starts with this module
    from collections.abc import Iterable


class InputError(ValueError):
    """Bad input: the message is one line that names the key, the value and what is allowed (exit status 2)."""


class NonexistenceError(InputError):
    """The object asked for does not exist mathematically, such as a divergent expectation (exit status 2)."""


class PrecisionCapError(RuntimeError):
    """The digits asked for were not reached under the precision cap; says what is needed (exit status 1)."""


def printable(text: str) -> str:
    """A text on one line that a terminal shows as it is: what would steer the terminal is spelled out.

    >>> printable("a\\n b\\x1b[31m\\u202e")
    'a b\\\\x1b[31m\\\\u202e'
    """
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint such as ``"did you mean 'tanh'? "`` for an unknown name, or nothing."""
    import difflib  # only where something is wrong

    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean {close[0]!r}? " if close else ""
