"""The rules of the code base, read off the syntax trees: imports, execution of text, documentation, size."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
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
    "pyarrow",
    "dask",
}
CHECKER_MAY_IMPORT = set(sys.stdlib_module_names) | {"flint"}
INTERPRETS = {"sympify", "parse_expr", "lambdify", "S", "nsimplify", "parse_latex"}
"""Functions of SymPy that run or interpret text."""
EXECUTES = INTERPRETS | {"eval", "exec", "compile", "__import__"}
"""Bare names that do; as a method, ``eval`` evaluates a polynomial and ``compile`` a regular expression."""
ON_EXPRESSIONS = {
    f"theory/kernels/{name}.py" for name in ("evaluation", "existence", "forms/coordinates", "forms/radical")
}
"""Modules whose ``sympify`` takes numbers and expressions of their own making; elsewhere it needs ``strict=True``."""
MAX_LINES = 600
ONE_FILE = {"proofs_check/checker.py": 720}
"""What must be read and run as one file, and its own limit."""
"""One subject a module: a longer one has two."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


tree_cache: dict[Path, ast.Module] = {}


def tree_of(path: Path) -> ast.Module:
    if path not in tree_cache:
        tree_cache[path] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return tree_cache[path]


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


def faults(paths: Iterable[Path], rule: Callable[[Path], list[str]]) -> dict[str, list[str]]:
    """The files that break a rule, with what breaks it."""
    return {name_of(path): found for path in paths if (found := rule(path))}


def inside(room: str) -> list[Path]:
    return [path for path in MODULES if path.is_relative_to(ROOT / room)]


def foreign(path: Path, allowed: set[str]) -> list[str]:
    return [f"line {line}: {name}" for line, name in imports(tree_of(path)) if name.split(".")[0] not in allowed]


def test_imports_go_one_way() -> None:
    for k, room in enumerate(ROOMS):
        later = {*ROOMS[k + 1 :], "tests"}

        def backward(path: Path, later: set[str] = later) -> list[str]:
            return [f"line {line}: {name}" for line, name in imports(tree_of(path)) if name.split(".")[0] in later]

        assert faults(inside(room), backward) == {}


def test_theory_imports_the_standard_library_sympy_and_mpmath() -> None:
    assert faults(inside("theory"), lambda path: foreign(path, THEORY_MAY_IMPORT)) == {}


def test_numerics_imports_no_library_of_presentation() -> None:
    assert faults(inside("numerics"), lambda path: foreign(path, NUMERICS_MAY_IMPORT)) == {}


def test_the_checker_imports_the_standard_library_and_flint_alone() -> None:
    path = ROOT / "proofs_check" / "checker.py"
    if not path.exists():
        pytest.skip("there is no proofs_check/checker.py")
    assert foreign(path, CHECKER_MAY_IMPORT) == []
    code = f"import sys, runpy; sys.path[:] = [p for p in sys.path if p not in ('', {str(ROOT)!r})]\n"
    code += f"runpy.run_path({str(path)!r}, run_name='checker')\n"
    code += (
        "print([m for m in sys.modules if m.split('.')[0] in ('theory', 'numerics', 'proofs_check', 'sympy', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd="/", check=True)
    assert done.stdout.strip() == "[]"


def executions(path: Path) -> list[str]:
    """Calls that run or interpret text, and imports of such functions under whatever name."""
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} & (EXECUTES - {"S"}):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if not isinstance(node, ast.Call):
            continue
        bare = isinstance(node.func, ast.Name) or ast.unparse(node.func).startswith("builtins.")
        if called(node) not in (EXECUTES if bare else INTERPRETS):
            continue
        strict = any(k.arg == "strict" and ast.unparse(k.value) == "True" for k in node.keywords)
        if not (called(node) == "sympify" and (strict or name_of(path) in ON_EXPRESSIONS)):
            found.append(f"line {node.lineno}: {ast.unparse(node.func)}")
    return found


def test_no_text_is_executed() -> None:
    """No eval, exec, sympify, parse_expr or lambdify: expressions go through ``theory.base.expressions``."""
    assert faults(MODULES, executions) == {}


def test_the_rule_on_execution_has_teeth() -> None:
    caught = [
        "eval('1')",
        "sp.sympify(t)",
        "sympify(t)",
        "builtins.exec(t)",
        "compile(t, '', 'eval')",
        "sp.lambdify(x, t)",
        "from sympy import lambdify as f",
        "from sympy.parsing.sympy_parser import parse_expr",
        "sp.S(t)",
    ]
    passed = ["p.eval(1)", "re.compile(t)", "torch.compile(f)", "sp.sympify(t, strict=True)", "sp.S.One", "evaluate(e)"]
    for text in caught + passed:
        path = ROOT / "theory" / "never_written.py"
        tree_cache[path] = ast.parse(text)
        assert bool(executions(path)) == (text in caught), text
        del tree_cache[path]


def test_modules_are_documented_and_small() -> None:
    def rule(path: Path) -> list[str]:
        lines = path.read_text(encoding="utf-8").count("\n")
        return ["no docstring"] * (not ast.get_docstring(tree_of(path))) + [f"{lines} lines"] * (
            lines > ONE_FILE.get(name_of(path), MAX_LINES)
        )

    assert faults(MODULES, rule) == {}


def test_public_mathematics_is_documented() -> None:
    def rule(path: Path) -> list[str]:
        things = [node for node in tree_of(path).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        return [node.name for node in things if not node.name.startswith("_") and not ast.get_docstring(node)]

    assert faults(inside("theory") + inside("numerics"), rule) == {}


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


def test_no_names_of_build_environments() -> None:
    def rule(path: Path) -> list[str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [f"line {n}: {line.strip()}" for n, line in enumerate(lines, 1) if FOREIGN.search(line)]

    assert faults(SOURCES, rule) == {}


def test_importing_a_room_is_cheap() -> None:
    """The light modules load neither sympy, numpy, torch, flint nor matplotlib: a command line must start at once."""
    code = (
        "import sys, theory.base.errors, theory.base.exact, theory.entropy.conventions, theory.features.laws, theory.stencils, theory.entropy.entropy\n"
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


MOST_MODULES = 14
"""In a folder: more is a heap."""
MOST_SIBLINGS = 6
"""Of its own folder that a module imports: more is a tangle."""
KNOWN = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in MODULES}


def imported(path: Path) -> set[str]:
    """Modules of the rooms that a file imports, anywhere in it; ``from package import module`` is that module."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in KNOWN else node.module for name in names}
    return found & KNOWN.keys()


GRAPH = {name: imported(path) - {name} for name, path in KNOWN.items()}


def circles(graph: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """Modules that import one another, directly or through others."""

    def reach(start: str) -> set[str]:
        found, left = set[str](), [start]
        while left:
            new = graph[left.pop()] - found
            found |= new
            left.extend(new)
        return found

    reached = {name: reach(name) for name in graph}
    return sorted({tuple(sorted(o for o in reached[n] if n in reached[o])) for n in graph if n in reached[n]})


def test_no_modules_import_one_another() -> None:
    """``TYPE_CHECKING`` and imports inside functions included."""
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [("a", "b", "c")]
    assert circles(GRAPH) == []


def test_folders_hold_one_subject() -> None:
    folders = {path.parent for path in MODULES}
    counts = {
        name_of(f): n for f in folders if (n := sum(p.name != "__init__.py" for p in f.glob("*.py"))) > MOST_MODULES
    }
    assert counts == {}


def test_modules_import_few_siblings() -> None:
    def siblings(name: str) -> list[str]:
        return sorted(one for one in GRAPH[name] if one.rpartition(".")[0] == name.rpartition(".")[0])

    packages = {name for name, path in KNOWN.items() if path.name == "__init__.py"}
    assert {n: s for n in KNOWN if n not in packages and len(s := siblings(n)) > MOST_SIBLINGS} == {}


def test_the_oracle_of_kernels_imports_no_route() -> None:
    """Closed forms are held against quadrature that knows nothing of how they were found."""
    oracle = {name: found for name, found in GRAPH.items() if name.startswith("theory.kernels.oracle")}
    assert oracle
    assert {n: bad for n, found in oracle.items() if (bad := [o for o in found if ".kernels.routes" in o])} == {}


def test_rooms_do_not_use_their_faces() -> None:
    """A face hands on names to users; within the rooms every name comes from where it is defined."""

    def through(path: Path) -> list[str]:
        return [
            f"line {node.lineno}: from {node.module} import {alias.name}"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.ImportFrom) and node.module in {*ROOMS, "adfd"}
            for alias in node.names
            if f"{node.module}.{alias.name}" not in KNOWN
        ]

    faces = {ROOT / room / "__init__.py" for room in ROOMS}
    assert faults([p for p in MODULES if p not in faces], through) == {}


def test_the_tests_that_ci_names_are_there() -> None:
    named = [name for path in (ROOT / ".ci").iterdir() for name in re.findall(r"tests/[\w/]+\.py", path.read_text())]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
