"""What a claim was checked for, made from its cells and the instances that were judged, so that it cannot go stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from proofs_check.claims.claim import Claim, Profile, Scope, address

LISTED = 6
"""Distinct values of a coordinate or of a part of the instances that are listed; of more, how many and from where to where."""
MOST = 5000
"""Instances of a cell that are described."""


def checked_for(claim: Claim, profile: Profile = "quick") -> dict[str, Any]:
    """The cells with their coordinates, and the instances of every cell with what varies among them.

    The instances are made, not judged. Those that miss an assumption are counted where it can be seen without spectra. Of
    sampled claims the cells alone: making their draws may be training networks; the evidence of each cell counts them.
    """
    cells = claim.scopes(profile)
    found: dict[str, Any] = {"profile": profile, "cells": len(cells), "coordinates": coordinates(cells)}
    if cells and claim.file is None and (exact := [s for s in cells if claim.kind_in(s) != "sampled"]):
        found |= merged(_made(claim, scope, profile) for scope in exact)
        if len(exact) < len(cells):
            found["exact_cells"] = len(exact)
    return found


def on_record(claims: Iterable[Claim], record: Mapping[str, Mapping[str, Any]], profile: Profile) -> str:
    """Of which cells of these claims a profile's verdicts are on record, in one sentence.

    Args:
        claims: in the order in which they are told.
        record: entries by claim and address.
        profile: of the cells.
    """
    told, missing = [], []
    for claim in claims:
        scopes = {address(scope): scope for scope in claim.scopes(profile)}
        known = [scope for where, scope in scopes.items() if where in record.get(claim.id, {})]
        if known:
            shared = [f"{key} {value[0]}" for key in known[0] if len(value := list({s.get(key) for s in known})) == 1]
            alike = f" ({', '.join(shared)})" if shared and len(known) < len(scopes) else ""
            told.append(f"{claim.id} {len(known)} of {len(scopes)} cells{alike}")
        elif scopes:
            missing.append(claim.id)
    told += [f"none of {', '.join(missing)}"] if missing else []
    return f"On record in the {profile} profile: {'; '.join(told)}."


def coordinates(cells: Sequence[Scope]) -> dict[str, Any]:
    """The values of each coordinate of some cells."""
    return {key: _listed(cell.get(key) for cell in cells) for key in dict.fromkeys(k for c in cells for k in c)}


def _made(claim: Claim, scope: Scope, profile: Profile) -> dict[str, Any]:
    visible = [a for a in claim.assumptions if not a.reads_spectra]
    kept, rejected = [], 0
    for instance in claim.instances(scope, profile):
        if all(a.holds(instance) for a in visible):
            kept.append(instance)
        else:
            rejected += 1
    return judged(claim, kept, rejected)


def judged(claim: Claim, instances: Sequence[Any], rejected: int, *, draws: bool = False) -> dict[str, Any]:
    """The instances of one cell: how many were judged, how many missed an assumption, and what varies among the former.

    Of ``draws`` the first and the last alone are described.
    """
    shown = [*instances[:1], *instances[1:][-1:]] if draws else instances[:MOST]
    described = [_flat(claim.describe(instance)) for instance in shown]
    keys = dict.fromkeys(key for one in described for key in one)
    parts = {key: list(dict.fromkeys(one[key] for one in described if key in one)) for key in keys}
    varying = {key: _listed(values) for key, values in parts.items() if len(values) > 1}
    if draws:
        varying = {key: f"{parts[key][0]} … {parts[key][-1]}" for key in varying if max(map(len, parts[key])) <= SHORT}
    found = {"instances": len(instances), "rejected": rejected, "varying": varying}
    if len(instances) > MOST and not draws:
        found["described"] = MOST
    return found


def told_by(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What :func:`judged` said, in the evidence of a file that need not be adfd's; None where it is not that."""
    found = data.get("checked_for")
    if not isinstance(found, dict) or not isinstance(varying := found.get("varying"), dict):
        return None
    counted = all(type(found.get(key)) is int for key in ("instances", "rejected"))
    listed = (one if isinstance(one, list) else [one] for one in varying.values())
    return found if counted and all(isinstance(text, str) for one in listed for text in one) else None


def merged(cells: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The same of several cells together."""
    listed = list(cells)
    keys = dict.fromkeys(key for one in listed for key in one["varying"])
    return {
        "instances": sum(one["instances"] for one in listed),
        "rejected": sum(one["rejected"] for one in listed),
        "varying": {key: _joined([one["varying"][key] for one in listed if key in one["varying"]]) for key in keys},
    }


def _joined(parts: Sequence[Any]) -> Any:
    """What varies in several cells: the values of all where they are listed, else what each cell says, once."""
    if all(isinstance(part, list) for part in parts):
        return _listed(value for part in parts for value in part)
    texts = list(dict.fromkeys(part if isinstance(part, str) else ", ".join(part) for part in parts))
    return texts[0] if len(texts) == 1 else f"{'; or '.join(texts[:3])}{'; …' if len(texts) > 3 else ''}, by cell"


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    """The leaves of a description in JSON types, by dotted key; a list is one leaf."""
    if isinstance(value, Mapping):
        found: dict[str, str] = {}
        for key, item in value.items():
            found |= _flat(item, f"{prefix}{key}.")
        return found
    return {prefix.rstrip(".") or "instance": str(value)}


SHORT = 40
"""Characters of a value that is written out."""


def _listed(values: Iterable[Any]) -> list[str] | str:
    """The distinct values, numbers in order; of many, how many there are."""
    distinct = list(dict.fromkeys(str(v) for v in values))
    try:
        distinct.sort(key=Fraction)
        numbers = True
    except (ValueError, ZeroDivisionError):
        numbers = False
    if len(distinct) <= LISTED and all(len(v) <= (SHORT if len(distinct) > 1 else 2 * SHORT) for v in distinct):
        return distinct
    ends = f" from {distinct[0]} to {distinct[-1]}" if numbers else ""
    count = f"{len(distinct)} value{'s' if len(distinct) != 1 else ''}"
    return f"{count}{ends if len(ends) <= 2 * SHORT else ''}"


def sentence(found: Mapping[str, Any]) -> str:
    """One line for people.

    >>> sentence({"profile": "quick", "cells": 2, "coordinates": {"power": ["1", "2"]},
    ...           "instances": 3, "rejected": 0, "varying": {"seed": ["0", "1", "2"]}})
    '2 cells (power: 1, 2), quick profile; 3 instances in all (seed: 0, 1, 2)'
    """
    cells = _words(found["coordinates"])
    text = f"{found['cells']} cell{'s' if found['cells'] != 1 else ''}{f' ({cells})' if cells else ''}"
    text += f", {found['profile']} profile" if "profile" in found else ""
    if "instances" in found:
        where = (
            f" in the {found['exact_cells']} exact cells"
            if "exact_cells" in found
            else " in all"
            if found["cells"] > 1
            else ""
        )
        text += f"; {of_cell(found, where)}"
    return text


def of_cell(found: Mapping[str, Any], where: str = "") -> str:
    """The instances of a cell in words.

    >>> of_cell({"instances": 2, "rejected": 1, "varying": {"R": ["2", "8"]}})
    '2 instances (R: 2, 8), 1 more misses an assumption'
    """
    count, varying = found["instances"], _words(found["varying"])
    text = f"{count} instance{'s' if count != 1 else ''}{where}{f' ({varying})' if varying else ''}"
    if found["rejected"]:
        text += f", {found['rejected']} more miss{'' if found['rejected'] != 1 else 'es'} an assumption"
    if "described" in found:
        text += f"; the first {found['described']} are described"
    return text


def _words(parts: Mapping[str, Any]) -> str:
    return "; ".join(f"{k}: {v if isinstance(v, str) else ', '.join(v)}" for k, v in parts.items())
