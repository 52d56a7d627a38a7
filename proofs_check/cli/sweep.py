"""``adfd sweep``.

``adfd report``: the page of a directory again, or figures from the store of a sweep.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofs_check.cli.output import console, emit, remarks, say, table
from theory.base.errors import InputError
from theory.base.files import check_output

if TYPE_CHECKING:
    from numerics.runs.cells import Computation


def sweep(
    *,
    path: str,
    store: Path,
    jobs: int,
    dask: str | None,
    resume: bool,
    export: Path | None,
    as_json: bool,
    force: bool = False,
    refresh: bool = False,
) -> int:
    """Computes the cells that the store lacks, or all again with ``refresh``; exit status 1 when a cell has no result."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when numpy is imported: the cores are the workers'
    from numerics.runs import rows as sweep_export
    from numerics.runs import sweep as sweeps

    grid = sweeps.load_sweep(path)
    if export is not None:
        sweep_export.check_export(export)
        columns = [axis.key for axis in grid.axes]
        known = partial(sweep_export.may_replace, columns)
        check_output(export, option="--export", force=force, known=known, inputs=[path, store])
    compute = _computation(grid.compute)
    with _executor(dask) as (executor, workers), _progress() as shown:
        found = sweeps.run_sweep(
            grid,
            store,
            compute=compute,
            jobs=jobs or workers,
            executor=executor,
            resume=resume,
            refresh=refresh,
            progress=shown,
        )
    if found.damage:
        remarks.print(f"{store}: {found.damage}", soft_wrap=True)
    if export is not None:
        sweep_export.export(sweeps.sweep_rows(grid, store), export, force=force)
    counts = {key: value for key, value in asdict(found).items() if key not in {"reasons", "damage"}}
    if as_json:
        emit(counts | {"store": str(store)})
    else:
        table(f"Sweep of {grid.compute}", ["cells", "count"], [[key, str(value)] for key, value in counts.items()])
        for reason in found.reasons:
            say(f"failed: {reason}")
        say(f"rows: {export or store}")
    return 1 if found.failed else 0


def _computation(name: str) -> Computation | None:
    if name != "advise":
        return None
    from numerics.differences.advise import advise_cells

    return advise_cells


@contextmanager
def _executor(address: str | None) -> Iterator[tuple[Executor | None, int]]:
    """An executor on the dask cluster at an address, and how many threads it has; None and 0 without one."""
    if address is None:
        yield None, 0
        return
    try:
        from distributed import Client  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise InputError("--dask: needs the package distributed, which is not installed; use --jobs instead") from None
    try:
        client = Client(address, timeout=20)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(f"--dask: {address}: no scheduler answers ({error})") from None
    with client:
        yield client.get_executor(), sum(client.nthreads().values())


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Progress with an estimate on stderr, without a thread: the workers are forked from this process.

    On a terminal one line is written over; elsewhere a line at the start, at the end and every ten seconds.
    """
    start = time.monotonic()
    state: dict[str, Any] = {"first": None, "shown": start - 60}
    live = remarks.is_terminal

    def show(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if state["first"] is None:
            state["first"] = done
        fresh = done - state["first"]
        left = f", about {_clock((now - start) * (total - done) / fresh)} left" if fresh and done < total else ""
        if done == total or now - state["shown"] > (0.2 if live else 10):
            state["shown"] = now
            text = f"{what}: {done}/{total} ({_clock(now - start)}{left})"
            sys.stderr.write(f"\r{text:<70}" if live else f"{text}\n")
            sys.stderr.flush()

    try:
        yield show
    finally:
        if live:
            sys.stderr.write("\n")


def _clock(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def report(*, directory: Path, latex: bool, out: Path | None, as_json: bool, force: bool = False) -> int:
    """Writes the page of a directory again, or (given a file) the figures of a sweep's store.

    JSON: ``{"written": […]}``; for a store also ``"cells"``, ``"figures"`` (name, title, caption of each).
    """
    if not directory.is_file():
        if out is not None:
            raise InputError(f"--out: only for a sweep's store, and {directory} is no file")
        return _page(directory, latex, as_json, force)
    if latex:
        raise InputError("--latex: only for a directory that 'adfd verify --out' wrote")
    from numerics.runs import sweep
    from numerics.runs.rows import SweepStore, read_rows
    from proofs_check.report.figures import sweep as sweep_figures

    if damage := SweepStore(directory).inspect():
        remarks.print(f"{directory}: {damage.text()}; adfd sweep --resume computes them", soft_wrap=True)
    rows = read_rows(directory)
    sweeps = [(of, kept) for of in sweep.recorded_sweeps(directory) if (kept := sweep.sweep_rows(of, directory))]
    # The largest sweep of the store; a store without its sweeps, or of several alike, shows all of its rows.
    largest = max(sweeps, key=lambda pair: len(pair[1]), default=None)
    chosen, setting = (largest[1], sweep_figures.setting(largest[0])) if largest else (rows, "")
    found = sweep_figures.figures(chosen, setting)
    folder = out if out is not None else directory.with_name(f"{directory.stem}-figures")
    counts = dict(Counter(str(row["status"]) for row in chosen))
    written = [str(p) for p in sweep_figures.write(found, folder, f"adfd report {directory.name}", counts, force)]
    if as_json:
        listed = [{"name": f.name, "title": f.title, "caption": f.caption} for f in found]
        emit({"written": written, "cells": counts, "figures": listed})
    else:
        for path in written:
            console.print(path, soft_wrap=True)
        if len(chosen) < len(rows):
            console.print(f"of {len(rows)} cells in the store, the {len(chosen)} of its largest sweep")
    return 0


def _page(directory: Path, latex: bool, as_json: bool, force: bool) -> int:
    """Writes the page of a directory again."""
    from numerics.runs.store_file import alone
    from proofs_check.report import page
    from proofs_check.report.records import LEDGER

    with alone(directory) if (directory / LEDGER).is_file() else nullcontext():
        written = [str(page.write_report(directory, force=force))]
        if latex:
            from proofs_check.report.latex import write_latex

            written += [str(path) for path in write_latex(directory, force=force)]
    if as_json:
        emit({"written": written})
    else:
        for path in written:
            console.print(path)
    return 0
