"""``adfd report``: the page of a directory again, or figures from the store of a sweep."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from proofs_check.commands import verify
from proofs_check.commands.output import console, emit, remarks
from theory.errors import InputError


def report(*, directory: Path, latex: bool, out: Path | None, as_json: bool, force: bool = False) -> int:
    """Writes the page of a directory again, or (given a file) the figures of a sweep's store.

    JSON: ``{"written": […]}``; for a store also ``"cells"``, ``"figures"`` (name, title, caption of each).
    """
    if not directory.is_file():
        if out is not None:
            raise InputError(f"--out: only for a sweep's store, and {directory} is no file")
        return verify.report(directory=directory, latex=latex, as_json=as_json, force=force)
    if latex:
        raise InputError("--latex: only for a directory that 'adfd verify --out' wrote")
    from numerics import sweep
    from numerics.sweep_store import SweepStore, read_rows
    from proofs_check import sweep_figures

    if damage := SweepStore(directory).inspect():
        remarks.print(f"{directory}: {damage.text()}; adfd sweep --resume computes them", markup=False, soft_wrap=True)
    rows = read_rows(directory)
    sweeps = [(of, kept) for of in sweep.recorded_sweeps(directory) if (kept := sweep.rows(of, directory))]
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
            console.print(path, markup=False, soft_wrap=True)
        if len(chosen) < len(rows):
            console.print(f"of {len(rows)} cells in the store, the {len(chosen)} of its largest sweep", markup=False)
    return 0
