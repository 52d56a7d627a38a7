"""Numbers and lists in words, the same in the page, its figures and its LaTeX."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from proofs_check import coverage
from proofs_check.report.records import Claim

ARITHMETIC_WORDS = {"exact": "exact arithmetic", "float64": "float64", "float32": "float32"}
"""The arithmetics, in the order of the tables."""
ARITHMETICS = tuple(ARITHMETIC_WORDS)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float) -> str:
    """A power of ten in plain characters, which matplotlib draws ten times as fast as its mathematics.

    >>> power_of_ten(1e-12)
    '10⁻¹²'
    """
    return "10" + str(round(math.log10(value))).translate(_SUPERSCRIPTS)


def scientific(value: float, digits: int) -> str:
    """Mantissa and power of ten.

    >>> scientific(2.41e-14, 1)
    '2.4·10⁻¹⁴'
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def listed(items: Sequence[str]) -> str:
    """``a, b and c``.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def checked(claim: Claim) -> str:
    """What a claim was checked for: its cells, and the instances that were judged in them."""
    found = {"cells": len(claim.cells), "coordinates": coverage.coordinates([cell.scope for cell in claim.cells])}
    judged = [data for cell in claim.cells if (data := coverage.told_by(cell.evidence.data)) is not None]
    return coverage.sentence(found | (coverage.merged(judged) if judged else {}))


def came_to(step: Mapping[str, Any]) -> str:
    """What a step of a proof came to, in a word.

    >>> came_to({"run": True, "holds": False}), came_to({"run": False, "holds": None})
    ('WRONG', 'not run')
    """
    if not step.get("run"):
        return "not run"
    words: dict[Any, str] = {True: "checked", False: "WRONG"}
    return words.get(step.get("holds"), "undecided")


def standing(rule: str | None, step: Mapping[str, Any]) -> str:
    """On what a step of a derivation stands: told, cited, a claim of its own, or what came of running it."""
    told = {None: "not checked", "cited": "a cited theorem", "claim": "a claim of its own"}
    if rule in told:
        return told[rule]
    return f"{came_to(step)} ({rule}): {step.get('detail', '')}" if step.get("run") else f"{rule}, not run"
