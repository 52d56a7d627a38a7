"""``adfd`` in a process of its own that need not load the libraries again: forked from one that has them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO

PRELOADED = [
    "numpy", "scipy.linalg", "sympy", "mpmath", "flint", "torch", "msgspec", "rich.console", "proofs_check.cli",
    "proofs_check.ledger", "proofs_check.runner", "proofs_check.commands.output",
]  # fmt: skip


@cache
def _server() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _run(arguments: tuple[str, ...], cwd: str, environment: dict[str, str], out: str, errors: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for name, descriptor in ((os.devnull, 0), (out, 1), (errors, 2)):
        opened = os.open(name, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream: IO[str] = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")
        setattr(sys, name, stream)
    sys.argv = ["adfd", *arguments]
    from proofs_check.cli import main

    main()


def adfd(
    *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Runs the command with a working folder, an environment and streams of its own.

    What concerns the start of an interpreter, its signals or a terminal needs the installed command itself.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    given = dict(environment if environment is not None else os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"})
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        out.touch()
        errors.touch()
        running = _server().Process(target=_run, args=(arguments, str(cwd or Path.cwd()), given, str(out), str(errors)))
        running.start()
        running.join(timeout)
        if running.exitcode is None:
            running.kill()
            running.join()
            raise subprocess.TimeoutExpired(["adfd", *arguments], timeout)
        return subprocess.CompletedProcess(
            ["adfd", *arguments], running.exitcode, out.read_text("utf-8"), errors.read_text("utf-8")
        )
