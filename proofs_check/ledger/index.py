"""What every claim says, without importing one: an index beside the digest of the sources that it was made from.

A claim's words stand in its module, which imports what its test needs: seconds.  The index is shipped; where the sources
are not those that it was made from, the claims are asked themselves and their answers kept in the user's cache.  So it may
be slow, and never wrong.  ``python -m proofs_check.ledger.index`` makes it; ``--check`` says whether it is current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from numerics.runs.store import code_digest
from proofs_check.claims import theorems
from theory.base import files
from theory.base.errors import InputError

INDEX = Path(__file__).resolve().parent.parent / "claims.json"


@cache
def claims() -> tuple[dict[str, Any], ...]:
    """What :func:`proofs_check.ledger.runner.describe` says of every claim, in the order of the ledger.

    ``home`` is added, the module that it is defined in.
    """
    cached = files.cache_folder("claims") / INDEX.name
    found = next((kept for path in (INDEX, cached) if (kept := read(path)) is not None), None)
    if found is None:
        found = asked()
        with suppress(InputError, OSError):
            files.make_folder(cached.parent)
            write(cached, found)
    return tuple(one | {"theorems": theorems.listed(one["id"])} for one in found)


def words(claim: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of a claim of the index: all but where it is defined."""
    return {key: value for key, value in claim.items() if key != "home"}


def asked() -> list[dict[str, Any]]:
    """The same, said by the claims themselves, without what is known of their theorems, which is not in the sources."""
    from proofs_check.ledger import runner
    from proofs_check.ledger.ledger import all_claims, homes

    said = [runner.describe(claim) | {"theorems": [], "home": homes()[claim.id]} for claim in all_claims()]
    return list(json.loads(json.dumps(said)))


def read(path: Path) -> list[dict[str, Any]] | None:
    """The claims of an index; None where it is absent, unreadable or made from other sources."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["digest"] == code_digest():
            return [dict(claim) for claim in content["claims"]]
    return None


def write(path: Path, said: list[dict[str, Any]]) -> None:
    """Writes an index.

    Raises:
        InputError: it cannot be written.
    """
    lines = ",\n".join(json.dumps(claim, ensure_ascii=False, separators=(",", ":")) for claim in said)
    files.write(path, f'{{"made_by":"adfd","digest":"{code_digest()}","claims":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    current = read(INDEX) is not None
    if "--check" in sys.argv[1:]:
        sys.exit(None if current else f"{INDEX}: was made from other sources; run: make index")
    if not current:
        write(INDEX, asked())
