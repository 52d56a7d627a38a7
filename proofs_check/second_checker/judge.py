"""The three statements, proven by the inequalities of ``docs/certificates.md``."""

from __future__ import annotations

import json

from proofs_check.second_checker import entropies, intervals, reading, steps, values
from proofs_check.second_checker.intervals import UndecidedError, working
from proofs_check.second_checker.reading import record, refuse

BUDGET, PER_BYTE = 4e6, 500.0


def findings(certificate: object) -> list[str]:
    """Why a certificate (parsed JSON) is refused, in one line; nothing where its claim is proven."""
    try:
        with working(64):
            length = len(json.dumps(certificate, sort_keys=True, separators=(",", ":")))
            intervals.allow(BUDGET + PER_BYTE * length)
            _judge(certificate)
    except UndecidedError as reason:
        return [str(reason)]
    except Exception as error:  # whatever goes wrong proves nothing
        return [f"malformed ({type(error).__name__})"]
    return []


def _judge(certificate: object) -> None:
    if not isinstance(certificate, dict) or certificate.get("format") != reading.FORMAT:
        refuse("another format")
    statement = certificate.get("statement")
    if statement == "singular values":
        *_, of, spectrum = record(certificate, "format statement problem spectrum", "certificate")
        values.proven_values(reading.problem(of), spectrum)
    elif statement == "entropies":
        entropies.judge(certificate)
    elif statement == "entropies on steps":
        steps.judge(certificate)
    else:
        refuse("another statement")
