"""Which modules of one's own a file imports: what a verdict on its claims depends on besides adfd and its libraries.

Imports are read off the syntax trees, at any depth of the files and of one another, also ``import_module("name")``; a
module is one's own unless it belongs to Python, to an installed package or to adfd.  Names put together while running
and data files are not seen.

The text of a function, for people: what a hypothesis says in code.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import linecache
import site
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from proofs_check.own import float_guard, watched_code
from theory.base.errors import InputError

MOST = 1000
"""Modules of one's own that a file may import."""
ROOT = Path(__file__).resolve().parents[2]
INSTALLED = {"site-packages", "dist-packages"}
OURS = ("theory", "numerics", "proofs_check", "adfd")


@cache
def _elsewhere() -> tuple[Path, ...]:
    """Where Python and installed packages are, and adfd."""
    paths = [*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()]
    return tuple({Path(p).resolve() for p in paths if p} - {ROOT}) + tuple(ROOT / room for room in OURS)


def is_own(origin: str | None) -> bool:
    """Whether a module's file is of one's own."""
    if origin is None or origin in {"built-in", "frozen"}:
        return False
    place = Path(origin).resolve()
    installed = not INSTALLED.isdisjoint(place.parts) or any(place.is_relative_to(folder) for folder in _elsewhere())
    return place.is_file() and not installed


_ADDED: list[str] = []
"""Folders that are on the path for the sake of files in them, the last one first."""


class FromSource(SourceFileLoader):
    """Runs the text that a digest was taken of, with the watch on floats in it (:mod:`proofs_check.own.float_guard`).

    Python takes compiled code for current when the whole second of the file's last change and its size agree, which an
    edit within a second leaves as they were: the old code would be judged under the new text's key.
    """

    def get_code(self, fullname: str) -> CodeType:
        place = self.get_filename(fullname)
        code: CodeType = self.source_to_code(watched_code.instrumented(self.get_data(place), place), place)
        return code

    def exec_module(self, module: ModuleType) -> None:
        with float_guard.noting():
            super().exec_module(module)


class _OwnFinder:
    """Python's own search, with modules of one's own loaded by :class:`FromSource`."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or not is_own(spec.origin):
            return None
        spec.loader, spec.cached = FromSource(name, str(spec.origin)), None
        return spec


def put_on_path(folder: Path) -> None:
    """Lets a file import its neighbours: they shadow nothing but neighbours, of the same name, of other files."""
    if _OwnFinder not in sys.meta_path:
        sys.meta_path.insert(0, _OwnFinder)
    importlib.invalidate_caches()
    before = [entry for entry in sys.path if entry not in _ADDED]
    if str(folder) not in before:
        _ADDED[:] = [str(folder), *(entry for entry in _ADDED if entry != str(folder))]
    sys.path[:] = [*before, *_ADDED]


def closure(path: str) -> dict[str, Path]:
    """The modules of its own that a file imports, transitively, by name.

    Raises:
        InputError: more than ``MOST``.
    """
    file = Path(path).absolute()
    search = [*(entry for entry in sys.path if entry not in _ADDED), str(file.parent)]
    found: dict[str, Path] = {}
    queue: list[tuple[str, Path, str]] = [("", file, "")]
    looked: set[str] = set()
    while queue:
        _, at, package = queue.pop()
        for name in _imported(_bytes(at), package):
            if name in looked:
                continue
            looked.add(name)
            for full, spec in _specs(name, search):
                if spec.origin is not None and is_own(spec.origin) and full not in found:
                    found[full] = Path(spec.origin)
                    inside = full if spec.submodule_search_locations is not None else full.rpartition(".")[0]
                    queue.append((full, found[full], inside))
        if len(found) > MOST:
            raise InputError(f"{path}: imports more than {MOST} modules of its own")
    return found


def digest(path: str, further: Iterable[Path] = ()) -> str:
    """A digest of a file's bytes and of those of every module of its own, and of further files."""
    total = hashlib.sha256(Path(path).read_bytes())
    modules = closure(path)
    for name in sorted(modules):
        total.update(name.encode() + hashlib.sha256(_bytes(modules[name])).digest())
    for extra in sorted(set(further)):
        total.update(hashlib.sha256(_bytes(extra)).digest())
    return total.hexdigest()[:16]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _specs(name: str, search: list[str]) -> Iterator[tuple[str, ModuleSpec]]:
    """The packages on the way to a module, and itself, as far as they are found; nothing is run."""
    where = search
    parts = name.split(".")
    for k in range(len(parts)):
        full = ".".join(parts[: k + 1])
        if k == 0 and (full in sys.builtin_module_names or full in sys.stdlib_module_names):
            return
        try:
            spec = PathFinder.find_spec(full, where)
            if spec is None:
                return
            yield full, spec
            if spec.submodule_search_locations is None:
                return
            folders = [Path(entry) / parts[k] for entry in where]  # of a package without __init__.py
            where = list(spec.submodule_search_locations) if spec.origin else [str(f) for f in folders if f.is_dir()]
        except (ImportError, ValueError, OSError, KeyError):
            return


@lru_cache(maxsize=1024)
def _imported(source: bytes, package: str) -> tuple[str, ...]:
    """The names that a module imports, absolute, submodules that may be meant among them."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    names: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=listed):
                names += [alias.name for alias in listed]
            case ast.ImportFrom(module=module, names=listed, level=level):
                base = _absolute(module or "", level, package)
                if base:
                    names.append(base)
                names += [f"{base}.{alias.name}".strip(".") for alias in listed if alias.name != "*"]
            case ast.Call(func=function, args=[ast.Constant(value=str(text)), *_]) if _imports(function):
                names.append(_absolute(text.lstrip("."), len(text) - len(text.lstrip(".")), package))
    return tuple(dict.fromkeys(name for name in names if name))


def _imports(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def _absolute(module: str, level: int, package: str) -> str:
    """A relative name in full."""
    if level == 0:
        return module
    parts = package.split(".") if package else []
    base = parts[: len(parts) - (level - 1)]
    return ".".join([*base, module] if module else base)


LONGEST = 160
"""Characters that are shown."""


def code_of(function: Callable[..., Any]) -> str:
    """A function's code in one line: a lambda's own, or the name, first line of the docstring and body of another.

    Empty where there is no source.  Two lambdas on one line are told apart by their place.

    >>> code_of(print)
    ''
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    text = "".join(linecache.getlines(code.co_filename))
    found = [
        node for node in _functions(text) if _first_line(node) == code.co_firstlineno and _named(node) == code.co_name
    ]
    if len(found) > 1:  # where the body begins: a column of 0 is that of the call
        column = min((c for _, _, c, _ in code.co_positions() if c), default=-1)
        bodies = [(n, n.body) for n in found if isinstance(n, ast.Lambda)]
        found = [n for n, body in bodies if body.col_offset <= column < (body.end_col_offset or 0)]
    if not found:
        return ""
    node = found[0]
    if isinstance(node, ast.Lambda):
        shown = ast.unparse(node)
    else:
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        shown = f"{node.name}: {first + ' ' if first else ''}{'; '.join(map(ast.unparse, body))}"
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} …"


@lru_cache(maxsize=64)
def _functions(text: str) -> tuple[Any, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    return tuple(n for n in ast.walk(tree) if isinstance(n, ast.Lambda | ast.FunctionDef))


def _first_line(node: Any) -> int:
    """Of the code object: that of the first decorator where there is one."""
    decorators = getattr(node, "decorator_list", [])
    return int(decorators[0].lineno if decorators else node.lineno)


def _named(node: Any) -> str:
    return str(getattr(node, "name", "<lambda>"))
