"""The ledger: every claim, what was found of it, and what is on record.

``expected`` lives in one file, ``expected.json``, and is only ever *compared* with what a computation came to;
``adfd verify --record`` rewrites it, as a reviewed change.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from proofs_check.claims import links as dependencies
from proofs_check.claims.claim import Claim
from proofs_check.claims.links import LINKS
from proofs_check.claims.verdicts import Verdict
from proofs_check.own import claims as user_claims
from theory.base import files
from theory.base.errors import InputError, nearest

EXPECTED = Path(__file__).resolve().parent.parent / "expected.json"
"""What is on record: claim, then cell address, to a verdict (and for INCONCLUSIVE, why)."""
SCHEMA = 1
"""Version of that file."""


ORDER = (
    "proofs_check.families.differences.stencils",
    "proofs_check.families.differences.remainders",
    "proofs_check.families.differences.averages",
    "proofs_check.families.differences.symbols",
    "proofs_check.families.spectra.spectra",
    "proofs_check.families.spectra.perturbations",
    "proofs_check.families.spectra.entropy",
    "proofs_check.families.spectra.entropy_bounds",
    "proofs_check.families.spectra.every_step",
    "proofs_check.families.spectra.solvable",
    "proofs_check.families.spectra.uniform_circle",
    "proofs_check.families.spectra.solvable:SPECTRA",
    "proofs_check.families.differences.kernels",
    "proofs_check.families.differences.kernel_rates",
    "proofs_check.families.differences.kernel_variance",
    "proofs_check.families.differences.kernel_orders",
    "proofs_check.families.differences.floor",
    "proofs_check.families.differences.steps",
    "proofs_check.families.differences.floor:SIZES",
    "proofs_check.families.differences.stored",
    "proofs_check.families.networks.training",
    "proofs_check.families.networks.loss_orders",
    "proofs_check.families.networks.networks",
    "proofs_check.families.networks.drawn_networks",
    "proofs_check.families.networks.entropy_orders",
    "proofs_check.families.networks.networks:RESIDUALS",
    "proofs_check.sources.source",
    "proofs_check.sources.training",
    "proofs_check.sources.paired",
    "proofs_check.sources.advantage",
    "proofs_check.sources.explanations",
    "proofs_check.families.spectra.regimes",
    "proofs_check.families.spectra.predictions",
    "proofs_check.sources.explanations:PREDICTED",
    "proofs_check.families.spectra.limits",
    "proofs_check.families.literature.minimisers",
    "proofs_check.families.literature.trained",
    "proofs_check.families.literature.stalls",
    "proofs_check.families.literature.sparse",
    "proofs_check.families.literature.decay",
    "proofs_check.families.literature.ranks",
    "proofs_check.families.literature.derivatives",
    "proofs_check.families.literature.conditioning",
    "proofs_check.families.literature.costs",
    "proofs_check.families.literature.rules",
)
"""The modules with a tuple ``CLAIMS``, or another after a colon, in the order of the ledger: from the discretisation to
what a source states."""


def _listed(entry: str) -> tuple[Claim, ...]:
    module, _, name = entry.partition(":")
    found: tuple[Claim, ...] = getattr(importlib.import_module(module), name or "CLAIMS")
    return found


@cache
def homes() -> dict[str, str]:
    """The module that each claim is defined in, by its id."""
    return {claim.id: entry.partition(":")[0] for entry in ORDER for claim in _listed(entry)}


@cache
def all_claims() -> tuple[Claim, ...]:
    """Every claim of the modules in :data:`ORDER`.

    Raises:
        ValueError: two claims share an id, or a claim has no mutant.
        InputError: a claim rests on one that there is not, or on itself.
    """
    found = [claim for entry in ORDER for claim in _listed(entry)]
    seen: set[str] = set()
    for claim in found:
        if claim.id in seen:
            raise ValueError(f"two claims are called {claim.id}")
        if not claim.mutants:
            raise ValueError(f"{claim.id} has no mutant: a check that cannot fail is a defect")
        seen.add(claim.id)
    linked = tuple(_linked(claim) for claim in found)
    dependencies.check({c.id: c.rests_on for c in linked}, ())
    return linked


def defined(id: str, home: str) -> Claim:
    """The claim of this id, of the module that defines it: no other one is imported.

    Raises:
        StopIteration: it defines no such claim.
    """
    entries = (entry for entry in ORDER if entry.partition(":")[0] == home)
    return next(_linked(claim) for entry in entries for claim in _listed(entry) if claim.id == id)


def _linked(claim: Claim) -> Claim:
    """The claim with its links of the ledger's table, after those of its own."""
    return claim.with_(rests_on=tuple(dict.fromkeys((*claim.rests_on, *LINKS.get(claim.id, {})))))


def select(ids: Iterable[str], claims: tuple[Claim, ...] | None = None) -> tuple[Claim, ...]:
    """The claims of these ids, or of these families, or whose id starts with one of them (all for none).

    ``FILE.py`` names all claims of a user's own file, ``FILE.py::ID`` some of them; the file is run.

    Raises:
        InputError: an id that selects nothing; the line names the nearest.  A file that cannot be loaded, an id that it
            lacks, or one that is taken.
    """
    wanted = list(ids)
    if claims is None and any(user_claims.is_file(text) for text in wanted):
        rest = [text for text in wanted if not user_claims.is_file(text)]
        return (*_of_files(text for text in wanted if user_claims.is_file(text)), *(select(rest) if rest else ()))
    known = all_claims() if claims is None else claims
    if not wanted:
        return known
    chosen: list[Claim] = []
    for text in wanted:
        found = [c for c in known if c.id == text] or [
            c for c in known if c.family == text or c.id.startswith(f"{text}.")
        ]
        if not found:
            options = [c.id for c in known] + sorted({c.family for c in known})
            raise InputError(f"claim {text!r}: unknown; {nearest(text, options)}see 'adfd claims'")
        chosen.extend(c for c in found if c not in chosen)
    return tuple(chosen)


def _of_files(names: Iterable[str]) -> list[Claim]:
    """The claims of the files and ids named, each once."""
    wanted = [text.partition("::") for text in names]
    loaded = {path: user_claims.load(str(Path(path).absolute())) for path, _, _ in wanted}
    chosen: list[Claim] = []
    taken = {c.id: "the ledger" for c in all_claims()}
    for path, colons, id in wanted:
        claims = loaded[path]
        try:
            dependencies.check({c.id: c.rests_on for c in claims}, taken)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        for found in claims:
            if taken.setdefault(found.id, str(found.file)) != found.file:
                raise InputError(f"{path}: claim {found.id}: the id is taken by {taken[found.id]}")
        for found in select([id], claims) if colons else claims:
            if all(c.id != found.id for c in chosen):
                chosen.append(found)
    return chosen


Record = dict[str, dict[str, dict[str, Any]]]
"""``{claim id: {address: {"verdict": …, "reason": …}}}``; of a share also the ``finding`` and its numbers of draws."""


def load_expected(profile: str = "quick", path: Path = EXPECTED) -> Record:
    """The verdicts on record for a profile (its instances are its own); empty without a file.

    Raises:
        InputError: not such a file, an ERROR or VACUOUS on record, or an INCONCLUSIVE without a reason.
    """
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = {
            claim: {address: dict(entry) for address, entry in found.items()}
            for claim, found in content["profiles"].get(profile, {}).items()
        }
        verdicts = [(c, a, Verdict(e["verdict"]), e.get("reason")) for c, f in cells.items() for a, e in f.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: is not a record of expected verdicts ({error})") from None
    for claim, where, verdict, reason in verdicts:
        if verdict in {Verdict.ERROR, Verdict.VACUOUS}:
            raise InputError(f"{path}: {claim} [{where}]: {verdict} cannot be expected")
        if verdict is Verdict.INCONCLUSIVE and not reason:
            raise InputError(f"{path}: {claim} [{where}]: an expected INCONCLUSIVE needs a reason")
    return cells


def record(cells: Iterable[Mapping[str, Any]], profile: str = "quick", path: Path = EXPECTED) -> int:
    """Writes the verdicts of these cells over those on record for the profile; returns how many entries changed.

    Raises:
        InputError: a verdict that cannot be expected.
    """
    known = load_expected(profile, path)
    profiles = json.loads(path.read_text(encoding="utf-8"))["profiles"] if path.exists() else {}
    changed = 0
    for cell in cells:
        verdict = Verdict(cell["verdict"])
        if verdict in {Verdict.ERROR, Verdict.VACUOUS}:
            raise InputError(f"{cell['id']} [{cell['address']}]: {verdict} cannot be recorded")
        entry: dict[str, Any] = {"verdict": str(verdict)}
        if verdict is Verdict.INCONCLUSIVE:
            entry["reason"] = cell["evidence"]["summary"]
        if cell.get("finding") is not None:
            entry["finding"] = str(cell["finding"])
            entry |= {"holding": cell["evidence"]["holding"], "draws": cell["evidence"]["instances"]}
            if cell["evidence"]["undecided"]:
                entry["undecided"] = cell["evidence"]["undecided"]
            entry |= _measured(cell["evidence"].get("data", {}))
        entries = known.setdefault(cell["id"], {})
        if _numbers(entries.get(cell["address"], {})) != _numbers(entry):
            entries[cell["address"]] = entry
            changed += 1
    ordered = {claim: dict(sorted(known[claim].items())) for claim in sorted(known)}
    profiles[profile] = ordered
    files.write(path, _lines(profiles), force=True)  # the program's own file
    return changed


def _lines(profiles: Mapping[str, Record]) -> str:
    """JSON with a cell on each line, so that a person, and a diff, see what has changed."""

    def block(depth: int, entries: Mapping[str, str]) -> str:
        inner = ",\n".join(
            f"{' ' * (depth + 1)}{json.dumps(key, ensure_ascii=False)}: {entries[key]}" for key in entries
        )
        return f"{{\n{inner}\n{' ' * depth}}}" if entries else "{}"

    claims = {
        profile: block(2, {id: block(3, {where: json.dumps(cell, ensure_ascii=False) for where, cell in cells.items()})
                           for id, cells in record.items()})
        for profile, record in profiles.items()
    }  # fmt: skip
    return block(0, {"schema": str(SCHEMA), "profiles": block(1, claims)}) + "\n"


def _numbers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry without its words."""
    return {key: value for key, value in entry.items() if key != "reason"}


def _measured(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a sentence on a statement says beside its findings: the mechanism, and the median of the relative gap."""
    gap = data.get("relative_gap", {}).get("median")
    found = {"mechanism": data.get("mechanism"), "relative_gap": None if gap is None else float(f"{gap:.2e}")}
    return {key: value for key, value in found.items() if value is not None}
