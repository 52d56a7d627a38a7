"""``adfd``, or a script, in a process of its own that need not load the libraries again: forked from one that has them."""

from __future__ import annotations

import os
import runpy
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
    "numpy", "scipy.linalg", "sympy", "mpmath", "flint", "torch", "msgspec", "rich.console", "proofs_check.cli.main",
    "proofs_check.ledger.ledger", "proofs_check.ledger.runner", "proofs_check.cli.output", "proofs_check.report.page",
    "hypothesis.strategies", "hypothesis.extra.numpy", "matplotlib.figure",
]  # fmt: skip


@cache
def _server() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _run(
    script: str | None, arguments: tuple[str, ...], cwd: str, environment: dict[str, str], streams: tuple[str, ...]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.path[:0] = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    for descriptor, name in enumerate(streams):
        opened = os.open(name, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream: IO[str] = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")
        setattr(sys, name, stream)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.argv = [script or "adfd", *arguments]
    if script:
        runpy.run_path(script, run_name="__main__")
        return
    from proofs_check.cli.main import main

    main()


def adfd(
    *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Runs the command with a working folder, an environment and streams of its own.

    What concerns the start of an interpreter, its signals or a terminal needs the installed command itself.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    return _forked(None, arguments, "", cwd, environment, timeout)


def script(
    text: str, *arguments: str, given: str = "", cwd: Path | None = None, environment: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Runs the text of a program in the same way, with ``given`` on its standard input; errors as :func:`adfd`."""
    return _forked(text, arguments, given, cwd, environment, timeout)


def _forked(
    text: str | None, arguments: tuple[str, ...], given: str, cwd: Path | None, environment: Mapping[str, str] | None,
    timeout: float,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    surroundings = dict(
        environment if environment is not None else os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    )
    with tempfile.TemporaryDirectory() as folder:
        entered, out, errors, program = (Path(folder, name) for name in ("in", "out", "errors", "program.py"))
        entered.write_text(given, "utf-8")
        program.write_text(text or "", "utf-8")
        out.touch()
        errors.touch()
        streams = (str(entered), str(out), str(errors))
        running = _server().Process(
            target=_run, args=(text and str(program), arguments, str(cwd or Path.cwd()), surroundings, streams)
        )
        running.start()
        running.join(timeout)
        if running.exitcode is None:
            running.kill()
            running.join()
            raise subprocess.TimeoutExpired(list(arguments), timeout)
        return subprocess.CompletedProcess(
            list(arguments), running.exitcode, out.read_text("utf-8"), errors.read_text("utf-8")
        )
