"""Fault injection: small mathematical faults put into the source one by one, each of which the fast tests must catch.

``python tests/faults/inject.py`` (``make faults``) copies the project, applies a fault of the catalogue to the copy,
and runs the fast tests of the module there; a fault that they let pass is a *survivor*. A survivor is a hole in the
tests, unless the fault changes nothing that can be observed: then its entry says why (``equivalent``).

The catalogue (``catalogue/*.toml``) names a place by the qualified name of the function, method or constant and the
text in it, not by file or line, so that moving code does not lose it::

    [[fault]]
    room = "theory"                     # where the definition is sought
    name = "error_constant"             # qualified name: f, Class.method, CONSTANT
    old = "if q < 1"                    # occurs once in that definition
    new = "if q < 0"
    why = "order 0 has no error constant"
    tests = ["test_peano"]              # besides the module's own doctests and the test file of its name
    equivalent = "…"                    # only for a fault that cannot be observed, with the reason
"""

from __future__ import annotations

import argparse
import ast
import compileall
import gc
import importlib.util
import inspect
import json
import multiprocessing
import os
import py_compile
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = Path(__file__).parent / "catalogue"
COPIED = (
    "theory",
    "numerics",
    "proofs_check",
    "tests",
    "docs",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "Makefile",
)
LIBRARIES = [
    "pytest",
    "hypothesis",
    "hypothesis.strategies",
    "hypothesis.extra.numpy",
    "numpy",
    "scipy.linalg",
    "scipy.stats",
    "scipy.optimize",
    "scipy.integrate",
    "sympy",
    "mpmath",
    "flint",
    "msgspec",
    "jaxtyping",
    "torch",
]
"""Imported once, by the process from which those of the tests are forked."""
TIMEOUT = 600
"""Seconds for the tests of one fault; a fault that makes them hang is caught."""

Found = Literal["caught", "survived", "equivalent", "observed", "broken"]
"""``equivalent``: passes, as its reason says; ``observed``: caught although it claims to be equivalent; ``broken``:
the tests did not run."""


@dataclass(frozen=True)
class Fault:
    """A wrong version of one definition, and the tests that must notice."""

    room: str
    name: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...] = ()
    equivalent: str | None = None
    file: str = ""

    @property
    def label(self) -> str:
        """A line for people."""
        return f"{self.room}:{self.name}: {self.old!r} -> {self.new!r}"


def catalogue(folder: Path = CATALOGUE) -> list[Fault]:
    """All faults, in the order of the files."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("fault", []):
            found.append(Fault(**entry | {"tests": tuple(entry.get("tests", ())), "file": path.stem}))
    return found


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Functions, methods, classes and assigned names of a module with their qualified names."""

    def inside(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.stmt]]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield prefix + node.name, node
                yield from inside(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from ((prefix + t.id, node) for t in targets if isinstance(t, ast.Name))

    yield from inside(tree.body, "")


@cache
def _spans(text: str) -> list[tuple[str, int, int]]:
    """The definitions of a module's text with their first line and the line after the last, from 0."""
    found = []
    for name, node in definitions(ast.parse(text)):
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)]) - 1
        found.append((name, first, node.end_lineno or first + 1))
    return found


def texts(root: Path, room: str) -> dict[Path, str]:
    """The modules of a room, by their files."""
    return {path: path.read_text(encoding="utf-8") for path in sorted((root / room).rglob("*.py"))}


def place(fault: Fault, root: Path = ROOT, read: Mapping[Path, str] | None = None) -> tuple[Path, tuple[str, str, str]]:
    """The file (relative) that holds the definition; what comes before it there, itself, and what comes after it.

    Args:
        read: the :func:`texts` of the room, where many faults are placed.

    Raises:
        LookupError: no definition of that name holds the text just once, or several do.
    """
    found = []
    for path, text in (texts(root, fault.room) if read is None else read).items():
        if fault.name.rpartition(".")[2] not in text or fault.old not in text:
            continue
        lines = text.splitlines(keepends=True)
        for name, first, last in _spans(text):
            own = "".join(lines[first:last])
            if name == fault.name and own.count(fault.old) == 1:
                found.append((path.relative_to(root), ("".join(lines[:first]), own, "".join(lines[last:]))))
    if len(found) != 1:
        raise LookupError(f"{fault.label}: {len(found)} definitions hold that text just once")
    return found[0]


def locate(fault: Fault, root: Path = ROOT) -> tuple[Path, str]:
    """The file (relative) that holds the definition, and its text with the fault in it.

    Raises:
        LookupError: no definition of that name holds the text just once, or several do.
    """
    path, (before, own, after) = place(fault, root)
    return path, before + own.replace(fault.old, fault.new) + after


@cache
def _test_files(root: Path) -> dict[str, str]:
    return {p.stem: str(p.relative_to(root)) for p in sorted((root / "tests").rglob("test_*.py"))}


def suite_of(fault: Fault, path: Path, root: Path = ROOT) -> list[str]:
    """The module itself (its doctests), the test file of its name, and those that the fault names.

    Raises:
        LookupError: a test file that is named does not exist.
    """
    known = _test_files(root)
    missing = [name for name in fault.tests if name not in known]
    if missing:
        raise LookupError(f"{fault.label}: no test file {', '.join(missing)}")
    own = _tests_of(path, known)
    return list(dict.fromkeys([*own, *(known[name] for name in fault.tests), str(path)]))


def _tests_of(module: Path, known: Mapping[str, str]) -> list[str]:
    """The files ``test_NAME.py`` and ``test_NAME_….py`` in the mirror of the module's folder."""
    folder, stem = Path("tests") / module.parent, f"test_{module.stem}"
    return [file for name, file in known.items() if Path(file).parent == folder and f"{name}_".startswith(f"{stem}_")]


def run_suite(tests: Sequence[str], root: Path, name: str = "") -> int | None:
    """The exit status of pytest on these files in a copy of the project; None past the time limit.

    Tests that mention ``name`` come first: they are the likeliest to fail.
    """
    return _process(_test, (tuple(tests), root, name.rpartition(".")[2]), TIMEOUT)


def _process(target: Callable[..., None], arguments: tuple[object, ...], limit: float) -> int | None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(LIBRARIES)
    process = processes.Process(target=target, args=arguments)
    process.start()
    process.join(limit)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return process.exitcode


def _test(tests: Sequence[str], root: Path, name: str) -> None:
    class Order:
        @staticmethod
        def pytest_collection_modifyitems(items: list[Any]) -> None:
            items.sort(key=lambda item: name not in item.name and name not in _source(item))

    _pytest(tests, root, Order())


def _pytest(tests: Sequence[str], root: Path, plugin: object) -> None:
    """Runs pytest in this process, in which no module of the project has been imported."""
    for key in [key for key in os.environ if key.startswith("ADFD_") or key == "PYTHONDONTWRITEBYTECODE"]:
        del os.environ[key]
    os.environ |= {
        "PYTHONPATH": str(root),
        "XDG_CACHE_HOME": str(root / ".cache"),  # nothing that sound code computed may be found by a faulty one
        "OMP_NUM_THREADS": "1",
    }
    sys.dont_write_bytecode = False
    for module in [module for module in sys.modules if module.partition(".")[0] in COPIED]:
        del sys.modules[module]
    sys.path[:] = [str(root), *(p for p in sys.path if p != str(Path(__file__).parent))]
    os.chdir(root)
    gc.freeze()  # the libraries stay as they are
    for stream, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        os.dup2(os.open(os.devnull, mode), stream)

    import hypothesis
    import pytest

    # one failure is enough, the smallest is not wanted; what tests/conftest.py registers starts from these
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("faults", phases=phases)
    hypothesis.settings.load_profile("faults")
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # Hypothesis is here already
    sys.exit(pytest.main([*options, *tests], plugins=[plugin]))


def warm(faults: Sequence[Fault], root: Path) -> list[bool]:
    """Which faults of one suite are caught by forks of a process that has collected its tests (:mod:`tests.faults.warm`).

    Those of which that is not known count as not caught.
    """
    located = [locate(fault, root) for fault in faults]
    entries = [(str(path), fault.name, text) for fault, (path, text) in zip(faults, located, strict=True)]
    with tempfile.TemporaryDirectory(prefix="adfd-warm-") as folder:
        out = Path(folder) / "found.json"
        tests = suite_of(faults[0], located[0][0], root)
        _process(_warm, (tests, root, entries, out), TIMEOUT * (3 + len(faults)))
        found = json.loads(out.read_text()) if out.exists() else []
    if found == "the sound source fails":
        raise RuntimeError(f"{', '.join(tests)}: fails on the sound source; mend that first")
    return [k < len(found) and found[k] is True for k in range(len(faults))]


def _warm(tests: Sequence[str], root: Path, entries: Sequence[tuple[str, str, str]], out: Path) -> None:
    spec = importlib.util.spec_from_file_location("warm", Path(__file__).with_name("warm.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _pytest(tests, root, module.Loop(root, entries, out, TIMEOUT))


def _source(item: object) -> str:
    function = getattr(item, "function", None)
    function = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    try:
        return inspect.getsource(function) if callable(function) else ""
    except OSError:
        return ""


def judge(fault: Fault, root: Path) -> Found:
    """Applies a fault to a copy of the project, runs the tests, and takes it back."""
    path, wrong = locate(fault, root)
    tests = suite_of(fault, path, root)
    sound = (root / path).read_text(encoding="utf-8")
    (root / path).write_text(wrong, encoding="utf-8")
    try:
        status = run_suite(tests, root, fault.name)
    finally:
        (root / path).write_text(sound, encoding="utf-8")
    if status == 0:
        return "survived" if fault.equivalent is None else "equivalent"
    if status in (1, 2, None):  # a test failed, the module does not even import, or it hangs
        return "caught" if fault.equivalent is None else "observed"
    return "broken"


def copy(folder: Path) -> Path:
    """The parts of the project that its tests need."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)
    # an edit within a second of the last would find old bytecode, unless that knows its source by the content
    checked = py_compile.PycInvalidationMode.CHECKED_HASH
    for name in ("theory", "numerics", "proofs_check"):
        compileall.compile_dir(folder / name, quiet=1, invalidation_mode=checked)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description="Puts faults into a copy of the source; the tests must catch each.")
    parser.add_argument(
        "only", nargs="*", help="substrings of the catalogue's file, of room:name and the change, or of the reason"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="name the faults and run nothing")
    parser.add_argument("--json", type=Path, help="write the outcomes here")
    options = parser.parse_args()
    chosen = [
        f for f in catalogue() if not options.only or any(t in f"{f.file}.toml {f.label} {f.why}" for t in options.only)
    ]
    if options.list or not chosen:
        print(*(f"{f.label}  ({f.why})" for f in chosen), f"{len(chosen)} faults", sep="\n")
        return 0 if chosen else 2
    outcomes: list[tuple[Fault, Found]] = []
    with tempfile.TemporaryDirectory(prefix="adfd-faults-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        first = Path(folder) / "0"
        first.mkdir()
        copies.put(copy(first))
        for k in range(1, options.jobs):
            copies.put(Path(shutil.copytree(first, Path(folder) / str(k))))

        def group(faults: list[Fault]) -> list[tuple[Fault, Found]]:
            root = copies.get()
            try:
                caught = warm(faults, root) if len(faults) > 1 or len(chosen) == 1 else [False] * len(faults)
                return [
                    (fault, judge(fault, root) if not seen else "caught" if fault.equivalent is None else "observed")
                    for fault, seen in zip(faults, caught, strict=True)
                ]
            finally:
                copies.put(root)

        suites: dict[tuple[str, ...], list[Fault]] = {}
        for fault in chosen:
            suites.setdefault(tuple(suite_of(fault, locate(fault)[0])), []).append(fault)
        with ThreadPoolExecutor(max(1, options.jobs)) as pool:
            for found in pool.map(group, suites.values()):
                outcomes += found
                for fault, outcome in found:
                    if outcome not in ("caught", "equivalent"):
                        print(f"{outcome}: {fault.label}  ({fault.why})", flush=True)
                if options.json:  # each time: a run that is stopped has said something
                    options.json.write_text(json.dumps([vars(f) | {"found": found} for f, found in outcomes], indent=1))
                if sys.stderr.isatty():
                    print(f"\r{len(outcomes)} of {len(chosen)}", end="", file=sys.stderr, flush=True)
    count = {
        kind: sum(found == kind for _, found in outcomes)
        for kind in ("caught", "equivalent", "survived", "observed", "broken")
    }
    print(f"{len(outcomes)} faults: " + ", ".join(f"{n} {kind}" for kind, n in count.items() if n))
    return 0 if count["caught"] + count["equivalent"] == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
