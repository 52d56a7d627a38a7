"""``adfd entropy --step-interval``: the sign of H_FD − H_AD for every step in an interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numerics.problem import Problem
from numerics.step_interval import IntervalVerdict, entropy_sign_on_interval
from proofs_check.commands.output import console, emit, table
from proofs_check.commands.spectrum import SIGNS, interval
from theory.entropy import Convention
from theory.errors import InputError
from theory.exact import spell

SECONDS = 60.0
"""Time after which what is open stays open."""


def entropy_on_interval(
    problem: Problem,
    convention: Convention,
    text: str,
    certify: bool,
    as_json: bool,
    certificate: Path | None = None,
    force: bool = False,
) -> int:
    """Prints what is proven for every step of ``LOW,HIGH``.

    Raises:
        InputError: without ``--certify``, or an interval that is none.
    """
    if not certify:
        raise InputError("--step-interval: a statement on every step of an interval is a proof; add --certify")
    low, high = interval(text)
    if certificate is None:
        found = entropy_sign_on_interval(problem, low, high, convention, seconds=SECONDS)
    else:
        from proofs_check.commands.entropy_proof import proved_steps

        found = proved_steps(problem, convention, low, high, certificate, force, SECONDS)
    runs = _runs(found)
    content: dict[str, Any] = {
        "convention": convention.to_dict() | {"label": convention.label},
        "interval": {"low": spell(low), "high": spell(high)},
        "sign": SIGNS[found.sign],
        "decided": found.decided,
        "pieces": [{"low": a, "high": b, "sign": SIGNS[sign], "count": count} for a, b, sign, count in runs],
        "evaluations": found.evaluations,
        "seconds": found.seconds,
        "certified": True,
    }
    if certificate is not None:
        content["certificate"] = str(certificate)
    if as_json:
        emit(content)
        return 0
    rows = [[a, b, SIGNS[sign], str(count)] for a, b, sign, count in runs]
    table(f"H_FD − H_AD, {convention.label}, exact matrices", ["h from", "to", "for every h", "pieces"], rows)
    console.print(
        f"{content['sign']} for every h in the interval"
        if found.sign is not None
        else f"proven on {100 * found.decided:.1f} % of the interval, {found.evaluations} pieces examined",
        markup=False,
    )
    return 0


def _runs(found: IntervalVerdict) -> list[tuple[str, str, int | None, int]]:
    """Neighbouring pieces of one sign put together: ends, sign, number of pieces."""
    runs: list[tuple[str, str, int | None, int]] = []
    for piece in found.pieces:
        if runs and runs[-1][2] == piece.sign:
            low, _, sign, count = runs[-1]
            runs[-1] = (low, spell(piece.high), sign, count + 1)
        else:
            runs.append((spell(piece.low), spell(piece.high), piece.sign, 1))
    return runs
