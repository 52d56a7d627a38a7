"""Witnesses: a counterexample in a file of its own, and its re-check by code that shares nothing with the search.

The file holds the claim's name, the cell and the instance, exactly.  ``python -m proofs_check.ledger.witness FILE`` rebuilds
the instance, checks the claim's assumptions and evaluates its predicate: once as the ledger does, and, where the
predicate reads exact singular values, once more with mpmath's at two precisions in their place.  No Hypothesis, no
search.  A witness of a claim in a user's own file runs that file.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from numerics.arithmetic.balls import Enclosure
from numerics.matrices.assemble import multiprecision_entries
from numerics.problem.file import problem_from_dict
from numerics.problem.problem import Method, Problem
from numerics.spectra import spectrum as spectra
from numerics.spectra.spectrum import reference_singular_values
from proofs_check.claims.claim import Claim, Scope
from proofs_check.claims.verdicts import Outcome
from proofs_check.ledger import index, ledger
from proofs_check.ledger.judging import evaluate, satisfied
from proofs_check.own import claims as user_claims
from theory.base.errors import InputError

SCHEMA = 1
"""Version of the file; another one is refused."""
ROOMS = ("theory.", "numerics.", "proofs_check.")
"""Where the classes of instances may come from; besides these, a user's own file."""
CLASSES = {"proofs_check.claims.steps:Draw": "proofs_check.families.differences.steps:Draw"}
"""Classes that older files name where another module is now; what else has moved is known by its old name
(:mod:`theory.base.old_names`)."""
MAX_BYTES = 20_000_000
"""Largest file read."""


def encode(value: Any, own: str | None = None) -> Any:
    """A value in JSON types, exactly; read back by :func:`decode`.

    Numbers, text, tuples, lists, dictionaries, problems, and dataclasses of this project or of the module ``own``.

    Raises:
        TypeError: anything else.

    >>> encode((Fraction(1, 3), "a"))
    {'tuple': [{'rational': '1/3'}, 'a']}
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return {"float": value.hex()}
        case Fraction():
            return {"rational": f"{value.numerator}/{value.denominator}"}
        case Problem():
            return {"problem": value.to_dict()}
        case tuple() | list():
            return {type(value).__name__: [encode(item, own) for item in value]}
        case Mapping():
            return {"mapping": [[encode(k, own), encode(v, own)] for k, v in value.items()]}
    kind = type(value)
    if not is_dataclass(value) or not (kind.__module__ == own or kind.__module__.startswith(ROOMS)):
        raise TypeError(f"a {kind.__name__} cannot be written")
    room = "" if kind.__module__ == own else kind.__module__
    content = {f.name: encode(getattr(value, f.name), own) for f in fields(value) if f.init}
    return {"class": f"{room}:{kind.__qualname__}", "fields": content}


def decode(data: Any, own: str | None = None) -> Any:
    """The value that :func:`encode` wrote.

    Raises:
        InputError: not such a value.
    """
    if not isinstance(data, dict):
        return data
    match data:
        case {"float": str(text)}:
            return float.fromhex(text)
        case {"rational": str(text)}:
            numerator, _, denominator = text.partition("/")
            return Fraction(int(numerator), int(denominator))
        case {"problem": dict(content)}:
            return problem_from_dict(content)
        case {"tuple": list(items)}:
            return tuple(decode(item, own) for item in items)
        case {"list": list(items)}:
            return [decode(item, own) for item in items]
        case {"mapping": list(items)}:
            return {decode(k, own): decode(v, own) for k, v in items}
        case {"class": str(name), "fields": dict(content)}:
            return _class(name, own)(**{key: decode(item, own) for key, item in content.items()})
    raise InputError(f"instance: {str(data)[:80]}: is not a value that a witness holds")


def _class(name: str, own: str | None) -> Any:
    room, _, qualified = CLASSES.get(name, name).partition(":")
    if room and not room.startswith(ROOMS):
        raise InputError(f"instance: {name[:80]}: a class of another package")
    found: Any = importlib.import_module(room or own or "builtins")
    for part in qualified.split("."):
        found = getattr(found, part, None)
    if not (isinstance(found, type) and is_dataclass(found)):
        raise InputError(f"instance: {name[:80]}: no such class")
    return found


def content(claim: Claim, mutant: str | None, scope: Scope, instance: Any, outcome: Outcome) -> dict[str, Any]:
    """The content of a witness file.

    Raises:
        TypeError: the instance can neither be written nor is it one that the claim itself enumerates.
    """
    own = None if claim.file is None else user_claims.module(claim.file).__name__
    try:
        given = {"value": encode(instance, own)}
    except TypeError:
        given = {"drawn": _position(claim, scope, instance)}
    return {
        "schema": SCHEMA,
        "claim": claim.id,
        "mutant": mutant,
        "file": claim.file,
        "statement": claim.statement,
        "predicate": claim.predicate,
        "quantifier": str(claim.quantifier),
        "cell": dict(scope),
        "instance": given,
        "detail": outcome.detail,
        "certified": outcome.certified,
    }


def _position(claim: Claim, scope: Scope, instance: Any) -> dict[str, Any]:
    for profile in ("quick", "full"):
        for place, one in enumerate(claim.instances(scope, profile)):
            if one == instance:
                return {"profile": profile, "index": place}
    raise TypeError(f"a {type(instance).__name__} cannot be written")


def read(path: Path) -> dict[str, Any]:
    """A witness file.

    Raises:
        InputError: it cannot be read, or is not a witness of this version.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES} bytes")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise InputError(f"{path}: {reason}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not JSON") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or not {"claim", "cell", "instance"} <= data.keys():
        raise InputError(f"{path}: is not a witness of version {SCHEMA}, as 'adfd refute --save' writes it")
    return data


def claim_of(data: Mapping[str, Any]) -> Claim:
    """The claim, or its mutant, that a witness is about.

    Raises:
        InputError: there is no such claim or mutant.
    """
    file, id = data.get("file"), data["claim"]
    if file is None:
        home = next((one["home"] for one in index.claims() if one["id"] == id), None)
        claim = None if home is None else ledger.defined(id, home)
    else:
        claim = next((c for c in user_claims.load(str(file)) if c.id == id), None)
    if claim is None:
        raise InputError(f"claim {str(data['claim'])[:80]!r}: unknown")
    if data.get("mutant") is None:
        return claim
    mutant = next((m for m in claim.mutants if m.name == data["mutant"]), None)
    if mutant is None:
        raise InputError(f"claim {claim.id}: no mutant {str(data['mutant'])[:80]!r}")
    return mutant.mutate(claim)


def instance_of(data: Mapping[str, Any], claim: Claim) -> Any:
    """The instance of a witness, rebuilt.

    Raises:
        InputError: it cannot be.
    """
    own = None if claim.file is None else user_claims.module(claim.file).__name__
    try:
        given = data["instance"]
        if "value" in given:
            return decode(given["value"], own)
        drawn = given["drawn"]
        return next(islice(claim.instances(data["cell"], drawn["profile"]), int(drawn["index"]), None))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"instance: cannot be rebuilt ({type(error).__name__}: {error})") from None


def check(data: Mapping[str, Any], reference: bool = False) -> dict[str, Any]:
    """Evaluates the predicate at the witness: ``refutes`` when the assumptions are met and it fails.

    Args:
        data: the content of the file.
        reference: with mpmath's singular values where the predicate reads exact ones (``spectra`` counts them); only
            in a process that has not evaluated it before, for spectra are remembered.

    Raises:
        InputError: not a witness of a claim that exists.
    """
    claim = claim_of(data)
    instance, scope = instance_of(data, claim), dict(data["cell"])
    counted = _use_reference_spectra() if reference else []
    missed = [assumption.text for assumption in claim.assumptions if not satisfied(claim, assumption, instance)]
    outcome = None if missed else evaluate(claim, instance, scope)
    return {
        "refutes": outcome is not None and outcome.holds is False,
        "certified": outcome is not None and outcome.holds is False and outcome.certified and not counted,
        "detail": f"misses the assumption: {missed[0]}" if outcome is None else outcome.detail,
        "spectra": len(counted) if reference else None,
    }


def _use_reference_spectra() -> list[tuple[str, Method]]:
    """Exact spectra of this process come from mpmath from now on; the list grows with every one of them."""
    counted: list[tuple[str, Method]] = []

    def by_mpmath(problem: Problem, method: Method, digits: int) -> spectra.Spectrum:
        counted.append((problem.key, method))
        found = reference_singular_values(multiprecision_entries(problem, method), digits + 3)
        width = Fraction(1, 10**digits)
        exact = [_fraction(value) for value in found.values]
        values = tuple(Enclosure(v * (1 - width), v * (1 + width)) for v in exact)
        rank = len(values) - found.unresolved
        return spectra.Spectrum(method, "exact", values, False, found.working_digits, found.seconds, rank)

    spectra._exact = by_mpmath  # the one place where exact spectra are made
    spectra._BACKING.clear()  # neither read from a store that others have filled, nor kept in it
    return counted


def _fraction(value: Any) -> Fraction:
    negative, mantissa, exponent, _ = value._mpf_  # exactly (−1)^negative · mantissa · 2^exponent
    size = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return -size if negative else size


def check_elsewhere(path: Path) -> dict[str, Any]:
    """Re-checks a witness file in fresh processes, by both routes.

    ``{"rechecked", "certified", "detail", "reference"}``, the last one None where no exact spectrum is read.
    """
    running = [_fresh(path, *options) for options in ((), ("--reference",))]
    direct, reference = (_answer(process) for process in running)
    independent = None
    if reference.get("spectra"):
        independent = {"refutes": reference["refutes"], "detail": reference["detail"]}
    return {
        "rechecked": bool(direct["refutes"]) and (independent is None or bool(independent["refutes"])),
        "certified": direct["certified"],
        "detail": direct["detail"],
        "reference": independent,
    }


def _fresh(path: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "proofs_check.ledger.witness", str(path), "--one-route", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate()
    if process.returncode not in (0, 1):
        reason = (err.strip().splitlines() or ["no word"])[-1]
        return {"refutes": False, "certified": False, "detail": f"the re-check failed: {reason}", "spectra": None}
    return dict(json.loads(out))


def main(arguments: list[str] | None = None) -> int:
    """Prints one JSON object; 0 when the witness refutes its claim, 1 when it does not, 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m proofs_check.ledger.witness", description="Re-checks a counterexample."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what 'adfd refute ID --save FILE' wrote")
    parser.add_argument("--one-route", action="store_true", help="evaluate once, in this process")
    parser.add_argument("--reference", action="store_true", help="that once with mpmath's singular values")
    options = parser.parse_args(arguments)
    try:
        data = read(options.file)
        if options.one_route:
            found = check(data, options.reference)
            good = found["refutes"]
        else:
            found = {"claim": data["claim"], "cell": data["cell"]} | check_elsewhere(options.file)
            good = found["rechecked"]
    except InputError as error:
        print(f"proofs_check.ledger.witness: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(json.dumps(found, ensure_ascii=False))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
