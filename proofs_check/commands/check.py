"""``adfd check``: re-verifies a proof object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proofs_check import checker, checker_entropies
from proofs_check.certificate_v1 import is_old, upgraded
from proofs_check.commands.output import console, emit
from theory.errors import InputError


def check(*, path: Path, problem: str | None, method: str | None, as_json: bool) -> int:
    """Runs the checker on a file; 1 when the proof is refused, or is not about the problem asked for."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if method is not None and problem is None:
        raise InputError("--method: names a matrix of --problem, which is missing")
    expected = None if problem is None else _digests(problem)
    findings: list[str] = []
    found: dict[str, Any] = {}
    try:
        data = checker.read(path)
        found = checker_entropies.verify(upgraded(data) if is_old(data) else data)
    except checker.RefusedError as reason:
        findings = [str(reason)]
    if found and expected is not None:
        findings = _about(found, expected, method)
    if as_json:
        emit({"file": str(path), "accepted": not findings, "findings": findings, "proven": found or None})
    elif findings:
        for line in findings:
            console.print(f"refused: {line}", markup=False)
    else:
        console.print(f"accepted: {path}", markup=False)
        console.print(checker.summary(found), markup=False, soft_wrap=True, highlight=False)
        if problem is not None:
            console.print(f"it is about {problem}", markup=False)
    return 1 if findings else 0


def _digests(path: str) -> dict[str, str]:
    """Of the problem and of its two matrices."""
    from numerics import problem_file
    from numerics.certificates import difference_part, problem_part

    problem = problem_file.load(path)
    part = problem_part(problem)
    matrices = {"ad": None, "fd": difference_part(problem)}
    return {"problem": checker.digest(part)} | {
        name: checker.digest({"problem": part, "difference": difference}) for name, difference in matrices.items()
    }


def _about(found: dict[str, Any], expected: dict[str, str], method: str | None) -> list[str]:
    """Why the proof is not about the problem, or about another matrix of it."""
    if found["problem_sha256"] != expected["problem"]:
        return ["the proof holds, but it is about another problem"]
    if found["statement"] == "entropies on steps":  # its steps are its own
        return []
    wanted = [method] if method is not None else found["method"].split(" and ")
    matrices = found["matrix_sha256"].split()
    if any(expected[name] not in matrices for name in wanted):
        return [f"the proof holds, but not for the {' and '.join(wanted)} matrix of this problem"]
    return []
