"""Proof objects as they are written: no file leaves adfd that its own checker refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from proofs_check import checker, checker_entropies
from theory.errors import PrecisionCapError


def accepted(certificate: dict[str, Any]) -> dict[str, Any]:
    """The certificate, with as much precision as the checker needs for its own formulas.

    Raises:
        PrecisionCapError: the checker refuses it at four times the precision too.
    """
    data = json.loads(json.dumps(certificate))
    spectra = [part for key in ("spectrum", "ad", "fd") if (part := data.get(key))] + data.get("nodes", [])
    first = [part["precision"] for part in spectra]
    for quarters in (4, 6, 8, 16):
        for part, bits in zip(spectra, first, strict=True):
            part["precision"] = min(checker.MAX_PRECISION, bits * quarters // 4)
        try:
            checker_entropies.verify(data)
        except checker.RefusedError as error:
            reason = error
        else:
            return dict(data)
    raise PrecisionCapError(f"certificate: what was found is not accepted by the checker ({reason})")


def is_certificate(path: Path) -> bool:
    """Whether a file is a proof object: its first field says so."""
    with path.open("rb") as file:
        return bool(re.match(rb'\s*\{\s*"format"\s*:\s*"adfd certificate', file.read(200)))
