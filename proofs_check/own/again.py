"""A user's own claims evaluated again, in one fresh process for each file.

What a predicate remembers, draws without a seed, or reads from the time and the hash of a text differs from one process
to the next; a verdict that rests on it is an ``ERROR``.  ``python -m proofs_check.own.again FILE`` reads requests and
answers them, one JSON object a line, until its input ends.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from typing import IO, Any

from proofs_check.claims.claim import Claim, Profile, Scope
from proofs_check.claims.instances import Listing, listing
from proofs_check.ledger.judging import content, differ, evaluate, meets
from proofs_check.ledger.judging import outside as outside_of
from proofs_check.own import claims as user_claims
from theory.base.errors import InputError

LEAST_SECONDS = 120.0
"""How long the other process may take, at least; …"""
LEAST_OUTSIDE = 30.0
"""… and at least where the statement is tried outside its assumptions, …"""
TIMES = 20.0
"""… and how many times as long as the first run."""


def confirm(file: str, claim: str, scope: Scope, profile: Profile, first: list[dict[str, Any]], seconds: float) -> None:
    """Has instances evaluated in the file's fresh process, and compares.

    Args:
        file: of the claim.
        claim: its id.
        scope: the cell.
        profile: which instances there are.
        first: position, content and outcome of each, as :func:`proofs_check.ledger.judging.second_run` tells.
        seconds: what the first run took.

    Raises:
        InputError: they differ, or the other process failed.
    """
    request = {"claim": claim, "scope": dict(scope), "profile": profile, "indices": [one["index"] for one in first]}
    answer = _process(file, user_claims.digest(file)).ask(request, max(LEAST_SECONDS, TIMES * seconds))
    if "error" in answer:
        raise InputError(f"two runs differ: evaluated again, it fails: {answer['error']}")
    for one, other in zip(first, answer["found"], strict=True):
        if one["content"] != other["content"]:
            raise InputError(f"two runs differ: instance {one['index'] + 1} is another one in another process")
        differ(one["holds"], other["holds"], one["index"])


def outside(file: str, claim: str, scope: Scope, profile: Profile, seconds: float) -> dict[str, int] | None:
    """What a claim comes to outside its assumptions; None where that is not known in time: it may never end there."""
    request = {"claim": claim, "scope": dict(scope), "profile": profile, "outside": True}
    answer = _process(file, user_claims.digest(file)).ask(request, max(LEAST_OUTSIDE, TIMES * seconds))
    return answer.get("outside")


class _Process:
    """The fresh process of a file; it ends when this one does, for its input ends then."""

    def __init__(self, file: str) -> None:
        command = [sys.executable, "-m", "proofs_check.own.again", file]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )

    def end(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.communicate()

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """The answer, or what went wrong."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write((json.dumps(request) + "\n").encode())
            line = _line(self.process.stdout, seconds)
        except OSError:  # it has ended
            line = b""
        try:
            return dict(json.loads(line))
        except ValueError:
            over = self.process.poll() is not None
            for key in [key for key, one in _RUNNING.items() if one is self]:
                _end(key)
            return {"error": "the process ended" if over else f"no answer in {seconds:.0f} s"}


def _line(stream: IO[bytes], seconds: float) -> bytes:
    """One line; what there is of it when the time is up or the stream ends."""
    line = b""
    while not line.endswith(b"\n"):
        if not select.select([stream], [], [], seconds)[0]:
            break
        part = stream.read(65536)
        if not part:
            break
        line += part
    return line


_RUNNING: dict[tuple[str, str, int], _Process] = {}
"""By file, content and the process that asks: a forked one must not speak through its parent's."""
MOST = 4
"""So many run at once."""


def _process(file: str, digest: str) -> _Process:
    key = (file, digest, os.getpid())
    if key not in _RUNNING:
        while len(_RUNNING) >= MOST:
            _end(next(iter(_RUNNING)))
        _RUNNING[key] = _Process(file)
    return _RUNNING[key]


def _end(key: tuple[str, str, int]) -> None:
    running = _RUNNING.pop(key)
    if key[2] == os.getpid():
        running.end()


@atexit.register
def _end_all() -> None:
    for key in list(_RUNNING):
        _end(key)


def answer(file: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluates what a request asks for, in its order."""
    try:
        claim = next(c for c in user_claims.load(file) if c.id == request["claim"])
        scope = request["scope"]
        instances = _listed(claim, scope, request["profile"]).instances
        if request.get("outside"):
            return {"outside": outside_of(claim, scope, instances)}
        return {"found": [_again(claim, scope, instances[index]) for index in request["indices"]]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}


def _listed(claim: Claim, scope: Scope, profile: Profile) -> Listing:
    coverage = "these" if claim.coverage is None else claim.coverage(scope)
    return listing(claim.instances(scope, profile), coverage)


def _again(claim: Claim, scope: Scope, instance: Any) -> dict[str, Any]:
    judged = content(claim, scope, instance)
    outcome = evaluate(claim, instance, scope) if meets(claim, instance) else None
    return {"content": judged, "holds": None if outcome is None else outcome.holds}


def main(file: str) -> None:
    """Answers requests; what the file prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    for line in sys.stdin:
        answers.write(json.dumps(answer(file, json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
