"""The three ways in which a question can fail, one exception each."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input: the message is one line that names the key, the value and what is allowed (exit status 2)."""


class NonexistenceError(InputError):
    """The object asked for does not exist mathematically, such as a divergent expectation (exit status 2)."""


class PrecisionCapError(RuntimeError):
    """The digits asked for were not reached under the precision cap; says what is needed (exit status 1)."""
