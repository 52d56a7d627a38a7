"""Compiles the theorems of ``theory/rocq`` with Rocq, and keeps what each rests on: ``make proofs``.

Every file is compiled afresh or found unchanged since it was; ``Print Assumptions`` then names the axioms of every
listed theorem.  The run fails if a theorem is missing, rests on an axiom that is not permitted, or on anything else
that the kernel did not check, or if what is found differs from ``record.json``; ``--record`` writes that file.

Run as ``python -m proofs_check.rocq [--record]``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from proofs_check.claims.theorems import (
    AXIOMS,
    BUILD,
    FOLDER,
    Record,
    Recorded,
    Theorem,
    digest,
    permitted,
    primitive,
    record,
    theorems,
    wording,
)
from theory.base.errors import InputError
from theory.base.files import write

LIBRARIES = {
    "libcoq-interval": "Interval",
    "libcoq-mathcomp": "mathcomp/ssreflect",
    "libcoq-mathcomp-analysis": "mathcomp/analysis",
    "libcoq-bignums": "Bignums",
    "libcoq-coquelicot": "Coquelicot",
}
"""Debian's packages, and what they bring into ``user-contrib``."""
PACKAGES = ("coq", *LIBRARIES)
"""Rocq 8.16 (then Coq), mathcomp 1.15 and Interval 4.6 are tested."""
SECONDS = 1800
"""A file takes at most so long."""
WIDTH = 110
"""Of what Rocq prints."""


def program(name: str = "coqc") -> str:
    """The path of a program of Rocq's.

    Raises:
        InputError: Rocq or one of the libraries is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise InputError(
            f"{name} is not installed; the proofs need Rocq (Debian: apt-get install {' '.join(PACKAGES)})"
        )
    return found


def require_libraries() -> None:
    """Looks for every library.

    Raises:
        InputError: one is not installed.
    """
    where = Path(_output([program("coqc"), "-where"]).strip()) / "user-contrib"
    absent = [package for package, library in LIBRARIES.items() if not (where / library).is_dir()]
    if absent:
        raise InputError(f"libraries of Rocq are not installed; Debian: apt-get install {' '.join(absent)}")


def _output(command: Sequence[str], folder: Path | None = None, seconds: float = SECONDS) -> str:
    """What a program printed.

    Raises:
        InputError: it failed, or took too long.
    """
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"{Path(command[0]).name} took longer than {seconds:.0f} s") from None
    if done.returncode:
        raise InputError(f"{Path(command[0]).name}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


ASSUMING = re.compile(r"\b(?:Axioms?|Parameters?|Conjecture|Admitted|admit|Declare\s+Module)\b")
"""What would assume something."""


def files() -> list[str]:
    """The Rocq files that ``_CoqProject`` lists.

    Raises:
        InputError: a file of the folder is not listed, or one that is listed is not there.
    """
    listed = [line.strip() for line in (FOLDER / "_CoqProject").read_text(encoding="utf-8").splitlines()]
    found = [line for line in listed if line.endswith(".v")]
    there = {path.name for path in FOLDER.glob("*.v")}
    for name in there:
        source = re.sub(r"\(\*.*?\*\)", " ", (FOLDER / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        if word := ASSUMING.search(source):
            raise InputError(f"{FOLDER / name}: {word.group(0)!r}: nothing is assumed here")
    if set(found) != there:
        raise InputError(f"{FOLDER}/_CoqProject: {', '.join(sorted(set(found) ^ there))} listed or there, but not both")
    return found


def dependencies(listed: Iterable[str]) -> dict[str, frozenset[str]]:
    """Each file with all that it requires of this folder, itself included."""
    listed = list(listed)
    text = _output([program("coqdep"), "-Q", ".", "adfd", "-sort", *listed], FOLDER)
    order = [Path(name).name for name in text.split()]
    lines = _output([program("coqdep"), "-Q", ".", "adfd", *listed], FOLDER).replace("\\\n", " ").splitlines()
    direct: dict[str, set[str]] = {}
    for line in lines:
        target, _, needed = line.partition(":")
        if ".vo " in f"{target} " and ".vio" not in target.split()[0]:
            name = f"{target.split()[0].removesuffix('.vo')}.v"
            direct[name] = {f"{Path(one).stem}.v" for one in needed.split() if one.endswith(".vo") and "/" not in one}
    closed: dict[str, frozenset[str]] = {}
    for name in order:
        closed[name] = frozenset({name}).union(*(closed[one] for one in direct.get(name, set())))
    return closed


def compile_all(jobs: int, targets: Sequence[str] = ()) -> None:
    """Compiles what has changed, in ``build/rocq``: everything, or the targets (``File.vo``) with what they need.

    Raises:
        InputError: a file does not compile.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    kept = {*files(), "_CoqProject"}
    for name in sorted(kept):
        content = (FOLDER / name).read_bytes()
        if not (BUILD / name).exists() or (BUILD / name).read_bytes() != content:
            (BUILD / name).write_bytes(content)
    for stale in BUILD.glob("*.v"):
        if stale.name not in kept:
            stale.unlink()
    _output([program("coq_makefile"), "-f", "_CoqProject", "-o", "Makefile.coq"], BUILD)
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(
        ["make", "--no-print-directory", "-f", "Makefile.coq", f"-j{jobs}", *targets], cwd=BUILD, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise InputError(f"a proof does not compile: {done.stderr.strip()[-2000:]}")


HEADER = re.compile(
    r"(?:From\s|Require\s|Import\s|(?:Local\s+|Global\s+)?(?:Open|Close)\s+Scope\s)[^.]*(?:\.\w[^.]*)*\.(?=\s|$)"
)


def header(source: str) -> str:
    """The imports and scopes at the head of a file, in which its statements read as they were written."""
    plain = re.sub(r"\(\*.*?\*\)", " ", source, flags=re.DOTALL)
    return "\n".join(line for line in plain.splitlines() if HEADER.match(line.strip()))


MARK = "theorem of adfd: "


def ask(listed: Sequence[Theorem]) -> list[tuple[str, str]]:
    """What Rocq prints of theorems of one file: of each its statement, and its axioms.

    The axioms come first, before anything is imported, so that their names are long; the statements as they were written.

    Raises:
        InputError: there is no such theorem.
    """
    stem = listed[0].file.removesuffix(".v")
    lines = [f"From adfd Require {stem}.", f"Set Printing Width {WIDTH}."]
    # what is listed must be a proof: its type is a proposition
    lines += [f"Check (ltac:(let T := type of (@{one.name}) in exact T) : Prop)." for one in listed]
    for command in ("Print Assumptions", "Check"):
        for one in listed:
            lines += [f'Goal True. idtac "{MARK}{one.name}". Abort.', f"{command} {one.name}."]
        if command == "Print Assumptions":
            lines += [
                header((FOLDER / listed[0].file).read_text(encoding="utf-8")),
                f"From adfd Require Import {stem}.",
            ]
    path = BUILD / "Ask.v"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        printed = _output([program("coqc"), "-q", "-Q", ".", "adfd", "Ask.v"], BUILD)
    finally:
        for one_file in BUILD.glob("*Ask.*"):
            one_file.unlink()
    parts = [printed.split(f"{MARK}{one.name}\n") for one in listed]
    return [(stated.split(MARK)[0], axioms.split(MARK)[0]) for _, axioms, stated in parts]


CLOSED = "Closed under the global context"


def understood(theorem: Theorem, stated: str, assumed: str) -> tuple[str, tuple[str, ...]]:
    """The statement and the axioms in what Rocq printed.

    >>> understood(Theorem("A.b", ""), "b\\n     : 1 = 1\\n", "Closed under the global context\\n")
    ('1 = 1', ())
    >>> understood(Theorem("A.b", ""), "b : x = y", "Axioms:\\nClassical_Prop.classic : forall P : Prop, P \\\\/ ~ P\\n")
    ('x = y', ('Classical_Prop.classic',))

    Raises:
        InputError: it is no theorem, or rests on something that was not checked.
    """
    name, colon, statement = stated.partition(":")
    if not colon or name.strip() not in (theorem.name, theorem.name.rpartition(".")[2]):
        raise InputError(f"{theorem.name}: Rocq printed {stated[:200]!r}")
    first, *rest = assumed.strip("\n").splitlines() or [""]
    if first not in ((CLOSED,) if not rest else ("Axioms:",)):
        raise InputError(f"{theorem.name}: Rocq printed {assumed[:200]!r}")
    axioms = []
    for line in rest:
        if line and not line[0].isspace():
            word = line.split()[0]
            if "assumed" in line or "relies on" in line or not (":" in line or line.strip() == word):
                raise InputError(f"{theorem.name}: not checked by the kernel: {line}")
            axioms.append(word)
    strange = [axiom for axiom in axioms if not permitted(axiom)]
    if strange:
        raise InputError(f"{theorem.name} rests on {', '.join(strange)}; permitted: {', '.join(AXIOMS)}, primitives")
    text = "\n".join(line.rstrip() for line in statement.strip("\n").splitlines())
    return re.sub(r"^ {5}", "", text.strip(), flags=re.MULTILINE), tuple(sorted(axioms))


def versions() -> dict[str, str]:
    """Of Rocq, and of Debian's packages where they are known."""
    found = {"rocq": _output([program("coqc"), "--print-version"]).split()[0]}
    if shutil.which("dpkg-query"):
        for package in LIBRARIES:
            done = subprocess.run(
                ["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                found[package] = done.stdout
    return found


def found() -> Record:
    """Compiles everything and asks for every theorem.

    Raises:
        InputError: see the module.
    """
    from proofs_check.ledger.ledger import all_claims

    listed = theorems()
    claims = {claim.id: claim for claim in all_claims()}
    named = {id for one in listed for id in one.claims}
    strange = sorted({id for one in listed for id in (*one.claims, *one.supports)} - set(claims))
    if strange:
        raise InputError(f"theorems.toml: {', '.join(strange)}: no such claim")
    compile_all(os.cpu_count() or 1)
    needed = dependencies(files())
    digests = {name: digest((FOLDER / name).read_bytes()) for name in files()}
    kept = {}
    for file in dict.fromkeys(one.file for one in listed):
        if file not in digests:
            raise InputError(f"theorems.toml: no file {file}")
        members = [one for one in listed if one.file == file]
        for one, printed in zip(members, ask(members), strict=True):
            statement, axioms = understood(one, *printed)
            kept[one.name] = Recorded(statement, axioms, {name: digests[name] for name in sorted(needed[file])})
            rests = [axiom for axiom in axioms if not primitive(axiom)]
            extra = len(axioms) - len(rests)
            print(f"{one.name}: {', '.join(rests) or 'no axiom'}" + (f"; {extra} of the primitives" if extra else ""))
    write(BUILD / "compiled.json", json.dumps(digests), force=True)
    return Record(versions(), dict(sorted(kept.items())), {id: wording(claims[id]) for id in sorted(named)})


def differences(old: Record, new: Record) -> list[str]:
    """What differs from the record, a line each; the statements' looks count for the same version of Rocq alone."""
    lines = [f"{name} is not on record" for name in new.theorems if name not in old.theorems]
    lines += [f"{name} is on record, but not listed any more" for name in old.theorems if name not in new.theorems]
    same = old.versions.get("rocq") == new.versions.get("rocq")
    for name in sorted(set(old.theorems) & set(new.theorems)):
        before, now = old.theorems[name], new.theorems[name]
        if before.files != now.files:
            lines.append(f"{name}: a file has changed since it was recorded")
        elif same and (before.statement, before.axioms) != (now.statement, now.axioms):
            lines.append(f"{name}: its statement or its axioms are not those on record")
    lines += [f"{id}: worded otherwise than on record" for id, w in new.wordings.items() if old.wordings.get(id) != w]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Compiles; 0 if all is as on record, 1 if a proof fails or something differs, 2 if Rocq is not installed."""
    parser = argparse.ArgumentParser(prog="python -m proofs_check.rocq", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--record", action="store_true", help="write what is found to theory/rocq/record.json")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        require_libraries()
    except InputError as error:
        print(f"adfd: {error}", file=sys.stderr)
        return 2
    try:
        new = found()
    except InputError as error:
        print(f"adfd: {error}", file=sys.stderr)
        return 1
    changed = differences(record(), new)
    if options.record:
        text = json.dumps(msgspec.to_builtins(new), indent=1, ensure_ascii=False) + "\n"
        write(FOLDER / "record.json", text, force=True)
    print(f"{len(new.theorems)} theorems in {len(files())} files compiled, {time.perf_counter() - start:.0f} s")
    for line in changed:
        print(("recorded: " if options.record else "") + line, file=sys.stderr)
    return 1 if changed and not options.record else 0


if __name__ == "__main__":
    sys.exit(main())
