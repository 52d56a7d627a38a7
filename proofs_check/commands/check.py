"""``adfd check``: re-verifies a proof object."""

from __future__ import annotations

from pathlib import Path

from proofs_check import checker
from proofs_check.commands.output import console, emit
from theory.errors import InputError


def check(*, path: Path, as_json: bool) -> int:
    """Runs the checker on a file; 1 when the proof is refused."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    findings = checker.check_file(path)
    if as_json:
        emit({"file": str(path), "accepted": not findings, "findings": findings})
    elif findings:
        for line in findings:
            console.print(f"refused: {line}", markup=False)
    else:
        console.print(f"accepted: {path}", markup=False)
    return 1 if findings else 0
