"""What a claim was checked for, made from its cells and instances, so that it cannot go stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from proofs_check.claim import Claim, Profile, Scope

LISTED = 6
"""Distinct values of a coordinate or of a part of the instances that are listed; of more, how many there are."""
MOST = 100
"""Instances of a cell that are looked at."""


def checked_for(claim: Claim, profile: Profile = "quick") -> dict[str, Any]:
    """The cells with their coordinates, and the first instances of the first cell with what varies among them.

    The instances are made, not judged. Those that miss an assumption are counted where it can be seen without spectra. Of
    sampled claims the cells alone: their draws may be networks, and their numbers stand in the predicate and the evidence.
    """
    cells = claim.scopes(profile)
    coordinates = {key: _listed(cell.get(key) for cell in cells) for key in dict.fromkeys(k for c in cells for k in c)}
    found: dict[str, Any] = {"profile": profile, "cells": len(cells), "coordinates": coordinates}
    if cells and claim.kind != "sampled" and claim.file is None:
        found |= _instances(claim, cells[0], profile)
    return found


def _instances(claim: Claim, scope: Scope, profile: Profile) -> dict[str, Any]:
    kept, rejected = [], 0
    visible = [a for a in claim.assumptions if not a.reads_spectra]
    for instance in islice(claim.instances(scope, profile), MOST):
        if all(a.holds(instance) for a in visible):
            kept.append(_flat(claim.describe(instance)))
        else:
            rejected += 1
    keys = dict.fromkeys(key for one in kept for key in one)
    varying = {
        key: _listed(one.get(key) for one in kept) for key in keys if len({str(one.get(key)) for one in kept}) > 1
    }
    return {"instances": len(kept), "rejected": rejected, "varying": varying}


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    """The leaves of a description in JSON types, by dotted key; a list is one leaf."""
    if isinstance(value, Mapping):
        found: dict[str, str] = {}
        for key, item in value.items():
            found |= _flat(item, f"{prefix}{key}.")
        return found
    return {prefix.rstrip(".") or "instance": str(value)}


def _listed(values: Iterable[Any]) -> list[str] | str:
    distinct = list(dict.fromkeys(str(v) for v in values))
    if len(distinct) <= LISTED and all(len(v) <= 40 for v in distinct):
        return distinct
    return f"{len(distinct)} values"


def sentence(found: Mapping[str, Any]) -> str:
    """One line for people.

    >>> sentence({"profile": "quick", "cells": 2, "coordinates": {"power": ["1", "2"]},
    ...           "instances": 3, "rejected": 0, "varying": {"seed": ["0", "1", "2"]}})
    '2 cells (power: 1, 2), quick profile; in the first 3 instances (seed: 0, 1, 2)'
    """
    cells = _words(found["coordinates"])
    text = f"{found['cells']} cell{'s' if found['cells'] != 1 else ''}{f' ({cells})' if cells else ''}, {found['profile']} profile"
    if "instances" in found:
        count, varying = found["instances"], _words(found["varying"])
        text += f"; in the first {count} instance{'s' if count != 1 else ''}{f' ({varying})' if varying else ''}"
        if found["rejected"]:
            text += f", {found['rejected']} more miss an assumption"
    return text


def _words(parts: Mapping[str, Any]) -> str:
    return "; ".join(f"{k}: {v if isinstance(v, str) else ', '.join(v)}" for k, v in parts.items())
