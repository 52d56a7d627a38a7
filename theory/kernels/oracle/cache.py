"""A cache on disk of the reference values by which derivations are verified.

What is expensive is the independent quadrature, so that is what is kept: decimal strings, keyed by the content of
the question.  A derivation is always done anew and compared with the stored values, and an entry that is not as it was
written (its checksum), or lacks a value that a verification would compute, is computed again: it can cost time, never
a verdict.  Writers rename a complete file into place: readers never see half an entry, and several
processes may write the same one.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from theory.base.derivation import Verification
from theory.base.errors import InputError
from theory.base.files import cache_folder, write
from theory.kernels.kernel import KernelDerivation

FORMAT = 2
"""Raised when the meaning of an entry changes, or its values do; 1 had no checksum and is computed again."""
QUESTION = 1
"""Raised when the meaning of a key changes."""
MAX_ENTRY = 1_000_000
"""Longest entry read, in bytes."""

_DECIMAL = re.compile(r"-?\d+(\.\d*)?(e[+-]?\d{1,6})?")
_POINT = re.compile(r"-?\d+(/\d+)?(,-?\d+(/\d+)?)*;-?\d+(/\d+)?(,-?\d+(/\d+)?)*")
_KINDS = {"K", "K_AD", "K_FD"}


@dataclass(frozen=True)
class DerivationCache:
    """Entries in one directory; a missing or unwritable directory means no cache, never an error."""

    directory: Path

    def path(self, key: str) -> Path:
        """Where the entry of a key lies."""
        return self.directory / f"{key}.json"

    def read(self, key: str) -> Verification | None:
        """The stored reference values, or None when absent, damaged or of another format."""
        path = self.path(key)
        try:
            if path.stat().st_size > MAX_ENTRY:
                return None
            data = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return _entry(data, key)

    def write(self, key: str, verification: Verification) -> bool:
        """Stores an entry by an atomic rename; False when that is not possible."""
        data: dict[str, object] = {
            "format": FORMAT,
            "key": key,
            "route": verification.route,
            "digits": verification.digits,
            "checks": [list(c) for c in verification.checks],
        }
        data["seal"] = _seal(data)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            write(self.path(key), json.dumps(data), force=True)  # the folder is the cache's own
        except (OSError, InputError):
            return False
        return True


def _seal(data: dict[str, object]) -> str:
    """The checksum of an entry's other fields."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _entry(data: object, key: str) -> Verification | None:
    if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("key") != key:
        return None
    if data.pop("seal", None) != _seal(data):
        return None
    route, digits, checks = data.get("route"), data.get("digits"), data.get("checks")
    if not isinstance(route, str) or not isinstance(digits, int) or not isinstance(checks, list) or not checks:
        return None
    parsed = []
    for check in checks:
        if not isinstance(check, list) or len(check) != 3 or not all(isinstance(c, str) for c in check):
            return None
        kind, where, value = check
        if kind not in _KINDS or not _POINT.fullmatch(where) or not _DECIMAL.fullmatch(value):
            return None
        parsed.append((kind, where, value))
    return Verification(route, digits, tuple(parsed), 0.0, cached=True)


def default_directory() -> Path:
    """``$ADFD_CACHE``, else ``adfd/derivations`` in the user's cache directory."""
    return cache_folder("derivations")


def default_cache() -> DerivationCache:
    """The cache in :func:`default_directory`."""
    return DerivationCache(default_directory())


def key_of(kernel: KernelDerivation) -> str:
    """A digest of the question: activation, laws, operator, discretisation, dimension, and the format."""
    difference = kernel.difference
    parts: list[object] = [
        QUESTION,
        kernel.activation.name,
        str(kernel.activation.derivative(0)),
        str(kernel.weights),
        str(kernel.biases),
        kernel.coordinates.dimension,
        None if kernel.operator is None else [(a, str(c)) for a, c in kernel.operator.terms],
        None
        if difference is None
        else [
            (str(t.coefficient), [str(w) for w in t.weights], str(t.scale), [[str(s) for s in p] for p in t.shifts])
            for t in difference.terms
        ],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
