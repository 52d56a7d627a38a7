"""``adfd entropy --certificate``: what is printed is what the file proves, no more."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from numerics.enclosure import Enclosure
from numerics.entropies import EntropyEnclosure
from numerics.entropy_certificates import entropy_certificate
from numerics.problem import Problem
from numerics.step_interval import IntervalVerdict, Piece
from proofs_check.proof_objects import accepted, is_certificate
from proofs_check.step_proofs import step_certificate
from theory.conventions import Convention
from theory.files import check_output, write

SIGN = {"fd<ad": -1, "fd>ad": 1}
"""The sign of H_FD − H_AD by its name."""


def may_write(path: Path, problem: str, force: bool) -> None:
    """Refuses a file that may not be written, before anything is computed.

    Raises:
        InputError: see :func:`theory.files.check_output`.
    """
    check_output(path, option="--certificate", force=force, known=is_certificate, inputs=[problem])


def proved_entropies(
    problem: Problem, convention: Convention, digits: int, path: Path, force: bool
) -> tuple[dict[str, EntropyEnclosure], Enclosure]:
    """Writes the proof object; both entropies as it states them, and their difference.

    Raises:
        PrecisionCapError: an entropy is not proven to exist, or the checker refuses the proof.
    """
    data = accepted(entropy_certificate(problem, convention, digits))
    found = {}
    for method, claim in data["entropies"].items():
        low, high = claim["cutoff"]
        found[method] = EntropyEnclosure(_enclosure(claim), (low, high))
    _write(data, path, force)
    return found, _enclosure(data["gap"])


def proved_steps(
    problem: Problem, convention: Convention, low: Fraction, high: Fraction, path: Path, force: bool, seconds: float
) -> IntervalVerdict:
    """Writes the proof object; its pieces, and what lies between them as undecided.

    Raises:
        PrecisionCapError: nothing is proven.
    """
    start = time.perf_counter()
    data = accepted(step_certificate(problem, convention, low, high, seconds=seconds))
    pieces, end = [], low
    for piece in data["pieces"]:
        a, b = Fraction(piece["low"]), Fraction(piece["high"])
        if end < a:
            pieces.append(Piece(end, a, None, None))
        pieces.append(Piece(a, b, SIGN[piece["sign"]], None))
        end = b
    if end < high:
        pieces.append(Piece(end, high, None, None))
    _write(data, path, force)
    signs = {piece.sign for piece in pieces}
    decided = sum((p.high - p.low for p in pieces if p.sign is not None), Fraction(0)) / (high - low)
    sign = signs.pop() if len(signs) == 1 else None
    return IntervalVerdict(tuple(pieces), sign, float(decided), len(data["pieces"]), time.perf_counter() - start)


def _enclosure(claim: dict[str, Any]) -> Enclosure:
    low, high = (int(claim[end][0]) * Fraction(10) ** claim[end][1] for end in ("lower", "upper"))
    return Enclosure(low, high)


def _write(data: dict[str, Any], path: Path, force: bool) -> None:
    write(path, json.dumps(data), option="--certificate", force=force, known=is_certificate)
