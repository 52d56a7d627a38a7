"""Many faults in one process: tests are collected once, and each fault is put into the code of a fork of it.

The tests of one suite first run on the sound source, which says how long each takes and which definitions it reaches.
For a fault, a fork replaces the code of the function in memory and runs the tests that reach it, the quickest first,
to the first failure. What cannot be replaced in this way (constants, what a decorator hides), and every fault that no
test of the fork noticed, is left to the cold way: values that were computed before the fork are still sound there.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any


def codes(code: CodeType) -> Iterator[CodeType]:
    """A module's code and that of all definitions inside it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from codes(one)


def function_of(module: Any, name: str) -> FunctionType | None:
    """The plain function behind a qualified name; None for anything else."""
    found: Any = module
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, type) or found is module else None
    for _ in range(8):
        if isinstance(found, FunctionType) and not hasattr(found, "__wrapped__"):
            return found if found.__module__ == module.__name__ else None
        if isinstance(found, property):
            found = found.fget
        elif isinstance(found, functools.cached_property):
            found = found.func
        else:
            found = getattr(found, "__wrapped__", getattr(found, "__func__", None))
    return None


def faulty(text: str, path: str, name: str) -> CodeType | None:
    """The code of a definition in a module's text."""
    found = [code for code in codes(compile(text, path, "exec", dont_inherit=True)) if code.co_qualname == name]
    return found[0] if len(found) == 1 else None


class Loop:
    """A pytest plugin that runs the collected tests once soundly, and then once a fault in a fork."""

    def __init__(self, root: Path, faults: Sequence[tuple[str, str, str]], out: Path, limit: float) -> None:
        self.root, self.faults, self.out, self.limit = root, faults, out, limit

    def pytest_runtestloop(self, session: Any) -> bool:
        """Takes the place of pytest's own."""
        functions = []
        for path, name, text in self.faults:
            module = importlib.import_module(path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
            function, code = function_of(module, name), faulty(text, str(self.root / path), name)
            usable = function is not None and code is not None and function.__code__.co_freevars == code.co_freevars
            functions.append((function, code) if usable else None)
        self._forked(lambda: self._soundly(session, functions), 3 * self.limit)
        seen = self.out.with_suffix(".sound")
        if not seen.exists():
            self.out.write_text(json.dumps("the sound source fails"))
            return True
        reached = json.loads(seen.read_text())
        found: list[bool | None] = []
        for k, pair in enumerate(functions):
            if pair is None:
                found.append(None)
                continue
            chosen = sorted((entry["seconds"], n) for n, entry in enumerate(reached) if k in entry["reached"])
            items = [session.items[n] for _, n in chosen]
            status = self._forked(lambda pair=pair, items=items: self._wrongly(session, pair, items), self.limit)
            found.append(status == 1)
            self.out.write_text(json.dumps(found))
        self.out.write_text(json.dumps(found))
        return True

    def _forked(self, act: Any, limit: float) -> int | None:
        child = os.fork()
        if child == 0:
            try:
                os._exit(act())
            except BaseException:
                os._exit(7)
        end = time.monotonic() + limit
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(child, 9)
        os.waitpid(child, 0)
        return 1  # what hangs is caught

    def _soundly(self, session: Any, functions: Sequence[Any]) -> int:
        watched = {id(pair[0].__code__): k for k, pair in enumerate(functions) if pair is not None}
        same: dict[int, list[int]] = {}
        for k, pair in enumerate(functions):
            if pair is not None:
                same.setdefault(watched[id(pair[0].__code__)], []).append(k)
        rows = []
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            hit: set[int] = set()

            def profile(frame: Any, event: str, argument: Any, hit: set[int] = hit) -> None:
                if event == "call" and id(frame.f_code) in watched:
                    hit.add(watched[id(frame.f_code)])

            began = time.process_time()
            sys.setprofile(profile)
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            finally:
                sys.setprofile(None)
            if session.testsfailed:
                return 1
            rows.append({"seconds": time.process_time() - began, "reached": [n for k in hit for n in same[k]]})
        self.out.with_suffix(".sound").write_text(json.dumps(rows))
        return 0

    @staticmethod
    def _wrongly(session: Any, pair: Any, items: Sequence[Any]) -> int:
        function, code = pair
        function.__code__ = code
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return 1
        return 0
