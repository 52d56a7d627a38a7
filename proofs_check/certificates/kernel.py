"""``adfd check FILE --kernel``: the singular values of a certificate, proven by Rocq's kernel.

The file that is written for Rocq holds enclosures of the entries, a witness and the claims as integers; it compiles if
and only if ``Checker.check`` computes to ``true`` on them, and then ``Checker.check_sound`` (or its transposed form)
proves the claims for every real matrix with entries in these enclosures.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from proofs_check import checker, rocq
from proofs_check.certificates.witness import Witness, features, source, witness
from proofs_check.claims.theorems import BUILD, standing
from theory.base.errors import InputError

SECONDS = 600.0
"""The kernel takes at most so long for a matrix."""
SPECTRA = {"singular values": ("spectrum",), "entropies": ("ad", "fd")}
"""Which spectra a statement holds that is read here."""
BY_FLINT, BY_KERNEL = "enclosures by FLINT, not by the kernel", "enclosed by the kernel"
REFUSED = "true = true"
"""In what Rocq prints where the check computes to ``false``."""


THEOREMS = tuple(
    f"{file}_sound{form}" for file in ("Checker.check", "FeatureChecker.features") for form in ("", "_transposed")
)
"""What the kernel's word rests on."""


def prepare() -> None:
    """Compiles the proven checker, where that was not done before.

    Raises:
        InputError: Rocq or a library is not installed, or the checker does not compile, or is not the one on record.
    """
    if changed := [name for name in THEOREMS if standing(name) is None]:
        raise InputError(f"--kernel: {', '.join(changed)}: not on record as it stands; run: make proofs")
    rocq.program("coqc")
    rocq.require_libraries()
    rocq.compile_all(os.cpu_count() or 1, ("FeatureChecker.vo",))


def prove(data: dict[str, Any], seconds: float = SECONDS) -> tuple[list[dict[str, Any]], list[str]]:
    """What the kernel proves of a file that the checker has accepted, a matrix each, and what it does not prove.

    Raises:
        InputError: the file states nothing about singular values of single matrices; or Rocq fails for another reason.
    """
    if data["statement"] not in SPECTRA:
        raise InputError(f"--kernel: proves singular values; this file states {data['statement']}")
    problem = checker.read_problem(data["problem"])
    proven: list[dict[str, Any]] = []
    findings: list[str] = []
    for key in SPECTRA[data["statement"]]:
        spectrum = data[key]
        begun = time.perf_counter()
        try:
            found = witness(problem, spectrum)
        except checker.RefusedError as error:
            findings.append(f"{key}: no witness for the kernel: {error}")
            continue
        prepared = time.perf_counter()
        entries = features(problem, spectrum, found)
        reason = judged(source(found, entries), seconds)
        if reason is not None and entries is not None:  # perhaps the entries alone were too much
            entries, reason = None, judged(source(found), seconds)
        if reason is not None:
            findings.append(f"{key}: {reason}")
            continue
        proven.append(
            {
                "method": "ad" if spectrum["difference"] is None else "fd",
                "matrix_sha256": checker.digest({"problem": data["problem"], "difference": spectrum["difference"]}),
                "values": len(found.bounds),
                "theorem": theorem(found, entries is not None),
                "entries": BY_FLINT if entries is None else BY_KERNEL,
                "places": found.places,
                "seconds": {"witness": round(prepared - begun, 1), "kernel": round(time.perf_counter() - prepared, 1)},
            }
        )
    return proven, findings


def theorem(found: Witness, by_kernel: bool) -> str:
    """The one that the file applies."""
    name = "FeatureChecker.features_sound" if by_kernel else "Checker.check_sound"
    return f"{name}_transposed" if found.transposed else name


def judged(text: str, seconds: float = SECONDS) -> str | None:
    """Why Rocq does not accept a file of :func:`source`; ``None`` where it does.

    Raises:
        InputError: Rocq fails, but not at the check.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Certificate.v"
        path.write_text(text, encoding="utf-8")
        command = [rocq.program("coqc"), "-q", "-Q", str(BUILD), "adfd", str(path)]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return f"not proven: the kernel was stopped after {seconds:.0f} s"
        if done.returncode == 0:
            return None
        if REFUSED in done.stderr:
            return "not proven: the kernel's check of these bounds is false"
        raise InputError(f"--kernel: coqc: {done.stderr.strip()[-500:]}")


def lines(proven: list[dict[str, Any]]) -> list[str]:
    """What the kernel has proven, in words."""
    return [
        f"proven by Rocq's kernel ({one['theorem']}, {one['seconds']['kernel']} s): the bounds of all {one['values']} singular "
        f"values of the {one['method']} matrix, "
        + (_FUNCTIONS if one["entries"] == BY_KERNEL else _INTERVALS).format(**one)
        for one in proven
    ]


_FUNCTIONS = (
    "with its entries enclosed in the kernel as well, as sums of derivatives of the activation at rational points; that these "
    "sums are the entries is adfd's word"
)
_INTERVALS = (
    "for every matrix with entries in the intervals (2^-{places} to each side) that it was given; that the entries lie in these is "
    "FLINT's word, not the kernel's"
)
