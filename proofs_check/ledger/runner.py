"""Runs claims: every cell once, in worker processes, each result kept the moment it is there.

The way of a run: the spectra that the cells will read are computed once each (many cells read the same ones), each cell
as soon as its own are there, mutants and figures in between, so that every worker is busy to the end.  All go through
one content-keyed store, so that an interrupted run resumes with nothing lost and nothing computed twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from numerics.problem.problem import Problem
from numerics.runs import store as sources
from numerics.runs.store import Store, content_key
from numerics.spectra import spectrum as spectra
from proofs_check.claims import links as dependencies
from proofs_check.claims import theorems
from proofs_check.claims import verdicts as findings
from proofs_check.claims.claim import Claim, Prepared, Profile, Request, Scope, address, parse_address
from proofs_check.claims.links import LINKS
from proofs_check.claims.verdicts import POSITIVE, Status, Verdict, compare, finite
from proofs_check.ledger import schedule
from proofs_check.ledger.judging import failure, judge, told_outside
from proofs_check.ledger.ledger import Record, all_claims, load_expected, select
from proofs_check.ledger.ledger import homes as ledger_homes
from proofs_check.own import again
from proofs_check.own import claims as user_claims
from proofs_check.own.modules import code_of
from proofs_check.sources.papers import paper_of
from theory.base.errors import InputError

METHODS = {
    "symbolic": "symbolic identity",
    "exact": "exact rational arithmetic",
    "ball": "ball arithmetic",
    "sampled": "sampled in floating point",
}
"""What a claim's kind is called in the ledger."""
EACH = ": each draw is certified"
"""Of a cell in exact arithmetic, of a claim that is sampled elsewhere."""


@dataclass(frozen=True)
class Task:
    """One cell of one claim, or of one of its mutants; it travels between processes."""

    claim: str
    address: str
    scope: Mapping[str, str]
    profile: Profile
    mutant: str | None = None
    file: str | None = None

    @property
    def key(self) -> str:
        """The content key of the result: which cell it is, and by which code, libraries and device it is judged.

        A verdict does not survive a change of anything that its claim's module reaches; a claim of a user's own, of
        anything at all, or of its file.
        """
        if self.file is not None:
            own = user_claims.digest(self.file)
            recipe = f"{own[:16]}{sources.recipe(*sources.modules())}"
        else:
            home = ledger_homes()[self.claim]
            recipe = sources.recipe(home, "proofs_check.ledger.judging", alone=("proofs_check.ledger.runner",))
        return content_key("cell", [self.file, self.claim, self.address, self.profile, self.mutant], recipe)


def tasks(claims: Iterable[Claim], profile: Profile, cell: Scope | None = None) -> list[Task]:
    """The cells of these claims; with ``cell``, those whose coordinates agree with it.

    Raises:
        InputError: ``cell`` names no cell.
    """
    scopes = [(claim, scope) for claim in claims for scope in claim.scopes(profile)]
    found = [
        Task(claim.id, address(scope), dict(scope), profile, file=claim.file)
        for claim, scope in scopes
        if cell is None or all(scope.get(key) == value for key, value in cell.items())
    ]
    if cell is not None and not found:
        coordinates = {f"{key}={value}" for _, scope in scopes for key, value in scope.items()}
        listed = ", ".join(sorted(coordinates)[:24])
        raise InputError(f"--cell: no cell has {address(cell)}; coordinates of these claims: {listed}")
    return found


def mutant_tasks(claims: Iterable[Claim], profile: Profile) -> list[Task]:
    """One task per mutant, on the cell it names (the claim's first by default)."""
    found = []
    for claim in claims:
        scopes = claim.scopes(profile)
        for mutant in claim.mutants:
            scope = mutant.scope or scopes[0]
            found.append(Task(claim.id, address(scope), dict(scope), profile, mutant.name, claim.file))
    return found


def resolve(task: Task) -> Claim:
    """The claim, or its mutant, that a task judges."""
    known = all_claims() if task.file is None else user_claims.load(task.file)
    claim = next(c for c in known if c.id == task.claim)
    if task.mutant is None:
        return claim
    return next(m for m in claim.mutants if m.name == task.mutant).mutate(claim)


def run_task(task: Task) -> dict[str, Any]:
    """Judges one cell; whatever goes wrong inside is an ERROR with its reason, never a pass."""
    start = time.perf_counter()
    claim = resolve(task)
    try:
        evidence = judge(claim, task.scope, task.profile, refuting=task.mutant is not None)
        if task.file is not None and task.mutant is None and evidence.data.get("again"):
            seconds = time.perf_counter() - start
            again.confirm(task.file, task.claim, task.scope, task.profile, list(evidence.data["again"]), seconds)
            if evidence.rejected and evidence.verdict in POSITIVE.values():
                found = again.outside(task.file, task.claim, task.scope, task.profile, seconds)
                evidence = evidence if found is None else told_outside(evidence, found)
    except Exception as error:  # a check that fails to run must not take the others with it
        evidence = failure(error)
    return {
        "id": task.claim,
        "scope": dict(task.scope),
        "address": task.address,
        "mutant": task.mutant,
        "verdict": str(evidence.verdict),
        "finding": evidence.finding,
        "method": METHODS[claim.kind_in(task.scope)] + (EACH if claim.in_proof(task.scope) else ""),
        "quantifier": str(claim.quantifier_in(task.scope)),
        "evidence": {
            "summary": evidence.summary,
            "instances": evidence.instances,
            "holding": evidence.holding,
            "undecided": evidence.undecided,
            "rejected": evidence.rejected,
            "data": finite(evidence.data),
        },
        "seconds": time.perf_counter() - start,
    }


def requested(task: Task) -> Iterator[Request]:
    """The spectra that a task will read."""
    claim = resolve(task)
    if claim.requests is None:
        return
    for instance in claim.instances(task.scope, task.profile):
        if all(a.reads_spectra or a.holds(instance) for a in claim.assumptions):
            yield from claim.requests(instance, task.scope)


@dataclass(frozen=True)
class Part:
    """One part of the report's figures; it travels between processes."""

    profile: Profile
    index: int

    @property
    def key(self) -> str:
        """The content key of its numbers."""
        return content_key("figure", [self.profile, self.index], sources.recipe("proofs_check.report.data"))


Batch = tuple[tuple[str, Task], ...]
"""Tasks that one worker judges, each with its key."""


def _work(key: str, unit: Batch | Part | Request, store_path: str | None) -> None:
    """One unit of work; each result goes into the store when it is there, under the key that the run has given it."""
    store = spectra.backing()
    if store is None or (None if store.path is None else str(store.path)) != store_path:
        store = Store(store_path)
        store.keep_connected()
        spectra.back_with(store)
    match unit:
        case Part():
            from proofs_check.report import data

            store.put(key, data.figure_part(unit.profile, unit.index))
        case Prepared():
            unit.prepare()
        case (Problem() as problem, method, arithmetic):
            spectra.spectrum(problem, method, arithmetic)
        case _:
            for one, task in unit:
                store.put(one, run_task(task))


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and of how many."""


def run(
    work: list[Task],
    *,
    jobs: int = 1,
    store_path: Path | None = None,
    progress: Progress | None = None,
    parts: Iterable[Part] = (),
    anew: bool = False,
    remark: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Judges every task and returns the results in the order of the tasks.

    Args:
        work: the tasks, mutants among them.
        jobs: worker processes; 1 runs in this process.
        store_path: where results are kept; results already there are not computed again.
        progress: told of every step.
        parts: of the figures, computed with the tasks, for :func:`figures` to find in the store.
        anew: judge and compute everything that is asked again; other results stay in the store.
        remark: told, in a line, what of the store is damaged and what is of an older recipe.

    Raises:
        InputError: the store cannot be used.
    """
    store = Store(store_path)
    if damage := store.inspect():
        remark(f"{store_path}: {damage.text()}")
    spectra.back_with(store)
    keys = [task.key for task in work]
    parts = list(parts)
    if anew:
        store.forget([*keys, *(part.key for part in parts)], keep=("cell", "figure", "sweep"))
    elif outdated := store.outdated([*keys, *(part.key for part in parts)]):
        remark(f"{len(outdated)} results are by other code, libraries or device, and are computed again")
    open_keys = set(store.missing(keys))
    todo = list({task.key: task for task, key in zip(work, keys, strict=True) if key in open_keys}.values())
    drawn = {part.key: part for part in parts}
    pieces = [drawn[key] for key in store.missing(drawn)]
    source = _units(todo, pieces, store)
    perform = partial(_work, store_path=None if store_path is None else str(store_path))
    count = {"cells": sum(1 for t in todo if t.mutant is None), "mutants": sum(1 for t in todo if t.mutant is not None),
             "figures": len(pieces)}  # fmt: skip
    if store_path is None or jobs == 1 or len(todo) + len(pieces) < 2:
        schedule.here(source, perform, count, progress)
    else:
        schedule.elsewhere(source, perform, count, progress, jobs, store, SLOW_IMPORTS if len(todo) >= MANY else ())
    found = store.get_many(keys)
    results = [found.get(key) or run_task(task) for task, key in zip(work, keys, strict=True)]
    return [_with_theorems(task, result) for task, result in zip(work, results, strict=True)]


def _with_theorems(task: Task, result: dict[str, Any]) -> dict[str, Any]:
    """A cell of the ledger's with the theorems that prove its claim: they are read anew, whatever the store keeps."""
    own = task.file is not None or task.mutant is not None
    return result if own else theorems.lifted(resolve(task), result)


def _units(todo: list[Task], pieces: list[Part], store: Store) -> Iterator[schedule.Unit]:
    """What there is to do: figures, exact spectra, the cells that read some, and those that read none.

    Cells that read the same spectra go to one worker together, which computes those in floating point once; so do cells
    and mutants of one module, which derive and compute much that is the same.
    """
    for part in pieces:
        yield schedule.Unit(part, part.key, "figures", FIGURE_COST)
    known: set[str] = set()
    readers: dict[frozenset[Request], list[tuple[Task, frozenset[str]]]] = {}
    others: dict[str, list[Task]] = {}
    for task in sorted(todo, key=lambda task: -_cost(task)):
        read = _requests(task)
        if not read:
            others.setdefault(task.file or ledger_homes()[task.claim], []).append(task)
            continue
        before = {key: one for one in read if (key := _key_before(one)) is not None}
        new = [key for key in before if key not in known]
        known.update(new)
        for key in store.missing(new):
            yield schedule.Unit(before[key], key, "spectra", _cost_before(before[key]), vital=False)
        readers.setdefault(frozenset(read), []).append((task, frozenset(before)))
    for members in readers.values():
        for start in range(0, len(members), BATCH):
            chosen = members[start : start + BATCH]
            yield _batch([task for task, _ in chosen], chosen[0][1])
    most = sum(_cost(task) for tasks in others.values() for task in tasks) / PIECES
    for tasks in others.values():
        chosen_tasks: list[Task] = []
        for task in sorted(tasks, key=lambda task: task.claim):
            if chosen_tasks and sum(map(_cost, chosen_tasks)) + _cost(task) > most:
                yield _batch(chosen_tasks)
                chosen_tasks = []
            chosen_tasks.append(task)
        yield _batch(chosen_tasks)


def _batch(tasks: Sequence[Task], waits: frozenset[str] = frozenset()) -> schedule.Unit:
    """Tasks that one worker judges, one after the other."""
    batch: Batch = tuple((task.key, task) for task in tasks)
    counts = Counter("cells" if task.mutant is None else "mutants" for task in tasks)
    return schedule.Unit(batch, batch[0][0], "cells", sum(map(_cost, tasks)), waits, counts=counts)


def _key_before(one: Request) -> str | None:
    """The key of what is computed before the cells: exact spectra and samples; None for what they compute."""
    if not isinstance(one, tuple):  # a class in the annotation is checked member by member, which takes long
        return one.key
    return spectra.spectrum_key(*one) if one[2] == "exact" else None


def _cost_before(one: Request) -> float:
    return 1e-5 * one[0].count ** 2 if isinstance(one, tuple) else one.cost


BATCH = 24
"""At most so many cells that read the same spectra are judged together."""
PIECES = 16
"""Cells that read no spectra are judged in at least so many parts, so that every worker has some."""
MANY = 200
"""Cells and mutants of which some will need every library."""
SLOW_IMPORTS = ("torch", "scipy.stats", "hypothesis.strategies")
"""Libraries that many claims use, and that take a second or more to import in each worker."""
FIGURE_COST = 10.0
"""Seconds, roughly: what takes longest is begun first."""
LONG = ("training", "networks", "S4", "S5", "S6", "S7", "kernels")
"""Beginnings of the ids whose cells train or integrate."""


def _cost(task: Task) -> float:
    """Seconds, very roughly."""
    return 2.0 if task.claim.startswith(LONG) else 1.0 if resolve(task).requests is None else 0.1


def _requests(task: Task) -> list[Request]:
    """The spectra of a task; none where asking fails, for then judging the cell fails too, and says why."""
    try:
        return list(requested(task))
    except Exception:
        return []


def figures(profile: Profile, store_path: Path | None) -> dict[str, Any]:
    """What the figures show, from the parts in the store; parts that are not there are computed."""
    from proofs_check.report import data

    store = Store(store_path)
    spectra.back_with(store)
    found = []
    for part in figure_parts(profile):
        found.append(store.get(part.key) or data.figure_part(profile, part.index))
    return data.assemble(profile, found)


def figure_parts(profile: Profile) -> list[Part]:
    """The parts of the report's figures."""
    from proofs_check.report import data

    return [Part(profile, index) for index in range(len(data.figure_work(profile)))]


def command(claim: str, where: str, profile: Profile) -> str:
    """The command that re-runs one cell alone."""
    import shlex

    tail = "" if profile == "quick" else " --profile full"
    return f"adfd verify {shlex.quote(claim)} --cell {shlex.quote(where)}{tail}"


def ledger(claims: Iterable[Claim], results: list[dict[str, Any]], profile: Profile) -> list[dict[str, Any]]:
    """The ledger's claims with their cells, each compared with what is on record.

    A cell that rests on a claim which is not positive says so in its evidence (``conditions``); of claims that this run
    did not judge, the verdicts on record count.
    """
    expected = load_expected(profile)
    claims = list(claims)
    links, verdicts = _foundations(claims, results, expected)
    listed = []
    for claim in claims:
        cells = []
        for result in results:
            if result["id"] != claim.id or result["mutant"] is not None:
                continue
            unmet = dependencies.conditions(claim.id, result["scope"], links, verdicts)
            evidence = result["evidence"] | ({"conditions": unmet} if unmet else {})
            entry = expected.get(claim.id, {}).get(result["address"])
            recorded = entry["verdict"] if entry else None
            cells.append(
                {key: result.get(key) for key in ("scope", "address", "verdict", "finding")}
                | {"expected": recorded, "status": status(result, entry)}
                | {"method": result["method"], "quantifier": result["quantifier"], "evidence": evidence}
                | {"seconds": result["seconds"]}
                | {"command": command(user_claims.name(claim), result["address"], profile)}
            )
        listed.append(describe(claim) | {"cells": cells})
    return listed


def verify(*names: str, profile: Profile = "quick") -> list[dict[str, Any]]:
    """Judges claims in this process: what ``adfd verify --json`` lists of them, each with its cells.

    Args:
        names: ids, families or files of claims (``FILE.py``, which is run); all of the ledger without any.
        profile: ``"quick"`` or ``"full"``.

    Raises:
        InputError: a name that selects nothing.
    """
    chosen = select(names)
    return ledger(chosen, run(tasks(chosen, profile)), profile)


def status(result: Mapping[str, Any], entry: Mapping[str, Any] | None) -> Status:
    """How a cell compares with what is on record of it.

    A share of draws is changed only where its interval has no point in common with that of the draws on record:
    another LAPACK rounds otherwise, and a draw at the edge may fall on its other side.
    """
    verdict = Verdict(result["verdict"])
    found = compare(verdict, None if entry is None else entry["verdict"])
    data = result["evidence"].get("data", {})
    counts = result["evidence"] | {"facts": data.get("simultaneous_over")}
    if entry is None or "draws" not in entry or not counts["facts"] or found == "error":
        return found

    def interval(holding: int, draws: int, undecided: int) -> findings.Share:
        return findings.share(holding, draws, undecided, facts=counts["facts"])

    now = interval(counts["holding"], counts["instances"], counts["undecided"])
    return (
        "changed" if now.apart(interval(entry["holding"], entry["draws"], entry.get("undecided", 0))) else "as expected"
    )


Verdicts = dict[str, list[tuple[Mapping[str, str], str]]]


def on_record(expected: Record) -> Verdicts:
    """The verdicts on record, by claim."""
    return {
        id: [(parse_address(where), entry["verdict"]) for where, entry in cells.items()]
        for id, cells in expected.items()
    }


def _foundations(
    claims: list[Claim], results: list[dict[str, Any]], expected: Record
) -> tuple[dict[str, tuple[str, ...]], Verdicts]:
    """What rests on what, and the verdicts of this run or on record by claim."""
    links = {c.id: c.rests_on for c in (*all_claims(), *claims)}
    verdicts = on_record(expected)
    judged: Verdicts = {}
    for result in results:
        if result["mutant"] is None:
            judged.setdefault(result["id"], []).append((result["scope"], result["verdict"]))
    return links, verdicts | judged


def formal_statements(claim: Claim) -> list[dict[str, Any]]:
    """The formal statements of every cell: the cell's address, the text, and the parts."""
    if claim.formal is None:
        return []
    cells = claim.scopes("quick") or claim.scopes("full")
    return [{"cell": address(s), "text": str(one)} | one.to_dict() for s in cells for one in claim.formal(s)]


def describe(claim: Claim) -> dict[str, Any]:
    """A claim in JSON types, without its cells."""
    return {
        "id": claim.id,
        "title": claim.title,
        "statement": claim.statement,
        "family": claim.family,
        "source": claim.source,
        "paper": None if (paper := paper_of(claim.source)) is None else paper.id,
        "predicate": claim.predicate,
        "kind": claim.kind,
        "quantifier": str(claim.quantifier),
        "assumptions": [a.text for a in claim.assumptions],
        "hypotheses": [{"text": a.text, "code": code_of(a.holds)} for a in claim.assumptions],
        "derivation": [{"text": s.text, "because": s.because, "rule": s.rule} for s in claim.derivation],
        "formal": formal_statements(claim),
        "theorems": theorems.listed(claim.id),
        "rests_on": [{"id": id, "because": LINKS.get(claim.id, {}).get(id, "")} for id in claim.rests_on],
        "mutants": [{"name": m.name, "change": m.change, "kind": m.kind} for m in claim.mutants],
    }


def summary(claims: list[dict[str, Any]], seconds: float, mutants: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Counts of a ledger."""
    cells = [cell for claim in claims for cell in claim["cells"]]
    by_status = {name: sum(1 for c in cells if c["status"] == name) for name in ("as expected", "improved", "changed")}
    return {
        "claims": len(claims),
        "cells": len(cells),
        "as_expected": by_status["as expected"],
        "improved": by_status["improved"],
        "changed": by_status["changed"],
        "unrecorded": sum(1 for c in cells if c["status"] == "unrecorded"),
        "errors": sum(1 for c in cells if c["status"] == "error"),
        "verdicts": {str(v): n for v in Verdict if (n := sum(1 for c in cells if c["verdict"] == v))},
        "mutants": None
        if mutants is None
        else {"total": len(mutants), "refuted": sum(1 for m in mutants if m["verdict"] == Verdict.REFUTED)},
        "seconds": round(seconds, 3),
    }
