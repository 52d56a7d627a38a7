"""``adfd verify``.

``adfd verify S1 S2 S3 --problem FILE``: a statement of the source on a reader's own problem, its features redrawn.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from numerics.problem import file as problem_file
from numerics.problem.problem import Arithmetic, Problem
from numerics.runs.store import Store, code_digest
from numerics.runs.store_file import alone
from proofs_check.claims import verdicts as findings
from proofs_check.claims.claim import Claim, Profile, parse_address
from proofs_check.claims.verdicts import Outcome, Verdict, finite
from proofs_check.cli.output import console, emit, progress, remarks, repeated, say, table
from proofs_check.cli.spectrum import convention_from
from proofs_check.ledger import ledger, runner
from proofs_check.ledger import release as releases
from proofs_check.ledger.judging import VERDICT_OF
from proofs_check.report.records import FIGURES, LEDGER, SCHEMA
from proofs_check.sources import source
from proofs_check.sources.decisions import Measured, entropy_gaps, leading_values, small_values
from proofs_check.sources.samples import Reduced, reduced
from theory.base import files
from theory.base.errors import InputError, nearest
from theory.entropy.conventions import Convention

PAGE = "index.html"
"""Names of the report's files."""
STORE = "store.sqlite"
"""Name of the store inside the output directory."""


def verify(
    *,
    ids: list[str],
    mutants: bool,
    profile: Profile,
    out: Path,
    jobs: int,
    device: str,
    resume: bool,
    cell: str | None,
    record: bool,
    against: Path | None,
    as_json: bool,
    release: str | None = None,
    force: bool = False,
) -> int:
    """Judges the claims, writes ``out/ledger.json`` and ``out/index.html``; returns the exit code."""
    start = time.perf_counter()
    if release is not None:
        releases.check_new(release)
        if ids or cell is not None or mutants or record:
            raise InputError(
                "--release: is of the whole ledger against its record; give no claim, --cell, --mutants or --record"
            )
    older = _read_ledger(against) if against else None
    scope = parse_address(cell) if cell is not None else None
    chosen = ledger.select(ids)
    work = runner.tasks(chosen, profile, scope)
    if mutants and scope is not None:
        raise InputError("--mutants: cannot be combined with --cell; each mutant names its own cell")
    if mutants and record:
        raise InputError("--record: cannot be combined with --mutants; only the claims themselves are recorded")
    own = [claim for claim in chosen if claim.file is not None]
    if own and record:
        raise InputError(f"--record: {own[0].id} is not a claim of the ledger; only those are recorded")
    if device != "auto":
        from numerics.arithmetic.devices import resolve_device

        os.environ["ADFD_DEVICE"] = resolve_device(device).type
    ready = partial(files.check_output, force=force, known=_is_report_file)
    for name in (LEDGER, FIGURES, PAGE):
        ready(out / name)
    store = _store(out, force)
    with_mutants = [] if scope is not None else own  # claims of one's own always show that they can fail
    wrong = runner.mutant_tasks(chosen if mutants or not ids else with_mutants, profile)
    whole = not ids and scope is None and not mutants
    tried_too = mutants or whole or bool(with_mutants)
    asked = [*([] if mutants else work), *(wrong if tried_too else [])]
    with progress() as shown:
        parts = runner.figure_parts(profile) if whole else []
        found = runner.run(
            asked,
            jobs=jobs or _cores(),
            store_path=store,
            progress=shown,
            parts=parts,
            anew=not resume,
            remark=lambda line: remarks.print(line, soft_wrap=True),
        )
    results = [one for one in found if one["mutant"] is None]
    tried = [one for one in found if one["mutant"] is not None] if tried_too else None
    if mutants:
        return _report_mutants(chosen, tried or [], time.perf_counter() - start, as_json)
    if record:
        changed = ledger.record(results, profile)
        remarks.print(f"{changed} verdicts put on record in {ledger.EXPECTED}")
    listed = runner.ledger(chosen, results, profile)
    _attach_mutants(listed, tried)
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "summary": runner.summary(listed, time.perf_counter() - start, tried),
        "provenance": provenance(profile),
        "claims": listed,
    }
    if older is not None:
        judged = {claim.id for claim in chosen} if scope is None else set()
        content |= _against(older, content, judged, not ids and scope is None)
    figures = runner.figures(profile, store) if whole else None
    keep(out, content, figures=figures, cell=scope is not None, force=force)
    if as_json:
        emit(content)
    else:
        _print(content, out, {claim.id for claim in own})
    if older is not None:
        _say_moved(content)
    counts = content["summary"]
    failed = counts["changed"] or counts["errors"] or any(m["verdict"] != Verdict.REFUTED for m in tried or [])
    if release is not None and not failed:
        if counts["unrecorded"] or counts["improved"]:
            remarks.print(f"no release {release}: some verdicts are not those on record", soft_wrap=True)
            return 1
        line = releases.make(release, content["provenance"])
        remarks.print(f"release {release}: sha256:{line['digest']}, in {releases.RELEASES}", soft_wrap=True)
    return 1 if failed else 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _store(out: Path, force: bool) -> Path:
    """The store of this run; a file in its place that is no store goes when it is forced."""
    path = out / STORE
    try:
        out.mkdir(parents=True, exist_ok=True)
        if force and path.is_file():
            try:
                Store(path)
            except InputError:
                for suffix in ("", "-wal", "-shm"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"--out: {out}: cannot be written ({error.strerror})") from None
    return path


def _write(path: Path, content: dict[str, Any], force: bool) -> None:
    text = json.dumps(files.MADE_BY | content, ensure_ascii=False, indent=1, allow_nan=False)
    files.write(path, text, force=force, known=_is_report_file)


def _is_report_file(path: Path) -> bool:
    """Whether a file is a ledger or the numbers of figures, of a version that did not mark them."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(content, dict) and (
        "provenance" in content or "spectra" in content or content.keys() == {"schema"}
    )


def keep(
    out: Path,
    content: dict[str, Any],
    *,
    figures: dict[str, Any] | None = None,
    cell: bool = False,
    force: bool = False,
) -> None:
    """Writes the ledger and its page: of a run of everything, which has figures, in the place of what was there; else
    added to it.

    The folder is this process's own in the meantime: of two runs that end together, one adds to what the other wrote.

    Raises:
        InputError: a file cannot be written, or is not adfd's.
    """
    from proofs_check.ledger import merging
    from proofs_check.report import page

    with alone(out):
        if figures is not None:
            _write(out / FIGURES, figures, force)
        older = None if figures is not None else _older(out / LEDGER)
        _write(out / LEDGER, merging.single(content) if older is None else merging.merge(older, content, cell), force)
        if not _has_figures(out, force):
            _write(out / FIGURES, {"schema": SCHEMA}, force)
        page.write_report(out, force=force)


def _has_figures(out: Path, force: bool) -> bool:
    """Whether there are figures; a file in their place that is something else counts as none when it is forced."""
    from proofs_check.report.records import read_figures

    try:
        read_figures(out)
    except InputError:
        if (out / FIGURES).exists() and not force:
            raise
        return False
    return True


def _older(path: Path) -> dict[str, Any] | None:
    """The ledger that is there; None where there is none, or one that cannot be added to."""
    from proofs_check.report.records import read_ledger

    try:
        read_ledger(path.parent)
    except InputError as error:
        if path.exists():
            remarks.print(f"{error}; it is replaced", soft_wrap=True)
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def provenance(profile: Profile) -> dict[str, Any]:
    """Versions and the command: what a reader needs to run it again; nothing about the machine but its kind."""
    packages = {}
    for name in ("sympy", "mpmath", "gmpy2", "python-flint", "numpy", "scipy", "torch", "hypothesis"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "absent"
    return {
        "adfd": version("adfd"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": packages,
        "code": code_digest(),
        "profile": profile,
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": repeated(sys.argv[1:]),
    }


def _attach_mutants(listed: list[dict[str, Any]], tried: list[dict[str, Any]] | None) -> None:
    for claim in listed:
        for mutant in claim["mutants"]:
            for result in tried or []:
                if (result["id"], result["mutant"]) == (claim["id"], mutant["name"]):
                    mutant["verdict"] = result["verdict"]
                    mutant["summary"] = result["evidence"]["summary"]


def _print(content: dict[str, Any], page: Path | None, detailed: Collection[str] = ()) -> None:
    """The ledger as a table, and a line for each cell that is not as expected or belongs to a claim of ``detailed``."""
    counts = content["summary"]
    rows = []
    for claim in content["claims"]:
        verdicts: dict[str, int] = {}
        for cell in claim["cells"]:
            verdicts[cell["verdict"]] = verdicts.get(cell["verdict"], 0) + 1
        rows.append([claim["id"], claim["source"], ", ".join(f"{v} {n}" if n > 1 else v for v, n in verdicts.items())])
    table("Ledger", ["claim", "source", "verdicts of its cells"], rows)
    for claim in content["claims"]:
        for cell in claim["cells"]:
            if cell["status"] in {"changed", "error"}:
                expected = cell["expected"] or "nothing on record"
                console.print(
                    f"{cell['status'].upper()} {claim['id']} [{cell['address']}]: {cell['verdict']}, "
                    f"expected {expected}: "
                    f"{cell['evidence']['summary']}",
                )
            elif claim["id"] in detailed:
                console.print(f"{cell['verdict']} {claim['id']} [{cell['address']}]: {cell['evidence']['summary']}")
        for mutant in claim["mutants"]:
            if mutant.get("verdict", Verdict.REFUTED) != Verdict.REFUTED:
                console.print(
                    f"SURVIVED {claim['id']}: mutant {mutant['name']} ({mutant['change']}): {mutant['verdict']}: "
                    f"{mutant['summary']}",
                )
    line = (
        f"{counts['claims']} claims, {counts['cells']} cells: {counts['as_expected']} as expected, "
        f"{counts['improved']} improved, {counts['changed']} changed, {counts['unrecorded']} not on record, "
        f"{counts['errors']} errors"
    )
    if counts["mutants"]:
        line += f"; {counts['mutants']['refuted']} of {counts['mutants']['total']} mutants refuted"
    console.print(f"{line}; {counts['seconds']:.1f} s")
    if page:
        console.print(f"Report: {page / 'index.html'}")


def _report_mutants(chosen: tuple[Claim, ...], tried: list[dict[str, Any]], seconds: float, as_json: bool) -> int:
    survivors = [m for m in tried if m["verdict"] != Verdict.REFUTED]
    listed = []
    for claim in chosen:
        cells = [
            {
                "scope": m["scope"] | {"mutant": m["mutant"]},
                "address": m["address"],
                "verdict": m["verdict"],
                "expected": "REFUTED",
                "status": "as expected" if m["verdict"] == Verdict.REFUTED else "changed",
                "method": m["method"],
                "quantifier": m["quantifier"],
                "evidence": m["evidence"],
                "seconds": m["seconds"],
            }
            for m in tried
            if m["id"] == claim.id
        ]
        listed.append(runner.describe(claim) | {"cells": cells})
    if as_json:
        emit({"schema": SCHEMA, "summary": runner.summary(listed, seconds, tried), "claims": listed})
    else:
        rows = [[m["id"], m["mutant"], m["verdict"], m["evidence"]["summary"]] for m in tried]
        table("Mutants: each must be REFUTED", ["claim", "mutant", "verdict", "why"], rows)
        refuted = len(tried) - len(survivors)
        console.print(f"{refuted} of {len(tried)} mutants refuted; {seconds:.1f} s")
    return 1 if survivors else 0


LISTED = 20
"""At most so many cells that came or went are listed one by one on the terminal; the JSON has all of them."""


def _read_ledger(path: Path) -> dict[tuple[str, str], str]:
    """The verdicts of an older ledger by claim and cell.

    Raises:
        InputError: it cannot be read, is no ledger, or one of another schema.
    """
    from proofs_check.report.records import read_verdicts

    return read_verdicts(path)


def _against(
    older: dict[tuple[str, str], str], newer: dict[str, Any], chosen: Collection[str], whole: bool
) -> dict[str, list[dict[str, str]]]:
    """What differs from an older ledger: verdicts that moved, cells that are new, and cells that are gone.

    Of a run of some claims alone, or of one cell, only what it judged can be gone.
    """
    now = {(c["id"], x["address"]): x["verdict"] for c in newer["claims"] for x in c["cells"]}
    gone = [key for key in older if key not in now and (whole or key[0] in chosen)]
    return {
        "moved": [
            {"id": key[0], "address": key[1], "before": older[key], "after": verdict}
            for key, verdict in now.items()
            if key in older and older[key] != verdict
        ],
        "added": [{"id": i, "address": a, "after": v} for (i, a), v in now.items() if (i, a) not in older],
        "removed": [{"id": i, "address": a, "before": older[i, a]} for i, a in gone],
    }


def _say_moved(content: dict[str, Any]) -> None:
    def say(line: str) -> None:
        remarks.print(line, soft_wrap=True)

    for one in content["moved"]:
        say(f"moved: {one['id']} [{one['address']}]: {one['before']} -> {one['after']}")
    for what, key in (("added", "after"), ("removed", "before")):
        for one in content[what][:LISTED]:
            say(f"{what}: {one['id']} [{one['address']}]: {one[key]}")
        if len(content[what]) > LISTED:
            say(f"{what}: {len(content[what]) - LISTED} more cells")
    if not content["moved"]:
        say("no verdict moved")


DRAWS, MOST_DRAWS = 100, 10_000
ARITHMETICS: tuple[Arithmetic, ...] = ("float64", "float32")

Test = Callable[[Reduced, int, str], Outcome]
TESTS: dict[str, tuple[Test, Callable[[Sequence[Outcome]], Measured]]] = {
    "S1.leading-agree": (lambda found, k, label: source.leading_outcome(found, k, label), leading_values),
    "S2.every-small": (lambda found, k, label: source.small_outcome(found, k, "every"), small_values),
    "S2.some-small": (lambda found, k, label: source.small_outcome(found, k, "some"), small_values),
    "S3.entropy-order": (lambda found, k, label: source.order_outcome(found, k, label), entropy_gaps),
}
"""How a statement is tested at a draw, and what is reported beside the number of draws."""


def judge(
    *,
    ids: list[str],
    path: str | None,
    draws: int | None,
    rule: str | None,
    tau: str | None,
    rank: int | None,
    power: int | None,
    normalised: bool | None,
    others: Mapping[str, Any] = {},
    as_json: bool,
) -> int:
    """Judges statements on the draws of a problem file in float64 and float32; returns the exit code 0.

    Args:
        ids: of the claims.
        path: the problem file.
        draws: how many; 100 by default.
        rule: of the entropy; it and the four that follow override the file's.
        tau: its threshold.
        rank: r of the fixed rule.
        power: of the singular values.
        normalised: whether entropies are divided by log r.
        others: other options of the command, which do not go together with a file.
        as_json: one JSON object instead of a table.

    Raises:
        InputError: a claim that is not one of S1, S2 and S3, features that are given and not drawn, a bad file or option.
    """
    if path is None:
        raise InputError("--draws, --rule, --tau, --rank, --power, --normalised: only with --problem FILE")
    if clash := [name for name, value in others.items() if value]:
        raise InputError(f"--{clash[0]}: cannot be combined with --problem, which judges the draws of that file alone")
    claims, draws = _chosen(ids), DRAWS if draws is None else draws
    if not 1 <= draws <= MOST_DRAWS:
        raise InputError(f"--draws: {draws}; allowed are 1 to {MOST_DRAWS}")
    problem = problem_file.load_problem(path)
    convention = convention_from(problem.convention, rule, tau, rank, power, normalised)
    with progress() as shown:
        statements = _judged(claims, problem, convention, draws, shown)
    content: dict[str, Any] = {
        "problem": path,
        "draws": draws,
        "seeds": [problem.seed, problem.seed + draws - 1],
        "convention": convention.label,
        "facts": len(claims) * len(ARITHMETICS),
        "statements": statements,
    }
    if as_json:
        emit(content)
    else:
        _print_problem(content)
    return 0


def _chosen(ids: list[str]) -> list[Claim]:
    chosen = ledger.select(ids) if ids else ()
    others = [claim.id for claim in chosen if claim.id not in TESTS]
    if others or not chosen:
        named = others[0] if others else "none"
        raise InputError(f"--problem: {named}; {nearest(named, TESTS)}allowed: S1, S2, S3, {', '.join(TESTS)}")
    return list(chosen)


def _judged(
    claims: list[Claim], problem: Problem, convention: Convention, draws: int, shown: Callable[[str, int, int], None]
) -> list[dict[str, Any]]:
    label, found = convention.label, []
    seeds = range(problem.seed, problem.seed + draws)
    facts = len(claims) * len(ARITHMETICS)
    for arithmetic in ARITHMETICS:
        shown(arithmetic, 0, draws)
        sample = reduced(
            problem, seeds, arithmetic, {label: convention}, {label: convention}, partial(shown, arithmetic)
        )
        for claim in claims:
            test, measure = TESTS[claim.id]
            outcomes = [test(sample, k, label) for k in range(draws)]
            holding = sum(o.holds is True for o in outcomes)
            undecided = sum(o.holds is None for o in outcomes)
            share = findings.share(holding, draws, undecided, facts=facts)
            words, data = measure(outcomes)
            finding = share.finding()
            found.append(
                {
                    "id": claim.id,
                    "statement": claim.statement,
                    "arithmetic": arithmetic,
                    "finding": str(finding),
                    "verdict": str(VERDICT_OF[finding]),
                    "evidence": {
                        "summary": f"{finding}: {share.text}{words}",
                        "instances": draws,
                        "holding": holding,
                        "undecided": undecided,
                        "data": finite({"confidence_bounds": [share.low, share.high], **data}),
                    },
                }
            )
    return found


def _print_problem(content: dict[str, Any]) -> None:
    rows = [[one["id"], one["arithmetic"], one["finding"], one["evidence"]["summary"].partition(": ")[2]]
            for one in content["statements"]]  # fmt: skip
    table(f"{content['problem']}, {content['convention']}", ["claim", "arithmetic", "finding", "evidence"], rows)
    first, last = content["seeds"]
    say(
        f"{content['draws']} draws of the features (seeds {first} to {last}); holds: a share of at least 9 in 10 is shown, "
        "reversed: at most 1 in 10, mixed: both are excluded, open: neither"
    )
