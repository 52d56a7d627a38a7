"""The rules of the code base, read off the syntax trees: imports, execution of text, documentation, size."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("theory", "numerics", "proofs_check")
"""From the innermost: each may import itself and those before it."""
MODULES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))
THEORY_MAY_IMPORT = set(sys.stdlib_module_names) | {"theory", "sympy", "mpmath"}
NUMERICS_MAY_IMPORT = THEORY_MAY_IMPORT | {
    "numerics",
    "numpy",
    "scipy",
    "gmpy2",
    "flint",
    "torch",
    "jaxtyping",
    "msgspec",
    "joblib",
    "dask",
}
CHECKER_MAY_IMPORT = set(sys.stdlib_module_names) | {"flint"}
EXECUTES = {
    "eval",
    "exec",
    "compile",
    "sympify",
    "parse_expr",
    "lambdify",
    "S",
    "nsimplify",
    "parse_latex",
    "__import__",
}
"""Calls that run or interpret text."""
ON_EXPRESSIONS = {f"theory/kernels/{name}.py" for name in ("coordinates", "forms", "programs", "radical")}
"""Modules whose ``sympify`` takes numbers and expressions of their own making; elsewhere it needs ``strict=True``."""
MAX_LINES = 600
"""One subject a module: a longer one has two."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every module imported anywhere in a file: at the top, in functions, under TYPE_CHECKING, by importlib."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative imports hide where a name comes from"
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"} and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield node.lineno, argument.value
            elif (
                isinstance(argument, ast.JoinedStr) and argument.values and isinstance(argument.values[0], ast.Constant)
            ):
                yield node.lineno, str(argument.values[0].value)


def called(node: ast.Call) -> str:
    """The last name of what is called: ``sp.sympify(x)`` gives ``sympify``."""
    match node.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case _:
            return ""


def test_there_is_something_to_read() -> None:
    assert len(MODULES) > 30
    assert {p.relative_to(ROOT).parts[0] for p in MODULES} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    later = ROOMS[ROOMS.index(room) + 1 :]
    backward = [
        f"line {line}: {name}" for line, name in imports(tree_of(path)) if name.split(".")[0] in (*later, "tests")
    ]
    assert backward == []


@pytest.mark.parametrize("path", [p for p in MODULES if p.is_relative_to(ROOT / "theory")], ids=name_of)
def test_theory_imports_the_standard_library_sympy_and_mpmath(path: Path) -> None:
    foreign = {name.split(".")[0] for _, name in imports(tree_of(path))} - THEORY_MAY_IMPORT
    assert foreign == set()


@pytest.mark.parametrize("path", [p for p in MODULES if p.is_relative_to(ROOT / "numerics")], ids=name_of)
def test_numerics_imports_no_room_of_presentation(path: Path) -> None:
    foreign = {name.split(".")[0] for _, name in imports(tree_of(path))} - NUMERICS_MAY_IMPORT
    assert foreign == set()


def test_the_checker_imports_the_standard_library_and_flint_alone() -> None:
    path = ROOT / "proofs_check" / "checker.py"
    if not path.exists():
        pytest.skip("there is no proofs_check/checker.py")
    foreign = {name.split(".")[0] for _, name in imports(tree_of(path))} - CHECKER_MAY_IMPORT
    assert foreign == set()
    code = f"import sys, runpy; sys.path[:] = [p for p in sys.path if p not in ('', {str(ROOT)!r})]\n"
    code += f"runpy.run_path({str(path)!r}, run_name='checker')\n"
    code += (
        "print([m for m in sys.modules if m.split('.')[0] in ('theory', 'numerics', 'proofs_check', 'sympy', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd="/", check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_text_is_executed(path: Path) -> None:
    """No eval, exec, sympify, parse_expr or lambdify: expressions go through ``theory.expressions``.

    ``compile`` of a regular expression, of a torch graph and of a numpy kernel are other functions.
    """
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and called(node) in EXECUTES:
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            if called(node) == "compile" and isinstance(owner, ast.Name) and owner.id in {"re", "torch"}:
                continue
            strict = any(
                k.arg == "strict" and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords
            )
            if called(node) == "sympify" and (strict or name_of(path) in ON_EXPRESSIONS):
                continue
            found.append(f"line {node.lineno}: {ast.unparse(node.func)}")
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_name_smuggles_in_execution(path: Path) -> None:
    """Nor imported under another name."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom):
            assert not {alias.name for alias in node.names} & (EXECUTES - {"S", "compile"})


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_documented_and_small(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))
    assert path.read_text(encoding="utf-8").count("\n") <= MAX_LINES


@pytest.mark.parametrize("path", [p for p in MODULES if not p.is_relative_to(ROOT / "proofs_check")], ids=name_of)
def test_public_mathematics_is_documented(path: Path) -> None:
    things = [node for node in tree_of(path).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert [node.name for node in things if not node.name.startswith("_") and not ast.get_docstring(node)] == []


SOURCES = sorted(
    p
    for room in (*ROOMS, "tests")
    for p in (ROOT / room).rglob("*")
    if p.suffix in {".py", ".toml", ".html", ".css", ".js", ".md"}
) + [p for p in (ROOT / "README.md", ROOT / "pyproject.toml", ROOT / "Makefile") if p.exists()]
FOREIGN = re.compile(
    "|".join(
        [
            "/wo" + "rk/",
            "THEORY" + r"\.md",
            "DESIGN" + r"\.md",
            "BRIEF" + r"\.md",
            "/tmp/" + "brief",
            "anthro" + "pic",
            "cla" + "ude",
        ]
    ),
    re.I,
)
"""Names of places and things that only exist where the code was written (spelled in two, so as not to find itself)."""


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_names_of_build_environments(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [f"line {n}: {line.strip()}" for n, line in enumerate(lines, 1) if FOREIGN.search(line)] == []


def test_importing_a_room_is_cheap() -> None:
    """The light modules load neither sympy, numpy, torch, flint nor matplotlib: a command line must start at once."""
    code = (
        "import sys, theory.errors, theory.exact, theory.conventions, theory.laws, theory.stencils, theory.entropy\n"
        "print(sorted({'sympy', 'numpy', 'torch', 'flint', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_tests_mirror_the_rooms() -> None:
    """Every file of tests of a room is named after a module or a package of that room, or of several of its modules."""
    for room in ROOMS:
        for path in (ROOT / "tests" / room).rglob("test_*.py"):
            assert path.parent.relative_to(ROOT / "tests").parts[0] == room
    assert not list((ROOT / "tests").rglob("__init__.py"))
    names = [p.name for p in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names)), "two test files of one name cannot be collected together"
