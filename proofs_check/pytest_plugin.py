"""A pytest plugin: files of claims are collected as tests, one for each cell and one for each mutant.

A file called ``claims_*.py`` or ``*_claims.py`` that imports from ``adfd`` or ``proofs_check`` is a file of claims
(:mod:`proofs_check.own.claims`).  The test of a cell passes when its verdict is PROVED, CERTIFIED or SUPPORTED; that
of a mutant, when it is REFUTED.  What fails shows the evidence and the commands that repeat it.
``--adfd-profile full`` judges more instances.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

PATTERNS = ("claims_*.py", "*_claims.py")
"""Names of files of claims; test modules of the same ending are not among them."""
GOOD = ("PROVED", "CERTIFIED", "SUPPORTED")
"""Verdicts with which the test of a cell passes; whatever is undecided fails."""
HERE = Path(__file__).resolve().parent
SHOWN = 4000
"""Most characters of a witness in a failure message."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--adfd-profile``."""
    group = parser.getgroup("adfd", "claims about automatic and finite differentiation")
    group.addoption("--adfd-profile", choices=("quick", "full"), default="quick", help="how many instances are judged")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ClaimFile | None:
    """A collector for a file of claims."""
    if not is_claim_file(file_path):
        return None
    found: ClaimFile = ClaimFile.from_parent(parent, path=file_path)
    return found


def is_claim_file(path: Path) -> bool:
    """Whether a path is that of a file of claims: by its name, and because it names this package."""
    if not any(fnmatch(path.name, pattern) for pattern in PATTERNS) or path.name.startswith("test_"):
        return False
    if path.resolve().is_relative_to(HERE):  # modules of this package have such names
        return False
    try:
        return any(name in path.read_bytes() for name in (b"adfd", b"proofs_check"))
    except OSError:
        return False


class ClaimFile(pytest.File):
    """A file of claims."""

    def collect(self) -> Iterator[ClaimItem]:
        """The cells and the mutants of its claims.

        Raises:
            CollectError: the file cannot be loaded; one line says why.
        """
        from proofs_check.ledger import ledger, runner
        from theory.base.errors import InputError

        profile = self.config.getoption("adfd_profile", "quick")
        try:
            claims = ledger.select([str(self.path)])
            tasks = [*runner.tasks(claims, profile), *runner.mutant_tasks(claims, profile)]
        except InputError as error:
            raise self.CollectError(str(error)) from None
        for task in tasks:
            label = task.address if task.mutant is None else f"mutant {task.mutant}"
            yield ClaimItem.from_parent(self, name=f"{task.claim}[{label}]", task=task)


class ClaimItem(pytest.Item):
    """One cell of a claim, or one of its mutants."""

    def __init__(self, *, task: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.task = task

    def runtest(self) -> None:
        """Judges it.

        Raises:
            ClaimError: the verdict is not the one that passes.
        """
        from proofs_check.ledger import runner

        result = runner.run_task(self.task)
        self.user_properties.append(("verdict", result["verdict"]))
        good = GOOD if self.task.mutant is None else ("REFUTED",)
        if result["verdict"] not in good:
            raise ClaimError(self._message(result))

    def _message(self, result: dict[str, Any]) -> str:
        from proofs_check.ledger import runner
        from proofs_check.own import claims as user_claims

        task, evidence = self.task, result["evidence"]
        claim = next(c for c in user_claims.load(task.file) if c.id == task.claim)
        name = user_claims.name(claim)
        if task.mutant is not None:
            mutant = next(m for m in claim.mutants if m.name == task.mutant)
            return (
                f"{task.claim}: the mutant {task.mutant} survived: {result['verdict']}: {evidence['summary']}\n"
                f"wrong on purpose: {mutant.change}; a check that cannot fail shows nothing\n"
                f"search further: adfd refute '{name}/{task.mutant}'"
            )
        lines = [
            f"{result['verdict']}: {task.claim} [{task.address}]: {evidence['summary']}",
            f"statement: {claim.statement}",
            f"instances: {evidence['instances']}, held {evidence['holding']}, undecided {evidence['undecided']}, "
            f"missed the assumptions {evidence['rejected']}",
        ]
        witness = evidence["data"].get("witness")
        if witness is not None:
            text = json.dumps(witness, ensure_ascii=False)
            lines.append(f"counterexample: {text[:SHOWN]}{' …' if len(text) > SHOWN else ''}")
            lines.append(f"the smallest one: adfd refute {name}")
        return "\n".join([*lines, f"again: {runner.command(name, task.address, task.profile)}"])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The message alone: the traceback of a verdict says nothing."""
        if isinstance(excinfo.value, ClaimError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is from, for the heading of a failure."""
        return self.path, None, self.name


class ClaimError(AssertionError):
    """A verdict with which a test does not pass."""
